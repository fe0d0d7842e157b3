/* SPDX-License-Identifier: Apache-2.0 */
/* A pass works on each critically full file system until its use is more than HF_DISK_HYSTERESIS_PERCENT points
 * below warn_percent, or until a limit is reached. It keeps the downloads of a release with a long name: the names
 * of these files have only a hash of the release's name, so the pass cannot look for the record. A file X.damaged of
 * the state folder is removed only if X exists beside it, because until then the name is the evidence that there was
 * an X. Telemetry in a spool stays, because the spool has its own limit, and so does what a rollback or a repair
 * needs (.old, .tree, records, manifests, journals). */
#include "agent/resources/reclaim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/strmap.h"
#include "node/disk.h"

#define HF_RECLAIM_AGE_NS (24 * 3600 * HF_NS_PER_S)

#define DAMAGED ".damaged"

enum { MAX_DEPTH = 6, SEGMENT_NAME = 20, SHA256_NAME = 64, MAX_DEVICES = 16 };

struct pass {
    const struct hf_reclaim_params *params;
    struct hf_reclaim *found;
    enum hf_reclaim_kind kind;
    bool (*is_ours)(const struct pass *pass, const char *name);
    bool replaced;  /* removes X.damaged only if X exists beside it */
    bool keep_last; /* the last file of each folder, in byte order, stays */
    bool enough;    /* the file system is below the warning level, or the pass has done its share */
    unsigned visited, depth;
    dev_t critical[MAX_DEVICES]; /* file systems that were critical when the pass began */
    size_t n_critical;
    char path[PATH_MAX]; /* folder at which the pass is */
};

const char *hf_reclaim_kind_name(enum hf_reclaim_kind kind)
{
    static const char *const names[HF_RECLAIM_KINDS] = {[HF_RECLAIM_DOWNLOAD] = "downloads",
                                                        [HF_RECLAIM_SET_ASIDE] = "set-aside",
                                                        [HF_RECLAIM_DEAD_LETTER] = "dead-letters"};

    return names[kind];
}

void hf_reclaim_done(struct hf_reclaim *reclaim)
{
    for (size_t i = 0; i < reclaim->n; i++)
        free(reclaim->removed[i].path);
    reclaim->n = 0;
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n > m && strcmp(text + n - m, end) == 0;
}

static bool is_damaged(HF_UNUSED const struct pass *pass, const char *name)
{
    return ends_with(name, DAMAGED);
}

