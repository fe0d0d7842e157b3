/* os/two_slots.h - a small record that is overwritten often and survives a power cut in the middle of a write.
 *
 * The file has two slots, HF_TWO_SLOTS_STRIDE bytes apart, and the caller writes them in turn. Each slot carries a
 * counter and a checksum; the whole slot with the higher counter is the record. A write touches one slot only, so
 * the other one is still whole if the write fails; the caller then tries again with the same counter, which is the
 * same slot.
 *
 * The caller owns the descriptor and the format of a slot. Threads: any, one at a time for each file. No memory.
 * Blocks. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/fs.h"
#include "base/macros.h"

enum { HF_TWO_SLOTS_MAX_BYTES = 512, HF_TWO_SLOTS_STRIDE = 4096 };

struct hf_two_slots_format {
    size_t bytes;        /* bytes of a slot, at most HF_TWO_SLOTS_MAX_BYTES: one sector */
    unsigned first_slot; /* the slot, 0 or 1, that holds counter 1 */
    /* Returns the counter of a whole slot, 0 if the slot is damaged or was never written. */
    uint64_t (*counter)(const unsigned char *slot);
};

/* Read the record into slot[format->bytes]. *ret_counter is 0 if neither slot is whole; `slot` is then undefined.
 * -EIO: the medium could not read a slot; the record is the other one, if whole. Other errors leave both outputs
 * undefined. */
HF_MUST_USE int hf_two_slots_read(const struct hf_fs_ops *fs, int fd, const struct hf_two_slots_format *format,
                                  unsigned char *slot, uint64_t *ret_counter);

/* Write slot[format->bytes], which carries `counter` (one more than the last counter that was written), and sync the
 * data. */
HF_MUST_USE int hf_two_slots_write(const struct hf_fs_ops *fs, int fd, const struct hf_two_slots_format *format,
                                   const unsigned char *slot, uint64_t counter);
