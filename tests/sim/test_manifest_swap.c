/* SPDX-License-Identifier: Apache-2.0 */
/* A swap or a repair of one entry of spec.manifests that is cut short, on virtual time, and what comes after it. */
#include <errno.h>
#include <string.h>

#include "support/check_main.h"
#include "support/manifest_node.h"

/* A set waits because it would remove too much. Wherever a kill ends an attempt with it: nothing of that set is in
 * place, so what a local user does to the good set is still repaired. Returns false if no call was the n-th one. */
static bool kill_at(uint64_t n)
{
    static const char *const names[] = {"/media/usb/a", "/media/usb/b", "/media/usb/c", "/media/usb/d"};
    struct node *node =
        node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," NODE_FILES "}", 200 + n);

    for (size_t i = 0; i < HF_LEN(names); i++)
        node_put(node, names[i], "one");
    node_boot(node);
    node_intervals(node, 3);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    for (size_t i = 1; i < HF_LEN(names); i++)
        hf_simfs_delete(node->fs, names[i]);
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    node_intervals(node, 4);
    bool killed = hf_simfs_stopped(node->fs);
    if (killed) {
        node_kill(node);
        node_boot(node);
    }
    hf_simfs_stop_at(node->fs, 0);
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_PRUNE_LIMIT, "kill");
    hf_simfs_delete(node->fs, "/etc/app/b");
    node_put(node, "/etc/app/c", "changed");
    node_intervals(node, 3);
    ck_assert_msg(node_has(node, "/etc/app/b", "one") && node_has(node, "/etc/app/c", "one"), "kill at %u",
                  (unsigned)n);
    node_end(node);
    return killed;
}

/* A swap is cut short, its content is lost, and what the source delivers next lacks most files: they stay. */
static bool shrink_after(uint64_t n)
{
    static const char *const names[] = {"/media/usb/a", "/media/usb/b", "/media/usb/c", "/media/usb/d"};
    struct node *node =
        node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," NODE_FILES "}", 300 + n);
    struct loss loss = {.node = node};

    for (size_t i = 0; i < HF_LEN(names); i++)
        node_put(node, names[i], "one");
    node_boot(node);
    node_intervals(node, 3);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    hf_simfs_walk(node->fs, NODE_STATE, loss_find_good, &loss);
    for (size_t i = 0; i < HF_LEN(names); i++)
        node_put(node, names[i], "two");
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    node_intervals(node, 4);
    bool killed = hf_simfs_stopped(node->fs);
    if (killed) {
        node_kill(node);
        hf_simfs_walk(node->fs, NODE_STATE, loss_damage, &loss);
        for (size_t i = 1; i < HF_LEN(names); i++)
            hf_simfs_delete(node->fs, names[i]);
        node_boot(node);
        node_intervals(node, 6);
        for (size_t i = 0; i < HF_LEN(names); i++) {
            char path[32];
            (void)snprintf(path, sizeof(path), "/etc/app/%s", strrchr(names[i], '/') + 1);
            ck_assert_msg(!node_has(node, path, NULL), "kill at %u: '%s' is gone", (unsigned)n, path);
            node_put(node, names[i], "three");
        }
        node_intervals(node, 6);
        node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "the source is whole again");
        ck_assert_msg(node_has(node, "/etc/app/d", "three"), "kill at %u", (unsigned)n);
    }
    node_end(node);
    return killed;
}

/* The disk never reads the newest content again. */
static void wear_out(void *arg, const char *path, const struct stat *st)
{
    static char worn[256];
    const struct loss *loss = arg;

    if (!S_ISREG(st->st_mode) || strstr(path, "/b-") == NULL || strcmp(path, loss->good) == 0)
        return;
    (void)snprintf(worn, sizeof(worn), "%s", path);
    faults.disk.unreadable = worn;
}

/* A swap is cut short, and the disk never reads its content again. The source delivers the content once more, and the
 * swap ends; or the entry leaves the policy, and its files go. Returns false if no call was the n-th one. */
