/* SPDX-License-Identifier: Apache-2.0 */
/* An entry of spec.manifests to Cluster in the engine, against an API server that knows server-side apply
 * (support/fakes/ssa_sim.h): the way of a set, health, rollback, drift, conflicts, removal, a server that is away; and a
 * power cut at every file-system call of an update. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "kube/kube.h"
#include "loop/proc.h"
#include "loop/unit.h"
#include "manifests/engine.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"
#include "support/fakes/simhost.h"
#include "support/fakes/ssa_sim.h"
#include "support/walk.h"

#define WEB "/apis/apps/v1/namespaces/site/deployments/web"
#define MAP "/api/v1/namespaces/site/configmaps/m"
#define DEPLOYMENT(image)                                                                                              \
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: site}\nspec: {image: " image "}\n"
#define CONFIG_MAP(value)                                                                                              \
    "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: m, namespace: site}\ndata: {k: '" value "'}\n"
#define EXTRA(name) "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: " name ", namespace: site}\n"

struct world {
    struct hf_simloop *loop;
    struct hf_simnet *net;
    struct hf_simfs *fs;
    struct ssa_sim api;
    struct hf_kube_config kube_config;
    struct hf_config *config;
    struct hf_syncpolicy *policy;
    /* one process */
    struct hf_simproc *proc;
    struct hf_simhost *host;
    struct hf_simclient *client;
    struct hf_kube *kube;
    struct hf_manifest_engine *engine;
    unsigned notices[HF_MANIFEST_NOTICE_COUNT];
    unsigned image_changes; /* of the Deployment */
    char last_image[32];
    bool sick;        /* the Deployment never becomes available */
    const char *hung; /* path of an object about which the server answers nothing */
    bool seconds;     /* the server's managedFields have the time of the world in seconds */
};

/* A disk that gives errors: the next reads of a content on it fail. */
static struct {
    const struct hf_fs_ops *inner;
    struct hf_fs_ops ops;
    unsigned errors; /* how many more */
    int error;
    bool full; /* no record can be written */
} disk = {.error = -EIO};

static int open_content(void *ctx, int dirfd, const char *path, int flags, mode_t mode, unsigned resolve)
{
    if (disk.errors > 0 && strstr(path, "/b-") != NULL && (flags & O_ACCMODE) == O_RDONLY) {
        disk.errors--;
        return disk.error;
    }
    if (disk.full && (flags & O_CREAT) != 0 && strstr(path, "record") != NULL)
        return -ENOSPC;
    return disk.inner->openat(ctx, dirfd, path, flags, mode, resolve);
}

static const struct hf_fs_ops *fs_of(struct hf_simfs *fs)
{
    disk.inner = hf_simfs_ops(fs);
    disk.ops = *disk.inner;
    disk.ops.openat = open_content;
    return &disk.ops;
}

static void changed(void *arg)
{
    (void)arg;
}

static char told[600];
static bool busy_map; /* a controller changes the status of the ConfigMap all the time */
static void happened(void *arg, enum hf_manifest_notice notice, const char *entry, const char *text)
{
    struct world *w = arg;

    if (notice == HF_MANIFEST_NOTICE_DRIFT_REPAIRED)
        (void)snprintf(told, sizeof(told), "%s", text);
    ck_assert_str_eq(entry, "app");
    w->notices[notice]++;
}

/* The controller of Deployments: makes each one available at once, unless it is broken. */
static void serve(void *arg, struct hf_simcall *call)
{
    struct world *w = arg;
    json_t *web = json_object_get(w->api.objects, WEB);
    bool broken = w->sick || strcmp(hf_json_str_or(web, "spec.image", ""), "broken") == 0;

    if (web != NULL)
        ssa_sim_put(web, "status",
                    json_pack("{s:i, s:i, s:i, s:i, s:[{s:s, s:s}]}", "replicas", 1, "readyReplicas", broken ? 0 : 1,
                              "updatedReplicas", 1, "availableReplicas", broken ? 0 : 1, "conditions", "type",
                              "Available", "status", broken ? "False" : "True"));
    if (w->hung != NULL && strncmp(hf_simcall_target(call), w->hung, strlen(w->hung)) == 0)
        return;
    if (w->seconds)
        w->api.clock = (unsigned)(hf_simloop_now_ns(w->loop) / HF_NS_PER_S % 60);
    if (busy_map && json_object_get(w->api.objects, MAP) != NULL)
        ssa_sim_put(json_object_get(w->api.objects, MAP), "metadata.resourceVersion",
                    json_sprintf("%u", ++w->api.versions));
    ssa_sim_handle(&w->api, call);
    const char *now = hf_json_str_or(json_object_get(w->api.objects, WEB), "spec.image", "");
    w->image_changes += strcmp(now, w->last_image) != 0;
    (void)snprintf(w->last_image, sizeof(w->last_image), "%s", now);
}

static void tell(struct world *w)
{
    static const struct hf_syncpolicy none = {.meta = {.name = "p"}};
    struct hf_manifest_desired desired = {
        .policy = w->policy != NULL ? w->policy : &none, .config = w->config, .proven = true};

    ck_assert_int_eq(hf_manifest_engine_set(w->engine, &desired, NULL), 0);
}

static const char *target = "Cluster"; /* of the entry */

static void set_policy(struct world *w, const char *fields)
{
    struct hf_issues *issues = calloc(1, sizeof(*issues));
    json_t *json = NULL;
    char text[1024];

    (void)snprintf(
        text, sizeof(text),
        "{\"apiVersion\":\"edge.codcompass.io/v1alpha1\",\"kind\":\"SyncPolicy\",\"metadata\":{\"name\":\"p\","
        "\"annotations\":{}},\"spec\":{\"manifests\":[{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},"
        "\"to\":\"%s\"%s}]}}",
        target, fields);
    hf_syncpolicy_free(w->policy);
    ck_assert_int_eq(hf_json_parse(hf_view_of(text), NULL, &json, NULL), 0);
    ck_assert_int_eq(hf_syncpolicy_decode(json, &w->policy, issues), 0);
    json_decref(json);
    free(issues);
}

static void publish(struct world *w, const char *text)
{
    hf_simfs_put(w->fs, "/media/usb/app.yaml", text, strlen(text), 0644);
}

static bool is_signed; /* the entry */

static bool ask_signed(void *arg, const struct hf_manifest *entry, enum hf_manifest_reason *ret_reason,
                       struct hf_err *err)
{
    (void)arg, (void)entry, (void)err;
    *ret_reason = HF_MANIFEST_REASON_UNSIGNED;
    return is_signed;
}

/* Answers the health check of the entry: 0, or -errno. NULL: nothing listens on the port. */
static int (*service)(struct world *w);

static int connect_to_service(void *arg, const char *host, uint16_t port)
{
    (void)host, (void)port;
    return service != NULL ? service(arg) : -ECONNREFUSED;
}

static void boot(struct world *w)
{
    const struct hf_simhost_world host = {.arg = w, .connect = connect_to_service};

    w->proc = hf_simproc_new(w->loop, "agent");
    w->host = hf_simhost_new(w->proc, &host);
    w->client = hf_simnet_client(w->net, w->proc);
    struct hf_kube_params kube = {.config = &w->kube_config,
                                  .field_manager = "holdfast-agent",
                                  .world = hf_simproc_world(w->proc, NULL),
                                  .http = hf_simclient_ops(w->client)};
    w->kube = hf_kube_new(&kube, NULL);
    struct hf_manifest_engine_params params = {.env = {.world = hf_simproc_world(w->proc, fs_of(w->fs)),
                                                       .http = hf_simclient_ops(w->client),
                                                       .proc = hf_simhost_proc(w->host),
                                                       .probe = hf_simhost_probe(w->host),
                                                       .unit = hf_simhost_unit(w->host),
                                                       .kube = w->kube,
                                                       .config = w->config,
                                                       .state_dir = "/var/lib/holdfast",
                                                       .node_name = "n1",
                                                       .retry_base_ns = HF_NS_PER_S,
                                                       .retry_cap_ns = 10 * HF_NS_PER_S},
                                               .is_signed = ask_signed,
                                               .changed = changed,
                                               .happened = happened,
                                               .arg = w};
    if (hf_manifest_engine_new(&params, &w->engine, NULL) < 0) {
        w->engine = NULL;
        return;
    }
    hf_manifest_engine_repair_now(w->engine);
    tell(w);
}

static void end_life(struct world *w)
{
    hf_manifest_engine_free(w->engine);
    w->engine = NULL;
    while (hf_simproc_jobs(w->proc) > 0 && hf_simloop_step(w->loop))
        ;
    hf_kube_free(w->kube);
    hf_simclient_free(w->client);
    hf_simhost_free(w->host);
    hf_simproc_free(w->proc);
}

static struct world *begin(const char *fields, uint64_t seed)
{
    static const char config[] = "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\nmanifests:\n"
                                 "  cluster: true\n  paths: [/media/usb, /media/usb/**]\n";
    struct world *w = calloc(1, sizeof(*w));

    w->loop = hf_simloop_new(seed);
    w->net = hf_simnet_new(w->loop);
    w->fs = hf_simfs_new();
    ssa_sim_init(&w->api);
    hf_simnet_serve(w->net, "https://api", serve, w);
    w->kube_config.server = strdup("https://api:6443");
    ck_assert_int_eq(hf_config_parse(HF_VIEW(config), "agent.yaml", &w->config, NULL), 0);
    set_policy(w, fields);
    hf_simfs_mkdir(w->fs, "/var/lib/holdfast", 0700);
    return w;
}

static void end(struct world *w)
{
    if (w->engine != NULL)
        end_life(w);
    hf_simnet_free(w->net);
    hf_simloop_free(w->loop);
    hf_simfs_free(w->fs);
    hf_syncpolicy_free(w->policy);
    hf_config_free(w->config);
    hf_kube_config_done(&w->kube_config);
    ssa_sim_done(&w->api);
    free(w);
}

struct seen {
    unsigned n;
    struct hf_manifest_status status;
    char message[600];
};

static void see(void *arg, const struct hf_manifest_status *status)
{
    struct seen *seen = arg;

    seen->n++;
    seen->status = *status;
    (void)snprintf(seen->message, sizeof(seen->message), "%s", status->message);
}

static struct seen look(struct world *w)
{
    struct seen seen = {.n = 0};

    hf_manifest_engine_each(w->engine, see, &seen);
    return seen;
}

/* Runs intervals of 10 s. */
static struct seen intervals(struct world *w, unsigned n)
{
    for (unsigned i = 0; i < n && !hf_simfs_stopped(w->fs); i++) {
        hf_manifest_engine_check(w->engine);
        tell(w);
        (void)hf_simloop_run_for(w->loop, 10 * HF_NS_PER_S);
    }
    return look(w);
}

