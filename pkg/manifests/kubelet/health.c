/* SPDX-License-Identifier: Apache-2.0 */
/* Asks, until one answers: the kubelet (GET /pods on 127.0.0.1:10250 with the caller's credentials); its read-only port
 * (127.0.0.1:10255, if root and no other user listens); the API server for the mirror pods (no MetaServer). Each second
 * for 20 rounds, then every five. */
#include "manifests/kubelet/health.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding/cut.h"
#include "kube/call.h"
#include "manifests/kubelet/listener.h"

/* If nobody has answered for so long, the health is unknown. */
#define HF_KUBELET_SILENCE_NS (15 * HF_NS_PER_S)

/* From the start: the kubelet has read every file then (by default it reads its folder every 20 s, even after a missed
 * change), so the pods that it lists are those of the new files. A mirror pod does not prove that. A pod that is
 * `unsure` (kubelet/verdict.h) is not ready until then, or until half of the deadline if that is earlier. */
#define HF_KUBELET_READ_NS (25 * HF_NS_PER_S)

enum { MAX_LIST = 4 << 20, QUICK_ROUNDS = 20, READ_ONLY_PORT = 10255 };

#define ASK_NS (5 * HF_NS_PER_S) /* time limit of one request */

/* The ways to ask, in this order. */
enum way { KUBELET, READ_ONLY, MIRRORS, WAYS };
static const char *const names[WAYS] = {"kubelet", "its read-only port", "mirror pods"};
static const char *const urls[] = {
    [KUBELET] = "https://127.0.0.1:10250/pods", [READ_ONLY] = "http://127.0.0.1:10255/pods"};

struct hf_kubelet_health {
    struct hf_kubelet_health_params p;
    json_t *wanted;
    struct hf_timer *timer;
    struct hf_http_call *call; /* request to a kubelet; belongs to the client of `way` */
    struct hf_kube_pending *pending;
    enum way way;
    json_t *pods;  /* pods of the last answer, or the mirrors so far */
    size_t mirror; /* index of the wanted pod whose mirror is asked for */
    unsigned rounds;
    uint64_t started_ns, heard_ns; /* monotonic */
    bool heard;                    /* somebody has answered at least once */
    bool was_read;                 /* an answer has come from a kubelet that had read the files */
    struct hf_kubelet_verdict verdict;
    char silence[200]; /* why each way of this round led nowhere */
};

static uint64_t now_ns(const struct hf_kubelet_health *health)
{
    return hf_mono_ns(health->p.env->world.clock);
}

static const struct hf_http_ops *client_of(const struct hf_kubelet_health *health)
{
    return health->way == KUBELET ? health->p.kubelet : health->p.env->http;
}

void hf_kubelet_health_free(struct hf_kubelet_health *health)
{
    const struct hf_sched_ops *sched;

    if (health == NULL)
        return;
    sched = health->p.env->world.sched;
    if (health->call != NULL)
        client_of(health)->cancel(client_of(health)->ctx, health->call);
    hf_kube_call_cancel(health->pending);
    hf_timer_free(sched, health->timer);
    json_decref(health->wanted);
    json_decref(health->pods);
    free(health);
}

static void end(struct hf_kubelet_health *health, const struct hf_kubelet_verdict *verdict)
{
    struct hf_kubelet_health_params p = health->p;
    struct hf_kubelet_verdict copy = *verdict;
    json_t *pods = verdict->state != HF_KUBELET_UNKNOWN ? hf_steal(health->pods) : NULL;

    hf_kubelet_health_free(health);
    p.done(p.arg, &copy, pods);
    json_decref(pods);
}

/* Asks again later, unless the time is over. */
static void again(struct hf_kubelet_health *health)
{
    if (now_ns(health) - health->started_ns >= health->p.deadline_ns) {
        end(health, &health->verdict);
        return;
    }
    health->way = KUBELET;
    *health->silence = '\0';
    hf_timer_arm(health->p.env->world.sched, health->timer,
                 ++health->rounds < QUICK_ROUNDS ? HF_NS_PER_S : 5 * HF_NS_PER_S);
}

/* Somebody has answered with `pods`, which the function takes over. */
static void answered(struct hf_kubelet_health *health, json_t *pods)
{
    uint64_t now = now_ns(health), since = now - health->started_ns;
    const struct hf_kubelet_list list = {.pods = pods,
                                         .early = since < HF_MIN(HF_KUBELET_READ_NS, health->p.deadline_ns / 2),
                                         .read = since >= HF_KUBELET_READ_NS && health->way != MIRRORS};

    if (pods != health->pods)
        json_decref(health->pods);
    health->pods = pods;
    health->heard = true;
    health->heard_ns = now;
    struct hf_kubelet_verdict verdict = hf_kubelet_verdict_of(health->wanted, health->p.env->node_name, &list);
    if (!verdict.unread || !health->was_read) /* a mirror pod does not outweigh what the kubelet itself has said */
        health->verdict = verdict;
    health->was_read = health->was_read || list.read;
    if (health->verdict.state == HF_KUBELET_PENDING)
        again(health);
    else
        end(health, &health->verdict);
}

static void ask(struct hf_kubelet_health *health);

/* Notes why one way leads nowhere, and takes the next one. */
static void HF_PRINTF(2, 3) next_way(struct hf_kubelet_health *health, const char *format, ...)
{
    size_t used = strlen(health->silence);
    char why[60];
    va_list list;

    va_start(list, format);
    (void)vsnprintf(why, sizeof(why), format, list);
    va_end(list);
    (void)snprintf(health->silence + used, sizeof(health->silence) - used, "%s%s: %s", used > 0 ? "; " : "",
                   names[health->way], why);
    health->way++;
    ask(health);
}

