/* SPDX-License-Identifier: Apache-2.0 */
/* An entry of spec.manifests leaves the policy, on virtual time: when its files go, and when they stay. */
#include <errno.h>
#include <string.h>

#include "support/check_main.h"
#include "support/manifest_node.h"

static const uint64_t long_interval_ns = 3600 * HF_NS_PER_S;

/* The disk cannot write once while an entry that no policy has goes: its files, or what the agent keeps of it. */
START_TEST(removal_that_failed_is_repeated)
{
    for (uint64_t n = 1, hit = 1; hit == 1; n++) {
        struct node *node =
            node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," NODE_FILES "}", 37 + n);
        struct stat st;

        node_put(node, "/media/usb/a", "one");
        node_boot(node);
        node_intervals(node, 4);
        node_set_policy(node, "");
        node_tell(node);
        hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
        hf_simfs_fail_at(node->fs, n, EIO, 1);
        (void)hf_simloop_run_for(node->loop, long_interval_ns);
        hit = hf_simfs_failed(node->fs);
        ck_assert_msg(node_has(node, "/etc/app/a", NULL) && !hf_simfs_stat(node->fs, NODE_STATE "/manifests/app", &st),
                      "call %u: %s", (unsigned)n, node->status);
        node_end(node);
    }
}
END_TEST

/* A person has made the file immutable: its removal is tried once per interval, and writes nothing in between. */
START_TEST(removal_that_is_not_allowed_waits)
{
    struct node *node =
        node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," NODE_FILES "}", 39);
    struct stat st;

    node_put(node, "/media/usb/a", "one");
    node_boot(node);
    node_intervals(node, 4);
    faults.disk.immutable = "a";
    node_set_policy(node, "");
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_NOT_ALLOWED, "the file is immutable");
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    uint64_t calls = hf_simfs_calls(node->fs);
    (void)hf_simloop_run_for(node->loop, long_interval_ns);
    ck_assert_msg(hf_simfs_calls(node->fs) == calls, "%u calls that write",
                  (unsigned)(hf_simfs_calls(node->fs) - calls));
    faults.disk.immutable = NULL;
    node_intervals(node, 1);
    ck_assert(node_has(node, "/etc/app/a", NULL) && !hf_simfs_stat(node->fs, NODE_STATE "/manifests/app", &st));
    node_end(node);
}
END_TEST

/* A newer content is refused, then the entry leaves the policy: the status shows the digest that allows the removal of
 * what is in place. */
START_TEST(digest_of_the_status_allows_the_removal)
{
    struct node *node = node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true,"
                                   "\"validate\":{\"command\":[\"/usr/bin/check\",\"{}\"]}," NODE_FILES "}",
                                   40);
    struct stat st;

    node_put(node, "/media/usb/a", "one");
    node_put(node, "/media/usb/b", "one");
    node_boot(node);
    node_intervals(node, 4);
    node_put(node, "/media/usb/a", "bad");
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_VALIDATE_FAILED, "a newer content");
    node_set_policy(node, "");
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_PRUNE_LIMIT, "the entry has left the policy");
    ck_assert(node_has(node, "/etc/app/a", "one") && node_has(node, "/etc/app/b", "one"));
    struct seen seen = node_look(node);
    char advice[60];
    (void)snprintf(advice, sizeof(advice), "allow-prune: \"app:%.12s\" on", seen.status.digest);
    ck_assert_msg(!seen.status.settled && strstr(seen.message, advice) != NULL, "%s", seen.message);
    node_allow_prune(node, seen.status.digest);
    node_intervals(node, 2);
    ck_assert_msg(node_has(node, "/etc/app/a", NULL) && !hf_simfs_stat(node->fs, NODE_STATE "/manifests/app", &st),
                  "%s", node->status);
    node_end(node);
}
END_TEST

/* An entry leaves the policy, and its removal waits for the annotation. When the policy has the entry again, each
 * folder has its watch again, without an interval. */
