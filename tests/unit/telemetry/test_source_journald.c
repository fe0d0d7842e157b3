/* SPDX-License-Identifier: Apache-2.0 */
/* Against real journal files, made by systemd-journal-remote from the export format. */
#include "unit/telemetry/source_fixture.h"

#include <sys/wait.h>

static const char remote[] = "/lib/systemd/systemd-journal-remote";
static struct hf_source *source;
static struct hf_telemetry_sources sources;
static unsigned clock_us;

static void start(void)
{
    struct hf_err err = HF_ERR_INIT;

    ck_assert_msg(hf_source_journald_new(&sources, &world, &intake, &source, &err) == 0, "%s", err.cause);
}

static void stop(void)
{
    source->free(source);
    source = NULL;
}

static void boot_id(char text[40])
{
    _cleanup_(hf_buf_done) struct hf_buf file = HF_BUF_INIT(64);
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    char raw[40] = "";
    size_t n = 0;

    ck_assert_int_ge(read(fd, raw, sizeof(raw) - 1), 36);
    (void)close(fd);
    for (const char *p = raw; *p != '\0' && *p != '\n'; p++)
        if (*p != '-')
            text[n++] = *p;
    text[n] = '\0';
}

/* Write `text` to a child's input; its exit status. */
static int feed(const char *file, const char *text)
{
    int pipes[2], status;
    char option[300];

    (void)snprintf(option, sizeof(option), "--output=%s", below(file));
    ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)dup2(pipes[0], 0);
        int null = open("/dev/null", O_WRONLY);
        (void)dup2(null, 2);
        (void)execl(remote, remote, option, "-", (char *)NULL);
        _exit(127);
    }
    (void)close(pipes[0]);
    ck_assert_int_eq(write(pipes[1], text, strlen(text)), (ssize_t)strlen(text));
    (void)close(pipes[1]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

struct line {
    const char *unit, *priority, *message, *more;
};

/* What the boot and the wall clock of the next entries are. */
static char boot[40];
static int64_t clock_off_s;

static void write_journal(const char *file, const struct line *lines, size_t n)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20);

    for (size_t i = 0; i < n; i++) {
        clock_us += 1000;
        ck_assert_int_eq(hf_buf_addf(&text,
                                     "__REALTIME_TIMESTAMP=%llu\n__MONOTONIC_TIMESTAMP=%u\n_BOOT_ID=%s\n"
                                     "_MACHINE_ID=0123456789abcdef0123456789abcdef\n_SYSTEMD_UNIT=%s\nPRIORITY=%s\n"
                                     "SYSLOG_IDENTIFIER=ident\n_PID=42\n%sMESSAGE=%s\n\n",
                                     (unsigned long long)(1795161600000000ll + clock_off_s * 1000000ll + clock_us),
                                     clock_us, boot, lines[i].unit, lines[i].priority,
                                     lines[i].more != NULL ? lines[i].more : "", lines[i].message),
                         0);
    }
    ck_assert_int_eq(feed(file, hf_buf_str(&text)), 0);
}

/* The entries of another boot, whose monotonic clock begins again. */
static void other_boot(const char *id)
{
    (void)snprintf(boot, sizeof(boot), "%s", id);
    clock_us = 0;
    clock_off_s = 0;
}

/* The entries of the boot of this machine, whose wall clock is off by `off_s`. */
static void this_boot(int64_t off_s)
{
    boot_id(boot);
    clock_us = 0;
    clock_off_s = off_s;
}

static void write_one(const char *file, const char *message)
{
    const struct line line = {"a.service", "6", message, NULL};

    write_journal(file, &line, 1);
}

/* The loop's timers, with 100 times the speed. */
static void arm_quickly(void *ctx, struct hf_timer *timer, uint64_t delay_ns)
{
    const struct hf_sched_ops *sched = hf_loop_sched(real);

    (void)ctx;
    hf_timer_arm(sched, timer, delay_ns / 100);
}

static void run_quickly(void)
{
    static struct hf_sched_ops quick;

    quick = *hf_loop_sched(real);
    quick.timer_arm = arm_quickly;
    world.sched = &quick;
}

