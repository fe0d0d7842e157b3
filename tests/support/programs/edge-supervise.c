/* SPDX-License-Identifier: Apache-2.0 */
/* edge-supervise: keeps one program running where there is no systemd (the demo, tests without root).
 *
 *     edge-supervise --pid-file FILE -- PROGRAM [ARGUMENT...]     run PROGRAM, start it again when it ends
 *     edge-supervise --restart FILE                               make the supervisor of that file restart its program, wait
 *
 * FILE holds "<supervisor's pid> <starts so far>\n" and is replaced whole. SIGHUP restarts the program, SIGTERM and SIGINT end
 * it and the supervisor. --restart returns once the new program has been started (its own health is not looked at), or fails
 * after 10 s. A program that cannot be started or ends by itself is tried again after 200 ms. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RETRY_MS = 200, RESTART_WAIT_MS = 10000, POLL_MS = 20 };

static void pause_ms(long ms)
{
    struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

    (void)nanosleep(&pause, NULL);
}

static int write_state(const char *path, unsigned starts)
{
    char temp[PATH_MAX];

    (void)snprintf(temp, sizeof(temp), "%s.new", path);
    FILE *file = fopen(temp, "we");
    if (file == NULL)
        return -1;
    int written = fprintf(file, "%d %u\n", (int)getpid(), starts);
    return fclose(file) == 0 && written > 0 ? rename(temp, path) : -1;
}

static int read_state(const char *path, int *ret_pid, unsigned *ret_starts)
{
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return -1;
    int fields = fscanf(file, "%d %u", ret_pid, ret_starts);
    (void)fclose(file);
    return fields == 2 && *ret_pid > 1 ? 0 : -1;
}

static int restart(const char *path)
{
    unsigned before, now;
    int pid;

    if (read_state(path, &pid, &before) < 0 || kill(pid, SIGHUP) < 0) {
        (void)fprintf(stderr, "edge-supervise: %s: no supervisor there\n", path);
        return 1;
    }
    for (int waited = 0; waited < RESTART_WAIT_MS; waited += POLL_MS) {
        if (read_state(path, &pid, &now) == 0 && now != before)
            return 0;
        pause_ms(POLL_MS);
    }
    (void)fprintf(stderr, "edge-supervise: %s: not restarted within %d s\n", path, RESTART_WAIT_MS / 1000);
    return 1;
}

static pid_t start(char **argv, const sigset_t *handled)
{
    pid_t supervisor = getpid(), pid = fork();

    if (pid != 0)
        return pid;
    (void)sigprocmask(SIG_UNBLOCK, handled, NULL);
    /* A supervisor that is killed takes its program with it: nothing is left behind that holds the port. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == supervisor)
        (void)execv(argv[0], argv);
    (void)fprintf(stderr, "edge-supervise: %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

static void stop(pid_t pid)
{
    if (pid <= 0)
        return;
    (void)kill(pid, SIGTERM);
    for (int waited = 0; waited < 2000; waited += POLL_MS) {
        if (waitpid(pid, NULL, WNOHANG) == pid)
            return;
        pause_ms(POLL_MS);
    }
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
}

static int supervise(const char *path, char **argv)
{
    static const int signals[] = {SIGHUP, SIGTERM, SIGINT, SIGCHLD};
    unsigned starts = 0;
    sigset_t handled;
    pid_t pid = -1;

    (void)sigemptyset(&handled);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        (void)sigaddset(&handled, signals[i]);
    (void)sigprocmask(SIG_BLOCK, &handled, NULL);
    for (;;) {
        if (pid <= 0) {
            pid = start(argv, &handled);
            if (write_state(path, ++starts) < 0) {
                (void)fprintf(stderr, "edge-supervise: %s: %s\n", path, strerror(errno));
                stop(pid);
                return 1;
            }
        }
        int signum = sigwaitinfo(&handled, NULL);
        if (signum == SIGTERM || signum == SIGINT)
            break;
        if (signum == SIGHUP) {
            stop(pid);
            pid = -1;
        } else if (signum == SIGCHLD && pid > 0 && waitpid(pid, NULL, WNOHANG) == pid) {
            pause_ms(RETRY_MS);
            pid = -1;
        }
    }
    stop(pid);
    (void)unlink(path);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--restart") == 0)
        return restart(argv[2]);
    if (argc >= 5 && strcmp(argv[1], "--pid-file") == 0 && strcmp(argv[3], "--") == 0)
        return supervise(argv[2], argv + 4);
    (void)fprintf(stderr, "usage: edge-supervise --pid-file FILE -- PROGRAM [ARGUMENT...] | --restart FILE\n");
    return 2;
}
