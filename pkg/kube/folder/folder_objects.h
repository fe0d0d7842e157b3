/* SPDX-License-Identifier: Apache-2.0 */
/* kube/folder/folder_objects.h - which objects the YAML documents of files hold. The agent's folder source and
 * `holdfast lint` read files by these rules, so that lint reports what a node would refuse. Pure. Threads: any. */
#pragma once

#include "base/err.h"
#include "codec/json.h"

/* An object in a file. Valid during the call only. */
struct hf_folder_object {
    json_t *object;
    size_t document; /* index of the document (from 0), as for hf_yaml_place_line() */
    const char *at;  /* path of the object in the document: "" or, in a list, such as "items[3]" */
};

/* A document of kind List (v1), or of one of our kinds with "List" behind it, stands for its items; those of the latter
 * get kind and apiVersion if they lack them, as from an API server. -errno of `each` ends the walk, and is returned.
 * -EBADMSG: a list has no items, or a list as an item. */
HF_MUST_USE int hf_folder_each_object(const json_t *documents,
                                      int (*each)(void *arg, const struct hf_folder_object *object, struct hf_err *err),
                                      void *arg, struct hf_err *err);

/* 1: ours. 0: of another group, to be skipped. -EBADMSG: it claims to be ours, but kind, version or name is not valid.
 * -E2BIG: larger than API servers allow. */
HF_MUST_USE int hf_folder_object_check(const json_t *object, struct hf_err *err);

/* What two objects of one kind and name are to each other. */
enum hf_folder_twin {
    HF_FOLDER_TWIN_SAME,   /* equal */
    HF_FOLDER_TWIN_FIRST,  /* the first one counts: its sequence is higher */
    HF_FOLDER_TWIN_SECOND, /* the second one counts */
    HF_FOLDER_TWIN_CLASH,  /* they differ and have one sequence, or none: nothing decides between them */
};
enum hf_folder_twin hf_folder_twin_of(const json_t *first, const json_t *second);
