/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "kube/api/client.h"
#include "kube/rules/envelope.h"

/* Items have the limits of watch events: what a watch accepts, a list accepts. */
static const struct hf_json_limits item_limits = {.max_bytes = HF_WATCH_STREAM_MAX_LINE};

static void take_readable(struct hf_kube_subscription *sub, const char *name, json_t *item)
{
    struct hf_err err = HF_ERR_INIT;
    enum hf_ledger_change change;
    int r = hf_ledger_item(&sub->ledger, name,
                           hf_kube_version_number(hf_json_str_or(item, "metadata.resourceVersion", "")), &change);

    if (r < 0) {
        (void)hf_err_sys(&err, r, "list item '%s'", name);
        hf_kube_report_refused(sub, "list item", &err);
    } else if (change == HF_LEDGER_UPSERT) {
        hf_kube_report_upsert(sub, item);
    } else if (change == HF_LEDGER_OLD) {
        sub->round.contradicted = true;
    }
}

/* The item can be any object: this round cannot show that an object is gone. */
static void take_nameless(struct hf_kube_subscription *sub, size_t number, const struct hf_err *err)
{
    char place[64];

    (void)snprintf(place, sizeof(place), "item %zu of page %u", number, sub->round.pages + 1);
    sub->round.doubtful = true;
    hf_kube_report_unreadable(sub, place, 0, err);
}

static void take_item(struct hf_kube_subscription *sub, struct hf_view text, size_t number)
{
    _cleanup_(hf_json_freep) json_t *item = NULL;
    struct hf_envelope_identity identity;
    struct hf_err err = HF_ERR_INIT;
    int r = hf_json_parse(text, &item_limits, &item, &err);
    const char *name = r == 0 ? hf_json_str_or(item, "metadata.name", "") : "";

    if (*name != '\0') {
        take_readable(sub, name, item);
        return;
    }
    if (r == 0)
        r = hf_err_set(&err, EBADMSG, "the object has no name");
    (void)hf_err_wrap(&err, r, "read the object as JSON");
    sub->round.doubtful |= r == -ENOMEM; /* the object is good: a later round must report it */
    if (hf_envelope_identify(text, &identity) < 0)
        take_nameless(sub, number, &err);
    else if (hf_ledger_unreadable(&sub->ledger, identity.name, hf_kube_version_number(identity.version)))
        hf_kube_report_unreadable(sub, identity.name, hf_kube_version_number(identity.version), &err);
}

static const char *list_kind_of(const struct hf_kube_subscription *sub)
{
    return hf_kube_wants_metadata(sub) ? "PartialObjectMetadataList" : sub->resource->list_kind;
}

/* PROVEN: believe the list. */
static enum hf_kube_list check(struct hf_kube_subscription *sub, const json_t *root, struct hf_err *err)
{
    const char *kind = hf_json_str_or(root, "kind", ""), *wanted = list_kind_of(sub);
    const char *version = hf_json_str_or(root, "metadata.resourceVersion", "");
    const json_t *items = json_object_get(root, "items");

    if (strcmp(kind, wanted) != 0 && strcasecmp(kind, wanted) == 0) {
        (void)hf_err_set(
            err, ESTALE,
            "the list's kind is '%s', not '%s', so the answer came from a local store and not from the API server",
            kind, wanted);
        return HF_KUBE_LIST_MISSPELT;
    }
    if (strcmp(kind, wanted) == 0 && sub->kube->rules->is_from_store(sub, version, err))
        return HF_KUBE_LIST_MISSPELT;
    if (strcmp(kind, wanted) != 0 || (items != NULL && !json_is_array(items) && !json_is_null(items)) ||
        *version == '\0' || strlen(version) >= HF_RV_TEXT) {
        (void)hf_err_set(err, EBADMSG, "not a %s: kind '%.60s', resourceVersion '%.40s'", wanted, kind, version);
        return HF_KUBE_LIST_GARBAGE;
    }
    uint64_t number = hf_kube_version_number(version);
    if (hf_kube_is_older(sub, number) && !hf_kube_believe_older(sub, "list", number, err))
        return HF_KUBE_LIST_BACKWARDS;
    return HF_KUBE_LIST_PROVEN;
}

