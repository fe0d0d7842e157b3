/* SPDX-License-Identifier: Apache-2.0 */
/* The parts among an archive's files are layers and configurations, by their names and first bytes. Every content
 * store has these for an image that it runs; indexes, manifests and attestations are small, and some stores lack
 * them. Files of equal content are one part.
 *
 * A reader of the concatenation finds the part by binary search. From a store it opens blobs by their digests, a few
 * at a time, never through a symbolic link; from an archive it knows each part's offset, found once by size and then
 * by hash. Opening checks that every part is there with its size; the content is checked by the hash of the whole
 * old file. */
#include "pack/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/encoding/hex.h"
#include "base/macros.h"
#include "pack/tar/tar_read.h"

enum { OPEN_BLOBS = 8, JSON_MAX = 1 << 20, PIECE = 1 << 16 };

struct part {
    uint64_t at, size; /* place in the concatenation */
    uint64_t offset;   /* in the archive */
    char hex[HF_SHA256_HEX];
    int fd; /* in a store; -1: closed */
};

struct hf_image {
    const struct hf_fs_ops *fs; /* the store; NULL: `archive` */
    int dirfd;
    struct hf_delta_old archive;
    struct part *parts;
    size_t n;
    uint64_t size;
    size_t open[OPEN_BLOBS]; /* parts with an open file: index + 1; 0: free slot */
    unsigned next_open;
};

/* ---- the files of an archive ------------------------------------------------------------------------------------- */

static int read_exactly(const struct hf_delta_old *from, void *bytes, size_t n, uint64_t at, struct hf_err *err)
{
    unsigned char *p = bytes;

    while (n > 0) {
        ssize_t got = from->pread(from->ctx, p, n, at);
        if (got <= 0)
            return got < 0 ? hf_err_sys(err, (int)got, "read the image archive")
                           : hf_err_set(err, EBADMSG, "the image archive is incomplete");
        p += got;
        at += (uint64_t)got;
        n -= (size_t)got;
    }
    return 0;
}

/* Returns 1 and the next regular file of the archive, 0 at the end, or -errno. */
static int next_file(struct hf_tar *tar, struct hf_tar_member *ret_file, struct hf_err *err)
{
    int r;

    do
        r = hf_tar_next(tar, ret_file, err);
    while (r > 0 && ret_file->type != HF_TAR_FILE);
    return r < 0 ? hf_err_wrap(err, r, "image archive") : r;
}

static struct hf_tar tar_of(const struct hf_delta_old *archive)
{
    return (struct hf_tar){.ctx = archive->ctx, .pread = archive->pread, .size = archive->size};
}

