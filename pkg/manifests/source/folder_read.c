/* SPDX-License-Identifier: Apache-2.0 */
/* One walk over a folder of this node: whoever writes there may be an enemy.
 *
 * All below `path` is opened beneath the opened top folder (HF_FS_BENEATH), and compared with what was seen before, so
 * that nobody can move or replace it in between. Links are followed by hand: in `path` only those that root alone can
 * make, below it only those that end at a regular file below it. Each file is known by where it really is (`real`), and
 * closed folders are compared with that by path and by device and inode.
 *
 * A look collects names and attributes into a list that is sorted by path, and hashes it. A read walks in the same way,
 * opens each file, reads it, and looks once more: with another fingerprint at the end nothing is delivered. What the
 * bounds of a bundle do not allow stops the walk at once, so that no folder costs more than a bundle may. */
#include "manifests/source/folder_read.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "os/owner.h"

enum {
    MAX_NAMES = HF_BUNDLE_MAX_FILES + HF_BUNDLE_MAX_FOLDERS, /* in one folder */
    MAX_LINKS = 40,                                          /* links on the way to one file, as in Linux */
};

struct folder_file {
    char *path;      /* relative to the opened folder */
    const char *key; /* path in the bundle; points into `path` */
    char *real;      /* where `path` leads: a path without links, relative to the opened folder */
    struct stat st;
};

/* One walk over a folder. */
struct folder_look {
    const struct hf_folder_read_params *params;
    const struct hf_fs_ops *fs;
    struct hf_source_failure *failure;
    int top; /* the folder below which everything is, open; -1 before */
    char resolved[HF_WALK_MAX_PATH];
    char top_path[HF_WALK_MAX_PATH]; /* path of `top` on the host, without links; "" for the root */
    struct folder_file *files;
    size_t n_files, cap_files;
    char **folders; /* to visit, relative to the top; the first one is in no bundle; owned */
    size_t n_folders, cap_folders;
    char **names; /* of the folder in progress */
    size_t n_names, cap_names;
    size_t base; /* length of the part of each path that is not in the bundle */
    struct hf_closed *closed;
};

static void look_done(struct folder_look *look)
{
    for (size_t i = 0; i < look->n_files; i++) {
        free(look->files[i].path);
        free(look->files[i].real);
    }
    for (size_t i = 0; i < look->n_folders; i++)
        free(look->folders[i]);
    for (size_t i = 0; i < look->n_names; i++)
        free(look->names[i]);
    free(look->files);
    free(look->folders);
    free(look->names);
    hf_closed_free(look->closed);
    if (look->top >= 0)
        (void)look->fs->close(look->fs->ctx, look->top);
}

/* ---- failures ---------------------------------------------------------------------------------------------------- */

static int no_memory(struct folder_look *look)
{
    return hf_failure_set(look->failure, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, ENOMEM, "out of memory");
}

static int invalid(struct folder_look *look, const char *path, const char *what)
{
    return hf_failure_set(look->failure, HF_MANIFEST_REASON_SOURCE_INVALID, EBADMSG, "'%.160s' %s", path, what);
}

static int changing(struct folder_look *look)
{
    return hf_failure_set(look->failure, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, EAGAIN,
                          "'%.160s' is changing; the node reads it when it has settled", look->params->path);
}

/* Explains an error of a call that concerns `path` below the top folder. */
static int unreadable(struct folder_look *look, int r, const char *path)
{
    (void)hf_err_sys(&look->failure->err, r, "read '%.80s/%.120s'", look->params->path, path);
    return hf_source_blame(look->failure, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, r);
}

/* Says why hf_bundle_make_room() or hf_bundle_seal() has failed. */
static int blame(struct folder_look *look, int r)
{
    return hf_source_blame(look->failure,
                           r == -E2BIG    ? HF_MANIFEST_REASON_SOURCE_TOO_LARGE
                           : r == -ENOMEM ? HF_MANIFEST_REASON_SOURCE_UNREACHABLE
                                          : HF_MANIFEST_REASON_SOURCE_INVALID,
                           r);
}

static int too_many(struct folder_look *look)
{
    return hf_failure_set(look->failure, HF_MANIFEST_REASON_SOURCE_TOO_LARGE, E2BIG,
                          "'%.160s' has more than %d files or folders", look->params->path, HF_BUNDLE_MAX_FILES);
}

/* ---- closed folders ---------------------------------------------------------------------------------------------- */

