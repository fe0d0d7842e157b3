/* SPDX-License-Identifier: Apache-2.0 */
/* The table of node/time_judge.c, and random evidence against what must always hold. */
#include "node/time_judge.h"

#include <check.h>

#include "base/clock.h"
#include "base/macros.h"
#include "support/check_main.h"

#define S HF_NS_PER_S
#define DAY (24ull * 3600 * S)
#define YEAR (365 * DAY)
#define BUILD (1793491200ull * S)
#define NOW (BUILD + 100 * DAY)
#define SKEW (300 * S)

enum { SYNCED = 1, FRESH = 2 };

static const struct {
    const char *name;
    uint64_t proof, lower, wall, date, agreed, track; /* 0: that evidence is missing; proof 0: the build */
    unsigned flags;
    enum hf_time_agreement agreement;
    uint64_t earliest, latest, estimate, other;
} rows[] = {
    {"all say the same", 0, NOW - DAY, NOW, NOW - S, NOW, NOW, SYNCED | FRESH, HF_TIME_AGREED, NOW - S, NOW, NOW, NOW},
    {"no server", 0, NOW - DAY, NOW, 0, 0, 0, 0, HF_TIME_ALONE, NOW - DAY, NOW, NOW, NOW},
    {"no battery, no server", 0, NOW - DAY, 5 * S, 0, 0, NOW, 0, HF_TIME_UNKNOWN, NOW - DAY, HF_NEVER, NOW, NOW},
    {"no battery, first start", 0, BUILD, 5 * S, 0, 0, 0, 0, HF_TIME_UNKNOWN, BUILD, HF_NEVER, BUILD, BUILD},
    {"no battery, a server", 0, NOW - DAY, 5 * S, NOW, 0, 0, FRESH, HF_TIME_ALONE, NOW - DAY, NOW, NOW, NOW},
    {"no battery, a lying server", 0, NOW - DAY, 5 * S, NOW + 30 * YEAR, 0, 0, FRESH, HF_TIME_ALONE, NOW - DAY,
     NOW + 30 * YEAR, NOW + 30 * YEAR, NOW + 30 * YEAR},
    {"an old Date does not confirm an agreed lie", 0, NOW - DAY, 5 * S, NOW + YEAR, NOW + YEAR, NOW + YEAR, FRESH,
     HF_TIME_ALONE, NOW - DAY, NOW + YEAR, NOW + YEAR, NOW + YEAR},
    {"the server leaps ahead", 0, NOW - DAY, NOW, NOW + 30 * YEAR, NOW, NOW, SYNCED | FRESH, HF_TIME_CONTRADICTED, NOW,
     NOW + 30 * YEAR, NOW, NOW + 30 * YEAR},
    {"the server leaps back", 0, NOW - DAY, NOW, NOW - 30 * YEAR, NOW, NOW, SYNCED | FRESH, HF_TIME_ALONE, NOW, NOW,
     NOW, NOW},
    {"the wall clock leaps ahead", 0, NOW - DAY, NOW + 399 * DAY, NOW, NOW, NOW, FRESH, HF_TIME_CONTRADICTED, NOW,
     NOW + 399 * DAY, NOW, NOW + 399 * DAY},
    {"the wall clock is weeks behind", 0, BUILD, NOW - 50 * DAY, NOW, 0, 0, FRESH, HF_TIME_CONTRADICTED, BUILD, NOW,
     NOW, NOW - 50 * DAY},
    {"a synchronized one is weeks behind", 0, BUILD, NOW - 50 * DAY, NOW, 0, 0, SYNCED | FRESH, HF_TIME_CONTRADICTED,
     BUILD, NOW, NOW - 50 * DAY, NOW},
    {"alone, it goes back behind the last agreement", 0, BUILD, NOW - 50 * DAY, 0, NOW, 0, 0, HF_TIME_ALONE, BUILD,
     NOW - 50 * DAY, NOW - 50 * DAY, NOW - 50 * DAY},
    {"alone, it goes back behind its track", 0, BUILD, NOW - 50 * DAY, 0, 0, NOW, 0, HF_TIME_CONTRADICTED, BUILD, NOW,
     NOW, NOW - 50 * DAY},
    {"alone, it leaps ahead of its track", 0, BUILD, NOW + 399 * DAY, 0, 0, NOW, 0, HF_TIME_CONTRADICTED, BUILD,
     NOW + 399 * DAY, NOW, NOW + 399 * DAY},
    {"alone, after the last agreement", 0, BUILD, NOW, 0, NOW - DAY, NOW, 0, HF_TIME_ALONE, NOW - DAY, NOW, NOW, NOW},
    {"a bound ahead of the wall clock", 0, NOW + 9 * DAY, NOW, 0, 0, 0, SYNCED, HF_TIME_UNKNOWN, NOW, HF_NEVER,
     NOW + 9 * DAY, NOW + 9 * DAY},
    {"two outvote a bound that time servers raised", 0, NOW + 9 * DAY, NOW, NOW, 0, 0, SYNCED | FRESH, HF_TIME_AGREED,
     NOW, NOW, NOW, NOW},
    {"but not what was signed", NOW + 9 * DAY, NOW + 9 * DAY, NOW, NOW, 0, 0, SYNCED | FRESH, HF_TIME_UNKNOWN, NOW,
     HF_NEVER, NOW + 9 * DAY, NOW + 9 * DAY},
    {"both before the build", 0, BUILD, BUILD - YEAR, BUILD - YEAR, 0, 0, SYNCED | FRESH, HF_TIME_UNKNOWN, BUILD,
     HF_NEVER, BUILD, BUILD},
    {"within the skew", 0, NOW - DAY, NOW, NOW + SKEW, 0, 0, FRESH, HF_TIME_AGREED, NOW, NOW + SKEW, NOW, NOW},
    {"beyond the skew", 0, NOW - DAY, NOW, NOW + SKEW + 1, 0, 0, FRESH, HF_TIME_CONTRADICTED, NOW - DAY, NOW + SKEW + 1,
     NOW + SKEW + 1, NOW},
    {"an old Date confirms nothing", 0, NOW - DAY, NOW, NOW, 0, 0, 0, HF_TIME_ALONE, NOW - DAY, NOW, NOW, NOW},
};

