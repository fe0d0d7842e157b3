/* SPDX-License-Identifier: Apache-2.0 */
/* An outlet on virtual time, with a disk that loses power and a sink that records each key and its bytes, and that can
 * refuse, stall, lie and lose answers. */
#include "telemetry/sink/outlet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zstd.h>

#include "codec/json.h"
#include "codec/sha256.h"
#include "spool/look.h"
#include "support/check_main.h"
#include "support/fakes/simtele.h"
#include "support/fakes/simwalk.h"
#include "telemetry/delivery/border.h"
#include "telemetry/delivery/fresh.h"
#include "telemetry/event/ids.h"
#include "telemetry/format/format.h"
#include "telemetry/sink/shares.h"

enum { MAX_KEYS = 4096, MAX_RECORDS = 20000, MAX_BODY = 600 << 10 };

/* Behaviour of the sink towards the next requests. */
enum mood {
    TAKES,
    REFUSES_ALL,
    FAILS,
    LOSES_ANSWERS,
    SWALLOWS,
    STALLS,
    HTML,
    TOO_LARGE,
    POISON,
    CRASHES,
    CUTS,
    AWAY,
    NOT_FOUND
};

struct key {
    char text[HF_BATCH_KEY_TEXT];
    char hash[HF_SHA256_HEX]; /* SHA-256 of the body as sent */
    bool taken;
    unsigned times;
};

struct sink {
    enum mood mood;
    int status;              /* FAILS */
    uint64_t retry_after_ns; /* FAILS */
    size_t too_large;        /* TOO_LARGE: lines above this */
    unsigned poison;         /* POISON: number of the record */
    unsigned poison_each;    /* POISON: if not 0, the records poison, poison + poison_each, ... */
    struct key keys[MAX_KEYS];
    size_t n_keys;
    unsigned requests, taken, changed; /* changed: requests with other bytes under a known key */
    unsigned seen[MAX_RECORDS];        /* number of new keys under which each record came */
    unsigned order[MAX_RECORDS];       /* record numbers in order of arrival */
    size_t n_order;
    size_t largest;
    uint64_t at_ns[256]; /* times of the first requests */
    unsigned device_keys, parts[2];
    uint64_t told_dropped; /* sum over the findings that report drops */
};

struct world {
    bool paused;   /* the budget of writes is used up */
    bool boundary; /* five of ten lines have the boundary eu */
    struct hf_telemetry_link way;
    uint64_t live_bytes, backlog_bytes;
    struct hf_simtele node;
    const struct hf_fs_ops *fs; /* NULL: the node's */
    struct hf_telemetry spec;
    struct hf_telemetry_sink sink_spec;
    struct hf_outlet_params params;
    struct hf_outlet *outlet;
    struct sink sink;
    struct hf_simlink link; /* delays 0: 1 ms */
    unsigned appended, acked, refused, rooms, changes;
    bool acknowledged[MAX_RECORDS];
    size_t line_bytes;
};

static char plain[MAX_BODY];

static struct hf_view body_of(const struct hf_simcall *call)
{
    struct hf_view body = hf_simcall_body(call);
    const char *encoding = hf_simcall_header(call, "Content-Encoding");

    if (encoding == NULL)
        return body;
    ck_assert_str_eq(encoding, "zstd");
    size_t n = ZSTD_decompress(plain, sizeof(plain), body.p, body.n);
    ck_assert(!ZSTD_isError(n));
    return (struct hf_view){plain, n};
}

static struct key *key_of(struct sink *sink, const char *text)
{
    for (size_t i = 0; i < sink->n_keys; i++)
        if (strcmp(sink->keys[i].text, text) == 0)
            return &sink->keys[i];
    ck_assert_uint_lt(sink->n_keys, MAX_KEYS);
    struct key *key = &sink->keys[sink->n_keys++];
    *key = (struct key){.taken = false};
    (void)snprintf(key->text, sizeof(key->text), "%s", text);
    return key;
}

/* Handles a finding of the agent. */
static uint64_t dropped_in(struct hf_view body)
{
    static const char mark[] = "\"records\":\"";
    uint64_t records = 0;

    for (const char *at = body.p; (at = memmem(at, body.n - (size_t)(at - body.p), mark, sizeof(mark) - 1)) != NULL;
         at++)
        records += strtoul(at + sizeof(mark) - 1, NULL, 10);
    return records;
}

/* "n":NUMBER of each line. */
static size_t numbers_of(struct hf_view body, unsigned *numbers)
{
    size_t n = 0;

    for (const char *at = body.p; (at = memmem(at, body.n - (size_t)(at - body.p), "\"n\":", 4)) != NULL; at += 4)
        numbers[n++] = (unsigned)strtoul(at + 4, NULL, 10);
    for (const char *at = body.p; (at = memmem(at, body.n - (size_t)(at - body.p), "number-", 7)) != NULL; at += 7)
        numbers[n++] = (unsigned)strtoul(at + 7, NULL, 10);
    return n;
}

static void take(struct sink *sink, struct key *key, const unsigned *numbers, size_t n)
{
    sink->taken++;
    if (key->taken)
        return; /* an idempotent sink has seen the key */
    key->taken = true;
    for (size_t i = 0; i < n; i++) {
        ck_assert_uint_lt(numbers[i], MAX_RECORDS);
        sink->seen[numbers[i]]++;
        sink->order[sink->n_order++] = numbers[i];
    }
}

static bool has(const unsigned *numbers, size_t n, unsigned wanted)
{
    for (size_t i = 0; i < n; i++)
        if (numbers[i] == wanted)
            return true;
    return false;
}

/* Records a request before the sink decides about it. */
static void note(struct world *world, struct hf_simcall *call, struct key *key, struct hf_view body)
{
    struct sink *sink = &world->sink;
    struct hf_view sent = hf_simcall_body(call);
    const char *device_key = hf_simcall_header(call, "X-Device-Key"), *target = hf_simcall_target(call);
    char hash[HF_SHA256_HEX];

    sink->device_keys += device_key != NULL && strcmp(device_key, "secret-7") == 0;
    sink->parts[0] += strcmp(target, "/v1/logs") == 0;
    sink->parts[1] += strcmp(target, "/v1/metrics") == 0;
    if (sink->mood == TAKES && !key->taken)
        sink->told_dropped += dropped_in(body);
    if (sink->requests < HF_LEN(sink->at_ns))
        sink->at_ns[sink->requests] = hf_simloop_now_ns(world->node.loop);
    sink->requests++;
    sink->largest = HF_MAX(sink->largest, body.n);
    (void)hf_sha256_hex(sent.p, sent.n, hash);
    if (key->times++ > 0 && strcmp(hash, key->hash) != 0)
        sink->changed++;
    (void)snprintf(key->hash, sizeof(key->hash), "%s", hash);
}

/* The behaviours that depend on the content of a request. */
static bool is_refused(const struct sink *sink, const unsigned *numbers, size_t n)
{
    for (size_t i = 0; i < n && sink->mood == POISON && sink->poison_each > 0; i++)
        if (numbers[i] % sink->poison_each == sink->poison)
            return true;
    return sink->mood == TOO_LARGE ? n > sink->too_large : has(numbers, n, sink->poison);
}

static void refuse(struct sink *sink, struct hf_simcall *call)
{
    struct hf_http_response refusal = {
        .status = sink->status, .retry_after_ns = sink->retry_after_ns, .content_length = 0};

    switch (sink->mood) {
    case FAILS:
        hf_simcall_respond(call, &refusal);
        hf_simcall_end(call);
        break;
    case STALLS:
        hf_simcall_fail(call, -ETIMEDOUT);
        break;
    case HTML:
        hf_simcall_reply(call, 200, "text/html; charset=utf-8", "<html>please log in</html>");
        break;
    case TOO_LARGE:
        hf_simcall_reply(call, 413, "text/plain", "too large");
        break;
    case POISON:
        hf_simcall_reply(call, 422, "text/plain", "bad \"record\"\n");
        break;
    case CRASHES:
        hf_simcall_reply(call, 500, "text/plain", "exception");
        break;
    case CUTS: /* a proxy drops connections with this record */
        hf_simcall_fail(call, -EPIPE);
        break;
    case AWAY:
        hf_simcall_fail(call, -EHOSTUNREACH);
        break;
    case NOT_FOUND:
        hf_simcall_reply(call, 404, "text/plain", "wo\xc3\xa4\n\x01?");
        break;
    default:
        hf_simcall_reply(call, 400, "text/plain", "no");
        break;
    }
}

static void handle(void *arg, struct hf_simcall *call)
{
    static unsigned numbers[MAX_RECORDS];
    struct world *world = arg;
    struct sink *sink = &world->sink;
    struct hf_view body = body_of(call);
    struct key *key = key_of(sink, hf_simcall_header(call, "Idempotency-Key"));
    size_t n = numbers_of(body, numbers);

    note(world, call, key, body);
    switch (sink->mood) {
    case LOSES_ANSWERS:
    case SWALLOWS:
        take(sink, key, numbers, n);
        if (sink->mood == SWALLOWS || hf_simloop_below(world->node.loop, 3) == 0)
            hf_simcall_fail(call, -EPIPE);
        else
            hf_simcall_reply(call, 204, "", "");
        return;
    case TOO_LARGE:
    case POISON:
    case CRASHES:
    case CUTS:
        if (is_refused(sink, numbers, n)) {
            refuse(sink, call);
            return;
        }
        break;
    case TAKES:
        break;
    default:
        refuse(sink, call);
        return;
    }
    take(sink, key, numbers, n);
    if (sink->mood == TOO_LARGE || sink->mood == POISON)
        hf_simcall_reply(call, 200, "application/json", "{}");
    else
        hf_simcall_reply(call, 200, "", "");
}

