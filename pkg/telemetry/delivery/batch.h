/* telemetry/delivery/batch.h - the batches of one lane that are planned and not yet behind the cursor. Pure.
 *
 *            plan                    load            send
 *   (gap) ---------> WAITING --------> LOADING --> READY --> SENDING --> DONE --> behind the cursor: gone
 *                       ^ again, deferred, split |___________________|    |
 *                       '------------------------'    refused: BURYING ---'
 *
 * Batches are delivered in any order; the cursor follows the lowest one that is not done. Those that are done and stand side by side
 * are joined into one, so that one that cannot be delivered costs two places however long it takes, and the others go on. */
#pragma once

#include "telemetry/delivery/border.h"
#include "telemetry/delivery/retry.h"
#include "telemetry/delivery/suspect.h"

enum hf_batch_phase {
    HF_BATCH_WAITING = 1,
    HF_BATCH_LOADING, /* read, put into its form, border being saved */
    HF_BATCH_READY,   /* body in memory */
    HF_BATCH_SENDING,
    HF_BATCH_REFUSED, /* on its way to the dead letters */
    HF_BATCH_DONE,
};

enum {
    HF_BATCH_PLANNED = 12, /* not more than this at once, so that splitting has places left */
};

struct hf_batch {
    struct hf_border range;
    enum hf_batch_phase phase;
    bool fragment; /* of one that was refused: these go first, one at a time, so that their number stays small */
    bool saved;    /* its border is on disk */
    bool doubted;  /* was refused by a sink that refuses everything: buried the next time */
    uint64_t not_before_ns;
    struct hf_retry_round retry;
    struct hf_suspect suspect;
    uint64_t unix_ns;                  /* of its first record; 0 not known yet */
    uint64_t failed_ns;                /* when it failed last; 0 never */
    char reason[HF_REASON_TEXT];       /* of the last failure */
    char detail[96];                   /* what the sink said to it, cut */
    struct hf_outlet_sending *sending; /* its body, in READY and SENDING; NULL otherwise */
};

struct hf_batches {
    struct hf_batch *items[HF_BORDER_MAX]; /* by range */
    size_t n;
};

void hf_batches_done(struct hf_batches *batches); /* frees; bodies must be gone */
/* NULL: no place or no memory. Must not overlap. */
struct hf_batch *hf_batches_add(struct hf_batches *batches, uint64_t first, uint64_t last, enum hf_batch_phase phase);

/* The lowest run of sequences from `from` to `until` that no batch has. */
bool hf_batches_gap(const struct hf_batches *batches, uint64_t from, uint64_t until, struct hf_border *ret_gap);
bool hf_batches_may_plan(const struct hf_batches *batches);

/* How far all is delivered without a hole from `delivered` on. Those that are done are joined; those behind `durable` are removed:
 * until the cursor on disk has passed them they are remembered, or a restart would plan other borders there. */
uint64_t hf_batches_settle(struct hf_batches *batches, uint64_t delivered, uint64_t durable);

struct hf_batch_choice {
    uint64_t now_ns;
    bool newest; /* the highest one first, not the lowest */
    bool probe;  /* whether or not its time has come */
    bool other;  /* the one that failed longest ago, or never: the last one may have been to blame itself */
};
/* The one that should be loaded next, or NULL. *ret_wait_until_ns (never raised): when one may be that waits now. */
struct hf_batch *hf_batches_next(const struct hf_batches *batches, const struct hf_batch_choice *choice,
                                 uint64_t *ret_wait_until_ns);

/* In two: `batch` ends at `middle` (first <= middle < last), the rest is another one. NULL: no place yet, nothing changed. */
struct hf_batch *hf_batches_split(struct hf_batches *batches, struct hf_batch *batch, uint64_t middle);

/* The network is back: those that wait need not any longer. */
void hf_batches_wake(struct hf_batches *batches);

/* For the file; those that were never loaded have no border yet. `extra`: one more that is being loaded, NULL none. */
void hf_batches_borders(const struct hf_batches *batches, const struct hf_border *extra, struct hf_borders *ret);
