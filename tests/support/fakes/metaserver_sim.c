/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fakes/metaserver_sim.h"

#include <inttypes.h>

#include "base/list.h"
#include "base/parse.h"

#define AWAY_NS (10 * HF_NS_PER_S)
#define NEAR_NS (3 * HF_NS_PER_MS)
#define REFUSES_NS (27 * HF_NS_PER_S)

/* A call that gets its answer later, or a watch. */
struct held {
    struct hf_list link;
    struct hf_simmeta *meta;
    struct hf_simcall *call;
    const char *kind;
    char name[256];
    struct hf_timer *timer;
    bool watch, list;
};

struct hf_simmeta {
    struct hf_simnet *net;
    struct hf_simproc *proc;
    struct hf_simapi *api;
    char *prefix;
    json_t *store;               /* "Kind/name": object */
    json_t *watched;             /* kinds whose store is filled */
    json_t *stuck;               /* kinds whose watch CloudCore was asked for while it may not list them */
    json_t *forbidden, *unknown; /* kinds that CloudCore may not read, that the API server does not have */
    json_t *confined;            /* kinds that CloudCore may read in one namespace only */
    struct hf_list held;
    struct hf_timer *connect, *restart;
    int refuse_status;
    unsigned refuse_times;
    bool connected, quick; /* quick: restarted away from the cloud */
    struct hf_simmeta_counts counts;
};

static const struct {
    const char *kind, *guess, *path;
} kinds[] = {
    {"EdgeUpdate", "EdgeupdateList", "/apis/edge.codcompass.io/v1alpha1/edgeupdates"},
    {"SyncPolicy", "SyncpolicyList", "/apis/edge.codcompass.io/v1alpha1/syncpolicies"},
    {"EdgeNode", "EdgenodeList", "/apis/edge.codcompass.io/v1alpha1/edgenodes"},
    {"Node", "NodeList", "/api/v1/nodes"},
    {"ConfigMap", "ConfigmapList", "/api/v1/namespaces/site/configmaps"},
    {"Secret", "SecretList", "/api/v1/namespaces/site/secrets"},
    {"GitRepository", "GitrepositoryList", "/apis/source.toolkit.fluxcd.io/v1/namespaces/site/gitrepositories"},
};

static void *must(void *pointer)
{
    if (pointer == NULL)
        abort();
    return pointer;
}

static const struct hf_sched_ops *sched_of(const struct hf_simmeta *meta)
{
    return hf_simproc_sched(meta->proc);
}

static char *key_of(const char *kind, const char *name)
{
    return must(hf_asprintf("%s/%s", kind, name));
}

/* ---- the store ---------------------------------------------------------------------------------------------------- */

static void store_put(struct hf_simmeta *meta, const char *kind, json_t *object)
{
    char *key = key_of(kind, hf_json_str_or(object, "metadata.name", ""));

    if (json_object_set_new(meta->store, key, json_deep_copy(object)) < 0)
        abort();
    free(key);
}

static bool selected(const char *wanted, const json_t *object)
{
    return *wanted == '\0' || strcmp(wanted, hf_json_str_or(object, "metadata.name", "")) == 0;
}

/* The store's objects of a kind, by name. */
static json_t *store_items(const struct hf_simmeta *meta, const char *kind, const char *name)
{
    json_t *items = must(json_array()), *object;
    size_t n = strlen(kind), i;
    const char *key;

    json_object_foreach(meta->store, key, object) {
        if (strncmp(key, kind, n) != 0 || key[n] != '/' || !selected(name, object))
            continue;
        for (i = 0; i < json_array_size(items); i++)
            if (strcmp(hf_json_str_or(json_array_get(items, i), "metadata.name", ""), key + n + 1) > 0)
                break;
        (void)json_array_insert(items, i, object);
    }
    return items;
}

static void send_event(struct hf_simcall *call, const char *type, const json_t *object)
{
    char *text = must(json_dumps(object, JSON_COMPACT));
    char *line = must(hf_asprintf("{\"type\":\"%s\",\"object\":%s}\n", type, text));

    hf_simcall_send(call, line, strlen(line));
    free(line);
    free(text);
}

static void tell_watches(struct hf_simmeta *meta, const char *type, const char *kind, const json_t *object)
{
    for (struct hf_list *it = meta->held.next; it != &meta->held; it = it->next) {
        struct held *held = hf_container_of(it, struct held, link);
        if (held->watch && strcmp(held->kind, kind) == 0 && selected(held->name, object))
            send_event(held->call, type, object);
    }
}

