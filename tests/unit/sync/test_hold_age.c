/* SPDX-License-Identifier: Apache-2.0 */
/* How long a hold lasts, on machines with wrong clocks, over restarts and reboots. */
#include "sync/hold_age.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "support/check_main.h"

#define NOW (1795161600ull * HF_NS_PER_S) /* 2026-11-20T08:00:00Z */
#define HOUR (3600 * HF_NS_PER_S)

#define BUILD (1793491200ull * HF_NS_PER_S) /* 2026-11-01 */
#define DAY (24 * HOUR)
#define MINUTE (60 * HF_NS_PER_S)

enum { ID = 7 };

static const struct hf_hold_kept nothing;

/* A machine that booted `mono` ago, whose wall clock shows `unix_ns`, as the only witness. */
static struct hf_hold_clocks alone(uint64_t mono_ns, uint64_t unix_ns)
{
    return (struct hf_hold_clocks){
        .mono_ns = mono_ns,
        .build_unix_ns = BUILD,
        .wall_unix_ns = unix_ns,
        .range = {.agreement = HF_TIME_ALONE, .estimate_unix_ns = unix_ns, .other_unix_ns = unix_ns}};
}

/* The same, and the server confirms it. */
static struct hf_hold_clocks agreed(uint64_t mono_ns, uint64_t unix_ns)
{
    struct hf_hold_clocks clocks = alone(mono_ns, unix_ns);

    clocks.range.agreement = HF_TIME_AGREED;
    clocks.sure = true;
    return clocks;
}

static const struct {
    const char *text;
    int want_r;
    bool want_active; /* at NOW, when the agent first sees the file */
    uint64_t want_end;
    const char *want_reason;
} holds[] = {
    {"{\"reason\":\"line 3\",\"since\":\"2026-11-20T07:00:00Z\",\"until\":\"2026-11-20T09:00:00Z\"}", 0, true,
     NOW + HOUR, "line 3"},
    {"{\"reason\":\"line 3\",\"since\":\"2026-11-20T07:00:00Z\"}", 0, true, NOW - HOUR + HF_HOLD_MAX_NS, "line 3"},
    {"{\"since\":\"2026-11-20T07:00:00Z\",\"until\":\"2030-01-01T00:00:00Z\"}", 0, true, NOW - HOUR + HF_HOLD_MAX_NS,
     ""},
    {"{\"reason\":\"over\",\"since\":\"2026-11-20T06:00:00Z\",\"until\":\"2026-11-20T08:00:00Z\"}", 0, false, HF_NEVER,
     "over"},
    {"{\"reason\":\"forgotten\",\"since\":\"2026-11-01T00:00:00Z\"}", 0, false, HF_NEVER, "forgotten"},
    /* stamped by a clock that showed 1970, or that was two years ahead: only the length counts */
    {"{\"since\":\"1970-01-01T00:01:00Z\",\"until\":\"1970-01-01T08:01:00Z\"}", 0, true, NOW + 8 * HOUR, ""},
    {"{\"since\":\"1970-01-01T00:01:00Z\"}", 0, true, NOW + HF_HOLD_MAX_NS, ""},
    {"{\"since\":\"2028-11-20T08:00:00Z\",\"until\":\"2028-11-20T09:00:00Z\"}", 0, true, NOW + HOUR, ""},
    {"{\"since\":\"2028-11-20T08:00:00Z\"}", 0, true, NOW + HF_HOLD_MAX_NS, ""},
    {"{\"since\":\"2026-11-20T07:00:00Z\",\"until\":\"2026-11-20T06:00:00Z\"}", 0, false, HF_NEVER, ""},
    /* without `since`, a person wrote the date of the end */
    {"{\"until\":\"2026-11-20T09:00:00Z\"}", 0, true, NOW + HOUR, ""},
    {"{\"until\":\"2026-11-20T07:00:00Z\"}", 0, false, HF_NEVER, ""},
    {"{\"until\":\"2030-01-01T00:00:00Z\"}", 0, true, NOW + HF_HOLD_MAX_NS, ""},
    {"{\"until\":\"1970-01-01T08:01:00Z\"}", 0, true, NOW + HF_HOLD_MAX_NS, ""},
    {"{}", 0, true, NOW + HF_HOLD_MAX_NS, ""},
    {"{\"reason\":\"two\\nlines\",\"until\":\"\"}", 0, true, NOW + HF_HOLD_MAX_NS, "two lines"},
    {"", -EBADMSG, true, HF_NEVER, "the hold file cannot be read"},
    {"stop", -EBADMSG, true, HF_NEVER, "the hold file cannot be read"},
    {"[1]", -EBADMSG, true, HF_NEVER, "the hold file cannot be read"},
    {"{\"until\":\"tomorrow\"}", -EBADMSG, true, HF_NEVER, "the hold file cannot be read"},
    {"{\"since\":\"1.1.2026\"}", -EBADMSG, true, HF_NEVER, "the hold file cannot be read"},
};

