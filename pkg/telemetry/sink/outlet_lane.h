/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/sink/outlet_lane.h - one lane of an outlet: a spool, its batches, and the file with their borders.
 *
 * Threads: loop thread only; but while a job of the loader runs, only that job uses the border file. The lane owns
 * spool, file and batches; hf_outlet_end() closes and frees them. Times *_ns are monotonic. */
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
    /* Highest sequence on disk at opening: a batch that begins up to here is sent at once, even if not full. */
    uint64_t backlog_until;
    uint64_t unplanned_bytes;      /* about as many as the lines in no batch have */
    uint64_t due_ns;               /* when the next batch is sent even if not full; HF_NEVER: no record waits */
    uint64_t oldest_unix_ns;       /* for records in no batch, or a little earlier; 0: unknown or none */
    uint64_t broken_until_ns;      /* no loads before: a read or save failed */
    uint64_t dead_letter_after_ns; /* no dead letter before: a write failed; other batches do not wait */
    bool peeked;                   /* the oldest record's time was looked up */
    /* Refused appends of the spool at the last sign of room or retry; while the spool has more, it is assumed to be
     * full. */
    uint64_t refused_before;
    uint64_t refused_since_ns; /* since when the spool has no room; 0: it has */
    uint64_t refused_seen;     /* refused appends at the last hf_outlet_lane_from() */
    uint64_t full_until_ns;    /* treated as full until then: the oldest records, too, may use a closed link */
    uint64_t durable_before;   /* cursor on disk at the last check; once it has advanced, the spool may have room */
    struct hf_shares shares;   /* owners of waiting records */
    uint64_t max_bytes;
    uint64_t reserve_bytes; /* bytes that must stay free on the disk */
    uint64_t look_at_ns;    /* when to ask the disk again how much of max_bytes fits */
    /* On their way to disk, in order: [first_append..n_appends). */
    struct lane_append *appends;
    size_t first_append, n_appends, cap_appends;
    uint64_t writes_before; /* the spool's writes when the last line became durable */
};

/* Restores the saved batches. Blocks. `lane` is zero but for file.fd = -1. `config`, `metrics` and `drops` must outlive
 * it. */
HF_MUST_USE int hf_outlet_lane_open(struct hf_outlet_lane *lane, enum hf_lane which, uint64_t max_bytes,
                                    const struct hf_outlet_config *config, const struct hf_outlet_metrics *metrics,
                                    struct hf_outlet_drops *drops, struct hf_err *err);

/* False for `bulk` while *world.writes_paused (source/source.h). */
bool hf_outlet_lane_has_room(struct hf_outlet_lane *lane, size_t n);

bool hf_outlet_lane_allows(struct hf_outlet_lane *lane, uint64_t owner, size_t n);

/* At most HF_EVENT_MAX_TEXT bytes. Holds `receipt` (may be NULL) until durable. -EAGAIN: no room. -ENOMEM. */
HF_MUST_USE int hf_outlet_lane_append(struct hf_outlet_lane *lane, uint64_t owner, uint32_t tag, struct hf_view line,
                                      struct hf_receipt *receipt);

/* Saves `shares`; before the spool is closed. */
void hf_outlet_lane_save_shares(struct hf_outlet_lane *lane);

/* Moves the spool's cursor as far as all is delivered. */
void hf_outlet_lane_settle(struct hf_outlet_lane *lane);

/* The `from` of hf_batches_may_travel(). 0 (all) for `urgent` or an open link. For `bulk` over a closed link:
 * UINT64_MAX (none) if the share of live records is used; else 0 if the spool is full or the table crowded; else the
 * sequence after the backlog. With UINT64_MAX, lowers *wait_until_ns to when it may send again, unless
 * hf_outlet_lane_holds_all(). */
uint64_t hf_outlet_lane_from(struct hf_outlet_lane *lane, uint64_t now_ns, uint64_t *wait_until_ns);
/* A request of `bytes` starts. True: it is backlog over an open link. Else, in `bulk`, uses up the share of live
 * records. */
bool hf_outlet_lane_begin(struct hf_outlet_lane *lane, uint64_t first, uint64_t bytes, uint64_t now_ns);
/* To link->sent(); `backlog` as from hf_outlet_lane_begin(). */
void hf_outlet_lane_sent(const struct hf_outlet_lane *lane, uint64_t bytes, bool backlog);
/* Is the link closed for a backlog that the lane has? For all durable records that wait? */
bool hf_outlet_lane_holds(const struct hf_outlet_lane *lane);
bool hf_outlet_lane_holds_all(const struct hf_outlet_lane *lane);

/* The wait of a batch that is not full. */
uint64_t hf_outlet_lane_wait_ns(const struct hf_outlet_lane *lane);

uint64_t hf_outlet_lane_durable(const struct hf_outlet_lane *lane);

/* When the oldest waiting record was accepted; 0: unknown or none. */
uint64_t hf_outlet_lane_oldest_unix_ns(const struct hf_outlet_lane *lane);
