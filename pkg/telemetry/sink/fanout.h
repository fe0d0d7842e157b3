/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/sink/fanout.h - stores an event in the queue of every sink that is to receive the event. If only some of
 * these sinks have stored the event, its sender offers the event again, and then only the remaining sinks store it.
 *
 * If a sink fails to store an event, the fanout remembers which other sinks have stored the event. For each of these
 * sinks, it keeps a fingerprint of the event's id (event/ids.h). So a sink that cannot write to disk causes no
 * duplicates in other sinks. After a restart the fanout reads the newest ids from the spools. So if a power cut left an
 * event in the spool of only one sink, the other sinks still store the event when its sender offers it again.
 *
 * If a sink cannot be opened (because of its folder or credentials), the fanout tries again every HF_FANOUT_AGAIN_NS.
 * Until the sink is open, the fanout accepts no events that this sink is to receive.
 *
 * Threads: loop thread only. Memory: the fanout owns the outlets. Errors: functions return 0 or -errno;
 * hf_fanout_open() returns nothing and logs its errors. */
#pragma once

#include "telemetry/event/ids.h"
#include "telemetry/sink/outlet.h"

#define HF_FANOUT_AGAIN_NS (30 * HF_NS_PER_S)

struct hf_fanout;

struct hf_fanout_params {
    const struct hf_telemetry_world *world;
    const char *device_key_ref;     /* location of the device key; NULL if there is none */
    const struct hf_http_ops *http; /* HTTP client for all outlets; NULL if each outlet makes its own client */
    /* Window of the ids of accepted events (event/ids.h). The fanout removes the ids of events that could not be
     * stored, and adds the ids that it finds on disk. */
    struct hf_ids *ids;
    void (*room)(void *arg); /* called when hf_fanout_store() may succeed again after it returned -EAGAIN */
    void (*idle)(void *arg); /* called when no event is on its way to disk any more */
    void (*lost)(void *arg); /* called when a sink failed to store an event; may be NULL */
    void *arg;
};

/* Makes a fanout without sinks. Returns NULL if memory runs out. */
struct hf_fanout *hf_fanout_new(const struct hf_fanout_params *params);
/* Frees the fanout at once. Events that are not on disk yet are lost, as in a crash. The outlets end in the
 * background. */
void hf_fanout_free(struct hf_fanout *fanout);
HF_DEFINE_CLEANUP(struct hf_fanout, hf_fanout_free)

/* Opens all sinks of `spec`, and blocks while it reads their files. `former_bytes` is the disk space that the folders
 * of former sinks take (former.h); the sinks share the remaining bytes of the buffer. The fanout borrows `spec` until
 * hf_fanout_close(). */
void hf_fanout_open(struct hf_fanout *fanout, const struct hf_telemetry *spec, uint64_t former_bytes);
/* Closes all sinks. Calls gone(arg) once for each open sink, when that sink's outlet has ended; a call may come before
 * this function returns. To learn the number of these calls, call hf_fanout_outlets() before hf_fanout_close(). Open
 * the sinks again only after the last call of gone(). */
void hf_fanout_close(struct hf_fanout *fanout, void (*gone)(void *arg), void *arg);

enum hf_fanout_stored {
    HF_FANOUT_STORED,    /* the event is on its way to the disk, for at least one sink */
    HF_FANOUT_DUPLICATE, /* every selected sink has the event on disk already */
};
/* Stores an event in the queues of the selected sinks. Gives the event a sequence if the event has no sequence or no
 * origin, and an id if the event has no id. Bit i of `sinks` selects spec->sinks[i]; at least one bit must be set.
 * Returns enum hf_fanout_stored or -errno. After HF_FANOUT_STORED, the fanout holds the receipt (may be NULL) until
 * each selected sink has the event on disk or has failed to store it. -EAGAIN: a selected sink has no room in its queue
 * for the event or for its owner, or is not open, or HF_PENDING_MAX events are on their way to disk (pending.h); offer
 * the event again later. -E2BIG:
 * the event is too large and can never be stored. -ENOMEM: memory ran out. */
HF_MUST_USE int hf_fanout_store(struct hf_fanout *fanout, struct hf_event *event, uint32_t sinks,
                                struct hf_receipt *receipt);

/* Call this function if an event is offered again while its first offer is still on its way to disk. Holds `receipt`,
 * the receipt of the second offer, as hf_pending_follow() does. */
HF_MUST_USE int hf_fanout_follow(struct hf_fanout *fanout, const struct hf_event *event, struct hf_receipt *receipt);

/* Returns true if hf_fanout_store() last returned -EAGAIN because the owner of the event has taken its share of
 * a sink's queue (shares.h). */
bool hf_fanout_over_share(const struct hf_fanout *fanout);

/* If hf_fanout_store() last returned -EAGAIN because a sink is not open, returns the sink's name and sets *ret_trouble
 * to the reason why the sink is not open. Returns NULL if the cause was a lack of room, or if the sink has been opened
 * since then. */
const char *hf_fanout_blocked(const struct hf_fanout *fanout, const char **ret_trouble);

/* Returns the number of events on their way to disk. */
size_t hf_fanout_pending(const struct hf_fanout *fanout);

/* Makes every open sink store reports about the events that its spool dropped to make room, unless it has already
 * reported these drops. hf_fanout_pending() counts these reports until they are on disk. */
void hf_fanout_report_drops(struct hf_fanout *fanout);

/* Calls hf_outlet_link_changed() for every open sink. */
void hf_fanout_link_changed(const struct hf_fanout *fanout);

size_t hf_fanout_sinks(const struct hf_fanout *fanout);
size_t hf_fanout_outlets(const struct hf_fanout *fanout); /* Returns the number of sinks that are open. */

/* Returns the outlet of sink i. If the sink could not be opened, returns NULL and sets *ret_trouble to the cause, which
 * is never NULL. */
const struct hf_outlet *hf_fanout_outlet(const struct hf_fanout *fanout, size_t i, const char **ret_trouble);
