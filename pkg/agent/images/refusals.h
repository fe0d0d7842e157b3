/* SPDX-License-Identifier: Apache-2.0 */
/* Collects the pulls that holdfast-verify refused (verifier/verify.h). Blocks briefly. */
#pragma once

#include "agent/env.h"

struct hf_image_refusals {
    unsigned n;
    char text[512];
};

/* Reads and removes the file in `folder`, and counts each refusal by its reason. */
void hf_image_refusals_take(const struct hf_agent_env *env, const char *folder, struct hf_image_refusals *ret);

/* Calls count() for each line; ignores malformed ones. Pure. */
void hf_image_refusals_sum(char *lines, void (*count)(void *arg, const char *verdict), void *arg,
                           struct hf_image_refusals *ret);
