/* SPDX-License-Identifier: Apache-2.0 */
/* The step of one rollout: every phase in every situation, printed into tests/golden/rollout_phases.txt. */
#include "rollout/rollout.h"

#include "support/check_main.h"
#include "support/golden.h"

#define MINUTE (60 * HF_NS_PER_S)

static const char digest[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

static struct hf_rollout_spec spec_of_test(void)
{
    return (struct hf_rollout_spec){.name = "u",
                                    .digest = digest,
                                    .selector = "0123456789abcdef",
                                    .has_canary = true,
                                    .canary_soak_ns = 10 * MINUTE,
                                    .waves = {{5, 10 * MINUTE}, {50, 10 * MINUTE}, {100, 10 * MINUTE}},
                                    .n_waves = 3,
                                    .max_failures = {.is_percent = true, .basis_points = 200},
                                    .min_updated = {.is_percent = true, .basis_points = 5000},
                                    .resume = ""};
}

static struct hf_rollout_state state_of(unsigned wave, unsigned cutoff, bool settled, uint64_t soaked_ns)
{
    struct hf_rollout_state state = {
        .wave = wave, .cutoff = cutoff, .slots = cutoff, .settled = settled, .soaked_ns = soaked_ns};

    memcpy(state.digest, digest, sizeof(digest));
    state.epoch = 3;
    return state;
}

/* 100 nodes admitted, 10 of them by this stage, all updated */
static const struct hf_rollout_counts all_well = {
    .selected = 1000, .admitted = 100, .updated = 100, .canaries = 10, .stage_nodes = 10, .stage_updated = 10};

struct situation {
    const char *name;
    void (*arrange)(struct hf_rollout_spec *spec, struct hf_rollout_counts *counts);
};

static void nothing(struct hf_rollout_spec *spec, struct hf_rollout_counts *counts)
{
    (void)spec;
    (void)counts;
}

static void one_updating(struct hf_rollout_spec *spec, struct hf_rollout_counts *counts)
{
    (void)spec;
    counts->updated = 99;
    counts->updating = counts->open = 1;
    counts->stage_updated = 9;
}

static void two_failed(struct hf_rollout_spec *spec, struct hf_rollout_counts *counts)
{
    (void)spec;
    counts->updated = 98;
    counts->failed = counts->stage_failed = 2;
    counts->stage_updated = 8;
}

static void three_failed(struct hf_rollout_spec *spec, struct hf_rollout_counts *counts)
{
    (void)spec;
    counts->updated = 97;
    counts->failed = counts->stage_failed = 3;
    counts->stage_updated = 7;
}

/* 2 % of the 99 nodes that are not away is one */
static void two_failed_one_away(struct hf_rollout_spec *spec, struct hf_rollout_counts *counts)
{
    two_failed(spec, counts);
    counts->updated--;
    counts->unknown = counts->stage_parked = 1;
    counts->stage_updated--;
}

static void stage_away(struct hf_rollout_spec *spec, struct hf_rollout_counts *counts)
{
    (void)spec;
    counts->updated = 90;
    counts->unknown = counts->stage_parked = 10;
    counts->stage_updated = 0;
}

static void four_of_ten(struct hf_rollout_spec *spec, struct hf_rollout_counts *counts)
{
    (void)spec;
    counts->updated = 94;
    counts->unknown = counts->stage_parked = 6;
    counts->stage_updated = 4;
}

static void five_of_ten(struct hf_rollout_spec *spec, struct hf_rollout_counts *counts)
{
    (void)spec;
    counts->updated = 95;
    counts->unknown = counts->stage_parked = 5;
    counts->stage_updated = 5;
}

/* 7 % of the nodes may fail: these are no reason to wait */
static void seven_failed(struct hf_rollout_spec *spec, struct hf_rollout_counts *counts)
{
    spec->max_failures.basis_points = 700;
    counts->updated = 93;
    counts->failed = counts->stage_failed = 7;
    counts->stage_updated = 3;
}

static void four_and_time(struct hf_rollout_spec *spec, struct hf_rollout_counts *counts)
{
    four_of_ten(spec, counts);
    spec->min_updated_after_ns = HF_NS_PER_S; /* one step */
}

static void none_and_time(struct hf_rollout_spec *spec, struct hf_rollout_counts *counts)
{
    stage_away(spec, counts);
    spec->min_updated_after_ns = HF_NS_PER_S;
}

static void stage_all_failed(struct hf_rollout_spec *spec, struct hf_rollout_counts *counts)
{
    (void)spec;
    counts->updated = 98;
    counts->failed = counts->stage_failed = counts->stage_nodes = 2;
    counts->stage_updated = 0;
}

static void stage_incompatible(struct hf_rollout_spec *spec, struct hf_rollout_counts *counts)
{
    (void)spec;
    counts->updated = 90;
    counts->incompatible = counts->stage_exempt = 10;
    counts->stage_updated = 0;
}

static void stage_empty(struct hf_rollout_spec *spec, struct hf_rollout_counts *counts)
{
    (void)spec;
    counts->stage_nodes = counts->stage_updated = 0;
}

static void none_selected(struct hf_rollout_spec *spec, struct hf_rollout_counts *counts)
{
    (void)spec;
    *counts = (struct hf_rollout_counts){0};
}

static void mandatory_failed(struct hf_rollout_spec *spec, struct hf_rollout_counts *counts)
{
    spec->canary_mandatory = true;
    counts->updated = 99;
    counts->failed = counts->stage_failed = counts->canary_failed = counts->canary_open = 1;
    counts->stage_updated = 9;
}

static void mandatory_away(struct hf_rollout_spec *spec, struct hf_rollout_counts *counts)
{
    spec->canary_mandatory = true;
    counts->updated = 99;
    counts->unknown = counts->stage_parked = counts->canary_open = 1;
    counts->stage_updated = 9;
}

static void mandatory_none(struct hf_rollout_spec *spec, struct hf_rollout_counts *counts)
{
    spec->canary_mandatory = true;
    counts->canaries = 0;
}

static void paused(struct hf_rollout_spec *spec, struct hf_rollout_counts *counts)
{
    (void)counts;
    spec->paused = true;
}

static void suspended(struct hf_rollout_spec *spec, struct hf_rollout_counts *counts)
{
    (void)counts;
    spec->suspend = true;
}

static void halted_by_operator(struct hf_rollout_spec *spec, struct hf_rollout_counts *counts)
{
    (void)counts;
    spec->halt = "the plant starts up";
}

static void resumed(struct hf_rollout_spec *spec, struct hf_rollout_counts *counts)
{
    three_failed(spec, counts);
    spec->resume = "go on";
}

static void no_canary_any_more(struct hf_rollout_spec *spec, struct hf_rollout_counts *counts)
{
    stage_empty(spec, counts);
    counts->canaries = 0;
    spec->has_canary = false;
}

/* the operator changes the list to 1 %, 60 % */
static void other_waves(struct hf_rollout_spec *spec, struct hf_rollout_counts *counts)
{
    (void)counts;
    spec->waves[0].percent = 1;
    spec->waves[1].percent = 60;
    spec->n_waves = 2;
}

static const struct situation situations[] = {
    {"all updated", nothing},
    {"one updating", one_updating},
    {"2 of 100 failed", two_failed},
    {"3 of 100 failed", three_failed},
    {"2 failed, 1 away", two_failed_one_away},
    {"stage is away", stage_away},
    {"4 of 10, 6 away", four_of_ten},
    {"5 of 10, 5 away", five_of_ten},
    {"3 of 10, 7 failed", seven_failed},
    {"4 of 10 for long", four_and_time},
    {"0 of 10 for long", none_and_time},
    {"stage all failed", stage_all_failed},
    {"stage incompatible", stage_incompatible},
    {"stage has no node", stage_empty},
    {"no node selected", none_selected},
    {"mandatory: one failed", mandatory_failed},
    {"mandatory: one away", mandatory_away},
    {"mandatory: no canary", mandatory_none},
    {"paused", paused},
    {"suspended", suspended},
    {"halted by operator", halted_by_operator},
    {"3 failed, resume", resumed},
    {"canary removed", no_canary_any_more},
    {"waves 1 %, 60 %", other_waves},
};

static const struct {
    const char *name;
    unsigned wave, cutoff;
    bool settled;
    uint64_t soaked_ns;
    const char *halted;
} states[] = {
    {"Canary", 0, 0, false, 0, NULL},
    {"CanarySoak", 0, 0, true, 5 * MINUTE, NULL},
    {"CanarySoak, last second", 0, 0, true, 10 * MINUTE - HF_NS_PER_S, NULL},
    {"Wave 1", 1, 500, false, 0, NULL},
    {"WaveSoak 1", 1, 500, true, 5 * MINUTE, NULL},
    {"WaveSoak 1, last second", 1, 500, true, 10 * MINUTE - HF_NS_PER_S, NULL},
    {"Wave 3", 3, 10000, false, 0, NULL},
    {"WaveSoak 3, last second", 3, 10000, true, 10 * MINUTE - HF_NS_PER_S, NULL},
    {"Complete", 3, 10000, true, 10 * MINUTE, NULL},
    {"Halted in wave 1", 1, 500, false, 0, "TooManyFailures"},
    {"Halted in soak of wave 1", 1, 500, true, 5 * MINUTE, "TooManyFailures"},
};

static void print_row(struct hf_buf *out, size_t i, const struct situation *situation)
{
    static const char *const words[] = {"settled", "admitted", "halted", "resumed", "complete"};
    struct hf_rollout_spec spec = spec_of_test();
    struct hf_rollout_counts counts = all_well;
    struct hf_rollout_decision decision;
    struct hf_rollout_state state = state_of(states[i].wave, states[i].cutoff, states[i].settled, states[i].soaked_ns);
    char line[300], news[80] = "";

    if (states[i].halted != NULL) {
        state.halted = true;
        (void)snprintf(state.reason, sizeof(state.reason), "%s", states[i].halted);
    }
    situation->arrange(&spec, &counts);
    hf_rollout_step(&spec, &state, &counts, HF_NS_PER_S, &decision);
    for (size_t k = 0; k < HF_LEN(words); k++)
        if (decision.news & 1u << k)
            (void)snprintf(news + strlen(news), sizeof(news) - strlen(news), " %s", words[k]);
    (void)snprintf(line, sizeof(line), "  %-22s %-10s wave %u, cutoff %5u%s, %s %s%s%s;%s\n", situation->name,
                   hf_rollout_phase_name(decision.phase), decision.state.wave, decision.admission_cutoff,
                   decision.admission_canary ? " + canary" : "", decision.verdict.ready ? "Ready" : "not ready",
                   decision.verdict.reason, decision.verdict.reconciling ? ", Reconciling" : "",
                   decision.verdict.stalled ? ", Stalled" : "", news);
    ck_assert_int_eq(hf_buf_add(out, line, strlen(line)), 0);
    /* what holds in every row */
    ck_assert_uint_ge(decision.state.cutoff, state.cutoff);
    ck_assert(decision.admission_cutoff == 0 || decision.admission_cutoff == decision.state.cutoff);
    ck_assert(!(decision.verdict.reconciling && decision.verdict.stalled));
    ck_assert(!decision.verdict.ready || !(decision.verdict.reconciling || decision.verdict.stalled));
    ck_assert_uint_lt(strlen(decision.verdict.message), HF_ROLLOUT_MESSAGE);
}

START_TEST(phases)
{
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(1 << 16);

    for (size_t i = 0; i < HF_LEN(states); i++) {
        ck_assert_int_eq(hf_buf_add(&out, states[i].name, strlen(states[i].name)), 0);
        ck_assert_int_eq(hf_buf_add(&out, "\n", 1), 0);
        for (size_t k = 0; k < HF_LEN(situations); k++)
            print_row(&out, i, &situations[k]);
    }
    ck_assert(hf_golden("rollout_phases.txt", hf_buf_view(&out)));
}
END_TEST

/* Steps of any length reach the same end, and no soak is shorter than asked. */
START_TEST(soaks_for_as_long_as_asked)
{
    static const uint64_t steps[] = {1, HF_NS_PER_MS, HF_NS_PER_S, 7 * HF_NS_PER_S, MINUTE};
    struct hf_rollout_spec spec = spec_of_test();
    struct hf_rollout_decision decision;
    struct hf_rollout_state state = hf_rollout_begin(&spec, &(struct hf_rollout_state){0}, 1, 0);
    uint64_t passed = 0, n = 0;

    hf_rollout_step(&spec, &state, &all_well, 0, &decision);
    ck_assert_int_eq(decision.phase, HF_ROLLOUT_CANARY_SOAK);
    while (decision.phase == HF_ROLLOUT_CANARY_SOAK) {
        uint64_t step = steps[n++ % HF_LEN(steps)];
        passed += step;
        state = decision.state;
        hf_rollout_step(&spec, &state, &all_well, step, &decision);
    }
    ck_assert_uint_ge(passed, 10 * MINUTE);
    ck_assert_uint_lt(passed, 11 * MINUTE);
    ck_assert_uint_eq(decision.state.cutoff, 500);
}
END_TEST

/* The state survives its JSON in every phase, with less soak at most; and nonsense becomes what admits least. */
START_TEST(state_round_trip)
{
    for (size_t i = 0; i < HF_LEN(states); i++) {
        struct hf_rollout_spec spec = spec_of_test();
        struct hf_rollout_state back,
            state = state_of(states[i].wave, states[i].cutoff, states[i].settled, states[i].soaked_ns + 1234567);
        struct hf_rollout_decision decision;
        state.halted = states[i].halted != NULL;
        (void)snprintf(state.reason, sizeof(state.reason), "%s", state.halted ? states[i].halted : "");
        hf_rollout_look(&spec, &state, &all_well, &decision);
        _cleanup_(hf_json_freep) json_t *json = hf_rollout_state_encode(&state, decision.phase);
        hf_rollout_state_decode(json, &back);
        ck_assert_msg(hf_rollout_same_state(&state, &back), "%s", states[i].name);
        ck_assert_uint_le(back.soaked_ns, state.soaked_ns);
        ck_assert_uint_gt(back.soaked_ns + HF_NS_PER_MS, state.soaked_ns);
    }
}
END_TEST

START_TEST(nonsense_state)
{
    static const char text[] =
        "{digest: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, cutoff: 99999,"
        " wave: -4, soaked: soon, forgiven: -1, epoch: -9, settledWave: 12, phase: Halted}";
    _cleanup_(hf_json_freep) json_t *json = NULL;
    struct hf_rollout_state state;

    ck_assert_int_eq(hf_yaml_parse(HF_VIEW(text), NULL, &json, NULL), 0);
    hf_rollout_state_decode(json, &state);
    ck_assert(state.cutoff == 0 && state.wave == 0 && !state.settled && state.soaked_ns == 0 && state.forgiven == 0);
    ck_assert(state.halted && state.epoch == 0);
    hf_rollout_state_decode(NULL, &state);
    ck_assert_str_eq(state.digest, "");
}
END_TEST

/* A resume forgives the failures that were there, once, and not as many others. */
START_TEST(forgives_once)
{
    struct hf_rollout_spec spec = spec_of_test();
    struct hf_rollout_counts counts = all_well;
    struct hf_rollout_state state = state_of(1, 500, false, 0);
    struct hf_rollout_decision decision;

    three_failed(&spec, &counts);
    hf_rollout_step(&spec, &state, &counts, 0, &decision);
    ck_assert_int_eq(decision.phase, HF_ROLLOUT_HALTED);
    spec.resume = "one";
    state = decision.state;
    hf_rollout_step(&spec, &state, &counts, 0, &decision);
    ck_assert_uint_eq(decision.state.forgiven, 3);
    ck_assert_int_ne(decision.phase, HF_ROLLOUT_HALTED);
    counts.failed = 5; /* two more are allowed */
    state = decision.state;
    hf_rollout_step(&spec, &state, &counts, 0, &decision);
    ck_assert_int_ne(decision.phase, HF_ROLLOUT_HALTED);
    counts.failed = 6;
    state = decision.state;
    hf_rollout_step(&spec, &state, &counts, 0, &decision);
    ck_assert_int_eq(decision.phase, HF_ROLLOUT_HALTED); /* the old token is used up */
    spec.resume = "two";
    counts.failed = 1; /* five were mended: one is forgiven, no more */
    state = decision.state;
    hf_rollout_step(&spec, &state, &counts, 0, &decision);
    ck_assert_uint_eq(decision.state.forgiven, 1);
    counts.failed = 4;
    state = decision.state;
    hf_rollout_step(&spec, &state, &counts, 0, &decision);
    ck_assert_int_eq(decision.phase, HF_ROLLOUT_HALTED);
}
END_TEST

/* One mandatory canary of one fails, and no failure is allowed: a resume lets the rollout go on. A failure after that counts
 * by maxFailures, unless it is another canary. */
START_TEST(a_failed_canary_is_accepted)
{
    struct hf_rollout_spec spec = spec_of_test();
    struct hf_rollout_counts counts = {.selected = 100,
                                       .admitted = 1,
                                       .canaries = 1,
                                       .failed = 1,
                                       .stage_nodes = 1,
                                       .stage_failed = 1,
                                       .canary_failed = 1,
                                       .canary_open = 1};
    struct hf_rollout_state state = state_of(0, 0, false, 0);
    struct hf_rollout_decision decision;

    spec.canary_mandatory = true;
    spec.max_failures = (struct hf_share){.count = 0};
    hf_rollout_step(&spec, &state, &counts, 0, &decision);
    ck_assert_int_eq(decision.phase, HF_ROLLOUT_HALTED);
    ck_assert_str_eq(decision.verdict.reason, "CanaryFailed");
    spec.resume = "go on";
    state = decision.state;
    hf_rollout_step(&spec, &state, &counts, 0, &decision);
    ck_assert_msg(decision.phase == HF_ROLLOUT_CANARY_SOAK, "%s: %s", hf_rollout_phase_name(decision.phase),
                  decision.verdict.message);
    ck_assert_ptr_null(strstr(decision.verdict.message, "away"));
    state = decision.state;
    hf_rollout_step(&spec, &state, &counts, HF_NEVER - 1, &decision);
    ck_assert_msg(decision.phase == HF_ROLLOUT_WAVE, "%s: %s", hf_rollout_phase_name(decision.phase),
                  decision.verdict.message);

    counts.failed = 2;
    counts.admitted = 50;
    state = decision.state;
    hf_rollout_step(&spec, &state, &counts, 0, &decision);
    ck_assert_str_eq(decision.verdict.reason, "TooManyFailures");
    counts.canary_failed = counts.canary_open = counts.canaries = 2;
    hf_rollout_step(&spec, &state, &counts, 0, &decision);
    ck_assert_str_eq(decision.verdict.reason, "CanaryFailed");
}
END_TEST

/* An edited list of waves never takes back what it reached, and never opens more than the next wave. */
START_TEST(any_list_after_any_stage)
{
    for (unsigned cutoff = 0; cutoff <= 10000; cutoff += 250)
        for (unsigned first = 1; first <= 99; first += 7) {
            struct hf_rollout_spec spec = spec_of_test();
            struct hf_rollout_state state = state_of(1, cutoff, true, 60 * MINUTE);
            struct hf_rollout_decision decision;
            spec.waves[0].percent = first;
            spec.waves[1].percent = 100;
            spec.n_waves = 2;
            hf_rollout_step(&spec, &state, &all_well, 0, &decision);
            unsigned want = cutoff < first * 100 ? first * 100 : 10000;
            ck_assert_uint_eq(decision.state.cutoff, want);
            ck_assert_uint_le(decision.state.wave, 2);
        }
}
END_TEST

START_TEST(without_strategy)
{
    static const struct {
        struct hf_rollout_counts counts;
        bool suspend, ready, reconciling, stalled;
        const char *reason;
    } rows[] = {
        {{.selected = 0}, false, true, false, false, "NoNodesSelected"},
        {{.selected = 2, .admitted = 2, .updated = 2}, false, true, false, false, "RolledOut"},
        {{.selected = 2, .admitted = 2, .updated = 1, .unknown = 1}, false, true, false, false, "RolledOut"},
        {{.selected = 2, .admitted = 2, .updating = 2}, false, false, true, false, "Progressing"},
        {{.selected = 2, .admitted = 2, .updating = 2}, true, false, false, false, "Suspended"},
        {{.selected = 2, .admitted = 2, .updating = 1, .failed = 1}, false, false, false, true, "NodesFailed"},
    };

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct hf_rollout_verdict verdict;
        hf_rollout_plain_verdict(&rows[i].counts, rows[i].suspend, &verdict);
        ck_assert_msg(verdict.ready == rows[i].ready && verdict.reconciling == rows[i].reconciling &&
                          verdict.stalled == rows[i].stalled && strcmp(verdict.reason, rows[i].reason) == 0,
                      "row %zu: %s", i, verdict.reason);
    }
}
END_TEST

