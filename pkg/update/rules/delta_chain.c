/* SPDX-License-Identifier: Apache-2.0 */
/* The `deltas` of an artifact make the new file, its `steps` intermediate files. The algorithm is that of Bellman and
 * Ford, one round for each delta; from an intermediate file, a later search finds the rest of the same chain. */
#include "update/rules/delta_chain.h"

#include <stdio.h>
#include <string.h>

#include "base/macros.h"

enum { MAX_EDGES = 2 * HF_MAX_DELTAS };

/* The shortest chain of a given number of deltas from the start to an edge. */
struct best_chain {
    uint64_t bytes; /* UINT64_MAX: none */
    size_t before;  /* index of the edge before */
};

struct chain_search {
    const struct hf_delta_ref *edges[MAX_EDGES];
    size_t n, n_last; /* the first n_last end at the new file */
    struct best_chain best[HF_DELTA_CHAIN_MAX][MAX_EDGES];
    uint64_t new_size;
    const struct hf_delta_room *room;
};

/* Disk used while the delta is applied, beside the new file: the delta, scratch, its base if that is an intermediate
 * file, and the part of its output that exceeds the new file. */
static bool fits(const struct chain_search *search, const struct hf_delta_ref *delta, uint64_t source_bytes)
{
    uint64_t made = delta->to != NULL && delta->to_size > search->new_size ? delta->to_size - search->new_size : 0;
    uint64_t parts[] = {delta->size, delta->needs.disk_bytes, source_bytes, made}, disk = 0;

    for (size_t i = 0; i < HF_LEN(parts); i++)
        disk = parts[i] > UINT64_MAX - disk ? UINT64_MAX : disk + parts[i];
    return delta->needs.memory_bytes <= search->room->memory_bytes && disk <= search->room->disk_bytes;
}

bool hf_delta_chain_avoids(const char *avoid, const char *sha256)
{
    size_t n = avoid[0] != '\0' ? strlen(sha256) : 0;

    for (const char *at = n > 0 ? strstr(avoid, sha256) : NULL; at != NULL; at = strstr(at + 1, sha256))
        if ((at == avoid || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
            return true;
    return false;
}

bool hf_delta_chain_avoid(char avoid[HF_DELTA_CHAIN_MAX_AVOID], const char *sha256)
{
    size_t have = strlen(avoid);

    if (hf_delta_chain_avoids(avoid, sha256))
        return true;
    if (have + 1 + strlen(sha256) >= HF_DELTA_CHAIN_MAX_AVOID)
        return false;
    (void)snprintf(avoid + have, HF_DELTA_CHAIN_MAX_AVOID - have, "%s%s", have > 0 ? " " : "", sha256);
    return true;
}

/* Collects the deltas; those that lead to the new file come first. */
static void collect(struct chain_search *search, const struct hf_artifact *artifact, const char *avoid)
{
    for (size_t i = 0; i < artifact->n_deltas && search->n < MAX_EDGES; i++)
        if (!hf_delta_chain_avoids(avoid, artifact->deltas[i].sha256))
            search->edges[search->n++] = &artifact->deltas[i];
    search->n_last = search->n;
    for (size_t i = 0; i < artifact->n_steps && search->n < MAX_EDGES; i++)
        if (!hf_delta_chain_avoids(avoid, artifact->steps[i].sha256))
            search->edges[search->n++] = &artifact->steps[i];
}

static void start(struct chain_search *search, const char *from, uint64_t began_bytes)
{
    for (size_t i = 0; i < search->n; i++) {
        const struct hf_delta_ref *edge = search->edges[i];
        bool first = strcmp(edge->from, from) == 0 && fits(search, edge, began_bytes);
        search->best[0][i].bytes = first ? edge->size : UINT64_MAX;
        for (unsigned n = 1; n < HF_DELTA_CHAIN_MAX; n++)
            search->best[n][i].bytes = UINT64_MAX;
    }
}

/* From the shortest chains of n deltas to those of n + 1. */
static void lengthen(struct chain_search *search, unsigned n)
{
    const struct best_chain *have = search->best[n - 1];

    for (size_t i = 0; i < search->n; i++) {
        const struct hf_delta_ref *step = search->edges[i];
        if (step->to == NULL || have[i].bytes == UINT64_MAX)
            continue;
        for (size_t k = 0; k < search->n; k++) {
            const struct hf_delta_ref *next = search->edges[k];
            uint64_t bytes = have[i].bytes + next->size; /* at most HF_DELTA_CHAIN_MAX of 64 GiB */
            if (strcmp(next->from, step->to) == 0 && bytes < search->best[n][k].bytes &&
                fits(search, next, step->to_size))
                search->best[n][k] = (struct best_chain){bytes, i};
        }
    }
}

bool hf_delta_chain_find(const struct hf_artifact *artifact, const char *from, uint64_t began_bytes,
                         const struct hf_delta_room *room, const char *avoid, struct hf_delta_chain *ret_chain)
{
    struct chain_search search = {.room = room, .new_size = artifact->size};
    struct hf_delta_chain chain = {.bytes = artifact->size};
    size_t at = 0;

    collect(&search, artifact, avoid);
    start(&search, from, began_bytes);
    for (unsigned n = 1; n <= HF_DELTA_CHAIN_MAX; n++) {
        for (size_t i = 0; i < search.n_last; i++) {
            if (search.best[n - 1][i].bytes >= chain.bytes)
                continue;
            chain.bytes = search.best[n - 1][i].bytes;
            chain.n = n;
            at = i;
        }
        if (n < HF_DELTA_CHAIN_MAX)
            lengthen(&search, n);
    }
    if (chain.n == 0)
        return false;
    for (size_t i = chain.n; i-- > 0; at = search.best[i][at].before)
        chain.deltas[i] = search.edges[at];
    *ret_chain = chain;
    return true;
}
