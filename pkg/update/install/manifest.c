/* SPDX-License-Identifier: Apache-2.0 */
/* Writes and reads manifests; manifest_check.c compares them with a tree.
 *
 * A manifest is written to a file `.new`, synced, renamed, and the folder synced, so that the name always leads to a
 * whole manifest. The writer hashes while it writes; the last line has this hash, and a reader compares it before it
 * returns a record, unless it knows the file by its inode number. A reader needs one buffer, however large the tree
 * is.
 *
 * For a tree that was just extracted, the digests come from the extractor: a file whose inode and ctime are those of
 * the extractor's last write is not read again. Any other file is read, and must have the extractor's digest.
 * Folders are visited by a list of paths, without recursion. Files are opened without a change of their atime where
 * the system allows it: that would write to flash storage.
 *
 * A manifest:
 *
 *     holdfast manifest 1\n
 *     <type> <mode> <uid> <gid> <size> <inode> <ctime, s> <ctime, ns> <sha256 or -> <path>\0
 *     end <number of records, ten digits> <sha256 of all bytes before this line>\0
 *
 * Type: d (folder), f (file) or l (symbolic link). A folder's size is its number of names; a link's SHA-256 that of its
 * text. Paths are relative to the top folder, ".". */
#include "update/install/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/encoding/hex.h"
#include "base/strmap.h"
#include "os/dir.h"
#include "os/file.h"
#include "steps/target.h"
#include "update/install/manifest_record.h"

/* A tree with a larger one is not installed (E2BIG). */
enum { HF_INSTALL_MANIFEST_MAX_BYTES = 64 << 20 };

#define HEAD "holdfast manifest 1\n"
#define PREFIX "manifest."
enum { TAIL = 80, MAX_LINK = 4096 };

