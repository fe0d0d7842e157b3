/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/process/host_condition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/credentials.h"
#include "host/facts.h"
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

/* The kubelet revokes the pod's token with the pod, and nobody renews the file. */
static bool ends_with_the_pod(const struct hf_agent_options *options, const struct hf_hostlife_place *place)
{
    char path[PATH_MAX];

    return options->identity.dir == NULL && options->kubeconfig != NULL &&
           strcmp(options->kubeconfig, hf_hostlife_path(place, HF_HOSTLIFE_POD_DIR "/kubeconfig", path)) == 0;
}

/* Root runs the programs in the folder: one that others may write to is no home, also after the installation. */
static enum hf_hostlife_reason prove(const struct hf_hostlife_place *place)
{
    enum hf_hostlife_reason reason = hf_hostlife_prove(place);

    return hf_hostlife_reason_is_on_host(reason) && hf_hostlife_is_open(place) ? HF_HOSTLIFE_R_OPEN_FOLDER : reason;
}

void hf_host_condition(const struct hf_agent_options *options, struct hf_status_finding *ret_condition,
                       char message[HF_HOSTLIFE_TEXT])
{
    const struct hf_hostlife_place place = hf_host_condition_place(options);
    struct hf_hostlife_decision decision = {.act = HF_HOSTLIFE_STAY_POD};
    enum hf_hostlife_reason reason = HF_HOSTLIFE_NO_REASON;

    if (getenv(HF_HOST_CONDITION_VARIABLE) != NULL)
        reason = HF_HOSTLIFE_R_GONE;
    else if (!options->pod_mode)
        reason = prove(&place);
    else if (options->host.life == HF_HOSTLIFE_AUTO)
        reason = hf_hostlife_decision_load(&place, &decision, NULL) == 0 ? decision.reason : HF_HOSTLIFE_R_FAILED;
    if (hf_hostlife_reason_is_on_host(reason) && ends_with_the_pod(options, &place))
        (void)snprintf(decision.message, sizeof(decision.message),
                       "its credential is the pod's token, which ends with the DaemonSet: set certificates.enabled");
    (void)snprintf(message, HF_HOSTLIFE_TEXT, "%.180s%s%.110s", hf_hostlife_reason_message(reason),
                   decision.message[0] != '\0' ? ": " : "", decision.message);
    *ret_condition =
        (struct hf_status_finding){.good = hf_hostlife_reason_is_on_host(reason),
                                   .reason = reason != HF_HOSTLIFE_NO_REASON ? hf_hostlife_reason_name(reason) : NULL,
                                   .message = message};
}