static int refuse(struct folder_look *look, const char *path, const char *closed)
{
    return hf_failure_set(look->failure, HF_MANIFEST_REASON_NOT_ALLOWED, EACCES,
                          "'%.120s' is never allowed: no entry may read below %.60s", path, closed);
}

/* Checks a real path of the host, and what is there. The caller has checked the folders above it. */
static int check_open(struct folder_look *look, const char *path, const struct stat *st)
{
    const char *closed = hf_closed_by_path(look->closed, path);
    size_t n;

    if (closed == NULL) {
        const struct hf_files_id *ids = hf_closed_ids(look->closed, &n);
        closed = hf_files_walk_find_id(ids, n, st);
    }
    return closed != NULL ? refuse(look, path, closed) : 0;
}

/* Checks something below the top folder, by its path without links. */
static int check_below(struct folder_look *look, const char *path, const struct stat *st)
{
    char whole[HF_WALK_MAX_PATH + HF_BUNDLE_MAX_PATH];

    (void)snprintf(whole, sizeof(whole), "%s/%s", look->top_path, path);
    return check_open(look, whole, st);
}

/* ---- the way to the path ----------------------------------------------------------------------------------------- */

/* Explains why the path itself cannot be reached. */
static int unreachable(struct folder_look *look, int r)
{
    if (r == -ENOENT || r == -ENOTDIR)
        return hf_failure_set(look->failure, HF_MANIFEST_REASON_SOURCE_GONE, ENOENT, "'%.160s' does not exist",
                              look->params->path);
    if (look->failure->err.code == 0)
        (void)hf_err_sys(&look->failure->err, r, "open '%.160s'", look->params->path);
    bool link = r == -ELOOP || r == -EXDEV;
    return hf_source_blame(look->failure,
                           link ? HF_MANIFEST_REASON_SOURCE_INVALID : HF_MANIFEST_REASON_SOURCE_UNREACHABLE, r);
}

/* Checks that links on the host did not lead out of the host's file system, and keeps the path as the host sees it. */
static int keep_resolved(struct folder_look *look, const struct hf_walk *walk, const char *host_root)
{
    size_t n = strlen(host_root);

    if (strncmp(walk->path, host_root, n) != 0 || walk->path[n] != '/')
        return invalid(look, look->params->path, "is reached by an absolute symbolic link, which a pod cannot follow");
    (void)snprintf(look->resolved, sizeof(look->resolved), "%s", walk->path + n);
    return 0;
}

/* Checks the path without links by which the walk has come, component by component. */
static int check_way(struct folder_look *look, const struct hf_walk *walk, const char *host_root)
{
    size_t n = strlen(host_root);
    char path[HF_WALK_MAX_PATH];
    struct stat st;
    int r = 0;

    for (const char *end = walk->path + n; r == 0 && *end != '\0';) {
        end += 1 + strcspn(end + 1, "/");
        (void)snprintf(path, sizeof(path), "%.*s", (int)(end - walk->path), walk->path);
        r = look->fs->fstatat(look->fs->ctx, AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW);
        r = r < 0 ? unreachable(look, r) : check_open(look, path + n, &st);
    }
    return r;
}

/* Opens the folder at the path, or the folder of the file at the path. */
static int open_top(struct folder_look *look, char file[NAME_MAX + 1])
{
    const struct hf_folder_read_params *p = look->params;
    const char *host_root = p->host_root != NULL && strcmp(p->host_root, "/") != 0 ? p->host_root : "";
    char path[HF_WALK_MAX_PATH];
    struct hf_walk walk;
    struct stat st;

    if (snprintf(path, sizeof(path), "%s%s", host_root, p->path) >= (int)sizeof(path))
        return invalid(look, p->path, "is too long");
    int r = hf_walk_to(look->fs, path, &walk, &look->failure->err);
    if (r < 0)
        return unreachable(look, r);
    /* Looks for the closed folders anew each time: they may have been mounted, moved or made since. */
    if (p->closed != NULL &&
        hf_closed_find(look->fs, host_root, p->closed, false, &look->closed, &look->failure->err) < 0)
        r = hf_source_blame(look->failure, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, -look->failure->err.code);
    if (r == 0)
        r = keep_resolved(look, &walk, host_root);
    if (r == 0)
        r = check_way(look, &walk, host_root);
    if (r == 0) {
        r = look->fs->fstatat(look->fs->ctx, walk.folder, walk.name, &st, AT_SYMLINK_NOFOLLOW);
        bool folder = r == 0 && S_ISDIR(st.st_mode);
        if (r == 0)
            r = look->fs->openat(look->fs->ctx, walk.folder, folder ? walk.name : ".",
                                 O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, HF_FS_ANY);
        (void)snprintf(file, NAME_MAX + 1, "%s", folder ? "" : walk.name);
        (void)snprintf(look->top_path, sizeof(look->top_path), "%.*s",
                       (int)(strlen(look->resolved) - (folder ? 0 : strlen(walk.name) + 1)), look->resolved);
        look->top = r;
        r = r < 0 ? unreachable(look, r) : 0;
    }
    hf_walk_done(look->fs, &walk);
    return r;
}

