/* SPDX-License-Identifier: Apache-2.0 */
/* First and last sequence of each planned batch of a lane, on disk. A batch sent again, also after a restart, must have
 * the same bytes and idempotency key, so borders, also of parts, are saved before the first attempt. Format: border.c.
 * Threads: one at a time per file; open and save block. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "spool/stream.h"

enum { HF_BORDER_MAX = 28, HF_BORDER_SLOT = 512 };

struct hf_border {
    uint64_t first, last;
    /* Delivered before lower ones; neighbours share one. If a power cut loses it, it is sent again. */
    bool done;
};

struct hf_borders {
    char stream[HF_SPOOL_STREAM_TEXT];
    size_t n;
    struct hf_border items[HF_BORDER_MAX]; /* rising, without overlap */
};

void hf_borders_format(const struct hf_borders *borders, uint64_t counter, unsigned char slot[static HF_BORDER_SLOT]);
/* -EBADMSG. */
HF_MUST_USE int hf_borders_parse(const unsigned char slot[static HF_BORDER_SLOT], struct hf_borders *ret_borders,
                                 uint64_t *ret_counter);

struct hf_border_file {
    const struct hf_fs_ops *fs;
    char *path;
    int fd;
    uint64_t counter; /* of the last saved slot */
};

/* Reads the borders saved last, and writes that slot again: an earlier process may have died before the sync. No valid
 * slot: n 0, stream "". An unreadable slot: -EIO with `refuse_unreadable`, else invalid. */
HF_MUST_USE int hf_border_file_open(const struct hf_fs_ops *fs, const char *path, bool refuse_unreadable,
                                    struct hf_border_file *ret_file, struct hf_borders *ret_borders,
                                    struct hf_err *err);
void hf_border_file_close(struct hf_border_file *file);
/* Durable; makes a removed file again. After a failure the old or the new borders are there; if the file was removed,
 * maybe none. */
HF_MUST_USE int hf_border_file_save(struct hf_border_file *file, const struct hf_borders *borders, struct hf_err *err);
