/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the policies' list of images to holdfast-verify's file. Blocks. */
#pragma once

#include "agent/env.h"
#include "api/policies/policy_set.h"
#include "verifier/image_list.h"

struct hf_image_keep {
    const char *reason; /* CamelCase: why the list is not in place; or NULL */
    char message[384];
    bool present;
    struct hf_image_list list;
};

/* Writes <state>/images/allowed if the policies' signed list differs and may replace it, or the file is a day old or
 * damaged. */
void hf_image_keep(struct hf_image_keep *keep, const struct hf_agent_env *env, const struct hf_policy_set *set);

/* Whether the file belongs to `uid`, and its list (even an expired one) has the image. Threads: any. */
bool hf_image_keep_has(const char *path, uid_t uid, const char *digest);
