/* SPDX-License-Identifier: Apache-2.0 */
/* Which file system a path is on, in a pod that sees the paths of its host below another folder. */
#include "agent/resources/disks.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/env.h"
#include "agent/turn.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"
#include "support/fakes/simloop.h"

#define STATE "/var/lib/holdfast"
#define REMOTE "/mnt/remote"

static const struct hf_clock_file nothing;

/* A node whose state folder is a file system of its own. A test may change what is in it before hf_disks_init(). */
struct node {
    struct hf_simfs *fs;
    struct hf_simloop *loop;
    struct hf_simproc *proc;
    struct hf_home home;
    struct hf_turn turn;
    struct hf_agent_params params;
    struct hf_agent_env env;
    struct hf_disks disks;
};

static struct node *node_new(void)
{
    struct node *node = calloc(1, sizeof(*node));

    ck_assert_ptr_nonnull(node);
    node->fs = hf_simfs_new();
    node->loop = hf_simloop_new(0);
    node->proc = hf_simproc_new(node->loop, "node");
    node->home.fs = hf_simfs_ops(node->fs);
    (void)snprintf(node->home.dir, sizeof(node->home.dir), STATE);
    node->turn.ended = true;
    node->params = (struct hf_agent_params){.home = &node->home};
    node->env = (struct hf_agent_env){
        .params = &node->params, .world = hf_simproc_world(node->proc, node->home.fs), .turn = &node->turn};
    hf_clock_init(&node->home.clock, hf_simproc_clock(node->proc), &nothing);
    hf_simfs_mount(node->fs, STATE);
    return node;
}

static void node_free(struct node *node)
{
    hf_disks_done(&node->disks);
    (void)hf_simloop_run_for(node->loop, HF_NS_PER_S);
    ck_assert_uint_eq(hf_simproc_jobs(node->proc), 0);
    hf_simproc_free(node->proc);
    hf_simloop_free(node->loop);
    ck_assert_uint_eq(hf_simfs_open_fds(node->fs), 0);
    hf_simfs_free(node->fs);
    free(node);
}

static void begin(struct node *node, const struct hf_policy_disk *policy)
{
    hf_disks_init(&node->disks, &node->env);
    hf_disks_follow(&node->disks, policy);
    hf_disks_begin(&node->disks);
}

/* Makes `n` files of one block in a file system that has room for `room` blocks. */
static void fill(struct node *node, const char *folder, int n, uint64_t room)
{
    char path[64];

    for (int i = 0; i < n; i++) {
        (void)snprintf(path, sizeof(path), "%s/%d", folder, i);
        hf_simfs_put(node->fs, path, "x", 1, 0644);
    }
    hf_simfs_set_limit(node->fs, folder, room * 4096);
}

/* One of two file systems is full: that of the state folder as this process sees it (0), or that of the folder with the
 * same path on the host (1). */
START_TEST(state_folder_of_a_pod)
{
    struct node *node = node_new();
    const struct hf_policy_disk policy = {
        .warn_percent = 50, .critical_percent = 90, .paths = {_i == 0 ? NULL : (char *)(uintptr_t)STATE}};

    node->params.pod_mode = true;
    node->params.host_root = "/host";
    hf_simfs_mount(node->fs, "/host");
    hf_simfs_mkdir(node->fs, "/host/var", 0755);
    hf_simfs_mkdir(node->fs, "/host/var/lib", 0755);
    hf_simfs_mkdir(node->fs, "/host/var/lib/holdfast", 0755);
    fill(node, _i == 0 ? STATE : "/host", 100, 101);
    begin(node, &policy);
    (void)hf_simloop_run_for(node->loop, HF_NS_PER_S);
    ck_assert(hf_disks_home_is_critical(&node->disks) == (_i == 0));
    ck_assert(hf_disks_is_critical(&node->disks, STATE "/x", NULL) == (_i == 1));
    node_free(node);
}
END_TEST

