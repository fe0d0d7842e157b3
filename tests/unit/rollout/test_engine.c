/* SPDX-License-Identifier: Apache-2.0 */
/* The engine with a small API server around it: one test for each thing that can happen to a rollout. */
#include "rollout/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/admission.h"
#include "api/conditions.h"
#include "rollout/fleet.h"
#include "rollout/rollout.h"
#include "support/check_main.h"

#define SECOND HF_NS_PER_S
#define MINUTE (60 * SECOND)

enum { NODES = 20 };

/* ---- the server -------------------------------------------------------------------------------------------------- */

static struct {
    struct hf_rollout_engine *engine;
    struct hf_rollout_now now;
    uint64_t epoch;
    int version;
    json_t *updates[3], *edgenodes[NODES], *nodes[NODES];
    unsigned sequences[NODES], n_status, n_turns, n_silent, n_collect, n_events;
    char events[2000];
    unsigned cutoffs[20], n_cutoffs; /* admissions in their order */
    int fail;                        /* result of the next write, which is then not done */
    bool watch_first;                /* the watch shows what a write made before its answer comes */
    bool old_kind;                   /* the API server knows no status.admission.selector */
} s;

static void bump(json_t *object)
{
    char text[16];

    (void)snprintf(text, sizeof(text), "%d", ++s.version);
    ck_assert_int_eq(hf_json_put(object, "metadata.resourceVersion", json_string(text)), 0);
}

static void show_update(unsigned u)
{
    ck_assert_int_eq(hf_rollout_engine_take_update(s.engine, s.updates[u], &s.now), 0);
}

static void show_node(unsigned i)
{
    if (s.nodes[i] != NULL)
        ck_assert_int_eq(hf_rollout_engine_take_node(s.engine, s.nodes[i], &s.now), 0);
    if (s.edgenodes[i] != NULL)
        ck_assert_int_eq(hf_rollout_engine_take_edgenode(s.engine, s.edgenodes[i], &s.now), 0);
}

/* Changes the update; the old tree stays as it was, because the engine has a reference to it. */
static void edit(unsigned u, const char *path, json_t *value)
{
    json_t *copy = json_deep_copy(s.updates[u]);

    ck_assert_int_eq(hf_json_put(copy, path, value), 0);
    bump(copy);
    json_decref(s.updates[u]);
    s.updates[u] = copy;
    show_update(u);
}

static const char *name_of(unsigned i)
{
    static char name[16];

    (void)snprintf(name, sizeof(name), "n%u", i);
    return name;
}

static const char *digest_of(unsigned u)
{
    static char digest[65];
    struct hf_edgeupdate *update = NULL;
    struct hf_issues issues;

    ck_assert_int_eq(hf_edgeupdate_decode(s.updates[u], &update, &issues), 0);
    memcpy(digest, update->release.digest, sizeof(digest));
    hf_edgeupdate_free(update);
    return digest;
}

static const char *node_interval = "5m";

/* Node `i` reports this phase of update `u`. */
static void report(unsigned i, unsigned u, const char *phase, const char *reason)
{
    json_t *old = s.edgenodes[i], *spec = json_object_get(old, "spec");
    json_t *json =
        json_pack("{s:{s:s}, s:{s:i, s:{s:s}, s:[{s:s, s:s, s:s, s:s, s:s}]}}", "metadata", "name", name_of(i),
                  "status", "sequence", (int)++s.sequences[i], "policy", "interval", node_interval, "updates", "name",
                  "app", "digest", digest_of(u), "phase", phase, "reason", reason, "message", "what happened");

    if (spec != NULL)
        ck_assert_int_eq(json_object_set(json, "spec", spec), 0);
    bump(json);
    s.edgenodes[i] = json;
    show_node(i);
    json_decref(old);
}

static void put_node(unsigned i, const char *zone, bool canary)
{
    json_decref(s.nodes[i]);
    s.nodes[i] = json_pack("{s:{s:s, s:{s:s, s:s}}}", "metadata", "name", name_of(i), "labels", "zone", zone, "canary",
                           canary ? "yes" : "no");
    show_node(i);
}

static void make_update(unsigned u, const char *name, int sequence, const char *strategy)
{
    char text[1500];

    (void)snprintf(text, sizeof(text),
                   "metadata: {name: %s, uid: uid-%s-%d, generation: 1}\n"
                   "spec:\n"
                   "  release: {name: app, version: '2', sequence: %d, expires: '2090-01-01T00:00:00Z',\n"
                   "    artifacts: [{arch: amd64, url: 'https://x.example/a', size: 1,\n"
                   "      sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}],\n"
                   "    install: {path: /opt/x}}\n%s",
                   name, name, s.version, sequence, strategy);
    json_decref(s.updates[u]);
    s.updates[u] = NULL;
    ck_assert_int_eq(hf_yaml_parse(hf_view_of(text), NULL, &s.updates[u], NULL), 0);
    bump(s.updates[u]);
    show_update(u);
}

static const char plain_waves[] = "  strategy:\n"
                                  "    canary: {nodeSelector: {matchLabels: {canary: 'yes'}}, soak: 5m}\n"
                                  "    waves: [{percent: 30, soak: 5m}, {percent: 100, soak: 5m}]\n"
                                  "    maxFailures: 1\n";
static const char site_turns[] = "  strategy: {maxFailures: 100%, disruption: {groupBy: zone}}\n";

static void lead(void)
{
    static const struct hf_rollout_params params = {0};

    hf_rollout_engine_free(s.engine);
    ck_assert_int_eq(hf_rollout_engine_new(&params, &s.engine), 0);
    for (enum hf_rollout_kind kind = 0; kind < HF_ROLLOUT_KINDS; kind++)
        hf_rollout_engine_list_begin(s.engine, kind);
    for (unsigned i = 0; i < NODES; i++)
        show_node(i);
    for (unsigned u = 0; u < HF_LEN(s.updates); u++)
        if (s.updates[u] != NULL)
            show_update(u);
    for (enum hf_rollout_kind kind = 0; kind < HF_ROLLOUT_KINDS; kind++)
        hf_rollout_engine_list_end(s.engine, kind, &s.now);
    hf_rollout_engine_lead(s.engine, ++s.epoch, &s.now);
}

static void setup(void)
{
    memset(&s, 0, sizeof(s));
    s.now = (struct hf_rollout_now){.mono_ns = 1000 * SECOND, .unix_ns = 1795341600 * SECOND};
    lead();
    for (unsigned i = 0; i < NODES; i++) {
        char zone[8];
        (void)snprintf(zone, sizeof(zone), "z%u", i / 4);
        put_node(i, zone, i == 0);
    }
}

static void teardown(void)
{
    hf_rollout_engine_free(s.engine);
    for (unsigned i = 0; i < NODES; i++) {
        json_decref(s.nodes[i]);
        json_decref(s.edgenodes[i]);
    }
    for (unsigned u = 0; u < HF_LEN(s.updates); u++)
        json_decref(s.updates[u]);
}

static json_t **object_of(const struct hf_rollout_effect *effect)
{
    for (unsigned u = 0; u < HF_LEN(s.updates) && effect->kind == HF_ROLLOUT_STATUS; u++)
        if (strcmp(hf_json_str_or(s.updates[u], "metadata.name", ""), effect->name) == 0)
            return &s.updates[u];
    return &s.edgenodes[strtoul(effect->name + 1, NULL, 10)];
}

static void note_admission(const json_t *body)
{
    int64_t cutoff = hf_json_int_or(body, "status.admission.cutoff", -1);

    if (cutoff >= 0 && (s.n_cutoffs == 0 || s.cutoffs[s.n_cutoffs - 1] != (unsigned)cutoff) && s.n_cutoffs < 20)
        s.cutoffs[s.n_cutoffs++] = (unsigned)cutoff;
}

/* Stores one write as the API server does it. Returns the result; s.fail is that of a write that does not arrive. */
static int store(const struct hf_rollout_effect *effect)
{
    json_t **at = object_of(effect), *copy;
    bool is_spec = effect->kind == HF_ROLLOUT_TURNS;
    int fail = s.fail;

    s.fail = 0;
    if (fail != 0)
        return fail;
    if (strcmp(hf_json_str_or(effect->body, "metadata.resourceVersion", ""),
               hf_json_str_or(*at, "metadata.resourceVersion", "-")) != 0)
        return -ESTALE;
    copy = json_deep_copy(*at);
    if (effect->kind == HF_ROLLOUT_SILENT)
        ck_assert_int_eq(json_object_update(json_object_get(copy, "status"), json_object_get(effect->body, "status")),
                         0);
    else
        ck_assert_int_eq(json_object_set(copy, is_spec ? "spec" : "status",
                                         json_object_get(effect->body, is_spec ? "spec" : "status")),
                         0);
    if (effect->kind == HF_ROLLOUT_STATUS)
        note_admission(effect->body);
    if (s.old_kind)
        (void)json_object_del(json_object_get(json_object_get(copy, "status"), "admission"), "selector");
    bump(copy);
    json_decref(*at);
    *at = copy;
    return 0;
}

static void do_write(const struct hf_rollout_effect *effect)
{
    int r = store(effect);
    json_t *object = *object_of(effect);

    if (r == 0 && s.watch_first && effect->kind != HF_ROLLOUT_STATUS)
        ck_assert_int_eq(hf_rollout_engine_take_edgenode(s.engine, object, &s.now), 0);
    hf_rollout_engine_result(s.engine, effect->id, r, r == 0 ? object : NULL, &s.now);
    if (r != 0)
        return;
    if (effect->kind == HF_ROLLOUT_STATUS) /* the watch brings it, too */
        ck_assert_int_eq(hf_rollout_engine_take_update(s.engine, object, &s.now), 0);
    else
        ck_assert_int_eq(hf_rollout_engine_take_edgenode(s.engine, object, &s.now), 0);
}

static void one_plan(void)
{
    struct hf_rollout_plan plan;

    ck_assert_int_eq(hf_rollout_engine_plan(s.engine, &s.now, &plan), 0);
    for (size_t i = 0; i < plan.n; i++) {
        const struct hf_rollout_effect *effect = &plan.effects[i];
        s.n_status += effect->kind == HF_ROLLOUT_STATUS;
        s.n_turns += effect->kind == HF_ROLLOUT_TURNS;
        s.n_silent += effect->kind == HF_ROLLOUT_SILENT;
        s.n_collect += effect->kind == HF_ROLLOUT_COLLECT;
        if (effect->kind == HF_ROLLOUT_COLLECT) {
            hf_rollout_engine_result(s.engine, effect->id, -ENOENT, NULL, &s.now);
        } else if (effect->kind == HF_ROLLOUT_EVENT) {
            s.n_events++;
            (void)snprintf(s.events + strlen(s.events), sizeof(s.events) - strlen(s.events), "%s ", effect->reason);
        } else {
            do_write(effect);
        }
    }
}

static void run(uint64_t seconds)
{
    for (uint64_t i = 0; i < seconds; i++) {
        one_plan();
        s.now.mono_ns += SECOND;
        s.now.unix_ns += SECOND;
    }
}

static const char *phase(unsigned u)
{
    return hf_json_str_or(s.updates[u], "status.rollout.phase", "");
}

static const char *ready_reason(unsigned u)
{
    return hf_json_str_or(json_array_get(hf_json_at(s.updates[u], "status.conditions"), 0), "reason", "");
}

static const char *ready_message(unsigned u)
{
    return hf_json_str_or(json_array_get(hf_json_at(s.updates[u], "status.conditions"), 0), "message", "");
}