/* ---- entries ----------------------------------------------------------------------------------------------------- */

static int add_folder(struct folder_look *look, const char *path)
{
    int r = hf_array_grow(look->folders, look->n_folders, look->cap_folders, HF_BUNDLE_MAX_FOLDERS + 1);

    if (r < 0)
        return r == -E2BIG ? too_many(look) : no_memory(look);
    look->folders[look->n_folders] = strdup(path);
    return look->folders[look->n_folders] == NULL ? no_memory(look) : (int)(look->n_folders++, 0);
}

static int add_file(struct folder_look *look, const char *path, size_t base, const char *real, const struct stat *st)
{
    int r = hf_array_grow(look->files, look->n_files, look->cap_files, HF_BUNDLE_MAX_FILES);

    if (r < 0)
        return r == -E2BIG ? too_many(look) : no_memory(look);
    char *copy = strdup(path), *real_copy = strdup(real);
    if (copy == NULL || real_copy == NULL) {
        free(copy);
        free(real_copy);
        return no_memory(look);
    }
    look->files[look->n_files++] = (struct folder_file){copy, copy + base, real_copy, *st};
    return 0;
}

/* A way below the top folder: what has been walked, without links, and what is left to walk. */
struct link_way {
    char real[HF_BUNDLE_MAX_PATH];
    char rest[2 * HF_BUNDLE_MAX_PATH];
    unsigned links;
};

/* Takes the first component off the rest. Returns false at the end. */
static bool take_name(struct link_way *way, char name[NAME_MAX + 1])
{
    size_t skip = strspn(way->rest, "/"), n = strcspn(way->rest + skip, "/");

    (void)snprintf(name, NAME_MAX + 1, "%.*s", (int)HF_MIN(n, (size_t)NAME_MAX), way->rest + skip);
    memmove(way->rest, way->rest + skip + n, strlen(way->rest + skip + n) + 1);
    return n > 0;
}

static int go_up(struct link_way *way)
{
    char *slash = strrchr(way->real, '/');

    if (way->real[0] == '\0')
        return -EXDEV;
    *(slash != NULL ? slash : way->real) = '\0';
    return 0;
}

/* Puts the text of the link `path` before the rest. */
static int take_link(struct folder_look *look, struct link_way *way, const char *path)
{
    char text[HF_BUNDLE_MAX_PATH], rest[sizeof(way->rest)];
    ssize_t n = ++way->links > MAX_LINKS ? -ELOOP
                                         : look->fs->readlinkat(look->fs->ctx, look->top, path, text, sizeof(text) - 1);

    if (n < 0)
        return (int)n;
    text[n] = '\0';
    if (n == 0 || text[0] == '/')
        return -EXDEV;
    if ((size_t)n == sizeof(text) - 1 || (size_t)snprintf(rest, sizeof(rest), "%s/%s", text, way->rest) >= sizeof(rest))
        return -ELOOP;
    memcpy(way->rest, rest, strlen(rest) + 1);
    return 0;
}

/* Goes from way->real to `name`. */
static int go_down(struct folder_look *look, struct link_way *way, const char *name, struct stat *ret)
{
    char path[sizeof(way->real)];

    if ((size_t)snprintf(path, sizeof(path), "%s%s%s", way->real, way->real[0] != '\0' ? "/" : "", name) >=
        sizeof(path))
        return -ELOOP;
    int r = look->fs->fstatat(look->fs->ctx, look->top, path, ret, AT_SYMLINK_NOFOLLOW);
    if (r == 0 && S_ISLNK(ret->st_mode))
        return take_link(look, way, path);
    if (r == 0 && !S_ISDIR(ret->st_mode) && way->rest[strspn(way->rest, "/")] != '\0')
        r = -ENOTDIR;
    if (r == 0)
        r = check_below(look, path, ret);
    if (r == 0)
        memcpy(way->real, path, sizeof(path));
    return r;
}

