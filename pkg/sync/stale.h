/* sync/stale.h - the age of our view of the desired state: Fresh, Stale, Expired. Pure.
 *
 *        contact lost, and the last sign of life
 *            older than HF_STALE_GRACE_NS                policy's window passed
 *     Fresh ------------------------------------> Stale ----------------------> Expired
 *       ^                                           |                              |
 *       '---------------- proven contact -----------+------------------------------'
 *
 * Stale is normal at the edge: the agent acts on the cached state. Expired with onExpiry Hold starts nothing new. The
 * last contact is the last sign of life from the real source, even before anybody notices that it was the last. Within
 * one process its age is measured on the monotonic clock, across processes on the floored wall clock; only contact
 * makes it shorter, whatever a clock does. A node that never had contact is Expired. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sync/now.h"

enum hf_staleness { HF_STALE_FRESH, HF_STALE_STALE, HF_STALE_EXPIRED, HF_STALE_COUNT };
const char *hf_staleness_name(enum hf_staleness staleness); /* "Fresh" ... */

/* A node stays Fresh for this time after its last sign of life, so that nobody sees a short reconnect. */
#define HF_STALE_GRACE_NS (30 * HF_NS_PER_S)

struct hf_stale {
    uint64_t contact_unix_ns; /* last sign of life of the real source; 0: never */
    uint64_t contact_mono_ns; /* the same on the monotonic clock; only meaningful with this_life */
    bool this_life;           /* this process had contact */
    bool connected;
    uint64_t carried_ns; /* age of the contact when the process started */
    uint64_t start_mono_ns;
    uint64_t longest_ns; /* the greatest age computed since the last contact */
};

/* `kept_contact_unix_ns`: the last contact in the clock file; 0: never, or unknown. */
void hf_stale_init(struct hf_stale *stale, uint64_t kept_contact_unix_ns, struct hf_now now);

/* Call when the real source answers. */
void hf_stale_contact(struct hf_stale *stale, struct hf_now now);

/* Records a sign of life of the source at `heard_mono_ns` (monotonic). Ignores 0, and a time before the last contact.
 * Counts only while connected: after a loss, only contact does. */
void hf_stale_heard(struct hf_stale *stale, uint64_t heard_mono_ns, struct hf_now now);

/* Call when the source is out of reach: contact ended with its last sign of life. */
void hf_stale_lost(struct hf_stale *stale);

/* Returns the time since the last sign of life; HF_NEVER: there was none. Updates `longest_ns`. */
uint64_t hf_stale_age_ns(struct hf_stale *stale, struct hf_now now);

/* Returns the state now. *ret_wait_ns: the time after which it may change by itself (HF_NEVER). */
enum hf_staleness hf_stale_judge(struct hf_stale *stale, uint64_t window_ns, struct hf_now now, uint64_t *ret_wait_ns);

/* Returns the moment of the last sign of life; 0: never. */
uint64_t hf_stale_contact_unix_ns(const struct hf_stale *stale);
