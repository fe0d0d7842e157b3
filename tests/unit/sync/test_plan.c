/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/plan.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "support/check_main.h"

#define HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* What a row's update is: as short as the API allows. `cutoff` below 0: no strategy; else the admission's, and
 * `canary`. */
struct row {
    const char *name, *release;
    int sequence;
    const char *role; /* node selector, NULL all */
    int cutoff;
    bool canary;
    bool begun;
    bool unsigned_; /* the node does not accept the signatures */
};

static json_t *object_of(const struct row *row)
{
    json_t *json =
        json_pack("{s:s, s:s, s:{s:s}, s:{s:{s:s, s:s, s:i, s:[{s:s, s:s, s:s, s:i}], s:{s:s}}, s:[{s:s, s:s}]}}",
                  "apiVersion", HF_API_GROUP_VERSION, "kind", "EdgeUpdate", "metadata", "name", row->name, "spec",
                  "release", "name", row->release, "version", "1.0.0", "sequence", row->sequence, "artifacts", "arch",
                  "amd64", "url", "https://releases.example.com/a", "sha256", HASH, "size", 10, "install", "path",
                  "/opt/a", "signatures", "keyId", "k1", "signature",
                  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==");

    ck_assert_ptr_nonnull(json);
    if (row->role != NULL)
        ck_assert_int_eq(hf_json_put(json, "spec.nodeSelector.matchLabels.role", json_string(row->role)), 0);
    if (row->cutoff >= 0)
        ck_assert_int_eq(
            hf_json_put(json, "spec.strategy",
                        json_pack("{s:{s:{s:{s:s}}, s:s}, s:[{s:i}]}", "canary", "nodeSelector", "matchLabels",
                                  "canary", "true", "soak", "30m", "waves", "percent", 100)),
            0);
    return json;
}

static struct hf_edgeupdate *update_of(const struct row *row)
{
    _cleanup_(hf_json_freep) json_t *json = object_of(row);
    struct hf_edgeupdate *update = NULL;
    struct hf_issues issues;

    /* The digest an admission names is the release's own: decode once to learn it, again with it. */
    int r = hf_edgeupdate_decode(json, &update, &issues);
    ck_assert_msg(r == 0, "%s: %s: %s", row->name, issues.errors[0].path, issues.errors[0].text);
    if (row->cutoff < 0)
        return update;
    ck_assert_int_eq(hf_json_put(json, "status.admission",
                                 json_pack("{s:s, s:i, s:b}", "digest", update->release.digest, "cutoff", row->cutoff,
                                           "canary", row->canary)),
                     0);
    hf_edgeupdate_free(update);
    ck_assert_int_eq(hf_edgeupdate_decode(json, &update, &issues), 0);
    return update;
}

static const struct {
    const char *name;
    struct row rows[5];
    const char *labels; /* JSON */
    enum hf_staleness staleness;
    enum hf_on_expiry on_expiry;
    bool held;
    const char *want; /* "release:object:gate ..." then "| object:why ..." */
} plans[] = {
    {"nothing", {{0}}, "{}", HF_STALE_FRESH, 0, false, ""},
    {"one", {{"u", "r", 1, NULL, -1, 0, 0, 0}}, "{}", HF_STALE_FRESH, 0, false, "r:u:open"},
    {"not selected", {{"u", "r", 1, "gw", -1, 0, 0, 0}}, "{}", HF_STALE_FRESH, 0, false, ""},
    {"selected by label",
     {{"u", "r", 1, "gw", -1, 0, 0, 0}},
     "{\"role\":\"gw\"}",
     HF_STALE_FRESH,
     0,
     false,
     "r:u:open"},
    {"highest sequence wins",
     {{"a", "r", 1, NULL, -1, 0, 0, 0}, {"b", "r", 3, NULL, -1, 0, 0, 0}, {"c", "r", 2, NULL, -1, 0, 0, 0}},
     "{}",
     HF_STALE_FRESH,
     0,
     false,
     "r:b:open | c:superseded a:superseded"},
    {"two releases, in order of name",
     {{"a", "zeta", 1, NULL, -1, 0, 0, 0}, {"b", "alpha", 1, NULL, -1, 0, 0, 0}},
     "{}",
     HF_STALE_FRESH,
     0,
     false,
     "alpha:b:open zeta:a:open"},
    {"stale goes on", {{"u", "r", 1, NULL, -1, 0, 0, 0}}, "{}", HF_STALE_STALE, 0, false, "r:u:open"},
    {"expired holds",
     {{"u", "r", 1, NULL, -1, 0, 0, 0}},
     "{}",
     HF_STALE_EXPIRED,
     HF_ON_EXPIRY_HOLD,
     false,
     "r:u:stale"},
    {"expired continues",
     {{"u", "r", 1, NULL, -1, 0, 0, 0}},
     "{}",
     HF_STALE_EXPIRED,
     HF_ON_EXPIRY_CONTINUE,
     false,
     "r:u:open"},
    {"the site says no", {{"u", "r", 1, NULL, -1, 0, 0, 0}}, "{}", HF_STALE_FRESH, 0, true, "r:u:held"},
    {"held before stale",
     {{"u", "r", 1, NULL, -1, 0, 0, 0}},
     "{}",
     HF_STALE_EXPIRED,
     HF_ON_EXPIRY_HOLD,
     true,
     "r:u:held"},
    {"nobody admitted", {{"u", "r", 1, NULL, 0, 0, 0, 0}}, "{}", HF_STALE_FRESH, 0, false, "r:u:not-admitted"},
    {"not admitted before held", {{"u", "r", 1, NULL, 0, 0, 0, 0}}, "{}", HF_STALE_FRESH, 0, true, "r:u:not-admitted"},
    {"everybody admitted", {{"u", "r", 1, NULL, 10000, 0, 0, 0}}, "{}", HF_STALE_FRESH, 0, false, "r:u:open"},
    {"canary", {{"u", "r", 1, NULL, 0, true, 0, 0}}, "{\"canary\":\"true\"}", HF_STALE_FRESH, 0, false, "r:u:open"},
    {"canary is over",
     {{"u", "r", 1, NULL, 0, false, 0, 0}},
     "{\"canary\":\"true\"}",
     HF_STALE_FRESH,
     0,
     false,
     "r:u:not-admitted"},
    {"the admitted one, not the newest",
     {{"old", "r", 1, NULL, -1, 0, 0, 0}, {"new", "r", 2, NULL, 0, 0, 0, 0}},
     "{}",
     HF_STALE_FRESH,
     0,
     false,
     "r:old:open | new:waiting"},
    {"a halt does not send back",
     {{"old", "r", 1, NULL, -1, 0, 0, 0}, {"new", "r", 2, NULL, 0, 0, true, 0}},
     "{}",
     HF_STALE_FRESH,
     0,
     false,
     "r:new:not-admitted | old:superseded"},
    {"begun is no reason to stay below",
     {{"old", "r", 1, NULL, -1, 0, true, 0}, {"new", "r", 2, NULL, 10000, 0, 0, 0}},
     "{}",
     HF_STALE_FRESH,
     0,
     false,
     "r:new:open | old:superseded"},
    {"same sequence: what was begun",
     {{"a", "r", 2, NULL, -1, 0, 0, 0}, {"b", "r", 2, "gw", -1, 0, true, 0}},
     "{\"role\":\"gw\"}",
     HF_STALE_FRESH,
     0,
     false,
     "r:a:open | b:superseded"},
    {"an unsigned update takes nobody's place",
     {{"evil", "r", 9, NULL, -1, 0, 0, true}, {"good", "r", 2, NULL, -1, 0, 0, 0}, {"old", "r", 1, NULL, -1, 0, 0, 0}},
     "{}",
     HF_STALE_FRESH,
     0,
     false,
     "r:good:open | old:superseded evil:not-accepted"},
    {"an unsigned update with the same sequence and an earlier name",
     {{"a", "r", 2, NULL, -1, 0, 0, true}, {"good", "r", 2, NULL, -1, 0, 0, 0}},
     "{}",
     HF_STALE_FRESH,
     0,
     false,
     "r:good:open | a:not-accepted"},
    {"a signed update that waits comes before an unsigned one that is admitted",
     {{"a", "r", 3, NULL, -1, 0, 0, true}, {"good", "r", 2, NULL, 0, 0, 0, 0}},
     "{}",
     HF_STALE_FRESH,
     0,
     false,
     "r:good:not-admitted | a:not-accepted"},
    {"an old update whose key is gone is superseded",
     {{"old", "r", 1, NULL, -1, 0, 0, true}, {"good", "r", 2, NULL, -1, 0, 0, 0}},
     "{}",
     HF_STALE_FRESH,
     0,
     false,
     "r:good:open | old:superseded"},
    {"nobody signed: as if all had",
     {{"a", "r", 1, NULL, -1, 0, 0, true}, {"b", "r", 2, NULL, -1, 0, 0, true}},
     "{}",
     HF_STALE_FRESH,
     0,
     false,
     "r:b:open | a:superseded"},
    {"alone and unsigned: the engine says why",
     {{"a", "r", 1, NULL, -1, 0, 0, true}, {"b", "s", 2, NULL, -1, 0, 0, true}},
     "{}",
     HF_STALE_FRESH,
     0,
     false,
     "r:a:open s:b:open"},
    {"none admitted: the newest is told of",
     {{"a", "r", 1, NULL, 0, 0, 0, 0}, {"b", "r", 2, NULL, 0, 0, 0, 0}},
     "{}",
     HF_STALE_FRESH,
     0,
     false,
     "r:b:not-admitted | a:superseded"},
};

struct begun_set {
    struct hf_edgeupdate *const *updates;
    const struct row *rows;
    size_t n;
};

static bool begun(void *arg, const char *release_name, const char *digest)
{
    const struct begun_set *set = arg;

    for (size_t i = 0; i < set->n; i++)
        if (set->rows[i].begun && strcmp(set->updates[i]->release.name, release_name) == 0 &&
            strcmp(set->updates[i]->release.digest, digest) == 0)
            return true;
    return false;
}

static unsigned n_asked;

static bool accepts(void *arg, const struct hf_edgeupdate *update)
{
    const struct begun_set *set = arg;

    n_asked++;
    for (size_t i = 0; i < set->n; i++)
        if (set->updates[i] == update)
            return !set->rows[i].unsigned_;
    ck_abort_msg("the plan asks about a foreign update");
    return false;
}

static bool has_turn(void *arg, const char *release_name, const char *digest)
{
    const struct hf_edgeupdate *update = arg;

    return update != NULL && strcmp(release_name, update->release.name) == 0 &&
           strcmp(digest, update->release.digest) == 0;
}

/* Only strategy.disruption asks for a turn, and only a turn for this very digest serves. */
START_TEST(turns)
{
    static const struct row plain = {"u", "r", 1, NULL, 10000, 0, 0, 0}, other = {"v", "r", 2, NULL, -1, 0, 0, 0};
    _cleanup_(hf_json_freep) json_t *json = object_of(&plain), *labels = json_object();
    struct hf_edgeupdate *update = update_of(&plain), *newer = update_of(&other), *asking = NULL;
    struct hf_issues issues;
    static struct hf_plan got;

    ck_assert_int_eq(hf_json_put(json, "spec.strategy.disruption.groupBy", json_string("zone")), 0);
    ck_assert_int_eq(hf_edgeupdate_decode(json, &asking, &issues), 0);
    const struct {
        struct hf_edgeupdate *update, *turn_for;
        bool missing;
    } rows[] = {{update, NULL, false}, {asking, NULL, true}, {asking, asking, false}, {asking, newer, true}};
    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct hf_plan_params params = {.updates = &rows[i].update,
                                        .n = 1,
                                        .node_name = "n",
                                        .node_labels = labels,
                                        .has_turn = i == 1 ? NULL : has_turn,
                                        .arg = rows[i].turn_for};
        hf_plan_make(&params, &got);
        ck_assert_uint_eq(got.n, 1);
        ck_assert_msg(got.desired[0].turn_missing == rows[i].missing, "row %zu", i);
    }
    hf_edgeupdate_free(update);
    hf_edgeupdate_free(newer);
    hf_edgeupdate_free(asking);
}
END_TEST

