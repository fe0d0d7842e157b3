/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/fleet/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "base/list.h"
#include "codec/plain.h"
#include "web/metrics.h"

#define CALL_TIMEOUT_NS (10 * HF_NS_PER_S)
#define PAUSE_NS HF_NS_PER_S /* after a request without an answer */
#define MAX_PAUSE_NS (60 * HF_NS_PER_S)

/* To collect an EdgeNode takes three requests: its Node is really absent; what is there now; delete just that. */
enum write_step { WRITE, ASK_NODE, READ_EDGENODE, DELETE };

struct planned_write {
    struct hf_list link;
    struct hf_writer *writer;
    struct hf_kube_pending *pending;
    enum hf_rollout_effect_kind kind;
    enum write_step step;
    uint64_t id;
    char *name;
    json_t *body; /* of WRITE: the patch; of DELETE: the options */
};

struct hf_writer {
    struct hf_leader_env env;
    hf_writer_result *result;
    struct hf_list urgent, waiting, flying;
    size_t n_flying;
    struct hf_timer *timer;
    uint64_t paused_until_ns;
    struct hf_metric_family *counts;
};

static const char *const kind_names[] = {[HF_ROLLOUT_STATUS] = "status",
                                         [HF_ROLLOUT_TURNS] = "turns",
                                         [HF_ROLLOUT_SILENT] = "silent",
                                         [HF_ROLLOUT_COLLECT] = "collect"};

static void free_write(struct planned_write *write)
{
    hf_list_remove(&write->link);
    hf_kube_call_cancel(write->pending);
    free(write->name);
    json_decref(write->body);
    free(write);
}

static const char *result_name(int r)
{
    switch (r) {
    case 0:
        return "written";
    case -ESTALE:
        return "conflict";
    case -ENOENT:
        return "absent";
    case -EBADMSG:
    case -EACCES:
        return "refused";
    case -ECANCELED:
        return "cancelled";
    default:
        return "failed";
    }
}

