/* SPDX-License-Identifier: Apache-2.0 */
/* Sources over the network, each trouble with its reason: an API server that goes away, refuses, forgets; a ConfigMap deleted while
 * the link is down; archives that are absent, cut, too long, wrong. Nothing that the node has is ever taken back by a source. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <zlib.h>

#include "base/encoding/base64.h"
#include "kube/kube.h"
#include "manifests/env.h"
#include "manifests/source/archive_download.h"
#include "manifests/source/cluster_url.h"
#include "manifests/source/config_map.h"
#include "manifests/source/source.h"
#include "support/check_main.h"
#include "support/fakes/fake_http.h"
#include "support/fakes/metaserver_sim.h"
#include "support/fakes/simfs.h"
#include "support/makers/tarball.h"

static struct {
    struct hf_simloop *loop;
    struct hf_simproc *proc;
    struct hf_fake_http *files;
    struct hf_simapi *api;
    struct hf_simmeta *meta; /* NULL: an API server */
    struct hf_simclient *client;
    struct hf_simfs *sim;
    struct hf_kube_config kube_config;
    struct hf_kube *kube;
    struct hf_config *config;
    struct hf_manifest_env env;
    struct hf_manifest entry;
    bool (*takes)(void *arg); /* NULL: the owner always takes a content */
    struct hf_manifest_source *source;
    struct hf_bundle *bundle;
    char revision[300], gone[300], message[300];
    unsigned delivered, unchanged, failed, gones;
    enum hf_manifest_reason reason;
    struct hf_buf tar, gz;
    char digest[HF_SHA256_HEX];
} w;

static void delivered(void *arg, struct hf_bundle *bundle, const char *revision)
{
    (void)arg;
    hf_bundle_free(w.bundle);
    w.bundle = bundle;
    w.delivered++;
    (void)snprintf(w.revision, sizeof(w.revision), "%s", revision);
}

static void unchanged(void *arg)
{
    (void)arg;
    w.unchanged++;
}

static void failed(void *arg, enum hf_manifest_reason reason, const struct hf_err *err, uint64_t retry_after_ns)
{
    (void)arg, (void)retry_after_ns;
    w.failed++;
    w.reason = reason;
    (void)hf_err_text(err, w.message, sizeof(w.message));
}

static void gone(void *arg, const char *what)
{
    (void)arg;
    w.gones++;
    (void)snprintf(w.gone, sizeof(w.gone), "%s", what);
}

static void run_s(unsigned seconds)
{
    (void)hf_simloop_run_for(w.loop, seconds * HF_NS_PER_S);
}

static void start_kube(void)
{
    struct hf_kube_params params = {
        .config = &w.kube_config,
        .api = w.meta != NULL ? HF_KUBE_METASERVER : HF_KUBE_APISERVER,
        .field_manager = "holdfast-agent",
        .world = hf_simproc_world(w.proc, NULL),
        .http = hf_simclient_ops(w.client),
        .retry_cap_ns = 30 * HF_NS_PER_S,
    };

    w.kube = hf_kube_new(&params, NULL);
    ck_assert_ptr_nonnull(w.kube);
}

/* Downloads are allowed. When to ask again has no meaning then. */
static enum hf_link link_is_open(void *arg, uint64_t *ret_wait_ns)
{
    (void)arg;
    *ret_wait_ns = 600 * HF_NS_PER_S;
    return HF_LINK_OPEN;
}

static void start(bool meta)
{
    const char *server = meta ? "http://127.0.0.1:10550" : "https://api:6443";

    w.loop = hf_simloop_new(0);
    w.proc = hf_simproc_new(w.loop, "node");
    w.files = hf_fake_http_new(w.loop, w.proc);
    w.api = hf_simapi_new(w.loop, hf_fake_http_net(w.files), "https://api");
    if (meta)
        w.meta = hf_simmeta_new(w.loop, hf_fake_http_net(w.files), w.api, server);
    w.client = hf_simnet_client(hf_fake_http_net(w.files), w.proc);
    w.kube_config.server = strdup(server);
    start_kube();
    w.sim = hf_simfs_new();
    hf_simfs_mkdir(w.sim, "/state", 0700);
    w.tar = (struct hf_buf)HF_BUF_INIT(1 << 20);
    w.gz = (struct hf_buf)HF_BUF_INIT(1 << 20);
    w.env = (struct hf_manifest_env){
        .world = hf_simproc_world(w.proc, hf_simfs_ops(w.sim)),
        .http = hf_fake_http_ops(w.files),
        .link = link_is_open,
        .kube = w.kube,
        .state_dir = "/state",
        .retry_base_ns = HF_NS_PER_S,
        .retry_cap_ns = 30 * HF_NS_PER_S,
    };
    w.entry.name = "site";
}

static void allow(const char *yaml)
{
    char text[300];

    (void)snprintf(text, sizeof(text), "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n%s\n", yaml);
    ck_assert_int_eq(hf_config_parse(hf_view_of(text), "agent.yaml", &w.config, NULL), 0);
    ck_assert_msg(hf_config_n_faults(w.config) == 0, "%s", hf_config_fault(w.config, 0));
    w.env.config = w.config;
}

static void follow(const char *known)
{
    const struct hf_manifest_source_params params = {
        .env = &w.env,
        .entry = &w.entry,
        .work_dir = "/state/manifests/site",
        .known_revision = known,
        .delivered = delivered,
        .unchanged = unchanged,
        .failed = failed,
        .gone = gone,
        .takes = w.takes,
    };

    ck_assert_int_eq(hf_manifest_source_new(&params, &w.source, NULL), 0);
    ck_assert_uint_eq(w.delivered + w.failed + w.gones, 0);
}

static void stop(void)
{
    hf_manifest_source_free(w.source);
    memset(&w.env, 0xee, sizeof(w.env)); /* a job that still runs must not use it */
    hf_bundle_free(w.bundle);
    run_s(20);
    hf_kube_free(w.kube);
    ck_assert_uint_eq(hf_simproc_timers(w.proc), 0);
    ck_assert_uint_eq(hf_simproc_jobs(w.proc), 0);
    hf_simclient_free(w.client);
    hf_simmeta_free(w.meta);
    hf_simapi_free(w.api);
    hf_fake_http_free(w.files);
    hf_simproc_free(w.proc);
    hf_simloop_free(w.loop);
    hf_kube_config_done(&w.kube_config);
    ck_assert_uint_eq(hf_simfs_open_fds(w.sim), 0);
    hf_simfs_free(w.sim);
    hf_config_free(w.config);
    hf_buf_done(&w.tar);
    hf_buf_done(&w.gz);
}

/* ---- ConfigMaps and Secrets: the content ------------------------------------------------------------------------------- */

#define INVALID HF_MANIFEST_REASON_SOURCE_INVALID
#define EMPTY HF_MANIFEST_REASON_SOURCE_EMPTY

static const struct {
    const char *json;
    bool secret;
    const char *has, *bytes; /* bytes NULL: a failure, with the reason */
    enum hf_manifest_reason reason;
    const char *says;
} maps[] = {
    {"{\"data\":{\"a.conf\":\"text\"}}", false, "a.conf", "text", 0, NULL},
    {"{\"data\":{\"a\":\"\"},\"binaryData\":{\"b\":\"AQI=\"}}", false, "b", "\x01\x02", 0, NULL},
    {"{\"data\":{\"key\":\"c2VjcmV0\"}}", true, "key", "secret", 0, NULL},
    {"{\"data\":{\"..data\":\"x\"}}", false, "..data", "x", 0, NULL},
    {"{}", false, NULL, NULL, EMPTY, "has no keys"},
    {"{\"data\":null}", false, NULL, NULL, EMPTY, "has no keys"},
    {"{\"data\":{}}", true, NULL, NULL, EMPTY, "Secret"},
    {"{\"data\":[]}", false, NULL, NULL, INVALID, "not an object"},
    {"{\"data\":{\"a\":1}}", false, NULL, NULL, INVALID, "'a'"},
    {"{\"data\":{\"..\":\"x\"}}", false, NULL, NULL, INVALID, "'..'"},
    {"{\"data\":{\"../x\":\"x\"}}", false, NULL, NULL, INVALID, "not a file name"},
    {"{\"data\":{\"a/b\":\"x\"}}", false, NULL, NULL, INVALID, "not a file name"},
    {"{\"data\":{\"\":\"x\"}}", false, NULL, NULL, INVALID, "empty"},
    {"{\"data\":{\"a\":\"x\"},\"binaryData\":{\"a\":\"AQI=\"}}", false, NULL, NULL, INVALID, "two files"},
    {"{\"binaryData\":{\"a\":\"###\"}}", false, NULL, NULL, INVALID, "Base64"},
    {"{\"data\":{\"a\":\"topsecret\"}}", true, NULL, NULL, INVALID, "Base64"},
};

