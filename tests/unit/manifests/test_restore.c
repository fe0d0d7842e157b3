/* SPDX-License-Identifier: Apache-2.0 */
/* Ways back: the rollback to the good set, the cleanup, the removal of an entry, and drift that restarts a unit. No
 * engine. */
#include <errno.h>
#include <string.h>

#include "manifests/commit.h"
#include "manifests/removal.h"
#include "manifests/rules/plan.h"
#include "support/bare_entry.h"
#include "support/check_main.h"

#define RESTART ",\"restart\":{\"systemdUnit\":\"site.service\"}"
#define HEALTH ",\"healthDeadline\":\"5s\",\"healthChecks\":[{\"exec\":{\"command\":[\"/usr/bin/check\"]}}]"
#define PRUNE ",\"prune\":true"
#define ALLOWED "files: [/etc/site/**], exec: [/usr/bin/check], units: [site.service]"
#define FILE_A "/etc/site/a"

static void go(struct hf_bare *bare)
{
    bare->entry->actions->start[HF_MANIFEST_ACT_PLACE](bare->entry);
    (void)hf_simloop_run_for(bare->loop, 30 * HF_NS_PER_S);
}

static void set_up(struct hf_bare *bare, const char *json)
{
    hf_bare_init(bare, json);
    hf_bare_equip(bare, ALLOWED);
    hf_simfs_mkdir(bare->fs, "/etc", 0755);
}

/* The set with "one" in the file a is in place, and good. */
static struct entry *applied(struct hf_bare *bare, const char *json)
{
    set_up(bare, json);
    hf_bare_store(bare, &bare->entry->r.next, json, "a", "one");
    go(bare);
    ck_assert_msg(bare->entry->r.phase == HF_MANIFEST_APPLIED, "%s", bare->entry->r.message);
    return bare->entry;
}

/* A newer set is waiting. */
static void next(struct hf_bare *bare, const char *json, const char *path, const char *text)
{
    hf_bare_store(bare, &bare->entry->r.next, json, path, text);
    bare->entry->r.phase = HF_MANIFEST_WAITING;
}

static bool is_file(struct hf_bare *bare, const char *path, const char *text)
{
    size_t n;
    const char *bytes = hf_simfs_get(bare->fs, path, &n);

    return text == NULL ? bytes == NULL : bytes != NULL && n == strlen(text) && memcmp(bytes, text, n) == 0;
}

static void lose(struct hf_bare *bare, const struct hf_manifest_set *set, bool unreadable)
{
    char path[200];

    (void)snprintf(path, sizeof(path), HF_BARE_FOLDER "/b-%s", set->digest);
    if (unreadable)
        hf_simfs_set_unreadable(bare->fs, path, true);
    else
        hf_simfs_delete(bare->fs, path);
}

/* ---- roll back --------------------------------------------------------------------------------------------------- */

START_TEST(rolls_back)
{
    struct hf_bare bare;
    struct entry *entry = applied(&bare, HF_BARE_FILES(RESTART HEALTH PRUNE));

    bare.answer.exit_code = 1;
    next(&bare, HF_BARE_FILES(RESTART HEALTH PRUNE), "b", "two");
    go(&bare);
    ck_assert_int_eq(entry->r.phase, HF_MANIFEST_ROLLED_BACK);
    ck_assert(is_file(&bare, FILE_A, "one") && is_file(&bare, "/etc/site/b", NULL));
    ck_assert_uint_eq(bare.restarts, 3);
    ck_assert(!entry->r.unproven && entry->cleanup == ENTRY_CLEANUP_DONE);
    hf_bare_done(&bare);
}
END_TEST

/* Files of somebody else that the set took over come back. Without a good set that is all that stays. */
START_TEST(gives_back)
{
    struct hf_bare bare;
    struct entry *entry;

    set_up(&bare, HF_BARE_FILES(HEALTH ",\"force\":true"));
    entry = bare.entry;
    bare.answer.exit_code = 1;
    hf_simfs_put(bare.fs, FILE_A, "theirs", 6, 0640);
    hf_bare_store(&bare, &entry->r.next, HF_BARE_FILES(HEALTH ",\"force\":true"), "a", "one");
    go(&bare);
    ck_assert_int_eq(entry->r.phase, HF_MANIFEST_ROLLED_BACK);
    ck_assert(is_file(&bare, FILE_A, "theirs"));
    ck_assert_uint_eq(hf_inventory_files(&entry->inventory), 0);
    hf_bare_done(&bare);
}
END_TEST

