/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/parse.h"
#include "loop/proc.h"
#include "os/clock_posix.h"
#include "support/check_main.h"
#include "support/loop_for.h"

#define MS HF_NS_PER_MS

static struct hf_loop *loop;
static const struct hf_proc_ops *proc;
static int pending;

static void set_up(void)
{
    loop = hf_loop_new(NULL);
    proc = hf_loop_proc(loop);
    pending = 0;
}

static void tear_down(void)
{
    hf_loop_free(loop);
}

struct outcome {
    struct hf_proc_call *call;
    int done;
    int r;
    int exit_code;
    char output[8192];
    size_t output_n;
    uint64_t start_ns;
    uint64_t starved_ns; /* at the start */
    uint64_t took_ns;
};

static uint64_t now_ns(void)
{
    return hf_mono_ns(hf_clock_posix());
}

static void keep(void *arg, int r, int exit_code, struct hf_view output)
{
    struct outcome *o = arg;

    o->done++;
    o->r = r;
    o->exit_code = exit_code;
    o->output_n = output.n;
    o->took_ns = now_ns() - o->start_ns;
    (void)snprintf(o->output, sizeof(o->output), "%.*s", (int)output.n, output.p);
    if (--pending == 0)
        hf_loop_stop(loop);
}

static void start(struct outcome *o, struct hf_proc_request request)
{
    struct hf_err err = HF_ERR_INIT;

    *o = (struct outcome){.start_ns = now_ns(), .starved_ns = loop_starved_ns()};
    request.done = keep;
    request.arg = o;
    int r = proc->spawn(proc->ctx, &request, &o->call, &err);
    ck_assert_msg(r == 0, "%d %s", r, err.cause);
    ck_assert_int_eq(o->done, 0);
    pending++;
}

static void shell(struct outcome *o, const char *script, uint64_t timeout_ns, size_t max_output)
{
    const char *argv[] = {"/bin/bash", "-c", script, NULL};

    start(o, (struct hf_proc_request){.argv = argv, .timeout_ns = timeout_ns, .max_output = max_output});
}

static bool is_alive(pid_t pid)
{
    char path[32], state = '?', text[256] = "";

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    if (fgets(text, sizeof(text), file) != NULL && strrchr(text, ')') != NULL)
        state = strrchr(text, ')')[2];
    (void)fclose(file);
    return state != 'Z';
}

/* Within 20 seconds, for what init or the kernel do in their own time. */
static bool is_gone(pid_t pid)
{
    for (int i = 0; i < 2000 && is_alive(pid); i++)
        (void)usleep(10000);
    return !is_alive(pid);
}

/* On an idle machine. The children wait for a processor as often as the loop does, one after the other. */
static bool took_less(const struct outcome *o, uint64_t ns)
{
    return o->took_ns < ns + 4 * (loop_starved_ns() - o->starved_ns);
}

static pid_t pid_in(const struct outcome *o)
{
    return (pid_t)strtol(o->output, NULL, 10);
}

/* ---- the usual ------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *script;
    int want_code;
    const char *want_output;
} plain[] = {
    {"exit 0", 0, ""},
    {"exit 3", 3, ""},
    {"echo out; echo err >&2", 0, "out\nerr\n"},
    {"kill -9 $$", 128 + 9, ""},
    {"kill -TERM $$", 128 + 15, ""},
    {"env | sort", 0, "LANG=C\n"},
    {"pwd", 0, "/\n"},
    {"cat; echo done", 0, "done\n"},             /* no input */
    {"ls /proc/self/fd | wc -l", 0, "4\n"},      /* 0, 1, 2 and ls's own */
    {"exec >&- 2>&-; sleep 0.1; exit 5", 5, ""}, /* closes its output and goes on */
    {"trap '' PIPE; kill -PIPE $$; echo alive", 0, "alive\n"},
    {"ps -o sid=,pgid= -p $$ | tr -d ' ' | grep -qx \"$$$$\"", 0, ""}, /* leads session and group */
    {"awk '/SigIgn/ {print $2}' /proc/self/status", 0, "0000000000000000\n"},
};

