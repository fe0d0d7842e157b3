/* SPDX-License-Identifier: Apache-2.0 */
/* A call reads the credential's files on a worker, asks, and, at a 401 that names a service for tokens, gets a token
 * and asks again, once. When a transfer breaks, the same begins again from the byte that it reached: so a token that
 * expires in the middle of a layer costs a request. A resumed answer has to be of the same length, or it is of other
 * content.
 *
 * The owner may cancel at any time; a worker that reads files then frees the call.
 *
 * Where agent.yaml has no credential for the registry, a plugin of the kubelet may (login/logins.h), unless it would go
 * over a network in plain text.
 *
 * The credential of the registry goes to the service for tokens by the rule of oci/registry/token.h. The
 * token, for pulling from one repository, is kept until it expires. */
#include "mirror/upstream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/strmap.h"
#include "loop/http/url.h"
#include "mirror/login/logins.h"
#include "oci/registry/reference.h"
#include "oci/registry/token.h"
#include "steps/access.h"

enum { MAX_TOKENS = 64, MAX_BREAKS = 4, RANGE_TEXT = 64, MAX_IMAGE = 512, MAX_IGNORED = 64 << 10 };
#define PROGRESS (64u << 10) /* after which breaks count anew */
#define IDLE_NS (60 * HF_NS_PER_S)
#define TOKEN_NS (30 * HF_NS_PER_S)

struct hf_mirror_upstream {
    struct hf_mirror_upstream_params p;
    struct hf_strmap tokens; /* "<origin> <name>" to struct kept_token */
};

struct kept_token {
    uint64_t until_ns;
    char *line; /* the header */
};

struct hf_mirror_call {
    struct hf_mirror_upstream *upstream; /* may be gone when the owner has cancelled */
    const struct hf_fs_ops *fs;          /* NULL: there are no credentials to read */
    struct hf_mirror_ask ask;            /* texts are the copies below */
    char *origin, *name, *url, *accept, *key;
    struct hf_oci_token_ask token; /* that the last answer wants */
    struct hf_job job;
    struct hf_access_ticket ticket;
    bool reading, dead; /* a worker has the ticket; the owner has cancelled */
    struct hf_login *login;
    struct hf_http_call *http;
    bool paused;
    bool denied;      /* the answer in progress is a 401 that asks for a token, */
    bool outdated;    /* or one to a kept token, and asks for none: the registry wants something else now */
    bool refused;     /* it has no content: nobody gets its body, */
    unsigned ignored; /* of which so much came */
    unsigned tokens;  /* asked for since the last answer */
    bool answered;    /* on_response() has been called */
    uint64_t reached; /* bytes given to on_body() */
    uint64_t length;  /* of them all; UINT64_MAX: unknown */
    unsigned breaks;  /* since `progress` */
    uint64_t progress;
    struct hf_err err;
};

/* ---- tokens ------------------------------------------------------------------------------------------------------ */

static void free_token(void *value)
{
    struct kept_token *token = value;

    hf_buf_wipe_text(&token->line);
    free(token);
}

struct hf_mirror_upstream *hf_mirror_upstream_new(const struct hf_mirror_upstream_params *params)
{
    struct hf_mirror_upstream *upstream = calloc(1, sizeof(*upstream));

    if (upstream != NULL)
        *upstream = (struct hf_mirror_upstream){.p = *params, .tokens = {.free_value = free_token}};
    return upstream;
}

void hf_mirror_upstream_free(struct hf_mirror_upstream *upstream)
{
    if (upstream != NULL)
        hf_strmap_done(&upstream->tokens);
    free(upstream);
}

static const char *token_of(const struct hf_mirror_call *call)
{
    const struct kept_token *token = hf_strmap_get(&call->upstream->tokens, call->key);

    return token != NULL && hf_mono_ns(call->upstream->p.clock) < token->until_ns ? token->line : NULL;
}

