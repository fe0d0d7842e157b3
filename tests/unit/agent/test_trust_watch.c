/* SPDX-License-Identifier: Apache-2.0 */
/* The trust folder on the real file system, under the real inotify: what is noticed within seconds, and what is not. */
#include "agent/trust/trust_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loop/loop.h"
#include "os/clock_posix.h"
#include "os/dir.h"
#include "os/fs_posix.h"
#include "support/check_main.h"
#include "support/loop_for.h"
#include "trust/folder.h"
#include "trust/key.h"

static char dir[64], trust[96];
static struct hf_loop *loop;
static struct hf_fs_ops fs;
static struct hf_agent_params params;
static struct hf_agent_env env;
static struct hf_trust_watch watch;
static unsigned changes, lists;

static void change_heard(void *arg)
{
    (void)arg;
    changes++;
    hf_loop_stop(loop);
}

static int counted_list(void *ctx, int fd, int (*visit)(void *arg, const char *name, unsigned char type), void *arg)
{
    lists++;
    return hf_fs_posix()->list(ctx, fd, visit, arg);
}

static void set_up(void)
{
    struct hf_err err = HF_ERR_INIT;

    (void)snprintf(dir, sizeof(dir), "/tmp/holdfast-trust-watch-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(trust, sizeof(trust), "%s/etc/holdfast/trust.d", dir);
    loop = hf_loop_new(&err);
    ck_assert_ptr_nonnull(loop);
    fs = *hf_fs_posix();
    fs.list = counted_list;
    params = (struct hf_agent_params){.trust_dir = trust, .watch = hf_loop_watch(loop)};
    env = (struct hf_agent_env){.params = &params,
                                .world = {.fs = &fs, .clock = hf_clock_posix(), .sched = hf_loop_sched(loop)}};
    changes = lists = 0;
}

static void tear_down(void)
{
    hf_trust_watch_done(&watch);
    hf_loop_free(loop);
    ck_assert_int_eq(hf_dir_remove_tree(hf_fs_posix(), dir, NULL), 0);
}

static void begin(void)
{
    ck_assert_int_eq(hf_trust_watch_init(&watch, &env, change_heard, NULL), 0);
    ck_assert_uint_eq(changes, 0);
}

/* Runs a command below the scene's folder; T is the trust folder. */
static void sh(const char *format, ...) HF_PRINTF(1, 2);

static void sh(const char *format, ...)
{
    char text[400], command[600];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    (void)snprintf(command, sizeof(command), "cd %s && T=%s && umask 022 && %s", dir, trust, text);
    char *const argv[] = {(char[]){"sh"}, (char[]){"-c"}, command, NULL};
    pid_t pid;
    int status = 0;
    ck_assert_int_eq(posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(status == 0, "%s", command);
}

/* Waits until the last look has found the folder as it is. */
static void wait_until_seen(const char *what)
{
    char stamp[HF_SHA256_HEX];

    hf_trust_folder_stamp(hf_fs_posix(), trust, stamp);
    ck_assert_msg(loop_run_until(loop, strcmp(stamp, watch.stamp) == 0), "%s: not noticed", what);
    ck_assert_msg(changes > 0, "%s: nobody was told", what);
}

#define MOUNT "mkdir -p $T/..1 && echo a >$T/..1/a.pem && ln -s ..1 $T/..data && ln -s ..data/a.pem $T/a.pem"

static const struct {
    const char *name, *before, *change;
} cases_seen[] = {
    {"a new key", "mkdir -p $T", "echo k >$T/k.pem"},
    {"a key that another replaces", "mkdir -p $T && echo k >$T/k.pem", "echo l >$T/.k && mv $T/.k $T/k.pem"},
    {"a key that is removed", "mkdir -p $T && echo k >$T/k.pem", "rm $T/k.pem"},
    {"a mode that makes a key unsafe", "mkdir -p $T && echo k >$T/k.pem", "chmod 666 $T/k.pem"},
    {"a threshold", "mkdir -p $T && echo k >$T/k.pem", "echo 2 >$T/threshold"},
    {"a folder that was absent", "mkdir -p etc/holdfast", "mkdir $T && echo k >$T/k.pem"},
    {"a folder whose parents were absent", "true", "mkdir -p $T && echo k >$T/k.pem"},
    {"a file in place of the folder", "mkdir -p etc && echo >etc/holdfast",
     "rm etc/holdfast && mkdir -p $T && echo k >$T/k.pem"},
    {"a mounted Secret", MOUNT, "mkdir $T/..2 && echo b >$T/..2/a.pem && ln -s ..2 $T/..x && mv -T $T/..x $T/..data"},
    {"another folder under the name", "mkdir -p $T", "mkdir new && echo k >new/k.pem && rmdir $T && mv new $T"},
    {"a link to another folder", "mkdir -p one two etc/holdfast && echo k >two/k.pem && ln -s ../../one $T",
     "ln -s ../../two l && mv -T l $T"},
    {"a folder that is removed", "mkdir -p $T && echo k >$T/k.pem", "rm -r etc"},
};

START_TEST(what_is_seen)
{
    sh("%s", cases_seen[_i].before);
    begin();
    sh("%s", cases_seen[_i].change);
    wait_until_seen(cases_seen[_i].name);
}
END_TEST

/* The status names the keys that count: with a valid id and a public key, which nobody else can write. */
START_TEST(keys_that_count)
{
    _cleanup_(hf_buf_done) struct hf_buf private = HF_BUF_INIT(HF_TRUST_MAX_PEM),
                                         public = HF_BUF_INIT(HF_TRUST_MAX_PEM);

    ck_assert_int_eq(hf_trust_generate(&private, &public, NULL), 0);
    sh("mkdir -p $T && echo '%s' >$T/release-2027.pem && cp $T/release-2027.pem $T/No.pem && echo k >$T/damaged.pem",
       hf_buf_str(&public));
    begin();
    ck_assert_uint_eq(watch.ids.n, 1);
    ck_assert_str_eq(watch.ids.ids[0], "release-2027");
    sh("cp $T/release-2027.pem $T/release-2026.pem && cp $T/release-2027.pem $T/a.pem && chmod 666 $T/a.pem");
    wait_until_seen("a second key");
    ck_assert_uint_eq(watch.ids.n, 2);
    ck_assert_str_eq(watch.ids.ids[0], "release-2026");
    ck_assert_str_eq(watch.ids.ids[1], "release-2027");
    sh("rm -r $T");
    wait_until_seen("no folder");
    ck_assert_uint_eq(watch.ids.n, 0);
}
END_TEST

/* The watch stays with the path, not with what the path named at first. */
START_TEST(one_change_after_the_other)
{
    begin();
    sh("mkdir -p $T");
    loop_run_for(loop, 3 * HF_NS_PER_S);
    sh("echo half >$T/k.pem");
    wait_until_seen("half a key");
    sh("echo and the rest >>$T/k.pem");
    wait_until_seen("a whole key");
    sh("rm -r etc");
    wait_until_seen("no folder");
    sh("mkdir -p $T && echo k >$T/k.pem");
    wait_until_seen("the folder again");
}
END_TEST

/* Other files, and a folder above that changes all the time, cost a look per second and no plan. */
START_TEST(what_is_no_change)
{
    sh("mkdir -p $T && echo k >$T/k.pem");
    begin();
    sh("echo x >$T/notes.txt && echo y >etc/holdfast/agent.yaml && touch $T/k.pem");
    loop_run_for(loop, 2500 * HF_NS_PER_MS);
    loop_wait_for(loop, lists >= 2);
    ck_assert_uint_eq(changes, 0);
}
END_TEST

START_TEST(thousands_of_changes)
{
    uint64_t begin_ns = hf_mono_ns(hf_clock_posix());

    sh("mkdir -p $T");
    begin();
    for (int i = 0; i < 20; i++) {
        sh("i=0; while [ $i -lt 250 ]; do echo $i >$T/k.pem; i=$((i + 1)); done");
        loop_run_for(loop, 150 * HF_NS_PER_MS);
    }
    wait_until_seen("the last of the changes");
    uint64_t seconds = (hf_mono_ns(hf_clock_posix()) - begin_ns) / HF_NS_PER_S;
    /* a look that finds a change lists the folder again, for the names of the keys */
    ck_assert_msg(lists <= 2 * (seconds + 2), "listed %u times in %u s", lists, (unsigned)seconds);
}
END_TEST

static void set_limit(const char *text)
{
    int fd = open("/proc/sys/user/max_inotify_watches", O_WRONLY | O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
}

/* In a user namespace of its own, so that nobody else's limit is touched. */
START_TEST(the_limit_of_watches)
{
    sh("mkdir -p $T");
    if (unshare(CLONE_NEWUSER) < 0)
        return; /* this machine allows no namespaces */
    set_limit("0");
    begin();
    ck_assert(watch.failed);
    sh("echo k >$T/k.pem");
    loop_run_for(loop, 1500 * HF_NS_PER_MS);
    ck_assert_uint_eq(changes, 0);
    hf_trust_watch_look(&watch); /* as at each interval */
    ck_assert_uint_eq(changes, 1);
    set_limit("100");
    hf_trust_watch_look(&watch);
    ck_assert(!watch.failed);
    sh("echo l >$T/l.pem");
    wait_until_seen("a key after the limit was raised");
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, what_is_seen, 0, HF_LEN(cases_seen));
    tcase_add_test(tc, keys_that_count);
    tcase_add_test(tc, one_change_after_the_other);
    tcase_add_test(tc, what_is_no_change);
    tcase_add_test(tc, thousands_of_changes);
    tcase_add_test(tc, the_limit_of_watches);
}

HF_TEST_MAIN("agent/trust_watch", cases)
