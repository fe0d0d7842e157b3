/* SPDX-License-Identifier: Apache-2.0 */
/* A release's parts and actions, by file. Included by release.h. */
#pragma once

#include "update/release.h"
#include "update/step.h"

struct release *release_new(struct hf_update_engine *engine, const char *name);
void release_free(struct release *release);
/* Reads the journal and syncs its folder. Sets a damaged journal aside; RELEASE_UNREAD: the journal is unreadable. */
void release_load(struct release *release);
/* Whether the release is new, or was considered after its journal was read. */
static inline bool release_is_known(const struct release *release)
{
    return release->stage == RELEASE_RUNNING || release->stage == RELEASE_REMOVED;
}
/* Starts what is due. Returns whether the release wants the turn. */
bool release_consider(struct release *release);
void release_take_turn(struct release *release);
/* Ends a repair of the committed release if the desired one may start. */
void release_recheck_repair(struct release *release);

/* Actions: each is in the file that its name begins with. */

void prepare_start(struct release *release);
void replace_fetch(struct release *release);
void replace_patch(struct release *release);
/* In Verified, with the turn, runs the hook beforeSwap, then raises GO or FAILED. If the gate closed meanwhile, only
 * leaves the turn. */
void replace_begin_swap(struct release *release);
void replace_swap(struct release *release);
void probation_start(struct release *release);
/* Judges the committed release after a boot. True: a step or a write of the journal has begun. */
bool probation_after_boot(struct release *release);
void probation_done(struct release *release);
void rollback_start(struct release *release);
/* Restarts the agent, which ends this process. Call it when the journal on disk has left RollingBack. */
void rollback_restart_agent(struct release *release);
void finish_commit(struct release *release);
void finish_clean(struct release *release);
/* Repeats a commit or cleanup that was put off. False: none is due. */
bool finish_overdue(struct release *release);
void drift_look(struct release *release);
/* Looks for drift of the committed release while the journal has a newer one. */
void drift_look_behind(struct release *release);
/* Whether the newer release, in whose place a repair runs, must not start yet. */
bool drift_pauses_newer(const struct release *release);
/* The `run` of a step_job; set its `swap`, `look` and committed_digest before. 1: the committed release is in place;
 * 0: not; -errno. */
int drift_run_committed(struct step_job *step);
/* ---- self.c and self_trial.c: releases of kind Agent ------------------------------------------------------------- */

const char *self_path_of(const struct hf_update_engine *engine, const struct hf_install *install);
struct hf_target self_target_of(const struct hf_update_engine *engine, enum hf_install_kind kind, const char *path,
                                const char *release);
/* Whether the tree that the supervisor gave up last is from this archive. */
bool self_is_given_up(const struct release *release, const char *sha256, struct hf_supervisor_note *ret_verdict);
void self_tell(const struct release *release);
/* Raises HF_EV_UNHEALTHY if the supervisor gave the new version up or is missing. Returns whether it did. */
bool self_trial_fails(struct release *release);
/* Whether the agent must be healthy for longer first; then sets retry.due_ns. */
bool self_trial_waits(struct release *release);
/* Has the supervisor restart the agent, which ends this process. False: not kind Agent, or no supervisor. */
bool self_trial_restart(struct release *release);

/* ---- order.c ----------------------------------------------------------------------------------------------------- */

void orders_read(struct hf_update_engine *engine);
void orders_done(struct hf_update_engine *engine);
/* Follows the site's order, or ends it. True: nothing else may start now. */
bool order_consider(struct release *release);
/* Whether an order must still be followed: then do not park the release. */
bool order_is_open(const struct release *release);

/* ---- repairs.c --------------------------------------------------------------------------------------------------- */

/* Counts a look for drift, and sets the pause before the next: none for three repairs, then a minute, which each repair
 * doubles (up to 512 minutes), and looks at an interval without drift may halve. */
void repairs_count(struct release *release, bool drifted);
/* Counts a repair whose target somebody changed. Returns the pause before its next try. */
uint64_t repairs_pause_ns(struct release *release);
/* Counts and reports a repair that has ended, and begins a pause. `what`: for params.repaired. */
void repairs_put_back(struct release *release, const char *what);