enum hf_kube_list hf_kube_list_take(struct hf_kube_subscription *sub, struct hf_view body, uint64_t date_unix_ns,
                                    char **ret_next, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *root = NULL;
    struct hf_view items, item;

    if (hf_envelope_list(body, &root, &items, err) < 0) {
        (void)hf_err_wrap(err, -EBADMSG, "list of %s", sub->resource->kind);
        return HF_KUBE_LIST_GARBAGE;
    }
    enum hf_kube_list answer = check(sub, root, err);
    if (answer != HF_KUBE_LIST_PROVEN)
        return answer;
    char *next = strdup(hf_json_str_or(root, "metadata.continue", ""));
    if (next == NULL) {
        (void)hf_err_set(err, ENOMEM, "out of memory");
        return HF_KUBE_LIST_GARBAGE;
    }
    (void)snprintf(sub->round.version, sizeof(sub->round.version), "%s",
                   hf_json_str_or(root, "metadata.resourceVersion", ""));
    hf_kube_alive(sub->kube);
    if (sub->next.anew && !sub->next.relist) { /* this list began after it was wanted */
        hf_ledger_renew(&sub->ledger);
        sub->next.anew = false;
    }
    sub->kube->rules->served(sub, date_unix_ns);
    for (size_t number = 1; !sub->dead && hf_envelope_next_item(&items, &item); number++)
        take_item(sub, item, number);
    *ret_next = next;
    return HF_KUBE_LIST_PROVEN;
}

void hf_kube_list_end_round(struct hf_kube_subscription *sub)
{
    bool contradicted = sub->round.contradicted && sub->kube->rules->one_history, exact = sub->next.exact;
    bool doubtful = sub->round.doubtful || contradicted;

    assert(sub->round.next_page == NULL); /* only a complete list shows what is gone */
    hf_kube_set_version(sub, sub->round.version);
    hf_ledger_end(&sub->ledger, hf_kube_version_number(sub->round.version), doubtful ? NULL : hf_kube_report_gone, sub);
    if (!doubtful)
        hf_kube_report_readable_rest(sub);
    sub->version_unreported |= sub->next.confirm; /* as "" until now */
    sub->next.confirm = doubtful;
    sub->round.doubtful = sub->next.exact = sub->next.anew; /* wanted while this list was under way */
    sub->next.exact |= sub->next.too_long && doubtful;
    sub->next.too_long = false;
    if (sub->next.twice && !sub->next.anew) {
        sub->next.relist = true;
        sub->next.twice = false;
    }
    if (contradicted)
        hf_kube_doubt_history(sub, exact);
    hf_kube_report_synced(sub);
    hf_kube_report_version(sub);
}

void hf_kube_list_forget_pages(struct hf_kube_subscription *sub)
{
    free(hf_steal(sub->round.next_page));
    sub->round.pages = 0;
}

enum hf_rf_event hf_kube_list_page(struct hf_kube_subscription *sub, char *next, struct hf_err *err)
{
    bool again = sub->round.next_page != NULL && strcmp(sub->round.next_page, next) == 0;
    size_t max_pages = sub->ledger.max_objects / (sub->next.small ? HF_KUBE_SMALL_PAGE : HF_KUBE_PAGE);

    free(sub->round.next_page);
    sub->round.next_page = next;
    if (*next == '\0') {
        hf_kube_list_forget_pages(sub);
        return HF_RF_LISTED;
    }
    if (!again && ++sub->round.pages < max_pages)
        return HF_RF_PAGE;
    /* A list without an end cannot show that objects are gone. */
    (void)hf_err_set(err, E2BIG, "list of %s: %s", sub->resource->kind,
                     again ? "a page's continue token leads to the same page" : "too many pages");
    hf_kube_report_doubt(sub, "garbage", "list", err);
    return HF_RF_GARBAGE;
}

void hf_kube_list_ask_for_pages(struct hf_kube_subscription *sub)
{
    sub->next.small |= sub->next.exact;
    sub->next.exact = true;
}
