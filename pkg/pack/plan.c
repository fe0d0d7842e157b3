#include "pack/plan.h"

#include "base/macros.h"

static bool fits(const struct hf_plan_way *way, const struct hf_plan_room *room)
{
    return way->memory_bytes <= room->memory_bytes && way->disk_bytes <= room->disk_bytes;
}

static bool better(const struct hf_plan_way *a, const struct hf_plan_way *b)
{
    if (a->fetch_bytes != b->fetch_bytes)
        return a->fetch_bytes < b->fetch_bytes;
    if (a->steps != b->steps)
        return a->steps < b->steps;
    if (a->memory_bytes != b->memory_bytes)
        return a->memory_bytes < b->memory_bytes;
    return a->disk_bytes < b->disk_bytes;
}

size_t hf_plan_choose(const struct hf_plan_way *ways, size_t n, const struct hf_plan_room *room)
{
    size_t best = n;

    for (size_t i = 0; i < n; i++)
        if (fits(&ways[i], room) && (best == n || better(&ways[i], &ways[best])))
            best = i;
    return best;
}

bool hf_plan_is_of_use(const struct hf_plan_way *ways, size_t n, size_t i)
{
    const struct hf_plan_way *way = &ways[i];

    for (size_t k = 0; k < n; k++) {
        const struct hf_plan_way *other = &ways[k];
        bool no_worse = other->fetch_bytes <= way->fetch_bytes && other->memory_bytes <= way->memory_bytes &&
                        other->disk_bytes <= way->disk_bytes && other->steps <= way->steps;
        bool same = other->fetch_bytes == way->fetch_bytes && other->memory_bytes == way->memory_bytes &&
                    other->disk_bytes == way->disk_bytes && other->steps == way->steps;
        if (k != i && no_worse && (!same || k < i))
            return false;
    }
    return true;
}

struct hf_plan_way hf_plan_chain(const struct hf_plan_way *first, const struct hf_plan_way *second,
                                 uint64_t between_bytes)
{
    return (struct hf_plan_way){.fetch_bytes = first->fetch_bytes + second->fetch_bytes,
                                .memory_bytes = HF_MAX(first->memory_bytes, second->memory_bytes),
                                .disk_bytes = between_bytes + HF_MAX(first->disk_bytes, second->disk_bytes),
                                .steps = first->steps + second->steps};
}
