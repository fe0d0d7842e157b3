/* SPDX-License-Identifier: Apache-2.0 */
/* "did you mean 'x'?" Pure. */
#pragma once

enum { HF_NEAREST_MAX = 63 }; /* bytes; longer names are never near */

/* Set `typed` and zeros, then try each candidate. Near: at most a third of the length in edits (a byte inserted,
 * deleted or replaced, two neighbors swapped). `best` may stay NULL. */
struct hf_nearest {
    const char *typed;
    const char *best;
    unsigned distance;
};
void hf_nearest_try(struct hf_nearest *nearest, const char *candidate);
