/* SPDX-License-Identifier: Apache-2.0 */
/* Compares a tree with its manifest: quickly and in part, or in full. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "update/install/manifest_record.h"

struct tree_check {
    const struct hf_install_manifest *manifest;
    const struct hf_fs_ops *fs;
    int top_fd;
    struct hf_install_manifest_look *look;
    const atomic_bool *cancel;
    struct hf_failure *failure;
    bool looks; /* and changes nothing */
    bool renew; /* a file with the right content has another identity than in the manifest */
    struct manifest_reader reader;
    struct manifest_writer writer;
};

static void tree_check_free(struct tree_check *check)
{
    if (check == NULL)
        return;
    manifest_reader_done(&check->reader);
    manifest_writer_done(&check->writer);
    free(check);
}
HF_DEFINE_CLEANUP(struct tree_check, tree_check_free)

/* A name in an archive may have any bytes; a message is text. */
static void make_printable(char *text)
{
    for (; *text != '\0'; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
}

static int wrong(struct tree_check *check, const struct manifest_record *record, const char *what)
{
    (void)snprintf(check->look->what, sizeof(check->look->what), "'%.140s' %s", record->path, what);
    make_printable(check->look->what);
    return 0;
}

static bool same_rights(const struct manifest_record *a, const struct manifest_record *b)
{
    return a->uid == b->uid && a->gid == b->gid && (a->type == 'l' || a->mode == b->mode);
}

static bool same_identity(const struct manifest_record *a, const struct manifest_record *b)
{
    return a->inode == b->inode && a->changed_s == b->changed_s && a->changed_ns == b->changed_ns;
}

/* Sets owner and mode through a descriptor of the very file that was read. Owner first, because a new owner clears the
 * set-id bits; between the two calls the file never has more rights than before or after. */
static int mend(struct tree_check *check, const struct manifest_record *want, struct manifest_record *now)
{
    const struct hf_fs_ops *fs = check->fs;
    struct stat st;
    int fd = fs->openat(fs->ctx, check->top_fd, want->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0,
                        HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
    int r = fd < 0 ? fd : fs->fstat(fs->ctx, fd, &st);

    if (r == 0 && st.st_ino != now->inode)
        r = -ESTALE;
    if (r == 0 && (st.st_uid != want->uid || st.st_gid != want->gid))
        r = fs->fchown(fs->ctx, fd, want->uid, want->gid);
    if (r == 0)
        r = fs->fchmod(fs->ctx, fd, want->mode);
    if (r == 0)
        r = fs->fsync(fs->ctx, fd);
    r = r == -EINVAL || r == -ENOTSUP ? 0 : r;
    if (fd >= 0)
        (void)fs->close(fs->ctx, fd);
    if (r < 0)
        return r;
    check->look->mended++;
    (void)snprintf(check->look->what, sizeof(check->look->what), "'%.100s' had mode %04o and owner %u:%u", want->path,
                   now->mode, now->uid, now->gid);
    make_printable(check->look->what);
    return 1;
}

/* 1: the file is right; 0: not; -errno. */
static int compare(struct tree_check *check, const struct manifest_record *want, bool full, struct manifest_record *now)
{
    struct stat st;
    int r = check->fs->fstatat(check->fs->ctx, check->top_fd, want->path, &st, AT_SYMLINK_NOFOLLOW);

    if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP)
        return wrong(check, want, "is missing");
    if (r < 0)
        return hf_failure_sys(check->failure, r, "stat '%.200s'", want->path);
    manifest_record_set(now, &st);
    if (now->type != want->type)
        return wrong(check, want, "is of another type");
    if (want->type != 'd' && now->size != want->size)
        return wrong(check, want, "has another size");
    if (!full && same_identity(now, want) && same_rights(now, want)) {
        memcpy(now->sha256, want->sha256, sizeof(now->sha256));
        now->size = want->size;
        return 1;
    }
    r = manifest_record_read(check->fs, check->top_fd, want->path, check->cancel, now, check->failure);
    if (r == -ESTALE || r == -ENOENT || r == -ENOTDIR || r == -ELOOP || r == -EXDEV)
        return wrong(check, want, "is another file, or changes while the agent reads it");
    if (r < 0)
        return r;
    if (now->type != want->type || strcmp(now->sha256, want->sha256) != 0)
        return wrong(check, want, "has other content");
    if (now->size != want->size)
        return wrong(check, want, want->type == 'd' ? "holds more or fewer names" : "has another size");
    check->renew = check->renew || !same_identity(now, want);
    if (same_rights(now, want))
        return 1;
    check->renew = true;
    if (want->type == 'l' || check->looks || mend(check, want, now) < 0)
        return wrong(check, want, "has another owner or mode");
    r = manifest_record_read(check->fs, check->top_fd, want->path, check->cancel, now, check->failure);
    return r < 0 ? r : same_rights(now, want) ? 1 : wrong(check, want, "has another owner or mode");
}

/* True if this look still may read the unchanged file again, for errors that no stat shows. */
static bool scan_is_due(struct hf_install_manifest_look *look, const struct manifest_record *record)
{
    if (look->index != look->scan || look->credit <= 0)
        return false;
    look->scan++;
    look->credit -= record->type == 'f' ? (int64_t)HF_MIN(record->size, (uint64_t)INT64_MAX / 2) : 4096;
    return true;
}

static int look_on(struct tree_check *check, bool full)
{
    struct hf_install_manifest_look *look = check->look;
    struct manifest_record want, now = {.path = ""};
    int r = 1;

    for (unsigned n = 0; full || n < HF_INSTALL_MANIFEST_LOOK_RECORDS; n++) {
        if (check->cancel != NULL && atomic_load(check->cancel))
            return hf_failure_sys(check->failure, -ECANCELED, "compare the tree");
        int got = manifest_reader_next(&check->reader, &want);
        if (got < 0)
            return -ENOENT; /* as good as no manifest */
        if (got == 0) {
            look->scan = look->scan >= look->index ? 0 : look->scan;
            look->next = look->index = 0;
            return r;
        }
        r = compare(check, &want, full || scan_is_due(look, &want), &now);
        if (r <= 0)
            return r;
        look->index++;
    }
    look->next = manifest_reader_offset(&check->reader);
    return r;
}

/* Writes the manifest again, with the identities that the files have now. Verifies each file whose identity differs
 * once more, so that its new identity belongs to the right content. */
static int renew(struct tree_check *check)
{
    struct manifest_record want, now = {.path = ""};
    int got, r;

    manifest_reader_done(&check->reader);
    r = manifest_reader_open(&check->reader, check->manifest, 0);
    if (r == 0)
        r = manifest_writer_begin(&check->writer, check->manifest, check->failure);
    while (r == 0 && (got = manifest_reader_next(&check->reader, &want)) != 0) {
        r = got < 0 ? -ENOENT : compare(check, &want, false, &now);
        if (r <= 0)
            return r;
        (void)snprintf(now.path, sizeof(now.path), "%s", want.path);
        r = manifest_writer_add(&check->writer, &now, check->failure);
    }
    r = r < 0 ? r : manifest_writer_end(&check->writer, check->failure);
    *check->look = (struct hf_install_manifest_look){.mended = check->look->mended, .credit = check->look->credit};
    return r < 0 ? r : 1;
}

int hf_install_manifest_check(const struct hf_install_manifest *manifest, int top_fd, enum hf_install_check how,
                              struct hf_install_manifest_look *look, const atomic_bool *cancel,
                              struct hf_failure *failure)
{
    bool full = how != HF_INSTALL_CHECK_QUICK;
    _cleanup_(tree_check_freep) struct tree_check *check = calloc(1, sizeof(*check));
    char what[sizeof(look->what)];

    if (check == NULL)
        return hf_failure_sys(failure, -ENOMEM, "compare the tree");
    check->manifest = manifest;
    check->fs = manifest->fs;
    check->top_fd = top_fd;
    check->look = look;
    check->cancel = cancel;
    check->failure = failure;
    check->looks = how == HF_INSTALL_CHECK_LOOK;
    check->reader.fd = check->writer.fd = -1;
    look->what[0] = '\0';
    look->mended = 0;
    int r = manifest_reader_open(&check->reader, manifest, look->seal_inode);
    if (r < 0)
        return r == -ENOENT ? r : hf_failure_sys(failure, r, "read the manifest");
    if (look->seal_inode != check->reader.inode || full)
        *look = (struct hf_install_manifest_look){.seal_inode = check->reader.inode, .credit = look->credit};
    look->credit = HF_MIN(look->credit + HF_INSTALL_MANIFEST_LOOK_BYTES, (int64_t)HF_INSTALL_MANIFEST_LOOK_BYTES);
    if (look->next != 0)
        manifest_reader_seek(&check->reader, look->next);
    r = look_on(check, full);
    if (r <= 0 || !check->renew || check->looks)
        return r;
    memcpy(what, look->what, sizeof(what));
    r = renew(check);
    if (r > 0)
        memcpy(look->what, what, sizeof(what));
    return r;
}