static void take_halted(void *arg, const struct hf_rollout_view *view)
{
    *(bool *)arg = view->halted;
}

/* As metrics show it; there is one EdgeUpdate. */
static bool shows_halted(void)
{
    bool halted = false;

    hf_rollout_engine_each(s.engine, take_halted, &halted);
    return halted;
}

static int64_t number(unsigned u, const char *key)
{
    char path[80];

    (void)snprintf(path, sizeof(path), "status.%s", key);
    return hf_json_int_or(s.updates[u], path, -1);
}

static bool is_admitted(unsigned i, unsigned u)
{
    struct hf_edgeupdate *update = NULL;
    struct hf_issues issues;
    bool allowed;

    ck_assert_int_eq(hf_edgeupdate_decode(s.updates[u], &update, &issues), 0);
    allowed = hf_admission_allows(update, name_of(i), hf_json_at(s.nodes[i], "metadata.labels"));
    hf_edgeupdate_free(update);
    return allowed;
}

/* Every admitted node says this. */
static void all_admitted(unsigned u, const char *phase_, const char *reason)
{
    for (unsigned i = 0; i < NODES; i++)
        if (is_admitted(i, u))
            report(i, u, phase_, reason);
}

/* Each node that is admitted commits, for so many seconds. */
static void good_nodes(unsigned u, uint64_t seconds, bool failing_over)
{
    for (uint64_t i = 0; i < seconds; i += 10) {
        for (unsigned n = 0; n < NODES; n++)
            if (is_admitted(n, u) && hf_json_int_or(s.edgenodes[n], "status.sequence", 0) == 0)
                report(n, u, "Committed", "HealthPassed");
        if (failing_over && i % 170 == 0)
            lead();
        run(10);
    }
}

/* ---- the course of a rollout ------------------------------------------------------------------------------------- */

START_TEST(good_release)
{
    static const unsigned want[] = {0, 3000, 10000};

    make_update(0, "u", 2, plain_waves);
    good_nodes(0, 40 * 60, false);
    ck_assert_str_eq(phase(0), "Complete");
    ck_assert_str_eq(ready_reason(0), "RolledOut");
    ck_assert_int_eq(number(0, "nodes.updated"), NODES);
    ck_assert_uint_eq(s.n_cutoffs, HF_LEN(want));
    for (size_t i = 0; i < HF_LEN(want); i++)
        ck_assert_uint_eq(s.cutoffs[i], want[i]);
    ck_assert_str_eq(s.events, "RolloutStarted StageSettled StageAdmitted StageSettled StageAdmitted StageSettled "
                               "RolloutComplete ");
    unsigned before = s.n_status;
    run(3600);
    ck_assert_uint_eq(s.n_status, before); /* nothing to say, nothing written */
}
END_TEST

/* A failover every 170 s, in every phase: the same course, each stage once, each soak at least as long. */
START_TEST(failovers_in_every_phase)
{
    static const unsigned want[] = {0, 3000, 10000};
    uint64_t start = s.now.mono_ns;

    make_update(0, "u", 2, plain_waves);
    good_nodes(0, 6 * 3600, true);
    ck_assert_str_eq(phase(0), "Complete");
    ck_assert_uint_eq(s.n_cutoffs, HF_LEN(want));
    for (size_t i = 0; i < HF_LEN(want); i++)
        ck_assert_uint_eq(s.cutoffs[i], want[i]);
    ck_assert_uint_ge(s.now.mono_ns - start, 15 * MINUTE);
    ck_assert_int_eq(number(0, "rollout.epoch"), (int64_t)s.epoch);
}
END_TEST

START_TEST(halts_names_and_resumes)
{
    make_update(0, "u", 2, plain_waves);
    good_nodes(0, 8 * 60, false);
    ck_assert_int_eq(number(0, "admission.cutoff"), 3000);
    for (unsigned i = 0, failed = 0; i < NODES && failed < 2; i++)
        if (i != 0 && is_admitted(i, 0)) {
            report(i, 0, "RolledBack", "HealthDeadline");
            failed++;
        }
    run(3);
    ck_assert_str_eq(phase(0), "Halted");
    ck_assert_str_eq(ready_reason(0), "TooManyFailures");
    ck_assert_ptr_nonnull(strstr(ready_message(0), "accept the failures: holdfast rollout resume u; failed:"));
    ck_assert_ptr_null(strstr(ready_message(0), "edge.codcompass.io"));
    ck_assert(shows_halted());
    ck_assert_int_eq(number(0, "admission.cutoff"), 0);
    ck_assert_int_eq(number(0, "rollout.cutoff"), 3000);
    ck_assert_uint_eq(json_array_size(hf_json_at(s.updates[0], "status.failures")), 2);
    const json_t *first = json_array_get(hf_json_at(s.updates[0], "status.failures"), 0);
    ck_assert_str_eq(hf_json_str_or(first, "reason", ""), "HealthDeadline");
    lead(); /* a new leader finds it halted, and leaves it so */
    run(60);
    ck_assert_str_eq(phase(0), "Halted");
    edit(0, "metadata.annotations", json_pack("{s:s}", HF_ROLLOUT_RESUME_ANNOTATION, "a"));
    run(3);
    ck_assert_int_eq(number(0, "admission.cutoff"), 3000);
    ck_assert_int_eq(number(0, "rollout.forgiven"), 2);
    ck_assert(!shows_halted());
    ck_assert_ptr_nonnull(strstr(s.events, "RolloutResumed"));
    /* a newer release starts at its canary at once */
    edit(0, "spec.release.sequence", json_integer(3));
    run(2);
    ck_assert_int_eq(number(0, "admission.cutoff"), 0);
    ck_assert_int_eq(number(0, "rollout.forgiven"), 0);
    ck_assert_str_eq(hf_json_str_or(s.updates[0], "status.admission.digest", ""), digest_of(0));
}
END_TEST

/* The whole canary fails, within maxFailures: with `mandatory` and without. */
static void canary_fails(const char *strategy, const char *reason)
{
    make_update(0, "u", 2, strategy);
    run(3);
    for (unsigned i = 0; i < NODES; i++)
        if (is_admitted(i, 0))
            report(i, 0, "RolledBack", "HealthDeadline");
    run(3);
    ck_assert_str_eq(phase(0), "Halted");
    ck_assert_str_eq(ready_reason(0), reason);
    ck_assert(shows_halted());
}

static const char careful_canary[] =
    "  strategy:\n"
    "    canary: {nodeSelector: {matchLabels: {canary: 'yes'}}, mandatory: true, soak: 5m}\n"
    "    waves: [{percent: 100, soak: 5m}]\n"
    "    maxFailures: 0\n";

/* A rollback that is no verdict about the release: somebody replaced the file during the probation, or the swap failed.
 * The nodes try again, so the canary does not halt. */
START_TEST(undone_swaps_are_no_failures)
{
    static const char *const reasons[] = {"TargetChanged", "SwapFailed", "DiskFull", "IoError"};

    make_update(0, "u", 2, careful_canary);
    run(3);
    all_admitted(0, "RollingBack", reasons[_i]);
    run(60);
    ck_assert_str_eq(phase(0), "Canary");
    ck_assert_int_eq(number(0, "nodes.failed"), 0);
    ck_assert_int_eq(number(0, "nodes.updating"), number(0, "nodes.admitted"));
    ck_assert_uint_eq(json_array_size(hf_json_at(s.updates[0], "status.failures")), 0);
    all_admitted(0, "Waiting", reasons[_i]);
    run(60);
    all_admitted(0, "Committed", "HealthPassed");
    good_nodes(0, 30 * 60, false);
    ck_assert_str_eq(phase(0), "Complete");
}
END_TEST

/* One after a verdict is a failure before the old version is back, so that the halt comes early. */
START_TEST(rollbacks_after_a_verdict_are_failures)
{
    static const char *const reasons[] = {"HealthDeadline", "HealthFailed", "RestartFailed", "UnitNotFound",
                                          "RollbackFailed", "NoVerdict",    "AgentFailed"};

    make_update(0, "u", 2, careful_canary);
    run(3);
    all_admitted(0, "RollingBack", reasons[_i]);
    run(3);
    ck_assert_str_eq(phase(0), "Halted");
    ck_assert_str_eq(hf_json_str_or(json_array_get(hf_json_at(s.updates[0], "status.failures"), 0), "reason", ""),
                     reasons[_i]);
}
END_TEST

START_TEST(mandatory_canary_halts)
{
    canary_fails("  strategy:\n"
                 "    canary: {nodeSelector: {matchLabels: {canary: 'yes'}}, mandatory: true, soak: 5m}\n"
                 "    waves: [{percent: 100, soak: 5m}]\n"
                 "    maxFailures: 100%\n",
                 "CanaryFailed");
}
END_TEST

START_TEST(failed_stage_halts)
{
    canary_fails("  strategy:\n"
                 "    canary: {nodeSelector: {matchLabels: {canary: 'yes'}}, soak: 5m}\n"
                 "    waves: [{percent: 100, soak: 5m}]\n"
                 "    maxFailures: 100%\n",
                 "StageFailed");
}
END_TEST

/* One wave of which only one node is there: it waits for minUpdatedAfter, which changes of the leader make longer, by a
 * quarter of it at most each, and never shorter. Without the field it waits on. */
START_TEST(few_updated)
{
    static const char *const texts[] = {"  strategy: {minUpdatedAfter: 4h, unknownAfter: 5m}\n",
                                        "  strategy: {unknownAfter: 5m}\n"};
    uint64_t begin_ns = s.now.mono_ns;

    make_update(0, "u", 2, texts[_i]);
    run(20);
    report(0, 0, "Committed", "HealthPassed");
    for (unsigned i = 0; i < 40 && strcmp(ready_reason(0), "RolledOut") != 0; i++) {
        for (unsigned k = 0; k < 30; k++) {
            run(30);
            ck_assert(strcmp(ready_reason(0), "RolledOut") != 0 || _i == 0);
        }
        if (i == 5 || i == 9)
            lead();
    }
    uint64_t took_s = (s.now.mono_ns - begin_ns) / HF_NS_PER_S;
    if (_i == 0) {
        ck_assert_str_eq(ready_reason(0), "RolledOut");
        ck_assert_uint_ge(took_s, 4 * 3600);
        ck_assert_uint_le(took_s, 6 * 3600 + 1800);
    } else {
        ck_assert_str_eq(ready_reason(0), "FewUpdated");
    }
}
END_TEST

/* Nodes of a fleet that is mostly off come and go, so that the stage lacks nodes, then waits for one, then lacks nodes
 * again. Agents need none of this, so it is written as slowly as counts. */
START_TEST(reasons_are_slow)
{
    make_update(0, "u", 2, "  strategy: {unknownAfter: 5m}\n");
    run(5);
    report(0, 0, "Committed", "HealthPassed");
    run(10 * 60);
    ck_assert_str_eq(ready_reason(0), "FewUpdated");
    unsigned before = s.n_status;
    for (unsigned i = 0; i < 50; i++) {
        report(1, 0, i % 2 == 0 ? "Fetching" : "Waiting", i % 2 == 0 ? "Downloading" : "Held");
        run(4);
    }
    ck_assert_uint_le(s.n_status - before, 21);
    ck_assert_uint_ge(s.n_status - before, 10);
}
END_TEST

