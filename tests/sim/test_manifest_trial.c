/* SPDX-License-Identifier: Apache-2.0 */
/* Somebody changes files of a set of spec.manifests that is on trial, on virtual time. */
#include <errno.h>

#include "support/check_main.h"
#include "support/manifest_node.h"

/* A set that does not work comes on trial, and before that somebody changes its file into one that works. */
static struct node *begin_changed_trial(uint64_t seed, unsigned times)
{
    struct node *node = node_begin_applied(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"healthDeadline\":\"1m\"," NODE_FILES NODE_UNIT "}",
        seed);

    faults.service.tampers = times;
    node_put(node, "/media/usb/a", "broken");
    return node;
}

/* His content vouches for nothing. */
START_TEST(change_on_trial_vouches_for_nothing)
{
    struct node *node = begin_changed_trial(85, 1 + (unsigned)_i);

    node_intervals(node, 6);
    ck_assert_uint_eq(faults.service.tampers, 0);
    node_expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, "put back, and it does not work");
    ck_assert(node_has(node, "/etc/app/a", "one"));
    ck_assert_str_eq(node->served, "one");
    node_end(node);
}
END_TEST

/* Somebody changes it each time. The trial ends all the same, and newer content comes in. */
START_TEST(change_on_trial_again_and_again)
{
    struct node *node = begin_changed_trial(86, 1000);

    node_intervals(node, 6);
    ck_assert_uint_le(node->restarts, 1 + 1 + 3 + 10);
    node_put(node, "/media/usb/a", "two");
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "newer");
    ck_assert(node_has(node, "/etc/app/a", "two"));
    faults.service.tampers = 0;
    node_end(node);
}
END_TEST

/* Somebody has changed the file, and it cannot be put back. */
static struct node *begin_stuck_trial(uint64_t seed)
{
    struct node *node = begin_changed_trial(seed, 1);

    hf_manifest_engine_check(node->engine);
    for (unsigned i = 0; i < 10000 && faults.service.tampers > 0; i++)
        ck_assert(hf_simloop_step(node->loop));
    ck_assert(node_has(node, "/etc/app/a", "theirs"));
    faults.disk.stuck = "a";
    faults.disk.stuck_error = -EIO;
    return node;
}

/* Nobody can put it back for now, or at all: the set waits for its health deadline, and not longer. */
START_TEST(change_on_trial_that_stays)
{
    struct node *node = begin_stuck_trial(87);

    node_intervals(node, 2);
    node_expect(node, HF_MANIFEST_PROBATION, HF_MANIFEST_REASON_WRITE_FAILED, "it stays");
    if (_i == 1)
        node_intervals(node, 10);
    faults.disk.stuck = NULL;
    node_intervals(node, 6);
    node_expect(node, HF_MANIFEST_ROLLED_BACK,
                _i == 1 ? HF_MANIFEST_REASON_WRITE_FAILED : HF_MANIFEST_REASON_RESTART_FAILED, "the end");
    ck_assert(node_has(node, "/etc/app/a", "one"));
    node_end(node);
}
END_TEST

static bool tamper_and_lose(struct node *node)
{
    char path[200], digest[100] = "";

    if (!node_has(node, "/etc/app/a", "two"))
        return false;
    node_put(node, "/etc/app/a", "theirs");
    (void)snprintf(digest, sizeof(digest), "%s", node_look(node).status.digest);
    (void)snprintf(path, sizeof(path), NODE_STATE "/manifests/app/b-%s", digest);
    size_t n;
    ck_assert_ptr_nonnull(hf_simfs_get(node->fs, path, &n));
    hf_simfs_delete(node->fs, path);
    return true;
}

/* On trial somebody changes a file, and our own copy of the content is lost: the content must come again from the
 * source and pass then; it is not the set's fault. */
START_TEST(trial_lost_content)
{
    struct node *node = node_begin_applied(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"healthDeadline\":\"1m\"," NODE_FILES NODE_UNIT "}",
        2001);

    faults.service.on_restart = tamper_and_lose;
    node_put(node, "/media/usb/a", "two");
    node_intervals(node, 20);
    ck_assert_ptr_null(faults.service.on_restart);
    ck_assert_msg(node_has(node, "/etc/app/a", "two"), "%s: restarts %u", node->status, node->restarts);
    node_end(node);
}
END_TEST

