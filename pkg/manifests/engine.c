/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manifests/content/content.h"
#include "manifests/content/store.h"
#include "manifests/entry.h"
#include "manifests/rules/plan.h"
#include "manifests/targets/target_cluster.h"
#include "manifests/targets/target_files.h"
#include "manifests/targets/target_pods.h"
#include "os/dir.h"

static const char no_room_text[] =
    "the node keeps too many entries that no policy names any more, so it takes no new one; "
    "let it remove them with the annotation " HF_PLAN_ALLOW_PRUNE;

const struct target_ops *const manifest_engine_targets[HF_MANIFEST_TARGETS] = {
    [HF_MANIFEST_TO_FILES] = &target_files,
    [HF_MANIFEST_TO_STATIC_PODS] = &target_pods,
    [HF_MANIFEST_TO_CLUSTER] = &target_cluster,
};

/* ---- entries ----------------------------------------------------------------------------------------------------- */

static void free_entry(void *value)
{
    entry_free(value);
}

static struct entry *add(struct hf_manifest_engine *engine, const char *name)
{
    struct entry *entry = entry_new(engine, name);

    if (entry == NULL)
        return NULL;
    if (hf_strmap_put(&engine->entries, name, entry) < 0) {
        entry_free(entry);
        return NULL;
    }
    return entry;
}

/* Frees the entries of which nothing is left. */
static void sweep(struct hf_manifest_engine *engine)
{
    for (size_t i = engine->entries.n; i > 0; i--) {
        struct entry *entry = engine->entries.entries[i - 1].value;
        if (entry->life != ENTRY_GONE || entry->busy)
            continue;
        if (entry->wanted == NULL) {
            (void)hf_strmap_remove(&engine->entries, engine->entries.entries[i - 1].key);
            continue;
        }
        /* Wanted again while its files were being removed: begin anew. */
        entry->life = ENTRY_STARTED;
        entry->removing = false;
        hf_manifest_record_done(&entry->r);
        hf_inventory_done(&entry->inventory);
        hf_buf_clear(&entry->machine.text);
        content_stop(entry);
        content_follow(entry);
    }
}

static void wake_all(struct hf_manifest_engine *engine)
{
    for (size_t i = 0; i < engine->entries.n; i++)
        hf_steer_machine_wake(&((struct entry *)engine->entries.entries[i].value)->machine);
    hf_steer_core_wake(&engine->core);
}

/* An entry that has been considered, and of which nothing has changed since, is not asked again before its time: a
 * thousand may wait for their removal. What is due while another entry has the turn stays so. A hold may also end by
 * what the other entries do. */
static bool is_due(struct entry *entry, uint64_t now_ns)
{
    return hf_content_machine_has_hold(entry->content.intake) ||
           (task_is_free(entry) && hf_steer_machine_take_due(&entry->machine, now_ns));
}

static bool has_holds(const struct hf_manifest_engine *engine)
{
    for (size_t i = 0; i < engine->entries.n; i++) {
        const struct entry *entry = engine->entries.entries[i].value;
        if (hf_content_machine_has_hold(entry->content.intake))
            return true;
    }
    return false;
}

/* While an entry has the turn, only holds can be due, so a thousand others are not asked then. */
static bool may_be_due(const struct hf_manifest_engine *engine)
{
    return engine->may_hold || engine->core.active == NULL;
}

/* Only one entry at a time has a job, and entries that wait for their removal may be many: those of the policy go
 * first. */
static void consider_all(struct hf_manifest_engine *engine, bool in_policy)
{
    uint64_t now = hf_steer_core_now_ns(&engine->core);

    for (size_t i = 0; i < engine->entries.n && may_be_due(engine); i++) {
        struct entry *entry = engine->entries.entries[i].value;
        if (entry->in_policy == in_policy && is_due(entry, now))
            entry_consider(entry);
    }
}

static struct hf_manifest_engine *of(struct hf_steer_core *core)
{
    return hf_container_of(core, struct hf_manifest_engine, core);
}

