/* SPDX-License-Identifier: Apache-2.0 */
/* update/state/attempt.h - the delta in progress, in the file <state>/updates/<release>/attempt (codec/state/record.h):
 * a start that finds it knows that the agent died in the middle.
 *
 * It is durable before the first byte of the delta is parsed, and goes when the delta succeeds, fails or is stopped.
 * After a power cut or a signal, the update resumes from the last checkpoint (update/install/checkpoint.h). A delta
 * that needs more memory than there is would kill the agent every time: then hf_attempt_gives_up(), and the update
 * takes another delta or the whole file.
 *
 * Threads: any, but one at a time for one release; all functions with the argument `fs` block. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/fs.h"
#include "codec/sha256.h"
#include "codec/state/record.h"
#include "os/room.h"

/* Deaths of the agent with one delta, from any cause, after which the update avoids it: this also ends a loop of
 * watchdog resets on a board that runs out of memory. */
enum { HF_ATTEMPT_MAX_DEATHS = 3 };

struct hf_attempt {
    char delta[HF_SHA256_HEX];
    char makes[HF_SHA256_HEX];  /* hash of the file that the delta makes */
    uint64_t size;              /* bytes of that file */
    uint64_t at;                /* offset in that file from which the attempt resumed; 0: it began anew */
    unsigned deaths;            /* earlier ones with this delta */
    char boot[40];              /* id of the boot in which it started; "": unknown */
    struct hf_room_kills kills; /* OOM kills when it started */
};

/* What shows how an earlier attempt ended. */
struct hf_attempt_now {
    char boot[40];
    struct hf_room_kills kills;
    uint64_t at; /* offset from which the delta can resume */
};

/* Sets `boot`, `kills` and `deaths` (one more than in a record of this delta on disk), and saves the record. */
HF_MUST_USE int hf_attempt_begin(const struct hf_fs_ops *fs, const char *folder, struct hf_attempt *attempt,
                                 struct hf_err *err);
/* 0 also if there is no record. */
HF_MUST_USE int hf_attempt_end(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err);
/* False: there is no record, or it was damaged and is set aside. */
bool hf_attempt_find(const struct hf_fs_ops *fs, const char *folder, struct hf_attempt *ret_attempt);

/* Leaves `at` 0, which the caller sets. */
void hf_attempt_look(const struct hf_fs_ops *fs, struct hf_attempt_now *ret_now);

/* Since the attempt started, an OOM kill happened in the agent's cgroup or in the one above (os/room.h), without a
 * reboot. Pure. */
bool hf_attempt_oom(const struct hf_attempt *attempt, const struct hf_attempt_now *now);

/* The update must avoid this delta: hf_attempt_oom(), or a death without progress and without a reboot, or
 * HF_ATTEMPT_MAX_DEATHS. Pure. */
bool hf_attempt_gives_up(const struct hf_attempt *attempt, const struct hf_attempt_now *now);

extern const struct hf_record_type hf_attempt_type;
