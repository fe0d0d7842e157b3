/* telemetry/sink/outlet_lane.h - one lane of an outlet: a spool, the batches planned from it, and the file with their
 * borders.
 *
 * Threads: loop thread only, with one exception: a worker's job of the loader saves the border file, and the loop does
 * not touch the file until the job ends. Memory: the lane owns its spool, border file and batches. There is no lane
 * destructor: hf_outlet_end() closes and frees them. Errors: functions return 0 or -errno, and *err names the path. */
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
    /* last sequence that was stored before the agent started; a batch up to this sequence leaves at once, even if it is
     * not full */
    uint64_t backlog_until;
    uint64_t unplanned_bytes; /* approximate bytes of appended lines that are not planned yet */
    uint64_t due_ns;         /* time at which the next batch leaves even if it is not full; HF_NEVER: no record waits */
    uint64_t oldest_unix_ns; /* time of the oldest record not planned yet (0 means unknown or no record) */
    uint64_t broken_until_ns; /* after a failed read or save, the loader does not start before this time */
    bool peeked;              /* the loader has looked up the oldest record's time */
    /* number of appends refused so far (disk share full, Block) at the last time when the spool probably got room; if
     * the spool has refused more appends since then, it has no room */
    uint64_t refused_before;
    /* last position of the cursor on disk; a higher position means that the spool may have got room */
    uint64_t durable_before;
};

/* Opens the spool and restores the batches whose borders are on disk. Blocks. Pass a `lane` whose file.fd is -1 and
 * whose other fields are zero. What the pointers point to must outlive the lane. */
HF_MUST_USE int hf_outlet_lane_open(struct hf_outlet_lane *lane, enum hf_lane which, uint64_t max_bytes,
                                    const struct hf_outlet_config *config, const struct hf_outlet_metrics *metrics,
                                    struct hf_outlet_drops *drops, struct hf_err *err);

/* True if the spool would accept a line of n bytes now. */
bool hf_outlet_lane_has_room(const struct hf_outlet_lane *lane, size_t n);

/* Appends one line, at most HF_EVENT_MAX_TEXT bytes; holds the receipt (may be NULL) until the line is durable.
 * -EAGAIN: no room. */
HF_MUST_USE int hf_outlet_lane_append(struct hf_outlet_lane *lane, uint32_t tag, struct hf_view line,
                                      struct hf_receipt *receipt);

/* Moves the spool's cursor to the last sequence up to which the sink has accepted all batches. */
void hf_outlet_lane_settle(struct hf_outlet_lane *lane);

/* Returns how long a batch waits for more records before it leaves without being full. */
uint64_t hf_outlet_lane_wait_ns(const struct hf_outlet_lane *lane);

/* Returns the last durable sequence, up to which records can be read. */
uint64_t hf_outlet_lane_durable(const struct hf_outlet_lane *lane);

/* Returns the time at which the outlet accepted the oldest record that waits for delivery (0 means unknown or no
 * record). */
uint64_t hf_outlet_lane_oldest_unix_ns(const struct hf_outlet_lane *lane);
