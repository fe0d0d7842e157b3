/* SPDX-License-Identifier: Apache-2.0 */
/* The agent updates itself: the restart of its own unit ends the process that asks for it. */
#include <errno.h>

#include "support/fakes/simwalk.h"
#include "update_world.h"

enum { MAX_LIVES = 6 };

/* v1 is installed, and the agent is to become what `content` is. */
static struct hf_simupdate *new_world(const char *content, uint64_t seed)
{
    struct hf_simupdate *world = hf_simupdate_new(seed);

    world->self = true;
    world->check = check_whole;
    hf_simupdate_put_old(world, "v1");
    hf_simupdate_publish(world, &(struct hf_sim_release){.content = content});
    return world;
}

static void begin_as(const char *content)
{
    teardown();
    w = new_world(content, 0);
    hf_simupdate_boot(w);
}

/* In Probation, in the process of the new version. */
static void on_trial(void)
{
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_PROBATION));
    (void)hf_simupdate_settle(w);
    ck_assert(w->self_restarted);
    hf_simupdate_stop(w);
    hf_simupdate_boot(w);
    expect("app", HF_PHASE_PROBATION, "HealthPending");
}

START_TEST(new_version_is_good)
{
    begin_as("v2");
    ck_assert(hf_simupdate_settle_lives(w, MAX_LIVES));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v2");
    ck_assert_str_eq(w->running, "v2");
    ck_assert_uint_eq(w->restarts, 1);
    expect_clean();
}
END_TEST

START_TEST(new_version_is_bad)
{
    begin_as("broken");
    ck_assert(hf_simupdate_settle_lives(w, MAX_LIVES));
    expect("app", HF_PHASE_ROLLED_BACK, "HealthDeadline");
    struct hf_sim_seen seen = hf_simupdate_see(w, "app");
    ck_assert_msg(strstr(seen.message, "the old version is back; the agent restarts") != NULL, "%s", seen.message);
    expect_target("v1");
    ck_assert_str_eq(w->running, "v1");
    ck_assert_uint_eq(w->restarts, 2); /* to the new version, and back */
    expect_clean();

    hf_simupdate_run_for(w, 24 * 3600 * HF_NS_PER_S);
    ck_assert_uint_eq(w->restarts, 2);
    expect("app", HF_PHASE_ROLLED_BACK, "HealthDeadline");
}
END_TEST

/* The first life ends at the call of the walk, and a later one at its call `second`: by a kill, or by a power cut. */
static void end_at(struct hf_simwalk *walk, uint64_t second, bool cut)
{
    uint64_t n = walk->at;
    struct hf_simupdate *each = new_world("broken", n);

    hf_simfs_stop_at(each->fs, n);
    hf_simupdate_boot(each);
    bool settled = hf_simupdate_settle_lives(each, MAX_LIVES);
    (void)hf_simwalk_saw(walk, each->fs);
    for (int i = 0; i < 2 && hf_simfs_stopped(each->fs); i++) {
        if (cut)
            hf_simupdate_power_cut(each, n * 43 + (uint64_t)i);
        else
            hf_simupdate_kill(each);
        hf_simfs_stop_at(each->fs, i == 0 ? second : 0);
        hf_simupdate_boot(each);
        settled = hf_simupdate_settle_lives(each, MAX_LIVES);
    }
    struct hf_sim_seen seen = hf_simupdate_see(each, "app");
    if (!settled || seen.phase != HF_PHASE_ROLLED_BACK || strcmp(each->running, "v1") != 0 ||
        strcmp(hf_simupdate_target(each, HF_SIM_TARGET), "v1") != 0 || hf_simupdate_leftover(each) != NULL) {
        hf_simfs_trace(each->fs, stderr);
        ck_abort_msg("ends at %d, then %d: %s %s (%s), target %s, runs %s, left behind %s", (int)n, (int)second,
                     hf_phase_name(seen.phase), seen.reason, seen.message, hf_simupdate_target(each, HF_SIM_TARGET),
                     each->running, hf_simupdate_leftover(each));
    }
    hf_simupdate_free(each);
}

