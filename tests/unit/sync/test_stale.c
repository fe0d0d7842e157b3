/* SPDX-License-Identifier: Apache-2.0 */
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

    hf_stale_init(&stale, &(struct hf_stale_kept){.contact_unix_ns = 0}, at(5 * S, 0));
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

    hf_stale_init(&stale, &(struct hf_stale_kept){.contact_unix_ns = 0}, at(S, 0));
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
    {"no grace over a reboot, and the age of this boot", S, 0, 0, 5 * S, HF_STALE_STALE},
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

    hf_stale_init(&stale, &(struct hf_stale_kept){.contact_unix_ns = U0 - reboots[_i].kept_ago}, at(5 * S, 0));
    enum hf_staleness got = hf_stale_judge(&stale, WINDOW, now, &wait);
    ck_assert_msg(got == reboots[_i].want, "%s: %s", reboots[_i].name, hf_staleness_name(got));
    ck_assert_msg(hf_stale_age_ns(&stale, now) == reboots[_i].want_age, "%s", reboots[_i].name);
}
END_TEST

/* A restart of the agent within one boot: the monotonic clock alone counts, whatever the wall clock does. */
START_TEST(within_one_boot)
{
    const struct hf_stale_kept kept = {.contact_unix_ns = U0, .age_ns = H, .contact_mono_ns = 10 * H};
    struct hf_stale stale;

    hf_stale_init(&stale, &kept, at(15 * H, 500 * H));
    ck_assert_uint_eq(hf_stale_age_ns(&stale, at(15 * H, 500 * H)), 5 * H);
    expect(&stale, at(16 * H, 0), HF_STALE_STALE, WINDOW - 6 * H);
    expect(&stale, at(82 * H, 0), HF_STALE_EXPIRED, HF_NEVER);
    /* A monotonic time in the future cannot be of this boot: the contact was at least as long ago as this boot. */
    hf_stale_init(&stale, &kept, at(9 * H, 2 * H));
    ck_assert_uint_eq(hf_stale_age_ns(&stale, at(9 * H, 2 * H)), 10 * H);
}
END_TEST

/* Without a boot id, each restart may be a reboot: the time since the boot counts once. */
START_TEST(restarts_without_a_boot_id)
{
    struct hf_stale_kept kept = {.contact_unix_ns = U0, .age_ns = 2 * H, .limit_ns = 3 * H, .boot_unknown = true};
    struct hf_stale stale;
    uint64_t shown = 3 * H;

    for (unsigned i = 1; i <= 20; i++) {
        struct hf_now start = at(10 * H + i * 600 * S, 0), end = at(10 * H + (i + 1) * 600 * S, 0);
        hf_stale_init(&stale, &kept, start);
        ck_assert_uint_ge(hf_stale_age_ns(&stale, start), HF_MAX(shown, kept.age_ns + start.mono_ns));
        shown = hf_stale_age_ns(&stale, end);
        hf_stale_keep(&stale, WINDOW, end, &kept);
        kept.boot_unknown = true;
        kept.contact_mono_ns = kept.saved_mono_ns = 0;
        ck_assert_uint_eq(kept.age_ns, 2 * H + i * 600 * S);
        ck_assert_uint_ge(kept.limit_ns, shown);
    }
    ck_assert_uint_le(shown, 2 * H + 10 * H + 2 * 21 * 600 * S);
}
END_TEST

/* No grace for a contact that an earlier process had. */
START_TEST(a_restart_is_no_contact)
{
    const struct hf_stale_kept kept = {.contact_unix_ns = U0, .contact_mono_ns = 10 * S};
    struct hf_stale stale;

    hf_stale_init(&stale, &kept, at(11 * S, S));
    expect(&stale, at(11 * S, S), HF_STALE_STALE, WINDOW - S);
}
END_TEST

/* A board without a battery: each boot begins at the same wall clock time, and lasts 2.4 hours. The age grows by what
 * each boot has kept. */
START_TEST(ten_reboots_a_day)
{
    struct hf_stale_kept kept = {.contact_unix_ns = U0};
    const uint64_t life = 2 * H + 24 * 60 * S, lost = 10 * 60 * S; /* the last save was 10 minutes before the cut */
    unsigned boots = 0;
    struct hf_stale stale;
    uint64_t wait;

    for (;; boots++) {
        hf_stale_init(&stale, &kept, at(5 * S, 0));
        if (hf_stale_judge(&stale, WINDOW, at(5 * S + life, life), &wait) == HF_STALE_EXPIRED)
            break;
        ck_assert_uint_eq(hf_stale_age_ns(&stale, at(5 * S + life - lost, life - lost)), kept.age_ns + 5 * S + life);
        kept.age_ns += life - lost;
        ck_assert_uint_lt(boots, 40);
    }
    ck_assert_uint_ge(boots, 28);
    ck_assert_uint_le(boots, 34);
}
END_TEST

