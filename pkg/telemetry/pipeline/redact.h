/* telemetry/pipeline/redact.h - what must not leave the node, taken out of attributes and of JSON at any depth.
 *
 * Mask writes "***"; Remove takes the attribute or member out; Hash writes "sha256:" and the first 32 hex digits of the SHA-256 of the
 * value (of a string: what it says; of another JSON value: its text), so that equal values stay recognisable; values that can
 * be guessed can be confirmed.
 *
 * A log that begins as JSON, holds such a member and then is none (it was cut) is kept as far as it could be read, and says truncated.
 *
 * Names are compared as they are meant ("pass\u0077ord" is "password"), case counts. In bodies: payloads, and logs whose text
 * is a JSON object or list. The rewritten text is otherwise byte for byte the same; a payload whose text was changed gets the checksum of
 * the new one when it had one, so that whoever checks it downstream finds it true (the sender's own was checked before). */
#pragma once

#include "codec/hash.h"
#include "telemetry/event/event.h"

enum { HF_REDACT_HASH_TEXT = 7 + 32 };

struct hf_redactor {
    const struct hf_telemetry_redact *rules; /* borrowed */
    size_t n_rules;
    struct hf_buf body; /* of the event last rewritten */
    struct hf_buf key;  /* scratch */
    char hashes[HF_EVENT_MAX_ATTRIBUTES][HF_REDACT_HASH_TEXT];
    char checksum[HF_SHA256_HEX];
};

void hf_redactor_init(struct hf_redactor *redactor, const struct hf_telemetry_redact *rules, size_t n_rules);
void hf_redactor_done(struct hf_redactor *redactor);

bool hf_redactor_covers(const struct hf_redactor *redactor, struct hf_view name);

/* Rewrite in place; what is new borrows from `redactor` until the next call. */
void hf_redact_attributes(struct hf_redactor *redactor, struct hf_event *event);
/* 0; -ENOMEM; -E2BIG: the rewritten body would pass HF_EVENT_MAX_BODY (the event must not be stored then). */
HF_MUST_USE int hf_redact_body(struct hf_redactor *redactor, struct hf_event *event);
