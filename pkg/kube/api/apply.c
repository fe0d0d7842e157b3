/* Server-side apply: the fields that we own in one object, as one PATCH with our field manager (Kubernetes API
 * concepts, "Server-side apply"). A 2xx alone does not prove the write: a local proxy (YurtHub) may answer 200 from its
 * cache and drop the write, so the answer must show what we wrote. */
#include <errno.h>
#include <string.h>

#include "kube/api/client.h"

enum { MAX_BODY = 1 << 20, MAX_URL = 2048 };

struct hf_kube_delivery {
    struct hf_delivery handle;
    struct hf_list link;
    struct hf_kube *kube;
    struct hf_exchange *exchange;
    hf_source_done *done;
    void *arg;
    json_t *body;
    char *url;
    bool reauthed; /* a 401 came: sent once more with fresh credentials */
    int unstarted; /* < 0: no call; the next turn answers with this error */
};

static void delivery_free(struct hf_kube_delivery *delivery)
{
    hf_list_remove(&delivery->link);
    json_decref(delivery->body);
    free(delivery->url);
    free(delivery);
}

static void finish(struct hf_kube_delivery *delivery, int r, uint64_t retry_after_ns, const json_t *answer,
                   const struct hf_err *err)
{
    hf_source_done *done = delivery->done;
    void *arg = delivery->arg;

    delivery_free(delivery);
    done(arg, r, retry_after_ns, answer, err);
}

/* ---- did it arrive? ---------------------------------------------------------------------------------------------- */

int hf_kube_apply_verify(const json_t *body, const json_t *answer, struct hf_err *err)
{
    const json_t *sequence = hf_json_at(body, "status.sequence");
    const json_t *labels = hf_json_at(body, "metadata.labels"), *shown = hf_json_at(answer, "metadata.labels");
    const char *key;
    json_t *value;

    if (sequence != NULL && !json_equal(sequence, hf_json_at(answer, "status.sequence")))
        return hf_err_set(err, EAGAIN, "the answer does not show status.sequence: a local proxy dropped the write");
    json_object_foreach(hf_json_mutable(labels), key, value) {
        if (!json_equal(value, json_object_get(shown, key)))
            return hf_err_set(err, EAGAIN, "the answer does not show the label '%s': a local proxy dropped the write",
                              key);
    }
    return 0;
}

/* The error for the writer, as in source.h. */
static int code_of_status(int status)
{
    switch (status) {
    case 401:
    case 403:
        return -EACCES;
    case 404:
        return -ENOENT;
    case 400:
    case 405:
    case 406:
    case 413:
    case 415:
    case 422:
        return -EBADMSG;
    default:
        return -EAGAIN; /* 409, 429, 5xx, and anything else from a proxy */
    }
}

static void taken(struct hf_kube_delivery *delivery, const struct hf_http_response *response, struct hf_view body)
{
    _cleanup_(hf_json_freep) json_t *answer = NULL;
    struct hf_kube *kube = delivery->kube;
    struct hf_err err = HF_ERR_INIT;
    int r = hf_json_parse(body, NULL, &answer, &err);

    if (r == 0)
        r = hf_kube_apply_verify(delivery->body, answer, &err);
    if (r < 0) {
        hf_kube_count_doubt(kube, "unseen-write");
        finish(delivery, -EAGAIN, response->retry_after_ns, NULL, &err);
        return;
    }
    if (kube->meta)
        hf_kube_cloud_sign(kube);
    else
        hf_kube_alive(kube);
    hf_kube_nudge_all(kube, HF_KUBE_NUDGE_NS);
    finish(delivery, 0, 0, answer, NULL);
}

static int start(struct hf_kube_delivery *delivery, struct hf_err *err);

static void refused(struct hf_kube_delivery *delivery, const struct hf_http_response *response, struct hf_view body)
{
    struct hf_err err = HF_ERR_INIT;
    char text[180];
    int code = code_of_status(response->status);

    if (response->status == 401 && !delivery->reauthed) {
        delivery->reauthed = true;
        hf_kube_reauth(delivery->kube);
        int r = start(delivery, &err);
        if (r < 0)
            finish(delivery, -EAGAIN, 0, NULL, &err);
        return;
    }
    (void)hf_err_set(&err, -code, "the server answered %d: %s", response->status,
                     hf_kube_status_message(body, text, sizeof(text)));
    finish(delivery, code, response->retry_after_ns, NULL, &err);
}

static void apply_ended(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                        const struct hf_err *why)
{
    struct hf_kube_delivery *delivery = arg;

    delivery->exchange = NULL;
    hf_kube_count_request(delivery->kube, "apply", r, response);
    if (r < 0) {
        hf_kube_write_failed(delivery->kube);
        finish(delivery, r == -E2BIG || r == -EPROTO || r == -EPIPE ? -EAGAIN : r, 0, NULL, why);
    } else if (response->status >= 200 && response->status < 300) {
        taken(delivery, response, body);
    } else {
        if (response->status >= 500)
            hf_kube_write_failed(delivery->kube);
        refused(delivery, response, body);
    }
}

