/* SPDX-License-Identifier: Apache-2.0 */
/* Walks through one segment's records with a small window of the file. Blocks. Threads: any, one at a time per scan.
 * *err names the offset. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "spool/record.h"

struct hf_spool_scan {
    const struct hf_fs_ops *fs;
    int fd; /* borrowed */
    uint32_t salt;
    uint64_t end;    /* where it stops */
    uint64_t offset; /* the next record */
    uint64_t skipped_bytes;
    unsigned bad_places;  /* unreadable places skipped, at most 64 */
    struct hf_buf window; /* from window_at */
    uint64_t window_at;
};

/* `offset`: where a record begins. The caller keeps `fd`. */
void hf_spool_scan_init(struct hf_spool_scan *scan, const struct hf_fs_ops *fs, int fd, uint32_t salt, uint64_t offset,
                        uint64_t end);
void hf_spool_scan_done(struct hf_spool_scan *scan);

/* 1: the record at scan->offset, or else at the next multiple of 512; its payload is valid until the next call. 0: none
 * at either. */
HF_MUST_USE int hf_spool_scan_next(struct hf_spool_scan *scan, struct hf_spool_record *ret, struct hf_err *err);

/* Moves to the next undamaged record above `above`: 1, or 0 (scan->offset unchanged). Skips unreadable places, also
 * after -EIO of hf_spool_scan_next(); -EIO at the 65th: the device is broken. */
HF_MUST_USE int hf_spool_scan_resync(struct hf_spool_scan *scan, uint64_t above, struct hf_err *err);

/* Where the last segment's content ends. */
struct hf_spool_tail {
    uint64_t at;
    uint64_t wipe_to;   /* end of the last found record; above `at`: a torn write lies between */
    uint64_t begins_at; /* first record of the last write before `at`, or `at` */
    uint64_t payload;
    uint64_t kept; /* the caller's `last` or the highest sequence before `at` */
    uint64_t last; /* the same, also of a torn write's records */
};

/* Set tail->last first. scan->bad_places is not 0 if a place was unreadable, even once. */
HF_MUST_USE int hf_spool_scan_tail(struct hf_spool_scan *scan, struct hf_spool_tail *tail, struct hf_err *err);
