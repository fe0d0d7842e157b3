/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "kube/api/client.h"

enum { HF_KUBE_MAX_UNREADABLE = 1000 }; /* remembered */

#define HF_KUBE_CONTACT_NS (60 * HF_NS_PER_S) /* between two PROVEN without a new Date */
/* The store went back: all list again, once in this time. */
#define HF_KUBE_WENT_BACK_NS (600 * HF_NS_PER_S)

/* ---- reports ----------------------------------------------------------------------------------------------------- */

void hf_kube_report_refused(struct hf_kube_subscription *sub, const char *what, const struct hf_err *err)
{
    if (!sub->dead && sub->sink.refused != NULL)
        sub->sink.refused(sub->sink.arg, what, err);
}

void hf_kube_report_contact(struct hf_kube_subscription *sub, enum hf_contact_kind kind, uint64_t date_unix_ns,
                            const struct hf_err *err)
{
    bool again = kind == HF_CONTACT_PROVEN && sub->contact.reported == HF_KUBE_REPORTED_PROVEN && date_unix_ns == 0;
    uint64_t now = hf_kube_now_ns(sub->kube);

    if (sub->dead || (again && now - sub->contact.at_ns < HF_KUBE_CONTACT_NS))
        return;
    sub->contact.reported = kind == HF_CONTACT_PROVEN ? HF_KUBE_REPORTED_PROVEN : HF_KUBE_REPORTED_LOST;
    sub->contact.at_ns = now;
    if (sub->own_ns == NULL) /* a right that one object in a namespace lacks says nothing of the server */
        hf_kube_set_contact(sub->kube, kind == HF_CONTACT_PROVEN);
    if (sub->sink.contact != NULL)
        sub->sink.contact(sub->sink.arg, kind, (struct hf_server_date){date_unix_ns, now - sub->asked_ns}, err);
}

void hf_kube_set_version(struct hf_kube_subscription *sub, const char *resource_version)
{
    if (*resource_version == '\0' || strcmp(sub->version, resource_version) == 0)
        return;
    (void)snprintf(sub->version, sizeof(sub->version), "%s", resource_version);
    sub->version_unreported = true;
}

/* A process that resumed behind a doubtful round would never learn what is gone: "" makes it list. */
static const char *proven_version(const struct hf_kube_subscription *sub)
{
    return sub->next.confirm ? "" : sub->version;
}

void hf_kube_report_version(struct hf_kube_subscription *sub)
{
    if (sub->dead || !sub->version_unreported)
        return;
    sub->version_unreported = false;
    if (sub->sink.version != NULL)
        sub->sink.version(sub->sink.arg, proven_version(sub));
}

void hf_kube_report_synced(struct hf_kube_subscription *sub)
{
    if (!sub->dead && !sub->next.relist && sub->sink.synced != NULL)
        sub->sink.synced(sub->sink.arg, proven_version(sub));
}

void hf_kube_report_gone(void *arg, const char *name)
{
    struct hf_kube_subscription *sub = arg;

    if (!sub->dead && sub->sink.gone != NULL)
        sub->sink.gone(sub->sink.arg, name);
    hf_kube_report_readable(sub, name);
}

void hf_kube_report_upsert(struct hf_kube_subscription *sub, json_t *object)
{
    bool rename = hf_kube_wants_metadata(sub); /* from PartialObjectMetadata */

    /* Items of typed lists lack kind and apiVersion; subscribers need not know that. */
    if (rename || json_object_get(object, "kind") == NULL)
        (void)json_object_set_new(object, "kind", json_string(sub->resource->kind));
    if (rename || json_object_get(object, "apiVersion") == NULL)
        (void)json_object_set_new(object, "apiVersion", json_string(sub->resource->api_version));
    int64_t nodes = hf_json_int_or(object, "status.nodes.selected", 0); /* an EdgeUpdate has it */
    if (nodes > 0)
        hf_kube_learn_fleet(sub->kube, (uint64_t)nodes);
    sub->round.reported_some = true;
    hf_kube_report_readable(sub, hf_json_str_or(object, "metadata.name", ""));
    if (!sub->dead && sub->sink.upsert != NULL)
        sub->sink.upsert(sub->sink.arg, object);
}

/* ---- unreadable objects ------------------------------------------------------------------------------------------ */

struct unreadable {
    uint64_t version; /* 0: unknown */
    unsigned round;   /* the last round that had it */
};

bool hf_kube_is_unreadable(const struct hf_kube_subscription *sub, const char *name, uint64_t version)
{
    const struct unreadable *known = hf_strmap_get(&sub->unreadable, name);

    return known != NULL && version != 0 && known->version == version;
}

