/* SPDX-License-Identifier: Apache-2.0 */
/* kube/api/rules.h - how the client treats its server: as an API server (apiserver.c), or as a MetaServer
 * (metaserver.c). The other files of kube/api ask this table, never which of the two it is. Private to pkg/kube. */
#pragma once

#include "kube/api/watch.h"

struct hf_kube;

struct hf_kube_rules {
    /* answers and bytes of watches are signs of life of the API server, unless second-hand (rules/origin.h) */
    bool speaks_for_itself;
    bool one_history; /* versions of lists and events only grow */
    bool resumes;     /* a watch continues from a resourceVersion */
    bool only_watch;  /* the reflectors do no rounds (rules/reflector.h) */
    bool takes_turns; /* return.h */

    /* An idle subscription must wait if false. */
    bool (*may_begin)(struct hf_kube_subscription *sub);
    void (*refresh)(struct hf_kube_subscription *sub);  /* as in source.h */
    void (*relist)(struct hf_kube_subscription *sub);   /* as in source.h */
    void (*restored)(struct hf_kube_subscription *sub); /* as hf_kube_restored() */
    /* REPORT_LOST and REPORT_PROVEN of the reflector. */
    void (*contact_changed)(struct hf_kube_subscription *sub, unsigned effects, const struct hf_err *err);
    /* A list of the right kind is from a store, for its resourceVersion is "". */
    bool (*is_from_store)(const struct hf_kube_subscription *sub, const char *version, struct hf_err *err);
    void (*served)(struct hf_kube_subscription *sub, uint64_t date_unix_ns); /* a list is believed */
    /* ADDED, MODIFIED or DELETED. */
    void (*object)(struct hf_kube_subscription *sub, const struct hf_watch_event *event,
                   struct hf_kube_outcome *outcome);
    bool (*may_write)(struct hf_kube *kube);    /* false: a call would wait in vain */
    void (*write_failed)(struct hf_kube *kube); /* with a 5xx or without an answer */
    void (*written)(struct hf_kube *kube);      /* a write shows in its answer */
    void (*network_up)(struct hf_kube *kube);   /* a link of the node came up */
};

extern const struct hf_kube_rules hf_kube_apiserver_rules, hf_kube_metaserver_rules;