/* Whether CloudCore gets this kind from its API server. */
static bool is_served(const struct hf_simmeta *meta, const char *kind)
{
    return json_object_get(meta->forbidden, kind) == NULL && json_object_get(meta->unknown, kind) == NULL;
}

/* Whether CloudCore may watch this kind, which it does in all namespaces at once. */
static bool is_watched(const struct hf_simmeta *meta, const char *kind)
{
    return is_served(meta, kind) && json_object_get(meta->confined, kind) == NULL;
}

/* CloudCore waits for its own list of a kind before it watches it for a node, and does nothing else meanwhile. */
static bool is_stuck(const struct hf_simmeta *meta)
{
    const char *kind;
    json_t *value;

    json_object_foreach(meta->stuck, kind, value) {
        if (!is_watched(meta, kind))
            return true;
    }
    return false;
}

/* Whether the cloud answers this node now. */
static bool answers(const struct hf_simmeta *meta)
{
    return meta->connected && !is_stuck(meta);
}

/* Something happened in the cloud: it reaches the node while connected and watched. */
static void cloud_changed(void *arg, const char *type, const char *kind, json_t *object)
{
    struct hf_simmeta *meta = arg;

    if (!meta->connected || json_object_get(meta->watched, kind) == NULL || !is_served(meta, kind))
        return;
    if (strcmp(type, "DELETED") == 0) {
        char *key = key_of(kind, hf_json_str_or(object, "metadata.name", ""));
        (void)json_object_del(meta->store, key);
        free(key);
    } else {
        store_put(meta, kind, object);
    }
    tell_watches(meta, type, kind, object);
}

struct filling {
    struct hf_simmeta *meta;
    const char *kind;
};

/* What was added or modified meanwhile comes; what was deleted is never told. */
static void catch_up_one(void *arg, json_t *object)
{
    const struct filling *filling = arg;
    char *key = key_of(filling->kind, hf_json_str_or(object, "metadata.name", ""));
    const json_t *old = json_object_get(filling->meta->store, key);

    free(key);
    if (old != NULL && json_equal(old, object))
        return;
    bool is_new = old == NULL;
    store_put(filling->meta, filling->kind, object);
    tell_watches(filling->meta, is_new ? "ADDED" : "MODIFIED", filling->kind, object);
}

static void catch_up(struct hf_simmeta *meta)
{
    for (size_t i = 0; i < HF_LEN(kinds); i++) {
        struct filling filling = {meta, kinds[i].kind};
        if (json_object_get(meta->watched, kinds[i].kind) != NULL && is_served(meta, kinds[i].kind))
            hf_simapi_each(meta->api, kinds[i].kind, catch_up_one, &filling);
    }
}

/* ---- calls that wait ---------------------------------------------------------------------------------------------- */

static void held_free(struct held *held)
{
    const struct hf_sched_ops *sched = sched_of(held->meta);

    if (!held->watch)
        held->meta->counts.at_once--;
    if (held->list)
        held->meta->counts.lists_at_once--;
    hf_timer_free(sched, held->timer);
    hf_list_remove(&held->link);
    free(held);
}

static void held_gone(void *arg, struct hf_simcall *call)
{
    (void)call;
    held_free(arg);
}

/* Its answer is given when the call is let go. */
static struct hf_simcall *let_go(struct held *held)
{
    struct hf_simcall *call = held->call;

    hf_simcall_on_gone(call, NULL, NULL);
    held_free(held);
    return call;
}

static struct held *hold(struct hf_simmeta *meta, struct hf_simcall *call, const char *kind, const char *name,
                         void (*fire)(void *arg), uint64_t delay_ns)
{
    const struct hf_sched_ops *sched = sched_of(meta);
    struct held *held = must(calloc(1, sizeof(*held)));

    *held = (struct held){.meta = meta, .call = call, .kind = kind};
    (void)snprintf(held->name, sizeof(held->name), "%s", name);
    hf_list_append(&meta->held, &held->link);
    hf_simcall_on_gone(call, held_gone, held);
    held->timer = hf_timer_new(sched, fire, held);
    hf_timer_arm(sched, held->timer, delay_ns);
    meta->counts.at_once++;
    return held;
}

static const char *guess_of(const char *kind)
{
    for (size_t i = 0; i < HF_LEN(kinds); i++)
        if (strcmp(kinds[i].kind, kind) == 0)
            return kinds[i].guess;
    abort();
}

