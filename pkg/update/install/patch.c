/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the new file: by a delta, or from the whole file; for kind Tree then extracts it.
 *
 * A delta: verify the delta's hash, then the base's; open the output (at the last checkpoint, if there is one);
 * record the attempt; apply. The whole file: verify a packed download before it is unpacked; a download that is the
 * new file itself is renamed, which halves the writes. Then both: metadata, sync, read back from the medium, compare
 * size and hash, write the manifest, sync the folder.
 *
 * There is a checkpoint per 4 MiB of output, of a deep delta (pack/deep/deep.h) of unpacked output, at the start of a
 * compressed stream.
 *
 * The attempt is recorded before the delta needs memory, so that the next start recognizes a death
 * (state/attempt.h). A file that was resumed and turns out wrong is made once more from its start, before the delta
 * gets the blame, because a card may lose synced data. Missing memory or a missing library makes a delta unfit,
 * which the whole file does not need. After a cancellation everything stays for the next try.
 *
 * Of kind Tree the new file is a tar archive; the base is the archive that pack/tar/archive.h computes from the folder
 * in use. In a chain each delta but the last makes an intermediate file, the base of the next. */
#include "update/install/patch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/encoding/hex.h"
#include "codec/unpack.h"
#include "pack/deep/scratch.h"
#include "pack/tar/archive.h"
#include "update/install/checkpoint.h"
#include "update/install/metadata.h"
#include "update/install/rights.h"
#include "update/install/tree.h"
#include "update/kept/kept.h"
#include "update/state/attempt.h"

enum { STEP = 64 * 1024 };

struct patch_run {
    const struct hf_patch_params *params;
    const struct hf_fs_ops *fs;
    struct hf_target_dir dir;
    char part[NAME_MAX + 1], fresh[NAME_MAX + 1], step[NAME_MAX + 1], point[NAME_MAX + 1];
    int out_fd, in_fd, old_fd, step_fd;
    uint64_t out_at, in_at;
    int tree_fd; /* kind Tree: the folder in use */
    struct hf_archive *tree;
    struct hf_checkpoint_keeper points;
    struct hf_delta_checkpoint from; /* with `resumes`: progress of an earlier process */
    bool resumes;
    struct hf_failure *failure;
};

static void close_fd(const struct patch_run *run, int *fd)
{
    if (*fd >= 0)
        (void)run->fs->close(run->fs->ctx, *fd);
    *fd = -1;
}

/* Closes the files of one attempt, except for the installed one. */
static void attempt_done(struct patch_run *run)
{
    hf_archive_free(hf_steal(run->tree));
    close_fd(run, &run->tree_fd);
    close_fd(run, &run->step_fd);
    close_fd(run, &run->in_fd);
    close_fd(run, &run->out_fd);
    run->in_at = run->out_at = 0;
}

static void patch_run_done(struct patch_run *run)
{
    attempt_done(run);
    close_fd(run, &run->old_fd);
    hf_checkpoint_done(&run->points);
    hf_target_dir_done(&run->dir);
}

static bool cancelled(const struct patch_run *run)
{
    return run->params->cancel != NULL && atomic_load(run->params->cancel);
}

/* ---- the new file being written ---------------------------------------------------------------------------------- */

static int open_fresh(struct patch_run *run)
{
    struct hf_failure *failure = run->failure;
    int r;

    run->out_fd = hf_target_make_file(&run->dir, run->fresh, failure);
    if (run->out_fd < 0)
        return run->out_fd;
    /* Reserve everything now: a full disk shows before the work, and the blocks lie together. */
    r = run->fs->fallocate(run->fs->ctx, run->out_fd, 0, run->params->size);
    if (r == -EOPNOTSUPP || run->params->size == 0)
        return 0;
    return r < 0 ? hf_failure_sys(failure, r, "reserve %llu bytes for the new file",
                                  (unsigned long long)run->params->size)
                 : 0;
}

