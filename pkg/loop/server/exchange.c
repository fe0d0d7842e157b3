/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and replies of the local servers, as libwebsockets reports them. connections.c accepts the connections.
 *
 * lws parses requests and keeps time-outs; each reply goes out from memory. lws calls back for a connection in this
 * order: BIND_PROTOCOL, HTTP, (BODY ..., BODY_COMPLETION,) WRITEABLE ..., DROP_PROTOCOL, and again for the next
 * request; WSI_DESTROY at the end.
 *
 * For a later answer the handler keeps a struct hf_server_exchange. It and the connection's struct exchange point at
 * each other until one of them ends; the answer waits in it until lws reports that the connection is writable.
 *
 * A refused request is answered after its body, which is read and kept nowhere: a client that still writes when its
 * connection closes loses the answer. Only a body of unknown length or of more than MAX_DISCARDED bytes, and one that
 * the client holds back ("Expect: 100-continue"), is not read: the connection closes after the answer. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "loop/server/guard.h"
#include "loop/server/internal.h"

enum {
    MAX_REPLY_BYTES = 4 << 20,
    MAX_HEAD_BYTES = 1024, /* head of a reply, without its extra headers */
    SHORT_REPLY = 1024,    /* a body of up to this goes out with the head */
    PIECE_BYTES = 16384,   /* part of a body for one call of lws */
    MAX_GUARDED = 512,     /* longest Host or Origin that can be allowed */
    MAX_DISCARDED = 16 << 20,
};

struct refusal {
    int status; /* 0: none */
    const char *text;
    const char *header; /* or NULL */
};

/* One request; lws zeroes it at its begin. */
struct exchange {
    const struct hf_server_route *route;
    struct hf_server *server;
    struct hf_server_connection *connection;
    struct hf_server_exchange *later; /* the handler has it and has not answered yet, or the answer waits in it */
    struct hf_buf body;
    struct hf_buf reply;
    size_t expected; /* length of the body */
    size_t counted;  /* its part of server->bodies_bytes */
    size_t sent;
    uint64_t body_until_ns; /* uv_hrtime() */
    bool replying;
    bool close; /* close after the reply: there may be a body that we did not read */
    struct refusal refusal;
};

struct hf_server_exchange {
    struct lws *wsi; /* NULL: the connection is gone */
    bool starting;   /* inside route->start */
    bool answered;
    struct hf_server_reply reply;
    char *texts; /* memory of reply.content_type and extra_headers */
};

/* ---- reading the request ----------------------------------------------------------------------------------------- */

static const struct {
    enum lws_token_indexes token;
    const char *method;
} methods[] = {
    {WSI_TOKEN_GET_URI, "GET"},         {WSI_TOKEN_POST_URI, "POST"},     {WSI_TOKEN_PUT_URI, "PUT"},
    {WSI_TOKEN_PATCH_URI, "PATCH"},     {WSI_TOKEN_DELETE_URI, "DELETE"}, {WSI_TOKEN_HEAD_URI, "HEAD"},
    {WSI_TOKEN_OPTIONS_URI, "OPTIONS"},
};

static const char *method_of(struct lws *wsi)
{
    for (size_t i = 0; i < HF_LEN(methods); i++)
        if (lws_hdr_total_length(wsi, methods[i].token) > 0)
            return methods[i].method;
    return "";
}

/* lws cuts the query at each '&'; put it together again. */
static void copy_query(struct lws *wsi, char *query, size_t n)
{
    size_t used = 0;

    query[0] = '\0';
    for (int i = 0; used < n; i++) {
        int piece = lws_hdr_copy_fragment(wsi, query + used + (i > 0), (int)(n - used - 1), WSI_TOKEN_HTTP_URI_ARGS, i);
        if (piece < 0)
            break;
        if (i > 0)
            query[used] = '&';
        used += (size_t)piece + (i > 0);
    }
    query[HF_MIN(used, n - 1)] = '\0';
}

/* ---- answering --------------------------------------------------------------------------------------------------- */

static int add_extra(struct lws *wsi, const char *header, unsigned char **at, unsigned char *end)
{
    const char *colon = strchr(header, ':');
    char name[64];

    if (colon == NULL || (size_t)(colon - header) >= sizeof(name) - 1)
        return -1;
    (void)snprintf(name, sizeof(name), "%.*s:", (int)(colon - header), header);
    const char *value = colon + 1 + strspn(colon + 1, " ");
    return lws_add_http_header_by_name(wsi, (const unsigned char *)name, (const unsigned char *)value,
                                       (int)strlen(value), at, end);
}

