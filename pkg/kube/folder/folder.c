/* SPDX-License-Identifier: Apache-2.0 */
/* A folder as a source: a timer, a scan on a worker, and the difference from what was reported.
 *
 * folder_scan.c brings the view up to date; while it runs, the view belongs to the worker. When it ends, all_objects()
 * joins the files to one map "Kind/name" to text, and report_changes() compares it with `objects`, the map as
 * reported. A new subscriber gets the whole map; names that it held before are in the map as null until a complete
 * scan has judged them.
 *
 * If two scans in a row miss a file, its objects are gone, but only while every other file is readable (objects may
 * have moved), there is any YAML or JSON file (to remove all, leave an empty one) and at most HF_FOLDER_MAX_FILES.
 *
 * Subscribers are called only from the end of a scan or of a write. They may then subscribe, unsubscribe and free the
 * folder, so `reporting` delays what would free something under our feet: the dead go in end_reports(), the folder when
 * its last job has ended. Writes go one by one, in order, on a worker; the answer comes after the file is durable.
 *
 * The timer also watches the scan: one that hangs in the kernel is contact lost, and its end brings contact back. */
#include "kube/folder/folder.h"

#include <errno.h>
#include <string.h>

#include "kube/folder/folder_objects.h"
#include "kube/folder/folder_scan.h"
#include "kube/folder/folder_status.h"
#include "kube/resource.h"

enum { FIRST_SCANS = 3 }; /* a file that never stops changing delays the first reports no longer than this */

#define CONTACT_NS (60 * HF_NS_PER_S) /* shortest time between two reports of unchanged contact */
#define STUCK_NS (60 * HF_NS_PER_S)   /* a scan that takes longer hangs in a file system that does not answer */

struct hf_folder {
    struct hf_folder_params p;
    char *dir, *status_dir;
    struct hf_source_ops ops;
    struct hf_timer *timer; /* starts a scan; runs while scanning, too, for STUCK_NS */
    struct hf_job scan;
    bool scanning, again;       /* a scan is under way; start another one at its end */
    bool freed;                 /* by its owner, while jobs are under way */
    struct hf_folder_view view; /* the job's while scanning */
    uint64_t now_unix_ns;       /* for the scan */
    uint64_t heard_ns;          /* last scan that succeeded; 0 none yet */
    json_t *objects;    /* "Kind/name": object's text as reported; null: a subscriber held it before, not judged yet */
    json_t *unreadable; /* names of files reported as such */
    json_t *twins;      /* files with an object that another file has, too: name to the reason */
    bool unjudged;      /* some `objects` are null */
    unsigned scans;
    bool was_complete, emptied_reported;
    bool unreported; /* the last scan found changes, and there was no memory to report them */
    bool reporting;  /* callbacks of subscribers are running */
    struct hf_timer *write_timer;
    struct hf_list subscriptions;
    struct hf_list deliveries; /* in order; the first may be under way */
};

struct folder_subscription {
    struct hf_subscription handle;
    struct hf_list link;
    const char *kind;
    char *name;
    json_t *known; /* names that the subscriber held before */
    struct hf_source_sink sink;
    bool reported; /* has got everything */
    bool relist;   /* and wants it once more */
    bool dead;
    bool contact_reported, in_contact, refreshed;
    uint64_t contact_ns;
};

struct folder_delivery {
    struct hf_delivery handle;
    struct hf_list link;
    struct hf_folder *folder;
    struct hf_job job;
    json_t *body, *answer;
    char *subresource;
    hf_source_done *done;
    void *arg;
    bool running, abandoned;
    int r;
    struct hf_err err;
};

/* The next subscription behind `sub` that is not dead, the first for NULL. */
static struct folder_subscription *next_live(struct hf_folder *folder, const struct folder_subscription *sub)
{
    struct hf_list *it = sub != NULL ? sub->link.next : folder->subscriptions.next;

