/* SPDX-License-Identifier: Apache-2.0 */
/* update/parts.h - internal: the functions of the parts and actions of a release, file by file. Included by
 * release.h. */
#pragma once

#include "update/release.h"
#include "update/step.h"

/* release.c */

struct release *release_new(struct hf_update_engine *engine, const char *name);
void release_free(struct release *release);
/* Makes the name of the journal durable, too. Renames a damaged journal; after one that cannot be read the stage is
 * RELEASE_UNREAD. */
void release_load(struct release *release);
/* The journal in memory is that of the disk. */
static inline bool release_is_known(const struct release *release)
{
    return release->stage == RELEASE_RUNNING || release->stage == RELEASE_REMOVED;
}
/* Starts the action that is due, if any. Returns true if the release wants the turn. */
bool release_consider(struct release *release);
void release_take_turn(struct release *release);
/* After the caller has set the desired releases: ends a repair of the committed release that runs in place of the
 * wanted one, if that may start now. */
void release_recheck_repair(struct release *release);

/* Actions. release.c puts them into its table of actions, or starts them itself. */

/* Raises HF_EV_GO, HF_EV_INSTALLED or HF_EV_FAILED. */
void prepare_start(struct release *release);
void replace_fetch(struct release *release);
void replace_patch(struct release *release);
/* In Verified, with the turn: runs beforeSwap, then raises HF_EV_GO, or HF_EV_FAILED if it failed. If the gate has
 * closed meanwhile, the release goes on waiting. */
void replace_begin_swap(struct release *release);
void replace_swap(struct release *release);
void probation_start(struct release *release);
/* Between two steps: judges the committed release in a boot after its commit. True: it has started a step. */
bool probation_after_boot(struct release *release);
void probation_done(struct release *release);
void rollback_start(struct release *release);
/* When RolledBack is durable and attempt.owes_restart: restarts the agent's own unit, which ends this process. */
void rollback_restart_agent(struct release *release);
void finish_commit(struct release *release);
void finish_clean(struct release *release);
/* In a phase that rests: starts a cleanup that was put off and whose time has come; true if it did. */
bool finish_overdue(struct release *release);
void drift_look(struct release *release);
/* While the journal records a different release. */
void drift_look_behind(struct release *release);
bool drift_pauses_newer(const struct release *release); /* the attempts of the newer one fail, and it waits */
/* `run` of a step_job with committed_digest and `look`: is the committed release in place? 1, 0 or -errno. */
int drift_run_committed(struct step_job *step);
/* ---- self.c: releases of kind Agent ------------------------------------------------------------------------------ */

/* Where a release installs. Borrowed. */
const char *self_path_of(const struct hf_update_engine *engine, const struct hf_install *install);
struct hf_target self_target_of(const struct hf_update_engine *engine, enum hf_install_kind kind, const char *path,
                                const char *release);
/* The supervisor gave a tree with this archive up last. */
bool self_is_given_up(const struct release *release, const char *sha256, struct hf_supervisor_note *ret_verdict);
/* Call it when the state that is durable has changed. */
void self_tell(const struct release *release);
/* True: it has raised HF_EV_UNHEALTHY, for a verdict of the supervisor, or because there is none. */
bool self_trial_fails(struct release *release);
bool self_trial_waits(struct release *release); /* this agent has to be healthy for longer; retry.due_ns is set */
/* True: this process ends soon. */
bool self_trial_restart(struct release *release);

/* ---- order.c ----------------------------------------------------------------------------------------------------- */

/* Reads the orders of the site anew, and wakes the engine if one has changed. */
void orders_read(struct hf_update_engine *engine);
void orders_done(struct hf_update_engine *engine);
/* Between two steps: makes the version before the wanted one, or ends that. True: it has started a step. */
bool order_consider(struct release *release);
/* Nobody may park the release: an order about it has not been followed yet. */
bool order_is_open(const struct release *release);

/* ---- repairs.c --------------------------------------------------------------------------------------------------- */

/* Counts a look, and begins the pause before the next. A second repair and each later one doubles it; a look without
 * drift halves it. */
void repairs_count(struct release *release, bool drifted);
/* Pause before a repair that somebody has disturbed is tried again; it doubles each time. */
uint64_t repairs_pause_ns(struct release *release);
/* The committed version is in place again: counts that, and begins the pause before the next look. `what` goes to
 * params.repaired. */
void repairs_put_back(struct release *release, const char *what);

