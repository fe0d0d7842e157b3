/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/folder/folder_status.h"

#include <errno.h>
#include <string.h>

#include "os/dir.h"
#include "os/file.h"

enum { HF_FOLDER_STATUS_MAX_BYTES = 1 << 20 };

static int path_of(const char *dir, const json_t *body, char **ret_path, struct hf_err *err)
{
    const char *kind = hf_json_str_or(body, "kind", ""), *name = hf_json_str_or(body, "metadata.name", "");

    if (*kind == '\0' || *name == '\0' || strchr(kind, '/') != NULL || strchr(name, '/') != NULL || strlen(name) > 253)
        return hf_err_set(err, EINVAL, "cannot write a '%.60s' named '%.60s'", kind, name);
    *ret_path = hf_asprintf("%s/%s-%s.json", dir, kind, name);
    return *ret_path != NULL ? 0 : hf_err_set(err, ENOMEM, "out of memory");
}

static json_t *read_old(const struct hf_fs_ops *fs, const char *path)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_FOLDER_STATUS_MAX_BYTES);
    json_t *old = NULL;

    if (hf_file_read(fs, path, &text, NULL) < 0 || hf_json_parse(hf_buf_view(&text), NULL, &old, NULL) < 0)
        return NULL;
    if (json_is_object(old))
        return old;
    json_decref(old);
    return NULL;
}

/* The new content of the file. */
static int merge(const json_t *old, const json_t *body, const char *subresource, json_t **ret_merged,
                 struct hf_err *err)
{
    bool status = subresource != NULL && strcmp(subresource, "status") == 0;
    _cleanup_(hf_json_freep) json_t *merged = json_deep_copy(status && old != NULL ? old : body);
    const json_t *part = json_object_get(status ? body : old, "status");

    if (merged == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    if (part != NULL && json_object_set(merged, "status", hf_json_mutable(part)) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    if (part == NULL)
        (void)json_object_del(merged, "status");
    *ret_merged = hf_steal(merged);
    return 0;
}

int hf_folder_status_write(const struct hf_fs_ops *fs, const char *dir, const json_t *body, const char *subresource,
                           json_t **ret_object, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_FOLDER_STATUS_MAX_BYTES);
    _cleanup_(hf_json_freep) json_t *old = NULL, *merged = NULL;
    _cleanup_(hf_freep) char *path = NULL;
    int r = path_of(dir, body, &path, err);

    if (r < 0)
        return r;
    old = read_old(fs, path);
    r = merge(old, body, subresource, &merged, err);
    if (r < 0)
        return r;
    if (old == NULL || json_equal(old, merged) == 0) {
        r = hf_json_format(merged, &text);
        if (r == 0)
            r = hf_buf_add_str(&text, "\n");
        if (r < 0)
            return hf_err_sys(err, r, "write '%s'", path);
        r = hf_dir_make(fs, dir, 0755, err);
        if (r == 0)
            r = hf_file_replace(fs, path, text.p, text.n, 0644, err);
        if (r < 0)
            return r;
    }
    *ret_object = hf_steal(merged);
    return 0;
}
