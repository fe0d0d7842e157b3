/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/clock_posix.h"

/* The arguments of posix_spawn() are not const for historical reasons; it does not change them. */
static int spawn(const struct hf_cli_child *child, int out_fd, pid_t *ret_pid)
{
    union {
        const char *const *borrowed;
        char *const *words;
    } argv = {.borrowed = child->argv}, env = {.words = environ};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;

    if (child->env != NULL)
        env.borrowed = child->env;
    (void)sigemptyset(&none);
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawnattr_init(&attributes);
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    if (!child->has_input)
        (void)posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    (void)posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO);
    if (child->with_errors)
        (void)posix_spawn_file_actions_adddup2(&actions, out_fd, STDERR_FILENO);
    int r = posix_spawnp(ret_pid, child->argv[0], &actions, &attributes, argv.words, env.words);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attributes);
    return -r;
}

/* Reads until the end of the pipe. -ETIMEDOUT: the deadline passed. -E2BIG: too much. */
static int collect(int fd, uint64_t deadline_mono_ns, struct hf_buf *out)
{
    const struct hf_clock_ops *clock = hf_clock_posix();
    char bytes[4096];

    for (;;) {
        uint64_t now = hf_mono_ns(clock);
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (now >= deadline_mono_ns)
            return -ETIMEDOUT;
        int ready = poll(&wait, 1, (int)((deadline_mono_ns - now) / 1000000) + 1);
        if (ready < 0 && errno != EINTR)
            return -errno;
        if (ready <= 0)
            continue;
        ssize_t n = read(fd, bytes, sizeof(bytes));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : 0;
        int r = hf_buf_add(out, bytes, (size_t)n);
        explicit_bzero(bytes, sizeof(bytes));
        if (r < 0)
            return r;
    }
}

/* Waits for the child. If it has closed its output, it may still run until the deadline; then it is killed. */
static int reap(pid_t pid, uint64_t deadline_mono_ns, int *ret_status)
{
    const struct hf_clock_ops *clock = hf_clock_posix();
    bool killed = false;

    for (;;) {
        pid_t done = waitpid(pid, ret_status, WNOHANG);
        if (done == pid)
            return killed ? -ETIMEDOUT : 0;
        if (done < 0 && errno != EINTR)
            return -errno;
        if (!killed && hf_mono_ns(clock) >= deadline_mono_ns) {
            (void)kill(pid, SIGKILL);
            killed = true;
        }
        (void)poll(NULL, 0, 10);
    }
}

int hf_cli_child_run(const struct hf_cli_child *child, struct hf_buf *out, int *ret_status)
{
    uint64_t deadline = hf_mono_ns(hf_clock_posix()) + child->limit_ns;
    int ends[2];
    pid_t pid;

    *ret_status = HF_CLI_CHILD_NOT_STARTED;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    int r = spawn(child, ends[1], &pid);
    (void)close(ends[1]);
    if (r < 0) {
        (void)close(ends[0]);
        return r;
    }
    r = collect(ends[0], deadline, out);
    (void)close(ends[0]);
    int reaped = reap(pid, r == 0 ? deadline : 0, ret_status);
    return r < 0 ? r : reaped;
}
