/* SPDX-License-Identifier: Apache-2.0 */
#include "api/signature.h"

#include <string.h>

#include "api/field/text.h"

const struct hf_field hf_signature_fields[] = {
    HF_FIELD_TEXT(struct hf_signature, key_id, "keyId", 1, 63, hf_text_is_key_id,
                  "a key id of lower case letters, digits, '-' and '.'", HF_REQUIRED),
    HF_FIELD_TEXT(struct hf_signature, signature, "signature", 1, 88, hf_text_is_signature,
                  "the base64 of an ed25519 signature (88 characters)", HF_REQUIRED),
    {0}};

void hf_signatures_finish(struct hf_decode *decode, const struct hf_signature *signatures, size_t n)
{
    for (size_t i = 1; i < n; i++)
        for (size_t k = 0; k < i; k++)
            if (signatures[i].key_id != NULL && signatures[k].key_id != NULL &&
                strcmp(signatures[i].key_id, signatures[k].key_id) == 0)
                hf_decode_error_at(decode, "signatures", "key id %s occurs twice", signatures[i].key_id);
}
