/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast (also kubectl-holdfast): the operator's command line. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "os/clock_posix.h"
#include "os/fd.h"
#include "os/fs_posix.h"

/* https://no-color.org, and terminals without colours. */
static bool wants_colour(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(STDOUT_FILENO) == 1 && (no == NULL || no[0] == '\0') && term != NULL && strcmp(term, "dumb") != 0;
}

int main(int argc, char **argv)
{
    hf_fd_hold_standard();
    struct hf_cli cli = {
        .out = stdout,
        .err = stderr,
        .in_fd = STDIN_FILENO,
        .out_fd = STDOUT_FILENO,
        .terminal = isatty(STDERR_FILENO) == 1,
        .out_terminal = isatty(STDOUT_FILENO) == 1,
        .colour = wants_colour(),
        .fs = hf_fs_posix(),
        .clock = hf_clock_posix(),
    };

    return hf_cli_main(&cli, argc, argv);
}
