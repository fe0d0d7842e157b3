/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/macros.h"

/* Writes a folder as a canonical archive (pack/tar/archive.h): the same bytes everywhere. Refuses members that nodes
 * refuse; if `is_new`, also a folder without files, and extended attributes. Returns write()'s first error. */
HF_MUST_USE int hf_cli_tar(const char *folder, bool is_new, int (*write)(void *ctx, const void *bytes, size_t n),
                           void *ctx, struct hf_err *err);
