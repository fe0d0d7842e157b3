/* os/two_slots.h - reads and writes a small record that changes often and survives a power cut during a write.
 *
 * The file has two slots, HF_TWO_SLOTS_STRIDE bytes apart, and the caller writes them in turn. Each slot carries a
 * counter and a checksum; the undamaged slot with the higher counter is the record. A write changes one slot only, so a
 * failed write leaves the other slot undamaged. After a failed write, the caller repeats the write with the same
 * counter, which selects the same slot.
 *
 * The caller owns the descriptor and the format of a slot. Threads: any, one at a time for each file. Allocates no
 * memory. Blocks. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/fs.h"
#include "base/macros.h"

enum { HF_TWO_SLOTS_MAX_BYTES = 512, HF_TWO_SLOTS_STRIDE = 4096 };

struct hf_two_slots_format {
    size_t bytes;        /* bytes of a slot, at most HF_TWO_SLOTS_MAX_BYTES (one sector) */
    unsigned first_slot; /* the slot, 0 or 1, that holds counter 1 */
    /* Returns the counter of a slot, or 0 if the slot is damaged or was never written. */
    uint64_t (*counter)(const unsigned char *slot);
};

/* Reads the record into slot[format->bytes]. *ret_counter is 0 if both slots are damaged or empty; the content of
 * `slot` is then undefined. -EIO: at least one slot is unreadable. The outputs are set nevertheless: the record comes
 * from the other slot if the other slot is undamaged, otherwise *ret_counter is 0. Other errors leave both outputs
 * undefined. */
HF_MUST_USE int hf_two_slots_read(const struct hf_fs_ops *fs, int fd, const struct hf_two_slots_format *format,
                                  unsigned char *slot, uint64_t *ret_counter);

/* Writes slot[format->bytes] and syncs the file's data. The slot carries `counter`, which is the counter of the
 * previous write plus one. */
HF_MUST_USE int hf_two_slots_write(const struct hf_fs_ops *fs, int fd, const struct hf_two_slots_format *format,
                                   const unsigned char *slot, uint64_t counter);
