/* SPDX-License-Identifier: Apache-2.0 */
/* A subscription's watch. */
#pragma once

#include "base/err.h"
#include "kube/rules/ledger.h"
#include "kube/rules/reflector.h"
#include "kube/rules/watch_stream.h"
#include "loop/sched.h"

struct hf_http_response;
struct hf_kube_subscription;

struct hf_kube_watch {
    struct hf_watch_stream stream;
    struct hf_timer *silence;     /* from the second bookmark on */
    uint64_t asked_version;       /* resumed from */
    uint64_t due_ns;              /* the server should end it */
    uint64_t reopen_ns;           /* if `ended` */
    uint64_t heard_ns;            /* last byte */
    uint64_t bookmark_ns, gap_ns; /* last; longest between two */
    unsigned garbage;             /* unusable lines in a row */
    bool calm;                    /* the last watch ended without error */
    bool ended;                   /* early; the reflector does not know */
};

struct hf_kube_outcome {
    enum hf_rf_event event; /* HF_RF_EVENTS: none */
    uint64_t retry_after_ns;
    struct hf_err err;
    bool has_err;
};

/* `event` NULL: the line is unusable, for the reason `why`. */
void hf_kube_watch_take(struct hf_kube_subscription *sub, const struct hf_watch_event *event, const struct hf_err *why,
                        struct hf_kube_outcome *ret_outcome);
/* Takes an API server's ADDED, MODIFIED or DELETED. */
void hf_kube_watch_object(struct hf_kube_subscription *sub, const struct hf_watch_event *event,
                          struct hf_kube_outcome *outcome);
/* The ledger refused the event with `r`. */
void hf_kube_watch_refuse(struct hf_kube_subscription *sub, const struct hf_watch_event *event, int r);
/* A 2xx has come. -EBADMSG: not a watch stream. -EREMCHG: HTML, such as a login page. */
HF_MUST_USE int hf_kube_watch_begin(struct hf_kube_subscription *sub, const struct hf_http_response *response);
/* Time until the stream counts as silent; 0: now. */
uint64_t hf_kube_watch_patience_ns(const struct hf_kube_subscription *sub);
