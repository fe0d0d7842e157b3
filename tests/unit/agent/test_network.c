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

static void run_turn(void *arg)
{
    ++*(unsigned *)arg;
}

/* A new version of the policy frees the old one at once; the next turn judges the new one. */
START_TEST(bytes_after_the_policy_is_gone)
{
    struct hf_simloop *loop = hf_simloop_new(0);
    struct hf_simproc *proc = hf_simproc_new(loop, "node");
    struct hf_home home = {.dir = ""};
    const struct hf_clock_file nothing = {0};
    const struct hf_agent_params params = {.home = &home};
    struct hf_policy_connectivity *policy = calloc(1, sizeof(*policy));
    const struct hf_policy_connectivity unlimited = {.max_bytes_per_day = 0};
    struct hf_network network;
    struct hf_turn turn;
    unsigned turns = 0;

    ck_assert_ptr_nonnull(policy);
    hf_clock_init(&home.clock, hf_simproc_clock(proc), &nothing);
    ck_assert_int_eq(hf_turn_init(&turn, hf_simproc_sched(proc), run_turn, &turns), 0);
    const struct hf_agent_env env = {.params = &params, .clock = hf_simproc_clock(proc), .turn = &turn};
    hf_network_init(&network, &env);
    policy->max_bytes_per_day = DAY_BYTES;
    ck_assert(!hf_network_judge(&network, policy));
    free(policy);

    hf_network_sent(&network, DAY_BYTES - 1, true);
    ck_assert_uint_eq(turn.due, 0);
    hf_network_sent(&network, 1, true);
    ck_assert_uint_eq(turn.due, HF_DUE_STATUS);
    ck_assert_uint_eq(hf_network_status(&network).max_bytes_per_day, DAY_BYTES);

    ck_assert(!hf_network_judge(&network, &unlimited));
    ck_assert_uint_eq(hf_network_status(&network).max_bytes_per_day, 0);
    ck_assert_uint_eq(hf_network_status(&network).bytes_today, DAY_BYTES);
    hf_turn_done(&turn);
    hf_simproc_free(proc);
    hf_simloop_free(loop);
}
END_TEST

/* The last allowed byte closes the gate at the next judgement; a policy without a limit opens it. */
START_TEST(the_gate_follows_the_policy_of_the_judgement)
{
    struct hf_simloop *loop = hf_simloop_new(0);
    struct hf_simproc *proc = hf_simproc_new(loop, "node");
    struct hf_home home = {.dir = ""};
    const struct hf_clock_file nothing = {0};
    const struct hf_agent_params params = {.home = &home};
    const struct hf_policy_connectivity limited = {.max_bytes_per_day = DAY_BYTES}, unlimited = {.windows = NULL};
    struct hf_network network;
    struct hf_turn turn;
    unsigned turns = 0;

    hf_clock_init(&home.clock, hf_simproc_clock(proc), &nothing);
    ck_assert_int_eq(hf_turn_init(&turn, hf_simproc_sched(proc), run_turn, &turns), 0);
    const struct hf_agent_env env = {.params = &params, .clock = hf_simproc_clock(proc), .turn = &turn};
    hf_network_init(&network, &env);
    ck_assert(!hf_network_judge(&network, &limited));
    hf_network_sent(&network, DAY_BYTES, true);
    ck_assert(hf_network_judge(&network, &limited));
    ck_assert_int_eq(network.gate, HF_LINK_QUOTA_USED);
    ck_assert(!hf_network_judge(&network, &limited));
    ck_assert(hf_network_judge(&network, &unlimited));
    ck_assert_int_eq(network.gate, HF_LINK_OPEN);
    hf_turn_done(&turn);
    hf_simproc_free(proc);
    hf_simloop_free(loop);
}
END_TEST

/* The turn looks whenever enough bytes for a save are unsaved, also where the last save came in the middle of a
 * part. */
START_TEST(a_turn_for_each_save)
{
    struct hf_simloop *loop = hf_simloop_new(0);
    struct hf_simproc *proc = hf_simproc_new(loop, "node");
    struct hf_home home = {.dir = ""};
    const struct hf_clock_file nothing = {0};
    const struct hf_agent_params params = {.home = &home};
    const struct hf_policy_connectivity limited = {.max_bytes_per_day = 8 << 20};
    uint64_t part = hf_write_log_part(8 << 20);
    struct hf_network network;
    struct hf_turn turn;
    unsigned turns = 0;

    hf_clock_init(&home.clock, hf_simproc_clock(proc), &nothing);
    ck_assert_int_eq(hf_turn_init(&turn, hf_simproc_sched(proc), run_turn, &turns), 0);
    const struct hf_agent_env env = {.params = &params, .clock = hf_simproc_clock(proc), .turn = &turn};
    hf_network_init(&network, &env);
    ck_assert(!hf_network_judge(&network, &limited));
    hf_network_sent(&network, part - 1, true);
    ck_assert_uint_eq(turn.due, 0);
    hf_network_sent(&network, 100, true);
    ck_assert_uint_eq(turn.due, HF_DUE_STATUS);
    for (int save = 0; save < 3; save++) {
        ck_assert(!hf_network_judge(&network, &limited));
        network.day.unsaved = turn.due = 0;
        hf_network_sent(&network, part - 1, true);
        ck_assert_uint_eq(turn.due, 0);
        hf_network_sent(&network, 1, true);
        ck_assert_uint_eq(turn.due, HF_DUE_STATUS);
    }
    hf_turn_done(&turn);
    hf_simproc_free(proc);
    hf_simloop_free(loop);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, a_turn_for_each_save);
    tcase_add_test(tc, bytes_after_the_policy_is_gone);
    tcase_add_test(tc, the_gate_follows_the_policy_of_the_judgement);
}

HF_TEST_MAIN("agent/network", cases)
