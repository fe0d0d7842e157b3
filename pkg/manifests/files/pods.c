#include "manifests/files/pods.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "codec/json.h"

void hf_pods_done(struct hf_pods *pods)
{
    for (size_t i = 0; i < pods->n; i++)
        free(pods->items[i].name);
    free(pods->items);
    *pods = (struct hf_pods){.items = NULL};
}

/* Cuts the next document off *rest. In YAML, a line that begins with "---" in its first column always ends a document,
 * even inside a block of text. */
static struct hf_view take_document(struct hf_view *rest)
{
    struct hf_view all = *rest;

    for (size_t at = 0; at < all.n;) {
        const char *newline = memchr(all.p + at, '\n', all.n - at);
        size_t next = newline != NULL ? (size_t)(newline - all.p) + 1 : all.n;
        bool marker = all.n - at >= 3 && memcmp(all.p + at, "---", 3) == 0 &&
                      (at + 3 == all.n || strchr(" \t\r\n", all.p[at + 3]) != NULL);
        if (marker && at > 0) {
            *rest = (struct hf_view){all.p + at, all.n - at};
            return (struct hf_view){all.p, at};
        }
        at = next;
    }
    *rest = (struct hf_view){NULL, 0};
    return all;
}

/* 1: a Pod; 0: nothing but comments. */
static int judge(struct hf_view document, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *json = NULL, *all = NULL;
    int r = hf_yaml_parse_all(document, NULL, &all, err);

    if (r < 0)
        return r;
    json = json_incref(json_array_get(all, 0));
    if (json_array_size(all) == 0 || json_is_null(json))
        return 0;
    const char *kind = hf_json_str(json, "kind"), *version = hf_json_str(json, "apiVersion");
    const char *name = hf_json_str(json, "metadata.name");
    if (json_array_size(all) != 1 || kind == NULL || version == NULL || name == NULL || strcmp(kind, "Pod") != 0 ||
        strcmp(version, "v1") != 0)
        return hf_err_set(err, EBADMSG, "it is %s%s, but the kubelet takes only v1 Pods with a name",
                          kind != NULL ? "a " : "no object", kind != NULL ? kind : "");
    return 1;
}

/* "web/pod.yaml" becomes "<entry>-web-pod". */
static int stem_of(const char *entry, const char *path, char stem[NAME_MAX + 1])
{
    int n = snprintf(stem, NAME_MAX + 1, "%s-%s", entry, path);
    size_t start = strlen(entry) + 1;

    if (n > NAME_MAX - 16)
        return -ENAMETOOLONG;
    for (char *at = stem + start; *at != '\0'; at++)
        *at = *at == '/' ? '-' : *at;
    char *dot = strrchr(stem + start, '.');
    if (dot != NULL && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0 || strcmp(dot, ".json") == 0))
        *dot = '\0';
    return 0;
}

static int add(struct hf_pods *pods, const char *stem, unsigned number, struct hf_view bytes)
{
    char *name = number > 0 ? hf_asprintf("%s-%u.yaml", stem, number) : hf_asprintf("%s.yaml", stem);

    if (name == NULL || hf_array_grow(pods->items, pods->n, pods->cap, HF_PODS_MAX) < 0) {
        free(name);
        return -ENOMEM;
    }
    pods->items[pods->n++] = (struct hf_pods_item){name, bytes};
    return 0;
}

/* Adds the documents of one file with numbers; takes the number off a single one. */
static int split_file(const char *entry, const struct hf_bundle_file *file, struct hf_pods *pods, struct hf_err *err)
{
    char stem[NAME_MAX + 1];
    struct hf_view rest = file->bytes;
    size_t before = pods->n;
    unsigned number = 0;
    int r = stem_of(entry, file->path, stem);

    while (r == 0 && rest.n > 0) {
        struct hf_view document = take_document(&rest);
        number++;
        r = judge(document, err);
        if (r < 0)
            return hf_err_wrap(err, r, "file '%.200s', document %u", file->path, number);
        if (r == 1 && pods->n == HF_PODS_MAX)
            return hf_err_set(err, E2BIG, "file '%.200s', document %u: more than %d pods in one entry", file->path,
                              number, (int)HF_PODS_MAX);
        if (r == 1)
            r = add(pods, stem, number, document);
    }
    if (r == 0 && pods->n == before + 1) {
        char *name = hf_asprintf("%s.yaml", stem);
        if (name == NULL)
            return hf_err_sys(err, -ENOMEM, "file '%.200s'", file->path);
        free(pods->items[before].name);
        pods->items[before].name = name;
    }
    return r < 0 ? hf_err_sys(err, r, "file '%.200s'", file->path) : 0;
}

int hf_pods_split(const char *entry, const struct hf_bundle *bundle, struct hf_pods *ret_pods, struct hf_err *err)
{
    int r = 0;

    *ret_pods = (struct hf_pods){.items = NULL};
    for (size_t i = 0; r == 0 && i < bundle->n; i++)
        r = split_file(entry, &bundle->files[i], ret_pods, err);
    if (r == 0 && ret_pods->n == 0)
        r = hf_err_set(err, EBADMSG, "the source has no Pod");
    return r;
}