    for (; it != &folder->subscriptions; it = it->next) {
        struct folder_subscription *found = hf_container_of(it, struct folder_subscription, link);
        if (!found->dead)
            return found;
    }
    return NULL;
}

/* ---- reports ----------------------------------------------------------------------------------------------------- */

static void report_refused(struct hf_folder *folder, const char *what, const struct hf_err *err)
{
    /* The kind of the object is unknown: the first subscriber hears it for all. */
    const struct folder_subscription *sub = next_live(folder, NULL);

    if (sub != NULL && sub->sink.refused != NULL)
        sub->sink.refused(sub->sink.arg, what, err);
}

static void report_unreadable(struct hf_folder *folder, const char *what, const struct hf_err *err)
{
    const struct folder_subscription *sub = next_live(folder, NULL);

    if (sub != NULL && sub->sink.unreadable != NULL)
        sub->sink.unreadable(sub->sink.arg, what, err);
}

static void report_issue(struct hf_folder *folder, const struct hf_folder_issue *issue)
{
    (void)json_object_set_new_nocheck(folder->unreadable, issue->what, json_true());
    report_refused(folder, issue->what, &issue->err);
    report_unreadable(folder, issue->what, &issue->err);
}

static void report_mended(struct hf_folder *folder)
{
    const char *name;
    json_t *value;
    void *next;

    json_object_foreach_safe(folder->unreadable, next, name, value)
    {
        if (!hf_folder_is_good(&folder->view, name) || json_object_get(folder->twins, name) != NULL)
            continue;
        report_unreadable(folder, name, NULL);
        (void)json_object_del(folder->unreadable, name);
    }
}

static bool wants(const struct folder_subscription *sub, const char *key)
{
    size_t n = strlen(sub->kind);

    return strncmp(key, sub->kind, n) == 0 && key[n] == '/' &&
           (sub->name == NULL || strcmp(sub->name, key + n + 1) == 0);
}

/* The object as a tree again. NULL on OOM: its next change reports it. */
static json_t *tree_of(const json_t *text)
{
    json_t *object = NULL;
    int r = hf_json_parse((struct hf_view){json_string_value(text), json_string_length(text)}, NULL, &object, NULL);

    return r == 0 ? object : NULL;
}

static void report_upsert(struct hf_folder *folder, const char *key, const json_t *text)
{
    _cleanup_(hf_json_freep) json_t *object = NULL;

    for (struct folder_subscription *sub = NULL; (sub = next_live(folder, sub)) != NULL;) {
        if (!sub->reported || !wants(sub, key) || sub->sink.upsert == NULL)
            continue;
        if (object == NULL)
            object = tree_of(text);
        if (object != NULL)
            sub->sink.upsert(sub->sink.arg, object);
    }
}

/* `unjudged`: only subscribers that held it before hear that it is gone; no other has heard of it. */
static void report_gone(struct hf_folder *folder, const char *key, bool unjudged)
{
    const char *name = strchr(key, '/') + 1;

    for (struct folder_subscription *sub = NULL; (sub = next_live(folder, sub)) != NULL;) {
        if (!wants(sub, key))
            continue;
        bool knew = json_object_del(sub->known, name) == 0;
        if ((knew || (sub->reported && !unjudged)) && sub->sink.gone != NULL)
            sub->sink.gone(sub->sink.arg, name);
    }
}

/* `lost`: why there is no contact; NULL: there is. */
static void report_contact(struct hf_folder *folder, const struct hf_err *lost)
{
    bool proven = lost == NULL;
    uint64_t now = hf_mono_ns(folder->p.world.clock);

    if (proven)
        folder->heard_ns = now;
    for (struct folder_subscription *sub = NULL; (sub = next_live(folder, sub)) != NULL;) {
        if (sub->contact_reported && sub->in_contact == proven && !sub->refreshed && now - sub->contact_ns < CONTACT_NS)
            continue;
        sub->contact_reported = true;
        sub->refreshed = false;
        sub->in_contact = proven;
        sub->contact_ns = now;
        if (sub->sink.contact != NULL)
            sub->sink.contact(sub->sink.arg, proven ? HF_CONTACT_PROVEN : HF_CONTACT_LOST, (struct hf_server_date){0},
                              lost);
    }
}

