/* SPDX-License-Identifier: Apache-2.0 */
/* The connection fills one buffer while a job writes the other; pump() decides after each step of either what comes
 * next. While a job is in progress it owns `work` and nothing else; fetch_work.c has the work of the jobs.
 *
 * If the disk is slower, the connection pauses. The durable record never claims more bytes than are on disk: content
 * is written first, then synced, then recorded. A download that the server or the link breaks keeps its bytes for
 * the next try; what is wrong with the content itself shows only later, in hf_patch_run(). The sealed record in
 * <folder>/fetch has the synced bytes and the server's version (ETag or Last-Modified); a later request asks for the
 * remainder (If-Range and Range, RFC 9110, 13.1.5 and 14.2). A registry's 401 that asks for a token costs one request
 * for it.
 *
 * With mirrors of the URL in `access`, a fetch tries one after the other, and keeps what it has. Any may have sent any
 * byte, so it asks for the remainder without If-Range: the hash decides. A mirror with another one behind it has to
 * send HF_FETCH_MIRROR_MIN bytes in each HF_FETCH_MIRROR_S seconds. If a redirect's target refuses (a presigned URL has
 * ended), the fetch asks `url` again. */
#include "steps/fetch.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/net/url_mask.h"
#include "oci/registry/reference.h"
#include "steps/fetch_impl.h"

enum {
    /* bytes; with fewer the download fails with DownloadTooSlow, unless it is paused or limited itself */
    HF_FETCH_MIN_PER_MINUTE = 1 << 10,
    HF_FETCH_MIRROR_MIN = 64 << 10,
    HF_FETCH_MIRROR_S = 15, /* from its answer on, for which it has a minute: a cache may be filling */
    HF_FETCH_RENEWALS = 3,  /* how often `url` is asked again */
    /* bytes after which a durable record is due (1/64 of the download if that is more); also after 10 s with at least
     * HF_FETCH_WRITE bytes */
    HF_FETCH_SYNC = 1 << 20,
};

static const uint64_t idle_ns = 60 * HF_NS_PER_S, sync_ns = 10 * HF_NS_PER_S, write_ns = HF_NS_PER_S / 5,
                      mirror_connect_ns = 5 * HF_NS_PER_S, token_ns = 30 * HF_NS_PER_S;

static void pump(struct hf_fetch *fetch);

/* ---- pure helpers ------------------------------------------------------------------------------------------------ */

/* Maximum of bytes to accept: a compressed file may be a little longer than its content. */
static uint64_t limit(const struct hf_fetch *fetch)
{
    uint64_t size = fetch->p.size;
    bool maybe_packed = fetch->record.packed || (fetch->record.offset == 0 && fetch->head_n < HF_FETCH_HEAD) ||
                        hf_fetch_work_is_packed(fetch->head, fetch->head_n);

    return fetch->p.exact || fetch->p.at_most || !maybe_packed ? size : size + size / 64 + HF_FETCH_SLACK;
}

/* What the limit is, for messages. */
static const char *kind_of_limit(const struct hf_fetch *fetch)
{
    return fetch->p.at_most ? "permitted" : "signed";
}

static const struct hf_try *current(const struct hf_fetch *fetch)
{
    return &fetch->try.tries.items[fetch->try.at];
}

/* Any of several servers may have sent the bytes that are there. */
static bool has_one_source(const struct hf_fetch *fetch)
{
    return fetch->try.tries.n == 1;
}

static bool has_next(const struct hf_fetch *fetch)
{
    return fetch->try.at + 1 < fetch->try.tries.n;
}

/* True for a mirror that may be left for another URL. */
static bool is_replaceable(const struct hf_fetch *fetch)
{
    return fetch->p.replaceable || (current(fetch)->mirror != 0 && has_next(fetch));
}

static bool strong(const char *etag)
{
    return etag[0] == '"';
}

/* The remainder is of another file than the bytes that are there: the server ignored If-Range. */
static bool is_of_another_file(const struct hf_fetch *fetch, const struct hf_http_response *response)
{
    return response->status == 206 && has_one_source(fetch) && strong(fetch->record.etag) &&
           response->etag[0] != '\0' && strcmp(response->etag, fetch->record.etag) != 0;
}

/* Reports received bytes, and counts them for the record. */
static void count(struct hf_fetch *fetch, uint64_t n, bool before)
{
    fetch->p.wire_bytes += n;
    if (fetch->p.moved != NULL && n > 0)
        fetch->p.moved(fetch->p.arg, n, before);
}

