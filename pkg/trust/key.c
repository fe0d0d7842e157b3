/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/key.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "api/field/text.h"
#include "base/encoding/base64.h"

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
static int no_password(char *text, int n, int write, void *arg)
{
    (void)text, (void)n, (void)write, (void)arg;
    return -1;
}

/* Describes the content of a file that is not the expected key, by its PEM label. Mixing up the halves of a pair is
 * the usual mistake. */
static const char *found_in(const char *pem)
{
    static const struct {
        const char *mark, *what;
    } kinds[] = {
        {"-----BEGIN ENCRYPTED PRIVATE KEY-----", "a private key with a password"},
        {"Proc-Type: 4,ENCRYPTED", "a private key with a password"},
        {"PRIVATE KEY-----", "a private key"},
        {"-----BEGIN PUBLIC KEY-----", "a public key"},
        {"-----BEGIN CERTIFICATE-----", "a certificate"},
        {"ssh-ed25519 ", "a public key in the format of OpenSSH"},
    };

    for (size_t i = 0; i < HF_LEN(kinds); i++)
        if (strstr(pem, kinds[i].mark) != NULL)
            return kinds[i].what;
    return pem[0] == '\0' ? "nothing" : "text that is not PEM";
}

enum hf_trust_half hf_trust_half_of(const char *pem)
{
    if (strstr(pem, "PRIVATE KEY-----") != NULL)
        return HF_TRUST_HALF_PRIVATE;
    return strstr(pem, "-----BEGIN PUBLIC KEY-----") != NULL ? HF_TRUST_HALF_PUBLIC : HF_TRUST_HALF_NONE;
}

/* "holds a private key; a public key (ed25519, PEM) is expected" */
static int no_key(struct hf_err *err, const char *pem, const char *expected)
{
    const char *found = found_in(pem);
    bool same = strncmp(found, expected, strlen(found)) == 0;

    ERR_clear_error();
    return hf_err_set(err, EBADMSG, "holds %s%s; %s is expected", found,
                      same ? " that is damaged or not of ed25519" : "", expected);
}

/* y coordinates, little endian, of the points whose order divides 8, with those spellings that are not reduced;
 * without the sign of x (top bit). S*B = R + h*A holds for any message if A is one of these. */
static const unsigned char small_orders[][HF_ED25519_PUBLIC] = {
    {0},
    {1},
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
     0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
     0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
    {0xec, [1 ... 30] = 0xff, 0x7f},
    {0xed, [1 ... 30] = 0xff, 0x7f},
    {0xee, [1 ... 30] = 0xff, 0x7f},
};

static bool is_small_order(const unsigned char raw[HF_ED25519_PUBLIC])
{
    unsigned char y[HF_ED25519_PUBLIC];

    memcpy(y, raw, sizeof(y));
    y[HF_ED25519_PUBLIC - 1] &= 0x7f;
    for (size_t i = 0; i < HF_LEN(small_orders); i++)
        if (memcmp(y, small_orders[i], sizeof(y)) == 0)
            return true;
    return false;
}

/* Reads the text that write_pem() and `openssl pkey -pubout` write, and no other. OpenSSL's reader takes 0.2 ms for
 * a key, because it tries every format that it knows. Returns false for any other text, which may well be a key. */
static bool read_plain(const char *pem, unsigned char raw[HF_ED25519_PUBLIC])
{
    static const char begin[] = "-----BEGIN PUBLIC KEY-----\n", end[] = "\n-----END PUBLIC KEY-----\n";
    static const unsigned char head[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
    enum { BYTES = sizeof(head) + HF_ED25519_PUBLIC, LETTERS = (BYTES + 2) / 3 * 4, BEGIN = sizeof(begin) - 1 };
    _cleanup_(hf_buf_done) struct hf_buf bytes = HF_BUF_INIT(BYTES + 2); /* room for a whole last group */

    if (strlen(pem) != BEGIN + LETTERS + sizeof(end) - 1 || memcmp(pem, begin, BEGIN) != 0 ||
        strcmp(pem + BEGIN + LETTERS, end) != 0)
        return false;
    if (hf_base64_decode((struct hf_view){pem + BEGIN, LETTERS}, &bytes) < 0 || bytes.n != BYTES ||
        memcmp(bytes.p, head, sizeof(head)) != 0)
        return false;
    memcpy(raw, bytes.p + sizeof(head), HF_ED25519_PUBLIC);
    return true;
}

/* Reads a key in any PEM text. */
static bool read_pem(const char *pem, unsigned char raw[HF_ED25519_PUBLIC])
{
    _cleanup_(bio_freep) BIO *bio = BIO_new_mem_buf(pem, -1);
    _cleanup_(key_freep) EVP_PKEY *key = bio != NULL ? PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL) : NULL;
    size_t n = HF_ED25519_PUBLIC;

    return key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 &&
           EVP_PKEY_get_raw_public_key(key, raw, &n) == 1 && n == HF_ED25519_PUBLIC;
}

static int read_private(const char *pem, EVP_PKEY **ret_key, struct hf_err *err)
{
    _cleanup_(bio_freep) BIO *bio = BIO_new_mem_buf(pem, -1);
    _cleanup_(key_freep) EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;

    if (key == NULL || EVP_PKEY_get_base_id(key) != EVP_PKEY_ED25519)
        return no_key(err, pem, "a private key (ed25519, PEM, no password)");
    *ret_key = hf_steal(key);
    return 0;
}

int hf_trust_public_raw(const char *public_pem, unsigned char raw[HF_ED25519_PUBLIC], struct hf_err *err)
{
    unsigned char bytes[HF_ED25519_PUBLIC];

    if (!read_plain(public_pem, bytes) && !read_pem(public_pem, bytes))
        return no_key(err, public_pem, "a public key (ed25519, PEM)");
    if (is_small_order(bytes))
        return hf_err_set(err, EBADMSG, "a public key of small order: any signature would verify with it");
    memcpy(raw, bytes, sizeof(bytes));
    return 0;
}

int hf_trust_verify(const char *public_pem, struct hf_view message, const unsigned char signature[HF_ED25519_SIGNATURE],
                    struct hf_err *err)
{
    _cleanup_(key_freep) EVP_PKEY *key = NULL;
    _cleanup_(digest_freep) EVP_MD_CTX *digest = EVP_MD_CTX_new();
    unsigned char raw[HF_ED25519_PUBLIC];
    int r = hf_trust_public_raw(public_pem, raw, err);

    if (r < 0)
        return r;
    key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, sizeof(raw));
    if (digest == NULL || key == NULL || EVP_DigestVerifyInit(digest, NULL, NULL, NULL, key) != 1) {
        ERR_clear_error();
        return hf_err_set(err, ENOMEM, "cannot check a signature");
    }
    if (EVP_DigestVerify(digest, signature, HF_ED25519_SIGNATURE, (const unsigned char *)message.p, message.n) == 1)
        return 0;
    ERR_clear_error();
    return hf_err_set(err, EKEYREJECTED, "the signature does not verify");
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

bool hf_trust_key_id_valid(const char *key_id)
{
    return hf_text_is_key_id(key_id);
}
