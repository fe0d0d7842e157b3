#include "update/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "os/dir.h"
#include "os/file.h"
#include "update/release.h"

/* ---- whose turn it is -------------------------------------------------------------------------------------------------- */

void engine_poke(struct hf_update_engine *engine)
{
    if (engine->closing || engine->poked)
        return;
    engine->poked = true;
    engine->p.sched->timer_arm(engine->p.sched->ctx, engine->timer, 0);
}

void engine_changed(struct hf_update_engine *engine)
{
    if (engine->told || engine->closing)
        return;
    engine->told = true;
    engine_poke(engine);
}

void engine_leave(struct release *release)
{
    if (release->engine->active != release)
        return;
    release->engine->active = NULL;
    engine_poke(release->engine);
}

static bool is_resting_unwanted(const struct release *release)
{
    enum hf_phase phase = release->j.phase;

    return release->wanted == NULL &&
           (phase == HF_PHASE_COMMITTED || phase == HF_PHASE_ROLLED_BACK || phase == HF_PHASE_IDLE);
}

/* How strong is a release's claim on a path? 2: it has, or is about to have, something there. 1: it wants to. */
static int claim(const struct release *release, const char *path)
{
    const struct hf_journal *j = &release->j;

    if (strcmp(j->path, path) != 0 || is_resting_unwanted(release))
        return 0;
    switch (j->phase) {
    case HF_PHASE_IDLE:
    case HF_PHASE_REJECTED:
    case HF_PHASE_INCOMPATIBLE:
        return 0;
    case HF_PHASE_WAITING:
        return j->good_digest[0] != '\0' ? 2 : 1;
    default:
        return 2;
    }
}

/* Two releases must not fight over one path: who has something there keeps it, else the first by name gets it. */
bool engine_path_taken(const struct release *release, const char *path)
{
    const struct hf_strmap *releases = &release->engine->releases;
    int ours = HF_MAX(claim(release, path), 1);

    for (size_t i = 0; i < releases->n; i++) {
        const struct release *other = releases->entries[i].value;
        int theirs = other != release ? claim(other, path) : 0;
        if (theirs > ours || (theirs == ours && strcmp(other->j.name, release->j.name) < 0))
            return true;
    }
    return false;
}

/* Known for nothing any more: not wanted, nothing installed, nothing that must be remembered. */
static bool can_be_forgotten(const struct release *release)
{
    const struct hf_journal *j = &release->j;

    return release->wanted == NULL && release->step == STEP_NONE && release->started && !release->unsaved &&
           release->again == HF_ACT_NONE && j->phase == HF_PHASE_IDLE && j->good_digest[0] == '\0' &&
           j->bad_digest[0] == '\0' && release->floor_known && release->floor == 0;
}

static int run_forget(struct step_job *step)
{
    return hf_dir_remove_tree(step->release->engine->p.fs, step->release->folder, &step->failure.err);
}

static void forgotten(struct release *release, struct step_job *step)
{
    struct hf_update_engine *engine = release->engine;

    if (step->r < 0)
        hf_log_err(engine->p.log, HF_LOG_WARNING, "update.forget", "release", release->j.name, &step->failure.err);
    engine_poke(engine); /* it may be wanted again by now */
    release->started = true;
    hf_buf_clear(&release->saved);
    release->forgotten = true;
}

static void forget(struct release *release)
{
    struct step_job *step = step_new(release, STEP_CLEAN, run_forget, forgotten);

    if (step != NULL)
        step_submit(step);
}

/* Who has waited longest; what was begun by a swap goes first. */
static bool comes_before(const struct release *a, const struct release *b)
{
    bool a_back = a->j.phase == HF_PHASE_ROLLING_BACK, b_back = b->j.phase == HF_PHASE_ROLLING_BACK;

    return a_back != b_back ? a_back : a->last_turn < b->last_turn;
}

static void look_at_all(struct hf_update_engine *engine)
{
    struct hf_strmap *releases = &engine->releases;
    struct release *next = NULL;
    bool active_ready = false;

    for (size_t i = 0; i < releases->n; i++) {
        struct release *release = releases->entries[i].value;
        bool ready = release_consider(release);
        if (ready && release == engine->active)
            active_ready = true;
        else if (ready && (next == NULL || comes_before(release, next)))
            next = release;
    }
    if (engine->active != NULL)
        next = active_ready ? engine->active : NULL;
    if (next != NULL)
        release_take_turn(next);
}

