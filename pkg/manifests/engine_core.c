/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's lower half: the present, and wake-ups by pkg/steer. */
#include "manifests/engine_impl.h"

uint64_t manifest_engine_now(const struct hf_manifest_engine *engine)
{
    return hf_steer_core_now_ns(&engine->core);
}

void manifest_engine_wake_in(struct hf_manifest_engine *engine, uint64_t delay_ns)
{
    hf_steer_core_wake_in(&engine->core, delay_ns);
}

void manifest_engine_wake(struct hf_manifest_engine *engine)
{
    hf_steer_core_wake(&engine->core);
}

void manifest_engine_notify(struct hf_manifest_engine *engine)
{
    hf_steer_core_notify(&engine->core);
}
