/* SPDX-License-Identifier: Apache-2.0 */
#include "update/state/committed.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "codec/seal.h"
#include "codec/state/sealed_file.h"
#include "os/file.h"
#include "update/state/journal.h"

enum { FORMAT = 1 };

static const char kind[] = "committed", file_name[] = "committed", previous_name[] = "previous";

int hf_committed_format(const json_t *object, struct hf_buf *out)
{
    char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    int r = text != NULL ? hf_seal_format(kind, FORMAT, hf_view_of(text), out) : -ENOMEM;

    free(text);
    return r;
}

static struct hf_edgeupdate *decode_json(json_t *json, int *ret_r)
{
    struct hf_issues *issues = calloc(1, sizeof(*issues));
    struct hf_edgeupdate *update = NULL;

    *ret_r = issues == NULL ? -ENOMEM : json != NULL ? hf_edgeupdate_decode(json, &update, issues) : -EBADMSG;
    free(issues);
    return *ret_r == 0 ? update : NULL;
}

static struct hf_edgeupdate *decode(struct hf_view body, int *ret_r)
{
    _cleanup_(hf_json_freep) json_t *json = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, NULL);

    return decode_json(json, ret_r);
}

struct hf_edgeupdate *hf_committed_decode(json_t *object)
{
    int ignored;

    return decode_json(object, &ignored);
}

/* Makes the committed release the version before, if it is another one than `digest`. */
static int rotate(const struct hf_fs_ops *fs, const char *folder, struct hf_view have, const char *digest,
                  bool *ret_rotated, struct hf_err *err)
{
    struct hf_view body;
    int r;

    if (hf_seal_open(have, kind, FORMAT, &body, NULL) < 0)
        return 0;
    struct hf_edgeupdate *update = decode(body, &r);
    bool other = update != NULL && strcmp(update->release.digest, digest) != 0;
    hf_edgeupdate_free(update);
    if (!other)
        return r == -ENOMEM ? hf_err_sys(err, r, "read the committed release") : 0;
    *ret_rotated = true;
    return hf_sealed_file_save(fs, folder, previous_name, have, err);
}

int hf_committed_save(const struct hf_fs_ops *fs, const char *folder, struct hf_view text, const char *digest,
                      bool *ret_rotated, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf have = HF_BUF_INIT(HF_JOURNAL_MAX_BYTES);
    char path[PATH_MAX];
    int r = 0;

    *ret_rotated = false;
    if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, file_name) >= sizeof(path))
        return hf_err_set(err, ENAMETOOLONG, "path '%.100s...' is too long", folder);
    if (hf_file_read(fs, path, &have, NULL) == 0) {
        if (have.n == text.n && memcmp(have.p, text.p, text.n) == 0)
            return 0;
        r = rotate(fs, folder, hf_buf_view(&have), digest, ret_rotated, err);
    }
    return r < 0 ? r : hf_sealed_file_save(fs, folder, file_name, text, err);
}

static int load(const struct hf_fs_ops *fs, const char *folder, const char *name, struct hf_edgeupdate **ret_update,
                struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_JOURNAL_MAX_BYTES);
    struct hf_view body;
    int r = hf_sealed_file_load(fs, folder, name, kind, FORMAT, &text, &body, err);

    if (r < 0)
        return r;
    *ret_update = decode(body, &r);
    if (r == -ENOMEM)
        return hf_err_sys(err, r, "read the committed release");
    /* Nothing else would ever replace it while a newer release waits. */
    return r < 0 ? hf_sealed_file_set_aside(fs, folder, name, err) : 0;
}

int hf_committed_load(const struct hf_fs_ops *fs, const char *folder, const char *digest,
                      struct hf_edgeupdate **ret_update, struct hf_err *err)
{
    struct hf_edgeupdate *update = NULL;
    int r = load(fs, folder, file_name, &update, err);

    assert(r < 0 || update != NULL);
    if (r == 0 && strcmp(update->release.digest, digest) != 0)
        r = -ENOENT;
    if (r < 0) {
        hf_edgeupdate_free(update);
        return r;
    }
    *ret_update = update;
    return 0;
}

int hf_committed_load_previous(const struct hf_fs_ops *fs, const char *folder, struct hf_edgeupdate **ret_update,
                               struct hf_err *err)
{
    return load(fs, folder, previous_name, ret_update, err);
}

int hf_committed_peek(const struct hf_fs_ops *fs, const char *folder, bool previous, struct hf_edgeupdate **ret_update,
                      struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_JOURNAL_MAX_BYTES);
    char path[PATH_MAX];
    struct hf_view body = {NULL, 0};

    if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, previous ? previous_name : file_name) >= sizeof(path))
        return hf_err_set(err, ENAMETOOLONG, "path '%.100s...' is too long", folder);
    int r = hf_file_read(fs, path, &text, err);
    if (r == 0)
        r = hf_seal_open(hf_buf_view(&text), kind, FORMAT, &body, err);
    if (r < 0)
        return r;
    struct hf_edgeupdate *update = decode(body, &r);
    if (r < 0)
        return hf_err_set(err, -r, "'%s' holds no release", path);
    *ret_update = update;
    return 0;
}