/* ---- from a scan to what changed --------------------------------------------------------------------------------- */

struct merge {
    json_t *all;     /* "Kind/name": the object's text */
    json_t *origins; /* "Kind/name": the file that it comes from */
    json_t *twins;   /* see struct hf_folder */
};

/* Puts the object in, unless a file before this one has it with a higher sequence, as when the next version lies beside
 * the old one. Nothing decides between two different objects with one sequence: the first file counts, and the other
 * one is refused. */
static int add_object(const struct merge *merge, const char *file, const char *key, json_t *text)
{
    const char *other = json_string_value(json_object_get(merge->origins, key));
    json_t *before = json_object_get(merge->all, key);

    if (other != NULL) {
        _cleanup_(hf_json_freep) json_t *first = tree_of(before), *second = tree_of(text);
        enum hf_folder_twin twin = hf_folder_twin_of(first, second);
        if (twin == HF_FOLDER_TWIN_SAME || twin == HF_FOLDER_TWIN_FIRST)
            return 0;
        if (twin == HF_FOLDER_TWIN_CLASH) {
            _cleanup_(hf_freep) char *why = hf_asprintf(
                "'%s' is in '%s' too, with the same sequence, and the agent uses that one: remove one of them", key,
                other);
            return why == NULL ? -ENOMEM : json_object_set_new_nocheck(merge->twins, file, json_string_nocheck(why));
        }
    }
    int r = json_object_set(merge->all, key, text);
    return r < 0 ? r : json_object_set_new(merge->origins, key, json_string_nocheck(file));
}

static int add_objects(const struct hf_folder_file *file, const struct merge *merge)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i + 1 < json_array_size(file->objects); i += 2)
        r = add_object(merge, file->name, json_string_value(json_array_get(file->objects, i)),
                       json_array_get(file->objects, i + 1));
    return r;
}

/* Every object that the folder holds now. While some file is unread, a missing object may be in that one and stays.
 * NULL if memory runs out. */
static json_t *all_objects(const struct hf_folder *folder, json_t **ret_twins)
{
    _cleanup_(hf_json_freep) json_t *all = json_object(), *origins = json_object(), *twins = json_object();
    const struct merge merge = {.all = all, .origins = origins, .twins = twins};
    int r = all != NULL && origins != NULL && twins != NULL ? 0 : -ENOMEM;
    const char *key;
    json_t *object;

    for (size_t i = 0; r == 0 && i < folder->view.n; i++)
        r = add_objects(&folder->view.files[i], &merge);
    json_object_foreach(folder->objects, key, object) {
        if (r == 0 && !folder->view.complete && json_object_get(all, key) == NULL)
            r = json_object_set(all, key, object);
    }
    if (r < 0)
        return NULL;
    *ret_twins = hf_steal(twins);
    return hf_steal(all);
}

/* Takes over `twins`, and reports those that are new. */
static void report_twins(struct hf_folder *folder, json_t *twins)
{
    json_t *before = folder->twins, *reason;
    const char *name;

    folder->twins = json_incref(twins); /* callbacks may change it */
    json_object_foreach(twins, name, reason) {
        struct hf_folder_issue issue = {.err = HF_ERR_INIT};
        if (json_equal(reason, json_object_get(before, name)) != 0)
            continue;
        (void)snprintf(issue.what, sizeof(issue.what), "%s", name);
        (void)hf_err_set(&issue.err, EEXIST, "%s", json_string_value(reason));
        report_issue(folder, &issue);
    }
    json_decref(twins);
    json_decref(before);
}

