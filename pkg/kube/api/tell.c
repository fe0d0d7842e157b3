/* What a subscription tells its sink, and what it doubts. */
#include <errno.h>
#include <string.h>

#include "kube/api/client.h"

static uint64_t now_ns(const struct hf_subscription *sub)
{
    return hf_mono_ns(sub->kube->p.clock);
}

/* ---- telling the sink ---------------------------------------------------------------------------------------------- */

void hf_watcher_refused(struct hf_subscription *sub, const char *what, const struct hf_err *err)
{
    if (!sub->dead && sub->sink.refused != NULL)
        sub->sink.refused(sub->sink.arg, what, err);
}

void hf_watcher_tell_contact(struct hf_subscription *sub, enum hf_contact_kind kind, uint64_t date_unix_ns,
                             const struct hf_err *err)
{
    bool again = sub->contact_told && kind == HF_CONTACT_PROVEN && sub->contact == kind && date_unix_ns == 0;

    if (sub->dead || (again && now_ns(sub) - sub->contact_ns < HF_KUBE_CONTACT_NS))
        return;
    sub->contact_told = true;
    sub->contact = kind;
    sub->contact_ns = now_ns(sub);
    hf_kube_set_contact(sub->kube, kind == HF_CONTACT_PROVEN);
    if (sub->sink.contact != NULL)
        sub->sink.contact(sub->sink.arg, kind, date_unix_ns, err);
}

void hf_watcher_tell_mark(struct hf_subscription *sub)
{
    if (sub->dead || !sub->mark_untold)
        return;
    sub->mark_untold = false;
    if (sub->sink.mark != NULL)
        sub->sink.mark(sub->sink.arg, sub->mark);
}

void hf_watcher_tell_synced(struct hf_subscription *sub)
{
    if (!sub->dead && !sub->relist && sub->sink.synced != NULL)
        sub->sink.synced(sub->sink.arg, sub->mark);
}

void hf_watcher_tell_gone(void *arg, const char *name)
{
    struct hf_subscription *sub = arg;

    if (!sub->dead && sub->sink.gone != NULL)
        sub->sink.gone(sub->sink.arg, name);
}

void hf_watcher_tell_upsert(struct hf_subscription *sub, json_t *object)
{
    /* Items of typed lists do not say what they are; the sink should not have to know that. */
    if (json_object_get(object, "kind") == NULL)
        (void)json_object_set_new(object, "kind", json_string(sub->resource->kind));
    if (json_object_get(object, "apiVersion") == NULL)
        (void)json_object_set_new(object, "apiVersion", json_string(sub->resource->api_version));
    sub->told_some = true;
    if (!sub->dead && sub->sink.upsert != NULL)
        sub->sink.upsert(sub->sink.arg, object);
}

void hf_watcher_set_mark(struct hf_subscription *sub, const char *resource_version)
{
    if (*resource_version == '\0' || strcmp(sub->mark, resource_version) == 0)
        return;
    (void)snprintf(sub->mark, sizeof(sub->mark), "%s", resource_version);
    sub->mark_untold = true;
}

/* ---- doubts -------------------------------------------------------------------------------------------------------- */

void hf_watcher_doubt(struct hf_subscription *sub, const char *reason, const char *what, const struct hf_err *err)
{
    hf_kube_count_doubt(sub->kube, reason);
    hf_log_err(sub->kube->p.log, HF_LOG_WARNING, "kube.doubt", "kind", sub->resource->kind, err);
    hf_watcher_refused(sub, what, err);
}

/* From here on the server's versions count, though they are behind what was told: a backup was restored. What this answer lacks
 * is gone only when a later, undoubted one lacks it too. */
static void believe_the_past(struct hf_subscription *sub, uint64_t version)
{
    hf_ledger_rewind(&sub->ledger, version);
    sub->doubtful = true;
}

/* The server's history is behind what it told us before. The first time its cache is suspected, and the store itself is asked
 * next; true when this was the store's answer, or a MetaServer's, which has no other. */
bool hf_watcher_goes_back(struct hf_subscription *sub, const char *what, uint64_t version, struct hf_err *err)
{
    (void)hf_err_set(err, ESTALE, "resourceVersion went back from %ju to %ju%s", (uintmax_t)sub->ledger.highest,
                     (uintmax_t)version, sub->exact ? "; the store itself says so" : "");
    hf_watcher_doubt(sub, "went-back", what, err);
    if (!sub->exact && !sub->kube->meta) {
        sub->exact = true;
        return false;
    }
    believe_the_past(sub, version);
    return true;
}

bool hf_watcher_is_back(const struct hf_subscription *sub, uint64_t version)
{
    /* Behind a MetaServer lists and events come by different ways: a list is compared with lists. */
    return version != 0 && version < (sub->kube->meta ? sub->ledger.baseline : sub->ledger.highest);
}