static void expect(struct world *w, enum hf_manifest_phase phase, enum hf_manifest_reason reason, const char *words)
{
    struct seen seen = look(w);

    ck_assert_uint_eq(seen.n, 1);
    ck_assert_msg(seen.status.phase == phase && seen.status.reason == reason, "%s %s: %s",
                  hf_manifest_phase_name(seen.status.phase), hf_manifest_reason_name(seen.status.reason), seen.message);
    ck_assert_msg(strstr(seen.message, words) != NULL, "'%s' is not in '%s'", words, seen.message);
}

/* The entry has had time to apply its first content. */
static struct world *begin_applied(const char *fields, uint64_t seed, const char *text)
{
    struct world *w = begin(fields, seed);

    publish(w, text);
    boot(w);
    (void)intervals(w, 4);
    return w;
}

static const char *image(struct world *w)
{
    return hf_json_str_or(json_object_get(w->api.objects, WEB), "spec.image", "");
}

START_TEST(way_of_a_set)
{
    struct world *w =
        begin_applied(",\"prune\":true", 1, DEPLOYMENT("a") CONFIG_MAP("1") EXTRA("x") EXTRA("y") EXTRA("z"));

    expect(w, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "");
    ck_assert_uint_eq(look(w).status.items, 5);
    ck_assert_uint_eq(w->notices[HF_MANIFEST_NOTICE_APPLIED], 1);
    /* A newer content; one object is gone from it. */
    publish(w, DEPLOYMENT("b") CONFIG_MAP("1") EXTRA("x") EXTRA("y"));
    (void)intervals(w, 4);
    expect(w, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "");
    ck_assert_str_eq(image(w), "b");
    ck_assert_uint_eq(json_object_size(w->api.objects), 4);
    /* Quiet: nothing is written while nothing changes, and the disk is not touched. */
    (void)intervals(w, 2);
    ssa_sim_forget_log(&w->api);
    (void)intervals(w, 5);
    for (size_t i = 0; i < w->api.n_log; i++)
        ck_assert_msg(strncmp(w->api.log[i], "GET ", 4) == 0, "%s", w->api.log[i]);
    ck_assert_uint_eq(w->api.n_log, 5 * 4);
    /* Most of it goes: it waits for the annotation, and nothing is applied. */
    publish(w, DEPLOYMENT("c"));
    (void)intervals(w, 4);
    expect(w, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_PRUNE_LIMIT, "3 of 4 objects");
    ck_assert_str_eq(image(w), "b");
    end(w);
}
END_TEST

START_TEST(sick_set_rolls_back)
{
    struct world *w = begin_applied(",\"prune\":true,\"healthDeadline\":\"30s\"", 2, DEPLOYMENT("a") CONFIG_MAP("1"));

    publish(w, DEPLOYMENT("broken") CONFIG_MAP("2") EXTRA("new"));
    (void)intervals(w, 3);
    expect(w, HF_MANIFEST_PROBATION, HF_MANIFEST_REASON_NOT_READY,
           "Deployment site/web: 0 of 1 replicas are available");
    (void)intervals(w, 4);
    expect(w, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_NOT_READY, "the last good objects are in place again");
    ck_assert_str_eq(image(w), "a");
    ck_assert_str_eq(hf_json_str_or(json_object_get(w->api.objects, MAP), "data.k", ""), "1");
    ck_assert_uint_eq(json_object_size(w->api.objects), 2);
    (void)intervals(w, 10);
    expect(w, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_NOT_READY, ""); /* not tried again */
    publish(w, DEPLOYMENT("c") CONFIG_MAP("2"));
    (void)intervals(w, 4);
    expect(w, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "");
    end(w);
}
END_TEST

/* The disk cannot read the good content for a while when the rollback begins: the rollback waits until it can. Where the
 * disk never can, the rollback ends, so that it keeps no new content out. */
START_TEST(rollback_reads_again)
{
    struct world *w = begin_applied(",\"prune\":true,\"healthDeadline\":\"30s\"", 2, DEPLOYMENT("a") CONFIG_MAP("1"));
    bool for_ever = _i == 1;

    publish(w, DEPLOYMENT("broken") CONFIG_MAP("2") EXTRA("new"));
    (void)intervals(w, 3);
    ck_assert_int_eq(look(w).status.phase, HF_MANIFEST_PROBATION);
    disk.errors = for_ever ? 1000 : 3;
    (void)intervals(w, 40);
    ck_assert_uint_lt(disk.errors, for_ever ? 1000 - 5 : 1);
    disk.errors = 0;
    expect(w, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_NOT_READY,
           for_ever ? "" : "the last good objects are in place again");
    ck_assert_str_eq(image(w), for_ever ? "broken" : "a");
    publish(w, DEPLOYMENT("c") CONFIG_MAP("2"));
    (void)intervals(w, 4);
    expect(w, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "");
    ck_assert_str_eq(image(w), "c");
    end(w);
}
END_TEST

/* The API server answers, but never restores one object of the good set: a webhook of the failed set fails, something
 * keeps an object that is being deleted, or the server behind an APIService is down or hangs. The rollback ends, so
 * that it keeps no new content out. */
START_TEST(rollback_that_one_object_stops)
{
    static const char *const words[] = {"the server answered 500: ", "", "the server answered 503: ", ""};
    struct world *w = begin_applied(",\"prune\":true,\"healthDeadline\":\"30s\"", 15, DEPLOYMENT("a") CONFIG_MAP("1"));
    bool stuck = _i == 1;

    publish(w, DEPLOYMENT("broken") CONFIG_MAP("2") EXTRA("hook"));
    (void)intervals(w, 3);
    ck_assert_int_eq(look(w).status.phase, HF_MANIFEST_PROBATION);
    if (stuck)
        ssa_sim_put(json_object_get(w->api.objects, MAP), "metadata.deletionTimestamp", json_string("x"));
    else if (_i == 3)
        w->hung = MAP;
    else
        w->api.scripts[0] = (struct ssa_sim_script){"PATCH", MAP, _i == 0 ? 500 : 503,
                                                    "{\"kind\":\"Status\",\"message\":\"failed\"}", 1000};
    (void)intervals(w, _i == 3 ? 40 : 5);
    expect(w, HF_MANIFEST_ROLLING_BACK, look(w).status.reason, "");
    (void)intervals(w, _i == 3 ? 140 : 80);
    expect(w, HF_MANIFEST_ROLLED_BACK, _i == 3 ? HF_MANIFEST_REASON_API_UNREACHABLE : HF_MANIFEST_REASON_NOT_READY,
           "ConfigMap site/m: ");
    expect(w, HF_MANIFEST_ROLLED_BACK, look(w).status.reason, words[_i]);
    ck_assert_str_eq(image(w), "a");
    w->api.scripts[0].times = 0;
    w->hung = NULL;
    if (stuck)
        (void)json_object_del(w->api.objects, MAP);
    publish(w, DEPLOYMENT("c") CONFIG_MAP("2"));
    (void)intervals(w, 4);
    expect(w, HF_MANIFEST_APPLIED, look(w).status.reason, "");
    ck_assert_str_eq(image(w), "c");
    ck_assert_uint_eq(json_object_size(w->api.objects), 2);
    end(w);
}
END_TEST

/* Another manager takes the field of the image over. */
static void take_image(struct world *w, const char *image)
{
    json_t *web = json_object_get(w->api.objects, WEB), *one;
    size_t i;

    if (web == NULL)
        return;
    json_array_foreach(hf_json_mutable(hf_json_at(web, "metadata.managedFields")), i, one)
        if (strcmp(hf_json_str_or(one, "manager", ""), "holdfast-manifests") == 0)
            (void)json_object_del(json_object_get(one, "fieldsV1"), "f:spec");
    ssa_sim_put(web, "spec.image", json_string(image));
    ssa_sim_put(web, "metadata.drift", json_true()); /* for the server: our next apply changes something */
}

/* The API server answers, but does not show one object of the set on trial: the set does not pass, and the deadline
 * counts. */
START_TEST(object_that_the_server_does_not_show)
{
    static const int status[] = {403, 500, 503};
    struct world *w = begin_applied(",\"healthDeadline\":\"30s\"", 17, DEPLOYMENT("a") CONFIG_MAP("1"));

    publish(w, DEPLOYMENT("b") CONFIG_MAP("1"));
    hf_manifest_engine_check(w->engine);
    for (unsigned i = 0; i < 1000 && look(w).status.phase != HF_MANIFEST_PROBATION; i++)
        ck_assert(hf_simloop_step(w->loop));
    w->api.scripts[0] = (struct ssa_sim_script){"GET", WEB, status[_i], "{\"kind\":\"Status\"}", 1000};
    (void)intervals(w, 2);
    ck_assert_int_eq(look(w).status.phase, HF_MANIFEST_PROBATION);
    (void)intervals(w, 3);
    ck_assert_int_ne(look(w).status.phase, HF_MANIFEST_PROBATION);
    w->api.scripts[0].times = 0;
    (void)intervals(w, 6);
    expect(w, HF_MANIFEST_ROLLED_BACK, _i == 0 ? HF_MANIFEST_REASON_API_REFUSED : HF_MANIFEST_REASON_API_UNREACHABLE,
           "the server answered");
    end(w);
}
END_TEST

/* A proxy answers 503 to everything in the place of the API server, for an hour: nobody has looked, so no time passes. */
START_TEST(a_server_away_behind_a_proxy_is_no_verdict)
{
    static const char *const paths[] = {WEB, MAP, "/apis/edge.codcompass.io/v1alpha1/edgenodes/n1"};
    struct world *w = begin_applied(",\"healthDeadline\":\"30s\"", 25, DEPLOYMENT("a") CONFIG_MAP("1"));

    w->sick = true;
    publish(w, DEPLOYMENT("b") CONFIG_MAP("1"));
    (void)intervals(w, 2);
    ck_assert_int_eq(look(w).status.phase, HF_MANIFEST_PROBATION);
    for (size_t i = 0; i < HF_LEN(paths); i++)
        w->api.scripts[i] = (struct ssa_sim_script){"GET", paths[i], 503, "{\"kind\":\"Status\"}", 100000};
    (void)hf_simloop_run_for(w->loop, 3600 * HF_NS_PER_S);
    ck_assert_int_eq(look(w).status.phase, HF_MANIFEST_PROBATION);
    w->sick = false;
    for (size_t i = 0; i < HF_LEN(paths); i++)
        w->api.scripts[i].times = 0;
    (void)intervals(w, 6);
    expect(w, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "");
    ck_assert_str_eq(image(w), "b");
    end(w);
}
END_TEST

/* A sick set has just come on trial, somebody changes its Deployment, and the server refuses to put it back. */
static struct world *begin_refused_repair(uint64_t seed, const char *changed_to, int status)
{
    struct world *w = begin_applied(",\"healthDeadline\":\"30s\"", seed, DEPLOYMENT("a"));

