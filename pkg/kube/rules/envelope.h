/* SPDX-License-Identifier: Apache-2.0 */
/* Splits an answer into objects by counting brackets, so that one object that this node cannot parse (U+0000, too deep)
 * does not spoil the answer. Around a list's items, all must be valid JSON. Views borrow. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "codec/json.h"
#include "kube/rules/watch_stream.h"

enum { HF_ENVELOPE_MAX_NAME = 253 };

/* *ret_rest: the list without items, for json_decref(). *ret_items: the text between the brackets of `items`, or "".
 * -EBADMSG, -E2BIG: truncated, or unusable outside the items. */
HF_MUST_USE int hf_envelope_list(struct hf_view body, json_t **ret_rest, struct hf_view *ret_items, struct hf_err *err);

/* Takes an item off `items`; returns false at the end. */
bool hf_envelope_next_item(struct hf_view *items, struct hf_view *ret_item);

/* -EBADMSG: not an event ADDED, MODIFIED or DELETED with an object. */
HF_MUST_USE int hf_envelope_event(struct hf_view line, enum hf_watch_type *ret_type, struct hf_view *ret_object);

struct hf_envelope_identity {
    char name[HF_ENVELOPE_MAX_NAME + 1]; /* not empty */
    char version[HF_RV_TEXT];            /* or "" */
};
/* Finds name and version in an object that cannot be parsed. -EBADMSG: absent, ambiguous or unusable. */
HF_MUST_USE int hf_envelope_identify(struct hf_view object, struct hf_envelope_identity *ret_identity);
