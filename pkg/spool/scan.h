/* SPDX-License-Identifier: Apache-2.0 */
/* spool/scan.h - walks through the records of one segment file and keeps only a small window of the file in memory.
 *
 * Threads: any thread, but only one at a time for each scan; the functions block. Errors: *err names the offset. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "spool/record.h"

struct hf_spool_scan {
    const struct hf_fs_ops *fs;
    int fd; /* the segment file; borrowed */
    uint32_t salt;
    uint64_t end;           /* offset at which the scan stops */
    uint64_t offset;        /* offset of the next record */
    uint64_t skipped_bytes; /* bytes skipped to reach the next whole record */
    unsigned bad_places;    /* number of unreadable places that the scan skipped, at most 64 */
    struct hf_buf window;   /* a part of the file, which begins at offset window_at */
    uint64_t window_at;
};

/* Starts a scan at `offset`, where a record begins. hf_spool_scan_done() frees the window; the caller keeps `fd`. */
void hf_spool_scan_init(struct hf_spool_scan *scan, const struct hf_fs_ops *fs, int fd, uint32_t salt, uint64_t offset,
                        uint64_t end);
void hf_spool_scan_done(struct hf_spool_scan *scan);

/* Looks for a record at scan->offset and, if none is there, at the next offset that is a multiple of 512. If it finds a
 * record, stores the record in *ret, moves scan->offset past the record and returns 1. The payload is valid until the
 * next call. Returns 0 if no record is at either place, or -errno. */
HF_MUST_USE int hf_spool_scan_next(struct hf_spool_scan *scan, struct hf_spool_record *ret, struct hf_err *err);

/* Moves scan->offset to the next undamaged record with a sequence above `above`. Returns 1 if there is such a record, 0
 * if not (scan->offset is then unchanged), or -errno. Call this function also after hf_spool_scan_next() has returned
 * -EIO, because this function skips unreadable places. It returns -EIO only at the 65th unreadable place of a scan: the
 * device is then broken. */
HF_MUST_USE int hf_spool_scan_resync(struct hf_spool_scan *scan, uint64_t above, struct hf_err *err);

/* Describes the end of the last segment's content. */
struct hf_spool_tail {
    uint64_t at; /* offset at which the content ends */
    /* offset at which the last found record ends; if this is above `at`, a torn write lies between `at` and this
     * offset */
    uint64_t wipe_to;
    uint64_t begins_at; /* offset of the first record of the last write before `at`; equal to `at` if there is none */
    uint64_t payload;   /* payload bytes of the records before `at` */
    uint64_t kept;      /* the higher of the caller's value of `last` and the highest sequence before `at` */
    /* the higher of the caller's value and the highest sequence found; the sequences of a torn write's records count
     * too */
    uint64_t last;
};

/* Finds the end of the last segment's content. At a gap without a readable record, the records after the gap decide. If
 * one of these records is the first record of a write, the writer had synced everything before that write. The gap is
 * then damage, and the content continues after the gap. Otherwise a torn write begins at the gap, and the content ends
 * at the gap. Set tail->last before the call. If the medium did not give back some place, even only once,
 * scan->bad_places is not 0 afterwards. Returns 0 or -errno. */
HF_MUST_USE int hf_spool_scan_tail(struct hf_spool_scan *scan, struct hf_spool_tail *tail, struct hf_err *err);
