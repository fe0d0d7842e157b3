/* SPDX-License-Identifier: Apache-2.0 */
/* Sends the engine's writes (rollout/engine.h), urgent ones first, while this process leads. Copies effects. */
#pragma once

#include "controller/lead/turns.h"
#include "rollout/engine.h"

struct hf_writer;

enum { HF_WRITER_MAX_FLYING = 16 };

/* Called at most once per effect, with the env's arg, never inside hf_writer_add(). `r`: for
 * hf_rollout_engine_result(). */
typedef void hf_writer_result(void *arg, uint64_t id, int r, const json_t *object);

struct hf_writer *hf_writer_new(const struct hf_leader_env *env, hf_writer_result *result);
void hf_writer_free(struct hf_writer *writer);
HF_DEFINE_CLEANUP(struct hf_writer, hf_writer_free)

/* Takes any kind of effect except HF_ROLLOUT_EVENT. After -ENOMEM, no call of `result` follows. */
HF_MUST_USE int hf_writer_add(struct hf_writer *writer, const struct hf_rollout_effect *effect);

/* Call it after a plan, and when the lead is lost. Sends what fits, unless the server is busy; without the lead,
 * waiting writes end with -ECANCELED. */
void hf_writer_turn(struct hf_writer *writer);

bool hf_writer_is_idle(const struct hf_writer *writer);
