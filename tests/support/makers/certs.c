/* SPDX-License-Identifier: Apache-2.0 */
#include "support/makers/certs.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void need(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "test certificate: %s\n", what);
    abort();
}

static char *bio_text(BIO *bio)
{
    char *bytes;
    long n = BIO_get_mem_data(bio, &bytes);
    char *text = strndup(bytes, (size_t)n);

    need(text != NULL, "memory");
    BIO_free(bio);
    return text;
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    need(extension != NULL && X509_add_ext(certificate, extension, -1) == 1, value);
    X509_EXTENSION_free(extension);
}

static void add_extensions(X509 *certificate, X509 *issuer, const struct hf_test_cert_spec *spec)
{
    char names[256];

    add_extension(certificate, issuer, NID_basic_constraints,
                  spec->authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    add_extension(certificate, issuer, NID_subject_key_identifier, "hash");
    if (spec->authority) {
        add_extension(certificate, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
        return;
    }
    if (spec->group != NULL) {
        add_extension(certificate, issuer, NID_key_usage, "critical,digitalSignature");
        add_extension(certificate, issuer, NID_ext_key_usage, "clientAuth");
        return;
    }
    (void)snprintf(names, sizeof(names), "DNS:%s%s%s", spec->name, spec->ip != NULL ? ",IP:" : "",
                   spec->ip != NULL ? spec->ip : "");
    add_extension(certificate, issuer, NID_subject_alt_name, names);
    add_extension(certificate, issuer, NID_ext_key_usage, "serverAuth,clientAuth");
}

static X509 *read_certificate(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    BIO_free(bio);
    need(certificate != NULL, "issuer");
    return certificate;
}

static EVP_PKEY *read_key(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

    BIO_free(bio);
    need(key != NULL, "issuer's key");
    return key;
}

static X509 *make_certificate(const struct hf_test_cert_spec *spec, EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);
    long serial;

    need(RAND_bytes((unsigned char *)&serial, sizeof(serial)) == 1, "serial");
    need(X509_set_version(certificate, 2) == 1, "version");
    need(ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial & 0x7fffffff) == 1, "serial");
    need(X509_gmtime_adj(X509_getm_notBefore(certificate), spec->from_s) != NULL, "notBefore");
    need(X509_gmtime_adj(X509_getm_notAfter(certificate), spec->until_s) != NULL, "notAfter");
    need(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)spec->name, -1, -1, 0) == 1,
         "name");
    need(spec->group == NULL ||
             X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)spec->group, -1, -1, 0) == 1,
         "group");
    need(X509_set_pubkey(certificate, key) == 1, "key");
    return certificate;
}

void hf_test_cert_make(const struct hf_test_cert_spec *spec, struct hf_test_cert *ret_cert)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    need(key != NULL, "key");
    X509 *certificate = make_certificate(spec, key);
    X509 *issuer = spec->issuer != NULL ? read_certificate(spec->issuer->cert_pem) : certificate;
    EVP_PKEY *issuer_key = spec->issuer != NULL ? read_key(spec->issuer->key_pem) : key;

    need(X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1, "issuer's name");
    add_extensions(certificate, issuer, spec);
    need(X509_sign(certificate, issuer_key, EVP_sha256()) > 0, "signature");

    BIO *cert_bio = BIO_new(BIO_s_mem()), *key_bio = BIO_new(BIO_s_mem());
    need(PEM_write_bio_X509(cert_bio, certificate) == 1, "write");
    need(PEM_write_bio_PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL) == 1, "write");
    ret_cert->cert_pem = bio_text(cert_bio);
    ret_cert->key_pem = bio_text(key_bio);
    if (issuer != certificate)
        X509_free(issuer);
    if (issuer_key != key)
        EVP_PKEY_free(issuer_key);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

void hf_test_cert_done(struct hf_test_cert *cert)
{
    free(cert->cert_pem);
    free(cert->key_pem);
    cert->cert_pem = NULL;
    cert->key_pem = NULL;
}
