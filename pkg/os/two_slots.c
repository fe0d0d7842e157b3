/* SPDX-License-Identifier: Apache-2.0 */
/* A process first writes the record that it found once more, with its counter: an earlier one may have died before its
 * sync, or after a failed one. Then only the other slot is on the medium, and the next counter would overwrite it. */
#include "os/two_slots.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "os/file.h"

int hf_two_slots_read(const struct hf_fs_ops *fs, int fd, const struct hf_two_slots_format *format, unsigned char *slot,
                      uint64_t *ret_counter)
{
    unsigned char bytes[HF_TWO_SLOTS_MAX_BYTES];
    int r = 0;

    assert(format->bytes <= sizeof(bytes));
    *ret_counter = 0;
    for (unsigned i = 0; i < 2; i++) {
        ssize_t n = fs->pread(fs->ctx, fd, bytes, format->bytes, (uint64_t)i * HF_TWO_SLOTS_STRIDE);
        if (n < 0 && n != -EIO)
            return (int)n;
        r = n < 0 ? (int)n : r;
        uint64_t counter = n == (ssize_t)format->bytes ? format->counter(bytes) : 0;
        if (counter > *ret_counter) {
            memcpy(slot, bytes, format->bytes);
            *ret_counter = counter;
        }
    }
    return r;
}

int hf_two_slots_write(const struct hf_fs_ops *fs, int fd, const struct hf_two_slots_format *format,
                       const unsigned char *slot, uint64_t counter)
{
    uint64_t offset = ((counter - 1 + format->first_slot) & 1) * HF_TWO_SLOTS_STRIDE;

    int r = hf_file_write_all(fs, fd, slot, format->bytes, offset);

    return r < 0 ? r : fs->fdatasync(fs->ctx, fd);
}
