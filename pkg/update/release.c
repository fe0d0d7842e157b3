#include "update/release.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/utf8.h"
#include "update/state/floor.h"

static const uint64_t save_retry_ns = 5 * HF_NS_PER_S;

/* ---- life ------------------------------------------------------------------------------------------------------------ */

struct release *release_new(struct hf_update_engine *engine, const char *name)
{
    struct release *release = calloc(1, sizeof(*release));

    if (release == NULL)
        return NULL;
    release->engine = engine;
    release->saved.max = HF_JOURNAL_MAX_BYTES;
    (void)snprintf(release->folder, sizeof(release->folder), "%.3000s/%.253s", engine->folder, name);
    (void)snprintf(release->j.name, sizeof(release->j.name), "%s", name);
    release->shown = release->j;
    return release;
}

void release_free(struct release *release)
{
    if (release == NULL)
        return;
    hf_edgeupdate_free(release->update);
    hf_edgeupdate_free(release->wanted);
    json_decref(release->kept);
    hf_buf_done(&release->saved);
    free(release);
}

static struct hf_edgeupdate *decode(json_t *kept)
{
    struct hf_issues *issues = calloc(1, sizeof(*issues));
    struct hf_edgeupdate *update = NULL;

    if (issues != NULL && kept != NULL && hf_edgeupdate_decode(kept, &update, issues) < 0)
        update = NULL;
    free(issues);
    return update;
}

static void ask_floor(struct release *release)
{
    struct hf_err err = HF_ERR_INIT;
    unsigned damaged;
    int r = hf_floor_load(release->engine->p.fs, release->folder, &release->floor, &damaged, &err);

    release->floor_known = r == 0;
    if (r < 0 || damaged > 0)
        hf_log_err(release->engine->p.log, HF_LOG_WARNING, "update.floor", "release", release->j.name, &err);
}

static void note_written(struct release *release)
{
    const struct hf_journal *j = &release->j;

    release->written.phase = j->phase;
    release->written.reason = j->reason;
    release->written.attempts = j->attempts;
    release->written.time_unix_ns = j->time_unix_ns;
    memcpy(release->written.message, j->message, sizeof(j->message));
}

int release_load(struct release *release)
{
    struct hf_update_engine *engine = release->engine;
    struct hf_err err = HF_ERR_INIT;
    int r = hf_journal_load(engine->p.fs, release->folder, &release->j, &release->kept, &err);

    if (r == -EBADMSG) {
        hf_log_err(engine->p.log, HF_LOG_ERROR, "update.journal", "release", release->j.name, &err);
        release->j.reason = HF_R_JournalDamaged;
        (void)snprintf(release->j.message, sizeof(release->j.message), "%.200s", err.where);
    } else if (r < 0 && r != -ENOENT && r != -ENOTDIR) {
        return r;
    }
    if (strcmp(release->j.name, release->shown.name) != 0) /* somebody copied a folder */
        release->j = release->shown;
    release->shown = release->j;
    note_written(release);
    release->update = decode(release->kept);
    ask_floor(release);
    /* What is on disk needs no writing when nothing comes of this start. */
    if (r == 0 && hf_journal_format(&release->j, release->kept, &release->saved) < 0)
        hf_buf_clear(&release->saved);
    return 0;
}

static uint64_t now_ns(const struct release *release)
{
    return hf_mono_ns(release->engine->p.clock);
}

/* ---- one move -------------------------------------------------------------------------------------------------------- */

static void act(struct release *release)
{
    enum hf_update_action action = release->then;

    release->then = HF_ACT_NONE;
    if (action != HF_ACT_NONE)
        step_run(release, action);
    engine_poke(release->engine);
}

static void save_failed(struct release *release, const struct hf_err *err)
{
    hf_log_err(release->engine->p.log, HF_LOG_ERROR, "update.journal", "release", release->j.name, err);
    release->unsaved = true;
    release->due_ns = now_ns(release) + save_retry_ns;
    release_wait(release, HF_R_StateNotWritable);
    engine_poke(release->engine);
}

static int run_save(struct step_job *step)
{
    return hf_journal_save(step->release->engine->p.fs, step->release->folder, hf_buf_view(&step->text),
                           &step->failure.err);
}

