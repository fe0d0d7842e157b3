/* The actions, and what their ends mean. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "update/fetch_record.h"
#include "update/floor.h"
#include "update/release.h"

enum { MAX_DELTA_FAILURES = 5, MAX_RESTART_TRIES = 10, MAX_CLEAN_TRIES = 5 };
#define RESERVE_BYTES (16ull << 20) /* left free on the target's file system; at most a twentieth of it */
static const uint64_t unit_timeout_ns = 10 * HF_NS_PER_S, again_ns = 10 * HF_NS_PER_S,
                      restart_again_ns = 3 * HF_NS_PER_S;

/* ---- jobs ------------------------------------------------------------------------------------------------------------- */

static void do_step(struct hf_job *job)
{
    struct step_job *step = hf_container_of(job, struct step_job, job);

    step->r = step->run(step);
}

static void step_free(struct step_job *step)
{
    if (step == NULL)
        return;
    hf_buf_done(&step->text);
    free(step);
}

static void end_step(struct step_job *step)
{
    struct release *release = step->release;
    struct hf_update_engine *engine = release->engine;

    release->step = STEP_NONE;
    release->job = NULL;
    if (!engine->closing)
        step->then(release, step);
    step_free(step);
    engine_unref(engine);
}

static void step_done(struct hf_job *job, int cancelled)
{
    struct step_job *step = hf_container_of(job, struct step_job, job);

    if (cancelled)
        step->r = hf_trouble_sys(&step->trouble, -ECANCELED, "work");
    end_step(step);
}

struct step_job *step_new(struct release *release, enum step_kind kind, int (*run)(struct step_job *step),
                          void (*then)(struct release *release, struct step_job *step))
{
    struct step_job *step = calloc(1, sizeof(*step));

    if (step == NULL)
        return NULL;
    step->job = (struct hf_job){.work = do_step, .done = step_done};
    step->release = release;
    step->kind = kind;
    step->run = run;
    step->then = then;
    step->text.max = HF_JOURNAL_MAX_BYTES;
    return step;
}

void step_discard(struct step_job *step)
{
    step_free(step);
}

void step_submit(struct step_job *step)
{
    const struct hf_sched_ops *sched = step->release->engine->p.sched;
    struct release *release = step->release;

    release->step = step->kind;
    release->job = step;
    release->stopping = false;
    engine_ref(release->engine);
    step->r = sched->submit(sched->ctx, &step->job);
    if (step->r < 0) {
        (void)hf_trouble_sys(&step->trouble, step->r, "hand work to a worker");
        step->trouble.reason = HF_R_RetryingLater;
        end_step(step);
    }
}

/* ---- what steps are given --------------------------------------------------------------------------------------------- */

static struct hf_place place_of(const struct release *release)
{
    const struct hf_update_engine *engine = release->engine;

    return (struct hf_place){.fs = engine->p.fs,
                             .roots = engine->p.roots,
                             .host_root = engine->p.host_root,
                             .path = release->j.path,
                             .release = release->j.name};
}

static struct hf_swap_params swap_of(const struct release *release, const struct step_job *step)
{
    const struct hf_journal *j = &release->j;

    return (struct hf_swap_params){.place = place_of(release),
                                   .kind = j->kind,
                                   .sha256 = j->sha256,
                                   .had_old = j->had_old,
                                   .old_sha256 = j->old_sha256,
                                   .old_link = j->old_link,
                                   .made_folder = j->made_folder,
                                   .probed = j->probed,
                                   .recheck = release->recheck,
                                   .cancel = &step->cancel};
}

static const struct hf_artifact *artifact_of(const struct release *release)
{
    return release->update != NULL ? hf_release_artifact(&release->update->release, release->engine->p.arch) : NULL;
}

