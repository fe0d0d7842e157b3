/* SPDX-License-Identifier: Apache-2.0 */
/* The four subscriptions: what the source reports goes on to the part that keeps it, and wakes the agent's turn.
 *
 * An object goes first to its table (objects.c), which says what changed; then to the cache on disk; then the turn is
 * woken for what depends on its kind. The queue of the disk keeps the order, so a resume point, which is written later,
 * never stands for an object that is not on disk.
 *
 * Contact is one for the agent: it is there if both kinds of desired state arrive. When it comes back after an outage
 * that the fleet may have had, too, the first report waits for a random time. A kind that a reachable source refuses to
 * serve (`barred`) is not an outage: the status says which and why.
 *
 * Nothing here proves that an object is absent unless hf_follow_proves_absence() says so: all objects came from the
 * API server itself, each has a good version, and none was unreadable or without room. */
#include "agent/follow/follow.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/counters.h"
#include "agent/desired/own_edgenode.h"
#include "agent/desired/own_node.h"
#include "agent/desired/policy.h"
#include "agent/diskq.h"
#include "agent/follow/concern.h"
#include "agent/turn.h"

static const char *const kinds[HF_FOLLOW_COUNT] = {
    [HF_FOLLOW_UPDATES] = "EdgeUpdate",
    [HF_FOLLOW_POLICIES] = "SyncPolicy",
    [HF_FOLLOW_NODE] = "Node",
    [HF_FOLLOW_EDGENODE] = "EdgeNode",
};

/* The fleet's reports spread over this time after an outage, in addition to the source's own spread of reconnects. */
#define REPORT_SPREAD_NS (10 * HF_NS_PER_S)

/* A server that has served our EdgeNode for this long while it serves no desired state is not about to. */
#define SERVED_NS (60 * HF_NS_PER_S)

/* The log names this many objects without room; the status and a metric have their number. */
enum { MAX_NO_ROOM_LOGGED = 16 };

/* Unreadable files remembered, and unreadable objects of each kind: the status has room for a few, the log names them
 * all. */
enum { MAX_UNREADABLE = 64 };

static unsigned due_for(const struct hf_follow *follow)
{
    return follow->which == HF_FOLLOW_UPDATES ? HF_DUE_PLAN | HF_DUE_STATUS
                                              : HF_DUE_POLICY | HF_DUE_PLAN | HF_DUE_STATUS;
}

static void wake(const struct hf_follow *follow, unsigned due)
{
    hf_turn_wake(follow->all->env->turn, due);
}

bool hf_follow_synced(const struct hf_follows *follows)
{
    return follows->of[HF_FOLLOW_UPDATES].synced && follows->of[HF_FOLLOW_POLICIES].synced;
}

bool hf_follow_knows(const struct hf_follows *follows)
{
    return follows->had_cache || hf_follow_synced(follows);
}

bool hf_follow_relisting(const struct hf_follows *follows)
{
    return follows->of[HF_FOLLOW_UPDATES].relisting || follows->of[HF_FOLLOW_POLICIES].relisting;
}

/* ---- objects ----------------------------------------------------------------------------------------------------- */

/* At level error: somebody must mend the object. */
static void log_refused(const struct hf_follow *follow, const char *kind, const char *name, const char *text)
{
    const struct hf_agent_env *env = follow->all->env;

    hf_log(env->world.log, HF_LOG_ERROR, "object.refused", HF_S("kind", kind), HF_S("name", name), HF_S("error", text));
    hf_counters_add(env->counters->refused, kind);
}

static void store_object(struct hf_follow *follow, const char *name, enum hf_object_change change)
{
    const struct hf_agent_env *env = follow->all->env;
    const struct hf_object *object = hf_objects_get(follow->objects, name);
    const struct hf_object_kind *kind = follow->objects->kind;

    if (change == HF_OBJECT_REFUSED) {
        log_refused(follow, follow->kind, name, object->refused_text);
        hf_diskq_put(env->diskq, kind->refused_kind, object->refused);
    } else if (change == HF_OBJECT_GOOD) {
        if (object->warned_text != NULL)
            hf_log(env->world.log, HF_LOG_WARNING, "object.not_all_known", HF_S("kind", follow->kind),
                   HF_S("name", name), HF_S("warning", object->warned_text));
        hf_diskq_put(env->diskq, kind->kind, object->json);
        hf_diskq_remove(env->diskq, kind->refused_kind, name);
    }
}

