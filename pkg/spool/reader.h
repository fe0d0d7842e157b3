/* spool/reader.h - reading records in order from a snapshot of extents, beside the writer. Blocks.
 *
 * Each record is given once, in order of sequence; what was dropped, damaged or never became durable shows as a gap. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "spool/store.h"

/* Where reading stands. Zero it and set `next` to start or to go back. */
struct hf_spool_place {
    uint64_t next;    /* sequence wanted next */
    uint64_t segment; /* first sequence of the segment that offset is about; 0: not known */
    uint64_t offset;
};

struct hf_spool_read {
    struct hf_spool_record *records; /* payloads point into bytes */
    size_t n, max;                   /* max: the caller's array */
    struct hf_buf bytes;    /* bounds the payload bytes of one read; one record always fits when max >= 1 MiB */
    uint64_t next;          /* read on from here; what is before it is in records, or missing */
    uint64_t missing;       /* sequences that are in none of the segments read */
    uint64_t skipped_bytes; /* damage that was stepped over */
    bool gone;              /* a segment's file is not there */
};

/* Fill read->records from place->next on, moving the place. 0 also when there is nothing (n is 0 then). A segment that went
 * away meanwhile is passed over. All up to `durable` (inclusive) should be there: what is not found is missing. */
HF_MUST_USE int hf_spool_read_records(const struct hf_fs_ops *fs, const char *dir,
                                      const struct hf_spool_extent *extents, size_t n_extents, uint64_t durable,
                                      struct hf_spool_place *place, struct hf_spool_read *read, struct hf_err *err);
