/* update/state/attempt.h - the record of a delta in progress, by which a start finds out that the delta killed the
 * agent: <state>/updates/<release>/attempt.
 *
 * A sealed file, durable before the first byte of the delta is read, and removed when the delta ends in any way,
 * including a stop of the agent. A start that finds the file knows that the agent died in the middle. A power cut or a
 * kill from outside is not the delta's fault: the update resumes from the last checkpoint
 * (update/install/checkpoint.h). But a delta that needs more memory than the agent may use kills it every time: then
 * the update must use another delta or the whole file.
 *
 * Threads: any, one at a time; all functions with a file system block. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "codec/sha256.h"
#include "os/room.h"

/* Deaths with one delta, of any kind, before it is avoided: this also ends a loop of watchdog resets on a board that
 * runs out of memory. */
enum { HF_ATTEMPT_MAX_DEATHS = 3 };

struct hf_attempt {
    char delta[HF_SHA256_HEX]; /* hash of the delta */
    char makes[HF_SHA256_HEX]; /* hash of the file it makes */
    uint64_t size;             /* size of that file */
    uint64_t at;               /* bytes of it on disk at the start */
    unsigned deaths;           /* number of earlier deaths with this delta */
    char boot[40];             /* the kernel's boot id; "" unknown */
    struct hf_room_kills kills;
};

/* Facts that the start of an agent collects when it finds the record of an attempt. */
struct hf_attempt_now {
    char boot[40];
    struct hf_room_kills kills;
    uint64_t at; /* bytes from which the delta can resume */
};

/* Fills in boot, kills and deaths (one more if an attempt with this delta is on disk), then saves the record. */
HF_MUST_USE int hf_attempt_begin(const struct hf_fs_ops *fs, const char *folder, struct hf_attempt *attempt,
                                 struct hf_err *err);
/* Removes the record. A missing file is no error. */
HF_MUST_USE int hf_attempt_end(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err);
/* Loads the record. False: there is none, or it is damaged. */
bool hf_attempt_find(const struct hf_fs_ops *fs, const char *folder, struct hf_attempt *ret_attempt);

void hf_attempt_look(const struct hf_fs_ops *fs, struct hf_attempt_now *ret_now); /* all but `at` */

/* True if the kernel's OOM killer struck in the agent's cgroup, or the one above, during the attempt. Pure. */
bool hf_attempt_oom(const struct hf_attempt *attempt, const struct hf_attempt_now *now);

/* True if the update must avoid this delta: after an OOM kill, after a death without progress in the same boot, and
 * after HF_ATTEMPT_MAX_DEATHS deaths in any case. Pure. */
bool hf_attempt_gives_up(const struct hf_attempt *attempt, const struct hf_attempt_now *now);

HF_MUST_USE int hf_attempt_format(const struct hf_attempt *attempt, struct hf_buf *out);
HF_MUST_USE int hf_attempt_parse(struct hf_view text, struct hf_attempt *ret_attempt);