/* Used to 84 %. New levels judge the last figures at once; the old ones leave no hysteresis behind. */
START_TEST(new_levels)
{
    static const struct {
        unsigned warn, critical;
        bool want_critical;
        const char *want_reason;
    } levels[] = {{70, 85, false, "Warning"}, {85, 90, false, NULL},      {60, 84, true, "Critical"},
                  {60, 85, false, "Warning"}, {60, 80, true, "Critical"}, {85, 86, false, NULL}};
    struct node *node = node_new();

    fill(node, STATE, 83, 100);
    hf_disks_init(&node->disks, &node->env);
    for (size_t i = 0; i < HF_LEN(levels); i++) {
        const struct hf_policy_disk policy = {.warn_percent = levels[i].warn, .critical_percent = levels[i].critical};
        hf_disks_follow(&node->disks, &policy);
        if (i == 0)
            hf_disks_begin(&node->disks);
        ck_assert_uint_eq(node->disks.disks[0].usage.used_percent, 84);
        ck_assert_msg(hf_disks_home_is_critical(&node->disks) == levels[i].want_critical, "row %zu", i);
        ck_assert_pstr_eq(node->disks.pressure.reason, levels[i].want_reason);
    }
    node_free(node);
}
END_TEST

/* The agent ends while a worker looks at the disks. */
START_TEST(the_agent_ends_during_a_look)
{
    static const char *const roots[] = {"/opt", NULL};
    struct hf_simfs *fs = hf_simfs_new();
    struct hf_simloop *loop = hf_simloop_new(0);
    struct hf_simproc *proc = hf_simproc_new(loop, "node");
    struct hf_home *home = calloc(1, sizeof(*home));
    struct hf_agent_params *params = calloc(1, sizeof(*params));
    struct hf_agent_env *env = calloc(1, sizeof(*env));
    struct hf_disks *disks = calloc(1, sizeof(*disks));

    ck_assert(home != NULL && params != NULL && env != NULL && disks != NULL);
    hf_simfs_mount(fs, STATE);
    home->fs = hf_simfs_ops(fs);
    hf_clock_init(&home->clock, hf_simproc_clock(proc), &nothing);
    (void)snprintf(home->dir, sizeof(home->dir), STATE);
    *params = (struct hf_agent_params){.home = home, .roots = roots};
    *env = (struct hf_agent_env){.params = params, .world = hf_simproc_world(proc, home->fs)};
    hf_disks_init(disks, env);
    hf_disks_begin(disks);
    disks->reclaim = true;
    hf_disks_look(disks);
    hf_disks_done(disks);
    free(disks);
    free(env);
    free(params);
    free(home);
    (void)hf_simloop_run_for(loop, HF_NS_PER_S);
    ck_assert_uint_eq(hf_simproc_jobs(proc), 0);
    hf_simproc_free(proc);
    hf_simloop_free(loop);
    hf_simfs_free(fs);
}
END_TEST

/* The kernel's count cannot be read for a moment: nothing counts twice. */
START_TEST(the_count_of_the_kernel_is_away)
{
    static const char io[] = "rchar: 1\nwrite_bytes: 5000\n";
    struct hf_fs_counter parts[HF_FS_PARTS];
    struct node *node = node_new();

    for (size_t i = 0; i < HF_FS_PARTS; i++)
        hf_fs_counter_init(&parts[i]);
    node->params.written = parts;
    hf_simfs_mount(node->fs, "/proc");
    hf_simfs_mkdir(node->fs, "/proc/self", 0755);
    hf_simfs_put(node->fs, "/proc/self/io", io, sizeof(io) - 1, 0644);
    hf_disks_init(&node->disks, &node->env);
    hf_disks_begin(&node->disks);
    ck_assert_uint_eq(hf_disks_writes(&node->disks).bytes_today, 5000);
    hf_simfs_move(node->fs, "/proc/self/io", "/proc/self/away");
    (void)hf_disks_count(&node->disks);
    hf_simfs_put(node->fs, "/proc/self/io", io, sizeof(io) - 1, 0644);
    (void)hf_disks_count(&node->disks);
    ck_assert_uint_eq(hf_disks_writes(&node->disks).bytes_today, 5000);
    node_free(node);
}
END_TEST

/* ---- looks that may hang -------------------------------------------------------------------------------------- */

static const struct hf_policy_disk with_remote = {
    .warn_percent = 50, .critical_percent = 90, .paths = {(char *)(uintptr_t)REMOTE}};

static const struct hf_fs_ops *inner;
static unsigned opened;

static int count_opens(void *ctx, int dir, const char *path, int flags, mode_t mode, enum hf_fs_resolve walk)
{
    opened += strcmp(path, REMOTE) == 0;
    return inner->openat(ctx, dir, path, flags, mode, walk);
}

/* A path of the policy is on a network file system that may not answer: the start waits for nothing there, and the
 * first look in a job begins at once. */
