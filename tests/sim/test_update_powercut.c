/* SPDX-License-Identifier: Apache-2.0 */
/* A power cut at every single file-system call of an update, of each kind; then another one while the next process
 * recovers. `make soak` cuts at every call, and elsewhere at a sample of them that holds each kind of call (support/walk.h).
 *
 * Always: the target is one of the two whole files (after each event, and right after each cut). In the end: Committed
 * or RolledBack, whichever is right for the release; no files remain; the service runs the installed version. */
#include <errno.h>

#include "support/check_main.h"
#include "support/fakes/simupdate.h"
#include "support/fakes/simwalk.h"

struct scenario {
    const char *name;
    const char *old; /* NULL: a first install */
    struct hf_sim_release release;
    const char *path, *good, *other; /* contents that the target may have: in the end, and before */
    enum hf_phase end;
    /* TURN: the swap needs a turn, which comes when the update waits for it. REBOOT: walks through what comes before the
     * boot that it needs. BOOTED: after it. */
    enum { PLAIN, TURN, HOOKS, REBOOT, BOOTED } with;
};

static const struct scenario scenarios[] = {
    {"delta", "v1", {.content = "v2", .delta_from = "v1"}, HF_SIM_TARGET, "v2", "v1", HF_PHASE_COMMITTED, PLAIN},
    {"two deltas",
     "v1",
     {.content = "v3", .delta_from = "v1", .via = "v2"},
     HF_SIM_TARGET,
     "v3",
     "v1",
     HF_PHASE_COMMITTED,
     PLAIN},
    {"whole file", "v1", {.content = "v2"}, HF_SIM_TARGET, "v2", "v1", HF_PHASE_COMMITTED, PLAIN},
    {"packed file", "v1", {.content = "v2", .packed = true}, HF_SIM_TARGET, "v2", "v1", HF_PHASE_COMMITTED, PLAIN},
    {"rollback",
     "v1",
     {.content = "broken", .delta_from = "v1"},
     HF_SIM_TARGET,
     "v1",
     "broken",
     HF_PHASE_ROLLED_BACK,
     PLAIN},
    {"first install", NULL, {.content = "v2"}, HF_SIM_TARGET, "v2", "absent", HF_PHASE_COMMITTED, PLAIN},
    {"first install, rollback",
     NULL,
     {.content = "broken"},
     HF_SIM_TARGET,
     "absent",
     "broken",
     HF_PHASE_ROLLED_BACK,
     PLAIN},
    {"tree",
     NULL,
     {.content = "v2", .tree = true, .packed = true},
     "/opt/app/current/bin/app",
     "v2",
     "absent",
     HF_PHASE_COMMITTED,
     PLAIN},
    {"tree, rollback",
     "tree",
     {.content = "broken", .tree = true, .sequence = 3},
     "/opt/app/current/bin/app",
     "v1",
     "broken",
     HF_PHASE_ROLLED_BACK,
     PLAIN},
    {"with a turn", "v1", {.content = "v2", .delta_from = "v1"}, HF_SIM_TARGET, "v2", "v1", HF_PHASE_COMMITTED, TURN},
    {"with hooks", "v1", {.content = "v2", .delta_from = "v1"}, HF_SIM_TARGET, "v2", "v1", HF_PHASE_COMMITTED, HOOKS},
    {"with hooks, rollback",
     "v1",
     {.content = "broken", .delta_from = "v1"},
     HF_SIM_TARGET,
     "v1",
     "broken",
     HF_PHASE_ROLLED_BACK,
     HOOKS},
    {"with a reboot",
     "v1",
     {.content = "v2", .delta_from = "v1", .no_restart = true},
     HF_SIM_TARGET,
     "v2",
     "v1",
     HF_PHASE_COMMITTED,
     REBOOT},
    {"with a reboot, rollback",
     "v1",
     {.content = "broken", .delta_from = "v1", .no_restart = true},
     HF_SIM_TARGET,
     "v1",
     "broken",
     HF_PHASE_ROLLED_BACK,
     REBOOT},
    {"after the reboot",
     "v1",
     {.content = "v2", .delta_from = "v1", .no_restart = true},
     HF_SIM_TARGET,
     "v2",
     "v1",
     HF_PHASE_COMMITTED,
     BOOTED},
    {"after the reboot, rollback",
     "v1",
     {.content = "broken", .delta_from = "v1", .no_restart = true},
     HF_SIM_TARGET,
     "v1",
     "broken",
     HF_PHASE_ROLLED_BACK,
     BOOTED},
};