/* How many updated nodes a stage needs. */
START_TEST(needed_nodes)
{
    static const struct hf_share half = {.is_percent = true, .basis_points = 5000};
    static const struct hf_share all = {.is_percent = true, .basis_points = 10000};
    static const struct hf_share three = {.count = 3}, thousand = {.count = 1000};
    static const struct {
        const struct hf_share *share;
        uint32_t nodes, exempt, failed;
        bool waited;
        unsigned want;
    } rows[] = {
        {&half, 500, 0, 0, false, 250}, {&half, 501, 0, 0, false, 251}, {&half, 3, 0, 0, false, 2},
        {&half, 2, 0, 0, false, 1},     {&half, 1, 0, 0, false, 1},     {&half, 0, 0, 0, false, 0},
        {&half, 10, 10, 0, false, 0},   {&half, 10, 9, 0, false, 1},    {&half, 10, 4, 0, false, 3},
        {&half, 10, 0, 7, false, 3},    {&half, 10, 2, 8, false, 0},    {&half, 10, 0, 1, false, 5},
        {&all, 10, 0, 0, false, 10},    {&all, 10, 1, 2, false, 7},     {&three, 500, 0, 0, false, 3},
        {&three, 2, 0, 0, false, 2},    {&three, 1, 0, 0, false, 1},    {&thousand, 500, 0, 1, false, 499},
        {&half, 500, 0, 0, true, 1},    {&all, 500, 0, 499, true, 1},   {&half, 500, 0, 500, true, 0},
        {&three, 0, 0, 0, true, 0},     {&half, 10, 10, 0, true, 0},    {&half, 100000, 0, 0, false, 50000},
    };

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct hf_rollout_spec spec = spec_of_test();
        struct hf_rollout_counts counts = {
            .stage_nodes = rows[i].nodes, .stage_exempt = rows[i].exempt, .stage_failed = rows[i].failed};
        struct hf_rollout_state state = state_of(1, 500, false, 0);
        spec.min_updated = *rows[i].share;
        spec.min_updated_after_ns = 10 * MINUTE;
        state.waited_ns = rows[i].waited ? 10 * MINUTE : 10 * MINUTE - 1;
        unsigned got = hf_rollout_needed(&spec, &state, &counts);
        ck_assert_msg(got == rows[i].want, "row %zu: %u", i, got);
    }
}
END_TEST

