/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and changes lists of metav1.Condition, as kstatus and `kubectl wait` understand them. Pure. */
#pragma once

#include <stdint.h>

#include "base/macros.h"
#include "codec/json.h"

/* Borrowed strings. */
struct hf_condition {
    const char *type;
    const char *status;  /* "True", "False" or "Unknown" */
    const char *reason;  /* CamelCase */
    const char *message; /* NULL: "" */
    /* metadata.generation that it describes; 0: keep the field, or have none */
    int64_t observed_generation;
};

/* The first one, borrowed; NULL also if `conditions` is not an array. */
const json_t *hf_conditions_find(const json_t *conditions, const char *type);

/* Replaces the condition of this type, or adds it. A change of status sets lastTransitionTime. */
HF_MUST_USE int hf_conditions_set(json_t *conditions, const struct hf_condition *condition, uint64_t now_unix_ns);
