/* SPDX-License-Identifier: Apache-2.0 */
/* The batches of one lane, from planning until the cursor on disk has passed them. The cursor stops before the first
 * batch that is not done. Pure. A pointer to a batch is valid until hf_batches_settle(). */
#pragma once

#include "telemetry/delivery/border.h"
#include "telemetry/delivery/retry.h"
#include "telemetry/delivery/suspect.h"

enum hf_batch_phase {
    HF_BATCH_WAITING = 1,
    HF_BATCH_LOADING, /* the loader makes its body */
    HF_BATCH_READY,
    HF_BATCH_SENDING,
    HF_BATCH_REFUSED, /* its records become dead letters */
    HF_BATCH_DONE,
};

enum {
    /* With this many not done (parts of a split batch do not count), only passing batches are planned. */
    HF_BATCH_PLANNED = 12,
    HF_BATCH_PASSING = 6, /* A batch that passes older records is planned only while fewer than this may travel. */
};

struct hf_batch {
    struct hf_border range;
    enum hf_batch_phase phase;
    /* Part of a split batch. Parts usually go first, one at a time. */
    bool fragment;
    /* Planned as live, while the link was closed. It may be sent even if its records have become backlog. */
    bool live;
    bool saved;
    /* A single record, refused after many others: tried once more before it is a dead letter. */
    bool doubted;
    uint64_t not_before_ns;
    struct hf_retry_round retry;
    struct hf_suspect suspect;
    uint64_t unix_ns;            /* time of the first record */
    uint64_t failed_ns;          /* time of the last failure with HF_RETRY_AGAIN */
    char reason[HF_REASON_TEXT]; /* cause of the last failure, a metric label */
    char detail[96];
    struct hf_outlet_sending *sending;
};

struct hf_batches {
    struct hf_batch *items[HF_BORDER_MAX];
    size_t n;
};

/* The batches' bodies must be freed before. */
void hf_batches_done(struct hf_batches *batches);

/* Adds a batch, which must not overlap others. NULL: the table is full, or no memory. */
struct hf_batch *hf_batches_add(struct hf_batches *batches, uint64_t first, uint64_t last, enum hf_batch_phase phase);

/* Finds the first sequences in [from, until] without a batch. False: all have a batch. */
bool hf_batches_gap(const struct hf_batches *batches, uint64_t from, uint64_t until, struct hf_border *ret_gap);
bool hf_batches_may_plan(const struct hf_batches *batches);
/* Whether the link lets the batch be sent: it is live, or begins at `from` (hf_outlet_lane_from()) or above; never if
 * `from` is UINT64_MAX. */
bool hf_batches_may_travel(const struct hf_batch *batch, uint64_t from);
bool hf_batches_travel(const struct hf_batches *batches, uint64_t from);
bool hf_batches_may_pass(const struct hf_batches *batches, uint64_t from);
/* Returns where a batch that passes older records may begin: at `from`, or, when the table is half full, right after
 * the last batch before `from`, so that the two batches can be joined. */
uint64_t hf_batches_pass_from(const struct hf_batches *batches, uint64_t from);
/* Whether the table is too full even for a batch that passes older records. */
bool hf_batches_crowded(const struct hf_batches *batches);

/* Joins adjacent done batches, and removes done and waiting ones up to `durable`, the cursor on disk. Returns the
 * sequence up to which all is done; `delivered` is its last result. */
uint64_t hf_batches_settle(struct hf_batches *batches, uint64_t delivered, uint64_t durable);

struct hf_batch_choice {
    uint64_t now_ns;
    bool newest;
    bool probe; /* also choose batches in back-off */
    /* choose a batch that never failed, otherwise the one that failed longest ago */
    bool other;
    uint64_t from;
};
/* Returns the batch to load next, or NULL. Lowers *ret_wait_until_ns to the earliest end of a back-off. */
struct hf_batch *hf_batches_next(const struct hf_batches *batches, const struct hf_batch_choice *choice,
                                 uint64_t *ret_wait_until_ns);

/* Splits a batch after `middle` (first <= middle < last); returns the second half. NULL: no room or memory, or another
 * batch has open parts. */
struct hf_batch *hf_batches_split(struct hf_batches *batches, struct hf_batch *batch, uint64_t middle);

void hf_batches_wake(struct hf_batches *batches);

/* `extra`: the border of a batch being planned, or NULL. */
void hf_batches_borders(const struct hf_batches *batches, const struct hf_border *extra, struct hf_borders *ret);
