/* SPDX-License-Identifier: Apache-2.0 */
/* Drift of one entry of spec.manifests is repaired, on virtual time: also without room for the record, and with the
 * restart that a service needs then. */
#include <string.h>

#include "support/check_main.h"
#include "support/manifest_node.h"

/* ---- the restart after a repair ---------------------------------------------------------------------------------- */

/* A service runs with the good content. Then somebody changes its file and restarts it. */
static struct node *begin_changed_service(uint64_t seed)
{
    struct node *node =
        node_begin_applied("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES NODE_UNIT "}", seed);

    ck_assert_str_eq(node->served, "one");
    node_put(node, "/etc/app/a", "drift");
    (void)node_restart(node);
    ck_assert_str_eq(node->served, "drift");
    return node;
}

/* The agent is killed, or power is cut, at any call of a repair. The service has the good content in the end. */
START_TEST(restart_after_a_cut_repair)
{
    uint64_t n = 1;

    for (bool stopped = true; stopped; n++) {
        struct node *node = begin_changed_service(1300 + n);
        hf_simfs_stop_at(node->fs, n);
        node_intervals(node, 2);
        stopped = hf_simfs_stopped(node->fs);
        if (stopped) {
            node_kill(node);
            if (_i == 1)
                hf_simfs_power_cut(node->fs, n);
            node_boot(node);
        }
        node_intervals(node, 4);
        ck_assert_msg(node_has(node, "/etc/app/a", "one") && strcmp(node->served, "one") == 0, "call %u: %s",
                      (unsigned)n, node->served);
        node_end(node);
    }
    ck_assert_uint_gt(n, 20);
}
END_TEST

/* The agent is killed while systemd restarts the service. */
START_TEST(restart_that_was_cut_is_repeated)
{
    struct node *node = begin_changed_service(81);

    faults.service.hangs = true;
    node_intervals(node, 1);
    faults.service.hangs = false;
    ck_assert(node_has(node, "/etc/app/a", "one"));
    ck_assert_str_eq(node->served, "drift");
    node_kill(node);
    node_boot(node);
    node_intervals(node, 2);
    ck_assert_str_eq(node->served, "one");
    unsigned restarts = node->restarts;
    node_intervals(node, 10);
    ck_assert_uint_eq(node->restarts, restarts); /* once is enough */
    node_end(node);
}
END_TEST

/* The restart fails for a while, or for long: it is repeated, but not without a pause, and the status says so. */
START_TEST(restart_that_failed_is_repeated)
{
    struct node *node = begin_changed_service(82);
    unsigned restarts = node->restarts;

    faults.service.fails = _i == 0 ? 3 : 1000;
    node_intervals(node, 1);
    (void)hf_simloop_run_for(node->loop, 3600 * HF_NS_PER_S); /* no interval of the policy passes */
    if (_i == 1) {
        node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_RESTART_FAILED, "all have failed");
        ck_assert_uint_le(node->restarts, restarts + 10 + 60);
        faults.service.fails = 0;
        node_intervals(node, 10);
    }
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_DRIFT_REPAIRED, "restarted");
    ck_assert_str_eq(node->served, "one");
    node_end(node);
}
END_TEST

/* The state folder is full, so the record cannot be written: each drift is repaired all the same, with its restart. */
START_TEST(drift_is_repaired_without_the_record)
{
    struct node *node = begin_changed_service(84);

    faults.disk.uncreatable = "record";
    for (unsigned i = 0; i < 3; i++) {
        node_intervals(node, 2);
        ck_assert(node_has(node, "/etc/app/a", "one"));
        ck_assert_str_eq(node->served, "one");
        node_put(node, "/etc/app/a", "drift");
        (void)node_restart(node);
        ck_assert_str_eq(node->served, "drift");
    }
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_WRITE_FAILED, "the status says so");
    faults.disk.uncreatable = NULL;
    node_intervals(node, 3);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_DRIFT_REPAIRED, "written");
    ck_assert_str_eq(node->served, "one");
    node_end(node);
}
END_TEST

/* A newer content comes while a restart is due: its own restart is the only one. */
START_TEST(newer_content_needs_no_second_restart)
{
    struct node *node = begin_changed_service(83);

    faults.service.fails = 1;
    node_put(node, "/media/usb/a", "two");
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "second");
    ck_assert_str_eq(node->served, "two");
    unsigned restarts = node->restarts;
    node_intervals(node, 10);
    ck_assert_uint_eq(node->restarts, restarts);
    node_end(node);
}
END_TEST

/* A service takes longer than the agent waits for; it is up in the end. */
START_TEST(restart_that_takes_long)
{
    struct node *node = begin_changed_service(910);
    unsigned restarts = node->restarts;

    faults.service.hangs =
        true; /* each restart ends in a timeout of 90 s, although systemd goes on and starts the service */
    node_intervals(node, 1);
    (void)hf_simloop_run_for(node->loop, 24 * 3600 * HF_NS_PER_S);
    faults.service.hangs = false;
    ck_assert_msg(node->restarts - restarts < 20, "%u restarts in a day: %s", node->restarts - restarts, node->status);
    node_end(node);
}
END_TEST

/* A restart is due when a newer set is rolled back: that restarts the unit, and once is enough. */
START_TEST(rollback_restarts_once)
{
    struct node *node = begin_changed_service(911);

    faults.service.fails = 1000;
    node_put(node, "/media/usb/a", "broken");
    hf_manifest_engine_check(node->engine);
    for (unsigned i = 0; i < 100000 && !node_has(node, "/etc/app/a", "broken"); i++)
        ck_assert(hf_simloop_step(node->loop));
    faults.service.fails = 0;
    for (unsigned i = 0; i < 100000 && node_look(node).status.phase != HF_MANIFEST_ROLLED_BACK; i++)
        ck_assert(hf_simloop_step(node->loop));
    node_expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, "broken");
    ck_assert_str_eq(node->served, "one");
    unsigned restarts = node->restarts;
    node_intervals(node, 10);
    ck_assert_uint_eq(node->restarts, restarts);
    node_end(node);
}
END_TEST

