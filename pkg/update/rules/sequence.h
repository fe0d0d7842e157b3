/* SPDX-License-Identifier: Apache-2.0 */
/* update/rules/sequence.h - decides which release may follow the releases that this node has committed, so that nobody
 * can make the node install an old release again. Pure.
 *
 * The history of one release name:
 *   top      the release with the highest sequence that the node has committed
 *   current  the release that the node committed most recently; differs from `top` only after a downgrade
 *   used     the releases to which the node has been downgraded; if the list is full, no further downgrade is possible
 * A release may be installed in three cases only:
 *   1. it is the current release (the node repairs it);
 *   2. its sequence is above that of `top`;
 *   3. it is signed with downgradeFrom, which lists the sequence of `current`, and it is not in `used`.
 * So a node uses each signed downgrade at most once. After the node has replaced a release, nobody can bring this old
 * release back with a copy of its object, or with a downgrade that the node has used. A release never follows a
 * different release with the same sequence. (If the digest of `current` is unknown, a release with the sequence of
 * `current` counts as the current release.) */
#pragma once

#include <stdint.h>

#include "api/edgeupdate.h"
#include "api/update/reason.h"
#include "codec/sha256.h"

enum { HF_SEQUENCE_MAX_USED = 32 };

struct hf_committed {
    uint64_t sequence;          /* 0 if there is no such release */
    char digest[HF_SHA256_HEX]; /* digest of spec.release; "" if unknown */
};

/* A plain value, which assignment copies. All fields are zero if this node has committed nothing. */
struct hf_sequence_history {
    struct hf_committed top, current;
    char used[HF_SEQUENCE_MAX_USED][HF_SHA256_HEX];
    unsigned n_used;
};

/* Returns HF_R_None if the release may be installed; otherwise SequenceTooLow, SequenceReused or DowngradeUsed, with an
 * explanation in text[n]. */
enum hf_reason hf_sequence_judge(const struct hf_sequence_history *history, const struct hf_release *release,
                                 char *text, size_t n);

/* Returns true if `digest` is the digest of `current`. */
bool hf_sequence_is_current(const struct hf_sequence_history *history, const char *digest);

/* Records the commit of a release. A second call for the same commit changes nothing. */
void hf_sequence_commit(struct hf_sequence_history *history, uint64_t sequence, const char *digest);

/* Merges *other, the history from another copy on disk, into *history. *other may be older than *history or all zero.
 * The result has the used downgrades of both histories, and `top` and `current` of the newer history. The newer history
 * is the history with the higher sequence in `top`. If these sequences are equal, the newer history is the history with
 * more used downgrades; but if *history does not have the digest of `top`, *other counts as the newer one. */
void hf_sequence_join(struct hf_sequence_history *history, const struct hf_sequence_history *other);
