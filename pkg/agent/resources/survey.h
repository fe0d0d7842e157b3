/* SPDX-License-Identifier: Apache-2.0 */
/* One look at disks, pods and logs; removes old files (resources/reclaim.h). hf_survey_run() may hang: use a worker.
 * Threads: one at a time. */
#pragma once

#include "agent/env.h"
#include "agent/resources/reclaim.h"
#include "node/disk.h"
#include "node/resources/logs.h"
#include "node/resources/pods.h"
#include "node/resources/wear.h"

enum {
    HF_SURVEY_MAX_DISKS = 26 /* folders of state and telemetry, 7 update roots, 16 paths of the policy, a spare */
};

struct hf_survey_disk {
    char *path;      /* owned */
    bool is_own;     /* `path` is a path of this process, not of the host */
    bool must_write; /* the agent keeps data here */
    bool missing;
    bool twin; /* an earlier entry is on the same file system */
    uint64_t device;
    struct hf_disk_usage usage;
    struct hf_wear wear;
};

struct hf_survey {
    /* input; strings are copied, as a survey may outlive the agent */
    const struct hf_fs_ops *fs;
    char *state_dir, *storage_dir; /* storage_dir may be NULL */
    char *host_root;
    /* folders above the host's cgroups, logs and settings, and above this process's /proc and /sys */
    char *host_view, *own_root;
    char **roots;
    unsigned warn_percent, critical_percent;
    bool reclaim;
    bool with_logs;
    bool with_pods;
    struct hf_pod_kills *kills;
    uint64_t now_ns, now_unix_ns;
    struct hf_survey_disk disks[HF_SURVEY_MAX_DISKS];
    size_t n_disks;
    struct hf_pods_found pods;
    struct hf_logs logs;
    struct hf_kubelet_config kubelet;
    struct hf_reclaim reclaimed;
};

/* Makes a survey of the state folder, telemetry folder and update roots. */
struct hf_survey *hf_survey_new(const struct hf_agent_env *env);
void hf_survey_free(struct hf_survey *survey);

/* The host's root as this process sees it; "" on a host. */
const char *hf_survey_host_root(const struct hf_agent_params *params);

/* Adds a path, as the host sees it. -ENOSPC: the survey is full. */
HF_MUST_USE int hf_survey_add(struct hf_survey *survey, const char *path);

void hf_survey_measure(struct hf_survey *survey);

void hf_survey_run(struct hf_survey *survey);
