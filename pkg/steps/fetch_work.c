/* SPDX-License-Identifier: Apache-2.0 */
/* The jobs of a download: they prepare, write, sync and finish its file and its record, copy a file: URL, and read the
 * files of a credential. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/encoding/hex.h"
#include "base/net/url_mask.h"
#include "os/disk.h"
#include "os/file.h"
#include "steps/fetch_impl.h"

enum { COPY_STEP = 256 << 10 };

bool hf_fetch_work_is_packed(const unsigned char *head, size_t n)
{
    return (n >= 4 && memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0) || (n >= 6 && memcmp(head,
                                                                                     "\xfd"
                                                                                     "7zXZ\0",
                                                                                     6) == 0);
}

void hf_fetch_work_close(struct hf_fetch *fetch)
{
    int fds[] = {fetch->fd, fetch->now.fd};

    for (size_t i = 0; i < HF_LEN(fds); i++) {
        if (fds[i] >= 0)
            (void)fetch->p.target.fs->close(fetch->p.target.fs->ctx, fds[i]);
    }
    fetch->fd = fetch->now.fd = -1;
}

static int record_failure(struct fetch_work *work, int r)
{
    if (r < 0)
        work->failure.reason = r == -ENOSPC || r == -EROFS ? HF_R_StateNotWritable : hf_reason_of_errno(r);
    return r;
}

/* Writes again what an earlier process or attempt wrote without a sync. If a sync failed, the kernel takes these pages
 * for clean, and no later sync brings them to the medium. What it cannot write again, it downloads again. */
static void write_again(struct hf_fetch *fetch, struct hf_fetch_record *record)
{
    if (hf_file_copy(fetch->p.target.fs, fetch->fd, fetch->fd, record->synced, record->offset) < 0)
        record->offset = record->synced;
}

static int prepare(struct hf_fetch *fetch, struct fetch_work *work)
{
    const struct hf_fs_ops *fs = fetch->p.target.fs;
    struct hf_failure *failure = &work->failure;
    char part[NAME_MAX + 1], fresh[NAME_MAX + 1];
    struct hf_target_dir dir = {.dirfd = -1};
    struct stat st;
    int r = hf_target_make_folders(&fetch->p.target, failure);

    if (r == 0)
        r = hf_target_open(&fetch->p.target, &dir, NULL, failure);
    if (r < 0)
        return r;
    (void)hf_target_file_name(fetch->p.target.release, HF_TARGET_PART, part);
    (void)hf_target_file_name(fetch->p.target.release, HF_TARGET_NEW, fresh);
    /* Made by an earlier process: patch.c verifies it. */
    work->already =
        hf_target_stat(&dir, fresh, &st, &r) && S_ISREG(st.st_mode) && (uint64_t)st.st_size == fetch->p.new_size;
    if (r < 0)
        r = hf_failure_sys(failure, r, "stat '%s'", fresh);
    if (r == 0 && !work->already)
        r = record_failure(work, hf_fetch_record_load(fs, fetch->p.folder, fetch->p.key, &work->record, &failure->err));
    if (r == 0 && !work->already) {
        fetch->fd = hf_target_take_file(&dir, part, dir.uid, failure);
        if (fetch->fd == -ENOENT)
            fetch->fd = hf_target_make_file(&dir, part, failure);
        r = HF_MIN(fetch->fd, 0);
        if (r == 0)
            r = hf_target_sync(&dir, failure);
    }
    if (r == 0 && fetch->fd >= 0) {
        r = fs->fstat(fs->ctx, fetch->fd, &st);
        if (r == 0 && (uint64_t)st.st_size < work->record.offset) /* not the file of this record */
            work->record = (struct hf_fetch_record){.offset = 0};
        if (r < 0)
            r = hf_failure_sys(failure, r, "stat '%s'", part);
        else
            write_again(fetch, &work->record);
    }
    hf_target_dir_done(&dir);
    work->already = work->already || (r == 0 && work->record.complete);
    if (r == 0 && !work->already) {
        hf_file_boot_id(fs, fetch->now.boot);
        fetch->now.fd = hf_fetch_record_open(fs, fetch->p.folder, &failure->err);
        r = record_failure(work, HF_MIN(fetch->now.fd, 0));
    }
    return r;
}