START_TEST(entry_that_comes_back_is_watched)
{
    static const char app[] = "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," NODE_FILES "}";
    struct node *node = node_begin(app, 33);

    for (char c = 'a'; c < 'f'; c++) {
        char path[40];
        (void)snprintf(path, sizeof(path), "/media/usb/%c", c);
        node_put(node, path, "one");
    }
    node_boot(node);
    node_intervals(node, 4);
    unsigned watches = node->watches;
    node_set_policy(node, "");
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_PRUNE_LIMIT, "the entry has left the policy");
    node_set_policy(node, app);
    node_tell(node);
    (void)hf_simloop_run_for(node->loop, 60 * HF_NS_PER_S);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "the entry is back");
    ck_assert_msg(node->watches == watches, "%u watches, then %u", watches, node->watches);
    node_end(node);
}
END_TEST

/* One file of an entry that has left the policy cannot be removed. Nothing puts back the other one, and the service is
 * not restarted. */
START_TEST(removal_that_has_begun_is_not_repaired)
{
    struct node *node =
        node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," NODE_FILES NODE_UNIT "}", 41);

    node_put(node, "/media/usb/a", "one");
    node_put(node, "/media/usb/b", "one");
    node_boot(node);
    node_intervals(node, 4);
    node_allow_prune(node, node_look(node).status.digest);
    faults.disk.immutable = "b";
    unsigned restarts = node->restarts;
    for (unsigned i = 0; i < 10; i++) {
        node_intervals(node, 1);
        node_expect(node, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_NOT_ALLOWED, "one file is immutable");
        ck_assert(node_has(node, "/etc/app/a", NULL) && node_has(node, "/etc/app/b", "one"));
    }
    ck_assert_uint_eq(node->restarts, restarts);
    faults.disk.immutable = NULL;
    node_intervals(node, 2);
    ck_assert(node_has(node, "/etc/app/b", NULL));
    node_end(node);
}
END_TEST

/* The entry has left the policy and waits for the annotation, and its unit does not restart. */
START_TEST(left_entry_writes_nothing)
{
    struct node *node = node_begin(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," NODE_FILES NODE_UNIT "}", 915);

    node_put(node, "/media/usb/a", "one");
    node_put(node, "/media/usb/b", "one");
    node_boot(node);
    node_intervals(node, 4);
    faults.service.fails = 10000;
    node_put(node, "/etc/app/a", "drift");
    node_intervals(node, 3);
    node_set_policy(node, "");
    node_intervals(node, 30);
    unsigned restarts = node->restarts;
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    uint64_t calls = hf_simfs_calls(node->fs);
    node_intervals(node, 360);
    ck_assert_uint_eq(hf_simfs_calls(node->fs), calls);
    ck_assert_uint_gt(node->restarts, restarts);
    ck_assert_uint_le(node->restarts, restarts + 61);
    faults.service.fails = 0;
    node_end(node);
}
END_TEST

/* The agent is killed while it stages, and the entry leaves the policy before the next start. */
static void find_stage(void *arg, const char *path, const struct stat *st)
{
    char *left = arg;

    (void)st;
    if (strstr(path, ".holdfast-app.new") != NULL)
        (void)snprintf(left, 200, "%s", path);
}

START_TEST(staging_of_an_entry_that_left)
{
    for (uint64_t n = 1;; n++) {
        struct node *node =
            node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," NODE_FILES "}", 1000 + n);
        char left[200] = "";

        node_put(node, "/media/usb/a", "one");
        hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
        hf_simfs_stop_at(node->fs, n);
        node_boot(node);
        if (node->engine != NULL)
            node_intervals(node, 4);
        bool cut = hf_simfs_stopped(node->fs);
        if (cut) {
            node_kill(node);
            node_set_policy(node, "");
            node_boot(node);
            node_intervals(node, 6);
            hf_simfs_walk(node->fs, "/etc", find_stage, left);
        }
        hf_simfs_stop_at(node->fs, 0);
        ck_assert_msg(left[0] == '\0', "cut at %u: '%s' is left for ever: %s", (unsigned)n, left, node->status);
        node_end(node);
        if (!cut)
            break;
    }
}
END_TEST