static void room(void *arg)
{
    ((struct world *)arg)->rooms++;
}

static void changed(void *arg)
{
    ((struct world *)arg)->changes++;
}

static void sent(void *arg, uint64_t bytes, bool backlog)
{
    struct world *world = arg;

    *(backlog ? &world->backlog_bytes : &world->live_bytes) += bytes;
}

static void start(struct world *world)
{
    struct hf_err err = HF_ERR_INIT;
    char text[600];

    hf_simtele_boot(&world->node);
    if (world->link.delay_max_ns > 0)
        hf_simclient_set_link(world->node.client, &world->link);
    if (world->fs != NULL)
        world->node.env.fs = world->fs;
    world->node.env.writes_paused = &world->paused;
    world->way.sent = sent;
    world->way.arg = world;
    world->node.env.link = &world->way;
    world->node.env.changed = changed;
    world->node.env.changed_arg = world;
    world->params.env = &world->node.env;
    world->params.spec = &world->spec;
    world->params.sink = &world->sink_spec;
    world->params.http = hf_simclient_ops(world->node.client);
    world->params.room = room;
    world->params.arg = world;
    int r = hf_outlet_new(&world->params, &world->outlet, &err);
    ck_assert_msg(r == 0, "%s", hf_err_text(&err, text, sizeof(text)));
}

static void stop(struct world *world)
{
    hf_outlet_free(world->outlet);
    world->outlet = NULL;
    hf_simtele_halt(&world->node);
}

/* kill -9 or a power cut. */
static void crash(struct world *world, bool power, uint64_t seed)
{
    hf_simproc_kill(world->node.proc);
    if (power)
        hf_simfs_power_cut(world->node.fs, seed);
    else
        hf_simfs_kill(world->node.fs);
    stop(world);
    start(world);
}

static struct world *world_new(uint64_t seed)
{
    struct world *world = calloc(1, sizeof(*world));

    hf_simtele_init(&world->node, seed);
    world->line_bytes = 250;
    world->spec = (struct hf_telemetry){.batch_max_bytes = 16384,
                                        .batch_timeout_ns = 10 * HF_NS_PER_S,
                                        .compression = HF_COMPRESS_ZSTD,
                                        .max_attempts = 3,
                                        .retry_base_ns = 2 * HF_NS_PER_S,
                                        .max_duration_ns = 300 * HF_NS_PER_S};
    world->sink_spec = (struct hf_telemetry_sink){.name = "default", .url = "https://sink/v1/", .format = HF_SINK_JSON};
    world->params.max_bytes = 16 << 20;
    hf_simnet_serve(world->node.net, "https://sink/v1", handle, world);
    start(world);
    return world;
}

static void world_free(struct world *world)
{
    stop(world);
    ck_assert_uint_eq(world->sink.changed, 0);
    ck_assert_uint_le(world->sink.largest, HF_MAX(world->spec.batch_max_bytes, (uint64_t)world->line_bytes + 2));
    hf_simtele_done(&world->node);
    free(world);
}

struct one {
    struct hf_receipt receipt;
    struct world *world;
    unsigned number;
};

static void settled(struct hf_receipt *receipt)
{
    struct one *one = hf_container_of(receipt, struct one, receipt);

    if (receipt->r == 0) {
        one->world->acked++;
        one->world->acknowledged[one->number] = true;
    } else {
        one->world->refused++;
    }
    free(one);
}

static int append(struct world *world, enum hf_lane lane)
{
    static char line[HF_EVENT_MAX_TEXT];
    struct one *one = calloc(1, sizeof(*one));
    int n = snprintf(line, sizeof(line), "{\"id\":\"id-%u\",%s\"n\":%u,\"pad\":\"", world->appended,
                     world->appended / 5 % 2 == 1 && world->boundary ? "\"boundary\":\"eu\"," : "", world->appended);

    memset(line + n, 'x', world->line_bytes - (size_t)n);
    memcpy(line + world->line_bytes - 2, "\"}", 2);
    *one = (struct one){.receipt = {.settled = settled}, .world = world, .number = world->appended};
    hf_receipt_hold(&one->receipt);
    int r = hf_outlet_append(world->outlet, lane, hf_shares_agent(), hf_event_tag(HF_SOURCE_HTTP, HF_SEVERITY_INFO),
                             (struct hf_view){line, world->line_bytes}, &one->receipt);
    if (r == 0) {
        world->appended++;
        hf_receipt_release(&one->receipt, 0);
    } else {
        free(one);
    }
    return r;
}

static void append_many(struct world *world, enum hf_lane lane, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        while (append(world, lane) == -EAGAIN)
            (void)hf_simloop_run_for(world->node.loop, HF_NS_PER_MS);
        if (i % 64 == 63)
            (void)hf_simloop_run_for(world->node.loop, HF_NS_PER_MS);
    }
}

static void append_event(struct world *world, enum hf_event_kind kind)
{
    _cleanup_(hf_buf_done) struct hf_buf line = HF_BUF_INIT(HF_EVENT_MAX_TEXT);
    char text[32];
    size_t n = (size_t)snprintf(text, sizeof(text), "number-%u!", world->appended);
    struct hf_event event = {.kind = kind,
                             .unix_ns = HF_SIM_UNIX_START,
                             .source = HF_VIEW("test"),
                             .value_kind = kind == HF_EVENT_METRIC ? HF_VALUE_GAUGE : HF_VALUE_NONE,
                             .name = kind == HF_EVENT_METRIC ? (struct hf_view){text, n} : (struct hf_view){"", 0},
                             .body = kind == HF_EVENT_METRIC ? (struct hf_view){"", 0} : (struct hf_view){text, n}};

    ck_assert_int_eq(hf_event_format(&event, "node-1", &line), 0);
    ck_assert_int_eq(hf_outlet_append(world->outlet, HF_LANE_BULK, hf_shares_agent(), 0, hf_buf_view(&line), NULL), 0);
    world->appended++;
}

static void append_events(struct world *world, unsigned logs, unsigned metrics)
{
    for (unsigned i = 0; i < logs + metrics; i++)
        append_event(world, i < logs ? HF_EVENT_LOG : HF_EVENT_METRIC);
    (void)hf_simloop_run_for(world->node.loop, HF_NS_PER_S);
}

/* Restarts the outlet under another name, so that it does not use the old folder. */
static void restart_as(struct world *world, const char *name)
{
    stop(world);
    world->sink_spec.name = name;
    start(world);
}

static void run_s(struct world *world, unsigned s)
{
    hf_simtele_run_s(&world->node, s);
}

static bool all_delivered(void *arg)
{
    const struct world *world = arg;
    struct hf_outlet_state state = hf_outlet_state(world->outlet);

    for (size_t i = 0; i < HF_LANES; i++)
        if (state.lanes[i].queued > 0 || state.lanes[i].pending_records > 0)
            return false;
    return true;
}

static void deliver_all(struct world *world, unsigned within_s)
{
    bool met = hf_simloop_run_until(world->node.loop, all_delivered, world, within_s * HF_NS_PER_S);
    struct hf_outlet_state state = hf_outlet_state(world->outlet);
    ck_assert_msg(met, "queued %lu + %lu, %s", (unsigned long)state.lanes[0].queued,
                  (unsigned long)state.lanes[1].queued, state.trouble);
}

static void check_each_once(const struct world *world)
{
    for (unsigned i = 0; i < world->appended; i++)
        if (world->acknowledged[i])
            ck_assert_msg(world->sink.seen[i] == 1, "record %u: %u times", i, world->sink.seen[i]);
}

/* ---- cases ------------------------------------------------------------------------------------------------------- */

START_TEST(delivers_in_full_batches)
{
    struct world *world = world_new((uint64_t)_i);

    append_many(world, HF_LANE_BULK, 1000);
    deliver_all(world, 30);
    check_each_once(world);
    ck_assert_uint_eq(world->acked, 1000);
    ck_assert_uint_eq(hf_outlet_state(world->outlet).delivered, 1000);
    ck_assert_uint_le(world->sink.requests, 1000 / (16384 / 251) + 2);
    ck_assert_uint_gt(world->sink.largest, 16000);
    ck_assert_uint_eq(hf_outlet_state(world->outlet).oldest_unix_ns, 0);
    world_free(world);
}
END_TEST

START_TEST(waits_for_a_batch_to_fill_but_not_long)
{
    struct world *world = world_new(0);

    append_many(world, HF_LANE_BULK, 3);
    run_s(world, 9);
    ck_assert_uint_eq(world->sink.requests, 0);
    run_s(world, 2);
    ck_assert_uint_eq(world->sink.requests, 1);
    append_many(world, HF_LANE_URGENT, 1);
    run_s(world, 2);
    ck_assert_uint_eq(world->sink.requests, 2);
    check_each_once(world);
    world_free(world);
}
END_TEST

/* Repeated kills, broken connections and lost answers: an idempotent sink gets each acknowledged record once, and a key
 * always stands for the same bytes. */