static void note(struct hf_fetch *fetch, int r, const struct hf_failure *failure)
{
    if (fetch->result.r < 0) /* the first failure counts */
        return;
    fetch->result.r = r;
    fetch->result.failure = *failure;
}

static int fail(struct hf_fetch *fetch, enum hf_reason reason, int code, const char *format, ...) HF_PRINTF(4, 5);

static int fail(struct hf_fetch *fetch, enum hf_reason reason, int code, const char *format, ...)
{
    struct hf_failure failure;
    char text[256];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    (void)hf_failure_set(&failure, reason, code, "%s", text);
    note(fetch, -code, &failure);
    return -code;
}

/* ---- jobs: on the loop ------------------------------------------------------------------------------------------- */

static void drop_token(struct hf_fetch *fetch)
{
    hf_buf_wipe_text(&fetch->try.token);
    hf_buf_wipe(&fetch->try.answer);
    hf_buf_wipe_text(&fetch->try.ask.url);
}

static void free_fetch(struct hf_fetch *fetch)
{
    void (*gone)(void *arg) = fetch->gone;
    void *arg = fetch->gone_arg;

    hf_fetch_work_close(fetch);
    hf_mirrors_list_done(&fetch->try.tries);
    hf_access_ticket_done(&fetch->try.ticket);
    drop_token(fetch);
    hf_timer_free(fetch->p.sched, fetch->timer);
    free(fetch->fill);
    free(fetch->writing);
    free(fetch);
    if (gone != NULL)
        gone(arg);
}

static void deliver(struct hf_fetch *fetch)
{
    struct hf_fetch_params p = fetch->p;
    struct hf_failure failure = fetch->result.failure;
    uint64_t retry_after_ns = fetch->result.retry_after_ns;
    bool hopeless = fetch->result.hopeless;
    int r = fetch->result.r;

    free_fetch(fetch);
    p.done(p.arg, r, &failure, retry_after_ns, hopeless);
}

/* Delivers the result from the loop's next turn, where no job can do it. */
static void deliver_later(struct hf_fetch *fetch)
{
    fetch->delivering = true;
    hf_timer_arm(fetch->p.sched, fetch->timer, 0);
}

static void worked(struct hf_job *job, int cancelled);

static void submit(struct hf_fetch *fetch, enum fetch_work_kind kind)
{
    fetch->work.kind = kind;
    fetch->work.job = (struct hf_job){.work = hf_fetch_work_do, .done = worked};
    int r = hf_job_submit(fetch->p.sched, &fetch->work.job);
    if (r < 0) {
        (void)fail(fetch, HF_R_RetryingLater, -r, "no worker is available: %s", strerror(-r));
        deliver_later(fetch);
        return;
    }
    fetch->busy = true;
}

/* Notes what a proxy or a web server has made of the artifact. A wrong length is then no mystery; a right one proves
 * nothing, because some servers label packed files so. */
static void note_oddity(struct hf_fetch *fetch, const struct hf_http_response *response)
{
    fetch->oddity[0] = '\0';
    if (strncasecmp(response->content_type, "text/html", 9) == 0)
        (void)snprintf(fetch->oddity, sizeof(fetch->oddity),
                       "; it sent a web page (text/html), such as that of a login: artifacts must need none");
    else if (response->content_encoding[0] != '\0' && strcasecmp(response->content_encoding, "identity") != 0)
        (void)snprintf(fetch->oddity, sizeof(fetch->oddity),
                       "; it compressed the artifact (Content-Encoding: %.20s): switch that off for artifacts",
                       response->content_encoding);
}

static bool is_judged_as_mirror(const struct hf_fetch *fetch)
{
    return fetch->try.answered && is_replaceable(fetch);
}

/* How long a try may be slow before it fails. A mirror that has not answered yet may be a cache that another node
 * fills. */
static uint64_t look_ns(const struct hf_fetch *fetch)
{
    return is_judged_as_mirror(fetch) ? HF_FETCH_MIRROR_S * HF_NS_PER_S : 60 * HF_NS_PER_S;
}