/* ---- retain.c ---------------------------------------------------------------------------------------------------- */

void retain_find_other(const struct release *release, char other[HF_TARGET_MAX_PATH]);
/* Sets step->keep and step->other for the functions on the worker. */
void retain_prepare(const struct release *release, struct step_job *step);
int retain_find(struct step_job *step);
/* Logs failures if `just_committed`. */
void retain_keep(struct step_job *step, bool just_committed);
/* Removes what is kept of the version before, if it lies in another folder. */
void retain_drop_former(struct step_job *step);
/* Points `keep` to the committed release. False: no artifact for this architecture. */
bool retain_take_committed(const struct release *release, const struct hf_edgeupdate *committed,
                           struct hf_kept_params *keep);
/* Removes kept content that is neither of the committed release (step->committed_digest) nor chosen nor wanted. */
void retain_trim(struct step_job *step);
/* Has retain_consider() remove what need not stay, unless a look for drift does so first. */
void retain_want(struct release *release);
bool retain_consider(struct release *release);
/* `on`: serves verified and installed content to neighbours; else ends that. */
void retain_serve(struct hf_update_engine *engine, bool on);

/* ---- watches.c --------------------------------------------------------------------------------------------------- */

/* On the worker, after retain_prepare(): lists the installed folders. */
void watches_find(struct step_job *step);
/* On the loop: watches these folders. `anew`: even if the same folders are watched already. */
void watches_set(struct release *release, struct step_job *step, bool anew);
void watches_drop(struct release *release);

/* ---- service.c --------------------------------------------------------------------------------------------------- */

bool service_is_agent(const struct release *release);
bool service_has_restart(const struct release *release);
/* Both start a step and call `done` (`arg`: the release) once, maybe at once; `done` calls step_end(). But a restart by
 * the supervisor ends the process. */
void service_restart(struct release *release, void (*done)(void *arg, int r, const struct hf_failure *failure));
/* `spec` is borrowed until `done`. */
void service_check(struct release *release, const struct hf_release *spec,
                   void (*done)(void *arg, const struct hf_health *health));

/* ---- boots.c ----------------------------------------------------------------------------------------------------- */

void boots_read(struct hf_update_engine *engine);
/* Record verdicts on the committed release. boots_failed(): bad, so order.c goes back; boots_stay(): the node cannot go
 * back. */
void boots_passed(struct release *release);
void boots_failed(struct release *release, const char *why);
void boots_stay(struct release *release, const char *because);

/* Notes a change of the path's content in j.boots.changed, which becomes "" without install.reboot. */
void boots_note(struct release *release);
/* Whether the path's content changed in this boot, and needs another boot. */
bool boots_pending(const struct release *release);
/* In Probation, deals with a reboot that must precede the verdict: reboots the node, waits, or raises HF_EV_BOOTED.
 * False: no reboot is needed. */
bool boots_go_first(struct release *release);
/* In RollingBack, with the old version in place, reboots the node if it had booted the new one. DONE: continue now;
 * WAIT: later; NEVER: the reboot did not come. */
enum boots_back { BOOTS_DONE, BOOTS_WAIT, BOOTS_NEVER };
enum boots_back boots_go_back(struct release *release);

/* ---- hooks.c ----------------------------------------------------------------------------------------------------- */

/* Runs a hook as a step, then calls `done` once, maybe at once. False: there is no such hook. */
bool hooks_start(struct release *release, enum hf_hook_kind kind,
                 void (*done)(struct release *release, int r, const struct hf_failure *failure));

/* ---- wanted.c ---------------------------------------------------------------------------------------------------- */