/* ---- retain.c ---------------------------------------------------------------------------------------------------- */

/* The installed file of another release that has the content of the one in the journal; "": none. */
void retain_find_other(const struct release *release, char other[HF_TARGET_MAX_PATH]);
/* Prepares retain_find() or retain_keep(), which run on the worker. */
void retain_prepare(const struct release *release, struct step_job *step);
/* Of the target's inspection: sets step->kept. */
int retain_find(struct step_job *step);
/* The committed version is in place: keeps what the policy says. Failures are logged if the version has just been
 * committed. */
void retain_keep(struct step_job *step, bool just_committed);
/* From now on the neighbours get what is in place, or no more; engine->p.share may be NULL. */
void retain_serve(struct hf_update_engine *engine, bool on);

/* ---- watches.c --------------------------------------------------------------------------------------------------- */

/* On the worker, after retain_prepare(): finds the folders of what is installed. */
void watches_find(struct step_job *step);
/* On the loop: watches them; `anew`: also those that are watched already, which may have been made again. */
void watches_set(struct release *release, struct step_job *step, bool anew);
void watches_drop(struct release *release);

/* ---- service.c --------------------------------------------------------------------------------------------------- */

/* The restart of the service would end this process. */
bool service_is_agent(const struct release *release);
bool service_has_restart(const struct release *release);
/* Each starts a step and calls `done` once, with the release as `arg`, at once if the step cannot start. `done` must
 * call step_end(). */
void service_restart(struct release *release, void (*done)(void *arg, int r, const struct hf_failure *failure));
/* `spec` is borrowed until `done`. */
void service_check(struct release *release, const struct hf_release *spec,
                   void (*done)(void *arg, const struct hf_health *health));

/* ---- boots.c ----------------------------------------------------------------------------------------------------- */

/* At the start of the engine: the id of this boot, and what caused it. */
void boots_read(struct hf_update_engine *engine);
/* Verdicts about the committed release, durable before what follows: good; bad, so order.c goes back; it cannot. */
void boots_passed(struct release *release);
void boots_failed(struct release *release, const char *why);
void boots_stay(struct release *release, const char *because);

/* The content at the path has changed: with install.reboot, j.boots.changed is this boot. */
void boots_note(struct release *release);
/* The content at the path changed in this boot, and needs another one. */
bool boots_pending(const struct release *release);
/* In Probation: true if the node must reboot before the new version is judged. Then it reboots, waits for that, or
 * raises HF_EV_BOOTED because it has. */
bool boots_go_first(struct release *release);
/* In RollingBack, when the old version is in place. DONE: it needs no boot, or has had it. WAIT: the rollback goes on
 * later. NEVER: the node did not reboot. */
enum boots_back { BOOTS_DONE, BOOTS_WAIT, BOOTS_NEVER };
enum boots_back boots_go_back(struct release *release);

/* ---- hooks.c ----------------------------------------------------------------------------------------------------- */

/* False: the release has no such hook. Else the step runs it, ends, and calls `done` once with 0, or -errno and the
 * failure, at once if the hook cannot start. */
bool hooks_start(struct release *release, enum hf_hook_kind kind,
                 void (*done)(struct release *release, int r, const struct hf_failure *failure));

/* ---- wanted.c ---------------------------------------------------------------------------------------------------- */

/* `desired` NULL: no release of this name is wanted. Fails only with -ENOMEM. */
int wanted_set(struct release *release, const struct hf_desired *desired);
/* Takes `kept`, the JSON in the journal. */
void wanted_restore(struct release *release, json_t *kept);
/* Makes the committed release the wanted one until wanted_repair_end(), which has no effect without a repair. Takes
 * `committed`. */
void wanted_repair(struct release *release, struct hf_edgeupdate *committed);
void wanted_repair_end(struct release *release);
/* Makes the version before the wanted one until wanted_repair_end(): the site's order. Takes `before`. */
void wanted_order(struct release *release, struct hf_edgeupdate *before);
/* With the committed one, which the journal has. False: it has not, or no memory. */
bool wanted_order_again(struct release *release);
/* The wanted object is the version before, by the site's order: the floors do not count it, and do not stop it. */
bool wanted_is_local(const struct release *release);
/* The journal's update follows the order, which fetches nothing. A repair of what is back may. */
bool wanted_goes_back(const struct release *release);
/* A copy, for the caller to free, of the part of the committed EdgeUpdate that the node keeps; NULL: not in memory, or
 * no memory. */
