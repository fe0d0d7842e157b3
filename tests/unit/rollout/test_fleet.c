/* SPDX-License-Identifier: Apache-2.0 */
/* The records of nodes and their labels: the same answers as the objects themselves, in little memory. */
#include "rollout/fleet.h"

#include <errno.h>

#include "api/update/phase.h"
#include "base/clock.h"
#include "support/check_main.h"

#define SOURCE HF_VERSION_FROM_SOURCE

static struct hf_fleet fleet;

static json_t *yaml(const char *text)
{
    json_t *json = NULL;

    ck_assert_msg(hf_yaml_parse(hf_view_of(text), NULL, &json, NULL) == 0, "%s", text);
    return json;
}

static uint32_t take_node(const char *text)
{
    _cleanup_(hf_json_freep) json_t *json = yaml(text);
    uint32_t id = HF_ID_NONE;
    bool changed;

    ck_assert_int_eq(hf_fleet_take_node(&fleet, json, 1000, &id, &changed), 0);
    return id;
}

static int take_edgenode(const char *version, uint64_t decided_on, unsigned sequence, const char *phase, uint32_t now_s)
{
    _cleanup_(hf_json_freep) json_t *json = json_pack(
        "{s:{s:s, s:s}, s:{s:i, s:[{s:s, s:s, s:s, s:s}]}}", "metadata", "name", "n", "resourceVersion", version,
        "status", "sequence", (int)sequence, "updates", "name", "app", "digest",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "phase", phase, "reason", "TurnPending");
    uint32_t id;

    return hf_fleet_take_edgenode(&fleet, json, decided_on, now_s, 0, &id);
}

static unsigned dice_state = 1;

static unsigned dice(unsigned n)
{
    dice_state = dice_state * 1103515245 + 12345;
    return dice_state / 65536 % n;
}

static json_t *random_labels(const char *name)
{
    json_t *labels = json_object();

    for (unsigned i = 0; i < 6; i++) {
        char key[8] = {(char)('a' + dice(4)), '\0'}, value[8] = {(char)('x' + dice(3)), '\0'};
        ck_assert_int_eq(json_object_set_new(labels, key, json_string(dice(8) == 0 ? name : value)), 0);
    }
    return labels;
}

/* Random labels and selectors: the compact form answers as hf_selector_matches() does. */
START_TEST(selectors_agree)
{
    static const char *const selectors[] = {"{}",
                                            "{matchLabels: {a: x}}",
                                            "{matchLabels: {a: x, b: y}}",
                                            "{matchLabels: {a: n7}}",
                                            "{matchExpressions: [{key: a, operator: In, values: [x, y, n7]}]}",
                                            "{matchExpressions: [{key: a, operator: NotIn, values: [x, n7]}]}",
                                            "{matchExpressions: [{key: b, operator: Exists}]}",
                                            "{matchExpressions: [{key: b, operator: DoesNotExist}]}"};
    static struct hf_issues issues;

    ck_assert_int_eq(hf_fleet_init(&fleet), 0);
    for (unsigned round = 0; round < 2000; round++) {
        char name[8];
        _cleanup_(hf_json_freep) json_t *selector_json = yaml(selectors[dice(HF_LEN(selectors))]);
        struct hf_selector selector = {0};
        struct hf_label_match match;
        uint32_t set = 0;
        (void)snprintf(name, sizeof(name), "n%u", dice(9));
        _cleanup_(hf_json_freep) json_t *labels = random_labels(name);
        ck_assert_int_eq(hf_selector_read(selector_json, &selector, &issues), 0);
        ck_assert_int_eq(hf_label_match_init(&match, &selector), 0);
        ck_assert_int_eq(hf_label_pool_take(&fleet.pool, labels, name, &set), 0);
        ck_assert_int_eq(hf_label_match_test(&match, &fleet.pool, set, name), hf_selector_matches(&selector, labels));
        const char *value = hf_label_pool_value(&fleet.pool, set, "a", name);
        const char *want = json_string_value(json_object_get(labels, "a"));
        ck_assert((value == NULL) == (want == NULL) && (value == NULL || strcmp(value, want) == 0));
        hf_label_pool_release(&fleet.pool, set);
        hf_label_match_done(&match);
        hf_selector_done(&selector);
    }
    ck_assert_uint_eq(fleet.pool.bytes, 0); /* nothing is left of what was given back */
    hf_fleet_done(&fleet);
}
END_TEST