/* A release that rests and that no object wants. Its history is on disk alone; this is still reported of it, in 0.7 kB instead of
 * the 16 kB of a release. */
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

/* Not wanted, at rest, everything of it on disk: nothing is lost when it is read again should it be wanted again. */
static bool can_be_parked(const struct release *release)
{
    return is_resting_unwanted(release) && release->step == STEP_NONE && release->started && !release->unsaved &&
           release->again == HF_ACT_NONE && release->engine->active != release;
}

/* Parks the release that has rested longest. */
static bool park_one(struct hf_update_engine *engine)
{
    const struct release *oldest = NULL;
    char name[HF_API_MAX_NAME + 1];

    for (size_t i = 0; i < engine->releases.n; i++) {
        const struct release *release = engine->releases.entries[i].value;
        if (can_be_parked(release) && (oldest == NULL || release->j.time_unix_ns < oldest->j.time_unix_ns))
            oldest = release;
    }
    if (oldest == NULL)
        return false;
    (void)snprintf(name, sizeof(name), "%s", oldest->j.name);
    struct parked_release *parked = parked_new(&oldest->shown);
    if (parked == NULL || hf_strmap_put(&engine->parked, name, parked) < 0) {
        free(parked);
        return false;
    }
    hf_strmap_remove(&engine->releases, name);
    return true;
}

static void sweep(struct hf_update_engine *engine)
{
    struct hf_strmap *releases = &engine->releases;

    for (size_t i = releases->n; i-- > 0;) {
        struct release *release = releases->entries[i].value;
        if (!can_be_forgotten(release)) {
            release->forgotten = false;
        } else if (release->forgotten) {
            hf_strmap_remove(releases, releases->entries[i].key);
            engine_changed(engine);
        } else {
            forget(release);
        }
    }
    while (park_one(engine))
        ;
}

static void on_timer(void *arg)
{
    struct hf_update_engine *engine = arg;
    uint64_t now = hf_mono_ns(engine->p.clock), next = HF_NEVER;

    engine->poked = false;
    engine_ref(engine);
    if (engine->told) {
        engine->told = false;
        if (engine->p.changed != NULL)
            engine->p.changed(engine->p.arg);
    }
    if (!engine->closing && !engine->resting) {
        look_at_all(engine);
        sweep(engine);
        for (size_t i = 0; i < engine->releases.n; i++)
            next = HF_MIN(next, release_wake_ns(engine->releases.entries[i].value));
    }
    if (!engine->closing && !engine->resting && next != HF_NEVER && !engine->poked)
        engine->p.sched->timer_arm(engine->p.sched->ctx, engine->timer, next > now ? next - now : 0);
    engine_unref(engine);
}

/* ---- life -------------------------------------------------------------------------------------------------------------- */

void engine_ref(struct hf_update_engine *engine)
{
    engine->refs++;
}

static void free_release(void *release)
{
    release_free(release);
}

void engine_unref(struct hf_update_engine *engine)
{
    if (--engine->refs > 0)
        return;
    hf_strmap_done(&engine->releases);
    hf_strmap_done(&engine->parked);
    if (engine->lock_fd >= 0)
        (void)engine->p.fs->close(engine->p.fs->ctx, engine->lock_fd);
    engine->p.sched->timer_free(engine->p.sched->ctx, engine->timer);
    for (size_t i = 0; i < HF_LEN(engine->strings); i++)
        free(engine->strings[i]);
    for (size_t i = 0; engine->roots != NULL && engine->roots[i] != NULL; i++)
        free(engine->roots[i]);
    free(engine->roots);
    free(engine);
}

void hf_update_engine_quiesce(struct hf_update_engine *engine)
{
    engine->resting = true;
    for (size_t i = 0; i < engine->releases.n; i++) {
        struct release *release = engine->releases.entries[i].value;
        if (release->fetch != NULL)
            step_stop(release);
    }
}

bool hf_update_engine_quiesced(const struct hf_update_engine *engine)
{
    for (size_t i = 0; i < engine->releases.n; i++) {
        const struct release *release = engine->releases.entries[i].value;
        if (release->fetch != NULL)
            return false;
    }
    return true;
}

void hf_update_engine_free(struct hf_update_engine *engine)
{
    if (engine == NULL)
        return;
    engine->closing = true;
    engine->p.sched->timer_free(engine->p.sched->ctx, engine->timer);
    engine->timer = NULL;
    for (size_t i = 0; i < engine->releases.n; i++)
        step_drop(engine->releases.entries[i].value);
    engine_unref(engine);
}