static const struct scenario *now;

/* The installed path always exists and is always one of the two whole files. */
static void check_target(struct hf_simupdate *w)
{
    const char *is = hf_simupdate_target(w, now->path);

    if (strcmp(is, now->good) != 0 && strcmp(is, now->other) != 0) {
        hf_simfs_trace(w->fs, stderr);
        ck_abort_msg("%s: the target is %s", now->name, is);
    }
}

/* What each hook may find at the target, whatever has been cut before. */
static int run_hook(struct hf_simupdate *w, const char *const *argv, int *ret_exit_code)
{
    const char *is = hf_simupdate_target(w, now->path);
    const char *before = now->end == HF_PHASE_COMMITTED ? now->other : now->good;
    bool has_old = strcmp(is, before) == 0;

    *ret_exit_code = 0;
    if (strcmp(argv[0], "/usr/bin/systemctl") == 0) { /* the machine goes down: settle() boots it */
        w->self_restarted = true;
        return 0;
    }

    /* beforeRollback runs again if power failed after the old version had come back. */
    ck_assert_msg(has_old == (strcmp(argv[0], "/before") == 0) || strcmp(argv[0], "/undo") == 0, "%s: %s ran with %s",
                  now->name, argv[0], is);
    return 0;
}

static json_t *hooks(void)
{
    return json_pack("{s:{s:{s:{s:{s:[s]},s:{s:[s]},s:{s:[s]}}}}}", "spec", "release", "hooks", "beforeSwap", "argv",
                     "/before", "afterSwap", "argv", "/after", "beforeRollback", "argv", "/undo");
}

static json_t *reboot(void)
{
    return json_pack("{s:{s:{s:{s:{}}}}}", "spec", "release", "install", "reboot");
}

static struct hf_simupdate *begin(const struct scenario *scenario, uint64_t seed)
{
    struct hf_simupdate *w = hf_simupdate_new(seed);

    now = scenario;
    if (scenario->old != NULL && strcmp(scenario->old, "tree") == 0) {
        hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v1", .tree = true});
        hf_simupdate_boot(w);
        ck_assert(hf_simupdate_settle(w));
        hf_simupdate_stop(w);
    } else if (scenario->old != NULL) {
        hf_simupdate_put_old(w, scenario->old);
    }
    w->check = check_target;
    w->turn_missing = scenario->with == TURN;
    struct hf_sim_release release = scenario->release;
    release.patch = scenario->with == HOOKS ? hooks() : scenario->with >= REBOOT ? reboot() : NULL;
    w->run = run_hook;
    hf_simupdate_publish(w, &release);
    if (scenario->with != BOOTED)
        return w;
    hf_simupdate_boot(w);
    (void)hf_simupdate_settle(w);
    ck_assert(w->self_restarted);
    hf_simupdate_power_cut(w, seed);
    return w;
}

static void expect_end(struct hf_simupdate *w, const char *when)
{
    struct hf_sim_seen seen = hf_simupdate_see(w, "app");
    const char *left = hf_simupdate_leftover(w), *is = hf_simupdate_target(w, now->path);

    if (seen.phase != now->end || left != NULL || strcmp(is, now->good) != 0) {
        hf_simfs_trace(w->fs, stderr);
        ck_abort_msg("%s, %s: %s %s (%s), target %s, left behind %s", now->name, when, hf_phase_name(seen.phase),
                     seen.reason, seen.message, is, left);
    }
    ck_assert_msg(strcmp(w->running, strcmp(is, "absent") == 0 ? "" : is) == 0, "%s, %s: runs %s, installed %s",
                  now->name, when, w->running, is);
}

/* Without its turn the update stops short of the swap. The turn then comes, and every later process has it. */
static bool settle(struct hf_simupdate *w)
{
    bool settled = hf_simupdate_settle(w);

    if (!settled || !w->turn_missing || hf_simfs_stopped(w->fs))
        return settled;
    struct hf_sim_seen seen = hf_simupdate_see(w, "app");
    ck_assert_msg(seen.phase == HF_PHASE_VERIFIED && strcmp(seen.reason, "TurnPending") == 0, "%s %s",
                  hf_phase_name(seen.phase), seen.reason);
    ck_assert_str_eq(hf_simupdate_target(w, now->path), now->other);
    w->turn_missing = false;
    hf_simupdate_tell(w);
    return hf_simupdate_settle(w);
}

