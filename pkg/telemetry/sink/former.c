/* SPDX-License-Identifier: Apache-2.0 */
/* A folder in which nothing waits is removed. At most HF_FORMER_MAX folders stay; the one that has stored nothing
 * for the longest time goes first. The folders that stay use up part of buffer.maxBytes. With whenFull DropOldest it
 * is limited to half of that (all of it, if no sink is present): folders go in the same order, and if a whole folder
 * is more than necessary, only its oldest segments. With Block nothing that waits is removed to save bytes.
 *
 * A folder is renamed to ".former-<name>" before it is removed, so that after a power cut the next job removes the
 * rest.
 *
 * Touches only `.former-*`, and folders with a sink's name that have only urgent, bulk or dead with a spool's regular
 * files; follows no link. */
#include "telemetry/sink/former.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/field/text.h"
#include "base/array.h"
#include "base/strmap.h"
#include "os/dir.h"
#include "spool/segment.h"
#include "spool/store.h"

static const char going[] = ".former-"; /* in front of the name of a folder that goes */

static const char *const parts[] = {"bulk", "urgent", "dead"}; /* in the order in which their segments go */

/* ---- the decision ------------------------------------------------------------------------------------------------ */

static int older(const void *a, const void *b)
{
    const struct hf_former_folder *x = a, *y = b;

    if (x->newest_unix_ns != y->newest_unix_ns)
        return x->newest_unix_ns < y->newest_unix_ns ? -1 : 1;
    return strcmp(x->name, y->name);
}

void hf_former_decide(struct hf_former_folder *folders, size_t n, uint64_t limit_bytes)
{
    size_t stay = 0;
    uint64_t bytes = 0;

    if (n == 0)
        return;
    qsort(folders, n, sizeof(*folders), older);
    for (size_t i = 0; i < n; i++) {
        folders[i].removed = !folders[i].waits;
        stay += folders[i].waits;
    }
    for (size_t i = 0; i < n; i++) {
        if (folders[i].removed)
            continue;
        folders[i].removed = stay > HF_FORMER_MAX;
        stay -= folders[i].removed;
        bytes += folders[i].removed ? 0 : folders[i].bytes;
    }
    for (size_t i = 0; i < n && bytes > limit_bytes; i++) {
        if (folders[i].removed)
            continue;
        folders[i].removed = folders[i].bytes <= bytes - limit_bytes;
        folders[i].trim_bytes = folders[i].removed ? 0 : bytes - limit_bytes;
        bytes -= folders[i].removed ? folders[i].bytes : folders[i].trim_bytes;
    }
}

uint64_t hf_former_limit_bytes(const struct hf_telemetry *spec)
{
    if (spec->when_full != HF_WHEN_FULL_DROP_OLDEST)
        return UINT64_MAX;
    return spec->n_sinks > 0 ? spec->buffer_max_bytes / 2 : spec->buffer_max_bytes;
}

/* ---- the job: finding -------------------------------------------------------------------------------------------- */

struct former {
    struct hf_job job;
    const struct hf_fs_ops *fs;
    char *dir;
    struct hf_strmap present; /* names of the present sinks and of other folders of telemetry; values are not NULL */
    uint64_t seed, limit_bytes;
    bool patient, unreadable;
    struct hf_former_folder *folders;
    size_t n, cap;
    uint64_t kept_bytes;
    size_t kept;
    struct hf_err err;
    void (*done)(void *arg, const struct hf_former_result *result);
    void *arg;
};

static void fail(struct former *former, const struct hf_err *err)
{
    if (former->err.code == 0)
        former->err = *err;
}

static int keep_name(void *arg, const char *name, HF_UNUSED unsigned char type)
{
    return hf_strmap_put(arg, name, NULL);
}

/* Opens the folder `name` of `dirfd` without following links, and adds its names to *names. Returns the descriptor. */
static int open_names(const struct former *former, int dirfd, const char *name, struct hf_strmap *names)
{
    const struct hf_fs_ops *fs = former->fs;
    int fd = fs->openat(fs->ctx, dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0, HF_FS_ANY);

    if (fd < 0)
        return fd;
    int r = fs->list(fs->ctx, fd, keep_name, names);
    if (r < 0)
        (void)fs->close(fs->ctx, fd);
    return r < 0 ? r : fd;
}

static bool is_spool_file(const char *name)
{
    static const char *const known[] = {"spare.seg",  "coming.seg", "cursor", "stream",
                                        "stream.new", "borders",    "shares", "shares.new"};
    const char *dot = strchr(name, '.');

    for (size_t i = 0; i < HF_LEN(known); i++)
        if (strcmp(name, known[i]) == 0)
            return true;
    return hf_spool_segment_of_name(name) != 0 || (dot != NULL && strcmp(dot, ".seg.damaged") == 0);
}

