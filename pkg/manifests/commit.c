/* SPDX-License-Identifier: Apache-2.0 */
/* The actions `commit` and `clean`: remove what nobody needs any more. A failure costs only the bytes; the next cleanup
 * tries again. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "manifests/commit.h"
#include "manifests/content/store.h"
#include "manifests/entry.h"
#include "manifests/files/before.h"
#include "manifests/state/sealed_secret.h"
#include "manifests/targets/target.h"
#include "os/file.h"

/* What the cleanup leaves, and where it looks. */
struct cleanup {
    struct job job;
    char keep[3][HF_SHA256_HEX];   /* digests of the contents that stay on disk */
    char keep_copy[HF_SHA256_HEX]; /* digest of the sealed copy that stays on disk */
    bool keep_before;              /* the backups of files/before.h stay on disk */
    /* the target of the newest set, if no attempt has found its root; otherwise NULL */
    const struct target_ops *unrooted;
    const struct hf_config *config;
    char roots[2][HF_RECORD_ROOT]; /* target folders from which staging folders are removed */
};

struct sweep {
    const struct cleanup *cleanup;
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
    if (is_old_copy(name, sweep->cleanup->keep_copy))
        (void)snprintf(sweep->names[sweep->n++], sizeof(sweep->names[0]), "%s", name);
    if (strncmp(name, "b-", 2) != 0)
        return 0;
    for (size_t i = 0; i < HF_LEN(sweep->cleanup->keep); i++)
        if (strcmp(name + 2, sweep->cleanup->keep[i]) == 0)
            return 0;
    (void)snprintf(sweep->names[sweep->n++], sizeof(sweep->names[0]), "%s", name);
    return 0;
}

static int sweep_folder(const struct cleanup *cleanup)
{
    const struct entry *entry = cleanup->job.entry;
    const struct hf_fs_ops *fs = entry->engine->p.env.world.fs;
    struct sweep sweep = {.cleanup = cleanup};
    int fd = fs->openat(fs->ctx, AT_FDCWD, entry->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);

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

/* An attempt that a kill has ended while it staged its files has left a staging folder, and no root in the record. */
static int clean_unrooted(struct cleanup *cleanup, struct hf_files_place *place)
{
    const struct hf_manifest_set *next = &cleanup->job.entry->r.next;
    char root[HF_FILES_MAX_PATH];

    if (cleanup->unrooted == NULL ||
        !cleanup->unrooted->find_root(cleanup->job.entry, place, cleanup->config, next, root))
        return 0;
    return hf_files_place_clean(place, root, &cleanup->job.outcome);
}

/* Removes staging folders that an earlier process has left. */
static int clean_roots(struct cleanup *cleanup)
{
    const struct hf_manifest_env *env = &cleanup->job.entry->engine->p.env;
    struct hf_files_place place;

    hf_files_place_init(&place);
    place.fs = env->world.fs;
    place.host_root = env->host_root;
    place.guard = env->uid == 0;
    place.entry = cleanup->job.entry->name;
    int r = clean_unrooted(cleanup, &place);
    for (size_t i = 0; r == 0 && i < HF_LEN(cleanup->roots); i++)
        if (cleanup->roots[i][0] != '\0')
            r = hf_files_place_clean(&place, cleanup->roots[i], &cleanup->job.outcome);
    return r;
}

static int run(struct job *job)
{
    struct cleanup *cleanup = hf_container_of(job, struct cleanup, job);
    const struct entry *entry = job->entry;
    int r = cleanup->keep_before ? 0 : hf_files_before_forget(entry->engine->p.env.world.fs, entry->folder, &job->err);

    if (r == 0)
        r = clean_roots(cleanup);
    return r == 0 ? sweep_folder(cleanup) : r;
}

static void swept(struct entry *entry, struct job *job)
{
    const struct cleanup *cleanup = hf_container_of(job, struct cleanup, job);

    if (job->r < 0)
        hf_log(entry->engine->p.env.world.log, HF_LOG_WARNING, "manifest.not_cleaned", HF_S("entry", entry->name),
               HF_S("error", strerror(-job->r)));
    assert(hf_manifest_machine_rests(entry->r.phase) && (cleanup->keep_before || !entry->r.unproven));
    entry->cleanup = job->r < 0 ? ENTRY_CLEANUP_FAILED : ENTRY_CLEANUP_DONE;
    if (job->r == 0)
        content_store_swept(entry, cleanup->keep_copy);
    drift_want(&entry->drift); /* the first look after a swap learns the attributes of the new files */
    drift_watch(entry);
}

void commit_start(struct entry *entry)
{
    const struct hf_manifest_set *next = &entry->r.next;

    /* What only a rollback needs goes when none can come. */
    assert(hf_manifest_machine_rests(entry->r.phase) && entry->attempt == NULL);
    if (content_store_settle(entry, commit_start))
        return;
    struct cleanup *cleanup = task_new_operation(sizeof(*cleanup), entry, run, swept, NULL);
    if (cleanup == NULL)
        return;
    (void)snprintf(cleanup->keep_copy, sizeof(cleanup->keep_copy), "%s", content_store_copy(entry));
    if (next->key[0] != '\0' && next->root[0] == '\0')
        cleanup->unrooted = target_of(entry, next);
    cleanup->config = entry->engine->p.env.config;
    memcpy(cleanup->roots[0], next->root, HF_RECORD_ROOT);
    memcpy(cleanup->roots[1], entry->r.good.root, HF_RECORD_ROOT);
    memcpy(cleanup->keep[0], next->digest, HF_SHA256_HEX);
    memcpy(cleanup->keep[1], entry->r.good.digest, HF_SHA256_HEX);
    memcpy(cleanup->keep[2], entry->r.known_digest, HF_SHA256_HEX);
    cleanup->keep_before = entry->r.unproven || entry->resumed;
    task_submit(&cleanup->job);
}

/* Files of somebody else that were kept for a rollback have no use once nothing unproven is in place. */
void commit_clean(struct entry *entry)
{
    commit_start(entry);
}
