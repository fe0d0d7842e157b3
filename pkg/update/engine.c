/* SPDX-License-Identifier: Apache-2.0 */
/* The public functions; the lists of releases, in memory and parked on disk; the turn.
 *
 * Each call changes only what is wanted, and wakes the engine. In the loop's next iteration consider() lets every
 * release start what it can, gives the turn to one of those that want it, and then sweeps: a release at rest that
 * nobody wants is parked (its history stays on disk, and its status in memory), and one without content and history
 * is removed together with its folder. While the engine quiesces, nothing is considered.
 *
 * One release has the turn at a time: at most one update downloads, patches, swaps or is in probation. A rollback
 * gets it first, because a version that failed its checks is running; otherwise the release that has waited longest.
 * A parked release is read from disk again when it is wanted. */
#include "update/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "api/admission.h"
#include "os/dir.h"
#include "os/file.h"
#include "trust/folder.h"
#include "update/install/manifest.h"
#include "update/release.h"
#include "update/state/order.h"

enum { TRUST_PROBLEM_MAX = 800 };

/* ---- forgetting and parking -------------------------------------------------------------------------------------- */

/* True if nothing more can happen to the release, and everything about it is on disk. */
static bool is_idle(const struct release *release)
{
    return !step_is_in_progress(release) && release_is_known(release) && release->retry.redo == REDO_NOTHING &&
           !release->machine.unsaved && release->retry.clean_due_ns == 0 && !release->attempt.owes_restart &&
           !release->drift.keep_wanted && !update_engine_has_turn(release);
}

/* True if nobody wants the release and it has neither content nor history on this node. */
static bool can_be_forgotten(const struct release *release)
{
    const struct hf_journal *j = &release->j;

    return release->wanted.object == NULL && !step_is_in_progress(release) && release_is_known(release) &&
           release->retry.redo == REDO_NOTHING && !release->machine.unsaved && release->retry.clean_due_ns == 0 &&
           j->phase == HF_PHASE_IDLE && j->good_digest[0] == '\0' && j->bad_digest[0] == '\0' &&
           release->review.floor_known && release->review.floor.top.sequence == 0;
}

static int run_forget(struct step_job *step)
{
    return hf_dir_remove_tree(step->release->engine->p.world.fs, step->release->folder, &step->failure.err);
}

static void forgotten(struct release *release, struct step_job *step)
{
    struct hf_update_engine *engine = release->engine;

    if (step->job.r < 0)
        hf_log_err(engine->p.world.log, HF_LOG_WARNING, "update.forget", "release", release->j.name,
                   &step->failure.err);
    hf_steer_core_wake(&engine->core); /* it may be wanted again by now */
    hf_buf_clear(&release->machine.text);
    release->stage = RELEASE_REMOVED;
}

static void forget(struct release *release)
{
    struct step_job *step = step_new(release, STEP_CLEAN, run_forget, forgotten);

    if (step != NULL)
        step_submit(step);
}

/* A release that is at rest and that nobody wants: its history is on disk only, and this is what
 * hf_update_engine_each() still shows of it, in 0.7 kB instead of the 13 kB of a release. A new wish for it reads its
 * journal again. */
struct parked_release {
    enum hf_phase phase;
    enum hf_reason reason;
    uint64_t sequence, time_unix_ns;
    char digest[HF_SHA256_HEX], version[HF_UPDATE_MAX_VERSION], installed[HF_UPDATE_MAX_VERSION];
    char message[HF_UPDATE_MAX_MESSAGE];
};

static struct parked_release *parked_new(const struct hf_journal *shown)
{
    struct parked_release *parked = calloc(1, sizeof(*parked));

    if (parked == NULL)
        return NULL;
    parked->phase = shown->phase;
    parked->reason = shown->reason;
    parked->sequence = shown->sequence;
    parked->time_unix_ns = shown->time_unix_ns;
    (void)snprintf(parked->digest, sizeof(parked->digest), "%s", shown->digest);
    (void)snprintf(parked->version, sizeof(parked->version), "%s", shown->version);
    (void)snprintf(parked->installed, sizeof(parked->installed), "%s", hf_journal_installed(shown));
    (void)snprintf(parked->message, sizeof(parked->message), "%s", shown->message);
    return parked;
}

