/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/follow/follow.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/syncpolicy.h"
#include "base/clock.h"
#include "support/check_main.h"

static json_t *policy(const char *name, const char *interval, int version, const char *status)
{
    json_t *json = json_pack("{s:s, s:s, s:{s:s, s:s, s:i, s:o, s:[{s:s}]}, s:{s:s}, s:{s:s}}", "apiVersion",
                             HF_API_GROUP_VERSION, "kind", "SyncPolicy", "metadata", "name", name, "uid", "u",
                             "generation", 1, "resourceVersion", json_sprintf("%d", version), "managedFields",
                             "manager", "kubectl", "spec", "interval", interval, "status", "counts", status);

    ck_assert_ptr_nonnull(json);
    return json;
}

static enum hf_object_change take(struct hf_objects *objects, json_t *json)
{
    enum hf_object_change change = HF_OBJECT_SAME;

    ck_assert_int_eq(hf_objects_take(objects, json, NULL, &change), 0);
    json_decref(json);
    return change;
}

static uint64_t interval_of(const struct hf_objects *objects, const char *name)
{
    const struct hf_object *object = hf_objects_get(objects, name);
    const struct hf_syncpolicy *decoded = object->decoded;

    return decoded->interval_ns / HF_NS_PER_S;
}

START_TEST(same_or_changed)
{
    struct hf_objects objects;

    hf_objects_init(&objects, &hf_object_kind_syncpolicy);
    ck_assert_int_eq(take(&objects, policy("p", "60s", 1, "a")), HF_OBJECT_GOOD);
    ck_assert_int_eq(take(&objects, policy("p", "60s", 1, "a")), HF_OBJECT_SAME);
    /* Another version of counters nobody here acts on. */
    ck_assert_int_eq(take(&objects, policy("p", "60s", 2, "b")), HF_OBJECT_SAME);
    ck_assert_int_eq(take(&objects, policy("p", "90s", 3, "b")), HF_OBJECT_GOOD);
    ck_assert_uint_eq(interval_of(&objects, "p"), 90);
    ck_assert_ptr_null(
        json_object_get(json_object_get(hf_objects_get(&objects, "p")->json, "metadata"), "managedFields"));
    ck_assert_ptr_null(json_object_get(hf_objects_get(&objects, "p")->json, "status"));
    hf_objects_done(&objects);
}
END_TEST

START_TEST(refused_changes_nothing_that_runs)
{
    struct hf_objects objects;
    const struct hf_object *object;

    hf_objects_init(&objects, &hf_object_kind_syncpolicy);
    ck_assert_int_eq(take(&objects, policy("p", "60s", 1, "a")), HF_OBJECT_GOOD);
    ck_assert_int_eq(take(&objects, policy("p", "soon", 2, "a")), HF_OBJECT_REFUSED);
    ck_assert_int_eq(take(&objects, policy("p", "soon", 3, "a")), HF_OBJECT_SAME);
    object = hf_objects_get(&objects, "p");
    ck_assert_uint_eq(interval_of(&objects, "p"), 60);
    ck_assert_ptr_nonnull(strstr(object->refused_text, "spec.interval"));
    ck_assert_ptr_nonnull(object->refused);
    /* Back to what it was: good again, though nothing differs from what runs. */
    ck_assert_int_eq(take(&objects, policy("p", "60s", 4, "a")), HF_OBJECT_GOOD);
    object = hf_objects_get(&objects, "p");
    ck_assert_ptr_null(object->refused_text);
    ck_assert_ptr_null(object->refused);
    hf_objects_done(&objects);
}
END_TEST

START_TEST(unknown_fields_are_a_warning)
{
    struct hf_objects objects;
    json_t *json = policy("p", "60s", 1, "a");

    hf_objects_init(&objects, &hf_object_kind_syncpolicy);
    ck_assert_int_eq(hf_json_put(json, "spec.future", json_true()), 0);
    ck_assert_int_eq(take(&objects, json), HF_OBJECT_GOOD);
    ck_assert_ptr_nonnull(strstr(hf_objects_get(&objects, "p")->warned_text, "spec.future"));
    ck_assert(json_is_true(hf_json_at(hf_objects_get(&objects, "p")->json, "spec.future")));
    ck_assert_int_eq(take(&objects, policy("p", "60s", 2, "a")), HF_OBJECT_GOOD);
    ck_assert_ptr_null(hf_objects_get(&objects, "p")->warned_text);
    hf_objects_done(&objects);
}
END_TEST