/* Wherever a life of the agent ends, the old version is back in the end, and runs. */
START_TEST(bad_version_ends_at_every_call)
{
    struct hf_simwalk walk = {.name = (const char *[]){"killed", "cut", "killed twice", "cut twice"}[_i]};
    uint64_t last = 0;

    for (; hf_simwalk_next(&walk); last = walk.at > last ? walk.at : last)
        end_at(&walk, _i < 2 ? 0 : 1 + walk.at * 17 % 97, _i % 2 == 1);
    ck_assert_uint_gt(last, 150);
}
END_TEST

/* A restart that does not happen leaves the bad version running: the status says so, also after a reboot. */
START_TEST(the_way_back_is_not_restarted)
{
    begin_as("broken");
    on_trial();
    w->unit = "other.service";
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_ROLLED_BACK, "HealthDeadline");
    expect_target("v1");
    ck_assert_str_eq(w->running, "broken");
    struct hf_sim_seen seen = hf_simupdate_see(w, "app");
    ck_assert_msg(strstr(seen.message, "but the agent still runs the new version: restart 'app.service'") != NULL, "%s",
                  seen.message);
    ck_assert_uint_eq(w->restarts, 2);
    expect_clean();

    hf_simupdate_power_cut(w, HF_SIMFS_LOSE_ALL);
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_ROLLED_BACK, "HealthDeadline");
    ck_assert_str_eq(hf_simupdate_see(w, "app").message, seen.message);
    ck_assert_str_eq(w->running, "v1");
}
END_TEST

/* While systemd re-executes itself, nobody can ask it for anything. */
START_TEST(the_way_back_waits_for_systemd)
{
    begin_as("broken");
    on_trial();
    w->restart_r = -ENOTCONN;
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_ROLLED_BACK));
    hf_simupdate_run_for(w, 5 * HF_NS_PER_S);
    ck_assert(!w->self_restarted);
    w->restart_r = 0;
    ck_assert(hf_simupdate_settle_lives(w, 1));
    expect("app", HF_PHASE_ROLLED_BACK, "HealthDeadline");
    ck_assert_str_eq(w->running, "v1");
    expect_clean();
}
END_TEST

/* Before the record of the rollback is on disk, a restart would only lead to the next rollback. */
START_TEST(the_way_back_waits_for_the_record)
{
    teardown();
    w = new_world("broken", 0);
    hf_simfs_mount(w->fs, UPDATES);
    hf_simupdate_boot(w);
    on_trial();
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_ROLLING_BACK));
    hf_simfs_set_read_only(w->fs, UPDATES, true);
    hf_simupdate_run_for(w, 3600 * HF_NS_PER_S);
    ck_assert(!w->self_restarted);
    expect_target("v1");
    expect("app", HF_PHASE_ROLLING_BACK, "StateNotWritable");
    hf_simfs_set_read_only(w->fs, UPDATES, false);
    ck_assert(hf_simupdate_settle_lives(w, 1));
    expect("app", HF_PHASE_ROLLED_BACK, "HealthDeadline");
    ck_assert_str_eq(w->running, "v1");
    expect_clean();
}
END_TEST

/* After a first installation nothing is left that a restart could start: the agent that runs stays. */
START_TEST(nothing_to_go_back_to)
{
    teardown();
    w = hf_simupdate_new(0);
    w->self = true;
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "broken"});
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle_lives(w, MAX_LIVES));
    expect("app", HF_PHASE_ROLLED_BACK, "HealthDeadline");
    ck_assert_ptr_nonnull(strstr(hf_simupdate_see(w, "app").message, "the agent was not restarted"));
    ck_assert_uint_eq(w->restarts, 1);
    expect_target("absent");
    expect_clean();
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, new_version_is_good);
    tcase_add_test(tc, new_version_is_bad);
    tcase_add_loop_test(tc, bad_version_ends_at_every_call, 0, 4);
    tcase_add_test(tc, the_way_back_is_not_restarted);
    tcase_add_test(tc, the_way_back_waits_for_systemd);
    tcase_add_test(tc, the_way_back_waits_for_the_record);
    tcase_add_test(tc, nothing_to_go_back_to);
}

HF_TEST_MAIN_CPU("update/own release", cases, 120)
