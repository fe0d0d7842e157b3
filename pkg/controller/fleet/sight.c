/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/fleet/sight.h"

#include "base/macros.h"

/* Sight is back after an outage of this length, or the process runs again. */
static void return_after(struct hf_sight *sight, uint64_t now_ns, uint64_t outage_ns)
{
    sight->clear_ns = HF_MAX(sight->clear_ns, outage_ns > HF_SIGHT_FLAP_NS ? now_ns + HF_SIGHT_RETURN_NS : now_ns);
}

uint64_t hf_sight_look(struct hf_sight *sight, uint64_t now_ns)
{
    uint64_t passed_ns = sight->looked_ns == 0 ? 0 : now_ns - sight->looked_ns;
    bool paused = passed_ns > HF_SIGHT_PAUSE_NS;

    if (!sight->sees || paused)
        sight->blind_ns += passed_ns;
    else if (sight->clear_ns > sight->looked_ns)
        sight->blind_ns += HF_MIN(sight->clear_ns, now_ns) - sight->looked_ns;
    if (sight->sees && paused)
        return_after(sight, now_ns, passed_ns);
    sight->looked_ns = now_ns;
    return sight->blind_ns;
}

void hf_sight_set(struct hf_sight *sight, uint64_t now_ns, bool sees, uint64_t heard_ns)
{
    (void)hf_sight_look(sight, now_ns);
    if (sees == sight->sees)
        return;
    sight->sees = sees;
    if (sees) {
        return_after(sight, now_ns, sight->has_seen ? now_ns - sight->lost_ns : 0);
        sight->has_seen = true;
        return;
    }
    sight->lost_ns = heard_ns != 0 ? HF_MIN(heard_ns, now_ns) : now_ns;
    uint64_t counted_ns = HF_MAX(sight->lost_ns, sight->clear_ns); /* what was blind before is in the sum already */
    sight->blind_ns += now_ns > counted_ns ? now_ns - counted_ns : 0;
}
