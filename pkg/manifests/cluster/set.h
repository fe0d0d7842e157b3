/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/cluster/set.h - the objects that the files of a source ask for, in the order in which to apply them.
 *
 * A set reads *.yaml, *.yml and *.json, with several documents each, and takes the items of a kind that ends in "List".
 * It drops fields that only an API server may write, such as `status` and `metadata.uid`, so that the output of
 * `kubectl get -o yaml` is a usable source. Each object gets the label HF_CLUSTER_LABEL with the name of its entry.
 *
 * Order: first Namespaces and CustomResourceDefinitions; then objects to which others refer (classes, quotas, accounts,
 * roles, configuration, volumes); then most objects; at last webhooks, admission policies and APIServices, which may
 * hinder others.
 *
 * Pure. Threads: any, one at a time for one set. Memory: a set keeps compact JSON text, a tenth of a json_t tree. */
#pragma once

#include "codec/json.h"

#define HF_CLUSTER_LABEL "edge.codcompass.io/manifest"
#define HF_CLUSTER_PRUNE_ANNOTATION "edge.codcompass.io/prune"

enum {
    HF_CLUSTER_MAX_OBJECTS = 1000,
    HF_CLUSTER_MAX_BYTES = 8 << 20,  /* maximum size in bytes of all objects of a set together, as compact JSON */
    HF_CLUSTER_MAX_OBJECT = 1 << 20, /* maximum size in bytes of one object, as compact JSON */
};

/* Identity of an object. The version in `api_version` does not count, because all versions of a group show the same
 * objects. The strings belong to the struct that contains the identity. */
struct hf_cluster_id {
    const char *api_version; /* "v1", or group and version such as "apps/v1" */
    const char *kind;
    const char *ns; /* "" for an object without a namespace */
    const char *name;
};

/* Compares group, kind, namespace and name. */
bool hf_cluster_id_equal(const struct hf_cluster_id *a, const struct hf_cluster_id *b);
/* Formats "Deployment site/web" or "Namespace site" for messages, and returns `text`. */
const char *hf_cluster_id_text(const struct hf_cluster_id *id, char *text, size_t n);

struct hf_cluster_object {
    struct hf_cluster_id id;
    char *names;    /* memory of the strings in `id` */
    unsigned rank;  /* hf_cluster_rank() of the kind; lower ranks are applied first */
    unsigned place; /* number of the object in the source, which sets the order among objects of one rank */
    char *json;     /* the object as compact JSON text */
    size_t n_json;  /* length of `json` in bytes */
    char *file;     /* path of the object's file, for messages */
};

struct hf_cluster_set {
    struct hf_cluster_object *objects;
    size_t n, cap;
    size_t bytes;      /* sum of n_json */
    const char *entry; /* name of the entry, for the label; borrowed */
};

void hf_cluster_set_init(struct hf_cluster_set *set, const char *entry);
void hf_cluster_set_done(struct hf_cluster_set *set);

/* Returns true if a set reads a file with this path. */
bool hf_cluster_set_reads(const char *path);

/* Adds the objects of one file. Does nothing for a file that a set does not read. -EBADMSG: the file is neither YAML
 * nor JSON, or a document is not an object of Kubernetes; *err names the file and, if known, the document and the
 * field. -E2BIG: the set would have more than HF_CLUSTER_MAX_OBJECTS objects, or exceed one of the limits on bytes.
 * -ENOMEM: out of memory. */
HF_MUST_USE int hf_cluster_set_add(struct hf_cluster_set *set, const char *path, struct hf_view text,
                                   struct hf_err *err);

/* Sorts the objects. -EEXIST: two documents describe the same object; *err names both files. -ENODATA: the set is
 * empty. */
HF_MUST_USE int hf_cluster_set_seal(struct hf_cluster_set *set, struct hf_err *err);

/* -EEXIST: two objects are the same; *err names both files. hf_cluster_set_seal() has found none, but two can become
 * the same by hf_cluster_set_scope(). */
HF_MUST_USE int hf_cluster_set_check_unique(const struct hf_cluster_set *set, struct hf_err *err);

/* `namespaced` is the scope of the object's kind. If it is true, sets the namespace of an object without one to
 * "default". If it is false, removes the object's namespace. Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_cluster_set_scope(struct hf_cluster_object *object, bool namespaced);

/* Returns the object with this identity, or NULL. */
const struct hf_cluster_object *hf_cluster_set_find(const struct hf_cluster_set *set, const struct hf_cluster_id *id);

/* Returns the rank of a kind; lower ranks are applied first. A run waits until an object of a rank below
 * HF_CLUSTER_RANK_WAIT is current; after HF_CLUSTER_CURRENT_NS it counts as failed. */
enum { HF_CLUSTER_RANK_WAIT = 2 };
unsigned hf_cluster_rank(const char *api_version, const char *kind);
