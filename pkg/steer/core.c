/* SPDX-License-Identifier: Apache-2.0 */
#include "steer/core.h"

#include <assert.h>
#include <errno.h>

static void look(void *arg)
{
    struct hf_steer_core *core = arg;

    core->wake_ns = HF_NEVER;
    hf_steer_core_ref(core);
    uint64_t next = core->engine->consider(core), now = hf_steer_core_now_ns(core);
    if (next != HF_NEVER)
        hf_steer_core_wake_in(core, next > now ? next - now : 0);
    if (core->notify_pending) {
        core->notify_pending = false;
        core->engine->changed(core);
    }
    hf_steer_core_unref(core);
}

int hf_steer_core_init(struct hf_steer_core *core, const struct hf_steer_engine *engine, const struct hf_world *world)
{
    *core = (struct hf_steer_core){.engine = engine, .world = *world, .wake_ns = HF_NEVER, .refs = 1};
    core->timer = hf_timer_new(world->sched, look, core);
    return core->timer != NULL ? 0 : -ENOMEM;
}

void hf_steer_core_close(struct hf_steer_core *core)
{
    core->closing = true;
    hf_timer_free(core->world.sched, core->timer);
    core->timer = NULL;
}

void hf_steer_core_ref(struct hf_steer_core *core)
{
    assert(core->refs > 0);
    core->refs++;
}

void hf_steer_core_unref(struct hf_steer_core *core)
{
    assert(core->refs > 1 || core->closing); /* else the owner would still call into it */
    if (--core->refs == 0)
        core->engine->gone(core);
}

uint64_t hf_steer_core_now_ns(const struct hf_steer_core *core)
{
    return hf_mono_ns(core->world.clock);
}

void hf_steer_core_wake_in(struct hf_steer_core *core, uint64_t delay_ns)
{
    uint64_t at = hf_steer_core_now_ns(core) + delay_ns;

    if (core->closing || core->wake_ns <= at)
        return;
    core->wake_ns = at;
    hf_timer_arm(core->world.sched, core->timer, delay_ns);
}

void hf_steer_core_wake(struct hf_steer_core *core)
{
    hf_steer_core_wake_in(core, 0);
}

void hf_steer_core_notify(struct hf_steer_core *core)
{
    if (core->notify_pending || core->closing)
        return;
    core->notify_pending = true;
    hf_steer_core_wake(core);
}

bool hf_steer_core_is_woken(const struct hf_steer_core *core)
{
    return core->wake_ns <= hf_steer_core_now_ns(core);
}

void hf_steer_core_leave_turn(struct hf_steer_core *core, const struct hf_steer_machine *machine)
{
    if (core->active != machine)
        return;
    core->active = NULL;
    hf_steer_core_wake(core);
}
