/* SPDX-License-Identifier: Apache-2.0 */
/* A request is parsed whole before any item is offered: one bad item, and none is stored. Then the items are offered
 * one after the other. Without room the request waits in a queue until resume(). It leaves the queue when all its
 * items have been offered; the answer 202 comes when all stored items are on disk, even if the source has ended by
 * then. The requests that are still in the queue at that time get 503. */
#include "telemetry/source/ingest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "codec/expand.h"
#include "telemetry/source/ingest_parse.h"

enum { MAX_ANSWER = 512, KEEP_SCRATCH = 64 << 10 };

#define LOOK_NS (HF_NS_PER_S / 5)

struct http_source {
    struct hf_source source;
    const struct hf_telemetry_env *env;
    const struct hf_intake *intake;
    struct hf_ids *ids;
    struct hf_list waiting; /* for room, in order */
    size_t n_waiting, waiting_bytes;
    struct hf_list offered; /* completely; their receipts are open */
    bool armed;             /* the timer will fire */
    /* the first waiting request used up its turn and continues in the next one */
    bool again;
    struct hf_timer *timer; /* for waiting requests */
    struct hf_buf unpacked; /* body of the current request */
    struct hf_metric_family *requests;
    struct hf_metric *bytes;
};

struct request {
    struct hf_list link; /* in `waiting` or `offered` */
    struct hf_receipt receipt;
    struct http_source *http; /* NULL: freed */
    struct hf_server_exchange *exchange;
    struct hf_ingest_params params;
    /* memory that `params` borrows from while the request waits */
    char *kept;
    size_t kept_bytes;
    uint64_t key; /* fingerprint of the Idempotency-Key; 0: none */
    size_t items;
    size_t counts[HF_OFFER_REFUSED_BOUNDARY + 1];
    uint64_t until_ns; /* monotonic */
    /* 0: the receipt decides; else the reason why it ended before everything was offered */
    int status;
    char blocked[256]; /* its refusal before the others: a sink that cannot be used, or its share; "": neither */
};

/* ---- answers ----------------------------------------------------------------------------------------------------- */

/* `header`: an additional one, or NULL. */
static void answer(struct http_source *http, struct hf_server_exchange *exchange, int status, const char *header,
                   const char *text)
{
    const char *headers[] = {header, NULL};
    char word[16];

    if (http != NULL) {
        (void)snprintf(word, sizeof(word), "%d", status);
        hf_metric_add(hf_metric_with(http->requests, HF_LABELS(word)), 1);
    }
    hf_server_answer(exchange, status, "application/json", headers, hf_view_of(text));
}

static void answer_fault(struct http_source *http, struct hf_server_exchange *exchange,
                         const struct hf_ingest_fault *fault)
{
    const char *whose = fault->named[0] != '\0' ? fault->named : fault->member;
    char text[MAX_ANSWER];
    int n = snprintf(text, sizeof(text), "{\"error\":\"%s%s%s\"", whose != NULL ? whose : "", whose != NULL ? ": " : "",
                     fault->what);

    if (fault->line > 0)
        n += snprintf(text + n, sizeof(text) - (size_t)n, ",\"item\":%zu,\"line\":%zu,\"offset\":%zu", fault->item,
                      fault->line, fault->offset);
    (void)snprintf(text + n, sizeof(text) - (size_t)n, "}\n");
    answer(http, exchange, fault->status,
           fault->status == 415 ? "Accept: application/json, application/x-ndjson" : NULL, text);
}

static void answer_end(const struct request *request, int status)
{
    const size_t *counts = request->counts;
    bool told = request->blocked[0] != '\0' && (status == 503 || status == 429);
    const char *error = told            ? request->blocked
                        : status == 429 ? "the queue is full: send it again later"
                        : status == 422 ? "no sink accepts data of this boundary"
                        : status == 413 ? "an event is too long"
                                        : "not stored: send it again later";
    char text[MAX_ANSWER], head[sizeof(request->blocked) + 16] = "";

    if (status != 202)
        (void)snprintf(head, sizeof(head), "\"error\":\"%s\",", error);
    (void)snprintf(text, sizeof(text), "{%s\"accepted\":%zu,\"duplicates\":%zu,\"filtered\":%zu,\"refused\":%zu}\n",
                   head, counts[HF_OFFER_STORED] + counts[HF_OFFER_AGGREGATED], counts[HF_OFFER_DUPLICATE],
                   counts[HF_OFFER_FILTERED], counts[HF_OFFER_REFUSED_BOUNDARY]);
    answer(request->http, request->exchange, status,
           status == 429   ? "Retry-After: 2"
           : status == 503 ? "Retry-After: 5"
                           : NULL,
           text);
}

