/* cli/release/tar.h - write a folder as its canonical archive (pack/tar/archive.h), without owners and attributes.
 *
 * The same folder gives the same bytes on every machine. Refuses everything that a node would refuse; the error
 * names it. Main thread only; blocks. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/macros.h"

/* Passes the archive to write() in order; an error of write() ends it. */
HF_MUST_USE int hf_cli_tar(const char *folder, int (*write)(void *ctx, const void *bytes, size_t n), void *ctx,
                           struct hf_err *err);
