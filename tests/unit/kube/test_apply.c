/* SPDX-License-Identifier: Apache-2.0 */
/* Server-side apply of a status that belongs to us alone: what another field manager wrote into it goes. */
#include <string.h>

#include "kube/api/client.h"
#include "support/check_main.h"
#include "support/fakes/apiserver_sim.h"

#define NODE "{\"apiVersion\":\"edge.codcompass.io/v1alpha1\",\"kind\":\"EdgeNode\",\"metadata\":{\"name\":\"n\"}"
#define GHOST "{\"hold\":{\"reason\":\"x\"},\"updates\":[{\"name\":\"ghost\",\"phase\":\"Committed\"}]}"

struct world {
    struct hf_simloop *loop;
    struct hf_simnet *net;
    struct hf_simapi *api;
    struct hf_simproc *proc;
    struct hf_simclient *client;
    struct hf_kube_config config;
    struct hf_kube *kube;
    unsigned n_answers;
    int r;
};

static void on_written(void *arg, int r, uint64_t retry_after_ns, const json_t *answer, const struct hf_err *err)
{
    struct world *world = arg;

    (void)retry_after_ns;
    (void)err;
    ck_assert_int_eq(answer != NULL, r == 0);
    world->n_answers++;
    world->r = r;
}

static void world_start(struct world *world)
{
    *world = (struct world){.loop = hf_simloop_new(3)};
    world->net = hf_simnet_new(world->loop);
    world->api = hf_simapi_new(world->loop, world->net, "https://10.1.2.3:6443");
    world->proc = hf_simproc_new(world->loop, "node");
    world->client = hf_simnet_client(world->net, world->proc);
    world->config.server = strdup("https://10.1.2.3:6443");
    struct hf_kube_params params = {
        .config = &world->config,
        .field_manager = "holdfast-agent",
        .world = hf_simproc_world(world->proc, NULL),
        .http = hf_simclient_ops(world->client),
    };
    world->kube = hf_kube_new(&params, NULL);
    (void)hf_simapi_put_text(world->api, NODE "}");
}

static void world_end(struct world *world)
{
    hf_kube_free(world->kube);
    hf_simclient_free(world->client);
    hf_simproc_free(world->proc);
    hf_simapi_free(world->api);
    hf_simnet_free(world->net);
    hf_simloop_free(world->loop);
    hf_kube_config_done(&world->config);
}

/* Applies a status with this number; returns the number of requests that it took. */
static unsigned report(struct world *world, unsigned sequence)
{
    const struct hf_source_ops *source = hf_kube_source(world->kube);
    struct hf_delivery *delivery;
    unsigned before = hf_simapi_counts(world->api)->patches, answers = world->n_answers;
    json_t *body = json_loads(NODE "}", 0, NULL);

    ck_assert_int_eq(hf_json_put(body, "status.sequence", json_integer(sequence)), 0);
    ck_assert_int_eq(source->apply(source->ctx, body, "status", on_written, world, &delivery, NULL), 0);
    json_decref(body);
    (void)hf_simloop_run_for(world->loop, 5 * HF_NS_PER_S);
    ck_assert_uint_eq(world->n_answers, answers + 1);
    return hf_simapi_counts(world->api)->patches - before;
}

static const json_t *status(const struct world *world)
{
    return json_object_get(hf_simapi_get(world->api, "EdgeNode", "n"), "status");
}

START_TEST(what_others_wrote_into_the_status_goes)
{
    struct world world;

    world_start(&world);
    ck_assert_uint_eq(report(&world, 1), 1);
    hf_simapi_haunt(world.api, "EdgeNode", GHOST);
    ck_assert_uint_eq(report(&world, 2), 3); /* apply, empty, apply */
    ck_assert_int_eq(world.r, 0);
    ck_assert_uint_eq(json_object_size(status(&world)), 1);
    ck_assert_int_eq(hf_json_int_or(status(&world), "sequence", 0), 2);
    ck_assert_uint_eq(report(&world, 3), 1);
    /* Who writes again and again gets an answer each ten minutes, not at each report. */
    hf_simapi_haunt(world.api, "EdgeNode", GHOST);
    ck_assert_uint_eq(report(&world, 4), 1);
    ck_assert_ptr_nonnull(json_object_get(status(&world), "hold"));
    (void)hf_simloop_run_for(world.loop, HF_KUBE_EMPTY_NS);
    ck_assert_uint_eq(report(&world, 5), 3);
    ck_assert_ptr_null(json_object_get(status(&world), "hold"));
    ck_assert_uint_eq(hf_simapi_counts(world.api)->emptied, 2);
    ck_assert_uint_eq(hf_simapi_counts(world.api)->bare_patches, 0);
    world_end(&world);
}
END_TEST

/* A server that refuses to empty the status, or cannot: the report has arrived, and counts. */
START_TEST(a_refusal_to_empty_it_is_no_failure_of_the_report)
{
    struct world world;

    world_start(&world);
    hf_simapi_haunt(world.api, "EdgeNode", GHOST);
    hf_simapi_keep_ghosts(world.api);
    ck_assert_uint_eq(report(&world, 1), 3);
    ck_assert_int_eq(world.r, 0);
    ck_assert_uint_eq(hf_simapi_counts(world.api)->emptied, 0);
    world_end(&world);
}
END_TEST

static const struct {
    const char *body, *answer;
    bool foreign;
} answers[] = {
#define TWO "\"metadata\":{\"managedFields\":[{\"subresource\":\"status\"},{\"subresource\":\"status\"},{}]}"
#define ONE "\"metadata\":{\"managedFields\":[{\"subresource\":\"status\"},{}]}"
    {"{\"status\":{\"a\":[1]}}", "{" TWO ",\"status\":{\"a\":[1]}}", false},
    {"{\"status\":{\"a\":[1]}}", "{" TWO ",\"status\":{\"a\":[1,2]}}", true},
    {"{\"status\":{\"a\":{\"b\":1}}}", "{" TWO ",\"status\":{\"a\":{\"b\":1,\"c\":1}}}", true},
    {"{\"status\":{\"a\":1}}", "{" TWO ",\"status\":{\"a\":1,\"hold\":{}}}", true},
    /* A default of a newer schema; a field that an older one does not know. */
    {"{\"status\":{\"a\":1}}", "{" ONE ",\"status\":{\"a\":1,\"b\":2}}", false},
    {"{\"status\":{\"a\":1,\"b\":2}}", "{" TWO ",\"status\":{\"a\":1}}", false},
    {"{\"metadata\":{\"labels\":{}}}", "{" TWO ",\"status\":{\"a\":1}}", false},
};

START_TEST(foreign_parts_of_an_answer)
{
    json_t *body = json_loads(answers[_i].body, 0, NULL), *answer = json_loads(answers[_i].answer, 0, NULL);

    ck_assert_int_eq(hf_kube_apply_has_foreign(body, answer), answers[_i].foreign);
    json_decref(body);
    json_decref(answer);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, what_others_wrote_into_the_status_goes);
    tcase_add_test(tc, a_refusal_to_empty_it_is_no_failure_of_the_report);
    tcase_add_loop_test(tc, foreign_parts_of_an_answer, 0, HF_LEN(answers));
}
HF_TEST_MAIN("kube/apply", cases)
