/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/delivery/batch.h - table of the batches of one lane. The table holds each batch from the moment when it is
 * planned until the cursor on disk has passed all records of the batch.
 *
 *           plan                    send          delivered
 *   (gap) ------> LOADING --> READY ----> SENDING ----------> DONE --> cursor passes it: removed
 *                    ^          |          |   |                ^
 *               load |          |          |   '--> REFUSED ----'
 *                    |          v          v        dead letter is written
 *   (restart) --> WAITING <----------------' again, deferred, split
 *
 * The sink may accept batches in any order; the cursor stops before the first batch (in the order of sequences) that is
 * not done. The table joins adjacent done batches into one batch. So a batch that cannot be delivered takes only two
 * places of the table, one for itself and one for all done batches that follow it, and does not stop the other batches.
 *
 * While the policy closes the link, the backlog waits (delivery/fresh.h), but batches of live records are sent. Such a
 * batch passes by older records.
 *
 * Pure. Memory: the table owns its batches; a pointer to a batch stays valid until hf_batches_settle() removes that
 * batch or joins it with an adjacent batch. */
#pragma once

#include "telemetry/delivery/border.h"
#include "telemetry/delivery/retry.h"
#include "telemetry/delivery/suspect.h"

enum hf_batch_phase {
    HF_BATCH_WAITING = 1,
    HF_BATCH_LOADING, /* the loader reads the batch, makes its body, and saves its border */
    HF_BATCH_READY,   /* the body of the batch is in memory */
    HF_BATCH_SENDING,
    /* the sink refused the only record of the batch; the loader moves this record to the dead letters */
    HF_BATCH_REFUSED,
    HF_BATCH_DONE,
};

enum {
    /* A new batch is planned only while the table holds fewer open batches than this. A batch is open if it is neither
     * done nor a part of a split batch. The other places are for done batches, for parts, and for batches that pass by
     * older records. */
    HF_BATCH_PLANNED = 12,
    /* A new batch that passes by older records is planned only while fewer open batches than this may travel
     * (hf_batches_may_travel()). */
    HF_BATCH_PASSING = 6,
};

struct hf_batch {
    struct hf_border range;
    enum hf_batch_phase phase;
    /* True if this batch is a part of a split batch. Parts that may be sent go before other batches, unless
     * hf_batch_choice.other is set. The outlet sends one part at a time, so that the table holds only a few parts. */
    bool fragment;
    /* true if the batch was planned as live while the link was closed; such a batch may travel over the closed link
     * even after its records have become backlog */
    bool live;
    bool saved; /* true if the border of the batch is on disk */
    /* True if this batch has a single record, and the sink refused it after many refusals of single records in a row.
     * The batch then gets one more attempt, after a pause. The next refusal makes the record a dead letter. */
    bool doubted;
    uint64_t not_before_ns; /* monotonic time at which the back-off ends (0 means no back-off) */
    struct hf_retry_round retry;
    struct hf_suspect suspect;
    uint64_t unix_ns; /* time of the batch's first record (0 means unknown) */
    /* monotonic time of the batch's last failed attempt, not counting HF_RETRY_SETUP (0 means none) */
    uint64_t failed_ns;
    char reason[HF_REASON_TEXT]; /* cause of the batch's last failure, in the form of a label of metrics */
    /* text of the last answer that refused the batch, or of the error if no answer came; truncated */
    char detail[96];
    struct hf_outlet_sending *sending; /* the batch's body in READY and SENDING; NULL in other phases */
};

struct hf_batches {
    struct hf_batch *items[HF_BORDER_MAX]; /* the batches, ordered by their sequences */
    size_t n;
};

/* Frees all batches. The caller must free the bodies of the batches before this call. */
void hf_batches_done(struct hf_batches *batches);

/* Adds a batch with the sequences `first` to `last`, which no other batch may cover. Returns NULL if the table is full
 * or memory runs out. */
struct hf_batch *hf_batches_add(struct hf_batches *batches, uint64_t first, uint64_t last, enum hf_batch_phase phase);

