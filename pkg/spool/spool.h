/* SPDX-License-Identifier: Apache-2.0 */
/* spool/spool.h - a durable queue of records for code on the event loop. It appends records with group commit, returns
 * them in order, and keeps a cursor on disk: all records up to the cursor are delivered.
 *
 * Appends that come while a sync runs wait for the end of that sync. One write and one sync then serve all these
 * appends, up to HF_SPOOL_BATCH_RECORDS and HF_SPOOL_BATCH_BYTES. No timer delays an append. If the spool calls `done`
 * of an append with r = 0, the record survives a power cut. At most one write and one read run at a time. They run on
 * workers, except for writes on a fast disk (inline_below_ns). FORMAT.md describes the files.
 *
 * Threads: loop thread only. Memory: the spool copies payloads. Errors: -errno; the callback failing() receives the
 * text. */
#pragma once

#include "base/clock.h"
#include "loop/sched.h"
#include "spool/reader.h"
#include "spool/store.h"

enum {
    HF_SPOOL_BATCH_RECORDS = 512,
    HF_SPOOL_BATCH_BYTES = 128 << 10,
    /* limits for the records that no write has taken yet; beyond these limits, hf_spool_append() returns -EAGAIN */
    HF_SPOOL_PENDING_RECORDS = 4096,
    HF_SPOOL_PENDING_BYTES = 2 << 20,
    HF_SPOOL_WRITE_BUCKETS = 12,
};

/* Time for which the spool tries again to read bytes that the medium does not give back, before it counts the records
 * there as lost. */
#define HF_SPOOL_UNREADABLE_NS (300 * HF_NS_PER_S)

/* Returns true while that time lasts. `since_ns` is the monotonic time of the first read that failed, or 0 if none
 * has. */
static inline bool hf_spool_is_patient(uint64_t since_ns, const struct hf_clock_ops *clock)
{
    return since_ns == 0 || hf_mono_ns(clock) - since_ns < HF_SPOOL_UNREADABLE_NS;
}

/* Upper bounds, in nanoseconds, of the buckets in hf_spool_state.write_buckets. The last bucket has no upper bound. */
extern const uint64_t hf_spool_write_bounds_ns[HF_SPOOL_WRITE_BUCKETS - 1];

struct hf_spool;

struct hf_spool_params {
    struct hf_spool_store_params store;
    const struct hf_clock_ops *clock;
    const struct hf_sched_ops *sched;
    /* While writes take less than inline_below_ns on average, the spool writes records, and saves the cursor, on the
     * loop thread. The reason: on a fast disk a worker job costs about as much time as the sync. After a slow write,
     * the next few writes go to workers. If inline_below_ns is 0, all writes go to workers. */
    uint64_t inline_below_ns;
    /* The spool calls this when there are new records to read. May be NULL. */
    void (*readable)(void *arg);
    /* The spool calls this when records were dropped to make room, before it calls `done` of the append that
     * needed the room; and, with the tag HF_SPOOL_TAG_LOST, when it has found that the disk lost records that were
     * durable and not delivered: at the latest when a read comes to their place. May be NULL. */
    void (*dropped)(void *arg, const struct hf_spool_dropped *dropped);
    /* The spool calls this with the error when its disk work begins to fail, and with NULL when a write or a save of
     * the cursor succeeds again. May be NULL. */
    void (*failing)(void *arg, const struct hf_err *err);
    void *arg;
};

/* Opens the folder and repairs what a crash left behind. The function blocks the loop thread while it reads files. */
HF_MUST_USE int hf_spool_new(const struct hf_spool_params *params, struct hf_spool **ret_spool, struct hf_err *err);
/* Ends the spool. After this call the spool calls none of its callbacks. Records whose `done` it has not called may be
 * lost. The spool frees its memory once the running jobs have ended. A callback of the spool may call this function. */
void hf_spool_free(struct hf_spool *spool);
HF_DEFINE_CLEANUP(struct hf_spool, hf_spool_free)
/* Ends the spool like hf_spool_free(), and calls gone(arg) when no job of the spool runs any more. That call may come
 * before this function returns. Another spool may open the folder only after gone() was called. */
void hf_spool_close(struct hf_spool *spool, void (*gone)(void *arg), void *arg);

/* Queues a copy of the payload. Returns 0 if the record is queued, -EAGAIN if too many records are pending (try again
 * later), -E2BIG if the record is too large for a segment, or -ENOMEM. After a return of 0, the spool calls done(arg,
 * r, sequence) once the write has ended. The argument r is 0 if the record is durable, -EAGAIN if the spool is full and
 * has nothing that it may drop, or another -errno if the write failed. `done` may be NULL. */
HF_MUST_USE int hf_spool_append(struct hf_spool *spool, uint32_t tag, struct hf_view payload,
                                void (*done)(void *arg, int r, uint64_t sequence), void *arg);

/* Reads records from `next` on, in order of sequence, and passes them to `done`. A read has at most max_records
 * records, and payloads of at most max_bytes bytes in total (a max_bytes below 1 MiB counts as 1 MiB). Returns 0 if the
 * read has started, -EBUSY while another read runs, or another -errno. If the medium does not give back some bytes,
 * `done` gets -EIO for HF_SPOOL_UNREADABLE_NS; try again after some seconds. After that time, these bytes count as
 * damage. `read` belongs to the spool and is valid only during the call of `done`; read->n is 0 if there is nothing to
 * read now. Pass read->next as `next` of the next read. read->missing counts the records before read->next that are
 * damaged or deleted; no later read returns these. */
HF_MUST_USE int hf_spool_read(struct hf_spool *spool, uint64_t next, size_t max_records, size_t max_bytes,
                              void (*done)(void *arg, int r, const struct hf_spool_read *read), void *arg);

/* Marks all records up to `sequence` (inclusive) as delivered, and saves the cursor soon afterwards. If a crash comes
 * before the save, reads begin at the old cursor after the restart, and some records are delivered a second time. */
void hf_spool_deliver(struct hf_spool *spool, uint64_t sequence);

/* Returns the stream's id (store.h). Stream id, node and sequence together identify a record; no other record ever has
 * the same three values. The string is valid as long as the spool. */
const char *hf_spool_stream(const struct hf_spool *spool);

/* Frees the buffers for writes unless records are pending. The spool allocates new buffers on demand. */
void hf_spool_trim(struct hf_spool *spool);

struct hf_spool_state {
    struct hf_spool_stats store;
    /* number of records that became durable and are not delivered; includes records that a damaged disk has lost since
     * then */
    uint64_t queued;
    uint64_t queued_bytes; /* payload bytes of the queued records, as approximate as hf_spool_stats.waiting */
    /* highest sequence that the caller has reported as delivered or that the store has dropped; the cursor on disk may
     * be lower */
    uint64_t delivered;
    size_t pending_records, pending_bytes;
    /* numbers of appends: durable records, records refused because the spool was full, and records that could not be
     * written */
    uint64_t accepted, refused_full, failed;
    uint64_t batches;                               /* number of writes so far */
    uint64_t last_write_ns;                         /* duration of the last write */
    uint64_t write_ns;                              /* total duration of all writes */
    uint64_t write_buckets[HF_SPOOL_WRITE_BUCKETS]; /* number of writes in each bucket of hf_spool_write_bounds_ns */
    uint64_t missing;                               /* number of records that the disk lost, each counted once */
    uint64_t skipped_bytes;                         /* bytes of damage that reads skipped */
};
struct hf_spool_state hf_spool_state(const struct hf_spool *spool);