static bool can_be_parked(const struct release *release)
{
    return wanted_no_more(release) && is_idle(release) && !can_be_forgotten(release) && !order_is_open(release);
}

/* Without memory the release stays. */
static void park(struct hf_update_engine *engine, const struct release *release)
{
    struct parked_release *parked = parked_new(&release->record.shown);
    char name[HF_API_MAX_NAME + 1];

    (void)snprintf(name, sizeof(name), "%s", release->j.name);
    if (parked == NULL || hf_strmap_put(&engine->parked, name, parked) < 0)
        free(parked);
    else
        hf_strmap_remove(&engine->releases, name);
}

static void sweep(struct hf_update_engine *engine)
{
    struct hf_strmap *releases = &engine->releases;

    for (size_t i = releases->n; i-- > 0;) {
        struct release *release = releases->entries[i].value;
        bool removed = release->stage == RELEASE_REMOVED;
        if (can_be_parked(release)) {
            park(engine, release);
        } else if (!can_be_forgotten(release)) {
            release->stage = removed ? RELEASE_RUNNING : release->stage;
        } else if (removed) {
            hf_strmap_remove(releases, releases->entries[i].key);
            hf_steer_core_notify(&engine->core);
        } else {
            forget(release);
        }
    }
}

/* ---- the turn ---------------------------------------------------------------------------------------------------- */

/* The release that waits longest comes first; a rollback before everything else. */
static bool comes_before(const struct release *a, const struct release *b)
{
    bool a_back = a->j.phase == HF_PHASE_ROLLING_BACK, b_back = b->j.phase == HF_PHASE_ROLLING_BACK;

    return a_back != b_back ? a_back : a->last_turn < b->last_turn;
}

static void consider_all(struct hf_update_engine *engine)
{
    struct hf_strmap *releases = &engine->releases;
    struct release *next = NULL;
    bool active_ready = false;

    for (size_t i = 0; i < releases->n; i++) {
        struct release *release = releases->entries[i].value;
        bool ready = release_consider(release);
        if (ready && update_engine_has_turn(release))
            active_ready = true;
        else if (ready && (next == NULL || comes_before(release, next)))
            next = release;
    }
    if (engine->core.active != NULL)
        next = active_ready ? hf_container_of(engine->core.active, struct release, machine) : NULL;
    if (next != NULL)
        release_take_turn(next);
}

static struct hf_update_engine *of(struct hf_steer_core *core)
{
    return hf_container_of(core, struct hf_update_engine, core);
}

static void orders_unpark(struct hf_update_engine *engine);

static uint64_t consider(struct hf_steer_core *core)
{
    struct hf_update_engine *engine = of(core);
    uint64_t next = HF_NEVER;

    if (engine->quiescing)
        return HF_NEVER;
    orders_unpark(engine);
    consider_all(engine);
    sweep(engine);
    for (size_t i = 0; i < engine->releases.n; i++)
        next = HF_MIN(next, retry_wake_ns(engine->releases.entries[i].value));
    return next;
}

static void changed(struct hf_steer_core *core)
{
    const struct hf_update_params *p = &of(core)->p;

    if (p->changed != NULL)
        p->changed(p->arg);
}

/* ---- start and end ----------------------------------------------------------------------------------------------- */

static void free_release(void *release)
{
    release_free(release);
}

static void gone(struct hf_steer_core *core)
{
    struct hf_update_engine *engine = of(core);

    hf_strmap_done(&engine->releases);
    hf_strmap_done(&engine->parked);
    hf_strmap_done(&engine->orders);
    if (engine->lock_fd >= 0)
        (void)engine->p.world.fs->close(engine->p.world.fs->ctx, engine->lock_fd);
    for (size_t i = 0; i < HF_LEN(engine->strings); i++)
        free(engine->strings[i]);
    for (size_t i = 0; engine->roots != NULL && engine->roots[i] != NULL; i++)
        free(engine->roots[i]);
    free(engine->roots);
    hf_buf_done(&engine->trust_problem);
    free(engine->folder);
    free(engine->orders_dir);
    free(engine->agent_path);
    free(engine->agent_folder);
    free(engine);
}

