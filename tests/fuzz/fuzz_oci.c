/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests and indexes of a registry: refused, or what is made of an image delta again reads the same. */
#include <stdlib.h>
#include <string.h>

#include "oci/image_delta.h"
#include "oci/manifest.h"
#include "oci/registry/challenge.h"
#include "oci/registry/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void need(int ok)
{
    if (!ok)
        abort();
}

static void again(struct hf_oci_image_delta *delta)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_OCI_JSON_MAX);
    struct hf_oci_image_delta second;

    need(delta->blobs_n > 0 && delta->blobs_n <= HF_OCI_DELTA_BLOBS);
    need(hf_oci_image_delta_format(delta, &text, NULL) == 0);
    need(hf_oci_image_delta_parse(hf_buf_view(&text), &second, NULL) == 0);
    need(second.blobs_n == delta->blobs_n && strcmp(second.from, delta->from) == 0);
    for (size_t i = 0; i < second.blobs_n; i++) {
        const struct hf_oci_delta_blob *a = &delta->blobs[i], *b = &second.blobs[i];
        need(strcmp(a->to, b->to) == 0 && a->to_size == b->to_size && a->from_n == b->from_n);
        need(a->from_n == 0 || memcmp(a->from, b->from, a->from_n * HF_OCI_DIGEST) == 0);
    }
    hf_oci_image_delta_done(&second);
}

/* What a registry, or a file, says of who may ask: no line end gets through to a header. */
static void texts(const char *text)
{
    _cleanup_(hf_buf_done) struct hf_buf url = HF_BUF_INIT(1 << 16), login = HF_BUF_INIT(1 << 16);
    struct hf_oci_challenge challenge;
    struct hf_oci_reference reference;
    char *token = NULL;
    uint64_t seconds;

    if (hf_oci_challenge_parse(text, &challenge) == 0 && hf_oci_challenge_url(&challenge, &url) == 0)
        need(strpbrk(hf_buf_str(&url), "\r\n") == NULL);
    if (hf_oci_token_parse(hf_view_of(text), &token, &seconds, NULL) == 0)
        need(token[0] != '\0' && strpbrk(token, "\r\n ") == NULL);
    free(token);
    if (hf_oci_reference_parse(text, &reference, NULL) == 0)
        need(strstr(reference.repository, "..") == NULL && strpbrk(reference.repository, "?#%@:") == NULL);
    (void)!hf_oci_login_find(hf_view_of(text), "r.example", &login, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const struct hf_view text = {n > 0 ? (const char *)bytes : "", n};
    struct hf_oci_delta_offer *offers = NULL;
    struct hf_oci_image_delta delta;
    struct hf_oci_manifest manifest;
    struct hf_oci_index index;
    size_t count = 0;
    _cleanup_(hf_freep) char *copy = hf_view_dup(text);

    if (copy != NULL)
        texts(copy);
    if (hf_oci_image_delta_parse(text, &delta, NULL) == 0) {
        again(&delta);
        hf_oci_image_delta_done(&delta);
    }
    if (hf_oci_delta_offers_parse(text, &offers, &count, NULL) == 0)
        free(offers);
    if (hf_oci_manifest_parse(text, &manifest, NULL) == 0)
        hf_oci_manifest_done(&manifest);
    if (hf_oci_index_parse(text, &index, NULL) == 0)
        hf_oci_index_done(&index);
    return hf_oci_is_index("", text, NULL) > 1;
}
