/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fakes/simnet.h"

#include <assert.h>
#include <errno.h>
#include <strings.h>

#include "base/list.h"

struct server {
    struct hf_list link;
    char *prefix;
    void (*handle)(void *arg, struct hf_simcall *call);
    void *arg;
    enum hf_simserver_state state;
    uint64_t silent_since;
};

struct hf_simnet {
    struct hf_simloop *loop;
    struct hf_simproc *proc; /* owner of the network's own timers */
    struct hf_list servers;
    struct hf_list clients;
    struct hf_list calls; /* all that either half still holds */
    int64_t date_offset;
    uint64_t answer_limit_ns;            /* 0: none */
    int64_t valid_from_s, valid_until_s; /* the servers' certificates */
};

struct hf_simclient {
    struct hf_list link;
    struct hf_simnet *net;
    struct hf_simproc *proc;
    struct hf_http_ops ops;
    struct hf_simlink quality;
    enum hf_simlink_state state;
    uint64_t cut_since;
    uint64_t started;
    uint64_t idle_limit, last_byte; /* of a proxy on the way; 0: no limit */
    struct hf_timer *idle;
    const struct hf_clock_ops *clock; /* NULL: certificates do not matter */
};

enum piece_kind { PIECE_RESPONSE, PIECE_BYTES, PIECE_END };

/* One thing on its way from server to client. */
struct piece {
    struct hf_list link;
    enum piece_kind kind;
    uint64_t at;
    int r; /* of PIECE_END */
    struct hf_http_response response;
    size_t n;
    char bytes[];
};

struct hf_simcall {
    struct hf_list link;
    struct hf_simnet *net;
    struct hf_simclient *client; /* NULL: a duplicate, or its client was freed */
    struct server *server;       /* NULL: nobody serves this URL */
    char *client_name;
    char *method, *url;
    char *headers[HF_HTTP_MAX_HEADERS];
    struct hf_buf body;
    struct hf_http_request request; /* callbacks and limits only: its pointers are not used */
    unsigned refs;                  /* client half, server half, a callback that runs */
    bool client_open, server_open;
    bool arrived, responded, paused, marked;
    uint64_t started, last_byte, last_delivery;
    uint64_t lost_since; /* its server lost power and with it the connection; 0 not */
    struct hf_http_response response;
    struct hf_buf collected;
    struct hf_list pieces;
    struct hf_timer *arrival; /* of the request; later, of the news that the client is gone */
    struct hf_timer *delivery, *deadline;
    void (*gone)(void *arg, struct hf_simcall *call);
    void *gone_arg;
};

static void rearm(struct hf_simcall *call);

static const struct hf_sched_ops *sched_of(const struct hf_simnet *net)
{
    return hf_simproc_sched(net->proc);
}

static uint64_t now_of(const struct hf_simnet *net)
{
    return hf_simloop_now_ns(net->loop);
}

static void *must(void *pointer)
{
    if (pointer == NULL)
        abort();
    return pointer;
}

/* ---- a call's life ------------------------------------------------------------------------------------------------ */

static void drop_pieces(struct hf_simcall *call)
{
    while (!hf_list_empty(&call->pieces)) {
        struct piece *piece = hf_container_of(call->pieces.next, struct piece, link);
        hf_list_remove(&piece->link);
        free(piece);
    }
}

static void unref(struct hf_simcall *call)
{
    if (--call->refs > 0)
        return;
    const struct hf_sched_ops *sched = sched_of(call->net);
    drop_pieces(call);
    hf_timer_free(sched, call->arrival);
    hf_timer_free(sched, call->delivery);
    hf_timer_free(sched, call->deadline);
    hf_list_remove(&call->link);
    for (size_t i = 0; i < HF_HTTP_MAX_HEADERS; i++)
        free(call->headers[i]);
    free(call->client_name);
    free(call->method);
    free(call->url);
    hf_buf_done(&call->body);
    hf_buf_done(&call->collected);
    free(call);
}

