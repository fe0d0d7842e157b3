/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/source/position.h"

#include <stdlib.h>
#include <string.h>

#include "os/dir.h"
#include "os/file.h"

#define DELAY_NS (HF_POSITION_DELAY_S * HF_NS_PER_S)

/* The worker's part. It outlives the position if the source frees that during a save. */
struct save {
    struct hf_job job;
    struct hf_position *position; /* NULL: freed */
    const struct hf_fs_ops *fs;
    char *folder, *path;
    struct hf_buf text;
    struct hf_err err;
    int r;
};

struct hf_position {
    const struct hf_telemetry_env *env;
    char *folder, *path;
    struct hf_timer *timer;
    struct save *running;
    bool wanted; /* changed since the text was made */
    bool soon, begun;
    int (*text)(void *arg, struct hf_buf *out);
    void *arg;
};

static void save_free(struct save *save)
{
    hf_buf_done(&save->text);
    free(save->folder);
    free(save->path);
    free(save);
}

static int write_out(const struct hf_fs_ops *fs, const char *folder, const char *path, struct hf_view text,
                     struct hf_err *err)
{
    int r = hf_dir_make(fs, folder, 0700, err);

    return r < 0 ? r : hf_file_replace(fs, path, text.p, text.n, 0600, err);
}

static void save_work(struct hf_job *job)
{
    struct save *save = hf_container_of(job, struct save, job);

    save->r = write_out(save->fs, save->folder, save->path, hf_buf_view(&save->text), &save->err);
}

static void arm(struct hf_position *position, uint64_t delay_ns)
{
    hf_timer_arm(position->env->sched, position->timer, delay_ns);
}

static void save_done(struct hf_job *job, int cancelled)
{
    struct save *save = hf_container_of(job, struct save, job);
    struct hf_position *position = save->position;

    if (position != NULL) {
        position->running = NULL;
        if (!cancelled && save->r < 0)
            hf_log_err(position->env->log, HF_LOG_WARNING, "telemetry.position_not_saved", "path", save->path,
                       &save->err);
        position->wanted |= cancelled || save->r < 0;
        if (position->wanted)
            arm(position, position->soon && !cancelled && save->r == 0 ? 0 : DELAY_NS);
    }
    save_free(save);
}

static void on_timer(void *arg)
{
    struct hf_position *position = arg;
    struct save *save;

    if (!position->wanted || position->running != NULL)
        return;
    save = calloc(1, sizeof(*save));
    if (save == NULL) {
        arm(position, DELAY_NS);
        return;
    }
    *save = (struct save){.job = {.work = save_work, .done = save_done},
                          .position = position,
                          .fs = position->env->fs,
                          .folder = strdup(position->folder),
                          .path = strdup(position->path),
                          .text = HF_BUF_INIT(HF_POSITION_MAX_BYTES)};
    if (save->folder == NULL || save->path == NULL || position->text(position->arg, &save->text) < 0 ||
        hf_job_submit(position->env->sched, &save->job) < 0) {
        save_free(save);
        arm(position, DELAY_NS);
        return;
    }
    position->running = save;
    position->wanted = position->soon = false;
}

struct hf_position *hf_position_new(const struct hf_telemetry_env *env, const char *name)
{
    struct hf_position *position = calloc(1, sizeof(*position));

    if (position == NULL)
        return NULL;
    position->env = env;
    position->folder = hf_asprintf("%s/sources", env->dir);
    position->path = hf_asprintf("%s/sources/%s", env->dir, name);
    position->timer = hf_timer_new(env->sched, on_timer, position);
    if (position->folder == NULL || position->path == NULL || position->timer == NULL) {
        hf_position_free(position);
        return NULL;
    }
    return position;
}

void hf_position_free(struct hf_position *position)
{
    if (position == NULL)
        return;
    if (position->wanted && position->running == NULL) {
        _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_POSITION_MAX_BYTES);
        if (position->text(position->arg, &text) == 0)
            (void)!write_out(position->env->fs, position->folder, position->path, hf_buf_view(&text), NULL);
    }
    if (position->running != NULL)
        position->running->position = NULL;
    hf_timer_free(position->env->sched, position->timer);
    free(position->folder);
    free(position->path);
    free(position);
}

int hf_position_load(const struct hf_position *position, struct hf_buf *out, struct hf_err *err)
{
    return hf_file_read(position->env->fs, position->path, out, err);
}

void hf_position_changed(struct hf_position *position, bool soon, int (*text)(void *arg, struct hf_buf *out), void *arg)
{
    bool sooner;

    /* a process that dies early should have saved some progress too */
    soon |= !position->begun;
    position->begun = true;
    sooner = soon && !position->soon;
    position->text = text;
    position->arg = arg;
    if (position->wanted && !sooner)
        return;
    position->wanted = true;
    position->soon |= soon;
    if (position->running == NULL)
        arm(position, soon ? 0 : DELAY_NS);
}
