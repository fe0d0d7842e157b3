/* spool/scan.h - walks through the records of one segment file with a small window of it in memory.
 *
 * Threads: any, one for each scan; it blocks. Errors: *err names the offset. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "spool/record.h"

struct hf_spool_scan {
    const struct hf_fs_ops *fs;
    int fd; /* borrowed */
    uint32_t salt;
    uint64_t end;           /* the scan stops here */
    uint64_t offset;        /* place of the next record */
    uint64_t skipped_bytes; /* bytes skipped to reach the next whole record */
    unsigned bad_places;    /* unreadable places skipped for that; limited */
    struct hf_buf window;   /* bytes of the file from window_at on */
    uint64_t window_at;
};

/* Starts at `offset`, where a record begins. hf_spool_scan_done() frees the window; the caller keeps `fd`. */
void hf_spool_scan_init(struct hf_spool_scan *scan, const struct hf_fs_ops *fs, int fd, uint32_t salt, uint64_t offset,
                        uint64_t end);
void hf_spool_scan_done(struct hf_spool_scan *scan);

/* Returns 1 and the record at the offset or, if there is none, at the next multiple of 512, and moves the offset behind
 * it; 0: no record there; -errno. The payload is valid until the next call. */
HF_MUST_USE int hf_spool_scan_next(struct hf_spool_scan *scan, struct hf_spool_record *ret, struct hf_err *err);

/* Moves to the next whole record with a sequence above `above`: 1, or 0 if there is none up to the end. Skips places
 * that the medium cannot read (hf_spool_scan_next: -EIO); too many of them mean a broken device: -EIO. */
HF_MUST_USE int hf_spool_scan_resync(struct hf_spool_scan *scan, uint64_t above, struct hf_err *err);

/* The end of the last segment's content. */
struct hf_spool_tail {
    uint64_t at;      /* offset at which the content ends */
    uint64_t wipe_to; /* records of a torn write lie between the end and this offset */
    uint64_t payload; /* payload bytes in the content */
    uint64_t last;    /* highest sequence seen, torn records included; the caller's value if there are none */
};

/* Finds the end of the last segment's content. Where a record is missing, the records behind decide: if a write begins
 * there, everything before it was synced, so the missing record was damaged and the content continues; if none begins,
 * the gap is the start of a torn write. */
HF_MUST_USE int hf_spool_scan_tail(struct hf_spool_scan *scan, struct hf_spool_tail *tail, struct hf_err *err);
