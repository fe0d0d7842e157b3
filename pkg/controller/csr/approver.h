/* SPDX-License-Identifier: Apache-2.0 */
/* Watches CertificateSigningRequests, and decides those of agents by controller/csr/rule.h, after a read of their Node.
 * Every replica watches. Borrows what the parameters point to, except `terms`. */
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "controller/csr/rule.h"
#include "kube/call.h"
#include "loop/sched.h"

struct hf_metrics;
struct hf_approver;

enum {
    HF_APPROVER_MAX_OPEN = 512,   /* undecided requests */
    HF_APPROVER_MAX_PER_NODE = 8, /* for one node */
    HF_APPROVER_MAX_FLYING = 4,   /* calls in flight */
};

struct hf_approver_params {
    struct hf_kube *kube;
    const struct hf_sched_ops *sched;
    const struct hf_clock_ops *clock;
    struct hf_log *log;
    struct hf_metrics *metrics;
    struct hf_csr_terms terms; /* copied */
    bool (*leads)(void *arg);
    void *arg;
};

struct hf_approver *hf_approver_new(const struct hf_approver_params *params, struct hf_err *err);
void hf_approver_free(struct hf_approver *approver);
HF_DEFINE_CLEANUP(struct hf_approver, hf_approver_free)

/* Decides earlier requests, too. */
void hf_approver_lead(struct hf_approver *approver);
