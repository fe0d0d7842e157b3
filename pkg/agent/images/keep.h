/* SPDX-License-Identifier: Apache-2.0 */
/* The policies' list of images in holdfast-verify's file. Blocks. */
#pragma once

#include "agent/env.h"
#include "api/policies/policy_set.h"
#include "verifier/image_list.h"

struct hf_image_keep {
    const char *reason; /* CamelCase: why not in place; or NULL */
    char message[384];
    bool present;
    struct hf_image_list list;
};

/* Writes <state>/images/allowed if the policies' list is another and may replace it, or the file is damaged. */
void hf_image_keep(struct hf_image_keep *keep, const struct hf_agent_env *env, const struct hf_policy_set *set);

/* The file belongs to `uid`, and its list, maybe expired, has the image. Threads: any. */
bool hf_image_keep_has(const char *path, uid_t uid, const char *digest);
