/* SPDX-License-Identifier: Apache-2.0 */
/* node/resources/pods.h - compares the memory of this node's pods with their limits. It reads the cgroups below
 * kubepods, of cgroup version 2 or of the memory controller of version 1.
 *
 * The names of pods come from the folders /var/log/pods/<namespace>_<name>_<uid>; no API server is needed. A look (one
 * call of hf_pods_read()) reads some small files for each of at most HF_PODS_MAX pods. It blocks, so run it in a job.
 * Threads: any, but only one at a time for one struct hf_pod_kills. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "node/probe.h"

enum {
    HF_PODS_MAX = 256,
    HF_PODS_WORST = 10,
    HF_PODS_TEXT = 1025,
    HF_PODS_NAME = 200,
    HF_PODS_NEAR_LIMIT_PERCENT = 95, /* used memory, in percent of the limit, from which a pod is near its limit */
    /* a pod is stalled if all its processes waited for memory at the same time for at least this part of the last
     * minute, in percent */
    HF_PODS_STALLED_PERCENT = 10
};

/* A kill of a pod's process by the kernel counts as recent for this long. */
#define HF_PODS_KILL_NS (3600 * HF_NS_PER_S)

enum hf_pods_killer {
    HF_PODS_KILLER_UNKNOWN, /* cgroup version 1 does not show it */
    HF_PODS_KILLER_LIMIT,   /* the limit of the pod or of a container */
    HF_PODS_KILLER_NODE     /* the node, or a cgroup above the pod, had no memory left */
};

struct hf_pod_memory {
    char uid[40];
    char name[HF_PODS_NAME]; /* "<namespace>/<name>", or the uid if the node has no log folder of the pod */
    uint64_t used_bytes;     /* without inactive file pages, which the kernel drops first */
    uint64_t limit_bytes;    /* 0 if the pod has no limit */
    /* part of the last minute, in percent, for which all processes of the pod waited for memory at the same time; 0
     * with cgroup version 1 */
    unsigned stalled_percent;
    uint64_t kills;             /* OOM kills that the kernel counted so far, by whatever OOM killer */
    uint64_t limit_hits;        /* how often the pod or a container of it had no memory left below its own limit */
    bool killed;                /* at least one of these kills is recent (HF_PODS_KILL_NS) */
    enum hf_pods_killer killer; /* what the most recent kill was for; valid if `killed` is true */
};

/* Results of earlier looks. Set the struct to zeros before the first look. */
struct hf_pod_kills {
    struct {
        uint64_t pod;   /* hash of the uid; 0 for an empty entry */
        uint64_t kills; /* OOM kills at the last look */
        uint64_t hits;  /* limit_hits at the last look */
        enum hf_pods_killer killer;
        uint64_t killed_ns; /* monotonic time of the last look that found a new kill; 0 if none did */
        bool seen;          /* the current look has found the pod */
    } pods[HF_PODS_MAX];
    bool filled;    /* the first look has ended; from then on, all kills of a newly found pod count as new */
    uint64_t total; /* number of new kills that all looks have found */
};

struct hf_pods_found {
    bool found;          /* this node has a cgroup kubepods */
    size_t n;            /* number of all pods, including those beyond HF_PODS_MAX */
    uint64_t used_bytes; /* sum over the measured pods */
    /* pods in trouble first, then the pods closest to their limits */
    struct hf_pod_memory worst[HF_PODS_WORST];
    size_t n_worst;
    size_t n_troubled; /* number of measured pods in trouble, including those that are not in `worst` */
};

/* Measures the pods. */
void hf_pods_read(const struct hf_probe_root *at, struct hf_pod_kills *kills, uint64_t now_ns,
                  struct hf_pods_found *ret_pods);

/* Returns why a pod is in trouble: "OomKilled", "NearLimit" or "Stalled". Returns NULL if the pod is not in trouble.
 * Pure. */
const char *hf_pods_trouble(const struct hf_pod_memory *pod);

/* Writes to text[n] the names of the gravest pods in trouble, the number of the other pods in trouble, and what to do.
 * Returns the reason of the condition MemoryPressure: what hf_pods_trouble() returns for the gravest pod. If no pod is
 * in trouble, returns NULL and writes "". Pure. */
const char *hf_pods_describe(const struct hf_pods_found *pods, char *text, size_t n);

/* Copies the uid out of the name of a cgroup, such as "kubepods-burstable-pod<uid>.slice" or "pod<uid>", to uid[40];
 * writes '-' for '_'. Returns false if this is not the cgroup of a pod, or if the uid does not have 32 to 36
 * characters; uid[40] is then undefined. Pure. */
bool hf_pods_uid(const char *cgroup, char uid[40]);
