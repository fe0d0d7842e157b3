/* SPDX-License-Identifier: Apache-2.0 */
/* What a credential plugin prints: refused with a reason that quotes no secret, or a token, or a certificate with its
 * key. */
#include <stdlib.h>
#include <string.h>

#include "cli/fleet/plugin.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char *const versions[] = {"client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"};

    for (size_t i = 0; i < HF_LEN(versions); i++) {
        struct hf_plugin_credential credential = {.token = NULL};
        struct hf_err err = HF_ERR_INIT;
        if (hf_plugin_parse((struct hf_view){(const char *)bytes, n}, versions[i], &credential, &err) < 0) {
            if (err.code == 0 || err.cause[0] == '\0' || credential.token != NULL || credential.key_pem != NULL)
                abort();
            continue;
        }
        if ((credential.cert_pem == NULL) != (credential.key_pem == NULL) ||
            (credential.token == NULL && credential.cert_pem == NULL))
            abort();
        if (credential.token != NULL && strpbrk(credential.token, "\r\n") != NULL) /* it becomes a header */
            abort();
        hf_plugin_done(&credential);
    }
    return 0;
}
