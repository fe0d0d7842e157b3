/* SPDX-License-Identifier: Apache-2.0 */
/* Once per interval, a job looks at the disks and the pods, and at most once per hour also at the logs
 * (resources/survey.h). Then the loop thread judges the results: levels of the file systems, and conditions. It also
 * counts the written bytes, and judges the budget of writes. This module only decides and reports; the planner and
 * the update engine ask it. Only resources/reclaim.h removes files. */
#include "agent/resources/disks.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/audit/inlet.h"
#include "agent/diskq.h"
#include "agent/turn.h"
#include "os/file.h"

#define LOGS_EVERY_NS (3600 * HF_NS_PER_S)
#define COUNT_BUSY_NS (5 * HF_NS_PER_S)
#define COUNT_IDLE_NS (60 * HF_NS_PER_S)

enum { SHOWN_STEP_PERCENT = 3, IO_BYTES = 512, SAVED_BYTES = 4096 };

/* A look that takes longer hangs, for example at a network file system whose server does not answer. */
#define HANGS_NS (120 * HF_NS_PER_S)

/* A look in a job. It outlives the agent if the agent is freed meanwhile, and then frees itself. */
struct hf_disks_job {
    struct hf_job job;
    struct hf_disks *disks; /* NULL: the agent is gone */
    uint64_t begun_ns;      /* monotonic time at which no worker had begun the look yet */
    struct hf_survey *survey;
    struct hf_pod_kills kills;
};

void hf_disks_init(struct hf_disks *disks, const struct hf_agent_env *env)
{
    struct hf_metrics *metrics = env->world.metrics;

    *disks = (struct hf_disks){
        .env = env, .warn_percent = HF_DISK_WARN_PERCENT, .critical_percent = HF_DISK_CRITICAL_PERCENT};
    hf_write_log_init(&disks->writes, hf_mono_ns(env->world.clock));
    disks->reclaimed =
        hf_metric_family(metrics, HF_METRIC_COUNTER, "holdfast_disk_reclaimed_bytes_total",
                         "Bytes of old files of its own that the agent removed from full disks.", HF_LABELS("kind"));
}

static void forget_disks(struct hf_pressure_disk *disks, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free((char *)(uintptr_t)disks[i].path);
}

static void forget_paths(struct hf_disks *disks)
{
    for (size_t i = 0; i < disks->n_paths; i++)
        free(disks->paths[i]);
    disks->n_paths = 0;
}

void hf_disks_done(struct hf_disks *disks)
{
    if (disks->job != NULL)
        disks->job->disks = NULL;
    if (disks->hung != NULL)
        disks->hung->disks = NULL;
    disks->job = disks->hung = NULL;
    forget_disks(disks->disks, disks->n);
    disks->n = 0;
    forget_paths(disks);
}

/* ---- writes ------------------------------------------------------------------------------------------------------ */

static uint64_t counted_by_parts(const struct hf_agent_params *params)
{
    uint64_t sum = 0;

    for (size_t i = 0; params->written != NULL && i < HF_FS_PARTS; i++)
        sum += hf_fs_counter_bytes(&params->written[i]);
    return sum;
}

/* proc(5): write_bytes is what this process, and the children it has waited for, caused to be written to a disk. */
static bool ask_kernel(const struct hf_disks *disks, uint64_t *ret)
{
    const struct hf_agent_params *params = disks->env->params;
    const struct hf_probe_root root = {disks->env->world.fs, params->facts_root != NULL ? params->facts_root : ""};
    char text[IO_BYTES];
    const char *line =
        hf_probe_text(&root, "/proc/self/io", text, sizeof(text)) ? strstr(text, "\nwrite_bytes: ") : NULL;

    *ret = line != NULL ? strtoull(line + strlen("\nwrite_bytes: "), NULL, 10) : 0;
    return line != NULL;
}

/* One read that fails does not switch to the other count, whose bytes would then count as new ones. */
uint64_t hf_disks_written(const struct hf_disks *disks)
{
    uint64_t written;

    if (ask_kernel(disks, &written))
        return written;
    return disks->has_kernel ? disks->writes.counted : counted_by_parts(disks->env->params);
}

