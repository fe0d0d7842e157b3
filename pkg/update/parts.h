/* SPDX-License-Identifier: Apache-2.0 */
/* update/parts.h - internal: the functions of the parts and actions of a release, file by file. Included by release.h. */
#pragma once

#include "update/release.h"
#include "update/step.h"

/* release.c */

struct release *release_new(struct hf_update_engine *engine, const char *name);
void release_free(struct release *release);
/* Reads the journal and the floor, and makes the name of the journal durable. If the journal is damaged, renames it. If
 * the journal cannot be read, the release gets the stage RELEASE_UNREAD. */
void release_load(struct release *release);
/* Returns true if the release's journal in memory is that of the disk. */
bool release_is_known(const struct release *release);
/* Starts the action that the wanted object and the present time require, if any. Returns true if the release wants the
 * turn (the right to work). */
bool release_consider(struct release *release);
void release_take_turn(struct release *release);
/* Call this function after the caller has set the desired releases. A repair of the committed release may be running in
 * place of the release that the caller wants. If the wanted release may start now, the function ends this repair. */
void release_recheck_repair(struct release *release);

/* Actions. release.c puts them into its table of actions, or starts them itself. */

/* Inspects the target, chooses the method, then raises HF_EV_GO, HF_EV_INSTALLED or HF_EV_FAILED. */
void prepare_start(struct release *release);
void replace_fetch(struct release *release);
void replace_patch(struct release *release);
void replace_swap(struct release *release);
void probation_start(struct release *release);
void rollback_start(struct release *release);
/* Call this function when RolledBack is durable and attempt.owes_restart is true. Restarts the agent's own unit, which
 * ends this process. */
void rollback_restart_agent(struct release *release);
void finish_commit(struct release *release);
void finish_clean(struct release *release);
/* Starts a cleanup that was put off, if its time has come. Call this function only in a phase that rests. Returns true
 * if it has started one. */
bool finish_overdue(struct release *release);
void drift_look(struct release *release);
/* Looks for drift in the committed release while the journal records a different release. */
void drift_look_behind(struct release *release);
/* ---- repairs.c --------------------------------------------------------------------------------------------------- */

/* Counts a look, and begins the pause before the next one. The first repair comes with the next look. Each further one
 * doubles the pause after it; each look that finds nothing wrong halves it. */
void repairs_count(struct release *release, bool drifted);
/* Returns the pause before a repair that somebody has disturbed is tried again. Each one is twice as long as the one
 * before, as between two repairs. */
uint64_t repairs_pause_ns(struct release *release);
/* The committed version is in place again: counts that, calls params.repaired, and begins the pause before the next
 * look. `what` says what was wrong, or how the repair ended. */
void repairs_put_back(struct release *release, const char *what);

/* ---- service.c --------------------------------------------------------------------------------------------------- */

/* Returns true if the service of the release is this agent, so that its restart ends this process. */
bool service_is_agent(const struct release *release);
bool service_has_restart(const struct release *release);
/* service_restart() and service_check() each start a step. They call `done` once, with the release as `arg`: at the end
 * of the step, or at once if the step cannot start. `done` must call step_end(). */
void service_restart(struct release *release, void (*done)(void *arg, int r, const struct hf_failure *failure));
void service_check(struct release *release, void (*done)(void *arg, const struct hf_health *health));

/* ---- wanted.c ---------------------------------------------------------------------------------------------------- */

/* Sets the object that the caller wants from now on; `desired` is NULL if the caller wants no release of this name. The
 * only error is -ENOMEM. */
int wanted_set(struct release *release, const struct hf_desired *desired);
/* Sets wanted.kept and wanted.accepted from `kept`, the JSON in the journal. Takes ownership of `kept`. */
void wanted_restore(struct release *release, json_t *kept);
/* Makes the committed release the wanted one, until wanted_repair_end(). Takes ownership of `committed`. */
void wanted_repair(struct release *release, struct hf_edgeupdate *committed);
void wanted_repair_end(struct release *release); /* Has no effect without a repair. */
/* Returns a copy of the part of the committed EdgeUpdate that the node keeps. Returns NULL if the EdgeUpdate is not in
 * memory, or if memory runs out. The caller frees the copy. */
json_t *wanted_committed(const struct release *release);
/* Returns true if the site has ordered a hold: the node then neither updates nor repairs. */
bool wanted_held(const struct release *release);
void wanted_done(struct release *release); /* Frees the parts of release->wanted. */
/* Returns true if an object is wanted and the journal records the release of that object. */
bool wanted_matches(const struct release *release);
/* Returns true if no release of this name is wanted, and the phase is Idle, Committed or RolledBack. */
bool wanted_no_more(const struct release *release);
/* Starts an update to the wanted object. The journal then drops the data of the previous update, but keeps the
 * history. */
