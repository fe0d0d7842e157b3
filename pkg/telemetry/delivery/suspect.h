/* SPDX-License-Identifier: Apache-2.0 */
/* Does a batch or the sink break connections (suspect.c)? A batch that does for HF_SUSPECT_ROUNDS in a row (hours) is
 * split, a part after one more; a single record is a dead letter after HF_SUSPECT_LAST. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { HF_SUSPECT_ROUNDS = 8, HF_SUSPECT_LAST = 2 };

/* Against one batch. After a split, parts inherit `sure` alone. */
struct hf_suspect {
    bool sure;         /* of it, or what it is part of */
    unsigned alone;    /* rounds in a row in which it failed and others did not */
    uint64_t since_ns; /* start of this round's evidence; 0: no failure */
};

/* The batch that failed last (`who`, 0: none), when, and when another did. */
struct hf_suspects {
    uint64_t who;
    uint64_t last_ns, other_ns;
};

/* `who`: the batch's id, not 0. */
void hf_suspect_failed(struct hf_suspect *suspect, struct hf_suspects *sink, uint64_t who, bool maybe_content,
                       uint64_t now_ns);
/* After hf_suspect_failed(), if it ends a round. True: the batch's fault. delivered_ns: when another was accepted (0:
 * never). */
bool hf_suspect_round_ended(struct hf_suspect *suspect, const struct hf_suspects *sink, uint64_t who, bool single,
                            uint64_t delivered_ns, uint64_t now_ns);
