/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks of a release, on virtual time and a virtual disk: when they run, what they know, and what their failure does. */
#include <errno.h>

#include "update_world.h"

/* What happened, in order: the first letter of the program, and of the content that was installed (1, 2 or b). */
static char told[256];
static const char *failing; /* this program exits with 1; NULL: none */
static int outcome;         /* of the failing one, instead of its exit code */
static void (*meanwhile)(void);

static int run(struct hf_simupdate *world, const char *const *argv, int *ret_exit_code)
{
    const char *is = hf_simupdate_target(world, HF_SIM_TARGET);
    size_t n = strlen(told);
    bool fails = failing != NULL && strcmp(argv[0], failing) == 0;

    (void)snprintf(told + n, sizeof(told) - n, "%s%s@%s", n > 0 ? " " : "", argv[0] + 1, is);
    if (meanwhile != NULL)
        meanwhile();
    *ret_exit_code = fails ? 1 : 0;
    return fails ? outcome : 0;
}

static json_t *hooks(void)
{
    return json_pack("{s:{s:{s:{s:{s:[s,s],s:s},s:{s:[s]},s:{s:[s]}}}}}", "spec", "release", "hooks", "beforeSwap",
                     "argv", "/before", "all", "timeout", "90s", "afterSwap", "argv", "/after", "beforeRollback",
                     "argv", "/undo");
}

static void setup_hooks(void)
{
    setup();
    w->run = run;
    told[0] = '\0';
    failing = NULL;
    meanwhile = NULL;
    outcome = 0;
}

static void update_with_hooks(const char *content)
{
    update_to(&(struct hf_sim_release){.content = content, .delta_from = "v1", .patch = hooks()});
}

static void expect_told(const char *text)
{
    ck_assert_str_eq(told, text);
}

START_TEST(around_the_swap)
{
    update_with_hooks("v2");
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_told("before@v1 after@v2");
    expect_target("v2");
    ck_assert_uint_eq(w->restarts, 1);
    expect_clean();
}
END_TEST

/* The hook's whole environment, but for PATH. */
static const char *seen_env(void)
{
    const char *env = hf_simhost_env(w->host), *end = strchr(env, '\n');

    ck_assert(strncmp(env, "PATH=/usr/local/sbin:", 21) == 0);
    return end + 1;
}

static char env_before[1024], env_after[1024];

static void keep_env(void)
{
    char *to = strcmp(told, "before@v1") == 0 ? env_before : env_after;

    (void)snprintf(to, sizeof(env_before), "%s", seen_env());
}

START_TEST(what_a_hook_knows)
{
    char old_sha256[HF_SHA256_HEX], new_sha256[HF_SHA256_HEX], wanted[1024];
    size_t n;
    const void *bytes = hf_sim_content("v1", &n);

    (void)hf_sha256_hex(bytes, n, old_sha256);
    bytes = hf_sim_content("v2", &n);
    (void)hf_sha256_hex(bytes, n, new_sha256);
    meanwhile = keep_env;
    update_with_hooks("v2");
    for (unsigned i = 0; i < 2; i++) {
        (void)snprintf(wanted, sizeof(wanted),
                       "LANG=C\nHOLDFAST_HOOK=%s\nHOLDFAST_RELEASE=app\nHOLDFAST_VERSION=v2\nHOLDFAST_OLD_VERSION=\n"
                       "HOLDFAST_PATH=%s\nHOLDFAST_NEW_SHA256=%s\nHOLDFAST_OLD_SHA256=%s\n%s",
                       i == 0 ? "beforeSwap" : "afterSwap", HF_SIM_TARGET, new_sha256, old_sha256,
                       i == 0 ? "HOLDFAST_NEW_FILE=/opt/app/bin/.holdfast-app.new\n" : "");
        ck_assert_str_eq(i == 0 ? env_before : env_after, wanted);
    }
}
END_TEST

/* A failing beforeSwap leaves everything as it was, and is tried again; what was fetched is not fetched again. */
START_TEST(before_swap_fails)
{
    static const struct {
        int r;
        const char *says;
    } rows[] = {{0, "beforeSwap '/before': exit code 1: said something"}, {HF_SIMHOST_HANGS, "beforeSwap '/before'"}};

    failing = "/before";
    outcome = rows[_i].r;
    begin(&(struct hf_sim_release){.content = "v2", .patch = hooks()});
    hf_simupdate_run_for(w, 600 * HF_NS_PER_S);
    expect("app", HF_PHASE_VERIFIED, "HookFailed");
    ck_assert_ptr_nonnull(strstr(hf_simupdate_see(w, "app").message, rows[_i].says));
    expect_target("v1");
    ck_assert_str_eq(w->running, "v1");
    ck_assert_uint_eq(w->restarts, 0);
    ck_assert(w->execs >= 3 && w->execs <= 60);

    failing = NULL;
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_uint_eq(hf_simupdate_see(w, "app").attempts, 1);
    ck_assert_uint_eq(hf_simupdate_see(w, "app").bytes_fetched, HF_SIM_CONTENT);
    expect_target("v2");
    expect_clean();
}
END_TEST

