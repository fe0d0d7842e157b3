/* spool/reader.h - reads records in order from a snapshot of the segments, while the writer continues.
 *
 * Each record comes once, in order of sequence. Dropped, damaged or never durable records show as gaps. Threads: any,
 * one for each hf_spool_read; it blocks. Memory: the caller owns read->records and read->bytes. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "spool/store.h"

/* The reader's position. To start, or to go back, zero it and set `next`. */
struct hf_spool_place {
    uint64_t next;    /* sequence to read next */
    uint64_t segment; /* first sequence of the segment that `offset` belongs to; 0: unknown */
    uint64_t offset;
};

struct hf_spool_read {
    struct hf_spool_record *records; /* payloads point into `bytes` */
    size_t n, max;                   /* max: length of the caller's array */
    struct hf_buf bytes;    /* its maximum limits the payload bytes of one read; 1 MiB always holds one record */
    uint64_t next;          /* sequence at which to continue: everything before it is in `records` or missing */
    uint64_t missing;       /* sequences that no segment held */
    uint64_t skipped_bytes; /* bytes of damage that the reader skipped */
    bool gone;              /* true: the file of a segment is missing */
};

/* Fills read->records from place->next on and moves the place. Returns 0 also if there is nothing to read (n is 0
 * then). Skips a segment whose file disappeared meanwhile. Records up to `durable` (inclusive) should exist: those that
 * it does not find count as missing. */
HF_MUST_USE int hf_spool_read_records(const struct hf_fs_ops *fs, const char *dir,
                                      const struct hf_spool_extent *extents, size_t n_extents, uint64_t durable,
                                      struct hf_spool_place *place, struct hf_spool_read *read, struct hf_err *err);