static int hash_file(const struct hf_delta_old *tar, const struct hf_tar_member *file,
                     unsigned char digest[static HF_SHA256_BYTES], struct hf_err *err)
{
    _cleanup_(hf_freep) unsigned char *piece = malloc(PIECE);
    struct hf_sha256 hash;
    int r = 0;

    if (piece == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    hf_sha256_init(&hash);
    for (uint64_t at = 0; r == 0 && at < file->size; at += PIECE) {
        size_t n = (size_t)HF_MIN((uint64_t)PIECE, file->size - at);
        r = read_exactly(tar, piece, n, file->offset + at, err);
        hf_sha256_update(&hash, piece, n);
    }
    hf_sha256_final(&hash, digest);
    return r;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

/* Sets *ret_is for layers and configurations, which every content store has for an image that it runs. Indexes,
 * manifests and attestations are small, and some stores lack them. */
static int is_part(const struct hf_delta_old *tar, const struct hf_tar_member *file, bool *ret_is, struct hf_err *err)
{
    bool named = strncmp(file->name, "blobs/sha256/", 13) == 0 || ends_with(file->name, ".tar") ||
                 ends_with(file->name, ".tar.gz") ||
                 (strlen(file->name) == HF_SHA256_HEX - 1 + 5 && ends_with(file->name, ".json"));
    char first = 0;

    *ret_is = false;
    if (!named || file->size == 0)
        return 0;
    int r = read_exactly(tar, &first, 1, file->offset, err);
    if (r < 0 || first != '{') {
        *ret_is = r == 0;
        return r;
    }
    if (file->size > JSON_MAX)
        return 0;
    _cleanup_(hf_freep) char *text = calloc(1, (size_t)file->size + 1);
    if (text == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    r = read_exactly(tar, text, (size_t)file->size, file->offset, err);
    *ret_is = r == 0 && strstr(text, "\"rootfs\"") != NULL;
    return r;
}

/* ---- making ------------------------------------------------------------------------------------------------------ */

static bool is_known(const struct hf_deep_part *parts, size_t n, const unsigned char digest[static HF_SHA256_BYTES])
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(parts[i].sha256, digest, HF_SHA256_BYTES) == 0)
            return true;
    return false;
}

static int collect(const struct hf_delta_old *tar, struct hf_deep_part *parts, size_t *ret_n, struct hf_buf *bytes,
                   struct hf_err *err)
{
    const struct hf_delta_memory *memory = tar->ctx;
    struct hf_tar_member file;
    struct hf_tar members = tar_of(tar);
    size_t n = 0;
    bool is;
    int r;

    while ((r = next_file(&members, &file, err)) > 0) {
        unsigned char digest[HF_SHA256_BYTES];
        if ((r = is_part(tar, &file, &is, err)) < 0)
            return r;
        if (!is)
            continue;
        if ((r = hash_file(tar, &file, digest, err)) < 0)
            return r;
        if (is_known(parts, n, digest))
            continue;
        if (n == HF_DEEP_MAX_PARTS)
            return hf_err_set(err, E2BIG, "the image archive has more than %d layers", HF_DEEP_MAX_PARTS);
        memcpy(parts[n].sha256, digest, sizeof(digest));
        parts[n++].size = file.size;
        if (hf_buf_add(bytes, memory->p + file.offset, (size_t)file.size) < 0)
            return hf_err_set(err, ENOMEM, "out of memory");
    }
    if (r == 0 && n == 0)
        r = hf_err_set(err, EBADMSG, "not an image archive: neither an OCI layout nor a docker-archive");
    *ret_n = n;
    return r;
}

int hf_image_parts(const void *tar, size_t n, struct hf_deep_part **ret_parts, size_t *ret_parts_n,
                   struct hf_buf *bytes, struct hf_err *err)
{
    struct hf_delta_memory memory = {tar, n};
    const struct hf_delta_old from = {&memory, hf_delta_memory_pread, n};
    struct hf_deep_part *parts = calloc(HF_DEEP_MAX_PARTS, sizeof(*parts));
    size_t parts_n = 0;

    if (parts == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    int r = collect(&from, parts, &parts_n, bytes, err);
    if (r < 0) {
        free(parts);
        return r;
    }
    *ret_parts = parts;
    *ret_parts_n = parts_n;
    return 0;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static int new_image(const struct hf_deep_info *info, struct hf_image **ret_image, struct hf_err *err)
{
    struct hf_image *image = calloc(1, sizeof(*image));

    if (image != NULL)
        image->parts = calloc(info->parts_n + 1, sizeof(*image->parts));
    if (image == NULL || image->parts == NULL) {
        free(image);
        return hf_err_set(err, ENOMEM, "out of memory");
    }
    for (size_t i = 0; i < info->parts_n; i++) {
        struct part *part = &image->parts[image->n++];
        part->at = image->size;
        part->size = info->parts[i].size;
        part->fd = -1;
        (void)hf_hex_encode(info->parts[i].sha256, HF_SHA256_BYTES, part->hex);
        if (part->size > INT64_MAX - image->size) {
            hf_image_free(image);
            return hf_err_set(err, EBADMSG, "the parts of the old image are too large");
        }
        image->size += part->size;
    }
    *ret_image = image;
    return 0;
}

static int open_blob(struct hf_image *image, size_t i)
{
    struct part *part = &image->parts[i];
    char path[32 + HF_SHA256_HEX];

    if (part->fd >= 0)
        return part->fd;
    unsigned slot = image->next_open++ % OPEN_BLOBS;
    if (image->open[slot] != 0) {
        struct part *before = &image->parts[image->open[slot] - 1];
        (void)image->fs->close(image->fs->ctx, before->fd);
        before->fd = -1;
        image->open[slot] = 0;
    }
    (void)snprintf(path, sizeof(path), "blobs/sha256/%s", part->hex);
    int fd = image->fs->openat(image->fs->ctx, image->dirfd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0,
                               HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
    if (fd < 0)
        return fd;
    part->fd = fd;
    image->open[slot] = i + 1;
    return fd;
}

static int missing(const struct part *part, struct hf_err *err)
{
    return hf_err_set(err, ENOENT, "blob sha256:%s of the old image is missing", part->hex);
}

int hf_image_open_store(const struct hf_fs_ops *fs, int dirfd, const struct hf_deep_info *info,
                        struct hf_image **ret_image, struct hf_err *err)
{
    struct hf_image *image = NULL;
    int r = new_image(info, &image, err);

    if (r < 0)
        return r;
    image->fs = fs;
    image->dirfd = dirfd;
    for (size_t i = 0; r == 0 && i < image->n; i++) {
        struct stat st;
        int fd = open_blob(image, i);
        r = fd < 0 ? fd : fs->fstat(fs->ctx, fd, &st);
        if (r == -ENOENT || (r >= 0 && (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != image->parts[i].size)))
            r = missing(&image->parts[i], err);
        else if (r < 0)
            r = hf_err_sys(err, r, "open blob sha256:%s", image->parts[i].hex);
        r = HF_MIN(r, 0);
    }
    if (r < 0) {
        hf_image_free(image);
        return r;
    }
    *ret_image = image;
    return 0;
}

/* Finds each part in the archive. Hashes only files that have the size of a part. */
static int find_parts(struct hf_image *image, bool *found, struct hf_err *err)
{
    struct hf_tar_member file;
    struct hf_tar members = tar_of(&image->archive);
    int r;

    while ((r = next_file(&members, &file, err)) > 0) {
        unsigned char digest[HF_SHA256_BYTES];
        char hex[HF_SHA256_HEX] = "";
        for (size_t i = 0; i < image->n; i++) {
            struct part *part = &image->parts[i];
            if (found[i] || part->size != file.size)
                continue;
            if (hex[0] == '\0') {
                if ((r = hash_file(&image->archive, &file, digest, err)) < 0)
                    return r;
                (void)hf_hex_encode(digest, sizeof(digest), hex);
            }
            if (strcmp(hex, part->hex) == 0) {
                part->offset = file.offset;
                found[i] = true;
            }
        }
    }
    for (size_t i = 0; r == 0 && i < image->n; i++)
        if (!found[i])
            r = missing(&image->parts[i], err);
    return r;
}

int hf_image_open_archive(const struct hf_delta_old *archive, const struct hf_deep_info *info,
                          struct hf_image **ret_image, struct hf_err *err)
{
    _cleanup_(hf_freep) bool *found = calloc(info->parts_n + 1, sizeof(*found));
    struct hf_image *image = NULL;
    int r = found != NULL ? new_image(info, &image, err) : hf_err_set(err, ENOMEM, "out of memory");

    if (r < 0)
        return r;
    image->archive = *archive;
    r = find_parts(image, found, err);
    if (r < 0) {
        hf_image_free(image);
        return r;
    }
    *ret_image = image;
    return 0;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static ssize_t image_pread(void *ctx, void *bytes, size_t n, uint64_t offset)
{
    struct hf_image *image = ctx;

    if (n == 0 || offset >= image->size)
        return 0;
    size_t at = hf_array_lower_bound(i, image->n, image->parts[i].at <= offset) - 1;
    const struct part *part = &image->parts[at];
    uint64_t from = offset - part->at;
    n = (size_t)HF_MIN((uint64_t)n, part->size - from);
    if (image->fs == NULL)
        return image->archive.pread(image->archive.ctx, bytes, n, part->offset + from);
    int fd = open_blob(image, at);
    return fd < 0 ? fd : image->fs->pread(image->fs->ctx, fd, bytes, n, from);
}

struct hf_delta_old hf_image_bytes(struct hf_image *image)
{
    return (struct hf_delta_old){image, image_pread, image->size};
}

void hf_image_free(struct hf_image *image)
{
    if (image == NULL)
        return;
    for (size_t i = 0; i < image->n; i++)
        if (image->fs != NULL && image->parts[i].fd >= 0)
            (void)image->fs->close(image->fs->ctx, image->parts[i].fd);
    free(image->parts);
    free(image);
}