START_TEST(runs)
{
    struct outcome o;

    shell(&o, plain[_i].script, 10 * HF_NS_PER_S, 0);
    hf_loop_run(loop);
    ck_assert_msg(o.done == 1 && o.r == 0 && o.exit_code == plain[_i].want_code &&
                      strstr(o.output, plain[_i].want_output) != NULL,
                  "%s: done %d, r %d, code %d, '%s'", plain[_i].script, o.done, o.r, o.exit_code, o.output);
}
END_TEST

START_TEST(own_environment_and_folder)
{
    const char *argv[] = {"/bin/sh", "-c", "echo $A-$PATH-$(pwd)", NULL}, *env[] = {"A=b", NULL};
    struct outcome o;

    start(&o, (struct hf_proc_request){.argv = argv, .env = env, .cwd = "/tmp"});
    hf_loop_run(loop);
    ck_assert_ptr_eq(strstr(o.output, "b-"), o.output);
    ck_assert_ptr_nonnull(strstr(o.output, "-/tmp\n"));
}
END_TEST

static const struct {
    const char *path;
    const char *cwd;
    int want_r;
} refusals[] = {
    {"/no/such/program", NULL, -ENOENT},
    {"/etc/passwd", NULL, -EACCES},
    {"true", NULL, -EINVAL},
    {"", NULL, -EINVAL},
    {NULL, NULL, -EINVAL},
    {"/bin/true", "/no/such/folder", -ENOENT},
    {"/", NULL, -EACCES},
};

START_TEST(cannot_start)
{
    const char *argv[] = {refusals[_i].path, NULL};
    struct hf_proc_request request = {.argv = argv, .cwd = refusals[_i].cwd, .done = keep};
    struct hf_proc_call *call = (void *)1;
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(proc->spawn(proc->ctx, &request, &call, &err), refusals[_i].want_r);
    ck_assert_ptr_eq(call, (void *)1);
    ck_assert_msg(err.cause[0] != '\0', "no cause");
}
END_TEST

START_TEST(input_reaches_the_child)
{
    static char most[HF_PROC_MAX_INPUT + 1];
    const char *argv[] = {"/bin/bash", "-c", "cksum; read -r word; echo end:$word", NULL};
    const char *ignores[] = {"/bin/bash", "-c", "exec 0<&-; echo ran", NULL};
    struct hf_proc_call *call = NULL;
    struct outcome o, second;

    memset(most, 'x', sizeof(most));
    start(&o, (struct hf_proc_request){.argv = argv, .input = {"123456789", 9}, .secret = true});
    start(&second, (struct hf_proc_request){.argv = ignores, .input = {most, HF_PROC_MAX_INPUT}});
    hf_loop_run(loop);
    ck_assert_str_eq(o.output, "930766865 9\nend:\n");
    ck_assert_str_eq(second.output, "ran\n");
    struct hf_proc_request request = {.argv = argv, .input = {most, sizeof(most)}, .done = keep};
    ck_assert_int_eq(proc->spawn(proc->ctx, &request, &call, NULL), -E2BIG);
}
END_TEST

START_TEST(output_without_stderr)
{
    const char *argv[] = {"/bin/bash", "-c", "echo out; echo err >&2; readlink /proc/self/fd/2", NULL};
    struct outcome o;

    start(&o, (struct hf_proc_request){.argv = argv, .stdout_only = true});
    hf_loop_run(loop);
    ck_assert_str_eq(o.output, "out\n/dev/null\n");
}
END_TEST

START_TEST(output_is_bounded)
{
    struct outcome o;

    shell(&o, "head -c 1000000 /dev/zero | tr '\\0' a; exit 2", 10 * HF_NS_PER_S, 100);
    hf_loop_run(loop);
    ck_assert_int_eq(o.exit_code, 2); /* the rest was read: the writer did not hang */
    ck_assert_uint_eq(o.output_n, 100);
    shell(&o, "head -c 5000 /dev/zero | tr '\\0' a", 10 * HF_NS_PER_S, 0);
    hf_loop_run(loop);
    ck_assert_uint_eq(o.output_n, 4096);
}
END_TEST

