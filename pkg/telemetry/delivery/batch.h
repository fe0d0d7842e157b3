/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/delivery/batch.h - the batches of one lane, from planning until the cursor on disk has passed them.
 *
 *           plan                    send          delivered
 *   (gap) ------> LOADING --> READY ----> SENDING ----------> DONE --> cursor passes it: removed
 *                    ^          |          |   |                ^
 *               load |          |          |   '--> REFUSED ----'
 *                    |          v          v        dead letter is written
 *   (restart) --> WAITING <----------------' again, deferred, split
 *
 * The cursor stops before the first batch that is not done. Adjacent done batches are joined, so an undeliverable batch
 * costs two places and does not stop the others. While the policy closes the link, the backlog waits (delivery/fresh.h)
 * and batches of live records pass it.
 *
 * Pure. A pointer to a batch is valid until hf_batches_settle() removes or joins it. */
#pragma once

#include "telemetry/delivery/border.h"
#include "telemetry/delivery/retry.h"
#include "telemetry/delivery/suspect.h"

enum hf_batch_phase {
    HF_BATCH_WAITING = 1,
    HF_BATCH_LOADING, /* the loader reads and encodes it and saves its border */
    HF_BATCH_READY,   /* the body is in memory */
    HF_BATCH_SENDING,
    HF_BATCH_REFUSED, /* the sink refused its only record: a dead letter */
    HF_BATCH_DONE,
};

enum {
    /* Limit of open batches (neither done nor parts) for planning a new one. The other places are for done batches,
     * parts, and batches that pass older records. */
    HF_BATCH_PLANNED = 12,
    HF_BATCH_PASSING = 6, /* the same for a batch that passes older records; counts those that may travel */
};

struct hf_batch {
    struct hf_border range;
    enum hf_batch_phase phase;
    /* Part of a split batch. Parts go first (unless hf_batch_choice.other), one at a time. */
    bool fragment;
    /* Planned as live while the link was closed: may travel even when its records are backlog. */
    bool live;
    bool saved;
    /* A single record refused after many others in a row: one more attempt, after a pause, before it is a dead
     * letter. */
    bool doubted;
    uint64_t not_before_ns; /* monotonic end of the back-off; 0: none */
    struct hf_retry_round retry;
    struct hf_suspect suspect;
    uint64_t unix_ns;                  /* time of the first record; 0: unknown */
    uint64_t failed_ns;                /* monotonic, last failure other than HF_RETRY_SETUP; 0: none */
    char reason[HF_REASON_TEXT];       /* last failure, as a metric label */
    char detail[96];                   /* text of the last refusal or error; truncated */
    struct hf_outlet_sending *sending; /* the body in READY and SENDING, else NULL */
};

struct hf_batches {
    struct hf_batch *items[HF_BORDER_MAX];
    size_t n;
};

/* Free the bodies of the batches first. */
void hf_batches_done(struct hf_batches *batches);

/* No other batch may cover `first` to `last`. NULL: the table is full or memory ran out. */
struct hf_batch *hf_batches_add(struct hf_batches *batches, uint64_t first, uint64_t last, enum hf_batch_phase phase);

/* The first run within `from` to `until` (inclusive) that no batch covers. */
bool hf_batches_gap(const struct hf_batches *batches, uint64_t from, uint64_t until, struct hf_border *ret_gap);
bool hf_batches_may_plan(const struct hf_batches *batches);
/* May be sent now: planned as live, or begins at `from` (hf_outlet_lane_from()) or above. UINT64_MAX: none may. */
bool hf_batches_may_travel(const struct hf_batch *batch, uint64_t from);
/* Is there an open batch that may travel? */
bool hf_batches_travel(const struct hf_batches *batches, uint64_t from);
/* Counts only open batches that may travel: the others may wait for days. */
bool hf_batches_may_pass(const struct hf_batches *batches, uint64_t from);
/* The lowest sequence for a batch that passes older records: `from`; but once half of the table is in use, right after
 * the last batch that ends before `from`, so that the two join. */
uint64_t hf_batches_pass_from(const struct hf_batches *batches, uint64_t from);
/* No room even for a batch that passes older records. */
bool hf_batches_crowded(const struct hf_batches *batches);

/* Returns the sequence up to which all is delivered; `delivered` is the previous result. Joins adjacent done batches;
 * removes done and waiting ones up to `durable`, the cursor on disk. Done ones above stay, so that a restart does not
 * plan different batches for their sequences. */
uint64_t hf_batches_settle(struct hf_batches *batches, uint64_t delivered, uint64_t durable);

struct hf_batch_choice {
    uint64_t now_ns;
    bool newest; /* prefer the highest sequences */
    bool probe;  /* choose also batches in their back-off */
    /* Prefer one that never failed, then the one that failed longest ago: set if a batch's content may be why the sink
     * fails. */
    bool other;
    uint64_t from; /* as in hf_batches_may_travel() */
};
/* The batch to load next, or NULL. Lowers *ret_wait_until_ns to the earliest end of a back-off. */
struct hf_batch *hf_batches_next(const struct hf_batches *batches, const struct hf_batch_choice *choice,
                                 uint64_t *ret_wait_until_ns);

/* Splits after `middle` (first <= middle < last); returns the second half. NULL, without change: no room, open parts of
 * another batch, or no memory. */
struct hf_batch *hf_batches_split(struct hf_batches *batches, struct hf_batch *batch, uint64_t middle);

/* Ends all back-offs: the sink works again, or its credentials changed. */
void hf_batches_wake(struct hf_batches *batches);

/* For the file of borders. `extra`: one that the loader is planning, or NULL. */
void hf_batches_borders(const struct hf_batches *batches, const struct hf_border *extra, struct hf_borders *ret);
