/* SPDX-License-Identifier: Apache-2.0 */
#include "support/swtpm.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "loop/tpm_key.h"

static const char *find_program(void)
{
    static char path[4096];
    static const char *const places[] = {"build/asan/holdfast-tpm", "build/release/holdfast-tpm"};

    for (size_t i = 0; i < HF_LEN(places); i++)
        if (realpath(places[i], path) != NULL)
            return path;
    return NULL;
}

static void launch(struct swtpm *tpm)
{
    char state[80], server[96], ctrl[96];
    struct stat st;

    (void)snprintf(state, sizeof(state), "dir=%s", tpm->folder);
    (void)snprintf(server, sizeof(server), "type=unixio,path=%s/sock", tpm->folder);
    (void)snprintf(ctrl, sizeof(ctrl), "type=unixio,path=%s/sock.ctrl", tpm->folder);
    tpm->pid = fork();
    ck_assert_int_ge(tpm->pid, 0);
    if (tpm->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)!freopen("/dev/null", "w", stdout);
        (void)!freopen("/dev/null", "w", stderr);
        (void)execlp("swtpm", "swtpm", "socket", "--tpm2", "--tpmstate", state, "--server", server, "--ctrl", ctrl,
                     "--flags", "not-need-init,startup-clear", (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 500 && (stat(strchr(server, '/'), &st) < 0 || stat(strchr(ctrl, '/'), &st) < 0); i++)
        (void)nanosleep(&(struct timespec){.tv_nsec = 20 * 1000000}, NULL);
}

static void stop(struct swtpm *tpm)
{
    char path[96];

    (void)kill(tpm->pid, SIGKILL);
    (void)waitpid(tpm->pid, NULL, 0);
    (void)snprintf(path, sizeof(path), "%s/sock", tpm->folder);
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "%s/sock.ctrl", tpm->folder);
    (void)unlink(path);
}

static void forget(const struct swtpm *tpm)
{
    char path[96];

    (void)snprintf(path, sizeof(path), "%s/tpm2-00.permall", tpm->folder);
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "%s/.lock", tpm->folder);
    (void)unlink(path);
}

bool swtpm_start(struct swtpm *tpm)
{
    const char *program = find_program();

    if (program == NULL || access("/usr/bin/swtpm", X_OK) < 0) {
        (void)fprintf(stderr, "skipped: %s is not there\n", program == NULL ? "holdfast-tpm" : "swtpm");
        return false;
    }
    (void)snprintf(tpm->folder, sizeof(tpm->folder), "/tmp/hf-tpm-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(tpm->folder));
    (void)snprintf(tpm->tcti, sizeof(tpm->tcti), "swtpm:path=%s/sock", tpm->folder);
    ck_assert_int_eq(hf_tpm_key_provide(program, tpm->tcti), 0);
    launch(tpm);
    return true;
}

void swtpm_restart(struct swtpm *tpm)
{
    stop(tpm);
    launch(tpm);
}

void swtpm_replace(struct swtpm *tpm)
{
    stop(tpm);
    forget(tpm);
    launch(tpm);
}

void swtpm_end(struct swtpm *tpm)
{
    stop(tpm);
    forget(tpm);
    (void)rmdir(tpm->folder);
    (void)!hf_tpm_key_provide(NULL, NULL);
}
