/* SPDX-License-Identifier: Apache-2.0 */
/* Two tables of functions wrap the HTTP client, and count the bytes of bulk transfers. One is for releases; when the
 * gate closes, the update engine itself stops these transfers. The other is for archives of manifests; when the gate
 * closes, this module ends these transfers. An ended transfer keeps the received bytes, and can resume. Telemetry
 * holds back its backlog itself; this module counts its bytes. */
#include "agent/resources/network.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "agent/diskq.h"
#include "agent/home.h"
#include "agent/turn.h"
#include "os/file.h"

/* A transfer gives one sample of the speed for each stretch of this length. */
#define SAMPLE_NS (2 * HF_NS_PER_S)

enum { MAX_DAY_FILE = 4096 };

/* One transfer, in place of the call of the HTTP client. */
struct transfer {
    struct hf_list link;
    struct hf_network_lane *lane;
    struct hf_http_call *inner; /* NULL once the transfer has ended */
    int (*on_response)(void *arg, const struct hf_http_response *response);
    int (*on_body)(void *arg, const void *bytes, size_t n);
    void (*done)(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                 const struct hf_err *err);
    void *arg;
    uint64_t since_ns; /* monotonic time at which the sample began; 0 before the response */
    uint64_t bytes;    /* bytes of the sample */
};

static const struct hf_http_ops *client_of(const struct hf_network *network)
{
    return network->env->params->http;
}

/* ---- counting ---------------------------------------------------------------------------------------------------- */

static void take_sample(struct transfer *transfer, uint64_t now_ns)
{
    struct hf_network *network = transfer->lane->network;
    uint64_t span_ns = now_ns - transfer->since_ns;

    if (transfer->since_ns != 0 && transfer->bytes != 0 && span_ns >= HF_NS_PER_MS)
        network->bytes_per_second = hf_link_average(
            network->bytes_per_second, (uint64_t)((double)transfer->bytes * HF_NS_PER_S / (double)span_ns));
    transfer->since_ns = now_ns;
    transfer->bytes = 0;
}

static uint64_t day_bytes(const struct hf_network *network)
{
    return hf_write_log_day(&network->day) + (network->bytes - network->day.counted);
}

static bool is_between(uint64_t before, uint64_t at, uint64_t after)
{
    return before < at && at <= after;
}

/* Returns true if, with `n` more bytes, the turn must look at the count: the last allowed byte passes, or there is
 * enough for a save. */
static bool is_turn_due(const struct hf_network *network, uint64_t n)
{
    uint64_t most = network->max_bytes_per_day, part = hf_write_log_part(most), day = day_bytes(network);
    uint64_t unsaved = network->day.unsaved + (network->bytes - network->day.counted);

    return most != 0 && (is_between(day, most, day + n) || is_between(unsaved, part, unsaved + n));
}

/* Wakes the agent in the moment in which the turn must look. */
static void count(struct hf_network *network, enum hf_network_kind kind, uint64_t n)
{
    network->carried[kind] += n;
    if (kind == HF_NETWORK_TELEMETRY)
        return;
    bool due = is_turn_due(network, n);
    network->bytes += n;
    if (due)
        hf_turn_wake(network->env->turn, HF_DUE_STATUS);
}

void hf_network_sent(struct hf_network *network, uint64_t bytes, bool backlog)
{
    count(network, backlog ? HF_NETWORK_BACKLOG : HF_NETWORK_TELEMETRY, bytes);
}

void hf_network_fetched_images(struct hf_network *network, uint64_t bytes)
{
    count(network, HF_NETWORK_IMAGES, bytes);
}

/* ---- the functions of a lane ------------------------------------------------------------------------------------- */

static int on_response(void *arg, const struct hf_http_response *response)
{
    struct transfer *transfer = arg;

    transfer->since_ns = hf_mono_ns(transfer->lane->network->env->world.clock);
    return transfer->on_response != NULL ? transfer->on_response(transfer->arg, response) : 0;
}

static int on_body(void *arg, const void *bytes, size_t n)
{
    struct transfer *transfer = arg;
    uint64_t now_ns = hf_mono_ns(transfer->lane->network->env->world.clock);

    count(transfer->lane->network, transfer->lane->kind, n);
    transfer->bytes += n;
    if (now_ns - transfer->since_ns >= SAMPLE_NS)
        take_sample(transfer, now_ns);
    return transfer->on_body(transfer->arg, bytes, n);
}

