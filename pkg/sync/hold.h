/* sync/hold.h - the site's order not to update: <state>/hold, written by `holdfast hold --reason` or by hand. Pure.
 *
 *     {"reason": "line 3 is running", "since": "2026-11-20T08:00:00Z", "until": "2026-11-20T18:00:00Z"}
 *
 * `until` may be absent. A hold ends HF_HOLD_MAX_NS after `since` at the latest, so that a forgotten file does not
 * block a security fix for ever. A file that nobody can parse counts as a hold as long as the file exists, because
 * somebody put it there on purpose. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

#define HF_HOLD_MAX_NS (7ull * 24 * 3600 * HF_NS_PER_S)

enum { HF_HOLD_FILE_MAX = 4096, HF_HOLD_REASON_MAX = 128 };

struct hf_hold {
    bool present;
    char reason[HF_HOLD_REASON_MAX]; /* cut at a whole character; control characters become blanks */
    uint64_t since_unix_ns;          /* 0: unknown */
    uint64_t until_unix_ns;          /* HF_NEVER: only HF_HOLD_MAX_NS ends the hold */
};

/* Parses the file. -EBADMSG: the text is not a hold file. Even then, the function sets *ret_hold, to a hold whose
 * reason reports this failure. */
HF_MUST_USE int hf_hold_parse(struct hf_view text, struct hf_hold *ret_hold, struct hf_err *err);

/* Returns true if the hold is in effect at `unix_ns`. *ret_end_unix_ns is the time at which the hold ends by itself, or
 * HF_NEVER. */
bool hf_hold_active(const struct hf_hold *hold, uint64_t unix_ns, uint64_t *ret_end_unix_ns);