/* A set that waits in RollingBack, with its actions held. */
static struct entry *rolling_back(struct hf_bare *bare, bool force)
{
    const char *json = force ? HF_BARE_FILES(HEALTH ",\"force\":true") : HF_BARE_FILES(HEALTH);

    set_up(bare, json);
    hf_bare_hold(bare);
    if (force)
        hf_simfs_put(bare->fs, FILE_A, "theirs", 6, 0640);
    hf_bare_store(bare, &bare->entry->r.good, json, "old", "zero");
    hf_bare_store(bare, &bare->entry->r.next, json, "a", "one");
    for (unsigned i = 0; i < 2; i++) {
        target_of(bare->entry, &bare->entry->r.next)->place(bare->entry);
        hf_bare_run(bare);
    }
    ck_assert_int_eq(bare->entry->r.phase, HF_MANIFEST_PROBATION);
    advance_event(bare->entry, HF_MANIFEST_EV_UNHEALTHY, HF_MANIFEST_REASON_HEALTH_FAILED, "it does not run");
    hf_bare_run(bare);
    return bare->entry;
}

static void roll_back_once(struct hf_bare *bare)
{
    target_of(bare->entry, &bare->entry->r.next)->roll_back(bare->entry);
    hf_bare_run(bare);
}

START_TEST(content_to_go_back_to_is_lost)
{
    for (unsigned unreadable = 0; unreadable < 2; unreadable++) {
        struct hf_bare bare;
        struct entry *entry = rolling_back(&bare, false);
        lose(&bare, &entry->r.good, unreadable == 1);
        for (unsigned i = 0; i < MANIFEST_MAX_UNREADABLE && unreadable == 1; i++) { /* one error may pass */
            roll_back_once(&bare);
            ck_assert_int_eq(entry->r.phase, HF_MANIFEST_ROLLING_BACK);
            ck_assert_uint_eq(entry->failures.unreadable_rollbacks, i + 1);
        }
        roll_back_once(&bare);
        ck_assert_int_eq(entry->r.phase, HF_MANIFEST_ROLLED_BACK);
        ck_assert_ptr_nonnull(strstr(entry->r.message, "is lost; the files stay"));
        ck_assert(entry->r.unproven && is_file(&bare, FILE_A, "one"));
        hf_bare_done(&bare);
    }
}
END_TEST

static void in_the_way(struct hf_simfs *fs)
{
    hf_simfs_mkdir(fs, "/etc/site/old", 0755);
}

static void no_room(struct hf_simfs *fs)
{
    hf_simfs_set_limit(fs, "/", 1);
}

static void no_writes(struct hf_simfs *fs)
{
    hf_simfs_count_only(fs, HF_SIMFS_WRITES);
    hf_simfs_fail_at(fs, 1, EPERM, 0);
}

/* A full disk may last for days; a folder in the place of a file, or one that nobody may change, does not go by itself,
 * and newer content must not wait for that. */
START_TEST(rollback_is_stuck)
{
    static const struct {
        void (*happens)(struct hf_simfs *fs);
        bool passes;
    } rows[] = {{no_room, true}, {in_the_way, false}, {no_writes, false}};

    for (size_t k = 0; k < HF_LEN(rows); k++) {
        struct hf_bare bare;
        struct entry *entry = rolling_back(&bare, false);
        rows[k].happens(bare.fs);
        for (unsigned i = 0; i <= MANIFEST_MAX_STUCK; i++) {
            ck_assert_int_eq(entry->r.phase, HF_MANIFEST_ROLLING_BACK);
            roll_back_once(&bare);
        }
        hf_simfs_fail_at(bare.fs, 0, 0, 0);
        ck_assert_msg(entry->r.phase == (rows[k].passes ? HF_MANIFEST_ROLLING_BACK : HF_MANIFEST_ROLLED_BACK),
                      "row %zu: %s", k, entry->machine.wait.message);
        ck_assert_int_eq(strstr(entry->r.message, "is not complete") != NULL, !rows[k].passes);
        ck_assert(entry->r.unproven);
        hf_bare_done(&bare);
    }
}
END_TEST

