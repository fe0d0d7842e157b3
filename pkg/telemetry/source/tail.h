/* telemetry/source/tail.h - following files that grow, rotate and are cut, line by line, without losing or repeating one.
 *
 * A file is known by device, inode and the hash of how it start_hash (its first line, at most 256 bytes), so a rename changes nothing: the old one
 * is read to its end while the new one has begun. One that was renamed while no process was there is looked for beside its old name, whether
 * another one came there or not. One that shrinks (copytruncate) start_hash anew with the next generation. Nothing is kept of a line that is not
 * whole yet: it is read again. How far each file is safe goes to disk through the keeper when the receipts say so; a line's id is made of
 * file, generation, offset and a hash of the line, so that what is read again after a crash is known.
 *
 * Files are looked at every second, found anew every HF_TAIL_FIND_S. Loop thread only. */
#pragma once

#include <sys/stat.h>

#include "base/list.h"
#include "telemetry/source/position.h"
#include "telemetry/source/source.h"

enum {
    HF_TAIL_MAX_FILES = 512,
    HF_TAIL_MAX_LINE = 64 << 10,    /* longer lines are cut and say so */
    HF_TAIL_TURN_BYTES = 256 << 10, /* read in one turn of the loop */
    HF_TAIL_MAX_PIECES = 128,       /* read and not settled yet */
    HF_TAIL_FIND_S = 5,
    HF_TAIL_GONE_S = 10, /* a file that has gone and is quiet is given up after this */
    HF_TAIL_ID = 64,
};

struct hf_tail;

struct hf_tail_file {
    struct hf_list link;
    struct hf_tail *tail;
    char *path; /* where it was found */
    const void *owner;
    void *state; /* of the source's line(); freed by forget() */
    int fd;
    uint64_t dev, ino, start_hash; /* start_hash: hash of its first line; 0 not known yet */
    unsigned generation;
    uint64_t before;      /* what start_hash was when it was cut */
    bool cut;             /* and has no whole line since */
    uint64_t offset;      /* next byte */
    uint64_t hold_offset; /* a line that began here is not whole yet, later ones are read: UINT64_MAX none */
    uint64_t safe;        /* everything before it needs not be read again */
    uint64_t size;        /* when last looked at */
    uint64_t quiet_since_ns, gone_since_ns; /* 0: it is there */
    bool skipping;                          /* the rest of a line that was cut */
    uint64_t not_before_ns;                 /* the store failed: wait a little */
    bool seen, looked_at;
    struct hf_list pieces; /* in order */
};

struct hf_tail_line {
    struct hf_tail_file *file;
    struct hf_view text; /* without its end; with multi-line, several of them */
    uint64_t offset;
    bool cut;
    struct hf_receipt *receipt;
};

struct hf_tail_ops {
    /* Call hf_tail_found() for every file that is to be followed. */
    void (*find)(void *arg, struct hf_tail *tail);
    /* Whose a file at this path would be; NULL: it is not asked for. */
    const void *(*owner)(void *arg, const char *path);
    /* 0: taken (or not wanted), -EAGAIN: no room, the same line comes again. Anything else counts as taken. */
    int (*line)(void *arg, const struct hf_tail_line *line);
    /* Does a record begin with this line? NULL: with every line. */
    bool (*starts)(void *arg, const struct hf_tail_file *file, struct hf_view line);
    void (*forget)(void *arg, struct hf_tail_file *file); /* free its state; may be NULL */
};

/* `name`: of the file of positions. 0, -ENOMEM. */
HF_MUST_USE int hf_tail_new(const struct hf_telemetry_world *world, const char *name, const struct hf_tail_ops *ops,
                            void *arg, struct hf_tail **ret_tail, struct hf_err *err);
void hf_tail_free(struct hf_tail *tail);
void hf_tail_resume(struct hf_tail *tail);

void hf_tail_found(struct hf_tail *tail, const char *path, const void *owner);
/* Of a line that start_hash at `offset` in this file; text[HF_TAIL_ID]. */
struct hf_view hf_tail_id(const struct hf_tail_file *file, uint64_t offset, struct hf_view line, char *text);
