/* SPDX-License-Identifier: Apache-2.0 */
/* The thin shells on virtual time, against a small API server: the Lease of two replicas, the writer, Events,
 * approvals. */
#include <errno.h>

#include "base/encoding/base64.h"
#include "controller/csr/approver.h"
#include "controller/fleet/recorder.h"
#include "controller/fleet/writer.h"
#include "controller/lead/leader.h"
#include "os/file.h"
#include "os/fs_posix.h"
#include "support/check_main.h"
#include "support/fakes/simnet.h"
#include "web/metrics.h"

#define S HF_NS_PER_S

#define UID "7d1f4c1e-2a58-4b6e-9f0a-0c5d3c1b9a11" /* in p256.pem */

enum { REPLICAS = 2, MAX_SERVED = 2000, MAX_CSRS = 700, MAX_RESULTS = 64 };

struct served {
    char type[40];
    char method[8], target[300];
    json_t *body;
    uint64_t at_ns;
};

struct replica {
    struct world *world;
    struct hf_simproc *proc;
    struct hf_simclient *client;
    struct hf_kube *kube;
    struct hf_metrics *metrics;
    struct hf_leader *leader;
    uint64_t epoch;
    unsigned changes, went_back;
    bool released, leads;
};

struct world {
    struct hf_simloop *loop;
    struct hf_simnet *net;
    struct hf_kube_config config;
    struct replica replicas[REPLICAS];
    json_t *lease, *csr; /* NULL: absent */
    unsigned more_csrs;  /* copies of `csr` in a list */
    bool own_nodes;      /* each copy is from another node, and goes when it is decided */
    bool decided[MAX_CSRS];
    unsigned version;
    struct served served[MAX_SERVED];
    unsigned n_served, flying, most_flying;
    int status; /* of every answer but those about the Lease and CSRs; 0: 200 */
    uint64_t retry_ns;
    bool has_node, slow, replaced;
    struct {
        uint64_t id;
        int r;
    } results[MAX_RESULTS];
    unsigned n_results;
};

static struct world w;

/* ---- the server -------------------------------------------------------------------------------------------------- */

static void reply(struct hf_simcall *call, int status, const json_t *object)
{
    char *text = object != NULL ? json_dumps(object, 0) : strdup("{\"kind\":\"Status\"}");

    hf_simcall_respond(call, &(struct hf_http_response){.status = status,
                                                        .retry_after_ns = status == 503 ? w.retry_ns : 0,
                                                        .content_length = -1,
                                                        .content_type = "application/json"});
    hf_simcall_send(call, text, strlen(text));
    hf_simcall_end(call);
    free(text);
}

static json_t *body_of(const struct hf_simcall *call)
{
    struct hf_view body = hf_simcall_body(call);

    return body.n > 0 ? json_loadb(body.p, body.n, 0, NULL) : NULL;
}

static void store(json_t **place, json_t *object)
{
    char version[16];

    (void)snprintf(version, sizeof(version), "%u", ++w.version);
    ck_assert_int_eq(hf_json_put(object, "metadata.resourceVersion", json_string(version)), 0);
    json_decref(*place);
    *place = object;
}

static void serve_lease(struct hf_simcall *call)
{
    const char *method = hf_simcall_method(call);
    json_t *body = body_of(call);

    if (strcmp(method, "GET") == 0) {
        reply(call, w.lease != NULL ? 200 : 404, w.lease);
    } else if (strcmp(method, "POST") == 0 && w.lease != NULL) {
        reply(call, 409, NULL);
    } else if (strcmp(method, "PUT") == 0 &&
               (w.lease == NULL || strcmp(hf_json_str_or(body, "metadata.resourceVersion", "?"),
                                          hf_json_str_or(w.lease, "metadata.resourceVersion", "")) != 0)) {
        reply(call, w.lease == NULL ? 404 : 409, NULL);
    } else {
        store(&w.lease, json_incref(body));
        reply(call, 200, w.lease);
    }
    json_decref(body);
}

