/* SPDX-License-Identifier: Apache-2.0 */
/* fleet-bench follow KUBECONFIG | fleet-bench agents KUBECONFIG COUNT NODES: what a fleet costs a real API server and
 * us.
 *
 * "follow": one client as the controller's, every EdgeUpdate, EdgeNode, Node and SyncPolicy of the cluster; keeps
 * nothing of the objects. "agents": COUNT clients as agents have them, each with a connection of its own and its four
 * watches, as nodes n00000, n00001, ... of NODES. What is real in them is pkg/kube and pkg/loop; there is no cache, no
 * release and no status.
 *
 * Prints a line of JSON when something has changed, at most ten a second: time since 1970 and since the start,
 * subscriptions synced, clients in contact, objects, KiB of memory, and for the EdgeUpdate "fleet-bench" the newest
 * cutoff of its admission with the number of clients that have it and the moment the last of them got it. Ends at
 * SIGTERM. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/parse.h"
#include "kube/kube.h"
#include "loop/http/client.h"
#include "loop/loop.h"
#include "os/clock_posix.h"
#include "os/fs_posix.h"
#include "os/memory.h"
#include "os/rand_posix.h"

enum { KINDS = 4, MAX_CLIENTS = 20000, FILES_FOR_EACH = 4, NAME = 32 };

#define SAY_NS (100 * HF_NS_PER_MS)
#define START_NS (30 * HF_NS_PER_S) /* agents begin within this time: what is measured is not their first start */

struct bench;

struct follower {
    struct bench *bench;
    struct hf_http_client *http;
    struct hf_kube *kube;
    struct hf_timer *start;
    char node[NAME];
    unsigned synced, lost; /* bits, one for each kind */
    uint64_t cutoff;
};

struct tag {
    struct follower *follower;
    unsigned bit;
};

struct bench {
    struct hf_loop *loop;
    struct hf_kube_config config;
    struct hf_timer *timer;
    struct follower *followers;
    struct tag *tags;
    unsigned n;
    bool fleet, changed;
    uint64_t start_ns, objects, cutoff, seen, seen_unix_ns, synced;
    double spread_s;
};

static const char *const kinds[KINDS] = {"Node", "EdgeUpdate", "SyncPolicy", "EdgeNode"};

static void fail(const char *what, const struct hf_err *err)
{
    char text[600];

    (void)fprintf(stderr, "fleet-bench: %s: %s\n", what, hf_err_text(err, text, sizeof(text)));
    exit(1);
}

static uint64_t now_ns(void)
{
    return hf_mono_ns(hf_clock_posix());
}

static double seconds(uint64_t ns)
{
    return (double)ns / (double)HF_NS_PER_S;
}

/* A field of a file below /proc/self, in KiB. */
static long memory_kib(const char *path, const char *field)
{
    char line[128];
    long kib = -1;
    FILE *file = fopen(path, "r");

    while (file != NULL && kib < 0 && fgets(line, sizeof(line), file) != NULL) {
        const char *colon = strchr(line, ':');
        if (colon != NULL && (size_t)(colon - line) == strlen(field) && strncmp(line, field, strlen(field)) == 0)
            kib = strtol(colon + 1, NULL, 10);
    }
    if (file != NULL)
        (void)fclose(file);
    return kib;
}

/* ---- what a subscriber hears ------------------------------------------------------------------------------------- */

static void upsert(void *arg, json_t *object)
{
    const struct tag *tag = arg;
    struct follower *follower = tag->follower;
    struct bench *bench = follower->bench;
    uint64_t cutoff = (uint64_t)hf_json_int_or(object, "status.admission.cutoff", 0);

    bench->objects++;
    bench->changed = true;
    if (strcmp(hf_json_str_or(object, "metadata.name", ""), "fleet-bench") != 0 || cutoff <= follower->cutoff)
        return;
    follower->cutoff = cutoff;
    if (cutoff > bench->cutoff) {
        bench->cutoff = cutoff;
        bench->seen = 0;
    }
    bench->seen += cutoff == bench->cutoff;
    bench->seen_unix_ns = hf_unix_ns(hf_clock_posix());
}

static void synced(void *arg, const char *resource_version)
{
    const struct tag *tag = arg;

    (void)resource_version;
    tag->follower->bench->synced += (tag->follower->synced & tag->bit) == 0;
    tag->follower->synced |= tag->bit;
    tag->follower->bench->changed = true;
}

static void contact(void *arg, enum hf_contact_kind kind, struct hf_server_date date, const struct hf_err *err)
{
    const struct tag *tag = arg;
    unsigned before = tag->follower->lost;

    (void)date;
    (void)err;
    tag->follower->lost = kind == HF_CONTACT_PROVEN ? before & ~tag->bit : before | tag->bit;
    tag->follower->bench->changed |= before != tag->follower->lost;
}

/* ---- a client ---------------------------------------------------------------------------------------------------- */

static void begin(void *arg)
{
    struct follower *follower = arg;
    struct bench *bench = follower->bench;
    const struct hf_source_ops *source = hf_kube_source(follower->kube);

    for (unsigned i = 0; i < KINDS; i++) {
        struct tag *tag = &bench->tags[(size_t)(follower - bench->followers) * KINDS + i];
        const struct hf_source_sink sink = {.arg = tag, .upsert = upsert, .synced = synced, .contact = contact};
        bool own = !bench->fleet && (i == 0 || i == 3);
        struct hf_subscription *subscription;
        struct hf_err err = HF_ERR_INIT;
        *tag = (struct tag){follower, 1u << i};
        if (source->subscribe(source->ctx, kinds[i], own ? follower->node : NULL, "", NULL, &sink, &subscription,
                              &err) < 0)
            fail("subscribe", &err);
    }
}

