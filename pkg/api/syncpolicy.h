/* api/syncpolicy.h - SyncPolicy, decoded and checked. Same rules as api/edgeupdate.h. */
#pragma once

#include "api/meta.h"
#include "api/telemetry.h"

enum hf_on_expiry { HF_ON_EXPIRY_HOLD, HF_ON_EXPIRY_CONTINUE };

struct hf_syncpolicy {
    struct hf_meta meta;
    struct hf_selector node_selector;
    int64_t priority;
    uint64_t interval_ns;       /* default 5 min, 10 s .. 24 h */
    uint64_t retry_interval_ns; /* default 30 s: cap of the backoff */
    uint64_t timeout_ns;        /* default 2 min */
    uint64_t stale_window_ns;   /* default 72 h */
    enum hf_on_expiry on_expiry;
    uint64_t clock_max_skew_ns; /* default 5 min */
    bool clock_resync;
    json_t *static_labels; /* object of strings, borrowed; NULL none */
    bool detect_labels;    /* default true */
    struct hf_telemetry telemetry;
    /* Parts of spec that are set but that this build does not act on: field names, NULL ends ("manifests", "telemetry", "disk"). */
    const char *not_acted_on[8];
    json_t *json;
};

HF_MUST_USE int hf_syncpolicy_decode(json_t *json, struct hf_syncpolicy **ret_policy, struct hf_issues *issues);
void hf_syncpolicy_free(struct hf_syncpolicy *policy);
HF_DEFINE_CLEANUP(struct hf_syncpolicy, hf_syncpolicy_free)

/* The built-in defaults, used while no policy selects the node. NULL on OOM. */
struct hf_syncpolicy *hf_syncpolicy_default(void);

/* DESIGN 2: of those that select the node the highest priority, then the first name. NULL when none does. */
const struct hf_syncpolicy *hf_syncpolicy_choose(const struct hf_syncpolicy *const *policies, size_t n,
                                                 const json_t *node_labels);
