/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/delivery/border.h - the file with the first and last sequence of each planned batch of a lane.
 *
 * If the agent sends a batch again, even after a restart, the bytes and the idempotency key must be equal to those of
 * the first attempt. The same holds for the parts of a split batch. Therefore the outlet saves the border (first and
 * last sequence) of a batch before the first attempt. The list of borders is short and bounded, so each save writes the
 * whole list into one 512-byte slot of the file with one write and one sync. The saves alternate between the two slots
 * of the file; a load uses the valid slot with the higher counter (os/two_slots.h). hf_border_file_open() creates the
 * file at its full size, so that a save does not change the size.
 *
 *   slot, little endian: magic "HFB1" (4) | number of borders (4) | counter (8) | stream (16) |
 *   first, last (8 + 8) x 28 | bit set of the delivered batches (4) | zeros | CRC-32C of bytes 0..507 (4)
 *
 * Threads: any, but only one at a time for one file. hf_border_file_open() and hf_border_file_save() block;
 * hf_borders_format() and hf_borders_parse() are pure. Memory: a struct hf_border_file owns its path. Errors: functions
 * return 0 or -errno; *err says which step failed. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "spool/stream.h"

enum { HF_BORDER_MAX = 28, HF_BORDER_SLOT = 512 };

struct hf_border {
    uint64_t first, last; /* first and last sequence of a batch in the spool */
    /* True if the batch is delivered, although a batch with lower sequences is not. Several adjacent delivered batches
     * share one border. If a power cut loses this flag, the outlet sends the batch again. */
    bool done;
};

struct hf_borders {
    char stream[HF_SPOOL_STREAM_TEXT]; /* id of the spool's stream (spool/store.h) */
    size_t n;
    struct hf_border items[HF_BORDER_MAX]; /* the borders, in rising order of their sequences and without overlap */
};

/* Encodes the borders as a slot of the file, with `counter` as the slot's counter. */
void hf_borders_format(const struct hf_borders *borders, uint64_t counter, unsigned char slot[static HF_BORDER_SLOT]);
/* Parses a slot of the file. Returns -EBADMSG if the slot is not valid. */
HF_MUST_USE int hf_borders_parse(const unsigned char slot[static HF_BORDER_SLOT], struct hf_borders *ret_borders,
                                 uint64_t *ret_counter);

struct hf_border_file {
    const struct hf_fs_ops *fs;
    char *path;
    int fd;           /* descriptor of the file; -1 if the file is not open */
    uint64_t counter; /* counter of the slot that was saved last */
};

/* Opens or creates the file, and reads the most recently saved borders. Writes that slot once more, so that they are
 * durable even if the process that saved them was killed before its sync. For a new file, or if no slot is valid, sets
 * ret_borders->n to 0 and ret_borders->stream to "". If the medium does not give back a slot: -EIO if
 * `refuse_unreadable` is true; otherwise the slot counts as invalid. */
HF_MUST_USE int hf_border_file_open(const struct hf_fs_ops *fs, const char *path, bool refuse_unreadable,
                                    struct hf_border_file *ret_file, struct hf_borders *ret_borders,
                                    struct hf_err *err);
void hf_border_file_close(struct hf_border_file *file);
/* Saves the borders. Returns 0 when the borders are durable. Creates the file again if somebody removed it. After a
 * failure the file holds either the old or the new borders; a file that somebody removed may be missing or empty. */
HF_MUST_USE int hf_border_file_save(struct hf_border_file *file, const struct hf_borders *borders, struct hf_err *err);