/* True for the first 401 of a registry that asks for a token: request_token() gets it. */
static bool is_denied(struct hf_fetch *fetch, const struct hf_http_response *response)
{
    const char *url = current(fetch)->url;
    char name[HF_OCI_REPOSITORY], text[200];
    struct hf_err err = HF_ERR_INIT;
    int r = 0;

    if (response->status == 401 && !response->redirected && fetch->try.token == NULL &&
        hf_oci_blob_repository(url, name))
        r = hf_oci_token_ask(url, name, response->challenge, &fetch->try.ask, &err);
    if (r < 0)
        (void)fail(fetch, HF_R_DownloadRefused, -r, "%s", hf_err_text(&err, text, sizeof(text)));
    fetch->try.denied = r > 0;
    return fetch->try.denied;
}

static int on_response(void *arg, const struct hf_http_response *response)
{
    struct hf_fetch *fetch = arg;
    int status = response->status;
    uint64_t from = fetch->record.offset, total = 0;
    char shown[121], why[160];

    fetch->try.answered = true;
    hf_timer_arm(fetch->p.sched, fetch->timer, look_ns(fetch));
    fetch->result.retry_after_ns = response->retry_after_ns;
    if (is_denied(fetch, response) || fetch->result.r < 0)
        return fetch->result.r;
    hf_access_ticket_done(&fetch->try.ticket);
    note_oddity(fetch, response);
    if (status == 416 && from > 0 && response->range_total == from) /* the download is complete already */
        return -ENODATA;
    if (is_of_another_file(fetch, response) || status == 416 || (status == 206 && response->range_start != from)) {
        fetch->drop = !has_next(fetch);
        return fail(fetch, HF_R_DownloadRefused, EPROTO, "the server cannot resume at byte %" PRIu64 "%s", from,
                    is_of_another_file(fetch, response) ? ": its file has changed" : "");
    }
    if (status != 200 && status != 206) {
        /* A presigned URL that has ended: the server that redirected here has a fresh one. */
        fetch->try.renew = response->redirected && (status == 401 || status == 403 || status == 410) &&
                           (from > 0 || fetch->try.renewals < HF_FETCH_RENEWALS);
        fetch->result.hopeless = status >= 400 && status < 500 && status != 401 && status != 408 && status != 425 &&
                                 status != 429 && !fetch->try.renew;
        bool gone = (status == 404 || status == 410) && !fetch->try.renew;
        return fail(fetch, HF_R_DownloadRefused,
                    gone                     ? ENOENT
                    : fetch->result.hopeless ? EACCES
                                             : EAGAIN,
                    "HTTP status %d from %s%s", status, hf_url_mask(current(fetch)->url, shown, sizeof(shown)),
                    hf_access_explain(fetch->p.access, current(fetch)->url, response, why, sizeof(why)));
    }
    if (status == 200) {
        fetch->restart = fetch->restart || from > 0;
        fetch->record.offset = from = 0;
        fetch->record.packed = false;
        fetch->head_n = 0;
        (void)snprintf(fetch->record.etag, sizeof(fetch->record.etag), "%s",
                       has_one_source(fetch) ? response->etag : "");
        (void)snprintf(fetch->record.last_modified, sizeof(fetch->record.last_modified), "%s",
                       has_one_source(fetch) ? response->last_modified : "");
    }
    fetch->fill_at = from;
    if (response->content_length >= 0)
        total = from + (uint64_t)response->content_length;
    if (total > limit(fetch)) {
        fetch->drop = !has_next(fetch);
        return fail(fetch, HF_R_ArtifactTooLong, EFBIG,
                    "the server offers %" PRIu64 " bytes, more than the %s %" PRIu64 " bytes%s", total,
                    kind_of_limit(fetch), limit(fetch), fetch->oddity);
    }
    if (fetch->p.exact && total != 0 && total != fetch->p.size) {
        fetch->drop = !has_next(fetch);
        return fail(fetch, HF_R_ArtifactTooShort, EBADMSG,
                    "the server offers %" PRIu64 " bytes, but %" PRIu64 " are signed%s", total, fetch->p.size,
                    fetch->oddity);
    }
    fetch->expected = total;
    return 0;
}

