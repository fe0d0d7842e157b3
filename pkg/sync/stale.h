/* SPDX-License-Identifier: Apache-2.0 */
/* sync/stale.h - classifies the agent's view of the desired state by its age: Fresh, Stale or Expired. Pure.
 *
 *        contact lost, and the last sign of life
 *            older than HF_STALE_GRACE_NS                policy's window passed
 *     Fresh ------------------------------------> Stale ----------------------> Expired
 *       ^                                           |                              |
 *       '---------------- server answers -----------+------------------------------'
 *
 * Stale is normal at the edge: the agent acts on the cached state. While the state is Expired and onExpiry is Hold, the
 * agent starts no new update. A node that never had contact is Expired.
 *
 * A sign of life is data from the API server itself. Contact is the time of the last sign of life, and the age of
 * contact is the time since then. After a loss of contact, the age still counts from the last sign of life, and not
 * from the moment at which the agent notices the loss. Within one boot, the monotonic clock measures the age, also
 * while the machine sleeps, and over restarts of the agent. After a reboot, the age is at least the age in the clock
 * file plus the time since this boot began; if the best guess of the clock (node/clock.h) gives a longer age, the
 * longer age counts. So the age includes at least the time for which a board was on, even if the board has no battery
 * and its clock stands still while it is off.
 *
 * Only new contact makes the age shorter. A leap of a clock, a kill, a power cut or a reboot never does. To ensure
 * this, the clock file holds a limit besides the age, and the agent writes the file again before the age passes the
 * limit. After a reboot, the age is at least the limit. So a reboot can make the age too long, and the node Expired too
 * early. The error is at most the time between two writes (hf_stale_step_ns()) plus one minute. The errors of many
 * reboots do not add up, because the count of the time continues from the age in the file and not from the limit.
 *
 * If nobody knows whether the file is from this boot, the age is at least the age in the file plus the time since this
 * boot began. In this case, too, the count continues from the age in the file, so that the errors of many restarts
 * within one boot do not add up. */
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
    uint64_t contact_mono_ns; /* monotonic time of the last sign of life; valid if `this_life` or `this_boot` */
    bool this_life;           /* true if this process had contact */
    bool connected;
    /* true if the last contact in the clock file was in this boot, while an earlier process ran; contact_mono_ns is
     * then valid even before this process has contact */
    bool this_boot;
    uint64_t carried_ns; /* age of contact when the process started (0 if `this_boot`) */
    uint64_t start_mono_ns;
    /* greatest age that hf_stale_age_ns() has returned since contact was lost; 0 while there is contact. At the start,
     * the value is the limit in the clock file (0 if `this_boot`). If the boot is unknown, it is the limit, or the age
     * in the file plus the time since this boot began, whichever is longer. */
    uint64_t longest_ns;
};

/* What the clock file holds about the last contact. */
struct hf_stale_kept {
    uint64_t contact_unix_ns; /* 0 means that there was no contact, or that it is unknown */
    uint64_t age_ns;          /* age of the contact when the file was saved */
    /* the agent saves the file again before the age passes this limit; 0 while there is contact */
    uint64_t limit_ns;
    /* The next two are times of the monotonic clock of the boot that runs now; both are 0 if the file is from another
     * boot. The time of the contact is 0 also if the contact was in an earlier boot. */
    uint64_t contact_mono_ns;
    uint64_t saved_mono_ns; /* when the file was saved */
    /* True if nobody knows whether the file is from this boot: the file or this machine has no boot id. The times of
     * the monotonic clock are then 0. */
    bool boot_unknown;
};

void hf_stale_init(struct hf_stale *stale, const struct hf_stale_kept *kept, struct hf_now now);

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

/* Returns how far the age may pass the age in the clock file before the agent saves the file again. Before the window
 * has passed, the result is half of the time since this boot began. The result is never more than an hour or a 24th of
 * the window, whichever is shorter; but a result below 60 s always becomes 60 s. So the age of a board that is often
 * switched off includes most of the time for which the board was on, and a board that stays on writes once an hour (if
 * the window is at least a day). After the window has passed, the result is an hour or a 24th of the age, whichever is
 * longer. */
uint64_t hf_stale_step_ns(struct hf_stale *stale, uint64_t window_ns, struct hf_now now);

/* Fills in what the clock file must hold. */
void hf_stale_keep(struct hf_stale *stale, uint64_t window_ns, struct hf_now now, struct hf_stale_kept *ret_kept);

/* Returns the time until the agent must save the clock file again: 0 means now. `kept` is what the file holds. Returns
 * HF_NEVER while there is contact, and if there never was contact. */
uint64_t hf_stale_save_wait_ns(struct hf_stale *stale, uint64_t window_ns, struct hf_now now,
                               const struct hf_stale_kept *kept);

/* Call when contact returns. `kept` is what the clock file holds. While there is contact, the agent renews the contact
 * in the file as soon as this contact is older than `oldest_ns`. Returns true if the agent must save the file now: the
 * limit in the file is so far above `oldest_ns` that a reboot would make the age much too long. After a short loss, the
 * limit is only a little above `oldest_ns`, and the file may stay. So a link that comes and goes causes one save at
 * each loss, and none at a return. */
bool hf_stale_is_limit_high(const struct hf_stale_kept *kept, uint64_t oldest_ns);

/* Returns the Unix time of the last sign of life (0 means never). */
uint64_t hf_stale_contact_unix_ns(const struct hf_stale *stale);
