/* SPDX-License-Identifier: Apache-2.0 */
/* api/syncpolicy.h - decodes and checks SyncPolicies, which have the settings for sync, reports and telemetry.
 *
 * A struct hf_syncpolicy holds a reference to its JSON tree, and its strings point into this tree. A decoded SyncPolicy
 * is valid. The table in syncpolicy.c has the defaults and bounds. Threads: only one thread may use a struct
 * hf_syncpolicy at a time. */
#pragma once

#include "api/field/selector.h"
#include "api/manifest.h"
#include "api/meta.h"
#include "api/signature.h"
#include "api/telemetry.h"
#include "api/window.h"

enum hf_on_expiry { HF_ON_EXPIRY_HOLD, HF_ON_EXPIRY_CONTINUE, HF_ON_EXPIRY_COUNT };

enum { HF_MAX_DISK_PATHS = 16, HF_MAX_POLICY_LABELS = 32 };
#define HF_METERED_BYTES_PER_DAY (UINT64_C(100) << 20) /* default of maxBytesPerDay if `metered` is true */

/* spec.disk. If spec.disk is absent, the percentages have their defaults. */
struct hf_policy_disk {
    unsigned warn_percent, critical_percent; /* used share of a file system; warn_percent <= critical_percent */
    /* absolute paths, one on each file system to watch; NULL ends the array. If the first item is NULL, the policy
     * names no path, and the agent chooses the file systems. */
    const char *paths[HF_MAX_DISK_PATHS + 1];
    bool reclaim;
    uint64_t write_budget_bytes; /* bytes that the agent may write within 24 hours; 0 means no limit */
};

/* spec.connectivity: the times and the amount of bulk transfers that the policy permits. api/link/link.h lists the bulk
 * transfers. */
struct hf_policy_connectivity {
    struct hf_window *windows; /* times at which bulk transfers may run; if n_windows is 0, they may run at any time */
    size_t n_windows;
    bool metered; /* true if the link is paid by volume; the field affects only the default of max_bytes_per_day */
    /* bytes of bulk transfers within 24 hours (0 means no limit); default HF_METERED_BYTES_PER_DAY if `metered` is
     * true, otherwise 0 */
    uint64_t max_bytes_per_day;
};

struct hf_syncpolicy {
    struct hf_meta meta;
    struct hf_selector node_selector;
    int64_t priority;
    uint64_t sequence; /* grows with each signed version of this policy (0 means that the policy has no sequence) */
    struct hf_signature *signatures;
    size_t n_signatures;
    uint64_t interval_ns;       /* period of full reconciles, drift checks and heartbeats */
    uint64_t retry_interval_ns; /* maximum back-off */
    uint64_t timeout_ns;        /* time limit of one request */
    /* how long an entry that no policy has any more stays in place before the node removes it; the default is the
     * interval */
    uint64_t removal_grace_ns;
    uint64_t stale_window_ns; /* time without contact after which the desired state expires */
    /* what the node does after the expiry: start nothing new (Hold), or work as before (Continue) */
    enum hf_on_expiry on_expiry;
    uint64_t clock_max_skew_ns; /* difference up to which two clocks agree */
    bool clock_resync; /* true if the agent requests a resync when the clocks differ by more than clock_max_skew_ns */
    json_t *static_labels; /* labels for the Node, a borrowed JSON object of strings; NULL if there are none */
    bool detect_labels;    /* true if the agent also sets labels for the detected hardware */
    struct hf_policy_disk disk;
    struct hf_policy_connectivity connectivity;
    struct hf_manifest *manifests; /* names are unique */
    size_t n_manifests;
    struct hf_telemetry telemetry;
    /* Names of the fields that spec sets but that this program ignores; NULL ends the array. */
    const char *not_acted_on[8];
    json_t *json;
};

/* Decodes a SyncPolicy. First clears *issues. If `json` is valid, returns 0; *ret_policy then owns a reference to
 * `json`, and *issues holds the warnings. If `json` is not valid, returns -EBADMSG; *issues then holds the errors.
 * Returns -ENOMEM if memory runs out. If the object has windows, the call blocks while it reads zoneinfo files. */
HF_MUST_USE int hf_syncpolicy_decode(json_t *json, struct hf_syncpolicy **ret_policy, struct hf_issues *issues);
void hf_syncpolicy_free(struct hf_syncpolicy *policy);
HF_DEFINE_CLEANUP(struct hf_syncpolicy, hf_syncpolicy_free)

/* Returns a policy in which every field has its default, for a node that no policy selects. Returns NULL if memory runs
 * out. */
struct hf_syncpolicy *hf_syncpolicy_default(void);