START_TEST(refused_from_the_start)
{
    struct hf_objects objects;

    hf_objects_init(&objects, &hf_object_kind_syncpolicy);
    ck_assert_int_eq(take(&objects, policy("p", "soon", 1, "a")), HF_OBJECT_REFUSED);
    ck_assert_ptr_null(hf_objects_get(&objects, "p")->decoded);
    ck_assert_int_eq(take(&objects, policy("p", "60s", 2, "a")), HF_OBJECT_GOOD);
    ck_assert(hf_objects_drop(&objects, "p"));
    ck_assert(!hf_objects_drop(&objects, "p"));
    ck_assert_ptr_null(hf_objects_get(&objects, "p"));
    hf_objects_done(&objects);
}
END_TEST

static const char *const garbage[] = {
    "{}",
    "{\"metadata\":{}}",
    "{\"metadata\":{\"name\":\"\"}}",
    "{\"metadata\":{\"name\":7}}",
    "{\"metadata\":[]}",
    "[]",
    "7",
};

START_TEST(without_a_name)
{
    struct hf_objects objects;
    json_t *json = json_loads(garbage[_i], JSON_DECODE_ANY, NULL);
    enum hf_object_change change;

    ck_assert_ptr_nonnull(json);
    hf_objects_init(&objects, &hf_object_kind_edgeupdate);
    ck_assert_int_eq(hf_objects_take(&objects, json, NULL, &change), -EBADMSG);
    ck_assert_uint_eq(objects.by_name.n, 0);
    json_decref(json);
    hf_objects_done(&objects);
}
END_TEST

START_TEST(long_name)
{
    struct hf_objects objects;
    char name[HF_API_MAX_NAME + 2];
    enum hf_object_change change;

    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    json_t *json = policy(name, "60s", 1, "a");
    hf_objects_init(&objects, &hf_object_kind_syncpolicy);
    ck_assert_int_eq(hf_objects_take(&objects, json, NULL, &change), -EBADMSG);
    json_decref(json);
    hf_objects_done(&objects);
}
END_TEST

/* Only what differs in what is kept is a change: the controller's admission is, its counters are not. */
START_TEST(admission_is_kept)
{
    _cleanup_(hf_json_freep) json_t *json =
        json_pack("{s:s, s:{s:s}, s:{s:{s:i}, s:{s:i}}}", "kind", "EdgeUpdate", "metadata", "name", "u", "status",
                  "admission", "cutoff", 500, "nodes", "selected", 9800);
    _cleanup_(hf_json_freep) json_t *kept = hf_objects_condense(json);

    ck_assert_int_eq(hf_json_int_or(kept, "status.admission.cutoff", 0), 500);
    ck_assert_ptr_null(hf_json_at(kept, "status.nodes"));
}
END_TEST

/* Somebody fills the API with objects: the node keeps what it knows, and what it can bear. */
START_TEST(limits)
{
    struct hf_objects objects;
    enum hf_object_change change;
    char name[32];
    json_t *json;

    hf_objects_init(&objects, &hf_object_kind_syncpolicy);
    for (int i = 0; i < HF_OBJECTS_MAX; i++) {
        (void)snprintf(name, sizeof(name), "p%d", i);
        ck_assert_int_eq(take(&objects, policy(name, "60s", 1, "a")), HF_OBJECT_GOOD);
    }
    json = policy("one-more", "60s", 1, "a");
    ck_assert_int_eq(hf_objects_take(&objects, json, NULL, &change), -E2BIG);
    json_decref(json);
    ck_assert_int_eq(take(&objects, policy("p7", "90s", 2, "a")), HF_OBJECT_GOOD);
    ck_assert(hf_objects_drop(&objects, "p0"));
    ck_assert_int_eq(take(&objects, policy("one-more", "60s", 1, "a")), HF_OBJECT_GOOD);
    hf_objects_done(&objects);
    ck_assert_uint_eq(objects.bytes, 0);
}
END_TEST

