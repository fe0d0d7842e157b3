/* SPDX-License-Identifier: Apache-2.0 */
/* The batches of one lane, from planning until the cursor on disk has passed them.
 *
 * The cursor stops before the first batch that is not done. While the link is closed, the backlog waits
 * (delivery/fresh.h) and live batches pass it.
 *
 * Pure. A pointer to a batch is valid until hf_batches_settle() removes or joins it. */
#pragma once

#include "telemetry/delivery/border.h"
#include "telemetry/delivery/retry.h"
#include "telemetry/delivery/suspect.h"

enum hf_batch_phase {
    HF_BATCH_WAITING = 1,
    HF_BATCH_LOADING, /* reads, encodes, saves the border */
    HF_BATCH_READY,   /* body in memory */
    HF_BATCH_SENDING,
    HF_BATCH_REFUSED, /* becomes dead letters: one record, or records of another boundary */
    HF_BATCH_DONE,
};

enum {
    /* Limit of open batches (neither done nor parts) for a plan; the other places are for done ones, parts, and batches
     * that pass older records. */
    HF_BATCH_PLANNED = 12,
    HF_BATCH_PASSING = 6, /* open ones that may travel, for one that passes older records */
};

struct hf_batch {
    struct hf_border range;
    enum hf_batch_phase phase;
    /* Part of a split batch: goes first, one at a time, unless hf_batch_choice.other. */
    bool fragment;
    /* Planned as live over a closed link: may travel even when its records are backlog. */
    bool live;
    bool saved;
    /* One record, refused after many others: tried once more after a pause before it is a dead letter. */
    bool doubted;
    uint64_t not_before_ns;
    struct hf_retry_round retry;
    struct hf_suspect suspect;
    uint64_t unix_ns;                  /* first record's */
    uint64_t failed_ns;                /* not for HF_RETRY_SETUP */
    char reason[HF_REASON_TEXT];       /* of the last failure, a metric label */
    char detail[96];                   /* last refusal or error, cut */
    struct hf_outlet_sending *sending; /* READY, SENDING */
};

struct hf_batches {
    struct hf_batch *items[HF_BORDER_MAX];
    size_t n;
};

/* Free the batches' bodies before. */
void hf_batches_done(struct hf_batches *batches);

/* No other batch may cover the range. NULL: full, or no memory. */
struct hf_batch *hf_batches_add(struct hf_batches *batches, uint64_t first, uint64_t last, enum hf_batch_phase phase);

/* The first run within [from, until] that no batch covers. */
bool hf_batches_gap(const struct hf_batches *batches, uint64_t from, uint64_t until, struct hf_border *ret_gap);
bool hf_batches_may_plan(const struct hf_batches *batches);
/* Planned as live, or begins at `from` (hf_outlet_lane_from()) or above. UINT64_MAX: none may. */
bool hf_batches_may_travel(const struct hf_batch *batch, uint64_t from);
/* May any open batch travel? */
bool hf_batches_travel(const struct hf_batches *batches, uint64_t from);
/* As hf_batches_may_plan(), for a batch that passes older records. */
bool hf_batches_may_pass(const struct hf_batches *batches, uint64_t from);
/* Lowest sequence for a batch that passes older records: `from`; with half of the table in use, right after the last
 * batch before `from`, so that they join. */
uint64_t hf_batches_pass_from(const struct hf_batches *batches, uint64_t from);
/* True: no place even for a batch that passes older records. */
bool hf_batches_crowded(const struct hf_batches *batches);

/* Returns up to where all is delivered; `delivered`: the last result. Joins done neighbours; removes done and waiting
 * ones up to `durable`, the cursor on disk. Done ones above stay: after a restart no other batches may cover them. */
uint64_t hf_batches_settle(struct hf_batches *batches, uint64_t delivered, uint64_t durable);

struct hf_batch_choice {
    uint64_t now_ns;
    bool newest; /* highest first */
    bool probe;  /* also in back-off */
    /* One that never failed, then the one that failed longest ago: maybe a batch's content is why the sink fails. */
    bool other;
    uint64_t from; /* hf_batches_may_travel() */
};
/* The batch to load next, or NULL. Lowers *ret_wait_until_ns to the earliest end of a back-off. */
struct hf_batch *hf_batches_next(const struct hf_batches *batches, const struct hf_batch_choice *choice,
                                 uint64_t *ret_wait_until_ns);

/* Splits after `middle` (first <= middle < last); returns the second half. NULL, unchanged: no place, open parts of
 * another, no memory. */
struct hf_batch *hf_batches_split(struct hf_batches *batches, struct hf_batch *batch, uint64_t middle);

/* Ends all back-offs: the sink works again, or its credentials changed. */
void hf_batches_wake(struct hf_batches *batches);

/* `extra`: one that is being planned, or NULL. */
void hf_batches_borders(const struct hf_batches *batches, const struct hf_border *extra, struct hf_borders *ret);
