/* SPDX-License-Identifier: Apache-2.0 */
/* A release may be installed only if
 *  1. it is `current` (a repair);
 *  2. its sequence is above that of `top`; or
 *  3. it is signed with downgradeFrom, which lists the sequence of `current`, and not in `used`.
 * So each signed downgrade works once; a copy of an old object does not. A release never follows a different one of the
 * same sequence. If the digest of `current` is unknown, its sequence suffices for 1, but not for
 * hf_sequence_is_current(). */
#include "update/rules/sequence.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool is_same(const struct hf_committed *committed, const char *digest)
{
    return committed->sequence != 0 && digest[0] != '\0' && strcmp(committed->digest, digest) == 0;
}

static bool is_used(const struct hf_sequence_history *history, const char *digest)
{
    for (unsigned i = 0; i < history->n_used; i++)
        if (strcmp(history->used[i], digest) == 0)
            return true;
    return false;
}

/* Records of earlier versions have no digest: there the first release with the sequence counts as the same one. */
static bool is_reused(const struct hf_committed *committed, const struct hf_release *release)
{
    return committed->sequence == release->sequence && committed->digest[0] != '\0' &&
           strcmp(committed->digest, release->digest) != 0;
}

static bool lists(const struct hf_release *release, uint64_t sequence)
{
    for (size_t i = 0; i < release->n_downgrade_from; i++)
        if (release->downgrade_from[i] == sequence)
            return true;
    return false;
}

static enum hf_reason judge_downgrade(const struct hf_sequence_history *history, const struct hf_release *release,
                                      char *text, size_t n)
{
    if (!lists(release, history->current.sequence)) {
        (void)snprintf(text, n,
                       "sequence %" PRIu64 " is not above %" PRIu64 ", the highest that this node has committed, and "
                       "downgradeFrom does not list %" PRIu64 ", which it runs",
                       release->sequence, history->top.sequence, history->current.sequence);
        return HF_R_SequenceTooLow;
    }
    if (is_used(history, release->digest)) {
        (void)snprintf(text, n, "this node has gone down to this release once: sign a new release to go down again");
        return HF_R_DowngradeUsed;
    }
    if (history->n_used == HF_SEQUENCE_MAX_USED) {
        (void)snprintf(text, n, "this node has used %d downgrades of this name: sign a sequence above %" PRIu64,
                       HF_SEQUENCE_MAX_USED, history->top.sequence);
        return HF_R_DowngradeUsed;
    }
    return HF_R_None;
}

enum hf_reason hf_sequence_judge(const struct hf_sequence_history *history, const struct hf_release *release,
                                 char *text, size_t n)
{
    const struct hf_committed *top = &history->top, *current = &history->current;

    if (is_same(current, release->digest) || release->sequence > top->sequence)
        return HF_R_None;
    if (is_reused(top, release) || is_reused(current, release)) {
        (void)snprintf(text, n,
                       "this node has committed another release with sequence %" PRIu64 ": sign this one with a "
                       "higher sequence",
                       release->sequence);
        return HF_R_SequenceReused;
    }
    /* Only records of earlier versions lack the digest. */
    if (release->sequence == current->sequence && current->digest[0] == '\0')
        return HF_R_None;
    return judge_downgrade(history, release, text, n);
}

bool hf_sequence_is_current(const struct hf_sequence_history *history, const char *digest)
{
    return is_same(&history->current, digest);
}

static void set(struct hf_committed *committed, uint64_t sequence, const char *digest)
{
    *committed = (struct hf_committed){.sequence = sequence};
    (void)snprintf(committed->digest, sizeof(committed->digest), "%s", digest);
}

/* Full means that judge_downgrade() lets no further downgrade in, so that nothing needs the place. */
static void note_used(struct hf_sequence_history *history, const char *digest)
{
    if (digest[0] == '\0' || is_used(history, digest) || history->n_used == HF_SEQUENCE_MAX_USED)
        return;
    (void)snprintf(history->used[history->n_used++], HF_SHA256_HEX, "%s", digest);
}

void hf_sequence_commit(struct hf_sequence_history *history, uint64_t sequence, const char *digest)
{
    struct hf_committed *top = &history->top, *current = &history->current;

    if (sequence == 0 || (current->sequence == sequence && (digest[0] == '\0' || is_same(current, digest))))
        return;
    if (sequence > top->sequence || (sequence == top->sequence && top->digest[0] == '\0'))
        set(top, sequence, digest);
    else
        note_used(history, digest);
    set(current, sequence, digest);
}

void hf_sequence_join(struct hf_sequence_history *history, const struct hf_sequence_history *other)
{
    bool newer = other->top.sequence > history->top.sequence ||
                 (other->top.sequence == history->top.sequence && other->n_used > history->n_used);

    if (newer || (history->top.digest[0] == '\0' && other->top.sequence == history->top.sequence)) {
        history->top = other->top;
        history->current = other->current;
    }
    for (unsigned i = 0; i < other->n_used; i++)
        note_used(history, other->used[i]);
    assert(history->top.sequence >= other->top.sequence);
}
