/* SPDX-License-Identifier: Apache-2.0 */
/* controller/csr/approver.h - watches CertificateSigningRequests, and approves or denies the requests of agents as
 * controller/csr/rule.h decides. Before it approves a request, it reads the Node, and denies the request if it is not
 * for that Node. Every replica watches; only the leader writes. Threads: loop thread only. Memory: the
 * caller keeps what the pointers in the parameters point to, except `terms`. */
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "controller/csr/rule.h"
#include "kube/call.h"
#include "loop/sched.h"

struct hf_metrics; /* web/metrics.h */
struct hf_approver;

enum {
    HF_APPROVER_MAX_OPEN = 512,   /* maximum number of undecided requests that the approver keeps */
    HF_APPROVER_MAX_PER_NODE = 8, /* the same limit for the requests of one node */
    HF_APPROVER_MAX_FLYING = 4,   /* maximum number of calls to the API server in flight */
};

struct hf_approver_params {
    struct hf_kube *kube;
    const struct hf_sched_ops *sched;
    const struct hf_clock_ops *clock;
    struct hf_log *log;
    struct hf_metrics *metrics;
    struct hf_csr_terms terms; /* copied, with the string `account` */
    bool (*leads)(void *arg);  /* returns true if this process leads now */
    void *arg;
};

/* Starts to watch. Returns NULL on failure, with the reason in *err. */
struct hf_approver *hf_approver_new(const struct hf_approver_params *params, struct hf_err *err);
void hf_approver_free(struct hf_approver *approver);
HF_DEFINE_CLEANUP(struct hf_approver, hf_approver_free)

/* Call this function when this process begins to lead: the approver then also decides the requests that came before. */
void hf_approver_lead(struct hf_approver *approver);
