/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/desired/origins.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "support/check_main.h"
#include "support/fakes/simfs.h"
#include "support/fakes/simloop.h"

#define DIR "/var/lib/holdfast"
#define FILE_PATH DIR "/sections"
#define GRACE (100 * HF_NS_PER_S)

static struct hf_simfs *disk;
static struct hf_simloop *loop;
static struct hf_simproc *proc;
static struct hf_home home;
static struct hf_agent_params params;
static struct hf_agent_env env;
static struct hf_origins origins;
static char owner[HF_API_MAX_NAME + 1];

/* The policies of a node, of which each test changes what it needs, and what they set. */
enum { SITE, ALPHA, POLICIES };
static struct hf_policy_origin policies[POLICIES];
static struct hf_policy_section sections[4];
static struct hf_policy_passed_over passed[2];
static struct hf_syncpolicy effective;
static struct hf_policy_set set;

static void start(void)
{
    proc = hf_simproc_new(loop, "node");
    env = (struct hf_agent_env){.params = &params, .world = hf_simproc_world(proc, hf_simfs_ops(disk))};
    hf_origins_init(&origins, &env);
}

static void stop(void)
{
    hf_origins_done(&origins);
    hf_simproc_free(proc);
}

static void restart(void)
{
    stop();
    hf_simfs_kill(disk);
    start();
}

static struct hf_policy_origin policy(const char *name, const char *uid, int64_t generation)
{
    return (struct hf_policy_origin){
        .name = (char *)(uintptr_t)name, .uid = (char *)(uintptr_t)uid, .generation = generation};
}

static void set_up(void)
{
    disk = hf_simfs_new();
    hf_simfs_mkdir(disk, "/var", 0755);
    hf_simfs_mkdir(disk, "/var/lib", 0755);
    hf_simfs_mkdir(disk, DIR, 0700);
    loop = hf_simloop_new(1);
    home = (struct hf_home){.fs = hf_simfs_ops(disk), .dir = DIR};
    params = (struct hf_agent_params){.home = &home};
    policies[SITE] = policy("site", "u1", 4);
    policies[ALPHA] = policy("alpha", "u2", 7);
    effective = (struct hf_syncpolicy){.removal_grace_ns = GRACE};
    set = (struct hf_policy_set){.effective = &effective, .origins = policies, .sections = sections, .passed = passed};
    start();
}

static void tear_down(void)
{
    stop();
    ck_assert_uint_eq(hf_simfs_open_fds(disk), 0);
    hf_simloop_free(loop);
    hf_simfs_free(disk);
}

/* The node has these policies. */
static void have(size_t n)
{
    set.n_origins = n;
    set.n_sections = set.n_passed = 0;
}

static void add(const char *path, int from)
{
    sections[set.n_sections++] = (struct hf_policy_section){.path = (char *)(uintptr_t)path, .from = &policies[from]};
}

static const char *change(bool proven)
{
    hf_origins_take(&origins, &set, proven);
    return origins.change;
}

static const char *incumbent(const char *path)
{
    const char *name = hf_origins_incumbent(&origins, path);

    return name != NULL ? name : "none";
}

static uint64_t left_s(const char *entry)
{
    return hf_origins_grace_left_ns(&origins, &set, entry) / HF_NS_PER_S;
}

/* Policy site has disk and the entry app, policy alpha the interval. */
static void begin(void)
{
    have(2);
    add("disk", SITE);
    add("interval", ALPHA);
    add("manifests[app]", SITE);
    ck_assert_str_eq(change(true), "");
}

START_TEST(keeps_origins_over_restarts)
{
    begin();
    ck_assert(hf_simfs_is_durable(disk, FILE_PATH));
    restart();
    ck_assert_str_eq(incumbent("disk"), "site");
    ck_assert_str_eq(incumbent("interval"), "alpha");
    ck_assert_str_eq(incumbent("manifests[app]"), "site");
    ck_assert_str_eq(incumbent("timeout"), "none");
}
END_TEST

START_TEST(writes_only_what_has_changed)
{
    begin();
    uint64_t changes = hf_simfs_changes(disk);
    ck_assert_str_eq(change(true), "");
    ck_assert_uint_eq(hf_simfs_changes(disk), changes);
    restart();
    ck_assert_str_eq(change(true), "");
    ck_assert_uint_eq(hf_simfs_changes(disk), changes);
}
END_TEST