/* A node whose site has gone back is neither updated nor failed, though it was updated: it is held by its site. */
START_TEST(a_site_goes_back)
{
    make_update(0, "u", 2, "  strategy: {unknownAfter: 5m}\n");
    run(5);
    for (unsigned i = 0; i < 2; i++)
        report(i, 0, "Committed", "HealthPassed");
    run(60);
    ck_assert_int_eq(number(0, "nodes.updated"), 2);
    for (unsigned i = 0; i < 3; i++) {
        report(0, 0, "Waiting", "HeldBack");
        run(60);
    }
    ck_assert_int_eq(number(0, "nodes.updated"), 1);
    ck_assert_int_eq(number(0, "nodes.failed"), 0);
    ck_assert_int_eq(number(0, "nodes.held"), 1);
    report(0, 0, "Committed", "HealthPassed");
    run(60);
    ck_assert_int_eq(number(0, "nodes.updated"), 2);
}
END_TEST

static unsigned events_of(const char *reason)
{
    unsigned n = 0;

    for (const char *at = s.events; (at = strstr(at, reason)) != NULL; at += strlen(reason))
        n++;
    return n;
}

START_TEST(operator_halts_and_pauses)
{
    make_update(0, "u", 2, plain_waves);
    good_nodes(0, 60, false);
    edit(0, "metadata.annotations", json_pack("{s:s}", HF_ROLLOUT_PAUSED_ANNOTATION, "true"));
    good_nodes(0, 3600, false);
    ck_assert_str_eq(ready_reason(0), "Paused");
    ck_assert_ptr_nonnull(strstr(ready_message(0), "no further stage starts until holdfast rollout resume u"));
    ck_assert_int_eq(number(0, "admission.cutoff"), 0);
    ck_assert(hf_json_bool_or(s.updates[0], "status.admission.canary", false));
    edit(0, "metadata.annotations", json_pack("{s:s}", HF_ROLLOUT_HALTED_ANNOTATION, "smoke"));
    run(5);
    ck_assert_str_eq(ready_reason(0), "HaltedByOperator");
    ck_assert(shows_halted());
    ck_assert(!hf_json_bool_or(s.updates[0], "status.admission.canary", true));
    ck_assert_msg(events_of("RolloutHalted") == 1 && events_of("RolloutResumed") == 0, "%s", s.events);
    lead();
    run(5);
    ck_assert_msg(events_of("RolloutHalted") == 1, "%s", s.events); /* the new leader finds it told */
    edit(0, "metadata.annotations", json_object());
    run(5);
    ck_assert_msg(events_of("RolloutHalted") == 1 && events_of("RolloutResumed") == 1, "%s", s.events);
    ck_assert_int_eq(number(0, "admission.cutoff"), 3000); /* the canary has soaked meanwhile */
}
END_TEST

/* Somebody else writes the status: agents may have seen it, but the leader puts it right and does not believe it. */
START_TEST(edited_status)
{
    make_update(0, "u", 2, plain_waves);
    good_nodes(0, 60, false);
    edit(0, "status.admission.cutoff", json_integer(10000));
    run(5);
    ck_assert_int_eq(number(0, "admission.cutoff"), 0);
    edit(0, "status.rollout.cutoff", json_integer(10000));
    run(5);
    ck_assert_int_eq(number(0, "rollout.cutoff"), 0);
    edit(0, "status", json_object());
    run(5);
    ck_assert_str_eq(phase(0), "CanarySoak");
    ck_assert_int_eq(number(0, "rollout.settledWave"), 0);
    /* a fight costs one write in two seconds */
    unsigned before = s.n_status;
    for (unsigned i = 0; i < 100; i++) {
        edit(0, "status.admission.cutoff", json_integer(10000));
        s.now.mono_ns += SECOND / 10;
        one_plan();
    }
    ck_assert_uint_le(s.n_status - before, 7);
}
END_TEST

static unsigned n_admitted(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < NODES; i++)
        n += is_admitted(i, 0);
    return n;
}

/* Rolled out to three nodes, then to all: they come by stages, too, whatever the agents see meanwhile. */
START_TEST(wider_selector)
{
    make_update(0, "u", 2, "  nodeSelector: {matchLabels: {zone: z0}}\n");
    edit(0, "spec.strategy",
         json_pack("{s:[{s:i, s:s}, {s:i, s:s}]}", "waves", "percent", 20, "soak", "5m", "percent", 100, "soak", "5m"));
    good_nodes(0, 1200, false);
    ck_assert_str_eq(phase(0), "Complete");
    ck_assert_uint_eq(n_admitted(), 4);
    edit(0, "spec.nodeSelector", json_object());
    ck_assert_uint_eq(n_admitted(), 0); /* before the controller has said anything */
    s.fail = -ETIMEDOUT;
    run(1);
    ck_assert_uint_eq(n_admitted(), 0);
    for (unsigned i = 0; i < 60; i++) {
        run(1);
        ck_assert_uint_le(n_admitted(), NODES / 5);
    }
    ck_assert_uint_eq(n_admitted(), NODES / 5);
    ck_assert_str_eq(phase(0), "Wave");
    ck_assert_uint_eq(events_of("RolloutStarted"), 2);
    /* a halt of this release stays */
    edit(0, "spec.strategy.maxFailures", json_integer(0));
    all_admitted(0, "RolledBack", "HealthDeadline");
    run(5);
    ck_assert_str_eq(phase(0), "Halted");
    edit(0, "spec.nodeSelector", json_pack("{s:{s:s}}", "matchLabels", "zone", "z0"));
    run(60);
    ck_assert_str_eq(phase(0), "Halted");
    ck_assert_uint_eq(n_admitted(), 0);
    ck_assert(shows_halted());
}
END_TEST

/* The answer to a write comes after the watch has shown another selector: it is of the rollout before. */
START_TEST(wider_selector_while_a_write_is_out)
{
    struct hf_rollout_plan plan;
    const struct hf_rollout_effect *effect = NULL;

    make_update(0, "u", 2, "  strategy: {waves: [{percent: 20, soak: 5m}, {percent: 100}]}\n");
    good_nodes(0, 10, false);
    s.now.mono_ns += 3600 * SECOND;
    for (unsigned second = 0; effect == NULL && second < 3600; second++) {
        s.now.mono_ns += SECOND;
        ck_assert_int_eq(hf_rollout_engine_plan(s.engine, &s.now, &plan), 0);
        for (size_t i = 0; i < plan.n; i++)
            if (plan.effects[i].kind == HF_ROLLOUT_STATUS)
                effect = &plan.effects[i];
    }
    ck_assert_ptr_nonnull(effect);
    uint64_t id = effect->id;
    ck_assert_int_eq(store(effect), 0);
    _cleanup_(hf_json_freep) json_t *stored = json_incref(s.updates[0]);
    edit(0, "spec.nodeSelector", json_pack("{s:{s:s}}", "matchLabels", "canary", "no"));
    hf_rollout_engine_result(s.engine, id, 0, stored, &s.now);
    run(10);
    ck_assert_uint_eq(n_admitted(), (NODES - 1) / 5);
    ck_assert_uint_eq(events_of("RolloutStarted"), 2);
}
END_TEST

static const char halves[] = "  strategy: {waves: [{percent: 50, soak: 5m}, {percent: 100, soak: 5m}]}\n";

static void annotate(const char *key, const char *value)
{
    edit(0, "metadata.annotations", json_pack("{s:s}", key, value));
}

/* A pause also holds the first stage of a rollout that begins meanwhile. */
START_TEST(paused_before_it_begins)
{
    make_update(0, "u", 2, halves);
    edit(0, "spec.nodeSelector", json_pack("{s:{s:s}}", "matchLabels", "zone", "z0"));
    good_nodes(0, 60, false);
    annotate(HF_ROLLOUT_PAUSED_ANNOTATION, "true");
    good_nodes(0, 1200, false);
    ck_assert_uint_eq(n_admitted(), 2);
    edit(0, "spec.nodeSelector", json_object());
    for (unsigned i = 0; i < 2; i++) {
        good_nodes(0, 1200, false);
        ck_assert_uint_eq(n_admitted(), 0);
        ck_assert_str_eq(ready_reason(0), "Paused");
        lead();
    }
    edit(0, "spec.release.sequence", json_integer(3));
    run(60);
    ck_assert_uint_eq(n_admitted(), 0);
    edit(0, "metadata.annotations", json_object());
    run(5);
    ck_assert_uint_eq(n_admitted(), NODES / 2);
}
END_TEST

START_TEST(paused_before_its_canary)
{
    make_update(0, "u", 2, plain_waves);
    annotate(HF_ROLLOUT_PAUSED_ANNOTATION, "true");
    run(60);
    lead();
    run(1200);
    ck_assert_uint_eq(n_admitted(), 0);
    ck_assert_str_eq(ready_reason(0), "Paused");
    edit(0, "metadata.annotations", json_object());
    run(5);
    ck_assert_uint_eq(n_admitted(), 1);
    annotate(HF_ROLLOUT_PAUSED_ANNOTATION, "true");
    run(60);
    lead();
    run(60);
    ck_assert_uint_eq(n_admitted(), 1); /* takes nothing back */
}
END_TEST

/* What a resume accepted on the nodes of one site is not accepted on those of another. */
START_TEST(forgives_no_other_nodes)
{
    make_update(0, "u", 2, halves);
    edit(0, "spec.nodeSelector", json_pack("{s:{s:s}}", "matchLabels", "zone", "z0"));
    edit(0, "spec.strategy.maxFailures", json_integer(0));
    edit(0, "spec.strategy.progressDeadline", json_string("4h"));
    run(5);
    all_admitted(0, "RolledBack", "HealthDeadline");
    run(5);
    annotate(HF_ROLLOUT_RESUME_ANNOTATION, "a");
    run(5);
    ck_assert_int_eq(number(0, "rollout.forgiven"), 2);
    edit(0, "spec.nodeSelector",
         json_pack("{s:[{s:s, s:s, s:[s]}]}", "matchExpressions", "key", "zone", "operator", "NotIn", "values", "z0"));
    run(60);
    ck_assert_int_eq(number(0, "rollout.forgiven"), 0);
    ck_assert_uint_eq(n_admitted(), (NODES - 4) / 2);
    for (unsigned i = 4; i < NODES; i++)
        if (is_admitted(i, 0)) {
            report(i, 0, "RolledBack", "HealthDeadline");
            break;
        }
    run(60);
    ck_assert_str_eq(phase(0), "Halted");
}
END_TEST

/* The API server drops the field, but this leader knows for which selector it has begun. */
START_TEST(wider_selector_without_the_field)
{
    s.old_kind = true;
    make_update(0, "u", 2, halves);
    edit(0, "spec.nodeSelector", json_pack("{s:{s:s}}", "matchLabels", "zone", "z0"));
    good_nodes(0, 1800, false);
    ck_assert_str_eq(phase(0), "Complete");
    edit(0, "spec.nodeSelector", json_object());
    run(60);
    ck_assert_uint_eq(n_admitted(), NODES / 2);
    ck_assert_uint_eq(events_of("RolloutStarted"), 2);
}
END_TEST

