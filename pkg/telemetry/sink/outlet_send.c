/* From a body to the sink: when and how many at once, what the answer means for the batch, the breaker and the pace. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "telemetry/event/ids.h"
#include "telemetry/sink/outlet_parts.h"

enum {
    MAX_ANSWER = 64 << 10,
    MAX_BYTES_SENDING = 2 << 20, /* of bodies under way, compressed: memory */
    REQUEST_OVERHEAD = 512,      /* head and TLS of a request, for the bandwidth limit */
    SLOWEST_LINK = 8 << 10,      /* bytes per second that are waited for */
    MAX_BURIED_IN_A_ROW = 16,    /* then it is the sink and not the records */
    TIMES_DEFERRED = 8,          /* a batch that fails while others pass is to blame itself */
};

#define CONNECT_NS (10 * HF_NS_PER_S)

/* ---- may anything go now? ---------------------------------------------------------------------------------------- */

static bool window_open(const struct hf_outlet *outlet, uint64_t now_ns, uint64_t *wait_until_ns)
{
    uint64_t unix_ns = hf_unix_ns(outlet->world.clock), next_ns = HF_NEVER;

    if (hf_windows_open(outlet->sink->windows, outlet->sink->n_windows, unix_ns, &next_ns))
        return true;
    /* the wall clock may be set meanwhile: look again every minute */
    uint64_t wait_ns = next_ns == HF_NEVER || next_ns < unix_ns ? HF_NEVER : next_ns - unix_ns;
    *wait_until_ns = HF_MIN(*wait_until_ns, now_ns + HF_MIN(wait_ns, 60 * HF_NS_PER_S));
    return false;
}

bool hf_outlet_may_send(struct hf_outlet *outlet, uint64_t now_ns, uint64_t *wait_until_ns)
{
    if (!window_open(outlet, now_ns, wait_until_ns))
        return false;
    if (now_ns < outlet->quiet_until_ns) {
        *wait_until_ns = HF_MIN(*wait_until_ns, outlet->quiet_until_ns);
        return false;
    }
    if (hf_breaker_admits(&outlet->breaker, now_ns))
        return true;
    *wait_until_ns = HF_MIN(*wait_until_ns, hf_breaker_wait_until_ns(&outlet->breaker));
    return false;
}

/* ---- what becomes of a batch ------------------------------------------------------------------------------------- */

static void sending_free(struct hf_outlet *outlet, struct sending *sending)
{
    if (sending->batch->phase == HF_BATCH_READY)
        outlet->n_ready--;
    if (sending->call != NULL)
        outlet->http->cancel(outlet->http->ctx, sending->call);
    sending->batch->body = NULL;
    hf_list_remove(&sending->link);
    hf_format_packed_done(&sending->packed);
    free(sending);
}

void hf_outlet_sendings_done(struct hf_outlet *outlet)
{
    while (!hf_list_empty(&outlet->sendings))
        sending_free(outlet, hf_container_of(outlet->sendings.next, struct sending, link));
}

/* To be tried again. True: its series has ended, that is after a longer while. */
static bool fail_batch(struct hf_outlet *outlet, struct hf_batch *batch, uint64_t now_ns, uint64_t at_least_ns)
{
    bool deferred = false;

    batch->failed_ns = now_ns;
    batch->not_before_ns =
        now_ns + hf_retry_round_fail(&batch->retry, &outlet->rules, outlet->world.rand, now_ns, at_least_ns, &deferred);
    batch->phase = HF_BATCH_WAITING;
    if (deferred) {
        outlet->deferred++;
        hf_metric_add(outlet->metrics.deferred, 1);
    }
    return deferred;
}

static void wait_for_setup(struct hf_outlet *outlet, struct hf_batch *batch, uint64_t now_ns, uint64_t at_least_ns)
{
    batch->not_before_ns = now_ns + hf_retry_round_wait_setup(&batch->retry, outlet->world.rand, at_least_ns);
    batch->phase = HF_BATCH_WAITING;
}

