/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/identity/client_certificate.h"
#include "agent/identity/kubelet_identity.h"
#include "agent/without/without.h"
#include "kube/call.h"
#include "kube/upstream.h"

#include <errno.h>

HF_FEATURE_LEFT_OUT(cluster);

/* No source but a folder: the process ends here. */
struct hf_upstream *hf_upstream_new(const struct hf_upstream_params *params, struct hf_err *err)
{
    (void)hf_feature_has(HF_FEATURE_CLUSTER, err);
    (void)hf_err_wrap(err, -ENOSYS, "no --source");
    return NULL;
}

HF_FEATURE_NOTHING(hf_upstream_free(struct hf_upstream *upstream));
HF_FEATURE_RETURNS(const struct hf_source_ops *hf_upstream_source(struct hf_upstream *upstream), NULL);
HF_FEATURE_RETURNS(struct hf_kube *hf_upstream_kube(struct hf_upstream *upstream), NULL);
HF_FEATURE_RETURNS(const struct hf_http_ops *hf_upstream_kubelet(struct hf_upstream *upstream, const char *node_name),
                   NULL);
HF_FEATURE_RETURNS(int hf_upstream_use_certificate(struct hf_upstream *upstream, const char *certificate_pem,
                                                   const char *key_pem, struct hf_err *err),
                   0);
HF_FEATURE_RETURNS(bool hf_upstream_has_files(const struct hf_upstream *upstream), false);
HF_FEATURE_NOTHING(hf_upstream_reload(struct hf_upstream *upstream));
HF_FEATURE_NOTHING(hf_upstream_follow(struct hf_upstream *upstream, uint64_t retry_cap_ns, uint64_t max_skew_ns));
HF_FEATURE_RETURNS(struct hf_http_traffic hf_upstream_traffic(const struct hf_upstream *upstream),
                   (struct hf_http_traffic){.sent_bytes = 0});
HF_FEATURE_NOTHING(hf_upstream_nudge(struct hf_upstream *upstream));

/* ---- calls: nobody has a client for them ------------------------------------------------------------------------- */

HF_FEATURE_RETURNS(bool hf_kube_is_metaserver(const struct hf_kube *kube), false);
HF_FEATURE_RETURNS(const struct hf_source_ops *hf_kube_source(struct hf_kube *kube), NULL);

int hf_kube_follow(struct hf_kube *kube, const char *kind, const char *ns, const char *name,
                   const struct hf_source_sink *sink, struct hf_subscription **ret_subscription, struct hf_err *err)
{
    (void)hf_feature_has(HF_FEATURE_CLUSTER, err);
    return -ENOSYS;
}

int hf_kube_call_send(struct hf_kube *kube, const struct hf_kube_call *call, hf_kube_call_done *done, void *arg,
                      struct hf_kube_pending **ret_pending, struct hf_err *err)
{
    (void)hf_feature_has(HF_FEATURE_CLUSTER, err);
    return -ENOSYS;
}

HF_FEATURE_NOTHING(hf_kube_call_cancel(struct hf_kube_pending *pending));

/* ---- certificates ------------------------------------------------------------------------------------------------ */

HF_FEATURE_RETURNS(int hf_kubelet_identity_use(const struct hf_fs_ops *fs, const char *where, const char *node_name,
                                               struct hf_upstream *upstream, struct hf_err *err),
                   -ENOENT);

int hf_client_certificate_new(const struct hf_client_certificate_params *params,
                              struct hf_client_certificate **ret_certificate, struct hf_err *err)
{
    (void)hf_feature_has(HF_FEATURE_CLUSTER, err);
    return -ENOSYS;
}

HF_FEATURE_NOTHING(hf_client_certificate_free(struct hf_client_certificate *certificate));
HF_FEATURE_NOTHING(hf_client_certificate_refused(struct hf_client_certificate *certificate));
HF_FEATURE_NOTHING(hf_client_certificate_credential(struct hf_client_certificate *certificate));
HF_FEATURE_NOTHING(hf_client_certificate_node(struct hf_client_certificate *certificate, const char *uid));
HF_FEATURE_NOTHING(hf_client_certificate_check(struct hf_client_certificate *certificate));
HF_FEATURE_RETURNS(const char *hf_client_certificate_problem(const struct hf_client_certificate *certificate,
                                                             bool *ret_valid, const char **ret_reason),
                   NULL);
