/* SPDX-License-Identifier: Apache-2.0 */
/* The delta in progress, in <state>/updates/<release>/attempt (codec/state/record.h): durable before its first byte is
 * parsed, gone when it succeeds, fails or is stopped. Functions with `fs` block. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/fs.h"
#include "codec/sha256.h"
#include "codec/state/record.h"
#include "os/room.h"

/* From any cause, with one delta. */
enum { HF_ATTEMPT_MAX_DEATHS = 3 };

struct hf_attempt {
    char delta[HF_SHA256_HEX];
    char makes[HF_SHA256_HEX]; /* hash of the file to make */
    uint64_t size;
    uint64_t at;                /* offset where the attempt resumed; 0: began anew */
    unsigned deaths;            /* earlier ones */
    char boot[40];              /* at its start */
    struct hf_room_kills kills; /* at its start */
};

struct hf_attempt_now {
    char boot[40];
    struct hf_room_kills kills;
    uint64_t at; /* where it can resume */
};

/* Sets `boot`, `kills` and `deaths` (one more than recorded for this delta), and saves. */
HF_MUST_USE int hf_attempt_begin(const struct hf_fs_ops *fs, const char *folder, struct hf_attempt *attempt,
                                 struct hf_err *err);
/* 0 also without a record. */
HF_MUST_USE int hf_attempt_end(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err);
/* False: none, or damaged and set aside. */
bool hf_attempt_find(const struct hf_fs_ops *fs, const char *folder, struct hf_attempt *ret_attempt);

/* Sets all members except `at`. */
void hf_attempt_look(const struct hf_fs_ops *fs, struct hf_attempt_now *ret_now);

/* True: an OOM kill since the start, in the agent's cgroup or the one above (os/room.h), without a reboot. Pure. */
bool hf_attempt_oom(const struct hf_attempt *attempt, const struct hf_attempt_now *now);

/* True after hf_attempt_oom(), a death without progress or reboot, or HF_ATTEMPT_MAX_DEATHS. Pure. */
bool hf_attempt_gives_up(const struct hf_attempt *attempt, const struct hf_attempt_now *now);

extern const struct hf_record_type hf_attempt_type;
