/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/key.h"

#include <errno.h>
#include <string.h>

#include "api/field/text.h"
#include "base/encoding/base64.h"
#include "trust/ed25519.h"
#include "trust/pem.h"

enum hf_trust_half hf_trust_half_of(const char *pem)
{
    if (strstr(pem, "PRIVATE KEY-----") != NULL)
        return HF_TRUST_HALF_PRIVATE;
    return strstr(pem, "-----BEGIN PUBLIC KEY-----") != NULL ? HF_TRUST_HALF_PUBLIC : HF_TRUST_HALF_NONE;
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

int hf_trust_public_raw(const char *public_pem, unsigned char raw[HF_ED25519_PUBLIC], struct hf_err *err)
{
    unsigned char bytes[HF_ED25519_PUBLIC];

    if (!read_plain(public_pem, bytes) && !hf_trust_read_any(public_pem, bytes))
        return hf_trust_pem_refuse(err, public_pem, "a public key (ed25519, PEM)");
    if (is_small_order(bytes))
        return hf_err_set(err, EBADMSG, "a public key of small order: any signature would verify with it");
    memcpy(raw, bytes, sizeof(bytes));
    return 0;
}

int hf_trust_verify(const char *public_pem, struct hf_view message, const unsigned char signature[HF_ED25519_SIGNATURE],
                    struct hf_err *err)
{
    unsigned char raw[HF_ED25519_PUBLIC];
    int r = hf_trust_public_raw(public_pem, raw, err);

    return r < 0 ? r : hf_trust_verify_raw(raw, message, signature, err);
}

bool hf_trust_key_id_valid(const char *key_id)
{
    return hf_text_is_key_id(key_id);
}
