/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate request: refused, or names of plain text that end. The input is PEM, or DER that this target wraps. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding/base64.h"
#include "trust/csr_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void look(struct hf_view pem)
{
    struct hf_csr csr;
    struct hf_err err = HF_ERR_INIT;

    if (hf_csr_parse(pem, &csr, &err) < 0) {
        if (err.code == 0 || err.cause[0] == '\0')
            abort();
        return;
    }
    for (const char *c = csr.common_name; *c != '\0'; c++)
        if (*c < ' ' || *c > '~')
            abort();
    for (size_t i = 0; i < HF_CSR_ORGANIZATIONS; i++)
        if (strlen(csr.organizations[i]) >= HF_CSR_NAME ||
            (i > 0 && csr.organizations[i][0] && !csr.organizations[i - 1][0]))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    _cleanup_(hf_buf_done) struct hf_buf base64 = HF_BUF_INIT(1 << 16), pem = HF_BUF_INIT(1 << 16);

    look((struct hf_view){(const char *)bytes, n});
    if (n > HF_CSR_MAX_BYTES || hf_base64_encode(bytes, n, &base64) < 0 ||
        hf_buf_add_str(&pem, "-----BEGIN CERTIFICATE REQUEST-----\n") < 0)
        return 0;
    for (size_t at = 0; at < base64.n; at += 64)
        if (hf_buf_addf(&pem, "%.*s\n", (int)HF_MIN(base64.n - at, (size_t)64), base64.p + at) < 0)
            return 0;
    if (hf_buf_add_str(&pem, "-----END CERTIFICATE REQUEST-----\n") == 0)
        look(hf_buf_view(&pem));
    return 0;
}
