/* SPDX-License-Identifier: Apache-2.0 */
/* The objects that a source's files ask for, in order of application.
 *
 * Reads *.yaml, *.yml and *.json, several documents each, and lists (kinds that end in "List"). Drops what only an API
 * server may write (`status`, `metadata.uid`); adds HF_CLUSTER_LABEL with the entry.
 *
 * Pure. */
#pragma once

#include "codec/json.h"

#define HF_CLUSTER_LABEL "edge.codcompass.io/manifest"
#define HF_CLUSTER_PRUNE_ANNOTATION "edge.codcompass.io/prune"

enum {
    HF_CLUSTER_MAX_OBJECTS = 1000,
    HF_CLUSTER_MAX_BYTES = 8 << 20,  /* of all objects together, as compact JSON */
    HF_CLUSTER_MAX_OBJECT = 1 << 20, /* bytes of one object */
};

/* Identity of an object; borrowed. Of `api_version` only the group counts. */
struct hf_cluster_id {
    const char *api_version; /* "<group>/<version>" or "v1" */
    const char *kind;
    const char *ns;
    const char *name;
};

bool hf_cluster_id_equal(const struct hf_cluster_id *a, const struct hf_cluster_id *b);
const char *hf_cluster_id_text(const struct hf_cluster_id *id, char *text, size_t n);

struct hf_cluster_object {
    struct hf_cluster_id id;
    char *names; /* owns the strings of `id` from the source */
    unsigned rank;
    unsigned place; /* position in the source, which orders objects of one rank */
    char *json;
    size_t n_json;
    char *file;
};

struct hf_cluster_set {
    struct hf_cluster_object *objects;
    size_t n, cap;
    size_t bytes;
    const char *entry;
};

void hf_cluster_set_init(struct hf_cluster_set *set, const char *entry);
void hf_cluster_set_done(struct hf_cluster_set *set);

/* Whether a set reads files of this name. */
bool hf_cluster_set_reads(const char *path);

/* Adds the objects of a file, if a set reads it. -EBADMSG: neither YAML nor JSON, or no object of Kubernetes; *err
 * names the file, and may name document and field. -E2BIG: beyond a limit above. */
HF_MUST_USE int hf_cluster_set_add(struct hf_cluster_set *set, const char *path, struct hf_view text,
                                   struct hf_err *err);

/* Sorts the objects. -EEXIST: an object stands twice; *err names both files. -ENODATA: no objects. */
HF_MUST_USE int hf_cluster_set_seal(struct hf_cluster_set *set, struct hf_err *err);

/* -EEXIST: an object stands twice; hf_cluster_set_scope() can make two objects one. */
HF_MUST_USE int hf_cluster_set_check_unique(const struct hf_cluster_set *set, struct hf_err *err);

/* `namespaced`: sets an absent namespace to "default". Otherwise removes the namespace. */
HF_MUST_USE int hf_cluster_set_scope(struct hf_cluster_object *object, bool namespaced);

const struct hf_cluster_object *hf_cluster_set_find(const struct hf_cluster_set *set, const struct hf_cluster_id *id);

/* Lower ranks come first. A run waits until an object of a rank below HF_CLUSTER_RANK_WAIT is current, at most for
 * HF_CLUSTER_CURRENT_NS. */
enum { HF_CLUSTER_RANK_WAIT = 2 };
unsigned hf_cluster_rank(const char *api_version, const char *kind);
