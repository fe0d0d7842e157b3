/* SPDX-License-Identifier: Apache-2.0 */
/* One request: from its copy to its report.
 *
 *     QUEUED --task--> RUNNING (inside curl) --ended--> ENDED --task--> reported
 *                         ^-------------- redirect followed ------------'
 *
 * The caller's on_response and on_body run inside curl's callbacks, where we must not call curl: a call cancelled
 * there only gets a flag, and free_aborted() frees it when curl has returned. `done` always runs from a task. This
 * file, not curl, follows redirects, so that one place decides, anew for each hop, which credentials may go to which
 * origin. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/net/url_mask.h"
#include "loop/http/client.h"
#include "loop/http/internal.h"

enum {
    MAX_REDIRECTS = 5,
    MAX_REDIRECT_BODY = 65536, /* read and dropped, so that the connection stays usable */
};

#define BURST_NS (100 * HF_NS_PER_MS) /* unused bandwidth that may come at once later */

#define DEFAULT_MAX_BODY (16ull << 20)

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static void free_memory(struct hf_http_call *call)
{
    for (size_t i = 0; call->headers[i] != NULL; i++)
        hf_buf_wipe_text(&call->headers[i]);
    hf_buf_wipe_text(&call->credential);
    free(call->method);
    hf_buf_wipe_text(&call->url);
    hf_buf_done(&call->body);
    hf_buf_done(&call->collected);
    hf_http_head_done(&call->head);
    free(call);
}

static void on_timer_closed(uv_handle_t *handle)
{
    free_memory(hf_container_of(handle, struct hf_http_call, timer));
}

static void slist_free(struct curl_slist **list)
{
    for (struct curl_slist *it = *list; it != NULL; it = it->next)
        explicit_bzero(it->data, strlen(it->data)); /* includes "Authorization: ..." */
    curl_slist_free_all(*list);
    *list = NULL;
}

/* Takes the call out of curl and frees the hop's memory; keeps the response. */
static void take_out(struct hf_http_call *call)
{
    struct hf_http_pool *pool = call->pool;

    if (call->easy == NULL)
        return;
    if (pool != NULL) {
        hf_http_pool_enter(pool);
        (void)curl_multi_remove_handle(pool->multi, call->easy);
        hf_http_pool_count(pool, false);
        call->pool = NULL;
    }
    curl_easy_cleanup(call->easy);
    call->easy = NULL;
    slist_free(&call->sent_headers);
    slist_free(&call->connect_to);
    if (pool != NULL)
        hf_http_pool_leave(pool);
}

static void call_free(struct hf_http_call *call)
{
    hf_list_remove(&call->link);
    hf_loop_task_drop(&call->step);
    hf_loop_task_drop(&call->resume);
    take_out(call);
    uv_close((uv_handle_t *)&call->timer, on_timer_closed);
}

static void free_aborted(struct hf_http_pool *pool)
{
    while (!hf_list_empty(&pool->aborted))
        call_free(hf_container_of(pool->aborted.next, struct hf_http_call, link));
}

/* ---- errors ------------------------------------------------------------------------------------------------------ */

/* Ends the call with `r`; call->err holds the cause. */
static void set_result(struct hf_http_call *call, int r)
{
    char shown[HF_URL_MASKED];

    call->result = hf_err_wrap(&call->err, r, "%s %s", call->method, hf_url_mask(call->url, shown, sizeof(shown)));
}

static int connect_errno(CURL *easy)
{
    long code = 0;

    (void)curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &code);
    switch (code) {
    case ECONNREFUSED:
        return ECONNREFUSED;
    case ETIMEDOUT:
        return ETIMEDOUT;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case EADDRNOTAVAIL:
    case EACCES:
    case EPERM:
        return EHOSTUNREACH;
    default:
        return ECONNREFUSED;
    }
}

/* The peer may refuse our certificate, too: with TLS 1.3 it sends an alert after the handshake. */
static bool is_trust_alert(const char *text)
{
    return strstr(text, "alert") != NULL &&
           (strstr(text, "certificate") != NULL || strstr(text, "unknown ca") != NULL ||
            strstr(text, "access denied") != NULL);
}

/* Keep-alive or acknowledgements timed out: curl keeps the kernel's reason only as text. */
static bool is_kernel_timeout(const char *text)
{
    return strstr(text, strerror(ETIMEDOUT)) != NULL;
}

