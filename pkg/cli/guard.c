/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/dir.h"

static void watch(const struct hf_fs_ops *fs, const char *folder, int fd)
{
    char word;
    ssize_t n;

    (void)setsid(); /* Ctrl-C must not end this process */
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    do
        n = read(fd, &word, 1);
    while (n < 0 && errno == EINTR);
    if (n == 0)
        (void)!hf_dir_remove_tree(fs, folder, NULL);
}

int hf_cli_guard_begin(const struct hf_fs_ops *fs, const char *folder, struct hf_cli_guard *ret_guard,
                       struct hf_err *err)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return hf_err_sys(err, -errno, "guard '%s'", folder);
    int pid = fork();
    if (pid == 0) {
        (void)close(ends[1]);
        watch(fs, folder, ends[0]);
        _exit(0);
    }
    (void)close(ends[0]);
    if (pid < 0) {
        int r = -errno;
        (void)close(ends[1]);
        return hf_err_sys(err, r, "guard '%s'", folder);
    }
    *ret_guard = (struct hf_cli_guard){.fd = ends[1], .pid = pid};
    return 0;
}

void hf_cli_guard_end(struct hf_cli_guard *guard)
{
    (void)!write(guard->fd, "", 1);
    (void)close(guard->fd);
    while (waitpid(guard->pid, NULL, 0) < 0 && errno == EINTR)
        ;
}
