/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "node/resources/kubelet_config.h"
#include "node/resources/logs.h"
#include "node/resources/pods.h"
#include "node/resources/pressure.h"
#include "node/resources/wear.h"
#include "node/resources/write_log.h"
#include "os/fs_posix.h"
#include "support/board.h"
#include "support/check_main.h"

#define MIB (UINT64_C(1) << 20)
#define HOUR (3600 * HF_NS_PER_S)
#define DAY (24 * HOUR)
#define NOW (UINT64_C(1700000000) * HF_NS_PER_S)
#define BOOT "8c4a1d2e-0000-4000-8000-000000000001"
#define OTHER_BOOT "8c4a1d2e-0000-4000-8000-000000000002"

static char root[128];

static struct hf_probe_root board(const char *name)
{
    char tree[128];

    (void)snprintf(tree, sizeof(tree), "tests/unit/node/boards/%s.tree", name);
    board_unpack(tree, root);
    return (struct hf_probe_root){hf_fs_posix(), root};
}

/* ---- pressure ---------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    struct hf_pressure_disk disk;
    enum hf_disk_level level;
    enum hf_pressure_cause cause;
    bool was_writable; /* afterwards */
} rows[] = {
    {"fine", {.usage = {.used_percent = 69, .inodes_percent = 10}}, HF_DISK_OK, HF_PRESSURE_NONE, true},
    {"space", {.usage = {.used_percent = 70, .inodes_percent = 70}}, HF_DISK_WARNING, HF_PRESSURE_SPACE, true},
    {"inodes", {.usage = {.used_percent = 20, .inodes_percent = 85}}, HF_DISK_CRITICAL, HF_PRESSURE_INODES, true},
    {"stays critical",
     {.usage = {.used_percent = 83}, .filling = HF_DISK_CRITICAL},
     HF_DISK_CRITICAL,
     HF_PRESSURE_SPACE,
     true},
    {"falls", {.usage = {.used_percent = 82}, .filling = HF_DISK_CRITICAL}, HF_DISK_WARNING, HF_PRESSURE_SPACE, true},
    {"missing", {.missing = true, .filling = HF_DISK_CRITICAL}, HF_DISK_OK, HF_PRESSURE_NONE, false},
    {"image that is always full",
     {.usage = {.used_percent = 100, .read_only = true}},
     HF_DISK_OK,
     HF_PRESSURE_NONE,
     false},
    {"remounted",
     {.usage = {.used_percent = 10, .read_only = true}, .was_writable = true},
     HF_DISK_CRITICAL,
     HF_PRESSURE_READ_ONLY,
     true},
    {"ours",
     {.usage = {.used_percent = 10, .read_only = true}, .must_write = true},
     HF_DISK_CRITICAL,
     HF_PRESSURE_READ_ONLY,
     false},
    {"worn", {.usage = {.used_percent = 10}, .wear = {.percent = 90}}, HF_DISK_WARNING, HF_PRESSURE_WORN, true},
    {"not yet worn", {.usage = {.used_percent = 10}, .wear = {.percent = 89}}, HF_DISK_OK, HF_PRESSURE_NONE, true},
    {"reserve used",
     {.usage = {.used_percent = 10}, .wear = {.percent = -1, .urgent = true}},
     HF_DISK_WARNING,
     HF_PRESSURE_WORN,
     true},
    {"full and worn",
     {.usage = {.used_percent = 95}, .wear = {.percent = 100}},
     HF_DISK_CRITICAL,
     HF_PRESSURE_SPACE,
     true},
};

START_TEST(pressure)
{
    struct hf_pressure_disk disk = rows[_i].disk;

    hf_pressure_judge(&disk, 70, 85);
    ck_assert_msg(disk.level == rows[_i].level && disk.cause == rows[_i].cause &&
                      disk.was_writable == rows[_i].was_writable,
                  "%s: level %d cause %d writable %d", rows[_i].name, disk.level, disk.cause, disk.was_writable);
}
END_TEST

START_TEST(pressure_words)
{
    struct hf_pressure_disk disks[4] = {{.path = "/a", .usage = {.used_percent = 91}},
                                        {.path = "/b", .usage = {.used_percent = 50, .inodes_percent = 72}},
                                        {.path = "/c", .usage = {.read_only = true}, .was_writable = true},
                                        {.path = "/d", .wear = {.percent = 100, .urgent = true}}};
    struct hf_pressure_advice advice = {.critical_percent = 85, .kubelet = "The kubelet removes unused images"};
    char text[HF_PRESSURE_TEXT], small[20];

    ck_assert_ptr_null(hf_pressure_describe(disks, 4, &advice, text, sizeof(text)));
    ck_assert_str_eq(text, "");
    for (size_t i = 0; i < 4; i++)
        hf_pressure_judge(&disks[i], 70, 85);
    ck_assert_str_eq(hf_pressure_describe(disks, 4, &advice, text, sizeof(text)), "ReadOnly");
    ck_assert_str_eq(text,
                     "/a: 91 % of the space is used; /b: 72 % of the inodes are used (50 % of the space); /c: the "
                     "file system is read-only; /d: its flash has used 100 % of its life and nearly all its "
                     "reserve. New releases that need this space wait. Free space or inodes. The kubelet removes "
                     "unused images. See the kernel's log, repair the file system or replace the disk, and mount "
                     "it again. Replace the medium soon");
    ck_assert_str_eq(hf_pressure_describe(disks, 1, &advice, text, sizeof(text)), "Critical");
    ck_assert_str_eq(hf_pressure_describe(&disks[1], 1, &advice, text, sizeof(text)), "Warning");
    ck_assert_ptr_nonnull(strstr(text, "before the use reaches 85 %"));
    ck_assert_str_eq(hf_pressure_describe(&disks[3], 1, &advice, text, sizeof(text)), "Worn");
    advice.reclaim = true;
    (void)hf_pressure_describe(disks, 1, &advice, text, sizeof(text));
    ck_assert_ptr_nonnull(strstr(text, "the agent has removed what it could"));
    (void)hf_pressure_describe(disks, 4, &advice, small, sizeof(small));
    ck_assert_str_eq(small, "/a: 91 % of the spa");
}
END_TEST