static int keep_string(struct hf_update_engine *engine, size_t i, const char **place)
{
    if (*place == NULL)
        return 0;
    engine->strings[i] = strdup(*place);
    *place = engine->strings[i];
    return *place != NULL ? 0 : -ENOMEM;
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

static bool name_is_safe(const char *name)
{
    return name[0] != '\0' && name[0] != '.' && strlen(name) <= HF_API_MAX_NAME &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == strlen(name);
}

/* At a start those that rest have not been looked over yet, and more than that are held for a moment. */
static int make_room(struct hf_update_engine *engine)
{
    size_t wanted = 0;

    for (size_t i = 0; i < engine->releases.n; i++)
        wanted += ((const struct release *)engine->releases.entries[i].value)->wanted != NULL;
    if (wanted >= HF_UPDATE_MAX_RELEASES || engine->releases.n + engine->parked.n >= HF_UPDATE_MAX_HISTORIES)
        return -E2BIG;
    while (engine->releases.n >= HF_UPDATE_MAX_RELEASES && park_one(engine))
        ;
    return 0;
}

/* Known already, or made and put into the map. */
static int release_get(struct hf_update_engine *engine, const char *name, struct release **ret_release)
{
    struct release *release = hf_strmap_get(&engine->releases, name);

    if (release != NULL) {
        *ret_release = release;
        return 0;
    }
    struct parked_release *parked = hf_strmap_take(&engine->parked, name);
    bool was_parked = parked != NULL;
    int r = make_room(engine);
    if (r == 0 && (release = release_new(engine, name)) == NULL)
        r = -ENOMEM;
    if (r == 0 && was_parked)
        r = release_load(release);
    if (r == 0)
        r = hf_strmap_put(&engine->releases, name, release);
    if (r == 0) {
        release->started = !was_parked; /* else nothing of it is on disk */
        *ret_release = release;
        free(parked);
        return 0;
    }
    release_free(release);
    if (was_parked && hf_strmap_put(&engine->parked, name, parked) < 0) {
        free(parked);
        return -ENOMEM;
    }
    return r;
}

static int load_one(void *arg, const char *name, unsigned char type)
{
    struct hf_update_engine *engine = arg;
    struct release *release;

    (void)type;
    if (!name_is_safe(name) || strcmp(name, "lock") == 0)
        return 0;
    release = release_new(engine, name);
    int r = release != NULL ? release_load(release) : -ENOMEM;
    if (r == 0)
        r = hf_strmap_put(&engine->releases, name, release);
    if (r < 0)
        release_free(release);
    return r;
}

static int load(struct hf_update_engine *engine, struct hf_err *err)
{
    const struct hf_fs_ops *fs = engine->p.fs;
    char lock[PATH_MAX + 8];
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
    engine->refs = 1;
    counts_init(engine);
    engine->lock_fd = -1;
    engine->releases.free_value = free_release;
    engine->parked.free_value = free;
    engine->timer = params->sched->timer_new(params->sched->ctx, on_timer, engine);
    if (engine->timer == NULL || keep_params(engine, params) < 0)
        (void)hf_err_sys(err, r, "start the updater");
    else if ((size_t)snprintf(engine->folder, sizeof(engine->folder), "%s/updates", params->state_dir) >= 3000)
        r = hf_err_set(err, ENAMETOOLONG, "state folder '%.100s...' has too long a path", params->state_dir);
    else
        r = load(engine, err);
    if (r < 0) {
        hf_update_engine_free(engine);
        return r;
    }
    engine_poke(engine);
    *ret_engine = engine;
    return 0;
}

/* ---- what is wanted ------------------------------------------------------------------------------------------------------ */

static const struct hf_desired *find_desired(const struct hf_desired *desired, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(desired[i].update->release.name, name) == 0)
            return &desired[i];
    }
    return NULL;
}

static int take(struct hf_update_engine *engine, const struct hf_desired *desired, struct hf_err *err)
{
    const char *name = desired->update->release.name;
    struct release *release = NULL;

    if (!name_is_safe(name))
        return hf_err_set(err, EINVAL, "release name '%.64s' cannot be a file name", name);
    int r = release_get(engine, name, &release);
    if (r == -E2BIG)
        return hf_err_set(err, E2BIG, "release '%s': more than %d releases at a time, or %d in all, on one node", name,
                          HF_UPDATE_MAX_RELEASES, HF_UPDATE_MAX_HISTORIES);
    if (r == 0)
        r = release_want(release, desired);
    return r < 0 ? hf_err_sys(err, r, "take release '%s'", name) : 0;
}

