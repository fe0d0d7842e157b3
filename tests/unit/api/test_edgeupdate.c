/* SPDX-License-Identifier: Apache-2.0 */
#include "api/admission.h"
#include "api/edgeupdate.h"

#include <errno.h>

#include "api/zone.h"
#include "codec/sha256.h"
#include "support/check_main.h"

static json_t *load(const char *name)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20);
    char path[512], chunk[4096];
    json_t *json = NULL;
    size_t n;

    (void)snprintf(path, sizeof(path), "tests/unit/api/cases/%s.yaml", name);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
        ck_assert_int_eq(hf_buf_add(&text, chunk, n), 0);
    (void)fclose(file);
    ck_assert_int_eq(hf_yaml_parse(hf_buf_view(&text), NULL, &json, NULL), 0);
    return json;
}

static struct hf_issues issues;

static struct hf_edgeupdate *decode(json_t *json)
{
    struct hf_edgeupdate *update = NULL;
    int r = hf_edgeupdate_decode(json, &update, &issues);

    ck_assert_msg(r == 0, "%d %s: %s", r, issues.errors[0].path, issues.errors[0].text);
    return update;
}

/* What a release of an earlier version lacks, by name. */
START_TEST(outdated_releases)
{
    static const struct {
        const char *file, *field, *text;
    } rows[] = {{"good-least", "expires", "sign it with expires"},
                {"good-old-downgrade", "allowDowngrade", "sign downgradeFrom"},
                {"good-old-packed", "artifacts", "artifact arm64 is packed"}};
    char text[200];

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        _cleanup_(hf_json_freep) json_t *json = load(rows[i].file);
        _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *u = decode(json);
        const char *field = hf_release_outdated(&u->release, text, sizeof(text));
        ck_assert_msg(field != NULL && strcmp(field, rows[i].field) == 0, "%s: %s", rows[i].file, field);
        ck_assert_msg(strstr(text, rows[i].text) != NULL, "%s: %s", rows[i].file, text);
    }
}
END_TEST

