/* SPDX-License-Identifier: Apache-2.0 */
/* The client on the real loop, over real HTTP, against the MetaServer's double (tests/support/programs/metaserver-double.py), with its
 * waiting times cut to a twentieth: 10 s are half a second. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kube/kube.h"
#include "loop/http/client.h"
#include "loop/loop.h"
#include "os/clock_posix.h"
#include "os/dir.h"
#include "os/fs_posix.h"
#include "os/rand_posix.h"
#include "support/check_main.h"
#include "support/loop_for.h"

#define SCALE "0.05"
#define AWAY_MS 1500u /* what a call takes when the cloud is away: long enough that a busy machine adds little to it */

struct world {
    char dir[64];
    pid_t pid;
    unsigned port;
    struct hf_loop *loop;
    struct hf_http_client *client;
    struct hf_kube_config config;
    struct hf_kube *kube;
    const struct hf_source_ops *source;
    struct hf_timer *stop;
};

struct seen {
    struct hf_subscription *sub;
    json_t *held;
    unsigned upserts, gone, synced;
    bool in_contact;
    int why; /* errno of the last LOST */
    char mark[64];
};

/* ---- the double --------------------------------------------------------------------------------------------------- */

static _Noreturn void run_child(const struct world *world, int output)
{
    char port[16], state[96];

    (void)snprintf(port, sizeof(port), "%u", world->port);
    (void)snprintf(state, sizeof(state), "%s/state", world->dir);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)dup2(output, STDOUT_FILENO);
    (void)execl("/usr/bin/python3", "python3", "tests/support/programs/metaserver-double.py", "--port", port, "--scale",
                SCALE, "--state", state, (char *)NULL);
    _exit(127);
}

static void start_double(struct world *world)
{
    int output[2];
    char line[32] = "";

    ck_assert_int_eq(pipe2(output, O_CLOEXEC), 0);
    world->pid = fork();
    ck_assert_int_ge(world->pid, 0);
    if (world->pid == 0)
        run_child(world, output[1]);
    (void)close(output[1]);
    for (size_t n = 0; n + 1 < sizeof(line) && strchr(line, '\n') == NULL;) {
        ssize_t got = read(output[0], line + n, sizeof(line) - 1 - n);
        ck_assert_msg(got > 0, "the double ended before it said its port");
        n += (size_t)got;
    }
    (void)close(output[0]);
    ck_assert_int_eq(sscanf(line, "port %u", &world->port), 1);
}

static void stop_double(struct world *world)
{
    (void)kill(world->pid, SIGKILL);
    ck_assert_int_eq(waitpid(world->pid, NULL, 0), world->pid);
}

/* ---- the world ---------------------------------------------------------------------------------------------------- */

static void stop_fires(void *arg)
{
    hf_loop_stop(((struct world *)arg)->loop);
}

static void run(struct world *world, uint64_t ms)
{
    const struct hf_sched_ops *sched = hf_loop_sched(world->loop);

    hf_timer_arm(sched, world->stop, ms * HF_NS_PER_MS);
    hf_loop_run(world->loop);
}

static bool run_until(struct world *world, bool (*met)(const void *arg), const void *arg, uint64_t ms)
{
    for (uint64_t t = 0; t < ms && !met(arg); t += 10)
        run(world, 10);
    return met(arg);
}

struct reply {
    bool done;
    int r;
    json_t *json;
};

static void control_done(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                         const struct hf_err *err)
{
    struct reply *reply = arg;

    (void)response;
    (void)err;
    reply->done = true;
    reply->r = r;
    reply->json = json_loadb(body.p != NULL ? body.p : "", body.n, 0, NULL);
}

static bool is_done(const void *arg)
{
    return ((const struct reply *)arg)->done;
}