static void list_from_store(void *arg)
{
    struct held *held = arg;
    json_t *items = store_items(held->meta, held->kind, held->name), *item;
    uint64_t version = 0, highest = 0;
    size_t i;

    json_array_foreach(items, i, item) {
        if (hf_parse_u64(hf_json_str_or(item, "metadata.resourceVersion", ""), 0, UINT64_MAX, &version) == 0)
            highest = HF_MAX(highest, version);
    }
    char *inner = must(json_dumps(items, JSON_COMPACT)), *metadata = must(hf_asprintf("%s", ""));
    if (json_array_size(items) > 0) { /* an empty store has no version */
        free(metadata);
        metadata = must(hf_asprintf(",\"metadata\":{\"resourceVersion\":\"%" PRIu64 "\"}", highest));
    }
    char *text = must(hf_asprintf("{\"apiVersion\":\"edge.codcompass.io/v1alpha1\",\"items\":%s,\"kind\":\"%s\"%s}",
                                  inner, guess_of(held->kind), metadata));
    free(metadata);
    json_decref(items);
    hf_simcall_reply(let_go(held), 200, "application/json", text);
    free(text);
    free(inner);
}

static void list_from_cloud(void *arg)
{
    struct held *held = arg;
    char list_kind[64];

    (void)snprintf(list_kind, sizeof(list_kind), "%sList", held->kind);
    char *text = hf_simapi_list_text(held->meta->api, held->kind, list_kind, held->name);
    hf_simcall_reply(let_go(held), 200, "application/json", text);
    free(text);
}

static void single_from_store(void *arg)
{
    struct held *held = arg;
    char *key = key_of(held->kind, held->name);
    const json_t *object = json_object_get(held->meta->store, key);
    char *text = object != NULL ? must(json_dumps(object, JSON_COMPACT)) : NULL;

    free(key);
    hf_simcall_reply(let_go(held), text != NULL ? 200 : 404, "application/json", text != NULL ? text : "{}");
    free(text);
}

static void write_fails(void *arg)
{
    hf_simcall_reply(
        let_go(arg), 500, "application/json",
        "{\"kind\":\"Status\",\"code\":500,\"message\":\"failed to access cloud Application center: timeout to get "
        "response for message 1\"}");
}

/* ---- requests ----------------------------------------------------------------------------------------------------- */

static void serve_watch(struct hf_simmeta *meta, struct hf_simcall *call, const char *kind, const char *name)
{
    json_t *items, *item;
    size_t i;

    meta->counts.watches++;
    (void)json_object_set_new(meta->watched, kind, json_true());
    if (meta->connected && !is_watched(meta, kind))
        (void)json_object_set_new(meta->stuck, kind, json_true());
    hf_simcall_respond(
        call, &(struct hf_http_response){.status = 200, .content_length = -1, .content_type = "application/json"});
    items = store_items(meta, kind, name);
    json_array_foreach(items, i, item)
        send_event(call, "ADDED", item);
    json_decref(items);
    struct held *held = hold(meta, call, kind, name, NULL, 0);
    const struct hf_sched_ops *sched = sched_of(meta);
    hf_timer_disarm(sched, held->timer);
    meta->counts.at_once--;
    held->watch = true;
    if (meta->connected)
        catch_up(meta);
}

static void serve_patch(struct hf_simmeta *meta, struct hf_simcall *call, const char *kind, const char *name,
                        const char *subresource)
{
    char manager[64] = "";
    int status;

    meta->counts.patches++;
    if (!answers(meta)) {
        (void)hold(meta, call, kind, name, write_fails, AWAY_NS);
        return;
    }
    if (!is_served(meta, kind)) {
        hf_simcall_reply(call, 403, "application/json",
                         "{\"kind\":\"Status\",\"code\":403,\"message\":\"edgenodes.edge.codcompass.io \\\"n1\\\" is "
                         "forbidden: User \\\"system:serviceaccount:kubeedge:cloudcore\\\" cannot patch resource\"}");
        return;
    }
    (void)hf_simcall_query(call, "fieldManager", manager, sizeof(manager));
    json_t *object = hf_simapi_apply(meta->api, kind, name, *subresource != '\0' ? subresource : NULL, manager,
                                     hf_simcall_body(call), &status);
    char *text = object != NULL ? must(json_dumps(object, JSON_COMPACT)) : NULL;
    hf_simcall_reply(call, status, "application/json", text != NULL ? text : "{\"message\":\"not found\"}");
    free(text);
}