START_TEST(every_field_arrives)
{
    _cleanup_(hf_json_freep) json_t *json = load("good-full");
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *u = decode(json);
    const struct hf_release *r = &u->release;
    char text[200];

    ck_assert_uint_eq(issues.n_warnings, 0);
    ck_assert_str_eq(u->meta.name, "good-full");
    ck_assert_str_eq(u->meta.uid, "");
    ck_assert_str_eq(r->name, "edge-inference");
    ck_assert_str_eq(r->version, "1.4.2");
    ck_assert_uint_eq(r->sequence, 42);
    ck_assert_uint_eq(r->expires_unix_ns, 1801440000 * HF_NS_PER_S);
    ck_assert_uint_eq(r->signed_at_unix_ns, 1793491200 * HF_NS_PER_S);
    ck_assert(!r->allow_downgrade);
    ck_assert_uint_eq(r->n_downgrade_from, 2);
    ck_assert(r->downgrade_from[0] == 43 && r->downgrade_from[1] == 44);
    ck_assert_ptr_null(hf_release_outdated(r, text, sizeof(text)));
    ck_assert_uint_eq(r->n_artifacts, 2);
    ck_assert_ptr_eq(hf_release_artifact(r, "amd64"), &r->artifacts[1]);
    ck_assert_ptr_null(hf_release_artifact(r, "riscv64"));
    const struct hf_artifact *a = hf_release_artifact(r, "arm64");
    ck_assert_uint_eq(a->size, 48210944);
    ck_assert_uint_eq(a->n_deltas, 1);
    ck_assert_uint_eq(a->deltas[0].size, 23811);
    ck_assert_int_eq(a->deltas[0].from[0], 'b');
    ck_assert_ptr_null(a->deltas[0].to);
    ck_assert_uint_eq(a->n_steps, 1);
    ck_assert_int_eq(a->steps[0].from[0], 'd');
    ck_assert_str_eq(a->steps[0].to, a->deltas[0].from);
    ck_assert_uint_eq(a->steps[0].to_size, 48210000);
    ck_assert_uint_eq(a->steps[0].needs.disk_bytes, 1 << 20);
    ck_assert_str_eq(a->requires_.cpu_features[1], "sse4_1");
    ck_assert_ptr_null(a->requires_.cpu_features[2]);
    ck_assert_uint_eq(a->requires_.memory_bytes, 512u << 20);
    ck_assert_uint_eq(a->requires_.disk_bytes, 209715200);
    ck_assert_str_eq(a->requires_.devices[0], "/dev/nvidia0");
    ck_assert_str_eq(a->requires_.kernel, ">=5.10");
    ck_assert_int_eq(r->install.kind, HF_INSTALL_FILE);
    ck_assert(r->install.has_mode);
    ck_assert_uint_eq(r->install.mode, 0755);
    ck_assert_str_eq(r->install.restart_unit, "edge-inference.service");
    ck_assert_ptr_null(r->install.restart_exec[0]);
    ck_assert_uint_eq(r->health_deadline_ns, 120 * HF_NS_PER_S);
    ck_assert_str_eq(r->hooks[HF_HOOK_BEFORE_SWAP].argv[2], "/var/backups/edge.sql");
    ck_assert_ptr_null(r->hooks[HF_HOOK_BEFORE_SWAP].argv[3]);
    ck_assert_uint_eq(r->hooks[HF_HOOK_BEFORE_SWAP].timeout_ns, 600 * HF_NS_PER_S);
    ck_assert_uint_eq(r->hooks[HF_HOOK_AFTER_SWAP].timeout_ns, 60 * HF_NS_PER_S);
    static const char *const programs[] = {"health.checks[2].exec", "hooks.beforeSwap", "hooks.afterSwap",
                                           "hooks.beforeRollback"};
    char field[64];
    for (size_t i = 0; i < HF_LEN(programs); i++) {
        ck_assert_ptr_nonnull(hf_release_program(r, i, field, sizeof(field)));
        ck_assert_str_eq(field, programs[i]);
    }
    ck_assert_ptr_null(hf_release_program(r, HF_LEN(programs), field, sizeof(field)));
    ck_assert_uint_eq(r->probation_boots, 3);
    ck_assert_str_eq(hf_release_unit(r), "edge-inference.service");
    ck_assert_uint_eq(r->n_checks, HF_CHECK_COUNT); /* one of each kind */
    ck_assert_int_eq(r->checks[0].kind, HF_CHECK_HTTP);
    ck_assert_int_eq(r->checks[0].status, 204);
    ck_assert_uint_eq(r->checks[0].period_ns, 500 * HF_NS_PER_MS);
    ck_assert_uint_eq(r->checks[0].success_threshold, 3);
    ck_assert_int_eq(r->checks[1].kind, HF_CHECK_TCP);
    ck_assert_uint_eq(r->checks[1].port, 8080);
    ck_assert_str_eq(r->checks[1].host, "127.0.0.1");
    ck_assert_uint_eq(r->checks[1].timeout_ns, 5 * HF_NS_PER_S);
    ck_assert_int_eq(r->checks[2].kind, HF_CHECK_EXEC);
    ck_assert_str_eq(r->checks[2].command[2], "/run/app.sock");
    ck_assert_ptr_null(r->checks[2].command[3]);
    ck_assert_int_eq(r->checks[3].kind, HF_CHECK_UNIT);
    ck_assert_uint_eq(u->n_signatures, 2);
    ck_assert_str_eq(u->signatures[1].key_id, "site.2");
    ck_assert(u->has_strategy && u->has_canary);
    ck_assert_uint_eq(u->canary_soak_ns, 1800 * HF_NS_PER_S);
    ck_assert_uint_eq(u->n_waves, 3);
    ck_assert_uint_eq(u->waves[1].percent, 25);
    ck_assert_uint_eq(u->waves[2].soak_ns, 0);
    ck_assert(u->max_failures.is_percent && u->max_failures.basis_points == 200);
    ck_assert(u->min_updated.is_percent && u->min_updated.basis_points == 3340);
    ck_assert_uint_eq(u->min_updated_after_ns, 7200 * HF_NS_PER_S);
    ck_assert(u->canary_mandatory && u->has_disruption && !u->max_unavailable.is_percent);
    ck_assert_uint_eq(u->max_unavailable.count, 2);
    ck_assert_str_eq(u->group_by, "topology.kubernetes.io/zone");
    ck_assert_uint_eq(u->progress_deadline_ns, 3600 * HF_NS_PER_S);
    ck_assert_uint_eq(u->n_windows, 2);
    ck_assert_uint_eq(u->windows[0].days, 1u << 6 | 1);
    ck_assert_uint_eq(u->windows[0].start_s, 7200);
    ck_assert_ptr_nonnull(u->windows[0].zone);
    ck_assert_uint_eq(u->windows[1].days, 0x7f);
    ck_assert_str_eq(u->windows[1].time_zone, "UTC");
    ck_assert_uint_eq(u->bandwidth_limit, 256 << 10);
    ck_assert(!u->suspend);
}
END_TEST

