/* SPDX-License-Identifier: Apache-2.0 */
/* Pull and push by the OCI distribution specification, for commands: blocks, on a loop of its own. One thread.
 *
 * Credentials go to the registry's origin, and to the token service by oci/registry/token.h. Digests that the caller
 * names are compared.
 *
 * Errors: -EACCES refused, -ENOENT, -EAGAIN busy or failing, -EBADMSG wrong bytes, -EPROTO another answer,
 * loop/http/http.h's. */
#pragma once

#include "oci/registry/reference.h"

struct hf_oci_registry_config {
    const char *origin; /* hf_oci_reference_origin(); http: loopback only */
    const char *login;  /* "user:password"; or NULL */
    const char *ca_pem; /* NULL: the system's */
    const char *user_agent;
};

struct hf_oci_registry;
/* NULL: *err has EINVAL for `origin`, or others. */
struct hf_oci_registry *hf_oci_registry_new(const struct hf_oci_registry_config *config, struct hf_err *err);
void hf_oci_registry_free(struct hf_oci_registry *registry);
HF_DEFINE_CLEANUP(struct hf_oci_registry, hf_oci_registry_free)

/* `name`: tag or digest. Appends; *ret: type ("": too long), digest, size. */
HF_MUST_USE int hf_oci_registry_manifest(struct hf_oci_registry *registry, const char *repository, const char *name,
                                         struct hf_buf *out, struct hf_oci_descriptor *ret, struct hf_err *err);
/* Index of `digest`'s referrers, by API, or by the tag in its place. *ret_api: the registry has the API. -ENOENT:
 * neither. */
HF_MUST_USE int hf_oci_registry_referrers(struct hf_oci_registry *registry, const char *repository, const char *digest,
                                          struct hf_buf *out, bool *ret_api, struct hf_err *err);

enum { HF_OCI_TAGS = 20000 };
/* Appends the repository's tags to the array `tags`, maybe one twice. -E2BIG: more than HF_OCI_TAGS. */
HF_MUST_USE int hf_oci_registry_tags(struct hf_oci_registry *registry, const char *repository, json_t *tags,
                                     struct hf_err *err);

struct hf_oci_blob_sink {
    void *ctx;
    int (*write)(void *ctx, const void *bytes, size_t n);
};
/* If it fails the sink may have some bytes. */
HF_MUST_USE int hf_oci_registry_blob(struct hf_oci_registry *registry, const char *repository,
                                     const struct hf_oci_descriptor *blob, const struct hf_oci_blob_sink *sink,
                                     struct hf_err *err);

/* Does nothing if the blob is there. `progress` may be NULL. */
HF_MUST_USE int hf_oci_registry_put_blob(struct hf_oci_registry *registry, const char *repository, const char *digest,
                                         struct hf_view bytes,
                                         void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
                                         struct hf_err *err);
/* `name`: tag, or digest of `text`. */
HF_MUST_USE int hf_oci_registry_put_manifest(struct hf_oci_registry *registry, const char *repository, const char *name,
                                             const char *media_type, struct hf_view text, struct hf_err *err);