static const char *writes_path(const struct hf_disks *disks, char path[PATH_MAX])
{
    return hf_home_path(disks->env->params->home, "writes", path);
}

static void load_writes(struct hf_disks *disks)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(SAVED_BYTES);
    const struct hf_write_log_now now = hf_home_log_now(disks->env->params->home);
    struct hf_err err = HF_ERR_INIT;
    char path[PATH_MAX];
    int r = hf_file_read(disks->env->world.fs, writes_path(disks, path), &text, &err);

    if (r == 0)
        r = hf_write_log_parse(hf_buf_view(&text), &now, &disks->writes, &err);
    if (r < 0 && r != -ENOENT) /* counts from 0; the next save replaces the file */
        hf_log_err(disks->env->world.log, HF_LOG_WARNING, "writes.unreadable", "file", path, &err);
}

static void save_writes(struct hf_disks *disks)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(SAVED_BYTES);
    const struct hf_write_log_now now = hf_home_log_now(disks->env->params->home);
    char path[PATH_MAX];

    if (hf_write_log_format(&disks->writes, &now, &text) == 0)
        hf_diskq_write(disks->env->diskq, writes_path(disks, path), hf_buf_view(&text));
}

static void log_budget(const struct hf_disks *disks)
{
    bool used_up = disks->writes.used_up;

    hf_log(disks->env->world.log, used_up ? HF_LOG_WARNING : HF_LOG_INFO,
           used_up ? "writes.budget_used" : "writes.budget_free",
           HF_D("bytes", (int64_t)hf_write_log_day(&disks->writes)), HF_D("budget", (int64_t)disks->budget_bytes));
}

bool hf_disks_count(struct hf_disks *disks)
{
    const struct hf_agent_params *params = disks->env->params;
    bool before = disks->writes.used_up;

    if (!disks->started)
        return false;
    const struct hf_write_log_now now = hf_home_log_now(disks->env->params->home);
    disks->counted_ns = now.mono_ns;
    hf_write_log_note(&disks->writes, hf_disks_written(disks), &now);
    bool used_up = hf_write_log_judge(&disks->writes, disks->budget_bytes);
    if (hf_write_log_is_due(&disks->writes, disks->budget_bytes, &now))
        save_writes(disks);
    if (used_up == before)
        return false;
    log_budget(disks);
    if (params->owner.writes_paused != NULL)
        params->owner.writes_paused(params->owner.arg, disks->writes.used_up);
    return true;
}

uint64_t hf_disks_wait_until_ns(const struct hf_disks *disks, bool busy)
{
    return disks->budget_bytes == 0 ? HF_NEVER : disks->counted_ns + (busy ? COUNT_BUSY_NS : COUNT_IDLE_NS);
}

void hf_disks_save(struct hf_disks *disks)
{
    (void)hf_disks_count(disks);
    if (disks->started && hf_write_log_day(&disks->writes) > 0)
        save_writes(disks);
}

struct hf_status_writes hf_disks_writes(const struct hf_disks *disks)
{
    uint64_t day = hf_write_log_day(&disks->writes);

    return (struct hf_status_writes){
        .present = day != 0 || disks->budget_bytes != 0, .bytes_today = day, .budget_bytes = disks->budget_bytes};
}

/* ---- judging ----------------------------------------------------------------------------------------------------- */

static void log_disk(const struct hf_disks *disks, const struct hf_pressure_disk *disk)
{
    hf_log(disks->env->world.log,
           disk->level == HF_DISK_OK        ? HF_LOG_INFO
           : disk->level == HF_DISK_WARNING ? HF_LOG_WARNING
                                            : HF_LOG_ERROR,
           "disk.level", HF_S("path", disk->path), HF_S("fullness", hf_disk_level_name(disk->level)),
           HF_D("usedPercent", disk->usage.used_percent), HF_D("inodesUsedPercent", disk->usage.inodes_percent),
           HF_S("readOnly", disk->cause == HF_PRESSURE_READ_ONLY ? "true" : "false"),
           HF_D("wearPercent", disk->wear.percent));
}