START_TEST(defaults)
{
    _cleanup_(hf_json_freep) json_t *json = load("good-least");
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *u = decode(json);

    ck_assert_uint_eq(u->release.expires_unix_ns, HF_NEVER);
    ck_assert_int_eq(u->release.install.kind, HF_INSTALL_FILE);
    ck_assert(!u->release.install.has_mode && u->release.install.restart_unit == NULL);
    ck_assert_uint_eq(u->release.health_deadline_ns, 120 * HF_NS_PER_S);
    ck_assert(!u->has_strategy && !u->has_canary && !u->suspend);
    ck_assert_uint_eq(u->unknown_after_ns, 1800 * HF_NS_PER_S);
    ck_assert_uint_eq(u->bandwidth_limit, 0);
    ck_assert_uint_eq(u->n_windows + u->n_signatures, 0);
    ck_assert_str_eq(u->admission_digest, "");
}
END_TEST

START_TEST(unknown_fields_are_told_and_signed)
{
    _cleanup_(hf_json_freep) json_t *json = load("good-unknown-fields"), *least = load("good-least");
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *u = decode(json);
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *plain = NULL;

    ck_assert_uint_eq(issues.n_warnings, 2);
    ck_assert_str_eq(issues.warnings[0].path, "spec.release.install.futureHook");
    ck_assert_str_eq(issues.warnings[1].path, "spec.release.futureField");
    plain = decode(least);
    ck_assert_str_ne(u->release.digest, plain->release.digest);
    ck_assert_ptr_nonnull(hf_json_at(u->json, "spec.release.futureField"));
}
END_TEST

START_TEST(digest_is_of_the_canonical_text)
{
    _cleanup_(hf_json_freep) json_t *json = load("good-least");
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *u = decode(json);
    static const char canonical[] = "{\"artifacts\":[{\"arch\":\"arm64\",\"sha256\":"
                                    "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\","
                                    "\"size\":48210944,\"url\":\"https://releases.example.com/edge-inference-arm64\"}],"
                                    "\"install\":{\"path\":\"/opt/edge-inference/bin/"
                                    "current\"},\"name\":\"edge-inference\",\"sequence\":42,\"version\":\"1.4.2\"}";
    char hex[HF_SHA256_HEX];

    ck_assert_str_eq(u->release.digest, hf_sha256_hex(canonical, strlen(canonical), hex));
}
END_TEST

START_TEST(all_errors_at_once)
{
    static const char text[] = "metadata: {name: x}\n"
                               "spec:\n"
                               "  nodeSelector: 5\n"
                               "  suspend: 1\n"
                               "  release:\n"
                               "    name: 7\n"
                               "    version: []\n"
                               "    sequence: -1\n"
                               "    artifacts: [{arch: 1, url: 2, sha256: 3, size: x, deltas: 4, requires: 5}]\n"
                               "    install: {path: 1, kind: 2, mode: 3, restart: 4}\n"
                               "    health: {deadline: 1, checks: [x, {http: 1}]}\n"
                               "  signatures: x\n"
                               "  strategy: {canary: 1, waves: 2, maxFailures: [], unknownAfter: 4}\n"
                               "  windows: [{days: 1, start: 2, duration: 3, timeZone: 4}]\n"
                               "  bandwidthLimit: []\n";
    _cleanup_(hf_json_freep) json_t *json = NULL;
    _cleanup_(hf_buf_done) struct hf_buf told = HF_BUF_INIT(1024);
    struct hf_edgeupdate *u = NULL;

    ck_assert_int_eq(hf_yaml_parse(HF_VIEW(text), NULL, &json, NULL), 0);
    ck_assert_int_eq(hf_edgeupdate_decode(json, &u, &issues), -EBADMSG);
    ck_assert_ptr_null(u);
    ck_assert_uint_eq(issues.n_errors, 28);
    hf_issues_format(&issues, &told);
    ck_assert_ptr_nonnull(strstr(hf_buf_str(&told), "; and "));
    ck_assert_uint_le(told.n, 1024);
}
END_TEST

