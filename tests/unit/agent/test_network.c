/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a download arrive between two turns, also when the policy has been replaced since the last one. */
#include "agent/resources/network.h"

#include <check.h>
#include <stdlib.h>

#include "agent/agent.h"
#include "agent/env.h"
#include "agent/turn.h"
#include "support/check_main.h"
#include "support/fakes/simloop.h"

#define DAY_BYTES 1000

struct node {
    struct hf_simloop *loop;
    struct hf_simproc *proc;
    struct hf_home home;
    struct hf_agent_params params;
    struct hf_agent_env env;
    struct hf_turn turn;
    unsigned turns;
    struct hf_network network;
};

static void run_turn(void *arg)
{
    ++*(unsigned *)arg;
}

static struct node *node_new(void)
{
    static const struct hf_clock_file nothing;
    struct node *node = calloc(1, sizeof(*node));

    ck_assert_ptr_nonnull(node);
    node->loop = hf_simloop_new(0);
    node->proc = hf_simproc_new(node->loop, "node");
    hf_clock_init(&node->home.clock, hf_simproc_clock(node->proc), &nothing);
    ck_assert_int_eq(hf_turn_init(&node->turn, hf_simproc_sched(node->proc), run_turn, &node->turns), 0);
    node->params.home = &node->home;
    node->env = (struct hf_agent_env){
        .params = &node->params, .world = hf_simproc_world(node->proc, NULL), .turn = &node->turn};
    hf_network_init(&node->network, &node->env);
    return node;
}

static void node_free(struct node *node)
{
    hf_turn_done(&node->turn);
    hf_simproc_free(node->proc);
    hf_simloop_free(node->loop);
    free(node);
}

/* A new version of the policy frees the old one at once; the next turn judges the new one. */
START_TEST(bytes_after_the_policy_is_gone)
{
    struct node *node = node_new();
    struct hf_policy_connectivity *policy = calloc(1, sizeof(*policy));
    const struct hf_policy_connectivity unlimited = {.max_bytes_per_day = 0};

    ck_assert_ptr_nonnull(policy);
    policy->max_bytes_per_day = DAY_BYTES;
    ck_assert(!hf_network_judge(&node->network, policy));
    free(policy);

    hf_network_sent(&node->network, DAY_BYTES - 1, true);
    ck_assert_uint_eq(node->turn.due, 0);
    hf_network_sent(&node->network, 1, true);
    ck_assert_uint_eq(node->turn.due, HF_DUE_STATUS);
    ck_assert_uint_eq(hf_network_status(&node->network).max_bytes_per_day, DAY_BYTES);

    ck_assert(!hf_network_judge(&node->network, &unlimited));
    ck_assert_uint_eq(hf_network_status(&node->network).max_bytes_per_day, 0);
    ck_assert_uint_eq(hf_network_status(&node->network).bytes_today, DAY_BYTES);
    node_free(node);
}
END_TEST

/* The last allowed byte closes the gate at the next judgement; a policy without a limit opens it. */
START_TEST(the_gate_follows_the_policy_of_the_judgement)
{
    struct node *node = node_new();
    const struct hf_policy_connectivity limited = {.max_bytes_per_day = DAY_BYTES}, unlimited = {.windows = NULL};

    ck_assert(!hf_network_judge(&node->network, &limited));
    hf_network_sent(&node->network, DAY_BYTES, true);
    ck_assert(hf_network_judge(&node->network, &limited));
    ck_assert_int_eq(node->network.gate, HF_LINK_QUOTA_USED);
    ck_assert(!hf_network_judge(&node->network, &limited));
    ck_assert(hf_network_judge(&node->network, &unlimited));
    ck_assert_int_eq(node->network.gate, HF_LINK_OPEN);
    node_free(node);
}
END_TEST

/* The turn looks whenever enough bytes for a save are unsaved, also where the last save came in the middle of a
 * part. */
START_TEST(a_turn_for_each_save)
{
    struct node *node = node_new();
    const struct hf_policy_connectivity limited = {.max_bytes_per_day = 8 << 20};
    uint64_t part = hf_write_log_part(8 << 20);

    ck_assert(!hf_network_judge(&node->network, &limited));
    hf_network_sent(&node->network, part - 1, true);
    ck_assert_uint_eq(node->turn.due, 0);
    hf_network_sent(&node->network, 100, true);
    ck_assert_uint_eq(node->turn.due, HF_DUE_STATUS);
    for (int save = 0; save < 3; save++) {
        ck_assert(!hf_network_judge(&node->network, &limited));
        node->network.day.unsaved = node->turn.due = 0;
        hf_network_sent(&node->network, part - 1, true);
        ck_assert_uint_eq(node->turn.due, 0);
        hf_network_sent(&node->network, 1, true);
        ck_assert_uint_eq(node->turn.due, HF_DUE_STATUS);
    }
    node_free(node);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, a_turn_for_each_save);
    tcase_add_test(tc, bytes_after_the_policy_is_gone);
    tcase_add_test(tc, the_gate_follows_the_policy_of_the_judgement);
}

HF_TEST_MAIN("agent/network", cases)