static void log_phase(const struct release *release)
{
    const struct hf_journal *j = &release->j;

    hf_log(release->engine->p.log, hf_reason_level(j->phase, j->reason), "update.phase", HF_S("release", j->name),
           HF_S("phase", hf_phase_name(j->phase)), HF_S("version", j->version), HF_D("sequence", j->sequence),
           HF_S("reason", hf_reason_name(j->reason)), HF_S("message", j->message));
}

static void is_durable(struct release *release)
{
    bool moved = release->shown.phase != release->j.phase || release->shown.reason != release->j.reason;

    counts_move(release->engine, &release->shown, &release->j);
    release->shown = release->j;
    release->unsaved = false;
    if (moved) {
        log_phase(release);
        release->wait_reason = HF_R_None;
        engine_changed(release->engine);
    } else {
        release_wait(release, release->wait_reason == HF_R_StateNotWritable ? HF_R_None : release->wait_reason);
    }
    act(release);
}

static void saved(struct release *release, struct step_job *step)
{
    if (step->r < 0) {
        save_failed(release, &step->failure.err);
        return;
    }
    hf_buf_done(&release->saved);
    release->saved = step->text;
    note_written(release);
    step->text = (struct hf_buf){.max = HF_JOURNAL_MAX_BYTES};
    is_durable(release);
}

static bool same_text(const struct hf_buf *a, const struct hf_buf *b)
{
    return a->n > 0 && a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}

/* The journal as it needs to be. An artifact that is out of reach is asked for again and again, and a card must not wear out by
 * that: where an attempt gained nothing over the one that was written down as Waiting, that still says all a start needs to know
 * (Fetching begins with Waiting, too). */
static struct hf_journal to_write(const struct release *release)
{
    struct hf_journal j = release->j;

    if (release->written.phase != HF_PHASE_WAITING || release->written.attempts == 0 ||
        (j.phase != HF_PHASE_WAITING && j.phase != HF_PHASE_FETCHING))
        return j;
    j.phase = release->written.phase;
    j.reason = release->written.reason;
    j.attempts = release->written.attempts;
    j.time_unix_ns = release->written.time_unix_ns;
    memcpy(j.message, release->written.message, sizeof(j.message));
    return j;
}

/* Write, sync, then act. What is on disk already is not written again. */
static void save(struct release *release)
{
    struct step_job *step = step_new(release, STEP_SAVE, run_save, saved);
    struct hf_journal j = to_write(release);
    struct hf_err err = HF_ERR_INIT;
    int r = step == NULL ? -ENOMEM : hf_journal_format(&j, release->kept, &step->text);

    if (r == 0 && !same_text(&step->text, &release->saved)) {
        hf_buf_clear(&step->text);
        r = hf_journal_format(&release->j, release->kept, &step->text);
    }
    if (r < 0) {
        (void)hf_err_sys(&err, r, "format the journal");
        step_discard(step);
        save_failed(release, &err);
    } else if (same_text(&step->text, &release->saved)) {
        step_discard(step);
        is_durable(release);
    } else {
        step_submit(step);
    }
}

static void compose(char message[HF_UPDATE_MAX_MESSAGE], enum hf_reason reason, const char *text)
{
    const char *remedy = hf_reason_remedy(reason);
    size_t n;

    (void)snprintf(message, HF_UPDATE_MAX_MESSAGE, "%s",
                   text != NULL && text[0] != '\0' ? text : hf_reason_meaning(reason));
    n = strlen(message);
    if (strcmp(remedy, "nothing") != 0 && strcmp(remedy, "wait") != 0 && strncmp(remedy, "see the message", 15) != 0 &&
        n + strlen(remedy) + 3 < HF_UPDATE_MAX_MESSAGE)
        (void)snprintf(message + n, HF_UPDATE_MAX_MESSAGE - n, "; %s", remedy);
    /* A cut must not leave half a character. */
    message[hf_utf8_prefix(message, strlen(message))] = '\0';
}

/* An end says why the way to it was not the shortest. */
static void add_detour(struct hf_journal *j)
{
    size_t n = strlen(j->message);

    if (j->detour[0] != '\0' && n + strlen(j->detour) + 3 < sizeof(j->message))
        (void)snprintf(j->message + n, sizeof(j->message) - n, "; %s", j->detour);
}

static bool is_resting(enum hf_phase phase)
{
    return phase == HF_PHASE_IDLE || phase == HF_PHASE_COMMITTED || phase == HF_PHASE_ROLLED_BACK ||
           phase == HF_PHASE_INCOMPATIBLE || phase == HF_PHASE_REJECTED;
}

