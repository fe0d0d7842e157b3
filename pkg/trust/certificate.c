/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/certificate.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "loop/tpm_key.h"

enum { HF_CERTIFICATE_MAX_CHAIN = 10 };

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
static int no_password(HF_UNUSED char *text, HF_UNUSED int n, HF_UNUSED int write, HF_UNUSED void *arg)
{
    return -1;
}

static int failed(struct hf_err *err, int code, const char *what)
{
    ERR_clear_error();
    return hf_err_set(err, code, "%s", what);
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

static bool add_subject(X509_NAME *name, const struct hf_certificate_owner *owner)
{
    char group[sizeof(HF_CERTIFICATE_UID_GROUP) + HF_CERTIFICATE_UID] = "";
    bool has_uid = owner->node_uid != NULL;
    int n = has_uid ? snprintf(group, sizeof(group), HF_CERTIFICATE_UID_GROUP "%s", owner->node_uid) : 0;

    return n < (int)sizeof(group) && add_name(name, "O", owner->organization) &&
           (!has_uid || add_name(name, "O", group)) && add_name(name, "CN", owner->common_name);
}

int hf_certificate_request(const struct hf_certificate_owner *owner, struct hf_buf *request_pem, struct hf_err *err)
{
    _cleanup_(key_freep) EVP_PKEY *key = hf_tpm_key_read(owner->key_pem);
    _cleanup_(request_freep) X509_REQ *request = X509_REQ_new();
    _cleanup_(bio_freep) BIO *bio = BIO_new(BIO_s_mem());

    if (key == NULL)
        return failed(err, EBADMSG, "the key is damaged");
    if (request == NULL || bio == NULL)
        return failed(err, ENOMEM, "out of memory");
    if (!add_subject(X509_REQ_get_subject_name(request), owner))
        return failed(err, EBADMSG, "the subject of the request is not valid");
    if (X509_REQ_set_version(request, 0) != 1 || X509_REQ_set_pubkey(request, key) != 1 ||
        X509_REQ_sign(request, key, EVP_sha256()) <= 0 || PEM_write_bio_X509_REQ(bio, request) != 1)
        return failed(err, ENOMEM, "OpenSSL cannot make a certificate request");
    return take_text(bio, request_pem) < 0 ? failed(err, ENOMEM, "out of memory") : 0;
}

int hf_certificate_key_id(const char *key_pem, char hex[static HF_SHA256_HEX], struct hf_err *err)
{
    _cleanup_(key_freep) EVP_PKEY *key = hf_tpm_key_read(key_pem);
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
    if (seconds < 0)
        *ret_unix_ns = 0;
    else /* 99991231235959Z means "no end", and has no number of nanoseconds */
        *ret_unix_ns = (uint64_t)seconds > UINT64_MAX / HF_NS_PER_S ? UINT64_MAX : (uint64_t)seconds * HF_NS_PER_S;
    return true;
}

static int read_dates(const X509 *certificate, EVP_PKEY *key, struct hf_certificate_info *info, struct hf_err *err)
{

    if (X509_check_private_key(certificate, key) != 1)
        return failed(err, EBADMSG, "the certificate is for another key");
    if (!read_time(X509_get0_notBefore(certificate), &info->not_before_unix_ns) ||
        !read_time(X509_get0_notAfter(certificate), &info->not_after_unix_ns) ||
        info->not_after_unix_ns <= info->not_before_unix_ns)
        return failed(err, EBADMSG, "the certificate has no valid dates");
    return 0;
}

/* Copies a value of a name. Returns false if the name has none at this place, or one of `size` bytes or more. */
static bool copy_value(const X509_NAME *name, int at, char *text, size_t size)
{
    const ASN1_STRING *value = at < 0 ? NULL : X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    unsigned char *utf8 = NULL;
    int n = value == NULL ? -1 : ASN1_STRING_to_UTF8(&utf8, value);
    bool good = n >= 0 && (size_t)n < size && memchr(utf8, '\0', (size_t)n) == NULL;

    if (good) {
        memcpy(text, utf8, (size_t)n);
        text[n] = '\0';
    }
    OPENSSL_free(utf8);
    return good;
}

/* Takes the Node's uid out of the second organization. Returns false if that names none, or if there is a third one. */
static bool take_uid(const X509_NAME *subject, struct hf_certificate_info *info)
{
    const size_t prefix = strlen(HF_CERTIFICATE_UID_GROUP);
    char group[sizeof(HF_CERTIFICATE_UID_GROUP) + HF_CERTIFICATE_UID];
    int first = X509_NAME_get_index_by_NID(subject, NID_organizationName, -1);
    int second = X509_NAME_get_index_by_NID(subject, NID_organizationName, first);

    info->node_uid[0] = '\0';
    if (second < 0)
        return true;
    if (X509_NAME_get_index_by_NID(subject, NID_organizationName, second) >= 0 ||
        !copy_value(subject, second, group, sizeof(group)) || strncmp(group, HF_CERTIFICATE_UID_GROUP, prefix) != 0 ||
        strlen(group + prefix) >= HF_CERTIFICATE_UID)
        return false;
    memcpy(info->node_uid, group + prefix, strlen(group + prefix) + 1);
    return info->node_uid[0] != '\0';
}

int hf_certificate_read(const char *certificate_pem, const char *key_pem, struct hf_certificate_info *ret_info,
                        struct hf_err *err)
{
    struct hf_certificate_info info;
    _cleanup_(bio_freep) BIO *bio = BIO_new_mem_buf(certificate_pem, -1);
    _cleanup_(certificate_freep) X509 *certificate =
        bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, no_password, NULL);
    _cleanup_(key_freep) EVP_PKEY *key = hf_tpm_key_read(key_pem);

    if (certificate == NULL || key == NULL)
        return failed(err, EBADMSG, certificate == NULL ? "the certificate is damaged" : "the key is damaged");
    int r = read_dates(certificate, key, &info, err);
    if (r == 0 && !take_uid(X509_get_subject_name(certificate), &info))
        return failed(err, EBADMSG, "the certificate has groups that are not an agent's");
    if (r == 0)
        *ret_info = info;
    return r;
}