START_TEST(map_contents)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = NULL;
    _cleanup_(hf_json_freep) json_t *json = NULL;
    struct hf_source_failure failure;

    ck_assert_int_eq(hf_json_parse(hf_view_of(maps[_i].json), NULL, &json, NULL), 0);
    int r = hf_config_map_bundle(json, maps[_i].secret, &bundle, &failure);
    ck_assert_msg((r == 0) == (maps[_i].bytes != NULL), "%s: %d", maps[_i].json, r);
    if (r == 0) {
        ck_assert(hf_view_eq(hf_bundle_find(bundle, maps[_i].has)->bytes, maps[_i].bytes));
        ck_assert(bundle->secret == maps[_i].secret);
    } else {
        ck_assert_msg(failure.reason == maps[_i].reason && strstr(failure.err.cause, maps[_i].says) != NULL, "%s: %s",
                      maps[_i].json, failure.err.cause);
        ck_assert_msg(strstr(failure.err.cause, "topsecret") == NULL, "%s", failure.err.cause);
    }
}
END_TEST

static struct hf_bundle *secret_of(const char *uid, const char *version, const char *value)
{
    char *text = hf_asprintf("{\"metadata\":{\"uid\":\"%s\",\"resourceVersion\":\"%s\"},\"data\":{\"k\":\"%s\"}}", uid,
                             version, value);
    _cleanup_(hf_json_freep) json_t *json = NULL;
    struct hf_bundle *bundle = NULL;
    struct hf_source_failure failure;

    ck_assert_int_eq(hf_json_parse(hf_view_of(text), NULL, &json, NULL), 0);
    ck_assert_int_eq(hf_config_map_bundle(json, true, &bundle, &failure), 0);
    free(text);
    return bundle;
}

/* The name of a Secret's content says nothing about the content. A copy is on pages of its own, too. */
START_TEST(secret_names)
{
    struct hf_bundle *a = secret_of("u", "1", "YQ=="), *b = secret_of("u", "1", "Yg=="),
                     *c = secret_of("u", "2", "YQ=="), *d = secret_of("v", "1", "YQ=="), *copy = NULL;

    ck_assert_str_eq(a->id, b->id);
    ck_assert_str_ne(a->id, c->id);
    ck_assert_str_ne(a->id, d->id);
    ck_assert_str_ne(a->digest, b->digest);
    ck_assert_str_eq(a->digest, c->digest);
    ck_assert_int_eq(hf_bundle_copy(a, &copy, NULL), 0);
    ck_assert(copy->secret && copy->n == 1 && hf_view_eq(copy->files[0].bytes, "a") && copy->files[0].room > 0);
    ck_assert_str_eq(copy->id, a->id);
    hf_bundle_free(a);
    hf_bundle_free(b);
    hf_bundle_free(c);
    hf_bundle_free(d);
    hf_bundle_free(copy);
}
END_TEST

/* ---- ConfigMaps: followed ---------------------------------------------------------------------------------------------- */

static void put_map(const char *name, const char *value)
{
    char *text = hf_asprintf("{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"namespace\":\"site\","
                             "\"name\":\"%s\"},\"data\":{\"a\":\"%s\"}}",
                             name, value);

    (void)hf_simapi_put_text(w.api, text);
    free(text);
}

static void from_map(void)
{
    w.entry.from = (struct hf_manifest_from){.kind = HF_MANIFEST_FROM_CONFIG_MAP, .namespace_ = "site", .name = "pods"};
}

START_TEST(map_followed)
{
    start(false);
    put_map("pods", "one");
    put_map("other", "x");
    from_map();
    follow(NULL);
    run_s(5);
    ck_assert_uint_eq(w.delivered, 1);
    ck_assert(hf_view_eq(w.bundle->files[0].bytes, "one"));
    put_map("other", "y"); /* another ConfigMap of the namespace is not even sent */
    put_map("pods", "two");
    run_s(2);
    ck_assert_uint_eq(w.delivered, 2);
    ck_assert(hf_view_eq(w.bundle->files[0].bytes, "two"));
    /* The link goes and comes back: what changed meanwhile arrives, without a list. */
    unsigned lists = hf_simapi_counts(w.api)->lists, watchlists = hf_simapi_counts(w.api)->watchlists;
    hf_simclient_set_state(w.client, HF_SIM_LINK_DOWN);
    put_map("pods", "three");
    run_s(600);
    ck_assert_uint_eq(w.failed + w.gones, 0); /* what the node has stays valid */
    hf_simclient_set_state(w.client, HF_SIM_LINK_UP);
    run_s(60);
    ck_assert_uint_eq(w.delivered, 3);
    ck_assert_uint_eq(hf_simapi_counts(w.api)->lists - lists, 0);
    ck_assert_uint_eq(hf_simapi_counts(w.api)->watchlists - watchlists, 0);
    stop();
}
END_TEST

/* Deleted while the node is away; the server may have forgotten the history. */
START_TEST(map_deleted_while_away)
{
    start(false);
    put_map("pods", "one");
    from_map();
    follow(NULL);
    run_s(5);
    hf_simclient_set_state(w.client, HF_SIM_LINK_DOWN);
    run_s(100);
    (void)hf_simapi_delete(w.api, "ConfigMap", "pods");
    if (_i == 1)
        hf_simapi_compact(w.api);
    run_s(100);
    ck_assert_uint_eq(w.gones, 0);
    hf_simclient_set_state(w.client, HF_SIM_LINK_UP);
    run_s(120);
    ck_assert_uint_eq(w.gones, 1);
    ck_assert_msg(strstr(w.gone, "ConfigMap 'site/pods'") != NULL, "%s", w.gone);
    ck_assert_uint_eq(w.delivered, 1);
    put_map("pods", "again");
    run_s(5);
    ck_assert_uint_eq(w.delivered, 2);
    stop();
}
END_TEST

START_TEST(map_never_there)
{
    start(false);
    from_map();
    follow(NULL);
    run_s(10);
    ck_assert_uint_eq(w.gones, 1);
    put_map("pods", "one");
    run_s(5);
    ck_assert_uint_eq(w.delivered, 1);
    stop();
}
END_TEST

START_TEST(map_forbidden)
{
    start(false);
    put_map("pods", "one");
    from_map();
    hf_simapi_fail(w.api, 3, 403, 0);
    follow(NULL);
    run_s(2);
    ck_assert_uint_ge(w.failed, 1);
    ck_assert_int_eq(w.reason, HF_MANIFEST_REASON_API_REFUSED);
    ck_assert_msg(strstr(w.message, "ConfigMap 'site/pods': give it the verbs get, list and watch") != NULL, "%s",
                  w.message);
    ck_assert_uint_eq(w.gones, 0);
    run_s(300);
    ck_assert_uint_eq(w.delivered, 1);
    stop();
}
END_TEST

START_TEST(map_out_of_reach)
{
    start(false);
    put_map("pods", "one");
    hf_simclient_set_state(w.client, HF_SIM_LINK_DOWN);
    from_map();
    follow(NULL);
    run_s(60);
    ck_assert_uint_eq(w.failed, 1); /* said once */
    ck_assert_int_eq(w.reason, HF_MANIFEST_REASON_SOURCE_UNREACHABLE);
    hf_simclient_set_state(w.client, HF_SIM_LINK_UP);
    run_s(60);
    ck_assert_uint_eq(w.delivered, 1);
    ck_assert_uint_eq(w.gones, 0);
    stop();
}
END_TEST

