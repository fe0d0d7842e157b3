/* spool/store.h - the folder of segments (FORMAT.md): open, write durably, deliver up to, drop. Everything here blocks.
 *
 * One owner at a time: spool/spool.h hands it from job to job. Readers work beside it on snapshots (spool/reader.h). */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "base/rand.h"
#include "spool/record.h"
#include "spool/stream.h"

enum {
    HF_SPOOL_SEGMENT_BYTES = 8 << 20,
    HF_SPOOL_MIN_SEGMENT_BYTES = 64 << 10,
    HF_SPOOL_MAX_SEGMENTS = 4096,
    HF_SPOOL_MAX_TAGS = 64,
    HF_SPOOL_MAX_WRITE = 512, /* records */
    HF_SPOOL_PAST = 1, /* delivered segments that are kept, while there is room, for those who ask what came lately */
};

enum hf_spool_full { HF_SPOOL_BLOCK, HF_SPOOL_DROP_OLDEST };

struct hf_spool_store_params {
    const struct hf_fs_ops *fs;
    const struct hf_rand_ops *rng; /* used while opening only */
    const char *dir;
    uint64_t segment_bytes; /* 0: hf_spool_segment_bytes(max_bytes) */
    uint64_t max_bytes;     /* all files of the folder; at least three segments */
    enum hf_spool_full when_full;
    uint64_t used; /* highest sequence known to have left the node, from whoever sent it: not given again. 0: none */
};

/* How many records with one tag were dropped to make room. With more tags than entries the last entry collects the rest. */
struct hf_spool_dropped {
    uint32_t tag;
    uint64_t records;
};

/* Adds records of one tag to a table whose first entry without records ends it; the last entry collects what has no place. */
void hf_spool_dropped_add(struct hf_spool_dropped dropped[HF_SPOOL_MAX_TAGS], uint32_t tag, uint64_t records);

struct hf_spool_stats {
    uint64_t next;      /* sequence of the next record */
    uint64_t last;      /* of the last one that is durable; next - 1, or less where numbers were passed over */
    uint64_t delivered; /* inclusive */
    uint64_t bytes;     /* of segments, the spare among them */
    uint64_t waiting;   /* bytes of payload that are not delivered; about, where a segment is delivered in part */
    uint64_t segments;
    uint64_t poisoned;  /* segments given up after a failed write or sync */
    uint64_t damaged;   /* segments without a readable header at open */
    uint64_t torn;      /* tails cut at open: a write that power or a kill ended */
    uint64_t rescued;   /* segments deleted by somebody that could be written anew */
    uint64_t lost;      /* and those that could not */
    uint64_t mended;    /* segments read by the copy of their header */
    uint64_t set_aside; /* damaged segments that lie in the folder for a person to look at */
    uint64_t syncs;     /* of segments */
};

/* Segments for a spool of this size: 8 MiB, less where there would not be sixteen of them. */
uint64_t hf_spool_segment_bytes(uint64_t max_bytes);
/* Can a payload of this length ever be stored? */
bool hf_spool_fits(uint64_t segment_bytes, size_t payload);

struct hf_spool_store;

/* Open, making the folder, and recover. *err names what was found damaged only when opening failed. */
HF_MUST_USE int hf_spool_store_open(const struct hf_spool_store_params *params, struct hf_spool_store **ret_store,
                                    struct hf_err *err);
void hf_spool_store_free(struct hf_spool_store *store);
HF_DEFINE_CLEANUP(struct hf_spool_store, hf_spool_store_free)

/* Write at most HF_SPOOL_MAX_WRITE records (sequence is filled in here) so that they survive a power cut. The first *ret_done of them do. 0: that is all of
 * them. -EAGAIN: full and Block; -ENOSPC, -EIO, ...: the others must not be acknowledged (they may still turn up: their sequences
 * are not used again). */
HF_MUST_USE int hf_spool_store_write(struct hf_spool_store *store, struct hf_spool_record *records, size_t n,
                                     size_t *ret_done, struct hf_err *err);

/* All up to `sequence` (inclusive) is delivered: the cursor is made durable, then segments that hold nothing else are retired, but
 * for the newest HF_SPOOL_PAST of them. */
HF_MUST_USE int hf_spool_store_deliver(struct hf_spool_store *store, uint64_t sequence, struct hf_err *err);

/* Somebody deleted files: write the open segment anew from its descriptor, forget what is gone. */
HF_MUST_USE int hf_spool_store_check(struct hf_spool_store *store, struct hf_err *err);

/* Have a spare segment ready, so that the next write that rolls over finds one full of zeros. In three steps: begin (false: not
 * wanted) and end belong to the store's owner, make takes long and runs beside whatever the store does meanwhile. */
struct hf_spool_spare {
    const struct hf_fs_ops *fs;
    const char *dir; /* the store's */
    uint64_t bytes;
};
bool hf_spool_store_spare_begin(struct hf_spool_store *store, struct hf_spool_spare *ret_spare);
HF_MUST_USE int hf_spool_spare_make(const struct hf_spool_spare *spare, struct hf_err *err);
void hf_spool_store_spare_end(struct hf_spool_store *store, int made);
/* All three. */
HF_MUST_USE int hf_spool_store_prepare(struct hf_spool_store *store, struct hf_err *err);

/* Who this spool is: 32 hex digits. The same over restarts as long as no sequence can be given a second time; another one
 * after the folder was emptied or its end was damaged. */
const char *hf_spool_store_stream(const struct hf_spool_store *store);

/* Give back the buffer of writes. */
void hf_spool_store_trim(struct hf_spool_store *store);

struct hf_spool_stats hf_spool_store_stats(const struct hf_spool_store *store);

/* What was dropped since the last call; entries with records 0 end it. */
void hf_spool_store_take_dropped(struct hf_spool_store *store, struct hf_spool_dropped ret[HF_SPOOL_MAX_TAGS + 1]);

/* A segment as a reader needs it. */
struct hf_spool_extent {
    uint64_t first;
    uint64_t end; /* bytes that may be read; durable */
    uint32_t salt;
    bool last;
};

/* Copy at most `max` extents that may hold records from `from` on, in order; returns how many. */
size_t hf_spool_store_extents(const struct hf_spool_store *store, uint64_t from, struct hf_spool_extent *ret,
                              size_t max);

/* "<dir>/<first>.seg" */
void hf_spool_segment_path(const char *dir, uint64_t first, char *path, size_t n);
