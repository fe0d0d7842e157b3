/* SPDX-License-Identifier: Apache-2.0 */
/* The actions `commit` and `clean`: remove what nobody needs any more. A failure costs only the bytes; the next cleanup
 * tries again. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "manifests/commit.h"
#include "manifests/content/permit.h"
#include "manifests/content/store.h"
#include "manifests/entry.h"
#include "manifests/files/before.h"
#include "manifests/files/pod_folder.h"
#include "manifests/files/resolve.h"
#include "manifests/state/sealed_secret.h"
#include "os/file.h"

struct sweep {
    const struct job *job;
    char names[64][HF_SHA256_HEX + 16];
    size_t n;
};

/* Sealed copies of other versions of a Secret, and one that a power cut has left unfinished. */
static bool is_old_copy(const char *name, const char *keep)
{
    size_t n = strlen(HF_SEALED_SECRET_PREFIX);

    return strncmp(name, HF_SEALED_SECRET_PREFIX, n) == 0 && strcmp(name + n, keep) != 0;
}

static int visit(void *arg, const char *name, unsigned char type)
{
    struct sweep *sweep = arg;

    (void)type;
    if (strlen(name) >= sizeof(sweep->names[0]) || sweep->n == HF_LEN(sweep->names))
        return 0;
    if (is_old_copy(name, sweep->job->keep_copy))
        (void)snprintf(sweep->names[sweep->n++], sizeof(sweep->names[0]), "%s", name);
    if (strncmp(name, "b-", 2) != 0)
        return 0;
    for (size_t i = 0; i < HF_LEN(sweep->job->keep); i++)
        if (strcmp(name + 2, sweep->job->keep[i]) == 0)
            return 0;
    (void)snprintf(sweep->names[sweep->n++], sizeof(sweep->names[0]), "%s", name);
    return 0;
}

static int run_sweep(struct job *job)
{
    const struct hf_fs_ops *fs = job->entry->engine->p.env.fs;
    struct sweep sweep = {.job = job};
    int fd = fs->openat(fs->ctx, AT_FDCWD, job->entry->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);

    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;
    int r = fs->list(fs->ctx, fd, visit, &sweep);
    for (size_t i = 0; r == 0 && i < sweep.n; i++)
        r = fs->unlinkat(fs->ctx, fd, sweep.names[i], 0);
    if (r == 0 && sweep.n > 0) /* what was a secret must not come back by a power cut */
        r = fs->fsync(fs->ctx, fd);
    (void)fs->close(fs->ctx, fd);
    return r;
}

/* Returns true if the node lets the newest set write this file, or files in this folder. */
static bool may_write(const struct job *job, const char *root)
{
    const struct hf_manifest_set *next = &job->entry->r.next;
    enum hf_config_scope scope = permit_scope(next->signed_);
    char file[HF_FILES_MAX_PATH + 2];

    (void)snprintf(file, sizeof(file), "%s/x", root); /* some file of the target */
    return content_store_allows(job->entry, next, job->config, scope, root) ||
           content_store_allows(job->entry, next, job->config, scope, file);
}

/* An attempt that a kill has ended while it staged its files has left a staging folder, and no root in the record. */
static int clean_unrooted(struct job *job, struct hf_files_place *place)
{
    char path[HF_FILES_MAX_PATH], root[HF_FILES_MAX_PATH];
    bool pods = job->unrooted == HF_MANIFEST_TO_STATIC_PODS;
    int r = 0;

    if (job->unrooted == HF_MANIFEST_TO_CLUSTER)
        return 0;
    (void)snprintf(path, sizeof(path), "%s", job->path);
    if (pods)
        r = hf_pod_folder_find(place->fs, place->host_root, hf_config_static_pod_folder(job->config), "", path, NULL);
    if (r < 0 || hf_files_resolve(place->fs, place->host_root, path, root, NULL) < 0)
        return 0;
    return pods || may_write(job, root) ? hf_files_place_clean(place, root, &job->outcome) : 0;
}

/* Removes staging folders that an earlier process has left. */
static int clean_roots(struct job *job)
{
    const struct hf_manifest_env *env = &job->entry->engine->p.env;
    struct hf_files_place place;

    hf_files_place_init(&place);
    place.fs = env->fs;
    place.host_root = env->host_root;
    place.guard = env->uid == 0;
    place.entry = job->entry->name;
    int r = clean_unrooted(job, &place);
    for (size_t i = 0; r == 0 && i < HF_LEN(job->roots); i++)
        if (job->roots[i][0] != '\0')
            r = hf_files_place_clean(&place, job->roots[i], &job->outcome);
    return r;
}

static int run_commit(struct job *job)
{
    int r = job->keep_before ? 0 : hf_files_before_forget(job->entry->engine->p.env.fs, job->entry->folder, &job->err);

    if (r == 0)
        r = clean_roots(job);
    return r == 0 ? run_sweep(job) : r;
}

static void swept(struct entry *entry, struct job *job)
{
    if (job->r < 0)
        hf_log(entry->engine->p.env.log, HF_LOG_WARNING, "manifest.not_cleaned", HF_S("entry", entry->name),
               HF_S("error", strerror(-job->r)));
    entry->clean_failed = job->r < 0;
    if (job->r == 0)
        content_store_swept(entry, job->keep_copy);
    drift_want(&entry->drift); /* the first look after a swap learns the attributes of the new files */
    drift_watch(entry);
}

/* Notes where the newest set would go, if no attempt has found that out. */
static void note_unrooted(const struct entry *entry, struct job *job)
{
    const struct hf_manifest_set *next = &entry->r.next;

    job->unrooted = HF_MANIFEST_TO_CLUSTER;
    if (next->key[0] == '\0' || next->root[0] != '\0')
        return;
    job->config = entry->engine->p.env.config;
    (void)snprintf(job->path, sizeof(job->path), "%s", hf_json_str_or(next->entry, "path", ""));
    if (hf_manifest_set_is_to(next, HF_MANIFEST_TO_FILES))
        job->unrooted = HF_MANIFEST_TO_FILES;
    else if (hf_manifest_set_is_to(next, HF_MANIFEST_TO_STATIC_PODS))
        job->unrooted = HF_MANIFEST_TO_STATIC_PODS;
}

static void start(struct entry *entry, int (*run)(struct job *job))
{
    struct job *job;

    if (content_store_settle(entry, commit_start))
        return;
    job = task_new(entry, run, swept);
    if (job == NULL)
        return;
    (void)snprintf(job->keep_copy, sizeof(job->keep_copy), "%s", content_store_copy(entry));
    note_unrooted(entry, job);
    memcpy(job->roots[0], entry->r.next.root, HF_RECORD_ROOT);
    memcpy(job->roots[1], entry->r.good.root, HF_RECORD_ROOT);
    memcpy(job->keep[0], entry->r.next.digest, HF_SHA256_HEX);
    memcpy(job->keep[1], entry->r.good.digest, HF_SHA256_HEX);
    memcpy(job->keep[2], entry->r.known_digest, HF_SHA256_HEX);
    job->keep_before = entry->r.unproven || entry->resumed;
    task_submit(job);
}

void commit_start(struct entry *entry)
{
    start(entry, run_commit);
}

/* Files of somebody else that were kept for a rollback have no use once nothing unproven is in place. */
void commit_clean(struct entry *entry)
{
    start(entry, run_commit);
}
