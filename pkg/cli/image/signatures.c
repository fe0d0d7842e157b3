/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures are where their tools look for them: a tag made of the digest (cosign), or referrers of a known type
 * (cosign, sigstore's bundles, notation). Attestations, which may be large, are left out. */
#include "cli/image/signatures.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool is_signature(const char *type)
{
    static const char *const begins[] = {"application/vnd.dev.cosign.artifact.sig.",
                                         "application/vnd.dev.sigstore.bundle.",
                                         "application/vnd.cncf.notary.signature"};

    for (size_t i = 0; i < HF_LEN(begins); i++)
        if (strncmp(type, begins[i], strlen(begins[i])) == 0)
            return true;
    return false;
}

static int add_blob(struct hf_cli_image *image, const struct hf_oci_descriptor *blob, struct hf_cli_made *made,
                    struct hf_err *err)
{
    _cleanup_(hf_cli_scratch_done) struct hf_cli_scratch scratch = HF_CLI_SCRATCH_INIT;

    if (hf_cli_made_has(made, blob->digest))
        return 0;
    if (blob->size > HF_OCI_JSON_MAX)
        return hf_err_set(err, E2BIG, "'%s' of a signature is larger than %d bytes", blob->digest, HF_OCI_JSON_MAX);
    int r = hf_cli_scratch_open(&scratch, err);
    if (r == 0)
        r = hf_cli_image_blob(image, blob, &scratch, err);
    if (r == 0 && hf_cli_made_add(made, &scratch, blob->media_type, err) == NULL)
        r = -err->code;
    return r;
}

/* `name`: a tag or digest. One that the registry does not have is none. */
static int add_signature(struct hf_cli_image *image, const char *name, struct hf_cli_made *made, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_OCI_JSON_MAX);
    struct hf_oci_manifest manifest = {.layers_n = 0};
    struct hf_oci_descriptor at;
    int r = hf_oci_registry_manifest(hf_cli_image_in_registry(image), hf_cli_image_reference(image)->repository, name,
                                     &text, &at, err);

    if (r == -ENOENT || (r == 0 && hf_cli_made_has(made, at.digest)))
        return 0;
    if (r == 0)
        r = hf_oci_manifest_parse(hf_buf_view(&text), &manifest, err);
    if (r == 0)
        r = hf_cli_made_add_text(made, hf_buf_view(&text), at.media_type, err);
    if (r == 0)
        r = add_blob(image, &manifest.config, made, err);
    for (size_t i = 0; r == 0 && i < manifest.layers_n; i++)
        r = add_blob(image, &manifest.layers[i], made, err);
    hf_oci_manifest_done(&manifest);
    return r < 0 ? hf_err_wrap(err, r, "signature '%s'", name) : 0;
}

int hf_cli_signatures_add(struct hf_cli_image *image, const char *digest, struct hf_cli_made *made, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_OCI_JSON_MAX);
    struct hf_oci_registry *registry = hf_cli_image_in_registry(image);
    struct hf_oci_index index = {.n = 0};
    char tag[HF_OCI_TAG];
    bool api;

    if (registry == NULL)
        return 0;
    (void)snprintf(tag, sizeof(tag), "sha256-%s.sig", digest + strlen("sha256:"));
    int r = add_signature(image, tag, made, err);
    if (r < 0)
        return r;
    r = hf_oci_registry_referrers(registry, hf_cli_image_reference(image)->repository, digest, &text, &api, err);
    if (r == -ENOENT)
        return 0;
    if (r == 0)
        r = hf_oci_index_parse(hf_buf_view(&text), &index, err);
    for (size_t i = 0; r == 0 && i < index.n; i++)
        if (is_signature(index.entries[i].artifact_type))
            r = add_signature(image, index.entries[i].manifest.digest, made, err);
    hf_oci_index_done(&index);
    return r;
}
