/* SPDX-License-Identifier: Apache-2.0 */
/* The actions `place` and `probe` of an entry to Files: from a set on disk to its phase, with the programs and units of
 * a node that this file lets fail. No engine and no source. */
#include <errno.h>
#include <string.h>

#include "manifests/rules/plan.h"
#include "manifests/targets/trial.h"
#include "support/bare_entry.h"
#include "support/check_main.h"

#define VALIDATE ",\"validate\":{\"command\":[\"/usr/bin/check\",\"{}\"]}"
#define RESTART ",\"restart\":{\"systemdUnit\":\"site.service\"}"
#define RELOAD ",\"reload\":{\"systemdUnit\":\"site.service\"}"
#define HEALTH ",\"healthDeadline\":\"10s\",\"healthChecks\":[{\"exec\":{\"command\":[\"/usr/bin/check\"]}}]"
#define ALLOWED "files: [/etc/site/**], exec: [/usr/bin/check], units: [site.service]"
#define FILE_A "/etc/site/a"

/* A set of one file, a, is on disk. */
static struct entry *set_up(struct hf_bare *bare, const char *json)
{
    hf_bare_init(bare, json);
    hf_bare_equip(bare, ALLOWED);
    hf_simfs_mkdir(bare->fs, "/etc", 0755);
    hf_bare_store(bare, &bare->entry->r.next, json, "a", "one");
    return bare->entry;
}

static void go(struct hf_bare *bare)
{
    bare->entry->actions->start[HF_MANIFEST_ACT_PLACE](bare->entry);
    hf_bare_run(bare);
}

static bool is_file(struct hf_bare *bare, const char *path, const char *text)
{
    size_t n;
    const char *bytes = hf_simfs_get(bare->fs, path, &n);

    return text == NULL ? bytes == NULL : bytes != NULL && n == strlen(text) && memcmp(bytes, text, n) == 0;
}

static void expect(const struct entry *entry, enum hf_manifest_phase phase, enum hf_manifest_reason reason,
                   const char *where)
{
    ck_assert_msg(entry->r.phase == phase && entry->r.reason == reason, "%s: %s %s: %s", where,
                  hf_manifest_phase_name(entry->r.phase), hf_manifest_reason_name(entry->r.reason), entry->r.message);
    ck_assert_msg(!entry->busy && entry->attempt == NULL, "%s", where);
}

/* ---- place ------------------------------------------------------------------------------------------------------- */

static void nothing(struct hf_bare *bare)
{
    (void)bare;
}

static void somebody_elses(struct hf_bare *bare)
{
    hf_simfs_put(bare->fs, FILE_A, "theirs", 6, 0644);
}

static void full(struct hf_bare *bare)
{
    hf_simfs_set_limit(bare->fs, "/", 1);
}

static void lost_content(struct hf_bare *bare)
{
    char path[200];

    (void)snprintf(path, sizeof(path), HF_BARE_FOLDER "/b-%s", bare->entry->r.next.digest);
    hf_simfs_delete(bare->fs, path);
}

static void forbidden(struct hf_bare *bare)
{
    bare->engine.p.env.config = NULL;
}

static void unreadable_mounts(struct hf_bare *bare)
{
    hf_simfs_put(bare->fs, "/proc/self/mountinfo", "", 0, 0444);
    hf_simfs_set_unreadable(bare->fs, "/proc/self/mountinfo", true);
}

static void refusing_program(struct hf_bare *bare)
{
    bare->answer.exit_code = 3;
}

static void hanging_program(struct hf_bare *bare)
{
    bare->answer.exec = HF_SIMHOST_HANGS;
}

static void old_backups(struct hf_bare *bare)
{
    hf_simfs_put(bare->fs, HF_BARE_FOLDER "/before.list", "old", 3, 0600);
}

static void unremovable_backups(struct hf_bare *bare)
{
    hf_simfs_mkdir(bare->fs, HF_BARE_FOLDER "/before.list", 0700); /* a folder is no list */
}

