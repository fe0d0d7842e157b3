/* api/syncpolicy.h - SyncPolicy, decoded and checked: settings for sync, reports and telemetry.
 *
 * As in api/edgeupdate.h, strings borrow from the tree that the object holds, and a decoded object is valid. Defaults
 * and bounds are in the table of syncpolicy.c. Threads: an object belongs to one thread at a time. */
#pragma once

#include "api/field/selector.h"
#include "api/meta.h"
#include "api/signature.h"
#include "api/telemetry.h"

enum hf_on_expiry { HF_ON_EXPIRY_HOLD, HF_ON_EXPIRY_CONTINUE, HF_ON_EXPIRY_COUNT };

struct hf_syncpolicy {
    struct hf_meta meta;
    struct hf_selector node_selector;
    int64_t priority;
    uint64_t sequence; /* grows with each signed version of this policy; 0: none given */
    struct hf_signature *signatures;
    size_t n_signatures;
    uint64_t interval_ns;
    uint64_t retry_interval_ns; /* cap of the back-off */
    uint64_t timeout_ns;        /* limit of one request */
    uint64_t stale_window_ns;
    enum hf_on_expiry on_expiry;
    uint64_t clock_max_skew_ns;
    bool clock_resync;
    json_t *static_labels; /* object of strings, borrowed; NULL: none */
    bool detect_labels;
    struct hf_telemetry telemetry;
    /* Names of the fields that spec sets but that this build ignores ("manifests", "disk", "clock.resync"); NULL
     * ends. */
    const char *not_acted_on[8];
    json_t *json;
};

/* Decodes one object. On success *ret_policy owns a reference to `json`, and *issues holds the warnings. -EBADMSG:
 * *issues holds the errors. -ENOMEM. The function clears *issues first. */
HF_MUST_USE int hf_syncpolicy_decode(json_t *json, struct hf_syncpolicy **ret_policy, struct hf_issues *issues);
void hf_syncpolicy_free(struct hf_syncpolicy *policy);
HF_DEFINE_CLEANUP(struct hf_syncpolicy, hf_syncpolicy_free)

/* Returns a policy in which every field has its default, for a node that no policy selects. NULL: out of memory. */
struct hf_syncpolicy *hf_syncpolicy_default(void);

/* Returns the policy with the highest priority among those that select the node; among equal priorities, the first
 * name in byte order wins. NULL: no policy selects the node. */
const struct hf_syncpolicy *hf_syncpolicy_choose(const struct hf_syncpolicy *const *policies, size_t n,
                                                 const json_t *node_labels);