START_TEST(map_becomes_empty)
{
    start(false);
    put_map("pods", "one");
    from_map();
    follow(NULL);
    run_s(5);
    (void)hf_simapi_put_text(w.api, "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"namespace\":"
                                    "\"site\",\"name\":\"pods\"}}");
    run_s(5);
    ck_assert_uint_eq(w.delivered, 1);
    ck_assert_int_eq(w.reason, EMPTY);
    stop();
}
END_TEST

/* Sends a version of the ConfigMap `pods` that cannot be read. */
static void send_unreadable(const char *type)
{
    char event[300];
    int n = snprintf(event, sizeof(event),
                     "{\"type\":\"%s\",\"object\":{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{"
                     "\"namespace\":\"site\",\"name\":\"pods\",\"resourceVersion\":\"%ju\"},\"data\":{\"a\":"
                     "\"\\u0000\"}}}\n",
                     type, (uintmax_t)hf_simapi_version(w.api) + 1);

    put_map("other", "x"); /* takes the version of the event */
    hf_simapi_raw(w.api, "ConfigMap", event, (size_t)n);
    run_s(5);
    ck_assert_msg(w.failed == 1 && w.reason == INVALID, "%s", w.message);
}

/* A version that cannot be read stays in the status until a later one can, whatever the link does meanwhile. */
START_TEST(map_becomes_unreadable)
{
    bool seen = _i == 1; /* an earlier version could be read */

    start(false);
    if (seen)
        put_map("pods", "one");
    from_map();
    follow(NULL);
    run_s(5);
    send_unreadable(seen ? "MODIFIED" : "ADDED");
    for (unsigned i = 0; i < 2; i++) {
        if (i == 1)
            hf_simapi_fail(w.api, 3, 403, 0);
        hf_simapi_end_watches(w.api);
        run_s(300);
        ck_assert_uint_eq(w.unchanged, 0);
        ck_assert_msg(w.reason == INVALID, "%s", w.message);
    }
    put_map("pods", "two");
    run_s(5);
    ck_assert_uint_eq(w.delivered, 1U + seen);
    unsigned failed_so_far = w.failed;
    hf_simapi_end_watches(w.api);
    run_s(300);
    ck_assert_uint_eq(w.failed, failed_so_far);
    stop();
}
END_TEST

START_TEST(map_without_a_server)
{
    struct hf_err err = HF_ERR_INIT;
    struct hf_manifest_source_params params = {.env = &w.env, .entry = &w.entry};

    start(false);
    from_map();
    w.env.kube = NULL;
    ck_assert_int_eq(hf_manifest_source_new(&params, &w.source, &err), -EOPNOTSUPP);
    ck_assert_msg(strstr(err.cause, "no API server") != NULL, "%s", err.cause);
    stop();
}
END_TEST

/* Behind a MetaServer: from the cloud while it is there; what its store keeps of a deleted ConfigMap proves nothing. */
START_TEST(map_behind_a_metaserver)
{
    start(true);
    put_map("pods", "one");
    from_map();
    follow(NULL);
    run_s(60);
    ck_assert_uint_eq(w.delivered, 1);
    put_map("pods", "two");
    run_s(5);
    ck_assert_uint_eq(w.delivered, 2);
    hf_simmeta_cut(w.meta);
    (void)hf_simapi_delete(w.api, "ConfigMap", "pods");
    hf_manifest_source_refresh(w.source);
    run_s(120);
    ck_assert_uint_eq(w.gones, 0);
    hf_simmeta_heal(w.meta, 40 * HF_NS_PER_S);
    run_s(60);
    hf_manifest_source_refresh(w.source);
    run_s(60);
    ck_assert_uint_eq(w.gones, 1); /* a list from the cloud has proven it */
    ck_assert_uint_eq(w.delivered, 2);
    stop();
}
END_TEST

START_TEST(map_that_cloudcore_may_not_read)
{
    start(true);
    put_map("pods", "one");
    hf_simmeta_forbid(w.meta, "ConfigMap", true);
    from_map();
    follow(NULL);
    run_s(60);
    ck_assert_uint_ge(w.failed, 1);
    ck_assert_int_eq(w.reason, HF_MANIFEST_REASON_API_REFUSED);
    ck_assert_msg(strstr(w.message, "ConfigMap 'site/pods'") != NULL, "%s", w.message);
    ck_assert_uint_eq(w.gones + w.delivered, 0);
    hf_simmeta_forbid(w.meta, "ConfigMap", false);
    hf_manifest_source_refresh(w.source);
    run_s(300);
    ck_assert_uint_eq(w.delivered, 1);
    stop();
}
END_TEST

/* A right in one namespace would do for the list, and not for CloudCore's watch: that one stops CloudCore for all nodes. */
START_TEST(map_that_cloudcore_may_read_in_its_namespace_only)
{
    start(true);
    put_map("pods", "one");
    hf_simmeta_confine(w.meta, "ConfigMap", true);
    from_map();
    follow(NULL);
    run_s(300);
    ck_assert_int_eq(w.reason, HF_MANIFEST_REASON_API_REFUSED);
    ck_assert_msg(strstr(w.message, "all namespaces") != NULL && strstr(w.message, "ClusterRole") != NULL, "%s",
                  w.message);
    ck_assert_uint_eq(w.delivered + w.gones, 0);
    ck_assert_uint_eq(hf_simmeta_counts(w.meta)->watches, 0);
    ck_assert_uint_le(hf_simmeta_counts(w.meta)->reviews, 12);
    hf_simmeta_confine(w.meta, "ConfigMap", false);
    run_s(120);
    ck_assert_uint_eq(w.delivered, 1);
    stop();
}
END_TEST

START_TEST(secret_followed)
{
    start(_i == 1);
    (void)hf_simapi_put_text(w.api, "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"namespace\":\"site\","
                                    "\"name\":\"key\"},\"data\":{\"tls.key\":\"c2VjcmV0\"}}");
    put_map("probe", "x");
    w.entry.from = (struct hf_manifest_from){.kind = HF_MANIFEST_FROM_SECRET, .namespace_ = "site", .name = "key"};
    follow(NULL);
    run_s(60);
    if (_i == 0) { /* a MetaServer cannot prove that a list of Secrets is its cloud's, unless another list is */
        ck_assert_uint_eq(w.delivered, 1);
        ck_assert(w.bundle->secret);
        ck_assert(hf_view_eq(w.bundle->files[0].bytes, "secret"));
    }
    stop();
}
END_TEST

/* ---- archives at URLs -------------------------------------------------------------------------------------------------- */

#define URL "https://files/site.tar.gz"

static void make_archive(void)
{
    hf_tarball_file(&w.tar, "clusters/a.yaml", "kind: Pod\n");
    hf_tarball_file(&w.tar, "README", "x");
    hf_tarball_end(&w.tar);
    hf_tarball_gzip(&w.tar, &w.gz);
    (void)hf_sha256_hex(w.gz.p, w.gz.n, w.digest);
}

static void from_url(void)
{
    w.entry.from = (struct hf_manifest_from){.kind = HF_MANIFEST_FROM_URL, .url = URL, .digest = w.digest};
}

static void serve(const struct hf_fake_answer *answer)
{
    hf_fake_http_on(w.files, "GET", URL, answer);
}

static void serve_archive(void)
{
    serve(&(struct hf_fake_answer){.body = w.gz.p, .n = w.gz.n, .ranges = true, .etag = "\"1\""});
}

static bool nothing_left(void)
{
    size_t n;

    return hf_simfs_get(w.sim, "/state/manifests/site/.holdfast-site.part", &n) == NULL;
}