static void make_follower(struct bench *bench, unsigned i, unsigned nodes)
{
    const struct hf_kube_config *c = &bench->config;
    struct follower *follower = &bench->followers[i];
    const struct hf_sched_ops *sched = hf_loop_sched(bench->loop);
    struct hf_http_config http = hf_kube_config_http(c, "fleet-bench");
    struct hf_err err = HF_ERR_INIT;

    follower->bench = bench;
    (void)snprintf(follower->node, sizeof(follower->node), "n%05u", nodes > 0 ? i % nodes : i);
    follower->http = hf_http_client_new(bench->loop, &http, &err);
    if (follower->http == NULL)
        fail("client", &err);
    struct hf_kube_params params = {
        .config = &bench->config,
        .api = HF_KUBE_APISERVER,
        .field_manager = "fleet-bench",
        .world = hf_loop_world(bench->loop),
        .http = hf_http_client_ops(follower->http),
        .fleet = bench->fleet,
        .spread_ns = (uint64_t)(bench->spread_s * (double)HF_NS_PER_S),
    };
    follower->kube = hf_kube_new(&params, &err);
    if (follower->kube == NULL)
        fail("client", &err);
    follower->start = hf_timer_new(sched, begin, follower);
    hf_timer_arm(sched, follower->start, bench->fleet ? 0 : hf_rand_below(hf_rand_posix(), START_NS));
}

/* ---- the process ------------------------------------------------------------------------------------------------- */

static void say(void *arg)
{
    struct bench *bench = arg;
    const struct hf_sched_ops *sched = hf_loop_sched(bench->loop);
    unsigned in_contact = 0, connected = 0;

    hf_timer_arm(sched, bench->timer, SAY_NS);
    if (!bench->changed)
        return;
    bench->changed = false;
    for (unsigned i = 0; i < bench->n; i++) {
        connected += bench->followers[i].synced == (1u << KINDS) - 1;
        in_contact += bench->followers[i].synced == (1u << KINDS) - 1 && bench->followers[i].lost == 0;
    }
    (void)printf("{\"unix\": %.3f, \"seconds\": %.3f, \"synced\": %u, \"contact\": %u, \"objects\": %ju, \"rss\": %ld, "
                 "\"anonymous\": %ld, \"peak\": %ld, \"cutoff\": %ju, \"seen\": %ju, \"seen_unix\": %.3f}\n",
                 seconds(hf_unix_ns(hf_clock_posix())), seconds(now_ns() - bench->start_ns), connected, in_contact,
                 (uintmax_t)bench->objects, memory_kib("/proc/self/smaps_rollup", "Rss"),
                 memory_kib("/proc/self/smaps_rollup", "Anonymous"), memory_kib("/proc/self/status", "VmHWM"),
                 (uintmax_t)bench->cutoff, (uintmax_t)bench->seen, seconds(bench->seen_unix_ns));
    (void)fflush(stdout);
}

static void stop(void *arg)
{
    hf_loop_stop(((struct bench *)arg)->loop);
}

static const char *no_environment(const char *name)
{
    (void)name;
    return NULL;
}

static void end(struct bench *bench)
{
    const struct hf_sched_ops *sched = hf_loop_sched(bench->loop);

    for (unsigned i = 0; i < bench->n; i++) {
        hf_kube_free(bench->followers[i].kube);
        hf_http_client_free(bench->followers[i].http);
        hf_timer_free(sched, bench->followers[i].start);
    }
    hf_timer_free(sched, bench->timer);
    hf_loop_free(bench->loop);
    hf_kube_config_done(&bench->config);
    free(bench->followers);
    free(bench->tags);
}

int main(int argc, char **argv)
{
    struct bench bench = {.n = 1};
    uint64_t count = 1, nodes = 1;
    struct hf_err err = HF_ERR_INIT;
    struct rlimit files;

    bench.fleet = argc == 3 && strcmp(argv[1], "follow") == 0;
    if (!bench.fleet &&
        (argc < 5 || strcmp(argv[1], "agents") != 0 || hf_parse_u64(argv[3], 1, MAX_CLIENTS, &count) < 0 ||
         hf_parse_u64(argv[4], 1, 1000000, &nodes) < 0)) {
        (void)fputs("usage: fleet-bench follow KUBECONFIG | agents KUBECONFIG COUNT NODES [SPREAD_S]\n", stderr);
        return 2;
    }
    bench.spread_s = argc > 5 ? strtod(argv[5], NULL) : 0;
    bench.n = (unsigned)count;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < FILES_FOR_EACH * count + 64) {
        files.rlim_cur = HF_MIN(files.rlim_max, FILES_FOR_EACH * count + 64);
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    hf_memory_frugal();
    if (hf_kube_config_find(hf_fs_posix(), NULL, argv[2], no_environment, &bench.config, &err) < 0)
        fail(argv[2], &err);
    bench.loop = hf_loop_new(&err);
    bench.followers = calloc(bench.n, sizeof(*bench.followers));
    bench.tags = calloc((size_t)bench.n * KINDS, sizeof(*bench.tags));
    if (bench.loop == NULL || bench.followers == NULL || bench.tags == NULL ||
        hf_loop_on_signal(bench.loop, SIGTERM, stop, &bench) < 0)
        fail("start", &err);
    bench.start_ns = now_ns();
    for (unsigned i = 0; i < bench.n; i++)
        make_follower(&bench, i, (unsigned)nodes);
    bench.timer = hf_timer_new(hf_loop_sched(bench.loop), say, &bench);
    say(&bench);
    hf_loop_run(bench.loop);
    end(&bench);
    return 0;
}
