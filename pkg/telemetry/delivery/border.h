/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the first and last sequence of each planned batch of a lane (not of `seed`) on disk, before the first attempt:
 * a batch sent again, even after a restart, must have the same bytes and idempotency key. Format: border.c. Opening and
 * saving block; one thread at a time per file. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "spool/stream.h"

enum { HF_BORDER_MAX = 28, HF_BORDER_SLOT = 512 };

struct hf_border {
    uint64_t first, last;
    /* The batch is done, an older one maybe not. Adjacent done batches share one border. */
    bool done;
};

struct hf_borders {
    char stream[HF_SPOOL_STREAM_TEXT];
    size_t n;
    struct hf_border items[HF_BORDER_MAX]; /* rising, without overlap */
};

void hf_borders_format(const struct hf_borders *borders, uint64_t counter, unsigned char slot[static HF_BORDER_SLOT]);
/* -EBADMSG: not a valid slot. */
HF_MUST_USE int hf_borders_parse(const unsigned char slot[static HF_BORDER_SLOT], struct hf_borders *ret_borders,
                                 uint64_t *ret_counter);

struct hf_border_file {
    const struct hf_fs_ops *fs;
    char *path;
    int fd;
    uint64_t counter;
};

/* Opens or creates the file and reads the borders saved last (none: n 0, stream ""); writes them again, because an
 * earlier process may have died before the sync. With `refuse_unreadable` an unreadable slot is -EIO. */
HF_MUST_USE int hf_border_file_open(const struct hf_fs_ops *fs, const char *path, bool refuse_unreadable,
                                    struct hf_border_file *ret_file, struct hf_borders *ret_borders,
                                    struct hf_err *err);
void hf_border_file_close(struct hf_border_file *file);
/* Saves the borders durably, in a new file if somebody removed it. */
HF_MUST_USE int hf_border_file_save(struct hf_border_file *file, const struct hf_borders *borders, struct hf_err *err);