/* As settle(), with a boot after each reboot that the agent orders. */
static bool settle_boots(struct hf_simupdate *w)
{
    bool settled = settle(w);

    for (unsigned i = 0; i < 4 && w->self_restarted && !hf_simfs_stopped(w->fs); i++) {
        hf_simupdate_power_cut(w, i);
        hf_simupdate_boot(w);
        settled = settle(w);
    }
    return settled;
}

/* A walk of this test through a scenario. */
static struct hf_simwalk walk_of(const char *test, const struct scenario *scenario, char name[static 80])
{
    (void)snprintf(name, 80, "%s, %s", test, scenario->name);
    return (struct hf_simwalk){.name = name};
}

/* Cuts at call `walk->at` of the first process and (second > 0) at call `second` of the next one. */
static void cut_at(const struct scenario *scenario, struct hf_simwalk *walk, uint64_t second, uint64_t seed)
{
    struct hf_simupdate *w = begin(scenario, seed);
    uint64_t n = walk->at;
    char when[80];

    (void)snprintf(when, sizeof(when), "cut at %d, then %d", (int)n, (int)second);
    hf_simfs_stop_at(w->fs, n);
    hf_simupdate_boot(w);
    (void)settle(w);
    if (hf_simwalk_saw(walk, w->fs)) {
        hf_simupdate_power_cut(w, seed * 31 + n);
        check_target(w);
        hf_simfs_stop_at(w->fs, second);
        hf_simupdate_boot(w);
        if (!settle_boots(w) && hf_simfs_stopped(w->fs)) {
            hf_simupdate_power_cut(w, seed * 37 + second);
            check_target(w);
            hf_simupdate_boot(w);
        }
    }
    (void)settle_boots(w);
    expect_end(w, when);
    hf_simupdate_free(w);
}

START_TEST(at_every_call)
{
    const struct scenario *scenario = &scenarios[_i];
    char name[80];
    struct hf_simwalk walk = walk_of("at every call", scenario, name);
    uint64_t last = 0;

    for (; hf_simwalk_next(&walk); last = walk.at > last ? walk.at : last)
        cut_at(scenario, &walk, 0, walk.at);
    ck_assert_uint_gt(last, 50);
    (void)fprintf(stderr, "%s: %d cuts\n", scenario->name, (int)walk.places);
}
END_TEST

/* Both cuts advance at different paces, so that many pairs occur. */
START_TEST(twice)
{
    const struct scenario *scenario = &scenarios[_i];
    char name[80];
    struct hf_simwalk walk = walk_of("twice", scenario, name);

    while (hf_simwalk_next(&walk))
        cut_at(scenario, &walk, 1 + walk.at * 17 % 97, walk.at + 1000);
}
END_TEST

/* The next process finishes, or, without `killed`, the same one. Then the power is cut, and everything that nobody synced
 * is lost. What has been reported as the end stays. */
static void finish_then_cut(struct hf_simupdate *w, const char *when, bool killed)
{
    if (killed) {
        hf_simupdate_kill(w);
        hf_simupdate_boot(w);
    }
    ck_assert_msg(settle_boots(w), "%s, %s: not settled", now->name, when);
    hf_simupdate_power_cut(w, HF_SIMFS_LOSE_ALL);
    ck_assert_msg(strcmp(hf_simupdate_target(w, now->path), now->good) == 0, "%s, %s: target %s", now->name, when,
                  hf_simupdate_target(w, now->path));
    hf_simupdate_boot(w);
    (void)settle_boots(w);
}

/* Kills the first process at call `walk->at`: what it did is in the page cache alone. */
static void kill_at(const struct scenario *scenario, struct hf_simwalk *walk)
{
    uint64_t n = walk->at;
    struct hf_simupdate *w = begin(scenario, n);
    char when[80];

    (void)snprintf(when, sizeof(when), "killed at %d, then finished, then cut", (int)n);
    hf_simfs_stop_at(w->fs, n);
    hf_simupdate_boot(w);
    (void)settle(w);
    if (hf_simwalk_saw(walk, w->fs))
        finish_then_cut(w, when, true);
    (void)settle_boots(w);
    expect_end(w, when);
    hf_simupdate_free(w);
}

START_TEST(killed_before_a_sync)
{
    char name[80];
    struct hf_simwalk walk = walk_of("killed before a sync", &scenarios[_i], name);

    while (hf_simwalk_next(&walk))
        kill_at(&scenarios[_i], &walk);
}
END_TEST

/* After its first failure a disk that fails for good stays as it is, and a process only tries again: ten minutes of
 * that, and at one place in four an hour. */