static const struct hf_steer_engine steered = {.consider = consider, .changed = changed, .gone = gone};

void hf_update_engine_quiesce(struct hf_update_engine *engine)
{
    engine->quiescing = true;
    for (size_t i = 0; i < engine->releases.n; i++) {
        struct release *release = engine->releases.entries[i].value;
        if (release->step.fetch != NULL)
            step_stop(release);
    }
}

bool hf_update_engine_quiesced(const struct hf_update_engine *engine)
{
    for (size_t i = 0; i < engine->releases.n; i++) {
        const struct release *release = engine->releases.entries[i].value;
        if (release->step.fetch != NULL)
            return false;
    }
    return true;
}

void hf_update_engine_free(struct hf_update_engine *engine)
{
    if (engine == NULL)
        return;
    hf_steer_core_close(&engine->core);
    orders_done(engine);
    retain_serve(engine, false);
    for (size_t i = 0; i < engine->releases.n; i++) {
        watches_drop(engine->releases.entries[i].value);
        step_drop(engine->releases.entries[i].value);
    }
    hf_steer_core_unref(&engine->core);
}

static int keep_string(struct hf_update_engine *engine, size_t i, const char **string)
{
    if (*string == NULL)
        return 0;
    engine->strings[i] = strdup(*string);
    *string = engine->strings[i];
    return *string != NULL ? 0 : -ENOMEM;
}

static int keep_params(struct hf_update_engine *engine, const struct hf_update_params *params)
{
    const char **strings[] = {&engine->p.state_dir, &engine->p.trust_dir, &engine->p.arch, &engine->p.host_root,
                              &engine->p.self_unit};
    size_t n = 0;

    for (size_t i = 0; i < HF_LEN(strings); i++) {
        if (keep_string(engine, i, strings[i]) < 0)
            return -ENOMEM;
    }
    while (params->roots[n] != NULL)
        n++;
    engine->roots = calloc(n + 1, sizeof(*engine->roots));
    if (engine->roots == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        engine->roots[i] = strdup(params->roots[i]);
        if (engine->roots[i] == NULL)
            return -ENOMEM;
    }
    engine->p.roots = (const char *const *)engine->roots;
    return 0;
}

/* -E2BIG: too many releases, or too many histories. */
static int check_count(const struct hf_update_engine *engine)
{
    size_t wanted = 0;

    for (size_t i = 0; i < engine->releases.n; i++)
        wanted += ((const struct release *)engine->releases.entries[i].value)->wanted.object != NULL;
    if (wanted >= HF_UPDATE_MAX_RELEASES || engine->releases.n + engine->parked.n >= HF_UPDATE_MAX_HISTORIES)
        return -E2BIG;
    return 0;
}

static int add_release(struct hf_update_engine *engine, const char *name, bool was_parked, struct release **ret_release)
{
    struct release *release = release_new(engine, name);

    if (release == NULL)
        return -ENOMEM;
    int r = hf_strmap_put(&engine->releases, name, release);
    if (r < 0) {
        release_free(release);
        return r;
    }
    if (was_parked)
        release_load(release);
    else
        release->stage = RELEASE_RUNNING; /* a new one has nothing on disk */
    *ret_release = release;
    return 0;
}

/* The release of this name: in memory, read from disk, or new. */
static int release_get(struct hf_update_engine *engine, const char *name, struct release **ret_release)
{
    *ret_release = hf_strmap_get(&engine->releases, name);
    if (*ret_release != NULL)
        return 0;
    struct parked_release *parked = hf_strmap_take(&engine->parked, name);
    int r = check_count(engine);
    if (r == 0)
        r = add_release(engine, name, parked != NULL, ret_release);
    if (r < 0 && parked != NULL && hf_strmap_put(&engine->parked, name, parked) == 0)
        return r;
    free(parked);
    return r;
}

