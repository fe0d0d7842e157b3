/* SPDX-License-Identifier: Apache-2.0 */
/* A folder or file of this node.
 *
 * A look reads attributes only, and makes a fingerprint. The source reads the files when two looks, a second apart,
 * have the same one, because somebody may still be copying; and reads nothing while the fingerprint is that of what
 * the engine has. A look comes with the timer, when a watch fires, and at each refresh. The watches are on the
 * folder and on the one that its path is in, where a link to the current checkout may change.
 *
 * What is beside the folder may change all the time, so looks that find nothing new come later and later (FEW_IDLE).
 * Look and read are jobs, which may hang on a medium that is gone: the source then says so. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loop/watch.h"
#include "manifests/source/folder_read.h"
#include "manifests/source/source_impl.h"
#include "manifests/source/turns.h"
#include "os/dir.h"

enum { MAX_SETTLE = 30 }; /* looks at a folder that keeps changing, before the source says so */
static const uint64_t settle_ns = HF_NS_PER_S, notice_ns = HF_NS_PER_S / 2;

/* A log file or a database beside the folder may change all the time. After FEW_IDLE looks in quick succession that
 * find nothing new, each comes twice as late as the one before, up to 16 s. */
enum { FEW_IDLE = 8, MAX_DOUBLED = 5 };
static const uint64_t calm_ns = 60 * HF_NS_PER_S;

struct folder_source {
    struct hf_manifest_source base;
    const struct hf_fs_ops *fs; /* for the job, which may outlive `env` */
    char *host_root, *path, *sub_path;
    char *state_dir, *trust_dir;   /* closed, wherever they are */
    unsigned settling;             /* looks in a row that found a change */
    unsigned idle;                 /* looks in quick succession that found nothing new */
    uint64_t looked_ns;            /* monotonic time of the last look */
    char seen[HF_SHA256_HEX];      /* fingerprint of the last look; "" if there is none */
    char delivered[HF_SHA256_HEX]; /* fingerprint of what the engine has; "" if unknown */
    /* Watches of the folder, and of the folder that its path is in, where a link to the current checkout may change. If
     * one is missing, the nearest folder above it has the watch. Changes in deeper folders show at the next refresh. */
    struct hf_watch *watches[2];
    bool watches_stale;          /* another folder may have taken the name of one that is watched */
    bool noticed;                /* a change was noticed while a job ran */
    bool look_pending;           /* the timer is armed for a look that follows a change */
    struct hf_source_turn *turn; /* to read the files; NULL: none is asked for, or the bundle has it */
    bool stopped;                /* `takes` has said no */
    /* in and out of the job */
    bool read;
    int r;
    char fingerprint[HF_SHA256_HEX], resolved[HF_WALK_MAX_PATH];
    struct hf_bundle *bundle;
    struct hf_source_failure failure;
};

static struct folder_source *folder_of(struct hf_manifest_source *source)
{
    return hf_container_of(source, struct folder_source, base);
}