/* An empty folder is a pulled USB stick or a failed checkout: no object counts as gone. */
static bool was_emptied(struct hf_folder *folder)
{
    struct hf_err err = HF_ERR_INIT;
    bool emptied = folder->view.n == 0 && json_object_size(folder->objects) > 0;

    if (emptied && !folder->emptied_reported) {
        (void)hf_err_set(&err, ESTALE,
                         "folder '%s' is empty: all objects stay in force; to remove them, leave an empty .yaml file",
                         folder->dir);
        report_refused(folder, "folder", &err);
    }
    folder->emptied_reported = emptied;
    return emptied;
}

/* -ENOMEM: nothing is reported, because no object may look gone for lack of memory. */
static int report_changes(struct hf_folder *folder)
{
    json_t *old = folder->objects, *twins = NULL, *all = all_objects(folder, &twins), *object;
    const char *key;

    if (all == NULL)
        return -ENOMEM;
    report_twins(folder, twins);
    folder->objects = json_incref(all); /* callbacks may change it: hold what we walk over */
    json_object_foreach(all, key, object) {
        if (json_is_string(object) && json_equal(object, json_object_get(old, key)) == 0)
            report_upsert(folder, key, object);
    }
    json_object_foreach(old, key, object) {
        if (json_object_get(all, key) == NULL)
            report_gone(folder, key, json_is_null(object));
    }
    json_decref(all);
    json_decref(old);
    return 0;
}

/* Reports everything there is: the first time, or because the subscriber asked for it. */
static void report_everything(struct hf_folder *folder, struct folder_subscription *sub)
{
    const char *key;
    json_t *text;

    sub->reported = true;
    sub->relist = false;
    json_object_foreach(folder->objects, key, text) {
        _cleanup_(hf_json_freep) json_t *object = NULL;
        if (sub->dead || sub->sink.upsert == NULL || !wants(sub, key) || !json_is_string(text))
            continue;
        object = tree_of(text);
        if (object != NULL)
            sub->sink.upsert(sub->sink.arg, object);
    }
    if (!sub->dead && !sub->relist && sub->sink.synced != NULL)
        sub->sink.synced(sub->sink.arg, "");
}

/* True while a new file is still being written: the next scan reads it, and a new subscriber gets everything at
 * once. */
static bool still_moving(const struct hf_folder_view *view)
{
    for (size_t i = 0; i < view->n; i++)
        if (!view->files[i].failed && view->files[i].objects == NULL)
            return true;
    return false;
}

static void take_scan(struct hf_folder *folder)
{
    bool news = folder->view.changed || folder->view.complete != folder->was_complete || folder->unreported;

    for (size_t i = 0; i < HF_MIN(folder->view.n_issues, (size_t)HF_FOLDER_MAX_ISSUES); i++)
        report_issue(folder, &folder->view.issues[i]);
    report_contact(folder, folder->view.r < 0 ? &folder->view.err : NULL);
    if (folder->view.r < 0)
        return;
    folder->unreported = !was_emptied(folder) && (news || folder->unjudged) && report_changes(folder) < 0;
    if (folder->unreported)
        return;
    report_mended(folder);
    folder->was_complete = folder->view.complete;
    folder->unjudged = false;
    folder->scans++;
    for (struct folder_subscription *sub = NULL; (sub = next_live(folder, sub)) != NULL;)
        if (sub->relist || (!sub->reported && (!still_moving(&folder->view) || folder->scans >= FIRST_SCANS)))
            report_everything(folder, sub);
}

/* ---- scanning ---------------------------------------------------------------------------------------------------- */

static void folder_free(struct hf_folder *folder);

static uint64_t period_of(const struct hf_folder *folder)
{
    return folder->p.period_ns > 0 ? folder->p.period_ns : HF_NS_PER_S;
}

static void scan_work(struct hf_job *job)
{
    struct hf_folder *folder = hf_container_of(job, struct hf_folder, scan);

    hf_folder_scan(folder->p.world.fs, folder->dir, folder->now_unix_ns, period_of(folder), &folder->view);
}

static void sub_free(struct folder_subscription *sub)
{
    hf_list_remove(&sub->link);
    json_decref(sub->known);
    free(sub->name);
    free(sub);
}

