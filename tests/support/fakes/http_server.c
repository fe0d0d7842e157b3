/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fakes/http_server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macros.h"

static const char *const program = "tests/support/programs/http-server.py";

enum { MAX_ARGS = 16 };

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "test server: %s\n", what);
    abort();
}

static _Noreturn void run_child(int input, int output, const char *const *args)
{
    char *argv[MAX_ARGS + 3] = {strdup("/usr/bin/python3"), strdup(program)};

    for (size_t i = 0; args != NULL && args[i] != NULL && i < MAX_ARGS; i++)
        argv[i + 2] = strdup(args[i]);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)dup2(input, STDIN_FILENO);
    (void)dup2(output, STDOUT_FILENO);
    (void)execv("/usr/bin/python3", argv);
    _exit(127);
}

void hf_test_server_start(struct hf_test_server *server, const char *const *args)
{
    int input[2], output[2];
    char line[64] = "";

    if (pipe2(input, O_CLOEXEC) < 0 || pipe2(output, O_CLOEXEC) < 0)
        fail("no pipe");
    server->pid = fork();
    if (server->pid < 0)
        fail("no process");
    if (server->pid == 0)
        run_child(input[0], output[1], args);
    (void)close(input[0]);
    (void)close(output[1]);
    server->input = input[1];
    unsigned port = 0;
    for (size_t n = 0; n < sizeof(line) - 1 && strchr(line, '\n') == NULL;) {
        ssize_t got = read(output[0], line + n, sizeof(line) - 1 - n);
        if (got == 0 || (got < 0 && errno != EINTR))
            fail("it ended before it said its port");
        n += got > 0 ? (size_t)got : 0;
    }
    if (sscanf(line, "port %u", &port) != 1 || port > UINT16_MAX)
        fail("it did not say its port");
    (void)close(output[0]);
    server->port = (uint16_t)port;
}

void hf_test_server_stop(struct hf_test_server *server)
{
    if (server->pid <= 0)
        return;
    (void)close(server->input);
    (void)kill(server->pid, SIGKILL);
    (void)waitpid(server->pid, NULL, 0);
    server->pid = 0;
}
