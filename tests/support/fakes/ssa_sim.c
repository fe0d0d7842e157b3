/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fakes/ssa_sim.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "manifests/cluster/cluster.h"
#include "support/json_text.h"

void ssa_sim_put(json_t *root, const char *path, json_t *value)
{
    ck_assert_int_eq(hf_json_put(root, path, value), 0);
}

/* ---- the API server ---------------------------------------------------------------------------------------------- */

static const struct {
    const char *path, *body;
} kinds[] = {
    {"/api/v1", "{\"kind\":\"APIResourceList\",\"resources\":["
                "{\"name\":\"configmaps\",\"kind\":\"ConfigMap\",\"namespaced\":true},"
                "{\"name\":\"namespaces\",\"kind\":\"Namespace\",\"namespaced\":false},"
                "{\"name\":\"namespaces/status\",\"kind\":\"Namespace\",\"namespaced\":false},"
                "{\"name\":\"persistentvolumeclaims\",\"kind\":\"PersistentVolumeClaim\",\"namespaced\":true}]}"},
    {"/apis/apps/v1", "{\"kind\":\"APIResourceList\",\"resources\":["
                      "{\"name\":\"deployments\",\"kind\":\"Deployment\",\"namespaced\":true},"
                      "{\"name\":\"deployments/scale\",\"kind\":\"Scale\",\"namespaced\":true}]}"},
    {"/apis/apiextensions.k8s.io/v1",
     "{\"kind\":\"APIResourceList\",\"resources\":["
     "{\"name\":\"customresourcedefinitions\",\"kind\":\"CustomResourceDefinition\"}]}"},
};

static void reply(struct hf_simcall *call, int status, const json_t *body)
{
    char *text = json_text(body);

    hf_simcall_reply(call, status, "application/json", text);
    free(text);
}

static void refuse(struct hf_simcall *call, int status, const char *reason)
{
    json_t *body =
        json_pack("{s:s, s:s, s:s, s:i}", "kind", "Status", "reason", reason, "message", reason, "code", status);

    reply(call, status, body);
    json_decref(body);
}

/* Keys of an object as managed fields name them. */
static json_t *fields_of(const json_t *value)
{
    json_t *fields = json_object();
    const char *key;
    json_t *member;
    char name[300];

    if (json_is_object(value))
        json_object_foreach(hf_json_mutable(value), key, member) {
            (void)snprintf(name, sizeof(name), "f:%s", key);
            (void)json_object_set_new(fields, name, fields_of(member));
        }
    return fields;
}

static void set_managed(struct ssa_sim *sim, json_t *object, const json_t *body)
{
    char time[40];

    (void)snprintf(time, sizeof(time), "2026-01-01T00:00:%02uZ", sim->clock++);
    json_t *managed = json_pack("[{s:s, s:s, s:s, s:s, s:{}}, {s:s, s:s, s:s, s:o}]", "manager", "kubelet", "operation",
                                "Update", "subresource", "status", "time", "x", "fieldsV1", "manager",
                                HF_CLUSTER_MANAGER, "operation", "Apply", "time", time, "fieldsV1", fields_of(body));
    ssa_sim_put(object, "metadata.managedFields", managed);
}

/* Server-side apply, with the whole body as our fields. */
static void apply(struct ssa_sim *sim, struct hf_simcall *call, const char *path)
{
    struct hf_view view = hf_simcall_body(call);
    json_t *body = json_loadb(view.p, view.n, 0, NULL), *live = json_object_get(sim->objects, path);
    json_t *applied = hf_json_mutable(hf_json_at(live, "applied"));
    char manager[60], uid[20];

    ck_assert_ptr_nonnull(body);
    ck_assert(hf_simcall_query(call, "fieldManager", manager, sizeof(manager)));
    ck_assert_str_eq(manager, HF_CLUSTER_MANAGER);
    ck_assert(hf_simcall_query(call, "force", sim->force, sizeof(sim->force)));
    if (sim->drops && live != NULL) {
        reply(call, 200, live);
    } else if (live != NULL && sim->immutable != NULL && strcmp(path, sim->immutable) == 0 &&
               !json_equal(json_object_get(body, "spec"), json_object_get(applied, "spec"))) {
        hf_simcall_reply(
            call, 422, "application/json",
            "{\"kind\":\"Status\",\"reason\":\"Invalid\",\"message\":\"Deployment is invalid\",\"details\":{"
            "\"causes\":[{\"field\":\"spec.selector\",\"message\":\"field is immutable\"}]}}");
    } else {
        bool is_new = live == NULL,
             same = live != NULL && json_equal(applied, body) && hf_json_at(live, "metadata.drift") == NULL;
        json_t *object = json_deep_copy(body);
        if (is_new)
            (void)snprintf(uid, sizeof(uid), "uid-%u", ++sim->uids);
        ssa_sim_put(object, "metadata.uid",
                    is_new ? json_string(uid) : json_incref(hf_json_mutable(hf_json_at(live, "metadata.uid"))));
        if (same)
            ssa_sim_put(object, "metadata.managedFields",
                        json_incref(hf_json_mutable(hf_json_at(live, "metadata.managedFields"))));
        else
            set_managed(sim, object, body);
        ssa_sim_put(object, "metadata.resourceVersion",
                    same && hf_json_at(live, "metadata.resourceVersion") != NULL
                        ? json_incref(hf_json_mutable(hf_json_at(live, "metadata.resourceVersion")))
                        : json_sprintf("%u", ++sim->versions));
        if (live != NULL && json_object_get(live, "status") != NULL)
            (void)json_object_set(object, "status", json_object_get(live, "status"));
        (void)json_object_set(object, "applied", body);
        (void)json_object_set_new(sim->objects, path, object);
        reply(call, is_new ? 201 : 200, object);
    }
    json_decref(body);
}