static int keep_token(struct hf_mirror_call *call, const struct hf_http_response *response, struct hf_view answer)
{
    struct hf_mirror_upstream *upstream = call->upstream;
    struct kept_token *token;
    uint64_t seconds = 0;
    char *line = NULL;

    int r = hf_oci_token_take(response, answer, &line, &seconds, &call->err);
    if (r < 0)
        return r;
    if (upstream->tokens.n >= MAX_TOKENS) {
        hf_strmap_done(&upstream->tokens);
        upstream->tokens = (struct hf_strmap){.free_value = free_token};
    }
    token = calloc(1, sizeof(*token));
    if (token != NULL) /* at least for the request that follows */
        *token = (struct kept_token){hf_mono_ns(upstream->p.clock) + (seconds > 15 ? seconds - 10 : 5) * HF_NS_PER_S,
                                     hf_steal(line)};
    if (token != NULL && hf_strmap_put(&upstream->tokens, call->key, token) == 0)
        return 0;
    if (token != NULL)
        free_token(token);
    hf_buf_wipe_text(&line);
    return hf_err_set(&call->err, ENOMEM, "not enough memory for a token");
}

/* ---- one call ---------------------------------------------------------------------------------------------------- */

static void read_files(struct hf_mirror_call *call);

static void free_call(struct hf_mirror_call *call)
{
    hf_access_ticket_done(&call->ticket);
    free(call->origin);
    free(call->name);
    free(call->url);
    free(call->accept);
    free(call->key);
    free(call->token.url);
    free(call);
}

static void end(struct hf_mirror_call *call, int r)
{
    const struct hf_mirror_ask ask = call->ask;
    const struct hf_err err = call->err;

    free_call(call);
    ask.done(ask.arg, r, &err);
}

static bool breaks_count(struct hf_mirror_call *call)
{
    if (call->reached - call->progress >= PROGRESS) {
        call->progress = call->reached;
        call->breaks = 0;
    }
    return ++call->breaks <= MAX_BREAKS;
}

static bool may_resume(struct hf_mirror_call *call, int r)
{
    return call->ask.resumes && call->answered && call->length != UINT64_MAX && call->reached < call->length &&
           (r == -EPIPE || r == -ETIMEDOUT || r == -ECONNREFUSED || r == -EHOSTUNREACH || r == -EDESTADDRREQ) &&
           breaks_count(call);
}

static int take_answer(struct hf_mirror_call *call, const struct hf_http_response *response)
{
    if (call->answered)
        return response->status == 206 && response->range_start == call->ask.from + call->reached &&
                       (uint64_t)response->content_length == call->length - call->reached
                   ? 0
                   : -EPROTO;
    call->answered = true;
    call->length =
        response->content_length >= 0 && response->status < 300 ? (uint64_t)response->content_length : UINT64_MAX;
    return call->ask.on_response(call->ask.arg, response);
}

static int on_response(void *arg, const struct hf_http_response *response)
{
    struct hf_mirror_call *call = arg;
    int r = 0;

    if (response->status == 401 && !response->redirected && call->tokens == 0) {
        hf_buf_wipe_text(&call->token.url);
        r = hf_oci_token_ask(call->url, call->name, response->challenge, &call->token, &call->err);
    }
    call->denied = r > 0;
    call->outdated = r == 0 && response->status == 401 && !response->redirected &&
                     hf_strmap_remove(&call->upstream->tokens, call->key);
    call->refused = response->status >= 300;
    call->ignored = 0;
    if (r != 0 || call->outdated)
        return HF_MIN(r, 0);
    hf_access_ticket_done(&call->ticket);
    call->tokens = 0;
    return take_answer(call, response);
}

static int on_body(void *arg, const void *bytes, size_t n)
{
    struct hf_mirror_call *call = arg;

    const struct hf_mirror_tally *tally = call->ask.tally;
    hf_metric_add(tally->all, n);
    hf_metric_add(tally->image, n);
    if (tally->prefetched != NULL)
        *tally->prefetched += n;
    if (call->refused) {
        call->ignored += (unsigned)n;
        return call->ignored > MAX_IGNORED ? -E2BIG : 0;
    }
    if (n > call->ask.max_bytes - call->reached)
        return -E2BIG;
    call->reached += n;
    return call->ask.on_body(call->ask.arg, bytes, n);
}

static int start(struct hf_mirror_call *call, const struct hf_http_request *request)
{
    const struct hf_http_ops *http = call->upstream->p.http;
    int r = http->start(http->ctx, request, &call->http, &call->err);

    if (r < 0)
        call->http = NULL;
    else if (call->paused)
        http->pause(http->ctx, call->http, true);
    return r;
}

static void got_token(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                      const struct hf_err *err);

