/* SPDX-License-Identifier: Apache-2.0 */
/* A lane of an outlet: spool, batches and their borders. While the loader's job runs, only it uses the border file. */
#pragma once

#include "telemetry/delivery/batch.h"
#include "telemetry/delivery/fresh.h"
#include "telemetry/sink/outlet_drops.h"
#include "telemetry/sink/shares.h"

enum { HF_OUTLET_MIN_LANE_BYTES = 3 * HF_SPOOL_MIN_SEGMENT_BYTES };

struct lane_append;

struct hf_outlet_lane {
    const struct hf_outlet_config *config;
    const struct hf_outlet_metrics *metrics;
    struct hf_outlet_drops *drops;
    enum hf_lane which;
    struct hf_spool *spool;
    struct hf_border_file file;
    struct hf_batches batches;
    struct hf_fresh fresh;
    /* Last sequence on disk at opening. Batches that begin up to here are sent even if not full. */
    uint64_t backlog_until;
    uint64_t unplanned_bytes;      /* estimate, of lines in no batch */
    uint64_t due_ns;               /* when to send a batch that is not full; HF_NEVER: not set */
    uint64_t oldest_unix_ns;       /* about the time of the oldest record in no batch; 0: unknown */
    uint64_t broken_until_ns;      /* no loads for bodies before this time, because one failed */
    uint64_t dead_letter_after_ns; /* no dead letters before this time, because a write failed */
    bool peeked;
    uint64_t refused_before;
    uint64_t refused_since_ns;
    uint64_t refused_seen;
    uint64_t full_until_ns; /* until then the oldest records may use a closed link */
    uint64_t durable_before;
    struct hf_shares shares;
    uint64_t max_bytes;
    uint64_t reserve_bytes;
    uint64_t look_at_ns;
    /* lines on their way to disk, in order: [first_append..n_appends) */
    struct lane_append *appends;
    size_t first_append, n_appends, cap_appends;
    uint64_t writes_before;
};

/* Opens a lane and restores its batches. Blocks. Borrows the pointers. */
HF_MUST_USE int hf_outlet_lane_open(struct hf_outlet_lane *lane, enum hf_lane which, uint64_t max_bytes,
                                    const struct hf_outlet_config *config, const struct hf_outlet_metrics *metrics,
                                    struct hf_outlet_drops *drops, struct hf_err *err);

/* Whether n bytes have room; never in `bulk` while *env.writes_paused. */
bool hf_outlet_lane_has_room(struct hf_outlet_lane *lane, size_t n);

bool hf_outlet_lane_allows(struct hf_outlet_lane *lane, uint64_t owner, size_t n);

/* Holds `receipt` like hf_outlet_append(). -EAGAIN: no room. */
HF_MUST_USE int hf_outlet_lane_append(struct hf_outlet_lane *lane, uint64_t owner, uint32_t tag, struct hf_view line,
                                      struct hf_receipt *receipt);

void hf_outlet_lane_save_shares(struct hf_outlet_lane *lane);

/* Moves the cursor to what is delivered. */
void hf_outlet_lane_settle(struct hf_outlet_lane *lane);

/* Returns the lowest sequence that may be sent, for hf_batches_may_travel(). With the link open, and always in
 * `urgent`: 0. With the link closed: UINT64_MAX while the live share is used up (may lower *wait_until_ns); otherwise
 * the first live record, or 0 if spool or table are full. */
uint64_t hf_outlet_lane_from(struct hf_outlet_lane *lane, uint64_t now_ns, uint64_t *wait_until_ns);
/* Called when a request starts. Returns whether it sends backlog over an open link; other requests of `bulk` use up the
 * live share. */
bool hf_outlet_lane_begin(struct hf_outlet_lane *lane, uint64_t first, uint64_t bytes, uint64_t now_ns);
/* Reports sent bytes to link->sent(). `backlog`: result of hf_outlet_lane_begin(). */
void hf_outlet_lane_sent(const struct hf_outlet_lane *lane, uint64_t bytes, bool backlog);
/* Whether a closed link holds back a backlog; _all: everything on disk. */
bool hf_outlet_lane_holds(const struct hf_outlet_lane *lane);
bool hf_outlet_lane_holds_all(const struct hf_outlet_lane *lane);

uint64_t hf_outlet_lane_wait_ns(const struct hf_outlet_lane *lane);

uint64_t hf_outlet_lane_durable(const struct hf_outlet_lane *lane);

/* Returns about when the oldest waiting record was accepted; 0: unknown, or no record waits. */
uint64_t hf_outlet_lane_oldest_unix_ns(const struct hf_outlet_lane *lane);