/* Opens the unfinished file of an earlier process up to the checkpoint. The final hash shows whether its content is
 * right. */
static bool reopen_fresh(struct patch_run *run)
{
    struct hf_failure ignored;
    struct stat st;
    int r;

    if (!hf_target_stat(&run->dir, run->fresh, &st, &r) || !S_ISREG(st.st_mode) ||
        (uint64_t)st.st_size < run->from.new_offset || (uint64_t)st.st_size > run->params->size)
        return false;
    run->out_fd = hf_target_take_file(&run->dir, run->fresh, run->dir.uid, &ignored);
    run->out_at = run->from.new_offset;
    return run->out_fd >= 0;
}

/* Resumes the output of an earlier process, or starts a new one. */
static int open_output(struct patch_run *run)
{
    run->resumes = run->resumes && reopen_fresh(run);
    if (run->resumes)
        return 0;
    hf_checkpoint_restart(&run->points);
    run->out_at = 0;
    return open_fresh(run);
}

static int write_fresh(void *ctx, const void *bytes, size_t n)
{
    struct patch_run *run = ctx;

    if (cancelled(run))
        return hf_failure_sys(run->failure, -ECANCELED, "make the new file");
    if (n > run->params->size - run->out_at)
        return hf_failure_set(run->failure, HF_R_ArtifactTooLong, EFBIG,
                              "the new file would be longer than the signed %llu bytes",
                              (unsigned long long)run->params->size);
    int r = hf_target_write(run->fs, run->out_fd, bytes, n, run->out_at, run->failure);
    if (r == 0)
        run->out_at += n;
    return r;
}

/* ---- by delta ---------------------------------------------------------------------------------------------------- */

static ssize_t read_old(void *ctx, void *bytes, size_t n, uint64_t offset)
{
    const struct patch_run *run = ctx;

    return run->fs->pread(run->fs->ctx, run->old_fd, bytes, n, offset);
}

static ssize_t read_step(void *ctx, void *bytes, size_t n, uint64_t offset)
{
    const struct patch_run *run = ctx;

    return run->fs->pread(run->fs->ctx, run->step_fd, bytes, n, offset);
}

static ssize_t read_part(void *ctx, void *bytes, size_t n)
{
    struct patch_run *run = ctx;
    ssize_t got = run->fs->pread(run->fs->ctx, run->in_fd, bytes, n, run->in_at);

    if (got > 0)
        run->in_at += (uint64_t)got;
    return got;
}

/* Verifies the hash of the delta before anything parses it. */
static int check_delta(struct patch_run *run)
{
    char hex[HF_SHA256_HEX];
    uint64_t size;
    int r = hf_target_hash_fd(run->fs, run->in_fd, run->params->cancel, hex, &size, run->failure);

    if (r < 0)
        return r;
    if (size != run->params->delta_size || strcmp(hex, run->params->delta_sha256) != 0)
        return hf_failure_set(run->failure, HF_R_DeltaDamaged, EBADMSG,
                              "the delta is %llu bytes with sha256 %.16s..., but %llu and %.16s... are signed",
                              (unsigned long long)size, hex, (unsigned long long)run->params->delta_size,
                              run->params->delta_sha256);
    return 0;
}

/* Opens the folder in use as its archive, which must have the hash of the archive that made it. It has another
 * one if somebody changed the folder, or if the archive was not canonical. */