static int on_body(void *arg, const void *bytes, size_t n)
{
    struct hf_fetch *fetch = arg;
    const char *from = bytes;

    count(fetch, n, false);
    if (fetch->try.denied)
        return 0;
    if (fetch->fill == NULL)
        fetch->fill = malloc(2 * HF_FETCH_BUFFER);
    if (fetch->fill == NULL)
        return fail(fetch, HF_R_RetryingLater, ENOMEM, "not enough memory for a download");
    if (!fetch->try.served)
        hf_access_served(fetch->p.access, current(fetch), fetch->p.key);
    fetch->try.served = true;
    fetch->minute_bytes += n;
    if (fetch->record.offset == 0 && fetch->head_n < HF_FETCH_HEAD) {
        size_t take = HF_MIN(n, HF_FETCH_HEAD - fetch->head_n);
        memcpy(fetch->head + fetch->head_n, from, take);
        fetch->head_n += take;
        if (fetch->head_n == HF_FETCH_HEAD)
            fetch->record.packed = !fetch->p.exact && hf_fetch_work_is_packed(fetch->head, HF_FETCH_HEAD);
    }
    if (fetch->fill_at + fetch->fill_n + n > limit(fetch)) {
        fetch->drop = true;
        return fail(fetch, HF_R_ArtifactTooLong, EFBIG, "the server sent more than the %s %" PRIu64 " bytes%s",
                    kind_of_limit(fetch), limit(fetch), fetch->oddity);
    }
    /* The connection pauses at HF_FETCH_BUFFER, and one piece is smaller than the other half of the buffer. */
    if (n > 2 * HF_FETCH_BUFFER - fetch->fill_n)
        return fail(fetch, HF_R_IoError, ENOBUFS, "a chunk of %zu bytes exceeds the buffer", n);
    memcpy(fetch->fill + fetch->fill_n, from, n);
    fetch->fill_n += n;
    if (fetch->fill_n >= HF_FETCH_BUFFER && !fetch->paused) {
        fetch->paused = true;
        fetch->p.http->pause(fetch->p.http->ctx, fetch->call, true);
    }
    pump(fetch);
    return 0;
}

/* Checks the length at the end of a download without errors. */
static void check_length(struct hf_fetch *fetch)
{
    uint64_t got = fetch->fill_at + fetch->fill_n;

    if (!fetch->p.exact && fetch->head_n > 0 && fetch->head_n < HF_FETCH_HEAD)
        fetch->record.packed = hf_fetch_work_is_packed(fetch->head, fetch->head_n);
    if ((fetch->p.exact || !fetch->record.packed) && !fetch->p.at_most && got < fetch->p.size) {
        fetch->drop = true;
        (void)fail(fetch, HF_R_ArtifactTooShort, EBADMSG,
                   "the artifact ended after %" PRIu64 " bytes, but %" PRIu64 " are signed%s", got, fetch->p.size,
                   fetch->oddity);
    }
}

static void request_token(struct hf_fetch *fetch);

static void on_done(void *arg, int r, HF_UNUSED const struct hf_http_response *response, HF_UNUSED struct hf_view body,
                    const struct hf_err *err)
{
    struct hf_fetch *fetch = arg;
    char text[200], shown[81];

    fetch->call = NULL;
    if (r == -ENODATA)
        r = 0;
    if (r == 0 && fetch->try.denied) {
        request_token(fetch);
        return;
    }
    if (r < 0)
        (void)fail(fetch, HF_R_DownloadFailed, -r, "%s: %s", hf_url_mask(current(fetch)->url, shown, sizeof(shown)),
                   err != NULL ? hf_err_text(err, text, sizeof(text)) : strerror(-r));
    else if (fetch->result.r == 0)
        check_length(fetch);
    fetch->ended = true;
    pump(fetch);
}

static void start(struct hf_fetch *fetch, const struct hf_http_request *request)
{
    struct hf_err err = HF_ERR_INIT;
    char text[200];
    int r = fetch->p.http->start(fetch->p.http->ctx, request, &fetch->call, &err);

    if (r < 0) {
        fetch->call = NULL;
        (void)fail(fetch, r == -EINVAL || r == -EPROTONOSUPPORT ? HF_R_UrlUnsupported : HF_R_DownloadFailed, -r, "%s",
                   hf_err_text(&err, text, sizeof(text)));
        fetch->ended = true;
        pump(fetch);
        return;
    }
    hf_timer_arm(fetch->p.sched, fetch->timer, look_ns(fetch));
}

