/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/pipeline/redact.h - replaces or removes attributes, and members of JSON bodies at any depth, whose values
 * must not leave the node.
 *
 * The action Mask writes "***" in place of the value. Remove deletes the attribute or member. Hash writes "sha256:" and
 * the first 32 hex digits of a SHA-256, which is over the content of a string, or over the text of any other JSON
 * value. With Hash, a reader still sees which values are equal. But somebody who guesses a value can confirm the guess
 * with the hash.
 *
 * The redactor unescapes the name of a member before it compares the name with the rules ("pass\u0077ord" is
 * "password"). The comparison distinguishes upper and lower case. The redactor searches the bodies that are a JSON
 * object or list, or several of these. All other bytes of a body stay unchanged. If the redactor changes
 * a payload with a checksum, it also replaces the checksum by the checksum of the new text, so that every receiver
 * finds a valid checksum. (The source has already verified the sender's checksum.)
 *
 * A text may start as JSON, but be truncated, be no JSON somewhere (NaN, a raw tab, invalid UTF-8), or continue with
 * other text. What cannot be read may hold a secret: if it names a rule's member, or if the text before it has such a
 * member, the redactor keeps the text only up to there, and marks the event as truncated.
 *
 * Threads: any, but only one at a time for one redactor. Memory: the redactor owns the rewritten texts, which are valid
 * until the next call. */
#pragma once

#include "codec/sha256.h"
#include "telemetry/event/event.h"

enum { HF_REDACT_HASH_TEXT = 7 + 32 };

struct hf_redactor {
    const struct hf_telemetry_redact *rules; /* borrowed */
    size_t n_rules;
    struct hf_buf body; /* rewritten body of the last event */
    struct hf_buf key;  /* memory for an unescaped name */
    char hashes[HF_EVENT_MAX_ATTRIBUTES][HF_REDACT_HASH_TEXT];
    char checksum[HF_SHA256_HEX];
};

void hf_redactor_init(struct hf_redactor *redactor, const struct hf_telemetry_redact *rules, size_t n_rules);
void hf_redactor_done(struct hf_redactor *redactor);

/* Returns true if a rule replaces or removes attributes and members with this name. */
bool hf_redactor_covers(const struct hf_redactor *redactor, struct hf_view name);

/* Applies the rules to the event's attributes in place. New texts belong to `redactor` and are valid until the next
 * call. */
void hf_redact_attributes(struct hf_redactor *redactor, struct hf_event *event);
/* Applies the rules to the event's body. A new body belongs to `redactor` and is valid until the next call. Returns 0
 * or -ENOMEM, or -E2BIG if the new body would be longer than HF_EVENT_MAX_BODY. After an error the caller must not
 * store the event. */
HF_MUST_USE int hf_redact_body(struct hf_redactor *redactor, struct hf_event *event);
