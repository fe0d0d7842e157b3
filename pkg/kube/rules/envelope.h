/* SPDX-License-Identifier: Apache-2.0 */
/* Splits an answer into its objects without parsing them: servers accept what this node cannot parse (U+0000, too
 * deep), and one object must not spoil the answer. Finds an object's text by brackets and quotes, at any depth, without
 * stack or memory. The rest must be valid JSON. Private to pkg/kube. Pure. Views point into the text. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "codec/json.h"
#include "kube/rules/watch_stream.h"

enum { HF_ENVELOPE_MAX_NAME = 253 };

/* *ret_rest: the list without its items, for json_decref(); *ret_items: the text between their brackets, empty without
 * an array `items`, and *ret_rest is then unchanged. -EBADMSG, -E2BIG: truncated, or unusable outside the items. */
HF_MUST_USE int hf_envelope_list(struct hf_view body, json_t **ret_rest, struct hf_view *ret_items, struct hf_err *err);

/* False at the end. */
bool hf_envelope_next_item(struct hf_view *items, struct hf_view *ret_item);

/* A line of a watch. -EBADMSG: not ADDED, MODIFIED or DELETED with an object. */
HF_MUST_USE int hf_envelope_event(struct hf_view line, enum hf_watch_type *ret_type, struct hf_view *ret_object);

struct hf_envelope_identity {
    char name[HF_ENVELOPE_MAX_NAME + 1]; /* metadata.name; not empty */
    char version[HF_RV_TEXT];            /* metadata.resourceVersion; "": none */
};
/* Finds the identity in an object that cannot be parsed. -EBADMSG: absent, ambiguous or unusable. */
HF_MUST_USE int hf_envelope_identify(struct hf_view object, struct hf_envelope_identity *ret_identity);
