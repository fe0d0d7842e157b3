/* SPDX-License-Identifier: Apache-2.0 */
/* The source `mqtt`: messages that sensors publish at an MQTT broker.
 *
 * Uses QoS 1 and a session that the broker keeps, and acknowledges a message when it is on disk. The broker sends
 * unacknowledged messages again after a reconnect. While this process runs, packet id and content identify a repeated
 * message; after a crash only an `id` in the payload does.
 *
 * For a payload that POST /ingest accepts the result is the same as there; other JSON becomes a payload as it is,
 * except null and a payload with a wrong checksum; anything else becomes a log line. The broker sends a retained
 * message again at each connection, so the id of such a message follows from its topic and payload. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "codec/scan.h"
#include "loop/connection.h"
#include "os/secret_ref.h"
#include "telemetry/source/ingest_parse.h"
#include "telemetry/source/mqtt.h"
#include "telemetry/source/source_common.h"

enum {
    KEEPALIVE_S = 30,
    MAX_OPEN = 256, /* messages without an acknowledgement */
    /* acknowledged messages to remember: the acknowledgement may have been lost */
    MAX_RECENT = 256,
    MAX_SECRET = 1024,
    RETRY_MAX_S = 60,
};

struct message {
    struct hf_list link;
    struct hf_receipt receipt;
    struct mqtt *mqtt; /* NULL: freed */
    uint16_t id;
    uint64_t hash;
    size_t offered; /* number of its events offered before the room ended */
};

/* A message that was acknowledged, for as long as the broker may not have heard that. */
struct recent_message {
    uint16_t id; /* 0: free */
    uint64_t hash;
    /* the answer to this ping shows that the broker has heard the acknowledgement; 0: the connection broke before */
    uint64_t ping;
};

struct mqtt {
    struct hf_source source;
    const struct hf_telemetry_env *env;
    const struct hf_intake *intake;
    char *host, *username_ref, *password_ref;
    uint16_t port;
    bool tls;
    struct hf_source_names topics;
    struct hf_connection *stream;
    bool subscribed;
    struct hf_buf in;
    uint64_t skip;       /* bytes of a too long packet still to skip */
    struct hf_list open; /* messages */
    size_t n_open;
    /* the message at the start of `in`, which waits for room */
    struct message *half;
    struct recent_message recent[MAX_RECENT];
    size_t next_recent;
    uint64_t pings, pongs; /* on this connection */
    bool paused, working, not_stored;
    uint64_t sent_ns, heard_ns; /* monotonic */
    unsigned failures;
    struct hf_timer *timer;
    struct hf_metric *messages;
    struct hf_metric_family *refused;
    struct hf_metric *connected;
};

static void connect_now(struct mqtt *mqtt);
static void work(struct mqtt *mqtt);

static void arm(struct mqtt *mqtt, uint64_t delay_ns)
{
    hf_timer_arm(mqtt->env->sched, mqtt->timer, delay_ns);
}

/* ---- the connection ---------------------------------------------------------------------------------------------- */

/* Drops the message that waits for room; without an acknowledgement the broker sends it again. */
static void drop_half(struct mqtt *mqtt)
{
    struct message *message = hf_steal(mqtt->half);

    if (message == NULL)
        return;
    message->id = 0;
    hf_receipt_release(&message->receipt, 0);
}

static void lose(struct mqtt *mqtt, const char *why)
{
    uint64_t most_ns = HF_MIN((uint64_t)1 << HF_MIN(mqtt->failures, 10u), (uint64_t)RETRY_MAX_S) * HF_NS_PER_S;

    if (mqtt->failures++ == 0 || mqtt->failures % 64 == 0)
        hf_log(mqtt->env->log, HF_LOG_WARNING, "telemetry.mqtt_lost", HF_S("host", mqtt->host), HF_S("error", why));
    hf_connection_close(hf_steal(mqtt->stream));
    mqtt->subscribed = false;
    drop_half(mqtt);
    mqtt->skip = 0;
    mqtt->pings = mqtt->pongs = 0;
    for (size_t i = 0; i < MAX_RECENT; i++)
        mqtt->recent[i].ping = 0;
    mqtt->paused = false;
    hf_buf_done(&mqtt->in);
    hf_metric_set(mqtt->connected, 0);
    arm(mqtt, most_ns / 2 + hf_rand_below(mqtt->env->rand, most_ns / 2 + 1));
}

