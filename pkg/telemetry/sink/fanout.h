/* telemetry/sink/fanout.h - an event to every sink that may have it: kept by all of them, or offered again and then kept where it is missing.
 *
 * A sink whose disk fails must not make the others have twice what a sender offers again. Which sinks kept an event that not all of
 * them could keep is remembered by its id (ids.h), in memory, and after a restart read from what each sink has on disk: so an event
 * that was written for one sink when the power went is still owed to the other.
 *
 * A sink that cannot be opened (its folder, its credentials) is tried again every HF_FANOUT_AGAIN_NS; what is for it is not taken
 * meanwhile. Loop thread only. */
#pragma once

#include "telemetry/event/ids.h"
#include "telemetry/sink/outlet.h"

#define HF_FANOUT_AGAIN_NS (30 * HF_NS_PER_S)

struct hf_fanout;

struct hf_fanout_params {
    const struct hf_telemetry_world *world;
    const char *device_key_ref;     /* NULL none */
    const struct hf_http_ops *http; /* of the outlets; NULL: each its own */
    struct hf_ids *ids;      /* of events: here only what could not be kept is taken out, and what is on disk put in */
    void (*room)(void *arg); /* after -EAGAIN */
    void (*idle)(void *arg); /* nothing is on its way to disk any more */
    void *arg;
};

struct hf_fanout *hf_fanout_new(const struct hf_fanout_params *params); /* NULL on OOM */
/* At once, as a crash would; outlets end by themselves. */
void hf_fanout_free(struct hf_fanout *fanout);
HF_DEFINE_CLEANUP(struct hf_fanout, hf_fanout_free)

/* `spec` is borrowed until close. Blocks. */
void hf_fanout_open(struct hf_fanout *fanout, const struct hf_telemetry *spec);
/* The same sinks may be opened again when gone(arg) was called, perhaps at once, for each of hf_fanout_outlets(). */
void hf_fanout_close(struct hf_fanout *fanout, void (*gone)(void *arg), void *arg);

enum hf_fanout_stored {
    HF_FANOUT_STORED, /* on its way; `receipt` (may be NULL) is held until it is on disk everywhere, or failed somewhere */
    HF_FANOUT_DUPLICATE, /* on the disk of each of them already */
};
/* `sinks`: bit i for spec->sinks[i], at least one. Origin, sequence and id are filled in. -EAGAIN: no room in one of them; -E2BIG and
 * others: can never be. */
HF_MUST_USE int hf_fanout_store(struct hf_fanout *fanout, struct hf_event *event, uint32_t sinks,
                                struct hf_receipt *receipt);
/* An event that was taken before: no safer than the first one. As hf_pending_follow(). */
HF_MUST_USE int hf_fanout_follow(struct hf_fanout *fanout, struct hf_view id, struct hf_receipt *receipt);
/* The last -EAGAIN of hf_fanout_store() came from a sink that is not open: its name, and in *ret_trouble why. NULL: it did not, or the
 * sink is open by now. */
const char *hf_fanout_blocked(const struct hf_fanout *fanout, const char **ret_trouble);
/* On their way to disk. */
size_t hf_fanout_pending(const struct hf_fanout *fanout);
/* What was dropped to make room and is not told yet is told now; pending until it is on disk. */
void hf_fanout_report_drops(struct hf_fanout *fanout);

size_t hf_fanout_sinks(const struct hf_fanout *fanout);
size_t hf_fanout_outlets(const struct hf_fanout *fanout); /* sinks that are open */
/* Of sink i; NULL: it could not be opened, and *ret_trouble (never NULL) says why. */
const struct hf_outlet *hf_fanout_outlet(const struct hf_fanout *fanout, size_t i, const char **ret_trouble);
