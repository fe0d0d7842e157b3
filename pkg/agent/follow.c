/* What the source says, taken in: objects, what is gone, resume marks, contact. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/parts.h"

static const char *const kinds[FOLLOW_COUNT] = {"EdgeUpdate", "SyncPolicy", "Node", "EdgeNode"};

/* How long the fleet's reports spread after an outage, beside the source's own spreading of reconnects. */
#define REPORT_SPREAD_NS (10 * HF_NS_PER_S)

/* A first contact is written down when the file says less recent than this. */
#define SAVE_FIRST_NS (60 * HF_NS_PER_S)

/* So many objects without room are logged one by one; the status and the metric tell how many there are. */
enum { MAX_NO_ROOM_LOGGED = 16 };

static unsigned due_for(const struct follow *follow)
{
    return follow->kind == kinds[FOLLOW_UPDATES] ? DUE_PLAN | DUE_STATUS : DUE_POLICY | DUE_PLAN | DUE_STATUS;
}

bool hf_follow_synced(const struct hf_agent *agent)
{
    return agent->follows[FOLLOW_UPDATES].synced && agent->follows[FOLLOW_POLICIES].synced;
}

/* ---- objects ------------------------------------------------------------------------------------------------------ */

static void refused(struct follow *follow, const char *kind, const char *name, const char *text)
{
    struct hf_agent *agent = follow->agent;

    /* Somebody must mend the object. */
    hf_log(agent->log, HF_LOG_ERROR, "object.refused", HF_S("kind", kind), HF_S("name", name), HF_S("error", text));
    hf_gauges_count_refused(agent, kind);
}

/* The policy in effect may be the one whose decoded form is replaced or dropped now: let go of it first. */
static void loosen_policy(struct follow *follow)
{
    if (follow->kind == kinds[FOLLOW_POLICIES])
        follow->agent->policy = follow->agent->default_policy;
}

static void keep_object(struct follow *follow, const char *name, enum hf_object_change change)
{
    const struct hf_object *object = hf_objects_get(follow->objects, name);
    const struct hf_object_kind *kind = follow->objects->kind;
    struct hf_diskq *diskq = follow->agent->diskq;

    if (change == HF_OBJECT_REFUSED) {
        refused(follow, follow->kind, name, object->refused_text);
        hf_diskq_put(diskq, kind->refused_kind, object->refused);
    } else if (change == HF_OBJECT_GOOD) {
        if (object->warned_text != NULL)
            hf_log(follow->agent->log, HF_LOG_WARNING, "object.not_all_known", HF_S("kind", follow->kind),
                   HF_S("name", name), HF_S("warning", object->warned_text));
        hf_diskq_put(diskq, kind->kind, object->json);
        hf_diskq_remove(diskq, kind->refused_kind, name);
    }
}

/* It concerns this node, and there is no room: the status tells its name until there is. */
static void no_room(struct follow *follow, const char *name, bool news)
{
    char text[160];

    hf_concern_decline(follow, name, true);
    if (!news || follow->objects->no_room.n > MAX_NO_ROOM_LOGGED)
        return;
    refused(follow, follow->kind, name, hf_objects_no_room_text(follow->objects, text, sizeof(text)));
}

static void took(struct follow *follow, const char *name, enum hf_object_change change)
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
        keep_object(follow, name, change);
        break;
    }
    hf_log(follow->agent->log, HF_LOG_DEBUG, "object.changed", HF_S("kind", follow->kind), HF_S("name", name));
    hf_concern_relist_if_room(follow);
    hf_agent_wake(follow->agent, due_for(follow));
}

