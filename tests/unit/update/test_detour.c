/* SPDX-License-Identifier: Apache-2.0 */
/* Cases in which the shortest chain is not taken: a delta that needs more memory than the agent may use, or that killed
 * the agent. */
#include "update_world.h"

#define CGROUP "/sys/fs/cgroup/system.slice/holdfast-agent.service"

static void put_text(const char *path, const char *text)
{
    hf_simfs_put(w->fs, path, text, strlen(text), 0444);
}

/* A systemd service with its own memory limit, on a machine with plenty of memory. */
static void put_cgroup(const char *limit)
{
    put_text("/proc/meminfo", "MemAvailable:    4194304 kB\n");
    put_text("/proc/self/cgroup", "0::/system.slice/holdfast-agent.service\n");
    put_text("/proc/self/mountinfo", "28 22 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n");
    put_text("/sys/fs/cgroup/memory.max", "max\n");
    put_text(CGROUP "/memory.max", limit);
    put_text(CGROUP "/memory.current", "11534336\n");
}

/* The limit of the agent's cgroup decides, not the memory of the machine, and the status says so. */
START_TEST(a_delta_for_more_memory_than_the_agent_may_have)
{
    hf_simupdate_put_old(w, "v1");
    put_cgroup("100663296\n");
    begin(&(struct hf_sim_release){
        .content = "v2", .delta_from = "v1", .delta_requires = json_pack("{s:s}", "memory", "277Mi")});
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_FETCHING));
    expect("app", HF_PHASE_FETCHING, "DeltaUnfit");
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    struct hf_sim_seen seen = hf_simupdate_see(w, "app");
    ck_assert_str_eq(seen.method, "Full");
    ck_assert_msg(strstr(seen.message, " needs 277 MiB of memory, 61 MiB may be used (memory.max of cgroup "
                                       "/system.slice/holdfast-agent.service): takes the whole file") != NULL,
                  "%s", seen.message);
    expect_target("v2");
    expect_clean();
    put_cgroup("max\n"); /* the next update uses the new limit, without a restart */
    update_to(&(struct hf_sim_release){
        .content = "v3", .sequence = 3, .delta_from = "v2", .delta_requires = json_pack("{s:s}", "memory", "277Mi")});
    seen = hf_simupdate_see(w, "app");
    ck_assert_str_eq(seen.method, "Delta");
    ck_assert_ptr_null(strstr(seen.message, "may be used"));
}
END_TEST

#define ATTEMPT UPDATES "/app/attempt"

/* The agent dies at call n of its first process. */
static bool die_at(uint64_t n, bool *ret_in_delta)
{
    struct stat st;

    hf_simupdate_put_old(w, "v1");
    hf_simfs_stop_at(w->fs, n);
    begin(&(struct hf_sim_release){.content = "v2", .delta_from = "v1"});
    (void)hf_simupdate_settle(w);
    bool died = hf_simfs_stopped(w->fs);
    hf_simupdate_kill(w);
    *ret_in_delta = died && hf_simfs_stat(w->fs, ATTEMPT, &st);
    return died;
}

/* kill -9 at every call: after one death in the middle of the delta, the update uses another one or the whole file. */
START_TEST(killed_while_a_delta_is_applied)
{
    unsigned in_delta = 0;
    bool was_in_delta;

    for (uint64_t n = 1; die_at(n, &was_in_delta); n++) {
        hf_simupdate_boot(w);
        ck_assert(hf_simupdate_settle(w));
        expect("app", HF_PHASE_COMMITTED, "HealthPassed");
        struct hf_sim_seen seen = hf_simupdate_see(w, "app");
        ck_assert_str_eq(seen.method, was_in_delta ? "Full" : "Delta");
        ck_assert_uint_le(seen.attempts, was_in_delta ? 2 : 3); /* an unfinished download takes another attempt */
        ck_assert_uint_lt(seen.bytes_fetched, was_in_delta ? HF_SIM_CONTENT + 5000 : 5000);
        ck_assert_msg((strstr(seen.message, "the agent died while it applied the delta from ") != NULL) == was_in_delta,
                      "%d: %s", (int)n, seen.message);
        expect_target("v2");
        expect_clean();
        in_delta += was_in_delta;
        teardown();
        setup();
    }
    ck_assert_uint_ge(in_delta, 3);
}
END_TEST

/* A power cut in the middle does not count against the delta. */
START_TEST(a_power_cut_while_a_delta_is_applied)
{
    bool in_delta = false;

    for (uint64_t n = 1; !in_delta; n++) {
        teardown();
        setup();
        ck_assert(die_at(n, &in_delta));
    }
    hf_simupdate_power_cut(w, 7);
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_str_eq(hf_simupdate_see(w, "app").method, "Delta");
    ck_assert_ptr_null(strstr(hf_simupdate_see(w, "app").message, "died"));
    expect_target("v2");
    expect_clean();
}
END_TEST

static void all(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_delta_for_more_memory_than_the_agent_may_have);
    tcase_add_test(tc, killed_while_a_delta_is_applied);
    tcase_add_test(tc, a_power_cut_while_a_delta_is_applied);
}

HF_TEST_MAIN_CPU("update/detour", all, 120)
