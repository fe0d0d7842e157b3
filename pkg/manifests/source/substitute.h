/* SPDX-License-Identifier: Apache-2.0 */
/* Replaces variables in the text files of a bundle, so that one source serves many nodes.
 *
 *     ${NAME}            the value of NAME
 *     ${NAME:=default}   the value of NAME, or `default` if NAME is undefined or empty; `default` ends at the first '}'
 *                        of the line
 *     $$                 a single '$'
 *
 * NAME is a letter or '_', then letters, digits and '_'. Another '$' stays; "${" that begins no such form is an error.
 * Values are not searched again. Files with a zero byte or invalid UTF-8, and paths, stay untouched. Pure. */
#pragma once

#include "base/strmap.h"
#include "codec/json.h"
#include "manifests/source/bundle.h"

/* The values of variables are a map from names to C strings. */

/* Adds HOLDFAST_NODE, HOLDFAST_ARCH, and HOLDFAST_LABEL_<KEY> for each label, unless the map has the name: add the
 * values of the entry first. <KEY> is the key after its last '/', in upper case, with '_' for all but A-Z and 0-9; of
 * two labels the one whose whole key is first in byte order wins. Leaves out labels without a value, and those whose
 * value an API server would refuse: labels are not signed, and a quote could add fields to a signed text. */
HF_MUST_USE int hf_substitute_add_facts(struct hf_strmap *values, const char *node, const char *arch,
                                        const json_t *labels);
/* Adds the members of spec.manifests[].substitute. */
HF_MUST_USE int hf_substitute_add_values(struct hf_strmap *values, const json_t *substitute);

/* Makes a sealed bundle with all variables replaced, secret if `bundle` is. -EBADMSG: a variable is undefined, or "${"
 * has no end; *err names variable, file and line. -E2BIG: larger than a bundle may be. */
HF_MUST_USE int hf_substitute_bundle(const struct hf_bundle *bundle, const struct hf_strmap *values,
                                     struct hf_bundle **ret_bundle, struct hf_err *err);

/* Returns an object whose keys are the HOLDFAST_LABEL_ variables of a bundle's text files, and perhaps more; owned
 * by the caller. NULL: out of memory, or more than HF_SUBSTITUTE_MAX_LABELS: take it that the files use every label. */
enum { HF_SUBSTITUTE_MAX_LABELS = 256 };
json_t *hf_substitute_label_names(const struct hf_bundle *bundle);
/* True if this label sets a variable in `names`. */
bool hf_substitute_uses_label(const json_t *names, const char *key);
