/* SPDX-License-Identifier: Apache-2.0 */
/* controller/fleet/writer.h - performs the writes that the engine (rollout/engine.h) plans: at most
 * HF_WRITER_MAX_FLYING at once, urgent writes first, and none after this process has ceased to lead.
 *
 * Threads: loop thread only. Memory: the writer copies the parts of an effect that it needs. */
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "kube/call.h"
#include "loop/sched.h"
#include "rollout/engine.h"

struct hf_metrics; /* web/metrics.h */
struct hf_writer;

enum { HF_WRITER_MAX_FLYING = 16 };

struct hf_writer_params {
    struct hf_kube *kube;
    const struct hf_sched_ops *sched;
    const struct hf_clock_ops *clock;
    struct hf_log *log;
    struct hf_metrics *metrics;
    bool (*may_write)(void *arg); /* Called before each request. Returns true if this process leads now. */
    /* Called once for each effect, but not inside hf_writer_add(), and not after hf_writer_free(). r: see
     * hf_rollout_engine_result(); -ECANCELED: the write was not sent, because this process does not lead. */
    void (*result)(void *arg, uint64_t id, int r, const json_t *object);
    void *arg;
};

struct hf_writer *hf_writer_new(const struct hf_writer_params *params); /* NULL: out of memory */
void hf_writer_free(struct hf_writer *writer);
HF_DEFINE_CLEANUP(struct hf_writer, hf_writer_free)

/* Queues an effect of any kind except HF_ROLLOUT_EVENT. Returns 0 or -ENOMEM. After -ENOMEM, `result` is not called for
 * this effect. */
HF_MUST_USE int hf_writer_add(struct hf_writer *writer, const struct hf_rollout_effect *effect);

/* Sends queued writes until HF_WRITER_MAX_FLYING of them are in flight. Sends none during a pause, which begins when
 * the server has answered that it is busy. If this process does not lead, ends the queued writes with -ECANCELED
 * instead. Call this function after the last hf_writer_add() of a plan, and when this process ceases to lead. */
void hf_writer_turn(struct hf_writer *writer);

/* Returns true if no write waits and no write is on its way. */
bool hf_writer_is_idle(const struct hf_writer *writer);