/* A leader takes a rollout over whose admission names no selector: written by hand, or the API server dropped it. */
START_TEST(admission_without_selector)
{
    make_update(0, "u", 2, plain_waves);
    good_nodes(0, 1200, false);
    ck_assert_str_eq(phase(0), "Complete");
    edit(0, "status.admission", json_pack("{s:s, s:i, s:b}", "digest", digest_of(0), "cutoff", 10000, "canary", true));
    s.old_kind = true;
    run(5);
    unsigned before = s.n_status;
    run(60);
    ck_assert_uint_eq(s.n_status, before);
    s.old_kind = false;
    lead();
    run(5);
    ck_assert_str_eq(phase(0), "Complete");
    ck_assert_ptr_nonnull(json_string_value(hf_json_at(s.updates[0], "status.admission.selector")));
    edit(0, "status.admission.selector", json_string("0123456789abcdef"));
    run(5);
    ck_assert_uint_eq(n_admitted(), NODES); /* edited by somebody: put right */
    ck_assert_uint_eq(events_of("RolloutStarted"), 1);
}
END_TEST

/* The object carries a higher epoch: another process leads, and this one writes nothing. */
START_TEST(deposed)
{
    make_update(0, "u", 2, plain_waves);
    good_nodes(0, 60, false);
    edit(0, "status.rollout.epoch", json_integer(99));
    unsigned before = s.n_status;
    all_admitted(0, "RolledBack", "HealthDeadline");
    run(600);
    ck_assert_uint_eq(s.n_status, before);
}
END_TEST

/* A write of unknown outcome is neither lost nor done twice, whether it was written or not. */
START_TEST(unknown_outcomes)
{
    static const unsigned want[] = {0, 3000, 10000};

    make_update(0, "u", 2, plain_waves);
    for (unsigned i = 0; i < 5 * 60; i++) {
        s.fail = i % 3 == 0 ? -ETIMEDOUT : i % 3 == 1 ? -ESTALE : 0;
        good_nodes(0, 10, false);
    }
    s.fail = 0;
    good_nodes(0, 600, false);
    ck_assert_str_eq(phase(0), "Complete");
    ck_assert_uint_eq(s.n_cutoffs, HF_LEN(want));
}
END_TEST

START_TEST(deleted_and_made_again)
{
    make_update(0, "u", 2, plain_waves);
    good_nodes(0, 7 * 60, false);
    ck_assert_int_eq(number(0, "admission.cutoff"), 3000);
    hf_rollout_engine_drop_update(s.engine, "u", &s.now);
    run(5);
    s.n_cutoffs = 0;
    make_update(0, "u", 2, plain_waves);
    run(5);
    ck_assert_int_eq(number(0, "admission.cutoff"), 0); /* from the canary on, although the digest is the same */
    good_nodes(0, 40 * 60, false);
    ck_assert_str_eq(phase(0), "Complete");
}
END_TEST

START_TEST(labels_and_nodes_change)
{
    make_update(0, "u", 2, plain_waves);
    edit(0, "spec.nodeSelector", json_pack("{s:{s:s}}", "matchLabels", "zone", "z0"));
    run(5);
    ck_assert_int_eq(number(0, "nodes.selected"), 4);
    put_node(9, "z0", true); /* joins as a canary */
    run(15);
    ck_assert_int_eq(number(0, "nodes.selected"), 5);
    ck_assert_int_eq(number(0, "nodes.admitted"), 2);
    hf_rollout_engine_drop_node(s.engine, "n9", &s.now);
    run(15);
    ck_assert_int_eq(number(0, "nodes.selected"), 4);
    put_node(9, "z0", true);
    run(15);
    ck_assert_int_eq(number(0, "nodes.selected"), 5);
    edit(0, "spec.nodeSelector", json_pack("{s:{s:s}}", "matchLabels", "zone", "nowhere"));
    run(3600);
    ck_assert_str_eq(ready_reason(0), "NoNodesSelected");
    ck_assert_int_eq(number(0, "admission.cutoff"), 0); /* who joins later still meets the canary first */
}
END_TEST

/* Half of three nodes is one, whatever their slots are: also under the next leader, and when nodes come and go. */
START_TEST(half_of_three_nodes)
{
    char admitted[3], again[3];

    make_update(0, "u", 2 + _i, "  strategy: {waves: [{percent: 50, soak: 1h}, {percent: 100}]}\n");
    for (unsigned i = 10; i < 13; i++)
        put_node(i, "three", false);
    edit(0, "spec.nodeSelector", json_pack("{s:{s:s}}", "matchLabels", "zone", "three"));
    run(5);
    ck_assert_int_eq(number(0, "nodes.selected"), 3);
    ck_assert_int_eq(number(0, "nodes.admitted"), 1);
    ck_assert_int_eq(number(0, "rollout.cutoff"), 5000);
    ck_assert_int_eq(number(0, "rollout.slots"), number(0, "admission.cutoff"));
    for (unsigned i = 0; i < 3; i++)
        admitted[i] = is_admitted(10 + i, 0);
    ck_assert_int_eq(admitted[0] + admitted[1] + admitted[2], 1);
    lead();
    for (unsigned i = 0; i < 3; i++)
        put_node(13 + i, "three", false);
    run(30);
    for (unsigned i = 0; i < 3; i++)
        again[i] = is_admitted(10 + i, 0);
    ck_assert_mem_eq(again, admitted, sizeof(admitted));
}
END_TEST

START_TEST(list_of_waves_changes)
{
    make_update(0, "u", 2, plain_waves);
    good_nodes(0, 7 * 60, false);
    ck_assert_int_eq(number(0, "admission.cutoff"), 3000);
    edit(0, "spec.strategy.waves",
         json_pack("[{s:i, s:s}, {s:i}, {s:i}]", "percent", 10, "soak", "5m", "percent", 60, "percent", 100));
    run(2);
    ck_assert_int_eq(number(0, "admission.cutoff"), 3000);
    good_nodes(0, 20 * 60, false);
    /* Two of the nodes have slots from 3000 to 6927, and the share of 60 % has both. */
    static const unsigned want[] = {0, 3000, 6928, 10000};
    ck_assert_uint_eq(s.n_cutoffs, HF_LEN(want));
    for (size_t i = 0; i < HF_LEN(want); i++)
        ck_assert_uint_eq(s.cutoffs[i], want[i]);
}
END_TEST

START_TEST(refused_object)
{
    make_update(0, "u", 2, plain_waves);
    good_nodes(0, 7 * 60, false);
    json_t *waves = json_deep_copy(hf_json_at(s.updates[0], "spec.strategy.waves"));
    edit(0, "spec.strategy.waves", json_pack("[{s:i}, {s:i}]", "percent", 50, "percent", 20));
    run(5);
    ck_assert_str_eq(ready_reason(0), "ObjectRefused");
    ck_assert_int_eq(number(0, "rollout.cutoff"), 3000); /* the rollout is not forgotten */
    edit(0, "spec.strategy.waves", waves);
    run(5);
    ck_assert_int_eq(number(0, "admission.cutoff"), 3000);
    good_nodes(0, 20 * 60, false);
    ck_assert_str_eq(phase(0), "Complete");
}
END_TEST

/* Two EdgeUpdates of one release name: the higher sequence takes the nodes that it admits. */
START_TEST(one_release_name_twice)
{
    make_update(0, "old", 2, "");
    make_update(1, "new", 3, plain_waves);
    for (unsigned i = 1; i < NODES; i++)
        report(i, 0, "Committed", "HealthPassed");
    report(0, 1, "Committed", "HealthPassed"); /* the canary has taken the new one */
    run(30);
    ck_assert_int_eq(number(0, "nodes.superseded"), 1);
    ck_assert_int_eq(number(0, "nodes.updated"), NODES - 1);
    ck_assert_int_eq(number(1, "nodes.updated"), 1);
    ck_assert_str_eq(ready_reason(0), "RolledOut");
    hf_rollout_engine_drop_update(s.engine, "new", &s.now);
    run(30);
    ck_assert_int_eq(number(0, "nodes.superseded"), 0);
}
END_TEST

/* An EdgeUpdate of the same release name with a higher sequence, for every node. As long as no node reports its digest,
 * because the nodes do not accept its signatures, it excuses none of them. */
START_TEST(rival_that_nodes_refuse)
{
    make_update(0, "u", 2, plain_waves);
    make_update(1, "rival", 9, "");
    run(20 * 60);
    ck_assert_int_eq(number(0, "admission.cutoff"), 0);
    ck_assert_int_eq(number(0, "nodes.superseded"), 0);
    ck_assert_str_eq(phase(0), "Canary");
    if (_i == 0) {
        report(0, 0, "RolledBack", "HealthDeadline");
        run(5);
        ck_assert_str_eq(ready_reason(0), "StageFailed");
    } else {
        report(0, 0, "Committed", "HealthPassed");
        run(8 * 60);
        ck_assert_int_eq(number(0, "admission.cutoff"), 3000);
        all_admitted(0, "RolledBack", "HealthDeadline");
        run(5);
        ck_assert_str_eq(ready_reason(0), "TooManyFailures");
    }
    ck_assert_str_eq(phase(0), "Halted");
    run(20 * 60);
    ck_assert_int_eq(number(0, "rollout.cutoff"), _i == 0 ? 0 : 3000);
    for (unsigned i = 0; i < NODES; i++) /* nodes that accept it */
        report(i, 1, i < 10 ? "Waiting" : "Fetching", "Downloading");
    run(15);
    ck_assert_int_eq(number(0, "nodes.superseded"), NODES);
}
END_TEST

START_TEST(without_strategy_it_only_counts)
{
    make_update(0, "u", 2, "");
    run(3);
    ck_assert_str_eq(ready_reason(0), "Progressing");
    for (unsigned i = 0; i < NODES; i++)
        report(i, 0, "Committed", "HealthPassed");
    run(12);
    ck_assert_str_eq(ready_reason(0), "RolledOut");
    ck_assert_ptr_null(hf_json_at(s.updates[0], "status.admission"));
    ck_assert_ptr_null(hf_json_at(s.updates[0], "status.rollout"));
    report(3, 0, "RolledBack", "HealthDeadline");
    run(2);
    ck_assert_str_eq(ready_reason(0), "NodesFailed"); /* a condition goes out at once */
}
END_TEST

/* Plans once and stores the writes of this kind; the caller gives the engine the result of the last one. */
static uint64_t plan_and_store(enum hf_rollout_effect_kind kind)
{
    struct hf_rollout_plan plan;
    uint64_t id = 0;

    ck_assert_int_eq(hf_rollout_engine_plan(s.engine, &s.now, &plan), 0);
    for (size_t i = 0; i < plan.n; i++) {
        if (plan.effects[i].kind == kind) {
            id = plan.effects[i].id;
            ck_assert_int_eq(store(&plan.effects[i]), 0);
        } else if (plan.effects[i].kind != HF_ROLLOUT_EVENT) {
            do_write(&plan.effects[i]);
        }
    }
    ck_assert_uint_ne(id, 0);
    return id;
}

static json_t *copy_at(unsigned u, const char *path)
{
    return json_deep_copy(hf_json_at(s.updates[u], path));
}

/* A strategy that was removed and comes back begins with the canary: the nodes that it left to the release meanwhile
 * are no evidence of the stages before. The second time the answer of the last write without a strategy is late. */
