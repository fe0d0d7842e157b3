/* SPDX-License-Identifier: Apache-2.0 */
/* The site's order to go back to the version before: what it decides, and that the node follows it without a server,
 * keeps its floors, and comes forward again. */
#include <errno.h>

#include "support/walk.h"
#include "update/rules/order.h"
#include "update/state/floor.h"
#include "update/state/order.h"
#include "update_world.h"

#define ORDERS "/var/lib/holdfast/" HF_ORDERS_DIR
#define APP "/opt/app/current/bin/app"

/* ---- the decision ------------------------------------------------------------------------------------------------ */

enum { NONE = HF_ORDER_NONE, FOLLOW = HF_ORDER_FOLLOW, OVER = HF_ORDER_OVER };

static const struct {
    const char *name;
    struct hf_order_facts facts; /* state, names committed, gone back, wanted, newer, newer may start */
    enum hf_order_verdict verdict;
} decisions[] = {
    {"no order", {HF_ORDER_ABSENT, false, false, true, false, false}, HF_ORDER_NONE},
    {"taken back", {HF_ORDER_ABSENT, false, true, true, false, false}, HF_ORDER_NONE},
    {"refused", {HF_ORDER_REFUSED, true, false, true, false, false}, HF_ORDER_NONE},
    {"given", {HF_ORDER_STANDS, true, false, true, false, false}, HF_ORDER_FOLLOW},
    {"given, nobody wants any version", {HF_ORDER_STANDS, true, false, false, false, false}, HF_ORDER_FOLLOW},
    {"given, a newer one waits", {HF_ORDER_STANDS, true, false, true, true, false}, HF_ORDER_FOLLOW},
    {"given, a newer one may start", {HF_ORDER_STANDS, true, false, true, true, true}, HF_ORDER_NONE},
    {"followed", {HF_ORDER_STANDS, true, true, true, false, false}, HF_ORDER_FOLLOW},
    {"followed, nobody wants any version", {HF_ORDER_STANDS, true, true, false, false, false}, HF_ORDER_NONE},
    {"followed, a newer one waits", {HF_ORDER_STANDS, true, true, true, true, false}, HF_ORDER_NONE},
    {"followed, a newer one may start", {HF_ORDER_STANDS, true, true, true, true, true}, HF_ORDER_NONE},
    {"a newer one is committed", {HF_ORDER_STANDS, false, false, true, false, false}, HF_ORDER_OVER},
    {"of another release", {HF_ORDER_STANDS, false, true, true, false, false}, HF_ORDER_OVER},
    {"unreadable", {HF_ORDER_UNREADABLE, false, false, true, false, false}, HF_ORDER_NONE},
    {"unreadable, followed", {HF_ORDER_UNREADABLE, false, true, true, false, false}, HF_ORDER_FOLLOW},
    {"unreadable, followed, a newer one", {HF_ORDER_UNREADABLE, false, true, true, true, true}, HF_ORDER_NONE},
};

START_TEST(decision)
{
    ck_assert_msg(hf_order_ask(&decisions[_i].facts) == decisions[_i].verdict, "%s", decisions[_i].name);
}
END_TEST

/* ---- the world --------------------------------------------------------------------------------------------------- */

static const char *target(bool tree)
{
    return tree ? APP : HF_SIM_TARGET;
}

static void publish(bool tree, const char *content, uint64_t sequence)
{
    hf_simupdate_publish(
        w, &(struct hf_sim_release){
               .content = content, .sequence = sequence, .tree = tree, .canonical = tree, .no_restart = tree});
}

static void install(bool tree, const char *content, uint64_t sequence)
{
    if (hf_simupdate_target(w, HF_SIM_TARGET)[0] == 'a')
        hf_simupdate_put_old(w, tree ? "v1" : "broken");
    publish(tree, content, sequence);
    if (w->engine == NULL)
        hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_str_eq(hf_simupdate_target(w, target(tree)), content);
}

static void lose_server(void)
{
    w->answer.status = 404;
    hf_simupdate_serve(w);
}

/* v1, then v2, and the server is gone. */
static void two_versions(bool tree)
{
    w->retain = (struct hf_kept_policy){.previous = true, .max_bytes = 10 << 20};
    install(tree, "v1", 1);
    install(tree, "v2", 2);
    lose_server();
}

static struct hf_order order_for(const char *digest)
{
    struct hf_order order = {.version = "v2", .reason = "line 3 stops", .by = "anna", .since_unix_ns = 5};

    (void)snprintf(order.digest, sizeof(order.digest), "%s", digest);
    return order;
}

