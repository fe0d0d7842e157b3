/* SPDX-License-Identifier: Apache-2.0 */
/* The agent updates itself under a supervisor (support/fakes/simlife.h), and the power goes at every call of the file
 * system: the agent's own, and the supervisor's. Always: `current` names one of two whole agents. In the end: the new
 * one is Committed and known as good, or the old one runs and the release is RolledBack with the supervisor's reason. */
#include "support/check_main.h"
#include "support/fakes/simlife.h"
#include "support/fakes/simwalk.h"

#define DAY_NS (24 * 3600 * HF_NS_PER_S)

static struct hf_simupdate *w;
static struct hf_simlife life;
static const char *old_content, *new_content;

static void check_whole(struct hf_simupdate *world)
{
    const char *is = hf_simlife_content(&life, HF_HOST_CURRENT);

    (void)world;
    ck_assert_msg(strcmp(is, old_content) == 0 || strcmp(is, new_content) == 0, "current is %s", is);
}

static void begin(const char *from, const char *to, uint64_t seed)
{
    w = hf_simupdate_new(seed);
    hf_simlife_init(&life, w, from);
    old_content = from;
    new_content = to;
    w->check = check_whole;
    hf_simupdate_publish(w, &(struct hf_sim_release){.agent = true, .content = to});
}

static void end(void)
{
    hf_simupdate_free(w);
    w = NULL;
}

static struct hf_sim_seen see(void)
{
    return hf_simupdate_see(w, HF_AGENT_RELEASE);
}

static void expect(enum hf_phase phase, const char *reason, const char *running)
{
    struct hf_sim_seen seen = see();

    ck_assert_msg(seen.phase == phase && strcmp(seen.reason, reason) == 0, "%s %s (%s)", hf_phase_name(seen.phase),
                  seen.reason, seen.message);
    ck_assert_str_eq(hf_simlife_content(&life, HF_HOST_CURRENT), running);
    ck_assert_str_eq(w->running, running);
    ck_assert_str_eq(hf_simlife_content(&life, HF_HOST_GOOD), running);
    const char *left = hf_simupdate_leftover(w);
    ck_assert_msg(left == NULL, "left behind: %s", left);
}

/* ---- one update -------------------------------------------------------------------------------------------------- */

struct story {
    const char *name, *content;
    const char *sick, *dies;
    enum hf_phase end;
    const char *reason, *says;
    unsigned restarts;
};

static const struct story stories[] = {
    {"good", "v2", NULL, NULL, HF_PHASE_COMMITTED, "HealthPassed", "", 1},
    {"fails the checks of its release", "broken", NULL, NULL, HF_PHASE_ROLLED_BACK, "HealthDeadline",
     "the agent restarts", 2},
    {"ends at once", "dead", NULL, NULL, HF_PHASE_ROLLED_BACK, "AgentFailed",
     "gave version dead of the agent up: Crashed", 1},
    {"ends each time", "v2", NULL, "v2", HF_PHASE_ROLLED_BACK, "AgentFailed",
     "gave version v2 of the agent up: Crashed", 1},
    {"is never healthy", "v2", "v2", NULL, HF_PHASE_ROLLED_BACK, "AgentFailed", "gave version v2 of the agent up: Late",
     1},
};

static void tell(const struct story *story, uint64_t seed)
{
    begin("v1", story->content, seed);
    life.sick = story->sick;
    life.dies = story->dies;
}

static void expect_end(const struct story *story)
{
    bool good = story->end == HF_PHASE_COMMITTED;
    struct hf_sim_seen seen = see();

    expect(story->end, story->reason, good ? story->content : "v1");
    ck_assert_msg(strstr(seen.message, story->says) != NULL, "%s: %s", story->name, seen.message);
    if (good)
        ck_assert_str_eq(hf_simlife_content(&life, HF_HOST_PREVIOUS), "v1");
}

START_TEST(an_update)
{
    const struct story *story = &stories[_i];

    tell(story, 0);
    ck_assert_msg(hf_simlife_run(&life), "%s", story->name);
    expect_end(story);
    ck_assert_uint_eq(life.restarts, story->restarts);

    /* It does not start again, by itself or in a later life. */
    hf_simupdate_run_for(w, DAY_NS);
    hf_simupdate_stop(w);
    ck_assert(hf_simlife_run(&life));
    ck_assert_uint_eq(life.restarts, story->restarts);
    expect_end(story);
    end();
}
END_TEST