static void close_server_half(struct hf_simcall *call, bool tell)
{
    if (!call->server_open)
        return;
    call->server_open = false;
    if (tell && call->gone != NULL)
        call->gone(call->gone_arg, call);
    unref(call);
}

/* The client's half has ended; the server learns it one delay later, or when the link is healed. */
static void close_client_half(struct hf_simcall *call)
{
    const struct hf_sched_ops *sched = sched_of(call->net);

    if (!call->client_open)
        return;
    call->client_open = false;
    drop_pieces(call);
    hf_timer_disarm(sched, call->delivery);
    hf_timer_disarm(sched, call->deadline);
    if (!call->arrived) {
        hf_timer_disarm(sched, call->arrival);
        close_server_half(call, false);
    } else if (call->server_open) {
        hf_timer_arm(sched, call->arrival, HF_NS_PER_MS);
    }
    unref(call);
}

/* End the client's half with `done`. */
static void finish(struct hf_simcall *call, int r)
{
    struct hf_http_request request = call->request;
    struct hf_err err = HF_ERR_INIT;

    if (!call->client_open)
        return;
    if (r < 0)
        (void)hf_err_sys(&err, r, "%s '%s'", call->method, call->url);
    call->refs++;
    bool dead = hf_simproc_dead(call->client->proc);
    close_client_half(call);
    if (!dead)
        request.done(request.arg, r, call->responded ? &call->response : NULL, hf_buf_view(&call->collected),
                     r < 0 ? &err : NULL);
    unref(call);
}

/* ---- from server to client ---------------------------------------------------------------------------------------- */

static uint64_t link_delay(struct hf_simclient *client)
{
    const struct hf_simlink *q = &client->quality;

    return q->delay_min_ns + hf_simloop_below(client->net->loop, q->delay_max_ns - q->delay_min_ns + 1);
}

static bool happens(struct hf_simnet *net, unsigned ppm)
{
    return ppm > 0 && hf_simloop_below(net->loop, 1000000) < ppm;
}

static bool same_origin(const struct hf_simcall *a, const struct hf_simcall *b)
{
    return a->client == b->client && a->server == b->server;
}

/* The connection under `call` dies: every call on it ends with r. */
static void break_connection(struct hf_simcall *call, int r)
{
    struct hf_simnet *net = call->net;
    struct hf_list *it, *next;

    call->refs++;
    for (bool again = true; again;) {
        again = false;
        hf_list_each(it, next, &net->calls) {
            struct hf_simcall *other = hf_container_of(it, struct hf_simcall, link);
            if (other->client_open && same_origin(other, call)) {
                finish(other, r);
                again = true; /* `done` may have ended others */
                break;
            }
        }
    }
    unref(call);
}

static int give_response(struct hf_simcall *call, const struct piece *piece)
{
    call->response = piece->response;
    call->responded = true;
    return call->request.on_response != NULL ? call->request.on_response(call->request.arg, &call->response) : 0;
}

static int give_bytes(struct hf_simcall *call, const struct piece *piece)
{
    if (call->request.on_body != NULL)
        return call->request.on_body(call->request.arg, piece->bytes, piece->n);
    return hf_buf_add(&call->collected, piece->bytes, piece->n);
}

/* Hand the next piece to the client; the client may end or cancel the call in there. */
static void deliver_one(struct hf_simcall *call)
{
    struct piece *piece = hf_container_of(call->pieces.next, struct piece, link);
    int r = 0;

    hf_list_remove(&piece->link);
    call->last_byte = call->client->last_byte = now_of(call->net);
    if (happens(call->net, call->client->quality.break_ppm))
        break_connection(call, -EPIPE);
    else if (piece->kind == PIECE_END)
        finish(call, piece->r);
    else
        r = piece->kind == PIECE_RESPONSE ? give_response(call, piece) : give_bytes(call, piece);
    if (r < 0 && call->client_open)
        finish(call, r);
    free(piece);
}

