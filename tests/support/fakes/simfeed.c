/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fakes/simfeed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/sha256.h"
#include "spool/segment.h"
#include "telemetry/sink/fanout.h"

enum { SINKS = 2, MAX_EVENTS = 4096, MAX_KEYS = 8192, WAITING = 6, IDS = 4096 };

/* How a sink answers a request. */
enum mood { TAKES, FAILS, LOSES_ANSWER, STALLS };

struct event {
    struct hf_receipt receipt;
    struct hf_simfeed *feed;
    bool offered; /* the receipt is open */
    bool acknowledged;
};

struct key {
    char text[160];
    char hash[HF_SHA256_HEX]; /* of the body */
    bool taken;
};

struct sink {
    struct hf_simfeed *feed;
    const char *name;
    unsigned bad; /* number of the next requests that it does not simply take */
    struct key keys[MAX_KEYS];
    size_t n_keys;
    bool has[MAX_EVENTS];
    uint64_t sequences[MAX_EVENTS]; /* of the event in the node's spool, if the batch had no gap before it */
    bool forgotten[MAX_EVENTS];     /* the node may send the event once more */
};

struct hf_simfeed {
    struct hf_simloop *loop;
    struct hf_telemetry_sink specs[SINKS];
    struct hf_telemetry spec;
    struct sink sinks[SINKS];
    struct event events[MAX_EVENTS];
    unsigned n, first; /* events so far; all before `first` are acknowledged */
    bool stopped, ticking;
    unsigned full_lives; /* how many of the next lives may begin after one on a full disk */
    char fault[256];
    /* one life */
    struct hf_telemetry_env env;
    struct hf_ids *ids;
    struct hf_fanout *fanout;
};

static void fail(struct hf_simfeed *feed, const char *format, ...) HF_PRINTF(2, 3);
static void fail(struct hf_simfeed *feed, const char *format, ...)
{
    va_list args;

    if (feed->fault[0] != '\0')
        return;
    va_start(args, format);
    (void)vsnprintf(feed->fault, sizeof(feed->fault), format, args);
    va_end(args);
}

/* ---- the sinks --------------------------------------------------------------------------------------------------- */

static struct key *key_of(struct sink *sink, const char *text)
{
    for (size_t i = sink->n_keys; i-- > 0;) /* a repeated one is mostly new */
        if (strcmp(sink->keys[i].text, text) == 0)
            return &sink->keys[i];
    if (sink->n_keys == MAX_KEYS)
        abort();
    struct key *key = &sink->keys[sink->n_keys++];
    *key = (struct key){.taken = false};
    (void)snprintf(key->text, sizeof(key->text), "%s", text);
    return key;
}

static void take(struct sink *sink, struct key *key, struct hf_view body)
{
    static const char mark[] = "\"id\":\"event-";
    const size_t n = sizeof(mark) - 1;
    const char *range = strrchr(key->text, '/'); /* "/<first>-<last>" */
    uint64_t sequence = range != NULL ? strtoull(range + 1, NULL, 10) : 0;

    if (key->taken)
        return;
    key->taken = true;
    for (const char *at = body.p; (at = memmem(at, body.n - (size_t)(at - body.p), mark, n)) != NULL; at += n) {
        unsigned long number = strtoul(at + n, NULL, 10);
        if (number >= sink->feed->n) {
            fail(sink->feed, "sink %s got event %lu, which nobody offered", sink->name, number);
            return;
        }
        if (sink->has[number] && !sink->forgotten[number])
            fail(sink->feed, "sink %s got event %lu twice, now under %s", sink->name, number, key->text);
        sink->has[number] = true;
        sink->forgotten[number] = false;
        sink->sequences[number] = sequence++;
    }
}

static void serve(void *arg, struct hf_simcall *call)
{
    struct sink *sink = arg;
    struct hf_view body = hf_simcall_body(call);
    struct key *key = key_of(sink, hf_simcall_header(call, "Idempotency-Key"));
    enum mood mood = sink->bad > 0 ? (enum mood)hf_simloop_below(sink->feed->loop, 4) : TAKES;
    char hash[HF_SHA256_HEX];

    sink->bad -= sink->bad > 0;
    (void)hf_sha256_hex(body.p, body.n, hash);
    if (key->hash[0] != '\0' && strcmp(key->hash, hash) != 0)
        fail(sink->feed, "sink %s got other bytes under %s", sink->name, key->text);
    memcpy(key->hash, hash, sizeof(hash));
    if (mood == TAKES || mood == LOSES_ANSWER)
        take(sink, key, body);
    if (mood == TAKES)
        hf_simcall_reply(call, 200, "", "");
    else if (mood == FAILS)
        hf_simcall_reply(call, 503, "text/plain", "busy");
    else
        hf_simcall_fail(call, mood == LOSES_ANSWER ? -EPIPE : -ETIMEDOUT);
}

