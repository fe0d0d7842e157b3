/* SPDX-License-Identifier: Apache-2.0 */
/* update/state/attempt.h - the record of a delta in progress, in the file <state>/updates/<release>/attempt. If a delta
 * kills the agent, the agent finds this record at its next start.
 *
 * The record is a sealed file. The agent makes the record durable before it parses the first byte of the delta. The
 * agent removes the record when the delta succeeds, fails or is stopped. If the record exists when the agent starts,
 * the agent died while it applied the delta. If the cause was a power cut or a signal from another process, the delta
 * is not at fault. The update then resumes from the last checkpoint (update/install/checkpoint.h), unless
 * hf_attempt_gives_up() returns true. If the delta needs more memory than the agent may use, the delta would kill the
 * agent every time. The update must then use another delta or the whole file.
 *
 * Threads: any, but one at a time for one release; all functions with the argument `fs` block. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/fs.h"
#include "codec/sha256.h"
#include "codec/state/record.h"
#include "os/room.h"

/* After this number of deaths of the agent with one delta, from any cause, the update avoids the delta. This limit also
 * ends a loop of watchdog resets on a board that runs out of memory. */
enum { HF_ATTEMPT_MAX_DEATHS = 3 };

struct hf_attempt {
    char delta[HF_SHA256_HEX];  /* hash of the delta */
    char makes[HF_SHA256_HEX];  /* hash of the file that the delta makes */
    uint64_t size;              /* size in bytes of the file that the delta makes */
    uint64_t at;                /* offset in that file, in bytes, from which the attempt resumed; 0 if it began anew */
    unsigned deaths;            /* number of times that the agent died earlier with this delta */
    char boot[40];              /* the kernel's boot id when the attempt started; "" if unknown */
    struct hf_room_kills kills; /* numbers of OOM kills when the attempt started */
};

/* Facts that the agent collects if it finds the record of an earlier attempt. They show how that attempt ended. */
struct hf_attempt_now {
    char boot[40];
    struct hf_room_kills kills;
    uint64_t at; /* offset in the file to make, in bytes, from which the delta can resume */
};

/* Fills in `boot`, `kills` and `deaths`, then saves the record. If a record of this delta is on disk, the new `deaths`
 * is one more than in that record, but at most HF_ATTEMPT_MAX_DEATHS. Otherwise `deaths` is 0. */
HF_MUST_USE int hf_attempt_begin(const struct hf_fs_ops *fs, const char *folder, struct hf_attempt *attempt,
                                 struct hf_err *err);
/* Removes the record. Returns 0 also if there is no record. */
HF_MUST_USE int hf_attempt_end(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err);
/* Loads the record. Returns false if there is no record or the record is damaged. */
bool hf_attempt_find(const struct hf_fs_ops *fs, const char *folder, struct hf_attempt *ret_attempt);

/* Sets `boot` and `kills` of *ret_now. Sets `at` to 0; the caller then sets `at` to the offset. */
void hf_attempt_look(const struct hf_fs_ops *fs, struct hf_attempt_now *ret_now);

/* Returns true if the kernel's OOM killer has killed a process in the agent's cgroup, or in the parent of this cgroup,
 * since the attempt started (os/room.h). Returns false if the node has rebooted since then. Pure. */
bool hf_attempt_oom(const struct hf_attempt *attempt, const struct hf_attempt_now *now);

/* Returns true if the update must avoid this delta. There are three cases: hf_attempt_oom() returns true; the agent
 * died without progress, and the node has not rebooted since the attempt started; or the agent has died
 * HF_ATTEMPT_MAX_DEATHS times with this delta, from any cause. Pure. */
bool hf_attempt_gives_up(const struct hf_attempt *attempt, const struct hf_attempt_now *now);

extern const struct hf_record_type hf_attempt_type;
