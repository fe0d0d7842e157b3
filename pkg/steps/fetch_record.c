/* SPDX-License-Identifier: Apache-2.0 */
#include "steps/fetch_record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "base/parse.h"
#include "codec/state/sealed_file.h"
#include "os/dir.h"
#include "os/file.h"

enum { FORMAT = 1, MAX_TEXT = 2048 };
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

/* Lines "name value"; header values contain no line feed. */
int hf_fetch_record_format(const struct hf_fetch_record *record, struct hf_buf *out)
{
    return hf_buf_addf(out,
                       "key %s\noffset %" PRIu64 "\nwire %" PRIu64
                       "\ncomplete %d\npacked %d\nboot %s\netag %s\nlast-modified %s\n",
                       record->key, record->offset, record->wire, record->complete, record->packed, record->boot,
                       record->etag, record->last_modified);
}

static int take_flag(struct hf_view *remainder, const char *name, bool *ret)
{
    char value[4];

    if (!hf_seal_take(remainder, name, value, sizeof(value)) || (strcmp(value, "0") != 0 && strcmp(value, "1") != 0))
        return -EBADMSG;
    *ret = value[0] == '1';
    return 0;
}

static int take_number(struct hf_view *remainder, const char *name, uint64_t *ret)
{
    char number[24];

    return hf_seal_take(remainder, name, number, sizeof(number)) && hf_parse_u64(number, 0, INT64_MAX, ret) == 0
               ? 0
               : -EBADMSG;
}

int hf_fetch_record_parse(struct hf_view body, struct hf_fetch_record *ret_record)
{
    struct hf_fetch_record record = {.offset = 0};

    if (!hf_seal_take(&body, "key", record.key, sizeof(record.key)) ||
        take_number(&body, "offset", &record.offset) < 0 || take_number(&body, "wire", &record.wire) < 0 ||
        take_flag(&body, "complete", &record.complete) < 0 || take_flag(&body, "packed", &record.packed) < 0 ||
        !hf_seal_take(&body, "boot", record.boot, sizeof(record.boot)) ||
        !hf_seal_take(&body, "etag", record.etag, sizeof(record.etag)) ||
        !hf_seal_take(&body, "last-modified", record.last_modified, sizeof(record.last_modified)) || body.n != 0)
        return -EBADMSG;
    *ret_record = record;
    return 0;
}

void hf_fetch_record_boot(const struct hf_fs_ops *fs, char boot[40])
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(256);
    struct hf_view id = {NULL, 0};

    if (hf_file_read(fs, BOOT_ID, &text, NULL) == 0)
        id = hf_view_trim(hf_buf_view(&text));
    (void)snprintf(boot, 40, "%.*s", id.n < 40 ? (int)id.n : 0, id.p != NULL ? id.p : "");
}

/* 0 with an empty record: no file, a damaged one, or another artifact. */
static int load_synced(const struct hf_fs_ops *fs, const char *folder, const char *key,
                       struct hf_fetch_record *ret_record, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_TEXT);
    struct hf_view body;
    int r = hf_sealed_file_load(fs, folder, "fetch", "fetch", FORMAT, &text, &body, err);

    if (r == 0)
        r = hf_fetch_record_parse(body, ret_record);
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
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_TEXT);
    struct hf_view body;
    char path[PATH_MAX], boot[40];

    hf_fetch_record_boot(fs, boot);
    return boot[0] != '\0' && (size_t)snprintf(path, sizeof(path), "%s/fetch.now", folder) < sizeof(path) &&
           hf_file_read(fs, path, &text, NULL) == 0 &&
           hf_seal_open(hf_buf_view(&text), "fetch", FORMAT, &body, NULL) == 0 &&
           hf_fetch_record_parse(body, ret_record) == 0 && strcmp(ret_record->boot, boot) == 0 &&
           strcmp(ret_record->key, key) == 0;
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

static int format_sealed(const struct hf_fetch_record *record, struct hf_buf *text)
{
    _cleanup_(hf_buf_done) struct hf_buf body = HF_BUF_INIT(MAX_TEXT);
    int r = hf_fetch_record_format(record, &body);

    return r == 0 ? hf_seal_format("fetch", FORMAT, hf_buf_view(&body), text) : r;
}

int hf_fetch_record_note(const struct hf_fs_ops *fs, int fd, const struct hf_fetch_record *record, bool shorter,
                         struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_TEXT);
    int r = shorter ? fs->ftruncate(fs->ctx, fd, 0) : 0;

    if (r == 0)
        r = format_sealed(record, &text);
    if (r == 0) {
        ssize_t n = fs->pwrite(fs->ctx, fd, text.p, text.n, 0);
        r = n < 0 ? (int)n : 0; /* the seal detects a partial write */
    }
    return r < 0 ? hf_err_sys(err, r, "write the progress of the download") : 0;
}

int hf_fetch_record_save(const struct hf_fs_ops *fs, const char *folder, const struct hf_fetch_record *record,
                         struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_TEXT);
    int r = format_sealed(record, &text);

    return r < 0 ? hf_err_sys(err, r, "format the record of the download")
                 : hf_sealed_file_save(fs, folder, "fetch", hf_buf_view(&text), err);
}

int hf_fetch_record_remove(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err)
{
    int r = hf_sealed_file_remove(fs, folder, "fetch.now", err);

    return r < 0 ? r : hf_sealed_file_remove(fs, folder, "fetch", err);
}
