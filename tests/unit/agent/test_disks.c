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

/* One of two file systems is full: that of the state folder as this process sees it (0), or that of the folder with the
 * same path on the host (1). */
START_TEST(state_folder_of_a_pod)
{
    struct hf_simfs *fs = hf_simfs_new();
    struct hf_simloop *loop = hf_simloop_new(0);
    struct hf_simproc *proc = hf_simproc_new(loop, "node");
    struct hf_home home = {.fs = hf_simfs_ops(fs), .dir = STATE};
    const struct hf_agent_params params = {
        .home = &home, .sched = hf_simproc_sched(proc), .pod_mode = true, .host_root = "/host"};
    struct hf_turn turn = {.ended = true};
    const struct hf_agent_env env = {.params = &params, .fs = home.fs, .clock = hf_simproc_clock(proc), .turn = &turn};
    const char *full = _i == 0 ? STATE : "/host";
    const struct hf_clock_file nothing = {0};
    struct hf_disks disks;
    char path[64];

    hf_clock_init(&home.clock, hf_simproc_clock(proc), &nothing);
    hf_simfs_mount(fs, STATE);
    hf_simfs_mount(fs, "/host");
    hf_simfs_mkdir(fs, "/host/var", 0755);
    hf_simfs_mkdir(fs, "/host/var/lib", 0755);
    hf_simfs_mkdir(fs, "/host/var/lib/holdfast", 0755);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(path, sizeof(path), "%s/%d", full, i);
        hf_simfs_put(fs, path, "x", 1, 0644);
    }
    hf_simfs_set_limit(fs, full, 101 * 4096);
    const struct hf_policy_disk policy = {
        .warn_percent = 50, .critical_percent = 90, .paths = {_i == 0 ? NULL : (char *)(uintptr_t)STATE}};
    hf_disks_init(&disks, &env);
    hf_disks_follow(&disks, &policy);
    hf_disks_begin(&disks);
    (void)hf_simloop_run_for(loop, HF_NS_PER_S);
    ck_assert(hf_disks_home_is_critical(&disks) == (_i == 0));
    ck_assert(hf_disks_is_critical(&disks, STATE "/x", NULL) == (_i == 1));
    hf_disks_done(&disks);
    hf_simproc_free(proc);
    hf_simloop_free(loop);
    ck_assert_uint_eq(hf_simfs_open_fds(fs), 0);
    hf_simfs_free(fs);
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
    struct hf_simfs *fs = hf_simfs_new();
    struct hf_simloop *loop = hf_simloop_new(0);
    struct hf_simproc *proc = hf_simproc_new(loop, "node");
    struct hf_home home = {.fs = hf_simfs_ops(fs), .dir = STATE};
    struct hf_turn turn = {.ended = true};
    const struct hf_agent_params params = {.home = &home, .sched = hf_simproc_sched(proc)};
    const struct hf_agent_env env = {.params = &params, .fs = home.fs, .clock = hf_simproc_clock(proc), .turn = &turn};
    const struct hf_clock_file nothing = {0};
    struct hf_disks disks;
    char path[64];

    hf_clock_init(&home.clock, hf_simproc_clock(proc), &nothing);
    hf_simfs_mount(fs, STATE);
    for (int i = 0; i < 83; i++) {
        (void)snprintf(path, sizeof(path), STATE "/%d", i);
        hf_simfs_put(fs, path, "x", 1, 0644);
    }
    hf_simfs_set_limit(fs, STATE, 100 * 4096);
    hf_disks_init(&disks, &env);
    for (size_t i = 0; i < HF_LEN(levels); i++) {
        const struct hf_policy_disk policy = {.warn_percent = levels[i].warn, .critical_percent = levels[i].critical};
        hf_disks_follow(&disks, &policy);
        if (i == 0)
            hf_disks_begin(&disks);
        ck_assert_uint_eq(disks.disks[0].usage.used_percent, 84);
        ck_assert_msg(hf_disks_home_is_critical(&disks) == levels[i].want_critical, "row %zu", i);
        ck_assert_pstr_eq(disks.pressure.reason, levels[i].want_reason);
    }
    hf_disks_done(&disks);
    (void)hf_simloop_run_for(loop, HF_NS_PER_S);
    hf_simproc_free(proc);
    hf_simloop_free(loop);
    hf_simfs_free(fs);
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
    const struct hf_clock_file nothing = {0};

    ck_assert(home != NULL && params != NULL && env != NULL && disks != NULL);
    hf_simfs_mount(fs, STATE);
    home->fs = hf_simfs_ops(fs);
    hf_clock_init(&home->clock, hf_simproc_clock(proc), &nothing);
    (void)snprintf(home->dir, sizeof(home->dir), STATE);
    *params = (struct hf_agent_params){.home = home, .sched = hf_simproc_sched(proc), .roots = roots};
    *env = (struct hf_agent_env){.params = params, .fs = home->fs, .clock = hf_simproc_clock(proc)};
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
    struct hf_simfs *fs = hf_simfs_new();
    struct hf_simloop *loop = hf_simloop_new(0);
    struct hf_simproc *proc = hf_simproc_new(loop, "node");
    struct hf_home home = {.fs = hf_simfs_ops(fs), .dir = STATE};
    struct hf_fs_counter parts[HF_FS_PARTS];
    const struct hf_agent_params params = {.home = &home, .sched = hf_simproc_sched(proc), .written = parts};
    const struct hf_agent_env env = {.params = &params, .fs = home.fs, .clock = hf_simproc_clock(proc)};
    const struct hf_clock_file nothing = {0};
    struct hf_disks disks;

    for (size_t i = 0; i < HF_FS_PARTS; i++)
        hf_fs_counter_init(&parts[i]);
    hf_clock_init(&home.clock, hf_simproc_clock(proc), &nothing);
    hf_simfs_mount(fs, STATE);
    hf_simfs_mount(fs, "/proc");
    hf_simfs_mkdir(fs, "/proc/self", 0755);
    hf_simfs_put(fs, "/proc/self/io", io, sizeof(io) - 1, 0644);
    hf_disks_init(&disks, &env);
    hf_disks_begin(&disks);
    ck_assert_uint_eq(hf_disks_writes(&disks).bytes_today, 5000);
    hf_simfs_move(fs, "/proc/self/io", "/proc/self/away");
    (void)hf_disks_count(&disks);
    hf_simfs_put(fs, "/proc/self/io", io, sizeof(io) - 1, 0644);
    (void)hf_disks_count(&disks);
    ck_assert_uint_eq(hf_disks_writes(&disks).bytes_today, 5000);
    hf_disks_done(&disks);
    (void)hf_simloop_run_for(loop, HF_NS_PER_S);
    hf_simproc_free(proc);
    hf_simloop_free(loop);
    hf_simfs_free(fs);
}
END_TEST

