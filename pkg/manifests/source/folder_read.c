#include "manifests/source/folder_read.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/encoding/hex.h"

enum { MAX_NAMES = HF_BUNDLE_MAX_FILES + HF_BUNDLE_MAX_FOLDERS }; /* in one folder */

struct folder_file {
    char *path;      /* relative to the opened folder */
    const char *key; /* path in the bundle; points into `path` */
    struct stat st;
};

/* One walk over a folder. */
struct folder_look {
    const struct hf_folder_read_params *params;
    const struct hf_fs_ops *fs;
    struct hf_source_failure *failure;
    int top; /* the folder below which everything is, open; -1 before */
    char resolved[HF_WALK_MAX_PATH];
    struct folder_file *files;
    size_t n_files, cap_files;
    char **folders; /* to visit, relative to the top; the first one is in no bundle; owned */
    size_t n_folders, cap_folders;
    char **names; /* of the folder in progress */
    size_t n_names, cap_names;
    size_t base; /* length of the part of each path that is not in the bundle */
};

static void look_done(struct folder_look *look)
{
    for (size_t i = 0; i < look->n_files; i++)
        free(look->files[i].path);
    for (size_t i = 0; i < look->n_folders; i++)
        free(look->folders[i]);
    for (size_t i = 0; i < look->n_names; i++)
        free(look->names[i]);
    free(look->files);
    free(look->folders);
    free(look->names);
    if (look->top >= 0)
        (void)look->fs->close(look->fs->ctx, look->top);
}

/* ---- failures ---------------------------------------------------------------------------------------------------- */

static int no_memory(struct folder_look *look)
{
    return hf_source_fail(look->failure, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, ENOMEM, "out of memory");
}

static int invalid(struct folder_look *look, const char *path, const char *what)
{
    return hf_source_fail(look->failure, HF_MANIFEST_REASON_SOURCE_INVALID, EBADMSG, "'%.160s' %s", path, what);
}

