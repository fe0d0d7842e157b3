/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/page/page.h"

#include <math.h>
#include <stdlib.h>

#include "agent/page/reasons.h"
#include "base/format.h"
#include "web/page.h"

enum { MAX_STATUS_BYTES = 256 << 10, MAX_ROUTES = 16 };

struct hf_agent_page {
    struct hf_agent_page_params params;
    struct hf_buf status; /* the newest; empty before the first */
    struct hf_server_route routes[MAX_ROUTES];
    size_t n_routes;
};

/* The figures that move between two statuses. */
static const struct {
    const char *key, *metric;
    enum hf_metrics_fold fold;
} figures[] = {
    {"contactAgeSeconds", "holdfast_contact_age_seconds", HF_METRICS_SUM},
    {"fetchedBytes", "holdfast_update_fetched_bytes_total", HF_METRICS_SUM},
    {"networkBytes", "holdfast_network_bytes_total", HF_METRICS_SUM},
    {"queuedEvents", "holdfast_telemetry_queue_events", HF_METRICS_SUM},
    {"diskUsedRatio", "holdfast_disk_used_ratio", HF_METRICS_MAX},
    {"writtenBytes", "holdfast_writes_bytes_total", HF_METRICS_SUM},
    {"cpuSeconds", "holdfast_process_cpu_seconds_total", HF_METRICS_SUM},
    {"residentBytes", "holdfast_process_resident_memory_bytes", HF_METRICS_SUM},
    {"startUnixSeconds", "holdfast_process_start_time_seconds", HF_METRICS_MAX},
};

/* ---- who may look ------------------------------------------------------------------------------------------------ */

static bool is_refused(const struct hf_agent_page *page, const struct hf_server_request *request,
                       struct hf_server_reply *reply)
{
    const char *why = NULL;

    if (hf_config_page(page->params.configuration->now) == HF_CONFIG_PAGE_NONE)
        why = "the page is off: agent.yaml has page: None, or a mistake there";
    else if (!request->peer->over_loopback && !request->peer->over_unix)
        why = "the page is for this machine alone: come over 127.0.0.1, as through ssh -L";
    if (why == NULL)
        return false;
    reply->status = 403;
    reply->content_type = "application/json";
    (void)!hf_buf_addf(&reply->body, "{\"error\":\"%s\"}\n", why);
    return true;
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static void answer_file(void *arg, const struct hf_server_request *request, struct hf_server_reply *reply)
{
    if (!is_refused(arg, request, reply))
        hf_page_answer(request, reply);
}

static void begin_json(struct hf_server_reply *reply)
{
    hf_page_protect(reply);
    reply->content_type = "application/json";
}

/* Half a document would look like facts that are absent. */
static void end_json(struct hf_server_reply *reply, int r)
{
    if (r == 0)
        return;
    hf_buf_clear(&reply->body);
    reply->status = 500;
}

static int add_figures(const struct hf_metrics *metrics, struct hf_buf *out)
{
    const char *comma = "";
    double value;
    int r = 0;

    for (size_t i = 0; i < HF_LEN(figures) && r == 0; i++) {
        if (!hf_metrics_read(metrics, figures[i].metric, figures[i].fold, &value) || !isfinite(value))
            continue;
        r = hf_buf_addf(out, "%s\"%s\":%.17g", comma, figures[i].key, value);
        comma = ",";
    }
    return r;
}

static int add_state(const struct hf_agent_page *page, struct hf_buf *out)
{
    char time[HF_TIME_TEXT];
    int r = hf_buf_addf(out, "{\"time\":\"%s\",\"node\":", hf_format_time(hf_unix_ns(page->params.clock), time));

    if (r == 0)
        r = page->status.n > 0 ? hf_buf_add(out, page->status.p, page->status.n) : hf_buf_add_str(out, "null");
    if (r == 0)
        r = hf_buf_add_str(out, ",\"now\":{");
    hf_metrics_collect(page->params.metrics);
    if (r == 0)
        r = add_figures(page->params.metrics, out);
    return r == 0 ? hf_buf_add_str(out, "}}\n") : r;
}

static void answer_state(void *arg, const struct hf_server_request *request, struct hf_server_reply *reply)
{
    if (is_refused(arg, request, reply))
        return;
    begin_json(reply);
    end_json(reply, add_state(arg, &reply->body));
}

static void answer_reasons(void *arg, const struct hf_server_request *request, struct hf_server_reply *reply)
{
    if (is_refused(arg, request, reply))
        return;
    begin_json(reply);
    end_json(reply, hf_page_reasons(&reply->body));
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static void add_route(struct hf_agent_page *page, const char *path,
                      void (*handle)(void *arg, const struct hf_server_request *request, struct hf_server_reply *reply))
{
    page->routes[page->n_routes++] =
        (struct hf_server_route){.path = path, .method = "GET", .handle = handle, .arg = page};
}

struct hf_agent_page *hf_agent_page_new(const struct hf_agent_page_params *params)
{
    struct hf_agent_page *page = calloc(1, sizeof(*page));
    const char *path;

    if (page == NULL)
        return NULL;
    page->params = *params;
    page->status.max = MAX_STATUS_BYTES;
    add_route(page, "/page/state.json", answer_state);
    add_route(page, "/page/reasons.json", answer_reasons);
    for (size_t i = 0; (path = hf_page_path(i)) != NULL; i++)
        add_route(page, path, answer_file);
    return page;
}

void hf_agent_page_free(struct hf_agent_page *page)
{
    if (page == NULL)
        return;
    hf_buf_done(&page->status);
    free(page);
}

void hf_agent_page_show(struct hf_agent_page *page, struct hf_view status)
{
    if (page == NULL)
        return;
    hf_buf_clear(&page->status);
    (void)!hf_buf_add(&page->status, status.p, status.n);
}

const struct hf_server_route *hf_agent_page_routes(const struct hf_agent_page *page, size_t *ret_n)
{
    *ret_n = page->n_routes;
    return page->routes;
}
