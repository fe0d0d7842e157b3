/* codec/pack.h - streaming compression of whole-file artifacts to .zst; codec/unpack.h reads it back.
 *
 * Deterministic: same bytes, same output. The window is kept at 8 MiB, so that unpacking on a node stays small; content size
 * and checksum are in the frame. Threads: one at a time. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/macros.h"

struct hf_pack;

/* `write` gets packed bytes in order; 0 or -errno which ends everything with that error. `total_bytes` is what will be fed, all
 * told. NULL on OOM. */
struct hf_pack *hf_pack_new(int (*write)(void *ctx, const void *bytes, size_t n), void *ctx, size_t total_bytes);
void hf_pack_free(struct hf_pack *pack);
HF_DEFINE_CLEANUP(struct hf_pack, hf_pack_free)

HF_MUST_USE int hf_pack_feed(struct hf_pack *pack, const void *bytes, size_t n, struct hf_err *err);
HF_MUST_USE int hf_pack_finish(struct hf_pack *pack, struct hf_err *err);
