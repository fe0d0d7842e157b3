/* SPDX-License-Identifier: Apache-2.0 */
/* One layer is made at a time, because it costs memory; others wait for their turn. A rebuild that fails leaves its
 * place to the registry, which goes on at the byte that it reached.
 *
 * containerd ends a pull that brings no byte for 5 minutes. Where the link is too slow for the delta to bring one, the
 * registry gives the layer's next few bytes from time to time, for one that waits for its turn, too: the whole layer
 * would take longer yet. Not for one of another registry, whose link may be another: it does not wait long. */
#include "mirror/made.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TICK_NS HF_NS_PER_S
#define FIRST_NS (8 * HF_NS_PER_S)   /* for the first bytes */
#define QUIET_NS (100 * HF_NS_PER_S) /* for more */
#define LATE_NS (200 * HF_NS_PER_S)  /* then the registry gives it all */
#define CONNECT_NS (30 * HF_NS_PER_S)

enum { DROP = 1024 };

static void moved(void *arg);
static void end_turn(struct hf_serving *serving);

/* The registry gives it all, or what is missing; a digest that is wrong then still is. */
static void pass_through(struct hf_serving *serving)
{
    end_turn(serving);
    hf_mirror_call_cancel(hf_steal(serving->call));
    hf_serving_comes_from(serving, "registry");
    if (serving->begun && serving->at == serving->end)
        hf_serving_finish(serving);
    else
        serving->mirror->ask_registry(serving);
}

static const struct hf_mirror_delta *find_delta(const struct hf_serving *serving)
{
    return hf_mirror_deltas_find(&serving->mirror->deltas, serving->origin, serving->request.name,
                                 serving->request.sha256);
}

static bool start_rebuild(struct hf_serving *serving)
{
    struct hf_mirror *mirror = serving->mirror;
    const struct hf_mirror_delta *delta = find_delta(serving);

    if (delta == NULL || delta->to_size != serving->end ||
        hf_mirror_rebuild_start(&(const struct hf_mirror_rebuild_params){.p = mirror->p.upstream,
                                                                         .upstream = mirror->upstream,
                                                                         .stores = mirror->stores,
                                                                         .folder = mirror->folder,
                                                                         .tally = &serving->tally,
                                                                         .origin = serving->origin,
                                                                         .name = serving->request.name,
                                                                         .delta = delta,
                                                                         .moved = moved,
                                                                         .arg = serving},
                                &serving->rebuild) < 0)
        return false;
    mirror->rebuilding = serving;
    return true;
}

/* Of those that wait, the one that asked first. */
static void next_turn(struct hf_mirror *mirror)
{
    for (struct hf_list *link = mirror->servings.next; link != &mirror->servings; link = link->next) {
        struct hf_serving *serving = hf_container_of(link, struct hf_serving, link);
        if (serving->turn != NULL) {
            hf_timer_arm(hf_loop_sched(mirror->p.loop), serving->turn, 0);
            return;
        }
    }
}

static void end_turn(struct hf_serving *serving)
{
    struct hf_mirror *mirror = serving->mirror;

    hf_timer_free(hf_loop_sched(mirror->p.loop), hf_steal(serving->turn));
    hf_mirror_rebuild_free(hf_steal(serving->rebuild));
    if (mirror->rebuilding == serving)
        mirror->rebuilding = NULL;
    if (mirror->rebuilding == NULL)
        next_turn(mirror);
}

/* ---- the bytes --------------------------------------------------------------------------------------------------- */

static bool begin_made(struct hf_serving *serving, const char *from)
{
    if (serving->begun) {
        hf_serving_comes_from(serving, from);
        return true;
    }
    serving->rebuilt = true;
    hf_serving_begin_bytes(serving, true, from);
    return hf_serving_keep(serving, serving->end) &&
           hf_serving_send_blob_head(serving, false, 0, serving->end, serving->end);
}

static int deliver(struct hf_serving *serving, const char *from, const void *bytes, size_t n)
{
    int r = begin_made(serving, from) ? hf_serving_deliver(serving, bytes, n) : -ENOMEM;

    serving->at += n;
    serving->full = r > 0;
    serving->since_ns = hf_mono_ns(serving->mirror->p.upstream.clock);
    serving->drop_ns = serving->since_ns + QUIET_NS;
    return HF_MIN(r, 0);
}

static int drop_response(void *arg, const struct hf_http_response *response)
{
    const struct hf_serving *serving = arg;

    return response->status == 206 && response->range_start == serving->at && response->range_total == serving->end &&
                   response->content_length == DROP
               ? 0
               : -EPROTO;
}

/* In two pieces, since the newest one is kept back. -ESHUTDOWN, which no transfer ends with: the client lacks bytes. */
static int drop_body(void *arg, const void *bytes, size_t n)
{
    const size_t half = n / 2;

    return deliver(arg, "registry", bytes, half) < 0 ||
                   deliver(arg, "registry", (const char *)bytes + half, n - half) < 0
               ? -ESHUTDOWN
               : 0;
}

