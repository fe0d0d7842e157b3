/* spool/stream.h - who a spool is: 128 random bits, kept in the file `stream` of its folder (FORMAT.md).
 *
 * A receiver that knows (node, stream, sequence) refuses it the next time, so a stream must never give a sequence out twice.
 * Where that cannot be proven (the folder was emptied, its end is damaged), the stream is renewed. Blocks. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/rand.h"

enum { HF_SPOOL_STREAM_TEXT = 33 }; /* 32 hex digits and the end */

/* -ENOENT: none yet; -EBADMSG: damaged. */
HF_MUST_USE int hf_spool_stream_load(const struct hf_fs_ops *fs, const char *dir, char ret_text[HF_SPOOL_STREAM_TEXT],
                                     struct hf_err *err);
/* Write it again, durably. */
HF_MUST_USE int hf_spool_stream_store(const struct hf_fs_ops *fs, const char *dir, const char *text,
                                      struct hf_err *err);
/* Another one, durable before it is returned. */
HF_MUST_USE int hf_spool_stream_renew(const struct hf_fs_ops *fs, const struct hf_rand_ops *rng, const char *dir,
                                      char ret_text[HF_SPOOL_STREAM_TEXT], struct hf_err *err);
