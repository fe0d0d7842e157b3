#include "update/install/patch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/encoding/hex.h"
#include "base/parse.h"
#include "codec/unpack.h"
#include "pack/deep/scratch.h"
#include "pack/tar/archive.h"
#include "update/install/checkpoint.h"
#include "update/install/metadata.h"
#include "update/install/tree.h"
#include "update/state/attempt.h"

enum { STEP = 64 * 1024 };

struct making {
    const struct hf_patch_params *params;
    const struct hf_fs_ops *fs;
    struct hf_target_dir dir;
    char part[NAME_MAX + 1], fresh[NAME_MAX + 1], step[NAME_MAX + 1], point[NAME_MAX + 1];
    int out_fd, in_fd, old_fd, step_fd;
    uint64_t out_at, in_at;
    int tree_fd; /* kind Tree: the folder in use */
    struct hf_archive *tree;
    struct hf_checkpoint_keeper points;
    struct hf_delta_checkpoint from; /* goes_on: an earlier life came this far */
    bool goes_on;
    struct hf_failure *failure;
};

static void close_fd(const struct making *making, int *fd)
{
    if (*fd >= 0)
        (void)making->fs->close(making->fs->ctx, *fd);
    *fd = -1;
}

/* What one attempt opened, but for the installed file. */
static void attempt_done(struct making *making)
{
    hf_archive_free(hf_steal(making->tree));
    close_fd(making, &making->tree_fd);
    close_fd(making, &making->step_fd);
    close_fd(making, &making->in_fd);
    close_fd(making, &making->out_fd);
    making->in_at = making->out_at = 0;
}

static void making_done(struct making *making)
{
    attempt_done(making);
    close_fd(making, &making->old_fd);
    hf_checkpoint_done(&making->points);
    hf_target_dir_done(&making->dir);
}

static bool cancelled(const struct making *making)
{
    return making->params->cancel != NULL && atomic_load(making->params->cancel);
}

/* ---- the new file being written ------------------------------------------------------------------------------------ */

static int open_fresh(struct making *making)
{
    struct hf_failure *failure = making->failure;
    int r = hf_target_unlink(&making->dir, making->fresh, failure);

    if (r < 0)
        return r;
    making->out_fd = hf_target_open_file(&making->dir, making->fresh, O_RDWR | O_CREAT | O_EXCL, failure);
    if (making->out_fd < 0)
        return making->out_fd;
    /* All or nothing now: better than half-way through, and the blocks lie together. */
    r = making->fs->fallocate(making->fs->ctx, making->out_fd, 0, making->params->size);
    if (r == -EOPNOTSUPP || making->params->size == 0)
        return 0;
    return r < 0 ? hf_failure_sys(failure, r, "reserve %llu bytes for the new file",
                                  (unsigned long long)making->params->size)
                 : 0;
}

/* As far as the point says it is there: whether it is right is seen at the end. */
static bool reopen_fresh(struct making *making)
{
    struct hf_failure ignored;
    struct stat st;
    int r;

    if (!hf_target_stat(&making->dir, making->fresh, &st, &r) || !S_ISREG(st.st_mode) ||
        (uint64_t)st.st_size < making->from.new_offset || (uint64_t)st.st_size > making->params->size)
        return false;
    making->out_fd = hf_target_open_file(&making->dir, making->fresh, O_RDWR, &ignored);
    making->out_at = making->from.new_offset;
    return making->out_fd >= 0;
}

/* From where an earlier life came to, or from the start. */
static int open_output(struct making *making)
{
    making->goes_on = making->goes_on && reopen_fresh(making);
    if (making->goes_on)
        return 0;
    hf_checkpoint_restart(&making->points);
    making->out_at = 0;
    return open_fresh(making);
}

static int write_fresh(void *ctx, const void *bytes, size_t n)
{
    struct making *making = ctx;

    if (cancelled(making))
        return hf_failure_sys(making->failure, -ECANCELED, "make the new file");
    if (n > making->params->size - making->out_at)
        return hf_failure_set(making->failure, HF_R_ArtifactTooLong, EFBIG,
                              "the new file would be longer than the signed %llu bytes",
                              (unsigned long long)making->params->size);
    int r = hf_target_write(making->fs, making->out_fd, bytes, n, making->out_at, making->failure);
    if (r == 0)
        making->out_at += n;
    return r;
}

/* ---- by delta ------------------------------------------------------------------------------------------------------ */

static ssize_t read_old(void *ctx, void *bytes, size_t n, uint64_t offset)
{
    const struct making *making = ctx;

    return making->fs->pread(making->fs->ctx, making->old_fd, bytes, n, offset);
}

