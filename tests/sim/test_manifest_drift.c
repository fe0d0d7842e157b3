/* SPDX-License-Identifier: Apache-2.0 */
/* Drift of entries of spec.manifests in the engine where the kernel watches all, some or none of the folders; and static
 * pods of which nobody says whether they run, until somebody does. */
#include <errno.h>
#include <string.h>

#include "kube/kube.h"
#include "loop/proc.h"
#include "loop/unit.h"
#include "loop/watch.h"
#include "manifests/engine.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"
#include "support/fakes/simhost.h"
#include "support/fakes/simkubelet.h"
#include "support/fakes/simnet.h"

#define KUBELET "http://127.0.0.1:10255"
#define POD                                                                                                            \
    "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"web\",\"namespace\":\"site\"},\"spec\":{}}"
#define POD_FILE "/etc/kubernetes/manifests/app_site_web.yaml"

struct watching {
    char path[200];
    void (*fire)(void *arg);
    void *arg;
    bool used;
};

struct world {
    struct hf_simloop *loop;
    struct hf_simnet *net;
    struct hf_simfs *fs;
    struct hf_config *config;
    struct hf_syncpolicy *policy;
    struct hf_simproc *proc;
    struct hf_simhost *host;
    struct hf_simclient *client;
    struct hf_manifest_engine *engine;
    struct hf_watch_ops watch;
    struct watching watches[8];
    unsigned refused;        /* calls that wanted a watch and got none */
    const char *unwatchable; /* the kernel has no watch for this folder; "*": for none */
    const char *pods;        /* what the kubelet lists; NULL: it answers 401 */
    unsigned asked;
};

/* ---- the kernel, and the kubelet --------------------------------------------------------------------------------- */

static int watch_add(void *ctx, const char *path, void (*fire)(void *arg), void *arg, struct hf_watch **ret_watch,
                     struct hf_err *err)
{
    struct world *w = ctx;

    if (w->unwatchable != NULL && (strcmp(w->unwatchable, "*") == 0 || strcmp(w->unwatchable, path) == 0)) {
        w->refused++;
        return hf_err_sys(err, -ENOSPC, "watch '%s'", path);
    }
    for (size_t i = 0; i < HF_LEN(w->watches); i++) {
        if (w->watches[i].used)
            continue;
        w->watches[i] = (struct watching){.fire = fire, .arg = arg, .used = true};
        (void)snprintf(w->watches[i].path, sizeof(w->watches[i].path), "%s", path);
        *ret_watch = (struct hf_watch *)(void *)&w->watches[i];
        return 0;
    }
    ck_abort_msg("too many watches");
    return -ENOSPC;
}

static void watch_remove(void *ctx, struct hf_watch *watch)
{
    (void)ctx;
    if (watch != NULL)
        ((struct watching *)(void *)watch)->used = false;
}

/* What the kernel does after a change in a folder. */
static void tell_of(struct world *w, const char *folder)
{
    for (size_t i = 0; i < HF_LEN(w->watches); i++)
        if (w->watches[i].used && strcmp(w->watches[i].path, folder) == 0)
            w->watches[i].fire(w->watches[i].arg);
}

static void kubelet(void *arg, struct hf_simcall *call)
{
    struct world *w = arg;
    char text[1000];

    w->asked++;
    if (w->pods == NULL) {
        hf_simcall_reply(call, 401, "text/plain", "Unauthorized");
        return;
    }
    (void)snprintf(text, sizeof(text), "{\"kind\":\"PodList\",\"items\":[%s]}", w->pods);
    hf_simcall_reply(call, 200, "application/json", text);
}

/* ---- one node ---------------------------------------------------------------------------------------------------- */

static void changed(void *arg)
{
    (void)arg;
}

static void tell(struct world *w)
{
    struct hf_manifest_desired desired = {.policy = w->policy, .config = w->config, .proven = true};

    ck_assert_int_eq(hf_manifest_engine_set(w->engine, &desired, NULL), 0);
}

static void put(struct world *w, const char *path, const char *text)
{
    hf_simfs_put(w->fs, path, text, strlen(text), 0644);
}

static void decode(struct world *w, const char *fields)
{
    struct hf_issues *issues = calloc(1, sizeof(*issues));
    json_t *json = NULL;
    char text[1024];

    (void)snprintf(
        text, sizeof(text),
        "{\"apiVersion\":\"edge.codcompass.io/v1alpha1\",\"kind\":\"SyncPolicy\",\"metadata\":{\"name\":\"p\","
        "\"annotations\":{}},\"spec\":{\"manifests\":[{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},%s}]}}",
        fields);
    ck_assert_int_eq(hf_json_parse(hf_view_of(text), NULL, &json, NULL), 0);
    ck_assert_int_eq(hf_syncpolicy_decode(json, &w->policy, issues), 0);
    ck_assert_uint_eq(w->policy->n_manifests, 1);
    json_decref(json);
    free(issues);
}

