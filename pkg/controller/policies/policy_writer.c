/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the counts of nodes into the status of each SyncPolicy.
 *
 * The counts follow the Nodes and EdgeNodes all the time; only the leader writes. A timer looks at the policies soon
 * after a change, so that objects that come together make one write. A policy is written if its counts or its object
 * have changed since the last look, at most once in PACE_NS, and all policies together at most
 * HF_POLICY_WRITER_PER_S times a second. Nothing is written while the lists are not complete, because counts would
 * be too low. A failed write is tried again after a pause that depends on the failure. */
#include "controller/policies/policy_writer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "codec/plain.h"
#include "controller/policies/policy_tally.h"
#include "web/metrics.h"

#define CALL_TIMEOUT_NS (10 * HF_NS_PER_S)
#define PACE_NS (10 * HF_NS_PER_S)     /* least time between two writes of one policy */
#define FAILURE_NS (30 * HF_NS_PER_S)  /* after an unreachable or busy server */
#define REFUSED_NS (300 * HF_NS_PER_S) /* after a refusal: a person must change something */
#define SOON_NS (200 * HF_NS_PER_MS)   /* so that objects that come together make one write */
#define LOOK_NS HF_NS_PER_S            /* while the lists are not complete */

struct policy_entry {
    struct hf_turns_object base;
    json_t *object;                  /* as the source delivered it */
    struct hf_policy_counts written; /* the counts at the last look that found nothing to write, or wrote */
    bool looked;                     /* `written` is about this object */
};

struct hf_policy_writer {
    struct hf_policy_writer_params p;
    const struct hf_source_ops *source;
    struct hf_subscription *subscription;
    struct hf_policy_tally *tally;
    struct hf_turns turns; /* of struct policy_entry */
    struct hf_metric *wrote, *failed;
};

static struct hf_policy_writer *writer_of(struct hf_turns_object *base)
{
    return hf_container_of(base->turns, struct hf_policy_writer, turns);
}

static struct policy_entry *entry_of(struct hf_turns_object *base)
{
    return hf_container_of(base, struct policy_entry, base);
}

static void arm_soon(struct hf_policy_writer *writer)
{
    hf_turns_arm(&writer->turns, hf_mono_ns(writer->p.env.world.clock) + SOON_NS);
}

static void log_lack(struct hf_policy_writer *writer, const char *kind, const json_t *object, int r)
{
    if (r < 0)
        hf_log(writer->p.env.world.log, HF_LOG_ERROR, "policy_status.not_counted", HF_S("kind", kind),
               HF_S("name", hf_json_str_or(object, "metadata.name", "")), HF_D("errno", -r));
}

/* ---- one write --------------------------------------------------------------------------------------------------- */

/* The object as it is after a write comes through the watch. */
static void answered(struct hf_turns_object *base, const struct hf_kube_answer *answer)
{
    struct hf_policy_writer *writer = writer_of(base);
    uint64_t pause_ns = PACE_NS;

    if (answer->r == 0) {
        hf_metric_add(writer->wrote, 1);
    } else if (answer->r != -ENOENT && answer->r != -ESTALE) {
        bool refused = answer->r == -EACCES || answer->r == -EBADMSG;
        hf_metric_add(writer->failed, 1);
        hf_log(writer->p.env.world.log, HF_LOG_WARNING, "policy_status.failed", HF_S("policy", base->name),
               HF_S("error", HF_ERR_TEXT(&answer->err)));
        pause_ns = refused ? REFUSED_NS : HF_MAX(FAILURE_NS, answer->retry_after_ns);
        entry_of(base)->looked = false;
    }
    hf_turns_rest(base, pause_ns);
}

static void send(struct policy_entry *entry, const json_t *body)
{
    const struct hf_kube_call call =
        HF_KUBE_CALL(HF_KUBE_APPLY, HF_API_GROUP_VERSION, "syncpolicies", entry->base.name, .subresource = "status",
                     .body = body, .force = true, .timeout_ns = CALL_TIMEOUT_NS);
    struct hf_err err = HF_ERR_INIT;

    if (hf_turns_send(&entry->base, &call, &err) == 0)
        return;
    hf_log_err(writer_of(&entry->base)->p.env.world.log, HF_LOG_WARNING, "policy_status.failed", "policy",
               entry->base.name, &err);
    entry->looked = false;
    hf_turns_rest(&entry->base, FAILURE_NS);
}

