/* SPDX-License-Identifier: Apache-2.0 */
/* Internal: a release's parts and actions, by file. Included by release.h. */
#pragma once

#include "update/release.h"
#include "update/step.h"

/* release.c */

struct release *release_new(struct hf_update_engine *engine, const char *name);
void release_free(struct release *release);
/* Sets a damaged journal aside; an unreadable one gives RELEASE_UNREAD. Syncs the folder, too. */
void release_load(struct release *release);
/* Memory has the journal on disk. */
static inline bool release_is_known(const struct release *release)
{
    return release->stage == RELEASE_RUNNING || release->stage == RELEASE_REMOVED;
}
/* Starts what is due. True: the release wants the turn. */
bool release_consider(struct release *release);
void release_take_turn(struct release *release);
/* After the desired releases were set: ends a repair of the committed one if the wanted one may start. */
void release_recheck_repair(struct release *release);

/* Actions: each is in the file that its name begins with. */

/* Raises GO, INSTALLED or FAILED. */
void prepare_start(struct release *release);
void replace_fetch(struct release *release);
void replace_patch(struct release *release);
/* In Verified, with the turn: runs beforeSwap, then raises GO or FAILED. Waits if the gate has closed meanwhile. */
void replace_begin_swap(struct release *release);
void replace_swap(struct release *release);
void probation_start(struct release *release);
/* Between two steps, in a boot after the commit. True: started a step. */
bool probation_after_boot(struct release *release);
void probation_done(struct release *release);
void rollback_start(struct release *release);
/* RolledBack is durable, and attempt.owes_restart: restarting the agent's unit ends this process. */
void rollback_restart_agent(struct release *release);
void finish_commit(struct release *release);
void finish_clean(struct release *release);
/* In a phase that rests: starts a cleanup that was put off, if due. True: started a step. */
bool finish_overdue(struct release *release);
void drift_look(struct release *release);
/* Looks at the committed release while the journal has another. */
void drift_look_behind(struct release *release);
bool drift_pauses_newer(const struct release *release); /* its attempts fail, and it waits */
/* `run` of a step_job with committed_digest and `look`. 1: the committed release is in place; 0; -errno. */
int drift_run_committed(struct step_job *step);
/* ---- self.c: releases of kind Agent ------------------------------------------------------------------------------ */

/* Borrowed. */
const char *self_path_of(const struct hf_update_engine *engine, const struct hf_install *install);
struct hf_target self_target_of(const struct hf_update_engine *engine, enum hf_install_kind kind, const char *path,
                                const char *release);
/* Was a tree with this archive the last that the supervisor gave up? */
bool self_is_given_up(const struct release *release, const char *sha256, struct hf_supervisor_note *ret_verdict);
/* After a change of the durable state: tells the supervisor whether a verdict is awaited. */
void self_tell(const struct release *release);
/* Raises HF_EV_UNHEALTHY by a verdict of the supervisor, or for lack of one. */
bool self_trial_fails(struct release *release);
bool self_trial_waits(struct release *release); /* the agent must be healthy for longer, until retry.due_ns */
/* True: this process ends soon. */
bool self_trial_restart(struct release *release);

/* ---- order.c ----------------------------------------------------------------------------------------------------- */

/* Reads all anew; wakes the engine after a change. */
void orders_read(struct hf_update_engine *engine);
void orders_done(struct hf_update_engine *engine);
/* Between two steps: makes the version before wanted, or ends its order. True: started a step. */
bool order_consider(struct release *release);
/* True: an order must still be followed; do not park the release. */
bool order_is_open(const struct release *release);

/* ---- repairs.c --------------------------------------------------------------------------------------------------- */

/* Counts a look and begins a pause: doubled by each repair from the second on, halved by a look without drift. */
void repairs_count(struct release *release, bool drifted);
/* Pause before a disturbed repair is tried again; doubles each time. */
uint64_t repairs_pause_ns(struct release *release);
/* A repair has ended: counts it and begins a pause. `what`: for params.repaired. */
void repairs_put_back(struct release *release, const char *what);

/* ---- retain.c ---------------------------------------------------------------------------------------------------- */

