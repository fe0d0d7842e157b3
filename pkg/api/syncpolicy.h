/* api/syncpolicy.h - SyncPolicy, decoded and checked: settings for sync, reports and telemetry.
 *
 * As in api/edgeupdate.h, strings borrow from the tree that the object holds, and a decoded object is valid. Defaults
 * and bounds are in the table of syncpolicy.c. Threads: an object belongs to one thread at a time. */
#pragma once

#include "api/field/selector.h"
#include "api/meta.h"
#include "api/telemetry.h"

enum hf_on_expiry { HF_ON_EXPIRY_HOLD, HF_ON_EXPIRY_CONTINUE, HF_ON_EXPIRY_COUNT };

struct hf_syncpolicy {
    struct hf_meta meta;
    struct hf_selector node_selector;
    int64_t priority;
    uint64_t interval_ns;
    uint64_t retry_interval_ns; /* cap of the back-off */
    uint64_t timeout_ns;        /* for one request */
    uint64_t stale_window_ns;
    enum hf_on_expiry on_expiry;
    uint64_t clock_max_skew_ns;
    bool clock_resync;
    json_t *static_labels; /* object of strings, borrowed; NULL: none */
    bool detect_labels;
    struct hf_telemetry telemetry;
    /* Names of the fields that spec sets and this build ignores ("manifests", "disk", "clock.resync"); NULL ends. */
    const char *not_acted_on[8];
    json_t *json;
};

/* Decodes one object. On success *ret_policy owns a reference to `json`, and *issues holds the warnings. -EBADMSG:
 * *issues, which is cleared first, holds every error. -ENOMEM. */
HF_MUST_USE int hf_syncpolicy_decode(json_t *json, struct hf_syncpolicy **ret_policy, struct hf_issues *issues);
void hf_syncpolicy_free(struct hf_syncpolicy *policy);
HF_DEFINE_CLEANUP(struct hf_syncpolicy, hf_syncpolicy_free)

/* Returns a policy of defaults alone, for a node that no policy selects. NULL: out of memory. */
struct hf_syncpolicy *hf_syncpolicy_default(void);

/* Returns the policy that selects the node with the highest priority; the first name wins a tie. NULL: no policy
 * selects it. */
const struct hf_syncpolicy *hf_syncpolicy_choose(const struct hf_syncpolicy *const *policies, size_t n,
                                                 const json_t *node_labels);
