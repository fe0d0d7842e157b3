/* spool/stream.h - the identity of a spool: 128 random bits in the file `stream` of its folder (FORMAT.md).
 *
 * A receiver that has seen (node, stream, sequence) refuses it the next time, so a stream must never give a sequence
 * out twice. If the spool cannot prove that (somebody emptied the folder, or its end is damaged), it takes a new stream
 * id. Any thread; it blocks. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/rand.h"

enum { HF_SPOOL_STREAM_TEXT = 33 }; /* 32 hex digits and the terminator */

/* Reads the id. -ENOENT: none yet; -EBADMSG: damaged. */
HF_MUST_USE int hf_spool_stream_load(const struct hf_fs_ops *fs, const char *dir, char ret_text[HF_SPOOL_STREAM_TEXT],
                                     struct hf_err *err);
/* Writes the id durably. */
HF_MUST_USE int hf_spool_stream_store(const struct hf_fs_ops *fs, const char *dir, const char *text,
                                      struct hf_err *err);
/* Makes a new id and writes it durably before returning it. */
HF_MUST_USE int hf_spool_stream_renew(const struct hf_fs_ops *fs, const struct hf_rand_ops *rng, const char *dir,
                                      char ret_text[HF_SPOOL_STREAM_TEXT], struct hf_err *err);
