/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/process/host_condition.h"

#include <stdio.h>
#include <stdlib.h>

#include "os/fs_posix.h"

struct hf_hostlife_place hf_host_condition_place(const struct hf_agent_options *options)
{
    return (struct hf_hostlife_place){.fs = hf_fs_posix(),
                                      .state_dir = options->state_dir,
                                      .unit_dir = HF_HOSTLIFE_UNIT_DIR,
                                      .image_dir = HF_HOSTLIFE_IMAGE_DIR,
                                      .run_dir = HF_HOSTLIFE_RUN_DIR,
                                      .bin_dir = HF_HOSTLIFE_BIN_DIR};
}

void hf_host_condition(const struct hf_agent_options *options, struct hf_status_host_life *ret_condition,
                       char message[HF_HOSTLIFE_TEXT])
{
    const struct hf_hostlife_place place = hf_host_condition_place(options);
    struct hf_hostlife_decision decision = {.act = HF_HOSTLIFE_STAY_POD};
    enum hf_hostlife_reason reason = HF_HOSTLIFE_NO_REASON;

    if (getenv(HF_HOST_CONDITION_VARIABLE) != NULL)
        reason = HF_HOSTLIFE_R_GONE;
    else if (!options->pod_mode)
        reason = hf_hostlife_prove(&place);
    else if (options->host.life == HF_HOSTLIFE_AUTO)
        reason = hf_hostlife_decision_load(&place, &decision, NULL) == 0 ? decision.reason : HF_HOSTLIFE_R_FAILED;
    (void)snprintf(message, HF_HOSTLIFE_TEXT, "%.200s%s%.90s", hf_hostlife_reason_message(reason),
                   decision.message[0] != '\0' ? ": " : "", decision.message);
    *ret_condition =
        (struct hf_status_host_life){.on_host = hf_hostlife_reason_is_on_host(reason),
                                     .reason = reason != HF_HOSTLIFE_NO_REASON ? hf_hostlife_reason_name(reason) : NULL,
                                     .message = message};
}
