/* spool/spool.h - a durable queue on the loop: append with group commit, read in order, deliver.
 *
 * Appends collect while a sync runs and go to the disk together: no timer delays them, and one sync serves all that
 * came meanwhile. An append's `done` with r = 0 means that the record survives a power cut. At most one write and one
 * read run at a time, on workers (but see inline_below_ns). FORMAT.md describes the files.
 *
 * Threads: loop thread only. Memory: the spool copies payloads. Errors: -errno; hf_spool_trouble() has the text of the
 * last failure. */
#pragma once

#include "base/clock.h"
#include "loop/sched.h"
#include "spool/reader.h"
#include "spool/store.h"

enum {
    HF_SPOOL_BATCH_RECORDS = 512,
    HF_SPOOL_BATCH_BYTES = 128 << 10,
    /* limit of records that no write has taken yet: above it, append returns -EAGAIN */
    HF_SPOOL_PENDING_RECORDS = 4096,
    HF_SPOOL_PENDING_BYTES = 2 << 20,
    HF_SPOOL_WRITE_BUCKETS = 12,
};

/* Upper bounds of hf_spool_state.write_buckets; the last bucket has no bound. */
extern const uint64_t hf_spool_write_bounds_ns[HF_SPOOL_WRITE_BUCKETS - 1];

struct hf_spool;

struct hf_spool_params {
    struct hf_spool_store_params store;
    const struct hf_clock_ops *clock;
    const struct hf_sched_ops *sched;
    /* The spool writes records and saves the cursor on the loop itself as long as this usually takes less than
     * inline_below_ns: on a fast disk the way to a worker and back takes about as long as the sync. After a stall
     * the next few writes go to workers. 0: all writes go to workers. */
    uint64_t inline_below_ns;
    /* Called when there are new records. May be NULL. */
    void (*readable)(void *arg);
    /* Called when the store dropped records to make room, before it acknowledges the append that needed the room. May
     * be NULL. */
    void (*dropped)(void *arg, const struct hf_spool_dropped *dropped);
    void *arg;
};

/* Opens and recovers the folder. Blocks, so call it at start only. */
HF_MUST_USE int hf_spool_new(const struct hf_spool_params *params, struct hf_spool **ret_spool, struct hf_err *err);
/* Makes no more calls; records without an acknowledgement may be lost. Frees the memory when the running jobs have
 * ended. May be called from inside a callback. */
void hf_spool_free(struct hf_spool *spool);
HF_DEFINE_CLEANUP(struct hf_spool, hf_spool_free)
/* Does the same as hf_spool_free(), and calls gone(arg), perhaps at once, when no job runs any more: only then may
 * another spool open the folder. */
void hf_spool_close(struct hf_spool *spool, void (*gone)(void *arg), void *arg);

/* Queues a copy of the payload. 0: the spool calls `done(arg, r, sequence)` later, with r = 0: durable, -EAGAIN: full
 * (Block), or -errno: not stored. -EAGAIN: too many records are pending, try again later. -E2BIG: it never fits. `done`
 * may be NULL. */
HF_MUST_USE int hf_spool_append(struct hf_spool *spool, uint32_t tag, struct hf_view payload,
                                void (*done)(void *arg, int r, uint64_t sequence), void *arg);

/* Reads records from `next` on, in order of sequence, at most max_records and max_bytes of payload (but always one
 * record). -EBUSY: another read is running. `read` belongs to the spool and is valid during the call; n = 0: there is
 * nothing yet. Continue at read->next: earlier records that are not in a read are damaged or deleted (read->missing)
 * and will not come. */
HF_MUST_USE int hf_spool_read(struct hf_spool *spool, uint64_t next, size_t max_records, size_t max_bytes,
                              void (*done)(void *arg, int r, const struct hf_spool_read *read), void *arg);

/* Records that everything up to `sequence` is delivered. The spool saves the cursor soon; if a crash loses it,
 * records are delivered again. */
void hf_spool_deliver(struct hf_spool *spool, uint64_t sequence);

/* Returns the stream's id (store.h): with the node and the sequence it names a record for ever. Valid as long as the
 * spool. */
const char *hf_spool_stream(const struct hf_spool *spool);

/* Gives back the buffers of the last burst; the spool allocates them again on demand. */
void hf_spool_trim(struct hf_spool *spool);

struct hf_spool_state {
    struct hf_spool_stats store;
    uint64_t queued;       /* records that are durable and not delivered */
    uint64_t queued_bytes; /* payload bytes of these; approximate, see hf_spool_stats.waiting */
    uint64_t delivered;    /* sequence up to which the caller reported delivery; the disk may lag behind */
    size_t pending_records, pending_bytes;
    uint64_t accepted, refused_full, failed;        /* appends by result */
    uint64_t batches;                               /* number of writes */
    uint64_t last_write_ns;                         /* duration of the last write */
    uint64_t write_ns;                              /* total duration of all writes */
    uint64_t write_buckets[HF_SPOOL_WRITE_BUCKETS]; /* number of writes by duration */
    uint64_t missing;                               /* sequences that reads did not find */
    uint64_t skipped_bytes;                         /* bytes of damage that reads skipped */
};
struct hf_spool_state hf_spool_state(const struct hf_spool *spool);

/* Text of the last failed write, delivery or read, "" if the last one succeeded. Valid until the next call into the
 * spool. */
const char *hf_spool_trouble(const struct hf_spool *spool);
