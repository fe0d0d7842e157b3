/* SPDX-License-Identifier: Apache-2.0 */
/* The site's order not to update (<state>/hold). home->hold counts its age, which follow/contact.h saves. */
#pragma once

#include "agent/env.h"
#include "sync/hold_age.h"

struct hf_site_hold {
    const struct hf_agent_env *env;
    struct hf_hold file;
    bool active;
    /* When the hold ends by itself; changes of up to 5 s are ignored. HF_NEVER: no end. */
    uint64_t end_unix_ns;
    uint64_t wait_ns; /* time until hf_site_hold_judge() is due */
};

void hf_site_hold_init(struct hf_site_hold *hold, const struct hf_agent_env *env);

/* Reads the file. Returns whether the hold changed, and must be reported. */
bool hf_site_hold_read(struct hf_site_hold *hold);

bool hf_site_hold_judge(struct hf_site_hold *hold);
