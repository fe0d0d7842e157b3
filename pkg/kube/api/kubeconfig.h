/* kube/api/kubeconfig.h - reads kubectl's configuration file (v1 Config), as far as an agent may use it. Private to
 * pkg/kube.
 *
 * Takes the cluster and user of the current context. File names are relative to the folder of the kubeconfig; as in
 * kubectl, *-data wins over the file beside it and tokenFile over token. Refuses, with an error that names it, every
 * field that would start a program (exec), need a plugin (auth-provider), was removed from Kubernetes (username,
 * password) or would be ignored here (proxy-url, impersonation).
 *
 * Pure. Errors: 0 or -errno, *err says why. */
#pragma once

#include "kube/kube.h"

/* Parses the text of the file at `path` (for relative names and errors) into names and embedded data; does not read the
 * files that it names. -EBADMSG with the name of the field. ret_config is zeroed or owned by the caller. */
HF_MUST_USE int hf_kubeconfig_parse(struct hf_view text, const char *path, struct hf_kube_config *ret_config,
                                    struct hf_err *err);
