/* SPDX-License-Identifier: Apache-2.0 */
/* The site's order not to update (<state>/hold). Its age: home->hold, follow/contact.h. */
#pragma once

#include "agent/env.h"
#include "sync/hold_age.h"

struct hf_site_hold {
    const struct hf_agent_env *env;
    struct hf_hold file;
    bool active;
    /* When it ends by itself, in steps of more than 5 s; or HF_NEVER. */
    uint64_t end_unix_ns;
    uint64_t wait_ns; /* or HF_NEVER */
};

void hf_site_hold_init(struct hf_site_hold *hold, const struct hf_agent_env *env);

/* True: report it. */
bool hf_site_hold_read(struct hf_site_hold *hold);

bool hf_site_hold_judge(struct hf_site_hold *hold);
