/* SPDX-License-Identifier: Apache-2.0 */
/* The source `scrape`: metrics of programs on this node in Prometheus format. Without another rule in agent.yaml, it
 * accepts loopback and the node's own addresses only, so that the agent is nobody's way into a network. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/net/url_mask.h"
#include "loop/http/client.h"
#include "telemetry/source/exposition.h"
#include "telemetry/source/source_common.h"

enum {
    MAX_BODY = 4 << 20,
    MAX_SAMPLES = 10000, /* of one answer */
    MAX_NAME = 128,
    AT_ONCE = 1000, /* samples offered in one turn of the loop */
    TIMEOUT_S = 10,
    SCRATCH = 64 << 10,
};

struct target {
    struct scrape *scrape;
    char *url;
    char *source; /* "scrape:<host and path>" */
    uint64_t period_ns;
    struct hf_source_names names;
    struct hf_timer *timer;
    struct hf_http_call *call;
    char *body; /* the last answer, while samples of it remain */
    struct hf_exposition text;
    size_t samples, over; /* samples of it, and those beyond MAX_SAMPLES */
    uint64_t due_ns;      /* next request; monotonic */
    bool again;           /* continue the answer in the next turn */
    bool failed;          /* logged once */
    bool dropping;        /* the last answer had lines that were dropped: logged once */
};

struct scrape {
    struct hf_source source;
    const struct hf_telemetry_env *env;
    const struct hf_intake *intake;
    struct hf_http_client *client;
    const struct hf_http_ops *http;
    struct target targets[HF_TELEMETRY_MAX_SCRAPES];
    size_t n_targets;
    struct hf_buf scratch;
    struct hf_metric_family *scrapes, *dropped;
};

static void arm(struct target *target)
{
    const struct hf_telemetry_env *env = target->scrape->env;
    uint64_t now_ns = hf_mono_ns(env->clock);

    hf_timer_arm(env->sched, target->timer, target->again ? 0 : target->due_ns - HF_MIN(target->due_ns, now_ns));
}

/* ---- what -------------------------------------------------------------------------------------------------------- */

static bool wants(const struct target *target, struct hf_view name)
{
    char text[MAX_NAME + 1];

    if (target->names.n == 0)
        return true;
    if (name.n > MAX_NAME)
        return false;
    memcpy(text, name.p, name.n);
    text[name.n] = '\0';
    return hf_source_name_wanted((const char *const *)target->names.names, NULL, text);
}

/* The answer is read to its end. Counts what is dropped of it, and logs that where the answer before was whole. */
static void note_dropped(struct target *target)
{
    static const char *const reasons[] = {
        [HF_SKIP_LINE] = "line", [HF_SKIP_LABELS] = "labels", [HF_SKIP_NAN] = "nan", [HF_SKIPS] = "samples"};
    const size_t *skipped = target->text.skipped;
    const size_t counts[] = {skipped[HF_SKIP_LINE], skipped[HF_SKIP_LABELS], skipped[HF_SKIP_NAN], target->over};
    char shown[HF_URL_MASKED];
    bool any = false;

    for (size_t i = 0; i < HF_LEN(counts); i++) {
        hf_metric_add(hf_metric_with(target->scrape->dropped, HF_LABELS(reasons[i])), counts[i]);
        any |= counts[i] > 0;
    }
    if (any && !target->dropping)
        hf_log(target->scrape->env->log, HF_LOG_WARNING, "telemetry.scrape_dropped",
               HF_S("url", hf_url_mask(target->url, shown, sizeof(shown))), HF_D("samples", counts[HF_SKIPS]),
               HF_D("limit", MAX_SAMPLES), HF_D("line", counts[HF_SKIP_LINE]), HF_D("labels", counts[HF_SKIP_LABELS]),
               HF_D("nan", counts[HF_SKIP_NAN]));
    target->dropping = any;
}

static void forget_body(struct target *target)
{
    free(hf_steal(target->body));
}

/* The next answer has come before there was room for all of this one: counts what is dropped. */
static void drop_rest(struct target *target)
{
    struct hf_event event = {.n_attributes = 0};
    size_t n = 0;

    while (target->body != NULL && hf_exposition_next(&target->text, &event, &target->scrape->scratch) > 0)
        n += wants(target, event.name);
    hf_metric_add(hf_metric_with(target->scrape->dropped, HF_LABELS("room")), n);
    forget_body(target);
}

