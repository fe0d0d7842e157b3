/* SPDX-License-Identifier: Apache-2.0 */
/* Finds containers of unlisted images in `crictl images -o json` and `crictl ps -o json`
 * (runtime.v1.ListImagesResponse, ListContainersResponse). Pure. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct hf_images_running {
    unsigned n;
    char first[256]; /* name and image of one container */
};

/* `has`: whether the allowed images have `digest`, and it leads to the image configuration with the hash `id`.
 * -EBADMSG: `images` or `containers` is not the runtime's JSON. */
HF_MUST_USE int hf_images_running_judge(struct hf_view images, struct hf_view containers,
                                        bool (*has)(void *arg, const char *digest, const char *id), void *arg,
                                        struct hf_images_running *ret, struct hf_err *err);