/* The object selects this node, but there is no room for it. The status names it until there is. */
static void note_no_room(struct hf_follow *follow, const char *name, bool is_news)
{
    char text[160];

    hf_concern_decline(follow, name, true);
    if (!is_news || follow->objects->no_room.n > MAX_NO_ROOM_LOGGED)
        return;
    log_refused(follow, follow->kind, name, hf_objects_no_room_text(follow->objects, text, sizeof(text)));
}

static void apply_change(struct hf_follow *follow, const char *name, enum hf_object_change change)
{
    switch (change) {
    case HF_OBJECT_SAME:
        return;
    case HF_OBJECT_OTHERS:
        hf_concern_decline(follow, name, false);
        return;
    case HF_OBJECT_LEFT:
        hf_concern_uncache(follow, name);
        break;
    case HF_OBJECT_GOOD:
    case HF_OBJECT_REFUSED:
        store_object(follow, name, change);
        break;
    }
    hf_log(follow->all->env->world.log, HF_LOG_DEBUG, "object.changed", HF_S("kind", follow->kind), HF_S("name", name));
    hf_concern_relist_if_room(follow);
    wake(follow, due_for(follow));
}

static void take_object(struct hf_follow *follow, json_t *json)
{
    const json_t *labels = hf_concern_labels(follow);
    enum hf_object_change change = HF_OBJECT_SAME;
    const char *name = hf_json_str_or(json, "metadata.name", "");
    int r = hf_objects_take(follow->objects, json, labels, &change);

    if (r == -E2BIG && labels != NULL && hf_objects_trim(follow->objects, labels, hf_concern_uncache, follow) > 0)
        r = hf_objects_take(follow->objects, json, labels, &change);
    if (r == 0) {
        apply_change(follow, name, change);
        return;
    }
    if (r == -EBADMSG)
        log_refused(follow, follow->kind, name, "metadata.name: expected a name of at most 253 bytes");
    if (r == -E2BIG)
        note_no_room(follow, name, change == HF_OBJECT_REFUSED);
    wake(follow, due_for(follow));
}

static void take_node(struct hf_follow *follow, const json_t *json)
{
    const struct hf_agent_params *params = follow->all->env->params;
    json_t *node = hf_own_node_condense(json);

    if (node == NULL)
        return;
    if (params->owner.node_seen != NULL)
        params->owner.node_seen(params->owner.arg, hf_json_str_or(node, "metadata.uid", ""));
    bool changed = hf_policy_set_node(follow->all->policy, node);
    if (changed)
        hf_diskq_put(follow->all->env->diskq, follow->kind, node);
    wake(follow, changed ? due_for(follow) : 0);
}

/* `json` is NULL if the EdgeNode does not exist. A new turn may let an update go on. */
static void take_edgenode(struct hf_follow *follow, const json_t *json)
{
    const struct hf_follow_events *events = &follow->all->events;

    if (hf_own_edgenode_take(follow->all->edgenode, json))
        wake(follow, HF_DUE_PLAN | HF_DUE_STATUS);
    events->edgenode(events->arg, json);
}

static void on_upsert(void *arg, json_t *object)
{
    struct hf_follow *follow = arg;

    if (follow->objects != NULL)
        take_object(follow, object);
    else if (follow->which == HF_FOLLOW_NODE)
        take_node(follow, object);
    else
        take_edgenode(follow, object);
}

/* Without its Node, selectors see the Node's last labels, and the labeller waits until it is back with a new uid. */
static void on_gone(void *arg, const char *name)
{
    struct hf_follow *follow = arg;

    if (follow->objects != NULL && !hf_objects_knows(follow->objects, name))
        return; /* it selected other nodes */
    hf_log(follow->all->env->world.log, HF_LOG_INFO, "object.gone", HF_S("kind", follow->kind), HF_S("name", name));
    if (follow->objects != NULL) {
        (void)hf_objects_drop(follow->objects, name);
        hf_concern_uncache(follow, name);
        hf_concern_relist_if_room(follow);
        wake(follow, due_for(follow));
    } else if (follow->which == HF_FOLLOW_EDGENODE) {
        take_edgenode(follow, NULL);
    }
}

