/* SPDX-License-Identifier: Apache-2.0 */
/* Repairs of drift are counted, and the more there are, the longer the pauses between looks for drift; the first few
 * come at once. A look that a watch brings about, maybe by what the repair itself has done, does not count as quiet. */
#include "update/release.h"

enum {
    FREE_REPAIRS = 3, /* without a pause: somebody's mistake, and the correction of it */
    MAX_SHIFT = 9,    /* 2^9 minutes: at most one repair in most of a working day */
};
static const uint64_t first_pause_ns = 60 * HF_NS_PER_S;

static uint64_t pause_ns(const struct release *release)
{
    unsigned repairs = release->drift.repairs;

    return repairs <= FREE_REPAIRS ? 0 : first_pause_ns << HF_MIN(repairs - FREE_REPAIRS - 1, (unsigned)MAX_SHIFT);
}

static void pause_looks(struct release *release)
{
    release->drift.look_due_ns = hf_mono_ns(release->engine->p.world.clock) + pause_ns(release);
}

void repairs_count(struct release *release, bool drifted)
{
    struct release_drift *drift = &release->drift;

    if (drifted)
        drift->repairs++;
    else if (drift->repairs > 0 && drift->at_interval)
        drift->repairs--;
    drift->at_interval = false;
    pause_looks(release);
}

uint64_t repairs_pause_ns(struct release *release)
{
    repairs_count(release, true);
    return pause_ns(release);
}

/* A look just after a repair finds what the agent itself has put there: so the pause begins where the repair ends. */
void repairs_put_back(struct release *release, const char *what)
{
    const struct hf_update_params *p = &release->engine->p;

    pause_looks(release);
    hf_metric_add(release->engine->counts.repairs, 1);
    if (p->repaired != NULL)
        p->repaired(p->arg, release->j.name, release->j.good_version, what);
}
