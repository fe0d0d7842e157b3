/* telemetry/delivery/batch.h - table of the batches of one lane, from the time that they are planned until the cursor
 * on disk has passed them.
 *
 *            plan                    load            send
 *   (gap) ---------> WAITING --------> LOADING --> READY --> SENDING --> DONE --> behind the cursor: removed
 *                       ^ again, deferred, split |___________________|    |
 *                       '------------------------'       REFUSED ---------'
 *
 * The sink may accept batches in any order; the cursor stops before the lowest batch that is not done. Adjacent done
 * batches become one. So a batch that cannot be delivered takes only two places of the table (its own, and one for all
 * done batches behind it), and the other batches continue.
 *
 * Pure: no clock, no file.  Memory: the table owns its batches; a pointer to a batch stays valid until
 * hf_batches_settle() removes that batch or joins it with its neighbour. */
#pragma once

#include "telemetry/delivery/border.h"
#include "telemetry/delivery/retry.h"
#include "telemetry/delivery/suspect.h"

enum hf_batch_phase {
    HF_BATCH_WAITING = 1,
    HF_BATCH_LOADING, /* the loader reads and packs the batch, and saves its border */
    HF_BATCH_READY,   /* body in memory */
    HF_BATCH_SENDING,
    HF_BATCH_REFUSED, /* the batch's only record moves to the dead letters */
    HF_BATCH_DONE,
};

enum {
    /* limit of batches that are not parts of a split batch; the remaining places of the table are for such parts */
    HF_BATCH_PLANNED = 12,
};

struct hf_batch {
    struct hf_border range;
    enum hf_batch_phase phase;
    /* part of a split batch: such parts go before other batches, and one at a time, so that there are only a few */
    bool fragment;
    bool saved; /* the border is on disk */
    /* The sink refused this batch and many others in a row. The batch gets one more attempt, after a pause; the next
     * refusal makes it a dead letter. */
    bool doubted;
    uint64_t not_before_ns;
    struct hf_retry_round retry;
    struct hf_suspect suspect;
    uint64_t unix_ns;                  /* time of the first record (0 means unknown) */
    uint64_t failed_ns;                /* time of the last failure (0 means none) */
    char reason[HF_REASON_TEXT];       /* cause of the last failure, as metrics name it */
    char detail[96];                   /* the sink's answer, truncated */
    struct hf_outlet_sending *sending; /* the batch's body in READY and SENDING; NULL in other phases */
};

struct hf_batches {
    struct hf_batch *items[HF_BORDER_MAX]; /* ordered by range */
    size_t n;
};

/* Frees the batches. Before this call, the sender must have freed their bodies. */
void hf_batches_done(struct hf_batches *batches);

/* Adds a batch. Its range must not overlap that of another batch. NULL: the table is full, or out of memory. */
struct hf_batch *hf_batches_add(struct hf_batches *batches, uint64_t first, uint64_t last, enum hf_batch_phase phase);

/* Finds the lowest run of sequences from `from` to `until` that no batch covers; false: there is none. */
bool hf_batches_gap(const struct hf_batches *batches, uint64_t from, uint64_t until, struct hf_border *ret_gap);
/* True if the table has a place for another batch that is not a part of a split batch. */
bool hf_batches_may_plan(const struct hf_batches *batches);

/* `delivered` is the sequence up to which everything was delivered so far. Returns the higher sequence up to which
 * everything is delivered now, without a gap. `durable` is the cursor on disk. Joins adjacent done batches, and removes
 * done and waiting batches up to `durable`. The table keeps done batches behind `durable`, so that their borders stay
 * on disk and a restart does not plan different batches there. */
uint64_t hf_batches_settle(struct hf_batches *batches, uint64_t delivered, uint64_t durable);

struct hf_batch_choice {
    uint64_t now_ns;
    bool newest; /* prefer the batch with the highest range, instead of the lowest */
    bool probe;  /* ignore not_before_ns */
    /* prefer a batch that never failed, then the batch whose last failure is longest ago; the batch that failed last
     * may be the cause of the failure */
    bool other;
};
/* Returns the batch to load next, or NULL. Lowers *ret_wait_until_ns to the earliest time at which a batch that must
 * still wait may go. */
struct hf_batch *hf_batches_next(const struct hf_batches *batches, const struct hf_batch_choice *choice,
                                 uint64_t *ret_wait_until_ns);

/* Splits `batch` after `middle` (first <= middle < last) and returns the second half. Returns NULL and changes nothing
 * if the table is full, holds parts of another batch, or memory runs out. */
struct hf_batch *hf_batches_split(struct hf_batches *batches, struct hf_batch *batch, uint64_t middle);

/* Call when the sink works again: lets all waiting batches go at once. */
void hf_batches_wake(struct hf_batches *batches);

/* Lists the borders (first and last sequences of batches) to save. `extra` is the border of the batch that the loader
 * plans now; the list then contains that border, too. NULL: none. */
void hf_batches_borders(const struct hf_batches *batches, const struct hf_border *extra, struct hf_borders *ret);
