/* SPDX-License-Identifier: Apache-2.0 */
/* agent/resources/survey.h - looks once at the disks, pods and logs of this machine, and removes old files
 * (agent/resources/reclaim.h) if the policy asks for this. A look blocks, perhaps for long (a network file system, an
 * old SD card), so it runs in a job.
 *
 * The caller fills the input, runs the survey on a worker, and takes the results on the loop thread. Threads: any, one
 * at a time for one survey. Memory: hf_survey_free() frees a survey with its paths and results. */
#pragma once

#include "agent/env.h"
#include "agent/resources/reclaim.h"
#include "node/disk.h"
#include "node/resources/logs.h"
#include "node/resources/pods.h"
#include "node/resources/wear.h"

enum {
    HF_SURVEY_MAX_DISKS = 26 /* state folder, telemetry, 7 update roots, 16 paths of the policy, and one spare */
};

/* A folder or file, and the facts about its file system. */
struct hf_survey_disk {
    char *path;      /* as the status shows it; owned */
    bool is_own;     /* true: `path` is as this process sees it; false: as the host sees it */
    bool must_write; /* the agent keeps its own data there */
    bool missing;
    bool twin; /* true: an earlier disk of the survey is on the same file system and has the figures */
    uint64_t device;
    struct hf_disk_usage usage;
    struct hf_wear wear;
};

struct hf_survey {
    /* input; a worker may still read all of it when the agent has ended */
    const struct hf_fs_ops *fs;
    char *state_dir, *storage_dir; /* owned; storage_dir may be NULL */
    char *host_root;               /* hf_survey_host_root(); owned */
    char *host_view, *own_root;    /* above the /proc and /sys of the host, and of this process; owned */
    char **roots;                  /* update roots, with a NULL at the end; owned */
    unsigned warn_percent, critical_percent;
    bool reclaim;                 /* remove old files of the agent on critically full disks */
    bool with_logs;               /* look at the logs, too */
    bool with_pods;               /* look at the pods, too */
    struct hf_pod_kills *kills;   /* results of earlier looks at pods; borrowed and updated */
    uint64_t now_ns, now_unix_ns; /* time of the look, monotonic and wall clock */
    /* input and results */
    struct hf_survey_disk disks[HF_SURVEY_MAX_DISKS];
    size_t n_disks;
    /* results */
    struct hf_pods_found pods;
    struct hf_logs logs;
    struct hf_kubelet_config kubelet;
    struct hf_reclaim reclaimed;
};

/* Makes a survey with the agent's own folders: state, telemetry, update roots. Copies what it needs of `env`, but
 * borrows the file system. Returns NULL if memory runs out. */
struct hf_survey *hf_survey_new(const struct hf_agent_env *env);
void hf_survey_free(struct hf_survey *survey);

/* Returns the folder below which a pod sees the paths of its host; "" on a host, or if the pod has them at the same
 * places. */
const char *hf_survey_host_root(const struct hf_agent_params *params);

/* Adds a path of the policy, as the host sees it. Returns 0, -ENOSPC (the survey is full) or -ENOMEM. */
HF_MUST_USE int hf_survey_add(struct hf_survey *survey, const char *path);

/* Measures only the disks, which is enough at the start of the agent. Blocks. */
void hf_survey_measure(struct hf_survey *survey);

/* Measures the disks, reads the configuration of the kubelet, and does the other work that the input selects.
 * Blocks. */
void hf_survey_run(struct hf_survey *survey);
