/* SPDX-License-Identifier: Apache-2.0 */
/* API server (apiserver.c) or MetaServer (metaserver.c): other files ask this table, never which it is. */
#pragma once

#include "kube/api/watch.h"

struct hf_kube;

struct hf_kube_rules {
    /* answers and watches' bytes are signs of life, unless second-hand (rules/origin.h) */
    bool speaks_for_itself;
    bool one_history; /* versions only grow */
    bool resumes;     /* a watch from a resourceVersion */
    bool only_watch;  /* no rounds (rules/reflector.h) */
    bool takes_turns; /* return.h */

    /* Else an idle one waits. */
    bool (*may_begin)(struct hf_kube_subscription *sub);
    void (*refresh)(struct hf_kube_subscription *sub);  /* source.h */
    void (*relist)(struct hf_kube_subscription *sub);   /* source.h */
    void (*restored)(struct hf_kube_subscription *sub); /* hf_kube_restored() */
    /* REPORT_LOST, REPORT_PROVEN. */
    void (*contact_changed)(struct hf_kube_subscription *sub, unsigned effects, const struct hf_err *err);
    /* A list of the right kind is from a store, by its resourceVersion "". */
    bool (*is_from_store)(const struct hf_kube_subscription *sub, const char *version, struct hf_err *err);
    void (*served)(struct hf_kube_subscription *sub, uint64_t date_unix_ns); /* a believed answer */
    /* ADDED, MODIFIED or DELETED. */
    void (*object)(struct hf_kube_subscription *sub, const struct hf_watch_event *event,
                   struct hf_kube_outcome *outcome);
    bool (*may_write)(struct hf_kube *kube);    /* else in vain */
    void (*write_failed)(struct hf_kube *kube); /* 5xx, or no answer */
    void (*written)(struct hf_kube *kube);      /* as its answer shows */
    void (*network_up)(struct hf_kube *kube);   /* a link of the node */
};

extern const struct hf_kube_rules hf_kube_apiserver_rules, hf_kube_metaserver_rules;
