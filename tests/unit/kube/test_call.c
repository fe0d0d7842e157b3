/* SPDX-License-Identifier: Apache-2.0 */
/* Single requests (kube/call.h) against a server that answers what the test says, on virtual time. */
#include "kube/call.h"

#include <errno.h>

#include "support/check_main.h"
#include "support/fakes/simnet.h"

enum { MAX_SERVED = 80 };

/* A request as the server saw it, and the answer that the test wants. */
struct served {
    char method[8], target[400], type[60], accept[120], body[200];
};

struct world {
    struct hf_simloop *loop;
    struct hf_simnet *net;
    struct hf_simproc *proc;
    struct hf_simclient *client;
    struct hf_kube_config config;
    struct hf_kube *kube;
    struct served served[MAX_SERVED];
    unsigned n_served, reauths;
    int status, first_status; /* of the first request, if not 0 */
    const char *content;
    uint64_t retry_ns;
    size_t huge; /* so many blanks after `head` and before `content` */
    const char *head;
    bool silent;
};

/* What `done` got. */
struct result {
    unsigned times;
    int r, status;
    bool explained; /* the answer had a Status object */
    uint64_t retry_ns, date_ns;
    size_t unreadable;
    char reason[40], error[600];
    json_t *object;
    struct hf_kube_pending *pending, *cancels;
};

static void keep(char *out, size_t n, const char *text)
{
    (void)snprintf(out, n, "%s", text != NULL ? text : "");
}

static void handle(void *arg, struct hf_simcall *call)
{
    struct world *world = arg;
    struct served *served = &world->served[world->n_served];
    struct hf_view body = hf_simcall_body(call);
    int status = world->n_served == 0 && world->first_status > 0 ? world->first_status : world->status;

    ck_assert_uint_lt(world->n_served, MAX_SERVED);
    world->n_served++;
    keep(served->method, sizeof(served->method), hf_simcall_method(call));
    keep(served->target, sizeof(served->target), hf_simcall_target(call));
    keep(served->type, sizeof(served->type), hf_simcall_header(call, "Content-Type"));
    keep(served->accept, sizeof(served->accept), hf_simcall_header(call, "Accept"));
    (void)snprintf(served->body, sizeof(served->body), "%.*s", (int)body.n, body.n > 0 ? body.p : "");
    if (world->silent)
        return;
    hf_simcall_respond(call, &(struct hf_http_response){.status = status,
                                                        .retry_after_ns = world->retry_ns,
                                                        .content_length = -1,
                                                        .content_type = "application/json"});
    if (world->huge > 0) {
        char *text = calloc(1, world->huge);
        (void)memset(text, ' ', world->huge);
        hf_simcall_send(call, world->head, strlen(world->head));
        hf_simcall_send(call, text, world->huge);
        free(text);
    }
    hf_simcall_send(call, world->content, strlen(world->content));
    hf_simcall_end(call);
}

static int reauthenticate(void *arg, struct hf_err *err)
{
    (void)err;
    ((struct world *)arg)->reauths++;
    return 0;
}

static void world_start(struct world *world, enum hf_kube_api api)
{
    *world = (struct world){
        .loop = hf_simloop_new(7), .status = 200, .content = "{\"kind\":\"Lease\",\"metadata\":{\"name\":\"a\"}}"};
    world->net = hf_simnet_new(world->loop);
    hf_simnet_serve(world->net, "https://api", handle, world);
    world->proc = hf_simproc_new(world->loop, "controller");
    world->client = hf_simnet_client(world->net, world->proc);
    world->config.server = strdup("https://api:6443");
    struct hf_kube_params params = {
        .config = &world->config,
        .api = api,
        .field_manager = "holdfast controller",
        .world = hf_simproc_world(world->proc, NULL),
        .http = hf_simclient_ops(world->client),
        .reauthenticate = reauthenticate,
        .arg = world,
    };
    world->kube = hf_kube_new(&params, NULL);
    ck_assert_ptr_nonnull(world->kube);
}

static void world_end(struct world *world)
{
    hf_kube_free(world->kube);
    ck_assert_uint_eq(hf_simproc_timers(world->proc), 0);
    ck_assert_uint_eq(hf_simclient_calls(world->client), 0);
    hf_simclient_free(world->client);
    hf_simproc_free(world->proc);
    hf_simnet_free(world->net);
    hf_simloop_free(world->loop);
    hf_kube_config_done(&world->config);
}

static void run(struct world *world, uint64_t seconds)
{
    (void)hf_simloop_run_for(world->loop, seconds * HF_NS_PER_S);
}

