/* SPDX-License-Identifier: Apache-2.0 */
/* A key in a TPM (swtpm): a certificate request, a TLS handshake, another TPM, a TPM that does not answer. */
#include "loop/tpm_key.h"

#include <errno.h>
#include <openssl/ec.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <string.h>

#include "support/check_main.h"
#include "support/swtpm.h"
#include "trust/certificate.h"
#include "trust/csr_parse.h"

static struct swtpm tpm;
static bool there;
static struct hf_buf key = HF_BUF_INIT(8192);

static void set_up(void)
{
    struct hf_err err = HF_ERR_INIT;

    there = swtpm_start(&tpm);
    if (there)
        ck_assert_msg(hf_tpm_key_make(&key, &err) == 0, "%s", err.cause);
}

static void tear_down(void)
{
    hf_buf_done(&key);
    key.max = 8192;
    if (there)
        swtpm_end(&tpm);
}

START_TEST(asks_for_a_certificate)
{
    _cleanup_(hf_buf_done) struct hf_buf request = HF_BUF_INIT(8192);
    struct hf_certificate_owner owner = {
        .common_name = "holdfast:agent:n1", .organization = "holdfast:agents", .node_uid = "u"};
    struct hf_err err = HF_ERR_INIT;
    struct hf_csr csr;
    char id[HF_SHA256_HEX], again[HF_SHA256_HEX];

    if (!there)
        return;
    owner.key_pem = hf_buf_str(&key);
    ck_assert(hf_tpm_key_is(owner.key_pem) && strstr(owner.key_pem, "PRIVATE") == NULL);
    ck_assert_msg(hf_certificate_request(&owner, &request, &err) == 0, "%s", err.cause);
    ck_assert_msg(hf_csr_parse(hf_buf_view(&request), &csr, &err) == 0, "%s", err.cause); /* its signature is good */
    ck_assert_int_eq(csr.key, HF_CSR_KEY_P256);
    ck_assert_int_eq(hf_certificate_key_id(owner.key_pem, id, &err), 0);
    swtpm_restart(&tpm);
    ck_assert_int_eq(hf_certificate_key_id(owner.key_pem, again, &err), 0);
    ck_assert_str_eq(id, again);
    ck_assert_msg(hf_tpm_key_check(owner.key_pem, &err) == 0, "%s", err.cause);
}
END_TEST

static X509 *make_certificate(EVP_PKEY *pkey, EVP_PKEY *signer)
{
    X509 *certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);

    (void)X509_set_version(certificate, 2);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    (void)X509_NAME_add_entry_by_txt(name, "CN", V_ASN1_UTF8STRING, (const unsigned char *)"x", -1, -1, 0);
    (void)X509_set_issuer_name(certificate, name);
    (void)X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    (void)X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    (void)X509_set_pubkey(certificate, pkey);
    ck_assert(X509_sign(certificate, signer, EVP_sha256()) > 0);
    return certificate;
}

static int any_peer(int good, X509_STORE_CTX *store)
{
    (void)good, (void)store;
    return 1;
}

/* A handshake in memory, in which the client proves its key. Returns true if both sides finished. */
static bool handshake(EVP_PKEY *client_key, X509 *certificate, int version)
{
    EVP_PKEY *server_key = EVP_EC_gen("P-256");
    X509 *server_certificate = make_certificate(server_key, server_key);
    SSL_CTX *s = SSL_CTX_new(TLS_server_method()), *c = SSL_CTX_new(TLS_client_method());
    BIO *one = NULL, *other = NULL;

    ck_assert(SSL_CTX_use_certificate(s, server_certificate) == 1 && SSL_CTX_use_PrivateKey(s, server_key) == 1);
    ck_assert(SSL_CTX_use_certificate(c, certificate) == 1 && SSL_CTX_use_PrivateKey(c, client_key) == 1);
    ck_assert(SSL_CTX_set_max_proto_version(c, version) == 1);
    SSL_CTX_set_verify(s, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, any_peer);
    SSL *server = SSL_new(s), *client = SSL_new(c);
    ck_assert_int_eq(BIO_new_bio_pair(&one, 0, &other, 0), 1);
    SSL_set_bio(server, one, one);
    SSL_set_bio(client, other, other);
    SSL_set_accept_state(server);
    SSL_set_connect_state(client);
    for (int i = 0; i < 20; i++) {
        (void)SSL_do_handshake(client);
        (void)SSL_do_handshake(server);
    }
    bool good = SSL_is_init_finished(server) == 1 && SSL_is_init_finished(client) == 1;
    SSL_free(server);
    SSL_free(client);
    SSL_CTX_free(s);
    SSL_CTX_free(c);
    X509_free(server_certificate);
    EVP_PKEY_free(server_key);
    return good;
}