static void serve_csrs(struct hf_simcall *call)
{
    char yes[8];
    json_t *body = body_of(call);

    if (strcmp(hf_simcall_method(call), "PUT") == 0 && w.own_nodes) {
        const char *number = strstr(hf_simcall_target(call), "/more-");
        if (number != NULL)
            w.decided[strtoul(number + 6, NULL, 10)] = true;
        reply(call, 200, body);
    } else if (strcmp(hf_simcall_method(call), "PUT") == 0) {
        store(&w.csr, json_incref(body));
        reply(call, 200, w.csr);
    } else if (hf_simcall_query(call, "sendInitialEvents", yes, sizeof(yes))) {
        reply(call, 422, NULL);
    } else if (hf_simcall_query(call, "watch", yes, sizeof(yes))) {
        hf_simcall_respond(
            call, &(struct hf_http_response){.status = 200, .content_length = -1, .content_type = "application/json"});
    } else {
        json_t *list = json_pack("{s:s, s:s, s:{s:s}, s:[O]}", "kind", "CertificateSigningRequestList", "apiVersion",
                                 "certificates.k8s.io/v1", "metadata", "resourceVersion", "100", "items", w.csr);
        for (unsigned i = 0; i < w.more_csrs; i++) {
            if (w.decided[i])
                continue;
            json_t *copy = json_deep_copy(w.csr);
            if (w.own_nodes)
                (void)json_array_set_new(json_object_get(hf_json_mutable(hf_json_at(copy, "spec.extra")),
                                                         "authentication.kubernetes.io/node-name"),
                                         0, json_sprintf("m%u", i));
            ck_assert_int_eq(hf_json_put(copy, "metadata.name", json_sprintf("more-%u", i)), 0);
            ck_assert_int_eq(json_array_append_new(json_object_get(list, "items"), copy), 0);
        }
        reply(call, 200, list);
        json_decref(list);
    }
    json_decref(body);
}

static void answer_later(void *arg)
{
    struct hf_simcall *call = arg;
    json_t *object =
        json_pack("{s:s, s:{s:s, s:s, s:s, s:s}}", "kind", "X", "metadata", "name", "x", "uid", UID, "resourceVersion",
                  "17", "creationTimestamp", w.replaced ? "2026-01-03T00:00:00Z" : "2026-01-01T00:00:00Z");
    bool absent = strstr(hf_simcall_target(call), "/api/v1/nodes/") != NULL && !w.has_node;

    w.flying--;
    if (absent)
        reply(call, 404, NULL);
    else
        reply(call, w.status != 0 ? w.status : 200, object);
    json_decref(object);
}

static void handle(void *arg, struct hf_simcall *call)
{
    const char *target = hf_simcall_target(call);
    struct served *served = &w.served[w.n_served];

    (void)arg;
    if (strcmp(hf_simcall_method(call), "GET") == 0 && hf_simcall_header(call, "Accept") == NULL) {
        reply(call, 200, NULL); /* the ping of a silent connection */
        return;
    }
    ck_assert_uint_lt(w.n_served, MAX_SERVED);
    (void)snprintf(served->method, sizeof(served->method), "%s", hf_simcall_method(call));
    (void)snprintf(served->target, sizeof(served->target), "%s", target);
    served->body = body_of(call);
    (void)snprintf(served->type, sizeof(served->type), "%s",
                   hf_simcall_header(call, "Content-Type") != NULL ? hf_simcall_header(call, "Content-Type") : "");
    served->at_ns = hf_simloop_now_ns(w.loop);
    w.n_served++;
    if (strstr(target, "/leases") != NULL)
        serve_lease(call);
    else if (strstr(target, "certificatesigningrequests") != NULL)
        serve_csrs(call);
    else {
        w.flying++;
        w.most_flying = HF_MAX(w.most_flying, w.flying);
        hf_simloop_post(w.loop, w.slow ? S / 2 : 0, answer_later, call);
    }
}

static unsigned count(const char *method, const char *part)
{
    unsigned n = 0;

    for (unsigned i = 0; i < w.n_served; i++)
        n += strcmp(w.served[i].method, method) == 0 && strstr(w.served[i].target, part) != NULL;
    return n;
}

/* ---- the world --------------------------------------------------------------------------------------------------- */

static void changed(void *arg, uint64_t epoch)
{
    struct replica *replica = arg;

    replica->epoch = epoch;
    replica->changes++;
}

static void went_back(void *arg)
{
    ((struct replica *)arg)->went_back++;
}