static ssize_t read_step(void *ctx, void *bytes, size_t n, uint64_t offset)
{
    const struct making *making = ctx;

    return making->fs->pread(making->fs->ctx, making->step_fd, bytes, n, offset);
}

static ssize_t read_part(void *ctx, void *bytes, size_t n)
{
    struct making *making = ctx;
    ssize_t got = making->fs->pread(making->fs->ctx, making->in_fd, bytes, n, making->in_at);

    if (got > 0)
        making->in_at += (uint64_t)got;
    return got;
}

/* The delta's own hash, before its first byte is looked at. */
static int check_delta(struct making *making)
{
    char hex[HF_SHA256_HEX];
    uint64_t size;
    int r = hf_target_hash_fd(making->fs, making->in_fd, making->params->cancel, hex, &size, making->failure);

    if (r < 0)
        return r;
    if (size != making->params->delta_size || strcmp(hex, making->params->delta_sha256) != 0)
        return hf_failure_set(making->failure, HF_R_DeltaDamaged, EBADMSG,
                              "the delta is %llu bytes with sha256 %.16s..., signed are %llu and %.16s...",
                              (unsigned long long)size, hex, (unsigned long long)making->params->delta_size,
                              making->params->delta_sha256);
    return 0;
}

/* The folder in use as its archive, which must still be what it was unpacked from: not so when something in it was changed, or when
 * the archive was not canonical. */
