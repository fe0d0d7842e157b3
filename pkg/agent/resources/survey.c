/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/resources/survey.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "node/mounts.h"

/* Where the chart mounts the parts of the host that a pod only reads. */
#define POD_VIEW_OF_HOST "/host"

const char *hf_survey_host_root(const struct hf_agent_params *params)
{
    return params->pod_mode && params->host_root != NULL ? params->host_root : "";
}

/* The folder below which to read the host's cgroups, logs and settings. */
static const char *host_view(const struct hf_agent_params *params)
{
    if (params->facts_root != NULL && params->facts_root[0] != '\0')
        return params->facts_root;
    return params->pod_mode && params->host_root == NULL ? POD_VIEW_OF_HOST : hf_survey_host_root(params);
}

/* The folder below which to read what /proc and /sys say of this process and of devices. */
static const char *own_root(const struct hf_agent_params *params)
{
    return params->facts_root != NULL ? params->facts_root : "";
}

static size_t count_roots(const struct hf_agent_params *params)
{
    size_t n = 0;

    while (params->roots != NULL && params->roots[n] != NULL)
        n++;
    return n;
}

/* The agent may end while a worker reads these. */
static int copy_places(struct hf_survey *survey, const struct hf_agent_params *params)
{
    size_t n = count_roots(params);

    survey->state_dir = strdup(params->home->dir);
    survey->storage_dir = params->storage_dir != NULL ? strdup(params->storage_dir) : NULL;
    survey->host_root = strdup(hf_survey_host_root(params));
    survey->host_view = strdup(host_view(params));
    survey->own_root = strdup(own_root(params));
    survey->roots = calloc(n + 1, sizeof(*survey->roots));
    if (survey->state_dir == NULL || (params->storage_dir != NULL && survey->storage_dir == NULL) ||
        survey->host_root == NULL || survey->host_view == NULL || survey->own_root == NULL || survey->roots == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        survey->roots[i] = strdup(params->roots[i]);
        if (survey->roots[i] == NULL)
            return -ENOMEM;
    }
    return 0;
}

static int add(struct hf_survey *survey, const char *path, bool must_write)
{
    if (survey->n_disks == HF_SURVEY_MAX_DISKS)
        return -ENOSPC;
    char *copy = strdup(path);
    if (copy == NULL)
        return -ENOMEM;
    survey->disks[survey->n_disks++] =
        (struct hf_survey_disk){.path = copy, .is_own = must_write, .must_write = must_write};
    return 0;
}

struct hf_survey *hf_survey_new(const struct hf_agent_env *env)
{
    struct hf_survey *survey = calloc(1, sizeof(*survey));

    if (survey == NULL)
        return NULL;
    survey->fs = env->world.fs;
    int r = copy_places(survey, env->params);
    if (r == 0)
        r = add(survey, survey->state_dir, true);
    if (r == 0 && survey->storage_dir != NULL)
        r = add(survey, survey->storage_dir, true);
    for (size_t i = 0; r == 0 && survey->roots[i] != NULL; i++)
        r = add(survey, survey->roots[i], false);
    if (r == 0)
        return survey;
    hf_survey_free(survey);
    return NULL;
}

void hf_survey_free(struct hf_survey *survey)
{
    if (survey == NULL)
        return;
    for (size_t i = 0; i < survey->n_disks; i++)
        free(survey->disks[i].path);
    for (size_t i = 0; survey->roots != NULL && survey->roots[i] != NULL; i++)
        free(survey->roots[i]);
    free(survey->roots);
    free(survey->state_dir);
    free(survey->storage_dir);
    free(survey->host_root);
    free(survey->host_view);
    free(survey->own_root);
    hf_reclaim_done(&survey->reclaimed);
    free(survey);
}

int hf_survey_add(struct hf_survey *survey, const char *path)
{
    return add(survey, path, false);
}

/* ---- disks ------------------------------------------------------------------------------------------------------- */

static void mark_twin(struct hf_survey *survey, size_t at)
{
    for (size_t i = 0; i < at && !survey->disks[at].twin; i++)
        if (!survey->disks[i].missing && survey->disks[i].device == survey->disks[at].device) {
            survey->disks[at].twin = true;
            survey->disks[i].must_write = survey->disks[i].must_write || survey->disks[at].must_write;
        }
}

/* A mount that is read-only matters to the agent's own folders only. */
static void correct_read_only(struct hf_survey_disk *disk, enum hf_mounts_state state)
{
    if (state == HF_MOUNTS_READ_ONLY)
        disk->usage.read_only = true;
    else if (state == HF_MOUNTS_WRITABLE && !disk->must_write)
        disk->usage.read_only = false;
}

/* The state and telemetry folders are paths of this process; all others are paths of the host. */
static void measure(struct hf_survey *survey, size_t at, const char *mounts)
{
    const struct hf_fs_ops *fs = survey->fs;
    struct hf_survey_disk *disk = &survey->disks[at];
    const struct hf_probe_root sys = {fs, survey->own_root};
    char full[PATH_MAX];
    struct statvfs vfs;
    struct stat st;

    disk->missing = true;
    disk->wear = (struct hf_wear){.percent = -1};
    if (snprintf(full, sizeof(full), "%s%s", disk->is_own ? "" : survey->host_root, disk->path) >= (int)sizeof(full))
        return;
    int fd = fs->openat(fs->ctx, AT_FDCWD, full, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0, HF_FS_ANY);
    if (fd < 0)
        return;
    if (fs->fstat(fs->ctx, fd, &st) == 0 && fs->fstatvfs(fs->ctx, fd, &vfs) == 0) {
        disk->missing = false;
        disk->device = st.st_dev;
        hf_disk_usage_of(&vfs, &disk->usage);
        correct_read_only(disk, hf_mounts_of_fd(&sys, mounts, fd));
        mark_twin(survey, at);
        if (!disk->twin)
            (void)hf_wear_read(&sys, major(st.st_dev), minor(st.st_dev), &disk->wear);
    }
    (void)fs->close(fs->ctx, fd);
}

void hf_survey_measure(struct hf_survey *survey)
{
    const struct hf_probe_root own = {survey->fs, survey->own_root};
    _cleanup_(hf_freep) char *mounts = hf_mounts_read(&own);

    for (size_t i = 0; i < survey->n_disks; i++) {
        survey->disks[i].twin = false;
        measure(survey, i, mounts);
    }
}

static void reclaim(struct hf_survey *survey)
{
    const struct hf_reclaim_params what = {.fs = survey->fs,
                                           .state_dir = survey->state_dir,
                                           .storage_dir = survey->storage_dir,
                                           .roots = (const char *const *)survey->roots,
                                           .host_root = survey->host_root,
                                           .warn_percent = survey->warn_percent,
                                           .critical_percent = survey->critical_percent,
                                           .now_unix_ns = survey->now_unix_ns};

    hf_reclaim_run(&what, &survey->reclaimed);
    if (survey->reclaimed.n > 0)
        hf_survey_measure(survey);
}

void hf_survey_run(struct hf_survey *survey)
{
    const struct hf_probe_root host = {survey->fs, survey->host_view};

    hf_survey_measure(survey);
    if (survey->reclaim)
        reclaim(survey);
    if (survey->with_pods)
        hf_pods_read(&host, survey->kills, survey->now_ns, &survey->pods);
    hf_kubelet_config_read(&host, &survey->kubelet);
    if (survey->with_logs)
        hf_logs_read(&host, &survey->logs);
}
