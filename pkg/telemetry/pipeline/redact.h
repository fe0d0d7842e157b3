/* telemetry/pipeline/redact.h - replaces attributes, and members of JSON bodies at any depth, that must not leave the
 * node.
 *
 * Mask writes "***". Remove deletes the attribute or member. Hash writes "sha256:" and the first 32 hex digits of the
 * SHA-256 of the value (of the content of a string, or of the text of another JSON value). So equal values stay
 * recognisable, but somebody who guesses a value can confirm the guess with the hash.
 *
 * The redactor compares names after unescaping ("pass\u0077ord" is "password"), and upper and lower case differ. It
 * searches the bodies of payloads, and of logs whose text is a JSON object or list. All other bytes of a body stay
 * unchanged. If the redactor changes a payload with a checksum, it replaces the checksum by that of the new text, so
 * that every receiver finds the checksum valid. The source has verified the sender's checksum before.
 *
 * If the text of a log starts as JSON, holds a member to replace, and then breaks off because it was truncated, the
 * redactor keeps the text up to the point where it breaks off and marks the log as truncated.
 *
 * Threads: one at a time.  Memory: the redactor owns rewritten text, which is valid until the next call. */
#pragma once

#include "codec/sha256.h"
#include "telemetry/event/event.h"

enum { HF_REDACT_HASH_TEXT = 7 + 32 };

struct hf_redactor {
    const struct hf_telemetry_redact *rules; /* borrowed */
    size_t n_rules;
    struct hf_buf body; /* new body of the last event */
    struct hf_buf key;  /* scratch */
    char hashes[HF_EVENT_MAX_ATTRIBUTES][HF_REDACT_HASH_TEXT];
    char checksum[HF_SHA256_HEX];
};

void hf_redactor_init(struct hf_redactor *redactor, const struct hf_telemetry_redact *rules, size_t n_rules);
void hf_redactor_done(struct hf_redactor *redactor);

/* True if a rule has this name. */
bool hf_redactor_covers(const struct hf_redactor *redactor, struct hf_view name);

/* Rewrites the event's attributes in place. New text borrows from `redactor` until the next call. */
void hf_redact_attributes(struct hf_redactor *redactor, struct hf_event *event);
/* Rewrites the event's body. New text borrows from `redactor` until the next call. -ENOMEM. -E2BIG: the new body would
 * be longer than HF_EVENT_MAX_BODY; do not store the event then. */
HF_MUST_USE int hf_redact_body(struct hf_redactor *redactor, struct hf_event *event);