START_TEST(survives_crashes)
{
    struct world *world = world_new((uint64_t)_i + 1);
    bool power = _i % 2 == 1;

    /* answers arrive out of order; some connections break, some requests arrive twice */
    world->link = (struct hf_simlink){
        .delay_min_ns = HF_NS_PER_MS, .delay_max_ns = 400 * HF_NS_PER_MS, .break_ppm = 50000, .duplicate_ppm = 50000};
    hf_simclient_set_link(world->node.client, &world->link);
    world->sink.mood = LOSES_ANSWERS;
    for (unsigned life = 0; life < 12; life++) {
        append_many(world, life % 3 == 0 ? HF_LANE_URGENT : HF_LANE_BULK, 150);
        (void)hf_simloop_run_for(world->node.loop, hf_simloop_below(world->node.loop, 4 * HF_NS_PER_S));
        crash(world, power, (uint64_t)_i * 100 + life);
    }
    world->sink.mood = TAKES;
    deliver_all(world, 4000);
    for (unsigned i = 0; i < world->appended; i++) {
        if (world->acknowledged[i])
            ck_assert_msg(world->sink.seen[i] == 1, "record %u: %u times", i, world->sink.seen[i]);
        ck_assert_uint_le(world->sink.seen[i], 1);
    }
    world_free(world);
}
END_TEST

/* A power cut at each call that changes the disk, while the outlet plans and delivers batches. */
START_TEST(survives_a_stop_at_any_call)
{
    struct hf_simwalk walk = {.name = "stops"};

    while (hf_simwalk_next(&walk)) {
        uint64_t n = walk.at;
        struct world *world = world_new(7);
        hf_simfs_count_only(world->node.fs, HF_SIMFS_WRITES);
        hf_simfs_stop_at(world->node.fs, n);
        append_many(world, HF_LANE_BULK, 130);
        run_s(world, 12);
        (void)hf_simwalk_saw(&walk, world->node.fs);
        crash(world, true, n);
        deliver_all(world, 1000);
        check_each_once(world);
        world_free(world);
        ck_assert_uint_lt(n, 1000);
    }
}
END_TEST

/* Every disk call fails once: the outlet delivers all acknowledged events in the end. */
START_TEST(goes_on_after_a_failed_call)
{
    struct hf_simwalk walk = {.name = "errors"};

    while (hf_simwalk_next(&walk)) {
        uint64_t n = walk.at;
        struct world *world = world_new(7);
        hf_simfs_count_only(world->node.fs, HF_SIMFS_WRITES); /* writes only: an unreadable record would be lost */
        hf_simfs_fail_at(world->node.fs, n, EIO, 1);
        append_many(world, HF_LANE_BULK, 130);
        run_s(world, 30);
        (void)hf_simwalk_saw(&walk, world->node.fs);
        hf_simfs_fail_at(world->node.fs, 0, 0, 0);
        append_many(world, HF_LANE_BULK, 1);
        deliver_all(world, 1000);
        check_each_once(world);
        world_free(world);
        ck_assert_uint_lt(n, 2000);
    }
}
END_TEST

START_TEST(retries_with_jitter_then_defers)
{
    struct world *world = world_new(3);

    world->sink.mood = FAILS;
    world->sink.status = 503;
    append_many(world, HF_LANE_BULK, 10);
    run_s(world, 600);
    struct hf_outlet_state state = hf_outlet_state(world->outlet);
    ck_assert_uint_ge(state.attempts, 3);
    ck_assert_uint_le(state.attempts, 40);
    ck_assert_uint_ge(state.deferred, 1);
    ck_assert_uint_eq(state.delivered, 0);
    ck_assert_str_eq(state.trouble, "http_503: ");
    ck_assert_uint_gt(state.oldest_unix_ns, 0);
    world->sink.mood = TAKES;
    deliver_all(world, 4000);
    check_each_once(world);
    ck_assert_int_eq(hf_outlet_state(world->outlet).breaker, HF_BREAKER_CLOSED);
    world_free(world);
}
END_TEST

START_TEST(obeys_retry_after)
{
    struct world *world = world_new(4);

    world->sink.mood = FAILS;
    world->sink.status = 429;
    world->sink.retry_after_ns = 120 * HF_NS_PER_S;
    append_many(world, HF_LANE_BULK, 500);
    run_s(world, 125);
    unsigned first_wave = world->sink.requests;
    ck_assert_uint_ge(first_wave, 1);
    for (unsigned i = 1; i < first_wave && i < HF_LEN(world->sink.at_ns); i++)
        ck_assert(world->sink.at_ns[i] - world->sink.at_ns[0] < HF_NS_PER_S ||
                  world->sink.at_ns[i] - world->sink.at_ns[0] >= 120 * HF_NS_PER_S);
    world->sink.mood = TAKES;
    deliver_all(world, 1000);
    check_each_once(world);
    world_free(world);
}
END_TEST

/* During an outage the outlet sends single probes; after it, the newest urgent batch goes first. */
START_TEST(breaker_opens_and_the_newest_goes_first)
{
    struct world *world = world_new(5);

    world->line_bytes = 1000;
    append_many(world, HF_LANE_BULK, 1);
    deliver_all(world, 30);
    world->sink.mood = AWAY;
    append_many(world, HF_LANE_BULK, 300);
    ck_assert_uint_eq(world->changes, 0);
    run_s(world, 300);
    ck_assert_int_ne(hf_outlet_state(world->outlet).breaker, HF_BREAKER_CLOSED);
    ck_assert_uint_eq(world->changes, 1); /* probes cause no report */
    append_many(world, HF_LANE_URGENT, 100);
    run_s(world, 3600);
    ck_assert_uint_lt(world->sink.requests, 120); /* not thousands */
    world->sink.mood = TAKES;
    world->sink.n_order = 0;
    deliver_all(world, 2000);
    check_each_once(world);
    ck_assert_uint_gt(world->sink.order[0], 380);
    ck_assert_uint_eq(world->changes, 2);
    ck_assert_uint_gt(hf_outlet_state(world->outlet).last_delivery_unix_ns, 0);
    char origin[64];
    ck_assert_str_eq(hf_outlet_origin(world->outlet, origin, sizeof(origin)), "https://sink");
    world_free(world);
}
END_TEST

/* The log shows one warning with the reason when the sink fails, and one line at info when it works again. */
START_TEST(breaker_is_told_once_each_way)
{
    struct world *world = world_new(6);
    char text[4096];
    int fd = memfd_create("log", MFD_CLOEXEC);
    unsigned told = 0;

    world->node.env.log = hf_log_new(fd, HF_LOG_INFO, world->node.env.clock);
    struct hf_log *log = world->node.env.log;
    hf_outlet_free(world->outlet);
    ck_assert_int_eq(hf_outlet_new(&world->params, &world->outlet, NULL), 0);
    world->sink.mood = AWAY;
    append_many(world, HF_LANE_BULK, 100);
    run_s(world, 1800); /* many probes fail */
    world->sink.mood = TAKES;
    deliver_all(world, 2000);
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    text[HF_MAX(n, 0)] = '\0';
    for (const char *at = text; (at = strstr(at, "\"telemetry.breaker\"")) != NULL; at++)
        told++;
    ck_assert_msg(told == 2, "%s", text);
    const char *opened = strstr(text, "\"level\":\"warning\",\"event\":\"telemetry.breaker\"");
    const char *closed = strstr(text, "\"level\":\"info\",\"event\":\"telemetry.breaker\"");
    ck_assert_msg(opened != NULL && closed != NULL && opened < closed, "%s", text);
    ck_assert_msg(strstr(opened, "\"state\":\"open\",\"reason\":") != NULL && strstr(closed, "\"closed\"") != NULL,
                  "%s", text);
    world_free(world);
    hf_log_free(log);
    (void)close(fd);
}
END_TEST

START_TEST(one_poison_record_takes_nobody_along)
{
    struct world *world = world_new(6);

    world->sink.mood = POISON;
    world->sink.poison = 77;
    append_many(world, HF_LANE_BULK, 300);
    deliver_all(world, 300);
    for (unsigned i = 0; i < 300; i++)
        ck_assert_msg(world->sink.seen[i] == (i != 77), "record %u: %u", i, world->sink.seen[i]);
    ck_assert_uint_eq(hf_outlet_state(world->outlet).dead_lettered, 1);
    size_t n = 0;
    const char *letters = NULL;
    for (unsigned first = 1; letters == NULL && first < 10; first++) {
        char path[128];
        (void)snprintf(path, sizeof(path), "/data/default/dead/%016x.seg", first);
        letters = hf_simfs_get(world->node.fs, path, &n);
    }
    ck_assert_ptr_nonnull(letters);
    ck_assert_ptr_nonnull(memmem(letters, n, "{\"reason\":\"http_422\",", 21));
    ck_assert_ptr_nonnull(memmem(letters, n, "\"n\":77,", 7));
    ck_assert_ptr_nonnull(memmem(letters, n, "bad \\\"record\\\"?", 15));
    world_free(world);
}
END_TEST

/* Events of a boundary wait, some of them in batches that were sent once; then the sink has the boundary no longer.
 * They become dead letters, and all others arrive. */
