/* pack/plan.h - choose how to get a new file: of the ways that fit the node, the one with the fewest bytes over the
 * link. Pure.
 *
 * The command line lists only ways that some node would choose; a node chooses one (os/room.h measures its memory). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One way: a whole file, a delta, or several deltas one after the other. */
struct hf_plan_way {
    uint64_t fetch_bytes;  /* sum of the bytes to fetch over the link */
    uint64_t memory_bytes; /* peak of memory, on top of what every way needs */
    uint64_t disk_bytes;   /* peak of disk space, on top of the old and the new file */
    unsigned steps;        /* number of files to fetch */
};

struct hf_plan_room {
    uint64_t memory_bytes, disk_bytes; /* what the node can spare; UINT64_MAX: unknown, no limit */
};

/* Returns the index of the best way, n if none fits: fewest bytes, then fewest steps, least memory, least disk,
 * lowest index. */
size_t hf_plan_choose(const struct hf_plan_way *ways, size_t n, const struct hf_plan_room *room);

/* Returns false if no node would choose ways[i]: another way needs no more of anything and less of something, or
 * needs the same and has a lower index. */
bool hf_plan_is_of_use(const struct hf_plan_way *ways, size_t n, size_t i);

/* Returns the cost of two ways, one after the other. between_bytes: size of the file between them. */
struct hf_plan_way hf_plan_chain(const struct hf_plan_way *first, const struct hf_plan_way *second,
                                 uint64_t between_bytes);