int hf_update_engine_set(struct hf_update_engine *engine, const struct hf_desired *desired, size_t n,
                         struct hf_err *err)
{
    int r = 0;

    for (size_t i = 0; i < engine->releases.n; i++) {
        struct release *release = engine->releases.entries[i].value;
        if (find_desired(desired, n, release->j.name) == NULL)
            (void)!release_want(release, NULL);
    }
    for (size_t i = 0; i < n; i++) {
        int taken = take(engine, &desired[i], err);
        r = taken < 0 ? taken : r;
    }
    engine_poke(engine);
    return r;
}

void hf_update_engine_check_drift(struct hf_update_engine *engine)
{
    for (size_t i = 0; i < engine->releases.n; i++) {
        struct release *release = engine->releases.entries[i].value;
        release->look_wanted = true;
    }
    engine_poke(engine);
}

void hf_update_engine_set_retry(struct hf_update_engine *engine, uint64_t base_ns, uint64_t cap_ns)
{
    engine->p.retry_base_ns = HF_MAX(base_ns, HF_NS_PER_MS);
    engine->p.retry_cap_ns = HF_MAX(cap_ns, engine->p.retry_base_ns);
}

/* ---- how it stands ------------------------------------------------------------------------------------------------------- */

/* Waits that only somebody else can end. */
static bool waits_for_others(enum hf_reason reason)
{
    return reason == HF_R_NotAdmitted || reason == HF_R_Suspended || reason == HF_R_Held || reason == HF_R_Stale;
}

static bool is_settled(const struct release *release)
{
    const struct hf_journal *shown = &release->shown;

    if (release->engine->poked || !release->started || (release->step != STEP_NONE && release->step != STEP_LOOK) ||
        release->unsaved || release->again != HF_ACT_NONE)
        return false;
    if (release->wanted != NULL && strcmp(release->wanted->release.digest, shown->digest) != 0)
        return false;
    if (shown->phase == HF_PHASE_WAITING || shown->phase == HF_PHASE_VERIFIED)
        return waits_for_others(release->wait_reason);
    return shown->phase == HF_PHASE_COMMITTED || shown->phase == HF_PHASE_ROLLED_BACK ||
           shown->phase == HF_PHASE_INCOMPATIBLE || shown->phase == HF_PHASE_REJECTED ||
           (shown->phase == HF_PHASE_IDLE && release->wanted == NULL);
}

static const char *wait_message(const struct release *release)
{
    bool told = release->wait_reason == release->distrust && release->ask_message[0] != '\0';
    const struct hf_edgeupdate *wanted = release->wanted;

    if (told)
        return release->ask_message;
    if (release->wait_reason == HF_R_NotAdmitted && wanted != NULL && wanted->admission_digest[0] == '\0')
        return "waiting for holdfast-controller to admit this release: the EdgeUpdate has a strategy and no "
               "status.admission; is the controller running?";
    if (release->wait_reason == HF_R_NotAdmitted && wanted != NULL &&
        strcmp(wanted->admission_digest, wanted->release.digest) != 0)
        return "waiting for holdfast-controller to admit this release: the EdgeUpdate's status.admission is for an "
               "earlier one; is the controller running?";
    return hf_reason_meaning(release->wait_reason);
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
            .settled = !engine->poked,
        };
        visit(arg, &status);
    }
}

void hf_update_engine_each(struct hf_update_engine *engine,
                           void (*visit)(void *arg, const struct hf_update_status *status), void *arg)
{
    for (size_t i = 0; i < engine->releases.n; i++) {
        const struct release *release = engine->releases.entries[i].value;
        const struct hf_journal *shown = &release->shown;
        bool waits = release->wait_reason != HF_R_None;
        struct hf_update_status status = {
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
            .reason = hf_reason_name(waits ? release->wait_reason : shown->reason),
            .message = waits ? wait_message(release) : shown->message,
            .time_unix_ns = shown->time_unix_ns,
            .settled = is_settled(release),
        };
        visit(arg, &status);
    }
    visit_parked(engine, visit, arg);
}
