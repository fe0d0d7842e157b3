/* SPDX-License-Identifier: Apache-2.0 */
/* May the wanted release be installed on this node now? Gathers the facts for the gate (rules/gate.h): signatures,
 * requirements, the floor, the path, the windows.
 *
 * Signatures, fit and commands are judged once for each hf_update_engine_set(), and again while the trust folder
 * cannot be read. Everything that changes by itself (time, floors, other releases at the path, disk, turn, link) is
 * asked each time. Missing evidence is no refusal: without the floor or the trust folder the release waits.
 *
 * Each reason keeps a text of its own, so that the status can explain the reason that the gate chose. The text about
 * the clock stays while the release waits for it, so that the status does not change with every second. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding/cut.h"
#include "base/format.h"
#include "config/config.h"
#include "update/install/floor_copy.h"
#include "update/release.h"
#include "update/rules/pod_starter.h"
#include "update/state/floor.h"

/* Reads the floor from the state folder and from its copies below the update roots. The copies matter if the state
 * folder was lost. */
void review_load_floor(struct release *release)
{
    const struct hf_update_engine *engine = release->engine;
    struct hf_sequence_history *floor = &release->review.floor;
    const struct hf_target target = {.fs = engine->p.world.fs,
                                     .roots = engine->p.roots,
                                     .host_root = engine->p.host_root,
                                     .release = release->j.name};
    struct hf_err err = HF_ERR_INIT, copy_err = HF_ERR_INIT;
    unsigned damaged;
    int r = hf_floor_load(engine->p.world.fs, release->folder, floor, &damaged, &err);

    release->review.floor_known = r == 0;
    if (r < 0 || damaged > 0)
        hf_log_err(engine->p.world.log, HF_LOG_WARNING, "update.floor", "release", release->j.name, &err);
    if (r < 0)
        return;
    uint64_t top = floor->top.sequence;
    if (hf_floor_copy_load(&target, floor, &copy_err) < 0)
        hf_log_err(engine->p.world.log, HF_LOG_WARNING, "update.floor", "release", release->j.name, &copy_err);
    hf_floor_guard_join(engine->p.floors, "release", release->j.name, floor);
    assert(floor->top.sequence >= top); /* no copy takes a floor down */
    if (floor->top.sequence > HF_MAX(top, release->j.good_sequence))
        hf_log(engine->p.world.log, HF_LOG_WARNING, "update.floor.restored", HF_S("release", release->j.name),
               HF_D("sequence", floor->top.sequence), HF_D("state", top));
}

/* ---- signatures and requirements --------------------------------------------------------------------------------- */

static const enum hf_reason distrust_reasons[] = {[HF_TRUST_OK] = HF_R_None,
                                                  [HF_TRUST_NO_KEYS] = HF_R_NoTrustedKeys,
                                                  [HF_TRUST_UNKNOWN_KEY] = HF_R_UnknownKey,
                                                  [HF_TRUST_BAD_SIGNATURE] = HF_R_SignatureInvalid,
                                                  [HF_TRUST_BELOW_THRESHOLD] = HF_R_BelowThreshold,
                                                  [HF_TRUST_UNSIGNED] = HF_R_Unsigned};
_Static_assert(HF_LEN(distrust_reasons) == HF_TRUST_COUNT, "a verdict has no reason");

static void check_trust(struct release *release)
{
    const struct hf_update_params *p = &release->engine->p;
    struct release_review *review = &release->review;
    enum hf_trust_verdict verdict = HF_TRUST_UNSIGNED;
    struct hf_err err = HF_ERR_INIT;
    int r = hf_trust_check(p->world.fs, p->trust_dir, release->wanted.object, &verdict, &err);

    review->distrust = r < 0 ? HF_R_TrustUnreadable : distrust_reasons[verdict];
    if (review->distrust != HF_R_None)
        (void)hf_err_text(&err, review->message, sizeof(review->message));
    else if (release->wanted.object->release.signed_at_unix_ns != 0)
        hf_clock_signed_evidence(p->world.clock, release->wanted.object->release.signed_at_unix_ns);
}

/* The first field of the release that a pod cannot fulfil; NULL: none. A pod has only the programs of its image, and
 * only the devices below a host root that is mounted into it. */
