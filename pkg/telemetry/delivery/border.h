/* telemetry/delivery/border.h - where the batches of a lane begin and end, on disk before they are first sent.
 *
 * A batch that may have left the node must be sent again as the same bytes under the same key, whatever happens in between; so must
 * its halves after it was split. The set is small and bounded: each save writes all of it into one 512-byte slot (one write, one
 * sync), the two slots of the file in turn, the one with the higher counter wins. The file is made with its size and zeros, so a
 * save changes no metadata.
 *
 *   slot, little endian: magic "HFB1" (4) | number of borders (4) | counter (8) | stream (16) | first, last (8 + 8) x 28 |
 *   bits: which are delivered (4) | zeros | CRC-32C of bytes 0..507 (4)
 *
 * Blocks; the owner decides on which thread. Pure: format, parse. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "spool/stream.h"

enum { HF_BORDER_MAX = 28, HF_BORDER_SLOT = 512 };

struct hf_border {
    uint64_t first, last; /* sequences, inclusive */
    bool done; /* delivered (several next to each other are one): waits for lower ones. Lost, it is only sent again */
};

struct hf_borders {
    char stream[HF_SPOOL_STREAM_TEXT]; /* of the spool that the sequences are of */
    size_t n;
    struct hf_border items[HF_BORDER_MAX]; /* rising, apart */
};

/* `borders` must be in order and apart. */
void hf_borders_format(const struct hf_borders *borders, uint64_t counter, unsigned char slot[static HF_BORDER_SLOT]);
/* -EBADMSG. */
HF_MUST_USE int hf_borders_parse(const unsigned char slot[static HF_BORDER_SLOT], struct hf_borders *ret_borders,
                                 uint64_t *ret_counter);

struct hf_border_file {
    const struct hf_fs_ops *fs;
    char *path;
    int fd; /* -1: not open */
    uint64_t counter;
};

/* Open, making it, and read what was saved last (nothing: n = 0, stream ""). */
HF_MUST_USE int hf_border_file_open(const struct hf_fs_ops *fs, const char *path, struct hf_border_file *ret_file,
                                    struct hf_borders *ret_borders, struct hf_err *err);
void hf_border_file_close(struct hf_border_file *file);
/* Durable when it returns 0; a file that was removed by somebody is made again. After a failure what was saved before still counts, or this. */
HF_MUST_USE int hf_border_file_save(struct hf_border_file *file, const struct hf_borders *borders, struct hf_err *err);