/* The first life ends at the call of the walk, and a later one at its call `second`. */
static void end_at(const struct story *story, struct hf_simwalk *walk, uint64_t second, bool cut)
{
    uint64_t n = walk->at;

    tell(story, n);
    hf_simfs_stop_at(w->fs, n);
    bool settled = hf_simlife_run(&life);
    (void)hf_simwalk_saw(walk, w->fs);
    for (int i = 0; i < 2 && hf_simfs_stopped(w->fs); i++) {
        if (cut)
            hf_simupdate_power_cut(w, n * 43 + (uint64_t)i);
        else
            hf_simupdate_kill(w);
        check_whole(w);
        hf_simfs_stop_at(w->fs, i == 0 ? second : 0);
        settled = hf_simlife_run(&life);
    }
    struct hf_sim_seen seen = see();
    if (!settled || seen.phase != story->end) {
        hf_simfs_trace(w->fs, stderr);
        ck_abort_msg("%s, ends at %d, then %d: %s %s (%s), current %s", story->name, (int)n, (int)second,
                     hf_phase_name(seen.phase), seen.reason, seen.message, hf_simlife_content(&life, HF_HOST_CURRENT));
    }
    expect_end(story);
    end();
}

START_TEST(an_update_ends_at_every_call)
{
    const struct story *story = &stories[_i / 4];
    static const char *const ways[] = {"killed", "cut", "killed twice", "cut twice"};
    char name[80];
    uint64_t last = 0;

    (void)snprintf(name, sizeof(name), "%s, %s", story->name, ways[_i % 4]);
    struct hf_simwalk walk = {.name = name};
    for (; hf_simwalk_next(&walk); last = walk.at > last ? walk.at : last)
        end_at(story, &walk, _i % 4 < 2 ? 0 : 1 + walk.at * 17 % 97, _i % 2 == 1);
    ck_assert_uint_gt(last, 100);
}
END_TEST

/* ---- several ----------------------------------------------------------------------------------------------------- */

static void want_another_in_probation(struct hf_simupdate *world)
{
    const char *is = hf_simlife_content(&life, HF_HOST_CURRENT);

    ck_assert_msg(is[0] == 'v', "current is %s", is);
    if (see().phase != HF_PHASE_PROBATION || strcmp(new_content, "v3") == 0)
        return;
    new_content = "v3";
    hf_simupdate_publish(world, &(struct hf_sim_release){.agent = true, .content = "v3"});
}

/* The new release waits for the verdict on the one before; that one and the one before it stay on the disk. */
START_TEST(a_second_update_waits)
{
    char tree[128];
    const char *const links[] = {HF_SIM_HOST "/" HF_HOST_GOOD, HF_SIM_HOST "/" HF_HOST_PREVIOUS};

    begin("v1", "v2", 0);
    w->check = want_another_in_probation;
    ck_assert(hf_simlife_run(&life));
    expect(HF_PHASE_COMMITTED, "HealthPassed", "v3");
    ck_assert_str_eq(hf_simlife_content(&life, HF_HOST_PREVIOUS), "v2");
    ck_assert_uint_eq(life.restarts, 2);
    for (size_t i = 0; i < HF_LEN(links); i++) {
        struct stat st;
        (void)snprintf(tree, sizeof(tree), HF_SIM_HOST "/%s", hf_simfs_link_text(w->fs, links[i]));
        ck_assert_msg(hf_simfs_stat(w->fs, tree, &st), "%s is gone", links[i]);
    }
    end();
}
END_TEST

START_TEST(a_better_version_follows)
{
    begin("v1", "dead", 0);
    ck_assert(hf_simlife_run(&life));
    expect(HF_PHASE_ROLLED_BACK, "AgentFailed", "v1");
    new_content = "v2";
    hf_simupdate_publish(w, &(struct hf_sim_release){.agent = true, .content = "v2"});
    hf_simupdate_stop(w);
    ck_assert(hf_simlife_run(&life));
    expect(HF_PHASE_COMMITTED, "HealthPassed", "v2");
    end();
}
END_TEST