/* Returns true if the first value of this field is this text. */
static bool begins_with(const X509_NAME *name, int field, const char *text)
{
    char value[512];

    return copy_value(name, X509_NAME_get_index_by_NID(name, field, -1), value, sizeof(value)) &&
           strcmp(value, text) == 0;
}

static bool is_subject_of(const X509_NAME *subject, const struct hf_certificate_owner *owner,
                          struct hf_certificate_info *info)
{
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

    return begins_with(subject, NID_commonName, owner->common_name) &&
           X509_NAME_get_index_by_NID(subject, NID_commonName, at) < 0 &&
           begins_with(subject, NID_organizationName, owner->organization) && take_uid(subject, info) &&
           (owner->node_uid == NULL || strcmp(info->node_uid, owner->node_uid) == 0);
}

static int check_first(X509 *certificate, const struct hf_certificate_owner *owner, struct hf_certificate_info *info,
                       struct hf_err *err)
{
    _cleanup_(key_freep) EVP_PKEY *key = hf_tpm_key_read(owner->key_pem);

    if (key == NULL)
        return failed(err, EBADMSG, "the key is damaged");
    int r = read_dates(certificate, key, info, err);
    if (r < 0)
        return r;
    ERR_clear_error();
    if (!is_subject_of(X509_get_subject_name(certificate), owner, info))
        return hf_err_set(
            err, EBADMSG, "the certificate's subject is not CN=%.120s, O=%.40s%s%.40s: it is somebody else's",
            owner->common_name, owner->organization, owner->node_uid != NULL ? ", O=" HF_CERTIFICATE_UID_GROUP : "",
            owner->node_uid != NULL ? owner->node_uid : "");
    if (X509_check_purpose(certificate, X509_PURPOSE_SSL_CLIENT, 0) != 1)
        return failed(err, EBADMSG, "the certificate is not for clients (its extensions exclude client auth)");
    return 0;
}

int hf_certificate_take(struct hf_view answer, const struct hf_certificate_owner *owner, struct hf_buf *chain_pem,
                        struct hf_certificate_info *ret_info, struct hf_err *err)
{
    _cleanup_(bio_freep) BIO *in = BIO_new_mem_buf(answer.n > 0 ? answer.p : "", (int)answer.n);
    _cleanup_(bio_freep) BIO *out = BIO_new(BIO_s_mem());
    struct hf_certificate_info info;
    int n = 0;

    if (in == NULL || out == NULL)
        return failed(err, ENOMEM, "out of memory");
    for (;; n++) {
        _cleanup_(certificate_freep) X509 *certificate = PEM_read_bio_X509(in, NULL, no_password, NULL);
        if (certificate == NULL)
            break;
        if (n == HF_CERTIFICATE_MAX_CHAIN)
            return failed(err, EBADMSG, "the answer holds more certificates than a chain has");
        int r = n > 0 ? 0 : check_first(certificate, owner, &info, err);
        if (r < 0)
            return r;
        if (PEM_write_bio_X509(out, certificate) != 1)
            return failed(err, ENOMEM, "out of memory");
    }
    unsigned long end = ERR_peek_last_error(); /* of the search for one more certificate */
    if (ERR_GET_REASON(end) == ERR_R_MALLOC_FAILURE)
        return failed(err, ENOMEM, "out of memory");
    if (n == 0 || ERR_GET_LIB(end) != ERR_LIB_PEM || ERR_GET_REASON(end) != PEM_R_NO_START_LINE)
        return failed(err, EBADMSG,
                      n == 0 ? "the answer holds no certificate, or a damaged one"
                             : "the answer holds a damaged certificate behind the first one");
    ERR_clear_error();
    if (take_text(out, chain_pem) < 0)
        return failed(err, ENOMEM, "out of memory");
    *ret_info = info;
    return 0;
}
