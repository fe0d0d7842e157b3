/* SPDX-License-Identifier: Apache-2.0 */
/* Which release may follow those that this node has committed, so that nobody can make the node install an old one
 * again. Pure.
 *
 *  top      the committed release with the highest sequence
 *  current  the release committed last; differs from `top` only after a downgrade
 *  used     the releases to which the node has been downgraded; if it is full, no further downgrade is possible
 *
 * A release may be installed only if
 *  1. it is `current` (a repair);
 *  2. its sequence is above that of `top`; or
 *  3. it is signed with downgradeFrom, which lists the sequence of `current`, and it is not in `used`.
 * So each signed downgrade works once, and a copy of an old object does not. A release never follows a different one
 * with the same sequence; where the digest of `current` is unknown, its sequence suffices for 1, but not for
 * hf_sequence_is_current(). */
#pragma once

#include <stdint.h>

#include "api/edgeupdate.h"
#include "api/update/reason.h"
#include "codec/sha256.h"

enum { HF_SEQUENCE_MAX_USED = 32 };

struct hf_committed {
    uint64_t sequence;          /* 0: none */
    char digest[HF_SHA256_HEX]; /* of spec.release; "": unknown */
};

/* Copy it by assignment. All zero: nothing committed. */
struct hf_sequence_history {
    struct hf_committed top, current;
    char used[HF_SEQUENCE_MAX_USED][HF_SHA256_HEX];
    unsigned n_used;
};

/* HF_R_None, or SequenceTooLow, SequenceReused or DowngradeUsed with an explanation in text[n]. */
enum hf_reason hf_sequence_judge(const struct hf_sequence_history *history, const struct hf_release *release,
                                 char *text, size_t n);

bool hf_sequence_is_current(const struct hf_sequence_history *history, const char *digest);

/* A repetition changes nothing. */
void hf_sequence_commit(struct hf_sequence_history *history, uint64_t sequence, const char *digest);

/* Merges *other, from another copy on disk: `used` of both, `top` and `current` of the newer history. This is the one
 * with the higher sequence in `top`; of equal ones that with more in `used`, but *other if *history lacks the digest of
 * `top`. */
void hf_sequence_join(struct hf_sequence_history *history, const struct hf_sequence_history *other);
