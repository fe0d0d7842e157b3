/* SPDX-License-Identifier: Apache-2.0 */
/* Finds changed keys of the trust folder within seconds; where the kernel cannot watch, at each interval. Blocks
 * briefly. */
#pragma once

#include "agent/env.h"
#include "codec/sha256.h"
#include "trust/trust.h"

enum { HF_TRUST_WATCH_KEYS = 300 };

struct hf_trust_watch {
    const struct hf_agent_env *env;
    struct hf_watch *folder, *above;
    struct hf_timer *timer;
    bool gathering;
    bool failed;
    uint64_t look_ns;
    char stamp[HF_SHA256_HEX];
    char keys[HF_TRUST_WATCH_KEYS];
    struct hf_trust_ids ids;
    void (*changed)(void *arg);
    void *arg;
};

/* Looks at once, and soon after events. Without params->watch, nothing looks at the folder. */
HF_MUST_USE int hf_trust_watch_init(struct hf_trust_watch *watch, const struct hf_agent_env *env,
                                    void (*changed)(void *arg), void *arg);
void hf_trust_watch_done(struct hf_trust_watch *watch);

/* Looks for changed keys, and renews the watches. */
void hf_trust_watch_look(struct hf_trust_watch *watch);
