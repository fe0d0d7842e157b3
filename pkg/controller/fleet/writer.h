/* SPDX-License-Identifier: Apache-2.0 */
/* Performs the engine's writes (rollout/engine.h), urgent ones first, while this process leads. Copies what it
 * needs. */
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "kube/call.h"
#include "loop/sched.h"
#include "rollout/engine.h"

struct hf_metrics;
struct hf_writer;

enum { HF_WRITER_MAX_FLYING = 16 };

struct hf_writer_params {
    struct hf_kube *kube;
    const struct hf_sched_ops *sched;
    const struct hf_clock_ops *clock;
    struct hf_log *log;
    struct hf_metrics *metrics;
    bool (*may_write)(void *arg); /* before each request */
    /* Once for each effect, not in hf_writer_add(). `r`: hf_rollout_engine_result(). */
    void (*result)(void *arg, uint64_t id, int r, const json_t *object);
    void *arg;
};

struct hf_writer *hf_writer_new(const struct hf_writer_params *params);
void hf_writer_free(struct hf_writer *writer);
HF_DEFINE_CLEANUP(struct hf_writer, hf_writer_free)

/* Any kind but HF_ROLLOUT_EVENT. After -ENOMEM, no `result` follows. */
HF_MUST_USE int hf_writer_add(struct hf_writer *writer, const struct hf_rollout_effect *effect);

/* Sends what fits, unless the server is busy; ends all with -ECANCELED if this process does not lead. Call after a
 * plan, and when the lead is lost. */
void hf_writer_turn(struct hf_writer *writer);

bool hf_writer_is_idle(const struct hf_writer *writer);
