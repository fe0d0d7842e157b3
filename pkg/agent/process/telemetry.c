/* SPDX-License-Identifier: Apache-2.0 */
/* The service is made when a policy, or the environment, asks for telemetry for the first time, and then stays; a
 * later policy without telemetry only turns it off. It needs the storage folder and its lock: two agents on one
 * folder would lose events of one and send those of the other twice. Until the folder can be used, the tree of the
 * wanted policy and the labels wait here, and a timer tries again; POST /ingest answers 503 meanwhile, and the
 * status names the trouble. */
#include "agent/process/telemetry.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/home.h"
#include "audit/segment.h"
#include "base/encoding/cut.h"
#include "base/net/url_mask.h"
#include "os/dir.h"
#include "os/fs_posix.h"
#include "telemetry/sink/export.h"
#include "telemetry/source/ingest.h"
#include "telemetry/telemetry.h"

enum { STORAGE_MODE = 0700 };

#define STORAGE_AGAIN_NS (30 * HF_NS_PER_S)

struct hf_agent_telemetry {
    struct hf_agent_telemetry_params params;
    struct hf_telemetry_service *service; /* NULL until a policy or the environment asks for it */
    struct hf_syncpolicy *fallback;       /* made from the environment; NULL: it asks for nothing */
    char proc[PATH_MAX], sys[PATH_MAX], pods[PATH_MAX], journal[PATH_MAX];
    char audit[PATH_MAX];         /* folder of the audit log */
    int lock_fd;                  /* lock of the storage folder; -1: not held */
    char failure[256];            /* reason why the storage folder is unusable; "": it can */
    json_t *owner, *owner_labels; /* to apply once it can: the policy's tree and the node's labels */
    bool owner_is_signed, owner_is_operators;
    bool writes_paused; /* the budget of writes is used up */
    struct hf_telemetry_link link;
    struct hf_export *exporter; /* NULL: telemetry goes over the network */
    struct hf_timer *again;     /* for the next attempt to use it */
};

/* ---- from the environment ---------------------------------------------------------------------------------------- */

/* A policy with the behaviour of the seed's agent. The flags allow more than a policy, whose bounds hold here: the
 * delay is also that of updates. */
static json_t *fallback_object(const struct hf_agent_options *o)
{
    uint64_t base_ns = HF_MIN(HF_MAX(o->retry_base_ns, HF_TELEMETRY_RETRY_MIN_NS), HF_TELEMETRY_RETRY_MAX_NS);
    uint64_t attempts = HF_MIN(o->max_retries, (uint64_t)HF_TELEMETRY_MAX_ATTEMPTS);
    char base[32];
    size_t n = strlen(o->cloud_endpoint);

    while (n > 0 && o->cloud_endpoint[n - 1] == '/')
        n--;
    (void)snprintf(base, sizeof(base), "%llums", (unsigned long long)(base_ns / HF_NS_PER_MS));
    return json_pack("{s:s, s:s, s:{s:s}, s:{s:{s:{s:b}, s:{s:I, s:s}, s:{s:s%, s:s}}}}", "apiVersion",
                     HF_API_GROUP_VERSION, "kind", "SyncPolicy", "metadata", "name", "environment", "spec", "telemetry",
                     "sources", "http", 1, "retry", "maxAttempts", (json_int_t)attempts, "base", base, "sink", "url",
                     o->cloud_endpoint, n, "format", "seed");
}