static void start(void)
{
    memset(&w, 0, sizeof(w));
    w.loop = hf_simloop_new(5);
    w.net = hf_simnet_new(w.loop);
    w.has_node = true;
    hf_simnet_serve(w.net, "https://api", handle, &w);
    w.config.server = strdup("https://api:6443");
    for (int i = 0; i < REPLICAS; i++) {
        struct replica *r = &w.replicas[i];
        r->world = &w;
        r->leads = true;
        r->proc = hf_simproc_new(w.loop, i == 0 ? "a" : "b");
        r->client = hf_simnet_client(w.net, r->proc);
        r->metrics = hf_metrics_new();
        struct hf_kube_params params = {.config = &w.config,
                                        .api = HF_KUBE_APISERVER,
                                        .field_manager = "holdfast-controller",
                                        .world = hf_simproc_world(r->proc, NULL),
                                        .http = hf_simclient_ops(r->client),
                                        .fleet = true};
        r->kube = hf_kube_new(&params, NULL);
        ck_assert_ptr_nonnull(r->kube);
    }
}

static void end(void)
{
    for (int i = 0; i < REPLICAS; i++) {
        struct replica *r = &w.replicas[i];
        hf_leader_free(r->leader);
        hf_kube_free(r->kube);
        ck_assert_uint_eq(hf_simproc_timers(r->proc), 0);
        hf_simclient_free(r->client);
        hf_simproc_free(r->proc);
        hf_metrics_free(r->metrics);
    }
    hf_simnet_free(w.net);
    hf_simloop_free(w.loop);
    hf_kube_config_done(&w.config);
    json_decref(w.lease);
    json_decref(w.csr);
    for (unsigned i = 0; i < w.n_served; i++)
        json_decref(w.served[i].body);
}

static void lead_as(int i, bool alone)
{
    struct replica *r = &w.replicas[i];
    const struct hf_leader_params params = {
        .kube = r->kube,
        .world = {.sched = hf_simproc_sched(r->proc), .clock = hf_simproc_clock(r->proc), .metrics = r->metrics},
        .ns = "holdfast-system",
        .name = "holdfast-controller",
        .identity = i == 0 ? "a" : "b",
        .changed = changed,
        .went_back = went_back,
        .alone = alone,
        .arg = r};

    r->leader = hf_leader_new(&params, NULL);
    ck_assert_ptr_nonnull(r->leader);
}

static void lead(int i)
{
    lead_as(i, false);
}

static void run(double seconds)
{
    (void)hf_simloop_run_for(w.loop, (uint64_t)(seconds * (double)S));
}

static void released(void *arg)
{
    ((struct replica *)arg)->released = true;
}

/* ---- the Lease --------------------------------------------------------------------------------------------------- */

START_TEST(lease_of_two)
{
    start();
    lead(0);
    run(1);
    lead(1);
    run(60);
    ck_assert(hf_leader_leads(w.replicas[0].leader) && !hf_leader_leads(w.replicas[1].leader));
    ck_assert_uint_eq(w.replicas[0].epoch, 1);
    ck_assert_uint_eq(w.replicas[0].changes, 1);
    ck_assert_str_eq(hf_json_str_or(w.lease, "spec.holderIdentity", ""), "a");
    ck_assert_int_eq(hf_json_int_or(w.lease, "spec.leaseDurationSeconds", 0), 15);
    ck_assert_uint_eq(strlen(hf_json_str_or(w.lease, "spec.renewTime", "")), strlen("2026-11-20T08:00:00.000000Z"));
    ck_assert_uint_le(count("PUT", "/leases/"), 32); /* one in 2 s */

    /* Cut off, it leads no longer than 10 s, and the other one begins after 15 s. */
    hf_simclient_set_state(w.replicas[0].client, HF_SIM_LINK_SILENT);
    run(10.5);
    ck_assert(!hf_leader_leads(w.replicas[0].leader) && !hf_leader_leads(w.replicas[1].leader));
    ck_assert_uint_eq(w.replicas[0].epoch, 0);
    run(10);
    ck_assert(hf_leader_leads(w.replicas[1].leader));
    ck_assert_uint_eq(w.replicas[1].epoch, 2);
    hf_simclient_set_state(w.replicas[0].client, HF_SIM_LINK_UP);
    run(60);
    ck_assert(!hf_leader_leads(w.replicas[0].leader) && hf_leader_leads(w.replicas[1].leader));

    /* Released, it is free at once. What others wrote into its metadata stays. */
    json_t *edited = json_deep_copy(w.lease), *note = json_pack("{s:s}", "edge.codcompass.io/allow-collect", "true");
    ck_assert_int_eq(hf_json_put(edited, "metadata.annotations", note), 0);
    store(&w.lease, edited);
    run(3);
    ck_assert_str_eq(hf_leader_annotation(w.replicas[1].leader, "edge.codcompass.io/allow-collect"), "true");
    hf_leader_release(w.replicas[1].leader, released, &w.replicas[1]);
    run(3);
    ck_assert(w.replicas[1].released && w.replicas[1].epoch == 0 && hf_leader_leads(w.replicas[0].leader));
    ck_assert_uint_eq(w.replicas[0].epoch, 3);
    ck_assert_str_eq(hf_leader_annotation(w.replicas[0].leader, "edge.codcompass.io/allow-collect"), "true");
    end();
}
END_TEST

