/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/process/first_install.h"
#include "agent/process/host_condition.h"
#include "agent/process/host_life.h"
#include "agent/process/process.h"
#include "agent/process/supervised.h"
#include "agent/without/without.h"

HF_FEATURE_LEFT_OUT(host);

static int refuse(FILE *faults)
{
    struct hf_err err = HF_ERR_INIT;

    (void)hf_feature_has(HF_FEATURE_HOST, &err);
    (void)fprintf(faults, "holdfast-agent: %s\n", err.cause);
    return HF_EXIT_USAGE;
}

int hf_host_life_install(const struct hf_agent_options *options, int argc, char *const *argv)
{
    return refuse(stderr);
}

int hf_host_life_run(const struct hf_agent_options *options, int argc, char *const *argv)
{
    return refuse(stderr);
}

int hf_first_install_run(const struct hf_agent_options *options, const struct hf_fs_ops *fs, FILE *out, FILE *faults)
{
    return refuse(faults);
}

void hf_host_condition(const struct hf_agent_options *options, struct hf_status_finding *ret_condition,
                       char message[HF_HOSTLIFE_TEXT])
{
    *ret_condition = (struct hf_status_finding){.reason = NULL};
}

HF_FEATURE_RETURNS(int hf_supervised_take_fd(void), -1);
HF_FEATURE_EMPTY(hf_supervised,
                 struct hf_supervised *hf_supervised_new(const struct hf_supervised_params *params, int fd));
HF_FEATURE_NOTHING(hf_supervised_free(struct hf_supervised *supervised));
HF_FEATURE_NOTHING(hf_supervised_alive(struct hf_supervised *supervised));
HF_FEATURE_NOTHING(hf_supervised_ready(struct hf_supervised *supervised));
HF_FEATURE_RETURNS(const struct hf_life_ops *hf_supervised_life(const struct hf_supervised *supervised), NULL);
