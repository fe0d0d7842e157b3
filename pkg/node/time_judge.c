/* SPDX-License-Identifier: Apache-2.0 */
/* The first row that holds applies:
 *
 *     live witnesses                      agreement      earliest              latest                  estimate
 *     ---------------------------------   ------------   -------------------   ---------------------   -------------
 *     both, alike, not before the proof   Agreed         the earlier witness   the later witness       the wall clock
 *     both credible, not alike            Contradicted   lower bound           the later witness       a guess
 *     one credible, not alike to track    Contradicted   lower bound           later one with track    a guess
 *     one credible                        Alone          lower bound           that witness            that witness
 *     none credible                       Unknown        lower bound           none                    a guess
 *
 * Row 1 needs a fresh Date, else the wall clock of two alike is the one credible witness. Row 3 needs a credible track.
 * Without agreement, the last one raises `earliest` if the wall
 * clock shows a time from the build on and no live witness is earlier; then an earlier live witness lowers it to its
 * own time, so the lower bound alone expires nothing.
 *
 * Estimates. Row 2: the witness nearer to the last agreement; without one, a wall clock kept right by a time server,
 * else the Date. Row 3: a credible wall clock kept right, else the track. Row 5: the later of track and lower bound.
 *
 * Error: that of the witness if it is the Date or kept right; maxSkew for others; the whole range in row 1 without a
 * time server; the greater one of two that contradict; unknown in row 5. */
#include "node/time_judge.h"

#include "base/clock.h"
#include "base/macros.h"

static uint64_t sum(uint64_t a, uint64_t b)
{
    return a > HF_NEVER - b ? HF_NEVER : a + b;
}

static uint64_t first_of(const struct hf_time_witness *witness)
{
    return witness->unix_ns - HF_MIN(witness->error_ns, witness->unix_ns);
}

static uint64_t last_of(const struct hf_time_witness *witness)
{
    return sum(witness->unix_ns, witness->error_ns);
}

static bool not_before(const struct hf_time_evidence *evidence, const struct hf_time_witness *witness, uint64_t unix_ns)
{
    return witness->known && sum(last_of(witness), evidence->max_skew_ns) >= unix_ns;
}

static bool alike(const struct hf_time_evidence *evidence, const struct hf_time_witness *a,
                  const struct hf_time_witness *b)
{
    return HF_DISTANCE(a->unix_ns, b->unix_ns) <= sum(evidence->max_skew_ns, sum(a->error_ns, b->error_ns));
}

static bool pair_agrees(const struct hf_time_evidence *evidence)
{
    return evidence->date_fresh && not_before(evidence, &evidence->wall, evidence->proof_unix_ns) &&
           not_before(evidence, &evidence->date, evidence->proof_unix_ns) &&
           alike(evidence, &evidence->wall, &evidence->date);
}

bool hf_time_judge_differs(const struct hf_time_evidence *evidence)
{
    return evidence->date_fresh && not_before(evidence, &evidence->date, evidence->proof_unix_ns) &&
           !alike(evidence, &evidence->wall, &evidence->date);
}

static bool prefers_wall(const struct hf_time_evidence *evidence)
{
    uint64_t agreed = evidence->agreed.unix_ns;

    if (evidence->agreed.known)
        return HF_DISTANCE(evidence->wall.unix_ns, agreed) <= HF_DISTANCE(evidence->date.unix_ns, agreed);
    return evidence->wall_synced;
}

static void agree(const struct hf_time_evidence *evidence, struct hf_time_range *range)
{
    range->agreement = HF_TIME_AGREED;
    range->earliest_unix_ns = HF_MIN(first_of(&evidence->wall), first_of(&evidence->date));
    range->latest_unix_ns = HF_MAX(last_of(&evidence->wall), last_of(&evidence->date));
    range->estimate_unix_ns = range->other_unix_ns = evidence->wall.unix_ns;
    range->error_ns = evidence->wall_synced ? evidence->wall.error_ns
                                            : HF_MAX(range->estimate_unix_ns - range->earliest_unix_ns,
                                                     range->latest_unix_ns - range->estimate_unix_ns);
}

