/* SPDX-License-Identifier: Apache-2.0 */
/* Health of static pods (manifests/kubelet/health.h) against a kubelet and an API server of this file, on virtual time. */
#include "manifests/kubelet/health.h"

#include <string.h>

#include "kube/kube.h"
#include "manifests/kubelet/listener.h"
#include "support/check_main.h"
#include "support/fakes/simkubelet.h"
#include "support/fakes/simnet.h"

#define KUBELET "https://127.0.0.1:10250"
#define READ_ONLY "http://127.0.0.1:10255"
#define API "https://api"

struct world {
    struct hf_simloop *loop;
    struct hf_simnet *net;
    struct hf_simfs *fs;
    struct hf_simproc *proc;
    struct hf_simclient *client;
    struct hf_kube_config config;
    struct hf_kube *kube;
    struct hf_manifest_env env;
    unsigned asked[3];        /* kubelet, read-only port, API server */
    int status[3];            /* 0: refuses the connection */
    const char *first, *then; /* the pod, at first and after `changes` answers */
    unsigned changes, answers;
    unsigned ends;
    enum hf_kubelet_state state;
    bool unread;
    char why[300], hash[40];
    uint64_t at_ns;
};

#define POD(phase, hash, more)                                                                                         \
    "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"web-n1\",\"namespace\":\"site\",\"annotations\":{"                     \
    "\"kubernetes.io/config.hash\":\"" hash "\"}},\"status\":{\"phase\":\"" phase "\"" more "}}"
#define READY(hash) POD("Running", hash, ",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]")
#define CRASHES                                                                                                        \
    POD("Running", "1",                                                                                                \
        ",\"containerStatuses\":[{\"name\":\"c\",\"state\":{\"waiting\":{\"reason\":\"CrashLoopBackOff\"}}}]")
#define NO_PODS "none" /* a kubelet that runs no pod at all */
#define SAME_HASH "the kubelet may not have read the new file"
#define OTHERS                                                                                                         \
    "{\"metadata\":{\"name\":\"web-n1\",\"namespace\":\"other\"}},{\"metadata\":{\"name\":\"web-n1\",\"namespace\":"   \
    "\"site\"}}"

static void handle(struct world *world, unsigned who, struct hf_simcall *call)
{
    const char *pod = world->answers < world->changes ? world->first : world->then;
    char text[2000];

    world->asked[who]++;
    if (world->status[who] != 200) {
        hf_simcall_reply(call, world->status[who], "application/json", "{\"kind\":\"Status\",\"message\":\"no\"}");
        return;
    }
    world->answers++;
    if (who == 2 && *pod == '\0') {
        hf_simcall_reply(call, 404, "application/json", "{\"kind\":\"Status\",\"reason\":\"NotFound\"}");
        return;
    }
    if (who == 2)
        (void)snprintf(text, sizeof(text), "%s", pod);
    else if (strcmp(pod, NO_PODS) == 0)
        (void)snprintf(text, sizeof(text),
                       "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{},\"items\":null}");
    else
        (void)snprintf(text, sizeof(text), "{\"kind\":\"PodList\",\"items\":[" OTHERS "%s%s]}", *pod != '\0' ? "," : "",
                       pod);
    hf_simcall_reply(call, 200, "application/json", text);
}

static void kubelet(void *arg, struct hf_simcall *call)
{
    handle(arg, 0, call);
}
static void read_only(void *arg, struct hf_simcall *call)
{
    handle(arg, 1, call);
}
static void api(void *arg, struct hf_simcall *call)
{
    ck_assert_str_eq(hf_simcall_target(call), "/api/v1/namespaces/site/pods/web-n1");
    handle(arg, 2, call);
}