static bool unreadable_after(uint64_t n, bool leaves, unsigned *ret_applying)
{
    struct node *node =
        node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," NODE_FILES "}", 1000 + n);
    struct loss loss = {.node = node};

    node_publish(node, 1);
    node_boot(node);
    node_intervals(node, 3);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    hf_simfs_walk(node->fs, NODE_STATE, loss_find_good, &loss);
    node_publish(node, 2);
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    node_intervals(node, 4);
    bool cut = hf_simfs_stopped(node->fs);
    if (cut && strcmp(node_phase_on_disk(node), "\"Applying\"") == 0) {
        ++*ret_applying;
        node_kill(node);
        hf_simfs_walk(node->fs, NODE_STATE, wear_out, &loss);
        if (leaves)
            node_set_policy(node, "");
        node_boot(node);
        node_intervals(node, 12);
        ck_assert_msg(node_has(node, "/etc/app/a", NULL) == leaves && (leaves || node_has_number(node, 2)),
                      "cut at %u: %s", (unsigned)n, node->status);
        faults.disk.unreadable = NULL;
    }
    hf_simfs_stop_at(node->fs, 0);
    node_end(node);
    return cut;
}

/* A cut swap comes to its end after the cut. A later set that is refused before its first change says nothing about
 * what is in place: drift of the good set is still repaired. Returns false if no call was the n-th one. */
static bool refuse_after(uint64_t n, unsigned *ret_applying)
{
    struct node *node = node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES "}", 400 + n);

    node_publish(node, 1);
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    node_boot(node);
    if (node->engine != NULL)
        node_intervals(node, 4);
    bool cut = hf_simfs_stopped(node->fs);
    if (cut) {
        node_power_cut(node, n);
        *ret_applying += strcmp(node_phase_on_disk(node), "\"Applying\"") == 0;
        node_boot(node);
        node_intervals(node, 6);
        node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "after the cut");
        node_put(node, "/etc/app/b", "theirs");
        node_put(node, "/media/usb/b", "ours");
        node_intervals(node, 4);
        node_expect(node, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_FOREIGN_FILE, "the next set");
        node_put(node, "/etc/app/a", "drift");
        node_intervals(node, 4);
        ck_assert_msg(node_has_number(node, 1), "cut at %u: drift is not repaired", (unsigned)n);
    }
    hf_simfs_stop_at(node->fs, 0);
    node_end(node);
    return cut;
}

/* A swap is cut short, its content is lost, and what the source delivers next does not pass `validate`: it is judged
 * once, and no file of it gets in place. Returns false if no call was the n-th one. */
static bool invalid_after(uint64_t n, unsigned *ret_waiting)
{
    struct node *node = node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},"
                                   "\"validate\":{\"command\":[\"/usr/bin/check\",\"{}\"]}," NODE_FILES "}",
                                   500 + n);
    struct loss loss = {.node = node};

    node_put(node, "/media/usb/a", "one");
    node_put(node, "/media/usb/b", "one");
    node_boot(node);
    node_intervals(node, 3);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    hf_simfs_walk(node->fs, NODE_STATE, loss_find_good, &loss);
    node_put(node, "/media/usb/a", "two");
    node_put(node, "/media/usb/b", "two");
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    node_intervals(node, 4);
    bool cut = hf_simfs_stopped(node->fs);
    if (cut) {
        node_power_cut(node, n);
        hf_simfs_walk(node->fs, NODE_STATE, loss_damage, &loss);
        node_put(node, "/media/usb/a", "bad");
        node_put(node, "/media/usb/b", "bad");
        node->validations = 0;
        faults.procs.failures = (unsigned)(n % 3); /* those that did not start say nothing about the content */
        node_boot(node);
        node_intervals(node, 6);
        bool is_waiting = node_look(node).status.phase == HF_MANIFEST_WAITING;
        *ret_waiting += is_waiting;
        node_expect(node, is_waiting ? HF_MANIFEST_WAITING : HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_VALIDATE_FAILED,
                    "bad");
        unsigned statuses = node->statuses;
        node_intervals(node, 30);
        ck_assert_msg(node->validations == 1, "cut at %u: %u validations", (unsigned)n, node->validations);
        ck_assert_msg(node->statuses == statuses, "cut at %u: %u statuses", (unsigned)n, node->statuses - statuses);
        ck_assert_msg(!node_has(node, "/etc/app/a", "bad") && !node_has(node, "/etc/app/b", "bad"), "cut at %u",
                      (unsigned)n);
        node->desired.stale = true;
        node_intervals(node, 2);
        node->desired.stale = false;
        node_intervals(node, 2);
        node_expect(node, is_waiting ? HF_MANIFEST_WAITING : HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_VALIDATE_FAILED,
                    "contact was lost for a while");
        node_put(node, "/media/usb/a", "three");
        node_put(node, "/media/usb/b", "three");
        node_intervals(node, 6);
        node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "the content is good again");
        ck_assert(node_has(node, "/etc/app/b", "three"));
    }
    hf_simfs_stop_at(node->fs, 0);
    node_end(node);
    return cut;
}