START_TEST(many)
{
    static struct outcome o[30];

    for (int i = 0; i < 30; i++) {
        char script[64];
        (void)snprintf(script, sizeof(script), "echo %d; exit %d", i, i);
        shell(&o[i], script, 20 * HF_NS_PER_S, 0);
    }
    hf_loop_run(loop);
    for (int i = 0; i < 30; i++)
        ck_assert_msg(o[i].done == 1 && o[i].exit_code == i && pid_in(&o[i]) == i, "%d: %d '%s'", i, o[i].exit_code,
                      o[i].output);
}
END_TEST

/* ---- deadlines ------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    const char *script;         /* prints the number of a process that must be gone afterwards */
    uint64_t least_ms, most_ms; /* after its time */
} hangs[] = {
    {"hangs", "echo $$; exec sleep 100", 0, 1300},
    {"a child hangs", "sleep 100 & echo $!; wait", 0, 1300},
    {"ignores TERM", "trap '' TERM; echo $$; while :; do sleep 1; done", 2000, 3800},
    {"a child ignores TERM", "(trap '' TERM; while :; do sleep 1; done) & echo $!; wait", 0, 3800},
    {"stopped", "echo $$; kill -STOP $$; sleep 100", 0, 1300},
    {"writes for ever", "echo $$; exec yes", 0, 1300},
    {"forks for ever", "echo $$; trap '' TERM; while :; do (sleep 100) & sleep 0.05; done", 2000, 4300},
    {"another group of the same session", "set -m; sleep 100 & echo $!; wait", 0, 3800},
    {"closed its output", "echo $$; exec >&- 2>&-; sleep 100", 0, 1300},
};

START_TEST(deadline)
{
    uint64_t timeout_ms = 100;
    struct outcome o;

    do { /* again, with more time, where the shell has not said its number */
        timeout_ms *= 2;
        shell(&o, hangs[_i].script, timeout_ms * MS, 0);
        hf_loop_run(loop);
        ck_assert_msg(o.done == 1 && o.r == -ETIMEDOUT, "%s: r %d", hangs[_i].name, o.r);
    } while (pid_in(&o) <= 1 && timeout_ms < 20000);
    ck_assert_msg(pid_in(&o) > 1 && is_gone(pid_in(&o)), "%s: process '%s' is left", hangs[_i].name, o.output);
    ck_assert_msg(o.took_ns >= (timeout_ms + hangs[_i].least_ms) * MS &&
                      took_less(&o, (timeout_ms + hangs[_i].most_ms) * MS),
                  "%s: took %ju ms of %ju", hangs[_i].name, (uintmax_t)(o.took_ns / MS), (uintmax_t)timeout_ms);
}
END_TEST

/* A daemon that left the session neither holds the call up nor is killed: a restart hook starts one this way. */
START_TEST(daemon_is_left_alone)
{
    struct outcome o;

    shell(&o, "setsid sleep 100 >/dev/null 2>&1 </dev/null & echo $!", 60 * HF_NS_PER_S, 0);
    hf_loop_run(loop);
    ck_assert_int_eq(o.r, 0);
    ck_assert_int_eq(o.exit_code, 0);
    ck_assert(took_less(&o, 2 * HF_NS_PER_S));
    ck_assert(is_alive(pid_in(&o)));
    ck_assert_int_eq(kill(pid_in(&o), SIGKILL), 0);
}
END_TEST

START_TEST(daemon_that_keeps_the_pipe)
{
    struct outcome o;

    shell(&o, "setsid yes & echo $!; sleep 0.05", 60 * HF_NS_PER_S, 0);
    hf_loop_run(loop);
    ck_assert_int_eq(o.r, 0);
    ck_assert(took_less(&o, 3 * HF_NS_PER_S));
    (void)kill(pid_in(&o), SIGKILL);
}
END_TEST

/* ---- children that no signal ends ------------------------------------------------------------------------------------ */

