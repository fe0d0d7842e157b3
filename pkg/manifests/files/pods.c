/* SPDX-License-Identifier: Apache-2.0 */
/* Names: the kubelet reads one pod per file, and of two files with the same pod (namespace and name) takes the name
 * that sorts last; the path is part of the pod's UID. So the pod alone names its file. Earlier agents named files by
 * the source (site-web-pod-2.yaml); '_' sorts after '-' and '.', so those of today win. */
#include "manifests/files/pods.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "api/field/text.h"
#include "base/array.h"
#include "base/asprintf.h"
#include "codec/json.h"
#include "codec/sha256.h"

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

/* ---- the name of a pod ------------------------------------------------------------------------------------------- */

/* Bytes of the hash, and of the pod's name before it, in a file name that would be too long otherwise. */
enum { HASH_CHARS = 32, NAME_CHARS = 80 };

struct identity {
    const char *ns, *name; /* point into the tree */
};

/* Reads the identity as the kubelet does: a pod without a namespace is in the namespace "default". Returns false if the
 * kubelet would not take it. */
static bool identify(const json_t *pod, struct identity *ret_identity)
{
    const json_t *ns = hf_json_at(pod, "metadata.namespace");
    const char *name = hf_json_str(pod, "metadata.name");
    const char *text = ns == NULL || json_is_null(ns) ? "" : json_string_value(ns);

    if (text == NULL || name == NULL || !hf_text_is_object_name(name) || (*text != '\0' && !hf_text_is_name(text)))
        return false;
    *ret_identity = (struct identity){*text != '\0' ? text : "default", name};
    return true;
}

static bool is_pod(const json_t *json)
{
    return strcmp(hf_json_str_or(json, "kind", ""), "Pod") == 0 &&
           strcmp(hf_json_str_or(json, "apiVersion", ""), "v1") == 0 && hf_json_str(json, "metadata.name") != NULL;
}

/* '_' is neither in a name of an entry nor in one of Kubernetes, so the parts cannot be confused; a name with a hash
 * has one '_' more than one without. */
static int make_name(const char *entry, const struct identity *pod, char **ret_name)
{
    char hex[HF_SHA256_HEX];
    char *name = hf_asprintf("%s_%s_%s.yaml", entry, pod->ns, pod->name);

    if (name != NULL && strlen(name) > NAME_MAX) {
        (void)hf_sha256_hex(pod->name, strlen(pod->name), hex);
        free(name);
        name = hf_asprintf("%s_%s_%.*s_%.*s.yaml", entry, pod->ns, NAME_CHARS, pod->name, HASH_CHARS, hex);
    }
    if (name == NULL)
        return -ENOMEM;
    if (strlen(name) > NAME_MAX) {
        free(name);
        return -ENAMETOOLONG;
    }
    *ret_name = name;
    return 0;
}

int hf_pods_name(const char *entry, struct hf_view text, char **ret_name)
{
    _cleanup_(hf_json_freep) json_t *all = NULL;
    struct identity pod;
    int r = 0;

    while (r == 0 && text.n > 0 && json_array_size(all) == 0) { /* until the first document with more than comments */
        json_decref(hf_steal(all));
        r = hf_yaml_parse_all(take_document(&text), NULL, &all, NULL);
    }
    if (r == -ENOMEM)
        return r;
    const json_t *first = r == 0 ? json_array_get(all, 0) : NULL;
    return is_pod(first) && identify(first, &pod) ? make_name(entry, &pod, ret_name) : -EBADMSG;
}

/* ---- documents --------------------------------------------------------------------------------------------------- */

/* Adds a pod, and takes the name over, also on failure. */
static int add(struct hf_pods *pods, char *name, const struct identity *pod, struct hf_view bytes, struct hf_err *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < pods->n; i++)
        if (strcmp(pods->items[i].name, name) == 0)
            r = hf_err_set(err, EEXIST, "an earlier document has the Pod %.63s/%.100s, too", pod->ns, pod->name);
    if (r == 0 && pods->n == HF_PODS_MAX)
        r = hf_err_set(err, E2BIG, "more than %d pods in one entry", (int)HF_PODS_MAX);
    if (r == 0 && hf_array_grow(pods->items, pods->n, pods->cap, HF_PODS_MAX) < 0)
        r = hf_err_sys(err, -ENOMEM, "add a pod");
    if (r < 0) {
        free(name);
        return r;
    }
    pods->items[pods->n++] = (struct hf_pods_item){name, bytes};
    return 0;
}

/* Adds the pod of a document. A document with nothing but comments adds none. */
static int take_pod(const char *entry, struct hf_view document, struct hf_pods *pods, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *all = NULL;
    struct identity pod;
    char *name = NULL;
    int r = hf_yaml_parse_all(document, NULL, &all, err);

    if (r < 0)
        return r;
    const json_t *json = json_array_get(all, 0);
    if (json_array_size(all) == 0 || json_is_null(json))
        return 0;
    const char *kind = hf_json_str(json, "kind");
    if (json_array_size(all) != 1 || !is_pod(json))
        return hf_err_set(err, EBADMSG, "it is %s%s, but the kubelet takes only v1 Pods with a name",
                          kind != NULL ? "a " : "no object", kind != NULL ? kind : "");
    if (!identify(json, &pod))
        return hf_err_set(err, EBADMSG, "the kubelet takes no Pod with the name '%.100s' in this namespace",
                          hf_json_str_or(json, "metadata.name", ""));
    r = make_name(entry, &pod, &name);
    if (r < 0)
        return hf_err_sys(err, r, "name the file of Pod %.63s/%.100s", pod.ns, pod.name);
    return add(pods, name, &pod, document, err);
}

static int split_file(const char *entry, const struct hf_bundle_file *file, struct hf_pods *pods, struct hf_err *err)
{
    struct hf_view rest = file->bytes;
    unsigned number = 0;
    int r = 0;

    while (r == 0 && rest.n > 0) {
        struct hf_view document = take_document(&rest);
        number++;
        r = take_pod(entry, document, pods, err);
    }
    return r < 0 ? hf_err_wrap(err, r, "file '%.200s', document %u", file->path, number) : 0;
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