/* No DNS server has answered within the time to connect. curl has this as text only. */
static bool is_resolver_timeout(const char *text)
{
    return strstr(text, "Resolving timed out") != NULL;
}

static int code_errno(const struct hf_http_call *call, CURLcode code)
{
    switch (code) {
    case CURLE_OUT_OF_MEMORY:
        return ENOMEM;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return EDESTADDRREQ;
    case CURLE_COULDNT_CONNECT:
        return connect_errno(call->easy);
    case CURLE_OPERATION_TIMEDOUT:
        return is_resolver_timeout(call->curl_text) ? EDESTADDRREQ : ETIMEDOUT;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return EKEYREJECTED;
    case CURLE_SSL_CONNECT_ERROR:
        return is_trust_alert(call->curl_text) ? EKEYREJECTED : EPROTO;
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2_STREAM:
        return is_trust_alert(call->curl_text) ? EKEYREJECTED : is_kernel_timeout(call->curl_text) ? ETIMEDOUT : EPIPE;
    default:
        return EPROTO;
    }
}

/* A peer that wants another certificate may reset the connection so early that we never read its alert. */
static bool is_early_end(const struct hf_http_call *call, CURLcode code)
{
    long made = 0;

    (void)curl_easy_getinfo(call->easy, CURLINFO_NUM_CONNECTS, &made);
    return (code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING) && call->to.https &&
           made > 0 && call->head.bytes == 0;
}

/* Returns the status with which a proxy refused to connect to the peer, or 0. */
static long refusal_of_proxy(CURL *easy)
{
    long status = 0;

    (void)curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &status);
    return status >= 300 ? status : 0;
}

static void set_curl_result(struct hf_http_call *call, CURLcode code)
{
    const char *text = call->curl_text[0] != '\0' ? call->curl_text : curl_easy_strerror(code);
    struct hf_tls *tls = call->pool != NULL ? hf_http_easy_tls(call) : NULL;
    bool foreign = tls != NULL && hf_tls_is_foreign(tls);
    const char *reason = tls != NULL ? hf_tls_take_reason(tls) : "";
    long refusal = refusal_of_proxy(call->easy);

    if (refusal != 0)
        set_result(call, hf_err_set(&call->err, ECONNABORTED, "the proxy refuses to connect: HTTP status %ld%s",
                                    refusal, refusal == 407 ? " (it wants a user and a password in its URL)" : ""));
    else if (reason[0] != '\0' && (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR))
        set_result(call, hf_err_set(&call->err, foreign ? EREMCHG : EKEYREJECTED, "%s", reason));
    else if (is_early_end(call, code) && !is_trust_alert(text))
        set_result(call, hf_err_set(&call->err, code_errno(call, code),
                                    "the peer closed the connection right after the TLS handshake (does it require "
                                    "another client certificate?)"));
    else
        set_result(call, hf_err_set(&call->err, code_errno(call, code), "%s", text));
}

/* ---- ending ------------------------------------------------------------------------------------------------------ */

static void end_soon(struct hf_http_call *call)
{
    take_out(call);
    call->state = ST_ENDED;
    (void)uv_timer_stop(&call->timer);
    hf_loop_task_post(call->loop, &call->step);
}

/* No byte came on any call of this pool since the last one of this call: the connections may be dead without an
 * error, and the next call would use an HTTP/2 connection again. */
static void suspect_connections(struct hf_http_call *call)
{
    struct hf_http_pool *pool = call->pool;

    if (pool != NULL && pool->last_byte_ns <= call->last_byte_ns)
        hf_http_pool_retire(pool);
}

static bool is_held(const struct hf_http_call *call)
{
    return call->paused || call->throttled;
}

static void go_on_receiving(struct hf_http_call *call)
{
    if (is_held(call))
        return;
    call->last_byte_ns = uv_hrtime(); /* we caused the silence */
    hf_loop_task_post(call->loop, &call->resume);
}

static void arm(struct hf_http_call *call);