static void request(struct hf_fetch *fetch)
{
    const struct hf_fetch_record *record = &fetch->record;
    char range[64], condition[HF_HTTP_HEADER_VALUE + 16], host[HF_HTTP_HEADER_VALUE + 8];
    size_t n = 0;
    struct hf_http_request request = {.method = "GET",
                                      .url = current(fetch)->url,
                                      .credential = fetch->try.token != NULL ? fetch->try.token
                                                    : fetch->try.ticket.credential.n > 0
                                                        ? hf_buf_str(&fetch->try.ticket.credential)
                                                        : NULL,
                                      .connect_timeout_ns = is_replaceable(fetch) ? mirror_connect_ns : 0,
                                      .idle_timeout_ns = idle_ns,
                                      .max_body_bytes = fetch->p.size + fetch->p.size / 64 + 2 * HF_FETCH_SLACK,
                                      .bandwidth_limit = fetch->p.bandwidth_limit,
                                      .follow_redirects = !fetch->p.replaceable,
                                      .on_response = on_response,
                                      .on_body = on_body,
                                      .done = on_done,
                                      .arg = fetch};

    if (record->offset > 0 && !fetch->try.from_zero) {
        (void)snprintf(range, sizeof(range), "Range: bytes=%" PRIu64 "-", record->offset);
        request.headers[n++] = range;
        /* A weak ETag does not identify bytes (RFC 9110, 13.1.5). Without either header the final hash decides. */
        const char *validator = strong(record->etag) ? record->etag : record->last_modified;
        (void)snprintf(condition, sizeof(condition), "If-Range: %s", validator);
        if (validator[0] != '\0' && has_one_source(fetch))
            request.headers[n++] = condition;
    }
    if (fetch->p.host != NULL) {
        (void)snprintf(host, sizeof(host), "Host: %s", fetch->p.host);
        request.headers[n++] = host;
    }
    if (fetch->try.renewals > 0) /* a cache on the way may keep the redirect that has ended */
        request.headers[n++] = "Cache-Control: no-cache";
    fetch->fill_at = record->offset;
    start(fetch, &request);
}

/* ---- the token of a registry ------------------------------------------------------------------------------------- */

static int on_token(void *arg, const void *bytes, size_t n)
{
    struct hf_fetch *fetch = arg;

    count(fetch, n, false);
    return hf_buf_add(&fetch->try.answer, bytes, n);
}

static void got_token(void *arg, int r, const struct hf_http_response *response, HF_UNUSED struct hf_view body,
                      const struct hf_err *error)
{
    struct hf_fetch *fetch = arg;
    struct hf_err err = HF_ERR_INIT;
    char shown[121], text[200];
    uint64_t seconds;

    fetch->call = NULL;
    if (r < 0)
        err = *error;
    else
        r = hf_oci_token_take(response, hf_buf_view(&fetch->try.answer), &fetch->try.token, &seconds, &err);
    fetch->result.retry_after_ns = response != NULL ? response->retry_after_ns : 0;
    if (r == 0) {
        request(fetch);
        return;
    }
    (void)fail(fetch, r == -EACCES ? HF_R_DownloadRefused : HF_R_DownloadFailed, -r, "token from %s: %s",
               hf_url_mask(fetch->try.ask.url, shown, sizeof(shown)), hf_err_text(&err, text, sizeof(text)));
    fetch->ended = true;
    pump(fetch);
}

static void request_token(struct hf_fetch *fetch)
{
    fetch->try.denied = false;
    fetch->try.answer = (struct hf_buf)HF_BUF_INIT(HF_OCI_TOKEN_ANSWER);
    start(fetch, &(const struct hf_http_request){
                     .method = "GET",
                     .url = fetch->try.ask.url,
                     .headers = {"Accept: application/json"},
                     .credential = hf_oci_token_credential(&fetch->try.ask, hf_buf_str(&fetch->try.ticket.credential)),
                     .connect_timeout_ns = is_replaceable(fetch) ? mirror_connect_ns : 0,
                     .timeout_ns = token_ns,
                     .max_body_bytes = HF_OCI_TOKEN_ANSWER,
                     .on_body = on_token,
                     .done = got_token,
                     .arg = fetch});
    hf_access_ticket_done(&fetch->try.ticket);
}

/* ---- the tries --------------------------------------------------------------------------------------------------- */

static void begin_try(struct hf_fetch *fetch)
{
    hf_access_ticket_done(&fetch->try.ticket);
    drop_token(fetch);

    if (fetch->p.access == NULL) {
        request(fetch);
        return;
    }
    hf_access_ticket_init(fetch->p.access, current(fetch)->url, &fetch->try.ticket);
    submit(fetch, WORK_ACCESS);
}