/* Without election, in a cluster that had one: the objects have epochs, and the controller leads with a higher one. */
START_TEST(alone_where_others_led)
{
    struct replica *r = &w.replicas[0];

    start();
    lead_as(0, true);
    run(1);
    ck_assert(hf_leader_leads(r->leader) && r->epoch == 1);
    ck_assert(hf_leader_floor(r->leader, 1)); /* its own epoch comes back */
    run(1);
    ck_assert(r->epoch == 1 && r->changes == 1);
    ck_assert(hf_leader_floor(r->leader, 5));
    ck_assert(hf_leader_floor(r->leader, 7));
    ck_assert_uint_eq(r->epoch, 1);
    run(1);
    ck_assert(hf_leader_leads(r->leader) && r->epoch == 8 && r->changes == 2);
    ck_assert(hf_leader_floor(r->leader, 8));
    run(60);
    ck_assert(r->epoch == 8 && w.n_served == 0);
    ck_assert(!hf_leader_floor(r->leader, HF_LEASE_LEAP + 1));
    ck_assert(hf_leader_floor(r->leader, HF_LEASE_LEAP));
    run(1);
    ck_assert_uint_eq(r->epoch, HF_LEASE_LEAP + 1);
    ck_assert(hf_leader_floor(r->leader, r->epoch));
    hf_leader_release(r->leader, released, r);
    ck_assert(r->released && r->epoch == 0 && !hf_leader_leads(r->leader));
    ck_assert(hf_leader_floor(r->leader, 20));
    run(60);
    ck_assert(r->epoch == 0 && r->changes == 4);
    end();
}
END_TEST

/* Both replicas notice that etcd was restored from a backup: the Lease comes in a version below one that it had. */
START_TEST(a_lease_from_a_backup)
{
    start();
    w.version = 900;
    lead(0);
    lead(1);
    run(20);
    json_t *backup = json_deep_copy(w.lease);
    unsigned version = w.version;
    run(60);
    ck_assert_uint_gt(w.version, version);
    for (int i = 0; i < REPLICAS; i++)
        ck_assert_uint_eq(w.replicas[i].went_back, 0);

    json_decref(w.lease);
    w.lease = _i == 0 ? backup : NULL; /* the backup is from before the first Lease */
    w.version = _i == 0 ? version : 40;
    run(20);
    for (int i = 0; i < REPLICAS; i++)
        ck_assert_uint_eq(w.replicas[i].went_back, 1);
    run(60);
    for (int i = 0; i < REPLICAS; i++)
        ck_assert_uint_eq(w.replicas[i].went_back, 1);
    if (_i != 0)
        json_decref(backup);
    end();
}
END_TEST

START_TEST(release_without_a_server)
{
    start();
    lead(0);
    run(5);
    hf_simclient_set_state(w.replicas[0].client, HF_SIM_LINK_SILENT);
    hf_leader_release(w.replicas[0].leader, released, &w.replicas[0]);
    ck_assert(!hf_leader_leads(w.replicas[0].leader));
    run(8);
    ck_assert(w.replicas[0].released);
    end();
}
END_TEST

/* ---- the writer -------------------------------------------------------------------------------------------------- */

static bool may_write(void *arg)
{
    return ((const struct replica *)arg)->leads;
}

static void result(void *arg, uint64_t id, int r, const json_t *object)
{
    (void)arg, (void)object;
    ck_assert_uint_lt(w.n_results, MAX_RESULTS);
    w.results[w.n_results].id = id;
    w.results[w.n_results++].r = r;
}

