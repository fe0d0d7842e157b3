/* update/state/attempt.h - the record of a delta in progress, <state>/updates/<release>/attempt. From this record, the
 * next start of the agent finds out that the delta killed the agent.
 *
 * The record is a sealed file. The agent makes it durable before reading the first byte of the delta, and removes it
 * when the delta ends in any way, including a normal stop of the agent. If the file exists at a start of the agent, the
 * agent died while it applied the delta. After a power cut or a kill from outside, which are not the delta's fault, the
 * update resumes from the last checkpoint (update/install/checkpoint.h). But a delta that needs more memory than the
 * agent may use kills the agent every time; then the update must use another delta or the whole file.
 *
 * Threads: any, one at a time; all functions with a file system block. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "codec/sha256.h"
#include "os/room.h"

/* After this number of deaths of any kind with one delta, the update avoids the delta. This limit also ends a loop of
 * watchdog resets on a board that runs out of memory. */
enum { HF_ATTEMPT_MAX_DEATHS = 3 };

struct hf_attempt {
    char delta[HF_SHA256_HEX]; /* hash of the delta */
    char makes[HF_SHA256_HEX]; /* hash of the file that the delta makes */
    uint64_t size;             /* size of that file */
    uint64_t at;               /* bytes of that file on disk when the attempt started */
    unsigned deaths;           /* number of earlier deaths with this delta */
    char boot[40];             /* the kernel's boot id; "" if unknown */
    struct hf_room_kills kills;
};

/* Facts that the start of an agent collects when it finds the record of an attempt. */
struct hf_attempt_now {
    char boot[40];
    struct hf_room_kills kills;
    uint64_t at; /* bytes from which the delta can resume */
};

/* Fills in `boot`, `kills` and `deaths`, then saves the record. If a record of this delta is on disk, `deaths` is one
 * more than in that record; otherwise 0. */
HF_MUST_USE int hf_attempt_begin(const struct hf_fs_ops *fs, const char *folder, struct hf_attempt *attempt,
                                 struct hf_err *err);
/* Removes the record. A missing file is no error. */
HF_MUST_USE int hf_attempt_end(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err);
/* Loads the record. Returns false if there is no record or the record is damaged. */
bool hf_attempt_find(const struct hf_fs_ops *fs, const char *folder, struct hf_attempt *ret_attempt);

void hf_attempt_look(const struct hf_fs_ops *fs, struct hf_attempt_now *ret_now); /* sets all fields except `at` */

/* True if the kernel's OOM killer killed a process in the agent's cgroup or in the cgroup above during the attempt.
 * Pure. */
bool hf_attempt_oom(const struct hf_attempt *attempt, const struct hf_attempt_now *now);

/* True if the update must avoid this delta. That is so after an OOM kill, after a death without progress and without a
 * reboot, and after HF_ATTEMPT_MAX_DEATHS deaths of any kind. Pure. */
bool hf_attempt_gives_up(const struct hf_attempt *attempt, const struct hf_attempt_now *now);

HF_MUST_USE int hf_attempt_format(const struct hf_attempt *attempt, struct hf_buf *out);
HF_MUST_USE int hf_attempt_parse(struct hf_view text, struct hf_attempt *ret_attempt);
