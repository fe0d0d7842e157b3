/* SPDX-License-Identifier: Apache-2.0 */
/* Against a real broker. */
#include "unit/telemetry/source_fixture.h"

#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

static const char broker_path[] = "/usr/sbin/mosquitto";
static struct hf_source *source;
static struct hf_telemetry_sources sources;
static struct hf_metrics *metrics;
static pid_t broker;
static uint16_t port;
static const char *password; /* that the broker wants; NULL none */

static int connect_broker(void)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

static void add_text(struct hf_buf *out, const char *text, size_t n)
{
    const char length[2] = {(char)(n >> 8), (char)n};

    ck_assert_int_eq(hf_buf_add(out, length, 2), 0);
    ck_assert_int_eq(hf_buf_add(out, text, n), 0);
}

static void add_head(struct hf_buf *out, unsigned char first, size_t n)
{
    ck_assert_int_eq(hf_buf_add(out, &first, 1), 0);
    do {
        unsigned char byte = (unsigned char)((n & 127) | (n > 127 ? 128 : 0));
        ck_assert_int_eq(hf_buf_add(out, &byte, 1), 0);
        n >>= 7;
    } while (n > 0);
}

static void read_exact(int fd, size_t n)
{
    char bytes[64];

    while (n > 0) {
        ssize_t got = read(fd, bytes, HF_MIN(n, sizeof(bytes)));
        ck_assert_int_gt(got, 0);
        n -= (size_t)got;
    }
}

/* Taken or refused (a password is wanted): an answer. */
static void say_hello(int fd)
{
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(64);

    add_head(&out, 0x10, 10 + 2 + 3);
    ck_assert_int_eq(hf_buf_add(&out, "\x00\x04MQTT\x04\x02\x00\x3c", 10), 0);
    add_text(&out, "pub", 3);
    ck_assert_int_eq(write(fd, out.p, out.n), (ssize_t)out.n);
    read_exact(fd, 4);
}

/* Returns when the broker answers. That it can be connected to is not enough: mosquitto listens, then installs its handlers of signals,
 * then sets the variable which they clear, and loses a SIGTERM that comes in between. */
static void start_broker(void)
{
    char broker_config[1024];
    const char *path = below("broker.conf");

    (void)unlink(path);
    (void)snprintf(broker_config, sizeof(broker_config),
                   "listener %u 127.0.0.1\nallow_anonymous %s\nuser root\npersistence true\npersistence_location %s/\n"
                   "autosave_interval 1\nautosave_on_changes true\nmax_inflight_messages 40\n",
                   port, password == NULL ? "true" : "false", dir);
    (void)put("broker.conf", broker_config);
    broker = fork();
    if (broker == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        int null = open("/dev/null", O_WRONLY);
        (void)dup2(null, 1);
        (void)dup2(null, 2);
        (void)execl(broker_path, broker_path, "-c", path, (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 200; i++) {
        int fd = connect_broker();
        if (fd >= 0) {
            say_hello(fd);
            (void)close(fd);
            return;
        }
        (void)usleep(20000);
    }
    ck_abort_msg("the broker does not come up");
}

static void stop_broker(int signum)
{
    int status;

    if (broker > 0) {
        ck_assert_int_eq(kill(broker, signum), 0);
        ck_assert_int_eq(waitpid(broker, &status, 0), broker);
    }
    broker = 0;
}

static void start(void)
{
    struct hf_err err = HF_ERR_INIT;

    ck_assert_msg(hf_source_mqtt_new(&sources, &world, &intake, &source, &err) == 0, "%s", err.cause);
}

static bool is_connected(void)
{
    return hf_metric_value(hf_metric_gauge(metrics, "holdfast_telemetry_mqtt_connected",
                                           "1 while subscribed at the MQTT broker.")) > 0;
}

static void wait_connected(void)
{
    for (int i = 0; i < 500 && !is_connected(); i++)
        run_s(0.02);
    ck_assert(is_connected());
}

static bool retain; /* what is published next */

/* Publishes with QoS 1; returns when the broker has them all. */
static void publish_many(const char *topic, const char *const *payloads, size_t n)
{
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(4 << 20);
    int fd = connect_broker();

    ck_assert_int_ge(fd, 0);
    say_hello(fd);
    for (size_t i = 0; i < n; i++) {
        const char id[2] = {(char)((i + 1) >> 8), (char)(i + 1)};
        hf_buf_clear(&out);
        add_head(&out, retain ? 0x33 : 0x32, 2 + strlen(topic) + 2 + strlen(payloads[i]));
        add_text(&out, topic, strlen(topic));
        ck_assert_int_eq(hf_buf_add(&out, id, 2), 0);
        ck_assert_int_eq(hf_buf_add_str(&out, payloads[i]), 0);
        ck_assert_int_eq(write(fd, out.p, out.n), (ssize_t)out.n);
        read_exact(fd, 4);
    }
    ck_assert_int_eq(write(fd, "\xe0\x00", 2), 2);
    (void)close(fd);
}

static void publish(const char *topic, const char *payload)
{
    publish_many(topic, &payload, 1);
}

static void set_up(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(any);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    fix_set_up_real();
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&any, sizeof(any)), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&any, &n), 0);
    port = ntohs(any.sin_port);
    (void)close(fd);
    metrics = hf_metrics_new();
    world.metrics = metrics;
    memset(&sources, 0, sizeof(sources));
    sources.mqtt = (struct hf_telemetry_mqtt){.host = "localhost", .port = port, .topics = {"sensors/+", "other"}};
    password = NULL;
    retain = false;
    start_broker();
}