/* Whether bytes reach the client now. */
static bool flows(const struct hf_simcall *call)
{
    return call->client->state == HF_SIM_LINK_UP &&
           (call->server == NULL || call->server->state != HF_SIM_SERVER_FROZEN);
}

static void delivery_fires(void *arg)
{
    struct hf_simcall *call = arg;

    call->refs++;
    if (call->client_open && !hf_list_empty(&call->pieces) && !call->paused && flows(call) &&
        !hf_simproc_dead(call->client->proc))
        deliver_one(call);
    if (call->client_open)
        rearm(call);
    unref(call);
}

static void queue_piece(struct hf_simcall *call, struct piece *piece)
{
    uint64_t now = now_of(call->net), rate = call->client->quality.bytes_per_s, limit = call->request.bandwidth_limit;

    piece->at = HF_MAX(now + link_delay(call->client), call->last_delivery);
    if (limit > 0 && (rate == 0 || limit < rate))
        rate = limit;
    if (rate > 0)
        piece->at += (uint64_t)piece->n * HF_NS_PER_S / rate;
    call->last_delivery = piece->at;
    hf_list_append(&call->pieces, &piece->link);
    rearm(call);
}

static struct piece *new_piece(enum piece_kind kind, const void *bytes, size_t n)
{
    struct piece *piece = must(calloc(1, sizeof(*piece) + n));

    piece->kind = kind;
    piece->n = n;
    if (n > 0)
        memcpy(piece->bytes, bytes, n);
    return piece;
}

void hf_simcall_mark(struct hf_simcall *call)
{
    call->marked = true;
}

void hf_simcall_respond(struct hf_simcall *call, const struct hf_http_response *response)
{
    if (!call->client_open)
        return;
    struct piece *piece = new_piece(PIECE_RESPONSE, NULL, 0);
    piece->response = *response;
    piece->response.has_audit_id |= call->marked;
    if (piece->response.date_unix_ns == 0)
        piece->response.date_unix_ns = HF_SIM_UNIX_START + now_of(call->net) + (uint64_t)call->net->date_offset;
    queue_piece(call, piece);
}

void hf_simcall_send(struct hf_simcall *call, const void *bytes, size_t n)
{
    const char *p = bytes;

    while (call->client_open && n > 0) {
        size_t chunk = call->client->quality.chunk_max;
        if (chunk > 0)
            chunk = 1 + (size_t)hf_simloop_below(call->net->loop, chunk);
        if (chunk == 0 || chunk > n)
            chunk = n;
        queue_piece(call, new_piece(PIECE_BYTES, p, chunk));
        p += chunk;
        n -= chunk;
    }
}

void hf_simcall_fail(struct hf_simcall *call, int r)
{
    if (call->client_open) {
        struct piece *piece = new_piece(PIECE_END, NULL, 0);
        piece->r = r;
        queue_piece(call, piece);
    }
    close_server_half(call, false);
}

void hf_simcall_cut(struct hf_simcall *call, uint64_t left_ns, int r)
{
    uint64_t last = now_of(call->net) + left_ns;

    while (!hf_list_empty(&call->pieces)) {
        struct piece *piece = hf_container_of(call->pieces.prev, struct piece, link);
        if (piece->at <= last)
            break;
        hf_list_remove(&piece->link);
        free(piece);
    }
    call->last_delivery = HF_MIN(call->last_delivery, last);
    hf_simcall_fail(call, r);
}

void hf_simcall_end(struct hf_simcall *call)
{
    hf_simcall_fail(call, 0);
}

void hf_simcall_reply(struct hf_simcall *call, int status, const char *content_type, const char *body)
{
    struct hf_http_response response = {.status = status, .content_length = (int64_t)strlen(body)};
    uint64_t limit_ns = call->net->answer_limit_ns;

    (void)snprintf(response.content_type, sizeof(response.content_type), "%s", content_type);
    hf_simcall_respond(call, &response);
    hf_simcall_send(call, body, strlen(body));
    if (limit_ns > 0 && call->last_delivery > now_of(call->net) + limit_ns)
        hf_simcall_cut(call, limit_ns, -EPIPE);
    else
        hf_simcall_end(call);
}

