/* SPDX-License-Identifier: Apache-2.0 */
/* A durable queue of records for the event loop: group commit, ordered reads, a durable cursor. A record survives a
 * power cut after `done` with r = 0. One write and one read at a time, on workers, but for writes to a fast disk.
 * Threads: loop thread only. Copies payloads. failing() gets errors' texts. */
#pragma once

#include "base/clock.h"
#include "loop/sched.h"
#include "spool/reader.h"
#include "spool/store.h"

enum {
    HF_SPOOL_BATCH_RECORDS = 512,
    HF_SPOOL_BATCH_BYTES = 128 << 10,
    /* in no write yet; beyond, hf_spool_append() returns -EAGAIN */
    HF_SPOOL_PENDING_RECORDS = 4096,
    HF_SPOOL_PENDING_BYTES = 2 << 20,
};

/* Unreadable bytes are read again for this time, then their records are lost. */
#define HF_SPOOL_UNREADABLE_NS (300 * HF_NS_PER_S)

/* False: the time is over. since_ns: first failed read; or 0. */
static inline bool hf_spool_is_patient(uint64_t since_ns, const struct hf_clock_ops *clock)
{
    return since_ns == 0 || hf_mono_ns(clock) - since_ns < HF_SPOOL_UNREADABLE_NS;
}

struct hf_spool;

struct hf_spool_params {
    struct hf_spool_store_params store;
    const struct hf_clock_ops *clock;
    const struct hf_sched_ops *sched;
    /* Writes of a lower average run on the loop thread: a worker's job costs as much. */
    uint64_t inline_below_ns;
    void (*readable)(void *arg); /* new records; may be NULL */
    /* Dropped for room (before `done` of that append), or, HF_SPOOL_TAG_LOST, durable, undelivered ones lost by the
     * disk. May be NULL. */
    void (*dropped)(void *arg, const struct hf_spool_dropped *dropped);
    /* When disk work begins to fail; NULL: succeeds again. May be NULL. */
    void (*failing)(void *arg, const struct hf_err *err);
    void *arg;
};

/* Blocks. Repairs after a crash. */
HF_MUST_USE int hf_spool_new(const struct hf_spool_params *params, struct hf_spool **ret_spool, struct hf_err *err);
/* No callback comes afterwards; may be called from one. Records without `done` may be lost. Memory goes when jobs have
 * ended. */
void hf_spool_free(struct hf_spool *spool);
HF_DEFINE_CLEANUP(struct hf_spool, hf_spool_free)
/* And gone(arg), maybe from within: only then may another spool open the folder. */
void hf_spool_close(struct hf_spool *spool, void (*gone)(void *arg), void *arg);

/* 0: queued; -EAGAIN: too many pending; -E2BIG: does not fit a segment. After 0 comes done(arg, r, sequence), with r 0:
 * durable; -EAGAIN: full, and nothing may be dropped; or the write's. `done` may be NULL. */
HF_MUST_USE int hf_spool_append(struct hf_spool *spool, uint32_t tag, struct hf_view payload,
                                void (*done)(void *arg, int r, uint64_t sequence), void *arg);

/* From `next`, at most max_records and max_bytes of payload (1 MiB or more). 0: started; -EBUSY: one runs. Unreadable
 * bytes: `done` gets -EIO for HF_SPOOL_UNREADABLE_NS (again after some seconds); then they are damage. `read`: during
 * `done`; go on at read->next. read->missing: damaged or deleted, never to come. */
HF_MUST_USE int hf_spool_read(struct hf_spool *spool, uint64_t next, size_t max_records, size_t max_bytes,
                              void (*done)(void *arg, int r, const struct hf_spool_read *read), void *arg);

/* All up to `sequence`. A crash before the cursor is saved repeats some. */
void hf_spool_deliver(struct hf_spool *spool, uint64_t sequence);

/* (stream.h); with node and sequence it identifies a record for ever. */
const char *hf_spool_stream(const struct hf_spool *spool);

/* Write buffers, unless records are pending. */
void hf_spool_trim(struct hf_spool *spool);

struct hf_spool_state {
    struct hf_spool_stats store;
    uint64_t queued;       /* durable and not delivered, including those lost since */
    uint64_t queued_bytes; /* payload; an estimate */
    uint64_t delivered;    /* or dropped; the cursor on disk may be lower */
    size_t pending_records, pending_bytes;
    uint64_t accepted, refused_full, failed; /* appends: durable; no room; not written */
    uint64_t batches;
    uint64_t last_write_ns;
    uint64_t missing; /* by the disk, each counted once */
};
struct hf_spool_state hf_spool_state(const struct hf_spool *spool);
