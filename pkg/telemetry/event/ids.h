/* SPDX-License-Identifier: Apache-2.0 */
/* Recognises event ids and Idempotency-Keys that were accepted before. They are kept apart by owner (event.h), ids
 * also by origin. Own sources and posts have a window each, so that no sender pushes out the agent's ids. */
#pragma once

#include "base/rand.h"
#include "telemetry/event/event.h"

enum { HF_IDS_MAX = 65536 };

struct hf_ids;

/* `max`: names per window; 0: HF_IDS_MAX. */
struct hf_ids *hf_ids_new(size_t max, const struct hf_rand_ops *rng);
void hf_ids_free(struct hf_ids *ids);
HF_DEFINE_CLEANUP(struct hf_ids, hf_ids_free)

uint64_t hf_ids_of_event(const struct hf_ids *ids, const struct hf_event *event);
uint64_t hf_ids_of_request(const struct hf_ids *ids, uint64_t owner, struct hf_view key);
uint64_t hf_ids_of_sink(const struct hf_ids *ids, struct hf_view name);

bool hf_ids_contains(const struct hf_ids *ids, uint64_t fingerprint);
/* 1: added, maybe in place of the oldest; 0: was there; -ENOMEM. */
HF_MUST_USE int hf_ids_add(struct hf_ids *ids, uint64_t fingerprint);
/* Forgets an event that could not be stored, so that it is accepted again. */
void hf_ids_forget(struct hf_ids *ids, uint64_t fingerprint);
size_t hf_ids_count(const struct hf_ids *ids);

enum { HF_BATCH_KEY_TEXT = 384 };

/* Writes "<node>/<stream>/<first>-<last>", and "/<part>" unless `part` is NULL. */
const char *hf_ids_batch_key_format(const char *node, const char *stream, uint64_t first, uint64_t last,
                                    const char *part, char text[HF_BATCH_KEY_TEXT]);