static int ask_for_token(struct hf_mirror_call *call)
{
    const char *line = hf_buf_str(&call->ticket.credential);

    call->tokens++;
    return start(
        call, &(const struct hf_http_request){.method = "GET",
                                              .url = call->token.url,
                                              .headers = {"Accept: application/json"},
                                              .credential = hf_oci_token_credential(&call->token, line),
                                              .connect_timeout_ns = call->ask.connect_ns,
                                              .timeout_ns = call->ask.timeout_ns > 0 ? call->ask.timeout_ns : TOKEN_NS,
                                              .max_body_bytes = HF_OCI_TOKEN_ANSWER,
                                              .done = got_token,
                                              .arg = call});
}

static int ask(struct hf_mirror_call *call);

static void finished(void *arg, int r, HF_UNUSED const struct hf_http_response *response, HF_UNUSED struct hf_view body,
                     const struct hf_err *err)
{
    struct hf_mirror_call *call = arg;

    call->http = NULL;
    if (r < 0)
        call->err = *err;
    if (may_resume(call, r)) {
        read_files(call);
        return;
    }
    bool more = r == 0 && (call->denied || call->outdated);
    if (more)
        r = call->denied ? ask_for_token(call) : ask(call);
    if (!more || r < 0)
        end(call, r);
}

static int ask(struct hf_mirror_call *call)
{
    const struct hf_mirror_ask *ask = &call->ask;
    const char *token = token_of(call);
    char range[RANGE_TEXT] = "";
    struct hf_http_request request = {.method = ask->head ? "HEAD" : "GET",
                                      .url = call->url,
                                      .credential = token,
                                      .connect_timeout_ns = ask->connect_ns,
                                      .timeout_ns = ask->timeout_ns,
                                      .idle_timeout_ns = IDLE_NS,
                                      .max_body_bytes = HF_MAX(ask->max_bytes, 2ull * MAX_IGNORED),
                                      .follow_redirects = true,
                                      .on_response = on_response,
                                      .on_body = on_body,
                                      .done = finished,
                                      .arg = call};
    size_t n = 0;

    if (token == NULL && call->ticket.credential.n > 0)
        request.credential = hf_buf_str(&call->ticket.credential);
    if (call->accept != NULL)
        request.headers[n++] = call->accept;
    uint64_t from = ask->from + call->reached;
    if (ask->ranged && ask->to != UINT64_MAX)
        (void)snprintf(range, sizeof(range), "Range: bytes=%" PRIu64 "-%" PRIu64, from, ask->to);
    else if (ask->ranged || call->reached > 0)
        (void)snprintf(range, sizeof(range), "Range: bytes=%" PRIu64 "-", from);
    if (range[0] != '\0')
        request.headers[n++] = range;
    return start(call, &request);
}

static void got_token(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                      const struct hf_err *err)
{
    struct hf_mirror_call *call = arg;

    call->http = NULL;
    call->denied = false;
    if (r < 0)
        call->err = *err;
    else
        r = keep_token(call, response, body);
    if (r == 0)
        r = ask(call);
    if (r < 0)
        end(call, r);
}

/* ---- the files, on a worker -------------------------------------------------------------------------------------- */

static void work(struct hf_job *job)
{
    struct hf_mirror_call *call = hf_container_of(job, struct hf_mirror_call, job);

    if (call->fs != NULL)
        hf_access_ticket_read(call->fs, &call->ticket);
}

/* The name that the kubelet has for what is at `origin`. False: a login must not go there, in plain text. */
static bool name_image(const char *origin, const char *name, char image[MAX_IMAGE])
{
    struct hf_url_parts parts;
    char url[HF_URL_ORIGIN + 1];

    (void)snprintf(url, sizeof(url), "%s/", origin);
    if (hf_url_split(url, &parts, NULL) < 0 || (strncmp(origin, "https:", 6) != 0 && !parts.loopback))
        return false;
    const char *host = strstr(origin, "://") + 3;
    return snprintf(image, MAX_IMAGE, "%s/%s", hf_oci_name_host(host), name) < MAX_IMAGE;
}

static int use_login(struct hf_mirror_call *call, const char *line)
{
    struct hf_buf *credential = &call->ticket.credential;

    if (line == NULL)
        return 0;
    credential->max = HF_MAX(credential->max, strlen(line) + 1);
    return hf_buf_add_str(credential, line);
}

