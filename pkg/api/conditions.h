/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of metav1.Condition. Pure. */
#pragma once

#include <stdint.h>

#include "base/macros.h"
#include "codec/json.h"

/* Borrowed. */
struct hf_condition {
    const char *type;
    const char *status;  /* "True", "False" or "Unknown" */
    const char *reason;  /* CamelCase */
    const char *message; /* NULL: "" */
    /* metadata.generation; 0: keep the field, or have none */
    int64_t observed_generation;
};

/* Borrowed; NULL also if `conditions` is no array. */
const json_t *hf_conditions_find(const json_t *conditions, const char *type);

/* Replaces or adds the condition of this type. A change of status sets lastTransitionTime. */
HF_MUST_USE int hf_conditions_set(json_t *conditions, const struct hf_condition *condition, uint64_t now_unix_ns);