/* The files of the try's credential and certificates are read. */
static void admitted(struct hf_fetch *fetch)
{
    struct hf_err err = HF_ERR_INIT;
    int r = fetch->result.r == 0 ? hf_access_use(fetch->p.access, &fetch->try.ticket, &err) : 0;
    char text[256];

    if (r < 0)
        (void)fail(fetch, HF_R_DownloadRefused, -r, "%s", hf_err_text(&err, text, sizeof(text)));
    if (fetch->result.r == 0) {
        request(fetch);
        return;
    }
    hf_access_ticket_done(&fetch->try.ticket);
    fetch->ended = true;
    pump(fetch);
}

static void prepared(struct hf_fetch *fetch)
{
    fetch->record = fetch->work.record;
    if (fetch->record.key[0] == '\0')
        (void)snprintf(fetch->record.key, sizeof(fetch->record.key), "%s", fetch->p.key);
    fetch->synced_at_ns = hf_mono_ns(fetch->p.clock);
    count(fetch, fetch->record.wire - HF_MIN(fetch->record.wire, fetch->p.wire_bytes), true);
    if (fetch->work.already || fetch->result.r < 0) {
        deliver(fetch);
        return;
    }
    fetch->fill_at = fetch->record.offset;
    if (strncmp(fetch->p.url, "file:", 5) == 0)
        submit(fetch, WORK_COPY);
    else if (hf_access_tries(fetch->p.access, fetch->p.url, &fetch->try.tries) == 0)
        begin_try(fetch);
    else {
        (void)fail(fetch, HF_R_RetryingLater, ENOMEM, "not enough memory for a download");
        deliver(fetch);
    }
}

static void copied(struct hf_fetch *fetch)
{
    uint64_t n = fetch->work.copied;

    fetch->fill_at = n;
    fetch->record.packed = true; /* not needed for a copy: limits no length */
    if (fetch->result.r == 0 && fetch->p.exact && n < fetch->p.size)
        check_length(fetch);
    fetch->drop = fetch->drop || fetch->result.r < 0;
    fetch->ended = true;
    pump(fetch);
}

static void written(struct hf_fetch *fetch)
{
    if (fetch->work.sync && fetch->result.r == 0)
        fetch->record.offset = fetch->work.record.offset;
    if (fetch->result.r < 0 && !fetch->ended) { /* the disk failed: stop the connection */
        fetch->p.http->cancel(fetch->p.http->ctx, fetch->call);
        fetch->call = NULL;
        fetch->ended = true;
    }
    pump(fetch);
}

static void worked(struct hf_job *job, int cancelled)
{
    struct hf_fetch *fetch = hf_container_of(job, struct hf_fetch, work.job);
    struct fetch_work *work = &fetch->work;

    fetch->busy = false;
    if (fetch->freed) {
        free_fetch(fetch);
        return;
    }
    if (cancelled) {
        work->r = hf_failure_sys(&work->failure, -ECANCELED, "download");
    }
    if (work->r < 0)
        note(fetch, work->r, &work->failure);
    /* On a full disk, free the space of the partial file. */
    if (work->r < 0 && (work->failure.reason == HF_R_DiskFull))
        fetch->drop = true;
    if (work->kind == WORK_PREPARE)
        prepared(fetch);
    else if (work->kind == WORK_ACCESS)
        admitted(fetch);
    else if (work->kind == WORK_COPY)
        copied(fetch);
    else if (work->kind == WORK_WRITE)
        written(fetch);
    else
        deliver(fetch);
}

/* ---- what comes next --------------------------------------------------------------------------------------------- */

/* True if it is time to sync and save the record. Each one costs card writes: at most 64 by size, more only on slow
 * links. */
static bool sync_is_due(const struct hf_fetch *fetch, uint64_t end)
{
    uint64_t step = HF_MAX((uint64_t)HF_FETCH_SYNC, fetch->p.size / 64),
             gained = end - HF_MIN(end, fetch->record.offset);

    return fetch->ended || gained >= step ||
           (gained >= HF_FETCH_WRITE && hf_mono_ns(fetch->p.clock) - fetch->synced_at_ns >= sync_ns);
}

