/* SPDX-License-Identifier: Apache-2.0 */
/* Reads records in order from a snapshot of the segments, while the writer continues. Records that were dropped,
 * damaged or never durable may leave gaps. Blocks. The caller owns read->records and read->bytes. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "spool/losses.h"
#include "spool/store.h"

/* Where to read. To start at a sequence, zero the struct and set `next`. */
struct hf_spool_place {
    uint64_t next;
    uint64_t segment; /* first sequence of `offset`'s segment */
    uint64_t offset;
};

struct hf_spool_read {
    struct hf_spool_record *records; /* their payloads are in `bytes` */
    size_t n, max;
    struct hf_buf bytes; /* bytes.max limits the payloads */
    uint64_t next;       /* everything below was read or is missing */
    uint64_t missing;
    struct hf_spool_losses gaps;
    bool unreadable; /* some bytes were unreadable, and count as damage */
    bool gone;       /* a segment's file disappeared; it was skipped */
};

/* Reads from place->next on, and moves *place. 0 also if nothing is left (read->n 0). Unless files disappeared or *read
 * is full, read->missing also counts sequences up to `durable` that no segment has. */
HF_MUST_USE int hf_spool_read_records(const struct hf_fs_ops *fs, const char *dir,
                                      const struct hf_spool_extent *extents, size_t n_extents, uint64_t durable,
                                      struct hf_spool_place *place, struct hf_spool_read *read, struct hf_err *err);
