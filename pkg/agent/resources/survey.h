/* SPDX-License-Identifier: Apache-2.0 */
/* One look at disks, pods and logs; removes old files (resources/reclaim.h). May hang: on a worker. Threads: one at a
 * time. */
#pragma once

#include "agent/env.h"
#include "agent/resources/reclaim.h"
#include "node/disk.h"
#include "node/resources/logs.h"
#include "node/resources/pods.h"
#include "node/resources/wear.h"

enum {
    HF_SURVEY_MAX_DISKS = 26 /* state, telemetry, 7 roots, 16 of the policy, a spare */
};

struct hf_survey_disk {
    char *path;      /* as shown; owned */
    bool is_own;     /* `path` as this process sees it, not the host */
    bool must_write; /* the agent's data */
    bool missing;
    bool twin; /* on the file system of an earlier one */
    uint64_t device;
    struct hf_disk_usage usage;
    struct hf_wear wear;
};

struct hf_survey {
    /* input; outlives the agent */
    const struct hf_fs_ops *fs;
    char *state_dir, *storage_dir; /* owned; storage_dir may be NULL */
    char *host_root;               /* owned */
    char *host_view, *own_root;    /* of the host's /proc and /sys, this process's; owned */
    char **roots;                  /* update roots; owned */
    unsigned warn_percent, critical_percent;
    bool reclaim;
    bool with_logs;
    bool with_pods;
    struct hf_pod_kills *kills; /* of earlier looks; borrowed, updated */
    uint64_t now_ns, now_unix_ns;
    /* input and results */
    struct hf_survey_disk disks[HF_SURVEY_MAX_DISKS];
    size_t n_disks;
    /* results */
    struct hf_pods_found pods;
    struct hf_logs logs;
    struct hf_kubelet_config kubelet;
    struct hf_reclaim reclaimed;
};

/* Copies from `env`, with state, telemetry and update roots; borrows the file system. */
struct hf_survey *hf_survey_new(const struct hf_agent_env *env);
void hf_survey_free(struct hf_survey *survey);

/* Where a pod sees the host's root; on a host "". */
const char *hf_survey_host_root(const struct hf_agent_params *params);

/* `path`: as the host sees it. -ENOSPC: the survey is full. */
HF_MUST_USE int hf_survey_add(struct hf_survey *survey, const char *path);

/* Measures disks alone, for the start. */
void hf_survey_measure(struct hf_survey *survey);

void hf_survey_run(struct hf_survey *survey);