static void take_object(struct follow *follow, json_t *json)
{
    struct hf_agent *agent = follow->agent;
    const struct hf_syncpolicy *policy = agent->policy;
    const json_t *labels = hf_concern_labels(follow);
    enum hf_object_change change = HF_OBJECT_SAME;
    const char *name = hf_json_str_or(json, "metadata.name", "");

    loosen_policy(follow);
    int r = hf_objects_take(follow->objects, json, labels, &change);
    if (r == 0 && (change == HF_OBJECT_SAME || change == HF_OBJECT_OTHERS))
        agent->policy = policy; /* nothing was let go of */
    if (r == -E2BIG && labels != NULL && hf_objects_trim(follow->objects, labels, hf_concern_uncache, follow) > 0)
        r = hf_objects_take(follow->objects, json, labels, &change);
    if (r == 0) {
        took(follow, name, change);
        return;
    }
    if (r == -EBADMSG)
        refused(follow, follow->kind, name, "metadata.name: expected a name of at most 253 bytes");
    if (r == -E2BIG)
        no_room(follow, name, change == HF_OBJECT_REFUSED);
    hf_agent_wake(agent, due_for(follow));
}

static void take_node(struct follow *follow, json_t *json)
{
    struct hf_agent *agent = follow->agent;
    json_t *fresh = hf_labeller_condense(json);

    if (fresh == NULL)
        return;
    const json_t *before = hf_json_at(agent->node, "metadata.labels"), *after = hf_json_at(fresh, "metadata.labels");
    bool changed =
        agent->node == NULL || json_equal(before, after) == 0 ||
        strcmp(hf_json_str_or(agent->node, "metadata.uid", ""), hf_json_str_or(fresh, "metadata.uid", "")) != 0;
    json_decref(agent->node);
    agent->node = fresh;
    if (changed)
        hf_diskq_put(agent->diskq, follow->kind, fresh);
    hf_agent_wake(agent, changed ? due_for(follow) : 0);
}

static void on_upsert(void *arg, json_t *object)
{
    struct follow *follow = arg;

    if (follow->objects != NULL)
        take_object(follow, object);
    else if (follow->kind == kinds[FOLLOW_NODE])
        take_node(follow, object);
    else
        hf_report_heard_self(follow->agent, object);
}

static void on_gone(void *arg, const char *name)
{
    struct follow *follow = arg;
    struct hf_agent *agent = follow->agent;

    if (follow->objects != NULL && !hf_objects_knows(follow->objects, name))
        return; /* it was for other nodes */
    hf_log(agent->log, HF_LOG_INFO, "object.gone", HF_S("kind", follow->kind), HF_S("name", name));
    if (follow->objects != NULL) {
        loosen_policy(follow);
        (void)hf_objects_drop(follow->objects, name);
        hf_concern_uncache(follow, name);
        hf_concern_relist_if_room(follow);
        hf_agent_wake(agent, due_for(follow));
    } else if (follow->kind == kinds[FOLLOW_SELF]) {
        hf_report_heard_self(agent, NULL);
    }
    /* The own Node gone: selectors go on with its last labels, nothing is applied until it is back with a new uid. */
}

/* ---- marks and contact -------------------------------------------------------------------------------------------- */

/* A mark moves with every bookmark; it is written with the next change, when contact is lost, and at the end. */
static void note_mark(struct follow *follow, const char *resource_version)
{
    if (strlen(resource_version) >= sizeof(follow->mark.resource_version) ||
        strcmp(follow->mark.resource_version, resource_version) == 0)
        return;
    (void)snprintf(follow->mark.resource_version, sizeof(follow->mark.resource_version), "%s", resource_version);
    follow->mark_moved = true;
}

static void save_mark(struct follow *follow)
{
    if (!follow->mark_moved)
        return;
    follow->mark.last_contact_unix_ns = hf_stale_contact_unix_ns(&follow->agent->stale);
    struct hf_cache_resume mark = follow->mark;
    hf_concern_note_in_mark(follow, &mark);
    hf_diskq_mark(follow->agent->diskq, follow->kind, &mark);
    follow->mark_moved = false;
}

void hf_follow_save_marks(struct hf_agent *agent)
{
    for (size_t i = 0; i < FOLLOW_COUNT; i++)
        if (agent->follows[i].objects != NULL)
            save_mark(&agent->follows[i]);
}