/* Finds the first run of sequences from `from` to `until` (inclusive) that no batch covers. Returns false if batches
 * cover all these sequences. */
bool hf_batches_gap(const struct hf_batches *batches, uint64_t from, uint64_t until, struct hf_border *ret_gap);
/* Returns true if a new batch may be planned: the table has fewer than HF_BATCH_PLANNED open batches and is not
 * crowded. */
bool hf_batches_may_plan(const struct hf_batches *batches);
/* Returns true if this batch may travel: the link lets the outlet send it now. A batch that was not planned as live may
 * travel only if it begins at the sequence `from` or above. If `from` is UINT64_MAX, no batch may travel.
 * hf_outlet_lane_from() computes `from`. */
bool hf_batches_may_travel(const struct hf_batch *batch, uint64_t from);
/* Returns true if the table has a batch that is not done and may travel. */
bool hf_batches_travel(const struct hf_batches *batches, uint64_t from);
/* Returns true if a new batch that passes by older records may be planned. Counts only open batches that may travel
 * (HF_BATCH_PASSING), because a batch that waits for the link may wait for days. */
bool hf_batches_may_pass(const struct hf_batches *batches, uint64_t from);
/* Returns the lowest sequence with which a new batch that passes by older records may begin. This is `from` while less
 * than half of the table is in use, if no batch ends before `from`, or if `from` is UINT64_MAX. Otherwise it is the
 * sequence right after the last batch that ends before `from`: the two batches then join when both are done, and need
 * only one place. */
uint64_t hf_batches_pass_from(const struct hf_batches *batches, uint64_t from);
/* Returns true if the table is so full that no new batch may be planned, not even one that passes by older records. */
bool hf_batches_crowded(const struct hf_batches *batches);

/* Returns the sequence up to which everything is delivered now. Pass the result of the previous call as `delivered`;
 * the function advances this sequence over the done batches that follow without a gap. Joins adjacent done batches, and
 * removes done and waiting batches up to `durable`, the cursor on disk. (The spool has dropped the records of such a
 * waiting batch.) The table keeps done batches with sequences above `durable`, so that their borders stay on disk and
 * the agent does not plan different batches for these sequences after a restart. */
uint64_t hf_batches_settle(struct hf_batches *batches, uint64_t delivered, uint64_t durable);

struct hf_batch_choice {
    uint64_t now_ns;
    bool newest; /* true to prefer the batch with the highest sequences; false to prefer the lowest */
    bool probe;  /* true to choose also among batches whose not_before_ns is in the future */
    /* True to prefer a batch that never failed. If all batches have failed, the function then chooses the one whose
     * last failure is the longest ago. The caller sets this field if the content of one batch may be the reason why the
     * sink fails. */
    bool other;
    uint64_t from; /* choose only among the batches that hf_batches_may_travel() permits with this sequence */
};
/* Returns the batch to load next, or NULL if there is none. Lowers *ret_wait_until_ns to the earliest not_before_ns of
 * the batches that still have to wait. */
struct hf_batch *hf_batches_next(const struct hf_batches *batches, const struct hf_batch_choice *choice,
                                 uint64_t *ret_wait_until_ns);

/* Splits `batch` after `middle` (first <= middle < last) and returns the second half. Returns NULL and changes nothing
 * if the table is full, if it holds parts of another batch that are not done, or if memory runs out. */
struct hf_batch *hf_batches_split(struct hf_batches *batches, struct hf_batch *batch, uint64_t middle);

/* Ends the back-off of all batches, so that hf_batches_next() may choose any waiting batch immediately. Call this
 * function when the sink works again, or when its credentials have changed. */
void hf_batches_wake(struct hf_batches *batches);

/* Lists the borders (first and last sequences) of all batches, for the file of borders. The list also includes `extra`,
 * the border of a batch that the loader is planning; `extra` is NULL if there is no such batch. */
void hf_batches_borders(const struct hf_batches *batches, const struct hf_border *extra, struct hf_borders *ret);
