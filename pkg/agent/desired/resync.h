/* agent/desired/resync.h - finds leaps of the wall clock. If the policy sets clock.resync and the node's configuration
 * allows it, also asks the time service of this node to synchronize when the clock differs from the API server's clock
 * by more than clock.maxSkew.
 *
 * The service is chronyd (`chronyc makestep`) or, if chronyc is missing, systemd-timesyncd (a restart of its unit).
 * Both services take the time from their own servers. A pod can only restart the unit. Threads: loop thread only. */
#pragma once

#include "agent/env.h"
#include "agent/follow/contact.h"
#include "api/syncpolicy.h"
#include "node/clock_resync.h"

struct hf_resync {
    const struct hf_agent_env *env;
    struct hf_clock_resync rule;
    struct hf_proc_call *child; /* chronyc, while it runs */
    struct hf_unit_call *job;   /* restart of systemd-timesyncd, while it runs */
    uint64_t wait_ns;           /* time from the last hf_resync_work() to the next due request, or HF_NEVER */
    uint64_t work_mono_ns;      /* monotonic time of the last hf_resync_work() */
    unsigned leaps;             /* number of leaps of the wall clock in this process */
    int64_t leap_ns;            /* size of the last leap; positive for a leap forward */
};

void hf_resync_init(struct hf_resync *resync, const struct hf_agent_env *env);

/* Reads the clocks, and asks the time service if a request is due. `contact` has the skew of the clock; `policy` is the
 * policy in effect. Returns true if the wall clock has leapt by more than clock.maxSkew since the last call. */
bool hf_resync_work(struct hf_resync *resync, const struct hf_contact *contact, const struct hf_syncpolicy *policy);

/* Returns the monotonic time at which the next call of hf_resync_work() is due, or HF_NEVER. */
uint64_t hf_resync_wait_until_ns(const struct hf_resync *resync);

/* Ends a running request. */
void hf_resync_done(struct hf_resync *resync);
