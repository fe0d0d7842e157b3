/* SPDX-License-Identifier: Apache-2.0 */
/* Writes a folder as a canonical archive (pack/tar/archive.h), the same bytes on every machine. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/macros.h"

/* Refuses members that a node would refuse; *err names them. `is_new` also refuses a folder without files, and extended
 * attributes, which would be lost. Returns the first error of write(). */
HF_MUST_USE int hf_cli_tar(const char *folder, bool is_new, int (*write)(void *ctx, const void *bytes, size_t n),
                           void *ctx, struct hf_err *err);
