/* SPDX-License-Identifier: Apache-2.0 */
/* Names of images: HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]. Pure. */
#pragma once

#include "oci/descriptor.h"

enum { HF_OCI_HOST = 256, HF_OCI_REPOSITORY = 256, HF_OCI_TAG = 129 };

struct hf_oci_reference {
    char host[HF_OCI_HOST];
    char repository[HF_OCI_REPOSITORY];
    char tag[HF_OCI_TAG];       /* or "" */
    char digest[HF_OCI_DIGEST]; /* or ""; takes precedence over `tag` */
};

/* Map the host in an image's name to the host of the API, and to the host in config.json: Docker's hub has three
 * hosts. */
const char *hf_oci_api_host(const char *host);
const char *hf_oci_login_host(const char *host);
/* Reverses hf_oci_api_host(). */
const char *hf_oci_name_host(const char *api_host);

bool hf_oci_is_tag(const char *text);

/* Also accepts the oci:// URL of a blob. -EINVAL: invalid. There is no default registry. */
HF_MUST_USE int hf_oci_reference_parse(const char *text, struct hf_oci_reference *ret, struct hf_err *err);
/* Formats the API's "https://HOST" or, if `plain`, "http://HOST". `text` needs 32 bytes more than the host. */
const char *hf_oci_reference_origin(const struct hf_oci_reference *reference, bool plain, char *text, size_t size);

/* Makes the API's URL of the blob "oci://HOST/REPOSITORY@DIGEST": http on loopback, else https. 1: free *ret_url. 0:
 * `url` has another form. */
HF_MUST_USE int hf_oci_blob_url(const char *url, char **ret_url);
/* Extracts the repository from the API's URL of a blob. Returns false for any other URL. */
bool hf_oci_blob_repository(const char *url, char name[static HF_OCI_REPOSITORY]);
