/* SPDX-License-Identifier: Apache-2.0 */
/* Pulls and pushes by the OCI distribution specification, for commands: blocks, on a loop of its own. One thread.
 *
 * Credentials go only to the registry's origin and, by oci/registry/token.h, to its token service. Bytes are compared
 * with digests that the caller names.
 *
 * Errors include -EACCES refused, -ENOENT not found, -EAGAIN busy or failing, -EBADMSG wrong bytes, -EPROTO
 * unexpected answer, and those of loop/http/http.h. */
#pragma once

#include "oci/registry/reference.h"

struct hf_oci_registry_config {
    const char *origin; /* from hf_oci_reference_origin(); http only on loopback */
    const char *login;  /* "user:password"; or NULL */
    const char *ca_pem; /* NULL: the system's certificates */
    const char *user_agent;
};

struct hf_oci_registry;
/* Returns NULL on errors; *err has EINVAL for a bad `origin`. */
struct hf_oci_registry *hf_oci_registry_new(const struct hf_oci_registry_config *config, struct hf_err *err);
void hf_oci_registry_free(struct hf_oci_registry *registry);
HF_DEFINE_CLEANUP(struct hf_oci_registry, hf_oci_registry_free)

/* Appends a manifest. `name`: tag or digest. *ret: type ("" if too long), digest and size. */
HF_MUST_USE int hf_oci_registry_manifest(struct hf_oci_registry *registry, const char *repository, const char *name,
                                         struct hf_buf *out, struct hf_oci_descriptor *ret, struct hf_err *err);
/* Appends the index of `digest`'s referrers, from the API, or from the tag that replaces it. *ret_api: the registry has
 * the API. -ENOENT: it has neither API nor tag. */
HF_MUST_USE int hf_oci_registry_referrers(struct hf_oci_registry *registry, const char *repository, const char *digest,
                                          struct hf_buf *out, bool *ret_api, struct hf_err *err);

enum { HF_OCI_TAGS = 20000 };
/* Appends the repository's tags to the array `tags`, perhaps some of them twice. -E2BIG: more than HF_OCI_TAGS. */
HF_MUST_USE int hf_oci_registry_tags(struct hf_oci_registry *registry, const char *repository, json_t *tags,
                                     struct hf_err *err);

struct hf_oci_blob_sink {
    void *ctx;
    int (*write)(void *ctx, const void *bytes, size_t n);
};
/* Passes a blob to the sink, which after a failure may have got some bytes. */
HF_MUST_USE int hf_oci_registry_blob(struct hf_oci_registry *registry, const char *repository,
                                     const struct hf_oci_descriptor *blob, const struct hf_oci_blob_sink *sink,
                                     struct hf_err *err);

/* Pushes a blob unless the registry has it. `progress` may be NULL. */
HF_MUST_USE int hf_oci_registry_put_blob(struct hf_oci_registry *registry, const char *repository, const char *digest,
                                         struct hf_view bytes,
                                         void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
                                         struct hf_err *err);
/* `name`: a tag, or the digest of `text`. */
HF_MUST_USE int hf_oci_registry_put_manifest(struct hf_oci_registry *registry, const char *repository, const char *name,
                                             const char *media_type, struct hf_view text, struct hf_err *err);
