/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast-agent: flags in, process out. */
#include <stdio.h>
#include <stdlib.h>

#include "agent/features.h"
#include "agent/process/check_ready.h"
#include "agent/process/configuration.h"
#include "agent/process/first_install.h"
#include "agent/process/host_life.h"
#include "agent/process/process.h"
#include "codec/json.h"
#include "os/fd.h"
#include "os/fs_posix.h"

static const char *get_environment(const char *name)
{
    return getenv(name);
}

static int print_help(void)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(16384);

    if (hf_agent_options_help(&text) < 0 || fputs(hf_buf_str(&text), stdout) == EOF)
        return HF_EXIT_FAILED;
    return HF_EXIT_OK;
}

static int print_version(void)
{
    int r = printf("holdfast-agent %s\n", HF_VERSION);

    for (enum hf_feature feature = 0; r > 0 && feature < HF_FEATURES; feature++)
        if (!hf_feature_has(feature, NULL))
            r = printf("without %s\n", hf_feature_name(feature));
    return r > 0 ? HF_EXIT_OK : HF_EXIT_FAILED;
}

int main(int argc, char **argv)
{
    _cleanup_(hf_agent_options_done) struct hf_agent_options options = {.n_owned = 0};
    struct hf_err err = HF_ERR_INIT;

    hf_fd_hold_standard();
    if (hf_agent_options_parse(argc, argv, get_environment, &options, &err) < 0) {
        (void)fprintf(stderr, "holdfast-agent: %s\n", HF_ERR_TEXT(&err));
        return HF_EXIT_USAGE;
    }
    if (options.action == HF_OPTIONS_HELP)
        return print_help();
    if (options.action == HF_OPTIONS_VERSION)
        return print_version();
    if (options.action == HF_OPTIONS_CHECK_CONFIG)
        return hf_agent_configuration_check(&options, hf_fs_posix(), stdout, stderr);
    if (options.action == HF_OPTIONS_CHECK_READY)
        return hf_check_ready_run(&options, stdout, stderr);
    if (options.action == HF_OPTIONS_FIRST_INSTALL)
        return hf_first_install_run(&options, hf_fs_posix(), stdout, stderr);
    if (options.action == HF_OPTIONS_INSTALL_HOST)
        return hf_host_life_install(&options, argc, argv);
    hf_json_wipe_freed();
    if (options.host.life == HF_HOSTLIFE_AUTO || options.host.life == HF_HOSTLIFE_HOST)
        return hf_host_life_run(&options, argc, argv);
    return hf_agent_process(&options);
}