/* Ask the double to do something; its answer (to be freed). */
static json_t *control(struct world *world, const char *method, const char *what, const char *body)
{
    const struct hf_http_ops *http = hf_http_client_ops(world->client);
    _cleanup_(hf_freep) char *url = hf_asprintf("http://127.0.0.1:%u/_control/%s", world->port, what);
    struct reply reply = {.done = false};
    struct hf_http_request request = {
        .method = method, .url = url, .body = hf_view_of(body), .done = control_done, .arg = &reply};
    struct hf_http_call *call;

    ck_assert_int_eq(http->start(http->ctx, &request, &call, NULL), 0);
    ck_assert(run_until(world, is_done, &reply, 5000) && reply.r == 0);
    return reply.json;
}

static void tell(struct world *world, const char *what, const char *body)
{
    json_decref(control(world, "POST", what, body));
}

static void put(struct world *world, const char *kind, const char *name, int value)
{
    _cleanup_(hf_freep) char *text =
        hf_asprintf("{\"apiVersion\":\"edge.codcompass.io/v1alpha1\",\"kind\":\"%s\",\"metadata\":{\"name\":\"%s\"},"
                    "\"spec\":{\"value\":%d}}",
                    kind, name, value);

    tell(world, "put", text);
}

static void start_kube(struct world *world)
{
    struct hf_kube_params params = {.config = &world->config,
                                    .api = HF_KUBE_METASERVER, /* the double's port is not 10550 */
                                    .field_manager = "holdfast-agent",
                                    .world = hf_loop_world(world->loop),
                                    .http = hf_http_client_ops(world->client),
                                    .retry_cap_ns = HF_NS_PER_S};

    world->kube = hf_kube_new(&params, NULL);
    ck_assert_ptr_nonnull(world->kube);
    world->source = hf_kube_source(world->kube);
}

static void world_start(struct world *world)
{
    struct hf_http_config config = {.user_agent = "holdfast-agent/test"};

    *world = (struct world){.dir = "/tmp/holdfast-double-XXXXXX"};
    ck_assert_ptr_nonnull(mkdtemp(world->dir));
    start_double(world);
    world->loop = hf_loop_new(NULL);
    ck_assert_ptr_nonnull(world->loop);
    world->client = hf_http_client_new(world->loop, &config, NULL);
    ck_assert_ptr_nonnull(world->client);
    world->stop = hf_timer_new(hf_loop_sched(world->loop), stop_fires, world);
    world->config.server = hf_asprintf("http://127.0.0.1:%u", world->port);
    start_kube(world);
}

static void world_end(struct world *world)
{
    hf_kube_free(world->kube);
    hf_timer_free(hf_loop_sched(world->loop), world->stop);
    hf_http_client_free(world->client);
    hf_loop_free(world->loop);
    stop_double(world);
    hf_kube_config_done(&world->config);
    ck_assert_int_eq(hf_dir_remove_tree(hf_fs_posix(), world->dir, NULL), 0);
}

/* ---- the subscriber ----------------------------------------------------------------------------------------------- */

static void on_upsert(void *arg, json_t *object)
{
    struct seen *seen = arg;

    seen->upserts++;
    (void)json_object_set(seen->held, hf_json_str(object, "metadata.name"), object);
}

static void on_gone(void *arg, const char *name)
{
    struct seen *seen = arg;

    ck_assert(seen->in_contact);
    seen->gone++;
    ck_assert_int_eq(json_object_del(seen->held, name), 0);
}

static void on_synced(void *arg, const char *version)
{
    (void)version;
    ((struct seen *)arg)->synced++;
}

static void on_mark(void *arg, const char *version)
{
    (void)snprintf(((struct seen *)arg)->mark, 64, "%s", version);
}

static void on_contact(void *arg, enum hf_contact_kind kind, struct hf_server_date date, const struct hf_err *err)
{
    ck_assert_uint_eq(date.unix_ns, 0);
    ((struct seen *)arg)->why = err != NULL ? err->code : 0;
    ((struct seen *)arg)->in_contact = kind == HF_CONTACT_PROVEN;
}

