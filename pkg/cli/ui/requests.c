/* SPDX-License-Identifier: Apache-2.0 */
/* What a viewer wants is one `struct ui_request`: a question to the API server, then its answer, or, for an act that
 * the server allows and the viewer has confirmed, a command and its end. */
#include "cli/ui/requests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/list.h"
#include "cli/ui/act.h"
#include "loop/loop.h"
#include "web/page.h"

enum { MAX_ANSWER = 4 << 20, MAX_OUTPUT = 64 << 10 };
#define LIMIT_NS (60 * HF_NS_PER_S)

enum asked_for { NODE, YAML, ACT };

struct ui_request {
    struct hf_ui_requests *all;
    struct hf_list link;
    enum asked_for wanted;
    struct hf_server_exchange *exchange;
    char *row;
    const char *plural, *context, *object; /* of the object; context and object: as of hf_ui_follow_find() */
    struct hf_cluster *cluster;
    struct hf_ui_act act;
    struct hf_proc_call *call; /* the command that runs */
};

struct hf_ui_requests {
    const struct hf_ui_follow *follow;
    const struct hf_cli_args *args;
    const char *program;
    struct hf_list list;
    unsigned n, n_acts;
};

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static void answer(struct hf_server_exchange *exchange, int status, struct hf_view body)
{
    struct hf_server_reply reply = {.status = status};

    hf_page_protect(&reply);
    hf_server_answer(exchange, status, "application/json", reply.extra_headers, body);
}

/* Answers with `json`, which it takes, and ends the request. */
static void end(struct ui_request *request, int status, json_t *json)
{
    struct hf_ui_requests *all = request->all;
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_ANSWER);
    _cleanup_(hf_json_freep) json_t *body = json;

    if (body != NULL && hf_json_format(body, &text) == 0)
        answer(request->exchange, status, hf_buf_view(&text));
    else
        answer(request->exchange, 500, HF_VIEW("{\"error\":\"the answer is too large\"}\n"));
    hf_list_remove(&request->link);
    all->n--;
    all->n_acts -= request->wanted == ACT;
    hf_ui_act_done(&request->act);
    free(request->row);
    free(request);
}

static void refuse(struct ui_request *request, int status, const char *why)
{
    end(request, status, json_pack("{s:s}", "error", why));
}

/* ---- acts -------------------------------------------------------------------------------------------------------- */

static void on_end(void *arg, int r, int exit_code, struct hf_view output)
{
    struct ui_request *request = arg;

    request->call = NULL;
    if (r < 0)
        refuse(request, 500, "the command took too long");
    else
        end(request, 200,
            json_pack("{s:i, s:o}", "exitCode", exit_code, "output",
                      json_stringn(output.p != NULL ? output.p : "", output.n)));
}

static void run_act(struct ui_request *request)
{
    const struct hf_ui_requests *all = request->all;
    const struct hf_proc_ops *proc = hf_loop_proc(hf_ui_follow_loop(all->follow));
    _cleanup_(hf_freep) char *folder = getcwd(NULL, 0);
    char **argv = hf_ui_act_argv(&request->act, all->program, all->args, request->context, request->object);
    const struct hf_proc_request child = {.argv = (const char *const *)argv,
                                          .env = (const char *const *)environ,
                                          .cwd = folder,
                                          .timeout_ns = LIMIT_NS,
                                          .max_output = MAX_OUTPUT,
                                          .done = on_end,
                                          .arg = request};
    struct hf_err err = HF_ERR_INIT;
    int r = argv == NULL ? -ENOMEM : proc->spawn(proc->ctx, &child, &request->call, &err);

    hf_ui_argv_free(argv);
    if (r < 0)
        refuse(request, 500, "this program does not start once more: is it still there?");
}

static void on_review(struct ui_request *request, const json_t *review)
{
    const json_t *allowed = hf_json_at(review, "status.allowed");
    char why[600];

    if (!json_is_true(allowed)) {
        const char *said = hf_json_str_or(review, "status.reason", "");
        (void)snprintf(why, sizeof(why),
                       "you may not patch %s '%.253s' (bind the user to the ClusterRole edit)%s%.200s", request->plural,
                       request->object, said[0] != '\0' ? ": " : "", said);
        refuse(request, 403, why);
    } else if (request->act.confirmed) {
        run_act(request);
    } else {
        end(request, 200, json_object());
    }
}

/* ---- questions to the API server --------------------------------------------------------------------------------- */

static void on_object(struct ui_request *request, json_t *object)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_ANSWER);

    (void)json_object_del(json_object_get(object, "metadata"), "managedFields");
    if (request->wanted == NODE)
        end(request, 200, json_incref(object));
    else if (hf_yaml_format(object, &text) == 0)
        end(request, 200, json_pack("{s:s}", "yaml", hf_buf_str(&text)));
    else
        refuse(request, 500, "the object is too large");
}