static void on_timer(uv_timer_t *timer)
{
    struct hf_http_call *call = hf_container_of(timer, struct hf_http_call, timer);
    const struct hf_http_request *request = &call->request;
    char text[HF_DURATION_TEXT];

    if (call->throttled && uv_hrtime() >= call->paid_ns) {
        call->throttled = false;
        go_on_receiving(call);
    }
    uint64_t now_ns = uv_hrtime();
    if (request->timeout_ns > 0 && now_ns - call->start_ns >= request->timeout_ns)
        set_result(call, hf_err_set(&call->err, ETIMEDOUT, "not finished within %s",
                                    hf_format_duration(request->timeout_ns, text)));
    else if (request->idle_timeout_ns > 0 && !is_held(call) && now_ns - call->last_byte_ns >= request->idle_timeout_ns)
        set_result(call, hf_err_set(&call->err, ETIMEDOUT, "nothing received for %s",
                                    hf_format_duration(request->idle_timeout_ns, text)));
    if (call->result == 0) {
        arm(call);
        return;
    }
    suspect_connections(call);
    end_soon(call);
}

static uint64_t left_ns(uint64_t since_ns, uint64_t timeout_ns, uint64_t now_ns)
{
    uint64_t gone_ns = now_ns - since_ns;

    return timeout_ns == 0 ? HF_NEVER : timeout_ns > gone_ns ? timeout_ns - gone_ns : 0;
}

/* Arms the timer for the nearest deadline. A byte only moves the idle deadline; the timer follows when it fires. */
static void arm(struct hf_http_call *call)
{
    const struct hf_http_request *request = &call->request;
    uint64_t now_ns = uv_hrtime();
    uint64_t whole_ns = left_ns(call->start_ns, request->timeout_ns, now_ns);
    uint64_t idle_ns = is_held(call) ? HF_NEVER : left_ns(call->last_byte_ns, request->idle_timeout_ns, now_ns);
    uint64_t paid_ns = !call->throttled ? HF_NEVER : call->paid_ns > now_ns ? call->paid_ns - now_ns : 0;
    uint64_t delay_ns = HF_MIN(HF_MIN(whole_ns, idle_ns), paid_ns);

    if (delay_ns == HF_NEVER)
        (void)uv_timer_stop(&call->timer);
    else
        (void)uv_timer_start(&call->timer, on_timer, HF_MAX(hf_loop_delay_ms(call->loop, delay_ns), 1ull), 0);
}

/* ---- receiving --------------------------------------------------------------------------------------------------- */

static void note_bytes(struct hf_http_call *call, size_t n)
{
    call->client->received_bytes += n;
    call->last_byte_ns = uv_hrtime();
    call->pool->last_byte_ns = call->last_byte_ns;
}

static bool is_redirect(const struct hf_http_call *call)
{
    int status = call->head.response.status;

    return call->request.follow_redirects && call->head.location != NULL &&
           (status == 301 || status == 302 || status == 303 || status == 307 || status == 308);
}

/* Call after a callback of the caller. Returns false if the call must end. */
static bool go_on(struct hf_http_call *call, int r)
{
    if (call->aborted)
        return false;
    if (r == 0)
        return true;
    if (call->err.code == 0)
        (void)hf_err_set(&call->err, r < 0 ? -r : r, "the caller stopped the transfer");
    set_result(call, r < 0 ? r : -r);
    return false;
}

static bool head_complete(struct hf_http_call *call)
{
    struct hf_http_response *response = &call->head.response;

    response->redirected = call->left_origin;
    call->skip_body = is_redirect(call);
    if (call->skip_body)
        return true;
    if (response->content_length > 0 && (uint64_t)response->content_length > call->request.max_body_bytes &&
        strcmp(call->method, "HEAD") != 0) {
        set_result(call,
                   hf_err_set(&call->err, E2BIG, "the answer has %lld bytes, more than the limit of %llu",
                              (long long)response->content_length, (unsigned long long)call->request.max_body_bytes));
        return false;
    }
    if (call->request.on_response == NULL)
        return true;
    return go_on(call, call->request.on_response(call->request.arg, response));
}

static size_t on_header(char *bytes, size_t size, size_t n, void *arg)
{
    struct hf_http_call *call = arg;

    if (call->aborted || call->loop->closing)
        return 0;
    note_bytes(call, size * n);
    int r = hf_http_head_line(&call->head, (struct hf_view){bytes, size * n}, hf_unix_ns(call->client->clock));
    if (r < 0) {
        set_result(call, hf_err_set(&call->err, -r,
                                    r == -E2BIG ? "the head of the answer is longer than %d bytes"
                                                : "the head of the answer cannot be read (%d)",
                                    r == -E2BIG ? HF_HTTP_MAX_HEAD_BYTES : -r));
        return 0;
    }
    return r == 0 || head_complete(call) ? size * n : 0;
}