static void on_synced(void *arg, const char *resource_version)
{
    struct follow *follow = arg;
    bool first = !follow->synced;

    follow->synced = true;
    follow->relisting = false;
    note_mark(follow, resource_version);
    if (first && follow->objects != NULL)
        save_mark(follow);
    if (first)
        hf_log(follow->agent->log, HF_LOG_DEBUG, "source.synced", HF_S("kind", follow->kind),
               HF_S("resourceVersion", resource_version));
    if (follow->objects != NULL)
        hf_concern_relist_if_room(follow);
    hf_agent_wake(follow->agent, DUE_STATUS);
}

static void on_mark(void *arg, const char *resource_version)
{
    note_mark(arg, resource_version);
}

void hf_follow_hear(struct hf_agent *agent)
{
    const struct hf_source_ops *source = agent->params.source;

    hf_stale_heard(&agent->stale, source->heard_ns(source->ctx), hf_now_read(agent->clock));
}

static void lost(struct hf_agent *agent, const struct hf_err *err)
{
    struct hf_err unknown = HF_ERR_INIT;

    if (err == NULL) {
        (void)hf_err_set(&unknown, EHOSTUNREACH, "the source is out of reach");
        err = &unknown;
    }
    hf_follow_hear(agent);
    hf_stale_lost(&agent->stale);
    hf_log_err(agent->log, HF_LOG_WARNING, "contact.lost", "node", agent->params.node_name, err);
    agent->lost_said = true;
    if (!agent->params.source_echoes) /* a folder: its status can be read where it lies */
        (void)hf_err_text(err, agent->source_trouble, sizeof(agent->source_trouble));
    hf_follow_save_marks(agent);
    hf_agent_save_clock(agent);
    hf_agent_wake(agent, DUE_STATUS);
}

static void found(struct hf_agent *agent)
{
    struct hf_now now = hf_now_read(agent->clock);
    bool first = !agent->stale.this_life;
    /* After a short blip, or at the first contact of this life, nobody else comes back at the same moment. */
    bool outage = !first && hf_stale_age_ns(&agent->stale, now) > HF_STALE_GRACE_NS;

    hf_stale_contact(&agent->stale, now);
    agent->lost_said = false;
    agent->source_trouble[0] = '\0';
    hf_log(agent->log, HF_LOG_INFO, "contact.found", HF_S("node", agent->params.node_name));
    if (first && now.unix_ns - HF_MIN(now.unix_ns, agent->saved_contact_ns) > SAVE_FIRST_NS)
        hf_agent_save_clock(agent);
    if (!agent->params.status_apart)
        hf_report_contact(agent, outage ? hf_rand_below(agent->params.rng, REPORT_SPREAD_NS) : 0);
    hf_agent_wake(agent, DUE_STATUS);
}

static void hear_date(struct hf_agent *agent, uint64_t server_date_unix_ns)
{
    hf_clock_skew_measure(&agent->skew, server_date_unix_ns, hf_mono_ns(agent->clock));
    hf_clock_floor_witness(&agent->params.home->floor, server_date_unix_ns, agent->policy->clock_max_skew_ns);
    hf_agent_wake(agent, 0);
}

/* Contact is what brings desired state: both kinds of it. */
static bool in_contact(const struct hf_agent *agent)
{
    return agent->follows[FOLLOW_UPDATES].proven && agent->follows[FOLLOW_POLICIES].proven;
}

const struct follow *hf_follow_barred(const struct hf_agent *agent)
{
    for (size_t i = FOLLOW_UPDATES; i <= FOLLOW_POLICIES; i++)
        if (agent->follows[i].barred != 0)
            return &agent->follows[i];
    return NULL;
}

/* With one server for all, contact is enough; where only the desired state is kept from us, the status can still say so. What goes
 * to a server of its own arrives when the subscription to ourselves, which is there, is served. */
bool hf_follow_delivers(const struct hf_agent *agent)
{
    bool self = agent->follows[FOLLOW_SELF].proven;

    if (!agent->params.source_echoes)
        return true; /* a folder of statuses is always in reach */
    if (agent->params.status_apart)
        return self;
    return agent->stale.connected || (self && hf_follow_barred(agent) != NULL);
}

