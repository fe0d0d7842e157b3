/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds that an API server serves, from its discovery and the CustomResourceDefinitions of a set. Pure; owns copies. */
#pragma once

#include "base/strmap.h"
#include "codec/json.h"
#include "manifests/cluster/set.h"

struct hf_cluster_kind {
    bool namespaced;
    bool defined; /* the set itself defines it, so it may not be served yet */
    char plural[64];
};

struct hf_cluster_kinds {
    struct hf_strmap kinds; /* "<apiVersion> <kind>" to struct hf_cluster_kind */
    struct hf_strmap asked; /* group versions that the server was asked for */
};

void hf_cluster_kinds_init(struct hf_cluster_kinds *kinds);
void hf_cluster_kinds_done(struct hf_cluster_kinds *kinds);

HF_MUST_USE int hf_cluster_kinds_define(struct hf_cluster_kinds *kinds, const struct hf_cluster_set *set);
/* Adds kinds of an APIResourceList, the answer for `api_version`. NULL: the server lacks `api_version`. */
HF_MUST_USE int hf_cluster_kinds_take(struct hf_cluster_kinds *kinds, const char *api_version, const json_t *list);

const struct hf_cluster_kind *hf_cluster_kinds_find(const struct hf_cluster_kinds *kinds,
                                                    const struct hf_cluster_id *id);
/* Returns the group version of the first object of unknown kind for which the server was not asked, or NULL; borrowed
 * from the set. */
const char *hf_cluster_kinds_to_ask(const struct hf_cluster_kinds *kinds, const struct hf_cluster_set *set);
