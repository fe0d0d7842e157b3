/* SPDX-License-Identifier: Apache-2.0 */
/* A small record that changes often and survives a power cut during a write. Blocks; allocates nothing. Threads: any,
 * one at a time for one file.
 *
 * Two slots, with counter and checksum, are written in turn; the undamaged one with the higher counter is the record.
 * Repeat a failed write with its counter: the other slot stays. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/fs.h"
#include "base/macros.h"

enum { HF_TWO_SLOTS_MAX_BYTES = 512, HF_TWO_SLOTS_STRIDE = 4096 };

struct hf_two_slots_format {
    size_t bytes;                                   /* a slot's, at most HF_TWO_SLOTS_MAX_BYTES (one sector) */
    unsigned first_slot;                            /* 0 or 1, for counter 1 */
    uint64_t (*counter)(const unsigned char *slot); /* 0: damaged, or never written */
};

/* *ret_counter 0: both damaged or empty. -EIO: one is unreadable; the other, if good, is returned, else 0. Other
 * errors: both undefined. */
HF_MUST_USE int hf_two_slots_read(const struct hf_fs_ops *fs, int fd, const struct hf_two_slots_format *format,
                                  unsigned char *slot, uint64_t *ret_counter);

/* Syncs the data. `counter` is in the slot: from 1, one more after each success, or the one read. */
HF_MUST_USE int hf_two_slots_write(const struct hf_fs_ops *fs, int fd, const struct hf_two_slots_format *format,
                                   const unsigned char *slot, uint64_t counter);