/* Writes the head, with the body if it is short: one write, one packet. */
static int write_head(struct lws *wsi, struct exchange *exchange, const struct hf_server_reply *reply, bool with_body)
{
    unsigned char head[LWS_PRE + MAX_HEAD_BYTES + 4 * 512 + SHORT_REPLY];
    unsigned char *start = head + LWS_PRE, *at = start, *end = head + sizeof(head) - SHORT_REPLY - 1;

    if (lws_add_http_common_headers(wsi, (unsigned)reply->status, reply->content_type, exchange->reply.n, &at, end) !=
        0)
        return -1;
    if (add_extra(wsi, "Cache-Control: no-store", &at, end) != 0 ||
        add_extra(wsi, "X-Content-Type-Options: nosniff", &at, end) != 0 ||
        (exchange->close && add_extra(wsi, "Connection: close", &at, end) != 0))
        return -1;
    for (size_t i = 0; i < HF_LEN(reply->extra_headers) && reply->extra_headers[i] != NULL; i++)
        if (add_extra(wsi, reply->extra_headers[i], &at, end) != 0)
            return -1;
    if (lws_finalize_http_header(wsi, &at, end) != 0)
        return -1;
    if (with_body && exchange->reply.n > 0 && exchange->reply.n <= SHORT_REPLY) {
        memcpy(at, exchange->reply.p, exchange->reply.n);
        at += exchange->reply.n;
        exchange->sent = exchange->reply.n;
    }
    size_t n = (size_t)(at - start);
    return lws_write(wsi, start, n, LWS_WRITE_HTTP_HEADERS) < (int)n ? -1 : 0;
}

/* Writes the head at once, and the body when lws reports that the connection is writable. Takes reply->body. */
static int begin_reply(struct lws *wsi, struct exchange *exchange, struct hf_server_reply *reply)
{
    bool head_only = lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0;

    exchange->reply = reply->body;
    exchange->replying = true;
    reply->body = (struct hf_buf)HF_BUF_INIT(0);
    if (write_head(wsi, exchange, reply, !head_only) != 0)
        return -1;
    if (head_only)
        hf_buf_clear(&exchange->reply);
    lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, HF_SERVER_IDLE_S);
    lws_callback_on_writable(wsi);
    return 0;
}

static int refuse(struct lws *wsi, struct exchange *exchange)
{
    struct hf_server_reply reply = {
        .status = exchange->refusal.status,
        .content_type = "application/json",
        .extra_headers = {exchange->refusal.header},
        .body = HF_BUF_INIT(256),
    };

    if (hf_buf_addf(&reply.body, "{\"error\":\"%s\"}\n", exchange->refusal.text) < 0)
        return -1;
    return begin_reply(wsi, exchange, &reply);
}

/* Ends `exchange` and waits for the next request. */
static int next_request(const struct hf_server *server, struct lws *wsi)
{
    if (lws_http_transaction_completed(wsi) != 0)
        return -1;
    if (server->limits.idle_s != HF_SERVER_IDLE_S)
        lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_KEEPALIVE_IDLE, (int)server->limits.idle_s);
    return 0;
}

/* Writes the next piece of the body. */
static int continue_reply(struct lws *wsi, struct exchange *exchange)
{
    unsigned char piece[LWS_PRE + PIECE_BYTES];
    size_t n = HF_MIN(exchange->reply.n - exchange->sent, (size_t)PIECE_BYTES);
    bool last = exchange->sent + n == exchange->reply.n;

    if (!exchange->replying)
        return 0;
    if (n > 0) {
        memcpy(piece + LWS_PRE, exchange->reply.p + exchange->sent, n);
        int put = lws_write(wsi, piece + LWS_PRE, n, last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP);
        if (put < (int)n)
            return -1; /* lws buffers what the socket does not accept, so less is an error */
        exchange->sent += n;
        lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, HF_SERVER_IDLE_S);
    }
    if (!last) {
        lws_callback_on_writable(wsi);
        return 0;
    }
    const struct hf_server *server = exchange->server;
    exchange->replying = false;
    hf_loop_worked(server->loop);
    return exchange->close ? -1 : next_request(server, wsi);
}

/* ---- answers that come later ------------------------------------------------------------------------------------- */