/* ---- resume points ----------------------------------------------------------------------------------------------- */

/* The point moves with every bookmark. The first sync, a loss of contact and the end write it. */
static void note_resume(struct hf_follow *follow, const char *resource_version)
{
    if (strlen(resource_version) >= sizeof(follow->resume.resource_version) ||
        strcmp(follow->resume.resource_version, resource_version) == 0)
        return;
    (void)snprintf(follow->resume.resource_version, sizeof(follow->resume.resource_version), "%s", resource_version);
    follow->resume_moved = true;
}

static void save_resume(struct hf_follow *follow)
{
    if (!follow->resume_moved)
        return;
    follow->resume.last_contact_unix_ns = hf_stale_contact_unix_ns(&follow->all->contact->stale);
    struct hf_cache_resume resume = follow->resume;
    hf_concern_adapt_resume(follow, &resume);
    hf_diskq_set_resume(follow->all->env->diskq, follow->kind, &resume);
    follow->resume_moved = false;
}

void hf_follow_save_resume_points(struct hf_follows *follows)
{
    for (size_t i = 0; i < HF_FOLLOW_COUNT; i++)
        if (follows->of[i].objects != NULL)
            save_resume(&follows->of[i]);
}

static bool proves_absence(const struct hf_follow *follow)
{
    return follow->objects != NULL && hf_follow_proves_absence(follow);
}

/* An object that did not come is absent from now on: what waited for this proof goes on. */
static void tell_absence(const struct hf_follow *follow, bool proved)
{
    if (!proved && proves_absence(follow))
        wake(follow, due_for(follow));
}

static void on_synced(void *arg, const char *resource_version)
{
    struct hf_follow *follow = arg;
    bool first = !follow->synced, proved = proves_absence(follow);

    follow->synced = true;
    follow->relisting = false;
    note_resume(follow, resource_version);
    if (first && follow->objects != NULL)
        save_resume(follow);
    if (first)
        hf_log(follow->all->env->world.log, HF_LOG_DEBUG, "source.synced", HF_S("kind", follow->kind),
               HF_S("resourceVersion", resource_version));
    if (follow->objects != NULL)
        hf_concern_relist_if_room(follow);
    wake(follow, HF_DUE_STATUS);
    tell_absence(follow, proved);
}

static void on_mark(void *arg, const char *resource_version)
{
    note_resume(arg, resource_version);
}

/* ---- contact ----------------------------------------------------------------------------------------------------- */

/* Contact means that desired state arrives: both kinds of it. */
static bool in_contact(const struct hf_follows *follows)
{
    return follows->of[HF_FOLLOW_UPDATES].proven && follows->of[HF_FOLLOW_POLICIES].proven;
}

const struct hf_follow *hf_follow_barred(const struct hf_follows *follows)
{
    for (size_t i = HF_FOLLOW_UPDATES; i <= HF_FOLLOW_POLICIES; i++)
        if (follows->of[i].barred != 0)
            return &follows->of[i];
    return NULL;
}

/* With one server for all, contact is enough. If that server refuses only the desired state, the status can still
 * report this; and so it can if the server has served our EdgeNode for a while, and fails at the desired state. With a
 * server of its own, the status arrives while that server serves the subscription to our EdgeNode. */
bool hf_follow_delivers(const struct hf_follows *follows)
{
    const struct hf_agent_params *params = follows->env->params;
    const struct hf_follow *own = &follows->of[HF_FOLLOW_EDGENODE];
    bool edgenode = own->proven;
    bool lasts = edgenode && hf_mono_ns(follows->env->world.clock) - own->proven_ns >= SERVED_NS;

    if (!params->source_echoes)
        return true; /* a folder of statuses is always in reach */
    if (params->status_apart)
        return edgenode;
    return follows->contact->stale.connected || lasts || (edgenode && hf_follow_barred(follows) != NULL);
}

