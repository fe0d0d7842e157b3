/* codec/gunzip.h - decompresses one gzip member (RFC 1952) piece by piece, for archives of untrusted origin.
 *
 * Accepts exactly one member. Any bytes after the member are an error, even a second member, because programs differ in
 * what they read from such a file. Memory: about 56 KiB. The decoder does not limit the size of the output, so the
 * caller's `write` must return an error when the output becomes too large. Threads: one at a time. Errors: 0 or -errno.
 * *err has the cause; an error of `write`, and a call after an error, leave *err unchanged. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/macros.h"

struct hf_gunzip;

/* `write` gets the decompressed bytes in order; it returns 0, or -errno to end the decompression with that error.
 * Returns NULL on OOM. */
struct hf_gunzip *hf_gunzip_new(int (*write)(void *ctx, const void *bytes, size_t n), void *ctx);
void hf_gunzip_free(struct hf_gunzip *gunzip);
HF_DEFINE_CLEANUP(struct hf_gunzip, hf_gunzip_free)

/* Takes compressed bytes, in pieces of any size. -EBADMSG: the bytes are not gzip, are damaged, or follow the end of
 * the member. Also returns -ENOMEM and the errors of `write`. After an error, further calls fail and do not call
 * `write`. */
HF_MUST_USE int hf_gunzip_feed(struct hf_gunzip *gunzip, const void *bytes, size_t n, struct hf_err *err);
/* Ends the input. -ENODATA: the member is incomplete. After an error of hf_gunzip_feed(), returns that error. */
HF_MUST_USE int hf_gunzip_finish(struct hf_gunzip *gunzip, struct hf_err *err);