static void drop_done(void *arg, int r, HF_UNUSED const struct hf_err *err)
{
    struct hf_serving *serving = arg;

    serving->call = NULL;
    if (r == -ESHUTDOWN)
        hf_serving_give_up(serving);
    else if (serving->rebuild != NULL)
        hf_made_pump(serving);
}

static void ask_drop(struct hf_serving *serving)
{
    char path[HF_SHA256_HEX + 16];
    const struct hf_mirror_ask ask = {.origin = serving->origin,
                                      .name = serving->request.name,
                                      .path = path,
                                      .accept = "",
                                      .ranged = true,
                                      .from = serving->at,
                                      .to = serving->at + DROP - 1,
                                      .connect_ns = CONNECT_NS,
                                      .max_bytes = DROP,
                                      .tally = &serving->tally,
                                      .on_response = drop_response,
                                      .on_body = drop_body,
                                      .done = drop_done,
                                      .arg = serving};

    (void)snprintf(path, sizeof(path), "blobs/sha256:%s", serving->request.sha256);
    serving->drop_ns = hf_mono_ns(serving->mirror->p.upstream.clock) + QUIET_NS;
    if (serving->end - serving->at <= DROP || hf_mirror_call_start(serving->mirror->upstream, &ask, &serving->call) < 0)
        serving->call = NULL;
}

static void rebuild_failed(struct hf_serving *serving, int r)
{
    char text[300];

    hf_log(serving->mirror->p.log, HF_LOG_WARNING, "image.delta_failed", HF_S("registry", serving->request.registry),
           HF_S("name", serving->request.name), HF_S("sha256", serving->request.sha256), HF_D("errno", -r),
           HF_S("error", hf_err_text(hf_mirror_rebuild_err(serving->rebuild), text, sizeof(text))));
    if (r == -EBADMSG || r == -EILSEQ)
        hf_mirror_deltas_blame(&serving->mirror->deltas, serving->origin, serving->request.name,
                               serving->request.sha256);
    if (r != -EILSEQ || !serving->begun) {
        pass_through(serving);
        return;
    }
    if (serving->keep != NULL)
        hf_mirror_keep_finish(hf_steal(serving->keep), false);
    hf_serving_give_up(serving);
}

void hf_made_pump(struct hf_serving *serving)
{
    const int state = hf_mirror_rebuild_state(serving->rebuild); /* before what there is to read */
    char bytes[HF_SERVING_PIECE];
    ssize_t n = 0;
    int r = 0;

    while (state != -EBADMSG && state != -EILSEQ && r == 0 && !serving->full &&
           (n = hf_mirror_rebuild_read(serving->rebuild, bytes, sizeof(bytes), serving->at)) > 0) {
        hf_mirror_call_cancel(hf_steal(serving->call));
        r = deliver(serving, "delta", bytes, (size_t)n);
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

/* ---- the turn ---------------------------------------------------------------------------------------------------- */

static void on_turn(void *arg)
{
    struct hf_serving *serving = arg;
    struct hf_mirror *mirror = serving->mirror;
    const uint64_t now_ns = hf_mono_ns(mirror->p.upstream.clock), quiet_ns = now_ns - serving->since_ns;

    if (mirror->rebuilding == NULL && !start_rebuild(serving)) {
        pass_through(serving);
        return;
    }
    hf_timer_arm(hf_loop_sched(mirror->p.loop), serving->turn, TICK_NS);
    bool arrives = mirror->rebuilding == serving || hf_mirror_rebuild_arrives(mirror->rebuilding->rebuild);
    bool by_link = arrives && strcmp(mirror->rebuilding->origin, serving->origin) == 0;
    if (serving->full || (serving->request.patient && by_link == arrives))
        return;
    if (by_link ? !serving->begun && quiet_ns >= LATE_NS : quiet_ns >= QUIET_NS)
        pass_through(serving);
    else if (by_link && serving->call == NULL && now_ns >= serving->drop_ns)
        ask_drop(serving);
}

/* False: it cannot, or not in time. */
bool hf_made_begin(struct hf_serving *serving)
{
    struct hf_mirror *mirror = serving->mirror;
    const struct hf_mirror_request *request = &serving->request;
    const struct hf_sched_ops *sched = hf_loop_sched(mirror->p.loop);
    const struct hf_mirror_delta *delta = find_delta(serving);

    if (request->kind != HF_MIRROR_BLOB || request->head || request->ranged || delta == NULL)
        return false;
    serving->at = 0;
    serving->end = delta->to_size;
    serving->since_ns = hf_mono_ns(mirror->p.upstream.clock);
    serving->drop_ns = serving->since_ns + FIRST_NS;
    if (mirror->rebuilding == NULL && !start_rebuild(serving))
        return false;
    serving->on_free = end_turn;
    serving->turn = hf_timer_new(sched, on_turn, serving);
    if (serving->turn != NULL)
        hf_timer_arm(sched, serving->turn, TICK_NS);
    else
        end_turn(serving);
    return serving->turn != NULL;
}