static const char *beyond_pod(const struct hf_update_params *p, const struct hf_release *wanted,
                              const struct hf_artifact *artifact, char field[64])
{
    if (hf_release_program(wanted, 0, field, 64) != NULL)
        return field;
    return artifact->requires_.devices[0] != NULL && p->host_root == NULL ? "requires.devices" : NULL;
}

/* Would the release restart what starts the agent's own pod? The node's owner may accept that, by the full name of the
 * unit. */
static bool restarts_pod_starter(const struct hf_update_params *p, const struct hf_release *wanted)
{
    const char *unit = wanted->install.restart_unit;

    return p->pod_mode && unit != NULL && hf_pod_starter_is(unit) &&
           (p->names_unit == NULL || !p->names_unit(p->arg, unit));
}

static enum hf_reason misfit_of(const struct hf_update_params *p, const struct hf_release *wanted, struct hf_err *err)
{
    const struct hf_artifact *artifact = hf_release_artifact(wanted, p->arch);
    char field[64];
    const char *beyond = artifact != NULL && p->pod_mode ? beyond_pod(p, wanted, artifact, field) : NULL;

    if (wanted->install.kind == HF_INSTALL_AGENT && p->life == NULL) {
        (void)hf_err_set(err, EOPNOTSUPP,
                         "install.kind Agent: no supervisor watches this agent, and nothing would undo a bad version; "
                         "run it in host mode (agent.mode of the chart), or update it as it was installed");
        return HF_R_NotOnHost;
    }
    if (artifact == NULL) {
        (void)hf_err_set(err, EOPNOTSUPP, "the release has no artifact for %s", p->arch);
        return HF_R_NoArtifactForArch;
    }
    if (beyond != NULL) {
        (void)hf_err_set(err, EOPNOTSUPP, "%s does not work in a pod: run the agent on the host", beyond);
        return HF_R_NotInPod;
    }
    if (restarts_pod_starter(p, wanted)) {
        (void)hf_err_set(
            err, EOPNOTSUPP,
            "install.restart.systemdUnit: '%.48s' starts this agent's pod, and nothing would bring it back "
            "after a power cut: run the agent on the host, or name the unit in units of agent.yaml",
            wanted->install.restart_unit);
        return HF_R_NotInPod;
    }
    return p->meets != NULL && p->meets(p->arg, &artifact->requires_, err) < 0 ? HF_R_RequirementsNotMet : HF_R_None;
}

static void check_fit(struct release *release)
{
    struct release_review *review = &release->review;
    struct hf_err err = HF_ERR_INIT;

    review->misfit = misfit_of(&release->engine->p, &release->wanted.object->release, &err);
    if (review->misfit != HF_R_None && review->distrust == HF_R_None)
        (void)snprintf(review->message, sizeof(review->message), "%s", HF_CUT(200, err.cause));
}

/* ---- commands ---------------------------------------------------------------------------------------------------- */

/* Asks if the release is the agent itself. Asks the node's configuration about every program that the release has the
 * agent run, and the unit it restarts. */
static enum hf_reason exec_failure(const struct hf_update_params *p, const struct hf_release *wanted,
                                   struct hf_err *err)
{
    const char *program;
    char field[64];

    if (p->is_own != NULL && p->is_own(p->arg, &wanted->install, err))
        return HF_R_OwnProgram;
    if (p->allows_unit != NULL && wanted->install.restart_unit != NULL &&
        !p->allows_unit(p->arg, wanted->install.restart_unit, err)) {
        (void)hf_err_wrap(err, -EACCES, "install.restart.systemdUnit");
        return HF_R_UnitNotAllowed;
    }
    if (p->allows_exec == NULL)
        return HF_R_None;
    for (size_t i = 0; (program = hf_release_program(wanted, i, field, sizeof(field))) != NULL; i++)
        if (!p->allows_exec(p->arg, program, err)) {
            (void)hf_err_wrap(err, -EACCES, "%s", field);
            return HF_R_ExecNotAllowed;
        }
    return HF_R_None;
}

static void check_exec(struct release *release)
{
    struct release_review *review = &release->review;
    struct hf_err err = HF_ERR_INIT;

    review->bad_exec = exec_failure(&release->engine->p, &release->wanted.object->release, &err);
    if (review->bad_exec != HF_R_None && review->distrust == HF_R_None)
        (void)hf_err_text(&err, review->message, sizeof(review->message));
}