/* ---- wear -------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    int want;
} lives[] = {{"0x01 0x01", 10},  {"0x03 0x05", 50}, {"0x09 0x02", 90}, {"0x0a 0x01", 100},
             {"0x0b 0x0b", 100}, {"0x00 0x00", -1}, {"0x00 0x02", 20}, {"0x02", 20},
             {"", -1},           {"high", -1},      {"0x0f 0x01", 10}, {"0xffffffffff 0x01", 10}};

START_TEST(wear_text)
{
    int got = hf_wear_percent(lives[_i].text);

    ck_assert_msg(got == lives[_i].want, "'%s': %d", lives[_i].text, got);
}
END_TEST

START_TEST(wear_of_boards)
{
    static const struct {
        const char *name;
        unsigned major, minor;
        bool found, urgent;
        int percent;
    } boards[] = {{"emmc-worn", 179, 2, true, true, 100},
                  {"emmc-new", 179, 1, true, false, 10},
                  {"rpi4", 179, 2, false, false, -1},
                  {"nuc", 254, 1, false, false, -1}};

    for (size_t i = 0; i < HF_LEN(boards); i++) {
        struct hf_probe_root at = board(boards[i].name);
        struct hf_wear wear;
        bool found = hf_wear_read(&at, boards[i].major, boards[i].minor, &wear);
        ck_assert_msg(found == boards[i].found && wear.percent == boards[i].percent && wear.urgent == boards[i].urgent,
                      "%s: %d %d %d", boards[i].name, found, wear.percent, wear.urgent);
        board_clean(root);
    }
}
END_TEST

/* ---- writes ------------------------------------------------------------------------------------------------------ */

static void note(struct hf_write_log *log, uint64_t counter, uint64_t mono_ns)
{
    hf_write_log_note(log, counter, &(const struct hf_write_log_now){mono_ns, NOW, false, BOOT});
}

START_TEST(writes_roll)
{
    struct hf_write_log log;

    hf_write_log_init(&log, 0);
    note(&log, 100, HOUR / 2);
    note(&log, 150, HOUR);
    note(&log, 150, 5 * HOUR);
    ck_assert_uint_eq(hf_write_log_day(&log), 150);
    ck_assert_uint_eq(log.hours[5], 100);
    ck_assert_uint_eq(log.hours[4], 50);
    note(&log, 150, 24 * HOUR - 1);
    ck_assert_uint_eq(hf_write_log_day(&log), 150);
    note(&log, 150, 24 * HOUR);
    ck_assert_uint_eq(hf_write_log_day(&log), 50);
    note(&log, 157, 1000 * HOUR); /* suspended for weeks */
    ck_assert_uint_eq(hf_write_log_day(&log), 7);
    note(&log, 3, 1000 * HOUR); /* the counter began again */
    ck_assert_uint_eq(hf_write_log_day(&log), 10);
}
END_TEST

START_TEST(writes_budget)
{
    static const struct {
        uint64_t day, budget;
        bool before, want;
    } cells[] = {{0, 0, false, false},
                 {1000 * MIB, 0, false, false},
                 {99 * MIB, 100 * MIB, false, false},
                 {100 * MIB, 100 * MIB, false, true},
                 {96 * MIB, 100 * MIB, true, true},
                 {95 * MIB, 100 * MIB, true, false},
                 {500 * MIB, 0, true, false},
                 {0, 1, true, false}};

    for (size_t i = 0; i < HF_LEN(cells); i++) {
        struct hf_write_log log = {.hours = {cells[i].day / 2, cells[i].day - cells[i].day / 2},
                                   .used_up = cells[i].before};
        ck_assert_msg(hf_write_log_judge(&log, cells[i].budget) == cells[i].want, "row %zu", i);
        ck_assert(log.used_up == cells[i].want);
    }
}
END_TEST

START_TEST(writes_are_saved_rarely)
{
    const struct hf_write_log_now now = {10 * HOUR, NOW, false, ""};
    struct hf_write_log log;

    hf_write_log_init(&log, 0);
    note(&log, MIB - 1, 10 * HOUR);
    ck_assert(!hf_write_log_is_due(&log, 0, &now));
    note(&log, MIB, 10 * HOUR);
    ck_assert(hf_write_log_is_due(&log, 0, &now));
    log.saved_ns = 10 * HOUR - HF_WRITE_LOG_SAVE_NS + 1;
    ck_assert(!hf_write_log_is_due(&log, 0, &now));
    note(&log, 32 * MIB, 10 * HOUR);
    ck_assert(hf_write_log_is_due(&log, 0, &now));
}
END_TEST

