/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/delivery/suspect.h - decides whether a batch or the sink breaks connections.
 *
 * A batch is at fault if it fails for whole rounds (delivery/retry.h) while the sink accepts other batches and none of
 * them fails. After HF_SUSPECT_ROUNDS such rounds in a row (hours) the outlet splits it; it splits a part again after
 * one, and a single record becomes a dead letter after HF_SUSPECT_LAST. Pure. Times are monotonic. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { HF_SUSPECT_ROUNDS = 8, HF_SUSPECT_LAST = 2 };

/* Evidence against one batch. After a split the parts inherit `sure`; the rest is 0. */
struct hf_suspect {
    bool sure;         /* it, or the batch it is a part of, was at fault */
    unsigned alone;    /* rounds in a row in which only it failed */
    uint64_t since_ns; /* start of what the current round considers; 0: no failure yet */
};

/* One sink's failures: the batch that failed last (`who`, 0: none), when, and when another one last failed. */
struct hf_suspects {
    uint64_t who;
    uint64_t last_ns, other_ns;
};

/* `who` is the batch's id, not 0. */
void hf_suspect_failed(struct hf_suspect *suspect, struct hf_suspects *sink, uint64_t who, bool maybe_content,
                       uint64_t now_ns);
/* After hf_suspect_failed(), if that ended a round. True: the batch is at fault. delivered_ns: when the sink last
 * accepted another (0: never). */
bool hf_suspect_round_ended(struct hf_suspect *suspect, const struct hf_suspects *sink, uint64_t who, bool single,
                            uint64_t delivered_ns, uint64_t now_ns);
