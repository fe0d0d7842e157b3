/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a release's folder, and URLs. Free the results. */
#pragma once

#include "cli/parts.h"

/* Below `base`; below oci://HOST/REPOSITORY: the blob with the hash. */
char *hf_release_file_url(const char *base, const char *name, const char *sha256);

/* In `folder`: the URL's last part; oci://: the file of `size` and hash. It need not exist. NULL: *err. */
char *hf_release_file_path(struct hf_cli *cli, const char *folder, const char *url, uint64_t size, struct hf_err *err);
