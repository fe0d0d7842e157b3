/* SPDX-License-Identifier: Apache-2.0 */
/* Counts records that the disk lost, though reads may meet a gap repeatedly. Zero the struct first. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HF_SPOOL_GAPS = 64 };

struct hf_spool_gap {
    uint64_t from, to;
    bool counted;
};

struct hf_spool_losses {
    struct hf_spool_gap gaps[HF_SPOOL_GAPS];
    size_t n;
    uint64_t early; /* lost records of forgotten gaps, not returned yet */
};

/* Adds the part of [from, to) that earlier gaps do not cover. If there are too many gaps, the oldest is forgotten, and
 * may be counted again. */
void hf_spool_losses_add(struct hf_spool_losses *losses, uint64_t from, uint64_t to);

/* Returns how many records are lost, without those returned before; of gaps not forgotten, only those above
 * `delivered`. Forgets gaps up to `delivered`. */
uint64_t hf_spool_losses_count(struct hf_spool_losses *losses, uint64_t delivered);

uint64_t hf_spool_losses_counted(const struct hf_spool_losses *losses, uint64_t after, uint64_t until);