static void give(const struct hf_order *order)
{
    ck_assert_int_eq(hf_order_save(hf_simfs_ops(w->fs), ORDERS, "app", order, NULL), 0);
    hf_simupdate_tell(w);
    ck_assert(hf_simupdate_settle(w));
}

static void go_back(void)
{
    struct hf_order order = order_for(hf_simupdate_see(w, "app").digest);

    give(&order);
}

static void take_back(void)
{
    ck_assert_int_eq(hf_order_remove(hf_simfs_ops(w->fs), ORDERS, "app", NULL), 0);
    hf_simupdate_tell(w);
    ck_assert(hf_simupdate_settle(w));
}

static uint64_t top(void)
{
    struct hf_sequence_history history;
    unsigned damaged;

    ck_assert_int_eq(hf_floor_load(hf_simfs_ops(w->fs), UPDATES "/app", &history, &damaged, NULL), 0);
    ck_assert_uint_eq(damaged, 0);
    ck_assert_uint_eq(history.n_used, 0);
    ck_assert_uint_eq(history.current.sequence, history.top.sequence);
    return history.top.sequence;
}

static void expect_back(bool tree, const char *content)
{
    struct hf_sim_seen seen = hf_simupdate_see(w, "app");

    ck_assert_msg(seen.phase == HF_PHASE_WAITING && strcmp(seen.reason, "HeldBack") == 0, "%s %s: %s",
                  hf_phase_name(seen.phase), seen.reason, seen.message);
    ck_assert_str_eq(seen.installed, content);
    ck_assert_str_eq(seen.method, "Kept");
    ck_assert_uint_eq(seen.bytes_fetched, 0);
    ck_assert(seen.settled);
    ck_assert_ptr_nonnull(strstr(seen.message, "line 3 stops"));
    ck_assert_ptr_nonnull(strstr(seen.message, "anna"));
    ck_assert_str_eq(hf_simupdate_target(w, target(tree)), content);
    expect_clean();
}

static struct hf_order read_order(void)
{
    struct hf_order order;

    ck_assert_int_eq(hf_order_load(hf_simfs_ops(w->fs), ORDERS, "app", &order, NULL), 0);
    return order;
}

static bool has_order(void)
{
    struct hf_order order;

    return hf_order_load(hf_simfs_ops(w->fs), ORDERS, "app", &order, NULL) == 0;
}

/* ---- there and back ---------------------------------------------------------------------------------------------- */

START_TEST(there_and_forward_again)
{
    bool tree = _i == 1;

    two_versions(tree);
    for (unsigned round = 0; round < 2; round++) {
        go_back();
        expect_back(tree, "v1");
        ck_assert_str_eq(hf_simupdate_see(w, "app").version, "v2"); /* what is wanted */
        ck_assert_uint_eq(top(), 2);
        if (!tree)
            ck_assert_str_eq(w->running, "v1");
        take_back();
        struct hf_sim_seen seen = hf_simupdate_see(w, "app");
        ck_assert_msg(seen.phase == HF_PHASE_COMMITTED, "%s: %s", seen.reason, seen.message);
        ck_assert_str_eq(hf_simupdate_target(w, target(tree)), "v2");
        ck_assert_uint_eq(seen.bytes_fetched, 0);
        ck_assert_uint_eq(top(), 2);
    }
}
END_TEST

START_TEST(it_stays_through_restarts_and_is_repaired)
{
    two_versions(false);
    go_back();
    for (unsigned i = 0; i < 3; i++) {
        if (i == 1)
            hf_simupdate_kill(w);
        else
            hf_simupdate_stop(w);
        hf_simupdate_boot(w);
        lose_server();
        ck_assert(hf_simupdate_settle(w));
        expect_back(false, "v1");
    }
    hf_simfs_delete(w->fs, HF_SIM_TARGET);
    hf_simupdate_look(w);
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_WAITING));
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    ck_assert(hf_simupdate_settle(w));
    expect_back(false, "v1");
}
END_TEST