static void end(struct transfer *transfer, int r, const struct hf_http_response *response, struct hf_view body,
                const struct hf_err *err)
{
    struct transfer ended = *transfer;

    take_sample(transfer, hf_mono_ns(transfer->lane->network->env->world.clock));
    hf_list_remove(&transfer->link);
    free(transfer);
    ended.done(ended.arg, r, response, body, err);
}

static void on_done(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                    const struct hf_err *err)
{
    end(arg, r, response, body, err);
}

static int start(void *ctx, const struct hf_http_request *request, struct hf_http_call **ret_call, struct hf_err *err)
{
    struct hf_network_lane *lane = ctx;
    const struct hf_http_ops *client = client_of(lane->network);
    struct hf_http_request counted = *request;
    struct transfer *transfer;

    if (request->on_body == NULL)
        return hf_err_set(err, EINVAL, "a bulk transfer needs on_body");
    transfer = calloc(1, sizeof(*transfer));
    if (transfer == NULL)
        return hf_err_set(err, ENOMEM, "not enough memory for a download");
    *transfer = (struct transfer){.lane = lane,
                                  .on_response = request->on_response,
                                  .on_body = request->on_body,
                                  .done = request->done,
                                  .arg = request->arg};
    counted.on_response = on_response;
    counted.on_body = on_body;
    counted.done = on_done;
    counted.arg = transfer;
    int r = client->start(client->ctx, &counted, &transfer->inner, err);
    if (r < 0) {
        free(transfer);
        return r;
    }
    hf_list_append(&lane->calls, &transfer->link);
    *ret_call = (struct hf_http_call *)transfer; /* opaque to the caller */
    return 0;
}

static void cancel(void *ctx, struct hf_http_call *call)
{
    const struct hf_network_lane *lane = ctx;
    const struct hf_http_ops *client = client_of(lane->network);
    struct transfer *transfer = (struct transfer *)call;

    if (transfer == NULL)
        return;
    client->cancel(client->ctx, transfer->inner);
    take_sample(transfer, hf_mono_ns(lane->network->env->world.clock));
    hf_list_remove(&transfer->link);
    free(transfer);
}

static void pause_(void *ctx, struct hf_http_call *call, bool paused)
{
    const struct hf_network_lane *lane = ctx;
    const struct hf_http_ops *client = client_of(lane->network);
    const struct transfer *transfer = (const struct transfer *)call;

    if (transfer != NULL)
        client->pause(client->ctx, transfer->inner, paused);
}

static void lane_init(struct hf_network_lane *lane, struct hf_network *network, enum hf_network_kind kind)
{
    *lane = (struct hf_network_lane){.network = network, .kind = kind, .ends = kind == HF_NETWORK_ARCHIVES};
    lane->ops = (struct hf_http_ops){.ctx = lane, .start = start, .cancel = cancel, .pause = pause_};
    hf_list_init(&lane->calls);
}

/* ---- the count on disk ------------------------------------------------------------------------------------------- */

static const char *day_path(const struct hf_network *network, char path[PATH_MAX])
{
    return hf_home_path(network->env->params->home, "transfers", path);
}

static void save(struct hf_network *network, const struct hf_write_log_now *now)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_DAY_FILE);
    char path[PATH_MAX];

    if (hf_write_log_format(&network->day, now, &text) == 0)
        hf_diskq_write(network->env->diskq, day_path(network, path), hf_buf_view(&text));
}

void hf_network_begin(struct hf_network *network)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_DAY_FILE);
    const struct hf_write_log_now now = hf_home_log_now(network->env->params->home);
    struct hf_err err = HF_ERR_INIT;
    char path[PATH_MAX];

    network->started = true;
    int r = hf_file_read(network->env->world.fs, day_path(network, path), &text, &err);
    if (r == 0)
        r = hf_write_log_parse(hf_buf_view(&text), &now, &network->day, &err);
    if (r < 0 && r != -ENOENT)
        hf_log_err(network->env->world.log, HF_LOG_WARNING, "transfers.unreadable", "file", path, &err);
}

