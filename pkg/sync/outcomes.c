/* SPDX-License-Identifier: Apache-2.0 */
/* The first look reports nothing: it is on disk, and reported. A repair is not reported. A rejection must last
 * HF_OUTCOMES_STEADY_NS, because the source may replay old versions after a restart. */
#include "sync/outcomes.h"

#include <stdlib.h>
#include <string.h>

enum { KINDS = 3, DIGEST_PART = 16 };

/* For each kind of end, the first digits of the digest of the release that came to it last. */
struct outcome_known {
    char ends[KINDS][DIGEST_PART];
    unsigned round;
    /* a rejection that is not news yet: the digest, and the monotonic time since when; "" for none */
    char rejected[DIGEST_PART];
    uint64_t rejected_ns;
};

static const struct {
    enum hf_phase phase;
    enum hf_notice_reason reason;
} kinds[KINDS] = {
    {HF_PHASE_COMMITTED, HF_NOTICE_COMMITTED},
    {HF_PHASE_ROLLED_BACK, HF_NOTICE_ROLLED_BACK},
    {HF_PHASE_REJECTED, HF_NOTICE_REJECTED},
};

void hf_outcomes_init(struct hf_outcomes *outcomes)
{
    *outcomes = (struct hf_outcomes){.releases = {.free_value = free}, .look_again_ns = HF_NEVER};
}

void hf_outcomes_done(struct hf_outcomes *outcomes)
{
    hf_strmap_done(&outcomes->releases);
}

void hf_outcomes_begin(struct hf_outcomes *outcomes)
{
    outcomes->round++;
    outcomes->look_again_ns = HF_NEVER;
}

static struct outcome_known *known_of(struct hf_outcomes *outcomes, const char *name)
{
    struct outcome_known *known = hf_strmap_get(&outcomes->releases, name);

    if (known != NULL)
        return known;
    known = calloc(1, sizeof(*known));
    if (known != NULL && hf_strmap_put(&outcomes->releases, name, known) < 0)
        free(hf_steal(known));
    return known;
}

static void keep_digest(char kept[DIGEST_PART], const char *digest)
{
    memset(kept, 0, DIGEST_PART);
    memcpy(kept, digest, strnlen(digest, DIGEST_PART));
}

/* Returns true while the rejection is too young to be news. */
static bool is_young(struct hf_outcomes *outcomes, struct outcome_known *known, const char *digest, uint64_t now_ns)
{
    if (strncmp(known->rejected, digest, DIGEST_PART) != 0) {
        keep_digest(known->rejected, digest);
        known->rejected_ns = now_ns;
    }
    uint64_t due = known->rejected_ns + HF_OUTCOMES_STEADY_NS;
    if (now_ns < due)
        outcomes->look_again_ns = HF_MIN(outcomes->look_again_ns, due);
    return now_ns < due;
}

enum hf_notice_reason hf_outcomes_see(struct hf_outcomes *outcomes, const struct hf_update_status *status,
                                      uint64_t now_ns)
{
    struct outcome_known *known = known_of(outcomes, status->name);
    const char *digest = status->digest != NULL ? status->digest : "";
    size_t kind = 0;

    if (known == NULL)
        return HF_NOTICE_NONE;
    known->round = outcomes->round;
    while (kind < KINDS && kinds[kind].phase != status->phase)
        kind++;
    bool rejected = kind < KINDS && kinds[kind].reason == HF_NOTICE_REJECTED;
    if (!rejected)
        known->rejected[0] = '\0';
    if (kind == KINDS || strncmp(known->ends[kind], digest, DIGEST_PART) == 0)
        return HF_NOTICE_NONE;
    if (rejected && outcomes->round > 1 && is_young(outcomes, known, digest, now_ns))
        return HF_NOTICE_NONE;
    keep_digest(known->ends[kind], digest);
    return outcomes->round == 1 ? HF_NOTICE_NONE : kinds[kind].reason;
}

void hf_outcomes_end(struct hf_outcomes *outcomes)
{
    for (size_t i = outcomes->releases.n; i > 0; i--) {
        const struct hf_strmap_entry *entry = &outcomes->releases.entries[i - 1];
        if (((const struct outcome_known *)entry->value)->round != outcomes->round)
            (void)hf_strmap_remove(&outcomes->releases, entry->key);
    }
}
