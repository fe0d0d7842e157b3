/* SPDX-License-Identifier: Apache-2.0 */
/* A small record that changes often and survives power cuts. Blocks; allocates nothing. Threads: any, one at a time per
 * file.
 *
 * Two slots, with counter and checksum, are written in turn; the undamaged one with the higher counter counts. Repeat a
 * failed write with its counter: the other slot stays. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/fs.h"
#include "base/macros.h"

enum { HF_TWO_SLOTS_MAX_BYTES = 512, HF_TWO_SLOTS_STRIDE = 4096 };

struct hf_two_slots_format {
    size_t bytes;                                   /* a slot's, HF_TWO_SLOTS_MAX_BYTES at most (a sector) */
    unsigned first_slot;                            /* 0 or 1, of counter 1 */
    uint64_t (*counter)(const unsigned char *slot); /* 0: damaged, or empty */
};

/* ret_counter 0: both damaged or empty. -EIO: one is unreadable; the other, if good, is returned, else 0. Others: both
 * undefined. */
HF_MUST_USE int hf_two_slots_read(const struct hf_fs_ops *fs, int fd, const struct hf_two_slots_format *format,
                                  unsigned char *slot, uint64_t *ret_counter);

/* Syncs. `counter`, in the slot: from 1, plus one after each success, or the one read. */
HF_MUST_USE int hf_two_slots_write(const struct hf_fs_ops *fs, int fd, const struct hf_two_slots_format *format,
                                   const unsigned char *slot, uint64_t counter);