/* ---- the device -------------------------------------------------------------------------------------------------- */

static void settled(struct hf_receipt *receipt)
{
    struct event *event = hf_container_of(receipt, struct event, receipt);

    event->offered = false;
    event->acknowledged = receipt->r == 0;
}

static bool is_urgent(unsigned number)
{
    return number % 7 == 3;
}

static void offer(struct hf_simfeed *feed, unsigned number)
{
    struct event *one = &feed->events[number];
    char id[32], body[400];
    size_t n = 50 + number * 37 % 300;

    memset(body, 'a' + (int)(number % 26), sizeof(body));
    struct hf_event event = {.kind = HF_EVENT_LOG,
                             .source_class = HF_SOURCE_HTTP,
                             .severity = is_urgent(number) ? HF_SEVERITY_ERROR : HF_SEVERITY_INFO,
                             .unix_ns = HF_SIM_UNIX_START + number,
                             .source = HF_VIEW("device"),
                             .id = {id, (size_t)snprintf(id, sizeof(id), "event-%u", number)},
                             .body = {body, n}};
    one->receipt = (struct hf_receipt){.settled = settled};
    one->offered = true;
    hf_receipt_hold(&one->receipt);
    if (hf_fanout_store(feed->fanout, &event, (1u << SINKS) - 1, &one->receipt) >= 0)
        hf_receipt_release(&one->receipt, 0);
    else
        one->offered = false;
}

/* Offers again what has failed, and at times something new. */
static void tick(void *arg)
{
    struct hf_simfeed *feed = arg;

    while (feed->first < feed->n && feed->events[feed->first].acknowledged)
        feed->first++;
    if (feed->n < MAX_EVENTS && feed->n < feed->first + WAITING && !feed->stopped &&
        hf_simloop_below(feed->loop, 2) == 0)
        feed->events[feed->n++] = (struct event){.feed = feed};
    for (unsigned i = feed->first; feed->fanout != NULL && i < feed->n; i++)
        if (!feed->events[i].offered && !feed->events[i].acknowledged)
            offer(feed, i);
    hf_simloop_post(feed->loop, HF_NS_PER_S / 2 + hf_simloop_below(feed->loop, 3 * HF_NS_PER_S), tick, feed);
}

/* ---- lives ------------------------------------------------------------------------------------------------------- */

struct hf_simfeed *hf_simfeed_new(struct hf_simloop *loop, struct hf_simnet *net)
{
    static const char *const names[SINKS] = {"one", "two"}, *const urls[SINKS] = {"https://one/v1", "https://two/v1"};
    struct hf_simfeed *feed = calloc(1, sizeof(*feed));

    if (feed == NULL)
        abort();
    feed->loop = loop;
    for (size_t i = 0; i < SINKS; i++) {
        feed->specs[i] = (struct hf_telemetry_sink){.name = names[i], .url = urls[i], .format = HF_SINK_JSON};
        feed->sinks[i].feed = feed;
        feed->sinks[i].name = names[i];
        hf_simnet_serve(net, urls[i], serve, &feed->sinks[i]);
    }
    feed->spec = (struct hf_telemetry){.sinks = feed->specs,
                                       .n_sinks = SINKS,
                                       .buffer_max_bytes = 4 << 20,
                                       .batch_max_bytes = 65536,
                                       .batch_timeout_ns = 2 * HF_NS_PER_S,
                                       .compression = HF_COMPRESS_NONE,
                                       .max_attempts = 3,
                                       .retry_base_ns = HF_NS_PER_S,
                                       .max_duration_ns = 30 * HF_NS_PER_S};
    return feed;
}

void hf_simfeed_free(struct hf_simfeed *feed)
{
    free(feed);
}

static void note_segment(void *arg, const char *path, const struct stat *st)
{
    uint64_t *oldest = arg, first = hf_spool_segment_of_name(strrchr(path, '/') + 1);

    (void)st;
    if (first != 0)
        *oldest = HF_MIN(*oldest, first);
}

/* True if the node has given up the segment in which it kept this event after its delivery. */
static bool has_lost_id(struct hf_simfs *fs, const struct sink *sink, unsigned number)
{
    uint64_t oldest = UINT64_MAX;
    char dir[100];

    (void)snprintf(dir, sizeof(dir), "%s/%s/%s", HF_SIMFEED_DIR, sink->name, is_urgent(number) ? "urgent" : "bulk");
    hf_simfs_walk(fs, dir, note_segment, &oldest);
    return oldest > sink->sequences[number];
}