START_TEST(first_sight)
{
    const struct hf_hold_clocks clocks = alone(HOUR, NOW);
    struct hf_hold hold = {0};
    struct hf_hold_age age;
    uint64_t wait = 0;
    int r = hf_hold_parse(hf_view_of(holds[_i].text), &hold, NULL);

    hf_hold_age_begin(&age, ID, &hold, &nothing, &clocks);
    bool active = hf_hold_age_judge(&hold, &age, &clocks, &wait);
    ck_assert_msg(r == holds[_i].want_r && active == holds[_i].want_active, "%s: r=%d active=%d", holds[_i].text, r,
                  active);
    uint64_t end = hf_hold_age_end_unix_ns(&hold, NOW, wait);
    ck_assert_msg(end == holds[_i].want_end, "%s: end %llu", holds[_i].text, (unsigned long long)end);
    ck_assert_str_eq(hold.reason, holds[_i].want_reason);
}
END_TEST

/* ---- the age ----------------------------------------------------------------------------------------------------- */

/* 8 hours, or no length (7 days), from `since` on. */
static struct hf_hold order(uint64_t since_unix_ns, uint64_t length_ns)
{
    return (struct hf_hold){.present = true,
                            .since_unix_ns = since_unix_ns,
                            .until_unix_ns = length_ns == HF_NEVER ? HF_NEVER : since_unix_ns + length_ns};
}

static bool active_at(struct hf_hold_age *age, const struct hf_hold *hold, struct hf_hold_clocks clocks,
                      uint64_t want_wait_ns)
{
    uint64_t wait;

    hf_hold_age_count(age, hold, &clocks);
    bool active = hf_hold_age_judge(hold, age, &clocks, &wait);
    ck_assert_msg(wait == want_wait_ns, "wait %llu s, want %llu s", (unsigned long long)(wait / HF_NS_PER_S),
                  (unsigned long long)(want_wait_ns / HF_NS_PER_S));
    return active;
}

/* What the wall clock shows when the hold is written, and what it shows from then on. */
static const struct {
    const char *name;
    uint64_t stamped, later;
} leaps[] = {
    {"a right clock", NOW, NOW},
    {"1970", 60 * HF_NS_PER_S, 60 * HF_NS_PER_S},
    {"1970, then set", 60 * HF_NS_PER_S, NOW},
    {"a day slow, then stepped", NOW - DAY, NOW},
    {"two years fast, then stepped", NOW + 730 * DAY, NOW},
    {"right, then lies", NOW, NOW + 730 * DAY},
    {"right, then the battery is empty", NOW, 0},
};

START_TEST(no_clock_moves_the_end)
{
    struct hf_hold hold = order(leaps[_i].stamped, 8 * HOUR);
    const struct hf_hold_clocks first = alone(HOUR, leaps[_i].stamped);
    struct hf_hold_age age;

    hf_hold_age_begin(&age, ID, &hold, &nothing, &first);
    ck_assert(age.unsaved);
    ck_assert(active_at(&age, &hold, first, 8 * HOUR));
    ck_assert(active_at(&age, &hold, alone(2 * HOUR, leaps[_i].later + HOUR), 7 * HOUR));
    ck_assert(active_at(&age, &hold, agreed(9 * HOUR - 1, leaps[_i].later + 8 * HOUR - 1), 1));
    ck_assert(!active_at(&age, &hold, agreed(9 * HOUR, leaps[_i].later + 8 * HOUR), HF_NEVER));
    ck_assert(!active_at(&age, &hold, alone(10 * HOUR, leaps[_i].stamped), HF_NEVER));
}
END_TEST