/* Labels that change for ever use no more memory in the end. */
START_TEST(churn_leaves_nothing)
{
    size_t before = 0;

    ck_assert_int_eq(hf_fleet_init(&fleet), 0);
    for (unsigned round = 0; round < 5000; round++) {
        char text[120];
        (void)snprintf(text, sizeof(text), "metadata: {name: n%u, labels: {time: t%u, site: s%u}}", round % 50, round,
                       round % 7);
        (void)take_node(text);
        if (round == 200)
            before = hf_fleet_bytes(&fleet);
    }
    ck_assert_uint_le(hf_fleet_bytes(&fleet), before + before / 10);
    for (unsigned i = 0; i < 50; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "n%u", i);
        ck_assert(hf_fleet_drop_node(&fleet, hf_fleet_find(&fleet, name), 1));
    }
    ck_assert_uint_eq(fleet.bytes + fleet.pool.bytes + fleet.n_nodes, 0);
    hf_fleet_done(&fleet);
}
END_TEST

START_TEST(old_reports)
{
    static const struct {
        const char *version;
        uint64_t decided_on;
        unsigned sequence;
        const char *phase;
        int want_r;
        enum hf_phase want_phase;
        uint32_t want_heard;
    } rows[] = {
        {"10", SOURCE, 5, "Fetching", 0, HF_PHASE_FETCHING, 0},
        {"11", SOURCE, 7, "Committed", 0, HF_PHASE_COMMITTED, 1},
        {"12", SOURCE, 6, "Fetching", 0, HF_PHASE_COMMITTED, 1},  /* a late duplicate */
        {"13", SOURCE, 7, "Committed", 0, HF_PHASE_COMMITTED, 1}, /* the same again is no sign of life */
        {"9", 8, 99, "Fetching", -ESTALE, HF_PHASE_COMMITTED, 1}, /* the late answer to a write */
        {"14", SOURCE, 1, "Waiting", 0, HF_PHASE_COMMITTED, 1},   /* an agent that counts anew ... */
        {"15", SOURCE, 2, "Fetching", 0, HF_PHASE_FETCHING, 7},   /* ... is believed from its second report on */
        {"16", SOURCE, 3, "Patching", 0, HF_PHASE_PATCHING, 8},
        {"5", SOURCE, 2, "Fetching", 0, HF_PHASE_PATCHING, 8},  /* a restored store has an old report ... */
        {"6", SOURCE, 4, "Verified", 0, HF_PHASE_VERIFIED, 10}, /* ... and takes the next one */
    };

    ck_assert_int_eq(hf_fleet_init(&fleet), 0);
    for (uint32_t i = 0; i < HF_LEN(rows); i++) {
        ck_assert_int_eq(
            take_edgenode(rows[i].version, rows[i].decided_on, rows[i].sequence, rows[i].phase, 1000 + i + (i >= 6)),
            rows[i].want_r);
        const struct hf_fleet_node *node = &fleet.nodes[hf_fleet_find(&fleet, "n")];
        ck_assert_msg(node->entries[0].phase == rows[i].want_phase && node->heard_s == 1000 + rows[i].want_heard,
                      "row %u: phase %u, heard %u", i, (unsigned)node->entries[0].phase, node->heard_s);
    }
    hf_fleet_done(&fleet);
}
END_TEST

