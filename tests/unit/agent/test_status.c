#include "agent/report/status.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "support/check_main.h"

#define NOW (1795161600ull * HF_NS_PER_S) /* 2026-11-20T08:00:00Z */
#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct hf_update_status committed = {.name = "edge-inference",
                                                  .phase = HF_PHASE_COMMITTED,
                                                  .version = "1.4.2",
                                                  .sequence = 42,
                                                  .digest = DIGEST,
                                                  .installed = "1.4.2",
                                                  .from = "1.4.1",
                                                  .method = "Delta",
                                                  .bytes_fetched = 23811,
                                                  .attempts = 1,
                                                  .reason = "HealthPassed",
                                                  .message = "every health check passed",
                                                  .time_unix_ns = NOW,
                                                  .settled = true};

struct scene {
    struct hf_status_view view;
    struct hf_readiness readiness;
    struct hf_syncpolicy policy;
    struct hf_issues issues;
    json_t *conditions;
};

static void set_up(struct scene *s, const struct hf_update_status *updates, size_t n, const struct hf_refused *refused,
                   size_t n_refused)
{
    memset(s, 0, sizeof(*s));
    s->conditions = json_array();
    struct hf_readiness_params params = {
        .known = true, .updates = updates, .n_updates = n, .refused = refused, .n_refused = n_refused};
    hf_readiness_judge(&params, &s->readiness);
    s->policy.meta.name = "edge-sites";
    s->policy.meta.generation = 3;
    s->policy.interval_ns = 300 * HF_NS_PER_S;
    s->view = (struct hf_status_view){.version = "0.1.0",
                                      .clock_synchronized = true,
                                      .updates = updates,
                                      .n_updates = n,
                                      .refused = refused,
                                      .n_refused = n_refused,
                                      .policy = &s->policy,
                                      .labels_refused = &s->issues,
                                      .readiness = &s->readiness,
                                      .observed_generation = 1};
}

static json_t *essence(struct scene *s, uint64_t now)
{
    json_t *out = NULL;

    ck_assert_int_eq(hf_status_essence(&s->view, s->conditions, now, &out), 0);
    return out;
}

static json_t *body(const json_t *of)
{
    struct hf_status_volatile moving = {.sequence = 812,
                                        .observed_unix_ns = NOW,
                                        .contact_unix_ns = NOW,
                                        .has_offset = true,
                                        .offset_ns = -12 * (int64_t)HF_NS_PER_MS};
    json_t *out = NULL;

    ck_assert_int_eq(hf_status_body("n1", of, &moving, &out), 0);
    return out;
}

START_TEST(whole_text)
{
    static const char want[] =
        "{\"apiVersion\":\"edge.codcompass.io/"
        "v1alpha1\",\"kind\":\"EdgeNode\",\"metadata\":{\"name\":\"n1\"},\"status\":{"
        "\"observedGeneration\":1,\"agent\":{\"version\":\"0.1.0\",\"mode\":\"Host\",\"features\":[\"delta/1\",\"tree/"
        "1\",\"spool/1\"]},"
        "\"contact\":{\"state\":\"Fresh\",\"lastTime\":\"2026-11-20T08:00:00Z\"},"
        "\"clock\":{\"synchronized\":true,\"offsetMilliseconds\":12},"
        "\"policy\":{\"name\":\"edge-sites\",\"observedGeneration\":3,\"interval\":\"5m\"},"
        "\"updates\":[{\"name\":\"edge-inference\",\"phase\":\"Committed\",\"version\":\"1.4.2\","
        "\"installedVersion\":\"1.4.2\",\"sequence\":42,"
        "\"digest\":\"" DIGEST "\",\"from\":\"1.4.1\",\"method\":\"Delta\",\"bytesFetched\":23811,\"attempts\":1,"
        "\"reason\":\"HealthPassed\",\"message\":\"every health check passed\",\"time\":\"2026-11-20T08:00:00Z\"}],"
        "\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\",\"reason\":\"Settled\",\"message\":\"1 of 1 updates "
        "committed\","
        "\"lastTransitionTime\":\"2026-11-20T08:00:00Z\"}],\"sequence\":812,\"observedTime\":\"2026-11-20T08:00:00Z\"}"
        "}";
    struct scene s;

    set_up(&s, &committed, 1, NULL, 0);
    _cleanup_(hf_json_freep) json_t *one = essence(&s, NOW), *whole = body(one), *wanted = json_loads(want, 0, NULL);
    char *text = json_dumps(whole, JSON_COMPACT);

    ck_assert_ptr_nonnull(wanted);
    ck_assert_msg(json_equal(whole, wanted), "\n%s\n%s", text, want);
    ck_assert_msg(strlen(text) < 1024, "one release: %zu bytes", strlen(text));
    free(text);
    json_decref(s.conditions);
}
END_TEST