enum { MAX_STATE_DIR = 2990 }; /* leaves room for a release, its files and their suffixes */

/* Removes manifests that a kill or a power cut left unfinished. A failure costs nothing but the file's bytes. */
static void clean_manifests(const struct release *release)
{
    struct hf_failure failure = {.err = HF_ERR_INIT};

    if (hf_install_manifest_clean_unfinished(release->engine->p.world.fs, release->folder, &failure) < 0)
        hf_log_err(release->engine->p.world.log, HF_LOG_WARNING, "update.look", "release", release->j.name,
                   &failure.err);
}

static int load_one(void *arg, const char *name, unsigned char type)
{
    struct hf_update_engine *engine = arg;
    struct release *release;

    (void)type;
    if (!update_name_is_safe(name) || strcmp(name, "lock") == 0)
        return 0;
    release = release_new(engine, name);
    int r = release != NULL ? hf_strmap_put(&engine->releases, name, release) : -ENOMEM;
    if (r < 0) {
        release_free(release);
        return r;
    }
    release_load(release);
    clean_manifests(release);
    return 0;
}

static int load(struct hf_update_engine *engine, struct hf_err *err)
{
    const struct hf_fs_ops *fs = engine->p.world.fs;
    char lock[PATH_MAX];
    int r = hf_dir_make(fs, engine->folder, 0700, err);

    if (r < 0)
        return r;
    (void)snprintf(lock, sizeof(lock), "%s/lock", engine->folder);
    engine->lock_fd = hf_file_lock(fs, lock, err);
    if (engine->lock_fd < 0)
        return engine->lock_fd;
    int fd = fs->openat(fs->ctx, AT_FDCWD, engine->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);
    if (fd < 0)
        return hf_err_sys(err, fd, "open '%s'", engine->folder);
    r = fs->list(fs->ctx, fd, load_one, engine);
    (void)fs->close(fs->ctx, fd);
    return r < 0 ? hf_err_sys(err, r, "read the journals in '%s'", engine->folder) : 0;
}

int hf_update_engine_new(const struct hf_update_params *params, struct hf_update_engine **ret_engine,
                         struct hf_err *err)
{
    struct hf_update_engine *engine = calloc(1, sizeof(*engine));
    int r = -ENOMEM;

    if (engine == NULL)
        return hf_err_sys(err, r, "start the updater");
    engine->p = *params;
    counts_init(engine);
    engine->lock_fd = -1;
    engine->retain.unread = true;
    engine->releases.free_value = free_release;
    engine->parked.free_value = engine->orders.free_value = free;
    engine->folder = hf_asprintf("%s/updates", params->state_dir);
    engine->orders_dir = hf_asprintf("%s/" HF_ORDERS_DIR, params->state_dir);
    engine->agent_folder = hf_asprintf("%s/" HF_HOST_DIR, params->state_dir);
    engine->agent_path = hf_asprintf("%s/" HF_HOST_DIR "/" HF_HOST_CURRENT, params->state_dir);
    engine->agent_roots[0] = engine->agent_folder;
    boots_read(engine);
    if (hf_steer_core_init(&engine->core, &steered, &params->world) < 0 || engine->folder == NULL ||
        engine->orders_dir == NULL || engine->agent_folder == NULL || engine->agent_path == NULL ||
        keep_params(engine, params) < 0)
        (void)hf_err_sys(err, r, "start the updater");
    else if (strlen(params->state_dir) >= MAX_STATE_DIR)
        r = hf_err_set(err, ENAMETOOLONG, "the path of the state folder '%.100s...' is too long", params->state_dir);
    else
        r = load(engine, err);
    if (r < 0) {
        hf_update_engine_free(engine);
        return r;
    }
    orders_read(engine);
    retain_serve(engine, true);
    hf_steer_core_wake(&engine->core);
    *ret_engine = engine;
    return 0;
}

