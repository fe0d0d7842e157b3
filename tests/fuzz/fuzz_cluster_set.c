/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of a source for the target Cluster: refused with a reason, or a set whose every object has a usable identity, the
 * label of its entry, nothing that only a server writes, and a text that is JSON. Health of the same trees never crashes. */
#include <stdlib.h>
#include <string.h>

#include "manifests/cluster/health.h"
#include "manifests/cluster/set.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check(struct hf_cluster_object *object)
{
    const char *label;
    json_t *tree;

    if (hf_json_parse((struct hf_view){object->json, object->n_json}, NULL, &tree, NULL) < 0)
        abort();
    label = json_string_value(json_object_get(hf_json_at(tree, "metadata.labels"), HF_CLUSTER_LABEL));
    if (label == NULL || strcmp(label, "app") != 0 || json_object_get(tree, "status") != NULL ||
        hf_json_at(tree, "metadata.uid") != NULL || hf_json_at(tree, "metadata.managedFields") != NULL ||
        strcmp(hf_json_str_or(tree, "metadata.name", ""), object->id.name) != 0 ||
        strcmp(hf_json_str_or(tree, "metadata.namespace", ""), object->id.ns) != 0)
        abort();
    if (strstr(object->id.api_version, "..") != NULL || strchr(object->id.name, '/') != NULL ||
        strchr(object->id.ns, '/') != NULL || *object->id.name == '\0' || *object->id.kind == '\0')
        abort();
    (void)hf_cluster_health_of(tree);
    json_decref(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct hf_cluster_set set;
    struct hf_err err = HF_ERR_INIT;
    int r;

    hf_cluster_set_init(&set, "app");
    r = hf_cluster_set_add(&set, "a.yaml", (struct hf_view){(const char *)bytes, n}, &err);
    if (r == 0)
        r = hf_cluster_set_seal(&set, &err);
    if (r < 0 && err.code == 0)
        abort();
    for (size_t i = 0; r == 0 && i < set.n; i++) {
        check(&set.objects[i]);
        if (hf_cluster_set_scope(&set.objects[i], i % 2 == 0) < 0 ||
            (i > 0 && set.objects[i].rank < set.objects[i - 1].rank))
            abort();
        check(&set.objects[i]);
    }
    hf_cluster_set_done(&set);
    return 0;
}
