/* SPDX-License-Identifier: Apache-2.0 */
/* Which file of a release's folder a URL of it means. */
#pragma once

#include "cli/parts.h"

/* The URL of a file that is served below `base`; below oci://HOST/REPOSITORY it is the blob with the hash. The caller
 * frees it. */
char *hf_release_file_url(const char *base, const char *name, const char *sha256);

/* Its path in `folder`: by the last part of the URL; for oci://, the file of `size` bytes with that hash, whatever its
 * name. The file need not exist. The caller frees it. NULL: *err. */
char *hf_release_file_path(struct hf_cli *cli, const char *folder, const char *url, uint64_t size, struct hf_err *err);