/* ---- the wanted releases ----------------------------------------------------------------------------------------- */

static const struct hf_desired *find_desired(const struct hf_desired *desired, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(desired[i].update->release.name, name) == 0)
            return &desired[i];
    }
    return NULL;
}

static int set_wanted(struct hf_update_engine *engine, const struct hf_desired *desired, struct hf_err *err)
{
    const char *name = desired->update->release.name;
    struct release *release = NULL;

    if (!update_name_is_safe(name))
        return hf_err_set(err, EINVAL, "release name '%.64s' cannot be a file name", name);
    int r = release_get(engine, name, &release);
    if (r == -E2BIG)
        return hf_err_set(err, E2BIG, "release '%s': more than %d releases at a time, or %d in all, on one node", name,
                          HF_UPDATE_MAX_RELEASES, HF_UPDATE_MAX_HISTORIES);
    if (r == 0)
        r = wanted_set(release, desired);
    if (r == 0)
        release_recheck_repair(release);
    return r < 0 ? hf_err_sys(err, r, "accept release '%s'", name) : 0;
}

/* Logs the problems of the trust folder when they change. */
static void look_at_trust_folder(struct hf_update_engine *engine)
{
    _cleanup_(hf_buf_done) struct hf_buf now = HF_BUF_INIT(TRUST_PROBLEM_MAX);
    struct hf_buf *known = &engine->trust_problem;

    hf_trust_folder_inspect(engine->p.world.fs, engine->p.trust_dir, &now);
    if (strcmp(hf_buf_str(&now), hf_buf_str(known)) == 0)
        return;
    hf_buf_clear(known);
    known->max = TRUST_PROBLEM_MAX;
    if (hf_buf_add(known, now.p, now.n) < 0)
        return;
    if (known->n > 0)
        hf_log(engine->p.world.log, HF_LOG_WARNING, "trust.folder", HF_S("problem", hf_buf_str(known)));
    else
        hf_log(engine->p.world.log, HF_LOG_INFO, "trust.folder", HF_S("problem", "none"));
    hf_steer_core_notify(&engine->core);
}

const char *hf_update_engine_trust_problem(const struct hf_update_engine *engine)
{
    return engine->trust_problem.n > 0 ? hf_buf_str(&engine->trust_problem) : NULL;
}

int hf_update_engine_set(struct hf_update_engine *engine, const struct hf_desired *desired, size_t n,
                         struct hf_err *err)
{
    int r = 0;

    look_at_trust_folder(engine);
    orders_read(engine);
    for (size_t i = 0; i < engine->releases.n; i++) {
        struct release *release = engine->releases.entries[i].value;
        if (find_desired(desired, n, release->j.name) != NULL)
            continue;
        if (release->wanted.object != NULL)
            retain_want(release);
        (void)!wanted_set(release, NULL);
    }
    for (size_t i = 0; i < n; i++) {
        int set = set_wanted(engine, &desired[i], err);
        r = set < 0 ? set : r;
    }
    hf_steer_core_wake(&engine->core);
    return r;
}

/* An order of the site also counts for a release that nobody wants any more. */
static void orders_unpark(struct hf_update_engine *engine)
{
    struct release *release;

    for (size_t i = 0; i < engine->orders.n; i++) {
        const struct hf_strmap_entry *entry = &engine->orders.entries[i];
        const struct hf_order *order = entry->value;
        const struct parked_release *parked = hf_strmap_get(&engine->parked, entry->key);
        if (parked != NULL && order->refused[0] == '\0' && strcmp(parked->digest, order->digest) == 0)
            (void)!release_get(engine, entry->key, &release);
    }
}

void hf_update_engine_check_drift(struct hf_update_engine *engine)
{
    for (size_t i = 0; i < engine->releases.n; i++) {
        struct release *release = engine->releases.entries[i].value;
        release->drift.look_wanted = release->drift.at_interval = true;
    }
    hf_steer_core_wake(&engine->core);
}

