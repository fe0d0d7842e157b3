/* SPDX-License-Identifier: Apache-2.0 */
/* The site's order to go back to the version before, without a network (update/state/order.h).
 *
 * While an order decides (rules/order.h), the version before is the wanted object, as the committed one is during a
 * repair: the same machine prepares, swaps, probes and commits it. Its content comes from what the node keeps, or the
 * node refuses the order. The journal marks it `local`, so the floors and the TPM's counter stay at the release that
 * the site left: that one is no downgrade when it comes back, and a newer one needs no other sequence.
 *
 * The engine reads the folder of the orders when it starts, when inotify says so, and whenever the wanted objects are
 * set. An order that cannot be read changes nothing: what went back stays, and nothing goes back. The file is the whole
 * truth: its removal is the way forward again.
 *
 * A committed release that failed after a boot (probation.c) is left in the same way: the verdict in the journal is
 * then the order, until the version before is committed or the node finds that it cannot go back. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding/cut.h"
#include "base/encoding/utf8.h"
#include "os/dir.h"
#include "update/release.h"
#include "update/rules/order.h"
#include "update/state/committed.h"
#include "update/state/order.h"

enum { MAX_ORDERS = HF_UPDATE_MAX_HISTORIES };
static const uint64_t again_ns = 60 * HF_NS_PER_S;

/* ---- the folder -------------------------------------------------------------------------------------------------- */

struct orders_reading {
    struct hf_update_engine *engine;
    struct hf_strmap orders;
};

/* Left by a command that was killed. */
static bool is_unfinished(const char *name)
{
    size_t n = strlen(name);

    return n > 4 && strcmp(name + n - 4, ".new") == 0;
}

/* An order that cannot be read is one with an empty digest. */
static int read_one(void *arg, const char *name, unsigned char type)
{
    struct orders_reading *reading = arg;
    struct hf_update_engine *engine = reading->engine;
    struct hf_err err = HF_ERR_INIT;
    struct hf_order *order;

    (void)type;
    if (!update_name_is_safe(name) || is_unfinished(name) || reading->orders.n >= MAX_ORDERS)
        return 0;
    order = calloc(1, sizeof(*order));
    if (order == NULL)
        return -ENOMEM;
    int r = hf_order_load(engine->p.world.fs, engine->orders_dir, name, order, &err);
    if (r == -ENOENT) {
        free(order);
        return 0;
    }
    const struct hf_order *known = hf_strmap_get(&engine->orders, name);
    if (r < 0 && (known == NULL || known->digest[0] != '\0'))
        hf_log_err(engine->p.world.log, HF_LOG_ERROR, "update.order", "release", name, &err);
    r = hf_strmap_put(&reading->orders, name, order);
    if (r < 0)
        free(order);
    return r;
}

static bool same(const struct hf_strmap *a, const struct hf_strmap *b)
{
    bool equal = a->n == b->n;

    for (size_t i = 0; equal && i < a->n; i++)
        equal = strcmp(a->entries[i].key, b->entries[i].key) == 0 &&
                memcmp(a->entries[i].value, b->entries[i].value, sizeof(struct hf_order)) == 0;
    return equal;
}

static int read_folder(struct orders_reading *reading, struct hf_err *err)
{
    const struct hf_update_engine *engine = reading->engine;
    const struct hf_fs_ops *fs = engine->p.world.fs;
    int fd = fs->openat(fs->ctx, AT_FDCWD, engine->orders_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
                        HF_FS_ANY);

    if (fd < 0)
        return fd == -ENOENT ? 0 : hf_err_sys(err, fd, "open '%s'", engine->orders_dir);
    int r = fs->list(fs->ctx, fd, read_one, reading);
    (void)fs->close(fs->ctx, fd);
    return r < 0 ? hf_err_sys(err, r, "read the orders in '%s'", engine->orders_dir) : 0;
}

static void fired(void *arg)
{
    orders_read(arg);
}

static void watch(struct hf_update_engine *engine)
{
    const struct hf_watch_ops *ops = engine->p.watch;
    struct hf_err err = HF_ERR_INIT;

    if (ops == NULL || engine->orders_watch != NULL)
        return;
    if (hf_dir_make(engine->p.world.fs, engine->orders_dir, 0700, &err) < 0 ||
        ops->add(ops->ctx, engine->orders_dir, fired, engine, &engine->orders_watch, &err) < 0)
        hf_log_err(engine->p.world.log, HF_LOG_INFO, "update.unwatched", "folder", engine->orders_dir, &err);
}

