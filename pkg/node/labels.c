/* SPDX-License-Identifier: Apache-2.0 */
#include "node/labels.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"

enum { MAX_LABEL_PART = 63 };

/* The processor features that programs are built for. A kernel lists over a hundred on x86, too many for labels;
 * `requires.cpuFeatures` of a release still sees them all. */
static const char *const labelled_features[] = {
    /* x86 */ "sse4_2",
    "popcnt",
    "avx",
    "avx2",
    "fma",
    "f16c",
    "bmi2",
    "aes",
    "sha_ni",
    "avx512f",
    "avx512_vnni",
    "avx_vnni",
    "amx_tile",
    "amx_int8",
    "vmx",
    "svm",
    /* Arm */ "neon",
    "vfpv4",
    "asimd",
    "crc32",
    "atomics",
    "asimdhp",
    "asimddp",
    "i8mm",
    "bf16",
    "sve",
    "sve2",
    "sha2",
    /* RISC-V */ "v",
    "zba",
    "zbb",
    "zvfh",
};

static bool alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool part_valid(const char *text)
{
    size_t n = strlen(text);

    if (n > MAX_LABEL_PART || n == 0 || !alnum(text[0]) || !alnum(text[n - 1]))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!alnum(text[i]) && strchr("-_.", text[i]) == NULL)
            return false;
    return true;
}

bool hf_label_value_valid(const char *value)
{
    return value[0] == '\0' || part_valid(value);
}

bool hf_label_key_valid(const char *key)
{
    size_t n = strlen(HF_LABEL_PREFIX);

    return strncmp(key, HF_LABEL_PREFIX, n) == 0 && part_valid(key + n);
}

static int put(json_t *labels, const char *name, const char *value)
{
    char key[sizeof(HF_LABEL_PREFIX) + MAX_LABEL_PART];

    if (value[0] == '\0' || !hf_label_value_valid(value))
        return 0;
    (void)snprintf(key, sizeof(key), HF_LABEL_PREFIX "%s", name);
    return json_object_set_new(labels, key, json_string(value)) == 0 ? 0 : -ENOMEM;
}

static int put_features(json_t *labels, const struct hf_facts *facts)
{
    char name[MAX_LABEL_PART];
    int r = 0;

    for (size_t i = 0; i < HF_LEN(labelled_features) && r == 0; i++) {
        if (!hf_facts_has_cpu(facts, labelled_features[i]))
            continue;
        (void)snprintf(name, sizeof(name), "cpu.%s", labelled_features[i]);
        r = put(labels, name, "true");
    }
    return r;
}

static int put_detected(json_t *labels, const struct hf_facts *facts)
{
    char gib[24] = "";

    if (facts->memory_bytes != 0)
        (void)snprintf(gib, sizeof(gib), "%llu", (unsigned long long)facts->memory_bytes >> 30);
    const struct {
        const char *name, *value;
    } all[] = {
        {"arch", facts->arch},
        {"gpu", facts->gpu},
        {"tpm", facts->tpm},
        {"memory", gib},
        {"class", hf_facts_class(facts)},
        {"storage", hf_storage_name(facts->storage)},
    };
    int r = 0;

    for (size_t i = 0; i < HF_LEN(all) && r == 0; i++)
        r = put(labels, all[i].name, all[i].value);
    return r == 0 ? put_features(labels, facts) : r;
}

static void refuse(struct hf_issues *refused, const char *key, const char *expected)
{
    char path[sizeof(((struct hf_issue *)0)->path)];

    if (refused == NULL)
        return;
    (void)snprintf(path, sizeof(path), "spec.labels.static['%.100s']", key);
    hf_issue_error(refused, path, "%s", expected);
}

static int put_static(json_t *labels, const struct hf_syncpolicy *policy, struct hf_issues *refused)
{
    const char *key;
    json_t *value;

    if (policy->static_labels == NULL)
        return 0;
    json_object_foreach(policy->static_labels, key, value) {
        const char *text = json_string_value(value);
        if (!hf_label_key_valid(key))
            refuse(refused, key, "expected a key " HF_LABEL_PREFIX "NAME: an agent writes no other labels");
        else if (text == NULL || !hf_label_value_valid(text))
            refuse(refused, key, "expected at most 63 letters, digits, '-', '_', '.', alphanumeric at both ends");
        else if (json_object_set_new(labels, key, json_string(text)) < 0)
            return -ENOMEM;
    }
    return 0;
}