static void done(void *arg, const struct hf_kube_answer *answer)
{
    struct result *result = arg;

    result->times++;
    result->pending = NULL;
    result->r = answer->r;
    result->status = answer->status;
    result->explained = answer->refusal != NULL;
    result->retry_ns = answer->retry_after_ns;
    result->date_ns = answer->date_unix_ns;
    result->unreadable = answer->unreadable;
    keep(result->reason, sizeof(result->reason), answer->reason);
    (void)hf_err_text(&answer->err, result->error, sizeof(result->error));
    ck_assert((answer->r == 0) == (answer->object != NULL));
    ck_assert((answer->r == 0) == (answer->err.code == 0));
    json_decref(result->object);
    result->object = answer->object != NULL ? json_deep_copy(answer->object) : NULL;
    hf_kube_call_cancel(result->cancels);
}

static void result_done(struct result *result)
{
    json_decref(result->object);
}

static void send(struct world *world, const struct hf_kube_call *call, struct result *result)
{
    struct hf_err err = HF_ERR_INIT;

    ck_assert_msg(hf_kube_call_send(world->kube, call, done, result, &result->pending, &err) == 0, "%s", err.cause);
    ck_assert_uint_eq(result->times, 0); /* never inside the call */
}

/* ---- what goes over the wire ------------------------------------------------------------------------------------- */

#define LEASES .api_version = "coordination.k8s.io/v1", .plural = "leases", .ns = "holdfast-system"
#define JSON "application/json"

static const struct {
    struct hf_kube_call call;
    const char *body, *method, *target, *type, *accept;
} requests[] = {
    {{HF_KUBE_GET, LEASES, .name = "holdfast-controller"},
     NULL,
     "GET",
     "/apis/coordination.k8s.io/v1/namespaces/holdfast-system/leases/holdfast-controller",
     "",
     JSON},
    {{HF_KUBE_GET, .api_version = "v1", .plural = "nodes", .name = "n 1/x", .metadata_only = true},
     NULL,
     "GET",
     "/api/v1/nodes/n%201%2Fx",
     "",
     "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"},
    {{HF_KUBE_LIST, .api_version = "v1", .plural = "nodes", .limit = 500, .next = "a=b&c", .metadata_only = true},
     NULL,
     "GET",
     "/api/v1/nodes?limit=500&continue=a%3Db%26c",
     "",
     "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"},
    {{HF_KUBE_LIST, .api_version = "v1", .plural = "pods", .query = "labelSelector=a%3Db", .next = ""},
     NULL,
     "GET",
     "/api/v1/pods?labelSelector=a%3Db",
     "",
     JSON},
    {{HF_KUBE_CREATE, LEASES},
     "{\"spec\":{}}",
     "POST",
     "/apis/coordination.k8s.io/v1/namespaces/holdfast-system/leases?fieldManager=holdfast%20controller",
     JSON,
     JSON},
    {{HF_KUBE_UPDATE, .api_version = "certificates.k8s.io/v1", .plural = "certificatesigningrequests", .name = "c",
      .subresource = "approval"},
     "{\"status\":{}}",
     "PUT",
     "/apis/certificates.k8s.io/v1/certificatesigningrequests/c/approval?fieldManager=holdfast%20controller",
     JSON,
     JSON},
    {{HF_KUBE_APPLY, .api_version = "edge.codcompass.io/v1alpha1", .plural = "edgenodes", .name = "n",
      .subresource = "status", .force = true},
     "{\"status\":{}}",
     "PATCH",
     "/apis/edge.codcompass.io/v1alpha1/edgenodes/n/status?fieldManager=holdfast%20controller&force=true",
     "application/apply-patch+yaml",
     JSON},
    {{HF_KUBE_APPLY, .api_version = "v1", .plural = "nodes", .name = "n"},
     "{\"a\":1}",
     "PATCH",
     "/api/v1/nodes/n?fieldManager=holdfast%20controller&force=false",
     "application/apply-patch+yaml",
     JSON},
    {{HF_KUBE_MERGE_PATCH, .api_version = "v1", .plural = "nodes", .name = "n", .query = "dryRun=All"},
     "{\"a\":null}",
     "PATCH",
     "/api/v1/nodes/n?fieldManager=holdfast%20controller&dryRun=All",
     "application/merge-patch+json",
     JSON},
    {{HF_KUBE_JSON_PATCH, .api_version = "v1", .plural = "nodes", .name = "n"},
     "[{\"op\":\"remove\",\"path\":\"/a\"}]",
     "PATCH",
     "/api/v1/nodes/n?fieldManager=holdfast%20controller",
     "application/json-patch+json",
     JSON},
    {{HF_KUBE_DELETE, LEASES, .name = "l"},
     NULL,
     "DELETE",
     "/apis/coordination.k8s.io/v1/namespaces/holdfast-system/leases/l",
     "",
     JSON},
    {{HF_KUBE_DELETE, LEASES, .name = "l"},
     "{\"preconditions\":{\"uid\":\"u\"}}",
     "DELETE",
     "/apis/coordination.k8s.io/v1/namespaces/holdfast-system/leases/l",
     JSON,
     JSON},
    {{HF_KUBE_CREATE, .api_version = "v1", .plural = "serviceaccounts", .ns = "a", .name = "s", .subresource = "token"},
     "{}",
     "POST",
     "/api/v1/namespaces/a/serviceaccounts/s/token?fieldManager=holdfast%20controller",
     JSON,
     JSON},
    {{HF_KUBE_APPLY, LEASES, .name = "l", .field_manager = "other manager", .query = "dryRun=All"},
     "{\"a\":1}",
     "PATCH",
     "/apis/coordination.k8s.io/v1/namespaces/holdfast-system/leases/"
     "l?fieldManager=other%20manager&force=false&dryRun=All",
     "application/apply-patch+yaml",
     JSON},
    {{HF_KUBE_DISCOVER, .api_version = "apps/v1"}, NULL, "GET", "/apis/apps/v1", "", JSON},
    {{HF_KUBE_DISCOVER, .api_version = "v1"}, NULL, "GET", "/api/v1", "", JSON},
};

