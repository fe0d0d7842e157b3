/* SPDX-License-Identifier: Apache-2.0 */
/* Compares pods' memory with their limits, by cgroups below kubepods (version 2 or 1). Takes names from
 * /var/log/pods/<namespace>_<name>_<uid>. Blocks: call it in a job. */
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

#define HF_PODS_KILL_NS (3600 * HF_NS_PER_S)

enum hf_pods_killer {
    HF_PODS_KILLER_UNKNOWN, /* in cgroup version 1 */
    HF_PODS_KILLER_LIMIT,   /* the limit of the pod or container */
    HF_PODS_KILLER_NODE     /* the node's limit, or another limit above the pod */
};

struct hf_pod_memory {
    char uid[40];
    char name[HF_PODS_NAME]; /* "<namespace>/<name>", or uid */
    uint64_t used_bytes;     /* without inactive file pages */
    uint64_t limit_bytes;
    unsigned stalled_percent; /* share of the last minute in which it waited for memory; cgroup version 1: 0 */
    uint64_t kills;
    uint64_t limit_hits;        /* times that its own or a container's limit was reached (version 2) */
    bool killed;                /* within HF_PODS_KILL_NS */
    enum hf_pods_killer killer; /* of the last kill */
};

/* What earlier looks found. Zero it first. */
struct hf_pod_kills {
    struct {
        uint64_t pod;
        uint64_t kills;
        uint64_t hits;
        enum hf_pods_killer killer;
        uint64_t killed_ns;
        bool seen;
    } pods[HF_PODS_MAX];
    bool filled; /* after the first look; from then on, kills of new pods count as new */
    uint64_t total;
};

struct hf_pods_found {
    bool found;
    size_t n; /* number of pods; at most HF_PODS_MAX of them are measured */
    uint64_t used_bytes;
    struct hf_pod_memory worst[HF_PODS_WORST]; /* first those in trouble, then those nearest to their limits */
    size_t n_worst;
    size_t n_troubled;
};

void hf_pods_read(const struct hf_probe_root *at, struct hf_pod_kills *kills, uint64_t now_ns,
                  struct hf_pods_found *ret_pods);

/* Returns "OomKilled", "NearLimit", "Stalled" or NULL. Pure. */
const char *hf_pods_trouble(const struct hf_pod_memory *pod);

/* Writes what is wrong, and what to do. Returns the reason of the condition MemoryPressure, or NULL and "". Pure. */
const char *hf_pods_describe(const struct hf_pods_found *pods, char *text, size_t n);

/* Finds the uid in a name such as "kubepods-burstable-pod<uid>.slice"; '_' becomes '-'. False: no pod. Pure. */
bool hf_pods_uid(const char *cgroup, char uid[40]);
