/* SPDX-License-Identifier: Apache-2.0 */
/* A board without a battery starts in 1970, and a time server or a stolen API server may be wrong. So the wall clock,
 * the Date of the API server and a lower bound (node/time_bound.h) are judged anew at each reading (node/time_judge.h).
 * hf_clock_range() gives the range of the present, hf_unix_ns() the best guess. */
#include "node/clock.h"

#include "base/macros.h"

#define HF_CLOCK_DEFAULT_SKEW_NS (300 * HF_NS_PER_S)

/* The kernel is asked for its clock discipline once in this time: a call of the system costs more than a judgement. */
#define ASK_KERNEL_NS HF_NS_PER_S

/* A monotonic clock errs by less than this part, so an old Date is less precise. */
enum { DRIFT_PART = 1000 };

static uint64_t forward(uint64_t unix_ns, uint64_t at_mono_ns, uint64_t mono_ns)
{
    return unix_ns == 0 ? 0 : unix_ns + (mono_ns - HF_MIN(at_mono_ns, mono_ns));
}

static uint64_t agreed_age_ns(const struct hf_clock *clock, uint64_t mono_ns)
{
    return clock->agreed_age_ns + (mono_ns - clock->agreed_mono_ns);
}

static bool is_synced(const struct hf_clock *clock)
{
    return clock->sync_error_ns <= HF_TIME_SYNC_ERROR_MAX_NS;
}

static struct hf_time_evidence collect(const struct hf_clock *clock, uint64_t mono_ns)
{
    uint64_t date_age = mono_ns - HF_MIN(clock->date_mono_ns, mono_ns);

    return (struct hf_time_evidence){
        .build_unix_ns = HF_TIME_BUILD_UNIX_NS,
        .proof_unix_ns = clock->bound.proof_unix_ns,
        .lower_unix_ns = hf_time_bound_ns(&clock->bound, mono_ns),
        .wall = {true, hf_unix_ns(clock->wall), is_synced(clock) ? clock->sync_error_ns : 0},
        .date = {clock->date_unix_ns != 0, forward(clock->date_unix_ns, clock->date_mono_ns, mono_ns),
                 clock->date_error_ns + date_age / DRIFT_PART},
        .agreed = {clock->agreed_unix_ns != 0 && agreed_age_ns(clock, mono_ns) < HF_CLOCK_FRESH_NS,
                   forward(clock->agreed_unix_ns, clock->agreed_mono_ns, mono_ns), 0},
        .wall_synced = is_synced(clock),
        .date_fresh = date_age < HF_CLOCK_FRESH_NS,
        .max_skew_ns = clock->max_skew_ns,
    };
}

/* While the server's Date contradicts the wall clock, a time server moves no bound: with a wrong one, the bound would
 * soon have the honest Date for a lie. */
static void ask_kernel(struct hf_clock *clock, uint64_t mono_ns)
{
    if (clock->sync_mono_ns != HF_NEVER && mono_ns - clock->sync_mono_ns < ASK_KERNEL_NS)
        return;
    clock->sync_error_ns = hf_clock_sync_error_ns(clock->wall);
    clock->sync_mono_ns = mono_ns;
    struct hf_time_evidence evidence = collect(clock, mono_ns);
    hf_time_bound_read(&clock->bound, mono_ns, hf_unix_ns(clock->wall),
                       hf_time_judge_differs(&evidence) ? HF_NEVER : clock->sync_error_ns);
}