/* The log is saved 100.5 hours after the boot began, half an hour into an hour. */
static const struct {
    const char *name, *boot; /* "": as an earlier version saved it */
    int64_t away_s;          /* wall clock between save and load */
    uint64_t start_ns;       /* monotonic time of the new process */
    uint64_t want_day;       /* of 24 hours with 1..24 bytes, newest first */
    bool sure_before, sure_now;
} restarts[] = {
    {"at once", "", 0, 5 * HOUR, 300, false, false},
    {"same hour", "", 1799, 0, 300, false, false},
    {"next hour", "", 1800, 0, 300 - 24, false, false},
    {"a day later", "", 86400, HOUR, 0, false, false},
    {"a year later", "", 31536000, HOUR, 0, false, false},
    {"clock went back", "", -31536000, HOUR, 300, false, false},
    {"reboot", OTHER_BOOT, 1799, 0, 300, false, false},
    {"reboot, next hour", OTHER_BOOT, 1800, 0, 300 - 24, false, false},
    {"reboot, clock went back", OTHER_BOOT, -31536000, HOUR / 4, 300, false, false},
    {"reboot, clock went back, an hour ago", OTHER_BOOT, -31536000, HOUR, 300 - 24, false, false},
    {"reboot, a day later", OTHER_BOOT, 86400, HOUR / 4, 0, true, true},
    {"reboot, a day later by a chip alone", OTHER_BOOT, 86400, HOUR / 4, 0, false, false},
    {"reboot, a time server corrects the clock", OTHER_BOOT, 14 * 86400, HOUR / 4, 300, false, true},
    {"same boot", BOOT, 1799, 100 * HOUR + HOUR / 2 + 1799 * HF_NS_PER_S, 300, false, false},
    {"same boot, clock leapt", BOOT, 14 * 86400, 100 * HOUR + HOUR / 2 + 60 * HF_NS_PER_S, 300, false, false},
    {"same boot, clock leapt, next hour", BOOT, 14 * 86400, 101 * HOUR, 300 - 24, false, false},
    {"same boot, clock went back", BOOT, -31536000, 102 * HOUR, 300 - 24 - 23, false, false},
    {"same boot, a day later", BOOT, 0, 125 * HOUR, 0, false, false},
};

START_TEST(writes_survive)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096);
    uint64_t start = restarts[_i].start_ns;
    const struct hf_write_log_now saved = {100 * HOUR + HOUR / 2, NOW, restarts[_i].sure_before,
                                           restarts[_i].boot[0] != '\0' ? BOOT : ""};
    const struct hf_write_log_now loaded = {start, NOW + (uint64_t)restarts[_i].away_s * HF_NS_PER_S,
                                            restarts[_i].sure_now,
                                            restarts[_i].boot[0] != '\0' ? restarts[_i].boot : BOOT};
    struct hf_write_log log = {.hour_ns = 100 * HOUR}, read;

    for (size_t i = 0; i < HF_WRITE_LOG_HOURS; i++)
        log.hours[i] = i + 1;
    ck_assert_int_eq(hf_write_log_format(&log, &saved, &text), 0);
    ck_assert_uint_eq(log.unsaved, 0);
    hf_write_log_init(&read, start);
    ck_assert_int_eq(hf_write_log_parse(hf_buf_view(&text), &loaded, &read, NULL), 0);
    ck_assert_msg(hf_write_log_day(&read) == restarts[_i].want_day, "%s: %llu", restarts[_i].name,
                  (unsigned long long)hf_write_log_day(&read));
    note(&read, 7, start);
    ck_assert_uint_eq(hf_write_log_day(&read), restarts[_i].want_day + 7);
    text.p[text.n - 3] ^= 1;
    ck_assert_int_eq(hf_write_log_parse(hf_buf_view(&text), &loaded, &read, NULL), -EBADMSG);
    ck_assert_int_eq(hf_write_log_parse(HF_VIEW(""), &loaded, &read, NULL), -EBADMSG);
    ck_assert_uint_eq(hf_write_log_day(&read), restarts[_i].want_day + 7);
}
END_TEST

static void save_log(struct hf_write_log *log, struct hf_write_log_now now)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096);

    ck_assert_int_eq(hf_write_log_format(log, &now, &text), 0);
}

static bool is_due(const struct hf_write_log *log, uint64_t budget, uint64_t mono_ns, uint64_t unix_ns)
{
    const struct hf_write_log_now now = {mono_ns, unix_ns, true, BOOT};

    return hf_write_log_is_due(log, budget, &now);
}

/* With a budget, the log is saved again when it ages, and when the time in the file turns out to be wrong. */
START_TEST(writes_age_on_disk)
{
    const uint64_t budget = 100 * MIB, then = NOW + 3 * DAY - HOUR / 2;
    struct hf_write_log log;
    unsigned saves = 0;

    hf_write_log_init(&log, 0);
    note(&log, 20 * MIB, HOUR / 2);
    save_log(&log, (struct hf_write_log_now){HOUR / 2, NOW, true, BOOT});
    ck_assert(!is_due(&log, budget, HOUR / 2, NOW));
    for (uint64_t at = HOUR / 2; at < 3 * DAY; at += HOUR / 4) {
        note(&log, 20 * MIB, at);
        ck_assert(!is_due(&log, 0, at, NOW + at - HOUR / 2)); /* without a budget nothing depends on it */
        if (!is_due(&log, budget, at, NOW + at - HOUR / 2))
            continue;
        save_log(&log, (struct hf_write_log_now){at, NOW + at - HOUR / 2, true, BOOT});
        saves++;
    }
    ck_assert_uint_eq(hf_write_log_day(&log), 0);
    ck_assert_uint_eq(saves, 23); /* once an hour while it counts; an idle agent writes nothing */
    note(&log, 40 * MIB, 3 * DAY);
    save_log(&log, (struct hf_write_log_now){3 * DAY, then, true, BOOT});
    ck_assert(!is_due(&log, budget, 3 * DAY, then + 5 * 60 * HF_NS_PER_S)); /* slewed */
    ck_assert(is_due(&log, budget, 3 * DAY, then + 14 * DAY));
    ck_assert(is_due(&log, budget, 3 * DAY, then - DAY));
    save_log(&log, (struct hf_write_log_now){3 * DAY, then - DAY, true, BOOT});
    ck_assert(!is_due(&log, budget, 3 * DAY, then - DAY));
    ck_assert(!is_due(&log, budget, 3 * DAY + 599 * HF_NS_PER_S, then + 599 * HF_NS_PER_S)); /* it leapt just now */
    ck_assert(is_due(&log, budget, 3 * DAY + 600 * HF_NS_PER_S, then + 600 * HF_NS_PER_S));
}
END_TEST

