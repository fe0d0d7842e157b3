/* SPDX-License-Identifier: Apache-2.0 */
#include "mirror/tags_file.h"

#include <stdlib.h>
#include <string.h>

#include "os/file.h"

/* Writes the file; outlives the table. */
struct write_job {
    struct hf_job job;
    struct hf_mirror_tags_file *file; /* NULL: gone meanwhile */
    const struct hf_fs_ops *fs;
    char *path;
    struct hf_buf text;
    int r;
};

struct hf_mirror_tags_file {
    struct hf_mirror_tags_file_params p; /* `path` is the copy below */
    char *path;
    struct hf_mirror_tags tags;
    struct write_job *job; /* in progress, or NULL */
    bool changed;          /* since it began */
};

static void save(struct hf_mirror_tags_file *file);

static void free_job(struct write_job *job)
{
    free(job->path);
    hf_buf_done(&job->text);
    free(job);
}

static void work(struct hf_job *job)
{
    struct write_job *write = hf_container_of(job, struct write_job, job);

    write->r = hf_file_replace(write->fs, write->path, write->text.p, write->text.n, 0600, NULL);
}

static void written(struct hf_job *job, int cancelled)
{
    struct write_job *write = hf_container_of(job, struct write_job, job);
    struct hf_mirror_tags_file *file = write->file;

    if (file != NULL) {
        file->job = NULL;
        if (!cancelled && write->r < 0)
            hf_log(file->p.log, HF_LOG_WARNING, "image.tags_not_saved", HF_S("path", write->path),
                   HF_D("errno", -write->r));
        if (!cancelled && file->changed)
            save(file);
    }
    free_job(write);
}

static void save(struct hf_mirror_tags_file *file)
{
    file->changed = true;
    if (file->job != NULL)
        return;
    struct write_job *job = calloc(1, sizeof(*job));
    if (job == NULL)
        return;
    *job = (struct write_job){.job = {.work = work, .done = written},
                              .file = file,
                              .fs = file->p.fs,
                              .path = strdup(file->path),
                              .text = {.max = HF_MIRROR_TAGS_TEXT}};
    if (job->path == NULL || hf_mirror_tags_format(&file->tags, &job->text) < 0 ||
        hf_job_submit(file->p.sched, &job->job) < 0) {
        free_job(job);
        return;
    }
    file->job = job;
    file->changed = false;
}

void hf_mirror_tags_file_put(struct hf_mirror_tags_file *file, const struct hf_mirror_request *request,
                             const char *sha256, uint64_t now_unix_s)
{
    if (hf_mirror_tags_put(&file->tags, request, sha256, now_unix_s) == 1)
        save(file);
}

const struct hf_mirror_tags *hf_mirror_tags_file_get(const struct hf_mirror_tags_file *file)
{
    return &file->tags;
}

struct hf_mirror_tags_file *hf_mirror_tags_file_new(const struct hf_mirror_tags_file_params *params)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_MIRROR_TAGS_TEXT);
    struct hf_mirror_tags_file *file = calloc(1, sizeof(*file));

    if (file == NULL)
        return NULL;
    file->p = *params;
    file->path = strdup(params->path);
    if (file->path == NULL) {
        free(file);
        return NULL;
    }
    if (hf_file_read(params->fs, file->path, &text, NULL) == 0)
        (void)!hf_mirror_tags_parse(&file->tags, hf_buf_view(&text), NULL);
    return file;
}

void hf_mirror_tags_file_free(struct hf_mirror_tags_file *file)
{
    if (file == NULL)
        return;
    if (file->job != NULL)
        file->job->file = NULL;
    hf_mirror_tags_done(&file->tags);
    free(file->path);
    free(file);
}
