/* update/state/attempt.h - a delta that is being applied, written down before it begins: <state>/updates/<release>/attempt.
 *
 * A sealed file, durable before the first byte of the delta is read and removed when applying it has come to any end, a stop of the
 * agent among them. So where a start finds one, the agent died in the middle. A power cut and a kill for one's own reasons are no
 * fault of the delta, and what was made is gone on with (update/install/checkpoint.h); a delta that takes more memory than the agent may have
 * kills it again every time, and another way must be taken.
 * Blocks, but for hf_attempt_gives_up(). Threads: any, one at a time. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "codec/sha256.h"
#include "os/room.h"

/* Deaths with one delta, whatever they look like, before it is given up: also a board that a watchdog resets because the delta
 * takes all its memory comes to an end. */
enum { HF_ATTEMPT_MAX_DEATHS = 3 };

struct hf_attempt {
    char delta[HF_SHA256_HEX]; /* of the delta */
    char makes[HF_SHA256_HEX]; /* of the file it makes */
    uint64_t size;             /* of that */
    uint64_t at;               /* bytes of it that were there when it began */
    unsigned deaths;           /* with this delta before */
    char boot[40];             /* the kernel's boot id, "" unknown */
    struct hf_room_kills kills;
};

/* How it is now that a start has found an attempt. */
struct hf_attempt_now {
    char boot[40];
    struct hf_room_kills kills;
    uint64_t at; /* bytes that could be gone on from */
};

/* Fills in boot, kills and deaths (one more when an attempt with this delta is there), then writes it down. */
HF_MUST_USE int hf_attempt_begin(const struct hf_fs_ops *fs, const char *folder, struct hf_attempt *attempt,
                                 struct hf_err *err);
/* It came to an end, or is not wanted any more. Absent is fine. */
HF_MUST_USE int hf_attempt_end(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err);
/* False: there is none, or it is damaged. */
bool hf_attempt_find(const struct hf_fs_ops *fs, const char *folder, struct hf_attempt *ret_attempt);

void hf_attempt_look(const struct hf_fs_ops *fs, struct hf_attempt_now *ret_now); /* but for `at` */

/* Did the kernel's OOM killer strike in the agent's group, or in the one above it, while it was applied? */
bool hf_attempt_oom(const struct hf_attempt *attempt, const struct hf_attempt_now *now);

/* Must another way be taken? Yes: after an OOM kill; when the agent died without having come any further, and the power did not go;
 * after HF_ATTEMPT_MAX_DEATHS in any case. Pure. */
bool hf_attempt_gives_up(const struct hf_attempt *attempt, const struct hf_attempt_now *now);

HF_MUST_USE int hf_attempt_format(const struct hf_attempt *attempt, struct hf_buf *out);
HF_MUST_USE int hf_attempt_parse(struct hf_view text, struct hf_attempt *ret_attempt);