static void set_up(void)
{
    static char folder[128];

    fix_set_up_real();
    (void)snprintf(folder, sizeof(folder), "%s/journal", dir);
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    world.journal = folder;
    memset(&sources, 0, sizeof(sources));
    sources.journald = true;
    this_boot(0);
}

static void tear_down(void)
{
    if (source != NULL)
        stop();
    fix_tear_down();
}

START_TEST(reads)
{
    static const struct line lines[] = {
        {"a.service", "6", "one", NULL},
        {"b.service", "3", "two", NULL},
        {"init.scope", "6", "Started a.", "_UID=0\nUNIT=a.service\n"},
        {"c.service", "7", "debug", NULL},
    };
    write_journal("journal/x.journal", lines, HF_LEN(lines));
    start();
    run_until_kept(4);
    ck_bodies("one", "two", "Started a.", "debug");
    ck_assert_msg(strstr(fix.lines[0], "\"time\":\"2026-11-20T08:00:00.001") != NULL, "%s", fix.lines[0]);
    ck_assert_ptr_nonnull(
        strstr(fix.lines[1], "\"source\":\"journald:b.service\",\"kind\":\"log\",\"severity\":\"error\""));
    ck_assert_ptr_nonnull(strstr(fix.lines[0], "\"attributes\":{\"systemd.unit\":\"a.service\",\"syslog.identifier\":"
                                               "\"ident\",\"process.pid\":\"42\"}"));
    ck_assert_ptr_nonnull(strstr(fix.lines[2], "\"source\":\"journald:a.service\""));
    ck_assert_uint_eq(strlen(fix.ids[0]), 33);
}
END_TEST

/* Every user may write these fields to the journal. They count only in entries of root. */
START_TEST(a_user_does_not_name_another_unit)
{
    static const struct line lines[] = {
        {"session-5.scope", "6", "forged", "_UID=1000\nUNIT=sshd.service\n"},
        {"session-5.scope", "6", "forged", "_UID=1000\nOBJECT_SYSTEMD_UNIT=sshd.service\n"},
        {"session-5.scope", "6", "forged", "_UID=1000\nCOREDUMP_UNIT=sshd.service\n"},
        {"session-5.scope", "6", "forged", "UNIT=sshd.service\n"},
        {"systemd-coredump@0.service", "6", "dumped", "_UID=0\nCOREDUMP_UNIT=app.service\n"},
        {"systemd-logind.service", "6", "told", "_UID=0\nOBJECT_SYSTEMD_UNIT=app.service\n"},
    };
    write_journal("journal/x.journal", lines, HF_LEN(lines));
    start();
    run_until_kept(HF_LEN(lines));
    for (size_t i = 0; i < HF_LEN(lines); i++) {
        const char *want = i < 4 ? "\"source\":\"journald:session-5.scope\"" : "\"source\":\"journald:app.service\"";
        ck_assert_msg(strstr(fix.lines[i], want) != NULL, "%s", fix.lines[i]);
        want = i < 4 ? "\"systemd.unit\":\"session-5.scope\"" : "\"systemd.unit\":\"app.service\"";
        ck_assert_msg(strstr(fix.lines[i], want) != NULL, "%s", fix.lines[i]);
    }
}
END_TEST

START_TEST(filters)
{
    static const struct line lines[] = {
        {"a.service", "4", "warning of a", NULL},   {"a.service", "6", "info of a", NULL},
        {"b.service", "0", "emergency of b", NULL}, {"noisy-1.service", "3", "noise", NULL},
        {"app-x.service", "3", "error of x", NULL},
    };
    sources.journald_include[0] = "a.service";
    sources.journald_include[1] = "*-*.service";
    sources.journald_exclude[0] = "noisy-*";
    sources.journald_min_severity = HF_SEVERITY_WARNING;
    write_journal("journal/x.journal", lines, HF_LEN(lines));
    start();
    run_until_kept(2);
    run_s(0.1);
    ck_bodies("warning of a", "error of x");
}
END_TEST