/* Finds another release's installed file with the journal's content; "": none. */
void retain_find_other(const struct release *release, char other[HF_TARGET_MAX_PATH]);
/* Sets the parameters of the functions below, which run on the worker. */
void retain_prepare(const struct release *release, struct step_job *step);
/* At an inspection: sets step->kept. */
int retain_find(struct step_job *step);
/* The committed version is in place. Logs failures if just committed. */
void retain_keep(struct step_job *step, bool just_committed);
/* Where the version before was installed in another folder, nothing stays kept there. */
void retain_drop_former(struct step_job *step);
/* Points `keep` to the committed release, while the journal has another. False: none for this architecture. */
bool retain_take_committed(const struct release *release, const struct hf_edgeupdate *committed,
                           struct hf_kept_params *keep);
/* Removes what is kept and not needed; with step->committed_digest if the journal has another release. */
void retain_trim(struct step_job *step);
/* The policy has changed, or nobody wants the release any more: removes what need not stay. A release that is held, or
 * that nobody wants, gets no look (drift.c) that would. True: a step has begun. */
void retain_want(struct release *release);
bool retain_consider(struct release *release);
/* `on`: neighbours get what is in place; else nothing; engine->p.share may be NULL. */
void retain_serve(struct hf_update_engine *engine, bool on);

/* ---- watches.c --------------------------------------------------------------------------------------------------- */

/* Worker, after retain_prepare(): lists the folders of what is installed. */
void watches_find(struct step_job *step);
/* Loop. `anew`: replaces existing watches, too, as their folders may be new. */
void watches_set(struct release *release, struct step_job *step, bool anew);
void watches_drop(struct release *release);

/* ---- service.c --------------------------------------------------------------------------------------------------- */

/* True for the agent's own service: its restart would end this process. */
bool service_is_agent(const struct release *release);
bool service_has_restart(const struct release *release);
/* Each starts a step and calls `done` (`arg`: the release) once, maybe at once; `done` calls step_end(). */
void service_restart(struct release *release, void (*done)(void *arg, int r, const struct hf_failure *failure));
/* `spec`: borrowed until `done`. */
void service_check(struct release *release, const struct hf_release *spec,
                   void (*done)(void *arg, const struct hf_health *health));

/* ---- boots.c ----------------------------------------------------------------------------------------------------- */

/* Reads id and cause of this boot. */
void boots_read(struct hf_update_engine *engine);
/* Verdicts on the committed release, durable first: good; bad, so order.c goes back; bad, and it cannot. */
void boots_passed(struct release *release);
void boots_failed(struct release *release, const char *why);
void boots_stay(struct release *release, const char *because);

/* The path's content has changed: with install.reboot sets j.boots.changed. */
void boots_note(struct release *release);
/* True if the path's content changed in this boot, and needs another boot. */
bool boots_pending(const struct release *release);
/* Probation: true if a reboot must precede the verdict: it comes, waits, or raises HF_EV_BOOTED. */
bool boots_go_first(struct release *release);
/* RollingBack, with the old version in place. DONE: no boot to come; WAIT: continues later; NEVER: the node did not
 * reboot. */
enum boots_back { BOOTS_DONE, BOOTS_WAIT, BOOTS_NEVER };
enum boots_back boots_go_back(struct release *release);

/* ---- hooks.c ----------------------------------------------------------------------------------------------------- */

/* False: no such hook. Else a step runs it, ends, and calls `done` once, maybe at once. */
bool hooks_start(struct release *release, enum hf_hook_kind kind,
                 void (*done)(struct release *release, int r, const struct hf_failure *failure));

/* ---- wanted.c ---------------------------------------------------------------------------------------------------- */

/* NULL: none of this name. 0 or -ENOMEM. */
int wanted_set(struct release *release, const struct hf_desired *desired);
/* Takes `kept`, the journal's JSON. */
void wanted_restore(struct release *release, json_t *kept);
/* The committed release is wanted until wanted_repair_end() (no effect without a repair). Takes `committed`. */
void wanted_repair(struct release *release, struct hf_edgeupdate *committed);
void wanted_repair_end(struct release *release);
/* Makes the version before the wanted one, by the site's order. */
void wanted_order(struct release *release, struct hf_edgeupdate *before);
/* As wanted_order(), with the journal's committed release. False: none, or no memory. */
bool wanted_order_again(struct release *release);
/* The version before is wanted by the site's order: floors neither count nor stop it. */
bool wanted_is_local(const struct release *release);
/* The journal's update follows the site's order, and fetches nothing; a later repair may. */
bool wanted_goes_back(const struct release *release);
/* The kept part of the committed EdgeUpdate; free it. NULL: not in memory, or none. */
json_t *wanted_committed(const struct release *release);
/* True: the site holds the release: neither updates nor repairs. */
bool wanted_held(const struct release *release);
void wanted_done(struct release *release);
/* The journal's release is the wanted one. */
bool wanted_matches(const struct release *release);
/* Nothing of this name is wanted; Idle, Committed or RolledBack. */
bool wanted_no_more(const struct release *release);
/* Starts an update; of the old one the journal keeps only the history. */
void wanted_accept(struct release *release, enum hf_update_event event, enum hf_reason reason);

