/* SPDX-License-Identifier: Apache-2.0 */
/* outlet-bench DIR [EVENTS] [json|ndjson|otlp|seed] [zstd|gzip|none] [later]: what storing and delivering an event costs.
 *
 * One outlet on the real loop and disk below DIR, a sink in a child process that reads bodies and says 200. "later": the sink comes
 * only after everything is stored (a backlog). Prints seconds, CPU microseconds for each event of this process alone (append, sync,
 * read, form, compress, send), and anonymous memory: before, most, and idle after. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/parse.h"
#include "os/clock_posix.h"
#include "os/fs_posix.h"
#include "os/memory.h"
#include "os/rand_posix.h"
#include "telemetry/event/event.h"
#include "telemetry/sink/outlet.h"
#include "telemetry/sink/shares.h"

enum { LINE = 512, ROUND = 256, REQUEST = 64 << 10, BACKLOG = 16 };

#define IDLE_NS (17 * HF_NS_PER_S) /* connections are kept for 15 */

struct bench {
    struct hf_loop *loop;
    struct hf_outlet *outlet;
    struct hf_timer *timer;
    uint64_t events, appended, idle_since_ns;
    long base_kib, peak_kib, idle_kib;
    bool later;
    int listener;
    pid_t sink;
};

static uint64_t now_ns(void)
{
    return hf_mono_ns(hf_clock_posix());
}

static long anonymous_kib(void)
{
    char line[128];
    long kib = -1;
    FILE *file = fopen("/proc/self/smaps_rollup", "r");

    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        if (sscanf(line, "Anonymous: %ld kB", &kib) == 1)
            break;
    if (file != NULL)
        (void)fclose(file);
    return kib;
}

/* ---- the sink ---------------------------------------------------------------------------------------------------- */

/* One request off the connection; false at its end. */
static bool take_request(int fd, char *bytes, size_t *n)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    size_t length = 0;
    char *end;

    while ((end = memmem(bytes, *n, "\r\n\r\n", 4)) == NULL) {
        ssize_t got = read(fd, bytes + *n, REQUEST - *n);
        if (got <= 0)
            return false;
        *n += (size_t)got;
    }
    for (char *at = bytes; at < end; at = (char *)memchr(at, '\n', (size_t)(end - at) + 2) + 1)
        if (strncasecmp(at, "content-length:", 15) == 0)
            length = strtoul(at + 15, NULL, 10);
    size_t head = (size_t)(end + 4 - bytes), have = HF_MIN(*n - head, length);
    memmove(bytes, bytes + head + have, *n - head - have);
    *n -= head + have;
    for (size_t left = length - have; left > 0;) {
        ssize_t got = read(fd, bytes, HF_MIN(left, (size_t)REQUEST));
        if (got <= 0)
            return false;
        left -= (size_t)got;
    }
    return write(fd, answer, sizeof(answer) - 1) > 0;
}

static void serve(int listener)
{
    static char bytes[REQUEST];

    (void)signal(SIGCHLD, SIG_IGN);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    for (;;) {
        int one = 1, fd = accept(listener, NULL, NULL);
        if (fd < 0)
            _exit(1);
        if (fork() != 0) {
            (void)close(fd);
            continue;
        }
        size_t n = 0;
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        while (take_request(fd, bytes, &n)) {
        }
        _exit(0);
    }
}

static void start_sink(struct bench *bench)
{
    bench->sink = fork();
    if (bench->sink == 0)
        serve(bench->listener);
}

/* ---- the node ---------------------------------------------------------------------------------------------------- */

static int append_one(struct bench *bench)
{
    static struct hf_buf line = HF_BUF_INIT(HF_EVENT_MAX_TEXT);
    char id[40], body[120];
    int n = snprintf(id, sizeof(id), "e-%llu", (unsigned long long)bench->appended);
    int m = snprintf(body, sizeof(body), "request %llu served in %llu us by worker %llu with status %d",
                     (unsigned long long)bench->appended, (unsigned long long)(bench->appended * 7919 % 10007),
                     (unsigned long long)(bench->appended % 17), 200);
    struct hf_event event = {.kind = HF_EVENT_LOG,
                             .unix_ns = 1795161600000000000 + bench->appended * 1000003,
                             .severity = HF_SEVERITY_INFO,
                             .id = {id, (size_t)n},
                             .source = HF_VIEW("journald:edge-inference.service"),
                             .body = {body, (size_t)m},
                             .attributes = {{HF_VIEW("pod"), HF_VIEW("edge-inference-5f7d9")}},
                             .n_attributes = 1};

    hf_buf_clear(&line);
    if (hf_event_format(&event, "node-1", &line) < 0)
        exit(1);
    int r = hf_outlet_append(bench->outlet, HF_LANE_BULK, hf_shares_agent(), 0, hf_buf_view(&line), NULL);
    bench->appended += r == 0;
    return r;
}

