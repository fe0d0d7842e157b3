/* SPDX-License-Identifier: Apache-2.0 */
/* Decompresses gzip (RFC 1952) of untrusted origin, of up to HF_GUNZIP_MAX_MEMBERS members, piece by piece. `write`
 * must limit the output. Takes about 56 KiB. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/macros.h"

enum { HF_GUNZIP_MAX_MEMBERS = 4096 };

struct hf_gunzip;

/* `write` gets the output in order; its -errno ends the decompression. */
struct hf_gunzip *hf_gunzip_new(int (*write)(void *ctx, const void *bytes, size_t n), void *ctx);
void hf_gunzip_free(struct hf_gunzip *gunzip);
HF_DEFINE_CLEANUP(struct hf_gunzip, hf_gunzip_free)

/* -EBADMSG: not gzip, damaged, or other bytes after the last member. -E2BIG: too many members. After an error all calls
 * fail. */
HF_MUST_USE int hf_gunzip_feed(struct hf_gunzip *gunzip, const void *bytes, size_t n, struct hf_err *err);
/* -ENODATA: the data is incomplete. Repeats an earlier error. */
HF_MUST_USE int hf_gunzip_finish(struct hf_gunzip *gunzip, struct hf_err *err);
