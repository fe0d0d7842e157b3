/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the counts of nodes into the status of each SyncPolicy.
 *
 * The counts follow the Nodes and EdgeNodes all the time; only the leader writes. A timer looks at the policies soon
 * after a change, so that objects that come together make one write. A policy is written if its counts or its object
 * have changed since the last look, at most once in PACE_NS, and all policies together at most
 * HF_POLICY_WRITER_PER_S times a second. Nothing is written while the lists are not complete, because counts would
 * be too low. A failed write is tried again after a pause that depends on the failure. */
#include "controller/policies/policy_writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "base/strmap.h"
#include "codec/plain.h"
#include "controller/policies/policy_tally.h"
#include "web/metrics.h"

#define CALL_TIMEOUT_NS (10 * HF_NS_PER_S)
#define PACE_NS (10 * HF_NS_PER_S)     /* least time between two writes of one policy */
#define FAILURE_NS (30 * HF_NS_PER_S)  /* after an unreachable or busy server */
#define REFUSED_NS (300 * HF_NS_PER_S) /* after a refusal: a person must change something */
#define TURN_NS (HF_NS_PER_S / HF_POLICY_WRITER_PER_S)
#define SOON_NS (200 * HF_NS_PER_MS) /* so that objects that come together make one write */
#define LOOK_NS HF_NS_PER_S          /* while the lists are not complete */

struct policy_entry {
    struct hf_policy_writer *writer;
    json_t *object;                  /* as the source delivered it */
    struct hf_policy_counts written; /* the counts at the last look that found nothing to write, or wrote */
    bool looked;                     /* `written` is about this object */
    uint64_t due_ns;                 /* no write before this monotonic time */
    struct hf_kube_pending *pending; /* NULL: nothing is on its way */
    char name[];
};

struct hf_policy_writer {
    struct hf_policy_writer_params p;
    const struct hf_source_ops *source;
    struct hf_subscription *subscription;
    struct hf_policy_tally *tally;
    struct hf_strmap policies; /* name -> struct policy_entry */
    uint64_t turn_ns;          /* the next write starts no earlier */
    struct hf_timer *timer;
    uint64_t armed_ns; /* HF_NEVER: the timer is not armed */
    struct hf_metric *wrote, *failed;
};

static uint64_t now_of(const struct hf_policy_writer *writer)
{
    return hf_mono_ns(writer->p.clock);
}

static void arm(struct hf_policy_writer *writer, uint64_t at_ns)
{
    uint64_t now = now_of(writer);

    if (at_ns >= writer->armed_ns)
        return;
    writer->armed_ns = at_ns;
    writer->p.sched->timer_arm(writer->p.sched->ctx, writer->timer, at_ns > now ? at_ns - now : 0);
}

static void arm_soon(struct hf_policy_writer *writer)
{
    arm(writer, now_of(writer) + SOON_NS);
}

static void log_lack(struct hf_policy_writer *writer, const char *kind, const json_t *object, int r)
{
    if (r < 0)
        hf_log(writer->p.log, HF_LOG_ERROR, "policy_status.not_counted", HF_S("kind", kind),
               HF_S("name", hf_json_str_or(object, "metadata.name", "")), HF_D("errno", -r));
}

/* ---- one write --------------------------------------------------------------------------------------------------- */

/* The object as it is after a write comes through the watch. */
static void answered(void *arg, const struct hf_kube_answer *answer)
{
    struct policy_entry *entry = arg;
    struct hf_policy_writer *writer = entry->writer;
    uint64_t pause_ns = PACE_NS;
    char text[600];

    entry->pending = NULL;
    if (answer->r == 0) {
        hf_metric_add(writer->wrote, 1);
    } else if (answer->r != -ENOENT && answer->r != -ESTALE) {
        bool refused = answer->r == -EACCES || answer->r == -EBADMSG;
        hf_metric_add(writer->failed, 1);
        hf_log(writer->p.log, HF_LOG_WARNING, "policy_status.failed", HF_S("policy", entry->name),
               HF_S("error", hf_err_text(&answer->err, text, sizeof(text))));
        pause_ns = refused ? REFUSED_NS : HF_MAX(FAILURE_NS, answer->retry_after_ns);
        entry->looked = false;
    }
    entry->due_ns = now_of(writer) + pause_ns;
    arm(writer, entry->due_ns);
}

