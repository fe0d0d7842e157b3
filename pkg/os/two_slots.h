/* SPDX-License-Identifier: Apache-2.0 */
/* A small record that changes often and survives power cuts. Blocks. Threads: any, one at a time per file.
 *
 * Writes go to two slots in turn, with counter and checksum; the undamaged one with the higher counter is valid. Repeat
 * a failed write with its counter: then the other slot stays untouched. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/fs.h"
#include "base/macros.h"

enum { HF_TWO_SLOTS_MAX_BYTES = 512, HF_TWO_SLOTS_STRIDE = 4096 };

struct hf_two_slots_format {
    size_t bytes;                                   /* size of a slot, at most HF_TWO_SLOTS_MAX_BYTES (a sector) */
    unsigned first_slot;                            /* 0 or 1: the slot for counter 1 */
    uint64_t (*counter)(const unsigned char *slot); /* returns 0 for a slot that is damaged or empty */
};

/* Reads the valid slot. *ret_counter 0: no slot is valid. -EIO: a slot is unreadable, and the results are of the other
 * slot, if any. After other errors the results are undefined. */
HF_MUST_USE int hf_two_slots_read(const struct hf_fs_ops *fs, int fd, const struct hf_two_slots_format *format,
                                  unsigned char *slot, uint64_t *ret_counter);

/* Writes a slot, and syncs. `counter`: 1 at first, one more after each success; the counter read, to write that slot
 * again. */
HF_MUST_USE int hf_two_slots_write(const struct hf_fs_ops *fs, int fd, const struct hf_two_slots_format *format,
                                   const unsigned char *slot, uint64_t counter);