static void boot(struct world *w)
{
    static const struct hf_simhost_world host = {.arg = NULL};

    w->proc = hf_simproc_new(w->loop, "agent");
    w->host = hf_simhost_new(w->proc, &host);
    w->client = hf_simnet_client(w->net, w->proc);
    w->watch = (struct hf_watch_ops){.ctx = w, .add = watch_add, .remove = watch_remove};
    struct hf_manifest_engine_params params = {.env = {.world = hf_simproc_world(w->proc, hf_simfs_ops(w->fs)),
                                                       .http = hf_simclient_ops(w->client),
                                                       .proc = hf_simhost_proc(w->host),
                                                       .probe = hf_simhost_probe(w->host),
                                                       .unit = hf_simhost_unit(w->host),
                                                       .watch = &w->watch,
                                                       .static_pod_health = true,
                                                       .config = w->config,
                                                       .state_dir = "/var/lib/holdfast",
                                                       .node_name = "n1",
                                                       .retry_base_ns = HF_NS_PER_S,
                                                       .retry_cap_ns = 10 * HF_NS_PER_S},
                                               .changed = changed,
                                               .arg = w};
    ck_assert_int_eq(hf_manifest_engine_new(&params, &w->engine, NULL), 0);
    hf_manifest_engine_repair_now(w->engine);
    tell(w);
}

static void end_life(struct world *w)
{
    hf_manifest_engine_free(w->engine);
    w->engine = NULL;
    while (hf_simproc_jobs(w->proc) > 0 && hf_simloop_step(w->loop))
        ;
    hf_simclient_free(w->client);
    hf_simhost_free(w->host);
    hf_simproc_free(w->proc);
}

static struct world *begin(const char *fields)
{
    static const char config[] = "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n"
                                 "staticPodFolder: /etc/kubernetes/manifests\nmanifests:\n"
                                 "  staticPods: true\n  files: [/etc/app/**]\n  paths: [/media/usb, /media/usb/**]\n";
    struct world *w = calloc(1, sizeof(*w));

    ck_assert(w != NULL);
    w->loop = hf_simloop_new(7);
    w->net = hf_simnet_new(w->loop);
    hf_simnet_serve(w->net, KUBELET, kubelet, w);
    w->fs = hf_simfs_new();
    hf_simkubelet_listen(w->fs, 0);
    ck_assert_int_eq(hf_config_parse(HF_VIEW(config), "agent.yaml", &w->config, NULL), 0);
    ck_assert_uint_eq(hf_config_n_faults(w->config), 0);
    decode(w, fields);
    hf_simfs_mkdir(w->fs, "/etc/app", 0755);
    hf_simfs_mkdir(w->fs, "/etc/kubernetes/manifests", 0755);
    hf_simfs_mkdir(w->fs, "/var/lib/holdfast", 0700);
    return w;
}

static void end(struct world *w)
{
    end_life(w);
    for (size_t i = 0; i < HF_LEN(w->watches); i++)
        ck_assert(!w->watches[i].used);
    hf_simnet_free(w->net);
    hf_simloop_free(w->loop);
    hf_simfs_free(w->fs);
    hf_syncpolicy_free(w->policy);
    hf_config_free(w->config);
    free(w);
}

static void run_s(struct world *w, unsigned seconds)
{
    (void)hf_simloop_run_for(w->loop, seconds * HF_NS_PER_S);
}

/* The end of an interval of the policy. */
static void interval(struct world *w)
{
    hf_manifest_engine_check(w->engine);
    tell(w);
}

struct seen {
    struct hf_manifest_status status;
    char message[600];
};

static void see(void *arg, const struct hf_manifest_status *status)
{
    struct seen *seen = arg;

    seen->status = *status;
    (void)snprintf(seen->message, sizeof(seen->message), "%s", status->message);
}

static void expect(struct world *w, enum hf_manifest_reason reason, const char *words, unsigned drifts)
{
    struct seen seen = {.message = ""};

    hf_manifest_engine_each(w->engine, see, &seen);
    ck_assert_msg(seen.status.phase == HF_MANIFEST_APPLIED && seen.status.reason == reason &&
                      seen.status.drifts == drifts && strstr(seen.message, words) != NULL,
                  "%s %s %u: %s", hf_manifest_phase_name(seen.status.phase),
                  hf_manifest_reason_name(seen.status.reason), seen.status.drifts, seen.message);
}

static bool holds(struct world *w, const char *path, const char *text)
{
    size_t n = 0;
    const char *bytes = hf_simfs_get(w->fs, path, &n);

    return bytes != NULL && n == strlen(text) && memcmp(bytes, text, n) == 0;
}

/* ---- folders without a watch ------------------------------------------------------------------------------------- */

static struct world *begin_files(const char *unwatchable)
{
    struct world *w = begin("\"to\":\"Files\",\"path\":\"/etc/app/\"");

    w->unwatchable = unwatchable;
    put(w, "/media/usb/a.conf", "a1");
    put(w, "/media/usb/sub/b.conf", "b1");
    boot(w);
    for (unsigned i = 0; i < 3; i++) { /* two looks make a source that was just written certain */
        run_s(w, 10);
        interval(w);
    }
    run_s(w, 10);
    expect(w, HF_MANIFEST_REASON_APPLIED, "", 0);
    return w;
}