static void send_packet(struct mqtt *mqtt, struct hf_buf *packet, int r)
{
    if (r == 0)
        r = hf_connection_send(mqtt->stream, packet->p, packet->n);
    mqtt->sent_ns = hf_mono_ns(mqtt->env->clock);
    /* The peer does not read; the timer will notice that it is silent. */
    if (r < 0)
        hf_log(mqtt->env->log, HF_LOG_WARNING, "telemetry.mqtt_not_sent", HF_D("errno", -r));
}

static void acknowledge(struct mqtt *mqtt, uint16_t id, uint64_t hash)
{
    _cleanup_(hf_buf_done) struct hf_buf packet = HF_BUF_INIT(16);
    bool sends = mqtt->stream != NULL && mqtt->subscribed;

    for (size_t i = 0; i < MAX_RECENT; i++)
        if (mqtt->recent[i].id == id)
            mqtt->recent[i].id = 0;
    mqtt->recent[mqtt->next_recent++ % MAX_RECENT] =
        (struct recent_message){.id = id, .hash = hash, .ping = sends ? mqtt->pings + 1 : 0};
    if (sends)
        send_packet(mqtt, &packet, hf_mqtt_add_puback(&packet, id));
}

/* The broker has heard everything that was sent before the ping. It uses the packet ids of acknowledged messages for
 * others, which may have the same content. */
static void take_pong(struct mqtt *mqtt)
{
    mqtt->pongs++;
    for (size_t i = 0; i < MAX_RECENT; i++)
        if (mqtt->recent[i].ping != 0 && mqtt->recent[i].ping <= mqtt->pongs)
            mqtt->recent[i].id = 0;
}

/* Returns the text of "file:/path" or "env:NAME"; NULL: no reference. -errno if it cannot be read. */
static int read_secret(const struct mqtt *mqtt, const char *ref, char text[MAX_SECRET], const char **ret)
{
    *ret = NULL;
    if (ref == NULL)
        return 0;
    struct hf_secret_ref parsed;
    int r = hf_secret_ref_parse(ref, &parsed);
    if (r < 0)
        return r;
    _cleanup_(hf_buf_wipe) struct hf_buf secret = HF_BUF_INIT(MAX_SECRET - 1);
    r = hf_secret_ref_read(&parsed, mqtt->env->fs, &secret, NULL);
    if (r < 0)
        return r;
    (void)snprintf(text, MAX_SECRET, "%s", hf_buf_str(&secret));
    *ret = text;
    return 0;
}

static void on_opened(void *arg)
{
    struct mqtt *mqtt = arg;
    _cleanup_(hf_buf_done) struct hf_buf packet = HF_BUF_INIT(4 * MAX_SECRET);
    char client_id[128], username[MAX_SECRET], password[MAX_SECRET];
    struct hf_mqtt_connect connect = {.client_id = client_id, .keepalive_s = KEEPALIVE_S};

    (void)snprintf(client_id, sizeof(client_id), "holdfast-%.100s", mqtt->env->node);
    if (read_secret(mqtt, mqtt->username_ref, username, &connect.username) < 0 ||
        read_secret(mqtt, mqtt->password_ref, password, &connect.password) < 0) {
        lose(mqtt, "cannot read the user name or the password");
        return;
    }
    mqtt->heard_ns = hf_mono_ns(mqtt->env->clock);
    send_packet(mqtt, &packet, hf_mqtt_add_connect(&packet, &connect));
    explicit_bzero(password, sizeof(password));
    if (packet.p != NULL)
        explicit_bzero(packet.p, packet.cap);
    arm(mqtt, KEEPALIVE_S / 2 * HF_NS_PER_S);
}

