/* SPDX-License-Identifier: Apache-2.0 */
/* Gives the host's agent the pod's access to the API server: <state>/host/pod/ with kubeconfig, token and ca.crt, mode
 * 0600. The kubelet renews the pod's token; the agent rereads the files each minute. Blocks. Threads: one at a time. */
#pragma once

#include "host/place.h"

#define HF_HOSTLIFE_SERVICE_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"
#define HF_HOSTLIFE_POD_DIR "pod" /* in <state>/host/ */

/* Writes the files that change. `account`: folder of the pod's service account. -ENOENT: that folder lacks a file. */
HF_MUST_USE int hf_hostlife_credentials_sync(const struct hf_hostlife_place *place, const char *account,
                                             const char *server, struct hf_err *err);
