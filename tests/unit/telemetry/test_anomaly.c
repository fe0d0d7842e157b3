/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/pipeline/anomaly.h"

#include <math.h>

#include "support/check_main.h"
#include "telemetry/event/member.h"

#define S HF_NS_PER_S

static struct hf_anomaly_rule_state state;
static uint64_t now_s;
static double measured;
static uint64_t seed = 5;

static void begin(const struct hf_telemetry_anomaly *rule)
{
    ck_assert_int_eq(hf_anomaly_init(&state, rule), 0);
    now_s = 1000;
    seed = 5;
}

/* Judges and learns a value one second after the last one. */
static enum hf_anomaly_phase see_as(enum hf_value_kind kind, double value)
{
    const struct hf_sample point = {.mono_ns = ++now_s * S, .unix_ns = now_s * S, .value = value};
    enum hf_anomaly_phase phase = hf_anomaly_judge(&state, kind, &point, &measured);

    hf_anomaly_learn(&state, kind, &point, phase, measured, true);
    return phase;
}

static enum hf_anomaly_phase see(double value)
{
    return see_as(HF_VALUE_GAUGE, value);
}

static double noise(void) /* roughly normal, standard deviation 1 */
{
    double sum = -6;

    for (int i = 0; i < 12; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        sum += (double)(seed >> 11) / 9007199254740992.0;
    }
    return sum;
}

static const struct {
    double above, below, hysteresis;
    double values[5];
    enum hf_anomaly_phase want[5];
} thresholds[] = {
    {80, NAN, 0, {80, 80.1, 90, 80, 79}, {0, 1, 2, 3, 0}}, {NAN, -5, 0, {-5, -6, -5, -7, 0}, {0, 1, 3, 1, 3}},
    {10, 0, 0, {11, -1, 5, -1, 11}, {1, 2, 3, 1, 2}},      {INFINITY, NAN, 0, {1e308, 0, 0, 0, 0}, {0, 0, 0, 0, 0}},
    {80, NAN, 5, {80.1, 76, 75, 76, 81}, {1, 2, 3, 0, 1}}, {NAN, -5, 2, {-6, -4, -3, -4, -6}, {1, 2, 3, 0, 1}},
    {10, 0, 5, {11, 6, 5, -1, 4}, {1, 2, 3, 1, 2}},
};

START_TEST(sees_thresholds)
{
    const struct hf_telemetry_anomaly rule = {.kind = HF_ANOMALY_THRESHOLD,
                                              .above = thresholds[_i].above,
                                              .below = thresholds[_i].below,
                                              .hysteresis = thresholds[_i].hysteresis};

    begin(&rule);
    for (size_t i = 0; i < 5; i++) {
        enum hf_anomaly_phase phase = see(thresholds[_i].values[i]);
        ck_assert_msg(phase == thresholds[_i].want[i], "%d: value %zu: %d", _i, i, phase);
    }
    hf_anomaly_done(&state);
}
END_TEST

START_TEST(sees_counters_as_rates)
{
    const struct hf_telemetry_anomaly rule = {.kind = HF_ANOMALY_THRESHOLD, .above = 10, .below = NAN};

    begin(&rule);
    ck_assert_int_eq(see_as(HF_VALUE_COUNTER, 1e9),
                     HF_ANOMALY_PHASE_NORMAL); /* the first value is only the starting point */
    ck_assert_int_eq(see_as(HF_VALUE_COUNTER, 1e9 + 10), HF_ANOMALY_PHASE_NORMAL);
    ck_assert_int_eq(see_as(HF_VALUE_COUNTER, 1e9 + 21), HF_ANOMALY_PHASE_BEGINS);
    ck_assert(measured == 11);
    ck_assert_int_eq(see_as(HF_VALUE_COUNTER, 5), HF_ANOMALY_PHASE_ENDS); /* a reset */
    ck_assert(measured == 5);
    hf_anomaly_done(&state);
}
END_TEST

