/* SPDX-License-Identifier: Apache-2.0 */
/* spool/losses.h - counts each record that the disk has lost once, although several reads may meet the same gap in the
 * sequences.
 *
 * Pure. Threads: one at a time. Memory: struct hf_spool_losses is a plain value; one that is zeroed knows no gap. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HF_SPOOL_GAPS = 64 };

/* Sequences from `from` up to (not including) `to` for which no record exists. */
struct hf_spool_gap {
    uint64_t from, to;
    bool counted;
};

struct hf_spool_losses {
    struct hf_spool_gap gaps[HF_SPOOL_GAPS]; /* they do not overlap */
    size_t n;
    uint64_t early; /* records of gaps that gave their place to others before they were counted */
};

/* Remembers the part of the gap that no earlier gap covers. If there are too many gaps, forgets the oldest one: a later
 * read that meets it again counts it again. */
void hf_spool_losses_add(struct hf_spool_losses *losses, uint64_t from, uint64_t to);

/* Returns the number of lost records that no earlier call returned, and forgets gaps up to `delivered`: a gap that the
 * cursor passed before it was counted is no loss, because the store dropped these records and has counted them. */
uint64_t hf_spool_losses_count(struct hf_spool_losses *losses, uint64_t delivered);

/* Returns the number of counted records with sequences above `after`, up to `until` (inclusive). */
uint64_t hf_spool_losses_counted(const struct hf_spool_losses *losses, uint64_t after, uint64_t until);