START_TEST(limits_of_size)
{
    struct hf_objects objects;
    enum hf_object_change change;
    char *long_text = calloc(1, HF_OBJECTS_MAX_BYTES / 2);

    ck_assert_ptr_nonnull(long_text);
    memset(long_text, 'x', HF_OBJECTS_MAX_BYTES / 2 - 1);
    hf_objects_init(&objects, &hf_object_kind_syncpolicy);
    json_t *a = policy("a", long_text, 1, "a"), *b = policy("b", long_text, 1, "a");
    ck_assert_int_eq(hf_objects_take(&objects, a, NULL, &change), 0);
    ck_assert_int_eq(change, HF_OBJECT_REFUSED);
    ck_assert_int_eq(hf_objects_take(&objects, b, NULL, &change), -E2BIG);
    ck_assert_int_eq(take(&objects, policy("a", "60s", 2, "a")), HF_OBJECT_GOOD);
    ck_assert_uint_lt(objects.bytes, 1000);
    json_decref(a);
    json_decref(b);
    free(long_text);
    hf_objects_done(&objects);
}
END_TEST

/* ---- what is for others ------------------------------------------------------------------------------------------- */

static json_t *policy_for(const char *name, const char *role, const char *interval)
{
    json_t *json = policy(name, interval, 1, "a");

    if (role != NULL)
        ck_assert_int_eq(hf_json_put(json, "spec.nodeSelector.matchLabels.role", json_string(role)), 0);
    return json;
}

static int take_for(struct hf_objects *objects, json_t *json, const char *role, enum hf_object_change *ret_change)
{
    _cleanup_(hf_json_freep) json_t *labels = json_pack("{s:s}", "role", role);
    int r = hf_objects_take(objects, json, labels, ret_change);

    json_decref(json);
    return r;
}

static enum hf_object_change took_for(struct hf_objects *objects, json_t *json, const char *role)
{
    enum hf_object_change change = HF_OBJECT_SAME;

    ck_assert_int_eq(take_for(objects, json, role, &change), 0);
    return change;
}

static bool may_select(const struct hf_objects *objects, const char *role)
{
    _cleanup_(hf_json_freep) json_t *labels = json_pack("{s:s}", "role", role);

    return hf_objects_others_may_select(objects, labels);
}

static size_t n_dropped;

static void dropped(void *arg, const char *name)
{
    ck_assert_ptr_nonnull(hf_objects_get(arg, name));
    n_dropped++;
}

static size_t trim(struct hf_objects *objects, const char *role)
{
    _cleanup_(hf_json_freep) json_t *labels = json_pack("{s:s}", "role", role);
    size_t n = hf_objects_trim(objects, labels, dropped, objects);

    ck_assert_uint_eq(n, n_dropped);
    n_dropped = 0;
    return n;
}

/* Ten thousand objects for others leave nothing but their selectors, and the bounds to ours. */
START_TEST(others_do_not_count)
{
    struct hf_objects objects;
    char name[32], role[16];

    hf_objects_init(&objects, &hf_object_kind_syncpolicy);
    for (unsigned i = 0; i < 10000; i++) {
        (void)snprintf(name, sizeof(name), "p%05u", i);
        (void)snprintf(role, sizeof(role), "other-%u", i % 50);
        ck_assert_int_eq(took_for(&objects, policy_for(name, role, i % 7 == 0 ? "soon" : "60s"), "gw"),
                         HF_OBJECT_OTHERS);
    }
    ck_assert(objects.by_name.n == 0 && objects.bytes == 0 && objects.no_room.n == 0);
    ck_assert(objects.others.n == 50 && hf_objects_has_others(&objects));
    for (unsigned i = 0; i < HF_OBJECTS_MAX; i++) {
        (void)snprintf(name, sizeof(name), "ours%u", i);
        ck_assert_int_eq(took_for(&objects, policy_for(name, "gw", "60s"), "gw"), HF_OBJECT_GOOD);
    }
    ck_assert(may_select(&objects, "other-7") && !may_select(&objects, "gw") && !may_select(&objects, "other-50"));
    hf_objects_forget_others(&objects);
    ck_assert(!may_select(&objects, "other-7") && !hf_objects_has_others(&objects));
    hf_objects_done(&objects);
}
END_TEST