static void tear_down(void)
{
    if (source != NULL)
        source->free(source);
    source = NULL;
    stop_broker(SIGTERM);
    fix_tear_down();
    hf_metrics_free(metrics);
}

static uint64_t refused_for(const char *reason)
{
    struct hf_metric_family *family = hf_metric_family(
        metrics, HF_METRIC_COUNTER, "holdfast_telemetry_mqtt_refused_total",
        "Messages from the MQTT broker that are too long, JSON null, or have a wrong checksum.", HF_LABELS("reason"));

    return (uint64_t)hf_metric_value(hf_metric_with(family, HF_LABELS(reason)));
}

/* The broker sends a retained message at each connection: it is one reading, until its content changes. */
START_TEST(retained_is_not_new)
{
    static const char *const kept[] = {"21.5", "{\"sensorData\":{\"t\":1}}", "open",
                                       "[{\"sensorData\":1},{\"sensorData\":1}]"};
    static const char *const topics[] = {"sensors/1", "sensors/2", "sensors/3", "sensors/4"};

    retain = true;
    for (size_t i = 0; i < HF_LEN(kept); i++)
        publish(topics[i], kept[i]);
    publish("other", "21.5"); /* the same text under another topic is another reading */
    start();
    run_until_kept(6);
    for (int i = 0; i < 3; i++) {
        source->free(source);
        start();
        wait_connected();
        run_s(0.3);
    }
    ck_assert_uint_eq(fix.n, 6);
    ck_assert_uint_ge(fix.duplicates, 18);
    publish("sensors/1", "22"); /* new, and retained */
    run_until_kept(7);
    publish("sensors/3", ""); /* the end of a retained message */
    retain = false;
    publish("sensors/1", "22"); /* two equal readings are two */
    publish("sensors/1", "22");
    run_until_kept(9);
    ck_assert_str_eq(fix.bodies[8], "22");
}
END_TEST

START_TEST(takes_messages)
{
    static const char *const payloads[] = {
        "{\"id\":\"p-1\",\"timestamp\":\"2026-11-20T08:00:00Z\",\"sensorData\":{\"t\":1}}",
        " {\"t\":2} ",
        "21.5",
        "door ERROR open",
        "{\"id\":\"p-1\",\"sensorData\":{\"t\":1}}",
        "[{\"id\":\"p-2\",\"sensorData\":1},{\"id\":\"p-3\",\"sensorData\":2}]",
        "{\"sensorData\":1,\"checksum\":\"wrong\"}",
        "null",
        " null\n"};
    start();
    wait_connected();
    publish_many("sensors/1", payloads, HF_LEN(payloads));
    publish("elsewhere", "not asked for");
    publish("other", "last");
    run_until_kept(7);
    ck_bodies("{\"t\":1}", "{\"t\":2}", "21.5", "door ERROR open", "1", "2", "last");
    ck_assert_uint_eq(refused_for("checksum"), 1);
    ck_assert_uint_eq(refused_for("null"), 2);
    ck_assert_uint_eq(fix.duplicates, 1);
    ck_assert_ptr_nonnull(strstr(fix.lines[0], "\"source\":\"mqtt:sensors/1\",\"kind\":\"payload\""));
    ck_assert_ptr_nonnull(strstr(fix.lines[1], "\"kind\":\"payload\""));
    ck_assert_ptr_nonnull(strstr(fix.lines[3], "\"kind\":\"log\",\"severity\":\"error\""));
    ck_assert_ptr_nonnull(strstr(fix.lines[6], "\"source\":\"mqtt:other\""));
}
END_TEST

