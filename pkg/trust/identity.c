/* SPDX-License-Identifier: Apache-2.0 */
/* A token's dates are the estimate of the clock where one witness of the time is credible, or two agree. Witnesses that
 * contradict each other sign nothing: a token dated into the future could be kept, and used when that time has come. */
#include "trust/identity.h"

#include <assert.h>
#include <errno.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding/base64.h"
#include "codec/json.h"
#include "loop/tpm_key.h"
#include "trust/certificate.h"

#define HF_IDENTITY_TOKEN_NS (300 * HF_NS_PER_S) /* a token's life */

enum { KEPT = 8, MAX_TOKEN = 16 << 10, MAX_ORIGIN = 320, MAX_NAME = 320, HALF = 32 };

#define LEAST_LEFT_NS (60 * HF_NS_PER_S)
#define REST_NS (30 * HF_NS_PER_S)

struct token {
    char origin[MAX_ORIGIN]; /* "" if the place is free */
    uint64_t from_unix_ns, until_unix_ns;
    struct hf_buf text;
};

struct hf_identity {
    const struct hf_clock_ops *clock;
    unsigned generation;
    char *certificate_pem, *key_pem; /* NULL: none */
    struct hf_certificate_info info;
    struct token kept[KEPT];
    uint64_t failed_ns; /* monotonic time of the last failure to sign; 0: none */
    struct hf_err failure;
};

static void forget(struct hf_identity *identity)
{
    for (size_t i = 0; i < KEPT; i++) {
        hf_buf_wipe(&identity->kept[i].text);
        identity->kept[i] = (struct token){.text = HF_BUF_INIT(MAX_TOKEN)};
    }
    hf_buf_wipe_text(&identity->key_pem);
    free(hf_steal(identity->certificate_pem));
    identity->failed_ns = 0;
}

struct hf_identity *hf_identity_new(const struct hf_clock_ops *clock)
{
    struct hf_identity *identity = calloc(1, sizeof(*identity));

    if (identity != NULL) {
        identity->clock = clock;
        forget(identity);
    }
    return identity;
}

void hf_identity_free(struct hf_identity *identity)
{
    if (identity != NULL)
        forget(identity);
    free(identity);
}

int hf_identity_set(struct hf_identity *identity, const char *certificate_pem, const char *key_pem, struct hf_err *err)
{
    if (identity == NULL)
        return 0;
    assert((certificate_pem == NULL) == (key_pem == NULL));
    forget(identity);
    identity->generation++;
    if (certificate_pem == NULL)
        return 0;
    int r = hf_certificate_read(certificate_pem, key_pem, &identity->info, err);
    if (r < 0)
        return r;
    identity->certificate_pem = strdup(certificate_pem);
    identity->key_pem = strdup(key_pem);
    if (identity->certificate_pem != NULL && identity->key_pem != NULL)
        return 0;
    forget(identity);
    return hf_err_set(err, ENOMEM, "out of memory");
}

unsigned hf_identity_generation(const struct hf_identity *identity)
{
    return identity != NULL ? identity->generation : 0;
}

static int refuse(struct hf_err *err)
{
    return hf_err_set(err, EACCES,
                      "the node has no client certificate in use; its condition ClientCertificateValid, "
                      "or the absence of --client-certificate-dir, says why");
}

int hf_identity_pair(const struct hf_identity *identity, const char **ret_certificate_pem, const char **ret_key_pem,
                     struct hf_err *err)
{
    if (identity == NULL || identity->key_pem == NULL)
        return refuse(err);
    *ret_certificate_pem = identity->certificate_pem;
    *ret_key_pem = identity->key_pem;
    return 0;
}

/* ---- signing ----------------------------------------------------------------------------------------------------- */