static void later_free(struct hf_server_exchange *later)
{
    if (later == NULL)
        return;
    hf_buf_done(&later->reply.body);
    free(later->texts);
    free(later);
}

/* Copies all strings of the answer into one allocation, and the body into the reply's buffer. */
static int keep_answer(struct hf_server_exchange *later, int status, const char *content_type,
                       const char *const *extra_headers, struct hf_view body)
{
    struct hf_server_reply *reply = &later->reply;
    const char *texts[1 + HF_LEN(reply->extra_headers)] = {content_type};
    size_t n_texts = 1, n = strlen(content_type) + 1;

    for (; extra_headers != NULL && n_texts < HF_LEN(texts) && extra_headers[n_texts - 1] != NULL; n_texts++) {
        texts[n_texts] = extra_headers[n_texts - 1];
        n += strlen(texts[n_texts]) + 1;
    }
    later->texts = malloc(n);
    if (later->texts == NULL)
        return -ENOMEM;
    char *at = later->texts;
    for (size_t i = 0; i < n_texts; i++) {
        size_t length = strlen(texts[i]) + 1;
        memcpy(at, texts[i], length);
        if (i == 0)
            reply->content_type = at;
        else
            reply->extra_headers[i - 1] = at;
        at += length;
    }
    reply->status = status;
    reply->body = (struct hf_buf)HF_BUF_INIT(MAX_REPLY_BYTES);
    return hf_buf_add(&reply->body, body.p, body.n);
}

void hf_server_answer(struct hf_server_exchange *later, int status, const char *content_type,
                      const char *const *extra_headers, struct hf_view body)
{
    if (later->wsi == NULL) {
        later_free(later);
        return;
    }
    later->answered = true;
    if (keep_answer(later, status, content_type != NULL ? content_type : "text/plain; charset=utf-8", extra_headers,
                    body) < 0)
        later->reply.status = 0; /* no memory: close the connection */
    if (!later->starting)
        lws_callback_on_writable(later->wsi);
}

static int send_answer(struct lws *wsi, struct exchange *exchange)
{
    struct hf_server_exchange *later = hf_steal(exchange->later);

    exchange->connection->answering = false;
    int r = later->reply.status == 0 || exchange->server->closed ? -1 : begin_reply(wsi, exchange, &later->reply);

    later_free(later);
    return r == 0 && exchange->sent == exchange->reply.n ? continue_reply(wsi, exchange) : r;
}

static int start(struct lws *wsi, struct exchange *exchange, const struct hf_server_request *request)
{
    struct hf_server_exchange *later = calloc(1, sizeof(*later));

    if (later == NULL)
        return -1;
    *later = (struct hf_server_exchange){.wsi = wsi, .starting = true};
    exchange->later = later;
    exchange->connection->answering = true;
    exchange->route->start(exchange->route->arg, request, later);
    later->starting = false;
    lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, HF_SERVER_ANSWER_S);
    return 0;
}

/* ---- the whole request is here ----------------------------------------------------------------------------------- */

static void body_done(struct exchange *exchange)
{
    if (exchange->server != NULL)
        exchange->server->bodies_bytes -= exchange->counted;
    exchange->counted = 0;
    hf_buf_done(&exchange->body);
}

/* Returns false if the header is too long. */
static bool copy_header(struct lws *wsi, enum lws_token_indexes token, char *text, size_t n)
{
    text[0] = '\0';
    return lws_hdr_total_length(wsi, token) <= 0 || lws_hdr_copy(wsi, text, (int)n, token) >= 0;
}

bool hf_server_header(const struct hf_server_request *request, const char *name, char *text, size_t n)
{
    struct lws *wsi = request->lws;
    int name_n = (int)strlen(name);

    text[0] = '\0';
    return lws_hdr_custom_length(wsi, name, name_n) <= 0 || lws_hdr_custom_copy(wsi, text, (int)n, name, name_n) >= 0;
}

