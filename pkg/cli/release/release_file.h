/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a release's folder, and their URLs. Free the results. */
#pragma once

#include "cli/parts.h"

/* Returns the URL of `name` below `base`; below oci://HOST/REPOSITORY, of the blob with the hash. */
char *hf_release_file_url(const char *base, const char *name, const char *sha256);

/* Returns the path in `folder` of the URL's last part; for oci://, of the file with this size and the URL's hash, else
 * one for messages. NULL: see *err. */
char *hf_release_file_path(struct hf_cli *cli, const char *folder, const char *url, uint64_t size, struct hf_err *err);