static void on_received(void *arg, const void *bytes, size_t n)
{
    struct mqtt *mqtt = arg;
    size_t skipped = (size_t)HF_MIN(mqtt->skip, (uint64_t)n);

    mqtt->heard_ns = hf_mono_ns(mqtt->env->clock);
    mqtt->skip -= skipped;
    if (hf_buf_add(&mqtt->in, (const char *)bytes + skipped, n - skipped) < 0) {
        lose(mqtt, "the broker sent a message that exceeds the buffer");
        return;
    }
    work(mqtt);
}

static void on_closed(void *arg, HF_UNUSED int r, const struct hf_err *err)
{
    lose(arg, err->cause);
}

static void connect_now(struct mqtt *mqtt)
{
    const struct hf_connection_params params = {.host = mqtt->host,
                                                .port = mqtt->port,
                                                .tls = mqtt->tls,
                                                .opened = on_opened,
                                                .received = on_received,
                                                .closed = on_closed,
                                                .arg = mqtt};
    struct hf_err err = HF_ERR_INIT;

    if (hf_connection_open(mqtt->env->loop, &params, &mqtt->stream, &err) < 0)
        lose(mqtt, err.cause);
}

static void on_timer(void *arg)
{
    struct mqtt *mqtt = arg;
    uint64_t now_ns = hf_mono_ns(mqtt->env->clock);
    _cleanup_(hf_buf_done) struct hf_buf packet = HF_BUF_INIT(16);

    if (mqtt->stream == NULL) {
        connect_now(mqtt);
        return;
    }
    if (mqtt->not_stored) {
        mqtt->not_stored = false;
        lose(mqtt, "storing a message failed");
        return;
    }
    if (mqtt->paused)
        work(mqtt);
    if (mqtt->stream == NULL)
        return;
    /* A paused connection is always silent. */
    if (!mqtt->paused && now_ns - mqtt->heard_ns > 2 * KEEPALIVE_S * HF_NS_PER_S) {
        lose(mqtt, "the broker is silent");
        return;
    }
    if (mqtt->subscribed && now_ns - mqtt->sent_ns >= KEEPALIVE_S / 2 * HF_NS_PER_S) {
        mqtt->pings++;
        send_packet(mqtt, &packet, hf_mqtt_add_ping(&packet));
    }
    arm(mqtt, KEEPALIVE_S / 3 * HF_NS_PER_S);
}

/* ---- messages ---------------------------------------------------------------------------------------------------- */

/* Storing failed: reconnects, so that the broker sends the message again. */
static void give_up(struct mqtt *mqtt)
{
    mqtt->not_stored = true;
    arm(mqtt, HF_NS_PER_S);
}

static void settled(struct hf_receipt *receipt)
{
    struct message *message = hf_container_of(receipt, struct message, receipt);
    struct mqtt *mqtt = message->mqtt;

    if (mqtt != NULL) {
        hf_list_remove(&message->link);
        mqtt->n_open--;
        if (message->id != 0 && receipt->r == 0)
            acknowledge(mqtt, message->id, message->hash);
        else if (receipt->r < 0 && mqtt->stream != NULL)
            give_up(mqtt);
        if (mqtt->paused && !mqtt->working)
            arm(mqtt, 0);
    }
    free(message);
}

static uint64_t hash_of(const struct hf_mqtt_packet *packet)
{
    struct hf_sha256 hash;

    hf_sha256_init(&hash);
    hf_sha256_update(&hash, packet->topic.p, packet->topic.n);
    hf_sha256_update(&hash, "", 1);
    hf_sha256_update(&hash, packet->payload.p, packet->payload.n);
    return hf_sha256_final64(&hash);
}

