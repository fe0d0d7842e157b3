/* SPDX-License-Identifier: Apache-2.0 */
/* Decompresses gzip (RFC 1952) of untrusted origin, piece by piece.
 *
 * Accepts several members, as parallel compressors and registries write them. `write` must limit the output. About 56
 * KiB. An error of `write`, and a call after an error, leave *err. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/macros.h"

enum { HF_GUNZIP_MAX_MEMBERS = 4096 };

struct hf_gunzip;

/* `write`: in order; its -errno ends all. */
struct hf_gunzip *hf_gunzip_new(int (*write)(void *ctx, const void *bytes, size_t n), void *ctx);
void hf_gunzip_free(struct hf_gunzip *gunzip);
HF_DEFINE_CLEANUP(struct hf_gunzip, hf_gunzip_free)

/* -EBADMSG: not gzip, damaged, or bytes after the last member. -E2BIG: too many members. After an error calls fail. */
HF_MUST_USE int hf_gunzip_feed(struct hf_gunzip *gunzip, const void *bytes, size_t n, struct hf_err *err);
/* -ENODATA: incomplete. Repeats earlier errors. */
HF_MUST_USE int hf_gunzip_finish(struct hf_gunzip *gunzip, struct hf_err *err);