/* ---- review.c ---------------------------------------------------------------------------------------------------- */

/* *ret_message: the reason's, or NULL. */
enum hf_gate_verdict review_ask(struct release *release, enum hf_reason *ret_reason, const char **ret_message);
void review_load_floor(struct release *release);
/* After a step was stopped for the wanted release or the gate: raises the event. */
void review_stopped(struct release *release);

/* ---- method.c ---------------------------------------------------------------------------------------------------- */

/* The artifact of the journal's release, for this node; NULL: none, or its EdgeUpdate is lost. */
const struct hf_artifact *method_artifact(const struct release *release);
/* Next to fetch; NULL: the whole file. */
const struct hf_delta_ref *method_delta(const struct release *release);
/* After an inspection: sets j.method, returns attempt.go_reason. j.detour: memory, disk or *death (avoided) rule out
 * the shortest chain. */
enum hf_reason method_choose(struct release *release, struct delta_death *death);
/* Avoids the delta, which *err made unusable, and chooses again. */
void method_drop_delta(struct release *release, const struct hf_err *err);
void method_use_whole_file(struct release *release);
/* A URL of artifact or deltas needs a credential: not shared with neighbours. */
bool method_is_private(const struct hf_update_engine *engine, const struct hf_artifact *artifact);
/* Sharing is on, and the artifact not private. */
bool method_may_be_neighbour(const struct release *release);

/* ---- transition.c ------------------------------------------------------------------------------------------------ */

void transition_init(struct release *release);
/* Writes the journal, then starts the move's action. HF_R_None: reason and message stay. `message` NULL or "":
 * hf_reason_meaning(). The reason's remedy follows if it fits, unless "nothing", "wait" or "see the message...". */
void transition_event(struct release *release, enum hf_update_event event, enum hf_reason reason, const char *message);
void transition_failure(struct release *release, enum hf_update_event event, const struct hf_failure *failure);
/* Backs off. */
void transition_no_memory(struct release *release, enum hf_update_event event);
/* In a phase that rests, after a change of j.message: makes it durable and shows it. */
void transition_message(struct release *release);
/* As transition_message(); in Committed sets reason and message first. */
void transition_tell(struct release *release, enum hf_reason reason, const char *message);
/* Shows a reason, no change of state; HF_R_None: the journal's. */
void transition_wait(struct release *release, enum hf_reason reason);
/* An error of the state folder, until transition_no_trouble(). */
void transition_trouble(struct release *release, int r, const struct hf_err *err);
void transition_no_trouble(struct release *release);
/* The journal in memory is durable. */
void transition_note_written(struct release *release);

/* ---- retry.c ----------------------------------------------------------------------------------------------------- */

/* Sets the time of the next attempt, by `reason`. */
void retry_back_off(struct release *release, enum hf_reason reason, uint64_t at_least_ns);
/* When to consider the release again, or HF_NEVER. */
uint64_t retry_wake_ns(const struct release *release);
/* At the start, in Waiting: wrong content delays the next download. */
void retry_hold_back(struct release *release);
/* Waiting, before `wanted` replaces the object: after a change by a person, the next attempt is at a random time within
 * engine->p.retry_cap_ns, never later than planned. */
void retry_object_changed(struct release *release, const struct hf_edgeupdate *wanted);

/* ---- counts.c ---------------------------------------------------------------------------------------------------- */

void counts_init(struct hf_update_engine *engine);
/* Counts a change of phase since the journal was last shown. */
void counts_move(struct release *release);
void counts_failure(const struct hf_update_engine *engine, enum hf_reason reason);
