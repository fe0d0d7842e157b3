/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/source/tail.h - follows log files line by line while they grow, are renamed by log rotation or are
 * truncated. It neither loses nor repeats a line of a file that only grows and is renamed.
 *
 * Tail identifies a file by device, inode, time of birth, and hashes of the first line and of the bytes before the
 * offset (of at most 256 bytes each). So tail reads a renamed file to its end, while it also follows the new file at
 * the old path. After a restart tail searches the folder of a file for the file's new name. If a file shrinks
 * (copytruncate), or no longer holds the bytes before the offset, tail reads the file again from its start, as the next
 * generation of the file. Zeros before a line are no part of the line: a program that does not append leaves a hole
 * when its file is truncated. Tail does not keep an incomplete last line in memory, but reads this line again when the
 * file has grown. When receipts settle, tail saves the offset in each file up to which all events are durable. The id
 * of a line consists of file, generation, offset and a hash of the line, so the intake recognizes lines that tail reads
 * again after a crash.
 *
 * If a program truncates a file in place (copytruncate of logrotate), tail may lose or repeat lines. Tail loses the
 * lines that were written to the file after tail last read it and before the truncation. Tail reads every second, so
 * these are the lines of at most one second, or of a longer time while the intake has no room. If the source's patterns
 * match the name of the copy, tail also reads the copy, so the intake gets the lines in the copy twice. Tail does not
 * notice the truncation if, at the next check, the file has the same first line, and the same 256 bytes before tail's
 * offset. Tail then loses the new lines up to this offset. If lines are lost that tail had seen, or that were written
 * while no tail ran, tail logs how far it had read the file.
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
    /* maximum length in bytes of a line, or of a record of several lines; tail truncates what is longer and marks it as
     * truncated */
    HF_TAIL_MAX_LINE = 64 << 10,
    HF_TAIL_TURN_BYTES = 256 << 10, /* maximum number of bytes that tail reads in one iteration of the event loop */
    HF_TAIL_MAX_PIECES = 128,       /* maximum number of pieces whose receipts have not settled */
    HF_TAIL_FIND_S = 5,
    /* seconds after which tail stops following a file that find() no longer finds and that does not grow */
    HF_TAIL_GONE_S = 10,
    /* seconds without growth of a file after which tail stops waiting for the rest of an incomplete record */
    HF_TAIL_REST_S = 60,
    HF_TAIL_ID = 64,
};

struct hf_tail;

struct hf_tail_file {
    struct hf_list link;
    struct hf_tail *tail;
    char *path;        /* path at which tail last found the file */
    const void *owner; /* the `owner` that find() passed to hf_tail_found() for this file */
    void *state;       /* state that line() may keep for this file; forget() frees it */
    int fd;
    /* device and inode of the file, and the hash of its first line (0 means that the file has no complete line yet) */
    uint64_t dev, ino, start_hash;
    unsigned generation;
    uint64_t birth_ns; /* 0: unknown */
    /* hash of the bytes before the offset mark_at, and before `safe`; 0: unknown */
    uint64_t mark, mark_at, safe_mark, safe_mark_at;
    uint64_t before; /* value that start_hash had before the file was truncated */
    bool cut;        /* true if the file was truncated and has had no complete line since then */
    uint64_t offset; /* offset in the file of the next byte to read */
    /* offset of the first line of a record that is still incomplete, although tail has already read some of its lines;
     * UINT64_MAX if there is no such record */
    uint64_t hold_offset;
    uint64_t safe;           /* offset in the file up to which all events are durable */
    uint64_t size;           /* size of the file in bytes at the last check */
    struct timespec changed; /* the file's ctime at the last check */
    /* Monotonic times. quiet_since_ns is the time since which the file has not changed its size (0 means that the size
     * changed at the last check). gone_since_ns is the time since which find() no longer finds the file under any name
     * (0 means that find() found the file). */
    uint64_t quiet_since_ns, gone_since_ns;
    bool skipping; /* true while tail skips bytes up to the end of a truncated line */
    /* time before which tail does not pass the next line to line() again, because storing the line failed */
    uint64_t not_before_ns;
    /* `seen` is true if the last find() found the file. `looked_at` is true if tail has checked the size of the file at
     * least once. */
    bool seen, looked_at;
    struct hf_list pieces; /* pieces of the file whose receipts have not settled, in the order of the file */
};

struct hf_tail_line {
    struct hf_tail_file *file;
    /* the record without its last line break; a record is one line, or several lines as starts() decides */
    struct hf_view text;
    uint64_t offset; /* offset of the record's first byte from the start of the file */
    bool cut;        /* true if tail truncated the record, because the record is longer than HF_TAIL_MAX_LINE */
    struct hf_receipt *receipt;
};

struct hf_tail_ops {
    /* Searches for files. Must call hf_tail_found() for every file that tail has to follow. */
    void (*find)(void *arg, struct hf_tail *tail);
    /* Returns the `owner` that find() would pass to hf_tail_found() for a file at this path, or NULL if tail must not
     * follow a file at this path. */
    const void *(*owner)(void *arg, const char *path);
    /* Returns true if the source may read the file at this path. The path contains no symbolic links. */
    bool (*allows)(void *arg, const char *path);
    /* Receives one record. -EAGAIN: there is no room, and tail passes the record again later. After any other return
     * value, also after other errors, tail continues with the next record. */
    int (*line)(void *arg, const struct hf_tail_line *line);
    /* Returns true if this line begins a new record, and false if the line continues the previous record. If `starts`
     * is NULL, every line is a record. */
    bool (*starts)(void *arg, const struct hf_tail_file *file, struct hf_view line);
    /* Passes on an incomplete record (hold_offset), and sets hold_offset to UINT64_MAX. Tail calls it when the file has
     * not grown for HF_TAIL_REST_S, and before it stops following the file. -EAGAIN: there is no room, and tail calls
     * again later. May be NULL if the source sets no hold_offset. */
    int (*rest)(void *arg, struct hf_tail_file *file, struct hf_receipt *receipt);
    /* called before tail forgets a file, to free file->state; may be NULL */
    void (*forget)(void *arg, struct hf_tail_file *file);
};

/* Creates a tail that saves its offsets in the position file `name` (source/position.h). Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_tail_new(const struct hf_telemetry_world *world, const char *name, const struct hf_tail_ops *ops,
                            void *arg, struct hf_tail **ret_tail, struct hf_err *err);
void hf_tail_free(struct hf_tail *tail);
void hf_tail_resume(struct hf_tail *tail);

void hf_tail_found(struct hf_tail *tail, const char *path, const void *owner);
/* Formats the id of a line that begins at `offset` into text[HF_TAIL_ID]. */
struct hf_view hf_tail_id(const struct hf_tail_file *file, uint64_t offset, struct hf_view line, char *text);
