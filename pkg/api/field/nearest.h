/* SPDX-License-Identifier: Apache-2.0 */
/* api/field/nearest.h - finds the name that somebody probably meant, for messages such as "did you mean 'x'?". Pure;
 * any thread. */
#pragma once

enum { HF_NEAREST_MAX = 63 }; /* maximum length of a name in bytes; a longer name never counts as near */

/* Finds the candidate nearest to `typed` by the number of edits (a byte inserted, deleted or replaced, or two
 * neighboring bytes swapped). This number may be at most a third of the length of `typed`, rounded up. Set `typed`, set
 * the other fields to zero, and call hf_nearest_try() for each candidate. `best` stays NULL if no candidate is near
 * enough. */
struct hf_nearest {
    const char *typed;
    const char *best;
    unsigned distance;
};
void hf_nearest_try(struct hf_nearest *nearest, const char *candidate);
