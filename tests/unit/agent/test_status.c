/* SPDX-License-Identifier: Apache-2.0 */
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

static char name_of_policy[] = "edge-sites";

struct scene {
    struct hf_status_view view;
    struct hf_readiness readiness;
    struct hf_syncpolicy policy;
    struct hf_policy_origin origins[20];
    struct hf_policy_set set;
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
    s->origins[0] = (struct hf_policy_origin){.name = name_of_policy, .generation = 3};
    s->set = (struct hf_policy_set){.effective = &s->policy, .origins = s->origins, .n_origins = 1};
    s->policy.interval_ns = 300 * HF_NS_PER_S;
    s->view = (struct hf_status_view){.version = "0.1.0",
                                      .clock_synchronized = true,
                                      .updates = updates,
                                      .n_updates = n,
                                      .refused = refused,
                                      .n_refused = n_refused,
                                      .policies = &s->set,
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

/* What the cluster, a program or a server says is repeated without anything on which a terminal acts. */
START_TEST(no_terminal_acts_on_a_status)
{
    struct hf_update_status update = committed;
    struct scene s;

    update.message = "\x1b[2J\xc2\x9b[31m \xe2\x80\xae caf\xc3\xa9\x7f";
    set_up(&s, &update, 1, NULL, 0);
    _cleanup_(hf_json_freep) json_t *one = essence(&s, NOW), *whole = body(one), *again = essence(&s, NOW);
    const json_t *told = json_array_get(hf_json_at(whole, "status.updates"), 0);
    ck_assert_str_eq(hf_json_str_or(told, "message", ""), "?[2J?[31m ? caf\xc3\xa9?");
    ck_assert(json_equal(one, again)); /* it is no change */
    json_decref(s.conditions);
}
END_TEST

/* The status names each section only where several policies decide, and never more than its bounds allow. */
START_TEST(several_policies_and_their_sections)
{
    static char paths[200][16], long_name[254];
    struct hf_policy_section sections[200];
    struct scene s;

    set_up(&s, &committed, 1, NULL, 0);
    for (unsigned i = 0; i < HF_LEN(sections); i++) {
        (void)snprintf(paths[i], sizeof(paths[i]), "manifests[e%u]", i);
        sections[i] = (struct hf_policy_section){.path = paths[i], .from = &s.origins[i % 2], .is_signed = i % 2 == 0};
    }
    s.set.sections = sections;
    s.set.n_sections = HF_LEN(sections);
    _cleanup_(hf_json_freep) json_t *one = essence(&s, NOW);
    ck_assert(hf_json_at(one, "policy.sections") == NULL && hf_json_at(one, "policy.policies") == NULL);
    ck_assert_ptr_null(hf_json_at(one, "policy.others"));
    for (unsigned i = 1; i < HF_LEN(s.origins); i++)
        s.origins[i] = (struct hf_policy_origin){.name = memset(long_name, 'p', sizeof(long_name) - 1)};
    s.set.n_origins = HF_LEN(s.origins);
    _cleanup_(hf_json_freep) json_t *all = essence(&s, NOW);
    ck_assert_uint_eq(json_array_size(hf_json_at(all, "policy.policies")), HF_STATUS_MAX_POLICIES);
    ck_assert_uint_eq(strlen(hf_json_str_or(all, "policy.others", "")), HF_STATUS_MAX_OTHERS);
    s.set.n_origins = 3;
    s.origins[1] = (struct hf_policy_origin){.name = name_of_policy};
    s.origins[2] = (struct hf_policy_origin){.name = name_of_policy};
    _cleanup_(hf_json_freep) json_t *three = essence(&s, NOW);
    ck_assert_str_eq(hf_json_str_or(three, "policy.others", ""), "edge-sites,edge-sites");
    const json_t *list = hf_json_at(all, "policy.sections");
    ck_assert_uint_eq(json_array_size(list), HF_STATUS_MAX_SECTIONS);
    ck_assert_str_eq(hf_json_str(json_array_get(list, 0), "path"), "manifests[e0]");
    ck_assert_str_eq(hf_json_str(json_array_get(list, 0), "policy"), "edge-sites");
    ck_assert(hf_json_bool_or(json_array_get(list, 0), "signed", false));
    ck_assert_ptr_null(json_object_get(json_array_get(list, 1), "signed"));
    json_decref(s.conditions);
}
END_TEST

/* Without a SyncPolicy the name is empty, so that "the defaults" and "an agent that does not say" differ. */
START_TEST(the_defaults_are_a_policy_too)
{
    struct scene s;

    set_up(&s, &committed, 1, NULL, 0);
    s.set.n_origins = 0;
    _cleanup_(hf_json_freep) json_t *one = essence(&s, NOW);
    ck_assert_str_eq(hf_json_str_or(one, "policy.name", "absent"), "");
    ck_assert_str_eq(hf_json_str_or(one, "policy.interval", "absent"), "5m");
    json_decref(s.conditions);
}
END_TEST

/* Labels are in the status only where the controller writes them, at most 48, and shorten no text. */
START_TEST(labels_for_the_controller)
{
    struct scene s;
    _cleanup_(hf_json_freep) json_t *labels = json_object();

    set_up(&s, &committed, 1, NULL, 0);
    _cleanup_(hf_json_freep) json_t *without = essence(&s, NOW);
    ck_assert_ptr_null(json_object_get(without, "labels"));
    s.view.labels = labels;
    _cleanup_(hf_json_freep) json_t *none = essence(&s, NOW);
    ck_assert(json_is_object(json_object_get(none, "labels")));
    for (int i = 0; i < 60; i++) {
        char key[64];
        (void)snprintf(key, sizeof(key), "edge.codcompass.io/label-%02d", i);
        ck_assert_int_eq(json_object_set_new(labels, key, json_string("some-value")), 0);
    }
    _cleanup_(hf_json_freep) json_t *most = essence(&s, NOW);
    ck_assert_uint_eq(json_object_size(json_object_get(most, "labels")), HF_STATUS_MAX_LABELS);
    ck_assert(!hf_status_same(none, most));
    ck_assert_int_eq(json_object_del(most, "labels"), 0);
    ck_assert(hf_status_same(without, most));
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

/* The conditions come from a file, and somebody may have changed it. */
START_TEST(conditions_of_any_form)
{
    struct scene s;

    set_up(&s, &committed, 1, NULL, 0);
    ck_assert_int_eq(json_array_append_new(s.conditions, json_pack("{s:i}", "type", 7)), 0);
    ck_assert_int_eq(json_array_append_new(s.conditions, json_integer(1)), 0);
    ck_assert_int_eq(json_array_append_new(s.conditions, json_object()), 0);
    _cleanup_(hf_json_freep) json_t *one = essence(&s, NOW);
    ck_assert_uint_eq(json_array_size(json_object_get(one, "conditions")), 4);
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
    static const struct hf_status_disk disk = {
        .path = "/opt", .used_percent = 91, .level = HF_DISK_CRITICAL, .inodes_used_percent = 40, .read_only = true};
    static const struct hf_hold hold = {
        .present = true, .reason = "line 3", .since_unix_ns = NOW, .until_unix_ns = HF_NEVER};
    char path[] = "manifests[a]", other[] = "zeta";
    const struct hf_policy_origin zeta = {.name = other};
    struct hf_policy_passed_over passed = {.path = path, .other = &zeta, .why = HF_POLICY_PASSED_NO_ROOM};
    struct scene s;

    set_up(&s, &committed, 1, NULL, 0);
    s.policy.not_acted_on[0] = "disk";
    s.policy.not_acted_on[1] = "telemetry";
    s.set.passed = &passed;
    s.set.n_passed = 1;
    s.view.disks = &disk;
    s.view.n_disks = 1;
    s.view.hold = &hold;
    s.view.hold_end_unix_ns = NOW + HF_NS_PER_S;
    s.view.pod_mode = true;
    s.view.clock = HF_STATUS_CLOCK_BEYOND_MAX_SKEW;
    s.view.contact_reason = "DnsFailed";
    s.view.disk_pressure = (struct hf_status_trouble){"Critical", "/opt is full"};
    s.view.memory_pressure = (struct hf_status_trouble){"PodsNearLimit", "a/b"};
    s.view.log_rotation = (struct hf_status_trouble){"Unbounded", "journald"};
    s.view.failure.labels = "forbidden";
    s.view.failure.disk = "no space";
    s.view.failure.trust = "a key at risk";
    s.view.left_out = "without share";
    s.view.source.message = "CloudCore may not";
    s.view.source.reason = "Forbidden";
    s.view.floors.message = "replaced";
    s.view.floors.reason = "FloorsReplaced";
    s.view.certificate.message = "denied";
    s.view.certificate.reason = "Denied";
    _cleanup_(hf_json_freep) json_t *one = essence(&s, NOW);
    ck_assert_str_eq(hf_json_str(one, "agent.mode"), "Pod");
    ck_assert_str_eq(hf_json_str(one, "hold.until"), "2026-11-20T08:00:01Z");
    ck_assert_str_eq(hf_json_str(json_array_get(json_object_get(one, "disk"), 0), "level"), "Critical");
    ck_assert(hf_json_bool_or(json_array_get(json_object_get(one, "disk"), 0), "readOnly", false));
    ck_assert_int_eq(hf_json_int_or(json_array_get(json_object_get(one, "disk"), 0), "inodesUsedPercent", 0), 40);
    ck_assert_str_eq(hf_json_str(one, "contact.reason"), "DnsFailed");
    char got[1000] = "";
    size_t n = 0, i;
    json_t *condition;
    json_array_foreach(json_object_get(one, "conditions"), i, condition)
        n += (size_t)snprintf(got + n, sizeof(got) - n, "%s=%s(%s) ", hf_json_str(condition, "type"),
                              hf_json_str(condition, "status"), hf_json_str(condition, "message"));
    ck_assert_str_eq(got,
                     "Ready=True(1 of 1 updates committed) PolicyActedOn=False(this version ignores disk, telemetry) "
                     "PolicyConflict=True(manifests[a]: not in effect from SyncPolicy 'zeta': the SyncPolicies of this "
                     "node together have too many (32 labels, 64 entries of manifests)) "
                     "ClockSynced=False(this node's clock differs from the API server's by more than the policy's "
                     "clock.maxSkew: synchronize it, or set clock.resync) DiskPressure=True(/opt is full) "
                     "MemoryPressure=True(a/b) LogRotation=False(journald) LabelsApplied=False(forbidden) "
                     "StateWritable=False(no space) "
                     "TrustFolderSafe=False(a key at risk) SourceReadable=False(CloudCore may not) "
                     "FloorsKnown=False(replaced) FeaturesPresent=False(without share) "
                     "ClientCertificateValid=False(denied) ");
    json_decref(s.conditions);
}
END_TEST

static const struct hf_status_manifest manifests[] = {
    {.name = "pods",
     .to = HF_MANIFEST_TO_STATIC_PODS,
     .phase = HF_MANIFEST_APPLIED,
     .revision = "81723",
     .digest = DIGEST,
     .items = 3,
     .reason = HF_MANIFEST_REASON_APPLIED,
     .message = "3 files",
     .time_unix_ns = NOW},
    {.name = "web",
     .to = HF_MANIFEST_TO_FILES,
     .phase = HF_MANIFEST_ROLLED_BACK,
     .drifts = 2,
     .reason = HF_MANIFEST_REASON_VALIDATE_FAILED,
     .message = "nginx exited with 1"},
    {.name = "app",
     .to = HF_MANIFEST_TO_CLUSTER,
     .phase = HF_MANIFEST_WAITING,
     .reason = HF_MANIFEST_REASON_DEPENDENCY_NOT_APPLIED},
    {.name = "flux",
     .to = HF_MANIFEST_TO_FILES,
     .phase = HF_MANIFEST_APPLIED,
     .reason = HF_MANIFEST_REASON_API_REFUSED,
     .message = "give it the verb get"},
    {.name = "cam",
     .to = HF_MANIFEST_TO_STATIC_PODS,
     .phase = HF_MANIFEST_APPLIED,
     .reason = HF_MANIFEST_REASON_HEALTH_UNKNOWN,
     .message = "written, health unknown"},
    {.name = "db",
     .to = HF_MANIFEST_TO_CLUSTER,
     .phase = HF_MANIFEST_APPLIED,
     .reason = HF_MANIFEST_REASON_HEALTH_PASSED,
     .message = "not shown"},
};

START_TEST(manifests_are_listed_and_judged)
{
    static const char list[] =
        "[{\"name\":\"pods\",\"to\":\"StaticPods\",\"phase\":\"Applied\",\"revision\":\"81723\",\"digest\":"
        "\"0123456789ab\","
        "\"items\":3,\"time\":\"2026-11-20T08:00:00Z\"},"
        "{\"name\":\"web\",\"to\":\"Files\",\"phase\":\"RolledBack\",\"items\":0,\"drifts\":2,\"reason\":"
        "\"ValidateFailed\","
        "\"message\":\"nginx exited with 1\"},"
        "{\"name\":\"app\",\"to\":\"Cluster\",\"phase\":\"Waiting\",\"items\":0,\"reason\":\"DependencyNotApplied\"},"
        "{\"name\":\"flux\",\"to\":\"Files\",\"phase\":\"Applied\",\"items\":0,\"reason\":\"ApiRefused\","
        "\"message\":\"give it the verb get\"},"
        "{\"name\":\"cam\",\"to\":\"StaticPods\",\"phase\":\"Applied\",\"items\":0,\"reason\":\"HealthUnknown\","
        "\"message\":\"written, health unknown\"},"
        "{\"name\":\"db\",\"to\":\"Cluster\",\"phase\":\"Applied\",\"items\":0,\"reason\":\"HealthPassed\"}]";
    struct hf_readiness_params params = {.known = true, .updates = &committed, .n_updates = 1};
    struct hf_status_manifests judged;
    struct scene s;

    set_up(&s, &committed, 1, NULL, 0);
    hf_status_manifests_judge(manifests, HF_LEN(manifests), &judged, &params);
    hf_readiness_judge(&params, &s.readiness);
    s.view.manifests = manifests;
    s.view.n_manifests = HF_LEN(manifests);
    _cleanup_(hf_json_freep) json_t *one = essence(&s, NOW), *wanted = json_loads(list, 0, NULL);
    _cleanup_(hf_freep) char *text = json_dumps(json_object_get(one, "manifests"), JSON_COMPACT);
    ck_assert_ptr_nonnull(wanted);
    ck_assert_msg(json_equal(json_object_get(one, "manifests"), wanted), "%s", text);
    ck_assert_str_eq(s.readiness.ready.status, "False");
    ck_assert_str_eq(s.readiness.ready.reason, "ManifestsFailed");
    ck_assert_str_eq(s.readiness.ready.message, "manifests web: ValidateFailed");
    ck_assert(s.readiness.is_stalled && s.readiness.is_reconciling);
    ck_assert_str_eq(s.readiness.stalled.message, "manifests; see Ready");
    ck_assert_str_eq(s.readiness.reconciling.message, "manifests app: DependencyNotApplied");
    json_decref(s.conditions);

    /* Applied entries are part of a Ready node. */
    set_up(&s, &committed, 1, NULL, 0);
    params = (struct hf_readiness_params){.known = true, .updates = &committed, .n_updates = 1};
    hf_status_manifests_judge(manifests, 1, &judged, &params);
    hf_readiness_judge(&params, &s.readiness);
    ck_assert_str_eq(s.readiness.ready.status, "True");
    json_decref(s.conditions);
}
END_TEST

/* A program's words may be cut within a character, and a source may call its revision anything. */
START_TEST(a_broken_character_costs_no_status)
{
    struct hf_status_manifest entry = manifests[1];
    struct scene s;

    entry.message = "exit status 1: caf\xc3";
    entry.revision = "main\xff@1";
    set_up(&s, &committed, 1, NULL, 0);
    s.view.manifests = &entry;
    s.view.n_manifests = 1;
    _cleanup_(hf_json_freep) json_t *one = essence(&s, NOW);
    const json_t *listed = json_array_get(json_object_get(one, "manifests"), 0);
    ck_assert_str_eq(hf_json_str_or(listed, "message", ""), "exit status 1: caf");
    ck_assert_str_eq(hf_json_str_or(listed, "revision", ""), "main");
    json_decref(s.conditions);
}
END_TEST

/* An applied entry that the node fails to keep in place is not well; one whose source is away is. */
START_TEST(trouble_with_an_applied_entry)
{
    static const struct {
        enum hf_manifest_reason reason;
        const char *ready;
    } rows[] = {
        {HF_MANIFEST_REASON_READ_ONLY_FILE_SYSTEM, "False"}, {HF_MANIFEST_REASON_NO_SPACE, "False"},
        {HF_MANIFEST_REASON_WRITE_FAILED, "False"},          {HF_MANIFEST_REASON_RESTART_FAILED, "False"},
        {HF_MANIFEST_REASON_SOURCE_UNREACHABLE, "True"},     {HF_MANIFEST_REASON_API_REFUSED, "True"},
        {HF_MANIFEST_REASON_DRIFT_REPAIRED, "True"},         {HF_MANIFEST_REASON_HELD, "True"},
    };
    const struct hf_status_manifest entries[] = {
        {.name = "web", .phase = HF_MANIFEST_APPLIED, .reason = rows[_i].reason},
        {.name = "pods", .phase = HF_MANIFEST_APPLIED, .reason = HF_MANIFEST_REASON_APPLIED}};
    struct hf_readiness_params params = {.known = true, .updates = &committed, .n_updates = 1};
    struct hf_status_manifests judged;
    struct hf_readiness readiness;
    char message[64];

    hf_status_manifests_judge(entries, HF_LEN(entries), &judged, &params);
    hf_readiness_judge(&params, &readiness);
    ck_assert_str_eq(readiness.ready.status, rows[_i].ready);
    ck_assert(!readiness.is_stalled && !readiness.is_reconciling);
    if (strcmp(rows[_i].ready, "True") == 0)
        return;
    (void)snprintf(message, sizeof(message), "manifests web: %s", hf_manifest_reason_name(rows[_i].reason));
    ck_assert_str_eq(readiness.ready.reason, hf_manifest_reason_name(rows[_i].reason));
    ck_assert_str_eq(readiness.ready.message, message);
}
END_TEST

/* Everything that other parts measure, on a node with one release, one entry and no trouble. Each
 * part that is present costs about 50 to 130 bytes. */
START_TEST(measurements_fit_into_a_small_status)
{
    struct hf_status_volatile moving = {
        .sequence = 812345,
        .observed_unix_ns = NOW,
        .contact_unix_ns = NOW,
        .has_offset = true,
        .offset_ns = -12 * (int64_t)HF_NS_PER_MS,
        .network = {true, 43 * HF_NS_PER_MS, 1234567, 98765432, 209715200},
        .writes = {true, 12345678, 524288000},
        .journal = {true, 12345, "0123456789abcdef"},
    };
    json_t *whole = NULL;
    struct scene s;

    set_up(&s, &committed, 1, NULL, 0);
    s.view.manifests = manifests;
    s.view.n_manifests = 1;
    _cleanup_(hf_json_freep) json_t *one = essence(&s, NOW);
    ck_assert_int_eq(hf_status_body("n1", one, &moving, &whole), 0);
    ck_assert_int_eq(hf_json_int_or(whole, "status.network.apiRoundTripMilliseconds", 0), 43);
    ck_assert_int_eq(hf_json_int_or(whole, "status.network.downloadBytesPerSecond", 0), 1234567);
    ck_assert_int_eq(hf_json_int_or(whole, "status.writes.bytesToday", 0), 12345678);
    ck_assert_str_eq(hf_json_str_or(whole, "status.journal.lastHash", ""), "0123456789abcdef");
    size_t n = json_dumpb(json_object_get(whole, "status"), NULL, 0, JSON_COMPACT);
    ck_assert_msg(n < 1280, "%zu bytes", n);
    json_decref(whole);
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

/* A server chooses its error messages, and an error keeps a part of them that may end within a character. JSON has no
 * half characters: without a cut, the status as a whole would not be built, and the node would fall silent. */
START_TEST(a_text_that_ends_within_a_character)
{
    struct hf_update_status update = committed;
    struct scene s;
    size_t i;
    json_t *condition;

    update.phase = HF_PHASE_REJECTED;
    update.message = "half of \xc3";
    set_up(&s, &update, 1, NULL, 0);
    s.view.failure.labels = "forbidden: \xe2\x82";
    s.view.failure.delivery = "\xc3";
    s.view.certificate.message = "denied \xf0\x9f";
    s.view.certificate.reason = "Denied";
    _cleanup_(hf_json_freep) json_t *one = essence(&s, NOW);
    json_array_foreach(json_object_get(one, "conditions"), i, condition) {
        const char *message = hf_json_str(condition, "message");
        ck_assert_ptr_nonnull(message);
        if (strcmp(hf_json_str(condition, "type"), "LabelsApplied") == 0)
            ck_assert_str_eq(message, "forbidden: ");
    }
    ck_assert_uint_gt(i, 3);
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

START_TEST(the_keys_that_a_node_trusts)
{
    struct hf_trust_ids ids = {.n = 0};
    struct scene s;

    set_up(&s, NULL, 0, NULL, 0);
    _cleanup_(hf_json_freep) json_t *unknown = essence(&s, NOW);
    ck_assert_ptr_null(hf_json_at(unknown, "trust"));
    s.view.trusted = &ids;
    _cleanup_(hf_json_freep) json_t *none = essence(&s, NOW);
    ck_assert(json_is_array(hf_json_at(none, "trust.keys")));
    ck_assert_uint_eq(json_array_size(hf_json_at(none, "trust.keys")), 0);
    for (; ids.n < HF_STATUS_MAX_KEYS + 2; ids.n++)
        (void)snprintf(ids.ids[ids.n], sizeof(ids.ids[0]), "k%02u", ids.n);
    _cleanup_(hf_json_freep) json_t *many = essence(&s, NOW);
    ck_assert_uint_eq(json_array_size(hf_json_at(many, "trust.keys")), HF_STATUS_MAX_KEYS);
    ck_assert_str_eq(json_string_value(json_array_get(hf_json_at(many, "trust.keys"), 15)), "k15");
    ck_assert_int_eq(hf_json_int_or(many, "trust.more", 0), 2);
    json_decref(s.conditions);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, whole_text);
    tcase_add_test(tc, no_terminal_acts_on_a_status);
    tcase_add_test(tc, the_defaults_are_a_policy_too);
    tcase_add_test(tc, several_policies_and_their_sections);
    tcase_add_test(tc, labels_for_the_controller);
    tcase_add_test(tc, time_alone_is_no_change);
    tcase_add_test(tc, conditions_of_any_form);
    tcase_add_test(tc, transition_times);
    tcase_add_test(tc, refused_beside_a_release_of_its_name);
    tcase_add_loop_test(tc, one_release_is_short, 0, 4);
    tcase_add_test(tc, why_is_not_said_again_and_again);
    tcase_add_test(tc, one_refused_is_short);
    tcase_add_test(tc, everything_else);
    tcase_add_test(tc, manifests_are_listed_and_judged);
    tcase_add_test(tc, a_broken_character_costs_no_status);
    tcase_add_loop_test(tc, trouble_with_an_applied_entry, 0, 8);
    tcase_add_test(tc, measurements_fit_into_a_small_status);
    tcase_add_test(tc, a_message_is_cut_at_a_character);
    tcase_add_test(tc, a_text_that_ends_within_a_character);
    tcase_add_test(tc, the_keys_that_a_node_trusts);
    tcase_add_test(tc, object_alone);
}

HF_TEST_MAIN("agent/status", cases)
