/* SPDX-License-Identifier: Apache-2.0 */
/* A request starts if the policy's window is open, the pause after Retry-After is over, and the breaker, the pace
 * and the link permit it. A ready body belongs to the sender until its request starts: the request has its own copy
 * of the bytes, and another attempt reads the spool again.
 *
 * An answer first changes what is known of the sink (learn(): breaker, pace, pause, next probe), then the batch. A
 * failed batch waits, is split, or becomes a dead letter. Three rules keep records from being lost for the sink's
 * fault: after many refused single records in a row, the sink is paused before another record is given up; repeated
 * server errors on one batch are evidence against this batch and not against the sink, and it is refused only if
 * others pass; broken connections are judged by delivery/suspect.h.
 *
 * While the breaker is open, ready bodies are freed: the loader makes bodies again once the sink works, perhaps of
 * newer records. */
#include "telemetry/sink/outlet_send.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding/cut.h"
#include "telemetry/event/ids.h"

enum {
    MAX_ANSWER = 64 << 10,
    MAX_BYTES_SENDING = 2 << 20, /* compressed bytes of bodies in flight: bounds memory */
    REQUEST_OVERHEAD = 512,      /* bytes of a request's head and TLS, for the bandwidth limit */
    SLOWEST_LINK = 8 << 10,      /* bytes per second; a slower link runs into the request's timeout */
    MAX_REFUSED_IN_A_ROW = 16,   /* single records; more of them mean that the sink is at fault, not the records */
    DEFERRALS_UNTIL_REFUSED = 8, /* for a batch that gets server errors while others pass */
};

#define CONNECT_NS (10 * HF_NS_PER_S)
#define MAX_BREAKER_NS (300 * HF_NS_PER_S)
#define MAX_EXPORT_NS (10 * HF_NS_PER_S) /* a folder costs nothing to ask: a medium is noticed soon */
#define OUTAGE_NS (60 * HF_NS_PER_S)     /* without a delivery */

/* A batch that the sink refused, and that cannot be split now, goes again after this time; after the long time if dead
 * letters cannot be written, because the disk may stay full for days and the link may be metered. */
#define UNSPLIT_NS HF_NS_PER_S
#define UNSPLIT_LONG_NS (300 * HF_NS_PER_S)

