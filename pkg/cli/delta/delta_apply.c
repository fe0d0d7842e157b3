/* SPDX-License-Identifier: Apache-2.0 */
/* delta apply: for files, folders and the blobs of an image. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encoding/hex.h"
#include "cli/delta/patch.h"
#include "os/dir.h"
#include "os/fd.h"
#include "pack/deep/scratch.h"
#include "pack/image.h"
#include "pack/tar/archive.h"
#include "pack/tar/extract.h"

const struct hf_cli_option hf_cli_delta_apply_options[] = {
    HF_CLI_OPTION("sha256", "HEX", "SHA-256 of PATCH, checked before parsing it"),
    HF_CLI_OPTION("sync", NULL, "sync NEW, so that it survives a power cut"),
    {.name = NULL},
};

/* Keep everything that the archive of a folder can keep. */
enum { KEPT = HF_ARCHIVE_OWNERS | HF_ARCHIVE_XATTRS };

/* ---- apply to a file --------------------------------------------------------------------------------------------- */

struct apply_job {
    struct hf_cli *cli;
    int old_fd;
    struct hf_cli_patch patch;
    struct hf_cli_sink sink;
    struct hf_delta_old old; /* if OLD is a file */
    bool store;              /* OLD is a content store */
    bool sync;
    struct hf_image *image;
    uint64_t written;
};

static void show_progress(const struct apply_job *job)
{
    char text[HF_CLI_BYTES_TEXT], label[48];

    (void)snprintf(label, sizeof(label), "applying  %s", hf_cli_bytes(job->written, text));
    hf_cli_progress(job->cli, label, 0, 0);
}

static int job_new(void *ctx, const void *bytes, size_t n)
{
    struct apply_job *job = ctx;

    job->written += n;
    if (job->cli->terminal)
        show_progress(job);
    return hf_cli_sink_write(&job->sink, bytes, n);
}

/* Checks the hash of the patch against --sha256, and rewinds the patch. */
static int check_hash(int fd, const char *want, struct hf_err *err)
{
    unsigned char digest[HF_SHA256_BYTES];
    char hex[HF_SHA256_HEX], piece[1 << 16];
    struct hf_sha256 hash;
    ssize_t n;

    if (hf_hex_decode(want, digest, sizeof(digest)) < 0)
        return hf_err_set(err, EINVAL, "--sha256: expected 64 lower-case hex digits");
    if (lseek(fd, 0, SEEK_SET) < 0)
        return hf_err_set(err, EINVAL, "--sha256: the patch must be a file, because it is read twice");
    hf_sha256_init(&hash);
    while ((n = hf_cli_fd_read(&fd, piece, sizeof(piece))) > 0)
        hf_sha256_update(&hash, piece, (size_t)n);
    if (n < 0)
        return hf_err_sys(err, (int)n, "read patch");
    if (strcmp(hf_sha256_final_hex(&hash, hex), want) != 0)
        return hf_err_set(err, EBADMSG, "the patch's SHA-256 is %s, not that of --sha256", hex);
    return lseek(fd, 0, SEEK_SET) < 0 ? hf_err_sys(err, -errno, "rewind patch") : 0;
}

/* Opens OLD: a file, or the blobs of an image that the patch lists. */
static int job_open_old(void *ctx, const struct hf_deep_info *info, struct hf_delta_old *ret_old, struct hf_err *err)
{
    struct apply_job *job = ctx;
    int r = 0;

    if (info->parts_n == 0 && job->store)
        return hf_err_set(err, EINVAL, "OLD is a content store, but the patch is not for images");
    if (info->parts_n == 0) {
        *ret_old = job->old;
        return 0;
    }
    r = job->store ? hf_image_open_store(job->cli->fs, job->old_fd, info, &job->image, err)
                   : hf_image_open_archive(&job->old, info, &job->image, err);
    if (r == 0)
        *ret_old = hf_image_bytes(job->image);
    return r;
}

