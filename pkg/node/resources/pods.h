/* SPDX-License-Identifier: Apache-2.0 */
/* Pods' memory against their limits, by cgroups below kubepods (version 2, or 1's memory controller). Names:
 * /var/log/pods/<namespace>_<name>_<uid>.
 *
 * Blocks: a job. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "node/probe.h"

enum {
    HF_PODS_MAX = 256,
    HF_PODS_WORST = 10,
    HF_PODS_TEXT = 1025,
    HF_PODS_NAME = 200,
};

/* How long an OOM kill is recent. */
#define HF_PODS_KILL_NS (3600 * HF_NS_PER_S)

enum hf_pods_killer {
    HF_PODS_KILLER_UNKNOWN, /* cgroup version 1 */
    HF_PODS_KILLER_LIMIT,   /* pod's or container's */
    HF_PODS_KILLER_NODE     /* or above the pod */
};

struct hf_pod_memory {
    char uid[40];
    char name[HF_PODS_NAME]; /* "<namespace>/<name>", or uid */
    uint64_t used_bytes;     /* no inactive file pages */
    uint64_t limit_bytes;
    unsigned stalled_percent;   /* cgroup version 1: 0 */
    uint64_t kills;             /* so far, by any OOM killer */
    uint64_t limit_hits;        /* no memory left below the own limit */
    bool killed;                /* recently */
    enum hf_pods_killer killer; /* last; if `killed` */
};

/* Of earlier looks. Zeroed at first. */
struct hf_pod_kills {
    struct {
        uint64_t pod; /* hash of uid */
        uint64_t kills;
        uint64_t hits;
        enum hf_pods_killer killer;
        uint64_t killed_ns; /* last look with a new one */
        bool seen;
    } pods[HF_PODS_MAX];
    bool filled;    /* by a first look: from then on, all kills of new pods are new */
    uint64_t total; /* new kills */
};

struct hf_pods_found {
    bool found;
    size_t n;                                  /* also above HF_PODS_MAX */
    uint64_t used_bytes;                       /* measured ones */
    struct hf_pod_memory worst[HF_PODS_WORST]; /* in trouble, then nearest to limits */
    size_t n_worst;
    size_t n_troubled; /* of measured ones */
};

void hf_pods_read(const struct hf_probe_root *at, struct hf_pod_kills *kills, uint64_t now_ns,
                  struct hf_pods_found *ret_pods);

/* "OomKilled", "NearLimit", "Stalled" or NULL. Pure. */
const char *hf_pods_trouble(const struct hf_pod_memory *pod);

/* Writes the gravest trouble, and what to do. Returns MemoryPressure's reason, or NULL and "". Pure. */
const char *hf_pods_describe(const struct hf_pods_found *pods, char *text, size_t n);

/* The uid in "kubepods-burstable-pod<uid>.slice" and the like; '_' becomes '-'. False: no pod's; uid is undefined.
 * Pure. */
bool hf_pods_uid(const char *cgroup, char uid[40]);