void hf_outlet_send_set_trouble(struct hf_outlet_sender *sender, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(sender->trouble, sizeof(sender->trouble), format, args);
    va_end(args);
    for (char *c = sender->trouble; *c != '\0'; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
}

int hf_outlet_send_init(struct hf_outlet_sender *sender, const struct hf_outlet_params *params,
                        const struct hf_outlet_config *config, const struct hf_outlet_metrics *metrics,
                        struct hf_outlet_lane *lanes, struct hf_err *err)
{
    hf_list_init(&sender->sendings);
    sender->config = config;
    sender->metrics = metrics;
    sender->lanes = lanes;
    hf_breaker_init(
        &sender->breaker, config->rules.base_ns,
        HF_MIN(config->rules.max_duration_ns, config->env.exported != NULL ? MAX_EXPORT_NS : MAX_BREAKER_NS));
    hf_aimd_init(&sender->pace, config->sink->bandwidth_limit);
    sender->http = params->http;
    sender->creds = hf_outlet_creds_new(params, config->url, err);
    return sender->creds != NULL ? 0 : -EINVAL;
}

/* ---- may a request start? ---------------------------------------------------------------------------------------- */

static bool window_open(const struct hf_outlet_config *config, uint64_t now_ns, uint64_t *wait_until_ns)
{
    uint64_t unix_ns = hf_unix_ns(config->env.clock), next_ns = HF_NEVER;

    if (hf_windows_open(config->sink->windows, config->sink->n_windows, unix_ns, &next_ns))
        return true;
    /* Look again every minute: somebody may set the wall clock. */
    uint64_t wait_ns = next_ns == HF_NEVER || next_ns < unix_ns ? HF_NEVER : next_ns - unix_ns;
    *wait_until_ns = HF_MIN(*wait_until_ns, now_ns + HF_MIN(wait_ns, 60 * HF_NS_PER_S));
    return false;
}

static bool may_send(struct hf_outlet_sender *sender, uint64_t now_ns, uint64_t *wait_until_ns)
{
    if (!window_open(sender->config, now_ns, wait_until_ns))
        return false;
    if (now_ns < sender->quiet_until_ns) {
        *wait_until_ns = HF_MIN(*wait_until_ns, sender->quiet_until_ns);
        return false;
    }
    if (hf_breaker_admits(&sender->breaker, now_ns))
        return true;
    *wait_until_ns = HF_MIN(*wait_until_ns, hf_breaker_wait_until_ns(&sender->breaker));
    return false;
}

bool hf_outlet_send_wants_body(struct hf_outlet_sender *sender, uint64_t now_ns, uint64_t *wait_until_ns)
{
    return sender->n_ready == 0 && sender->n_sending <= hf_aimd_concurrency(&sender->pace) &&
           may_send(sender, now_ns, wait_until_ns);
}

bool hf_outlet_send_is_outage(const struct hf_outlet_sender *sender, uint64_t now_ns)
{
    return sender->breaker.state != HF_BREAKER_CLOSED ||
           (sender->last_success_ns > 0 && sender->counts.failures > 0 && sender->trouble[0] != '\0' &&
            now_ns - sender->last_success_ns > OUTAGE_NS);
}

/* ---- bodies ------------------------------------------------------------------------------------------------------ */

static void sending_free(struct hf_outlet_sender *sender, struct hf_outlet_sending *sending)
{
    if (sending->batch->phase == HF_BATCH_READY)
        sender->n_ready--;
    if (sending->call != NULL)
        sender->http->cancel(sender->http->ctx, sending->call);
    sending->batch->sending = NULL;
    hf_list_remove(&sending->link);
    hf_format_packed_done(&sending->packed);
    free(sending);
}

void hf_outlet_send_done(struct hf_outlet_sender *sender)
{
    if (sender->config == NULL) /* hf_outlet_send_init() was never reached */
        return;
    while (!hf_list_empty(&sender->sendings))
        sending_free(sender, hf_container_of(sender->sendings.next, struct hf_outlet_sending, link));
    hf_outlet_creds_free(hf_steal(sender->creds));
}

int hf_outlet_send_add(struct hf_outlet_sender *sender, struct hf_outlet_lane *lane, struct hf_batch *batch,
                       const struct hf_format_packed *packed, const struct hf_spool_record *records)
{
    struct hf_outlet_sending *sending = calloc(1, sizeof(*sending));

    if (sending == NULL)
        return -ENOMEM;
    sending->sender = sender;
    sending->lane = lane;
    sending->batch = batch;
    sending->packed = *packed;
    sending->records = packed->used;
    for (size_t i = 0; i < packed->used; i++)
        sending->raw_bytes += records[i].payload.n;
    if (packed->used > 1)
        sending->middle = records[packed->used / 2 - 1].sequence;
    hf_list_append(&sender->sendings, &sending->link);
    sender->n_ready++;
    batch->phase = HF_BATCH_READY;
    batch->sending = sending;
    return 0;
}

/* ---- failed and delivered batches -------------------------------------------------------------------------------- */

/* Schedules the next attempt. Returns true if this failure ended a round of attempts, so that the wait is a long one.
 */
static bool fail_batch(struct hf_outlet_sender *sender, struct hf_batch *batch, uint64_t now_ns, uint64_t at_least_ns)
{
    bool deferred = false;

    batch->failed_ns = now_ns;
    batch->not_before_ns = now_ns + hf_retry_round_fail(&batch->retry, &sender->config->rules, sender->config->env.rand,
                                                        now_ns, at_least_ns, &deferred);
    batch->phase = HF_BATCH_WAITING;
    if (deferred) {
        sender->counts.deferred++;
        hf_metric_add(sender->metrics->deferred, 1);
    }
    return deferred;
}

static void wait_for_setup(struct hf_outlet_sender *sender, struct hf_batch *batch, uint64_t now_ns,
                           uint64_t at_least_ns)
{
    batch->not_before_ns = now_ns + hf_retry_round_wait_setup(&batch->retry, sender->config->env.rand, at_least_ns);
    batch->phase = HF_BATCH_WAITING;
}

void hf_outlet_send_refuse(struct hf_outlet_sender *sender, struct hf_outlet_lane *lane, struct hf_batch *batch,
                           uint64_t middle, const char *reason, uint64_t now_ns)
{
    (void)snprintf(batch->reason, sizeof(batch->reason), "%s", reason);
    if (middle != 0) {
        batch->phase = HF_BATCH_WAITING;
        batch->not_before_ns = 0;
        if (hf_batches_split(&lane->batches, batch, middle) == NULL) /* no place, or another batch is split */
            batch->not_before_ns = now_ns + (now_ns < lane->dead_letter_after_ns ? UNSPLIT_LONG_NS : UNSPLIT_NS);
        return;
    }
    if (sender->evidence.refused_in_a_row >= MAX_REFUSED_IN_A_ROW && !batch->doubted) {
        /* So many records cannot all be bad: pause the sink before another one moves to the dead letters. */
        batch->phase = HF_BATCH_WAITING;
        batch->doubted = true;
        sender->quiet_until_ns =
            now_ns + hf_retry_round_wait_setup(&sender->evidence.pause, sender->config->env.rand, 0);
        return;
    }
    sender->evidence.refused_in_a_row++;
    batch->phase = HF_BATCH_REFUSED;
}

static void delivered(struct hf_outlet_sender *sender, const struct hf_outlet_sending *sending, uint64_t now_ns)
{
    sender->counts.delivered += sending->records;
    sender->evidence.refused_in_a_row = 0;
    sender->evidence.pause = (struct hf_retry_round){.attempts = 0};
    sender->last_success_ns = now_ns;
    sender->trouble[0] = '\0';
    sending->batch->phase = HF_BATCH_DONE;
    hf_metric_add(sender->metrics->events, sending->records);
    hf_metric_add(sender->metrics->bytes, sending->raw_bytes);
    hf_metric_add(sender->metrics->batches, 1);
}

/* True if the sink answers this batch with server errors each time and takes others in between: its content causes the
 * error. */
static bool is_to_blame(const struct hf_outlet_sender *sender, const struct hf_batch *batch,
                        const struct hf_retry_judgement *judgement)
{
    return judgement->server_error && batch->retry.deferrals >= DEFERRALS_UNTIL_REFUSED &&
           sender->last_success_ns > batch->failed_ns;
}

static void note_answer(struct hf_batch *batch, const struct hf_retry_judgement *judgement,
                        const struct hf_http_response *response, struct hf_view body, const struct hf_err *err, int r)
{
    (void)snprintf(batch->reason, sizeof(batch->reason), "%s", judgement->reason);
    if (r < 0)
        (void)snprintf(batch->detail, sizeof(batch->detail), "%s", HF_CUT(90, HF_ERR_TEXT(err)));
    else if (strcmp(judgement->reason, "content_type") == 0)
        (void)snprintf(batch->detail, sizeof(batch->detail), "the answer has type %.40s: check the sink's url",
                       response->content_type);
    else
        (void)snprintf(batch->detail, sizeof(batch->detail), "%.*s", (int)HF_MIN(body.n, (size_t)90), body.p);
}

/* Identifies a batch among those of both lanes. */
static uint64_t id_of(const struct hf_outlet_lane *lane, const struct hf_batch *batch)
{
    return batch->range.first * HF_LANES + (uint64_t)lane->which;
}

static void failed(struct hf_outlet_sender *sender, struct hf_outlet_sending *sending,
                   const struct hf_retry_judgement *judgement, uint64_t now_ns, uint64_t at_least_ns)
{
    struct hf_batch *batch = sending->batch;
    struct hf_outlet_lane *lane = sending->lane;
    uint64_t middle = sending->middle;
    enum hf_retry_verdict verdict = judgement->verdict;

    sender->counts.failures++;
    hf_outlet_send_set_trouble(sender, "%s: %s", judgement->reason, batch->detail);
    if (verdict == HF_RETRY_AGAIN && is_to_blame(sender, batch, judgement))
        verdict = HF_RETRY_REFUSED;
    if (verdict == HF_RETRY_AGAIN || verdict == HF_RETRY_SETUP)
        hf_suspect_failed(&batch->suspect, &sender->evidence.suspects, id_of(lane, batch), judgement->maybe_content,
                          now_ns);
    if (verdict == HF_RETRY_AGAIN && fail_batch(sender, batch, now_ns, at_least_ns) &&
        hf_suspect_round_ended(&batch->suspect, &sender->evidence.suspects, id_of(lane, batch), middle == 0,
                               sender->last_success_ns, now_ns)) {
        batch->suspect.sure = true;
        verdict = HF_RETRY_REFUSED;
    }
    if (verdict == HF_RETRY_SETUP)
        wait_for_setup(sender, batch, now_ns, at_least_ns);
    else if (verdict != HF_RETRY_AGAIN)
        hf_outlet_send_refuse(sender, lane, batch, middle, judgement->reason, now_ns);
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

static int start_part(struct hf_outlet_sender *sender, struct hf_outlet_sending *sending, uint64_t now_ns,
                      struct hf_err *err);

static void wake_all(struct hf_outlet_sender *sender)
{
    for (size_t i = 0; i < HF_LANES; i++)
        hf_batches_wake(&sender->lanes[i].batches);
}

/* Frees the ready bodies of a sink that does not work; the loader makes bodies again once it works, perhaps of newer
 * records. */
static void drop_ready(struct hf_outlet_sender *sender)
{
    struct hf_list *it, *following;

    hf_list_each(it, following, &sender->sendings) {
        struct hf_outlet_sending *sending = hf_container_of(it, struct hf_outlet_sending, link);
        struct hf_batch *batch = sending->batch;
        if (batch->phase != HF_BATCH_READY)
            continue;
        sending_free(sender, sending);
        batch->phase = HF_BATCH_WAITING;
    }
}

/* Frees the ready bodies that the link does not take now; the loader makes them again once it does. */
static void drop_held(struct hf_outlet_sender *sender, uint64_t now_ns, uint64_t *wait_until_ns)
{
    struct hf_list *it, *following;

    hf_list_each(it, following, &sender->sendings) {
        struct hf_outlet_sending *sending = hf_container_of(it, struct hf_outlet_sending, link);
        struct hf_batch *batch = sending->batch;
        if (batch->phase != HF_BATCH_READY ||
            hf_batches_may_travel(batch, hf_outlet_lane_from(sending->lane, now_ns, wait_until_ns)))
            continue;
        sending_free(sender, sending);
        batch->phase = HF_BATCH_WAITING;
    }
}

/* Logs a change of the breaker: a warning when it opens, a debug line when another probe failed. */
static void log_breaker(struct hf_outlet_sender *sender, enum hf_breaker before,
                        const struct hf_retry_judgement *judgement, const struct hf_batch *batch)
{
    if (before == sender->breaker.state)
        return;
    if (sender->breaker.state == HF_BREAKER_CLOSED)
        hf_log(sender->config->env.log, HF_LOG_INFO, "telemetry.breaker", HF_S("sink", sender->config->name),
               HF_S("state", "closed"));
    else
        hf_log(sender->config->env.log, before == HF_BREAKER_CLOSED ? HF_LOG_WARNING : HF_LOG_DEBUG,
               "telemetry.breaker", HF_S("sink", sender->config->name), HF_S("state", "open"),
               HF_S("reason", judgement->reason), HF_S("detail", batch->detail));
}

/* Draws conclusions about the sink from an answer: breaker, pace, pause, and which batch the next probe is. */
static void learn(struct hf_outlet_sender *sender, const struct hf_outlet_sending *sending,
                  const struct hf_retry_judgement *judgement, uint64_t now_ns, uint64_t at_least_ns)
{
    enum hf_breaker before = sender->breaker.state;
    bool works = judgement->verdict == HF_RETRY_DELIVERED || judgement->verdict == HF_RETRY_REFUSED ||
                 judgement->verdict == HF_RETRY_TOO_LARGE;

    /* Repeated server errors on one batch count against the batch, not against the sink. */
    bool same = judgement->server_error && sender->evidence.error_first == sending->batch->range.first &&
                sender->evidence.error_lane == sending->lane->which;
    if (judgement->server_error)
        sender->evidence.error_first = sending->batch->range.first;
    sender->evidence.error_lane = judgement->server_error ? sending->lane->which : sender->evidence.error_lane;
    sender->evidence.try_another =
        judgement->maybe_content &&
        (judgement->server_error || !sender->evidence.try_another); /* alternate: the link may be at fault too */
    if (!same || before != HF_BREAKER_CLOSED)
        hf_breaker_ended(&sender->breaker, works, sender->config->env.rand, now_ns, at_least_ns);
    hf_aimd_answered(&sender->pace, sending->began_ns, now_ns - sending->began_ns, works && !judgement->congested);
    if (at_least_ns > 0 && !works)
        sender->quiet_until_ns = HF_MAX(sender->quiet_until_ns, now_ns + HF_MIN(at_least_ns, 3600 * HF_NS_PER_S));
    if (before != HF_BREAKER_CLOSED && sender->breaker.state == HF_BREAKER_CLOSED)
        wake_all(sender);
    if ((before == HF_BREAKER_CLOSED) != (sender->breaker.state == HF_BREAKER_CLOSED))
        hf_outlet_config_changed(sender->config);
    if (sender->breaker.state == HF_BREAKER_OPEN)
        drop_ready(sender);
    log_breaker(sender, before, judgement, sending->batch);
}

/* The sink took the request, and says that it rejects some records, or what it dislikes in them: tells once of each
 * text, and shows it until a request passes without. */
static void note_partial(struct hf_outlet_sender *sender, const struct hf_format_answer *answer)
{
    char warning[sizeof(sender->warning)] = "";

    hf_metric_add(sender->metrics->rejected, answer->rejected);
    if (answer->rejected > 0 || answer->message[0] != '\0')
        (void)snprintf(warning, sizeof(warning), "the sink rejected events%s%s", answer->message[0] != '\0' ? ": " : "",
                       answer->message);
    if (warning[0] != '\0' && strcmp(warning, sender->warning) != 0)
        hf_log(sender->config->env.log, HF_LOG_WARNING, "telemetry.partial_success", HF_S("sink", sender->config->name),
               HF_D("rejected", (int64_t)answer->rejected), HF_S("message", answer->message));
    memcpy(sender->warning, warning, sizeof(warning));
}

static void part_delivered(struct hf_outlet_sender *sender, struct hf_outlet_sending *sending,
                           const struct hf_http_response *response, struct hf_view body, uint64_t now_ns)
{
    const struct hf_format_answer answer = hf_format_read_answer(
        &sender->config->format, &sending->packed.parts[sending->part], response->content_type, body);

    note_partial(sender, &answer);
    sending->part++;
    if (sending->part == sending->packed.n_parts) {
        delivered(sender, sending, now_ns);
        sending_free(sender, sending);
        return;
    }
    int r = start_part(sender, sending, now_ns, NULL);
    if (r == 0)
        return;
    sender->counts.failures++;
    (void)fail_batch(sender, sending->batch, now_ns, 0);
    sending_free(sender, sending);
}

/* A request that reached no sink has sent nothing to speak of. */
static bool may_have_travelled(int r)
{
    return r != -ECONNREFUSED && r != -EDESTADDRREQ && r != -EHOSTUNREACH && r != -EKEYREJECTED && r != -EREMCHG &&
           r != -ECONNABORTED;
}

static void on_answer(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                      const struct hf_err *err)
{
    struct hf_outlet_sending *sending = arg;
    struct hf_outlet_sender *sender = sending->sender;
    uint64_t now_ns = hf_mono_ns(sender->config->env.clock);
    uint64_t at_least_ns = r == 0 ? response->retry_after_ns : 0;
    struct hf_retry_judgement judgement = hf_retry_judge(r, response, err);

    sending->call = NULL;
    sender->n_sending--;
    sender->bytes_sending -= sending->sent_bytes;
    if (may_have_travelled(r))
        hf_outlet_lane_sent(sending->lane, sending->sent_bytes + REQUEST_OVERHEAD, sending->backlog);
    hf_metric_add(hf_metric_with(sender->metrics->attempts,
                                 HF_LABELS(sender->config->name,
                                           judgement.verdict == HF_RETRY_DELIVERED ? "delivered" : judgement.reason)),
                  1);
    if (judgement.verdict != HF_RETRY_DELIVERED)
        note_answer(sending->batch, &judgement, response, body, err, r);
    learn(sender, sending, &judgement, now_ns, at_least_ns);
    if (judgement.verdict == HF_RETRY_DELIVERED) {
        part_delivered(sender, sending, response, body, now_ns);
    } else {
        failed(sender, sending, &judgement, now_ns, at_least_ns);
        sending_free(sender, sending);
    }
    hf_outlet_config_pump(sender->config);
}

static void add_header(struct hf_http_request *request, size_t *n, const char *header)
{
    if (header != NULL && *n + 1 < HF_HTTP_MAX_HEADERS)
        request->headers[(*n)++] = header;
}

static int start_part(struct hf_outlet_sender *sender, struct hf_outlet_sending *sending, uint64_t now_ns,
                      struct hf_err *err)
{
    struct hf_format_part *part = &sending->packed.parts[sending->part];
    const struct hf_border *range = &sending->batch->range;
    char url[HF_OUTLET_URL], key[HF_BATCH_KEY_TEXT], key_header[HF_BATCH_KEY_TEXT + 32], type[64], encoding[64],
        checksum[HF_FORMAT_CHECKSUM + 32];
    const char *name = hf_squeeze_name(sender->config->format.encoding);
    uint64_t first = hf_format_is_single(&sender->config->format) ? range->last : range->first;
    size_t n = 0;

    (void)snprintf(url, sizeof(url), "%s%s", sender->config->url, part->path);
    (void)snprintf(key_header, sizeof(key_header), "Idempotency-Key: %s",
                   hf_ids_batch_key_format(sender->config->node, hf_spool_stream(sending->lane->spool), first,
                                           range->last, part->name, key));
    (void)snprintf(type, sizeof(type), "Content-Type: %s", part->content_type);
    (void)snprintf(encoding, sizeof(encoding), "Content-Encoding: %s", name != NULL ? name : "");
    (void)snprintf(checksum, sizeof(checksum), "X-Payload-Checksum: %s", part->checksum);
    struct hf_http_request request = {.method = "POST",
                                      .url = url,
                                      .body = hf_buf_view(&part->body),
                                      .connect_timeout_ns = CONNECT_NS,
                                      .timeout_ns =
                                          sender->config->timeout_ns + part->body.n * HF_NS_PER_S / SLOWEST_LINK,
                                      .max_body_bytes = MAX_ANSWER,
                                      .done = on_answer,
                                      .arg = sending};
    add_header(&request, &n, type);
    add_header(&request, &n, name != NULL ? encoding : NULL);
    add_header(&request, &n, key_header);
    add_header(&request, &n, part->checksum[0] != '\0' ? checksum : NULL);
    if (sender->creds != NULL)
        add_header(&request, &n, hf_outlet_creds_device_key(sender->creds));
    int r = sender->http->start(sender->http->ctx, &request, &sending->call, err);
    if (r < 0)
        return r;
    sender->counts.attempts++;
    sender->n_sending++;
    sending->sent_bytes = part->body.n;
    sender->bytes_sending += sending->sent_bytes;
    sending->began_ns = now_ns;
    hf_aimd_spend(&sender->pace, sending->sent_bytes + REQUEST_OVERHEAD, now_ns);
    sending->backlog =
        hf_outlet_lane_begin(sending->lane, range->first, sending->sent_bytes + REQUEST_OVERHEAD, now_ns);
    hf_buf_done(&part->body); /* the request has its own copy; another attempt reads the spool again */
    return 0;
}

/* No attempt, and so no breaker, tells of missing credentials. */
static void note_credentials(struct hf_outlet_sender *sender, const struct hf_err *err)
{
    const struct hf_outlet_config *config = sender->config;
    char part[96];

    if (err == NULL)
        sender->trouble[0] = '\0';
    else
        hf_outlet_send_set_trouble(sender, "credentials: %s", HF_ERR_TEXT(err));
    if (sender->lacks_credentials == (err != NULL))
        return;
    sender->lacks_credentials = err != NULL;
    (void)snprintf(part, sizeof(part), "sink %s", config->name);
    if (err != NULL)
        hf_log_err(config->env.log, HF_LOG_ERROR, "telemetry.part_failed", "part", part, err);
    hf_outlet_config_changed(config);
}

/* Selects the client with the current credentials; false: there are none to use now. What is on its way keeps the
 * client that it has. */
static bool have_http(struct hf_outlet_sender *sender, uint64_t now_ns, uint64_t *wait_until_ns)
{
    struct hf_err err = HF_ERR_INIT;

    if (sender->creds == NULL)
        return true;
    const struct hf_http_ops *http = hf_outlet_creds_http(sender->creds, now_ns, &err);
    if (http == NULL || sender->lacks_credentials)
        note_credentials(sender, http == NULL ? &err : NULL);
    if (http != NULL) {
        sender->http = http;
        return true;
    }
    *wait_until_ns = HF_MIN(*wait_until_ns, now_ns + HF_OUTLET_BROKEN_NS);
    return false;
}

static void start(struct hf_outlet_sender *sender, struct hf_outlet_sending *sending, uint64_t now_ns)
{
    struct hf_err err = HF_ERR_INIT;
    char text[512];

    if (sending->packed.n_parts == 0) { /* the format holds none of the records: dead letters */
        struct hf_batch *batch = sending->batch;
        struct hf_outlet_lane *lane = sending->lane;
        uint64_t middle = sending->middle;
        sending_free(sender, sending);
        hf_outlet_send_refuse(sender, lane, batch, middle, "unreadable", now_ns);
        return;
    }
    int r = start_part(sender, sending, now_ns, &err);
    if (r == 0) {
        sending->batch->phase = HF_BATCH_SENDING;
        sender->n_ready--;
        hf_breaker_started(&sender->breaker);
        return;
    }
    sender->counts.failures++;
    hf_outlet_send_set_trouble(sender, "start a request: %s", hf_err_text(&err, text, sizeof(text)));
    struct hf_batch *batch = sending->batch;
    sending_free(sender, sending);
    (void)fail_batch(sender, batch, now_ns, 0);
}

static struct hf_outlet_sending *first_ready(struct hf_outlet_sender *sender)
{
    struct hf_list *it, *following;

    hf_list_each(it, following, &sender->sendings) {
        struct hf_outlet_sending *sending = hf_container_of(it, struct hf_outlet_sending, link);
        if (sending->batch->phase == HF_BATCH_READY)
            return sending;
    }
    return NULL;
}

void hf_outlet_send_ready(struct hf_outlet_sender *sender, uint64_t now_ns, uint64_t *wait_until_ns)
{
    if (sender->creds != NULL && hf_outlet_creds_changed(sender->creds))
        wake_all(sender); /* the new ones may be right */
    drop_held(sender, now_ns, wait_until_ns);
    while (sender->n_ready > 0 && sender->n_sending < hf_aimd_concurrency(&sender->pace)) {
        struct hf_outlet_sending *sending = first_ready(sender);
        if (sending == NULL || !may_send(sender, now_ns, wait_until_ns))
            return;
        uint64_t paid_ns = hf_aimd_wait_until_ns(&sender->pace);
        if (paid_ns > now_ns) {
            *wait_until_ns = HF_MIN(*wait_until_ns, paid_ns);
            return;
        }
        if (sender->bytes_sending > 0 && sender->bytes_sending + sending->packed.parts[0].body.n > MAX_BYTES_SENDING)
            return;
        if (!have_http(sender, now_ns, wait_until_ns))
            return;
        start(sender, sending, now_ns);
    }
}