START_TEST(names_a_section_that_moves)
{
    begin();
    have(2);
    add("disk", ALPHA);
    add("interval", ALPHA);
    add("manifests[app]", SITE);
    passed[set.n_passed++] = (struct hf_policy_passed_over){
        .path = (char *)(uintptr_t) "disk", .other = &policies[SITE], .why = HF_POLICY_PASSED_UNSIGNED};
    ck_assert_str_eq(change(true),
                     "disk: from SyncPolicy 'alpha', no longer from SyncPolicy 'site', which is not signed");
    ck_assert_str_eq(incumbent("disk"), "alpha");
}
END_TEST

START_TEST(names_a_section_that_goes_with_its_policy)
{
    begin();
    have(1);
    add("disk", SITE);
    add("manifests[app]", SITE);
    ck_assert_str_eq(change(true), "interval: in effect from none, no longer from SyncPolicy 'alpha', which does not "
                                   "select this node any more, was deleted, or is not accepted");
    ck_assert_str_eq(incumbent("interval"), "none");
}
END_TEST

START_TEST(an_edit_is_no_news)
{
    begin();
    policies[ALPHA].generation++;
    have(2);
    add("disk", SITE);
    add("manifests[app]", SITE);
    ck_assert_str_eq(change(true), "");
    ck_assert_str_eq(incumbent("interval"), "none");
}
END_TEST

/* After the loss of the cache the policies come one after the other. */
START_TEST(a_policy_that_is_not_there_yet_keeps_its_sections)
{
    begin();
    policies[ALPHA].generation++;
    set.origins = &policies[ALPHA];
    have(1);
    add("disk", ALPHA);
    ck_assert_str_eq(change(false), "");
    ck_assert_str_eq(incumbent("disk"), "site");
    ck_assert_str_eq(incumbent("manifests[app]"), "site");
    ck_assert_str_eq(change(true),
                     "disk: from SyncPolicy 'alpha', no longer from SyncPolicy 'site', which does not select this node "
                     "any more, was deleted, or is not accepted; manifests[app]: in effect from none, no longer from "
                     "SyncPolicy 'site', which does not select this node any more, was deleted, or is not accepted");
    ck_assert_str_eq(incumbent("disk"), "alpha");
}
END_TEST

START_TEST(a_dropped_entry_goes_at_once)
{
    begin();
    policies[SITE].generation++;
    have(2);
    add("disk", SITE);
    add("interval", ALPHA);
    ck_assert_str_eq(change(false), "");
    ck_assert_uint_eq(left_s("app"), 0);
    hf_origins_removed(&origins, "app", owner);
    ck_assert_str_eq(owner, "site");
    ck_assert_str_eq(incumbent("manifests[app]"), "none");
}
END_TEST

/* An object that was made anew under the same name has not dropped what its predecessor had; nor has a cached older
 * version of the same object. */
START_TEST(another_object_or_an_older_one_has_dropped_nothing)
{
    static const struct {
        const char *uid;
        int64_t generation;
    } others[] = {{.uid = "u9", .generation = 9}, {.uid = "u1", .generation = 3}, {.uid = "u1", .generation = 4}};

    begin();
    policies[SITE].uid = (char *)(uintptr_t)others[_i].uid;
    policies[SITE].generation = others[_i].generation;
    have(2);
    add("disk", SITE);
    add("interval", ALPHA);
    (void)change(true);
    ck_assert_uint_eq(left_s("app"), 100);
}
END_TEST

START_TEST(the_grace_runs_out_over_restarts)
{
    begin();
    set.origins = &policies[ALPHA];
    have(1);
    add("interval", ALPHA);
    (void)change(true);
    hf_simloop_run_for(loop, 500 * HF_NS_PER_S); /* it begins when it is asked for */
    ck_assert_uint_eq(left_s("app"), 100);
    hf_simloop_run_for(loop, 30 * HF_NS_PER_S);
    ck_assert_uint_eq(left_s("app"), 70);
    restart();
    ck_assert_uint_eq(left_s("app"), 70);
    stop();
    hf_simloop_run_for(loop, 60 * HF_NS_PER_S);
    start();
    ck_assert_uint_eq(left_s("app"), 10);
    hf_simloop_run_for(loop, 11 * HF_NS_PER_S);
    ck_assert_uint_eq(left_s("app"), 0);
    hf_origins_removed(&origins, "app", owner);
    ck_assert_str_eq(owner, "site");
    restart();
    ck_assert_str_eq(incumbent("manifests[app]"), "none");
}
END_TEST

