/* SPDX-License-Identifier: Apache-2.0 */
/* Takes content that is on the disk: makes the new file of it, by a second name or a reflink where that can be. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/encoding/hex.h"
#include "pack/tar/archive.h"
#include "update/install/tree.h"
#include "update/kept/folder.h"

/* ---- finding ----------------------------------------------------------------------------------------------------- */

static bool tree_is_there(const struct hf_kept_want *want, const struct hf_target_dir *dir)
{
    char folder[HF_INSTALL_MANIFEST_VERSION], text[HF_TARGET_MAX_PATH];
    struct stat st;

    (void)hf_tree_folder(dir->release, want->sha256, want->link, folder);
    return dir->fs->fstatat(dir->fs->ctx, dir->dirfd, hf_tree_link(dir->release, folder, text), &st,
                            AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(st.st_mode);
}

/* Opens the installed file of another release. */
static int open_other(const struct hf_kept_want *want)
{
    struct hf_target target = want->target;
    struct hf_target_dir dir;
    struct hf_failure ignored;

    if (want->other == NULL || want->other[0] == '\0')
        return -ENOENT;
    target.path = want->other;
    int r = hf_target_open(&target, &dir, NULL, &ignored);
    if (r < 0)
        return r;
    r = hf_target_open_file(&dir, dir.name, O_RDONLY, &ignored);
    hf_target_dir_done(&dir);
    return r;
}

static bool has_size(const struct hf_fs_ops *fs, int fd, uint64_t size)
{
    struct stat st;

    return fs->fstat(fs->ctx, fd, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == size;
}

static bool other_is_there(const struct hf_kept_want *want, const struct hf_fs_ops *fs)
{
    int fd = open_other(want);
    bool is = fd >= 0 && has_size(fs, fd, want->size);

    if (fd >= 0)
        (void)fs->close(fs->ctx, fd);
    return is;
}

static void look_kept(const struct hf_kept_want *want, const struct hf_fs_ops *fs, int kept_fd,
                      bool there[HF_KEPT_SOURCES])
{
    struct stat st;

    for (unsigned form = HF_KEPT_COPY; form <= HF_KEPT_LINK; form++)
        there[form] = kept_is(fs, kept_fd, want->kind, want->sha256, (enum hf_kept_source)form, &st) &&
                      (want->kind != HF_INSTALL_FILE || (uint64_t)st.st_size == want->size);
}

static void look_everywhere(const struct hf_kept_want *want, const struct hf_target_dir *dir,
                            bool there[HF_KEPT_SOURCES])
{
    struct hf_failure ignored;
    int kept_fd = kept_open(dir, false, &ignored);

    if (kept_fd >= 0) {
        look_kept(want, dir->fs, kept_fd, there);
        (void)dir->fs->close(dir->fs->ctx, kept_fd);
    }
    if (want->kind != HF_INSTALL_FILE)
        there[HF_KEPT_IN_PLACE] = tree_is_there(want, dir);
    else
        there[HF_KEPT_OTHER] = other_is_there(want, dir->fs);
}

enum hf_kept_source hf_kept_find(const struct hf_kept_want *want, const struct hf_target_dir *dir)
{
    bool there[HF_KEPT_SOURCES] = {false};

    look_everywhere(want, dir, there);
    return hf_kept_source_choose(there);
}

/* ---- checking ---------------------------------------------------------------------------------------------------- */

static int open_source(const struct hf_kept_want *want, const struct hf_target_dir *dir, enum hf_kept_source source,
                       struct hf_failure *failure)
{
    int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | (want->kind != HF_INSTALL_FILE ? O_DIRECTORY : 0);
    char name[KEPT_NAME];

    if (source == HF_KEPT_OTHER)
        return open_other(want);
    int kept_fd = kept_open(dir, false, failure);
    if (kept_fd < 0)
        return kept_fd;
    int fd = dir->fs->openat(dir->fs->ctx, kept_fd, kept_name(want->sha256, source, name), flags, 0,
                             HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
    (void)dir->fs->close(dir->fs->ctx, kept_fd);
    return fd;
}

/* 1: the canonical archive of the tree has the hash. */
static int tree_has_hash(const struct hf_kept_want *want, const struct hf_fs_ops *fs, int fd,
                         struct hf_failure *failure)
{
    _cleanup_(hf_archive_freep) struct hf_archive *archive = NULL;
    unsigned char digest[HF_SHA256_BYTES];
    char hex[HF_SHA256_HEX];
    int r = hf_archive_new(fs, fd, 0, want->cancel, &archive, &failure->err);

    if (r == 0)
        r = hf_archive_digest(archive, digest, &failure->err);
    if (r < 0)
        failure->reason = hf_reason_of_errno(r);
    return r < 0 ? r : strcmp(hf_hex_encode(digest, sizeof(digest), hex), want->sha256) == 0;
}

static int check_file(const struct hf_kept_want *want, const struct hf_fs_ops *fs, int fd, struct hf_failure *failure)
{
    char hex[HF_SHA256_HEX];
    int r = hf_target_hash_fd(fs, fd, want->cancel, hex, NULL, failure);

    return r < 0 ? r : strcmp(hex, want->sha256) == 0;
}

/* What is installed is right by its manifest, but has another hash. */
static bool is_foreign(const struct hf_kept_want *want, const struct hf_target_dir *dir, const char *records)
{
    _cleanup_(hf_fs_fd_done) struct hf_fs_fd top = {dir->fs, -1};
    struct hf_install_manifest_look look = {.next = 0};
    struct hf_failure ignored = {.reason = HF_R_None, .err = HF_ERR_INIT};
    char sha256[HF_SHA256_HEX];

    if (!hf_tree_link_parse(dir->release, want->link, sha256) || strcmp(sha256, want->sha256) != 0 ||
        hf_tree_verify(dir, want->link, records, HF_INSTALL_CHECK_LOOK, &look, want->cancel, &ignored) <= 0)
        return false;
    top.fd = dir->fs->openat(dir->fs->ctx, dir->dirfd, want->link, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
                             HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
    return top.fd >= 0 && tree_has_hash(want, dir->fs, top.fd, &ignored) == 0;
}

static int check_in_place(const struct hf_kept_want *want, const struct hf_target_dir *dir, const char *records,
                          struct hf_failure *failure)
{
    char folder[HF_INSTALL_MANIFEST_VERSION], text[HF_TARGET_MAX_PATH];
    struct hf_install_manifest_look look = {.next = 0};

    (void)hf_tree_folder(dir->release, want->sha256, want->link, folder);
    return hf_tree_verify(dir, hf_tree_link(dir->release, folder, text), records, HF_INSTALL_CHECK_LOOK, &look,
                          want->cancel, failure);
}

int hf_kept_check(const struct hf_kept_want *want, const struct hf_target_dir *dir, const char *records,
                  enum hf_kept_source *ret_source, struct hf_failure *failure)
{
    bool there[HF_KEPT_SOURCES] = {false};

    look_everywhere(want, dir, there);
    *ret_source = hf_kept_source_choose(there);
    if (*ret_source == HF_KEPT_IN_PLACE) {
        int r = check_in_place(want, dir, records, failure);
        there[HF_KEPT_IN_PLACE] = false;
        enum hf_kept_source next = hf_kept_source_choose(there);
        if (r != 0 || next == HF_KEPT_NOWHERE)
            return r;
        *ret_source = next;
    }
    if (*ret_source == HF_KEPT_NOWHERE)
        return hf_failure_set(failure, HF_R_NotKept, ENOENT, "the content is not kept");
    assert(*ret_source != HF_KEPT_OTHER || want->kind == HF_INSTALL_FILE);
    _cleanup_(hf_fs_fd_done) struct hf_fs_fd from = {dir->fs, open_source(want, dir, *ret_source, failure)};
    if (from.fd < 0)
        return hf_failure_sys(failure, from.fd, "open the kept content");
    if (want->kind == HF_INSTALL_FILE)
        return check_file(want, dir->fs, from.fd, failure);
    int r = tree_has_hash(want, dir->fs, from.fd, failure);
    if (r != 0 || !is_foreign(want, dir, records))
        return r;
    *ret_source = HF_KEPT_NOWHERE;
    return hf_failure_set(failure, HF_R_NotKept, ENOENT, "the archive of the content has no canonical form");
}

/* ---- kind File --------------------------------------------------------------------------------------------------- */

/* A new file with the content of `from`. */
static int copy_out(const struct hf_kept_want *want, const struct hf_target_dir *dir, int from, const char *fresh,
                    struct hf_failure *failure)
{
    int fd = hf_target_make_file(dir, fresh, failure);

    if (fd < 0)
        return fd;
    int r = kept_fill(dir->fs, from, fd, true, want->cancel);
    if (r >= 0)
        return fd;
    (void)dir->fs->close(dir->fs->ctx, fd);
    return hf_failure_sys(failure, r, "copy the kept content");
}

/* The kept file gets the name of the new one beside its own: no byte is written. */
static int link_out(const struct hf_target_dir *dir, int kept_fd, const char *name, const char *fresh,
                    struct hf_failure *failure)
{
    int r = hf_target_unlink(dir, fresh, failure);

    if (r < 0)
        return r;
    r = dir->fs->linkat(dir->fs->ctx, kept_fd, name, dir->dirfd, fresh);
    return r < 0 ? hf_failure_sys(failure, r, "link the kept file") : hf_target_open_file(dir, fresh, O_RDWR, failure);
}

static int take_file(const struct hf_kept_want *want, const struct hf_target_dir *dir, int kept_fd,
                     enum hf_kept_source form, struct hf_failure *failure)
{
    char name[KEPT_NAME], fresh[NAME_MAX + 1];

    assert(form == HF_KEPT_COPY || form == HF_KEPT_CLONE || form == HF_KEPT_LINK);
    (void)kept_name(want->sha256, form, name);
    (void)hf_target_file_name(dir->release, HF_TARGET_NEW, fresh);
    if (form == HF_KEPT_LINK)
        return link_out(dir, kept_fd, name, fresh, failure);
    int from = dir->fs->openat(dir->fs->ctx, kept_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0,
                               HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
    if (from < 0)
        return hf_failure_sys(failure, from, "open the kept file");
    int r = copy_out(want, dir, from, fresh, failure);
    (void)dir->fs->close(dir->fs->ctx, from);
    return r;
}

static int take_other(const struct hf_kept_want *want, const struct hf_target_dir *dir, struct hf_failure *failure)
{
    char fresh[NAME_MAX + 1];
    int from = open_other(want);

    if (from < 0)
        return hf_failure_sys(failure, from, "open '%.200s'", want->other);
    int r = copy_out(want, dir, from, hf_target_file_name(dir->release, HF_TARGET_NEW, fresh), failure);
    (void)dir->fs->close(dir->fs->ctx, from);
    return r;
}

/* ---- kind Tree --------------------------------------------------------------------------------------------------- */

/* The archive of the mirror, which is that of the tree if nobody has changed it. */
static int take_tree(const struct hf_kept_want *want, const struct hf_target_dir *dir, int kept_fd,
                     enum hf_kept_source form, struct hf_failure *failure)
{
    char name[KEPT_NAME], fresh[NAME_MAX + 1];
    _cleanup_(hf_fs_fd_done) struct hf_fs_fd top = {
        dir->fs,
        dir->fs->openat(dir->fs->ctx, kept_fd, kept_name(want->sha256, form, name),
                        O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0, HF_FS_BENEATH | HF_FS_NO_SYMLINKS)};

    if (top.fd < 0)
        return hf_failure_sys(failure, top.fd, "open the kept tree");
    int fd = hf_target_make_file(dir, hf_target_file_name(dir->release, HF_TARGET_NEW, fresh), failure);
    if (fd < 0)
        return fd;
    int r = kept_archive(dir->fs, top.fd, want->size, fd, want->cancel, failure);
    if (r == 0)
        return fd;
    (void)dir->fs->close(dir->fs->ctx, fd);
    return r;
}

/* ---- both -------------------------------------------------------------------------------------------------------- */

int hf_kept_take(const struct hf_kept_want *want, const struct hf_target_dir *dir, struct hf_failure *failure)
{
    bool there[HF_KEPT_SOURCES] = {false};
    _cleanup_(hf_fs_fd_done) struct hf_fs_fd kept = {dir->fs, kept_open(dir, false, failure)};

    if (kept.fd >= 0)
        look_kept(want, dir->fs, kept.fd, there);
    enum hf_kept_source form = hf_kept_source_choose(there);
    if (form == HF_KEPT_NOWHERE && want->kind == HF_INSTALL_FILE)
        return take_other(want, dir, failure);
    if (form == HF_KEPT_NOWHERE)
        return hf_failure_set(failure, HF_R_RetryingLater, ENOENT, "the content is kept no more");
    return want->kind != HF_INSTALL_FILE ? take_tree(want, dir, kept.fd, form, failure)
                                         : take_file(want, dir, kept.fd, form, failure);
}

struct name_search {
    const struct hf_fs_ops *fs;
    int kept_fd;
    const struct stat *of;
};

static int compare(void *arg, const char *name, unsigned char type)
{
    const struct name_search *search = arg;
    struct stat st;

    (void)type;
    if (search->fs->fstatat(search->fs->ctx, search->kept_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    return st.st_ino == search->of->st_ino && st.st_dev == search->of->st_dev ? -EEXIST : 0;
}

bool hf_kept_names(const struct hf_target_dir *dir, const struct stat *st)
{
    struct hf_failure ignored;
    struct name_search search = {dir->fs, kept_open(dir, false, &ignored), st};

    if (search.kept_fd < 0)
        return false;
    int r = dir->fs->list(dir->fs->ctx, search.kept_fd, compare, &search);
    (void)dir->fs->close(dir->fs->ctx, search.kept_fd);
    return r == -EEXIST;
}

void hf_kept_drop(const struct hf_target_dir *dir, const char *sha256)
{
    struct hf_failure ignored;
    char name[KEPT_NAME];
    int kept_fd = kept_open(dir, false, &ignored);

    if (kept_fd < 0)
        return;
    for (unsigned form = HF_KEPT_COPY; form <= HF_KEPT_LINK; form++)
        (void)kept_remove(dir->fs, kept_fd, kept_name(sha256, (enum hf_kept_source)form, name));
    (void)dir->fs->close(dir->fs->ctx, kept_fd);
}