/* A create is never answered from the store: the API server says what CloudCore's account may do. */
static void serve_review(struct hf_simmeta *meta, struct hf_simcall *call)
{
    json_t *body = json_loadb(hf_simcall_body(call).p, hf_simcall_body(call).n, 0, NULL);
    const char *resource = hf_json_str_or(body, "spec.resourceAttributes.resource", "");
    bool allowed = strcmp(hf_json_str_or(body, "spec.resourceAttributes.verb", ""), "list") == 0;

    meta->counts.reviews++;
    if (!answers(meta)) {
        json_decref(body);
        (void)hold(meta, call, "", "", write_fails, meta->quick ? HF_NS_PER_MS : AWAY_NS);
        return;
    }
    for (size_t i = 0; i < HF_LEN(kinds); i++)
        if (strcmp(strrchr(kinds[i].path, '/') + 1, resource) == 0)
            allowed = allowed && json_object_get(meta->forbidden, kinds[i].kind) == NULL &&
                      json_object_get(meta->confined, kinds[i].kind) == NULL;
    char *text = must(hf_asprintf("{\"kind\":\"SelfSubjectAccessReview\",\"apiVersion\":\"authorization.k8s.io/v1\","
                                  "\"metadata\":{},\"spec\":{},\"status\":{\"allowed\":%s}}",
                                  allowed ? "true" : "false"));
    hf_simcall_reply(call, 201, "application/json", text);
    free(text);
    json_decref(body);
}

static void serve_list(struct hf_simmeta *meta, struct hf_simcall *call, const char *kind, const char *name)
{
    bool from_cloud = answers(meta) && is_served(meta, kind);

    meta->counts.lists++;
    struct held *held = hold(meta, call, kind, name, from_cloud ? list_from_cloud : list_from_store,
                             answers(meta) ? NEAR_NS
                             : meta->quick ? HF_NS_PER_MS
                                           : AWAY_NS);
    held->list = true;
    meta->counts.lists_at_once++;
    meta->counts.most_lists_at_once = HF_MAX(meta->counts.most_lists_at_once, meta->counts.lists_at_once);
}