/* What is not on disk is not acknowledged: another life gets it again. What is, never. */
START_TEST(acknowledges_when_durable)
{
    start();
    wait_connected();
    publish("sensors/1", "first");
    run_until_kept(1);
    run_s(0.2);
    fix.hold = true;
    publish("sensors/1", "second");
    run_until_kept(2);
    run_s(0.3);
    source->free(source); /* as if killed: second was never acknowledged */
    let_go(0);
    fix.hold = false;
    start();
    run_until_kept(3);
    run_s(0.3);
    ck_bodies("first", "second", "second");
    source->free(source);
    start();
    wait_connected();
    run_s(0.3);
    ck_assert_uint_eq(fix.n, 3);
}
END_TEST

/* Published while nobody listened: the broker keeps them for the session. */
START_TEST(keeps_for_us)
{
    start();
    wait_connected();
    source->free(source);
    source = NULL;
    publish("sensors/1", "meanwhile");
    start();
    run_until_kept(1);
    ck_bodies("meanwhile");
}
END_TEST

/* The broker goes and comes again while messages are on their way to the disk: each once. */
START_TEST(broker_restarts)
{
    static const char *const payloads[] = {"1", "2", "3"};

    start();
    wait_connected();
    fix.hold = true;
    publish_many("sensors/1", payloads, 3);
    run_until_kept(3);
    stop_broker(SIGTERM);
    run_s(0.2);
    ck_assert(!is_connected());
    hf_receipt_release(fix.held[0], 0); /* one becomes safe while there is nobody to tell */
    fix.held[0] = fix.held[--fix.n_held];
    start_broker();
    for (int i = 0; i < 100 && !is_connected(); i++)
        run_s(0.1);
    ck_assert(is_connected());
    run_s(0.3);
    ck_assert_uint_eq(fix.n, 3); /* sent again, known */
    let_go(0);
    fix.hold = false;
    publish("sensors/1", "4");
    run_until_kept(4);
    run_s(0.2);
    ck_bodies("1", "2", "3", "4");
    source->free(source); /* and all are acknowledged */
    start();
    wait_connected();
    run_s(0.3);
    ck_assert_uint_eq(fix.n, 4);
}
END_TEST

START_TEST(no_room)
{
    enum { MANY = 300 };
    const char *payloads[MANY];
    char texts[MANY][16];

    for (int i = 0; i < MANY; i++) {
        (void)snprintf(texts[i], sizeof(texts[i]), "%d", i);
        payloads[i] = texts[i];
    }
    fix.room = 10;
    start();
    wait_connected();
    publish_many("sensors/1", payloads, MANY);
    run_s(0.5);
    ck_assert_uint_eq(fix.n, 10);
    fix.room = SIZE_MAX;
    source->resume(source);
    run_until_kept(MANY);
    for (int i = 0; i < MANY; i++)
        ck_assert_str_eq(fix.bodies[i], texts[i]);
}
END_TEST

START_TEST(store_fails)
{
    start();
    wait_connected();
    fix.hold = true;
    publish("sensors/1", "x");
    run_until_kept(1);
    fix.hold = false;
    let_go(-EIO);
    run_until_kept(2); /* after a new connection */
    ck_bodies("x", "x");
}
END_TEST

START_TEST(too_long)
{
    char *payload = malloc(1000001);

    memset(payload, 'x', 1000000);
    payload[1000000] = '\0';
    start();
    wait_connected();
    publish("sensors/1", payload);
    publish("sensors/1", "next");
    run_until_kept(1);
    ck_bodies("next");
    source->free(source); /* it does not come for ever */
    start();
    wait_connected();
    run_s(0.3);
    ck_assert_uint_eq(fix.n, 1);
    free(payload);
}
END_TEST

START_TEST(refused)
{
    stop_broker(SIGTERM);
    password = "secret";
    start_broker();
    sources.mqtt.username_ref = "env:HF_TEST_NO_SUCH_NAME";
    start();
    run_s(1);
    ck_assert(!is_connected());
    source->free(source);
    sources.mqtt.username_ref = NULL;
    start();
    run_s(1);
    ck_assert(!is_connected());
    /* Nobody there at all. */
    stop_broker(SIGKILL);
    run_s(1.5);
    ck_assert(!is_connected());
}
END_TEST