START_TEST(many_errors_are_counted)
{
    _cleanup_(hf_json_freep) json_t *json = load("good-least");
    _cleanup_(hf_buf_done) struct hf_buf told = HF_BUF_INIT(100000), tiny = HF_BUF_INIT(20);
    struct hf_edgeupdate *u = NULL;
    json_t *list = json_array();

    for (int i = 0; i < 16; i++)
        ck_assert_int_eq(json_array_append_new(list, json_pack("{s:i,s:i,s:i}", "arch", i, "url", i, "size", 0)), 0);
    ck_assert_int_eq(hf_json_put(json, "spec.release.artifacts", list), 0);
    ck_assert_int_eq(hf_edgeupdate_decode(json, &u, &issues), -EBADMSG);
    ck_assert_uint_eq(issues.n_errors, 64);
    hf_issues_format(&issues, &told);
    ck_assert_ptr_nonnull(strstr(hf_buf_str(&told), "; and 32 more"));
    hf_issues_format(&issues, &tiny);
    ck_assert_str_eq(hf_buf_str(&tiny), "64 errors");
}
END_TEST

/* Any value of any type at any place: an error or not, but never a crash; run under the sanitizers. */
static void poison(json_t *root, json_t *node, unsigned *budget)
{
    const char *key;
    json_t *value;
    void *next;

    json_object_foreach_safe(node, next, key, value)
    {
        json_t *kept = json_incref(value);
        json_t *bad[] = {json_null(),  json_true(),   json_integer(-1), json_real(0.5),   json_string(""),
                         json_array(), json_object(), json_pack("[n]"), json_pack("[{}]")};
        for (size_t i = 0; i < HF_LEN(bad); i++) {
            struct hf_edgeupdate *u = NULL;
            ck_assert_int_eq(json_object_set_new(node, key, bad[i]), 0);
            int r = hf_edgeupdate_decode(root, &u, &issues);
            ck_assert_msg((r == 0 && u != NULL) || (r == -EBADMSG && issues.n_errors > 0), "%s: %d", key, r);
            hf_edgeupdate_free(u);
            (*budget)++;
        }
        ck_assert_int_eq(json_object_set_new(node, key, kept), 0);
        poison(root, kept, budget);
        for (size_t i = 0; i < json_array_size(kept); i++)
            poison(root, json_array_get(kept, i), budget);
    }
}

START_TEST(wrong_types_everywhere)
{
    _cleanup_(hf_json_freep) json_t *json = load("good-full");
    unsigned tried = 0;

    poison(json, json, &tried);
    ck_assert_uint_gt(tried, 500);
}
END_TEST

static const struct {
    const char *node;
    unsigned want; /* from another SHA-256 implementation */
} slots[] = {{"node-1", 5017}, {"node-2", 9837}, {"edge-0042.site", 5127}};

START_TEST(admission_slot)
{
    char digest[65];

    memset(digest, 'a', 64);
    digest[64] = '\0';
    for (size_t i = 0; i < HF_LEN(slots); i++)
        ck_assert_uint_eq(hf_admission_slot(slots[i].node, digest), slots[i].want);
    unsigned below = 0;
    for (int i = 0; i < 10000; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "node-%d", i);
        unsigned slot = hf_admission_slot(name, digest);
        ck_assert_uint_lt(slot, 10000);
        below += slot < 500;
    }
    ck_assert_msg(below > 400 && below < 600, "5 %% of 10,000 nodes: %u", below);
}
END_TEST

