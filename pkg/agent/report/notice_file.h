/* SPDX-License-Identifier: Apache-2.0 */
/* agent/report/notice_file.h - the text of <state>/events.json: notices that wait until the server can take them as
 * Events, so that a restart of the agent does not lose them. Pure.
 *
 *     {"format":1,"salt":"0123456789abcdef","notices":[{"reason":"WentStale","time":1795000000000000000,"number":3,
 *      "text":"no contact with the source ..."}]}
 *
 * `salt` and `number` are parts of the Event's name. If the agent sends an Event again after a restart, the Event has
 * the same name, so the server refuses the repetition. Threads: any. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "sync/notices.h"

enum { HF_NOTICE_FILE_MAX = 128 << 10 }; /* maximum size in bytes; 32 notices fit, whatever their texts */

/* Appends the text of the file to `out`. Returns 0, -ENOMEM, or -E2BIG if `out` is full. */
HF_MUST_USE int hf_notice_file_format(const struct hf_notices *notices, uint64_t salt, struct hf_buf *out);

/* Adds the notices of the file to the empty queue `notices`, and sets *ret_salt. Skips a notice that this version
 * cannot use, for example because another version wrote an unknown reason. Returns 0, or -EBADMSG if the text is
 * damaged or has another format; the queue is then unchanged. */
HF_MUST_USE int hf_notice_file_parse(struct hf_view text, struct hf_notices *notices, uint64_t *ret_salt,
                                     struct hf_err *err);