static int handle(struct lws *wsi, struct exchange *exchange)
{
    const struct hf_server_route *route = exchange->route;
    char type[128], encoding[64], query[2048];
    struct hf_server_reply reply = {
        .status = 200, .content_type = "text/plain; charset=utf-8", .body = HF_BUF_INIT(MAX_REPLY_BYTES)};

    if (!copy_header(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, type, sizeof(type)) ||
        !copy_header(wsi, WSI_TOKEN_HTTP_CONTENT_ENCODING, encoding, sizeof(encoding))) {
        body_done(exchange);
        exchange->refusal = (struct refusal){431, "a header is too long", NULL};
        return refuse(wsi, exchange);
    }
    copy_query(wsi, query, sizeof(query));
    const struct hf_server_request request = {
        .method = hf_view_of(route->method),
        .path = hf_view_of(route->path),
        .query = hf_view_of(query),
        .content_type = hf_view_of(type),
        .content_encoding = hf_view_of(encoding),
        .body = hf_buf_view(&exchange->body),
        .peer = &exchange->connection->peer,
        .lws = wsi,
    };
    int r;
    if (route->start != NULL) {
        r = start(wsi, exchange, &request);
    } else {
        route->handle(route->arg, &request, &reply);
        r = begin_reply(wsi, exchange, &reply);
        hf_buf_done(&reply.body);
    }
    body_done(exchange);
    if (r == 0 && exchange->later != NULL && exchange->later->answered)
        r = send_answer(wsi, exchange); /* may end `exchange` */
    return r;
}

/* ---- what lws calls ---------------------------------------------------------------------------------------------- */

/* Finds the route; NULL with *ret_known if the path exists with another method. A GET route also answers HEAD. */
static const struct hf_server_route *find_route(const struct hf_server *server, const char *path, const char *method,
                                                bool *ret_known)
{
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;

    *ret_known = false;
    for (size_t i = 0; i < server->n_routes; i++) {
        if (strcmp(server->routes[i].path, path) != 0)
            continue;
        if (strcmp(server->routes[i].method, wanted) == 0)
            return &server->routes[i];
        *ret_known = true;
    }
    return NULL;
}

/* UINT64_MAX: no number. */
static uint64_t body_length(struct lws *wsi)
{
    char text[32] = "";
    uint64_t n;

    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0)
        return 0;
    if (lws_hdr_copy(wsi, text, (int)sizeof(text), WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0 ||
        hf_parse_u64(text, 0, UINT64_MAX, &n) < 0)
        return UINT64_MAX;
    return n;
}

static bool has_header(struct lws *wsi, enum lws_token_indexes token)
{
    return lws_hdr_total_length(wsi, token) > 0;
}

/* Sends "100 Continue" to clients that wait for it before a long body (curl). */
static int ask_for_body(struct lws *wsi)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    unsigned char line[LWS_PRE + sizeof(go_on)];

    if (!has_header(wsi, WSI_TOKEN_HTTP_EXPECT))
        return 0;
    memcpy(line + LWS_PRE, go_on, sizeof(go_on) - 1);
    return lws_write(wsi, line + LWS_PRE, sizeof(go_on) - 1, LWS_WRITE_HTTP_HEADERS) < 0 ? -1 : 0;
}

/* Copies the value of a header. Returns false if the request does not have it; the value "?" stands for one that is
 * too long. */
static bool header_of(struct lws *wsi, enum lws_token_indexes token, char *text, int n)
{
    if (lws_hdr_total_length(wsi, token) <= 0)
        return false;
    if (lws_hdr_copy(wsi, text, n, token) <= 0)
        (void)snprintf(text, (size_t)n, "?");
    return true;
}

/* A request over loopback must be for this machine, and none may come from a web page of another (guard.h). Returns the
 * text of a refusal and its reason, or NULL. */
static const char *find_foreign(const struct hf_server_connection *connection, struct lws *wsi,
                                enum hf_server_refusal *ret_why)
{
    const struct hf_server *server = connection->server;
    char origin[MAX_GUARDED], host[MAX_GUARDED] = "";
    bool has_host = header_of(wsi, WSI_TOKEN_HOST, host, sizeof(host));

    if (header_of(wsi, WSI_TOKEN_ORIGIN, origin, sizeof(origin)) &&
        !hf_server_guard_origin(hf_view_of(origin), server->allowed_hosts) &&
        !hf_server_guard_same_origin(hf_view_of(origin), hf_view_of(host), server->address, server->allowed_hosts)) {
        *ret_why = HF_SERVER_REFUSED_ORIGIN;
        return "the request has an Origin header, so a web page sent it: --allow-host names the hosts whose pages may";
    }
    if (connection->peer.over_loopback && has_host &&
        !hf_server_guard_host(hf_view_of(host), server->address, server->allowed_hosts)) {
        *ret_why = HF_SERVER_REFUSED_HOST;
        return "the Host header does not name this machine: use 127.0.0.1, or allow the name with --allow-host";
    }
    return NULL;
}