/* A crash ends an attempt, the disk cannot be read for a while after the start, and then contact is lost for longer
 * than the policy lets it (onExpiry: Hold). What the node has is one whole set, and drift of it is repaired. Returns
 * false if no call was the n-th one. */
static bool stale_after(uint64_t n, bool power, unsigned *ret_applying)
{
    struct node *node =
        node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," NODE_FILES "}", 600 + n);

    node_publish(node, 1);
    node_put(node, "/media/usb/b", "one");
    node_boot(node);
    node_intervals(node, 3);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    node_publish(node, 2);
    node_put(node, "/media/usb/b", "two");
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    node_intervals(node, 4);
    bool cut = hf_simfs_stopped(node->fs);
    if (cut) {
        node_kill(node);
        if (power)
            hf_simfs_power_cut(node->fs, n);
        *ret_applying += strcmp(node_phase_on_disk(node), "\"Applying\"") == 0;
        faults.disk.broken = true;
        node_boot(node);
        node_intervals(node, 2);
        faults.disk.broken = false;
        node->desired.stale = true;
        node_publish(node, 3);
        node_intervals(node, 2);
        node_put(node, "/etc/app/a", "drift");
        hf_simfs_delete(node->fs, "/etc/app/b");
        node_intervals(node, 4);
        ck_assert_msg((node_has_number(node, 1) && node_has(node, "/etc/app/b", "one")) ||
                          (node_has_number(node, 2) && node_has(node, "/etc/app/b", "two")),
                      "cut at %u: %s: %s", (unsigned)n, hf_manifest_phase_name(node_look(node).status.phase),
                      node_look(node).message);
        node->desired.stale = false;
        node_intervals(node, 6);
        node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "contact is back");
        ck_assert_msg(node_has_number(node, 3), "cut at %u", (unsigned)n);
    }
    hf_simfs_stop_at(node->fs, 0);
    node_end(node);
    return cut;
}

START_TEST(failure_after_a_cut_keeps_repairs)
{
    unsigned applying = 0;
    uint64_t n = 1;

    while (stale_after(n, _i == 1, &applying))
        n++;
    ck_assert_uint_gt(applying, 2);
}
END_TEST

/* The state's disk cannot take the inventory, so the attempt fails before its first change, and the target's disk is
 * full in the next attempt. A newer content takes the place of the set, but waits for the API server: the good set is
 * in place, and what a local user removes is put back. */
START_TEST(attempt_that_changed_nothing_keeps_repairs)
{
    struct node *node = node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES "}", 59);

    hf_simfs_delete(node->fs, "/etc/app");
    hf_simfs_mount(node->fs, "/etc/app");
    node_put(node, "/media/usb/a", "one");
    node_put(node, "/media/usb/b", "one");
    node_boot(node);
    node_intervals(node, 3);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    node_put(node, "/media/usb/a", "two");
    node_put(node, "/media/usb/b", "two");
    faults.disk.uncreatable = "inventory.new";
    node_intervals(node, 1);
    node_expect(node, HF_MANIFEST_APPLYING, HF_MANIFEST_REASON_WRITE_FAILED, "the inventory is not written");
    faults.disk.uncreatable = NULL;
    hf_simfs_set_limit(node->fs, "/etc/app", 100);
    node_intervals(node, 2);
    node_expect(node, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_NO_SPACE, "the target is full");
    hf_simfs_set_limit(node->fs, "/etc/app", 0);
    node->desired.stale = true;
    node_put(node, "/media/usb/a", "three");
    node_put(node, "/media/usb/b", "three");
    node_intervals(node, 2);
    hf_simfs_delete(node->fs, "/etc/app/b");
    node_intervals(node, 3);
    ck_assert_msg(node_has(node, "/etc/app/a", "one") && node_has(node, "/etc/app/b", "one"), "%s", node->status);
    node->desired.stale = false;
    node_intervals(node, 6);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "contact is back");
    ck_assert(node_has(node, "/etc/app/b", "three"));
    node_end(node);
}
END_TEST