START_TEST(url_downloaded_once)
{
    start(false);
    make_archive();
    serve_archive();
    from_url();
    w.entry.from.sub_path = "clusters";
    follow(NULL);
    run_s(5);
    ck_assert_msg(w.delivered == 1, "%s", w.message);
    ck_assert_uint_eq(w.bundle->n, 1);
    ck_assert_str_eq(w.bundle->files[0].path, "a.yaml");
    ck_assert_str_eq(w.revision + 7, w.digest);
    ck_assert(nothing_left());
    for (int i = 0; i < 5; i++) {
        hf_manifest_source_refresh(w.source);
        run_s(300);
    }
    ck_assert_uint_eq(w.unchanged, 5);
    ck_assert_uint_eq(hf_fake_http_count(w.files), 1);
    /* The next process has the content: it asks for nothing. */
    hf_manifest_source_free(hf_steal(w.source));
    char revision[300];
    (void)snprintf(revision, sizeof(revision), "%s", w.revision);
    w.delivered = 0;
    follow(revision);
    run_s(60);
    ck_assert_uint_eq(w.delivered, 0);
    ck_assert_uint_eq(hf_fake_http_count(w.files), 1);
    stop();
}
END_TEST

/* A blob of a registry comes by its API, from the origin that the node allows. */
START_TEST(url_of_a_registry)
{
    char url[200], blob[200];

    start(false);
    make_archive();
    (void)snprintf(url, sizeof(url), "oci://r.example/site@sha256:%s", w.digest);
    (void)snprintf(blob, sizeof(blob), "https://r.example/v2/site/blobs/sha256:%s", w.digest);
    hf_fake_http_on(w.files, "GET", blob, &(struct hf_fake_answer){.body = w.gz.p, .n = w.gz.n});
    from_url();
    w.entry.from.url = url;
    allow(_i == 0 ? "manifests: {origins: [https://r.example]}" : "manifests: {origins: [https://other.example]}");
    follow(NULL);
    run_s(5);
    ck_assert_msg(w.delivered == (_i == 0), "%s", w.message);
    ck_assert(_i == 0 || (w.reason == HF_MANIFEST_REASON_NOT_ALLOWED && hf_fake_http_count(w.files) == 0));
    stop();
}
END_TEST

/* The linker puts these in place of zlib's own function (see Makefile). */
static unsigned memory_lacks; /* how many more calls have no memory */
int __real_inflate(z_stream *stream, int flush);
__attribute__((visibility("default"))) int __wrap_inflate(z_stream *stream, int flush);
int __wrap_inflate(z_stream *stream, int flush)
{
    if (memory_lacks == 0)
        return __real_inflate(stream, flush);
    memory_lacks--;
    return Z_MEM_ERROR;
}

/* A sound archive is not invalid because memory ran out. The node unpacks it again, without another download. */
START_TEST(url_unpacked_without_memory)
{
    start(false);
    make_archive();
    serve_archive();
    from_url();
    memory_lacks = 2;
    follow(NULL);
    run_s(60);
    ck_assert_uint_eq(w.failed, 2);
    ck_assert_int_eq(w.reason, HF_MANIFEST_REASON_SOURCE_UNREACHABLE);
    ck_assert_msg(w.delivered == 1, "%s", w.message);
    ck_assert_uint_eq(hf_fake_http_count(w.files), 1);
    ck_assert(nothing_left());
    stop();
}
END_TEST

/* The owner may go at any event of a download. */
START_TEST(url_freed_at_any_event)
{
    for (int n = 0; n < 40; n++) {
        start(false);
        make_archive();
        serve_archive();
        from_url();
        follow(NULL);
        for (int i = 0; i < n; i++)
            (void)hf_simloop_step(w.loop);
        stop();
        memset(&w, 0, sizeof(w));
    }
}
END_TEST

START_TEST(url_resumes)
{
    start(false);
    char noise[50000];
    uint32_t random = 1;
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (char)((random = random * 1664525 + 1013904223) >> 24);
    hf_tarball_add(&w.tar, "noise", '0', noise, sizeof(noise));
    make_archive();
    serve(&(struct hf_fake_answer){
        .times = 1, .body = w.gz.p, .n = w.gz.n, .ranges = true, .etag = "\"1\"", .cut_after = 30000});
    serve_archive();
    from_url();
    follow(NULL);
    run_s(120);
    ck_assert_msg(w.delivered == 1, "%s", w.message);
    ck_assert_uint_eq(w.failed, 1);
    ck_assert_msg(strstr(hf_fake_http_asked(w.files, 1)->headers, "Range: bytes=30000-") != NULL, "%s",
                  hf_fake_http_asked(w.files, 1)->headers);
    stop();
}
END_TEST

static enum hf_link gate;

static enum hf_link gate_of(void *arg, uint64_t *ret_wait_ns)
{
    (void)arg;
    *ret_wait_ns = 600 * HF_NS_PER_S;
    return gate;
}

/* While the link is closed, nothing is asked for; when it opens, the download begins at once and not after the wait. */
START_TEST(url_waits_for_the_link)
{
    static const struct {
        enum hf_link link;
        enum hf_manifest_reason reason;
    } rows[] = {{HF_LINK_WINDOW_CLOSED, HF_MANIFEST_REASON_WINDOW_CLOSED},
                {HF_LINK_CLOCK_UNSURE, HF_MANIFEST_REASON_CLOCK_UNSURE},
                {HF_LINK_QUOTA_USED, HF_MANIFEST_REASON_LINK_QUOTA_USED}};

    start(false);
    make_archive();
    serve_archive();
    from_url();
    gate = rows[_i].link;
    w.env.link = gate_of;
    follow(NULL);
    run_s(60);
    ck_assert_uint_eq(w.failed, 1);
    ck_assert_int_eq(w.reason, rows[_i].reason);
    ck_assert_uint_eq(hf_fake_http_count(w.files), 0);
    gate = HF_LINK_OPEN;
    hf_manifest_source_link_opened(w.source);
    run_s(5);
    ck_assert_msg(w.delivered == 1, "%s", w.message);
    hf_manifest_source_link_opened(w.source); /* it waits for nothing any more */
    run_s(60);
    ck_assert_uint_eq(hf_fake_http_count(w.files), 1);
    stop();
}
END_TEST

/* A server that cannot resume breaks each download off near its end: the link and the card pay for few of them. */
START_TEST(url_that_always_breaks)
{
    enum { MIB = 1 << 20, WHOLE = 31 * MIB };
    static char noise[WHOLE];

    start(false);
    make_archive();
    serve(&(struct hf_fake_answer){.body = noise, .n = WHOLE, .cut_after = WHOLE - MIB});
    from_url();
    follow(NULL);
    run_s(280);
    ck_assert_uint_eq(hf_fake_http_count(w.files), 3);
    ck_assert_int_eq(w.reason, HF_MANIFEST_REASON_SOURCE_UNREACHABLE);
    run_s(600);
    size_t asked = hf_fake_http_count(w.files);
    ck_assert_uint_le(asked, 6);
    run_s(3600); /* the pause has grown */
    ck_assert_uint_le(hf_fake_http_count(w.files) - asked, 12);
    hf_fake_http_clear(w.files);
    serve_archive();
    run_s(3600);
    ck_assert_msg(w.delivered == 1, "%s", w.message);
    stop();
}
END_TEST

/* The owner cannot take a content now, and later it can. */
static bool owner_takes;

static bool ask_owner(void *arg)
{
    (void)arg;
    return owner_takes;
}

START_TEST(url_waits_for_its_owner)
{
    start(false);
    make_archive();
    serve_archive();
    from_url();
    w.takes = ask_owner;
    owner_takes = false;
    follow(NULL);
    run_s(600);
    ck_assert_uint_eq(w.delivered, 0);
    ck_assert_uint_eq(hf_fake_http_count(w.files), 1);
    hf_manifest_source_ready(w.source); /* it still cannot */
    run_s(1);
    ck_assert_uint_eq(w.delivered, 0);
    owner_takes = true;
    hf_manifest_source_ready(w.source);
    run_s(1);
    ck_assert_msg(w.delivered == 1, "%s", w.message);
    hf_manifest_source_ready(w.source);
    run_s(600);
    ck_assert_uint_eq(hf_fake_http_count(w.files), 1);
    stop();
}
END_TEST

static const char login[] = "<!doctype html><title>Please log in</title>";

