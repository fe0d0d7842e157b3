/* SPDX-License-Identifier: Apache-2.0 */
/* Goes through the records of a segment. Blocks. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "spool/record.h"

struct hf_spool_scan {
    const struct hf_fs_ops *fs;
    int fd; /* borrowed */
    uint32_t salt;
    uint64_t end;
    uint64_t offset; /* next record */
    uint64_t skipped_bytes;
    unsigned bad_places;
    struct hf_buf window;
    uint64_t window_at;
};

/* `offset`: where a record begins. */
void hf_spool_scan_init(struct hf_spool_scan *scan, const struct hf_fs_ops *fs, int fd, uint32_t salt, uint64_t offset,
                        uint64_t end);
void hf_spool_scan_done(struct hf_spool_scan *scan);

/* Returns 1 and the record at scan->offset, or at the next multiple of 512, valid until the next call; 0: no record. */
HF_MUST_USE int hf_spool_scan_next(struct hf_spool_scan *scan, struct hf_spool_record *ret, struct hf_err *err);

/* Moves to the next good record with a sequence above `above`, also over unreadable places. 1: done; 0: no such record;
 * -EIO: too many unreadable places. */
HF_MUST_USE int hf_spool_scan_resync(struct hf_spool_scan *scan, uint64_t above, struct hf_err *err);

/* How the last segment ends. */
struct hf_spool_tail {
    /* where its content ends */
    uint64_t at;
    uint64_t wipe_to;   /* end of the last record; if it is above `at`, a torn write is between */
    uint64_t begins_at; /* begin of the last write before `at`, or `at` */
    uint64_t payload;
    uint64_t kept; /* highest sequence before `at`, or the caller's `last` */
    uint64_t last; /* highest sequence, also of a torn write */
};

/* Finds where the content ends. Before, set tail->last to the segment's first sequence - 1. scan->bad_places is not 0
 * if a place was unreadable. */
HF_MUST_USE int hf_spool_scan_tail(struct hf_spool_scan *scan, struct hf_spool_tail *tail, struct hf_err *err);