    publish(w, DEPLOYMENT("broken"));
    hf_manifest_engine_check(w->engine);
    for (unsigned i = 0; i < 1000 && strcmp(image(w), "broken") != 0; i++)
        ck_assert(hf_simloop_step(w->loop));
    take_image(w, changed_to);
    w->api.scripts[0] = (struct ssa_sim_script){"PATCH", WEB, status, "{\"kind\":\"Status\"}", 1000};
    return w;
}

/* Somebody has changed an object on trial, and a webhook lets nobody put it back: the deadline counts here, too. */
START_TEST(change_on_trial_that_cannot_be_put_back)
{
    struct world *w = begin_refused_repair(18, "broken", 500);

    (void)intervals(w, 12);
    ck_assert_int_ne(look(w).status.phase, HF_MANIFEST_PROBATION);
    end(w);
}
END_TEST

/* Somebody has changed the sick Deployment on trial into one that becomes available, and the server refuses for a while
 * to put it back: what never came back vouches for nothing. */
START_TEST(refused_repairs_vouch_for_nothing)
{
    struct world *w = begin_refused_repair(20, "theirs", _i == 0 ? 422 : 500);
    struct stat before, after;

    (void)intervals(w, 1);
    ck_assert(hf_simfs_stat(w->fs, "/var/lib/holdfast/manifests/app/record", &before));
    (void)intervals(w, 1);
    ck_assert_uint_lt(w->api.scripts[0].times, 1000 - 3);
    ck_assert_int_eq(look(w).status.phase, HF_MANIFEST_PROBATION);
    /* Repeated attempts write nothing. */
    ck_assert(hf_simfs_stat(w->fs, "/var/lib/holdfast/manifests/app/record", &after));
    ck_assert_uint_eq(before.st_ino, after.st_ino);
    w->api.scripts[0].times = 0;
    (void)intervals(w, 8);
    expect(w, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_NOT_READY, "");
    ck_assert_str_eq(image(w), "a");
    end(w);
}
END_TEST

/* A good set is in place, and the next one, which is sick, is on trial. */
static struct world *begin_trial(uint64_t seed)
{
    struct world *w =
        begin_applied(",\"prune\":true,\"healthDeadline\":\"30s\"", seed, DEPLOYMENT("a") CONFIG_MAP("1"));

    publish(w, DEPLOYMENT("broken") CONFIG_MAP("2"));
    (void)intervals(w, 3);
    ck_assert_int_eq(look(w).status.phase, HF_MANIFEST_PROBATION);
    return w;
}

/* An API server that has just started refuses the rollback for a moment: that does not end the rollback. */
START_TEST(rollback_that_is_refused_for_a_moment)
{
    struct world *w = begin_trial(19);

    w->api.scripts[0] =
        (struct ssa_sim_script){_i == 0 ? "PATCH" : "GET", _i == 0 ? MAP : "/api/v1", 403, "{\"kind\":\"Status\"}", 4};
    (void)intervals(w, 12);
    ck_assert_uint_eq(w->api.scripts[0].times, 0);
    expect(w, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_NOT_READY, "the last good objects are in place again");
    ck_assert_str_eq(hf_json_str_or(json_object_get(w->api.objects, MAP), "data.k", ""), "1");
    end(w);
}
END_TEST

/* The server's store takes no writes for half an hour, and the server answers 500 to each of them: that stops no
 * rollback. */
START_TEST(rollback_waits_for_the_store)
{
    struct world *w = begin_trial(17);

    w->api.scripts[0] = (struct ssa_sim_script){"PATCH", MAP, 500, "{\"kind\":\"Status\"}", 100000};
    w->api.scripts[1] = (struct ssa_sim_script){"PATCH", WEB, 500, "{\"kind\":\"Status\"}", 100000};
    (void)hf_simloop_run_for(w->loop, 1800 * HF_NS_PER_S);
    ck_assert_int_eq(look(w).status.phase, HF_MANIFEST_ROLLING_BACK);
    w->api.scripts[0].times = w->api.scripts[1].times = 0;
    (void)hf_simloop_run_for(w->loop, 300 * HF_NS_PER_S);
    expect(w, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_NOT_READY, "the last good objects are in place again");
    ck_assert_str_eq(image(w), "a");
    end(w);
}
END_TEST

/* A server that is away for a day stops no rollback. */
START_TEST(rollback_waits_for_the_server)
{
    struct world *w = begin_applied(",\"prune\":true,\"healthDeadline\":\"30s\"", 16, DEPLOYMENT("a"));

    publish(w, DEPLOYMENT("broken"));
    (void)intervals(w, 2);
    while (look(w).status.phase == HF_MANIFEST_PROBATION)
        ck_assert(hf_simloop_step(w->loop));
    ck_assert_int_eq(look(w).status.phase, HF_MANIFEST_ROLLING_BACK);
    hf_simnet_set_server(w->net, "https://api", HF_SIM_SERVER_REFUSING);
    (void)hf_simloop_run_for(w->loop, 86400 * HF_NS_PER_S);
    ck_assert_int_eq(look(w).status.phase, HF_MANIFEST_ROLLING_BACK);
    hf_simnet_set_server(w->net, "https://api", HF_SIM_SERVER_UP);
    (void)intervals(w, 6);
    expect(w, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_NOT_READY, "the last good objects are in place again");
    ck_assert_str_eq(image(w), "a");
    end(w);
}
END_TEST

/* Somebody changes the sick Deployment on trial into one that becomes available: the set does not pass with it. */
START_TEST(change_of_somebody_else_vouches_for_nothing)
{
    struct world *w = begin_applied(",\"healthDeadline\":\"30s\"", 13, DEPLOYMENT("a"));

    publish(w, DEPLOYMENT("broken"));
    hf_manifest_engine_check(w->engine);
    for (unsigned i = 0; i < 100 && strcmp(image(w), "broken") != 0; i++)
        (void)hf_simloop_run_for(w->loop, HF_NS_PER_S / 5);
    ck_assert_str_eq(image(w), "broken");
    take_image(w, "theirs");
    (void)intervals(w, 1);
    expect(w, HF_MANIFEST_PROBATION, HF_MANIFEST_REASON_NOT_READY, "");
    (void)intervals(w, 6);
    expect(w, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_NOT_READY, "");
    ck_assert_str_eq(image(w), "a");
    end(w);
}
END_TEST

/* An autoscaler insists on its own value: the set passes, and the value is drift from then on. */
START_TEST(somebody_insists)
{
    struct world *w = begin(",\"healthDeadline\":\"30s\"", 14);

    publish(w, DEPLOYMENT("a"));
    boot(w);
    for (unsigned i = 0; i < 300; i++) {
        if (i % 50 == 0)
            hf_manifest_engine_check(w->engine);
        (void)hf_simloop_run_for(w->loop, HF_NS_PER_S / 5);
        take_image(w, "theirs");
    }
    ck_assert_int_eq(look(w).status.phase, HF_MANIFEST_APPLIED);
    ck_assert_uint_gt(look(w).status.drifts, 0);
    end(w);
}
END_TEST

START_TEST(first_set_that_is_sick_stays)
{
    struct world *w = begin(",\"healthDeadline\":\"30s\"", 3);

    publish(w, DEPLOYMENT("broken"));
    boot(w);
    (void)intervals(w, 8);
    expect(w, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_NOT_READY,
           "there is no earlier content, so the objects stay");
    ck_assert_uint_eq(json_object_size(w->api.objects), 1);
    /* The person deletes them. There is nothing to put back, so nobody looks. */
    (void)json_object_del(w->api.objects, WEB);
    ssa_sim_forget_log(&w->api);
    (void)hf_simloop_run_for(w->loop, 3600 * HF_NS_PER_S);
    ck_assert_uint_eq(ssa_sim_logged(&w->api, "GET " WEB), 0);
    end(w);
}
END_TEST

/* The record is lost while a set that fails is on trial: the same objects have to pass afterwards, too. So they do if an
 * earlier life has set the damaged record aside and could write no other. */
START_TEST(lost_record_proves_nothing)
{
    static const char *const names[] = {"/var/lib/holdfast/manifests/app/record",
                                        "/var/lib/holdfast/manifests/app/record.damaged"};
    struct world *w = begin(",\"healthDeadline\":\"30s\"", 9);

    publish(w, DEPLOYMENT("broken"));
    boot(w);
    (void)intervals(w, 2);
    expect(w, HF_MANIFEST_PROBATION, HF_MANIFEST_REASON_NOT_READY, "");
    end_life(w);
    hf_simfs_delete(w->fs, names[0]);
    hf_simfs_put(w->fs, names[_i], "damaged", 7, 0600);
    boot(w);
    (void)intervals(w, 8);
    expect(w, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_NOT_READY, "");
    publish(w, DEPLOYMENT("a"));
    (void)intervals(w, 4);
    expect(w, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "");
    end(w);
}
END_TEST

START_TEST(drift_is_repaired_once_the_server_answers)
{
    struct world *w = begin_applied("", 4, DEPLOYMENT("a") CONFIG_MAP("1"));

    hf_simnet_set_server(w->net, "https://api", HF_SIM_SERVER_REFUSING);
    (void)json_object_del(w->api.objects, MAP);
    (void)intervals(w, 6);
    expect(w, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_API_UNREACHABLE, "");
    ck_assert_uint_eq(look(w).status.drifts, 0);
    hf_simnet_set_server(w->net, "https://api", HF_SIM_SERVER_UP);
    (void)intervals(w, 4);
    expect(w, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_DRIFT_REPAIRED, "put back: ConfigMap site/m (missing)");
    ck_assert_uint_eq(look(w).status.drifts, 1);
    ck_assert_uint_eq(w->notices[HF_MANIFEST_NOTICE_DRIFT_REPAIRED], 1);
    ck_assert_ptr_nonnull(json_object_get(w->api.objects, MAP));
    end(w);
}
END_TEST

/* A set is refused because one of its objects exists and belongs to somebody else: what came into place stays, and no
 * interval brings the old set back. */
START_TEST(a_refused_set_does_not_flap)
{
    struct world *w = begin_applied(",\"prune\":true", 7, DEPLOYMENT("a") CONFIG_MAP("1"));

    expect(w, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "");
    (void)json_object_set_new(w->api.objects, "/api/v1/namespaces/site/configmaps/new",
                              json_pack("{s:s, s:s, s:{s:s, s:s, s:s}}", "apiVersion", "v1", "kind", "ConfigMap",
                                        "metadata", "name", "new", "namespace", "site", "uid", "theirs"));
    w->api.scripts[0] = (struct ssa_sim_script){
        "PATCH", "/api/v1/namespaces/site/configmaps/new", 409,
        "{\"kind\":\"Status\",\"reason\":\"Conflict\",\"message\":\"Apply failed\",\"details\":{\"causes\":["
        "{\"reason\":\"FieldManagerConflict\",\"message\":\"conflict with \\\"kubectl\\\" using v1\","
        "\"field\":\".data.k\"}]}}",
        1000};
    publish(w, DEPLOYMENT("b") CONFIG_MAP("1") EXTRA("new"));
    (void)intervals(w, 4);
    expect(w, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_CONFLICT, "");
    unsigned changes = w->image_changes;
    (void)intervals(w, 10);
    ck_assert_uint_eq(w->image_changes, changes);
    ck_assert_str_eq(image(w), "b");
    end(w);
}
END_TEST