/* A server that is in reach and says no: that is for a person to mend, and is said as a condition. */
static void note_barred(struct follow *follow, enum hf_contact_kind kind, const struct hf_err *err)
{
    bool is_server = follow->agent->params.source_echoes;
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
    hf_agent_wake(follow->agent, DUE_STATUS);
}

/* Statuses can be delivered (again), though what is desired may come from elsewhere, or not come. */
static void self_found(struct hf_agent *agent)
{
    bool first = agent->report.contact_ns == 0;

    hf_report_contact(agent, first ? 0 : hf_rand_below(agent->params.rng, REPORT_SPREAD_NS));
    hf_agent_wake(agent, DUE_STATUS);
}

static void on_contact(void *arg, enum hf_contact_kind kind, uint64_t server_date_unix_ns, const struct hf_err *err)
{
    struct follow *follow = arg;
    struct hf_agent *agent = follow->agent;
    bool before = in_contact(agent), delivered = hf_follow_delivers(agent);

    follow->proven = kind == HF_CONTACT_PROVEN;
    note_barred(follow, kind, err);
    if (follow->proven && server_date_unix_ns != 0)
        hear_date(agent, server_date_unix_ns);
    if (in_contact(agent) && !before)
        found(agent);
    else if (!in_contact(agent) && kind == HF_CONTACT_LOST &&
             (before || !agent->lost_said)) /* also what was never there is said once */
        lost(agent, err);
    if (hf_follow_delivers(agent) && !delivered && (agent->params.status_apart || !in_contact(agent)))
        self_found(agent);
}

/* What the source itself says of a part of it that it could not use: an object, or (from a server) an answer. That rights or the kind
 * are missing is for a person to mend; a doubt mends itself. */
static void on_refused(void *arg, const char *what, const struct hf_err *err)
{
    struct follow *follow = arg;
    const struct hf_agent *agent = follow->agent;
    bool is_object = agent->params.source_echoes ? err->code == EBADMSG || err->code == E2BIG : err->code != ESTALE;
    bool for_a_person = err->code == EACCES || err->code == ENOENT;
    char text[sizeof(err->cause) + sizeof(err->where) + 2];

    (void)hf_err_text(err, text, sizeof(text));
    if (is_object)
        refused(follow, agent->params.source_echoes ? follow->kind : "File", what,
                text); /* a folder's parts are files */
    else
        hf_log(agent->log, for_a_person ? HF_LOG_ERROR : HF_LOG_WARNING, "source.refused", HF_S("kind", follow->kind),
               HF_S("what", what), HF_S("error", text));
}

/* At most so many are remembered: the status has room for a few, the log has told them all. */
enum { MAX_UNREADABLE = 64 };

static void on_unreadable(void *arg, const char *what, const struct hf_err *err)
{
    struct hf_agent *agent = ((struct follow *)arg)->agent;
    char text[sizeof(err->cause) + sizeof(err->where) + 2];

    if (err == NULL) {
        (void)hf_strmap_remove(&agent->unreadable, what);
    } else if (agent->unreadable.n < MAX_UNREADABLE || hf_strmap_get(&agent->unreadable, what) != NULL) {
        char *copy = strdup(hf_err_text(err, text, sizeof(text)));
        if (copy != NULL && hf_strmap_put(&agent->unreadable, what, copy) < 0)
            free(copy);
    }
    hf_agent_wake(agent, DUE_STATUS);
}

/* ---- start and end ------------------------------------------------------------------------------------------------ */

struct loading {
    struct follow *follow;
    bool single;
};

static int load_object(void *arg, json_t *object)
{
    const struct loading *loading = arg;
    struct hf_agent *agent = loading->follow->agent;
    enum hf_object_change change;

    if (loading->single) {
        json_decref(agent->node);
        agent->node = json_incref(object);
        return 0;
    }
    /* What was good for the build that wrote it may be refused by this one: then it is reported as such. */
    int r = hf_objects_take(loading->follow->objects, object, NULL, &change);
    return r == -ENOMEM ? r : 0;
}