static void finish(struct planned_write *write, int r, const json_t *object)
{
    struct hf_writer *writer = write->writer;
    uint64_t id = write->id;

    hf_metric_add(hf_metric_with(writer->counts, HF_LABELS(kind_names[write->kind], result_name(r))), 1);
    free_write(write);
    writer->result(writer->env.arg, id, r, object);
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

/* The part of the object that the controller alone writes, and so replaces as a whole; NULL: it applies single fields.
 * An apply would leave in place what somebody else owns, too: a node that applied its own turn would keep it. */
static const char *whole_part(enum hf_rollout_effect_kind kind)
{
    return kind == HF_ROLLOUT_TURNS ? "/spec" : kind == HF_ROLLOUT_STATUS ? "/status" : NULL;
}

/* A JSON patch; "add" also replaces. The resourceVersion makes it conditional (409). */
static json_t *replacement(const json_t *object, const char *part)
{
    return json_pack("[{s:s, s:s, s:s}, {s:s, s:s, s:O?}]", "op", "add", "path", "/metadata/resourceVersion", "value",
                     hf_json_str_or(object, "metadata.resourceVersion", ""), "op", "add", "path", part, "value",
                     json_object_get(object, part + 1));
}

static struct hf_kube_call call_of(const struct planned_write *write)
{
    bool is_whole = whole_part(write->kind) != NULL;
    struct hf_kube_call call = HF_KUBE_CALL(is_whole ? HF_KUBE_JSON_PATCH : HF_KUBE_APPLY, HF_API_GROUP_VERSION,
                                            write->kind == HF_ROLLOUT_STATUS ? "edgeupdates" : "edgenodes", write->name,
                                            .subresource = write->kind == HF_ROLLOUT_TURNS ? NULL : "status",
                                            .body = write->body, .force = !is_whole, .timeout_ns = CALL_TIMEOUT_NS);

    if (write->step == WRITE)
        return call;
    call.verb = write->step == DELETE ? HF_KUBE_DELETE : HF_KUBE_GET;
    call.subresource = NULL;
    call.force = false;
    call.metadata_only = write->step != DELETE;
    if (write->step == ASK_NODE) {
        call.api_version = "v1";
        call.plural = "nodes";
    }
    return call;
}

static void answered(void *arg, const struct hf_kube_answer *answer);

static int send(struct planned_write *write)
{
    const struct hf_kube_call call = call_of(write);
    struct hf_err err = HF_ERR_INIT;
    int r = hf_kube_call_send(write->writer->env.kube, &call, answered, write, &write->pending, &err);

    if (r < 0)
        hf_log_err(write->writer->env.world.log, HF_LOG_WARNING, "write.failed", "object", write->name, &err);
    return r;
}

/* Prepares the next request of a collection. Returns 1 if there is one, 0 if the collection is done, or the result. */
static int next_step(struct planned_write *write, const struct hf_kube_answer *answer)
{
    const char *uid, *version;

    if (write->kind != HF_ROLLOUT_COLLECT || write->step == DELETE)
        return answer->r;
    if (write->step == ASK_NODE) {
        write->step = READ_EDGENODE;
        return answer->r == -ENOENT ? 1 : answer->r == 0 ? -ESTALE : answer->r; /* the Node is there: keep it */
    }
    uid = hf_json_str_or(answer->object, "metadata.uid", "");
    version = hf_json_str_or(answer->object, "metadata.resourceVersion", "");
    if (answer->r < 0 || uid[0] == '\0' || version[0] == '\0')
        return answer->r < 0 ? answer->r : -EPROTO;
    write->step = DELETE;
    write->body = json_pack("{s:s, s:s, s:{s:s, s:s}}", "apiVersion", "v1", "kind", "DeleteOptions", "preconditions",
                            "uid", uid, "resourceVersion", version);
    return write->body != NULL ? 1 : -ENOMEM;
}

/* Keeps the other writes back while the server is busy or away. */
static void keep_back(struct hf_writer *writer, const struct hf_kube_answer *answer)
{
    uint64_t pause_ns = HF_MAX(PAUSE_NS, HF_MIN(answer->retry_after_ns, MAX_PAUSE_NS));

    if (answer->r == -EAGAIN || (answer->r < 0 && answer->status == 0))
        writer->paused_until_ns = hf_mono_ns(writer->env.world.clock) + pause_ns;
}

static void answered(void *arg, const struct hf_kube_answer *answer)
{
    struct planned_write *write = arg;
    struct hf_writer *writer = write->writer;

    write->pending = NULL;
    int r = next_step(write, answer);
    if (r > 0)
        r = writer->env.leads(writer->env.arg) ? send(write) : -ECANCELED;
    if (r == 0 && write->pending != NULL)
        return;
    writer->n_flying--;
    keep_back(writer, answer);
    if (r < 0 && r != -ESTALE && r != -ENOENT && r != -ECANCELED)
        hf_log(writer->env.world.log, HF_LOG_WARNING, "write.failed", HF_S("object", write->name),
               HF_S("what", kind_names[write->kind]), HF_S("error", HF_ERR_TEXT(&answer->err)));
    finish(write, r, write->step == WRITE ? answer->object : NULL);
    hf_writer_turn(writer);
}

/* ---- the queue --------------------------------------------------------------------------------------------------- */

static struct planned_write *first_of(struct hf_writer *writer)
{
    struct hf_list *head = hf_list_empty(&writer->urgent) ? &writer->waiting : &writer->urgent;

    return hf_list_empty(head) ? NULL : hf_container_of(head->next, struct planned_write, link);
}

static void start(struct planned_write *write)
{
    struct hf_writer *writer = write->writer;
    int r = writer->env.leads(writer->env.arg) ? send(write) : -ECANCELED;

    if (r < 0) {
        finish(write, r, NULL);
        return;
    }
    hf_list_remove(&write->link);
    hf_list_append(&writer->flying, &write->link);
    writer->n_flying++;
}

void hf_writer_turn(struct hf_writer *writer)
{
    uint64_t now = hf_mono_ns(writer->env.world.clock);
    struct planned_write *write;

    while ((write = first_of(writer)) != NULL && writer->n_flying < HF_WRITER_MAX_FLYING &&
           (now >= writer->paused_until_ns || !writer->env.leads(writer->env.arg)))
        start(write);
    if (write != NULL && now < writer->paused_until_ns)
        hf_timer_arm(writer->env.world.sched, writer->timer, writer->paused_until_ns - now);
}

static void fire(void *arg)
{
    hf_writer_turn(arg);
}

int hf_writer_add(struct hf_writer *writer, const struct hf_rollout_effect *effect)
{
    const char *part = whole_part(effect->kind);
    struct planned_write *write = calloc(1, sizeof(*write));

    if (write == NULL)
        return -ENOMEM;
    write->name = strdup(effect->name);
    write->body = part != NULL ? replacement(effect->body, part) : json_deep_copy(effect->body);
    /* The status repeats what nodes say; kubectl prints it. */
    bool good = effect->body == NULL || (write->body != NULL && (part != NULL || hf_plain_tree(write->body) == 0));
    if (write->name == NULL || !good) {
        json_decref(write->body);
        free(write->name);
        free(write);
        return -ENOMEM;
    }
    write->writer = writer;
    write->kind = effect->kind;
    write->step = effect->kind == HF_ROLLOUT_COLLECT ? ASK_NODE : WRITE;
    write->id = effect->id;
    hf_list_append(effect->is_urgent ? &writer->urgent : &writer->waiting, &write->link);
    return 0;
}

bool hf_writer_is_idle(const struct hf_writer *writer)
{
    return hf_list_empty(&writer->urgent) && hf_list_empty(&writer->waiting) && hf_list_empty(&writer->flying);
}

struct hf_writer *hf_writer_new(const struct hf_leader_env *env, hf_writer_result *result)
{
    struct hf_writer *writer = calloc(1, sizeof(*writer));

    if (writer == NULL)
        return NULL;
    writer->env = *env;
    writer->result = result;
    hf_list_init(&writer->urgent);
    hf_list_init(&writer->waiting);
    hf_list_init(&writer->flying);
    writer->timer = hf_timer_new(env->world.sched, fire, writer);
    writer->counts = hf_metric_family(env->world.metrics, HF_METRIC_COUNTER, "holdfast_controller_writes_total",
                                      "Writes of the controller, by kind and result.", HF_LABELS("kind", "result"));
    if (writer->timer == NULL) {
        free(writer);
        return NULL;
    }
    for (size_t i = 0; i < HF_LEN(kind_names); i++) /* there from the start, so that a first refusal is an increase */
        (void)hf_metric_with(writer->counts, HF_LABELS(kind_names[i], result_name(-EACCES)));
    return writer;
}

void hf_writer_free(struct hf_writer *writer)
{
    struct hf_list *lists[3], *it, *following;

    if (writer == NULL)
        return;
    lists[0] = &writer->urgent, lists[1] = &writer->waiting, lists[2] = &writer->flying;
    for (size_t i = 0; i < HF_LEN(lists); i++)
        hf_list_each(it, following, lists[i])
            free_write(hf_container_of(it, struct planned_write, link));
    hf_timer_free(writer->env.world.sched, writer->timer);
    free(writer);
}