static struct hf_time_witness shows(uint64_t unix_ns)
{
    return (struct hf_time_witness){unix_ns != 0, unix_ns, 0};
}

START_TEST(table)
{
    const struct hf_time_evidence evidence = {
        .build_unix_ns = BUILD,
        .proof_unix_ns = HF_MAX(rows[_i].proof, BUILD),
        .lower_unix_ns = rows[_i].lower,
        .wall = shows(rows[_i].wall),
        .date = shows(rows[_i].date),
        .agreed = shows(rows[_i].agreed),
        .wall_synced = (rows[_i].flags & SYNCED) != 0,
        .date_fresh = (rows[_i].flags & FRESH) != 0,
        .max_skew_ns = SKEW,
        .track = shows(rows[_i].track),
    };
    struct hf_time_range got;

    hf_time_judge(&evidence, &got);
    ck_assert_msg(got.agreement == rows[_i].agreement, "%s: %s", rows[_i].name, hf_time_agreement_name(got.agreement));
    ck_assert_msg(got.earliest_unix_ns == rows[_i].earliest && got.latest_unix_ns == rows[_i].latest,
                  "%s: from %+lld s to %+lld s", rows[_i].name, (long long)(got.earliest_unix_ns - NOW) / (long long)S,
                  (long long)(got.latest_unix_ns - NOW) / (long long)S);
    ck_assert_msg(got.estimate_unix_ns == rows[_i].estimate && got.other_unix_ns == rows[_i].other, "%s: estimate %llu",
                  rows[_i].name, (unsigned long long)got.estimate_unix_ns);
}
END_TEST

static uint64_t state = 1;

static uint64_t below(uint64_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % n;
}

static struct hf_time_witness some_witness(bool honest)
{
    uint64_t error = below(10 * S);

    if (honest)
        return (struct hf_time_witness){true, NOW - error + below(2 * error + 1), error};
    return (struct hf_time_witness){below(4) != 0, NOW - 50 * YEAR + below(100 * YEAR), error};
}

/* The lower bound holds, and at most one live witness lies: whatever else the evidence says, the truth lies in the
 * range (up to maxSkew), and nothing that is valid now looks expired. */
START_TEST(one_liar)
{
    for (unsigned i = 0; i < 200000; i++) {
        bool wall_lies = below(2) == 0;
        struct hf_time_evidence evidence = {
            .build_unix_ns = BUILD,
            .proof_unix_ns = BUILD + below(NOW - BUILD),
            .wall = some_witness(!wall_lies),
            .date = some_witness(wall_lies),
            .agreed =
                below(2) == 0 ? (struct hf_time_witness){0} : (struct hf_time_witness){true, NOW - below(YEAR), 0},
            .track = some_witness(below(2) == 0),
            .wall_synced = below(2) == 0,
            .date_fresh = below(2) == 0,
            .max_skew_ns = SKEW,
        };
        struct hf_time_range range;
        evidence.lower_unix_ns = evidence.proof_unix_ns + below(NOW - evidence.proof_unix_ns);
        hf_time_judge(&evidence, &range);
        ck_assert_uint_le(range.earliest_unix_ns, NOW);
        ck_assert_msg(range.latest_unix_ns >= NOW - SKEW, "%u: latest is %lld s early", i,
                      (long long)((NOW - range.latest_unix_ns) / S));
        ck_assert_uint_le(range.estimate_unix_ns, range.latest_unix_ns);
        ck_assert_int_ne(hf_time_has_come(&range, NOW + S), HF_TIME_YES);
        ck_assert_int_ne(hf_time_has_come(&range, NOW - SKEW), HF_TIME_NO);
        ck_assert_int_ge(hf_time_distance_s(&range, 0, (int64_t)(NOW / S)), 0);
    }
}
END_TEST

