/* SPDX-License-Identifier: Apache-2.0 */
/* Reads records in order from a snapshot of the segments, while the writer continues. Each record comes once; dropped,
 * damaged or never durable ones leave gaps. Blocks. The caller owns read->records and read->bytes. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "spool/losses.h"
#include "spool/store.h"

/* To start at a sequence, zero it and set `next`. */
struct hf_spool_place {
    uint64_t next;
    uint64_t segment; /* `offset`'s segment, by first sequence */
    uint64_t offset;
};

struct hf_spool_read {
    struct hf_spool_record *records; /* payloads: in `bytes` */
    size_t n, max;                   /* read; room */
    struct hf_buf bytes;             /* bytes.max limits payloads; 1 MiB fits any */
    uint64_t next;                   /* all below was read or is missing */
    uint64_t missing;                /* sequences without a readable record */
    struct hf_spool_losses gaps;
    bool unreadable; /* bytes, taken for damage */
    bool gone;       /* a segment's file disappeared */
};

/* From place->next; moves *place. 0 also without any (read->n 0). Skips segments whose file disappeared (read->gone);
 * without such, and with *read not full, read->missing also has sequences up to `durable` without a record. Ends early
 * rather than note more than HF_SPOOL_GAPS. */
HF_MUST_USE int hf_spool_read_records(const struct hf_fs_ops *fs, const char *dir,
                                      const struct hf_spool_extent *extents, size_t n_extents, uint64_t durable,
                                      struct hf_spool_place *place, struct hf_spool_read *read, struct hf_err *err);
