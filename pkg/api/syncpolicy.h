/* api/syncpolicy.h - decodes and checks SyncPolicies, which have the settings for sync, reports and telemetry.
 *
 * A struct hf_syncpolicy holds a reference to its JSON tree, and its strings point into this tree. A decoded SyncPolicy
 * is valid. The table in syncpolicy.c has the defaults and bounds. Threads: only one thread may use a struct
 * hf_syncpolicy at a time. */
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
    uint64_t sequence; /* grows with each signed version of this policy (0 means that the policy has no sequence) */
    struct hf_signature *signatures;
    size_t n_signatures;
    uint64_t interval_ns;
    uint64_t retry_interval_ns; /* maximum back-off */
    uint64_t timeout_ns;        /* time limit of one request */
    uint64_t stale_window_ns;
    enum hf_on_expiry on_expiry;
    uint64_t clock_max_skew_ns;
    bool clock_resync;
    json_t *static_labels; /* JSON object of strings, borrowed; NULL if there are none */
    bool detect_labels;
    struct hf_telemetry telemetry;
    /* Names of the fields that spec sets but that this program ignores ("manifests", "disk", "clock.resync"); NULL ends
     * the array. */
    const char *not_acted_on[8];
    json_t *json;
};

/* Decodes a SyncPolicy. First clears *issues. If `json` is valid, returns 0; *ret_policy then owns a reference to
 * `json`, and *issues holds the warnings. If `json` is not valid, returns -EBADMSG; *issues then holds the errors.
 * Returns -ENOMEM if memory runs out. */
HF_MUST_USE int hf_syncpolicy_decode(json_t *json, struct hf_syncpolicy **ret_policy, struct hf_issues *issues);
void hf_syncpolicy_free(struct hf_syncpolicy *policy);
HF_DEFINE_CLEANUP(struct hf_syncpolicy, hf_syncpolicy_free)

/* Returns a policy in which every field has its default, for a node that no policy selects. Returns NULL if memory runs
 * out. */
struct hf_syncpolicy *hf_syncpolicy_default(void);

/* Returns the policy with the highest priority among the policies that select a node with these labels, or NULL if no
 * policy does. Among policies with equal priority, the policy whose name is first in byte order wins. */
const struct hf_syncpolicy *hf_syncpolicy_choose(const struct hf_syncpolicy *const *policies, size_t n,
                                                 const json_t *node_labels);
