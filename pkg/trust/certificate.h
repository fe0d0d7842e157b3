/* trust/certificate.h - keys, requests and dates of the agent's client certificate, with OpenSSL.
 *
 * Threads: any. Memory: the caller owns all buffers, and should overwrite a buffer that held a key. -EBADMSG: a text is
 * not what the function expects; *err says what is wrong, and never quotes a key. -ENOMEM: out of memory. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"
#include "codec/sha256.h"

/* Makes a new key for ECDSA with the curve P-256, and appends it as PKCS#8 in PEM. */
HF_MUST_USE int hf_certificate_make_key(struct hf_buf *key_pem, struct hf_err *err);

/* Appends a PKCS #10 request for this key in PEM, with the subject O=organization, CN=common_name. */
HF_MUST_USE int hf_certificate_request(const char *key_pem, const char *common_name, const char *organization,
                                       struct hf_buf *request_pem, struct hf_err *err);

/* Writes the hex SHA-256 of the public half of the key. */
HF_MUST_USE int hf_certificate_key_id(const char *key_pem, char hex[static HF_SHA256_HEX], struct hf_err *err);

struct hf_certificate_dates {
    uint64_t not_before_unix_ns, not_after_unix_ns;
};

/* Reads the dates of the first certificate in `certificate_pem`, and checks that it belongs to the key. */
HF_MUST_USE int hf_certificate_read(const char *certificate_pem, const char *key_pem,
                                    struct hf_certificate_dates *ret_dates, struct hf_err *err);
