/* api/field/selector.h - metav1.LabelSelector: matchLabels, and matchExpressions with In, NotIn, Exists and
 * DoesNotExist. Pure.
 *
 * An empty selector and an absent one select every node (docs/DESIGN.md, "Objects"). */
#pragma once

#include "api/field/field.h"

struct hf_selector {
    json_t *json; /* a valid selector (owned reference); NULL selects everything */
};

void hf_selector_done(struct hf_selector *selector);

/* Decodes one selector (NULL: absent). *ret_selector owns a reference to `json`. -EBADMSG: *issues holds the errors.
 * -ENOMEM. The function clears *issues first. */
HF_MUST_USE int hf_selector_read(json_t *json, struct hf_selector *ret_selector, struct hf_issues *issues);

/* Returns true if the selector selects an object with these labels. `labels` is an object of strings. */
bool hf_selector_matches(const struct hf_selector *selector, const json_t *labels);

/* Decoder of HF_FIELD_SELECTOR rows: stores a struct hf_selector at `slot`. */
void hf_selector_decode(struct hf_decode *decode, const struct hf_field *field, json_t *value, void *slot);

#define HF_FIELD_SELECTOR(type, member, key, ...)                                                                      \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_SELECTOR, HF_FIELD_SLOT(type, member), .decode = hf_selector_decode,            \
        __VA_ARGS__                                                                                                    \
    }

extern const struct hf_field hf_selector_fields[]; /* the table of any label selector */
