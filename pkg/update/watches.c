/* SPDX-License-Identifier: Apache-2.0 */
/* Watches the folders of what is installed: a change leads to a look for drift at once. So do new watches, for nothing
 * fires for a change between the look that found the folders and the watches. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "loop/watch.h"
#include "update/release.h"

enum { MAX_WATCHES = 256, MAX_DEPTH = 32 }; /* of one release; the folders beyond show at the next look */
static const uint64_t debounce_ns = 20 * HF_NS_PER_MS;

/* ---- the folders, found on a worker ------------------------------------------------------------------------------ */

struct watched_walk {
    const struct hf_fs_ops *fs;
    struct hf_buf *folders; /* paths, each with its terminator */
    char path[PATH_MAX];
    int dirfd;
    unsigned depth, *n;
};

static int add(struct watched_walk *walk)
{
    if (*walk->n == MAX_WATCHES)
        return -E2BIG;
    ++*walk->n;
    return hf_buf_add(walk->folders, walk->path, strlen(walk->path) + 1);
}

static int visit(void *arg, const char *name, unsigned char type)
{
    const struct watched_walk *above = arg;
    struct watched_walk walk = *above;
    struct stat st;

    (void)type;
    if (above->fs->fstatat(above->fs->ctx, above->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
        return 0;
    if (++walk.depth > MAX_DEPTH ||
        (size_t)snprintf(walk.path, sizeof(walk.path), "%s/%s", above->path, name) >= sizeof(walk.path))
        return 0;
    walk.dirfd = walk.fs->openat(walk.fs->ctx, above->dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
                                 HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
    if (walk.dirfd < 0)
        return 0;
    int r = add(&walk);
    if (r == 0)
        r = walk.fs->list(walk.fs->ctx, walk.dirfd, visit, &walk);
    (void)walk.fs->close(walk.fs->ctx, walk.dirfd);
    return r;
}

static void add_tree(const struct watched_walk *outer, const char *name)
{
    struct watched_walk walk = *outer;

    if ((size_t)snprintf(walk.path, sizeof(walk.path), "%s/%s", outer->path, name) >= sizeof(walk.path))
        return;
    /* Through the link, which the look has just compared. */
    walk.dirfd =
        walk.fs->openat(walk.fs->ctx, outer->dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_BENEATH);
    if (walk.dirfd < 0)
        return;
    if (add(&walk) == 0)
        (void)walk.fs->list(walk.fs->ctx, walk.dirfd, visit, &walk);
    (void)walk.fs->close(walk.fs->ctx, walk.dirfd);
}

void watches_find(struct step_job *step)
{
    const struct hf_target *target = &step->keep.target;
    struct hf_target_dir dir;
    struct hf_failure ignored;
    unsigned n = 0;
    struct watched_walk walk = {.fs = target->fs, .folders = &step->folders, .n = &n};
    const char *end = strrchr(target->path, '/');

    hf_buf_clear(&step->folders);
    if (step->release->engine->p.watch == NULL || end == NULL || hf_target_open(target, &dir, NULL, &ignored) < 0)
        return;
    (void)snprintf(walk.path, sizeof(walk.path), "%s%.*s", target->host_root != NULL ? target->host_root : "",
                   (int)(end - target->path), target->path);
    walk.dirfd = dir.dirfd;
    if (add(&walk) == 0 && step->keep.kind != HF_INSTALL_FILE)
        add_tree(&walk, dir.name);
    hf_target_dir_done(&dir);
}

/* ---- the watches ------------------------------------------------------------------------------------------------- */

static void fired(void *arg)
{
    struct release *release = arg;
    struct release_drift *drift = &release->drift;

    drift->look_wanted = drift->fired = true;
    drift->look_due_ns = HF_MAX(drift->look_due_ns, hf_mono_ns(release->engine->p.world.clock) + debounce_ns);
    hf_steer_core_wake(&release->engine->core);
}

void watches_drop(struct release *release)
{
    struct release_watches *watches = &release->watches;
    const struct hf_watch_ops *ops = release->engine->p.watch;

    for (size_t i = 0; i < watches->n; i++)
        ops->remove(ops->ctx, watches->watches[i]);
    free(hf_steal(watches->watches));
    watches->n = 0;
    hf_buf_done(&watches->folders);
}

static bool same(const struct hf_buf *a, const struct hf_buf *b)
{
    return a->n == b->n && (a->n == 0 || memcmp(a->p, b->p, a->n) == 0);
}

/* The kernel's limit of watches is no error: then changes show at the next look. */
static void add_all(struct release *release)
{
    struct release_watches *watches = &release->watches;
    const struct hf_watch_ops *ops = release->engine->p.watch;
    const char *p = watches->folders.p, *end = p + watches->folders.n;
    struct hf_err err = HF_ERR_INIT;

    for (; p < end; p += strlen(p) + 1) {
        int r = ops->add(ops->ctx, p, fired, release, &watches->watches[watches->n], &err);
        if (r == 0)
            watches->n++;
        else if (r != -ENOENT)
            hf_log_err(release->engine->p.world.log, HF_LOG_INFO, "update.unwatched", "release", release->j.name, &err);
    }
}

void watches_set(struct release *release, struct step_job *step, bool anew)
{
    struct release_watches *watches = &release->watches;

    if (release->engine->p.watch == NULL || step->folders.n == 0 || (!anew && same(&watches->folders, &step->folders)))
        return;
    watches_drop(release);
    watches->folders = step->folders;
    step->folders = (struct hf_buf){.max = step->folders.max};
    watches->watches = calloc(MAX_WATCHES, sizeof(*watches->watches));
    if (watches->watches == NULL) {
        hf_buf_done(&watches->folders);
        return;
    }
    add_all(release);
    fired(release);
}
