/* SPDX-License-Identifier: Apache-2.0 */
/* A kubeconfig: refused with a reason, or a server with credentials that make sense together. */
#include "kube/api/kubeconfig.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct hf_kube_config config = {.server = NULL};
    struct hf_err err = HF_ERR_INIT;

    if (hf_kubeconfig_parse((struct hf_view){(const char *)bytes, n}, "/etc/kube/config", &config, &err) < 0) {
        if (err.code == 0 || config.server != NULL)
            abort();
        return 0;
    }
    bool cert = config.client_cert_pem != NULL || config.client_cert_file != NULL;
    bool key = config.client_key_pem != NULL || config.client_key_file != NULL;
    if (config.server == NULL || cert != key || (config.client_key_file != NULL && *config.client_key_file != '/'))
        abort();
    hf_kube_config_done(&config);
    return 0;
}