static void subscribe(struct world *world, struct seen *seen, const char *kind, const char *resume,
                      const char *const *known)
{
    struct hf_source_sink sink = {.arg = seen,
                                  .upsert = on_upsert,
                                  .gone = on_gone,
                                  .synced = on_synced,
                                  .version = on_mark,
                                  .contact = on_contact};

    if (seen->held == NULL)
        seen->held = json_object();
    ck_assert_int_eq(world->source->subscribe(world->source->ctx, kind, NULL, resume, known, &sink, &seen->sub, NULL),
                     0);
}

static bool in_contact(const void *arg)
{
    return ((const struct seen *)arg)->in_contact;
}

static bool out_of_contact(const void *arg)
{
    return !in_contact(arg);
}

static bool has(const struct seen *seen, const char *name)
{
    return json_object_get(seen->held, name) != NULL;
}

static void lose_contact(struct world *world, struct seen *seen)
{
    tell(world, "cut", "");
    seen->sub->source->refresh(seen->sub);
    ck_assert(run_until(world, out_of_contact, seen, 4 * AWAY_MS));
}

/* ---- the tests ---------------------------------------------------------------------------------------------------- */

START_TEST(deletions_while_away)
{
    struct world world;
    struct seen seen = {.upserts = 0}, policies = {.upserts = 0};
    world_start(&world);
    put(&world, "EdgeUpdate", "a", 1);
    put(&world, "EdgeUpdate", "b", 1);
    put(&world, "SyncPolicy", "p", 1);
    subscribe(&world, &seen, "EdgeUpdate", "", NULL);
    subscribe(&world, &policies, "SyncPolicy", "", NULL);
    ck_assert(run_until(&world, in_contact, &policies, 2000));
    run(&world, 200);
    ck_assert(seen.upserts == 2 && policies.upserts == 1 && seen.synced >= 1);
    lose_contact(&world, &seen);
    tell(&world, "delete?kind=EdgeUpdate&name=b", "");
    tell(&world, "delete?kind=SyncPolicy&name=p", "");
    put(&world, "EdgeUpdate", "c", 1);
    for (int i = 0; i < 3; i++) { /* the heartbeat */
        seen.sub->source->refresh(seen.sub);
        run(&world, 600);
    }
    ck_assert(seen.gone == 0 && policies.gone == 0 && !has(&seen, "c") && !seen.in_contact);
    tell(&world, "heal?after=60", ""); /* connected 3 s after the link is back */
    run(&world, 1500);
    ck_assert(seen.gone == 0 && policies.gone == 0);
    ck_assert(run_until(&world, in_contact, &seen, 6000));
    run(&world, 500);
    ck_assert(seen.gone == 1 && policies.gone == 1 && has(&seen, "c") && has(&seen, "a"));
    json_t *state = control(&world, "GET", "state", "");
    ck_assert_int_eq(hf_json_int_or(state, "counts.most_waiting_lists", 0), 1);
    json_decref(state);
    json_decref(seen.held);
    json_decref(policies.held);
    world_end(&world);
}
END_TEST

START_TEST(ghosts_and_restarts)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    world_start(&world);
    put(&world, "EdgeUpdate", "a", 1);
    put(&world, "EdgeUpdate", "ghost", 1);
    subscribe(&world, &seen, "EdgeUpdate", "", NULL);
    ck_assert(run_until(&world, in_contact, &seen, 2000));
    run(&world, 300);
    ck_assert(has(&seen, "ghost"));
    lose_contact(&world, &seen);
    tell(&world, "delete?kind=EdgeUpdate&name=ghost", "");
    tell(&world, "heal", "");
    ck_assert(run_until(&world, in_contact, &seen, 5000));
    run(&world, 300);
    ck_assert(!has(&seen, "ghost") && has(&seen, "a"));
    json_t *state = control(&world, "GET", "state", "");
    ck_assert_uint_eq(json_array_size(json_object_get(state, "store")), 2); /* the ghost stays in there */
    json_decref(state);
    /* The MetaServer restarts, and is asked again and again. */
    unsigned upserts = seen.upserts;
    stop_double(&world);
    run(&world, 300);
    ck_assert(!seen.in_contact && seen.gone == 1);
    start_double(&world);
    ck_assert(run_until(&world, in_contact, &seen, 5000));
    run(&world, 1500); /* the replay, and more */
    ck_assert(seen.upserts == upserts && !has(&seen, "ghost"));
    /* A new life of ours. */
    char resume[64];
    hf_kube_free(world.kube);
    start_kube(&world);
    memcpy(resume, seen.mark, sizeof(resume));
    subscribe(&world, &seen, "EdgeUpdate", resume, (const char *const[]){"a", NULL});
    run(&world, 1500);
    ck_assert(!has(&seen, "ghost") && has(&seen, "a") && seen.gone == 1 && seen.in_contact);
    json_decref(seen.held);
    world_end(&world);
}
END_TEST

