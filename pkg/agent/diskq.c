/* SPDX-License-Identifier: Apache-2.0 */
/* A job takes all waiting writes. A new write replaces a waiting write of the same object, file or resume point, and
 * goes to the end of the queue, so the number of objects, files and kinds bounds its length. A resume point waits
 * until all writes of objects of its kind that came before it are on disk, including those of refused versions.
 *
 * A failed write waits in the queue, together with the resume points of its kind, until the next write or
 * hf_diskq_retry() starts a job. If the cache refuses the name or the size of an object, the write can never
 * succeed, and is dropped; if memory runs out, a new write is lost. After that the queue saves only empty resume
 * points of the object's kind, and empties those that wait, so that the agent lists the whole kind at its next
 * start. */
#include "agent/diskq.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/strmap.h"
#include "os/file.h"

enum op_kind { OP_PUT, OP_REMOVE, OP_RESUME, OP_WRITE, OP_ERASE };

struct op {
    struct hf_list link;
    enum op_kind kind;
    char *place; /* API kind, or path of a file */
    char *name;  /* object; "" for other operations */
    json_t *object;
    struct hf_cache_resume resume;
    char *text;
    size_t n;
    int r;
    struct hf_err err;
};

struct hf_diskq {
    struct hf_diskq_params params;
    struct hf_job job;
    struct hf_list waiting;   /* operations in order */
    struct hf_list failed;    /* operations older than those in `waiting` */
    struct hf_list batch;     /* owned by the job while it runs */
    struct hf_strmap spoiled; /* kinds that lost an object: no resume point any more */
    bool all_spoiled;         /* true if there was no memory for an entry of `spoiled` */
    bool working, orphan;
    char failure[256];
    bool read_only; /* a write of the last job failed with EROFS */
    struct hf_metric *writes, *failures;
};

static void op_free(struct op *op)
{
    json_decref(op->object);
    free(op->place);
    free(op->name);
    free(op->text);
    free(op);
}

static struct op *op_at(struct hf_list *link)
{
    return hf_container_of(link, struct op, link);
}

static void drop_all(struct hf_list *ops)
{
    while (!hf_list_empty(ops)) {
        struct op *op = op_at(ops->next);
        hf_list_remove(&op->link);
        op_free(op);
    }
}

/* ---- on the worker ----------------------------------------------------------------------------------------------- */

static int perform(struct hf_diskq *queue, struct op *op)
{
    const struct hf_fs_ops *fs = queue->params.world.fs;

    switch (op->kind) {
    case OP_PUT:
        return hf_cache_put(queue->params.cache, op->place, op->object, &op->err);
    case OP_REMOVE:
        return hf_cache_remove(queue->params.cache, op->place, op->name, &op->err);
    case OP_RESUME:
        return hf_cache_set_resume(queue->params.cache, op->place, &op->resume, &op->err);
    case OP_WRITE:
        return hf_file_replace(fs, op->place, op->text, op->n, 0600, &op->err);
    case OP_ERASE:
        return hf_file_forget(fs, op->place, &op->err);
    }
    return -EINVAL;
}

/* Returns true if a resume point of `kind` speaks of the objects in `place` too: those of the kind itself, and those of
 * the kind in which the cache keeps its refused versions. */
static bool belongs_to(const char *place, const char *kind)
{
    size_t n = strlen(kind);

    return strncmp(place, kind, n) == 0 && (place[n] == '\0' || strcmp(place + n, HF_DISKQ_REFUSED) == 0);
}

/* Returns true if an earlier operation on this kind failed in the batch. */
static bool must_wait(const struct hf_diskq *queue, const struct op *resume)
{
    for (struct hf_list *it = queue->batch.next; it != &resume->link; it = it->next) {
        const struct op *op = op_at(it);
        if (op->r < 0 && belongs_to(op->place, resume->place))
            return true;
    }
    return false;
}

static void work(struct hf_job *job)
{
    struct hf_diskq *queue = hf_container_of(job, struct hf_diskq, job);
    struct hf_list *it, *following;

    hf_list_each(it, following, &queue->batch) {
        struct op *op = op_at(it);
        op->r = op->kind == OP_RESUME && must_wait(queue, op) ? -EAGAIN : perform(queue, op);
    }
}

/* ---- on the loop ------------------------------------------------------------------------------------------------- */

static void start(struct hf_diskq *queue);

static bool can_never_succeed(int r)
{
    return r == -EINVAL || r == -E2BIG || r == -EFBIG || r == -EBADMSG || r == -ENAMETOOLONG;
}