static void got_login(void *arg, const char *line)
{
    struct hf_mirror_call *call = arg;

    call->login = NULL;
    int r = use_login(call, line);
    if (r == 0)
        r = ask(call);
    if (r < 0)
        end(call, r);
}

/* 1: got_login() comes. */
static int log_in(struct hf_mirror_call *call)
{
    const struct hf_mirror_upstream_params *p = &call->upstream->p;
    char image[MAX_IMAGE];
    const char *line = NULL;

    if (p->logins == NULL || hf_access_is_private(p->access, call->url) || !name_image(call->origin, call->name, image))
        return 0;
    int r = hf_login_start(p->logins, image, got_login, call, &line, &call->login);
    return r == 0 ? use_login(call, line) : r;
}

const char *hf_mirror_upstream_problem(const struct hf_mirror_upstream *upstream, const char *origin, const char *name)
{
    char image[MAX_IMAGE];

    return name_image(origin, name, image) ? hf_logins_problem(upstream->p.logins, image) : NULL;
}

static void read_done(struct hf_job *job, int cancelled)
{
    struct hf_mirror_call *call = hf_container_of(job, struct hf_mirror_call, job);
    int r = 0;

    call->reading = false;
    if (call->dead) {
        free_call(call);
        return;
    }
    struct hf_access *access = call->upstream->p.access;
    if (cancelled)
        r = hf_err_set(&call->err, ECANCELED, "the agent stops");
    else if (access != NULL)
        r = hf_access_use(access, &call->ticket, &call->err);
    if (r == 0)
        r = log_in(call);
    if (r == 0)
        r = ask(call);
    if (r < 0)
        end(call, r);
}

static int submit(struct hf_mirror_call *call)
{
    const struct hf_mirror_upstream_params *p = &call->upstream->p;

    hf_access_ticket_done(&call->ticket);
    call->fs = p->access != NULL ? p->fs : NULL;
    if (p->access != NULL)
        hf_access_ticket_init(p->access, call->url, &call->ticket);
    call->job = (struct hf_job){.work = work, .done = read_done};
    int r = hf_job_submit(p->sched, &call->job);
    call->reading = r == 0;
    return r;
}

static void read_files(struct hf_mirror_call *call)
{
    int r = submit(call);

    if (r < 0)
        end(call, r);
}

/* ---- the owner's side -------------------------------------------------------------------------------------------- */

int hf_mirror_call_start(struct hf_mirror_upstream *upstream, const struct hf_mirror_ask *wanted,
                         struct hf_mirror_call **ret_call)
{
    struct hf_mirror_call *call = calloc(1, sizeof(*call));

    if (call == NULL)
        return -ENOMEM;
    *call = (struct hf_mirror_call){.upstream = upstream, .ask = *wanted, .length = UINT64_MAX};
    call->origin = strdup(wanted->origin);
    call->name = strdup(wanted->name);
    call->url = hf_asprintf("%s/v2/%s/%s", wanted->origin, wanted->name, wanted->path);
    call->key = hf_asprintf("%s %s", wanted->origin, wanted->name);
    call->accept = wanted->accept[0] != '\0' ? hf_asprintf("Accept: %s", wanted->accept) : NULL;
    call->ask.origin = call->ask.name = call->ask.path = call->ask.accept = NULL;
    int r = call->origin == NULL || call->name == NULL || call->url == NULL || call->key == NULL ||
                    (wanted->accept[0] != '\0' && call->accept == NULL)
                ? -ENOMEM
                : submit(call);
    if (r < 0)
        free_call(call);
    else
        *ret_call = call;
    return r;
}

void hf_mirror_call_cancel(struct hf_mirror_call *call)
{
    if (call == NULL)
        return;
    if (call->http != NULL)
        call->upstream->p.http->cancel(call->upstream->p.http->ctx, call->http);
    call->http = NULL;
    hf_login_cancel(hf_steal(call->login));
    call->dead = true;
    if (!call->reading)
        free_call(call);
}

void hf_mirror_call_pause(struct hf_mirror_call *call, bool paused)
{
    if (call->paused == paused)
        return;
    call->paused = paused;
    if (call->http != NULL)
        call->upstream->p.http->pause(call->upstream->p.http->ctx, call->http, paused);
}
