/* SPDX-License-Identifier: Apache-2.0 */
/* Hides attributes, and members of JSON bodies at any depth, that must not leave the node: Mask writes "***"; Remove
 * deletes; Hash writes "sha256:" and 32 hex digits, by which a guess can be confirmed. A changed payload's checksum
 * changes; broken JSON is cut where a secret may be. Threads: one at a time. New texts are valid until the next
 * call. */
#pragma once

#include "codec/sha256.h"
#include "telemetry/event/event.h"

enum { HF_REDACT_HASH_TEXT = 7 + 32 };

struct hf_redactor {
    const struct hf_telemetry_redact *rules; /* borrowed */
    size_t n_rules;
    struct hf_buf body;
    struct hf_buf key; /* unescaped name of a member */
    char hashes[HF_EVENT_MAX_ATTRIBUTES][HF_REDACT_HASH_TEXT];
    char checksum[HF_SHA256_HEX];
};

void hf_redactor_init(struct hf_redactor *redactor, const struct hf_telemetry_redact *rules, size_t n_rules);
void hf_redactor_done(struct hf_redactor *redactor);

bool hf_redactor_covers(const struct hf_redactor *redactor, struct hf_view name);

void hf_redact_attributes(struct hf_redactor *redactor, struct hf_event *event);
/* After an error the event must not be stored. */
HF_MUST_USE int hf_redact_body(struct hf_redactor *redactor, struct hf_event *event);
