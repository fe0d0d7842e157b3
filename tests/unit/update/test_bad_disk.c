/* SPDX-License-Identifier: Apache-2.0 */
/* The engine on a disk that fails for a while: what it left undone it does later, and what it cannot read it does not
 * take for absent. */
#include <errno.h>

#include "update_world.h"

/* The engine hears what is wanted once per interval, for `hours`. */
static void run_hours(unsigned hours)
{
    for (unsigned i = 0; i < 6 * hours; i++) {
        hf_simupdate_tell(w);
        hf_simupdate_look(w);
        hf_simupdate_run_for(w, 600 * HF_NS_PER_S);
    }
}

/* ---- a cleanup that fails ---------------------------------------------------------------------------------------- */

#define OLD "/opt/app/bin/.holdfast-app.old"

static bool exists(const char *path)
{
    struct stat st;

    return hf_simfs_stat(w->fs, path, &st);
}

/* v3 is committed on a file system that is read-only since the swap, so that v2 keeps its second name. */
static void commit_without_cleanup(void)
{
    hf_simfs_mount(w->fs, "/opt/app");
    update_to(&(struct hf_sim_release){.content = "v2"});
    begin(&(struct hf_sim_release){.content = "v3", .sequence = 3});
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_PROBATION));
    hf_simfs_set_read_only(w->fs, "/opt/app", true);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert(exists(OLD));
    hf_simfs_set_read_only(w->fs, "/opt/app", false);
}

/* A disk that was read-only for a minute does not keep the old version for ever, and nobody needs to start the agent
 * again. A release that nobody wants any more (second row) is cleaned up, too. */
START_TEST(cleanup_comes_later)
{
    commit_without_cleanup();
    if (_i == 1)
        hf_simupdate_withdraw(w, "app");
    hf_simupdate_run_for(w, 2 * 3600 * HF_NS_PER_S);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v3");
    expect_clean();
}
END_TEST

/* While the disk stays read-only, the status is that of the commit, and the tries are far apart. */
START_TEST(cleanup_fails_for_a_day)
{
    commit_without_cleanup();
    hf_simfs_set_read_only(w->fs, "/opt/app", true);
    hf_simupdate_run_for(w, 2 * 3600 * HF_NS_PER_S);
    uint64_t calls = hf_simfs_calls(w->fs);
    hf_simupdate_run_for(w, 24 * 3600 * HF_NS_PER_S);
    ck_assert_uint_lt(hf_simfs_calls(w->fs) - calls, 24 * 5 * 100);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    hf_simfs_set_read_only(w->fs, "/opt/app", false);
    hf_simupdate_run_for(w, 2 * 3600 * HF_NS_PER_S);
    expect_clean();
}
END_TEST

/* The old file that such a cleanup has left is not the version to which an update goes back: neither at its start, when
 * its artifact cannot be had, nor after its checks have failed. */
START_TEST(what_the_cleanup_left_is_not_restored)
{
    commit_without_cleanup();
    w->answer.fail = -EHOSTUNREACH;
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "broken", .sequence = 4});
    hf_simupdate_serve(w);
    run_hours(1);
    expect("app", HF_PHASE_WAITING, "DownloadFailed");
    expect_target("v3");
    ck_assert(!exists(OLD));

    w->answer.fail = 0;
    hf_simupdate_serve(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_ROLLED_BACK, "HealthDeadline");
    expect_target("v3");
    ck_assert_str_eq(w->running, "v3");
    expect_clean();
}
END_TEST

/* ---- a download whose sync fails --------------------------------------------------------------------------------- */

static void check_no_mismatch(struct hf_simupdate *world)
{
    ck_assert_str_ne(hf_simupdate_see(world, "app").reason, "HashMismatch");
}

/* The disk fails at its call `n`, and works again; with `breaks`, the link breaks in the middle of the download, too.
 * False: the update has fewer than n calls. */
static bool fail_once(uint64_t n, bool breaks)
{
    struct hf_simupdate *each = hf_simupdate_new(n);

    hf_simupdate_put_old(each, "v1");
    each->check = check_no_mismatch;
    each->answer.cut_after = breaks ? HF_SIM_CONTENT / 2 : 0;
    hf_simupdate_publish(each, &(struct hf_sim_release){.content = "v2"});
    hf_simfs_count_only(each->fs, HF_SIMFS_WRITES);
    hf_simfs_fail_at(each->fs, n, EIO, 1);
    hf_simupdate_boot(each);
    if (each->engine == NULL) {
        hf_simupdate_stop(each);
        hf_simupdate_boot(each);
    }
    (void)hf_simupdate_until_phase(each, "app", HF_PHASE_FETCHING);
    if (hf_simupdate_see(each, "app").phase == HF_PHASE_FETCHING)
        (void)hf_simupdate_until_phase(each, "app", HF_PHASE_WAITING);
    each->answer.cut_after = 0;
    hf_simupdate_serve(each);
    ck_assert(hf_simupdate_settle(each));
    bool failed = hf_simfs_failed(each->fs) > 0;
    struct hf_sim_seen seen = hf_simupdate_see(each, "app");
    ck_assert_msg(seen.phase == HF_PHASE_COMMITTED, "call %d: %s %s (%s)", (int)n, hf_phase_name(seen.phase),
                  seen.reason, seen.message);
    ck_assert_msg(seen.bytes_fetched <= 2 * HF_SIM_CONTENT, "call %d: %d bytes", (int)n, (int)seen.bytes_fetched);
    hf_simupdate_free(each);
    return failed;
}