static int open_tree(struct patch_run *run, struct hf_delta_old *ret_old)
{
    const struct hf_fs_ops *fs = run->fs;
    unsigned char digest[HF_SHA256_BYTES];
    char want[HF_SHA256_HEX], hex[HF_SHA256_HEX];
    struct hf_failure *failure = run->failure;

    if (!hf_tree_link_parse(run->params->target.release, run->params->old_link, want))
        return hf_failure_set(failure, HF_R_TargetChanged, ESTALE, "'%s' is not a link to a tree of this release",
                              run->params->target.path);
    run->tree_fd = fs->openat(fs->ctx, run->dir.dirfd, run->params->old_link,
                              O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0, HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
    if (run->tree_fd < 0)
        return hf_failure_sys(failure, run->tree_fd, "open the folder in use");
    int r = hf_archive_new(fs, run->tree_fd, 0, run->params->cancel, &run->tree, &failure->err);
    if (r == 0)
        r = hf_archive_digest(run->tree, digest, &failure->err);
    if (r == -ECANCELED)
        return hf_failure_sys(failure, r, "read the folder in use");
    if (r < 0 || strcmp(hf_hex_encode(digest, sizeof(digest), hex), want) != 0)
        return hf_failure_set(failure, HF_R_DeltaDamaged, EBADMSG,
                              "the folder in use has changed since it was unpacked: no delta applies to it");
    *ret_old = hf_archive_bytes(run->tree);
    return 0;
}

static int check_old(struct patch_run *run, uint64_t *ret_size)
{
    char hex[HF_SHA256_HEX];
    int r = hf_target_hash_fd(run->fs, run->old_fd, run->params->cancel, hex, ret_size, run->failure);

    if (r < 0)
        return r;
    if (strcmp(hex, run->params->old_sha256) != 0)
        return hf_failure_set(run->failure, HF_R_TargetChanged, ESTALE,
                              "'%s' has sha256 %.16s... now, and had %.16s... when the update began",
                              run->params->target.path, hex, run->params->old_sha256);
    return 0;
}

/* Verifies the intermediate file. A wrong one says nothing about the installed file, so it is damage of the delta. */
static int check_step(struct patch_run *run, struct hf_delta_old *ret_old)
{
    char hex[HF_SHA256_HEX] = "";
    uint64_t size = 0;
    int r = 0;

    run->step_fd = hf_target_open_file(&run->dir, run->step, O_RDONLY, run->failure);
    if (run->step_fd >= 0)
        r = hf_target_hash_fd(run->fs, run->step_fd, run->params->cancel, hex, &size, run->failure);
    else if (run->step_fd != -ENOENT)
        r = run->step_fd;
    if (r < 0)
        return r;
    if (strcmp(hex, run->params->step_sha256) != 0)
        return hf_failure_set(run->failure, HF_R_DeltaDamaged, EBADMSG, "the intermediate file has changed");
    *ret_old = (struct hf_delta_old){run, read_step, size};
    return 0;
}

static int find_old(struct patch_run *run, struct hf_delta_old *old)
{
    if (run->params->step_sha256 != NULL)
        return check_step(run, old);
    return run->params->kind != HF_INSTALL_FILE ? open_tree(run, old) : check_old(run, &old->size);
}

static int keep_point(void *ctx, const struct hf_delta_checkpoint *checkpoint)
{
    struct patch_run *run = ctx;
    int r = hf_checkpoint_keep(&run->points, run->out_fd, checkpoint);

    return r < 0 ? hf_failure_sys(run->failure, r, "sync the new file at %llu",
                                  (unsigned long long)checkpoint->new_offset)
                 : 0;
}

/* Records the attempt before the delta takes its memory, so that the next start can recognize a death. */
static int begin_attempt(struct patch_run *run)
{
    const struct hf_patch_params *params = run->params;
    struct hf_attempt attempt = {.size = params->size, .at = run->resumes ? run->from.new_offset : 0};

    if (params->folder == NULL)
        return 0;
    (void)snprintf(attempt.delta, sizeof(attempt.delta), "%s", params->delta_sha256);
    (void)snprintf(attempt.makes, sizeof(attempt.makes), "%s", params->sha256);
    int r = hf_attempt_begin(run->fs, params->folder, &attempt, &run->failure->err);
    if (r < 0)
        run->failure->reason = HF_R_StateNotWritable;
    return r;
}

/* If the record stays, the next start takes it for a death, which costs a longer download, nothing more. */
static void end_attempt(const struct patch_run *run)
{
    if (run->params->folder != NULL)
        (void)!hf_attempt_end(run->fs, run->params->folder, NULL);
}

static int apply_delta(struct patch_run *run)
{
    char scratch_name[NAME_MAX + 1];
    struct hf_deep_file scratch = hf_deep_file_init(
        run->fs, run->dir.dirfd, hf_target_file_name(run->params->target.release, HF_TARGET_SCRATCH, scratch_name));
    struct hf_deep_apply_params apply = {.delta = {.old = {run, read_old, 0},
                                                   .patch = {run, read_part},
                                                   .out = {run, write_fresh},
                                                   .cancel = run->params->cancel,
                                                   .checkpoint = keep_point,
                                                   .checkpoint_ctx = run,
                                                   .old_is_verified = true},
                                         .scratch = hf_deep_file_scratch(&scratch)};
    struct hf_failure *failure = run->failure;
    struct hf_room room;
    int r = check_delta(run);

    if (r == 0)
        r = find_old(run, &apply.delta.old);
    if (r == 0)
        r = open_output(run);
    if (r == 0)
        r = begin_attempt(run);
    if (r < 0)
        return r;
    hf_room_memory(run->fs, "", &room);
    apply.memory_max = HF_MAX(room.bytes, 1);
    apply.delta.resume = run->resumes ? &run->from : NULL;
    failure->reason = HF_R_None;
    r = hf_deep_apply(&apply, NULL, &failure->err);
    hf_deep_file_done(&scratch);
    if (r == -ECANCELED)
        hf_checkpoint_settle(&run->points, run->out_fd);
    end_attempt(run);
    if (r < 0 && failure->reason == HF_R_None) {
        /* Errors of the delta itself are DeltaDamaged; missing memory or a missing library is DeltaUnfit; others, such
         * as a bad disk, have their own reason. The whole file needs little memory and no library. */
        bool damage = r == -EBADMSG || r == -ESTALE || r == -EFBIG;
        bool unfit = r == -ENOMEM || r == -E2BIG || r == -EOPNOTSUPP;
        failure->reason = damage ? HF_R_DeltaDamaged : unfit ? HF_R_DeltaUnfit : hf_reason_of_errno(r);
        r = damage || unfit ? -EBADMSG : r;
    } else if (r < 0 && failure->reason == HF_R_ArtifactTooLong) {
        failure->reason = HF_R_DeltaDamaged;
        r = -EBADMSG;
    }
    return r;
}

/* ---- by the whole file ------------------------------------------------------------------------------------------- */

static bool is_packed(const unsigned char *head, ssize_t n)
{
    static const unsigned char zst[] = {0x28, 0xb5, 0x2f, 0xfd}, xz[] = {0xfd, '7', 'z', 'X', 'Z', 0};

    return (n >= 4 && memcmp(head, zst, 4) == 0) || (n >= 6 && memcmp(head, xz, 6) == 0);
}

/* True if the download is the new file itself. A release may be a .zst file: then size and hash decide. */
static int is_raw(struct patch_run *run, bool *ret_raw)
{
    unsigned char head[8];
    char hex[HF_SHA256_HEX];
    struct stat st;
    ssize_t n = run->fs->pread(run->fs->ctx, run->in_fd, head, sizeof(head), 0);
    int r = run->fs->fstat(run->fs->ctx, run->in_fd, &st);

    if (n < 0 || r < 0)
        return hf_failure_sys(run->failure, n < 0 ? (int)n : r, "read the download");
    *ret_raw = !is_packed(head, n);
    if (*ret_raw || (uint64_t)st.st_size != run->params->size)
        return 0;
    r = hf_target_hash_fd(run->fs, run->in_fd, run->params->cancel, hex, NULL, run->failure);
    *ret_raw = r == 0 && strcmp(hex, run->params->sha256) == 0;
    return r;
}

static int feed(struct patch_run *run, struct hf_unpack *unpack)
{
    _cleanup_(hf_freep) unsigned char *bytes = malloc(STEP);
    ssize_t n;

    if (bytes == NULL)
        return hf_failure_sys(run->failure, -ENOMEM, "unpack");
    while ((n = read_part(run, bytes, STEP)) > 0) {
        int r = hf_unpack_feed(unpack, bytes, (size_t)n, &run->failure->err);
        if (r < 0)
            return r;
    }
    return n < 0 ? hf_failure_sys(run->failure, (int)n, "read the download")
                 : hf_unpack_finish(unpack, &run->failure->err);
}

static int expand(struct patch_run *run)
{
    struct hf_failure *failure = run->failure;
    int r = open_fresh(run);

    if (r < 0)
        return r;
    struct hf_unpack *unpack = hf_unpack_new(write_fresh, run, 0);
    if (unpack == NULL)
        return hf_failure_sys(failure, -ENOMEM, "unpack");
    failure->reason = HF_R_None;
    r = feed(run, unpack);
    hf_unpack_free(unpack);
    if (r < 0 && failure->reason == HF_R_None)
        failure->reason =
            r == -EBADMSG || r == -E2BIG || r == -EOPNOTSUPP ? HF_R_ArtifactDamaged : hf_reason_of_errno(r);
    return r;
}

/* Renames the download to the new file instead of copying it: half the writes, half the space. */
static int adopt(struct patch_run *run)
{
    int r = run->fs->renameat(run->fs->ctx, run->dir.dirfd, run->part, run->dir.dirfd, run->fresh);

    if (r < 0)
        return hf_failure_sys(run->failure, r, "rename the download");
    run->out_fd = run->in_fd;
    run->in_fd = -1;
    return 0;
}

/* Compares the packed download with the release before anything unpacks it. */
static int check_packed(struct patch_run *run)
{
    const struct hf_patch_params *params = run->params;
    char hex[HF_SHA256_HEX];
    uint64_t size;
    int r = hf_target_hash_fd(run->fs, run->in_fd, params->cancel, hex, &size, run->failure);

    if (r < 0)
        return r;
    if (size != params->packed_size || strcmp(hex, params->packed_sha256) != 0)
        return hf_failure_set(run->failure, HF_R_HashMismatch, EBADMSG,
                              "the download is %llu bytes with sha256 %.16s..., but %llu and %.16s... are signed",
                              (unsigned long long)size, hex, (unsigned long long)params->packed_size,
                              params->packed_sha256);
    return 0;
}

static int take_whole(struct patch_run *run)
{
    const struct hf_patch_params *params = run->params;
    bool raw = false;
    int r;

    if (params->packed_sha256 != NULL) {
        r = check_packed(run);
        raw = strcmp(params->packed_sha256, params->sha256) == 0;
    } else {
        r = is_raw(run, &raw);
        if (r == 0 && !raw && !params->unpacks_unstated)
            r = hf_failure_set(run->failure, HF_R_HashMismatch, EBADMSG,
                               "the download is packed, but the release states no hash of a packed download");
    }
    if (r < 0)
        return r;
    return raw ? adopt(run) : expand(run);
}

/* ---- both -------------------------------------------------------------------------------------------------------- */

/* The owner of what is installed, whom a finished new file may have already. */
static uid_t owner_in_place(const struct patch_run *run)
{
    struct stat st;
    int r;

    return hf_target_stat(&run->dir, run->dir.name, &st, &r) ? st.st_uid : run->dir.uid;
}

/* True if an earlier process has finished the new file. */
static int find_whole(struct patch_run *run, bool *ret_whole)
{
    char hex[HF_SHA256_HEX];
    struct stat st;
    int r;

    *ret_whole = false;
    if (!hf_target_stat(&run->dir, run->fresh, &st, &r))
        return r < 0 ? hf_failure_sys(run->failure, r, "stat the new file") : 0;
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != run->params->size)
        return 0;
    run->out_fd = hf_target_take_file(&run->dir, run->fresh, owner_in_place(run), run->failure);
    if (run->out_fd < 0)
        return run->out_fd == -ENOENT ? 0 : run->out_fd;
    run->fs->drop_cache(run->fs->ctx, run->out_fd); /* its sync may have failed */
    r = hf_target_hash_fd(run->fs, run->out_fd, run->params->cancel, hex, NULL, run->failure);
    *ret_whole = r == 0 && strcmp(hex, run->params->sha256) == 0;
    if (!*ret_whole) {
        (void)run->fs->close(run->fs->ctx, run->out_fd);
        run->out_fd = -1;
    }
    return r;
}