static int folder_start(struct hf_manifest_source *source, struct hf_err *err)
{
    struct folder_source *folder = folder_of(source);
    const struct hf_manifest_from *from = &source->p.entry->from;
    const char *host_root = source->p.env->host_root;

    folder->watches_stale = true;
    folder->fs = source->p.env->world.fs;
    folder->host_root = strdup(host_root != NULL ? host_root : "");
    folder->path = strdup(from->path);
    folder->sub_path = strdup(from->sub_path != NULL ? from->sub_path : "");
    folder->state_dir = strdup(source->p.env->state_dir != NULL ? source->p.env->state_dir : "");
    folder->trust_dir = strdup(source->p.env->trust_dir != NULL ? source->p.env->trust_dir : "");
    if (folder->host_root == NULL || folder->path == NULL || folder->sub_path == NULL || folder->state_dir == NULL ||
        folder->trust_dir == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    return 0;
}

static void work(struct hf_job *job)
{
    struct folder_source *folder = hf_container_of(job, struct folder_source, base.job);
    const char *const *always = hf_config_manifest_closed();
    const char *closed[HF_CLOSED_MAX + 1] = {folder->state_dir, folder->trust_dir};
    const struct hf_folder_read_params params = {.fs = folder->fs,
                                                 .host_root = folder->host_root,
                                                 .path = folder->path,
                                                 .sub_path = folder->sub_path,
                                                 .closed = closed};

    for (size_t i = 0; always[i] != NULL; i++) {
        assert(i + 2 < HF_CLOSED_MAX);
        closed[i + 2] = always[i];
    }
    folder->r = folder->read ? hf_folder_read_all(&params, folder->seen, &folder->bundle, &folder->failure)
                             : hf_folder_read_look(&params, folder->fingerprint, folder->resolved, &folder->failure);
}

/* Asks the node's configuration about the path with or without symbolic links, and about what to read below it. */
static bool is_allowed(struct folder_source *folder, const char *path)
{
    const struct hf_manifest_source_params *p = &folder->base.p;
    enum hf_config_scope scope = p->signed_ ? HF_CONFIG_SIGNED : HF_CONFIG_UNSIGNED;

    folder->failure = (struct hf_source_failure){.reason = HF_MANIFEST_REASON_NOT_ALLOWED};
    return hf_config_allows_manifest_read(p->env->config, scope, path, folder->sub_path, &folder->failure.err);
}

static void report(struct folder_source *folder, bool retry)
{
    folder->settling = 0;
    folder->look_pending = folder->look_pending && !retry; /* the retry takes the timer */
    hf_source_report(&folder->base, &folder->failure, retry, 0);
}

static void end_turn(struct folder_source *folder)
{
    hf_source_turn_free(hf_steal(folder->turn));
}

/* After an error, such as the lack of a descriptor, the next look may succeed. Other failures need a change. */
static void refuse(struct folder_source *folder)
{
    end_turn(folder);
    folder->seen[0] = folder->delivered[0] = '\0';
    folder->idle++;
    report(folder, folder->failure.reason == HF_MANIFEST_REASON_SOURCE_UNREACHABLE);
}

/* ---- watches ----------------------------------------------------------------------------------------------------- */

/* Looks soon. A look that is due keeps its time, because there may be changes all the time. */
static void look_soon(struct folder_source *folder)
{
    uint64_t now = hf_mono_ns(folder->base.p.env->world.clock);

    if (now - folder->looked_ns >= calm_ns)
        folder->idle = 0;
    unsigned doubled = HF_MIN(folder->idle - HF_MIN(folder->idle, (unsigned)FEW_IDLE), (unsigned)MAX_DOUBLED);
    if (!folder->look_pending)
        hf_source_again(&folder->base, notice_ns << doubled);
    folder->look_pending = true;
}

static void notice(void *arg)
{
    struct folder_source *folder = arg;

    folder->watches_stale = true;
    if (folder->base.busy)
        folder->noticed = true;
    else if (folder->settling == 0)
        look_soon(folder);
}

static void unwatch(struct folder_source *folder)
{
    const struct hf_watch_ops *ops = folder->base.p.env->watch;

    for (size_t i = 0; i < HF_LEN(folder->watches); i++) {
        if (folder->watches[i] != NULL)
            ops->remove(ops->ctx, hf_steal(folder->watches[i]));
    }
}

/* Watches the folder, or the nearest one above it that exists. A watch that cannot be made only makes the source
 * slower: it looks once per interval anyway. */
static void add_watch(struct folder_source *folder, const char *path, struct hf_watch **ret_watch)
{
    const struct hf_watch_ops *ops = folder->base.p.env->watch;
    const char *host_root = strcmp(folder->host_root, "/") != 0 ? folder->host_root : "";
    char whole[2 * HF_WALK_MAX_PATH], *in_host = whole + strlen(host_root);
    int r;

    (void)snprintf(whole, sizeof(whole), "%s%s", host_root, path);
    while ((r = ops->add(ops->ctx, whole, notice, folder, ret_watch, NULL)) < 0) {
        *ret_watch = NULL;
        if ((r != -ENOENT && r != -ENOTDIR) || strcmp(in_host, "/") == 0)
            return;
        char *slash = strrchr(in_host, '/');
        slash[slash == in_host ? 1 : 0] = '\0';
    }
}

/* Called after a look that has found out what there is. A look that follows finds what changed before the watches. */
static void watch(struct folder_source *folder)
{
    char above[HF_WALK_MAX_PATH];

    if (folder->base.p.env->watch == NULL || !folder->watches_stale)
        return;
    folder->watches_stale = false;
    unwatch(folder);
    if (folder->resolved[0] != '\0')
        add_watch(folder, folder->resolved, &folder->watches[0]);
    (void)hf_dir_of_path(folder->path, above, sizeof(above));
    if (strcmp(above, "/") != 0 || folder->watches[0] == NULL)
        add_watch(folder, above, &folder->watches[1]);
    look_soon(folder);
}

/* ---- turns ------------------------------------------------------------------------------------------------------- */

/* The job may still write the folder's own failure. */
static void folder_hangs(struct hf_manifest_source *source)
{
    struct folder_source *folder = folder_of(source);
    struct hf_source_failure failure;

    end_turn(folder); /* others have waited for it long enough */
    const char *what = atomic_load(&source->job.begun) ? "does not answer" : "waits for a path that does not answer";

    (void)hf_failure_set(&failure, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, ETIMEDOUT,
                         "'%.160s' %s; its disk or the server of its file system may be away", folder->path, what);
    hf_source_report(source, &failure, false, 0);
}

static void folder_turn(struct hf_manifest_source *source)
{
    struct folder_source *folder = folder_of(source);

    folder->look_pending = folder->read = false;
    if (is_allowed(folder, folder->path))
        hf_source_submit(source, work);
    else
        refuse(folder);
}

static void folder_refresh(struct hf_manifest_source *source)
{
    struct folder_source *folder = folder_of(source);

    folder->watches_stale = true;
    if (!source->busy && folder->settling == 0) /* else a look follows anyway */
        hf_source_again(source, 0);
}

/* Looks again soon, unless the folder has kept changing for long. */
static void settle(struct folder_source *folder)
{
    end_turn(folder);
    if (++folder->settling <= MAX_SETTLE) {
        hf_source_again(&folder->base, settle_ns);
        return;
    }
    (void)hf_failure_set(&folder->failure, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, EAGAIN,
                         "'%.160s' keeps changing; the node reads it when it has not changed for a second",
                         folder->path);
    report(folder, true);
}

/* The turn has come. A look that runs goes on with it. */
static void begin_read(void *arg)
{
    struct folder_source *folder = arg;
    const struct hf_manifest_source_params *p = &folder->base.p;

    if (folder->base.busy)
        return;
    folder->stopped = p->takes != NULL && !p->takes(p->arg);
    if (folder->stopped) {
        end_turn(folder);
        return;
    }
    folder->read = true;
    folder->look_pending = false; /* the job reads what has changed */
    hf_source_submit(&folder->base, work);
}

static void read_in_turn(struct folder_source *folder)
{
    folder->stopped = false;
    if (hf_source_turn_has_come(folder->turn))
        begin_read(folder);
    else if (folder->turn == NULL && hf_source_turn_ask(folder->base.p.turns, begin_read, folder, &folder->turn) < 0)
        settle(folder);
}

static void folder_ready(struct hf_manifest_source *source)
{
    struct folder_source *folder = folder_of(source);

    if (folder->stopped && !source->busy)
        read_in_turn(folder);
}

static void looked(struct folder_source *folder)
{
    bool same = strcmp(folder->fingerprint, folder->seen) == 0;
    bool is_new = strcmp(folder->fingerprint, folder->delivered) != 0;

    folder->idle = is_new ? 0 : folder->idle + 1;
    if (!is_allowed(folder, folder->resolved)) {
        refuse(folder);
        return;
    }
    watch(folder);
    memcpy(folder->seen, folder->fingerprint, sizeof(folder->seen));
    if (same && !is_new) {
        end_turn(folder);
        folder->settling = 0;
        hf_source_unchanged(&folder->base);
    } else if (same) {
        read_in_turn(folder);
    } else {
        settle(folder);
    }
}

static void has_read(struct folder_source *folder)
{
    struct hf_bundle *bundle = hf_steal(folder->bundle);

    bundle->turn = hf_steal(folder->turn);
    char revision[sizeof("sha256:") + HF_SHA256_HEX];

    folder->settling = 0;
    memcpy(folder->delivered, folder->seen, sizeof(folder->delivered));
    (void)snprintf(revision, sizeof(revision), "sha256:%s", bundle->digest);
    if (folder->base.revision != NULL && strcmp(revision, folder->base.revision) == 0) {
        hf_bundle_free(bundle);
        hf_source_unchanged(&folder->base);
        return;
    }
    hf_source_deliver(&folder->base, bundle, revision);
}

/* After other failures the source looks again by itself, or the node's configuration has to change. */
static bool waits_for_a_change(const struct folder_source *folder)
{
    return folder->failure.reason != HF_MANIFEST_REASON_SOURCE_UNREACHABLE &&
           folder->failure.reason != HF_MANIFEST_REASON_NOT_ALLOWED;
}

static void folder_worked(struct hf_manifest_source *source, int cancelled)
{
    struct folder_source *folder = folder_of(source);

    if (cancelled) {
        end_turn(folder);
        return;
    }
    folder->looked_ns = hf_mono_ns(folder->base.p.env->world.clock);
    if (folder->noticed) {
        folder->noticed = false;
        look_soon(folder);
    }
    if (folder->r == -EAGAIN) {
        folder->seen[0] = '\0';
        settle(folder);
    } else if (folder->r < 0) {
        if (waits_for_a_change(folder))
            watch(folder);
        refuse(folder);
    } else if (folder->read) {
        has_read(folder);
    } else {
        looked(folder);
    }
}

static void folder_stop(struct hf_manifest_source *source)
{
    unwatch(folder_of(source));
}

static void folder_done(struct hf_manifest_source *source)
{
    struct folder_source *folder = folder_of(source);

    hf_bundle_free(folder->bundle);
    end_turn(folder);
    free(folder->host_root);
    free(folder->path);
    free(folder->sub_path);
    free(folder->state_dir);
    free(folder->trust_dir);
}

const struct hf_manifest_source_kind hf_source_folder_kind = {
    .name = "path",
    .size = sizeof(struct folder_source),
    .start = folder_start,
    .turn = folder_turn,
    .hangs = folder_hangs,
    .refresh = folder_refresh,
    .ready = folder_ready,
    .worked = folder_worked,
    .stop = folder_stop,
    .done = folder_done,
};
