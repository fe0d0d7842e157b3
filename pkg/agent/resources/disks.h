/* SPDX-License-Identifier: Apache-2.0 */
/* agent/resources/disks.h - watches the disks of this node, the bytes that the agent writes to them, the logs, and the
 * memory of pods. spec.disk of the policy in effect has the settings.
 *
 * Once per interval, a job looks at the disks and the pods, and at most once per hour also at the logs
 * (agent/resources/survey.h). Then the loop thread judges the results: levels of the file systems, and conditions. The
 * loop thread also counts the written bytes, and judges the budget of writes. This module only decides and reports; the
 * planner and the update engine ask it. Only agent/resources/reclaim.h removes files. Threads: loop thread only. */
#pragma once

#include "agent/report/status.h"
#include "agent/resources/survey.h"
#include "api/syncpolicy.h"
#include "node/resources/pressure.h"
#include "node/resources/write_log.h"

/* One condition of the status. */
struct hf_disks_condition {
    const char *reason; /* CamelCase word; NULL if there is nothing to report */
    char text[HF_PRESSURE_TEXT];
};

struct hf_disks {
    const struct hf_agent_env *env;
    /* settings of the policy */
    unsigned warn_percent, critical_percent;
    bool reclaim;
    uint64_t budget_bytes;
    char *paths[HF_MAX_DISK_PATHS]; /* owned */
    size_t n_paths;
    /* results of the last look; the paths are owned */
    struct hf_pressure_disk disks[HF_SURVEY_MAX_DISKS];
    /* usage as the status shows it; changes with the level, or by at least 3 percentage points */
    struct hf_disk_usage shown[HF_SURVEY_MAX_DISKS];
    uint64_t devices[HF_SURVEY_MAX_DISKS];
    size_t n;
    struct hf_pods_found pods;
    struct hf_pod_kills kills; /* results of earlier looks at pods; a running job has a copy */
    struct hf_disks_condition pressure, memory, logs;
    char kubelet[160]; /* describes what the kubelet does when the disk fills; "" if unknown */
    struct hf_write_log writes;
    bool has_kernel;          /* the kernel counts the bytes that this process writes */
    uint64_t counted_ns;      /* monotonic time at which the writes were last counted */
    uint64_t logs_ns;         /* monotonic time from which to look at the logs again */
    struct hf_disks_job *job; /* the running look; NULL if none runs */
    /* an earlier look that hangs: the looks after it leave out the policy's paths; NULL if none hangs */
    struct hf_disks_job *hung;
    bool again;   /* another look must follow the running look */
    bool started; /* hf_disks_begin() has run */
    /* metrics */
    struct hf_metric_family *reclaimed;
};

void hf_disks_init(struct hf_disks *disks, const struct hf_agent_env *env);
void hf_disks_done(struct hf_disks *disks);

/* Reads the saved log of writes, and measures the agent's own folders once, so that the first status and the first
 * update know their usage. Blocks for milliseconds. Then starts the first look, which includes the policy's paths. */
void hf_disks_begin(struct hf_disks *disks);

/* Takes the settings of the policy in effect. Judges the last figures by new levels at once, without the hysteresis of
 * the old ones. Starts a look if a setting other than the budget has changed. */
void hf_disks_follow(struct hf_disks *disks, const struct hf_policy_disk *policy);

/* Starts a look; if a look runs, starts another after it, or at once if the running look hangs. Call this function once
 * per interval. */
void hf_disks_look(struct hf_disks *disks);

/* Counts the bytes that this process has written. Returns true if the budget of writes has just been used up, or if
 * there is budget again; the plan then has to be made again. */
bool hf_disks_count(struct hf_disks *disks);
/* Returns the monotonic time at which to call hf_disks_count() again: once a minute, because telemetry may be written
 * at any time, and more often while the agent works on an update (`busy`). HF_NEVER: there is no budget. */
uint64_t hf_disks_wait_until_ns(const struct hf_disks *disks, bool busy);

/* Saves the log of writes if it has changed. Call this function when the agent stops. */
void hf_disks_save(struct hf_disks *disks);

/* `path` is an install path, as the host sees it. Returns true if its file system is too full for a new release; *err
 * then explains why. Reads the disk only while one of the watched file systems is critical. */
bool hf_disks_is_critical(const struct hf_disks *disks, const char *path, struct hf_err *err);
/* Returns true if the file system of the state folder is too full for a new release. */
bool hf_disks_home_is_critical(const struct hf_disks *disks);

/* Returns true if the policy names this path. If such a path is missing, the status reports it. An update root that the
 * policy does not name may be missing. */
bool hf_disks_is_asked(const struct hf_disks *disks, const char *path);

/* Returns the writes of the last 24 hours, for the status. */
struct hf_status_writes hf_disks_writes(const struct hf_disks *disks);

/* Returns how many bytes this process and its ended children have written to disks, by the kernel's count
 * (/proc/self/io). Without that count, returns the sum that the parts of the process have counted. */
uint64_t hf_disks_written(const struct hf_disks *disks);
