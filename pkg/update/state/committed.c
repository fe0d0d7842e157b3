/* SPDX-License-Identifier: Apache-2.0 */
#include "update/state/committed.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "codec/seal.h"
#include "codec/state/sealed_file.h"
#include "os/file.h"
#include "update/state/journal.h"

enum { FORMAT = 1 };

static const char kind[] = "committed", file_name[] = "committed";

int hf_committed_format(const json_t *object, struct hf_buf *out)
{
    char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    int r = text != NULL ? hf_seal_format(kind, FORMAT, hf_view_of(text), out) : -ENOMEM;

    free(text);
    return r;
}

int hf_committed_save(const struct hf_fs_ops *fs, const char *folder, struct hf_view text, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf have = HF_BUF_INIT(HF_JOURNAL_MAX_BYTES);
    char path[PATH_MAX];

    if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, file_name) >= sizeof(path))
        return hf_err_set(err, ENAMETOOLONG, "path '%.100s...' is too long", folder);
    if (hf_file_read(fs, path, &have, NULL) == 0 && have.n == text.n && memcmp(have.p, text.p, text.n) == 0)
        return 0;
    return hf_sealed_file_save(fs, folder, file_name, text, err);
}

int hf_committed_load(const struct hf_fs_ops *fs, const char *folder, const char *digest,
                      struct hf_edgeupdate **ret_update, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_JOURNAL_MAX_BYTES);
    struct hf_edgeupdate *update = NULL;
    struct hf_view body;
    int r = hf_sealed_file_load(fs, folder, file_name, kind, FORMAT, &text, &body, err);

    if (r < 0)
        return r;
    _cleanup_(hf_json_freep) json_t *json = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, NULL);
    struct hf_issues *issues = calloc(1, sizeof(*issues));
    if (issues == NULL)
        return hf_err_sys(err, -ENOMEM, "read the committed release");
    r = json != NULL ? hf_edgeupdate_decode(json, &update, issues) : -EBADMSG;
    free(issues);
    if (r == -ENOMEM)
        return hf_err_sys(err, r, "read the committed release");
    if (r < 0) /* nothing else would ever replace it while a newer release waits */
        return hf_sealed_file_set_aside(fs, folder, file_name, err);
    if (strcmp(update->release.digest, digest) != 0) {
        hf_edgeupdate_free(update);
        return -ENOENT;
    }
    *ret_update = update;
    return 0;
}