/* Only waitForImages waits for them, and first for all else. */
START_TEST(images)
{
    static const struct {
        bool waits, ready, held;
        enum hf_desired_gate gate;
    } rows[] = {{false, false, false, HF_GATE_OPEN},
                {true, false, false, HF_GATE_IMAGES},
                {true, true, false, HF_GATE_OPEN},
                {true, false, true, HF_GATE_HELD}};
    static const struct row plain = {"u", "r", 1, NULL, -1, 0, 0, 0};
    static struct hf_plan got;

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        _cleanup_(hf_json_freep) json_t *json = object_of(&plain), *labels = json_object();
        struct hf_edgeupdate *update = NULL;
        struct hf_issues issues;
        ck_assert_int_eq(hf_json_put(json, "spec.waitForImages", json_boolean(rows[i].waits)), 0);
        ck_assert_int_eq(hf_edgeupdate_decode(json, &update, &issues), 0);
        hf_plan_make(&(const struct hf_plan_params){.updates = &update,
                                                    .n = 1,
                                                    .node_name = "n",
                                                    .node_labels = labels,
                                                    .held = rows[i].held,
                                                    .images_ready = rows[i].ready},
                     &got);
        ck_assert_msg(got.n == 1 && got.desired[0].gate == rows[i].gate, "row %zu", i);
        hf_edgeupdate_free(update);
    }
}
END_TEST