/* ---- the path ---------------------------------------------------------------------------------------------------- */

enum claim { CLAIM_NONE, CLAIM_WANTED, CLAIM_INSTALLED };

/* INSTALLED: the release has something at the path, or is about to. WANTED: it waits to install there. */
static enum claim claim_of(const struct release *release, const char *path)
{
    const struct hf_journal *j = &release->j;
    const struct hf_edgeupdate *object = release->wanted.object;

    if (release->stage == RELEASE_UNREAD) /* nobody knows what it has installed: it keeps the path that it wants */
        return object != NULL && strcmp(self_path_of(release->engine, &object->release.install), path) == 0
                   ? CLAIM_INSTALLED
                   : CLAIM_NONE;
    if (strcmp(j->path, path) != 0 || wanted_no_more(release))
        return CLAIM_NONE;
    switch (j->phase) {
    case HF_PHASE_IDLE:
    case HF_PHASE_REJECTED:
    case HF_PHASE_INCOMPATIBLE:
        return CLAIM_NONE;
    case HF_PHASE_WAITING:
        return j->good_digest[0] != '\0' ? CLAIM_INSTALLED : CLAIM_WANTED;
    default:
        return CLAIM_INSTALLED;
    }
}

/* Two releases must not fight over one path: the one that has something there keeps it, else the first by name gets
 * it. */
static bool path_is_taken(const struct release *release, const char *path)
{
    const struct hf_strmap *releases = &release->engine->releases;
    enum claim ours = HF_MAX(claim_of(release, path), CLAIM_WANTED);

    for (size_t i = 0; i < releases->n; i++) {
        const struct release *other = releases->entries[i].value;
        enum claim theirs = other != release ? claim_of(other, path) : CLAIM_NONE;
        if (theirs > ours || (theirs == ours && strcmp(other->j.name, release->j.name) < 0))
            return true;
    }
    return false;
}

/* The supervisor has gone back from the release of the agent that this node had committed: a repair would try it again,
 * and again. */
static bool is_given_up(const struct release *release)
{
    const struct hf_release *wanted = &release->wanted.object->release;
    const struct hf_artifact *artifact = hf_release_artifact(wanted, release->engine->p.arch);
    struct hf_supervisor_note verdict;

    return artifact != NULL && strcmp(wanted->digest, release->j.good_digest) == 0 &&
           self_is_given_up(release, artifact->sha256, &verdict);
}

static enum hf_reason path_failure(const struct release *release)
{
    const struct hf_update_params *p = &release->engine->p;
    const struct hf_install *install = &release->wanted.object->release.install;
    const char *path = install->path;
    struct hf_target target = {.fs = p->world.fs, .roots = p->roots, .path = path, .release = release->j.name};
    struct hf_failure failure;

    if (install->kind == HF_INSTALL_AGENT)
        return is_given_up(release) ? HF_R_AgentFailed : HF_R_None;
    if (hf_target_check(&target, &failure) < 0)
        return failure.reason;
    if (hf_config_path_is_reserved(path))
        return HF_R_PathNotAllowed;
    return path_is_taken(release, path) ? HF_R_PathTaken : HF_R_None;
}

/* ---- the question ------------------------------------------------------------------------------------------------ */

static void refresh(struct release *release)
{
    struct release_review *review = &release->review;

    if (!review->current) {
        review->message[0] = '\0';
        check_trust(release);
        check_fit(release);
        check_exec(release);
        review->current = review->distrust != HF_R_TrustUnreadable;
    }
    if (!review->floor_known)
        review_load_floor(release);
    else /* by now the guard may know a newer one */
        hf_floor_guard_join(release->engine->p.floors, "release", release->j.name, &review->floor);
}

/* Which evidence is missing, so that no verdict is possible now. */
static enum hf_reason unsure_of(const struct release_review *review)
{
    if (review->distrust == HF_R_TrustUnreadable)
        return HF_R_TrustUnreadable;
    return review->floor_known ? HF_R_None : HF_R_IoError;
}

/* Says why the evidence of the time does not suffice. The text stays while the release waits for it: the ends of the
 * span move with the time, and a status need not. */