/* The server refuses the new objects of a set, so they never were in place: the corrected set without them needs
 * nobody's permission. */
START_TEST(objects_that_were_refused_need_no_permission)
{
    struct world *w = begin_applied(",\"prune\":true", 22, CONFIG_MAP("1"));

    expect(w, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "");
    w->api.scripts[0] =
        (struct ssa_sim_script){"PATCH", "/api/v1/namespaces/site/configmaps/x", 422, "{\"kind\":\"Status\"}", 1000};
    w->api.scripts[1] =
        (struct ssa_sim_script){"PATCH", "/api/v1/namespaces/site/configmaps/y", 422, "{\"kind\":\"Status\"}", 1000};
    publish(w, CONFIG_MAP("1") EXTRA("x") EXTRA("y"));
    (void)intervals(w, 4);
    expect(w, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_API_REFUSED, "");
    publish(w, CONFIG_MAP("2"));
    (void)intervals(w, 4);
    expect(w, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "");
    ck_assert_str_eq(hf_json_str_or(json_object_get(w->api.objects, MAP), "data.k", ""), "2");
    end(w);
}
END_TEST

/* The server does not show one object, for want of a right or because its store is damaged: the others are put back. */
START_TEST(object_that_is_not_shown_hides_no_other)
{
    struct world *w = begin_applied("", 23, DEPLOYMENT("a") CONFIG_MAP("1") EXTRA("x"));

    w->api.scripts[0] = (struct ssa_sim_script){"GET", MAP, _i == 0 ? 403 : 500, "{\"kind\":\"Status\"}", 1000};
    (void)json_object_del(w->api.objects, WEB);
    (void)intervals(w, 12);
    ck_assert_ptr_nonnull(json_object_get(w->api.objects, WEB));
    expect(w, HF_MANIFEST_APPLIED, look(w).status.reason, _i == 0 ? "403" : "500");
    end(w);
}
END_TEST

/* The first or the last object of the set is in conflict. */
START_TEST(conflict_is_tried_again_each_interval)
{
    struct world *w = begin("", 5);
    const char *refused = _i == 0 ? WEB : MAP, *patch = _i == 0 ? "PATCH " WEB : "PATCH " MAP;

    w->api.scripts[0] = (struct ssa_sim_script){
        "PATCH", refused, 409,
        "{\"kind\":\"Status\",\"reason\":\"Conflict\",\"details\":{\"causes\":[{\"reason\":"
        "\"FieldManagerConflict\",\"message\":\"conflict with \\\"helm\\\"\",\"field\":\".spec.x\"}]}}",
        1000};
    publish(w, DEPLOYMENT("a") CONFIG_MAP("1"));
    boot(w);
    (void)intervals(w, 2);
    expect(w, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_CONFLICT, ".spec.x belongs to the manager \"helm\"");
    /* Told once; the repeated attempts write nothing to the disk. */
    hf_simfs_count_only(w->fs, HF_SIMFS_GROWS);
    uint64_t calls = hf_simfs_calls(w->fs);
    (void)intervals(w, 10);
    expect(w, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_CONFLICT, ".spec.x belongs to the manager \"helm\"");
    ck_assert_uint_eq(hf_simfs_calls(w->fs), calls);
    ck_assert_uint_eq(w->notices[HF_MANIFEST_NOTICE_REFUSED], 1);
    ck_assert_uint_ge(ssa_sim_logged(&w->api, patch), 8);
    w->api.scripts[0].times = 0;
    (void)intervals(w, 6);
    expect(w, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "");
    end(w);
}
END_TEST

START_TEST(a_server_that_is_away_leaves_room_for_newer_content)
{
    struct world *w = begin("", 6);

    hf_simnet_set_server(w->net, "https://api", HF_SIM_SERVER_REFUSING);
    publish(w, DEPLOYMENT("a"));
    boot(w);
    (void)intervals(w, 6);
    expect(w, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_API_UNREACHABLE, "");
    publish(w, DEPLOYMENT("b"));
    (void)intervals(w, 2);
    hf_simnet_set_server(w->net, "https://api", HF_SIM_SERVER_UP);
    (void)intervals(w, 6);
    expect(w, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "");
    ck_assert_str_eq(image(w), "b");
    end(w);
}
END_TEST

START_TEST(an_entry_that_is_gone)
{
    struct world *w = begin_applied(_i == 0 ? ",\"prune\":true" : "", 7, CONFIG_MAP("1"));

    hf_syncpolicy_free(w->policy);
    w->policy = NULL;
    (void)intervals(w, 6);
    ck_assert_uint_eq(look(w).n, 0);
    ck_assert_uint_eq(json_object_size(w->api.objects), _i == 0 ? 0 : 1);
    end(w);
}
END_TEST

/* A policy without entries. Its annotation allows a removal. */
static void allow_prune(struct world *w, const char *digest)
{
    struct hf_issues *issues = calloc(1, sizeof(*issues));
    json_t *json = json_pack("{s:s, s:s, s:{s:s, s:{s:o}}, s:{}}", "apiVersion", "edge.codcompass.io/v1alpha1", "kind",
                             "SyncPolicy", "metadata", "name", "p", "annotations", "edge.codcompass.io/allow-prune",
                             json_sprintf("app:%.12s", digest), "spec");

    hf_syncpolicy_free(w->policy);
    ck_assert_int_eq(hf_syncpolicy_decode(json, &w->policy, issues), 0);
    ck_assert_uint_eq(issues->n_errors, 0);
    json_decref(json);
    free(issues);
}

/* No set was ever good: one object of the first set is refused, or the first set is sick. The entry leaves the policy: its
 * objects go, two of them only after the annotation. */
START_TEST(an_entry_that_was_never_good_goes)
{
    struct world *w = begin(",\"prune\":true,\"healthDeadline\":\"30s\"", 7);

    publish(w, _i == 0 ? CONFIG_MAP("1") "---\napiVersion: example.com/v1\nkind: Widget\nmetadata: {name: x}\n"
                       : DEPLOYMENT("broken") CONFIG_MAP("1"));
    boot(w);
    (void)intervals(w, 12);
    ck_assert_uint_eq(json_object_size(w->api.objects), 1 + (size_t)_i);
    hf_syncpolicy_free(w->policy);
    w->policy = NULL;
    (void)intervals(w, 6);
    if (_i == 1) {
        expect(w, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_PRUNE_LIMIT, "2 of 2 objects");
        ck_assert_uint_eq(json_object_size(w->api.objects), 2);
        allow_prune(w, look(w).status.digest);
        (void)intervals(w, 6);
    }
    ck_assert_uint_eq(look(w).n, 0);
    ck_assert_uint_eq(json_object_size(w->api.objects), 0);
    end(w);
}
END_TEST

/* The policy has the entry again before its removal has ended, after any number of milliseconds: what is removed by
 * then comes back. With a kill in between (_i == 1), too. */
START_TEST(an_entry_that_comes_back)
{
    unsigned removed = 0;

    for (unsigned ms = 0; ms < 120; ms += 2) {
        struct world *w = begin(",\"prune\":true", 300 + ms);
        struct hf_syncpolicy *policy = w->policy;
        publish(w, CONFIG_MAP("1"));
        boot(w);
        (void)intervals(w, 4);
        w->policy = NULL;
        tell(w);
        (void)hf_simloop_run_for(w->loop, ms * HF_NS_PER_MS);
        removed += json_object_size(w->api.objects) == 0;
        w->policy = policy;
        if (_i == 1) {
            hf_simproc_kill(w->proc);
            end_life(w);
            hf_simfs_kill(w->fs);
            boot(w);
        }
        (void)intervals(w, 6);
        expect(w, HF_MANIFEST_APPLIED, look(w).status.reason, "");
        ck_assert_uint_eq(look(w).status.items, 1);
        ck_assert_msg(json_object_size(w->api.objects) == 1, "%u ms: Applied, and the object is gone", ms);
        end(w);
    }
    ck_assert_uint_gt(removed, 5);
}
END_TEST

START_TEST(bad_content_touches_nothing)
{
    struct world *w = begin_applied(",\"prune\":true", 8, CONFIG_MAP("1"));

    ssa_sim_forget_log(&w->api);
    publish(w, "replicas: 3\n");
    (void)intervals(w, 4);
    expect(w, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_NOT_MANIFESTS, "'app.yaml', document 1");
    ck_assert_uint_eq(ssa_sim_logged(&w->api, "PATCH " MAP), 0);
    ck_assert_ptr_nonnull(json_object_get(w->api.objects, MAP));
    end(w);
}
END_TEST

/* Cuts the power at the n-th file-system call of an update that adds an object and removes one. */
START_TEST(power_cut_anywhere)
{
    for (uint64_t n = hf_walk_next("cuts", 0);; n = hf_walk_next("cuts", n)) {
        struct world *w = begin(",\"prune\":true", 100 + n);
        publish(w, DEPLOYMENT("a") CONFIG_MAP("1"));
        boot(w);
        (void)intervals(w, 4);
        publish(w, DEPLOYMENT("b") EXTRA("new"));
        hf_simfs_stop_at(w->fs, n);
        (void)intervals(w, 5);
        bool stopped = hf_simfs_stopped(w->fs);
        if (stopped) {
            hf_simproc_kill(w->proc);
            end_life(w);
            hf_simfs_kill(w->fs);
            hf_simfs_power_cut(w->fs, n);
            boot(w);
        }
        hf_simfs_stop_at(w->fs, 0);
        (void)intervals(w, 8);
        expect(w, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "");
        ck_assert_str_eq(image(w), "b");
        ck_assert_msg(json_object_size(w->api.objects) == 2 && json_object_get(w->api.objects, MAP) == NULL,
                      "call %u: %u objects", (unsigned)n, (unsigned)json_object_size(w->api.objects));
        end(w);
        if (!stopped)
            break;
        ck_assert_uint_lt(n, 600);
    }
}
END_TEST

