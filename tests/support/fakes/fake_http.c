/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fakes/fake_http.h"

#include <errno.h>

#include "base/parse.h"

struct row {
    char *method, *url;
    struct hf_fake_answer answer;
    unsigned used;
};

/* A body without end, sent for as long as the client is there. */
struct endless {
    struct hf_fake_http *fake;
    struct hf_simcall *call;
    struct hf_timer *timer;
    struct hf_fake_answer answer;
    struct endless *next;
};

struct hf_fake_http {
    struct hf_simnet *net;
    struct hf_simproc *proc;
    struct hf_simclient *client;
    struct row *rows;
    size_t n_rows;
    struct hf_fake_request *asked;
    size_t n_asked;
    struct endless *endless;
};

static void *must(void *pointer)
{
    if (pointer == NULL)
        abort();
    return pointer;
}

static char *copy(const char *text)
{
    return must(strdup(text));
}

static struct row *row_for(struct hf_fake_http *fake, const struct hf_simcall *call)
{
    struct row *best = NULL;

    for (size_t i = 0; i < fake->n_rows; i++) {
        struct row *row = &fake->rows[i];
        if ((row->answer.times > 0 && row->used >= row->answer.times) ||
            strcmp(row->method, hf_simcall_method(call)) != 0 ||
            strncmp(hf_simcall_url(call), row->url, strlen(row->url)) != 0)
            continue;
        if (best == NULL || strlen(row->url) > strlen(best->url))
            best = row;
    }
    return best;
}

static void record(struct hf_fake_http *fake, const struct hf_simcall *call)
{
    static const char *const known[] = {"Host",          "Range",  "If-Range",     "If-None-Match",
                                        "Authorization", "Accept", "Content-Type", "User-Agent"};
    struct hf_buf headers = {.max = 65536};

    if ((fake->n_asked & (fake->n_asked - 1)) == 0)
        fake->asked = must(reallocarray(fake->asked, 2 * fake->n_asked + 1, sizeof(*fake->asked)));
    struct hf_fake_request *request = &fake->asked[fake->n_asked++];
    *request = (struct hf_fake_request){.method = copy(hf_simcall_method(call)),
                                        .url = copy(hf_simcall_url(call)),
                                        .body = {.max = SIZE_MAX / 2},
                                        .at_ns = hf_mono_ns(hf_simproc_clock(fake->proc))};
    for (size_t i = 0; i < HF_LEN(known); i++) {
        const char *value = hf_simcall_header(call, known[i]);
        if (value != NULL && hf_buf_addf(&headers, "%s: %s\n", known[i], value) < 0)
            abort();
    }
    request->headers = hf_buf_take(&headers);
    struct hf_view body = hf_simcall_body(call);
    if (body.n > 0 && hf_buf_add(&request->body, body.p, body.n) < 0)
        abort();
}

/* First byte asked for by "Range: bytes=N-", when If-Range (if any) still fits; 0: all. */
static uint64_t range_of(const struct hf_simcall *call, const struct hf_fake_answer *answer)
{
    const char *range = hf_simcall_header(call, "Range"), *only_if = hf_simcall_header(call, "If-Range");
    uint64_t start = 0;

    if (!answer->ranges || range == NULL || strncmp(range, "bytes=", 6) != 0)
        return 0;
    if (only_if != NULL && (answer->etag == NULL || strcmp(only_if, answer->etag) != 0) &&
        (answer->last_modified == NULL || strcmp(only_if, answer->last_modified) != 0))
        return 0;
    char *number = copy(range + 6);
    number[strcspn(number, "-")] = '\0';
    if (hf_parse_u64(number, 0, UINT64_MAX, &start) < 0)
        start = 0;
    free(number);
    return start;
}

static void text_header(char *to, const char *from)
{
    (void)snprintf(to, HF_HTTP_HEADER_VALUE, "%s", from != NULL ? from : "");
}

static void endless_fires(void *arg)
{
    struct endless *stream = arg;
    const struct hf_sched_ops *sched = hf_simproc_sched(stream->fake->proc);

    if (stream->call == NULL)
        return;
    hf_simcall_send(stream->call, stream->answer.body, stream->answer.n);
    hf_timer_arm(sched, stream->timer, HF_NS_PER_MS);
}

static void endless_gone(void *arg, struct hf_simcall *call)
{
    struct endless *stream = arg;

    (void)call;
    stream->call = NULL;
}

static void start_endless(struct hf_fake_http *fake, struct hf_simcall *call, const struct hf_fake_answer *answer)
{
    const struct hf_sched_ops *sched = hf_simproc_sched(fake->proc);
    struct endless *stream = must(calloc(1, sizeof(*stream)));

    *stream = (struct endless){.fake = fake, .call = call, .answer = *answer, .next = fake->endless};
    fake->endless = stream;
    stream->timer = hf_timer_new(sched, endless_fires, stream);
    hf_simcall_on_gone(call, endless_gone, stream);
    hf_timer_arm(sched, stream->timer, 0);
}

