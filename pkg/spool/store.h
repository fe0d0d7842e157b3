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
};

enum hf_spool_full { HF_SPOOL_BLOCK, HF_SPOOL_DROP_OLDEST };

struct hf_spool_store_params {
    const struct hf_fs_ops *fs;
    const struct hf_rand_ops *rng; /* salts; used by the owner only */
    const char *dir;
    uint64_t segment_bytes; /* 0: 8 MiB */
    uint64_t max_bytes;     /* all files of the folder; at least three segments */
    enum hf_spool_full when_full;
    uint64_t used; /* highest sequence known to have left the node, from whoever sent it: not given again. 0: none */
};

/* How many records with one tag were dropped to make room. With more tags than entries the last entry collects the rest. */
struct hf_spool_dropped {
    uint32_t tag;
    uint64_t records;
};

struct hf_spool_stats {
    uint64_t next;      /* sequence of the next record */
    uint64_t delivered; /* inclusive */
    uint64_t bytes;     /* of segments, the spare among them */
    uint64_t segments;
    uint64_t poisoned; /* segments given up after a failed write or sync */
    uint64_t damaged;  /* segments whose header was unreadable at open */
    uint64_t torn;     /* tails cut at open */
    uint64_t syncs;    /* of segments */
};

struct hf_spool_store;

/* Open, making the folder, and recover. *err names what was found damaged only when opening failed. */
HF_MUST_USE int hf_spool_store_open(const struct hf_spool_store_params *params, struct hf_spool_store **ret_store,
                                    struct hf_err *err);
void hf_spool_store_free(struct hf_spool_store *store);
HF_DEFINE_CLEANUP(struct hf_spool_store, hf_spool_store_free)

/* Write records (sequence is filled in here) so that they survive a power cut. 0: all of them do. -EAGAIN: full and Block;
 * -ENOSPC, -EIO, ...: none may be acknowledged (they may still turn up: their sequences are not used again). */
HF_MUST_USE int hf_spool_store_write(struct hf_spool_store *store, struct hf_spool_record *records, size_t n,
                                     struct hf_err *err);

/* All up to `sequence` (inclusive) is delivered: the cursor is made durable, then segments that hold nothing else are retired. */
HF_MUST_USE int hf_spool_store_deliver(struct hf_spool_store *store, uint64_t sequence, struct hf_err *err);

/* Have a spare segment ready, so that the next write that rolls over does not wait for one. */
HF_MUST_USE int hf_spool_store_prepare(struct hf_spool_store *store, struct hf_err *err);

/* Who this spool is: 32 hex digits. The same over restarts as long as no sequence can be given a second time; another one
 * after the folder was emptied or its end was damaged. */
const char *hf_spool_store_stream(const struct hf_spool_store *store);

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