static int load_kind(struct follow *follow, struct hf_cache *cache, const char *kind, struct hf_err *err)
{
    struct loading loading = {follow, follow->objects == NULL};
    struct hf_cache_resume mark = {0};
    unsigned damaged = 0;
    int r = hf_cache_load(cache, kind, load_object, &loading, &mark, &damaged, err);

    if (r < 0)
        return r;
    if (damaged > 0)
        hf_log(follow->agent->log, HF_LOG_WARNING, "cache.damaged", HF_S("kind", kind), HF_D("entries", damaged));
    else if (strcmp(kind, follow->kind) == 0)
        follow->mark = mark;
    /* Something is missing: the source must tell everything again. */
    if (damaged > 0)
        follow->mark.resource_version[0] = '\0';
    return 0;
}

int hf_follow_load(struct hf_agent *agent, struct hf_cache *cache, struct hf_err *err)
{
    struct hf_objects *tables[FOLLOW_COUNT] = {&agent->updates, &agent->policies, NULL, NULL};
    int r = 0;

    for (size_t i = 0; i < FOLLOW_COUNT && r == 0; i++) {
        struct follow *follow = &agent->follows[i];
        *follow = (struct follow){.agent = agent, .kind = kinds[i], .objects = tables[i]};
        if (i != FOLLOW_SELF)
            r = load_kind(follow, cache, kinds[i], err);
        if (r == 0 && follow->objects != NULL)
            r = load_kind(follow, cache, follow->objects->kind->refused_kind, err);
    }
    agent->had_cache = agent->follows[FOLLOW_UPDATES].mark.last_contact_unix_ns != 0 || agent->updates.by_name.n > 0;
    return r;
}

static const char **known_names(const struct follow *follow)
{
    size_t n = follow->objects == NULL ? 0 : follow->objects->by_name.n;
    const char **names = calloc(n + 1, sizeof(*names));

    for (size_t i = 0; names != NULL && i < n; i++)
        names[i] = follow->objects->by_name.entries[i].key;
    return names;
}

static int start_one(struct follow *follow, struct hf_err *err)
{
    struct hf_agent *agent = follow->agent;
    _cleanup_(hf_freep) const char **known = known_names(follow);
    struct hf_source_sink sink = {.arg = follow,
                                  .upsert = on_upsert,
                                  .gone = on_gone,
                                  .synced = on_synced,
                                  .version = on_mark,
                                  .contact = on_contact,
                                  .refused = on_refused,
                                  .unreadable = on_unreadable};

    if (known == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    return agent->params.source->subscribe(agent->params.source->ctx, follow->kind,
                                           follow->objects == NULL ? agent->params.node_name : NULL,
                                           follow->mark.resource_version, known, &sink, &follow->subscription, err);
}

int hf_follow_start(struct hf_agent *agent, struct hf_err *err)
{
    /* The Node first: what is told next is judged by its labels. */
    static const enum follow_kind order[FOLLOW_COUNT] = {FOLLOW_NODE, FOLLOW_UPDATES, FOLLOW_POLICIES, FOLLOW_SELF};

    for (size_t i = 0; i < FOLLOW_COUNT; i++) {
        hf_concern_judge_mark(&agent->follows[order[i]]);
        int r = start_one(&agent->follows[order[i]], err);
        if (r < 0)
            return hf_err_wrap(err, r, "follow %s", kinds[order[i]]);
    }
    return 0;
}

void hf_follow_stop(struct hf_agent *agent)
{
    for (size_t i = 0; i < FOLLOW_COUNT; i++) {
        if (agent->follows[i].subscription != NULL)
            agent->params.source->unsubscribe(agent->params.source->ctx, agent->follows[i].subscription);
        agent->follows[i].subscription = NULL;
    }
}

void hf_follow_refresh(struct hf_agent *agent)
{
    for (size_t i = 0; i < FOLLOW_COUNT; i++)
        if (agent->follows[i].subscription != NULL)
            agent->params.source->refresh(agent->params.source->ctx, agent->follows[i].subscription);
}