static void remove_object(struct ssa_sim *sim, struct hf_simcall *call, const char *path)
{
    json_t *live = json_object_get(sim->objects, path);
    struct hf_view view = hf_simcall_body(call);
    json_t *options = json_loadb(view.p, view.n, 0, NULL);
    const char *uid = hf_json_str_or(options, "preconditions.uid", "");

    ck_assert_str_eq(hf_json_str_or(options, "propagationPolicy", ""), "Background");
    if (live == NULL) {
        refuse(call, 404, "NotFound");
    } else if (strcmp(uid, hf_json_str_or(live, "metadata.uid", "")) != 0) {
        refuse(call, 409, "Conflict");
    } else {
        json_incref(live);
        ssa_sim_put(live, "metadata.deletionTimestamp", json_string("2026-01-01T00:00:00Z"));
        if (sim->sticky == NULL || strcmp(sim->sticky, path) != 0)
            (void)json_object_del(sim->objects, path);
        reply(call, 200, live);
        json_decref(live);
    }
    json_decref(options);
}

static bool is_served(const struct ssa_sim *sim, const char *path)
{
    const json_t *crd;

    if (sim->late == NULL || strncmp(path, sim->late, strlen(sim->late)) != 0)
        return true;
    crd = json_object_get(sim->objects, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.example.com");
    return hf_json_at(crd, "status") != NULL;
}

static struct ssa_sim_script *script_of(struct ssa_sim *sim, const char *method, const char *path)
{
    for (size_t i = 0; i < SSA_SIM_SCRIPTS; i++) {
        struct ssa_sim_script *script = &sim->scripts[i];
        if (script->times > 0 && strcmp(script->method, method) == 0 && strcmp(script->path, path) == 0)
            return script;
    }
    return NULL;
}

static void play(struct hf_simcall *call, const struct ssa_sim_script *script, uint64_t retry_after_ns)
{
    hf_simcall_respond(call, &(struct hf_http_response){.status = script->status,
                                                        .content_length = (int64_t)strlen(script->body),
                                                        .content_type = "application/json",
                                                        .retry_after_ns = retry_after_ns});
    hf_simcall_send(call, script->body, strlen(script->body));
    hf_simcall_end(call);
}

static void answer(struct ssa_sim *sim, struct hf_simcall *call, const char *method, const char *path)
{
    json_t *live = json_object_get(sim->objects, path);
    char dry[8];

    for (size_t i = 0; i < HF_LEN(kinds); i++)
        if (strcmp(path, kinds[i].path) == 0) {
            hf_simcall_reply(call, 200, "application/json", kinds[i].body);
            return;
        }
    if (!is_served(sim, path))
        refuse(call, 404, "NotFound");
    else if (strcmp(method, "GET") == 0 && live != NULL)
        reply(call, 200, live);
    else if (strcmp(method, "PATCH") == 0)
        apply(sim, call, path);
    else if (strcmp(method, "DELETE") == 0)
        remove_object(sim, call, path);
    else if (strcmp(method, "POST") == 0 && hf_simcall_query(call, "dryRun", dry, sizeof(dry)))
        refuse(call, 409, "AlreadyExists");
    else
        refuse(call, 404, "NotFound");
}

void ssa_sim_handle(void *arg, struct hf_simcall *call)
{
    struct ssa_sim *sim = arg;
    const char *method = hf_simcall_method(call);
    char path[600], line[620];

    (void)snprintf(path, sizeof(path), "%s", hf_simcall_target(call));
    path[strcspn(path, "?")] = '\0';
    (void)snprintf(line, sizeof(line), "%s %s", method, path);
    ck_assert_uint_lt(sim->n_log, SSA_SIM_LOG);
    sim->log[sim->n_log++] = strdup(line);
    struct ssa_sim_script *script = script_of(sim, method, path);
    if (script != NULL) {
        script->times--;
        play(call, script, sim->retry_after_ns);
        return;
    }
    answer(sim, call, method, path);
}

void ssa_sim_init(struct ssa_sim *sim)
{
    *sim = (struct ssa_sim){.objects = json_object()};
}

void ssa_sim_done(struct ssa_sim *sim)
{
    ssa_sim_forget_log(sim);
    json_decref(sim->objects);
}

void ssa_sim_forget_log(struct ssa_sim *sim)
{
    while (sim->n_log > 0)
        free(sim->log[--sim->n_log]);
}

unsigned ssa_sim_logged(const struct ssa_sim *sim, const char *line)
{
    unsigned n = 0;

    for (size_t i = 0; i < sim->n_log; i++)
        n += strcmp(sim->log[i], line) == 0;
    return n;
}
