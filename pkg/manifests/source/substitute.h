/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/source/substitute.h - replaces variables in the text files of a bundle, so that one source serves many
 * nodes.
 *
 *     ${NAME}            the value of NAME
 *     ${NAME:=default}   the value of NAME, or `default` if NAME is undefined or empty; `default` ends at the first '}'
 *                        of the line
 *     $$                 a single '$'
 *
 * NAME is a letter or '_', then letters, digits and '_'. Any other '$' stays as it is. "${" that does not begin one of
 * these forms is an error. Values are not searched for further variables. A file with a zero byte or with invalid UTF-8
 * is binary and stays untouched. Paths are never changed.
 *
 * Pure. Threads: any. Errors: see each function. */
#pragma once

#include "base/strmap.h"
#include "codec/json.h"
#include "manifests/source/bundle.h"

enum {
    HF_SUBSTITUTE_MAX_NAME = 256, /* maximum size of the name of a variable in bytes, with its final zero */
};

/* The functions take the values of variables as a map from names to C strings (char *). Free the map with
 * hf_strmap_done(). */

/* Adds the facts of a node to a map: HOLDFAST_NODE (`node`), HOLDFAST_ARCH (`arch`), and HOLDFAST_LABEL_<KEY> for each
 * label. <KEY> is the part of the label's key after the last '/', in upper case, with '_' in place of every other
 * character than A-Z and 0-9. A name that the map has already keeps its value, so add the values of the entry first. If
 * two labels give the same name, the label whose whole key is first in byte order wins. The function ignores labels
 * without a value, and those whose value an API server would refuse (only letters, digits, '-', '_' and '.' are
 * allowed, a letter or digit at both ends, and at most 63 bytes). Labels are not signed, and a value with a quote or a
 * line end could add fields to a signed text. Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_substitute_add_facts(struct hf_strmap *values, const char *node, const char *arch,
                                        const json_t *labels);
/* Adds the members of spec.manifests[].substitute, an object of strings, to a map. Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_substitute_add_values(struct hf_strmap *values, const json_t *substitute);

/* Makes a new, sealed bundle in which all variables are replaced. -EBADMSG: a variable is undefined and has no default,
 * or "${" has no valid end; *err names the variable, the file and the line. -E2BIG: the result would be larger than a
 * bundle may be. -ENOMEM: out of memory. The new bundle is secret if `bundle` is. */
HF_MUST_USE int hf_substitute_bundle(const struct hf_bundle *bundle, const struct hf_strmap *values,
                                     struct hf_bundle **ret_bundle, struct hf_err *err);

/* Returns a JSON object, owned by the caller, whose keys are the names of all HOLDFAST_LABEL_ variables that the text
 * files of a bundle use. The object may also have names that the files do not use as variables, such as a name after
 * "$$". Returns NULL if there are more than HF_SUBSTITUTE_MAX_LABELS names, or if memory runs out; the caller must then
 * assume that the files use every label. */
enum { HF_SUBSTITUTE_MAX_LABELS = 256 };
json_t *hf_substitute_label_names(const struct hf_bundle *bundle);
/* Returns true if the label with this key sets one of the variables in `names`. */
bool hf_substitute_uses_label(const json_t *names, const char *key);