static struct hf_writer *writer_new(void)
{
    struct replica *r = &w.replicas[0];
    const struct hf_leader_env env = {
        .kube = r->kube,
        .world = {.sched = hf_simproc_sched(r->proc), .clock = hf_simproc_clock(r->proc), .metrics = r->metrics},
        .leads = may_write,
        .arg = r};

    return hf_writer_new(&env, result);
}

static void add(struct hf_writer *writer, enum hf_rollout_effect_kind kind, uint64_t id, bool urgent)
{
    json_t *body = json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:i}}", "apiVersion", "edge.codcompass.io/v1alpha1", "kind",
                             kind == HF_ROLLOUT_STATUS ? "EdgeUpdate" : "EdgeNode", "metadata", "name", "x",
                             "resourceVersion", "3", kind == HF_ROLLOUT_TURNS ? "spec" : "status", "a", 1);
    struct hf_rollout_effect effect = {
        .kind = kind, .id = id, .name = "x", .body = kind == HF_ROLLOUT_COLLECT ? NULL : body, .is_urgent = urgent};

    ck_assert_int_eq(hf_writer_add(writer, &effect), 0);
    json_decref(body);
}

START_TEST(a_first_refusal_is_an_increase)
{
    static const char *const kinds[] = {"status", "turns", "silent", "collect"};
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20);
    char line[128];

    start();
    struct hf_writer *writer = writer_new();

    ck_assert_int_eq(hf_metrics_format(w.replicas[0].metrics, &text), 0);
    for (size_t i = 0; i < HF_LEN(kinds); i++) {
        (void)snprintf(line, sizeof(line), "\nholdfast_controller_writes_total{kind=\"%s\",result=\"refused\"} 0\n",
                       kinds[i]);
        ck_assert_msg(strstr(text.p, line) != NULL, "%s is not there", line);
    }
    hf_writer_free(writer);
    end();
}
END_TEST

START_TEST(writes_in_order_and_few_at_a_time)
{
    start();
    struct hf_writer *writer = writer_new();

    w.slow = true;
    for (uint64_t id = 1; id <= 40; id++)
        add(writer, id % 2 == 0 ? HF_ROLLOUT_TURNS : HF_ROLLOUT_SILENT, id, false);
    add(writer, HF_ROLLOUT_STATUS, 41, true);
    hf_writer_turn(writer);
    run(0.2);
    ck_assert(!hf_writer_is_idle(writer) && w.n_results == 0);
    ck_assert_uint_eq(count("PATCH", "/edgeupdates/x/status?fieldManager=holdfast-controller"), 1);
    run(10);
    ck_assert(hf_writer_is_idle(writer));
    ck_assert_uint_eq(w.n_results, 41);
    ck_assert_uint_eq(w.most_flying, HF_WRITER_MAX_FLYING);
    ck_assert_uint_eq(count("PATCH", "/edgenodes/x/status?"), 20);
    ck_assert_uint_eq(count("PATCH", "/edgenodes/x?"), 20);
    hf_writer_free(writer);
    end();
}
END_TEST

/* Who applied a field without changing it owns it, too, and another one's apply does not remove it: turns and statuses
 * are replaced as a whole. */
START_TEST(replaces_what_others_own)
{
    static const struct {
        enum hf_rollout_effect_kind kind;
        const char *type, *query, *body;
    } cases[] = {
        {HF_ROLLOUT_TURNS, "application/json-patch+json", "/edgenodes/x?fieldManager=holdfast-controller",
         "[{\"op\":\"add\",\"path\":\"/metadata/resourceVersion\",\"value\":\"3\"},"
         "{\"op\":\"add\",\"path\":\"/spec\",\"value\":{\"a\":1}}]"},
        {HF_ROLLOUT_STATUS, "application/json-patch+json", "/edgeupdates/x/status?fieldManager=holdfast-controller",
         "[{\"op\":\"add\",\"path\":\"/metadata/resourceVersion\",\"value\":\"3\"},"
         "{\"op\":\"add\",\"path\":\"/status\",\"value\":{\"a\":1}}]"},
        {HF_ROLLOUT_SILENT, "application/apply-patch+yaml",
         "/edgenodes/x/status?fieldManager=holdfast-controller&force=true",
         "{\"apiVersion\":\"edge.codcompass.io/v1alpha1\",\"kind\":\"EdgeNode\","
         "\"metadata\":{\"name\":\"x\",\"resourceVersion\":\"3\"},\"status\":{\"a\":1}}"},
    };
    start();
    struct hf_writer *writer = writer_new();

    for (size_t i = 0; i < HF_LEN(cases); i++) {
        add(writer, cases[i].kind, i + 1, false);
        hf_writer_turn(writer);
        run(1);
        const struct served *last = &w.served[w.n_served - 1];
        char *text = json_dumps(last->body, JSON_COMPACT);
        ck_assert_str_eq(text, cases[i].body);
        free(text);
        ck_assert_str_eq(last->type, cases[i].type);
        ck_assert_str_eq(strstr(last->target, "/edge") + strlen("/edge.codcompass.io/v1alpha1"), cases[i].query);
    }
    hf_writer_free(writer);
    end();
}
END_TEST

