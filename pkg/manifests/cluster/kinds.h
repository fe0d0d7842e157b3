/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/cluster/kinds.h - the kinds that an API server serves, each with its plural name and its scope. They come
 * from the server's discovery and from the CustomResourceDefinitions of a set. Pure. Threads: any, but only one at a
 * time for one struct. Memory: a struct hf_cluster_kinds owns copies. */
#pragma once

#include "base/strmap.h"
#include "codec/json.h"
#include "manifests/cluster/set.h"

enum { HF_CLUSTER_MAX_KINDS = 2000 };

struct hf_cluster_kind {
    bool namespaced;
    bool defined; /* a CustomResourceDefinition of the set defines the kind, so the server may not serve it yet */
    char plural[64];
};

struct hf_cluster_kinds {
    struct hf_strmap kinds; /* maps "<apiVersion> <kind>" to a struct hf_cluster_kind */
    struct hf_strmap asked; /* keys: the group versions about which the run has asked the server */
};

void hf_cluster_kinds_init(struct hf_cluster_kinds *kinds);
void hf_cluster_kinds_done(struct hf_cluster_kinds *kinds);

/* Adds the kinds that the CustomResourceDefinitions of a set define. -ENOMEM: out of memory. */
HF_MUST_USE int hf_cluster_kinds_define(struct hf_cluster_kinds *kinds, const struct hf_cluster_set *set);
/* Adds the kinds of an APIResourceList, and records that the run has asked the server about `api_version`. `list` is
 * NULL if the server does not have this group and version. -ENOMEM: out of memory. */
HF_MUST_USE int hf_cluster_kinds_take(struct hf_cluster_kinds *kinds, const char *api_version, const json_t *list);

/* Returns the kind of an object, or NULL if it is unknown. */
const struct hf_cluster_kind *hf_cluster_kinds_find(const struct hf_cluster_kinds *kinds,
                                                    const struct hf_cluster_id *id);
/* Returns the next group and version to ask the server about: that of the first object whose kind is unknown and whose
 * group version was not asked about yet. Returns NULL if there is none. Borrowed from the set. */
const char *hf_cluster_kinds_to_ask(const struct hf_cluster_kinds *kinds, const struct hf_cluster_set *set);
