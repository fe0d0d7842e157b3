/* SPDX-License-Identifier: Apache-2.0 */
/*   GET /, /page/NAME       the page: no secret
 *   GET /fleet/reasons      what reasons mean (sync/page_reasons.h)
 *   GET /fleet/changes?N    rows that changed after version N (cli/ui/board.h)
 *   GET /fleet/compare?ROW KEY    hf_ui_model_compare(): what sets a node apart; KEY: a label, or empty
 *   GET /fleet/node?ROW, GET /fleet/yaml?PLURAL/ROW, POST /fleet/act    cli/ui/requests.h
 *   /fleet/live             a websocket: hf_ui_door_tell() */
#include "cli/ui/door.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/parse.h"
#include "cli/ui/act.h"
#include "cli/ui/past.h"
#include "loop/server/feed.h"
#include "sync/page_reasons.h"
#include "web/fleet.h"
#include "web/page.h"
#include "web/page_token.h"

enum { HF_UI_TOKEN = 43, HF_UI_VIEWERS = 16 };

enum { MAX_ROUTES = 32, CONNECTIONS = 64, MAX_HEADER = 256 };

struct hf_ui_door {
    struct hf_ui_door_params params;
    char token[HF_UI_TOKEN + 1];
    char url[128];
    struct hf_server_feed *feed;
    struct hf_server *server;
    struct hf_server_route routes[MAX_ROUTES];
    size_t n_routes;
};

/* ---- who may ask ------------------------------------------------------------------------------------------------- */

static bool same_user(const struct hf_ui_door *door, const struct hf_peer *peer)
{
    return peer->over_loopback && (!peer->has_uid || peer->uid == door->params.uid || peer->uid == 0);
}

static void changed(HF_UNUSED void *arg, HF_UNUSED unsigned n_viewers)
{
}

static bool may_join(void *arg, const struct hf_peer *peer, const char *protocols)
{
    static const char begin[] = "http, ";
    const struct hf_ui_door *door = arg;

    return same_user(door, peer) && strncmp(protocols, begin, sizeof(begin) - 1) == 0 &&
           hf_page_token_is(door->token, hf_view_of(protocols + sizeof(begin) - 1));
}

static const char *why_not(const struct hf_ui_door *door, const struct hf_server_request *request)
{
    char token[MAX_HEADER];

    if (!same_user(door, request->peer))
        return "another user of this machine runs this page: run 'holdfast ui' as the user of the browser";
    if (!hf_server_header(request, HF_PAGE_TOKEN_HEADER, token, sizeof(token)) ||
        !hf_page_token_is(door->token, hf_view_of(token)))
        return "the address lacks its token: open the whole address that 'holdfast ui' printed";
    return NULL;
}

static bool is_refused(const struct hf_ui_door *door, const struct hf_server_request *request,
                       struct hf_server_reply *reply)
{
    const char *why = why_not(door, request);

    hf_page_protect(reply);
    reply->content_type = "application/json";
    if (why == NULL)
        return false;
    reply->status = 403;
    (void)!hf_buf_addf(&reply->body, "{\"error\":\"%s\"}\n", why);
    return true;
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static void end(struct hf_server_reply *reply, int r)
{
    if (r == 0)
        return;
    hf_buf_clear(&reply->body);
    reply->status = 500;
}

static void answer_file(HF_UNUSED void *arg, const struct hf_server_request *request, struct hf_server_reply *reply)
{
    hf_fleet_page_answer(request, reply);
}

static void answer_reasons(void *arg, const struct hf_server_request *request, struct hf_server_reply *reply)
{
    if (!is_refused(arg, request, reply))
        end(reply, hf_page_reasons(&reply->body));
}

static void answer_changes(void *arg, const struct hf_server_request *request, struct hf_server_reply *reply)
{
    const struct hf_ui_door *door = arg;
    char since[24];
    uint64_t version;

    if (is_refused(door, request, reply))
        return;
    (void)snprintf(since, sizeof(since), "%.*s", (int)HF_MIN(request->query.n, sizeof(since)), request->query.p);
    if (hf_parse_u64(since, 0, UINT64_MAX, &version) < 0)
        reply->status = 400;
    else
        end(reply, hf_ui_board_changes(door->params.board, version, &reply->body));
}

static bool take_board(const struct hf_ui_door *door, struct hf_ui_model *model, struct hf_server_reply *reply)
{
    hf_ui_model_init(model);
    if (hf_ui_model_take(model, door->params.board) == 0)
        return true;
    reply->status = 500;
    return false;
}

/* Parse the whole board: a person asks for these, and no program. */
static void answer_past(void *arg, const struct hf_server_request *request, struct hf_server_reply *reply)
{
    const struct hf_ui_door *door = arg;
    struct hf_ui_model model;
    uint64_t now;

    if (is_refused(door, request, reply))
        return;
    _cleanup_(hf_freep) char *text = hf_view_dup(request->query);
    if (text == NULL || hf_parse_u64(text, 1, 1ULL << 40, &now) < 0) {
        reply->status = 400;
        return;
    }
    _cleanup_(hf_json_freep) json_t *past =
        take_board(door, &model, reply) ? hf_ui_model_past(&model, (int64_t)now) : NULL;
    hf_ui_model_done(&model);
    end(reply, past != NULL ? hf_json_format(past, &reply->body) : -ENOMEM);
}

static void answer_compare(void *arg, const struct hf_server_request *request, struct hf_server_reply *reply)
{
    const struct hf_ui_door *door = arg;
    _cleanup_(hf_freep) char *name = hf_view_dup(request->query);
    char *space = name != NULL ? strrchr(name, ' ') : NULL; /* keys of labels have none */
    struct hf_ui_model model;

    if (is_refused(door, request, reply))
        return;
    if (space == NULL) {
        reply->status = 400;
        return;
    }
    *space = '\0';
    bool taken = take_board(door, &model, reply);
    _cleanup_(hf_json_freep) json_t *apart = taken ? hf_ui_model_compare(&model, name, space + 1) : NULL;
    hf_ui_model_done(&model);
    if (apart != NULL)
        end(reply, hf_json_format(apart, &reply->body));
    else if (taken)
        reply->status = 404;
}

static void answer_live(void *arg, const struct hf_server_request *request, struct hf_server_reply *reply)
{
    if (is_refused(arg, request, reply))
        return;
    reply->status = 426;
    reply->extra_headers[0] = "Upgrade: websocket";
    end(reply, hf_buf_add_str(&reply->body, "{\"error\":\"this path is a websocket\"}\n"));
}

/* Refuses, or returns true. */
static bool may_start(const struct hf_ui_door *door, const struct hf_server_request *request,
                      struct hf_server_exchange *exchange)
{
    struct hf_server_reply reply = {.body = HF_BUF_INIT(512)};
    bool refused = is_refused(door, request, &reply);

