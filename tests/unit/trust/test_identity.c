/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/identity.h"

#include <errno.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding/base64.h"
#include "codec/json.h"
#include "loop/tpm_key.h"
#include "support/check_main.h"
#include "support/swtpm.h"
#include "trust/certificate.h"

#define START_S 1795161600ull /* 2026-11-20T08:00:00Z */
#define ORIGIN "https://telemetry.example.com:443"
#define CN "holdfast:agent:edge-7"

/* ---- the node ---------------------------------------------------------------------------------------------------- */

static struct {
    uint64_t now_s, mono_s;
    enum hf_time_agreement agreement;
    struct hf_identity *identity;
    struct hf_buf key, certificate;
} w;

static uint64_t mono_ns(HF_UNUSED void *ctx)
{
    return w.mono_s * HF_NS_PER_S;
}

static uint64_t unix_ns(HF_UNUSED void *ctx)
{
    return 0; /* the estimate decides, never the wall clock */
}

static void range(HF_UNUSED void *ctx, struct hf_time_range *ret_range)
{
    uint64_t now_ns = w.now_s * HF_NS_PER_S;

    *ret_range = (struct hf_time_range){.agreement = w.agreement,
                                        .earliest_unix_ns = now_ns,
                                        .latest_unix_ns = now_ns,
                                        .estimate_unix_ns = now_ns,
                                        .other_unix_ns = now_ns};
}

static const struct hf_clock_ops clock_ops = {.mono_ns = mono_ns, .unix_ns = unix_ns, .range = range};

/* A certificate for the key until so many seconds after the start, as any authority gives one. */
static void certify(const char *key_pem, long until_s, struct hf_buf *out)
{
    EVP_PKEY *key = hf_tpm_key_read(key_pem), *authority = EVP_EC_gen("P-256");
    BIO *text = BIO_new(BIO_s_mem());
    X509 *one = X509_new();
    char *bytes;

    ck_assert(key != NULL && authority != NULL && one != NULL);
    X509_NAME *name = X509_get_subject_name(one);
    (void)X509_set_version(one, 2);
    (void)X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const unsigned char *)"holdfast:agents", -1, -1, 0);
    (void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)CN, -1, -1, 0);
    (void)ASN1_TIME_set(X509_getm_notBefore(one), (time_t)START_S - 300);
    (void)ASN1_TIME_set(X509_getm_notAfter(one), (time_t)START_S + until_s);
    (void)X509_set_pubkey(one, key);
    ck_assert(X509_sign(one, authority, EVP_sha256()) > 0 && PEM_write_bio_X509(text, one) == 1);
    long n = BIO_get_mem_data(text, &bytes);
    hf_buf_clear(out);
    ck_assert_int_eq(hf_buf_add(out, bytes, (size_t)n), 0);
    (void)BIO_free(text);
    X509_free(one);
    EVP_PKEY_free(key);
    EVP_PKEY_free(authority);
}

static void use_key(long until_s)
{
    certify(hf_buf_str(&w.key), until_s, &w.certificate);
    ck_assert_int_eq(hf_identity_set(w.identity, hf_buf_str(&w.certificate), hf_buf_str(&w.key), NULL), 0);
}

static void setup(void)
{
    w.now_s = START_S;
    w.mono_s = 1000;
    w.agreement = HF_TIME_AGREED;
    w.key = w.certificate = (struct hf_buf)HF_BUF_INIT(65536);
    w.identity = hf_identity_new(&clock_ops);
    ck_assert_int_eq(hf_certificate_make_key(&w.key, NULL), 0);
    use_key(86400);
}

static void teardown(void)
{
    hf_identity_free(w.identity);
    hf_buf_wipe(&w.key);
    hf_buf_done(&w.certificate);
}

static const char *token_for(const char *origin)
{
    struct hf_err err = HF_ERR_INIT;
    const char *token = NULL;
    int r = hf_identity_token(w.identity, origin, &token, &err);

    ck_assert_msg(r == 0, "%d: %s", r, err.cause);
    return token;
}

/* ---- the server -------------------------------------------------------------------------------------------------- */

static void decode_part(const char *part, size_t n, struct hf_buf *out)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(65536);

    for (size_t i = 0; i < n; i++) {
        ck_assert(part[i] != '=' && part[i] != '+' && part[i] != '/');
        ck_assert_int_eq(hf_buf_add(&text, part[i] == '-' ? "+" : part[i] == '_' ? "/" : &part[i], 1), 0);
    }
    while (text.n % 4 != 0)
        ck_assert_int_eq(hf_buf_add(&text, "=", 1), 0);
    ck_assert_int_eq(hf_base64_decode(hf_buf_view(&text), out), 0);
}

