/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/sink/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/file.h"
#include "telemetry/sink/export_file.h"

enum { FOLDER_MODE = 0755, FILE_MODE = 0644 };

#define UNFINISHED ".unfinished"

/* ---- the medium -------------------------------------------------------------------------------------------------- */

static void close_fd(const struct hf_fs_ops *fs, int fd)
{
    if (fd >= 0)
        (void)fs->close(fs->ctx, fd);
}

/* Makes the folder unless it is there. Returns a descriptor. */
static int open_subfolder(const struct hf_fs_ops *fs, int dirfd, const char *name)
{
    int r = fs->mkdirat(fs->ctx, dirfd, name, FOLDER_MODE);

    if (r == 0)
        r = fs->fsync(fs->ctx, dirfd);
    if (r < 0 && r != -EEXIST)
        return r;
    return fs->openat(fs->ctx, dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0, HF_FS_ANY);
}

static int open_top(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err)
{
    int fd = fs->openat(fs->ctx, AT_FDCWD, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);

    if (fd == -ENOENT || fd == -ENOTDIR)
        return hf_err_set(err, ECONNREFUSED,
                          "the export folder '%.100s' is absent: insert the medium, or make the folder on it", folder);
    return fd < 0 ? hf_err_sys(err, fd, "open the export folder '%.100s'", folder) : fd;
}

static int write_file(const struct hf_fs_ops *fs, int dirfd, const char *name, struct hf_view text)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int r = fs->unlinkat(fs->ctx, dirfd, UNFINISHED, 0);

    if (r < 0 && r != -ENOENT)
        return r;
    int fd = fs->openat(fs->ctx, dirfd, UNFINISHED, flags, FILE_MODE, HF_FS_ANY);
    if (fd < 0)
        return fd;
    r = hf_file_write_all(fs, fd, text.p, text.n, 0);
    if (r == 0)
        r = fs->fsync(fs->ctx, fd);
    close_fd(fs, fd);
    if (r == 0)
        r = fs->renameat(fs->ctx, dirfd, UNFINISHED, dirfd, name);
    return r == 0 ? fs->fsync(fs->ctx, dirfd) : r;
}

int hf_export_write(const struct hf_fs_ops *fs, const struct hf_export_path *path, struct hf_view text,
                    struct hf_err *err)
{
    int top = open_top(fs, path->folder, err), node = -1, place = -1;

    if (top < 0)
        return top;
    node = open_subfolder(fs, top, path->node);
    place = node < 0 || path->subfolder[0] == '\0' ? node : open_subfolder(fs, node, path->subfolder);
    int r = place < 0 ? place : write_file(fs, place, path->name, text);
    if (place != node)
        close_fd(fs, place);
    close_fd(fs, node);
    close_fd(fs, top);
    return r < 0 ? hf_err_sys(err, r, "write '%.60s' to the export folder '%.100s'", path->name, path->folder) : 0;
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

struct hf_export {
    struct hf_http_ops ops;
    const struct hf_fs_ops *fs;
    const struct hf_sched_ops *sched;
    struct hf_list calls;
    char *folder, *node;
};

/* Owns all that its job uses, and frees itself at the job's end. */
struct export_call {
    struct hf_job job;
    struct hf_list link; /* of `calls`, until the call is cancelled */
    const struct hf_fs_ops *fs;
    char *folder, *node;
    struct hf_export_place place;
    struct hf_buf message;
    bool cancelled;
    void (*done)(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                 const struct hf_err *err);
    void *arg;
    int r;
    struct hf_err err;
};

static void call_free(struct export_call *call)
{
    hf_buf_done(&call->message);
    free(call->folder);
    free(call->node);
    free(call);
}

static void work(struct hf_job *job)
{
    struct export_call *call = hf_container_of(job, struct export_call, job);
    const struct hf_export_path path = {call->folder, call->node, call->place.folder, call->place.file};

    call->r = hf_export_write(call->fs, &path, hf_buf_view(&call->message), &call->err);
}

static void forget(struct export_call *call)
{
    hf_list_remove(&call->link);
    call->cancelled = true;
}

static void worked(struct hf_job *job, int cancelled)
{
    struct export_call *call = hf_container_of(job, struct export_call, job);
    const struct hf_http_response response = {.status = 200, .content_length = 0};

    if (!call->cancelled) {
        forget(call);
        if (cancelled)
            call->r = hf_err_set(&call->err, ECANCELED, "the agent is stopping");
        call->done(call->arg, call->r, &response, HF_VIEW(""), &call->err);
    }
    call_free(call);
}

static int fill(struct export_call *call, const struct hf_export *export, const struct hf_http_request *request,
                struct hf_err *err)
{
    call->fs = export->fs;
    call->folder = strdup(export->folder);
    call->node = strdup(export->node);
    call->message.max = HF_EXPORT_MAX_BYTES;
    call->done = request->done;
    call->arg = request->arg;
    call->job = (struct hf_job){.work = work, .done = worked, .may_hang = true};
    if (call->folder == NULL || call->node == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    int r = hf_export_file_place(request, &call->place, err);
    return r < 0 ? r : hf_export_file_format(request, &call->message, err);
}

static int start(void *ctx, const struct hf_http_request *request, struct hf_http_call **ret_call, struct hf_err *err)
{
    struct hf_export *export = ctx;
    struct export_call *call = calloc(1, sizeof(*call));

    if (call == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    int r = fill(call, export, request, err);
    if (r == 0) {
        r = hf_job_submit(export->sched, &call->job);
        r = r < 0 ? hf_err_sys(err, r, "start a write to the export folder") : 0;
    }
    if (r < 0) {
        call_free(call);
        return r;
    }
    hf_list_append(&export->calls, &call->link);
    *ret_call = (struct hf_http_call *)call; /* opaque to the caller */
    return 0;
}

static void cancel(HF_UNUSED void *ctx, struct hf_http_call *call)
{
    if (call != NULL)
        forget((struct export_call *)call);
}

static void pause_call(HF_UNUSED void *ctx, HF_UNUSED struct hf_http_call *call, HF_UNUSED bool paused)
{
}

struct hf_export *hf_export_new(const struct hf_fs_ops *fs, const struct hf_sched_ops *sched, const char *folder,
                                const char *node)
{
    struct hf_export *export = calloc(1, sizeof(*export));

    if (export == NULL)
        return NULL;
    export->ops = (struct hf_http_ops){.ctx = export, .start = start, .cancel = cancel, .pause = pause_call};
    export->fs = fs;
    export->sched = sched;
    hf_list_init(&export->calls);
    export->folder = strdup(folder);
    export->node = strdup(node);
    if (export->folder != NULL && export->node != NULL)
        return export;
    hf_export_free(export);
    return NULL;
}

void hf_export_free(struct hf_export *export)
{
    struct hf_list *it, *next;

    if (export == NULL)
        return;
    hf_list_each(it, next, &export->calls)
        forget(hf_container_of(it, struct export_call, link));
    free(export->folder);
    free(export->node);
    free(export);
}

const struct hf_http_ops *hf_export_http(struct hf_export *export)
{
    return &export->ops;
}