/* One sink has an event, and another has no room for it, so nobody acknowledges it. If the disk is full, the first
 * one's spool may give up the delivered segment with the event. The next process does not know then that this sink has
 * it. */
static void note_lost_ids(struct hf_simfeed *feed, struct hf_simfs *fs)
{
    if (feed->full_lives == 0)
        return;
    feed->full_lives--;
    for (unsigned i = feed->first; i < feed->n; i++)
        for (size_t k = 0; k < SINKS && !feed->events[i].acknowledged; k++)
            if (feed->sinks[k].has[i] && has_lost_id(fs, &feed->sinks[k], i))
                feed->sinks[k].forgotten[i] = true;
}

static void nothing(void *arg)
{
    (void)arg;
}

void hf_simfeed_begin(struct hf_simfeed *feed, struct hf_simnode *node)
{
    feed->env = (struct hf_telemetry_env){.fs = hf_simfs_ops(node->fs),
                                          .clock = hf_home_clock(&node->home),
                                          .sched = hf_simproc_sched(node->proc),
                                          .rand = hf_simproc_rand(node->proc),
                                          .log = node->log,
                                          .metrics = node->metrics,
                                          .node = node->params.name,
                                          .dir = HF_SIMFEED_DIR};
    feed->ids = hf_ids_new(IDS, feed->env.rand);
    const struct hf_fanout_params params = {.env = &feed->env,
                                            .http = hf_simclient_ops(node->file_client),
                                            .ids = feed->ids,
                                            .room = nothing,
                                            .idle = nothing,
                                            .arg = feed};
    note_lost_ids(feed, node->fs);
    feed->fanout = feed->ids != NULL ? hf_fanout_new(&params) : NULL;
    if (feed->fanout == NULL)
        abort();
    hf_fanout_open(feed->fanout, &feed->spec, 0);
    if (!feed->ticking)
        hf_simloop_post(feed->loop, HF_NS_PER_S, tick, feed);
    feed->ticking = true;
}

void hf_simfeed_end(struct hf_simfeed *feed)
{
    if (feed->fanout == NULL)
        return;
    hf_fanout_free(feed->fanout);
    hf_ids_free(feed->ids);
    feed->fanout = NULL;
    feed->ids = NULL;
    for (unsigned i = feed->first; i < feed->n; i++)
        feed->events[i].offered = false;
}

void hf_simfeed_note_full_disk(struct hf_simfeed *feed)
{
    feed->full_lives = 2; /* the disk may only be full in the next one */
}

void hf_simfeed_disturb(struct hf_simfeed *feed)
{
    feed->sinks[hf_simloop_below(feed->loop, SINKS)].bad = 1 + (unsigned)hf_simloop_below(feed->loop, 6);
}

void hf_simfeed_heal(struct hf_simfeed *feed)
{
    for (size_t i = 0; i < SINKS; i++)
        feed->sinks[i].bad = 0;
}

void hf_simfeed_stop(struct hf_simfeed *feed)
{
    feed->stopped = true;
}

const char *hf_simfeed_fault(const struct hf_simfeed *feed)
{
    return feed->fault[0] != '\0' ? feed->fault : NULL;
}

bool hf_simfeed_is_drained(const struct hf_simfeed *feed)
{
    for (unsigned i = 0; i < feed->n; i++)
        for (size_t k = 0; k < SINKS; k++)
            if (!feed->events[i].acknowledged || !feed->sinks[k].has[i])
                return false;
    return true;
}

void hf_simfeed_describe(const struct hf_simfeed *feed, char *text, size_t n)
{
    size_t at = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < feed->n && at < n; i++)
        if (!feed->events[i].acknowledged || !feed->sinks[0].has[i] || !feed->sinks[1].has[i])
            at += (size_t)snprintf(text + at, n - at, " %u (%s%s%s)", i,
                                   feed->events[i].acknowledged ? "acknowledged" : "not acknowledged",
                                   feed->sinks[0].has[i] ? ", at one" : "", feed->sinks[1].has[i] ? ", at two" : "");
}

unsigned hf_simfeed_events(const struct hf_simfeed *feed, unsigned *ret_acknowledged)
{
    *ret_acknowledged = 0;
    for (unsigned i = 0; i < feed->n; i++)
        *ret_acknowledged += feed->events[i].acknowledged;
    return feed->n;
}
