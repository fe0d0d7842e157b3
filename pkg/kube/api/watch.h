/* SPDX-License-Identifier: Apache-2.0 */
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
    struct hf_timer *silence; /* armed from the second bookmark on */
    uint64_t asked_version;   /* version from which it resumed */
    uint64_t due_ns;          /* when the server should end it */
    uint64_t reopen_ns;       /* when to open it again, if `ended` */
    uint64_t heard_ns;
    uint64_t bookmark_ns, gap_ns; /* time of the last bookmark; longest time between two bookmarks */
    unsigned garbage;             /* unusable lines in a row */
    bool calm;
    bool ended; /* the watch ended early; the reflector does not know yet */
};

struct hf_kube_outcome {
    enum hf_rf_event event; /* HF_RF_EVENTS: no event */
    uint64_t retry_after_ns;
    struct hf_err err;
    bool has_err;
};

/* Takes a line; `event` NULL: the line is unusable, as `why` says. */
void hf_kube_watch_take(struct hf_kube_subscription *sub, const struct hf_watch_event *event, const struct hf_err *why,
                        struct hf_kube_outcome *ret_outcome);
void hf_kube_watch_object(struct hf_kube_subscription *sub, const struct hf_watch_event *event,
                          struct hf_kube_outcome *outcome);
void hf_kube_watch_refuse(struct hf_kube_subscription *sub, const struct hf_watch_event *event, int r);
/* Begins the stream of a 2xx. -EBADMSG: not a watch stream. -EREMCHG: HTML, such as a login page. */
HF_MUST_USE int hf_kube_watch_begin(struct hf_kube_subscription *sub, const struct hf_http_response *response);
uint64_t hf_kube_watch_patience_ns(const struct hf_kube_subscription *sub);