static int read_access(struct hf_fetch *fetch, HF_UNUSED struct fetch_work *work)
{
    hf_access_ticket_read(fetch->p.target.fs, &fetch->try.ticket);
    return 0; /* hf_access_use() has the failure */
}

static int save_record(struct hf_fetch *fetch, struct fetch_work *work)
{
    const struct hf_fs_ops *fs = fetch->p.target.fs;
    int r = fs->fdatasync(fs->ctx, fetch->fd);

    if (r < 0)
        return hf_failure_sys(&work->failure, r, "sync the download");
    return record_failure(work, hf_fetch_record_save(fs, fetch->p.folder, &work->record, &work->failure.err));
}

/* Looks at the beginning of each download, and as often as it is synced. */
static int check_room(struct hf_fetch *fetch, struct fetch_work *work)
{
    struct hf_disk disk;

    if (fetch->p.reserve == NULL || !(work->first || work->sync))
        return 0;
    int r = hf_disk_read_fd(fetch->p.target.fs, fetch->fd, &disk);
    if (r < 0)
        return hf_failure_sys(&work->failure, r, "read the free space of the disk");
    if (hf_disk_has_room(&disk, work->n, fetch->p.reserve(fetch->p.arg, disk.total_bytes)))
        return 0;
    return hf_failure_sys(&work->failure, -ENOSPC, "the download would leave too little of the disk free");
}

static int write_piece(struct hf_fetch *fetch, struct fetch_work *work)
{
    const struct hf_fs_ops *fs = fetch->p.target.fs;
    int r = check_room(fetch, work);

    if (r == 0 && work->truncate) {
        r = record_failure(work, hf_fetch_record_remove(fs, fetch->p.folder, &work->failure.err));
        if (r == 0 && (r = fs->ftruncate(fs->ctx, fetch->fd, 0)) < 0)
            r = hf_failure_sys(&work->failure, r, "start the download again");
    }
    if (r == 0 && work->reserve != 0) {
        r = fs->fallocate(fs->ctx, fetch->fd, 0, work->reserve);
        r = r == -EOPNOTSUPP ? 0 : r;
        if (r < 0)
            r = hf_failure_sys(&work->failure, r, "reserve %" PRIu64 " bytes for the download", work->reserve);
    }
    if (r == 0)
        r = hf_target_write(fs, fetch->fd, work->bytes, work->n, work->at, &work->failure);
    if (r == 0 && fetch->now.boot[0] != '\0') {
        struct hf_fetch_record now = work->record;
        memcpy(now.boot, fetch->now.boot, sizeof(now.boot));
        r = record_failure(work, hf_fetch_record_note(fs, fetch->now.fd, &now, work->truncate || !fetch->now.noted,
                                                      &work->failure.err));
        fetch->now.noted = true;
    }
    return r == 0 && work->sync ? save_record(fetch, work) : r;
}

static int finalise(struct hf_fetch *fetch, struct fetch_work *work)
{
    const struct hf_fs_ops *fs = fetch->p.target.fs;
    char part[NAME_MAX + 1];
    struct hf_target_dir dir;
    int r = 0;

    if (work->drop) {
        r = hf_target_open(&fetch->p.target, &dir, NULL, &work->failure);
        if (r == 0) {
            r = hf_target_unlink(&dir, hf_target_file_name(fetch->p.target.release, HF_TARGET_PART, part),
                                 &work->failure);
            hf_target_dir_done(&dir);
        }
        int removed = hf_fetch_record_remove(fs, fetch->p.folder, &work->failure.err);
        r = r == 0 ? removed : r;
    } else if (fetch->fd >= 0 && work->sync) {
        if (work->record.complete) /* cut off the unused part of the reservation */
            r = fs->ftruncate(fs->ctx, fetch->fd, work->record.offset);
        r = r < 0 ? hf_failure_sys(&work->failure, r, "finish the download") : save_record(fetch, work);
    }
    hf_fetch_work_close(fetch);
    return r;
}