void hf_network_save(struct hf_network *network)
{
    const struct hf_write_log_now now = hf_home_log_now(network->env->params->home);

    if (!network->started)
        return;
    hf_write_log_note(&network->day, network->bytes, &now);
    if (hf_write_log_day(&network->day) > 0)
        save(network, &now);
}

/* ---- the part ---------------------------------------------------------------------------------------------------- */

void hf_network_init(struct hf_network *network, const struct hf_agent_env *env)
{
    *network = (struct hf_network){.env = env, .wait_ns = HF_NEVER};
    hf_write_log_init(&network->day, hf_mono_ns(env->world.clock));
    lane_init(&network->releases, network, HF_NETWORK_RELEASES);
    lane_init(&network->archives, network, HF_NETWORK_ARCHIVES);
}

static void sample_round_trip(struct hf_network *network)
{
    const struct hf_agent_params *params = network->env->params;
    uint64_t sample_ns =
        params->owner.api_traffic != NULL ? params->owner.api_traffic(params->owner.arg).round_trip_ns : 0;

    if (sample_ns != 0)
        network->round_trip_ns = hf_link_average(network->round_trip_ns, sample_ns);
}

bool hf_network_judge(struct hf_network *network, const struct hf_policy_connectivity *policy)
{
    static const char *const names[] = {[HF_LINK_OPEN] = "open",
                                        [HF_LINK_WINDOW_CLOSED] = "window-closed",
                                        [HF_LINK_CLOCK_UNSURE] = "clock-unsure",
                                        [HF_LINK_QUOTA_USED] = "quota-used"};
    const struct hf_write_log_now now = hf_home_log_now(network->env->params->home);
    struct hf_time_range range = hf_clock_range(network->env->world.clock);
    enum hf_link before = network->gate;

    sample_round_trip(network);
    network->max_bytes_per_day = policy->max_bytes_per_day;
    network->judged_ns = now.mono_ns;
    hf_write_log_note(&network->day, network->bytes, &now);
    bool used = hf_write_log_judge(&network->day, policy->max_bytes_per_day);
    if (network->started && hf_write_log_is_due(&network->day, policy->max_bytes_per_day, &now))
        save(network, &now);
    network->gate = hf_link_judge(policy, &range, used, &network->wait_ns);
    if (network->gate == before)
        return false;
    hf_log(network->env->world.log, HF_LOG_INFO, "link.gate", HF_S("gate", names[network->gate]),
           HF_D("bytes", (int64_t)hf_write_log_day(&network->day)),
           HF_D("maxBytes", (int64_t)policy->max_bytes_per_day));
    if (network->env->params->owner.link_changed != NULL)
        network->env->params->owner.link_changed(network->env->params->owner.arg, hf_link_reason(network->gate));
    return true;
}

void hf_network_enforce(struct hf_network *network)
{
    const struct hf_http_ops *client = client_of(network);
    struct hf_list *calls = &network->archives.calls;
    struct hf_err err = HF_ERR_INIT;

    if (network->gate == HF_LINK_OPEN)
        return;
    (void)hf_err_set(&err, ECANCELED, "spec.connectivity of the policy allows no download now");
    while (!hf_list_empty(calls)) {
        struct transfer *transfer = hf_container_of(calls->next, struct transfer, link);

        client->cancel(client->ctx, transfer->inner);
        end(transfer, -ECANCELED, NULL, (struct hf_view){NULL, 0}, &err);
    }
}

uint64_t hf_network_wait_until_ns(const struct hf_network *network)
{
    uint64_t until = hf_write_log_wait_until_ns(&network->day, network->max_bytes_per_day);

    return network->wait_ns == HF_NEVER ? until : HF_MIN(until, network->judged_ns + network->wait_ns);
}

struct hf_status_network hf_network_status(const struct hf_network *network)
{
    struct hf_status_network status = {.api_round_trip_ns = network->round_trip_ns,
                                       .download_bytes_per_second = network->bytes_per_second,
                                       .bytes_today = day_bytes(network),
                                       .max_bytes_per_day = network->max_bytes_per_day};

    status.present = status.api_round_trip_ns != 0 || status.bytes_today != 0 || status.max_bytes_per_day != 0;
    return status;
}