/* What the new state brings with it. */
static void enter(struct release *release, enum hf_phase phase)
{
    struct hf_journal *j = &release->j;

    if (j->phase != phase)
        j->time_unix_ns = hf_unix_ns(release->engine->p.clock);
    j->phase = phase;
    if (phase == HF_PHASE_COMMITTED && strcmp(j->good_digest, j->digest) != 0) {
        memcpy(j->good_digest, j->digest, sizeof(j->good_digest));
        memcpy(j->good_version, j->version, sizeof(j->good_version));
        j->good_sequence = j->sequence;
    }
    if (phase == HF_PHASE_ROLLED_BACK)
        memcpy(j->bad_digest, j->digest, sizeof(j->bad_digest));
    if (is_resting(phase)) { /* the release itself is not needed to go on */
        json_decref(release->kept);
        release->kept = NULL;
    }
    if (is_resting(phase) || phase == HF_PHASE_WAITING)
        engine_leave(release);
}

void release_event(struct release *release, enum hf_update_event event, enum hf_reason reason, const char *message)
{
    struct hf_journal *j = &release->j;
    struct hf_update_move move = hf_update_move(j->phase, event);

    if (!move.known) {
        hf_log(release->engine->p.log, HF_LOG_WARNING, "update.unexpected", HF_S("release", j->name),
               HF_S("phase", hf_phase_name(j->phase)), HF_S("event", hf_update_event_name(event)));
        return;
    }
    if (reason != HF_R_None) {
        j->reason = reason;
        compose(j->message, reason, message);
        if (move.next == HF_PHASE_COMMITTED)
            add_detour(j);
    }
    if (event == HF_EV_FAILED && reason != HF_R_None)
        counts_failure(release->engine, reason);
    enter(release, move.next);
    release->then = move.action;
    save(release);
}

void release_failure(struct release *release, enum hf_update_event event, const struct hf_failure *failure)
{
    char text[520];

    release_event(release, event, failure->reason, hf_err_text(&failure->err, text, sizeof(text)));
}

void release_wait(struct release *release, enum hf_reason reason)
{
    if (release->wait_reason == reason)
        return;
    release->wait_reason = reason;
    engine_changed(release->engine);
}

/* ---- what is wanted, and whether it may -------------------------------------------------------------------------------- */

bool release_wants(const struct release *release)
{
    return release->wanted != NULL && strcmp(release->wanted->release.digest, release->j.digest) == 0;
}

static enum hf_reason distrust_of(enum hf_trust_verdict verdict)
{
    static const enum hf_reason reasons[] = {[HF_TRUST_OK] = HF_R_None,
                                             [HF_TRUST_NO_KEYS] = HF_R_NoTrustedKeys,
                                             [HF_TRUST_UNKNOWN_KEY] = HF_R_UnknownKey,
                                             [HF_TRUST_BAD_SIGNATURE] = HF_R_SignatureInvalid,
                                             [HF_TRUST_BELOW_THRESHOLD] = HF_R_BelowThreshold,
                                             [HF_TRUST_UNSIGNED] = HF_R_Unsigned};

    return verdict < HF_LEN(reasons) ? reasons[verdict] : HF_R_SignatureInvalid;
}

static void ask_trust(struct release *release)
{
    const struct hf_update_params *p = &release->engine->p;
    enum hf_trust_verdict verdict = HF_TRUST_UNSIGNED;
    struct hf_err err = HF_ERR_INIT;
    int r = hf_trust_check(p->fs, p->trust_dir, release->wanted, &verdict, &err);

    release->distrust = r < 0 ? HF_R_TrustUnreadable : distrust_of(verdict);
    if (release->distrust != HF_R_None)
        (void)hf_err_text(&err, release->ask_message, sizeof(release->ask_message));
}

/* The first thing asked for that a pod cannot do; NULL: nothing. Its programs are the image's, and it has no device of the host
 * but those below a host root that is mounted for it. */
static const char *beyond_pod(const struct hf_update_params *p, const struct hf_release *wanted,
                              const struct hf_artifact *artifact)
{
    if (wanted->install.restart_exec[0] != NULL)
        return "install.restart.exec";
    for (size_t i = 0; i < wanted->n_checks; i++)
        if (wanted->checks[i].kind == HF_CHECK_EXEC)
            return "health.checks.exec";
    return artifact->requires_.devices[0] != NULL && p->host_root == NULL ? "requires.devices" : NULL;
}