static void world_start(struct world *world, const int status[3])
{
    *world = (struct world){.loop = hf_simloop_new(3)};
    world->net = hf_simnet_new(world->loop);
    hf_simnet_serve(world->net, KUBELET, kubelet, world);
    hf_simnet_serve(world->net, READ_ONLY, read_only, world);
    hf_simnet_serve(world->net, API, api, world);
    world->proc = hf_simproc_new(world->loop, "agent");
    world->client = hf_simnet_client(world->net, world->proc);
    world->config.server = strdup("https://api:6443");
    struct hf_kube_params params = {
        .config = &world->config,
        .field_manager = "holdfast-agent",
        .world = hf_simproc_world(world->proc, NULL),
        .http = hf_simclient_ops(world->client),
    };
    world->kube = hf_kube_new(&params, NULL);
    world->fs = hf_simfs_new();
    hf_simkubelet_listen(world->fs, 0);
    world->env = (struct hf_manifest_env){.world = hf_simproc_world(world->proc, hf_simfs_ops(world->fs)),
                                          .http = params.http,
                                          .kube = world->kube,
                                          .node_name = "n1"};
    for (int i = 0; i < 3; i++) {
        world->status[i] = status[i];
        if (status[i] == 0)
            hf_simnet_set_server(world->net, i == 0 ? KUBELET : i == 1 ? READ_ONLY : API, HF_SIM_SERVER_REFUSING);
    }
}

static void world_end(struct world *world)
{
    hf_kube_free(world->kube);
    ck_assert_uint_eq(hf_simproc_timers(world->proc), 0);
    ck_assert_uint_eq(hf_simclient_calls(world->client), 0);
    hf_simclient_free(world->client);
    hf_simproc_free(world->proc);
    hf_simnet_free(world->net);
    hf_simloop_free(world->loop);
    hf_simfs_free(world->fs);
    hf_kube_config_done(&world->config);
}

static void done(void *arg, const struct hf_kubelet_verdict *verdict, const json_t *pods)
{
    struct world *world = arg;

    world->ends++;
    world->state = verdict->state;
    world->unread = verdict->unread;
    (void)snprintf(world->why, sizeof(world->why), "%s", verdict->why);
    json_t *hashes = hf_kubelet_hashes_of(pods);
    const char *hash = json_string_value(json_object_get(hashes, "site/web-n1"));
    (void)snprintf(world->hash, sizeof(world->hash), "%s", hash != NULL ? hash : "");
    json_decref(hashes);
    ck_assert((verdict->state == HF_KUBELET_UNKNOWN) == (pods == NULL));
    world->at_ns = hf_simloop_now_ns(world->loop);
}

static struct hf_kubelet_health *begin(struct world *world, const char *old_hash, uint64_t deadline_s)
{
    json_t *wanted = json_pack("[{s:s, s:s}]", "namespace", "site", "name", "web");
    struct hf_kubelet_health *health;
    const struct hf_kubelet_health_params params = {.env = &world->env,
                                                    .kubelet = world->env.http,
                                                    .wanted = wanted,
                                                    .deadline_ns = deadline_s * HF_NS_PER_S,
                                                    .done = done,
                                                    .arg = world};

    if (old_hash != NULL && strcmp(old_hash, "unsure") == 0)
        (void)json_object_set_new(json_array_get(wanted, 0), "unsure", json_true());
    else if (old_hash != NULL)
        (void)json_object_set_new(json_array_get(wanted, 0), "hash", json_string(old_hash));
    ck_assert_int_eq(hf_kubelet_health_start(&params, &health, NULL), 0);
    ck_assert_uint_eq(world->ends, 0);
    json_decref(wanted);
    return health;
}

