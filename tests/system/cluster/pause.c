/* SPDX-License-Identifier: Apache-2.0 */
/* The program that holds a pod's namespaces open: it waits, reaps what the pod leaves behind, and goes when told to. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>

int main(void)
{
    sigset_t set;
    int sig;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    while (sigwait(&set, &sig) == 0 && sig == SIGCHLD) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
    }
    return 0;
}