/* Two witnesses, one of which the file was stamped by: the one that is further behind counts. */
START_TEST(witnesses_differ_at_first_sight)
{
    struct hf_hold hold = order(NOW - DAY, 8 * HOUR);
    struct hf_hold_clocks clocks = alone(HOUR, NOW);
    struct hf_hold_age age;

    clocks.wall_unix_ns = NOW - DAY; /* too far behind to be credible */
    hf_hold_age_begin(&age, ID, &hold, &nothing, &clocks);
    ck_assert_uint_eq(hf_hold_age_ns(&age, HOUR), 0);
    clocks.wall_unix_ns = NOW;
    clocks.range.agreement = HF_TIME_CONTRADICTED;
    clocks.range.other_unix_ns = NOW - DAY + HOUR;
    hf_hold_age_begin(&age, ID, &hold, &nothing, &clocks);
    ck_assert_uint_eq(hf_hold_age_ns(&age, HOUR), HOUR);
}
END_TEST

static struct hf_hold_kept saved(struct hf_hold_age *age, uint64_t mono_ns, uint64_t track_unix_ns)
{
    struct hf_hold_kept kept = {.track_unix_ns = track_unix_ns, .saved_mono_ns = mono_ns, .same_boot = true};

    hf_hold_age_keep(age, mono_ns, &kept);
    ck_assert(!age->unsaved);
    return kept;
}

START_TEST(restarts_in_one_boot)
{
    struct hf_hold hold = order(NOW - DAY, 8 * HOUR);
    const struct hf_hold_clocks first = alone(HOUR, NOW - DAY), later = alone(4 * HOUR, NOW + 3 * HOUR);
    struct hf_hold_age age;

    hf_hold_age_begin(&age, ID, &hold, &nothing, &first);
    struct hf_hold_kept kept = saved(&age, HOUR, first.wall_unix_ns);
    hf_hold_age_begin(&age, ID, &hold, &kept, &later);
    ck_assert(!age.unsaved);
    ck_assert_uint_eq(hf_hold_age_ns(&age, 4 * HOUR), 3 * HOUR);
    ck_assert(active_at(&age, &hold, agreed(4 * HOUR, NOW + 3 * HOUR), 5 * HOUR));
    /* Another file is another hold. */
    hf_hold_age_begin(&age, ID + 1, &hold, &kept, &first);
    ck_assert(age.unsaved);
    ck_assert_uint_eq(hf_hold_age_ns(&age, HOUR), 0);
}
END_TEST

/* The hold began at NOW, an hour after the boot, and was saved after two more hours. What counts in the next boot, which
 * began a minute ago? */
static const struct {
    const char *name;
    bool sure_before;
    struct {
        bool sure, synced;
        uint64_t wall;
    } now;
    uint64_t want_age;
} boots[] = {
    {"no battery", false, {false, false, 0}, 2 * HOUR + MINUTE},
    {"the clock was saved on disk", false, {false, false, NOW + 2 * HOUR + MINUTE}, 2 * HOUR + MINUTE},
    {"the chip counts through the night", false, {false, false, NOW + 12 * HOUR}, 12 * HOUR},
    {"a time server may have corrected the clock", false, {false, true, NOW + 12 * HOUR}, 2 * HOUR + MINUTE},
    {"the chip differs from a time that was sure", true, {false, false, NOW + 730 * DAY}, 2 * HOUR + MINUTE},
    {"the chip went back", true, {false, false, NOW - DAY}, 2 * HOUR + MINUTE},
    {"sure before and after", true, {true, false, NOW + 12 * HOUR}, 12 * HOUR},
    {"a time server before and after", true, {false, true, NOW + 12 * HOUR}, 12 * HOUR},
};

