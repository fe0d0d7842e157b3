/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/source/object.h - follows one object of the API: the ConfigMap or Secret that has the content of a source,
 * or the Flux object that names it. Private to pkg/manifests/source.
 *
 * Threads: loop thread only. Memory: the struct is a member of a source, which starts and stops it. */
#pragma once

#include "kube/kube.h"
#include "manifests/source/source_impl.h"

struct hf_source_object {
    struct hf_manifest_source *source;
    const char *kind, *ns, *name; /* borrowed from the entry */
    struct hf_subscription *subscription;
    bool seen; /* the server has returned the object at least once */
    /* errno (EACCES or ENOENT) of a refusal that has been reported and has not ended; 0 if there is none */
    int refused;
    bool trouble; /* the last report was a failure to reach or to read the object */
    bool absent;  /* the last report was that the object does not exist */
    /* The newest version is unreadable for this reason, and each new contact says so again. NONE if it is readable. */
    struct hf_source_failure unreadable;
    /* Called with each version of the object; borrowed. */
    void (*changed)(struct hf_manifest_source *source, json_t *object);
};

/* Starts to follow the object. From then on, these functions report failures to the source's owner
 * (hf_source_report()): the object does not exist or is malformed, the server lacks the kind, or the agent lacks a
 * right. Until the server has returned the object once, they also report that the server does not answer, or that its
 * answer lacks the object but does not come from the API server itself. -EOPNOTSUPP: the agent has no API server. */
HF_MUST_USE int hf_source_object_start(struct hf_source_object *object, struct hf_err *err);
void hf_source_object_refresh(struct hf_source_object *object);
void hf_source_object_stop(struct hf_source_object *object);