START_TEST(no_write_without_the_lead)
{
    start();
    struct hf_writer *writer = writer_new();

    w.slow = true;
    for (uint64_t id = 1; id <= 20; id++)
        add(writer, HF_ROLLOUT_TURNS, id, false);
    hf_writer_turn(writer);
    run(0.1);
    w.replicas[0].leads = false;
    hf_writer_turn(writer);
    run(5);
    ck_assert_uint_eq(w.n_results, 20);
    ck_assert_uint_eq(w.n_served, HF_WRITER_MAX_FLYING);
    unsigned cancelled = 0;
    for (unsigned i = 0; i < w.n_results; i++)
        cancelled += w.results[i].r == -ECANCELED;
    ck_assert_uint_eq(cancelled, 20 - HF_WRITER_MAX_FLYING);
    hf_writer_free(writer);
    end();
}
END_TEST

START_TEST(a_busy_server_is_left_alone)
{
    start();
    struct hf_writer *writer = writer_new();

    w.status = 503;
    w.retry_ns = 7 * S;
    for (uint64_t id = 1; id <= 30; id++)
        add(writer, HF_ROLLOUT_TURNS, id, false);
    hf_writer_turn(writer);
    run(5);
    ck_assert_uint_eq(w.n_results, HF_WRITER_MAX_FLYING);
    ck_assert_int_eq(w.results[0].r, -EAGAIN);
    w.status = 0;
    run(5);
    ck_assert_uint_eq(w.n_results, 30);
    ck_assert_int_eq(w.results[29].r, 0);
    hf_writer_free(writer);
    end();
}
END_TEST

START_TEST(collection)
{
    start();
    struct hf_writer *writer = writer_new();

    add(writer, HF_ROLLOUT_COLLECT, 1, false); /* its Node is there */
    hf_writer_turn(writer);
    run(1);
    ck_assert_uint_eq(w.n_results, 1);
    ck_assert_int_eq(w.results[0].r, -ESTALE);
    ck_assert_uint_eq(count("DELETE", ""), 0);

    w.has_node = false;
    add(writer, HF_ROLLOUT_COLLECT, 2, false);
    hf_writer_turn(writer);
    run(1);
    ck_assert_int_eq(w.results[1].r, 0);
    const struct served *last = &w.served[w.n_served - 1];
    ck_assert_str_eq(last->method, "DELETE");
    ck_assert_str_eq(hf_json_str_or(last->body, "preconditions.uid", ""), UID);
    ck_assert_str_eq(hf_json_str_or(last->body, "preconditions.resourceVersion", ""), "17");
    ck_assert_uint_eq(w.n_served, 4);

    w.status = 503; /* no answer about the Node is no proof */
    w.has_node = true;
    add(writer, HF_ROLLOUT_COLLECT, 3, false);
    hf_writer_turn(writer);
    run(3);
    ck_assert_int_eq(w.results[2].r, -EAGAIN);
    ck_assert_uint_eq(count("DELETE", ""), 1);
    hf_writer_free(writer);
    end();
}
END_TEST

/* ---- Events ------------------------------------------------------------------------------------------------------ */

