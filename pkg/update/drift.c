/* Drift: was the committed version changed or removed by somebody else? If so, install it again. */
#include "update/release.h"

enum { MAX_DRIFT_SHIFT = 9 }; /* 2^9 minutes: at most one repair in most of a working day */
static const uint64_t repair_again_ns = 60 * HF_NS_PER_S;

static int run_look(struct step_job *step)
{
    return hf_swap_check(&step->swap, &step->identity, &step->failure);
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

static void looked(struct release *release, struct step_job *step)
{
    release->drift.identity = step->identity;
    if (step->r > 0)
        count_drift(release, false);
    if (step->r < 0) {
        hf_log_err(release->engine->p.log, HF_LOG_WARNING, "update.look", "release", release->j.name,
                   &step->failure.err);
    } else if (step->r == 0 && wanted_matches(release) && release->wanted.gate == HF_GATE_OPEN) {
        count_drift(release, true);
        wanted_accept(release, HF_EV_DRIFTED, HF_R_Drifted);
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
    step->identity = release->drift.identity;
    step_submit(step);
}
