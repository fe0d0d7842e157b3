/* SPDX-License-Identifier: Apache-2.0 */
/* The identity of a spool: 128 random bits in the file `stream` (FORMAT.md). A receiver refuses a node, stream and
 * sequence seen before, so a spool that could repeat a sequence gets a new stream. Threads: any; blocks. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/rand.h"

enum { HF_SPOOL_STREAM_TEXT = 33 }; /* 32 hex digits */

/* -ENOENT: no file. -EBADMSG: damaged. */
HF_MUST_USE int hf_spool_stream_load(const struct hf_fs_ops *fs, const char *dir, char ret_text[HF_SPOOL_STREAM_TEXT],
                                     struct hf_err *err);
HF_MUST_USE int hf_spool_stream_store(const struct hf_fs_ops *fs, const char *dir, const char *text,
                                      struct hf_err *err);
/* Stores a new stream durably. */
HF_MUST_USE int hf_spool_stream_renew(const struct hf_fs_ops *fs, const struct hf_rand_ops *rng, const char *dir,
                                      char ret_text[HF_SPOOL_STREAM_TEXT], struct hf_err *err);