START_TEST(events)
{
    start();
    struct replica *r = &w.replicas[0];
    struct hf_recorder *recorder = hf_recorder_new(r->kube, hf_simproc_clock(r->proc), r->metrics, "a");
    const struct hf_recorder_event event = {
        .name = "app", .uid = "u", .reason = "RolloutHalted", .note = "3 of 40 failed", .is_warning = true};

    hf_recorder_note(recorder, &event);
    hf_recorder_note(recorder, &event);
    run(1);
    ck_assert_uint_eq(w.n_served, 1);
    const json_t *body = w.served[0].body;
    ck_assert_str_eq(w.served[0].method, "POST");
    ck_assert_str_eq(hf_json_str_or(body, "type", ""), "Warning");
    ck_assert_str_eq(hf_json_str_or(body, "regarding.kind", ""), "EdgeUpdate");
    ck_assert_str_eq(hf_json_str_or(body, "regarding.uid", ""), "u");
    ck_assert_str_eq(hf_json_str_or(body, "note", ""), "3 of 40 failed");
    ck_assert_str_eq(hf_json_str_or(body, "reportingController", ""), "holdfast-controller");
    run(90);
    hf_recorder_note(recorder, &event);
    run(1);
    ck_assert_uint_eq(w.n_served, 2);
    ck_assert_str_eq(w.served[1].method, "PATCH");
    ck_assert_int_eq(hf_json_int_or(w.served[1].body, "series.count", 0), 3);
    ck_assert_ptr_nonnull(strstr(w.served[1].target, hf_json_str_or(body, "metadata.name", "?")));
    hf_recorder_free(recorder);

    /* Another replica says the same: the Event exists. */
    struct replica *other = &w.replicas[1];
    recorder = hf_recorder_new(other->kube, hf_simproc_clock(other->proc), other->metrics, "b");
    w.status = 409;
    hf_recorder_note(recorder, &event);
    run(1);
    ck_assert_uint_eq(w.n_served, 3); /* 409 without the reason AlreadyExists is no reason to go on */
    hf_recorder_free(recorder);
    end();
}
END_TEST

/* ---- certificate requests ---------------------------------------------------------------------------------------- */