static void free_the_dead(struct hf_folder *folder)
{
    struct hf_list *it, *next;

    hf_list_each(it, next, &folder->subscriptions) {
        struct folder_subscription *sub = hf_container_of(it, struct folder_subscription, link);
        if (sub->dead)
            sub_free(sub);
    }
}

/* The callbacks have returned: free what they ended. False: the folder itself is freed. */
static bool end_reports(struct hf_folder *folder)
{
    folder->reporting = false;
    free_the_dead(folder);
    if (folder->freed) {
        folder_free(folder);
        return false;
    }
    return true;
}

static void scan_done(struct hf_job *job, int cancelled)
{
    struct hf_folder *folder = hf_container_of(job, struct hf_folder, scan);

    folder->scanning = false;
    if (folder->freed) {
        folder_free(folder);
        return;
    }
    if (cancelled)
        return;
    folder->reporting = true;
    take_scan(folder);
    if (!end_reports(folder))
        return;
    hf_timer_arm(folder->p.world.sched, folder->timer, folder->again ? 0 : period_of(folder));
    folder->again = false;
}

/* The scan still runs: `view` is the worker's. */
static void report_stuck(struct hf_folder *folder)
{
    struct hf_err err = HF_ERR_INIT;

    (void)hf_err_set(&err, ETIMEDOUT, "the file system of the folder '%s' does not answer", folder->dir);
    folder->reporting = true;
    report_contact(folder, &err);
    if (end_reports(folder))
        hf_timer_arm(folder->p.world.sched, folder->timer, STUCK_NS);
}

static void timer_fires(void *arg)
{
    struct hf_folder *folder = arg;

    if (folder->scanning && atomic_load(&folder->scan.begun)) {
        report_stuck(folder);
        return;
    }
    if (folder->scanning) { /* no worker has been free for it yet */
        hf_timer_arm(folder->p.world.sched, folder->timer, STUCK_NS);
        return;
    }
    folder->now_unix_ns = hf_unix_ns(folder->p.world.clock);
    folder->scan = (struct hf_job){.work = scan_work, .done = scan_done};
    folder->scanning = true;
    if (hf_job_submit(folder->p.world.sched, &folder->scan) < 0) {
        folder->scanning = false;
        hf_timer_arm(folder->p.world.sched, folder->timer, period_of(folder));
        return;
    }
    hf_timer_arm(folder->p.world.sched, folder->timer, STUCK_NS);
}

static void scan_soon(struct hf_folder *folder)
{
    if (folder->scanning)
        folder->again = true;
    else
        hf_timer_arm(folder->p.world.sched, folder->timer, 0);
}

/* ---- kube/source.h ----------------------------------------------------------------------------------------------- */

/* The next complete scan judges what a subscriber held before. */
static int note_known(struct hf_folder *folder, struct folder_subscription *sub, const char *const *known)
{
    for (; known != NULL && *known != NULL; known++) {
        _cleanup_(hf_freep) char *key = hf_asprintf("%s/%s", sub->kind, *known);
        if (key == NULL || json_object_set_new(sub->known, *known, json_true()) < 0)
            return -ENOMEM;
        if (json_object_get(folder->objects, key) != NULL)
            continue;
        if (json_object_set_new(folder->objects, key, json_null()) < 0)
            return -ENOMEM;
        folder->unjudged = true;
    }
    return 0;
}

static int folder_subscribe(void *ctx, const char *kind, const char *name, HF_UNUSED const char *resume,
                            const char *const *known, const struct hf_source_sink *sink,
                            struct hf_subscription **ret_subscription, struct hf_err *err)
{
    struct hf_folder *folder = ctx;
    const struct hf_resource *resource = hf_resource_find(kind);

