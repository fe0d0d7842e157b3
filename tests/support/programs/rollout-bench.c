/* SPDX-License-Identifier: Apache-2.0 */
/* The rollout engine with a large fleet: how long one decision takes, and how much memory a node costs.
 *
 *     rollout-bench [NODES [RELEASES]]        default 100000 nodes, 1 release, at most 2
 *
 * Each node has twenty labels as K3s and the agent set them, with three nodes to a site, and reports the states of
 * the releases. Prints lines "name value". */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/parse.h"
#include "rollout/engine.h"

enum { SITE = 3, STEPS = 60, REPORTS = 500 };

static struct hf_rollout_engine *engine;
static struct hf_rollout_now now = {.mono_ns = 1000 * HF_NS_PER_S, .unix_ns = 1795341600 * HF_NS_PER_S};
static char digests[2][65];
static uint64_t version;
static json_t *updates[2];
static unsigned releases;

static double seconds(void)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void must(int r)
{
    if (r < 0) {
        (void)fprintf(stderr, "rollout-bench: %s\n", strerror(-r));
        exit(1);
    }
}

static void make_update(unsigned u)
{
    struct hf_edgeupdate *decoded = NULL;
    struct hf_issues issues;
    char text[1200];

    (void)snprintf(text, sizeof(text),
                   "metadata: {name: u%u, uid: x%u, resourceVersion: '%u', generation: 1}\n"
                   "spec:\n"
                   "  nodeSelector: {matchLabels: {edge.codcompass.io/role: compute}}\n"
                   "  release: {name: app%u, version: '2', sequence: 2, expires: '2090-01-01T00:00:00Z',\n"
                   "    artifacts: [{arch: amd64, url: 'https://x.example/a', size: 1,\n"
                   "      sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}],\n"
                   "    install: {path: /opt/x%u}}\n"
                   "  strategy:\n"
                   "    canary: {nodeSelector: {matchLabels: {edge.codcompass.io/canary: 'true'}}, soak: 1m}\n"
                   "    waves: [{percent: 50, soak: 1m}, {percent: 100}]\n"
                   "    maxFailures: 2%%\n"
                   "    disruption: {groupBy: topology.kubernetes.io/zone, maxUnavailable: 10%%}\n",
                   u, u, (unsigned)++version, u, u);
    must(hf_yaml_parse(hf_view_of(text), NULL, &updates[u], NULL));
    must(hf_edgeupdate_decode(updates[u], &decoded, &issues));
    memcpy(digests[u], decoded->release.digest, sizeof(digests[u]));
    hf_edgeupdate_free(decoded);
}

static void take_node(unsigned i)
{
    char name[40], zone[40];
    unsigned site = i / SITE; /* the nodes of a site are alike */
    json_t *json;

    (void)snprintf(name, sizeof(name), "edge-site-%06u.example", i);
    (void)snprintf(zone, sizeof(zone), "site-%05u", i / SITE);
    json = json_pack(
        "{s:{s:s, s:{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, "
        "s:s}}}",
        "metadata", "name", name, "labels", "beta.kubernetes.io/arch", site % 4 ? "arm64" : "amd64",
        "beta.kubernetes.io/os", "linux", "kubernetes.io/arch", site % 4 ? "arm64" : "amd64", "kubernetes.io/hostname",
        name, "kubernetes.io/os", "linux", "node.kubernetes.io/instance-type", "k3s", "topology.kubernetes.io/zone",
        zone, "topology.kubernetes.io/region", site % 2 ? "eu-west-1" : "us-east-1", "edge.codcompass.io/role",
        "compute", "edge.codcompass.io/tier", site % 7 ? "standard" : "gold", "edge.codcompass.io/arch",
        site % 4 ? "arm64" : "amd64", "edge.codcompass.io/cpu.asimd", "true", "edge.codcompass.io/cpu.aes", "true",
        "edge.codcompass.io/memory", site % 3 ? "4" : "8", "edge.codcompass.io/storage", site % 5 ? "emmc" : "nvme",
        "edge.codcompass.io/class", "compute", "edge.codcompass.io/tpm", site % 2 ? "true" : "false",
        "edge.codcompass.io/canary", i % 100 ? "false" : "true", "example.com/rack", site % 9 ? "a" : "b",
        "example.com/owner", site % 11 ? "plant" : "office");
    must(hf_rollout_engine_take_node(engine, json, &now));
    json_decref(json);
}

