/* SPDX-License-Identifier: Apache-2.0 */
/* Decodes and checks SyncPolicies: sync, reports and telemetry.
 *
 * References its JSON tree, into which texts point. Defaults and bounds: the table in syncpolicy.c. Threads: one at a
 * time. */
#pragma once

#include "api/field/selector.h"
#include "api/manifest.h"
#include "api/meta.h"
#include "api/signature.h"
#include "api/telemetry.h"
#include "api/window.h"

enum hf_on_expiry { HF_ON_EXPIRY_HOLD, HF_ON_EXPIRY_CONTINUE, HF_ON_EXPIRY_COUNT };

enum { HF_MAX_DISK_PATHS = 16, HF_MAX_POLICY_LABELS = 32 };

/* The percentages have defaults even without spec.disk. */
struct hf_policy_disk {
    unsigned warn_percent, critical_percent; /* used; warn <= critical */
    /* one on each file system to watch; none: the agent chooses */
    const char *paths[HF_MAX_DISK_PATHS + 1];
    bool reclaim;
    uint64_t write_budget_bytes; /* in 24 hours; 0: no limit */
};

/* What to keep of committed releases besides what costs nothing. */
struct hf_policy_retain {
    bool current, previous; /* a copy of the installed version; the version before it */
    uint64_t max_bytes;     /* of both, for each release */
};
#define HF_RETAIN_MAX_BYTES (UINT64_C(256) << 20) /* default */

enum { HF_MAX_ALLOWED_IMAGES = 10000, HF_MAX_MIRROR_REGISTRIES = 16, HF_MAX_PREFETCH = 32 };

/* What spec.images says. Each field of it is a section of its own (api/policies). */
struct hf_policy_images {
    /* Borrowed array of "sha256:<64 hex digits>", the images that may run, or NULL: any. Only of a signed policy. */
    json_t *allowed;
    uint64_t allowed_expires_unix_ns; /* HF_NEVER without `allowed` */
    /* Whose images the node's mirror passes on; none: there is no mirror. */
    const char *mirror_registries[HF_MAX_MIRROR_REGISTRIES + 1];
    uint64_t mirror_port;
    const char *prefetch[HF_MAX_PREFETCH + 1]; /* "registry.example/app@sha256:..." */
    uint64_t mirror_max_bytes;                 /* of blobs that the mirror keeps; 0: none */
    bool mirror_configure;                     /* the agent lets containerd use it */
};

/* Bulk transfers (api/link/link.h). */
struct hf_policy_connectivity {
    struct hf_window *windows; /* none: any time */
    size_t n_windows;
    bool metered;               /* paid by volume; only for the default below */
    uint64_t max_bytes_per_day; /* in 24 hours; 0: no limit */
};

struct hf_syncpolicy {
    struct hf_meta meta;
    struct hf_selector node_selector;
    int64_t priority;
    uint64_t sequence; /* grows with each signed version; 0: none */
    struct hf_signature *signatures;
    size_t n_signatures;
    uint64_t interval_ns;       /* full reconciles, drift checks, heartbeats */
    uint64_t retry_interval_ns; /* largest back-off */
    uint64_t timeout_ns;        /* for a request */
    /* before an entry that no policy has is removed; default: the interval */
    uint64_t removal_grace_ns;
    uint64_t stale_window_ns;    /* without contact, until the desired state expires */
    enum hf_on_expiry on_expiry; /* then start nothing new (Hold), or continue */
    uint64_t clock_max_skew_ns;  /* within it, two clocks agree */
    bool clock_resync;           /* request a resync beyond it */
    json_t *static_labels;       /* borrowed object of strings, or NULL */
    bool detect_labels;          /* also labels of detected hardware */
    struct hf_policy_disk disk;
    struct hf_policy_retain retain;
    bool share_neighbours; /* content from the neighbours of the site, and for them */
    struct hf_policy_images images;
    struct hf_policy_connectivity connectivity;
    struct hf_manifest *manifests; /* unique names */
    size_t n_manifests;
    struct hf_telemetry telemetry;
    const char *not_acted_on[8]; /* fields that this program ignores */
    json_t *json;
};

/* As hf_edgeupdate_decode(). */
HF_MUST_USE int hf_syncpolicy_decode(json_t *json, struct hf_syncpolicy **ret_policy, struct hf_issues *issues);
void hf_syncpolicy_free(struct hf_syncpolicy *policy);
HF_DEFINE_CLEANUP(struct hf_syncpolicy, hf_syncpolicy_free)
