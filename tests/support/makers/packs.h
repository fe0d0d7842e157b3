/* SPDX-License-Identifier: Apache-2.0 */
/* support/packs.h - text that compresses as real text does, and the compressors that are installed, as other programs run them. */
#pragma once

#include <stddef.h>

#include "base/buf.h"

/* n bytes of words; the same for the same seed. Every `change`-th word (0: none) is another one than without. */
void packs_text(struct hf_buf *out, size_t n, unsigned seed, unsigned change);

/* Append what `command` (for /bin/sh) makes of in[0..n). Fails the test when the command does. */
void packs_run(const char *command, const void *in, size_t n, struct hf_buf *out);
