/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/home.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "support/check_main.h"
#include "support/fakes/simfs.h"
#include "support/fakes/simloop.h"

struct scene {
    struct hf_simfs *fs;
    struct hf_simloop *loop;
    struct hf_simproc *proc;
    const struct hf_clock_ops *clock;
};

static struct scene set_up(void)
{
    struct scene s = {.fs = hf_simfs_new(), .loop = hf_simloop_new(0)};

    s.proc = hf_simproc_new(s.loop, "node");
    s.clock = hf_simproc_clock(s.proc);
    return s;
}

static void tear_down(struct scene *s)
{
    ck_assert_uint_eq(hf_simfs_open_fds(s->fs), 0);
    hf_simproc_free(s->proc);
    hf_simloop_free(s->loop);
    hf_simfs_free(s->fs);
}

static int open_home(struct scene *s, struct hf_home *home, int pid, struct hf_err *err)
{
    return hf_home_open(home, hf_simfs_ops(s->fs), "/var/lib/holdfast", pid, s->clock, NULL, err);
}

START_TEST(second_agent_is_told_who_is_first)
{
    struct scene s = set_up();
    struct hf_home first, second;
    struct hf_err err = HF_ERR_INIT;
    char text[600];

    ck_assert_int_eq(open_home(&s, &first, 4711, &err), 0);
    ck_assert_int_eq(open_home(&s, &second, 4712, &err), -EWOULDBLOCK);
    ck_assert_ptr_nonnull(strstr(hf_err_text(&err, text, sizeof(text)), "another agent (pid 4711)"));
    ck_assert_ptr_nonnull(strstr(text, "give this one its own --state-dir and --storage-dir"));
    hf_home_close(&second);
    hf_home_close(&first);
    ck_assert_int_eq(open_home(&s, &second, 4712, &err), 0);
    hf_home_close(&second);
    tear_down(&s);
}
END_TEST

/* What waits there (statuses, telemetry, journals) is for root; the folders above it are everybody's. */
START_TEST(state_is_for_root)
{
    struct scene s = set_up();
    const struct hf_fs_ops *fs = hf_simfs_ops(s.fs);
    struct hf_home home;
    struct stat st;

    ck_assert_int_eq(open_home(&s, &home, 1, NULL), 0);
    ck_assert_int_eq(fs->fstatat(fs->ctx, AT_FDCWD, "/var/lib/holdfast", &st, 0), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0700);
    ck_assert_int_eq(fs->fstatat(fs->ctx, AT_FDCWD, "/var/lib", &st, 0), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0755);
    hf_home_close(&home);
    tear_down(&s);
}
END_TEST

START_TEST(clock_is_kept)
{
    const struct hf_clock_file file = {.track_unix_ns = 1802131200ull * HF_NS_PER_S,
                                       .contact_unix_ns = 1802044800ull * HF_NS_PER_S};
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CLOCK_FILE_MAX);
    struct scene s = set_up();
    struct hf_home home;

    ck_assert_int_eq(hf_clock_file_format(&file, &text), 0);
    hf_simfs_put(s.fs, "/var/lib/holdfast/clock", text.p, text.n, 0600);
    ck_assert_int_eq(open_home(&s, &home, 1, NULL), 0);
    ck_assert_uint_eq(home.kept.contact_unix_ns, 1802044800ull * HF_NS_PER_S);
    /* A wrong clock may have made the track: a live wall clock counts, and only without one the file. */
    ck_assert_uint_eq(hf_unix_ns(hf_home_clock(&home)), hf_unix_ns(s.clock));
    hf_home_close(&home);
    hf_simproc_set_unix_offset(s.proc, -(int64_t)HF_SIM_UNIX_START);
    ck_assert_int_eq(open_home(&s, &home, 1, NULL), 0);
    ck_assert_uint_ge(hf_unix_ns(hf_home_clock(&home)), 1802131200ull * HF_NS_PER_S);
    hf_home_close(&home);
    tear_down(&s);
}
END_TEST

static const char *const damages[] = {"", "{}", "holdfast-clock 9 abc\n{}", "\xff\xfe", "holdfast-clock 3 abc\n{}"};

START_TEST(damaged_clock_is_set_aside)
{
    struct scene s = set_up();
    struct hf_home home;
    struct stat st;

    hf_simfs_put(s.fs, "/var/lib/holdfast/clock", damages[_i], strlen(damages[_i]), 0600);
    ck_assert_int_eq(open_home(&s, &home, 1, NULL), 0);
    ck_assert_uint_eq(home.kept.contact_unix_ns, 0);
    ck_assert_uint_ge(hf_unix_ns(hf_home_clock(&home)), HF_TIME_BUILD_UNIX_NS);
    ck_assert(hf_simfs_stat(s.fs, "/var/lib/holdfast/clock.damaged", &st));
    hf_home_close(&home);
    tear_down(&s);
}
END_TEST

#define CLOCK "/var/lib/holdfast/clock"
#define SIGNED_AT (1802131200ull * HF_NS_PER_S)