/* True if the message is on its way to disk, or was acknowledged before the connection broke. */
static bool was_here(struct mqtt *mqtt, const struct hf_mqtt_packet *packet, uint64_t hash)
{
    struct hf_list *it, *following;

    hf_list_each(it, following, &mqtt->open) {
        const struct message *message = hf_container_of(it, struct message, link);
        if (message != mqtt->half && message->id == packet->id && message->hash == hash)
            return true; /* its receipt acknowledges it, on whatever connection there is then */
    }
    for (size_t i = 0; i < MAX_RECENT; i++)
        if (mqtt->recent[i].id == packet->id && mqtt->recent[i].hash == hash) {
            acknowledge(mqtt, packet->id, hash);
            return true;
        }
    return false;
}

/* Offers one event of a message, unless an earlier try did. 0, -EAGAIN. */
static int give(struct mqtt *mqtt, struct message *message, size_t *i, const struct hf_event *event)
{
    if ((*i)++ < message->offered)
        return 0;
    int r = hf_source_offer(mqtt->intake, event, &message->receipt);
    if (r == 0)
        message->offered++;
    return r;
}

/* A message that can never be stored: acknowledged, or the broker sends it for ever. */
static void refuse(struct mqtt *mqtt, const struct hf_mqtt_packet *packet, const char *reason)
{
    char topic[128];

    (void)snprintf(topic, sizeof(topic), "%.*s", (int)packet->topic.n, packet->topic.p);
    hf_metric_add(hf_metric_with(mqtt->refused, HF_LABELS(reason)), 1);
    hf_log(mqtt->env->log, HF_LOG_WARNING, "telemetry.mqtt_refused", HF_S("topic", topic), HF_S("reason", reason),
           HF_D("limit", HF_MQTT_MAX_PACKET));
}

/* The id of an event of a retained message that has none of its own. */
static struct hf_view retained_id(const struct message *message, size_t i, char *text, size_t n)
{
    int used = snprintf(text, n, "retained-%016llx-%zx", (unsigned long long)message->hash, i);

    return (struct hf_view){text, (size_t)used};
}

static int give_payload(struct mqtt *mqtt, const struct hf_mqtt_packet *packet, struct hf_view source,
                        struct message *message)
{
    const struct hf_ingest_params params = {.body = packet->payload,
                                            .content_type = HF_VIEW("application/json"),
                                            .now_unix_ns = hf_unix_ns(mqtt->env->clock)};
    struct hf_ingest_parser parser;
    struct hf_ingest_fault fault = {.status = 0};
    struct hf_event event;
    char id[48];
    size_t i = 0;
    int r;

    /* Parse everything first, as POST /ingest does. */
    r = hf_ingest_parse_begin(&parser, &params, &fault);
    while (r >= 0 && (r = hf_ingest_parse_next(&parser, &event, &fault)) > 0)
        ;
    hf_ingest_parse_end(&parser);
    if (r < 0)
        return r == -EBADMSG && fault.status == 422 ? -EKEYREJECTED : r;
    r = hf_ingest_parse_begin(&parser, &params, &fault);
    while (r >= 0 && (r = hf_ingest_parse_next(&parser, &event, &fault)) > 0) {
        event.source_class = HF_SOURCE_MQTT;
        if (event.origin.n == 0)
            event.source = source;
        if (packet->retained && event.id.n == 0)
            event.id = retained_id(message, i, id, sizeof(id));
        r = give(mqtt, message, &i, &event);
    }
    hf_ingest_parse_end(&parser);
    return r;
}