static void handle(void *arg, struct hf_simcall *call)
{
    struct hf_simmeta *meta = arg;
    char name[256] = "", subresource[32] = "", selector[300] = "", yes[8];
    uint64_t away = meta->quick ? HF_NS_PER_MS : AWAY_NS;
    const char *target = hf_simcall_target(call), *kind = NULL;

    for (size_t i = 0; i < HF_LEN(kinds); i++) {
        size_t n = strlen(kinds[i].path);
        if (strncmp(target, kinds[i].path, n) != 0 || strchr("/?", target[n]) == NULL)
            continue;
        kind = kinds[i].kind;
        if (target[n] == '/') {
            size_t length = strcspn(target + n + 1, "/?");
            (void)snprintf(name, sizeof(name), "%.*s", (int)length, target + n + 1);
            if (target[n + 1 + length] == '/')
                (void)snprintf(subresource, sizeof(subresource), "%.*s", (int)strcspn(target + n + 2 + length, "?"),
                               target + n + 2 + length);
        }
    }
    if (strcmp(target, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews") == 0 &&
        strcmp(hf_simcall_method(call), "POST") == 0) {
        serve_review(meta, call);
        return;
    }
    if (kind == NULL) {
        hf_simcall_reply(call, 404, "text/plain", "404 page not found\n");
        return;
    }
    if (hf_simcall_query(call, "fieldSelector", selector, sizeof(selector)) &&
        strncmp(selector, "metadata.name=", 14) == 0)
        memmove(selector, selector + 14, strlen(selector + 14) + 1);
    if (strcmp(hf_simcall_method(call), "PATCH") == 0) {
        serve_patch(meta, call, kind, name, subresource);
    } else if (*name != '\0') {
        meta->counts.singles++;
        (void)hold(meta, call, kind, name, single_from_store, answers(meta) ? NEAR_NS : away);
    } else if (hf_simcall_query(call, "watch", yes, sizeof(yes))) {
        serve_watch(meta, call, kind, selector);
    } else if (meta->refuse_times > 0) {
        meta->refuse_times--;
        hf_simcall_reply(call, meta->refuse_status, "application/json", "{\"message\":\"edgeupdates is forbidden\"}");
    } else {
        serve_list(meta, call, kind, selector);
    }
}

/* ---- life --------------------------------------------------------------------------------------------------------- */

static void connect_fires(void *arg)
{
    struct hf_simmeta *meta = arg;

    meta->connected = true;
    meta->quick = false;
    catch_up(meta);
}

static void restart_fires(void *arg)
{
    struct hf_simmeta *meta = arg;

    hf_simnet_set_server(meta->net, meta->prefix, HF_SIM_SERVER_UP);
}

struct hf_simmeta *hf_simmeta_new(struct hf_simloop *loop, struct hf_simnet *net, struct hf_simapi *api,
                                  const char *prefix)
{
    struct hf_simmeta *meta = must(calloc(1, sizeof(*meta)));

    meta->net = net;
    meta->api = api;
    meta->prefix = must(strdup(prefix));
    meta->proc = hf_simproc_new(loop, "edgecore");
    meta->store = must(json_object());
    meta->watched = must(json_object());
    meta->stuck = must(json_object());
    meta->forbidden = must(json_object());
    meta->unknown = must(json_object());
    meta->confined = must(json_object());
    meta->connected = true;
    hf_list_init(&meta->held);
    meta->connect = hf_timer_new(sched_of(meta), connect_fires, meta);
    meta->restart = hf_timer_new(sched_of(meta), restart_fires, meta);
    hf_simapi_on_change(api, cloud_changed, meta);
    hf_simnet_serve(net, prefix, handle, meta);
    return meta;
}

void hf_simmeta_free(struct hf_simmeta *meta)
{
    if (meta == NULL)
        return;
    hf_simapi_on_change(meta->api, NULL, NULL);
    while (!hf_list_empty(&meta->held))
        (void)let_go(hf_container_of(meta->held.next, struct held, link));
    hf_timer_free(sched_of(meta), meta->connect);
    hf_timer_free(sched_of(meta), meta->restart);
    json_decref(meta->store);
    json_decref(meta->watched);
    json_decref(meta->stuck);
    json_decref(meta->forbidden);
    json_decref(meta->unknown);
    json_decref(meta->confined);
    hf_simproc_free(meta->proc);
    free(meta->prefix);
    free(meta);
}

const struct hf_simmeta_counts *hf_simmeta_counts(const struct hf_simmeta *meta)
{
    return &meta->counts;
}

void hf_simmeta_cut(struct hf_simmeta *meta)
{
    meta->connected = false;
    hf_timer_disarm(sched_of(meta), meta->connect);
}

void hf_simmeta_heal(struct hf_simmeta *meta, uint64_t connected_ns)
{
    hf_timer_arm(sched_of(meta), meta->connect, connected_ns);
}

void hf_simmeta_restart(struct hf_simmeta *meta)
{
    meta->quick = !meta->connected;
    (void)json_object_clear(meta->watched);
    hf_simnet_set_server(meta->net, meta->prefix, HF_SIM_SERVER_REFUSING); /* ends what is held */
    hf_timer_arm(sched_of(meta), meta->restart, REFUSES_NS);
}

void hf_simmeta_refuse(struct hf_simmeta *meta, int status, unsigned times)
{
    meta->refuse_status = status;
    meta->refuse_times = times;
}

/* CloudCore's informers try again and again: what they may read now comes by the open watches. */
static void set_kind(struct hf_simmeta *meta, json_t *set, const char *kind, bool yes)
{
    if (yes)
        (void)json_object_set_new(set, kind, json_true());
    else
        (void)json_object_del(set, kind);
    if (is_watched(meta, kind))
        (void)json_object_del(meta->stuck, kind);
    if (meta->connected)
        catch_up(meta);
}

void hf_simmeta_forbid(struct hf_simmeta *meta, const char *kind, bool forbidden)
{
    set_kind(meta, meta->forbidden, kind, forbidden);
}

void hf_simmeta_unknow(struct hf_simmeta *meta, const char *kind, bool unknown)
{
    set_kind(meta, meta->unknown, kind, unknown);
}

void hf_simmeta_haunt(struct hf_simmeta *meta, const char *text)
{
    json_t *ghost = must(json_loads(text, 0, NULL));

    store_put(meta, hf_json_str_or(ghost, "kind", ""), ghost);
    json_decref(ghost);
}

void hf_simmeta_confine(struct hf_simmeta *meta, const char *kind, bool confined)
{
    set_kind(meta, meta->confined, kind, confined);
}