/* The wait for minUpdatedAfter counts only time in which nodes may start, survives a failover, and ends with the stage;
 * the message names the numbers. */
START_TEST(waits_for_few)
{
    struct hf_rollout_spec spec = spec_of_test();
    struct hf_rollout_counts counts = all_well;
    struct hf_rollout_state state = state_of(1, 500, false, 0);
    struct hf_rollout_decision decision;

    four_of_ten(&spec, &counts);
    spec.min_updated_after_ns = 10 * MINUTE;
    hf_rollout_step(&spec, &state, &counts, 4 * MINUTE, &decision);
    ck_assert_str_eq(decision.verdict.reason, "FewUpdated");
    ck_assert(decision.verdict.reconciling && !decision.verdict.ready && !decision.verdict.stalled);
    ck_assert_str_eq(decision.verdict.message,
                     "wave 1 of 3 (5 %): 94 of 100 admitted nodes updated, 6 away; 4 of the 10 nodes of this stage "
                     "have updated, 5 are needed (strategy.minUpdated), 6 are away; after 10m in this stage one is "
                     "enough (strategy.minUpdatedAfter)");
    ck_assert_uint_eq(decision.left_ns, 6 * MINUTE);
    state = decision.state;
    spec.halt = "wait";
    hf_rollout_step(&spec, &state, &counts, 60 * MINUTE, &decision);
    ck_assert_uint_eq(decision.state.waited_ns, 4 * MINUTE);
    ck_assert_uint_eq(decision.left_ns, HF_NEVER);
    spec.halt = NULL;
    spec.suspend = true;
    hf_rollout_step(&spec, &state, &counts, 60 * MINUTE, &decision);
    ck_assert_uint_eq(decision.state.waited_ns, 4 * MINUTE);
    spec.suspend = false;
    spec.paused = true; /* admitted nodes go on */
    hf_rollout_step(&spec, &state, &counts, MINUTE, &decision);
    ck_assert_uint_eq(decision.state.waited_ns, 5 * MINUTE);
    spec.paused = false;
    _cleanup_(hf_json_freep) json_t *json = hf_rollout_state_encode(&decision.state, decision.phase);
    hf_rollout_state_decode(json, &state);
    ck_assert_uint_eq(state.waited_ns, 5 * MINUTE);
    hf_rollout_step(&spec, &state, &counts, 5 * MINUTE - 1, &decision);
    ck_assert(!decision.state.settled);
    hf_rollout_step(&spec, &state, &counts, 5 * MINUTE, &decision);
    ck_assert(decision.state.settled);
    ck_assert_str_eq(decision.verdict.reason, "Soaking");
    state = decision.state;
    hf_rollout_step(&spec, &state, &counts, 10 * MINUTE, &decision); /* it soaks, and the next stage begins anew */
    ck_assert_uint_eq(decision.state.cutoff, 5000);
    ck_assert_uint_eq(decision.state.waited_ns, 0);
}
END_TEST