/* Without a SyncPolicy the name is empty, so that "the defaults" and "an agent that does not say" differ. */
START_TEST(the_defaults_are_a_policy_too)
{
    struct scene s;

    set_up(&s, &committed, 1, NULL, 0);
    s.policy.meta.name = NULL;
    s.view.policy_is_default = true;
    _cleanup_(hf_json_freep) json_t *one = essence(&s, NOW);
    ck_assert_str_eq(hf_json_str_or(one, "policy.name", "absent"), "");
    ck_assert_str_eq(hf_json_str_or(one, "policy.interval", "absent"), "5m");
    json_decref(s.conditions);
}
END_TEST

START_TEST(time_alone_is_no_change)
{
    struct scene s;

    set_up(&s, &committed, 1, NULL, 0);
    _cleanup_(hf_json_freep) json_t *one = essence(&s, NOW), *two = essence(&s, NOW + HF_NS_PER_S);
    ck_assert(hf_status_same(one, two));
    ck_assert(!hf_status_same(NULL, two));
    s.view.staleness = HF_STALE_STALE;
    _cleanup_(hf_json_freep) json_t *three = essence(&s, NOW);
    ck_assert(!hf_status_same(one, three));
    json_decref(s.conditions);
}
END_TEST

/* lastTransitionTime stays while the status of a condition stays. */
START_TEST(transition_times)
{
    struct scene s;

    set_up(&s, &committed, 1, NULL, 0);
    json_decref(essence(&s, NOW));
    s.readiness.is_stalled = true;
    s.readiness.stalled = (struct hf_readiness_part){.status = "True", .reason = "X", .message = "y"};
    _cleanup_(hf_json_freep) json_t *two = essence(&s, NOW + 60 * HF_NS_PER_S);
    const json_t *list = json_object_get(two, "conditions");
    ck_assert_uint_eq(json_array_size(list), 2);
    ck_assert_str_eq(hf_json_str(json_array_get(list, 0), "lastTransitionTime"), "2026-11-20T08:00:00Z");
    ck_assert_str_eq(hf_json_str(json_array_get(list, 1), "lastTransitionTime"), "2026-11-20T08:01:00Z");
    s.readiness.is_stalled = false;
    _cleanup_(hf_json_freep) json_t *three = essence(&s, NOW);
    ck_assert_uint_eq(json_array_size(json_object_get(three, "conditions")), 1);
    json_decref(s.conditions);
}
END_TEST

static const char *names_in(const json_t *status, char *text, size_t size)
{
    const json_t *list = json_object_get(status, "updates");
    size_t n = 0;

    text[0] = '\0';
    for (size_t i = 0; i < json_array_size(list); i++)
        n += (size_t)snprintf(text + n, size - n, "%s%s:%s", i > 0 ? " " : "",
                              hf_json_str(json_array_get(list, i), "name"),
                              hf_json_str(json_array_get(list, i), "phase"));
    return text;
}

/* A list map holds a key once: the API server would refuse the whole status. */
START_TEST(refused_beside_a_release_of_its_name)
{
    static const struct hf_refused refused[] = {{"EdgeUpdate", "edge-inference", "spec: expected an object"},
                                                {"EdgeUpdate", "broken", "spec: expected an object"},
                                                {"EdgeUpdate", "broken", "again"},
                                                {"SyncPolicy", "policy", "spec.interval: too short"}};
    struct scene s;
    char text[256];

    set_up(&s, &committed, 1, refused, HF_LEN(refused));
    _cleanup_(hf_json_freep) json_t *one = essence(&s, NOW);
    ck_assert_str_eq(names_in(one, text, sizeof(text)), "edge-inference:Committed broken:Rejected");
    json_decref(s.conditions);
}
END_TEST

