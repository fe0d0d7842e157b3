/* SPDX-License-Identifier: Apache-2.0 */
/* Judges whether a batch or the sink breaks connections (rules: suspect.c). A batch that alone does so for
 * HF_SUSPECT_ROUNDS rounds in a row (hours) is split, its parts after one round more. A part with a single record
 * becomes a dead letter after HF_SUSPECT_LAST rounds. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { HF_SUSPECT_ROUNDS = 8, HF_SUSPECT_LAST = 2 };

/* Evidence against one batch. Parts of a split batch inherit only `sure`. */
struct hf_suspect {
    bool sure;      /* the batch, or the whole it is part of, is to blame */
    unsigned alone; /* rounds in a row in which only this batch failed */
    uint64_t since_ns;
};

/* Of batches that are not `sure`: `who` failed last (0: none); when it did, and when another one did. */
struct hf_suspects {
    uint64_t who;
    uint64_t last_ns, other_ns;
};

/* `who`: the batch's id, not 0. */
void hf_suspect_failed(struct hf_suspect *suspect, struct hf_suspects *sink, uint64_t who, bool maybe_content,
                       uint64_t now_ns);
/* Returns whether the batch is to blame, after a failure that ended a round. delivered_ns: when another batch was
 * accepted (0: never). */
bool hf_suspect_round_ended(struct hf_suspect *suspect, const struct hf_suspects *sink, uint64_t who, bool single,
                            uint64_t delivered_ns, uint64_t now_ns);
