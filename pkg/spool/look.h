/* SPDX-License-Identifier: Apache-2.0 */
/* spool/look.h - inspects a spool's folder without changing a byte. The folder may come from the disk of a dead node,
 * be a copy, or belong to a running agent.
 *
 * Threads: any; the functions block. Memory: nothing outlives a call. Errors: *err names the file. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "spool/record.h"
#include "spool/stream.h"

struct hf_spool_found {
    char stream[HF_SPOOL_STREAM_TEXT]; /* id of the stream; "" if the file `stream` is missing or damaged */
    bool cursor_found;
    struct hf_spool_cursor cursor;
    /* number and total size in bytes of the segments with a readable header; spare segments do not count */
    uint64_t segments, bytes;
    uint64_t records, waiting; /* number of all records, and number of records with sequences above the cursor */
    uint64_t first, last;      /* lowest and highest sequence (0 means no records) */
    /* times of the oldest and the newest record with a sequence above the cursor */
    uint64_t oldest_unix_ns, newest_unix_ns;
    /* The fields from `missing` to `newest_gone` are signs of damage. */
    uint64_t missing; /* number of sequences above the cursor that the writer assigned, but that no segment holds */
    uint64_t skipped_bytes; /* bytes of damage that the inspection skipped to reach the next whole record */
    /* number of segments in which neither copy of the header is readable, and number of segments in which only the
     * second copy, at the end of the file, is readable */
    uint64_t headers_lost, headers_mended;
    uint64_t set_aside; /* number of damaged segments that an agent has renamed and kept for a person to examine */
    bool newest_gone;   /* true if the newest segment that the spool ever began is missing */
    /* Size in bytes of a write that a power cut or a kill interrupted. This is no damage, because nobody has
     * acknowledged the records of that write. */
    uint64_t torn_bytes;
};

/* Returns true if `dir` is a spool's folder. Returns false if `dir` is another folder or unreadable. */
bool hf_spool_detect(const struct hf_fs_ops *fs, const char *dir);

/* Reads all records in order and calls `visit` (may be NULL) once for each record; `waiting` is true if the record's
 * sequence is above the cursor. If `visit` returns a negative number, the function stops and returns that number.
 * -ENOENT: `dir` is not the folder of a spool. */
HF_MUST_USE int hf_spool_look(const struct hf_fs_ops *fs, const char *dir,
                              int (*visit)(void *arg, const struct hf_spool_record *record, bool waiting), void *arg,
                              struct hf_spool_found *ret_found, struct hf_err *err);

/* Calls `each` with the payloads of the newest records, in order of sequence, whether the records are delivered or
 * not. These are the newest max_records records of the newest segment. If the newest segment holds fewer than `enough`
 * records, the function first passes records of the segments before it, so that `each` gets `enough` records or more
 * if the folder has as many. Returns 0, also for a folder without segments. Returns -errno if the folder or the newest
 * segment is unreadable, and -EIO if the medium does not give back a part of a segment; `each` then gets the others. */
HF_MUST_USE int hf_spool_recent(const struct hf_fs_ops *fs, const char *dir, size_t max_records, size_t enough,
                                void (*each)(void *arg, struct hf_view payload), void *arg);

/* Returns true if `found` shows damage that a person should look at. */
bool hf_spool_is_damaged(const struct hf_spool_found *found);