/* Whatever happened to one release, what is said of it is bounded, whole characters, and as long as an engine makes it. */
START_TEST(one_release_is_short)
{
    static const enum hf_phase phases[] = {HF_PHASE_REJECTED, HF_PHASE_ROLLED_BACK, HF_PHASE_INCOMPATIBLE,
                                           HF_PHASE_WAITING};
    static const char *const pieces[] = {"x", "\xc3\xa4", "\\\"", "\xf0\x9f\x92\xa5"};
    char message[257];

    for (size_t p = 0; p < HF_LEN(pieces); p++)
        for (size_t n = 0; n + strlen(pieces[p]) < sizeof(message); n += strlen(pieces[p])) {
            struct hf_update_status update = committed;
            struct scene s;
            memcpy(message + n, pieces[p], strlen(pieces[p]) + 1);
            update.phase = phases[_i];
            update.reason = "RequirementsNotMet"; /* the longest */
            update.version = "2026.11.20-rc.1";
            update.from = "2026.10.31-rc.12";
            update.name = "edge-inference-server";
            update.message = message;
            update.settled = false;
            set_up(&s, &update, 1, NULL, 0);
            _cleanup_(hf_json_freep) json_t *one = essence(&s, NOW), *whole = body(one);
            size_t size = json_dumpb(json_object_get(whole, "status"), NULL, 0, JSON_COMPACT);
            size_t bound = update.phase == HF_PHASE_INCOMPATIBLE ? HF_STATUS_ONE_BYTES : HF_STATUS_TROUBLE_BYTES;
            ck_assert_msg(size > 0 && size < bound, "%zu bytes of message: %zu", strlen(message), size);
            const char *told = hf_json_str(json_array_get(json_object_get(one, "updates"), 0), "message");
            size_t least = update.phase == HF_PHASE_INCOMPATIBLE ? HF_MIN(strlen(message), 50) : strlen(message);
            ck_assert_msg(told != NULL && strlen(told) >= least, "'%s' of '%s'", told, message);
            json_decref(s.conditions);
        }
}
END_TEST

/* Why stands with the update and in Ready, whole; the other conditions point there. */
START_TEST(why_is_not_said_again_and_again)
{
    static const char why[] =
        "http://127.0.0.1:8080/healthz: 503 Service Unavailable; 200 is wanted; asked 24 times in "
        "2m; see the service's journal: journalctl -u edge-inference.service";
    struct hf_update_status update = committed;
    struct scene s;

    update.phase = HF_PHASE_ROLLED_BACK;
    update.reason = "HealthDeadline";
    update.version = "1.5.0";
    update.message = why;
    set_up(&s, &update, 1, NULL, 0);
    _cleanup_(hf_json_freep) json_t *one = essence(&s, NOW);
    const json_t *ready = json_array_get(json_object_get(one, "conditions"), 0);
    const json_t *stalled = json_array_get(json_object_get(one, "conditions"), 1);
    ck_assert_str_eq(hf_json_str(json_array_get(json_object_get(one, "updates"), 0), "message"), why);
    ck_assert_str_eq(hf_json_str(json_array_get(json_object_get(one, "updates"), 0), "installedVersion"), "1.4.2");
    ck_assert_ptr_nonnull(strstr(hf_json_str(ready, "message"), why));
    ck_assert_str_eq(hf_json_str(stalled, "message"), "edge-inference 1.5.0: RolledBack; see Ready");
    json_decref(s.conditions);
}
END_TEST

