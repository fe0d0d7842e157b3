/* sync/hold.h - reads the site's order not to update, which is the file <state>/hold. `holdfast hold --reason` or a
 * person writes this file. Pure.
 *
 *     {"reason": "line 3 is running", "since": "2026-11-20T08:00:00Z", "until": "2026-11-20T18:00:00Z"}
 *
 * `since` and `until` may be absent. A hold with `since` ends HF_HOLD_MAX_NS after `since` at the latest, so that a
 * forgotten file does not block a security fix for ever. A file that nobody can parse counts as a hold as long as the
 * file exists, because somebody put the file there on purpose. The same goes for a file that cannot be read. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

#define HF_HOLD_MAX_NS (7ull * 24 * 3600 * HF_NS_PER_S)

enum { HF_HOLD_FILE_MAX = 4096, HF_HOLD_REASON_MAX = 128 };

struct hf_hold {
    bool present;
    /* reason for the hold; a long one is cut after a whole character, and ASCII control characters become blanks */
    char reason[HF_HOLD_REASON_MAX];
    uint64_t since_unix_ns; /* start of the hold (0 means unknown) */
    uint64_t until_unix_ns; /* end of the hold (HF_NEVER means that the file has no `until`, or is not a hold file) */
};

/* Parses the file. -EBADMSG: the text is not a hold file. The function then sets *ret_hold to a hold whose reason
 * reports the failure. */
HF_MUST_USE int hf_hold_parse(struct hf_view text, struct hf_hold *ret_hold, struct hf_err *err);

/* Judges the file by the result of reading it: `r` is 0 or -errno, and `text` is the content if r is 0. Only -ENOENT means
 * that there is no hold, and returns 0. A file that exists but cannot be read counts as a hold, and so does a file that
 * is too large. Returns 0, r, or an error of hf_hold_parse(). */
HF_MUST_USE int hf_hold_take(int r, struct hf_view text, struct hf_hold *ret_hold, struct hf_err *err);

/* Returns true if the hold is in effect at `unix_ns`. *ret_end_unix_ns is the time at which the hold ends by itself;
 * HF_NEVER means that it never does, or that there is no hold. */
bool hf_hold_active(const struct hf_hold *hold, uint64_t unix_ns, uint64_t *ret_end_unix_ns);