START_TEST(goes_out_as_kubernetes_wants_it)
{
    struct world world;
    struct result result = {.times = 0};
    struct hf_kube_call call = requests[_i].call;
    json_t *body = requests[_i].body != NULL ? json_loads(requests[_i].body, 0, NULL) : NULL;

    world_start(&world, HF_KUBE_APISERVER);
    call.body = body;
    if (call.verb == HF_KUBE_LIST)
        world.content = "{\"kind\":\"List\",\"items\":[]}";
    send(&world, &call, &result);
    json_decref(body); /* the client has its own copy */
    run(&world, 5);
    ck_assert_uint_eq(result.times, 1);
    ck_assert_int_eq(result.r, 0);
    ck_assert_int_eq(result.status, 200);
    ck_assert_uint_gt(result.date_ns, 0);
    ck_assert_uint_eq(world.n_served, 1);
    ck_assert_str_eq(world.served[0].method, requests[_i].method);
    ck_assert_str_eq(world.served[0].target, requests[_i].target);
    ck_assert_str_eq(world.served[0].type, requests[_i].type);
    ck_assert_str_eq(world.served[0].accept, requests[_i].accept);
    ck_assert_str_eq(world.served[0].body, requests[_i].body != NULL ? requests[_i].body : "");
    result_done(&result);
    world_end(&world);
}
END_TEST

static const struct hf_kube_call wrong[] = {
    {HF_KUBE_GET, LEASES},
    {HF_KUBE_UPDATE, LEASES},
    {HF_KUBE_APPLY, LEASES, .name = "a"}, /* no body */
    {HF_KUBE_LIST, LEASES, .name = "a"},
    {HF_KUBE_GET, LEASES, .name = ""},
    {HF_KUBE_GET, LEASES, .name = "."},
    {HF_KUBE_GET, LEASES, .name = ".."},
    {HF_KUBE_LIST, .api_version = "v1", .plural = "pods", .ns = ".."},
    {HF_KUBE_LIST, .api_version = "v1", .plural = "pods", .subresource = "status"},
    {HF_KUBE_GET, .api_version = "v1", .plural = "pods", .name = "a", .subresource = "../x"},
    {HF_KUBE_GET, .api_version = "", .plural = "pods", .name = "a"},
    {HF_KUBE_GET, .api_version = "v1?x", .plural = "pods", .name = "a"},
    {HF_KUBE_GET, .api_version = "v1", .plural = "pods/../secrets", .name = "a"},
    {HF_KUBE_GET, .api_version = "v1", .plural = "", .name = "a"},
    {HF_KUBE_GET, .api_version = "v1", .name = "a"},
    {HF_KUBE_GET, .api_version = "../v1", .plural = "pods", .name = "a"},
    {HF_KUBE_DISCOVER, LEASES},
    {HF_KUBE_DISCOVER, .api_version = "v1", .name = "a"},
};