static void send(struct policy_entry *entry, const json_t *body)
{
    struct hf_policy_writer *writer = entry->writer;
    const struct hf_kube_call call = {.verb = HF_KUBE_APPLY,
                                      .api_version = HF_API_GROUP_VERSION,
                                      .plural = "syncpolicies",
                                      .name = entry->name,
                                      .subresource = "status",
                                      .body = body,
                                      .force = true,
                                      .timeout_ns = CALL_TIMEOUT_NS};
    struct hf_err err = HF_ERR_INIT;

    writer->turn_ns = now_of(writer) + TURN_NS;
    if (hf_kube_call_send(writer->p.kube, &call, answered, entry, &entry->pending, &err) == 0)
        return;
    hf_log_err(writer->p.log, HF_LOG_WARNING, "policy_status.failed", "policy", entry->name, &err);
    entry->looked = false;
    entry->due_ns = now_of(writer) + FAILURE_NS;
}

/* Returns true if the counts, the object or the outcome of a write have changed since the last look. */
static bool is_due(const struct policy_entry *entry, const struct hf_policy_counts *counts)
{
    return entry->pending == NULL && counts != NULL &&
           (!entry->looked || memcmp(counts, &entry->written, sizeof(*counts)) != 0);
}

static void look(struct policy_entry *entry, const struct hf_policy_counts *counts)
{
    struct hf_policy_writer *writer = entry->writer;
    _cleanup_(hf_json_freep) json_t *body = NULL;
    int r = hf_policy_tally_status(writer->tally, entry->object, writer->p.unix_ns(writer->p.arg), &body);

    if (r == 0)
        r = hf_plain_tree(body);
    if (r < 0) {
        log_lack(writer, "SyncPolicy", entry->object, r);
        entry->due_ns = now_of(writer) + FAILURE_NS;
        return;
    }
    entry->written = *counts;
    entry->looked = true;
    if (body != NULL)
        send(entry, body);
}

static void work(void *arg)
{
    struct hf_policy_writer *writer = arg;
    uint64_t now = now_of(writer), next = HF_NEVER;

    writer->armed_ns = HF_NEVER;
    if (!writer->p.leads(writer->p.arg))
        return;
    if (!writer->p.is_complete(writer->p.arg)) {
        arm(writer, now + LOOK_NS);
        return;
    }
    for (size_t i = 0; i < writer->policies.n; i++) {
        struct policy_entry *entry = writer->policies.entries[i].value;
        const struct hf_policy_counts *counts = hf_policy_tally_counts(writer->tally, entry->name);
        if (!is_due(entry, counts))
            continue;
        if (HF_MAX(entry->due_ns, writer->turn_ns) <= now)
            look(entry, counts);
        if (is_due(entry, counts))
            next = HF_MIN(next, HF_MAX(entry->due_ns, writer->turn_ns));
    }
    if (next != HF_NEVER)
        arm(writer, next);
}

/* ---- policies ---------------------------------------------------------------------------------------------------- */

static void free_entry(void *pointer)
{
    struct policy_entry *entry = pointer;

    hf_kube_call_cancel(entry->pending);
    json_decref(entry->object);
    free(entry);
}

static struct policy_entry *entry_of(struct hf_policy_writer *writer, const char *name)
{
    struct policy_entry *entry = hf_strmap_get(&writer->policies, name);

    if (entry != NULL)
        return entry;
    entry = calloc(1, sizeof(*entry) + strlen(name) + 1);
    if (entry == NULL || hf_strmap_put(&writer->policies, name, entry) < 0) {
        free(entry);
        return NULL;
    }
    entry->writer = writer;
    memcpy(entry->name, name, strlen(name) + 1);
    return entry;
}

