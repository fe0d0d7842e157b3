/* SPDX-License-Identifier: Apache-2.0 */
/* Fills in an object's variables as Flux does between a file and the cluster (postBuild.substitute of a Kustomization;
 * forms: lint_values.c). Keys stay. A filled-in text is read as YAML again, as Flux applies it: 5 becomes a number. An
 * object whose annotation or label kustomize.toolkit.fluxcd.io/substitute is "disabled" stays as it is. Pure. */
#pragma once

#include "cli/args.h"
#include "codec/json.h"

enum { HF_LINT_VALUES_NAME = 64 /* with the final zero; longer names are cut */ };

/* Reads all --substitute. *ret_values is unchanged without one. -EINVAL: one has another form. */
HF_MUST_USE int hf_lint_values_read(const struct hf_cli_args *args, json_t **ret_values, struct hf_err *err);

/* True if Flux would fill in something outside spec.release; `name`: the first variable. */
bool hf_lint_values_find(const json_t *object, char name[HF_LINT_VALUES_NAME]);

struct hf_lint_values_report {
    /* A fault: a variable without a value, one in what is signed, or a form that only Flux knows. */
    int (*fault)(void *arg, const char *path, const char *text, struct hf_err *err);
    void *arg;
};

HF_MUST_USE int hf_lint_values_fill(json_t *object, const json_t *values, const struct hf_lint_values_report *report,
                                    struct hf_err *err);
