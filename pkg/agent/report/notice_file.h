/* SPDX-License-Identifier: Apache-2.0 */
/* Format of <state>/events.json (codec/state/record.h). Pure. `salt` and `number` go into an Event's name, so the
 * server refuses repetitions. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "codec/state/record.h"
#include "sync/notices.h"

enum { HF_NOTICE_FILE_MAX = 128 << 10 };

extern const struct hf_record_type hf_notice_file_type;

HF_MUST_USE int hf_notice_file_format(const struct hf_notices *notices, uint64_t salt, struct hf_buf *out);

/* Reads into an empty queue, which stays empty after a failure; skips notices without known reason, number or text.
 * -EBADMSG: such as damaged, or another format. */
HF_MUST_USE int hf_notice_file_parse(struct hf_view text, struct hf_notices *notices, uint64_t *ret_salt,
                                     struct hf_err *err);
