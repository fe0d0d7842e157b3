/* telemetry/delivery/suspect.h - decides whether the batch or the sink is at fault when connections break.
 *
 * A record can make a proxy or the sink drop the connection instead of answering. No status code blames that record,
 * but a pattern does: its batch fails for whole rounds of attempts, other batches pass in between, and no other
 * batch fails. After HF_SUSPECT_ROUNDS such rounds in a row (hours, because each deferral is longer) the outlet
 * splits the batch. After that, one such round is enough to split a part again, and HF_SUSPECT_LAST rounds to move a
 * single record to the dead letters.
 *
 * The count starts again if another batch failed in the same round, or if this batch failed for a reason of the
 * network: then the sink is at fault. A round in which no other batch was sent proves nothing. A failure of a part
 * of a split batch does not clear another suspect, because a batch can hold two such records.
 *
 * Pure: plain values; times are monotonic nanoseconds. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { HF_SUSPECT_ROUNDS = 8, HF_SUSPECT_LAST = 2 };

/* Evidence against one batch. After a split, the parts start with only `sure` set. */
struct hf_suspect {
    bool sure;         /* part of a batch that was at fault */
    unsigned alone;    /* rounds in a row in which only this batch failed */
    uint64_t since_ns; /* start of the current round; 0: no failure yet */
};

/* Evidence about one sink: the batch that failed last, and the last failure of a different batch. */
struct hf_suspects {
    uint64_t who; /* id of the batch; any number but 0 */
    uint64_t last_ns, other_ns;
};

/* Notes a failed attempt. maybe_content: the content may have caused it. */
void hf_suspect_failed(struct hf_suspect *suspect, struct hf_suspects *sink, uint64_t who, bool maybe_content,
                       uint64_t now_ns);
/* Notes that this failure ended a round; returns true if the batch is at fault. single: the batch has one record.
 * delivered_ns: time at which the sink last accepted another batch; 0: never. */
bool hf_suspect_round_ended(struct hf_suspect *suspect, const struct hf_suspects *sink, uint64_t who, bool single,
                            uint64_t delivered_ns, uint64_t now_ns);
