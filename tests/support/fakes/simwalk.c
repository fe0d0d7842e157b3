/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fakes/simwalk.h"

bool hf_simwalk_next(struct hf_simwalk *walk)
{
    if (!walk->over)
        walk->at = hf_walk_next(walk->name, walk->at);
    else if (walk->n_rest > 0)
        walk->at = walk->rest[--walk->n_rest];
    else {
        ck_assert_msg(walk->places > 0, "the walk '%s' has gone to no place", walk->name);
        return false;
    }
    return true;
}

static bool was_hit(const struct hf_simwalk *walk, const struct sim_kind *kind)
{
    for (size_t i = 0; i < walk->n_hit; i++)
        if (walk->hit[i].format == kind->format && walk->hit[i].kind == kind->kind)
            return true;
    return false;
}

bool hf_simwalk_saw(struct hf_simwalk *walk, const struct hf_simfs *fs)
{
    if (fs->hit.format != NULL) {
        walk->places++;
        if (!was_hit(walk, &fs->hit))
            walk->hit[walk->n_hit++] = fs->hit;
        return true;
    }
    for (size_t i = 0; !walk->over && i < SIM_KINDS && fs->kinds[i].format != NULL; i++)
        if (!was_hit(walk, &fs->kinds[i]))
            walk->rest[walk->n_rest++] = fs->kinds[i].last - fs->armed;
    walk->over = true;
    return false;
}
