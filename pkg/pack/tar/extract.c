/* A canonical archive that comes in order becomes a folder. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/macros.h"
#include "os/file.h"
#include "pack/tar/archive.h"
#include "pack/tar/tar_head.h"

enum state { AT_HEAD, AT_CONTENT, AT_PADDING, AT_END };

struct hf_extract {
    const struct hf_fs_ops *fs;
    int dirfd;
    enum state state;
    unsigned flags;
    uint32_t members;
    struct hf_buf head;
    size_t head_want;
    struct hf_buf text, xattrs;
    struct tar_head member; /* borrows from text and xattrs */
    int fd;                 /* of the file being written */
    uint64_t done;          /* bytes of its content; then of padding, or of the end */
    struct hf_buf folders;  /* "octal mode, blank, name" terminated: modes are set at the end */
};

static int damaged(struct hf_err *err, const char *what)
{
    return hf_err_set(err, EBADMSG, "archive: %s", what);
}

static int close_fd(const struct hf_extract *x, int fd)
{
    return x->fs->close(x->fs->ctx, fd);
}

/* ---- places in the folder ------------------------------------------------------------------------------------------- */

/* Relative, no empty part, no "." and "..", not too deep. */
static bool is_normal(const char *name)
{
    unsigned depth = 0;

    for (const char *part = name;; part++) {
        const char *end = strchrnul(part, '/');
        size_t n = (size_t)(end - part);
        if (n == 0 || (n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.') || n > NAME_MAX)
            return false;
        if (++depth > HF_ARCHIVE_MAX_DEPTH)
            return false;
        if (*end == '\0')
            return strlen(name) < HF_ARCHIVE_MAX_NAME;
        part = end;
    }
}

static int open_beneath(const struct hf_extract *x, const char *name, int flags, mode_t mode)
{
    return x->fs->openat(x->fs->ctx, x->dirfd, name, flags | O_NOFOLLOW | O_CLOEXEC, mode,
                         HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
}

/* The folder that `name` is in; *ret_last is its last part. */
static int open_parent(const struct hf_extract *x, const char *name, const char **ret_last)
{
    char above[HF_ARCHIVE_MAX_NAME];
    const char *slash = strrchr(name, '/');

    *ret_last = slash != NULL ? slash + 1 : name;
    (void)snprintf(above, sizeof(above), "%.*s", slash != NULL ? (int)(slash - name) : 1, slash != NULL ? name : ".");
    return open_beneath(x, above, O_RDONLY | O_DIRECTORY, 0);
}

/* ---- members -------------------------------------------------------------------------------------------------------- */

static int failed(const struct hf_extract *x, int r, struct hf_err *err)
{
    return hf_err_sys(err, r, "make '%.200s'", x->member.name);
}

static int set_xattrs(const struct hf_extract *x, int fd)
{
    const char *p = hf_buf_str(&x->xattrs), *end = p + x->xattrs.n;
    int r = 0;

    /* The records were checked. */
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

/* Owner before mode (it clears set-id bits), attributes last (so do writes). */
static int set_meta(const struct hf_extract *x, int fd, unsigned mode)
{
    int r = 0;

    if ((x->flags & HF_ARCHIVE_OWNERS) != 0)
        r = x->fs->fchown(x->fs->ctx, fd, x->member.uid, x->member.gid);
    if (r == 0)
        r = x->fs->fchmod(x->fs->ctx, fd, mode);
    return r == 0 ? set_xattrs(x, fd) : r;
}

static int make_folder(struct hf_extract *x, int dirfd, const char *last, struct hf_err *err)
{
    int r = x->fs->mkdirat(x->fs->ctx, dirfd, last, 0700);

    if (r < 0)
        return failed(x, r, err);
    int fd = open_beneath(x, x->member.name, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return failed(x, fd, err);
    r = set_meta(x, fd, 0700);
    (void)close_fd(x, fd);
    if (r == 0)
        r = hf_buf_addf(&x->folders, "%o %s", x->member.mode, x->member.name);
    if (r == 0)
        r = hf_buf_add(&x->folders, "", 1);
    return r < 0 ? failed(x, r, err) : 0;
}

static int make_hard_link(struct hf_extract *x, int dirfd, const char *last, struct hf_err *err)
{
    const char *from;
    struct stat st;

    if (!is_normal(x->member.target))
        return damaged(err, "a hard link that leads out of it");
    int from_fd = open_parent(x, x->member.target, &from);
    if (from_fd < 0)
        return failed(x, from_fd, err);
    int r = x->fs->fstatat(x->fs->ctx, from_fd, from, &st, AT_SYMLINK_NOFOLLOW);
    if (r == 0)
        r = S_ISREG(st.st_mode) ? x->fs->linkat(x->fs->ctx, from_fd, from, dirfd, last) : -EBADMSG;
    (void)close_fd(x, from_fd);
    return r < 0 ? failed(x, r, err) : 0;
}

static int make_in(struct hf_extract *x, int dirfd, const char *last, struct hf_err *err)
{
    int r;

    switch (x->member.type) {
    case '0':
        x->fd = x->fs->openat(x->fs->ctx, dirfd, last, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600,
                              HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
        return x->fd < 0 ? failed(x, x->fd, err) : 0;
    case '1':
        return make_hard_link(x, dirfd, last, err);
    case '2':
        r = x->fs->symlinkat(x->fs->ctx, x->member.target, dirfd, last);
        return r < 0 ? failed(x, r, err) : 0;
    default:
        return make_folder(x, dirfd, last, err);
    }
}

static int make_member(struct hf_extract *x, struct hf_err *err)
{
    const char *last;

    if (!is_normal(x->member.name))
        return damaged(err, "a name that leads out of it");
    if (x->member.type != '0' && x->member.size != 0)
        return damaged(err, "content where there can be none");
    if ((x->member.type == '1' || x->member.type == '2') != (x->member.target[0] != '\0'))
        return damaged(err, "a link without a target, or a target without a link");
    if (++x->members > HF_ARCHIVE_MAX_MEMBERS)
        return hf_err_set(err, E2BIG, "archive: more than %d members", HF_ARCHIVE_MAX_MEMBERS);
    int dirfd = open_parent(x, x->member.name, &last);
    if (dirfd < 0)
        return failed(x, dirfd, err);
    int r = make_in(x, dirfd, last, err);
    (void)close_fd(x, dirfd);
    return r;
}

static int end_file(struct hf_extract *x, struct hf_err *err)
{
    int fd = x->fd, r = set_meta(x, fd, x->member.mode);

    x->fd = -1;
    if (r == 0)
        r = x->fs->fsync(x->fs->ctx, fd);
    int closed = close_fd(x, fd);
    if (r == 0)
        r = closed;
    return r < 0 ? failed(x, r, err) : 0;
}

/* ---- bytes ---------------------------------------------------------------------------------------------------------- */

static int start_member(struct hf_extract *x, struct hf_err *err)
{
    unsigned flags = 0;
    int r = tar_head_parse((const unsigned char *)x->head.p, x->head.n, &x->member, &flags, &x->text, &x->xattrs, err);

    hf_buf_clear(&x->head);
    x->head_want = TAR_BLOCK;
    if (r < 0)
        return r;
    if (flags != 0) {
        if (x->members != 0 || x->flags != 0)
            return damaged(err, "a second beginning");
        x->flags = flags;
        return 0;
    }
    r = make_member(x, err);
    x->done = 0;
    if (r == 0 && x->member.type == '0')
        x->state = AT_CONTENT;
    if (r == 0 && x->member.type == '0' && x->member.size == 0) {
        x->state = AT_HEAD;
        r = end_file(x, err);
    }
    return r;
}

static int take_head(struct hf_extract *x, const unsigned char **p, const unsigned char *end, struct hf_err *err)
{
    static const unsigned char zeros[TAR_BLOCK];
    size_t n = HF_MIN((size_t)(end - *p), x->head_want - x->head.n);

    if (hf_buf_add(&x->head, *p, n) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    *p += n;
    if (x->head.n < x->head_want)
        return 0;
    if (x->head.n == TAR_BLOCK && memcmp(x->head.p, zeros, TAR_BLOCK) == 0) {
        x->state = AT_END;
        x->done = TAR_BLOCK;
        return 0;
    }
    size_t want = tar_head_bytes((const unsigned char *)x->head.p);
    if (want == 0 || want > HF_ARCHIVE_MAX_HEAD)
        return damaged(err, "a header of a kind that does not belong there");
    if (want > x->head.n) {
        x->head_want = want;
        return 0;
    }
    return start_member(x, err);
}

static int take_content(struct hf_extract *x, const unsigned char **p, const unsigned char *end, struct hf_err *err)
{
    size_t n = (size_t)HF_MIN((uint64_t)(end - *p), x->member.size - x->done);

    int r = hf_file_write_all(x->fs, x->fd, *p, n, x->done);

    if (r < 0)
        return failed(x, r, err);
    *p += n;
    x->done += n;
    if (x->done < x->member.size)
        return 0;
    x->state = x->done % TAR_BLOCK != 0 ? AT_PADDING : AT_HEAD;
    return end_file(x, err);
}

static int take_zeros(struct hf_extract *x, const unsigned char **p, const unsigned char *end, uint64_t until,
                      struct hf_err *err)
{
    for (; *p < end && x->done < until; (*p)++, x->done++)
        if (**p != 0)
            return damaged(err, "bytes where there should be none");
    if (x->state == AT_END && *p < end)
        return damaged(err, "bytes behind its end");
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
            r = take_zeros(x, &p, end, tar_padded(x->member.size), err);
            break;
        case AT_END:
            r = take_zeros(x, &p, end, 2 * TAR_BLOCK, err);
            break;
        }
    }
    return r;
}

int hf_extract_new(const struct hf_fs_ops *fs, int dirfd, struct hf_extract **ret_extract, struct hf_err *err)
{
    struct hf_extract *x = calloc(1, sizeof(*x));

    if (x == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    x->fs = fs;
    x->dirfd = dirfd;
    x->fd = -1;
    x->head_want = TAR_BLOCK;
    x->head.max = x->text.max = x->xattrs.max = HF_ARCHIVE_MAX_HEAD;
    x->folders.max = (size_t)64 << 20;
    *ret_extract = x;
    return 0;
}

void hf_extract_free(struct hf_extract *x)
{
    if (x == NULL)
        return;
    if (x->fd >= 0)
        (void)close_fd(x, x->fd);
    hf_buf_done(&x->head);
    hf_buf_done(&x->text);
    hf_buf_done(&x->xattrs);
    hf_buf_done(&x->folders);
    free(x);
}

static int end_folder(const struct hf_extract *x, const char *name, unsigned mode)
{
    int fd = open_beneath(x, name, O_RDONLY | O_DIRECTORY, 0);

    if (fd < 0)
        return fd;
    int r = x->fs->fchmod(x->fs->ctx, fd, mode);
    if (r == 0)
        r = x->fs->fsync(x->fs->ctx, fd);
    (void)close_fd(x, fd);
    return r;
}

int hf_extract_finish(struct hf_extract *x, struct hf_err *err)
{
    const char *p = hf_buf_str(&x->folders), *start = p, *last = p + x->folders.n;

    if (x->state != AT_END || x->done != 2 * TAR_BLOCK)
        return damaged(err, "it is cut off");
    /* From the last to the first: one whose mode forbids entering would hide those in it. */
    while (last > start) {
        const char *entry = last - 1;
        while (entry > start && entry[-1] != '\0')
            entry--;
        int r = end_folder(x, strchr(entry, ' ') + 1, (unsigned)strtoul(entry, NULL, 8));
        if (r < 0)
            return hf_err_sys(err, r, "finish '%.200s'", strchr(entry, ' ') + 1);
        last = entry;
    }
    int r = x->fs->fsync(x->fs->ctx, x->dirfd);
    return r < 0 ? hf_err_sys(err, r, "sync the folder") : 0;
}