START_TEST(never_gets_younger)
{
    struct hf_stale stale;
    uint64_t wait;

    hf_stale_init(&stale, &(struct hf_stale_kept){.contact_unix_ns = U0 - H}, at(S, 0));
    ck_assert_int_eq(hf_stale_judge(&stale, WINDOW, at(2 * S, 100 * H), &wait), HF_STALE_EXPIRED);
    ck_assert_int_eq(hf_stale_judge(&stale, WINDOW, at(3 * S, 0), &wait), HF_STALE_EXPIRED);
}
END_TEST

/* The clock file lies in the future (another board's disk): contact then is as old as this boot. */
START_TEST(contact_in_the_future)
{
    struct hf_stale stale;

    hf_stale_init(&stale, &(struct hf_stale_kept){.contact_unix_ns = U0 + H}, at(S, 0));
    ck_assert_uint_eq(hf_stale_age_ns(&stale, at(S, 0)), S);
    expect(&stale, at(61 * S, 60 * S), HF_STALE_STALE, WINDOW - 61 * S);
}
END_TEST

START_TEST(what_is_written_down)
{
    struct hf_stale stale;

    hf_stale_init(&stale, &(struct hf_stale_kept){.contact_unix_ns = U0 - H}, at(S, 0));
    ck_assert_uint_eq(hf_stale_contact_unix_ns(&stale), U0 - H);
    hf_stale_contact(&stale, at(3 * S, 2 * S));
    ck_assert_uint_eq(hf_stale_contact_unix_ns(&stale), U0 + 2 * S);
    hf_stale_heard(&stale, 9 * S, at(10 * S, 9 * S));
    ck_assert_uint_eq(hf_stale_contact_unix_ns(&stale), U0 + 8 * S);
    hf_stale_lost(&stale);
    ck_assert_uint_eq(hf_stale_contact_unix_ns(&stale), U0 + 8 * S);
}
END_TEST

/* ---- the clock file: what survives a kill, a power cut and a wrong clock ----------------------------------------------- */

/* A board, its disk, and the age that it has shown so far. */
static struct board {
    struct hf_stale stale;
    struct hf_stale_kept disk;
    uint64_t now_ns, boot_ns, start_ns; /* true time, start of the boot and of the process, since the last contact */
    uint64_t unix_ns;                   /* wall clock */
    uint64_t shown_ns, true_ns;         /* greatest age that it has shown; true age */
    unsigned writes;
    bool no_boot_id;
} board;

static struct hf_now board_now(void)
{
    return (struct hf_now){board.now_ns - board.boot_ns + 5 * S, board.unix_ns};
}

static void board_turn(void)
{
    if (hf_stale_save_wait_ns(&board.stale, WINDOW, board_now(), &board.disk) == 0) {
        hf_stale_keep(&board.stale, WINDOW, board_now(), &board.disk);
        board.writes++;
    }
    uint64_t age = hf_stale_age_ns(&board.stale, board_now());
    ck_assert_msg(age >= board.shown_ns, "the age goes back from %ju s to %ju s", (uintmax_t)(board.shown_ns / S),
                  (uintmax_t)(age / S));
    ck_assert_msg(age <= board.disk.limit_ns, "the age %ju s is beyond the limit in the file, %ju s",
                  (uintmax_t)(age / S), (uintmax_t)(board.disk.limit_ns / S));
    board.shown_ns = age;
}

/* Time passes while the board is on; it takes a turn when it asked for one, up to 50 s late. */
static void board_runs(uint64_t ns, uint64_t late_ns)
{
    uint64_t end = board.now_ns + ns;

    while (board.now_ns < end) {
        uint64_t wait = hf_stale_save_wait_ns(&board.stale, WINDOW, board_now(), &board.disk);
        uint64_t step = HF_MIN(end - board.now_ns, HF_MAX(wait, S) + late_ns);
        board.now_ns += step;
        board.unix_ns += step;
        if (board.now_ns < end || late_ns == 0)
            board_turn();
    }
}