START_TEST(a_sink_that_leaves_the_boundary_gets_no_more_of_it)
{
    static const char *const boundaries[] = {NULL, "us", "eu2", "e", "eu"};
    struct world *world = world_new(7);
    bool same = boundaries[_i] != NULL && strcmp(boundaries[_i], "eu") == 0;

    world->sink_spec.boundary = "eu";
    world->boundary = true;
    restart_as(world, "regional");
    world->sink.mood = AWAY;
    append_many(world, HF_LANE_BULK, 200);
    run_s(world, 60);
    append_many(world, HF_LANE_BULK, 203);
    run_s(world, 1);
    ck_assert_uint_eq(hf_outlet_state(world->outlet).delivered, 0);
    world->sink_spec.boundary = boundaries[_i];
    restart_as(world, "regional");
    world->sink.mood = TAKES;
    deliver_all(world, 2000);
    for (unsigned i = 0; i < 403; i++)
        ck_assert_msg(world->sink.seen[i] == (same || i / 5 % 2 == 0), "record %u: %u", i, world->sink.seen[i]);
    ck_assert_uint_eq(hf_outlet_state(world->outlet).dead_lettered, same ? 0 : 200);
    world_free(world);
}
END_TEST

/* The dead letter has no room: it is tried again after a pause, and the other records go on meanwhile. */
START_TEST(a_dead_letter_that_cannot_be_written_waits)
{
    struct world *world = world_new(6);

    hf_simfs_mount(world->node.fs, "/data/default/dead");
    hf_simfs_set_read_only(world->node.fs, "/data/default/dead", true);
    world->sink.mood = POISON;
    world->sink.poison = 77;
    append_many(world, HF_LANE_BULK, 300);
    run_s(world, 60);
    for (unsigned i = 0; i < 300; i++)
        ck_assert_msg(world->sink.seen[i] == (i != 77), "record %u: %u", i, world->sink.seen[i]);
    ck_assert_uint_eq(hf_outlet_state(world->outlet).dead_lettered, 0);
    uint64_t before = hf_simfs_calls(world->node.fs);
    run_s(world, 600);
    ck_assert_uint_lt(hf_simfs_calls(world->node.fs) - before, 600 / 5 * 20);
    ck_assert_uint_gt(hf_simfs_calls(world->node.fs), before);
    hf_simfs_set_read_only(world->node.fs, "/data/default/dead", false);
    deliver_all(world, 300);
    ck_assert_uint_eq(hf_outlet_state(world->outlet).dead_lettered, 1);
    world_free(world);
}
END_TEST

static uint64_t dead_letters(const struct world *world)
{
    struct hf_spool_found found;

    ck_assert_int_eq(hf_spool_look(hf_simfs_ops(world->node.fs), "/data/default/dead", NULL, NULL, &found, NULL), 0);
    return found.waiting;
}

/* A disk whose reads of a dead letter fail. */
static const struct hf_fs_ops *sound;
static bool scratched;

static ssize_t scratched_pread(void *ctx, int fd, void *bytes, size_t n, uint64_t offset)
{
    ssize_t r = sound->pread(ctx, fd, bytes, n, offset);

    return scratched && r > 0 && memmem(bytes, (size_t)r, "{\"reason\"", 9) != NULL ? -EIO : r;
}

/* A dead letter waits while the disk does not give back the earlier ones, and costs none of them. If that does not end,
 * they are lost, and the dead letter waits no longer. */
START_TEST(a_dead_letter_waits_for_an_unreadable_disk)
{
    bool lasts = _i == 1;
    struct world *world = world_new(6);
    struct hf_fs_ops ops;

    sound = hf_simfs_ops(world->node.fs);
    ops = *sound;
    ops.pread = scratched_pread;
    scratched = false;
    world->fs = &ops;
    restart_as(world, "default");
    world->sink.mood = POISON;
    world->sink.poison = 7;
    append_many(world, HF_LANE_BULK, 10);
    deliver_all(world, 300);
    ck_assert_uint_eq(dead_letters(world), 1);
    scratched = true;
    world->sink.poison = 17;
    append_many(world, HF_LANE_BULK, 10);
    run_s(world, 200);
    ck_assert_uint_eq(hf_outlet_state(world->outlet).dead_lettered, 1);
    scratched = lasts;
    deliver_all(world, lasts ? 400 : 20);
    ck_assert_uint_eq(hf_outlet_state(world->outlet).dead_lettered, 2);
    scratched = false;
    ck_assert_uint_eq(dead_letters(world), lasts ? 1 : 2);
    world_free(world);
}
END_TEST

/* Batches that cannot be split while no dead letter has room are sent seldom: the link may be metered. */
START_TEST(refused_batches_without_dead_letters_cost_little)
{
    struct world *world = world_new(6);

    hf_simfs_mount(world->node.fs, "/data/default/dead");
    hf_simfs_set_read_only(world->node.fs, "/data/default/dead", true);
    world->sink.mood = POISON;
    world->sink.poison = 77;
    world->sink.poison_each = 100;
    append_many(world, HF_LANE_BULK, 600);
    run_s(world, 60);
    unsigned before = world->sink.requests;
    run_s(world, 1200);
    ck_assert_msg(world->sink.requests - before <= 6 * 4, "%u requests", world->sink.requests - before);
    ck_assert_uint_eq(hf_outlet_state(world->outlet).dead_lettered, 0);
    hf_simfs_set_read_only(world->node.fs, "/data/default/dead", false);
    deliver_all(world, 1200);
    ck_assert_uint_eq(hf_outlet_state(world->outlet).dead_lettered, 6);
    for (unsigned i = 0; i < 600; i++)
        ck_assert_msg(world->sink.seen[i] == (i % 100 != 77), "record %u: %u", i, world->sink.seen[i]);
    world_free(world);
}
END_TEST

/* One record makes the sink answer 500 each time while others pass: after hours only that record becomes a dead letter.
 * An outage blames no record. */
START_TEST(what_the_sink_always_fails_on)
{
    struct world *world = world_new(19);

    world->sink.mood = CRASHES;
    world->sink.poison = 40;
    append_many(world, HF_LANE_BULK, 120);
    for (unsigned hour = 0; hour < 12; hour++) {
        world->sink.mood = hour == 5 ? STALLS : CRASHES;
        for (unsigned i = 0; i < 12; i++) {
            append_many(world, HF_LANE_BULK, 5);
            run_s(world, 300);
        }
        if (hour == 0)
            ck_assert_uint_eq(hf_outlet_state(world->outlet).dead_lettered, 0);
    }
    deliver_all(world, 4000);
    ck_assert_uint_eq(hf_outlet_state(world->outlet).dead_lettered, 1);
    for (unsigned i = 0; i < world->appended; i++)
        ck_assert_msg(world->sink.seen[i] == (i != 40), "record %u: %u", i, world->sink.seen[i]);
    world_free(world);
}
END_TEST

/* The connection breaks at each attempt to send one record: its batch stays, and all others are delivered. */
START_TEST(what_breaks_connections_holds_nobody_up)
{
    struct world *world = world_new((uint64_t)_i + 30);
    unsigned seen = 0;

    world->sink.mood = CUTS;
    world->sink.poison = 40;
    append_many(world, _i % 2 == 0 ? HF_LANE_URGENT : HF_LANE_BULK, 400);
    for (unsigned i = 0; i < 12; i++) {
        append_many(world, HF_LANE_BULK, 20);
        run_s(world, 600);
    }
    for (unsigned i = 0; i < world->appended; i++)
        seen += world->sink.seen[i];
    ck_assert_uint_ge(seen, world->appended - 16384 / 250 - 20);
    world->sink.mood = TAKES;
    deliver_all(world, 4000);
    check_each_once(world);
    world_free(world);
}
END_TEST

/* After hours only that record becomes a dead letter, with the reason; an outage of the sink blames no record. */
START_TEST(what_breaks_connections_is_put_aside)
{
    struct world *world = world_new((uint64_t)_i + 60);
    unsigned hours = 0;

    world->sink.mood = CUTS;
    world->sink.poison = 40;
    append_many(world, _i % 2 == 0 ? HF_LANE_URGENT : HF_LANE_BULK, 120);
    for (; hours < 60 && hf_outlet_state(world->outlet).dead_lettered == 0; hours++) {
        world->sink.mood = hours % 12 == 5 ? STALLS : CUTS;
        for (unsigned i = 0; i < 12; i++) {
            append_many(world, HF_LANE_BULK, 5);
            run_s(world, 300);
        }
        if (hours == 0)
            ck_assert_uint_eq(hf_outlet_state(world->outlet).dead_lettered, 0);
    }
    world->sink.mood = CUTS;
    deliver_all(world, 4000);
    ck_assert_uint_eq(hf_outlet_state(world->outlet).dead_lettered, 1);
    for (unsigned i = 0; i < world->appended; i++)
        ck_assert_msg(world->sink.seen[i] == (i != 40), "record %u: %u", i, world->sink.seen[i]);
    ck_assert_uint_eq(
        (uint64_t)hf_metric_value(hf_metric_with(
            hf_metric_family(world->node.metrics, HF_METRIC_COUNTER, "holdfast_telemetry_dead_letter_events_total",
                             "Events that a sink refuses for good, moved to the dead letters, by reason.",
                             HF_LABELS("sink", "reason")),
            HF_LABELS("default", "cut"))),
        1);
    world_free(world);
}
END_TEST

