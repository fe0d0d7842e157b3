/* SPDX-License-Identifier: Apache-2.0 */
#include "steps/fetch_record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "os/dir.h"
#include "os/file.h"

#define ROW(name_, member_, ...) HF_RECORD_ROW(struct hf_fetch_record, name_, member_, ##__VA_ARGS__)

/* fetch.now is overwritten in place: no member may become shorter while a download goes on. */
static const struct hf_record_row rows[] = {
    ROW("key", key, .required = true),
    ROW("offset", offset, .required = true),
    ROW("wire", wire),
    ROW("complete", complete),
    ROW("packed", packed),
    ROW("boot", boot),
    ROW("etag", etag),
    ROW("lastModified", last_modified),
};

const struct hf_record_type hf_fetch_record_type = {.name = "fetch",
                                                    .version = 2,
                                                    .size = sizeof(struct hf_fetch_record),
                                                    .max_bytes = 4096,
                                                    .rows = HF_RECORD_ROWS(rows)};

/* 0 with an empty record: no file, a damaged one, or another artifact. */
static int load_synced(const struct hf_fs_ops *fs, const char *folder, const char *key,
                       struct hf_fetch_record *ret_record, struct hf_err *err)
{
    int r = hf_record_load(&hf_fetch_record_type, fs, folder, ret_record, err);

    if (r < 0 && r != -ENOENT && r != -EBADMSG)
        return r;
    if (r < 0 || strcmp(ret_record->key, key) != 0)
        *ret_record = (struct hf_fetch_record){.offset = 0};
    return 0;
}

/* Loads fetch.now if it is of this boot and this artifact. A torn one is normal: it is never synced. */
static bool load_note(const struct hf_fs_ops *fs, const char *folder, const char *key,
                      struct hf_fetch_record *ret_record)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(hf_fetch_record_type.max_bytes);
    char path[PATH_MAX], boot[40];

    hf_file_boot_id(fs, boot);
    return boot[0] != '\0' && (size_t)snprintf(path, sizeof(path), "%s/fetch.now", folder) < sizeof(path) &&
           hf_file_read(fs, path, &text, NULL) == 0 &&
           hf_record_parse(&hf_fetch_record_type, hf_buf_view(&text), ret_record, NULL) == 0 &&
           strcmp(ret_record->boot, boot) == 0 && strcmp(ret_record->key, key) == 0;
}

int hf_fetch_record_load(const struct hf_fs_ops *fs, const char *folder, const char *key,
                         struct hf_fetch_record *ret_record, struct hf_err *err)
{
    struct hf_fetch_record kept = {.offset = 0}, now;
    int r = load_synced(fs, folder, key, &kept, err);

    if (r < 0)
        return r;
    uint64_t synced = kept.offset;
    if (load_note(fs, folder, key, &now) && now.offset > kept.offset)
        kept = now;
    kept.synced = synced;
    kept.boot[0] = '\0';
    (void)snprintf(kept.key, sizeof(kept.key), "%s", key);
    *ret_record = kept;
    return 0;
}

int hf_fetch_record_open(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err)
{
    char path[PATH_MAX];

    if ((size_t)snprintf(path, sizeof(path), "%s/fetch.now", folder) >= sizeof(path))
        return hf_err_set(err, ENAMETOOLONG, "path '%.100s...' is too long", folder);
    int r = hf_dir_make(fs, folder, 0700, err);
    if (r < 0)
        return r;
    int fd = fs->openat(fs->ctx, AT_FDCWD, path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600, HF_FS_ANY);
    return fd < 0 ? hf_err_sys(err, fd, "open '%s'", path) : fd;
}

int hf_fetch_record_note(const struct hf_fs_ops *fs, int fd, const struct hf_fetch_record *record, bool shorter,
                         struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(hf_fetch_record_type.max_bytes);
    int r = shorter ? fs->ftruncate(fs->ctx, fd, 0) : 0;

    if (r == 0)
        r = hf_record_format(&hf_fetch_record_type, record, &text);
    if (r == 0) {
        ssize_t n = fs->pwrite(fs->ctx, fd, text.p, text.n, 0);
        r = n < 0 ? (int)n : 0; /* the seal detects a partial write */
    }
    return r < 0 ? hf_err_sys(err, r, "write the progress of the download") : 0;
}

int hf_fetch_record_save(const struct hf_fs_ops *fs, const char *folder, const struct hf_fetch_record *record,
                         struct hf_err *err)
{
    return hf_record_save(&hf_fetch_record_type, fs, folder, record, err);
}

int hf_fetch_record_remove(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err)
{
    int r = hf_sealed_file_remove(fs, folder, "fetch.now", err);

    return r < 0 ? r : hf_sealed_file_remove(fs, folder, "fetch", err);
}
