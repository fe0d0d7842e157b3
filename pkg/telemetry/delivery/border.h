/* telemetry/delivery/border.h - the file with the first and last sequence of each planned batch of a lane.
 *
 * A batch that may have left the node must go again as the same bytes under the same key, even after a restart; so
 * must the halves of a split batch. So the borders are on disk before a batch is first sent. The set is small and
 * bounded: each save writes all of it into one 512-byte slot with one write and one sync. The two slots of the file
 * take turns, and the valid one with the higher counter wins (os/two_slots.h). hf_border_file_open() creates the file
 * at its full size, so a save changes no metadata.
 *
 *   slot, little endian: magic "HFB1" (4) | number of borders (4) | counter (8) | stream (16) |
 *   first, last (8 + 8) x 28 | bit set of the delivered ones (4) | zeros | CRC-32C of bytes 0..507 (4)
 *
 * Threads: one user of a file at a time; opening and saving block. hf_borders_format() and hf_borders_parse() are
 * pure. Memory: the file object owns its path.  Errors: 0 or -errno; *err names the file. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "spool/stream.h"

enum { HF_BORDER_MAX = 28, HF_BORDER_SLOT = 512 };

struct hf_border {
    uint64_t first, last; /* sequences, inclusive */
    /* Delivered, but lower batches are not; several adjacent ones are one border. If this is lost, the batch is sent
     * again. */
    bool done;
};

struct hf_borders {
    char stream[HF_SPOOL_STREAM_TEXT]; /* id of the spool's stream */
    size_t n;
    struct hf_border items[HF_BORDER_MAX]; /* rising, without overlap */
};

/* `borders` must rise and not overlap. */
void hf_borders_format(const struct hf_borders *borders, uint64_t counter, unsigned char slot[static HF_BORDER_SLOT]);
/* Parses a slot. -EBADMSG: the slot is not valid. */
HF_MUST_USE int hf_borders_parse(const unsigned char slot[static HF_BORDER_SLOT], struct hf_borders *ret_borders,
                                 uint64_t *ret_counter);

struct hf_border_file {
    const struct hf_fs_ops *fs;
    char *path;
    int fd; /* -1: not open */
    uint64_t counter;
};

/* Opens or creates the file and reads the last saved borders; a new file gives n = 0 and stream "". */
HF_MUST_USE int hf_border_file_open(const struct hf_fs_ops *fs, const char *path, struct hf_border_file *ret_file,
                                    struct hf_borders *ret_borders, struct hf_err *err);
void hf_border_file_close(struct hf_border_file *file);
/* Saves the borders; a return of 0 means that they are durable. Creates the file again if somebody removed it. After
 * a failure the file holds the old borders or the new ones. */
HF_MUST_USE int hf_border_file_save(struct hf_border_file *file, const struct hf_borders *borders, struct hf_err *err);
