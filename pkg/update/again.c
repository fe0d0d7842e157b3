/* When to look again. */
#include "update/release.h"

static const uint64_t look_again_ns = 600 * HF_NS_PER_S, ask_again_ns = 10 * HF_NS_PER_S;
/* Between two downloads of what was wrong the last time; of such a wait at most this much is begun anew by a start. */
static const uint64_t waste_base_ns = 300 * HF_NS_PER_S, waste_cap_ns = 24 * 3600 * HF_NS_PER_S,
                      waste_start_cap_ns = 600 * HF_NS_PER_S;

static uint64_t now_ns(const struct release *release)
{
    return hf_mono_ns(release->engine->p.clock);
}

/* How many artifacts' worth of bytes came in vain: those that were wrong, and what came more than once because a server that
 * cannot go on in the middle began anew. The first new beginning is free. */
static unsigned wasted(const struct release *release)
{
    const struct hf_journal *j = &release->j;
    uint64_t bytes = j->bytes_fetched - HF_MIN(j->bytes_fetched, release->paid_bytes);
    uint64_t times = j->size > 0 ? bytes / j->size : 0;

    return (unsigned)HF_MIN(HF_MAX((uint64_t)j->wasted, times > 0 ? times - 1 : 0), 1000u);
}

/* From a half to the whole of a wait that doubles with each. */
static uint64_t waste_wait_ns(const struct release *release, uint64_t cap_ns)
{
    unsigned doublings = HF_MIN(HF_MAX(wasted(release), 1u) - 1, 16u);
    uint64_t wait = HF_MIN(waste_base_ns << doublings, cap_ns) / 2;

    return wait + hf_rand_below(release->engine->p.rng, wait);
}

/* What an attempt costs decides how soon there is another: the link is tried as the policy says, this machine's own troubles
 * more rarely, and what costs a whole download, which is a card's wear and somebody's bill, most rarely. */
void release_back_off(struct release *release, enum hf_reason reason, uint64_t at_least_ns)
{
    const struct hf_update_params *p = &release->engine->p;
    struct hf_backoff *backoff = &release->backoff;
    bool costly = false;

    backoff->base_ns = p->retry_base_ns;
    backoff->cap_ns = p->retry_cap_ns;
    switch (reason) {
    case HF_R_DownloadFailed:
    case HF_R_DownloadTooSlow:
    case HF_R_DownloadRefused:
        costly = release->moved && wasted(release) > 0;
        if (release->moved) /* it goes on: a bad link, not a dead one */
            hf_backoff_reset(backoff);
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
        backoff->cap_ns = HF_MAX(backoff->cap_ns, 300 * HF_NS_PER_S);
        break;
    }
    backoff->floor_ns = HF_MIN(backoff->base_ns, HF_NS_PER_S);
    uint64_t wait = hf_backoff_next_ns(backoff, p->rng, at_least_ns);
    release->due_ns = now_ns(release) + (costly ? HF_MAX(wait, waste_wait_ns(release, waste_cap_ns)) : wait);
}

/* Starts must not make downloads frequent. */
void release_hold_back(struct release *release)
{
    if (release->j.phase == HF_PHASE_WAITING && release->j.wasted > 0)
        release->due_ns = now_ns(release) + waste_wait_ns(release, waste_start_cap_ns);
}

/* Did a person change it, be it only an annotation? Its status changes all the time. */
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

/* Somebody mended something: try soon, but not the whole fleet at once. */
void release_changed(struct release *release, const struct hf_edgeupdate *wanted)
{
    const struct hf_update_params *p = &release->engine->p;

    if (release->j.phase != HF_PHASE_WAITING || release->wanted == NULL ||
        !touched(release->wanted->json, wanted->json))
        return;
    release->j.wasted = 0;
    release->paid_bytes = release->j.bytes_fetched;
    hf_backoff_reset(&release->backoff);
    uint64_t soon_ns = now_ns(release) + hf_rand_below(p->rng, HF_MAX(p->retry_cap_ns, 1));
    release->due_ns = HF_MIN(release->due_ns, soon_ns);
}

uint64_t release_wake_ns(const struct release *release)
{
    uint64_t now = now_ns(release), next = HF_NEVER, unix_ns, change;
    bool waiting = release->j.phase == HF_PHASE_WAITING || release->j.phase == HF_PHASE_VERIFIED;

    if (release->step != STEP_NONE)
        return HF_NEVER;
    if (release->due_ns > now)
        next = release->due_ns;
    if (waiting && release->wanted != NULL && (!release->asked || !release->floor_known))
        next = HF_MIN(next, now + ask_again_ns);
    if (!waiting || release->wanted == NULL || release->wanted->n_windows == 0)
        return next;
    /* The wall clock may jump: it is not waited for longer than this in one go. */
    unix_ns = hf_unix_ns(release->engine->p.clock);
    (void)hf_windows_open(release->wanted->windows, release->wanted->n_windows, unix_ns, &change);
    uint64_t wait = change > unix_ns ? HF_MIN(change - unix_ns, look_again_ns) : look_again_ns;
    return HF_MIN(next, now + wait);
}