/* Without memory the rest stays parked. */
static void unpark_all(struct hf_update_engine *engine)
{
    struct release *release;

    while (engine->parked.n > 0) {
        const struct hf_strmap_entry *last = &engine->parked.entries[engine->parked.n - 1];
        if (add_release(engine, last->key, true, &release) < 0)
            return;
        hf_strmap_remove(&engine->parked, last->key);
    }
}

void hf_update_engine_set_retain(struct hf_update_engine *engine, const struct hf_kept_policy *policy)
{
    const struct hf_kept_policy *known = &engine->retain;
    bool same = policy->current == known->current && policy->previous == known->previous &&
                policy->max_bytes == known->max_bytes && policy->unread == known->unread;

    engine->retain = *policy;
    if (same)
        return;
    unpark_all(engine);
    for (size_t i = 0; i < engine->releases.n; i++) { /* what it keeps no more goes now */
        struct release *release = engine->releases.entries[i].value;
        release->drift.look_wanted = true;
        retain_want(release);
    }
    hf_steer_core_wake(&engine->core);
}

void hf_update_engine_set_retry(struct hf_update_engine *engine, uint64_t base_ns, uint64_t cap_ns)
{
    engine->p.retry_base_ns = HF_MAX(base_ns, HF_NS_PER_MS);
    engine->p.retry_cap_ns = HF_MAX(cap_ns, engine->p.retry_base_ns);
}

/* ---- the status -------------------------------------------------------------------------------------------------- */

/* Waits that only somebody else can end. */
static bool waits_for_others(enum hf_reason reason)
{
    return reason == HF_R_NotAdmitted || reason == HF_R_Suspended || reason == HF_R_Held || reason == HF_R_Stale ||
           reason == HF_R_TurnPending || reason == HF_R_FloorsReplaced || reason == HF_R_TpmReplaced ||
           reason == HF_R_TpmMissing || reason == HF_R_TpmLocked || reason == HF_R_TpmFull;
}

static bool is_behind(const struct release *release)
{
    bool works = step_is_in_progress(release) && release->step.kind != STEP_LOOK;

    return hf_steer_core_is_woken(&release->engine->core) || !release_is_known(release) || works ||
           release->machine.unsaved;
}

static bool is_settled(const struct release *release)
{
    const struct hf_journal *shown = &release->record.shown;
    const struct hf_edgeupdate *wanted = release->wanted.object;

    if (is_behind(release) || release->retry.redo != REDO_NOTHING || release->attempt.owes_restart)
        return false;
    if (wanted != NULL && strcmp(wanted->release.digest, shown->digest) != 0)
        return false;
    if (shown->phase == HF_PHASE_WAITING || shown->phase == HF_PHASE_VERIFIED)
        return waits_for_others(release->machine.wait.reason);
    return hf_phase_rests(shown->phase) && (shown->phase != HF_PHASE_IDLE || wanted == NULL);
}

static const char *wait_message(const struct release *release)
{
    const struct release_review *review = &release->review;
    const struct hf_edgeupdate *wanted = release->wanted.object;
    const char *floors_message;

    if (release->machine.wait.message[0] != '\0')
        return release->machine.wait.message;
    if (release->machine.wait.reason != HF_R_None &&
        release->machine.wait.reason == hf_floor_guard_ask(release->engine->p.floors, &floors_message))
        return floors_message;
    if (release->machine.wait.reason == review->distrust && review->message[0] != '\0')
        return review->message;
    if (release->machine.wait.reason == HF_R_DiskSpaceLow && review->disk_message[0] != '\0')
        return review->disk_message;
    if (release->machine.wait.reason == HF_R_ClockUnsure && review->clock_message[0] != '\0')
        return review->clock_message;
    if (release->machine.wait.reason == HF_R_TurnPending)
        return "the new file is ready; the swap waits for this node's turn (strategy.disruption): holdfast-controller "
               "adds it to spec.turns of the EdgeNode; with a folder of objects, add an EdgeNode with spec.turns "
               "[{release, digest}]";
    if (release->machine.wait.reason == HF_R_NotAdmitted && wanted != NULL && wanted->admission_digest[0] == '\0')
        return "waiting for holdfast-controller to admit this release: the EdgeUpdate has a strategy and no "
               "status.admission; is the controller running?";
    if (release->machine.wait.reason == HF_R_NotAdmitted && wanted != NULL && !hf_admission_is_for(wanted))
        return "waiting for holdfast-controller to admit this release: the EdgeUpdate's status.admission is for an "
               "earlier release or nodeSelector; is the controller running?";
    return hf_reason_meaning(release->machine.wait.reason);
}