/* The clock of a node without a battery begins in the past: the grace begins anew, and does not last for years. */
START_TEST(a_wall_clock_that_went_back_gives_the_whole_grace)
{
    begin();
    have(0);
    (void)change(true);
    ck_assert_uint_eq(left_s("app"), 100);
    stop();
    proc = hf_simproc_new(loop, "node");
    hf_simproc_set_unix_offset(proc, -INT64_C(3600) * (int64_t)HF_NS_PER_S);
    env.world.clock = hf_simproc_clock(proc);
    hf_origins_init(&origins, &env);
    ck_assert_uint_eq(left_s("app"), 100);
    hf_simloop_run_for(loop, 101 * HF_NS_PER_S);
    ck_assert_uint_eq(left_s("app"), 0);
}
END_TEST

START_TEST(an_entry_that_is_back_is_not_forgotten)
{
    begin();
    have(0);
    (void)change(true);
    ck_assert_uint_eq(left_s("app"), 100);
    hf_simloop_run_for(loop, 99 * HF_NS_PER_S);
    begin();
    hf_origins_removed(&origins, "app", owner);
    ck_assert_str_eq(owner, "site");
    ck_assert_str_eq(incumbent("manifests[app]"), "site");
    have(0);
    (void)change(true);
    ck_assert_uint_eq(left_s("app"), 100); /* a whole grace again */
}
END_TEST

/* As after the loss of the file, with entries on the disk. */
START_TEST(an_entry_of_an_unknown_policy_has_the_grace_of_the_others)
{
    have(1);
    add("disk", SITE);
    (void)change(true);
    ck_assert_uint_eq(left_s("old"), 100);
    hf_simloop_run_for(loop, 60 * HF_NS_PER_S);
    ck_assert_uint_eq(left_s("old"), 40);
    hf_origins_removed(&origins, "old", owner);
    ck_assert_str_eq(owner, "");
}
END_TEST

START_TEST(a_damaged_file_is_set_aside)
{
    begin();
    size_t n = 0;
    const char *bytes = hf_simfs_get(disk, FILE_PATH, &n);
    char text[2000];
    ck_assert_uint_lt(n, sizeof(text));
    memcpy(text, bytes, n);
    text[n / 2] ^= 1;
    hf_simfs_put(disk, FILE_PATH, text, n, 0600);
    restart();
    ck_assert_str_eq(incumbent("disk"), "none");
    ck_assert_ptr_nonnull(hf_simfs_get(disk, FILE_PATH ".damaged", &n));
    begin();
    ck_assert_str_eq(incumbent("disk"), "site");
}
END_TEST

/* The file is the old or the new one after a power cut at any call; nothing is decided on what is not written. */
START_TEST(a_power_cut_leaves_one_of_two_memories)
{
    for (uint64_t call = 1; call < 60; call++) {
        have(1);
        add("disk", SITE);
        (void)change(true);
        have(1);
        add("disk", SITE);
        add("timeout", SITE);
        hf_simfs_stop_at(disk, call);
        (void)change(true);
        bool ended = !hf_simfs_stopped(disk);
        stop();
        hf_simfs_power_cut(disk, call);
        start();
        ck_assert_str_eq(incumbent("disk"), "site");
        if (ended)
            ck_assert_str_eq(incumbent("timeout"), "site");
        hf_simfs_stop_at(disk, 0);
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, keeps_origins_over_restarts);
    tcase_add_test(tc, writes_only_what_has_changed);
    tcase_add_test(tc, names_a_section_that_moves);
    tcase_add_test(tc, names_a_section_that_goes_with_its_policy);
    tcase_add_test(tc, an_edit_is_no_news);
    tcase_add_test(tc, a_policy_that_is_not_there_yet_keeps_its_sections);
    tcase_add_test(tc, a_dropped_entry_goes_at_once);
    tcase_add_loop_test(tc, another_object_or_an_older_one_has_dropped_nothing, 0, 3);
    tcase_add_test(tc, the_grace_runs_out_over_restarts);
    tcase_add_test(tc, a_wall_clock_that_went_back_gives_the_whole_grace);
    tcase_add_test(tc, an_entry_that_is_back_is_not_forgotten);
    tcase_add_test(tc, an_entry_of_an_unknown_policy_has_the_grace_of_the_others);
    tcase_add_test(tc, a_damaged_file_is_set_aside);
    tcase_add_test(tc, a_power_cut_leaves_one_of_two_memories);
}

HF_TEST_MAIN("agent/origins", cases)
