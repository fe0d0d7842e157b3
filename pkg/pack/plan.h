/* pack/plan.h - which way to a new file: the fewest bytes over the link among those that fit this node. Pure. The
 * command line uses it to list only ways that somebody would take, a node to take one (os/room.h says how much memory there is). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One way: a whole file, a delta, or several deltas one after the other. */
struct hf_plan_way {
    uint64_t fetch_bytes;  /* over the link, all told */
    uint64_t memory_bytes; /* at most at once, beside what every way needs */
    uint64_t disk_bytes;   /* at most at once, beside old and new file */
    unsigned steps;        /* files to fetch */
};

struct hf_plan_room {
    uint64_t memory_bytes, disk_bytes; /* UINT64_MAX: not known, anything goes */
};

/* Index of the best way, n when none fits: fewest bytes, then fewest steps, least memory, least disk, the first. */
size_t hf_plan_choose(const struct hf_plan_way *ways, size_t n, const struct hf_plan_room *room);

/* Would any node take ways[i]? No, when another one needs no more of anything and less of something, or the same and comes first. */
bool hf_plan_is_of_use(const struct hf_plan_way *ways, size_t n, size_t i);

/* Two ways one after the other. */
struct hf_plan_way hf_plan_chain(const struct hf_plan_way *first, const struct hf_plan_way *second,
                                 uint64_t between_bytes);
