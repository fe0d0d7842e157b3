/* SPDX-License-Identifier: Apache-2.0 */
/* Releases with health.probationBoots: judged again in each boot after the commit; what counts against one, and that the
 * node then goes back without a network. On virtual time and a virtual disk. */
#include <errno.h>

#include "support/golden.h"
#include "support/walk.h"
#include "update/rules/boots.h"
#include "update/state/floor.h"
#include "update/state/journal.h"
#include "update_world.h"

#define WATCHDOG "/sys/class/watchdog/watchdog0/bootstatus"

/* ---- the decision ------------------------------------------------------------------------------------------------ */

START_TEST(table)
{
    static const char *const healths[] = {"unchecked", "healthy", "ill"};
    static const char *const units[] = {"unknown", "off", "runs", "failed"};
    static const char *const verdicts[] = {"nothing", "check", "good", "bad", "unsure"};
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 16);

    for (unsigned row = 0; row < 2 * 2 * 3 * HF_BOOT_HEALTHS * HF_BOOT_UNITS; row++) {
        unsigned n = row;
        struct hf_boot_facts facts = {.unit = (enum hf_boot_unit)(n % HF_BOOT_UNITS)};
        facts.health = (enum hf_boot_health)((n /= HF_BOOT_UNITS) % HF_BOOT_HEALTHS);
        unsigned bit = (n /= HF_BOOT_HEALTHS) % 3;
        facts.watchdog_bit = bit > 0;
        facts.watchdog_then = bit == 2;
        facts.judged = (n /= 3) % 2 > 0;
        facts.left = (n / 2) % 2;
        enum hf_boot_verdict verdict = hf_boot_judge(&facts);
        if (facts.left == 0 || facts.judged)
            ck_assert_int_eq(verdict, HF_BOOT_NOTHING);
        else
            ck_assert_int_eq(hf_buf_addf(&text, "%-16s%-10s%-8s%s\n",
                                         bit == 0   ? "-"
                                         : bit == 1 ? "watchdog"
                                                    : "watchdog again",
                                         healths[facts.health], units[facts.unit], verdicts[verdict]),
                             0);
    }
    ck_assert(hf_golden("boot_verdicts.txt", hf_buf_view(&text)));
}
END_TEST

static const struct {
    const char *active, *sub;
    enum hf_boot_unit unit;
} units[] = {
    {"active", "running", HF_BOOT_UNIT_RUNS},
    {"active", "exited", HF_BOOT_UNIT_RUNS},
    {"reloading", "reload", HF_BOOT_UNIT_RUNS},
    {"activating", "start", HF_BOOT_UNIT_RUNS},
    {"activating", "auto-restart", HF_BOOT_UNIT_FAILED},
    {"activating", "auto-restart-queued", HF_BOOT_UNIT_FAILED},
    {"failed", "failed", HF_BOOT_UNIT_FAILED},
    {"inactive", "dead", HF_BOOT_UNIT_OFF},
    {"deactivating", "stop-sigterm", HF_BOOT_UNIT_OFF},
    {"", "", HF_BOOT_UNIT_UNKNOWN},
    {"maintenance", "x", HF_BOOT_UNIT_UNKNOWN},
};

START_TEST(state_of_a_unit)
{
    ck_assert_msg(hf_boot_unit_of(units[_i].active, units[_i].sub) == units[_i].unit, "%s (%s)", units[_i].active,
                  units[_i].sub);
}
END_TEST

/* ---- the world --------------------------------------------------------------------------------------------------- */

static unsigned long seed;
static void (*at_boot)(void); /* before the agent starts, while v2 is in place */

static json_t *boots(int n)
{
    return json_pack("{s:{s:{s:{s:i}}}}", "spec", "release", "health", "probationBoots", n);
}

static void publish(const char *content, uint64_t sequence, int n)
{
    hf_simupdate_publish(
        w, &(struct hf_sim_release){.content = content, .sequence = sequence, .patch = n > 0 ? boots(n) : NULL});
    hf_simupdate_tell(w);
}

static void install(const char *content, uint64_t sequence, int n)
{
    publish(content, sequence, n);
    if (w->engine == NULL)
        hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target(content);
}

/* v2 is committed, with n boots to come, and the server is gone. */
static void begin_boots(int n)
{
    seed = 1;
    at_boot = NULL;
    hf_simupdate_put_old(w, "broken");
    install("v1", 1, 0);
    install("v2", 2, n);
    w->answer.status = 404;
    hf_simupdate_serve(w);
}

/* What a power cut that ends a boot leaves, and the next boot. */
static void reboot(void)
{
    hf_simupdate_power_cut(w, seed++);
    if (at_boot != NULL && strcmp(hf_simupdate_target(w, HF_SIM_TARGET), "v2") == 0)
        at_boot();
    hf_simupdate_boot(w);
}

static void reboot_and_judge(void)
{
    reboot();
    hf_simupdate_run_for(w, 180 * HF_NS_PER_S);
    ck_assert(hf_simupdate_settle(w));
}