void wanted_accept(struct release *release, enum hf_update_event event, enum hf_reason reason);

/* ---- review.c ---------------------------------------------------------------------------------------------------- */

/* Decides whether the update to the wanted object may start or continue now. If it may not, *ret_reason receives the
 * reason. *ret_message receives a text that explains this reason, or NULL if there is no such text. */
enum hf_gate_verdict review_ask(struct release *release, enum hf_reason *ret_reason, const char **ret_message);
void review_load_floor(struct release *release);

/* ---- method.c ---------------------------------------------------------------------------------------------------- */

/* Takes the release that the journal records, and returns its artifact for this node's architecture. Returns NULL if
 * the release has no such artifact, or if its EdgeUpdate is lost. */
const struct hf_artifact *method_artifact(const struct release *release);
/* Returns the delta to fetch next, or NULL if the update fetches the whole file. */
const struct hf_delta_ref *method_delta(const struct release *release);
/* Call this function after an inspection of the target. Chooses deltas or the whole file, and writes the choice to
 * j.method. Writes an explanation to j.detour in two cases: lack of memory or disk rules out the shortest chain of
 * deltas, or *death names a delta of this release that the update must avoid from now on. Returns the reason that the
 * status shows first in this attempt (attempt.go_reason). */
enum hf_reason method_choose(struct release *release, struct delta_death *death);
/* Adds the current delta to the deltas to avoid, and chooses another chain of deltas or the whole file. *err is the
 * error that made the delta unusable. */
void method_drop_delta(struct release *release, const struct hf_err *err);
void method_use_whole_file(struct release *release);

/* ---- transition.c ------------------------------------------------------------------------------------------------ */

void transition_init(struct release *release);
/* Makes the move that the table in rules/machine.h has for this event. First writes the journal, then starts the
 * action. If `reason` is HF_R_None, the journal keeps its reason and message. Otherwise the journal gets `reason` and
 * `message`; if `message` is NULL or "", it gets hf_reason_meaning(reason). If there is space, the function appends the
 * reason's remedy to the message, but not the remedies "nothing", "wait" and "see the message...". */
void transition_event(struct release *release, enum hf_update_event event, enum hf_reason reason, const char *message);
void transition_failure(struct release *release, enum hf_update_event event, const struct hf_failure *failure);
/* Sets a back-off, and then calls transition_failure() with the error -ENOMEM. */
void transition_no_memory(struct release *release, enum hf_update_event event);
/* Call this function after a change of j.message in a phase that rests. Makes the new message durable, and shows it. */
void transition_message(struct release *release);
/* Makes the status show `reason` without a change of state. If `reason` is HF_R_None, the status shows the journal's
 * reason again. */
void transition_wait(struct release *release, enum hf_reason reason);
/* Makes the status show an error of the state folder, until transition_no_trouble(). */
void transition_trouble(struct release *release, int r, const struct hf_err *err);
void transition_no_trouble(struct release *release);
/* Call this function when the journal in memory has become durable on disk. */
void transition_note_written(struct release *release);

/* ---- retry.c ----------------------------------------------------------------------------------------------------- */

/* Sets the time of the next attempt. The length of the back-off depends on `reason`, and is at least at_least_ns. */
void retry_back_off(struct release *release, enum hf_reason reason, uint64_t at_least_ns);
/* Returns the monotonic time at which to consider the release again, or HF_NEVER. */
uint64_t retry_wake_ns(const struct release *release);
/* Call this function when the agent starts. If the release is in the phase Waiting, and earlier downloads of it had
 * wrong content, delays the next download, so that an agent that restarts often does not download the wrong content at
 * each start. */
void retry_hold_back(struct release *release);
/* Call this function before `wanted` replaces the wanted object. If the release is in the phase Waiting and a person
 * changed its object, schedules the next attempt at a random time within engine->p.retry_cap_ns from now, so that not
 * all nodes start at once. If the next attempt is due before that time already, its time stays as it is. */
void retry_object_changed(struct release *release, const struct hf_edgeupdate *wanted);

/* ---- counts.c ---------------------------------------------------------------------------------------------------- */

void counts_init(struct hf_update_engine *engine);
/* Counts the move from the journal that was last shown to the present one. */
void counts_move(struct release *release);
void counts_failure(const struct hf_update_engine *engine, enum hf_reason reason);
