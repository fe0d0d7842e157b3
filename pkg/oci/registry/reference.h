/* SPDX-License-Identifier: Apache-2.0 */
/* The name of an image in a registry: HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]. Pure. */
#pragma once

#include "oci/descriptor.h"

enum { HF_OCI_HOST = 256, HF_OCI_REPOSITORY = 256, HF_OCI_TAG = 129 }; /* with the terminator */

struct hf_oci_reference {
    char host[HF_OCI_HOST]; /* with the port, if there is one */
    char repository[HF_OCI_REPOSITORY];
    char tag[HF_OCI_TAG];       /* "": none */
    char digest[HF_OCI_DIGEST]; /* "": none; it counts where both are there */
};

/* Docker's hub has one host in names, another for its API, and a third in docker's config.json; its own images are in
 * library/. */
const char *hf_oci_api_host(const char *host);
const char *hf_oci_login_host(const char *host);

bool hf_oci_is_tag(const char *text);

/* Takes the oci:// URL of a blob, too.
 * -EINVAL: *err says what is wrong. There is no default registry: an image of another one must not take its place. */
HF_MUST_USE int hf_oci_reference_parse(const char *text, struct hf_oci_reference *ret, struct hf_err *err);
/* "https://HOST", where the API of the registry is; "http://" with `plain`. 32 bytes more than the host are
 * enough. */
const char *hf_oci_reference_origin(const struct hf_oci_reference *reference, bool plain, char *text, size_t size);

/* The URL that a blob of "oci://HOST/REPOSITORY@DIGEST" has in the registry's API: http on loopback, else https. The
 * caller frees it. 1; 0: `url` is another one. */
HF_MUST_USE int hf_oci_blob_url(const char *url, char **ret_url);
/* The repository in such a URL of the API; false: `url` is another one. */
bool hf_oci_blob_repository(const char *url, char name[static HF_OCI_REPOSITORY]);
