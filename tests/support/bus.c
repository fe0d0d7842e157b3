/* SPDX-License-Identifier: Apache-2.0 */
#include "support/bus.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check_main.h"

void helper_start(struct helper *helper, const char *const *argv)
{
    int input[2], output[2];
    size_t n = 0;

    ck_assert_int_eq(pipe2(input, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(output, O_CLOEXEC), 0);
    helper->pid = fork();
    if (helper->pid == 0) {
        char *args[8] = {NULL};
        for (size_t i = 0; argv[i] != NULL; i++)
            args[i] = strdup(argv[i]);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* also when a check fails on the way */
        (void)dup2(input[0], STDIN_FILENO);
        (void)dup2(output[1], STDOUT_FILENO);
        (void)execv(args[0], args);
        _exit(127);
    }
    (void)close(input[0]);
    (void)close(output[1]);
    helper->input = input[1];
    memset(helper->line, 0, sizeof(helper->line));
    while (strchr(helper->line, '\n') == NULL) {
        ssize_t got = read(output[0], helper->line + n, sizeof(helper->line) - 1 - n);
        ck_assert_msg(got > 0 || (got < 0 && errno == EINTR), "%s does not start", argv[0]);
        n += got > 0 ? (size_t)got : 0;
    }
    *strchr(helper->line, '\n') = '\0';
    (void)close(output[0]);
}

void helper_stop(struct helper *helper)
{
    if (helper->pid <= 0)
        return;
    (void)close(helper->input);
    (void)kill(helper->pid, SIGKILL);
    (void)waitpid(helper->pid, NULL, 0);
    helper->pid = 0;
}

struct helper bus, manager;

static const char *manager_path(char path[PATH_MAX])
{
    const char *build = getenv("HF_BUILD_DIR");

    (void)snprintf(path, PATH_MAX, "%s/support/unit-manager", build != NULL ? build : "build/asan");
    return path;
}

char bus_folder[64];

void bus_start(bool activates)
{
    char path[128], config[160];

    (void)snprintf(path, sizeof(path), "%s/bus.conf", bus_folder);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    (void)fprintf(
        file,
        "<busconfig><type>session</type><listen>unix:tmpdir=%s</listen>%s%s%s"
        "<policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/>"
        "<allow own=\"*\"/></policy></busconfig>",
        bus_folder, activates ? "<servicedir>" : "", activates ? bus_folder : "", activates ? "</servicedir>" : "");
    ck_assert_int_eq(fclose(file), 0);
    (void)snprintf(config, sizeof(config), "--config-file=%s", path);
    (void)snprintf(path, sizeof(path), "%s/systemd.service", bus_folder);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    (void)fprintf(file, "[D-BUS Service]\nName=org.freedesktop.systemd1\nExec=/bin/false\n");
    ck_assert_int_eq(fclose(file), 0);
    helper_start(&bus, (const char *const[]){"/usr/bin/dbus-daemon", config, "--nofork", "--print-address=1", NULL});
    (void)setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.line, 1);
}

void manager_start(void)
{
    char path[PATH_MAX];

    helper_start(&manager, (const char *const[]){manager_path(path), NULL});
}

void bus_folder_make(void)
{
    (void)snprintf(bus_folder, sizeof(bus_folder), "/tmp/hf-unit-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(bus_folder));
}

void bus_folder_remove(void)
{
    DIR *dir = opendir(bus_folder);
    const struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL)
        (void)unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir != NULL)
        (void)closedir(dir);
    (void)rmdir(bus_folder);
}