void orders_read(struct hf_update_engine *engine)
{
    struct orders_reading reading = {.engine = engine, .orders = {.free_value = free}};
    struct hf_err err = HF_ERR_INIT;

    watch(engine);
    int r = read_folder(&reading, &err);
    if (r < 0 && !engine->orders_unread)
        hf_log_err(engine->p.world.log, HF_LOG_ERROR, "update.order", "folder", engine->orders_dir, &err);
    bool changed = engine->orders_unread != (r < 0) || (r == 0 && !same(&engine->orders, &reading.orders));
    engine->orders_unread = r < 0;
    if (r < 0) {
        hf_strmap_done(&reading.orders); /* those that are known go on */
    } else {
        hf_strmap_done(&engine->orders);
        engine->orders = reading.orders;
    }
    if (changed)
        hf_steer_core_wake(&engine->core);
}

void orders_done(struct hf_update_engine *engine)
{
    if (engine->orders_watch != NULL)
        engine->p.watch->remove(engine->p.watch->ctx, engine->orders_watch);
    engine->orders_watch = NULL;
}

/* ---- one release ------------------------------------------------------------------------------------------------- */

static const struct hf_order *order_of(const struct release *release)
{
    return hf_strmap_get(&release->engine->orders, release->j.name);
}

/* The release that was committed last, orders aside. */
static const char *committed_digest(const struct release *release)
{
    return release->j.good_local ? release->review.floor.current.digest : release->j.good_digest;
}

static enum hf_order_state state_of(const struct release *release, const struct hf_order *order)
{
    if (release->j.boots.verdict == HF_BOOTS_BAD)
        return HF_ORDER_STANDS;
    if (order == NULL)
        return release->engine->orders_unread ? HF_ORDER_UNREADABLE : HF_ORDER_ABSENT;
    if (order->digest[0] == '\0')
        return HF_ORDER_UNREADABLE;
    return order->refused[0] != '\0' ? HF_ORDER_REFUSED : HF_ORDER_STANDS;
}

/* May the wanted release start, turn aside? It asks for its turn only once it is ready. */
static bool may_start(struct release *release)
{
    struct release_wanted *wanted = &release->wanted;
    struct hf_edgeupdate *object = wanted->object;
    bool ordered = wanted->ordered, replaced = ordered || wanted->asked != NULL;
    const char *message;
    enum hf_reason reason;

    if (replaced) {
        wanted->object = wanted->asked;
        wanted->ordered = release->review.current = false;
    }
    enum hf_gate_verdict verdict = review_ask(release, &reason, &message);
    if (replaced) {
        wanted->object = object;
        wanted->ordered = ordered;
        release->review.current = false;
    }
    return verdict == HF_GATE_GO || (verdict == HF_GATE_WAIT && reason == HF_R_TurnPending);
}

static enum hf_order_verdict ask(struct release *release)
{
    const struct hf_order *order = order_of(release);
    const struct release_wanted *wanted = &release->wanted;
    const struct hf_edgeupdate *asked = wanted->ordered || wanted->asked != NULL ? wanted->asked : wanted->object;
    const char *committed = committed_digest(release);
    struct hf_order_facts facts = {
        .state = state_of(release, order),
        .gone_back = release->j.good_local,
        .wanted = asked != NULL,
        .newer = asked != NULL &&
                 asked->release.sequence >
                     HF_MAX(release->review.floor.top.sequence, release->j.good_local ? 0 : release->j.good_sequence),
    };

    if (facts.state == HF_ORDER_ABSENT || facts.state == HF_ORDER_REFUSED)
        return HF_ORDER_NONE;
    /* Without the floors, nobody knows what the order was about. */
    facts.names_committed = release->j.boots.verdict == HF_BOOTS_BAD ||
                            (order != NULL && (strcmp(order->digest, committed) == 0 || !release->review.floor_known));
    facts.newer_may_start = facts.newer && !facts.gone_back && may_start(release);
    return hf_order_ask(&facts);
}

