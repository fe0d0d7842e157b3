/* SPDX-License-Identifier: Apache-2.0 */
/* A state machine over the bytes of the archive: head, content, padding, end. A head is collected whole before it is
 * parsed; a canonical archive's head is made again from the member and compared, so that it holds nothing else. Each
 * member is made at once: in its folder, opened beneath the top folder and never through a symbolic link, with
 * O_EXCL.
 *
 * Order of effects for a file: content, owner, mode (a new owner clears the set-id bits), extended attributes
 * (writes and owners clear some), sync, made(). Folders are made with mode 0700, so that they can be filled;
 * hf_extract_finish() gives them their owners and modes, the inner ones first because a mode may close the way to
 * them, and syncs them.
 *
 * Failures: results of openat() that the archive causes (a missing parent, a link on the way) are -EBADMSG, others
 * are errors of the file system. In an archive that is not canonical, the last member of a name replaces the earlier
 * ones, but nothing replaces a folder: so the descriptor of the last parent stays valid. After an error the caller
 * removes the folder. */
#include "pack/tar/extract.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/macros.h"
#include "codec/sha256.h"
#include "os/file.h"
#include "pack/tar/archive.h"
#include "pack/tar/tar_head.h"

enum { FOLDERS_MAX = 64 << 20 };

enum extract_state { AT_HEAD, AT_CONTENT, AT_PADDING, AT_END };

struct hf_extract {
    struct hf_extract_params params;
    const struct hf_fs_ops *fs;
    enum extract_state state;
    unsigned flags; /* canonical archives: HF_ARCHIVE_OWNERS, HF_ARCHIVE_XATTRS */
    uint32_t members;
    uint64_t at; /* offset in the archive */
    struct hf_buf head;
    size_t head_want;
    struct hf_buf xattrs;
    struct hf_tar_member member;
    int fd;                /* the file that receives content; -1: none */
    struct hf_sha256 hash; /* over its content, with params.made */
    uint64_t done;         /* bytes of its content so far; then with padding; then of the end */
    int parent_fd; /* the folder of the last member, -1: none; nothing replaces a folder, so it stays that one */
    char parent[HF_TAR_MAX_NAME];
    struct hf_buf folders; /* "octal mode, blank, name" with a final zero each; finish sets the modes */
};

static int invalid(struct hf_err *err, const char *what)
{
    return hf_err_set(err, EBADMSG, "archive: %s", what);
}

static bool is_canonical(const struct hf_extract *x)
{
    return x->params.rules == HF_EXTRACT_CANONICAL;
}

static int close_fd(const struct hf_extract *x, int fd)
{
    return x->fs->close(x->fs->ctx, fd);
}

/* ---- places in the folder ---------------------------------------------------------------------------------------- */