/* At once, if the counts, the object or the outcome of a write have changed since the last look. */
static uint64_t due_ns(struct hf_turns_object *base)
{
    const struct policy_entry *entry = entry_of(base);
    const struct hf_policy_writer *writer = writer_of(base);
    const struct hf_policy_counts *counts = hf_policy_tally_counts(writer->tally, base->name);

    if (!writer->p.is_complete(writer->p.env.arg))
        return hf_mono_ns(writer->p.env.world.clock) + LOOK_NS;
    return counts != NULL && (!entry->looked || memcmp(counts, &entry->written, sizeof(*counts)) != 0) ? 0 : HF_NEVER;
}

static void look(struct hf_turns_object *base)
{
    struct policy_entry *entry = entry_of(base);
    struct hf_policy_writer *writer = writer_of(base);
    _cleanup_(hf_json_freep) json_t *body = NULL;
    int r = hf_policy_tally_status(writer->tally, entry->object, writer->p.unix_ns(writer->p.env.arg), &body);

    if (r == 0)
        r = hf_plain_tree(body);
    if (r < 0) {
        log_lack(writer, "SyncPolicy", entry->object, r);
        hf_turns_rest(base, FAILURE_NS);
        return;
    }
    entry->written = *hf_policy_tally_counts(writer->tally, base->name);
    entry->looked = true;
    if (body != NULL)
        send(entry, body);
}

/* ---- policies ---------------------------------------------------------------------------------------------------- */

static void drop_object(struct hf_turns_object *base)
{
    json_decref(entry_of(base)->object);
}

static const struct hf_turns_ops turns_ops = {.due_ns = due_ns,
                                              .begin = look,
                                              .answered = answered,
                                              .done = drop_object,
                                              .object_size = sizeof(struct policy_entry),
                                              .max_flying = SIZE_MAX,
                                              .turn_ns = HF_NS_PER_S / HF_POLICY_WRITER_PER_S};

static void upsert(void *arg, json_t *object)
{
    struct hf_policy_writer *writer = arg;
    const char *name = hf_json_str_or(object, "metadata.name", "");
    struct policy_entry *entry = NULL;
    int r = hf_policy_tally_take_policy(writer->tally, object);

    if (r == 0 && (entry = hf_turns_make(&writer->turns, name)) == NULL)
        r = -ENOMEM;
    if (r < 0) {
        log_lack(writer, "SyncPolicy", object, r);
        writer->subscription->source->decline(writer->subscription, name, true);
        return;
    }
    assert(entry != NULL);
    json_decref(entry->object);
    entry->object = json_incref(object);
    entry->looked = false;
    arm_soon(writer);
}

static void gone(void *arg, const char *name)
{
    struct hf_policy_writer *writer = arg;

    hf_policy_tally_drop_policy(writer->tally, name);
    (void)hf_strmap_remove(&writer->turns.objects, name);
}

static void contact(void *arg, enum hf_contact_kind kind, HF_UNUSED struct hf_server_date date,
                    const struct hf_err *err)
{
    const struct hf_policy_writer *writer = arg;

    if (kind == HF_CONTACT_LOST && err != NULL)
        hf_log_err(writer->p.env.world.log, HF_LOG_WARNING, "contact.lost", "kind", "SyncPolicy", err);
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
        hf_turns_arm(&writer->turns, 0);
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
    writer->source = hf_kube_source(params->env.kube);
    writer->tally = hf_policy_tally_new();
    struct hf_metric_family *family =
        hf_metric_family(params->env.world.metrics, HF_METRIC_COUNTER, "holdfast_controller_policy_writes_total",
                         "Writes of the status of SyncPolicies, by result.", HF_LABELS("result"));
    writer->wrote = hf_metric_with(family, HF_LABELS("written"));
    writer->failed = hf_metric_with(family, HF_LABELS("failed"));
    int r = hf_turns_init(&writer->turns, &writer->p.env, &turns_ops);
    if (writer->tally == NULL || r < 0)
        r = hf_err_set(err, ENOMEM, "out of memory");
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
    hf_source_unsubscribe(writer->subscription);
    hf_turns_done(&writer->turns);
    hf_policy_tally_free(writer->tally);
    free(writer);
}
