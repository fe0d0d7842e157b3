/* telemetry/sink/outlet_lane.h - one lane of an outlet: a spool, the batches planned from it, and the file with their
 * borders.
 *
 * Threads: loop thread only; a worker's job saves the border file while the loader waits for it.  Memory: the lane
 * owns its spool, border file and batches; the outlet ends them in hf_outlet_end().  Errors: 0 or -errno; *err names
 * the path. */
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
    /* last sequence stored before the start: up to there, a plan does not wait for a full batch */
    uint64_t backlog_until;
    uint64_t unplanned_bytes; /* approximate bytes appended and not planned yet */
    uint64_t due_ns;          /* time at which a batch leaves although it is not full; HF_NEVER: no record waits */
    uint64_t oldest_unix_ns;  /* time of the oldest record not planned yet; 0: unknown, or there is none */
    uint64_t broken_until_ns; /* a read or save failed: no load before this time */
    bool peeked;              /* the loader has looked up the oldest record's time */
    /* number of appends that a full disk share (Block) had refused when room was last likely */
    uint64_t refused_before;
    uint64_t durable_before; /* position of the cursor on disk at that time */
};

/* Opens the spool and restores the batches whose borders are on disk. Blocks. Pass a `lane` that is zero except for
 * file.fd, which is -1. The pointers must outlive the lane. */
HF_MUST_USE int hf_outlet_lane_open(struct hf_outlet_lane *lane, enum hf_lane which, uint64_t max_bytes,
                                    const struct hf_outlet_config *config, const struct hf_outlet_metrics *metrics,
                                    struct hf_outlet_drops *drops, struct hf_err *err);

/* True if the spool would accept a line of n bytes now. */
bool hf_outlet_lane_has_room(const struct hf_outlet_lane *lane, size_t n);

/* Appends one line, at most HF_EVENT_MAX_TEXT bytes; holds the receipt (may be NULL) until the line is durable.
 * -EAGAIN: no room. */
HF_MUST_USE int hf_outlet_lane_append(struct hf_outlet_lane *lane, uint32_t tag, struct hf_view line,
                                      struct hf_receipt *receipt);

/* Moves the spool's cursor behind the batches delivered without a gap. */
void hf_outlet_lane_settle(struct hf_outlet_lane *lane);

/* Returns the time that a batch waits to become full. */
uint64_t hf_outlet_lane_wait_ns(const struct hf_outlet_lane *lane);

/* Last sequence that can be read. */
uint64_t hf_outlet_lane_durable(const struct hf_outlet_lane *lane);

/* Returns the time at which the oldest waiting record was accepted; 0: unknown, or no record waits. */
uint64_t hf_outlet_lane_oldest_unix_ns(const struct hf_outlet_lane *lane);
