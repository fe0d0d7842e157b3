/* SPDX-License-Identifier: Apache-2.0 */
/* What the HTTP tests share: a loop, a client, a request whose outcome is kept. Included by one test program each. */
#pragma once

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loop/http/client.h"
#include "loop/loop.h"
#include "os/clock_posix.h"
#include "support/check_main.h"
#include "support/fakes/http_server.h"

static struct hf_loop *loop;
static struct hf_http_client *client;
static const struct hf_http_ops *http;
static struct hf_test_server server;

struct outcome {
    struct hf_http_call *call;
    int done; /* times */
    int r;
    struct hf_http_response response;
    char *body;
    size_t body_n;
    char error[600];
    uint64_t took_ns;
    uint64_t start_ns;
    int heads;          /* on_response calls */
    uint64_t streamed;  /* bytes through on_body */
    int on_response_r;  /* what on_response answers */
    uint64_t cancel_at; /* cancel inside on_body at this many bytes; 0 never */
    uint64_t refuse_at; /* answer -EDOM from on_body at this many */
    uint64_t pause_at;  /* pause inside on_body at this many */
    bool free_client;   /* free the client inside on_body */
    int *left;          /* stops the loop at 0 */
    bool inside_start;  /* set while start() runs */
    bool called_in_start;
};

static uint64_t test_now_ns(void)
{
    return hf_mono_ns(hf_clock_posix());
}

HF_UNUSED static int keep_response(void *arg, const struct hf_http_response *response)
{
    struct outcome *o = arg;

    o->called_in_start |= o->inside_start;
    o->heads++;
    o->response = *response;
    return o->on_response_r;
}

HF_UNUSED static int keep_body(void *arg, const void *bytes, size_t n)
{
    struct outcome *o = arg;

    (void)bytes;
    o->called_in_start |= o->inside_start;
    o->streamed += n;
    if (o->pause_at > 0 && o->streamed >= o->pause_at) {
        o->pause_at = 0;
        http->pause(http->ctx, o->call, true);
    }
    if (o->cancel_at > 0 && o->streamed >= o->cancel_at) {
        http->cancel(http->ctx, o->call);
        o->call = NULL;
        hf_loop_stop(loop);
    }
    if (o->free_client) {
        o->call = NULL;
        hf_http_client_free(client);
        client = NULL;
        hf_loop_stop(loop);
    }
    return o->refuse_at > 0 && o->streamed >= o->refuse_at ? -EDOM : 0;
}

static void keep_end(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                     const struct hf_err *err)
{
    struct outcome *o = arg;

    o->called_in_start |= o->inside_start;
    o->call = NULL;
    o->done++;
    o->r = r;
    o->response = *response;
    o->took_ns = test_now_ns() - o->start_ns;
    free(o->body);
    o->body = hf_view_dup(body);
    o->body_n = body.n;
    (void)hf_err_text(err, o->error, sizeof(o->error));
    if (o->left == NULL || --*o->left == 0)
        hf_loop_stop(loop);
}

static void outcome_done(struct outcome *o)
{
    free(o->body);
    o->body = NULL;
}

static void dispatch(struct outcome *o, struct hf_http_request request)
{
    struct hf_err err = HF_ERR_INIT;

    request.method = request.method != NULL ? request.method : "GET";
    request.done = keep_end;
    request.arg = o;
    o->start_ns = test_now_ns();
    o->inside_start = true;
    int r = http->start(http->ctx, &request, &o->call, &err);
    o->inside_start = false;
    ck_assert_msg(r == 0, "start: %d %s", r, err.cause);
    ck_assert_int_eq(o->done, 0);
}

HF_UNUSED static const char *url_of(const struct hf_test_server *to, const char *path)
{
    static char urls[8][1024];
    static unsigned next;
    char *url = urls[next++ % 8];

    (void)snprintf(url, sizeof(urls[0]), "http://127.0.0.1:%u%s", to->port, path);
    return url;
}

/* Start, run to the end. */
static void ask(struct outcome *o, struct hf_http_request request, const char *path)
{
    request.url = path != NULL ? url_of(&server, path) : request.url;
    dispatch(o, request);
    hf_loop_run(loop);
    ck_assert_msg(!o->called_in_start, "called back inside start");
}

#define ck_outcome(o, want_r, want_status)                                                                             \
    ck_assert_msg((o).done == 1 && (o).r == (want_r) && (o).response.status == (want_status),                          \
                  "done %d, r %d, status %d, '%s'", (o).done, (o).r, (o).response.status, (o).error)

static struct hf_http_client *make_client(const struct hf_http_config *config)
{
    struct hf_err err = HF_ERR_INIT;
    struct hf_http_client *made = hf_http_client_new(loop, config, &err);

    ck_assert_msg(made != NULL, "%s", err.cause);
    return made;
}

static void use(const struct hf_http_config *config)
{
    hf_http_client_free(client);
    client = make_client(config);
    http = hf_http_client_ops(client);
}