START_TEST(goes_on)
{
    write_one("journal/x.journal", "one");
    write_one("journal/x.journal", "two");
    start();
    run_until_kept(2);
    stop(); /* the cursor is on disk */
    write_one("journal/x.journal", "three");
    start();
    run_until_kept(3);
    run_s(0.1);
    ck_bodies("one", "two", "three");
    ck_assert_uint_eq(fix.duplicates, 0);
    /* While it runs: the files tell that something came. */
    write_one("journal/x.journal", "four");
    run_until_kept(4);
    ck_bodies("one", "two", "three", "four");
}
END_TEST

/* Killed before the cursor was saved: read again, with the same ids. */
START_TEST(killed)
{
    write_one("journal/x.journal", "one");
    write_one("journal/x.journal", "two");
    fix.hold = true; /* nothing is safe yet */
    start();
    run_until_kept(2);
    stop();
    let_go(0);
    fix.hold = false;
    start();
    run_s(0.3);
    ck_bodies("one", "two");
    ck_assert_uint_eq(fix.duplicates, 2);
}
END_TEST

START_TEST(rotated_and_vacuumed)
{
    write_one("journal/x.journal", "one");
    write_one("journal/x.journal", "two");
    start();
    run_until_kept(2);
    stop();
    ck_assert_int_eq(rename(below("journal/x.journal"), below("journal/x@1.journal")), 0);
    write_one("journal/x.journal", "three");
    start();
    run_until_kept(3);
    stop();
    /* What the cursor points at is thrown away, and more came. */
    ck_assert_int_eq(unlink(below("journal/x@1.journal")), 0);
    ck_assert_int_eq(rename(below("journal/x.journal"), below("journal/x@2.journal")), 0);
    write_one("journal/y.journal", "four");
    ck_assert_int_eq(unlink(below("journal/x@2.journal")), 0);
    start();
    run_until_kept(4);
    run_s(0.1);
    ck_bodies("one", "two", "three", "four");
    ck_assert_uint_eq(fix.duplicates, 0);
}
END_TEST

START_TEST(no_room)
{
    char text[16];

    for (int i = 0; i < 20; i++) {
        (void)snprintf(text, sizeof(text), "%d", i);
        write_one("journal/x.journal", text);
    }
    fix.room = 7;
    start();
    run_until_kept(7);
    run_s(0.1);
    ck_assert_uint_eq(fix.n, 7);
    fix.room = SIZE_MAX;
    source->resume(source);
    run_until_kept(20);
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq((int)strtol(fix.bodies[i], NULL, 10), i);
    ck_assert_uint_eq(fix.duplicates, 0);
}
END_TEST

START_TEST(store_fails)
{
    write_one("journal/x.journal", "one");
    fix.hold = true;
    start();
    run_until_kept(1);
    fix.ids[0][0] = '\0'; /* it is not known any more */
    fix.hold = false;
    let_go(-EIO);
    run_until_kept(2); /* read again after 5 s */
    ck_assert_str_eq(fix.bodies[1], "one");
}
END_TEST

/* A file whose pages are gone stands for a disk that does not give them back. The source reads what is left and what
 * comes later, and so does the next process. */
START_TEST(a_page_that_cannot_be_read)
{
    run_quickly();
    for (int i = 0; i < 3; i++)
        write_one("journal/x.journal", "before");
    fix.room = 1;
    start();
    run_until_kept(1);
    ck_assert_int_eq(truncate(below("journal/x.journal"), 4096), 0);
    fix.room = SIZE_MAX;
    source->resume(source);
    run_s(0.5);
    write_one("journal/y.journal", "later");
    for (int i = 0; i < 500 && strcmp(fix.bodies[fix.n - 1], "later") != 0; i++)
        run_s(0.02);
    ck_assert_str_eq(fix.bodies[fix.n - 1], "later");
    stop();
    start();
    write_one("journal/y.journal", "last");
    for (int i = 0; i < 500 && strcmp(fix.bodies[fix.n - 1], "last") != 0; i++)
        run_s(0.02);
    ck_assert_str_eq(fix.bodies[fix.n - 1], "last");
}
END_TEST

