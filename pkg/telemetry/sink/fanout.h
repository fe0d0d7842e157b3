/* SPDX-License-Identifier: Apache-2.0 */
/* Puts an event into the queue of every sink that is to get it. If only some sinks store it, its sender offers it again
 * for the others. A sink that does not open is tried again every 30 seconds. */
#pragma once

#include "telemetry/event/ids.h"
#include "telemetry/sink/outlet.h"

struct hf_fanout;

struct hf_fanout_params {
    const struct hf_telemetry_env *env;
    const char *device_key_ref;
    const struct hf_http_ops *http; /* NULL: each outlet's own */
    /* ids of accepted events, also those on disk */
    struct hf_ids *ids;
    void (*room)(void *arg); /* hf_fanout_store() may succeed after -EAGAIN */
    void (*idle)(void *arg); /* no event waits for the disk */
    void (*lost)(void *arg); /* an accepted event was not stored; may be NULL */
    void *arg;
};

struct hf_fanout *hf_fanout_new(const struct hf_fanout_params *params);
/* Ends at once; outlets end in the background. */
void hf_fanout_free(struct hf_fanout *fanout);
HF_DEFINE_CLEANUP(struct hf_fanout, hf_fanout_free)

/* Opens the sinks of `spec`, borrowed until hf_fanout_close(). Blocks; logs errors. `former_bytes`: bytes that former
 * sinks use. */
void hf_fanout_open(struct hf_fanout *fanout, const struct hf_telemetry *spec, uint64_t former_bytes);
/* Closes all sinks. Calls gone(arg) hf_fanout_outlets() times, maybe before it returns. Open again only after the last
 * call. */
void hf_fanout_close(struct hf_fanout *fanout, void (*gone)(void *arg), void *arg);

enum hf_fanout_stored {
    HF_FANOUT_STORED,    /* on its way to a sink */
    HF_FANOUT_DUPLICATE, /* all selected sinks have the event */
};
/* Stores the event for each spec->sinks[i] whose bit i is set in `sinks`. Sets a missing id or sequence. Returns enum
 * hf_fanout_stored or -errno. After STORED, `receipt` (maybe NULL) is held until each sink has the event on disk or
 * failed. -EAGAIN: a sink has no room or share left or is not open, too many events wait, or no memory. -E2BIG: it can
 * never be stored. */
HF_MUST_USE int hf_fanout_store(struct hf_fanout *fanout, struct hf_event *event, uint32_t sinks,
                                struct hf_receipt *receipt);

/* Does hf_pending_follow() for an event that is offered again while its first offer is on its way. */
HF_MUST_USE int hf_fanout_follow(struct hf_fanout *fanout, const struct hf_event *event, struct hf_receipt *receipt);

/* Whether the last -EAGAIN came because the owner exceeded its share (shares.h). */
bool hf_fanout_over_share(const struct hf_fanout *fanout);

/* Returns the sink that is not open and so caused the last -EAGAIN, or NULL. */
const char *hf_fanout_blocked(const struct hf_fanout *fanout, const char **ret_trouble);

size_t hf_fanout_pending(const struct hf_fanout *fanout);

/* hf_fanout_pending() counts these reports until they are on disk. */
void hf_fanout_report_drops(struct hf_fanout *fanout);

void hf_fanout_link_changed(const struct hf_fanout *fanout);

size_t hf_fanout_sinks(const struct hf_fanout *fanout);
size_t hf_fanout_outlets(const struct hf_fanout *fanout);

/* NULL: the sink is not open, for the reason in *ret_trouble. */
const struct hf_outlet *hf_fanout_outlet(const struct hf_fanout *fanout, size_t i, const char **ret_trouble);