START_TEST(until_a_newer_release)
{
    two_versions(false);
    go_back();
    w->answer.status = 200;
    hf_simupdate_serve(w);
    publish(false, "v3", 3);
    hf_simupdate_set_gate(w, "app", HF_GATE_NOT_ADMITTED);
    hf_simupdate_tell(w);
    ck_assert(hf_simupdate_settle(w));
    struct hf_sim_seen seen = hf_simupdate_see(w, "app");
    ck_assert_str_eq(seen.reason, "NotAdmitted"); /* for its own reason; the version before stays */
    ck_assert_str_eq(seen.installed, "v1");
    expect_target("v1");
    hf_simfs_delete(w->fs, HF_SIM_TARGET); /* and is repaired behind it */
    hf_simupdate_look(w);
    hf_simupdate_run_for(w, 600 * HF_NS_PER_S);
    ck_assert(hf_simupdate_settle(w));
    expect_target("v1");
    ck_assert(has_order());
    hf_simupdate_set_gate(w, "app", HF_GATE_OPEN);
    hf_simupdate_tell(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v3");
    ck_assert_uint_eq(top(), 3);
    hf_simupdate_tell(w);
    ck_assert(hf_simupdate_settle(w));
    ck_assert(!has_order());
}
END_TEST

START_TEST(while_a_newer_release_waits)
{
    two_versions(false);
    struct hf_order order = order_for(hf_simupdate_see(w, "app").digest);

    publish(false, "v3", 3);
    hf_simupdate_set_gate(w, "app",
                          _i == 0 ? HF_GATE_NOT_ADMITTED : HF_GATE_HELD); /* the site's own hold is no obstacle */
    hf_simupdate_tell(w);
    ck_assert(hf_simupdate_settle(w));
    give(&order);
    expect_target("v1");
    ck_assert_str_eq(hf_simupdate_see(w, "app").version, "v3");
    ck_assert_str_eq(hf_simupdate_see(w, "app").installed, "v1");
    ck_assert_uint_eq(top(), 2);
}
END_TEST

START_TEST(nobody_wants_it_any_more)
{
    two_versions(false);
    struct hf_order order = order_for(hf_simupdate_see(w, "app").digest);

    hf_simupdate_withdraw(w, "app");
    hf_simupdate_tell(w);
    ck_assert(hf_simupdate_settle(w));
    give(&order);
    expect_target("v1");
    expect("app", HF_PHASE_COMMITTED, "HeldBack");
    publish(false, "v2", 2); /* it is wanted again: the order still holds */
    hf_simupdate_tell(w);
    ck_assert(hf_simupdate_settle(w));
    expect_target("v1");
}
END_TEST

/* ---- what is refused --------------------------------------------------------------------------------------------- */

static void expect_refused(const char *why, const char *content)
{
    ck_assert(hf_simupdate_settle(w));
    struct hf_order order = read_order();
    ck_assert_msg(strstr(order.refused, why) != NULL, "'%s'", order.refused);
    expect_target(content);
    struct hf_sim_seen seen = hf_simupdate_see(w, "app");
    ck_assert_msg(seen.phase == HF_PHASE_COMMITTED && strcmp(seen.version, "v2") == 0, "%s %s", seen.version,
                  seen.reason);
    expect_clean();
}

/* The refusal names what was in the way, and nothing that is not. */
static const struct {
    struct hf_kept_policy before, after; /* the commit of v2 */
    bool alone, warned;                  /* no v2; a disk above disk.warnPercent */
    const char *cause, *why;
} unkept[] = {
    {.alone = true, .cause = "no version before", .why = "set retain.previous in a SyncPolicy"},
    {.cause = "does not keep the content of v1", .why = ": set retain.previous in a SyncPolicy for the next time; now"},
    {.before = {.previous = true, .max_bytes = 1},
     .after = {.previous = true, .max_bytes = 1},
     .cause = "does not keep the content of v1",
     .why = ": retain.maxBytes of the SyncPolicy is less than its size; now"},
    {.before = {.previous = true, .max_bytes = 10 << 20},
     .after = {.previous = true, .max_bytes = 10 << 20},
     .warned = true,
     .cause = "does not keep the content of v1",
     .why = ": the disk is above disk.warnPercent"},
    {.after = {.previous = true, .max_bytes = 10 << 20},
     .cause = "does not keep the content of v1",
     .why = ": the node left it without retain.previous or room, "},
};

START_TEST(not_kept)
{
    char digest[65];

    w->retain = unkept[_i].before;
    w->disk_warned = unkept[_i].warned;
    install(false, "v1", 1);
    if (!unkept[_i].alone)
        install(false, "v2", 2);
    hf_update_engine_set_retain(w->engine, &unkept[_i].after);
    lose_server();
    (void)snprintf(digest, sizeof(digest), "%s", hf_simupdate_see(w, "app").digest);
    struct hf_order order = order_for(digest);
    give(&order);
    order = read_order();
    ck_assert_msg(strstr(order.refused, unkept[_i].cause) != NULL, "%s", order.refused);
    ck_assert_msg(strstr(order.refused, unkept[_i].why) != NULL, "%s", order.refused);
    ck_assert_ptr_nonnull(strstr(order.refused, "; now, sign the old files as a new release"));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target(unkept[_i].alone ? "v1" : "v2");
    ck_assert_uint_eq(hf_simupdate_see(w, "app").attempts, 1);
}
END_TEST

static const char *kept_file(void)
{
    static char path[300];
    char hex[HF_SHA256_HEX];
    size_t n;
    const void *bytes = hf_sim_content("v1", &n);

    (void)snprintf(path, sizeof(path), "/opt/app/bin/.holdfast-app.kept/%s.link", hf_sha256_hex(bytes, n, hex));
    return path;
}

START_TEST(kept_content_is_wrong)
{
    two_versions(false);
    struct stat st;
    ck_assert(hf_simfs_stat(w->fs, kept_file(), &st));
    hf_simfs_put(w->fs, kept_file(), "stray", 5, 0755);
    /* Of the right size, so that only the hash shows it. */
    size_t n;
    char *wrong = calloc(1, (size_t)st.st_size);
    n = (size_t)st.st_size;
    hf_simfs_put(w->fs, kept_file(), wrong, n, 0755);
    free(wrong);
    go_back();
    expect_refused("does not keep", "v2");
}
END_TEST

/* Between two attempts to go back, somebody removes what is committed. The repair does not take the place of the
 * order: it would be committed as the version before, and what the caller wants be lost. */
START_TEST(drift_between_attempts_to_go_back)
{
    struct stat st;

    two_versions(false);
    ck_assert(hf_simfs_stat(w->fs, kept_file(), &st));
    char *wrong = calloc(1, (size_t)st.st_size);
    hf_simfs_put(w->fs, kept_file(), wrong, (size_t)st.st_size, 0755);
    free(wrong);
    struct hf_order order = order_for(hf_simupdate_see(w, "app").digest);
    ck_assert_int_eq(hf_order_save(hf_simfs_ops(w->fs), ORDERS, "app", &order, NULL), 0);
    hf_simupdate_tell(w);
    hf_simupdate_run_for(w, HF_NS_PER_S);
    expect("app", HF_PHASE_WAITING, "HashMismatch");
    ck_assert_str_eq(hf_simupdate_see(w, "app").version, "v1");
    hf_simfs_delete(w->fs, HF_SIM_TARGET);
    hf_simupdate_look(w);
    hf_simupdate_run_for(w, HF_NS_PER_S);
    expect("app", HF_PHASE_WAITING, "HashMismatch");
    ck_assert_str_eq(hf_simupdate_see(w, "app").version, "v1");
    expect_refused("does not keep", "v2");
    ck_assert_uint_eq(top(), 2);
}
END_TEST

START_TEST(the_version_before_is_ill)
{
    w->retain = (struct hf_kept_policy){.previous = true, .max_bytes = 10 << 20};
    install(false, "v1", 1);
    install(false, "v2", 2);
    lose_server();
    w->exec_r = 0;
    w->restart_r = -EIO; /* no version of the service starts any more */
    go_back();
    w->restart_r = 0;
    expect_refused("not restarted", "v2");
    ck_assert_uint_eq(top(), 2);
}
END_TEST

START_TEST(its_key_is_gone)
{
    two_versions(false);
    hf_simfs_delete(w->fs, "/etc/holdfast/trust.d/k1.pem");
    hf_simupdate_trust_other(w);
    go_back();
    struct hf_order order = read_order();
    ck_assert_msg(order.refused[0] != '\0', "an order whose release nobody trusts was followed");
    expect_target("v2");
}
END_TEST

START_TEST(bad_orders)
{
    static const char *const texts[] = {"", "{}", "holdfast-rollback 1 00\n{}", "holdfast-rollback 9 00\n{}",
                                        "\xff\xfe"};
    char big[HF_ORDER_MAX_BYTES + 100];

    two_versions(false);
    memset(big, 'a', sizeof(big));
    hf_simfs_mkdir(w->fs, ORDERS, 0700);
    for (size_t i = 0; i < HF_LEN(texts) + 1; i++) {
        const char *text = i < HF_LEN(texts) ? texts[i] : big;
        hf_simfs_put(w->fs, ORDERS "/app", text, i < HF_LEN(texts) ? strlen(text) : sizeof(big), 0600);
        hf_simfs_put(w->fs, ORDERS "/no-such-release", text, i < HF_LEN(texts) ? strlen(text) : sizeof(big), 0600);
        hf_simupdate_tell(w);
        ck_assert(hf_simupdate_settle(w));
        expect_target("v2");
        expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    }
    struct hf_order order = order_for("00000000000000000000000000000000000000000000000000000000000000aa");
    give(&order); /* about another release than the one that runs */
    expect_target("v2");
    ck_assert(!has_order());
    /* One that is followed and then damaged holds on. */
    go_back();
    expect_back(false, "v1");
    hf_simfs_put(w->fs, ORDERS "/app", "torn", 4, 0600);
    hf_simupdate_stop(w);
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect_target("v1");
}
END_TEST

/* ---- cuts -------------------------------------------------------------------------------------------------------- */

static bool is_tree;

static void check_either(struct hf_simupdate *world)
{
    const char *is = hf_simupdate_target(world, target(is_tree));

    ck_assert_msg(strcmp(is, "v1") == 0 || strcmp(is, "v2") == 0, "the target is %s", is);
}

/* The site gives its order, or takes it back. */
static void act(const struct hf_order *order, bool undoes)
{
    int r = undoes ? hf_order_remove(hf_simfs_ops(w->fs), ORDERS, "app", NULL)
                   : hf_order_save(hf_simfs_ops(w->fs), ORDERS, "app", order, NULL);

    ck_assert(r == 0 || hf_simfs_stopped(w->fs));
}

static bool cut_at(bool undoes, uint64_t at)
{
    two_versions(is_tree);
    struct hf_order order = order_for(hf_simupdate_see(w, "app").digest);

    if (undoes)
        give(&order);
    w->check = check_either;
    hf_simfs_count_only(w->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(w->fs, at);
    act(&order, undoes);
    hf_simupdate_tell(w);
    hf_simupdate_run_for(w, 30 * HF_NS_PER_S);
    bool cut = hf_simfs_stopped(w->fs);
    hf_simfs_stop_at(w->fs, 0);
    hf_simupdate_power_cut(w, at);
    check_either(w);
    hf_simupdate_boot(w);
    bool settled = hf_simupdate_settle(w);
    ck_assert_msg(settled, "cut at %ju: %s %s", (uintmax_t)at, hf_phase_name(hf_simupdate_see(w, "app").phase),
                  hf_simupdate_see(w, "app").message);
    if (has_order() == undoes) { /* the cut came before it was durable */
        act(&order, undoes);
        hf_simupdate_tell(w);
        hf_simupdate_run_for(w, HF_NS_PER_S); /* the look at the start of an agent is still in progress */
    }
    ck_assert_msg(hf_simupdate_settle(w), "cut at %ju", (uintmax_t)at);
    ck_assert_uint_eq(top(), 2);
    if (undoes) {
        struct hf_sim_seen seen = hf_simupdate_see(w, "app");
        ck_assert_msg(seen.phase == HF_PHASE_COMMITTED && strcmp(seen.version, "v2") == 0 &&
                          strcmp(hf_simupdate_target(w, target(is_tree)), "v2") == 0,
                      "cut at %ju: %s", (uintmax_t)at, seen.message);
    } else {
        expect_back(is_tree, "v1");
    }
    return cut;
}

START_TEST(a_cut_at_each_write)
{
    uint64_t at = hf_walk_next("order", 0), last = 0;

    is_tree = (_i & 1) != 0;
    while (cut_at((_i & 2) != 0, at)) {
        last = at;
        at = hf_walk_next("order", at);
        teardown();
        setup();
    }
    ck_assert_uint_gt(last, 5);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, decision, 0, (int)HF_LEN(decisions));
    tcase_add_loop_test(tc, there_and_forward_again, 0, 2);
    tcase_add_test(tc, it_stays_through_restarts_and_is_repaired);
    tcase_add_test(tc, until_a_newer_release);
    tcase_add_loop_test(tc, while_a_newer_release_waits, 0, 2);
    tcase_add_test(tc, nobody_wants_it_any_more);
    tcase_add_loop_test(tc, not_kept, 0, HF_LEN(unkept));
    tcase_add_test(tc, kept_content_is_wrong);
    tcase_add_test(tc, drift_between_attempts_to_go_back);
    tcase_add_test(tc, the_version_before_is_ill);
    tcase_add_test(tc, its_key_is_gone);
    tcase_add_test(tc, bad_orders);
    tcase_add_loop_test(tc, a_cut_at_each_write, 0, 4);
}

HF_TEST_MAIN_CPU("update/order", cases, 120)
