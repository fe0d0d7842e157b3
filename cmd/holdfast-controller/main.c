/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast-controller: flags in, process out. */
#include <stdio.h>
#include <stdlib.h>

#include "controller/process/process.h"
#include "os/fd.h"

static const char *get_environment(const char *name)
{
    return getenv(name);
}

static int print_help(void)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(16384);

    if (hf_controller_options_help(&text) < 0 || fputs(hf_buf_str(&text), stdout) == EOF)
        return HF_CONTROLLER_EXIT_FAILED;
    return HF_CONTROLLER_EXIT_OK;
}

int main(int argc, char **argv)
{
    struct hf_controller_options options;
    struct hf_err err = HF_ERR_INIT;

    hf_fd_hold_standard();
    if (hf_controller_options_parse(argc, argv, get_environment, &options, &err) < 0) {
        (void)fprintf(stderr, "holdfast-controller: %s\n", HF_ERR_TEXT(&err));
        return HF_CONTROLLER_EXIT_USAGE;
    }
    if (options.action == HF_CONTROLLER_HELP)
        return print_help();
    if (options.action == HF_CONTROLLER_VERSION)
        return printf("holdfast-controller %s\n", HF_VERSION) > 0 ? HF_CONTROLLER_EXIT_OK : HF_CONTROLLER_EXIT_FAILED;
    return hf_controller_process(&options);
}
