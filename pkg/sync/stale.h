/* SPDX-License-Identifier: Apache-2.0 */
/* How old is the agent's view of the desired state: Fresh, Stale, Expired?
 *
 * Stale acts on the cached state. Expired starts no new update with onExpiry Hold; also if there never was contact.
 *
 * The age is the time since the last sign of life: data from the API server itself. Only contact shortens it, no leap,
 * kill or power cut. So a node may expire too early, by at most one step (stale.c) plus one minute, over many reboots,
 * too. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sync/now.h"

enum hf_staleness { HF_STALE_FRESH, HF_STALE_STALE, HF_STALE_EXPIRED, HF_STALE_COUNT };
const char *hf_staleness_name(enum hf_staleness staleness);

/* So long Fresh after a sign of life, if this process had contact: hides short reconnects. */
#define HF_STALE_GRACE_NS (30 * HF_NS_PER_S)

struct hf_stale {
    uint64_t contact_unix_ns; /* 0: never */
    uint64_t contact_mono_ns; /* if `this_life` or `this_boot` */
    bool this_life;           /* process with contact */
    bool connected;
    bool this_boot;      /* last contact, by the clock file */
    uint64_t carried_ns; /* age at start; 0 if `this_boot` */
    uint64_t start_mono_ns;
    /* greatest age since the loss, 0 with contact; at the start the file's limit (0 if `this_boot`), or for an unknown
     * boot the longer of that age plus time since boot */
    uint64_t longest_ns;
};

/* In the clock file. */
struct hf_stale_kept {
    uint64_t contact_unix_ns;
    uint64_t age_ns;          /* at the save */
    uint64_t limit_ns;        /* save again before this age; 0 with contact */
    uint64_t contact_mono_ns; /* monotonic, this boot; else 0 */
    uint64_t saved_mono_ns;
    bool boot_unknown; /* no boot id; monotonic times 0 */
};

void hf_stale_init(struct hf_stale *stale, const struct hf_stale_kept *kept, struct hf_now now);

/* By the API server itself. */
void hf_stale_contact(struct hf_stale *stale, struct hf_now now);

/* Ignores 0, past, future, and all during a loss, which only hf_stale_contact() ends. */
void hf_stale_heard(struct hf_stale *stale, uint64_t heard_mono_ns, struct hf_now now);

void hf_stale_lost(struct hf_stale *stale);

/* HF_NEVER: never. Does not shrink during a loss. */
uint64_t hf_stale_age_ns(struct hf_stale *stale, struct hf_now now);

/* *ret_wait_ns: to the next change, or HF_NEVER. */
enum hf_staleness hf_stale_judge(struct hf_stale *stale, uint64_t window_ns, struct hf_now now, uint64_t *ret_wait_ns);

/* For the clock file. */
void hf_stale_keep(struct hf_stale *stale, uint64_t window_ns, struct hf_now now, struct hf_stale_kept *ret_kept);

/* To the next save; 0: now; HF_NEVER: with contact, or never any. */
uint64_t hf_stale_save_wait_ns(struct hf_stale *stale, uint64_t window_ns, struct hf_now now,
                               const struct hf_stale_kept *kept);

/* At a return of contact: save now, as the limit in `kept` is far above `oldest_ns`, the age at which contact in the
 * file is renewed. A link that comes and goes saves only at losses. */
bool hf_stale_is_limit_high(const struct hf_stale_kept *kept, uint64_t oldest_ns);

uint64_t hf_stale_contact_unix_ns(const struct hf_stale *stale);
