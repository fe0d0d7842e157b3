/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/descriptor.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding/hex.h"
#include "codec/sha256.h"

enum { PREFIX = 7 };

bool hf_oci_is_digest(const char *text)
{
    unsigned char bytes[HF_SHA256_BYTES];

    return text != NULL && strncmp(text, "sha256:", PREFIX) == 0 &&
           hf_hex_decode(text + PREFIX, bytes, sizeof(bytes)) == 0;
}

const char *hf_oci_digest_of(const void *bytes, size_t n, char digest[static HF_OCI_DIGEST])
{
    memcpy(digest, "sha256:", PREFIX);
    (void)hf_sha256_hex(bytes, n, digest + PREFIX);
    return digest;
}

/* RFC 6838, 4.2, with one '/'. */
static bool is_media_type(const char *text)
{
    size_t n = strlen(text), slashes = 0;

    for (size_t i = 0; i < n; i++) {
        slashes += text[i] == '/';
        if (!isalnum((unsigned char)text[i]) && strchr("!#$&-^_.+/", text[i]) == NULL)
            return false;
    }
    return n > 2 && n < HF_OCI_MEDIA_TYPE && slashes == 1 && text[0] != '/' && text[n - 1] != '/';
}

int hf_oci_descriptor_parse(const json_t *json, const char *what, struct hf_oci_descriptor *ret, struct hf_err *err)
{
    const char *type = hf_json_str_or(json, "mediaType", ""), *digest = hf_json_str_or(json, "digest", "");
    int64_t size = hf_json_int_or(json, "size", -1);

    if (!is_media_type(type))
        return hf_err_set(err, EBADMSG, "%s: mediaType is missing or no media type", what);
    if (!hf_oci_is_digest(digest))
        return hf_err_set(err, EBADMSG, "%s: digest is missing, or not sha256: and 64 lower-case hex digits", what);
    if (size < 0 || (uint64_t)size > HF_OCI_SIZE_MAX)
        return hf_err_set(err, EBADMSG, "%s: size is missing, or not from 0 to 2^40", what);
    ret->size = (uint64_t)size;
    (void)snprintf(ret->media_type, sizeof(ret->media_type), "%s", type);
    (void)snprintf(ret->digest, sizeof(ret->digest), "%s", digest);
    return 0;
}

json_t *hf_oci_descriptor_json(const struct hf_oci_descriptor *descriptor)
{
    return json_pack("{s:s, s:s, s:I}", "mediaType", descriptor->media_type, "digest", descriptor->digest, "size",
                     (json_int_t)descriptor->size);
}