START_TEST(an_empty_list_away)
{
    struct world world;
    struct seen seen = {.held = json_pack("{s:b,s:b}", "a", 1, "b", 1)};
    world_start(&world);
    put(&world, "EdgeUpdate", "a", 1);
    tell(&world, "cut", "");
    subscribe(&world, &seen, "EdgeUpdate", "40", (const char *const[]){"a", "b", NULL});
    for (int i = 0; i < 3; i++) {
        run(&world, 600);
        seen.sub->source->refresh(seen.sub);
    }
    ck_assert(seen.gone == 0 && seen.upserts == 0 && seen.synced == 0 && !seen.in_contact);
    stop_double(&world); /* then its lists come at once, from a store that knows nothing */
    start_double(&world);
    run(&world, 1500);
    ck_assert(seen.gone == 0 && seen.upserts == 0 && !seen.in_contact);
    tell(&world, "heal", "");
    ck_assert(run_until(&world, in_contact, &seen, 5000));
    run(&world, 300);
    ck_assert(seen.gone == 1 && seen.upserts == 1);
    json_decref(seen.held);
    world_end(&world);
}
END_TEST

struct beat {
    struct world *world;
    struct hf_timer *timer;
    uint64_t last_ns, worst_ns;
};

static void beat_fires(void *arg)
{
    struct beat *beat = arg;
    const struct hf_sched_ops *sched = hf_loop_sched(beat->world->loop);
    uint64_t now = hf_mono_ns(hf_clock_posix());

    if (beat->last_ns != 0)
        beat->worst_ns = HF_MAX(beat->worst_ns, now - beat->last_ns);
    beat->last_ns = now;
    hf_timer_arm(sched, beat->timer, 10 * HF_NS_PER_MS);
}

struct answer {
    unsigned n;
    int r;
};

static void on_done(void *arg, int r, uint64_t retry_after_ns, const json_t *answer, const struct hf_err *err)
{
    (void)retry_after_ns;
    (void)answer;
    ck_assert((r < 0) == (err != NULL));
    ((struct answer *)arg)->n++;
    ((struct answer *)arg)->r = r;
}

static void apply(struct world *world, struct answer *answer, const char *text, const char *subresource)
{
    struct hf_delivery *delivery;
    json_t *body = json_loads(text, 0, NULL);

    ck_assert_int_eq(world->source->apply(world->source->ctx, body, subresource, on_done, answer, &delivery, NULL), 0);
    json_decref(body);
}

