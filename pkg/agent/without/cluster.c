/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/features.h"
#include "agent/identity/client_certificate.h"
#include "agent/identity/kubelet_identity.h"
#include "kube/call.h"
#include "kube/upstream.h"

#include <errno.h>

HF_FEATURE_LEFT_OUT(cluster);

/* No source but a folder: the process ends here. */
struct hf_upstream *hf_upstream_new(HF_UNUSED const struct hf_upstream_params *params, struct hf_err *err)
{
    (void)hf_feature_has(HF_FEATURE_CLUSTER, err);
    (void)hf_err_wrap(err, -ENOSYS, "no --source");
    return NULL;
}

void hf_upstream_free(HF_UNUSED struct hf_upstream *upstream)
{
}

const struct hf_source_ops *hf_upstream_source(HF_UNUSED struct hf_upstream *upstream)
{
    return NULL;
}

struct hf_kube *hf_upstream_kube(HF_UNUSED struct hf_upstream *upstream)
{
    return NULL;
}

const struct hf_http_ops *hf_upstream_kubelet(HF_UNUSED struct hf_upstream *upstream, HF_UNUSED const char *node_name)
{
    return NULL;
}

int hf_upstream_use_certificate(HF_UNUSED struct hf_upstream *upstream, HF_UNUSED const char *certificate_pem,
                                HF_UNUSED const char *key_pem, HF_UNUSED struct hf_err *err)
{
    return 0;
}

bool hf_upstream_has_files(HF_UNUSED const struct hf_upstream *upstream)
{
    return false;
}

void hf_upstream_reload(HF_UNUSED struct hf_upstream *upstream)
{
}

void hf_upstream_follow(HF_UNUSED struct hf_upstream *upstream, HF_UNUSED uint64_t retry_cap_ns,
                        HF_UNUSED uint64_t max_skew_ns)
{
}

struct hf_http_traffic hf_upstream_traffic(HF_UNUSED const struct hf_upstream *upstream)
{
    return (struct hf_http_traffic){.sent_bytes = 0};
}

void hf_upstream_nudge(HF_UNUSED struct hf_upstream *upstream)
{
}

/* ---- calls: nobody has a client for them ------------------------------------------------------------------------- */

bool hf_kube_is_metaserver(HF_UNUSED const struct hf_kube *kube)
{
    return false;
}

const struct hf_source_ops *hf_kube_source(HF_UNUSED struct hf_kube *kube)
{
    return NULL;
}

int hf_kube_follow(HF_UNUSED struct hf_kube *kube, HF_UNUSED const char *kind, HF_UNUSED const char *ns,
                   HF_UNUSED const char *name, HF_UNUSED const struct hf_source_sink *sink,
                   HF_UNUSED struct hf_subscription **ret_subscription, struct hf_err *err)
{
    (void)hf_feature_has(HF_FEATURE_CLUSTER, err);
    return -ENOSYS;
}

int hf_kube_call_send(HF_UNUSED struct hf_kube *kube, HF_UNUSED const struct hf_kube_call *call,
                      HF_UNUSED hf_kube_call_done *done, HF_UNUSED void *arg,
                      HF_UNUSED struct hf_kube_pending **ret_pending, struct hf_err *err)
{
    (void)hf_feature_has(HF_FEATURE_CLUSTER, err);
    return -ENOSYS;
}

void hf_kube_call_cancel(HF_UNUSED struct hf_kube_pending *pending)
{
}

/* ---- certificates ------------------------------------------------------------------------------------------------ */

int hf_kubelet_identity_use(HF_UNUSED const struct hf_fs_ops *fs, HF_UNUSED const char *where,
                            HF_UNUSED const char *node_name, HF_UNUSED struct hf_upstream *upstream,
                            HF_UNUSED struct hf_err *err)
{
    return -ENOENT;
}

int hf_client_certificate_new(HF_UNUSED const struct hf_client_certificate_params *params,
                              HF_UNUSED struct hf_client_certificate **ret_certificate, struct hf_err *err)
{
    (void)hf_feature_has(HF_FEATURE_CLUSTER, err);
    return -ENOSYS;
}

void hf_client_certificate_free(HF_UNUSED struct hf_client_certificate *certificate)
{
}

void hf_client_certificate_refused(HF_UNUSED struct hf_client_certificate *certificate)
{
}

void hf_client_certificate_credential(HF_UNUSED struct hf_client_certificate *certificate)
{
}

void hf_client_certificate_node(HF_UNUSED struct hf_client_certificate *certificate, HF_UNUSED const char *uid)
{
}

void hf_client_certificate_check(HF_UNUSED struct hf_client_certificate *certificate)
{
}

const char *hf_client_certificate_problem(HF_UNUSED const struct hf_client_certificate *certificate,
                                          HF_UNUSED bool *ret_valid, HF_UNUSED const char **ret_reason)
{
    return NULL;
}