static uint64_t error_of(const struct hf_time_evidence *evidence, const struct hf_time_witness *witness)
{
    bool stated = witness == &evidence->date || (witness == &evidence->wall && evidence->wall_synced);

    return stated ? witness->error_ns : sum(witness->error_ns, evidence->max_skew_ns);
}

static bool is_credible(const struct hf_time_evidence *evidence, const struct hf_time_witness *witness)
{
    return not_before(evidence, witness, evidence->lower_unix_ns);
}

const struct hf_time_witness *hf_time_judge_single(const struct hf_time_evidence *evidence)
{
    bool wall = is_credible(evidence, &evidence->wall), date = is_credible(evidence, &evidence->date);

    if (wall && date && !alike(evidence, &evidence->wall, &evidence->date))
        return NULL;
    if (wall)
        return &evidence->wall;
    return date ? &evidence->date : NULL;
}

static void contradict(const struct hf_time_evidence *evidence, struct hf_time_range *range,
                       const struct hf_time_witness *better, const struct hf_time_witness *other)
{
    range->agreement = HF_TIME_CONTRADICTED;
    range->estimate_unix_ns = better->unix_ns;
    range->other_unix_ns = other->unix_ns;
    range->latest_unix_ns = HF_MAX(last_of(better), last_of(other));
    range->error_ns = HF_MAX(error_of(evidence, better), error_of(evidence, other));
}

/* Without agreement: fills in `agreement`, the estimate and `latest` from the credible live witnesses. */
static void guess(const struct hf_time_evidence *evidence, struct hf_time_range *range)
{
    const struct hf_time_witness *wall = &evidence->wall, *date = &evidence->date, *track = &evidence->track;
    const struct hf_time_witness *one = hf_time_judge_single(evidence);

    if (one == NULL && is_credible(evidence, wall)) {
        bool prefer_wall = prefers_wall(evidence);
        contradict(evidence, range, prefer_wall ? wall : date, prefer_wall ? date : wall);
    } else if (one == NULL) {
        range->agreement = HF_TIME_UNKNOWN;
        range->latest_unix_ns = HF_NEVER;
        range->estimate_unix_ns = HF_MAX(evidence->lower_unix_ns, track->known ? track->unix_ns : 0);
        range->other_unix_ns = range->estimate_unix_ns;
        range->error_ns = HF_NEVER;
    } else if (is_credible(evidence, track) && !alike(evidence, track, one)) {
        bool prefer_one = one == wall && evidence->wall_synced;
        contradict(evidence, range, prefer_one ? one : track, prefer_one ? track : one);
    } else {
        range->agreement = HF_TIME_ALONE;
        range->estimate_unix_ns = range->other_unix_ns = one->unix_ns;
        range->latest_unix_ns = last_of(one);
        range->error_ns = error_of(evidence, one);
    }
}

/* Without agreement: fills in `earliest`, and takes the time of the last agreement into account. */
static void limit(const struct hf_time_evidence *evidence, struct hf_time_range *range)
{
    const struct hf_time_witness *const live[] = {&evidence->wall, &evidence->date};
    const struct hf_time_witness *agreed = &evidence->agreed;
    uint64_t first = HF_NEVER;
    bool behind = false;

    for (size_t i = 0; i < HF_LEN(live); i++) {
        if (!not_before(evidence, live[i], evidence->build_unix_ns))
            continue;
        first = HF_MIN(first, first_of(live[i]));
        behind = behind || (agreed->known && !not_before(evidence, live[i], agreed->unix_ns));
    }
    range->earliest_unix_ns = evidence->lower_unix_ns;
    /* A Date may be old: only a live wall clock can confirm that the last agreement still holds. */
    if (agreed->known && not_before(evidence, &evidence->wall, evidence->build_unix_ns) && !behind)
        range->earliest_unix_ns = HF_MAX(range->earliest_unix_ns, agreed->unix_ns);
    range->earliest_unix_ns = HF_MIN(range->earliest_unix_ns, first);
}

void hf_time_judge(const struct hf_time_evidence *evidence, struct hf_time_range *ret_range)
{
    if (pair_agrees(evidence)) {
        agree(evidence, ret_range);
        return;
    }
    guess(evidence, ret_range);
    limit(evidence, ret_range);
}
