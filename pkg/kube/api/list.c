/* A subscription's lists: from an answer to what exists. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "kube/api/client.h"

static void take_item(struct hf_subscription *sub, json_t *item)
{
    const char *name = hf_json_str_or(item, "metadata.name", "");
    struct hf_err err = HF_ERR_INIT;
    enum hf_verdict verdict;
    int r = -EBADMSG;

    if (*name != '\0')
        r = hf_ledger_item(&sub->ledger, name, hf_rv_number(hf_json_str_or(item, "metadata.resourceVersion", "")),
                           &verdict);
    if (r < 0) {
        (void)hf_err_sys(&err, r, "list item '%s'", name);
        hf_watcher_refused(sub, "list item", &err);
    } else if (verdict == HF_TELL_UPSERT) {
        hf_watcher_tell_upsert(sub, item);
    }
}

enum hf_list_answer hf_watcher_take_list(struct hf_subscription *sub, struct hf_view body, uint64_t date_unix_ns,
                                         char **ret_next, struct hf_err *err)
{
    static const struct hf_json_limits limits = {.max_bytes = HF_KUBE_MAX_LIST_BYTES,
                                                 .max_nodes = HF_KUBE_MAX_LIST_NODES};
    _cleanup_(hf_json_freep) json_t *root = NULL;

    if (hf_json_parse(body, &limits, &root, err) < 0) {
        (void)hf_err_wrap(err, -EBADMSG, "list of %s", sub->resource->kind);
        return HF_LIST_GARBAGE;
    }
    const char *kind = hf_json_str_or(root, "kind", ""), *wanted = sub->resource->list_kind;
    const char *version = hf_json_str_or(root, "metadata.resourceVersion", "");
    json_t *items = json_object_get(root, "items");
    if (strcmp(kind, wanted) != 0 && strcasecmp(kind, wanted) == 0) {
        (void)hf_err_set(err, ESTALE, "list kind is spelled '%s', not '%s': a local store answered", kind, wanted);
        return HF_LIST_MISSPELT;
    }
    if (strcmp(kind, wanted) != 0 || (items != NULL && !json_is_array(items) && !json_is_null(items)) ||
        *version == '\0' || strlen(version) >= HF_RV_TEXT) {
        (void)hf_err_set(err, EBADMSG, "not a %s: kind '%.60s', resourceVersion '%.40s'", wanted, kind, version);
        return HF_LIST_GARBAGE;
    }
    if (hf_watcher_is_back(sub, hf_rv_number(version)) &&
        !hf_watcher_goes_back(sub, "list", hf_rv_number(version), err))
        return HF_LIST_BACKWARDS;
    char *next = strdup(hf_json_str_or(root, "metadata.continue", ""));
    if (next == NULL) {
        (void)hf_err_set(err, ENOMEM, "out of memory");
        return HF_LIST_GARBAGE;
    }
    (void)snprintf(sub->round_mark, sizeof(sub->round_mark), "%s", version);
    hf_kube_alive(sub->kube);
    if (sub->kube->meta)
        hf_meta_tell_proven(sub);
    else
        hf_watcher_tell_contact(sub, HF_CONTACT_PROVEN, date_unix_ns, NULL);
    for (size_t i = 0; i < json_array_size(items) && !sub->dead; i++)
        take_item(sub, json_array_get(items, i));
    *ret_next = next;
    return HF_LIST_PROVEN;
}

void hf_watcher_end_round(struct hf_subscription *sub)
{
    bool doubtful = sub->doubtful;

    hf_watcher_set_mark(sub, sub->round_mark);
    hf_ledger_end(&sub->ledger, hf_rv_number(sub->round_mark), doubtful ? NULL : hf_watcher_tell_gone, sub);
    sub->confirm = doubtful;
    sub->doubtful = false;
    sub->exact = false;
    hf_watcher_tell_synced(sub);
    hf_watcher_tell_mark(sub);
}

void hf_watcher_forget_pages(struct hf_subscription *sub)
{
    free(sub->next_page);
    sub->next_page = NULL;
    sub->pages = 0;
}

static void page_taken(struct hf_subscription *sub, char *next)
{
    bool again = sub->next_page != NULL && strcmp(sub->next_page, next) == 0;
    struct hf_err err = HF_ERR_INIT;

    free(sub->next_page);
    sub->next_page = next;
    if (*next == '\0') {
        hf_watcher_forget_pages(sub);
        hf_watcher_dispatch(sub, HF_RF_LISTED, 0, NULL);
    } else if (again || ++sub->pages >=
                            (sub->small ? HF_KUBE_MAX_SMALL
                                        : HF_KUBE_MAX_PAGES)) { /* a list without end says nothing about what is gone */
        (void)hf_err_set(&err, E2BIG, "list of %s: %s", sub->resource->kind,
                         again ? "a page names itself as the next one" : "too many pages");
        hf_watcher_doubt(sub, "garbage", "list", &err);
        hf_watcher_dispatch(sub, HF_RF_GARBAGE, 0, &err);
    } else {
        hf_watcher_dispatch(sub, HF_RF_PAGE, 0, NULL);
    }
}

