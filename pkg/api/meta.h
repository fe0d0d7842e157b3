/* api/meta.h - what our three kinds share: group, names, selectors, conditions, and how errors in objects are told. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strmap.h"
#include "codec/json.h"

#define HF_API_GROUP "edge.codcompass.io"
#define HF_API_VERSION "v1alpha1"
#define HF_API_GROUP_VERSION HF_API_GROUP "/" HF_API_VERSION
#define HF_LABEL_PREFIX "edge.codcompass.io/"
#define HF_FIELD_MANAGER "holdfast-agent"

enum {
    HF_API_MAX_OBJECT_BYTES = 1 << 20, /* larger objects are refused whole */
    HF_API_MAX_ISSUES = 32,            /* then "and more" */
    HF_API_MAX_NAME = 253,
};

/* One thing wrong with an object: JSON path ("spec.release.artifacts[0].sha256") and what was expected. */
struct hf_issue {
    char path[160];
    char text[160];
};

/* All that is wrong with one object, and what is merely unknown. Value; nothing to free. */
struct hf_issues {
    struct hf_issue errors[HF_API_MAX_ISSUES];
    size_t n_errors; /* may exceed what is stored */
    struct hf_issue warnings[HF_API_MAX_ISSUES];
    size_t n_warnings;
};

void hf_issue_error(struct hf_issues *issues, const char *path, const char *format, ...) HF_PRINTF(3, 4);
void hf_issue_warning(struct hf_issues *issues, const char *path, const char *format, ...) HF_PRINTF(3, 4);

/* "spec.a: expected x; spec.b: ...; and 3 more", bounded by out->max, for a status message or a person. */
void hf_issues_format(const struct hf_issues *issues, struct hf_buf *out);

/* metav1.LabelSelector (matchLabels and matchExpressions In, NotIn, Exists, DoesNotExist). Empty selects all; absent (NULL
 * json) too, as DESIGN 2 says. Pure. */
struct hf_selector {
    json_t *json; /* checked; owned reference; NULL: everything */
};
void hf_selector_done(struct hf_selector *selector);
/* Read one alone (NULL: absent). *ret_selector owns a reference to `json`. -EBADMSG: *issues (cleared first) says why. */
HF_MUST_USE int hf_selector_read(json_t *json, struct hf_selector *ret_selector, struct hf_issues *issues);
bool hf_selector_matches(const struct hf_selector *selector, const json_t *labels);

/* Object metadata, borrowed from the tree. */
struct hf_meta {
    const char *name;             /* never NULL once decoded */
    const char *uid;              /* "" when absent */
    const char *resource_version; /* "" when absent */
    int64_t generation;           /* 0 when absent */
};

/* kstatus-compatible condition. Strings are static or borrowed. */
struct hf_condition {
    const char *type;   /* "Ready" */
    const char *status; /* "True" "False" "Unknown" */
    const char *reason; /* CamelCase */
    const char *message;
    int64_t observed_generation;
};

/* Merge into a conditions array (made when absent): lastTransitionTime changes only with status. -ENOMEM. */
HF_MUST_USE int hf_conditions_set(json_t *conditions, const struct hf_condition *condition, uint64_t now_unix_ns);