    if (resource == NULL)
        return hf_err_set(err, EINVAL, "cannot subscribe to '%s'", kind);
    struct folder_subscription *sub = calloc(1, sizeof(*sub));
    if (sub == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    *sub = (struct folder_subscription){
        .handle = {&folder->ops}, .kind = resource->kind, .sink = *sink, .known = json_object()};
    hf_list_append(&folder->subscriptions, &sub->link);
    if (name != NULL)
        sub->name = strdup(name);
    if (sub->known == NULL || (name != NULL && sub->name == NULL) || note_known(folder, sub, known) < 0) {
        sub_free(sub);
        return hf_err_set(err, ENOMEM, "out of memory");
    }
    scan_soon(folder);
    *ret_subscription = &sub->handle;
    return 0;
}

static struct folder_subscription *ours(struct hf_subscription *subscription)
{
    return hf_container_of(subscription, struct folder_subscription, handle);
}

static void folder_unsubscribe(struct hf_subscription *subscription)
{
    const struct hf_folder *folder = subscription->source->ctx;
    struct folder_subscription *sub = ours(subscription);

    sub->dead = true;
    if (!folder->reporting)
        sub_free(sub);
}

static void folder_refresh(struct hf_subscription *subscription)
{
    ours(subscription)->refreshed = true;
    scan_soon(subscription->source->ctx);
}

/* A declined object stays in its file: there is nothing to remember. */
static void folder_decline(HF_UNUSED struct hf_subscription *subscription, HF_UNUSED const char *name,
                           HF_UNUSED bool matters)
{
}

/* A scan of the folder is never outdated. */
static void folder_holds(HF_UNUSED struct hf_subscription *subscription, HF_UNUSED const char *name,
                         HF_UNUSED const char *resource_version)
{
}

static void folder_relist(struct hf_subscription *subscription)
{
    struct folder_subscription *sub = ours(subscription);

    sub->relist = sub->reported;
    scan_soon(subscription->source->ctx);
}

/* ---- status ------------------------------------------------------------------------------------------------------ */

static void delivery_free(struct folder_delivery *delivery)
{
    hf_list_remove(&delivery->link);
    json_decref(delivery->body);
    json_decref(delivery->answer);
    free(delivery->subresource);
    free(delivery);
}

static void start_next(struct hf_folder *folder);

static void write_work(struct hf_job *job)
{
    struct folder_delivery *delivery = hf_container_of(job, struct folder_delivery, job);

    delivery->r = hf_folder_status_write(delivery->folder->p.world.fs, delivery->folder->status_dir, delivery->body,
                                         delivery->subresource, &delivery->answer, &delivery->err);
}

static void write_done(struct hf_job *job, int cancelled)
{
    struct folder_delivery *delivery = hf_container_of(job, struct folder_delivery, job);
    struct hf_folder *folder = delivery->folder;
    int r = cancelled ? -EAGAIN : delivery->r;

    hf_list_remove(&delivery->link);
    delivery->running = false;
    folder->reporting = true;
    if (!delivery->abandoned)
        delivery->done(delivery->arg,
                       r < 0 && r != -EINVAL ? -EAGAIN
                       : r == -EINVAL        ? -EBADMSG
                                             : 0,
                       0, delivery->answer, r < 0 ? &delivery->err : NULL);
    delivery_free(delivery);
    if (end_reports(folder))
        start_next(folder);
}

/* One write at a time, in order: a status must not overtake the one before. */
static void start_next(struct hf_folder *folder)
{
    while (!hf_list_empty(&folder->deliveries)) {
        struct folder_delivery *delivery = hf_container_of(folder->deliveries.next, struct folder_delivery, link);
        if (delivery->running)
            return;
        delivery->job = (struct hf_job){.work = write_work, .done = write_done};
        delivery->running = true;
        if (hf_job_submit(folder->p.world.sched, &delivery->job) == 0)
            return;
        delivery->running = false;
        hf_timer_arm(folder->p.world.sched, folder->write_timer, period_of(folder));
        return;
    }
}

static void write_timer_fires(void *arg)
{
    start_next(arg);
}

static int folder_apply(void *ctx, const json_t *body, const char *subresource, hf_source_done *done, void *arg,
                        struct hf_delivery **ret_delivery, struct hf_err *err)
{
    struct hf_folder *folder = ctx;
    struct folder_delivery *delivery = calloc(1, sizeof(*delivery));

