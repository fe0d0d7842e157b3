/* SPDX-License-Identifier: Apache-2.0 */
/* How API server (apiserver.c) and MetaServer (metaserver.c) differ. */
#pragma once

#include "kube/api/watch.h"

struct hf_kube;

struct hf_kube_rules {
    /* its answers and bytes of its watches are signs of life, unless second-hand (rules/origin.h) */
    bool speaks_for_itself;
    bool one_history; /* versions only grow, in lists and events alike */
    bool resumes;     /* a watch can resume from a resourceVersion */
    bool only_watch;  /* the reflector makes no rounds */
    bool takes_turns; /* after an outage, subscriptions ask the server again one by one (return.h) */

    bool (*may_begin)(struct hf_kube_subscription *sub);
    void (*refresh)(struct hf_kube_subscription *sub);
    void (*relist)(struct hf_kube_subscription *sub);
    void (*restored)(struct hf_kube_subscription *sub);
    /* Handles only HF_RF_REPORT_LOST and HF_RF_REPORT_PROVEN of `effects`. */
    void (*contact_changed)(struct hf_kube_subscription *sub, unsigned effects, const struct hf_err *err);
    /* Whether a list of the right kind came from a store: it has no resourceVersion. */
    bool (*is_from_store)(const struct hf_kube_subscription *sub, const char *version, struct hf_err *err);
    void (*served)(struct hf_kube_subscription *sub, uint64_t date_unix_ns); /* a list was believed */
    void (*object)(struct hf_kube_subscription *sub, const struct hf_watch_event *event,
                   struct hf_kube_outcome *outcome);
    bool (*may_write)(struct hf_kube *kube);    /* false: calls would fail */
    void (*write_failed)(struct hf_kube *kube); /* after a 5xx, or no answer */
    void (*written)(struct hf_kube *kube);      /* an answer shows our write */
    void (*network_up)(struct hf_kube *kube);
};

extern const struct hf_kube_rules hf_kube_apiserver_rules, hf_kube_metaserver_rules;