START_TEST(refuses_what_cannot_be_sent)
{
    struct world world;
    struct result result = {.times = 0};
    struct hf_err err = HF_ERR_INIT;

    world_start(&world, HF_KUBE_APISERVER);
    ck_assert_int_eq(hf_kube_call_send(world.kube, &wrong[_i], done, &result, &result.pending, &err), -EINVAL);
    ck_assert_str_ne(err.cause, "");
    run(&world, 60);
    ck_assert_uint_eq(result.times + world.n_served, 0);
    world_end(&world);
}
END_TEST

/* ---- what comes back --------------------------------------------------------------------------------------------- */

static const struct {
    int status;
    const char *content;
    int r;
    const char *reason;
} answers[] = {
    {201, "{\"kind\":\"Lease\"}", 0, ""},
    {200, "{\"kind\":\"Status\",\"status\":\"Success\"}", 0, ""},
    {200, "<html>log in</html>", -EPROTO, ""},
    {200, "[]", -EPROTO, ""},
    {200, "{}", -EPROTO, ""},
    {200, "", -EPROTO, ""},
    {400, "{\"kind\":\"Status\",\"reason\":\"BadRequest\"}", -EBADMSG, "BadRequest"},
    {401, "Unauthorized", -EACCES, ""},
    {403, "{\"kind\":\"Status\",\"reason\":\"Forbidden\"}", -EACCES, "Forbidden"},
    {404, "{\"kind\":\"Status\",\"reason\":\"NotFound\"}", -ENOENT, "NotFound"},
    {405, "{}", -EBADMSG, ""},
    {409, "{\"kind\":\"Status\",\"reason\":\"AlreadyExists\"}", -EEXIST, "AlreadyExists"},
    {409, "{\"kind\":\"Status\",\"reason\":\"Conflict\"}", -ESTALE, "Conflict"},
    {409, "who knows", -ESTALE, ""},
    {410, "{\"kind\":\"Status\",\"reason\":\"Expired\"}", -ESTALE, "Expired"},
    {413, "{}", -EBADMSG, ""},
    {422, "{\"kind\":\"Status\",\"reason\":\"Invalid\"}", -EBADMSG, "Invalid"},
    {429, "{\"kind\":\"Status\",\"reason\":\"TooManyRequests\"}", -EAGAIN, "TooManyRequests"},
    {500, "{\"kind\":\"Status\",\"reason\":\"InternalError\"}", -EAGAIN, "InternalError"},
    {503, "busy", -EAGAIN, ""},
    {302, "elsewhere", -EAGAIN, ""},
};

START_TEST(one_table_of_statuses)
{
    struct world world;
    struct result result = {.times = 0};

    world_start(&world, HF_KUBE_APISERVER);
    world.status = answers[_i].status;
    world.content = answers[_i].content;
    world.retry_ns = 9 * HF_NS_PER_S;
    send(&world, &(struct hf_kube_call){HF_KUBE_GET, LEASES, .name = "a"}, &result);
    run(&world, 60);
    ck_assert_uint_eq(result.times, 1);
    ck_assert_int_eq(result.r, answers[_i].r);
    ck_assert_int_eq(result.status, answers[_i].status);
    ck_assert_str_eq(result.reason, answers[_i].reason);
    ck_assert_int_eq(result.explained, result.status >= 300 && *answers[_i].content == '{');
    if (result.status >= 300) {
        ck_assert_uint_eq(result.retry_ns, 9 * HF_NS_PER_S);
        ck_assert_ptr_nonnull(strstr(result.error, "the server answered "));
    }
    ck_assert_uint_eq(world.n_served, answers[_i].status == 401 ? 2 : 1);
    ck_assert_uint_eq(world.reauths, answers[_i].status == 401);
    result_done(&result);
    world_end(&world);
}
END_TEST

/* A server, or what stands before it, must not silence a writer for a day. */
START_TEST(a_long_retry_after)
{
    struct world world;
    struct result result = {.times = 0};

    world_start(&world, HF_KUBE_APISERVER);
    world.status = 503;
    world.content = "{}";
    world.retry_ns = 24 * 3600 * HF_NS_PER_S;
    send(&world, &(struct hf_kube_call){HF_KUBE_GET, LEASES, .name = "a"}, &result);
    run(&world, 60);
    ck_assert_int_eq(result.status, 503);
    ck_assert_uint_eq(result.retry_ns, 300 * HF_NS_PER_S);
    result_done(&result);
    world_end(&world);
}
END_TEST