static void answer_404(void)
{
    serve(&(struct hf_fake_answer){.status = 404});
}
static void answer_410(void)
{
    serve(&(struct hf_fake_answer){.status = 410});
}
static void answer_403(void)
{
    serve(&(struct hf_fake_answer){.status = 403});
}
static void answer_503(void)
{
    serve(&(struct hf_fake_answer){.status = 503, .retry_after_ns = 10 * HF_NS_PER_S});
}
static void answer_login(void)
{
    serve(&(struct hf_fake_answer){.body = login, .n = sizeof(login) - 1, .content_type = "text/html"});
}
static void answer_nothing(void)
{
    serve(&(struct hf_fake_answer){.body = "", .n = 0});
}
static void answer_cut(void)
{
    serve(&(struct hf_fake_answer){.body = w.gz.p, .n = w.gz.n, .cut_after = w.gz.n / 2});
}
static void answer_short(void) /* a file that was truncated on the server */
{
    serve(&(struct hf_fake_answer){.body = w.gz.p, .n = w.gz.n / 2});
}
static void answer_long(void)
{
    hf_tarball_zeros(&w.gz, 1);
    serve(&(struct hf_fake_answer){.body = w.gz.p, .n = w.gz.n});
}
static void answer_endless(void)
{
    static char block[100000];
    serve(&(struct hf_fake_answer){.body = block, .n = sizeof(block), .endless = true});
}
static void answer_silence(void)
{
    serve(&(struct hf_fake_answer){.body = w.gz.p, .n = w.gz.n / 2, .silent = true});
}
static void refuse_connections(void)
{
    serve(&(struct hf_fake_answer){.fail = -ECONNREFUSED});
}
static void wrong_certificate(void)
{
    serve(&(struct hf_fake_answer){.fail = -EKEYREJECTED});
}
static void unknown_host(void)
{
    serve(&(struct hf_fake_answer){.fail = -EHOSTUNREACH});
}
static void truncated_and_signed(void)
{
    w.gz.n -= 20;
    (void)hf_sha256_hex(w.gz.p, w.gz.n, w.digest);
    serve_archive();
}
static void empty_and_signed(void)
{
    w.gz.n = 0;
    (void)hf_sha256_hex("", 0, w.digest);
    serve(&(struct hf_fake_answer){.body = "", .n = 0});
}
static void hostile_and_signed(void)
{
    hf_buf_clear(&w.tar);
    hf_buf_clear(&w.gz);
    hf_tarball_file(&w.tar, "../../etc/cron.d/x", "x");
    hf_tarball_end(&w.tar);
    hf_tarball_gzip(&w.tar, &w.gz);
    (void)hf_sha256_hex(w.gz.p, w.gz.n, w.digest);
    serve_archive();
}
static void disk_full(void)
{
    serve_archive();
    hf_simfs_set_limit(w.sim, "/state", 1);
}
static void disk_reserve(void) /* there is room, but not beside the reserve */
{
    serve_archive();
    hf_simfs_set_limit(w.sim, "/state", 1 << 20);
    allow("diskReserve: 2Mi");
}
static void disk_critical(void)
{
    serve_archive();
    w.env.no_space = true;
}
static void budget_used(void)
{
    serve_archive();
    w.env.writes_used_up = true;
}
static void disk_read_only(void)
{
    serve_archive();
    hf_simfs_set_read_only(w.sim, "/state", true);
}
static void not_allowed(void)
{
    serve_archive();
    allow("manifests: {origins: [https://other]}");
}

static const struct {
    const char *name;
    void (*make)(void);
    enum hf_manifest_reason reason;
    const char *says;
    bool stays; /* no further attempt can help */
} troubles[] = {
    {"404", answer_404, HF_MANIFEST_REASON_SOURCE_GONE, "'https://files/site.tar.gz' (HTTP status 404)", false},
    {"410", answer_410, HF_MANIFEST_REASON_SOURCE_GONE, "(HTTP status 410)", false},
    {"403", answer_403, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, "HTTP status 403", false},
    {"503", answer_503, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, "HTTP status 503", false},
    {"a login page", answer_login, HF_MANIFEST_REASON_DIGEST_MISMATCH, "has the digest", false},
    {"no bytes", answer_nothing, HF_MANIFEST_REASON_DIGEST_MISMATCH, "has the digest", false},
    {"broken off", answer_cut, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, "https://files", false},
    {"truncated on the server", answer_short, HF_MANIFEST_REASON_DIGEST_MISMATCH, "has the digest", false},
    {"a byte more", answer_long, HF_MANIFEST_REASON_DIGEST_MISMATCH, "has the digest", false},
    {"endless", answer_endless, HF_MANIFEST_REASON_SOURCE_TOO_LARGE, "permitted 33554432 bytes", false},
    {"silent", answer_silence, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, "", false},
    {"refused connections", refuse_connections, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, "https://files", false},
    {"wrong certificate", wrong_certificate, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, "https://files", false},
    {"unknown host", unknown_host, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, "https://files", false},
    {"truncated, with its digest", truncated_and_signed, HF_MANIFEST_REASON_SOURCE_TRUNCATED, "too early", true},
    {"empty, with its digest", empty_and_signed, EMPTY, "no bytes", true},
    {"hostile, with its digest", hostile_and_signed, INVALID, "leads out", true},
    {"full disk", disk_full, HF_MANIFEST_REASON_NO_SPACE, "", false},
    {"reserve of the disk", disk_reserve, HF_MANIFEST_REASON_NO_SPACE, "leave too little of the disk free", false},
    {"critically full disk", disk_critical, HF_MANIFEST_REASON_NO_SPACE, "critically full", false},
    {"budget of writes", budget_used, HF_MANIFEST_REASON_CONTENT_PACED, "spec.disk.writeBudget", false},
    {"read-only disk", disk_read_only, HF_MANIFEST_REASON_READ_ONLY_FILE_SYSTEM, "", false},
    {"not allowed", not_allowed, HF_MANIFEST_REASON_NOT_ALLOWED, "manifests.origins", true},
};

/* Counts the digests that a text shows in full. */
static unsigned whole_digests(const char *text)
{
    unsigned n = 0;

    for (const char *at = strstr(text, "sha256:"); at != NULL; at = strstr(at + 1, "sha256:"))
        n += strspn(at + 7, "0123456789abcdef") == HF_SHA256_HEX - 1;
    return n;
}

/* Each trouble has its reason, delivers nothing, and ends when its cause does. */
START_TEST(url_troubles)
{
    start(false);
    make_archive();
    troubles[_i].make();
    from_url();
    follow(NULL);
    run_s(100);
    unsigned asked = (unsigned)hf_fake_http_count(w.files);
    enum hf_manifest_reason reason = w.gones > 0 ? HF_MANIFEST_REASON_SOURCE_GONE : w.reason;
    const char *says = w.gones > 0 ? w.gone : w.message;
    ck_assert_ptr_null(strstr(w.gone, "does not exist")); /* the owner writes the sentence */
    ck_assert_msg(w.failed + w.gones > 0 && reason == troubles[_i].reason, "%s: %s: %s", troubles[_i].name,
                  hf_manifest_reason_name(reason), says);
    ck_assert_msg(strstr(says, troubles[_i].says) != NULL, "%s: %s", troubles[_i].name, says);
    ck_assert_uint_eq(w.delivered, 0);
    ck_assert_msg(asked <= 20, "%s: asked %u times", troubles[_i].name, asked);
    if (reason == HF_MANIFEST_REASON_DIGEST_MISMATCH) /* an operator copies the digest of the right archive */
        ck_assert_msg(whole_digests(says) == 2, "%s: %s", troubles[_i].name, says);
    if (reason == HF_MANIFEST_REASON_DIGEST_MISMATCH)
        ck_assert_msg(asked == 1 && nothing_left(), "%s: a wrong archive costs much", troubles[_i].name);
    if (troubles[_i].stays) {
        hf_manifest_source_refresh(w.source);
        run_s(600);
        ck_assert_uint_eq(hf_fake_http_count(w.files), asked);
    } else {
        hf_simfs_set_limit(w.sim, "/state", 0);
        hf_simfs_set_read_only(w.sim, "/state", false);
        w.env.no_space = w.env.writes_used_up = false;
        hf_fake_http_clear(w.files);
        hf_buf_clear(&w.tar);
        hf_buf_clear(&w.gz);
        make_archive();
        serve_archive();
        run_s(1200);
        ck_assert_msg(w.delivered == 1, "%s: %s", troubles[_i].name, w.message);
    }
    stop();
}
END_TEST