static size_t find(const struct hf_pressure_disk *disks, size_t n, const char *path)
{
    size_t i = 0;

    while (i < n && strcmp(disks[i].path, path) != 0)
        i++;
    return i;
}

/* The status has figures of disks in trouble. They move in steps, so that a disk that fills slowly does not make a
 * write of the status at every interval. */
static void show(struct hf_disk_usage *shown, const struct hf_pressure_disk *disk, bool changed)
{
    if (changed || HF_DISTANCE(shown->used_percent, disk->usage.used_percent) >= SHOWN_STEP_PERCENT ||
        HF_DISTANCE(shown->inodes_percent, disk->usage.inodes_percent) >= SHOWN_STEP_PERCENT)
        *shown = disk->usage;
}

/* Takes one disk of a survey to place `at` of the new list. `old` has what was known before. */
static void judge_disk(struct hf_disks *disks, const struct hf_survey_disk *found, size_t at,
                       const struct hf_disks *old, bool cannot_write)
{
    struct hf_pressure_disk *disk = &disks->disks[at];
    size_t before = find(old->disks, old->n, found->path);
    struct hf_pressure_disk unknown = {.level = HF_DISK_OK};
    bool is_new = before == old->n;

    *disk = is_new ? unknown : old->disks[before];
    enum hf_disk_level level = disk->level;
    enum hf_pressure_cause cause = disk->cause;
    bool was_missing = disk->missing;
    disk->path = found->path;
    disk->usage = found->usage;
    disk->usage.read_only = disk->usage.read_only || (found->must_write && at == 0 && cannot_write);
    disk->wear = found->wear;
    disk->missing = found->missing;
    disk->must_write = found->must_write;
    hf_pressure_judge(disk, disks->warn_percent, disks->critical_percent);
    if (disk->level != level || disk->cause != cause)
        log_disk(disks, disk);
    if (disk->missing && !was_missing && hf_disks_is_asked(disks, disk->path))
        hf_log(disks->env->world.log, HF_LOG_WARNING, "disk.path_missing", HF_S("path", disk->path));
    disks->shown[at] = is_new ? disk->usage : old->shown[before];
    show(&disks->shown[at], disk, disk->level != level || disk->cause != cause);
}

/* Replaces the list of disks by those of the survey, and takes over its paths. */
static void take_disks(struct hf_disks *disks, struct hf_survey *survey)
{
    struct hf_disks *old = malloc(sizeof(*old));
    bool cannot_write = disks->env->diskq != NULL && hf_diskq_is_read_only(disks->env->diskq);

    if (old == NULL)
        return;
    *old = *disks;
    disks->n = 0;
    for (size_t i = 0; i < survey->n_disks; i++) {
        if (survey->disks[i].twin)
            continue;
        judge_disk(disks, &survey->disks[i], disks->n, old, cannot_write);
        disks->devices[disks->n++] = survey->disks[i].device;
        survey->disks[i].path = NULL; /* the list has it now */
    }
    forget_disks(old->disks, old->n);
    free(old);
}

static bool set_condition(struct hf_disks_condition *condition, const char *reason, const char *text)
{
    bool same = (reason == NULL) == (condition->reason == NULL) && strcmp(condition->text, text) == 0;

    condition->reason = reason;
    (void)snprintf(condition->text, sizeof(condition->text), "%s", text);
    return !same;
}

/* Words the pressure with the figures that the status shows. */
static bool judge_pressure(struct hf_disks *disks)
{
    const struct hf_pressure_advice advice = {disks->critical_percent, disks->reclaim, disks->kubelet};
    struct hf_pressure_disk shown[HF_SURVEY_MAX_DISKS];
    char text[HF_PRESSURE_TEXT];

    memcpy(shown, disks->disks, sizeof(shown));
    for (size_t i = 0; i < disks->n; i++)
        shown[i].usage = disks->shown[i];
    const char *reason = hf_pressure_describe(shown, disks->n, &advice, text, sizeof(text));
    return set_condition(&disks->pressure, reason, text);
}