/* Nobody is left to wait for: a stage does not stand still, whatever its nodes are. */
START_TEST(no_stage_waits_for_nobody)
{
    for (unsigned percent = 0; percent <= 100; percent += 5)
        for (uint32_t nodes = 0; nodes <= 6; nodes++)
            for (uint32_t exempt = 0; exempt <= nodes; exempt++)
                for (uint32_t failed = 0; failed + exempt <= nodes; failed++) {
                    struct hf_rollout_spec spec = spec_of_test();
                    struct hf_rollout_state state = state_of(1, 500, false, 0);
                    struct hf_rollout_counts counts = {.selected = 10, .admitted = nodes, .stage_nodes = nodes};
                    struct hf_rollout_decision decision;
                    counts.failed = counts.stage_failed = failed;
                    counts.stage_exempt = counts.incompatible = exempt;
                    counts.updated = counts.stage_updated = nodes - exempt - failed;
                    spec.max_failures = (struct hf_share){.count = 100};
                    spec.min_updated.basis_points = percent * 100;
                    hf_rollout_step(&spec, &state, &counts, 0, &decision);
                    ck_assert_msg(decision.state.settled || decision.state.halted,
                                  "%u %%: %u nodes, %u exempt, %u failed", percent, nodes, exempt, failed);
                }
}
END_TEST