START_TEST(reboots)
{
    struct hf_hold hold = order(NOW, HF_NEVER);
    const struct hf_hold_clocks first = boots[_i].sure_before ? agreed(HOUR, NOW) : alone(HOUR, NOW);
    struct hf_hold_clocks now =
        boots[_i].now.sure ? agreed(MINUTE, boots[_i].now.wall) : alone(MINUTE, boots[_i].now.wall);
    struct hf_hold_age age;

    now.range.estimate_unix_ns += now.range.estimate_unix_ns != 0; /* the clocks are read one after another */
    now.sure = boots[_i].now.sure || boots[_i].now.synced;
    hf_hold_age_begin(&age, ID, &hold, &nothing, &first);
    hf_hold_age_count(&age, &hold, &first);
    struct hf_hold_kept kept = saved(&age, 3 * HOUR, NOW + 2 * HOUR);
    kept.same_boot = false;
    hf_hold_age_begin(&age, ID, &hold, &kept, &now);
    hf_hold_age_count(&age, &hold, &now);
    uint64_t got = hf_hold_age_ns(&age, MINUTE);
    ck_assert_msg(got / HF_NS_PER_S == boots[_i].want_age / HF_NS_PER_S, "%s: %llu s", boots[_i].name,
                  (unsigned long long)(got / HF_NS_PER_S));
    /* A boot that nobody knows may be the same one: its time does not count twice. */
    kept.boot_unknown = true;
    now = alone(MINUTE, 0);
    hf_hold_age_begin(&age, ID, &hold, &kept, &now);
    ck_assert_uint_eq(hf_hold_age_ns(&age, MINUTE), 2 * HOUR);
}
END_TEST

/* A system container has a boot id of its own, and its restart begins no boot of the kernel: the clocks have run on
 * together. After a reboot the monotonic clock may show more than at the save, but the wall clock has run on
 * further. */
START_TEST(restart_of_a_system_container)
{
    struct hf_hold hold = order(NOW, 8 * HOUR);
    const struct hf_hold_clocks first = alone(30 * DAY, NOW), offset = alone(30 * DAY + HOUR, NOW + HOUR + HF_NS_PER_S);
    const struct hf_hold_clocks rebooted = alone(30 * DAY + HOUR, NOW + 31 * DAY + HOUR);
    struct hf_hold_age age;

    hf_hold_age_begin(&age, ID, &hold, &nothing, &first);
    struct hf_hold_kept kept = saved(&age, first.mono_ns, NOW);
    kept.same_boot = false;
    hf_hold_age_begin(&age, ID, &hold, &kept, &offset);
    ck_assert_uint_eq(hf_hold_age_ns(&age, offset.mono_ns), HOUR);
    hf_hold_age_begin(&age, ID, &hold, &kept, &rebooted);
    ck_assert_uint_eq(hf_hold_age_ns(&age, rebooted.mono_ns), 31 * DAY + HOUR);
}
END_TEST

/* The machine was off for two days, and boots without a network. The agent saves the age, and starts again, before the
 * time is sure: the two days count all the same, and are saved. */
START_TEST(restart_after_a_reboot)
{
    struct hf_hold hold = order(NOW, 5 * DAY);
    const struct hf_hold_clocks first = agreed(HOUR, NOW), offline = alone(2 * MINUTE, 0);
    const struct hf_hold_clocks again = alone(3 * MINUTE, 0), sure = agreed(4 * MINUTE, NOW + 2 * DAY);
    struct hf_hold_age age;

    hf_hold_age_begin(&age, ID, &hold, &nothing, &first);
    hf_hold_age_count(&age, &hold, &first);
    struct hf_hold_kept kept = saved(&age, HOUR, NOW);
    kept.same_boot = false;
    hf_hold_age_begin(&age, ID, &hold, &kept, &offline);
    hf_hold_age_count(&age, &hold, &offline);
    ck_assert(age.unsaved);
    kept = saved(&age, offline.mono_ns, 0);
    kept.began_unix_ns = NOW;
    hf_hold_age_begin(&age, ID, &hold, &kept, &again);
    hf_hold_age_count(&age, &hold, &again);
    ck_assert_uint_eq(hf_hold_age_ns(&age, again.mono_ns), 3 * MINUTE);
    hf_hold_age_count(&age, &hold, &sure);
    ck_assert_uint_eq(hf_hold_age_ns(&age, sure.mono_ns), 2 * DAY);
    ck_assert(age.unsaved);
    (void)saved(&age, sure.mono_ns, NOW + 2 * DAY);
    const struct hf_hold_clocks drifted = agreed(5 * MINUTE, NOW + 2 * DAY + MINUTE + HF_NS_PER_MS);
    hf_hold_age_count(&age, &hold, &drifted);
    ck_assert(!age.unsaved);
}
END_TEST