static void judge(struct hf_clock *clock, struct hf_time_range *ret_range)
{
    uint64_t mono_ns = hf_mono_ns(clock->wall);

    ask_kernel(clock, mono_ns);
    struct hf_time_evidence evidence = collect(clock, mono_ns);
    const struct hf_time_witness *one = hf_time_judge_single(&evidence);
    bool synced = one == &evidence.wall && evidence.wall_synced;
    if (one == &evidence.wall)
        hf_time_track_read(&clock->track, mono_ns, one->unix_ns, synced, evidence.max_skew_ns + one->error_ns);
    else if (one != NULL)
        hf_time_track_set(&clock->track, mono_ns, one->unix_ns, false);
    evidence.track.known = clock->track.unix_ns != 0;
    evidence.track.unix_ns = hf_time_track_ns(&clock->track, mono_ns);
    hf_time_judge(&evidence, ret_range);
    if (ret_range->agreement != HF_TIME_AGREED)
        return;
    hf_time_bound_lower(&clock->bound, mono_ns, ret_range->latest_unix_ns);
    hf_time_track_set(&clock->track, mono_ns, ret_range->estimate_unix_ns, synced);
    clock->agreed_unix_ns = ret_range->estimate_unix_ns;
    clock->agreed_mono_ns = mono_ns;
    clock->agreed_age_ns = 0;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static uint64_t clock_mono(void *ctx)
{
    const struct hf_clock *clock = ctx;

    return hf_mono_ns(clock->wall);
}

static uint64_t clock_unix(void *ctx)
{
    struct hf_time_range range;

    judge(ctx, &range);
    return range.estimate_unix_ns;
}

static uint64_t clock_sync_error(void *ctx)
{
    const struct hf_clock *clock = ctx;

    return hf_clock_sync_error_ns(clock->wall);
}

static void clock_range(void *ctx, struct hf_time_range *ret_range)
{
    judge(ctx, ret_range);
}

/* Returns true if a live witness that does not contradict the proof shows a time, but none shows one as late as
 * `unix_ns`. */
static bool is_ahead(const struct hf_time_evidence *evidence, uint64_t unix_ns)
{
    const struct hf_time_witness *const live[] = {&evidence->wall, evidence->date_fresh ? &evidence->date : NULL};
    uint64_t latest = 0;

    for (size_t i = 0; i < HF_LEN(live); i++)
        if (live[i] != NULL && live[i]->known &&
            live[i]->unix_ns + live[i]->error_ns + evidence->max_skew_ns >= evidence->proof_unix_ns)
            latest = HF_MAX(latest, live[i]->unix_ns + live[i]->error_ns + evidence->max_skew_ns);
    return latest != 0 && unix_ns > latest;
}

/* A signer's own clock may be wrong: two witnesses that agree outweigh it, and so does a time server. What a single
 * witness contradicts counts only until two agree. */
static void clock_signed(void *ctx, uint64_t unix_ns)
{
    struct hf_clock *clock = ctx;
    struct hf_time_range range;
    uint64_t mono_ns = hf_mono_ns(clock->wall);

    judge(clock, &range);
    if ((range.agreement == HF_TIME_AGREED || is_synced(clock)) && unix_ns > range.latest_unix_ns)
        return;
    struct hf_time_evidence evidence = collect(clock, mono_ns);
    if (is_ahead(&evidence, unix_ns) ? hf_time_bound_claimed(&clock->bound, mono_ns, unix_ns)
                                     : hf_time_bound_signed(&clock->bound, unix_ns))
        clock->bound_rose = true;
}

/* ---- the interface ----------------------------------------------------------------------------------------------- */

/* Returns the time since the save of the file that this boot can prove: after a reboot, it is the time since then. */
static uint64_t since_save_ns(const struct hf_clock_file *kept, uint64_t mono_ns)
{
    if (kept->boot[0] == '\0')
        return 0; /* saved_mono_ns is unknown */
    return mono_ns >= kept->saved_mono_ns ? mono_ns - kept->saved_mono_ns : mono_ns;
}

void hf_clock_init(struct hf_clock *clock, const struct hf_clock_ops *wall, const struct hf_clock_file *kept)
{
    uint64_t mono_ns = hf_mono_ns(wall);

    *clock = (struct hf_clock){
        .wall = wall,
        .agreed_unix_ns = kept->agreed_unix_ns,
        .agreed_mono_ns = mono_ns,
        .agreed_age_ns = kept->agreed_age_ns + since_save_ns(kept, mono_ns),
        .sync_error_ns = HF_NEVER,
        .sync_mono_ns = HF_NEVER,
        .max_skew_ns = HF_CLOCK_DEFAULT_SKEW_NS,
        .ops = {.ctx = clock,
                .mono_ns = clock_mono,
                .unix_ns = clock_unix,
                .sync_error_ns = clock_sync_error,
                .range = clock_range,
                .signed_evidence = clock_signed},
    };
    hf_time_track_init(&clock->track, kept->track_unix_ns, mono_ns);
    hf_time_bound_init(&clock->bound, kept->signed_unix_ns, kept->synced_unix_ns, mono_ns);
}

const struct hf_clock_ops *hf_clock_ops_of(struct hf_clock *clock)
{
    return &clock->ops;
}

void hf_clock_take_date(struct hf_clock *clock, uint64_t date_unix_ns, uint64_t round_trip_ns)
{
    clock->date_unix_ns = date_unix_ns;
    clock->date_mono_ns = hf_mono_ns(clock->wall);
    clock->date_error_ns = HF_NS_PER_S + round_trip_ns; /* the header has no fractions */
}

void hf_clock_set_max_skew(struct hf_clock *clock, uint64_t max_skew_ns)
{
    clock->max_skew_ns = max_skew_ns;
}

bool hf_clock_synchronized(struct hf_clock *clock)
{
    ask_kernel(clock, hf_mono_ns(clock->wall));
    return is_synced(clock);
}

bool hf_clock_is_sure(struct hf_clock *clock)
{
    struct hf_time_range range;

    judge(clock, &range);
    if (range.agreement != HF_TIME_ALONE || !is_synced(clock))
        return range.agreement == HF_TIME_AGREED;
    /* The only one may be the server's Date. The wall clock is read again, a moment later. */
    uint64_t wall = hf_unix_ns(clock->wall), estimate = range.estimate_unix_ns;
    return HF_DISTANCE(wall, estimate) < HF_NS_PER_S;
}

void hf_clock_keep(struct hf_clock *clock, struct hf_clock_file *file)
{
    struct hf_time_range range;
    uint64_t mono_ns = hf_mono_ns(clock->wall);

    judge(clock, &range);
    file->signed_unix_ns = clock->bound.proof_unix_ns > HF_TIME_BUILD_UNIX_NS ? clock->bound.proof_unix_ns : 0;
    file->synced_unix_ns = hf_time_bound_synced_ns(&clock->bound, mono_ns);
    struct hf_time_evidence evidence = collect(clock, mono_ns);
    file->agreed_unix_ns = evidence.agreed.known ? evidence.agreed.unix_ns : 0;
    file->agreed_age_ns = evidence.agreed.known ? agreed_age_ns(clock, mono_ns) : 0;
    file->track_unix_ns = hf_time_track_ns(&clock->track, mono_ns);
    clock->bound_rose = false;
}