/* How long ago the first report was: by the server's clock, and never in the future. */
START_TEST(age_of_the_first_report)
{
    static const struct {
        const char *observed;
        uint32_t want;
    } rows[] = {{"2026-11-22T10:00:00Z", 2000000000},
                {"2026-11-22T09:50:00Z", 2000000000 - 600},
                {"2026-11-22T10:00:01Z", 2000000000},
                {"2099-01-01T00:00:00Z", 2000000000},
                {"soon", 2000000000},
                {"1970-01-01T00:00:00Z", 2000000000 - HF_FLEET_OFFSET_S}};

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        _cleanup_(hf_json_freep) json_t *json = json_pack("{s:{s:s}, s:{s:i, s:s}}", "metadata", "name", "n", "status",
                                                          "sequence", 1, "observedTime", rows[i].observed);
        uint32_t id;
        ck_assert_int_eq(hf_fleet_init(&fleet), 0);
        ck_assert_int_eq(hf_fleet_take_edgenode(&fleet, json, SOURCE, 2000000000, 1795341600 * HF_NS_PER_S, &id), 0);
        ck_assert_msg(fleet.nodes[id].heard_s == rows[i].want, "%s: %u", rows[i].observed, fleet.nodes[id].heard_s);
        hf_fleet_done(&fleet);
    }
}
END_TEST

/* A node that reports nonsense costs itself, and bounded memory. */
START_TEST(nonsense)
{
    static const char *const texts[] = {
        "{metadata: {name: n}, status: 5}",
        "{metadata: {name: n}, status: {sequence: -5, updates: []}}",
        "{metadata: {name: n}, status: {sequence: 9, updates: [1, x, {digest: 7}, {digest: zz}, [], {}]}}",
        "{metadata: {name: n, resourceVersion: soon}, spec: {epoch: -1, turns: [3, {release: A}]}, status: {sequence: "
        "10}}",
        "{metadata: {name: n}, spec: {turns: {a: b}}, status: {sequence: 11, policy: {interval: -5}, updates: {a: b}}}",
    };
    uint32_t id;

    ck_assert_int_eq(hf_fleet_init(&fleet), 0);
    for (size_t i = 0; i < HF_LEN(texts); i++) {
        _cleanup_(hf_json_freep) json_t *json = yaml(texts[i]);
        ck_assert_int_eq(hf_fleet_take_edgenode(&fleet, json, SOURCE, 5, 0, &id), 0);
        ck_assert_uint_eq(fleet.nodes[id].n_entries, 0);
        ck_assert_uint_eq(fleet.nodes[id].epoch, 0);
    }
    _cleanup_(hf_json_freep) json_t *unnamed = yaml("{metadata: {name: 5}}");
    ck_assert_int_eq(hf_fleet_take_edgenode(&fleet, unnamed, SOURCE, 5, 0, &id), -EBADMSG);
    _cleanup_(hf_json_freep) json_t *huge = yaml("{metadata: {name: n}, status: {sequence: 12, updates: []}}");
    for (unsigned i = 0; i < 10000; i++) {
        char digest[65];
        (void)snprintf(digest, sizeof(digest), "%064x", i + 1);
        ck_assert_int_eq(
            json_array_append_new((json_t *)(uintptr_t)hf_json_at(huge, "status.updates"),
                                  json_pack("{s:s, s:s, s:s}", "name", "x", "digest", digest, "phase", "Committed")),
            0);
    }
    ck_assert_int_eq(hf_fleet_take_edgenode(&fleet, huge, SOURCE, 5, 0, &id), 0);
    ck_assert_uint_eq(fleet.nodes[id].n_entries, HF_FLEET_ENTRIES);
    hf_fleet_done(&fleet);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, selectors_agree);
    tcase_add_test(tc, churn_leaves_nothing);
    tcase_add_test(tc, old_reports);
    tcase_add_test(tc, age_of_the_first_report);
    tcase_add_test(tc, nonsense);
}

HF_TEST_MAIN("rollout/fleet", cases)