/* ---- shares ------------------------------------------------------------------------------------------------------ */

struct member {
    unsigned slot;
    bool canary, left;
};

static uint32_t draw(uint64_t *seed, uint32_t n)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % n;
}

static void rank(const struct member *members, size_t n, struct hf_rollout_ranks *ranks)
{
    memset(ranks, 0, sizeof(*ranks));
    for (size_t i = 0; i < n; i++) {
        if (members[i].left)
            continue;
        ranks->selected++;
        if (members[i].canary)
            ranks->canaries++;
        else
            ranks->nodes[members[i].slot]++;
    }
}

static bool is_admitted(const struct member *member, const struct hf_rollout_state *state)
{
    return !member->left && (member->canary || member->slot < state->slots);
}

static uint32_t count_admitted(const struct member *members, size_t n, const struct hf_rollout_state *state)
{
    uint32_t admitted = 0;

    for (size_t i = 0; i < n; i++)
        admitted += is_admitted(&members[i], state);
    return admitted;
}

/* Different slots: nodes with one slot go together. */
static void fill(struct member *members, size_t n, uint64_t *seed, uint32_t canary_percent)
{
    bool used[HF_ROLLOUT_ALL_SLOTS] = {false};

    for (size_t i = 0; i < n; i++) {
        do
            members[i] =
                (struct member){.slot = draw(seed, HF_ROLLOUT_ALL_SLOTS), .canary = draw(seed, 100) < canary_percent};
        while (used[members[i].slot]);
        used[members[i].slot] = true;
    }
}

