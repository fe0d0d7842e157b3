/* SPDX-License-Identifier: Apache-2.0 */
/* agent/desired/resync.h - finds leaps of the wall clock. If the policy sets clock.resync and the node's configuration
 * allows it, also asks the time service of this node to synchronize when the clock differs from the API server's clock
 * by more than clock.maxSkew.
 *
 * To ask means to restart the unit of chronyd or systemd-timesyncd: the active one, or else one that has failed. A
 * service that the node's owner has stopped stays stopped. After a start, both ask their own servers at once; then
 * systemd-timesyncd steps the clock, and chronyd does if its configuration has `makestep`, as those of the
 * distributions have. The command `chronyc makestep` does not help: until chronyd has asked its servers again, it
 * knows of no error, and steps the clock by 0 s. Threads: loop thread only. */
#pragma once

#include "agent/env.h"
#include "agent/follow/contact.h"
#include "api/syncpolicy.h"
#include "node/clock_resync.h"

struct hf_resync {
    const struct hf_agent_env *env;
    struct hf_clock_resync rule;
    struct hf_unit_call *call; /* the running call to systemd, or NULL */
    unsigned looked_at;        /* number of time services whose state the running request has read */
    const char *service;       /* the unit that is restarted, or the first failed one so far; a constant string */
    uint64_t wait_ns;          /* time from the last hf_resync_work() to the next due request, or HF_NEVER */
    uint64_t work_mono_ns;     /* monotonic time of the last hf_resync_work() */
    unsigned leaps;            /* number of leaps of the wall clock in this process */
    int64_t leap_ns;           /* size of the last leap; positive for a leap forward */
};

void hf_resync_init(struct hf_resync *resync, const struct hf_agent_env *env);

/* Reads the clocks, and asks the time service if a request is due. `contact` has the skew of the clock; `policy` is
 * the policy in effect. Returns true if the wall clock has leapt by more than clock.maxSkew since the last call. */
bool hf_resync_work(struct hf_resync *resync, const struct hf_contact *contact, const struct hf_syncpolicy *policy);

/* Returns the monotonic time at which the next call of hf_resync_work() is due, or HF_NEVER. */
uint64_t hf_resync_wait_until_ns(const struct hf_resync *resync);

/* Ends a running request. */
void hf_resync_done(struct hf_resync *resync);