/* ---- Flux -------------------------------------------------------------------------------------------------------------- */

#define ARTIFACT "http://source-controller.flux-system.svc.cluster.local./gitrepository/site/pods/x.tar.gz"

static void put_repository(const char *url, const char *revision, const char *digest, size_t size)
{
    char *text = hf_asprintf("{\"apiVersion\":\"source.toolkit.fluxcd.io/v1\",\"kind\":\"GitRepository\",\"metadata\":{"
                             "\"namespace\":\"site\",\"name\":\"pods\"},\"status\":{\"artifact\":{\"url\":\"%s\","
                             "\"revision\":\"%s\",\"digest\":\"%s\",\"size\":%zu}}}",
                             url, revision, digest, size);

    (void)hf_simapi_put_text(w.api, text);
    free(text);
}

static void put_artifact(const char *revision)
{
    char digest[HF_SHA256_HEX + 8];

    hf_buf_clear(&w.tar);
    hf_buf_clear(&w.gz);
    hf_tarball_file(&w.tar, "revision", revision);
    hf_tarball_end(&w.tar);
    hf_tarball_gzip(&w.tar, &w.gz);
    (void)hf_sha256_hex(w.gz.p, w.gz.n, w.digest);
    (void)snprintf(digest, sizeof(digest), "sha256:%s", w.digest);
    hf_fake_http_clear(w.files);
    hf_fake_http_on(w.files, "GET", "http://10.43.0.7/",
                    &(struct hf_fake_answer){.body = w.gz.p, .n = w.gz.n, .ranges = true});
    put_repository(ARTIFACT, revision, digest, w.gz.n);
}

static void put_service(const char *address)
{
    char *text = hf_asprintf("{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"namespace\":\"flux-system\","
                             "\"name\":\"source-controller\"},\"spec\":{\"clusterIP\":\"%s\"}}",
                             address);

    (void)hf_simapi_put_text(w.api, text);
    free(text);
}

static void start_flux(void)
{
    start(false);
    allow("manifests: {origins: [http://*.svc.cluster.local]}");
    w.entry.from = (struct hf_manifest_from){
        .kind = HF_MANIFEST_FROM_FLUX, .flux_kind = HF_MANIFEST_FLUX_GIT, .namespace_ = "site", .name = "pods"};
}

START_TEST(flux_followed)
{
    start_flux();
    put_service("10.43.0.7");
    put_artifact("main@sha1:one");
    follow(NULL);
    run_s(10);
    ck_assert_msg(w.delivered == 1, "%s", w.message);
    ck_assert(hf_view_eq(w.bundle->files[0].bytes, "main@sha1:one"));
    ck_assert_msg(strncmp(w.revision, "main@sha1:one+", 14) == 0, "%s", w.revision);
    const struct hf_fake_request *asked = hf_fake_http_asked(w.files, 0);
    ck_assert_str_eq(asked->url, "http://10.43.0.7/gitrepository/site/pods/x.tar.gz");
    ck_assert_msg(strstr(asked->headers, "Host: source-controller.flux-system.svc.cluster.local\n") != NULL, "%s",
                  asked->headers);
    put_artifact("main@sha1:two");
    run_s(10);
    ck_assert_uint_eq(w.delivered, 2);
    put_repository(ARTIFACT, "main@sha1:two", "sha256:none", 1); /* an unusable status takes nothing back */
    run_s(10);
    ck_assert_uint_eq(w.delivered, 2);
    ck_assert_int_eq(w.reason, INVALID);
    /* Away: nothing is said, and nothing is asked. */
    size_t before = hf_fake_http_count(w.files);
    hf_simclient_set_state(w.client, HF_SIM_LINK_DOWN);
    hf_manifest_source_refresh(w.source);
    run_s(300);
    ck_assert_uint_eq(hf_fake_http_count(w.files), before);
    ck_assert_uint_eq(w.gones, 0);
    stop();
}
END_TEST

/* ---- a download that the disk cannot read ------------------------------------------------------------------------ */

static struct {
    const struct hf_fs_ops *inner;
    struct hf_fs_ops ops;
    int fd;            /* the downloaded file, open for reading; -1 if it is not */
    unsigned failures; /* how many more reads fail */
    bool worn_out;     /* they fail until the file is removed */
} disk;

static bool is_download(const char *path)
{
    size_t n = strlen(path);

    return n > 5 && strcmp(path + n - 5, ".part") == 0;
}

static int open_on_disk(void *ctx, int dirfd, const char *path, int flags, mode_t mode, unsigned resolve)
{
    int fd = disk.inner->openat(ctx, dirfd, path, flags, mode, resolve);

    if (is_download(path) && (flags & O_ACCMODE) == O_RDONLY)
        disk.fd = fd;
    return fd;
}

static int close_on_disk(void *ctx, int fd)
{
    if (fd == disk.fd)
        disk.fd = -1;
    return disk.inner->close(ctx, fd);
}

static ssize_t read_on_disk(void *ctx, int fd, void *bytes, size_t n, uint64_t at)
{
    if (fd != disk.fd || (disk.failures == 0 && !disk.worn_out))
        return disk.inner->pread(ctx, fd, bytes, n, at);
    disk.failures -= disk.failures > 0;
    return -EIO;
}

static int remove_on_disk(void *ctx, int dirfd, const char *path, int flags)
{
    int r = disk.inner->unlinkat(ctx, dirfd, path, flags);

    if (r == 0 && is_download(path))
        disk.worn_out = false; /* the next one lies on other blocks */
    return r;
}

static void use_disk(void)
{
    disk.inner = w.env.world.fs;
    disk.ops = *disk.inner;
    disk.ops.openat = open_on_disk;
    disk.ops.close = close_on_disk;
    disk.ops.pread = read_on_disk;
    disk.ops.unlinkat = remove_on_disk;
    disk.fd = -1;
    w.env.world.fs = &disk.ops;
}

static void start_on_disk(bool flux)
{
    if (flux) {
        start_flux();
        put_service("10.43.0.7");
        put_artifact("main@sha1:one");
    } else {
        start(false);
        make_archive();
        serve_archive();
        from_url();
    }
    use_disk();
}

/* _i: from Flux, or from a URL. A block of the whole download is worn out: it is downloaded again, to other blocks. */
START_TEST(unreadable_download_comes_again)
{
    start_on_disk(_i == 1);
    disk.worn_out = true;
    follow(NULL);
    run_s(1200);
    ck_assert_msg(w.delivered == 1, "%u failures: %s", w.failed, w.message);
    ck_assert_uint_eq(w.failed, 6);
    ck_assert_uint_eq(hf_fake_http_count(w.files), 2);
    ck_assert(nothing_left());
    stop();
}
END_TEST

/* Errors that pass cost no other download. */
START_TEST(unreadable_download_is_read_again)
{
    start_on_disk(_i == 1);
    disk.failures = 5;
    follow(NULL);
    run_s(1200);
    ck_assert_msg(w.delivered == 1, "%u failures: %s", w.failed, w.message);
    ck_assert_uint_eq(w.failed, 5);
    ck_assert_uint_eq(hf_fake_http_count(w.files), 1);
    stop();
}
END_TEST

START_TEST(flux_known)
{
    char revision[300];

    start_flux();
    put_service("10.43.0.7");
    put_artifact("main@sha1:one");
    (void)snprintf(revision, sizeof(revision), "main@sha1:one+%.12s", w.digest);
    follow(revision);
    run_s(60);
    ck_assert_uint_eq(w.delivered, 0);
    ck_assert_uint_eq(w.unchanged, 1);
    ck_assert_uint_eq(hf_fake_http_count(w.files), 0);
    stop();
}
END_TEST