/* The kept files of somebody else are damaged: they stay as they are, and belong to nobody. */
START_TEST(backups_are_damaged)
{
    static const struct {
        const char *contents, *list;
        bool unproven;
    } rows[] = {{"damaged", NULL, false}, {NULL, "damaged", false}, {"damaged", "damaged", true}};

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct hf_bare bare;
        struct entry *entry = rolling_back(&bare, true);
        if (rows[i].contents != NULL)
            hf_simfs_put(bare.fs, HF_BARE_FOLDER "/before", rows[i].contents, 7, 0600);
        if (rows[i].list != NULL)
            hf_simfs_put(bare.fs, HF_BARE_FOLDER "/before.list", rows[i].list, 7, 0600);
        roll_back_once(&bare);
        ck_assert_int_eq(entry->r.phase, HF_MANIFEST_ROLLED_BACK);
        ck_assert_msg(is_file(&bare, FILE_A, rows[i].contents != NULL ? "one" : "theirs"), "row %zu", i);
        ck_assert_msg(hf_inventory_find(&entry->inventory, FILE_A) == NULL, "row %zu", i);
        ck_assert_msg(entry->r.unproven == rows[i].unproven, "row %zu", i);
        hf_bare_done(&bare);
    }
}
END_TEST

/* One call of a rollback fails, whichever: the next attempt ends it, with the files of somebody else as they were. */
START_TEST(any_call_fails_once)
{
    bool failed = true;

    for (uint64_t n = 1; failed; n++) {
        struct hf_bare bare;
        struct entry *entry = rolling_back(&bare, true);
        hf_simfs_fail_at(bare.fs, n, EIO, 1);
        roll_back_once(&bare);
        failed = hf_simfs_failed(bare.fs) > 0;
        hf_simfs_fail_at(bare.fs, 0, 0, 0);
        for (unsigned i = 0; i < 2 && entry->r.phase == HF_MANIFEST_ROLLING_BACK; i++)
            roll_back_once(&bare);
        ck_assert_msg(entry->r.phase == HF_MANIFEST_ROLLED_BACK, "call %u: %s", (unsigned)n,
                      entry->machine.wait.message);
        ck_assert_msg(is_file(&bare, FILE_A, "theirs") && is_file(&bare, "/etc/site/old", "zero"), "call %u",
                      (unsigned)n);
        hf_bare_done(&bare);
        ck_assert_msg(!failed || n < 1000, "it never ends");
    }
}
END_TEST

/* The inventory is lost: made again of the good set, and of what a newer one has put in place already. */
START_TEST(makes_the_inventory)
{
    static const struct {
        enum hf_manifest_phase phase;
        const char *in_place;
        bool found;
    } rows[] = {{HF_MANIFEST_APPLIED, "two", false},
                {HF_MANIFEST_APPLYING, "two", true},
                {HF_MANIFEST_PROBATION, "other", false},
                {HF_MANIFEST_ROLLING_BACK, NULL, false}};

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct hf_bare bare;
        struct hf_err err = HF_ERR_INIT;
        struct entry *entry = applied(&bare, HF_BARE_FILES(""));
        next(&bare, HF_BARE_FILES(""), "b", "two");
        memcpy(entry->r.next.root, entry->r.good.root, sizeof(entry->r.next.root));
        if (rows[i].in_place != NULL)
            hf_simfs_put(bare.fs, "/etc/site/b", rows[i].in_place, strlen(rows[i].in_place), 0644);
        hf_inventory_done(&entry->inventory);
        entry->inventory = (struct hf_inventory){.items = NULL};
        entry->r.phase = rows[i].phase;
        ck_assert_msg(make_inventory(entry, &err) == 0, "row %zu: %s", i, err.cause);
        ck_assert_ptr_nonnull(hf_inventory_find(&entry->inventory, FILE_A));
        ck_assert_msg((hf_inventory_find(&entry->inventory, "/etc/site/b") != NULL) == rows[i].found, "row %zu", i);
        ck_assert_msg(entry->r.unproven == (rows[i].phase == HF_MANIFEST_APPLYING), "row %zu", i);
        entry->r.phase = HF_MANIFEST_APPLIED;
        hf_inventory_done(&entry->inventory);
        entry->inventory = (struct hf_inventory){.items = NULL};
        lose(&bare, &entry->r.good, false);
        ck_assert_int_lt(make_inventory(entry, &err), 0); /* of what, nobody knows */
        hf_bare_done(&bare);
    }
}
END_TEST