/* The delta from what is installed, or NULL. */
static const struct hf_delta_ref *delta_of(const struct release *release)
{
    const struct hf_artifact *artifact = artifact_of(release);
    const struct hf_journal *j = &release->j;

    if (artifact == NULL || j->no_delta || j->kind != HF_INSTALL_FILE || !j->had_old)
        return NULL;
    for (size_t i = 0; i < artifact->n_deltas; i++) {
        if (strcmp(artifact->deltas[i].from, j->old_sha256) == 0)
            return &artifact->deltas[i];
    }
    return NULL;
}

static void no_memory(struct release *release, enum hf_update_event event)
{
    struct hf_trouble trouble;

    (void)hf_trouble_sys(&trouble, -ENOMEM, "work");
    release_back_off(release, HF_R_RetryingLater, 0);
    release_trouble(release, event, &trouble);
}

/* A step that was stopped because what is wanted, or allowed, changed meanwhile. */
static void stopped(struct release *release)
{
    const char *message = NULL;
    enum hf_reason reason = HF_R_None;

    release->stopping = false;
    if (!release_wants(release)) {
        release_event(release, HF_EV_DROPPED, HF_R_Queued, NULL);
        return;
    }
    enum hf_gate_verdict verdict = release_ask(release, &reason, &message);
    if (verdict == HF_GATE_REFUSE)
        release_event(release, HF_EV_REFUSED, reason, message);
    else if (verdict == HF_GATE_MISFIT)
        release_event(release, HF_EV_MISFIT, reason, message);
    else
        release_event(release, HF_EV_HELD, verdict == HF_GATE_WAIT ? reason : HF_R_RetryingLater, message);
}

static void failed(struct release *release, const struct hf_trouble *trouble, uint64_t at_least_ns)
{
    release_back_off(release, trouble->reason, at_least_ns);
    release_trouble(release, HF_EV_FAILED, trouble);
}

/* ---- before it starts ------------------------------------------------------------------------------------------------- */

static void go(struct release *release)
{
    struct hf_journal *j = &release->j;

    j->attempts++;
    release->moved = false;
    release_event(release, HF_EV_GO, HF_R_Downloading, NULL);
}

static void unit_seen(void *arg, int r, const char *active_state, const char *sub_state, const struct hf_err *err)
{
    struct release *release = arg;
    struct hf_trouble trouble = {.reason = HF_R_None};

    (void)active_state;
    (void)sub_state;
    release->unit_call = NULL;
    release->step = STEP_NONE;
    if (r == 0) {
        go(release);
        return;
    }
    if (err != NULL)
        trouble.err = *err;
    trouble.reason = r == -ENOENT ? HF_R_UnitNotFound : HF_R_SystemdUnavailable;
    failed(release, &trouble, 0);
}