static void settle_while_it_fails(struct hf_simupdate *w, uint64_t n)
{
    if (hf_simupdate_settle_within(w, 600 * HF_NS_PER_S) || n % 4 == 0 || hf_simfs_failed(w->fs) == 0)
        (void)settle(w);
}

/* The disk fails from call `walk->at` on, and works again: in the next process (`killed`), or in the same one. What its failed
 * syncs have lost looks right in the page cache until the power is cut. */
static void fail_at(const struct scenario *scenario, struct hf_simwalk *walk, bool killed)
{
    uint64_t n = walk->at;
    struct hf_simupdate *w = begin(scenario, n);
    char when[80];

    (void)snprintf(when, sizeof(when), "failing from %d%s, then finished, then cut", (int)n, killed ? ", killed" : "");
    hf_simfs_count_only(w->fs, HF_SIMFS_WRITES);
    hf_simfs_fail_at(w->fs, n, EIO, killed ? 0 : 1 + n % 20);
    hf_simupdate_boot(w);
    if (killed)
        settle_while_it_fails(w, n);
    else
        (void)settle(w);
    bool failed = hf_simwalk_saw(walk, w->fs);
    hf_simfs_fail_at(w->fs, 0, 0, 0);
    if (failed)
        finish_then_cut(w, when, killed || w->engine == NULL); /* NULL: the process could not start */
    (void)settle_boots(w);
    expect_end(w, when);
    hf_simupdate_free(w);
}

START_TEST(failed_before_a_cut)
{
    char name[80];
    struct hf_simwalk walk = walk_of("failed before a cut", &scenarios[_i], name);

    while (hf_simwalk_next(&walk))
        fail_at(&scenarios[_i], &walk, walk.at % 2 == 0);
}
END_TEST

/* ---- a record that the next process finds, and that no power cut has spared yet ---------------------------------- */

#define JOURNAL "/var/lib/holdfast/updates/app/journal"

/* The calls before which the journal was not durable. */
struct doubtful {
    struct hf_simfs *fs;
    uint64_t from, at[64];
    size_t n;
};

static int note_doubtful(void *arg)
{
    struct doubtful *doubtful = arg;
    uint64_t call = hf_simfs_calls(doubtful->fs) + 1 - doubtful->from;

    if (!hf_simfs_is_durable(doubtful->fs, JOURNAL) && (doubtful->n == 0 || doubtful->at[doubtful->n - 1] != call)) {
        ck_assert_uint_lt(doubtful->n, HF_LEN(doubtful->at));
        doubtful->at[doubtful->n++] = call;
    }
    return 0;
}

/* An update whose version fails its checks, from its begin to its end. */
static struct doubtful find_doubtful(void)
{
    struct hf_simupdate *w = begin(&scenarios[4], 1);
    struct doubtful doubtful = {.fs = w->fs, .from = hf_simfs_calls(w->fs)};

    hf_simfs_before_each(w->fs, note_doubtful, &doubtful);
    hf_simupdate_boot(w);
    (void)settle(w);
    expect_end(w, "undisturbed");
    hf_simupdate_free(w);
    return doubtful;
}

/* It is killed at call n. */
static struct hf_simupdate *kill_trial_at(uint64_t n)
{
    struct hf_simupdate *w = begin(&scenarios[4], n);

    hf_simfs_stop_at(w->fs, n);
    hf_simupdate_boot(w);
    (void)settle(w);
    ck_assert_msg(hf_simfs_stopped(w->fs) && !hf_simfs_is_durable(w->fs, JOURNAL), "killed at %d", (int)n);
    hf_simupdate_kill(w);
    return w;
}

/* The next process goes on, and the power is cut at its call `m`. From then on nobody wants the release any more
 * (`withdrawn`), or the site holds it back. False: the process has fewer than m calls. */
static bool cut_after_kill(uint64_t n, uint64_t m, bool withdrawn)
{
    struct hf_simupdate *w = kill_trial_at(n);
    char when[80];

    (void)snprintf(when, sizeof(when), "killed at %d, then cut at %d", (int)n, (int)m);
    hf_simfs_stop_at(w->fs, m);
    hf_simupdate_boot(w);
    (void)settle(w);
    bool cut = hf_simfs_stopped(w->fs);
    hf_simupdate_power_cut(w, HF_SIMFS_LOSE_ALL);
    if (withdrawn)
        hf_simupdate_withdraw(w, "app");
    else
        hf_simupdate_set_gate(w, "app", HF_GATE_HELD);
    hf_simupdate_boot(w);
    ck_assert_msg(settle(w), "%s: not settled", when);
    struct hf_sim_seen seen = hf_simupdate_see(w, "app");
    ck_assert_msg(strcmp(hf_simupdate_target(w, now->path), "v1") == 0, "%s: %s %s, target %s", when,
                  hf_phase_name(seen.phase), seen.reason, hf_simupdate_target(w, now->path));
    ck_assert_msg(strcmp(w->running, "v1") == 0, "%s: runs %s", when, w->running);
    hf_simupdate_free(w);
    return cut;
}