/* Too many different selectors to remember: any labels may be theirs. */
START_TEST(too_many_selectors)
{
    struct hf_objects objects;
    char name[32];

    hf_objects_init(&objects, &hf_object_kind_syncpolicy);
    for (unsigned i = 0; i <= HF_OBJECTS_MAX_OTHERS; i++) {
        ck_assert(!may_select(&objects, "gw"));
        (void)snprintf(name, sizeof(name), "p%05u", i);
        ck_assert_int_eq(took_for(&objects, policy_for(name, name, "60s"), "gw"), HF_OBJECT_OTHERS);
    }
    ck_assert(may_select(&objects, "gw") && objects.others.n == 0);
    hf_objects_done(&objects);
}
END_TEST

START_TEST(comes_and_goes)
{
    struct hf_objects objects;

    hf_objects_init(&objects, &hf_object_kind_syncpolicy);
    ck_assert_int_eq(took_for(&objects, policy_for("p", "gw", "60s"), "gw"), HF_OBJECT_GOOD);
    /* Retargeted, by a version that cannot be used: nothing of it is believed. */
    ck_assert_int_eq(took_for(&objects, policy_for("p", "other", "soon"), "gw"), HF_OBJECT_REFUSED);
    ck_assert_uint_eq(interval_of(&objects, "p"), 60);
    ck_assert_int_eq(took_for(&objects, policy_for("p", "other", "90s"), "gw"), HF_OBJECT_LEFT);
    ck_assert(!hf_objects_knows(&objects, "p") && may_select(&objects, "other"));
    ck_assert_int_eq(took_for(&objects, policy_for("p", "gw", "60s"), "gw"), HF_OBJECT_GOOD);
    /* Labels changed: it stays until somebody trims, and the same version again says nothing. */
    ck_assert_int_eq(took_for(&objects, policy_for("p", "gw", "60s"), "other"), HF_OBJECT_SAME);
    ck_assert_uint_eq(trim(&objects, "gw"), 0);
    ck_assert_uint_eq(trim(&objects, "other"), 1);
    ck_assert(!hf_objects_knows(&objects, "p") && may_select(&objects, "gw"));
    hf_objects_done(&objects);
    ck_assert_uint_eq(objects.bytes, 0);
}
END_TEST

/* Who it is meant for cannot be read: it may be us. */
START_TEST(a_selector_that_cannot_be_read)
{
    struct hf_objects objects;
    json_t *json = policy_for("p", NULL, "60s");

    hf_objects_init(&objects, &hf_object_kind_syncpolicy);
    ck_assert_int_eq(hf_json_put(json, "spec.nodeSelector", json_string("all")), 0);
    ck_assert_int_eq(took_for(&objects, json, "gw"), HF_OBJECT_REFUSED);
    ck_assert_uint_eq(trim(&objects, "gw"), 0);
    hf_objects_done(&objects);
}
END_TEST

