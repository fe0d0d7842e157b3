/* SPDX-License-Identifier: Apache-2.0 */
/* Approves and denies the certificate requests of agents.
 *
 * The watch brings requests; those that an agent made and nobody has decided wait in `open`. Before it approves one,
 * the leader reads the Node of that name. The decision has the newest object of the request, so that a conflict
 * shows if somebody else decided first; the watch may say so before the answer comes. After a failure the request
 * waits and is decided again.
 *
 * The number of open requests is bounded, also for each node, so that one node cannot keep the others from their
 * certificates. A request that had no room comes again with a list, when there is room. */
#include "controller/csr/approver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strmap.h"
#include "web/metrics.h"

enum { HF_APPROVER_MAX_FLYING = 4 }; /* in flight */

#define CALL_TIMEOUT_NS (10 * HF_NS_PER_S)
#define CONFLICT_NS HF_NS_PER_S /* the watch brings the newer object meanwhile */
#define FAILURE_NS (10 * HF_NS_PER_S)
#define LIST_NS (60 * HF_NS_PER_S) /* least time between two lists of the requests that had no room */

/* A request that an agent made and that nobody has decided yet. */
struct csr_request {
    struct hf_approver *approver;
    char *name;
    json_t *object; /* the newest version */
    struct hf_csr_decision decision;
    uint64_t due_ns;                 /* not before this monotonic time */
    struct hf_kube_pending *pending; /* NULL: nothing is on its way */
    bool settled;                    /* decided or deleted, by us or by somebody else, as the watch says */
};

enum csr_outcome { APPROVED, DENIED, FAILED, OUTCOMES };

struct hf_approver {
    struct hf_approver_params p;
    char account[400];
    const struct hf_source_ops *source;
    struct hf_subscription *subscription;
    struct hf_strmap open; /* name -> struct csr_request */
    bool lacks;            /* there was no room for a request */
    uint64_t list_ns;      /* no list because of that before this monotonic time */
    size_t n_flying;
    struct hf_timer *timer;
    struct hf_metric *counts[OUTCOMES], *waiting;
};

static void free_request(void *pointer)
{
    struct csr_request *request = pointer;

    if (request->pending != NULL)
        request->approver->n_flying--;
    hf_kube_call_cancel(request->pending);
    json_decref(request->object);
    free(request->name);
    free(request);
}

static uint64_t now_of(const struct hf_approver *approver)
{
    return hf_mono_ns(approver->p.env.world.clock);
}

static void arm(struct hf_approver *approver, uint64_t delay_ns)
{
    hf_timer_arm(approver->p.env.world.sched, approver->timer, delay_ns);
}

/* ---- requests to the server -------------------------------------------------------------------------------------- */

typedef void answer_fn(void *arg, const struct hf_kube_answer *answer);
static void node_answered(void *arg, const struct hf_kube_answer *answer);
static void decision_answered(void *arg, const struct hf_kube_answer *answer);

static void put_off(struct csr_request *request, uint64_t delay_ns)
{
    request->due_ns = now_of(request->approver) + delay_ns;
    arm(request->approver, 0); /* finds the request that is due first */
}

static void send(struct csr_request *request, const struct hf_kube_call *call, answer_fn *answered)
{
    struct hf_approver *approver = request->approver;
    struct hf_err err = HF_ERR_INIT;
    int r = hf_kube_call_send(approver->p.env.kube, call, answered, request, &request->pending, &err);

    if (r == 0) {
        approver->n_flying++;
        return;
    }
    hf_log_err(approver->p.env.world.log, HF_LOG_WARNING, "certificate.failed", "request", request->name, &err);
    put_off(request, FAILURE_NS);
}

static void send_decision(struct csr_request *request)
{
    _cleanup_(hf_json_freep) json_t *body =
        hf_csr_approval(request->object, &request->decision, hf_unix_ns(request->approver->p.env.world.clock));
    const struct hf_kube_call call =
        HF_KUBE_CALL(HF_KUBE_UPDATE, "certificates.k8s.io/v1", "certificatesigningrequests", request->name,
                     .subresource = "approval", .body = body, .timeout_ns = CALL_TIMEOUT_NS);

    if (body != NULL)
        send(request, &call, decision_answered);
    else
        put_off(request, FAILURE_NS);
}

static void start(struct csr_request *request)
{
    const struct hf_kube_call call = HF_KUBE_CALL(HF_KUBE_GET, "v1", "nodes", request->decision.node,
                                                  .metadata_only = true, .timeout_ns = CALL_TIMEOUT_NS);

    request->due_ns = HF_NEVER;
    if (request->decision.verdict == HF_CSR_APPROVE)
        send(request, &call, node_answered);
    else
        send_decision(request);
}

