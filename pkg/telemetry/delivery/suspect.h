/* telemetry/delivery/suspect.h - decides whether the batch or the sink is at fault when connections break.
 *
 * A record can make a proxy or the sink drop the connection instead of answering. Then no status code shows which
 * record it was, but a pattern does: the record's batch fails for whole rounds of attempts, while the sink accepts
 * other batches and no other batch fails. After HF_SUSPECT_ROUNDS such rounds in a row the outlet splits the batch.
 * (This takes hours, because each deferral is longer than the one before.) For the parts, fewer rounds are enough:
 * after one such round the outlet splits a part again, and after HF_SUSPECT_LAST rounds it moves a part of a single
 * record to the dead letters.
 *
 * If another batch failed in the same round, the sink is at fault; if the batch failed before a connection was open,
 * the network is. In both cases the count of rounds starts again. A round in which the sink accepted no other batch
 * does not count. A failure of one part of a split batch does not reset the count of another part, because a batch can
 * hold two such records.
 *
 * Pure: plain values; times are monotonic nanoseconds. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { HF_SUSPECT_ROUNDS = 8, HF_SUSPECT_LAST = 2 };

/* What speaks against one batch. After a split, the parts start with `sure` set and the other fields 0. */
struct hf_suspect {
    bool sure;         /* this is a part of a batch that was at fault */
    unsigned alone;    /* rounds in a row in which only this batch failed */
    uint64_t since_ns; /* start of the current round (0 means no failure yet) */
};

/* The failures of one sink: which batch failed last and when, and when another batch last failed. */
struct hf_suspects {
    uint64_t who; /* id of the batch that failed last (0 means none) */
    uint64_t last_ns, other_ns;
};

/* Notes a failed attempt of the batch with the id `who` (not 0). Pass maybe_content = true if the content may have
 * caused the failure. */
void hf_suspect_failed(struct hf_suspect *suspect, struct hf_suspects *sink, uint64_t who, bool maybe_content,
                       uint64_t now_ns);
/* Call when a failed attempt ended a round, after hf_suspect_failed(). Returns true if the batch is at fault. `single`:
 * the batch has one record. `delivered_ns`: time at which the sink last accepted another batch (0 means never). */
bool hf_suspect_round_ended(struct hf_suspect *suspect, const struct hf_suspects *sink, uint64_t who, bool single,
                            uint64_t delivered_ns, uint64_t now_ns);