static void explain_clock(struct release *release, const struct hf_time_range *range, bool about_expiry)
{
    struct release_review *review = &release->review;
    uint64_t first = range->earliest_unix_ns, last = range->latest_unix_ns;
    char from[HF_TIME_TEXT], to[HF_TIME_TEXT], expires[HF_TIME_TEXT];
    const char *upper = "an unknown time";

    if (release->machine.wait.reason == HF_R_ClockUnsure && review->clock_message[0] != '\0')
        return;
    if (!about_expiry && range->agreement != HF_TIME_UNKNOWN)
        hf_time_span(range, &first, &last);
    if (last != HF_NEVER)
        upper = hf_format_time(last, to);
    int n = snprintf(review->clock_message, sizeof(review->clock_message),
                     "the evidence of the time (%s) leaves open each time from %s to %s, ",
                     hf_time_agreement_name(range->agreement), hf_format_time(first, from), upper);
    if (about_expiry)
        (void)snprintf(review->clock_message + n, sizeof(review->clock_message) - (size_t)n,
                       "and the release expires at %s",
                       hf_format_time(release->wanted.object->release.expires_unix_ns, expires));
    else
        (void)snprintf(review->clock_message + n, sizeof(review->clock_message) - (size_t)n,
                       "and an update window does not cover all of it");
}

/* The floor on disk, with the commit that the journal may have before it. */
static struct hf_sequence_history history_of(const struct release *release)
{
    struct hf_sequence_history history = release->review.floor;

    if (!release->j.good_local)
        hf_sequence_commit(&history, release->j.good_sequence, release->j.good_digest);
    assert(history.top.sequence >= release->review.floor.top.sequence);
    return history;
}

/* Judges the place of the release in the history of this node, and the fields that only a start needs. */
static void judge_history(struct release *release, bool is_committed, struct hf_gate_facts *facts)
{
    const struct hf_release *wanted = &release->wanted.object->release;
    struct hf_sequence_history history = history_of(release);
    struct release_review *review = &release->review;
    const char *field;
    char text[200];

    review->history_message[0] = '\0';
    facts->sequence =
        review->floor_known && !wanted_is_local(release)
            ? hf_sequence_judge(&history, wanted, review->history_message, sizeof(review->history_message))
            : HF_R_None;
    if (is_committed || (field = hf_release_outdated(wanted, text, sizeof(text))) == NULL)
        return;
    facts->outdated = true;
    (void)snprintf(review->history_message, sizeof(review->history_message), "spec.release.%s: %s", field, text);
}

/* True if the update still has to download while the budget of writes is used up. A repair in place of the wanted
 * release goes on, as in lacks_turn(). */
static bool lacks_budget(const struct release *release)
{
    return release->wanted.writes_used_up && (release->j.phase <= HF_PHASE_FETCHING || release->wanted.asked != NULL);
}

/* Returns the gate for bulk transfers if the update still has to download over the network. */
static enum hf_link link_of(const struct release *release)
{
    const struct hf_artifact *artifact = method_artifact(release);
    bool is_local = artifact != NULL && strncmp(artifact->url, "file:", 5) == 0;
    bool downloads = release->j.phase <= HF_PHASE_FETCHING || release->wanted.asked != NULL;

    return downloads && !is_local ? release->wanted.link : HF_LINK_OPEN;
}

/* True if the update has not started and its disk is too full. An update that is under way goes on within the reserve,
 * since its end frees what it took. */
static bool lacks_disk(struct release *release)
{
    const struct hf_update_params *p = &release->engine->p;
    struct release_review *review = &release->review;
    struct hf_err err = HF_ERR_INIT;

    if (p->disk_critical == NULL || (release->j.phase > HF_PHASE_WAITING && release->wanted.asked == NULL) ||
        !p->disk_critical(p->arg, self_path_of(release->engine, &release->wanted.object->release.install), &err))
        return false;
    (void)snprintf(review->disk_message, sizeof(review->disk_message), "%s", err.cause);
    return true;
}

/* True if the update cannot do its next step without a turn. A repair that runs in place of the wanted release goes on
 * until that release has its turn: else the two would alternate, and neither would ever end. */
static bool lacks_turn(const struct release *release)
{
    return release->wanted.turn_missing && (release->j.phase == HF_PHASE_VERIFIED || release->wanted.asked != NULL);
}