/* The version before is in place by the site's order: what is wanted waits for the end of the order. */
static struct hf_update_status held_back(const struct release *release)
{
    const struct hf_journal *shown = &release->record.shown;
    const struct hf_release *asked = &release->wanted.asked->release;

    return (struct hf_update_status){
        .name = shown->name,
        .phase = HF_PHASE_WAITING,
        .version = asked->version,
        .sequence = asked->sequence,
        .digest = asked->digest,
        .installed = hf_journal_installed(shown),
        .from = "",
        .method = hf_update_method_name(shown->method),
        .bytes_fetched = shown->bytes_fetched,
        .attempts = shown->attempts,
        .reason = hf_reason_name(HF_R_HeldBack),
        .message = shown->message,
        .time_unix_ns = shown->time_unix_ns,
        .settled = is_settled(release),
    };
}

static struct hf_update_status status_of(const struct release *release)
{
    const struct hf_journal *shown = &release->record.shown;
    bool waits = release->machine.wait.reason != HF_R_None;

    if (release->wanted.ordered && release->wanted.asked != NULL && shown->good_local &&
        shown->phase == HF_PHASE_COMMITTED && !waits)
        return held_back(release);

    return (struct hf_update_status){
        .name = shown->name,
        .phase = shown->phase,
        .version = shown->version,
        .sequence = shown->sequence,
        .digest = shown->digest,
        .installed = hf_journal_installed(shown),
        .from = shown->from,
        .method = hf_update_method_name(shown->method),
        .bytes_fetched = HF_MAX(shown->bytes_fetched, release->j.bytes_fetched),
        .attempts = shown->attempts,
        .reason = hf_reason_name(waits ? release->machine.wait.reason : shown->reason),
        .message = waits ? wait_message(release) : shown->message,
        .time_unix_ns = shown->time_unix_ns,
        .settled = is_settled(release),
    };
}

static void visit_parked(const struct hf_update_engine *engine,
                         void (*visit)(void *arg, const struct hf_update_status *status), void *arg)
{
    for (size_t i = 0; i < engine->parked.n; i++) {
        const struct parked_release *parked = engine->parked.entries[i].value;
        const struct hf_update_status status = {
            .name = engine->parked.entries[i].key,
            .phase = parked->phase,
            .version = parked->version,
            .sequence = parked->sequence,
            .digest = parked->digest,
            .installed = parked->installed,
            .from = "",
            .method = "",
            .reason = hf_reason_name(parked->reason),
            .message = parked->message,
            .time_unix_ns = parked->time_unix_ns,
            .settled = !hf_steer_core_is_woken(&engine->core),
        };
        visit(arg, &status);
    }
}

bool hf_update_engine_is_behind(const struct hf_update_engine *engine)
{
    bool behind = hf_steer_core_is_woken(&engine->core);

    for (size_t i = 0; i < engine->releases.n && !behind; i++)
        behind = is_behind(engine->releases.entries[i].value);
    return behind;
}

void hf_update_engine_each(struct hf_update_engine *engine,
                           void (*visit)(void *arg, const struct hf_update_status *status), void *arg)
{
    for (size_t i = 0; i < engine->releases.n; i++) {
        struct hf_update_status status = status_of(engine->releases.entries[i].value);
        visit(arg, &status);
    }
    visit_parked(engine, visit, arg);
}
