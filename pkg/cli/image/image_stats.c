/* SPDX-License-Identifier: Apache-2.0 */
/* image stats: what containerd got of each image from this node's mirror, and what the link carried for it: two
 * counters of the agent's metrics, so both begin at 0 with the agent. */
#include <errno.h>
#include <string.h>

#include "cli/fleet/table.h"
#include "cli/parts.h"
#include "cli/plain.h"
#include "loop/http/client.h"
#include "loop/loop.h"
#include "telemetry/source/exposition.h"

#define DEFAULT_URL "http://127.0.0.1:9090/metrics"
#define TIMEOUT_NS (10 * HF_NS_PER_S)

enum { MAX_IMAGES = 256 }; /* the agent has 65 */

static const struct {
    const char *metric, *json;
} counters[] = {
    {"holdfast_image_asked_bytes_total", "askedBytes"},
    {"holdfast_image_fetched_bytes_total", "fetchedBytes"},
};

const struct hf_cli_option hf_cli_image_stats_options[] = {
    HF_CLI_OPTION("url", "URL", "the metrics of the agent (" DEFAULT_URL ")"),
    HF_CLI_JSON("print JSON"),
    {.name = NULL},
};

/* ---- the agent's metrics ----------------------------------------------------------------------------------------- */

struct stats {
    struct hf_loop *loop;
    json_t *images; /* [{image, askedBytes, fetchedBytes}] */
    int r;
    struct hf_err err;
};

static json_t *image_of(json_t *images, struct hf_view name)
{
    _cleanup_(hf_freep) char *text = hf_view_dup(name);
    json_t *image;
    size_t i;

    if (text == NULL)
        return NULL;
    hf_cli_plain_text(text);
    json_array_foreach(images, i, image)
        if (strcmp(hf_json_str_or(image, "image", ""), text) == 0)
            return image;
    image = json_pack("{s:s, s:i, s:i}", "image", text, counters[0].json, 0, counters[1].json, 0);
    return json_array_append_new(images, image) == 0 ? image : NULL;
}

static int take_sample(json_t *images, const struct hf_event *event, struct hf_err *err)
{
    for (size_t i = 0; i < HF_LEN(counters); i++) {
        if (!hf_view_eq(event->name, counters[i].metric) || event->n_attributes != 1 ||
            !hf_view_eq(event->attributes[0].name, "image") || !(event->value >= 0 && event->value < 9e15))
            continue;
        json_t *image = image_of(images, event->attributes[0].value);
        if (image == NULL)
            return hf_err_set(err, ENOMEM, "out of memory");
        if (json_array_size(images) > MAX_IMAGES)
            return hf_err_set(err, EBADMSG, "more than %d images: these are no metrics of an agent", MAX_IMAGES);
        return hf_cli_put(image, counters[i].json, json_integer((json_int_t)event->value), err);
    }
    return 0;
}

static int take_metrics(struct stats *stats, struct hf_view body)
{
    _cleanup_(hf_buf_done) struct hf_buf scratch = HF_BUF_INIT(HF_EVENT_MAX_BODY);
    struct hf_exposition text = {.rest = body};
    struct hf_event event;
    bool agent = false;
    int r = 0;

    while (r == 0 && hf_exposition_next(&text, &event, &scratch) == 1) {
        agent = agent || hf_view_starts(event.name, "holdfast_");
        r = take_sample(stats->images, &event, &stats->err);
    }
    return r == 0 && !agent ? hf_err_set(&stats->err, EBADMSG, "these are no metrics of an agent") : r;
}

static void answered(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                     const struct hf_err *err)
{
    struct stats *stats = arg;

    if (r < 0) {
        stats->err = *err;
        stats->r = r;
    } else if (response->status != 200)
        stats->r = hf_err_set(&stats->err, EPROTO, "the answer is %d", response->status);
    else
        stats->r = take_metrics(stats, body);
    hf_loop_stop(stats->loop);
}

static int ask(struct stats *stats, const char *url, struct hf_err *err)
{
    const struct hf_http_config config = {.user_agent = "holdfast/" HF_VERSION};
    const struct hf_http_request request = {
        .method = "GET", .url = url, .timeout_ns = TIMEOUT_NS, .done = answered, .arg = stats};
    _cleanup_(hf_http_client_freep) struct hf_http_client *http = NULL;
    struct hf_http_call *call;

    stats->loop = hf_loop_new(err);
    http = stats->loop != NULL ? hf_http_client_new(stats->loop, &config, err) : NULL;
    if (http == NULL)
        return -err->code;
    const struct hf_http_ops *ops = hf_http_client_ops(http);
    int r = ops->start(ops->ctx, &request, &call, err);
    if (r < 0)
        return r;
    hf_loop_run(stats->loop);
    if (stats->r == -ECONNREFUSED)
        return hf_err_set(err, ECONNREFUSED, "no agent answers at %s: it does not run, or has another --metrics-port",
                          url);
    *err = stats->err;
    return stats->r < 0 ? hf_err_wrap(err, stats->r, "%s", url) : 0;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static int add_row(struct hf_table *table, const char *name, uint64_t asked, uint64_t fetched, struct hf_err *err)
{
    char asked_text[HF_CLI_BYTES_TEXT], fetched_text[HF_CLI_BYTES_TEXT], share[32] = "";

    if (asked > 0)
        (void)snprintf(share, sizeof(share), "%.1f %%", 100.0 * (double)fetched / (double)asked);
    const char *const cells[] = {name, hf_cli_bytes(asked, asked_text), hf_cli_bytes(fetched, fetched_text), share};
    return hf_table_add(table, cells, NULL, err);
}

static int print_table(struct hf_cli *cli, const json_t *images, struct hf_err *err)
{
    static const char *const titles[] = {"IMAGE", "ASKED", "FETCHED", "SHARE"};
    _cleanup_(hf_table_done) struct hf_table table = {.n = 0};
    uint64_t asked = 0, fetched = 0;
    const json_t *image;
    size_t i;
    int r = hf_table_begin(&table, titles, HF_LEN(titles), err);

    json_array_foreach(images, i, image) {
        const uint64_t each[] = {(uint64_t)hf_json_int_or(image, counters[0].json, 0),
                                 (uint64_t)hf_json_int_or(image, counters[1].json, 0)};
        asked += each[0];
        fetched += each[1];
        r = r == 0 ? add_row(&table, hf_json_str_or(image, "image", ""), each[0], each[1], err) : r;
    }
    hf_table_sort(&table);
    if (r == 0 && json_array_size(images) > 1)
        r = add_row(&table, "total", asked, fetched, err);
    if (r == 0)
        hf_table_print(&table, cli->out, cli->colour);
    return r;
}

int hf_cli_image_stats(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *images = json_array();
    struct stats stats = {.images = images, .err = HF_ERR_INIT};
    int r = images != NULL ? ask(&stats, hf_cli_value(args, "url", DEFAULT_URL), err)
                           : hf_err_set(err, ENOMEM, "out of memory");

    hf_loop_free(stats.loop);
    if (r < 0)
        return r;
    if (hf_cli_flag(args, "json"))
        return hf_cli_print_json(cli, images, err);
    if (json_array_size(images) == 0)
        (void)fprintf(cli->err, "containerd has asked the mirror for no image since the agent started\n");
    return json_array_size(images) > 0 ? print_table(cli, images, err) : 0;
}