void hf_simcall_on_gone(struct hf_simcall *call, void (*gone)(void *arg, struct hf_simcall *call), void *arg)
{
    call->gone = gone;
    call->gone_arg = arg;
}

/* ---- timeouts ----------------------------------------------------------------------------------------------------- */

/* Since when nothing can have been heard on the call's connection; HF_NEVER when it lives. */
static uint64_t quiet_since(const struct hf_simcall *call)
{
    uint64_t since = HF_NEVER;

    if (call->lost_since != 0) /* the machine is up again and knows nothing of this connection */
        since = call->lost_since;
    else if (call->client->state != HF_SIM_LINK_UP)
        since = call->client->cut_since;
    else if (call->server != NULL && call->server->state == HF_SIM_SERVER_SILENT)
        since = call->server->silent_since;
    return since == HF_NEVER ? since : HF_MAX(since, call->started);
}

/* A connection is there already: no connect timeout applies. */
static bool warm(const struct hf_simcall *call)
{
    for (struct hf_list *it = call->net->calls.next; it != &call->net->calls; it = it->next) {
        const struct hf_simcall *other = hf_container_of(it, struct hf_simcall, link);
        if (other != call && other->client_open && other->arrived && same_origin(other, call))
            return true;
    }
    return false;
}

static uint64_t plus(uint64_t at, uint64_t ns)
{
    return at == HF_NEVER || ns == 0 ? HF_NEVER : at + ns;
}

static uint64_t keepalive_deadline(const struct hf_simcall *call)
{
    return call->arrived ? plus(quiet_since(call), HF_HTTP_KEEPALIVE_S * HF_NS_PER_S) : HF_NEVER;
}

static uint64_t other_deadline(const struct hf_simcall *call)
{
    uint64_t at = plus(call->started, call->request.timeout_ns);

    if (!call->arrived && !warm(call))
        at = HF_MIN(at, call->started + (call->request.connect_timeout_ns > 0 ? call->request.connect_timeout_ns
                                                                              : 10 * HF_NS_PER_S));
    if (!call->paused)
        at = HF_MIN(at, plus(call->last_byte, call->request.idle_timeout_ns));
    return at;
}

static void deadline_fires(void *arg)
{
    struct hf_simcall *call = arg;
    uint64_t now = now_of(call->net);

    if (!call->client_open)
        return;
    if (now >= keepalive_deadline(call))
        break_connection(call, -ETIMEDOUT);
    else if (now >= other_deadline(call))
        finish(call, -ETIMEDOUT);
    else
        rearm(call);
}

static void arm_at(struct hf_simnet *net, struct hf_timer *timer, uint64_t at)
{
    const struct hf_sched_ops *sched = sched_of(net);
    uint64_t now = now_of(net);

    if (at == HF_NEVER)
        hf_timer_disarm(sched, timer);
    else
        hf_timer_arm(sched, timer, at > now ? at - now : 0);
}

static void rearm(struct hf_simcall *call)
{
    uint64_t delivery = HF_NEVER;

    if (!hf_list_empty(&call->pieces) && !call->paused && flows(call))
        delivery = hf_container_of(call->pieces.next, struct piece, link)->at;
    arm_at(call->net, call->delivery, delivery);
    arm_at(call->net, call->deadline, HF_MIN(keepalive_deadline(call), other_deadline(call)));
}

/* ---- from client to server ---------------------------------------------------------------------------------------- */

static struct server *server_for(const struct hf_simnet *net, const char *url)
{
    struct server *best = NULL;

    for (struct hf_list *it = net->servers.next; it != &net->servers; it = it->next) {
        struct server *server = hf_container_of(it, struct server, link);
        size_t n = strlen(server->prefix);
        if (strncmp(url, server->prefix, n) == 0 && (best == NULL || n > strlen(best->prefix)))
            best = server;
    }
    return best;
}