/* Noise is normal; a spike is not; a new level is not until the mean has reached it; a slow drift always is. */
START_TEST(sees_deviations)
{
    const struct hf_telemetry_anomaly rule = {.kind = HF_ANOMALY_ZSCORE, .above = 5, .below = NAN, .window_ns = 60 * S};
    unsigned begins = 0, i;

    begin(&rule);
    for (i = 0; i < 15; i++)
        ck_assert_int_eq(see(i == 14 ? 1000 : 50 + noise()), HF_ANOMALY_PHASE_NORMAL); /* still learning */
    hf_anomaly_done(&state);
    begin(&rule);
    for (i = 0; i < 2000; i++)
        begins += see(50 + 2 * noise()) == HF_ANOMALY_PHASE_BEGINS;
    ck_assert_msg(begins <= 2, "%u", begins);
    ck_assert_msg(fabs(state.mean - 50) < 1.5 && fabs(sqrt(state.variance) - 2) < 0.7, "%g %g", state.mean,
                  sqrt(state.variance));
    ck_assert_int_eq(see(80), HF_ANOMALY_PHASE_BEGINS);
    ck_assert(measured > 10);
    ck_assert_int_eq(see(50), HF_ANOMALY_PHASE_ENDS);
    ck_assert_int_eq(see(20), HF_ANOMALY_PHASE_BEGINS);
    ck_assert(measured < -10);
    for (i = 0; i < 300 && see(20 + 2 * noise()) != HF_ANOMALY_PHASE_ENDS; i++)
        ;
    ck_assert_msg(i > 3 && i < 300, "%u", i);
    for (i = 0; i < 600; i++)
        (void)see(20 + 2 * noise());
    ck_assert_msg(fabs(state.mean - 20) < 2, "%g", state.mean);
    for (begins = i = 0; i < 2000; i++)
        begins += see(20 + i * 0.05 + 2 * noise()) == HF_ANOMALY_PHASE_BEGINS;
    ck_assert_msg(begins <= 4, "%u", begins);
    hf_anomaly_done(&state);
}
END_TEST

START_TEST(sees_a_constant_move)
{
    const struct hf_telemetry_anomaly rule = {.kind = HF_ANOMALY_ZSCORE, .above = 3, .below = NAN, .window_ns = 60 * S};

    begin(&rule);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(see(7), HF_ANOMALY_PHASE_NORMAL);
    ck_assert_int_eq(see(8), HF_ANOMALY_PHASE_BEGINS);
    ck_assert(isfinite(measured));
    hf_anomaly_done(&state);
}
END_TEST

START_TEST(sees_change)
{
    const struct hf_telemetry_anomaly rule = {.kind = HF_ANOMALY_RATE, .above = 30, .below = NAN, .window_ns = 60 * S};

    begin(&rule);
    for (int i = 0; i < 200; i++) /* 24 per minute, with jumps of 2 between values */
        ck_assert_int_eq(see(i * 0.4 + i % 2 * 2), HF_ANOMALY_PHASE_NORMAL);
    ck_assert_msg(fabs(measured - 24) < 7, "%g", measured);
    enum hf_anomaly_phase phase = HF_ANOMALY_PHASE_NORMAL;
    for (int i = 0; i < 60 && phase != HF_ANOMALY_PHASE_BEGINS; i++)
        phase = see(80 + i);
    ck_assert_int_eq(phase, HF_ANOMALY_PHASE_BEGINS);
    for (int i = 0; i < 200; i++)
        phase = see(100);
    ck_assert_int_eq(phase, HF_ANOMALY_PHASE_NORMAL);
    now_s += 3600; /* a drop of 100 is small within an hour, large within two minutes */
    ck_assert_int_eq(see(0), HF_ANOMALY_PHASE_NORMAL);
    now_s += 119;
    ck_assert_int_eq(see(-100), HF_ANOMALY_PHASE_BEGINS);
    hf_anomaly_done(&state);
}
END_TEST