static bool judge_pods(struct hf_disks *disks)
{
    char text[HF_PODS_TEXT];
    const char *reason = hf_pods_describe(&disks->pods, text, sizeof(text));

    return set_condition(&disks->memory, reason, text);
}

static bool judge_logs(struct hf_disks *disks, const struct hf_logs *logs)
{
    char text[HF_LOGS_TEXT];
    const char *reason = hf_logs_judge(logs, text, sizeof(text));
    bool changed = set_condition(&disks->logs, reason, text);

    if (changed && reason != NULL)
        hf_log(disks->env->world.log, HF_LOG_WARNING, "logs.unbounded", HF_S("reason", reason), HF_S("message", text));
    return changed;
}

/* The one place that reports a removal. */
static void report_removal(const struct hf_disks *disks, const struct hf_reclaimed *removed)
{
    const char *kind = hf_reclaim_kind_name(removed->kind);

    hf_log(disks->env->world.log, HF_LOG_WARNING, "disk.reclaimed", HF_S("path", removed->path), HF_S("kind", kind),
           HF_D("bytes", (int64_t)removed->bytes));
    hf_metric_add(hf_metric_with(disks->reclaimed, HF_LABELS(kind)), removed->bytes);
    hf_audit_inlet_add(disks->env->audit, HF_AUDIT_RECLAIMED, removed->path, kind, "removed to free space");
}

/* Returns true if the status has to change. */
static bool take_survey(struct hf_disks *disks, struct hf_survey *survey)
{
    hf_kubelet_config_describe(&survey->kubelet, disks->kubelet, sizeof(disks->kubelet));
    for (size_t i = 0; i < survey->reclaimed.n; i++)
        report_removal(disks, &survey->reclaimed.removed[i]);
    take_disks(disks, survey);
    bool changed = judge_pressure(disks);
    if (survey->with_pods) {
        disks->pods = survey->pods;
        changed = judge_pods(disks) || changed;
    }
    if (survey->with_logs)
        changed = judge_logs(disks, &survey->logs) || changed;
    return changed;
}

/* ---- looks ------------------------------------------------------------------------------------------------------- */

static void job_free(struct hf_disks_job *job)
{
    hf_survey_free(job->survey);
    free(job);
}

static void work(struct hf_job *job)
{
    struct hf_disks_job *look = hf_container_of(job, struct hf_disks_job, job);

    hf_survey_run(look->survey);
}

static void take_look(struct hf_disks *disks, struct hf_disks_job *look)
{
    disks->job = NULL;
    disks->kills = look->kills;
    if (take_survey(disks, look->survey))
        hf_turn_wake(disks->env->turn, HF_DUE_PLAN | HF_DUE_STATUS);
    if (disks->again)
        hf_disks_look(disks);
}

/* A newer look has the figures. The next one includes the policy's paths again. */
static void end_hung(struct hf_disks *disks, const struct hf_disks_job *look)
{
    disks->hung = NULL;
    for (size_t i = 0; i < look->survey->reclaimed.n; i++)
        report_removal(disks, &look->survey->reclaimed.removed[i]);
}

static void done(struct hf_job *job, int cancelled)
{
    struct hf_disks_job *look = hf_container_of(job, struct hf_disks_job, job);
    struct hf_disks *disks = look->disks;

    if (disks != NULL && disks->hung == look)
        end_hung(disks, look);
    else if (disks != NULL && cancelled == 0)
        take_look(disks, look);
    else if (disks != NULL)
        disks->job = NULL;
    job_free(look);
}

/* A survey of the agent's own folders. */
static struct hf_survey *make_survey(const struct hf_disks *disks)
{
    struct hf_survey *survey = hf_survey_new(disks->env);

    if (survey == NULL)
        return NULL;
    survey->warn_percent = disks->warn_percent;
    survey->critical_percent = disks->critical_percent;
    survey->now_ns = hf_mono_ns(disks->env->world.clock);
    survey->now_unix_ns = hf_unix_ns(disks->env->params->home->clock.wall); /* as files are stamped */
    return survey;
}

