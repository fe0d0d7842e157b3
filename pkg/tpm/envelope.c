/* SPDX-License-Identifier: Apache-2.0 */
#include "tpm/envelope.h"

#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

/* nonce, ciphertext, tag */
enum { NONCE = 12, TAG = 16 };
_Static_assert(NONCE + TAG == HF_TPM_ENVELOPE_OVERHEAD, "the header promises this size");

static void cipher_freep(EVP_CIPHER_CTX **cipher)
{
    EVP_CIPHER_CTX_free(*cipher); /* overwrites the key */
}

int hf_tpm_envelope_key(unsigned char key[HF_TPM_ENVELOPE_KEY], struct hf_err *err)
{
    return RAND_bytes(key, HF_TPM_ENVELOPE_KEY) == 1 ? 0 : hf_err_set(err, EIO, "no random bytes for a key");
}

int hf_tpm_envelope_seal(const unsigned char key[HF_TPM_ENVELOPE_KEY], struct hf_view context, struct hf_view content,
                         struct hf_buf *out, struct hf_err *err)
{
    _cleanup_(cipher_freep) EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    unsigned char nonce[NONCE];
    int n = 0, last = 0;

    if (content.n > INT_MAX || context.n > INT_MAX)
        return hf_err_set(err, E2BIG, "the content is too large");
    int r = hf_buf_reserve(out, content.n + HF_TPM_ENVELOPE_OVERHEAD);
    if (r < 0 || cipher == NULL)
        return hf_err_sys(err, r < 0 ? r : -ENOMEM, "encrypt");
    unsigned char *to = (unsigned char *)out->p + out->n;
    if (RAND_bytes(nonce, NONCE) != 1 || EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, nonce) != 1 ||
        EVP_EncryptUpdate(cipher, NULL, &n, (const unsigned char *)context.p, (int)context.n) != 1 ||
        EVP_EncryptUpdate(cipher, to + NONCE, &n, (const unsigned char *)content.p, (int)content.n) != 1 ||
        EVP_EncryptFinal_ex(cipher, to + NONCE + n, &last) != 1 ||
        EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, TAG, to + NONCE + content.n) != 1)
        return hf_err_set(err, EIO, "OpenSSL cannot encrypt");
    memcpy(to, nonce, NONCE);
    out->n += content.n + HF_TPM_ENVELOPE_OVERHEAD;
    out->p[out->n] = '\0';
    return 0;
}

int hf_tpm_envelope_open(const unsigned char key[HF_TPM_ENVELOPE_KEY], struct hf_view context, struct hf_view envelope,
                         unsigned char *content, size_t *ret_n, struct hf_err *err)
{
    _cleanup_(cipher_freep) EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    const unsigned char *from = (const unsigned char *)envelope.p;
    unsigned char tag[TAG];
    int n = 0, last = 0;

    if (cipher == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    if (envelope.n < HF_TPM_ENVELOPE_OVERHEAD || envelope.n > INT_MAX || context.n > INT_MAX)
        return hf_err_set(err, EBADMSG, "the encrypted content is damaged");
    size_t size = envelope.n - HF_TPM_ENVELOPE_OVERHEAD;
    memcpy(tag, from + NONCE + size, TAG);
    if (EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, from) == 1 &&
        EVP_DecryptUpdate(cipher, NULL, &n, (const unsigned char *)context.p, (int)context.n) == 1 &&
        EVP_DecryptUpdate(cipher, content, &n, from + NONCE, (int)size) == 1 &&
        EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, TAG, tag) == 1 &&
        EVP_DecryptFinal_ex(cipher, content + n, &last) == 1) {
        *ret_n = size;
        return 0;
    }
    explicit_bzero(content, envelope.n);
    return hf_err_set(err, EBADMSG, "the encrypted content is damaged, or belongs to another node, entry or version");
}