/* Without memory or room the next round reports the object again: no harm but one more line in the log. */
static void remember(struct hf_kube_subscription *sub, const char *name, uint64_t version)
{
    struct unreadable *known = hf_strmap_get(&sub->unreadable, name);

    if (known == NULL && sub->unreadable.n < HF_KUBE_MAX_UNREADABLE) {
        known = calloc(1, sizeof(*known));
        if (known != NULL && hf_strmap_put(&sub->unreadable, name, known) < 0)
            free(hf_steal(known));
    }
    if (known != NULL)
        *known = (struct unreadable){.version = version, .round = sub->ledger.round};
}

void hf_kube_report_unreadable(struct hf_kube_subscription *sub, const char *name, uint64_t version,
                               const struct hf_err *err)
{
    bool again = hf_kube_is_unreadable(sub, name, version);

    remember(sub, name, version);
    if (again)
        return;
    hf_kube_count_doubt(sub->kube, "unreadable");
    if (!sub->dead && sub->sink.unreadable_object != NULL)
        sub->sink.unreadable_object(sub->sink.arg, name, err);
}

void hf_kube_report_readable(struct hf_kube_subscription *sub, const char *name)
{
    if (hf_strmap_get(&sub->unreadable, name) == NULL)
        return;
    if (!sub->dead && sub->sink.unreadable_object != NULL)
        sub->sink.unreadable_object(sub->sink.arg, name, NULL);
    (void)hf_strmap_remove(&sub->unreadable, name);
}

void hf_kube_report_readable_rest(struct hf_kube_subscription *sub)
{
    for (size_t i = sub->unreadable.n; i > 0; i--) {
        const struct hf_strmap_entry *slot = &sub->unreadable.entries[i - 1];
        if (((const struct unreadable *)slot->value)->round != sub->ledger.round)
            hf_kube_report_readable(sub, slot->key);
    }
}

/* ---- doubts ------------------------------------------------------------------------------------------------------ */

void hf_kube_report_doubt(struct hf_kube_subscription *sub, const char *reason, const char *what,
                          const struct hf_err *err)
{
    hf_kube_count_doubt(sub->kube, reason);
    hf_log_err(sub->kube->p.world.log, HF_LOG_WARNING, "kube.doubt", "kind", sub->resource->kind, err);
    hf_kube_report_refused(sub, what, err);
}

bool hf_kube_is_older(const struct hf_kube_subscription *sub, uint64_t version)
{
    /* If lists and events come by different ways, compare a list with lists. */
    return version != 0 && version < (sub->kube->rules->one_history ? sub->ledger.highest : sub->ledger.baseline);
}

void hf_kube_list_anew(struct hf_kube_subscription *sub)
{
    sub->next.relist = sub->next.anew = sub->next.exact = sub->round.doubtful = true;
}

static void list_others_anew(const struct hf_kube_subscription *but)
{
    struct hf_kube *kube = but->kube;
    uint64_t now = hf_kube_now_ns(kube);

    if (kube->went_back_ns != 0 && now - kube->went_back_ns < HF_KUBE_WENT_BACK_NS)
        return;
    kube->went_back_ns = now;
    for (struct hf_kube_subscription *sub = NULL; (sub = hf_kube_next(kube, sub)) != NULL;)
        if (sub != but)
            hf_kube_list_anew(sub);
    hf_kube_arm_turn(kube);
}

void hf_kube_doubt_history(struct hf_kube_subscription *sub, bool exact)
{
    struct hf_err err = HF_ERR_INIT;

    (void)hf_err_set(&err, ESTALE, "a list has an object in an older version than an earlier answer%s",
                     exact ? "; the store confirms it" : "");
    hf_kube_report_doubt(sub, "went-back", "list", &err);
    if (exact) {
        hf_kube_list_anew(sub);
        list_others_anew(sub);
    } else {
        sub->next.relist = sub->next.exact = true;
    }
}

/* A restored backup is behind what the server said before. An object that this answer lacks is gone only when a later
 * answer without doubt lacks it too. */
bool hf_kube_believe_older(struct hf_kube_subscription *sub, const char *what, uint64_t version, struct hf_err *err)
{
    (void)hf_err_set(err, ESTALE, "resourceVersion went back from %ju to %ju%s", (uintmax_t)sub->ledger.highest,
                     (uintmax_t)version, sub->next.exact ? "; the store confirms it" : "");
    hf_kube_report_doubt(sub, "went-back", what, err);
    if (!sub->next.exact && sub->kube->rules->one_history) {
        sub->next.exact = true;
        return false;
    }
    hf_ledger_rewind(&sub->ledger, version);
    sub->round.doubtful = true;
    if (sub->kube->rules->one_history) {
        hf_ledger_renew(&sub->ledger);
        list_others_anew(sub);
    }
    return true;
}