static enum hf_reason misfit_of(const struct hf_update_params *p, const struct hf_release *wanted, struct hf_err *err)
{
    const struct hf_artifact *artifact = hf_release_artifact(wanted, p->arch);
    const char *beyond = artifact != NULL && p->pod_mode ? beyond_pod(p, wanted, artifact) : NULL;

    if (artifact == NULL) {
        (void)hf_err_set(err, EOPNOTSUPP, "no artifact for %s", p->arch);
        return HF_R_NoArtifactForArch;
    }
    if (beyond != NULL) {
        (void)hf_err_set(err, EOPNOTSUPP, "%s cannot be done from a pod: run the agent on the host", beyond);
        return HF_R_NotInPod;
    }
    return p->meets != NULL && p->meets(p->arg, &artifact->requires_, err) < 0 ? HF_R_RequirementsNotMet : HF_R_None;
}

static void ask_fit(struct release *release)
{
    struct hf_err err = HF_ERR_INIT;

    release->misfit = misfit_of(&release->engine->p, &release->wanted->release, &err);
    if (release->misfit != HF_R_None && release->distrust == HF_R_None)
        (void)snprintf(release->ask_message, sizeof(release->ask_message), "%.200s", err.cause);
}

static enum hf_reason path_failure(const struct release *release)
{
    const struct hf_update_engine *engine = release->engine;
    const char *path = release->wanted->release.install.path;
    struct hf_target target = {.fs = engine->p.fs, .roots = engine->p.roots, .path = path, .release = release->j.name};
    struct hf_failure failure;

    if (hf_target_check(&target, &failure) < 0)
        return failure.reason;
    return engine_path_taken(release, path) ? HF_R_PathTaken : HF_R_None;
}

enum hf_gate_verdict release_ask(struct release *release, enum hf_reason *ret_reason, const char **ret_message)
{
    const struct hf_edgeupdate *wanted = release->wanted;
    const char *digest = wanted->release.digest;
    uint64_t unix_ns = hf_unix_ns(release->engine->p.clock), ignored;
    bool is_good = strcmp(digest, release->j.good_digest) == 0;

    if (!release->asked) {
        release->ask_message[0] = '\0';
        ask_trust(release);
        ask_fit(release);
        release->asked = release->distrust != HF_R_TrustUnreadable;
    }
    if (!release->floor_known)
        ask_floor(release);
    struct hf_gate_facts facts = {
        .distrust = release->distrust,
        .below_floor =
            !release->floor_known || (wanted->release.sequence < HF_MAX(release->floor, release->j.good_sequence) &&
                                      !wanted->release.allow_downgrade && !is_good),
        .expired = unix_ns >= wanted->release.expires_unix_ns && !is_good,
        .rolled_back_before = strcmp(digest, release->j.bad_digest) == 0,
        .bad_path = path_failure(release),
        .misfit = release->misfit,
        .gate = release->gate,
        .suspended = wanted->suspend,
        .window_open = hf_windows_open(wanted->windows, wanted->n_windows, unix_ns, &ignored),
    };
    enum hf_gate_verdict verdict = hf_gate_ask(&facts, ret_reason);
    bool asked_about = *ret_reason == release->distrust || *ret_reason == release->misfit;
    *ret_message = asked_about && release->ask_message[0] != '\0' ? release->ask_message : NULL;
    return verdict;
}

int release_want(struct release *release, const struct hf_desired *desired)
{
    release->asked = false;
    if (desired == NULL) {
        hf_edgeupdate_free(release->wanted);
        release->wanted = NULL;
        return 0;
    }
    release->gate = desired->gate;
    if (release->wanted != NULL &&
        (release->wanted->json == desired->update->json || json_equal(release->wanted->json, desired->update->json)))
        return 0;
    struct hf_edgeupdate *wanted = decode(desired->update->json);
    if (wanted == NULL)
        return -ENOMEM;
    release_changed(release, wanted);
    hf_edgeupdate_free(release->wanted);
    release->wanted = wanted;
    return 0;
}

/* ---- looking --------------------------------------------------------------------------------------------------------- */

static void take_text(char *to, size_t n, const char *from)
{
    memset(to, 0, n);
    (void)snprintf(to, n, "%s", from);
}

