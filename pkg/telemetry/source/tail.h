/* telemetry/source/tail.h - follows files that grow, rotate and get truncated, line by line, without losing or
 * repeating a line.
 *
 * Device, inode and a hash of the start (the first line, at most 256 bytes) identify a file, so a rename changes
 * nothing: tail reads the renamed file to its end while the new one grows. After a restart it looks for a renamed file
 * in the old one's folder. A file that shrinks (copytruncate) starts again with the next generation. Tail keeps no
 * incomplete line; it reads the line again. It saves how far each file is durable when the receipts settle. A line's id
 * consists of file, generation, offset and a hash of the line, so the intake recognises lines that are read again after
 * a crash.
 *
 * Checks all files every second and searches for new ones every HF_TAIL_FIND_S. Threads: loop thread only. */
#pragma once

#include <sys/stat.h>

#include "base/list.h"
#include "telemetry/source/position.h"
#include "telemetry/source/source.h"

enum {
    HF_TAIL_MAX_FILES = 512,
    HF_TAIL_MAX_LINE = 64 << 10,    /* bytes; tail cuts and marks longer lines */
    HF_TAIL_TURN_BYTES = 256 << 10, /* limit of bytes read in one turn of the loop */
    HF_TAIL_MAX_PIECES = 128,       /* limit of pieces whose receipts are open */
    HF_TAIL_FIND_S = 5,
    HF_TAIL_GONE_S = 10, /* delay after which a deleted, quiet file is dropped */
    HF_TAIL_ID = 64,
};

struct hf_tail;

struct hf_tail_file {
    struct hf_list link;
    struct hf_tail *tail;
    char *path; /* its last known path */
    const void *owner;
    void *state; /* belongs to the source's line(); forget() frees it */
    int fd;
    /* start_hash: hash of the first line; 0: no whole line yet */
    uint64_t dev, ino, start_hash;
    unsigned generation;
    uint64_t before; /* start_hash at the time of the truncation */
    bool cut;        /* truncated, and no whole line since */
    uint64_t offset; /* offset of the next byte to read */
    /* start of an incomplete record while later lines are already read; UINT64_MAX: none */
    uint64_t hold_offset;
    uint64_t safe; /* offset before which everything is durable */
    uint64_t size; /* size of the file at the last check */
    /* time since which the file is quiet; since which its path leads elsewhere (0: it leads to this file) */
    uint64_t quiet_since_ns, gone_since_ns;
    bool skipping;          /* skip to the end of a cut line */
    uint64_t not_before_ns; /* after a failed store: when to offer the line again */
    bool seen, looked_at;
    struct hf_list pieces; /* in order */
};

struct hf_tail_line {
    struct hf_tail_file *file;
    struct hf_view text; /* the line without its line break; in multi-line mode several lines */
    uint64_t offset;
    bool cut;
    struct hf_receipt *receipt;
};

struct hf_tail_ops {
    /* Calls hf_tail_found() for every file to follow. */
    void (*find)(void *arg, struct hf_tail *tail);
    /* Returns the owner of a file at this path; NULL: nothing follows a file there. */
    const void *(*owner)(void *arg, const char *path);
    /* 0: accepted (or not wanted); -EAGAIN: no room, tail passes the same line again. Other values count as
     * accepted. */
    int (*line)(void *arg, const struct hf_tail_line *line);
    /* Returns true if a record begins with this line. If this function is NULL, every line is a record. */
    bool (*starts)(void *arg, const struct hf_tail_file *file, struct hf_view line);
    void (*forget)(void *arg, struct hf_tail_file *file); /* frees file->state; may be NULL */
};

/* `name` names the file of positions. 0, -ENOMEM. */
HF_MUST_USE int hf_tail_new(const struct hf_telemetry_world *world, const char *name, const struct hf_tail_ops *ops,
                            void *arg, struct hf_tail **ret_tail, struct hf_err *err);
void hf_tail_free(struct hf_tail *tail);
void hf_tail_resume(struct hf_tail *tail);

void hf_tail_found(struct hf_tail *tail, const char *path, const void *owner);
/* Formats the id of a line that begins at `offset` into text[HF_TAIL_ID]. */
struct hf_view hf_tail_id(const struct hf_tail_file *file, uint64_t offset, struct hf_view line, char *text);
