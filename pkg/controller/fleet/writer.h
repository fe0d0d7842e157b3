/* controller/fleet/writer.h - performs the writes that pkg/rollout plans: a few at a time, urgent ones first, and none
 * after this process has ceased to lead.
 *
 * Threads: loop thread only. Memory: copies what it needs of an effect. */
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
    bool (*may_write)(void *arg); /* asked before each request */
    /* Called once for each effect, never inside hf_writer_add(). r: see hf_rollout_engine_result(); -ECANCELED: nothing
     * was sent, because this process does not lead. */
    void (*result)(void *arg, uint64_t id, int r, const json_t *object);
    void *arg;
};

struct hf_writer *hf_writer_new(const struct hf_writer_params *params); /* NULL: out of memory */
void hf_writer_free(struct hf_writer *writer);
HF_DEFINE_CLEANUP(struct hf_writer, hf_writer_free)

/* Queues an effect (not an Event). Returns 0, or -ENOMEM; `result` then does not come. */
HF_MUST_USE int hf_writer_add(struct hf_writer *writer, const struct hf_rollout_effect *effect);

/* Starts what can start, now. Call it after the last hf_writer_add() of a plan, and after this process ceased to
 * lead. */
void hf_writer_turn(struct hf_writer *writer);

/* Returns true if nothing waits and nothing is on its way. */
bool hf_writer_is_idle(const struct hf_writer *writer);