static void send_body(struct hf_fake_http *fake, struct hf_simcall *call, const struct hf_fake_answer *answer,
                      uint64_t start)
{
    const char *bytes = answer->body;
    size_t n = answer->n - start;

    if (answer->cut_after > 0 && answer->cut_after < n) {
        hf_simcall_send(call, bytes + start, answer->cut_after);
        hf_simcall_fail(call, -EPIPE);
        return;
    }
    if (n > 0)
        hf_simcall_send(call, bytes + start, n);
    if (answer->endless)
        start_endless(fake, call, answer);
    else if (!answer->silent)
        hf_simcall_end(call);
}

static void answer_with(struct hf_fake_http *fake, struct hf_simcall *call, const struct hf_fake_answer *answer)
{
    uint64_t start = range_of(call, answer);
    struct hf_http_response response = {.status = answer->status != 0 ? answer->status : 200,
                                        .retry_after_ns = answer->retry_after_ns,
                                        .date_unix_ns = answer->date_unix_ns,
                                        .content_length = answer->endless ? -1 : (int64_t)(answer->n - start)};

    if (start > 0 && start >= answer->n) {
        hf_simcall_reply(call, 416, "text/plain", "");
        return;
    }
    if (start > 0) {
        response.status = 206;
        response.range_start = start;
        response.range_total = answer->n;
    }
    text_header(response.content_type, answer->content_type);
    text_header(response.etag, answer->etag);
    text_header(response.last_modified, answer->last_modified);
    hf_simcall_respond(call, &response);
    send_body(fake, call, answer, start);
}

static void handle(void *arg, struct hf_simcall *call)
{
    struct hf_fake_http *fake = arg;
    struct row *row = row_for(fake, call);

    record(fake, call);
    if (row == NULL) {
        hf_simcall_reply(call, 404, "text/plain", "not scripted");
        return;
    }
    row->used++;
    if (row->answer.fail < 0)
        hf_simcall_fail(call, row->answer.fail);
    else
        answer_with(fake, call, &row->answer);
}

struct hf_fake_http *hf_fake_http_new(struct hf_simloop *loop, struct hf_simproc *proc)
{
    struct hf_fake_http *fake = must(calloc(1, sizeof(*fake)));

    fake->net = hf_simnet_new(loop);
    fake->proc = hf_simproc_new(loop, "fake-http");
    fake->client = hf_simnet_client(fake->net, proc);
    hf_simnet_serve(fake->net, "http://", handle, fake);
    hf_simnet_serve(fake->net, "https://", handle, fake);
    return fake;
}

void hf_fake_http_clear(struct hf_fake_http *fake)
{
    for (size_t i = 0; i < fake->n_rows; i++) {
        free(fake->rows[i].method);
        free(fake->rows[i].url);
    }
    free(fake->rows);
    fake->rows = NULL;
    fake->n_rows = 0;
}

void hf_fake_http_free(struct hf_fake_http *fake)
{
    if (fake == NULL)
        return;
    hf_simclient_free(fake->client);
    hf_simnet_free(fake->net);
    for (struct endless *stream = fake->endless, *next; stream != NULL; stream = next) {
        const struct hf_sched_ops *sched = hf_simproc_sched(fake->proc);
        next = stream->next;
        hf_timer_free(sched, stream->timer);
        free(stream);
    }
    hf_simproc_free(fake->proc);
    hf_fake_http_clear(fake);
    for (size_t i = 0; i < fake->n_asked; i++) {
        free(fake->asked[i].method);
        free(fake->asked[i].url);
        free(fake->asked[i].headers);
        hf_buf_done(&fake->asked[i].body);
    }
    free(fake->asked);
    free(fake);
}

const struct hf_http_ops *hf_fake_http_ops(struct hf_fake_http *fake)
{
    return hf_simclient_ops(fake->client);
}

struct hf_simclient *hf_fake_http_client(struct hf_fake_http *fake)
{
    return fake->client;
}

struct hf_simnet *hf_fake_http_net(struct hf_fake_http *fake)
{
    return fake->net;
}

void hf_fake_http_on(struct hf_fake_http *fake, const char *method, const char *url,
                     const struct hf_fake_answer *answer)
{
    fake->rows = must(reallocarray(fake->rows, fake->n_rows + 1, sizeof(*fake->rows)));
    fake->rows[fake->n_rows++] = (struct row){.method = copy(method), .url = copy(url), .answer = *answer};
}

size_t hf_fake_http_count(const struct hf_fake_http *fake)
{
    return fake->n_asked;
}

const struct hf_fake_request *hf_fake_http_asked(const struct hf_fake_http *fake, size_t i)
{
    return i < fake->n_asked ? &fake->asked[i] : NULL;
}
