/* SPDX-License-Identifier: Apache-2.0 */
/* Releases that need a reboot: once after the swap, within the window, judged after the boot; once more after a
 * rollback. On virtual time and a virtual disk. */
#include <errno.h>

#include "update_world.h"

static unsigned commands;  /* reboots that the agent ordered */
static unsigned long seed; /* of the power cut that is the reboot */
static bool reboot_ordered;
static int command_r, command_code;

static int run(struct hf_simupdate *world, const char *const *argv, int *ret_exit_code)
{
    (void)world;
    ck_assert_str_eq(argv[0], "/usr/bin/systemctl");
    ck_assert_str_eq(argv[1], "reboot");
    ck_assert_ptr_null(argv[2]);
    commands++;
    *ret_exit_code = command_code;
    reboot_ordered = command_r == 0 && command_code == 0;
    return command_r;
}

/* A window of an hour from `start` on, or at any time. */
static json_t *reboot(const char *start)
{
    json_t *window =
        start != NULL ? json_pack("{s:{s:s, s:s}}", "window", "start", start, "duration", "1h") : json_object();

    return json_pack("{s:{s:{s:{s:o}}}}", "spec", "release", "install", "reboot", window);
}

static void setup_boots(void)
{
    setup();
    w->run = run;
    commands = 0;
    seed = 1;
    reboot_ordered = false;
    command_r = command_code = 0;
}

static void begin_with(const char *content, const char *start)
{
    begin(&(struct hf_sim_release){.content = content, .no_restart = true, .patch = reboot(start)});
}

static void power_cut(void)
{
    reboot_ordered = false;
    hf_simupdate_power_cut(w, seed++);
    hf_simupdate_boot(w);
}

static void run_until_reboot(void)
{
    for (unsigned i = 0; i < 3600 && !reboot_ordered; i++)
        hf_simupdate_run_for(w, HF_NS_PER_S);
    ck_assert(reboot_ordered);
}

START_TEST(once_after_the_swap)
{
    begin_with("v2", NULL);
    run_until_reboot();
    expect("app", HF_PHASE_PROBATION, "RebootPending");
    expect_target("v2");
    ck_assert_str_eq(w->running, "v1");
    power_cut();
    ck_assert_str_eq(w->running, "v2");
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_uint_eq(commands, 1);
    ck_assert_uint_eq(w->restarts, 0);
    expect_clean();
}
END_TEST

START_TEST(rolled_back_with_a_reboot)
{
    begin_with("broken", NULL);
    run_until_reboot();
    power_cut();
    run_until_reboot();
    expect("app", HF_PHASE_ROLLING_BACK, "HealthDeadline");
    expect_target("v1");
    ck_assert_str_eq(w->running, "broken");
    power_cut();
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_ROLLED_BACK, "HealthDeadline");
    ck_assert_str_eq(w->running, "v1");
    ck_assert_uint_eq(commands, 2);
    expect_clean();
}
END_TEST

/* A power cut between the swap and the command boots the new version as well as the command does. */
START_TEST(power_cut_instead_of_the_reboot)
{
    command_code = 1;
    begin_with("v2", NULL);
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_PROBATION));
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    expect("app", HF_PHASE_PROBATION, "RebootFailed");
    ck_assert_ptr_nonnull(strstr(hf_simupdate_see(w, "app").message, "exit code 1: said something"));
    unsigned before = commands;
    power_cut();
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_uint_eq(commands, before);
}
END_TEST

/* The reboot is no verdict: starts of the agent before it do not count. */
START_TEST(agent_restarts_before_the_reboot)
{
    begin_with("v2", "03:00"); /* closed */
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    for (unsigned i = 0; i < 5; i++) {
        expect("app", HF_PHASE_PROBATION, "RebootPending");
        hf_simupdate_stop(w);
        hf_simupdate_boot(w);
        hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    }
    expect("app", HF_PHASE_PROBATION, "RebootPending");
    ck_assert_ptr_nonnull(strstr(hf_simupdate_see(w, "app").message, "window of install.reboot"));
    ck_assert_uint_eq(commands, 0);
}
END_TEST