/* The API server is away when the entry goes, for 5 minutes. No interval passes after that. */
START_TEST(removal_waits_for_the_server)
{
    struct world *w = begin_applied(",\"prune\":true", 7, CONFIG_MAP("1"));

    hf_simnet_set_server(w->net, "https://api", HF_SIM_SERVER_REFUSING);
    hf_syncpolicy_free(w->policy);
    w->policy = NULL;
    tell(w);
    (void)hf_simloop_run_for(w->loop, 300 * HF_NS_PER_S);
    hf_simnet_set_server(w->net, "https://api", HF_SIM_SERVER_UP);
    (void)hf_simloop_run_for(w->loop, 3600 * HF_NS_PER_S);
    ck_assert_msg(json_object_size(w->api.objects) == 0, "an hour later: %s", look(w).message);
    ck_assert_uint_eq(look(w).n, 0);
    end(w);
}
END_TEST

/* The agent has no right to delete the object: it asks once per interval, until it has. */
START_TEST(removal_that_is_refused_waits)
{
    struct world *w = begin_applied(",\"prune\":true", 7, CONFIG_MAP("1"));

    w->api.scripts[0] = (struct ssa_sim_script){"DELETE", MAP, 403, "{\"message\":\"no right\"}", 1000};
    hf_syncpolicy_free(w->policy);
    w->policy = NULL;
    (void)intervals(w, 4);
    expect(w, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_API_REFUSED, "no right");
    ssa_sim_forget_log(&w->api);
    (void)hf_simloop_run_for(w->loop, 3600 * HF_NS_PER_S);
    ck_assert_uint_eq(ssa_sim_logged(&w->api, "DELETE " MAP), 0);
    w->api.scripts[0].times = 0;
    (void)intervals(w, 2);
    ck_assert_uint_eq(json_object_size(w->api.objects), 0);
    ck_assert_uint_eq(look(w).n, 0);
    end(w);
}
END_TEST

/* ---- servers and disks in trouble -------------------------------------------------------------------------------- */

#define NO_LABEL(kind, name) "{\"kind\":\"" kind "\",\"metadata\":{\"name\":\"" name "\",\"uid\":\"uid-1\"}}"

/* A mutating webhook takes our label away from one object: the rollback ends all the same. */
START_TEST(rollback_and_a_webhook_that_takes_the_label)
{
    struct world *w = begin_trial(31);

    w->api.scripts[0] = (struct ssa_sim_script){"PATCH", MAP, 200, NO_LABEL("ConfigMap", "m"), 100000};
    for (unsigned i = 0; i < 720; i++) { /* 2 h */
        ssa_sim_forget_log(&w->api);
        (void)intervals(w, 1);
    }
    publish(w, DEPLOYMENT("c"));
    (void)intervals(w, 10);
    ck_assert_msg(look(w).status.phase != HF_MANIFEST_ROLLING_BACK, "%s: %u attempts", look(w).message,
                  100000 - w->api.scripts[0].times);
    end(w);
}
END_TEST

/* The same on trial. */
START_TEST(trial_and_a_webhook_that_takes_the_label)
{
    struct world *w = begin_refused_repair(32, "theirs", 500);

    w->api.scripts[0] = (struct ssa_sim_script){"PATCH", WEB, 200, NO_LABEL("Deployment", "web"), 100000};
    for (unsigned i = 0; i < 200; i++) {
        ssa_sim_forget_log(&w->api);
        (void)intervals(w, 1);
    }
    ck_assert_msg(look(w).status.phase != HF_MANIFEST_PROBATION, "%s: %u attempts", look(w).message,
                  100000 - w->api.scripts[0].times);
    end(w);
}
END_TEST

/* The agent starts again and again during Probation. */
START_TEST(starts_during_probation)
{
    struct world *w = begin_trial(33);

    for (unsigned i = 0; i < 8; i++) {
        end_life(w);
        boot(w);
        (void)intervals(w, 2);
    }
    ck_assert_int_ne(look(w).status.phase, HF_MANIFEST_PROBATION);
    end(w);
}
END_TEST

static void reject_all(struct world *w, int status)
{
    static const char *const all[][2] = {{"GET", WEB},
                                         {"GET", MAP},
                                         {"GET", "/apis/edge.codcompass.io/v1alpha1/edgenodes/n1"},
                                         {"GET", "/api/v1"},
                                         {"GET", "/apis/apps/v1"}};
    for (size_t i = 0; i < HF_LEN(all); i++)
        w->api.scripts[i] =
            (struct ssa_sim_script){all[i][0], all[i][1], status, "{\"kind\":\"Status\"}", status == 0 ? 0 : 100000};
}

/* The server refuses the agent altogether for an hour (401: its credentials; 403: no RBAC rules yet), and does not
 * show the node's own EdgeNode either. */
START_TEST(trial_while_the_server_refuses_the_agent)
{
    struct world *w = begin_applied(",\"healthDeadline\":\"30s\"", 34, DEPLOYMENT("a") CONFIG_MAP("1"));

    w->sick = true;
    publish(w, DEPLOYMENT("b") CONFIG_MAP("1"));
    (void)intervals(w, 2);
    ck_assert_int_eq(look(w).status.phase, HF_MANIFEST_PROBATION);
    reject_all(w, _i == 0 ? 401 : 403);
    for (unsigned i = 0; i < 60; i++) {
        ssa_sim_forget_log(&w->api);
        (void)hf_simloop_run_for(w->loop, 60 * HF_NS_PER_S);
    }
    ck_assert_msg(look(w).status.phase == HF_MANIFEST_PROBATION, "%s: %s", hf_manifest_phase_name(look(w).status.phase),
                  look(w).message);
    end(w);
}
END_TEST

START_TEST(rollback_while_the_server_refuses_the_agent)
{
    struct world *w = begin_trial(35);

    while (look(w).status.phase == HF_MANIFEST_PROBATION)
        ck_assert(hf_simloop_step(w->loop));
    reject_all(w, _i == 0 ? 401 : 403);
    for (unsigned i = 0; i < 60; i++) {
        ssa_sim_forget_log(&w->api);
        (void)hf_simloop_run_for(w->loop, 60 * HF_NS_PER_S);
    }
    reject_all(w, 0);
    for (unsigned i = 0; i < 20; i++)
        (void)intervals(w, 1);
    ck_assert_msg(strcmp(image(w), "a") == 0, "image %s, %s %s: %s", image(w),
                  hf_manifest_phase_name(look(w).status.phase), hf_manifest_reason_name(look(w).status.reason),
                  look(w).message);
    end(w);
}
END_TEST

/* The disk does not read the content of the newest set: after six attempts the source delivers it again. */
START_TEST(unreadable_content_is_fetched_again)
{
    struct world *w = begin_applied("", 36, DEPLOYMENT("a"));
    struct stat before, after;
    char path[200];

    disk.errors = 100000;
    publish(w, DEPLOYMENT("b"));
    (void)intervals(w, 2);
    (void)snprintf(path, sizeof(path), "/var/lib/holdfast/manifests/app/b-%s", look(w).status.digest);
    ck_assert(hf_simfs_stat(w->fs, path, &before));
    for (unsigned i = 0; i < 60; i++) {
        (void)intervals(w, 1);
        if (hf_simfs_stat(w->fs, path, &after) && after.st_ino != before.st_ino)
            disk.errors = 0; /* another block */
    }
    unsigned left = disk.errors;
    disk.errors = 0;
    ck_assert_msg(left == 0, "%u attempts: %s %s", 100000 - left, hf_manifest_phase_name(look(w).status.phase),
                  look(w).message);
    end(w);
}
END_TEST

/* Drift is repaired, and in the same second the next set comes, which is sick. It has to pass its checks. */
START_TEST(a_set_in_the_second_of_a_repair)
{
    unsigned passed = 0;

    for (unsigned i = 0; i < 10; i++) {
        struct world *w = begin(",\"healthDeadline\":\"30s\"", 400 + i);
        w->seconds = true;
        publish(w, DEPLOYMENT("a"));
        boot(w);
        (void)intervals(w, 4);
        end_life(w);
        (void)hf_simloop_run_for(w->loop, (3000 + i * 100) * HF_NS_PER_MS);
        take_image(w, "theirs");
        ssa_sim_put(json_object_get(w->api.objects, WEB), "metadata.drift", json_true());
        publish(w, DEPLOYMENT("broken"));
        boot(w);
        (void)intervals(w, 20);
        passed += look(w).status.phase == HF_MANIFEST_APPLIED && strcmp(image(w), "broken") == 0;
        end(w);
    }
    ck_assert_msg(passed == 0, "%u of 10: a sick set is Applied", passed);
}
END_TEST

/* More text than a set may have. */
START_TEST(too_much_text)
{
    struct world *w = begin("", 37);
    size_t n = 3500 * 1024;
    char *text = malloc(n), path[60];

    memset(text, 'x', n);
    for (size_t i = 0; i < n; i += 80)
        memcpy(text + i, "\n#", 2);
    text[n - 1] = '\n';
    publish(w, DEPLOYMENT("a"));
    for (int i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof(path), "/media/usb/c%d.yaml", i);
        hf_simfs_put(w->fs, path, text, n, 0644);
    }
    free(text);
    boot(w);
    (void)intervals(w, 6);
    expect(w, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_SOURCE_TOO_LARGE, "");
    end(w);
}
END_TEST

/* 1,000 objects with long names, then 1,000 others: the record has room for both inventories. */
static char long_group[201], long_path[260];
static void publish_many(struct world *w, char letter)
{
    struct hf_buf text = HF_BUF_INIT(8 << 20);
    char name[260];

    memset(long_group, 'g', 200);
    (void)snprintf(long_path, sizeof(long_path), "/apis/%s/v1", long_group);
    w->api.scripts[0] = (struct ssa_sim_script){
        "GET", long_path, 200,
        "{\"kind\":\"APIResourceList\",\"resources\":[{\"name\":\"things\",\"kind\":\"Thing\",\"namespaced\":true}]}",
        100000};
    for (int i = 0; i < 1000; i++) {
        memset(name, letter, 230);
        (void)snprintf(name + 230, 12, "%010d", i);
        ck_assert_int_eq(hf_buf_addf(&text,
                                     "---\napiVersion: %s/v1\nkind: Thing\nmetadata: {name: %s, namespace: "
                                     "a-namespace-with-a-name-of-sixty-three-characters-as-dns-allows}\n",
                                     long_group, name),
                         0);
    }
    hf_simfs_put(w->fs, "/media/usb/app.yaml", text.p, text.n, 0644);
    hf_buf_done(&text);
}
static void long_intervals(struct world *w, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        ssa_sim_forget_log(&w->api);
        hf_manifest_engine_check(w->engine);
        tell(w);
        for (unsigned k = 0; k < 10; k++) {
            ssa_sim_forget_log(&w->api);
            (void)hf_simloop_run_for(w->loop, 60 * HF_NS_PER_S);
        }
    }
}
START_TEST(names_of_any_length_fit_the_record)
{
    struct world *w = begin("", 38);

    publish_many(w, 'a');
    boot(w);
    long_intervals(w, 3);
    expect(w, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "1000 objects in place");
    publish_many(w, 'b');
    long_intervals(w, 3);
    struct seen seen = look(w);
    publish(w, DEPLOYMENT("a")); /* the content is mended */
    long_intervals(w, 5);
    ck_assert_msg(strcmp(image(w), "a") == 0, "before: %s %s: %s; now: %s %s: %s",
                  hf_manifest_phase_name(seen.status.phase), hf_manifest_reason_name(seen.status.reason), seen.message,
                  hf_manifest_phase_name(look(w).status.phase), hf_manifest_reason_name(look(w).status.reason),
                  look(w).message);
    end(w);
}
END_TEST