/* ---- a request's life -------------------------------------------------------------------------------------------- */

static void request_free(struct request *request)
{
    free(request->kept);
    free(request);
}

/* Every offered event of the request is on disk or has failed. */
static void settled(struct hf_receipt *receipt)
{
    struct request *request = hf_container_of(receipt, struct request, receipt);
    struct http_source *http = request->http;
    int status = request->status != 0 ? request->status : receipt->r < 0 ? 503 : 202;

    if (http != NULL)
        hf_list_remove(&request->link);
    if (status == 202 && request->counts[HF_OFFER_REFUSED_BOUNDARY] == request->items)
        status = 422;
    if (status == 202 && http != NULL && http->ids != NULL && request->key != 0)
        (void)!hf_ids_add(http->ids, request->key);
    answer_end(request, status);
    request_free(request);
}

/* Offers no more of the request; `request` may be gone afterwards. */
static void finish(struct request *request, int status)
{
    struct http_source *http = request->http;

    request->status = status;
    free(hf_steal(request->kept));
    if (http != NULL)
        hf_list_append(&http->offered, &request->link);
    hf_receipt_release(&request->receipt, 0);
}

/* Returns -ENODEV if a sink that should have the event cannot be used, and -EDQUOT if the sender has taken its share of
 * a queue. The request does not wait for that, because requests behind it may be for other sinks, or of others. */
static int offer(struct request *request, const struct hf_event *event)
{
    const struct hf_intake *intake = request->http->intake;
    int r = intake->offer(intake->ctx, event, &request->receipt);

    if (r == -EAGAIN && intake->blocked != NULL) {
        int why = intake->blocked(intake->ctx, request->blocked, sizeof(request->blocked));
        r = why < 0 ? why : r;
    }
    if (r >= 0 && (size_t)r < HF_LEN(request->counts))
        request->counts[r]++;
    return r < 0 ? r : 0;
}

/* Continues offering. 0: the end; -EAGAIN: no room; -EINTR: enough for this turn; else the error that ends
 * it. */
static int offer_rest(struct request *request)
{
    struct hf_ingest_parser parser;
    struct hf_ingest_fault fault;
    struct hf_event event;
    int r = hf_ingest_parse_begin(&parser, &request->params, &fault);

    for (size_t i = 0; r >= 0 && request->params.from_item < request->items; i++) {
        r = i == HF_INGEST_AT_ONCE ? -EINTR : hf_ingest_parse_next(&parser, &event, &fault);
        if (r <= 0)
            break;
        r = offer(request, &event);
        if (r < 0)
            break;
        request->params.from_item = parser.item;
        request->params.from_offset = parser.scan.at;
    }
    hf_ingest_parse_end(&parser);
    return r < 0 ? r : 0;
}

static int status_of(int r)
{
    return r == 0 ? 0 : r == -E2BIG ? 413 : r == -EDQUOT ? 429 : 503;
}

/* ---- waiting for room -------------------------------------------------------------------------------------------- */

static struct request *first_of(const struct hf_list *list)
{
    return hf_list_empty(list) ? NULL : hf_container_of(list->next, struct request, link);
}

static void leave_line(struct http_source *http, struct request *request)
{
    hf_list_remove(&request->link);
    http->n_waiting--;
    http->waiting_bytes -= request->kept_bytes;
}

/* While requests wait, the timer looks for expired ones. Calling again does not postpone it. */
static void arm(struct http_source *http)
{
    const struct hf_sched_ops *sched = http->env->sched;

    if (http->again)
        hf_timer_arm(sched, http->timer, 0);
    else if (http->n_waiting > 0 && !http->armed)
        hf_timer_arm(sched, http->timer, LOOK_NS);
    http->armed = http->again || http->n_waiting > 0;
}

static void set_deadline(struct request *request)
{
    request->until_ns = hf_mono_ns(request->http->env->clock) +
                        (request->params.from_item > 0 ? HF_INGEST_WAIT_BEGUN_S : HF_INGEST_WAIT_S) * HF_NS_PER_S;
}