static int give_message(struct mqtt *mqtt, const struct hf_mqtt_packet *packet, struct message *message)
{
    char source[HF_MQTT_MAX_TOPIC + 8];
    int n = snprintf(source, sizeof(source), "mqtt:%.*s", (int)packet->topic.n, packet->topic.p);
    struct hf_event event = {.kind = HF_EVENT_LOG,
                             .source_class = HF_SOURCE_MQTT,
                             .severity = HF_SEVERITY_INFO,
                             .unix_ns = hf_unix_ns(mqtt->env->clock),
                             .source = {source, (size_t)n},
                             .body = packet->payload};
    struct hf_scan_value value;
    struct hf_scan scan;
    char id[48];
    size_t i = 0;
    int r = give_payload(mqtt, packet, event.source, message);

    if (r == -EKEYREJECTED)
        refuse(mqtt, packet, "checksum");
    if (r != -EBADMSG)
        return r < 0 && r != -EKEYREJECTED ? -EAGAIN : 0;
    if (hf_view_eq(hf_view_trim(packet->payload), "null")) {
        refuse(mqtt, packet, "null");
        return 0;
    }
    if (packet->retained)
        event.id = retained_id(message, 0, id, sizeof(id));
    hf_scan_init(&scan, packet->payload);
    if (hf_scan_value(&scan, &value) == 0 && hf_scan_end(&scan) == 0) {
        event.kind = HF_EVENT_PAYLOAD;
        event.body = hf_view_trim(packet->payload);
    } else {
        event.severity = hf_source_line_severity(packet->payload);
        event.severity = event.severity != 0 ? event.severity : HF_SEVERITY_INFO;
    }
    if (event.body.n > HF_EVENT_MAX_BODY)
        refuse(mqtt, packet, "long");
    if (event.body.n > HF_EVENT_MAX_BODY || packet->payload.n == 0) /* empty: the end of a retained message */
        return 0;
    return give(mqtt, message, &i, &event);
}

/* 0, or -EAGAIN: call again with the same packet. */
static int take_publish(struct mqtt *mqtt, const struct hf_mqtt_packet *packet)
{
    struct message *message = mqtt->half;
    uint64_t hash;

    if (packet->too_long) {
        refuse(mqtt, packet, "long");
        if (packet->qos > 0)
            acknowledge(mqtt, packet->id, 0);
        return 0;
    }
    hash = hash_of(packet);
    if (message == NULL) {
        if (packet->qos > 0 && packet->duplicate && was_here(mqtt, packet, hash))
            return 0;
        if (mqtt->n_open >= MAX_OPEN || (message = calloc(1, sizeof(*message))) == NULL)
            return -EAGAIN;
        *message = (struct message){
            .receipt = {.settled = settled}, .mqtt = mqtt, .id = packet->qos > 0 ? packet->id : 0, .hash = hash};
        hf_receipt_hold(&message->receipt);
        hf_list_append(&mqtt->open, &message->link);
        mqtt->n_open++;
        hf_metric_add(mqtt->messages, 1);
    }
    int r = give_message(mqtt, packet, message);
    mqtt->half = r == -EAGAIN ? message : NULL;
    if (r == 0)
        hf_receipt_release(&message->receipt, 0);
    return r;
}

static int take_packet(struct mqtt *mqtt, const struct hf_mqtt_packet *packet)
{
    _cleanup_(hf_buf_done) struct hf_buf reply = HF_BUF_INIT(64 << 10);

    switch (packet->type) {
    case HF_MQTT_CONNACK:
        if (packet->code != 0)
            return -EACCES;
        mqtt->subscribed = true;
        send_packet(mqtt, &reply, hf_mqtt_add_subscribe(&reply, 1, (const char *const *)mqtt->topics.names));
        return 0;
    case HF_MQTT_SUBACK:
        if (packet->code >= 0x80)
            return -EPERM;
        if (mqtt->failures > 0)
            hf_log(mqtt->env->log, HF_LOG_INFO, "telemetry.mqtt_connected", HF_S("host", mqtt->host));
        mqtt->failures = 0;
        hf_metric_set(mqtt->connected, 1);
        return 0;
    case HF_MQTT_PUBLISH:
        return mqtt->subscribed ? take_publish(mqtt, packet) : -EBADMSG;
    case HF_MQTT_PINGRESP:
        take_pong(mqtt);
        return 0;
    default:
        return -EBADMSG;
    }
}

static void set_paused(struct mqtt *mqtt, bool paused)
{
    mqtt->paused = paused;
    hf_connection_pause(mqtt->stream, paused);
    mqtt->heard_ns = hf_mono_ns(mqtt->env->clock);
}

