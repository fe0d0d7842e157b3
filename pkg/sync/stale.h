/* sync/stale.h - classifies our view of the desired state by its age: Fresh, Stale or Expired. Pure.
 *
 *        contact lost, and the last sign of life
 *            older than HF_STALE_GRACE_NS                policy's window passed
 *     Fresh ------------------------------------> Stale ----------------------> Expired
 *       ^                                           |                              |
 *       '---------------- server answers -----------+------------------------------'
 *
 * Stale is normal at the edge: the agent acts on the cached state. While the state is Expired and onExpiry is Hold, the
 * agent starts no new update. A sign of life is data from the API server itself. Contact is the time of the last sign
 * of life. After a loss of contact, the age of contact counts from the last sign of life, and not from the moment at
 * which the agent notices the loss. Within one process, the monotonic clock measures the age; across processes, the
 * best guess of the clock (node/clock.h) does. Only new contact makes the age shorter, even if a clock jumps. A node
 * that never had contact is Expired. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sync/now.h"

enum hf_staleness { HF_STALE_FRESH, HF_STALE_STALE, HF_STALE_EXPIRED, HF_STALE_COUNT };
const char *hf_staleness_name(enum hf_staleness staleness); /* returns the name of a state, such as "Fresh" */

/* After a loss of contact, a node stays Fresh until its last sign of life is this old, so that nobody sees a short
 * reconnect. This holds only if the present process had contact. */
#define HF_STALE_GRACE_NS (30 * HF_NS_PER_S)

struct hf_stale {
    uint64_t contact_unix_ns; /* Unix time of the last sign of life (0 means never) */
    uint64_t contact_mono_ns; /* monotonic time of the last sign of life; valid if `this_life` */
    bool this_life;           /* true if this process had contact */
    bool connected;
    uint64_t carried_ns; /* age of contact when the process started */
    uint64_t start_mono_ns;
    uint64_t longest_ns; /* greatest age of contact that was computed since contact was lost */
};

/* `kept_contact_unix_ns` is the contact that the clock file holds (0 means that there was no contact, or that it is
 * unknown). */
void hf_stale_init(struct hf_stale *stale, uint64_t kept_contact_unix_ns, struct hf_now now);

/* Call when the API server itself answers. */
void hf_stale_contact(struct hf_stale *stale, struct hf_now now);

/* Records a sign of life of the source at `heard_mono_ns` (monotonic). Ignores 0, times before the last contact and
 * times after `now`. While contact is lost, ignores every time, because only hf_stale_contact() ends a loss. */
void hf_stale_heard(struct hf_stale *stale, uint64_t heard_mono_ns, struct hf_now now);

/* Call when the source is unreachable. The age of contact then counts from the last sign of life. */
void hf_stale_lost(struct hf_stale *stale);

/* Returns the time since the last sign of life, or HF_NEVER if there was none. While contact is lost, the result never
 * shrinks, and the function updates `longest_ns`. */
uint64_t hf_stale_age_ns(struct hf_stale *stale, struct hf_now now);

/* Returns the state at the time `now`. *ret_wait_ns is the time after which the state may change by itself, or
 * HF_NEVER. */
enum hf_staleness hf_stale_judge(struct hf_stale *stale, uint64_t window_ns, struct hf_now now, uint64_t *ret_wait_ns);

/* Returns the Unix time of the last sign of life (0 means never). */
uint64_t hf_stale_contact_unix_ns(const struct hf_stale *stale);