/* These may be on a network file system whose server does not answer. So only a job looks at them, and none while an
 * earlier one hangs. */
static void add_paths(const struct hf_disks *disks, struct hf_survey *survey)
{
    for (size_t i = 0; i < disks->n_paths && disks->hung == NULL; i++)
        if (hf_survey_add(survey, disks->paths[i]) < 0)
            break;
}

/* One look that hangs is left alone, so that the others go on. */
static void leave_hung(struct hf_disks *disks)
{
    struct hf_disks_job *look = disks->job;
    uint64_t now = hf_mono_ns(disks->env->world.clock);

    /* One that looks at the policy's paths may wait for another job that hangs, for ever. */
    if (look != NULL && !atomic_load(&look->job.begun) && !look->job.may_hang)
        look->begun_ns = now;
    if (look == NULL || disks->hung != NULL || now - look->begun_ns < HANGS_NS)
        return;
    hf_log(disks->env->world.log, HF_LOG_WARNING, "disk.look_hangs", HF_D("paths", (int64_t)disks->n_paths));
    disks->hung = hf_steal(disks->job);
}

void hf_disks_look(struct hf_disks *disks)
{
    leave_hung(disks);
    disks->again = disks->job != NULL;
    if (disks->again || !disks->started)
        return;
    struct hf_disks_job *look = calloc(1, sizeof(*look));
    struct hf_survey *survey = look != NULL ? make_survey(disks) : NULL;
    if (survey == NULL) {
        free(look);
        return;
    }
    look->job = (struct hf_job){.work = work, .done = done, .may_hang = disks->n_paths > 0 && disks->hung == NULL};
    look->disks = disks;
    look->survey = survey;
    look->begun_ns = survey->now_ns;
    add_paths(disks, survey);
    look->kills = disks->kills;
    survey->kills = &look->kills;
    survey->with_pods = true;
    survey->with_logs = survey->now_ns >= disks->logs_ns;
    survey->reclaim = disks->reclaim;
    if (hf_job_submit(disks->env->world.sched, &look->job) < 0) {
        job_free(look);
        return;
    }
    disks->job = look;
    if (survey->with_logs)
        disks->logs_ns = survey->now_ns + LOGS_EVERY_NS;
}

void hf_disks_begin(struct hf_disks *disks)
{
    struct hf_survey *survey = make_survey(disks);
    uint64_t written;

    disks->started = true;
    disks->has_kernel = ask_kernel(disks, &written);
    load_writes(disks);
    (void)hf_disks_count(disks);
    if (survey != NULL) {
        hf_survey_measure(survey);
        (void)take_survey(disks, survey);
    }
    hf_survey_free(survey);
    hf_disks_look(disks);
}

/* Judges the last figures by new levels. The hysteresis of the old levels means nothing now. */
static bool judge_again(struct hf_disks *disks)
{
    for (size_t i = 0; i < disks->n; i++) {
        struct hf_pressure_disk *disk = &disks->disks[i];
        enum hf_disk_level level = disk->level;
        enum hf_pressure_cause cause = disk->cause;

        disk->filling = HF_DISK_OK;
        hf_pressure_judge(disk, disks->warn_percent, disks->critical_percent);
        if (disk->level != level || disk->cause != cause)
            log_disk(disks, disk);
    }
    return judge_pressure(disks);
}

static bool same_paths(const struct hf_disks *disks, const struct hf_policy_disk *policy)
{
    size_t i = 0;

    while (i < disks->n_paths && policy->paths[i] != NULL && strcmp(disks->paths[i], policy->paths[i]) == 0)
        i++;
    return i == disks->n_paths && policy->paths[i] == NULL;
}

static void take_paths(struct hf_disks *disks, const struct hf_policy_disk *policy)
{
    forget_paths(disks);
    for (size_t i = 0; policy->paths[i] != NULL; i++) {
        char *copy = strdup(policy->paths[i]);
        if (copy == NULL)
            return; /* watches the paths so far; the next change of the policy tries again */
        disks->paths[disks->n_paths++] = copy;
    }
}