/* What the journal must keep of the object: enough to be decoded again and to act without anybody. */
static json_t *reduce(const struct hf_edgeupdate *update)
{
    const json_t *spec = json_object_get(update->json, "spec");
    json_t *release = json_object_get(spec, "release"), *signatures = json_object_get(spec, "signatures");

    return json_pack("{s:s, s:s, s:{s:s}, s:{s:O, s:O*}}", "apiVersion", HF_API_GROUP_VERSION, "kind", "EdgeUpdate",
                     "metadata", "name", update->meta.name, "spec", "release", release, "signatures", signatures);
}

/* Begin with what is wanted now: the journal forgets the attempt before, not the history. */
static void accept(struct release *release, enum hf_update_event event, enum hf_reason reason)
{
    struct hf_journal *j = &release->j;
    json_t *kept = reduce(release->wanted);
    struct hf_edgeupdate *update = decode(kept);

    if (update == NULL) { /* no memory: look again later */
        json_decref(kept);
        release->due_ns = now_ns(release) + save_retry_ns;
        return;
    }
    hf_edgeupdate_free(release->update);
    json_decref(release->kept);
    release->update = update;
    release->kept = kept;
    const struct hf_artifact *artifact = hf_release_artifact(&update->release, release->engine->p.arch);
    take_text(j->digest, sizeof(j->digest), update->release.digest);
    take_text(j->version, sizeof(j->version), update->release.version);
    take_text(j->path, sizeof(j->path), update->release.install.path);
    take_text(j->sha256, sizeof(j->sha256), artifact != NULL ? artifact->sha256 : "");
    take_text(j->from, sizeof(j->from),
              event == HF_EV_DRIFTED ? "" : j->good_version); /* "": who knows what is there */
    take_text(j->old_sha256, sizeof(j->old_sha256), "");
    take_text(j->old_link, sizeof(j->old_link), "");
    take_text(j->made_folder, sizeof(j->made_folder), "");
    j->sequence = update->release.sequence;
    j->kind = update->release.install.kind;
    j->size = artifact != NULL ? artifact->size : 0;
    j->method = HF_METHOD_NONE;
    take_text(j->avoid, sizeof(j->avoid), "");
    take_text(j->detour, sizeof(j->detour), "");
    j->no_delta = j->had_old = j->probed = j->restarted = false;
    j->bytes_fetched = 0;
    j->attempts = j->starts = j->wasted = 0;
    release->paid_bytes = 0;
    release->due_ns = 0;
    release->recheck = false;
    release->delta_failures = release->restart_tries = 0;
    hf_backoff_reset(&release->backoff);
    release_event(release, event, reason, NULL);
}

void release_drifted(struct release *release)
{
    accept(release, HF_EV_DRIFTED, HF_R_Drifted);
}

/* What the journal says is not what is wanted, or not allowed any more. True: something was done about it. */
static bool turn_away(struct release *release, enum hf_gate_verdict verdict, enum hf_reason reason, const char *message)
{
    if (!release_wants(release) || release->update == NULL)
        release_event(release, HF_EV_DROPPED, HF_R_Queued, NULL);
    else if (verdict == HF_GATE_REFUSE)
        release_event(release, HF_EV_REFUSED, reason, message);
    else if (verdict == HF_GATE_MISFIT)
        release_event(release, HF_EV_MISFIT, reason, message);
    else
        return false;
    return true;
}

static bool consider_waiting(struct release *release)
{
    const char *message = NULL;
    enum hf_reason reason = HF_R_None;
    enum hf_gate_verdict verdict = release_wants(release) ? release_ask(release, &reason, &message) : HF_GATE_REFUSE;

    if (turn_away(release, verdict, reason, message))
        return false;
    if (verdict == HF_GATE_WAIT) {
        engine_leave(release);
        release_wait(release, reason);
        return false;
    }
    if (now_ns(release) < release->due_ns) {
        release_wait(release, HF_R_None); /* the journal's own reason says why */
        return false;
    }
    if (release->engine->active != NULL && release->engine->active != release)
        release_wait(release, HF_R_Queued);
    return true;
}