static bool immune; /* signals end nothing, as in an uninterruptible system call */

/* In place of libc's. */
int kill(pid_t pid, int signum)
{
    return immune ? 0 : (int)syscall(SYS_kill, pid, signum);
}

static int try_at(struct outcome *o, const char *resource)
{
    const char *argv[] = {"/bin/sleep", "100", NULL};
    const struct hf_proc_request request = {
        .argv = argv, .timeout_ns = 100 * MS, .done = keep, .arg = o, .resource = resource};
    struct hf_err err = HF_ERR_INIT;

    *o = (struct outcome){.start_ns = now_ns()};
    int r = proc->spawn(proc->ctx, &request, &o->call, &err);
    ck_assert_msg(r == 0 || strstr(err.cause, "hangs at 'device:/dev/tpm'") != NULL, "%s", err.cause);
    return r;
}

/* Returns false if there are none. */
static bool list_children(char list[512])
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    list[0] = '\0';
    bool any = fgets(list, 512, file) != NULL;
    (void)fclose(file);
    return any;
}

/* The system calls return: the children end. */
static void end_children(void)
{
    char list[512];

    immune = false;
    (void)list_children(list);
    for (char *at = list, *end; strtol(at, &end, 10) > 0; at = end)
        (void)kill((pid_t)strtol(at, NULL, 10), SIGKILL);
    loop_wait_for(loop, !list_children(list));
}

START_TEST(stuck_child_is_the_only_one)
{
    struct outcome o, other;

    immune = true;
    ck_assert_int_eq(try_at(&o, "device:/dev/tpm"), 0);
    pending = 1;
    hf_loop_run(loop);
    ck_assert(o.done == 1 && o.r == -ETIMEDOUT);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(try_at(&other, "device:/dev/tpm"), -EBUSY);
    immune = false;
    ck_assert_int_eq(try_at(&other, "device:/dev/tpmrm1"), 0); /* all others start */
    proc->cancel(proc->ctx, other.call);
    ck_assert_int_eq(try_at(&other, NULL), 0);
    proc->cancel(proc->ctx, other.call);
    end_children();
    ck_assert_int_eq(try_at(&other, "device:/dev/tpm"), 0);
    proc->cancel(proc->ctx, other.call);
}
END_TEST

START_TEST(stuck_child_of_a_cancelled_call)
{
    struct outcome o, other;

    immune = true;
    ck_assert_int_eq(try_at(&o, "device:/dev/tpm"), 0);
    proc->cancel(proc->ctx, o.call);
    ck_assert_int_eq(try_at(&other, "device:/dev/tpm"), 0); /* the signal has its time */
    proc->cancel(proc->ctx, other.call);
    loop_run_for(loop, 2100 * MS);
    ck_assert_int_eq(try_at(&other, "device:/dev/tpm"), -EBUSY);
    end_children();
    ck_assert_int_eq(try_at(&other, "device:/dev/tpm"), 0);
    proc->cancel(proc->ctx, other.call);
    loop_run_for(loop, 2100 * MS);
    ck_assert_int_eq(try_at(&other, "device:/dev/tpm"), 0);
    proc->cancel(proc->ctx, other.call);
}
END_TEST

/* ---- cancel ---------------------------------------------------------------------------------------------------------- */

/* 0 when it was killed before it could say. */
static pid_t pid_from_file(const char *path)
{
    int pid = 0;
    FILE *file = fopen(path, "r");

    ck_assert_ptr_nonnull(file);
    if (fscanf(file, "%d", &pid) != 1)
        pid = 0;
    (void)fclose(file);
    (void)unlink(path);
    return pid;
}

/* HF_NEVER: when it has ended. */
static const uint64_t cancel_after_ns[] = {0, 1, 100 * MS, 300 * MS, HF_NEVER};