/* Adds the files of one part to the folder's sums. Returns 1 if all of them are files of a spool, 0 if not. */
static int measure_part(const struct former *former, int dirfd, const char *part, struct hf_former_folder *folder)
{
    const struct hf_fs_ops *fs = former->fs;
    struct hf_strmap names = {0};
    int fd = open_names(former, dirfd, part, &names), r = fd < 0 ? fd : 1;

    for (size_t i = 0; r == 1 && i < names.n; i++) {
        const char *name = names.entries[i].key;
        struct stat st;
        r = fs->fstatat(fs->ctx, fd, name, &st, AT_SYMLINK_NOFOLLOW);
        if (r < 0)
            break;
        r = S_ISREG(st.st_mode) && is_spool_file(name);
        folder->bytes += (uint64_t)st.st_size;
        uint64_t ns = (uint64_t)st.st_mtim.tv_sec * HF_NS_PER_S + (uint64_t)st.st_mtim.tv_nsec;
        if (hf_spool_segment_of_name(name) != 0)
            folder->newest_unix_ns = HF_MAX(folder->newest_unix_ns, ns);
    }
    if (fd >= 0)
        (void)fs->close(fs->ctx, fd);
    hf_strmap_done(&names);
    return r;
}

static bool is_part(const char *name)
{
    for (size_t i = 0; i < HF_LEN(parts); i++)
        if (strcmp(name, parts[i]) == 0)
            return true;
    return false;
}

/* Sets the folder's bytes and newest_unix_ns. Returns 1 if the folder has the form of a sink's folder, or 0 or -errno
 * if not. */
static int measure(const struct former *former, int dirfd, struct hf_former_folder *folder)
{
    struct hf_strmap names = {0};
    int fd = open_names(former, dirfd, folder->name, &names), r = fd < 0 ? fd : names.n > 0;

    folder->bytes = folder->newest_unix_ns = 0;
    for (size_t i = 0; r == 1 && i < names.n; i++)
        r = is_part(names.entries[i].key) ? measure_part(former, fd, names.entries[i].key, folder) : 0;
    if (fd >= 0)
        (void)former->fs->close(former->fs->ctx, fd);
    hf_strmap_done(&names);
    return r;
}

/* ---- the job: spools --------------------------------------------------------------------------------------------- */

/* Opens the spool of a part. The size of its segments here makes the store remove a spare segment. Returns 1, 0 if the
 * part does not exist, or -errno. */
static int open_part(struct former *former, const struct hf_former_folder *folder, const char *part,
                     struct hf_spool_store **ret_store, struct hf_err *err)
{
    const struct hf_fs_ops *fs = former->fs;
    struct hf_rand_ops random = {.ctx = &former->seed, .u64 = hf_rand_mix_u64};
    struct stat st;
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/%s/%s", former->dir, folder->name, part);

    if (n < 0 || (size_t)n >= sizeof(path))
        return hf_err_set(err, ENAMETOOLONG, "the path of the folder of sink '%s' is too long", folder->name);
    if (fs->fstatat(fs->ctx, AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == -ENOENT)
        return 0;
    struct hf_spool_store_params params = {.fs = fs,
                                           .rng = &random,
                                           .dir = path,
                                           .segment_bytes = HF_SPOOL_MIN_SEGMENT_BYTES,
                                           .max_bytes = UINT64_MAX / 2,
                                           .when_full = HF_SPOOL_DROP_OLDEST,
                                           .refuse_unreadable = true,
                                           .only_drops = true};
    int r = hf_spool_store_open(&params, ret_store, err);
    if (r == -EIO && !former->patient) {
        params.refuse_unreadable = false;
        r = hf_spool_store_open(&params, ret_store, err);
    }
    former->unreadable = former->unreadable || r == -EIO;
    return r < 0 ? r : 1;
}

/* Counts what waits in the folder. If a spool does not open, the folder counts as one in which something waits. */
static void examine(struct former *former, struct hf_former_folder *folder)
{
    for (size_t i = 0; i < HF_LEN(parts); i++) {
        _cleanup_(hf_spool_store_freep) struct hf_spool_store *store = NULL;
        struct hf_err err = HF_ERR_INIT;
        int r = open_part(former, folder, parts[i], &store, &err);
        if (r < 0)
            fail(former, &err);
        folder->waits = folder->waits || r < 0;
        if (r <= 0)
            continue;
        const struct hf_spool_stats stats = hf_spool_store_stats(store);
        folder->records += stats.last - HF_MIN(stats.delivered, stats.last);
        folder->waits = folder->waits || stats.last > stats.delivered || stats.set_aside > 0;
    }
}

/* Drops the oldest segments of a spool, but not the last one, until *bytes are free. Lowers *bytes by what is free
 * then. */
static int trim_store(struct hf_spool_store *store, struct hf_former_folder *folder, uint64_t *bytes,
                      struct hf_err *err)
{
    struct hf_spool_dropped dropped[HF_SPOOL_MAX_TAGS + 1];
    struct hf_spool_stats stats = hf_spool_store_stats(store);
    int r = 0;

