/* SPDX-License-Identifier: Apache-2.0 */
#include "support/makers/signatures.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/encoding/base64.h"
#include "trust/key.h"

enum { KNOWN = 4, MAX_TEXT = 256 };

static struct known {
    char pem[MAX_TEXT];
    EVP_PKEY *key;
} known[KNOWN];
static unsigned replaced;

static void must(bool held)
{
    if (!held)
        abort();
}

static EVP_PKEY *key_of(const char *pem)
{
    for (unsigned i = 0; i < KNOWN; i++)
        if (known[i].key != NULL && strcmp(known[i].pem, pem) == 0)
            return known[i].key;
    struct known *one = &known[replaced++ % KNOWN];
    BIO *bio = BIO_new_mem_buf(pem, -1);

    must(bio != NULL && (size_t)snprintf(one->pem, MAX_TEXT, "%s", pem) < MAX_TEXT);
    EVP_PKEY_free(one->key);
    one->key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    must(one->key != NULL);
    (void)BIO_free(bio);
    return one->key;
}

static void sign(const struct hf_buf *private_pem, struct hf_view message,
                 unsigned char signature[HF_ED25519_SIGNATURE])
{
    size_t n = HF_ED25519_SIGNATURE;
    EVP_MD_CTX *digest = EVP_MD_CTX_new();

    must(digest != NULL && EVP_DigestSignInit(digest, NULL, NULL, NULL, key_of(hf_buf_str(private_pem))) == 1);
    must(EVP_DigestSign(digest, signature, &n, (const unsigned char *)message.p, message.n) == 1);
    EVP_MD_CTX_free(digest);
}

json_t *signatures_by(const char *key_id, const struct hf_buf *private_pem, struct hf_view message)
{
    _cleanup_(hf_buf_done) struct hf_buf base64 = HF_BUF_INIT(256);
    unsigned char signature[HF_ED25519_SIGNATURE];

    sign(private_pem, message, signature);
    must(hf_base64_encode(signature, sizeof(signature), &base64) == 0);
    json_t *made = json_pack("[{s:s, s:s}]", "keyId", key_id, "signature", hf_buf_str(&base64));
    must(made != NULL);
    return made;
}

void signatures_prepare(const struct hf_buf *private_pem, const struct hf_buf *public_pem)
{
    const struct hf_view message = {"", 0};
    unsigned char signature[HF_ED25519_SIGNATURE];

    sign(private_pem, message, signature);
    must(hf_trust_verify(hf_buf_str(public_pem), message, signature, NULL) == 0);
}