/* Handles the whole packets in `in`. */
static void work(struct mqtt *mqtt)
{
    struct hf_mqtt_packet packet;
    int r = 0;

    mqtt->working = true;
    while (r == 0) {
        r = hf_mqtt_parse(hf_buf_view(&mqtt->in), &packet);
        if (r <= 0)
            break;
        r = take_packet(mqtt, &packet);
        if (r < 0)
            break;
        size_t n = (size_t)HF_MIN(packet.size, (uint64_t)mqtt->in.n);
        mqtt->skip = packet.size - n;
        hf_buf_consume(&mqtt->in, n);
    }
    mqtt->working = false;
    if (r < 0 && r != -EAGAIN) {
        lose(mqtt, r == -EACCES  ? "the broker refuses the connection"
                   : r == -EPERM ? "the broker refuses a subscription"
                                 : "the broker sent data that is not MQTT");
        return;
    }
    if ((r == -EAGAIN) != mqtt->paused)
        set_paused(mqtt, r == -EAGAIN);
    if (mqtt->in.n == 0)
        hf_buf_done(&mqtt->in);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static void resume(struct hf_source *source)
{
    struct mqtt *mqtt = hf_container_of(source, struct mqtt, source);

    if (mqtt->paused && mqtt->stream != NULL)
        work(mqtt);
}

static void mqtt_free(struct hf_source *source)
{
    struct mqtt *mqtt = hf_container_of(source, struct mqtt, source);

    hf_connection_close(hf_steal(mqtt->stream));
    drop_half(mqtt);
    while (!hf_list_empty(&mqtt->open)) {
        struct message *message = hf_container_of(mqtt->open.next, struct message, link);
        hf_list_remove(&message->link);
        message->mqtt = NULL;
    }
    hf_timer_free(mqtt->env->sched, mqtt->timer);
    hf_source_names_done(&mqtt->topics);
    hf_buf_done(&mqtt->in);
    free(mqtt->host);
    free(mqtt->username_ref);
    free(mqtt->password_ref);
    free(mqtt);
}

static bool copy_text(char **to, const char *from)
{
    *to = from != NULL ? strdup(from) : NULL;
    return from == NULL || *to != NULL;
}

int hf_source_mqtt_new(const struct hf_telemetry_sources *sources, const struct hf_telemetry_env *env,
                       const struct hf_intake *intake, struct hf_source **ret_source, struct hf_err *err)
{
    const struct hf_telemetry_mqtt *from = &sources->mqtt;
    struct mqtt *mqtt = calloc(1, sizeof(*mqtt));

    if (mqtt == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    mqtt->source = (struct hf_source){.name = "mqtt", .resume = resume, .free = mqtt_free};
    mqtt->env = env;
    mqtt->intake = intake;
    mqtt->tls = from->tls;
    mqtt->port = (uint16_t)(from->port != 0 ? from->port : from->tls ? 8883 : 1883);
    mqtt->in = (struct hf_buf)HF_BUF_INIT(HF_MQTT_MAX_PACKET + (64 << 10));
    hf_list_init(&mqtt->open);
    mqtt->messages = hf_metric_counter(env->metrics, "holdfast_telemetry_mqtt_messages_total",
                                       "Messages received from the MQTT broker.");
    mqtt->refused = hf_metric_family(
        env->metrics, HF_METRIC_COUNTER, "holdfast_telemetry_mqtt_refused_total",
        "Messages from the MQTT broker that are too long, JSON null, or have a wrong checksum.", HF_LABELS("reason"));
    mqtt->connected =
        hf_metric_gauge(env->metrics, "holdfast_telemetry_mqtt_connected", "1 while subscribed at the MQTT broker.");
    mqtt->timer = hf_timer_new(env->sched, on_timer, mqtt);
    if (mqtt->timer == NULL || hf_source_names_copy(&mqtt->topics, from->topics) < 0 ||
        !copy_text(&mqtt->host, from->host) || !copy_text(&mqtt->username_ref, from->username_ref) ||
        !copy_text(&mqtt->password_ref, from->password_ref)) {
        mqtt_free(&mqtt->source);
        return hf_err_set(err, ENOMEM, "out of memory");
    }
    arm(mqtt, 0);
    *ret_source = &mqtt->source;
    return 0;
}