/* An administrator moves the journal away, or throws it away, and begins another one. */
START_TEST(another_folder_at_the_same_path)
{
    run_quickly();
    write_one("journal/x.journal", "one");
    start();
    run_until_kept(1);
    run_s(0.2);
    if (_i == 0)
        ck_assert_int_eq(rename(below("journal"), below("old")), 0);
    else
        ck_assert_int_eq(hf_dir_remove_tree(hf_fs_posix(), below("journal"), NULL), 0);
    ck_assert_int_eq(mkdir(below("journal"), 0700), 0);
    write_one("journal/x.journal", "two");
    run_until_kept(2);
    write_one("journal/x.journal", "three"); /* the new folder is watched */
    run_until_kept(3);
    ck_bodies("one", "two", "three");
}
END_TEST

#define EARLIER_BOOT "11111111111111111111111111111111"
#define BOOT_BETWEEN "22222222222222222222222222222222"

/* The node boots again, and its clock is two hours late, or early. The journal of the boot before is gone (memory), or
 * there with entries that the source has not read, in a file of another sequence (as after a power cut). No entry of
 * this boot is skipped for its wall time. */
START_TEST(another_boot)
{
    static const struct {
        int64_t off_s;
        bool keep;
    } cases[] = {{-7200, false}, {-7200, true}, {7200, false}, {7200, true}, {0, true}, {-50 * 365 * 86400ll, true}};
    char text[16];

    other_boot(EARLIER_BOOT);
    clock_us = 5000000; /* the earlier boot's monotonic clock was ahead, too */
    write_one("journal/x.journal", "one");
    write_one("journal/x.journal", "two");
    start();
    /* the first start begins at this boot, so these count as read only where nothing of this boot is there */
    run_until_kept(2);
    stop();
    if (cases[_i].keep)
        write_one("journal/x.journal", "three");
    else
        ck_assert_int_eq(unlink(below("journal/x.journal")), 0);
    this_boot(cases[_i].off_s);
    for (int i = 0; i < 10; i++) {
        (void)snprintf(text, sizeof(text), "%d", i);
        write_one("journal/y.journal", text);
    }
    size_t before = cases[_i].keep ? 3 : 2;
    start();
    run_until_kept(before + 10);
    write_one("journal/y.journal", "10"); /* and it goes on */
    run_until_kept(before + 11);
    run_s(0.1);
    ck_assert_uint_eq(fix.n, before + 11);
    if (cases[_i].keep)
        ck_assert_str_eq(fix.bodies[2], "three");
    for (int i = 0; i < 11; i++)
        ck_assert_int_eq((int)strtol(fix.bodies[before + (size_t)i], NULL, 10), i);
    ck_assert_uint_eq(fix.duplicates, 0);
    stop();
    start();
    run_s(0.2);
    ck_assert_uint_eq(fix.n, before + 11);
}
END_TEST

/* The entries of a boot in which no agent ran come too. */
START_TEST(a_boot_between)
{
    other_boot(EARLIER_BOOT);
    write_one("journal/x.journal", "one");
    start();
    run_until_kept(1);
    stop();
    other_boot(BOOT_BETWEEN);
    clock_off_s = 60;
    write_one("journal/x.journal", "two");
    this_boot(-7200);
    write_one("journal/y.journal", "three");
    start();
    run_until_kept(3);
    ck_bodies("one", "two", "three");
}
END_TEST

/* Somebody wipes the journal and sets the clock back in the middle of a boot: monotonic times place what follows. */
START_TEST(wiped_in_this_boot)
{
    write_one("journal/x.journal", "one");
    start();
    run_until_kept(1);
    stop();
    ck_assert_int_eq(unlink(below("journal/x.journal")), 0);
    clock_off_s = -7200;
    write_one("journal/y.journal", "two");
    start();
    run_until_kept(2);
    ck_bodies("one", "two");
}
END_TEST

/* A node whose journal holds years does not send them when the source is turned on. */
START_TEST(the_first_start_begins_at_this_boot)
{
    other_boot(EARLIER_BOOT);
    clock_off_s = -_i * 86400; /* without and with a clock that has gone back since then */
    write_one("journal/old.journal", "years ago");
    this_boot(_i == 2 ? -200000 : 0);
    write_one("journal/x.journal", "one");
    start();
    run_until_kept(1);
    run_s(0.1);
    ck_bodies("one");
}
END_TEST