static void no_service(void)
{
}
static void headless(void)
{
    put_service("None");
}
static void no_artifact(void)
{
    (void)hf_simapi_put_text(w.api,
                             "{\"apiVersion\":\"source.toolkit.fluxcd.io/v1\",\"kind\":\"GitRepository\","
                             "\"metadata\":{\"namespace\":\"site\",\"name\":\"pods\"},\"status\":{\"conditions\":"
                             "[{\"type\":\"Ready\",\"message\":\"authentication required\"}]}}");
}
static void wrong_content(void)
{
    put_service("10.43.0.7");
    hf_fake_http_clear(w.files);
    w.gz.p[w.gz.n - 1] ^= 1;
    hf_fake_http_on(w.files, "GET", "http://10.43.0.7/", &(struct hf_fake_answer){.body = w.gz.p, .n = w.gz.n});
}
static void shorter(void)
{
    put_service("10.43.0.7");
    hf_fake_http_clear(w.files);
    hf_fake_http_on(w.files, "GET", "http://10.43.0.7/", &(struct hf_fake_answer){.body = w.gz.p, .n = w.gz.n - 1});
}
static void longer(void)
{
    put_service("10.43.0.7");
    hf_fake_http_clear(w.files);
    hf_tarball_zeros(&w.gz, 1);
    hf_fake_http_on(w.files, "GET", "http://10.43.0.7/", &(struct hf_fake_answer){.body = w.gz.p, .n = w.gz.n});
}
static void old_archive_removed(void)
{
    put_service("10.43.0.7");
    hf_fake_http_clear(w.files);
    hf_fake_http_on(w.files, "GET", "http://10.43.0.7/", &(struct hf_fake_answer){.status = 404});
}
static void external_name(void)
{
    put_service("");
}
static void named(void)
{
    put_service("evil.example");
}
static void metadata_service(void)
{
    put_service("169.254.169.254");
}
static void own_service(void)
{
    put_service("127.0.0.1");
}
static void sha1_digest(void)
{
    put_repository(ARTIFACT, "main", "sha1:0123", 1);
}
static void file_url(void)
{
    char digest[HF_SHA256_HEX + 8];
    (void)snprintf(digest, sizeof(digest), "sha256:%s", w.digest);
    put_repository("file:///etc/shadow", "main", digest, 1);
}
static void huge(void)
{
    char digest[HF_SHA256_HEX + 8];
    (void)snprintf(digest, sizeof(digest), "sha256:%s", w.digest);
    put_repository(ARTIFACT, "main", digest, 1u << 30);
}
static void other_origin(void)
{
    char digest[HF_SHA256_HEX + 8];
    (void)snprintf(digest, sizeof(digest), "sha256:%s", w.digest);
    put_repository("http://169.254.169.254/latest/meta-data", "main", digest, 10);
}

static const struct {
    const char *name;
    void (*make)(void);
    enum hf_manifest_reason reason;
    const char *says;
} flux_troubles[] = {
    {"no service", no_service, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, "Service 'flux-system/source-controller'"},
    {"headless service", headless, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, "no cluster IP"},
    {"service that is an external name", external_name, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, "no cluster IP"},
    {"service with a name for an address", named, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, "is no IP address: 'evil"},
    {"service at the metadata of the cloud", metadata_service, HF_MANIFEST_REASON_NOT_ALLOWED, "169.254.169.254"},
    {"service at the node itself", own_service, HF_MANIFEST_REASON_NOT_ALLOWED, "127.0.0.1"},
    {"no artifact", no_artifact, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, "authentication required"},
    {"wrong content", wrong_content, HF_MANIFEST_REASON_DIGEST_MISMATCH, "has the digest"},
    {"shorter", shorter, HF_MANIFEST_REASON_SOURCE_TRUNCATED, "bytes"},
    {"longer", longer, HF_MANIFEST_REASON_DIGEST_MISMATCH, "bytes"},
    {"404", old_archive_removed, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, "404"},
    {"digest of another kind", sha1_digest, INVALID, "sha256"},
    {"file URL", file_url, INVALID, "http URL"},
    {"a size of 1 GiB", huge, HF_MANIFEST_REASON_SOURCE_TOO_LARGE, "spec.ignore"},
    {"an origin that the node does not allow", other_origin, HF_MANIFEST_REASON_NOT_ALLOWED, "manifests.origins"},
};

START_TEST(flux_has_troubles)
{
    start_flux();
    put_artifact("main@sha1:one");
    flux_troubles[_i].make();
    follow(NULL);
    run_s(30);
    ck_assert_msg(w.failed > 0 && w.reason == flux_troubles[_i].reason, "%s: %s: %s", flux_troubles[_i].name,
                  hf_manifest_reason_name(w.reason), w.message);
    ck_assert_msg(strstr(w.message, flux_troubles[_i].says) != NULL, "%s: %s", flux_troubles[_i].name, w.message);
    ck_assert_uint_eq(w.delivered + w.gones, 0);
    put_service("10.43.0.7");
    put_artifact("main@sha1:good");
    run_s(120);
    ck_assert_msg(w.delivered == 1, "%s: %s", flux_troubles[_i].name, w.message);
    stop();
}
END_TEST

/* ---- URLs of the cluster ----------------------------------------------------------------------------------------------- */

static const struct {
    const char *url;
    int r;
    bool in_cluster;
    const char *host, *service, *ns, *at; /* at: with 10.0.0.1 */
} urls[] = {
    {"http://a.b.svc/x", 0, true, "a.b.svc", "a", "b", "http://10.0.0.1/x"},
    {"http://a.b.svc.cluster.local./x?y", 0, true, "a.b.svc.cluster.local", "a", "b", "http://10.0.0.1/x?y"},
    {"https://a.b.svc.k8s.example:8443/x", 0, true, "a.b.svc.k8s.example:8443", "a", "b", "https://10.0.0.1:8443/x"},
    {"http://a.b.svc.:80", 0, true, "a.b.svc:80", "a", "b", "http://10.0.0.1:80"},
    {"http://files.example/x", 0, false, "files.example", NULL, NULL, NULL},
    {"http://a.b.svcs/x", 0, false, "a.b.svcs", NULL, NULL, NULL},
    {"http://a.svc/x", 0, false, "a.svc", NULL, NULL, NULL},
    {"http://A.b.svc/x", 0, false, "A.b.svc", NULL, NULL, NULL},
    {"http://[fd00::1]:80/x", 0, false, "[fd00::1]:80", NULL, NULL, NULL},
    {"http://user@a.b.svc/x", -EINVAL, false, NULL, NULL, NULL, NULL},
    {"ftp://a.b.svc/x", -EINVAL, false, NULL, NULL, NULL, NULL},
    {"http:///x", -EINVAL, false, NULL, NULL, NULL, NULL},
    {"http://./x", -EINVAL, false, NULL, NULL, NULL, NULL},
    {"http://../x", -EINVAL, false, NULL, NULL, NULL, NULL},
    {"http://a.b.svc../x", -EINVAL, false, NULL, NULL, NULL, NULL},
    {"", -EINVAL, false, NULL, NULL, NULL, NULL},
};

START_TEST(cluster_urls)
{
    struct hf_cluster_url url;
    char at[HF_CLUSTER_URL_MAX];

    ck_assert_msg(hf_cluster_url_parse(urls[_i].url, &url) == urls[_i].r, "%s", urls[_i].url);
    if (urls[_i].r < 0)
        return;
    ck_assert_str_eq(url.host, urls[_i].host);
    ck_assert(url.in_cluster == urls[_i].in_cluster);
    if (!url.in_cluster)
        return;
    ck_assert_str_eq(url.service, urls[_i].service);
    ck_assert_str_eq(url.ns, urls[_i].ns);
    ck_assert_int_eq(hf_cluster_url_at(&url, "10.0.0.1", at), 0);
    ck_assert_str_eq(at, urls[_i].at);
    ck_assert_int_eq(hf_cluster_url_at(&url, "fd00::1", at), 0);
    ck_assert_msg(strstr(at, "://[fd00::1]") != NULL, "%s", at);
    ck_assert_int_eq(hf_cluster_url_at(&url, "None", at), -EINVAL);
    ck_assert_int_eq(hf_cluster_url_at(&url, "evil.example", at), -EINVAL);
}
END_TEST

