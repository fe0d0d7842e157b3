/* SPDX-License-Identifier: Apache-2.0 */
/* kube/rules/envelope.h - splits an answer into its objects without parsing them. Private to pkg/kube.
 *
 * A server accepts objects that this node cannot parse (U+0000 in a string, too deep), and one must not make the answer
 * around it unusable. So the text of each object is found by brackets and quotes alone, whatever its depth, without
 * stack or memory; the caller parses each by itself. The rest of the answer must be valid JSON. Pure. Views point into
 * the text. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "codec/json.h"
#include "kube/rules/watch_stream.h"

enum { HF_ENVELOPE_MAX_NAME = 253 };

/* *ret_rest (free it with json_decref()) is the list with `items` empty, *ret_items the text between their brackets;
 * without an array `items`, *ret_items is empty and *ret_rest unchanged. -EBADMSG, -E2BIG: truncated, or unusable
 * outside the items. */
HF_MUST_USE int hf_envelope_list(struct hf_view body, json_t **ret_rest, struct hf_view *ret_items, struct hf_err *err);

/* False at the end. */
bool hf_envelope_next_item(struct hf_view *items, struct hf_view *ret_item);

/* A line of a watch. -EBADMSG: no event of an object (ADDED, MODIFIED or DELETED). */
HF_MUST_USE int hf_envelope_event(struct hf_view line, enum hf_watch_type *ret_type, struct hf_view *ret_object);

struct hf_envelope_identity {
    char name[HF_ENVELOPE_MAX_NAME + 1]; /* metadata.name; never empty */
    char version[HF_RV_TEXT];            /* metadata.resourceVersion; "" if the object has none */
};
/* Of an object that cannot be parsed. -EBADMSG: name or version is absent, ambiguous or unusable. */
HF_MUST_USE int hf_envelope_identify(struct hf_view object, struct hf_envelope_identity *ret_identity);
