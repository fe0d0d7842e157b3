#include "sync/stale.h"

#include <check.h>
#include <string.h>

#include "base/macros.h"
#include "support/check_main.h"

#define S HF_NS_PER_S
#define H (3600 * S)
#define U0 (1800000000ull * S)
#define WINDOW (72 * H)

static struct hf_now at(uint64_t mono, uint64_t unix_after)
{
    return (struct hf_now){mono, U0 + unix_after};
}

static void expect(struct hf_stale *stale, struct hf_now now, enum hf_staleness want, uint64_t want_wait)
{
    uint64_t wait;
    enum hf_staleness got = hf_stale_judge(stale, WINDOW, now, &wait);

    ck_assert_str_eq(hf_staleness_name(got), hf_staleness_name(want));
    ck_assert_uint_eq(wait, want_wait);
}

START_TEST(a_life)
{
    struct hf_stale stale;

    hf_stale_init(&stale, 0, at(5 * S, 0));
    expect(&stale, at(5 * S, 0), HF_STALE_EXPIRED, HF_NEVER);
    hf_stale_contact(&stale, at(10 * S, 5 * S));
    expect(&stale, at(10 * S, 5 * S), HF_STALE_FRESH, HF_NEVER);
    expect(&stale, at(100 * H, 100 * H), HF_STALE_FRESH, HF_NEVER);
    hf_stale_heard(&stale, 100 * H, at(100 * H, 100 * H));
    hf_stale_lost(&stale);
    expect(&stale, at(100 * H, 100 * H), HF_STALE_FRESH, HF_STALE_GRACE_NS);
    expect(&stale, at(100 * H + 29 * S, 100 * H), HF_STALE_FRESH, S);
    expect(&stale, at(100 * H + 30 * S, 100 * H), HF_STALE_STALE, WINDOW - 30 * S);
    expect(&stale, at(172 * H - S, 0), HF_STALE_STALE, S);
    expect(&stale, at(172 * H, 0), HF_STALE_EXPIRED, HF_NEVER);
    hf_stale_contact(&stale, at(173 * H, 0));
    expect(&stale, at(173 * H, 0), HF_STALE_FRESH, HF_NEVER);
}
END_TEST

/* What counts is the last sign of life, not when somebody noticed that it was the last. */
START_TEST(age_is_that_of_the_last_sign_of_life)
{
    struct hf_stale stale;

    hf_stale_init(&stale, 0, at(S, 0));
    hf_stale_contact(&stale, at(2 * S, 2 * S));
    ck_assert_uint_eq(hf_stale_age_ns(&stale, at(9 * S, 9 * S)), 7 * S);
    hf_stale_heard(&stale, 8 * S, at(9 * S, 9 * S));
    ck_assert_uint_eq(hf_stale_age_ns(&stale, at(9 * S, 9 * S)), S);
    ck_assert_uint_eq(hf_stale_contact_unix_ns(&stale), U0 + 8 * S);
    hf_stale_heard(&stale, 5 * S, at(10 * S, 10 * S));  /* older than known */
    hf_stale_heard(&stale, 11 * S, at(10 * S, 10 * S)); /* not yet */
    hf_stale_heard(&stale, 0, at(10 * S, 10 * S));      /* never */
    ck_assert_uint_eq(hf_stale_contact_unix_ns(&stale), U0 + 8 * S);
    hf_stale_lost(&stale);
    ck_assert_uint_eq(hf_stale_age_ns(&stale, at(50 * S, 50 * S)), 42 * S);
    expect(&stale, at(50 * S, 50 * S), HF_STALE_STALE, WINDOW - 42 * S); /* no grace from when it was noticed */
    hf_stale_heard(&stale, 60 * S, at(60 * S, 60 * S));                  /* a proxy's word is no contact */
    hf_stale_lost(&stale);
    ck_assert_uint_eq(hf_stale_age_ns(&stale, at(70 * S, 0)), 62 * S);
}
END_TEST

static const struct {
    const char *name;
    uint64_t kept_ago;  /* last contact before U0 */
    uint64_t mono_ran;  /* since the start */
    int64_t wall_moved; /* since the start */
    uint64_t want_age;
    enum hf_staleness want;
} reboots[] = {
    {"just rebooted", H, 0, 0, H, HF_STALE_STALE},
    {"no grace over a reboot", S, 0, 0, S, HF_STALE_STALE},
    {"time goes on", H, H, (int64_t)H, 2 * H, HF_STALE_STALE},
    {"window passed while off", 73 * H, 0, 0, 73 * H, HF_STALE_EXPIRED},
    {"clock learns the true date", H, 60 * S, (int64_t)(80 * H), 81 * H, HF_STALE_EXPIRED},
    {"clock falls back", H, 2 * H, -(int64_t)(50 * H), 3 * H, HF_STALE_STALE},
};

START_TEST(over_a_reboot)
{
    struct hf_stale stale;
    struct hf_now now = {5 * S + reboots[_i].mono_ran, U0 + (uint64_t)reboots[_i].wall_moved};
    uint64_t wait;

    hf_stale_init(&stale, U0 - reboots[_i].kept_ago, at(5 * S, 0));
    enum hf_staleness got = hf_stale_judge(&stale, WINDOW, now, &wait);
    ck_assert_msg(got == reboots[_i].want, "%s: %s", reboots[_i].name, hf_staleness_name(got));
    ck_assert_msg(hf_stale_age_ns(&stale, now) == reboots[_i].want_age, "%s", reboots[_i].name);
}
END_TEST

START_TEST(never_gets_younger)
{
    struct hf_stale stale;
    uint64_t wait;

    hf_stale_init(&stale, U0 - H, at(S, 0));
    ck_assert_int_eq(hf_stale_judge(&stale, WINDOW, at(2 * S, 100 * H), &wait), HF_STALE_EXPIRED);
    ck_assert_int_eq(hf_stale_judge(&stale, WINDOW, at(3 * S, 0), &wait), HF_STALE_EXPIRED);
}
END_TEST

/* The clock file lies in the future (another board's disk): contact then is no older than now. */
START_TEST(contact_in_the_future)
{
    struct hf_stale stale;

    hf_stale_init(&stale, U0 + H, at(S, 0));
    ck_assert_uint_eq(hf_stale_age_ns(&stale, at(S, 0)), 0);
    expect(&stale, at(61 * S, 60 * S), HF_STALE_STALE, WINDOW - 60 * S);
}
END_TEST

START_TEST(what_is_written_down)
{
    struct hf_stale stale;

    hf_stale_init(&stale, U0 - H, at(S, 0));
    ck_assert_uint_eq(hf_stale_contact_unix_ns(&stale), U0 - H);
    hf_stale_contact(&stale, at(3 * S, 2 * S));
    ck_assert_uint_eq(hf_stale_contact_unix_ns(&stale), U0 + 2 * S);
    hf_stale_heard(&stale, 9 * S, at(10 * S, 9 * S));
    ck_assert_uint_eq(hf_stale_contact_unix_ns(&stale), U0 + 8 * S);
    hf_stale_lost(&stale);
    ck_assert_uint_eq(hf_stale_contact_unix_ns(&stale), U0 + 8 * S);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, a_life);
    tcase_add_test(tc, age_is_that_of_the_last_sign_of_life);
    tcase_add_loop_test(tc, over_a_reboot, 0, HF_LEN(reboots));
    tcase_add_test(tc, never_gets_younger);
    tcase_add_test(tc, contact_in_the_future);
    tcase_add_test(tc, what_is_written_down);
}

HF_TEST_MAIN("sync/stale", cases)
