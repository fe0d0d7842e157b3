/* SPDX-License-Identifier: Apache-2.0 */
/* The signer parses the same bytes otherwise, so this accepts only what both understand alike: one PEM block; at most
 * one common name and two organizations, in printable ASCII; no attributes, and so no extensions. */
#include "trust/csr_parse.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/encoding/base64.h"

#define BEGIN "-----BEGIN CERTIFICATE REQUEST-----\n"
#define END "-----END CERTIFICATE REQUEST-----"

enum { LINE = 64 };

static void request_freep(X509_REQ **request)
{
    X509_REQ_free(*request);
}

/* Decodes the lines between BEGIN and END. */
static int read_pem(struct hf_view pem, struct hf_buf *der, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CSR_MAX_BYTES);
    struct hf_view rest = pem, line = {NULL, 0};
    bool ended = false;

    if (pem.n > HF_CSR_MAX_BYTES)
        return hf_err_set(err, EBADMSG, "the request has more than %d bytes", HF_CSR_MAX_BYTES);
    if (!hf_view_starts(pem, BEGIN))
        return hf_err_set(err, EBADMSG, "the request is not PEM that begins with BEGIN CERTIFICATE REQUEST");
    rest.p += strlen(BEGIN);
    rest.n -= strlen(BEGIN);
    while (!ended && hf_view_split(&rest, '\n', &line)) {
        ended = hf_view_eq(line, END);
        if (!ended && (line.n == 0 || line.n > LINE || hf_buf_add(&text, line.p, line.n) < 0))
            return hf_err_set(err, EBADMSG, "the request has a line of 0 or of more than %d characters", LINE);
    }
    if (!ended || (rest.p != NULL && rest.n > 0))
        return hf_err_set(err, EBADMSG, "the request does not end after one END CERTIFICATE REQUEST");
    int r = hf_base64_decode(hf_buf_view(&text), der);
    return r == -EINVAL ? hf_err_set(err, EBADMSG, "the request is not base64") : r;
}

/* Copies the value of a part of the subject into the first free one of `n_places`. Returns false if it is no plain
 * text, or if no place is free. */
static bool take_name(const X509_NAME_ENTRY *entry, char (*text)[HF_CSR_NAME], size_t n_places)
{
    const ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
    int type = ASN1_STRING_type(value), n = ASN1_STRING_length(value);
    const unsigned char *bytes = ASN1_STRING_get0_data(value);

    for (; n_places > 0 && (*text)[0] != '\0'; text++)
        n_places--;
    if ((type != V_ASN1_UTF8STRING && type != V_ASN1_PRINTABLESTRING) || n <= 0 || n >= HF_CSR_NAME || n_places == 0)
        return false;
    for (int i = 0; i < n; i++)
        if (bytes[i] < 0x20 || bytes[i] > 0x7e)
            return false;
    memcpy(*text, bytes, (size_t)n);
    (*text)[n] = '\0';
    return true;
}

static int read_subject(const X509_REQ *request, struct hf_csr *csr, struct hf_err *err)
{
    const X509_NAME *subject = X509_REQ_get_subject_name(request);

    for (int i = 0; i < X509_NAME_entry_count(subject); i++) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(subject, i);
        int kind = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
        bool good = kind == NID_commonName
                        ? take_name(entry, &csr->common_name, 1)
                        : kind == NID_organizationName && take_name(entry, csr->organizations, HF_CSR_ORGANIZATIONS);
        if (!good)
            return hf_err_set(err, EBADMSG,
                              "the subject has more than one CN and two O, or a value that is not plain text");
    }
    return 0;
}

static enum hf_csr_key kind_of(EVP_PKEY *key)
{
    char group[32] = "", encoding[32] = "";
    size_t n = 0;

    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519)
        return HF_CSR_KEY_ED25519;
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC || EVP_PKEY_get_group_name(key, group, sizeof(group), &n) != 1 ||
        EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, encoding, sizeof(encoding), &n) != 1 ||
        strcmp(encoding, OSSL_PKEY_EC_ENCODING_GROUP) != 0)
        return HF_CSR_KEY_OTHER;
    return strcmp(group, SN_X9_62_prime256v1) == 0 ? HF_CSR_KEY_P256 : HF_CSR_KEY_OTHER;
}

static int read_request(X509_REQ *request, struct hf_csr *csr, struct hf_err *err)
{
    EVP_PKEY *key = X509_REQ_get0_pubkey(request);
    int r = read_subject(request, csr, err);

    if (r < 0)
        return r;
    if (X509_REQ_get_attr_count(request) > 0)
        return hf_err_set(err, EBADMSG, "the request has attributes or extensions; an agent asks for none");
    if (key == NULL)
        return hf_err_set(err, EBADMSG, "the public key is unreadable");
    csr->key = kind_of(key);
    /* A key of another kind is refused anyway: do not compute with it. */
    if (csr->key != HF_CSR_KEY_OTHER && X509_REQ_verify(request, key) != 1)
        return hf_err_set(err, EBADMSG, "the request is not signed by its own key");
    return 0;
}

int hf_csr_parse(struct hf_view pem, struct hf_csr *ret_csr, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf der = HF_BUF_INIT(HF_CSR_MAX_BYTES);
    _cleanup_(request_freep) X509_REQ *request = NULL;
    struct hf_csr csr = {.key = HF_CSR_KEY_OTHER};
    int r = read_pem(pem, &der, err);

    if (r < 0)
        return r;
    const unsigned char *at = (const unsigned char *)der.p;
    request = der.n > 0 ? d2i_X509_REQ(NULL, &at, (long)der.n) : NULL;
    if (request == NULL || at != (const unsigned char *)der.p + der.n)
        r = hf_err_set(err, EBADMSG, "the request is not one PKCS #10 structure");
    else
        r = read_request(request, &csr, err);
    ERR_clear_error();
    if (r == 0)
        *ret_csr = csr;
    return r;
}
