/* telemetry/sink/fanout.h - gives an event to every sink that may have it. If only some of them stored it, the sender
 * offers it again, and only the others store it then.
 *
 * So one sink with a failing disk causes no duplicates in the others. The fanout remembers which sinks stored an event
 * by the fingerprint of its id (ids.h), in memory; after a restart it reads the ids from the spools of all sinks. An
 * event that a power cut caught in only one spool is then still due for the other sinks.
 *
 * The fanout tries a sink that cannot be opened (folder, credentials) again every HF_FANOUT_AGAIN_NS, and does not
 * accept events for it meanwhile.
 *
 * Threads: loop thread only.  Memory: owns the outlets.  Errors: 0 or -errno; opening logs its errors. */
#pragma once

#include "telemetry/event/ids.h"
#include "telemetry/sink/outlet.h"

#define HF_FANOUT_AGAIN_NS (30 * HF_NS_PER_S)

struct hf_fanout;

struct hf_fanout_params {
    const struct hf_telemetry_world *world;
    const char *device_key_ref;     /* NULL: none */
    const struct hf_http_ops *http; /* shared by all outlets; NULL: each outlet makes its own */
    /* Ids of events. The fanout removes ids that could not be stored and adds those that it finds on disk. */
    struct hf_ids *ids;
    void (*room)(void *arg); /* called after -EAGAIN when there is room again */
    void (*idle)(void *arg); /* called when no event is on its way to disk any more */
    void *arg;
};

struct hf_fanout *hf_fanout_new(const struct hf_fanout_params *params); /* NULL on OOM */
/* Ends at once, as a crash would; the outlets end by themselves. */
void hf_fanout_free(struct hf_fanout *fanout);
HF_DEFINE_CLEANUP(struct hf_fanout, hf_fanout_free)

/* Opens all sinks of `spec`, which it borrows until hf_fanout_close(). Blocks. */
void hf_fanout_open(struct hf_fanout *fanout, const struct hf_telemetry *spec);
/* Calls gone(arg), perhaps at once, for each of the hf_fanout_outlets() that has ended. Open the same sinks again only
 * after the last of these calls. */
void hf_fanout_close(struct hf_fanout *fanout, void (*gone)(void *arg), void *arg);

enum hf_fanout_stored {
    HF_FANOUT_STORED,    /* the event is on its way to disk */
    HF_FANOUT_DUPLICATE, /* every sink has the event on disk already */
};
/* Stores an event for the sinks whose bits are set (bit i: spec->sinks[i]; at least one), and fills in origin, sequence
 * and id. Returns enum hf_fanout_stored; STORED holds the receipt (may be NULL) until every sink has the event on disk
 * or one failed. -EAGAIN: no room in one of the outlets. -E2BIG and others: the event can never be stored. */
HF_MUST_USE int hf_fanout_store(struct hf_fanout *fanout, struct hf_event *event, uint32_t sinks,
                                struct hf_receipt *receipt);

/* Makes the receipt of a repeated event wait for the first one, as hf_pending_follow() does. */
HF_MUST_USE int hf_fanout_follow(struct hf_fanout *fanout, struct hf_view id, struct hf_receipt *receipt);

/* If a sink that is not open caused the last -EAGAIN of hf_fanout_store(), returns its name and sets *ret_trouble to
 * the cause. NULL: the cause was another one, or the sink has been opened since. */
const char *hf_fanout_blocked(const struct hf_fanout *fanout, const char **ret_trouble);

/* Returns the number of events on their way to disk. */
size_t hf_fanout_pending(const struct hf_fanout *fanout);

/* Reports now which events were dropped to make room; these reports are pending until they are on disk. */
void hf_fanout_report_drops(struct hf_fanout *fanout);

size_t hf_fanout_sinks(const struct hf_fanout *fanout);
size_t hf_fanout_outlets(const struct hf_fanout *fanout); /* sinks that are open */

/* Returns the outlet of sink i, or NULL if the sink could not be opened; *ret_trouble (never NULL) then says why. */
const struct hf_outlet *hf_fanout_outlet(const struct hf_fanout *fanout, size_t i, const char **ret_trouble);