static void print(const struct hf_plan *plan, char *text, size_t size)
{
    static const char *const gates[] = {[HF_GATE_OPEN] = "open",
                                        [HF_GATE_NOT_ADMITTED] = "not-admitted",
                                        [HF_GATE_STALE] = "stale",
                                        [HF_GATE_HELD] = "held",
                                        [HF_GATE_IMAGES] = "images"};
    static const char *const whys[] = {[HF_PLAN_SUPERSEDED] = "superseded",
                                       [HF_PLAN_NOT_ADMITTED_YET] = "waiting",
                                       [HF_PLAN_NOT_ACCEPTED] = "not-accepted"};
    size_t n = 0;

    text[0] = '\0';
    for (size_t i = 0; i < plan->n; i++)
        n += (size_t)snprintf(text + n, size - n, "%s%s:%s:%s", i > 0 ? " " : "", plan->desired[i].update->release.name,
                              plan->desired[i].update->meta.name, gates[plan->desired[i].gate]);
    for (size_t i = 0; i < plan->n_notes; i++)
        n += (size_t)snprintf(text + n, size - n, "%s%s:%s", i > 0 ? " " : " | ", plan->notes[i].update->meta.name,
                              whys[plan->notes[i].why]);
}

static struct hf_plan plan;

START_TEST(plan_of)
{
    struct hf_edgeupdate *updates[5];
    _cleanup_(hf_json_freep) json_t *labels = json_loads(plans[_i].labels, 0, NULL);
    char got[512];
    size_t n = 0;

    for (; n < HF_LEN(updates) && plans[_i].rows[n].name != NULL; n++)
        updates[n] = update_of(&plans[_i].rows[n]);
    struct begun_set set = {updates, plans[_i].rows, n};
    struct hf_plan_params params = {.updates = updates,
                                    .n = n,
                                    .node_name = "node-1",
                                    .node_labels = labels,
                                    .staleness = plans[_i].staleness,
                                    .on_expiry = plans[_i].on_expiry,
                                    .held = plans[_i].held,
                                    .begun = begun,
                                    .accepts = accepts,
                                    .arg = &set};
    n_asked = 0;
    hf_plan_make(&params, &plan);
    ck_assert_msg(n_asked == 0 || n > 1, "%s: nobody claims the name of a lone update", plans[_i].name);
    print(&plan, got, sizeof(got));
    ck_assert_msg(strcmp(got, plans[_i].want) == 0, "%s\n got: %s\nwant: %s", plans[_i].name, got, plans[_i].want);
    while (n > 0)
        hf_edgeupdate_free(updates[--n]);
}
END_TEST

START_TEST(too_many)
{
    struct row row = {"u", "r", 1, NULL, -1, 0, 0, 0};
    struct hf_edgeupdate *one = update_of(&row), *all[HF_PLAN_MAX + 5];
    _cleanup_(hf_json_freep) json_t *labels = json_object();

    for (size_t i = 0; i < HF_LEN(all); i++)
        all[i] = one;
    struct hf_plan_params params = {.updates = all, .n = HF_LEN(all), .node_name = "n", .node_labels = labels};
    hf_plan_make(&params, &plan);
    ck_assert_uint_eq(plan.n_ignored, 5);
    ck_assert_uint_eq(plan.n, 1);
    ck_assert_uint_eq(plan.n_notes, HF_PLAN_MAX - 1);
    hf_edgeupdate_free(one);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, plan_of, 0, HF_LEN(plans));
    tcase_add_test(tc, too_many);
    tcase_add_test(tc, turns);
    tcase_add_test(tc, images);
}

HF_TEST_MAIN("sync/plan", cases)
