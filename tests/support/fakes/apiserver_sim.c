/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fakes/apiserver_sim.h"

#include <inttypes.h>

#include "base/list.h"
#include "base/parse.h"
#include "support/json_text.h"

struct change {
    uint64_t version;
    const char *type;
    const char *kind;
    json_t *object; /* as it was then */
};

struct stream {
    struct hf_list link;
    struct hf_simapi *api;
    struct hf_simcall *call;
    const char *kind;
    char name[256]; /* "" all */
    uint64_t from;  /* gets no event of this or an earlier version, and no bookmark of an earlier one */
    bool muted;
    struct hf_timer *bookmark, *end; /* the end: after timeoutSeconds */
};

struct hf_simapi {
    struct hf_simloop *loop;
    struct hf_simproc *proc;
    json_t *objects;     /* "Kind/name": object; insertion order does not matter: lists are sorted */
    json_t *owned;       /* "Kind/name": {manager: {label: value}} */
    const char *haunted; /* kind; NULL: none */
    json_t *ghost;       /* what another manager owns in its status */
    struct change *history;
    size_t n_history;
    uint64_t version, oldest; /* watches from below `oldest` are 410 */
    struct hf_list streams;
    uint64_t bookmark_ns, behind;
    size_t page;
    bool watchlist, watchlist_broken, watchlist_endless, crds, hub_away, hub_forgot, stripped, verdicts_stripped;
    const char *fail_part;
    int fail_part_status;
    unsigned fail_times;
    int fail_status;
    uint64_t fail_retry_ns;
    uint64_t fill_ns, full_ns[3]; /* when the caches of our kinds are full; 0: nobody has asked for the kind */
    bool no_writes, no_events, keeps_ghosts;
    struct hf_simapi_counts counts;
    void (*changed)(void *arg, const char *type, const char *kind, json_t *object);
    void *changed_arg;
    int (*judge)(void *arg, const char *client);
    void *judge_arg;
    bool (*rest)(void *arg, struct hf_simcall *call);
    void *rest_arg;
};

static const struct {
    const char *kind, *path;
} kinds[] = {
    {"EdgeUpdate", "/apis/edge.codcompass.io/v1alpha1/edgeupdates"},
    {"SyncPolicy", "/apis/edge.codcompass.io/v1alpha1/syncpolicies"},
    {"EdgeNode", "/apis/edge.codcompass.io/v1alpha1/edgenodes"},
    {"Node", "/api/v1/nodes"},
    {"Event", "/apis/events.k8s.io/v1/namespaces/default/events"},
    {"CertificateSigningRequest", "/apis/certificates.k8s.io/v1/certificatesigningrequests"},
    {"ConfigMap", "/api/v1/namespaces/site/configmaps"},
    {"Secret", "/api/v1/namespaces/site/secrets"},
    {"Service", "/api/v1/namespaces/flux-system/services"},
    {"GitRepository", "/apis/source.toolkit.fluxcd.io/v1/namespaces/site/gitrepositories"},
};

enum { OURS = 3 }; /* as many of `kinds` are ours, and have a definition in the server */

static void *must(void *pointer)
{
    if (pointer == NULL)
        abort();
    return pointer;
}

static void key_of(char key[512], const char *kind, const char *name)
{
    (void)snprintf(key, 512, "%s/%s", kind, name);
}

static char *text_of(const json_t *json)
{
    return json_text(json);
}

static const char *kind_named(const char *kind)
{
    for (size_t i = 0; i < HF_LEN(kinds); i++)
        if (strcmp(kinds[i].kind, kind) == 0)
            return kinds[i].kind;
    abort();
}

/* ---- streams ----------------------------------------------------------------------------------------------------- */

/* The client asked for metadata alone. */
static bool wants_metadata(const struct hf_simcall *call)
{
    const char *accept = hf_simcall_header(call, "Accept");

    return accept != NULL && strstr(accept, "as=PartialObjectMetadata") != NULL;
}

static json_t *metadata_of(const json_t *object)
{
    return must(json_pack("{s:s, s:s, s:O}", "kind", "PartialObjectMetadata", "apiVersion", "meta.k8s.io/v1",
                          "metadata", json_object_get(object, "metadata")));
}

static void send_event(struct hf_simcall *call, const char *type, const json_t *object)
{
    json_t *partial = wants_metadata(call) ? metadata_of(object) : NULL;
    char *text = text_of(partial != NULL ? partial : object);
    char *line = must(hf_asprintf("{\"type\":\"%s\",\"object\":%s}\n", type, text));

    hf_simcall_send(call, line, strlen(line));
    free(line);
    free(text);
    json_decref(partial);
}