static const struct {
    const char *name;
    int status[3];
    const char *first;
    unsigned changes;
    const char *then, *old;
    uint64_t deadline_s;
    enum hf_kubelet_state state;
    const char *why;
    uint64_t from_s, to_s; /* when it ends */
    unsigned asked[3];     /* of each one: asked at all? */
} cases[] = {
    {"ready", {200, 200, 200}, "", 0, READY("1"), NULL, 60, HF_KUBELET_READY, "", 0, 1, {1, 0, 0}},
    {"ready later",
     {200, 200, 200},
     POD("Pending", "1", ""),
     3,
     READY("1"),
     NULL,
     60,
     HF_KUBELET_READY,
     "",
     3,
     4,
     {1, 0, 0}},
    {"not begun, then ready", {200, 0, 0}, "", 2, READY("1"), NULL, 60, HF_KUBELET_READY, "", 2, 3, {1, 0, 0}},
    {"old file", {200, 0, 0}, READY("1"), 4, READY("2"), "1", 60, HF_KUBELET_READY, "", 4, 5, {1, 0, 0}},
    {"old file, short deadline",
     {200, 0, 0},
     "",
     0,
     READY("1"),
     "1",
     20,
     HF_KUBELET_PENDING,
     SAME_HASH,
     20,
     27,
     {1, 0, 0}},
    {"the hash stays", {200, 0, 0}, "", 0, READY("1"), "1", 120, HF_KUBELET_READY, "", 25, 31, {1, 0, 0}},
    {"the hash stays, port", {403, 200, 0}, "", 0, READY("1"), "1", 120, HF_KUBELET_READY, "", 25, 31, {1, 1, 0}},
    {"the hash stays, and it crashes",
     {200, 0, 0},
     "",
     0,
     CRASHES,
     "1",
     120,
     HF_KUBELET_FAILED,
     "'c'",
     25,
     31,
     {1, 0, 0}},
    {"the hash stays, and it is not ready",
     {200, 0, 0},
     "",
     0,
     POD("Pending", "1", ""),
     "1",
     60,
     HF_KUBELET_PENDING,
     "",
     60,
     66,
     {1, 0, 0}},
    {"the hash of a mirror pod stays",
     {403, 0, 200},
     "",
     0,
     READY("1"),
     "1",
     60,
     HF_KUBELET_PENDING,
     SAME_HASH,
     60,
     66,
     {1, 0, 1}},
    {"the hash of a mirror pod changes late",
     {403, 0, 200},
     READY("1"),
     25,
     READY("2"),
     "1",
     120,
     HF_KUBELET_READY,
     "",
     35,
     50,
     {1, 0, 1}},
    {"nobody knows the old hash",
     {200, 0, 0},
     "",
     0,
     READY("1"),
     "unsure",
     20,
     HF_KUBELET_READY,
     "",
     10,
     11,
     {1, 0, 0}},
    {"the same, long", {200, 0, 0}, "", 0, READY("1"), "unsure", 600, HF_KUBELET_READY, "", 25, 31, {1, 0, 0}},
    {"nobody knows it, and it crashes",
     {200, 0, 0},
     "",
     0,
     CRASHES,
     "unsure",
     20,
     HF_KUBELET_FAILED,
     "'c'",
     10,
     11,
     {1, 0, 0}},
    {"crashes",
     {200, 0, 0},
     "",
     0,
     CRASHES,
     NULL,
     60,
     HF_KUBELET_FAILED,
     "Pod site/web: container 'c'",
     0,
     1,
     {1, 0, 0}},
    {"deadline", {200, 0, 0}, "", 0, "", NULL, 60, HF_KUBELET_PENDING, "has not started it", 60, 66, {1, 0, 0}},
    {"first pod of the node", {200, 0, 200}, NO_PODS, 2, READY("1"), NULL, 60, HF_KUBELET_READY, "", 2, 3, {1, 0, 0}},
    {"read-only port", {403, 200, 200}, "", 0, READY("1"), NULL, 60, HF_KUBELET_READY, "", 0, 1, {1, 1, 0}},
    {"mirror pod", {403, 0, 200}, "", 2, READY("1"), NULL, 60, HF_KUBELET_READY, "", 2, 3, {1, 0, 1}},
    {"nobody",
     {0, 0, 0},
     "",
     0,
     "",
     NULL,
     60,
     HF_KUBELET_UNKNOWN,
     "written, health unknown: kubelet: ",
     15,
     18,
     {0, 0, 0}},
    {"no rights",
     {403, 404, 403},
     "",
     0,
     "",
     NULL,
     60,
     HF_KUBELET_UNKNOWN,
     "the server answered 403",
     15,
     18,
     {1, 1, 1}},
    {"asked once", {200, 0, 0}, "", 0, READY("7"), "7", 0, HF_KUBELET_PENDING, "", 0, 1, {1, 0, 0}},
    {"asked once, nobody", {0, 0, 0}, "", 0, "", NULL, 0, HF_KUBELET_UNKNOWN, "", 0, 1, {0, 0, 0}},
};

