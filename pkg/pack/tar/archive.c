/* SPDX-License-Identifier: Apache-2.0 */
/* hf_archive_new() walks the folder once, in order of names, and records for each member where its headers begin and
 * how long they are; so any offset is found by binary search. Headers are made again when they are read, from the
 * folder as it is then; content is read from the files, of which a few stay open. If headers have another length
 * than at first, or a file ends early, the read fails with -ESTALE; other changes give the archive another hash.
 *
 * The first name of a file with several names is the file, the others are hard links: a hash table by device and
 * inode finds the first. Each path is opened beneath the folder and never through a symbolic link. */
#include "pack/tar/archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/macros.h"
#include "pack/tar/tar_head.h"

enum { OPEN_FILES = 8, XATTRS_MAX = 1 << 16, END_BYTES = 2 * HF_TAR_BLOCK, STEP = 1 << 16 };

struct archive_member {
    uint64_t at;   /* offset of its headers in the archive */
    uint64_t size; /* bytes of its content */
    uint32_t head_n;
    uint32_t name; /* offset in archive->names */
    uint32_t mode, uid, gid;
    uint32_t link; /* hard links: index of the member with the file's first name */
    char type;
};

struct hf_archive {
    const struct hf_fs_ops *fs;
    int dirfd;
    unsigned flags;
    const atomic_bool *cancel;
    struct hf_buf prefix; /* global header that names the flags; empty without flags */
    struct hf_buf names;  /* each with a final zero byte */
    struct archive_member *members;
    uint32_t n, cap;
    uint64_t size; /* without the two zero blocks at the end */
    char path[HF_TAR_MAX_NAME];
    size_t path_n;
    struct hf_buf head; /* headers of members[head_of - 1] */
    uint32_t head_of;
    struct {
        uint32_t of; /* member: index + 1; 0: free slot */
        int fd;
    } open[OPEN_FILES];
    unsigned next_open;
    struct inode {
        dev_t dev;
        ino_t ino;
        uint32_t first;
    } * inodes; /* hash table of files with several names; first: member index + 1, 0: empty */
    size_t inodes_n, inodes_cap;
    struct hf_err trouble;
};

static const char *name_of(const struct hf_archive *archive, uint32_t i)
{
    return archive->names.p + archive->members[i].name;
}