static void good_files_go(struct hf_bare *bare)
{
    static char paths[5][32];

    hf_bare_set(&bare->entry->r.good, HF_BARE_FILES(""), bare->entry->r.next.digest);
    for (size_t i = 0; i < HF_LEN(paths); i++) {
        (void)snprintf(paths[i], sizeof(paths[i]), "/etc/site/old-%zu", i);
        hf_simfs_put(bare->fs, paths[i], "x", 1, 0644);
        ck_assert_int_eq(
            hf_inventory_put(&bare->entry->inventory, &(struct hf_inventory_item){.path = paths[i], .mode = 0644}), 0);
    }
}

static void allowed_to_go(struct hf_bare *bare)
{
    char text[100];

    good_files_go(bare);
    (void)snprintf(text, sizeof(text), "site:%.12s", bare->entry->r.next.digest);
    bare->engine.allow_prune = strdup(text);
}

static void signed_before(struct hf_bare *bare)
{
    bare->entry->r.signed_in_place = true;
}

static void signed_at(struct hf_bare *bare, const char *path)
{
    char placed[32];

    signed_before(bare);
    (void)snprintf(placed, sizeof(placed), "%s", path);
    ck_assert_int_eq(
        hf_inventory_put(&bare->entry->inventory, &(struct hf_inventory_item){.path = placed, .mode = 0644}), 0);
}

static void signed_here(struct hf_bare *bare)
{
    signed_at(bare, "/etc/site/old");
}

/* Where this unsigned set may not write. */
static void signed_elsewhere(struct hf_bare *bare)
{
    signed_at(bare, "/etc/other/old");
}

START_TEST(places)
{
    static const struct {
        const char *json;
        void (*prepare)(struct hf_bare *bare);
        enum hf_manifest_phase phase;
        enum hf_manifest_reason reason;
        bool in_place;
    } rows[] = {
        {HF_BARE_FILES(""), nothing, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, true},
        {HF_BARE_FILES(""), old_backups, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, true},
        {HF_BARE_FILES(""), unremovable_backups, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, true},
        {HF_BARE_FILES(""), signed_before, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, true},
        {HF_BARE_FILES(""), signed_here, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, true},
        {HF_BARE_FILES(""), signed_elsewhere, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_NOT_ALLOWED, false},
        {HF_BARE_FILES(""), somebody_elses, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_FOREIGN_FILE, false},
        {HF_BARE_FILES(",\"force\":true"), somebody_elses, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, true},
        {HF_BARE_FILES(""), full, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_NO_SPACE, false},
        {HF_BARE_FILES(""), lost_content, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, false},
        {HF_BARE_FILES(""), forbidden, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_NOT_ALLOWED, false},
        {HF_BARE_FILES(""), unreadable_mounts, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_WRITE_FAILED, false},
        {HF_BARE_FILES(VALIDATE), nothing, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, true},
        {HF_BARE_FILES(VALIDATE), refusing_program, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_VALIDATE_FAILED, false},
        {HF_BARE_FILES(",\"prune\":true"), good_files_go, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_PRUNE_LIMIT, false},
        {HF_BARE_FILES(",\"prune\":true"), allowed_to_go, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, true},
    };

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct hf_bare bare;
        char where[20];
        struct entry *entry = set_up(&bare, rows[i].json);
        (void)snprintf(where, sizeof(where), "row %zu", i);
        rows[i].prepare(&bare);
        go(&bare);
        hf_simfs_set_limit(bare.fs, "/", 0);
        expect(entry, rows[i].phase, rows[i].reason, where);
        ck_assert_msg(is_file(&bare, FILE_A, "one") == rows[i].in_place, "%s", where);
        ck_assert_msg((entry->due_ns == HF_NEVER) == (rows[i].reason == HF_MANIFEST_REASON_PRUNE_LIMIT), "%s", where);
        free(bare.engine.allow_prune);
        hf_bare_done(&bare);
    }
}
END_TEST

