/* SPDX-License-Identifier: Apache-2.0 */
/* Gives the host's agent what the pod reaches the API server with: <state>/host/pod/ kubeconfig, token and ca.crt,
 * 0600. The kubelet renews the pod's token; the agent rereads the files each minute. Blocks. Threads: one at a time. */
#pragma once

#include "host/place.h"

#define HF_HOSTLIFE_SERVICE_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"
#define HF_HOSTLIFE_POD_DIR "pod" /* below host/; the watching pod's */

/* Writes changes. `account`: the pod's service account's folder; `server`: URL. -ENOENT: none. */
HF_MUST_USE int hf_hostlife_credentials_sync(const struct hf_hostlife_place *place, const char *account,
                                             const char *server, struct hf_err *err);
