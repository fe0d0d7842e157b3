/* SPDX-License-Identifier: Apache-2.0 */
/* How API server (apiserver.c) and MetaServer (metaserver.c) differ: other files ask only this table. */
#pragma once

#include "kube/api/watch.h"

struct hf_kube;

struct hf_kube_rules {
    /* answers and watches' bytes are signs of life, unless second-hand (rules/origin.h) */
    bool speaks_for_itself;
    bool one_history; /* of lists and events: versions only grow */
    bool resumes;     /* a watch from a resourceVersion */
    bool only_watch;  /* the reflector makes no rounds */
    bool takes_turns; /* subscriptions return one by one (return.h) */

    /* False: an idle subscription waits. */
    bool (*may_begin)(struct hf_kube_subscription *sub);
    void (*refresh)(struct hf_kube_subscription *sub);  /* source.h */
    void (*relist)(struct hf_kube_subscription *sub);   /* source.h */
    void (*restored)(struct hf_kube_subscription *sub); /* hf_kube_restored() */
    /* Heeds HF_RF_REPORT_LOST and HF_RF_REPORT_PROVEN. */
    void (*contact_changed)(struct hf_kube_subscription *sub, unsigned effects, const struct hf_err *err);
    /* A list of the right kind is from a store, as its resourceVersion "" shows. */
    bool (*is_from_store)(const struct hf_kube_subscription *sub, const char *version, struct hf_err *err);
    void (*served)(struct hf_kube_subscription *sub, uint64_t date_unix_ns); /* a list was believed */
    /* ADDED, MODIFIED or DELETED. */
    void (*object)(struct hf_kube_subscription *sub, const struct hf_watch_event *event,
                   struct hf_kube_outcome *outcome);
    bool (*may_write)(struct hf_kube *kube);    /* false: calls would be in vain */
    void (*write_failed)(struct hf_kube *kube); /* 5xx, or no answer */
    void (*written)(struct hf_kube *kube);      /* the answer shows the write */
    void (*network_up)(struct hf_kube *kube);   /* a link of the node came up */
};

extern const struct hf_kube_rules hf_kube_apiserver_rules, hf_kube_metaserver_rules;
