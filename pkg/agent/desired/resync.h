/* SPDX-License-Identifier: Apache-2.0 */
/* Finds leaps of the wall clock. If clock.resync, agent.yaml and onExpiry allow, restarts the time service while the
 * clock is off by more than clock.maxSkew. */
#pragma once

#include "agent/env.h"
#include "agent/follow/contact.h"
#include "api/syncpolicy.h"
#include "node/clock_resync.h"

struct hf_resync {
    const struct hf_agent_env *env;
    struct hf_clock_resync rule;
    struct hf_unit_call *call;
    unsigned looked_at;
    const char *service; /* service to restart, or the first that failed */
    uint64_t wait_ns;    /* time from work_mono_ns to the next work; or HF_NEVER */
    uint64_t work_mono_ns;
    unsigned leaps;
    int64_t leap_ns; /* positive: forward */
};

void hf_resync_init(struct hf_resync *resync, const struct hf_agent_env *env);

/* Returns whether the wall clock leapt by more than clock.maxSkew since the last call. */
bool hf_resync_work(struct hf_resync *resync, const struct hf_contact *contact, const struct hf_syncpolicy *policy);

uint64_t hf_resync_wait_until_ns(const struct hf_resync *resync);

void hf_resync_done(struct hf_resync *resync);
