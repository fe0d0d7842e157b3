/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/sink/outlet_lane.h - one lane of an outlet: a spool, the batches of records from this spool, and the file
 * with the borders of the batches.
 *
 * Threads: loop thread only, with one exception. A job of the loader, which runs on a worker, saves the border file,
 * and the loop thread does not use the file until the job ends. Memory: the lane owns its spool, border file and
 * batches. hf_outlet_end() closes and frees these parts; there is no function that frees a lane. Errors: functions
 * return 0 or -errno, and *err names the path. */
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
    struct hf_fresh fresh; /* decides which records are backlog */
    /* highest sequence that was on disk when the lane was opened; the outlet sends a batch that begins at or below this
     * sequence at once, even if the batch is not full */
    uint64_t backlog_until;
    uint64_t unplanned_bytes; /* approximate number of bytes in the appended lines that no batch holds yet */
    /* monotonic time at which the next batch is sent even if it is not full; HF_NEVER if no record waits */
    uint64_t due_ns;
    /* time of the oldest record that no batch holds yet, or a little earlier (0 means that the time is unknown or that
     * there is no such record) */
    uint64_t oldest_unix_ns;
    /* monotonic time before which the loader loads no body from this lane, because a read or save failed */
    uint64_t broken_until_ns;
    /* monotonic time before which the loader does not try again to write a dead letter of this lane, because an attempt
     * failed; other batches of the lane do not wait for this time */
    uint64_t dead_letter_after_ns;
    bool peeked; /* true if the loader has already looked up the time of the oldest record */
    /* number of appends that the spool had refused for lack of room at the last sign of room, or at the last retry;
     * while the spool's number is higher than this one, the lane assumes that the spool has no room */
    uint64_t refused_before;
    /* monotonic time at which the lane first saw that the spool has no room (0 means that the spool has room) */
    uint64_t refused_since_ns;
    uint64_t refused_seen; /* number of refused appends at the last call of hf_outlet_lane_from() */
    /* monotonic time until which the lane counts as full, because the spool has refused appends; until then the oldest
     * records travel over a closed link, too */
    uint64_t full_until_ns;
    /* position of the cursor on disk at the last check; if the position is higher now, the spool may have got room */
    uint64_t durable_before;
    struct hf_shares shares; /* whose records wait */
    uint64_t max_bytes;      /* as hf_outlet_lane_open() got it, or more */
    uint64_t reserve_bytes;  /* bytes that must stay free on the disk */
    /* monotonic time at which the lane asks the disk again how much of max_bytes it has room for */
    uint64_t look_at_ns;
    /* lines on their way to disk, in order: appends[first_append..n_appends) */
    struct lane_append *appends;
    size_t first_append, n_appends, cap_appends;
    uint64_t writes_before; /* number of writes of the spool when the last line became durable */
};

/* Opens the spool, and restores the batches whose borders are on disk. Blocks. Pass a `lane` whose file.fd is -1 and
 * whose other fields are zero. `config`, `metrics` and `drops` are borrowed and must outlive the lane. */
HF_MUST_USE int hf_outlet_lane_open(struct hf_outlet_lane *lane, enum hf_lane which, uint64_t max_bytes,
                                    const struct hf_outlet_config *config, const struct hf_outlet_metrics *metrics,
                                    struct hf_outlet_drops *drops, struct hf_err *err);

/* Returns true if the spool would accept a line of n bytes now. Returns false for the lane `bulk` while
 * *world.writes_paused is true (source/source.h). */
bool hf_outlet_lane_has_room(struct hf_outlet_lane *lane, size_t n);

/* Returns true if the owner (hf_shares_owner()) may append a line of n bytes now, as far as its share goes. */
bool hf_outlet_lane_allows(struct hf_outlet_lane *lane, uint64_t owner, size_t n);

/* Appends one line of at most HF_EVENT_MAX_TEXT bytes to the spool, which counts for the owner's share. Holds the
 * receipt (may be NULL) until the line is durable. Returns 0, -EAGAIN if there is no room, or -ENOMEM. */
HF_MUST_USE int hf_outlet_lane_append(struct hf_outlet_lane *lane, uint64_t owner, uint32_t tag, struct hf_view line,
                                      struct hf_receipt *receipt);

/* Saves whose records wait. Call this function before the lane's spool is closed. */
void hf_outlet_lane_save_shares(struct hf_outlet_lane *lane);

/* Moves the spool's cursor to the highest sequence up to which every record is delivered. */
void hf_outlet_lane_settle(struct hf_outlet_lane *lane);

/* Returns the argument `from` for hf_batches_may_travel(): a batch may be sent now if it begins at this sequence or
 * above, or was planned as live. While the link is open, and always for the lane `urgent`, the result is 0: every batch
 * may be sent. While the link is closed, the result for the lane `bulk` is one of three values. If the share of live
 * records (delivery/fresh.h) is used up, it is UINT64_MAX: no batch may be sent. Otherwise, if the spool is full or the
 * table of batches is crowded, it is 0. Otherwise it is the sequence after the backlog. If the result is UINT64_MAX,
 * lowers *wait_until_ns to the monotonic time at which the outlet may send again, unless the link is closed for all
 * waiting records (hf_outlet_lane_holds_all()). */
uint64_t hf_outlet_lane_from(struct hf_outlet_lane *lane, uint64_t now_ns, uint64_t *wait_until_ns);
/* Call this function when a request starts. `bytes` is the size of the request, and `first` is the first sequence of
 * its batch. Returns true if the link is open and the batch is backlog. Otherwise returns false and, in the lane
 * `bulk`, counts the bytes against the share of live records. */
bool hf_outlet_lane_begin(struct hf_outlet_lane *lane, uint64_t first, uint64_t bytes, uint64_t now_ns);
/* Reports the bytes of an ended request to link->sent(). `backlog` is the result of hf_outlet_lane_begin() for this
 * request. */
void hf_outlet_lane_sent(const struct hf_outlet_lane *lane, uint64_t bytes, bool backlog);
/* Returns true if the link is closed for the backlog of this lane, and the lane has a backlog. */
bool hf_outlet_lane_holds(const struct hf_outlet_lane *lane);
/* Returns true if the link is closed for all durable records that wait for delivery. */
bool hf_outlet_lane_holds_all(const struct hf_outlet_lane *lane);

/* Returns how long, in nanoseconds, a batch that is not full waits for more records before it is sent. */
uint64_t hf_outlet_lane_wait_ns(const struct hf_outlet_lane *lane);

/* Returns the sequence of the last durable record. The loader can read records up to this sequence. */
uint64_t hf_outlet_lane_durable(const struct hf_outlet_lane *lane);

/* Returns the time at which the outlet accepted the oldest record that waits for delivery, or 0 if the time is unknown
 * or no record waits. */
uint64_t hf_outlet_lane_oldest_unix_ns(const struct hf_outlet_lane *lane);
