#include "trust/certificate.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

static void key_freep(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void bio_freep(BIO **bio)
{
    (void)BIO_free(*bio);
}

static void request_freep(X509_REQ **request)
{
    X509_REQ_free(*request);
}

static void certificate_freep(X509 **certificate)
{
    X509_free(*certificate);
}

/* Without this, OpenSSL asks for a password on the terminal. */
static int no_password(char *text, int n, int write, void *arg)
{
    (void)text, (void)n, (void)write, (void)arg;
    return -1;
}

static int failed(struct hf_err *err, int code, const char *what)
{
    ERR_clear_error();
    return hf_err_set(err, code, "%s", what);
}

static EVP_PKEY *read_key(const char *pem)
{
    _cleanup_(bio_freep) BIO *bio = BIO_new_mem_buf(pem, -1);

    return bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
}

static int take_text(BIO *bio, struct hf_buf *out)
{
    char *text;
    long n = BIO_get_mem_data(bio, &text);

    return hf_buf_add(out, text, (size_t)n);
}

int hf_certificate_make_key(struct hf_buf *key_pem, struct hf_err *err)
{
    _cleanup_(key_freep) EVP_PKEY *key = EVP_EC_gen("P-256");
    _cleanup_(bio_freep) BIO *bio = BIO_new(BIO_s_secmem()); /* cleared when it is freed */

    if (key == NULL || bio == NULL || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
        return failed(err, ENOMEM, "OpenSSL cannot make a key");
    return take_text(bio, key_pem) < 0 ? failed(err, ENOMEM, "out of memory") : 0;
}

/* This type skips the limit of 64 characters, which API servers do not have either. */
static bool add_name(X509_NAME *name, const char *field, const char *text)
{
    return X509_NAME_add_entry_by_txt(name, field, V_ASN1_UTF8STRING, (const unsigned char *)text, -1, -1, 0) == 1;
}

int hf_certificate_request(const char *key_pem, const char *common_name, const char *organization,
                           struct hf_buf *request_pem, struct hf_err *err)
{
    _cleanup_(key_freep) EVP_PKEY *key = read_key(key_pem);
    _cleanup_(request_freep) X509_REQ *request = X509_REQ_new();
    _cleanup_(bio_freep) BIO *bio = BIO_new(BIO_s_mem());

    if (key == NULL)
        return failed(err, EBADMSG, "the key is damaged");
    if (request == NULL || bio == NULL)
        return failed(err, ENOMEM, "out of memory");
    X509_NAME *subject = X509_REQ_get_subject_name(request);
    if (!add_name(subject, "O", organization) || !add_name(subject, "CN", common_name))
        return failed(err, EBADMSG, "the subject of the request is not valid");
    if (X509_REQ_set_version(request, 0) != 1 || X509_REQ_set_pubkey(request, key) != 1 ||
        X509_REQ_sign(request, key, EVP_sha256()) <= 0 || PEM_write_bio_X509_REQ(bio, request) != 1)
        return failed(err, ENOMEM, "OpenSSL cannot make a certificate request");
    return take_text(bio, request_pem) < 0 ? failed(err, ENOMEM, "out of memory") : 0;
}

int hf_certificate_key_id(const char *key_pem, char hex[static HF_SHA256_HEX], struct hf_err *err)
{
    _cleanup_(key_freep) EVP_PKEY *key = read_key(key_pem);
    unsigned char *der = NULL;
    int n = key == NULL ? -1 : i2d_PUBKEY(key, &der);

    if (n < 0)
        return failed(err, EBADMSG, "the key is damaged");
    (void)hf_sha256_hex(der, (size_t)n, hex);
    OPENSSL_free(der);
    return 0;
}

static bool read_time(const ASN1_TIME *time, uint64_t *ret_unix_ns)
{
    struct tm tm;

    if (ASN1_TIME_to_tm(time, &tm) != 1)
        return false;
    time_t seconds = timegm(&tm);
    *ret_unix_ns = seconds < 0 ? 0 : (uint64_t)seconds * HF_NS_PER_S;
    return true;
}

int hf_certificate_read(const char *certificate_pem, const char *key_pem, struct hf_certificate_dates *ret_dates,
                        struct hf_err *err)
{
    _cleanup_(bio_freep) BIO *bio = BIO_new_mem_buf(certificate_pem, -1);
    _cleanup_(certificate_freep) X509 *certificate =
        bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, no_password, NULL);
    _cleanup_(key_freep) EVP_PKEY *key = read_key(key_pem);
    struct hf_certificate_dates dates;

    if (certificate == NULL || key == NULL)
        return failed(err, EBADMSG, certificate == NULL ? "the certificate is damaged" : "the key is damaged");
    if (X509_check_private_key(certificate, key) != 1)
        return failed(err, EBADMSG, "the certificate is for another key");
    if (!read_time(X509_get0_notBefore(certificate), &dates.not_before_unix_ns) ||
        !read_time(X509_get0_notAfter(certificate), &dates.not_after_unix_ns))
        return failed(err, EBADMSG, "the certificate has no valid dates");
    *ret_dates = dates;
    return 0;
}