static struct hf_journal journal(void)
{
    struct hf_journal j = {.phase = HF_PHASE_IDLE};
    json_t *release = NULL;

    ck_assert_int_eq(hf_journal_load(hf_simfs_ops(w->fs), UPDATES "/app", &j, &release, NULL), 0);
    json_decref(release);
    return j;
}

static void expect_left(unsigned n)
{
    ck_assert_uint_eq(journal().boots.left, n);
}

static void expect_gone_back(const char *why)
{
    struct hf_sim_seen seen = hf_simupdate_see(w, "app");
    struct hf_sequence_history floor;
    unsigned damaged;

    expect("app", HF_PHASE_REJECTED, "RolledBackBefore");
    ck_assert_msg(strstr(seen.message, why) != NULL, "%s", seen.message);
    ck_assert_str_eq(seen.version, "v2");
    expect_target("v1");
    ck_assert_str_eq(w->running, "v1");
    ck_assert_uint_eq(seen.bytes_fetched, 0);
    ck_assert_int_eq(hf_floor_load(hf_simfs_ops(w->fs), UPDATES "/app", &floor, &damaged, NULL), 0);
    ck_assert_uint_eq(floor.top.sequence, 2);
    ck_assert_uint_eq(floor.n_used, 0);
    expect_clean();
}

static void hang(void)
{
    (void)snprintf(w->running, sizeof(w->running), "broken");
}

static void fail_to_start(void)
{
    w->running[0] = '\0';
    w->is_dead = true;
}

static void nobody_starts_it(void)
{
    w->running[0] = '\0';
    w->unit_state = "inactive";
}

static void no_answer(void)
{
    hang();
    w->state_r = -ENOTCONN;
}

/* ---- stories ----------------------------------------------------------------------------------------------------- */

START_TEST(good_boots)
{
    begin_boots(2);
    expect_left(2);
    hf_simupdate_stop(w); /* a new process is no boot */
    hf_simupdate_boot(w);
    hf_simupdate_run_for(w, 180 * HF_NS_PER_S);
    expect_left(2);
    for (unsigned left = 2; left-- > 0;) {
        reboot_and_judge();
        expect("app", HF_PHASE_COMMITTED, "HealthPassed");
        expect_left(left);
    }
    at_boot = hang; /* it is no young release any more */
    reboot_and_judge();
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v2");
    ck_assert_uint_eq(w->restarts, 2);
}
END_TEST

START_TEST(bad_boots)
{
    static void (*const ways[])(void) = {hang, fail_to_start};

    begin_boots(3);
    reboot_and_judge();
    expect_left(2);
    at_boot = ways[_i];
    reboot_and_judge();
    expect_gone_back(_i == 0 ? "status 503" : "failed");
    reboot_and_judge(); /* it stays so, and is repaired */
    expect_gone_back(_i == 0 ? "status 503" : "failed");
    hf_simfs_delete(w->fs, HF_SIM_TARGET);
    hf_simupdate_look(w);
    hf_simupdate_run_for(w, 120 * HF_NS_PER_S);
    ck_assert(hf_simupdate_settle(w));
    expect_target("v1");
    w->answer.status = 200; /* and a better release follows */
    hf_simupdate_serve(w);
    install("v3", 3, 0);
    expect_left(0);
}
END_TEST

/* No evidence: the boot counts neither way, and is judged as soon as there is some. */
START_TEST(unsure_boots)
{
    static void (*const ways[])(void) = {nobody_starts_it, no_answer};

    begin_boots(2);
    at_boot = ways[_i];
    for (unsigned i = 0; i < 4; i++) {
        reboot_and_judge();
        expect("app", HF_PHASE_COMMITTED, "HealthPassed");
        expect_left(2);
    }
    w->unit_state = NULL;
    w->state_r = 0;
    (void)snprintf(w->running, sizeof(w->running), "v2");
    hf_simupdate_run_for(w, 700 * HF_NS_PER_S);
    expect_left(1);
    expect_target("v2");
}
END_TEST

/* Power fails again and again, before the checks can end: no boot counts against the release. */
START_TEST(power_cuts_are_no_failed_boots)
{
    begin_boots(2);
    at_boot = hang; /* it would be ill after a minute */
    for (unsigned i = 0; i < 10; i++) {
        reboot();
        hf_simupdate_run_for(w, 20 * HF_NS_PER_S);
        expect_target("v2");
    }
    at_boot = NULL;
    reboot_and_judge();
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_left(1);
}
END_TEST

static void bite(void)
{
    hf_simfs_put(w->fs, WATCHDOG, "32\n", 3, 0444);
}

START_TEST(the_watchdog_bites)
{
    begin_boots(2);
    at_boot = bite;
    reboot_and_judge();
    expect_gone_back("watchdog");
}
END_TEST

/* A bit that is always set says nothing, nor does one of another cause, or of no number. */
START_TEST(other_watchdogs)
{
    static const char *const texts[] = {"32", "0\n", "1\n", "x", "", "99999999999999999999"};

    hf_simfs_put(w->fs, WATCHDOG, texts[_i], strlen(texts[_i]), 0444);
    begin_boots(1);
    reboot_and_judge();
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v2");
    expect_left(0);
}
END_TEST