/* A link that breaks two of three connections for two days, whatever their content: no batch is at fault. */
START_TEST(a_bad_link_blames_no_record)
{
    struct world *world = world_new(77);

    for (unsigned i = 0; i < 2 * 24 * 12; i++) {
        world->sink.mood = i % 3 == 0 ? TAKES : STALLS;
        append_many(world, HF_LANE_BULK, 5);
        run_s(world, 300);
    }
    world->sink.mood = TAKES;
    deliver_all(world, 8000);
    ck_assert_uint_eq(hf_outlet_state(world->outlet).dead_lettered, 0);
    check_each_once(world);
    world_free(world);
}
END_TEST

START_TEST(too_large_is_halved)
{
    struct world *world = world_new(8);

    world->sink.mood = TOO_LARGE;
    world->sink.too_large = 5;
    append_many(world, HF_LANE_BULK, 200);
    deliver_all(world, 2000);
    check_each_once(world);
    ck_assert_uint_eq(hf_outlet_state(world->outlet).dead_lettered, 0);
    world_free(world);
}
END_TEST

/* A sink that refuses everything does not turn the whole queue into dead letters. */
START_TEST(refusing_everything_is_the_sinks_fault)
{
    struct world *world = world_new(9);

    world->sink.mood = REFUSES_ALL;
    append_many(world, HF_LANE_BULK, 400);
    run_s(world, 1800);
    struct hf_outlet_state state = hf_outlet_state(world->outlet);
    ck_assert_uint_ge(state.dead_lettered, 16);
    ck_assert_uint_lt(state.dead_lettered, 100);
    world->sink.mood = TAKES;
    deliver_all(world, 4000);
    uint64_t seen = 0;
    for (unsigned i = 0; i < world->appended; i++)
        seen += world->sink.seen[i];
    ck_assert_uint_eq(seen + hf_outlet_state(world->outlet).dead_lettered, 400);
    world_free(world);
}
END_TEST

START_TEST(wrong_answers_lose_nothing)
{
    static const struct {
        enum mood mood;
        int status;
        const char *trouble;
    } rows[] = {
        {HTML, 0, "content_type: the answer has type text/html; charset=utf-8: check the sink's url"},
        {NOT_FOUND, 0, "http_404: wo?????"},
        {FAILS, 401, "http_401"},
        {FAILS, 403, "http_403"},
        {FAILS, 302, "http_302"},
        {FAILS, 408, "http_408"},
        {FAILS, 500, "http_500"},
        {STALLS, 0, "timeout"},
        {FAILS, 600, "http_600"},
    };
    struct world *world = world_new(10);

    world->sink.mood = rows[_i].mood;
    world->sink.status = rows[_i].status;
    append_many(world, HF_LANE_BULK, 300);
    run_s(world, 3600);
    struct hf_outlet_state state = hf_outlet_state(world->outlet);
    ck_assert_uint_eq(state.delivered + state.dead_lettered, 0);
    ck_assert_msg(strncmp(state.trouble, rows[_i].trouble, strlen(rows[_i].trouble)) == 0, "%s", state.trouble);
    ck_assert_uint_lt(state.attempts, 130);
    world->sink.mood = TAKES;
    deliver_all(world, 4000);
    check_each_once(world);
    world_free(world);
}
END_TEST

START_TEST(full_says_so_and_goes_on)
{
    struct world *world = world_new(11);
    int r = 0;

    stop(world);
    hf_simfs_delete(world->node.fs, "/data/default");
    world->params.max_bytes = 4 << 20;
    world->sink_spec.name = "small";
    start(world);
    world->sink.mood = STALLS;
    world->line_bytes = 2000;
    while (r == 0 && world->appended < 15000) {
        r = append(world, HF_LANE_BULK);
        (void)hf_simloop_run_for(world->node.loop, HF_NS_PER_MS / 4);
    }
    run_s(world, 1);
    ck_assert_int_eq(append(world, HF_LANE_BULK), -EAGAIN);
    ck_assert(!hf_outlet_has_room(world->outlet, HF_LANE_BULK, 100));
    ck_assert_int_eq(append(world, HF_LANE_URGENT), 0);
    world->sink.mood = TAKES;
    unsigned rooms = world->rooms;
    deliver_all(world, 4000);
    check_each_once(world);
    ck_assert_uint_gt(world->rooms, rooms);
    ck_assert_int_eq(append(world, HF_LANE_BULK), 0);
    deliver_all(world, 100);
    world_free(world);
}
END_TEST

/* Beyond the budget of writes bulk lines wait as at a full queue; urgent ones, and what is stored, go on. */
START_TEST(no_budget_to_write)
{
    struct world *world = world_new(12);

    ck_assert_int_eq(append(world, HF_LANE_BULK), 0);
    world->paused = true;
    ck_assert_int_eq(append(world, HF_LANE_BULK), -EAGAIN);
    ck_assert(!hf_outlet_has_room(world->outlet, HF_LANE_BULK, 100));
    ck_assert_int_eq(append(world, HF_LANE_URGENT), 0);
    unsigned rooms = world->rooms;
    run_s(world, 60);
    ck_assert_uint_eq(world->rooms, rooms);
    world->paused = false;
    run_s(world, 60);
    ck_assert_uint_gt(world->rooms, rooms);
    ck_assert_int_eq(append(world, HF_LANE_BULK), 0);
    deliver_all(world, 100);
    check_each_once(world);
    world_free(world);
}
END_TEST

/* ---- the link ---------------------------------------------------------------------------------------------------- */

static void set_link(struct world *world, const char *closed)
{
    world->way.closed = closed;
    hf_outlet_link_changed(world->outlet);
}

/* Numbers from..until-1 that arrived. */
static unsigned arrived(const struct world *world, unsigned from, unsigned until)
{
    unsigned n = 0;

    for (unsigned i = from; i < until; i++)
        n += world->sink.seen[i] != 0;
    return n;
}

static double held(const struct world *world)
{
    struct hf_metric_family *family = hf_metric_family(
        world->node.metrics, HF_METRIC_GAUGE, "holdfast_telemetry_backlog_held",
        "1 while events older than a minute or two wait for spec.connectivity of the policy.", HF_LABELS("sink"));

    return hf_metric_value(hf_metric_with(family, HF_LABELS("default")));
}

/* A sink that was away leaves a backlog, which waits while the link is closed; live and urgent events pass it. */
START_TEST(a_closed_link_holds_the_backlog_alone)
{
    struct world *world = world_new(20);

    world->sink.mood = AWAY;
    append_many(world, HF_LANE_BULK, 500);
    run_s(world, 300);
    set_link(world, "LinkWindowClosed");
    world->sink.mood = TAKES;
    append_many(world, HF_LANE_BULK, 5);
    append_many(world, HF_LANE_URGENT, 5);
    run_s(world, 600); /* the breaker finds that the sink is back */
    append_many(world, HF_LANE_BULK, 5);
    append_many(world, HF_LANE_URGENT, 5);
    run_s(world, 30);
    ck_assert_uint_eq(arrived(world, 0, 500), 0);
    ck_assert_uint_eq(arrived(world, 505, 510), 5);
    ck_assert_uint_eq(arrived(world, 510, 520), 10);
    ck_assert_uint_eq(world->backlog_bytes, 0);
    ck_assert_str_eq(hf_outlet_state(world->outlet).waiting_for, "LinkWindowClosed");
    ck_assert(held(world) == 1);
    set_link(world, NULL);
    deliver_all(world, 60);
    check_each_once(world);
    ck_assert_uint_gt(world->backlog_bytes, 0);
    ck_assert_ptr_null(hf_outlet_state(world->outlet).waiting_for);
    ck_assert(held(world) == 0);
    world_free(world);
}
END_TEST

/* What lies in the spool at the start of the agent is backlog, also a batch that may have left the node before. */
START_TEST(a_closed_link_holds_what_an_earlier_process_stored)
{
    struct world *world = world_new(21);

    world->sink.mood = SWALLOWS;
    append_many(world, HF_LANE_BULK, 200);
    run_s(world, 20);
    world->sink.mood = TAKES;
    world->way.closed = "LinkQuotaUsed";
    crash(world, false, 0);
    unsigned before = world->sink.requests;
    append_many(world, HF_LANE_BULK, 5);
    run_s(world, 900);
    ck_assert_uint_eq(arrived(world, 200, 205), 5);
    ck_assert_uint_eq(world->sink.requests, before + 1);
    crash(world, true, 3); /* the live batch is done, and stays so */
    run_s(world, 900);
    ck_assert_uint_eq(world->sink.requests, before + 1);
    set_link(world, NULL);
    deliver_all(world, 60);
    check_each_once(world);
    world_free(world);
}
END_TEST

/* Live events have a share; what is beyond it becomes backlog. Holes in the sequence leave room in the table of batches
 * for the backlog. The bytes of the backlog, and only these, count. */
START_TEST(live_events_have_a_share)
{
    struct world *world = world_new(22);

    world->spec.compression = HF_COMPRESS_NONE;
    stop(world);
    start(world);
    world->line_bytes = 1000;
    set_link(world, "LinkWindowClosed");
    for (unsigned minute = 0; minute < 120; minute++) {
        append_many(world, HF_LANE_BULK, 100); /* 100 KB a minute */
        run_s(world, 60);
    }
    ck_assert_uint_eq(world->backlog_bytes, 0);
    ck_assert_uint_gt(world->live_bytes, 100 * HF_FRESH_SHARE_BYTES);
    ck_assert_uint_lt(world->live_bytes, 122 * HF_FRESH_SHARE_BYTES);
    unsigned early = arrived(world, 0, 12000);
    ck_assert_uint_gt(early, 6000);
    ck_assert_uint_lt(early, 9000);
    set_link(world, NULL);
    deliver_all(world, 600);
    check_each_once(world);
    ck_assert_uint_gt(world->backlog_bytes, (12000 - early) * 900);
    world_free(world);
}
END_TEST