/* The rights of the new file: as the release states, or as they were recorded for this version (a repair) or for the
 * old one, or those of the old file. */
static int rights_of(const struct patch_run *run, struct hf_rights *ret_rights)
{
    const struct hf_patch_params *params = run->params;
    const char *const versions[] = {params->sha256, params->had_old ? params->old_sha256 : NULL};
    struct stat st;
    int r = run->fs->fstat(run->fs->ctx, run->old_fd >= 0 ? run->old_fd : run->out_fd, &st);

    if (r < 0)
        return hf_failure_sys(run->failure, r, "stat");
    if (run->old_fd < 0 && !hf_rights_load(run->fs, params->folder, versions, 1, ret_rights))
        *ret_rights = (struct hf_rights){0755, st.st_uid, st.st_gid};
    else if (run->old_fd >= 0 && !hf_rights_load(run->fs, params->folder, versions, HF_LEN(versions), ret_rights))
        *ret_rights = hf_rights_adopt(&st);
    if (params->kind == HF_INSTALL_FILE && params->has_mode)
        ret_rights->mode = params->mode & 07777;
    return 0;
}

static int record_file(const struct patch_run *run)
{
    const struct hf_patch_params *params = run->params;
    const struct hf_install_manifest manifest = {run->fs, params->folder, params->sha256};
    struct stat st;
    int r = run->fs->fstat(run->fs->ctx, run->out_fd, &st);

    return r < 0 ? hf_failure_sys(run->failure, r, "stat")
                 : hf_install_manifest_write_file(&manifest, &st, params->sha256, run->failure);
}