/* Returns true if a newer file has taken the place of the damaged one. */
static bool is_replaced(const struct pass *pass, int fd, const char *damaged)
{
    const struct hf_fs_ops *fs = pass->params->fs;
    char name[NAME_MAX + 1];
    struct stat st;

    (void)snprintf(name, sizeof(name), "%.*s", (int)(strlen(damaged) - strlen(DAMAGED)), damaged);
    return fs->fstatat(fs->ctx, fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

static bool is_any(HF_UNUSED const struct pass *pass, HF_UNUSED const char *name)
{
    return true;
}

static bool is_segment(HF_UNUSED const struct pass *pass, const char *name)
{
    return strlen(name) == SEGMENT_NAME && strspn(name, "0123456789abcdef") == SEGMENT_NAME - 4 &&
           strcmp(name + SEGMENT_NAME - 4, ".seg") == 0;
}

/* A file of an update to a release of which the state folder has no record, so that nothing will resume it. */
static bool is_orphan(const struct pass *pass, const char *name)
{
    static const char *const ends[] = {".part", ".step", ".point", ".new", ".scratch"};
    static const char start[] = ".holdfast-";
    const struct hf_fs_ops *fs = pass->params->fs;
    char record[PATH_MAX];
    struct stat st;

    if (strncmp(name, start, strlen(start)) != 0)
        return false;
    for (size_t i = 0; i < HF_LEN(ends); i++) {
        size_t n = strlen(name) - strlen(start);
        if (!ends_with(name + strlen(start), ends[i]))
            continue;
        n -= strlen(ends[i]);
        if (n == SHA256_NAME && strspn(name + strlen(start), "0123456789abcdef") >= n)
            return false; /* the hash of a long name: nothing shows the release */
        return snprintf(record, sizeof(record), "%s/updates/%.*s", pass->params->state_dir, (int)n,
                        name + strlen(start)) < (int)sizeof(record) &&
               fs->fstatat(fs->ctx, AT_FDCWD, record, &st, AT_SYMLINK_NOFOLLOW) == -ENOENT;
    }
    return false;
}

/* ---- one folder -------------------------------------------------------------------------------------------------- */

static unsigned use_of(const struct hf_fs_ops *fs, int fd)
{
    struct statvfs st;

    if (fs->fstatvfs(fs->ctx, fd, &st) < 0 || (st.f_flag & ST_RDONLY) != 0)
        return 0;
    return hf_disk_used_percent(&st);
}

/* Stops the pass when there is room, or when it has done its share. */
static void look_at_room(struct pass *pass, int fd)
{
    pass->enough = pass->enough || pass->found->n == HF_RECLAIM_MAX_REMOVED ||
                   pass->visited >= HF_RECLAIM_MAX_VISITED ||
                   use_of(pass->params->fs, fd) + HF_DISK_HYSTERESIS_PERCENT < pass->params->warn_percent;
}

static void remove_file(struct pass *pass, int fd, const char *name)
{
    const struct hf_fs_ops *fs = pass->params->fs;
    char full[PATH_MAX];
    struct stat st;

    if (fs->fstatat(fs->ctx, fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
        return;
    uint64_t changed_ns = st.st_mtim.tv_sec > 0 ? (uint64_t)st.st_mtim.tv_sec * HF_NS_PER_S : 0;
    if (changed_ns > pass->params->now_unix_ns || pass->params->now_unix_ns - changed_ns < HF_RECLAIM_AGE_NS)
        return;
    if (pass->replaced && !is_replaced(pass, fd, name))
        return;
    char *path = snprintf(full, sizeof(full), "%s/%s", pass->path, name) < (int)sizeof(full) ? strdup(full) : NULL;
    if (path == NULL || fs->unlinkat(fs->ctx, fd, name, 0) < 0) {
        free(path);
        return;
    }
    pass->found->removed[pass->found->n++] = (struct hf_reclaimed){pass->kind, (uint64_t)st.st_blocks * 512, path};
    look_at_room(pass, fd);
}

struct swept {
    struct pass *pass;
    struct hf_strmap files, folders;
};

static int take_name(void *arg, const char *name, unsigned char type)
{
    struct swept *swept = arg;
    int r = 0;

    (void)type; /* some file systems do not know it */
    if (++swept->pass->visited > HF_RECLAIM_MAX_VISITED)
        return -ECANCELED;
    if (swept->pass->is_ours(swept->pass, name))
        r = hf_strmap_put(&swept->files, name, NULL);
    else if (name[0] != '.')
        r = hf_strmap_put(&swept->folders, name, NULL);
    return r < 0 ? r : 0;
}

static void remove_files(struct pass *pass, int fd, const struct hf_strmap *files)
{
    size_t n = files->n - (pass->keep_last && files->n > 0);

    for (size_t i = 0; i < n && !pass->enough; i++)
        remove_file(pass, fd, files->entries[i].key);
}

static void go_into(struct pass *pass, int dirfd, const char *name, const char *pattern);

/* `pattern` is the path that is left: "" for this folder, "*" for any name, "**" for everything below. */
static void sweep(struct pass *pass, int fd, const char *pattern) /* NOLINT(misc-no-recursion): bounded depth */
{
    const struct hf_fs_ops *fs = pass->params->fs;
    struct swept swept = {.pass = pass, .files = {0}, .folders = {0}};
    bool deep = strcmp(pattern, "**") == 0, any = strncmp(pattern, "*", 1) == 0;
    const char *rest = strchr(pattern, '/');
    char name[NAME_MAX + 1];

    look_at_room(pass, fd);
    if (pass->enough)
        return;
    if (pattern[0] != '\0' && !any) {
        size_t n = rest != NULL ? (size_t)(rest - pattern) : strlen(pattern);
        (void)snprintf(name, sizeof(name), "%.*s", (int)n, pattern);
        go_into(pass, fd, name, rest != NULL ? rest + 1 : "");
        return;
    }
    (void)fs->list(fs->ctx, fd, take_name, &swept);
    if (pattern[0] == '\0' || deep)
        remove_files(pass, fd, &swept.files);
    for (size_t i = 0; any && i < swept.folders.n && !pass->enough; i++)
        go_into(pass, fd, swept.folders.entries[i].key, deep ? pattern : rest != NULL ? rest + 1 : "");
    hf_strmap_done(&swept.files);
    hf_strmap_done(&swept.folders);
}

/* Follows no link, and stays on the file system. */
static void go_into(struct pass *pass, int dirfd, const char *name, const char *pattern) /* NOLINT(misc-no-recursion) */
{
    const struct hf_fs_ops *fs = pass->params->fs;
    struct stat above, st;
    size_t at = strlen(pass->path);

    if (pass->depth == MAX_DEPTH || at + strlen(name) + 2 > sizeof(pass->path) || fs->fstat(fs->ctx, dirfd, &above) < 0)
        return;
    int fd = fs->openat(fs->ctx, dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0, HF_FS_ANY);
    if (fd < 0)
        return;
    (void)snprintf(pass->path + at, sizeof(pass->path) - at, "/%s", name);
    pass->depth++;
    if (fs->fstat(fs->ctx, fd, &st) == 0 && st.st_dev == above.st_dev)
        sweep(pass, fd, pattern);
    pass->depth--;
    pass->path[at] = '\0';
    (void)fs->close(fs->ctx, fd);
}

/* ---- the pass ---------------------------------------------------------------------------------------------------- */

static int open_base(const struct pass *pass, const char *base)
{
    const struct hf_fs_ops *fs = pass->params->fs;

    return fs->openat(fs->ctx, AT_FDCWD, base, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);
}

static void note_if_critical(struct pass *pass, const char *base)
{
    const struct hf_fs_ops *fs = pass->params->fs;
    int fd = base != NULL ? open_base(pass, base) : -ENOENT;
    struct stat st;

    if (fd < 0)
        return;
    if (pass->n_critical < MAX_DEVICES && use_of(fs, fd) >= pass->params->critical_percent &&
        fs->fstat(fs->ctx, fd, &st) == 0)
        pass->critical[pass->n_critical++] = st.st_dev;
    (void)fs->close(fs->ctx, fd);
}

static bool was_critical(const struct pass *pass, int fd)
{
    const struct hf_fs_ops *fs = pass->params->fs;
    struct stat st;

    if (fs->fstat(fs->ctx, fd, &st) < 0)
        return false;
    for (size_t i = 0; i < pass->n_critical; i++)
        if (pass->critical[i] == st.st_dev)
            return true;
    return false;
}

/* Works below `base` only if its file system was critical when the pass began. */
static void run(struct pass *pass, const char *base, const char *pattern)
{
    int fd = base != NULL ? open_base(pass, base) : -ENOENT;

    if (fd < 0)
        return;
    (void)snprintf(pass->path, sizeof(pass->path), "%s", base);
    pass->enough = false;
    if (was_critical(pass, fd))
        sweep(pass, fd, pattern);
    (void)pass->params->fs->close(pass->params->fs->ctx, fd);
}

/* Calls `work` for each update root. */
static void each_root(struct pass *pass, void (*work)(struct pass *pass, const char *root))
{
    const struct hf_reclaim_params *params = pass->params;
    char root[PATH_MAX];

    for (size_t i = 0; params->roots != NULL && params->roots[i] != NULL; i++)
        if (snprintf(root, sizeof(root), "%s%s", params->host_root, params->roots[i]) < (int)sizeof(root))
            work(pass, root);
}

static void sweep_root(struct pass *pass, const char *root)
{
    run(pass, root, "**");
}

void hf_reclaim_run(const struct hf_reclaim_params *params, struct hf_reclaim *ret_reclaim)
{
    static const char *const damaged_state[] = {"", "updates/*", "manifests/*"};
    static const char *const damaged_storage[] = {"*/urgent", "*/bulk", "*/dead"};
    _cleanup_(hf_freep) struct pass *pass = calloc(1, sizeof(*pass));

    ret_reclaim->n = 0;
    if (pass == NULL)
        return;
    pass->params = params;
    pass->found = ret_reclaim;
    note_if_critical(pass, params->state_dir);
    note_if_critical(pass, params->storage_dir);
    each_root(pass, note_if_critical);
    if (pass->n_critical == 0)
        return;
    pass->kind = HF_RECLAIM_DOWNLOAD;
    pass->is_ours = is_orphan;
    each_root(pass, sweep_root);
    pass->kind = HF_RECLAIM_SET_ASIDE;
    pass->is_ours = is_damaged;
    /* Until something replaces a file of the state, the name of the damaged one is the evidence that there was one
     * (hf_sealed_file_explain_absence()). A segment of telemetry is never replaced, and its name proves nothing. */
    pass->replaced = true;
    for (size_t i = 0; i < HF_LEN(damaged_state); i++)
        run(pass, params->state_dir, damaged_state[i]);
    pass->replaced = false;
    for (size_t i = 0; i < HF_LEN(damaged_storage); i++)
        run(pass, params->storage_dir, damaged_storage[i]);
    pass->is_ours = is_any;
    run(pass, params->state_dir, "cache/damaged");
    pass->kind = HF_RECLAIM_DEAD_LETTER;
    pass->is_ours = is_segment;
    pass->keep_last = true;
    run(pass, params->storage_dir, "*/dead");
}