/* Each byte costs 1 / limit seconds; the call receives nothing more until they have passed. curl's own limit lets a
 * whole second's bytes through at once. */
static void pay(struct hf_http_call *call, size_t n)
{
    uint64_t limit = call->request.bandwidth_limit, now_ns = uv_hrtime();

    if (limit == 0)
        return;
    uint64_t price_ns = (uint64_t)n * HF_NS_PER_S / limit;
    call->paid_ns = HF_MAX(call->paid_ns, now_ns - BURST_NS) + price_ns;
    call->throttled = call->paid_ns > now_ns;
    if (call->throttled)
        arm(call);
}

static bool take_body(struct hf_http_call *call, const char *bytes, size_t n)
{
    call->received_bytes += n;
    pay(call, n);
    if (call->skip_body)
        return call->received_bytes <= MAX_REDIRECT_BODY;
    if (call->received_bytes > call->request.max_body_bytes) {
        set_result(call, hf_err_set(&call->err, E2BIG, "the answer is longer than the limit of %llu bytes",
                                    (unsigned long long)call->request.max_body_bytes));
        return false;
    }
    if (call->request.on_body != NULL)
        return go_on(call, call->request.on_body(call->request.arg, bytes, n));
    int r = hf_buf_add(&call->collected, bytes, n);
    if (r < 0)
        set_result(call, hf_err_set(&call->err, -r, "not enough memory for the answer"));
    return r == 0;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
    struct hf_http_call *call = arg;

    if (call->aborted || call->loop->closing)
        return 0;
    if (is_held(call))
        return CURL_WRITEFUNC_PAUSE; /* curl delivers it again later */
    note_bytes(call, size * n);
    bool taken = take_body(call, bytes, size * n);
    explicit_bzero(bytes, size * n); /* curl keeps its buffer for as long as a watch lasts, and it may hold a Secret */
    return taken ? size * n : 0;
}