static bool tamper_once(struct node *node)
{
    if (!node_has(node, "/etc/app/a", "two"))
        return false;
    hf_simfs_delete(node->fs, "/etc/app/sub/x");
    hf_simfs_delete(node->fs, "/etc/app/sub");
    hf_simfs_delete(node->fs, "/etc/app/a");
    hf_simfs_delete(node->fs, "/etc/app");
    return true;
}

/* The agent is killed while it puts a file back on trial: no Event with nothing in it. */
START_TEST(cut_put_back_says_nothing)
{
    unsigned empty = 0, bad = 0;
    uint64_t n = 1;
    char first[100] = "";

    for (bool stopped = true; stopped; n++) {
        struct node *node =
            node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES NODE_UNIT "}", 2100 + n);
        node_put(node, "/media/usb/a", "one");
        node_put(node, "/media/usb/sub/x", "x");
        node_boot(node);
        node_intervals(node, 4);
        faults.service.on_restart = tamper_once;
        node_put(node, "/media/usb/a", "two");
        hf_manifest_engine_check(node->engine);
        for (unsigned i = 0; i < 100000 && faults.service.on_restart != NULL; i++)
            ck_assert(hf_simloop_step(node->loop));
        hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
        hf_simfs_stop_at(node->fs, n);
        node_intervals(node, 3);
        stopped = hf_simfs_stopped(node->fs);
        if (stopped) {
            node_kill(node);
            node_boot(node);
        }
        node->empty_notices = 0;
        node_intervals(node, 6);
        empty += node->empty_notices;
        if (node->empty_notices > 0 && first[0] == '\0')
            (void)snprintf(first, sizeof(first), "cut %u", (unsigned)n);
        bad += !node_has(node, "/etc/app/a", "two") || node_look(node).status.phase != HF_MANIFEST_APPLIED;
        node_end(node);
    }
    ck_assert_msg(bad == 0, "%u bad", bad);
    ck_assert_msg(empty == 0, "%u empty notices in %u cuts, first %s", empty, (unsigned)n, first);
}
END_TEST

static bool break_once(struct node *node)
{
    if (!node_has(node, "/etc/app/a", "two"))
        return false;
    node_put(node, "/etc/app/a", "broken");
    return true;
}

/* Somebody breaks a file on trial. It is put back, and the set passes. */
START_TEST(broken_on_trial)
{
    struct node *node = node_begin(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"healthDeadline\":\"1m\"," NODE_FILES NODE_UNIT "}",
        2008);

    node_put(node, "/media/usb/a", "one");
    node_boot(node);
    node_intervals(node, 4);
    faults.service.on_restart = break_once;
    node_put(node, "/media/usb/a", "two");
    node_intervals(node, 10);
    ck_assert_ptr_null(faults.service.on_restart);
    ck_assert_msg(node_look(node).status.phase == HF_MANIFEST_APPLIED && node_has(node, "/etc/app/a", "two"), "%s",
                  node->status);
    node_end(node);
}
END_TEST

/* A file cannot be put back for a minute: the unit does not restart again and again meanwhile. */
START_TEST(restarts_while_a_file_stays_changed)
{
    struct node *node = begin_stuck_trial(2007);
    unsigned restarts = node->restarts;
    node_intervals(node, 5);
    ck_assert_int_eq(node_look(node).status.phase, HF_MANIFEST_PROBATION);
    faults.disk.stuck = NULL;
    ck_assert_msg(node->restarts - restarts <= 3, "%u restarts in 50 s: %s", node->restarts - restarts, node->status);
    node_intervals(node, 6);
    node_expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, "the end");
    ck_assert(node_has(node, "/etc/app/a", "one"));
    node_end(node);
}
END_TEST

/* The next set has one file more, which somebody has written with this content before: the set has to pass its
 * checks all the same (`validate` here would refuse it). */
START_TEST(adopted_file_is_checked)
{
    struct node *node =
        node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"validate\":{\"command\":[\"/usr/"
                   "bin/check\",\"{}\"]}," NODE_FILES NODE_UNIT "}",
                   2012);

    node_put(node, "/media/usb/b", "one");
    node_boot(node);
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    unsigned restarts = node->restarts, validations = node->validations;
    node_put(node, "/etc/app/a", "bad");
    node_put(node, "/media/usb/a", "bad");
    node_intervals(node, 4);
    ck_assert_msg(node_look(node).status.phase != HF_MANIFEST_APPLIED, "%u restarts, %u validations: %s",
                  node->restarts - restarts, node->validations - validations, node->status);
    node_end(node);
}
END_TEST

/* Our own copy of the content on trial lies on a block that the disk does not read any more: the content comes again
 * from the source, as it does before a trial; it is not the set's fault. */