/* Nobody has answered in this round. */
static void silent(struct hf_kubelet_health *health)
{
    uint64_t now = now_ns(health);
    struct hf_kubelet_verdict unknown = {.state = HF_KUBELET_UNKNOWN};

    (void)snprintf(unknown.why, sizeof(unknown.why), "written, health unknown: %s", HF_CUT(170, health->silence));
    if (!health->heard)
        health->verdict = unknown;
    if (now - health->heard_ns >= HF_MIN(HF_KUBELET_SILENCE_NS, health->p.deadline_ns))
        end(health, &unknown);
    else
        again(health);
}

/* ---- mirror pods ------------------------------------------------------------------------------------------------- */

static void ask_mirror(struct hf_kubelet_health *health);

static void mirror_answered(void *arg, const struct hf_kube_answer *answer)
{
    struct hf_kubelet_health *health = arg;
    char text[300];

    health->pending = NULL;
    if (answer->r < 0 && answer->r != -ENOENT) {
        next_way(health, "%s",
                 answer->status > 0 ? hf_err_text(&answer->err, text, sizeof(text)) : strerror(-answer->r));
        return;
    }
    if (answer->r == 0)
        (void)json_array_append_new(health->pods, json_deep_copy(answer->object));
    health->mirror++;
    ask_mirror(health);
}

static void ask_mirror(struct hf_kubelet_health *health)
{
    const json_t *wanted = json_array_get(health->wanted, health->mirror);
    char name[600];
    struct hf_err err = HF_ERR_INIT;

    if (wanted == NULL) {
        answered(health, health->pods);
        return;
    }
    (void)snprintf(name, sizeof(name), "%.253s-%.253s", hf_json_str_or(wanted, "name", ""), health->p.env->node_name);
    const struct hf_kube_call call = {.verb = HF_KUBE_GET,
                                      .api_version = "v1",
                                      .plural = "pods",
                                      .ns = hf_json_str_or(wanted, "namespace", "default"),
                                      .name = name,
                                      .timeout_ns = ASK_NS};
    if (hf_kube_call_send(health->p.env->kube, &call, mirror_answered, health, &health->pending, &err) < 0)
        next_way(health, "%s", err.cause);
}

/* ---- the kubelet ------------------------------------------------------------------------------------------------- */

static void kubelet_answered(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                             HF_UNUSED const struct hf_err *why)
{
    struct hf_kubelet_health *health = arg;
    _cleanup_(hf_json_freep) json_t *list = NULL;
    static const struct hf_json_limits limits = {.max_bytes = MAX_LIST};
    json_t *items;

    health->call = NULL;
    if (r < 0) {
        next_way(health, "%s", strerror(-r));
        return;
    }
    items = response->status == 200 && hf_json_parse(body, &limits, &list, NULL) == 0 ? json_object_get(list, "items")
                                                                                      : NULL;
    /* A kubelet without pods answers "items": null. */
    if (response->status == 200 && list != NULL && (json_is_array(items) || items == NULL || json_is_null(items)))
        answered(health, json_is_array(items) ? json_incref(items) : json_array());
    else
        next_way(health, "answered %d", response->status);
}

static void ask_kubelet(struct hf_kubelet_health *health)
{
    const struct hf_http_ops *http = client_of(health);
    const struct hf_http_request request = {.method = "GET",
                                            .url = urls[health->way],
                                            .connect_timeout_ns = HF_NS_PER_S,
                                            .timeout_ns = ASK_NS,
                                            .max_body_bytes = MAX_LIST,
                                            .done = kubelet_answered,
                                            .arg = health};
    struct hf_err err = HF_ERR_INIT;

    if (http->start(http->ctx, &request, &health->call, &err) < 0)
        next_way(health, "%s", err.cause);
}

static void ask(struct hf_kubelet_health *health)
{
    if (health->way == KUBELET && health->p.kubelet == NULL)
        health->way = READ_ONLY;
    if (health->way == MIRRORS && (health->p.env->kube == NULL || hf_kube_is_metaserver(health->p.env->kube)))
        health->way = WAYS;
    if (health->way == WAYS) {
        silent(health);
    } else if (health->way == READ_ONLY && !hf_listener_is_root(health->p.env->world.fs, READ_ONLY_PORT)) {
        next_way(health, "no process of root alone listens there");
    } else if (health->way == MIRRORS) {
        json_decref(health->pods);
        health->pods = json_array();
        health->mirror = 0;
        ask_mirror(health);
    } else {
        ask_kubelet(health);
    }
}

static void fire(void *arg)
{
    ask(arg);
}

int hf_kubelet_health_start(const struct hf_kubelet_health_params *params, struct hf_kubelet_health **ret_health,
                            struct hf_err *err)
{
    const struct hf_sched_ops *sched = params->env->world.sched;
    struct hf_kubelet_health *health;

    if (json_array_size(params->wanted) > HF_KUBELET_MAX_PODS)
        return hf_err_set(err, E2BIG, "more than %d static pods", (int)HF_KUBELET_MAX_PODS);
    health = calloc(1, sizeof(*health));
    if (health == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    health->p = *params;
    health->wanted = json_deep_copy(params->wanted);
    health->timer = hf_timer_new(sched, fire, health);
    health->started_ns = health->heard_ns = now_ns(health);
    if (health->wanted == NULL || health->timer == NULL) {
        hf_kubelet_health_free(health);
        return hf_err_set(err, ENOMEM, "out of memory");
    }
    hf_timer_arm(sched, health->timer, 0);
    *ret_health = health;
    return 0;
}
