/* telemetry/pipeline/redact.h - replaces attributes, and members of JSON bodies at any depth, that must not leave the
 * node.
 *
 * Mask writes "***". Remove deletes the attribute or member. Hash writes "sha256:" and the first 32 hex digits of the
 * SHA-256 of the value (a string's content; another JSON value's text), so equal values stay recognisable; a hash
 * confirms a value that somebody can guess.
 *
 * The redactor compares names after unescaping ("pass\u0077ord" is "password"); case counts. Bodies are payloads, and
 * logs whose text is a JSON object or list. All other bytes of a body stay as they are. If a payload with a checksum
 * changes, it gets the checksum of the new text, so that every receiver finds it valid; the sender's checksum was
 * verified before.
 *
 * A log that starts as JSON, holds such a member and then breaks off (because it was cut) keeps the part before that
 * point and is marked as truncated.
 *
 * Threads: one at a time.  Memory: rewritten text lies in the redactor until the next call. */
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

/* Rewrites the event in place; new text borrows from `redactor` until the next call. */
void hf_redact_attributes(struct hf_redactor *redactor, struct hf_event *event);
/* Rewrites it with the same lifetime of the text. -ENOMEM; -E2BIG: the new body would exceed HF_EVENT_MAX_BODY; do
 * not store the event then. */
HF_MUST_USE int hf_redact_body(struct hf_redactor *redactor, struct hf_event *event);