static bool tamper_and_wear(struct node *node)
{
    static char path[200];

    if (!node_has(node, "/etc/app/a", "two"))
        return false;
    node_put(node, "/etc/app/a", "theirs");
    (void)snprintf(path, sizeof(path), NODE_STATE "/manifests/app/b-%s", node_look(node).status.digest);
    faults.disk.unreadable = path;
    return true;
}

START_TEST(trial_worn_content)
{
    struct node *node = node_begin_applied(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"healthDeadline\":\"5m\"," NODE_FILES NODE_UNIT "}",
        2015);

    faults.service.on_restart = tamper_and_wear;
    node_put(node, "/media/usb/a", "two");
    node_intervals(node, 60);
    ck_assert_ptr_null(faults.service.on_restart);
    ck_assert_uint_gt(faults.disk.errors, 0);
    faults.disk.unreadable = NULL;
    ck_assert_msg(node_has(node, "/etc/app/a", "two"), "%s: restarts %u", node->status, node->restarts);
    node_end(node);
}
END_TEST

static unsigned flaps;

static bool change_and_hold(struct node *node)
{
    if (!node_has(node, "/etc/app/a", "two"))
        return false;
    node_put(node, "/etc/app/a", "theirs");
    faults.disk.stuck = "a";
    faults.disk.stuck_error = -EIO;
    flaps++;
    return false;
}

/* Somebody changes a file on trial so that it cannot be put back, takes his change back, and begins anew: he does not
 * keep the set on trial for ever, nor does the unit restart each time. */
START_TEST(change_that_comes_and_goes)
{
    struct node *node = node_begin_applied(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"healthDeadline\":\"5m\"," NODE_FILES NODE_UNIT "}",
        2013);

    node_put(node, "/media/usb/a", "two");
    flaps = 0;
    faults.service.on_restart = change_and_hold;
    unsigned restarts = node->restarts;
    for (unsigned i = 0; i < 30; i++) {
        node_intervals(node, 2);
        faults.disk.stuck = NULL;
        if (node_has(node, "/etc/app/a", "theirs"))
            node_put(node, "/etc/app/a", "two");
    }
    faults.service.on_restart = NULL;
    ck_assert_uint_gt(flaps, 0);
    ck_assert_msg(node_look(node).status.phase == HF_MANIFEST_APPLIED && node->restarts - restarts <= 8,
                  "%u restarts in 10 min: %s", node->restarts - restarts, node->status);
    node_end(node);
}
END_TEST

static bool tamper_and_run_out(struct node *node)
{
    if (!node_has(node, "/etc/app/a", "broken"))
        return false;
    node_put(node, "/etc/app/a", "theirs");
    hf_simfs_count_only(node->fs, HF_SIMFS_READS);
    hf_simfs_fail_at(node->fs, 1, ENFILE, 1);
    return true;
}

/* The one look after the checks fails for a moment, because the node has no file descriptor left: what somebody has put
 * in the place of a set that does not work vouches for nothing all the same. */
START_TEST(look_on_trial_that_fails_once)
{
    struct node *node = node_begin_applied(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"healthDeadline\":\"1m\"," NODE_FILES NODE_UNIT "}",
        2018);

    faults.service.on_restart = tamper_and_run_out;
    node_put(node, "/media/usb/a", "broken");
    node_intervals(node, 30);
    ck_assert_ptr_null(faults.service.on_restart);
    ck_assert_uint_eq(hf_simfs_failed(node->fs), 1);
    ck_assert_msg(node_look(node).status.phase == HF_MANIFEST_ROLLED_BACK && node_has(node, "/etc/app/a", "one"), "%s",
                  node->status);
    node_end(node);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, change_on_trial_vouches_for_nothing, 0, 3);
    tcase_add_test(tc, change_on_trial_again_and_again);
    tcase_add_loop_test(tc, change_on_trial_that_stays, 0, 2);
    tcase_add_test(tc, trial_lost_content);
    tcase_add_test(tc, cut_put_back_says_nothing);
    tcase_add_test(tc, broken_on_trial);
    tcase_add_test(tc, restarts_while_a_file_stays_changed);
    tcase_add_test(tc, adopted_file_is_checked);
    tcase_add_test(tc, trial_worn_content);
    tcase_add_test(tc, change_that_comes_and_goes);
    tcase_add_test(tc, look_on_trial_that_fails_once);
}

HF_TEST_MAIN_CPU("manifests/trial", cases, 300)
