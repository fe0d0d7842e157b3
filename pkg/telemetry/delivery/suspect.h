/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/delivery/suspect.h - decides which of the two causes broken connections: a batch or the sink.
 *
 * A record can make a proxy or the sink drop the connection instead of answering. No status code then shows which
 * record is the cause, but this pattern does: the record's batch fails for whole rounds of attempts (delivery/retry.h),
 * while the sink accepts other batches and no other batch fails. After HF_SUSPECT_ROUNDS such rounds in a row the
 * outlet splits the batch. (These rounds may take hours, because the delay between rounds grows.) For the parts of the
 * batch, fewer rounds are enough. After one such round the outlet splits a part again, and after HF_SUSPECT_LAST rounds
 * it moves a part that is a single record to the dead letters.
 *
 * If another batch failed in the same round, the sink is at fault. If the content of the batch cannot be the cause of a
 * failure (for example because no connection was open yet), the network or the sink is at fault. In both cases the
 * count of rounds starts again at 0. A round in which the sink accepted no other batch does not count. A failure of one
 * part of a split batch does not reset the count of another part, because a batch can hold two records that break
 * connections.
 *
 * Pure; the structs are plain values, and all times are monotonic nanoseconds. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { HF_SUSPECT_ROUNDS = 8, HF_SUSPECT_LAST = 2 };

/* The evidence against one batch. After a split, each part starts with the value of `sure` that the whole batch had,
 * and with the other fields 0. */
struct hf_suspect {
    bool sure;      /* true if the batch, or the batch that it is a part of, was found to be at fault */
    unsigned alone; /* number of rounds in a row in which only this batch failed */
    /* time since which failures and deliveries of other batches count for the current round (0 means no failure yet) */
    uint64_t since_ns;
};

/* The failures of one sink: which batch failed last, when that batch failed (last_ns), and when any other batch last
 * failed (other_ns). */
struct hf_suspects {
    uint64_t who; /* id of the batch that failed last (0 means none) */
    uint64_t last_ns, other_ns;
};

/* Records a failed attempt of the batch with the id `who` (not 0). Pass maybe_content = true if the content may have
 * caused the failure. */
void hf_suspect_failed(struct hf_suspect *suspect, struct hf_suspects *sink, uint64_t who, bool maybe_content,
                       uint64_t now_ns);
/* Call this function after hf_suspect_failed() if the failed attempt ended a round. Returns true if the batch is at
 * fault. Pass single = true if the batch has only one record. delivered_ns is the time at which the sink last accepted
 * another batch (0 means never). */
bool hf_suspect_round_ended(struct hf_suspect *suspect, const struct hf_suspects *sink, uint64_t who, bool single,
                            uint64_t delivered_ns, uint64_t now_ns);
