/* SPDX-License-Identifier: Apache-2.0 */
/* Trees: extracted into a folder `.new`, then renamed to their name, then recorded in a manifest.
 *
 * hf_tree_make(): remove the rest of an earlier attempt; extract (the extractor reports the digest of each file);
 * rename; write the manifest; sync. After an error the folder is removed again. Nothing here changes the link:
 * swap.c does, once the tree is complete, and a folder that the link names is never replaced.
 *
 * hf_tree_verify() trusts the manifest. If there is none, because the state folder was lost, the name of the folder
 * is the proof: the canonical archive of an unchanged tree has the hash in it. The manifest is then made first and
 * the archive computed afterwards, and the tree is compared once more, because a file may change in between. */
#include "update/install/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding/hex.h"
#include "base/strmap.h"
#include "os/dir.h"
#include "os/file.h"
#include "pack/tar/archive.h"
#include "pack/tar/extract.h"
#include "steps/guard.h"

#define AGAIN ".again"
enum { STEP = 64 * 1024 };

/* ---- extracting -------------------------------------------------------------------------------------------------- */

/* Feeds the whole tar file to the extractor. */
static int feed(struct hf_extract *extract, const struct hf_fs_ops *fs, int tar_fd, const atomic_bool *cancel,
                struct hf_failure *failure)
{
    _cleanup_(hf_freep) char *bytes = malloc(STEP);
    int r = bytes == NULL ? -ENOMEM : 0;
    ssize_t n = 0;

    if (r < 0)
        return hf_failure_sys(failure, r, "extract");
    for (uint64_t at = 0; (n = fs->pread(fs->ctx, tar_fd, bytes, STEP, at)) > 0; at += (uint64_t)n) {
        if (cancel != NULL && atomic_load(cancel))
            return hf_failure_sys(failure, -ECANCELED, "extract");
        r = hf_extract_feed(extract, bytes, (size_t)n, &failure->err);
        if (r < 0)
            break;
    }
    if (n < 0)
        return hf_failure_sys(failure, (int)n, "read the archive");
    if (r == 0)
        r = hf_extract_finish(extract, &failure->err);
    if (r < 0)
        failure->reason = r == -EBADMSG || r == -E2BIG ? HF_R_ArchiveInvalid : hf_reason_of_errno(r);
    return r;
}

/* Takes the owner of the tree in use; without one, that of the new folder. */
static int find_owner(const struct hf_target_dir *dir, int top_fd, struct hf_extract_params *params,
                      struct hf_failure *failure)
{
    struct stat st;
    int r = dir->fs->fstatat(dir->fs->ctx, dir->dirfd, dir->name, &st, 0);

    if (r < 0)
        r = dir->fs->fstat(dir->fs->ctx, top_fd, &st);
    if (r < 0)
        return hf_failure_sys(failure, r, "stat the tree");
    params->uid = st.st_uid;
    params->gid = st.st_gid;
    return 0;
}

static int fill_folder(const struct hf_target_dir *dir, int trees_fd, const char *fresh, int tar_fd,
                       struct hf_install_manifest_digests *digests, const atomic_bool *cancel,
                       struct hf_failure *failure)
{
    _cleanup_(hf_fs_fd_done) struct hf_fs_fd top = {dir->fs, -1};
    _cleanup_(hf_extract_freep) struct hf_extract *extract = NULL;
    int r = hf_dir_remove_tree_at(dir->fs, trees_fd, fresh, &failure->err);