/* The bytes are judged at the end of each hour that counts. */
START_TEST(writes_are_judged_in_time)
{
    struct hf_write_log log;

    hf_write_log_init(&log, 0);
    ck_assert_uint_eq(hf_write_log_wait_until_ns(&log, MIB), HF_NEVER);
    note(&log, 100, HOUR / 2);
    ck_assert_uint_eq(hf_write_log_wait_until_ns(&log, 0), HF_NEVER);
    ck_assert_uint_eq(hf_write_log_wait_until_ns(&log, MIB), HOUR);
    note(&log, 200, HOUR);
    ck_assert_uint_eq(hf_write_log_wait_until_ns(&log, MIB), 2 * HOUR);
    note(&log, 200, 25 * HOUR - 1);
    ck_assert_uint_eq(hf_write_log_wait_until_ns(&log, MIB), 25 * HOUR);
    note(&log, 200, 25 * HOUR);
    ck_assert_uint_eq(hf_write_log_wait_until_ns(&log, MIB), HF_NEVER);
}
END_TEST

/* A power cut costs at most an eighth of the budget, however fast it was used up; and nothing once it is used up. */
START_TEST(writes_of_a_small_budget)
{
    const uint64_t budget = 20 * MIB;
    struct hf_write_log log;
    unsigned saves = 0;

    hf_write_log_init(&log, 0);
    for (uint64_t counter = 0; counter <= budget + MIB; counter += MIB / 16) {
        note(&log, counter, HF_NS_PER_S);
        bool used_up = hf_write_log_judge(&log, budget);
        if (is_due(&log, budget, HF_NS_PER_S, NOW)) {
            save_log(&log, (struct hf_write_log_now){HF_NS_PER_S, NOW, true, BOOT});
            saves++;
        }
        ck_assert_uint_lt(log.unsaved, budget / 8);
        ck_assert(!used_up || counter > budget || log.unsaved == 0);
    }
    ck_assert_uint_le(saves, 9);
    /* A save writes, too; that does not need another one. */
    log.unsaved = 8192;
    log.saved_used_up = true;
    ck_assert(!is_due(&log, budget, HF_NS_PER_S, NOW));
    ck_assert(!is_due(&log, 1, HF_NS_PER_S, NOW));
}
END_TEST

/* The clock was a year ahead at the save, and is right after each reboot: the budget refills all the same. */
START_TEST(writes_refill_over_reboots)
{
    const struct hf_write_log_now ahead = {HOUR, NOW + 365 * DAY, true, OTHER_BOOT};
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096);
    struct hf_write_log log;

    hf_write_log_init(&log, 0);
    note(&log, 20 * MIB, HOUR / 2);
    ck_assert_int_eq(hf_write_log_format(&log, &ahead, &text), 0);
    for (unsigned boot = 0; boot < 20; boot++) {
        char id[24];
        (void)snprintf(id, sizeof(id), "8c4a1d2e-%04x", boot);
        for (uint64_t at = 0; at < 2 * HOUR; at += HOUR / 6) {
            const struct hf_write_log_now now = {at, NOW + boot * 2 * HOUR + at, true, id};
            if (at == 0)
                ck_assert_int_eq(hf_write_log_parse(hf_buf_view(&text), &now, &log, NULL), 0);
            note(&log, 0, at);
            if (!hf_write_log_is_due(&log, 20 * MIB, &now))
                continue;
            text.n = 0;
            ck_assert_int_eq(hf_write_log_format(&log, &now, &text), 0);
        }
    }
    ck_assert_uint_eq(hf_write_log_day(&log), 0);
}
END_TEST

/* A board without a clock battery that is off each night: at the start its clock shows the time of the shutdown, and
 * minutes later a server corrects it. The night counts from then on, and what was written meanwhile stays. */
static const struct {
    bool sure_before;
    uint64_t off_ns, correct_ns; /* how long the machine was off, and what the clock is corrected by */
    uint64_t want_day;           /* of 24 hours with 1..24 bytes, newest first, and 1000 bytes since the start */
} nights[] = {
    {true, 0, 0, 1000 + 300},
    {true, 3 * HOUR, 3 * HOUR, 1000 + 300 - 24 - 23 - 22},
    {true, 16 * HOUR, 16 * HOUR, 1000 + 36},
    {true, 100 * DAY, 100 * DAY, 1000},
    {false, 16 * HOUR, 16 * HOUR, 1000 + 300},
};

START_TEST(writes_age_while_the_machine_is_off)
{
    const struct hf_write_log_now saved = {10 * HOUR, NOW, nights[_i].sure_before, OTHER_BOOT};
    struct hf_write_log_now now = {HOUR / 6, NOW + HOUR / 6, false, BOOT};
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096);
    struct hf_write_log log = {.hour_ns = 10 * HOUR}, read;

    for (size_t i = 0; i < HF_WRITE_LOG_HOURS; i++)
        log.hours[i] = i + 1;
    ck_assert_int_eq(hf_write_log_format(&log, &saved, &text), 0);
    hf_write_log_init(&read, now.mono_ns);
    ck_assert_int_eq(hf_write_log_parse(hf_buf_view(&text), &now, &read, NULL), 0);
    hf_write_log_note(&read, 400, &now);
    ck_assert_uint_eq(hf_write_log_day(&read), 300 + 400);
    now = (struct hf_write_log_now){HOUR / 3, NOW + HOUR / 3 + nights[_i].correct_ns, true, BOOT};
    for (int again = 0; again < 2; again++) {
        hf_write_log_note(&read, 1000, &now);
        ck_assert_uint_eq(hf_write_log_day(&read), nights[_i].want_day);
        ck_assert_uint_eq(read.unsaved, 1000);
    }
    now.mono_ns += 24 * HOUR;
    hf_write_log_note(&read, 1000, &now);
    ck_assert_uint_eq(hf_write_log_day(&read), 0);
}
END_TEST

