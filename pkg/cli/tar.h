/* cli/tar.h - a folder as a tar archive (POSIX.1-1988 ustar, pax headers of POSIX.1-2001 for long names and large files).
 *
 * The same folder gives the same bytes on every machine: members in order of their names, time 0, owner 0. Files, folders and
 * symbolic links only; anything else is refused by name, as a node would refuse it. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/macros.h"

/* `write` gets the archive in order; 0 or -errno which ends everything with that error. */
HF_MUST_USE int hf_cli_tar(const char *folder, int (*write)(void *ctx, const void *bytes, size_t n), void *ctx,
                           struct hf_err *err);
