/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast-supervisor: runs the agent of a host. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/supervise.h"

static const char usage[] =
    "usage: holdfast-supervisor --dir DIR [--hang SECONDS] [--deadline SECONDS] -- [ARGUMENT ...]\n";

static unsigned seconds(const char *text)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && value <= 86400 ? (unsigned)value : 0;
}

int main(int argc, char **argv)
{
    struct hf_supervisor_options options = {.hang_s = HF_HOST_HANG_S, .deadline_s = HF_HOST_DEADLINE_S};
    int i = 1;

    for (; i < argc - 1 && strcmp(argv[i], "--") != 0; i += 2)
        if (strcmp(argv[i], "--dir") == 0)
            options.dir = argv[i + 1];
        else if (strcmp(argv[i], "--hang") == 0)
            options.hang_s = seconds(argv[i + 1]);
        else if (strcmp(argv[i], "--deadline") == 0)
            options.deadline_s = seconds(argv[i + 1]);
        else
            break;
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return puts("holdfast-supervisor " HF_VERSION) < 0;
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return fputs(usage, stdout) < 0;
    if (i >= argc || strcmp(argv[i], "--") != 0 || options.dir == NULL || options.dir[0] != '/' ||
        options.hang_s == 0 || options.deadline_s == 0)
        return fputs(usage, stderr) < 0 ? 1 : 2;
    options.argv = argv + i; /* "--" makes room for the name of the program */
    return hf_supervisor_run(&options);
}