bool order_is_open(const struct release *release)
{
    const struct hf_order *order = order_of(release);

    return order != NULL && state_of(release, order) == HF_ORDER_STANDS && !release->j.good_local &&
           strcmp(order->digest, release->j.good_digest) == 0;
}

/* ---- the end of an order ----------------------------------------------------------------------------------------- */

/* The order as the engine knows it, unless the site has given another one meanwhile. */
static int run_end(struct step_job *step)
{
    const struct hf_update_engine *engine = step->release->engine;
    const char *name = step->release->j.name;
    struct hf_order now;
    int r = hf_order_load(engine->p.world.fs, engine->orders_dir, name, &now, &step->failure.err);

    if (r < 0 || !hf_order_is(&now, &step->order))
        return r == -ENOENT ? 0 : r;
    return step->order.refused[0] != '\0'
               ? hf_order_save(engine->p.world.fs, engine->orders_dir, name, &step->order, &step->failure.err)
               : hf_order_remove(engine->p.world.fs, engine->orders_dir, name, &step->failure.err);
}

static void ended(struct release *release, struct step_job *step)
{
    if (step->job.r < 0)
        hf_log_err(release->engine->p.world.log, HF_LOG_WARNING, "update.order", "release", release->j.name,
                   &step->failure.err);
    hf_steer_core_wake(&release->engine->core);
}

/* `refused`: why the node does not follow the order; NULL: it is over. In memory that holds at once. */
static bool end(struct release *release, const char *refused)
{
    if (release->j.boots.verdict == HF_BOOTS_BAD) {
        assert(refused != NULL); /* only a commit ends it otherwise, and begins the boots of another release */
        wanted_repair_end(release);
        boots_stay(release, refused);
        return true;
    }
    struct hf_strmap *orders = &release->engine->orders;
    struct hf_order *order = hf_strmap_get(orders, release->j.name);
    struct step_job *step = step_new(release, STEP_ORDER, run_end, ended);

    if (step == NULL || order == NULL) {
        step_discard(step);
        return false;
    }
    if (refused != NULL) {
        (void)snprintf(order->refused, sizeof(order->refused), "%s", refused);
        hf_utf8_trim(order->refused);
        hf_log(release->engine->p.world.log, HF_LOG_ERROR, "update.order.refused", HF_S("release", release->j.name),
               HF_S("message", order->refused));
    }
    step->order = *order;
    wanted_repair_end(release);
    if (refused == NULL)
        (void)hf_strmap_remove(orders, release->j.name);
    step_submit(step);
    return true;
}

/* ---- going back -------------------------------------------------------------------------------------------------- */

/* By what bars it now; where nothing does, by what can have barred it when the node left that version. */
static int not_kept(struct step_job *step, const struct hf_release *before, uint64_t size)
{
    static const char *const whys[] = {
        [HF_KEPT_BAR_NOTHING] = "the node left it without retain.previous or room, or it is damaged",
        [HF_KEPT_BAR_POLICY] = "set retain.previous in a SyncPolicy for the next time",
        [HF_KEPT_BAR_SIZE] = "retain.maxBytes of the SyncPolicy is less than its size",
        [HF_KEPT_BAR_DISK] = "the disk is above disk.warnPercent, where no more is kept"};
    const struct hf_kept_facts facts = {
        .policy = step->keep.policy, .room = step->keep.room, .previous_size = size, .just_committed = true};
    const bool unread = step->keep.policy.unread;

    return hf_failure_set(&step->failure, HF_R_NotKept, ENODATA, "this node does not keep the content of %.64s: %s",
                          before->version, whys[unread ? HF_KEPT_BAR_NOTHING : hf_kept_previous_bar(&facts)]);
}