void hf_disks_follow(struct hf_disks *disks, const struct hf_policy_disk *policy)
{
    bool same = disks->warn_percent == policy->warn_percent && disks->critical_percent == policy->critical_percent &&
                disks->reclaim == policy->reclaim && same_paths(disks, policy);

    if (disks->budget_bytes != policy->write_budget_bytes) {
        disks->budget_bytes = policy->write_budget_bytes;
        if (hf_disks_count(disks))
            hf_turn_wake(disks->env->turn, HF_DUE_PLAN | HF_DUE_STATUS);
    }
    if (same)
        return;
    bool same_levels =
        disks->warn_percent == policy->warn_percent && disks->critical_percent == policy->critical_percent;
    disks->warn_percent = policy->warn_percent;
    disks->critical_percent = policy->critical_percent;
    if (!same_levels && judge_again(disks))
        hf_turn_wake(disks->env->turn, HF_DUE_PLAN | HF_DUE_STATUS);
    disks->reclaim = policy->reclaim;
    take_paths(disks, policy);
    hf_disks_look(disks);
}

bool hf_disks_is_asked(const struct hf_disks *disks, const char *path)
{
    for (size_t i = 0; i < disks->n_paths; i++)
        if (strcmp(disks->paths[i], path) == 0)
            return true;
    return false;
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

/* Finds the file system of root + path, or of the nearest folder above it that exists. */
static bool device_of(const struct hf_disks *disks, const char *root, const char *path, uint64_t *ret_device)
{
    const struct hf_fs_ops *fs = disks->env->world.fs;
    char at[PATH_MAX];
    struct stat st;

    if (snprintf(at, sizeof(at), "%s%s", root, path) >= (int)sizeof(at))
        return false;
    while (fs->fstatat(fs->ctx, AT_FDCWD, at, &st, 0) < 0) {
        char *slash = strrchr(at, '/');
        if (slash == NULL || slash == at)
            return false;
        *slash = '\0';
    }
    *ret_device = st.st_dev;
    return true;
}

static bool any_is_critical(const struct hf_disks *disks)
{
    for (size_t i = 0; i < disks->n; i++)
        if (disks->disks[i].level == HF_DISK_CRITICAL)
            return true;
    return false;
}

static bool is_critical(const struct hf_disks *disks, const char *root, const char *path, struct hf_err *err)
{
    uint64_t device;

    if (!any_is_critical(disks) || !device_of(disks, root, path, &device))
        return false;
    for (size_t i = 0; i < disks->n; i++) {
        const struct hf_pressure_disk *disk = &disks->disks[i];
        if (disk->missing || disks->devices[i] != device || disk->filling != HF_DISK_CRITICAL)
            continue;
        (void)hf_err_set(
            err, ENOSPC,
            "the file system of '%.100s' is critically full: %u %% of the space and %u %% of the inodes are "
            "used, and a new release starts below %u %%",
            disk->path, disks->shown[i].used_percent, disks->shown[i].inodes_percent, disks->critical_percent);
        return true;
    }
    return false;
}

bool hf_disks_is_critical(const struct hf_disks *disks, const char *path, struct hf_err *err)
{
    return is_critical(disks, hf_survey_host_root(disks->env->params), path, err);
}

bool hf_disks_is_warned(const struct hf_disks *disks, const char *path)
{
    uint64_t device;
    bool any = false;

    for (size_t i = 0; i < disks->n; i++)
        any = any || disks->disks[i].level != HF_DISK_OK;
    if (!any || !device_of(disks, hf_survey_host_root(disks->env->params), path, &device))
        return false;
    for (size_t i = 0; i < disks->n; i++)
        if (!disks->disks[i].missing && disks->devices[i] == device && disks->disks[i].level != HF_DISK_OK)
            return true;
    return false;
}

bool hf_disks_home_is_critical(const struct hf_disks *disks)
{
    return is_critical(disks, "", disks->env->params->home->dir, NULL);
}
