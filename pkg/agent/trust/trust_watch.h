/* SPDX-License-Identifier: Apache-2.0 */
/* Finds changed keys of the trust folder within seconds; without a kernel's watch, at each interval. Blocks briefly. */
#pragma once

#include "agent/env.h"
#include "codec/sha256.h"
#include "trust/trust.h"

enum { HF_TRUST_WATCH_KEYS = 300 };

struct hf_trust_watch {
    const struct hf_agent_env *env;
    struct hf_watch *folder, *above; /* or NULL */
    struct hf_timer *timer;
    bool gathering;
    bool failed; /* logged */
    uint64_t look_ns;
    char stamp[HF_SHA256_HEX];      /* or "" */
    char keys[HF_TRUST_WATCH_KEYS]; /* hf_trust_describe() */
    struct hf_trust_ids ids;        /* valid */
    void (*changed)(void *arg);     /* keys or threshold */
    void *arg;
};

/* Looks at once; without params->watch only hf_trust_watch_look() looks again. */
HF_MUST_USE int hf_trust_watch_init(struct hf_trust_watch *watch, const struct hf_agent_env *env,
                                    void (*changed)(void *arg), void *arg);
void hf_trust_watch_done(struct hf_trust_watch *watch);

/* Also renews watches. */
void hf_trust_watch_look(struct hf_trust_watch *watch);
