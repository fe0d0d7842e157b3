/* SPDX-License-Identifier: Apache-2.0 */
/* Follows the object of the API that has a source's content (ConfigMap, Secret) or names it (Flux). */
#pragma once

#include "kube/kube.h"
#include "manifests/source/source_impl.h"

struct hf_source_object {
    struct hf_manifest_source *source;
    const char *kind, *ns, *name; /* borrowed from the entry */
    struct hf_subscription *subscription;
    bool seen;
    /* EACCES or ENOENT: a lasting refusal that was reported */
    int refused;
    bool trouble; /* the last report: it cannot be reached or read */
    bool absent;  /* reported missing, and not seen since */
    /* why the newest version is unreadable, repeated at the next contact */
    struct hf_source_failure unreadable;
    /* Called with each version of the object, which is borrowed. */
    void (*changed)(struct hf_manifest_source *source, json_t *object);
};

/* Follows the object, and reports (hf_source_report()) that it does not exist or is malformed, that the server lacks
 * the kind or the agent a right; before the first version also that the server does not answer, or that another server
 * says it does not exist. -EOPNOTSUPP: no API server. */
HF_MUST_USE int hf_source_object_start(struct hf_source_object *object, struct hf_err *err);
void hf_source_object_refresh(struct hf_source_object *object);
void hf_source_object_stop(struct hf_source_object *object);
