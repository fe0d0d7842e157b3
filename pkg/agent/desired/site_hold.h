/* agent/desired/site_hold.h - the site's order not to update (<state>/hold), and whether it is in effect. Loop thread
 * only. */
#pragma once

#include "agent/env.h"
#include "sync/hold.h"

struct hf_site_hold {
    const struct hf_agent_env *env;
    struct hf_hold file;  /* content of the file when it was last read */
    bool active;          /* result of the last hf_site_hold_judge() */
    uint64_t end_unix_ns; /* time at which the hold ends by itself; HF_NEVER: the hold does not end by itself */
};

void hf_site_hold_init(struct hf_site_hold *hold, const struct hf_agent_env *env);

/* Reads the file again. Returns true if a status must report the change. */
bool hf_site_hold_read(struct hf_site_hold *hold);

/* Computes `active`. Returns true if it changed. */
bool hf_site_hold_judge(struct hf_site_hold *hold, uint64_t unix_ns);