void hf_outlet_refuse_batch(struct hf_outlet *outlet, struct hf_batch *batch, uint64_t middle, const char *reason,
                            uint64_t now_ns, struct lane *lane)
{
    (void)snprintf(batch->reason, sizeof(batch->reason), "%s", reason);
    if (middle != 0) {
        batch->phase = HF_BATCH_WAITING;
        batch->not_before_ns = 0;
        if (hf_batches_split(&lane->batches, batch, middle) == NULL)
            batch->not_before_ns = now_ns + HF_NS_PER_S; /* another one is being taken apart */
        return;
    }
    if (outlet->buried_in_a_row >= MAX_BURIED_IN_A_ROW && !batch->doubted) {
        /* So many records cannot all be bad: before the next one goes, see whether the sink comes to its senses. */
        batch->phase = HF_BATCH_WAITING;
        batch->doubted = true;
        outlet->quiet_until_ns = now_ns + hf_retry_round_wait_setup(&outlet->suspicion, outlet->world.rand, 0);
        return;
    }
    outlet->buried_in_a_row++;
    batch->phase = HF_BATCH_REFUSED;
}

static void delivered(struct hf_outlet *outlet, const struct sending *sending, uint64_t now_ns)
{
    outlet->delivered += sending->records;
    outlet->buried_in_a_row = 0;
    outlet->suspicion = (struct hf_retry_round){.attempts = 0};
    outlet->last_success_ns = now_ns;
    outlet->trouble[0] = '\0';
    sending->batch->phase = HF_BATCH_DONE;
    hf_metric_add(outlet->metrics.events, sending->records);
    hf_metric_add(outlet->metrics.bytes, sending->raw_bytes);
    hf_metric_add(outlet->metrics.batches, 1);
}

/* A sink that works, fails on this one each time and takes others in between: an error of its own that this content brings out. */
static bool is_to_blame(const struct hf_outlet *outlet, const struct hf_batch *batch,
                        const struct hf_retry_judgement *judgement)
{
    return judgement->unwell && batch->retry.deferrals >= TIMES_DEFERRED && outlet->last_success_ns > batch->failed_ns;
}

static void note_answer(struct hf_batch *batch, const struct hf_retry_judgement *judgement,
                        const struct hf_http_response *response, struct hf_view body, const struct hf_err *err, int r)
{
    char text[2 * sizeof(err->cause)];

    (void)snprintf(batch->reason, sizeof(batch->reason), "%s", judgement->reason);
    if (r < 0)
        (void)snprintf(batch->detail, sizeof(batch->detail), "%.90s", hf_err_text(err, text, sizeof(text)));
    else if (strcmp(judgement->reason, "content_type") == 0)
        (void)snprintf(batch->detail, sizeof(batch->detail), "the answer is %.40s, not a receiver's: is the URL right?",
                       response->content_type);
    else
        (void)snprintf(batch->detail, sizeof(batch->detail), "%.*s", (int)HF_MIN(body.n, (size_t)90), body.p);
}

/* Among those of both lanes. */
static uint64_t name_of(const struct lane *lane, const struct hf_batch *batch)
{
    return batch->range.first * HF_LANES + (uint64_t)lane->which;
}

