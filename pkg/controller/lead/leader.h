/* SPDX-License-Identifier: Apache-2.0 */
/* controller/lead/leader.h - reads and writes the Lease by which the replicas agree which of them leads, as
 * controller/lead/lease.h decides.
 *
 * Threads: loop thread only. Memory: the caller keeps what the pointers in the parameters point to. */
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "controller/lead/lease.h"
#include "kube/call.h"
#include "loop/sched.h"

struct hf_metrics; /* web/metrics.h */
struct hf_leader;

struct hf_leader_params {
    struct hf_kube *kube;
    const struct hf_sched_ops *sched;
    const struct hf_clock_ops *clock; /* its wall clock is used only for renewTime and acquireTime, for people */
    struct hf_log *log;
    struct hf_metrics *metrics;
    const char *ns, *name; /* namespace and name of the Lease */
    const char *identity;  /* name of this replica */
    bool alone;            /* true if this process leads without a Lease */
    /* Called when this process begins to lead (epoch above 0), leads with another epoch, or ceases to lead (epoch
     * 0). */
    void (*changed)(void *arg, uint64_t epoch);
    /* Called when the Lease has a lower resourceVersion than before: the API server continues from a restored backup.
     * Watches that resumed from a higher version then bring nothing until the server has reached that version. May be
     * NULL. */
    void (*went_back)(void *arg);
    void *arg;
};

/* Starts to read and write the Lease. `changed` is not called before this function has returned. Returns NULL on
 * failure, with the reason in *err. */
struct hf_leader *hf_leader_new(const struct hf_leader_params *params, struct hf_err *err);
/* Ends without releasing the Lease, which then expires by itself. */
void hf_leader_free(struct hf_leader *leader);
HF_DEFINE_CLEANUP(struct hf_leader, hf_leader_free)

/* Returns true if this process leads at this moment. Ask before each effect. */
bool hf_leader_leads(const struct hf_leader *leader);

/* Returns the monotonic time of the server's last answer about the Lease, or 0 before the first one. */
uint64_t hf_leader_heard_ns(const struct hf_leader *leader);

/* Passes `epoch` to hf_lease_floor(), and returns its result. A process that leads without a Lease soon leads with a
 * higher epoch, too. */
bool hf_leader_floor(struct hf_leader *leader, uint64_t epoch);

/* Returns the value of an annotation of the Lease, from the server's last answer, or NULL if there is none. The text is
 * valid until the next answer. */
const char *hf_leader_annotation(const struct hf_leader *leader, const char *key);

/* Ceases to lead, releases the Lease, and then calls `released`, perhaps before this function returns. If the server is
 * unreachable, `released` is called after at most 5 s. A second call does nothing. */
void hf_leader_release(struct hf_leader *leader, void (*released)(void *arg), void *arg);
