/* SPDX-License-Identifier: Apache-2.0 */
/* api/conditions.h - reads and changes lists of metav1.Condition, in the form that kstatus and `kubectl wait`
 * understand. Pure. */
#pragma once

#include <stdint.h>

#include "base/macros.h"
#include "codec/json.h"

/* One condition. The strings are static or borrowed from the caller. */
struct hf_condition {
    const char *type;    /* type of the condition, such as "Ready" */
    const char *status;  /* status of the condition: "True", "False" or "Unknown" */
    const char *reason;  /* reason for the status, one CamelCase word */
    const char *message; /* text for people; NULL stands for "" */
    /* value of the field observedGeneration, which is the metadata.generation that the condition describes. If the
     * value is 0, an existing condition keeps its field, and a new condition gets no such field. */
    int64_t observed_generation;
};

/* Returns the first condition of this type in the array `conditions`, as a borrowed reference. Returns NULL if there is
 * none, or if `conditions` is NULL or not an array. */
const json_t *hf_conditions_find(const json_t *conditions, const char *type);

/* Replaces the condition with the same type in the array `conditions`, or adds the condition if the array has none with
 * this type. Sets lastTransitionTime to `now_unix_ns` if the condition is new or its status changes. Returns 0 or
 * -ENOMEM. */
HF_MUST_USE int hf_conditions_set(json_t *conditions, const struct hf_condition *condition, uint64_t now_unix_ns);