/* A newer release waits: the one that runs is judged all the same. */
START_TEST(behind_a_newer_one)
{
    begin_boots(1);
    publish("v3", 3, 0);
    hf_simupdate_set_gate(w, "app", HF_GATE_NOT_ADMITTED);
    hf_simupdate_tell(w);
    ck_assert(hf_simupdate_settle(w));
    at_boot = hang;
    reboot_and_judge();
    expect_target("v1");
    ck_assert_str_eq(w->running, "v1");
    struct hf_sim_seen seen = hf_simupdate_see(w, "app");
    ck_assert_str_eq(seen.reason, "NotAdmitted");
    ck_assert_str_eq(seen.version, "v3");
    ck_assert_str_eq(seen.installed, "v1");
    w->answer.status = 200;
    hf_simupdate_serve(w);
    hf_simupdate_set_gate(w, "app", HF_GATE_OPEN);
    hf_simupdate_tell(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v3");
}
END_TEST

/* There is nothing to go back to, or it is ill too: what runs stays, and the status says so. */
START_TEST(no_way_back)
{
    if (_i == 0) {
        hf_simupdate_put_old(w, "broken");
        install("v2", 2, 1);
    } else {
        begin_boots(1);
    }
    if (_i == 1)
        w->restart_r = -EIO;
    at_boot = hang;
    reboot_and_judge();
    w->restart_r = 0;
    expect_target("v2");
    expect("app", HF_PHASE_COMMITTED, "BootFailed");
    ck_assert_ptr_nonnull(strstr(hf_simupdate_see(w, "app").message, "it stays"));
    unsigned restarts = w->restarts;
    at_boot = NULL;
    reboot_and_judge();
    expect("app", HF_PHASE_COMMITTED, "BootFailed");
    ck_assert_uint_eq(w->restarts, restarts);
}
END_TEST

/* What somebody else put there is judged by nobody: it is repaired, and then the release has its verdict. */
START_TEST(another_file_is_in_place)
{
    size_t n;
    const void *bytes = hf_sim_content("broken", &n);

    w->retain = (struct hf_kept_policy){.current = true, .max_bytes = 10 << 20};
    begin_boots(1);
    hf_simupdate_power_cut(w, seed++);
    hf_simfs_put(w->fs, HF_SIM_TARGET, bytes, n, 0755);
    hang();
    hf_simupdate_boot(w);
    hf_simupdate_run_for(w, 300 * HF_NS_PER_S);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v2");
    expect_left(0);
}
END_TEST

/* ---- cuts -------------------------------------------------------------------------------------------------------- */

static void check_either(struct hf_simupdate *world)
{
    const char *is = hf_simupdate_target(world, HF_SIM_TARGET);

    ck_assert_msg(strcmp(is, "v1") == 0 || strcmp(is, "v2") == 0, "the target is %s", is);
}

/* Power fails at write `at` of a boot that judges; the boots after it are of the same kind. */
static bool cut_at(bool bad, uint64_t at)
{
    begin_boots(2);
    w->check = check_either;
    at_boot = bad ? hang : NULL;
    hf_simupdate_power_cut(w, seed++);
    if (bad)
        hang();
    hf_simfs_count_only(w->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(w->fs, at);
    hf_simupdate_boot(w);
    hf_simupdate_run_for(w, 180 * HF_NS_PER_S);
    bool cut = hf_simfs_stopped(w->fs);
    hf_simfs_stop_at(w->fs, 0);
    for (unsigned i = 0; i < 3; i++) {
        reboot_and_judge();
        check_either(w);
    }
    if (bad) {
        expect_gone_back("status 503");
    } else {
        expect("app", HF_PHASE_COMMITTED, "HealthPassed");
        expect_target("v2");
        expect_left(0);
    }
    return cut;
}

START_TEST(a_cut_at_each_write)
{
    uint64_t at = hf_walk_next("boots", 0), last = 0;

    while (cut_at(_i == 1, at)) {
        last = at;
        at = hf_walk_next("boots", at);
        teardown();
        setup();
    }
    ck_assert_uint_gt(last, _i == 1 ? 5 : 0);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, table);
    tcase_add_loop_test(tc, state_of_a_unit, 0, (int)HF_LEN(units));
    tcase_add_test(tc, good_boots);
    tcase_add_loop_test(tc, bad_boots, 0, 2);
    tcase_add_loop_test(tc, unsure_boots, 0, 2);
    tcase_add_test(tc, power_cuts_are_no_failed_boots);
    tcase_add_test(tc, the_watchdog_bites);
    tcase_add_loop_test(tc, other_watchdogs, 0, 6);
    tcase_add_test(tc, behind_a_newer_one);
    tcase_add_loop_test(tc, no_way_back, 0, 2);
    tcase_add_test(tc, another_file_is_in_place);
    tcase_add_loop_test(tc, a_cut_at_each_write, 0, 2);
}

HF_TEST_MAIN_CPU("update/probation_boots", cases, 120)
