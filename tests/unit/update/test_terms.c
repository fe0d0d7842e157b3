/* SPDX-License-Identifier: Apache-2.0 */
/* The signed terms of a release as the engine keeps them: expires, downgradeFrom, download; releases of earlier
 * versions; the floor of sequences when its folder is lost or changed by others. */
#include <errno.h>

#include "codec/seal.h"
#include "update/state/floor.h"
#include "update/state/journal.h"
#include "update_world.h"

#define STATE_OF_APP UPDATES "/app"
#define COPY "/opt/.holdfast-floors/app"

static json_t *in_release(const char *field, json_t *value)
{
    return json_pack("{s:{s:{s:o}}}", "spec", "release", field, value);
}

static void expect_message(const char *part)
{
    ck_assert_msg(strstr(hf_simupdate_see(w, "app").message, part) != NULL, "'%s' is not in '%s'", part,
                  hf_simupdate_see(w, "app").message);
}

/* ---- releases of earlier versions ----------------------------------------------------------------------------------- */

static const struct {
    bool no_expiry, packed, no_download, allow_downgrade;
    const char *message;
} outdated[] = {
    {.no_expiry = true, .message = "expires is missing"},
    {.packed = true, .no_download = true, .message = "has no download"},
    {.allow_downgrade = true, .message = "sign downgradeFrom"},
};

static struct hf_sim_release outdated_release(int i)
{
    return (struct hf_sim_release){.content = "v2",
                                   .sequence = 2,
                                   .no_expiry = outdated[i].no_expiry,
                                   .packed = outdated[i].packed,
                                   .no_download = outdated[i].no_download,
                                   .patch =
                                       outdated[i].allow_downgrade ? in_release("allowDowngrade", json_true()) : NULL};
}

START_TEST(outdated_is_refused_by_name)
{
    struct hf_sim_release release = outdated_release(_i);

    update_to(&release);
    expect("app", HF_PHASE_REJECTED, "OldFormat");
    expect_message(outdated[_i].message);
    expect_target("v1");
    ck_assert_uint_eq(hf_fake_http_count(w->http), 0);
    expect_clean();
}
END_TEST

/* The state that an earlier agent left after it had committed the wanted release: its journal, and a floor that is only
 * a number. */
static void pretend_committed(void)
{
    const struct hf_fs_ops *fs = hf_simfs_ops(w->fs);
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_JOURNAL_MAX_BYTES), floor = HF_BUF_INIT(1024);
    _cleanup_(hf_json_freep) json_t *kept = NULL;
    struct hf_journal j = {.name = "app"};

    ck_assert_int_eq(hf_journal_load(fs, STATE_OF_APP, &j, &kept, NULL), 0);
    j.phase = HF_PHASE_COMMITTED;
    j.reason = HF_R_HealthPassed;
    j.good_sequence = j.sequence;
    memcpy(j.good_digest, j.digest, sizeof(j.good_digest));
    (void)snprintf(j.good_version, sizeof(j.good_version), "%s", j.version);
    ck_assert_int_eq(hf_journal_format(&j, kept, &text), 0);
    ck_assert_int_eq(hf_journal_save(fs, STATE_OF_APP, hf_buf_view(&text), NULL), 0);
    ck_assert_int_eq(hf_seal_format("floor", 1, HF_VIEW("2"), &floor), 0);
    hf_simfs_put(w->fs, STATE_OF_APP "/floor.0", floor.p, floor.n, 0600);
    hf_simfs_put(w->fs, STATE_OF_APP "/floor.1", floor.p, floor.n, 0600);
}

START_TEST(outdated_is_kept_and_repaired)
{
    struct hf_sim_release release = outdated_release(_i);

    update_to(&release);
    hf_simupdate_stop(w);
    pretend_committed();
    hf_simupdate_put_old(w, "v2");
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    w->check = NULL;
    hf_simfs_put(w->fs, HF_SIM_TARGET, "changed", 7, 0755);
    hf_simupdate_look(w);
    hf_simupdate_run_for(w, 61 * HF_NS_PER_S);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v2");
    /* A lower sequence is still refused, and so is another release with the same one. */
    update_to(&(struct hf_sim_release){.content = "v3", .sequence = 1});
    expect("app", HF_PHASE_REJECTED, "SequenceTooLow");
    update_to(&(struct hf_sim_release){.content = "v3", .sequence = 2});
    expect("app", HF_PHASE_REJECTED, "SequenceReused");
    expect_target("v2");
}
END_TEST

/* ---- the way down --------------------------------------------------------------------------------------------------- */

START_TEST(a_downgrade_serves_once)
{
    struct hf_sim_release down = {.content = "v1", .sequence = 3};

    update_to(&(struct hf_sim_release){.content = "v2", .sequence = 5});
    down.patch = in_release("downgradeFrom", json_pack("[i,i]", 5, 6));
    update_to(&down);
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    /* It stays while it runs: repair, restart, a lost journal. */
    hf_simupdate_stop(w);
    hf_simfs_delete(w->fs, STATE_OF_APP "/journal");
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "AlreadyInstalled");
    expect_target("v1");
    /* Up again, and then the old downgrade once more, although it lists the new sequence. */
    update_to(&(struct hf_sim_release){.content = "v3", .sequence = 6});
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    down.patch = in_release("downgradeFrom", json_pack("[i,i]", 5, 6));
    update_to(&down);
    expect("app", HF_PHASE_REJECTED, "DowngradeUsed");
    expect_target("v3");
    expect_clean();
}
END_TEST

