/* spool/look.h - reading a spool's folder without changing a byte of it: a dead node's disk, a copy, a running agent's. Blocks. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "spool/record.h"
#include "spool/stream.h"

struct hf_spool_found {
    char stream[HF_SPOOL_STREAM_TEXT]; /* "" when it cannot be told */
    bool cursor_found;
    struct hf_spool_cursor cursor;
    uint64_t segments, bytes;                /* spare ones in neither */
    uint64_t records, waiting;               /* waiting: above the cursor */
    uint64_t first, last;                    /* sequences of records; 0: none */
    uint64_t oldest_unix_ns, newest_unix_ns; /* of what waits */
    /* Damage. */
    uint64_t missing;                      /* sequences above the cursor that are nowhere */
    uint64_t skipped_bytes;                /* stepped over to the next whole record */
    uint64_t headers_lost, headers_mended; /* segments with no readable header, and with only one of two */
    uint64_t set_aside;                    /* segments an agent gave up earlier */
    bool newest_gone;                      /* the newest segment that was begun is not there */
    /* None: a write that power or a kill ended, never acknowledged. */
    uint64_t torn_bytes;
};

/* Is this a spool's folder? Errors reading it say no. */
bool hf_spool_detect(const struct hf_fs_ops *fs, const char *dir);

/* Go through all records in order; `visit` (may be NULL) gets each once, `waiting` says that it was not delivered; a negative
 * return stops and is returned. */
HF_MUST_USE int hf_spool_look(const struct hf_fs_ops *fs, const char *dir,
                              int (*visit)(void *arg, const struct hf_spool_record *record, bool waiting), void *arg,
                              struct hf_spool_found *ret_found, struct hf_err *err);

/* Call `each` with the payloads of the last max_records records of the newest segment, in order. If that segment holds fewer than
 * `enough` records (it has just been begun), the last ones of the segment before it come first, so that about `enough` come in all.
 * Records count as they lie on the disk: delivered ones too. 0 also for a folder without segments. -errno: a folder or the newest
 * segment that cannot be read. */
HF_MUST_USE int hf_spool_recent(const struct hf_fs_ops *fs, const char *dir, size_t max_records, size_t enough,
                                void (*each)(void *arg, struct hf_view payload), void *arg);

/* Does any of it need a person? */
bool hf_spool_is_damaged(const struct hf_spool_found *found);