static void board_starts(bool reboot, uint64_t unix_ns)
{
    struct hf_stale_kept kept = board.disk;

    if (reboot) {
        board.boot_ns = board.now_ns;
        kept.contact_mono_ns = kept.saved_mono_ns = 0;
    }
    if (board.no_boot_id) {
        kept.contact_mono_ns = kept.saved_mono_ns = 0;
        kept.boot_unknown = true;
    }
    board.unix_ns = unix_ns;
    hf_stale_init(&board.stale, &kept, board_now());
    board_turn();
}

static void board_loses_contact(void)
{
    board = (struct board){.unix_ns = U0, .now_ns = 100 * H};
    hf_stale_init(&board.stale, &(struct hf_stale_kept){0}, (struct hf_now){5 * S, U0 - 100 * H});
    hf_stale_contact(&board.stale, board_now());
    hf_stale_lost(&board.stale);
    board_turn();
}

static const struct {
    const char *name;
    bool reboot;
    uint64_t unix_ns;           /* what the wall clock shows after each start; 0: the truth */
    uint64_t life_ns;           /* of each process */
    uint64_t least_ns, most_ns; /* after how much time of running the node may become Expired */
    unsigned most_writes;       /* until then */
} lives[] = {
    {"one life", false, 0, 100 * H, 71 * H, 72 * H, 85},
    {"kill -9 each 5 minutes", false, 0, 300 * S, 71 * H, 72 * H, 85},
    {"kill -9, and the clock goes back to 1970", false, 1, 7 * H, 71 * H, 72 * H, 85},
    {"kill -9, and the clock stands still", false, U0, 3 * H, 71 * H, 72 * H, 85},
    {"reboots with a right clock", true, 0, 2 * H, 71 * H, 72 * H, 500},
    {"reboots in 1970", true, 1, 5 * H, 70 * H, 90 * H, 300},
    {"reboots at the same time", true, U0, 144 * 60 * S, 70 * H, 95 * H, 600},
    {"reboots each 10 minutes in 1970", true, 1, 600 * S, 70 * H, 95 * H, 5000},
    {"reboots each 2 minutes in 1970", true, 1, 120 * S, 70 * H, 145 * H, 9000},
};

START_TEST(age_never_goes_back)
{
    uint64_t began, wait;

    board_loses_contact();
    began = board.now_ns;
    while (hf_stale_judge(&board.stale, WINDOW, board_now(), &wait) != HF_STALE_EXPIRED) {
        board_runs(lives[_i].life_ns, 0);
        if (hf_stale_judge(&board.stale, WINDOW, board_now(), &wait) == HF_STALE_EXPIRED && _i == 0)
            break;
        board_starts(lives[_i].reboot, lives[_i].unix_ns != 0 ? lives[_i].unix_ns : U0 + board.now_ns - began);
        ck_assert_msg(board.now_ns - began < lives[_i].most_ns + 2 * lives[_i].life_ns, "%s: not Expired after %ju s",
                      lives[_i].name, (uintmax_t)((board.now_ns - began) / S));
    }
    ck_assert_msg(board.now_ns - began >= lives[_i].least_ns, "%s: Expired after only %ju s", lives[_i].name,
                  (uintmax_t)((board.now_ns - began) / S));
    ck_assert_msg(board.writes <= lives[_i].most_writes, "%s: %u writes", lives[_i].name, board.writes);
    for (unsigned i = 0; i < 20; i++) { /* and it stays Expired */
        board_starts(i % 3 != 0, i % 2 == 0 ? 1 : U0 + i * H);
        ck_assert_int_eq(hf_stale_judge(&board.stale, WINDOW, board_now(), &wait), HF_STALE_EXPIRED);
        board_runs(i * 100 * S, 0);
    }
}
END_TEST

static uint64_t seed;

static uint64_t below(uint64_t n)
{
    seed = seed * 6364136223846793005 + 1442695040888963407;
    return (seed >> 33) % n;
}