static void failed(struct hf_outlet *outlet, struct sending *sending, const struct hf_retry_judgement *judgement,
                   uint64_t now_ns, uint64_t at_least_ns)
{
    struct hf_batch *batch = sending->batch;
    struct lane *lane = sending->lane;
    uint64_t middle = sending->middle;
    enum hf_retry_verdict verdict = judgement->verdict;

    outlet->failures++;
    hf_outlet_trouble(outlet, "%s: %s", judgement->reason, batch->detail);
    if (verdict == HF_RETRY_AGAIN && is_to_blame(outlet, batch, judgement))
        verdict = HF_RETRY_REFUSED;
    if (verdict == HF_RETRY_AGAIN || verdict == HF_RETRY_SETUP)
        hf_suspect_failed(&batch->suspect, &outlet->suspects, name_of(lane, batch), judgement->maybe_content, now_ns);
    if (verdict == HF_RETRY_AGAIN && fail_batch(outlet, batch, now_ns, at_least_ns) &&
        hf_suspect_round_ended(&batch->suspect, &outlet->suspects, name_of(lane, batch), middle == 0,
                               outlet->last_success_ns, now_ns)) {
        batch->suspect.sure = true;
        verdict = HF_RETRY_REFUSED;
    }
    if (verdict == HF_RETRY_SETUP)
        wait_for_setup(outlet, batch, now_ns, at_least_ns);
    else if (verdict != HF_RETRY_AGAIN)
        hf_outlet_refuse_batch(outlet, batch, middle, judgement->reason, now_ns, lane);
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

static int start_part(struct hf_outlet *outlet, struct sending *sending, uint64_t now_ns, struct hf_err *err);

static void wake_all(struct hf_outlet *outlet)
{
    for (size_t i = 0; i < HF_LANES; i++)
        hf_batches_wake(&outlet->lanes[i].batches);
}

/* The sink does not work: what was made ready for it is made again when it does, perhaps something newer then. */
static void drop_ready(struct hf_outlet *outlet)
{
    struct hf_list *it, *following;

    hf_list_each(it, following, &outlet->sendings) {
        struct sending *sending = hf_container_of(it, struct sending, link);
        struct hf_batch *batch = sending->batch;
        if (batch->phase != HF_BATCH_READY)
            continue;
        sending_free(outlet, sending);
        batch->phase = HF_BATCH_WAITING;
    }
}

/* That it opens is worth a look, though it mends itself; that another probe failed is for who looks closely. */
static void tell_breaker(struct hf_outlet *outlet, enum hf_breaker before, const struct hf_retry_judgement *judgement,
                         const struct hf_batch *batch)
{
    if (before == outlet->breaker.state)
        return;
    if (outlet->breaker.state == HF_BREAKER_CLOSED)
        hf_log(outlet->world.log, HF_LOG_INFO, "telemetry.breaker", HF_S("sink", outlet->name),
               HF_S("state", "closed"));
    else
        hf_log(outlet->world.log, before == HF_BREAKER_CLOSED ? HF_LOG_WARNING : HF_LOG_DEBUG, "telemetry.breaker",
               HF_S("sink", outlet->name), HF_S("state", "open"), HF_S("reason", judgement->reason),
               HF_S("detail", batch->detail));
}

/* What an attempt says about the sink, whatever becomes of the batch. */
static void learn(struct hf_outlet *outlet, const struct sending *sending, const struct hf_retry_judgement *judgement,
                  uint64_t now_ns, uint64_t at_least_ns)
{
    enum hf_breaker before = outlet->breaker.state;
    bool works = judgement->verdict == HF_RETRY_DELIVERED || judgement->verdict == HF_RETRY_REFUSED ||
                 judgement->verdict == HF_RETRY_TOO_LARGE;

    /* The same batch again and again says something about the batch. */
    bool same = judgement->unwell && outlet->unwell_first == sending->batch->range.first &&
                outlet->unwell_lane == sending->lane->which;
    if (judgement->unwell)
        outlet->unwell_first = sending->batch->range.first;
    outlet->unwell_lane = judgement->unwell ? sending->lane->which : outlet->unwell_lane;
    outlet->try_another =
        judgement->maybe_content &&
        (judgement->unwell || !outlet->try_another); /* every second time: it may as well be the link */
    if (!same || before != HF_BREAKER_CLOSED)
        hf_breaker_ended(&outlet->breaker, works, outlet->world.rand, now_ns, at_least_ns);
    hf_aimd_answered(&outlet->pace, sending->began_ns, now_ns - sending->began_ns, works && !judgement->congested);
    if (at_least_ns > 0 && !works)
        outlet->quiet_until_ns = HF_MAX(outlet->quiet_until_ns, now_ns + HF_MIN(at_least_ns, 3600 * HF_NS_PER_S));
    if (before != HF_BREAKER_CLOSED && outlet->breaker.state == HF_BREAKER_CLOSED)
        wake_all(outlet);
    if ((before == HF_BREAKER_CLOSED) != (outlet->breaker.state == HF_BREAKER_CLOSED))
        hf_outlet_tell_change(outlet);
    if (outlet->breaker.state == HF_BREAKER_OPEN)
        drop_ready(outlet);
    tell_breaker(outlet, before, judgement, sending->batch);
}

static void part_delivered(struct hf_outlet *outlet, struct sending *sending, struct hf_view answer, uint64_t now_ns)
{
    uint64_t refused = hf_format_rejected(&outlet->format, &sending->packed.parts[sending->part], answer);

    outlet->rejected += refused;
    hf_metric_add(outlet->metrics.rejected, refused);
    sending->part++;
    if (sending->part == sending->packed.n_parts) {
        delivered(outlet, sending, now_ns);
        sending_free(outlet, sending);
        return;
    }
    int r = start_part(outlet, sending, now_ns, NULL);
    if (r == 0)
        return;
    outlet->failures++;
    (void)fail_batch(outlet, sending->batch, now_ns, 0);
    sending_free(outlet, sending);
}

static void on_answer(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                      const struct hf_err *err)
{
    struct sending *sending = arg;
    struct hf_outlet *outlet = sending->lane->outlet;
    uint64_t now_ns = hf_mono_ns(outlet->world.clock);
    uint64_t at_least_ns = r == 0 ? response->retry_after_ns : 0;
    struct hf_retry_judgement judgement =
        hf_retry_judge(r, response, body.n, hf_format_answer_type(&outlet->format), err);

    sending->call = NULL;
    outlet->n_sending--;
    outlet->bytes_sending -= sending->sent_bytes;
    hf_metric_add(hf_metric_with(outlet->metrics.attempts,
                                 HF_LABELS(outlet->name,
                                           judgement.verdict == HF_RETRY_DELIVERED ? "delivered" : judgement.reason)),
                  1);
    if (judgement.verdict != HF_RETRY_DELIVERED)
        note_answer(sending->batch, &judgement, response, body, err, r);
    learn(outlet, sending, &judgement, now_ns, at_least_ns);
    if (judgement.verdict == HF_RETRY_DELIVERED) {
        part_delivered(outlet, sending, body, now_ns);
    } else {
        failed(outlet, sending, &judgement, now_ns, at_least_ns);
        sending_free(outlet, sending);
    }
    hf_outlet_pump(outlet);
}

static void add_header(struct hf_http_request *request, size_t *n, const char *header)
{
    if (header != NULL && *n + 1 < HF_HTTP_MAX_HEADERS)
        request->headers[(*n)++] = header;
}

static int start_part(struct hf_outlet *outlet, struct sending *sending, uint64_t now_ns, struct hf_err *err)
{
    struct hf_format_part *part = &sending->packed.parts[sending->part];
    const struct hf_border *range = &sending->batch->range;
    char url[HF_OUTLET_URL], key[HF_BATCH_KEY_TEXT], key_header[HF_BATCH_KEY_TEXT + 32], type[64], encoding[64],
        checksum[HF_FORMAT_CHECKSUM + 32];
    const char *name = hf_squeeze_name(outlet->format.encoding);
    uint64_t first = hf_format_is_single(&outlet->format) ? range->last : range->first;
    size_t n = 0;

    (void)snprintf(url, sizeof(url), "%s%s", outlet->url, part->path);
    (void)snprintf(
        key_header, sizeof(key_header), "Idempotency-Key: %s",
        hf_batch_key_format(outlet->node, hf_spool_stream(sending->lane->spool), first, range->last, part->name, key));
    (void)snprintf(type, sizeof(type), "Content-Type: %s", part->content_type);
    (void)snprintf(encoding, sizeof(encoding), "Content-Encoding: %s", name != NULL ? name : "");
    (void)snprintf(checksum, sizeof(checksum), "X-Payload-Checksum: %s", part->checksum);
    struct hf_http_request request = {.method = "POST",
                                      .url = url,
                                      .body = hf_buf_view(&part->body),
                                      .connect_timeout_ns = CONNECT_NS,
                                      .timeout_ns = outlet->timeout_ns + part->body.n * HF_NS_PER_S / SLOWEST_LINK,
                                      .max_body_bytes = MAX_ANSWER,
                                      .done = on_answer,
                                      .arg = sending};
    add_header(&request, &n, type);
    add_header(&request, &n, name != NULL ? encoding : NULL);
    add_header(&request, &n, key_header);
    add_header(&request, &n, part->checksum[0] != '\0' ? checksum : NULL);
    if (outlet->creds != NULL)
        add_header(&request, &n, hf_outlet_creds_device_key(outlet->creds));
    int r = outlet->http->start(outlet->http->ctx, &request, &sending->call, err);
    if (r < 0)
        return r;
    outlet->attempts++;
    outlet->n_sending++;
    sending->sent_bytes = part->body.n;
    outlet->bytes_sending += sending->sent_bytes;
    sending->began_ns = now_ns;
    hf_aimd_spend(&outlet->pace, sending->sent_bytes + REQUEST_OVERHEAD, now_ns);
    hf_buf_done(&part->body); /* the request has its own copy; a later attempt reads the spool again */
    return 0;
}

/* The client with credentials as they are now; without them nothing can go. */
static bool have_http(struct hf_outlet *outlet, uint64_t now_ns, uint64_t *wait_until_ns)
{
    struct hf_err err = HF_ERR_INIT;
    char text[512];

    if (outlet->creds == NULL)
        return true;
    outlet->http = hf_outlet_creds_http(outlet->creds, now_ns, &err);
    if (outlet->http != NULL)
        return true;
    hf_outlet_trouble(outlet, "credentials: %s", hf_err_text(&err, text, sizeof(text)));
    *wait_until_ns = HF_MIN(*wait_until_ns, now_ns + HF_OUTLET_BROKEN_NS);
    return false;
}

static void start(struct hf_outlet *outlet, struct sending *sending, uint64_t now_ns)
{
    struct hf_err err = HF_ERR_INIT;
    char text[512];

    if (sending->packed.n_parts == 0) { /* none of its records is one: they are put aside */
        struct hf_batch *batch = sending->batch;
        struct lane *lane = sending->lane;
        uint64_t middle = sending->middle;
        sending_free(outlet, sending);
        hf_outlet_refuse_batch(outlet, batch, middle, "unreadable", now_ns, lane);
        return;
    }
    int r = start_part(outlet, sending, now_ns, &err);
    if (r == 0) {
        sending->batch->phase = HF_BATCH_SENDING;
        outlet->n_ready--;
        hf_breaker_started(&outlet->breaker);
        return;
    }
    outlet->failures++;
    hf_outlet_trouble(outlet, "start a request: %s", hf_err_text(&err, text, sizeof(text)));
    struct hf_batch *batch = sending->batch;
    sending_free(outlet, sending);
    (void)fail_batch(outlet, batch, now_ns, 0);
}

static struct sending *first_ready(struct hf_outlet *outlet)
{
    struct hf_list *it, *following;

    hf_list_each(it, following, &outlet->sendings) {
        struct sending *sending = hf_container_of(it, struct sending, link);
        if (sending->batch->phase == HF_BATCH_READY)
            return sending;
    }
    return NULL;
}

void hf_outlet_send_ready(struct hf_outlet *outlet, uint64_t now_ns, uint64_t *wait_until_ns)
{
    if (outlet->creds != NULL && hf_outlet_creds_changed(outlet->creds))
        wake_all(outlet); /* they may be the right ones now */
    while (outlet->n_ready > 0 && outlet->n_sending < hf_aimd_concurrency(&outlet->pace)) {
        struct sending *sending = first_ready(outlet);
        if (sending == NULL || !hf_outlet_may_send(outlet, now_ns, wait_until_ns))
            return;
        uint64_t paid_ns = hf_aimd_wait_until_ns(&outlet->pace);
        if (paid_ns > now_ns) {
            *wait_until_ns = HF_MIN(*wait_until_ns, paid_ns);
            return;
        }
        if (outlet->bytes_sending > 0 && outlet->bytes_sending + sending->packed.parts[0].body.n > MAX_BYTES_SENDING)
            return;
        if (!have_http(outlet, now_ns, wait_until_ns))
            return;
        start(outlet, sending, now_ns);
    }
}