/* The time is not sure for three days, and the agent writes 10 bytes an hour: what is older than a day does not count
 * when the time becomes sure. */
START_TEST(writes_of_days_without_the_time)
{
    const struct hf_write_log_now saved = {10 * HOUR, NOW, true, OTHER_BOOT};
    struct hf_write_log_now now = {0, NOW, false, BOOT};
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096);
    struct hf_write_log log = {.hour_ns = 10 * HOUR, .hours = {100}}, read;

    ck_assert_int_eq(hf_write_log_format(&log, &saved, &text), 0);
    hf_write_log_init(&read, 0);
    ck_assert_int_eq(hf_write_log_parse(hf_buf_view(&text), &now, &read, NULL), 0);
    for (uint64_t hour = 1; hour <= 72; hour++) {
        now.mono_ns = hour * HOUR;
        now.unix_ns = NOW + hour * HOUR;
        now.sure = hour == 72;
        hf_write_log_note(&read, hour * 10, &now);
        ck_assert_uint_le(hf_write_log_day(&read), 100 + 240);
    }
    ck_assert_uint_le(hf_write_log_day(&read), 240);
    ck_assert_uint_ge(hf_write_log_day(&read), 230);
}
END_TEST

/* ---- the kubelet ------------------------------------------------------------------------------------------------- */

START_TEST(kubelets)
{
    static const struct {
        const char *board, *words;
        uint64_t log_bytes;
        unsigned log_files;
    } boards[] = {
        {"kubeadm",
         "The kubelet removes unused images from 80 % on, and evicts pods at nodefs.available<12%, "
         "imagefs.available<15%",
         500 * MIB, 10},
        {"k3s",
         "The kubelet removes unused images from 75 % on, and evicts pods at nodefs.available<5%, "
         "nodefs.inodesFree<5%",
         50 * MIB, 3},
        {"k3s-files",
         "The kubelet removes unused images from 58 % on, and evicts pods at imagefs.available<7%, "
         "nodefs.available<5%",
         20 * MIB, 2},
        {"kubeedge", "The kubelet removes unused images from 88 % on", 0, 0},
        {"bare", "", 0, 0},
    };

    for (size_t i = 0; i < HF_LEN(boards); i++) {
        struct hf_probe_root at = board(boards[i].board);
        struct hf_kubelet_config config;
        char text[160];
        hf_kubelet_config_read(&at, &config);
        hf_kubelet_config_describe(&config, text, sizeof(text));
        ck_assert_str_eq(text, boards[i].words);
        ck_assert_uint_eq(config.log_max_bytes, boards[i].log_bytes);
        ck_assert_uint_eq(config.log_max_files, boards[i].log_files);
        ck_assert(config.found == (i != 4));
        board_clean(root);
    }
}
END_TEST

/* ---- logs -------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    uint64_t want;
} sizes[] = {{"500M", 500 * MIB}, /* each as journald of systemd 252 reads it */
             {"4G", 4096 * MIB},
             {"1024", 1024},
             {"2048B", 2048},
             {"1T", MIB *MIB},
             {"1.5G", 1536 * MIB},
             {"1G512M", 1536 * MIB},
             {"48 M", 48 * MIB},
             {"1G1", 1024 * MIB + 1},
             {"2K", 2048},
             {"2k", 0},
             {"0x10M", 0},
             {"1M1G", 0},
             {"", 0},
             {"10%", 0},
             {"infinity", 0},
             {"-1", 0},
             {"30MB", 0},
             {"16E", 0},
             {"15E1024P", 0},
             {"99999999999999999999", 0},
             {"5X", 0}};

START_TEST(journal_sizes)
{
    ck_assert_msg(hf_logs_journal_size(sizes[_i].text) == sizes[_i].want, "'%s'", sizes[_i].text);
}
END_TEST

START_TEST(rotated)
{
    static const char config[] =
        "# /var/log/comment.log\n/var/log/syslog\n/var/log/nginx/*.log \"/srv/a.log\" {\n  weekly\n}\n";
    static const struct {
        const char *path;
        bool want;
    } paths[] = {{"/var/log/syslog", true},         {"/var/log/nginx/access.log", true}, {"/srv/a.log", true},
                 {"/var/log/nginx/x/y.log", false}, {"/var/log/comment.log", false},     {"/var/log/other.log", false}};

    for (size_t i = 0; i < HF_LEN(paths); i++)
        ck_assert_msg(hf_logs_is_rotated(config, paths[i].path) == paths[i].want, "%s", paths[i].path);
}
END_TEST