/* One call of an attempt fails, whichever: the next one ends it. */
START_TEST(any_call_fails_once)
{
    bool failed = true;

    for (uint64_t n = 1; failed; n++) {
        struct hf_bare bare;
        struct entry *entry = set_up(&bare, HF_BARE_FILES(",\"force\":true" VALIDATE));
        somebody_elses(&bare);
        hf_simfs_fail_at(bare.fs, n, EIO, 1);
        go(&bare);
        failed = hf_simfs_failed(bare.fs) > 0;
        hf_simfs_fail_at(bare.fs, 0, 0, 0);
        for (unsigned i = 0; i < 2 && entry->r.phase != HF_MANIFEST_APPLIED; i++)
            go(&bare);
        ck_assert_msg(entry->r.phase == HF_MANIFEST_APPLIED && is_file(&bare, FILE_A, "one"), "call %u: %s %s",
                      (unsigned)n, hf_manifest_phase_name(entry->r.phase), entry->r.message);
        hf_bare_done(&bare);
        ck_assert_msg(!failed || n < 1000, "it never ends");
    }
}
END_TEST

/* A command that hangs has judged nothing good, and one that cannot start has judged nothing. */
START_TEST(validates)
{
    static const struct {
        int spawn;
        enum hf_manifest_phase phase;
        bool until_interval;
    } rows[] = {{0, HF_MANIFEST_REFUSED, false},
                {-EAGAIN, HF_MANIFEST_WAITING, false},
                {-EBUSY, HF_MANIFEST_WAITING, false},
                {-ENOENT, HF_MANIFEST_WAITING, true}};

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct hf_bare bare;
        struct entry *entry = set_up(&bare, HF_BARE_FILES(VALIDATE));
        hanging_program(&bare);
        bare.spawn_r = rows[i].spawn;
        go(&bare);
        (void)hf_simloop_run_for(bare.loop, 60 * HF_NS_PER_S);
        expect(entry, rows[i].phase, HF_MANIFEST_REASON_VALIDATE_FAILED, "validate");
        ck_assert_int_eq(entry->due_ns == HF_NEVER, rows[i].until_interval);
        ck_assert(is_file(&bare, FILE_A, NULL) && !entry->r.unproven);
        hf_bare_done(&bare);
    }
}
END_TEST

/* A set that changes nothing needs no trial, unless something unproven is in place. */
START_TEST(same_set)
{
    for (unsigned unproven = 0; unproven < 2; unproven++) {
        struct hf_bare bare;
        struct entry *entry = set_up(&bare, HF_BARE_FILES(RESTART VALIDATE));
        go(&bare);
        expect(entry, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
        ck_assert_uint_eq(bare.restarts, 1);
        entry->r.phase = HF_MANIFEST_WAITING;
        entry->r.unproven = unproven == 1;
        go(&bare);
        expect(entry, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "second");
        ck_assert_uint_eq(bare.restarts, 1 + unproven);
        ck_assert_uint_eq(bare.execs, 1);
        hf_bare_done(&bare);
    }
}
END_TEST

/* A crash has cut the swap of the newest set. A failure then leaves files of two sets in place. */
START_TEST(resumes_a_swap)
{
    static const struct {
        void (*prepare)(struct hf_bare *bare);
        enum hf_manifest_phase phase;
        bool unproven;
    } rows[] = {{nothing, HF_MANIFEST_APPLIED, false},
                {full, HF_MANIFEST_APPLYING, true},
                {lost_content, HF_MANIFEST_WAITING, true},
                {forbidden, HF_MANIFEST_APPLYING, true}};

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct hf_bare bare;
        struct entry *entry = set_up(&bare, HF_BARE_FILES(VALIDATE));
        entry->r.phase = HF_MANIFEST_APPLYING;
        entry->inventory.pending = entry->resumed = true;
        rows[i].prepare(&bare);
        go(&bare);
        ck_assert_msg(entry->r.phase == rows[i].phase, "row %zu: %s %s", i, hf_manifest_phase_name(entry->r.phase),
                      entry->r.message);
        ck_assert_msg(entry->r.unproven == rows[i].unproven, "row %zu", i);
        ck_assert_uint_eq(bare.execs, 0); /* it has passed */
        hf_bare_done(&bare);
    }
}
END_TEST