json_t *wanted_committed(const struct release *release);
/* The site's hold: neither updates nor repairs. */
bool wanted_held(const struct release *release);
void wanted_done(struct release *release);
/* The journal records the release of the wanted object. */
bool wanted_matches(const struct release *release);
/* No release of this name is wanted, and the phase is Idle, Committed or RolledBack. */
bool wanted_no_more(const struct release *release);
/* Starts an update to the wanted object: the journal keeps only the history. */
void wanted_accept(struct release *release, enum hf_update_event event, enum hf_reason reason);

/* ---- review.c ---------------------------------------------------------------------------------------------------- */

/* *ret_message explains a reason, or is NULL. */
enum hf_gate_verdict review_ask(struct release *release, enum hf_reason *ret_reason, const char **ret_message);
void review_load_floor(struct release *release);
/* A step was stopped because the wanted object or the gate has changed: raises the event that says so. */
void review_stopped(struct release *release);

/* ---- method.c ---------------------------------------------------------------------------------------------------- */

/* For this node's architecture, of the release in the journal; NULL: it has none, or its EdgeUpdate is lost. */
const struct hf_artifact *method_artifact(const struct release *release);
/* The next one to fetch; NULL: the whole file. */
const struct hf_delta_ref *method_delta(const struct release *release);
/* After an inspection: sets j.method, and returns attempt.go_reason. j.detour explains if memory or disk rules out the
 * shortest chain, or if the update avoids the delta of *death from now on. */
enum hf_reason method_choose(struct release *release, struct delta_death *death);
/* Avoids the current delta, which *err made unusable, and chooses again. */
void method_drop_delta(struct release *release, const struct hf_err *err);
void method_use_whole_file(struct release *release);
/* Some URL of it, or of its deltas, needs a credential: the content is neither asked for at neighbours nor given. */
bool method_is_private(const struct hf_update_engine *engine, const struct hf_artifact *artifact);
/* The method Neighbour is possible: sharing is on, and the artifact is not private. */
bool method_may_be_neighbour(const struct release *release);

/* ---- transition.c ------------------------------------------------------------------------------------------------ */

void transition_init(struct release *release);
/* Writes the journal, then starts the action of the move. `reason` HF_R_None: reason and message stay. `message` NULL
 * or "": hf_reason_meaning(reason). The reason's remedy follows if there is space, except "nothing", "wait" and "see
 * the message...". */
void transition_event(struct release *release, enum hf_update_event event, enum hf_reason reason, const char *message);
void transition_failure(struct release *release, enum hf_update_event event, const struct hf_failure *failure);
/* Backs off, then transition_failure() with -ENOMEM. */
void transition_no_memory(struct release *release, enum hf_update_event event);
/* In a phase that rests, after a change of j.message: makes it durable, and shows it. */
void transition_message(struct release *release);
/* As transition_message(); in Committed with another reason. */
void transition_tell(struct release *release, enum hf_reason reason, const char *message);
/* Shows `reason` in the status without a change of state; HF_R_None: the journal's again. */
void transition_wait(struct release *release, enum hf_reason reason);
/* Shows an error of the state folder until transition_no_trouble(). */
void transition_trouble(struct release *release, int r, const struct hf_err *err);
void transition_no_trouble(struct release *release);
/* The journal in memory is durable now. */
void transition_note_written(struct release *release);

/* ---- retry.c ----------------------------------------------------------------------------------------------------- */

/* Sets the next attempt; the back-off depends on `reason`. */
void retry_back_off(struct release *release, enum hf_reason reason, uint64_t at_least_ns);
/* When to consider the release again, or HF_NEVER. */
uint64_t retry_wake_ns(const struct release *release);
/* At the start of the agent, in Waiting: if earlier downloads had wrong content, delays the next one, so that an agent
 * that restarts often does not repeat it each time. */
void retry_hold_back(struct release *release);
/* Before `wanted` replaces the object, in Waiting: if a person changed the object, the next attempt is at a random
 * time within engine->p.retry_cap_ns, so that not all nodes start at once; never later than already planned. */
void retry_object_changed(struct release *release, const struct hf_edgeupdate *wanted);

/* ---- counts.c ---------------------------------------------------------------------------------------------------- */

void counts_init(struct hf_update_engine *engine);
/* Counts the move since the journal was last shown. */
void counts_move(struct release *release);
void counts_failure(const struct hf_update_engine *engine, enum hf_reason reason);