START_TEST(a_401_reads_the_credentials_and_sends_again)
{
    struct world world;
    struct result result = {.times = 0};
    json_t *body = json_pack("{s:i}", "x", 1);

    world_start(&world, HF_KUBE_APISERVER);
    world.first_status = 401;
    send(&world, &(struct hf_kube_call){HF_KUBE_APPLY, LEASES, .name = "a", .body = body}, &result);
    json_decref(body);
    run(&world, 5);
    ck_assert(result.times == 1 && result.r == 0 && world.reauths == 1 && world.n_served == 2);
    ck_assert_str_eq(world.served[1].body, "{\"x\":1}");
    result_done(&result);
    world_end(&world);
}
END_TEST

START_TEST(a_bad_item_costs_itself)
{
    struct world world;
    struct result result = {.times = 0};

    world_start(&world, HF_KUBE_APISERVER);
    world.content =
        "{\"kind\":\"EdgeNodeList\",\"metadata\":{\"continue\":\"more\"},\"items\":[{\"metadata\":{\"name\":"
        "\"a\"}},{\"x\":\"\\u0000\"},{\"metadata\":{\"name\":\"b\"}}]}";
    send(&world, &(struct hf_kube_call){HF_KUBE_LIST, .api_version = "v1", .plural = "edgenodes"}, &result);
    run(&world, 5);
    const json_t *items = json_object_get(result.object, "items");
    ck_assert_int_eq(result.r, 0);
    ck_assert_uint_eq(json_array_size(items), 2);
    ck_assert_str_eq(hf_json_str(json_array_get(items, 1), "metadata.name"), "b");
    ck_assert_str_eq(hf_json_str(result.object, "metadata.continue"), "more");
    ck_assert_uint_eq(result.unreadable, 1);
    result_done(&result);
    world_end(&world);
}
END_TEST

/* {verb, size of the answer, result} */
static const struct {
    enum hf_kube_verb verb;
    size_t n;
    int r;
} sizes[] = {
    {HF_KUBE_GET, HF_KUBE_CALL_MAX_OBJECT - 100, 0},
    {HF_KUBE_GET, HF_KUBE_CALL_MAX_OBJECT + 1, -E2BIG},
    {HF_KUBE_LIST, HF_KUBE_CALL_MAX_PAGE - 100, 0},
    {HF_KUBE_LIST, HF_KUBE_CALL_MAX_PAGE + 1, -E2BIG},
};

START_TEST(answers_are_bounded)
{
    struct world world;
    struct result result = {.times = 0};

    world_start(&world, HF_KUBE_APISERVER);
    world.huge = sizes[_i].n;
    world.head = "{\"kind\":\"X\",\"items\":[";
    world.content = "]}";
    send(&world, &(struct hf_kube_call){sizes[_i].verb, LEASES, .name = sizes[_i].verb == HF_KUBE_GET ? "a" : NULL},
         &result);
    run(&world, 60);
    ck_assert_uint_eq(result.times, 1);
    ck_assert_int_eq(result.r, sizes[_i].r);
    result_done(&result);
    world_end(&world);
}
END_TEST

/* ---- time and ends ----------------------------------------------------------------------------------------------- */

START_TEST(has_a_deadline)
{
    struct world world;
    struct result result = {.times = 0};
    uint64_t limit_s = _i == 0 ? 30 : 4;

    world_start(&world, HF_KUBE_APISERVER);
    world.silent = true;
    send(&world, &(struct hf_kube_call){HF_KUBE_GET, LEASES, .name = "a", .timeout_ns = _i == 0 ? 0 : 4 * HF_NS_PER_S},
         &result);
    run(&world, limit_s - 1);
    ck_assert_uint_eq(result.times, 0);
    run(&world, 2);
    ck_assert(result.times == 1 && result.r == -ETIMEDOUT && result.status == 0);
    result_done(&result);
    world_end(&world);
}
END_TEST

START_TEST(unreachable)
{
    struct world world;
    struct result result = {.times = 0};

    world_start(&world, HF_KUBE_APISERVER);
    hf_simnet_set_server(world.net, "https://api", HF_SIM_SERVER_REFUSING);
    send(&world, &(struct hf_kube_call){HF_KUBE_GET, LEASES, .name = "a"}, &result);
    run(&world, 5);
    ck_assert(result.times == 1 && result.r == -ECONNREFUSED && result.status == 0);
    result_done(&result);
    world_end(&world);
}
END_TEST