static const struct {
    const char *name;
    struct hf_logs logs;
    const char *reason, *part;
} judged[] = {
    {"fine", {.disk_bytes = 16384 * MIB, .journal_on_disk = true}, NULL, ""},
    {"journal",
     {.disk_bytes = 16384 * MIB, .journal_on_disk = true, .journal_max_bytes = 8192 * MIB},
     "JournalTooLarge",
     "journald may take 8192 MiB of a disk of 16384 MiB"},
    {"journal in memory", {.disk_bytes = 16384 * MIB, .journal_max_bytes = 8192 * MIB}, NULL, ""},
    {"journal within", {.disk_bytes = 16384 * MIB, .journal_on_disk = true, .journal_max_bytes = 3000 * MIB}, NULL, ""},
    {"unknown disk", {.journal_on_disk = true, .journal_max_bytes = UINT64_MAX}, NULL, ""},
    {"containers",
     {.disk_bytes = 16384 * MIB, .kubelet = {.log_max_bytes = 500 * MIB, .log_max_files = 2}},
     "ContainerLogsTooLarge",
     "the log of one container may take 1000 MiB"},
    {"containers, default of files",
     {.disk_bytes = 16384 * MIB, .kubelet = {.log_max_bytes = 200 * MIB}},
     "ContainerLogsTooLarge",
     "1000 MiB"},
    {"containers within", {.disk_bytes = 16384 * MIB, .kubelet = {.log_max_bytes = 100 * MIB}}, NULL, ""},
    {"docker", {.docker_unbounded = true}, "ContainerLogsTooLarge", "max-size"},
    {"big",
     {.biggest = {{"/var/log/app.log", 2048 * MIB, false}, {"/var/log/b", 1023 * MIB, false}}},
     "FileTooLarge",
     "/var/log/app.log has 2048 MiB and no entry of logrotate"},
    {"big, rotated", {.biggest = {{"/var/log/app.log", 2048 * MIB, true}}}, NULL, ""},
    {"big of a container",
     {.biggest = {{"/var/log/pods/a_b_c/d/0.log", 1024 * MIB, false}}},
     "FileTooLarge",
     "check the log rotation of the container runtime"},
    {"two",
     {.docker_unbounded = true, .biggest = {{"/var/log/app.log", 2048 * MIB, false}}},
     "ContainerLogsTooLarge",
     "daemon.json; /var/log/app.log has"},
};

START_TEST(logs_judged)
{
    char text[HF_LOGS_TEXT];
    const char *reason = hf_logs_judge(&judged[_i].logs, text, sizeof(text));

    ck_assert_msg((reason == NULL) == (judged[_i].reason == NULL), "%s: %s", judged[_i].name, text);
    if (reason != NULL)
        ck_assert_str_eq(reason, judged[_i].reason);
    ck_assert_msg(strstr(text, judged[_i].part) != NULL, "%s: %s", judged[_i].name, text);
}
END_TEST