/* A downgrade that fails its checks has not been used, and the node keeps its way up. */
START_TEST(a_downgrade_that_fails)
{
    update_to(&(struct hf_sim_release){.content = "v2", .sequence = 5});
    update_to(&(struct hf_sim_release){
        .content = "broken", .sequence = 3, .patch = in_release("downgradeFrom", json_pack("[i]", 5))});
    expect("app", HF_PHASE_ROLLED_BACK, "HealthDeadline");
    expect_target("v2");
    update_to(&(struct hf_sim_release){
        .content = "v1", .sequence = 4, .patch = in_release("downgradeFrom", json_pack("[i]", 5))});
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v1");
}
END_TEST

/* ---- a lost state folder -------------------------------------------------------------------------------------------- */

static void lose_state(void)
{
    static const char *const files[] = {"/journal", "/floor.0", "/floor.1"};
    char path[128];

    hf_simupdate_stop(w);
    for (size_t i = 0; i < HF_LEN(files); i++) {
        (void)snprintf(path, sizeof(path), STATE_OF_APP "%s", files[i]);
        hf_simfs_delete(w->fs, path);
    }
    hf_simfs_delete(w->fs, STATE_OF_APP);
}

static const char *const replayed_to[] = {NULL, "/opt/elsewhere/app", "/usr/local/app"};

START_TEST(the_copy_holds_when_the_state_is_lost)
{
    update_to(&(struct hf_sim_release){.content = "v2", .sequence = 5});
    lose_state();
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v1", .sequence = 4, .path = replayed_to[_i]});
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_REJECTED, "SequenceTooLow");
    expect_target("v2");
    /* The release that runs goes on, and the state folder has its floor again. */
    struct hf_sequence_history floor;
    unsigned damaged;
    update_to(&(struct hf_sim_release){.content = "v2", .sequence = 5});
    expect("app", HF_PHASE_COMMITTED, "AlreadyInstalled");
    ck_assert_int_eq(hf_floor_load(hf_simfs_ops(w->fs), STATE_OF_APP, &floor, &damaged, NULL), 0);
    ck_assert_uint_eq(floor.top.sequence, 5);
}
END_TEST

/* What somebody else can write does not count: it could only be there to block updates. */
static void open_to_others(void)
{
    hf_simfs_chmod(w->fs, COPY, 0666);
}

static void of_another_user(void)
{
    hf_simfs_chown(w->fs, COPY, 4321, 0);
}

static void folder_open_to_others(void)
{
    hf_simfs_chmod(w->fs, "/opt/.holdfast-floors", 0777);
}

static void damaged(void)
{
    hf_simfs_put(w->fs, COPY, "rubbish", 7, 0600);
}

static void (*const spoils[])(void) = {open_to_others, of_another_user, folder_open_to_others, damaged};

START_TEST(a_copy_that_others_can_write_does_not_count)
{
    update_to(&(struct hf_sim_release){.content = "v2", .sequence = 5});
    update_to(&(struct hf_sim_release){.content = "v1", .sequence = 4});
    expect("app", HF_PHASE_REJECTED, "SequenceTooLow");
    lose_state();
    spoils[_i]();
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
}
END_TEST

/* The folder of the copies is nobody's install path. */
START_TEST(no_release_installs_over_the_copies)
{
    update_to(&(struct hf_sim_release){.content = "v2", .path = "/opt/.holdfast-floors/other"});
    expect("app", HF_PHASE_REJECTED, "PathNotAllowed");
}
END_TEST

/* ---- the packed download -------------------------------------------------------------------------------------------- */

/* The server sends another packed file, which would unpack well. */
START_TEST(another_packed_file)
{
    _cleanup_(hf_buf_done) struct hf_buf packed = HF_BUF_INIT(1 << 20);

    begin(&(struct hf_sim_release){.content = "v3", .packed = true, .name = "other", .path = "/opt/other"});
    const struct hf_buf *v3 = hf_strmap_get(&w->files, "http://files/v3.zst");
    ck_assert_int_eq(hf_buf_add(&packed, v3->p, v3->n), 0);
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v2", .packed = true});
    struct hf_buf *v2 = hf_strmap_get(&w->files, "http://files/v2.zst");
    packed.n = v2->n < packed.n ? v2->n : packed.n;
    memcpy(v2->p, packed.p, packed.n);
    hf_simupdate_serve(w);
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    ck_assert_str_eq(hf_simupdate_see(w, "app").reason, "HashMismatch");
    expect_message("the download is");
    expect_target("v1");
}
END_TEST

static void terms(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, outdated_is_refused_by_name, 0, HF_LEN(outdated));
    tcase_add_loop_test(tc, outdated_is_kept_and_repaired, 0, HF_LEN(outdated));
    tcase_add_test(tc, a_downgrade_serves_once);
    tcase_add_test(tc, a_downgrade_that_fails);
    tcase_add_loop_test(tc, the_copy_holds_when_the_state_is_lost, 0, HF_LEN(replayed_to));
    tcase_add_loop_test(tc, a_copy_that_others_can_write_does_not_count, 0, HF_LEN(spoils));
    tcase_add_test(tc, no_release_installs_over_the_copies);
    tcase_add_test(tc, another_packed_file);
}
HF_TEST_MAIN("update/terms", terms)
