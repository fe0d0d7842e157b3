/* SPDX-License-Identifier: Apache-2.0 */
/* A segment's records, by a small window of the file. Blocks. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "spool/record.h"

struct hf_spool_scan {
    const struct hf_fs_ops *fs;
    int fd; /* borrowed */
    uint32_t salt;
    uint64_t end;    /* stops here */
    uint64_t offset; /* next record */
    uint64_t skipped_bytes;
    unsigned bad_places;  /* unreadable places skipped, 64 at most */
    struct hf_buf window; /* from window_at */
    uint64_t window_at;
};

/* `offset`: a record's begin. Borrows `fd`. */
void hf_spool_scan_init(struct hf_spool_scan *scan, const struct hf_fs_ops *fs, int fd, uint32_t salt, uint64_t offset,
                        uint64_t end);
void hf_spool_scan_done(struct hf_spool_scan *scan);

/* 1: the record at scan->offset, or at the next multiple of 512; payload until the next call. 0: at neither. */
HF_MUST_USE int hf_spool_scan_next(struct hf_spool_scan *scan, struct hf_spool_record *ret, struct hf_err *err);

/* To the next good record above `above`: 1, or 0 (scan->offset unchanged). Skips unreadable places, also after
 * hf_spool_scan_next()'s -EIO; -EIO at the 65th: a broken device. */
HF_MUST_USE int hf_spool_scan_resync(struct hf_spool_scan *scan, uint64_t above, struct hf_err *err);

/* Where the last segment ends. */
struct hf_spool_tail {
    uint64_t at;
    uint64_t wipe_to;   /* end of the last record found; above `at`: a torn write between */
    uint64_t begins_at; /* first record of the last write before `at`, or `at` */
    uint64_t payload;
    uint64_t kept; /* caller's `last`, or the highest sequence before `at` */
    uint64_t last; /* highest sequence, a torn write's records included */
};

/* Set tail->last before. scan->bad_places: not 0 if a place was ever unreadable. */
HF_MUST_USE int hf_spool_scan_tail(struct hf_spool_scan *scan, struct hf_spool_tail *tail, struct hf_err *err);