    if (r == 0)
        r = dir->fs->mkdirat(dir->fs->ctx, trees_fd, fresh, 0700);
    if (r < 0)
        return hf_failure_sys(failure, r, "make the tree's folder");
    top.fd = dir->fs->openat(dir->fs->ctx, trees_fd, fresh, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
                             HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
    if (top.fd < 0)
        return hf_failure_sys(failure, top.fd, "open the tree's folder");
    struct hf_extract_params params = {.fs = dir->fs,
                                       .dirfd = top.fd,
                                       .rules = HF_EXTRACT_ANY,
                                       .made = digests != NULL ? hf_install_manifest_digests_add : NULL,
                                       .arg = digests};
    r = find_owner(dir, top.fd, &params, failure);
    if (r < 0)
        return r;
    r = hf_extract_new(&params, &extract, &failure->err);
    return r < 0 ? hf_failure_sys(failure, r, "extract") : feed(extract, dir->fs, tar_fd, cancel, failure);
}

struct folders {
    struct hf_strmap names;
};

static int note_folder(void *arg, const char *name, unsigned char type)
{
    struct folders *folders = arg;

    (void)type;
    return hf_strmap_put(&folders->names, name, NULL);
}

static void folders_done(struct folders *folders)
{
    hf_strmap_done(&folders->names);
}

static int open_trees(const struct hf_target_dir *dir, bool make, struct hf_failure *failure)
{
    char trees[NAME_MAX + 1];
    int r = 0;

    (void)hf_target_file_name(dir->release, HF_TARGET_TREE, trees);
    if (make)
        r = dir->fs->mkdirat(dir->fs->ctx, dir->dirfd, trees, 0755);
    if (r < 0 && r != -EEXIST)
        return hf_failure_sys(failure, r, "make the trees' folder");
    int fd = dir->fs->openat(dir->fs->ctx, dir->dirfd, trees, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
                             HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
    if (fd < 0)
        return hf_failure_sys(failure, fd, "open the trees' folder");
    r = dir->guard ? hf_guard_folder(dir->fs, fd, dir->uid, trees, failure) : 0;
    if (r == 0)
        return fd;
    (void)dir->fs->close(dir->fs->ctx, fd);
    return r;
}

/* Opens the folder of one tree below the folder of all trees. */
static int open_tree(const struct hf_target_dir *dir, int trees_fd, const char *folder)
{
    return dir->fs->openat(dir->fs->ctx, trees_fd, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
                           HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
}

static int write_manifest(const struct hf_target_dir *dir, int trees_fd, const char *folder, const char *records,
                          struct hf_install_manifest_digests *digests, const atomic_bool *cancel,
                          struct hf_failure *failure)
{
    _cleanup_(hf_fs_fd_done) struct hf_fs_fd top = {dir->fs, open_tree(dir, trees_fd, folder)};
    const struct hf_install_manifest manifest = {dir->fs, records, folder};

    if (top.fd < 0)
        return hf_failure_sys(failure, top.fd, "open the new tree");
    return hf_install_manifest_write(&manifest, top.fd, &(struct hf_install_manifest_source){.digests = digests},
                                     cancel, failure);
}

/* Removes a folder that has the name of the new one: the rest of an attempt that a power cut or a kill ended. Nothing
 * has verified its content. */
static int make_room(const struct hf_target_dir *dir, int trees_fd, const char *folder, struct hf_failure *failure)
{
    char text[HF_TARGET_MAX_PATH];
    ssize_t n = dir->fs->readlinkat(dir->fs->ctx, dir->dirfd, dir->name, text, sizeof(text) - 1);

    text[HF_MAX(n, 0)] = '\0';
    if (strcmp(hf_tree_link_folder(dir->release, text), folder) == 0)
        return hf_failure_set(failure, HF_R_TargetChanged, ESTALE, "the link '%s' has changed since the update began",
                              dir->name);
    int r = hf_dir_remove_tree_at(dir->fs, trees_fd, folder, &failure->err);
    return r < 0 ? hf_failure_sys(failure, r, "remove an unfinished tree") : 0;
}

static int make_in(const struct hf_target_dir *dir, int trees_fd, int tar_fd, const char *folder, const char *records,
                   struct hf_install_manifest_digests *digests, const atomic_bool *cancel, struct hf_failure *failure)
{
    char fresh[HF_INSTALL_MANIFEST_VERSION + 8];
    int r = make_room(dir, trees_fd, folder, failure);

    if (r < 0)
        return r;
    (void)snprintf(fresh, sizeof(fresh), "%s.new", folder);
    r = fill_folder(dir, trees_fd, fresh, tar_fd, records != NULL ? digests : NULL, cancel, failure);
    if (r < 0) {
        (void)!hf_dir_remove_tree_at(dir->fs, trees_fd, fresh, NULL);
        return r;
    }
    r = dir->fs->renameat(dir->fs->ctx, trees_fd, fresh, trees_fd, folder);
    if (r < 0)
        return hf_failure_sys(failure, r, "finish the tree");
    if (records != NULL)
        r = write_manifest(dir, trees_fd, folder, records, digests, cancel, failure);
    if (r < 0) {
        (void)!hf_dir_remove_tree_at(dir->fs, trees_fd, folder, NULL);
        return r;
    }
    r = dir->fs->fsync(dir->fs->ctx, trees_fd);
    return r < 0 ? hf_failure_sys(failure, r, "finish the tree") : 0;
}

int hf_tree_make(const struct hf_target_dir *dir, int tar_fd, const char *folder, const char *records,
                 const atomic_bool *cancel, struct hf_failure *failure)
{
    _cleanup_(hf_fs_fd_done) struct hf_fs_fd trees = {dir->fs, open_trees(dir, true, failure)};
    struct hf_install_manifest_digests digests = {.n = 0};

    if (trees.fd < 0)
        return trees.fd;
    int r = make_in(dir, trees.fd, tar_fd, folder, records, &digests, cancel, failure);
    hf_install_manifest_digests_done(&digests);
    return r < 0 ? r : hf_target_sync(dir, failure);
}

int hf_tree_sync(const struct hf_target_dir *dir, struct hf_failure *failure)
{
    _cleanup_(hf_fs_fd_done) struct hf_fs_fd trees = {dir->fs, open_trees(dir, false, failure)};

    if (trees.fd < 0)
        return trees.fd;
    int r = dir->fs->fsync(dir->fs->ctx, trees.fd);
    return r < 0 ? hf_failure_sys(failure, r, "finish the tree") : hf_target_sync(dir, failure);
}

/* ---- verifying --------------------------------------------------------------------------------------------------- */

struct tree_proof {
    const struct hf_fs_ops *fs;
    int top_fd;
    const char *sha256;
    const atomic_bool *cancel;
    struct hf_failure *failure;
};

/* 0 if the canonical archive of the tree has the hash of its name. */
static int prove(void *arg)
{
    const struct tree_proof *proof = arg;
    _cleanup_(hf_archive_freep) struct hf_archive *archive = NULL;
    unsigned char digest[HF_SHA256_BYTES];
    char hex[HF_SHA256_HEX];
    int r = hf_archive_new(proof->fs, proof->top_fd, 0, proof->cancel, &archive, &proof->failure->err);

    if (r == 0)
        r = hf_archive_digest(archive, digest, &proof->failure->err);
    if (r == 0 && strcmp(hf_hex_encode(digest, sizeof(digest), hex), proof->sha256) != 0)
        return hf_failure_set(proof->failure, HF_R_TargetChanged, ESTALE, "the tree has no manifest, and another hash");
    return r == -EBADMSG || r == -E2BIG ? -ESTALE : r;
}

static int adopt(const struct hf_install_manifest *manifest, struct tree_proof *proof, bool looks,
                 struct hf_install_manifest_look *look)
{
    const struct hf_install_manifest_source source = {.agree = prove, .arg = proof};
    int r = looks ? prove(proof)
                  : hf_install_manifest_write(manifest, proof->top_fd, &source, proof->cancel, proof->failure);

    if (r == 0 && looks)
        return 1;
    if (r == 0) /* once more, because a file may have changed while the manifest was made */
        return hf_install_manifest_check(manifest, proof->top_fd, HF_INSTALL_CHECK_QUICK, look, proof->cancel,
                                         proof->failure);
    if (r != -ESTALE)
        return r;
    (void)snprintf(look->what, sizeof(look->what), "the agent has no record of the tree, and its hash is another one");
    return 0;
}

int hf_tree_verify(const struct hf_target_dir *dir, const char *link, const char *records, enum hf_install_check how,
                   struct hf_install_manifest_look *look, const atomic_bool *cancel, struct hf_failure *failure)
{
    _cleanup_(hf_fs_fd_done) struct hf_fs_fd top = {dir->fs, -1};
    const struct hf_install_manifest manifest = {dir->fs, records, hf_tree_link_folder(dir->release, link)};
    char sha256[HF_SHA256_HEX];

    if (!hf_tree_link_parse(dir->release, link, sha256))
        return hf_failure_set(failure, HF_R_TargetChanged, EINVAL, "'%.200s' is no tree of this release", link);
    top.fd = open_tree(dir, dir->dirfd, link);
    if (top.fd == -ENOENT || top.fd == -ENOTDIR || top.fd == -ELOOP) {
        (void)snprintf(look->what, sizeof(look->what), "the folder of the tree is missing");
        return 0;
    }
    if (top.fd < 0)
        return hf_failure_sys(failure, top.fd, "open the tree");
    if (records == NULL)
        return 1;
    int r = hf_install_manifest_check(&manifest, top.fd, how, look, cancel, failure);
    struct tree_proof proof = {dir->fs, top.fd, sha256, cancel, failure};
    return r == -ENOENT ? adopt(&manifest, &proof, how == HF_INSTALL_CHECK_LOOK, look) : r;
}

/* ---- links and leftovers ----------------------------------------------------------------------------------------- */

const char *hf_tree_folder(const char *release, const char *sha256, const char *old_link,
                           char folder[HF_INSTALL_MANIFEST_VERSION])
{
    bool taken = strcmp(hf_tree_link_folder(release, old_link), sha256) == 0;

    (void)snprintf(folder, HF_INSTALL_MANIFEST_VERSION, "%s%s", sha256, taken ? AGAIN : "");
    return folder;
}

const char *hf_tree_link(const char *release, const char *folder, char text[HF_TARGET_MAX_PATH])
{
    char trees[NAME_MAX + 1];

    (void)snprintf(text, HF_TARGET_MAX_PATH, "%s/%s", hf_target_file_name(release, HF_TARGET_TREE, trees), folder);
    return text;
}

const char *hf_tree_link_folder(const char *release, const char *text)
{
    char trees[NAME_MAX + 1];
    size_t n = strlen(hf_target_file_name(release, HF_TARGET_TREE, trees)), digits = HF_SHA256_HEX - 1;

    if (strncmp(text, trees, n) != 0 || text[n] != '/' || strspn(text + n + 1, "0123456789abcdef") != digits)
        return "";
    const char *end = text + n + 1 + digits;
    return *end == '\0' || strcmp(end, AGAIN) == 0 ? text + n + 1 : "";
}

bool hf_tree_link_parse(const char *release, const char *text, char sha256[HF_SHA256_HEX])
{
    const char *folder = hf_tree_link_folder(release, text);

    if (folder[0] == '\0')
        return false;
    memcpy(sha256, folder, HF_SHA256_HEX - 1);
    sha256[HF_SHA256_HEX - 1] = '\0';
    return true;
}

static bool is_among(const char *name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

int hf_tree_clean(const struct hf_target_dir *dir, const char *const *keep, size_t n, struct hf_failure *failure)
{
    _cleanup_(hf_fs_fd_done) struct hf_fs_fd trees = {dir->fs, open_trees(dir, false, failure)};
    _cleanup_(folders_done) struct folders folders = {.names = {.n = 0}};
    char name[NAME_MAX + 1];

    if (trees.fd == -ENOENT)
        return 0;
    if (trees.fd < 0)
        return trees.fd;
    int r = dir->fs->list(dir->fs->ctx, trees.fd, note_folder, &folders);
    size_t kept = 0;
    for (size_t i = 0; r == 0 && i < folders.names.n; i++) {
        const char *one = folders.names.entries[i].key;
        if (is_among(one, keep, n))
            kept++;
        else
            r = hf_dir_remove_tree_at(dir->fs, trees.fd, one, &failure->err);
    }
    if (r == 0 && kept < folders.names.n)
        r = dir->fs->fsync(dir->fs->ctx, trees.fd);
    if (r == 0 && kept == 0) {
        r = dir->fs->unlinkat(dir->fs->ctx, dir->dirfd, hf_target_file_name(dir->release, HF_TARGET_TREE, name),
                              AT_REMOVEDIR);
        r = r == -ENOENT ? 0 : r;
    }
    return r < 0 ? hf_failure_sys(failure, r, "remove old trees") : 0;
}
