/* SPDX-License-Identifier: Apache-2.0 */
/* Puts an event into the queue of every sink that is to have it. If only some store it, its sender offers it again for
 * the others. A sink not open yet takes none; opening is tried every 30 seconds. */
#pragma once

#include "telemetry/event/ids.h"
#include "telemetry/sink/outlet.h"

struct hf_fanout;

struct hf_fanout_params {
    const struct hf_telemetry_env *env;
    const char *device_key_ref;     /* may be NULL */
    const struct hf_http_ops *http; /* NULL: each outlet's */
    /* Accepted ids, also those on disk; without events that could not be stored. */
    struct hf_ids *ids;
    void (*room)(void *arg); /* hf_fanout_store() may succeed after -EAGAIN */
    void (*idle)(void *arg); /* nothing waits for the disk */
    void (*lost)(void *arg); /* not stored; may be NULL */
    void *arg;
};

struct hf_fanout *hf_fanout_new(const struct hf_fanout_params *params);
/* At once, as in a crash. Outlets end in the background. */
void hf_fanout_free(struct hf_fanout *fanout);
HF_DEFINE_CLEANUP(struct hf_fanout, hf_fanout_free)

/* Blocks; logs errors. `former_bytes`: former.h. Borrows `spec` until hf_fanout_close(). */
void hf_fanout_open(struct hf_fanout *fanout, const struct hf_telemetry *spec, uint64_t former_bytes);
/* Calls gone(arg) for each of hf_fanout_outlets(), maybe before the return. Open again only after the last. */
void hf_fanout_close(struct hf_fanout *fanout, void (*gone)(void *arg), void *arg);

enum hf_fanout_stored {
    HF_FANOUT_STORED,    /* on its way to one sink at least */
    HF_FANOUT_DUPLICATE, /* all selected have it */
};
/* Bit i of `sinks` (one at least): spec->sinks[i]. Sets a sequence without one or without origin, and a missing id.
 * enum hf_fanout_stored (STORED holds `receipt`, maybe NULL, until each sink has it on disk or failed), or -errno.
 * -EAGAIN: a sink has no room for the event or its owner, or is not open; or HF_PENDING_MAX. -E2BIG: never storable. */
HF_MUST_USE int hf_fanout_store(struct hf_fanout *fanout, struct hf_event *event, uint32_t sinks,
                                struct hf_receipt *receipt);

/* Its first offer is on its way: hf_pending_follow(). */
HF_MUST_USE int hf_fanout_follow(struct hf_fanout *fanout, const struct hf_event *event, struct hf_receipt *receipt);

/* The last -EAGAIN's cause: the owner's share (shares.h); or the sink that is not open (NULL: by now it is). */
bool hf_fanout_over_share(const struct hf_fanout *fanout);

const char *hf_fanout_blocked(const struct hf_fanout *fanout, const char **ret_trouble);

size_t hf_fanout_pending(const struct hf_fanout *fanout);

/* hf_fanout_pending() counts reports until they are on disk. */
void hf_fanout_report_drops(struct hf_fanout *fanout);

void hf_fanout_link_changed(const struct hf_fanout *fanout);

size_t hf_fanout_sinks(const struct hf_fanout *fanout);
size_t hf_fanout_outlets(const struct hf_fanout *fanout);

/* NULL: not opened, why in *ret_trouble. */
const struct hf_outlet *hf_fanout_outlet(const struct hf_fanout *fanout, size_t i, const char **ret_trouble);
