/* SPDX-License-Identifier: Apache-2.0 */
/* The delta in progress, in <state>/updates/<release>/attempt (codec/state/record.h): durable before its first byte is
 * parsed, removed when it succeeds, fails or is stopped. Functions with `fs` block. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/fs.h"
#include "codec/sha256.h"
#include "codec/state/record.h"
#include "os/room.h"

/* deaths of the agent while it applies one delta, from any cause; then it avoids the delta */
enum { HF_ATTEMPT_MAX_DEATHS = 3 };

struct hf_attempt {
    char delta[HF_SHA256_HEX];
    char makes[HF_SHA256_HEX];
    uint64_t size;
    uint64_t at;     /* offset where this attempt resumed; 0: it began anew */
    unsigned deaths; /* in earlier attempts at this delta */
    char boot[40];   /* boot id when the attempt began */
    struct hf_room_kills kills;
};

struct hf_attempt_now {
    char boot[40];
    struct hf_room_kills kills;
    uint64_t at; /* offset where the delta can resume */
};

/* Sets `boot`, `kills` and `deaths` (one more than recorded for this delta, capped, or 0), and saves *attempt. */
HF_MUST_USE int hf_attempt_begin(const struct hf_fs_ops *fs, const char *folder, struct hf_attempt *attempt,
                                 struct hf_err *err);
/* 0 also if there is no record. */
HF_MUST_USE int hf_attempt_end(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err);
/* False: no usable record; a damaged one is set aside. */
bool hf_attempt_find(const struct hf_fs_ops *fs, const char *folder, struct hf_attempt *ret_attempt);

/* Sets `boot` and `kills`; `at` becomes 0. */
void hf_attempt_look(const struct hf_fs_ops *fs, struct hf_attempt_now *ret_now);

/* Whether the OOM killer struck since the attempt began, in the agent's cgroup or the one above, without a reboot
 * since. Pure. */
bool hf_attempt_oom(const struct hf_attempt *attempt, const struct hf_attempt_now *now);

/* Whether to avoid the delta: after hf_attempt_oom(), a death without progress or reboot, or HF_ATTEMPT_MAX_DEATHS
 * deaths. Pure. */
bool hf_attempt_gives_up(const struct hf_attempt *attempt, const struct hf_attempt_now *now);

extern const struct hf_record_type hf_attempt_type;