/* What a failed sync has lost is not recorded as synced: no download ends with the wrong hash, and begins anew. */
START_TEST(one_failing_sync)
{
    for (uint64_t n = 1; fail_once(n, _i == 1); n++)
        ;
}
END_TEST

/* ---- a floor that cannot be read --------------------------------------------------------------------------------- */

static void want_v3(void)
{
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v3", .sequence = 3});
    hf_simupdate_tell(w);
}

/* With one bad sector the next update goes on, and its commit replaces the file. */
START_TEST(one_copy_of_the_floor_is_unreadable)
{
    update_to(&(struct hf_sim_release){.content = "v2"});
    hf_simupdate_stop(w);
    hf_simfs_set_unreadable(w->fs, _i == 0 ? UPDATES "/app/floor.0" : UPDATES "/app/floor.1", true);
    hf_simupdate_boot(w);
    want_v3();
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v3");
    hf_simfs_delete(w->fs, _i == 0 ? UPDATES "/app/floor.1" : UPDATES "/app/floor.0");
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v2", .sequence = 2});
    hf_simupdate_stop(w);
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_REJECTED, "SequenceTooLow");
    expect_target("v3");
}
END_TEST

/* With both, nothing starts, and the status does not say that all is well. */
START_TEST(both_copies_of_the_floor_are_unreadable)
{
    update_to(&(struct hf_sim_release){.content = "v2"});
    hf_simupdate_stop(w);
    hf_simfs_set_unreadable(w->fs, UPDATES "/app/floor.0", true);
    hf_simfs_set_unreadable(w->fs, UPDATES "/app/floor.1", true);
    hf_simupdate_boot(w);
    want_v3();
    run_hours(24);
    expect("app", HF_PHASE_COMMITTED, "IoError");
    const char *message = hf_simupdate_see(w, "app").message;
    ck_assert_msg(strstr(message, "/app/floor.") != NULL, "%s", message);
    expect_target("v2");

    hf_simfs_set_unreadable(w->fs, UPDATES "/app/floor.0", false);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v3");
    expect_clean();
}
END_TEST

/* A commit that cannot raise the floor says so until it can. */
START_TEST(floor_cannot_be_raised)
{
    hf_simfs_mount(w->fs, UPDATES);
    update_to(&(struct hf_sim_release){.content = "v2"});
    hf_simupdate_stop(w);
    hf_simfs_delete(w->fs, UPDATES "/app/floor.1");
    hf_simupdate_boot(w);
    hf_simfs_set_read_only(w->fs, UPDATES, true);
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    expect("app", HF_PHASE_COMMITTED, "StateNotWritable");
    hf_simfs_set_read_only(w->fs, UPDATES, false);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
}
END_TEST

/* ---- a journal that cannot be read ------------------------------------------------------------------------------- */

#define JOURNAL UPDATES "/app/journal"

/* The next process cannot read the journal. */
static void boot_unread(void)
{
    hf_simupdate_kill(w);
    hf_simfs_set_unreadable(w->fs, JOURNAL, true);
    hf_simupdate_boot(w);
    ck_assert_msg(w->engine != NULL, "one journal stops the whole agent");
}

/* Other releases go on, and the status says what is the matter. */
START_TEST(journal_is_unreadable)
{
    update_to(&(struct hf_sim_release){.content = "v2"});
    boot_unread();
    want_v3();
    hf_simupdate_publish(
        w,
        &(struct hf_sim_release){
            .name = "other", .content = "v3", .path = "/usr/local/bin/other", .no_restart = true, .no_checks = true});
    hf_simupdate_tell(w);
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    expect("other", HF_PHASE_COMMITTED, "NoHealthChecks");
    expect("app", HF_PHASE_WAITING, "IoError");
    struct hf_sim_seen seen = hf_simupdate_see(w, "app");
    ck_assert_msg(strstr(seen.message, "'" JOURNAL "': Input/output error") != NULL, "%s", seen.message);
    ck_assert(!seen.settled);
    expect_target("v2");
    ck_assert(!exists(JOURNAL ".damaged"));

    hf_simfs_set_unreadable(w->fs, JOURNAL, false);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v3");
    ck_assert_str_eq(hf_simupdate_see(w, "app").from, "v2");
    expect_clean();
}
END_TEST

