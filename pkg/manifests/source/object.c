/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/source/object.h"

#include "base/encoding/cut.h"

#include <errno.h>
#include <string.h>

static void on_upsert(void *arg, json_t *json)
{
    struct hf_source_object *object = arg;

    if (strcmp(hf_json_str_or(json, "metadata.name", ""), object->name) != 0)
        return;
    object->seen = true;
    object->trouble = object->absent = false;
    object->unreadable.reason = HF_MANIFEST_REASON_NONE;
    object->changed(object->source, json);
}

static void report_absent(const struct hf_source_object *object)
{
    struct hf_source_failure failure = {.reason = HF_MANIFEST_REASON_SOURCE_GONE};

    (void)hf_err_set(&failure.err, ENOENT, "%s '%.63s/%.200s' does not exist", object->kind, object->ns, object->name);
    hf_source_report(object->source, &failure, false, 0);
}

static void on_gone(void *arg, const char *name)
{
    struct hf_source_object *object = arg;

    if (strcmp(name, object->name) != 0)
        return;
    object->absent = true;
    object->trouble = false;
    object->unreadable.reason = HF_MANIFEST_REASON_NONE;
    report_absent(object);
}

/* Without a proof the source cannot say that the object is gone: behind a MetaServer the answer may come from a store
 * that never held it. */
static void on_synced(void *arg, HF_UNUSED const char *resource_version)
{
    struct hf_source_object *object = arg;
    struct hf_source_failure failure;

    if (object->seen || object->absent || object->trouble)
        return;
    object->trouble = true;
    (void)hf_failure_set(&failure, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, ENOENT,
                         "the answer has no %s '%.63s/%.100s', but it may not come from the cloud", object->kind,
                         object->ns, object->name);
    hf_source_report(object->source, &failure, false, 0);
}

static void explain(const struct hf_source_object *object, const struct hf_err *err, struct hf_source_failure *failure)
{
    char why[300];

    (void)hf_err_text(err, why, sizeof(why));
    if (err->code == EACCES && hf_kube_is_metaserver(object->source->p.env->kube))
        (void)hf_failure_set(failure, HF_MANIFEST_REASON_API_REFUSED, EACCES, "%s '%.40s/%.60s': %s", object->kind,
                             object->ns, object->name, HF_CUT(180, err->cause));
    else if (err->code == EACCES)
        (void)hf_failure_set(failure, HF_MANIFEST_REASON_API_REFUSED, EACCES,
                             "the agent may not read %s '%.40s/%.60s': give it the verbs get, list and watch for this "
                             "kind in this namespace (%s)",
                             object->kind, object->ns, object->name, HF_CUT(80, why));
    else if (err->code == ENOENT)
        (void)hf_failure_set(failure, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, ENOENT,
                             "the API server does not have the kind %s (%s)", object->kind, HF_CUT(180, why));
    else
        (void)hf_failure_set(failure, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, EHOSTUNREACH, "%s '%.40s/%.60s': %s",
                             object->kind, object->ns, object->name, HF_CUT(120, why));
}

/* While the link is down, a content that the node has stays valid: nothing to say. */
static void on_contact(void *arg, enum hf_contact_kind contact, HF_UNUSED struct hf_server_date date,
                       const struct hf_err *err)
{
    struct hf_source_object *object = arg;
    bool refused = err != NULL && (err->code == EACCES || err->code == ENOENT);
    struct hf_source_failure failure;

    if (contact == HF_CONTACT_PROVEN)
        object->refused = 0;
    if (contact == HF_CONTACT_PROVEN && object->trouble &&
        (object->seen || object->absent || object->unreadable.reason != HF_MANIFEST_REASON_NONE)) {
        object->trouble = false;
        if (object->unreadable.reason != HF_MANIFEST_REASON_NONE)
            hf_source_report(object->source, &object->unreadable, false, 0);
        else if (object->absent) /* nothing has shown it since */
            report_absent(object);
        else
            hf_source_unchanged(object->source);
    } else if (contact == HF_CONTACT_LOST && err != NULL &&
               (refused ? object->refused != err->code : !object->seen && !object->trouble)) {
        object->trouble = true;
        object->refused = refused ? err->code : 0;
        explain(object, err, &failure);
        hf_source_report(object->source, &failure, false, 0);
    }
}

static void on_unreadable(void *arg, const char *name, const struct hf_err *err)
{
    struct hf_source_object *object = arg;

    (void)name;
    object->unreadable.reason = HF_MANIFEST_REASON_NONE;
    if (err == NULL)
        return;
    object->trouble = true;
    (void)hf_failure_set(&object->unreadable, HF_MANIFEST_REASON_SOURCE_INVALID, EBADMSG, "%s '%.40s/%.60s': %s",
                         object->kind, object->ns, object->name, HF_CUT(120, HF_ERR_TEXT(err)));
    hf_source_report(object->source, &object->unreadable, false, 0);
}

int hf_source_object_start(struct hf_source_object *object, struct hf_err *err)
{
    const struct hf_source_sink sink = {
        .arg = object,
        .upsert = on_upsert,
        .gone = on_gone,
        .synced = on_synced,
        .contact = on_contact,
        .unreadable_object = on_unreadable,
    };
    struct hf_kube *kube = object->source->p.env->kube;

    if (kube == NULL)
        return hf_err_set(err, EOPNOTSUPP, "the agent reads a folder, so it has no API server with a %s", object->kind);
    return hf_kube_follow(kube, object->kind, object->ns, object->name, &sink, &object->subscription, err);
}

void hf_source_object_refresh(struct hf_source_object *object)
{
    object->subscription->source->refresh(object->subscription);
}

void hf_source_object_stop(struct hf_source_object *object)
{
    hf_source_unsubscribe(hf_steal(object->subscription));
}