/* Live batches that an outage of the sink delays are backlog by their age. They travel nevertheless, and do not take the
 * places of later ones. */
START_TEST(live_events_go_on_after_an_outage)
{
    struct world *world = world_new(27);
    const unsigned minutes = _i == 2 ? 5 : 120, rounds = _i == 2 ? 40 : 1;

    set_link(world, "LinkWindowClosed");
    world->sink.status = 503;
    for (unsigned round = 0; round < rounds; round++) {
        world->sink.mood = _i == 0 ? FAILS : STALLS;
        for (unsigned minute = 0; minute < minutes; minute++) {
            append_many(world, HF_LANE_BULK, 5);
            run_s(world, 60);
        }
        world->sink.mood = TAKES;
        run_s(world, 600); /* the breaker finds that the sink is back */
        append_many(world, HF_LANE_BULK, 5);
        run_s(world, 60);
        ck_assert_msg(arrived(world, world->appended - 5, world->appended) == 5, "after outage %u", round);
    }
    ck_assert_uint_eq(world->backlog_bytes, 0);
    ck_assert_uint_lt(arrived(world, 0, world->appended), world->appended);
    set_link(world, NULL);
    deliver_all(world, 600);
    check_each_once(world);
    world_free(world);
}
END_TEST

/* A body that is ready, and one that is to be sent again, wait when the link closes. */
START_TEST(a_link_that_closes_holds_ready_bodies)
{
    struct world *world = world_new(23);

    world->sink.mood = FAILS;
    world->sink.status = 503;
    world->sink.retry_after_ns = 180 * HF_NS_PER_S;
    append_many(world, HF_LANE_BULK, 1000);
    run_s(world, 60);
    unsigned before = world->sink.requests;
    ck_assert_uint_gt(before, 0);
    world->sink.mood = TAKES;
    set_link(world, "ClockUnsure");
    run_s(world, 3600);
    ck_assert_uint_le(world->sink.requests, before + 1); /* the share of a minute, if it was live then */
    set_link(world, NULL);
    deliver_all(world, 600);
    check_each_once(world);
    world_free(world);
}
END_TEST

/* The spool keeps its bounds while the backlog waits: the oldest events go, and the live ones still pass. */
START_TEST(a_held_backlog_keeps_the_bounds_of_the_spool)
{
    struct world *world = world_new(24);

    world->spec.when_full = HF_WHEN_FULL_DROP_OLDEST;
    world->params.max_bytes = 3 << 20;
    stop(world);
    world->sink_spec.name = "dropping";
    start(world);
    world->line_bytes = 2000;
    set_link(world, "LinkWindowClosed");
    append_many(world, HF_LANE_BULK, 4000); /* 8 MB */
    run_s(world, 300);
    struct hf_outlet_state state = hf_outlet_state(world->outlet);
    ck_assert_uint_le(state.lanes[HF_LANE_BULK].store.bytes + state.lanes[HF_LANE_URGENT].store.bytes,
                      world->params.max_bytes + (512 << 10)); /* the smallest lane of urgent events */
    append_many(world, HF_LANE_BULK, 3);
    run_s(world, 600);
    ck_assert_uint_eq(arrived(world, 4000, 4003), 3);
    set_link(world, NULL);
    deliver_all(world, 4000);
    ck_assert_uint_gt(4000 - arrived(world, 0, 4000), 1000);
    world->spec.batch_max_bytes = 65536; /* for the check of the largest body: our own events are longer than a line */
    world_free(world);
}
END_TEST

/* Appends events at a steady rate, and returns how many of them found no room. */
static unsigned append_for(struct world *world, unsigned minutes, unsigned a_minute)
{
    unsigned refused = 0;

    for (unsigned minute = 0; minute < minutes; minute++) {
        for (unsigned i = 0; i < a_minute; i++) {
            if (!hf_outlet_has_room(world->outlet, HF_LANE_BULK, world->line_bytes) ||
                append(world, HF_LANE_BULK) == -EAGAIN)
                refused++;
            run_s(world, 60 / a_minute);
        }
    }
    return refused;
}

/* A spool that refuses when it is full, and that a held backlog pins, lets the oldest events have the share: one old
 * event, or more of them than the share of many minutes. */
START_TEST(a_held_backlog_does_not_block_the_sources)
{
    struct world *world = world_new(28);

    world->params.max_bytes = 3 << 20;
    world->spec.compression = HF_COMPRESS_NONE;
    stop(world);
    world->sink_spec.name = "blocking";
    start(world);
    world->line_bytes = 2000;
    world->sink.mood = AWAY;
    append_many(world, HF_LANE_BULK, _i == 0 ? 1 : 1000);
    run_s(world, 300);
    set_link(world, "LinkWindowClosed");
    world->sink.mood = TAKES;
    unsigned refused = append_for(world, 300, 20); /* 40 KB a minute, 12 MB */
    ck_assert_uint_lt(refused, _i == 0 ? 300 : 3000);
    ck_assert_uint_eq(world->backlog_bytes, 0);
    ck_assert_uint_lt(world->live_bytes, 302 * HF_FRESH_SHARE_BYTES);
    unsigned before = world->appended;
    (void)append_for(world, 60, 20);
    ck_assert_uint_gt(world->appended - before, _i == 0 ? 1000 : 600);
    set_link(world, NULL);
    deliver_all(world, 4000);
    check_each_once(world);
    world->spec.batch_max_bytes = 65536;
    world_free(world);
}
END_TEST

/* A sink on this machine uses no link. */
START_TEST(a_local_sink_does_not_wait)
{
    struct world *world = world_new(25);

    hf_simnet_serve(world->node.net, "http://127.0.0.1:4318", handle, world);
    stop(world);
    world->sink_spec.url = "http://127.0.0.1:4318/x";
    world->way.closed = "LinkWindowClosed";
    start(world);
    append_many(world, HF_LANE_BULK, 1000);
    deliver_all(world, 30);
    ck_assert_uint_eq(world->live_bytes + world->backlog_bytes, 0);
    world_free(world);
}
END_TEST

/* An outlet that holds its backlog has no timer and no buffers: an idle node stays idle. */
START_TEST(a_held_backlog_costs_nothing)
{
    struct world *world = world_new(26);

    world->sink.mood = AWAY;
    append_many(world, HF_LANE_BULK, 500);
    run_s(world, 300);
    set_link(world, "LinkWindowClosed");
    run_s(world, 4000);
    ck_assert_uint_eq(hf_simloop_run_for(world->node.loop, 24 * 3600 * HF_NS_PER_S), 0);
    set_link(world, NULL);
    world->sink.mood = TAKES;
    deliver_all(world, 4000);
    world_free(world);
}
END_TEST

/* An outlet whose live events have left rests, too: a timer closes its connections, and then there is no other. */
START_TEST(an_outlet_rests_behind_a_held_backlog)
{
    struct world *world = world_new(29);

    world->sink.mood = AWAY;
    append_many(world, HF_LANE_BULK, 500);
    run_s(world, 300);
    set_link(world, "LinkWindowClosed");
    world->sink.mood = TAKES;
    run_s(world, 900);
    append_many(world, HF_LANE_BULK, 5);
    unsigned waited = 0;
    for (; arrived(world, 500, 505) < 5 && waited < 900; waited++)
        run_s(world, 1);
    ck_assert_uint_lt(waited, 60); /* the events are live still */
    run_s(world, 2);
    ck_assert_uint_gt(hf_simloop_run_for(world->node.loop, 60 * HF_NS_PER_S), 0);
    ck_assert_uint_eq(hf_simloop_run_for(world->node.loop, 24 * 3600 * HF_NS_PER_S), 0);
    set_link(world, NULL);
    deliver_all(world, 4000);
    check_each_once(world);
    world_free(world);
}
END_TEST

static void collect(void *arg, struct hf_view line)
{
    unsigned *found = arg;

    found[strtoul(strstr(line.p, "\"n\":") + 4, NULL, 10)]++;
}

START_TEST(what_was_stored_lately_is_known_again)
{
    static unsigned found[MAX_RECORDS];
    struct world *world = world_new(12);

    memset(found, 0, sizeof(found));
    append_many(world, HF_LANE_BULK, 300);
    append_many(world, HF_LANE_URGENT, 20);
    deliver_all(world, 100);
    crash(world, false, 0);
    ck_assert_int_eq(hf_outlet_recent(world->outlet, 1000, collect, found), 0);
    for (unsigned i = 0; i < 320; i++)
        ck_assert_msg(found[i] == 1, "%u: %u", i, found[i]);
    memset(found, 0, sizeof(found));
    ck_assert_int_eq(hf_outlet_recent(world->outlet, 50, collect, found), 0);
    ck_assert_uint_eq(found[249], 0);
    ck_assert_uint_eq(found[250], 1);
    ck_assert_uint_eq(found[319], 1);
    world_free(world);
}
END_TEST