/* Share rounded down, one at least; what earlier waves and canaries have stays. */
START_TEST(shares_are_exact)
{
    static struct hf_rollout_ranks ranks;
    struct member members[30];
    uint64_t seed = (uint64_t)_i;

    for (unsigned percent = 1; percent <= 100; percent++) {
        struct hf_rollout_state state = {.cutoff = percent * 100};
        size_t n = (size_t)_i;
        fill(members, n, &seed, percent % 3 * 10);
        rank(members, n, &ranks);
        hf_rollout_fit_wave(&state, &ranks);
        uint32_t want = HF_MAX(HF_MAX((uint32_t)n * percent / 100, 1u), ranks.canaries);
        ck_assert_msg(count_admitted(members, n, &state) == want, "%u %% of %zu nodes: %u, not %u", percent, n,
                      count_admitted(members, n, &state), want);
        ck_assert(percent < 100 || state.slots == HF_ROLLOUT_ALL_SLOTS);
    }
}
END_TEST

/* Nodes join and leave between two waves: who was admitted stays so, and no wave adds more than its share leaves. */
START_TEST(shares_with_joins_and_leaves)
{
    static struct hf_rollout_ranks ranks;
    struct member members[60];
    uint64_t seed = (uint64_t)_i;

    for (unsigned round = 0; round < 50; round++) {
        struct hf_rollout_state state = {.cutoff = 0};
        size_t n = (size_t)_i;
        fill(members, HF_LEN(members), &seed, 10);
        for (unsigned cutoff = 100 + draw(&seed, 3000); cutoff < HF_ROLLOUT_ALL_SLOTS;
             cutoff += 100 + draw(&seed, 3000)) {
            struct hf_rollout_state before = state;
            state.cutoff = cutoff;
            state.slots_before = state.slots;
            rank(members, n, &ranks);
            uint32_t had = count_admitted(members, n, &before);
            hf_rollout_fit_wave(&state, &ranks);
            ck_assert_uint_ge(state.slots, before.slots);
            uint32_t share = HF_MAX(ranks.selected * cutoff / HF_ROLLOUT_ALL_SLOTS, 1u);
            ck_assert_uint_eq(count_admitted(members, n, &state), HF_MIN(HF_MAX(share, had), ranks.selected));
            for (size_t i = 0; i < n; i++)
                members[i].left = members[i].left || draw(&seed, 10) == 0;
            n = HF_MIN(n + draw(&seed, 5), HF_LEN(members));
        }
    }
}
END_TEST