static void config_of(struct node *node, const char *text)
{
    hf_config_free(node->config);
    ck_assert_int_eq(hf_config_parse(hf_view_of(text), "agent.yaml", &node->config, NULL), 0);
    ck_assert_uint_eq(hf_config_n_faults(node->config), 0);
}

/* The node's owner takes the unit out of manifests.units and restarts the agent. A local user changes the file: the
 * agent restarts the unit all the same. _i == 1: a restart was due. */
START_TEST(unit_that_is_no_longer_permitted)
{
    struct node *node = begin_changed_service(901);

    if (_i == 0) {
        node_intervals(node, 3);
    } else {
        faults.service.fails = 1000;
        node_intervals(node, 3);
    }
    node_kill(node);
    config_of(node, "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n"
                    "manifests:\n  files: [/etc/app/**]\n  paths: [/media/**]\n");
    unsigned restarts = node->restarts;
    node_boot(node);
    node_intervals(node, 3);
    ck_assert_int_eq(node_look(node).status.phase, HF_MANIFEST_REFUSED);
    if (_i == 0)
        node_put(node, "/etc/app/a", "drift");
    node_intervals(node, 60);
    faults.service.fails = 0;
    ck_assert_msg(node->restarts == restarts, "%u restarts of a unit that the node does not permit: %s",
                  node->restarts - restarts, node->status);
    node_end(node);
}
END_TEST

/* ---- drift ------------------------------------------------------------------------------------------------------- */

/* The disk of the state is full (or read-only). Drift on another disk. */
static void full_state(int i, bool unit)
{
    struct node *node =
        node_begin(unit ? "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES NODE_UNIT "}"
                        : "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES "}",
                   902);

    hf_simfs_delete(node->fs, NODE_STATE);
    hf_simfs_mount(node->fs, NODE_STATE);
    node_put(node, "/media/usb/a", "one");
    node_boot(node);
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    if (i == 0)
        hf_simfs_set_limit(node->fs, NODE_STATE, 100);
    else
        hf_simfs_set_read_only(node->fs, NODE_STATE, true);
    for (unsigned k = 0; k < 2; k++) {
        node_put(node, "/etc/app/a", "drift");
        node_intervals(node, 30);
        ck_assert_msg(node_has(node, "/etc/app/a", "one"), "drift %u is not repaired: %s", k, node->status);
    }
    node_end(node);
}

START_TEST(drift_while_the_state_is_full_with_a_unit)
{
    full_state(_i, true);
}
END_TEST

START_TEST(drift_while_the_state_is_full)
{
    full_state(_i, false);
}
END_TEST

/* Somebody writes what the next set has, and that is not noticed before the set comes. It has to pass its checks. */
START_TEST(drift_that_is_the_next_set)
{
    struct node *node =
        node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES NODE_UNIT "}", 914);

    watched.path = "/media/usb";
    node_put(node, "/media/usb/a", "one");
    node_boot(node);
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    unsigned restarts = node->restarts;
    node_put(node, "/etc/app/a", "broken");
    node_put(node, "/media/usb/a", "broken");
    ck_assert(watched.fire != NULL);
    watched.fire(watched.arg);
    (void)hf_simloop_run_for(node->loop, 30 * HF_NS_PER_S);
    ck_assert_msg(node_look(node).status.phase != HF_MANIFEST_APPLIED || node->restarts > restarts ||
                      node_has(node, "/etc/app/a", "one"),
                  "%u restarts: %s", node->restarts - restarts, node->status);
    node_intervals(node, 6);
    ck_assert_msg(node_look(node).status.phase != HF_MANIFEST_APPLIED && node->restarts > restarts, "%u restarts: %s",
                  node->restarts - restarts, node->status);
    node_end(node);
}
END_TEST

/* The owner of a file, who has mapped it into memory, changes it, and no attribute changes. The next interval puts it
 * back. */
START_TEST(change_through_a_mapping)
{
    struct node *node = node_begin_applied(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"owner\":\"5:5\"," NODE_FILES "}", 90);
    size_t n;

    node_intervals(node, 3);
    char *bytes = (char *)(uintptr_t)hf_simfs_get(node->fs, "/etc/app/a", &n);
    ck_assert_uint_eq(n, 3);
    memcpy(bytes, "bad", 3);
    node_intervals(node, 2);
    ck_assert_msg(node_has(node, "/etc/app/a", "one"), "%s", node->status);
    ck_assert_uint_eq(node_look(node).status.drifts, 1);
    node_end(node);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, change_through_a_mapping);
    tcase_add_loop_test(tc, restart_after_a_cut_repair, 0, 2);
    tcase_add_test(tc, restart_that_was_cut_is_repeated);
    tcase_add_loop_test(tc, restart_that_failed_is_repeated, 0, 2);
    tcase_add_test(tc, drift_is_repaired_without_the_record);
    tcase_add_test(tc, newer_content_needs_no_second_restart);
    tcase_add_test(tc, restart_that_takes_long);
    tcase_add_test(tc, rollback_restarts_once);
    tcase_add_loop_test(tc, unit_that_is_no_longer_permitted, 0, 2);
    tcase_add_loop_test(tc, drift_while_the_state_is_full_with_a_unit, 0, 2);
    tcase_add_loop_test(tc, drift_while_the_state_is_full, 0, 2);
    tcase_add_test(tc, drift_that_is_the_next_set);
}

HF_TEST_MAIN_CPU("manifests/repair", cases, 300)