/* Is the content there? Whoever takes it compares the hash. */
static int find_content(struct step_job *step, const struct hf_edgeupdate *before)
{
    const struct hf_update_engine *engine = step->release->engine;
    const struct hf_install *install = &before->release.install;
    const struct hf_artifact *artifact = hf_release_artifact(&before->release, engine->p.arch);
    struct hf_target_dir dir;

    if (artifact == NULL || install->kind == HF_INSTALL_AGENT)
        return hf_failure_set(&step->failure, HF_R_NotKept, EOPNOTSUPP,
                              install->kind == HF_INSTALL_AGENT
                                  ? "the agent's own release goes back by its supervisor or by a signed release alone"
                                  : "the version before has no artifact for this architecture");
    const struct hf_kept_want want = {
        .kind = install->kind,
        .sha256 = artifact->sha256,
        .size = artifact->size,
        .link = "",
        .other = "",
        .target = self_target_of(engine, install->kind, install->path, step->release->j.name),
    };
    int r = hf_target_open(&want.target, &dir, NULL, &step->failure);
    if (r < 0)
        return r;
    enum hf_kept_source source = hf_kept_find(&want, &dir);
    hf_target_dir_done(&dir);
    return source != HF_KEPT_NOWHERE ? 0 : not_kept(step, &before->release, artifact->size);
}

static int run_load(struct step_job *step)
{
    const struct release *release = step->release;
    const struct hf_fs_ops *fs = release->engine->p.world.fs;

    if (release->j.good_local) /* it is the committed one now */
        return hf_committed_load(fs, release->folder, release->j.good_digest, &step->committed, &step->failure.err);
    int r = hf_committed_load_previous(fs, release->folder, &step->committed, &step->failure.err);
    if (r == -ENOENT || r == -EBADMSG)
        return hf_failure_set(&step->failure, HF_R_NotKept, -r,
                              "this node knows no version before this one: set retain.previous in a SyncPolicy for the "
                              "next time");
    return r < 0 ? r : find_content(step, step->committed);
}

static void loaded(struct release *release, struct step_job *step)
{
    char text[HF_UPDATE_MAX_MESSAGE];

    hf_steer_core_wake(&release->engine->core);
    if (step->job.r == 0) {
        assert(!release->j.good_local || strcmp(step->committed->release.digest, release->j.good_digest) == 0);
        wanted_order(release, step->committed);
        step->committed = NULL;
        return;
    }
    hf_log_err(release->engine->p.world.log, HF_LOG_WARNING, "update.order", "release", release->j.name,
               &step->failure.err);
    release->drift.order_due_ns = hf_mono_ns(release->engine->p.world.clock) + again_ns;
    if (release->j.good_local || step->failure.reason != HF_R_NotKept)
        return;
    (void)snprintf(text, sizeof(text), "%s; now, sign the old files as a new release",
                   HF_CUT(200, step->failure.err.cause));
    release->drift.order_due_ns = 0;
    (void)end(release, text);
}

/* Until the version before can be loaded, nothing takes its place. */
static bool go_back(struct release *release)
{
    assert(!release->wanted.ordered && !step_is_in_progress(release));
    if (hf_mono_ns(release->engine->p.world.clock) < release->drift.order_due_ns)
        return release->j.good_local;
    if (release->j.good_local && wanted_order_again(release))
        return false;
    struct step_job *step = step_new(release, STEP_ORDER, run_load, loaded);
    if (step == NULL) {
        release->drift.order_due_ns = hf_mono_ns(release->engine->p.world.clock) + again_ns;
        return release->j.good_local;
    }
    retain_prepare(release, step);
    step_submit(step);
    return true;
}

/* The version before did not pass its checks here, or is not accepted. */
static bool has_failed(const struct release *release)
{
    const struct hf_journal *j = &release->j;

    return release->wanted.ordered && wanted_goes_back(release) && wanted_matches(release) &&
           (j->phase == HF_PHASE_ROLLED_BACK || j->phase == HF_PHASE_REJECTED || j->phase == HF_PHASE_INCOMPATIBLE);
}

bool order_consider(struct release *release)
{
    enum hf_phase phase = release->j.phase;

    if (release->stage != RELEASE_RUNNING ||
        (!hf_phase_rests(phase) && phase != HF_PHASE_WAITING && phase != HF_PHASE_VERIFIED))
        return false;
    if (has_failed(release))
        return end(release, release->j.message);
    enum hf_order_verdict verdict = ask(release);
    if (verdict == HF_ORDER_FOLLOW)
        return release->wanted.ordered ? false : go_back(release);
    if (release->wanted.ordered)
        wanted_repair_end(release);
    return verdict == HF_ORDER_OVER && end(release, NULL);
}

bool update_name_is_safe(const char *name)
{
    return name[0] != '\0' && name[0] != '.' && strlen(name) <= HF_API_MAX_NAME &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == strlen(name);
}
