#include "cli/cli.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "cli/args.h"
#include "cli/help.h"

int hf_cli_exit_of(int r)
{
    switch (r < 0 ? -r : r) {
    case 0:
        return HF_EXIT_OK;
    case EINVAL:
        return HF_EXIT_USAGE;
    case EKEYREJECTED:
    case EBADMSG:
    case ESTALE:
    case EOPNOTSUPP:
        return HF_EXIT_REFUSED;
    default:
        return HF_EXIT_FAILED;
    }
}

/* "holdfast delta create: what went wrong" */
static int complain(struct hf_cli *cli, const char *command, int r, const struct hf_err *err)
{
    char text[sizeof(err->cause) + sizeof(err->where) + 4];
    int code = hf_cli_exit_of(r);

    hf_cli_progress_end(cli);
    (void)fprintf(cli->err, "%s%s%s: %s\n", cli->program, command[0] != '\0' ? " " : "", command,
                  err->code != 0 ? hf_err_text(err, text, sizeof(text)) : strerror(-r));
    if (code == HF_EXIT_USAGE)
        (void)fprintf(cli->err, "try: %s help%s%s\n", cli->program, command[0] != '\0' ? " " : "", command);
    return code;
}

/* No row fits: the first word may be a group ("delta"), or a slip of the fingers. */
static int unknown(struct hf_cli *cli, const char *const *argv, size_t n)
{
    _cleanup_(hf_freep) char *two = n > 1 ? hf_asprintf("%s %s", argv[0], argv[1]) : NULL;
    struct hf_cli_nearest nearest = {.typed = two != NULL ? two : argv[0]};
    struct hf_cli_nearest first = {.typed = argv[0]};

    if (hf_cli_help_group(cli, cli->err, argv[0]))
        return HF_EXIT_USAGE;
    for (size_t i = 0; i < hf_cli_n_commands; i++) {
        hf_cli_nearest_try(&nearest, hf_cli_commands[i].name);
        hf_cli_nearest_try(&first, hf_cli_commands[i].name);
    }
    const char *best = nearest.best != NULL ? nearest.best : first.best;
    (void)fprintf(cli->err, "%s: unknown command '%s'", cli->program, argv[0]);
    if (best != NULL)
        (void)fprintf(cli->err, "; did you mean '%s'?", best);
    (void)fprintf(cli->err, "\ntry: %s help\n", cli->program);
    return HF_EXIT_USAGE;
}

/* What was printed has reached its reader, or the command failed: a full disk behind `> file` is no success. */
static int finish(struct hf_cli *cli, const char *command, int code)
{
    struct hf_err err = HF_ERR_INIT;

    hf_cli_progress_end(cli);
    if (fflush(cli->out) != 0 || ferror(cli->out) != 0) {
        int r = hf_err_sys(&err, errno != 0 ? -errno : -EIO, "write standard output");
        return complain(cli, command, r, &err);
    }
    return code;
}

static bool asks_for_help(const char *const *argv, size_t n)
{
    for (size_t i = 0; i < n && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

static int run(struct hf_cli *cli, const char *const *argv, size_t n)
{
    const char *words[HF_CLI_MAX_WORDS + 1];
    struct hf_err err = HF_ERR_INIT;
    struct hf_cli_args args;
    size_t used = 0;

    if (n > HF_CLI_MAX_WORDS)
        return complain(cli, "", hf_err_set(&err, EINVAL, "more than %d arguments", HF_CLI_MAX_WORDS), &err);
    const struct hf_cli_command *command = hf_cli_find(argv, n, &used);
    if (command == NULL)
        return asks_for_help(argv + 1, n - 1) && hf_cli_help_group(cli, cli->out, argv[0]) ? HF_EXIT_OK
                                                                                           : unknown(cli, argv, n);
    if (asks_for_help(argv + used, n - used)) {
        hf_cli_help_command(cli, command);
        return finish(cli, command->name, HF_EXIT_OK);
    }
    int r = hf_cli_parse(command, argv + used, n - used, words, &args, &err);
    if (r == 0)
        r = command->run(cli, &args, &err);
    if (r < 0)
        return complain(cli, command->name, r, &err);
    return finish(cli, command->name, r);
}

int hf_cli_main(struct hf_cli *cli, int argc, char **argv)
{
    static const char *const help[] = {"help"}, *const version[] = {"version"};
    const char *name = argc > 0 ? strrchr(argv[0], '/') : NULL;

    name = name != NULL ? name + 1 : argc > 0 ? argv[0] : "holdfast";
    cli->program = strcmp(name, "kubectl-holdfast") == 0 ? "kubectl holdfast" : "holdfast";
    if (argc < 2) {
        hf_cli_help_all(cli, cli->err);
        return HF_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return run(cli, help, 1);
    if (strcmp(argv[1], "--version") == 0)
        return run(cli, version, 1);
    return run(cli, (const char *const *)argv + 1, (size_t)argc - 1);
}