static void arrival_fires(void *arg);

static struct hf_simcall *copy_call(struct hf_simnet *net, const struct hf_simcall *from)
{
    struct hf_simcall *call = must(calloc(1, sizeof(*call)));
    const struct hf_sched_ops *sched = sched_of(net);

    call->net = net;
    call->method = must(strdup(from->method));
    call->url = must(strdup(from->url));
    call->client_name = must(strdup(from->client_name));
    for (size_t i = 0; i < HF_HTTP_MAX_HEADERS && from->headers[i] != NULL; i++)
        call->headers[i] = must(strdup(from->headers[i]));
    call->body.max = SIZE_MAX / 2;
    call->collected.max = SIZE_MAX / 2;
    if (from->body.n > 0 && hf_buf_add(&call->body, from->body.p, from->body.n) < 0)
        abort();
    call->server = from->server;
    call->started = call->last_byte = now_of(net);
    hf_list_init(&call->pieces);
    hf_list_append(&net->calls, &call->link);
    call->arrival = hf_timer_new(sched, arrival_fires, call);
    call->delivery = hf_timer_new(sched, delivery_fires, call);
    call->deadline = hf_timer_new(sched, deadline_fires, call);
    return call;
}

/* The request once more, by somebody nobody listens to. */
static void deliver_duplicate(const struct hf_simcall *call)
{
    struct hf_simcall *twin = copy_call(call->net, call);

    twin->refs = 1;
    twin->server_open = true;
    twin->arrived = true;
    twin->server->handle(twin->server->arg, twin);
}

static bool refuses_certificate(const struct hf_simcall *call)
{
    const struct hf_clock_ops *clock = call->client->clock;

    if (clock == NULL || call->net->valid_until_s == 0 || strncmp(call->url, "https:", 6) != 0)
        return false;
    struct hf_time_range range = hf_clock_range(clock);
    return hf_time_distance_s(&range, call->net->valid_from_s, call->net->valid_until_s) != 0;
}

static void arrival_fires(void *arg)
{
    struct hf_simcall *call = arg;
    const struct server *server = call->server;

    if (!call->client_open) { /* the news that the client is gone */
        if (call->client == NULL || call->client->state == HF_SIM_LINK_UP)
            close_server_half(call, true);
        return;
    }
    if (hf_simproc_dead(call->client->proc))
        return;
    if (call->client->state == HF_SIM_LINK_DOWN && !warm(call)) {
        finish(call, -EHOSTUNREACH);
    } else if (call->client->state != HF_SIM_LINK_UP ||
               (server != NULL && (server->state == HF_SIM_SERVER_SILENT || server->state == HF_SIM_SERVER_FROZEN))) {
        rearm(call); /* waits for its timeout, or for the healing */
    } else if (refuses_certificate(call)) {
        finish(call, -EKEYREJECTED);
    } else if (server == NULL || server->state == HF_SIM_SERVER_REFUSING) {
        finish(call, server == NULL ? -EHOSTUNREACH : -ECONNREFUSED);
    } else if (happens(call->net, call->client->quality.break_ppm)) {
        break_connection(call, -EPIPE);
    } else {
        call->arrived = true;
        call->client->last_byte = now_of(call->net);
        call->refs++;
        if (happens(call->net, call->client->quality.duplicate_ppm))
            deliver_duplicate(call);
        server->handle(server->arg, call);
        if (call->client_open)
            rearm(call);
        unref(call);
    }
}

static int sim_start(void *ctx, const struct hf_http_request *request, struct hf_http_call **ret_call,
                     struct hf_err *err)
{
    struct hf_simclient *client = ctx;
    struct hf_simnet *net = client->net;
    const struct hf_sched_ops *sched = sched_of(net);