/* Finds where `path` leads, over links that stay below the top folder, and checks all folders on the way. Another user
 * may change a link at any time: only way->real, without following links, is what has been checked. -EXDEV: the path
 * leads out of the top folder. -ELOOP: too many links. */
static int resolve(struct folder_look *look, const char *path, struct link_way *way, struct stat *ret)
{
    char name[NAME_MAX + 1];
    int r = look->fs->fstat(look->fs->ctx, look->top, ret);

    way->real[0] = '\0';
    way->links = 0;
    (void)snprintf(way->rest, sizeof(way->rest), "%s", path);
    while (r == 0 && take_name(way, name)) {
        if (strcmp(name, "..") == 0)
            r = go_up(way);
        else if (strcmp(name, ".") != 0)
            r = go_down(look, way, name, ret);
    }
    return r;
}

/* Finds the file to which a path with links leads. */
static int follow(struct folder_look *look, const char *path, struct link_way *way, struct stat *ret)
{
    int r = resolve(look, path, way, ret);

    if (r < 0 && look->failure->reason != HF_MANIFEST_REASON_NONE)
        return r;
    if (r == -EXDEV)
        return invalid(look, path, "is a symbolic link that leads out of the folder");
    if (r == -ENOENT || r == -ELOOP || r == -ENOTDIR)
        return invalid(look, path, "is a symbolic link to nothing");
    if (r < 0)
        return unreadable(look, r, path);
    return S_ISREG(ret->st_mode) ? 0 : invalid(look, path, "is a symbolic link to something that is not a file");
}

static int check_owner_in(struct folder_look *look, const char *path, int folder, const char *name,
                          const struct stat *st)
{
    struct stat folder_st, now;
    int r = look->fs->fstat(look->fs->ctx, folder, &folder_st);

    if (r == 0)
        r = look->fs->fstatat(look->fs->ctx, folder, name, &now, AT_SYMLINK_NOFOLLOW);
    if (r < 0)
        return r == -ENOENT ? changing(look) : unreadable(look, r, path);
    if (now.st_dev != st->st_dev || now.st_ino != st->st_ino || now.st_mode != st->st_mode)
        return changing(look);
    const char *why = hf_owner_refuses(&folder_st, &now, geteuid());
    if (why == NULL)
        return 0;
    return hf_failure_set(look->failure, HF_MANIFEST_REASON_SOURCE_INVALID, EBADMSG, "'%.120s' is not read: %s", path,
                          why);
}

/* Refuses a file that another user may have linked there. Opens the folder, so that nobody can put a safer one in its
 * place between its check and that of the name in it. */
static int check_owner(struct folder_look *look, const char *path, const char *real, const struct stat *st)
{
    const char *slash = strrchr(real, '/');
    char folder[HF_BUNDLE_MAX_PATH] = ".";

    if ((st->st_mode & S_IROTH) != 0) /* most files: no secret */
        return 0;
    if (slash != NULL)
        (void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - real), real);
    int fd =
        look->fs->openat(look->fs->ctx, look->top, folder, O_PATH | O_DIRECTORY, 0, HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
    if (fd < 0)
        return fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP ? changing(look) : unreadable(look, fd, path);
    int r = check_owner_in(look, path, fd, slash != NULL ? slash + 1 : real, st);
    (void)look->fs->close(look->fs->ctx, fd);
    return r;
}

/* Takes `path`, whose folders have been checked. `real` is the same path without links, except for the last one. */
static int take_entry(struct folder_look *look, const char *path, size_t base, const char *real)
{
    struct link_way way;
    struct stat st;
    int r = look->fs->fstatat(look->fs->ctx, look->top, real, &st, AT_SYMLINK_NOFOLLOW);

    if (r < 0)
        return r == -ENOENT || r == -ENOTDIR ? changing(look) : unreadable(look, r, path);
    if (S_ISLNK(st.st_mode)) {
        r = follow(look, path, &way, &st);
        real = way.real;
    } else {
        r = check_below(look, real, &st);
    }
    if (r < 0)
        return r;
    if (S_ISDIR(st.st_mode))
        return add_folder(look, path);
    if (!S_ISREG(st.st_mode))
        return invalid(look, path, "is a device, a pipe or a socket");
    r = check_owner(look, path, real, &st);
    return r < 0 ? r : add_file(look, path, base, real, &st);
}

