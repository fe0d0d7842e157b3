/* SPDX-License-Identifier: Apache-2.0 */
/* agent/desired/site_hold.h - reads the site's order not to update (file <state>/hold), and decides if this hold is in
 * effect. The age of the hold is in home->hold; the clock file keeps it (agent/follow/contact.h). Threads: loop thread
 * only. */
#pragma once

#include "agent/env.h"
#include "sync/hold_age.h"

struct hf_site_hold {
    const struct hf_agent_env *env;
    struct hf_hold file; /* content of the file when it was last read */
    bool active;         /* true if the hold was in effect at the last hf_site_hold_judge() */
    /* Unix time at which the hold ends by itself, for the status; HF_NEVER if there is no such time. It changes only in
     * steps of more than 5 s. */
    uint64_t end_unix_ns;
    /* time from the last hf_site_hold_judge() until the hold ends by itself, or HF_NEVER */
    uint64_t wait_ns;
};

void hf_site_hold_init(struct hf_site_hold *hold, const struct hf_agent_env *env);

/* Reads the file <state>/hold again. Returns true if a status must report the change. */
bool hf_site_hold_read(struct hf_site_hold *hold);

/* Computes if the hold is in effect now, and sets `active`. Returns true if a status must report the change. */
bool hf_site_hold_judge(struct hf_site_hold *hold);