static bool is_about_history(const struct hf_gate_facts *facts, enum hf_reason reason)
{
    return reason != HF_R_None && (reason == facts->sequence || reason == HF_R_OldFormat);
}

enum hf_gate_verdict review_ask(struct release *release, enum hf_reason *ret_reason, const char **ret_message)
{
    const struct hf_edgeupdate *object = release->wanted.object;
    const struct release_review *review = &release->review;
    const char *digest = object->release.digest;
    struct hf_time_range range = hf_clock_range(release->engine->p.world.clock);
    const char *floors_message;
    uint64_t wait_ns;
    enum hf_time_answer window = hf_windows_judge(object->windows, object->n_windows, &range, &wait_ns);

    refresh(release);
    struct hf_sequence_history history = history_of(release);
    bool is_committed = hf_sequence_is_current(&history, digest) || wanted_is_local(release);
    bool obeys = release->wanted.ordered && !release->j.good_local; /* the site's latest word, also during its hold */
    enum hf_time_answer expired = is_committed ? HF_TIME_NO : hf_time_has_come(&range, object->release.expires_unix_ns);
    struct hf_gate_facts facts = {
        .distrust = review->distrust,
        .unsure = unsure_of(review),
        .expired = expired,
        .rolled_back_before = strcmp(digest, release->j.bad_digest) == 0,
        .bad_path = path_failure(release),
        .bad_exec = review->bad_exec,
        .misfit = review->misfit,
        .gate = obeys ? HF_GATE_OPEN : release->wanted.gate,
        .held = release->wanted.held && !obeys,
        .floors = hf_floor_guard_ask(release->engine->p.floors, &floors_message),
        .turn_missing = lacks_turn(release),
        .writes_used_up = lacks_budget(release),
        .link = link_of(release),
        .disk_critical = lacks_disk(release),
        .is_committed = is_committed,
        .suspended = object->suspend,
        .window = window,
    };
    judge_history(release, is_committed, &facts);
    if (expired == HF_TIME_UNSURE || window == HF_TIME_UNSURE)
        explain_clock(release, &range, expired == HF_TIME_UNSURE);
    else
        release->review.clock_message[0] = '\0';
    enum hf_gate_verdict verdict = hf_gate_ask(&facts, ret_reason);
    assert((verdict == HF_GATE_GO) == (*ret_reason == HF_R_None));
    assert(verdict != HF_GATE_GO || (review->distrust == HF_R_None && review->floor_known));
    assert(verdict != HF_GATE_GO || strcmp(digest, release->j.bad_digest) != 0);
    assert(verdict != HF_GATE_GO || (facts.bad_path == HF_R_None && facts.bad_exec == HF_R_None));
    assert(verdict != HF_GATE_GO || !is_committed || !facts.held);
    assert(verdict != HF_GATE_GO || is_committed || (expired == HF_TIME_NO && facts.sequence == HF_R_None));
    bool is_ours = *ret_reason == review->distrust || *ret_reason == review->misfit || *ret_reason == review->bad_exec;
    *ret_message = NULL;
    if (*ret_reason == HF_R_RolledBackBefore && release->j.boots.why[0] != '\0')
        *ret_message = release->j.boots.why;
    else if (is_about_history(&facts, *ret_reason))
        *ret_message = review->history_message[0] != '\0' ? review->history_message : NULL;
    else if (is_ours && review->message[0] != '\0')
        *ret_message = review->message;
    return verdict;
}

void review_stopped(struct release *release)
{
    const char *message = NULL;
    enum hf_reason reason = HF_R_None;

    assert(release->j.phase == HF_PHASE_FETCHING || release->j.phase == HF_PHASE_PATCHING);
    assert(!step_is_in_progress(release));
    release->step.stopping = false;
    if (!wanted_matches(release)) {
        transition_event(release, HF_EV_DROPPED, HF_R_Queued, NULL);
        return;
    }
    enum hf_gate_verdict verdict = review_ask(release, &reason, &message);
    if (verdict == HF_GATE_REFUSE)
        transition_event(release, HF_EV_REFUSED, reason, message);
    else if (verdict == HF_GATE_MISFIT)
        transition_event(release, HF_EV_MISFIT, reason, message);
    else
        transition_event(release, HF_EV_HELD, verdict == HF_GATE_WAIT ? reason : HF_R_RetryingLater, message);
}