/* ---- what the start looks at ---------------------------------------------------------------------------------- */

static const struct hf_fs_ops *inner;
static unsigned opened;

static int count_opens(void *ctx, int dir, const char *path, int flags, mode_t mode, enum hf_fs_resolve walk)
{
    opened += strcmp(path, "/mnt/remote") == 0;
    return inner->openat(ctx, dir, path, flags, mode, walk);
}

/* A path of the policy is on a network file system that may not answer: the start waits for nothing there, and the
 * first look in a job begins at once. */
START_TEST(the_start_leaves_paths_to_a_job)
{
    struct hf_simfs *fs = hf_simfs_new();
    struct hf_simloop *loop = hf_simloop_new(0);
    struct hf_simproc *proc = hf_simproc_new(loop, "node");
    struct hf_fs_ops ops = *hf_simfs_ops(fs);
    struct hf_home home = {.fs = &ops, .dir = STATE};
    struct hf_turn turn = {.ended = true};
    const struct hf_agent_params params = {.home = &home, .sched = hf_simproc_sched(proc)};
    const struct hf_agent_env env = {.params = &params, .fs = &ops, .clock = hf_simproc_clock(proc), .turn = &turn};
    const struct hf_policy_disk policy = {
        .warn_percent = 50, .critical_percent = 90, .paths = {(char *)(uintptr_t) "/mnt/remote"}};
    const struct hf_clock_file nothing = {0};
    struct hf_disks disks;

    inner = hf_simfs_ops(fs);
    opened = 0;
    ops.openat = count_opens;
    hf_clock_init(&home.clock, hf_simproc_clock(proc), &nothing);
    hf_simfs_mount(fs, STATE);
    hf_simfs_mount(fs, "/mnt/remote");
    hf_disks_init(&disks, &env);
    hf_disks_follow(&disks, &policy);
    hf_disks_begin(&disks);
    ck_assert_uint_eq(opened, 0);
    ck_assert_uint_eq(disks.n, 1);
    (void)hf_simloop_run_for(loop, HF_NS_PER_S);
    ck_assert_uint_eq(opened, 1);
    ck_assert_uint_eq(disks.n, 2);
    hf_disks_done(&disks);
    hf_simproc_free(proc);
    hf_simloop_free(loop);
    hf_simfs_free(fs);
}
END_TEST

static struct hf_job *caught;
static const struct hf_sched_ops *sched;

/* The first job does not come to its end; the others run. */
static int catch_first(void *ctx, struct hf_job *job)
{
    if (caught != NULL)
        return sched->submit(ctx, job);
    caught = job;
    job->work(job);
    return 0;
}