    if (delivery == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    *delivery = (struct folder_delivery){
        .handle = {&folder->ops}, .folder = folder, .done = done, .arg = arg, .body = json_deep_copy(body)};
    hf_list_append(&folder->deliveries, &delivery->link);
    if (subresource != NULL)
        delivery->subresource = strdup(subresource);
    if (delivery->body == NULL || (subresource != NULL && delivery->subresource == NULL)) {
        delivery_free(delivery);
        return hf_err_set(err, ENOMEM, "out of memory");
    }
    start_next(folder);
    *ret_delivery = &delivery->handle;
    return 0;
}

static uint64_t folder_heard_ns(void *ctx)
{
    const struct hf_folder *folder = ctx;

    return folder->heard_ns;
}

static void abandon(struct folder_delivery *delivery)
{
    delivery->abandoned = true;
    if (!delivery->running)
        delivery_free(delivery);
}

static void folder_abandon(struct hf_delivery *delivery)
{
    abandon(hf_container_of(delivery, struct folder_delivery, handle));
}

/* ---- making and freeing ------------------------------------------------------------------------------------------ */

struct hf_folder *hf_folder_new(const struct hf_folder_params *params, struct hf_err *err)
{
    struct hf_folder *folder = calloc(1, sizeof(*folder));

    if (folder == NULL) {
        (void)hf_err_set(err, ENOMEM, "out of memory");
        return NULL;
    }
    folder->p = *params;
    hf_list_init(&folder->subscriptions);
    hf_list_init(&folder->deliveries);
    folder->dir = strdup(params->dir);
    folder->status_dir = strdup(params->status_dir);
    folder->objects = json_object();
    folder->unreadable = json_object();
    folder->twins = json_object();
    folder->timer = hf_timer_new(params->world.sched, timer_fires, folder);
    folder->write_timer = hf_timer_new(params->world.sched, write_timer_fires, folder);
    folder->ops = (struct hf_source_ops){
        .ctx = folder,
        .subscribe = folder_subscribe,
        .unsubscribe = folder_unsubscribe,
        .refresh = folder_refresh,
        .decline = folder_decline,
        .holds = folder_holds,
        .relist = folder_relist,
        .apply = folder_apply,
        .abandon = folder_abandon,
        .heard_ns = folder_heard_ns,
    };
    if (folder->dir == NULL || folder->status_dir == NULL || folder->objects == NULL || folder->timer == NULL ||
        folder->write_timer == NULL) {
        (void)hf_err_set(err, ENOMEM, "out of memory");
        hf_folder_free(folder);
        return NULL;
    }
    return folder;
}

/* Frees the folder once no job is under way. */
static void folder_free(struct hf_folder *folder)
{
    if (folder->scanning || folder->reporting || !hf_list_empty(&folder->deliveries))
        return;
    while (!hf_list_empty(&folder->subscriptions))
        sub_free(hf_container_of(folder->subscriptions.next, struct folder_subscription, link));
    hf_folder_view_done(&folder->view);
    json_decref(folder->objects);
    json_decref(folder->unreadable);
    json_decref(folder->twins);
    free(folder->dir);
    free(folder->status_dir);
    free(folder);
}

void hf_folder_free(struct hf_folder *folder)
{
    struct hf_list *it, *next;

    if (folder == NULL)
        return;
    folder->freed = true;
    hf_timer_free(folder->p.world.sched, folder->timer);
    hf_timer_free(folder->p.world.sched, folder->write_timer);
    hf_list_each(it, next, &folder->subscriptions)
        hf_container_of(it, struct folder_subscription, link)->dead = true;
    hf_list_each(it, next, &folder->deliveries)
        abandon(hf_container_of(it, struct folder_delivery, link));
    folder_free(folder);
}

const struct hf_source_ops *hf_folder_source(struct hf_folder *folder)
{
    return &folder->ops;
}