/* What the supervisor does not know as healthy yet is not replaced: a bad version after it would leave nothing good. */
START_TEST(an_agent_on_trial_is_not_replaced)
{
    begin("v1", "v2", 0);
    hf_simlife_put(&life, "slots/0", "v1");
    hf_simfs_delete(w->fs, HF_SIM_HOST "/" HF_HOST_GOOD);
    hf_simfs_symlink(w->fs, HF_SIM_HOST "/" HF_HOST_GOOD, "slots/0");
    hf_simupdate_boot(w);
    hf_simupdate_run_for(w, 30 * HF_NS_PER_S);
    struct hf_sim_seen seen = see();
    ck_assert_msg(seen.phase == HF_PHASE_WAITING && strcmp(seen.reason, "AgentUnproven") == 0, "%s %s",
                  hf_phase_name(seen.phase), seen.reason);
    hf_simupdate_stop(w);
    ck_assert(hf_simlife_run(&life));
    expect(HF_PHASE_COMMITTED, "HealthPassed", "v2");
    end();
}
END_TEST

START_TEST(no_supervisor)
{
    begin("v1", "v2", 0);
    w->life = NULL;
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    struct hf_sim_seen seen = see();
    ck_assert_int_eq(seen.phase, HF_PHASE_INCOMPATIBLE);
    ck_assert_str_eq(seen.reason, "NotOnHost");
    ck_assert_ptr_nonnull(strstr(seen.message, "no supervisor watches this agent"));
    ck_assert_str_eq(hf_simlife_content(&life, HF_HOST_CURRENT), "v1");
    end();
}
END_TEST

/* Somebody removes a file of the tree from which the agent runs. */
START_TEST(drift_is_repaired)
{
    char path[512];

    begin("v1", "v2", 0);
    ck_assert(hf_simlife_run(&life));
    w->check = NULL;
    (void)snprintf(path, sizeof(path), HF_SIM_HOST "/%s/bin/app",
                   hf_simfs_link_text(w->fs, HF_SIM_HOST "/" HF_HOST_CURRENT));
    hf_simfs_delete(w->fs, path);
    hf_simupdate_look(w);
    ck_assert(hf_simupdate_until_phase(w, HF_AGENT_RELEASE, HF_PHASE_PROBATION));
    hf_simupdate_run_for(w, HF_NS_PER_S);
    hf_simupdate_stop(w);
    ck_assert(hf_simlife_run(&life));
    expect(HF_PHASE_COMMITTED, "HealthPassed", "v2");
    end();
}
END_TEST

/* A version that was healthy once and then ends again and again: the supervisor goes back, and no repair undoes it. */
START_TEST(what_was_given_up_later_is_no_drift)
{
    begin("v1", "v2", 0);
    ck_assert(hf_simlife_run(&life));
    expect(HF_PHASE_COMMITTED, "HealthPassed", "v2");
    hf_simupdate_stop(w);
    life.dies = "v2";
    ck_assert(hf_simlife_run(&life));
    hf_simupdate_look(w);
    ck_assert(hf_simupdate_until_phase(w, HF_AGENT_RELEASE, HF_PHASE_REJECTED));
    ck_assert_str_eq(see().reason, "AgentFailed");
    hf_simupdate_run_for(w, DAY_NS);
    ck_assert_str_eq(hf_simlife_content(&life, HF_HOST_CURRENT), "v1");
    ck_assert_uint_eq(life.restarts, 1);
    end();
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, an_update, 0, HF_LEN(stories));
    tcase_add_loop_test(tc, an_update_ends_at_every_call, 0, 4 * (int)HF_LEN(stories));
    tcase_add_test(tc, a_second_update_waits);
    tcase_add_test(tc, a_better_version_follows);
    tcase_add_test(tc, an_agent_on_trial_is_not_replaced);
    tcase_add_test(tc, no_supervisor);
    tcase_add_test(tc, drift_is_repaired);
    tcase_add_test(tc, what_was_given_up_later_is_no_drift);
}

HF_TEST_MAIN_CPU("sim/agent update", cases, 240)