static uint64_t consider(struct hf_steer_core *core)
{
    struct hf_manifest_engine *engine = of(core);

    engine->may_hold = engine->may_hold && has_holds(engine);
    consider_all(engine, true);
    consider_all(engine, false);
    sweep(engine);
    return HF_NEVER; /* the entries have asked for the time of the next look */
}

static void changed(struct hf_steer_core *core)
{
    of(core)->p.changed(of(core)->p.arg);
}

static void gone(struct hf_steer_core *core)
{
    struct hf_manifest_engine *engine = of(core);

    hf_strmap_done(&engine->entries);
    hf_strmap_done(&engine->no_room);
    hf_source_turns_free(engine->turns);
    free(engine->allow_prune);
    free(engine->folder);
    free(engine);
}

static const struct hf_steer_engine steered = {.consider = consider, .changed = changed, .gone = gone, .one_job = true};

/* ---- start ------------------------------------------------------------------------------------------------------- */

static int visit(void *arg, const char *name, unsigned char type)
{
    struct hf_manifest_engine *engine = arg;

    (void)type;
    if (strlen(name) > 63 || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0')
        return 0;
    if (engine->entries.n >= MANIFEST_MAX_LEFT + HF_MAX_MANIFESTS) /* more than any process of the agent makes */
        return 0;
    return add(engine, name) != NULL ? 0 : -ENOMEM;
}

static int load(struct hf_manifest_engine *engine, struct hf_err *err)
{
    const struct hf_fs_ops *fs = engine->p.env.world.fs;
    int fd = fs->openat(fs->ctx, AT_FDCWD, engine->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);

    if (fd == -ENOENT)
        return 0;
    int r = fd < 0 ? fd : fs->list(fs->ctx, fd, visit, engine);
    if (fd >= 0)
        (void)fs->close(fs->ctx, fd);
    for (size_t i = 0; r == 0 && i < engine->entries.n; i++)
        r = entry_load(engine->entries.entries[i].value);
    return r < 0 ? hf_err_sys(err, r, "read '%s'", engine->folder) : 0;
}

int hf_manifest_engine_new(const struct hf_manifest_engine_params *params, struct hf_manifest_engine **ret_engine,
                           struct hf_err *err)
{
    struct hf_manifest_engine *engine = calloc(1, sizeof(*engine));

    if (engine == NULL)
        return hf_err_sys(err, -ENOMEM, "start the manifests");
    *engine = (struct hf_manifest_engine){.p = *params,
                                          .targets = manifest_engine_targets,
                                          .entries = {.free_value = free_entry},
                                          .no_room = {.free_value = free}};
    engine->folder = hf_asprintf("%s/manifests", params->env.state_dir);
    int r = hf_steer_core_init(&engine->core, &steered, &params->env.world);
    engine->turns = hf_source_turns_new(params->env.world.sched);
    hf_manifest_counts_init(&engine->counts, params->env.world.metrics);
    r = r < 0 || engine->folder == NULL || engine->turns == NULL ? hf_err_sys(err, -ENOMEM, "start the manifests")
                                                                 : load(engine, err);
    if (r < 0) {
        hf_manifest_engine_free(engine);
        return r;
    }
    wake_all(engine);
    *ret_engine = engine;
    return 0;
}

static void stop(struct entry *entry)
{
    content_stop(entry);
    task_drop(entry);
    drift_unwatch(entry);
}

void hf_manifest_engine_free(struct hf_manifest_engine *engine)
{
    if (engine == NULL)
        return;
    hf_steer_core_close(&engine->core);
    for (size_t i = 0; i < engine->entries.n; i++)
        stop(engine->entries.entries[i].value);
    hf_steer_core_unref(&engine->core);
}

void hf_manifest_engine_repair_now(struct hf_manifest_engine *engine)
{
    engine->core.inline_ = true;
    for (size_t i = 0; i < engine->entries.n; i++) {
        struct entry *entry = engine->entries.entries[i].value;
        if (!hf_manifest_machine_rests(entry->r.phase))
            continue;
        drift_want(&entry->drift);
        (void)target_of(entry, &entry->r.good)->look(entry);
    }
    engine->core.inline_ = false;
}

/* ---- what is wanted ---------------------------------------------------------------------------------------------- */

static int set_annotation(struct hf_manifest_engine *engine, const struct hf_syncpolicy *policy)
{
    const json_t *annotations = hf_json_at(policy->json, "metadata.annotations");
    const char *value = json_string_value(json_object_get(annotations, HF_PLAN_ALLOW_PRUNE));
    char *copy = value != NULL ? strdup(value) : NULL;

    if (value != NULL && copy == NULL)
        return -ENOMEM;
    bool same = (copy == NULL && engine->allow_prune == NULL) ||
                (copy != NULL && engine->allow_prune != NULL && strcmp(copy, engine->allow_prune) == 0);
    free(engine->allow_prune);
    engine->allow_prune = copy;
    for (size_t i = 0; !same && i < engine->entries.n; i++) {
        struct entry *entry = engine->entries.entries[i].value;
        if (entry->due_ns == HF_NEVER)
            entry->due_ns = 0;
    }
    return 0;
}

static const struct hf_manifest *find(const struct hf_syncpolicy *policy, const char *name)
{
    for (size_t i = 0; i < policy->n_manifests; i++)
        if (strcmp(policy->manifests[i].name, name) == 0)
            return &policy->manifests[i];
    return NULL;
}

static bool has_room(const struct hf_manifest_engine *engine)
{
    size_t n = 0, items = 0;
    uint64_t bytes = 0;

    for (size_t i = 0; i < engine->entries.n; i++) {
        const struct entry *entry = engine->entries.entries[i].value;
        if (entry->in_policy)
            continue;
        n++;
        items += entry->busy ? 0 : entry->inventory.n; /* a worker may change the inventory of a busy entry */
        bytes += entry->r.known_bytes;
    }
    return n < MANIFEST_MAX_LEFT && items < MANIFEST_MAX_LEFT_ITEMS && bytes < MANIFEST_MAX_LEFT_BYTES;
}

/* Notes in `names` that an entry of the policy found no room, and logs it if it is news. */
static int leave_out(const struct hf_manifest_engine *engine, const struct hf_manifest *wanted, struct hf_strmap *names,
                     bool *news)
{
    enum hf_manifest_target *to = malloc(sizeof(*to));

    if (to == NULL)
        return -ENOMEM;
    *to = wanted->to;
    if (hf_strmap_put(names, wanted->name, to) < 0) {
        free(to);
        return -ENOMEM;
    }
    if (hf_strmap_get(&engine->no_room, wanted->name) != NULL)
        return 0;
    *news = true;
    hf_log(engine->p.env.world.log, HF_LOG_ERROR, "manifest.no_room", HF_S("entry", wanted->name),
           HF_S("message", no_room_text));
    return 0;
}

/* Makes the entries whose names are new, as far as there is room. The names that find none wait; they are tried again
 * with each call of hf_manifest_engine_set(). */
static int set_new(struct hf_manifest_engine *engine, const struct hf_syncpolicy *policy)
{
    struct hf_strmap no_room = {.free_value = free};
    bool room = has_room(engine), news = false;
    int failed = 0;

    for (size_t i = 0; i < policy->n_manifests; i++) {
        const struct hf_manifest *wanted = &policy->manifests[i];
        if (hf_strmap_get(&engine->entries, wanted->name) != NULL)
            continue;
        struct entry *entry = room ? add(engine, wanted->name) : NULL;
        if (entry != NULL)
            entry->in_policy = true;
        int r = entry != NULL ? entry_set(entry, wanted) : room ? -ENOMEM : leave_out(engine, wanted, &no_room, &news);
        failed = failed == 0 ? r : failed;
    }
    if (news || no_room.n != engine->no_room.n)
        hf_steer_core_notify(&engine->core);
    hf_strmap_done(&engine->no_room);
    engine->no_room = no_room;
    return failed;
}

/* Goes on after a failure, so that one entry that cannot be set keeps no other one back. */
int hf_manifest_engine_set(struct hf_manifest_engine *engine, const struct hf_manifest_desired *desired,
                           struct hf_err *err)
{
    int failed = set_annotation(engine, desired->policy), r;

    engine->p.env.config = desired->config;
    engine->p.env.labels = desired->labels;
    engine->proven = desired->proven;
    engine->held = desired->held;
    engine->stale = desired->stale;
    engine->p.env.no_space = desired->no_space;
    engine->p.env.writes_used_up = desired->writes_used_up;
    engine->interval_ns = desired->policy->interval_ns;
    engine->reads_images = desired->policy->images.prefetch_workloads;
    engine->set_once = true;
    for (size_t i = 0; i < engine->entries.n; i++) { /* all of them, before the first source may deliver a content */
        struct entry *entry = engine->entries.entries[i].value;
        entry->in_policy = find(desired->policy, entry->name) != NULL;
    }
    for (size_t i = 0; i < engine->entries.n; i++) {
        struct entry *entry = engine->entries.entries[i].value;
        r = entry_set(entry, find(desired->policy, entry->name));
        failed = failed == 0 ? r : failed;
    }
    r = set_new(engine, desired->policy);
    failed = failed == 0 ? r : failed;
    wake_all(engine);
    return failed < 0 ? hf_err_sys(err, failed, "take up the entries of the policy") : 0;
}

void hf_manifest_engine_check(struct hf_manifest_engine *engine)
{
    for (size_t i = 0; i < engine->entries.n; i++) {
        struct entry *entry = engine->entries.entries[i].value;
        entry->drift.full = true;
        drift_want(&entry->drift);
        entry->recheck = true;
        if (entry->cleanup == ENTRY_CLEANUP_FAILED)
            entry->cleanup = ENTRY_CLEANUP_DUE;
        entry->pods.due = true;
        entry->drift.watch_stale = entry->drift.watch_stale || entry->drift.unwatched;
        if (entry->due_ns == HF_NEVER)
            entry->due_ns = 0;
        content_store_check(entry);
        content_check(entry);
    }
    wake_all(engine);
}

void hf_manifest_engine_link_opened(struct hf_manifest_engine *engine)
{
    for (size_t i = 0; i < engine->entries.n; i++) {
        const struct entry *entry = engine->entries.entries[i].value;
        if (entry->content.source != NULL)
            hf_manifest_source_link_opened(entry->content.source);
    }
}

void hf_manifest_engine_set_retry(struct hf_manifest_engine *engine, uint64_t base_ns, uint64_t cap_ns)
{
    engine->p.env.retry_base_ns = base_ns;
    engine->p.env.retry_cap_ns = HF_MAX(base_ns, cap_ns);
}

/* ---- status ------------------------------------------------------------------------------------------------------ */

static bool shows_source(const struct entry *entry)
{
    enum hf_manifest_reason reason = entry->content.note.reason;

    return reason != HF_MANIFEST_REASON_NONE && hf_manifest_machine_rests(entry->r.phase) && entry->wanted != NULL &&
           (entry->r.phase == HF_MANIFEST_FETCHING || reason != HF_MANIFEST_REASON_SOURCE_UNREACHABLE);
}

/* While the entry is busy, a worker may replace the inventory. */
static size_t count_files(struct entry *entry)
{
    if (!entry->busy)
        entry->n_files = hf_inventory_files(&entry->inventory);
    return entry->n_files;
}

/* Returns true if the removal of all that the entry has in place waits. The record still has the phase of what is
 * there. */
static bool removal_waits(const struct entry *entry)
{
    return (content_store_is_revoked(entry) || (entry->engine->set_once && !entry->in_policy)) &&
           entry->machine.wait.reason != HF_MANIFEST_REASON_NONE && entry->machine.wait.topic == ENTRY_NOTE_STEP;
}

/* Returns true if only a person can make the source deliver: the node does not let the entry use it. */
static bool source_is_refused(const struct entry *entry)
{
    return entry->r.phase == HF_MANIFEST_FETCHING && (entry->content.note.reason == HF_MANIFEST_REASON_NOT_ALLOWED ||
                                                      entry->content.note.reason == HF_MANIFEST_REASON_UNSUPPORTED);
}

/* The set whose revision and digest the status shows. If all that is in place is to go, a person needs the digest that
 * allows the removal. */
static const struct hf_manifest_set *shown_set(const struct entry *entry)
{
    const struct hf_manifest_record *r = &entry->r;

    if (content_store_is_revoked(entry) || (entry->engine->set_once && !entry->in_policy))
        return hf_manifest_record_owner(r);
    return r->phase == HF_MANIFEST_APPLIED ? &r->good : &r->next;
}

/* The entry as the policy has it or, if none has it any more, as it was applied. */
static json_t *json_of(const struct entry *entry)
{
    const struct hf_manifest_record *r = &entry->r;

    return entry->wanted != NULL ? entry->wanted->json : r->good.entry != NULL ? r->good.entry : r->next.entry;
}

/* Of a thousand entries that wait for their removal, each change of another one asks for these fields. The reference
 * keeps the JSON, and so its address, from becoming another one's. */
static const struct entry_shown *shown_of(struct entry *entry)
{
    struct entry_shown *shown = &entry->shown;
    json_t *json = json_of(entry);

    if (shown->json == json)
        return shown;
    json_decref(shown->json);
    *shown = (struct entry_shown){.json = json_incref(json), .to = HF_MANIFEST_TO_FILES};
    for (unsigned i = 0; i < HF_MANIFEST_TARGETS; i++)
        if (strcmp(hf_json_str_or(json, "to", ""), hf_manifest_target_names[i]) == 0)
            shown->to = (enum hf_manifest_target)i;
    shown->when_alone =
        shown->to == HF_MANIFEST_TO_STATIC_PODS &&
        strcmp(hf_json_str_or(json, "whenAlone", ""), hf_manifest_when_alone_names[HF_MANIFEST_ALONE_START]) == 0;
    return shown;
}

static bool is_when_alone(struct entry *entry)
{
    return shown_of(entry)->when_alone;
}

static struct hf_manifest_status status_of(struct entry *entry)
{
    const struct hf_manifest_record *r = &entry->r;
    const struct hf_manifest_set *set = shown_set(entry);
    const struct entry_shown *shown = shown_of(entry);
    struct hf_manifest_status status = {
        .name = entry->name,
        .to = shown->to,
        .phase = r->phase,
        .revision = r->known_revision[0] != '\0' && strcmp(r->known_digest, set->digest) == 0 ? r->known_revision
                                                                                              : set->revision,
        .digest = set->digest,
        .items = (unsigned)(count_files(entry) + json_array_size(r->objects)),
        .drifts = r->drifts,
        .reason = r->reason,
        .message = r->message,
        .when_alone = shown->when_alone,
        .time_unix_ns = HF_MAX(r->time_unix_ns, r->drift_unix_ns),
    };

    if (entry->machine.wait.reason != HF_MANIFEST_REASON_NONE) {
        status.reason = entry->machine.wait.reason;
        status.message = entry->machine.wait.message;
    } else if (shows_source(entry)) {
        status.reason = entry->content.note.reason;
        status.message = entry->content.note.message;
        status.phase = source_is_refused(entry) ? HF_MANIFEST_REFUSED : r->phase;
    }
    if (removal_waits(entry))
        status.phase = HF_MANIFEST_WAITING;
    status.settled = status.phase == HF_MANIFEST_APPLIED || status.phase == HF_MANIFEST_ROLLED_BACK ||
                     status.phase == HF_MANIFEST_REFUSED;
    return status;
}

/* An entry that no policy has shows while it may have items in place. */
static bool is_shown(struct entry *entry)
{
    return entry->life != ENTRY_GONE && (entry->wanted != NULL || entry->r.good.key[0] != '\0' ||
                                         count_files(entry) > 0 || json_array_size(entry->r.objects) > 0);
}

static void visit_entries(struct hf_manifest_engine *engine, bool in_policy,
                          void (*visit_status)(void *arg, const struct hf_manifest_status *status), void *arg)
{
    for (size_t i = 0; i < engine->entries.n; i++) {
        struct entry *entry = engine->entries.entries[i].value;
        if (entry->in_policy != in_policy || !is_shown(entry))
            continue;
        struct hf_manifest_status status = status_of(entry);
        visit_status(arg, &status);
    }
}

static void visit_no_room(struct hf_manifest_engine *engine,
                          void (*visit_status)(void *arg, const struct hf_manifest_status *status), void *arg)
{
    for (size_t i = 0; i < engine->no_room.n; i++) {
        const enum hf_manifest_target *to = engine->no_room.entries[i].value;
        struct hf_manifest_status status = {.name = engine->no_room.entries[i].key,
                                            .to = *to,
                                            .phase = HF_MANIFEST_WAITING,
                                            .revision = "",
                                            .digest = "",
                                            .reason = HF_MANIFEST_REASON_PRUNE_LIMIT,
                                            .message = no_room_text};
        visit_status(arg, &status);
    }
}

void hf_manifest_engine_each(struct hf_manifest_engine *engine,
                             void (*visit_status)(void *arg, const struct hf_manifest_status *status), void *arg)
{
    visit_entries(engine, true, visit_status, arg);
    visit_no_room(engine, visit_status, arg);
    visit_entries(engine, false, visit_status, arg);
}

/* A worker may change the inventory of a busy entry; and between two sets its files are those of both. */
static bool has_whole_set(const struct entry *entry)
{
    return entry->life == ENTRY_STARTED && !entry->busy && !entry->inventory.pending &&
           hf_manifest_machine_rests(entry->r.phase);
}

bool hf_manifest_engine_each_alone(struct hf_manifest_engine *engine,
                                   void (*visit_file)(void *arg, const char *entry, const char *path,
                                                      const unsigned char sha256[static HF_SHA256_BYTES]),
                                   void *arg)
{
    for (size_t i = 0; i < engine->entries.n; i++) {
        struct entry *entry = engine->entries.entries[i].value;
        if (entry->life == ENTRY_NEW || entry->life == ENTRY_UNREADABLE ||
            (is_when_alone(entry) && entry->life != ENTRY_GONE && !has_whole_set(entry)))
            return false;
    }
    for (size_t i = 0; i < engine->entries.n; i++) {
        struct entry *entry = engine->entries.entries[i].value;
        for (size_t k = 0; is_when_alone(entry) && entry->life == ENTRY_STARTED && k < entry->inventory.n; k++)
            if (!entry->inventory.items[k].folder && !entry->inventory.items[k].secret)
                visit_file(arg, entry->name, entry->inventory.items[k].path, entry->inventory.items[k].sha256);
    }
    return true;
}

int hf_manifest_engine_images(const struct hf_manifest_engine *engine, struct hf_manifest_images *ret_images,
                              const char **ret_waits)
{
    int r = engine->set_once ? 0 : -EAGAIN;

    *ret_images = (struct hf_manifest_images){.n = 0};
    *ret_waits = engine->no_room.n > 0 ? engine->no_room.entries[0].key : NULL;
    for (size_t i = 0; r == 0 && i < engine->entries.n; i++) {
        const struct entry *entry = engine->entries.entries[i].value;
        bool waits = false;
        const struct hf_manifest_images *images = entry->in_policy ? content_images_get(entry, &waits) : NULL;
        if (waits && *ret_waits == NULL)
            *ret_waits = entry->name;
        if (images != NULL)
            r = hf_manifest_images_join(ret_images, images);
    }
    if (r < 0)
        hf_manifest_images_done(ret_images);
    return r;
}