/* Appends base64url without padding (RFC 7515). */
static int add_url64(struct hf_buf *out, const void *bytes, size_t n)
{
    size_t from = out->n;
    int r = hf_base64_encode(bytes, n, out);

    if (r < 0)
        return r;
    while (out->n > from && out->p[out->n - 1] == '=')
        out->p[--out->n] = '\0';
    for (size_t i = from; i < out->n; i++)
        out->p[i] = out->p[i] == '+' ? '-' : out->p[i] == '/' ? '_' : out->p[i];
    return 0;
}

/* Appends one certificate to x5c. */
static int add_certificate(json_t *chain, X509 *certificate)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_TOKEN);
    unsigned char *der = NULL;
    int n = i2d_X509(certificate, &der);
    int r = n < 0 ? -ENOMEM : hf_base64_encode(der, (size_t)n, &text);

    OPENSSL_free(der);
    return r < 0 || json_array_append_new(chain, json_stringn(text.p, text.n)) < 0 ? -ENOMEM : 0;
}

/* The chain as in the PEM, and the CN of its first certificate. */
static json_t *read_chain(const char *pem, char name[MAX_NAME])
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    json_t *chain = json_array();
    int r = bio != NULL && chain != NULL ? 0 : -ENOMEM;

    for (X509 *one = NULL; r == 0 && (one = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL; X509_free(one)) {
        if (json_array_size(chain) == 0)
            (void)X509_NAME_get_text_by_NID(X509_get_subject_name(one), NID_commonName, name, MAX_NAME);
        r = add_certificate(chain, one);
    }
    ERR_clear_error();
    (void)BIO_free(bio);
    if (r < 0 || json_array_size(chain) == 0) {
        json_decref(chain);
        return NULL;
    }
    return chain;
}

static int add_json(struct hf_buf *out, const json_t *object)
{
    char *text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
    int r = text != NULL ? add_url64(out, text, strlen(text)) : -ENOMEM;

    free(text);
    return r;
}

/* Appends what is signed: header, a dot, claims. */
static int add_parts(struct hf_buf *out, const struct hf_identity *identity, const struct token *token)
{
    char name[MAX_NAME] = "";
    size_t n = strlen(token->origin);
    bool standard = n > 4 && strncmp(token->origin, "https:", 6) == 0 && strcmp(token->origin + n - 4, ":443") == 0;
    json_t *chain = read_chain(identity->certificate_pem, name);
    _cleanup_(hf_json_freep) json_t *header =
        chain != NULL ? json_pack("{s:s, s:s, s:o}", "alg", "ES256", "typ", "JWT", "x5c", chain) : NULL;
    _cleanup_(hf_json_freep) json_t *claims = json_pack(
        "{s:s, s:s, s:s%, s:I, s:I}", "iss", name, "sub", name, "aud", token->origin, standard ? n - 4 : n, "iat",
        (json_int_t)(token->from_unix_ns / HF_NS_PER_S), "exp", (json_int_t)(token->until_unix_ns / HF_NS_PER_S));
    int r = add_json(out, header);

    if (r == 0)
        r = hf_buf_add(out, ".", 1);
    return r == 0 ? add_json(out, claims) : r;
}

/* Appends a dot and the signature: r and s of 32 bytes each (RFC 7518, 3.4). False: not signed; OpenSSL says why. */
static bool add_signature(struct hf_buf *out, EVP_PKEY *key)
{
    unsigned char der[128], both[2 * HALF];
    const unsigned char *at = der;
    size_t n = sizeof(der);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && EVP_PKEY_get_bits(key) == 8 * HALF &&
                EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestSign(context, der, &n, (const unsigned char *)out->p, out->n) == 1;
    ECDSA_SIG *signature = good ? d2i_ECDSA_SIG(NULL, &at, (long)n) : NULL;

    good = signature != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(signature), both, HALF) == HALF &&
           BN_bn2binpad(ECDSA_SIG_get0_s(signature), both + HALF, HALF) == HALF && hf_buf_add(out, ".", 1) == 0 &&
           add_url64(out, both, sizeof(both)) == 0;
    ECDSA_SIG_free(signature);
    EVP_MD_CTX_free(context);
    return good;
}

