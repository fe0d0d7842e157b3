/* spool/store.h - the folder of segments (FORMAT.md): open, write durably, deliver up to a sequence, drop the oldest.
 *
 * Threads: one owner at a time (spool/spool.h hands the store from job to job); readers work beside it on snapshots
 * (spool/reader.h). Memory: the store copies its parameters. Errors: *err names folder and step. Everything blocks. */
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
    /* delivered segments to keep while there is room, for hf_spool_recent() */
    HF_SPOOL_PAST = 1,
};

enum hf_spool_full { HF_SPOOL_BLOCK, HF_SPOOL_DROP_OLDEST };

struct hf_spool_store_params {
    const struct hf_fs_ops *fs;
    const struct hf_rand_ops *rng; /* used while opening only */
    const char *dir;
    uint64_t segment_bytes; /* 0: hf_spool_segment_bytes(max_bytes) */
    uint64_t max_bytes;     /* limit for all files of the folder; at least three segments */
    enum hf_spool_full when_full;
    /* highest sequence of which the caller knows that it has left the node: the store gives out higher ones only. 0:
     * none */
    uint64_t used;
};

/* Number of records with one tag that the store dropped to make room. With more tags than entries the last entry
 * collects the others. */
struct hf_spool_dropped {
    uint32_t tag;
    uint64_t records;
};

/* Adds records of one tag to a table, which ends with its first entry without records. In a full table, the last entry
 * takes the records of further tags. */
void hf_spool_dropped_add(struct hf_spool_dropped dropped[HF_SPOOL_MAX_TAGS], uint32_t tag, uint64_t records);

struct hf_spool_stats {
    uint64_t next;      /* sequence of the next record */
    uint64_t last;      /* sequence of the last durable record: next - 1, or lower if the store skipped numbers */
    uint64_t delivered; /* sequence up to which (inclusive) everything is delivered */
    uint64_t bytes;     /* size of the segments, the spare included */
    uint64_t waiting;   /* payload bytes that are not delivered; approximate if a segment is delivered in part */
    uint64_t segments;
    uint64_t poisoned;  /* segments closed after a failed write or sync */
    uint64_t damaged;   /* segments that had no readable header at open */
    uint64_t torn;      /* tails cut off at open: a power cut or a kill ended the write */
    uint64_t rescued;   /* deleted segment files that the store wrote again */
    uint64_t lost;      /* deleted segment files that the store could not write again */
    uint64_t mended;    /* segments whose header was damaged and read from its copy */
    uint64_t set_aside; /* damaged segments kept in the folder for a person */
    uint64_t syncs;     /* number of syncs of segments */
};

/* Returns the segment size for a spool of max_bytes: 8 MiB, or less so that sixteen segments fit. */
uint64_t hf_spool_segment_bytes(uint64_t max_bytes);
/* True if a payload of this length fits a segment. */
bool hf_spool_fits(uint64_t segment_bytes, size_t payload);

struct hf_spool_store;

/* Opens the folder, makes it if necessary, and recovers. *err describes damage only if opening fails. */
HF_MUST_USE int hf_spool_store_open(const struct hf_spool_store_params *params, struct hf_spool_store **ret_store,
                                    struct hf_err *err);
void hf_spool_store_free(struct hf_spool_store *store);
HF_DEFINE_CLEANUP(struct hf_spool_store, hf_spool_store_free)

/* Writes at most HF_SPOOL_MAX_WRITE records durably and fills in their sequences. The first *ret_done records survive a
 * power cut; a return of 0 means that all of them do. -EAGAIN: full (Block); -ENOSPC, -EIO, ...: do not acknowledge the
 * other records. They may still turn up later: the store does not use their sequences again. */
HF_MUST_USE int hf_spool_store_write(struct hf_spool_store *store, struct hf_spool_record *records, size_t n,
                                     size_t *ret_done, struct hf_err *err);

/* Records that everything up to `sequence` (inclusive) is delivered: saves the cursor durably, then retires segments
 * without other records, except for the newest HF_SPOOL_PAST of them. */
HF_MUST_USE int hf_spool_store_deliver(struct hf_spool_store *store, uint64_t sequence, struct hf_err *err);

/* Call when files seem to be missing: writes a deleted open segment again from its descriptor and forgets the other
 * deleted segments. */
HF_MUST_USE int hf_spool_store_check(struct hf_spool_store *store, struct hf_err *err);

/* A spare segment full of zeros, prepared in three steps for the next time that the store needs one. `begin` (false:
 * not needed) and `end` belong to the store's owner; `make` takes long and may run beside the
 * other work of the store. */
struct hf_spool_spare {
    const struct hf_fs_ops *fs;
    const char *dir; /* borrowed from the store */
    uint64_t bytes;
};
bool hf_spool_store_spare_begin(struct hf_spool_store *store, struct hf_spool_spare *ret_spare);
HF_MUST_USE int hf_spool_spare_make(const struct hf_spool_spare *spare, struct hf_err *err);
void hf_spool_store_spare_end(struct hf_spool_store *store, int made);
/* Prepares a spare segment: begin, make and end in one call. */
HF_MUST_USE int hf_spool_store_prepare(struct hf_spool_store *store, struct hf_err *err);

/* Returns the stream's id, 32 hex digits. It stays the same over restarts as long as no sequence can be given out
 * twice, and changes after the folder was emptied or its end was damaged. */
const char *hf_spool_store_stream(const struct hf_spool_store *store);

/* Frees the buffer for writes. */
void hf_spool_store_trim(struct hf_spool_store *store);

struct hf_spool_stats hf_spool_store_stats(const struct hf_spool_store *store);

/* Moves the counts of dropped records since the last call into ret; an entry with 0 records ends the list. */
void hf_spool_store_take_dropped(struct hf_spool_store *store, struct hf_spool_dropped ret[HF_SPOOL_MAX_TAGS + 1]);

/* A segment as a reader needs it. */
struct hf_spool_extent {
    uint64_t first;
    uint64_t end; /* end of the durable bytes, which may be read */
    uint32_t salt;
    bool last;
};

/* Copies at most `max` extents that may hold records from `from` on, in order; returns their number. */
size_t hf_spool_store_extents(const struct hf_spool_store *store, uint64_t from, struct hf_spool_extent *ret,
                              size_t max);

/* "<dir>/<first>.seg" */
void hf_spool_segment_path(const char *dir, uint64_t first, char *path, size_t n);