    while (r == 0 && *bytes > 0 && stats.segments > 1) {
        uint64_t before = stats.bytes;
        r = hf_spool_store_drop_oldest(store, err);
        stats = hf_spool_store_stats(store);
        *bytes -= HF_MIN(*bytes, before - HF_MIN(before, stats.bytes));
    }
    hf_spool_store_take_dropped(store, dropped);
    for (size_t i = 0; dropped[i].records > 0; i++)
        folder->dropped += dropped[i].records;
    return r;
}

/* Makes folder->trim_bytes free. If the segments that may go are not enough, the whole folder goes; if a call fails,
 * the next job tries again. */
static void trim(struct former *former, struct hf_former_folder *folder)
{
    uint64_t bytes = folder->trim_bytes;
    bool failed = false;

    for (size_t i = 0; i < HF_LEN(parts) && bytes > 0 && !failed; i++) {
        _cleanup_(hf_spool_store_freep) struct hf_spool_store *store = NULL;
        struct hf_err err = HF_ERR_INIT;
        int r = open_part(former, folder, parts[i], &store, &err);
        if (r > 0)
            r = trim_store(store, folder, &bytes, &err);
        if (r < 0)
            fail(former, &err);
        failed = r < 0;
    }
    folder->removed = bytes > 0 && !failed;
}

/* ---- the job: removing ------------------------------------------------------------------------------------------- */

static int sync_dir(struct former *former, int dirfd)
{
    struct hf_err err = HF_ERR_INIT;
    int r = former->fs->fsync(former->fs->ctx, dirfd);

    if (r == 0 || r == -EINVAL || r == -ENOTSUP) /* some file systems cannot sync a folder (os/dir.c) */
        return 0;
    (void)hf_err_sys(&err, r, "sync folder '%s'", former->dir);
    fail(former, &err);
    return r;
}

/* Removes what was renamed to go, by this job or before a power cut. Their new names must be durable first, or a power
 * cut could give the rest of a folder its old name back. */
static void sweep(struct former *former, int dirfd, const struct hf_strmap *names)
{
    bool any = false;

    for (size_t i = 0; i < names->n; i++) {
        struct hf_err err = HF_ERR_INIT;
        const char *name = names->entries[i].key;
        if (strncmp(name, going, sizeof(going) - 1) != 0)
            continue;
        if (!any && sync_dir(former, dirfd) < 0)
            return;
        any = true;
        if (hf_dir_remove_tree_at(former->fs, dirfd, name, &err) < 0)
            fail(former, &err);
    }
    if (any)
        (void)sync_dir(former, dirfd);
}

static void rename_to_go(struct former *former, int dirfd, struct hf_former_folder *folder)
{
    const struct hf_fs_ops *fs = former->fs;
    struct hf_err err = HF_ERR_INIT;
    char name[HF_FORMER_NAME + sizeof(going)];

    (void)snprintf(name, sizeof(name), "%s%s", going, folder->name);
    int r = fs->renameat(fs->ctx, dirfd, folder->name, dirfd, name);
    if (r == 0) {
        folder->dropped = folder->records;
        return;
    }
    folder->removed = false;
    (void)hf_err_sys(&err, r, "rename '%s/%s'", former->dir, folder->name);
    fail(former, &err);
}

static int find(struct former *former, int dirfd, const struct hf_strmap *names)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < names->n; i++) {
        const char *name = names->entries[i].key;
        struct hf_former_folder folder = {.bytes = 0};
        if (!hf_text_is_name(name) || hf_strmap_get(&former->present, name) != NULL)
            continue;
        (void)snprintf(folder.name, sizeof(folder.name), "%s", name);
        if (measure(former, dirfd, &folder) != 1)
            continue;
        examine(former, &folder);
        r = hf_array_grow(former->folders, former->n, former->cap, HF_ARRAY_ANY);
        if (r == 0 && measure(former, dirfd, &folder) == 1) /* without its spares */
            former->folders[former->n++] = folder;
    }
    return r;
}

