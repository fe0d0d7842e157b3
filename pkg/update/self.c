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

const char *self_path_of(const struct hf_update_engine *engine, const struct hf_install *install)
{
    return install->kind == HF_INSTALL_AGENT ? engine->agent_path : install->path;
}

struct hf_target self_target_of(const struct hf_update_engine *engine, enum hf_install_kind kind, const char *path,
                                const char *release)
{
    bool agent = kind == HF_INSTALL_AGENT;

    return (struct hf_target){.fs = engine->p.world.fs,
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
