/* SPDX-License-Identifier: Apache-2.0 */
/* One layer is made at a time, because it costs memory; others wait for their turn, for a while. A rebuild that fails
 * leaves its place to the registry, which goes on at the byte that it reached. */
#include "mirror/made.h"

#include <errno.h>

#define TURN_NS (120 * HF_NS_PER_S) /* containerd gives up after 300 without a byte */

static void moved(void *arg);
static void end_turn(struct hf_serving *serving);

/* The registry gives it all, or what is missing; a digest that is wrong then still is. */
static void pass_through(struct hf_serving *serving)
{
    end_turn(serving);
    hf_serving_comes_from(serving, "registry");
    if (serving->begun && serving->at == serving->end)
        hf_serving_finish(serving);
    else
        serving->mirror->ask_registry(serving);
}

static bool start_rebuild(struct hf_serving *serving)
{
    struct hf_mirror *mirror = serving->mirror;
    const struct hf_mirror_delta *delta =
        hf_mirror_deltas_find(&mirror->deltas, serving->origin, serving->request.name, serving->request.sha256);

    if (delta == NULL)
        return false;
    serving->at = 0;
    serving->end = delta->to_size;
    if (hf_mirror_rebuild_start(&(const struct hf_mirror_rebuild_params){.p = mirror->p.upstream,
                                                                         .upstream = mirror->upstream,
                                                                         .stores = mirror->stores,
                                                                         .folder = mirror->folder,
                                                                         .tally = &serving->tally,
                                                                         .origin = serving->origin,
                                                                         .name = serving->request.name,
                                                                         .delta = delta,
                                                                         .since_ns = serving->since_ns,
                                                                         .patient = serving->request.patient,
                                                                         .moved = moved,
                                                                         .arg = serving},
                                &serving->rebuild) < 0)
        return false;
    mirror->rebuilding = serving;
    serving->on_free = end_turn;
    return true;
}

/* Of those that wait, the one that asked first. */
static void next_turn(struct hf_mirror *mirror)
{
    const struct hf_sched_ops *sched = hf_loop_sched(mirror->p.loop);

    for (struct hf_list *link = mirror->servings.next; link != &mirror->servings; link = link->next) {
        struct hf_serving *serving = hf_container_of(link, struct hf_serving, link);
        if (serving->turn != NULL) {
            sched->timer_arm(sched->ctx, serving->turn, 0);
            return;
        }
    }
}

static void end_turn(struct hf_serving *serving)
{
    struct hf_mirror *mirror = serving->mirror;
    const struct hf_sched_ops *sched = hf_loop_sched(mirror->p.loop);

    sched->timer_free(sched->ctx, hf_steal(serving->turn));
    hf_mirror_rebuild_free(hf_steal(serving->rebuild));
    if (mirror->rebuilding != serving)
        return;
    mirror->rebuilding = NULL;
    next_turn(mirror);
}

/* It is its turn, or it has waited for long enough. */
static void on_turn(void *arg)
{
    struct hf_serving *serving = arg;
    struct hf_mirror *mirror = serving->mirror;
    const struct hf_sched_ops *sched = hf_loop_sched(mirror->p.loop);

    sched->timer_free(sched->ctx, hf_steal(serving->turn));
    if (mirror->rebuilding == NULL && start_rebuild(serving))
        return;
    if (mirror->rebuilding == NULL)
        next_turn(mirror);
    serving->mirror->ask_registry(serving);
}

/* False: it cannot, or not in time. */
bool hf_made_begin(struct hf_serving *serving)
{
    struct hf_mirror *mirror = serving->mirror;
    const struct hf_mirror_request *request = &serving->request;
    const struct hf_sched_ops *sched = hf_loop_sched(mirror->p.loop);

    if (request->kind != HF_MIRROR_BLOB || request->head || request->ranged ||
        hf_mirror_deltas_find(&mirror->deltas, serving->origin, request->name, request->sha256) == NULL)
        return false;
    serving->since_ns = hf_mono_ns(mirror->p.upstream.clock);
    if (mirror->rebuilding == NULL)
        return start_rebuild(serving);
    serving->turn = sched->timer_new(sched->ctx, on_turn, serving);
    if (serving->turn == NULL)
        return false;
    serving->on_free = end_turn;
    sched->timer_arm(sched->ctx, serving->turn, TURN_NS);
    return true;
}

static void rebuild_failed(struct hf_serving *serving, int r)
{
    char text[300];

    hf_log(serving->mirror->p.log, HF_LOG_WARNING, "image.delta_failed", HF_S("registry", serving->request.registry),
           HF_S("name", serving->request.name), HF_S("sha256", serving->request.sha256), HF_D("errno", -r),
           HF_S("error", hf_err_text(hf_mirror_rebuild_err(serving->rebuild), text, sizeof(text))));
    if (r == -EBADMSG)
        hf_mirror_deltas_blame(&serving->mirror->deltas, serving->origin, serving->request.name,
                               serving->request.sha256);
    pass_through(serving);
}

static bool begin_made(struct hf_serving *serving)
{
    if (serving->begun)
        return true;
    serving->rebuilt = true;
    hf_serving_begin_bytes(serving, true, "delta");
    return hf_serving_keep(serving, serving->end) &&
           hf_serving_send_blob_head(serving, false, 0, serving->end, serving->end);
}

void hf_made_pump(struct hf_serving *serving)
{
    const int state = hf_mirror_rebuild_state(serving->rebuild); /* before what there is to read */
    char bytes[HF_SERVING_PIECE];
    ssize_t n = 0;
    int r = 0;

    while (state != -EBADMSG && r == 0 && !serving->full &&
           (n = hf_mirror_rebuild_read(serving->rebuild, bytes, sizeof(bytes), serving->at)) > 0) {
        r = begin_made(serving) ? hf_serving_deliver(serving, bytes, (size_t)n) : -ENOMEM;
        serving->at += (uint64_t)n;
        serving->full = r > 0;
    }
    if (r < 0)
        hf_serving_give_up(serving);
    else if (state < 0 || n < 0)
        rebuild_failed(serving, state < 0 ? state : (int)n);
    else if (state == 0 && serving->at == serving->end)
        hf_serving_finish(serving);
}

static void moved(void *arg)
{
    hf_made_pump(arg);
}