/* A look for drift takes longer than the interval (_i == 0: the server behind the APIService of one object hangs,
 * which costs each look 2 min; _i == 1: 700 objects, at an interval of 30 s). Newer content has to come in. */
START_TEST(looks_that_take_longer_than_the_interval)
{
    struct world *w = begin("", 43);
    struct hf_buf text = HF_BUF_INIT(1 << 20);

    ck_assert_int_eq(hf_buf_addf(&text, "%s", DEPLOYMENT("a") CONFIG_MAP("1")), 0);
    for (int i = 0; _i == 1 && i < 700; i++)
        ck_assert_int_eq(
            hf_buf_addf(&text, "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: x%d, namespace: site}\n", i), 0);
    hf_simfs_put(w->fs, "/media/usb/app.yaml", text.p, text.n, 0644);
    hf_buf_done(&text);
    boot(w);
    long_intervals(w, 1);
    expect(w, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "");
    w->hung = _i == 0 ? MAP : NULL;
    hf_manifest_engine_check(w->engine);
    (void)hf_simloop_run_for(w->loop, HF_NS_PER_S); /* a look runs */
    publish(w, DEPLOYMENT("b"));
    for (unsigned i = 0; i < 480; i++) { /* 4 h */
        ssa_sim_forget_log(&w->api);
        hf_manifest_engine_check(w->engine);
        tell(w);
        (void)hf_simloop_run_for(w->loop, 30 * HF_NS_PER_S);
    }
    ck_assert_msg(strcmp(image(w), "b") == 0, "after 4 h: image %s, %s %s: %s", image(w),
                  hf_manifest_phase_name(look(w).status.phase), hf_manifest_reason_name(look(w).status.reason),
                  look(w).message);
    end(w);
}
END_TEST

/* An object is put back while another one is not shown: the repair is counted and told. */
START_TEST(repair_beside_a_refusal_is_told)
{
    struct world *w = begin_applied("", 39, DEPLOYMENT("a") CONFIG_MAP("1") EXTRA("x"));

    w->api.scripts[0] = (struct ssa_sim_script){"GET", MAP, 403, "{\"kind\":\"Status\"}", 1000};
    (void)json_object_del(w->api.objects, WEB);
    (void)intervals(w, 12);
    ck_assert_ptr_nonnull(json_object_get(w->api.objects, WEB));
    ck_assert_uint_eq(look(w).status.drifts, 1);
    ck_assert_uint_eq(w->notices[HF_MANIFEST_NOTICE_DRIFT_REPAIRED], 1);
    end(w);
}
END_TEST

/* Why a content is refused is not hidden by the health of what is in place. */
START_TEST(refusal_is_shown)
{
    struct world *w = begin_applied("", 41, DEPLOYMENT("a"));

    w->sick = true;
    publish(w, "replicas: 3\n");
    (void)intervals(w, 6);
    expect(w, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_NOT_MANIFESTS, "'app.yaml', document 1");
    end(w);
}
END_TEST

/* The store is full for half an hour; then a webhook fails for two minutes more. Each cause has attempts of its own. */
START_TEST(attempts_of_two_causes)
{
    struct world *w = begin_trial(42);

    w->api.scripts[0] = (struct ssa_sim_script){"PATCH", MAP, 500, "{\"kind\":\"Status\"}", 100000};
    w->api.scripts[1] = (struct ssa_sim_script){"PATCH", WEB, 500, "{\"kind\":\"Status\"}", 100000};
    (void)hf_simloop_run_for(w->loop, 1800 * HF_NS_PER_S);
    ck_assert_int_eq(look(w).status.phase, HF_MANIFEST_ROLLING_BACK);
    w->api.scripts[1].times = 0; /* the store has room; the webhook starts later */
    (void)hf_simloop_run_for(w->loop, 100 * HF_NS_PER_S);
    w->api.scripts[0].times = 0;
    (void)hf_simloop_run_for(w->loop, 300 * HF_NS_PER_S);
    expect(w, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_NOT_READY, "the last good objects are in place again");
    end(w);
}
END_TEST

/* The state folder takes no record: drift is repaired all the same, and not only once. */
START_TEST(drift_without_the_record)
{
    struct world *w = begin_applied("", 301, DEPLOYMENT("a") CONFIG_MAP("1"));

    disk.full = true;
    for (unsigned k = 0; k < 3; k++) {
        (void)json_object_del(w->api.objects, MAP);
        (void)intervals(w, 60);
        char text[900];
        (void)snprintf(text, sizeof(text), "drift %u is not repaired in 10 min: %s %s: %s", k,
                       hf_manifest_phase_name(look(w).status.phase), hf_manifest_reason_name(look(w).status.reason),
                       look(w).message);
        ck_assert_msg(json_object_get(w->api.objects, MAP) != NULL, "%s", text);
    }
    disk.full = false;
    end(w);
}
END_TEST

/* On trial, somebody changes an object, our copy of the content is lost, and the record cannot say that the set waits.
 * The next process goes on with the trial: the good set must not be in place then, and vouch for the newest one. */
START_TEST(trial_whose_end_is_not_on_disk)
{
    struct world *w = begin_applied(",\"healthDeadline\":\"5m\"", 305, DEPLOYMENT("a") CONFIG_MAP("1"));
    char path[200];

    publish(w, DEPLOYMENT("broken") CONFIG_MAP("1"));
    (void)intervals(w, 2);
    ck_assert_int_eq(look(w).status.phase, HF_MANIFEST_PROBATION);
    (void)snprintf(path, sizeof(path), "/var/lib/holdfast/manifests/app/b-%s", look(w).status.digest);
    hf_simfs_delete(w->fs, path);
    hf_simfs_delete(w->fs, "/media/usb/app.yaml");
    disk.full = true;
    take_image(w, "theirs");
    (void)intervals(w, 12);
    ck_assert_str_ne(image(w), "a");
    hf_simproc_kill(w->proc);
    end_life(w);
    hf_simfs_kill(w->fs);
    disk.full = false;
    boot(w);
    (void)intervals(w, 12);
    struct seen seen = look(w);
    ck_assert_msg(seen.status.phase != HF_MANIFEST_APPLIED || strcmp(image(w), "broken") == 0, "%s: %s", image(w),
                  seen.message);
    end(w);
}
END_TEST

/* The agent starts four times while the server is away; the Deployment needs a moment then. */
START_TEST(starts_while_the_server_is_away)
{
    static const char *const paths[] = {WEB, MAP, "/apis/edge.codcompass.io/v1alpha1/edgenodes/n1"};
    struct world *w = begin_applied(",\"healthDeadline\":\"5m\"", 302, DEPLOYMENT("a") CONFIG_MAP("1"));

    w->sick = true;
    publish(w, DEPLOYMENT("b") CONFIG_MAP("1"));
    (void)intervals(w, 2);
    ck_assert_int_eq(look(w).status.phase, HF_MANIFEST_PROBATION);
    for (size_t i = 0; i < HF_LEN(paths); i++)
        w->api.scripts[i] = (struct ssa_sim_script){"GET", paths[i], 503, "{\"kind\":\"Status\"}", 100000};
    for (unsigned i = 0; i < 5; i++) {
        end_life(w);
        boot(w);
        (void)intervals(w, 6);
        ck_assert_int_eq(look(w).status.phase, HF_MANIFEST_PROBATION);
    }
    for (size_t i = 0; i < HF_LEN(paths); i++)
        w->api.scripts[i].times = 0;
    (void)intervals(w, 2); /* the server is here, and the Deployment becomes available 20 s later */
    w->sick = false;
    (void)intervals(w, 12);
    ck_assert_msg(strcmp(image(w), "b") == 0, "%s %s: %s", hf_manifest_phase_name(look(w).status.phase),
                  hf_manifest_reason_name(look(w).status.reason), look(w).message);
    end(w);
}
END_TEST

/* A sick set ends the agent again and again, and after each start the server is away for a moment first, as after a
 * reboot: the starts count all the same. */
START_TEST(starts_before_the_server_answers)
{
    static const char *const paths[] = {WEB, MAP, "/apis/edge.codcompass.io/v1alpha1/edgenodes/n1"};
    struct world *w = begin_applied(",\"healthDeadline\":\"5m\"", 304, DEPLOYMENT("a") CONFIG_MAP("1"));

    w->sick = true;
    publish(w, DEPLOYMENT("b") CONFIG_MAP("1"));
    (void)intervals(w, 2);
    ck_assert_int_eq(look(w).status.phase, HF_MANIFEST_PROBATION);
    for (unsigned life = 0; life < 12 && look(w).status.phase == HF_MANIFEST_PROBATION; life++) {
        end_life(w);
        for (size_t i = 0; i < HF_LEN(paths); i++)
            w->api.scripts[i] = (struct ssa_sim_script){"GET", paths[i], 503, "{\"kind\":\"Status\"}", 100000};
        boot(w);
        (void)intervals(w, 2);
        for (size_t i = 0; i < HF_LEN(paths); i++)
            w->api.scripts[i].times = 0;
        (void)intervals(w, 3); /* the server shows the sick Deployment; then the agent ends */
    }
    ck_assert_msg(look(w).status.phase != HF_MANIFEST_PROBATION, "12 starts: %s %s",
                  hf_manifest_reason_name(look(w).status.reason), look(w).message);
    end(w);
}
END_TEST

/* On trial somebody changes an object, and the disk does not read our own copy of the content any more: the content
 * comes again from the source; it is not the set's fault. */
START_TEST(trial_with_worn_content)
{
    struct world *w = begin_applied(",\"healthDeadline\":\"5m\"", 305, DEPLOYMENT("a") CONFIG_MAP("1"));

    w->sick = true;
    publish(w, DEPLOYMENT("b") CONFIG_MAP("1"));
    (void)intervals(w, 2);
    ck_assert_int_eq(look(w).status.phase, HF_MANIFEST_PROBATION);
    disk.errors = 10000;
    take_image(w, "theirs");
    (void)intervals(w, 50);
    disk.errors = 0;
    w->sick = false;
    (void)intervals(w, 12);
    ck_assert_msg(strcmp(image(w), "b") == 0, "%s %s: %s", hf_manifest_phase_name(look(w).status.phase),
                  hf_manifest_reason_name(look(w).status.reason), look(w).message);
    end(w);
}
END_TEST