START_TEST(strategy_comes_back)
{
    make_update(0, "u", 2, plain_waves);
    good_nodes(0, 7 * 60, false);
    ck_assert_int_eq(number(0, "admission.cutoff"), 3000);
    json_t *strategy = copy_at(0, "spec.strategy"), *spec = copy_at(0, "spec");
    ck_assert_int_eq(json_object_del(spec, "strategy"), 0);
    edit(0, "spec", spec);
    if (_i == 0) {
        run(30);
        ck_assert_ptr_null(hf_json_at(s.updates[0], "status.rollout"));
        edit(0, "spec.strategy", strategy);
    } else {
        s.now.mono_ns += 10 * SECOND;
        uint64_t id = plan_and_store(HF_ROLLOUT_STATUS);
        json_t *written = json_incref(s.updates[0]);
        edit(0, "spec.strategy", strategy);
        hf_rollout_engine_result(s.engine, id, 0, written, &s.now);
        json_decref(written);
    }
    s.n_cutoffs = 0;
    run(15);
    ck_assert_str_eq(phase(0), "CanarySoak");
    ck_assert_str_eq(hf_json_str_or(s.updates[0], "status.admission.digest", ""), digest_of(0));
    good_nodes(0, 40 * 60, false);
    ck_assert_str_eq(phase(0), "Complete");
    ck_assert(s.n_cutoffs == 3 && s.cutoffs[0] == 0 && s.cutoffs[1] == 3000 && s.cutoffs[2] == 10000);
}
END_TEST

/* Counts alone are written at most once in 10 s. */
START_TEST(counts_are_slow)
{
    make_update(0, "u", 2, "");
    run(3);
    unsigned before = s.n_status;
    for (unsigned i = 0; i < NODES - 1; i++) {
        report(i, 0, "Committed", "HealthPassed");
        run(2);
    }
    ck_assert_uint_le(s.n_status - before, 4);
    ck_assert_uint_ge(s.n_status - before, 3);
}
END_TEST

/* While a watch is broken nobody is silent, and the time is no soak. */
START_TEST(blind)
{
    make_update(0, "u", 2, plain_waves);
    good_nodes(0, 60, false);
    ck_assert_str_eq(phase(0), "CanarySoak");
    hf_rollout_engine_watch(s.engine, HF_ROLLOUT_EDGENODES, false);
    unsigned before = s.n_status;
    run(3600);
    ck_assert_uint_eq(s.n_status, before);
    hf_rollout_engine_watch(s.engine, HF_ROLLOUT_EDGENODES, true);
    run(30);
    ck_assert_str_eq(phase(0), "CanarySoak");
    s.now.mono_ns += 3600 * SECOND; /* the process was stopped for an hour: at most a minute of it counts */
    run(1);
    ck_assert_str_eq(phase(0), "CanarySoak");
}
END_TEST

START_TEST(long_words_are_cut)
{
    make_update(0, "u", 2, "");
    json_t *message = json_object();
    char *text = malloc(10 << 20);
    memset(text, 'x', 10 << 20);
    text[(10 << 20) - 1] = '\0';
    report(1, 0, "RolledBack", "HealthDeadline");
    ck_assert_int_eq(
        json_object_set_new(hf_json_mutable(json_array_get(hf_json_at(s.edgenodes[1], "status.updates"), 0)), "message",
                            json_string(text)),
        0);
    ck_assert_int_eq(hf_json_put(s.edgenodes[1], "status.sequence", json_integer((int)++s.sequences[1])), 0);
    bump(s.edgenodes[1]);
    show_node(1);
    run(5);
    char *said = json_dumps(json_object_get(s.updates[0], "status"), 0);
    ck_assert_ptr_nonnull(strstr(said, "xxx"));
    ck_assert_uint_lt(strlen(said), 3000);
    free(said);
    free(text);
    json_decref(message);
}
END_TEST

/* A text of two-byte characters behind `ascii` letters: a cut at a fixed length meets the middle of one of them. */
static const char *cyrillic(unsigned ascii, size_t length)
{
    static char text[1024];
    size_t n = 0;

    while (n < ascii)
        text[n++] = 'x';
    while (n + 2 <= length) {
        text[n++] = '\xd0';
        text[n++] = '\xb6';
    }
    text[n] = '\0';
    return text;
}

/* Neither a node's words nor an operator's may keep the status from being written, wherever they are cut. */
START_TEST(words_are_cut_between_characters)
{
    make_update(0, "u", 2, "  strategy: {maxFailures: 0}\n");
    make_update(1, "z", 2, "");
    run(5);
    for (unsigned i = 0; i < 6; i++)
        report(i, 0, "RolledBack", cyrillic((unsigned)_i, 120));
    run(5);
    ck_assert_str_eq(phase(0), "Halted");
    ck_assert_str_eq(ready_reason(0), "TooManyFailures");
    edit(0, "metadata.annotations", json_pack("{s:s}", HF_ROLLOUT_RESUME_ANNOTATION, cyrillic((unsigned)_i, 600)));
    run(5);
    ck_assert_str_eq(phase(0), "Wave");
    edit(0, "metadata.annotations", json_pack("{s:s}", HF_ROLLOUT_HALTED_ANNOTATION, cyrillic((unsigned)_i, 600)));
    run(5);
    ck_assert_str_eq(ready_reason(0), "HaltedByOperator");
    ck_assert(!hf_json_bool_or(s.updates[0], "status.admission.canary", true));
    ck_assert_int_eq(number(0, "admission.cutoff"), 0);
}
END_TEST

/* ---- turns ------------------------------------------------------------------------------------------------------- */

static unsigned turns_of(unsigned i)
{
    return (unsigned)json_array_size(hf_json_at(s.edgenodes[i], "spec.turns"));
}

static unsigned turns_in(unsigned zone)
{
    unsigned n = 0;

    for (unsigned i = 0; i < 4; i++)
        n += turns_of(4 * zone + i);
    return n;
}

static unsigned holder_in(unsigned zone)
{
    for (unsigned i = 4 * zone; i < 4 * zone + 4; i++)
        if (turns_of(i) > 0)
            return i;
    ck_abort_msg("no node of zone %u has a turn", zone);
}

static const char *ready_of_node(unsigned i)
{
    return hf_json_str_or(json_array_get(hf_json_at(s.edgenodes[i], "status.conditions"), 0), "reason", "");
}

START_TEST(one_turn_in_each_zone)
{
    make_update(0, "u", 2, site_turns);
    run(5);
    all_admitted(0, "Verified", "TurnPending");
    for (unsigned round = 0; round < 4; round++) {
        run(5);
        for (unsigned zone = 0; zone < NODES / 4; zone++) {
            ck_assert_uint_eq(turns_in(zone), 1);
            report(holder_in(zone), 0, round == 1 ? "RolledBack" : "Committed", "x");
        }
    }
    run(5);
    for (unsigned zone = 0; zone < NODES / 4; zone++)
        ck_assert_uint_eq(turns_in(zone), 0);
}
END_TEST

/* A node whose disk was replaced under its old name needs a turn again; a repair needs none. */
START_TEST(reimaged_node_gets_a_turn)
{
    make_update(0, "u", 2, site_turns);
    run(5);
    for (unsigned i = 0; i < NODES; i++)
        report(i, 0, "Committed", "HealthPassed");
    run(15);
    report(5, 0, "Fetching", "Downloading");
    run(15);
    ck_assert_int_eq(number(0, "nodes.updated"), NODES);
    ck_assert_uint_eq(turns_of(5), 0);
    report(5, 0, _i == 0 ? "Verified" : "Waiting", _i == 0 ? "TurnPending" : "WindowClosed");
    run(15);
    ck_assert_int_eq(number(0, "nodes.updated"), NODES - 1);
    report(5, 0, "Verified", "TurnPending");
    run(15);
    ck_assert_uint_eq(turns_of(5), 1);
    report(5, 0, "Committed", "HealthPassed");
    run(15);
    ck_assert_uint_eq(turns_of(5), 0);
    ck_assert_int_eq(number(0, "nodes.updated"), NODES);
    hf_rollout_engine_drop_edgenode(s.engine, "n5", &s.now); /* an operator deletes the EdgeNode */
    run(15);
    ck_assert_int_eq(number(0, "nodes.updated"), NODES - 1);
}
END_TEST

/* A node that cannot go on is named with its reason until it gets beyond the download. */
START_TEST(a_node_in_trouble_is_named)
{
    make_update(0, "u", 2, plain_waves);
    run(5);
    report(0, 0, "Waiting", "DownloadFailed");
    run(60);
    ck_assert_str_eq(hf_json_str_or(s.updates[0], "status.rollout.trouble.node", ""), "n0");
    ck_assert_str_eq(hf_json_str_or(s.updates[0], "status.rollout.trouble.reason", ""), "DownloadFailed");
    report(0, 0, "Fetching", "Downloading");
    run(60);
    ck_assert_str_eq(hf_json_str_or(s.updates[0], "status.rollout.trouble.reason", ""), "DownloadFailed");
    report(0, 0, "Waiting", "Held");
    run(60);
    ck_assert_ptr_null(hf_json_at(s.updates[0], "status.rollout.trouble"));
    ck_assert_int_eq(number(0, "nodes.unknown"), 1);
    ck_assert_int_eq(number(0, "nodes.held"), 1);
    report(0, 0, "Patching", "DeltaUnusable");
    report(0, 0, "Probation", "HealthPending");
    run(60);
    ck_assert_ptr_null(hf_json_at(s.updates[0], "status.rollout.trouble"));
    ck_assert_int_eq(number(0, "nodes.held"), 0);
}
END_TEST

/* A node that has its turn and never begins to swap fails after progressDeadline; those that wait for it do not. */
START_TEST(turn_without_progress)
{
    make_update(0, "u", 2, "  strategy: {maxFailures: 100%, progressDeadline: 1h, disruption: {groupBy: zone}}\n");
    run(5);
    for (unsigned minute = 0; minute < 130; minute += 5) {
        all_admitted(0, "Verified", "TurnPending");
        run(5 * 60);
    }
    ck_assert_int_eq(number(0, "nodes.failed"), NODES / 4);
    ck_assert_str_eq(hf_json_str_or(json_array_get(hf_json_at(s.updates[0], "status.failures"), 0), "reason", ""),
                     "ProgressDeadline");
    for (unsigned zone = 0; zone < NODES / 4; zone++)
        ck_assert_uint_eq(turns_in(zone), 1);
}
END_TEST

START_TEST(silent_holder_keeps_its_turn)
{
    make_update(0, "u", 2, site_turns);
    run(5);
    all_admitted(0, "Verified", "TurnPending");
    run(5);
    unsigned holder = holder_in(0);
    for (unsigned minute = 0; minute < 60; minute++) {
        for (unsigned i = 0; i < NODES; i++)
            if (i != holder)
                report(i, 0, turns_of(i) > 0 || i >= 4 ? "Committed" : "Verified", "TurnPending");
        run(60);
    }
    ck_assert_uint_eq(turns_in(0), 1);
    ck_assert_uint_eq(turns_of(holder), 1);
    ck_assert_str_eq(json_string_value(json_array_get(hf_json_at(s.updates[0], "status.rollout.waitingFor"), 0)),
                     name_of(holder));
    ck_assert_ptr_nonnull(strstr(s.events, "TurnHeld"));
    json_t *copy = json_deep_copy(s.edgenodes[holder]);
    ck_assert_int_eq(json_object_set_new(json_object_get(copy, "metadata"), "annotations",
                                         json_pack("{s:s}", "edge.codcompass.io/free-turn", digest_of(0))),
                     0);
    bump(copy);
    json_decref(s.edgenodes[holder]);
    s.edgenodes[holder] = copy;
    show_node(holder);
    run(10);
    ck_assert_uint_eq(turns_of(holder), 0);
    ck_assert_uint_eq(turns_in(0), 1); /* another node of the zone */
}
END_TEST

