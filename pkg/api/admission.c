/* SPDX-License-Identifier: Apache-2.0 */
#include "api/admission.h"

#include <string.h>

#include "base/endian.h"
#include "codec/sha256.h"

unsigned hf_admission_slot(const char *node_name, const char *digest)
{
    unsigned char hash[HF_SHA256_BYTES];
    struct hf_sha256 sha256;

    hf_sha256_init(&sha256);
    hf_sha256_update(&sha256, node_name, strlen(node_name));
    hf_sha256_update(&sha256, "/", 1);
    hf_sha256_update(&sha256, digest, strlen(digest));
    hf_sha256_final(&sha256, hash);
    uint64_t first = hf_be32(hash);
    return (unsigned)(first * 10000 >> 32);
}

bool hf_admission_is_for(const struct hf_edgeupdate *update)
{
    return strcmp(update->admission_digest, update->release.digest) == 0 &&
           (update->admission_selector[0] == '\0' || strcmp(update->admission_selector, update->selector_hash) == 0);
}

bool hf_admission_selects(const struct hf_edgeupdate *update, const json_t *node_labels)
{
    return hf_selector_matches(&update->node_selector, node_labels);
}

bool hf_admission_allows(const struct hf_edgeupdate *update, const char *node_name, const json_t *node_labels)
{
    if (!hf_admission_selects(update, node_labels))
        return false;
    if (!update->has_strategy)
        return true;
    if (!hf_admission_is_for(update))
        return false;
    if (update->admission_canary && update->has_canary && hf_selector_matches(&update->canary_selector, node_labels))
        return true;
    return hf_admission_slot(node_name, update->release.digest) < update->admission_cutoff;
}
