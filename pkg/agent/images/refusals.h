/* SPDX-License-Identifier: Apache-2.0 */
/* agent/images/refusals.h - what holdfast-verify has refused (verifier/verify.h). Blocks, in memory. */
#pragma once

#include "agent/env.h"

struct hf_image_refusals {
    unsigned n;
    char text[512]; /* for an Event: how many, and the last one */
};

/* Takes the file in `folder` away and sums it up; n 0: there was none, or nothing in it. Counts each by its reason. */
void hf_image_refusals_take(const struct hf_agent_env *env, const char *folder, struct hf_image_refusals *ret);

/* Sums up lines; those of another form count as nothing. `count`: of each line, its verdict. Pure. */
void hf_image_refusals_sum(char *lines, void (*count)(void *arg, const char *verdict), void *arg,
                           struct hf_image_refusals *ret);