START_TEST(proves_itself_in_tls)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    EVP_PKEY *authority = EVP_EC_gen("P-256"), *pkey = there ? hf_tpm_key_read(hf_buf_str(&key)) : NULL;

    if (there) {
        ck_assert_ptr_nonnull(pkey);
        X509 *certificate = make_certificate(pkey, authority);
        ck_assert_int_eq(X509_check_private_key(certificate, pkey), 1);
        ck_assert(handshake(pkey, certificate, versions[_i]));
        swtpm_replace(&tpm); /* the disk in another machine: its text is of no use */
        ck_assert(!handshake(pkey, certificate, versions[_i]));
        X509_free(certificate);
    }
    EVP_PKEY_free(pkey);
    EVP_PKEY_free(authority);
}
END_TEST

START_TEST(another_tpm)
{
    struct hf_err err = HF_ERR_INIT;

    if (!there)
        return;
    ck_assert_int_eq(hf_tpm_key_check(hf_buf_str(&key), &err), 0);
    swtpm_replace(&tpm);
    ck_assert_int_eq(hf_tpm_key_check(hf_buf_str(&key), &err), -EBADMSG);
    ck_assert_ptr_nonnull(strstr(err.cause, "another TPM"));
}
END_TEST

START_TEST(a_tpm_that_does_not_answer)
{
    _cleanup_(hf_buf_done) struct hf_buf other = HF_BUF_INIT(8192);
    struct hf_err err = HF_ERR_INIT;

    if (!there)
        return;
    (void)kill(tpm.pid, SIGSTOP);
    ck_assert_int_eq(hf_tpm_key_check(hf_buf_str(&key), &err), -ETIMEDOUT);
    (void)kill(tpm.pid, SIGCONT);
    ck_assert_int_eq(hf_tpm_key_provide("/nonexistent", tpm.tcti), 0);
    ck_assert_int_lt(hf_tpm_key_make(&other, &err), 0);
    ck_assert_int_eq(hf_tpm_key_provide(NULL, NULL), 0);
    ck_assert_int_eq(hf_tpm_key_make(&other, &err), -EIO);
    ck_assert_uint_eq(other.n, 0);
}
END_TEST

/* Cut anywhere, or changed: no key, or one that the TPM refuses; never a crash. */
START_TEST(damaged_texts)
{
    struct hf_err err = HF_ERR_INIT;
    char text[8192];

    if (!there)
        return;
    for (size_t n = 0; n < key.n - 2; n += 7) {
        (void)snprintf(text, sizeof(text), "%.*s", (int)n, hf_buf_str(&key));
        ck_assert_ptr_null(hf_tpm_key_read(text));
    }
    (void)snprintf(text, sizeof(text), "%s", hf_buf_str(&key));
    text[100] = text[100] == 'A' ? 'B' : 'A';
    ck_assert_int_lt(hf_tpm_key_check(text, &err), 0);
    ck_assert_int_eq(hf_tpm_key_check(HF_TPM_KEY_BEGIN "\nAAAA\n-----END HOLDFAST TPM KEY-----\n", &err), -EBADMSG);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, asks_for_a_certificate);
    tcase_add_loop_test(tc, proves_itself_in_tls, 0, 2);
    tcase_add_test(tc, another_tpm);
    tcase_add_test(tc, a_tpm_that_does_not_answer);
    tcase_add_test(tc, damaged_texts);
}

HF_TEST_MAIN("loop/tpm_key", cases)
