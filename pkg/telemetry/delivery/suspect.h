/* telemetry/delivery/suspect.h - is it the batch or the sink, when the connection breaks each time it is sent? Pure.
 *
 * A record can make a proxy or the sink drop the connection instead of answering. Then nothing says that the record is to blame, but for
 * this: its batch fails, whole series of attempts long, others are delivered in between, and no other one fails. After
 * HF_SUSPECT_ROUNDS such series in a row (hours, for each is deferred longer) the batch is taken apart; of its parts one series
 * each is enough, of a single record HF_SUSPECT_LAST; that one goes to the dead letters. A series in which another batch failed as
 * well, or this one for a reason that is the network's, begins the count anew: then it is the sink. One in which nothing else was
 * sent says nothing. What fails beside a suspect and is one itself does not clear it: a batch may hold two such records. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { HF_SUSPECT_ROUNDS = 8, HF_SUSPECT_LAST = 2 };

/* Of one batch. Its parts begin with `sure` alone. */
struct hf_suspect {
    bool sure;         /* the batch it was part of has been blamed */
    unsigned alone;    /* series in a row that it alone failed in */
    uint64_t since_ns; /* what is looked at began then; 0: it has not failed yet */
};

/* Of one sink: who failed last, and when anybody else did. */
struct hf_suspects {
    uint64_t who; /* any number that tells batches apart, not 0 */
    uint64_t last_ns, other_ns;
};

/* An attempt failed. maybe_content: in a way that the content may have brought about. */
void hf_suspect_failed(struct hf_suspect *suspect, struct hf_suspects *sink, uint64_t who, bool maybe_content,
                       uint64_t now_ns);
/* And with it a series: is the batch to blame? single: it is one record. delivered_ns: when the sink last took another; 0 never. */
bool hf_suspect_round_ended(struct hf_suspect *suspect, const struct hf_suspects *sink, uint64_t who, bool single,
                            uint64_t delivered_ns, uint64_t now_ns);
