/* SPDX-License-Identifier: Apache-2.0 */
/* A lane of an outlet: spool, batches, borders. The loader's job alone has the border file while it runs. */
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
    /* On disk at opening: batches that begin up to here are sent at once, even if not full. */
    uint64_t backlog_until;
    uint64_t unplanned_bytes;      /* estimate, of lines in no batch */
    uint64_t due_ns;               /* then the next batch may be incomplete; HF_NEVER: no record waits */
    uint64_t oldest_unix_ns;       /* of records in no batch, or earlier; 0: unknown, none */
    uint64_t broken_until_ns;      /* no loads before: one failed */
    uint64_t dead_letter_after_ns; /* none before: a write failed */
    bool peeked;                   /* the oldest record's time is known */
    /* The spool's refused appends at the last room or retry; if more now, it counts as full. */
    uint64_t refused_before;
    uint64_t refused_since_ns; /* no room since; or 0 */
    uint64_t refused_seen;     /* by the last hf_outlet_lane_from() */
    uint64_t full_until_ns;    /* the spool counts as full until then: the oldest may use a closed link */
    uint64_t durable_before;   /* cursor on disk; its move may make room */
    struct hf_shares shares;
    uint64_t max_bytes;
    uint64_t reserve_bytes; /* to leave free on the disk */
    uint64_t look_at_ns;    /* next look how much of max_bytes fits */
    /* On their way to disk, in order: [first_append..n_appends). */
    struct lane_append *appends;
    size_t first_append, n_appends, cap_appends;
    uint64_t writes_before; /* the spool's, at the last durable line */
};

/* Restores saved batches. Blocks. `lane`: zero except file.fd = -1. Borrows the pointers. */
HF_MUST_USE int hf_outlet_lane_open(struct hf_outlet_lane *lane, enum hf_lane which, uint64_t max_bytes,
                                    const struct hf_outlet_config *config, const struct hf_outlet_metrics *metrics,
                                    struct hf_outlet_drops *drops, struct hf_err *err);

/* False also: `bulk` with *env.writes_paused. */
bool hf_outlet_lane_has_room(struct hf_outlet_lane *lane, size_t n);

bool hf_outlet_lane_allows(struct hf_outlet_lane *lane, uint64_t owner, size_t n);

/* HF_EVENT_MAX_TEXT at most. Holds `receipt` (may be NULL) until durable. -EAGAIN: no room. */
HF_MUST_USE int hf_outlet_lane_append(struct hf_outlet_lane *lane, uint64_t owner, uint32_t tag, struct hf_view line,
                                      struct hf_receipt *receipt);

/* Saves `shares`, before the spool is closed. */
void hf_outlet_lane_save_shares(struct hf_outlet_lane *lane);

/* Moves the cursor to what is delivered. */
void hf_outlet_lane_settle(struct hf_outlet_lane *lane);

/* `from` of hf_batches_may_travel(). 0 (all): `urgent`, or an open link. `bulk` over a closed one: UINT64_MAX (none) if
 * the live share is used, *wait_until_ns lowered unless hf_outlet_lane_holds_all(); 0 if the spool is full or the table
 * crowded; else after the backlog. */
uint64_t hf_outlet_lane_from(struct hf_outlet_lane *lane, uint64_t now_ns, uint64_t *wait_until_ns);
/* At a request's start. True: backlog over an open link. Else `bulk` uses up the live share. */
bool hf_outlet_lane_begin(struct hf_outlet_lane *lane, uint64_t first, uint64_t bytes, uint64_t now_ns);
/* To link->sent(); `backlog`: hf_outlet_lane_begin(). */
void hf_outlet_lane_sent(const struct hf_outlet_lane *lane, uint64_t bytes, bool backlog);
/* Closed, with a backlog; _all: nothing durable may travel. */
bool hf_outlet_lane_holds(const struct hf_outlet_lane *lane);
bool hf_outlet_lane_holds_all(const struct hf_outlet_lane *lane);

/* How long a batch that is not full waits. */
uint64_t hf_outlet_lane_wait_ns(const struct hf_outlet_lane *lane);

uint64_t hf_outlet_lane_durable(const struct hf_outlet_lane *lane);

/* When the oldest waiting record was accepted; 0: unknown, none. */
uint64_t hf_outlet_lane_oldest_unix_ns(const struct hf_outlet_lane *lane);