static int path_of(const struct hf_install_manifest *manifest, const char *suffix, char path[PATH_MAX])
{
    int n = snprintf(path, PATH_MAX, "%s/" PREFIX "%s%s", manifest->folder, manifest->version, suffix);

    return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

void manifest_record_set(struct manifest_record *record, const struct stat *st)
{
    record->type = S_ISREG(st->st_mode) ? 'f' : S_ISDIR(st->st_mode) ? 'd' : S_ISLNK(st->st_mode) ? 'l' : '\0';
    record->mode = st->st_mode & 07777;
    record->uid = st->st_uid;
    record->gid = st->st_gid;
    record->size = (uint64_t)st->st_size;
    record->inode = st->st_ino;
    record->changed_s = st->st_ctim.tv_sec;
    record->changed_ns = st->st_ctim.tv_nsec;
}

/* Takes a number and the blank behind it. False: another form. */
static bool take(const char **text, int base, uint64_t *ret_number)
{
    char *end;

    errno = 0;
    *ret_number = strtoull(*text, &end, base); /* of "-1" too; the cast to int64_t then gives -1 */
    if (end == *text || *end != ' ' || errno != 0)
        return false;
    *text = end + 1;
    return true;
}

static int parse(const char *text, struct manifest_record *ret_record)
{
    uint64_t mode, uid, gid, size, inode, changed_s, changed_ns;
    char type = text[0];

    if (strchr("dfl", type) == NULL || type == '\0' || text[1] != ' ')
        return -EBADMSG;
    text += 2;
    if (!take(&text, 8, &mode) || !take(&text, 10, &uid) || !take(&text, 10, &gid) || !take(&text, 10, &size) ||
        !take(&text, 10, &inode) || !take(&text, 10, &changed_s) || !take(&text, 10, &changed_ns))
        return -EBADMSG;
    size_t digits = strcspn(text, " ");
    const char *path = text + digits + 1;
    if (digits == 0 || digits >= sizeof(ret_record->sha256) || text[digits] == '\0' || *path == '\0' ||
        strlen(path) >= sizeof(ret_record->path))
        return -EBADMSG;
    ret_record->type = type;
    ret_record->mode = (unsigned)mode;
    ret_record->uid = (uid_t)uid;
    ret_record->gid = (gid_t)gid;
    ret_record->size = size;
    ret_record->inode = inode;
    ret_record->changed_s = (int64_t)changed_s;
    ret_record->changed_ns = (int64_t)changed_ns;
    memcpy(ret_record->sha256, text, digits);
    ret_record->sha256[digits] = '\0';
    memcpy(ret_record->path, path, strlen(path) + 1);
    return 0;
}

static int count_name(void *arg, HF_UNUSED const char *name, unsigned char type)
{
    (void)type;
    ++*(uint64_t *)arg;
    return 0;
}

static int read_link(const struct hf_fs_ops *fs, int dirfd, const char *path, struct manifest_record *record)
{
    char text[MAX_LINK];
    ssize_t n = fs->readlinkat(fs->ctx, dirfd, path, text, sizeof(text));

    if (n < 0 || n == sizeof(text))
        return n < 0 ? (int)n : -ESTALE;
    (void)hf_sha256_hex(text, (size_t)n, record->sha256);
    return 0;
}

static bool same_time(const struct stat *a, const struct stat *b)
{
    return a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* A capability gives rights like set-user-ID does. The extractor makes none. */
static bool has_capability(const struct hf_fs_ops *fs, int fd)
{
    char value[64];

    return fs->fgetxattr(fs->ctx, fd, "security.capability", value, sizeof(value)) >= 0;
}

static int read_open(const struct hf_fs_ops *fs, int fd, const atomic_bool *cancel, struct manifest_record *record,
                     struct hf_failure *failure)
{
    struct stat before, after;
    int r = fs->fstat(fs->ctx, fd, &before);

    if (r < 0)
        return r;
    manifest_record_set(record, &before);
    if (record->type == 'd') {
        record->size = 0;
        (void)snprintf(record->sha256, sizeof(record->sha256), "-");
        r = fs->list(fs->ctx, fd, count_name, &record->size);
    } else if (record->type == 'f') {
        r = has_capability(fs, fd) ? -ESTALE : hf_target_hash_fd(fs, fd, cancel, record->sha256, NULL, failure);
    } else {
        r = -ESTALE;
    }
    if (r == 0)
        r = fs->fstat(fs->ctx, fd, &after);
    return r < 0 ? r : same_time(&before, &after) ? 0 : -ESTALE;
}

/* Opens a file so that reading it does not change its atime, which would write to the card. Only the owner may do
 * so. */
static int open_quietly(const struct hf_fs_ops *fs, int dirfd, const char *path)
{
    const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    const unsigned beneath = HF_FS_BENEATH | HF_FS_NO_SYMLINKS;
    int fd = fs->openat(fs->ctx, dirfd, path, flags | O_NOATIME, 0, beneath);

    return fd != -EPERM ? fd : fs->openat(fs->ctx, dirfd, path, flags, 0, beneath);
}

int manifest_record_read(const struct hf_fs_ops *fs, int dirfd, const char *path, const atomic_bool *cancel,
                         struct manifest_record *record, struct hf_failure *failure)
{
    struct stat st;
    int r = fs->fstatat(fs->ctx, dirfd, path, &st, AT_SYMLINK_NOFOLLOW);

    if (r == 0 && S_ISLNK(st.st_mode)) {
        manifest_record_set(record, &st);
        r = read_link(fs, dirfd, path, record);
    } else if (r == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
        r = -ESTALE;
    } else if (r == 0) {
        int fd = open_quietly(fs, dirfd, path);
        r = fd < 0 ? fd : read_open(fs, fd, cancel, record, failure);
        if (fd >= 0)
            (void)fs->close(fs->ctx, fd);
    }
    return r < 0 ? hf_failure_sys(failure, r, "read '%.200s'", path) : 0;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

int manifest_writer_begin(struct manifest_writer *writer, const struct hf_install_manifest *manifest,
                          struct hf_failure *failure)
{
    const struct hf_fs_ops *fs = manifest->fs;
    char path[PATH_MAX] = "";

    writer->manifest = manifest;
    writer->fd = -1;
    writer->at = 0;
    writer->n = 0;
    writer->count = 0;
    hf_sha256_init(&writer->hash);
    int r = path_of(manifest, ".new", path);
    if (r == 0)
        r = hf_dir_make(fs, manifest->folder, 0700, &failure->err);
    if (r == 0)
        r = fs->unlinkat(fs->ctx, AT_FDCWD, path, 0);
    if (r < 0 && r != -ENOENT)
        return hf_failure_sys(failure, r, "write the manifest '%.200s'", path);
    int fd = fs->openat(fs->ctx, AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600, HF_FS_ANY);
    if (fd < 0)
        return hf_failure_sys(failure, fd, "write the manifest '%.200s'", path);
    writer->fd = fd;
    memcpy(writer->bytes, HEAD, strlen(HEAD));
    writer->n = strlen(HEAD);
    return 0;
}

static int flush(struct manifest_writer *writer, bool hashed, struct hf_failure *failure)
{
    const struct hf_fs_ops *fs = writer->manifest->fs;
    int r = hf_file_write_all(fs, writer->fd, writer->bytes, writer->n, writer->at);

    if (r < 0)
        return hf_failure_sys(failure, r, "write the manifest");
    if (hashed)
        hf_sha256_update(&writer->hash, writer->bytes, writer->n);
    writer->at += writer->n;
    writer->n = 0;
    return 0;
}

int manifest_writer_add(struct manifest_writer *writer, const struct manifest_record *record,
                        struct hf_failure *failure)
{
    int r = writer->n + HF_INSTALL_MANIFEST_RECORD_MAX > sizeof(writer->bytes) ? flush(writer, true, failure) : 0;

    if (r < 0)
        return r;
    if (writer->at + HF_INSTALL_MANIFEST_BUFFER > HF_INSTALL_MANIFEST_MAX_BYTES)
        return hf_failure_set(failure, HF_R_ArchiveInvalid, E2BIG, "the tree has too many files, with too long names");
    int n = snprintf(writer->bytes + writer->n, HF_INSTALL_MANIFEST_RECORD_MAX,
                     "%c %o %u %u %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64 " %s %s", record->type, record->mode,
                     record->uid, record->gid, record->size, record->inode, record->changed_s, record->changed_ns,
                     record->sha256, record->path);
    writer->n += (size_t)n + 1;
    writer->count++;
    return 0;
}

static int commit(struct manifest_writer *writer, struct hf_failure *failure)
{
    const struct hf_install_manifest *manifest = writer->manifest;
    const struct hf_fs_ops *fs = manifest->fs;
    char from[PATH_MAX], to[PATH_MAX];

    (void)!path_of(manifest, ".new", from);
    (void)!path_of(manifest, "", to);
    int r = fs->fsync(fs->ctx, writer->fd);
    (void)fs->close(fs->ctx, writer->fd);
    writer->fd = -1;
    if (r == 0)
        r = fs->renameat(fs->ctx, AT_FDCWD, from, AT_FDCWD, to);
    if (r < 0) {
        (void)fs->unlinkat(fs->ctx, AT_FDCWD, from, 0);
        return hf_failure_sys(failure, r, "write the manifest '%.200s'", to);
    }
    r = hf_dir_sync(fs, manifest->folder, &failure->err);
    return r < 0 ? hf_failure_sys(failure, r, "sync '%.200s'", manifest->folder) : 0;
}

int manifest_writer_end(struct manifest_writer *writer, struct hf_failure *failure)
{
    char hex[HF_SHA256_HEX];
    int r = flush(writer, true, failure);

    if (r < 0)
        return r;
    (void)snprintf(writer->bytes, TAIL + 1, "end %010u %s", writer->count, hf_sha256_final_hex(&writer->hash, hex));
    writer->n = TAIL;
    r = flush(writer, false, failure);
    return r < 0 ? r : commit(writer, failure);
}

void manifest_writer_done(struct manifest_writer *writer)
{
    char path[PATH_MAX];

    if (writer->fd < 0)
        return;
    (void)writer->manifest->fs->close(writer->manifest->fs->ctx, writer->fd);
    writer->fd = -1;
    if (path_of(writer->manifest, ".new", path) == 0)
        (void)writer->manifest->fs->unlinkat(writer->manifest->fs->ctx, AT_FDCWD, path, 0);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* True if the last TAIL bytes are the end that the bytes before require. */
static bool is_whole(struct manifest_reader *reader, bool trusted)
{
    char tail[TAIL + 1] = "", hex[HF_SHA256_HEX], want[HF_SHA256_HEX];
    struct hf_sha256 hash;

    if (reader->fs->pread(reader->fs->ctx, reader->fd, tail, TAIL, reader->end) != TAIL ||
        sscanf(tail, "end %10u %64s", &reader->count, want) != 2)
        return false;
    hf_sha256_init(&hash);
    for (uint64_t at = 0; !trusted && at < reader->end;) {
        size_t step = (size_t)HF_MIN((uint64_t)sizeof(reader->bytes), reader->end - at);
        ssize_t n = reader->fs->pread(reader->fs->ctx, reader->fd, reader->bytes, step, at);
        if (n <= 0)
            return false;
        hf_sha256_update(&hash, reader->bytes, (size_t)n);
        at += (uint64_t)n;
    }
    return trusted || strcmp(hf_sha256_final_hex(&hash, hex), want) == 0;
}

int manifest_reader_open(struct manifest_reader *reader, const struct hf_install_manifest *manifest,
                         uint64_t known_inode)
{
    char path[PATH_MAX];
    struct stat st;
    int r = path_of(manifest, "", path);

    *reader = (struct manifest_reader){.fs = manifest->fs, .fd = -1};
    if (r < 0)
        return r;
    reader->fd =
        manifest->fs->openat(manifest->fs->ctx, AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0, HF_FS_ANY);
    if (reader->fd < 0)
        return reader->fd;
    r = reader->fs->fstat(reader->fs->ctx, reader->fd, &st);
    if (r < 0)
        return r;
    if (!S_ISREG(st.st_mode) || st.st_size < (off_t)(strlen(HEAD) + TAIL) || st.st_size > HF_INSTALL_MANIFEST_MAX_BYTES)
        return -ENOENT;
    reader->end = (uint64_t)st.st_size - TAIL;
    reader->inode = st.st_ino;
    reader->at = strlen(HEAD);
    return is_whole(reader, st.st_ino == known_inode) ? 0 : -ENOENT;
}

void manifest_reader_seek(struct manifest_reader *reader, uint64_t offset)
{
    reader->at = offset;
    reader->from = reader->n = 0;
}

uint64_t manifest_reader_offset(const struct manifest_reader *reader)
{
    return reader->at - (reader->n - reader->from);
}

static int refill(struct manifest_reader *reader)
{
    size_t left = reader->n - reader->from;
    uint64_t step = HF_MIN((uint64_t)(sizeof(reader->bytes) - left), reader->end - HF_MIN(reader->at, reader->end));

    memmove(reader->bytes, reader->bytes + reader->from, left);
    reader->from = 0;
    reader->n = left;
    ssize_t n = reader->fs->pread(reader->fs->ctx, reader->fd, reader->bytes + left, (size_t)step, reader->at);
    if (n <= 0)
        return n < 0 ? (int)n : -EBADMSG;
    reader->at += (uint64_t)n;
    reader->n += (size_t)n;
    return 0;
}

int manifest_reader_next(struct manifest_reader *reader, struct manifest_record *ret_record)
{
    if (manifest_reader_offset(reader) >= reader->end)
        return 0;
    for (;;) {
        const char *text = reader->bytes + reader->from, *end = memchr(text, '\0', reader->n - reader->from);
        if (end != NULL) {
            reader->from += (size_t)(end - text) + 1;
            int r = parse(text, ret_record);
            return r < 0 ? r : 1;
        }
        if (reader->n - reader->from > HF_INSTALL_MANIFEST_RECORD_MAX)
            return -EBADMSG;
        int r = refill(reader);
        if (r < 0)
            return r;
    }
}

void manifest_reader_done(struct manifest_reader *reader)
{
    if (reader->fd >= 0)
        (void)reader->fs->close(reader->fs->ctx, reader->fd);
    reader->fd = -1;
}

/* ---- digests of the extractor ------------------------------------------------------------------------------------ */

struct hf_install_manifest_digest {
    uint64_t inode;
    int64_t changed_s, changed_ns;
    size_t order;
    unsigned char digest[HF_SHA256_BYTES];
};

int hf_install_manifest_digests_add(void *arg, const struct stat *st, const unsigned char *digest)
{
    struct hf_install_manifest_digests *digests = arg;

    if (hf_array_grow(digests->p, digests->n, digests->capacity, HF_ARRAY_ANY) < 0)
        return -ENOMEM;
    struct hf_install_manifest_digest *one = &digests->p[digests->n];
    *one = (struct hf_install_manifest_digest){
        .inode = st->st_ino, .changed_s = st->st_ctim.tv_sec, .changed_ns = st->st_ctim.tv_nsec, .order = digests->n++};
    memcpy(one->digest, digest, sizeof(one->digest));
    digests->sorted = false;
    return 0;
}

void hf_install_manifest_digests_done(struct hf_install_manifest_digests *digests)
{
    free(digests->p);
    *digests = (struct hf_install_manifest_digests){.n = 0};
}

/* A later file may have the inode of one that the archive replaced: the later one comes last. */
static int by_inode(const void *a, const void *b)
{
    const struct hf_install_manifest_digest *one = a, *other = b;

    if (one->inode != other->inode)
        return one->inode < other->inode ? -1 : 1;
    return one->order < other->order ? -1 : 1;
}

static const struct hf_install_manifest_digest *find_digest(struct hf_install_manifest_digests *digests, uint64_t inode)
{
    if (!digests->sorted && digests->n > 1)
        qsort(digests->p, digests->n, sizeof(*digests->p), by_inode);
    digests->sorted = true;
    size_t above = hf_array_lower_bound(i, digests->n, digests->p[i].inode <= inode);
    return above > 0 && digests->p[above - 1].inode == inode ? &digests->p[above - 1] : NULL;
}

/* ---- a tree ------------------------------------------------------------------------------------------------------ */

struct walk {
    const struct hf_install_manifest *manifest;
    int top_fd;
    struct hf_install_manifest_digests *digests;
    const atomic_bool *cancel;
    struct manifest_writer writer;
    uint64_t n_names;
    struct hf_buf folders, names; /* paths of folders to visit; names in the open one; with a final zero each */
    struct hf_failure *failure;
};

static void walk_free(struct walk *walk)
{
    if (walk == NULL)
        return;
    manifest_writer_done(&walk->writer);
    hf_buf_done(&walk->folders);
    hf_buf_done(&walk->names);
    free(walk);
}
HF_DEFINE_CLEANUP(struct walk, walk_free)

static int note_name(void *arg, const char *name, unsigned char type)
{
    struct walk *walk = arg;

    (void)type;
    walk->n_names++;
    return hf_buf_add(&walk->names, name, strlen(name) + 1);
}

static int not_ours(struct walk *walk, const char *path)
{
    return hf_failure_set(walk->failure, HF_R_TargetChanged, ESTALE,
                          "'%.200s' changed while the agent unpacked the archive", path);
}

/* Fills in the record of a file. If its ctime is that of the extractor's last write, the extractor's digest is right.
 * */
static int digest_file(struct walk *walk, int dirfd, const char *name, const struct stat *st,
                       struct manifest_record *record)
{
    const struct hf_install_manifest_digest *digest = NULL;
    char want[HF_SHA256_HEX] = "";

    if (walk->digests != NULL) {
        digest = find_digest(walk->digests, st->st_ino);
        if (digest == NULL)
            return not_ours(walk, record->path);
        (void)hf_hex_encode(digest->digest, sizeof(digest->digest), want);
        if (digest->changed_s == st->st_ctim.tv_sec && digest->changed_ns == st->st_ctim.tv_nsec) {
            manifest_record_set(record, st);
            memcpy(record->sha256, want, sizeof(want));
            return 0;
        }
    }
    int r = manifest_record_read(walk->manifest->fs, dirfd, name, walk->cancel, record, walk->failure);
    return r < 0 || digest == NULL || strcmp(want, record->sha256) == 0 ? r : not_ours(walk, record->path);
}

static int add_name(struct walk *walk, int dirfd, const char *folder, const char *name)
{
    struct manifest_record record = {.type = '\0'};
    struct stat st;
    int n = strcmp(folder, ".") == 0 ? snprintf(record.path, sizeof(record.path), "%s", name)
                                     : snprintf(record.path, sizeof(record.path), "%s/%s", folder, name);

    if (n >= (int)sizeof(record.path))
        return hf_failure_set(walk->failure, HF_R_ArchiveInvalid, E2BIG, "the name '%.200s...' is too long",
                              record.path);
    int r = walk->manifest->fs->fstatat(walk->manifest->fs->ctx, dirfd, name, &st, AT_SYMLINK_NOFOLLOW);
    if (r < 0)
        return hf_failure_sys(walk->failure, r, "stat '%.200s'", record.path);
    if (S_ISDIR(st.st_mode)) {
        r = hf_buf_add(&walk->folders, record.path, strlen(record.path) + 1);
        return r < 0 ? hf_failure_sys(walk->failure, r, "list the tree") : 0;
    }
    r = S_ISREG(st.st_mode)
            ? digest_file(walk, dirfd, name, &st, &record)
            : manifest_record_read(walk->manifest->fs, dirfd, name, walk->cancel, &record, walk->failure);
    return r < 0 ? r : manifest_writer_add(&walk->writer, &record, walk->failure);
}

static int add_folder(struct walk *walk, const char *path)
{
    const struct hf_fs_ops *fs = walk->manifest->fs;
    _cleanup_(hf_fs_fd_done) struct hf_fs_fd folder = {fs, -1};
    struct manifest_record record = {.type = '\0'};
    struct stat st;

    (void)snprintf(record.path, sizeof(record.path), "%s", path);
    folder.fd = fs->openat(fs->ctx, walk->top_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
                           HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
    int r = folder.fd < 0 ? folder.fd : fs->fstat(fs->ctx, folder.fd, &st);
    if (r >= 0)
        r = fs->list(fs->ctx, folder.fd, note_name, walk);
    if (r < 0)
        return hf_failure_sys(walk->failure, r, "list '%.200s'", path);
    manifest_record_set(&record, &st);
    record.size = walk->n_names;
    (void)snprintf(record.sha256, sizeof(record.sha256), "-");
    r = manifest_writer_add(&walk->writer, &record, walk->failure);
    for (size_t at = 0; r == 0 && at < walk->names.n; at += strlen(walk->names.p + at) + 1)
        r = add_name(walk, folder.fd, path, walk->names.p + at);
    hf_buf_clear(&walk->names);
    walk->n_names = 0;
    return r;
}

/* Takes the last folder of the list. */
static bool take_folder(struct hf_buf *folders, char path[HF_TAR_MAX_NAME])
{
    if (folders->n == 0)
        return false;
    size_t at = folders->n - 1;
    while (at > 0 && folders->p[at - 1] != '\0')
        at--;
    (void)snprintf(path, HF_TAR_MAX_NAME, "%s", folders->p + at);
    folders->n = at;
    return true;
}

int hf_install_manifest_write(const struct hf_install_manifest *manifest, int top_fd,
                              const struct hf_install_manifest_source *source, const atomic_bool *cancel,
                              struct hf_failure *failure)
{
    _cleanup_(walk_freep) struct walk *walk = calloc(1, sizeof(*walk));
    char path[HF_TAR_MAX_NAME];

    if (walk == NULL)
        return hf_failure_sys(failure, -ENOMEM, "list the tree");
    walk->writer.fd = -1;
    walk->folders.max = walk->names.max = HF_INSTALL_MANIFEST_MAX_BYTES;
    walk->manifest = manifest;
    walk->top_fd = top_fd;
    walk->digests = source->digests;
    walk->cancel = cancel;
    walk->failure = failure;
    int r = manifest_writer_begin(&walk->writer, manifest, failure);
    if (r == 0)
        r = add_folder(walk, ".");
    while (r == 0 && take_folder(&walk->folders, path))
        r = add_folder(walk, path);
    if (r == 0 && source->digests == NULL)
        r = source->agree(source->arg);
    return r < 0 ? r : manifest_writer_end(&walk->writer, failure);
}

/* ---- a single file ----------------------------------------------------------------------------------------------- */

int hf_install_manifest_write_file(const struct hf_install_manifest *manifest, const struct stat *st,
                                   const char *sha256, struct hf_failure *failure)
{
    _cleanup_(hf_freep) struct manifest_writer *writer = malloc(sizeof(*writer));
    struct manifest_record record = {.path = "."};

    if (writer == NULL)
        return hf_failure_sys(failure, -ENOMEM, "write the manifest");
    manifest_record_set(&record, st);
    (void)snprintf(record.sha256, sizeof(record.sha256), "%s", sha256);
    int r = manifest_writer_begin(writer, manifest, failure);
    if (r == 0)
        r = manifest_writer_add(writer, &record, failure);
    if (r == 0)
        r = manifest_writer_end(writer, failure);
    manifest_writer_done(writer);
    return r;
}

int hf_install_manifest_read_file(const struct hf_install_manifest *manifest, struct stat *ret_st)
{
    _cleanup_(hf_freep) struct manifest_reader *reader = malloc(sizeof(*reader));
    struct manifest_record record = {.type = '\0'};

    if (reader == NULL)
        return -ENOMEM;
    int r = manifest_reader_open(reader, manifest, 0);
    if (r == 0)
        r = manifest_reader_next(reader, &record);
    manifest_reader_done(reader);
    if (r <= 0 || record.type != 'f')
        return r == -ENOMEM ? r : -ENOENT;
    *ret_st = (struct stat){.st_mode = S_IFREG | record.mode,
                            .st_uid = record.uid,
                            .st_gid = record.gid,
                            .st_size = (off_t)record.size,
                            .st_ino = record.inode,
                            .st_ctim = {record.changed_s, (long)record.changed_ns}};
    return 0;
}

/* ---- cleaning ---------------------------------------------------------------------------------------------------- */

struct spent {
    const char *const *keep;
    size_t n;
    bool unfinished; /* only manifests that a power cut left unfinished */
    struct hf_strmap names;
};

static bool is_unfinished(const char *name)
{
    size_t n = strlen(name), suffix = strlen(".new");

    return n > suffix && strcmp(name + n - suffix, ".new") == 0;
}

static int note_spent(void *arg, const char *name, unsigned char type)
{
    struct spent *spent = arg;

    (void)type;
    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
        return 0;
    if (spent->unfinished && !is_unfinished(name))
        return 0;
    for (size_t i = 0; i < spent->n; i++)
        if (strcmp(name + strlen(PREFIX), spent->keep[i]) == 0)
            return 0;
    return hf_strmap_put(&spent->names, name, NULL);
}

static int remove_spent(const struct hf_fs_ops *fs, const char *folder, struct spent spent, struct hf_failure *failure)
{
    _cleanup_(hf_fs_fd_done) struct hf_fs_fd dir = {
        fs, fs->openat(fs->ctx, AT_FDCWD, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY)};

    if (dir.fd == -ENOENT)
        return 0;
    int r = dir.fd < 0 ? dir.fd : fs->list(fs->ctx, dir.fd, note_spent, &spent);
    for (size_t i = 0; r == 0 && i < spent.names.n; i++)
        r = fs->unlinkat(fs->ctx, dir.fd, spent.names.entries[i].key, 0);
    if (r == 0 && spent.names.n > 0)
        r = fs->fsync(fs->ctx, dir.fd);
    hf_strmap_done(&spent.names);
    return r < 0 ? hf_failure_sys(failure, r, "remove old manifests") : 0;
}

int hf_install_manifest_clean(const struct hf_fs_ops *fs, const char *folder, const char *const *keep, size_t n,
                              struct hf_failure *failure)
{
    return remove_spent(fs, folder, (struct spent){.keep = keep, .n = n}, failure);
}

int hf_install_manifest_clean_unfinished(const struct hf_fs_ops *fs, const char *folder, struct hf_failure *failure)
{
    return remove_spent(fs, folder, (struct spent){.unfinished = true}, failure);
}