/* RFC 9112, "Host": each request has one, but for those of HTTP/1.0, which no browser sends. */
static bool lacks_host(struct lws *wsi)
{
    char version[16];

    return lws_hdr_total_length(wsi, WSI_TOKEN_HOST) <= 0 && header_of(wsi, WSI_TOKEN_HTTP, version, sizeof(version)) &&
           strcmp(version, "HTTP/1.0") != 0;
}

/* Finds the route, and what the head of the request is refused for. `n`: length of the body. */
static struct refusal look_at_head(struct exchange *exchange, struct lws *wsi, const char *path, uint64_t n)
{
    struct hf_server *server = exchange->server;
    enum hf_server_refusal why;
    const char *foreign = find_foreign(exchange->connection, wsi, &why);
    bool known = false;
    const struct hf_server_route *route = server->closed ? NULL : find_route(server, path, method_of(wsi), &known);

    exchange->route = route;
    if (foreign != NULL) {
        hf_server_connections_refused(server, why);
        return (struct refusal){403, foreign, NULL};
    }
    if (n == UINT64_MAX)
        return (struct refusal){400, "the Content-Length is invalid", NULL};
    if (lacks_host(wsi))
        return (struct refusal){400, "the request has no Host header", NULL};
    if (route == NULL && known)
        return (struct refusal){405, "method not allowed", NULL};
    if (route == NULL)
        return (struct refusal){404, "no such path", NULL};
    if (has_header(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING))
        return (struct refusal){411, "the request has no Content-Length", NULL};
    if (route->feed != NULL && hf_server_feed_is_full(route->feed))
        return (struct refusal){503, "too many viewers", "Retry-After: 30"};
    if (n > route->max_body)
        return (struct refusal){413, "the body is too long", NULL};
    return (struct refusal){.status = 0};
}

/* A refused body of these is not read. */
static bool is_left_unread(struct lws *wsi, uint64_t n)
{
    return n > MAX_DISCARDED || has_header(wsi, WSI_TOKEN_HTTP_EXPECT) ||
           has_header(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) || lacks_host(wsi);
}

static int on_request(struct hf_server_connection *connection, struct lws *wsi, struct exchange *exchange,
                      const char *path)
{
    uint64_t n = body_length(wsi);

    exchange->server = connection->server;
    exchange->connection = connection;
    exchange->refusal = look_at_head(exchange, wsi, path, n);
    exchange->close = exchange->refusal.status != 0 && is_left_unread(wsi, n);
    if (exchange->close || n == 0)
        return exchange->refusal.status != 0 ? refuse(wsi, exchange) : handle(wsi, exchange);
    exchange->body.max = exchange->route != NULL ? exchange->route->max_body : 0;
    exchange->expected = (size_t)n;
    exchange->body_until_ns = uv_hrtime() + HF_SERVER_BODY_S * HF_NS_PER_S;
    return ask_for_body(wsi);
}

/* Returns false if all long bodies together are too long. */
static bool count_body(struct exchange *exchange, size_t n)
{
    struct hf_server *server = exchange->server;

    if (exchange->expected <= HF_SERVER_SMALL_BODY)
        return true;
    if (n > HF_SERVER_MAX_BODIES_BYTES - server->bodies_bytes)
        return false;
    server->bodies_bytes += n;
    exchange->counted += n;
    return true;
}

static int on_body(struct lws *wsi, struct exchange *exchange, const void *bytes, size_t n)
{
    if (exchange->replying)
        return 0; /* already refused */
    uint64_t now_ns = uv_hrtime();
    if (now_ns >= exchange->body_until_ns)
        return -1;
    uint64_t left_s = (exchange->body_until_ns - now_ns) / HF_NS_PER_S + 1;
    lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, (int)HF_MIN(left_s, (uint64_t)HF_SERVER_IDLE_S));
    if (exchange->refusal.status == 0 && !count_body(exchange, n)) {
        body_done(exchange);
        exchange->refusal = (struct refusal){503, "too many long bodies at once", "Retry-After: 1"};
    }
    if (exchange->refusal.status != 0)
        return 0;
    /* Allocate the full length at once: pages that no byte reached yet cost nothing. */
    if (exchange->body.p == NULL && hf_buf_reserve(&exchange->body, exchange->expected) < 0)
        return -1;
    return hf_buf_add(&exchange->body, bytes, n) < 0 ? -1 : 0;
}

