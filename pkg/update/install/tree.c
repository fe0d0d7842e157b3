#include "update/install/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/strmap.h"
#include "os/dir.h"
#include "os/file.h"
#include "update/install/tar.h"

enum { STEP = 64 * 1024 };

struct extraction {
    const struct hf_fs_ops *fs;
    int tar_fd, top_fd;
    uid_t uid;
    gid_t gid;
    const atomic_bool *cancel;
    char *bytes; /* STEP */
    struct hf_failure *failure;
};

static ssize_t read_tar(void *ctx, void *bytes, size_t n, uint64_t offset)
{
    const struct extraction *x = ctx;

    return x->fs->pread(x->fs->ctx, x->tar_fd, bytes, n, offset);
}

/* ---- one member ---------------------------------------------------------------------------------------------------- */

static int open_beneath(const struct extraction *x, const char *name, int flags, mode_t mode)
{
    return x->fs->openat(x->fs->ctx, x->top_fd, name[0] != '\0' ? name : ".", flags | O_NOFOLLOW | O_CLOEXEC, mode,
                         HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
}

/* The folder `path` inside the tree, made with those above it when absent. */
static int open_parent(const struct extraction *x, const char *path)
{
    char part[HF_TAR_MAX_NAME];
    int fd = open_beneath(x, path, O_RDONLY | O_DIRECTORY, 0), depth = 0;

    if (fd != -ENOENT)
        return fd;
    for (const char *at = path; at != NULL; at = strchr(at + 1, '/')) {
        const char *end = strchr(at + 1, '/');
        size_t n = end != NULL ? (size_t)(end - path) : strlen(path);
        memcpy(part, path, n);
        part[n] = '\0';
        if (++depth > HF_TREE_MAX_DEPTH)
            return -ENAMETOOLONG;
        char above[HF_TAR_MAX_NAME];
        const char *last = hf_dir_of_path(part, above, sizeof(above));
        int up = open_beneath(x, above, O_RDONLY | O_DIRECTORY, 0);
        if (up < 0)
            return up;
        int r = x->fs->mkdirat(x->fs->ctx, up, last, 0755);
        (void)x->fs->close(x->fs->ctx, up);
        if (r < 0 && r != -EEXIST)
            return r;
    }
    return open_beneath(x, path, O_RDONLY | O_DIRECTORY, 0);
}

static int own(const struct extraction *x, int fd, unsigned mode)
{
    struct stat st;
    int r = x->fs->fstat(x->fs->ctx, fd, &st);

    if (r == 0 && (st.st_uid != x->uid || st.st_gid != x->gid))
        r = x->fs->fchown(x->fs->ctx, fd, x->uid, x->gid);
    return r < 0 ? r : x->fs->fchmod(x->fs->ctx, fd, mode);
}

static int copy_content(const struct extraction *x, int fd, const struct hf_tar_member *member)
{
    for (uint64_t at = 0; at < member->size;) {
        if (x->cancel != NULL && atomic_load(x->cancel))
            return hf_failure_sys(x->failure, -ECANCELED, "extract");
        size_t want = (size_t)HF_MIN(member->size - at, (uint64_t)STEP);
        ssize_t n = x->fs->pread(x->fs->ctx, x->tar_fd, x->bytes, want, member->offset + at);
        if (n <= 0)
            return hf_failure_sys(x->failure, n < 0 ? (int)n : -EIO, "read the archive");
        int r = hf_target_write(x->fs, fd, x->bytes, (size_t)n, at, x->failure);
        if (r < 0)
            return r;
        at += (uint64_t)n;
    }
    return 0;
}

static int make_file(const struct extraction *x, int dirfd, const char *name, const struct hf_tar_member *member)
{
    int fd = x->fs->openat(x->fs->ctx, dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600,
                           HF_FS_BENEATH | HF_FS_NO_SYMLINKS);

    if (fd < 0)
        return hf_failure_sys(x->failure, fd, "make '%.200s'", member->name);
    int r = copy_content(x, fd, member);
    if (r == 0) {
        r = own(x, fd, member->mode);
        if (r == 0)
            r = x->fs->fsync(x->fs->ctx, fd);
        if (r < 0)
            r = hf_failure_sys(x->failure, r, "finish '%.200s'", member->name);
    }
    int closed = x->fs->close(x->fs->ctx, fd);
    return r == 0 && closed < 0 ? hf_failure_sys(x->failure, closed, "close '%.200s'", member->name) : r;
}

/* A second name for a file that was extracted before; its folder is opened strictly, so that no link can lead outside. */
static int make_hardlink(const struct extraction *x, int dirfd, const char *name, const struct hf_tar_member *member)
{
    char folder[HF_TAR_MAX_NAME];
    struct stat st;
    const char *last = hf_dir_of_path(member->target, folder, sizeof(folder));
    int from = open_beneath(x, folder, O_RDONLY | O_DIRECTORY, 0), r = from;

    if (from >= 0) {
        r = x->fs->fstatat(x->fs->ctx, from, last, &st, AT_SYMLINK_NOFOLLOW);
        if (r == 0)
            r = S_ISREG(st.st_mode) ? x->fs->linkat(x->fs->ctx, from, last, dirfd, name) : -EINVAL;
        (void)x->fs->close(x->fs->ctx, from);
    }
    if (r == -ENOENT || r == -EINVAL || r == -ENOTDIR || r == -ELOOP)
        return hf_failure_set(x->failure, HF_R_ArchiveInvalid, EBADMSG,
                              "'%.100s' links to '%.100s', which is no file before it", member->name, member->target);
    return r < 0 ? hf_failure_sys(x->failure, r, "link '%.200s'", member->name) : 0;
}

static int make_folder(const struct extraction *x, int dirfd, const char *name, const struct hf_tar_member *member)
{
    int r = x->fs->mkdirat(x->fs->ctx, dirfd, name, 0755);

    return r < 0 && r != -EEXIST ? hf_failure_sys(x->failure, r, "make folder '%.200s'", member->name) : 0;
}

static int make_symlink(const struct extraction *x, int dirfd, const char *name, const struct hf_tar_member *member)
{
    int r = x->fs->symlinkat(x->fs->ctx, member->target, dirfd, name);

    return r < 0 ? hf_failure_sys(x->failure, r, "make link '%.200s'", member->name) : 0;
}

static int make_member(const struct extraction *x, const struct hf_tar_member *member)
{
    char folder[HF_TAR_MAX_NAME];
    int r = 0;

    if (member->name[0] == '\0')
        return 0;
    const char *name = hf_dir_of_path(member->name, folder, sizeof(folder));
    int dirfd = open_parent(x, strcmp(folder, ".") == 0 ? "" : folder);
    if (dirfd == -ELOOP || dirfd == -ENOTDIR || dirfd == -EXDEV || dirfd == -ENAMETOOLONG)
        return hf_failure_set(x->failure, HF_R_ArchiveInvalid, EBADMSG,
                              "'%.200s' lies below what is no folder, or too deep", member->name);
    if (dirfd < 0)
        return hf_failure_sys(x->failure, dirfd, "open the folder of '%.200s'", member->name);
    /* As tar does: of two members of one name the later one counts. A folder is never replaced. */
    if (member->type != HF_TAR_FOLDER) {
        r = x->fs->unlinkat(x->fs->ctx, dirfd, name, 0);
        if (r == -EISDIR || r == -EPERM)
            r = hf_failure_set(x->failure, HF_R_ArchiveInvalid, EBADMSG, "'%.200s' is a folder and something else",
                               member->name);
        else if (r < 0 && r != -ENOENT)
            r = hf_failure_sys(x->failure, r, "replace '%.200s'", member->name);
        else
            r = 0;
    }
    if (r == 0) {
        static int (*const makers[])(const struct extraction *, int, const char *,
                                     const struct hf_tar_member *) = {[HF_TAR_FILE] = make_file,
                                                                      [HF_TAR_FOLDER] = make_folder,
                                                                      [HF_TAR_SYMLINK] = make_symlink,
                                                                      [HF_TAR_HARDLINK] = make_hardlink};
        r = makers[member->type](x, dirfd, name, member);
    }
    (void)x->fs->close(x->fs->ctx, dirfd);
    return r;
}

/* ---- all of them --------------------------------------------------------------------------------------------------- */

/* Rights of folders come last: one that may not be written must still be filled. */
static int finish_folder(const struct extraction *x, const struct hf_tar_member *member)
{
    if (member->type != HF_TAR_FOLDER)
        return 0;
    int fd = open_beneath(x, member->name, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return hf_failure_set(x->failure, HF_R_ArchiveInvalid, EBADMSG, "'%.200s' is a folder and something else",
                              member->name);
    int r = own(x, fd, member->mode);
    (void)x->fs->close(x->fs->ctx, fd);
    return r < 0 ? hf_failure_sys(x->failure, r, "finish folder '%.200s'", member->name) : 0;
}

static int each_member(struct extraction *x, int (*visit)(const struct extraction *, const struct hf_tar_member *))
{
    struct hf_tar tar = {.ctx = x, .pread = read_tar};
    struct hf_tar_member member;
    struct stat st;
    unsigned n = 0;
    int r = x->fs->fstat(x->fs->ctx, x->tar_fd, &st);

    if (r < 0)
        return hf_failure_sys(x->failure, r, "stat the archive");
    tar.size = (uint64_t)st.st_size;
    while ((r = hf_tar_next(&tar, &member, &x->failure->err)) > 0) {
        if (++n > HF_TREE_MAX_MEMBERS)
            return hf_failure_set(x->failure, HF_R_ArchiveInvalid, E2BIG, "more than %d members", HF_TREE_MAX_MEMBERS);
        r = visit(x, &member);
        if (r < 0)
            return r;
    }
    if (r < 0)
        x->failure->reason = r == -EBADMSG ? HF_R_ArchiveInvalid : hf_reason_of_errno(r);
    return r;
}

struct folders {
    struct hf_strmap names;
};

static int note_folder(void *arg, const char *name, unsigned char type)
{
    struct folders *folders = arg;

    (void)type;
    return hf_strmap_put(&folders->names, name, NULL);
}

static void folders_done(struct folders *folders)
{
    hf_strmap_done(&folders->names);
}

/* Names are durable when each folder is synced. */
static int sync_folders(const struct extraction *x, int fd, int depth)
{
    _cleanup_(folders_done) struct folders folders = {.names = {.n = 0}};
    int r = x->fs->list(x->fs->ctx, fd, note_folder, &folders);

    for (size_t i = 0; r == 0 && i < folders.names.n; i++) {
        const char *name = folders.names.entries[i].key;
        int below = x->fs->openat(x->fs->ctx, fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
                                  HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
        if (below == -ENOTDIR || below == -ELOOP)
            continue;
        r = below < 0 ? below : depth > HF_TREE_MAX_DEPTH ? -ELOOP : sync_folders(x, below, depth + 1);
        if (below >= 0)
            (void)x->fs->close(x->fs->ctx, below);
    }
    if (r == 0)
        r = x->fs->fsync(x->fs->ctx, fd);
    return r == -EINVAL || r == -ENOTSUP ? 0 : r;
}

static int extract(struct extraction *x)
{
    int r = each_member(x, make_member);

    if (r == 0) {
        r = own(x, x->top_fd, 0755);
        if (r < 0)
            r = hf_failure_sys(x->failure, r, "finish the tree");
    }
    if (r == 0)
        r = each_member(x, finish_folder);
    if (r == 0) {
        r = sync_folders(x, x->top_fd, 0);
        if (r < 0)
            r = hf_failure_sys(x->failure, r, "sync the tree");
    }
    return r;
}

/* Owner of the tree in use, if there is one. */
static int owner(struct extraction *x, const struct hf_target_dir *dir)
{
    struct stat st;
    int r = x->fs->fstatat(x->fs->ctx, dir->dirfd, dir->name, &st, 0);

    if (r < 0)
        r = x->fs->fstat(x->fs->ctx, x->top_fd, &st);
    if (r < 0)
        return hf_failure_sys(x->failure, r, "stat the tree");
    x->uid = st.st_uid;
    x->gid = st.st_gid;
    return 0;
}

static int fill_folder(const struct hf_target_dir *dir, int trees_fd, const char *fresh, struct extraction *x)
{
    int r = hf_dir_remove_tree_at(dir->fs, trees_fd, fresh, &x->failure->err);

    if (r == 0)
        r = dir->fs->mkdirat(dir->fs->ctx, trees_fd, fresh, 0700);
    if (r < 0)
        return hf_failure_sys(x->failure, r, "make the tree's folder");
    x->top_fd = dir->fs->openat(dir->fs->ctx, trees_fd, fresh, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
                                HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
    if (x->top_fd < 0)
        return hf_failure_sys(x->failure, x->top_fd, "open the tree's folder");
    r = owner(x, dir);
    if (r == 0)
        r = extract(x);
    (void)dir->fs->close(dir->fs->ctx, x->top_fd);
    return r;
}

static int open_trees(const struct hf_target_dir *dir, bool make)
{
    char trees[NAME_MAX + 1];

    (void)hf_target_file_name(dir->release, HF_TARGET_TREE, trees);
    if (make) {
        int r = dir->fs->mkdirat(dir->fs->ctx, dir->dirfd, trees, 0755);
        if (r < 0 && r != -EEXIST)
            return r;
    }
    return dir->fs->openat(dir->fs->ctx, dir->dirfd, trees, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
                           HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
}

int hf_tree_make(const struct hf_target_dir *dir, int tar_fd, const char *sha256, const atomic_bool *cancel,
                 struct hf_failure *failure)
{
    _cleanup_(hf_freep) char *bytes = malloc(STEP);
    _cleanup_(hf_target_fd_done) struct hf_target_fd trees = {dir->fs, -1};
    struct extraction x = {.fs = dir->fs, .tar_fd = tar_fd, .cancel = cancel, .bytes = bytes, .failure = failure};
    char fresh[HF_SHA256_HEX + 8];
    struct stat st;

    trees.fd = bytes == NULL ? -ENOMEM : open_trees(dir, true);
    if (trees.fd < 0)
        return hf_failure_sys(failure, trees.fd, "open the trees' folder");
    (void)snprintf(fresh, sizeof(fresh), "%s.new", sha256);
    int r = dir->fs->fstatat(dir->fs->ctx, trees.fd, sha256, &st, AT_SYMLINK_NOFOLLOW);
    if (r == -ENOENT) {
        r = fill_folder(dir, trees.fd, fresh, &x);
        if (r < 0) {
            (void)!hf_dir_remove_tree_at(dir->fs, trees.fd, fresh, NULL);
            return r;
        }
        r = dir->fs->renameat(dir->fs->ctx, trees.fd, fresh, trees.fd, sha256);
    }
    if (r == 0)
        r = dir->fs->fsync(dir->fs->ctx, trees.fd);
    if (r < 0)
        return hf_failure_sys(failure, r, "finish the tree");
    return hf_target_sync(dir, failure);
}

/* ---- links and leftovers -------------------------------------------------------------------------------------------- */

const char *hf_tree_link(const char *release, const char *sha256, char text[HF_UPDATE_MAX_PATH])
{
    char trees[NAME_MAX + 1];

    (void)snprintf(text, HF_UPDATE_MAX_PATH, "%s/%s", hf_target_file_name(release, HF_TARGET_TREE, trees), sha256);
    return text;
}

bool hf_tree_link_parse(const char *release, const char *text, char sha256[HF_SHA256_HEX])
{
    char trees[NAME_MAX + 1];
    size_t n = strlen(hf_target_file_name(release, HF_TARGET_TREE, trees));

    if (strncmp(text, trees, n) != 0 || text[n] != '/' || strlen(text + n + 1) != HF_SHA256_HEX - 1 ||
        strspn(text + n + 1, "0123456789abcdef") != HF_SHA256_HEX - 1)
        return false;
    memcpy(sha256, text + n + 1, HF_SHA256_HEX);
    return true;
}

int hf_tree_clean(const struct hf_target_dir *dir, const char *keep_sha256, struct hf_failure *failure)
{
    _cleanup_(hf_target_fd_done) struct hf_target_fd trees = {dir->fs, open_trees(dir, false)};
    _cleanup_(folders_done) struct folders folders = {.names = {.n = 0}};
    char name[NAME_MAX + 1];

    if (trees.fd == -ENOENT)
        return 0;
    if (trees.fd < 0)
        return hf_failure_sys(failure, trees.fd, "open the trees' folder");
    int r = dir->fs->list(dir->fs->ctx, trees.fd, note_folder, &folders);
    size_t kept = 0;
    for (size_t i = 0; r == 0 && i < folders.names.n; i++) {
        const char *one = folders.names.entries[i].key;
        if (strcmp(one, keep_sha256) == 0)
            kept++;
        else
            r = hf_dir_remove_tree_at(dir->fs, trees.fd, one, &failure->err);
    }
    if (r == 0 && kept < folders.names.n)
        r = dir->fs->fsync(dir->fs->ctx, trees.fd);
    if (r == 0 && kept == 0) {
        r = dir->fs->unlinkat(dir->fs->ctx, dir->dirfd, hf_target_file_name(dir->release, HF_TARGET_TREE, name),
                              AT_REMOVEDIR);
        r = r == -ENOENT ? 0 : r;
    }
    return r < 0 ? hf_failure_sys(failure, r, "remove old trees") : 0;
}
