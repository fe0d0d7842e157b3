/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/features.h"
#include "agent/process/first_install.h"
#include "agent/process/host_condition.h"
#include "agent/process/host_life.h"
#include "agent/process/process.h"
#include "agent/process/supervised.h"

HF_FEATURE_LEFT_OUT(host);

static int refuse(FILE *faults)
{
    struct hf_err err = HF_ERR_INIT;

    (void)hf_feature_has(HF_FEATURE_HOST, &err);
    (void)fprintf(faults, "holdfast-agent: %s\n", err.cause);
    return HF_EXIT_USAGE;
}

int hf_host_life_install(HF_UNUSED const struct hf_agent_options *options, HF_UNUSED int argc,
                         HF_UNUSED char *const *argv)
{
    return refuse(stderr);
}

int hf_host_life_run(HF_UNUSED const struct hf_agent_options *options, HF_UNUSED int argc, HF_UNUSED char *const *argv)
{
    return refuse(stderr);
}

int hf_first_install_run(HF_UNUSED const struct hf_agent_options *options, HF_UNUSED const struct hf_fs_ops *fs,
                         HF_UNUSED FILE *out, FILE *faults)
{
    return refuse(faults);
}

void hf_host_condition(HF_UNUSED const struct hf_agent_options *options, struct hf_status_finding *ret_condition,
                       HF_UNUSED char message[HF_HOSTLIFE_TEXT])
{
    *ret_condition = (struct hf_status_finding){.reason = NULL};
}

struct hf_supervised {
    char none;
};

int hf_supervised_take_fd(void)
{
    return -1;
}

struct hf_supervised *hf_supervised_new(HF_UNUSED const struct hf_supervised_params *params, HF_UNUSED int fd)
{
    static struct hf_supervised supervised;

    return &supervised;
}

void hf_supervised_free(HF_UNUSED struct hf_supervised *supervised)
{
}

void hf_supervised_alive(HF_UNUSED struct hf_supervised *supervised)
{
}

void hf_supervised_ready(HF_UNUSED struct hf_supervised *supervised)
{
}

const struct hf_life_ops *hf_supervised_life(HF_UNUSED const struct hf_supervised *supervised)
{
    return NULL;
}