/* Its agent has dropped the release: a label or another nodeSelector excludes it. */
static void report_none(unsigned i)
{
    json_t *old = s.edgenodes[i];
    json_t *json = json_pack("{s:{s:s}, s:O, s:{s:i, s:{s:s}, s:[]}}", "metadata", "name", name_of(i), "spec",
                             json_object_get(old, "spec"), "status", "sequence", (int)++s.sequences[i], "policy",
                             "interval", node_interval, "updates");

    bump(json);
    s.edgenodes[i] = json;
    show_node(i);
    json_decref(old);
}

START_TEST(holder_is_left_out)
{
    make_update(0, "u", 2, site_turns);
    run(5);
    all_admitted(0, "Verified", "TurnPending");
    run(5);
    unsigned holder = holder_in(0);
    put_node(holder, "z0", true);
    edit(0, "spec.nodeSelector", json_pack("{s:{s:s}}", "matchLabels", "canary", "no"));
    run(60);
    ck_assert_uint_eq(turns_of(holder), 1); /* it may be about to swap */
    report_none(holder);
    run(60);
    ck_assert_uint_eq(turns_of(holder), 0);
    ck_assert_uint_eq(turns_in(0), 1); /* another node of the zone */
}
END_TEST

/* The rollout begins anew, and the holder waits for its stage, while a canary of its zone waits for the turn. */
START_TEST(holder_waits_for_its_stage)
{
    make_update(0, "u", 2, site_turns);
    edit(0, "spec.strategy.waves", json_pack("[{s:i}]", "percent", 100));
    edit(0, "spec.nodeSelector", json_pack("{s:{s:s}}", "matchLabels", "canary", "no"));
    run(5);
    all_admitted(0, "Verified", "TurnPending");
    run(5);
    unsigned holder = holder_in(0);
    ck_assert_uint_ne(holder, 0); /* the canary */
    edit(0, "spec.nodeSelector", json_object());
    edit(0, "spec.strategy.canary",
         json_pack("{s:{s:{s:s}}, s:s}", "nodeSelector", "matchLabels", "canary", "yes", "soak", "1m"));
    run(5);
    report(0, 0, "Verified", "TurnPending");
    run(60);
    ck_assert_uint_eq(turns_of(holder), 1); /* it may be about to swap */
    report(holder, 0, "Verified", "NotAdmitted");
    run(60);
    ck_assert_uint_eq(turns_of(holder), 0);
    ck_assert_uint_eq(turns_of(0), 1);
    report(0, 0, "Committed", "HealthPassed");
    run(120);
    ck_assert_str_eq(phase(0), "Wave");
    report(holder, 0, "Verified", "TurnPending");
    run(60);
    ck_assert_uint_eq(turns_in(0), 1);
}
END_TEST

/* {last phase of the holder, minutes of its silence}: a turn that an operator freed is not the holder's again, nor does
 * what it said last keep its group waiting. */
static const struct {
    const char *phase, *reason, *interval;
    unsigned minutes;
} last_words[] = {{"Verified", "TurnPending", "5m", 20},
                  {"Swapping", "x", "5m", 20},
                  {"Probation", "x", "5m", 60},
                  {"Swapping", "x", "18h", 40}};

START_TEST(freed_while_it_swaps)
{
    make_update(0, "u", 2, site_turns);
    run(5);
    all_admitted(0, "Verified", "TurnPending");
    run(5);
    unsigned holder = holder_in(0);
    node_interval = last_words[_i].interval;
    report(holder, 0, last_words[_i].phase, last_words[_i].reason);
    node_interval = "5m";
    for (unsigned minute = 0; minute < last_words[_i].minutes; minute++) {
        for (unsigned i = 0; i < 4; i++)
            if (i != holder)
                report(i, 0, "Verified", "TurnPending");
        run(60);
    }
    ck_assert(turns_in(0) == 1 && turns_of(holder) == 1);
    json_t *copy = json_deep_copy(s.edgenodes[holder]);
    ck_assert_int_eq(json_object_set_new(json_object_get(copy, "metadata"), "annotations",
                                         json_pack("{s:s}", "edge.codcompass.io/free-turn", digest_of(0))),
                     0);
    bump(copy);
    json_decref(s.edgenodes[holder]);
    s.edgenodes[holder] = copy;
    show_node(holder);
    for (unsigned i = 0; i < 30; i++) {
        run(10);
        ck_assert_uint_le(turns_in(0), 1);
        ck_assert_msg(turns_of(holder) == 0, "the holder has its turn again after %u s", 10 * i);
    }
    ck_assert_uint_eq(turns_in(0), 1);
}
END_TEST

/* A new leader writes its epoch into every unfinished node of a zone before it gives a turn there. */
START_TEST(fences_before_it_gives)
{
    make_update(0, "u", 2, site_turns);
    run(5);
    all_admitted(0, "Fetching", "Downloading");
    report(0, 0, "Verified", "TurnPending");
    struct hf_rollout_plan plan;
    bool given = false;
    for (unsigned i = 0; i < 20 && !given; i++) {
        ck_assert_int_eq(hf_rollout_engine_plan(s.engine, &s.now, &plan), 0);
        for (size_t k = 0; k < plan.n; k++) {
            if (plan.effects[k].kind == HF_ROLLOUT_TURNS &&
                json_array_size(hf_json_at(plan.effects[k].body, "spec.turns")) > 0) {
                given = true;
                for (unsigned n = 0; n < 4; n++)
                    ck_assert_int_eq(hf_json_int_or(s.edgenodes[n], "spec.epoch", 0), (int64_t)s.epoch);
            }
            if (plan.effects[k].kind != HF_ROLLOUT_EVENT)
                do_write(&plan.effects[k]);
        }
        s.now.mono_ns += SECOND;
    }
    ck_assert(given);
}
END_TEST

/* A grant whose answer is lost counts as given, until the object shows the truth. */
START_TEST(doubtful_turns_count)
{
    make_update(0, "u", 2, site_turns);
    run(5);
    all_admitted(0, "Verified", "TurnPending");
    for (unsigned i = 0; i < 40; i++) { /* all writes but the epochs are lost */
        struct hf_rollout_plan plan;
        unsigned given = 0;
        ck_assert_int_eq(hf_rollout_engine_plan(s.engine, &s.now, &plan), 0);
        for (size_t k = 0; k < plan.n; k++) {
            bool gives = plan.effects[k].kind == HF_ROLLOUT_TURNS &&
                         json_array_size(hf_json_at(plan.effects[k].body, "spec.turns")) > 0;
            given += gives;
            s.fail = gives ? -ETIMEDOUT : 0;
            if (plan.effects[k].kind != HF_ROLLOUT_EVENT)
                do_write(&plan.effects[k]);
        }
        ck_assert_uint_le(given, NODES / 4);
        s.now.mono_ns += SECOND;
    }
    run(10);
    for (unsigned zone = 0; zone < NODES / 4; zone++)
        ck_assert_uint_eq(turns_in(zone), 1);
}
END_TEST

static const char *waiting_for(unsigned u)
{
    const char *name = json_string_value(json_array_get(hf_json_at(s.updates[u], "status.rollout.waitingFor"), 0));

    return name != NULL ? name : "";
}

static void free_turn(unsigned node, const char *digest)
{
    json_t *copy = json_deep_copy(s.edgenodes[node]);

    ck_assert_int_eq(json_object_set_new(json_object_get(copy, "metadata"), "annotations",
                                         json_pack("{s:s}", HF_FLEET_FREE_ANNOTATION, digest)),
                     0);
    bump(copy);
    json_decref(s.edgenodes[node]);
    s.edgenodes[node] = copy;
    show_node(node);
}

/* An operator has freed the turn of a node that becomes silent. The mark of the silent node does not delay this, not
 * even if the watch shows the mark before the answer to that write comes. */
START_TEST(freed_after_a_mark)
{
    s.watch_first = _i % 2 == 1;
    make_update(0, "u", 2, site_turns);
    run(5);
    all_admitted(0, "Verified", "TurnPending");
    run(5 + (uint64_t)_i / 2);
    unsigned holder = holder_in(0);
    report(holder, 0, "Swapping", "x");
    free_turn(holder, digest_of(0));
    for (unsigned i = 0; i < 3600 && s.n_silent == 0; i++) {
        for (unsigned k = 0; k < NODES; k++)
            if (k != holder && i % 60 == 30)
                report(k, 0, "Verified", "TurnPending");
        run(1);
    }
    run(15);
    ck_assert_uint_eq(turns_of(holder), 0);
}
END_TEST

/* The node that keeps zone 0 waiting is dead: 0: it holds the turn of the release before; 1: it has begun to swap that
 * release, and has no turn; 2: that release has no EdgeUpdate of its name any more. The rollout that waits names it. */
START_TEST(names_the_holder_of_an_earlier_turn)
{
    char digest[65];

    make_update(0, "u", 2, site_turns);
    run(5);
    all_admitted(0, "Verified", "TurnPending");
    run(5);
    unsigned holder = holder_in(0);
    memcpy(digest, digest_of(0), sizeof(digest));
    if (_i == 1) {
        ck_assert_int_eq(hf_json_put(s.edgenodes[holder], "spec.turns", json_array()), 0);
        report(holder, 0, "Swapping", "x");
    }
    edit(0, _i == 2 ? "spec.release.name" : "spec.release.sequence", _i == 2 ? json_string("other") : json_integer(3));
    s.events[0] = '\0';
    for (unsigned minute = 0; minute < 60; minute++) {
        for (unsigned i = 0; i < NODES; i++)
            if (i != holder)
                report(i, 0, i >= 4 ? "Committed" : "Verified", "TurnPending");
        run(60);
    }
    ck_assert_str_eq(waiting_for(0), name_of(holder));
    ck_assert_msg(events_of("TurnHeld") == 1, "%s", s.events);
    free_turn(holder, digest);
    run(10);
    ck_assert_str_eq(waiting_for(0), "");
    ck_assert(turns_in(0) == 1 && turns_of(holder) == 0);
}
END_TEST

/* Nobody waits for a turn: a node that swaps and is silent is in nobody's way. */
START_TEST(silent_swap_without_groups)
{
    make_update(0, "u", 2, _i == 0 ? plain_waves : site_turns);
    run(5);
    report(0, 0, "Swapping", "x");
    run(3600);
    ck_assert_str_eq(waiting_for(0), "");
    ck_assert_uint_eq(events_of("TurnHeld"), 0);
}
END_TEST

static bool gives(const struct hf_rollout_effect *effect)
{
    return effect->kind == HF_ROLLOUT_TURNS && json_array_size(hf_json_at(effect->body, "spec.turns")) > 0;
}

/* Runs, and lets each write that gives a turn to this node end with `r` without being done. Returns their number. */
static unsigned run_with_failing_turns(uint64_t seconds, unsigned node, int r)
{
    struct hf_rollout_plan plan;
    unsigned n = 0;

    for (uint64_t i = 0; i < seconds; i++) {
        ck_assert_int_eq(hf_rollout_engine_plan(s.engine, &s.now, &plan), 0);
        for (size_t k = 0; k < plan.n; k++) {
            const struct hf_rollout_effect *effect = &plan.effects[k];
            s.n_silent += effect->kind == HF_ROLLOUT_SILENT;
            if (effect->kind == HF_ROLLOUT_EVENT || effect->kind == HF_ROLLOUT_COLLECT)
                continue;
            s.fail = gives(effect) && strcmp(effect->name, name_of(node)) == 0 ? r : 0;
            n += s.fail != 0;
            do_write(effect);
        }
        s.now.mono_ns += SECOND;
        s.now.unix_ns += SECOND;
    }
    return n;
}