static void report(unsigned i, unsigned sequence, const char *phase)
{
    char name[40], text[24];
    json_t *json;

    (void)snprintf(name, sizeof(name), "edge-site-%06u.example", i);
    (void)snprintf(text, sizeof(text), "%ju", (uintmax_t)++version);
    json = json_pack("{s:{s:s, s:s}, s:{s:i, s:{s:s}, s:[]}}", "metadata", "name", name, "resourceVersion", text,
                     "status", "sequence", (int)sequence, "policy", "interval", "5m", "updates");
    for (unsigned u = 0; u < releases; u++)
        must(json_array_append_new(hf_json_mutable(hf_json_at(json, "status.updates")),
                                   json_pack("{s:s, s:s, s:s, s:s}", "name", u == 0 ? "app0" : "app1", "digest",
                                             digests[u], "phase", phase, "reason", "TurnPending")));
    must(hf_rollout_engine_take_edgenode(engine, json, &now));
    json_decref(json);
}

/* Plans, and does every write at once. Returns the time of the plan alone. */
static double plan(size_t *ret_effects)
{
    struct hf_rollout_plan plan;
    double start = seconds();

    must(hf_rollout_engine_plan(engine, &now, &plan));
    double took = seconds() - start;
    for (size_t i = 0; i < plan.n; i++) {
        const struct hf_rollout_effect *effect = &plan.effects[i];
        json_t *object = NULL;
        char text[24];
        if (effect->kind == HF_ROLLOUT_EVENT)
            continue;
        if (effect->kind == HF_ROLLOUT_STATUS) {
            json_t **update = &updates[effect->name[1] - '0'];
            object = json_deep_copy(*update);
            must(json_object_set(object, "status", json_object_get(effect->body, "status")));
            json_decref(*update);
            *update = json_incref(object);
        } else {
            object = json_deep_copy(effect->body);
        }
        (void)snprintf(text, sizeof(text), "%ju", (uintmax_t)++version);
        must(hf_json_put(object, "metadata.resourceVersion", json_string(text)));
        hf_rollout_engine_result(engine, effect->id, 0, object, &now);
        json_decref(object);
    }
    *ret_effects = plan.n;
    now.mono_ns += HF_NS_PER_S;
    return took;
}

static size_t in_use(void)
{
    (void)malloc_trim(0);
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

int main(int argc, char **argv)
{
    static const struct hf_rollout_params params = {.keep_silent_nodes = true};
    uint64_t nodes = 100000, n = 1;
    struct hf_rollout_fleet_view view;
    double cold = 0, worst = 0, sum = 0;
    size_t effects = 0, before;

    if (argc > 1)
        must(hf_parse_u64(argv[1], 1, 1000000, &nodes));
    if (argc > 2)
        must(hf_parse_u64(argv[2], 1, 2, &n));
    releases = (unsigned)n;
    must(hf_rollout_engine_new(&params, &engine));
    for (unsigned u = 0; u < releases; u++)
        make_update(u);
    before = in_use();
    for (unsigned i = 0; i < nodes; i++) {
        take_node(i);
        report(i, 1, "Waiting");
    }
    for (unsigned u = 0; u < releases; u++)
        must(hf_rollout_engine_take_update(engine, updates[u], &now));
    for (enum hf_rollout_kind kind = 0; kind < HF_ROLLOUT_KINDS; kind++)
        hf_rollout_engine_list_end(engine, kind, &now);
    hf_rollout_engine_lead(engine, 1, &now);
    for (unsigned i = 0; i < 40; i++) { /* slots of all nodes, claims, first stages */
        double took = plan(&effects);
        cold = took > cold ? took : cold;
    }
    size_t used = in_use() - before;
    hf_rollout_engine_fleet(engine, &view);
    for (unsigned step = 0; step < STEPS; step++) {
        static const char *const phases[] = {"Fetching", "Verified", "Committed"};
        for (unsigned k = 0; k < REPORTS; k++)
            report((unsigned)((step * REPORTS + k) * 7919ull % nodes), 2 + step, phases[step * 3 / STEPS]);
        double took = plan(&effects);
        worst = took > worst ? took : worst;
        sum += took;
    }
    printf("cold_ms %.2f\nworst_ms %.2f\nmean_ms %.2f\nbytes_per_node %.1f\ncounted_per_node %.1f\n", cold * 1e3,
           worst * 1e3, sum / STEPS * 1e3, (double)used / (double)nodes, (double)view.bytes / (double)nodes);
    hf_rollout_engine_free(engine);
    for (unsigned u = 0; u < 2; u++)
        json_decref(updates[u]);
    return 0;
}
