/* SPDX-License-Identifier: Apache-2.0 */
/* codec/gunzip.h - decompresses gzip (RFC 1952) piece by piece, for archives of untrusted origin.
 *
 * Accepts up to HF_GUNZIP_MAX_MEMBERS members, one after the other, as parallel compressors and registries write them;
 * their contents follow each other. Any other bytes after a member are an error. Memory: about 56 KiB. The decoder does
 * not limit the size of the output, so the caller's `write` must return an error when the output becomes too large.
 * Threads: one at a time. Errors: 0 or -errno. *err has the cause; an error of `write`, and a call after an error,
 * leave *err unchanged. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/macros.h"

enum { HF_GUNZIP_MAX_MEMBERS = 4096 };

struct hf_gunzip;

/* `write` gets the decompressed bytes in order; it returns 0, or -errno to end the decompression with that error.
 * Returns NULL on OOM. */
struct hf_gunzip *hf_gunzip_new(int (*write)(void *ctx, const void *bytes, size_t n), void *ctx);
void hf_gunzip_free(struct hf_gunzip *gunzip);
HF_DEFINE_CLEANUP(struct hf_gunzip, hf_gunzip_free)

/* Takes compressed bytes, in pieces of any size. -EBADMSG: the bytes are not gzip, are damaged, or follow the last
 * member. -E2BIG: there are too many members. Also returns -ENOMEM and the errors of `write`. After an error, further
 * calls fail and do not call `write`. */
HF_MUST_USE int hf_gunzip_feed(struct hf_gunzip *gunzip, const void *bytes, size_t n, struct hf_err *err);
/* Ends the input. -ENODATA: the last member is incomplete. After an error of hf_gunzip_feed(), returns that error. */
HF_MUST_USE int hf_gunzip_finish(struct hf_gunzip *gunzip, struct hf_err *err);
