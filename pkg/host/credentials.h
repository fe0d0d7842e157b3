/* SPDX-License-Identifier: Apache-2.0 */
/* Gives the agent on the host what the pod has to reach the API server: <state>/host/pod/ kubeconfig, token and ca.crt,
 * 0600. The kubelet renews the pod's token; the agent reads these files again each minute. Blocks. Threads: one at a
 * time. */
#pragma once

#include "host/place.h"

#define HF_HOSTLIFE_SERVICE_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"
#define HF_HOSTLIFE_POD_DIR "pod" /* below host/: what the pod writes while it watches */

/* Writes what has changed. `account`: folder of the pod's service account; `server`: URL. -ENOENT: there is none. */
HF_MUST_USE int hf_hostlife_credentials_sync(const struct hf_hostlife_place *place, const char *account,
                                             const char *server, struct hf_err *err);