START_TEST(misses_what_is_gone)
{
    const struct hf_telemetry_anomaly rule = {
        .kind = HF_ANOMALY_ABSENCE, .above = NAN, .below = NAN, .window_ns = 30 * S};

    begin(&rule);
    ck_assert_int_eq(see(3), HF_ANOMALY_PHASE_NORMAL);
    ck_assert_uint_eq(hf_anomaly_missing_at_ns(&state), 1031 * S);
    ck_assert(!hf_anomaly_missing(&state, 1030 * S, 1));
    ck_assert(hf_anomaly_missing(&state, 1041 * S, 77));
    ck_assert(state.begins.open && state.begins.unix_ns == 77 && state.begins.value == 3 &&
              state.begins.measured == 40);
    ck_assert(!hf_anomaly_missing(&state, 9999 * S, 1));
    ck_assert_uint_eq(hf_anomaly_missing_at_ns(&state), HF_NEVER);
    now_s = 9999;
    ck_assert_int_eq(see(4), HF_ANOMALY_PHASE_ENDS);
    ck_assert_uint_eq(hf_anomaly_missing_at_ns(&state), 10030 * S);
    hf_anomaly_done(&state);
}
END_TEST

START_TEST(remembers_what_was_before)
{
    const struct hf_telemetry_anomaly rule = {
        .kind = HF_ANOMALY_THRESHOLD, .above = 100, .below = NAN, .before = 3, .after = 2};

    begin(&rule);
    for (int i = 0; i < 8; i++)
        (void)see(i);
    (void)see(101);
    ck_assert_uint_eq(state.before_open, 3);
    ck_assert_uint_eq(state.after, 2);
    (void)see(50); /* a new value does not overwrite a pending finding */
    for (size_t i = 0; i < 3; i++)
        ck_assert(state.before[(state.before_at + i) % 3].value == 5 + (double)i);
    ck_assert_uint_eq(state.after, 1);
    ck_assert(state.begins.open && state.ends.open);
    hf_anomaly_done(&state);
}
END_TEST

/* ---- numbers out of payloads ------------------------------------------------------------------------------------- */

static const struct {
    const char *json, *path;
    double want; /* NaN: none */
} members[] = {
    {"{\"a\":1}", "a", 1},
    {" { \"b\" : [1,{\"a\":2}] , \"a\" : -2.5e1 } ", "a", -25},
    {"{\"m\":{\"r\":{\"x\":7}}}", "m.r.x", 7},
    {"{\"m\":{\"r\":1},\"r\":2}", "r", 2},
    {"{\"m\":3}", "m.r", NAN},
    {"{\"m\":{}}", "m.r", NAN},
    {"{\"a\":\"1\"}", "a", NAN},
    {"{\"a\":null}", "a", NAN},
    {"{\"a\":1e999}", "a", NAN},
    {"{}", "a", NAN},
    {"[1]", "a", NAN},
    {"1", "a", NAN},
    {"", "a", NAN},
    {"{\"b\":tru,\"a\":1}", "a", NAN},
};

START_TEST(finds_members)
{
    double got = NAN;
    bool found = hf_member_number(hf_view_of(members[_i].json), hf_view_of(members[_i].path), &got);

    ck_assert_msg(found == !isnan(members[_i].want) && (!found || got == members[_i].want), "%s %s: %g",
                  members[_i].json, members[_i].path, got);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, sees_thresholds, 0, (int)HF_LEN(thresholds));
    tcase_add_test(tc, sees_counters_as_rates);
    tcase_add_test(tc, sees_deviations);
    tcase_add_test(tc, sees_a_constant_move);
    tcase_add_test(tc, sees_change);
    tcase_add_test(tc, misses_what_is_gone);
    tcase_add_test(tc, remembers_what_was_before);
    tcase_add_loop_test(tc, finds_members, 0, (int)HF_LEN(members));
}
HF_TEST_MAIN("telemetry/anomaly", cases)
