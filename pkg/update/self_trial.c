/* SPDX-License-Identifier: Apache-2.0 */
/* The trial of the agent's own new version (self.c): its verdict by the supervisor, its health, its restart. */
#include "update/release.h"

static const uint64_t look_least_ns = HF_NS_PER_S, look_most_ns = 5 * HF_NS_PER_S;

bool self_trial_fails(struct release *release)
{
    struct hf_supervisor_note verdict;
    char text[HF_UPDATE_MAX_MESSAGE];

    if (release->j.kind != HF_INSTALL_AGENT)
        return false;
    if (release->engine->p.life == NULL) { /* another way of running this agent: no verdict, and it may come back */
        release->j.changes++;
        transition_event(release, HF_EV_UNHEALTHY, HF_R_NotOnHost, NULL);
        return true;
    }
    /* Before the restart, a verdict is that on an earlier trial of the same tree. */
    if (!release->j.restarted || !self_is_given_up(release, release->j.sha256, &verdict))
        return false;
    release->j.changes = 0;
    (void)snprintf(text, sizeof(text), "the supervisor gave version %.64s of the agent up: %s", release->j.version,
                   verdict.word);
    transition_event(release, HF_EV_UNHEALTHY, HF_R_AgentFailed, text);
    return true;
}

bool self_trial_waits(struct release *release)
{
    const struct hf_life_ops *life = release->engine->p.life;
    uint64_t now_ns = hf_mono_ns(release->engine->p.world.clock), for_ns = 0, left_ns = look_most_ns;

    if (release->j.kind != HF_INSTALL_AGENT || life == NULL)
        return false;
    if (life->healthy(life->ctx, &for_ns)) {
        if (for_ns >= life->probation_ns)
            return false;
        left_ns = life->probation_ns - for_ns;
    }
    release->retry.due_ns = now_ns + HF_MIN(HF_MAX(left_ns, look_least_ns), look_most_ns);
    hf_steer_core_wake(&release->engine->core);
    return true;
}

bool self_trial_restart(struct release *release)
{
    const struct hf_life_ops *life = release->engine->p.life;

    if (release->j.kind != HF_INSTALL_AGENT || life == NULL)
        return false;
    life->restart(life->ctx, release->j.phase == HF_PHASE_PROBATION ? "the agent has a new version to try"
                                                                    : "the agent goes back to its old version");
    return true;
}