static int open_beneath(const struct hf_extract *x, const char *name, int flags)
{
    return x->fs->openat(x->fs->ctx, x->params.dirfd, name[0] != '\0' ? name : ".", flags | O_NOFOLLOW | O_CLOEXEC, 0,
                         HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
}

/* Splits the parent's name off; returns the last component. */
static const char *split(const char *name, char parent[HF_TAR_MAX_NAME])
{
    const char *slash = strrchr(name, '/');
    size_t n = slash != NULL ? (size_t)(slash - name) : 0;

    memcpy(parent, name, n);
    parent[n] = '\0';
    return slash != NULL ? slash + 1 : name;
}

/* Records the mode that finish gives to a folder. */
static int record_folder(struct hf_extract *x, const char *name, unsigned mode)
{
    int r = hf_buf_addf(&x->folders, "%o %s", mode, name);

    return r == 0 ? hf_buf_add(&x->folders, "", 1) : r;
}

/* Makes a folder that other members may need, with its parents. */
static int make_parents(struct hf_extract *x, const char *name)
{
    char part[HF_TAR_MAX_NAME], parent[HF_TAR_MAX_NAME];

    for (const char *end = strchrnul(name, '/');; end = strchrnul(end + 1, '/')) {
        memcpy(part, name, (size_t)(end - name));
        part[end - name] = '\0';
        const char *last = split(part, parent);
        int dirfd = open_beneath(x, parent, O_RDONLY | O_DIRECTORY);
        if (dirfd < 0)
            return dirfd;
        int r = x->fs->mkdirat(x->fs->ctx, dirfd, last, 0700);
        (void)close_fd(x, dirfd);
        if (r == 0)
            r = record_folder(x, part, 0755);
        if ((r < 0 && r != -EEXIST) || *end == '\0')
            return r == -EEXIST ? 0 : r;
    }
}

/* Opens the folder `name`. An archive that is not canonical may lack it: then makes it. */
static int open_folder(struct hf_extract *x, const char *name)
{
    int fd = open_beneath(x, name, O_RDONLY | O_DIRECTORY);

    if (fd != -ENOENT || is_canonical(x))
        return fd;
    int r = make_parents(x, name);
    return r < 0 ? r : open_beneath(x, name, O_RDONLY | O_DIRECTORY);
}

/* Returns the folder `name` like open_folder(), but keeps the descriptor: most members follow one of their folder. */
static int enter_folder(struct hf_extract *x, const char *name)
{
    if (x->parent_fd >= 0 && strcmp(name, x->parent) == 0)
        return x->parent_fd;
    if (x->parent_fd >= 0)
        (void)close_fd(x, x->parent_fd);
    x->parent_fd = open_folder(x, name);
    (void)snprintf(x->parent, sizeof(x->parent), "%s", name);
    return x->parent_fd;
}

/* The archive is to blame for these results of openat(), not the system. */
static bool leads_astray(int r)
{
    return r == -ENOENT || r == -ELOOP || r == -ENOTDIR || r == -EXDEV || r == -ENAMETOOLONG;
}

/* ---- metadata ---------------------------------------------------------------------------------------------------- */

static int failed(const struct hf_extract *x, int r, struct hf_err *err)
{
    return hf_err_sys(err, r, "make '%.200s'", x->member.name);
}

static int set_owner(const struct hf_extract *x, int fd)
{
    uid_t uid = is_canonical(x) ? x->member.uid : x->params.uid;
    gid_t gid = is_canonical(x) ? x->member.gid : x->params.gid;
    struct stat st;

    if (is_canonical(x) && (x->flags & HF_ARCHIVE_OWNERS) == 0)
        return 0;
    int r = x->fs->fstat(x->fs->ctx, fd, &st);
    return r < 0 || (st.st_uid == uid && st.st_gid == gid) ? r : x->fs->fchown(x->fs->ctx, fd, uid, gid);
}

static int set_xattrs(const struct hf_extract *x, int fd)
{
    const char *p = hf_buf_str(&x->xattrs), *end = p + x->xattrs.n;
    int r = 0;

    /* hf_tar_next() has checked the records. */
    while (r == 0 && p < end) {
        char name[256];
        size_t n = (size_t)strtoul(p, NULL, 10);
        const char *key = strchr(p, ' ') + 1 + strlen("SCHILY.xattr."), *equals = memchr(key, '=', n);
        int length = snprintf(name, sizeof(name), "%.*s", (int)(equals - key), key);
        if (length <= 0 || (size_t)length >= sizeof(name))
            return -EBADMSG;
        r = x->fs->fsetxattr(x->fs->ctx, fd, name, equals + 1, (size_t)(p + n - 1 - (equals + 1)));
        p += n;
    }
    return r;
}

/* Owner before mode, because a new owner clears the set-id bits; attributes last, because writes and owners clear
 * some. */
static int set_metadata(const struct hf_extract *x, int fd, unsigned mode)
{
    int r = set_owner(x, fd);

    if (r == 0)
        r = x->fs->fchmod(x->fs->ctx, fd, mode);
    return r == 0 ? set_xattrs(x, fd) : r;
}

/* ---- members ----------------------------------------------------------------------------------------------------- */

static int make_folder(struct hf_extract *x, int dirfd, const char *last, struct hf_err *err)
{
    int r = x->fs->mkdirat(x->fs->ctx, dirfd, last, 0700);

    if (r == 0) {
        int fd = open_beneath(x, x->member.name, O_RDONLY | O_DIRECTORY);
        r = fd < 0 ? fd : set_metadata(x, fd, 0700);
        if (fd >= 0)
            (void)close_fd(x, fd);
    } else if (r == -EEXIST && !is_canonical(x)) {
        int fd = open_beneath(x, x->member.name, O_RDONLY | O_DIRECTORY);
        if (leads_astray(fd))
            return hf_err_set(err, EBADMSG, "archive: '%.200s' is a folder and something else", x->member.name);
        r = HF_MIN(fd, 0);
        if (fd >= 0)
            (void)close_fd(x, fd);
    }
    if (r == 0)
        r = record_folder(x, x->member.name, x->member.mode);
    return r < 0 ? failed(x, r, err) : 0;
}

static int make_hard_link(struct hf_extract *x, int dirfd, const char *last, struct hf_err *err)
{
    char parent[HF_TAR_MAX_NAME];
    struct stat st;
    const char *from = split(x->member.target, parent);
    int from_fd = open_beneath(x, parent, O_RDONLY | O_DIRECTORY), r = from_fd;

    if (from_fd >= 0) {
        r = x->fs->fstatat(x->fs->ctx, from_fd, from, &st, AT_SYMLINK_NOFOLLOW);
        if (r == 0)
            r = S_ISREG(st.st_mode) ? x->fs->linkat(x->fs->ctx, from_fd, from, dirfd, last) : -ENOTDIR;
        (void)close_fd(x, from_fd);
    }
    if (leads_astray(r))
        return hf_err_set(err, EBADMSG, "archive: '%.100s' is a hard link to '%.100s', which is not an earlier file",
                          x->member.name, x->member.target);
    return r < 0 ? failed(x, r, err) : 0;
}

/* The last member of a name wins, but nothing replaces a folder. */
static int remove_former(struct hf_extract *x, int dirfd, const char *last, struct hf_err *err)
{
    int r = x->fs->unlinkat(x->fs->ctx, dirfd, last, 0);

    if (r == -EISDIR || r == -EPERM)
        return hf_err_set(err, EBADMSG, "archive: '%.200s' is a folder and something else", x->member.name);
    return r < 0 && r != -ENOENT ? hf_err_sys(err, r, "replace '%.200s'", x->member.name) : 0;
}

/* Only an archive that is not canonical may have a name twice. */
static int make_file(struct hf_extract *x, int dirfd, const char *last, struct hf_err *err)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    const unsigned beneath = HF_FS_BENEATH | HF_FS_NO_SYMLINKS;

    hf_sha256_init(&x->hash);
    x->fd = x->fs->openat(x->fs->ctx, dirfd, last, flags, 0600, beneath);
    if (x->fd == -EEXIST && !is_canonical(x)) {
        int r = remove_former(x, dirfd, last, err);
        if (r < 0)
            return r;
        x->fd = x->fs->openat(x->fs->ctx, dirfd, last, flags, 0600, beneath);
    }
    return x->fd < 0 ? failed(x, x->fd, err) : 0;
}