    if (hf_simproc_dead(client->proc))
        return hf_err_set(err, ECANCELED, "process '%s' is dead", hf_simproc_name(client->proc));
    assert(request->done != NULL && request->method != NULL && request->url != NULL);
    struct hf_simcall from = {.method = (char *)(uintptr_t)request->method, .url = (char *)(uintptr_t)request->url};
    struct hf_buf body = {.p = (char *)(uintptr_t)request->body.p, .n = request->body.n};
    from.body = body;
    from.client_name = (char *)(uintptr_t)hf_simproc_name(client->proc);
    for (size_t i = 0; i < HF_HTTP_MAX_HEADERS && request->headers[i] != NULL; i++)
        from.headers[i] = (char *)(uintptr_t)request->headers[i];
    from.server = server_for(net, request->url);
    struct hf_simcall *call = copy_call(net, &from);
    call->client = client;
    call->request = *request;
    call->collected.max = request->max_body_bytes > 0 ? request->max_body_bytes : 16u << 20;
    call->refs = 2;
    call->client_open = call->server_open = true;
    client->started++;
    hf_timer_arm(sched, call->arrival, link_delay(client));
    rearm(call);
    *ret_call = (struct hf_http_call *)(void *)call;
    return 0;
}

static void sim_cancel(void *ctx, struct hf_http_call *handle)
{
    struct hf_simcall *call = (struct hf_simcall *)(void *)handle;

    (void)ctx;
    if (call != NULL)
        close_client_half(call);
}

static void sim_pause(void *ctx, struct hf_http_call *handle, bool paused)
{
    struct hf_simcall *call = (struct hf_simcall *)(void *)handle;

    (void)ctx;
    call->paused = paused;
    call->last_byte = now_of(call->net);
    rearm(call);
}

/* ---- the network -------------------------------------------------------------------------------------------------- */

struct hf_simnet *hf_simnet_new(struct hf_simloop *loop)
{
    struct hf_simnet *net = must(calloc(1, sizeof(*net)));

    net->loop = loop;
    net->proc = hf_simproc_new(loop, "network");
    hf_list_init(&net->servers);
    hf_list_init(&net->clients);
    hf_list_init(&net->calls);
    return net;
}

void hf_simnet_free(struct hf_simnet *net)
{
    if (net == NULL)
        return;
    assert(hf_list_empty(&net->clients));
    while (!hf_list_empty(&net->calls)) {
        struct hf_simcall *call = hf_container_of(net->calls.next, struct hf_simcall, link);
        call->refs = 1;
        unref(call);
    }
    while (!hf_list_empty(&net->servers)) {
        struct server *server = hf_container_of(net->servers.next, struct server, link);
        hf_list_remove(&server->link);
        free(server->prefix);
        free(server);
    }
    hf_simproc_free(net->proc);
    free(net);
}

static struct server *server_named(struct hf_simnet *net, const char *prefix)
{
    struct hf_list *it, *next;

    hf_list_each(it, next, &net->servers) {
        struct server *server = hf_container_of(it, struct server, link);
        if (strcmp(server->prefix, prefix) == 0)
            return server;
    }
    return NULL;
}

void hf_simnet_serve(struct hf_simnet *net, const char *prefix, void (*handle)(void *arg, struct hf_simcall *call),
                     void *arg)
{
    struct server *server = server_named(net, prefix);

    if (server == NULL) {
        server = must(calloc(1, sizeof(*server)));
        server->prefix = must(strdup(prefix));
        hf_list_append(&net->servers, &server->link);
    }
    server->handle = handle;
    server->arg = arg;
}

/* One open server half of `server`, or NULL. */
static struct hf_simcall *held_by(struct hf_simnet *net, const struct server *server)
{
    struct hf_list *it, *next;

    hf_list_each(it, next, &net->calls) {
        struct hf_simcall *call = hf_container_of(it, struct hf_simcall, link);
        if (call->server == server && call->server_open && call->arrived)
            return call;
    }
    return NULL;
}

