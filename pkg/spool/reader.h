/* SPDX-License-Identifier: Apache-2.0 */
/* spool/reader.h - reads records in order from a snapshot of the segments, while the writer continues.
 *
 * A reader gets each record once, in order of sequence. Records that were dropped, are damaged or never became durable
 * leave gaps in the sequences. Threads: any thread, but only one thread at a time may use a struct hf_spool_read;
 * reading blocks. Memory: the caller owns read->records and read->bytes. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "spool/losses.h"
#include "spool/store.h"

/* The position of a reader. To start at a sequence, or to go back to it, zero the struct and set `next` to the
 * sequence. */
struct hf_spool_place {
    uint64_t next;    /* sequence to read next */
    uint64_t segment; /* first sequence of the segment to which `offset` belongs (0 means unknown) */
    uint64_t offset;
};

struct hf_spool_read {
    struct hf_spool_record *records; /* array of the records read; their payloads point into `bytes` */
    size_t n, max;                   /* number of records read; `max` is the length of the array `records` */
    struct hf_buf bytes; /* bytes.max limits the payload bytes of one read; 1 MiB is enough for any record */
    uint64_t next;       /* sequence at which to continue; every record with a lower sequence was read or is missing */
    /* sequences that no segment held, or that the medium may not have given back: their number, and where they are */
    uint64_t missing;
    struct hf_spool_losses gaps;
    uint64_t skipped_bytes; /* bytes of damage that the reader skipped */
    bool unreadable;        /* true if the medium did not give back some bytes, which then count as damage */
    bool gone;              /* true if the file of at least one segment has disappeared */
};

/* Fills read->records with the records from the sequence place->next on, and moves *place past these records. Returns
 * 0, also if there is nothing to read (read->n is then 0), or -errno. If the file of a segment has disappeared, skips
 * the segment and sets read->gone. If no file has disappeared and *read is not full, read->missing also counts the
 * sequences up to `durable` (inclusive) for which no record exists. A read ends early rather than to note more gaps
 * than HF_SPOOL_GAPS. */
HF_MUST_USE int hf_spool_read_records(const struct hf_fs_ops *fs, const char *dir,
                                      const struct hf_spool_extent *extents, size_t n_extents, uint64_t durable,
                                      struct hf_spool_place *place, struct hf_spool_read *read, struct hf_err *err);
