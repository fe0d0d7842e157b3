/* SPDX-License-Identifier: Apache-2.0 */
/* The kubelet appends "-<node>" to the name, and annotates a hash of the file, the old one until it has read the new
 * file. Some changes leave the hash: defaults are filled in first, and metadata.uid is the hash if the file has one. */
#include "manifests/kubelet/verdict.h"

#include <stdio.h>
#include <string.h>

#include "base/encoding/cut.h"
#include "manifests/cluster/health.h"

enum { MAX_HASHES = 256, MAX_HASH = 128 };

/* The kubelet writes the first annotation, and the mirror pod in the API server has the second one. */
static const char *const hash_keys[] = {"kubernetes.io/config.hash", "kubernetes.io/config.mirror"};

static const char *hash_in(const json_t *pod)
{
    const json_t *notes = hf_json_at(pod, "metadata.annotations");

    for (size_t i = 0; i < HF_LEN(hash_keys); i++)
        if (json_is_string(json_object_get(notes, hash_keys[i])))
            return json_string_value(json_object_get(notes, hash_keys[i]));
    return "";
}

/* Returns the static pod of this name, or NULL. A pod without a hash is no static pod. */
static json_t *find(const json_t *pods, const char *ns, const char *name, const char *node)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < json_array_size(pods); i++) {
        json_t *pod = json_array_get(pods, i);
        const char *full = hf_json_str_or(pod, "metadata.name", "");
        if (strcmp(hf_json_str_or(pod, "metadata.namespace", ""), ns) == 0 && strncmp(full, name, n) == 0 &&
            full[n] == '-' && strcmp(full + n + 1, node) == 0 && *hash_in(pod) != '\0')
            return pod;
    }
    return NULL;
}

json_t *hf_kubelet_hashes_of(const json_t *pods)
{
    json_t *hashes = json_object();
    char key[800];

    for (size_t i = 0; hashes != NULL && i < json_array_size(pods) && json_object_size(hashes) < MAX_HASHES; i++) {
        const json_t *pod = json_array_get(pods, i);
        const char *hash = hash_in(pod);
        (void)snprintf(key, sizeof(key), "%.253s/%.507s", hf_json_str_or(pod, "metadata.namespace", ""),
                       hf_json_str_or(pod, "metadata.name", ""));
        if (*hash != '\0' && strlen(hash) <= MAX_HASH && json_object_set_new(hashes, key, json_string(hash)) < 0) {
            json_decref(hashes);
            return NULL;
        }
    }
    return hashes;
}

static struct hf_kubelet_verdict verdict(enum hf_kubelet_state state, const json_t *wanted, const char *why)
{
    struct hf_kubelet_verdict verdict = {.state = state};

    (void)snprintf(verdict.why, sizeof(verdict.why), "Pod %.50s/%.60s: %s",
                   hf_json_str_or(wanted, "namespace", "default"), hf_json_str_or(wanted, "name", ""), HF_CUT(70, why));
    return verdict;
}

static struct hf_kubelet_verdict unread(const json_t *wanted)
{
    struct hf_kubelet_verdict unread =
        verdict(HF_KUBELET_PENDING, wanted, "same hash: the kubelet may not have read the new file");

    unread.unread = true;
    return unread;
}

static struct hf_kubelet_verdict judge(const json_t *wanted, const char *node, const struct hf_kubelet_list *list)
{
    const char *old = hf_json_str_or(wanted, "hash", "");
    json_t *pod =
        find(list->pods, hf_json_str_or(wanted, "namespace", "default"), hf_json_str_or(wanted, "name", ""), node);
    struct hf_cluster_health health;

    if (pod == NULL)
        return verdict(HF_KUBELET_PENDING, wanted, "the kubelet has not started it");
    if (!list->read && *old != '\0' && strcmp(old, hash_in(pod)) == 0)
        return unread(wanted);
    if (list->early && json_is_true(json_object_get(wanted, "unsure")))
        return verdict(HF_KUBELET_PENDING, wanted, "the kubelet has not read the new file yet");
    (void)json_object_set_new(pod, "apiVersion", json_string("v1")); /* items of a list have no kind */
    (void)json_object_set_new(pod, "kind", json_string("Pod"));
    health = hf_cluster_health_of(pod);
    if (health.state == HF_CLUSTER_CURRENT)
        return (struct hf_kubelet_verdict){.state = HF_KUBELET_READY};
    return verdict(health.state == HF_CLUSTER_FAILED ? HF_KUBELET_FAILED : HF_KUBELET_PENDING, wanted, health.why);
}

/* A pod that is not ready is worse than one of which nobody knows if the kubelet has read its file. */
static bool is_worse(const struct hf_kubelet_verdict *one, const struct hf_kubelet_verdict *other)
{
    return one->state != other->state ? one->state > other->state : !one->unread && other->unread;
}

struct hf_kubelet_verdict hf_kubelet_verdict_of(const json_t *wanted, const char *node,
                                                const struct hf_kubelet_list *list)
{
    struct hf_kubelet_verdict worst = {.state = HF_KUBELET_READY};

    for (size_t i = 0; i < json_array_size(wanted); i++) {
        struct hf_kubelet_verdict one = judge(json_array_get(wanted, i), node, list);
        if (is_worse(&one, &worst))
            worst = one;
    }
    return worst;
}