static void put(const char *path, const char *text)
{
    char full[512];

    (void)snprintf(full, sizeof(full), "%s%s", root, path);
    FILE *file = fopen(full, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

START_TEST(logs_of_a_board)
{
    struct hf_probe_root at = board("logs");
    struct hf_logs logs;
    char page[16384];

    memset(page, 'x', sizeof(page) - 1);
    page[sizeof(page) - 1] = '\0';
    put("/var/log/pods/shop_web_1f0a0000-0000-4000-8000-000000000001/web/0.log", page);
    hf_logs_read(&at, &logs);
    ck_assert(logs.journal_on_disk);
    ck_assert_uint_eq(logs.journal_max_bytes, 3072 * MIB); /* the last drop-in wins */
    ck_assert(logs.docker_unbounded);
    ck_assert_uint_gt(logs.disk_bytes, 0);
    ck_assert_str_eq(logs.biggest[0].path, "/var/log/pods/shop_web_1f0a0000-0000-4000-8000-000000000001/web/0.log");
    ck_assert_str_eq(logs.biggest[1].path, "/var/log/syslog");
    ck_assert_str_eq(logs.biggest[2].path, ""); /* not the journal, not the link */
    board_clean(root);
    at = board("bare");
    hf_logs_read(&at, &logs);
    ck_assert(!logs.journal_on_disk && !logs.docker_unbounded && logs.biggest[0].bytes == 0);
    board_clean(root);
}
END_TEST

/* ---- pods -------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name, *uid; /* NULL: no pod */
} groups[] = {
    {"pod1f0a0000-0000-4000-8000-000000000001", "1f0a0000-0000-4000-8000-000000000001"},
    {"kubepods-burstable-pod1f0a0000_0000_4000_8000_000000000001.slice", "1f0a0000-0000-4000-8000-000000000001"},
    {"kubepods-pod1f0a0000_0000_4000_8000_000000000001.slice", "1f0a0000-0000-4000-8000-000000000001"},
    {"pod0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef"},
    {"kubepods.slice", NULL},
    {"kubepods-burstable.slice", NULL},
    {"pod1f0a", NULL},
    {"pod0123456789abcdef0123456789abcdef0123456789abcdef", NULL},
    {"pod0123456789abcdef0123456789abcdef.scope", NULL},
    {"", NULL},
};

START_TEST(pod_uids)
{
    char uid[40] = "";
    bool found = hf_pods_uid(groups[_i].name, uid);

    ck_assert_msg(found == (groups[_i].uid != NULL), "'%s': %s", groups[_i].name, uid);
    if (found)
        ck_assert_str_eq(uid, groups[_i].uid);
}
END_TEST

static const struct {
    const char *name;
    struct hf_pod_memory pod;
    const char *want;
} troubles[] = {
    {"fine", {.used_bytes = 94 * MIB, .limit_bytes = 100 * MIB}, NULL},
    {"near", {.used_bytes = 95 * MIB, .limit_bytes = 100 * MIB}, "NearLimit"},
    {"no limit", {.used_bytes = 95 * MIB}, NULL},
    {"stalled", {.stalled_percent = 10}, "Stalled"},
    {"a little", {.stalled_percent = 9}, NULL},
    {"killed", {.used_bytes = 99 * MIB, .limit_bytes = 100 * MIB, .killed = true}, "OomKilled"},
};

START_TEST(pod_troubles)
{
    const char *got = hf_pods_trouble(&troubles[_i].pod);

    ck_assert_msg((got == NULL) == (troubles[_i].want == NULL), "%s", troubles[_i].name);
    if (got != NULL)
        ck_assert_str_eq(got, troubles[_i].want);
}
END_TEST

#define POD2                                                                                                           \
    "/sys/fs/cgroup/kubepods.slice/kubepods-burstable.slice/"                                                          \
    "kubepods-burstable-pod1f0a0000_0000_4000_8000_000000000001.slice"

START_TEST(pods_v2)
{
    struct hf_probe_root at = board("pods-v2");
    struct hf_pod_kills kills = {.filled = false};
    struct hf_pods_found pods;
    char text[HF_PODS_TEXT];

    hf_pods_read(&at, &kills, HOUR, &pods);
    ck_assert(pods.found);
    ck_assert_uint_eq(pods.n, 3);
    ck_assert_uint_eq(pods.used_bytes, (96 + 10 + 20) * MIB);
    ck_assert_str_eq(pods.worst[0].name, "shop/web");
    ck_assert_uint_eq(pods.worst[0].used_bytes, 96 * MIB);
    ck_assert_uint_eq(pods.worst[0].limit_bytes, 100 * MIB);
    ck_assert_uint_eq(pods.worst[0].stalled_percent, 3);
    ck_assert_str_eq(hf_pods_describe(&pods, text, sizeof(text)), "NearLimit");
    ck_assert_str_eq(text, "shop/web uses 96 % of its memory limit. Raise the memory limits, or find what leaks");
    put(POD2 "/memory.events", "low 0\nhigh 0\nmax 9\noom 3\noom_kill 3\n"); /* it had 1 at the first look */
    hf_pods_read(&at, &kills, 2 * HOUR, &pods);
    ck_assert_uint_eq(kills.total, 2);
    ck_assert_str_eq(hf_pods_describe(&pods, text, sizeof(text)), "OomKilled");
    ck_assert_ptr_nonnull(strstr(text, "lost a process within the last hour to its memory limit"));
    hf_pods_read(&at, &kills, 2 * HOUR + HF_PODS_KILL_NS - 1, &pods);
    ck_assert(pods.worst[0].killed);
    hf_pods_read(&at, &kills, 2 * HOUR + HF_PODS_KILL_NS, &pods);
    ck_assert(!pods.worst[0].killed);
    ck_assert_uint_eq(kills.total, 2);
    board_clean(root);
    hf_pods_read(&at, &kills, 9 * HOUR, &pods);
    ck_assert(!pods.found && pods.n == 0 && kills.pods[0].pod == 0);
}
END_TEST

/* The kernel killed a process of a pod that is within its limit: the node had no memory left. */
START_TEST(a_node_without_memory)
{
    struct hf_probe_root at = board("pods-v2");
    struct hf_pod_kills kills = {.filled = false};
    struct hf_pods_found pods;
    char text[HF_PODS_TEXT];

    put(POD2 "/memory.events", "low 0\nhigh 0\nmax 9\noom 1\noom_kill 1\n");
    hf_pods_read(&at, &kills, HOUR, &pods);
    put(POD2 "/memory.events", "low 0\nhigh 0\nmax 9\noom 1\noom_kill 2\n");
    put(POD2 "/memory.current", "1000\n");
    hf_pods_read(&at, &kills, 2 * HOUR, &pods);
    ck_assert_str_eq(hf_pods_describe(&pods, text, sizeof(text)), "OomKilled");
    ck_assert_ptr_nonnull(strstr(text, "lost a process within the last hour because the node ran out of memory"));
    ck_assert_ptr_nonnull(strstr(text, ". Find what uses the node's memory, and give it a limit"));
    board_clean(root);
}
END_TEST

START_TEST(pods_v1)
{
    struct hf_probe_root at = board("pods-v1");
    struct hf_pod_kills kills = {.filled = true}; /* a pod that appears with kills was killed since */
    struct hf_pods_found pods;

    hf_pods_read(&at, &kills, HOUR, &pods);
    ck_assert_uint_eq(pods.n, 2);
    ck_assert_str_eq(pods.worst[0].name, "0123456789abcdef0123456789abcdef"); /* no log folder */
    ck_assert(pods.worst[0].killed);
    ck_assert_uint_eq(pods.worst[0].kills, 2); /* of the container */
    ck_assert_uint_eq(pods.worst[0].used_bytes, 40 * MIB);
    ck_assert_uint_eq(pods.worst[1].limit_bytes, 0);
    board_clean(root);
}
END_TEST

START_TEST(many_pods)
{
    struct hf_pod_kills kills = {.filled = false};
    struct hf_probe_root at;
    struct hf_pods_found pods;
    char path[256], text[HF_PODS_TEXT];

    at = board("pods-v2");
    for (unsigned i = 0; i < HF_PODS_MAX + 9; i++) {
        (void)snprintf(path, sizeof(path),
                       "%s/sys/fs/cgroup/kubepods.slice/kubepods-pod%08x_0000_4000_8000_000000000009.slice", root, i);
        ck_assert_int_eq(mkdir(path, 0755), 0);
        (void)snprintf(path, sizeof(path),
                       "/sys/fs/cgroup/kubepods.slice/kubepods-pod%08x_0000_4000_8000_000000000009.slice/memory.max",
                       i);
        put(path, "1000\n");
        (void)snprintf(
            path, sizeof(path),
            "/sys/fs/cgroup/kubepods.slice/kubepods-pod%08x_0000_4000_8000_000000000009.slice/memory.current", i);
        put(path, "990\n");
    }
    hf_pods_read(&at, &kills, HOUR, &pods);
    ck_assert_uint_eq(pods.n, HF_PODS_MAX + 12);
    ck_assert_uint_eq(pods.n_worst, HF_PODS_WORST);
    ck_assert_str_eq(hf_pods_describe(&pods, text, sizeof(text)), "NearLimit");
    (void)snprintf(path, sizeof(path), "and %zu more", pods.n_troubled - HF_PODS_WORST);
    ck_assert_msg(strstr(text, path) != NULL, "%s", text);
    board_clean(root);
}
END_TEST

/* A machine that is on for 40 minutes and off for 5, and that saves at each orderly stop: its hours end, although none
 * of its boots lasts one. What it wrote two days ago counts no longer. */
START_TEST(writes_age_over_short_boots)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096);
    const struct hf_write_log_now first = {HOUR / 2, NOW, true, "8c4a1d2e"};
    struct hf_write_log log;

    hf_write_log_init(&log, 0);
    note(&log, 100 * MIB, HOUR / 2);
    ck_assert_int_eq(hf_write_log_format(&log, &first, &text), 0);
    for (unsigned boot = 0; boot < 64; boot++) {
        char id[24];
        uint64_t begin = NOW + HOUR / 12 + boot * HOUR * 3 / 4;
        (void)snprintf(id, sizeof(id), "8c4a1d2e-%04x", boot);
        const struct hf_write_log_now start = {20 * HF_NS_PER_S, begin + 20 * HF_NS_PER_S, true, id};
        const struct hf_write_log_now stop = {2 * HOUR / 3, begin + 2 * HOUR / 3, true, id};
        hf_write_log_init(&log, start.mono_ns);
        ck_assert_int_eq(hf_write_log_parse(hf_buf_view(&text), &start, &log, NULL), 0);
        uint64_t wait_until_ns = hf_write_log_wait_until_ns(&log, MIB);
        ck_assert(wait_until_ns == HF_NEVER ||
                  (wait_until_ns > start.mono_ns && wait_until_ns <= start.mono_ns + HOUR));
        hf_write_log_note(&log, 0, &start);
        hf_write_log_note(&log, 0, &stop);
        ck_assert_msg(boot > 29 || hf_write_log_day(&log) == 100 * MIB, "gone in boot %u", boot);
        ck_assert_msg(boot < 32 || hf_write_log_day(&log) == 0, "counts in boot %u", boot);
        text.n = 0;
        ck_assert_int_eq(hf_write_log_format(&log, &stop, &text), 0);
    }
}
END_TEST