static void turn(void *arg)
{
    struct bench *bench = arg;
    const struct hf_sched_ops *sched = hf_loop_sched(bench->loop);
    struct hf_outlet_state state = hf_outlet_state(bench->outlet);
    static unsigned turns;
    uint64_t delay_ns = HF_NS_PER_MS / 4;

    for (unsigned i = 0; i < ROUND && bench->appended < bench->events; i++)
        if (append_one(bench) < 0)
            break;
    if (turns++ % 64 == 0)
        bench->peak_kib = HF_MAX(bench->peak_kib, anonymous_kib());
    if (bench->later && bench->sink == 0 && state.lanes[HF_LANE_BULK].queued == bench->events)
        start_sink(bench);
    if (state.delivered >= bench->events) {
        if (bench->idle_since_ns == 0)
            bench->idle_since_ns = now_ns();
        if (now_ns() - bench->idle_since_ns > IDLE_NS) {
            hf_memory_trim();
            bench->idle_kib = anonymous_kib();
            hf_loop_stop(bench->loop);
        }
        delay_ns = 100 * HF_NS_PER_MS;
    } else if (bench->appended == bench->events) {
        delay_ns = 5 * HF_NS_PER_MS;
    }
    hf_timer_arm(sched, bench->timer, delay_ns);
}

static double cpu_s(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static enum hf_sink_format format_of(const char *name)
{
    return strcmp(name, "ndjson") == 0 ? HF_SINK_NDJSON
           : strcmp(name, "otlp") == 0 ? HF_SINK_OTLP
           : strcmp(name, "seed") == 0 ? HF_SINK_SEED
                                       : HF_SINK_JSON;
}

int main(int argc, char **argv)
{
    struct bench bench = {.events = 200000};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t address_bytes = sizeof(address);
    struct hf_err err = HF_ERR_INIT;
    char url[64], text[600];

    if (argc < 2 || (argc > 2 && hf_parse_u64(argv[2], 1, UINT32_MAX, &bench.events) < 0)) {
        (void)fprintf(stderr, "usage: outlet-bench DIR [EVENTS] [json|ndjson|otlp|seed] [zstd|gzip|none] [later]\n");
        return 2;
    }
    bench.later = argc > 5;
    bench.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(bench.listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        getsockname(bench.listener, (struct sockaddr *)&address, &address_bytes) < 0 ||
        listen(bench.listener, BACKLOG) < 0)
        return 1;
    if (!bench.later)
        start_sink(&bench);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u", ntohs(address.sin_port));
    hf_memory_frugal();
    bench.loop = hf_loop_new(NULL);
    struct hf_telemetry spec = {.batch_max_bytes = 524288,
                                .batch_timeout_ns = HF_NS_PER_S,
                                .compression = argc > 4 && strcmp(argv[4], "gzip") == 0   ? HF_COMPRESS_GZIP
                                               : argc > 4 && strcmp(argv[4], "none") == 0 ? HF_COMPRESS_NONE
                                                                                          : HF_COMPRESS_ZSTD,
                                .max_attempts = 3,
                                .retry_base_ns = HF_NS_PER_S,
                                .max_duration_ns = 300 * HF_NS_PER_S};
    struct hf_telemetry_sink sink = {.name = "bench", .url = url, .format = format_of(argc > 3 ? argv[3] : "json")};
    struct hf_telemetry_env world = {.loop = bench.loop,
                                     .fs = hf_fs_posix(),
                                     .clock = hf_clock_posix(),
                                     .sched = hf_loop_sched(bench.loop),
                                     .rand = hf_rand_posix(),
                                     .metrics = hf_metrics_new(),
                                     .node = "node-1",
                                     .user_agent = "bench/1",
                                     .dir = argv[1]};
    struct hf_outlet_params params = {.env = &world, .spec = &spec, .sink = &sink, .max_bytes = 2ull << 30};
    bench.base_kib = anonymous_kib();
    if (hf_outlet_new(&params, &bench.outlet, &err) < 0) {
        (void)fprintf(stderr, "%s\n", hf_err_text(&err, text, sizeof(text)));
        return 1;
    }
    bench.timer = hf_timer_new(world.sched, turn, &bench);
    hf_timer_arm(world.sched, bench.timer, 0);
    double cpu_before = cpu_s();
    uint64_t began_ns = now_ns();
    hf_loop_run(bench.loop);
    struct hf_outlet_state state = hf_outlet_state(bench.outlet);
    double took_s = (double)(bench.idle_since_ns - began_ns) / 1e9;
    (void)printf(
        "events %llu, %.2f s, %.0f /s, CPU %.2f us/event, attempts %llu, at once %u, anonymous KiB: %ld before, %ld "
        "most, %ld idle\n",
        (unsigned long long)state.delivered, took_s, (double)state.delivered / took_s,
        (cpu_s() - cpu_before) * 1e6 / (double)bench.events, (unsigned long long)state.attempts, state.concurrency,
        bench.base_kib, bench.peak_kib, bench.idle_kib);
    hf_timer_free(world.sched, bench.timer);
    hf_outlet_free(bench.outlet);
    hf_loop_free(bench.loop);
    hf_metrics_free(world.metrics);
    (void)kill(bench.sink, SIGTERM);
    return 0;
}