/* Verifies the signature by the first certificate of x5c; returns the claims. */
static json_t *verify(const char *token)
{
    _cleanup_(hf_buf_done) struct hf_buf head = HF_BUF_INIT(65536), body = HF_BUF_INIT(65536), both = HF_BUF_INIT(256),
                                         der = HF_BUF_INIT(65536);
    _cleanup_(hf_json_freep) json_t *header = NULL;
    const char *dot = strchr(token, '.'), *last = strrchr(token, '.');
    unsigned char *signature_der = NULL;
    json_t *claims = NULL;

    ck_assert(dot != NULL && last > dot);
    decode_part(token, (size_t)(dot - token), &head);
    decode_part(dot + 1, (size_t)(last - dot - 1), &body);
    decode_part(last + 1, strlen(last + 1), &both);
    ck_assert_int_eq(hf_json_parse(hf_buf_view(&head), NULL, &header, NULL), 0);
    ck_assert_int_eq(hf_json_parse(hf_buf_view(&body), NULL, &claims, NULL), 0);
    ck_assert_str_eq(json_string_value(json_object_get(header, "alg")), "ES256");
    ck_assert_str_eq(json_string_value(json_object_get(header, "typ")), "JWT");
    const json_t *chain = json_object_get(header, "x5c");
    ck_assert_uint_eq(json_array_size(chain), 1);
    ck_assert_int_eq(hf_base64_decode(hf_view_of(json_string_value(json_array_get(chain, 0))), &der), 0);
    const unsigned char *at = (const unsigned char *)der.p;
    X509 *certificate = d2i_X509(NULL, &at, (long)der.n);
    ck_assert(certificate != NULL && both.n == 64);
    ECDSA_SIG *signature = ECDSA_SIG_new();
    (void)ECDSA_SIG_set0(signature, BN_bin2bn((const unsigned char *)both.p, 32, NULL),
                         BN_bin2bn((const unsigned char *)both.p + 32, 32, NULL));
    int n = i2d_ECDSA_SIG(signature, &signature_der);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    ck_assert(EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, X509_get0_pubkey(certificate)) == 1);
    ck_assert_int_eq(
        EVP_DigestVerify(context, signature_der, (size_t)n, (const unsigned char *)token, (size_t)(last - token)), 1);
    EVP_MD_CTX_free(context);
    ECDSA_SIG_free(signature);
    OPENSSL_free(signature_der);
    X509_free(certificate);
    return claims;
}

static void check_claims(const char *token, const char *audience, uint64_t from_s, uint64_t until_s)
{
    _cleanup_(hf_json_freep) json_t *claims = verify(token);

    ck_assert_str_eq(json_string_value(json_object_get(claims, "iss")), CN);
    ck_assert_str_eq(json_string_value(json_object_get(claims, "sub")), CN);
    ck_assert_str_eq(json_string_value(json_object_get(claims, "aud")), audience);
    ck_assert_uint_eq((uint64_t)json_integer_value(json_object_get(claims, "iat")), from_s);
    ck_assert_uint_eq((uint64_t)json_integer_value(json_object_get(claims, "exp")), until_s);
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *origin, *audience;
} audiences[] = {{ORIGIN, "https://telemetry.example.com"},
                 {"https://telemetry.example.com:8443", "https://telemetry.example.com:8443"},
                 {"http://127.0.0.1:443", "http://127.0.0.1:443"},
                 {"https://[::1]:443", "https://[::1]"}};

START_TEST(server_verifies_it)
{
    check_claims(token_for(audiences[_i].origin), audiences[_i].audience, START_S, START_S + 300);
}
END_TEST

START_TEST(one_signature_serves_four_minutes)
{
    char first[8192];

    (void)snprintf(first, sizeof(first), "%s", token_for(ORIGIN));
    w.now_s += 239;
    ck_assert_str_eq(token_for(ORIGIN), first);
    w.now_s += 1;
    check_claims(token_for(ORIGIN), "https://telemetry.example.com", START_S + 240, START_S + 540);
    w.now_s -= 1; /* the clock went back: that token is of the future */
    check_claims(token_for(ORIGIN), "https://telemetry.example.com", START_S + 239, START_S + 539);
}
END_TEST

START_TEST(each_server_has_its_own)
{
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < 20; i++) { /* more than are kept */
            char origin[64];
            (void)snprintf(origin, sizeof(origin), "https://sink-%u.example.com:8443", i);
            check_claims(token_for(origin), origin, START_S, START_S + 300);
        }
}
END_TEST