static bool set_receivers(struct hf_http_call *call)
{
    return curl_easy_setopt(call->easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(call->easy, CURLOPT_HEADERDATA, call) == CURLE_OK &&
           curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(call->easy, CURLOPT_WRITEDATA, call) == CURLE_OK;
}

/* Bytes of the request of this hop, nearly: HTTP/2 makes headers smaller. */
static size_t size_of_request(const struct hf_http_call *call)
{
    size_t n = strlen(call->method) + strlen(call->url) + call->body.n;

    for (const struct curl_slist *it = call->sent_headers; it != NULL; it = it->next)
        n += strlen(it->data) + 2;
    return n;
}

/* ---- hops -------------------------------------------------------------------------------------------------------- */

static int begin_hop(struct hf_http_call *call)
{
    struct hf_http_pool *pool = hf_http_pool_current(call->client);
    struct hf_tls *tls;

    hf_http_head_done(&call->head);
    call->head = (struct hf_http_head){.response = {.content_length = -1}};
    call->received_bytes = 0;
    call->throttled = false;
    call->skip_body = false;
    call->to_origin = strcmp(call->to.origin, call->client->origin) == 0;
    if (hf_http_peers_find(call->client->peers, call->to.origin, &tls, &call->err) && tls == NULL)
        return -call->err.code;
    if (pool == NULL || !hf_http_easy_make(call) || !set_receivers(call))
        return hf_err_set(&call->err, ENOMEM, "not enough memory for a request");
    call->pool = pool;
    call->state = ST_RUNNING;
    call->client->sent_bytes += size_of_request(call);
    hf_http_pool_count(pool, true);
    hf_http_pool_enter(pool);
    CURLMcode code = curl_multi_add_handle(pool->multi, call->easy);
    hf_http_pool_leave(pool);
    return code == CURLM_OK ? 0 : hf_err_set(&call->err, ENOMEM, "%s", curl_multi_strerror(code));
}

static void begin(struct hf_http_call *call)
{
    int r = begin_hop(call);

    if (r < 0) {
        set_result(call, r);
        end_soon(call);
    }
}

/* 303 always, and 301 and 302 by custom for POST, become a GET without body (RFC 9110, 15.4). */
static int change_method(struct hf_http_call *call, int status)
{
    bool get = (status == 303 && strcmp(call->method, "HEAD") != 0) ||
               ((status == 301 || status == 302) && strcmp(call->method, "POST") == 0);
    char *method = get ? strdup("GET") : NULL;

    if (!get)
        return 0;
    if (method == NULL)
        return hf_err_set(&call->err, ENOMEM, "not enough memory for a redirect");
    free(call->method);
    call->method = method;
    hf_buf_done(&call->body);
    return 0;
}

static int next_hop(struct hf_http_call *call)
{
    _cleanup_(hf_freep) char *url = NULL;
    struct hf_url_parts to;

    if (++call->redirects > MAX_REDIRECTS)
        return hf_err_set(&call->err, EPROTO, "more than %d redirects", MAX_REDIRECTS);
    int r = hf_url_join(call->url, call->head.location, &url, &call->err);
    if (r == 0 && hf_url_split(url, &to, &call->err) < 0)
        r = hf_err_wrap(&call->err, -EPROTO, "redirect");
    if (r < 0)
        return r;
    if (call->to.https && !to.https)
        return hf_err_set(&call->err, EPROTO, "redirected from https to http, to '%s'", to.origin);
    call->allowed = call->reached;
    call->left_origin = call->left_origin || strcmp(to.origin, call->to.origin) != 0;
    call->to = to;
    hf_buf_wipe_text(&call->url);
    call->url = hf_steal(url);
    return change_method(call, call->head.response.status);
}

/* ---- reporting --------------------------------------------------------------------------------------------------- */

static void report(struct hf_http_call *call)
{
    call->state = ST_REPORTED;
    hf_loop_worked(call->loop);
    hf_list_remove(&call->link); /* `done` may free the client */
    call->client = NULL;
    call->request.done(call->request.arg, call->result, &call->head.response, hf_buf_view(&call->collected),
                       &call->err);
    call_free(call);
}

static void on_step(struct hf_loop_task *task)
{
    struct hf_http_call *call = hf_container_of(task, struct hf_http_call, step);

    if (call->state == ST_QUEUED) {
        begin(call);
        return;
    }
    if (call->result == 0 && is_redirect(call)) {
        int r = next_hop(call);
        if (r == 0) {
            call->state = ST_QUEUED;
            arm(call);
            begin(call);
            return;
        }
        set_result(call, r);
    }
    report(call);
}

static void on_ended(CURL *easy, CURLcode code)
{
    struct hf_http_call *call = NULL;

    (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &call);
    /* We stop a redirect whose body is too long to read. */
    bool cut_redirect = code == CURLE_WRITE_ERROR && call->skip_body;
    if (code == CURLE_OK && call->refused) { /* one address was refused, another one answered */
        call->refused = false;
        call->err = (struct hf_err)HF_ERR_INIT;
    }
    if (code != CURLE_OK && call->refused)
        set_result(call, -call->err.code);
    else if (code != CURLE_OK && call->result == 0 && !cut_redirect)
        set_curl_result(call, code);
    end_soon(call);
}

const struct hf_http_pool_owner hf_http_call_owner = {.free_aborted = free_aborted, .ended = on_ended};

/* ---- the table --------------------------------------------------------------------------------------------------- */

static bool method_ok(const char *method)
{
    size_t n = strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

    return n > 0 && n <= 16 && method[n] == '\0';
}

static int copy_headers(struct hf_http_call *call, const struct hf_http_request *request, struct hf_err *err)
{
    for (size_t i = 0; i < HF_HTTP_MAX_HEADERS && request->headers[i] != NULL; i++) {
        const char *header = request->headers[i];
        if (strchr(header, ':') == NULL || strpbrk(header, "\r\n") != NULL)
            return hf_err_set(err, EINVAL, "header %zu is not 'Name: value'", i);
        call->headers[i] = strdup(header);
        if (call->headers[i] == NULL)
            return hf_err_set(err, ENOMEM, "not enough memory for a request");
    }
    return 0;
}

static int copy_credential(struct hf_http_call *call, const char *line, struct hf_err *err)
{
    if (strchr(line, ':') == NULL || strpbrk(line, "\r\n") != NULL)
        return hf_err_set(err, EINVAL, "the header of the credential is not 'Name: value'");
    call->credential = strdup(line);
    return call->credential != NULL ? 0 : hf_err_set(err, ENOMEM, "not enough memory for a request");
}

static int copy_request(struct hf_http_call *call, const struct hf_http_request *request, struct hf_err *err)
{
    int r = hf_url_split(request->url, &call->to, err);

    if (r < 0)
        return r;
    if (!method_ok(request->method))
        return hf_err_set(err, EINVAL, "'%.32s' is not an HTTP method", request->method);
    r = copy_headers(call, request, err);
    if (r == 0 && request->credential != NULL)
        r = copy_credential(call, request->credential, err);
    if (r < 0)
        return r;
    call->method = strdup(request->method);
    call->url = strdup(request->url);
    call->body.max = request->body.n;
    if (call->method == NULL || call->url == NULL || hf_buf_add(&call->body, request->body.p, request->body.n) < 0)
        return hf_err_set(err, ENOMEM, "not enough memory for a request");
    call->request = *request;
    call->request.method = NULL; /* the copies replace them */
    call->request.url = NULL;
    memset(call->request.headers, 0, sizeof(call->request.headers));
    call->request.credential = NULL;
    call->request.body = (struct hf_view){NULL, 0};
    if (call->request.max_body_bytes == 0)
        call->request.max_body_bytes = DEFAULT_MAX_BODY;
    call->collected.max = (size_t)HF_MIN(call->request.max_body_bytes, (uint64_t)SIZE_MAX / 2);
    return 0;
}

static void on_resume(struct hf_loop_task *task)
{
    struct hf_http_call *call = hf_container_of(task, struct hf_http_call, resume);
    struct hf_http_pool *pool = call->pool;

    if (pool == NULL || is_held(call))
        return;
    /* curl delivers the bytes it held back inside this call, so make it from a task and not from the caller's. */
    hf_http_pool_enter(pool);
    (void)curl_easy_pause(call->easy, CURLPAUSE_CONT);
    hf_http_pool_leave(pool);
}

int hf_http_call_start(void *ctx, const struct hf_http_request *request, struct hf_http_call **ret_call,
                       struct hf_err *err)
{
    struct hf_http_client *client = ctx;

    if (client->loop->closing)
        return hf_err_set(err, ECANCELED, "the process is stopping");
    struct hf_http_call *call = calloc(1, sizeof(*call));
    if (call == NULL)
        return hf_err_set(err, ENOMEM, "not enough memory for a request");
    int r = copy_request(call, request, err);
    if (r < 0) {
        free_memory(call);
        return r;
    }
    call->client = client;
    call->loop = client->loop;
    call->reached = call->allowed = HF_ADDRESS_LOOPBACK; /* whoever made the request chose its first address */
    call->start_ns = uv_hrtime();
    call->last_byte_ns = call->start_ns;
    hf_loop_task_init(&call->step, on_step);
    hf_loop_task_init(&call->resume, on_resume);
    hf_list_append(&client->calls, &call->link);
    (void)uv_timer_init(&client->loop->uv, &call->timer);
    arm(call);
    hf_loop_task_post(client->loop, &call->step);
    *ret_call = call;
    return 0;
}

void hf_http_call_cancel(HF_UNUSED void *ctx, struct hf_http_call *call)
{
    if (call == NULL || call->state == ST_REPORTED)
        return;
    if (call->pool != NULL && call->pool->depth > 0) {
        call->aborted = true;
        call->client = NULL;
        hf_loop_task_drop(&call->resume);
        (void)uv_timer_stop(&call->timer);
        hf_list_remove(&call->link);
        hf_list_append(&call->pool->aborted, &call->link);
        return;
    }
    call_free(call);
}

void hf_http_call_pause(HF_UNUSED void *ctx, struct hf_http_call *call, bool paused)
{
    if (call == NULL || call->paused == paused)
        return;
    call->paused = paused;
    if (paused)
        hf_loop_task_drop(&call->resume);
    else
        go_on_receiving(call);
    if (call->state == ST_QUEUED || call->state == ST_RUNNING)
        arm(call);
}

void hf_http_call_cancel_all(struct hf_http_client *client)
{
    while (!hf_list_empty(&client->calls))
        hf_http_call_cancel(NULL, hf_container_of(client->calls.next, struct hf_http_call, link));
}