/* Is the unit there at all? Better to know before the old version is touched. */
static void look_at_unit(struct release *release)
{
    const struct hf_unit_ops *unit = release->engine->p.unit;
    const char *name = release->update->release.install.restart_unit;
    struct hf_trouble trouble = {.reason = HF_R_SystemdUnavailable};

    if (name == NULL) {
        go(release);
        return;
    }
    release->step = STEP_UNIT;
    release->stopping = false;
    int r = unit->state(unit->ctx, name, unit_timeout_ns, unit_seen, release, &release->unit_call, &trouble.err);
    if (r < 0) {
        release->step = STEP_NONE;
        failed(release, &trouble, 0);
    }
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

/* Bytes needed beside the target until the new version is in place. */
static uint64_t needed(const struct release *release)
{
    const struct hf_artifact *artifact = artifact_of(release);
    const struct hf_delta_ref *delta = delta_of(release);
    uint64_t need = artifact->size;

    if (delta != NULL)
        need += delta->size;
    else if (ends_with(artifact->url, ".zst") || ends_with(artifact->url, ".xz"))
        need += artifact->size / 2; /* a guess; what is really needed is reserved when it is known */
    if (release->j.kind == HF_INSTALL_TREE)
        need += artifact->size;
    return need;
}

static bool has_room(const struct release *release, struct hf_trouble *trouble)
{
    const struct hf_inspection *seen = &release->seen;
    uint64_t reserve = HF_MIN(RESERVE_BYTES, seen->total_bytes / 20), need = needed(release);

    need -= HF_MIN(need, seen->staged_bytes);
    if (seen->available_bytes >= need && seen->available_bytes - need >= reserve)
        return true;
    (void)hf_trouble_set(trouble, HF_R_DiskSpaceLow, ENOSPC,
                         "%" PRIu64 " bytes are needed and %" PRIu64 " must stay free, %" PRIu64 " are free", need,
                         reserve, seen->available_bytes);
    return false;
}

static bool is_installed(const struct release *release)
{
    const struct hf_inspection *seen = &release->seen;

    return seen->exists && seen->sha256[0] != '\0' && strcmp(seen->sha256, release->j.sha256) == 0;
}

/* What was seen goes into the journal: it decides what "back" means. */
static void note_seen(struct release *release)
{
    const struct hf_inspection *seen = &release->seen;
    struct hf_journal *j = &release->j;

    j->had_old = seen->exists;
    memset(j->old_sha256, 0, sizeof(j->old_sha256));
    memset(j->old_link, 0, sizeof(j->old_link));
    if (j->kind == HF_INSTALL_FILE)
        memcpy(j->old_sha256, seen->sha256, sizeof(j->old_sha256));
    else
        (void)snprintf(j->old_link, sizeof(j->old_link), "%s", seen->link);
    /* Folders made in an earlier attempt are there now: they are still ours to remove. */
    if (j->made_folder[0] == '\0')
        (void)snprintf(j->made_folder, sizeof(j->made_folder), "%s", seen->missing);
    j->method = delta_of(release) != NULL ? HF_METHOD_DELTA : HF_METHOD_FULL;
    j->probed = j->restarted = false;
    j->starts = 0;
}

static int run_inspect(struct step_job *step)
{
    return hf_swap_inspect(&step->swap, &step->inspection, &step->trouble);
}

static void inspected(struct release *release, struct step_job *step)
{
    struct hf_trouble trouble = {.reason = HF_R_None};

    if (release->stopping) { /* nothing was begun: looking again says what comes now */
        release->stopping = false;
        engine_leave(release);
        engine_poke(release->engine);
        return;
    }
    if (step->r < 0) {
        failed(release, &step->trouble, 0);
        return;
    }
    release->seen = step->inspection;
    if (is_installed(release)) {
        release_event(release, HF_EV_INSTALLED, HF_R_AlreadyInstalled, NULL);
        return;
    }
    note_seen(release);
    if (!has_room(release, &trouble))
        failed(release, &trouble, 0);
    else
        look_at_unit(release);
}

void step_inspect(struct release *release)
{
    struct step_job *step = step_new(release, STEP_INSPECT, run_inspect, inspected);

    if (step == NULL) {
        no_memory(release, HF_EV_FAILED);
        return;
    }
    step->swap = swap_of(release, step);
    step_submit(step);
}

/* ---- fetch ------------------------------------------------------------------------------------------------------------ */

static void fall_back(struct release *release, const struct hf_trouble *trouble)
{
    release->j.no_delta = true;
    release->j.method = HF_METHOD_FULL;
    release_trouble(release, HF_EV_FALL_BACK, trouble);
}

/* Is it the delta that will not do, so that the whole file must be fetched? */
static bool delta_is_no_good(struct release *release, const struct hf_trouble *trouble, bool hopeless)
{
    if (release->j.method != HF_METHOD_DELTA)
        return false;
    if (hopeless)
        return true;
    switch (trouble->reason) {
    case HF_R_DeltaDamaged:
    case HF_R_ArtifactTooLong:
    case HF_R_ArtifactTooShort:
    case HF_R_HashMismatch:
    case HF_R_UrlUnsupported:
        return true;
    case HF_R_DownloadFailed:
    case HF_R_DownloadRefused:
    case HF_R_DownloadTooSlow:
        return !release->moved && ++release->delta_failures >= MAX_DELTA_FAILURES;
    default:
        return false;
    }
}

static void fetched(void *arg, int r, const struct hf_trouble *trouble, uint64_t retry_after_ns, bool hopeless)
{
    struct release *release = arg;
    struct hf_update_engine *engine = release->engine;

    release->fetch = NULL;
    release->step = STEP_NONE;
    if (r == 0)
        release_event(release, HF_EV_FETCHED, HF_R_Patching, NULL);
    else if (release->stopping)
        stopped(release);
    else if (delta_is_no_good(release, trouble, hopeless))
        fall_back(release, trouble);
    else
        failed(release, trouble, retry_after_ns);
    engine_unref(engine);
}

static void bytes_moved(void *arg, uint64_t wire_bytes)
{
    struct release *release = arg;

    release->j.bytes_fetched += wire_bytes;
    release->moved = true;
}

static void fetch(struct release *release)
{
    struct hf_update_engine *engine = release->engine;
    const struct hf_artifact *artifact = artifact_of(release);
    const struct hf_delta_ref *delta = release->j.method == HF_METHOD_DELTA ? delta_of(release) : NULL;
    struct hf_trouble trouble = {.reason = HF_R_RetryingLater};

    if (artifact == NULL) {
        release_event(release, HF_EV_MISFIT, HF_R_NoArtifactForArch, NULL);
        return;
    }
    struct hf_fetch_params params = {.clock = engine->p.clock,
                                     .sched = engine->p.sched,
                                     .http = engine->p.http,
                                     .place = place_of(release),
                                     .folder = release->folder,
                                     .url = delta != NULL ? delta->url : artifact->url,
                                     .key = delta != NULL ? delta->sha256 : artifact->sha256,
                                     .is_delta = delta != NULL,
                                     .size = delta != NULL ? delta->size : artifact->size,
                                     .new_size = artifact->size,
                                     .bandwidth_limit = release->wanted != NULL ? release->wanted->bandwidth_limit : 0,
                                     .moved = bytes_moved,
                                     .done = fetched,
                                     .arg = release};
    release->step = STEP_FETCH;
    release->stopping = false;
    engine_ref(engine);
    if (hf_fetch_start(&params, &release->fetch, &trouble.err) < 0) {
        release->step = STEP_NONE;
        failed(release, &trouble, 0);
        engine_unref(engine);
    }
}

/* ---- patch ------------------------------------------------------------------------------------------------------------ */

static int run_patch(struct step_job *step)
{
    return hf_patch_run(&step->patch, &step->trouble);
}

static void patched(struct release *release, struct step_job *step)
{
    if (step->r == 0)
        release_event(release, HF_EV_PATCHED, HF_R_Verified, NULL);
    else if (release->stopping)
        stopped(release);
    else if (delta_is_no_good(release, &step->trouble, false))
        fall_back(release, &step->trouble);
    else
        failed(release, &step->trouble, 0);
}

static void patch(struct release *release)
{
    struct step_job *step = step_new(release, STEP_PATCH, run_patch, patched);
    const struct hf_delta_ref *delta = delta_of(release);
    const struct hf_journal *j = &release->j;

    if (step == NULL || release->update == NULL) {
        step_discard(step);
        no_memory(release, HF_EV_FAILED);
        return;
    }
    const struct hf_install *install = &release->update->release.install;
    step->patch = (struct hf_patch_params){.place = place_of(release),
                                           .kind = j->kind,
                                           .method = delta != NULL ? j->method : HF_METHOD_FULL,
                                           .delta_sha256 = delta != NULL ? delta->sha256 : NULL,
                                           .delta_size = delta != NULL ? delta->size : 0,
                                           .had_old = j->had_old,
                                           .old_sha256 = j->old_sha256,
                                           .sha256 = j->sha256,
                                           .size = j->size,
                                           .has_mode = install->has_mode,
                                           .mode = install->mode,
                                           .cancel = &step->cancel};
    step_submit(step);
}

/* ---- swap ------------------------------------------------------------------------------------------------------------- */

static int run_swap(struct step_job *step)
{
    return hf_swap_run(&step->swap, &step->trouble);
}

static void swapped(struct release *release, struct step_job *step)
{
    if (step->r < 0) {
        release_trouble(release, HF_EV_FAILED, &step->trouble);
        return;
    }
    release->j.probed = true;
    release->j.restarted = false;
    release->j.starts = 0;
    release->restart_tries = 0;
    release_event(release, HF_EV_SWAPPED, HF_R_HealthPending, NULL);
}

static void swap(struct release *release)
{
    struct step_job *step = step_new(release, STEP_SWAP, run_swap, swapped);

    if (step == NULL) {
        no_memory(release, HF_EV_FAILED);
        return;
    }
    step->swap = swap_of(release, step);
    step_submit(step);
}

/* ---- probation -------------------------------------------------------------------------------------------------------- */

static bool has_restart(const struct release *release)
{
    const struct hf_install *install = &release->update->release.install;

    return install->restart_unit != NULL || install->restart_exec[0] != NULL;
}

static void begin_checks(struct release *release, void (*done)(void *arg, const struct hf_health *health))
{
    const struct hf_update_params *p = &release->engine->p;
    const struct hf_release *spec = &release->update->release;
    struct hf_checks_params params = {.clock = p->clock,
                                      .sched = p->sched,
                                      .http = p->http,
                                      .proc = p->proc,
                                      .probe = p->probe,
                                      .unit = p->unit,
                                      .checks = spec->checks,
                                      .n = spec->n_checks,
                                      .deadline_ns = spec->health_deadline_ns,
                                      .done = done,
                                      .arg = release};
    struct hf_err err = HF_ERR_INIT;

    release->step = STEP_CHECKS;
    if (hf_checks_start(&params, &release->checks, &err) == 0)
        return;
    release->step = STEP_NONE;
    struct hf_health health = {.verdict = HF_HEALTH_FAILED, .reason = HF_R_HealthFailed};
    (void)hf_err_text(&err, health.message, sizeof(health.message));
    done(release, &health);
}

static void checked(void *arg, const struct hf_health *health)
{
    struct release *release = arg;

    release->checks = NULL;
    release->step = STEP_NONE;
    release_event(release, health->verdict == HF_HEALTH_PASSED ? HF_EV_HEALTHY : HF_EV_UNHEALTHY, health->reason,
                  health->message);
}

static void restarted(void *arg, int r, const struct hf_trouble *trouble)
{
    struct release *release = arg;

    release->restart = NULL;
    release->step = STEP_NONE;
    if (r == 0) {
        release->j.restarted = true;
        release_event(release, HF_EV_RESTARTED, HF_R_HealthPending, NULL);
        return;
    }
    /* Nobody to ask is no verdict about the new version: systemd may be executing itself anew. */
    if (trouble->reason == HF_R_SystemdUnavailable && ++release->restart_tries < MAX_RESTART_TRIES) {
        release->due_ns = hf_mono_ns(release->engine->p.clock) + restart_again_ns;
        engine_poke(release->engine);
        return;
    }
    release_trouble(release, HF_EV_UNHEALTHY, trouble);
}

static void begin_restart(struct release *release, void (*done)(void *arg, int r, const struct hf_trouble *trouble))
{
    const struct hf_update_params *p = &release->engine->p;
    struct hf_trouble trouble = {.reason = HF_R_RestartFailed};

    release->step = STEP_RESTART;
    int r = hf_restart_start(p->proc, p->unit, &release->update->release.install, done, release, &release->restart,
                             &trouble);
    if (r < 0) {
        release->step = STEP_NONE;
        done(release, r, &trouble);
    }
}

static void probe(struct release *release)
{
    if (release->update == NULL)
        release_event(release, HF_EV_UNHEALTHY, HF_R_JournalDamaged, NULL);
    else if (has_restart(release) && !release->j.restarted)
        begin_restart(release, restarted);
    else
        begin_checks(release, checked);
}

/* ---- back ------------------------------------------------------------------------------------------------------------- */

/* Why it was rolled back stays the reason; what became of the old version goes behind the message. */
static void restored(struct release *release, const char *before, const char *what, const char *after)
{
    struct hf_journal *j = &release->j;
    char text[HF_UPDATE_MAX_MESSAGE], tail[150];

    (void)snprintf(tail, sizeof(tail), "%.50s%.64s%.30s", before, what, after);
    (void)snprintf(text, sizeof(text), "%.*s; %s", (int)(sizeof(text) - strlen(tail) - 3), j->message, tail);
    (void)snprintf(j->message, sizeof(j->message), "%s", text);
    release_event(release, HF_EV_RESTORED, HF_R_None, NULL);
}

static void restored_quietly(struct release *release)
{
    const char *from = release->j.from[0] != '\0' ? release->j.from : "the old version";

    restored(release, "", release->j.had_old ? from : "nothing",
             release->j.had_old ? " is back" : " is installed, as before");
}

static void checked_old(void *arg, const struct hf_health *health)
{
    struct release *release = arg;

    release->checks = NULL;
    release->step = STEP_NONE;
    if (health->verdict == HF_HEALTH_PASSED)
        restored_quietly(release);
    else
        restored(release, "the old version is back and fails too: ", health->message, "");
}

static void look_at_old(struct release *release)
{
    if (release->j.had_old)
        begin_checks(release, checked_old);
    else
        restored_quietly(release);
}

static void restarted_old(void *arg, int r, const struct hf_trouble *trouble)
{
    struct release *release = arg;

    release->restart = NULL;
    release->step = STEP_NONE;
    if (r == 0 || !release->j.had_old) /* after a first install there is nothing to run: stopping it was the point */
        look_at_old(release);
    else
        restored(release, "the old version is back but was not restarted: ", trouble->err.cause, "");
}

static int run_undo(struct step_job *step)
{
    return hf_swap_undo(&step->swap, &step->trouble);
}

static void undone(struct release *release, struct step_job *step)
{
    if (step->r < 0 && step->trouble.reason != HF_R_RollbackFailed) {
        engine_leave(release); /* others may go on meanwhile */
        release_back_off(release, step->trouble.reason, 0);
        if (release->j.probed)
            step->trouble.reason = HF_R_RollbackFailed;
        release_trouble(release, HF_EV_FAILED, &step->trouble);
        return;
    }
    if (step->r < 0) { /* nothing can bring it back: say so, and let the next release help */
        release->j.reason = HF_R_RollbackFailed;
        restored(release, "", step->trouble.err.cause, "");
        return;
    }
    if (!release->j.probed) {
        release_back_off(release, release->j.reason, 0);
        release_event(release, HF_EV_UNDONE, HF_R_None, NULL);
    } else if (release->update == NULL) {
        restored(release, "", "the old version is back, not restarted", "");
    } else if (has_restart(release)) {
        begin_restart(release, restarted_old);
    } else {
        look_at_old(release);
    }
}

static void roll_back(struct release *release)
{
    struct step_job *step = step_new(release, STEP_UNDO, run_undo, undone);

    if (step == NULL) {
        no_memory(release, HF_EV_FAILED);
        return;
    }
    step->swap = swap_of(release, step);
    step_submit(step);
}

/* ---- ends ------------------------------------------------------------------------------------------------------------- */

static int run_clean(struct step_job *step)
{
    struct release *release = step->release;
    int r = step->swap.place.path[0] != '\0' ? hf_swap_clean(&step->swap, &step->trouble) : 0;

    /* Where the path itself is refused nothing was ever put. */
    if (r == -EACCES && step->trouble.reason == HF_R_PathNotAllowed)
        r = 0;
    if (r < 0)
        return r;
    return hf_fetch_record_remove(release->engine->p.fs, release->folder, &step->trouble.err);
}

static int run_commit(struct step_job *step)
{
    struct release *release = step->release;
    int r = hf_floor_raise(release->engine->p.fs, release->folder, step->sequence, &step->trouble.err);

    if (r < 0)
        return r;
    step->sequence = 0; /* done */
    return run_clean(step);
}

static void ended(struct release *release, struct step_job *step)
{
    enum hf_update_action action = release->again;

    if (step->r < 0) {
        bool must = action == HF_ACT_COMMIT && step->sequence != 0;
        hf_log_err(release->engine->p.log, HF_LOG_WARNING, "update.clean", "release", release->j.name,
                   &step->trouble.err);
        if (must || ++release->again_tries < MAX_CLEAN_TRIES) {
            release->due_ns = hf_mono_ns(release->engine->p.clock) + again_ns;
            engine_poke(release->engine);
            return;
        }
    } else if (action == HF_ACT_COMMIT) {
        release->floor = HF_MAX(release->floor, release->j.good_sequence);
    }
    release->again = HF_ACT_NONE;
    release->again_tries = 0;
    release->due_ns = 0;
    engine_changed(release->engine);
    engine_poke(release->engine);
}

static void end(struct release *release, enum hf_update_action action)
{
    struct step_job *step = step_new(release, action == HF_ACT_COMMIT ? STEP_COMMIT : STEP_CLEAN,
                                     action == HF_ACT_COMMIT ? run_commit : run_clean, ended);

    release->again = action;
    if (step == NULL) {
        release->due_ns = hf_mono_ns(release->engine->p.clock) + again_ns;
        engine_poke(release->engine);
        return;
    }
    step->swap = swap_of(release, step);
    step->sequence = release->j.good_sequence;
    step_submit(step);
}

/* ---- all -------------------------------------------------------------------------------------------------------------- */

void step_run(struct release *release, enum hf_update_action action)
{
    switch (action) {
    case HF_ACT_FETCH:
        fetch(release);
        break;
    case HF_ACT_PATCH:
        patch(release);
        break;
    case HF_ACT_SWAP:
        swap(release);
        break;
    case HF_ACT_PROBE:
        probe(release);
        break;
    case HF_ACT_ROLLBACK:
        roll_back(release);
        break;
    case HF_ACT_COMMIT:
    case HF_ACT_CLEAN:
        end(release, action);
        break;
    case HF_ACT_NONE:
    case HF_ACT_COUNT:
        break;
    }
}

void step_stop(struct release *release)
{
    const struct hf_unit_ops *unit = release->engine->p.unit;

    if (release->stopping)
        return;
    release->stopping = true;
    if (release->step == STEP_UNIT) {
        unit->cancel(unit->ctx, release->unit_call);
        release->unit_call = NULL;
        release->step = STEP_NONE;
        release->stopping = false;
        engine_leave(release);
        engine_poke(release->engine);
    } else if (release->fetch != NULL) {
        hf_fetch_stop(release->fetch);
    } else if (release->job != NULL) {
        atomic_store(&release->job->cancel, true);
    }
}

static void fetch_gone(void *arg)
{
    engine_unref(arg);
}

void step_drop(struct release *release)
{
    const struct hf_unit_ops *unit = release->engine->p.unit;

    if (release->unit_call != NULL)
        unit->cancel(unit->ctx, release->unit_call);
    hf_restart_free(release->restart);
    hf_checks_free(release->checks);
    release->unit_call = NULL;
    release->restart = NULL;
    release->checks = NULL;
    if (release->job != NULL)
        atomic_store(&release->job->cancel, true);
    if (release->fetch != NULL)
        hf_fetch_free(release->fetch, fetch_gone, release->engine);
    release->fetch = NULL;
}