/* The same of an object that cannot be used. */
START_TEST(one_refused_is_short)
{
    char text[4000];
    struct scene s;

    memset(text, 'y', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    const struct hf_refused refused = {"EdgeUpdate", "edge-inference-server", text};
    set_up(&s, NULL, 0, &refused, 1);
    _cleanup_(hf_json_freep) json_t *one = essence(&s, NOW), *whole = body(one);
    ck_assert_uint_lt(json_dumpb(json_object_get(whole, "status"), NULL, 0, JSON_COMPACT), HF_STATUS_TROUBLE_BYTES);
    json_decref(s.conditions);
}
END_TEST

START_TEST(everything_else)
{
    static const struct hf_status_disk disk = {"/opt", 91, HF_DISK_CRITICAL};
    static const struct hf_hold hold = {
        .present = true, .reason = "line 3", .since_unix_ns = NOW, .until_unix_ns = HF_NEVER};
    struct scene s;

    set_up(&s, &committed, 1, NULL, 0);
    s.policy.not_acted_on[0] = "disk";
    s.policy.not_acted_on[1] = "telemetry";
    s.view.disks = &disk;
    s.view.n_disks = 1;
    s.view.hold = &hold;
    s.view.hold_end_unix_ns = NOW + HF_NS_PER_S;
    s.view.pod_mode = true;
    s.view.skew_exceeded = true;
    s.view.labels_failure = "forbidden";
    s.view.disk_failure = "no space";
    s.view.trust_failure = "a key at risk";
    s.view.source_failure = "CloudCore may not";
    s.view.source_reason = "Forbidden";
    _cleanup_(hf_json_freep) json_t *one = essence(&s, NOW);
    ck_assert_str_eq(hf_json_str(one, "agent.mode"), "Pod");
    ck_assert_str_eq(hf_json_str(one, "hold.until"), "2026-11-20T08:00:01Z");
    ck_assert_str_eq(hf_json_str(json_array_get(json_object_get(one, "disk"), 0), "level"), "Critical");
    char got[512] = "";
    size_t n = 0, i;
    json_t *condition;
    json_array_foreach(json_object_get(one, "conditions"), i, condition)
        n += (size_t)snprintf(got + n, sizeof(got) - n, "%s=%s(%s) ", hf_json_str(condition, "type"),
                              hf_json_str(condition, "status"), hf_json_str(condition, "message"));
    ck_assert_str_eq(got,
                     "Ready=True(1 of 1 updates committed) PolicyActedOn=False(this version ignores disk, telemetry) "
                     "ClockSkewed=True(this node's clock differs from the API server's by more than the policy's "
                     "clock.maxSkew: synchronize it) LabelsApplied=False(forbidden) StateWritable=False(no space) "
                     "TrustFolderSafe=False(a key at risk) SourceReadable=False(CloudCore may not) ");
    json_decref(s.conditions);
}
END_TEST

START_TEST(a_message_is_cut_at_a_character)
{
    char message[1600] = "x";
    struct hf_update_status update = committed;
    struct scene s;

    update.phase = HF_PHASE_REJECTED; /* a settled one's is shorter */
    for (int i = 0; i < 750; i++)
        (void)strncat(message, "\xc3\xa4", 3);
    update.message = message;
    set_up(&s, &update, 1, NULL, 0);
    _cleanup_(hf_json_freep) json_t *one = essence(&s, NOW);
    const char *cut = hf_json_str(json_array_get(json_object_get(one, "updates"), 0), "message");
    ck_assert_ptr_nonnull(cut);
    ck_assert_uint_eq(strlen(cut), HF_STATUS_MAX_MESSAGE - 1);
    json_decref(s.conditions);
}
END_TEST

START_TEST(object_alone)
{
    _cleanup_(hf_json_freep) json_t *got = NULL;

    ck_assert_int_eq(hf_status_object("n1", &got), 0);
    ck_assert_str_eq(hf_json_str(got, "metadata.name"), "n1");
    ck_assert_ptr_null(json_object_get(got, "status"));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, whole_text);
    tcase_add_test(tc, the_defaults_are_a_policy_too);
    tcase_add_test(tc, time_alone_is_no_change);
    tcase_add_test(tc, transition_times);
    tcase_add_test(tc, refused_beside_a_release_of_its_name);
    tcase_add_loop_test(tc, one_release_is_short, 0, 4);
    tcase_add_test(tc, why_is_not_said_again_and_again);
    tcase_add_test(tc, one_refused_is_short);
    tcase_add_test(tc, everything_else);
    tcase_add_test(tc, a_message_is_cut_at_a_character);
    tcase_add_test(tc, object_alone);
}

HF_TEST_MAIN("agent/status", cases)