START_TEST(cancelled)
{
    struct world world;
    struct result first = {.times = 0}, second = {.times = 0};

    world_start(&world, HF_KUBE_APISERVER);
    send(&world, &(struct hf_kube_call){HF_KUBE_GET, LEASES, .name = "a"}, &first);
    if (_i == 0) { /* from outside, before and during the request */
        hf_kube_call_cancel(first.pending);
    } else { /* from inside the end of another */
        send(&world, &(struct hf_kube_call){HF_KUBE_GET, LEASES, .name = "b", .timeout_ns = HF_NS_PER_S}, &second);
        second.cancels = first.pending;
        world.silent = true;
    }
    run(&world, 60);
    ck_assert_uint_eq(first.times, 0);
    ck_assert_uint_eq(second.times, (unsigned)_i);
    hf_kube_call_cancel(NULL);
    result_done(&first);
    result_done(&second);
    world_end(&world);
}
END_TEST

START_TEST(the_client_ends_with_calls_in_flight)
{
    struct world world;
    struct result result = {.times = 0};

    world_start(&world, HF_KUBE_APISERVER);
    world.silent = true;
    send(&world, &(struct hf_kube_call){HF_KUBE_GET, LEASES, .name = "a"}, &result);
    run(&world, 1);
    world_end(&world); /* checks that nothing is left */
    ck_assert_uint_eq(result.times, 0);
}
END_TEST

START_TEST(at_most_so_many_at_once)
{
    struct world world;
    struct result results[HF_KUBE_CALL_MAX_IN_FLIGHT] = {{.times = 0}}, more = {.times = 0};
    const struct hf_kube_call call = {HF_KUBE_GET, LEASES, .name = "a"};

    world_start(&world, HF_KUBE_APISERVER);
    for (size_t i = 0; i < HF_LEN(results); i++)
        send(&world, &call, &results[i]);
    ck_assert_int_eq(hf_kube_call_send(world.kube, &call, done, &more, &more.pending, NULL), -EAGAIN);
    run(&world, 5);
    for (size_t i = 0; i < HF_LEN(results); i++) {
        ck_assert(results[i].times == 1 && results[i].r == 0);
        result_done(&results[i]);
    }
    send(&world, &call, &more);
    run(&world, 5);
    ck_assert_uint_eq(more.times, 1);
    result_done(&more);
    world_end(&world);
}
END_TEST

/* Behind a MetaServer: no cloud, no request, while a subscription seeks it. */
START_TEST(the_cloud_is_away)
{
    struct world world;
    struct result result = {.times = 0};
    struct hf_source_sink sink = {.arg = NULL};
    struct hf_subscription *sub = NULL;

    world_start(&world, HF_KUBE_METASERVER);
    world.status = 500;
    const struct hf_source_ops *source = hf_kube_source(world.kube);
    if (_i == 0)
        ck_assert_int_eq(source->subscribe(source->ctx, "EdgeUpdate", NULL, "", NULL, &sink, &sub, NULL), 0);
    send(&world, &(struct hf_kube_call){HF_KUBE_GET, LEASES, .name = "a"}, &result);
    run(&world, 1);
    ck_assert_uint_eq(result.times, 1);
    ck_assert_int_eq(result.r, _i == 0 ? -EHOSTUNREACH : -EAGAIN);
    hf_source_unsubscribe(sub);
    run(&world, 5);
    result_done(&result);
    world_end(&world);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, goes_out_as_kubernetes_wants_it, 0, (int)HF_LEN(requests));
    tcase_add_loop_test(tc, refuses_what_cannot_be_sent, 0, (int)HF_LEN(wrong));
    tcase_add_loop_test(tc, one_table_of_statuses, 0, (int)HF_LEN(answers));
    tcase_add_test(tc, a_long_retry_after);
    tcase_add_test(tc, a_401_reads_the_credentials_and_sends_again);
    tcase_add_test(tc, a_bad_item_costs_itself);
    tcase_add_loop_test(tc, answers_are_bounded, 0, (int)HF_LEN(sizes));
    tcase_add_loop_test(tc, has_a_deadline, 0, 2);
    tcase_add_test(tc, unreachable);
    tcase_add_loop_test(tc, cancelled, 0, 2);
    tcase_add_test(tc, the_client_ends_with_calls_in_flight);
    tcase_add_test(tc, at_most_so_many_at_once);
    tcase_add_loop_test(tc, the_cloud_is_away, 0, 2);
}
HF_TEST_MAIN("kube/call", cases)
