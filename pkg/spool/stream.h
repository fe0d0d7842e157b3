/* SPDX-License-Identifier: Apache-2.0 */
/* spool/stream.h - the identity of a spool: 128 random bits in the file `stream` of its folder (FORMAT.md).
 *
 * A receiver refuses a record whose node, stream and sequence it has seen before, so a stream must never assign one
 * sequence to two records. If somebody emptied the folder, or if the end of its content is damaged, the spool could
 * assign a sequence again, and therefore takes a new stream id. Threads: any; the functions block. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/rand.h"

enum { HF_SPOOL_STREAM_TEXT = 33 }; /* 32 hex digits and the terminator */

/* Reads the stream's id. -ENOENT: the folder has no file `stream`. -EBADMSG: the file is damaged. */
HF_MUST_USE int hf_spool_stream_load(const struct hf_fs_ops *fs, const char *dir, char ret_text[HF_SPOOL_STREAM_TEXT],
                                     struct hf_err *err);
/* Writes the stream's id durably. */
HF_MUST_USE int hf_spool_stream_store(const struct hf_fs_ops *fs, const char *dir, const char *text,
                                      struct hf_err *err);
/* Makes a new stream id, writes it durably, and then returns it in ret_text. */
HF_MUST_USE int hf_spool_stream_renew(const struct hf_fs_ops *fs, const struct hf_rand_ops *rng, const char *dir,
                                      char ret_text[HF_SPOOL_STREAM_TEXT], struct hf_err *err);
