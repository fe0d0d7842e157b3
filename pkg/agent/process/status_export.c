/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/process/status_export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "telemetry/sink/export.h"

enum { MAX_BYTES = 1 << 20 };

/* Tells one medium from another. */
struct medium {
    uint64_t device, inode;
};

struct hf_status_export {
    struct hf_job job;
    const struct hf_fs_ops *fs;
    const struct hf_sched_ops *sched;
    struct hf_log *log;
    char *folder, *node;
    struct hf_timer *timer;
    struct hf_buf latest;
    bool is_new; /* `latest` is on no medium yet */
    bool busy;   /* the job runs, and owns what follows */
    bool closed; /* freed when the job ends */
    struct hf_buf text;
    struct medium on; /* the medium that has the text before `text`, or zero */
    bool written;
    struct hf_err err;
    char logged[sizeof(((struct hf_err *)NULL)->cause)];
};

static void destroy(struct hf_status_export *export)
{
    hf_buf_done(&export->latest);
    hf_buf_done(&export->text);
    free(export->folder);
    free(export->node);
    free(export);
}

static void work(struct hf_job *job)
{
    struct hf_status_export *export = hf_container_of(job, struct hf_status_export, job);
    const struct hf_export_path path = {export->folder, export->node, "", "status.json"};
    struct stat st;
    int r = export->fs->fstatat(export->fs->ctx, AT_FDCWD, export->folder, &st, 0);
    struct medium medium = {r == 0 ? st.st_dev : 0, r == 0 ? st.st_ino : 0};

    if (r == 0 && export->text.n == 0 && medium.device == export->on.device && medium.inode == export->on.inode)
        return;
    export->on = (struct medium){.inode = 0};
    if (export->text.n == 0 || r < 0) /* the loop hands over the text the next time */
        return;
    export->err = (struct hf_err)HF_ERR_INIT;
    export->written = hf_export_write(export->fs, &path, hf_buf_view(&export->text), &export->err) == 0;
    if (export->written)
        export->on = medium;
}

/* Logs a failure once. An absent medium is none. */
static void note(struct hf_status_export *export)
{
    if (export->err.code == 0 || export->err.code == ECONNREFUSED || strcmp(export->err.cause, export->logged) == 0)
        return;
    memcpy(export->logged, export->err.cause, sizeof(export->logged));
    hf_log_err(export->log, HF_LOG_WARNING, "export.failed", "dir", export->folder, &export->err);
}

static void worked(struct hf_job *job, HF_UNUSED int cancelled)
{
    struct hf_status_export *export = hf_container_of(job, struct hf_status_export, job);

    if (export->closed) {
        destroy(export);
        return;
    }
    export->busy = false;
    if (export->written)
        export->logged[0] = '\0';
    else
        note(export);
    /* Not written, or the medium is another one: the next look writes. */
    export->is_new = export->is_new || export->on.inode == 0;
    hf_buf_clear(&export->text);
    hf_timer_arm(export->sched, export->timer, HF_STATUS_EXPORT_NS);
}

static void look(void *arg)
{
    struct hf_status_export *export = arg;

    export->written = false;
    export->err = (struct hf_err)HF_ERR_INIT;
    hf_buf_clear(&export->text);
    if (export->is_new && hf_buf_add(&export->text, export->latest.p, export->latest.n) == 0)
        export->is_new = false;
    export->busy = hf_job_submit(export->sched, &export->job) == 0;
    if (export->busy)
        return;
    export->is_new = export->is_new || export->text.n > 0;
    hf_timer_arm(export->sched, export->timer, HF_STATUS_EXPORT_NS);
}

struct hf_status_export *hf_status_export_new(const struct hf_fs_ops *fs, const struct hf_sched_ops *sched,
                                              struct hf_log *log, const char *folder, const char *node)
{
    struct hf_status_export *export = calloc(1, sizeof(*export));

    if (export == NULL)
        return NULL;
    export->job = (struct hf_job){.work = work, .done = worked, .may_hang = true};
    export->fs = fs;
    export->sched = sched;
    export->log = log;
    export->latest.max = export->text.max = MAX_BYTES;
    export->folder = strdup(folder);
    export->node = strdup(node);
    export->timer = hf_timer_new(sched, look, export);
    if (export->folder == NULL || export->node == NULL || export->timer == NULL) {
        hf_status_export_free(export);
        return NULL;
    }
    hf_timer_arm(sched, export->timer, HF_STATUS_EXPORT_NS);
    return export;
}

void hf_status_export_free(struct hf_status_export *export)
{
    if (export == NULL)
        return;
    hf_timer_free(export->sched, export->timer);
    export->closed = true;
    if (!export->busy)
        destroy(export);
}

void hf_status_export_set(struct hf_status_export *export, struct hf_view text)
{
    if (export == NULL || text.n == 0 || (text.n == export->latest.n && memcmp(text.p, export->latest.p, text.n) == 0))
        return;
    _cleanup_(hf_buf_done) struct hf_buf copy = HF_BUF_INIT(MAX_BYTES);
    if (hf_buf_add(&copy, text.p, text.n) < 0)
        return;
    hf_buf_clear(&export->latest);
    export->is_new = hf_buf_add(&export->latest, copy.p, copy.n) == 0;
}