START_TEST(a_slow_call_delays_nothing)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    struct answer answer = {.n = 0};
    world_start(&world);
    struct beat beat = {.world = &world};
    const struct hf_sched_ops *sched = hf_loop_sched(world.loop);
    put(&world, "EdgeUpdate", "a", 1);
    subscribe(&world, &seen, "EdgeUpdate", "", NULL);
    ck_assert(run_until(&world, in_contact, &seen, 2000));
    tell(&world, "cut", "");
    beat.timer = hf_timer_new(sched, beat_fires, &beat);
    beat_fires(&beat);
    apply(&world, &answer, "{\"kind\":\"EdgeNode\",\"metadata\":{\"name\":\"n\"}}",
          NULL);                         /* takes its time, and fails */
    seen.sub->source->refresh(seen.sub); /* as does this, beside it */
    uint64_t begun = hf_mono_ns(hf_clock_posix()), starved_ns = loop_starved_ns();
    ck_assert(run_until(&world, out_of_contact, &seen, 4 * AWAY_MS));
    uint64_t took_ns = hf_mono_ns(hf_clock_posix()) - begun;
    ck_assert_uint_lt(took_ns, 2 * AWAY_MS * HF_NS_PER_MS + loop_starved_ns() - starved_ns); /* beside, not after */
    run(&world, 200);
    ck_assert(answer.n == 1 && answer.r == -EAGAIN);
    ck_assert_msg(beat.worst_ns < AWAY_MS * HF_NS_PER_MS / 2 + loop_starved_ns() - starved_ns,
                  "a timer of 10 ms was %ju ms late", (uintmax_t)(beat.worst_ns / HF_NS_PER_MS));
    hf_timer_free(sched, beat.timer);
    json_decref(seen.held);
    world_end(&world);
}
END_TEST

START_TEST(statuses_while_away)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    struct answer answer = {.n = 0};
    world_start(&world);
    put(&world, "EdgeNode", "n", 1);
    subscribe(&world, &seen, "EdgeNode", "", NULL);
    ck_assert(run_until(&world, in_contact, &seen, 2000));
    lose_contact(&world, &seen);
    json_t *state = control(&world, "GET", "state", "");
    int64_t before = hf_json_int_or(state, "version", 0), patches = hf_json_int_or(state, "counts.patch", 0);
    json_decref(state);
    for (int i = 0; i < 3; i++) {
        apply(&world, &answer, "{\"kind\":\"EdgeNode\",\"metadata\":{\"name\":\"n\"},\"status\":{\"sequence\":5}}",
              "status");
        run(&world, 50);
        ck_assert(answer.n == (unsigned)i + 1 && answer.r == -EHOSTUNREACH); /* at once, and without a call */
    }
    tell(&world, "heal", "");
    ck_assert(run_until(&world, in_contact, &seen, 5000));
    apply(&world, &answer, "{\"kind\":\"EdgeNode\",\"metadata\":{\"name\":\"n\"},\"status\":{\"sequence\":6}}",
          "status");
    run(&world, 300);
    ck_assert(answer.n == 4 && answer.r == 0);
    state = control(&world, "GET", "state", "");
    ck_assert_int_eq(hf_json_int_or(state, "version", 0), before + 1); /* once */
    ck_assert_int_eq(hf_json_int_or(state, "counts.patch", 0), patches + 1);
    json_decref(state);
    ck_assert_int_eq(hf_json_int_or(json_object_get(seen.held, "n"), "status.sequence", 0), 6);
    json_decref(seen.held);
    world_end(&world);
}
END_TEST

static bool is_barred(const void *arg)
{
    return ((const struct seen *)arg)->why == EACCES;
}

START_TEST(the_cloud_may_not)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    world_start(&world);
    put(&world, "EdgeUpdate", "a", 1);
    tell(&world, "forbid?kind=EdgeUpdate", "");
    subscribe(&world, &seen, "EdgeUpdate", "", NULL);
    ck_assert(run_until(&world, is_barred, &seen, 5000));
    ck_assert(!seen.in_contact && seen.upserts == 0 && seen.synced == 0);
    tell(&world, "allow?kind=EdgeUpdate", "");
    seen.sub->source->refresh(seen.sub); /* else it is asked for again in a minute */
    ck_assert(run_until(&world, in_contact, &seen, 10000));
    run(&world, 200);
    ck_assert(has(&seen, "a"));
    json_decref(seen.held);
    world_end(&world);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, deletions_while_away);
    tcase_add_test(tc, ghosts_and_restarts);
    tcase_add_test(tc, an_empty_list_away);
    tcase_add_test(tc, a_slow_call_delays_nothing);
    tcase_add_test(tc, statuses_while_away);
    tcase_add_test(tc, the_cloud_may_not);
}
HF_TEST_MAIN_CPU("kube/double", cases, 120)