static void landed(struct csr_request *request)
{
    request->pending = NULL;
    request->approver->n_flying--;
}

static void node_answered(void *arg, const struct hf_kube_answer *answer)
{
    struct csr_request *request = arg;
    struct hf_approver *approver = request->approver;

    landed(request);
    if (request->settled) {
        (void)hf_strmap_remove(&approver->open, request->name);
        arm(approver, 0);
        return;
    }
    if ((answer->r == 0 || answer->r == -ENOENT) && approver->p.env.leads(approver->p.env.arg)) {
        hf_csr_check_node(request->object, answer->object, &request->decision);
        send_decision(request);
        return;
    }
    put_off(request, FAILURE_NS);
}

static void decision_answered(void *arg, const struct hf_kube_answer *answer)
{
    struct csr_request *request = arg;
    struct hf_approver *approver = request->approver;
    const struct hf_csr_decision *d = &request->decision;
    bool approved = d->verdict == HF_CSR_APPROVE;

    landed(request);
    if (answer->r == 0 || answer->r == -ENOENT) {
        hf_log(approver->p.env.world.log, approved ? HF_LOG_INFO : HF_LOG_WARNING,
               approved ? "certificate.approved" : "certificate.denied", HF_S("request", request->name),
               HF_S("requester", hf_json_str_or(request->object, "spec.username", "")), HF_S("node", d->node),
               HF_S("reason", d->reason), HF_S("message", d->message));
        hf_metric_add(approver->counts[approved ? APPROVED : DENIED], 1);
        (void)hf_strmap_remove(&approver->open, request->name);
        arm(approver, 0);
        return;
    }
    if (answer->r != -ESTALE) {
        hf_metric_add(approver->counts[FAILED], 1);
        hf_log(approver->p.env.world.log, HF_LOG_WARNING, "certificate.failed", HF_S("request", request->name),
               HF_S("error", HF_ERR_TEXT(&answer->err)));
    }
    if (!request->settled) {
        put_off(request, answer->r == -ESTALE ? CONFLICT_NS : HF_MAX(FAILURE_NS, answer->retry_after_ns));
        return;
    }
    (void)hf_strmap_remove(&approver->open, request->name);
    arm(approver, 0);
}

/* ---- what is open ------------------------------------------------------------------------------------------------ */

/* When there is room again, a list brings the requests that had none. Returns when to look again. */
static uint64_t list_lacking(struct hf_approver *approver, uint64_t now_ns)
{
    if (!approver->lacks || approver->open.n >= HF_APPROVER_MAX_OPEN)
        return HF_NEVER;
    if (now_ns < approver->list_ns)
        return approver->list_ns;
    approver->lacks = false;
    approver->list_ns = now_ns + LIST_NS;
    approver->subscription->source->relist(approver->subscription);
    return HF_NEVER;
}

static void work(void *arg)
{
    struct hf_approver *approver = arg;
    uint64_t now = now_of(approver), next = list_lacking(approver, now);
    bool leads = approver->p.env.leads(approver->p.env.arg);

    hf_metric_set(approver->waiting, (double)approver->open.n);
    for (size_t i = 0; i < approver->open.n && leads; i++) {
        struct csr_request *request = approver->open.entries[i].value;
        if (request->pending != NULL)
            continue;
        if (request->due_ns <= now && approver->n_flying < HF_APPROVER_MAX_FLYING)
            start(request);
        if (request->pending == NULL)
            next = HF_MIN(next, HF_MAX(request->due_ns, now + HF_NS_PER_S));
    }
    if (next != HF_NEVER)
        arm(approver, next - now);
}

/* Returns true if there is room for one more request of this node. A node that may not have a certificate, because its
 * Node was deleted, must not keep the others from theirs. */
static bool has_room(const struct hf_approver *approver, const char *node)
{
    unsigned own = 0;

    for (size_t i = 0; i < approver->open.n; i++) {
        const struct csr_request *request = approver->open.entries[i].value;
        own += strcmp(request->decision.node, node) == 0;
    }
    return approver->open.n < HF_APPROVER_MAX_OPEN && own < HF_APPROVER_MAX_PER_NODE;
}