static void rearm_all(struct hf_simnet *net)
{
    struct hf_list *it, *next;
    const struct hf_sched_ops *sched = sched_of(net);

    hf_list_each(it, next, &net->calls) {
        struct hf_simcall *call = hf_container_of(it, struct hf_simcall, link);
        if (!call->client_open)
            continue;
        if (!call->arrived) /* tries again: its packets are repeated */
            hf_timer_arm(sched, call->arrival, link_delay(call->client));
        rearm(call);
    }
}

void hf_simnet_set_server(struct hf_simnet *net, const char *prefix, enum hf_simserver_state state)
{
    struct server *server = server_named(net, prefix);

    assert(server != NULL);
    server->state = state;
    server->silent_since = now_of(net);
    bool ends = state == HF_SIM_SERVER_REFUSING || state == HF_SIM_SERVER_SILENT;
    for (struct hf_simcall *call; ends && (call = held_by(net, server)) != NULL;) {
        if (state == HF_SIM_SERVER_REFUSING && call->client_open) {
            struct piece *piece = new_piece(PIECE_END, NULL, 0);
            piece->r = -EPIPE;
            queue_piece(call, piece);
        } else if (call->client_open) {
            call->lost_since = now_of(net);
        }
        close_server_half(call, true);
    }
    rearm_all(net);
}

static void idle_fires(void *arg)
{
    struct hf_simclient *client = arg;
    uint64_t now = now_of(client->net);

    if (now - client->last_byte >= client->idle_limit) {
        client->last_byte = now;
        hf_simclient_break(client);
    }
    arm_at(client->net, client->idle, client->last_byte + client->idle_limit);
}

void hf_simclient_set_idle_limit(struct hf_simclient *client, uint64_t limit_ns)
{
    client->idle_limit = limit_ns;
    client->last_byte = now_of(client->net);
    arm_at(client->net, client->idle, limit_ns > 0 ? client->last_byte + limit_ns : HF_NEVER);
}

struct hf_simclient *hf_simnet_client(struct hf_simnet *net, struct hf_simproc *proc)
{
    struct hf_simclient *client = must(calloc(1, sizeof(*client)));

    client->net = net;
    client->proc = proc;
    client->quality = (struct hf_simlink){.delay_min_ns = HF_NS_PER_MS, .delay_max_ns = HF_NS_PER_MS};
    client->ops = (struct hf_http_ops){.ctx = client, .start = sim_start, .cancel = sim_cancel, .pause = sim_pause};
    client->idle = hf_timer_new(sched_of(net), idle_fires, client);
    hf_list_append(&net->clients, &client->link);
    return client;
}

void hf_simclient_free(struct hf_simclient *client)
{
    struct hf_list *it, *next;

    if (client == NULL)
        return;
    hf_list_each(it, next, &client->net->calls) {
        struct hf_simcall *call = hf_container_of(it, struct hf_simcall, link);
        assert(call->client != client || !call->client_open);
        if (call->client == client)
            call->client = NULL;
    }
    hf_timer_free(sched_of(client->net), client->idle);
    hf_list_remove(&client->link);
    free(client);
}

const struct hf_http_ops *hf_simclient_ops(struct hf_simclient *client)
{
    return &client->ops;
}

void hf_simnet_set_answer_limit(struct hf_simnet *net, uint64_t limit_ns)
{
    net->answer_limit_ns = limit_ns;
}

void hf_simnet_set_date_offset(struct hf_simnet *net, int64_t offset_ns)
{
    net->date_offset = offset_ns;
}

void hf_simnet_set_certificate(struct hf_simnet *net, int64_t from_s, int64_t until_s)
{
    net->valid_from_s = from_s;
    net->valid_until_s = until_s;
}

void hf_simclient_set_clock(struct hf_simclient *client, const struct hf_clock_ops *clock)
{
    client->clock = clock;
}

void hf_simclient_set_link(struct hf_simclient *client, const struct hf_simlink *link)
{
    assert(link->delay_max_ns >= link->delay_min_ns);
    client->quality = *link;
}

