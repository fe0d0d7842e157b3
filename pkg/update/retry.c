/* SPDX-License-Identifier: Apache-2.0 */
/* When to try again: back-off of failed attempts, and the time of the next look at a release. */
#include "update/release.h"

static const uint64_t look_again_ns = 600 * HF_NS_PER_S, ask_again_ns = 10 * HF_NS_PER_S;
/* Wait before an artifact that was wrong is downloaded again; a start of the agent begins at most the last value
 * anew. */
static const uint64_t waste_base_ns = 300 * HF_NS_PER_S, waste_cap_ns = 24 * 3600 * HF_NS_PER_S,
                      waste_start_cap_ns = 600 * HF_NS_PER_S;

static uint64_t now_ns(const struct release *release)
{
    return hf_mono_ns(release->engine->p.world.clock);
}

/* Number of artifacts received in vain: wrong ones, and those that a server without range requests sent again from the
 * start. The first such restart is free. */
static unsigned wasted(const struct release *release)
{
    const struct hf_journal *j = &release->j;
    uint64_t bytes = j->bytes_fetched - HF_MIN(j->bytes_fetched, release->retry.paid_bytes);
    uint64_t times = j->size > 0 ? bytes / j->size : 0;

    return (unsigned)HF_MIN(HF_MAX((uint64_t)j->wasted, times > 0 ? times - 1 : 0), 1000u);
}

/* Random, from half to the whole of a wait that doubles with each wasted artifact. */
static uint64_t waste_wait_ns(const struct release *release, uint64_t cap_ns)
{
    unsigned doublings = HF_MIN(HF_MAX(wasted(release), 1u) - 1, 16u);
    uint64_t wait = HF_MIN(waste_base_ns << doublings, cap_ns) / 2;

    return wait + hf_rand_below(release->engine->p.world.rng, wait);
}

/* The cost of an attempt decides how soon the next one follows: link errors as the policy says, errors of this machine
 * more rarely, and errors that cost a whole download (wear of the card, a bill for traffic) most rarely. */
void retry_back_off(struct release *release, enum hf_reason reason, uint64_t at_least_ns)
{
    const struct hf_update_params *p = &release->engine->p;
    uint64_t cap_ns = p->retry_cap_ns;
    bool costly = false;

    switch (reason) {
    case HF_R_DownloadFailed:
    case HF_R_DownloadTooSlow:
    case HF_R_DownloadRefused:
        costly = release->attempt.received_bytes > 0 && wasted(release) > 0;
        if (release->attempt.received_bytes > 0) /* a bad link, not a dead one */
            hf_backoff_reset(&release->machine.backoff);
        break;
    case HF_R_HashMismatch:
    case HF_R_ArtifactTooLong:
    case HF_R_ArtifactTooShort:
    case HF_R_ArtifactDamaged:
    case HF_R_ArchiveInvalid:
        release->j.wasted++;
        costly = true;
        break;
    default:
        cap_ns = HF_MAX(cap_ns, 300 * HF_NS_PER_S);
        break;
    }
    uint64_t due = hf_steer_machine_pause(&release->machine, p->retry_base_ns, cap_ns,
                                          HF_MIN(p->retry_base_ns, HF_NS_PER_S), at_least_ns);
    release->retry.due_ns = costly ? HF_MAX(due, now_ns(release) + waste_wait_ns(release, waste_cap_ns)) : due;
}

void retry_hold_back(struct release *release)
{
    if (release->j.phase == HF_PHASE_WAITING && release->j.wasted > 0)
        release->retry.due_ns = now_ns(release) + waste_wait_ns(release, waste_start_cap_ns);
}

/* True if a person changed the object, be it only an annotation. Its status changes all the time. */
static bool touched(const json_t *before, const json_t *now)
{
    static const char *const parts[] = {"spec", "metadata.annotations", "metadata.uid"};

    for (size_t i = 0; i < HF_LEN(parts); i++) {
        const json_t *a = hf_json_at(before, parts[i]), *b = hf_json_at(now, parts[i]);
        if (a != b && (a == NULL || b == NULL || json_equal(a, b) == 0))
            return true;
    }
    return false;
}

/* Somebody repaired something: try soon, but not on all nodes at once. */
void retry_object_changed(struct release *release, const struct hf_edgeupdate *wanted)
{
    const struct hf_update_params *p = &release->engine->p;

    if (release->j.phase != HF_PHASE_WAITING || release->wanted.object == NULL ||
        !touched(release->wanted.object->json, wanted->json))
        return;
    release->j.wasted = 0;
    release->retry.paid_bytes = release->j.bytes_fetched;
    hf_backoff_reset(&release->machine.backoff);
    uint64_t soon_ns = now_ns(release) + hf_rand_below(p->world.rng, HF_MAX(p->retry_cap_ns, 1));
    release->retry.due_ns = HF_MIN(release->retry.due_ns, soon_ns);
}

uint64_t retry_wake_ns(const struct release *release)
{
    uint64_t now = now_ns(release), next = HF_NEVER, wait;
    bool waiting = release->j.phase == HF_PHASE_WAITING || release->j.phase == HF_PHASE_VERIFIED;

    if (step_is_in_progress(release))
        return HF_NEVER;
    next = hf_steer_machine_retry_ns(&release->machine);
    if (release->retry.due_ns > now)
        next = HF_MIN(next, release->retry.due_ns);
    if (release->drift.boot_due_ns > now && release->j.boots.left > 0)
        next = HF_MIN(next, release->drift.boot_due_ns);
    if (release->drift.order_due_ns > now)
        next = HF_MIN(next, release->drift.order_due_ns);
    if (release->retry.clean_due_ns > now)
        next = HF_MIN(next, release->retry.clean_due_ns);
    if (release->drift.fired && release->drift.look_due_ns > now)
        next = HF_MIN(next, release->drift.look_due_ns);
    if (waiting && release->wanted.object != NULL && (!release->review.current || !release->review.floor_known))
        next = HF_MIN(next, now + ask_again_ns);
    if (waiting &&
        release->machine.wait.reason == HF_R_ClockUnsure) /* the clock may agree with its witnesses at any time */
        next = HF_MIN(next, now + ask_again_ns);
    if (!waiting || release->wanted.object == NULL || release->wanted.object->n_windows == 0)
        return next;
    /* The wall clock may jump: wait at most look_again_ns at a time. */
    struct hf_time_range range = hf_clock_range(release->engine->p.world.clock);
    (void)hf_windows_judge(release->wanted.object->windows, release->wanted.object->n_windows, &range, &wait);
    return HF_MIN(next, now + HF_MIN(wait, look_again_ns));
}
