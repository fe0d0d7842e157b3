/* telemetry/sink/outlet_lane.h - one lane of an outlet: a spool, the batches of records from this spool, and the file
 * with the borders of the batches.
 *
 * Threads: loop thread only, with one exception. A job of the loader, which runs on a worker, saves the border file,
 * and the loop thread does not use the file until the job ends. Memory: the lane owns its spool, border file and
 * batches. hf_outlet_end() closes and frees these parts; there is no function that frees a lane. Errors: functions
 * return 0 or -errno, and *err names the path. */
#pragma once

#include "telemetry/delivery/batch.h"
#include "telemetry/sink/outlet_drops.h"

enum { HF_OUTLET_MIN_LANE_BYTES = 3 * HF_SPOOL_MIN_SEGMENT_BYTES };

struct hf_outlet_lane {
    const struct hf_outlet_config *config;
    const struct hf_outlet_metrics *metrics;
    struct hf_outlet_drops *drops;
    enum hf_lane which;
    struct hf_spool *spool;
    struct hf_border_file file;
    struct hf_batches batches;
    /* last sequence that was stored before the agent started; a batch of sequences up to this one is sent at once, even
     * if the batch is not full */
    uint64_t backlog_until;
    uint64_t unplanned_bytes; /* approximate number of bytes in the appended lines that no batch holds yet */
    /* monotonic time at which the next batch is sent even if it is not full; HF_NEVER if no record waits */
    uint64_t due_ns;
    /* time of the oldest record that no batch holds yet (0 means that it is unknown or that there is no such record) */
    uint64_t oldest_unix_ns;
    uint64_t broken_until_ns; /* monotonic time before which the loader does not start, because a read or save failed */
    bool peeked;              /* true if the loader has already looked up the time of the oldest record */
    /* number of appends that the spool had refused for lack of room at the last moment when it probably got room; if
     * the spool has refused more appends since that moment, it has no room now */
    uint64_t refused_before;
    /* time at which the lane first saw that the spool has no room (0 means that the spool has room) */
    uint64_t refused_since_ns;
    /* position of the cursor on disk at the last check; if the position is higher now, the spool may have got room */
    uint64_t durable_before;
};

/* Opens the spool, and restores the batches whose borders are on disk. Blocks. Pass a `lane` whose file.fd is -1 and
 * whose other fields are zero. `config`, `metrics` and `drops` are borrowed and must outlive the lane. */
HF_MUST_USE int hf_outlet_lane_open(struct hf_outlet_lane *lane, enum hf_lane which, uint64_t max_bytes,
                                    const struct hf_outlet_config *config, const struct hf_outlet_metrics *metrics,
                                    struct hf_outlet_drops *drops, struct hf_err *err);

/* Returns true if the spool would accept a line of n bytes now. */
bool hf_outlet_lane_has_room(struct hf_outlet_lane *lane, size_t n);

/* Appends one line of at most HF_EVENT_MAX_TEXT bytes to the spool. Holds the receipt (may be NULL) until the line is
 * durable. Returns -EAGAIN if there is no room. */
HF_MUST_USE int hf_outlet_lane_append(struct hf_outlet_lane *lane, uint32_t tag, struct hf_view line,
                                      struct hf_receipt *receipt);

/* Moves the spool's cursor to the last sequence up to which the sink has accepted all batches. */
void hf_outlet_lane_settle(struct hf_outlet_lane *lane);

/* Returns how long, in nanoseconds, a batch that is not full waits for more records before it is sent. */
uint64_t hf_outlet_lane_wait_ns(const struct hf_outlet_lane *lane);

/* Returns the sequence of the last durable record. The loader can read records up to this sequence. */
uint64_t hf_outlet_lane_durable(const struct hf_outlet_lane *lane);

/* Returns the time at which the outlet accepted the oldest record that waits for delivery, or 0 if the time is unknown
 * or no record waits. */
uint64_t hf_outlet_lane_oldest_unix_ns(const struct hf_outlet_lane *lane);