/* The mixture that a cut swap has left is not refused, because the next set ends it. */
START_TEST(mixture_does_not_validate)
{
    struct hf_bare bare;
    struct entry *entry = set_up(&bare, HF_BARE_FILES(VALIDATE));

    refusing_program(&bare);
    entry->inventory.pending = entry->r.unproven = true;
    go(&bare);
    expect(entry, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_VALIDATE_FAILED, "mixture");
    ck_assert(entry->invalid && entry->r.unproven);
    hf_bare_done(&bare);
}
END_TEST

static bool is_swapping(void *arg)
{
    const struct hf_bare *bare = arg;

    return bare->entry->r.phase == HF_MANIFEST_APPLYING && bare->entry->machine.job != NULL;
}

static int cannot_rename(void *arg)
{
    struct hf_bare *bare = arg;

    return is_swapping(bare) && bare->entry->attempt != NULL ? -EPERM : 0;
}

/* An immutable file: after some attempts the set is rolled back, so that newer content is not kept out. */
START_TEST(stuck)
{
    struct hf_bare bare;
    struct entry *entry = set_up(&bare, HF_BARE_FILES(""));

    hf_bare_hold(&bare);
    advance_event(entry, HF_MANIFEST_EV_GO, HF_MANIFEST_REASON_NONE, NULL);
    hf_bare_run(&bare);
    hf_simfs_before_each(bare.fs, cannot_rename, &bare);
    for (unsigned i = 0; i <= MANIFEST_MAX_STUCK; i++) {
        ck_assert_msg(entry->r.phase == HF_MANIFEST_APPLYING, "%u", i);
        entry->resumed = true;
        entry->inventory.pending = true;
        target_of(entry, &entry->r.next)->place(entry);
        hf_bare_run(&bare);
    }
    hf_simfs_before_each(bare.fs, NULL, NULL);
    ck_assert_int_eq(entry->r.phase, HF_MANIFEST_ROLLING_BACK);
    ck_assert_ptr_nonnull(strstr(entry->r.message, "failed 6 times"));
    hf_bare_done(&bare);
}
END_TEST

/* ---- probe ------------------------------------------------------------------------------------------------------- */

START_TEST(probes)
{
    static const struct {
        const char *json;
        int restart, exit_code, state;
        const char *active, *allowed;
        enum hf_manifest_phase phase;
        enum hf_manifest_reason reason;
        unsigned restarts, reloads;
    } rows[] = {
        {HF_BARE_FILES(RESTART HEALTH), 0, 0, 0, "active", NULL, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_HEALTH_PASSED,
         1, 0},
        {HF_BARE_FILES(RESTART HEALTH), 0, 1, 0, "active", NULL, HF_MANIFEST_ROLLED_BACK,
         HF_MANIFEST_REASON_HEALTH_FAILED, 2, 0},
        {HF_BARE_FILES(RESTART), -EIO, 0, 0, "active", NULL, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED,
         2, 0},
        {HF_BARE_FILES(RELOAD), 0, 0, 0, "active", NULL, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, 0, 1},
        {HF_BARE_FILES(RELOAD), 0, 0, 0, "reloading", NULL, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, 0, 1},
        {HF_BARE_FILES(RELOAD), 0, 0, 0, "failed", NULL, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, 1, 0},
        {HF_BARE_FILES(RELOAD), 0, 0, -ETIMEDOUT, "active", NULL, HF_MANIFEST_ROLLED_BACK,
         HF_MANIFEST_REASON_RESTART_FAILED, 0, 0},
        {HF_BARE_FILES(RESTART), 0, 0, 0, "active", "files: [/etc/site/**]", HF_MANIFEST_ROLLED_BACK,
         HF_MANIFEST_REASON_RESTART_FAILED, 0, 0},
    };

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct hf_bare bare;
        char where[20];
        struct entry *entry = set_up(&bare, rows[i].json);
        (void)snprintf(where, sizeof(where), "row %zu", i);
        bare.answer.restart = rows[i].restart;
        bare.answer.exit_code = rows[i].exit_code;
        bare.answer.state = rows[i].state;
        bare.answer.active = rows[i].active;
        if (rows[i].allowed != NULL)
            hf_bare_allow(&bare, rows[i].allowed);
        go(&bare);
        (void)hf_simloop_run_for(bare.loop, 200 * HF_NS_PER_S);
        expect(entry, rows[i].phase, rows[i].reason, where);
        ck_assert_msg(bare.restarts == rows[i].restarts && bare.reloads == rows[i].reloads, "%s: %u %u", where,
                      bare.restarts, bare.reloads);
        ck_assert_msg(is_file(&bare, FILE_A, rows[i].phase == HF_MANIFEST_APPLIED ? "one" : NULL), "%s", where);
        hf_bare_done(&bare);
    }
}
END_TEST

