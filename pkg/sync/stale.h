/* sync/stale.h - how old our view of the desired state is: Fresh, Stale, Expired. Pure.
 *
 *        contact lost, and the last sign of life
 *            older than HF_STALE_GRACE_NS                policy's window passed
 *     Fresh ------------------------------------> Stale ----------------------> Expired
 *       ^                                           |                              |
 *       '---------------- proven contact -----------+------------------------------'
 *
 * Stale is normal life at the edge: the cached state is the truth and is acted on. Expired with onExpiry Hold starts nothing
 * new. The last contact is the last sign of life that the real source gave, also while nobody has noticed yet that it is the last
 * one. Time since then is measured on the monotonic clock within one life of the process, across lives by the floored
 * wall clock; it never gets shorter but by contact, whatever a clock does. Never contacted is Expired. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sync/now.h"

enum hf_staleness { HF_STALE_FRESH, HF_STALE_STALE, HF_STALE_EXPIRED, HF_STALE_COUNT };
const char *hf_staleness_name(enum hf_staleness staleness); /* "Fresh" ... */

/* A reconnect is no news. Silence that was noticed is: it takes longer than this to notice. */
#define HF_STALE_GRACE_NS (30 * HF_NS_PER_S)

struct hf_stale {
    uint64_t contact_unix_ns; /* last sign of life of the real source; 0 never */
    uint64_t contact_mono_ns; /* meaningful when this_life */
    bool this_life;           /* contact was in this life of the process */
    bool connected;
    uint64_t carried_ns; /* time since contact that was there already at start */
    uint64_t start_mono_ns;
    uint64_t longest_ns; /* the most we ever said since the last contact */
};

/* `kept_contact_unix_ns`: last contact from disk, 0 never or unknown. */
void hf_stale_init(struct hf_stale *stale, uint64_t kept_contact_unix_ns, struct hf_now now);

void hf_stale_contact(struct hf_stale *stale, struct hf_now now); /* the real source answered now */
/* It gave a sign of life at `heard_mono_ns` (monotonic; 0, and what is older than the contact known, says nothing). Only while it is
 * in reach: afterwards nothing but contact counts. */
void hf_stale_heard(struct hf_stale *stale, uint64_t heard_mono_ns, struct hf_now now);
void hf_stale_lost(struct hf_stale *stale); /* it is out of reach, since its last sign of life */

/* Time since the last sign of life, also while connected; HF_NEVER when there was none. Updates `longest_ns`. */
uint64_t hf_stale_age_ns(struct hf_stale *stale, struct hf_now now);

/* The state now, and in *ret_wait_ns after how long to judge again if nothing happens (HF_NEVER). */
enum hf_staleness hf_stale_judge(struct hf_stale *stale, uint64_t window_ns, struct hf_now now, uint64_t *ret_wait_ns);

/* The moment of the last sign of life. 0 never. */
uint64_t hf_stale_contact_unix_ns(const struct hf_stale *stale);