/* The estimate of the time goes from one of two servers to the other and back, each half minute: the first leap is
 * saved at once, and then one in ten minutes. */
START_TEST(writes_are_saved_rarely_while_the_time_leaps)
{
    struct hf_write_log log;
    unsigned saves = 0;

    hf_write_log_init(&log, 0);
    note(&log, 100 * MIB, HF_NS_PER_S);
    save_log(&log, (struct hf_write_log_now){HF_NS_PER_S, NOW, false, BOOT});
    for (unsigned i = 1; i < 115; i++) {
        uint64_t since_ns = i * 30 * HF_NS_PER_S, lead_ns = i % 2 == 1 ? 1200 * HF_NS_PER_S : 0;
        const struct hf_write_log_now now = {HF_NS_PER_S + since_ns, NOW + since_ns + lead_ns, false, BOOT};
        hf_write_log_note(&log, 100 * MIB, &now);
        if (!hf_write_log_is_due(&log, 200 * MIB, &now))
            continue;
        saves++;
        save_log(&log, now);
        ck_assert(saves > 1 || i == 1);
    }
    ck_assert_msg(saves >= 2 && saves <= 6, "%u saves in less than an hour", saves);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, pressure, 0, HF_LEN(rows));
    tcase_add_test(tc, pressure_words);
    tcase_add_loop_test(tc, wear_text, 0, HF_LEN(lives));
    tcase_add_test(tc, wear_of_boards);
    tcase_add_test(tc, writes_roll);
    tcase_add_test(tc, writes_budget);
    tcase_add_test(tc, writes_are_saved_rarely);
    tcase_add_loop_test(tc, writes_survive, 0, HF_LEN(restarts));
    tcase_add_test(tc, writes_age_on_disk);
    tcase_add_test(tc, writes_are_judged_in_time);
    tcase_add_test(tc, writes_of_a_small_budget);
    tcase_add_test(tc, writes_refill_over_reboots);
    tcase_add_test(tc, writes_age_over_short_boots);
    tcase_add_test(tc, writes_are_saved_rarely_while_the_time_leaps);
    tcase_add_test(tc, writes_of_days_without_the_time);
    tcase_add_loop_test(tc, writes_age_while_the_machine_is_off, 0, HF_LEN(nights));
    tcase_add_test(tc, kubelets);
    tcase_add_loop_test(tc, journal_sizes, 0, HF_LEN(sizes));
    tcase_add_test(tc, rotated);
    tcase_add_loop_test(tc, logs_judged, 0, HF_LEN(judged));
    tcase_add_test(tc, logs_of_a_board);
    tcase_add_loop_test(tc, pod_uids, 0, HF_LEN(groups));
    tcase_add_loop_test(tc, pod_troubles, 0, HF_LEN(troubles));
    tcase_add_test(tc, pods_v2);
    tcase_add_test(tc, a_node_without_memory);
    tcase_add_test(tc, pods_v1);
    tcase_add_test(tc, many_pods);
}

HF_TEST_MAIN("node/resources", cases)