/* Kills, power cuts and clocks as a seed decides. */
START_TEST(any_lives)
{
    uint64_t wait;

    seed = (uint64_t)_i * 0x9e3779b97f4a7c15 + 1;
    board_loses_contact();
    board.no_boot_id = _i % 4 == 3;
    bool expired = false;
    for (unsigned i = 0; i < 60; i++) {
        const uint64_t clocks[] = {1, U0, U0 - 1000 * H, board.unix_ns, board.unix_ns + 60 * S, U0 + 100 * H};
        board_runs(below(2) == 0 ? below(300 * S) : below(4 * H), below(50) * S);
        board_turn();
        expired = expired || hf_stale_judge(&board.stale, WINDOW, board_now(), &wait) == HF_STALE_EXPIRED;
        board_starts(below(2) == 0, clocks[below(i < 40 ? 5 : HF_LEN(clocks))]);
        ck_assert(!expired || hf_stale_judge(&board.stale, WINDOW, board_now(), &wait) == HF_STALE_EXPIRED);
    }
}
END_TEST

/* Without contact the file is written at most once an hour, after the first hours of a process. */
START_TEST(writes_of_a_month)
{
    board_loses_contact();
    board_runs(24 * H, 0);
    ck_assert_uint_le(board.writes, 25);
    board_runs(29 * 24 * H, 0);
    ck_assert_uint_le(board.writes, 25 + 48 + 80);
    uint64_t before = board.writes;
    board_starts(true, 1);
    board_runs(4 * H, 0); /* the first hours of a process without contact */
    ck_assert_uint_le(board.writes - before, 6);
    board_loses_contact();
    board_starts(true, 1);
    board_runs(4 * H, 0);
    ck_assert_uint_le(board.writes, 24);
}
END_TEST

START_TEST(nothing_to_save_in_contact)
{
    struct hf_stale_kept kept = {0};
    struct hf_stale stale;

    hf_stale_init(&stale, &kept, at(5 * S, 0));
    ck_assert_uint_eq(hf_stale_save_wait_ns(&stale, WINDOW, at(9 * S, 0), &kept), HF_NEVER);
    hf_stale_contact(&stale, at(10 * S, 5 * S));
    ck_assert_uint_eq(hf_stale_save_wait_ns(&stale, WINDOW, at(1000 * H, 0), &kept), HF_NEVER);
    hf_stale_keep(&stale, WINDOW, at(11 * S, 6 * S), &kept);
    ck_assert(kept.age_ns == S && kept.limit_ns == 0 && kept.contact_mono_ns == 10 * S && kept.saved_mono_ns == 11 * S);
}
END_TEST

/* A link that flaps each minute: the file of a loss serves the return, whatever the window is. A loss of 30 hours has a
 * limit that must not outlive it. */
START_TEST(a_link_that_flaps)
{
    const uint64_t windows[] = {300 * S, H, 4 * H, 8 * H, 24 * H, 72 * H, 720 * H};
    uint64_t window = windows[_i], oldest = HF_MAX(window / 24, 600 * S); /* as agent/follow/contact.c */
    struct hf_stale_kept kept = {0};
    struct hf_stale stale;

    hf_stale_init(&stale, &kept, at(5 * S, 0));
    for (uint64_t t = 100 * H; t < 110 * H; t += 60 * S) {
        hf_stale_contact(&stale, at(t, t));
        hf_stale_heard(&stale, t + 5 * S, at(t + 6 * S, t + 6 * S));
        hf_stale_lost(&stale);
        hf_stale_keep(&stale, window, at(t + 50 * S, t + 50 * S), &kept);
        ck_assert(kept.limit_ns > 0 && !hf_stale_is_limit_high(&kept, oldest));
    }
    hf_stale_keep(&stale, window, at(140 * H, 140 * H), &kept);
    ck_assert(hf_stale_is_limit_high(&kept, oldest));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, a_life);
    tcase_add_test(tc, age_is_that_of_the_last_sign_of_life);
    tcase_add_loop_test(tc, over_a_reboot, 0, HF_LEN(reboots));
    tcase_add_test(tc, within_one_boot);
    tcase_add_test(tc, restarts_without_a_boot_id);
    tcase_add_test(tc, a_restart_is_no_contact);
    tcase_add_test(tc, ten_reboots_a_day);
    tcase_add_test(tc, never_gets_younger);
    tcase_add_test(tc, contact_in_the_future);
    tcase_add_test(tc, what_is_written_down);
    tcase_add_loop_test(tc, age_never_goes_back, 0, HF_LEN(lives));
    tcase_add_loop_test(tc, any_lives, 0, 100);
    tcase_add_test(tc, writes_of_a_month);
    tcase_add_test(tc, nothing_to_save_in_contact);
    tcase_add_loop_test(tc, a_link_that_flaps, 0, 7);
}

HF_TEST_MAIN("sync/stale", cases)