static int make_in(struct hf_extract *x, int dirfd, const char *last, struct hf_err *err)
{
    int r;

    switch (x->member.type) {
    case HF_TAR_FILE:
        return make_file(x, dirfd, last, err);
    case HF_TAR_HARDLINK:
        return make_hard_link(x, dirfd, last, err);
    case HF_TAR_SYMLINK:
        r = x->fs->symlinkat(x->fs->ctx, x->member.target, dirfd, last);
        return r < 0 ? failed(x, r, err) : 0;
    default:
        return make_folder(x, dirfd, last, err);
    }
}

static int make_member(struct hf_extract *x, struct hf_err *err)
{
    char parent[HF_TAR_MAX_NAME];

    if (++x->members > HF_TAR_MAX_MEMBERS)
        return hf_err_set(err, E2BIG, "archive: more than %d members", HF_TAR_MAX_MEMBERS);
    if (x->member.name[0] == '\0') { /* the top folder */
        int r = is_canonical(x) ? -EBADMSG : record_folder(x, "", x->member.mode);
        return r == -EBADMSG ? invalid(err, "a member has no name") : r < 0 ? failed(x, r, err) : 0;
    }
    const char *last = split(x->member.name, parent);
    int dirfd = enter_folder(x, parent);
    if (leads_astray(dirfd))
        return hf_err_set(err, EBADMSG, "archive: '%.200s' is not in a folder of the archive", x->member.name);
    if (dirfd < 0)
        return hf_err_sys(err, dirfd, "open the folder of '%.200s'", x->member.name);
    bool is_link = x->member.type == HF_TAR_SYMLINK || x->member.type == HF_TAR_HARDLINK;
    int r = is_link && !is_canonical(x) ? remove_former(x, dirfd, last, err) : 0;
    if (r == 0)
        r = make_in(x, dirfd, last, err);
    return r == -EEXIST ? hf_err_set(err, EBADMSG, "archive: '%.200s' occurs twice", x->member.name) : r;
}