START_TEST(good_is_unknown)
{
    struct hf_bare bare;
    struct entry *entry = rolling_back(&bare, false);

    hf_manifest_set_done(&entry->r.good);
    entry->r.good_unknown = true;
    roll_back_once(&bare);
    ck_assert_int_eq(entry->r.phase, HF_MANIFEST_ROLLED_BACK);
    ck_assert_ptr_nonnull(strstr(entry->r.message, "the record of what was good is lost"));
    ck_assert(is_file(&bare, FILE_A, "one"));
    hf_bare_done(&bare);
}
END_TEST

/* A unit that may have caused the starts of the agent is not restarted for a rollback that changes nothing. */
START_TEST(unit_is_left_alone)
{
    struct hf_bare bare;
    struct entry *entry = applied(&bare, HF_BARE_FILES(RESTART));
    unsigned restarts = bare.restarts;

    hf_bare_hold(&bare);
    entry->r.phase = HF_MANIFEST_ROLLING_BACK;
    entry->r.unproven = entry->r.restart_due = true;
    entry->r.starts = HF_RECORD_MAX_STARTS + 1;
    roll_back_once(&bare);
    ck_assert_int_eq(entry->r.phase, HF_MANIFEST_ROLLED_BACK);
    ck_assert_uint_eq(bare.restarts, restarts + 1); /* the content is on disk, so that is no Secret's case */
    ck_assert(!entry->r.restart_due && !entry->r.unproven);
    hf_bare_done(&bare);
}
END_TEST

/* ---- cleanup ----------------------------------------------------------------------------------------------------- */

START_TEST(cleans_up)
{
    struct hf_bare bare;
    struct entry *entry = applied(&bare, HF_BARE_FILES(""));

    hf_simfs_put(bare.fs, HF_BARE_FOLDER "/b-0000", "old", 3, 0600);
    hf_simfs_put(bare.fs, HF_BARE_FOLDER "/sealed-0000", "old", 3, 0600);
    hf_simfs_put(bare.fs, HF_BARE_FOLDER "/before", "old", 3, 0600);
    hf_simfs_mkdir(bare.fs, "/etc/site/.holdfast-site.new", 0700);
    hf_simfs_set_read_only(bare.fs, "/", true);
    commit_clean(entry);
    hf_bare_run(&bare);
    ck_assert_int_eq(entry->cleanup, ENTRY_CLEANUP_FAILED);
    hf_simfs_set_read_only(bare.fs, "/", false);
    entry->resumed = true; /* a rollback may need them */
    entry->r.next.root[0] = '\0';
    commit_clean(entry);
    hf_bare_run(&bare);
    ck_assert_int_eq(entry->cleanup, ENTRY_CLEANUP_DONE);
    ck_assert(is_file(&bare, HF_BARE_FOLDER "/before", "old") && is_file(&bare, HF_BARE_FOLDER "/b-0000", NULL));
    ck_assert(!hf_simfs_stat(bare.fs, "/etc/site/.holdfast-site.new", &(struct stat){0}));
    entry->resumed = false;
    commit_clean(entry);
    hf_bare_run(&bare);
    ck_assert(is_file(&bare, HF_BARE_FOLDER "/before", NULL) && entry->drift.state == HF_DRIFT_DUE);
    hf_simfs_delete(bare.fs, HF_BARE_FOLDER "/record");
    hf_bare_done(&bare);
}
END_TEST

/* ---- drift ------------------------------------------------------------------------------------------------------- */

static void look(struct hf_bare *bare)
{
    drift_want(&bare->entry->drift);
    ck_assert(drift_consider(bare->entry));
    hf_bare_run(bare);
}

