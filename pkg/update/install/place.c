#include "update/install/place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/hex.h"
#include "base/parse.h"
#include "codec/hash.h"
#include "os/dir.h"
#include "os/file.h"

enum { STEP = 64 * 1024 };

void hf_handle_done(struct hf_handle *handle)
{
    if (handle->fd >= 0)
        (void)handle->fs->close(handle->fs->ctx, handle->fd);
    handle->fd = -1;
}

void hf_spot_done(struct hf_spot *spot)
{
    if (spot->fs != NULL && spot->dirfd >= 0)
        (void)spot->fs->close(spot->fs->ctx, spot->dirfd);
    spot->dirfd = -1;
}

/* ---- roots --------------------------------------------------------------------------------------------------------- */

static bool normal(const char *path)
{
    size_t n = strlen(path);

    if (path[0] != '/' || n < 2 || n >= HF_UPDATE_MAX_PATH || path[n - 1] == '/')
        return false;
    for (const char *at = path; at != NULL; at = strchr(at + 1, '/')) {
        size_t part = strcspn(at + 1, "/");
        if (part == 0 || part > NAME_MAX || (part == 1 && at[1] == '.') || (part == 2 && at[1] == '.' && at[2] == '.'))
            return false;
    }
    return true;
}

/* Length of the longest root that `path` lies strictly below; 0: none. */
static size_t root_length(const struct hf_place *place, const char **ret_root)
{
    size_t best = 0;

    for (size_t i = 0; place->roots[i] != NULL; i++) {
        size_t n = strlen(place->roots[i]);
        while (n > 0 && place->roots[i][n - 1] == '/')
            n--;
        if (n >= best && strncmp(place->path, place->roots[i], n) == 0 && place->path[n] == '/') {
            best = n;
            *ret_root = place->roots[i];
        }
    }
    return best;
}

int hf_place_check(const struct hf_place *place, struct hf_trouble *trouble)
{
    const char *root = NULL;

    if (!normal(place->path))
        return hf_trouble_set(trouble, HF_R_PathNotAllowed, EACCES,
                              "install.path '%.200s' is not a normal absolute path", place->path);
    (void)root_length(place, &root);
    if (root == NULL)
        return hf_trouble_set(trouble, HF_R_PathNotAllowed, EACCES, "install.path '%.200s' is below no allowed root",
                              place->path);
    return 0;
}

static int path_trouble(struct hf_trouble *trouble, int r, const char *what, const char *path)
{
    (void)hf_trouble_sys(trouble, r, "%s '%.200s'", what, path);
    if (r == -ENOSYS)
        trouble->reason = HF_R_KernelTooOld;
    return r;
}

/* The root's descriptor, and in *ret_rest the path from there ("a/b/target"). */
static int open_root(const struct hf_place *place, bool make, const char **ret_rest, struct hf_trouble *trouble)
{
    char path[PATH_MAX];
    const char *root = NULL;
    int r = hf_place_check(place, trouble);

    if (r < 0)
        return r;
    size_t n = root_length(place, &root);
    const char *host = place->host_root != NULL ? place->host_root : "";
    (void)snprintf(path, sizeof(path), "%s%.*s", host, (int)n, root);
    if (path[0] == '\0')
        (void)snprintf(path, sizeof(path), "/");
    *ret_rest = place->path + n + 1;
    if (make) {
        r = hf_dir_make(place->fs, path, 0755, &trouble->err);
        if (r < 0) {
            trouble->reason = hf_reason_of_errno(r);
            return r;
        }
    }
    int fd = place->fs->openat(place->fs->ctx, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);
    return fd >= 0 ? fd : path_trouble(trouble, fd, "open root", path);
}

