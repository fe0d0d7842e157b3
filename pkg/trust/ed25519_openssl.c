/* SPDX-License-Identifier: Apache-2.0 */
/* ed25519 by OpenSSL, and what only whoever signs needs: private keys, and keys in any form of PEM. */
#include "trust/ed25519.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "trust/pem.h"

static void key_freep(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void bio_freep(BIO **bio)
{
    (void)BIO_free(*bio);
}

static void digest_freep(EVP_MD_CTX **digest)
{
    EVP_MD_CTX_free(*digest);
}

/* Without this, OpenSSL asks for a password on the terminal. */
static int no_password(HF_UNUSED char *text, HF_UNUSED int n, HF_UNUSED int write, HF_UNUSED void *arg)
{
    return -1;
}

bool hf_trust_read_any(const char *pem, unsigned char raw[HF_ED25519_PUBLIC])
{
    _cleanup_(bio_freep) BIO *bio = BIO_new_mem_buf(pem, -1);
    _cleanup_(key_freep) EVP_PKEY *key = bio != NULL ? PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL) : NULL;
    size_t n = HF_ED25519_PUBLIC;

    bool ok = key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 &&
              EVP_PKEY_get_raw_public_key(key, raw, &n) == 1 && n == HF_ED25519_PUBLIC;

    ERR_clear_error();
    return ok;
}

int hf_trust_verify_raw(const unsigned char raw[HF_ED25519_PUBLIC], struct hf_view message,
                        const unsigned char signature[HF_ED25519_SIGNATURE], struct hf_err *err)
{
    _cleanup_(key_freep) EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, HF_ED25519_PUBLIC);
    _cleanup_(digest_freep) EVP_MD_CTX *digest = EVP_MD_CTX_new();

    if (digest == NULL || key == NULL || EVP_DigestVerifyInit(digest, NULL, NULL, NULL, key) != 1) {
        ERR_clear_error();
        return hf_err_set(err, ENOMEM, "cannot check a signature");
    }
    if (EVP_DigestVerify(digest, signature, HF_ED25519_SIGNATURE, (const unsigned char *)message.p, message.n) == 1)
        return 0;
    ERR_clear_error();
    return hf_err_set(err, EKEYREJECTED, "the signature does not verify");
}

static int read_private(const char *pem, EVP_PKEY **ret_key, struct hf_err *err)
{
    _cleanup_(bio_freep) BIO *bio = BIO_new_mem_buf(pem, -1);
    _cleanup_(key_freep) EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;

    if (key == NULL || EVP_PKEY_get_base_id(key) != EVP_PKEY_ED25519) {
        ERR_clear_error();
        return hf_trust_pem_refuse(err, pem, "a private key (ed25519, PEM, no password)");
    }
    *ret_key = hf_steal(key);
    return 0;
}

int hf_trust_sign(const char *private_pem, struct hf_view message, unsigned char signature[HF_ED25519_SIGNATURE],
                  struct hf_err *err)
{
    _cleanup_(key_freep) EVP_PKEY *key = NULL;
    _cleanup_(digest_freep) EVP_MD_CTX *digest = EVP_MD_CTX_new();
    unsigned char made[HF_ED25519_SIGNATURE];
    size_t n = sizeof(made);
    int r = read_private(private_pem, &key, err);

    if (r < 0)
        return r;
    if (digest == NULL || EVP_DigestSignInit(digest, NULL, NULL, NULL, key) != 1 ||
        EVP_DigestSign(digest, made, &n, (const unsigned char *)message.p, message.n) != 1 || n != sizeof(made)) {
        ERR_clear_error();
        return hf_err_set(err, EIO, "signing failed");
    }
    memcpy(signature, made, sizeof(made));
    return 0;
}

/* The private text passes through memory that OpenSSL wipes when it frees it. */
static int write_pem(const EVP_PKEY *key, bool private_part, struct hf_buf *out, struct hf_err *err)
{
    _cleanup_(bio_freep) BIO *bio = BIO_new(BIO_s_secmem());
    char *text = NULL;
    int written = 0;

    if (bio != NULL)
        written = private_part ? PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL)
                               : PEM_write_bio_PUBKEY(bio, key);
    long n = written == 1 ? BIO_get_mem_data(bio, &text) : -1;
    if (n <= 0) {
        ERR_clear_error();
        return hf_err_set(err, ENOMEM, "cannot write a key");
    }
    int r = hf_buf_add(out, text, (size_t)n);
    return r < 0 ? hf_err_set(err, -r, "not enough memory for a key") : 0;
}

int hf_trust_generate(struct hf_buf *private_pem, struct hf_buf *public_pem, struct hf_err *err)
{
    _cleanup_(key_freep) EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

    if (key == NULL) {
        ERR_clear_error();
        return hf_err_set(err, EIO, "cannot get random numbers for a key");
    }
    int r = write_pem(key, true, private_pem, err);
    return r < 0 ? r : write_pem(key, false, public_pem, err);
}

int hf_trust_public_of(const char *private_pem, struct hf_buf *public_pem, struct hf_err *err)
{
    _cleanup_(key_freep) EVP_PKEY *key = NULL;
    int r = read_private(private_pem, &key, err);

    return r < 0 ? r : write_pem(key, false, public_pem, err);
}
