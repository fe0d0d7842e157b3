/* SPDX-License-Identifier: Apache-2.0 */
#include "update/rules/pod_starter.h"

#include <fnmatch.h>
#include <stddef.h>

#include "base/macros.h"

bool hf_pod_starter_is(const char *unit)
{
    /* The installer of K3s appends a name of the user's choice: k3s-NAME.service. */
    static const char *const patterns[] = {
        "kubelet.service",    "k3s.service",           "k3s-*.service",     "rke2-server.service",
        "rke2-agent.service", "k0scontroller.service", "k0sworker.service", "snap.microk8s.daemon-*.service",
        "edgecore.service",   "containerd.service",    "crio.service",      "docker.service",
        "cri-docker.service",
    };

    for (size_t i = 0; i < HF_LEN(patterns); i++)
        if (fnmatch(patterns[i], unit, 0) == 0)
            return true;
    return false;
}