static int open_member(const struct hf_archive *archive, const char *name, int flags)
{
    return archive->fs->openat(archive->fs->ctx, archive->dirfd, name[0] != '\0' ? name : ".",
                               flags | O_NOFOLLOW | O_CLOEXEC, 0, HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
}

/* ---- heads ------------------------------------------------------------------------------------------------------- */

static bool is_left_out(const char *name)
{
    static const char *const names[] = {"security.ima", "security.evm", "security.selinux", "system.nfs4_acl"};

    for (size_t i = 0; i < HF_LEN(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return strncmp(name, "trusted.overlay.", 16) == 0;
}

static int add_xattr(const struct hf_archive *archive, int fd, const char *name, struct hf_buf *records)
{
    _cleanup_(hf_freep) char *value = malloc(XATTRS_MAX);
    char key[300];

    if (value == NULL)
        return -ENOMEM;
    ssize_t n = archive->fs->fgetxattr(archive->fs->ctx, fd, name, value, XATTRS_MAX);
    if (n < 0)
        return (int)n;
    (void)snprintf(key, sizeof(key), "SCHILY.xattr.%s", name);
    return tar_record_add(records, key, value, (size_t)n);
}

struct xattr_names {
    char text[XATTRS_MAX];
    const char *sorted[256];
    size_t n;
};

/* Opens a member, and lists the attributes that an archive includes. Returns the descriptor. */
static int list_xattrs(const struct hf_archive *archive, const char *name, bool folder, struct xattr_names *names)
{
    int fd = open_member(archive, name, folder ? O_RDONLY | O_DIRECTORY : O_RDONLY | O_NONBLOCK);

    names->n = 0;
    if (fd < 0)
        return fd;
    ssize_t got = archive->fs->flistxattr(archive->fs->ctx, fd, names->text, XATTRS_MAX);
    if (got < 0 && got != -EOPNOTSUPP) {
        (void)archive->fs->close(archive->fs->ctx, fd);
        return (int)got;
    }
    for (const char *p = names->text; got > 0 && p < names->text + got && names->n < HF_LEN(names->sorted);
         p += strlen(p) + 1)
        if (!is_left_out(p))
            names->sorted[names->n++] = p;
    if (names->n > 0)
        qsort(names->sorted, names->n, sizeof(names->sorted[0]), hf_array_by_string);
    return fd;
}

static int read_xattrs(const struct hf_archive *archive, const char *name, bool folder, struct hf_buf *records)
{
    _cleanup_(hf_freep) struct xattr_names *names = malloc(sizeof(*names));
    int fd = names != NULL ? list_xattrs(archive, name, folder, names) : -ENOMEM, r = 0;

    if (fd < 0)
        return fd;
    for (size_t i = 0; r == 0 && i < names->n; i++)
        r = add_xattr(archive, fd, names->sorted[i], records);
    (void)archive->fs->close(archive->fs->ctx, fd);
    return r;
}

/* The remedy for an attribute that gets lost. */
static const char *advice(const char *xattr)
{
    if (strcmp(xattr, "security.capability") == 0)
        return "remove the file capabilities (setcap -r) and give them to the service (AmbientCapabilities= of its "
               "unit)";
    if (strncmp(xattr, "system.posix_acl_", 17) == 0)
        return "remove the access list (setfacl -b)";
    return "remove it (setfattr -x)";
}

static int check_plain(const struct hf_archive *archive, const char *name, bool folder, struct hf_err *err)
{
    _cleanup_(hf_freep) struct xattr_names *names = malloc(sizeof(*names));
    int fd = names != NULL ? list_xattrs(archive, name, folder, names) : -ENOMEM;

    if (fd < 0)
        return hf_err_sys(err, fd, "read the attributes of '%.200s'", name);
    (void)archive->fs->close(archive->fs->ctx, fd);
    if (names->n == 0)
        return 0;
    return hf_err_set(err, EBADMSG, "'%.90s' has the attribute %.40s, which a release does not carry: %s",
                      name[0] != '\0' ? name : ".", names->sorted[0], advice(names->sorted[0]));
}

static int read_link(const struct hf_archive *archive, const char *name, char target[HF_TAR_MAX_NAME])
{
    char copy[HF_TAR_MAX_NAME];
    char *slash;

    (void)snprintf(copy, sizeof(copy), "%s", name);
    slash = strrchr(copy, '/');
    if (slash != NULL)
        *slash = '\0';
    int fd = open_member(archive, slash != NULL ? copy : "", O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return fd;
    ssize_t n =
        archive->fs->readlinkat(archive->fs->ctx, fd, slash != NULL ? slash + 1 : copy, target, HF_TAR_MAX_NAME);
    (void)archive->fs->close(archive->fs->ctx, fd);
    if (n < 0 || n >= HF_TAR_MAX_NAME)
        return n < 0 ? (int)n : -ENAMETOOLONG;
    target[n] = '\0';
    return 0;
}

/* Formats the headers of a member from the folder as it is now. */
static int make_head(const struct hf_archive *archive, uint32_t i, struct hf_buf *out)
{
    const struct archive_member *member = &archive->members[i];
    _cleanup_(hf_buf_done) struct hf_buf xattrs = HF_BUF_INIT(HF_TAR_MAX_HEAD / 2);
    char target[HF_TAR_MAX_NAME] = "";
    struct tar_head head = {.type = member->type,
                            .name = name_of(archive, i),
                            .target = target,
                            .mode = member->mode,
                            .uid = member->uid,
                            .gid = member->gid,
                            .size = member->size,
                            .xattrs = &xattrs};
    int r = 0;

    if (member->type == '2')
        r = read_link(archive, head.name, target);
    else if (member->type == '1')
        head.target = name_of(archive, member->link);
    else if ((archive->flags & HF_ARCHIVE_XATTRS) != 0)
        r = read_xattrs(archive, head.name, member->type == '5', &xattrs);
    return r == 0 ? tar_head_format(&head, out) : r;
}

/* ---- listing the folder ------------------------------------------------------------------------------------------ */

static int grow(struct hf_archive *archive, struct hf_err *err)
{
    int r = hf_array_grow(archive->members, archive->n, archive->cap, HF_TAR_MAX_MEMBERS);

    if (r == -E2BIG)
        return hf_err_set(err, E2BIG, "the folder has more than %d members", HF_TAR_MAX_MEMBERS);
    return r < 0 ? hf_err_set(err, ENOMEM, "out of memory") : 0;
}

static struct inode *find_inode(struct inode *table, size_t cap, dev_t dev, ino_t ino)
{
    size_t i = (size_t)((ino ^ (uint64_t)dev << 32) * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (cap - 1);

    while (table[i].first != 0 && (table[i].ino != ino || table[i].dev != dev))
        i = (i + 1) & (cap - 1);
    return &table[i];
}

static int grow_inodes(struct hf_archive *archive, struct hf_err *err)
{
    size_t cap = archive->inodes_cap > 0 ? 2 * archive->inodes_cap : 64;
    struct inode *table = calloc(cap, sizeof(*table));

    if (table == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    for (size_t i = 0; i < archive->inodes_cap; i++) {
        const struct inode *inode = &archive->inodes[i];
        if (inode->first != 0)
            *find_inode(table, cap, inode->dev, inode->ino) = *inode;
    }
    free(archive->inodes);
    archive->inodes = table;
    archive->inodes_cap = cap;
    return 0;
}

/* Sets *ret_first to the member that has the first name of this file: `self` if there is none before. */
static int find_first(struct hf_archive *archive, const struct stat *st, uint32_t self, uint32_t *ret_first,
                      struct hf_err *err)
{
    int r = 2 * archive->inodes_n >= archive->inodes_cap ? grow_inodes(archive, err) : 0;

    if (r < 0)
        return r;
    struct inode *inode = find_inode(archive->inodes, archive->inodes_cap, st->st_dev, st->st_ino);
    if (inode->first == 0) {
        *inode = (struct inode){st->st_dev, st->st_ino, self + 1};
        archive->inodes_n++;
    }
    *ret_first = inode->first - 1;
    return 0;
}

static int describe(struct hf_archive *archive, const struct stat *st, struct archive_member *member,
                    struct hf_err *err)
{
    uint32_t first = archive->n;
    int r = 0;

    memset(member, 0, sizeof(*member));
    member->mode = S_ISLNK(st->st_mode) ? 0777 : st->st_mode & 07777;
    if ((archive->flags & HF_ARCHIVE_OWNERS) != 0) {
        member->uid = st->st_uid;
        member->gid = st->st_gid;
    }
    if (S_ISDIR(st->st_mode)) {
        member->type = '5';
    } else if (S_ISLNK(st->st_mode)) {
        member->type = '2';
    } else if (S_ISREG(st->st_mode)) {
        if (st->st_nlink > 1)
            r = find_first(archive, st, archive->n, &first, err);
        member->type = first == archive->n ? '0' : '1';
        member->link = first;
        member->size = first == archive->n ? (uint64_t)st->st_size : 0;
    } else {
        r = hf_err_set(err, EBADMSG, "'%.200s' is a socket, a pipe or a device", archive->path);
    }
    return r;
}

static int add_member(struct hf_archive *archive, const struct stat *st, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf head = HF_BUF_INIT(HF_TAR_MAX_HEAD);
    struct archive_member member;
    int r = grow(archive, err);

    if (r == 0)
        r = describe(archive, st, &member, err);
    if (r < 0)
        return r;
    member.name = (uint32_t)archive->names.n;
    member.at = archive->size;
    if (hf_buf_add(&archive->names, archive->path, archive->path_n + 1) < 0)
        return hf_err_set(err, E2BIG, "the names have more than %zu bytes", archive->names.max);
    archive->members[archive->n++] = member;
    if ((archive->flags & HF_ARCHIVE_PLAIN) != 0 && (member.type == '0' || member.type == '5'))
        r = check_plain(archive, archive->path, member.type == '5', err);
    if (r < 0)
        return r;
    r = make_head(archive, archive->n - 1, &head);
    if (r < 0)
        return hf_err_sys(err, r, "read '%.200s'", archive->path);
    archive->members[archive->n - 1].head_n = (uint32_t)head.n;
    archive->size += head.n + hf_tar_padded(member.size);
    return 0;
}

struct archive_names {
    char **p;
    size_t n, cap;
};

static void names_done(struct archive_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->p[i]);
    free(names->p);
}

static int add_name(void *arg, const char *name, unsigned char type)
{
    struct archive_names *names = arg;

    (void)type;
    int r = hf_array_grow(names->p, names->n, names->cap, HF_TAR_MAX_MEMBERS);
    if (r < 0)
        return r;
    names->p[names->n] = strdup(name);
    return names->p[names->n++] != NULL ? 0 : -ENOMEM;
}

static int add_folder(struct hf_archive *archive, int fd, unsigned depth, struct hf_err *err);

/* NOLINTNEXTLINE(misc-no-recursion): at most HF_TAR_MAX_DEPTH deep */
static int add_entry(struct hf_archive *archive, int dirfd, const char *name, unsigned depth, struct hf_err *err)
{
    const struct hf_fs_ops *fs = archive->fs;
    struct stat st;

    if (archive->cancel != NULL && atomic_load(archive->cancel))
        return hf_err_set(err, ECANCELED, "cancelled");
    int r = fs->fstatat(fs->ctx, dirfd, name, &st, AT_SYMLINK_NOFOLLOW);
    if (r < 0)
        return hf_err_sys(err, r, "read '%.200s'", archive->path);
    r = add_member(archive, &st, err);
    if (r < 0 || !S_ISDIR(st.st_mode))
        return r;
    int fd = fs->openat(fs->ctx, dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
                        HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
    if (fd < 0)
        return hf_err_sys(err, fd, "open '%.200s'", archive->path);
    r = add_folder(archive, fd, depth + 1, err);
    (void)fs->close(fs->ctx, fd);
    return r;
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static int add_folder(struct hf_archive *archive, int fd, unsigned depth, struct hf_err *err)
{
    _cleanup_(names_done) struct archive_names names = {.n = 0};
    size_t before = archive->path_n;

    if (depth > HF_TAR_MAX_DEPTH)
        return hf_err_set(err, E2BIG, "'%.200s' is nested deeper than %d folders", archive->path, HF_TAR_MAX_DEPTH);
    int r = archive->fs->list(archive->fs->ctx, fd, add_name, &names);
    if (r < 0)
        return hf_err_sys(err, r, "list '%.200s'", archive->path);
    if (names.n > 0)
        qsort(names.p, names.n, sizeof(char *), hf_array_by_string);
    for (size_t i = 0; r == 0 && i < names.n; i++) {
        int n =
            snprintf(archive->path + before, sizeof(archive->path) - before, "%s%s", before > 0 ? "/" : "", names.p[i]);
        if (n < 0 || (size_t)n >= sizeof(archive->path) - before)
            return hf_err_set(err, ENAMETOOLONG, "'%.100s/%.100s' is longer than %d bytes", archive->path, names.p[i],
                              HF_TAR_MAX_NAME - 1);
        archive->path_n = before + (size_t)n;
        r = add_entry(archive, fd, names.p[i], depth, err);
        archive->path_n = before;
        archive->path[before] = '\0';
    }
    return r;
}

static bool has_files(const struct hf_archive *archive)
{
    for (uint32_t i = 0; i < archive->n; i++)
        if (archive->members[i].type != '5')
            return true;
    return false;
}

int hf_archive_new(const struct hf_fs_ops *fs, int dirfd, unsigned flags, const atomic_bool *cancel,
                   struct hf_archive **ret_archive, struct hf_err *err)
{
    struct hf_archive *archive = calloc(1, sizeof(*archive));
    int r;

    if (archive == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    archive->fs = fs;
    archive->dirfd = dirfd;
    archive->flags = flags;
    archive->cancel = cancel;
    archive->names.max = (size_t)64 << 20;
    archive->head.max = HF_TAR_MAX_HEAD;
    archive->prefix.max = HF_TAR_MAX_HEAD;
    unsigned recorded = flags & ~(unsigned)HF_ARCHIVE_PLAIN;
    r = recorded != 0 ? tar_prefix_format(recorded, &archive->prefix) : 0;
    if (r < 0) {
        hf_archive_free(archive);
        return hf_err_sys(err, r, "format the archive");
    }
    archive->size = archive->prefix.n;
    int fd = open_member(archive, "", O_RDONLY | O_DIRECTORY);
    r = fd >= 0 ? add_folder(archive, fd, 1, err) : hf_err_sys(err, fd, "open the folder");
    if (fd >= 0)
        (void)fs->close(fs->ctx, fd);
    if (r == 0 && (flags & HF_ARCHIVE_PLAIN) != 0)
        r = has_files(archive) ? check_plain(archive, "", true, err)
                               : hf_err_set(err, EBADMSG, "there is no file in it: nothing to release");
    if (r < 0) {
        hf_archive_free(archive);
        return r;
    }
    *ret_archive = archive;
    return 0;
}

void hf_archive_free(struct hf_archive *archive)
{
    if (archive == NULL)
        return;
    for (unsigned i = 0; i < OPEN_FILES; i++)
        if (archive->open[i].of != 0)
            (void)archive->fs->close(archive->fs->ctx, archive->open[i].fd);
    hf_buf_done(&archive->prefix);
    hf_buf_done(&archive->names);
    hf_buf_done(&archive->head);
    free(archive->members);
    free(archive->inodes);
    free(archive);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static int open_content(struct hf_archive *archive, uint32_t i)
{
    for (unsigned k = 0; k < OPEN_FILES; k++)
        if (archive->open[k].of == i + 1)
            return archive->open[k].fd;
    unsigned slot = archive->next_open++ % OPEN_FILES;
    if (archive->open[slot].of != 0)
        (void)archive->fs->close(archive->fs->ctx, archive->open[slot].fd);
    archive->open[slot].of = 0;
    int fd = open_member(archive, name_of(archive, i), O_RDONLY | O_NONBLOCK);
    if (fd < 0)
        return fd;
    archive->open[slot].of = i + 1;
    archive->open[slot].fd = fd;
    return fd;
}

static uint32_t member_at(const struct hf_archive *archive, uint64_t offset)
{
    return (uint32_t)hf_array_lower_bound(i, archive->n, archive->members[i].at <= offset) - 1;
}

static ssize_t read_head(struct hf_archive *archive, uint32_t i, unsigned char *bytes, size_t n, uint64_t from)
{
    if (archive->head_of != i + 1) {
        archive->head_of = 0;
        hf_buf_clear(&archive->head);
        int r = make_head(archive, i, &archive->head);
        if (r == 0 && archive->head.n != archive->members[i].head_n)
            r = -ESTALE;
        if (r < 0)
            return hf_err_sys(&archive->trouble, r, "'%.200s' has changed or is unreadable", name_of(archive, i));
        archive->head_of = i + 1;
    }
    n = (size_t)HF_MIN((uint64_t)n, archive->head.n - from);
    memcpy(bytes, archive->head.p + from, n);
    return (ssize_t)n;
}

static ssize_t read_content(struct hf_archive *archive, uint32_t i, unsigned char *bytes, size_t n, uint64_t from)
{
    const struct archive_member *member = &archive->members[i];

    if (from >= member->size) {
        n = (size_t)HF_MIN((uint64_t)n, hf_tar_padded(member->size) - from);
        memset(bytes, 0, n);
        return (ssize_t)n;
    }
    int fd = open_content(archive, i);
    ssize_t got = fd;
    if (fd >= 0)
        got = archive->fs->pread(archive->fs->ctx, fd, bytes, (size_t)HF_MIN((uint64_t)n, member->size - from), from);
    if (got <= 0)
        return hf_err_sys(&archive->trouble, got < 0 ? (int)got : -ESTALE, "'%.200s' has changed or is unreadable",
                          name_of(archive, i));
    return got;
}

static ssize_t archive_pread(void *ctx, void *bytes, size_t n, uint64_t offset)
{
    struct hf_archive *archive = ctx;

    if (n == 0 || offset >= archive->size + END_BYTES)
        return 0;
    if (offset < archive->prefix.n) {
        n = (size_t)HF_MIN((uint64_t)n, archive->prefix.n - offset);
        memcpy(bytes, archive->prefix.p + offset, n);
        return (ssize_t)n;
    }
    if (offset >= archive->size) {
        n = (size_t)HF_MIN((uint64_t)n, archive->size + END_BYTES - offset);
        memset(bytes, 0, n);
        return (ssize_t)n;
    }
    uint32_t i = member_at(archive, offset);
    uint64_t from = offset - archive->members[i].at;
    return from < archive->members[i].head_n ? read_head(archive, i, bytes, n, from)
                                             : read_content(archive, i, bytes, n, from - archive->members[i].head_n);
}

struct hf_delta_old hf_archive_bytes(struct hf_archive *archive)
{
    return (struct hf_delta_old){archive, archive_pread, archive->size + END_BYTES};
}

int hf_archive_write(struct hf_archive *archive, int (*write)(void *ctx, const void *bytes, size_t n), void *ctx,
                     struct hf_err *err)
{
    _cleanup_(hf_freep) unsigned char *bytes = malloc(STEP);
    ssize_t n;

    if (bytes == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    for (uint64_t at = 0; (n = archive_pread(archive, bytes, STEP, at)) > 0; at += (uint64_t)n) {
        if (archive->cancel != NULL && atomic_load(archive->cancel))
            return hf_err_set(err, ECANCELED, "cancelled");
        int r = write(ctx, bytes, (size_t)n);
        if (r < 0)
            return hf_err_sys(err, r, "write the archive");
    }
    if (n < 0 && err != NULL)
        *err = archive->trouble;
    return (int)n;
}

static int hash_bytes(void *ctx, const void *bytes, size_t n)
{
    hf_sha256_update(ctx, bytes, n);
    return 0;
}

int hf_archive_digest(struct hf_archive *archive, unsigned char digest[HF_SHA256_BYTES], struct hf_err *err)
{
    struct hf_sha256 hash;

    hf_sha256_init(&hash);
    int r = hf_archive_write(archive, hash_bytes, &hash, err);
    if (r == 0)
        hf_sha256_final(&hash, digest);
    return r;
}
