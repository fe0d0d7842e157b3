/* Probation: restart the service with the new version and let the health checks decide. */
#include "update/release.h"

enum { MAX_RESTART_TRIES = 10 };
static const uint64_t restart_again_ns = 3 * HF_NS_PER_S;

static void checked(void *arg, const struct hf_health *health)
{
    struct release *release = arg;

    release->step.checks = NULL;
    step_end(release);
    transition_event(release, health->verdict == HF_HEALTH_PASSED ? HF_EV_HEALTHY : HF_EV_UNHEALTHY, health->reason,
                     health->message);
}

static void restarted(void *arg, int r, const struct hf_failure *failure)
{
    struct release *release = arg;

    release->step.restart = NULL;
    step_end(release);
    if (r == 0) {
        release->j.restarted = true;
        transition_event(release, HF_EV_RESTARTED, HF_R_HealthPending, NULL);
        return;
    }
    /* An unreachable systemd says nothing about the new version: it may be re-executing itself. */
    if (failure->reason == HF_R_SystemdUnavailable && ++release->attempt.restart_tries < MAX_RESTART_TRIES) {
        release->retry.due_ns = hf_mono_ns(release->engine->p.clock) + restart_again_ns;
        update_engine_wake(release->engine);
        return;
    }
    transition_failure(release, HF_EV_UNHEALTHY, failure);
}

void probation_start(struct release *release)
{
    if (release->wanted.accepted == NULL)
        transition_event(release, HF_EV_UNHEALTHY, HF_R_JournalDamaged, NULL);
    else if (service_has_restart(release) && !release->j.restarted)
        service_restart(release, restarted);
    else
        service_check(release, checked);
}