START_TEST(the_start_leaves_paths_to_a_job)
{
    struct node *node = node_new();
    struct hf_fs_ops ops = *node->home.fs;

    inner = node->home.fs;
    opened = 0;
    ops.openat = count_opens;
    node->home.fs = node->env.world.fs = &ops;
    hf_simfs_mount(node->fs, REMOTE);
    begin(node, &with_remote);
    ck_assert_uint_eq(opened, 0);
    ck_assert_uint_eq(node->disks.n, 1);
    (void)hf_simloop_run_for(node->loop, HF_NS_PER_S);
    ck_assert_uint_eq(opened, 1);
    ck_assert_uint_eq(node->disks.n, 2);
    node_free(node);
}
END_TEST

static struct hf_job *caught;
static bool begins;
static const struct hf_sched_ops *sched;

/* The first job does not come to its end, or does not even begin; the others run. */
static int catch_first(void *ctx, struct hf_job *job)
{
    if (caught != NULL)
        return sched->submit(ctx, job);
    caught = job;
    atomic_store(&job->begun, begins);
    if (begins)
        job->work(job);
    return 0;
}

/* A look hangs at a path of the policy (1): the looks after it go on without the policy's paths, until it ends. So they
 * do while it waits for another job that hangs (0). */
START_TEST(a_look_that_hangs)
{
    struct node *node = node_new();
    struct hf_sched_ops catching = *node->env.world.sched;

    sched = node->env.world.sched;
    caught = NULL;
    begins = _i == 1;
    catching.submit = catch_first;
    node->env.world.sched = &catching;
    hf_simfs_mount(node->fs, REMOTE);
    begin(node, &with_remote);
    ck_assert_ptr_nonnull(caught);
    fill(node, STATE, 100, 101);
    for (int minute = 0; minute < 5; minute++) {
        (void)hf_simloop_run_for(node->loop, 60 * HF_NS_PER_S);
        hf_disks_look(&node->disks);
    }
    (void)hf_simloop_run_for(node->loop, HF_NS_PER_S);
    ck_assert(hf_disks_home_is_critical(&node->disks));
    ck_assert_uint_eq(node->disks.n, 1);
    if (!begins)
        caught->work(caught);
    caught->done(caught, 0);
    ck_assert_uint_eq(node->disks.n, 1);
    hf_disks_look(&node->disks);
    (void)hf_simloop_run_for(node->loop, HF_NS_PER_S);
    ck_assert(hf_disks_home_is_critical(&node->disks));
    ck_assert_uint_eq(node->disks.n, 2);
    node_free(node);
}
END_TEST

/* ---- reclaim -------------------------------------------------------------------------------------------------- */

static uint64_t unix_1970(void *ctx)
{
    (void)ctx;
    return 1000 * HF_NS_PER_S;
}

/* A board without a clock battery, whose clock nobody sets: the node knows the time from the server, and its files have
 * the dates of 1970. A file that was set aside a moment ago is not old. */
START_TEST(new_files_of_1970)
{
    struct node *node = node_new();
    struct hf_clock_ops wall = *hf_simproc_clock(node->proc);
    const struct hf_policy_disk policy = {.warn_percent = 50, .critical_percent = 90, .reclaim = true};
    size_t n;

    wall.unix_ns = unix_1970;
    hf_clock_init(&node->home.clock, &wall, &nothing);
    hf_clock_take_date(&node->home.clock, HF_TIME_BUILD_UNIX_NS + 1000 * HF_NS_PER_S, 0);
    node->env.world.clock = hf_clock_ops_of(&node->home.clock);
    hf_simfs_put(node->fs, STATE "/journal.damaged", "x", 1, 0600);
    fill(node, STATE, 100, 102);
    begin(node, &policy);
    (void)hf_simloop_run_for(node->loop, HF_NS_PER_S);
    ck_assert(hf_disks_home_is_critical(&node->disks));
    ck_assert_ptr_nonnull(hf_simfs_get(node->fs, STATE "/journal.damaged", &n));
    node_free(node);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, new_files_of_1970);
    tcase_add_loop_test(tc, a_look_that_hangs, 0, 2);
    tcase_add_test(tc, the_start_leaves_paths_to_a_job);
    tcase_add_test(tc, the_count_of_the_kernel_is_away);
    tcase_add_loop_test(tc, state_folder_of_a_pod, 0, 2);
    tcase_add_test(tc, new_levels);
    tcase_add_test(tc, the_agent_ends_during_a_look);
}

HF_TEST_MAIN("agent/disks", cases)