/* file:///a/b or file:/a/b to its path, %-decoded. */
static int url_path(const char *url, char path[PATH_MAX])
{
    const char *at = url + strlen("file:");
    size_t n = 0;

    if (strncmp(at, "///", 3) == 0)
        at += 2;
    if (at[0] != '/' || at[1] == '/')
        return -EINVAL;
    for (; *at != '\0' && n < PATH_MAX - 1; at++) {
        if (*at == '%') {
            int high = hf_hex_value_any(at[1]), low = high < 0 ? -1 : hf_hex_value_any(at[2]);
            if (low < 0 || (high == 0 && low == 0))
                return -EINVAL;
            path[n++] = (char)(high << 4 | low);
            at += 2;
        } else {
            path[n++] = *at;
        }
    }
    path[n] = '\0';
    return *at == '\0' ? 0 : -ENAMETOOLONG;
}

static int copy_all(struct hf_fetch *fetch, struct fetch_work *work, int from)
{
    const struct hf_fs_ops *fs = fetch->p.target.fs;
    _cleanup_(hf_freep) char *bytes = malloc(COPY_STEP);
    bool fixed = fetch->p.exact || fetch->p.at_most;
    uint64_t most = fixed ? fetch->p.size : fetch->p.size + fetch->p.size / 64 + HF_FETCH_SLACK;
    ssize_t n;
    int r = fs->ftruncate(fs->ctx, fetch->fd, 0);

    if (r < 0 || bytes == NULL)
        return hf_failure_sys(&work->failure, bytes == NULL ? -ENOMEM : r, "start the copy");
    while ((n = fs->pread(fs->ctx, from, bytes, COPY_STEP, work->copied)) > 0) {
        if (atomic_load(&fetch->cancel))
            return hf_failure_sys(&work->failure, -ECANCELED, "copy");
        if (work->copied == 0 && !fixed && !hf_fetch_work_is_packed((const unsigned char *)bytes, (size_t)n))
            most = fetch->p.size;
        if ((uint64_t)n > most - work->copied)
            return hf_failure_set(&work->failure, HF_R_ArtifactTooLong, EFBIG,
                                  "the artifact is longer than %" PRIu64 " bytes", most);
        r = hf_target_write(fs, fetch->fd, bytes, (size_t)n, work->copied, &work->failure);
        if (r < 0)
            return r;
        work->copied += (uint64_t)n;
    }
    return n < 0 ? hf_failure_sys(&work->failure, (int)n, "read the artifact") : 0;
}

static int copy_file(struct hf_fetch *fetch, struct fetch_work *work)
{
    const struct hf_fs_ops *fs = fetch->p.target.fs;
    char path[PATH_MAX], shown[HF_URL_MASKED];
    struct stat st;

    if (url_path(fetch->p.url, path) < 0)
        return hf_failure_set(&work->failure, HF_R_UrlUnsupported, EINVAL, "'%s' is not a file URL of this host",
                              hf_url_mask(fetch->p.url, shown, sizeof(shown)));
    int from = fs->openat(fs->ctx, AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0, HF_FS_ANY);
    int r = from < 0 ? from : fs->fstat(fs->ctx, from, &st);
    if (r >= 0 && from >= 0)
        r = S_ISREG(st.st_mode) ? copy_all(fetch, work, from) : -EINVAL;
    if (from >= 0)
        (void)fs->close(fs->ctx, from);
    if (r < 0 && work->failure.reason == HF_R_None) {
        (void)hf_failure_sys(&work->failure, r, "read '%.200s'", path);
        work->failure.reason = HF_R_DownloadFailed;
    }
    return r;
}

void hf_fetch_work_do(struct hf_job *job)
{
    static int (*const kinds[])(struct hf_fetch *, struct fetch_work *) = {[WORK_PREPARE] = prepare,
                                                                           [WORK_ACCESS] = read_access,
                                                                           [WORK_WRITE] = write_piece,
                                                                           [WORK_COPY] = copy_file,
                                                                           [WORK_FINAL] = finalise};
    struct hf_fetch *fetch = hf_container_of(job, struct hf_fetch, work.job);

    fetch->work.failure = (struct hf_failure){.reason = HF_R_None};
    fetch->work.r = kinds[fetch->work.kind](fetch, &fetch->work);
}
