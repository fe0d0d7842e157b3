/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <errno.h>
#include <string.h>

#include "api/field/nearest.h"
#include "base/buf.h"
#include "cli/args.h"
#include "cli/help.h"

/* "delta inof": the second word is not a command of the group. */
static int unknown_of_group(struct hf_cli *cli, const char *const *argv, size_t n)
{
    size_t group = strlen(argv[0]);
    struct hf_nearest nearest = {.typed = n > 1 ? argv[1] : ""};

    for (size_t i = 0; i < cli->n_commands; i++) {
        const char *name = cli->commands[i].name;
        if (strncmp(name, argv[0], group) == 0 && name[group] == ' ')
            hf_nearest_try(&nearest, name + group + 1);
    }
    if (n > 1)
        (void)fprintf(cli->err, "%s: unknown command '%s %s'", cli->program, argv[0], argv[1]);
    if (n > 1 && nearest.best != NULL)
        (void)fprintf(cli->err, "; did you mean '%s %s'?", argv[0], nearest.best);
    if (n > 1)
        (void)fprintf(cli->err, "\n");
    (void)hf_cli_help_group(cli, cli->err, argv[0]);
    return HF_EXIT_USAGE;
}

/* Reports an unknown command. The first word may be a group ("delta") or a typing error. */
static int unknown(struct hf_cli *cli, const char *const *argv, size_t n)
{
    _cleanup_(hf_freep) char *two = n > 1 ? hf_asprintf("%s %s", argv[0], argv[1]) : NULL;
    struct hf_nearest nearest = {.typed = two != NULL ? two : argv[0]};
    struct hf_nearest first = {.typed = argv[0]};

    if (hf_cli_is_group(cli, argv[0]))
        return unknown_of_group(cli, argv, n);
    for (size_t i = 0; i < cli->n_commands; i++) {
        hf_nearest_try(&nearest, cli->commands[i].name);
        hf_nearest_try(&first, cli->commands[i].name);
    }
    const char *best = nearest.best != NULL ? nearest.best : first.best;
    (void)fprintf(cli->err, "%s: unknown command '%s'", cli->program, argv[0]);
    if (best != NULL)
        (void)fprintf(cli->err, "; did you mean '%s'?", best);
    (void)fprintf(cli->err, "\ntry: %s help\n", cli->program);
    return HF_EXIT_USAGE;
}

static int run(struct hf_cli *cli, const char *const *argv, size_t n)
{
    struct hf_err err = HF_ERR_INIT;
    size_t used = 0;

    if (n > HF_CLI_MAX_WORDS)
        return hf_cli_complain(cli, "", hf_err_set(&err, EINVAL, "more than %d arguments", HF_CLI_MAX_WORDS), &err);
    const struct hf_cli_command *command = hf_cli_find(cli, argv, n, &used);
    if (command == NULL)
        return hf_cli_asks_for_help(NULL, argv + 1, n - 1) && hf_cli_help_group(cli, cli->out, argv[0])
                   ? hf_cli_finish(cli, "", HF_EXIT_OK)
                   : unknown(cli, argv, n);
    if (hf_cli_asks_for_help(command->options, argv + used, n - used)) {
        hf_cli_help_command(cli, command);
        return hf_cli_finish(cli, command->name, HF_EXIT_OK);
    }
    return hf_cli_run(cli, command, argv + used, n - used);
}

int hf_cli_main(struct hf_cli *cli, int argc, char **argv)
{
    static const char *const help[] = {"help"}, *const version[] = {"version"};

    cli->program = hf_cli_program(argc, argv);
    cli->commands = hf_cli_commands;
    cli->n_commands = hf_cli_n_commands;
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