/* Sets the metadata, syncs, then reads the file back: the content that the medium returns counts, not the bytes
 * written. */
static int finish(struct patch_run *run)
{
    const struct hf_patch_params *params = run->params;
    char hex[HF_SHA256_HEX];
    struct hf_rights rights;
    uint64_t size;
    int r = rights_of(run, &rights);

    if (r == 0)
        r = hf_metadata_copy(run->fs, run->old_fd, run->out_fd, &rights, run->failure);
    if (r < 0)
        return r;
    r = run->fs->fsync(run->fs->ctx, run->out_fd);
    if (r < 0)
        return hf_failure_sys(run->failure, r, "sync the new file");
    run->fs->drop_cache(run->fs->ctx, run->out_fd);
    r = hf_target_hash_fd(run->fs, run->out_fd, params->cancel, hex, &size, run->failure);
    if (r < 0)
        return r;
    if (size < params->size)
        return hf_failure_set(run->failure, HF_R_ArtifactTooShort, EBADMSG,
                              "the new file has %llu bytes, but %llu are signed", (unsigned long long)size,
                              (unsigned long long)params->size);
    if (size != params->size || strcmp(hex, params->sha256) != 0)
        return hf_failure_set(run->failure, HF_R_HashMismatch, EBADMSG,
                              "the new file has sha256 %.16s..., but %.16s... is signed", hex, params->sha256);
    if (params->kind == HF_INSTALL_FILE && !params->to_step && params->folder != NULL)
        r = record_file(run);
    return r < 0 ? r : hf_target_sync(&run->dir, run->failure);
}