START_TEST(no_room)
{
    struct hf_objects objects;
    enum hf_object_change change;
    char name[32], text[200];

    hf_objects_init(&objects, &hf_object_kind_syncpolicy);
    for (int i = 0; i < HF_OBJECTS_MAX; i++) {
        (void)snprintf(name, sizeof(name), "p%d", i);
        ck_assert_int_eq(took_for(&objects, policy_for(name, NULL, "60s"), "gw"), HF_OBJECT_GOOD);
    }
    ck_assert(!hf_objects_has_room_again(&objects));
    ck_assert_int_eq(take_for(&objects, policy_for("q", NULL, "60s"), "gw", &change), -E2BIG);
    ck_assert_int_eq(change, HF_OBJECT_REFUSED);
    ck_assert_int_eq(take_for(&objects, policy_for("q", NULL, "60s"), "gw", &change), -E2BIG);
    ck_assert_int_eq(change, HF_OBJECT_SAME); /* told already */
    ck_assert_int_eq(take_for(&objects, policy_for("r", NULL, "60s"), "gw", &change), -E2BIG);
    ck_assert(objects.no_room.n == 2 && hf_objects_knows(&objects, "q") && !hf_objects_has_room_again(&objects));
    ck_assert_ptr_nonnull(
        strstr(hf_objects_no_room_text(&objects, text, sizeof(text)), "no room for 2 objects that select"));
    ck_assert(hf_objects_drop(&objects, "p5") && hf_objects_has_room_again(&objects));
    ck_assert_int_eq(took_for(&objects, policy_for("q", NULL, "60s"), "gw"), HF_OBJECT_GOOD);
    ck_assert(objects.no_room.n == 1 && !hf_objects_has_room_again(&objects));
    ck_assert(hf_objects_drop(&objects, "r") && objects.no_room.n == 0);
    /* Retargeted while it waits. */
    ck_assert_int_eq(take_for(&objects, policy_for("s", NULL, "60s"), "gw", &change), -E2BIG);
    ck_assert_int_eq(took_for(&objects, policy_for("s", "other", "60s"), "gw"), HF_OBJECT_OTHERS);
    ck_assert_uint_eq(objects.no_room.n, 0);
    hf_objects_done(&objects);
}
END_TEST

/* Only a complete list from the server, of which each object could be read, proves that an object does not exist. */
START_TEST(absence)
{
    struct hf_objects objects;
    struct hf_follow follow = {.objects = &objects, .synced = true, .proven = true};
    char name[] = "broken", why[] = "not JSON";

    hf_objects_init(&objects, &hf_object_kind_syncpolicy);
    ck_assert(hf_follow_proves_absence(&follow));
    ck_assert_int_eq(take(&objects, policy("p", "60s", 1, "a")), HF_OBJECT_GOOD);
    ck_assert(hf_follow_proves_absence(&follow));
    /* A newer version that is refused: the last good one still says what the policy asks for. */
    ck_assert_int_eq(take(&objects, policy("p", "never", 2, "a")), HF_OBJECT_REFUSED);
    ck_assert(hf_follow_proves_absence(&follow));
    /* Of a new policy there is no good version. */
    ck_assert_int_eq(take(&objects, policy("q", "never", 3, "a")), HF_OBJECT_REFUSED);
    ck_assert(!hf_follow_proves_absence(&follow));
    ck_assert(hf_objects_drop(&objects, "q"));
    ck_assert(hf_follow_proves_absence(&follow));
    /* The source cannot even parse one. */
    ck_assert_int_eq(hf_strmap_put(&follow.unreadable, name, why), 0);
    ck_assert(!hf_follow_proves_absence(&follow));
    hf_strmap_done(&follow.unreadable);
    objects.no_room_more = true;
    ck_assert(!hf_follow_proves_absence(&follow));
    objects.no_room_more = false;
    follow.relisting = true;
    ck_assert(!hf_follow_proves_absence(&follow));
    follow.relisting = false;
    follow.proven = false;
    ck_assert(!hf_follow_proves_absence(&follow));
    follow.proven = true;
    follow.synced = false;
    ck_assert(!hf_follow_proves_absence(&follow));
    hf_objects_done(&objects);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, absence);
    tcase_add_test(tc, same_or_changed);
    tcase_add_test(tc, refused_changes_nothing_that_runs);
    tcase_add_test(tc, unknown_fields_are_a_warning);
    tcase_add_test(tc, refused_from_the_start);
    tcase_add_loop_test(tc, without_a_name, 0, HF_LEN(garbage));
    tcase_add_test(tc, long_name);
    tcase_add_test(tc, admission_is_kept);
    tcase_add_test(tc, limits);
    tcase_add_test(tc, limits_of_size);
    tcase_add_test(tc, others_do_not_count);
    tcase_add_test(tc, too_many_selectors);
    tcase_add_test(tc, comes_and_goes);
    tcase_add_test(tc, a_selector_that_cannot_be_read);
    tcase_add_test(tc, no_room);
}

HF_TEST_MAIN("agent/objects", cases)
