/* telemetry/source/tail.h - follows files that grow, rotate and get truncated, line by line, without losing or
 * repeating a line.
 *
 * Device, inode and a hash of the first line (of at most 256 bytes) identify a file. So tail still follows a renamed
 * file to its end, while it also follows the new file at the old path. After a restart tail searches the folder of a
 * file for the file's new name. If a file shrinks (copytruncate), tail begins again at its start, with the next
 * generation. Tail does not keep an incomplete line in memory; it reads the line again when the file has grown. As
 * receipts settle, tail saves up to which offset each file is durable. A line's id consists of file, generation, offset
 * and a hash of the line, so the intake recognises lines that tail reads again after a crash.
 *
 * Tail checks all files every second and searches for new files every HF_TAIL_FIND_S seconds. Threads: loop thread
 * only. */
#pragma once

#include <sys/stat.h>

#include "base/list.h"
#include "telemetry/source/position.h"
#include "telemetry/source/source.h"

enum {
    HF_TAIL_MAX_FILES = 512,
    HF_TAIL_MAX_LINE = 64 << 10,    /* limit in bytes; tail truncates and marks longer lines */
    HF_TAIL_TURN_BYTES = 256 << 10, /* limit of bytes read in one turn of the loop */
    HF_TAIL_MAX_PIECES = 128,       /* limit of pieces whose receipts are open */
    HF_TAIL_FIND_S = 5,
    HF_TAIL_GONE_S = 10, /* seconds after which tail no longer follows a deleted file that does not grow */
    HF_TAIL_ID = 64,
};

struct hf_tail;

struct hf_tail_file {
    struct hf_list link;
    struct hf_tail *tail;
    char *path; /* the path under which tail last found the file */
    const void *owner;
    void *state; /* for the source's line() to use; forget() frees it */
    int fd;
    /* start_hash is the hash of the first line (0 means that the file has no whole line yet) */
    uint64_t dev, ino, start_hash;
    unsigned generation;
    uint64_t before; /* value of start_hash when the file was truncated */
    bool cut;        /* the file was truncated and has no whole line since then */
    uint64_t offset; /* offset of the next byte to read */
    /* offset at which a record begins that is still incomplete, although tail has already read its next lines;
     * UINT64_MAX: none */
    uint64_t hold_offset;
    uint64_t safe; /* offset before which everything is durable */
    uint64_t size; /* size of the file at the last check */
    /* quiet_since_ns: since when the file has not grown. gone_since_ns: since when `path` leads to another file or to
     * none (0 means that `path` leads to this file) */
    uint64_t quiet_since_ns, gone_since_ns;
    bool skipping;          /* tail skips bytes up to the end of a truncated line */
    uint64_t not_before_ns; /* after a failure to store a line: when to pass the line to line() again */
    bool seen, looked_at;
    struct hf_list pieces; /* pieces whose receipts are open, in the order of the file */
};

struct hf_tail_line {
    struct hf_tail_file *file;
    /* the record without its last line break; a record is one line or, with starts(), several lines */
    struct hf_view text;
    uint64_t offset;
    bool cut;
    struct hf_receipt *receipt;
};

struct hf_tail_ops {
    /* Searches for files, and calls hf_tail_found() for every file to follow. */
    void (*find)(void *arg, struct hf_tail *tail);
    /* Returns the owner that hf_tail_found() would get for a file at this path, or NULL if a file there is not to be
     * followed. */
    const void *(*owner)(void *arg, const char *path);
    /* Takes a line. -EAGAIN: there is no room, and tail passes this line again later. After any other return value,
     * errors included, tail continues with the next line. */
    int (*line)(void *arg, const struct hf_tail_line *line);
    /* Returns true if a record begins with this line. If `starts` is NULL, every line is a record. */
    bool (*starts)(void *arg, const struct hf_tail_file *file, struct hf_view line);
    void (*forget)(void *arg, struct hf_tail_file *file); /* frees file->state; may be NULL */
};

/* Creates a tail that saves its positions in the file `name` (source/position.h). Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_tail_new(const struct hf_telemetry_world *world, const char *name, const struct hf_tail_ops *ops,
                            void *arg, struct hf_tail **ret_tail, struct hf_err *err);
void hf_tail_free(struct hf_tail *tail);
void hf_tail_resume(struct hf_tail *tail);

void hf_tail_found(struct hf_tail *tail, const char *path, const void *owner);
/* Formats the id of a line that begins at `offset` into text[HF_TAIL_ID]. */
struct hf_view hf_tail_id(const struct hf_tail_file *file, uint64_t offset, struct hf_view line, char *text);