/* At once, while it runs, after TERM, after KILL of one that hid. */
START_TEST(cancel)
{
    char path[64], script[256];
    struct outcome o;

    (void)snprintf(path, sizeof(path), "/tmp/hf-proc-%d", getpid());
    (void)snprintf(script, sizeof(script), "trap '' TERM; echo $$ >%s; sleep 100; sleep 100", path);
    shell(&o, script, 200 * MS, 0);
    if (cancel_after_ns[_i] == HF_NEVER)
        loop_wait_for(loop, o.done == 1);
    else if (cancel_after_ns[_i] > 0)
        loop_run_for(loop, cancel_after_ns[_i]);
    int done = o.done;
    ck_assert(done == 0 || o.took_ns >= 2200 * MS);
    if (done == 0)
        proc->cancel(proc->ctx, o.call);
    loop_run_for(loop, 200 * MS);
    ck_assert_int_eq(o.done, done);
    pid_t pid = access(path, F_OK) == 0 ? pid_from_file(path) : 0;
    ck_assert(pid == 0 || is_gone(pid));
    proc->cancel(proc->ctx, NULL);
}
END_TEST

START_TEST(loop_ends_with_children)
{
    struct outcome o;
    struct stat said;
    char path[64], script[256];

    (void)snprintf(path, sizeof(path), "/tmp/hf-proc-%d", getpid());
    (void)snprintf(script, sizeof(script), "trap '' TERM; echo $$ >%s; sleep 100 & wait", path);
    shell(&o, script, 100 * HF_NS_PER_S, 0);
    loop_wait_for(loop, stat(path, &said) == 0 && said.st_size > 0);
    hf_loop_free(loop);
    loop = NULL;
    ck_assert_int_eq(o.done, 0);
    ck_assert(is_gone(pid_from_file(path)));
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* no zombie */
}
END_TEST

static void cancel_inside(void *arg, int r, int exit_code, struct hf_view output)
{
    struct outcome *o = arg;

    keep(arg, r, exit_code, output);
    proc->cancel(proc->ctx, o->call);
}

START_TEST(cancel_inside_done_is_harmless)
{
    const char *argv[] = {"/bin/true", NULL};
    struct outcome o = {.done = 0};
    struct hf_proc_request request = {.argv = argv, .done = cancel_inside, .arg = &o};

    pending = 1;
    ck_assert_int_eq(proc->spawn(proc->ctx, &request, &o.call, NULL), 0);
    hf_loop_run(loop);
    ck_assert_int_eq(o.done, 1);
}
END_TEST

/* As PID 1 of a container, or as a subreaper, what others left behind comes to us: it must not stay a zombie, and our own children
 * must still report. */
START_TEST(orphans_are_reaped)
{
    struct outcome o;

    hf_loop_free(loop);
    ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    set_up();
    shell(&o, "(setsid sleep 0.2 & echo $! ) ; exit 4", 5 * HF_NS_PER_S, 0);
    hf_loop_run(loop);
    ck_assert_int_eq(o.exit_code, 4);
    loop_wait_for(loop, kill(pid_in(&o), 0) < 0); /* a zombie is still there */
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 0);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, runs, 0, (int)HF_LEN(plain));
    tcase_add_test(tc, own_environment_and_folder);
    tcase_add_loop_test(tc, cannot_start, 0, (int)HF_LEN(refusals));
    tcase_add_test(tc, input_reaches_the_child);
    tcase_add_test(tc, output_without_stderr);
    tcase_add_test(tc, output_is_bounded);
    tcase_add_test(tc, many);
    tcase_add_loop_test(tc, deadline, 0, (int)HF_LEN(hangs));
    tcase_add_test(tc, daemon_is_left_alone);
    tcase_add_test(tc, daemon_that_keeps_the_pipe);
    tcase_add_test(tc, stuck_child_is_the_only_one);
    tcase_add_test(tc, stuck_child_of_a_cancelled_call);
    tcase_add_loop_test(tc, cancel, 0, (int)HF_LEN(cancel_after_ns));
    tcase_add_test(tc, loop_ends_with_children);
    tcase_add_test(tc, cancel_inside_done_is_harmless);
    tcase_add_test(tc, orphans_are_reaped);
}

HF_TEST_MAIN("loop/proc", cases)