static void consider_resting(struct release *release)
{
    enum hf_phase phase = release->j.phase;
    enum hf_reason reason = HF_R_None;
    const char *message = NULL;

    if (release->wanted == NULL) {
        if (phase == HF_PHASE_INCOMPATIBLE || phase == HF_PHASE_REJECTED)
            release_event(release, HF_EV_DROPPED, HF_R_None, NULL);
        return;
    }
    if (now_ns(release) < release->due_ns)
        return;
    if (!release_wants(release) || phase == HF_PHASE_IDLE) {
        accept(release, HF_EV_DESIRED, HF_R_Queued);
        return;
    }
    if (phase == HF_PHASE_COMMITTED && release->look_wanted && release->gate == HF_GATE_OPEN &&
        now_ns(release) >= release->look_due_ns)
        step_look(release);
    if (phase != HF_PHASE_INCOMPATIBLE && phase != HF_PHASE_REJECTED)
        return;
    /* Keys come, disks are plugged in: was it refused for the same reason as it would be now? */
    enum hf_gate_verdict verdict = release_ask(release, &reason, &message);
    if ((verdict != HF_GATE_REFUSE && verdict != HF_GATE_MISFIT) || reason != release->j.reason)
        accept(release, HF_EV_DESIRED, HF_R_Queued);
}

static void start(struct release *release)
{
    struct hf_journal *j = &release->j;

    release->started = true;
    release->recheck = j->phase == HF_PHASE_VERIFIED || j->phase == HF_PHASE_SWAPPING;
    if (j->phase >= HF_PHASE_SWAPPING && !is_resting(j->phase) && release->engine->active == NULL)
        release->engine->active = release;
    release_hold_back(release);
    if (j->phase == HF_PHASE_PROBATION) {
        const char *unit = release->update != NULL ? release->update->release.install.restart_unit : NULL;
        j->starts++;
        /* We are what was updated, and here we are. */
        if (unit != NULL && release->engine->p.self_unit != NULL && strcmp(unit, release->engine->p.self_unit) == 0)
            j->restarted = true;
        if (j->starts >= HF_UPDATE_MAX_STARTS) {
            release_event(release, HF_EV_UNHEALTHY, HF_R_NoVerdict, NULL);
            return;
        }
    }
    release_event(release, HF_EV_STARTED, HF_R_None, NULL);
}

static bool must_stop(struct release *release)
{
    const char *message;
    enum hf_reason reason;

    if (release->step != STEP_INSPECT && release->step != STEP_UNIT && release->step != STEP_FETCH &&
        release->step != STEP_PATCH)
        return false;
    return !release_wants(release) || release_ask(release, &reason, &message) != HF_GATE_GO;
}

static enum hf_update_action action_of(enum hf_phase phase)
{
    static const enum hf_update_action actions[HF_PHASE_COUNT] = {[HF_PHASE_FETCHING] = HF_ACT_FETCH,
                                                                  [HF_PHASE_PATCHING] = HF_ACT_PATCH,
                                                                  [HF_PHASE_SWAPPING] = HF_ACT_SWAP,
                                                                  [HF_PHASE_PROBATION] = HF_ACT_PROBE};

    return actions[phase];
}

bool release_consider(struct release *release)
{
    bool due = now_ns(release) >= release->due_ns;

    if (release->step != STEP_NONE) {
        if (must_stop(release))
            step_stop(release);
        return false;
    }
    if (release->unsaved || release->again != HF_ACT_NONE) {
        if (due && release->unsaved)
            save(release);
        else if (due)
            step_run(release, release->again);
        return false;
    }
    if (!release->started) {
        start(release);
        return false;
    }
    switch (release->j.phase) {
    case HF_PHASE_WAITING:
    case HF_PHASE_VERIFIED:
        return consider_waiting(release);
    case HF_PHASE_FETCHING:
    case HF_PHASE_PATCHING:
    case HF_PHASE_SWAPPING:
    case HF_PHASE_PROBATION: /* a restart that systemd could not be asked for, a step that no worker took */
        if (due)
            step_run(release, action_of(release->j.phase));
        return false;
    case HF_PHASE_ROLLING_BACK: /* one that failed */
        return due;
    default:
        consider_resting(release);
        return false;
    }
}

void release_take_turn(struct release *release)
{
    release->last_turn = ++release->engine->turns;
    release->engine->active = release;
    release->wait_reason = HF_R_None;
    if (release->j.phase == HF_PHASE_WAITING)
        step_inspect(release);
    else
        release_event(release, HF_EV_GO, release->j.phase == HF_PHASE_VERIFIED ? HF_R_Swapping : HF_R_None, NULL);
}