/* ---- a broker that does what a test says ------------------------------------------------------------------------- */

enum { SPEED = 100 }; /* of the source's time */

static int listener, peer;
static struct hf_clock_ops quick_clock;
static struct hf_sched_ops quick_sched;

static uint64_t quick_ns(void *ctx)
{
    return hf_clock_posix()->mono_ns(ctx) * SPEED;
}

static void arm_quickly(void *ctx, struct hf_timer *timer, uint64_t delay_ns)
{
    const struct hf_sched_ops *sched = hf_loop_sched(real);

    (void)ctx;
    hf_timer_arm(sched, timer, delay_ns / SPEED);
}

static void play_broker(void)
{
    const struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;

    stop_broker(SIGTERM);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
    ck_assert_int_eq(bind(listener, (const struct sockaddr *)&at, sizeof(at)), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    quick_clock = *world.clock;
    quick_clock.mono_ns = quick_ns;
    quick_sched = *world.sched;
    quick_sched.timer_arm = arm_quickly;
    world.clock = &quick_clock;
    world.sched = &quick_sched;
}

/* Reads packets (of up to 127 bytes) until one of this type comes. */
static void expect(unsigned type)
{
    unsigned char bytes[256];
    size_t n = 0;

    for (int i = 0; i < 500; i++) {
        ssize_t got = recv(peer, bytes + n, (n < 2 ? 2 : 2u + bytes[1]) - n, MSG_DONTWAIT);
        n += got > 0 ? (size_t)got : 0;
        if (n >= 2 && n == 2u + bytes[1]) {
            if (bytes[0] >> 4 == type)
                return;
            n = 0;
        } else if (got <= 0) {
            run_s(0.01);
        }
    }
    ck_abort_msg("no packet of type %u", type);
}

static void reply(const char *bytes, size_t n)
{
    ck_assert_int_eq(send(peer, bytes, n, 0), (ssize_t)n);
}

/* Closes the connection and takes the next one up to its subscription. */
static void connect_again(void)
{
    if (peer > 0)
        (void)close(peer);
    for (int i = 0; i < 500 && (peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) < 0; i++)
        run_s(0.01);
    ck_assert_int_ge(peer, 0);
    expect(1); /* CONNECT */
    reply("\x20\x02\x01\x00", 4);
    expect(8); /* SUBSCRIBE */
    reply("\x90\x04\x00\x01\x01\x01", 6);
}

/* Delivers "door open" of the topic "other" with packet id 7, and waits for the acknowledgement. */
static void deliver(bool duplicate)
{
    static const char first[] = "\x32\x12\x00\x05other\x00\x07"
                                "door open",
                      again[] = "\x3a\x12\x00\x05other\x00\x07"
                                "door open";

    reply(duplicate ? again : first, sizeof(first) - 1);
    expect(4); /* PUBACK */
}

/* A repeated message after a lost acknowledgement is dropped. Once the broker has heard the acknowledgement, the same
 * packet id and content are another message. */
START_TEST(a_packet_id_that_is_used_again)
{
    play_broker();
    start();
    connect_again();
    deliver(false);
    ck_assert_uint_eq(fix.n, 1);
    connect_again();
    deliver(true);
    ck_assert_uint_eq(fix.n, 1);
    expect(12); /* PINGREQ */
    reply("\xd0\x00", 2);
    run_s(0.1);
    connect_again(); /* the first delivery of another message broke off */
    deliver(true);
    ck_assert_uint_eq(fix.n, 2);
    (void)close(peer);
    (void)close(listener);
    peer = 0;
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    if (access(broker_path, X_OK) != 0) {
        (void)printf("SKIP: %s is not installed (package mosquitto)\n", broker_path);
        return;
    }
    tcase_add_test(tc, takes_messages);
    tcase_add_test(tc, retained_is_not_new);
    tcase_add_test(tc, acknowledges_when_durable);
    tcase_add_test(tc, keeps_for_us);
    tcase_add_test(tc, broker_restarts);
    tcase_add_test(tc, no_room);
    tcase_add_test(tc, store_fails);
    tcase_add_test(tc, too_long);
    tcase_add_test(tc, a_packet_id_that_is_used_again);
    tcase_add_test(tc, refused);
}

HF_TEST_MAIN("telemetry/source_mqtt", cases)