static void send_bookmark(struct hf_simapi *api, struct hf_simcall *call, const char *kind, bool initial_end)
{
    char *line = must(hf_asprintf(
        "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"%s\",\"metadata\":{\"resourceVersion\":\"%" PRIu64 "\"%s}}}\n",
        kind, initial_end && api->behind > 0 ? api->version - api->behind : api->version,
        initial_end ? ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}" : ""));

    hf_simcall_send(call, line, strlen(line));
    free(line);
}

static void stream_free(struct stream *stream)
{
    const struct hf_sched_ops *sched = hf_simproc_sched(stream->api->proc);

    hf_timer_free(sched, stream->end);
    hf_timer_free(sched, stream->bookmark);
    hf_list_remove(&stream->link);
    free(stream);
}

static void stream_gone(void *arg, struct hf_simcall *call)
{
    (void)call;
    stream_free(arg);
}

static bool wants(const struct stream *stream, const char *kind, const json_t *object)
{
    uint64_t version = 0;

    if (hf_parse_u64(hf_json_str_or(object, "metadata.resourceVersion", ""), 1, UINT64_MAX, &version) < 0)
        abort();
    return !stream->muted && version > stream->from && strcmp(stream->kind, kind) == 0 &&
           (stream->name[0] == '\0' || strcmp(stream->name, hf_json_str_or(object, "metadata.name", "")) == 0);
}

static void bookmark_fires(void *arg)
{
    struct stream *stream = arg;
    const struct hf_sched_ops *sched = hf_simproc_sched(stream->api->proc);

    if (!stream->muted && stream->api->version >= stream->from)
        send_bookmark(stream->api, stream->call, stream->kind, false);
    hf_timer_arm(sched, stream->bookmark, stream->api->bookmark_ns);
}

/* ---- changes ----------------------------------------------------------------------------------------------------- */

static void record(struct hf_simapi *api, const char *type, const char *kind, json_t *object)
{
    if ((api->n_history & (api->n_history - 1)) == 0)
        api->history = must(reallocarray(api->history, 2 * api->n_history + 1, sizeof(*api->history)));
    api->history[api->n_history++] =
        (struct change){.version = api->version, .type = type, .kind = kind, .object = must(json_deep_copy(object))};
    for (struct hf_list *it = api->streams.next; it != &api->streams; it = it->next) {
        struct stream *stream = hf_container_of(it, struct stream, link);
        if (wants(stream, kind, object))
            send_event(stream->call, type, object);
    }
    if (api->changed != NULL)
        api->changed(api->changed_arg, type, kind, object);
}

static void stamp(struct hf_simapi *api, json_t *object)
{
    char version[32];

    (void)snprintf(version, sizeof(version), "%" PRIu64, ++api->version);
    if (hf_json_put(object, "metadata.resourceVersion", json_string(version)) < 0)
        abort();
}

uint64_t hf_simapi_put(struct hf_simapi *api, json_t *object)
{
    const char *kind = kind_named(hf_json_str_or(object, "kind", ""));
    char key[512], uid[64];

    key_of(key, kind, hf_json_str_or(object, "metadata.name", ""));
    const json_t *old = json_object_get(api->objects, key);
    int64_t generation = hf_json_int_or(old, "metadata.generation", 0);
    const json_t *old_spec = json_object_get(old, "spec"), *spec = json_object_get(object, "spec");
    if (old == NULL || (old_spec != spec && !json_equal(old_spec, spec))) /* both absent: equal, jansson says not */
        generation++;
    (void)snprintf(uid, sizeof(uid), "uid-%" PRIu64, api->version + 1);
    json_t *kept = json_string(hf_json_str_or(old, "metadata.uid", uid));
    stamp(api, object);
    if (hf_json_put(object, "metadata.uid", kept) < 0 ||
        hf_json_put(object, "metadata.generation", json_integer(generation)) < 0)
        abort();
    bool is_new = old == NULL;
    if (json_object_set_new(api->objects, key, object) < 0)
        abort();
    record(api, is_new ? "ADDED" : "MODIFIED", kind, object);
    return api->version;
}

uint64_t hf_simapi_put_text(struct hf_simapi *api, const char *text)
{
    return hf_simapi_put(api, must(json_loads(text, 0, NULL)));
}

bool hf_simapi_delete(struct hf_simapi *api, const char *kind, const char *name)
{
    char key[512];

    key_of(key, kind, name);
    json_t *object = json_object_get(api->objects, key);
    if (object == NULL)
        return false;
    json_incref(object);
    (void)json_object_del(api->objects, key);
    (void)json_object_del(api->owned, key);
    stamp(api, object);
    record(api, "DELETED", kind_named(kind), object);
    json_decref(object);
    return true;
}

json_t *hf_simapi_get(const struct hf_simapi *api, const char *kind, const char *name)
{
    char key[512];

    key_of(key, kind, name);
    return json_object_get(api->objects, key);
}

/* ---- server-side apply ------------------------------------------------------------------------------------------- */

static void apply_labels(struct hf_simapi *api, const char *key, const char *manager, json_t *object,
                         const json_t *labels)
{
    json_t *owners = json_object_get(api->owned, key), *target, *value;
    const char *label;

    if (owners == NULL) {
        owners = must(json_object());
        (void)json_object_set_new(api->owned, key, owners);
    }
    json_t *meta = json_object_get(object, "metadata");
    if ((target = json_object_get(meta, "labels")) == NULL) {
        target = must(json_object());
        (void)json_object_set_new(meta, "labels", target);
    }
    json_object_foreach(json_object_get(owners, manager), label, value) {
        if (json_object_get(labels, label) == NULL)
            (void)json_object_del(target, label);
    }
    (void)json_object_update(target, hf_json_mutable(labels));
    (void)json_object_set_new(owners, manager, labels != NULL ? json_deep_copy(labels) : json_object());
}

void hf_simapi_haunt(struct hf_simapi *api, const char *kind, const char *status)
{
    api->haunted = kind_named(kind);
    json_decref(api->ghost);
    api->ghost = must(json_loads(status, 0, NULL));
}

void hf_simapi_keep_ghosts(struct hf_simapi *api)
{
    api->keeps_ghosts = true;
}

/* What the answer to an apply of a status shows. */
static void add_ghost(const struct hf_simapi *api, const char *kind, json_t *object)
{
    bool is_haunted = api->ghost != NULL && strcmp(kind, api->haunted) == 0;
    json_t *managed =
        must(json_pack("[{s:s,s:s,s:s}]", "manager", "holdfast-agent", "operation", "Apply", "subresource", "status"));

    if (is_haunted) {
        json_t *status = must(json_deep_copy(json_object_get(object, "status")));
        (void)json_object_update_missing(status, api->ghost);
        (void)json_object_set_new(object, "status", status);
        (void)json_array_append_new(managed, must(json_pack("{s:s,s:s,s:s}", "manager", "thief", "operation", "Apply",
                                                            "subresource", "status")));
    }
    (void)json_object_set_new(json_object_get(object, "metadata"), "managedFields", managed);
}

/* The one merge patch that it knows: {"status": null}. */
static json_t *empty_status(struct hf_simapi *api, const char *kind, const char *name, struct hf_view text)
{
    static const char known[] = "{\"status\":null}";
    json_t *object = hf_simapi_get(api, kind, name);

    if (object == NULL || api->keeps_ghosts || text.n != sizeof(known) - 1 || memcmp(text.p, known, text.n) != 0)
        return NULL;
    object = must(json_deep_copy(object));
    (void)json_object_del(object, "status");
    json_decref(api->ghost);
    api->ghost = NULL;
    api->counts.emptied++;
    (void)hf_simapi_put(api, object);
    return hf_simapi_get(api, kind, name);
}

json_t *hf_simapi_apply(struct hf_simapi *api, const char *kind, const char *name, const char *subresource,
                        const char *manager, struct hf_view text, int *ret_status)
{
    json_t *body = json_loadb(text.p, text.n, 0, NULL), *object = hf_simapi_get(api, kind, name);
    char key[512];

    *ret_status = body == NULL ? 400 : subresource != NULL && object == NULL ? 404 : object == NULL ? 201 : 200;
    if (*ret_status >= 300) {
        json_decref(body);
        return NULL;
    }
    key_of(key, kind, name);
    json_t *fresh = must(object != NULL ? json_deep_copy(object) : json_deep_copy(body));
    if (subresource != NULL)
        (void)json_object_set(fresh, "status", json_object_get(body, "status"));
    else
        apply_labels(api, key, manager, fresh, hf_json_at(body, "metadata.labels"));
    if (subresource == NULL && json_object_get(body, "spec") != NULL)
        (void)json_object_set(fresh, "spec", json_object_get(body, "spec"));
    if (object == NULL)
        (void)json_object_del(fresh, "status");
    json_decref(body);
    if (subresource != NULL)
        add_ghost(api, kind, fresh);
    if (object != NULL && json_equal(object, fresh)) /* nothing changed: no new version, no event */
        json_decref(fresh);
    else
        (void)hf_simapi_put(api, fresh);
    return hf_simapi_get(api, kind, name);
}

/* ---- lists ------------------------------------------------------------------------------------------------------- */

void hf_simapi_each(const struct hf_simapi *api, const char *kind, void (*visit)(void *arg, json_t *object), void *arg)
{
    const char *key;
    json_t *object, *sorted = must(json_array());
    size_t n = strlen(kind), i;

    json_object_foreach(api->objects, key, object) {
        if (strncmp(key, kind, n) != 0 || key[n] != '/')
            continue;
        for (i = 0; i < json_array_size(sorted); i++)
            if (strcmp(hf_json_str_or(json_array_get(sorted, i), "metadata.name", ""), key + n + 1) > 0)
                break;
        (void)json_array_insert(sorted, i, object);
    }
    json_array_foreach(sorted, i, object)
        visit(arg, object);
    json_decref(sorted);
}

struct listing {
    json_t *items;
    const char *name;
};

static void add_item(void *arg, json_t *object)
{
    struct listing *listing = arg;

    if (listing->name == NULL || strcmp(listing->name, hf_json_str_or(object, "metadata.name", "")) == 0)
        (void)json_array_append(listing->items, object);
}

static json_t *items_of(const struct hf_simapi *api, const char *kind, const char *name)
{
    struct listing listing = {must(json_array()), name != NULL && *name != '\0' ? name : NULL};

    hf_simapi_each(api, kind, add_item, &listing);
    return listing.items;
}

/* kind comes last, as in the JSON of custom resources' lists. */
static char *list_text(json_t *items, const char *list_kind, uint64_t version, const char *next)
{
    char *inner = text_of(items);
    char *text =
        must(hf_asprintf("{\"apiVersion\":\"v1\",\"items\":%s,\"kind\":\"%s\",\"metadata\":{\"continue\":\"%s\","
                         "\"resourceVersion\":\"%" PRIu64 "\"}}",
                         inner, list_kind, next, version));

    free(inner);
    json_decref(items);
    return text;
}

char *hf_simapi_list_text(const struct hf_simapi *api, const char *kind, const char *list_kind, const char *name)
{
    return list_text(items_of(api, kind, name), list_kind, api->version, "");
}

/* A page: the token is "<version>:<first item>"; one from before the last compaction is 410. */
static void serve_page(struct hf_simapi *api, struct hf_simcall *call, const char *kind, const char *name)
{
    char token[64], list_kind[64], next[64] = "", version[32];
    char limit_text[16];
    uint64_t first = 0, from = api->version, limit = 0;
    bool continued = hf_simcall_query(call, "continue", token, sizeof(token));

    if (continued) {
        char *colon = strchr(token, ':');
        if (colon == NULL)
            abort();
        *colon = '\0';
        if (hf_parse_u64(token, 0, UINT64_MAX, &from) < 0 || hf_parse_u64(colon + 1, 0, UINT64_MAX, &first) < 0)
            abort();
        api->counts.pages++;
    } else if (hf_simcall_query(call, "limit", limit_text, sizeof(limit_text)) && strcmp(limit_text, "1") == 0) {
        api->counts.knocks++;
    } else {
        api->counts.lists++;
        if (!hf_simcall_query(call, "resourceVersion", version, sizeof(version)))
            api->counts.exact_lists++;
        else if (api->behind > 0)
            from -= api->behind;
    }
    if (continued && from < api->oldest) {
        hf_simcall_reply(
            call, 410, "application/json",
            "{\"kind\":\"Status\",\"code\":410,\"reason\":\"Expired\",\"message\":\"the continue token is too old\"}");
        return;
    }
    json_t *all = items_of(api, kind, name), *items = must(json_array());
    size_t page = api->page > 0 ? api->page : json_array_size(all);
    /* The watch cache ignores the limit, the store does not. */
    if (!hf_simcall_query(call, "resourceVersion", version, sizeof(version)) &&
        hf_simcall_query(call, "limit", limit_text, sizeof(limit_text)) &&
        hf_parse_u64(limit_text, 1, 100000, &limit) == 0)
        page = HF_MIN(page, (size_t)limit);
    size_t end = (size_t)first + page;
    bool partial = wants_metadata(call);
    for (size_t i = (size_t)first; i < end && i < json_array_size(all); i++)
        (void)json_array_append_new(items, partial ? metadata_of(json_array_get(all, i))
                                                   : json_incref(json_array_get(all, i)));
    if (end < json_array_size(all))
        (void)snprintf(next, sizeof(next), "%" PRIu64 ":%zu", from, end);
    json_decref(all);
    (void)snprintf(list_kind, sizeof(list_kind), "%sList", partial ? "PartialObjectMetadata" : kind);
    char *text = list_text(items, list_kind, from, next);
    hf_simcall_reply(call, 200, "application/json", text);
    free(text);
}

/* ---- watches ----------------------------------------------------------------------------------------------------- */

static const char expired[] =
    "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"too old "
    "resource version\",\"reason\":\"Expired\",\"code\":410}}\n";

static void end_fires(void *arg)
{
    struct stream *stream = arg;
    struct hf_simcall *call = stream->call;

    if (stream->api->version >= stream->from)
        send_bookmark(stream->api, call, stream->kind, false);
    hf_simcall_on_gone(call, NULL, NULL);
    stream_free(stream);
    hf_simcall_cut(call, 2 * HF_NS_PER_S, 0); /* what its buffers hold still arrives */
}

static struct stream *open_stream(struct hf_simapi *api, struct hf_simcall *call, const char *kind, const char *name)
{
    struct stream *stream = must(calloc(1, sizeof(*stream)));
    const struct hf_sched_ops *sched = hf_simproc_sched(api->proc);
    uint64_t seconds = 3600;
    char yes[8], text[16];

    *stream = (struct stream){.api = api, .call = call, .kind = kind};
    stream->end = hf_timer_new(sched, end_fires, stream);
    if (hf_simcall_query(call, "timeoutSeconds", text, sizeof(text)) && hf_parse_u64(text, 1, 86400, &seconds) < 0)
        abort();
    hf_timer_arm(sched, stream->end, seconds * HF_NS_PER_S);
    (void)snprintf(stream->name, sizeof(stream->name), "%s", name);
    stream->bookmark = hf_timer_new(sched, bookmark_fires, stream);
    if (api->bookmark_ns > 0 && hf_simcall_query(call, "allowWatchBookmarks", yes, sizeof(yes)) &&
        strcmp(yes, "true") == 0)
        hf_timer_arm(sched, stream->bookmark, api->bookmark_ns);
    hf_list_append(&api->streams, &stream->link);
    hf_simcall_on_gone(call, stream_gone, stream);
    hf_simcall_respond(
        call, &(struct hf_http_response){.status = 200, .content_length = -1, .content_type = "application/json"});
    return stream;
}

static void send_initial(void *arg, json_t *object)
{
    const struct stream *stream = arg;

    if (wants(stream, stream->kind, object))
        send_event(stream->call, "ADDED", object);
}

static void serve_watchlist(struct hf_simapi *api, struct hf_simcall *call, const char *kind, const char *name)
{
    api->counts.watchlists++;
    if (!api->watchlist) {
        hf_simcall_reply(call, 422, "application/json",
                         "{\"kind\":\"Status\",\"code\":422,\"message\":\"sendInitialEvents is forbidden for watch\"}");
        return;
    }
    struct stream *stream = open_stream(api, call, kind, name);
    if (api->watchlist_broken) {
        static const char error[] =
            "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":500,\"message\":\"a watch stream was "
            "requested by "
            "the client but the required storage feature RequestWatchProgress is disabled\"}}\n";
        hf_simcall_send(call, error, sizeof(error) - 1);
        return;
    }
    hf_simapi_each(api, kind, send_initial, stream);
    if (!api->watchlist_endless)
        send_bookmark(api, call, kind, true);
}

static void serve_watch(struct hf_simapi *api, struct hf_simcall *call, const char *kind, const char *name)
{
    char text[32];
    uint64_t from = 0;

    api->counts.watches++;
    if (!hf_simcall_query(call, "resourceVersion", text, sizeof(text)) || hf_parse_u64(text, 0, UINT64_MAX, &from) < 0)
        api->counts.bare_watches++;
    struct stream *stream = open_stream(api, call, kind, name);
    if (from < api->oldest) { /* as a real server does it: 200, then an error event */
        hf_simcall_send(call, expired, strlen(expired));
        stream_free(stream);
        hf_simcall_on_gone(call, NULL, NULL);
        hf_simcall_end(call);
        return;
    }
    stream->from = from;
    for (size_t i = 0; i < api->n_history; i++) {
        const struct change *change = &api->history[i];
        if (wants(stream, change->kind, change->object))
            send_event(call, change->type, change->object);
    }
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

/* "{path}[/name[/subresource]]"; which kind, -1 none. */
static int route(const struct hf_simcall *call, char name[256], char subresource[32])
{
    const char *target = hf_simcall_target(call);

    *name = *subresource = '\0';
    for (size_t i = 0; i < HF_LEN(kinds); i++) {
        size_t n = strlen(kinds[i].path);
        if (strncmp(target, kinds[i].path, n) != 0 || strchr("/?", target[n]) == NULL)
            continue;
        const char *rest = target + n + (target[n] == '/');
        size_t length = target[n] == '/' ? strcspn(rest, "/?") : 0;
        (void)snprintf(name, 256, "%.*s", (int)length, rest);
        if (length > 0 && rest[length] == '/')
            (void)snprintf(subresource, 32, "%.*s", (int)strcspn(rest + length + 1, "?"), rest + length + 1);
        return (int)i;
    }
    return -1;
}

/* A JSON patch that replaces spec or status of the version that it names, as the controller sends it. */
static json_t *replace_part(struct hf_simapi *api, const char *kind, const char *name, struct hf_view text,
                            int *ret_status)
{
    json_t *patch = json_loadb(text.p, text.n, 0, NULL), *object = hf_simapi_get(api, kind, name);
    const json_t *version = json_array_get(patch, 0), *part = json_array_get(patch, 1);
    const char *path = hf_json_str_or(part, "path", "");
    bool known = json_array_size(patch) == 2 && (strcmp(path, "/spec") == 0 || strcmp(path, "/status") == 0) &&
                 strcmp(hf_json_str_or(version, "path", ""), "/metadata/resourceVersion") == 0;

    *ret_status = !known ? 422 : object == NULL ? 404 : 200;
    if (*ret_status == 200 &&
        strcmp(hf_json_str_or(version, "value", ""), hf_json_str_or(object, "metadata.resourceVersion", "?")) != 0)
        *ret_status = 409;
    if (*ret_status == 200) {
        json_t *fresh = must(json_deep_copy(object));
        (void)json_object_set(fresh, path + 1, json_object_get(part, "value"));
        (void)hf_simapi_put(api, fresh);
    }
    json_decref(patch);
    return *ret_status == 200 ? hf_simapi_get(api, kind, name) : NULL;
}

static void serve_patch(struct hf_simapi *api, struct hf_simcall *call, const char *kind, const char *name,
                        const char *subresource)
{
    char manager[64] = "", force[8] = "";
    json_t *object;
    int status;

    api->counts.patches++;
    const char *type = hf_simcall_header(call, "Content-Type");
    if (strcmp(type, "application/json-patch+json") == 0) {
        object = replace_part(api, kind, name, hf_simcall_body(call), &status);
    } else if (strcmp(type, "application/merge-patch+json") == 0) {
        object = empty_status(api, kind, name, hf_simcall_body(call));
        status = object != NULL ? 200 : 404;
    } else {
        if (!hf_simcall_query(call, "fieldManager", manager, sizeof(manager)) ||
            !hf_simcall_query(call, "force", force, sizeof(force)) || strcmp(force, "true") != 0 ||
            strcmp(type, "application/apply-patch+yaml") != 0)
            api->counts.bare_patches++;
        object = hf_simapi_apply(api, kind, name, *subresource != '\0' ? subresource : NULL, manager,
                                 hf_simcall_body(call), &status);
    }
    if (object == NULL) {
        hf_simcall_reply(call, status, "application/json", "{\"kind\":\"Status\",\"message\":\"not found\"}");
        return;
    }
    char *text = text_of(object);
    hf_simcall_reply(call, status, "application/json", text);
    free(text);
}

static void serve_create(struct hf_simapi *api, struct hf_simcall *call, const char *kind)
{
    json_t *object = NULL;
    struct hf_err err = HF_ERR_INIT;

    if (hf_json_parse(hf_simcall_body(call), NULL, &object, &err) < 0) {
        hf_simcall_reply(call, 400, "application/json", "{\"kind\":\"Status\",\"message\":\"no JSON\"}");
        return;
    }
    if (hf_simapi_get(api, kind, hf_json_str_or(object, "metadata.name", "")) != NULL) {
        json_decref(object);
        hf_simcall_reply(call, 409, "application/json",
                         "{\"kind\":\"Status\",\"reason\":\"AlreadyExists\",\"message\":\"exists\"}");
        return;
    }
    const char *name = hf_json_str_or(object, "metadata.name", "");
    (void)hf_simapi_put(api, json_incref(object));
    char *text = text_of(hf_simapi_get(api, kind, name));
    json_decref(object);
    hf_simcall_reply(call, 201, "application/json", text);
    free(text);
}

static bool serve_failure(struct hf_simapi *api, struct hf_simcall *call)
{
    static const char body[] = "{\"kind\":\"Status\",\"message\":\"as told\"}";

    bool at_part = api->fail_part != NULL && strstr(hf_simcall_target(call), api->fail_part) != NULL;

    if (!at_part && api->fail_times == 0)
        return false;
    api->fail_times -= !at_part;
    api->counts.refused++;
    hf_simcall_respond(call, &(struct hf_http_response){.status = at_part ? api->fail_part_status : api->fail_status,
                                                        .retry_after_ns = api->fail_retry_ns,
                                                        .content_type = "application/json"});
    hf_simcall_send(call, body, sizeof(body) - 1);
    hf_simcall_end(call);
    return true;
}

static void selected_name(const struct hf_simcall *call, char name[256])
{
    char selector[300];

    *name = '\0';
    if (hf_simcall_query(call, "fieldSelector", selector, sizeof(selector)) &&
        strncmp(selector, "metadata.name=", 14) == 0)
        (void)snprintf(name, 256, "%.255s", selector + 14);
}

static bool serve_unfilled(struct hf_simapi *api, struct hf_simcall *call, int kind, const char *name)
{
    char selected[256], yes[8];
    uint64_t now = hf_simloop_now_ns(api->loop);

    if (api->fill_ns == 0 || kind < 0 || kind >= OURS)
        return false;
    if (api->full_ns[kind] == 0)
        api->full_ns[kind] = now + api->fill_ns;
    selected_name(call, selected);
    bool watches = hf_simcall_query(call, "watch", yes, sizeof(yes)) || *selected != '\0';
    if (now >= api->full_ns[kind] || !watches || *name != '\0')
        return false;
    api->counts.refused++;
    hf_simcall_reply(call, 429, "application/json",
                     "{\"kind\":\"Status\",\"message\":\"storage is (re)initializing\"}");
    return true;
}

static void serve_get(struct hf_simapi *api, struct hf_simcall *call, const char *kind, const char *name)
{
    const json_t *object = hf_simapi_get(api, kind, name);
    char *text = object != NULL ? text_of(object) : NULL;

    api->counts.single++;
    hf_simcall_reply(call, object != NULL ? 200 : 404, "application/json", object != NULL ? text : "{}");
    free(text);
}

/* OpenYurt's YurtHub without the API server: its answers to a client for which it keeps a cache. */
static void serve_as_hub(struct hf_simapi *api, struct hf_simcall *call, int kind, const char *name)
{
    const char *method = hf_simcall_method(call);
    char yes[8];

    api->counts.by_hub++;
    if (strcmp(method, "POST") == 0) {
        struct hf_view body = hf_simcall_body(call);
        hf_simcall_respond(call, &(struct hf_http_response){.status = 201, .content_type = "application/json"});
        hf_simcall_send(call, body.p, body.n);
        hf_simcall_end(call);
    } else if (strcmp(method, "DELETE") == 0 || kind < 0) {
        hf_simcall_reply(call, kind < 0 ? 400 : 403, "application/json", "{\"kind\":\"Status\"}");
    } else if (*name != '\0') {
        serve_get(api, call, kinds[kind].kind, name);
    } else if (hf_simcall_query(call, "watch", yes, sizeof(yes))) {
        hf_simcall_respond(
            call, &(struct hf_http_response){.status = 200, .content_length = -1, .content_type = "application/json"});
    } else if (api->hub_forgot) {
        char list[96];
        (void)snprintf(list, sizeof(list),
                       "{\"kind\":\"%sList\",\"metadata\":{\"resourceVersion\":\"%" PRIu64 "\"},\"items\":[]}",
                       kinds[kind].kind, api->version + 1);
        hf_simcall_reply(call, 200, "application/json", list);
    } else {
        serve_page(api, call, kinds[kind].kind, "");
    }
}

static bool serve_stranger(struct hf_simapi *api, struct hf_simcall *call)
{
    int status = api->judge != NULL ? api->judge(api->judge_arg, hf_simcall_client(call)) : 0;

    if (status != 0)
        hf_simcall_reply(call, status, "application/json", "{\"kind\":\"Status\",\"message\":\"Unauthorized\"}");
    return status != 0;
}

static void handle(void *arg, struct hf_simcall *call)
{
    struct hf_simapi *api = arg;
    char name[256], subresource[32], selected[256], yes[8];
    int kind = route(call, name, subresource);

    if (api->hub_away) {
        serve_as_hub(api, call, kind, name);
        return;
    }
    if (!api->stripped)
        hf_simcall_mark(call);
    if (serve_failure(api, call) || serve_stranger(api, call) || serve_unfilled(api, call, kind, name))
        return;
    if (api->no_writes && strcmp(hf_simcall_method(call), "PATCH") == 0) {
        api->counts.refused++;
        hf_simcall_reply(call, 403, "application/json", "{\"kind\":\"Status\",\"message\":\"forbidden\"}");
        return;
    }
    if (kind >= 0 && strcmp(kinds[kind].kind, "Event") == 0 && api->no_events) {
        api->counts.refused++;
        hf_simcall_reply(call, 403, "application/json", "{\"kind\":\"Status\",\"message\":\"forbidden\"}");
        return;
    }
    if (strcmp(hf_simcall_target(call), "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews") == 0) {
        api->counts.reviews++;
        if (!api->verdicts_stripped)
            hf_simcall_mark(call);
        hf_simcall_reply(call, 201, "application/json",
                         "{\"kind\":\"SelfSubjectAccessReview\",\"status\":{\"allowed\":true}}");
        return;
    }
    if (kind < 0 && api->rest != NULL && api->rest(api->rest_arg, call))
        return;
    if (kind < 0 || (!api->crds && kind < OURS)) {
        api->counts.other += kind < 0;
        hf_simcall_reply(call, 404, "text/plain", "404 page not found\n");
        return;
    }
    const char *text = kinds[kind].kind;
    selected_name(call, selected);
    if (strcmp(hf_simcall_method(call), "PATCH") == 0)
        serve_patch(api, call, text, name, subresource);
    else if (strcmp(hf_simcall_method(call), "POST") == 0)
        serve_create(api, call, text);
    else if (*name != '\0')
        serve_get(api, call, text, name);
    else if (!hf_simcall_query(call, "watch", yes, sizeof(yes)))
        serve_page(api, call, text, selected);
    else if (hf_simcall_query(call, "sendInitialEvents", yes, sizeof(yes)))
        serve_watchlist(api, call, text, selected);
    else
        serve_watch(api, call, text, selected);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

struct hf_simapi *hf_simapi_new(struct hf_simloop *loop, struct hf_simnet *net, const char *prefix)
{
    struct hf_simapi *api = must(calloc(1, sizeof(*api)));

    api->loop = loop;
    api->proc = hf_simproc_new(loop, "apiserver");
    api->objects = must(json_object());
    api->owned = must(json_object());
    api->version = 100;
    api->watchlist = api->crds = true;
    hf_list_init(&api->streams);
    api->bookmark_ns = 60 * HF_NS_PER_S;
    hf_simnet_serve(net, prefix, handle, api);
    return api;
}

void hf_simapi_free(struct hf_simapi *api)
{
    if (api == NULL)
        return;
    while (!hf_list_empty(&api->streams)) {
        struct stream *stream = hf_container_of(api->streams.next, struct stream, link);
        hf_simcall_on_gone(stream->call, NULL, NULL);
        stream_free(stream);
    }
    hf_simapi_compact(api);
    free(api->history);
    json_decref(api->objects);
    json_decref(api->owned);
    json_decref(api->ghost);
    hf_simproc_free(api->proc);
    free(api);
}

const struct hf_simapi_counts *hf_simapi_counts(const struct hf_simapi *api)
{
    return &api->counts;
}

uint64_t hf_simapi_version(const struct hf_simapi *api)
{
    return api->version;
}

void hf_simapi_on_change(struct hf_simapi *api,
                         void (*changed)(void *arg, const char *type, const char *kind, json_t *object), void *arg)
{
    api->changed = changed;
    api->changed_arg = arg;
}

void hf_simapi_authenticate(struct hf_simapi *api, int (*judge)(void *arg, const char *client), void *arg)
{
    api->judge = judge;
    api->judge_arg = arg;
}

void hf_simapi_on_rest(struct hf_simapi *api, bool (*rest)(void *arg, struct hf_simcall *call), void *arg)
{
    api->rest = rest;
    api->rest_arg = arg;
}

void hf_simapi_empty_caches(struct hf_simapi *api, uint64_t fill_ns)
{
    api->fill_ns = fill_ns;
    memset(api->full_ns, 0, sizeof(api->full_ns));
}

void hf_simapi_break_watchlist(struct hf_simapi *api)
{
    api->watchlist_broken = true;
}

void hf_simapi_endless_watchlist(struct hf_simapi *api)
{
    api->watchlist_endless = true;
}

void hf_simapi_set_hub(struct hf_simapi *api, bool away, bool forgot)
{
    api->hub_away = away;
    api->hub_forgot = forgot;
}

void hf_simapi_strip(struct hf_simapi *api, bool stripped, bool also_verdicts)
{
    api->stripped = stripped;
    api->verdicts_stripped = stripped && also_verdicts;
}

void hf_simapi_set_watchlist(struct hf_simapi *api, bool offered)
{
    api->watchlist = offered;
}

void hf_simapi_set_bookmarks(struct hf_simapi *api, uint64_t period_ns)
{
    api->bookmark_ns = period_ns;
}

void hf_simapi_set_page(struct hf_simapi *api, size_t objects)
{
    api->page = objects;
}

void hf_simapi_set_crds(struct hf_simapi *api, bool installed)
{
    api->crds = installed;
}

void hf_simapi_fail(struct hf_simapi *api, unsigned times, int status, uint64_t retry_after_ns)
{
    api->fail_times = times;
    api->fail_status = status;
    api->fail_retry_ns = retry_after_ns;
}

void hf_simapi_fail_at(struct hf_simapi *api, const char *part, int status)
{
    api->fail_part = part;
    api->fail_part_status = status;
}

void hf_simapi_forbid_events(struct hf_simapi *api, bool forbidden)
{
    api->no_events = forbidden;
}

void hf_simapi_forbid_writes(struct hf_simapi *api, bool forbidden)
{
    api->no_writes = forbidden;
}

void hf_simapi_raw(struct hf_simapi *api, const char *kind, const void *bytes, size_t n)
{
    for (struct hf_list *it = api->streams.next; it != &api->streams; it = it->next) {
        struct stream *stream = hf_container_of(it, struct stream, link);
        if (strcmp(stream->kind, kind) == 0)
            hf_simcall_send(stream->call, bytes, n);
    }
}

void hf_simapi_mute(struct hf_simapi *api, const char *kind)
{
    for (struct hf_list *it = api->streams.next; it != &api->streams; it = it->next) {
        struct stream *stream = hf_container_of(it, struct stream, link);
        stream->muted |= strcmp(stream->kind, kind) == 0;
    }
}

void hf_simapi_compact(struct hf_simapi *api)
{
    for (size_t i = 0; i < api->n_history; i++)
        json_decref(api->history[i].object);
    api->n_history = 0;
    api->oldest = api->version;
}

static void end_all(struct hf_simapi *api, const char *kind, const char *last)
{
    struct hf_list *it, *next;

    hf_list_each(it, next, &api->streams) {
        struct stream *stream = hf_container_of(it, struct stream, link);
        struct hf_simcall *call = stream->call;
        if (kind != NULL && strcmp(stream->kind, kind) != 0)
            continue;
        hf_simcall_on_gone(call, NULL, NULL);
        stream_free(stream);
        hf_simcall_send(call, last, strlen(last));
        hf_simcall_end(call);
    }
}

void hf_simapi_expire_watches(struct hf_simapi *api)
{
    end_all(api, NULL, expired);
}

void hf_simapi_end_watches(struct hf_simapi *api)
{
    end_all(api, NULL, "");
}

void hf_simapi_end_watches_of(struct hf_simapi *api, const char *kind)
{
    end_all(api, kind, "");
}

void hf_simapi_rewind(struct hf_simapi *api, uint64_t version)
{
    hf_simapi_compact(api);
    api->version = version;
    api->oldest = 0;
}

void hf_simapi_stale_cache(struct hf_simapi *api, uint64_t behind)
{
    api->behind = behind;
}