START_TEST(starts_too_often)
{
    struct hf_bare bare;
    struct entry *entry = set_up(&bare, HF_BARE_FILES(RESTART));

    hf_bare_hold(&bare);
    advance_event(entry, HF_MANIFEST_EV_GO, HF_MANIFEST_REASON_NONE, NULL);
    hf_bare_run(&bare);
    advance_event(entry, HF_MANIFEST_EV_PLACED, HF_MANIFEST_REASON_NONE, NULL);
    hf_bare_run(&bare);
    entry->r.starts = HF_RECORD_MAX_STARTS + 1;
    target_of(entry, &entry->r.next)->probe(entry);
    hf_bare_run(&bare);
    expect(entry, HF_MANIFEST_ROLLING_BACK, HF_MANIFEST_REASON_HEALTH_FAILED, "starts");
    ck_assert_uint_eq(bare.restarts, 0);
    hf_bare_done(&bare);
}
END_TEST

/* Brings a set with a health check on trial, and holds the actions. */
static struct entry *on_trial(struct hf_bare *bare)
{
    struct entry *entry = set_up(bare, HF_BARE_FILES(HEALTH));

    hf_bare_hold(bare);
    target_of(entry, &entry->r.next)->place(entry);
    hf_bare_run(bare);
    target_of(entry, &entry->r.next)->place(entry); /* the record says Applying now */
    hf_bare_run(bare);
    expect(entry, HF_MANIFEST_PROBATION, HF_MANIFEST_REASON_NONE, "on trial");
    return entry;
}

static void probe_once(struct hf_bare *bare)
{
    target_of(bare->entry, &bare->entry->r.next)->probe(bare->entry);
    (void)hf_simloop_run_for(bare->loop, 30 * HF_NS_PER_S);
}

/* Somebody changes a file on trial: it is put back, and the trial begins again, but not for ever. */
START_TEST(put_back_on_trial)
{
    struct hf_bare bare;
    struct entry *entry = on_trial(&bare);

    for (unsigned i = 1; i <= MANIFEST_MAX_TRIAL_REPAIRS; i++) {
        hf_simfs_put(bare.fs, FILE_A, "theirs", 6, 0644);
        probe_once(&bare);
        expect(entry, HF_MANIFEST_PROBATION, HF_MANIFEST_REASON_NONE, "put back");
        ck_assert(is_file(&bare, FILE_A, "one") && entry->trial.repairs == i);
    }
    ck_assert_uint_eq(bare.told[HF_MANIFEST_NOTICE_DRIFT_REPAIRED], 2); /* one a minute */
    hf_simfs_put(bare.fs, FILE_A, "theirs", 6, 0644);
    probe_once(&bare);
    expect(entry, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_HEALTH_PASSED, "its health decides");
    hf_bare_done(&bare);
}
END_TEST

