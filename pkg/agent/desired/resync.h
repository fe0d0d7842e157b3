/* SPDX-License-Identifier: Apache-2.0 */
/* agent/desired/resync.h - finds leaps of the wall clock. If the policy's clock.resync and the configuration allow it,
 * restarts the unit of the time service when the clock is off by more than clock.maxSkew. */
#pragma once

#include "agent/env.h"
#include "agent/follow/contact.h"
#include "api/syncpolicy.h"
#include "node/clock_resync.h"

struct hf_resync {
    const struct hf_agent_env *env;
    struct hf_clock_resync rule;
    struct hf_unit_call *call; /* to systemd, or NULL */
    unsigned looked_at;        /* services asked by the running request */
    const char *service;       /* unit to restart, or the first failed one; static */
    uint64_t wait_ns;          /* until the next request, or HF_NEVER */
    uint64_t work_mono_ns;
    unsigned leaps;
    int64_t leap_ns; /* positive: forward */
};

void hf_resync_init(struct hf_resync *resync, const struct hf_agent_env *env);

/* `contact` has the skew. True: a leap of more than clock.maxSkew since the last call. */
bool hf_resync_work(struct hf_resync *resync, const struct hf_contact *contact, const struct hf_syncpolicy *policy);

uint64_t hf_resync_wait_until_ns(const struct hf_resync *resync);

void hf_resync_done(struct hf_resync *resync);
