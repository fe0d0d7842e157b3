/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/release/release_steps.h"
#include "cli/release/release_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "update/rules/delta_chain.h"

enum { STEP_COSTS = 2048 /* bytes: another request, its connection, an entry in the object */ };
static const struct hf_delta_room all_room = {UINT64_MAX, UINT64_MAX};

/* All deltas that could be part of a way to the new file. */
struct graph {
    struct hf_delta_ref deltas[HF_MAX_DELTAS], steps[HF_MAX_DELTAS];
    bool delta_used[HF_MAX_DELTAS], step_used[HF_MAX_DELTAS];
    struct hf_artifact artifact; /* borrows deltas and steps; size: bytes of the whole artifact on the wire */
};

/* ---- collecting deltas ------------------------------------------------------------------------------------------- */

static void take_deltas(struct graph *graph, const json_t *deltas)
{
    for (size_t i = 0; i < json_array_size(deltas) && i < HF_MAX_DELTAS; i++) {
        const json_t *entry = json_array_get(deltas, i);
        graph->deltas[i] = (struct hf_delta_ref){
            .from = hf_json_str_or(entry, "from", ""),
            .url = hf_json_str_or(entry, "url", ""),
            .sha256 = hf_json_str_or(entry, "sha256", ""),
            .size = (uint64_t)hf_json_int_or(entry, "size", 0),
            .needs = {(uint64_t)hf_json_int_or(entry, "requires.memory", 0),
                      (uint64_t)hf_json_int_or(entry, "requires.disk", 0)},
        };
        graph->artifact.n_deltas = i + 1;
    }
}

static void add_step(struct graph *graph, const struct hf_delta_ref *delta, const char *to, uint64_t to_size)
{
    struct hf_artifact *artifact = &graph->artifact;

    if (artifact->n_steps == HF_MAX_DELTAS || strcmp(to, artifact->sha256) == 0 ||
        strcmp(delta->from, artifact->sha256) == 0)
        return;
    for (size_t i = 0; i < artifact->n_steps; i++)
        if (strcmp(graph->steps[i].sha256, delta->sha256) == 0)
            return;
    struct hf_delta_ref *step = &graph->steps[artifact->n_steps++];
    *step = *delta;
    step->to = to;
    step->to_size = to_size;
}

static void take_published(struct graph *graph, const struct hf_edgeupdate *update)
{
    const struct hf_artifact *old = hf_release_artifact(&update->release, graph->artifact.arch);

    for (size_t i = 0; old != NULL && i < old->n_deltas; i++)
        add_step(graph, &old->deltas[i], old->sha256, old->size);
    for (size_t i = 0; old != NULL && i < old->n_steps; i++)
        add_step(graph, &old->steps[i], old->steps[i].to, old->steps[i].to_size);
}

/* ---- choosing ways ----------------------------------------------------------------------------------------------- */

/* Returns the smallest delta from a file; NULL: none. */
static const struct hf_delta_ref *direct(const struct graph *graph, const char *from)
{
    const struct hf_delta_ref *best = NULL;

    for (size_t i = 0; i < graph->artifact.n_deltas; i++)
        if (strcmp(graph->deltas[i].from, from) == 0 && (best == NULL || graph->deltas[i].size < best->size))
            best = &graph->deltas[i];
    return best;
}

static uint64_t cost(const struct hf_delta_chain *way)
{
    return way->bytes + (way->n - 1) * STEP_COSTS;
}

static bool pays(const struct graph *graph, const char *from, struct hf_delta_chain *ret_way)
{
    const struct hf_delta_ref *one = direct(graph, from);

    if (!hf_delta_chain_find(&graph->artifact, from, 0, &all_room, "", ret_way) || ret_way->n < 2)
        return false;
    return cost(ret_way) < (one != NULL ? one->size : graph->artifact.size);
}

static void mark_used(struct graph *graph, const struct hf_delta_chain *way)
{
    for (size_t i = 0; i < way->n; i++) {
        if (way->deltas[i]->to != NULL)
            graph->step_used[way->deltas[i] - graph->steps] = true;
        else
            graph->delta_used[way->deltas[i] - graph->deltas] = true;
    }
}

static uint64_t memory_of(const struct hf_delta_chain *way)
{
    uint64_t most = 0;

    for (size_t i = 0; i < way->n; i++)
        most = HF_MAX(most, way->deltas[i]->needs.memory_bytes);
    return most;
}

/* ---- listing ----------------------------------------------------------------------------------------------------- */

