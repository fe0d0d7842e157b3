/* SPDX-License-Identifier: Apache-2.0 */
/* codec/yaml_scalar.h - finds the type and value of a plain YAML scalar, for the decoder and the encoder of YAML.
 *
 * Follows the core schema (YAML 1.2.2, section 10.3.2). Pure. */
#pragma once

#include "codec/json.h"

enum hf_yaml_meaning {
    HF_YAML_STRING,
    HF_YAML_NULL,
    HF_YAML_TRUE,
    HF_YAML_FALSE,
    HF_YAML_INTEGER,
    HF_YAML_REAL,
    HF_YAML_OCTAL_LOOKING, /* a number such as 010, which is 8 in YAML 1.1 and 10 in YAML 1.2 */
    HF_YAML_NOT_FINITE,    /* a number written as .inf or .nan */
    HF_YAML_TOO_BIG,       /* a number outside int64 or double */
};

/* Returns the meaning of `text`. *ret_integer gets the number for HF_YAML_INTEGER, *ret_real for HF_YAML_REAL. */
enum hf_yaml_meaning hf_yaml_scalar_meaning(const char *text, int64_t *ret_integer, double *ret_real);