/* The disk does not take the file back. Until the deadline of the checks that is tried again, without another check. */
START_TEST(not_put_back_on_trial)
{
    struct hf_bare bare;
    struct entry *entry = on_trial(&bare);

    hf_simfs_put(bare.fs, FILE_A, "theirs", 6, 0644);
    hf_simfs_set_read_only(bare.fs, "/", true);
    probe_once(&bare);
    ck_assert_int_eq(entry->r.phase, HF_MANIFEST_PROBATION);
    ck_assert_uint_ne(entry->trial.refused_ns, 0);
    unsigned execs = bare.execs;
    probe_once(&bare);
    ck_assert_int_eq(entry->r.phase, HF_MANIFEST_ROLLING_BACK);
    ck_assert_int_eq(entry->r.reason, HF_MANIFEST_REASON_READ_ONLY_FILE_SYSTEM);
    ck_assert_uint_eq(bare.execs, execs);
    hf_simfs_set_read_only(bare.fs, "/", false);
    hf_bare_done(&bare);
}
END_TEST

/* Our copy of the content is lost: the source delivers it again, and nobody vouches for the set until then. */
START_TEST(lost_on_trial)
{
    struct hf_bare bare;
    struct entry *entry = on_trial(&bare);

    hf_simfs_put(bare.fs, FILE_A, "theirs", 6, 0644);
    lost_content(&bare);
    probe_once(&bare);
    expect(entry, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, "lost");
    ck_assert(entry->r.unproven);
    hf_bare_done(&bare);
}
END_TEST

/* Somebody else puts the file back while the disk refuses ours: one of the few repairs is used up. */
START_TEST(somebody_puts_it_back)
{
    struct hf_bare bare;
    struct entry *entry = on_trial(&bare);

    hf_simfs_put(bare.fs, FILE_A, "theirs", 6, 0644);
    hf_simfs_set_read_only(bare.fs, "/", true);
    probe_once(&bare);
    hf_simfs_set_read_only(bare.fs, "/", false);
    hf_simfs_put(bare.fs, FILE_A, "one", 3, 0644);
    probe_once(&bare);
    ck_assert_int_eq(entry->r.phase, HF_MANIFEST_PROBATION);
    ck_assert(entry->trial.repairs == 1 && entry->trial.refused_ns == 0);
    probe_once(&bare);
    expect(entry, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_HEALTH_PASSED, "passes");
    hf_bare_done(&bare);
}
END_TEST

static int cannot_read(void *arg)
{
    const struct hf_bare *bare = arg;

    return bare->execs > 0 ? -EIO : 0;
}

/* Nobody can look whether the files are still ours: the trial begins again, and its health decides in the end. */
START_TEST(nobody_looks)
{
    struct hf_bare bare;
    struct entry *entry = on_trial(&bare);

    hf_simfs_before_each(bare.fs, cannot_read, &bare);
    for (unsigned i = 1; i <= MANIFEST_MAX_TRIAL_REPAIRS; i++) {
        probe_once(&bare);
        ck_assert(entry->r.phase == HF_MANIFEST_PROBATION && entry->trial.repairs == i);
        ck_assert_uint_eq(entry->machine.wait.reason, HF_MANIFEST_REASON_WRITE_FAILED);
    }
    hf_simfs_before_each(bare.fs, NULL, NULL);
    probe_once(&bare);
    ck_assert_int_eq(entry->r.phase, HF_MANIFEST_APPLIED);
    hf_bare_done(&bare);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, places);
    tcase_add_test(tc, any_call_fails_once);
    tcase_add_test(tc, validates);
    tcase_add_test(tc, same_set);
    tcase_add_test(tc, resumes_a_swap);
    tcase_add_test(tc, mixture_does_not_validate);
    tcase_add_test(tc, stuck);
    tcase_add_test(tc, probes);
    tcase_add_test(tc, starts_too_often);
    tcase_add_test(tc, put_back_on_trial);
    tcase_add_test(tc, not_put_back_on_trial);
    tcase_add_test(tc, lost_on_trial);
    tcase_add_test(tc, somebody_puts_it_back);
    tcase_add_test(tc, nobody_looks);
}

HF_TEST_MAIN("manifests/apply", cases)
