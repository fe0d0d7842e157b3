/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/front.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/args.h"
#include "cli/delta/delta.h"
#include "os/dir.h"
#include "os/fd.h"

enum { NAME_WORDS = 2, /* "delta", "apply" */ FEED = 4096 };

static int create(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err);

static const struct hf_cli_command own[] = {
    {
        .name = "delta apply",
        .args = "OLD PATCH NEW",
        .options = hf_cli_delta_apply_options,
        .min_words = 3,
        .max_words = 3,
        .run = hf_cli_delta_apply,
    },
    {
        .name = "delta create",
        .args = "OLD NEW PATCH",
        .options = hf_cli_delta_create_options,
        .min_words = 3,
        .max_words = 3,
        .run = create,
    },
};

static const char *const *after_name(char **argv)
{
    return (const char *const *)argv + 1 + NAME_WORDS;
}

/* Returns the row; NULL: the whole program runs this command line. */
static const struct hf_cli_command *own_command(int argc, char **argv)
{
    const struct hf_cli_command *command = NULL;

    if (argc <= NAME_WORDS || argc > HF_CLI_MAX_WORDS || strcmp(argv[1], "delta") != 0)
        return NULL;
    if (strcmp(argv[2], "apply") == 0)
        command = &own[0];
    else if (strcmp(argv[2], "create") == 0)
        command = &own[1];
    if (command == NULL || hf_cli_asks_for_help(command->options, after_name(argv), (size_t)argc - 1 - NAME_WORDS))
        return NULL;
    return command;
}

bool hf_cli_front_takes(int argc, char **argv)
{
    return own_command(argc, argv) != NULL;
}

/* Replaces this process by the whole program. Returns only on failure. */
static int start_whole(const char *self, char **argv, struct hf_err *err)
{
    static const char *const places[] = {"", HF_CLI_WHOLE_FOLDER "/"};
    char folder[PATH_MAX];

    if (self == NULL)
        return hf_err_set(err, ENOENT, "cannot find '" HF_CLI_WHOLE "': /proc is not mounted");
    (void)hf_dir_of_path(self, folder, sizeof(folder));
    for (size_t i = 0; i < HF_LEN(places); i++) {
        _cleanup_(hf_freep) char *path = hf_asprintf("%s/%s" HF_CLI_WHOLE, folder, places[i]);
        if (path == NULL)
            return hf_err_set(err, ENOMEM, "out of memory");
        (void)execv(path, argv);
        if (errno != ENOENT && errno != ENOTDIR)
            return hf_err_sys(err, -errno, "start '%s'", path);
    }
    return hf_err_set(err, ENOENT,
                      "cannot find '" HF_CLI_WHOLE "' in '%s' or '" HF_CLI_WHOLE_FOLDER
                      "' from there; all commands except plain 'delta apply' and 'delta create' need it",
                      folder);
}

static int create(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    struct hf_deep_create_params params;
    int r = hf_cli_delta_settings(cli, args, &params, err);

    if (r == 0)
        r = hf_cli_delta_quick(cli, args, &params, err);
    return r > 0 ? start_whole(cli->self, cli->argv, err) : r;
}

/* Nobody can push bytes back into a pipe, so a child feeds the whole program: first the bytes already read, then the
 * remainder. */
static void feed(int from, int to, const char *head, size_t n)
{
    char bytes[FEED];
    ssize_t got;

    /* A reader that waits for the end of the output must not wait for this process. */
    (void)close(STDOUT_FILENO);
    (void)close(STDERR_FILENO);
    for (bool on = hf_fd_write_all(to, head, n) == 0; on;
         on = got > 0 && hf_fd_write_all(to, bytes, (size_t)got) == 0) {
        do
            got = read(from, bytes, sizeof(bytes));
        while (got < 0 && errno == EINTR);
    }
}

static int start_feeding(char **argv, const char *word, int patch_fd, const void *head, size_t n, struct hf_err *err)
{
    static char path[32];
    int ends[2];
    pid_t pid;

    if (pipe2(ends, 0) < 0)
        return hf_err_sys(err, -errno, "make a pipe");
    pid = fork();
    if (pid < 0)
        return hf_err_sys(err, -errno, "fork");
    if (pid == 0) {
        (void)close(ends[0]);
        feed(patch_fd, ends[1], head, n);
        _exit(0);
    }
    (void)close(ends[1]);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
    for (; *argv != NULL; argv++)
        if (*argv == word)
            *argv = path;
    return 0;
}

static int hand_over(const struct hf_cli *cli, const char *word, int patch_fd, const void *head, size_t n,
                     struct hf_err *err)
{
    int r = 0;

    if (lseek(patch_fd, 0, SEEK_SET) < 0)
        r = start_feeding(cli->argv, word, patch_fd, head, n, err);
    return r < 0 ? r : start_whole(cli->self, cli->argv, err);
}

int hf_cli_front_main(struct hf_cli *cli, const char *self, int argc, char **argv)
{
    struct hf_err err = HF_ERR_INIT;

    cli->program = hf_cli_program(argc, argv);
    cli->hand_over = hand_over;
    cli->self = self;
    cli->argv = argv;
    const struct hf_cli_command *command = own_command(argc, argv);
    if (command != NULL)
        return hf_cli_run(cli, command, after_name(argv), (size_t)argc - 1 - NAME_WORDS);
    int r = start_whole(self, argv, &err);
    return hf_cli_complain(cli, "", r, &err);
}