/* With a small buffer and no sink, the oldest events go, and the outlet delivers their number. */
START_TEST(dropped_counts_are_delivered)
{
    struct world *world = world_new(13);

    world->spec.when_full = HF_WHEN_FULL_DROP_OLDEST;
    world->params.max_bytes = 3 << 20;
    restart_as(world, "dropping");
    world->sink.mood = STALLS;
    world->line_bytes = 2000;
    append_many(world, HF_LANE_BULK, 4000);
    run_s(world, 60);
    world->sink.mood = TAKES;
    deliver_all(world, 4000);
    unsigned lost = 0;
    for (unsigned i = 0; i < world->appended; i++) {
        lost += world->sink.seen[i] == 0;
        ck_assert_uint_le(world->sink.seen[i], 1);
    }
    ck_assert_uint_gt(lost, 1000);
    ck_assert_uint_eq(world->sink.seen[3999], 1);
    struct hf_metric_family *family =
        hf_metric_family(world->node.metrics, HF_METRIC_COUNTER, "holdfast_telemetry_dropped_events_total",
                         "Events dropped to make room for newer ones.", HF_LABELS("sink", "source", "severity"));
    ck_assert_uint_eq((uint64_t)hf_metric_value(hf_metric_with(family, HF_LABELS("dropping", "http", "info"))), lost);
    ck_assert_uint_eq(world->sink.told_dropped, lost);
    world->spec.batch_max_bytes = 65536; /* for the check of the largest body: our own events are longer than a line */
    world_free(world);
}
END_TEST

/* The disk loses a segment that waits. The outlet delivers the rest, and the number of the lost events. */
START_TEST(lost_counts_are_delivered)
{
    struct world *world = world_new(14);
    struct hf_metric_family *family =
        hf_metric_family(world->node.metrics, HF_METRIC_COUNTER, "holdfast_telemetry_lost_events_total",
                         "Events on disk that the disk lost before the sink had them.", HF_LABELS("sink"));

    world->params.max_bytes = 3 << 20;
    restart_as(world, "losing");
    world->sink.mood = STALLS;
    world->line_bytes = 2000;
    append_many(world, HF_LANE_BULK, 400);
    run_s(world, 60);
    hf_simfs_put(world->node.fs, "/data/losing/bulk/0000000000000001.seg", "", 0, 0600);
    if (_i == 1)
        crash(world, false, 0);
    world->sink.mood = TAKES;
    run_s(world, 3600);
    unsigned lost = 0;
    for (unsigned i = 0; i < world->appended; i++) {
        lost += world->sink.seen[i] == 0;
        ck_assert_uint_le(world->sink.seen[i], 1);
    }
    ck_assert(lost > 10 && lost < 390);
    world->sink.changed = 0; /* a batch that was tried before cannot be the same without them */
    ck_assert_uint_eq((uint64_t)hf_metric_value(hf_metric_with(family, HF_LABELS("losing"))), lost);
    ck_assert_uint_eq(world->sink.told_dropped, lost);
    world->spec.batch_max_bytes = 65536; /* for the check of the largest body: our own events are longer than a line */
    world_free(world);
}
END_TEST

/* The batch limit drops while batches of the old size may have arrived: those go again unchanged. */
START_TEST(a_lower_limit_is_for_new_batches)
{
    struct world *world = world_new((uint64_t)_i + 40);

    world->sink.mood = SWALLOWS;
    append_many(world, HF_LANE_BULK, 400);
    run_s(world, 3);
    world->spec.batch_max_bytes = 4096;
    crash(world, false, 0);
    append_many(world, HF_LANE_BULK, 100);
    world->sink.mood = TAKES;
    deliver_all(world, 4000);
    check_each_once(world);
    world->spec.batch_max_bytes = 16384; /* for the check of the largest body */
    world_free(world);
}
END_TEST

START_TEST(each_format_arrives)
{
    static const struct {
        enum hf_sink_format format;
        bool otlp_json;
        unsigned least_requests;
        const char *url;
    } rows[] = {{HF_SINK_NDJSON, false, 1, "https://sink/v1/"},
                {HF_SINK_OTLP, true, 2, "https://sink/v1/"},
                {HF_SINK_OTLP, false, 2, "https://sink"},
                {HF_SINK_OTLP, true, 2, "https://sink/v1/logs"},
                {HF_SINK_SEED, false, 100, "https://sink/v1/"}};
    struct world *world = world_new(14);

    world->sink_spec.format = rows[_i].format;
    world->sink_spec.otlp_json = rows[_i].otlp_json;
    world->sink_spec.url = rows[_i].url;
    world->spec.batch_max_bytes = 65536;
    setenv("HF_TEST_DEVICE_KEY", "secret-7", 1);
    world->params.device_key_ref = "env:HF_TEST_DEVICE_KEY";
    restart_as(world, "form");
    append_events(world, 50, 50);
    deliver_all(world, 300);
    ck_assert_uint_ge(world->sink.requests, rows[_i].least_requests);
    for (unsigned i = 0; i < 100; i++)
        ck_assert_msg(world->sink.seen[i] == 1, "record %u: %u", i, world->sink.seen[i]);
    ck_assert_uint_eq(world->sink.device_keys, rows[_i].format == HF_SINK_SEED ? world->sink.requests : 0);
    if (rows[_i].format == HF_SINK_OTLP) {
        ck_assert_uint_gt(world->sink.parts[0], 0);
        ck_assert_uint_gt(world->sink.parts[1], 0);
        ck_assert_uint_eq(world->sink.parts[0] + world->sink.parts[1], world->sink.requests);
    }
    world_free(world);
}
END_TEST

/* Somebody writes the file in place: for a moment it is empty. The requests go on with the old key. */
START_TEST(a_device_key_stays_until_the_next_one_is_good)
{
    struct world *world = world_new(15);

    world->sink_spec.format = HF_SINK_SEED;
    world->spec.batch_max_bytes = 65536;
    hf_simfs_put(world->node.fs, "/key", "secret-7\n", 9, 0600);
    world->params.device_key_ref = "/key";
    restart_as(world, "form");
    append_events(world, 5, 5);
    deliver_all(world, 300);
    hf_simfs_put(world->node.fs, "/key", "", 0, 0600);
    run_s(world, 20);
    append_events(world, 5, 5);
    deliver_all(world, 300);
    ck_assert_uint_gt(world->sink.requests, 10);
    ck_assert_uint_eq(world->sink.device_keys, world->sink.requests);
    world_free(world);
}
END_TEST

/* Appends an event with a text of n bytes; control characters take six bytes each in a line, and one in a request of
 * OTLP. */
static void append_text(struct world *world, size_t n, char fill)
{
    _cleanup_(hf_buf_done) struct hf_buf line = HF_BUF_INIT(HF_EVENT_MAX_TEXT);
    char text[1024];
    int used = snprintf(text, sizeof(text), "number-%u!", world->appended), r;
    const struct hf_event event = {
        .kind = HF_EVENT_LOG, .unix_ns = HF_SIM_UNIX_START, .source = HF_VIEW("test"), .body = {text, n}};

    memset(text + used, fill, n - (size_t)used);
    ck_assert_int_eq(hf_event_format(&event, "node-1", &line), 0);
    while ((r = hf_outlet_append(world->outlet, HF_LANE_BULK, hf_shares_agent(), 0, hf_buf_view(&line), NULL)) ==
           -EAGAIN)
        (void)hf_simloop_run_for(world->node.loop, HF_NS_PER_MS);
    ck_assert_int_eq(r, 0);
    world->appended++;
}

static void check_each_came(const struct world *world)
{
    for (unsigned i = 0; i < world->appended; i++)
        ck_assert_msg(world->sink.seen[i] == 1, "record %u: %u times", i, world->sink.seen[i]);
}

/* A batch may hold more lines than one read: those that an earlier batch left, and a read. Sent again, it holds all of
 * them again. */
START_TEST(a_batch_of_two_reads_goes_again_in_whole)
{
    struct world *world = world_new(99);

    world->sink_spec.format = HF_SINK_OTLP;
    world->spec.batch_max_bytes = HF_FORMAT_MAX_BODY;
    restart_as(world, "form");
    world->sink.mood = FAILS;
    world->sink.status = 503;
    for (unsigned i = 0; i < 980; i++)
        append_text(world, 1000, i < 580 ? 'x' : 1);
    run_s(world, 30);
    world->sink.mood = TAKES;
    deliver_all(world, 4000);
    check_each_came(world);
    world_free(world);
}
END_TEST

/* The border file of another version plans a batch of more records than one load takes: the rest is sent, too. */
START_TEST(a_batch_too_large_for_a_load_is_split)
{
    static const char path[] = "/data/form/bulk/borders";
    struct world *world = world_new(98);
    struct hf_border_file file;
    struct hf_borders borders;

    world->sink_spec.format = HF_SINK_OTLP;
    world->spec.batch_max_bytes = HF_FORMAT_MAX_BODY;
    restart_as(world, "form");
    world->sink.mood = AWAY;
    for (unsigned i = 0; i < 5000; i++)
        append_text(world, 12, 'x');
    run_s(world, 30);
    stop(world);
    ck_assert_int_eq(hf_border_file_open(hf_simfs_ops(world->node.fs), path, true, &file, &borders, NULL), 0);
    ck_assert_uint_gt(borders.n, 0);
    borders.n = 1;
    borders.items[0] = (struct hf_border){.first = 1, .last = 5000};
    ck_assert_int_eq(hf_border_file_save(&file, &borders, NULL), 0);
    hf_border_file_close(&file);
    world->sink.mood = TAKES;
    start(world);
    deliver_all(world, 4000);
    check_each_came(world);
    world_free(world);
}
END_TEST

