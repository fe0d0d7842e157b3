/* SPDX-License-Identifier: Apache-2.0 */
/* For "did you mean 'x'?". Pure. */
#pragma once

enum { HF_NEAREST_MAX = 63 };

/* Set `typed`, zero the others, then try each candidate. `best` stays NULL if no candidate (up to
 * HF_NEAREST_MAX bytes) is near: the edits (insert, delete or replace a byte, swap two neighbours) are at most a third
 * of the length of `typed`, rounded up. */
struct hf_nearest {
    const char *typed;
    const char *best;
    unsigned distance;
};
void hf_nearest_try(struct hf_nearest *nearest, const char *candidate);