static int report_file(struct hf_extract *x, int fd)
{
    unsigned char digest[HF_SHA256_BYTES];
    struct stat st;
    int r = x->params.made != NULL ? x->fs->fstat(x->fs->ctx, fd, &st) : 0;

    if (r < 0 || x->params.made == NULL)
        return r;
    hf_sha256_final(&x->hash, digest);
    return x->params.made(x->params.arg, &st, digest);
}

static int end_file(struct hf_extract *x, struct hf_err *err)
{
    int fd = x->fd, r = set_metadata(x, fd, x->member.mode);

    x->fd = -1;
    if (r == 0)
        r = x->fs->fsync(x->fs->ctx, fd);
    if (r == 0)
        r = report_file(x, fd);
    int closed = close_fd(x, fd);
    if (r == 0)
        r = closed;
    return r < 0 ? failed(x, r, err) : 0;
}

/* ---- headers ----------------------------------------------------------------------------------------------------- */

static int take_prefix(struct hf_extract *x, struct hf_err *err)
{
    unsigned flags = 0;

    if (!is_canonical(x))
        return 0;
    if (x->members != 0 || x->flags != 0)
        return invalid(err, "a global header that is not at the start");
    int r = tar_prefix_check((const unsigned char *)x->head.p, x->head.n, &flags, err);
    x->flags = flags;
    return r;
}

/* Proves that the headers hold nothing but the member: archive.h would make the same bytes. */
static int check_canonical(const struct hf_extract *x, struct hf_err *err)
{
    static const char types[] = {
        [HF_TAR_FILE] = '0', [HF_TAR_HARDLINK] = '1', [HF_TAR_SYMLINK] = '2', [HF_TAR_FOLDER] = '5'};
    const struct tar_head head = {.type = types[x->member.type],
                                  .name = x->member.name,
                                  .target = x->member.target,
                                  .mode = x->member.mode,
                                  .uid = x->member.uid,
                                  .gid = x->member.gid,
                                  .size = x->member.size,
                                  .xattrs = &x->xattrs};

    return tar_head_check(&head, (const unsigned char *)x->head.p, x->head.n, err);
}

