/* SPDX-License-Identifier: Apache-2.0 */
/* Follows the object of the API that has a source's content (ConfigMap, Secret), or names it (Flux); private to this
 * folder. Memory: a member of the source's struct. */
#pragma once

#include "kube/kube.h"
#include "manifests/source/source_impl.h"

struct hf_source_object {
    struct hf_manifest_source *source;
    const char *kind, *ns, *name; /* borrowed from the entry */
    struct hf_subscription *subscription;
    bool seen; /* the server has returned it once */
    /* EACCES or ENOENT: a refusal that was reported and goes on; 0: none */
    int refused;
    bool trouble; /* the last report: it cannot be reached or read */
    bool absent;  /* the last report: it does not exist */
    /* why the newest version is unreadable, as each new contact says again; NONE: it is readable */
    struct hf_source_failure unreadable;
    /* Called with each version; borrowed. */
    void (*changed)(struct hf_manifest_source *source, json_t *object);
};

/* Starts to follow the object, and to report failures (hf_source_report()): it does not exist or is malformed, the
 * server lacks the kind, the agent lacks a right; before the first version also that the server does not answer, or
 * that something else than the API server says it is not there. -EOPNOTSUPP: the agent has no API server. */
HF_MUST_USE int hf_source_object_start(struct hf_source_object *object, struct hf_err *err);
void hf_source_object_refresh(struct hf_source_object *object);
void hf_source_object_stop(struct hf_source_object *object);
