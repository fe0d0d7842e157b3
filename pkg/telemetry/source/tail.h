/* SPDX-License-Identifier: Apache-2.0 */
/* Follows log files that grow, are rotated or truncated. If files only grow and are renamed, lines are hardly
 * lost or repeated. */
#pragma once

#include "base/list.h"
#include "telemetry/source/position.h"
#include "telemetry/source/source.h"

enum {
    HF_TAIL_MAX_FILES = 512,
    HF_TAIL_MAX_LINE = 64 << 10, /* bytes of a line or record; longer ones are cut */
    HF_TAIL_TURN_BYTES = 256 << 10,
    HF_TAIL_MAX_PIECES = 128,
    HF_TAIL_FIND_S = 5,
    HF_TAIL_GONE_S = 10, /* a vanished file is followed at least until it has not grown for this time */
    HF_TAIL_REST_S = 60, /* after this time rest() may get an incomplete record */
    HF_TAIL_ID = 64,
};

struct hf_tail;

struct hf_tail_file {
    struct hf_list link;
    struct hf_tail *tail;
    char *path;
    const void *owner;
    void *state;
    int fd;
    uint64_t dev, ino, start_hash; /* start_hash: hf_tail_open_hash_start() */
    unsigned generation;
    uint64_t birth_ns;
    /* `mark`, `safe_mark`: hashes of the bytes before mark_at, safe_mark_at */
    uint64_t mark, mark_at, safe_mark, safe_mark_at;
    uint64_t before;
    bool cut; /* begun again, and start_hash is still 0 */
    uint64_t offset;
    uint64_t hold_offset; /* start of an incomplete record, or UINT64_MAX */
    uint64_t safe;        /* everything before this offset is durable */
    uint64_t size;
    struct timespec changed;
    /* quiet: since when the size is unchanged; gone: since when the file is not found; 0: not so */
    uint64_t quiet_since_ns, gone_since_ns;
    bool skipping;
    uint64_t not_before_ns;
    /* seen: the last find() found the file; looked_at: its size was checked */
    bool seen, looked_at;
    struct hf_list pieces;
};

struct hf_tail_line {
    struct hf_tail_file *file;
    struct hf_view text;
    uint64_t offset;
    bool cut;
    struct hf_receipt *receipt;
};

struct hf_tail_ops {
    /* Calls hf_tail_found() for each file. */
    void (*find)(void *arg, struct hf_tail *tail);
    /* Returns the owner that find() would pass; NULL: do not follow the file. */
    const void *(*owner)(void *arg, const char *path);
    /* Whether the file may be read. `path` has no links. */
    bool (*allows)(void *arg, const char *path);
    /* Takes one record. Returns -EAGAIN to get it again later. */
    int (*line)(void *arg, const struct hf_tail_line *line);
    /* Whether the line begins a record. NULL: every line does. */
    bool (*starts)(void *arg, const struct hf_tail_file *file, struct hf_view line);
    /* Passes on an incomplete record, after HF_TAIL_REST_S without growth or before the file is left; then sets
     * hold_offset to UINT64_MAX. May be NULL. */
    int (*rest)(void *arg, struct hf_tail_file *file, struct hf_receipt *receipt);
    /* Frees file->state. May be NULL. */
    void (*forget)(void *arg, struct hf_tail_file *file);
};

HF_MUST_USE int hf_tail_new(const struct hf_telemetry_env *env, const char *name, const struct hf_tail_ops *ops,
                            void *arg, struct hf_tail **ret_tail, struct hf_err *err);
void hf_tail_free(struct hf_tail *tail);
void hf_tail_resume(struct hf_tail *tail);

void hf_tail_found(struct hf_tail *tail, const char *path, const void *owner);
struct hf_view hf_tail_id(const struct hf_tail_file *file, uint64_t offset, struct hf_view line, char *text);