START_TEST(bandwidth_is_kept)
{
    struct world *world = world_new(15);

    world->spec.compression = HF_COMPRESS_NONE;
    world->sink_spec.bandwidth_limit = 4096;
    restart_as(world, "slow");
    append_many(world, HF_LANE_BULK, 600); /* 150 kB: 37 s */
    run_s(world, 20);
    ck_assert_uint_lt(world->sink.n_order, 450);
    ck_assert_uint_gt(world->sink.n_order, 150);
    deliver_all(world, 60);
    check_each_once(world);
    world_free(world);
}
END_TEST

/* The window is 09:00 to 10:00; it is 08:00. */
START_TEST(nothing_goes_outside_its_window)
{
    struct hf_window window = {.days = 0x7f, .start_s = 9 * 3600, .duration_ns = 3600 * HF_NS_PER_S};
    struct world *world = world_new(16);

    world->sink_spec.windows = &window;
    world->sink_spec.n_windows = 1;
    restart_as(world, "windowed");
    append_many(world, HF_LANE_URGENT, 100);
    run_s(world, 3500);
    ck_assert_uint_eq(world->sink.requests, 0);
    run_s(world, 200);
    check_each_once(world);
    ck_assert_uint_gt(world->sink.requests, 0);
    world_free(world);
}
END_TEST

/* Somebody removes the border file: the border of the next batch is still on disk before the batch goes. */
START_TEST(borders_are_made_again)
{
    struct world *world = world_new(17);

    append_many(world, HF_LANE_BULK, 200);
    deliver_all(world, 100);
    hf_simfs_delete(world->node.fs, "/data/default/bulk/borders");
    world->sink.mood = LOSES_ANSWERS;
    append_many(world, HF_LANE_BULK, 300);
    run_s(world, 12);
    crash(world, true, 3);
    world->sink.mood = TAKES;
    deliver_all(world, 4000);
    check_each_once(world);
    world_free(world);
}
END_TEST

/* True also on a machine without promtool. */
static bool promtool_accepts(const struct hf_buf *text)
{
    int ends[2], status;

    ck_assert_int_eq(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)dup2(ends[0], STDIN_FILENO);
        (void)close(ends[1]);
        (void)execlp("promtool", "promtool", "check", "metrics", (char *)NULL);
        _exit(127);
    }
    (void)close(ends[0]);
    ck_assert_int_eq(write(ends[1], text->p, text->n), (ssize_t)text->n);
    (void)close(ends[1]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 127);
}

START_TEST(metrics_can_be_read)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_METRICS_MAX_TEXT);
    struct world *world = world_new(18);

    world->sink.mood = POISON;
    world->sink.poison = 3;
    append_many(world, HF_LANE_BULK, 100);
    append_many(world, HF_LANE_URGENT, 10);
    deliver_all(world, 300);
    ck_assert_int_eq(hf_metrics_format(world->node.metrics, &text), 0);
    static const char *const wanted[] = {
        "holdfast_telemetry_delivered_events_total{sink=\"default\"} 109",
        "holdfast_telemetry_dead_letter_events_total{sink=\"default\",reason=\"http_422\"} 1",
        "holdfast_telemetry_attempts_total{sink=\"default\",reason=\"delivered\"} ",
        "holdfast_telemetry_attempts_total{sink=\"default\",reason=\"http_422\"} ",
        "holdfast_telemetry_breaker_state{sink=\"default\"} 0",
        "holdfast_telemetry_queue_events{sink=\"default\",lane=\"bulk\"} 0",
        "holdfast_telemetry_queue_oldest_timestamp_seconds{sink=\"default\"} 0",
        "holdfast_telemetry_sync_seconds_bucket{sink=\"default\",lane=\"bulk\",le=\"0.001\"} ",
    };
    for (size_t i = 0; i < HF_LEN(wanted); i++)
        ck_assert_msg(strstr(text.p, wanted[i]) != NULL, "%s is not in\n%s", wanted[i], text.p);
    ck_assert_msg(promtool_accepts(&text), "promtool refuses\n%s", text.p);
    world_free(world);
}
END_TEST

static void note_gone(void *arg)
{
    *(bool *)arg = true;
}

/* A row of outlets over the same folder, each ended in the middle of its work: never two at once, no event lost or
 * duplicated. */
START_TEST(one_after_the_other)
{
    struct world *world = world_new((uint64_t)_i + 20);

    hf_simproc_set_job_delay(world->node.proc, 20 * HF_NS_PER_MS);
    world->sink.mood = LOSES_ANSWERS;
    for (unsigned life = 0; life < 30; life++) {
        bool gone = false;
        append_many(world, HF_LANE_BULK, 70);
        while (world->acked < world->appended)
            (void)hf_simloop_run_for(world->node.loop, HF_NS_PER_MS);
        (void)hf_simloop_run_for(world->node.loop, hf_simloop_below(world->node.loop, 60 * HF_NS_PER_MS));
        hf_outlet_end(world->outlet, note_gone, &gone);
        for (unsigned i = 0; !gone && i < 1000; i++)
            (void)hf_simloop_run_for(world->node.loop, HF_NS_PER_MS);
        ck_assert(gone);
        ck_assert_uint_eq(hf_simproc_jobs(world->node.proc), 0);
        ck_assert_int_eq(hf_outlet_new(&world->params, &world->outlet, NULL), 0);
    }
    world->sink.mood = TAKES;
    deliver_all(world, 4000);
    check_each_once(world);
    world_free(world);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, delivers_in_full_batches, 0, 3);
    tcase_add_test(tc, waits_for_a_batch_to_fill_but_not_long);
    tcase_add_loop_test(tc, survives_crashes, 0, 16);
    tcase_add_test(tc, survives_a_stop_at_any_call);
    tcase_add_test(tc, goes_on_after_a_failed_call);
    tcase_add_test(tc, retries_with_jitter_then_defers);
    tcase_add_test(tc, obeys_retry_after);
    tcase_add_test(tc, breaker_opens_and_the_newest_goes_first);
    tcase_add_test(tc, breaker_is_told_once_each_way);
    tcase_add_test(tc, one_poison_record_takes_nobody_along);
    tcase_add_loop_test(tc, a_sink_that_leaves_the_boundary_gets_no_more_of_it, 0, 5);
    tcase_add_test(tc, a_dead_letter_that_cannot_be_written_waits);
    tcase_add_loop_test(tc, a_dead_letter_waits_for_an_unreadable_disk, 0, 2);
    tcase_add_test(tc, refused_batches_without_dead_letters_cost_little);
    tcase_add_test(tc, what_the_sink_always_fails_on);
    tcase_add_loop_test(tc, what_breaks_connections_holds_nobody_up, 0, 4);
    tcase_add_loop_test(tc, what_breaks_connections_is_put_aside, 0, 4);
    tcase_add_test(tc, a_bad_link_blames_no_record);
    tcase_add_test(tc, too_large_is_halved);
    tcase_add_test(tc, refusing_everything_is_the_sinks_fault);
    tcase_add_loop_test(tc, wrong_answers_lose_nothing, 0, 9);
    tcase_add_test(tc, full_says_so_and_goes_on);
    tcase_add_test(tc, no_budget_to_write);
    tcase_add_test(tc, a_closed_link_holds_the_backlog_alone);
    tcase_add_test(tc, a_closed_link_holds_what_an_earlier_process_stored);
    tcase_add_test(tc, live_events_have_a_share);
    tcase_add_loop_test(tc, live_events_go_on_after_an_outage, 0, 3);
    tcase_add_test(tc, a_link_that_closes_holds_ready_bodies);
    tcase_add_test(tc, a_held_backlog_keeps_the_bounds_of_the_spool);
    tcase_add_loop_test(tc, a_held_backlog_does_not_block_the_sources, 0, 2);
    tcase_add_test(tc, a_local_sink_does_not_wait);
    tcase_add_test(tc, a_held_backlog_costs_nothing);
    tcase_add_test(tc, an_outlet_rests_behind_a_held_backlog);
    tcase_add_test(tc, what_was_stored_lately_is_known_again);
    tcase_add_test(tc, dropped_counts_are_delivered);
    tcase_add_loop_test(tc, lost_counts_are_delivered, 0, 2);
    tcase_add_loop_test(tc, a_lower_limit_is_for_new_batches, 0, 4);
    tcase_add_test(tc, a_device_key_stays_until_the_next_one_is_good);
    tcase_add_loop_test(tc, each_format_arrives, 0, 5);
    tcase_add_test(tc, a_batch_of_two_reads_goes_again_in_whole);
    tcase_add_test(tc, a_batch_too_large_for_a_load_is_split);
    tcase_add_test(tc, bandwidth_is_kept);
    tcase_add_test(tc, nothing_goes_outside_its_window);
    tcase_add_test(tc, borders_are_made_again);
    tcase_add_test(tc, metrics_can_be_read);
    tcase_add_loop_test(tc, one_after_the_other, 0, 4);
}

HF_TEST_MAIN("telemetry/outlet", cases)