/* Gives equal sets equal text: the order of keys does not depend on the order of insertion. */
static int sorted(const json_t *labels, json_t **ret_sorted)
{
    size_t n = json_object_size(labels), i = 0;
    _cleanup_(hf_freep) const char **keys = calloc(n + 1, sizeof(*keys));
    _cleanup_(hf_json_freep) json_t *out = json_object();
    const char *key;
    json_t *value;

    if (keys == NULL || out == NULL)
        return -ENOMEM;
    json_object_foreach((json_t *)(uintptr_t)labels, key, value)
        keys[i++] = key;
    qsort(keys, n, sizeof(*keys), hf_array_by_string);
    for (i = 0; i < n; i++)
        if (json_object_set(out, keys[i], json_object_get(labels, keys[i])) < 0)
            return -ENOMEM;
    *ret_sorted = hf_steal(out);
    return 0;
}

int hf_labels_desired(const struct hf_facts *facts, const struct hf_syncpolicy *policy, json_t **ret_labels,
                      struct hf_issues *refused)
{
    _cleanup_(hf_json_freep) json_t *labels = json_object();
    int r = labels == NULL ? -ENOMEM : 0;

    if (r == 0 && policy->detect_labels)
        r = put_detected(labels, facts);
    if (r == 0)
        r = put_static(labels, policy, refused);
    return r == 0 ? sorted(labels, ret_labels) : r;
}

int hf_labels_local(const struct hf_facts *facts, const char *node_name, const json_t *desired, json_t **ret_labels)
{
    _cleanup_(hf_json_freep) json_t *labels = json_object();

    if (labels == NULL || json_object_set_new(labels, "kubernetes.io/arch", json_string(facts->arch)) < 0 ||
        json_object_set_new(labels, "kubernetes.io/os", json_string("linux")) < 0 ||
        json_object_set_new(labels, "kubernetes.io/hostname", json_string(node_name)) < 0)
        return -ENOMEM;
    if (desired != NULL && json_object_update(labels, (json_t *)(uintptr_t)desired) < 0)
        return -ENOMEM;
    *ret_labels = hf_steal(labels);
    return 0;
}

static bool lacks_one(const json_t *have, const json_t *desired)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)desired, key, value) {
        const char *text = json_string_value(json_object_get(have, key));
        if (text == NULL || strcmp(text, json_string_value(value)) != 0)
            return true;
    }
    return false;
}

/* managedFields[].fieldsV1 is {"f:metadata":{"f:labels":{"f:<key>":{}}}}. */
static bool owns_another(const json_t *fields, const json_t *desired)
{
    const json_t *owned = json_object_get(json_object_get(fields, "f:metadata"), "f:labels");
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)owned, key, value)
        if (strncmp(key, "f:", 2) == 0 && json_object_get(desired, key + 2) == NULL)
            return true;
    return false;
}

bool hf_labels_due(const json_t *node, const json_t *desired)
{
    const json_t *managed = hf_json_at(node, "metadata.managedFields");

    if (lacks_one(hf_json_at(node, "metadata.labels"), desired))
        return true;
    for (size_t i = 0; i < json_array_size(managed); i++) {
        const json_t *entry = json_array_get(managed, i);
        if (strcmp(hf_json_str_or(entry, "manager", ""), HF_FIELD_MANAGER) == 0 &&
            strcmp(hf_json_str_or(entry, "operation", ""), "Apply") == 0 &&
            owns_another(json_object_get(entry, "fieldsV1"), desired))
            return true;
    }
    return false;
}

int hf_labels_apply_body(const char *node_name, const char *uid, const json_t *desired, json_t **ret_body)
{
    json_t *body = json_pack("{s:s, s:s, s:{s:s, s:O}}", "apiVersion", "v1", "kind", "Node", "metadata", "name",
                             node_name, "labels", desired);

    if (body == NULL)
        return -ENOMEM;
    if (uid[0] != '\0' && json_object_set_new(json_object_get(body, "metadata"), "uid", json_string(uid)) < 0) {
        json_decref(body);
        return -ENOMEM;
    }
    *ret_body = body;
    return 0;
}
