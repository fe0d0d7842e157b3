#include <errno.h>
#include <string.h>
#include <strings.h>

#include "kube/api/client.h"

static void take_item(struct hf_kube_subscription *sub, json_t *item)
{
    const char *name = hf_json_str_or(item, "metadata.name", "");
    struct hf_err err = HF_ERR_INIT;
    enum hf_ledger_change change;
    int r = -EBADMSG;

    if (*name != '\0')
        r = hf_ledger_item(&sub->ledger, name,
                           hf_kube_version_number(hf_json_str_or(item, "metadata.resourceVersion", "")), &change);
    if (r < 0) {
        (void)hf_err_sys(&err, r, "list item '%s'", name);
        hf_kube_report_refused(sub, "list item", &err);
    } else if (change == HF_LEDGER_UPSERT) {
        hf_kube_report_upsert(sub, item);
    }
}

/* PROVEN: believe the list. */
static enum hf_kube_list check(struct hf_kube_subscription *sub, const json_t *root, struct hf_err *err)
{
    const char *kind = hf_json_str_or(root, "kind", ""), *wanted = sub->resource->list_kind;
    const char *version = hf_json_str_or(root, "metadata.resourceVersion", "");
    const json_t *items = json_object_get(root, "items");

    if (strcmp(kind, wanted) != 0 && strcasecmp(kind, wanted) == 0) {
        (void)hf_err_set(err, ESTALE, "list kind is spelled '%s', not '%s': a local store answered", kind, wanted);
        return HF_KUBE_LIST_MISSPELT;
    }
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
    static const struct hf_json_limits limits = {.max_bytes = HF_KUBE_MAX_LIST_BYTES,
                                                 .max_nodes = HF_KUBE_MAX_LIST_NODES};
    _cleanup_(hf_json_freep) json_t *root = NULL;

    if (hf_json_parse(body, &limits, &root, err) < 0) {
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
    (void)snprintf(sub->round_version, sizeof(sub->round_version), "%s",
                   hf_json_str_or(root, "metadata.resourceVersion", ""));
    hf_kube_alive(sub->kube);
    if (sub->kube->meta)
        hf_kube_report_served(sub);
    else
        hf_kube_report_contact(sub, HF_CONTACT_PROVEN, date_unix_ns, NULL);
    const json_t *items = json_object_get(root, "items");
    for (size_t i = 0; i < json_array_size(items) && !sub->dead; i++)
        take_item(sub, json_array_get(items, i));
    *ret_next = next;
    return HF_KUBE_LIST_PROVEN;
}

void hf_kube_list_end_round(struct hf_kube_subscription *sub)
{
    bool doubtful = sub->doubtful;

    hf_kube_set_version(sub, sub->round_version);
    hf_ledger_end(&sub->ledger, hf_kube_version_number(sub->round_version), doubtful ? NULL : hf_kube_report_gone, sub);
    sub->confirm = doubtful;
    sub->doubtful = false;
    sub->exact = false;
    hf_kube_report_synced(sub);
    hf_kube_report_version(sub);
}

void hf_kube_list_forget_pages(struct hf_kube_subscription *sub)
{
    free(sub->next_page);
    sub->next_page = NULL;
    sub->pages = 0;
}

enum hf_rf_event hf_kube_list_page(struct hf_kube_subscription *sub, char *next, struct hf_err *err)
{
    bool again = sub->next_page != NULL && strcmp(sub->next_page, next) == 0;
    unsigned max_pages = sub->small ? HF_KUBE_MAX_SMALL : HF_KUBE_MAX_PAGES;

    free(sub->next_page);
    sub->next_page = next;
    if (*next == '\0') {
        hf_kube_list_forget_pages(sub);
        return HF_RF_LISTED;
    }
    if (!again && ++sub->pages < max_pages)
        return HF_RF_PAGE;
    /* A list without an end cannot show that objects are gone. */
    (void)hf_err_set(err, E2BIG, "list of %s: %s", sub->resource->kind,
                     again ? "a page has its own continue token" : "too many pages");
    hf_kube_report_doubt(sub, "garbage", "list", err);
    return HF_RF_GARBAGE;
}
