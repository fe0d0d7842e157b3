/* api/conditions.h - metav1.Condition lists that kstatus and kubectl wait understand. Pure. */
#pragma once

#include <stdint.h>

#include "base/macros.h"
#include "codec/json.h"

/* Strings are static or borrowed from the caller. */
struct hf_condition {
    const char *type;   /* "Ready" */
    const char *status; /* "True", "False" or "Unknown" */
    const char *reason; /* CamelCase */
    const char *message;
    int64_t observed_generation; /* 0: left out */
};

/* Sets the condition of this type in the array `conditions`, or adds the condition if the array has none of this type.
 * lastTransitionTime becomes `now_unix_ns` only when `status` changes. -ENOMEM. */
HF_MUST_USE int hf_conditions_set(json_t *conditions, const struct hf_condition *condition, uint64_t now_unix_ns);