/* Offers the remaining samples. Without room it waits for resume(); the next answer replaces them. */
static void offer_rest(struct target *target)
{
    struct scrape *scrape = target->scrape;

    target->again = false;
    for (int i = 0; target->body != NULL; i++) {
        struct hf_exposition before = target->text;
        struct hf_event event = {
            .source_class = HF_SOURCE_SCRAPE, .severity = HF_SEVERITY_INFO, .source = hf_view_of(target->source)};
        if (i == AT_ONCE) {
            target->again = true;
            arm(target);
            return;
        }
        if (hf_exposition_next(&target->text, &event, &scrape->scratch) == 0) {
            note_dropped(target);
            forget_body(target);
            return;
        }
        if (!wants(target, event.name))
            continue;
        if (target->samples >= MAX_SAMPLES) {
            target->over++;
            continue;
        }
        if (hf_source_offer(scrape->intake, &event, NULL) == -EAGAIN) {
            target->text = before;
            return;
        }
        target->samples++;
    }
}

static void count(const struct target *target, const char *result)
{
    hf_metric_add(hf_metric_with(target->scrape->scrapes, HF_LABELS(result)), 1);
}

/* Counts a failure, and logs the first one in a row. */
static void note_failure(struct target *target, int64_t status, const struct hf_err *err)
{
    char shown[HF_URL_MASKED];

    count(target, "failure");
    if (!target->failed)
        hf_log(target->scrape->env->log, HF_LOG_WARNING, "telemetry.scrape_failed",
               HF_S("url", hf_url_mask(target->url, shown, sizeof(shown))), HF_D("status", status),
               HF_S("error", err != NULL ? err->cause : ""));
    target->failed = true;
}

static bool is_page(const char *content_type, struct hf_view body)
{
    struct hf_view text = hf_view_trim(body);

    return strncasecmp(content_type, "text/html", strlen("text/html")) == 0 || (text.n > 0 && text.p[0] == '<');
}

static void on_answer(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                      const struct hf_err *err)
{
    struct target *target = arg;

    struct hf_err page = HF_ERR_INIT;

    target->call = NULL;
    if (r >= 0 && response->status == 200 && is_page(response->content_type, body)) {
        (void)hf_err_set(&page, EBADMSG, "the answer is an HTML page and has no metrics");
        r = -EBADMSG;
        err = &page;
    }
    if (r < 0 || response->status != 200) {
        note_failure(target, r == 0 ? response->status : 0, err);
        return;
    }
    count(target, "success");
    target->failed = false;
    drop_rest(target);
    target->body = hf_view_dup(body);
    if (target->body == NULL)
        return;
    target->text = (struct hf_exposition){.rest = {target->body, body.n},
                                          .unix_ns = hf_unix_ns(target->scrape->env->clock),
                                          .openmetrics = hf_exposition_is_openmetrics(body, response->content_type)};
    target->samples = target->over = 0;
    offer_rest(target);
}

/* Asks for permission before each request: an address that was this node's may be another machine's by now. */
static int send_request(struct target *target, struct hf_err *err)
{
    struct scrape *scrape = target->scrape;
    const struct hf_telemetry_env *env = scrape->env;
    const struct hf_http_request request = {
        .method = "GET",
        .url = target->url,
        .headers = {"Accept: text/plain;version=0.0.4"},
        .timeout_ns = HF_MIN(target->period_ns, TIMEOUT_S * HF_NS_PER_S),
        .max_body_bytes = MAX_BODY,
        .done = on_answer,
        .arg = target,
    };

    if (!hf_config_allows_scrape(env->config, env->scope, target->url, hf_source_is_own_url(target->url), err))
        return -EACCES;
    return scrape->http->start(scrape->http->ctx, &request, &target->call, err);
}