START_TEST(admission)
{
    _cleanup_(hf_json_freep) json_t *json = load("good-full");
    _cleanup_(hf_json_freep) json_t *compute = json_pack("{s:s}", "edge.codcompass.io/role", "compute");
    _cleanup_(hf_json_freep) json_t *canary =
        json_pack("{s:s,s:s}", "edge.codcompass.io/role", "compute", "edge.codcompass.io/canary", "true");
    _cleanup_(hf_json_freep) json_t *foreign = json_pack("{s:s}", "edge.codcompass.io/canary", "true");
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *first = decode(json);
    unsigned slot = hf_admission_slot("n", first->release.digest);

    ck_assert(!hf_admission_allows(first, "n", compute)); /* a strategy, and no word of the controller */
    ck_assert_int_eq(hf_json_put(json, "status.admission.digest", json_string(first->release.digest)), 0);
    ck_assert_int_eq(hf_json_put(json, "status.admission.cutoff", json_integer(slot)), 0);
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *below = decode(json);
    ck_assert(!hf_admission_allows(below, "n", compute));
    ck_assert(!hf_admission_allows(below, "n", canary));
    ck_assert_int_eq(hf_json_put(json, "status.admission.canary", json_true()), 0);
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *canaries = decode(json);
    ck_assert(hf_admission_allows(canaries, "n", canary));
    ck_assert(!hf_admission_allows(canaries, "n", compute));
    ck_assert(!hf_admission_allows(canaries, "n", foreign));
    ck_assert_int_eq(hf_json_put(json, "status.admission.cutoff", json_integer(slot + 1)), 0);
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *above = decode(json);
    ck_assert(hf_admission_allows(above, "n", compute));
    ck_assert(!hf_admission_allows(above, "n", NULL));
    ck_assert_int_eq(hf_json_put(json, "status.admission.selector", json_string(above->selector_hash)), 0);
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *same = decode(json);
    ck_assert(hf_admission_allows(same, "n", compute));
    ck_assert_int_eq(hf_json_put(json, "spec.nodeSelector", json_object()), 0);
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *wider = decode(json);
    ck_assert(!hf_admission_allows(wider, "n", compute)); /* many nodes may come with it: the controller opens stages */
    ck_assert_int_eq(json_object_del(json_object_get(json, "spec"), "nodeSelector"), 0);
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *none = decode(json);
    ck_assert_str_eq(none->selector_hash, wider->selector_hash);
    ck_assert_int_eq(hf_json_put(json, "status.admission.selector", json_string(none->selector_hash)), 0);
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *all = decode(json);
    ck_assert(hf_admission_allows(all, "n", compute));
    ck_assert_int_eq(hf_json_put(json, "spec.release.sequence", json_integer(43)), 0);
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *edited = decode(json);
    ck_assert(!hf_admission_allows(edited, "n", compute)); /* admitted was what it was before */
    ck_assert_int_eq(hf_json_put(json, "status.admission.cutoff", json_string("10000")), 0);
    ck_assert_int_eq(hf_json_put(json, "status.admission.digest", json_integer(1)), 0);
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *nonsense = decode(json);
    ck_assert_uint_eq(issues.n_warnings, 1);
    ck_assert(!hf_admission_allows(nonsense, "n", compute));
}
END_TEST

START_TEST(deadline_within_an_absence_is_a_warning)
{
    _cleanup_(hf_json_freep) json_t *json = load("good-full");

    ck_assert_int_eq(hf_json_put(json, "spec.strategy.progressDeadline", json_string("30m")), 0);
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *same = decode(json);
    ck_assert_uint_eq(issues.n_warnings, 1);
    ck_assert_str_eq(issues.warnings[0].path, "spec.strategy.progressDeadline");
    ck_assert_int_eq(hf_json_put(json, "spec.strategy.progressDeadline", json_string("31m")), 0);
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *longer = decode(json);
    ck_assert_uint_eq(issues.n_warnings, 0);
}
END_TEST

START_TEST(without_a_strategy_all_selected_are_admitted)
{
    _cleanup_(hf_json_freep) json_t *json = load("good-least");
    _cleanup_(hf_json_freep) json_t *compute = json_pack("{s:s}", "edge.codcompass.io/role", "compute");
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *u = decode(json);

    ck_assert(hf_admission_selects(u, compute) && hf_admission_allows(u, "n", compute));
    ck_assert(!hf_admission_selects(u, NULL) && !hf_admission_allows(u, "n", NULL));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, every_field_arrives);
    tcase_add_test(tc, outdated_releases);
    tcase_add_test(tc, defaults);
    tcase_add_test(tc, unknown_fields_are_told_and_signed);
    tcase_add_test(tc, digest_is_of_the_canonical_text);
    tcase_add_test(tc, all_errors_at_once);
    tcase_add_test(tc, many_errors_are_counted);
    tcase_add_test(tc, wrong_types_everywhere);
    tcase_add_test(tc, admission_slot);
    tcase_add_test(tc, admission);
    tcase_add_test(tc, deadline_within_an_absence_is_a_warning);
    tcase_add_test(tc, without_a_strategy_all_selected_are_admitted);
}
HF_TEST_MAIN("api/edgeupdate", cases)
