/* SPDX-License-Identifier: Apache-2.0 */
/* Which release may follow those that this node has committed, so that nobody can install an old one again.
 *
 *  top      the committed release with the highest sequence
 *  current  the last committed one; differs from `top` only after a downgrade
 *  used     targets of downgrades; if full, no further downgrade
 */
#pragma once

#include <stdint.h>

#include "api/edgeupdate.h"
#include "api/update/reason.h"
#include "codec/sha256.h"

enum { HF_SEQUENCE_MAX_USED = 32 };

struct hf_committed {
    uint64_t sequence;
    char digest[HF_SHA256_HEX]; /* of spec.release */
};

/* Zeroed: nothing committed. */
struct hf_sequence_history {
    struct hf_committed top, current;
    char used[HF_SEQUENCE_MAX_USED][HF_SHA256_HEX];
    unsigned n_used;
};

/* Judges whether the release may follow: HF_R_None if so, else SequenceTooLow, SequenceReused or DowngradeUsed,
 * explained in text[n]. */
enum hf_reason hf_sequence_judge(const struct hf_sequence_history *history, const struct hf_release *release,
                                 char *text, size_t n);

bool hf_sequence_is_current(const struct hf_sequence_history *history, const char *digest);

/* Recording the last commit again changes nothing. */
void hf_sequence_commit(struct hf_sequence_history *history, uint64_t sequence, const char *digest);

/* Merges *other, from another copy on disk, into *history: `used` of both, `top` and `current` of the newer history.
 * Newer is the history with the higher sequence in `top`; if these are equal, usually the history with more in `used`,
 * or the only one with a digest in `top`. */
void hf_sequence_join(struct hf_sequence_history *history, const struct hf_sequence_history *other);