/* Sets the desired release; NULL: there is none. 0 or -ENOMEM. */
int wanted_set(struct release *release, const struct hf_desired *desired);
/* Takes over `kept`, the journal's part of the EdgeUpdate. */
void wanted_restore(struct release *release, json_t *kept);
/* Takes over `committed`, and makes it the wanted release until wanted_repair_end(). */
void wanted_repair(struct release *release, struct hf_edgeupdate *committed);
void wanted_repair_end(struct release *release);
/* Takes over `before`, and makes it the wanted release, by the site's order. */
void wanted_order(struct release *release, struct hf_edgeupdate *before);
/* Calls wanted_order() with the journal's committed release. False: it is not loaded, or no memory. */
bool wanted_order_again(struct release *release);
/* Whether the site's order leads to the wanted release, so that floors neither count nor stop it. */
bool wanted_is_local(const struct release *release);
/* Whether the journal's update follows the site's order, and so fetches nothing. */
bool wanted_goes_back(const struct release *release);
/* Returns the part of the committed EdgeUpdate that a journal keeps; free it. NULL: not available. */
json_t *wanted_committed(const struct release *release);
/* Whether the site holds the release, which stops repairs. */
bool wanted_held(const struct release *release);
void wanted_done(struct release *release);
bool wanted_matches(const struct release *release);
/* Whether no release of this name is wanted, and the phase is Idle, Committed or RolledBack. */
bool wanted_no_more(const struct release *release);
/* Starts an update to the wanted release; of the old journal only the history stays. */
void wanted_accept(struct release *release, enum hf_update_event event, enum hf_reason reason);

/* ---- review.c ---------------------------------------------------------------------------------------------------- */

/* Asks the gate. *ret_message explains the reason, or is NULL. */
enum hf_gate_verdict review_ask(struct release *release, enum hf_reason *ret_reason, const char **ret_message);
void review_load_floor(struct release *release);
/* After a download or patching was stopped, raises the event that follows. */
void review_stopped(struct release *release);

/* ---- method.c ---------------------------------------------------------------------------------------------------- */

/* NULL: none, or the EdgeUpdate is lost. */
const struct hf_artifact *method_artifact(const struct release *release);
const struct hf_delta_ref *method_delta(const struct release *release);
/* Sets j.method, and returns the value for attempt.go_reason. j.detour then says what rules the shortest chain out. */
enum hf_reason method_choose(struct release *release, struct delta_death *death);
/* Avoids the delta that failed with *err, and chooses again. */
void method_drop_delta(struct release *release, const struct hf_err *err);
void method_use_whole_file(struct release *release);
/* Whether artifact or deltas need a credential: then they are not shared with neighbours. */
bool method_is_private(const struct hf_update_engine *engine, const struct hf_artifact *artifact);
bool method_may_be_neighbour(const struct release *release);

/* ---- transition.c ------------------------------------------------------------------------------------------------ */

void transition_init(struct release *release);
/* Enters the next state, usually writes the journal, then starts the state's action. HF_R_None: reason and message
 * stay. `message` NULL or "": hf_reason_meaning(). A useful remedy is appended if it fits. */
void transition_event(struct release *release, enum hf_update_event event, enum hf_reason reason, const char *message);
void transition_failure(struct release *release, enum hf_update_event event, const struct hf_failure *failure);
void transition_no_memory(struct release *release, enum hf_update_event event);
/* Makes a change of j.message durable and shows it, without an event. */
void transition_message(struct release *release);
/* Calls transition_message(); in Committed first sets reason and message. */
void transition_tell(struct release *release, enum hf_reason reason, const char *message);
/* Shows a reason for waiting, without a change of state; HF_R_None: the journal's reason. */
void transition_wait(struct release *release, enum hf_reason reason);
void transition_trouble(struct release *release, int r, const struct hf_err *err);
void transition_no_trouble(struct release *release);
void transition_note_written(struct release *release);

/* ---- retry.c ----------------------------------------------------------------------------------------------------- */

void retry_back_off(struct release *release, enum hf_reason reason, uint64_t at_least_ns);
uint64_t retry_wake_ns(const struct release *release);
/* At a start in Waiting, delays the next download if earlier downloads had wrong content. */
void retry_hold_back(struct release *release);
/* Call it before `wanted` replaces the object. If a person changed it in Waiting, plans the next attempt at a random
 * time within engine->p.retry_cap_ns, never later than planned. */
void retry_object_changed(struct release *release, const struct hf_edgeupdate *wanted);

/* ---- counts.c ---------------------------------------------------------------------------------------------------- */

void counts_init(struct hf_update_engine *engine);
void counts_move(struct release *release);
void counts_failure(const struct hf_update_engine *engine, enum hf_reason reason);
