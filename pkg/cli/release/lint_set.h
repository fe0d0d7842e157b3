/* SPDX-License-Identifier: Apache-2.0 */
/* cli/release/lint_set.h - what several linted objects are to each other: the same object twice, SyncPolicies in
 * conflict. Pure, but for the zoneinfo files that decoding reads. Main thread only. */
#pragma once

#include "base/err.h"
#include "codec/json.h"

/* The place of an object. */
struct hf_lint_place {
    const char *file; /* borrowed; must outlive the set */
    size_t index;     /* the caller's number of the file */
    size_t document;  /* index of the document in the file */
    char at[40];      /* path in the document: "" or, in a list, such as "items[3]" */
};

struct hf_lint_set;
struct hf_lint_set *hf_lint_set_new(void); /* NULL: out of memory */
void hf_lint_set_free(struct hf_lint_set *set);
HF_DEFINE_CLEANUP(struct hf_lint_set, hf_lint_set_free)

/* Adds a valid EdgeUpdate or SyncPolicy. Keeps a reference to it. Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_lint_set_add(struct hf_lint_set *set, json_t *object, const struct hf_lint_place *place);

/* Reports findings, each at the place of one object. `path` is a path in the object. Returns 0, -ENOMEM, or the -errno
 * that `report` returned. */
HF_MUST_USE int hf_lint_set_check(const struct hf_lint_set *set,
                                  int (*report)(void *arg, const struct hf_lint_place *place, bool is_error,
                                                const char *path, const char *text, struct hf_err *err),
                                  void *arg, struct hf_err *err);
