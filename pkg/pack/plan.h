/* pack/plan.h - choose how to get a new file. The best way is the one with the fewest bytes over the link, among
 * those for which the node has enough memory and disk space. Pure.
 *
 * The command line lists all ways that some node would choose. Each node then chooses one of the listed ways
 * (os/room.h measures the node's memory). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One way to get the new file: the whole file, a delta, or several deltas one after the other. */
struct hf_plan_way {
    uint64_t fetch_bytes;  /* sum of the bytes to fetch over the link */
    uint64_t memory_bytes; /* peak of memory, on top of what every way needs */
    uint64_t disk_bytes;   /* peak of disk space, on top of the old and the new file */
    unsigned steps;        /* number of files to fetch */
};

struct hf_plan_room {
    uint64_t memory_bytes, disk_bytes; /* bytes that the node can spare (UINT64_MAX means unknown, and thus no limit) */
};

/* Returns the index of the best way that needs no more memory and disk space than `room` has, or n if there is no such
 * way. Best means fewest bytes to fetch; ties go to fewest steps, then least memory, then least disk space, then the
 * lowest index. */
size_t hf_plan_choose(const struct hf_plan_way *ways, size_t n, const struct hf_plan_room *room);

/* Returns false if no node would choose ways[i]. That is so if another way has an equal or smaller value in each of the
 * four fields and, in addition, a smaller value in one field or a lower index. */
bool hf_plan_is_of_use(const struct hf_plan_way *ways, size_t n, size_t i);

/* Returns the cost of going the way `first` and then the way `second`. `between_bytes` is the size of the intermediate
 * file, which the first way makes and from which the second way starts. */
struct hf_plan_way hf_plan_chain(const struct hf_plan_way *first, const struct hf_plan_way *second,
                                 uint64_t between_bytes);