static int keep_name(void *arg, const char *name, unsigned char type)
{
    struct folder_look *look = arg;

    (void)type;
    if (strncmp(name, "..", 2) == 0 || strcmp(name, ".git") == 0)
        return 0;
    int r = hf_array_grow(look->names, look->n_names, look->cap_names, MAX_NAMES);
    if (r < 0)
        return r == -E2BIG ? too_many(look) : no_memory(look);
    look->names[look->n_names] = strdup(name);
    return look->names[look->n_names] == NULL ? no_memory(look) : (int)(look->n_names++, 0);
}

static int visit_folder(struct folder_look *look, const char *folder)
{
    char path[HF_BUNDLE_MAX_PATH];
    int r = 0, fd = look->fs->openat(look->fs->ctx, look->top, folder[0] != '\0' ? folder : ".", O_RDONLY | O_DIRECTORY,
                                     0, HF_FS_BENEATH | HF_FS_NO_SYMLINKS);

    if (fd < 0)
        return fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP ? changing(look) : unreadable(look, fd, folder);
    r = look->fs->list(look->fs->ctx, fd, keep_name, look);
    (void)look->fs->close(look->fs->ctx, fd);
    if (r < 0 && look->failure->reason == HF_MANIFEST_REASON_NONE)
        r = unreadable(look, r, folder);
    for (size_t i = 0; i < look->n_names; i++) {
        int n = snprintf(path, sizeof(path), "%s%s%s", folder, folder[0] != '\0' ? "/" : "", look->names[i]);
        if (r == 0 && n >= (int)sizeof(path))
            r = invalid(look, folder, "has a path that is too long");
        if (r == 0 && (r = hf_bundle_check_path(path, &look->failure->err)) < 0)
            r = hf_source_blame(look->failure, HF_MANIFEST_REASON_SOURCE_INVALID, r);
        if (r == 0)
            r = take_entry(look, path, look->base, path);
        free(look->names[i]);
    }
    look->n_names = 0;
    return r;
}

/* Finds out what the sub path is. Sets look->base for a folder; adds the file for a file. */
static int begin(struct folder_look *look, const char *start)
{
    const char *slash = strrchr(start, '/');
    struct stat st, led;
    struct link_way way;

    if (start[0] == '\0')
        return add_folder(look, "");
    int fd = look->fs->openat(look->fs->ctx, look->top, start, O_PATH | O_NOFOLLOW, 0, HF_FS_BENEATH);
    if (fd == -ENOENT || fd == -ENOTDIR)
        return hf_failure_set(look->failure, HF_MANIFEST_REASON_SOURCE_EMPTY, ENODATA,
                              "'%.120s' has no subPath '%.100s'; what is in place stays", look->params->path, start);
    if (fd == -EXDEV || fd == -ELOOP)
        return invalid(look, start, "leads out of the folder by a symbolic link");
    int r = fd < 0 ? fd : look->fs->fstat(look->fs->ctx, fd, &st);
    if (fd >= 0)
        (void)look->fs->close(look->fs->ctx, fd);
    if (r < 0)
        return unreadable(look, r, start);
    r = resolve(look, start, &way, &led);
    if (r < 0 && look->failure->reason != HF_MANIFEST_REASON_NONE)
        return r;
    if (r < 0 && !S_ISLNK(st.st_mode))
        return changing(look);
    if (S_ISDIR(st.st_mode)) { /* over links that stay below the top folder, perhaps */
        look->base = way.real[0] != '\0' ? strlen(way.real) + 1 : 0;
        return add_folder(look, way.real);
    }
    return take_entry(look, start, slash != NULL ? (size_t)(slash + 1 - start) : 0, r == 0 ? way.real : start);
}

static int look_at(struct folder_look *look, const struct hf_folder_read_params *params,
                   struct hf_source_failure *failure)
{
    char file[NAME_MAX + 1];
    const char *sub_path = params->sub_path != NULL ? params->sub_path : "";

    *failure = (struct hf_source_failure){.reason = HF_MANIFEST_REASON_NONE};
    *look = (struct folder_look){.params = params, .fs = params->fs, .failure = failure, .top = -1};
    int r = open_top(look, file);
    if (r == 0 && file[0] != '\0' && sub_path[0] != '\0')
        return invalid(look, params->path, "is a file, and has no subPath");
    if (r == 0)
        r = begin(look, file[0] != '\0' ? file : sub_path);
    for (size_t i = 0; r == 0 && i < look->n_folders; i++)
        r = visit_folder(look, look->folders[i]);
    if (r == 0 && look->n_files > 0)
        qsort(look->files, look->n_files, sizeof(look->files[0]), hf_array_by_string);
    if (r == 0 && look->n_files == 0)
        r = hf_failure_set(failure, HF_MANIFEST_REASON_SOURCE_EMPTY, ENODATA,
                           "'%.160s' has no files; what is in place stays", params->path);
    return r;
}

