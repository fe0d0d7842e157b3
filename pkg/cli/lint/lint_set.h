/* SPDX-License-Identifier: Apache-2.0 */
/* Finds, for example, duplicates and conflicting SyncPolicies. */
#pragma once

#include "base/err.h"
#include "codec/json.h"

struct hf_lint_place {
    const char *file;
    size_t index;
    size_t document;
    char at[40]; /* "items[3]" for an item of a list; else "" */
};

struct hf_lint_set;
struct hf_lint_set *hf_lint_set_new(void);
void hf_lint_set_free(struct hf_lint_set *set);
HF_DEFINE_CLEANUP(struct hf_lint_set, hf_lint_set_free)

/* Takes its own reference. -EBADMSG: a wrong SyncPolicy. */
HF_MUST_USE int hf_lint_set_add(struct hf_lint_set *set, json_t *object, const struct hf_lint_place *place);

/* Calls report() for each finding. Returns 0, -ENOMEM, or report()'s error. */
HF_MUST_USE int hf_lint_set_check(const struct hf_lint_set *set,
                                  int (*report)(void *arg, const struct hf_lint_place *place, bool is_error,
                                                const char *path, const char *text, struct hf_err *err),
                                  void *arg, struct hf_err *err);
