/* SPDX-License-Identifier: Apache-2.0 */
/* What a server may send: the first byte picks a way, the rest is up to it.
 *
 * Ways 0 to 127: the rest is a watch's body. It must mean the same however it is cut. Others: the rest, cut at its first zero
 * byte, is what a server answers to lists and to watches of the whole client, on virtual time; `gone` may only be said of what
 * was told or held before, and never without contact. */
#include <assert.h>

#include "kube/kube.h"
#include "kube/rules/envelope.h"
#include "kube/rules/watch_stream.h"
#include "support/fakes/simnet.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static int note(void *arg, const struct hf_watch_event *event, const struct hf_err *err)
{
    struct hf_buf *text = arg;

    (void)err;
    if (event == NULL)
        return hf_buf_add_str(text, "-\n");
    return hf_buf_addf(text, "%d %s %s %d %d\n", (int)event->type, event->name, event->resource_version,
                       event->initial_end, event->code);
}

static void feed(const uint8_t *bytes, size_t n, size_t piece, struct hf_buf *text)
{
    struct hf_watch_stream stream;

    hf_watch_stream_init(&stream);
    for (size_t at = 0; at < n; at += piece)
        if (hf_watch_stream_feed(&stream, bytes + at, HF_MIN(piece, n - at), note, text) < 0)
            abort();
    hf_watch_stream_done(&stream);
}

static void cut_anywhere(const uint8_t *bytes, size_t n, size_t piece)
{
    _cleanup_(hf_buf_done) struct hf_buf whole = HF_BUF_INIT(64 << 20), cut = HF_BUF_INIT(64 << 20);

    feed(bytes, n, n, &whole);
    feed(bytes, n, piece + 1, &cut);
    if (strcmp(hf_buf_str(&whole), hf_buf_str(&cut)) != 0)
        abort();
}

struct world {
    struct hf_view list, stream;
    json_t *held;
    bool proven;
    unsigned calls;
};

static void serve(void *arg, struct hf_simcall *call)
{
    struct world *world = arg;
    char yes[8];
    struct hf_view text = hf_simcall_query(call, "watch", yes, sizeof(yes)) ? world->stream : world->list;

    world->calls++;
    hf_simcall_respond(
        call, &(struct hf_http_response){.status = 200, .content_length = -1, .content_type = "application/json"});
    if (text.n > 0)
        hf_simcall_send(call, text.p, text.n);
    hf_simcall_end(call);
}

static void on_upsert(void *arg, json_t *object)
{
    if (json_object_set_new(((struct world *)arg)->held, hf_json_str(object, "metadata.name"), json_true()) < 0)
        abort();
}

static void on_gone(void *arg, const char *name)
{
    const struct world *world = arg;

    if (!world->proven || json_object_del(world->held, name) < 0)
        abort();
}

static void on_contact(void *arg, enum hf_contact_kind kind, struct hf_server_date date, const struct hf_err *err)
{
    (void)date;
    if (kind == HF_CONTACT_LOST && err == NULL)
        abort();
    ((struct world *)arg)->proven = kind == HF_CONTACT_PROVEN;
}

static void whole_client(struct world *world, enum hf_kube_api api, size_t chunk)
{
    struct hf_simloop *loop = hf_simloop_new(7);
    struct hf_simnet *net = hf_simnet_new(loop);
    struct hf_simproc *proc = hf_simproc_new(loop, "node");
    struct hf_simclient *client = hf_simnet_client(net, proc);
    char server[] = "https://api";
    struct hf_kube_config config = {.server = server};
    struct hf_source_sink sink = {.arg = world, .upsert = on_upsert, .gone = on_gone, .contact = on_contact};
    struct hf_kube_params params = {.config = &config,
                                    .api = api,
                                    .field_manager = "m",
                                    .world = hf_simproc_world(proc, NULL),
                                    .http = hf_simclient_ops(client)};
    struct hf_subscription *sub;

    world->held = json_pack("{s:b}", "held", 1);
    hf_simclient_set_link(client, &(struct hf_simlink){.chunk_max = 16 + chunk});
    hf_simnet_serve(net, server, serve, world);
    struct hf_kube *kube = hf_kube_new(&params, NULL);
    const struct hf_source_ops *source = hf_kube_source(kube);
    if (source->subscribe(source->ctx, "EdgeUpdate", NULL, chunk % 2 == 0 ? "" : "50",
                          (const char *const[]){"held", NULL}, &sink, &sub, NULL) < 0)
        abort();
    (void)hf_simloop_run_for(loop, 15 * HF_NS_PER_S);
    if (world->calls > 100) /* whatever it says, it is not asked in a hot loop */
        abort();
    hf_kube_free(kube);
    hf_simclient_free(client);
    hf_simproc_free(proc);
    hf_simnet_free(net);
    hf_simloop_free(loop);
    json_decref(world->held);
}

/* A list that parses as one tree has the same items when it is taken apart. */
static void taken_apart(struct hf_view list)
{
    static const struct hf_json_limits limits = {.max_bytes = 64 << 20};
    _cleanup_(hf_json_freep) json_t *whole = NULL, *rest = NULL;
    struct hf_view items, text;
    size_t n = 0;

    bool apart = hf_envelope_list(list, &rest, &items, NULL) == 0;
    if (hf_json_parse(list, &limits, &whole, NULL) < 0 || !json_is_object(whole))
        return;
    if (!apart)
        abort();
    const json_t *array = json_object_get(whole, "items");
    for (; hf_envelope_next_item(&items, &text); n++) {
        _cleanup_(hf_json_freep) json_t *item = NULL;
        struct hf_envelope_identity identity;
        if (hf_json_parse(text, &limits, &item, NULL) < 0 || !json_equal(item, json_array_get(array, n)))
            abort();
        if (hf_envelope_identify(text, &identity) == 0 &&
            strcmp(identity.name, hf_json_str_or(item, "metadata.name", "")) != 0)
            abort();
    }
    if (n != json_array_size(array))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n < 2)
        return 0;
    uint8_t way = *bytes++;
    n--;
    if (way < 128) {
        cut_anywhere(bytes, n, way);
        return 0;
    }
    const uint8_t *zero = memchr(bytes, 0, n);
    size_t first = zero != NULL ? (size_t)(zero - bytes) : n;
    struct world world = {.list = {(const char *)bytes, first}};
    taken_apart(world.list);
    if (zero != NULL)
        world.stream = (struct hf_view){(const char *)zero + 1, n - first - 1};
    whole_client(&world, way < 192 ? HF_KUBE_APISERVER : HF_KUBE_METASERVER, way % 64);
    return 0;
}
