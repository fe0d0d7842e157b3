/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of metav1.Condition. Pure. */
#pragma once

#include <stdint.h>

#include "base/macros.h"
#include "codec/json.h"

/* Borrowed. */
struct hf_condition {
    const char *type;
    const char *status;
    const char *reason;
    const char *message;
    /* metadata.generation; 0 leaves the JSON field as it is */
    int64_t observed_generation;
};

/* Returns a borrowed condition; NULL also if `conditions` is no array. */
const json_t *hf_conditions_find(const json_t *conditions, const char *type);

/* Replaces or adds the condition of this type. A change of status sets lastTransitionTime. */
HF_MUST_USE int hf_conditions_set(json_t *conditions, const struct hf_condition *condition, uint64_t now_unix_ns);