/* A process that was killed between the rename of the journal and the sync of its folder leaves a journal that looks
 * right. What the next process does by it must not be there without it. */
START_TEST(killed_before_a_sync_then_cut)
{
    struct doubtful doubtful = find_doubtful();
    char name[80];

    ck_assert_uint_gt(doubtful.n, 5);
    for (size_t i = 0; i < doubtful.n; i++) {
        (void)snprintf(name, sizeof(name), "kill %zu, cut %d", i, _i);
        for (uint64_t m = hf_walk_next(name, 0); cut_after_kill(doubtful.at[i], m, _i == 0); m = hf_walk_next(name, m))
            ;
    }
}
END_TEST

/* ---- a node service on trial that does not start ----------------------------------------------------------------- */

static const struct scenario node_service = {"node service",       "v1", {.content = "dead", .delta_from = "v1"},
                                             HF_SIM_TARGET,        "v1", "dead",
                                             HF_PHASE_ROLLED_BACK, PLAIN};

/* Without its kubelet a node may reach nobody: from here on neither the server nor any object is there. */
static void lose_the_network(struct hf_simupdate *w)
{
    w->answer.fail = -EHOSTUNREACH;
    if (w->n_objects > 0)
        hf_simupdate_withdraw(w, "app");
}

/* The power goes at call `walk->at` of the first process and, if the new file is in place then, the network stays away. Each of
 * the next `more` boots ends at its own call, too. True: the new file was in place. */
static bool boot_on_trial(struct hf_simwalk *walk, unsigned more)
{
    uint64_t n = walk->at;
    struct hf_simupdate *w = begin(&node_service, n);
    char when[80];
    bool cut, on_trial = false;

    (void)snprintf(when, sizeof(when), "cut at %d, then %u times", (int)n, more);
    hf_simfs_stop_at(w->fs, n);
    hf_simupdate_boot(w);
    (void)settle(w);
    cut = hf_simwalk_saw(walk, w->fs);
    for (unsigned i = 0; cut && i <= more; i++) {
        if (i == 0 || hf_simfs_stopped(w->fs))
            hf_simupdate_power_cut(w, n * 41 + i);
        else
            hf_simupdate_kill(w);
        check_target(w);
        if (strcmp(hf_simupdate_target(w, HF_SIM_TARGET), "dead") == 0) {
            on_trial = true;
            ck_assert_str_eq(w->running, ""); /* the boot has started nothing */
            lose_the_network(w);
        }
        hf_simfs_stop_at(w->fs, i < more ? 1 + (n * 13 + i * 29) % 61 : 0);
        hf_simupdate_boot(w);
        (void)settle(w);
    }
    expect_end(w, when);
    hf_simupdate_free(w);
    return on_trial;
}

/* `_i` further boots: with the first one, more than the three starts that an update may take without a verdict. */
START_TEST(node_service_that_does_not_start)
{
    unsigned on_trial = 0;
    char name[80];
    struct hf_simwalk walk = walk_of((const char *[]){"0", "1", "2", "3"}[_i], &node_service, name);

    while (hf_simwalk_next(&walk))
        on_trial += boot_on_trial(&walk, (unsigned)_i);
    (void)fprintf(stderr, "%u boots on trial, %d more each\n", on_trial, _i);
    ck_assert_uint_gt(on_trial, hf_walk_is_whole() ? 5 : 0);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, at_every_call, 0, (int)HF_LEN(scenarios));
    tcase_add_loop_test(tc, twice, 0, (int)HF_LEN(scenarios));
    tcase_add_loop_test(tc, killed_before_a_sync, 0, (int)HF_LEN(scenarios));
    tcase_add_loop_test(tc, failed_before_a_cut, 0, (int)HF_LEN(scenarios));
    tcase_add_loop_test(tc, killed_before_a_sync_then_cut, 0, 2);
    tcase_add_loop_test(tc, node_service_that_does_not_start, 0, 4);
}

HF_TEST_MAIN_CPU("update/powercut", cases, 300)