static void bound(struct former *former, int dirfd)
{
    hf_former_decide(former->folders, former->n, former->limit_bytes);
    for (size_t i = 0; i < former->n; i++) {
        struct hf_former_folder *folder = &former->folders[i];
        if (folder->trim_bytes > 0)
            trim(former, folder);
        if (folder->removed)
            rename_to_go(former, dirfd, folder);
        if (folder->removed)
            continue;
        (void)measure(former, dirfd, folder);
        former->kept_bytes += folder->bytes;
        former->kept++;
    }
}

static void work(struct hf_job *job)
{
    struct former *former = hf_container_of(job, struct former, job);
    const struct hf_fs_ops *fs = former->fs;
    struct hf_strmap names = {0}, after = {0};
    struct hf_err err = HF_ERR_INIT;
    int fd = fs->openat(fs->ctx, AT_FDCWD, former->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);
    int r = fd < 0 ? fd : fs->list(fs->ctx, fd, keep_name, &names);

    if (r == 0) {
        sweep(former, fd, &names);
        r = find(former, fd, &names);
        bound(former, fd);
    }
    if (r == 0)
        r = fs->list(fs->ctx, fd, keep_name, &after);
    if (r == 0)
        sweep(former, fd, &after);
    if (r < 0) {
        (void)hf_err_sys(&err, r, "list '%s'", former->dir);
        fail(former, &err);
    }
    if (fd >= 0)
        (void)fs->close(fs->ctx, fd);
    hf_strmap_done(&names);
    hf_strmap_done(&after);
}

/* ---- start and end ----------------------------------------------------------------------------------------------- */

static void former_free(struct former *former)
{
    if (former == NULL)
        return;
    hf_strmap_done(&former->present);
    free(former->folders);
    free(former->dir);
    free(former);
}
HF_DEFINE_CLEANUP(struct former, former_free)

static void done(struct hf_job *job, int cancelled)
{
    struct former *former = hf_container_of(job, struct former, job);
    const struct hf_former_result result = {.folders = former->folders,
                                            .n = former->n,
                                            .kept_bytes = former->kept_bytes,
                                            .kept = former->kept,
                                            .unreadable = former->unreadable,
                                            .cancelled = cancelled != 0,
                                            .err = former->err};

    former->done(former->arg, &result);
    former_free(former);
}

int hf_former_start(const struct hf_telemetry_env *env, const struct hf_telemetry *spec, bool patient,
                    void (*when_done)(void *arg, const struct hf_former_result *result), void *arg)
{
    _cleanup_(former_freep) struct former *former = calloc(1, sizeof(*former));

    if (former == NULL)
        return -ENOMEM;
    former->job = (struct hf_job){.work = work, .done = done};
    former->fs = env->fs;
    former->dir = strdup(env->dir);
    former->seed = env->rand->u64(env->rand->ctx);
    former->limit_bytes = hf_former_limit_bytes(spec);
    former->patient = patient;
    former->done = when_done;
    former->arg = arg;
    int r = former->dir != NULL ? hf_strmap_put(&former->present, "sources", former) : -ENOMEM;
    for (size_t i = 0; r >= 0 && i < spec->n_sinks; i++)
        r = hf_strmap_put(&former->present, hf_outlet_name(&spec->sinks[i]), former);
    if (r >= 0)
        r = hf_job_submit(env->sched, &former->job);
    if (r < 0)
        return r;
    (void)hf_steal(former); /* done() frees it */
    return 0;
}

void hf_former_report(const struct hf_telemetry_env *env, const struct hf_former_result *result)
{
    struct hf_metric *dropped =
        hf_metric_counter(env->metrics, "holdfast_telemetry_former_dropped_events_total",
                          "Events and dead letters that the agent dropped from folders of former sinks.");
    struct hf_metric *bytes = hf_metric_gauge(env->metrics, "holdfast_telemetry_former_disk_bytes",
                                              "Disk space of the folders of former sinks that still hold events.");

    for (size_t i = 0; i < result->n; i++) {
        const struct hf_former_folder *folder = &result->folders[i];
        if (folder->dropped > 0)
            hf_log(env->log, HF_LOG_WARNING, "telemetry.former_dropped", HF_S("sink", folder->name),
                   HF_D("records", folder->dropped), HF_D("bytes", folder->bytes));
        else if (folder->removed)
            hf_log(env->log, HF_LOG_INFO, "telemetry.former_removed", HF_S("sink", folder->name));
        hf_metric_add(dropped, folder->dropped);
    }
    if (result->kept > 0)
        hf_log(env->log, HF_LOG_INFO, "telemetry.former_kept", HF_D("folders", result->kept),
               HF_D("bytes", result->kept_bytes));
    hf_metric_set(bytes, (double)result->kept_bytes);
    if (result->err.code != 0)
        hf_log_err(env->log, HF_LOG_ERROR, "telemetry.former_failed", "folder", env->dir, &result->err);
}
