/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's lower half: references and wake-ups. */
#include <stdlib.h>

#include "manifests/entry.h"

uint64_t manifest_engine_now(const struct hf_manifest_engine *engine)
{
    return hf_mono_ns(engine->p.env.clock);
}

void manifest_engine_ref(struct hf_manifest_engine *engine)
{
    engine->refs++;
}

void manifest_engine_unref(struct hf_manifest_engine *engine)
{
    const struct hf_sched_ops *sched = engine->p.env.sched;

    if (--engine->refs > 0)
        return;
    hf_strmap_done(&engine->entries);
    hf_strmap_done(&engine->no_room);
    hf_source_turns_free(engine->turns);
    sched->timer_free(sched->ctx, engine->timer);
    free(engine->allow_prune);
    free(engine->folder);
    free(engine);
}

void manifest_engine_wake_in(struct hf_manifest_engine *engine, uint64_t delay_ns)
{
    const struct hf_sched_ops *sched = engine->p.env.sched;

    uint64_t at = manifest_engine_now(engine) + delay_ns;

    if (engine->closing || engine->wake_ns <= at)
        return;
    engine->wake_ns = at;
    sched->timer_arm(sched->ctx, engine->timer, delay_ns);
}

void manifest_engine_wake(struct hf_manifest_engine *engine)
{
    manifest_engine_wake_in(engine, 0);
}

void manifest_engine_notify(struct hf_manifest_engine *engine)
{
    if (engine->notify_pending || engine->closing)
        return;
    engine->notify_pending = true;
    manifest_engine_wake(engine);
}