/* Copies the texts: the server's request ends with the call. */
static int enter_line(struct request *request)
{
    struct http_source *http = request->http;
    struct hf_ingest_params *params = &request->params;
    struct hf_view *views[] = {&params->body, &params->content_type, &params->idempotency_key, &params->checksum};
    size_t n = 0;

    for (size_t i = 0; i < HF_LEN(views); i++)
        n += views[i]->n;
    /* A request that has stored some items must be able to wait: the line is empty then, and one body is below the
     * limit. */
    if (http->n_waiting >= HF_INGEST_MAX_WAITING ||
        (http->n_waiting > 0 &&
         n > HF_INGEST_MAX_WAITING_BYTES - HF_MIN(http->waiting_bytes, HF_INGEST_MAX_WAITING_BYTES)))
        return -EAGAIN;
    request->kept = malloc(n > 0 ? n : 1);
    if (request->kept == NULL)
        return -ENOMEM;
    char *at = request->kept;
    for (size_t i = 0; i < HF_LEN(views); i++) {
        if (views[i]->n > 0)
            memcpy(at, views[i]->p, views[i]->n);
        views[i]->p = at;
        at += views[i]->n;
    }
    request->kept_bytes = n;
    hf_list_append(&http->waiting, &request->link);
    http->n_waiting++;
    http->waiting_bytes += n;
    set_deadline(request);
    arm(http);
    return 0;
}

static void resume(struct hf_source *source)
{
    struct http_source *http = hf_container_of(source, struct http_source, source);
    struct request *request;

    while ((request = first_of(&http->waiting)) != NULL) {
        size_t before = request->params.from_item;
        int r = offer_rest(request);
        http->again = r == -EINTR;
        if (r == -EAGAIN || r == -EINTR) {
            if (request->params.from_item > before)
                set_deadline(request);
            break;
        }
        leave_line(http, request);
        finish(request, status_of(r));
    }
    arm(http);
}

static void on_timer(void *arg)
{
    struct http_source *http = arg;
    uint64_t now_ns = hf_mono_ns(http->env->clock);
    struct hf_list *it, *following;

    http->armed = false;
    if (http->again)
        resume(&http->source);
    hf_list_each(it, following, &http->waiting) {
        struct request *request = hf_container_of(it, struct request, link);
        if (request->until_ns > now_ns)
            continue;
        leave_line(http, request);
        finish(request, 429);
    }
    arm(http);
}

/* ---- taking ------------------------------------------------------------------------------------------------------ */

/* Parses everything without storing. Leaves a single item in *ret_event, which borrows from *parser. */
static int look_through(const struct hf_ingest_params *params, struct hf_ingest_parser *parser, size_t *ret_items,
                        struct hf_event *ret_event, struct hf_ingest_fault *ret_fault)
{
    int r = hf_ingest_parse_begin(parser, params, ret_fault);
    size_t items = 0;

    while (r >= 0 && (r = hf_ingest_parse_next(parser, ret_event, ret_fault)) > 0)
        items++;
    *ret_items = items;
    return r;
}

/* A key counts for its sender alone. */
static uint64_t key_of(const struct http_source *http, const struct hf_ingest_params *params)
{
    return http->ids != NULL && params->idempotency_key.n > 0
               ? hf_ids_of_request(http->ids, hf_event_owner_of_uid(hf_view_of(params->peer_uid)),
                                   params->idempotency_key)
               : 0;
}

static void begin(struct http_source *http, const struct hf_ingest_params *params, size_t items,
                  const struct hf_event *single, struct hf_server_exchange *exchange)
{
    struct request *request = calloc(1, sizeof(*request));
    int r = -EAGAIN;

    if (request == NULL) {
        answer(http, exchange, 503, "Retry-After: 5", "{\"error\":\"out of memory\"}\n");
        return;
    }
    *request = (struct request){
        .receipt = {.settled = settled}, .http = http, .exchange = exchange, .params = *params, .items = items};
    request->params.trusted = true;
    request->key = key_of(http, params);
    hf_receipt_hold(&request->receipt);
    if (http->n_waiting > 0) {
        r = -EAGAIN; /* wait behind the others */
    } else if (single != NULL) {
        r = offer(request, single);
    } else {
        r = offer_rest(request);
    }
    http->again |= r == -EINTR;
    if ((r == -EAGAIN || r == -EINTR) && enter_line(request) == 0)
        return;
    finish(request, r == -EAGAIN || r == -EINTR ? 429 : status_of(r));
}

static void take_body(struct http_source *http, const struct hf_ingest_params *params,
                      struct hf_server_exchange *exchange)
{
    struct hf_ingest_parser parser;
    struct hf_ingest_fault fault = {.status = 500, .what = ""};
    struct hf_event event;
    size_t items;
    int r = look_through(params, &parser, &items, &event, &fault);

    if (r == -EBADMSG) {
        answer_fault(http, exchange, &fault);
    } else if (r < 0) {
        answer(http, exchange, 503, "Retry-After: 5", "{\"error\":\"out of memory\"}\n");
    } else if (key_of(http, params) != 0 && hf_ids_contains(http->ids, key_of(http, params))) {
        char text[128];
        (void)snprintf(text, sizeof(text), "{\"accepted\":0,\"duplicates\":%zu,\"filtered\":0,\"refused\":0}\n", items);
        answer(http, exchange, 202, NULL, text);
    } else {
        begin(http, params, items, items == 1 ? &event : NULL, exchange);
    }
    hf_ingest_parse_end(&parser);
}

