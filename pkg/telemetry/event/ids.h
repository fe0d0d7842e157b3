/* SPDX-License-Identifier: Apache-2.0 */
/* The last accepted ids of events and Idempotency-Keys of requests, by kind and owner (event.h), of events also by
 * origin. Own sources and posts have a window each: no sender pushes out what the agent must know after a crash. */
#pragma once

#include "base/rand.h"
#include "telemetry/event/event.h"

enum { HF_IDS_MAX = 65536 };

struct hf_ids;

/* `max`: names per window (0: HF_IDS_MAX), each up to 16 bytes. */
struct hf_ids *hf_ids_new(size_t max, const struct hf_rand_ops *rng);
void hf_ids_free(struct hf_ids *ids);
HF_DEFINE_CLEANUP(struct hf_ids, hf_ids_free)

/* A sink's fingerprint is a salt for those of events (sink/fanout.c). Its bit 0, which chooses the window, is 0. */
uint64_t hf_ids_of_event(const struct hf_ids *ids, const struct hf_event *event);
uint64_t hf_ids_of_request(const struct hf_ids *ids, uint64_t owner, struct hf_view key);
uint64_t hf_ids_of_sink(const struct hf_ids *ids, struct hf_view name);

bool hf_ids_contains(const struct hf_ids *ids, uint64_t fingerprint);
/* 1: added; a full window loses its oldest. 0: was there. -ENOMEM: not added. */
HF_MUST_USE int hf_ids_add(struct hf_ids *ids, uint64_t fingerprint);
/* It could not be stored: its sender may send it again. */
void hf_ids_forget(struct hf_ids *ids, uint64_t fingerprint);
size_t hf_ids_count(const struct hf_ids *ids);

enum { HF_BATCH_KEY_TEXT = 384 };

/* "<node>/<stream>/<first>-<last>", and "/<part>" unless NULL. */
const char *hf_ids_batch_key_format(const char *node, const char *stream, uint64_t first, uint64_t last,
                                    const char *part, char text[HF_BATCH_KEY_TEXT]);