/* Few large writes on a fast link; on a slow one a write after write_ns. */
static bool write_is_due(const struct hf_fetch *fetch)
{
    return fetch->ended || fetch->fill_n >= HF_FETCH_WRITE ||
           hf_mono_ns(fetch->p.clock) - fetch->written_at_ns >= write_ns;
}

static void write_next(struct hf_fetch *fetch)
{
    struct fetch_work *work = &fetch->work;
    char *full = fetch->fill;

    fetch->fill = fetch->writing;
    fetch->writing = full;
    *work = (struct fetch_work){.bytes = full,
                                .n = fetch->fill_n,
                                .at = fetch->fill_at,
                                .first = fetch->written_at_ns == 0,
                                .truncate = fetch->restart,
                                .reserve = fetch->fill_at == 0 && fetch->p.reserve == NULL ? fetch->expected : 0,
                                .record = fetch->record};
    work->record.offset = fetch->fill_at + fetch->fill_n;
    work->record.wire = fetch->p.wire_bytes;
    work->sync = sync_is_due(fetch, work->record.offset);
    if (work->sync)
        fetch->synced_at_ns = hf_mono_ns(fetch->p.clock);
    fetch->restart = false;
    fetch->written_at_ns = hf_mono_ns(fetch->p.clock);
    fetch->fill_at += fetch->fill_n;
    fetch->fill_n = 0;
    submit(fetch, WORK_WRITE);
    if (fetch->paused && fetch->call != NULL) {
        fetch->paused = false;
        fetch->p.http->pause(fetch->p.http->ctx, fetch->call, false);
    }
}

/* After a write or a sync that failed, the record on disk stays as it is. A sync would return 0 now, because the kernel
 * takes the pages that it lost for clean; fill_at counts them, and bytes that were never written. The next attempt
 * writes again from the end of the record (write_again()). */
static void finish(struct hf_fetch *fetch)
{
    struct fetch_work *work = &fetch->work;
    bool disk_failed = work->r < 0;

    hf_timer_disarm(fetch->p.sched, fetch->timer);
    *work = (struct fetch_work){.record = fetch->record, .drop = fetch->drop};
    work->record.offset = fetch->fill_at;
    work->record.wire = fetch->p.wire_bytes;
    work->record.complete = fetch->result.r == 0;
    work->sync = !disk_failed && (work->record.complete || fetch->unsaved || fetch->fill_at > fetch->record.offset);
    submit(fetch, WORK_FINAL);
}

/* ---- the next try ------------------------------------------------------------------------------------------------ */

static void remember(struct hf_fetch *fetch)
{
    const struct hf_try *try = current(fetch);
    const struct hf_err *err = &fetch->result.failure.err;

    if (try->mirror == 0) {
        fetch->try.own = fetch->result;
        return;
    }
    (void)hf_url_mask(try->url, fetch->try.mirror, sizeof(fetch->try.mirror));
    fetch->try.mirror[HF_MIN(strlen(fetch->try.mirror), 8 + strcspn(fetch->try.mirror + 8, "/"))] = '\0';
    if (err->code != ENOENT) /* it works, and has not this artifact */
        hf_access_failed(fetch->p.access, try, err);
}

/* All tries have failed: the failure is that of the URL itself, and names the last mirror. */
static void conclude(struct hf_fetch *fetch)
{
    if (fetch->try.own.r < 0) {
        fetch->result = fetch->try.own;
    }
    if (fetch->try.mirror[0] != '\0')
        (void)hf_err_wrap(&fetch->result.failure.err, fetch->result.r, "after its mirror %s failed", fetch->try.mirror);
    fetch->try.mirror[0] = '\0';
}

/* Keeps what is there for the next try, unless it is wrong. */
static void reset(struct hf_fetch *fetch)
{
    struct hf_fetch_record *record = &fetch->record;

    if (fetch->drop) {
        fetch->fill_n = fetch->head_n = 0;
        fetch->fill_at = record->offset = 0;
        record->packed = false;
        record->etag[0] = record->last_modified[0] = '\0';
        fetch->restart = true;
    }
    fetch->unsaved = fetch->unsaved || record->offset != fetch->fill_at;
    record->offset = fetch->fill_at;
    fetch->result.failure = (struct hf_failure){.reason = HF_R_None};
    fetch->result.r = 0;
    fetch->result.retry_after_ns = fetch->minute_bytes = 0;
    fetch->ended = fetch->drop = fetch->result.hopeless = fetch->paused = fetch->try.renew = false;
    fetch->try.answered = fetch->try.served = false;
    fetch->oddity[0] = '\0';
}

