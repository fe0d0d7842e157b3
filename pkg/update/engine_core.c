/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's lower half: references, wake-ups and the turn. */
#include <stdlib.h>

#include "update/release.h"

void update_engine_ref(struct hf_update_engine *engine)
{
    engine->refs++;
}

void update_engine_unref(struct hf_update_engine *engine)
{
    if (--engine->refs > 0)
        return;
    hf_strmap_done(&engine->releases);
    hf_strmap_done(&engine->parked);
    if (engine->lock_fd >= 0)
        (void)engine->p.fs->close(engine->p.fs->ctx, engine->lock_fd);
    engine->p.sched->timer_free(engine->p.sched->ctx, engine->timer);
    for (size_t i = 0; i < HF_LEN(engine->strings); i++)
        free(engine->strings[i]);
    for (size_t i = 0; engine->roots != NULL && engine->roots[i] != NULL; i++)
        free(engine->roots[i]);
    free(engine->roots);
    hf_buf_done(&engine->trust_problem);
    free(engine->folder);
    free(engine);
}

void update_engine_wake(struct hf_update_engine *engine)
{
    if (engine->state == ENGINE_CLOSING || engine->wake_pending)
        return;
    engine->wake_pending = true;
    engine->p.sched->timer_arm(engine->p.sched->ctx, engine->timer, 0);
}

void update_engine_notify(struct hf_update_engine *engine)
{
    if (engine->notify_pending || engine->state == ENGINE_CLOSING)
        return;
    engine->notify_pending = true;
    update_engine_wake(engine);
}

void update_engine_leave_turn(struct release *release)
{
    if (release->engine->active != release)
        return;
    release->engine->active = NULL;
    update_engine_wake(release->engine);
}