/* A repaired file restarts the unit, whose restart is due until it has succeeded or goes on in systemd. */
START_TEST(drift_restarts_the_unit)
{
    static const struct {
        int restart;
        bool due;
    } rows[] = {{0, false}, {-EIO, true}, {-ETIMEDOUT, false}};

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct hf_bare bare;
        struct entry *entry = applied(&bare, HF_BARE_FILES(RESTART));
        bare.answer.restart = rows[i].restart;
        hf_simfs_put(bare.fs, FILE_A, "theirs", 6, 0644);
        look(&bare);
        (void)hf_simloop_run_for(bare.loop, 200 * HF_NS_PER_S);
        ck_assert(is_file(&bare, FILE_A, "one") && !entry->busy);
        ck_assert_msg(entry->r.restart_due == rows[i].due, "row %zu", i);
        ck_assert_uint_eq(bare.restarts, 2);
        ck_assert_int_eq(entry->machine.wait.reason != HF_MANIFEST_REASON_NONE, rows[i].restart < 0);
        ck_assert_uint_eq(entry->r.drifts, 1);
        bare.answer.restart = 0;
        look(&bare); /* which restarts it, if that is due still */
        ck_assert(!entry->r.restart_due);
        ck_assert_uint_eq(bare.restarts, rows[i].due ? 3 : 2);
        hf_bare_done(&bare);
    }
}
END_TEST

/* The node does not permit the unit any more: the files are put back, and no restart is due. */
START_TEST(drift_without_the_unit)
{
    struct hf_bare bare;
    struct entry *entry = applied(&bare, HF_BARE_FILES(RESTART));

    hf_bare_allow(&bare, "files: [/etc/site/**]");
    hf_simfs_delete(bare.fs, FILE_A);
    look(&bare);
    ck_assert(is_file(&bare, FILE_A, "one") && !entry->r.restart_due && bare.restarts == 1);
    hf_bare_done(&bare);
}
END_TEST

/* A disk that reads no file after they were written again is worn, and is not written all day. */
START_TEST(worn_disk)
{
    struct hf_bare bare;
    struct entry *entry = applied(&bare, HF_BARE_FILES(""));

    entry->inventory.items[0].seen.inode = 0;
    for (unsigned i = 0; i < 8; i++) {
        hf_simfs_set_unreadable(bare.fs, FILE_A, true);
        for (size_t k = 0; k < entry->inventory.n; k++)
            entry->inventory.items[k].seen.inode = 0;
        (void)hf_simloop_run_for(bare.loop, 600 * HF_NS_PER_S);
        entry->drift.full = true;
        drift_want(&entry->drift);
        (void)drift_consider(entry);
        hf_bare_run(&bare);
    }
    ck_assert_uint_eq(entry->machine.wait.reason, HF_MANIFEST_REASON_WRITE_FAILED);
    ck_assert_ptr_nonnull(strstr(entry->machine.wait.message, "stops writing"));
    hf_bare_done(&bare);
}
END_TEST

/* Somebody changes a file again and again: the repairs have a pace. A look that fails is repeated after a pause. */
START_TEST(paced_repairs)
{
    struct hf_bare bare;
    struct entry *entry = applied(&bare, HF_BARE_FILES(""));

    for (unsigned i = 0; i < HF_REPAIR_BURST; i++) {
        hf_simfs_put(bare.fs, FILE_A, "theirs", 6, 0644);
        drift_want(&entry->drift);
        ck_assert(drift_consider(entry));
        (void)hf_simloop_run_for(bare.loop, HF_NS_PER_S / 10);
    }
    hf_simfs_put(bare.fs, FILE_A, "theirs", 6, 0644);
    drift_want(&entry->drift);
    ck_assert(drift_consider(entry));
    (void)hf_simloop_run_for(bare.loop, HF_NS_PER_S / 10);
    ck_assert_int_eq(entry->drift.state, HF_DRIFT_PACED);
    ck_assert(is_file(&bare, FILE_A, "theirs"));
    ck_assert(!drift_consider(entry)); /* before its time */
    (void)hf_simloop_run_for(bare.loop, 61 * HF_NS_PER_S);
    ck_assert(drift_consider(entry));
    hf_bare_run(&bare);
    ck_assert(is_file(&bare, FILE_A, "one"));
    hf_bare_done(&bare);
}
END_TEST

