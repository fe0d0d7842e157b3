/* SPDX-License-Identifier: Apache-2.0 */
/* Attempts at a server that is away change a release between Waiting and Fetching: both count as the same. */
#include "agent/standstill.h"

#include "agent/desired/sets.h"
#include "agent/follow/follow.h"
#include "agent/resources/network.h"
#include "update/engine.h"

struct gait {
    uint64_t stamp;
    bool works;
};

static void add(struct gait *gait, uint64_t value)
{
    gait->stamp = gait->stamp * 31 + value;
}

static void add_update(void *arg, const struct hf_update_status *status)
{
    struct gait *gait = arg;
    bool before = status->phase <= HF_PHASE_FETCHING;

    gait->works = gait->works || !(before || hf_phase_rests(status->phase));
    add(gait, before ? HF_PHASE_WAITING : status->phase);
}

static void add_entry(void *arg, const struct hf_manifest_status *status)
{
    struct gait *gait = arg;
    bool before = status->phase == HF_MANIFEST_WAITING || status->phase == HF_MANIFEST_FETCHING;

    gait->works = gait->works || status->phase == HF_MANIFEST_APPLYING || status->phase == HF_MANIFEST_PROBATION ||
                  status->phase == HF_MANIFEST_ROLLING_BACK;
    add(gait, before ? HF_MANIFEST_WAITING : status->phase);
}

bool hf_standstill_look(struct hf_standstill *standstill, const struct hf_agent_parts *parts)
{
    uint64_t now = hf_mono_ns(parts->env->world.clock);
    struct gait gait = {.stamp = parts->network->bytes};

    for (size_t i = 0; i < HF_FOLLOW_COUNT; i++)
        add(&gait, parts->follows->of[i].synced);
    hf_update_engine_each(parts->engine, add_update, &gait);
    if (parts->sets->engine != NULL)
        hf_manifest_engine_each(parts->sets->engine, add_entry, &gait);
    if (standstill->since_ns == 0 || gait.works || gait.stamp != standstill->stamp)
        *standstill = (struct hf_standstill){.stamp = gait.stamp, .since_ns = now};
    return now - standstill->since_ns >= HF_STANDSTILL_NS;
}