/* An entry whose path the node does not allow removes nothing there. */
START_TEST(cleans_where_it_may_not_write)
{
    struct node *node = node_begin(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"to\":\"Files\",\"path\":\"/home/x/\"}", 2010);

    node_put(node, "/home/.holdfast-app.new/precious", "theirs");
    node_put(node, "/home/x/.holdfast-app.new/precious", "theirs");
    node_put(node, "/media/usb/a", "one");
    node_boot(node);
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_NOT_ALLOWED, "first");
    ck_assert_msg(node_has(node, "/home/.holdfast-app.new/precious", "theirs") &&
                      node_has(node, "/home/x/.holdfast-app.new/precious", "theirs"),
                  "%s", node->status);
    node_end(node);
}
END_TEST

/* The swap of the first or second set is cut short, its content is lost, and the entry leaves the policy. The status
 * shows what is in place, and its digest. The files go with the annotation, but none that may be somebody else's.
 * Returns false if no call was the n-th one. */
static bool leave_after(uint64_t n, bool second, unsigned *ret_waiting)
{
    struct node *node = node_begin(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"force\":true,\"prune\":true," NODE_FILES "}", 1200 + n);
    struct loss loss = {.node = node};
    struct stat st;

    node_put(node, "/etc/app/z", "theirs");
    node_put(node, "/media/usb/a", "one");
    node_put(node, "/media/usb/b", "one");
    if (second) {
        node_boot(node);
        node_intervals(node, 4);
        hf_simfs_walk(node->fs, NODE_STATE, loss_find_good, &loss);
        node_put(node, "/media/usb/a", "two");
    }
    node_put(node, "/media/usb/z", "ours");
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    if (!second)
        node_boot(node);
    node_intervals(node, 4);
    bool cut = hf_simfs_stopped(node->fs);
    bool passed =
        strcmp(node_phase_on_disk(node), "\"Applied\"") == 0 && (!second || node_has(node, "/etc/app/z", "ours"));
    if (cut && !passed) {
        node_kill(node);
        hf_simfs_walk(node->fs, NODE_STATE, loss_damage, &loss);
        node_set_policy(node, "");
        node_boot(node);
        node_intervals(node, 4);
        if (hf_simfs_stat(node->fs, NODE_STATE "/manifests/app", &st)) {
            ++*ret_waiting;
            ck_assert_int_eq(node_look(node).status.reason, HF_MANIFEST_REASON_PRUNE_LIMIT);
            ck_assert(second || node_look(node).status.phase == HF_MANIFEST_WAITING);
            node_allow_prune(node, node_look(node).status.digest);
            node_intervals(node, 2);
        }
        ck_assert_msg(node_has(node, "/etc/app/a", NULL) && node_has(node, "/etc/app/b", NULL), "cut at %u",
                      (unsigned)n);
        ck_assert_msg(!node_has(node, "/etc/app/z", NULL), "cut at %u: the file of somebody else is gone", (unsigned)n);
        ck_assert(!hf_simfs_stat(node->fs, NODE_STATE "/manifests/app", &st));
    }
    hf_simfs_stop_at(node->fs, 0);
    node_end(node);
    return cut;
}

/* One write of the first attempt fails, perhaps after it has reached the disk. The next attempt finds the target full,
 * the agent starts again, and the entry leaves the policy: a file of somebody else that no attempt has replaced stays.
 * Returns false if no call was the n-th one. */
static bool fail_then_leave(uint64_t n, unsigned *ret_waiting)
{
    struct node *node = node_begin(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"force\":true,\"prune\":true," NODE_FILES "}", 1600 + n);
    struct stat st;

    hf_simfs_delete(node->fs, "/etc/app");
    hf_simfs_mount(node->fs, "/etc/app");
    node_put(node, "/etc/app/z", "theirs");
    node_put(node, "/media/usb/a", "one");
    node_put(node, "/media/usb/z", "ours");
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_fail_at(node->fs, n, EIO, 1);
    node_boot(node);
    if (node->engine == NULL) {
        hf_simfs_fail_at(node->fs, 0, 0, 0);
        node_end(node);
        return true;
    }
    while (hf_simfs_failed(node->fs) == 0 && !node_has(node, "/etc/app/z", "ours") && hf_simloop_step(node->loop))
        ;
    bool failed = hf_simfs_failed(node->fs) > 0;
    if (failed && node_has(node, "/etc/app/z", "theirs")) {
        hf_simfs_set_limit(node->fs, "/etc/app", 100);
        node_intervals(node, 2);
        if (node_has(node, "/etc/app/z", "theirs") && node_look(node).status.phase == HF_MANIFEST_WAITING) {
            ++*ret_waiting;
            node_shut_down(node);
            node_set_policy(node, "");
            node_boot(node);
            node_intervals(node, 4);
            if (hf_simfs_stat(node->fs, NODE_STATE "/manifests/app", &st)) {
                node_allow_prune(node, node_look(node).status.digest);
                node_intervals(node, 2);
            }
            ck_assert_msg(node_has(node, "/etc/app/z", "theirs"), "write %u: the file of somebody else is gone",
                          (unsigned)n);
        }
    }
    node_end(node);
    return failed;
}

