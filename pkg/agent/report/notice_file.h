/* SPDX-License-Identifier: Apache-2.0 */
/* agent/report/notice_file.h - the text of <state>/events.json. Pure; any thread.
 *
 *     {"format":1,"salt":"0123456789abcdef","notices":[{"reason":"WentStale","time":1795000000000000000,"number":3,
 *      "text":"no contact with the source ..."}]}
 *
 * `salt` and `number` are part of the Event's name: the server refuses a repetition after a restart. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "sync/notices.h"

enum { HF_NOTICE_FILE_MAX = 128 << 10 }; /* fits 32 notices with any texts */

/* -E2BIG: `out` is full. */
HF_MUST_USE int hf_notice_file_format(const struct hf_notices *notices, uint64_t salt, struct hf_buf *out);

/* Into an empty queue; skips notices of reasons unknown to this version. -EBADMSG: damaged or another format; the queue
 * is unchanged. */
HF_MUST_USE int hf_notice_file_parse(struct hf_view text, struct hf_notices *notices, uint64_t *ret_salt,
                                     struct hf_err *err);
