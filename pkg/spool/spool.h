/* SPDX-License-Identifier: Apache-2.0 */
/* A durable queue of records for the event loop, with ordered reads and a durable cursor. Writes run on a worker unless
 * the disk is fast. Once `done` of hf_spool_append() got r = 0, the record survives a power cut. Loop thread only.
 * Copies payloads. */
#pragma once

#include "base/clock.h"
#include "loop/sched.h"
#include "spool/reader.h"
#include "spool/store.h"

enum {
    HF_SPOOL_BATCH_RECORDS = 512,
    HF_SPOOL_BATCH_BYTES = 128 << 10,
    /* records in no write yet; at this number hf_spool_append() returns -EAGAIN */
    HF_SPOOL_PENDING_RECORDS = 4096,
    HF_SPOOL_PENDING_BYTES = 2 << 20,
};

/* Unreadable bytes are read again for this time, then count as lost. */
#define HF_SPOOL_UNREADABLE_NS (300 * HF_NS_PER_S)

/* Whether HF_SPOOL_UNREADABLE_NS is not over yet. since_ns: first failed read, or 0. */
static inline bool hf_spool_is_patient(uint64_t since_ns, const struct hf_clock_ops *clock)
{
    return since_ns == 0 || hf_mono_ns(clock) - since_ns < HF_SPOOL_UNREADABLE_NS;
}

struct hf_spool;

struct hf_spool_params {
    struct hf_spool_store_params store;
    const struct hf_clock_ops *clock;
    const struct hf_sched_ops *sched;
    /* While a write takes less than this on average, most writes run on the loop thread. */
    uint64_t inline_below_ns;
    void (*readable)(void *arg); /* may be NULL */
    /* Records were dropped for room, or (HF_SPOOL_TAG_LOST) lost by the disk before delivery; the list ends at 0
     * records. May be NULL. */
    void (*dropped)(void *arg, const struct hf_spool_dropped *dropped);
    /* The disk begins to fail, or (`err` NULL) works again. May be NULL. */
    void (*failing)(void *arg, const struct hf_err *err);
    void *arg;
};

/* Opens the queue. Blocks. */
HF_MUST_USE int hf_spool_new(const struct hf_spool_params *params, struct hf_spool **ret_spool, struct hf_err *err);
/* Ends the queue; no callback comes afterwards. May be called from a callback. Records without `done` may be lost. */
void hf_spool_free(struct hf_spool *spool);
HF_DEFINE_CLEANUP(struct hf_spool, hf_spool_free)
/* Ends the queue like hf_spool_free(). Calls gone(arg), maybe before it returns, once another spool may open the
 * folder. */
void hf_spool_close(struct hf_spool *spool, void (*gone)(void *arg), void *arg);

/* Queues a record. -EAGAIN: too many are pending; -E2BIG: it does not fit a segment. After 0 comes done(arg, r,
 * sequence); r is 0: durable; -EAGAIN: the spool is full, and may drop nothing; others: the write failed. `done` may be
 * NULL. */
HF_MUST_USE int hf_spool_append(struct hf_spool *spool, uint32_t tag, struct hf_view payload,
                                void (*done)(void *arg, int r, uint64_t sequence), void *arg);

/* Reads from `next` on, at most max_records and max_bytes (1 MiB or more). -EBUSY: a read runs. *read is valid during
 * `done`; continue at read->next. For unreadable bytes `done` may get -EIO during HF_SPOOL_UNREADABLE_NS; then they
 * count as missing. */
HF_MUST_USE int hf_spool_read(struct hf_spool *spool, uint64_t next, size_t max_records, size_t max_bytes,
                              void (*done)(void *arg, int r, const struct hf_spool_read *read), void *arg);

/* Marks all records up to `sequence` as delivered. After a crash some may be read again. */
void hf_spool_deliver(struct hf_spool *spool, uint64_t sequence);

/* The stream (stream.h), node and sequence identify a record for ever. */
const char *hf_spool_stream(const struct hf_spool *spool);

void hf_spool_trim(struct hf_spool *spool);

struct hf_spool_state {
    struct hf_spool_stats store;
    uint64_t queued;       /* durable and not delivered, even if lost since */
    uint64_t queued_bytes; /* payload; an estimate */
    uint64_t delivered;    /* all up to here is delivered or dropped; the cursor on disk may be lower */
    size_t pending_records, pending_bytes;
    uint64_t accepted, refused_full, failed; /* appends that became durable, found no room, were not written */
    uint64_t batches;
    uint64_t last_write_ns;
    uint64_t missing; /* records that the disk lost */
};
struct hf_spool_state hf_spool_state(const struct hf_spool *spool);