static int read_fallback(struct hf_agent_telemetry *t, struct hf_err *err)
{
    _cleanup_(hf_freep) struct hf_issues *issues = calloc(1, sizeof(*issues));
    _cleanup_(hf_json_freep) json_t *object = NULL;
    char shown[HF_URL_MASKED];

    if (t->params.options->cloud_endpoint == NULL)
        return 0;
    object = fallback_object(t->params.options);
    if (object == NULL || issues == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    int r = hf_syncpolicy_decode(object, &t->fallback, issues);
    if (r == 0)
        t->fallback->telemetry.is_operators = true;
    return r < 0 ? hf_err_set(err, -r, "CLOUD_ENDPOINT '%.80s' is not a valid sink URL",
                              hf_url_mask(t->params.options->cloud_endpoint, shown, sizeof(shown)))
                 : 0;
}

/* ---- start and end ----------------------------------------------------------------------------------------------- */

static void try_again(void *arg);

static void find_places(struct hf_agent_telemetry *t)
{
    const struct hf_agent_options *o = t->params.options;
    const char *root = o->pod_mode && o->host.root != NULL ? o->host.root : "";

    (void)snprintf(t->proc, sizeof(t->proc), "%.3000s/proc", root);
    (void)snprintf(t->sys, sizeof(t->sys), "%.3000s/sys", root);
    (void)snprintf(t->pods, sizeof(t->pods), "%.3000s/var/log/pods", root);
    (void)snprintf(t->audit, sizeof(t->audit), "%.3900s/" HF_AUDIT_FOLDER, t->params.options->state_dir);
    (void)snprintf(t->journal, sizeof(t->journal), "%.3000s/var/log/journal", root);
}

int hf_agent_telemetry_new(const struct hf_agent_telemetry_params *params, struct hf_agent_telemetry **ret_telemetry,
                           struct hf_err *err)
{
    struct hf_agent_telemetry *t = calloc(1, sizeof(*t));

    if (t == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    t->params = *params;
    t->link = (struct hf_telemetry_link){.sent = params->sent, .arg = params->arg};
    t->lock_fd = -1;
    find_places(t);
    int r = read_fallback(t, err);
    if (r == 0) {
        const struct hf_sched_ops *sched = hf_loop_sched(params->loop);
        t->again = hf_timer_new(sched, try_again, t);
        if (params->options->export_dir != NULL)
            t->exporter = hf_export_new(hf_fs_posix(), sched, params->options->export_dir, params->node);
        if (t->again == NULL || (t->exporter == NULL && params->options->export_dir != NULL))
            r = hf_err_set(err, ENOMEM, "out of memory");
    }
    if (r < 0)
        hf_agent_telemetry_free(t);
    else
        *ret_telemetry = t;
    return r;
}

static void forget_wanted(struct hf_agent_telemetry *t)
{
    json_decref(t->owner);
    json_decref(t->owner_labels);
    t->owner = t->owner_labels = NULL;
}

void hf_agent_telemetry_free(struct hf_agent_telemetry *telemetry)
{
    if (telemetry == NULL)
        return;
    hf_timer_free(hf_loop_sched(telemetry->params.loop), telemetry->again);
    forget_wanted(telemetry);
    hf_telemetry_service_free(telemetry->service);
    hf_export_free(telemetry->exporter);
    if (telemetry->lock_fd >= 0)
        (void)telemetry->params.world.fs->close(telemetry->params.world.fs->ctx, telemetry->lock_fd);
    hf_syncpolicy_free(telemetry->fallback);
    free(telemetry);
}

/* ---- following the policy ---------------------------------------------------------------------------------------- */

/* Two agents on one folder would lose events of one and send those of the other twice. */
static int open_storage(struct hf_agent_telemetry *t, struct hf_err *err)
{
    const struct hf_agent_telemetry_params *p = &t->params;

    if (t->lock_fd >= 0)
        return 0;
    int r = hf_dir_make(p->world.fs, p->options->storage_dir, STORAGE_MODE, err);
    if (r == 0)
        r = hf_home_lock(p->world.fs, p->options->storage_dir, "storage.lock", "--storage-dir", (int)getpid(), err);
    if (r >= 0)
        t->lock_fd = r;
    return HF_MIN(r, 0);
}

/* Logs the failure once until it changes. */
static void note_failure(struct hf_agent_telemetry *t, const struct hf_err *err)
{
    char text[sizeof(t->failure)];

    (void)snprintf(text, sizeof(text), "%s", HF_CUT(250, err->cause));
    if (strcmp(text, t->failure) == 0)
        return;
    memcpy(t->failure, text, sizeof(text));
    hf_log_err(t->params.world.log, HF_LOG_ERROR, "telemetry.no_storage", "dir", t->params.options->storage_dir, err);
}

static bool start_service(struct hf_agent_telemetry *t)
{
    const struct hf_agent_telemetry_params *p = &t->params;
    struct hf_telemetry_service_params params = {
        .env = {.loop = p->loop,
                .fs = p->world.fs,
                .clock = p->world.clock,
                .sched = p->world.sched,
                .rand = p->world.rng,
                .log = p->world.log,
                .metrics = p->world.metrics,
                .config = p->config,
                .node = p->node,
                .user_agent = "holdfast-agent/" HF_VERSION,
                .identity = p->identity,
                .dir = p->options->storage_dir,
                .proc = t->proc,
                .sys = t->sys,
                .pods = t->pods,
                .journal = p->options->pod_mode ? t->journal : NULL,
                .writes_paused = &t->writes_paused,
                .link = &t->link,
                .audit = t->audit,
                .exported = t->exporter != NULL ? hf_export_http(t->exporter) : NULL,
                .changed = p->changed,
                .changed_arg = p->arg},
        .device_key_ref = p->options->device_key_ref,
    };
    struct hf_err err = HF_ERR_INIT;

    if (open_storage(t, &err) < 0) {
        note_failure(t, &err);
        return false;
    }
    t->failure[0] = '\0';
    t->service = hf_telemetry_service_new(&params);
    return t->service != NULL;
}

/* Starts the service, or waits for the folder. */
static void start_wanted(struct hf_agent_telemetry *t)
{
    const struct hf_telemetry on = {
        .present = true, .is_signed = t->owner_is_signed, .is_operators = t->owner_is_operators};

    if (!start_service(t)) {
        hf_timer_arm(hf_loop_sched(t->params.loop), t->again, STORAGE_AGAIN_NS);
        return;
    }
    hf_telemetry_service_set(t->service, &on, t->owner, t->owner_labels); /* keeps a decoded copy */
    forget_wanted(t);
}

static void try_again(void *arg)
{
    struct hf_agent_telemetry *t = arg;

    if (t->service != NULL || t->owner == NULL)
        return;
    start_wanted(t);
    if (t->service != NULL && t->params.changed != NULL)
        t->params.changed(t->params.arg);
}

void hf_agent_telemetry_follow(struct hf_agent_telemetry *telemetry, const struct hf_syncpolicy *policy,
                               const json_t *labels)
{
    const struct hf_syncpolicy *chosen = policy;

    if (!policy->telemetry.present && telemetry->fallback != NULL)
        chosen = telemetry->fallback;
    if (telemetry->service != NULL) {
        hf_telemetry_service_set(telemetry->service, &chosen->telemetry, chosen->json, labels);
        return;
    }
    forget_wanted(telemetry);
    if (!chosen->telemetry.present) {
        telemetry->failure[0] = '\0';
        return;
    }
    telemetry->owner = json_incref(chosen->json);
    telemetry->owner_is_signed = chosen->telemetry.is_signed;
    telemetry->owner_is_operators = chosen->telemetry.is_operators;
    telemetry->owner_labels = labels != NULL ? json_deep_copy(labels) : NULL;
    start_wanted(telemetry);
}

void hf_agent_telemetry_configure(struct hf_agent_telemetry *telemetry, const struct hf_config *config)
{
    telemetry->params.config = config;
    if (telemetry->service != NULL)
        hf_telemetry_service_configure(telemetry->service, config);
}

void hf_agent_telemetry_pause_writes(struct hf_agent_telemetry *telemetry, bool paused)
{
    if (telemetry != NULL)
        telemetry->writes_paused = paused;
}

void hf_agent_telemetry_set_link(struct hf_agent_telemetry *telemetry, const char *closed)
{
    if (telemetry == NULL)
        return;
    telemetry->link.closed = closed;
    if (telemetry->service != NULL)
        hf_telemetry_service_link_changed(telemetry->service);
}

void hf_agent_telemetry_stop(struct hf_agent_telemetry *telemetry, void (*stopped)(void *arg), void *arg)
{
    if (telemetry != NULL)
        forget_wanted(telemetry);
    if (telemetry == NULL || telemetry->service == NULL)
        stopped(arg);
    else
        hf_telemetry_service_stop(telemetry->service, stopped, arg);
}

/* ---- the local server -------------------------------------------------------------------------------------------- */

static void answer_no_storage(const struct hf_agent_telemetry *t, struct hf_server_exchange *exchange)
{
    static const char *const headers[] = {"Retry-After: 30", NULL};
    _cleanup_(hf_freep) char *what =
        hf_asprintf("the storage folder '%s' cannot be used: %s", t->params.options->storage_dir, t->failure);
    _cleanup_(hf_json_freep) json_t *answer = json_pack("{s:s}", "error", what != NULL ? what : "out of memory");
    _cleanup_(hf_freep) char *text = answer != NULL ? json_dumps(answer, JSON_COMPACT) : NULL;

    hf_server_answer(exchange, 503, "application/json", headers, hf_view_of(text != NULL ? text : "{}"));
}

static void answer_unknown(struct hf_server_exchange *exchange)
{
    static const char *const headers[] = {"Retry-After: 5", NULL};

    hf_server_answer(exchange, 503, "application/json", headers,
                     HF_VIEW("{\"error\":\"the agent has not heard yet which SyncPolicy this node has\"}\n"));
}

static void ingest(void *arg, const struct hf_server_request *request, struct hf_server_exchange *exchange)
{
    struct hf_agent_telemetry *t = arg;

    if (t->service != NULL)
        hf_telemetry_service_ingest(t->service, request, exchange);
    else if (t->failure[0] != '\0')
        answer_no_storage(t, exchange);
    else if (!t->params.policy_known(t->params.arg))
        answer_unknown(exchange);
    else
        hf_server_answer(exchange, 404, "application/json", NULL,
                         HF_VIEW("{\"error\":\"no SyncPolicy of this node has telemetry.sources.http\"}\n"));
}

struct hf_server_route hf_agent_telemetry_route(struct hf_agent_telemetry *telemetry)
{
    return (struct hf_server_route){
        .path = "/ingest", .method = "POST", .max_body = HF_INGEST_MAX_BODY, .start = ingest, .arg = telemetry};
}

json_t *hf_agent_telemetry_status(const struct hf_agent_telemetry *telemetry)
{
    char text[sizeof(telemetry->failure) + 16];

    (void)snprintf(text, sizeof(text), "storage: %s", telemetry->failure);
    if (telemetry->failure[0] != '\0')
        return json_pack("{s:[s]}", "troubles", text);
    return telemetry->service != NULL ? hf_telemetry_service_status(telemetry->service) : NULL;
}
