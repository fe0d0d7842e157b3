/* SPDX-License-Identifier: Apache-2.0 */
/* api/field/selector.h - decodes and applies a metav1.LabelSelector. Supports matchLabels, and matchExpressions with
 * the operators In, NotIn, Exists and DoesNotExist. Pure.
 *
 * An empty selector and an absent selector both select every node (docs/DESIGN.md, "Objects"). */
#pragma once

#include "api/field/field.h"

struct hf_selector {
    json_t *json; /* JSON of a valid selector, as an owned reference; NULL selects everything */
};

void hf_selector_done(struct hf_selector *selector);

/* Decodes a selector; `json` is NULL if the selector is absent. First clears *issues. Returns 0 if the selector is
 * valid; *ret_selector then owns a reference to `json`. Returns -EBADMSG if the selector is not valid; *issues then
 * holds the errors. Returns -ENOMEM if memory runs out. */
HF_MUST_USE int hf_selector_read(json_t *json, struct hf_selector *ret_selector, struct hf_issues *issues);

/* Returns true if the selector selects an object with these labels. `labels` is a JSON object of strings. */
bool hf_selector_matches(const struct hf_selector *selector, const json_t *labels);

/* Returns true if there are labels that both selectors select. */
bool hf_selector_may_overlap(const struct hf_selector *a, const struct hf_selector *b);

/* The `decode` function of HF_FIELD_SELECTOR rows, which stores a struct hf_selector at `slot`. */
void hf_selector_decode(struct hf_decode *decode, const struct hf_field *field, json_t *value, void *slot);

#define HF_FIELD_SELECTOR(type, member, key, ...)                                                                      \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_SELECTOR, HF_FIELD_SLOT(type, member), .decode = hf_selector_decode,            \
        __VA_ARGS__                                                                                                    \
    }

extern const struct hf_field hf_selector_fields[]; /* table of the fields of a label selector */
