/* SPDX-License-Identifier: Apache-2.0 */
/* The service of a release: restart it, run its health checks. */
#include <string.h>

#include "update/release.h"

bool service_is_agent(const struct release *release)
{
    const struct hf_edgeupdate *accepted = release->wanted.accepted;
    const char *unit = accepted != NULL ? accepted->release.install.restart_unit : NULL;
    const char *self = release->engine->p.self_unit;

    if (release->j.kind == HF_INSTALL_AGENT)
        return true;
    return unit != NULL && self != NULL && strcmp(unit, self) == 0;
}

bool service_has_restart(const struct release *release)
{
    const struct hf_install *install = &release->wanted.accepted->release.install;

    return install->kind == HF_INSTALL_AGENT || install->restart_unit != NULL || install->restart_exec[0] != NULL;
}

void service_restart(struct release *release, void (*done)(void *arg, int r, const struct hf_failure *failure))
{
    const struct hf_update_params *p = &release->engine->p;
    const struct hf_release *spec = &release->wanted.accepted->release;
    struct hf_failure failure = {.reason = HF_R_RestartFailed};

    step_begin(release, STEP_RESTART);
    if (self_trial_restart(release)) /* the step lasts until the process ends */
        return;
    int r = hf_restart_start(p->proc, p->unit, &spec->install, spec->health_deadline_ns, done, release,
                             &release->step.restart, &failure);
    if (r < 0)
        done(release, r, &failure);
}

void service_check(struct release *release, const struct hf_release *spec,
                   void (*done)(void *arg, const struct hf_health *health))
{
    const struct hf_update_params *p = &release->engine->p;
    struct hf_checks_params params = {.clock = p->world.clock,
                                      .sched = p->world.sched,
                                      .http = p->http,
                                      .proc = p->proc,
                                      .probe = p->probe,
                                      .unit = p->unit,
                                      .checks = spec->checks,
                                      .n = spec->n_checks,
                                      .deadline_ns = spec->health_deadline_ns,
                                      .done = done,
                                      .arg = release};
    struct hf_health health = {.verdict = HF_HEALTH_FAILED, .reason = HF_R_HealthFailed};
    struct hf_err err = HF_ERR_INIT;

    step_begin(release, STEP_CHECKS);
    if (hf_checks_start(&params, &release->step.checks, &err) == 0)
        return;
    (void)hf_err_text(&err, health.message, sizeof(health.message));
    done(release, &health);
}
