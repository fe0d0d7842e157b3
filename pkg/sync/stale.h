/* SPDX-License-Identifier: Apache-2.0 */
/* Judges how old the agent's view of the desired state is: Fresh, Stale or Expired.
 *
 * While Stale, the agent acts on the cached state. While Expired, it starts no new update if onExpiry is Hold; without
 * any contact ever it is Expired.
 *
 * The age is the time since the last sign of life. Only contact shortens it, no leap, kill or power cut. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sync/now.h"

enum hf_staleness { HF_STALE_FRESH, HF_STALE_STALE, HF_STALE_EXPIRED, HF_STALE_COUNT };
const char *hf_staleness_name(enum hf_staleness staleness);

/* Without contact, the agent stays Fresh for at most so long after a sign of life, if this process had contact. */
#define HF_STALE_GRACE_NS (30 * HF_NS_PER_S)

struct hf_stale {
    uint64_t contact_unix_ns; /* 0: never */
    uint64_t contact_mono_ns; /* valid if `this_life` or `this_boot` */
    bool this_life;           /* this process had contact */
    bool connected;
    bool this_boot;      /* the last contact was in this boot, by the clock file */
    uint64_t carried_ns; /* age at the start; 0 if `this_boot` */
    uint64_t start_mono_ns;
    /* least age to report while contact is lost; 0 with contact */
    uint64_t longest_ns;
};

/* What the clock file has of contact. */
struct hf_stale_kept {
    uint64_t contact_unix_ns;
    uint64_t age_ns;
    uint64_t limit_ns;        /* save again before this age; 0 with contact */
    uint64_t contact_mono_ns; /* 0: not in this boot */
    uint64_t saved_mono_ns;
    bool boot_unknown;
};

void hf_stale_init(struct hf_stale *stale, const struct hf_stale_kept *kept, struct hf_now now);

/* Called for contact with the API server itself. */
void hf_stale_contact(struct hf_stale *stale, struct hf_now now);

/* Called for data from the API server at heard_mono_ns. Changes nothing during a loss, or if that time is not after the
 * last contact, or in the future. */
void hf_stale_heard(struct hf_stale *stale, uint64_t heard_mono_ns, struct hf_now now);

void hf_stale_lost(struct hf_stale *stale);

/* HF_NEVER: there never was contact. Does not shrink during a loss. */
uint64_t hf_stale_age_ns(struct hf_stale *stale, struct hf_now now);

/* *ret_wait_ns: time to the next change, or HF_NEVER. */
enum hf_staleness hf_stale_judge(struct hf_stale *stale, uint64_t window_ns, struct hf_now now, uint64_t *ret_wait_ns);

void hf_stale_keep(struct hf_stale *stale, uint64_t window_ns, struct hf_now now, struct hf_stale_kept *ret_kept);

/* Returns the time to the next save; 0: now; HF_NEVER: in contact, or there never was any. */
uint64_t hf_stale_save_wait_ns(struct hf_stale *stale, uint64_t window_ns, struct hf_now now,
                               const struct hf_stale_kept *kept);

/* Whether to save when contact returns: the limit in `kept` is far above `oldest_ns`, the age at which contact in the
 * file is renewed. */
bool hf_stale_is_limit_high(const struct hf_stale_kept *kept, uint64_t oldest_ns);

uint64_t hf_stale_contact_unix_ns(const struct hf_stale *stale);