/* Counts the saves of a hold of 8 hours. */
static unsigned saves_of_a_hold(bool sure)
{
    struct hf_hold hold = order(NOW, 8 * HOUR);
    struct hf_hold_clocks clocks = alone(MINUTE, NOW);
    struct hf_hold_age age;
    unsigned saves = 0;

    hf_hold_age_begin(&age, ID, &hold, &nothing, &clocks);
    for (uint64_t at = 0; at < 30 * DAY; at += MINUTE) {
        clocks = sure ? agreed(MINUTE + at, NOW + at) : alone(MINUTE + at, NOW + at);
        hf_hold_age_count(&age, &hold, &clocks);
        if (age.unsaved) {
            (void)saved(&age, clocks.mono_ns, clocks.wall_unix_ns);
            saves++;
        }
    }
    return saves;
}

START_TEST(few_saves)
{
    ck_assert_uint_eq(saves_of_a_hold(true), 2); /* at the begin and at the end */
    ck_assert_uint_le(saves_of_a_hold(false), 32);
}
END_TEST

/* A board without a battery and without a network, which somebody switches off every ten minutes. */
START_TEST(a_board_that_is_often_off)
{
    struct hf_hold hold = order(60 * HF_NS_PER_S, 8 * HOUR);
    struct hf_hold_kept kept = {0};
    struct hf_hold_age age;
    bool active = true;
    unsigned boots_ = 0;

    for (; active && boots_ < 200; boots_++) {
        struct hf_hold_clocks clocks = alone(0, 0);
        hf_hold_age_begin(&age, ID, &hold, &kept, &clocks);
        for (uint64_t at = 0; at < 10 * MINUTE; at += 10 * HF_NS_PER_S) {
            uint64_t wait;
            clocks = alone(at, at);
            hf_hold_age_count(&age, &hold, &clocks);
            active = hf_hold_age_judge(&hold, &age, &clocks, &wait);
            if (age.unsaved)
                kept = saved(&age, at, 0);
        }
        kept.same_boot = false;
    }
    ck_assert_msg(boots_ >= 8 * 6 && boots_ < 100, "%u boots", boots_);
}
END_TEST

START_TEST(ids)
{
    uint64_t id = hf_hold_id(HF_VIEW("{}"), 1);

    ck_assert_uint_eq(id, hf_hold_id(HF_VIEW("{}"), 1));
    ck_assert_uint_ne(id, hf_hold_id(HF_VIEW("{}"), 2));
    ck_assert_uint_ne(id, hf_hold_id(HF_VIEW("{} "), 1));
}
END_TEST

START_TEST(no_hold)
{
    const struct hf_hold_clocks clocks = alone(HOUR, NOW);
    struct hf_hold_age age = {0};
    struct hf_hold hold = {0};
    uint64_t wait = 0;

    hf_hold_age_count(&age, &hold, &clocks);
    ck_assert(!age.unsaved);
    ck_assert(!hf_hold_age_judge(&hold, &age, &clocks, &wait));
    ck_assert_uint_eq(wait, HF_NEVER);
    ck_assert_uint_eq(hf_hold_age_end_unix_ns(&hold, NOW, wait), HF_NEVER);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, first_sight, 0, HF_LEN(holds));
    tcase_add_loop_test(tc, no_clock_moves_the_end, 0, HF_LEN(leaps));
    tcase_add_test(tc, witnesses_differ_at_first_sight);
    tcase_add_test(tc, restarts_in_one_boot);
    tcase_add_loop_test(tc, reboots, 0, HF_LEN(boots));
    tcase_add_test(tc, restart_of_a_system_container);
    tcase_add_test(tc, restart_after_a_reboot);
    tcase_add_test(tc, few_saves);
    tcase_add_test(tc, a_board_that_is_often_off);
    tcase_add_test(tc, ids);
    tcase_add_test(tc, no_hold);
}

HF_TEST_MAIN("sync/hold_age", cases)