static void upsert(void *arg, json_t *object)
{
    struct hf_policy_writer *writer = arg;
    const char *name = hf_json_str_or(object, "metadata.name", "");
    struct policy_entry *entry = NULL;
    int r = hf_policy_tally_take_policy(writer->tally, object);

    if (r == 0 && (entry = entry_of(writer, name)) == NULL)
        r = -ENOMEM;
    if (r < 0) {
        log_lack(writer, "SyncPolicy", object, r);
        writer->source->decline(writer->source->ctx, writer->subscription, name, true);
        return;
    }
    json_decref(entry->object);
    entry->object = json_incref(object);
    entry->looked = false;
    arm_soon(writer);
}

static void gone(void *arg, const char *name)
{
    struct hf_policy_writer *writer = arg;

    hf_policy_tally_drop_policy(writer->tally, name);
    (void)hf_strmap_remove(&writer->policies, name);
}

static void contact(void *arg, enum hf_contact_kind kind, struct hf_server_date date, const struct hf_err *err)
{
    const struct hf_policy_writer *writer = arg;

    (void)date;
    if (kind == HF_CONTACT_LOST && err != NULL)
        hf_log_err(writer->p.log, HF_LOG_WARNING, "contact.lost", "kind", "SyncPolicy", err);
}

/* ---- nodes ------------------------------------------------------------------------------------------------------- */

void hf_policy_writer_take_node(struct hf_policy_writer *writer, const json_t *node)
{
    if (writer == NULL)
        return;
    log_lack(writer, "Node", node, hf_policy_tally_take_node(writer->tally, node));
    arm_soon(writer);
}

void hf_policy_writer_take_edgenode(struct hf_policy_writer *writer, const json_t *edgenode)
{
    if (writer == NULL)
        return;
    log_lack(writer, "EdgeNode", edgenode, hf_policy_tally_take_edgenode(writer->tally, edgenode));
    arm_soon(writer);
}

void hf_policy_writer_drop_node(struct hf_policy_writer *writer, const char *name)
{
    if (writer == NULL)
        return;
    hf_policy_tally_drop_node(writer->tally, name);
    arm_soon(writer);
}

void hf_policy_writer_drop_edgenode(struct hf_policy_writer *writer, const char *name)
{
    if (writer == NULL)
        return;
    hf_policy_tally_drop_edgenode(writer->tally, name);
    arm_soon(writer);
}

void hf_policy_writer_lead(struct hf_policy_writer *writer)
{
    if (writer != NULL)
        arm(writer, 0);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

struct hf_policy_writer *hf_policy_writer_new(const struct hf_policy_writer_params *params, struct hf_err *err)
{
    struct hf_policy_writer *writer = calloc(1, sizeof(*writer));
    const struct hf_source_sink sink = {.arg = writer, .upsert = upsert, .gone = gone, .contact = contact};

    if (writer == NULL) {
        (void)hf_err_set(err, ENOMEM, "out of memory");
        return NULL;
    }
    writer->p = *params;
    writer->policies.free_value = free_entry;
    writer->armed_ns = HF_NEVER;
    writer->source = hf_kube_source(params->kube);
    writer->tally = hf_policy_tally_new();
    writer->timer = params->sched->timer_new(params->sched->ctx, work, writer);
    struct hf_metric_family *family =
        hf_metric_family(params->metrics, HF_METRIC_COUNTER, "holdfast_controller_policy_writes_total",
                         "Writes of the status of SyncPolicies, by result.", HF_LABELS("result"));
    writer->wrote = hf_metric_with(family, HF_LABELS("written"));
    writer->failed = hf_metric_with(family, HF_LABELS("failed"));
    int r = writer->tally == NULL || writer->timer == NULL ? hf_err_set(err, ENOMEM, "out of memory") : 0;
    if (r == 0)
        r = writer->source->subscribe(writer->source->ctx, "SyncPolicy", NULL, "", NULL, &sink, &writer->subscription,
                                      err);
    if (r < 0) {
        hf_policy_writer_free(writer);
        return NULL;
    }
    return writer;
}

void hf_policy_writer_free(struct hf_policy_writer *writer)
{
    if (writer == NULL)
        return;
    writer->source->unsubscribe(writer->source->ctx, writer->subscription);
    hf_strmap_done(&writer->policies);
    hf_policy_tally_free(writer->tally);
    if (writer->timer != NULL)
        writer->p.sched->timer_free(writer->p.sched->ctx, writer->timer);
    free(writer);
}
