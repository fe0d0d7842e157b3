/* SPDX-License-Identifier: Apache-2.0 */
/* Drift: is the committed version still in place, with its content, mode and owner? */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "update/install/rights.h"
#include "update/install/swap.h"
#include "update/install/tree.h"

static int differs(struct hf_swap_look *look, const char *what)
{
    (void)snprintf(look->seen.what, sizeof(look->seen.what), "%s", what);
    return 0;
}

/* ---- kind Tree --------------------------------------------------------------------------------------------------- */

static int check_tree(const struct hf_target_dir *dir, const struct hf_swap_params *params, struct hf_swap_look *look,
                      struct hf_failure *failure)
{
    char text[HF_TARGET_MAX_PATH], sha256[HF_SHA256_HEX];
    ssize_t n = dir->fs->readlinkat(dir->fs->ctx, dir->dirfd, dir->name, text, sizeof(text) - 1);

    if (n == -ENOENT || n == -EINVAL)
        return differs(look, n == -EINVAL ? "it is no link" : "the link is missing");
    if (n < 0)
        return hf_failure_sys(failure, (int)n, "read the link '%s'", dir->name);
    text[n] = '\0';
    if (!hf_tree_link_parse(params->target.release, text, sha256) || strcmp(sha256, params->sha256) != 0)
        return differs(look, "the link names something else");
    return hf_tree_verify(dir, text, params->records, params->how, &look->seen, params->cancel, failure);
}

/* ---- kind File --------------------------------------------------------------------------------------------------- */

static bool is_known(const struct hf_swap_look *look, const struct stat *st)
{
    return st->st_dev == look->device && st->st_ino == look->inode && (uint64_t)st->st_size == look->size &&
           st->st_ctim.tv_sec == look->changed_s && st->st_ctim.tv_nsec == look->changed_ns;
}

static void note_identity(struct hf_swap_look *look, const struct stat *st)
{
    look->device = st->st_dev;
    look->inode = st->st_ino;
    look->size = (uint64_t)st->st_size;
    look->changed_s = st->st_ctim.tv_sec;
    look->changed_ns = st->st_ctim.tv_nsec;
}

static int mend(const struct hf_target_dir *dir, int fd, const struct hf_rights *rights, struct hf_swap_look *look,
                struct stat *st, struct hf_failure *failure)
{
    int r = hf_rights_set(dir->fs, fd, rights, failure);

    if (r == 0)
        r = dir->fs->fsync(dir->fs->ctx, fd);
    if (r < 0)
        return r;
    look->seen.mended = 1;
    (void)snprintf(look->seen.what, sizeof(look->seen.what),
                   "it had mode %04o and owner %u:%u; restored to %04o and %u:%u", st->st_mode & 07777, st->st_uid,
                   st->st_gid, rights->mode, rights->uid, rights->gid);
    r = dir->fs->fstat(dir->fs->ctx, fd, st);
    return r < 0 ? hf_failure_sys(failure, r, "stat") : 0;
}

static int rights_differ(struct hf_swap_look *look, const struct stat *st, const struct hf_rights *rights)
{
    (void)snprintf(look->seen.what, sizeof(look->seen.what), "it has mode %04o and owner %u:%u, not %04o and %u:%u",
                   st->st_mode & 07777, st->st_uid, st->st_gid, rights->mode, rights->uid, rights->gid);
    return 0;
}

/* The file has the right content: 1 if it has the right mode and owner now, 0: not. */
static int check_rights(const struct hf_target_dir *dir, int fd, const struct hf_swap_params *params,
                        struct hf_swap_look *look, struct stat *st, struct hf_failure *failure)
{
    const struct hf_install_manifest manifest = {dir->fs, params->records, params->sha256};
    struct hf_rights rights;
    bool recorded = hf_rights_load(dir->fs, params->records, &params->sha256, 1, &rights);
    int r = 0;

    if (!recorded)
        rights = hf_rights_adopt(st);
    if (params->has_mode)
        rights.mode = params->mode & 07777;
    if (params->how == HF_INSTALL_CHECK_LOOK)
        return hf_rights_match(&rights, st) ? 1 : rights_differ(look, st, &rights);
    if (!hf_rights_match(&rights, st))
        r = mend(dir, fd, &rights, look, st, failure);
    if (r == 0 && !recorded && params->records != NULL)
        r = hf_install_manifest_write_file(&manifest, st, params->sha256, failure);
    return r < 0 ? r : 1;
}

static int check_open(const struct hf_target_dir *dir, int fd, const struct hf_swap_params *params,
                      struct hf_swap_look *look, struct hf_failure *failure)
{
    char hex[HF_SHA256_HEX];
    struct stat st;
    int r = dir->fs->fstat(dir->fs->ctx, fd, &st);

    if (r < 0)
        return hf_failure_sys(failure, r, "stat");
    if (is_known(look, &st))
        return 1;
    r = hf_target_hash_fd(dir->fs, fd, params->cancel, hex, NULL, failure);
    if (r == -EFBIG)
        return differs(look, "it has more bytes than its disk");
    if (r < 0)
        return r;
    if (strcmp(hex, params->sha256) != 0)
        return differs(look, "it has other content");
    r = check_rights(dir, fd, params, look, &st, failure);
    if (r > 0)
        note_identity(look, &st);
    return r;
}

static int check_file(const struct hf_target_dir *dir, const struct hf_swap_params *params, struct hf_swap_look *look,
                      struct hf_failure *failure)
{
    struct stat st;
    int r;

    if (!hf_target_stat(dir, dir->name, &st, &r))
        return r < 0 ? hf_failure_sys(failure, r, "stat '%s'", dir->name) : differs(look, "it is missing");
    if (!S_ISREG(st.st_mode))
        return differs(look, "it is no regular file");
    int fd = hf_target_open_file(dir, dir->name, O_RDONLY, failure);
    if (fd < 0)
        return fd;
    r = check_open(dir, fd, params, look, failure);
    (void)dir->fs->close(dir->fs->ctx, fd);
    return r;
}

/* ---- both -------------------------------------------------------------------------------------------------------- */

int hf_swap_check(const struct hf_swap_params *params, struct hf_swap_look *look, struct hf_failure *failure)
{
    struct hf_target_dir dir = {.dirfd = -1};
    struct hf_target target = params->target;

    target.guard = false; /* a repair checks the folder */
    int r = hf_target_open(&target, &dir, NULL, failure);

    look->seen.mended = 0;
    look->seen.what[0] = '\0';
    if (r < 0)
        return r == -ENOENT ? differs(look, "its folder is missing") : r;
    r = params->kind == HF_INSTALL_FILE ? check_file(&dir, params, look, failure)
                                        : check_tree(&dir, params, look, failure);
    hf_target_dir_done(&dir);
    return r;
}
