/* sync/hold.h - the site's order not to update: <state>/hold, written by `holdfast hold --reason` or by hand. Pure.
 *
 *     {"reason": "line 3 is running", "since": "2026-11-20T08:00:00Z", "until": "2026-11-20T18:00:00Z"}
 *
 * `until` may be absent. A hold ends at the latest HF_HOLD_MAX_NS after `since`: a forgotten file must not block a
 * security fix for ever. A file that cannot be read counts as a hold as long as it exists, because somebody put it
 * there on purpose. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

#define HF_HOLD_MAX_NS (7ull * 24 * 3600 * HF_NS_PER_S)

enum { HF_HOLD_FILE_MAX = 4096, HF_HOLD_REASON_MAX = 128 };

struct hf_hold {
    bool present;
    char reason[HF_HOLD_REASON_MAX]; /* cut between characters; control characters become blanks */
    uint64_t since_unix_ns;          /* 0: unknown */
    uint64_t until_unix_ns;          /* HF_NEVER: only the maximum ends it */
};

/* Parses the file. -EBADMSG: the text is not a hold file. *ret_hold is then a hold whose reason says so (the one
 * output that a failure sets). */
HF_MUST_USE int hf_hold_parse(struct hf_view text, struct hf_hold *ret_hold, struct hf_err *err);

/* Returns true if the hold is in effect at `unix_ns`. *ret_end_unix_ns: the time at which it ends by itself
 * (HF_NEVER). */
bool hf_hold_active(const struct hf_hold *hold, uint64_t unix_ns, uint64_t *ret_end_unix_ns);