/* While beforeSwap fails, another release may replace this one, or the object may go. */
START_TEST(before_swap_fails_and_another_is_wanted)
{
    failing = "/before";
    begin(&(struct hf_sim_release){.content = "v2", .patch = hooks()});
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    if (_i == 0) {
        update_to(&(struct hf_sim_release){.content = "v3", .sequence = 3});
        expect("app", HF_PHASE_COMMITTED, "HealthPassed");
        expect_target("v3");
    } else {
        hf_simupdate_withdraw(w, "app");
        ck_assert(hf_simupdate_settle(w));
        expect_target("v1");
    }
    expect_clean();
}
END_TEST

/* A failing hook does not keep other releases from their turn. */
START_TEST(others_go_on)
{
    failing = "/before";
    begin(&(struct hf_sim_release){.content = "v2", .patch = hooks()});
    hf_simupdate_publish(
        w, &(struct hf_sim_release){
               .name = "other", .content = "v3", .path = "/opt/app/bin/other", .no_restart = true, .no_checks = true});
    hf_simupdate_tell(w);
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    expect("app", HF_PHASE_VERIFIED, "HookFailed");
    expect("other", HF_PHASE_COMMITTED, "NoHealthChecks");
}
END_TEST

static void close_gate(void)
{
    w->turn_missing = true;
    hf_simupdate_tell(w);
}

/* The gate closes while the hook runs: no swap; when it opens, the hook comes again, right before the swap. */
START_TEST(gate_closes_during_the_hook)
{
    meanwhile = close_gate;
    begin(&(struct hf_sim_release){.content = "v2", .patch = hooks()});
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    expect("app", HF_PHASE_VERIFIED, "TurnPending");
    expect_told("before@v1");
    expect_target("v1");
    meanwhile = NULL;
    w->turn_missing = false;
    hf_simupdate_tell(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_told("before@v1 before@v1 after@v2");
}
END_TEST

static void spoil_new_file(void)
{
    if (strcmp(told, "before@v1") == 0)
        hf_simfs_put(w->fs, "/opt/app/bin/.holdfast-app.new", "evil", 4, 0755);
}

/* beforeSwap has the path of the verified file: what it changes there is never installed. */
START_TEST(hook_changes_the_new_file)
{
    meanwhile = spoil_new_file;
    begin(&(struct hf_sim_release){.content = "v2", .patch = hooks()});
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v2");
}
END_TEST

START_TEST(after_swap_fails)
{
    failing = "/after";
    update_with_hooks("v2");
    expect("app", HF_PHASE_ROLLED_BACK, "HookFailed");
    ck_assert_ptr_nonnull(strstr(hf_simupdate_see(w, "app").message, "afterSwap '/after': exit code 1"));
    expect_told("before@v1 after@v2 undo@v2");
    expect_target("v1");
    ck_assert_str_eq(w->running, "v1");
    expect_clean();
}
END_TEST

START_TEST(before_rollback)
{
    failing = _i == 1 ? "/undo" : NULL;
    update_with_hooks("broken");
    expect("app", HF_PHASE_ROLLED_BACK, "HealthDeadline");
    expect_told("before@v1 after@broken undo@broken");
    ck_assert(_i == 0 || strstr(hf_simupdate_see(w, "app").message, "beforeRollback '/undo': exit code 1") != NULL);
    expect_target("v1");
    ck_assert_str_eq(w->running, "v1");
    expect_clean();
}
END_TEST

/* The agent dies while a hook runs: it runs again. afterSwap that has ended does not. */
START_TEST(agent_dies_during_a_hook)
{
    begin(&(struct hf_sim_release){.content = "v2", .patch = hooks()});
    for (unsigned i = 0; i < 100000 && strlen(told) < (_i == 0 ? strlen("before@v1") : strlen("before@v1 after@v2"));
         i++)
        hf_simupdate_run_for(w, 100 * HF_NS_PER_MS / 100);
    hf_simupdate_kill(w);
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v2");
    ck_assert_ptr_nonnull(strstr(told, "after@v2"));
    expect_clean();
}
END_TEST

START_TEST(hook_not_allowed)
{
    w->only_exec = "/before";
    update_to(&(struct hf_sim_release){.content = "v2", .patch = hooks()});
    expect("app", HF_PHASE_REJECTED, "ExecNotAllowed");
    ck_assert_ptr_nonnull(strstr(hf_simupdate_see(w, "app").message, "hooks.afterSwap"));
    expect_told("");
}
END_TEST

START_TEST(not_in_a_pod)
{
    w->pod_mode = true;
    update_to(&(struct hf_sim_release){.content = "v2", .patch = hooks()});
    expect("app", HF_PHASE_INCOMPATIBLE, "NotInPod");
    ck_assert_ptr_nonnull(strstr(hf_simupdate_see(w, "app").message, "hooks.beforeSwap"));
    expect_told("");
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup_hooks, teardown);
    tcase_add_test(tc, around_the_swap);
    tcase_add_test(tc, what_a_hook_knows);
    tcase_add_loop_test(tc, before_swap_fails, 0, 2);
    tcase_add_loop_test(tc, before_swap_fails_and_another_is_wanted, 0, 2);
    tcase_add_test(tc, others_go_on);
    tcase_add_test(tc, gate_closes_during_the_hook);
    tcase_add_test(tc, hook_changes_the_new_file);
    tcase_add_test(tc, after_swap_fails);
    tcase_add_loop_test(tc, before_rollback, 0, 2);
    tcase_add_loop_test(tc, agent_dies_during_a_hook, 0, 2);
    tcase_add_test(tc, hook_not_allowed);
    tcase_add_test(tc, not_in_a_pod);
}

HF_TEST_MAIN_CPU("update/hooks", cases, 120)
