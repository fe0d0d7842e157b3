/* SPDX-License-Identifier: Apache-2.0 */
/* Inspects the folder of a spool, also a running agent's, without changing a byte. Blocks; any thread. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "spool/record.h"
#include "spool/stream.h"

struct hf_spool_found {
    char stream[HF_SPOOL_STREAM_TEXT]; /* "": the file `stream` is missing or damaged */
    bool cursor_found;
    struct hf_spool_cursor cursor;
    uint64_t segments, bytes;                /* only segments with a readable header */
    uint64_t records, waiting;               /* waiting: those above the cursor */
    uint64_t first, last;                    /* sequences; 0: no records */
    uint64_t oldest_unix_ns, newest_unix_ns; /* times of the waiting records */
    /* From here to newest_gone: signs of damage. */
    uint64_t missing;
    uint64_t skipped_bytes;
    /* segments without a readable header; segments whose header is readable only at the end */
    uint64_t headers_lost, headers_mended;
    uint64_t set_aside;
    bool newest_gone; /* the newest segment ever begun is missing */
    /* Left by an interrupted write, which is no damage. */
    uint64_t torn_bytes;
};

bool hf_spool_detect(const struct hf_fs_ops *fs, const char *dir);

/* Visits the readable records in order. `visit` may be NULL; its negative result ends the look and is returned.
 * -ENOENT: no spool. */
HF_MUST_USE int hf_spool_look(const struct hf_fs_ops *fs, const char *dir,
                              int (*visit)(void *arg, const struct hf_spool_record *record, bool waiting), void *arg,
                              struct hf_spool_found *ret_found, struct hf_err *err);

/* Calls `each` with the newest max_records of the newest segment, in order, delivered or not. If these are fewer than
 * `enough`, the last records of earlier segments come before. -EIO: something was unreadable; `each` lacks the
 * rest of its segment. */
HF_MUST_USE int hf_spool_recent(const struct hf_fs_ops *fs, const char *dir, size_t max_records, size_t enough,
                                void (*each)(void *arg, struct hf_view payload), void *arg);

bool hf_spool_is_damaged(const struct hf_spool_found *found);