static void destroy(struct hf_diskq *queue)
{
    drop_all(&queue->waiting);
    drop_all(&queue->failed);
    drop_all(&queue->batch);
    hf_strmap_done(&queue->spoiled);
    hf_cache_free(queue->params.cache);
    free(queue);
}

static bool same_thing(const struct op *a, const struct op *b)
{
    bool a_object = a->kind == OP_PUT || a->kind == OP_REMOVE, b_object = b->kind == OP_PUT || b->kind == OP_REMOVE;
    bool a_file = a->kind == OP_WRITE || a->kind == OP_ERASE, b_file = b->kind == OP_WRITE || b->kind == OP_ERASE;

    return a_object == b_object && a_file == b_file && strcmp(a->place, b->place) == 0 && strcmp(a->name, b->name) == 0;
}

static void drop_same(struct hf_list *ops, const struct op *as)
{
    struct hf_list *it, *following;

    hf_list_each(it, following, ops) {
        struct op *op = op_at(it);
        if (!same_thing(op, as))
            continue;
        hf_list_remove(it);
        op_free(op);
    }
}

static bool is_waiting(struct hf_diskq *queue, const struct op *op)
{
    struct hf_list *it, *following;

    hf_list_each(it, following, &queue->waiting)
        if (same_thing(op_at(it), op))
            return true;
    return false;
}

static void note_failure(struct hf_diskq *queue, const struct op *op)
{
    char text[sizeof(((struct hf_err *)0)->cause) * 2];

    hf_metric_add(queue->failures, 1);
    queue->read_only = queue->read_only || op->r == -EROFS;
    (void)snprintf(queue->failure, sizeof(queue->failure), "%.*s", (int)sizeof(queue->failure) - 1,
                   hf_err_text(&op->err, text, sizeof(text)));
    hf_log_err(queue->params.world.log, HF_LOG_ERROR, "disk.write_failed", "what", op->place, &op->err);
}

static bool is_spoiled(const struct hf_diskq *queue, const char *kind)
{
    for (size_t i = 0; i < queue->spoiled.n; i++)
        if (belongs_to(queue->spoiled.entries[i].key, kind))
            return true;
    return queue->all_spoiled;
}

static void empty_spoiled(const struct hf_diskq *queue, struct hf_list *ops)
{
    struct hf_list *it, *following;

    hf_list_each(it, following, ops) {
        struct op *op = op_at(it);
        if (op->kind == OP_RESUME && is_spoiled(queue, op->place))
            op->resume.resource_version[0] = '\0';
    }
}

/* The disk lacks an object of this kind for good. A resume point that includes the object would make the next process
 * watch from behind it, so the resume points that are not saved yet become empty, too. */
static void spoil(struct hf_diskq *queue, const char *kind)
{
    queue->all_spoiled = hf_strmap_put(&queue->spoiled, kind, NULL) < 0 || queue->all_spoiled;
    empty_spoiled(queue, &queue->waiting);
    empty_spoiled(queue, &queue->failed);
    if (!queue->working)
        empty_spoiled(queue, &queue->batch);
}

static void settle(struct hf_diskq *queue, struct op *op, bool cancelled)
{
    if (!cancelled && op->r == 0) {
        hf_metric_add(queue->writes, 1);
        op_free(op);
        return;
    }
    if (!cancelled && op->r != -EAGAIN)
        note_failure(queue, op);
    if (!cancelled && can_never_succeed(op->r)) {
        spoil(queue, op->place);
        op_free(op);
    } else if (is_waiting(queue, op)) {
        op_free(op);
    } else {
        hf_list_append(&queue->failed, &op->link);
    }
}

static void done(struct hf_job *job, int cancelled)
{
    struct hf_diskq *queue = hf_container_of(job, struct hf_diskq, job);

    queue->working = false;
    if (queue->orphan) {
        destroy(queue);
        return;
    }
    queue->failure[0] = '\0';
    queue->read_only = false;
    while (!hf_list_empty(&queue->batch)) {
        struct op *op = op_at(queue->batch.next);
        hf_list_remove(&op->link);
        settle(queue, op, cancelled != 0);
    }
    if (cancelled == 0)
        start(queue);
    queue->params.changed(queue->params.arg);
}

static void move_all(struct hf_list *from, struct hf_list *to)
{
    while (!hf_list_empty(from)) {
        struct hf_list *link = from->next;
        hf_list_remove(link);
        hf_list_append(to, link);
    }
}

