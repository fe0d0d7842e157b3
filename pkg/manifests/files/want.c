/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/files/want.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "manifests/files/pods.h"
#include "manifests/files/resolve.h"

enum { POD_MODE = 0600 };

void hf_files_want_done(struct hf_files_want *want)
{
    for (size_t i = 0; i < want->n; i++)
        free(want->items[i].path);
    free(want->items);
    hf_bundle_free(want->bundle);
    *want = (struct hf_files_want){.bundle = NULL};
}

static bool is_reserved(const char *rel)
{
    return strncmp(rel, ".holdfast-", 10) == 0 || strstr(rel, "/.holdfast-") != NULL;
}

/* `folder` is the part of the path that the staging folder does not repeat. */
static int add(struct hf_files_want *want, const char *folder, const char *rel, struct hf_files_item item,
               struct hf_err *err)
{
    size_t n = strlen(folder);

    if (is_reserved(rel) || n + strlen(rel) + 2 > HF_FILES_MAX_PATH)
        return hf_err_set(err, EINVAL, "file '%.100s': %s", rel,
                          is_reserved(rel) ? "names that begin with .holdfast- are reserved" : "its path is too long");
    item.path = hf_asprintf("%s/%s", folder, rel);
    if (item.path == NULL || hf_array_grow(want->items, want->n, want->cap, HF_BUNDLE_MAX_FILES) < 0) {
        free(item.path);
        return hf_err_sys(err, -ENOMEM, "file '%.100s'", rel);
    }
    item.rel = item.path + n + 1;
    hf_sha256_of(item.bytes.p, item.bytes.n, item.sha256, sizeof(item.sha256));
    want->items[want->n++] = item;
    want->bytes += item.bytes.n;
    return 0;
}

int hf_files_want_add(struct hf_files_want *want, const char *rel, uint32_t mode, uid_t uid, gid_t gid,
                      struct hf_view bytes, struct hf_err *err)
{
    return add(want, want->root, rel, (struct hf_files_item){.mode = mode, .uid = uid, .gid = gid, .bytes = bytes},
               err);
}

int hf_files_want_add_at(struct hf_files_want *want, const struct hf_inventory_item *item, struct hf_view bytes,
                         struct hf_err *err)
{
    return add(want, "", item->path + 1,
               (struct hf_files_item){.mode = item->mode, .uid = item->uid, .gid = item->gid, .bytes = bytes}, err);
}

const struct hf_files_item *hf_files_want_find(const struct hf_files_want *want, const char *path)
{
    size_t at = hf_array_lower_bound(i, want->n, strcmp(want->items[i].path, path) < 0);

    return at < want->n && strcmp(want->items[at].path, path) == 0 ? &want->items[at] : NULL;
}

int hf_files_want_sort(struct hf_files_want *want, struct hf_err *err)
{
    if (want->n > 1)
        qsort(want->items, want->n, sizeof(*want->items), hf_array_by_string);
    for (size_t i = 1; i < want->n; i++)
        if (strcmp(want->items[i - 1].path, want->items[i].path) == 0)
            return hf_err_set(err, EEXIST, "two files would have the name '%.200s'", want->items[i].rel);
    return 0;
}

/* The target is one file if the content is one file and the path does not end with '/'. */
static int split_path(const char *path, struct hf_files_want *want, char text[HF_FILES_MAX_PATH],
                      char name[NAME_MAX + 1], struct hf_err *err)
{
    int n = snprintf(text, HF_FILES_MAX_PATH, "%s", path);

    if (n < 2 || (size_t)n >= HF_FILES_MAX_PATH)
        return hf_err_set(err, ENAMETOOLONG, "path '%.200s' is not usable", path);
    want->single = want->bundle->n == 1 && text[n - 1] != '/';
    if (want->single) {
        char *slash = strrchr(text, '/');
        (void)snprintf(name, NAME_MAX + 1, "%s", slash + 1);
        *slash = '\0';
    }
    return 0;
}

static int fill_files(const struct hf_manifest *entry, struct hf_files_want *want, const char *name, struct hf_err *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < want->bundle->n; i++) {
        const struct hf_bundle_file *file = &want->bundle->files[i];
        r = hf_files_want_add(want, want->single ? name : file->path, hf_manifest_file_mode(entry, file->mode),
                              entry->has_owner ? entry->uid : geteuid(), entry->has_owner ? entry->gid : getegid(),
                              file->bytes, err);
    }
    return r;
}

static int fill_pods(const struct hf_manifest *entry, struct hf_files_want *want, struct hf_err *err)
{
    struct hf_pods pods;
    int r = hf_pods_split(entry->name, want->bundle, &pods, err);

    for (size_t i = 0; r == 0 && i < pods.n; i++)
        r = hf_files_want_add(want, pods.items[i].name, POD_MODE, geteuid(), getegid(), pods.items[i].bytes, err);
    hf_pods_done(&pods);
    return r;
}

int hf_files_want_make(const struct hf_fs_ops *fs, const char *host_root, const struct hf_manifest *entry,
                       const char *pod_folder, const char *known_root, struct hf_bundle *bundle,
                       struct hf_files_want *ret_want, struct hf_manifest_outcome *outcome)
{
    bool pods = entry->to == HF_MANIFEST_TO_STATIC_PODS;
    struct hf_files_want want = {.bundle = bundle};
    struct hf_err err = HF_ERR_INIT;
    char name[NAME_MAX + 1] = "", folder[HF_FILES_MAX_PATH];
    int r = pods ? 0 : split_path(entry->path, &want, folder, name, &err);

    if (known_root[0] != '\0')
        (void)snprintf(want.root, sizeof(want.root), "%s", known_root);
    else if (r == 0)
        r = hf_files_resolve(fs, host_root, pods ? pod_folder : folder, want.root, &err);
    if (r < 0) {
        hf_files_want_done(&want);
        return hf_manifest_outcome_fail(outcome, hf_manifest_outcome_reason(r), r, &err);
    }
    r = pods ? fill_pods(entry, &want, &err) : fill_files(entry, &want, name, &err);
    if (r == 0)
        r = hf_files_want_sort(&want, &err);
    if (r < 0) {
        hf_files_want_done(&want);
        return hf_manifest_outcome_fail(
            outcome, pods ? HF_MANIFEST_REASON_NOT_MANIFESTS : HF_MANIFEST_REASON_SOURCE_INVALID, r, &err);
    }
    *ret_want = want;
    return 0;
}
