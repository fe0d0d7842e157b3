/* kube/api/kubeconfig.h - kubectl's configuration file (v1 Config), as far as an agent may use it. Private to pkg/kube.
 *
 * The current context's cluster and user; files relative to the kubeconfig's folder; *-data wins over the file beside it,
 * tokenFile over token, as kubectl does it. What would start a program (exec), needs a plugin (auth-provider), was removed
 * from Kubernetes (username, password) or would not be honoured (proxy-url, impersonation) is refused by name. */
#pragma once

#include "kube/kube.h"

/* Pure: the text of the file at `path` (for relative names and errors) into names and embedded data; the files that it names
 * are not read yet. -EBADMSG with the field's name. ret_config is zeroed or owned by the caller. */
HF_MUST_USE int hf_kubeconfig_parse(struct hf_view text, const char *path, struct hf_kube_config *ret_config,
                                    struct hf_err *err);
