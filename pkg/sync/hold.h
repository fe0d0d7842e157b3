/* SPDX-License-Identifier: Apache-2.0 */
/* The site's order not to update: the file <state>/hold.
 *
 *     {"reason": "line 3 is running", "since": "2026-11-20T08:00:00Z", "until": "2026-11-20T18:00:00Z"}
 *
 * `since` and `until` may be absent. A hold ends HF_HOLD_MAX_NS after the agent first saw it, at the latest
 * (sync/hold_age.h): a forgotten file must not block a security fix for ever. A file that cannot be read or parsed is
 * there on purpose: it holds while it exists. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

#define HF_HOLD_MAX_NS (7ull * 24 * 3600 * HF_NS_PER_S)

enum { HF_HOLD_FILE_MAX = 4096, HF_HOLD_REASON_MAX = 128 };

struct hf_hold {
    bool present;
    bool unreadable;
    char reason[HF_HOLD_REASON_MAX];
    uint64_t since_unix_ns;
    uint64_t until_unix_ns; /* HF_NEVER: none */
};

/* -EBADMSG: `text` is no valid hold file; *ret_hold is then an unreadable hold. */
HF_MUST_USE int hf_hold_parse(struct hf_view text, struct hf_hold *ret_hold, struct hf_err *err);

/* `r`: the result of reading the file. -ENOENT means no hold, and returns 0; another failure is a hold, and returns
 * `r`. Otherwise returns what hf_hold_parse() does. */
HF_MUST_USE int hf_hold_take(int r, struct hf_view text, struct hf_hold *ret_hold, struct hf_err *err);

/* Returns a fingerprint of text and time of writing, never 0. */
uint64_t hf_hold_id(struct hf_view text, uint64_t written_unix_ns);

/* Returns until - since, at most and by default HF_HOLD_MAX_NS; HF_NEVER for an unreadable file. */
uint64_t hf_hold_length_ns(const struct hf_hold *hold);