static const char short_unknown[] = "  strategy: {maxFailures: 100%, unknownAfter: 5m, disruption: {groupBy: zone}}\n";

/* Which node of zone 0 gets the first turn: it has the lowest slot. */
static unsigned first_in_line(const char *strategy)
{
    make_update(0, "u", 2, strategy);
    run(5);
    all_admitted(0, "Verified", "TurnPending");
    run(5);
    unsigned first = holder_in(0);
    for (unsigned i = 0; i < NODES; i++) {
        hf_rollout_engine_drop_edgenode(s.engine, name_of(i), &s.now);
        json_decref(s.edgenodes[i]);
        s.edgenodes[i] = NULL;
    }
    run(1);
    for (unsigned i = 0; i < NODES; i++)
        report(i, 0, "Verified", "TurnPending");
    return first;
}

static void others_report(unsigned silent, uint64_t seconds)
{
    for (uint64_t i = 0; i < seconds; i += 30) {
        for (unsigned n = 0; n < 4; n++)
            if (n != silent)
                report(n, 0, "Verified", "TurnPending");
        run(30);
    }
}

/* The answers to a node's turn are lost, and then the node is away. Its group goes on when a minute of working watches
 * has not shown the turn; a minute without sight shows nothing. */
START_TEST(doubts_end)
{
    unsigned first = first_in_line(short_unknown);

    ck_assert_uint_gt(run_with_failing_turns(200, first, -ETIMEDOUT), 10);
    for (unsigned n = 0; n < 4; n++)
        if (n != first)
            report(n, 0, "Verified", "TurnPending");
    (void)run_with_failing_turns(105, first, -ETIMEDOUT); /* now it is away, and nobody repeats the write */
    ck_assert_uint_eq(turns_in(0), 0);
    if (_i == 1) {
        hf_rollout_engine_watch(s.engine, HF_ROLLOUT_EDGENODES, false);
        run(120);
        hf_rollout_engine_watch(s.engine, HF_ROLLOUT_EDGENODES, true);
        others_report(first, 30);
        ck_assert_uint_eq(turns_in(0), 0);
    }
    others_report(first, 120);
    ck_assert(turns_in(0) == 1 && turns_of(first) == 0);
}
END_TEST

/* The server refuses the turn of one node, or the process did not send it: that is no doubt. */
START_TEST(refused_turns)
{
    static const int results[] = {-EACCES, -EBADMSG, -ECANCELED};
    unsigned first = first_in_line(site_turns), n;

    n = run_with_failing_turns(30, first, results[_i]);
    ck_assert(results[_i] == -ECANCELED ? n > 20 && turns_in(0) == 0 : n == 1 && turns_in(0) == 1);
    run(5);
    ck_assert_uint_eq(turns_in(0), 1);
    ck_assert_uint_eq(turns_of(first), results[_i] == -ECANCELED);
}
END_TEST

/* The node reports while its turn is on its way: the write meets a conflict, and the engine decides again at once, on
 * the new version. With `_i` = 1, the answer is lost, and the release is halted: nothing is left to repeat. */
START_TEST(conflict_after_a_report)
{
    struct hf_rollout_plan plan;
    unsigned first = first_in_line(site_turns);
    uint64_t id = 0;

    for (unsigned i = 0; i < 5 && id == 0; i++) {
        ck_assert_int_eq(hf_rollout_engine_plan(s.engine, &s.now, &plan), 0);
        for (size_t k = 0; k < plan.n; k++)
            if (gives(&plan.effects[k]) && strcmp(plan.effects[k].name, name_of(first)) == 0)
                id = plan.effects[k].id;
            else if (plan.effects[k].kind != HF_ROLLOUT_EVENT)
                do_write(&plan.effects[k]);
    }
    report(first, 0, "Verified", "TurnPending");
    if (_i == 1)
        edit(0, "metadata.annotations", json_pack("{s:s}", HF_ROLLOUT_HALTED_ANNOTATION, "x"));
    hf_rollout_engine_result(s.engine, id, _i == 0 ? -ESTALE : -ETIMEDOUT, NULL, &s.now);
    run(3);
    ck_assert_uint_eq(turns_of(first), _i == 0);
    run(60);
    ck_assert_uint_eq(turns_in(0), _i == 0);
}
END_TEST

/* 404 to a write about a node that holds a turn: the turn counts until the watch says that the node is gone. */
START_TEST(not_found)
{
    make_update(0, "u", 2, site_turns);
    run(5);
    all_admitted(0, "Verified", "TurnPending");
    run(5);
    unsigned holder = holder_in(0);
    for (unsigned i = 0; i < 40; i++) {
        struct hf_rollout_plan plan;
        for (unsigned n = 0; n < 4; n++)
            if (n != holder)
                report(n, 0, "Verified", "TurnPending");
        ck_assert_int_eq(hf_rollout_engine_plan(s.engine, &s.now, &plan), 0);
        for (size_t k = 0; k < plan.n; k++) {
            s.fail = strcmp(plan.effects[k].name, name_of(holder)) == 0 ? -ENOENT : 0;
            s.n_silent += s.fail != 0;
            if (plan.effects[k].kind != HF_ROLLOUT_EVENT)
                do_write(&plan.effects[k]);
        }
        s.now.mono_ns += 30 * SECOND;
        s.now.unix_ns += 30 * SECOND;
    }
    ck_assert_uint_ge(s.n_silent, 1);
    ck_assert_uint_eq(turns_in(0), 1);
    hf_rollout_engine_drop_edgenode(s.engine, name_of(holder), &s.now);
    run(5);
    ck_assert_uint_eq(turns_in(0), 2); /* the server has it still, but the source has said that it is gone */
}
END_TEST

/* A refusal tells nothing about the attempt before it, whose answer was lost. */
START_TEST(refused_after_a_doubt)
{
    unsigned first = first_in_line(site_turns);

    ck_assert_uint_eq(run_with_failing_turns(3, first, -ETIMEDOUT), 1);
    ck_assert_uint_eq(run_with_failing_turns(50, first, -EACCES), 1);
    ck_assert_uint_eq(turns_in(0), 0);
}
END_TEST

/* The write of a turn fails for ever: the node is marked silent all the same. */
START_TEST(silent_in_doubt)
{
    unsigned first = first_in_line("  strategy: {maxFailures: 100%, unknownAfter: 24h, disruption: {groupBy: zone}}\n");

    ck_assert_uint_gt(run_with_failing_turns(40 * 60, first, -ETIMEDOUT), 10);
    ck_assert_str_eq(ready_of_node(first), "NodeSilent");
}
END_TEST

START_TEST(no_turns_while_halted)
{
    make_update(0, "u", 2, site_turns);
    edit(0, "metadata.annotations", json_pack("{s:s}", HF_ROLLOUT_HALTED_ANNOTATION, "x"));
    run(5);
    for (unsigned i = 0; i < NODES; i++)
        report(i, 0, "Verified", "TurnPending");
    run(60);
    for (unsigned zone = 0; zone < NODES / 4; zone++)
        ck_assert_uint_eq(turns_in(zone), 0);
}
END_TEST

/* Nodes join while the object is refused: the arrays of its groups grow all the same. */
START_TEST(grows_while_refused)
{
    make_update(0, "u", 2, site_turns);
    run(5);
    edit(0, "spec.strategy.disruption.groupBy", json_integer(5));
    for (unsigned i = 0; i < 10000; i++) {
        char text[80];
        json_t *json = NULL;
        (void)snprintf(text, sizeof(text), "metadata: {name: more-%u, labels: {zone: z%u}}", i, i);
        ck_assert_int_eq(hf_yaml_parse(hf_view_of(text), NULL, &json, NULL), 0);
        ck_assert_int_eq(hf_rollout_engine_take_node(s.engine, json, &s.now), 0);
        json_decref(json);
    }
    edit(0, "spec.strategy.disruption.groupBy", json_string("zone"));
    run(110); /* counts of 10,000 nodes alone are written once in 100 s */
    ck_assert_int_eq(number(0, "nodes.selected"), NODES + 10000);
}
END_TEST

/* ---- a restored backup ------------------------------------------------------------------------------------------- */

struct backup {
    int version;
    json_t *updates[3], *edgenodes[NODES];
};

/* The objects of the server are never changed, only replaced. */
static struct backup back_up(void)
{
    struct backup backup = {.version = s.version};

    for (unsigned u = 0; u < HF_LEN(s.updates); u++)
        backup.updates[u] = json_incref(s.updates[u]);
    for (unsigned i = 0; i < NODES; i++)
        backup.edgenodes[i] = json_incref(s.edgenodes[i]);
    return backup;
}

/* The server goes on from the backup, with its versions, and the source tells what is different now. */
static void restore(const struct backup *backup)
{
    s.version = backup->version;
    for (unsigned u = 0; u < HF_LEN(s.updates); u++) {
        if (s.updates[u] != NULL && backup->updates[u] == NULL)
            hf_rollout_engine_drop_update(s.engine, hf_json_str_or(s.updates[u], "metadata.name", ""), &s.now);
        json_decref(s.updates[u]);
        s.updates[u] = backup->updates[u];
        if (s.updates[u] != NULL)
            show_update(u);
    }
    for (unsigned i = 0; i < NODES; i++) {
        if (s.edgenodes[i] != NULL && backup->edgenodes[i] == NULL)
            hf_rollout_engine_drop_edgenode(s.engine, name_of(i), &s.now);
        json_decref(s.edgenodes[i]);
        s.edgenodes[i] = backup->edgenodes[i];
        show_node(i);
    }
}

static uint64_t conflicts(void)
{
    struct hf_rollout_fleet_view view;

    hf_rollout_engine_fleet(s.engine, &view);
    return view.conflicts;
}

/* The leader writes into the restored object what it knows, takes the new reports, and goes on. */
START_TEST(restored_store)
{
    make_update(0, "u", 2, plain_waves);
    good_nodes(0, 60, false);
    ck_assert_str_eq(phase(0), "CanarySoak");
    struct backup backup = back_up();
    good_nodes(0, 7 * 60, false);
    make_update(1, "late", 7, "");
    run(15);
    ck_assert_int_eq(number(0, "admission.cutoff"), 3000);
    uint64_t before = conflicts();
    restore(&backup);
    run(5);
    ck_assert_int_eq(number(0, "admission.cutoff"), 3000);
    if (_i == 1)
        lead(); /* a new leader knows only what the object says */
    for (unsigned i = 0; i < NODES; i++)
        if (is_admitted(i, 0))
            report(i, 0, "Committed", "HealthPassed");
    good_nodes(0, 40 * 60, false);
    ck_assert_str_eq(phase(0), "Complete");
    ck_assert_int_eq(number(0, "nodes.updated"), NODES);
    ck_assert_uint_eq(conflicts(), before);
}
END_TEST