static void on_timer(void *arg)
{
    struct target *target = arg;
    const struct hf_telemetry_env *env = target->scrape->env;
    struct hf_err err = HF_ERR_INIT;

    if (target->again)
        offer_rest(target);
    if (hf_mono_ns(env->clock) >= target->due_ns) {
        target->due_ns = hf_mono_ns(env->clock) + target->period_ns;
        if (target->call == NULL && send_request(target, &err) < 0)
            note_failure(target, 0, &err);
    }
    arm(target);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static void resume(struct hf_source *source)
{
    struct scrape *scrape = hf_container_of(source, struct scrape, source);

    for (size_t i = 0; i < scrape->n_targets; i++)
        offer_rest(&scrape->targets[i]);
}

static void scrape_free(struct hf_source *source)
{
    struct scrape *scrape = hf_container_of(source, struct scrape, source);

    hf_http_client_free(scrape->client); /* cancels the calls */
    for (size_t i = 0; i < scrape->n_targets; i++) {
        struct target *target = &scrape->targets[i];
        hf_timer_free(scrape->env->sched, target->timer);
        hf_source_names_done(&target->names);
        forget_body(target);
        free(target->url);
        free(target->source);
    }
    hf_buf_done(&scrape->scratch);
    free(scrape);
}

static int add_target(struct scrape *scrape, const struct hf_telemetry_scrape *from, size_t i, struct hf_err *err)
{
    struct target *target = &scrape->targets[scrape->n_targets++];
    char shown[HF_URL_MASKED];
    const char *rest = strstr(hf_url_mask(from->url, shown, sizeof(shown)), "://");

    if (!hf_config_allows_scrape(scrape->env->config, scrape->env->scope, from->url, hf_source_is_own_url(from->url),
                                 err))
        return hf_err_wrap(err, -EACCES, "scrape[%zu].url", i);
    *target = (struct target){.scrape = scrape,
                              .url = strdup(from->url),
                              .source = hf_asprintf("scrape:%s", rest != NULL ? rest + 3 : shown),
                              .period_ns = from->period_ns != 0 ? from->period_ns : 60 * HF_NS_PER_S};
    target->timer = hf_timer_new(scrape->env->sched, on_timer, target);
    if (hf_source_names_copy(&target->names, from->names) < 0 || target->url == NULL || target->source == NULL ||
        target->timer == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    /* Spread the first requests. */
    target->due_ns =
        hf_mono_ns(scrape->env->clock) + hf_rand_below(scrape->env->rand, HF_MIN(target->period_ns, 5 * HF_NS_PER_S));
    arm(target);
    return 0;
}

int hf_source_scrape_new(const struct hf_telemetry_sources *sources, const struct hf_telemetry_env *env,
                         const struct hf_intake *intake, struct hf_source **ret_source, struct hf_err *err)
{
    struct scrape *scrape = calloc(1, sizeof(*scrape));
    int r = 0;

    if (scrape == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    scrape->source = (struct hf_source){.name = "scrape", .resume = resume, .free = scrape_free};
    scrape->env = env;
    scrape->intake = intake;
    scrape->scratch = (struct hf_buf)HF_BUF_INIT(SCRATCH);
    scrape->scrapes = hf_metric_family(env->metrics, HF_METRIC_COUNTER, "holdfast_telemetry_scrapes_total",
                                       "Answers of local exporters, by result.", HF_LABELS("result"));
    scrape->dropped = hf_metric_family(env->metrics, HF_METRIC_COUNTER, "holdfast_telemetry_scrape_dropped_total",
                                       "Lines of exporters' answers that are no event: beyond 10000 samples, no room, "
                                       "more than 24 labels, NaN, or not a sample.",
                                       HF_LABELS("reason"));
    scrape->client =
        hf_http_client_new(env->loop, &(struct hf_http_config){.user_agent = env->user_agent, .no_proxy = true}, err);
    if (scrape->client == NULL)
        r = -EIO;
    else
        scrape->http = hf_http_client_ops(scrape->client);
    for (size_t i = 0; i < sources->n_scrapes && i < HF_TELEMETRY_MAX_SCRAPES && r == 0; i++)
        r = add_target(scrape, &sources->scrapes[i], i, err);
    if (r < 0) {
        scrape_free(&scrape->source);
        return r;
    }
    *ret_source = &scrape->source;
    return 0;
}