/* A look hangs at a path of the policy: the looks after it go on without the policy's paths, until it ends. */
START_TEST(a_look_that_hangs)
{
    struct hf_simfs *fs = hf_simfs_new();
    struct hf_simloop *loop = hf_simloop_new(0);
    struct hf_simproc *proc = hf_simproc_new(loop, "node");
    struct hf_home home = {.fs = hf_simfs_ops(fs), .dir = STATE};
    struct hf_turn turn = {.ended = true};
    sched = hf_simproc_sched(proc);
    struct hf_sched_ops catching = *sched;
    const struct hf_agent_params params = {.home = &home, .sched = &catching};
    const struct hf_agent_env env = {.params = &params, .fs = home.fs, .clock = hf_simproc_clock(proc), .turn = &turn};
    const struct hf_policy_disk policy = {
        .warn_percent = 50, .critical_percent = 90, .paths = {(char *)(uintptr_t) "/mnt/remote"}};
    const struct hf_clock_file nothing = {0};
    struct hf_disks disks;
    char path[64];

    caught = NULL;
    catching.submit = catch_first;
    hf_clock_init(&home.clock, hf_simproc_clock(proc), &nothing);
    hf_simfs_mount(fs, STATE);
    hf_simfs_mount(fs, "/mnt/remote");
    hf_disks_init(&disks, &env);
    hf_disks_follow(&disks, &policy);
    hf_disks_begin(&disks);
    ck_assert_ptr_nonnull(caught);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(path, sizeof(path), STATE "/%d", i);
        hf_simfs_put(fs, path, "x", 1, 0644);
    }
    hf_simfs_set_limit(fs, STATE, 101 * 4096);
    for (int minute = 0; minute < 5; minute++) {
        (void)hf_simloop_run_for(loop, 60 * HF_NS_PER_S);
        hf_disks_look(&disks);
    }
    (void)hf_simloop_run_for(loop, HF_NS_PER_S);
    ck_assert(hf_disks_home_is_critical(&disks));
    ck_assert_uint_eq(disks.n, 1);
    caught->done(caught, 0);
    hf_disks_look(&disks);
    (void)hf_simloop_run_for(loop, HF_NS_PER_S);
    ck_assert_uint_eq(disks.n, 2);
    hf_disks_done(&disks);
    hf_simproc_free(proc);
    hf_simloop_free(loop);
    hf_simfs_free(fs);
}
END_TEST

static uint64_t unix_1970(void *ctx)
{
    (void)ctx;
    return 1000 * HF_NS_PER_S;
}

/* A board without a clock battery, whose clock nobody sets: the node knows the time from the server, and its files have
 * the dates of 1970. A file that was set aside a moment ago is not old. */
START_TEST(new_files_of_1970)
{
    struct hf_simfs *fs = hf_simfs_new();
    struct hf_simloop *loop = hf_simloop_new(0);
    struct hf_simproc *proc = hf_simproc_new(loop, "node");
    struct hf_home home = {.fs = hf_simfs_ops(fs), .dir = STATE};
    struct hf_turn turn = {.ended = true};
    const struct hf_agent_params params = {.home = &home, .sched = hf_simproc_sched(proc)};
    struct hf_clock_ops wall = *hf_simproc_clock(proc);
    const struct hf_agent_env env = {
        .params = &params, .fs = home.fs, .clock = hf_clock_ops_of(&home.clock), .turn = &turn};
    const struct hf_policy_disk policy = {.warn_percent = 50, .critical_percent = 90, .reclaim = true};
    const struct hf_clock_file nothing = {0};
    struct hf_disks disks;
    char path[64];
    size_t n;

    wall.unix_ns = unix_1970;
    hf_clock_init(&home.clock, &wall, &nothing);
    hf_clock_take_date(&home.clock, HF_TIME_BUILD_UNIX_NS + 1000 * HF_NS_PER_S, 0);
    hf_simfs_mount(fs, STATE);
    hf_simfs_put(fs, STATE "/journal.damaged", "x", 1, 0600);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(path, sizeof(path), STATE "/%d", i);
        hf_simfs_put(fs, path, "x", 1, 0644);
    }
    hf_simfs_set_limit(fs, STATE, 102 * 4096);
    hf_disks_init(&disks, &env);
    hf_disks_follow(&disks, &policy);
    hf_disks_begin(&disks);
    (void)hf_simloop_run_for(loop, HF_NS_PER_S);
    ck_assert(hf_disks_home_is_critical(&disks));
    ck_assert_ptr_nonnull(hf_simfs_get(fs, STATE "/journal.damaged", &n));
    hf_disks_done(&disks);
    hf_simproc_free(proc);
    hf_simloop_free(loop);
    hf_simfs_free(fs);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, new_files_of_1970);
    tcase_add_test(tc, a_look_that_hangs);
    tcase_add_test(tc, the_start_leaves_paths_to_a_job);
    tcase_add_test(tc, the_count_of_the_kernel_is_away);
    tcase_add_loop_test(tc, state_folder_of_a_pod, 0, 2);
    tcase_add_test(tc, new_levels);
    tcase_add_test(tc, the_agent_ends_during_a_look);
}

HF_TEST_MAIN("agent/disks", cases)
