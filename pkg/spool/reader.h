/* SPDX-License-Identifier: Apache-2.0 */
/* Reads records in order from a snapshot of the segments, while the writer continues.
 *
 * Each record comes once; dropped, damaged or never durable ones leave gaps. Blocks. Threads: any, one at a time per
 * struct. The caller owns read->records and read->bytes. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "spool/losses.h"
#include "spool/store.h"

/* To start at a sequence, zero it and set `next`. */
struct hf_spool_place {
    uint64_t next;
    uint64_t segment; /* first sequence of the segment of `offset`; 0: unknown */
    uint64_t offset;
};

struct hf_spool_read {
    struct hf_spool_record *records; /* payloads point into `bytes` */
    size_t n, max;                   /* records read; length of `records` */
    struct hf_buf bytes;             /* bytes.max limits a read's payloads; 1 MiB fits any record */
    uint64_t next;                   /* where to continue; all below was read or is missing */
    uint64_t missing;                /* sequences without a record, or that the medium may not have given back */
    struct hf_spool_losses gaps;
    uint64_t skipped_bytes; /* bytes of damage */
    bool unreadable;        /* the medium did not give back some bytes: they are treated as damaged */
    bool gone;              /* a segment's file has disappeared */
};

/* From place->next on; moves *place. 0 also if there is nothing (read->n is 0). Skips segments whose file has
 * disappeared (read->gone). If none has and *read is not full, read->missing also has the sequences up to `durable`
 * without a record. Ends early rather than note more than HF_SPOOL_GAPS. */
HF_MUST_USE int hf_spool_read_records(const struct hf_fs_ops *fs, const char *dir,
                                      const struct hf_spool_extent *extents, size_t n_extents, uint64_t durable,
                                      struct hf_spool_place *place, struct hf_spool_read *read, struct hf_err *err);
