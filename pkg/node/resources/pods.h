/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the pods' memory with their limits, in the cgroups below kubepods (version 2, or 1's memory controller).
 * Names come from /var/log/pods/<namespace>_<name>_<uid>.
 *
 * Reads some files for each of HF_PODS_MAX pods and blocks: run it in a job. Threads: any, one at a time for one struct
 * hf_pod_kills. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "node/probe.h"

enum {
    HF_PODS_MAX = 256,
    HF_PODS_WORST = 10,
    HF_PODS_TEXT = 1025,
    HF_PODS_NAME = 200,
    HF_PODS_NEAR_LIMIT_PERCENT = 95, /* of the limit */
    /* of the last minute, in which all processes waited for memory together */
    HF_PODS_STALLED_PERCENT = 10
};

/* An OOM kill is recent for this long. */
#define HF_PODS_KILL_NS (3600 * HF_NS_PER_S)

enum hf_pods_killer {
    HF_PODS_KILLER_UNKNOWN, /* in cgroup version 1 */
    HF_PODS_KILLER_LIMIT,   /* of pod or container */
    HF_PODS_KILLER_NODE     /* or a cgroup above the pod */
};

struct hf_pod_memory {
    char uid[40];
    char name[HF_PODS_NAME];    /* "<namespace>/<name>", else the uid */
    uint64_t used_bytes;        /* without inactive file pages */
    uint64_t limit_bytes;       /* 0: none */
    unsigned stalled_percent;   /* 0 in cgroup version 1 */
    uint64_t kills;             /* OOM kills so far, by any OOM killer */
    uint64_t limit_hits;        /* the pod or a container had no memory left below its own limit */
    bool killed;                /* recently */
    enum hf_pods_killer killer; /* last one; if `killed` */
};

/* Earlier looks; begin with zeros. */
struct hf_pod_kills {
    struct {
        uint64_t pod; /* hash of uid; 0: empty */
        uint64_t kills;
        uint64_t hits;
        enum hf_pods_killer killer;
        uint64_t killed_ns; /* last look with a new kill; 0: none */
        bool seen;
    } pods[HF_PODS_MAX];
    bool filled;    /* after the first look, all kills of new pods are new */
    uint64_t total; /* new kills */
};

struct hf_pods_found {
    bool found;
    size_t n;                                  /* also beyond HF_PODS_MAX */
    uint64_t used_bytes;                       /* measured pods */
    struct hf_pod_memory worst[HF_PODS_WORST]; /* in trouble first, then nearest to limits */
    size_t n_worst;
    size_t n_troubled; /* among all measured pods */
};

void hf_pods_read(const struct hf_probe_root *at, struct hf_pod_kills *kills, uint64_t now_ns,
                  struct hf_pods_found *ret_pods);

/* "OomKilled", "NearLimit", "Stalled" or NULL. Pure. */
const char *hf_pods_trouble(const struct hf_pod_memory *pod);

/* Names the gravest pods and what to do. Returns the gravest's reason for MemoryPressure, or NULL and "". Pure. */
const char *hf_pods_describe(const struct hf_pods_found *pods, char *text, size_t n);

/* From "kubepods-burstable-pod<uid>.slice" and the like, '_' becomes '-'. False: not a pod's; uid is then undefined.
 * Pure. */
bool hf_pods_uid(const char *cgroup, char uid[40]);