static void report_reachable(struct hf_follows *follows, bool spread)
{
    const struct hf_follow_events *events = &follows->events;

    follows->was_reachable = true;
    events->reachable(events->arg, spread ? hf_rand_below(follows->env->world.rng, REPORT_SPREAD_NS) : 0);
}

static void lost(struct hf_follows *follows, const struct hf_err *err)
{
    hf_contact_lost(follows->contact, err);
    hf_follow_save_resume_points(follows);
    hf_contact_save(follows->contact);
    hf_turn_wake(follows->env->turn, HF_DUE_STATUS);
}

/* After a short interruption, or at the first contact of this process, no other node comes back at the same moment. */
static void found(struct hf_follows *follows)
{
    struct hf_stale *stale = &follows->contact->stale;
    bool outage =
        stale->this_life && hf_stale_age_ns(stale, hf_now_read(follows->env->world.clock)) > HF_STALE_GRACE_NS;

    hf_contact_found(follows->contact);
    if (!follows->env->params->status_apart)
        report_reachable(follows, outage);
    hf_turn_wake(follows->env->turn, HF_DUE_STATUS);
}

/* A server in reach that refuses a kind needs a person: a condition reports it. */
static void note_barred(struct hf_follow *follow, enum hf_contact_kind kind, const struct hf_err *err)
{
    bool is_server = follow->all->env->params->source_echoes;
    const char *why = "";
    int code = 0;

    if (kind == HF_CONTACT_LOST && err == NULL)
        return;
    if (kind == HF_CONTACT_LOST && is_server && (err->code == EACCES || err->code == ENOENT)) {
        code = err->code;
        why = err->cause;
    }
    if (follow->barred == code)
        return;
    follow->barred = code;
    (void)snprintf(follow->barred_text, sizeof(follow->barred_text), "%s", why);
    wake(follow, HF_DUE_STATUS);
}

static void on_contact(void *arg, enum hf_contact_kind kind, struct hf_server_date date, const struct hf_err *err)
{
    struct hf_follow *follow = arg;
    struct hf_follows *follows = follow->all;
    bool before = in_contact(follows), delivered = hf_follow_delivers(follows), proved = proves_absence(follow);

    if (kind == HF_CONTACT_PROVEN && !follow->proven)
        follow->proven_ns = hf_mono_ns(follows->env->world.clock);
    follow->proven = kind == HF_CONTACT_PROVEN;
    tell_absence(follow, proved);
    note_barred(follow, kind, err);
    if (follow->proven && date.unix_ns != 0)
        hf_contact_measure(follows->contact, date);
    if (kind == HF_CONTACT_LOST && err != NULL && !in_contact(follows) && hf_contact_failed(follows->contact, err))
        wake(follow, HF_DUE_STATUS);
    if (in_contact(follows) && !before)
        found(follows);
    else if (!in_contact(follows) && kind == HF_CONTACT_LOST &&
             (before || !follows->contact->loss_logged)) /* also log once that there never was contact */
        lost(follows, err);
    if (hf_follow_delivers(follows) && !delivered && (follows->env->params->status_apart || !in_contact(follows))) {
        report_reachable(follows, follows->was_reachable);
        hf_turn_wake(follows->env->turn, HF_DUE_STATUS);
    }
}

/* The source itself refused a part: an object, or (a server) an answer. Missing rights and kinds need a person; a doubt
 * (-ESTALE) mends itself. The parts of a folder are files. */
static void on_refused(void *arg, const char *what, const struct hf_err *err)
{
    const struct hf_follow *follow = arg;
    const struct hf_agent_env *env = follow->all->env;
    bool is_server = env->params->source_echoes;
    bool is_object = is_server ? err->code == EBADMSG || err->code == E2BIG : err->code != ESTALE;
    bool for_a_person = err->code == EACCES || err->code == ENOENT;
    char text[sizeof(err->cause) + sizeof(err->where) + 2];

    (void)hf_err_text(err, text, sizeof(text));
    if (is_object)
        log_refused(follow, is_server ? follow->kind : "File", what, text);
    else
        hf_log(env->world.log, for_a_person ? HF_LOG_ERROR : HF_LOG_WARNING, "source.refused",
               HF_S("kind", follow->kind), HF_S("what", what), HF_S("error", text));
}