START_TEST(file_that_no_attempt_replaced_stays)
{
    unsigned waiting = 0;
    uint64_t n = 1;

    while (fail_then_leave(n, &waiting))
        n++;
    ck_assert_uint_gt(n, 20);
    ck_assert_uint_gt(waiting, 5);
}
END_TEST

START_TEST(cut_set_goes_with_the_entry)
{
    unsigned waiting = 0;
    uint64_t n = 1;

    while (leave_after(n, _i == 1, &waiting))
        n++;
    ck_assert_uint_gt(waiting, 2);
}
END_TEST

enum { BY_POWER = 1, COMES_BACK = 2 };

/* The process ends at the n-th write of a removal: it is killed, or the power is cut. An entry that a policy has again
 * then has its file again; of one that none has, nothing stays. Returns false if no call was the n-th one. */
static bool cut_removal(uint64_t n, int how)
{
    static const char app[] = "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," NODE_FILES "}";
    struct node *node = node_begin(app, 1300 + n);
    struct stat st;

    node_put(node, "/media/usb/a", "one");
    node_boot(node);
    node_intervals(node, 4);
    node_set_policy(node, "");
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    node_intervals(node, 4);
    bool cut = hf_simfs_stopped(node->fs);
    if (cut) {
        node_kill(node);
        if ((how & BY_POWER) != 0)
            hf_simfs_power_cut(node->fs, n);
        if ((how & COMES_BACK) != 0)
            node_set_policy(node, app);
        node_boot(node);
        node_intervals(node, 10);
        if ((how & COMES_BACK) != 0) {
            ck_assert_int_eq(node_look(node).status.phase, HF_MANIFEST_APPLIED);
            ck_assert_msg(node_has(node, "/etc/app/a", "one"), "cut at %u: %s", (unsigned)n, node->status);
        } else {
            ck_assert_msg(node_has(node, "/etc/app/a", NULL) &&
                              !hf_simfs_stat(node->fs, NODE_STATE "/manifests/app", &st),
                          "cut at %u: %s", (unsigned)n, node->status);
        }
    }
    hf_simfs_stop_at(node->fs, 0);
    node_end(node);
    return cut;
}

START_TEST(cut_removal_leaves_no_entry_without_files)
{
    uint64_t n = 1;

    while (cut_removal(n, _i))
        n++;
    ck_assert_uint_gt(n, 5);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, removal_that_failed_is_repeated);
    tcase_add_test(tc, removal_that_is_not_allowed_waits);
    tcase_add_test(tc, digest_of_the_status_allows_the_removal);
    tcase_add_test(tc, entry_that_comes_back_is_watched);
    tcase_add_test(tc, removal_that_has_begun_is_not_repaired);
    tcase_add_test(tc, left_entry_writes_nothing);
    tcase_add_test(tc, staging_of_an_entry_that_left);
    tcase_add_test(tc, cleans_where_it_may_not_write);
    tcase_add_test(tc, file_that_no_attempt_replaced_stays);
    tcase_add_loop_test(tc, cut_set_goes_with_the_entry, 0, 2);
    tcase_add_loop_test(tc, cut_removal_leaves_no_entry_without_files, 0, 4);
}

HF_TEST_MAIN_CPU("manifests/removal", cases, 300)