static int add(struct hf_approver *approver, const char *name, const char *node, struct csr_request **ret_request)
{
    struct csr_request *request = has_room(approver, node) ? calloc(1, sizeof(*request)) : NULL;

    if (request == NULL)
        return -ENOMEM;
    request->approver = approver;
    request->name = strdup(name);
    if (request->name == NULL || hf_strmap_put(&approver->open, name, request) < 0) {
        free_request(request);
        return -ENOMEM;
    }
    *ret_request = request;
    return 0;
}

/* The watch may say that a request is decided before the answer to our own decision comes. */
static void settle(struct hf_approver *approver, const char *name)
{
    struct csr_request *request = hf_strmap_get(&approver->open, name);

    if (request != NULL && request->pending != NULL)
        request->settled = true;
    else
        (void)hf_strmap_remove(&approver->open, name);
    if (approver->lacks)
        arm(approver, 0);
}

static void upsert(void *arg, json_t *object)
{
    struct hf_approver *approver = arg;
    const char *name = hf_json_str_or(object, "metadata.name", "");
    struct csr_request *request = hf_strmap_get(&approver->open, name);
    struct hf_csr_decision decision;

    hf_csr_decide(object, &approver->p.terms, &decision);
    if (decision.verdict == HF_CSR_IGNORE) {
        settle(approver, name);
        return;
    }
    if (request == NULL && add(approver, name, decision.node, &request) < 0) {
        hf_log(approver->p.env.world.log, HF_LOG_WARNING, "certificate.too_many", HF_S("request", name));
        approver->lacks |= approver->open.n >= HF_APPROVER_MAX_OPEN;
        approver->subscription->source->decline(approver->subscription, name, false);
        return;
    }
    json_decref(request->object);
    request->object = json_incref(object);
    request->decision = decision;
    request->settled = false;
    arm(approver, 0);
}

static void gone(void *arg, const char *name)
{
    settle(arg, name);
}

static void contact(void *arg, enum hf_contact_kind kind, HF_UNUSED struct hf_server_date date,
                    const struct hf_err *err)
{
    struct hf_approver *approver = arg;

    if (kind == HF_CONTACT_LOST && err != NULL)
        hf_log_err(approver->p.env.world.log, HF_LOG_WARNING, "contact.lost", "kind", "CertificateSigningRequest", err);
}

void hf_approver_lead(struct hf_approver *approver)
{
    if (approver != NULL)
        arm(approver, 0);
}

static void register_metrics(struct hf_approver *approver)
{
    static const char *const names[OUTCOMES] = {[APPROVED] = "approved", [DENIED] = "denied", [FAILED] = "failed"};
    struct hf_metric_family *family = hf_metric_family(
        approver->p.env.world.metrics, HF_METRIC_COUNTER, "holdfast_controller_certificate_requests_total",
        "Certificate requests of agents, by result.", HF_LABELS("result"));

    for (int i = 0; i < OUTCOMES; i++)
        approver->counts[i] = hf_metric_with(family, HF_LABELS(names[i]));
    approver->waiting =
        hf_metric_gauge(approver->p.env.world.metrics, "holdfast_controller_certificate_requests_waiting",
                        "Certificate requests of agents that are not decided yet.");
}

struct hf_approver *hf_approver_new(const struct hf_approver_params *params, struct hf_err *err)
{
    struct hf_approver *approver = calloc(1, sizeof(*approver));
    const struct hf_source_sink sink = {.arg = approver, .upsert = upsert, .gone = gone, .contact = contact};

    if (approver == NULL) {
        (void)hf_err_set(err, ENOMEM, "out of memory");
        return NULL;
    }
    approver->p = *params;
    (void)snprintf(approver->account, sizeof(approver->account), "%s", params->terms.account);
    approver->p.terms.account = approver->account;
    approver->open.free_value = free_request;
    approver->source = hf_kube_source(params->env.kube);
    approver->timer = hf_timer_new(params->env.world.sched, work, approver);
    register_metrics(approver);
    int r = approver->timer == NULL ? hf_err_set(err, ENOMEM, "out of memory") : 0;
    if (r == 0)
        r = approver->source->subscribe(approver->source->ctx, "CertificateSigningRequest", NULL, "", NULL, &sink,
                                        &approver->subscription, err);
    if (r < 0) {
        hf_approver_free(approver);
        return NULL;
    }
    return approver;
}

void hf_approver_free(struct hf_approver *approver)
{
    if (approver == NULL)
        return;
    hf_source_unsubscribe(approver->subscription);
    hf_strmap_done(&approver->open);
    hf_timer_free(approver->p.env.world.sched, approver->timer);
    free(approver);
}
