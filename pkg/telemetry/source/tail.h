/* SPDX-License-Identifier: Apache-2.0 */
/* Follows log files that grow, are rotated or truncated. Files that only grow and are renamed lose and repeat no line;
 * with copytruncate some may. */
#pragma once

#include "base/list.h"
#include "telemetry/source/position.h"
#include "telemetry/source/source.h"

enum {
    HF_TAIL_MAX_FILES = 512,
    HF_TAIL_MAX_LINE = 64 << 10, /* line or record; longer: cut and marked */
    HF_TAIL_TURN_BYTES = 256 << 10,
    HF_TAIL_MAX_PIECES = 128, /* unsettled receipts */
    HF_TAIL_FIND_S = 5,
    HF_TAIL_GONE_S = 10, /* left after this time without growth, not found */
    HF_TAIL_REST_S = 60, /* after it an incomplete record is passed on */
    HF_TAIL_ID = 64,
};

struct hf_tail;

struct hf_tail_file {
    struct hf_list link;
    struct hf_tail *tail;
    char *path;
    const void *owner; /* find()'s */
    void *state;       /* line()'s */
    int fd;
    uint64_t dev, ino, start_hash; /* start_hash: of the first line; 0: incomplete */
    unsigned generation;
    uint64_t birth_ns;
    /* mark, safe_mark: hashes of bytes before mark_at, safe_mark_at. */
    uint64_t mark, mark_at, safe_mark, safe_mark_at;
    uint64_t before;      /* start_hash before truncation */
    bool cut;             /* truncated, no complete line since */
    uint64_t offset;      /* next to read */
    uint64_t hold_offset; /* start of an incomplete record; or UINT64_MAX */
    uint64_t safe;        /* durable before */
    uint64_t size;
    struct timespec changed; /* ctime at the last check */
    /* Monotonic, since: unchanged size (0: just changed); not found (0: found). */
    uint64_t quiet_since_ns, gone_since_ns;
    bool skipping;          /* rest of a cut line */
    uint64_t not_before_ns; /* no read before: storing failed */
    /* The last find() saw it; its size was checked at least once. */
    bool seen, looked_at;
    struct hf_list pieces; /* receipts, in order */
};

struct hf_tail_line {
    struct hf_tail_file *file;
    struct hf_view text; /* without line break */
    uint64_t offset;     /* in the file */
    bool cut;
    struct hf_receipt *receipt;
};

struct hf_tail_ops {
    /* Calls hf_tail_found() for each file. */
    void (*find)(void *arg, struct hf_tail *tail);
    /* find()'s for this path; NULL: do not follow. */
    const void *(*owner)(void *arg, const char *path);
    /* May it be read? `path` has no links. */
    bool (*allows)(void *arg, const char *path);
    /* -EAGAIN: again later. Else: next record. */
    int (*line)(void *arg, const struct hf_tail_line *line);
    /* A new record? NULL: every line. */
    bool (*starts)(void *arg, const struct hf_tail_file *file, struct hf_view line);
    /* Passes on an incomplete record, after HF_TAIL_REST_S without growth or before the file is left; sets hold_offset
     * to UINT64_MAX. -EAGAIN: again later. NULL: no hold_offset. */
    int (*rest)(void *arg, struct hf_tail_file *file, struct hf_receipt *receipt);
    /* Frees file->state. May be NULL. */
    void (*forget)(void *arg, struct hf_tail_file *file);
};

/* `name`: the position file's. */
HF_MUST_USE int hf_tail_new(const struct hf_telemetry_env *env, const char *name, const struct hf_tail_ops *ops,
                            void *arg, struct hf_tail **ret_tail, struct hf_err *err);
void hf_tail_free(struct hf_tail *tail);
void hf_tail_resume(struct hf_tail *tail);

void hf_tail_found(struct hf_tail *tail, const char *path, const void *owner);
struct hf_view hf_tail_id(const struct hf_tail_file *file, uint64_t offset, struct hf_view line, char *text);
