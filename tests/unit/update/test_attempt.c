/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a delta in progress, and the decision after a death in the middle. */
#include "base/macros.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"
#include "update/state/attempt.h"

#define FOLDER "/s/updates/app"
#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define MIB (UINT64_C(1) << 20)

static const struct hf_attempt sample = {.delta = "d1", .makes = "m1", .size = 160 * MIB, .at = 8 * MIB, .boot = "b1"};

START_TEST(judgement)
{
    static const struct {
        const char *name;
        unsigned deaths;
        const char *boot;
        struct hf_room_kills kills;
        uint64_t at;
        bool gives_up, oom;
    } cases[] = {
        {"killed, it had come further", 0, "b1", {0, 0}, 48 * MIB, false, false},
        {"killed, no further than before", 0, "b1", {0, 0}, 8 * MIB, true, false},
        {"killed, and what was there is lost", 0, "b1", {0, 0}, 0, true, false},
        {"OOM kill in the own group, although further", 0, "b1", {1, 0}, 48 * MIB, true, true},
        {"OOM kill seen by the group above", 0, "b1", {0, 1}, 48 * MIB, true, true},
        {"power cut, no further", 0, "b2", {0, 0}, 0, false, false},
        {"power cut: counters of another boot say nothing", 0, "b2", {9, 9}, 0, false, false},
        {"second death, further", 1, "b1", {0, 0}, 48 * MIB, false, false},
        {"third death, further", 2, "b1", {0, 0}, 48 * MIB, true, false},
        {"third power cut", 2, "b2", {0, 0}, 0, true, false},
    };

    for (size_t i = 0; i < HF_LEN(cases); i++) {
        struct hf_attempt attempt = sample;
        struct hf_attempt_now now = {.kills = cases[i].kills, .at = cases[i].at};
        attempt.deaths = cases[i].deaths;
        (void)snprintf(now.boot, sizeof(now.boot), "%s", cases[i].boot);
        ck_assert_msg(hf_attempt_gives_up(&attempt, &now) == cases[i].gives_up, "%s", cases[i].name);
        ck_assert_msg(hf_attempt_oom(&attempt, &now) == cases[i].oom, "%s", cases[i].name);
    }
}
END_TEST

START_TEST(lives)
{
    struct hf_simfs *disk = hf_simfs_new();
    const struct hf_fs_ops *fs = hf_simfs_ops(disk);
    struct hf_attempt attempt = sample, found;

    hf_simfs_mkdir(disk, "/s", 0700);
    hf_simfs_put(disk, BOOT_ID, "b7\n", 3, 0444);
    ck_assert(!hf_attempt_find(fs, FOLDER, &found));
    ck_assert_int_eq(hf_attempt_end(fs, FOLDER, NULL), 0);
    for (unsigned life = 0; life < 6; life++) {
        ck_assert_int_eq(hf_attempt_begin(fs, FOLDER, &attempt, NULL), 0);
        ck_assert(hf_attempt_find(fs, FOLDER, &found));
        ck_assert_uint_eq(found.deaths, HF_MIN(life, (unsigned)HF_ATTEMPT_MAX_DEATHS));
        ck_assert_str_eq(found.boot, "b7");
        ck_assert_str_eq(found.delta, "d1");
        ck_assert_str_eq(found.makes, "m1");
        ck_assert_uint_eq(found.size, 160 * MIB);
        ck_assert_uint_eq(found.at, 8 * MIB);
        hf_simfs_power_cut(disk, life); /* durable */
    }
    (void)snprintf(attempt.delta, sizeof(attempt.delta), "d2"); /* another delta starts a new count */
    ck_assert_int_eq(hf_attempt_begin(fs, FOLDER, &attempt, NULL), 0);
    ck_assert(hf_attempt_find(fs, FOLDER, &found));
    ck_assert_uint_eq(found.deaths, 0);
    ck_assert_int_eq(hf_attempt_end(fs, FOLDER, NULL), 0);
    ck_assert(!hf_attempt_find(fs, FOLDER, &found));
    hf_simfs_put(disk, FOLDER "/attempt", "nonsense\n", 9, 0600);
    ck_assert(!hf_attempt_find(fs, FOLDER, &found));
    hf_simfs_free(disk);
}
END_TEST

START_TEST(round_trip)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096);
    struct hf_attempt attempt = sample, back;

    attempt.deaths = 2;
    attempt.kills = (struct hf_room_kills){UINT64_MAX, 3};
    memset(attempt.delta, 'f', HF_SHA256_HEX - 1);
    memset(attempt.makes, '0', HF_SHA256_HEX - 1);
    memset(attempt.boot, 'x', sizeof(attempt.boot) - 1);
    ck_assert_int_eq(hf_record_format(&hf_attempt_type, &attempt, &text), 0);
    ck_assert_int_eq(hf_record_parse(&hf_attempt_type, hf_buf_view(&text), &back, NULL), 0);
    ck_assert(memcmp(&attempt, &back, sizeof(back)) == 0);
    for (size_t n = 0; n < text.n; n++) /* invalid if cut anywhere */
        ck_assert_int_lt(hf_record_parse(&hf_attempt_type, (struct hf_view){text.p, n}, &back, NULL), 0);
}
END_TEST

static void all(TCase *tc)
{
    tcase_add_test(tc, judgement);
    tcase_add_test(tc, lives);
    tcase_add_test(tc, round_trip);
}

HF_TEST_MAIN("update/attempt", all)