START_TEST(no_time_no_token)
{
    bool sure = _i == HF_TIME_AGREED || _i == HF_TIME_ALONE;
    struct hf_err err = HF_ERR_INIT;
    const char *token = NULL;

    (void)token_for(ORIGIN);
    w.agreement = (enum hf_time_agreement)_i; /* also one that is kept stays here */
    ck_assert_int_eq(hf_identity_token(w.identity, ORIGIN, &token, &err), sure ? 0 : -EAGAIN);
    ck_assert(sure || (token == NULL && strstr(err.cause, "ClockUnsure") != NULL));
}
END_TEST

START_TEST(no_longer_than_the_certificate)
{
    const char *token = NULL;

    use_key(100);
    check_claims(token_for(ORIGIN), "https://telemetry.example.com", START_S, START_S + 100);
    w.now_s += 99;
    check_claims(token_for(ORIGIN), "https://telemetry.example.com", START_S + 99, START_S + 100);
    w.now_s += 1;
    ck_assert_int_eq(hf_identity_token(w.identity, ORIGIN, &token, NULL), -EACCES);
}
END_TEST

START_TEST(follows_the_certificate_in_use)
{
    char first[8192];
    const char *a = NULL, *b = NULL;
    unsigned generation = hf_identity_generation(w.identity);

    (void)snprintf(first, sizeof(first), "%s", token_for(ORIGIN));
    use_key(86400);
    ck_assert_uint_ne(hf_identity_generation(w.identity), generation);
    ck_assert_str_ne(token_for(ORIGIN), first);
    ck_assert_int_eq(hf_identity_pair(w.identity, &a, &b, NULL), 0);
    ck_assert_str_eq(a, hf_buf_str(&w.certificate));
    ck_assert_str_eq(b, hf_buf_str(&w.key));
    ck_assert_int_eq(hf_identity_set(w.identity, NULL, NULL, NULL), 0);
    ck_assert_int_eq(hf_identity_pair(w.identity, &a, &b, NULL), -EACCES);
    ck_assert_int_eq(hf_identity_token(w.identity, ORIGIN, &a, NULL), -EACCES);
    ck_assert_int_eq(hf_identity_set(w.identity, "x", hf_buf_str(&w.key), NULL), -EBADMSG);
    ck_assert_int_eq(hf_identity_pair(w.identity, &a, &b, NULL), -EACCES);
    ck_assert_int_eq(hf_identity_pair(NULL, &a, &b, NULL), -EACCES);
    ck_assert_int_eq(hf_identity_token(NULL, ORIGIN, &a, NULL), -EACCES);
}
END_TEST

/* After a failure, the key rests for half a minute; a TPM that is asked for each request would block the agent. */
START_TEST(key_in_the_tpm)
{
    struct swtpm tpm;
    const char *token = NULL;
    struct hf_err err = HF_ERR_INIT;

    if (!swtpm_start(&tpm))
        return;
    hf_buf_clear(&w.key);
    ck_assert_int_eq(hf_tpm_key_make(&w.key, NULL), 0);
    use_key(86400);
    check_claims(token_for(ORIGIN), "https://telemetry.example.com", START_S, START_S + 300);
    swtpm_replace(&tpm);
    (void)token_for(ORIGIN);
    w.now_s += 300;
    ck_assert_int_eq(hf_identity_token(w.identity, ORIGIN, &token, &err), -EIO);
    ck_assert_msg(strstr(err.cause, "another TPM") != NULL, "%s", err.cause);
    hf_buf_clear(&w.key);
    ck_assert_int_eq(hf_tpm_key_make(&w.key, NULL), 0);
    w.mono_s += 29;
    err.cause[0] = '\0';
    ck_assert_int_eq(hf_identity_token(w.identity, ORIGIN, &token, &err), -EIO);
    ck_assert_msg(strstr(err.cause, "another TPM") != NULL, "%s", err.cause);
    use_key(86400); /* another key need not wait */
    (void)token_for(ORIGIN);
    swtpm_end(&tpm);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, server_verifies_it, 0, HF_LEN(audiences));
    tcase_add_test(tc, one_signature_serves_four_minutes);
    tcase_add_test(tc, each_server_has_its_own);
    tcase_add_loop_test(tc, no_time_no_token, 0, HF_TIME_AGREEMENT_COUNT);
    tcase_add_test(tc, no_longer_than_the_certificate);
    tcase_add_test(tc, follows_the_certificate_in_use);
    tcase_add_test(tc, key_in_the_tpm);
}

HF_TEST_MAIN("trust/identity", cases)