static int on_body_end(const struct hf_server *server, struct lws *wsi, struct exchange *exchange)
{
    if (server->closed)
        return -1;
    if (exchange->replying)
        return 0;
    if (exchange->later != NULL) {
        /* The next request is here before the answer to this one. lws 4.1 keeps it, but offers it in each turn of
         * the loop, whatever flow control says: the sender gets its answer, and must send the others again. */
        exchange->close = true;
        return 0;
    }
    return exchange->refusal.status != 0 ? refuse(wsi, exchange) : handle(wsi, exchange);
}

static void exchange_done(struct exchange *exchange)
{
    body_done(exchange);
    if (exchange->connection != NULL)
        exchange->connection->answering = false;
    hf_buf_done(&exchange->reply);
    if (exchange->later != NULL && exchange->later->answered)
        later_free(exchange->later);
    else if (exchange->later != NULL)
        exchange->later->wsi = NULL; /* hf_server_answer() frees it */
    *exchange = (struct exchange){.route = NULL};
}

/* A GET for a websocket, of a route that has a feed, by somebody who may ask. */
static bool join_feed(struct hf_server_connection *connection, struct lws *wsi)
{
    enum hf_server_refusal why;
    char path[64], protocols[MAX_GUARDED];
    bool known;

    if (connection->server->closed || strcmp(method_of(wsi), "GET") != 0 ||
        lws_hdr_copy(wsi, path, sizeof(path), WSI_TOKEN_GET_URI) <= 0)
        return false;
    const struct hf_server_route *route = find_route(connection->server, path, "GET", &known);
    return route != NULL && route->feed != NULL && find_foreign(connection, wsi, &why) == NULL && !lacks_host(wsi) &&
           copy_header(wsi, WSI_TOKEN_PROTOCOL, protocols, sizeof(protocols)) &&
           hf_server_feed_join(route->feed, connection, protocols);
}

/* The client wishes to go on in another protocol (RFC 9110, "Upgrade"). This server may ignore that, and does, but for
 * websockets that join a feed: lws would switch before any check, and nobody would end the connection. lws compares the
 * value again after this call, so a changed one lets it go on with the request over HTTP/1.1. A value that lws does not
 * know has its 403 already. */
static int upgrade(struct hf_server_connection *connection, struct lws *wsi, char *wanted)
{
    if (strcasecmp(wanted, "websocket") == 0 && join_feed(connection, wsi))
        return 0;
    if (strcasecmp(wanted, "h2c") != 0 && strcasecmp(wanted, "websocket") != 0)
        return -1;
    wanted[0] = '-';
    return 0;
}

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t n)
{
    struct hf_server_connection *connection = lws_get_opaque_user_data(wsi);
    struct exchange *exchange = user;

    if (reason == LWS_CALLBACK_WSI_CREATE) /* lws stores its pointer to the connection after this call */
        hf_server_connections_created(lws_context_user(lws_get_context(wsi)), wsi);
    if (connection == NULL)
        return 0; /* lws reports about itself */
    switch (reason) {
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return upgrade(connection, wsi, in);
    case LWS_CALLBACK_ESTABLISHED:
        lws_callback_on_writable(wsi);
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return hf_server_feed_write(connection);
    case LWS_CALLBACK_RECEIVE: /* a viewer has nothing to say */
        return -1;
    case LWS_CALLBACK_RAW_ADOPT: /* the method CONNECT: close */
        return -1;
    case LWS_CALLBACK_HTTP:
        return on_request(connection, wsi, exchange, in);
    case LWS_CALLBACK_HTTP_BODY:
        return on_body(wsi, exchange, in, n);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return on_body_end(connection->server, wsi, exchange);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        if (exchange->later != NULL && exchange->later->answered && !exchange->replying)
            return send_answer(wsi, exchange);
        return continue_reply(wsi, exchange);
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
    case LWS_CALLBACK_CLOSED_HTTP:
        if (exchange != NULL)
            exchange_done(exchange);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        lws_set_opaque_user_data(wsi, NULL);
        hf_server_connections_destroyed(connection);
        return 0;
    default:
        return 0;
    }
}

const struct lws_protocols hf_server_exchange_protocols[] = {
    {.name = "http", .callback = on_lws, .per_session_data_size = sizeof(struct exchange)},
    {.name = NULL},
};
