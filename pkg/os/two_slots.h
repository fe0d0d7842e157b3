/* SPDX-License-Identifier: Apache-2.0 */
/* os/two_slots.h - reads and writes a small record that changes often and survives a power cut during a write.
 *
 * The file has two slots, HF_TWO_SLOTS_STRIDE bytes apart, and the caller writes to them in turn. Each slot carries a
 * counter and a checksum. Among the undamaged slots, the slot with the higher counter holds the record. A write changes
 * one slot only, so a failed write leaves the other slot undamaged. After a failed write, the caller repeats the write
 * with the same counter, which selects the same slot.
 *
 * A process that finds a record writes it once more, with the counter that it carries, before it relies on it. The
 * process before may have been killed before its sync, or after one that failed; the other slot is then the only one on
 * the medium, and a write with the next counter would go there.
 *
 * The caller owns the descriptor and the format of a slot. Threads: any, but only one at a time for each file. The
 * functions block, and allocate no memory. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/fs.h"
#include "base/macros.h"

enum { HF_TWO_SLOTS_MAX_BYTES = 512, HF_TWO_SLOTS_STRIDE = 4096 };

struct hf_two_slots_format {
    size_t bytes;        /* size of a slot in bytes, at most HF_TWO_SLOTS_MAX_BYTES (one sector) */
    unsigned first_slot; /* slot (0 or 1) that the first write uses; the counter of the first write is 1 */
    /* Returns the counter of a slot, or 0 if the slot is damaged or was never written. */
    uint64_t (*counter)(const unsigned char *slot);
};

/* Reads the record into slot[format->bytes]. *ret_counter is 0 if both slots are damaged or empty; the content of
 * `slot` is then undefined. -EIO: at least one slot is unreadable. If the other slot is undamaged, both outputs then
 * come from it; otherwise *ret_counter is 0. Other errors leave both outputs undefined. */
HF_MUST_USE int hf_two_slots_read(const struct hf_fs_ops *fs, int fd, const struct hf_two_slots_format *format,
                                  unsigned char *slot, uint64_t *ret_counter);

/* Writes slot[format->bytes] into the file, and syncs the file's data. `counter` is the counter that the slot carries:
 * 1 for the first write, then one more for each write that follows a successful write; or the counter of
 * hf_two_slots_read(), to write once more what it found. */
HF_MUST_USE int hf_two_slots_write(const struct hf_fs_ops *fs, int fd, const struct hf_two_slots_format *format,
                                   const unsigned char *slot, uint64_t counter);
