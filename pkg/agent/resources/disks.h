/* SPDX-License-Identifier: Apache-2.0 */
/* Judges the disks, the agent's own writes, logs, and the memory of pods, by spec.disk. */
#pragma once

#include "agent/report/status.h"
#include "agent/resources/survey.h"
#include "api/syncpolicy.h"
#include "node/resources/pressure.h"
#include "node/resources/write_log.h"

struct hf_disks_condition {
    const char *reason; /* NULL: nothing to report */
    char text[HF_PRESSURE_TEXT];
};

struct hf_disks {
    const struct hf_agent_env *env;
    unsigned warn_percent, critical_percent;
    bool reclaim;
    uint64_t budget_bytes;
    char *paths[HF_MAX_DISK_PATHS]; /* owned */
    size_t n_paths;
    struct hf_pressure_disk disks[HF_SURVEY_MAX_DISKS];
    /* figures in the status, which change at a new level or cause, or by 3 percentage points */
    struct hf_disk_usage shown[HF_SURVEY_MAX_DISKS];
    uint64_t devices[HF_SURVEY_MAX_DISKS];
    size_t n;
    struct hf_pods_found pods;
    struct hf_pod_kills kills;
    struct hf_disks_condition pressure, memory, logs;
    char kubelet[160]; /* what the kubelet does on a full disk, or "" */
    struct hf_write_log writes;
    bool has_kernel;
    uint64_t counted_ns;
    uint64_t logs_ns;
    struct hf_disks_job *job;
    struct hf_disks_job *hung; /* NULL, or a job that hangs: until it ends, later jobs omit the policy's paths */
    bool again;
    bool started;
    struct hf_metric_family *reclaimed;
};

void hf_disks_init(struct hf_disks *disks, const struct hf_agent_env *env);
void hf_disks_done(struct hf_disks *disks);

/* Measures the agent's folders and the update roots (blocks for milliseconds), and starts the first look. */
void hf_disks_begin(struct hf_disks *disks);

/* Adopts the policy; judges at once by new levels. */
void hf_disks_follow(struct hf_disks *disks, const struct hf_policy_disk *policy);

void hf_disks_look(struct hf_disks *disks);

/* Counts the agent's writes. Returns whether the write budget was just used up, or has room again: then plan again. */
bool hf_disks_count(struct hf_disks *disks);
/* Returns when to count next; sooner while `busy` updating. HF_NEVER without a budget. */
uint64_t hf_disks_wait_until_ns(const struct hf_disks *disks, bool busy);

void hf_disks_save(struct hf_disks *disks);

/* Whether the disk of this install path (a path of the host) is too full for a new release; *err explains. */
bool hf_disks_is_critical(const struct hf_disks *disks, const char *path, struct hf_err *err);
bool hf_disks_is_warned(const struct hf_disks *disks, const char *path);
bool hf_disks_home_is_critical(const struct hf_disks *disks);

bool hf_disks_is_asked(const struct hf_disks *disks, const char *path);

struct hf_status_writes hf_disks_writes(const struct hf_disks *disks);

/* Bytes written by this process and its ended children; where the kernel has no count, by the agent's parts. */
uint64_t hf_disks_written(const struct hf_disks *disks);