/* ---- removal ----------------------------------------------------------------------------------------------------- */

static uint64_t wait_ns;

static uint64_t removal_wait(void *arg, const char *name)
{
    (void)arg;
    ck_assert_str_eq(name, "site");
    return wait_ns;
}

START_TEST(removes)
{
    static const struct {
        const char *json;
        bool unproven, held, stale, in_doubt;
        uint64_t wait_ns;
        bool gone, file;
    } rows[] = {
        {HF_BARE_FILES(PRUNE), false, false, false, false, 0, true, false},
        {HF_BARE_FILES(""), false, false, false, false, 0, true, true}, /* without `prune` the files stay */
        {HF_BARE_FILES(PRUNE), false, true, false, false, 0, false, true},
        {HF_BARE_FILES(PRUNE), false, false, true, false, 0, false, true},
        {HF_BARE_FILES(PRUNE), false, false, false, true, 0, false, true}, /* the source has not confirmed it */
        {HF_BARE_FILES(PRUNE), false, false, false, false, HF_NS_PER_S, false, true},
        {HF_BARE_FILES(PRUNE), false, false, false, false, HF_NEVER, false, true},
        {HF_BARE_FILES(PRUNE), true, false, false, false, 0, true, false},
    };

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct hf_bare bare;
        struct entry *entry = applied(&bare, rows[i].json);
        make_entry_free(hf_steal(entry->wanted));
        entry->r.unproven = rows[i].unproven;
        entry->download_left = false;
        bare.engine.proven = !rows[i].in_doubt;
        bare.engine.held = rows[i].held;
        bare.engine.stale = rows[i].stale;
        bare.engine.p.removal_wait_ns = removal_wait;
        wait_ns = rows[i].wait_ns;
        for (unsigned k = 0; k < 3; k++) {
            removal_consider(entry);
            hf_bare_run(&bare);
        }
        ck_assert_msg((entry->life == ENTRY_GONE) == rows[i].gone, "row %zu: %s", i, entry->machine.wait.message);
        ck_assert_msg(is_file(&bare, FILE_A, "one") == rows[i].file, "row %zu", i);
        ck_assert_msg(bare.told[HF_MANIFEST_NOTICE_REMOVED] == rows[i].gone, "row %zu", i);
        ck_assert_msg((entry->machine.wait.reason == HF_MANIFEST_REASON_NO_POLICY) == (rows[i].wait_ns > 0), "row %zu",
                      i);
        ck_assert(rows[i].gone == !hf_simfs_stat(bare.fs, HF_BARE_FOLDER, &(struct stat){0}));
        hf_bare_done(&bare);
    }
}
END_TEST

/* The guard stops a removal of many files until a person allows it. A disk that fails is asked again. */
START_TEST(guarded_removal)
{
    struct hf_bare bare;
    struct entry *entry = applied(&bare, HF_BARE_FILES(PRUNE));
    char text[100];

    next(&bare, HF_BARE_FILES(PRUNE), "b", "two");
    go(&bare);
    hf_simfs_put(bare.fs, "/etc/site/c", "x", 1, 0644);
    ck_assert_int_eq(
        hf_inventory_put(&entry->inventory, &(struct hf_inventory_item){.path = (char *)(uintptr_t) "/etc/site/c"}), 0);
    make_entry_free(hf_steal(entry->wanted));
    bare.engine.proven = true;
    hf_simfs_mkdir(bare.fs, HF_BARE_FOLDER "/" MANIFEST_DOWNLOAD, 0700);
    removal_consider(entry); /* the download first */
    hf_bare_run(&bare);
    ck_assert(!hf_simfs_stat(bare.fs, HF_BARE_FOLDER "/" MANIFEST_DOWNLOAD, &(struct stat){0}));
    removal_consider(entry);
    hf_bare_run(&bare);
    ck_assert_uint_eq(entry->machine.wait.reason, HF_MANIFEST_REASON_PRUNE_LIMIT);
    ck_assert(entry->due_ns == HF_NEVER && !entry->removing && !entry->busy);
    removal_consider(entry); /* not before the annotation */
    ck_assert(!entry->busy);
    (void)snprintf(text, sizeof(text), "site:%.12s", entry->r.good.digest);
    bare.engine.allow_prune = strdup(text);
    entry->due_ns = 0;
    hf_simfs_set_read_only(bare.fs, "/", true);
    removal_consider(entry);
    hf_bare_run(&bare);
    ck_assert_uint_eq(entry->machine.wait.reason, HF_MANIFEST_REASON_READ_ONLY_FILE_SYSTEM);
    removal_consider(entry); /* within the pause, perhaps */
    hf_simfs_set_read_only(bare.fs, "/", false);
    for (unsigned i = 0; i < 3; i++) {
        (void)hf_simloop_run_for(bare.loop, 100 * HF_NS_PER_S);
        removal_consider(entry);
        hf_bare_run(&bare);
    }
    ck_assert_int_eq(entry->life, ENTRY_GONE);
    ck_assert(is_file(&bare, "/etc/site/b", NULL));
    free(bare.engine.allow_prune);
    hf_bare_done(&bare);
}
END_TEST

