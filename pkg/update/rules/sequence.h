/* update/rules/sequence.h - anti-rollback: which release may follow the releases that this node has committed. Pure.
 *
 * The history of one release name:
 *   top      the release with the highest sequence that the node has committed
 *   current  the release that the node committed last; another one than `top` only after a downgrade
 *   used     the releases that the node has gone down to
 * A release may be installed in three cases only:
 *   1. it is the current release (the node repairs it);
 *   2. its sequence is above that of `top`;
 *   3. it is signed with downgradeFrom, which lists the sequence of `current`, and it is not in `used`.
 * So each signed downgrade serves a node once, and a release that the node has left does not come back: not by itself,
 * and not by a replay of the downgrade. Equal sequences of different releases never follow each other. */
#pragma once

#include <stdint.h>

#include "api/edgeupdate.h"
#include "codec/sha256.h"
#include "update/rules/reasons.h"

enum { HF_SEQUENCE_MAX_USED = 32 };

struct hf_committed {
    uint64_t sequence;          /* 0: none */
    char digest[HF_SHA256_HEX]; /* digest of spec.release; "": unknown */
};

/* Copy it by assignment. All zero: this node has committed nothing. */
struct hf_sequence_history {
    struct hf_committed top, current;
    char used[HF_SEQUENCE_MAX_USED][HF_SHA256_HEX];
    unsigned n_used;
};

/* Returns HF_R_None if the release may be installed; otherwise SequenceTooLow, SequenceReused or DowngradeUsed, with an
 * explanation in text[n]. */
enum hf_reason hf_sequence_judge(const struct hf_sequence_history *history, const struct hf_release *release,
                                 char *text, size_t n);

/* True if the release with this digest is the one that the node committed last. */
bool hf_sequence_is_current(const struct hf_sequence_history *history, const char *digest);

/* Records the commit of a release. Recording the same commit again changes nothing. */
void hf_sequence_commit(struct hf_sequence_history *history, uint64_t sequence, const char *digest);

/* Joins the records of two places, one of which may be older or lost. The result forgets no committed sequence and no
 * used downgrade of either. */
void hf_sequence_join(struct hf_sequence_history *history, const struct hf_sequence_history *other);
