/* SPDX-License-Identifier: Apache-2.0 */
/* Replaces variables in the text files of a bundle.
 *
 *     ${NAME}            its value
 *     ${NAME:=default}   its value, or `default` if undefined or empty; ends at the first '}' of the line
 *     $$                 a single '$'
 *
 * NAME: a letter or '_', then letters, digits and '_'; at most 255. Other '$' stay; "${" in no such form is an error.
 * Values are not searched again. Files with a zero byte or invalid UTF-8, and paths, stay as they are. Pure. */
#pragma once

#include "base/strmap.h"
#include "codec/json.h"
#include "manifests/source/bundle.h"

/* Adds HOLDFAST_NODE, HOLDFAST_ARCH, and HOLDFAST_LABEL_<KEY> for each usable label, unless the map has them: add the
 * entry's values first. <KEY>: the key after its last '/', in upper case, with '_' for all but A-Z and 0-9. Leaves out
 * labels whose value is empty or invalid in Kubernetes: labels are not signed, and a quote could add fields to a
 * text. */
HF_MUST_USE int hf_substitute_add_facts(struct hf_strmap *values, const char *node, const char *arch,
                                        const json_t *labels);
HF_MUST_USE int hf_substitute_add_values(struct hf_strmap *values, const json_t *substitute);

/* Makes a sealed bundle, secret if `bundle` is. -EBADMSG: a variable is undefined, or "${" begins none; *err names
 * variable, file and line. -E2BIG: larger than a bundle may be. */
HF_MUST_USE int hf_substitute_bundle(const struct hf_bundle *bundle, const struct hf_strmap *values,
                                     struct hf_bundle **ret_bundle, struct hf_err *err);

/* Returns an object whose keys are the HOLDFAST_LABEL_ variables of the text files, and perhaps more; free it. NULL: no
 * memory, or more than HF_SUBSTITUTE_MAX_LABELS: assume every label. */
enum { HF_SUBSTITUTE_MAX_LABELS = 256 };
json_t *hf_substitute_label_names(const struct hf_bundle *bundle);
bool hf_substitute_uses_label(const json_t *names, const char *key);