/* The same, and the deadline of the trial ends before the attempts to read are used up. */
START_TEST(trial_with_worn_content_and_a_short_deadline)
{
    struct world *w = begin_applied(",\"healthDeadline\":\"3s\"", 305, DEPLOYMENT("a") CONFIG_MAP("1"));

    w->sick = true;
    publish(w, DEPLOYMENT("b") CONFIG_MAP("1"));
    for (unsigned i = 0; i < 200 && look(w).status.phase != HF_MANIFEST_PROBATION; i++) {
        hf_manifest_engine_check(w->engine);
        (void)hf_simloop_run_for(w->loop, HF_NS_PER_S / 10);
    }
    ck_assert_int_eq(look(w).status.phase, HF_MANIFEST_PROBATION);
    disk.errors = 10000;
    take_image(w, "theirs");
    w->sick = false;
    (void)intervals(w, 6);
    disk.errors = 0;
    (void)intervals(w, 60);
    ck_assert_msg(w->notices[HF_MANIFEST_NOTICE_ROLLED_BACK] == 0 && strcmp(image(w), "b") == 0, "%s %s: %s, %s",
                  hf_manifest_phase_name(look(w).status.phase), hf_manifest_reason_name(look(w).status.reason),
                  look(w).message, image(w));
    end(w);
}
END_TEST

/* The disk does not read a newer set, which waits, or the server refuses one object of it. Then the state folder takes
 * no record: drift of the good set is repaired all the same, because nothing is on trial. */
static void expect_repairs_beside(struct world *w, const char *newest, const char *refused)
{
    if (refused == NULL)
        disk.errors = 10000;
    else
        w->api.scripts[0] = (struct ssa_sim_script){"PATCH", refused, 422, "{\"kind\":\"Status\"}", 100000};
    publish(w, newest);
    (void)intervals(w, refused == NULL ? 1 : 4);
    ck_assert_int_eq(look(w).status.phase, refused == NULL ? HF_MANIFEST_WAITING : HF_MANIFEST_REFUSED);
    disk.full = true;
    disk.errors = 0;
    (void)intervals(w, 6);
    for (unsigned k = 0; k < 3; k++) {
        (void)json_object_del(w->api.objects, WEB);
        (void)intervals(w, 60);
        ck_assert_msg(json_object_get(w->api.objects, WEB) != NULL, "drift %u is not repaired in 10 min: %s %s: %s", k,
                      hf_manifest_phase_name(look(w).status.phase), hf_manifest_reason_name(look(w).status.reason),
                      look(w).message);
    }
    disk.full = false;
    end(w);
}

START_TEST(drift_beside_a_set_that_is_not_in_place)
{
    struct world *w = begin_applied("", 306, DEPLOYMENT("a") CONFIG_MAP("1"));

    expect_repairs_beside(w, DEPLOYMENT("a") CONFIG_MAP("2"), _i == 0 ? NULL : MAP);
}
END_TEST

/* The newer set has one more object, which the record on disk does not have. */
START_TEST(drift_beside_a_set_with_a_new_object)
{
    struct world *w = begin_applied("", 310, DEPLOYMENT("a") CONFIG_MAP("1"));

    expect_repairs_beside(w, DEPLOYMENT("a") CONFIG_MAP("1") EXTRA("n"),
                          _i == 0 ? NULL : "/api/v1/namespaces/site/configmaps/n");
}
END_TEST

/* The Deployment is available, but its service works only with the images named here. When the health check first
 * meets the image of the newest set, somebody changes the image. */
static const char *works[2], *change_from, *change_to, *then_hung;

static int serve_image(struct world *w)
{
    if (change_from != NULL && strcmp(image(w), change_from) == 0) {
        change_from = NULL;
        take_image(w, change_to);
        w->hung = then_hung;
    }
    for (size_t i = 0; i < HF_LEN(works); i++)
        if (strcmp(image(w), works[i]) == 0)
            return 0;
    return -ECONNREFUSED;
}

/* Somebody changes an object while the health checks of the set run: it is put back. The set is not blamed for the
 * other image (_i == 0), and the other image does not vouch for the set (_i == 1). _i > 1: the same, and the API server
 * does not answer for some time after that. */
START_TEST(change_under_the_health_checks)
{
    bool good = _i % 2 == 0;

    works[0] = "a", works[1] = good ? "b" : "theirs";
    change_from = NULL;
    service = serve_image;
    struct world *w =
        begin_applied(",\"healthDeadline\":\"30s\",\"healthChecks\":[{\"tcp\":{\"port\":80}}]", 312, DEPLOYMENT("a"));

    (void)intervals(w, 4);
    expect(w, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_HEALTH_PASSED, "");
    change_from = "b", change_to = "theirs", then_hung = _i > 1 ? "/" : NULL;
    publish(w, DEPLOYMENT("b"));
    (void)intervals(w, 20);
    ck_assert_ptr_null(change_from);
    w->hung = NULL;
    (void)intervals(w, 30);
    struct seen seen = look(w);
    ck_assert_msg(seen.status.phase == (good ? HF_MANIFEST_APPLIED : HF_MANIFEST_ROLLED_BACK) &&
                      strcmp(image(w), good ? "b" : "a") == 0,
                  "%s: %s %s: %s", image(w), hf_manifest_phase_name(seen.status.phase),
                  hf_manifest_reason_name(seen.status.reason), seen.message);
    service = NULL;
    end(w);
}
END_TEST

/* Inode of the agent's copy of the newest content. */
static ino_t copy_of_content(struct world *w)
{
    struct stat st;
    char path[200];

    (void)snprintf(path, sizeof(path), "/var/lib/holdfast/manifests/app/b-%s", look(w).status.digest);
    ck_assert(hf_simfs_stat(w->fs, path, &st));
    return st.st_ino;
}

/* The disk does not read the copy of the content that a repair of drift (_i == 0) or a new set (_i == 1) needs, or the
 * inode of the copy is damaged (_i == 2): the source delivers the content again. */
START_TEST(worn_copy_is_fetched_again)
{
    struct world *w = begin_applied("", 311, DEPLOYMENT("a"));

    disk.error = _i == 2 ? -EUCLEAN : -EIO;
    disk.errors = 1000000;
    if (_i == 0)
        (void)json_object_del(w->api.objects, WEB);
    else
        publish(w, DEPLOYMENT("b"));
    (void)intervals(w, 2);
    ino_t before = copy_of_content(w);
    (void)intervals(w, 360);
    ck_assert_uint_ne(copy_of_content(w), before);
    disk.errors = 0;
    (void)intervals(w, 60);
    expect(w, HF_MANIFEST_APPLIED, _i == 0 ? HF_MANIFEST_REASON_DRIFT_REPAIRED : HF_MANIFEST_REASON_APPLIED, "");
    ck_assert_str_eq(image(w), _i == 0 ? "a" : "b");
    disk.error = -EIO;
    end(w);
}
END_TEST

/* Each time that the health check asks, an autoscaler has set its own value again. */
static int serve_insisted(struct world *w)
{
    take_image(w, "theirs");
    return 0;
}

/* An autoscaler changes an object while the health checks run. The agent puts this object back each time, but the
 * server refuses another object of the set, which has not changed: the trial ends all the same. */
START_TEST(somebody_insists_beside_an_object_that_is_refused)
{
    service = serve_insisted;
    struct world *w = begin_applied(",\"healthDeadline\":\"30s\",\"healthChecks\":[{\"tcp\":{\"port\":80}}]", 320,
                                    DEPLOYMENT("a") CONFIG_MAP("1"));

    (void)intervals(w, 30);
    ck_assert_int_eq(look(w).status.phase, HF_MANIFEST_APPLIED);
    publish(w, DEPLOYMENT("b") CONFIG_MAP("2"));
    hf_manifest_engine_check(w->engine);
    for (unsigned i = 0; i < 500 && look(w).status.phase != HF_MANIFEST_PROBATION; i++)
        (void)hf_simloop_run_for(w->loop, HF_NS_PER_S / 20);
    ck_assert_int_eq(look(w).status.phase, HF_MANIFEST_PROBATION);
    w->api.scripts[0] = (struct ssa_sim_script){"PATCH", MAP, _i == 0 ? 422 : 500, "{\"kind\":\"Status\"}", 1000000};
    unsigned changes = w->image_changes;
    for (unsigned i = 0; i < 6 * 60 * 24 && look(w).status.phase == HF_MANIFEST_PROBATION; i++) {
        (void)intervals(w, 1);
        ssa_sim_forget_log(&w->api);
    }
    service = NULL;
    ck_assert_msg(look(w).status.phase != HF_MANIFEST_PROBATION,
                  "still on trial after 24 h: %u changes of the image, %u refused PATCHes, %s: %s",
                  w->image_changes - changes, 1000000 - w->api.scripts[0].times,
                  hf_manifest_reason_name(look(w).status.reason), look(w).message);
    end(w);
}
END_TEST

static unsigned scalings;     /* how often the autoscaler has scaled during this trial */
static uint64_t asked_ns;     /* when the service was first asked after the objects were ready */
static uint64_t available_ns; /* when the Deployment becomes available */

/* The service answers 20 s after the Deployment is available. At this moment an autoscaler sees the load, and scales:
 * three times the agent puts its own value back; the fourth time new replicas start for 5 s. */
static int serve_scaled(struct world *w)
{
    uint64_t now = hf_simloop_now_ns(w->loop);

    if (strcmp(image(w), "b") != 0 && scalings < 4)
        return 0;
    if (asked_ns == 0)
        asked_ns = now;
    if (now < asked_ns + 20 * HF_NS_PER_S)
        return -ECONNREFUSED;
    asked_ns = 0;
    if (scalings < 4) {
        scalings++;
        take_image(w, "theirs");
        available_ns = now + 5 * HF_NS_PER_S;
        w->sick = scalings == 4;
    }
    return 0;
}

/* The checks of a good set have passed within their deadline, and the Deployment was available in time. An autoscaler
 * that insists must not make it fail. */
