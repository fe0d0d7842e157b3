/* SPDX-License-Identifier: Apache-2.0 */
/* What plain YAML scalars mean in the core schema (YAML 1.2.2). Pure. */
#pragma once

#include "codec/json.h"

enum hf_yaml_meaning {
    HF_YAML_STRING,
    HF_YAML_NULL,
    HF_YAML_TRUE,
    HF_YAML_FALSE,
    HF_YAML_INTEGER,
    HF_YAML_REAL,
    HF_YAML_OCTAL_LOOKING, /* 010 is 8 in YAML 1.1, 10 in 1.2 */
    HF_YAML_NOT_FINITE,
    HF_YAML_TOO_BIG, /* it is beyond int64 or double */
};

enum hf_yaml_meaning hf_yaml_scalar_meaning(const char *text, int64_t *ret_integer, double *ret_real);