/* While turns are on their way, or just given, the store goes back. Their answers mean nothing now. */
START_TEST(restored_store_takes_turns_back)
{
    struct hf_rollout_plan plan;
    uint64_t ids[NODES];
    json_t *objects[NODES];
    size_t n = 0;

    make_update(0, "u", 2, site_turns);
    run(5);
    all_admitted(0, "Verified", "TurnPending");
    run(1); /* epochs */
    struct backup backup = back_up();
    for (unsigned i = 0; i < NODES; i++)
        report(i, 0, "Verified", "TurnPending");
    ck_assert_int_eq(hf_rollout_engine_plan(s.engine, &s.now, &plan), 0);
    for (size_t i = 0; i < plan.n; i++)
        if (plan.effects[i].kind == HF_ROLLOUT_TURNS && store(&plan.effects[i]) == 0) {
            objects[n] = json_incref(*object_of(&plan.effects[i]));
            ids[n++] = plan.effects[i].id;
        }
    ck_assert_uint_eq(n, NODES / 4);
    for (size_t i = 0; i < n && _i != 1; i++) /* they are known, or in doubt */
        hf_rollout_engine_result(s.engine, ids[i], _i == 0 ? -ETIMEDOUT : 0, _i == 0 ? NULL : objects[i], &s.now);
    for (unsigned i = 0; i < NODES && _i == 2; i++)
        show_node(i);
    restore(&backup);
    for (size_t i = 0; i < n; i++) {
        if (_i == 1)
            hf_rollout_engine_result(s.engine, ids[i], 0, objects[i], &s.now);
        json_decref(objects[i]);
    }
    /* a node that saw its turn before the restore may swap now, and has a minute to say so */
    run(55);
    for (unsigned zone = 0; zone < NODES / 4; zone++)
        ck_assert_uint_eq(turns_in(zone), 0);
    for (unsigned round = 0; round < 4; round++) {
        run(20);
        for (unsigned zone = 0; zone < NODES / 4; zone++) {
            ck_assert_uint_eq(turns_in(zone), 1);
            report(holder_in(zone), 0, "Committed", "HealthPassed");
        }
    }
    run(15);
    ck_assert_int_eq(number(0, "nodes.updated"), NODES);
}
END_TEST

static void count_one(void *arg, const struct hf_rollout_view *view)
{
    (void)view;
    *(unsigned *)arg += 1;
}

/* A list that lacks an object: the answer to a write that was done before does not bring the object back. */
START_TEST(answers_are_no_items_of_a_list)
{
    unsigned n = 0;

    make_update(0, "u", 2, "");
    report(0, 0, "Committed", "HealthPassed");
    uint64_t id = plan_and_store(HF_ROLLOUT_STATUS);
    hf_rollout_engine_list_begin(s.engine, HF_ROLLOUT_UPDATES);
    hf_rollout_engine_result(s.engine, id, 0, s.updates[0], &s.now);
    hf_rollout_engine_list_end(s.engine, HF_ROLLOUT_UPDATES, &s.now);
    hf_rollout_engine_each(s.engine, count_one, &n);
    ck_assert_uint_eq(n, 0);
}
END_TEST

/* ---- silent and orphaned nodes ----------------------------------------------------------------------------------- */

START_TEST(silent_nodes_are_marked_once)
{
    make_update(0, "u", 2, "");
    for (unsigned i = 0; i < NODES; i++)
        report(i, 0, "Committed", "HealthPassed");
    run(7 * 60);
    ck_assert_uint_eq(s.n_silent, 0);
    run(60);
    ck_assert_uint_eq(s.n_silent, NODES);
    ck_assert_str_eq(ready_of_node(3), "NodeSilent");
    ck_assert_str_eq(hf_json_str_or(s.edgenodes[3], "status.contact.state", ""), "Silent");
    run(3600);
    ck_assert_uint_eq(s.n_silent, NODES);
    lead(); /* a new leader sees the marks */
    run(3600);
    ck_assert_uint_eq(s.n_silent, NODES);
    report(4, 0, "Committed", "HealthPassed");
    run(17 * 60);
    ck_assert_uint_eq(s.n_silent, NODES + 1);
}
END_TEST

/* The server refuses the marks of some silent nodes: it gets each once in a minute, and the others have theirs. */
START_TEST(refused_marks)
{
    static const int results[] = {-EACCES, -EBADMSG, -ESTALE, -ETIMEDOUT};
    unsigned n_failed = 0;

    make_update(0, "u", 2, "");
    for (unsigned i = 0; i < NODES; i++)
        report(i, 0, "Committed", "HealthPassed");
    run(7 * 60 + 25);
    for (unsigned i = 0; i < 10 * 60; i++) {
        struct hf_rollout_plan plan;
        ck_assert_int_eq(hf_rollout_engine_plan(s.engine, &s.now, &plan), 0);
        for (size_t k = 0; k < plan.n; k++) {
            bool is_silent = plan.effects[k].kind == HF_ROLLOUT_SILENT;
            s.fail = is_silent && strtoul(plan.effects[k].name + 1, NULL, 10) < 15 ? results[_i] : 0;
            s.n_silent += is_silent && s.fail == 0;
            n_failed += s.fail != 0;
            if (plan.effects[k].kind != HF_ROLLOUT_EVENT)
                do_write(&plan.effects[k]);
        }
        s.now.mono_ns += SECOND;
        s.now.unix_ns += SECOND;
    }
    ck_assert_uint_eq(s.n_silent, NODES - 15);
    ck_assert_msg(n_failed >= 15 * 8 && n_failed <= 15 * 10, "%u", n_failed);
}
END_TEST

START_TEST(orphans_are_collected_but_not_all_at_once)
{
    for (unsigned i = 0; i < NODES; i++) {
        make_update(0, "u", 2, "");
        report(i, 0, "Committed", "HealthPassed");
    }
    for (unsigned i = 0; i < 8; i++) /* 40 % */
        hf_rollout_engine_drop_node(s.engine, name_of(i), &s.now);
    s.now.mono_ns += 25 * 3600 * SECOND;
    run(20);
    ck_assert_uint_eq(s.n_collect, 0);
    for (unsigned i = 0; i < 4; i++)
        show_node(i);
    run(20);
    ck_assert_uint_eq(s.n_collect, 4);
    struct hf_rollout_fleet_view view;
    hf_rollout_engine_fleet(s.engine, &view);
    ck_assert_uint_eq(view.edgenodes, NODES - 4);
    ck_assert_uint_eq(view.orphans, 0);
}
END_TEST

static bool no_memory;

/* Stands in for the function of libc in the engine. */
char *strdup(const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = no_memory ? NULL : malloc(n);

    return copy == NULL ? NULL : memcpy(copy, text, n);
}

/* Memory runs out while the engine takes the object in an answer: it says so, goes on, and the watch brings the object
 * again. */
START_TEST(answer_without_memory)
{
    make_update(0, "u", 2, plain_waves);
    uint64_t id = plan_and_store(HF_ROLLOUT_STATUS);
    no_memory = true;
    int r = hf_rollout_engine_result(s.engine, id, 0, s.updates[0], &s.now);
    no_memory = false;
    ck_assert_int_eq(r, -ENOMEM);
    show_update(0);
    good_nodes(0, 40 * 60, false);
    ck_assert_str_eq(phase(0), "Complete");
    ck_assert_uint_eq(conflicts(), 0);
}
END_TEST

/* Without complete lists, and without the lead, nothing is written. */
START_TEST(plans_nothing_in_doubt)
{
    make_update(0, "u", 2, plain_waves);
    unsigned before = s.n_status;
    hf_rollout_engine_list_begin(s.engine, HF_ROLLOUT_NODES);
    run(60);
    hf_rollout_engine_lead(s.engine, 0, &s.now);
    for (unsigned i = 0; i < NODES; i++)
        show_node(i);
    hf_rollout_engine_list_end(s.engine, HF_ROLLOUT_NODES, &s.now);
    run(60);
    ck_assert_uint_eq(s.n_status, before);
    hf_rollout_engine_lead(s.engine, 7, &s.now);
    run(5);
    ck_assert_uint_gt(s.n_status, before);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, good_release);
    tcase_add_test(tc, failovers_in_every_phase);
    tcase_add_test(tc, halts_names_and_resumes);
    tcase_add_test(tc, mandatory_canary_halts);
    tcase_add_test(tc, failed_stage_halts);
    tcase_add_loop_test(tc, undone_swaps_are_no_failures, 0, 4);
    tcase_add_loop_test(tc, rollbacks_after_a_verdict_are_failures, 0, 7);
    tcase_add_test(tc, operator_halts_and_pauses);
    tcase_add_loop_test(tc, few_updated, 0, 2);
    tcase_add_test(tc, reasons_are_slow);
    tcase_add_test(tc, a_site_goes_back);
    tcase_add_test(tc, edited_status);
    tcase_add_test(tc, deposed);
    tcase_add_test(tc, wider_selector);
    tcase_add_test(tc, wider_selector_while_a_write_is_out);
    tcase_add_test(tc, admission_without_selector);
    tcase_add_test(tc, paused_before_it_begins);
    tcase_add_test(tc, paused_before_its_canary);
    tcase_add_test(tc, forgives_no_other_nodes);
    tcase_add_test(tc, wider_selector_without_the_field);
    tcase_add_test(tc, holder_is_left_out);
    tcase_add_test(tc, holder_waits_for_its_stage);
    tcase_add_test(tc, unknown_outcomes);
    tcase_add_test(tc, deleted_and_made_again);
    tcase_add_test(tc, labels_and_nodes_change);
    tcase_add_test(tc, list_of_waves_changes);
    tcase_add_loop_test(tc, half_of_three_nodes, 0, 20);
    tcase_add_test(tc, refused_object);
    tcase_add_test(tc, one_release_name_twice);
    tcase_add_loop_test(tc, rival_that_nodes_refuse, 0, 2);
    tcase_add_test(tc, without_strategy_it_only_counts);
    tcase_add_loop_test(tc, strategy_comes_back, 0, 2);
    tcase_add_test(tc, counts_are_slow);
    tcase_add_test(tc, blind);
    tcase_add_test(tc, long_words_are_cut);
    tcase_add_loop_test(tc, words_are_cut_between_characters, 0, 4);
    tcase_add_test(tc, one_turn_in_each_zone);
    tcase_add_loop_test(tc, reimaged_node_gets_a_turn, 0, 2);
    tcase_add_test(tc, a_node_in_trouble_is_named);
    tcase_add_test(tc, turn_without_progress);
    tcase_add_test(tc, silent_holder_keeps_its_turn);
    tcase_add_loop_test(tc, freed_while_it_swaps, 0, HF_LEN(last_words));
    tcase_add_loop_test(tc, freed_after_a_mark, 0, 20);
    tcase_add_test(tc, fences_before_it_gives);
    tcase_add_test(tc, doubtful_turns_count);
    tcase_add_loop_test(tc, names_the_holder_of_an_earlier_turn, 0, 3);
    tcase_add_loop_test(tc, silent_swap_without_groups, 0, 2);
    tcase_add_loop_test(tc, doubts_end, 0, 2);
    tcase_add_loop_test(tc, refused_turns, 0, 3);
    tcase_add_loop_test(tc, conflict_after_a_report, 0, 2);
    tcase_add_test(tc, not_found);
    tcase_add_test(tc, refused_after_a_doubt);
    tcase_add_test(tc, silent_in_doubt);
    tcase_add_test(tc, no_turns_while_halted);
    tcase_add_test(tc, grows_while_refused);
    tcase_add_loop_test(tc, restored_store, 0, 2);
    tcase_add_loop_test(tc, restored_store_takes_turns_back, 0, 3);
    tcase_add_test(tc, answers_are_no_items_of_a_list);
    tcase_add_test(tc, silent_nodes_are_marked_once);
    tcase_add_loop_test(tc, refused_marks, 0, 4);
    tcase_add_test(tc, orphans_are_collected_but_not_all_at_once);
    tcase_add_test(tc, answer_without_memory);
    tcase_add_test(tc, plans_nothing_in_doubt);
}

HF_TEST_MAIN("rollout/engine", cases)