START_TEST(autoscaler_at_the_end_of_the_trial)
{
    scalings = 4;
    service = serve_scaled;
    struct world *w =
        begin_applied(",\"healthDeadline\":\"30s\",\"healthChecks\":[{\"tcp\":{\"port\":80}}]", 321, DEPLOYMENT("a"));

    (void)intervals(w, 30);
    ck_assert_int_eq(look(w).status.phase, HF_MANIFEST_APPLIED);
    scalings = 0, asked_ns = 0;
    publish(w, DEPLOYMENT("b"));
    hf_manifest_engine_check(w->engine);
    bool was_b = false;
    for (unsigned i = 0; i < 6000; i++) {
        /* after each apply, the Deployment needs 15 s */
        bool is_b = strcmp(image(w), "b") == 0;
        if (is_b && !was_b)
            w->sick = true, available_ns = hf_simloop_now_ns(w->loop) + 15 * HF_NS_PER_S;
        was_b = is_b;
        if (hf_simloop_now_ns(w->loop) >= available_ns)
            w->sick = false;
        (void)hf_simloop_run_for(w->loop, HF_NS_PER_S / 10);
    }
    service = NULL;
    ck_assert_uint_eq(scalings, 4);
    ck_assert_msg(w->notices[HF_MANIFEST_NOTICE_ROLLED_BACK] == 0, "%s %s: %s",
                  hf_manifest_phase_name(look(w).status.phase), hf_manifest_reason_name(look(w).status.reason),
                  look(w).message);
    end(w);
}
END_TEST

/* One drifted object is put back, another one is refused: the Event names only what was put back. _i == 1: nothing
 * was put back, and the status of an object that has not drifted changes meanwhile. */
START_TEST(told_what_was_not_put_back)
{
    struct world *w = begin_applied("", 303, DEPLOYMENT("a") CONFIG_MAP("1"));

    told[0] = '\0';
    w->api.scripts[0] = (struct ssa_sim_script){"PATCH", WEB, 403, "{\"kind\":\"Status\"}", 100000};
    take_image(w, "theirs");
    if (_i == 0)
        (void)json_object_del(w->api.objects, MAP);
    else
        busy_map = true;
    (void)intervals(w, 60);
    busy_map = false;
    ck_assert_str_eq(image(w), "theirs");
    ck_assert_msg(strstr(told, "web") == NULL, "%u notices, %u drifts: '%s'",
                  w->notices[HF_MANIFEST_NOTICE_DRIFT_REPAIRED], (unsigned)look(w).status.drifts, told);
    end(w);
}
END_TEST

static unsigned outages;
static uint64_t outage_ends_ns;

/* The set does not work. Some seconds after its checks have begun, it uses up the memory of the node, and the API
 * server starts anew, which takes 3 min. */
static int serve_and_exhaust(struct world *w)
{
    if (strcmp(image(w), "b") != 0)
        return 0;
    if (w->hung == NULL) {
        outages++;
        w->hung = "/";
    }
    outage_ends_ns = hf_simloop_now_ns(w->loop) + 180 * HF_NS_PER_S;
    return -ECONNREFUSED;
}

/* The set is rolled back, although nobody can look whether somebody has changed it. */
START_TEST(set_that_takes_the_server_down)
{
    service = serve_and_exhaust;
    struct world *w =
        begin_applied(",\"healthDeadline\":\"30s\",\"healthChecks\":[{\"tcp\":{\"port\":80}}]", 330, DEPLOYMENT("a"));

    (void)intervals(w, 4);
    expect(w, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_HEALTH_PASSED, "");
    outages = 0;
    publish(w, DEPLOYMENT("b"));
    for (unsigned i = 0; i < 6 * 3600 && look(w).status.phase != HF_MANIFEST_ROLLED_BACK; i++) {
        if (i % 10 == 0) {
            hf_manifest_engine_check(w->engine);
            tell(w);
        }
        (void)hf_simloop_run_for(w->loop, HF_NS_PER_S);
        if (w->hung != NULL && hf_simloop_now_ns(w->loop) >= outage_ends_ns)
            w->hung = NULL;
        if (i % 60 == 0)
            ssa_sim_forget_log(&w->api);
    }
    service = NULL;
    w->hung = NULL;
    struct seen seen = look(w);
    ck_assert_msg(seen.status.phase == HF_MANIFEST_ROLLED_BACK, "after 6 h and %u outages: %s: %s %s: %s", outages,
                  image(w), hf_manifest_phase_name(seen.status.phase), hf_manifest_reason_name(seen.status.reason),
                  seen.message);
    end(w);
}
END_TEST

/* ---- an unsigned entry with the name of a signed one ------------------------------------------------------------- */

static struct world *begin_signed(const char *fields, uint64_t seed)
{
    static const char config[] = "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\nmanifests:\n"
                                 "  files: [/etc/app/*]\n  paths: [/media/usb, /media/usb/**]\n"
                                 "signedPolicies: {manifests: {cluster: true}}\n";
    struct world *w = begin(fields, seed);

    hf_config_free(w->config);
    ck_assert_int_eq(hf_config_parse(HF_VIEW(config), "agent.yaml", &w->config, NULL), 0);
    ck_assert_uint_eq(hf_config_n_faults(w->config), 0);
    is_signed = true;
    return w;
}

/* The objects stay, and are put back. */
START_TEST(unsigned_entry_removes_no_object)
{
    struct world *w = begin_signed("", 60);

    publish(w, DEPLOYMENT("a") CONFIG_MAP("1"));
    boot(w);
    (void)intervals(w, 4);
    expect(w, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "");
    is_signed = false;
    set_policy(w, ",\"prune\":true");
    tell(w);
    publish(w, DEPLOYMENT("b"));
    (void)intervals(w, 4);
    expect(w, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_NOT_ALLOWED, "");
    take_image(w, "theirs");
    (void)intervals(w, 8);
    ck_assert_str_eq(image(w), "a");
    ck_assert_uint_eq(json_object_size(w->api.objects), 2);
    end(w);
}
END_TEST

/* No set was ever good, and the objects of the first one are still there. An unsigned entry with another target does
 * not inherit them, so they stay when it leaves the policy. */
START_TEST(unsigned_entry_inherits_no_object)
{
    struct world *w = begin_signed(",\"healthDeadline\":\"30s\"", 61);

    publish(w, DEPLOYMENT("broken"));
    boot(w);
    (void)intervals(w, 8);
    expect(w, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_NOT_READY, "");
    is_signed = false;
    target = "Files";
    set_policy(w, ",\"path\":\"/etc/app/\",\"prune\":true");
    (void)intervals(w, 4);
    expect(w, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_UNSUPPORTED, "an entry cannot change its target");
    hf_syncpolicy_free(w->policy);
    w->policy = NULL;
    (void)intervals(w, 4);
    ck_assert_uint_eq(look(w).n, 0);
    ck_assert_uint_eq(json_object_size(w->api.objects), 1);
    end(w);
}
END_TEST

static void add_cases(TCase *tc)
{
    tcase_add_test(tc, way_of_a_set);
    tcase_add_test(tc, sick_set_rolls_back);
    tcase_add_loop_test(tc, rollback_reads_again, 0, 2);
    tcase_add_loop_test(tc, rollback_that_one_object_stops, 0, 4);
    tcase_add_loop_test(tc, rollback_that_is_refused_for_a_moment, 0, 2);
    tcase_add_test(tc, rollback_waits_for_the_server);
    tcase_add_test(tc, rollback_waits_for_the_store);
    tcase_add_loop_test(tc, object_that_the_server_does_not_show, 0, 3);
    tcase_add_test(tc, a_server_away_behind_a_proxy_is_no_verdict);
    tcase_add_test(tc, change_on_trial_that_cannot_be_put_back);
    tcase_add_loop_test(tc, refused_repairs_vouch_for_nothing, 0, 2);
    tcase_add_test(tc, change_of_somebody_else_vouches_for_nothing);
    tcase_add_test(tc, somebody_insists);
    tcase_add_test(tc, first_set_that_is_sick_stays);
    tcase_add_loop_test(tc, lost_record_proves_nothing, 0, 2);
    tcase_add_test(tc, drift_is_repaired_once_the_server_answers);
    tcase_add_test(tc, a_refused_set_does_not_flap);
    tcase_add_loop_test(tc, conflict_is_tried_again_each_interval, 0, 2);
    tcase_add_test(tc, objects_that_were_refused_need_no_permission);
    tcase_add_loop_test(tc, object_that_is_not_shown_hides_no_other, 0, 2);
    tcase_add_test(tc, a_server_that_is_away_leaves_room_for_newer_content);
    tcase_add_loop_test(tc, an_entry_that_is_gone, 0, 2);
    tcase_add_loop_test(tc, an_entry_that_was_never_good_goes, 0, 2);
    tcase_add_test(tc, removal_waits_for_the_server);
    tcase_add_test(tc, removal_that_is_refused_waits);
    tcase_add_loop_test(tc, an_entry_that_comes_back, 0, 2);
    tcase_add_test(tc, bad_content_touches_nothing);
    tcase_add_test(tc, rollback_and_a_webhook_that_takes_the_label);
    tcase_add_test(tc, trial_and_a_webhook_that_takes_the_label);
    tcase_add_test(tc, starts_during_probation);
    tcase_add_loop_test(tc, trial_while_the_server_refuses_the_agent, 0, 2);
    tcase_add_loop_test(tc, rollback_while_the_server_refuses_the_agent, 0, 2);
    tcase_add_test(tc, unreadable_content_is_fetched_again);
    tcase_add_test(tc, a_set_in_the_second_of_a_repair);
    tcase_add_test(tc, too_much_text);
    tcase_add_test(tc, names_of_any_length_fit_the_record);
    tcase_add_loop_test(tc, looks_that_take_longer_than_the_interval, 0, 2);
    tcase_add_test(tc, repair_beside_a_refusal_is_told);
    tcase_add_test(tc, refusal_is_shown);
    tcase_add_test(tc, attempts_of_two_causes);
    tcase_add_test(tc, drift_without_the_record);
    tcase_add_test(tc, starts_while_the_server_is_away);
    tcase_add_test(tc, trial_whose_end_is_not_on_disk);
    tcase_add_test(tc, starts_before_the_server_answers);
    tcase_add_test(tc, trial_with_worn_content);
    tcase_add_test(tc, trial_with_worn_content_and_a_short_deadline);
    tcase_add_loop_test(tc, drift_beside_a_set_that_is_not_in_place, 0, 2);
    tcase_add_loop_test(tc, change_under_the_health_checks, 0, 4);
    tcase_add_loop_test(tc, drift_beside_a_set_with_a_new_object, 0, 2);
    tcase_add_loop_test(tc, worn_copy_is_fetched_again, 0, 3);
    tcase_add_loop_test(tc, somebody_insists_beside_an_object_that_is_refused, 0, 2);
    tcase_add_test(tc, autoscaler_at_the_end_of_the_trial);
    tcase_add_test(tc, set_that_takes_the_server_down);
    tcase_add_loop_test(tc, told_what_was_not_put_back, 0, 2);
    tcase_add_test(tc, unsigned_entry_removes_no_object);
    tcase_add_test(tc, unsigned_entry_inherits_no_object);
    tcase_add_test(tc, power_cut_anywhere);
}
HF_TEST_MAIN_CPU("sim/manifest_objects", add_cases, 500)
