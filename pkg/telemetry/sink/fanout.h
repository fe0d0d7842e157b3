/* telemetry/sink/fanout.h - stores an event for every sink that may have it. If only some of these sinks stored the
 * event, the sender offers the event again, and then only the other sinks store it.
 *
 * So a sink whose disk fails causes no duplicates in other sinks. For each sink, the fanout remembers in memory the
 * fingerprints of the ids of stored events (event/ids.h). After a restart it reads these ids from the spools. If a
 * power cut left an event in only one spool, the other sinks therefore still store the event when the sender offers it
 * again.
 *
 * If a sink cannot be opened (because of its folder or credentials), the fanout tries again every HF_FANOUT_AGAIN_NS
 * and accepts no events for this sink until then.
 *
 * Threads: loop thread only.  Memory: the fanout owns the outlets. Errors: functions return 0 or -errno;
 * hf_fanout_open() logs errors. */
#pragma once

#include "telemetry/event/ids.h"
#include "telemetry/sink/outlet.h"

#define HF_FANOUT_AGAIN_NS (30 * HF_NS_PER_S)

struct hf_fanout;

struct hf_fanout_params {
    const struct hf_telemetry_world *world;
    const char *device_key_ref;     /* NULL: none */
    const struct hf_http_ops *http; /* HTTP client for all outlets; NULL: each outlet makes its own client */
    /* Ids of accepted events. The fanout removes the ids of events that could not be stored, and adds the ids that it
     * finds on disk. */
    struct hf_ids *ids;
    void (*room)(void *arg); /* called when there is room again after hf_fanout_store() returned -EAGAIN */
    void (*idle)(void *arg); /* called when no event is on its way to disk any more */
    void *arg;
};

struct hf_fanout *hf_fanout_new(const struct hf_fanout_params *params); /* NULL on OOM */
/* Frees the fanout at once; like a crash, this loses events that are not on disk yet. The outlets end in the
 * background. */
void hf_fanout_free(struct hf_fanout *fanout);
HF_DEFINE_CLEANUP(struct hf_fanout, hf_fanout_free)

/* Opens all sinks of `spec`. Blocks. The fanout borrows `spec` until hf_fanout_close(). */
void hf_fanout_open(struct hf_fanout *fanout, const struct hf_telemetry *spec);
/* Closes all sinks. When an outlet has ended, calls gone(arg), perhaps before this function returns; the number of
 * these calls is what hf_fanout_outlets() returned before. Open these sinks again only after the last of these calls.
 */
void hf_fanout_close(struct hf_fanout *fanout, void (*gone)(void *arg), void *arg);

enum hf_fanout_stored {
    HF_FANOUT_STORED,    /* the event is on its way to disk */
    HF_FANOUT_DUPLICATE, /* every sink has the event on disk already */
};
/* Stores an event, and fills in its origin, sequence and id if they are absent. Bit i of `sinks` selects
 * spec->sinks[i]; at least one bit must be set. Returns enum hf_fanout_stored or -errno. After HF_FANOUT_STORED, the
 * fanout holds the receipt (may be NULL) until each selected sink has the event on disk or has failed to store it.
 * -EAGAIN: one of the outlets has no room. -E2BIG and other errors: the event can never be stored. */
HF_MUST_USE int hf_fanout_store(struct hf_fanout *fanout, struct hf_event *event, uint32_t sinks,
                                struct hf_receipt *receipt);

/* For an event that was offered before and is offered again: makes the receipt of the second offer wait for the first
 * one, as hf_pending_follow() does. */
HF_MUST_USE int hf_fanout_follow(struct hf_fanout *fanout, struct hf_view id, struct hf_receipt *receipt);

/* If the last -EAGAIN of hf_fanout_store() came from a sink that is not open, returns the sink's name and sets
 * *ret_trouble to the reason why the sink is not open. Returns NULL if the cause was another one, or if the sink has
 * been opened since then. */
const char *hf_fanout_blocked(const struct hf_fanout *fanout, const char **ret_trouble);

/* Returns the number of events on their way to disk. */
size_t hf_fanout_pending(const struct hf_fanout *fanout);

/* Stores events that report how many events were dropped to make room. hf_fanout_pending() counts these reports until
 * they are on disk. */
void hf_fanout_report_drops(struct hf_fanout *fanout);

size_t hf_fanout_sinks(const struct hf_fanout *fanout);
size_t hf_fanout_outlets(const struct hf_fanout *fanout); /* number of sinks that are open */

/* Returns the outlet of sink i. If the sink could not be opened, returns NULL and sets *ret_trouble to the cause, which
 * is never NULL. */
const struct hf_outlet *hf_fanout_outlet(const struct hf_fanout *fanout, size_t i, const char **ret_trouble);