/* Begins the next try after a failure; false: there is none. */
static bool try_next(struct hf_fetch *fetch)
{
    int r = fetch->result.r;

    if (r == 0 || r == -ECANCELED || r == -ENOMEM || fetch->work.r < 0 || fetch->try.tries.n == 0)
        return false;
    if (fetch->try.renew && fetch->try.renewals < HF_FETCH_RENEWALS) {
        fetch->try.renewals++;
    } else {
        remember(fetch);
        if (!has_next(fetch)) {
            conclude(fetch);
            return false;
        }
        fetch->try.at++;
    }
    hf_timer_disarm(fetch->p.sched, fetch->timer);
    reset(fetch);
    begin_try(fetch);
    return true;
}

static void pump(struct hf_fetch *fetch)
{
    bool disk_failed = fetch->ended && fetch->result.r < 0 && (fetch->drop || fetch->work.r < 0);

    if (fetch->busy || fetch->delivering)
        return;
    if (fetch->fill_n > 0 && !disk_failed && write_is_due(fetch))
        write_next(fetch);
    else if (fetch->ended && !try_next(fetch))
        finish(fetch);
}

static void on_timer(void *arg)
{
    char shown[121];
    struct hf_fetch *fetch = arg;
    uint64_t least = HF_FETCH_MIN_PER_MINUTE, span_s = look_ns(fetch) / HF_NS_PER_S;

    if (fetch->delivering) {
        deliver(fetch);
        return;
    }
    if (fetch->call == NULL)
        return;
    if (is_judged_as_mirror(fetch))
        least = HF_FETCH_MIRROR_MIN;
    if (fetch->p.bandwidth_limit != 0)
        least = HF_MIN(least, fetch->p.bandwidth_limit * (span_s / 2));
    if (fetch->minute_bytes >= least || fetch->paused) {
        fetch->minute_bytes = 0;
        hf_timer_arm(fetch->p.sched, fetch->timer, span_s * HF_NS_PER_S);
        return;
    }
    (void)fail(fetch, HF_R_DownloadTooSlow, ETIMEDOUT,
               "%" PRIu64 " bytes in the last %" PRIu64 " s from %s are too few", fetch->minute_bytes, span_s,
               hf_url_mask(current(fetch)->url, shown, sizeof(shown)));
    fetch->p.http->cancel(fetch->p.http->ctx, fetch->call);
    fetch->call = NULL;
    fetch->ended = true;
    pump(fetch);
}

int hf_fetch_start(const struct hf_fetch_params *params, struct hf_fetch **ret_fetch, struct hf_err *err)
{
    struct hf_fetch *fetch = calloc(1, sizeof(*fetch));

    if (fetch == NULL)
        return hf_err_sys(err, -ENOMEM, "start a download");
    fetch->p = *params;
    fetch->fd = fetch->now.fd = -1;
    fetch->timer = hf_timer_new(params->sched, on_timer, fetch);
    if (fetch->timer == NULL) {
        hf_fetch_free(fetch, NULL, NULL);
        return hf_err_sys(err, -ENOMEM, "start a download");
    }
    *ret_fetch = fetch;
    submit(fetch, WORK_PREPARE);
    return 0;
}

void hf_fetch_stop(struct hf_fetch *fetch)
{
    atomic_store(&fetch->cancel, true);
    if (fetch->ended || fetch->delivering)
        return;
    (void)fail(fetch, HF_R_RetryingLater, ECANCELED, "the download was interrupted");
    if (fetch->call != NULL)
        fetch->p.http->cancel(fetch->p.http->ctx, fetch->call);
    /* The prepare and copy jobs have no call; their end reads r. */
    bool streaming = fetch->call != NULL || fetch->work.kind == WORK_WRITE;
    fetch->call = NULL;
    if (streaming) {
        fetch->ended = true;
        pump(fetch);
    }
}

void hf_fetch_free(struct hf_fetch *fetch, void (*gone)(void *arg), void *arg)
{
    fetch->gone = gone;
    fetch->gone_arg = arg;
    atomic_store(&fetch->cancel, true);
    if (fetch->call != NULL)
        fetch->p.http->cancel(fetch->p.http->ctx, fetch->call);
    fetch->call = NULL;
    if (fetch->busy)
        fetch->freed = true;
    else
        free_fetch(fetch);
}