static void put_clock(struct scene *s, uint64_t signed_unix_ns, uint64_t contact_unix_ns)
{
    const struct hf_clock_file file = {.signed_unix_ns = signed_unix_ns, .contact_unix_ns = contact_unix_ns};
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CLOCK_FILE_MAX);

    ck_assert_int_eq(hf_clock_file_format(&file, &text), 0);
    hf_simfs_put(s->fs, CLOCK, text.p, text.n, 0600);
}

static void expect_times(struct scene *s, uint64_t signed_unix_ns, uint64_t contact_unix_ns)
{
    struct hf_home home;

    ck_assert_int_eq(open_home(s, &home, 1, NULL), 0);
    ck_assert_uint_eq(home.kept.signed_unix_ns, signed_unix_ns);
    ck_assert_uint_eq(home.kept.contact_unix_ns, contact_unix_ns);
    hf_home_close(&home);
}

/* A bad sector does not lower the bound for good: the file keeps its times until it can be read. */
START_TEST(clock_that_cannot_be_read)
{
    const uint64_t older = SIGNED_AT - HF_NS_PER_S, newer = SIGNED_AT + HF_NS_PER_S;
    struct scene s = set_up();
    struct stat st;

    put_clock(&s, SIGNED_AT, older);
    hf_simfs_set_unreadable(s.fs, CLOCK, true);
    expect_times(&s, 0, 0);
    expect_times(&s, 0, 0);
    ck_assert(!hf_simfs_stat(s.fs, CLOCK ".damaged", &st));
    put_clock(&s, older, newer); /* saved by the process that could not read it */
    expect_times(&s, older, newer);
    hf_simfs_set_unreadable(s.fs, CLOCK ".unread", false);
    expect_times(&s, SIGNED_AT, newer);
    expect_times(&s, SIGNED_AT, newer);
    put_clock(&s, SIGNED_AT, newer);
    expect_times(&s, SIGNED_AT, newer);
    ck_assert(!hf_simfs_stat(s.fs, CLOCK ".unread", &st));
    tear_down(&s);
}
END_TEST

/* An error at any call of the start costs neither this process nor the next one the newest signed time, unless this
 * process does not start at all. */
START_TEST(clock_survives_one_error)
{
    bool failed = true;

    for (uint64_t n = 1; failed; n++) {
        struct scene s = set_up();
        struct hf_home home;
        put_clock(&s, SIGNED_AT, 0);
        hf_simfs_fail_at(s.fs, n, EIO, 1);
        int r = open_home(&s, &home, 1, NULL);
        failed = hf_simfs_failed(s.fs) > 0;
        hf_simfs_fail_at(s.fs, 0, 0, 0);
        ck_assert_msg(r < 0 || home.kept.signed_unix_ns == SIGNED_AT, "call %d", (int)n);
        hf_home_close(&home);
        expect_times(&s, SIGNED_AT, 0);
        tear_down(&s);
    }
}
END_TEST

START_TEST(bad_folders)
{
    struct scene s = set_up();
    struct hf_home home;
    struct hf_err err = HF_ERR_INIT;
    char path[PATH_MAX];

    ck_assert_int_eq(hf_home_open(&home, hf_simfs_ops(s.fs), "state", 1, s.clock, NULL, &err), -EINVAL);
    hf_home_close(&home);
    memset(path, 'a', sizeof(path));
    path[0] = '/';
    path[HF_HOME_PATH] = '\0';
    ck_assert_int_eq(hf_home_open(&home, hf_simfs_ops(s.fs), path, 1, s.clock, NULL, &err), -EINVAL);
    hf_home_close(&home);
    hf_simfs_put(s.fs, "/file", "x", 1, 0600);
    ck_assert_int_lt(hf_home_open(&home, hf_simfs_ops(s.fs), "/file/state", 1, s.clock, NULL, &err), 0);
    hf_home_close(&home);
    tear_down(&s);
}
END_TEST

/* Every call on the way in fails once: an error or success, nothing held, and the next try succeeds. */
START_TEST(failing_disk)
{
    for (uint64_t n = 1;; n++) {
        struct scene s = set_up();
        struct hf_home home;
        struct hf_err err = HF_ERR_INIT;
        hf_simfs_fail_at(s.fs, n, EIO, 1);
        int r = open_home(&s, &home, 1, &err);
        bool failed = hf_simfs_failed(s.fs) > 0;
        hf_home_close(&home);
        hf_simfs_fail_at(s.fs, 0, 0, 0);
        ck_assert_msg(r == 0 || err.code != 0, "call %d", (int)n);
        ck_assert_int_eq(open_home(&s, &home, 1, NULL), 0);
        hf_home_close(&home);
        tear_down(&s);
        if (!failed)
            break;
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, second_agent_is_told_who_is_first);
    tcase_add_test(tc, state_is_for_root);
    tcase_add_test(tc, clock_is_kept);
    tcase_add_loop_test(tc, damaged_clock_is_set_aside, 0, HF_LEN(damages));
    tcase_add_test(tc, clock_that_cannot_be_read);
    tcase_add_test(tc, clock_survives_one_error);
    tcase_add_test(tc, bad_folders);
    tcase_add_test(tc, failing_disk);
}

HF_TEST_MAIN("agent/home", cases)
