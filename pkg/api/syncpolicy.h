/* SPDX-License-Identifier: Apache-2.0 */
/* SyncPolicies. An object references its JSON tree, into which texts point. Most defaults and bounds: syncpolicy.c. */
#pragma once

#include "api/field/selector.h"
#include "api/manifest.h"
#include "api/meta.h"
#include "api/signature.h"
#include "api/telemetry.h"
#include "api/window.h"

enum hf_on_expiry { HF_ON_EXPIRY_HOLD, HF_ON_EXPIRY_CONTINUE, HF_ON_EXPIRY_COUNT };

enum { HF_MAX_DISK_PATHS = 16, HF_MAX_POLICY_LABELS = 32 };

struct hf_policy_disk {
    unsigned warn_percent, critical_percent; /* of the space that is in use */
    /* a path on each file system; empty: the agent chooses */
    const char *paths[HF_MAX_DISK_PATHS + 1];
    bool reclaim;
    uint64_t write_budget_bytes; /* in 24 hours; 0: no limit */
};

/* What to keep of committed releases at the cost of space; what costs none is kept in any case. */
struct hf_policy_retain {
    bool current, previous; /* keep the installed version, and the one before */
    uint64_t max_bytes;     /* for both together, per release */
};
#define HF_RETAIN_MAX_BYTES (UINT64_C(256) << 20)

enum { HF_MAX_ALLOWED_IMAGES = 10000, HF_MAX_MIRROR_REGISTRIES = 16, HF_MAX_PREFETCH = 32 };

/* spec.images. Each field there is a section (api/policies). */
struct hf_policy_images {
    /* Borrowed: "sha256:<64 hex digits>" of images that may run; NULL: any. In effect only from a signed policy. */
    json_t *allowed;
    uint64_t allowed_expires_unix_ns;
    /* registries that the node mirrors; empty: no mirror */
    const char *mirror_registries[HF_MAX_MIRROR_REGISTRIES + 1];
    uint64_t mirror_port;
    const char *prefetch[HF_MAX_PREFETCH + 1]; /* "registry.example/app@sha256:..." */
    uint64_t mirror_max_bytes;
    bool mirror_configure;
    bool prefetch_workloads; /* also the images of pods in `manifests` */
};

bool hf_syncpolicy_is_image(const char *text);

/* When bulk transfers may run (api/link/link.h). */
struct hf_policy_connectivity {
    struct hf_window *windows; /* empty: any time */
    size_t n_windows;
    bool metered;               /* only sets the default of max_bytes_per_day */
    uint64_t max_bytes_per_day; /* in 24 hours; 0: no limit */
};

struct hf_syncpolicy {
    struct hf_meta meta;
    struct hf_selector node_selector;
    int64_t priority;
    uint64_t sequence; /* grows with each signed version */
    struct hf_signature *signatures;
    size_t n_signatures;
    uint64_t interval_ns;       /* period of reconciling, drift checks and heartbeats */
    uint64_t retry_interval_ns; /* longest back-off */
    uint64_t timeout_ns;
    /* how long the files of an entry stay that no policy has; default: the interval */
    uint64_t removal_grace_ns;
    uint64_t stale_window_ns;    /* time without contact until contact is Expired */
    enum hf_on_expiry on_expiry; /* once Expired: start nothing new (Hold), or continue */
    uint64_t clock_max_skew_ns;  /* largest difference of clocks that agree */
    bool clock_resync;           /* request a resync if clocks differ more */
    json_t *static_labels;       /* object of strings, borrowed, or NULL */
    bool detect_labels;
    struct hf_policy_disk disk;
    struct hf_policy_retain retain;
    bool share_neighbours;
    struct hf_policy_images images;
    struct hf_policy_connectivity connectivity;
    struct hf_manifest *manifests;
    size_t n_manifests;
    struct hf_telemetry telemetry;
    const char *not_acted_on[8];
    json_t *json;
};

HF_MUST_USE int hf_syncpolicy_decode(json_t *json, struct hf_syncpolicy **ret_policy, struct hf_issues *issues);
void hf_syncpolicy_free(struct hf_syncpolicy *policy);
HF_DEFINE_CLEANUP(struct hf_syncpolicy, hf_syncpolicy_free)