static int sign(const struct hf_identity *identity, struct token *token, struct hf_err *err)
{
    EVP_PKEY *key = hf_tpm_key_read(identity->key_pem);
    const char *why = NULL;
    int flags = 0;

    ERR_clear_error();
    int r = add_parts(&token->text, identity, token);
    bool good = r == 0 && key != NULL && add_signature(&token->text, key);
    EVP_PKEY_free(key);
    if (r < 0)
        return hf_err_sys(err, r, "make a token");
    if (!good) {
        (void)ERR_peek_error_all(NULL, NULL, NULL, &why, &flags);
        (void)hf_err_set(err, EIO, "the node's key did not sign a token: %.160s",
                         why != NULL && (flags & ERR_TXT_STRING) != 0 && why[0] != '\0' ? why : "OpenSSL failed");
    }
    ERR_clear_error();
    return good ? 0 : -EIO;
}

/* ---- tokens ------------------------------------------------------------------------------------------------------ */

/* The place of this origin, else the one whose token ends first. */
static struct token *place_of(struct hf_identity *identity, const char *origin)
{
    struct token *place = &identity->kept[0];

    for (size_t i = 0; i < KEPT; i++) {
        struct token *one = &identity->kept[i];
        if (strcmp(one->origin, origin) == 0)
            return one;
        if (place->origin[0] != '\0' && (one->origin[0] == '\0' || one->until_unix_ns < place->until_unix_ns))
            place = one;
    }
    return place;
}

static int read_time(const struct hf_identity *identity, uint64_t *ret_unix_ns, struct hf_err *err)
{
    struct hf_time_range range = hf_clock_range(identity->clock);

    if (range.agreement != HF_TIME_AGREED && range.agreement != HF_TIME_ALONE)
        return hf_err_set(err, EAGAIN, "ClockUnsure: the node signs no token while the witnesses of its time are %s",
                          hf_time_agreement_name(range.agreement));
    *ret_unix_ns = range.estimate_unix_ns;
    return 0;
}

int hf_identity_token(struct hf_identity *identity, const char *origin, const char **ret_token, struct hf_err *err)
{
    uint64_t now_unix_ns = 0;

    if (identity == NULL || identity->key_pem == NULL)
        return refuse(err);
    if (strlen(origin) >= MAX_ORIGIN)
        return hf_err_set(err, EINVAL, "the server's name is too long for a token");
    int r = read_time(identity, &now_unix_ns, err);
    if (r < 0)
        return r;
    struct token *token = place_of(identity, origin);
    if (strcmp(token->origin, origin) == 0 && token->from_unix_ns <= now_unix_ns &&
        now_unix_ns + HF_MIN(LEAST_LEFT_NS, (token->until_unix_ns - token->from_unix_ns) / 2) < token->until_unix_ns) {
        *ret_token = hf_buf_str(&token->text);
        return 0;
    }
    if (now_unix_ns >= identity->info.not_after_unix_ns)
        return refuse(err);
    if (identity->failed_ns != 0 && hf_mono_ns(identity->clock) - identity->failed_ns < REST_NS) {
        *err = identity->failure;
        return -EIO;
    }
    hf_buf_wipe(&token->text);
    (void)snprintf(token->origin, sizeof(token->origin), "%s", origin);
    token->from_unix_ns = now_unix_ns;
    token->until_unix_ns = HF_MIN(now_unix_ns + HF_IDENTITY_TOKEN_NS, identity->info.not_after_unix_ns);
    r = sign(identity, token, err);
    identity->failed_ns = r == -EIO ? HF_MAX(hf_mono_ns(identity->clock), 1u) : 0;
    if (r < 0) {
        identity->failure = *err;
        token->origin[0] = '\0';
        return r;
    }
    *ret_token = hf_buf_str(&token->text);
    return 0;
}
