/* SPDX-License-Identifier: Apache-2.0 */
/* Refusals by holdfast-verify (verifier/verify.h). Blocks, in memory. */
#pragma once

#include "agent/env.h"

struct hf_image_refusals {
    unsigned n;
    char text[512]; /* for an Event: how many, and the last */
};

/* Takes the file in `folder` away and sums it up; n 0: nothing. Counts each refusal by its reason. */
void hf_image_refusals_take(const struct hf_agent_env *env, const char *folder, struct hf_image_refusals *ret);

/* Lines of another form count as nothing. `count`: gets each line's verdict. Pure. */
void hf_image_refusals_sum(char *lines, void (*count)(void *arg, const char *verdict), void *arg,
                           struct hf_image_refusals *ret);
