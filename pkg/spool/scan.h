/* spool/scan.h - walking through the records of one segment file with a small window. Blocks. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "spool/record.h"

struct hf_spool_scan {
    const struct hf_fs_ops *fs;
    int fd; /* borrowed */
    uint32_t salt;
    uint64_t end;           /* look no further */
    uint64_t offset;        /* of the next record */
    uint64_t skipped_bytes; /* left out by resyncing */
    unsigned bad_places;    /* where the medium could not be read; stepped over by resyncing, up to a limit */
    struct hf_buf window;   /* file bytes from window_at on */
    uint64_t window_at;
};

/* Start at `offset` (a record's start). hf_spool_scan_done() frees the window; `fd` stays the caller's. */
void hf_spool_scan_init(struct hf_spool_scan *scan, const struct hf_fs_ops *fs, int fd, uint32_t salt, uint64_t offset,
                        uint64_t end);
void hf_spool_scan_done(struct hf_spool_scan *scan);

/* The record at the offset or, where none is, at the next multiple of 512; the offset moves behind it: 1; 0: there is none;
 * -errno. The payload lives until the next call. */
HF_MUST_USE int hf_spool_scan_next(struct hf_spool_scan *scan, struct hf_spool_record *ret, struct hf_err *err);

/* Move to the next place that is a whole record with a sequence above `above`: 1, or 0 when there is none up to the end. A place
 * that cannot be read (scan_next: -EIO) is damage like any other; many of them are a broken device: -EIO. */
HF_MUST_USE int hf_spool_scan_resync(struct hf_spool_scan *scan, uint64_t above, struct hf_err *err);

/* Where the content of the last segment ends. */
struct hf_spool_tail {
    uint64_t at;      /* content ends here */
    uint64_t wipe_to; /* records of a torn write lie up to here */
    uint64_t payload; /* bytes of it in the content */
    uint64_t last;    /* highest sequence seen, torn ones too; the caller's where there is none */
};

/* Go through the last segment. Where a record is missing, what is behind decides: a write that begins there was made after
 * everything before it had been synced, so it was damage, and content goes on; else the end of a torn write has been found. */
HF_MUST_USE int hf_spool_scan_tail(struct hf_spool_scan *scan, struct hf_spool_tail *tail, struct hf_err *err);
