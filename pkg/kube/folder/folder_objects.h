/* SPDX-License-Identifier: Apache-2.0 */
/* YAML documents' objects, for the folder source and `holdfast lint`. Pure. */
#pragma once

#include "base/err.h"
#include "codec/json.h"

/* Valid during `each`. */
struct hf_folder_object {
    json_t *object;
    size_t document; /* from 0, for hf_yaml_place_line() */
    const char *at;  /* in a list "items[3]", else "" */
};

/* A List (v1), or a list of one of our kinds, stands for its items; the latter's get kind and apiVersion if missing.
 * -errno of `each` ends the loop. -EBADMSG: a list without items, or of lists. */
HF_MUST_USE int hf_folder_each_object(const json_t *documents,
                                      int (*each)(void *arg, const struct hf_folder_object *object, struct hf_err *err),
                                      void *arg, struct hf_err *err);

/* 1: ours, or a Node. 0: another group. -EBADMSG: bad kind, version or name. -E2BIG: above API servers' limit. */
HF_MUST_USE int hf_folder_object_check(const json_t *object, struct hf_err *err);

/* Objects of one kind and name. */
enum hf_folder_twin {
    HF_FOLDER_TWIN_SAME,
    HF_FOLDER_TWIN_FIRST,  /* counts: higher sequence */
    HF_FOLDER_TWIN_SECOND, /* counts */
    HF_FOLDER_TWIN_CLASH,  /* they differ with one sequence or none: undecided */
};
enum hf_folder_twin hf_folder_twin_of(const json_t *first, const json_t *second);
