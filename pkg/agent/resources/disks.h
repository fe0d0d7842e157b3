/* SPDX-License-Identifier: Apache-2.0 */
/* Disks, own writes, logs, memory of pods, by spec.disk. */
#pragma once

#include "agent/report/status.h"
#include "agent/resources/survey.h"
#include "api/syncpolicy.h"
#include "node/resources/pressure.h"
#include "node/resources/write_log.h"

struct hf_disks_condition {
    const char *reason; /* CamelCase, or NULL */
    char text[HF_PRESSURE_TEXT];
};

struct hf_disks {
    const struct hf_agent_env *env;
    /* of the policy */
    unsigned warn_percent, critical_percent;
    bool reclaim;
    uint64_t budget_bytes;
    char *paths[HF_MAX_DISK_PATHS]; /* owned */
    size_t n_paths;
    /* last look */
    struct hf_pressure_disk disks[HF_SURVEY_MAX_DISKS];
    struct hf_disk_usage shown[HF_SURVEY_MAX_DISKS]; /* as of another level, or 3 points */
    uint64_t devices[HF_SURVEY_MAX_DISKS];
    size_t n;
    struct hf_pods_found pods;
    struct hf_pod_kills kills; /* of earlier looks; a job has a copy */
    struct hf_disks_condition pressure, memory, logs;
    char kubelet[160]; /* its act on a full disk, or "" */
    struct hf_write_log writes;
    bool has_kernel; /* counts this process */
    uint64_t counted_ns;
    uint64_t logs_ns; /* no look before */
    struct hf_disks_job *job;
    struct hf_disks_job *hung; /* a job that hangs: later jobs omit the policy's paths; or NULL */
    bool again;                /* look again after `job` */
    bool started;
    struct hf_metric_family *reclaimed;
};

void hf_disks_init(struct hf_disks *disks, const struct hf_agent_env *env);
void hf_disks_done(struct hf_disks *disks);

/* Reads the log of writes, measures own folders (blocks for ms), starts the first look. */
void hf_disks_begin(struct hf_disks *disks);

/* Judges by new levels, without hysteresis; looks unless only the budget changed. */
void hf_disks_follow(struct hf_disks *disks, const struct hf_policy_disk *policy);

/* Once per interval. */
void hf_disks_look(struct hf_disks *disks);

/* True: the write budget is used up, or back: plan again. */
bool hf_disks_count(struct hf_disks *disks);
/* Each minute, more often while `busy` updating; HF_NEVER: no budget. */
uint64_t hf_disks_wait_until_ns(const struct hf_disks *disks, bool busy);

/* At the agent's stop. */
void hf_disks_save(struct hf_disks *disks);

/* Too full for a new release at this install path, as the host sees it; *err explains. */
bool hf_disks_is_critical(const struct hf_disks *disks, const char *path, struct hf_err *err);
bool hf_disks_is_warned(const struct hf_disks *disks, const char *path);
bool hf_disks_home_is_critical(const struct hf_disks *disks);

/* The policy names `path`. */
bool hf_disks_is_asked(const struct hf_disks *disks, const char *path);

struct hf_status_writes hf_disks_writes(const struct hf_disks *disks);

/* Bytes of this process and its ended children (/proc/self/io), or else what its parts have counted. */
uint64_t hf_disks_written(const struct hf_disks *disks);
