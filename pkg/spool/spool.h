/* spool/spool.h - a durable queue on the loop: append with group commit, read in order, deliver.
 *
 * Appends collect while a sync runs and go to disk together: nobody waits for a timer, and one sync serves all who came
 * meanwhile. `done` of an append means: survives a power cut. At most one write and one read are under way, on workers (see
 * inline_below_ns). Loop thread only. FORMAT.md says how it looks on disk. */
#pragma once

#include "base/clock.h"
#include "loop/sched.h"
#include "spool/reader.h"
#include "spool/store.h"

enum {
    HF_SPOOL_BATCH_RECORDS = 512,
    HF_SPOOL_BATCH_BYTES = 128 << 10,
    HF_SPOOL_PENDING_RECORDS = 4096, /* not yet handed to a write: above, append says -EAGAIN */
    HF_SPOOL_PENDING_BYTES = 2 << 20,
    HF_SPOOL_WRITE_BUCKETS = 12,
};

/* Upper bounds of hf_spool_state.write_buckets; the last bucket has none. */
extern const uint64_t hf_spool_write_bounds_ns[HF_SPOOL_WRITE_BUCKETS - 1];

struct hf_spool;

struct hf_spool_params {
    struct hf_spool_store_params store;
    const struct hf_clock_ops *clock;
    const struct hf_sched_ops *sched;
    /* Writes, and savings of the cursor, run on the loop itself while they usually take less than this: on a fast disk the way to a
     * worker and back takes about as long as the sync. A stall sends the next few to workers. 0: always workers. */
    uint64_t inline_below_ns;
    /* New records can be read. May be NULL. */
    void (*readable)(void *arg);
    /* Records were dropped to make room; called before the append that made it necessary is acknowledged. May be NULL. */
    void (*dropped)(void *arg, const struct hf_spool_dropped *dropped);
    void *arg;
};

/* Opens and recovers: blocks, at start only. */
HF_MUST_USE int hf_spool_new(const struct hf_spool_params *params, struct hf_spool **ret_spool, struct hf_err *err);
/* Nothing is called any more; what was not acknowledged may be lost. Memory goes when the jobs under way have ended; may be
 * called from inside a callback. */
void hf_spool_free(struct hf_spool *spool);
HF_DEFINE_CLEANUP(struct hf_spool, hf_spool_free)
/* As free; gone(arg) is called, perhaps at once, when nothing of it runs any more: only then may somebody else open the folder. */
void hf_spool_close(struct hf_spool *spool, void (*gone)(void *arg), void *arg);

/* Queue a record (payload copied). 0: `done(arg, r, sequence)` will be called, r = 0 durable, -EAGAIN full (Block), -errno not
 * stored. -EAGAIN: too much is waiting, ask again later. -E2BIG: can never fit. `done` may be NULL. */
HF_MUST_USE int hf_spool_append(struct hf_spool *spool, uint32_t tag, struct hf_view payload,
                                void (*done)(void *arg, int r, uint64_t sequence), void *arg);

/* Read from `next` on: records in order of sequence, at most max_records and max_bytes of payload (but one record always).
 * -EBUSY while another read is under way. `read` is the spool's and valid during the call; n = 0: nothing there yet. Go on from
 * read->next: what is before it and not in a read was damaged or deleted (read->missing), and will not come. */
HF_MUST_USE int hf_spool_read(struct hf_spool *spool, uint64_t next, size_t max_records, size_t max_bytes,
                              void (*done)(void *arg, int r, const struct hf_spool_read *read), void *arg);

/* All up to `sequence` is delivered. Made durable soon: a lost cursor only means that something is delivered again. */
void hf_spool_deliver(struct hf_spool *spool, uint64_t sequence);

/* Who this spool is (store.h): a receiver knows a record for ever by node, stream and sequence. Lives as long as the spool. */
const char *hf_spool_stream(const struct hf_spool *spool);

/* Nothing is expected for a while: give back the buffers of the last burst. They come again by themselves. */
void hf_spool_trim(struct hf_spool *spool);

struct hf_spool_state {
    struct hf_spool_stats store;
    uint64_t queued;       /* records durable and not delivered */
    uint64_t queued_bytes; /* their payload; about, see hf_spool_stats.waiting */
    uint64_t delivered;    /* asked for, may not be on disk yet */
    size_t pending_records, pending_bytes;
    uint64_t accepted, refused_full, failed;        /* appends by how they ended */
    uint64_t batches;                               /* writes */
    uint64_t last_write_ns;                         /* time the last write took */
    uint64_t write_ns;                              /* all of them */
    uint64_t write_buckets[HF_SPOOL_WRITE_BUCKETS]; /* how many took how long */
    uint64_t missing;                               /* sequences that were not found when they were read */
    uint64_t skipped_bytes;                         /* damage stepped over */
};
struct hf_spool_state hf_spool_state(const struct hf_spool *spool);

/* What went wrong with the last write, delivery or read, "" when it went well. Until the next call into the spool. */
const char *hf_spool_trouble(const struct hf_spool *spool);