/* Nodes of one slot go together, or not at all. */
START_TEST(nodes_of_one_slot)
{
    static struct hf_rollout_ranks ranks;
    struct hf_rollout_state state = {.cutoff = 5000};

    ranks = (struct hf_rollout_ranks){.selected = 4, .nodes = {[100] = 1, [4000] = 2, [9000] = 1}};
    hf_rollout_fit_wave(&state, &ranks);
    ck_assert_uint_eq(state.slots, 4000);
    ranks = (struct hf_rollout_ranks){.selected = 4, .nodes = {[4000] = 4}};
    hf_rollout_fit_wave(&state, &ranks);
    ck_assert_uint_gt(state.slots, 4000);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, phases);
    tcase_add_test(tc, soaks_for_as_long_as_asked);
    tcase_add_test(tc, state_round_trip);
    tcase_add_test(tc, nonsense_state);
    tcase_add_test(tc, forgives_once);
    tcase_add_test(tc, a_failed_canary_is_accepted);
    tcase_add_test(tc, any_list_after_any_stage);
    tcase_add_test(tc, without_strategy);
    tcase_add_test(tc, needed_nodes);
    tcase_add_test(tc, waits_for_few);
    tcase_add_test(tc, no_stage_waits_for_nobody);
    tcase_add_loop_test(tc, shares_are_exact, 1, 31);
    tcase_add_loop_test(tc, shares_with_joins_and_leaves, 1, 31);
    tcase_add_test(tc, nodes_of_one_slot);
}

HF_TEST_MAIN("rollout/rollout", cases)