START_TEST(addresses)
{
    static const struct {
        const char *address;
        int r;
    } rows[] = {
        {"10.43.0.7", 0},
        {"fd00::7", 0},
        {"2001:db8::7", 0},
        {"127.0.0.1", -EACCES},
        {"127.9.9.9", -EACCES},
        {"0.0.0.0", -EACCES},
        {"0.1.2.3", -EACCES},
        {"169.254.169.254", -EACCES},
        {"169.254.0.1", -EACCES},
        {"224.0.0.1", -EACCES},
        {"255.255.255.255", -EACCES},
        {"::", -EACCES},
        {"::1", -EACCES},
        {"fe80::1", -EACCES},
        {"ff02::1", -EACCES},
        {"::ffff:127.0.0.1", -EACCES},
        {"::ffff:10.43.0.7", -EACCES},
        {"::127.0.0.1", -EACCES},
        {"None", -EINVAL},
        {"", -EINVAL},
        {"evil.example", -EINVAL},
        {"10.43.0.7 ", -EINVAL},
        {"2130706433", -EINVAL},
    };
    struct ifaddrs *all = NULL;
    struct rlimit files, none;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &files), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = files.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0); /* the kernel cannot be asked */
    int r = hf_cluster_url_check_address("10.43.0.7"), refused = hf_cluster_url_check_address("127.0.0.1");
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
    ck_assert_int_eq(r, -EAGAIN);
    ck_assert_int_eq(refused, -EACCES);
    for (size_t i = 0; i < HF_LEN(rows); i++)
        ck_assert_msg(hf_cluster_url_check_address(rows[i].address) == rows[i].r, "%s", rows[i].address);
    ck_assert_int_eq(getifaddrs(&all), 0);
    for (const struct ifaddrs *it = all; it != NULL; it = it->ifa_next) {
        char text[INET6_ADDRSTRLEN];
        if (it->ifa_addr == NULL || it->ifa_addr->sa_family != AF_INET)
            continue;
        const struct sockaddr_in *own = (const void *)it->ifa_addr;
        ck_assert_ptr_nonnull(inet_ntop(AF_INET, &own->sin_addr, text, sizeof(text)));
        ck_assert_msg(hf_cluster_url_check_address(text) == -EACCES, "%s", text);
    }
    freeifaddrs(all);
}
END_TEST

/* The ConfigMap is deleted; then a right is lost and comes back. It still does not exist. */
START_TEST(gone_stays_gone)
{
    start(false);
    put_map("pods", "one");
    from_map();
    follow(NULL);
    run_s(5);
    ck_assert_uint_eq(w.delivered, 1);
    (void)hf_simapi_delete(w.api, "ConfigMap", "pods");
    run_s(5);
    ck_assert_uint_eq(w.gones, 1);
    hf_simapi_fail(w.api, 3, 403, 0);
    hf_simapi_end_watches(w.api);
    if (_i == 1)
        hf_simapi_compact(w.api);
    run_s(300);
    ck_assert_int_eq(w.reason, HF_MANIFEST_REASON_API_REFUSED);
    ck_assert_msg(w.unchanged == 0 || w.gones > 1, "unchanged %u gones %u", w.unchanged, w.gones);
    stop();
}
END_TEST
/* The same, deleted while the right is missing */
START_TEST(deleted_while_refused)
{
    start(false);
    put_map("pods", "one");
    from_map();
    follow(NULL);
    run_s(5);
    hf_simapi_fail(w.api, 3, 403, 0);
    hf_simapi_end_watches(w.api);
    run_s(1);
    (void)hf_simapi_delete(w.api, "ConfigMap", "pods");
    if (_i == 1)
        hf_simapi_compact(w.api);
    run_s(100);
    ck_assert_uint_eq(w.gones, 1);
    unsigned unchanged_then = w.unchanged;
    hf_simapi_end_watches(w.api);
    run_s(300);
    ck_assert_msg(w.unchanged == unchanged_then, "unchanged %u -> %u gones %u", unchanged_then, w.unchanged, w.gones);
    stop();
}
END_TEST

/* a version that cannot be read, then none */
START_TEST(unreadable_then_gone)
{
    start(false);
    put_map("pods", "one");
    from_map();
    follow(NULL);
    run_s(5);
    send_unreadable("MODIFIED");
    (void)hf_simapi_delete(w.api, "ConfigMap", "pods");
    run_s(5);
    ck_assert_uint_eq(w.gones, 1);
    run_s(600);
    ck_assert_uint_eq(w.unchanged, 0);
    stop();
}
END_TEST

static unsigned fails_at_gone;
static void gone_counts(void *arg, const char *what)
{
    gone(arg, what);
    fails_at_gone = w.failed;
}

/* It never was there; the link goes and comes back. The last word must be that it does not exist. */
START_TEST(never_there_and_link_loss)
{
    start(false);
    from_map();
    const struct hf_manifest_source_params params = {.env = &w.env,
                                                     .entry = &w.entry,
                                                     .work_dir = "/state/manifests/site",
                                                     .delivered = delivered,
                                                     .unchanged = unchanged,
                                                     .failed = failed,
                                                     .gone = gone_counts};
    ck_assert_int_eq(hf_manifest_source_new(&params, &w.source, NULL), 0);
    run_s(10);
    ck_assert_uint_eq(w.gones, 1);
    hf_simclient_set_state(w.client, HF_SIM_LINK_DOWN);
    run_s(600);
    hf_simclient_set_state(w.client, HF_SIM_LINK_UP);
    for (int i = 0; i < 10; i++) {
        hf_manifest_source_refresh(w.source);
        run_s(300);
    }
    ck_assert_msg(fails_at_gone == w.failed && w.unchanged == 0, "gones %u failed %u unchanged %u: %s", w.gones,
                  w.failed, w.unchanged, w.message);
    stop();
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, never_there_and_link_loss);
    tcase_add_test(tc, unreadable_then_gone);
    tcase_add_loop_test(tc, gone_stays_gone, 0, 2);
    tcase_add_loop_test(tc, deleted_while_refused, 0, 2);
    tcase_add_test(tc, addresses);
    tcase_add_loop_test(tc, map_contents, 0, HF_LEN(maps));
    tcase_add_test(tc, map_followed);
    tcase_add_loop_test(tc, map_deleted_while_away, 0, 2);
    tcase_add_test(tc, map_never_there);
    tcase_add_test(tc, map_forbidden);
    tcase_add_test(tc, map_out_of_reach);
    tcase_add_test(tc, map_becomes_empty);
    tcase_add_loop_test(tc, map_becomes_unreadable, 0, 2);
    tcase_add_test(tc, map_without_a_server);
    tcase_add_test(tc, map_behind_a_metaserver);
    tcase_add_test(tc, map_that_cloudcore_may_not_read);
    tcase_add_test(tc, map_that_cloudcore_may_read_in_its_namespace_only);
    tcase_add_test(tc, secret_names);
    tcase_add_loop_test(tc, secret_followed, 0, 2);
    tcase_add_test(tc, url_downloaded_once);
    tcase_add_loop_test(tc, url_of_a_registry, 0, 2);
    tcase_add_test(tc, url_unpacked_without_memory);
    tcase_add_test(tc, url_freed_at_any_event);
    tcase_add_test(tc, url_resumes);
    tcase_add_loop_test(tc, url_waits_for_the_link, 0, 3);
    tcase_add_test(tc, url_that_always_breaks);
    tcase_add_test(tc, url_waits_for_its_owner);
    tcase_add_loop_test(tc, url_troubles, 0, HF_LEN(troubles));
    tcase_add_test(tc, flux_followed);
    tcase_add_test(tc, flux_known);
    tcase_add_loop_test(tc, unreadable_download_comes_again, 0, 2);
    tcase_add_loop_test(tc, unreadable_download_is_read_again, 0, 2);
    tcase_add_loop_test(tc, flux_has_troubles, 0, HF_LEN(flux_troubles));
    tcase_add_loop_test(tc, cluster_urls, 0, HF_LEN(urls));
}
HF_TEST_MAIN("manifests/source_cases", cases)