static int report_way(json_t *report, const char *from, const struct hf_delta_chain *way, struct hf_err *err)
{
    for (size_t i = 0; i < json_array_size(report); i++) {
        json_t *entry = json_array_get(report, i);
        if (strcmp(hf_json_str_or(entry, "from", ""), from) != 0)
            continue;
        int r = hf_cli_put(entry, "wayBytes", json_integer((json_int_t)way->bytes), err);
        return r == 0 ? hf_cli_put(entry, "wayDeltas", json_integer((json_int_t)way->n), err) : r;
    }
    return hf_cli_append(report,
                         json_pack("{s:s, s:s, s:i, s:I, s:i}", "old", from, "from", from, "bytes", 0, "wayBytes",
                                   (json_int_t)way->bytes, "wayDeltas", (int)way->n),
                         err);
}

static json_t *step_entry(const struct hf_delta_ref *step)
{
    json_t *entry =
        json_pack("{s:s, s:s, s:I, s:s, s:s, s:I}", "from", step->from, "to", step->to, "toSize",
                  (json_int_t)step->to_size, "url", step->url, "sha256", step->sha256, "size", (json_int_t)step->size);

    if (entry != NULL && (step->needs.memory_bytes > 0 || step->needs.disk_bytes > 0) &&
        json_object_set_new(entry, "requires",
                            json_pack("{s:I, s:I}", "memory", (json_int_t)step->needs.memory_bytes, "disk",
                                      (json_int_t)step->needs.disk_bytes)) < 0) {
        json_decref(entry);
        return NULL;
    }
    return entry;
}

/* Finds a way from every file that has a step, and marks the deltas of the ways that pay. */
static int find_ways(struct graph *graph, json_t *report, struct hf_err *err)
{
    struct hf_delta_chain way;
    int r = 0;

    for (size_t i = 0; r == 0 && i < graph->artifact.n_steps; i++) {
        const char *from = graph->steps[i].from;
        bool again = false;
        for (size_t k = 0; k < i; k++)
            again = again || strcmp(graph->steps[k].from, from) == 0;
        if (again || !pays(graph, from, &way))
            continue;
        mark_used(graph, &way);
        r = report_way(report, from, &way, err);
    }
    return r;
}

/* Returns true if a way by several deltas has fewer bytes, needs no more memory, and does not use this delta. */
static bool is_needless(const struct graph *graph, size_t i)
{
    const struct hf_delta_ref *delta = &graph->deltas[i];
    struct hf_delta_chain way;

    return !graph->delta_used[i] && pays(graph, delta->from, &way) && memory_of(&way) <= delta->needs.memory_bytes;
}

static int drop_needless(struct hf_release_files *files, const struct graph *graph, json_t *deltas, struct hf_err *err)
{
    for (size_t i = graph->artifact.n_deltas; i-- > 0;) {
        if (!is_needless(graph, i))
            continue;
        const struct hf_delta_ref *delta = &graph->deltas[i];
        _cleanup_(hf_freep) char *path = hf_release_file_path(files->cli, files->folder, delta->url, delta->size, err);
        if (path == NULL)
            return -err->code;
        if (unlink(path) < 0)
            return hf_err_set(err, EIO, "cannot remove the needless delta '%s'", path);
        (void)json_array_remove(deltas, i);
    }
    return 0;
}

int hf_release_steps(struct hf_release_files *files, const struct hf_artifact *made, uint64_t wire_bytes,
                     json_t *deltas, json_t *report, json_t **ret_steps, struct hf_err *err)
{
    _cleanup_(hf_freep) struct graph *graph = calloc(1, sizeof(*graph));
    _cleanup_(hf_json_freep) json_t *steps = json_array(), *kept = json_deep_copy(deltas);
    int r = 0;

    if (graph == NULL || steps == NULL || kept == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    graph->artifact = (struct hf_artifact){
        .arch = made->arch, .sha256 = made->sha256, .size = wire_bytes, .deltas = graph->deltas, .steps = graph->steps};
    take_deltas(graph, kept); /* a copy, because the graph borrows its strings and `deltas` changes */
    for (size_t i = 0; i < files->n_published; i++)
        take_published(graph, files->published[i]);
    r = find_ways(graph, report, err);
    if (r == 0)
        r = drop_needless(files, graph, deltas, err);
    for (size_t i = 0; r == 0 && i < graph->artifact.n_steps; i++)
        if (graph->step_used[i])
            r = hf_cli_append(steps, step_entry(&graph->steps[i]), err);
    if (r == 0)
        *ret_steps = hf_steal(steps);
    return r;
}