    if (refused)
        hf_server_answer(exchange, reply.status, reply.content_type, NULL, hf_buf_view(&reply.body));
    hf_buf_done(&reply.body);
    return !refused;
}

static void start_node(void *arg, const struct hf_server_request *request, struct hf_server_exchange *exchange)
{
    const struct hf_ui_door *door = arg;

    if (may_start(door, request, exchange))
        hf_ui_request_node(door->params.requests, request->query, exchange);
}

static void start_yaml(void *arg, const struct hf_server_request *request, struct hf_server_exchange *exchange)
{
    const struct hf_ui_door *door = arg;

    if (may_start(door, request, exchange))
        hf_ui_request_yaml(door->params.requests, request->query, exchange);
}

static void start_act(void *arg, const struct hf_server_request *request, struct hf_server_exchange *exchange)
{
    const struct hf_ui_door *door = arg;

    if (may_start(door, request, exchange))
        hf_ui_request_act(door->params.requests, request->body, exchange);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

/* 258 random bits as letters of base64url: 6 of each byte count. */
static int make_token(char token[HF_UI_TOKEN + 1])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned char bytes[HF_UI_TOKEN];

    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return -EIO;
    for (size_t i = 0; i < HF_UI_TOKEN; i++)
        token[i] = digits[bytes[i] & 63];
    token[HF_UI_TOKEN] = '\0';
    return 0;
}

static struct hf_server_route *add_route(struct hf_ui_door *door, const char *path)
{
    struct hf_server_route *route = &door->routes[door->n_routes++];

    *route = (struct hf_server_route){.path = path, .method = "GET", .arg = door};
    return route;
}

static int listen_at(struct hf_ui_door *door, struct hf_err *err)
{
    const struct hf_server_params params = {.address = "127.0.0.1",
                                            .routes = door->routes,
                                            .n_routes = door->n_routes,
                                            .limits = {.max_connections = CONNECTIONS}};
    int r = hf_server_new(door->params.loop, &params, &door->server, err);

    if (r == 0)
        (void)snprintf(door->url, sizeof(door->url), "http://127.0.0.1:%u/#%s", hf_server_port(door->server),
                       door->token);
    return r;
}

int hf_ui_door_open(const struct hf_ui_door_params *params, struct hf_ui_door **ret_door, struct hf_err *err)
{
    struct hf_ui_door *door = calloc(1, sizeof(*door));
    const char *path;
    int r;

    if (door == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    door->params = *params;
    door->feed = hf_server_feed_new(&(struct hf_server_feed_params){
        .max_viewers = HF_UI_VIEWERS, .may_join = may_join, .changed = changed, .arg = door});
    add_route(door, "/fleet/reasons")->handle = answer_reasons;
    add_route(door, "/fleet/changes")->handle = answer_changes;
    add_route(door, "/fleet/compare")->handle = answer_compare;
    add_route(door, "/fleet/past")->handle = answer_past;
    add_route(door, "/fleet/node")->start = start_node;
    add_route(door, "/fleet/yaml")->start = start_yaml;
    struct hf_server_route *act = add_route(door, "/fleet/act");
    act->start = start_act;
    act->method = "POST";
    act->max_body = HF_UI_ACT_MAX_BYTES;
    struct hf_server_route *live = add_route(door, "/fleet/live");
    live->handle = answer_live;
    live->feed = door->feed;
    for (size_t i = 0; (path = hf_fleet_page_path(i)) != NULL; i++)
        add_route(door, path)->handle = answer_file;
    r = door->feed == NULL ? hf_err_set(err, ENOMEM, "out of memory") : make_token(door->token);
    if (r == -EIO)
        r = hf_err_set(err, EIO, "the system gives no random bytes for a token");
    if (r == 0)
        r = listen_at(door, err);
    if (r < 0) {
        hf_ui_door_close(door);
        return r;
    }
    *ret_door = door;
    return 0;
}

void hf_ui_door_close(struct hf_ui_door *door)
{
    if (door == NULL)
        return;
    if (door->server != NULL)
        hf_server_free(door->server);
    hf_server_feed_free(door->feed);
    explicit_bzero(door->token, sizeof(door->token));
    free(door);
}

const char *hf_ui_door_url(const struct hf_ui_door *door)
{
    return door->url;
}

int hf_ui_door_tell(struct hf_ui_door *door, struct hf_view text)
{
    return hf_server_feed_send(door->feed, text);
}
