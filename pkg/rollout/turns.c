/* SPDX-License-Identifier: Apache-2.0 */
#include "rollout/turns.h"

#include <stdlib.h>

#include "api/update/phase.h"

static int by_age(const void *a, const void *b)
{
    const struct hf_turn_candidate *x = a, *y = b;

    if (x->since_s != y->since_s)
        return x->since_s < y->since_s ? -1 : 1;
    if (x->slot != y->slot)
        return x->slot < y->slot ? -1 : 1;
    return x->node < y->node ? -1 : x->node > y->node;
}

void hf_turn_sort(struct hf_turn_candidate *candidates, size_t n)
{
    if (n > 1)
        qsort(candidates, n, sizeof(*candidates), by_age);
}

static int by_hash(const void *a, const void *b)
{
    const struct hf_turn_group *x = a, *y = b;

    return x->hash < y->hash ? -1 : x->hash > y->hash;
}

size_t hf_turn_groups(const struct hf_turn_candidate *candidates, size_t n, struct hf_turn_group *groups)
{
    size_t n_groups = 0;

    for (size_t i = 0; i < n; i++)
        groups[i] = (struct hf_turn_group){.hash = candidates[i].group, .fenced = true};
    if (n > 1)
        qsort(groups, n, sizeof(*groups), by_hash);
    for (size_t i = 0; i < n; i++)
        if (n_groups == 0 || groups[n_groups - 1].hash != groups[i].hash)
            groups[n_groups++] = groups[i];
    return n_groups;
}

struct hf_turn_group *hf_turn_group(struct hf_turn_group *groups, size_t n, uint32_t hash)
{
    struct hf_turn_group key = {.hash = hash};

    return n == 0 ? NULL : bsearch(&key, groups, n, sizeof(*groups), by_hash);
}

bool hf_turn_may(struct hf_turn_group *group, const struct hf_share *max_unavailable)
{
    uint64_t share = hf_field_share_of(max_unavailable, group->size);

    if (!group->fenced || group->busy >= HF_MAX(share, 1ull))
        return false;
    group->busy++;
    return true;
}

bool hf_turn_is_over(const struct hf_turn_facts *facts)
{
    int phase = facts->has_entry ? facts->phase : HF_PHASE_IDLE;

    if (facts->moved_on || phase == HF_PHASE_COMMITTED || phase == HF_PHASE_ROLLED_BACK || phase == HF_PHASE_REJECTED ||
        phase == HF_PHASE_INCOMPATIBLE)
        return true;
    if (facts->freed && (facts->is_silent || facts->waits_for_site))
        return true;
    /* The rollout has begun anew, and the node waits for its stage: nodes of an earlier stage may need the turn. */
    if (facts->not_admitted && !facts->is_silent)
        return true;
    /* Nobody asks for the release any more, and the node does not work on it. */
    return !facts->release_wanted && !facts->is_silent && !facts->has_entry;
}
