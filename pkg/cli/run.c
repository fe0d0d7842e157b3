/* SPDX-License-Identifier: Apache-2.0 */
/* One command, from its arguments to the exit code. Does not refer to the table of commands, which holdfast-delta does
 * not link. */
#include <errno.h>
#include <string.h>

#include "cli/args.h"
#include "cli/plain.h"

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

int hf_cli_complain(struct hf_cli *cli, const char *command, int r, const struct hf_err *err)
{
    int code = hf_cli_exit_of(r);

    hf_cli_progress_end(cli);
    hf_cli_print_line(cli->err, "%s%s%s: %s", cli->program, command[0] != '\0' ? " " : "", command,
                      err->code != 0 ? HF_ERR_TEXT(err) : strerror(-r));
    if (code == HF_EXIT_USAGE)
        (void)fprintf(cli->err, "try: %s help%s%s\n", cli->program, command[0] != '\0' ? " " : "", command);
    return code;
}

int hf_cli_flush(struct hf_cli *cli, struct hf_err *err)
{
    int r = fflush(cli->out) != 0 ? -errno : ferror(cli->out) != 0 ? -EIO : 0;

    if (r == 0)
        return 0;
    (void)hf_err_sys(err, r, "write standard output");
    return -EIO;
}

int hf_cli_finish(struct hf_cli *cli, const char *command, int code)
{
    struct hf_err err = HF_ERR_INIT;

    hf_cli_progress_end(cli);
    int r = hf_cli_flush(cli, &err);
    return r < 0 ? hf_cli_complain(cli, command, r, &err) : code;
}

int hf_cli_run(struct hf_cli *cli, const struct hf_cli_command *command, const char *const *argv, size_t n)
{
    const char *words[HF_CLI_MAX_WORDS + 1];
    struct hf_err err = HF_ERR_INIT;
    struct hf_cli_args args;
    int r = hf_cli_parse(command, argv, n, words, &args, &err);

    if (r == 0)
        r = command->run(cli, &args, &err);
    if (r < 0)
        return hf_cli_complain(cli, command->name, r, &err);
    return hf_cli_finish(cli, command->name, r);
}

const char *hf_cli_program(int argc, char **argv)
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    const char *name = slash != NULL ? slash + 1 : argc > 0 ? argv[0] : "holdfast";

    return strcmp(name, "kubectl-holdfast") == 0 ? "kubectl holdfast" : "holdfast";
}