static void start(struct hf_diskq *queue)
{
    if (queue->working || hf_list_empty(&queue->waiting))
        return;
    move_all(&queue->failed, &queue->batch); /* they are older */
    move_all(&queue->waiting, &queue->batch);
    queue->working = hf_job_submit(queue->params.world.sched, &queue->job) == 0;
    if (!queue->working)
        move_all(&queue->batch, &queue->failed);
}

static struct op *op_new(enum op_kind kind, const char *place, const char *name)
{
    struct op *op = calloc(1, sizeof(*op));

    if (op == NULL)
        return NULL;
    hf_list_init(&op->link);
    op->kind = kind;
    op->place = strdup(place);
    op->name = strdup(name);
    if (op->place != NULL && op->name != NULL)
        return op;
    op_free(op);
    return NULL;
}

/* Out of memory loses the write. The object stays in memory, and its next change writes it. `lost`: the kind whose
 * object is then lost, or NULL. */
static void add(struct hf_diskq *queue, struct op *op, bool complete, const char *lost)
{
    if (op == NULL || !complete) {
        if (lost != NULL)
            spoil(queue, lost);
        if (op != NULL)
            op_free(op);
        (void)snprintf(queue->failure, sizeof(queue->failure), "out of memory");
        return;
    }
    drop_same(&queue->waiting, op);
    drop_same(&queue->failed, op);
    hf_list_append(&queue->waiting, &op->link);
    start(queue);
}

void hf_diskq_put(struct hf_diskq *queue, const char *kind, const json_t *object)
{
    struct op *op = op_new(OP_PUT, kind, hf_json_str_or(object, "metadata.name", ""));

    if (op != NULL)
        op->object = json_deep_copy(object); /* threads share nothing */
    add(queue, op, op != NULL && op->object != NULL, kind);
}

void hf_diskq_remove(struct hf_diskq *queue, const char *kind, const char *name)
{
    add(queue, op_new(OP_REMOVE, kind, name), true, kind);
}

void hf_diskq_set_resume(struct hf_diskq *queue, const char *kind, const struct hf_cache_resume *resume)
{
    struct op *op = op_new(OP_RESUME, kind, "");

    if (op != NULL) {
        op->resume = *resume;
        if (is_spoiled(queue, kind))
            op->resume.resource_version[0] = '\0';
    }
    add(queue, op, true, NULL);
}

void hf_diskq_write(struct hf_diskq *queue, const char *path, struct hf_view text)
{
    struct op *op = op_new(OP_WRITE, path, "");

    if (op != NULL) {
        op->text = hf_view_dup(text);
        op->n = text.n;
    }
    add(queue, op, op != NULL && op->text != NULL, NULL);
}

void hf_diskq_erase(struct hf_diskq *queue, const char *path)
{
    add(queue, op_new(OP_ERASE, path, ""), true, NULL);
}

void hf_diskq_retry(struct hf_diskq *queue)
{
    if (queue->working || hf_list_empty(&queue->failed))
        return;
    move_all(&queue->waiting, &queue->failed);
    move_all(&queue->failed, &queue->waiting);
    start(queue);
}

bool hf_diskq_idle(const struct hf_diskq *queue)
{
    return !queue->working && hf_list_empty(&queue->waiting);
}

bool hf_diskq_failing(const struct hf_diskq *queue, char *text, size_t n)
{
    (void)snprintf(text, n, "%s", queue->failure);
    return queue->failure[0] != '\0';
}

bool hf_diskq_is_read_only(const struct hf_diskq *queue)
{
    return queue->read_only;
}

struct hf_diskq *hf_diskq_new(const struct hf_diskq_params *params)
{
    struct hf_diskq *queue = calloc(1, sizeof(*queue));

    if (queue == NULL)
        return NULL;
    queue->params = *params;
    queue->job = (struct hf_job){.work = work, .done = done};
    hf_list_init(&queue->waiting);
    hf_list_init(&queue->failed);
    hf_list_init(&queue->batch);
    queue->writes = hf_metric_counter(params->world.metrics, "holdfast_disk_writes_total",
                                      "Durable writes of cached objects, resume points and small state files.");
    queue->failures = hf_metric_counter(params->world.metrics, "holdfast_disk_write_failures_total",
                                        "Durable writes that failed; the agent retries them.");
    return queue;
}

void hf_diskq_free(struct hf_diskq *queue)
{
    if (queue == NULL)
        return;
    if (queue->working)
        queue->orphan = true;
    else
        destroy(queue);
}
