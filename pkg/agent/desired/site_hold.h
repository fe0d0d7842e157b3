/* SPDX-License-Identifier: Apache-2.0 */
/* The site's order not to update (<state>/hold). home->hold counts its age; follow/contact.h saves it. */
#pragma once

#include "agent/env.h"
#include "sync/hold_age.h"

struct hf_site_hold {
    const struct hf_agent_env *env;
    struct hf_hold file;
    bool active;
    /* When the hold ends by itself; changes of 5 s or less are ignored. HF_NEVER: no end. */
    uint64_t end_unix_ns;
    uint64_t wait_ns; /* to the next hf_site_hold_judge(), or HF_NEVER */
};

void hf_site_hold_init(struct hf_site_hold *hold, const struct hf_agent_env *env);

/* True: report the change. */
bool hf_site_hold_read(struct hf_site_hold *hold);

bool hf_site_hold_judge(struct hf_site_hold *hold);
