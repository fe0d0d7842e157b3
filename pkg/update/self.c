/* SPDX-License-Identifier: Apache-2.0 */
/* Releases of kind Agent: the tree with the agent itself, at <state>/host/current. The supervisor (pkg/supervisor)
 * starts what that link names, and goes back if it cannot start, crashes, hangs or is not healthy in time.
 *
 * After the swap this process ends; the next one is of the new version and resumes in Probation. It commits when its
 * checks pass and it has been healthy by its own judgement for its probation. If the supervisor has gone back instead,
 * the process is of the old version, the link is back, and the verdict names the new tree. What a server says takes no
 * part in it; nor do starts of the agent, which the supervisor counts better: a power cut is no crash. */
#include <string.h>

#include "update/install/tree.h"
#include "update/release.h"

static const uint64_t look_least_ns = HF_NS_PER_S, look_most_ns = 5 * HF_NS_PER_S;

const char *self_path_of(const struct hf_update_engine *engine, const struct hf_install *install)
{
    return install->kind == HF_INSTALL_AGENT ? engine->agent_path : install->path;
}

struct hf_target self_target_of(const struct hf_update_engine *engine, enum hf_install_kind kind, const char *path,
                                const char *release)
{
    bool agent = kind == HF_INSTALL_AGENT;

    return (struct hf_target){.fs = engine->p.fs,
                              .roots = agent ? engine->agent_roots : engine->p.roots,
                              .host_root = agent ? NULL : engine->p.host_root,
                              .path = path,
                              .release = release,
                              .uid = engine->p.uid,
                              .guard = engine->p.uid == 0};
}

bool self_is_given_up(const struct release *release, const char *sha256, struct hf_supervisor_note *ret_verdict)
{
    const struct hf_life_ops *life = release->engine->p.life;
    char given_up[HF_SHA256_HEX];

    return life != NULL && life->verdict(life->ctx, ret_verdict) &&
           hf_tree_link_parse(release->j.name, ret_verdict->slot, given_up) && strcmp(given_up, sha256) == 0;
}

/* Before the commit is durable the supervisor must not take the new tree for a good one, nor while the old tree is on
 * its way back. */
void self_tell(const struct release *release)
{
    const struct hf_life_ops *life = release->engine->p.life;
    const struct hf_journal *shown = &release->record.shown;
    bool between = shown->phase == HF_PHASE_SWAPPING || shown->phase == HF_PHASE_PROBATION ||
                   shown->phase == HF_PHASE_ROLLING_BACK;

    if (life != NULL && shown->kind == HF_INSTALL_AGENT)
        life->awaits_verdict(life->ctx, between || release->attempt.owes_restart);
}

bool self_fails_trial(struct release *release)
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

bool self_waits(struct release *release)
{
    const struct hf_life_ops *life = release->engine->p.life;
    uint64_t now_ns = hf_mono_ns(release->engine->p.clock), for_ns = 0, left_ns = look_most_ns;

    if (release->j.kind != HF_INSTALL_AGENT || life == NULL)
        return false;
    if (life->healthy(life->ctx, &for_ns)) {
        if (for_ns >= life->probation_ns)
            return false;
        left_ns = life->probation_ns - for_ns;
    }
    release->retry.due_ns = now_ns + HF_MIN(HF_MAX(left_ns, look_least_ns), look_most_ns);
    update_engine_wake(release->engine);
    return true;
}

bool self_restart(struct release *release)
{
    const struct hf_life_ops *life = release->engine->p.life;

    if (release->j.kind != HF_INSTALL_AGENT || life == NULL)
        return false;
    life->restart(life->ctx, release->j.phase == HF_PHASE_PROBATION ? "the agent has a new version to try"
                                                                    : "the agent goes back to its old version");
    return true;
}