/* What went wrong, as the machine's event; *err holds the server's own words where it sent some. */
void hf_watcher_failed(struct hf_subscription *sub, int r, const struct hf_http_response *response, struct hf_view body,
                       const struct hf_err *why)
{
    struct hf_err err = HF_ERR_INIT;
    char text[150];

    if (r < 0) {
        if (r == -E2BIG) { /* a list of everything is too much: in pages, from the store; and in smaller ones */
            sub->small |= sub->exact;
            sub->exact = true;
        }
        hf_watcher_dispatch(sub, hf_reflector_event_of_error(r), 0, why);
        return;
    }
    (void)hf_err_set(&err,
                     response->status == 403   ? EACCES
                     : response->status == 404 ? ENOENT
                                               : EPROTO,
                     "%s: the server answered %d: %s", sub->resource->kind, response->status,
                     hf_status_message(body, text, sizeof(text)));
    hf_kube_nudge_all(sub->kube, HF_KUBE_NUDGE_NS); /* whatever it says: it is in reach */
    enum hf_rf_event event = hf_reflector_event_of_status(response->status);
    if (event == HF_RF_FORBIDDEN || event == HF_RF_MISSING || event == HF_RF_GARBAGE)
        hf_watcher_refused(sub, "answer", &err);
    hf_watcher_dispatch(sub, event, response->retry_after_ns, &err);
}

void hf_watcher_list_ended(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                           const struct hf_err *why)
{
    struct hf_subscription *sub = arg;
    struct hf_err err = HF_ERR_INIT;
    char *next = NULL;

    sub->exchange = NULL;
    hf_kube_count_request(sub->kube, "list", r, response);
    if (r < 0 || response->status != 200) {
        hf_watcher_failed(sub, r, response, body, why);
        return;
    }
    switch (hf_watcher_take_list(sub, body, response->date_unix_ns, &next, &err)) {
    case HF_LIST_PROVEN:
        if (!sub->dead)
            page_taken(sub, hf_steal(next));
        free(next);
        break;
    case HF_LIST_MISSPELT:
        hf_watcher_doubt(sub, "misspelt", "list", &err);
        hf_kube_recognise_meta(sub->kube, "misspelt list kind");
        hf_watcher_dispatch(sub, HF_RF_GARBAGE, 0, &err);
        break;
    case HF_LIST_BACKWARDS:
        hf_watcher_dispatch(sub, HF_RF_GARBAGE, 0, &err);
        break;
    case HF_LIST_GARBAGE:
        hf_watcher_doubt(sub, "garbage", "list", &err);
        hf_watcher_dispatch(sub, HF_RF_GARBAGE, 0, &err);
        break;
    }
}