static void on_answer(void *arg, const struct hf_kube_answer *got)
{
    struct ui_request *request = arg;
    struct hf_err why = got->err;
    const struct hf_kube_call call = {.verb = request->wanted == ACT ? HF_KUBE_CREATE : HF_KUBE_GET,
                                      .plural = request->wanted == ACT ? "selfsubjectaccessreviews" : request->plural};

    if (got->r == 0 && request->wanted == ACT) {
        on_review(request, got->object);
    } else if (got->r == 0) {
        on_object(request, hf_json_mutable(got->object));
    } else {
        (void)hf_cluster_explain(request->cluster, &call, got->r, &why);
        refuse(request, got->r == -ENOENT ? 404 : 502, HF_ERR_TEXT(&why));
    }
}

static int send_call(struct ui_request *request, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *review = NULL;
    struct hf_kube_pending *pending;
    struct hf_kube_call call =
        HF_KUBE_CALL(HF_KUBE_GET, strcmp(request->plural, "nodes") == 0 ? "v1" : HF_API_GROUP_VERSION, request->plural,
                     request->object);
    int r = hf_cluster_check_name(request->object, err);

    if (r < 0)
        return r;
    if (request->wanted == ACT) {
        review = hf_ui_act_review(&request->act, request->object);
        call =
            HF_KUBE_CALL(HF_KUBE_CREATE, "authorization.k8s.io/v1", "selfsubjectaccessreviews", NULL, .body = review);
    }
    if (request->wanted == ACT && review == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    return hf_kube_call_send(hf_cluster_kube(request->cluster), &call, on_answer, request, &pending, err);
}

/* Takes `row`. */
static void begin(struct hf_ui_requests *all, enum asked_for wanted, const char *plural, char *row,
                  struct hf_ui_act act, struct hf_server_exchange *exchange)
{
    bool room = all->n < HF_UI_MAX_REQUESTS && (wanted != ACT || all->n_acts < HF_UI_MAX_ACTS);
    struct ui_request *request = room && row != NULL ? calloc(1, sizeof(*request)) : NULL;
    struct hf_err why = HF_ERR_INIT;

    if (request == NULL) {
        free(row);
        hf_ui_act_done(&act);
        answer(exchange, 503, HF_VIEW("{\"error\":\"too many at once\"}\n"));
        return;
    }
    *request = (struct ui_request){
        .all = all, .wanted = wanted, .exchange = exchange, .row = row, .plural = plural, .act = act};
    hf_list_append(&all->list, &request->link);
    all->n++;
    all->n_acts += wanted == ACT;
    request->cluster = hf_ui_follow_find(all->follow, row, &request->context, &request->object);
    if (request->cluster == NULL)
        refuse(request, 404, "no such context, or it cannot be opened");
    else if (send_call(request, &why) < 0)
        refuse(request, 400, why.cause);
}

static const struct hf_ui_act no_act;

void hf_ui_request_node(struct hf_ui_requests *requests, struct hf_view name, struct hf_server_exchange *exchange)
{
    begin(requests, NODE, "edgenodes", hf_view_dup(name), no_act, exchange);
}

void hf_ui_request_yaml(struct hf_ui_requests *requests, struct hf_view what, struct hf_server_exchange *exchange)
{
    static const char *const plurals[] = {"edgenodes", "edgeupdates", "nodes"};
    struct hf_view plural = HF_VIEW("");

    (void)hf_view_split(&what, '/', &plural);
    for (size_t i = 0; i < HF_LEN(plurals); i++)
        if (hf_view_eq(plural, plurals[i])) {
            begin(requests, YAML, plurals[i], hf_view_dup(what), no_act, exchange);
            return;
        }
    answer(exchange, 400, HF_VIEW("{\"error\":\"the page shows no objects of this kind\"}\n"));
}

void hf_ui_request_act(struct hf_ui_requests *requests, struct hf_view body, struct hf_server_exchange *exchange)
{
    struct hf_err why = HF_ERR_INIT;
    struct hf_ui_act act;

    if (hf_ui_act_parse(body, &act, &why) == 0) {
        begin(requests, ACT, act.plural, strdup(act.name), act, exchange);
        return;
    }
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1024);
    _cleanup_(hf_json_freep) json_t *json = json_pack("{s:s}", "error", why.cause);
    (void)!hf_json_format(json, &text);
    answer(exchange, 400, hf_buf_view(&text));
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

struct hf_ui_requests *hf_ui_requests_new(const struct hf_ui_follow *follow, const struct hf_cli_args *args,
                                          const char *program)
{
    struct hf_ui_requests *requests = calloc(1, sizeof(*requests));

    if (requests == NULL)
        return NULL;
    *requests = (struct hf_ui_requests){.follow = follow, .args = args, .program = program};
    hf_list_init(&requests->list);
    return requests;
}

/* The questions end with the cluster's client, and each exchange needs its answer. */
void hf_ui_requests_free(struct hf_ui_requests *requests)
{
    struct hf_list *it, *next;

    if (requests == NULL)
        return;
    const struct hf_proc_ops *proc = hf_loop_proc(hf_ui_follow_loop(requests->follow));
    hf_list_each(it, next, &requests->list) {
        struct ui_request *request = hf_container_of(it, struct ui_request, link);
        if (request->call != NULL)
            proc->cancel(proc->ctx, request->call);
        refuse(request, 503, "holdfast ui ends");
    }
    free(requests);
}