static int start_member(struct hf_extract *x, struct hf_err *err)
{
    hf_buf_clear(&x->xattrs);
    int r = hf_tar_head_parse((const unsigned char *)x->head.p, x->head.n, x->at - x->head.n, &x->member,
                              is_canonical(x) ? &x->xattrs : NULL, err);
    if (r == 0 && is_canonical(x))
        r = check_canonical(x, err);
    if (r == 0)
        r = make_member(x, err);
    x->done = 0;
    if (r < 0 || x->member.type != HF_TAR_FILE)
        return r;
    x->state = x->member.size > 0 ? AT_CONTENT : AT_HEAD;
    return x->member.size > 0 ? 0 : end_file(x, err);
}

static int take_head(struct hf_extract *x, const unsigned char **p, const unsigned char *end, struct hf_err *err)
{
    size_t n = HF_MIN((size_t)(end - *p), x->head_want - x->head.n);

    if (hf_buf_add(&x->head, *p, n) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    *p += n;
    x->at += n;
    if (x->head.n < x->head_want)
        return 0;
    int r = hf_tar_head_want((const unsigned char *)x->head.p, x->head.n, &x->head_want, err);
    if (r < 0 || x->head_want > x->head.n)
        return r;
    if (x->head_want == 0) {
        x->state = AT_END;
        x->done = HF_TAR_BLOCK;
        return 0;
    }
    r = hf_tar_head_is_global((const unsigned char *)x->head.p) ? take_prefix(x, err) : start_member(x, err);
    hf_buf_clear(&x->head);
    x->head_want = HF_TAR_BLOCK;
    return r;
}

/* ---- content ----------------------------------------------------------------------------------------------------- */

static int take_content(struct hf_extract *x, const unsigned char **p, const unsigned char *end, struct hf_err *err)
{
    size_t n = (size_t)HF_MIN((uint64_t)(end - *p), x->member.size - x->done);
    int r = hf_file_write_all(x->fs, x->fd, *p, n, x->done);

    if (r < 0)
        return failed(x, r, err);
    if (x->params.made != NULL)
        hf_sha256_update(&x->hash, *p, n);
    *p += n;
    x->at += n;
    x->done += n;
    if (x->done < x->member.size)
        return 0;
    x->state = x->done % HF_TAR_BLOCK != 0 ? AT_PADDING : AT_HEAD;
    return end_file(x, err);
}

/* Padding and the end: zero bytes in a canonical archive, anything in others. */
static int take_zeros(struct hf_extract *x, const unsigned char **p, const unsigned char *end, uint64_t until,
                      struct hf_err *err)
{
    for (; *p < end && x->done < until; (*p)++, x->done++, x->at++)
        if (**p != 0 && is_canonical(x))
            return invalid(err, "its padding is not zero");
    if (x->state == AT_END && *p < end && is_canonical(x))
        return invalid(err, "bytes behind its end");
    if (x->state == AT_END)
        *p = end;
    if (x->state == AT_PADDING && x->done == until)
        x->state = AT_HEAD;
    return 0;
}

int hf_extract_feed(struct hf_extract *x, const void *bytes, size_t n, struct hf_err *err)
{
    const unsigned char *p = bytes, *end = p + n;
    int r = 0;

    while (r == 0 && p < end) {
        switch (x->state) {
        case AT_HEAD:
            r = take_head(x, &p, end, err);
            break;
        case AT_CONTENT:
            r = take_content(x, &p, end, err);
            break;
        case AT_PADDING:
            r = take_zeros(x, &p, end, hf_tar_padded(x->member.size), err);
            break;
        case AT_END:
            r = take_zeros(x, &p, end, 2 * HF_TAR_BLOCK, err);
            break;
        }
    }
    return r;
}

int hf_extract_new(const struct hf_extract_params *params, struct hf_extract **ret_extract, struct hf_err *err)
{
    struct hf_extract *x = calloc(1, sizeof(*x));

    if (x == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    x->params = *params;
    x->fs = params->fs;
    x->fd = x->parent_fd = -1;
    x->head_want = HF_TAR_BLOCK;
    x->head.max = x->xattrs.max = HF_TAR_MAX_HEAD;
    x->folders.max = FOLDERS_MAX;
    if (!is_canonical(x) && record_folder(x, "", 0755) < 0) {
        hf_extract_free(x);
        return hf_err_set(err, ENOMEM, "out of memory");
    }
    *ret_extract = x;
    return 0;
}

void hf_extract_free(struct hf_extract *x)
{
    if (x == NULL)
        return;
    if (x->fd >= 0)
        (void)close_fd(x, x->fd);
    if (x->parent_fd >= 0)
        (void)close_fd(x, x->parent_fd);
    hf_buf_done(&x->head);
    hf_buf_done(&x->xattrs);
    hf_buf_done(&x->folders);
    free(x);
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

static const char *name_of(const char *folder)
{
    return strchr(folder, ' ') + 1;
}

/* Orders by name; the last record of a folder, which counts, comes last. */
static int by_name(const void *a, const void *b)
{
    const char *one = *(const char *const *)a, *other = *(const char *const *)b;
    int order = strcmp(name_of(one), name_of(other));

    return order != 0 ? order : (one > other) - (one < other);
}

static int end_folder(const struct hf_extract *x, const char *name, unsigned mode)
{
    int fd = open_beneath(x, name, O_RDONLY | O_DIRECTORY);

    if (fd < 0)
        return leads_astray(fd) ? -EBADMSG : fd;
    int r = is_canonical(x) ? 0 : set_owner(x, fd);
    if (r == 0)
        r = x->fs->fchmod(x->fs->ctx, fd, mode);
    if (r == 0) {
        r = x->fs->fsync(x->fs->ctx, fd);
        r = r == -EINVAL || r == -ENOTSUP ? 0 : r; /* some file systems cannot sync a folder */
    }
    (void)close_fd(x, fd);
    return r;
}

/* Modes of folders come last, because a folder that nobody may write must still be filled; and the inner folders
 * first, because nobody could enter them otherwise. */
static int end_folders(const struct hf_extract *x, const char **folders, size_t n, struct hf_err *err)
{
    if (n > 1)
        qsort(folders, n, sizeof(*folders), by_name);
    for (size_t i = n; i-- > 0;) {
        if (i + 1 < n && strcmp(name_of(folders[i]), name_of(folders[i + 1])) == 0)
            continue;
        int r = end_folder(x, name_of(folders[i]), (unsigned)strtoul(folders[i], NULL, 8));
        if (r == -EBADMSG)
            return hf_err_set(err, EBADMSG, "archive: '%.200s' is a folder and something else", name_of(folders[i]));
        if (r < 0)
            return hf_err_sys(err, r, "finish folder '%.200s'", name_of(folders[i]));
    }
    return 0;
}

static bool is_complete(const struct hf_extract *x)
{
    if (is_canonical(x))
        return x->state == AT_END && x->done == 2 * HF_TAR_BLOCK;
    return x->state == AT_END || x->state == AT_PADDING || (x->state == AT_HEAD && x->head.n == 0);
}

int hf_extract_finish(struct hf_extract *x, struct hf_err *err)
{
    _cleanup_(hf_freep) const char **folders = NULL;
    const char *start = hf_buf_str(&x->folders), *end = start + x->folders.n;
    size_t n = 0;

    if (!is_complete(x))
        return invalid(err, "it is incomplete");
    for (const char *p = start; p < end; p += strlen(p) + 1)
        n++;
    folders = malloc((n + 1) * sizeof(*folders));
    if (folders == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    n = 0;
    for (const char *p = start; p < end; p += strlen(p) + 1)
        folders[n++] = p;
    int r = end_folders(x, folders, n, err);
    if (r < 0 || !is_canonical(x)) /* other archives: the list holds the folder itself */
        return r;
    r = x->fs->fsync(x->fs->ctx, x->params.dirfd);
    return r < 0 ? hf_err_sys(err, r, "sync the folder") : 0;
}
