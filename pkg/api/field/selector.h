/* SPDX-License-Identifier: Apache-2.0 */
/* metav1.LabelSelector: matchLabels, and matchExpressions with In, NotIn, Exists, DoesNotExist. Empty or absent, it
 * selects every node. */
#pragma once

#include "api/field/field.h"

struct hf_selector {
    json_t *json; /* owned; NULL: all nodes */
};

void hf_selector_done(struct hf_selector *selector);

/* `json` NULL: selects all. -EBADMSG: *issues, cleared first, has the errors. */
HF_MUST_USE int hf_selector_read(json_t *json, struct hf_selector *ret_selector, struct hf_issues *issues);

bool hf_selector_matches(const struct hf_selector *selector, const json_t *labels);

/* Whether there may be labels that both select. */
bool hf_selector_may_overlap(const struct hf_selector *a, const struct hf_selector *b);

void hf_selector_decode(struct hf_decode *decode, const struct hf_field *field, json_t *value, void *slot);

#define HF_FIELD_SELECTOR(type, member, key, ...)                                                                      \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_SELECTOR, HF_FIELD_SLOT(type, member), .decode = hf_selector_decode,            \
        __VA_ARGS__                                                                                                    \
    }

extern const struct hf_field hf_selector_fields[];