/* Another release that wants the same path does not take it meanwhile. */
START_TEST(an_unread_release_keeps_its_path)
{
    update_to(&(struct hf_sim_release){.content = "v2"});
    update_to(&(struct hf_sim_release){.name = "zz", .content = "v3"});
    expect("zz", HF_PHASE_REJECTED, "PathTaken");
    boot_unread();
    hf_simupdate_run_for(w, 5 * HF_NS_PER_S);
    expect("app", HF_PHASE_WAITING, "IoError");
    expect_target("v2");
    hf_simfs_set_unreadable(w->fs, JOURNAL, false);
    hf_simupdate_run_for(w, 600 * HF_NS_PER_S);
    expect_target("v2");
    expect("zz", HF_PHASE_REJECTED, "PathTaken");
}
END_TEST

static const struct {
    enum hf_phase phase;
    const char *content, *target; /* wanted; in place while nobody knows the phase */
} stopped_in[] = {
    {HF_PHASE_FETCHING, "v2", "v1"},        {HF_PHASE_PATCHING, "v2", "v1"},
    {HF_PHASE_VERIFIED, "v2", "v1"},        {HF_PHASE_PROBATION, "v2", "v2"},
    {HF_PHASE_PROBATION, "broken", NULL},   {HF_PHASE_ROLLING_BACK, "broken", NULL},
    {HF_PHASE_ROLLED_BACK, "broken", "v1"},
};

/* The update stays as it is, in whatever phase, and goes on when the journal can be read. */
START_TEST(journal_is_unreadable_for_a_while)
{
    bool good = strcmp(stopped_in[_i].content, "v2") == 0;
    char before[24];

    begin(&(struct hf_sim_release){.content = stopped_in[_i].content, .delta_from = "v1"});
    ck_assert(hf_simupdate_until_phase(w, "app", stopped_in[_i].phase));
    (void)snprintf(before, sizeof(before), "%s", hf_simupdate_target(w, HF_SIM_TARGET));
    ck_assert(stopped_in[_i].target == NULL || strcmp(before, stopped_in[_i].target) == 0);
    boot_unread();
    uint64_t changes = hf_simfs_changes(w->fs);
    for (int i = 0; i < 30; i++) {
        hf_simupdate_tell(w);
        hf_simupdate_run_for(w, 100 * HF_NS_PER_S);
    }
    expect("app", HF_PHASE_WAITING, "IoError");
    expect_target(before);
    ck_assert_uint_eq(hf_simfs_changes(w->fs), changes);

    hf_simfs_set_unreadable(w->fs, JOURNAL, false);
    ck_assert(hf_simupdate_settle(w));
    expect("app", good ? HF_PHASE_COMMITTED : HF_PHASE_ROLLED_BACK, good ? "HealthPassed" : "HealthDeadline");
    expect_target(good ? "v2" : "v1");
    expect_clean();
}
END_TEST

/* A release that nobody wants any more is not forgotten because nobody knows it. */
START_TEST(journal_of_an_unwanted_release_is_unreadable)
{
    update_to(&(struct hf_sim_release){.content = "v2"});
    hf_simupdate_withdraw(w, "app");
    boot_unread();
    hf_simupdate_run_for(w, 1800 * HF_NS_PER_S);
    ck_assert(exists(JOURNAL));
    expect("app", HF_PHASE_WAITING, "IoError");
    hf_simfs_set_unreadable(w->fs, JOURNAL, false);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");

    /* Out of memory, with its history on disk only: the same holds when it is wanted again. */
    hf_simfs_set_unreadable(w->fs, JOURNAL, true);
    want_v3();
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    expect("app", HF_PHASE_WAITING, "IoError");
    hf_simfs_set_unreadable(w->fs, JOURNAL, false);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v3");
}
END_TEST

/* After an hour the medium is bad, and the journal counts as damaged: the update begins anew, from the old version. */
START_TEST(journal_is_unreadable_for_ever)
{
    begin(&(struct hf_sim_release){.content = "v2"});
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_PROBATION));
    boot_unread();
    hf_simupdate_run_for(w, 3590 * HF_NS_PER_S);
    expect("app", HF_PHASE_WAITING, "IoError");
    expect_target("v2");
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    ck_assert(exists(JOURNAL ".damaged"));
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v2");
    hf_simfs_delete(w->fs, JOURNAL ".damaged");
    expect_clean();
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, cleanup_comes_later, 0, 2);
    tcase_add_test(tc, cleanup_fails_for_a_day);
    tcase_add_test(tc, what_the_cleanup_left_is_not_restored);
    tcase_add_loop_test(tc, one_failing_sync, 0, 2);
    tcase_add_loop_test(tc, one_copy_of_the_floor_is_unreadable, 0, 2);
    tcase_add_test(tc, both_copies_of_the_floor_are_unreadable);
    tcase_add_test(tc, floor_cannot_be_raised);
    tcase_add_test(tc, an_unread_release_keeps_its_path);
    tcase_add_test(tc, journal_is_unreadable);
    tcase_add_loop_test(tc, journal_is_unreadable_for_a_while, 0, (int)HF_LEN(stopped_in));
    tcase_add_test(tc, journal_of_an_unwanted_release_is_unreadable);
    tcase_add_test(tc, journal_is_unreadable_for_ever);
}

HF_TEST_MAIN("update/bad disk", cases)