/* Any evidence at all, however contradictory: the range is in order, and a certificate that a live witness (not before
 * the build) takes for valid is never expired, unless both agree otherwise. */
START_TEST(any_evidence)
{
    for (unsigned i = 0; i < 200000; i++) {
        struct hf_time_evidence evidence = {
            .build_unix_ns = BUILD,
            .proof_unix_ns = BUILD + below(50 * YEAR),
            .wall = some_witness(false),
            .date = some_witness(false),
            .agreed = some_witness(false),
            .wall_synced = below(2) == 0,
            .date_fresh = below(2) == 0,
            .max_skew_ns = below(DAY),
            .track = some_witness(false),
        };
        struct hf_time_range range;
        evidence.lower_unix_ns = evidence.proof_unix_ns + below(50 * YEAR);
        hf_time_judge(&evidence, &range);
        ck_assert_uint_le(range.earliest_unix_ns, range.latest_unix_ns);
        ck_assert_uint_le(range.estimate_unix_ns, range.latest_unix_ns);
        if (evidence.wall.known && evidence.wall.unix_ns >= BUILD)
            ck_assert_uint_le(range.earliest_unix_ns, evidence.wall.unix_ns);
        if (evidence.date.known && evidence.date.unix_ns >= BUILD)
            ck_assert_uint_le(range.earliest_unix_ns, evidence.date.unix_ns);
    }
}
END_TEST

/* How exact the estimate is, which decides about the edges of windows. */
static const struct {
    const char *name;
    struct hf_time_witness wall, date, track;
    bool synced;
    enum hf_time_agreement agreement;
    uint64_t error;
} errors[] = {
    {"a time server keeps the wall clock",
     {true, NOW, S / 100},
     {true, NOW - S, 31 * S},
     {0},
     true,
     HF_TIME_AGREED,
     S / 100},
    {"the Date confirms the wall clock", {true, NOW, 0}, {true, NOW - S, 31 * S}, {0}, false, HF_TIME_AGREED, 32 * S},
    {"a time server, no Date", {true, NOW, S / 2}, {0}, {0}, true, HF_TIME_ALONE, S / 2},
    {"a wall clock that nothing confirms", {true, NOW, 0}, {0}, {0}, false, HF_TIME_ALONE, SKEW},
    {"only the Date", {true, 5 * S, 0}, {true, NOW, 31 * S}, {0}, false, HF_TIME_ALONE, 31 * S},
    {"they differ", {true, NOW + DAY, 0}, {true, NOW, 31 * S}, {0}, false, HF_TIME_CONTRADICTED, SKEW},
    {"a leap", {true, NOW + DAY, S}, {0}, {true, NOW, 0}, true, HF_TIME_CONTRADICTED, SKEW},
    {"nothing", {true, 5 * S, 0}, {0}, {0}, false, HF_TIME_UNKNOWN, HF_NEVER},
};

START_TEST(error_of_the_estimate)
{
    const struct hf_time_evidence evidence = {.build_unix_ns = BUILD,
                                              .proof_unix_ns = BUILD,
                                              .lower_unix_ns = BUILD,
                                              .wall = errors[_i].wall,
                                              .date = errors[_i].date,
                                              .track = errors[_i].track,
                                              .wall_synced = errors[_i].synced,
                                              .date_fresh = true,
                                              .max_skew_ns = SKEW};
    struct hf_time_range got;

    hf_time_judge(&evidence, &got);
    ck_assert_msg(got.agreement == errors[_i].agreement, "%s: %s", errors[_i].name,
                  hf_time_agreement_name(got.agreement));
    ck_assert_msg(got.error_ns == errors[_i].error, "%s: %ju ms", errors[_i].name,
                  (uintmax_t)(got.error_ns / HF_NS_PER_MS));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, error_of_the_estimate, 0, (int)HF_LEN(errors));
    tcase_add_loop_test(tc, table, 0, HF_LEN(rows));
    tcase_add_test(tc, one_liar);
    tcase_add_test(tc, any_evidence);
}

HF_TEST_MAIN("node/time_judge", cases)