static int changing(struct folder_look *look)
{
    return hf_source_fail(look->failure, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, EAGAIN,
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
    return hf_source_fail(look->failure, HF_MANIFEST_REASON_SOURCE_TOO_LARGE, E2BIG,
                          "'%.160s' has more than %d files or folders", look->params->path, HF_BUNDLE_MAX_FILES);
}

/* ---- the way to the path ----------------------------------------------------------------------------------------- */

/* Explains why the path itself cannot be reached. */
static int unreachable(struct folder_look *look, int r)
{
    if (r == -ENOENT || r == -ENOTDIR)
        return hf_source_fail(look->failure, HF_MANIFEST_REASON_SOURCE_GONE, ENOENT, "'%.160s' does not exist",
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
    r = keep_resolved(look, &walk, host_root);
    if (r == 0) {
        r = look->fs->fstatat(look->fs->ctx, walk.folder, walk.name, &st, AT_SYMLINK_NOFOLLOW);
        bool folder = r == 0 && S_ISDIR(st.st_mode);
        if (r == 0)
            r = look->fs->openat(look->fs->ctx, walk.folder, folder ? walk.name : ".",
                                 O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, HF_FS_ANY);
        (void)snprintf(file, NAME_MAX + 1, "%s", folder ? "" : walk.name);
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

static int add_file(struct folder_look *look, const char *path, size_t base, const struct stat *st)
{
    int r = hf_array_grow(look->files, look->n_files, look->cap_files, HF_BUNDLE_MAX_FILES);

    if (r < 0)
        return r == -E2BIG ? too_many(look) : no_memory(look);
    char *copy = strdup(path);
    if (copy == NULL)
        return no_memory(look);
    look->files[look->n_files++] = (struct folder_file){copy, copy + base, *st};
    return 0;
}

/* Finds the file to which a link below the top folder leads. */
static int follow(struct folder_look *look, const char *path, struct stat *ret)
{
    int fd = look->fs->openat(look->fs->ctx, look->top, path, O_PATH, 0, HF_FS_BENEATH);

    if (fd == -EXDEV)
        return invalid(look, path, "is a symbolic link that leads out of the folder");
    if (fd == -ENOENT || fd == -ELOOP || fd == -ENOTDIR)
        return invalid(look, path, "is a symbolic link to nothing");
    if (fd < 0)
        return unreadable(look, fd, path);
    int r = look->fs->fstat(look->fs->ctx, fd, ret);
    (void)look->fs->close(look->fs->ctx, fd);
    if (r < 0)
        return unreadable(look, r, path);
    return S_ISREG(ret->st_mode) ? 0 : invalid(look, path, "is a symbolic link to something that is not a file");
}

static int take_entry(struct folder_look *look, const char *path, size_t base)
{
    struct stat st;
    int r = look->fs->fstatat(look->fs->ctx, look->top, path, &st, AT_SYMLINK_NOFOLLOW);

    if (r < 0)
        return r == -ENOENT || r == -ENOTDIR ? changing(look) : unreadable(look, r, path);
    if (S_ISDIR(st.st_mode))
        return add_folder(look, path);
    if (S_ISLNK(st.st_mode) && (r = follow(look, path, &st)) < 0)
        return r;
    if (!S_ISREG(st.st_mode))
        return invalid(look, path, "is a device, a pipe or a socket");
    return add_file(look, path, base, &st);
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
            r = take_entry(look, path, look->base);
        free(look->names[i]);
    }
    look->n_names = 0;
    return r;
}

/* Finds out what the sub path is. Sets look->base for a folder; adds the file for a file. */
static int begin(struct folder_look *look, const char *start)
{
    const char *slash = strrchr(start, '/');
    struct stat st;

    if (start[0] == '\0')
        return add_folder(look, "");
    int fd = look->fs->openat(look->fs->ctx, look->top, start, O_PATH | O_NOFOLLOW, 0, HF_FS_BENEATH);
    if (fd == -ENOENT || fd == -ENOTDIR)
        return hf_source_fail(look->failure, HF_MANIFEST_REASON_SOURCE_EMPTY, ENODATA,
                              "'%.120s' has no subPath '%.100s'; what is in place stays", look->params->path, start);
    if (fd == -EXDEV || fd == -ELOOP)
        return invalid(look, start, "leads out of the folder by a symbolic link");
    int r = fd < 0 ? fd : look->fs->fstat(look->fs->ctx, fd, &st);
    if (fd >= 0)
        (void)look->fs->close(look->fs->ctx, fd);
    if (r < 0)
        return unreadable(look, r, start);
    if (S_ISDIR(st.st_mode)) {
        look->base = strlen(start) + 1;
        return add_folder(look, start);
    }
    return take_entry(look, start, slash != NULL ? (size_t)(slash + 1 - start) : 0);
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct folder_file *)a)->path, ((const struct folder_file *)b)->path);
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
        qsort(look->files, look->n_files, sizeof(look->files[0]), compare);
    if (r == 0 && look->n_files == 0)
        r = hf_source_fail(failure, HF_MANIFEST_REASON_SOURCE_EMPTY, ENODATA,
                           "'%.160s' has no files; what is in place stays", params->path);
    return r;
}

static void fingerprint_of(const struct folder_look *look, char fingerprint[HF_SHA256_HEX])
{
    unsigned char digest[HF_SHA256_BYTES];
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
    hf_sha256_final(&hash, digest);
    (void)hf_hex_encode(digest, sizeof(digest), fingerprint);
}

int hf_folder_read_look(const struct hf_folder_read_params *params, char fingerprint[HF_SHA256_HEX],
                        char resolved[HF_WALK_MAX_PATH], struct hf_source_failure *failure)
{
    _cleanup_(look_done) struct folder_look look;
    int r = look_at(&look, params, failure);

    if (r == 0) {
        fingerprint_of(&look, fingerprint);
        memcpy(resolved, look.resolved, sizeof(look.resolved));
    }
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
    if (!S_ISREG(st.st_mode) || st.st_ino != found->st.st_ino || st.st_size != found->st.st_size)
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
        int fd =
            look->fs->openat(look->fs->ctx, look->top, look->files[i].path, O_RDONLY | O_NONBLOCK, 0, HF_FS_BENEATH);
        if (fd < 0)
            return fd == -ENOENT ? changing(look) : unreadable(look, fd, look->files[i].path);
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