static int open_tree(struct making *making, struct hf_delta_old *ret_old)
{
    const struct hf_fs_ops *fs = making->fs;
    unsigned char digest[HF_SHA256_BYTES];
    char want[HF_SHA256_HEX], hex[HF_SHA256_HEX];
    struct hf_failure *failure = making->failure;

    if (!hf_tree_link_parse(making->params->target.release, making->params->old_link, want))
        return hf_failure_set(failure, HF_R_TargetChanged, ESTALE, "'%s' is none of ours", making->params->target.path);
    making->tree_fd = fs->openat(fs->ctx, making->dir.dirfd, making->params->old_link,
                                 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0, HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
    if (making->tree_fd < 0)
        return hf_failure_sys(failure, making->tree_fd, "open the folder in use");
    int r = hf_archive_new(fs, making->tree_fd, 0, making->params->cancel, &making->tree, &failure->err);
    if (r == 0)
        r = hf_archive_digest(making->tree, digest, &failure->err);
    if (r == -ECANCELED)
        return hf_failure_sys(failure, r, "read the folder in use");
    if (r < 0 || strcmp(hf_hex_encode(digest, sizeof(digest), hex), want) != 0)
        return hf_failure_set(failure, HF_R_DeltaDamaged, EBADMSG,
                              "the folder in use is not what was unpacked there: no delta can be made from it");
    *ret_old = hf_archive_bytes(making->tree);
    return 0;
}

static int check_old(struct making *making, uint64_t *ret_size)
{
    char hex[HF_SHA256_HEX];
    int r = hf_target_hash_fd(making->fs, making->old_fd, making->params->cancel, hex, ret_size, making->failure);

    if (r < 0)
        return r;
    if (strcmp(hex, making->params->old_sha256) != 0)
        return hf_failure_set(making->failure, HF_R_TargetChanged, ESTALE,
                              "'%s' has sha256 %.16s... now, it had %.16s... when the update began",
                              making->params->target.path, hex, making->params->old_sha256);
    return 0;
}

/* The file between is ours alone: another one there is no reason to doubt what is installed. */
static int check_step(struct making *making, struct hf_delta_old *ret_old)
{
    char hex[HF_SHA256_HEX] = "";
    uint64_t size = 0;
    int r = 0;

    making->step_fd = hf_target_open_file(&making->dir, making->step, O_RDONLY, making->failure);
    if (making->step_fd >= 0)
        r = hf_target_hash_fd(making->fs, making->step_fd, making->params->cancel, hex, &size, making->failure);
    else if (making->step_fd != -ENOENT)
        r = making->step_fd;
    if (r < 0)
        return r;
    if (strcmp(hex, making->params->step_sha256) != 0)
        return hf_failure_set(making->failure, HF_R_DeltaDamaged, EBADMSG,
                              "the file between old and new is not the one that was made");
    *ret_old = (struct hf_delta_old){making, read_step, size};
    return 0;
}

static int find_old(struct making *making, struct hf_delta_old *old)
{
    if (making->params->step_sha256 != NULL)
        return check_step(making, old);
    return making->params->kind == HF_INSTALL_TREE ? open_tree(making, old) : check_old(making, &old->size);
}

static int keep_point(void *ctx, const struct hf_delta_checkpoint *checkpoint)
{
    struct making *making = ctx;
    int r = hf_checkpoint_keep(&making->points, making->out_fd, checkpoint);

    return r < 0 ? hf_failure_sys(making->failure, r, "sync the new file at %llu",
                                  (unsigned long long)checkpoint->new_offset)
                 : 0;
}

/* Before the delta takes its memory: a death is known for one by this. */
static int begin_attempt(struct making *making)
{
    const struct hf_patch_params *params = making->params;
    struct hf_attempt attempt = {.size = params->size, .at = making->goes_on ? making->from.new_offset : 0};

    if (params->folder == NULL)
        return 0;
    (void)snprintf(attempt.delta, sizeof(attempt.delta), "%s", params->delta_sha256);
    (void)snprintf(attempt.makes, sizeof(attempt.makes), "%s", params->sha256);
    int r = hf_attempt_begin(making->fs, params->folder, &attempt, &making->failure->err);
    if (r < 0)
        making->failure->reason = HF_R_StateNotWritable;
    return r;
}

/* One that cannot be removed looks like a death to the next start, which may cost a longer way: no more. */
static void end_attempt(const struct making *making)
{
    if (making->params->folder != NULL)
        (void)!hf_attempt_end(making->fs, making->params->folder, NULL);
}

static int apply_delta(struct making *making)
{
    char scratch_name[NAME_MAX + 1];
    struct hf_deep_file scratch =
        hf_deep_file_init(making->fs, making->dir.dirfd,
                          hf_target_file_name(making->params->target.release, HF_TARGET_SCRATCH, scratch_name));
    struct hf_deep_apply_params apply = {.delta = {.old = {making, read_old, 0},
                                                   .patch = {making, read_part},
                                                   .out = {making, write_fresh},
                                                   .cancel = making->params->cancel,
                                                   .checkpoint = keep_point,
                                                   .checkpoint_ctx = making,
                                                   .old_is_verified = true},
                                         .scratch = hf_deep_file_scratch(&scratch)};
    struct hf_failure *failure = making->failure;
    struct hf_room room;
    int r = check_delta(making);

    if (r == 0)
        r = find_old(making, &apply.delta.old);
    if (r == 0)
        r = open_output(making);
    if (r == 0)
        r = begin_attempt(making);
    if (r < 0)
        return r;
    hf_room_memory(making->fs, "", &room);
    apply.memory_max = HF_MAX(room.bytes, 1);
    apply.delta.resume = making->goes_on ? &making->from : NULL;
    failure->reason = HF_R_None;
    r = hf_deep_apply(&apply, NULL, &failure->err);
    hf_deep_file_done(&scratch);
    if (r == -ECANCELED)
        hf_checkpoint_settle(&making->points, making->out_fd);
    end_attempt(making);
    if (r < 0 && failure->reason == HF_R_None) {
        /* Not a write's: what the delta itself is to blame for is damage, what this node has not is unfitness; the rest (a bad
         * disk) has its own name. The whole file needs neither memory to speak of nor a library of this version. */
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

/* ---- by the whole file --------------------------------------------------------------------------------------------- */

static bool is_packed(const unsigned char *head, ssize_t n)
{
    static const unsigned char zst[] = {0x28, 0xb5, 0x2f, 0xfd}, xz[] = {0xfd, '7', 'z', 'X', 'Z', 0};

    return (n >= 4 && memcmp(head, zst, 4) == 0) || (n >= 6 && memcmp(head, xz, 6) == 0);
}

/* Is the download the file itself? A release may well be a .zst: then size and hash say so. */
static int is_raw(struct making *making, bool *ret_raw)
{
    unsigned char head[8];
    char hex[HF_SHA256_HEX];
    struct stat st;
    ssize_t n = making->fs->pread(making->fs->ctx, making->in_fd, head, sizeof(head), 0);
    int r = making->fs->fstat(making->fs->ctx, making->in_fd, &st);

    if (n < 0 || r < 0)
        return hf_failure_sys(making->failure, n < 0 ? (int)n : r, "read the download");
    *ret_raw = !is_packed(head, n);
    if (*ret_raw || (uint64_t)st.st_size != making->params->size)
        return 0;
    r = hf_target_hash_fd(making->fs, making->in_fd, making->params->cancel, hex, NULL, making->failure);
    *ret_raw = r == 0 && strcmp(hex, making->params->sha256) == 0;
    return r;
}

static int feed(struct making *making, struct hf_unpack *unpack)
{
    _cleanup_(hf_freep) unsigned char *bytes = malloc(STEP);
    ssize_t n;

    if (bytes == NULL)
        return hf_failure_sys(making->failure, -ENOMEM, "unpack");
    while ((n = read_part(making, bytes, STEP)) > 0) {
        int r = hf_unpack_feed(unpack, bytes, (size_t)n, &making->failure->err);
        if (r < 0)
            return r;
    }
    return n < 0 ? hf_failure_sys(making->failure, (int)n, "read the download")
                 : hf_unpack_finish(unpack, &making->failure->err);
}

static int expand(struct making *making)
{
    struct hf_failure *failure = making->failure;
    int r = open_fresh(making);

    if (r < 0)
        return r;
    struct hf_unpack *unpack = hf_unpack_new(write_fresh, making, 0);
    if (unpack == NULL)
        return hf_failure_sys(failure, -ENOMEM, "unpack");
    failure->reason = HF_R_None;
    r = feed(making, unpack);
    hf_unpack_free(unpack);
    if (r < 0 && failure->reason == HF_R_None)
        failure->reason =
            r == -EBADMSG || r == -E2BIG || r == -EOPNOTSUPP ? HF_R_ArtifactDamaged : hf_reason_of_errno(r);
    return r;
}

/* The download becomes the new file without being copied: half the writes, half the space. */
static int adopt(struct making *making)
{
    int r = making->fs->renameat(making->fs->ctx, making->dir.dirfd, making->part, making->dir.dirfd, making->fresh);

    if (r < 0)
        return hf_failure_sys(making->failure, r, "rename the download");
    making->out_fd = making->in_fd;
    making->in_fd = -1;
    return 0;
}

static int take_whole(struct making *making)
{
    bool raw = false;
    int r = is_raw(making, &raw);

    if (r < 0)
        return r;
    return raw ? adopt(making) : expand(making);
}

/* ---- both ---------------------------------------------------------------------------------------------------------- */

/* Is the new file there already, from a life that was cut short? */
static int find_whole(struct making *making, bool *ret_whole)
{
    char hex[HF_SHA256_HEX];
    struct stat st;
    int r;

    *ret_whole = false;
    if (!hf_target_stat(&making->dir, making->fresh, &st, &r))
        return r < 0 ? hf_failure_sys(making->failure, r, "stat the new file") : 0;
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != making->params->size)
        return 0;
    making->out_fd = hf_target_open_file(&making->dir, making->fresh, O_RDWR, making->failure);
    if (making->out_fd < 0)
        return making->out_fd;
    r = hf_target_hash_fd(making->fs, making->out_fd, making->params->cancel, hex, NULL, making->failure);
    *ret_whole = r == 0 && strcmp(hex, making->params->sha256) == 0;
    if (!*ret_whole) {
        (void)making->fs->close(making->fs->ctx, making->out_fd);
        making->out_fd = -1;
    }
    return r;
}

/* Owner, mode, attributes; synced; then read back: what counts is what the file system gives, not what we meant to write. */
static int finish(struct making *making)
{
    const struct hf_patch_params *params = making->params;
    char hex[HF_SHA256_HEX];
    uint64_t size;
    int r = hf_metadata_copy(making->fs, making->old_fd, making->out_fd,
                             params->kind == HF_INSTALL_FILE && params->has_mode, params->mode, making->failure);

    if (r < 0)
        return r;
    r = making->fs->fsync(making->fs->ctx, making->out_fd);
    if (r < 0)
        return hf_failure_sys(making->failure, r, "sync the new file");
    r = hf_target_hash_fd(making->fs, making->out_fd, params->cancel, hex, &size, making->failure);
    if (r < 0)
        return r;
    if (size < params->size)
        return hf_failure_set(making->failure, HF_R_ArtifactTooShort, EBADMSG,
                              "the new file has %llu bytes, signed are %llu", (unsigned long long)size,
                              (unsigned long long)params->size);
    if (size != params->size || strcmp(hex, params->sha256) != 0)
        return hf_failure_set(making->failure, HF_R_HashMismatch, EBADMSG,
                              "the new file has sha256 %.16s..., signed is %.16s...", hex, params->sha256);
    return hf_target_sync(&making->dir, making->failure);
}

static int open_inputs(struct making *making)
{
    making->in_fd = hf_target_open_file(&making->dir, making->part, O_RDWR, making->failure);
    return making->in_fd < 0 ? making->in_fd : 0;
}

static int open_old(struct making *making)
{
    if (!making->params->had_old || making->params->kind != HF_INSTALL_FILE)
        return 0;
    making->old_fd = hf_target_open_file(&making->dir, making->dir.name, O_RDONLY, making->failure);
    if (making->old_fd == -ENOENT || making->old_fd == -ELOOP || making->old_fd == -EINVAL)
        return hf_failure_set(making->failure, HF_R_TargetChanged, ESTALE, "'%s' is gone or no file any more",
                              making->params->target.path);
    return making->old_fd < 0 ? making->old_fd : 0;
}

/* The file between gets its name, durable; the one before it, which it was made from, is gone with that. */
static int keep_step(struct making *making)
{
    int r = making->fs->renameat(making->fs->ctx, making->dir.dirfd, making->fresh, making->dir.dirfd, making->step);

    return r < 0 ? hf_failure_sys(making->failure, r, "rename the file between old and new")
                 : hf_target_sync(&making->dir, making->failure);
}

static void remove_quietly(const struct making *making, const char *name)
{
    (void)making->fs->unlinkat(making->fs->ctx, making->dir.dirfd, name, 0);
}

static int attempt(struct making *making)
{
    int r = open_inputs(making);

    if (r == 0)
        r = making->params->method == HF_METHOD_DELTA ? apply_delta(making) : take_whole(making);
    return r == 0 ? finish(making) : r;
}

/* Half a file was gone on with, and the whole is not right: a card may lose what was synced. Nothing else is to blame before it was made
 * from the start. */
static bool half_was_wrong(const struct making *making, int r)
{
    enum hf_reason reason = making->failure->reason;

    return r < 0 && making->goes_on &&
           (reason == HF_R_HashMismatch || reason == HF_R_DeltaDamaged || reason == HF_R_DeltaUnfit || r == -EINVAL);
}

static int make_file(struct making *making)
{
    const struct hf_patch_params *params = making->params;
    bool whole = false;
    int r = 0;

    if (params->method == HF_METHOD_DELTA)
        making->goes_on = hf_checkpoint_open(&making->dir, params->delta_sha256, params->sha256, params->size,
                                             &making->points, &making->from);
    if (!making->goes_on)
        r = find_whole(making, &whole);
    if (r == 0)
        r = open_old(making);
    if (r < 0 || whole)
        return r == 0 ? finish(making) : r;
    r = attempt(making);
    if (!half_was_wrong(making, r))
        return r;
    making->goes_on = false;
    attempt_done(making);
    return attempt(making);
}

static int make(struct making *making)
{
    int r = make_file(making);

    if (r < 0)
        return r;
    if (making->points.fd >= 0)
        remove_quietly(making, making->point);
    if (making->params->to_step)
        return keep_step(making);
    return making->params->kind == HF_INSTALL_TREE ? hf_tree_make(&making->dir, making->out_fd, making->params->sha256,
                                                                  making->params->cancel, making->failure)
                                                   : 0;
}

/* Which failures are the download's fault, so that it must not be used again? */
static bool download_is_wrong(enum hf_reason reason)
{
    return reason == HF_R_DeltaDamaged || reason == HF_R_DeltaUnfit || reason == HF_R_ArtifactDamaged ||
           reason == HF_R_ArtifactTooLong || reason == HF_R_ArtifactTooShort || reason == HF_R_HashMismatch;
}

int hf_patch_run(const struct hf_patch_params *params, struct hf_failure *failure)
{
    _cleanup_(making_done) struct making making = {.params = params,
                                                   .fs = params->target.fs,
                                                   .dir = {.dirfd = -1},
                                                   .out_fd = -1,
                                                   .in_fd = -1,
                                                   .old_fd = -1,
                                                   .step_fd = -1,
                                                   .tree_fd = -1,
                                                   .points = HF_CHECKPOINT_KEEPER_INIT,
                                                   .failure = failure};
    int r = hf_target_open(&params->target, &making.dir, NULL, failure);

    if (r < 0)
        return r;
    (void)hf_target_file_name(params->target.release, HF_TARGET_PART, making.part);
    (void)hf_target_file_name(params->target.release, HF_TARGET_NEW, making.fresh);
    (void)hf_target_file_name(params->target.release, HF_TARGET_STEP, making.step);
    (void)hf_target_file_name(params->target.release, HF_TARGET_CHECKPOINT, making.point);
    r = make(&making);
    if (r < 0) {
        /* An adopted download that was not looked through to its end is still good. */
        if (r != -ECANCELED) {
            remove_quietly(&making, making.fresh);
            remove_quietly(&making, making.point);
        }
        if (download_is_wrong(failure->reason)) {
            remove_quietly(&making, making.part);
            (void)making.fs->fsync(making.fs->ctx, making.dir.dirfd); /* it may be a day to the next try */
        }
    }
    return r;
}
