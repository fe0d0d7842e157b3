/* SPDX-License-Identifier: Apache-2.0 */
/* The age of the agent's view of the desired state: Fresh, Stale or Expired. Pure.
 *
 * Stale acts on the cached state. Expired with onExpiry Hold starts no new update. Without any contact ever: Expired.
 *
 * The age is the time since the last sign of life, which is data from the API server itself. Only contact makes it
 * shorter, no leap, kill or power cut. So a node may expire too early, by at most hf_stale_step_ns() plus one minute,
 * also over many reboots. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sync/now.h"

enum hf_staleness { HF_STALE_FRESH, HF_STALE_STALE, HF_STALE_EXPIRED, HF_STALE_COUNT };
const char *hf_staleness_name(enum hf_staleness staleness);

/* Fresh until the last sign of life is this old, if this process had contact: hides a short reconnect. */
#define HF_STALE_GRACE_NS (30 * HF_NS_PER_S)

struct hf_stale {
    uint64_t contact_unix_ns; /* 0: never */
    uint64_t contact_mono_ns; /* if `this_life` or `this_boot` */
    bool this_life;           /* with contact */
    bool connected;
    bool this_boot;      /* the last contact, by the clock file, was in this boot */
    uint64_t carried_ns; /* age at the start; 0 if `this_boot` */
    uint64_t start_mono_ns;
    /* greatest age since the loss, 0 with contact; at the start, the file's limit (0 if `this_boot`), or for an unknown
     * boot the age in it plus the time since boot, if longer */
    uint64_t longest_ns;
};

/* In the clock file. */
struct hf_stale_kept {
    uint64_t contact_unix_ns; /* 0: none */
    uint64_t age_ns;          /* at the save */
    uint64_t limit_ns;        /* the age before which to save again; 0 with contact */
    uint64_t contact_mono_ns; /* Monotonic, of this boot; else 0. */
    uint64_t saved_mono_ns;
    bool boot_unknown; /* no boot id; monotonic times are 0 */
};

void hf_stale_init(struct hf_stale *stale, const struct hf_stale_kept *kept, struct hf_now now);

/* The API server itself has answered. */
void hf_stale_contact(struct hf_stale *stale, struct hf_now now);

/* Ignores 0, the past, the future, and all during a loss, which only hf_stale_contact() ends. */
void hf_stale_heard(struct hf_stale *stale, uint64_t heard_mono_ns, struct hf_now now);

/* The source is unreachable. */
void hf_stale_lost(struct hf_stale *stale);

/* HF_NEVER: no contact ever. Never shrinks during a loss. */
uint64_t hf_stale_age_ns(struct hf_stale *stale, struct hf_now now);

/* *ret_wait_ns: until the state may change, or HF_NEVER. */
enum hf_staleness hf_stale_judge(struct hf_stale *stale, uint64_t window_ns, struct hf_now now, uint64_t *ret_wait_ns);

/* For the clock file. */
void hf_stale_keep(struct hf_stale *stale, uint64_t window_ns, struct hf_now now, struct hf_stale_kept *ret_kept);

/* Until the next save; 0: now. HF_NEVER: there is contact, or never was. */
uint64_t hf_stale_save_wait_ns(struct hf_stale *stale, uint64_t window_ns, struct hf_now now,
                               const struct hf_stale_kept *kept);

/* At a return of contact: save now: the limit in `kept` is far above `oldest_ns`, the age at which contact in the file
 * is renewed. A link that comes and goes saves only at losses. */
bool hf_stale_is_limit_high(const struct hf_stale_kept *kept, uint64_t oldest_ns);

uint64_t hf_stale_contact_unix_ns(const struct hf_stale *stale);
