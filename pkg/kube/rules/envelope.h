/* SPDX-License-Identifier: Apache-2.0 */
/* kube/rules/envelope.h - splits an answer of the server into its objects, without parsing them. Private to pkg/kube.
 *
 * One object must not make the answer around it unusable. The server accepts objects that this node cannot parse, for
 * example an object with U+0000 in a string, or an object that is nested more deeply than codec/json.h allows. So these
 * functions find the text of each object by its brackets and quotes alone, and the caller parses each text by itself.
 * The depth of an object costs neither stack nor memory. The parts of the answer outside the objects must be valid
 * JSON.
 *
 * Pure. All views point into the text that the caller passed. Errors: functions return 0 or -errno. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "codec/json.h"
#include "kube/rules/watch_stream.h"

enum { HF_ENVELOPE_MAX_NAME = 253 };

/* Splits the body of a LIST. *ret_rest is the list as a tree, with an empty array as `items`; the caller frees it with
 * json_decref(). *ret_items is the text between the brackets of `items`, for hf_envelope_next_item(). It is empty if
 * `items` is absent or not an array; *ret_rest then has `items` as received. -EBADMSG, -E2BIG: the body is truncated,
 * or its parts outside the items are unusable. -ENOMEM: out of memory. */
HF_MUST_USE int hf_envelope_list(struct hf_view body, json_t **ret_rest, struct hf_view *ret_items, struct hf_err *err);

/* Takes the next item from *items, the result of hf_envelope_list(). Returns false at the end. */
bool hf_envelope_next_item(struct hf_view *items, struct hf_view *ret_item);

/* Parses one line of a watch. *ret_type is the type of the event, and *ret_object the text of its object.
 * -EBADMSG: the line is not an event of an object (ADDED, MODIFIED or DELETED). */
HF_MUST_USE int hf_envelope_event(struct hf_view line, enum hf_watch_type *ret_type, struct hf_view *ret_object);

struct hf_envelope_identity {
    char name[HF_ENVELOPE_MAX_NAME + 1]; /* metadata.name; never empty */
    char version[HF_RV_TEXT];            /* metadata.resourceVersion; "" if the object has none */
};
/* Reads the identity of an object that cannot be parsed. -EBADMSG: the name or version is absent, ambiguous or
 * unusable. */
HF_MUST_USE int hf_envelope_identify(struct hf_view object, struct hf_envelope_identity *ret_identity);