static int open_inputs(struct patch_run *run)
{
    run->in_fd = hf_target_take_file(&run->dir, run->part, run->dir.uid, run->failure);
    if (run->in_fd == -ENOENT)
        return hf_failure_set(run->failure, HF_R_RetryingLater, ENOENT, "the download is gone; it starts again");
    return run->in_fd < 0 ? run->in_fd : 0;
}

static int open_old(struct patch_run *run)
{
    if (!run->params->had_old || run->params->kind != HF_INSTALL_FILE)
        return 0;
    run->old_fd = hf_target_open_file(&run->dir, run->dir.name, O_RDONLY, run->failure);
    if (run->old_fd == -ENOENT || run->old_fd == -ELOOP || run->old_fd == -EINVAL)
        return hf_failure_set(run->failure, HF_R_TargetChanged, ESTALE, "'%s' is missing or no longer a file",
                              run->params->target.path);
    return run->old_fd < 0 ? run->old_fd : 0;
}

/* Renames the new file to the intermediate one, durably. This replaces the intermediate file that was its base. */
static int keep_step(struct patch_run *run)
{
    int r = run->fs->renameat(run->fs->ctx, run->dir.dirfd, run->fresh, run->dir.dirfd, run->step);

    return r < 0 ? hf_failure_sys(run->failure, r, "rename the intermediate file")
                 : hf_target_sync(&run->dir, run->failure);
}

