/* SPDX-License-Identifier: Apache-2.0 */
/* Inspects a spool's folder (of a dead node, a copy, a running agent) without changing a byte. Blocks; any thread. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "spool/record.h"
#include "spool/stream.h"

struct hf_spool_found {
    char stream[HF_SPOOL_STREAM_TEXT]; /* "": file `stream` missing or damaged */
    bool cursor_found;
    struct hf_spool_cursor cursor;
    uint64_t segments, bytes;                /* readable headers; no spares */
    uint64_t records, waiting;               /* waiting: above the cursor */
    uint64_t first, last;                    /* 0: no records */
    uint64_t oldest_unix_ns, newest_unix_ns; /* above the cursor */
    /* To newest_gone: signs of damage. */
    uint64_t missing; /* sequences above the cursor that no segment holds */
    uint64_t skipped_bytes;
    uint64_t headers_lost, headers_mended; /* no copy readable; only the one at the end */
    uint64_t set_aside;                    /* damaged segments that an agent renamed and kept */
    bool newest_gone;                      /* the newest segment ever begun */
    /* A write that a power cut or kill interrupted: no damage. */
    uint64_t torn_bytes;
};

bool hf_spool_detect(const struct hf_fs_ops *fs, const char *dir);

/* In order. `visit` may be NULL; its negative result is returned at once. `waiting`: above the cursor. -ENOENT: no
 * spool. */
HF_MUST_USE int hf_spool_look(const struct hf_fs_ops *fs, const char *dir,
                              int (*visit)(void *arg, const struct hf_spool_record *record, bool waiting), void *arg,
                              struct hf_spool_found *ret_found, struct hf_err *err);

/* The newest segment's newest max_records, in order, delivered or not; if fewer than `enough`, after the last ones of
 * earlier segments. 0 also without segments. -errno: folder or newest segment unreadable; -EIO: a part is unreadable,
 * `each` gets the others. */
HF_MUST_USE int hf_spool_recent(const struct hf_fs_ops *fs, const char *dir, size_t max_records, size_t enough,
                                void (*each)(void *arg, struct hf_view payload), void *arg);

bool hf_spool_is_damaged(const struct hf_spool_found *found);
