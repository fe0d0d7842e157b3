/* SPDX-License-Identifier: Apache-2.0 */
/* No status code shows which record makes a proxy or the sink drop the connection. This pattern does: the record's
 * batch fails for whole rounds of attempts, while the sink accepts other batches and no other batch fails.
 *
 * If another batch failed in the same round, the sink is at fault. If the content cannot be the cause of a failure
 * (such as no open connection), the network or the sink is at fault. Both set the number of rounds to 0. A round in
 * which the sink accepted no other batch changes nothing. A failure of one part of a split batch does not reset
 * another part, because a batch can hold two records that break connections. */
#include "telemetry/delivery/suspect.h"

static void note_failure(struct hf_suspects *sink, uint64_t who, uint64_t now_ns)
{
    if (sink->who != who)
        sink->other_ns = sink->last_ns;
    sink->who = who;
    sink->last_ns = now_ns;
}

static uint64_t others_failed_ns(const struct hf_suspects *sink, uint64_t who)
{
    return sink->who == who ? sink->other_ns : sink->last_ns;
}

void hf_suspect_failed(struct hf_suspect *suspect, struct hf_suspects *sink, uint64_t who, bool maybe_content,
                       uint64_t now_ns)
{
    if (!suspect->sure)
        note_failure(sink, who, now_ns);
    if (suspect->since_ns == 0 || !maybe_content) {
        suspect->since_ns = now_ns;
        suspect->alone = 0;
    }
}

bool hf_suspect_round_ended(struct hf_suspect *suspect, const struct hf_suspects *sink, uint64_t who, bool single,
                            uint64_t delivered_ns, uint64_t now_ns)
{
    unsigned enough = !suspect->sure ? HF_SUSPECT_ROUNDS : single ? HF_SUSPECT_LAST : 1;

    if (others_failed_ns(sink, who) >= suspect->since_ns)
        suspect->alone = 0;
    else if (delivered_ns > suspect->since_ns)
        suspect->alone++;
    else
        return false; /* no other batch was sent: the round proves nothing */
    suspect->since_ns = now_ns;
    return suspect->alone >= enough;
}