/* `why` is NULL if the part is readable again. */
static void note_unreadable(struct hf_strmap *unreadable, const char *what, const char *why)
{
    if (why == NULL) {
        (void)hf_strmap_remove(unreadable, what);
    } else if (unreadable->n < MAX_UNREADABLE || hf_strmap_get(unreadable, what) != NULL) {
        char *copy = strdup(why);
        if (copy != NULL && hf_strmap_put(unreadable, what, copy) < 0)
            free(copy);
    }
}

static void on_unreadable(void *arg, const char *what, const struct hf_err *err)
{
    const struct hf_follow *follow = arg;

    note_unreadable(&follow->all->unreadable, what, err != NULL ? HF_ERR_TEXT(err) : NULL);
    wake(follow, HF_DUE_STATUS);
}

static void on_unreadable_object(void *arg, const char *name, const struct hf_err *err)
{
    struct hf_follow *follow = arg;
    char text[sizeof(struct hf_err)];
    const char *why = err != NULL ? hf_err_text(err, text, sizeof(text)) : NULL;

    if (why != NULL)
        log_refused(follow, follow->kind, name, why);
    note_unreadable(&follow->unreadable, name, why);
    wake(follow, HF_DUE_STATUS);
}

/* ---- start and end ----------------------------------------------------------------------------------------------- */

void hf_follow_init(struct hf_follows *follows, const struct hf_agent_env *env, const struct hf_follow_keepers *keepers,
                    const struct hf_follow_events *events)
{
    struct hf_objects *tables[HF_FOLLOW_COUNT] = {
        [HF_FOLLOW_UPDATES] = &follows->updates,
        [HF_FOLLOW_POLICIES] = &follows->policies,
    };

    *follows = (struct hf_follows){.env = env,
                                   .contact = keepers->contact,
                                   .policy = keepers->policy,
                                   .edgenode = keepers->edgenode,
                                   .events = *events,
                                   .unreadable = {.free_value = free}};
    hf_objects_init(&follows->updates, &hf_object_kind_edgeupdate);
    hf_objects_init(&follows->policies, &hf_object_kind_syncpolicy);
    for (enum hf_follow_kind i = 0; i < HF_FOLLOW_COUNT; i++)
        follows->of[i] = (struct hf_follow){
            .all = follows, .which = i, .kind = kinds[i], .objects = tables[i], .unreadable = {.free_value = free}};
}

void hf_follow_done(struct hf_follows *follows)
{
    hf_objects_done(&follows->updates);
    hf_objects_done(&follows->policies);
    hf_strmap_done(&follows->unreadable);
    for (size_t i = 0; i < HF_FOLLOW_COUNT; i++)
        hf_strmap_done(&follows->of[i].unreadable);
}

/* An object that was good for the build that wrote it may be refused by this one, which then reports it as refused. */
static int load_object(void *arg, json_t *object)
{
    const struct hf_follow *follow = arg;
    enum hf_object_change change;

    if (follow->which == HF_FOLLOW_EDGENODE)
        hf_own_edgenode_load(follow->all->edgenode, object);
    else if (follow->objects == NULL)
        (void)hf_policy_set_node(follow->all->policy, json_incref(object));
    if (follow->objects == NULL)
        return 0;
    int r = hf_objects_take(follow->objects, object, NULL, &change);
    return r == -ENOMEM ? r : 0;
}

static int load_kind(struct hf_follow *follow, struct hf_cache *cache, const char *kind, struct hf_err *err)
{
    struct hf_cache_resume resume = {0};
    unsigned damaged = 0;
    int r = hf_cache_load(cache, kind, follow->kind, load_object, follow, &resume, &damaged, err);

    if (r < 0)
        return r;
    if (damaged > 0)
        hf_log(follow->all->env->world.log, HF_LOG_WARNING, "cache.damaged", HF_S("kind", kind),
               HF_D("entries", damaged), HF_S("first", hf_cache_damage(cache)));
    else if (strcmp(kind, follow->kind) == 0)
        follow->resume = resume;
    if (damaged > 0) /* objects are missing: the source must list all of them */
        follow->resume.resource_version[0] = '\0';
    return 0;
}