static int apply(struct apply_job *job, const char *target, struct hf_err *err)
{
    _cleanup_(hf_freep) char *name = hf_cli_patch_scratch(target);
    struct stat st;

    if (name == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");

    if (fstat(job->old_fd, &st) < 0 || (!job->store && !S_ISREG(st.st_mode)))
        return hf_err_set(err, EINVAL, "OLD must be a file, not a pipe: applying reads it at random offsets");
    job->old = (struct hf_delta_old){&job->old_fd, hf_cli_fd_pread, (uint64_t)st.st_size};
    int r = hf_cli_out_open(job->cli, target, job->store ? 0644 : st.st_mode & 0777, &job->sink.out, err);
    if (r < 0)
        return r;
    struct hf_deep_file scratch = hf_deep_file_init(job->cli->fs, AT_FDCWD, name);
    const struct hf_deep_apply_params params = {
        .delta = {.patch = {&job->patch, hf_cli_patch_read}, .out = {job, job_new}},
        .open_old = job_open_old,
        .open_old_ctx = job,
        .scratch = hf_deep_file_scratch(&scratch)};
    r = hf_deep_apply(&params, NULL, err);
    hf_image_free(job->image);
    hf_deep_file_done(&scratch);
    return r == 0 ? hf_cli_out_publish(&job->sink.out, job->sync, err) : r;
}

/* ---- apply to a folder ------------------------------------------------------------------------------------------- */

struct folder_job {
    struct apply_job job;
    struct hf_archive *archive;
    struct hf_extract *extract;
    struct hf_err own; /* error of the extractor; the delta's callback passes only a code */
};

/* Opens the archive of the old folder, with or without owners and attributes, whichever the patch was made from. */
static int open_old_folder(void *ctx, const struct hf_deep_info *info, struct hf_delta_old *ret_old, struct hf_err *err)
{
    static const unsigned flags[] = {KEPT, 0};
    struct folder_job *job = ctx;
    unsigned char digest[HF_SHA256_BYTES];

    for (size_t i = 0; i < HF_LEN(flags); i++) {
        hf_archive_free(hf_steal(job->archive));
        int r = hf_archive_new(job->job.cli->fs, job->job.old_fd, flags[i], NULL, &job->archive, err);
        if (r == 0)
            r = hf_archive_digest(job->archive, digest, err);
        if (r < 0)
            return r;
        if (memcmp(digest, info->delta.old_fingerprint, sizeof(info->delta.old_fingerprint)) == 0) {
            *ret_old = hf_archive_bytes(job->archive);
            return 0;
        }
    }
    return hf_err_set(err, ESTALE, "the patch was made from another old folder");
}

static int extract_bytes(void *ctx, const void *bytes, size_t n)
{
    struct folder_job *job = ctx;

    return hf_extract_feed(job->extract, bytes, n, &job->own);
}

static int extract_folder(struct folder_job *job, const char *temp, const char *target, struct hf_err *err)
{
    _cleanup_(hf_freep) char *name = hf_cli_patch_scratch(target);
    struct hf_deep_file scratch = hf_deep_file_init(job->job.cli->fs, AT_FDCWD, name);
    const struct hf_deep_apply_params params = {
        .delta = {.patch = {&job->job.patch, hf_cli_patch_read}, .out = {job, extract_bytes}, .old_is_verified = true},
        .open_old = open_old_folder,
        .open_old_ctx = job,
        .scratch = hf_deep_file_scratch(&scratch)};
    _cleanup_(hf_closep) int fd = open(temp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (name == NULL || fd < 0)
        return name == NULL ? hf_err_set(err, ENOMEM, "out of memory") : hf_err_sys(err, -errno, "open '%s'", temp);
    const struct hf_extract_params rules = {.fs = job->job.cli->fs, .dirfd = fd, .rules = HF_EXTRACT_CANONICAL};
    int r = hf_extract_new(&rules, &job->extract, err);
    if (r == 0) {
        r = hf_deep_apply(&params, NULL, err);
        if (r < 0 && job->own.code != 0 && err != NULL)
            *err = job->own;
    }
    if (r == 0)
        r = hf_extract_finish(job->extract, err);
    hf_deep_file_done(&scratch);
    hf_extract_free(job->extract);
    hf_archive_free(job->archive);
    return r;
}

/* Makes the new folder, complete or not at all. */
static int apply_folder(struct apply_job *job, const char *target, struct hf_err *err)
{
    struct folder_job folder_job = {.job = *job};
    _cleanup_(hf_freep) char *temp = hf_asprintf("%s.new-%ld", target, (long)getpid());
    struct stat st;

    if (temp == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    if (strcmp(target, "-") == 0 || lstat(target, &st) == 0)
        return hf_err_set(err, EEXIST, "'%s': NEW must be a folder that does not exist yet", target);
    if (mkdir(temp, 0755) < 0)
        return hf_err_sys(err, -errno, "make '%s'", temp);
    int r = extract_folder(&folder_job, temp, target, err);
    if (r == 0 && rename(temp, target) < 0)
        r = hf_err_sys(err, -errno, "rename '%s'", temp);
    if (r < 0) {
        int removed = hf_dir_remove_tree(job->cli->fs, temp, NULL);
        (void)removed; /* report the first error only */
    }
    return r;
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static bool is_folder(const char *path)
{
    struct stat st;

    return strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int open_old(struct hf_cli *cli, const char *path, int *ret_fd, struct hf_err *err)
{
    if (!is_folder(path))
        return hf_cli_in_open(cli, path, ret_fd, err);
    *ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *ret_fd < 0 ? hf_err_sys(err, -errno, "open '%s'", path) : 0;
}

static bool is_content_store(int fd)
{
    struct stat st;

    return fstatat(fd, "blobs/sha256", &st, 0) == 0 && S_ISDIR(st.st_mode);
}

int hf_cli_delta_apply(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    _cleanup_(hf_closep) int old_fd = -1, patch_fd = -1;
    const char *sha256 = hf_cli_value(args, "sha256", NULL);
    int r = open_old(cli, args->words[0], &old_fd, err);

    if (r == 0)
        r = hf_cli_in_open(cli, args->words[1], &patch_fd, err);
    if (r == 0 && sha256 != NULL)
        r = check_hash(patch_fd, sha256, err);
    struct apply_job job = {
        .cli = cli, .old_fd = old_fd, .patch = {.fd = patch_fd}, .sink = {.out = HF_CLI_OUT_INIT, .err = err}};
    if (r < 0)
        return r;
    if (sha256 == NULL && cli->terminal)
        (void)fprintf(cli->err, "warning: the patch is not verified; use --sha256 or a signed release\n");
    job.store = is_content_store(old_fd);
    job.sync = hf_cli_flag(args, "sync");
    r = is_folder(args->words[0]) && !job.store ? apply_folder(&job, args->words[2], err)
                                                : apply(&job, args->words[2], err);
    hf_cli_out_done(&job.sink.out);
    return r;
}