static void remove_quietly(const struct patch_run *run, const char *name)
{
    (void)run->fs->unlinkat(run->fs->ctx, run->dir.dirfd, name, 0);
}

static struct hf_kept_want kept_want(const struct patch_run *run)
{
    const struct hf_patch_params *params = run->params;

    return (struct hf_kept_want){.kind = params->kind,
                                 .sha256 = params->sha256,
                                 .size = params->size,
                                 .link = params->had_old ? params->old_link : "",
                                 .other = params->other,
                                 .target = params->target,
                                 .cancel = params->cancel};
}

/* A second name is a file that others may know by another name: its content is compared before its metadata changes. */
static int check_kept(struct patch_run *run)
{
    char hex[HF_SHA256_HEX];
    struct stat st;
    int r = run->fs->fstat(run->fs->ctx, run->out_fd, &st);

    if (r < 0)
        return hf_failure_sys(run->failure, r, "stat the kept file");
    if (st.st_nlink == 1)
        return 0;
    r = hf_target_hash_fd(run->fs, run->out_fd, run->params->cancel, hex, NULL, run->failure);
    if (r == 0 && strcmp(hex, run->params->sha256) != 0)
        return hf_failure_set(run->failure, HF_R_HashMismatch, EBADMSG, "the kept file has changed");
    return r;
}

static int take_kept(struct patch_run *run)
{
    const struct hf_kept_want want = kept_want(run);

    run->out_fd = hf_kept_take(&want, &run->dir, run->failure);
    if (run->out_fd < 0)
        return run->out_fd;
    int r = check_kept(run);
    return r < 0 ? r : finish(run);
}

static int attempt(struct patch_run *run)
{
    if (run->params->method == HF_METHOD_KEPT)
        return take_kept(run);
    int r = open_inputs(run);

    if (r == 0)
        r = run->params->method == HF_METHOD_DELTA ? apply_delta(run) : take_whole(run);
    return r == 0 ? finish(run) : r;
}

/* True if a resumed file turned out wrong: cards may lose synced data. Make it from the start before blaming anything
 * else. */
static bool half_was_wrong(const struct patch_run *run, int r)
{
    enum hf_reason reason = run->failure->reason;

    return r < 0 && run->resumes &&
           (reason == HF_R_HashMismatch || reason == HF_R_DeltaDamaged || reason == HF_R_DeltaUnfit || r == -EINVAL);
}

static int make_file(struct patch_run *run)
{
    const struct hf_patch_params *params = run->params;
    bool whole = false;
    int r = 0;

    if (params->method == HF_METHOD_DELTA)
        run->resumes =
            hf_checkpoint_open(&run->dir, params->delta_sha256, params->sha256, params->size, &run->points, &run->from);
    if (!run->resumes)
        r = find_whole(run, &whole);
    if (r == 0)
        r = open_old(run);
    if (r < 0 || whole)
        return r == 0 ? finish(run) : r;
    r = attempt(run);
    if (!half_was_wrong(run, r))
        return r;
    run->resumes = false;
    attempt_done(run);
    return attempt(run);
}

