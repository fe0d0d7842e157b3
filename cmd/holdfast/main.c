/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast (also kubectl-holdfast): the operator's command line. It applies and creates deltas itself;
 * holdfast-cli does everything else. */
#include <limits.h>
#include <unistd.h>

#include "cli/front.h"
#include "os/clock_posix.h"
#include "os/fs_posix.h"

int main(int argc, char **argv)
{
    struct hf_cli cli = {
        .out = stdout,
        .err = stderr,
        .in_fd = STDIN_FILENO,
        .out_fd = STDOUT_FILENO,
        .terminal = isatty(STDERR_FILENO) == 1,
        .fs = hf_fs_posix(),
        .clock = hf_clock_posix(),
    };
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (n > 0)
        self[n] = '\0';
    return hf_cli_front_main(&cli, n > 0 ? self : NULL, argc, argv);
}