static int start(struct hf_kube_delivery *delivery, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_BODY);
    struct hf_exchange_owner owner = {.ended = apply_ended, .arg = delivery};
    int r = hf_json_format(delivery->body, &text);

    if (r < 0)
        return hf_err_sys(err, r, "write the object");
    /* JSON is YAML. */
    struct hf_http_request request = {
        .method = "PATCH",
        .url = delivery->url,
        .headers = {"Content-Type: application/apply-patch+yaml", "Accept: application/json"},
        .body = hf_buf_view(&text),
        .timeout_ns = HF_KUBE_APPLY_NS,
    };
    return hf_exchange_start(delivery->kube->p.http, &request, &owner, &delivery->exchange, err);
}

static char *url_of(const struct hf_kube *kube, const json_t *body, const char *subresource)
{
    struct hf_buf url = HF_BUF_INIT(MAX_URL);
    const struct hf_resource *resource = hf_resource_find(hf_json_str_or(body, "kind", ""));
    const char *name = hf_json_str_or(body, "metadata.name", "");
    char *text = NULL;

    if (resource != NULL && *name != '\0' &&
        hf_resource_apply_url(kube->p.config->server, resource, name, subresource, kube->p.field_manager, &url) == 0)
        text = hf_buf_take(&url);
    hf_buf_done(&url);
    return text;
}

static size_t count(const struct hf_list *list)
{
    size_t n = 0;

    for (const struct hf_list *it = list->next; it != list; it = it->next)
        n++;
    return n;
}

int hf_kube_apply(struct hf_kube *kube, const json_t *body, const char *subresource, hf_source_done *done, void *arg,
                  struct hf_delivery **ret_delivery, struct hf_err *err)
{
    if (count(&kube->deliveries) >= HF_KUBE_MAX_DELIVERIES)
        return hf_err_set(err, EAGAIN, "%d writes are in flight already", (int)HF_KUBE_MAX_DELIVERIES);
    struct hf_kube_delivery *delivery = calloc(1, sizeof(*delivery));
    if (delivery == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    *delivery = (struct hf_kube_delivery){
        .handle = {&kube->ops}, .kube = kube, .done = done, .arg = arg, .body = json_deep_copy(body)};
    hf_list_append(&kube->deliveries, &delivery->link);
    delivery->url = url_of(kube, body, subresource);
    int r = 0;
    if (delivery->url == NULL || delivery->body == NULL)
        r = hf_err_set(err, EINVAL, "cannot write a '%s' named '%s'", hf_json_str_or(body, "kind", ""),
                       hf_json_str_or(body, "metadata.name", ""));
    else if (kube->meta && !kube->prober.proven) /* it would take 10 s and end in 500 */
        delivery->unstarted = -EHOSTUNREACH;
    else
        r = start(delivery, err);
    if (r < 0) {
        delivery_free(delivery);
        return r;
    }
    if (delivery->unstarted < 0)
        hf_kube_arm_turn(kube);
    *ret_delivery = &delivery->handle;
    return 0;
}

static void abandon(struct hf_kube_delivery *delivery)
{
    hf_exchange_close(delivery->exchange);
    delivery_free(delivery);
}

void hf_kube_apply_abandon(struct hf_delivery *delivery)
{
    if (delivery != NULL)
        abandon(hf_container_of(delivery, struct hf_kube_delivery, handle));
}

void hf_kube_apply_abandon_all(struct hf_kube *kube)
{
    while (!hf_list_empty(&kube->deliveries))
        abandon(hf_container_of(kube->deliveries.next, struct hf_kube_delivery, link));
}

static struct hf_kube_delivery *next_unstarted(struct hf_kube *kube)
{
    struct hf_list *it, *next;

    hf_list_each(it, next, &kube->deliveries) {
        struct hf_kube_delivery *delivery = hf_container_of(it, struct hf_kube_delivery, link);
        if (delivery->unstarted < 0)
            return delivery;
    }
    return NULL;
}

void hf_kube_apply_turn(struct hf_kube *kube)
{
    size_t n = count(&kube->deliveries); /* a write that its owner repeats at once waits for the turn after */
    struct hf_kube_delivery *delivery;
    struct hf_err err = HF_ERR_INIT;

    (void)hf_err_set(&err, EHOSTUNREACH, "the cloud is out of reach, and the MetaServer would not accept the write");
    for (; n > 0 && (delivery = next_unstarted(kube)) != NULL; n--)
        finish(delivery, delivery->unstarted, 0, NULL, &err);
}