static int refuse_all(void *arg)
{
    (void)arg;
    return -EIO;
}

START_TEST(does_not_forget)
{
    struct hf_bare bare;
    struct entry *entry = applied(&bare, HF_BARE_FILES(""));

    make_entry_free(hf_steal(entry->wanted));
    entry->download_left = false;
    bare.engine.proven = true;
    hf_simfs_before_each(bare.fs, refuse_all, NULL);
    removal_consider(entry);
    hf_bare_run(&bare);
    ck_assert(entry->life != ENTRY_GONE && entry->due_ns > 0);
    ck_assert_uint_eq(entry->machine.wait.reason, HF_MANIFEST_REASON_WRITE_FAILED);
    hf_simfs_before_each(bare.fs, NULL, NULL);
    hf_bare_done(&bare);
}
END_TEST

/* The Secret was deleted: the files go, and the entry begins anew. */
START_TEST(revoked)
{
    struct hf_bare bare;
    struct entry *entry = applied(&bare, HF_BARE_FILES(PRUNE));

    ck_assert(!removal_revoke(entry));
    entry->secret.revoked = true;
    bare.engine.held = true;
    ck_assert(!removal_revoke(entry));
    bare.engine.held = false;
    entry->due_ns = hf_steer_core_now_ns(&bare.engine.core) + 5;
    ck_assert(!removal_revoke(entry));
    entry->due_ns = 0;
    ck_assert(removal_revoke(entry));
    hf_bare_run(&bare);
    ck_assert(is_file(&bare, FILE_A, NULL) && entry->r.good.key[0] == '\0');
    ck_assert_int_eq(entry->r.phase, HF_MANIFEST_WAITING);
    ck_assert_int_eq(entry->r.reason, HF_MANIFEST_REASON_SOURCE_GONE);
    entry->secret.revoked = true;
    ck_assert(!removal_revoke(entry)); /* nothing is left */
    hf_bare_done(&bare);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, rolls_back);
    tcase_add_test(tc, gives_back);
    tcase_add_test(tc, content_to_go_back_to_is_lost);
    tcase_add_test(tc, rollback_is_stuck);
    tcase_add_test(tc, any_call_fails_once);
    tcase_add_test(tc, makes_the_inventory);
    tcase_add_test(tc, backups_are_damaged);
    tcase_add_test(tc, good_is_unknown);
    tcase_add_test(tc, unit_is_left_alone);
    tcase_add_test(tc, cleans_up);
    tcase_add_test(tc, drift_restarts_the_unit);
    tcase_add_test(tc, drift_without_the_unit);
    tcase_add_test(tc, worn_disk);
    tcase_add_test(tc, paced_repairs);
    tcase_add_test(tc, removes);
    tcase_add_test(tc, guarded_removal);
    tcase_add_test(tc, does_not_forget);
    tcase_add_test(tc, revoked);
}

HF_TEST_MAIN("manifests/restore", cases)