START_TEST(each_way)
{
    struct world world;

    world_start(&world, cases[_i].status);
    world.first = cases[_i].first;
    world.then = cases[_i].then;
    world.changes = cases[_i].changes;
    (void)begin(&world, cases[_i].old, cases[_i].deadline_s);
    (void)hf_simloop_run_for(world.loop, 600 * HF_NS_PER_S);
    ck_assert_uint_eq(world.ends, 1);
    ck_assert_msg(world.state == cases[_i].state, "%s: state %d: %s", cases[_i].name, world.state, world.why);
    ck_assert_msg(strstr(world.why, cases[_i].why) != NULL, "%s: %s", cases[_i].name, world.why);
    ck_assert_msg(world.unread == (strstr(world.why, SAME_HASH) != NULL), "%s: unread %d: %s", cases[_i].name,
                  world.unread, world.why);
    ck_assert_msg(world.at_ns >= cases[_i].from_s * HF_NS_PER_S && world.at_ns <= cases[_i].to_s * HF_NS_PER_S,
                  "%s: ended after %u ms", cases[_i].name, (unsigned)(world.at_ns / HF_NS_PER_MS));
    for (int i = 0; i < 3; i++)
        ck_assert_msg((world.asked[i] > 0) == cases[_i].asked[i], "%s: %d was asked %u times", cases[_i].name, i,
                      world.asked[i]);
    if (strcmp(cases[_i].name, "asked once") == 0)
        ck_assert_str_eq(world.hash, "7");
    world_end(&world);
}
END_TEST

/* A pod that is not ready counts for more than one of which nobody knows if the kubelet has read its file: the order of
 * the pods does not matter. */
START_TEST(the_worst_of_two)
{
    json_t *pods = json_pack("[{s:{s:s, s:s, s:{s:s}}}]", "metadata", "name", "web-n1", "namespace", "site",
                             "annotations", "kubernetes.io/config.hash", "1");
    json_t *wanted = json_pack("[{s:s, s:s, s:s}, {s:s, s:s}]", "namespace", "site", "name", "web", "hash", "1",
                               "namespace", "site", "name", "absent");
    const struct hf_kubelet_list list = {.pods = pods};
    struct hf_kubelet_verdict verdict;

    for (int turn = 0; turn < 2; turn++) {
        verdict = hf_kubelet_verdict_of(wanted, "n1", &list);
        ck_assert_int_eq(verdict.state, HF_KUBELET_PENDING);
        ck_assert(!verdict.unread);
        json_t *last = json_incref(json_array_get(wanted, 1));
        ck_assert_int_eq(json_array_remove(wanted, 1) + json_array_insert_new(wanted, 0, last), 0);
    }
    ck_assert_int_eq(json_array_remove(wanted, 0), 0);
    ck_assert_int_eq(json_array_remove(wanted, 0) +
                         json_array_append_new(
                             wanted, json_pack("{s:s, s:s, s:s}", "namespace", "site", "name", "web", "hash", "1")),
                     0);
    verdict = hf_kubelet_verdict_of(wanted, "n1", &list);
    ck_assert(verdict.state == HF_KUBELET_PENDING && verdict.unread);
    json_decref(wanted);
    json_decref(pods);
}
END_TEST

