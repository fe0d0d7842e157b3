/* SPDX-License-Identifier: Apache-2.0 */
/* cli/release/tar.h - writes a folder as a canonical archive (pack/tar/archive.h), without owners and extended
 * attributes.
 *
 * The same folder gives the same bytes on every machine. The function refuses a folder with a member that a node would
 * refuse to extract; the error names the member. Main thread only; blocks. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/macros.h"

/* Passes the bytes of the archive to write() in order. `is_new`: it is for a release, so refuse a folder without files,
 * and what would lose extended attributes, such as file capabilities. Stops at the first error of
 * write() and returns that error. */
HF_MUST_USE int hf_cli_tar(const char *folder, bool is_new, int (*write)(void *ctx, const void *bytes, size_t n),
                           void *ctx, struct hf_err *err);
