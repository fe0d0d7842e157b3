/* SPDX-License-Identifier: Apache-2.0 */
/* <state>/events.json (codec/state/record.h). Pure. The server refuses repetitions by `salt` and `number` in the
 * name. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "codec/state/record.h"
#include "sync/notices.h"

enum { HF_NOTICE_FILE_MAX = 128 << 10 }; /* 32 notices */

extern const struct hf_record_type hf_notice_file_type; /* private struct */

HF_MUST_USE int hf_notice_file_format(const struct hf_notices *notices, uint64_t salt, struct hf_buf *out);

/* Reads into an empty queue, which stays unchanged after a failure; skips unknown reasons. -EBADMSG: damaged, another
 * format. */
HF_MUST_USE int hf_notice_file_parse(struct hf_view text, struct hf_notices *notices, uint64_t *ret_salt,
                                     struct hf_err *err);