/* The folder `name` in dirfd, without following a link. */
static int open_folder(const struct hf_fs_ops *fs, int dirfd, const char *name)
{
    return fs->openat(fs->ctx, dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
                      HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
}

static int make_folder(const struct hf_fs_ops *fs, int dirfd, const char *name)
{
    int r = fs->mkdirat(fs->ctx, dirfd, name, 0755);

    if (r < 0 && r != -EEXIST)
        return r;
    r = fs->fsync(fs->ctx, dirfd);
    return r == -EINVAL ? 0 : r;
}

/* Walk down to the folder of the target. With `make`, folders that are not there are made. */
static int descend(const struct hf_place *place, bool make, struct hf_spot *spot, char *missing,
                   struct hf_trouble *trouble)
{
    const char *rest = NULL;
    int fd = open_root(place, make, &rest, trouble);

    if (fd == -ENOENT && missing != NULL) { /* the root itself stays once it is made */
        const char *slash = strchr(rest, '/');
        (void)snprintf(missing, HF_UPDATE_MAX_PATH, "%.*s", slash == NULL ? 0 : (int)(slash - place->path),
                       place->path);
    }
    if (fd < 0)
        return fd;
    for (const char *slash; (slash = strchr(rest, '/')) != NULL; rest = slash + 1) {
        char part[NAME_MAX + 1];
        (void)snprintf(part, sizeof(part), "%.*s", (int)(slash - rest), rest);
        int next = open_folder(place->fs, fd, part), r = 0;
        if (next == -ENOENT && make) {
            r = make_folder(place->fs, fd, part);
            next = r < 0 ? r : open_folder(place->fs, fd, part);
        }
        (void)place->fs->close(place->fs->ctx, fd);
        if (next < 0) {
            if (next == -ENOENT && missing != NULL)
                (void)snprintf(missing, HF_UPDATE_MAX_PATH, "%.*s", (int)(slash - place->path), place->path);
            return path_trouble(trouble, next, "open the folder of", place->path);
        }
        fd = next;
    }
    *spot = (struct hf_spot){.fs = place->fs, .dirfd = fd, .release = place->release};
    (void)snprintf(spot->name, sizeof(spot->name), "%s", rest);
    return 0;
}

int hf_spot_open(const struct hf_place *place, struct hf_spot *ret_spot, char missing[HF_UPDATE_MAX_PATH],
                 struct hf_trouble *trouble)
{
    return descend(place, false, ret_spot, missing, trouble);
}

int hf_place_make(const struct hf_place *place, struct hf_trouble *trouble)
{
    struct hf_spot spot;
    int r = descend(place, true, &spot, NULL, trouble);

    if (r == 0)
        hf_spot_done(&spot);
    return r;
}

int hf_place_unmake(const struct hf_place *place, const char *made, struct hf_trouble *trouble)
{
    char folder[HF_UPDATE_MAX_PATH];
    size_t least = strlen(made);

    if (least == 0)
        return 0;
    (void)hf_dir_of_path(place->path, folder, sizeof(folder));
    while (strlen(folder) >= least && strncmp(folder, made, least) == 0) {
        struct hf_place up = *place;
        struct hf_spot spot;
        up.path = folder;
        int r = hf_spot_open(&up, &spot, NULL, trouble);
        if (r == 0) {
            r = place->fs->unlinkat(place->fs->ctx, spot.dirfd, spot.name, AT_REMOVEDIR);
            int synced = r == 0 || r == -ENOENT ? hf_spot_sync(&spot, trouble) : 0;
            hf_spot_done(&spot);
            if (r == -ENOTEMPTY || r == -EEXIST)
                return 0;
            if (r < 0 && r != -ENOENT)
                return path_trouble(trouble, r, "remove folder", folder);
            if (synced < 0)
                return synced;
        } else if (r != -ENOENT) {
            return r;
        }
        *strrchr(folder, '/') = '\0';
    }
    return 0;
}

/* ---- names beside the target --------------------------------------------------------------------------------------- */

const char *hf_stage_name(const char *release, enum hf_stage stage, char name[NAME_MAX + 1])
{
    static const char *const suffixes[HF_STAGE_COUNT] = {
        [HF_STAGE_PART] = "part", [HF_STAGE_NEW] = "new",         [HF_STAGE_OLD] = "old",   [HF_STAGE_LINK] = "link",
        [HF_STAGE_TREE] = "tree", [HF_STAGE_SCRATCH] = "scratch", [HF_STAGE_STEP] = "step", [HF_STAGE_POINT] = "point"};
    char hex[HF_SHA256_HEX];

    /* Long names are legal for objects, not for files. */
    if (strlen(release) > NAME_MAX - 32)
        release = hf_sha256_hex(release, strlen(release), hex);
    (void)snprintf(name, NAME_MAX + 1, ".holdfast-%s.%s", release, suffixes[stage]);
    return name;
}

/* ---- files at a spot ----------------------------------------------------------------------------------------------- */

bool hf_spot_stat(const struct hf_spot *spot, const char *name, struct stat *ret, int *ret_r)
{
    int r = spot->fs->fstatat(spot->fs->ctx, spot->dirfd, name, ret, AT_SYMLINK_NOFOLLOW);

    *ret_r = r == -ENOENT ? 0 : r;
    return r == 0;
}

int hf_spot_unlink(const struct hf_spot *spot, const char *name, struct hf_trouble *trouble)
{
    int r = spot->fs->unlinkat(spot->fs->ctx, spot->dirfd, name, 0);

    return r < 0 && r != -ENOENT ? hf_trouble_sys(trouble, r, "remove '%s'", name) : 0;
}

int hf_spot_sync(const struct hf_spot *spot, struct hf_trouble *trouble)
{
    int r = spot->fs->fsync(spot->fs->ctx, spot->dirfd);

    /* As hf_dir_sync(): some file systems have no sync for folders. */
    return r < 0 && r != -EINVAL && r != -ENOTSUP ? hf_trouble_sys(trouble, r, "sync the folder of '%s'", spot->name)
                                                  : 0;
}

int hf_spot_open_file(const struct hf_spot *spot, const char *name, int flags, struct hf_trouble *trouble)
{
    struct stat st;
    int fd = spot->fs->openat(spot->fs->ctx, spot->dirfd, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600,
                              HF_FS_BENEATH | HF_FS_NO_SYMLINKS);

    if (fd < 0)
        return hf_trouble_sys(trouble, fd, "open '%s'", name);
    int r = spot->fs->fstat(spot->fs->ctx, fd, &st);
    if (r == 0 && S_ISREG(st.st_mode))
        return fd;
    (void)spot->fs->close(spot->fs->ctx, fd);
    return r < 0 ? hf_trouble_sys(trouble, r, "stat '%s'", name)
                 : hf_trouble_set(trouble, HF_R_TargetIsSpecial, EINVAL, "'%s' is not a regular file", name);
}

int hf_hash_fd(const struct hf_fs_ops *fs, int fd, const atomic_bool *cancel, char hex[HF_SHA256_HEX],
               uint64_t *ret_size, struct hf_trouble *trouble)
{
    unsigned char digest[HF_SHA256_BYTES];
    _cleanup_(hf_freep) unsigned char *bytes = malloc(STEP);
    struct hf_sha256 hash;
    uint64_t at = 0;

    if (bytes == NULL)
        return hf_trouble_sys(trouble, -ENOMEM, "read");
    hf_sha256_init(&hash);
    for (;;) {
        if (cancel != NULL && atomic_load(cancel))
            return hf_trouble_sys(trouble, -ECANCELED, "read");
        ssize_t n = fs->pread(fs->ctx, fd, bytes, STEP, at);
        if (n < 0)
            return hf_trouble_sys(trouble, (int)n, "read");
        if (n == 0)
            break;
        hf_sha256_update(&hash, bytes, (size_t)n);
        at += (uint64_t)n;
    }
    hf_sha256_final(&hash, digest);
    (void)hf_hex_encode(digest, sizeof(digest), hex);
    if (ret_size != NULL)
        *ret_size = at;
    return 0;
}

int hf_hash_at(const struct hf_spot *spot, const char *name, const atomic_bool *cancel, char hex[HF_SHA256_HEX],
               uint64_t *ret_size, struct hf_trouble *trouble)
{
    int fd = hf_spot_open_file(spot, name, O_RDONLY, trouble);

    if (fd < 0)
        return fd;
    int r = hf_hash_fd(spot->fs, fd, cancel, hex, ret_size, trouble);
    (void)spot->fs->close(spot->fs->ctx, fd);
    return r < 0 ? hf_err_wrap(&trouble->err, r, "'%s'", name) : 0;
}

int hf_write_at(const struct hf_fs_ops *fs, int fd, const void *bytes, size_t n, uint64_t offset,
                struct hf_trouble *trouble)
{
    int r = hf_file_write_all(fs, fd, bytes, n, offset);

    return r < 0 ? hf_trouble_sys(trouble, r, "write") : 0;
}
