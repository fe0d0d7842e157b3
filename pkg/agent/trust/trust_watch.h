/* SPDX-License-Identifier: Apache-2.0 */
/* agent/trust/trust_watch.h - notices within seconds that the keys of the trust folder have changed.
 *
 * Watches the trust folder, and the folder above it, in which somebody may make or replace the trust folder. While
 * these folders do not exist, watches the nearest folder above them that does. Gathers events for a second, and then
 * compares the hash of the folder (trust/folder.h), so that thousands of changes cause one look per second, and changes
 * of other files cause nothing more. If the kernel gives no watch, hf_trust_watch_look() at each interval has to do.
 * Threads: loop thread only; a look blocks for a moment to read keys. */
#pragma once

#include "agent/env.h"
#include "codec/sha256.h"
#include "trust/trust.h"

enum { HF_TRUST_WATCH_KEYS = 300 };

struct hf_trust_watch {
    const struct hf_agent_env *env;
    struct hf_watch *folder, *above; /* NULL: there is none */
    struct hf_timer *timer;
    bool gathering;                 /* the timer is armed */
    bool failed;                    /* the log has said that the kernel gives no watch */
    uint64_t look_ns;               /* time that the last look took */
    char stamp[HF_SHA256_HEX];      /* hash of the folder at the last look; "" before it */
    char keys[HF_TRUST_WATCH_KEYS]; /* which keys the folder had then (hf_trust_describe()) */
    struct hf_trust_ids ids;        /* which of them count */
    void (*changed)(void *arg);     /* the keys or the threshold have changed */
    void *arg;
};

/* Begins the watch, and looks at the folder for the first time. Without params->watch, does nothing more. -ENOMEM. */
HF_MUST_USE int hf_trust_watch_init(struct hf_trust_watch *watch, const struct hf_agent_env *env,
                                    void (*changed)(void *arg), void *arg);
void hf_trust_watch_done(struct hf_trust_watch *watch);

/* Looks at the folder now, and renews the watches. Calls changed() if the keys or the threshold have changed. */
void hf_trust_watch_look(struct hf_trust_watch *watch);