/* Decompresses the body; 0, or the status of the refusal. */
static int unpack(struct http_source *http, const struct hf_server_request *request, struct hf_view *ret_body,
                  const char **ret_what)
{
    enum hf_squeeze_kind kind;

    if (hf_expand_kind(request->content_encoding, &kind) < 0) {
        *ret_what = "the content encoding is neither gzip nor zstd";
        return 415;
    }
    if (kind == HF_SQUEEZE_NONE) {
        *ret_body = request->body;
        return 0;
    }
    hf_buf_clear(&http->unpacked);
    int r = hf_expand(kind, request->body, &http->unpacked, ret_what);
    *ret_body = hf_buf_view(&http->unpacked);
    return r == 0 ? 0 : r == -EBADMSG ? 400 : r == -E2BIG ? 413 : 503;
}

void hf_source_http_serve(struct hf_source *source, const struct hf_server_request *request,
                          struct hf_server_exchange *exchange)
{
    struct http_source *http = hf_container_of(source, struct http_source, source);
    char key[400], checksum[96], ignored[256];

    if (!hf_server_header(request, "idempotency-key:", key, sizeof(key)) ||
        !hf_server_header(request, "x-payload-checksum:", checksum, sizeof(checksum)) ||
        !hf_server_header(request, "x-device-key:", ignored, sizeof(ignored))) {
        hf_server_answer(exchange, 431, "application/json", NULL, HF_VIEW("{\"error\":\"a header is too long\"}\n"));
        return;
    }
    struct hf_ingest_params params = {.content_type = request->content_type,
                                      .idempotency_key = hf_view_of(key),
                                      .checksum = hf_view_of(checksum),
                                      .now_unix_ns = hf_unix_ns(http->env->clock)};
    struct hf_ingest_fault fault = {.what = NULL};

    if (request->peer != NULL && request->peer->has_uid)
        (void)snprintf(params.peer_uid, sizeof(params.peer_uid), "%" PRIu32, request->peer->uid);
    if (request->peer != NULL)
        (void)snprintf(params.peer_unit, sizeof(params.peer_unit), "%s", request->peer->unit);

    hf_metric_add(http->bytes, request->body.n);
    fault.status = unpack(http, request, &params.body, &fault.what);
    if (fault.status != 0)
        answer_fault(http, exchange, &fault);
    else
        take_body(http, &params, exchange);
    if (http->unpacked.cap > KEEP_SCRATCH)
        hf_buf_done(&http->unpacked);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static void http_free(struct hf_source *source)
{
    struct http_source *http = hf_container_of(source, struct http_source, source);
    struct request *request;

    while ((request = first_of(&http->offered)) != NULL) {
        hf_list_remove(&request->link);
        request->http = NULL;
    }
    while ((request = first_of(&http->waiting)) != NULL) {
        leave_line(http, request);
        request->http = NULL;
        finish(request, 503);
    }
    hf_timer_free(http->env->sched, http->timer);
    hf_buf_done(&http->unpacked);
    free(http);
}

void hf_source_http_set_ids(struct hf_source *source, struct hf_ids *ids)
{
    hf_container_of(source, struct http_source, source)->ids = ids;
}

int hf_source_http_new(HF_UNUSED const struct hf_telemetry_sources *sources, const struct hf_telemetry_env *env,
                       const struct hf_intake *intake, struct hf_source **ret_source, struct hf_err *err)
{
    struct http_source *http = calloc(1, sizeof(*http));

    if (http == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    http->source = (struct hf_source){.name = "http", .resume = resume, .free = http_free};
    http->env = env;
    http->intake = intake;
    http->unpacked = (struct hf_buf)HF_BUF_INIT(HF_INGEST_MAX_UNPACKED);
    hf_list_init(&http->waiting);
    hf_list_init(&http->offered);
    http->timer = hf_timer_new(env->sched, on_timer, http);
    http->requests = hf_metric_family(env->metrics, HF_METRIC_COUNTER, "holdfast_telemetry_ingest_requests_total",
                                      "Requests to /ingest answered, by status.", HF_LABELS("status"));
    http->bytes = hf_metric_counter(env->metrics, "holdfast_telemetry_ingest_bytes_total",
                                    "Bytes of bodies that /ingest received, before unpacking.");
    if (http->timer == NULL) {
        http_free(&http->source);
        return hf_err_set(err, ENOMEM, "out of memory");
    }
    *ret_source = &http->source;
    return 0;
}