int hf_follow_load(struct hf_follows *follows, struct hf_cache *cache, struct hf_err *err)
{
    int r = 0;

    for (size_t i = 0; i < HF_FOLLOW_COUNT && r == 0; i++) {
        struct hf_follow *follow = &follows->of[i];
        r = load_kind(follow, cache, kinds[i], err);
        if (r == 0 && follow->objects != NULL)
            r = load_kind(follow, cache, follow->objects->kind->refused_kind, err);
    }
    follows->had_cache =
        follows->of[HF_FOLLOW_UPDATES].resume.last_contact_unix_ns != 0 || follows->updates.by_name.n > 0;
    return r;
}

static const char **known_names(const struct hf_follow *follow)
{
    size_t n = follow->objects == NULL ? 0 : follow->objects->by_name.n;
    const char **names = calloc(n + 1, sizeof(*names));

    for (size_t i = 0; names != NULL && i < n; i++)
        names[i] = follow->objects->by_name.entries[i].key;
    return names;
}

/* Names the versions of the objects of the cache, so that an older answer does not replace them. */
static void tell_versions(const struct hf_follow *follow)
{
    for (size_t i = 0; follow->objects != NULL && i < follow->objects->by_name.n; i++) {
        const struct hf_object *object = follow->objects->by_name.entries[i].value;
        const json_t *newest = object->refused != NULL ? object->refused : object->json;
        follow->subscription->source->holds(follow->subscription, follow->objects->by_name.entries[i].key,
                                            hf_json_str_or(newest, "metadata.resourceVersion", ""));
    }
}

static int start_one(struct hf_follow *follow, struct hf_err *err)
{
    const struct hf_agent_params *params = follow->all->env->params;
    _cleanup_(hf_freep) const char **known = known_names(follow);
    struct hf_source_sink sink = {.arg = follow,
                                  .upsert = on_upsert,
                                  .gone = on_gone,
                                  .synced = on_synced,
                                  .version = on_mark,
                                  .contact = on_contact,
                                  .refused = on_refused,
                                  .unreadable = on_unreadable,
                                  .unreadable_object = on_unreadable_object};

    if (known == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    int r =
        params->source->subscribe(params->source->ctx, follow->kind, follow->objects == NULL ? params->node_name : NULL,
                                  follow->resume.resource_version, known, &sink, &follow->subscription, err);
    if (r == 0)
        tell_versions(follow);
    return r;
}

int hf_follow_start(struct hf_follows *follows, struct hf_err *err)
{
    /* The Node comes first: its labels decide which objects concern this node. */
    static const enum hf_follow_kind order[HF_FOLLOW_COUNT] = {HF_FOLLOW_NODE, HF_FOLLOW_UPDATES, HF_FOLLOW_POLICIES,
                                                               HF_FOLLOW_EDGENODE};

    for (size_t i = 0; i < HF_FOLLOW_COUNT; i++) {
        hf_concern_judge_resume(&follows->of[order[i]]);
        int r = start_one(&follows->of[order[i]], err);
        if (r < 0)
            return hf_err_wrap(err, r, "follow %s", kinds[order[i]]);
    }
    return 0;
}

void hf_follow_stop(struct hf_follows *follows)
{
    for (size_t i = 0; i < HF_FOLLOW_COUNT; i++) {
        hf_source_unsubscribe(follows->of[i].subscription);
        follows->of[i].subscription = NULL;
    }
}

void hf_follow_refresh(struct hf_follows *follows)
{
    for (size_t i = 0; i < HF_FOLLOW_COUNT; i++)
        if (follows->of[i].subscription != NULL)
            follows->of[i].subscription->source->refresh(follows->of[i].subscription);
}

bool hf_follow_proves_absence(const struct hf_follow *follow)
{
    const struct hf_objects *objects = follow->objects;

    if (!follow->synced || !follow->proven || follow->relisting || follow->unreadable.n > 0)
        return false;
    for (size_t i = 0; i < objects->by_name.n; i++) {
        const struct hf_object *object = objects->by_name.entries[i].value;
        if (object->json == NULL)
            return false;
    }
    return objects->no_room.n == 0 && !objects->no_room_more;
}