/* The interval never ends here, as one of an hour does. */
START_TEST(without_a_watch_the_engine_looks_by_itself)
{
    static const char *const cases[] = {"*", "/etc/app", "/etc/app/sub"};
    struct world *w = begin_files(cases[_i]);

    ck_assert_uint_gt(w->refused, 0);
    for (unsigned i = 1; i <= 3; i++) {
        put(w, "/etc/app/a.conf", "drift");
        put(w, "/etc/app/sub/b.conf", "drift");
        run_s(w, 40);
        ck_assert(holds(w, "/etc/app/a.conf", "a1") && holds(w, "/etc/app/sub/b.conf", "b1"));
        expect(w, HF_MANIFEST_REASON_DRIFT_REPAIRED, "a.conf (content)", i);
    }
    end(w);
}
END_TEST

START_TEST(with_watches_nobody_looks_without_news)
{
    struct world *w = begin_files(NULL);

    put(w, "/etc/app/a.conf", "drift");
    run_s(w, 3600);
    ck_assert(holds(w, "/etc/app/a.conf", "drift"));
    tell_of(w, "/etc/app");
    run_s(w, 1);
    ck_assert(holds(w, "/etc/app/a.conf", "a1"));
    expect(w, HF_MANIFEST_REASON_DRIFT_REPAIRED, "a.conf (content)", 1);
    end(w);
}
END_TEST

START_TEST(a_watch_that_was_refused_is_asked_for_again)
{
    struct world *w = begin_files("/etc/app/sub");

    w->unwatchable = NULL;
    interval(w);
    run_s(w, 5);
    put(w, "/etc/app/sub/b.conf", "drift");
    tell_of(w, "/etc/app/sub");
    run_s(w, 1);
    ck_assert(holds(w, "/etc/app/sub/b.conf", "b1"));
    end(w);
}
END_TEST

/* ---- static pods that nobody sees -------------------------------------------------------------------------------- */

#define RUNS(phase, ready)                                                                                             \
    "{\"metadata\":{\"name\":\"web-n1\",\"namespace\":\"site\",\"annotations\":{\"kubernetes.io/"                      \
    "config.hash\":\"1\"}},"                                                                                           \
    "\"status\":{\"phase\":\"" phase "\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"" ready "\"}]}}"

static struct world *begin_pods(void)
{
    struct world *w = begin("\"to\":\"StaticPods\"");

    put(w, "/media/usb/web.yaml", POD);
    boot(w);
    for (unsigned i = 0; i < 6; i++) {
        run_s(w, 10);
        interval(w);
    }
    run_s(w, 10);
    return w;
}

START_TEST(nobody_says_whether_the_pods_run)
{
    struct world *w = begin_pods();
    unsigned asked;

    expect(w, HF_MANIFEST_REASON_HEALTH_UNKNOWN, "written, health unknown: its read-only port: answered 401", 0);
    hf_simfs_delete(w->fs, POD_FILE);
    tell_of(w, "/etc/kubernetes/manifests");
    run_s(w, 1);
    size_t n;
    ck_assert(hf_simfs_get(w->fs, POD_FILE, &n) != NULL);
    expect(w, HF_MANIFEST_REASON_HEALTH_UNKNOWN, "put back: app_site_web.yaml (missing)", 1);
    end_life(w);
    boot(w); /* what nobody knew before a restart, nobody knows after it */
    run_s(w, 5);
    expect(w, HF_MANIFEST_REASON_HEALTH_UNKNOWN, "", 1);
    w->pods = RUNS("Pending", "False");
    interval(w);
    run_s(w, 5);
    expect(w, HF_MANIFEST_REASON_NOT_READY, "web", 1);
    w->pods = RUNS("Failed", "False");
    interval(w);
    run_s(w, 5);
    expect(w, HF_MANIFEST_REASON_HEALTH_FAILED, "web", 1);
    w->pods = RUNS("Running", "True");
    interval(w);
    run_s(w, 5);
    expect(w, HF_MANIFEST_REASON_APPLIED, "", 1);
    asked = w->asked;
    interval(w);
    run_s(w, 5);
    ck_assert_uint_eq(w->asked, asked); /* it is known now */
    end(w);
}
END_TEST

START_TEST(an_end_while_the_question_is_open)
{
    struct world *w = begin_pods();

    hf_simnet_set_server(w->net, KUBELET, HF_SIM_SERVER_SILENT);
    interval(w);
    run_s(w, 1);
    end(w);
}
END_TEST

static void add_cases(TCase *cases)
{
    tcase_add_loop_test(cases, without_a_watch_the_engine_looks_by_itself, 0, 3);
    tcase_add_test(cases, with_watches_nobody_looks_without_news);
    tcase_add_test(cases, a_watch_that_was_refused_is_asked_for_again);
    tcase_add_test(cases, nobody_says_whether_the_pods_run);
    tcase_add_test(cases, an_end_while_the_question_is_open);
}

HF_TEST_MAIN("sim/manifest_drift", add_cases)
