/* SPDX-License-Identifier: Apache-2.0 */
/* An image's name: HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]. Pure. */
#pragma once

#include "oci/descriptor.h"

enum { HF_OCI_HOST = 256, HF_OCI_REPOSITORY = 256, HF_OCI_TAG = 129 }; /* with terminator */

struct hf_oci_reference {
    char host[HF_OCI_HOST]; /* with port, if any */
    char repository[HF_OCI_REPOSITORY];
    char tag[HF_OCI_TAG];       /* or "" */
    char digest[HF_OCI_DIGEST]; /* or ""; wins over `tag` */
};

/* Docker's hub has one host in names, another for its API, a third in config.json; its own images are in library/. */
const char *hf_oci_api_host(const char *host);
const char *hf_oci_login_host(const char *host);
/* The host in names, from hf_oci_api_host()'s. */
const char *hf_oci_name_host(const char *api_host);

bool hf_oci_is_tag(const char *text);

/* Takes a blob's oci:// URL, too. -EINVAL. There is no default registry. */
HF_MUST_USE int hf_oci_reference_parse(const char *text, struct hf_oci_reference *ret, struct hf_err *err);
/* The API's "https://HOST"; `plain`: "http://". `text` needs the host's and 32 bytes. */
const char *hf_oci_reference_origin(const struct hf_oci_reference *reference, bool plain, char *text, size_t size);

/* API's URL of blob "oci://HOST/REPOSITORY@DIGEST": http on loopback, else https; free it. 1; 0: another `url`. */
HF_MUST_USE int hf_oci_blob_url(const char *url, char **ret_url);
/* The repository in a URL of this API; false: another URL. */
bool hf_oci_blob_repository(const char *url, char name[static HF_OCI_REPOSITORY]);