START_TEST(cut_swap_spares_no_validation)
{
    unsigned waiting = 0;
    uint64_t n = 1;

    while (invalid_after(n, &waiting))
        n++;
    ck_assert_uint_gt(waiting, 2);
}
END_TEST

START_TEST(unreadable_content_keeps_nothing_out)
{
    unsigned applying = 0;
    uint64_t n = 1;

    while (unreadable_after(n, _i == 1, &applying))
        n++;
    ck_assert_uint_gt(applying, 2);
}
END_TEST

START_TEST(refusal_after_a_cut_keeps_repairs)
{
    unsigned applying = 0;
    uint64_t n = 1;

    while (refuse_after(n, &applying))
        n++;
    ck_assert_uint_gt(applying, 2);
}
END_TEST

START_TEST(cut_swap_lifts_no_guard)
{
    uint64_t n = 1;

    while (shrink_after(n))
        n++;
    ck_assert_uint_gt(n, 20);
}
END_TEST

START_TEST(drift_is_repaired_while_a_set_waits)
{
    uint64_t n = 1;

    while (kill_at(n))
        n++;
    ck_assert_uint_gt(n, 10);
}
END_TEST

/* While a newer set waits or is refused, a person removes the whole target, so the repair has to make the folder again.
 * One call of the repair fails, or a kill ends it: the next repair finishes the work, and what the newer set waits for
 * stays the same. Returns false if no call was the n-th one. */
static bool cut_repair(uint64_t n, bool is_stale, bool kill)
{
    struct node *node = node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},"
                                   "\"validate\":{\"command\":[\"/usr/bin/check\",\"{}\"]}," NODE_FILES "}",
                                   900 + n);
    enum hf_manifest_phase phase = is_stale ? HF_MANIFEST_WAITING : HF_MANIFEST_REFUSED;
    enum hf_manifest_reason reason = is_stale ? HF_MANIFEST_REASON_STALE : HF_MANIFEST_REASON_VALIDATE_FAILED;

    node_put(node, "/media/usb/a", "one");
    node_put(node, "/media/usb/b", "one");
    node_boot(node);
    node_intervals(node, 3);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    node->desired.stale = is_stale;
    node_put(node, "/media/usb/a", is_stale ? "two" : "bad");
    node_intervals(node, 4);
    node_expect(node, phase, reason, "the newer set");
    hf_simfs_delete(node->fs, "/etc/app/a");
    hf_simfs_delete(node->fs, "/etc/app/b");
    hf_simfs_delete(node->fs, "/etc/app");
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    if (kill)
        hf_simfs_stop_at(node->fs, n);
    else
        hf_simfs_fail_at(node->fs, n, EIO, 1);
    node_intervals(node, 2);
    bool hit = kill ? hf_simfs_stopped(node->fs) : hf_simfs_failed(node->fs) > 0;
    if (hit && kill) {
        node_kill(node);
        node_boot(node);
    }
    hf_simfs_stop_at(node->fs, 0);
    hf_simfs_fail_at(node->fs, 0, 0, 0);
    node_intervals(node, 6);
    ck_assert_msg(node_has(node, "/etc/app/a", "one") && node_has(node, "/etc/app/b", "one"), "call %u: %s",
                  (unsigned)n, node->status);
    node_expect(node, phase, reason, "the repair has ended");
    node_end(node);
    return hit;
}

START_TEST(cut_repair_is_finished)
{
    uint64_t n = 1;

    while (cut_repair(n, _i % 2 == 1, _i >= 2))
        n++;
    ck_assert_uint_gt(n, 5);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, failure_after_a_cut_keeps_repairs, 0, 2);
    tcase_add_test(tc, attempt_that_changed_nothing_keeps_repairs);
    tcase_add_test(tc, cut_swap_spares_no_validation);
    tcase_add_loop_test(tc, unreadable_content_keeps_nothing_out, 0, 2);
    tcase_add_test(tc, refusal_after_a_cut_keeps_repairs);
    tcase_add_test(tc, cut_swap_lifts_no_guard);
    tcase_add_test(tc, drift_is_repaired_while_a_set_waits);
    tcase_add_loop_test(tc, cut_repair_is_finished, 0, 4);
}

HF_TEST_MAIN_CPU("manifests/swap", cases, 300)