/* The journal has nothing of this boot when the source starts, and the entry that it read last is of a later time. */
START_TEST(this_boot_comes_later)
{
    other_boot(EARLIER_BOOT);
    write_one("journal/x.journal", "one");
    start();
    run_until_kept(1);
    this_boot(-7200);
    write_one("journal/y.journal", "two");
    run_until_kept(2);
    write_one("journal/y.journal", "three");
    run_until_kept(3);
    ck_bodies("one", "two", "three");
}
END_TEST

/* Only the kernel's own messages count as the kernel's. */
START_TEST(without_an_identifier)
{
    static const struct {
        const char *fields, *want;
    } cases[] = {
        {"_TRANSPORT=kernel\n", "\"source\":\"journald:kernel\""},
        {"_TRANSPORT=stdout\n", "\"source\":\"journald\""},
        {"_TRANSPORT=syslog\nSYSLOG_IDENTIFIER=cron\n", "\"source\":\"journald:cron\""},
        {"_TRANSPORT=journal\n_COMM=app\n", "\"source\":\"journald:app\""},
        {"_TRANSPORT=kernel\nSYSLOG_IDENTIFIER=kernel\n", "\"source\":\"journald:kernel\""},
        {"_TRANSPORT=journal\n_SYSTEMD_UNIT=a.service\n_COMM=app\n", "\"source\":\"journald:a.service\""},
    };
    for (size_t i = 0; i < HF_LEN(cases); i++) {
        _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 12);
        clock_us += 1000;
        ck_assert_int_eq(
            hf_buf_addf(&text, "__REALTIME_TIMESTAMP=%llu\n__MONOTONIC_TIMESTAMP=%u\n_BOOT_ID=%s\n%sMESSAGE=m\n\n",
                        1795161600000000ull + clock_us, clock_us, boot, cases[i].fields),
            0);
        ck_assert_int_eq(feed("journal/x.journal", hf_buf_str(&text)), 0);
    }
    start();
    run_until_kept(HF_LEN(cases));
    for (size_t i = 0; i < HF_LEN(cases); i++)
        ck_assert_msg(strstr(fix.lines[i], cases[i].want) != NULL, "%s: %s", cases[i].want, fix.lines[i]);
}
END_TEST

/* No journal: nothing breaks. One that is damaged: what can be read is. */
START_TEST(no_journal)
{
    char none[128];

    (void)snprintf(none, sizeof(none), "%s/none", dir);
    world.journal = none;
    start();
    run_s(0.2);
    ck_assert_uint_eq(fix.n, 0);
    stop();
    world.journal = below("journal");
    (void)put("journal/z.journal", "this is no journal");
    write_one("journal/x.journal", "one");
    start();
    run_until_kept(1);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    if (access(remote, X_OK) != 0) {
        (void)printf("SKIP: %s is not installed (package systemd-journal-remote)\n", remote);
        return;
    }
    tcase_add_test(tc, reads);
    tcase_add_test(tc, a_user_does_not_name_another_unit);
    tcase_add_test(tc, filters);
    tcase_add_test(tc, goes_on);
    tcase_add_test(tc, killed);
    tcase_add_test(tc, rotated_and_vacuumed);
    tcase_add_test(tc, no_room);
    tcase_add_test(tc, store_fails);
    tcase_add_test(tc, a_page_that_cannot_be_read);
    tcase_add_loop_test(tc, another_folder_at_the_same_path, 0, 2);
    tcase_add_loop_test(tc, another_boot, 0, 6);
    tcase_add_test(tc, a_boot_between);
    tcase_add_test(tc, wiped_in_this_boot);
    tcase_add_loop_test(tc, the_first_start_begins_at_this_boot, 0, 3);
    tcase_add_test(tc, this_boot_comes_later);
    tcase_add_test(tc, without_an_identifier);
    tcase_add_test(tc, no_journal);
}

HF_TEST_MAIN("telemetry/source_journald", cases)
