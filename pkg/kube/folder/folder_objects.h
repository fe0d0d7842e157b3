/* SPDX-License-Identifier: Apache-2.0 */
/* The objects in YAML documents, by one rule for the agent's folder source and `holdfast lint`. Pure. */
#pragma once

#include "base/err.h"
#include "codec/json.h"

/* Valid during the call. */
struct hf_folder_object {
    json_t *object;
    size_t document; /* from 0, as for hf_yaml_place_line() */
    const char *at;  /* path in it: "", or in a list "items[3]" */
};

/* A List (v1), or one of our kinds with "List" behind it, is its items; those of the latter get kind and apiVersion if
 * they lack them, as from an API server. -errno of `each` ends it. -EBADMSG: a list without items, or of lists. */
HF_MUST_USE int hf_folder_each_object(const json_t *documents,
                                      int (*each)(void *arg, const struct hf_folder_object *object, struct hf_err *err),
                                      void *arg, struct hf_err *err);

/* 1: ours. 0: another group. -EBADMSG: kind, version or name is not valid. -E2BIG: larger than API servers allow. */
HF_MUST_USE int hf_folder_object_check(const json_t *object, struct hf_err *err);

/* Two objects of one kind and name. */
enum hf_folder_twin {
    HF_FOLDER_TWIN_SAME,
    HF_FOLDER_TWIN_FIRST,  /* it counts: higher sequence */
    HF_FOLDER_TWIN_SECOND, /* it counts */
    HF_FOLDER_TWIN_CLASH,  /* they differ with one sequence, or none: nothing decides */
};
enum hf_folder_twin hf_folder_twin_of(const json_t *first, const json_t *second);