static struct hf_time_range at(uint64_t unix_ns)
{
    return (struct hf_time_range){HF_TIME_AGREED, unix_ns, unix_ns, unix_ns, unix_ns, 0};
}

/* In its window, and not before; other releases go on meanwhile. */
START_TEST(within_the_window)
{
    uint64_t base = 20000ull * 86400 * HF_NS_PER_S;
    struct hf_time_range range;

    w->range = &range;
    range = at(base + 2 * 3600 * HF_NS_PER_S);
    begin_with("v2", "03:00");
    hf_simupdate_publish(
        w, &(struct hf_sim_release){
               .name = "other", .content = "v3", .path = "/opt/app/bin/other", .no_restart = true, .no_checks = true});
    hf_simupdate_tell(w);
    hf_simupdate_run_for(w, 1800 * HF_NS_PER_S);
    expect("app", HF_PHASE_PROBATION, "RebootPending");
    expect("other", HF_PHASE_COMMITTED, "NoHealthChecks");
    ck_assert_uint_eq(commands, 0);
    range = at(base + 3 * 3600 * HF_NS_PER_S + 600 * HF_NS_PER_S);
    hf_simupdate_run_for(w, 120 * HF_NS_PER_S);
    ck_assert_uint_eq(commands, 1);
}
END_TEST

START_TEST(held_by_the_site)
{
    begin_with("v2", "03:00");
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_PROBATION));
    hf_simupdate_set_gate(w, "app", HF_GATE_HELD);
    hf_simupdate_tell(w);
    hf_simupdate_run_for(w, 300 * HF_NS_PER_S);
    expect("app", HF_PHASE_PROBATION, "RebootPending");
    ck_assert_ptr_nonnull(strstr(hf_simupdate_see(w, "app").message, "hold"));
    ck_assert_uint_eq(commands, 0);
}
END_TEST

/* The command succeeds, and nothing happens: that is told, and tried again. */
START_TEST(no_boot_in_time)
{
    begin_with("v2", NULL);
    run_until_reboot();
    hf_simupdate_run_for(w, 605 * HF_NS_PER_S);
    expect("app", HF_PHASE_PROBATION, "RebootFailed");
    ck_assert_ptr_nonnull(strstr(hf_simupdate_see(w, "app").message, "within 10m"));
    hf_simupdate_run_for(w, 900 * HF_NS_PER_S);
    ck_assert(commands >= 2);
    power_cut();
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
}
END_TEST

/* The rollback ends without the boot, too, and says so. */
START_TEST(no_boot_after_a_rollback)
{
    begin_with("broken", NULL);
    run_until_reboot();
    power_cut();
    if (_i == 0)
        run_until_reboot();
    else
        command_code = 1;
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_ROLLED_BACK, "HealthDeadline");
    ck_assert_msg(strstr(hf_simupdate_see(w, "app").message, "but the node did not reboot") != NULL, "%s",
                  hf_simupdate_see(w, "app").message);
    expect_target("v1");
    ck_assert_uint_eq(commands, 2);
}
END_TEST

START_TEST(not_allowed)
{
    w->only_exec = "/bin/true";
    begin_with("v2", NULL);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_REJECTED, "ExecNotAllowed");
    ck_assert_ptr_nonnull(strstr(hf_simupdate_see(w, "app").message, "install.reboot"));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup_boots, teardown);
    tcase_add_test(tc, once_after_the_swap);
    tcase_add_test(tc, rolled_back_with_a_reboot);
    tcase_add_test(tc, power_cut_instead_of_the_reboot);
    tcase_add_test(tc, agent_restarts_before_the_reboot);
    tcase_add_test(tc, within_the_window);
    tcase_add_test(tc, held_by_the_site);
    tcase_add_test(tc, no_boot_in_time);
    tcase_add_loop_test(tc, no_boot_after_a_rollback, 0, 2);
    tcase_add_test(tc, not_allowed);
}

HF_TEST_MAIN_CPU("update/boots", cases, 120)