static void fingerprint_of(const struct folder_look *look, char fingerprint[HF_SHA256_HEX])
{
    struct hf_sha256 hash;

    hf_sha256_init(&hash);
    for (size_t i = 0; i < look->n_files; i++) {
        const struct stat *st = &look->files[i].st;
        char text[200];
        int n =
            snprintf(text, sizeof(text), "%ju %ju %o %jd %jd.%ld %jd.%ld ", (uintmax_t)st->st_dev,
                     (uintmax_t)st->st_ino, (unsigned)st->st_mode, (intmax_t)st->st_size, (intmax_t)st->st_mtim.tv_sec,
                     st->st_mtim.tv_nsec, (intmax_t)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
        hf_sha256_update(&hash, text, (size_t)n);
        hf_sha256_update(&hash, look->files[i].path, strlen(look->files[i].path) + 1);
    }
    (void)hf_sha256_final_hex(&hash, fingerprint);
}

int hf_folder_read_look(const struct hf_folder_read_params *params, char fingerprint[HF_SHA256_HEX],
                        char resolved[HF_WALK_MAX_PATH], struct hf_source_failure *failure)
{
    _cleanup_(look_done) struct folder_look look;
    int r = look_at(&look, params, failure);

    memcpy(resolved, look.resolved, sizeof(look.resolved));
    if (r == 0)
        fingerprint_of(&look, fingerprint);
    return r;
}

/* ---- contents ---------------------------------------------------------------------------------------------------- */

static int read_file(struct folder_look *look, const struct folder_file *found, int fd, struct hf_bundle *bundle)
{
    char *to = NULL;
    struct stat st;
    int r = look->fs->fstat(look->fs->ctx, fd, &st);

    if (r < 0)
        return unreadable(look, r, found->path);
    if (!S_ISREG(st.st_mode) || st.st_dev != found->st.st_dev || st.st_ino != found->st.st_ino ||
        st.st_size != found->st.st_size)
        return changing(look);
    r = hf_bundle_make_room(bundle, found->key, st.st_mode, (size_t)st.st_size, &to, &look->failure->err);
    if (r < 0)
        return blame(look, r);
    for (size_t done = 0; done < (size_t)st.st_size;) {
        ssize_t n = look->fs->pread(look->fs->ctx, fd, to + done, (size_t)st.st_size - done, done);
        if (n <= 0)
            return n < 0 ? unreadable(look, (int)n, found->path) : changing(look);
        done += (size_t)n;
    }
    return 0;
}

static int read_files(struct folder_look *look, struct hf_bundle *bundle)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < look->n_files; i++) {
        int fd = look->fs->openat(look->fs->ctx, look->top, look->files[i].real, O_RDONLY | O_NONBLOCK, 0,
                                  HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
        if (fd < 0)
            return fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP ? changing(look)
                                                                   : unreadable(look, fd, look->files[i].path);
        r = read_file(look, &look->files[i], fd, bundle);
        (void)look->fs->close(look->fs->ctx, fd);
    }
    return r;
}

int hf_folder_read_all(const struct hf_folder_read_params *params, const char *fingerprint,
                       struct hf_bundle **ret_bundle, struct hf_source_failure *failure)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = hf_bundle_new();
    char now[HF_SHA256_HEX], resolved[HF_WALK_MAX_PATH];
    _cleanup_(look_done) struct folder_look look;
    int r = look_at(&look, params, failure);

    if (r < 0)
        return r;
    if (bundle == NULL)
        return no_memory(&look);
    fingerprint_of(&look, now);
    if (strcmp(now, fingerprint) != 0)
        return changing(&look);
    r = read_files(&look, bundle);
    if (r == 0 && (r = hf_folder_read_look(params, now, resolved, failure)) == 0 && strcmp(now, fingerprint) != 0)
        r = changing(&look);
    if (r == 0 && (r = hf_bundle_seal(bundle, &failure->err)) < 0)
        r = blame(&look, r);
    if (r == 0)
        *ret_bundle = hf_steal(bundle);
    return r;
}