/* 1: the tree is there as it was installed, and only the link to it is missing. 0: it is not. */
static int tree_is_whole(const struct patch_run *run, const char *folder)
{
    const struct hf_patch_params *params = run->params;
    struct hf_install_manifest_look look = {.next = 0};
    char text[HF_TARGET_MAX_PATH];

    if (params->method != HF_METHOD_KEPT || params->kind == HF_INSTALL_FILE)
        return 0;
    int r = hf_tree_verify(&run->dir, hf_tree_link(params->target.release, folder, text), params->folder,
                           HF_INSTALL_CHECK_FULL, &look, params->cancel, run->failure);
    if (r <= 0)
        return r;
    r = hf_tree_sync(&run->dir, run->failure);
    return r < 0 ? r : 1;
}

static int make(struct patch_run *run)
{
    const struct hf_patch_params *params = run->params;
    char folder[HF_INSTALL_MANIFEST_VERSION];

    folder[0] = '\0';
    if (params->kind != HF_INSTALL_FILE)
        (void)hf_tree_folder(params->target.release, params->sha256, params->had_old ? params->old_link : "", folder);
    int r = tree_is_whole(run, folder);
    if (r != 0)
        return HF_MIN(r, 0);
    r = make_file(run);
    if (r < 0)
        return r;
    if (run->points.fd >= 0)
        remove_quietly(run, run->point);
    if (params->to_step)
        return keep_step(run);
    if (params->kind == HF_INSTALL_FILE)
        return 0;
    return hf_tree_make(&run->dir, run->out_fd, folder, params->folder, params->cancel, run->failure);
}

/* True if the download is to blame: the next attempt must not use it. */
static bool download_is_wrong(enum hf_reason reason)
{
    return reason == HF_R_DeltaDamaged || reason == HF_R_DeltaUnfit || reason == HF_R_ArtifactDamaged ||
           reason == HF_R_ArtifactTooLong || reason == HF_R_ArtifactTooShort || reason == HF_R_HashMismatch;
}

int hf_patch_run(const struct hf_patch_params *params, struct hf_failure *failure)
{
    _cleanup_(patch_run_done) struct patch_run run = {.params = params,
                                                      .fs = params->target.fs,
                                                      .dir = {.dirfd = -1},
                                                      .out_fd = -1,
                                                      .in_fd = -1,
                                                      .old_fd = -1,
                                                      .step_fd = -1,
                                                      .tree_fd = -1,
                                                      .points = HF_CHECKPOINT_KEEPER_INIT,
                                                      .failure = failure};
    int r = hf_target_open(&params->target, &run.dir, NULL, failure);

    if (r < 0)
        return r;
    (void)hf_target_file_name(params->target.release, HF_TARGET_PART, run.part);
    (void)hf_target_file_name(params->target.release, HF_TARGET_NEW, run.fresh);
    (void)hf_target_file_name(params->target.release, HF_TARGET_STEP, run.step);
    (void)hf_target_file_name(params->target.release, HF_TARGET_CHECKPOINT, run.point);
    r = make(&run);
    if (r < 0) {
        /* After a cancel the new file may be the renamed download, which is still good. */
        if (r != -ECANCELED) {
            remove_quietly(&run, run.fresh);
            remove_quietly(&run, run.point);
        }
        if (params->method == HF_METHOD_KEPT && download_is_wrong(failure->reason))
            hf_kept_drop(&run.dir, params->sha256);
        if (download_is_wrong(failure->reason)) {
            remove_quietly(&run, run.part);
            (void)run.fs->fsync(run.fs->ctx, run.dir.dirfd); /* the next try may be a day away */
        }
    }
    return r;
}
