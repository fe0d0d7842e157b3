/* SPDX-License-Identifier: Apache-2.0 */
/* agent/report/notice_file.h - the text of <state>/events.json (codec/state/record.h). Pure; any thread.
 *
 * `salt` and `number` are part of the Event's name: the server refuses a repetition after a restart. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "codec/state/record.h"
#include "sync/notices.h"

enum { HF_NOTICE_FILE_MAX = 128 << 10 }; /* fits 32 notices with any texts */

extern const struct hf_record_type hf_notice_file_type; /* its struct is private */

/* -E2BIG: `out` is full. */
HF_MUST_USE int hf_notice_file_format(const struct hf_notices *notices, uint64_t salt, struct hf_buf *out);

/* Into an empty queue; skips notices of reasons unknown to this version. -EBADMSG: damaged or another format; the queue
 * is unchanged. */
HF_MUST_USE int hf_notice_file_parse(struct hf_view text, struct hf_notices *notices, uint64_t *ret_salt,
                                     struct hf_err *err);
