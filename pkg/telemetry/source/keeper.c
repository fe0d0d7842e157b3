#include "telemetry/source/keeper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "os/dir.h"
#include "os/file.h"

#define DELAY_NS (HF_KEEPER_DELAY_S * HF_NS_PER_S)

/* What the worker has. It outlives the keeper when that is freed meanwhile. */
struct save {
    struct hf_job job;
    struct hf_keeper *keeper; /* NULL: freed */
    const struct hf_fs_ops *fs;
    char *folder, *path;
    struct hf_buf text;
    struct hf_err err;
    int r;
};

struct hf_keeper {
    const struct hf_telemetry_world *world;
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

static void arm(struct hf_keeper *keeper, uint64_t delay_ns)
{
    keeper->world->sched->timer_arm(keeper->world->sched->ctx, keeper->timer, delay_ns);
}

static void save_done(struct hf_job *job, int cancelled)
{
    struct save *save = hf_container_of(job, struct save, job);
    struct hf_keeper *keeper = save->keeper;

    if (keeper != NULL) {
        keeper->running = NULL;
        if (!cancelled && save->r < 0)
            hf_log_err(keeper->world->log, HF_LOG_WARNING, "telemetry.position_not_saved", "path", save->path,
                       &save->err);
        keeper->wanted |= cancelled || save->r < 0;
        if (keeper->wanted)
            arm(keeper, keeper->soon && !cancelled && save->r == 0 ? 0 : DELAY_NS);
    }
    save_free(save);
}

static void on_timer(void *arg)
{
    struct hf_keeper *keeper = arg;
    struct save *save;

    if (!keeper->wanted || keeper->running != NULL)
        return;
    save = calloc(1, sizeof(*save));
    if (save == NULL) {
        arm(keeper, DELAY_NS);
        return;
    }
    *save = (struct save){.job = {.work = save_work, .done = save_done},
                          .keeper = keeper,
                          .fs = keeper->world->fs,
                          .folder = strdup(keeper->folder),
                          .path = strdup(keeper->path),
                          .text = HF_BUF_INIT(HF_KEEPER_MAX_BYTES)};
    if (save->folder == NULL || save->path == NULL || keeper->text(keeper->arg, &save->text) < 0 ||
        keeper->world->sched->submit(keeper->world->sched->ctx, &save->job) < 0) {
        save_free(save);
        arm(keeper, DELAY_NS);
        return;
    }
    keeper->running = save;
    keeper->wanted = keeper->soon = false;
}

struct hf_keeper *hf_keeper_new(const struct hf_telemetry_world *world, const char *name)
{
    struct hf_keeper *keeper = calloc(1, sizeof(*keeper));

    if (keeper == NULL)
        return NULL;
    keeper->world = world;
    keeper->folder = hf_asprintf("%s/sources", world->dir);
    keeper->path = hf_asprintf("%s/sources/%s", world->dir, name);
    keeper->timer = world->sched->timer_new(world->sched->ctx, on_timer, keeper);
    if (keeper->folder == NULL || keeper->path == NULL || keeper->timer == NULL) {
        hf_keeper_free(keeper);
        return NULL;
    }
    return keeper;
}

void hf_keeper_free(struct hf_keeper *keeper)
{
    if (keeper == NULL)
        return;
    if (keeper->wanted && keeper->running == NULL) {
        _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_KEEPER_MAX_BYTES);
        if (keeper->text(keeper->arg, &text) == 0)
            (void)!write_out(keeper->world->fs, keeper->folder, keeper->path, hf_buf_view(&text), NULL);
    }
    if (keeper->running != NULL)
        keeper->running->keeper = NULL;
    if (keeper->timer != NULL)
        keeper->world->sched->timer_free(keeper->world->sched->ctx, keeper->timer);
    free(keeper->folder);
    free(keeper->path);
    free(keeper);
}

int hf_keeper_load(const struct hf_keeper *keeper, struct hf_buf *out, struct hf_err *err)
{
    return hf_file_read(keeper->world->fs, keeper->path, out, err);
}

void hf_keeper_changed(struct hf_keeper *keeper, bool soon, int (*text)(void *arg, struct hf_buf *out), void *arg)
{
    bool sooner;

    soon |= !keeper->begun; /* a process that dies young shall have come a little way too */
    keeper->begun = true;
    sooner = soon && !keeper->soon;
    keeper->text = text;
    keeper->arg = arg;
    if (keeper->wanted && !sooner)
        return;
    keeper->wanted = true;
    keeper->soon |= soon;
    if (keeper->running == NULL)
        arm(keeper, soon ? 0 : DELAY_NS);
}
