/* SPDX-License-Identifier: Apache-2.0 */
/* sync/hold.h - reads the site's order not to update, which is the file <state>/hold. `holdfast hold --reason` or a
 * person writes this file. Pure.
 *
 *     {"reason": "line 3 is running", "since": "2026-11-20T08:00:00Z", "until": "2026-11-20T18:00:00Z"}
 *
 * `since` and `until` may be absent. A hold ends HF_HOLD_MAX_NS after the agent first saw it at the latest, so that a
 * forgotten file does not block a security fix for ever (sync/hold_age.h). A file that nobody can read or parse counts
 * as a hold as long as the file exists, because somebody put the file there on purpose. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

#define HF_HOLD_MAX_NS (7ull * 24 * 3600 * HF_NS_PER_S)

enum { HF_HOLD_FILE_MAX = 4096, HF_HOLD_REASON_MAX = 128 };

struct hf_hold {
    bool present;
    bool unreadable; /* nobody can read the file, so the hold lasts as long as the file exists */
    /* reason for the hold; a long one is cut after a whole character, and ASCII control characters become blanks */
    char reason[HF_HOLD_REASON_MAX];
    uint64_t since_unix_ns; /* start of the hold (0 means unknown) */
    uint64_t until_unix_ns; /* end of the hold (HF_NEVER means that the file has no `until`, or is not a hold file) */
};

/* Parses the file. -EBADMSG: the text is not a hold file. The function then sets *ret_hold to a hold whose reason
 * reports the failure. */
HF_MUST_USE int hf_hold_parse(struct hf_view text, struct hf_hold *ret_hold, struct hf_err *err);

/* Judges the file by the result of reading it: `r` is 0 or -errno, and `text` is the content if r is 0. Only -ENOENT
 * means that there is no hold, and returns 0. A file that exists but cannot be read counts as a hold, and so does a
 * file that is too large. Returns 0, r, or an error of hf_hold_parse(). */
HF_MUST_USE int hf_hold_take(int r, struct hf_view text, struct hf_hold *ret_hold, struct hf_err *err);

/* Returns the number that tells this hold from all others: a fingerprint of the text of the file and of the time at
 * which the file was written. Never 0. */
uint64_t hf_hold_id(struct hf_view text, uint64_t written_unix_ns);

/* Returns the longest time for which the hold may last: until - since if the file has both, else HF_HOLD_MAX_NS, and
 * never more than that. HF_NEVER: nobody can read the file. */
uint64_t hf_hold_length_ns(const struct hf_hold *hold);
