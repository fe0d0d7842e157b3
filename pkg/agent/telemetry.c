#include "agent/telemetry.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/file.h"
#include "telemetry/telemetry.h"

enum { MAX_INGEST_BYTES = 4 << 20, STORAGE_MODE = 0700 };

struct hf_agent_telemetry {
    struct hf_agent_telemetry_params params;
    struct hf_telemetry_service *service; /* NULL until it is wanted */
    struct hf_syncpolicy *fallback;       /* what the environment asks for; NULL nothing */
    char proc[PATH_MAX], sys[PATH_MAX], pods[PATH_MAX], journal[PATH_MAX];
    char trouble[256]; /* the storage folder cannot be used: why */
};

/* ---- what the environment asks for -------------------------------------------------------------------------------- */

/* The seed's agent in the words of a policy. */
static json_t *fallback_object(const struct hf_agent_options *o)
{
    char base[32];
    size_t n = strlen(o->cloud_endpoint);

    while (n > 0 && o->cloud_endpoint[n - 1] == '/')
        n--;
    (void)snprintf(base, sizeof(base), "%llums", (unsigned long long)(o->retry_base_ns / HF_NS_PER_MS));
    return json_pack("{s:s, s:s, s:{s:s}, s:{s:{s:{s:b}, s:{s:I, s:s}, s:{s:s%, s:s}}}}", "apiVersion",
                     HF_API_GROUP_VERSION, "kind", "SyncPolicy", "metadata", "name", "environment", "spec", "telemetry",
                     "sources", "http", 1, "retry", "maxAttempts", (json_int_t)o->max_retries, "base", base, "sink",
                     "url", o->cloud_endpoint, n, "format", "seed");
}

static int read_fallback(struct hf_agent_telemetry *t, struct hf_err *err)
{
    _cleanup_(hf_freep) struct hf_issues *issues = calloc(1, sizeof(*issues));
    _cleanup_(hf_json_freep) json_t *object = NULL;

    if (t->params.options->cloud_endpoint == NULL)
        return 0;
    object = fallback_object(t->params.options);
    if (object == NULL || issues == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    int r = hf_syncpolicy_decode(object, &t->fallback, issues);
    return r < 0 ? hf_err_set(err, -r, "CLOUD_ENDPOINT '%.80s' makes no sink", t->params.options->cloud_endpoint) : 0;
}

/* ---- life --------------------------------------------------------------------------------------------------------- */

static void find_places(struct hf_agent_telemetry *t)
{
    const struct hf_agent_options *o = t->params.options;
    const char *root = o->pod_mode && o->host_root != NULL ? o->host_root : "";

    (void)snprintf(t->proc, sizeof(t->proc), "%.3000s/proc", root);
    (void)snprintf(t->sys, sizeof(t->sys), "%.3000s/sys", root);
    (void)snprintf(t->pods, sizeof(t->pods), "%.3000s/var/log/pods", root);
    (void)snprintf(t->journal, sizeof(t->journal), "%.3000s/var/log/journal", root);
}

int hf_agent_telemetry_new(const struct hf_agent_telemetry_params *params, struct hf_agent_telemetry **ret_telemetry,
                           struct hf_err *err)
{
    struct hf_agent_telemetry *t = calloc(1, sizeof(*t));

    if (t == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    t->params = *params;
    find_places(t);
    int r = read_fallback(t, err);
    if (r < 0)
        hf_agent_telemetry_free(t);
    else
        *ret_telemetry = t;
    return r;
}

void hf_agent_telemetry_free(struct hf_agent_telemetry *telemetry)
{
    if (telemetry == NULL)
        return;
    hf_telemetry_service_free(telemetry->service);
    hf_syncpolicy_free(telemetry->fallback);
    free(telemetry);
}

/* ---- following the policy ----------------------------------------------------------------------------------------- */

static bool start_service(struct hf_agent_telemetry *t)
{
    const struct hf_agent_telemetry_params *p = &t->params;
    struct hf_telemetry_service_params params = {
        .world = {.loop = p->loop,
                  .fs = p->fs,
                  .clock = p->clock,
                  .sched = hf_loop_sched(p->loop),
                  .rand = p->rng,
                  .log = p->log,
                  .metrics = p->metrics,
                  .node = p->node,
                  .user_agent = "holdfast-agent/" HF_VERSION,
                  .dir = p->options->storage_dir,
                  .proc = t->proc,
                  .sys = t->sys,
                  .pods = t->pods,
                  .journal = p->options->pod_mode ? t->journal : NULL,
                  .changed = p->changed,
                  .changed_arg = p->arg},
        .device_key_ref = p->options->device_key_ref,
    };
    struct hf_err err = HF_ERR_INIT;

    t->trouble[0] = '\0';
    if (hf_dir_make(p->fs, p->options->storage_dir, STORAGE_MODE, &err) < 0) {
        hf_log_err(p->log, HF_LOG_ERROR, "telemetry.no_storage", "dir", p->options->storage_dir, &err);
        (void)snprintf(t->trouble, sizeof(t->trouble), "storage: %.200s", err.cause);
        return false;
    }
    t->service = hf_telemetry_service_new(&params);
    return t->service != NULL;
}

void hf_agent_telemetry_follow(struct hf_agent_telemetry *telemetry, const struct hf_syncpolicy *policy,
                               const json_t *labels)
{
    const struct hf_syncpolicy *chosen = policy;

    if (!policy->telemetry.present && telemetry->fallback != NULL)
        chosen = telemetry->fallback;
    if (chosen->telemetry.present && telemetry->service == NULL && !start_service(telemetry))
        return; /* looked at again with the next interval */
    if (telemetry->service != NULL)
        hf_telemetry_service_set(telemetry->service, &chosen->telemetry, chosen->json, labels);
}

void hf_agent_telemetry_stop(struct hf_agent_telemetry *telemetry, void (*stopped)(void *arg), void *arg)
{
    if (telemetry == NULL || telemetry->service == NULL)
        stopped(arg);
    else
        hf_telemetry_service_stop(telemetry->service, stopped, arg);
}

/* ---- the local server --------------------------------------------------------------------------------------------- */

static void ingest(void *arg, const struct hf_server_request *request, struct hf_server_exchange *exchange)
{
    struct hf_agent_telemetry *t = arg;

    if (t->service != NULL)
        hf_telemetry_service_ingest(t->service, request, exchange);
    else
        hf_server_answer(exchange, 404, "application/json", NULL,
                         HF_VIEW("{\"error\":\"no SyncPolicy of this node has telemetry.sources.http\"}\n"));
}

struct hf_server_route hf_agent_telemetry_route(struct hf_agent_telemetry *telemetry)
{
    return (struct hf_server_route){
        .path = "/ingest", .method = "POST", .max_body = MAX_INGEST_BYTES, .start = ingest, .arg = telemetry};
}

json_t *hf_agent_telemetry_status(const struct hf_agent_telemetry *telemetry)
{
    if (telemetry->trouble[0] != '\0')
        return json_pack("{s:[s]}", "troubles", telemetry->trouble);
    return telemetry->service != NULL ? hf_telemetry_service_status(telemetry->service) : NULL;
}
