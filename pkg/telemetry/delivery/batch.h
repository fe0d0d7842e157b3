/* telemetry/delivery/batch.h - table of the batches of one lane between planning and the cursor on disk.
 *
 *            plan                    load            send
 *   (gap) ---------> WAITING --------> LOADING --> READY --> SENDING --> DONE --> behind the cursor: removed
 *                       ^ again, deferred, split |___________________|    |
 *                       '------------------------'       REFUSED ---------'
 *
 * Batches are delivered in any order; the cursor stops before the lowest one that is not done. Adjacent done batches
 * become one, so a batch that cannot be delivered takes two places of the table however long that lasts, and the
 * others continue.
 *
 * Pure: no clock, no file.  Memory: the table owns its batches; a pointer stays valid until hf_batches_settle()
 * removes the batch. */
#pragma once

#include "telemetry/delivery/border.h"
#include "telemetry/delivery/retry.h"
#include "telemetry/delivery/suspect.h"

enum hf_batch_phase {
    HF_BATCH_WAITING = 1,
    HF_BATCH_LOADING, /* the loader reads and packs the batch, and saves its border */
    HF_BATCH_READY,   /* body in memory */
    HF_BATCH_SENDING,
    HF_BATCH_REFUSED, /* the record moves to the dead letters */
    HF_BATCH_DONE,
};

enum {
    /* limit of batches that were not split; the remaining places of the table are for parts of split batches */
    HF_BATCH_PLANNED = 12,
};

struct hf_batch {
    struct hf_border range;
    enum hf_batch_phase phase;
    bool fragment; /* part of a split batch: goes first, one at a time, so that fragments stay few */
    bool saved;    /* the border is on disk */
    bool
        doubted; /* the sink refused it together with everything else: the next refusal makes the batch a dead letter */
    uint64_t not_before_ns;
    struct hf_retry_round retry;
    struct hf_suspect suspect;
    uint64_t unix_ns;                  /* time of the first record; 0: unknown */
    uint64_t failed_ns;                /* time of the last failure; 0: none */
    char reason[HF_REASON_TEXT];       /* cause of the last failure, as in metrics */
    char detail[96];                   /* the sink's answer, truncated */
    struct hf_outlet_sending *sending; /* its body, in READY and SENDING; NULL otherwise */
};

struct hf_batches {
    struct hf_batch *items[HF_BORDER_MAX]; /* ordered by range */
    size_t n;
};

/* Frees the batches; the sender must have freed their bodies before. */
void hf_batches_done(struct hf_batches *batches);

/* Adds a batch; its range must not overlap another. NULL: the table is full, or out of memory. */
struct hf_batch *hf_batches_add(struct hf_batches *batches, uint64_t first, uint64_t last, enum hf_batch_phase phase);

/* Finds the lowest run of sequences from `from` to `until` that no batch covers; false: there is none. */
bool hf_batches_gap(const struct hf_batches *batches, uint64_t from, uint64_t until, struct hf_border *ret_gap);
/* True if the table has a place for another whole batch. */
bool hf_batches_may_plan(const struct hf_batches *batches);

/* Returns the sequence up to which everything from `delivered` on is delivered without a gap. Joins adjacent done
 * batches and removes those up to `durable`, the cursor on disk; the table keeps the others, because a restart would
 * otherwise plan different batches there. */
uint64_t hf_batches_settle(struct hf_batches *batches, uint64_t delivered, uint64_t durable);

struct hf_batch_choice {
    uint64_t now_ns;
    bool newest; /* prefer the highest range, not the lowest */
    bool probe;  /* ignore not_before_ns */
    /* prefer the batch that never failed or failed longest ago: the batch that failed last may be the cause of the
     * failure */
    bool other;
};
/* Returns the batch to load next, or NULL. Lowers *ret_wait_until_ns to the time when a waiting batch may go. */
struct hf_batch *hf_batches_next(const struct hf_batches *batches, const struct hf_batch_choice *choice,
                                 uint64_t *ret_wait_until_ns);

/* Splits `batch` after `middle` (first <= middle < last) and returns the second half. NULL, and nothing changed: the
 * table is full, or it holds parts of another batch. */
struct hf_batch *hf_batches_split(struct hf_batches *batches, struct hf_batch *batch, uint64_t middle);

/* Lets waiting batches go at once, because the sink works again. */
void hf_batches_wake(struct hf_batches *batches);

/* Lists the borders (first and last sequences of batches) to save. `extra`: border of the batch that the loader
 * plans now, to be saved with them; NULL: none. */
void hf_batches_borders(const struct hf_batches *batches, const struct hf_border *extra, struct hf_borders *ret);
