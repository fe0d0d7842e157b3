/* SPDX-License-Identifier: Apache-2.0 */
/* Fills in an object's variables, also in field names, as Flux does between a file and the cluster. Mostly reads a
 * filled-in text as YAML again, as Flux applies it: 5 becomes a number. Leaves an object alone whose annotation or
 * label kustomize.toolkit.fluxcd.io/substitute is "disabled". Pure. */
#pragma once

#include "cli/args.h"
#include "codec/json.h"

enum { HF_LINT_VALUES_NAME = 64 };

/* Reads all --substitute; without one, *ret_values stays. -EINVAL: a value is not NAME=VALUE. */
HF_MUST_USE int hf_lint_values_read(const struct hf_cli_args *args, json_t **ret_values, struct hf_err *err);

/* Whether Flux would fill in something outside spec.release; `name`: the first variable. */
bool hf_lint_values_find(const json_t *object, char name[HF_LINT_VALUES_NAME]);

struct hf_lint_values_report {
    /* Reports a variable that has no value, doubles a field, is in the signed part, or has a form that only Flux
     * knows. */
    int (*fault)(void *arg, const char *path, const char *text, struct hf_err *err);
    void *arg;
};

HF_MUST_USE int hf_lint_values_fill(json_t *object, const json_t *values, const struct hf_lint_values_report *report,
                                    struct hf_err *err);
