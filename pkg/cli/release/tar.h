/* cli/release/tar.h - a folder as a tar archive: the canonical one of pack/tar/archive.h, without owners and attributes.
 *
 * The same folder gives the same bytes on every machine. What a node would refuse is refused here, by name. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/macros.h"

/* `write` gets the archive in order; 0 or -errno which ends everything with that error. */
HF_MUST_USE int hf_cli_tar(const char *folder, int (*write)(void *ctx, const void *bytes, size_t n), void *ctx,
                           struct hf_err *err);
