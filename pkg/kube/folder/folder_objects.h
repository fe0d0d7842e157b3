/* SPDX-License-Identifier: Apache-2.0 */
/* The objects of YAML documents, for the folder source and `holdfast lint`. Pure. */
#pragma once

#include "base/err.h"
#include "codec/json.h"

/* Valid during `each`. */
struct hf_folder_object {
    json_t *object;
    size_t document; /* its index, for hf_yaml_place_line() */
    const char *at;  /* place in a list, as "items[3]", or "" */
};

/* Calls `each` for each object. A List (v1), or a list of one of our kinds (whose items get a missing kind and
 * apiVersion), stands for its items. -errno of `each` ends the loop. -EBADMSG: a list of lists, or without items. */
HF_MUST_USE int hf_folder_each_object(const json_t *documents,
                                      int (*each)(void *arg, const struct hf_folder_object *object, struct hf_err *err),
                                      void *arg, struct hf_err *err);

/* Returns 1 for our API group and Nodes, 0 for other groups. -EBADMSG: bad kind, version or name. -E2BIG: larger than
 * API servers accept. */
HF_MUST_USE int hf_folder_object_check(const json_t *object, struct hf_err *err);

/* Which of two objects of one kind and name counts. */
enum hf_folder_twin {
    HF_FOLDER_TWIN_SAME,
    HF_FOLDER_TWIN_FIRST, /* it has the higher sequence */
    HF_FOLDER_TWIN_SECOND,
    HF_FOLDER_TWIN_CLASH, /* nothing decides: they differ, with equal sequences or none */
};
enum hf_folder_twin hf_folder_twin_of(const json_t *first, const json_t *second);
