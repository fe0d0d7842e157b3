/* Drift: was the committed version changed or removed by somebody else? If so, install it again. */
#include "update/release.h"

enum { MAX_DRIFT_SHIFT = 9 }; /* 2^9 minutes: at most one repair in most of a working day */
static const uint64_t repair_again_ns = 60 * HF_NS_PER_S;

static int run_look(struct step_job *step)
{
    return hf_swap_check(&step->swap, &step->look, &step->failure);
}

/* The first repair comes with the next look. Each further one doubles the time to the look after it; each look that
 * finds nothing wrong halves that time. */
static void count_drift(struct release *release, bool drifted)
{
    struct release_drift *drift = &release->drift;

    if (drifted)
        drift->repairs++;
    else if (drift->repairs > 0)
        drift->repairs--;
    drift->look_due_ns = 0;
    if (drift->repairs > 0)
        drift->look_due_ns = hf_mono_ns(release->engine->p.clock) +
                             (repair_again_ns << HF_MIN(drift->repairs - 1, (unsigned)MAX_DRIFT_SHIFT));
}

static void log_drift(const struct release *release, const char *event, const struct step_job *step)
{
    const struct hf_journal *j = &release->j;

    hf_log(release->engine->p.log, HF_LOG_WARNING, event, HF_S("release", j->name), HF_S("path", j->path),
           HF_S("message", step->look.seen.what));
}

/* Mode or owner were wrong and are right again; nothing has to be installed. */
static void mended(struct release *release, const struct step_job *step)
{
    log_drift(release, "update.mended", step);
    hf_metric_add(release->engine->counts.repairs, 1);
    transition_event(release, HF_EV_MENDED, HF_R_RightsRestored, step->look.seen.what);
}

static void looked(struct release *release, struct step_job *step)
{
    release->drift.look = step->look;
    if (step->r > 0)
        count_drift(release, step->look.seen.mended > 0);
    if (step->r < 0) {
        hf_log_err(release->engine->p.log, HF_LOG_WARNING, "update.look", "release", release->j.name,
                   &step->failure.err);
    } else if (step->r == 0 && wanted_matches(release) && release->wanted.gate == HF_GATE_OPEN) {
        log_drift(release, "update.drift", step);
        count_drift(release, true);
        release->drift.look = (struct hf_swap_look){.size = 0};
        wanted_accept(release, HF_EV_DRIFTED, HF_R_Drifted);
        return;
    } else if (step->look.seen.mended > 0) {
        mended(release, step);
        return;
    }
    update_engine_wake(release->engine);
}

void drift_look(struct release *release)
{
    struct step_job *step = step_new(release, STEP_LOOK, run_look, looked);

    release->drift.look_wanted = false;
    if (step == NULL)
        return;
    step->swap = step_swap_params(release, step);
    step->look = release->drift.look;
    step_submit(step);
}