void hf_simclient_set_state(struct hf_simclient *client, enum hf_simlink_state state)
{
    const struct hf_sched_ops *sched = sched_of(client->net);
    struct hf_list *it, *next;

    client->state = state;
    client->cut_since = now_of(client->net);
    rearm_all(client->net);
    if (state != HF_SIM_LINK_UP)
        return;
    hf_list_each(it, next, &client->net->calls) {
        struct hf_simcall *call = hf_container_of(it, struct hf_simcall, link);
        if (call->client == client && !call->client_open && call->server_open)
            hf_timer_arm(sched, call->arrival, HF_NS_PER_MS);
    }
}

void hf_simclient_break(struct hf_simclient *client)
{
    struct hf_simnet *net = client->net;
    struct hf_list *it, *next;

    for (bool again = true; again;) {
        again = false;
        hf_list_each(it, next, &net->calls) {
            struct hf_simcall *call = hf_container_of(it, struct hf_simcall, link);
            if (call->client == client && call->client_open) {
                break_connection(call, -EPIPE);
                again = true;
                break;
            }
        }
    }
}

size_t hf_simclient_calls(const struct hf_simclient *client)
{
    size_t n = 0;

    for (struct hf_list *it = client->net->calls.next; it != &client->net->calls; it = it->next) {
        const struct hf_simcall *call = hf_container_of(it, struct hf_simcall, link);
        n += call->client == client && call->client_open;
    }
    return n;
}

uint64_t hf_simclient_started(const struct hf_simclient *client)
{
    return client->started;
}

/* ---- what a server reads ------------------------------------------------------------------------------------------ */

const char *hf_simcall_method(const struct hf_simcall *call)
{
    return call->method;
}

const char *hf_simcall_url(const struct hf_simcall *call)
{
    return call->url;
}

const char *hf_simcall_target(const struct hf_simcall *call)
{
    const char *host = strstr(call->url, "://");
    const char *path = strchr(host != NULL ? host + 3 : call->url, '/');

    return path != NULL ? path : "/";
}

const char *hf_simcall_header(const struct hf_simcall *call, const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < HF_HTTP_MAX_HEADERS && call->headers[i] != NULL; i++)
        if (strncasecmp(call->headers[i], name, n) == 0 && call->headers[i][n] == ':')
            return call->headers[i] + n + 1 + strspn(call->headers[i] + n + 1, " ");
    return NULL;
}

struct hf_view hf_simcall_body(const struct hf_simcall *call)
{
    return hf_buf_view(&call->body);
}

const char *hf_simcall_client(const struct hf_simcall *call)
{
    return call->client_name;
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c | 0x20) : NULL;

    return at != NULL ? (int)(at - digits) : -1;
}

static void percent_decode(struct hf_view text, char *value, size_t n)
{
    size_t used = 0;

    for (size_t i = 0; i < text.n && used + 1 < n; i++) {
        int high = i + 2 < text.n ? hex_digit(text.p[i + 1]) : -1, low = high >= 0 ? hex_digit(text.p[i + 2]) : -1;
        if (text.p[i] == '%' && low >= 0) {
            value[used++] = (char)(high * 16 + low);
            i += 2;
        } else {
            value[used++] = text.p[i];
        }
    }
    value[used] = '\0';
}

bool hf_simcall_query(const struct hf_simcall *call, const char *key, char *value, size_t n)
{
    const char *question = strchr(call->url, '?');
    struct hf_view rest = hf_view_of(question != NULL ? question + 1 : ""), pair, name;

    while (hf_view_split(&rest, '&', &pair)) {
        if (!hf_view_split(&pair, '=', &name) || !hf_view_eq(name, key))
            continue;
        percent_decode(pair, value, n);
        return true;
    }
    return false;
}

bool hf_simcall_is(const struct hf_simcall *call, const char *path)
{
    const char *target = hf_simcall_target(call);
    size_t n = strcspn(target, "?");

    return strlen(path) == n && memcmp(target, path, n) == 0;
}
