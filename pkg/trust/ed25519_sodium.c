/* SPDX-License-Identifier: Apache-2.0 */
/* ed25519 by libsodium, for agents without OpenSSL. They only verify. */
#include "trust/ed25519.h"

#include <errno.h>

/* The one function of libsodium that is used: its headers, of 60, need not be there. */
int crypto_sign_ed25519_verify_detached(const unsigned char *signature, const unsigned char *message,
                                        unsigned long long n, const unsigned char *raw);

bool hf_trust_read_any(HF_UNUSED const char *pem, HF_UNUSED unsigned char raw[HF_ED25519_PUBLIC])
{
    return false;
}

int hf_trust_verify_raw(const unsigned char raw[HF_ED25519_PUBLIC], struct hf_view message,
                        const unsigned char signature[HF_ED25519_SIGNATURE], struct hf_err *err)
{
    if (crypto_sign_ed25519_verify_detached(signature, (const unsigned char *)message.p, message.n, raw) == 0)
        return 0;
    return hf_err_set(err, EKEYREJECTED, "the signature does not verify");
}
