/* spool/look.h - inspects a spool's folder without changing a byte: the disk of a dead node, a copy, or the spool of a
 * running agent.
 *
 * Threads: any; it blocks. Memory: nothing outlives a call. Errors: *err names the file. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "spool/record.h"
#include "spool/stream.h"

struct hf_spool_found {
    char stream[HF_SPOOL_STREAM_TEXT]; /* id of the stream; "" if the file `stream` is missing or damaged */
    bool cursor_found;
    struct hf_spool_cursor cursor;
    uint64_t segments, bytes;                /* without spare segments */
    uint64_t records, waiting;               /* waiting: records above the cursor */
    uint64_t first, last;                    /* lowest and highest sequence; 0: no records */
    uint64_t oldest_unix_ns, newest_unix_ns; /* times of waiting records */
    /* Signs of damage: */
    uint64_t missing;       /* sequences above the cursor that no segment holds */
    uint64_t skipped_bytes; /* bytes skipped to reach the next whole record */
    /* segments with no readable header, and segments with only one readable copy of it */
    uint64_t headers_lost, headers_mended;
    uint64_t set_aside; /* segments that an agent set aside earlier */
    bool newest_gone;   /* the newest segment that the spool began is missing */
    /* No damage: a write that a power cut or a kill ended; nobody acknowledged it. */
    uint64_t torn_bytes;
};

/* True if `dir` is a spool's folder; false also after a read error. */
bool hf_spool_detect(const struct hf_fs_ops *fs, const char *dir);

/* Read all records in order and call `visit` (may be NULL) once for each; `waiting` is true if the record lies above
 * the cursor. A negative return of `visit` ends the inspection and becomes its result. -ENOENT: not a spool. */
HF_MUST_USE int hf_spool_look(const struct hf_fs_ops *fs, const char *dir,
                              int (*visit)(void *arg, const struct hf_spool_record *record, bool waiting), void *arg,
                              struct hf_spool_found *ret_found, struct hf_err *err);

/* Calls `each` with the payloads of the last max_records records of the newest segment, in order. If that segment
 * holds fewer than `enough` records (it has just been begun), the last records of the segment before it come first,
 * so that about `enough` come in all. Delivered records count too. Returns 0 for a folder without segments, too.
 * -errno: the folder or the newest segment cannot be read. */
HF_MUST_USE int hf_spool_recent(const struct hf_fs_ops *fs, const char *dir, size_t max_records, size_t enough,
                                void (*each)(void *arg, struct hf_view payload), void *arg);

/* True if the report shows damage that a person should look at. */
bool hf_spool_is_damaged(const struct hf_spool_found *found);