START_TEST(ended_anywhere)
{
    static const int status[] = {403, 404, 200};

    for (int n = 0; n < 40; n++) {
        struct world world;
        world_start(&world, status);
        world.first = world.then = "";
        struct hf_kubelet_health *health = begin(&world, NULL, 60);
        for (int i = 0; i < n; i++)
            ck_assert(hf_simloop_step(world.loop));
        hf_kubelet_health_free(health);
        (void)hf_simloop_run_for(world.loop, 60 * HF_NS_PER_S);
        ck_assert_uint_eq(world.ends, 0);
        world_end(&world);
    }
}
END_TEST

/* The read-only port is asked if root alone listens there: any local user may take the port while it is free. */
START_TEST(who_listens)
{
    static const struct {
        const char *tcp, *tcp6;
        bool root;
    } rows[] = {
        {"   0: 0100007F:280F 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1\n", NULL,
         true},
        {"   0: 0100007F:280F 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1\n", NULL,
         false},
        {"   0: 0200000A:280F 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1\n"
         "   1: 0100007F:280F 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1\n",
         NULL, false},
        {"   0: 0100007F:280F 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 1 1\n", NULL,
         false},
        {"   0: 0100007F:2810 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1\n",
         "   0: 00000000000000000000000000000000:280F 00000000000000000000000000000000:0000 0A 00000000:00000000 "
         "00:00000000 00000000     0        0 1 1\n",
         true},
        {"   0: 0100007F:280F", "garbage\n\n", false},
        {NULL, NULL, false},
    };
    struct hf_simfs *fs = hf_simfs_new();

    if (rows[_i].tcp != NULL)
        hf_simfs_put(fs, "/proc/net/tcp", rows[_i].tcp, strlen(rows[_i].tcp), 0444);
    if (rows[_i].tcp6 != NULL)
        hf_simfs_put(fs, "/proc/net/tcp6", rows[_i].tcp6, strlen(rows[_i].tcp6), 0444);
    ck_assert_int_eq(hf_listener_is_root(hf_simfs_ops(fs), 10255), rows[_i].root);
    hf_simfs_free(fs);
}
END_TEST

/* A local user has taken the port at 127.0.0.1, and so many others that the list is too long to be read. _i == 0: so
 * many connections, which follow after all sockets that listen, hide nobody. */
START_TEST(who_listens_behind_many)
{
    static const char listening[] =
        "%4u: 0100007F:%04X 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1\n";
    static const char root[] =
        "   0: 0200000A:280F 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1\n";
    struct hf_buf text = HF_BUF_INIT(1 << 20);
    struct hf_simfs *fs = hf_simfs_new();

    ck_assert_int_eq(hf_buf_addf(&text, "%s", root), 0);
    for (unsigned i = 0; i < 4000; i++)
        ck_assert_int_eq(_i == 0 ? hf_buf_addf(&text,
                                               "%4u: 0100007F:%04X 0100007F:9C40 01 00000000:00000000 "
                                               "00:00000000 00000000  1000        0 1 1\n",
                                               i, 20000 + i)
                                 : hf_buf_addf(&text, listening, i, 20000 + i),
                         0);
    if (_i == 1)
        ck_assert_int_eq(hf_buf_addf(&text, listening, 4000, 10255), 0);
    hf_simfs_put(fs, "/proc/net/tcp", text.p, text.n, 0444);
    ck_assert_int_eq(hf_listener_is_root(hf_simfs_ops(fs), 10255), _i == 0);
    hf_simfs_free(fs);
    hf_buf_done(&text);
}
END_TEST

static void add_cases(TCase *tc)
{
    tcase_add_loop_test(tc, each_way, 0, (int)HF_LEN(cases));
    tcase_add_test(tc, the_worst_of_two);
    tcase_add_test(tc, ended_anywhere);
    tcase_add_loop_test(tc, who_listens, 0, 7);
    tcase_add_loop_test(tc, who_listens_behind_many, 0, 2);
}
HF_TEST_MAIN("manifests/kubelet/health", add_cases)