static json_t *make_csr(const char *node)
{
    _cleanup_(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(16384), base64 = HF_BUF_INIT(32768);

    ck_assert_int_eq(hf_file_read(hf_fs_posix(), "tests/fuzz/corpus/fuzz_csr/p256.pem", &pem, NULL), 0);
    ck_assert_int_eq(hf_base64_encode(pem.p, pem.n, &base64), 0);
    return json_pack("{s:s, s:s, s:{s:s, s:s, s:s}, s:{s:s, s:s, s:s, s:{s:[s]}, s:[s, s], s:i}, s:{}}", "apiVersion",
                     "certificates.k8s.io/v1", "kind", "CertificateSigningRequest", "metadata", "name", "c1",
                     "creationTimestamp", "2026-01-02T00:00:00Z", "resourceVersion", "50", "spec", "request",
                     hf_buf_str(&base64), "signerName", HF_CSR_SIGNER, "username",
                     "system:serviceaccount:holdfast-system:holdfast-agent", "extra",
                     "authentication.kubernetes.io/node-name", node, "usages", "client auth", "digital signature",
                     "expirationSeconds", 86400, "status");
}

static struct hf_approver *approver_new(void)
{
    struct replica *r = &w.replicas[0];
    const struct hf_approver_params params = {
        .env = {.kube = r->kube,
                .world = {.sched = hf_simproc_sched(r->proc),
                          .clock = hf_simproc_clock(r->proc),
                          .metrics = r->metrics},
                .leads = may_write,
                .arg = r},
        .terms = {.account = "system:serviceaccount:holdfast-system:holdfast-agent",
                  .min_lifetime_s = HF_CSR_MIN_LIFETIME_S,
                  .max_lifetime_s = HF_CSR_MAX_LIFETIME_S}};

    return hf_approver_new(&params, NULL);
}

static const char *decision(void)
{
    return hf_json_str_or(json_array_get(hf_json_at(w.csr, "status.conditions"), 0), "type", "");
}

START_TEST(approval)
{
    start();
    w.csr = make_csr("n1");
    w.replicas[0].leads = false;
    struct hf_approver *approver = approver_new();
    run(20);
    ck_assert_uint_eq(count("GET", "/api/v1/nodes/n1"), 0); /* a follower asks and writes nothing */
    w.replicas[0].leads = true;
    hf_approver_lead(approver);
    run(20);
    ck_assert_uint_eq(count("GET", "/api/v1/nodes/n1"), 1);
    ck_assert_str_eq(decision(), "Approved");
    ck_assert_uint_eq(count("PUT", "/certificatesigningrequests/c1/approval"), 1);
    hf_approver_free(approver);
    end();
}
END_TEST

/* The Node was deleted, and one with its name was made after the request. */
START_TEST(a_node_that_is_younger_than_the_request)
{
    start();
    w.csr = make_csr("n1");
    w.replaced = true;
    struct hf_approver *approver = approver_new();
    run(20);
    ck_assert_str_eq(decision(), "Denied");
    ck_assert_str_eq(hf_json_str_or(json_array_get(hf_json_at(w.csr, "status.conditions"), 0), "reason", ""),
                     "RequestOlderThanNode");
    hf_approver_free(approver);
    end();
}
END_TEST

START_TEST(a_node_that_is_gone)
{
    start();
    w.csr = make_csr("n1");
    w.has_node = false;
    struct hf_approver *approver = approver_new();
    run(20);
    ck_assert_str_eq(decision(), "Denied");
    ck_assert_str_eq(hf_json_str_or(json_array_get(hf_json_at(w.csr, "status.conditions"), 0), "reason", ""),
                     "NodeGone");
    hf_approver_free(approver);
    end();
}
END_TEST

/* A node that asks again and again takes the room of no other. */
START_TEST(one_node_asks_often)
{
    start();
    w.csr = make_csr("n1");
    w.more_csrs = 20;
    w.status = 503;
    struct hf_approver *approver = approver_new();
    run(8);
    ck_assert_uint_eq(count("GET", "/api/v1/nodes/n1"), HF_APPROVER_MAX_PER_NODE);
    hf_approver_free(approver);
    end();
}
END_TEST

START_TEST(requests_from_a_backup)
{
    start();
    w.csr = make_csr("n1");
    struct hf_approver *approver = approver_new();
    run(60);
    unsigned lists = count("GET", "certificatesigningrequests?limit");
    ck_assert_uint_eq(lists, 1);
    hf_kube_restored(w.replicas[0].kube);
    run(60);
    ck_assert_uint_eq(count("GET", "certificatesigningrequests?limit"), lists + 2);
    hf_approver_free(approver);
    end();
}
END_TEST

/* Requests that had no room are decided, too, when others are. */
START_TEST(more_requests_than_room)
{
    start();
    w.csr = make_csr("n1");
    w.more_csrs = HF_APPROVER_MAX_OPEN + 80;
    w.own_nodes = true;
    w.replicas[0].leads = false;
    struct hf_approver *approver = approver_new();
    run(200);
    ck_assert_uint_eq(count("GET", "certificatesigningrequests?limit"), 1);
    w.replicas[0].leads = true;
    hf_approver_lead(approver);
    run(200);
    ck_assert_uint_eq(count("PUT", "/approval"), 1 + w.more_csrs);
    ck_assert_uint_eq(count("GET", "certificatesigningrequests?limit"), 2);
    hf_approver_free(approver);
    end();
}
END_TEST

START_TEST(denial)
{
    start();
    w.csr = make_csr("n2");
    struct hf_approver *approver = approver_new();
    run(20);
    ck_assert_str_eq(decision(), "Denied");
    ck_assert_uint_eq(count("GET", "/api/v1/nodes/"), 0);
    hf_approver_free(approver);
    end();
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, lease_of_two);
    tcase_add_test(tc, alone_where_others_led);
    tcase_add_loop_test(tc, a_lease_from_a_backup, 0, 2);
    tcase_add_test(tc, release_without_a_server);
    tcase_add_test(tc, a_first_refusal_is_an_increase);
    tcase_add_test(tc, writes_in_order_and_few_at_a_time);
    tcase_add_test(tc, replaces_what_others_own);
    tcase_add_test(tc, no_write_without_the_lead);
    tcase_add_test(tc, a_busy_server_is_left_alone);
    tcase_add_test(tc, collection);
    tcase_add_test(tc, events);
    tcase_add_test(tc, approval);
    tcase_add_test(tc, a_node_that_is_younger_than_the_request);
    tcase_add_test(tc, a_node_that_is_gone);
    tcase_add_test(tc, one_node_asks_often);
    tcase_add_test(tc, requests_from_a_backup);
    tcase_add_test(tc, more_requests_than_room);
    tcase_add_test(tc, denial);
}

HF_TEST_MAIN("controller/shell", cases)
