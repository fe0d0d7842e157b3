/* SPDX-License-Identifier: Apache-2.0 */
/* From an event to the next action: what a phase changes in the record, the record before the action, notes, pauses.
 * And what the parts of an entry share: results, jobs, metrics. No engine, no action. */
#include "manifests/advance.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "manifests/rules/plan.h"
#include "manifests/targets/target_files.h"
#include "support/bare_entry.h"
#include "support/check_main.h"

#define ID_1 "1111111111111111111111111111111111111111111111111111111111111111"
#define ID_2 "2222222222222222222222222222222222222222222222222222222222222222"
#define PODS "{\"name\":\"site\",\"to\":\"StaticPods\",\"from\":{\"path\":\"/opt/site\"}}"

static struct entry *set_up(struct hf_bare *bare)
{
    hf_bare_init(bare, HF_BARE_FILES(""));
    hf_bare_equip(bare, "files: [/etc/site/**]");
    hf_bare_hold(bare);
    hf_bare_set(&bare->entry->r.next, HF_BARE_FILES(""), ID_1);
    return bare->entry;
}

static void raise_event(struct hf_bare *bare, enum hf_manifest_event event, enum hf_manifest_reason reason)
{
    advance_event(bare->entry, event, reason, "why");
    hf_bare_run(bare);
}

static bool on_disk(struct hf_bare *bare, const char *word)
{
    size_t n;
    const char *text = hf_simfs_get(bare->fs, HF_BARE_FOLDER "/record", &n);

    return text != NULL && memmem(text, n, word, strlen(word)) != NULL;
}

/* The way of a set that passes: the record is on disk before each action, and each phase sets its own fields. */
START_TEST(passes)
{
    struct hf_bare bare;
    struct entry *entry = set_up(&bare);
    struct hf_manifest_record *r = &entry->r;

    raise_event(&bare, HF_MANIFEST_EV_STARTED, HF_MANIFEST_REASON_NONE);
    ck_assert_uint_eq(bare.acted[HF_MANIFEST_ACT_CLEAN], 1);
    r->starts = 2;
    r->restarted = true;
    r->next.signed_ = true;
    entry->failures.stuck_attempts = 4;
    entry->trial.start_counted = entry->trial.start_due = true;
    raise_event(&bare, HF_MANIFEST_EV_GO, HF_MANIFEST_REASON_NONE);
    ck_assert_uint_eq(bare.acted[HF_MANIFEST_ACT_PLACE], 1);
    ck_assert(on_disk(&bare, "Applying"));
    ck_assert(r->signed_in_place && !r->restarted && !entry->trial.start_counted && !entry->trial.start_due);
    ck_assert_uint_eq(r->starts + entry->failures.stuck_attempts, 0);
    entry->trial.repairs = 2;
    entry->trial.refused_ns = entry->cluster.probe_ns = 7;
    entry->resumed = true;
    raise_event(&bare, HF_MANIFEST_EV_PLACED, HF_MANIFEST_REASON_NONE);
    ck_assert_uint_eq(bare.acted[HF_MANIFEST_ACT_PROBE], 1);
    ck_assert(on_disk(&bare, "Probation") && !entry->resumed);
    ck_assert_uint_eq(entry->trial.repairs + entry->trial.refused_ns + entry->cluster.probe_ns, 0);
    r->pods_before = json_object();
    r->drifts = 3;
    r->unproven = true;
    raise_event(&bare, HF_MANIFEST_EV_HEALTHY, HF_MANIFEST_REASON_HEALTH_UNKNOWN);
    ck_assert_uint_eq(bare.acted[HF_MANIFEST_ACT_COMMIT], 1);
    ck_assert_str_eq(r->good.key, r->next.key);
    ck_assert(r->pods_unread && !r->unproven && r->pods_before == NULL && r->drifts == 0);
    ck_assert_uint_eq(bare.told[HF_MANIFEST_NOTICE_APPLIED], 1);
    ck_assert_int_eq(entry->written_phase, HF_MANIFEST_APPLIED);
    raise_event(&bare, HF_MANIFEST_EV_NEWS, HF_MANIFEST_REASON_NONE);
    ck_assert_int_eq(r->phase, HF_MANIFEST_WAITING);
    ck_assert_str_eq(r->message, "why");
    hf_bare_done(&bare);
}
END_TEST

START_TEST(goes_back)
{
    struct hf_bare bare;
    struct entry *entry = set_up(&bare);

    hf_bare_set(&entry->r.next, PODS, ID_1);
    raise_event(&bare, HF_MANIFEST_EV_GO, HF_MANIFEST_REASON_NONE);
    raise_event(&bare, HF_MANIFEST_EV_UNHEALTHY, HF_MANIFEST_REASON_WRITE_FAILED);
    ck_assert_uint_eq(bare.acted[HF_MANIFEST_ACT_ROLLBACK], 1);
    ck_assert(entry->r.unproven);
    raise_event(&bare, HF_MANIFEST_EV_FAILED, HF_MANIFEST_REASON_NONE);
    ck_assert_int_eq(entry->r.phase, HF_MANIFEST_ROLLING_BACK);
    ck_assert_int_eq(entry->r.reason, HF_MANIFEST_REASON_WRITE_FAILED); /* that of the failure stays */
    raise_event(&bare, HF_MANIFEST_EV_RESTORED, HF_MANIFEST_REASON_WRITE_FAILED);
    ck_assert_uint_eq(bare.told[HF_MANIFEST_NOTICE_ROLLED_BACK], 1);
    ck_assert(entry->r.pods_unread); /* the kubelet may not have read the old files again */
    hf_bare_done(&bare);
}
END_TEST

/* A repeated refusal is news if its reason is another one. */
START_TEST(refuses_again)
{
    static const struct {
        enum hf_manifest_reason reason;
        unsigned told;
    } rows[] = {{HF_MANIFEST_REASON_NOT_ALLOWED, 1},
                {HF_MANIFEST_REASON_NOT_ALLOWED, 1},
                {HF_MANIFEST_REASON_NONE, 1},
                {HF_MANIFEST_REASON_FOREIGN_FILE, 2}};
    struct hf_bare bare;
    struct entry *entry = set_up(&bare);

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        raise_event(&bare, HF_MANIFEST_EV_REFUSED, rows[i].reason);
        ck_assert_msg(bare.told[HF_MANIFEST_NOTICE_REFUSED] == rows[i].told, "row %zu", i);
    }
    ck_assert_int_eq(entry->r.reason, HF_MANIFEST_REASON_FOREIGN_FILE);
    bare.engine.p.happened = NULL; /* nobody listens */
    raise_event(&bare, HF_MANIFEST_EV_REFUSED, HF_MANIFEST_REASON_TARGET_MISSING);
    raise_event(&bare, HF_MANIFEST_EV_PLACED, HF_MANIFEST_REASON_NONE); /* not expected: nothing changes */
    ck_assert_int_eq(entry->r.phase, HF_MANIFEST_REFUSED);
    ck_assert_int_eq(entry->r.reason, HF_MANIFEST_REASON_TARGET_MISSING);
    hf_bare_done(&bare);
}
END_TEST

/* A full disk: the action waits, and the status says why. What was only prepared goes. */
START_TEST(record_first)
{
    struct hf_bare bare;
    struct entry *entry = set_up(&bare);

    hf_simfs_set_limit(bare.fs, "/", 1);
    raise_event(&bare, HF_MANIFEST_EV_STARTED, HF_MANIFEST_REASON_NONE);
    ck_assert_uint_eq(bare.acted[HF_MANIFEST_ACT_CLEAN], 0);
    ck_assert_uint_eq(entry->machine.wait.reason, HF_MANIFEST_REASON_NO_SPACE);
    ck_assert(entry->machine.unsaved && entry->due_ns >= entry->machine.save_due_ns);
    hf_simfs_set_limit(bare.fs, "/", 0);
    advance_save(entry);
    hf_bare_run(&bare);
    ck_assert_uint_eq(bare.acted[HF_MANIFEST_ACT_CLEAN], 1);
    ck_assert_uint_eq(entry->machine.wait.reason, HF_MANIFEST_REASON_NONE);
    hf_simfs_set_limit(bare.fs, "/", 1);
    entry->attempt = make_attempt(entry, &entry->r.next);
    raise_event(&bare, HF_MANIFEST_EV_GO, HF_MANIFEST_REASON_NONE);
    ck_assert_int_eq(entry->r.phase, HF_MANIFEST_WAITING);
    ck_assert(entry->attempt == NULL && bare.acted[HF_MANIFEST_ACT_PLACE] == 0);
    ck_assert_uint_eq(bare.acted[HF_MANIFEST_ACT_CLEAN], 2); /* its staged files give the disk their bytes back */
    hf_bare_done(&bare);
}
END_TEST

START_TEST(begins_a_run)
{
    struct hf_bare bare;
    struct entry *entry = set_up(&bare);

    advance_begin(entry);
    ck_assert_int_eq(entry->r.phase, HF_MANIFEST_APPLYING);
    ck_assert_uint_eq(entry->machine.due, HF_MANIFEST_ACT_NONE);
    ck_assert(!on_disk(&bare, "Applying")); /* the caller writes it */
    entry->r.starts = 5;
    advance_begin(entry);
    ck_assert_uint_eq(entry->r.starts, 5);
    hf_bare_done(&bare);
}
END_TEST

START_TEST(texts_on_disk)
{
    static const struct {
        int saved;
        bool has;
    } rows[] = {{0, true}, {1, true}, {-EIO, false}}; /* after an error it may be on disk all the same */
    struct hf_bare bare;
    struct entry *entry = set_up(&bare);

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct hf_buf text = HF_BUF_INIT(100), same = HF_BUF_INIT(100);
        ck_assert_int_eq(hf_buf_addf(&text, "a") + hf_buf_addf(&same, "a"), 0);
        advance_take_saved(entry, rows[i].saved, &text);
        ck_assert_msg(advance_has_text(entry, &same) == rows[i].has, "row %zu", i);
        hf_buf_done(&text);
        hf_buf_done(&same);
    }
    hf_bare_done(&bare);
}
END_TEST

/* The success of one thing does not hide the failure of another. */
START_TEST(notes_have_topics)
{
    struct hf_bare bare;
    struct entry *entry = set_up(&bare);
    const struct hf_steer_wait *wait = &entry->machine.wait;

    advance_note_about(entry, ENTRY_NOTE_LOOK, HF_MANIFEST_REASON_WRITE_FAILED, "look");
    advance_note_about(entry, ENTRY_NOTE_WAIT, HF_MANIFEST_REASON_NONE, NULL);
    ck_assert_str_eq(wait->message, "look");
    advance_note_about(entry, ENTRY_NOTE_LOOK, HF_MANIFEST_REASON_NONE, NULL);
    ck_assert_uint_eq(wait->reason, HF_MANIFEST_REASON_NONE);
    hf_bare_done(&bare);
}
END_TEST

/* A removal that a person has to allow waits for that, and says how; another failure is tried again by itself. */
START_TEST(removals_that_wait)
{
    static const struct {
        enum hf_manifest_reason reason;
        bool waits, advises;
    } rows[] = {{HF_MANIFEST_REASON_PRUNE_LIMIT, true, true},
                {HF_MANIFEST_REASON_PRUNE_LIMIT, true, true},
                {HF_MANIFEST_REASON_NOT_ALLOWED, true, false},
                {HF_MANIFEST_REASON_NO_SPACE, false, false}};
    struct hf_bare bare;
    struct entry *entry = set_up(&bare);

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct hf_manifest_outcome outcome = {.reason = rows[i].reason, .message = "no"};
        entry->removing = true;
        entry->due_ns = 0;
        advance_not_removed(entry, &outcome);
        ck_assert_uint_eq(entry->machine.wait.reason, rows[i].reason);
        ck_assert_msg((entry->due_ns == HF_NEVER) == rows[i].waits && entry->due_ns > 0, "row %zu", i);
        ck_assert_int_eq(strstr(entry->machine.wait.message, HF_PLAN_ALLOW_PRUNE) != NULL, rows[i].advises);
        ck_assert_int_eq(entry->removing, !rows[i].advises);
    }
    hf_bare_done(&bare);
}
END_TEST

START_TEST(pauses_grow)
{
    struct hf_bare bare;
    struct entry *entry = set_up(&bare);
    uint64_t now = hf_steer_core_now_ns(&bare.engine.core), last = 0;

    bare.engine.p.env.retry_cap_ns = 3600 * HF_NS_PER_S;
    for (unsigned i = 0; i < 8; i++) {
        advance_back_off(entry);
        last = entry->due_ns;
        ck_assert_uint_ge(last, now + HF_NS_PER_S / 2);
    }
    ck_assert_uint_gt(last, now + 4 * HF_NS_PER_S);
    hf_bare_done(&bare);
}
END_TEST

/* Entries that may wait for this one are due when its phase changes. */
START_TEST(wakes_dependents)
{
    static const char *const jsons[] = {HF_BARE_FILES(""), HF_BARE_FILES(",\"dependsOn\":[\"other\"]")};

    for (size_t i = 0; i < HF_LEN(jsons); i++) {
        struct hf_bare bare;
        hf_bare_init(&bare, jsons[i]);
        ck_assert_int_eq(hf_strmap_put(&bare.engine.entries, "site", bare.entry), 0);
        (void)hf_steer_machine_take_due(&bare.entry->machine, 1);
        manifest_engine_wake_dependents(&bare.engine);
        ck_assert_int_eq(hf_steer_machine_take_due(&bare.entry->machine, 1), i == 1);
        make_entry_free(hf_steal(bare.entry->wanted)); /* no policy has it */
        manifest_engine_wake_dependents(&bare.engine);
        ck_assert(!hf_steer_machine_take_due(&bare.entry->machine, 1));
        hf_strmap_done(&bare.engine.entries);
        hf_bare_done(&bare);
    }
}
END_TEST

/* ---- what the parts share ---------------------------------------------------------------------------------------- */

START_TEST(targets)
{
    static const struct {
        const char *json;
        enum hf_manifest_target to;
    } rows[] = {{HF_BARE_FILES(""), HF_MANIFEST_TO_FILES},
                {PODS, HF_MANIFEST_TO_STATIC_PODS},
                {"{\"to\":\"Cluster\"}", HF_MANIFEST_TO_CLUSTER},
                {"{\"to\":\"Moon\"}", HF_MANIFEST_TO_FILES},
                {"{}", HF_MANIFEST_TO_FILES}};
    struct hf_bare bare;
    struct entry *entry = set_up(&bare);

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        hf_bare_set(&entry->r.next, rows[i].json, ID_2);
        ck_assert_ptr_eq(target_of(entry, &entry->r.next), manifest_engine_targets[rows[i].to]);
    }
    ck_assert_ptr_eq(target_of(entry, &entry->r.good), &target_files); /* there is no set */
    ck_assert(!target_never(entry) && !target_is_never(entry));
    hf_bare_done(&bare);
}
END_TEST

START_TEST(results)
{
    static const struct {
        int r;
        enum hf_manifest_reason reason;
        bool may_pass;
    } rows[] = {
        {-ENOSPC, HF_MANIFEST_REASON_NO_SPACE, true},
        {-EDQUOT, HF_MANIFEST_REASON_NO_SPACE, true},
        {-EROFS, HF_MANIFEST_REASON_READ_ONLY_FILE_SYSTEM, true},
        {-EACCES, HF_MANIFEST_REASON_NOT_ALLOWED, false},
        {-EPERM, HF_MANIFEST_REASON_NOT_ALLOWED, false},
        {-ELOOP, HF_MANIFEST_REASON_NOT_ALLOWED, false},
        {-EILSEQ, HF_MANIFEST_REASON_NOT_ALLOWED, false},
        {-ENOTDIR, HF_MANIFEST_REASON_NOT_ALLOWED, false},
        {-EIO, HF_MANIFEST_REASON_WRITE_FAILED, true},
        {-ENOENT, HF_MANIFEST_REASON_WRITE_FAILED, true},
        {-EUCLEAN, HF_MANIFEST_REASON_WRITE_FAILED, true},
        {-EBUSY, HF_MANIFEST_REASON_WRITE_FAILED, false},
    };
    struct hf_manifest_outcome outcome = {.r = 0};
    struct hf_err err = HF_ERR_INIT;

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        ck_assert_msg(hf_manifest_outcome_reason(rows[i].r) == rows[i].reason, "row %zu", i);
        ck_assert_msg(hf_manifest_outcome_may_pass(rows[i].r) == rows[i].may_pass, "row %zu", i);
    }
    (void)hf_err_set(&err, EIO, "the disk");
    ck_assert_int_eq(hf_manifest_outcome_fail(&outcome, HF_MANIFEST_REASON_WRITE_FAILED, -EIO, &err), -EIO);
    ck_assert_ptr_nonnull(strstr(outcome.message, "the disk"));
}
END_TEST

static int run_nothing(struct job *job)
{
    (void)job;
    return 0;
}

static void count_end(struct entry *entry, struct job *job)
{
    entry->n_files = job->r < 0 ? 100 : 1;
    ck_assert_int_eq(job->r < 0, job->outcome.reason == HF_MANIFEST_REASON_WRITE_FAILED);
}

START_TEST(jobs)
{
    struct hf_bare bare;
    struct entry *entry = set_up(&bare);

    task_discard(NULL);
    task_discard(task_new(entry, run_nothing, count_end));
    task_submit(task_new(entry, run_nothing, count_end));
    ck_assert(!task_is_free(entry) && entry->busy);
    hf_bare_run(&bare);
    ck_assert(task_is_free(entry) && entry->n_files == 1);
    hf_simproc_kill(bare.proc); /* no worker takes it */
    task_submit(task_new(entry, run_nothing, count_end));
    ck_assert(task_is_free(entry) && entry->n_files == 100);
    hf_bare_done(&bare);
}
END_TEST

START_TEST(counted)
{
    struct hf_manifest_counts counts;
    struct hf_metrics *metrics = hf_metrics_new();

    hf_manifest_counts_init(&counts, metrics);
    for (unsigned i = 0; i < HF_MANIFEST_PHASE_COUNT; i++) {
        enum hf_manifest_phase phase = (enum hf_manifest_phase)i;
        bool ends = phase == HF_MANIFEST_APPLIED || phase == HF_MANIFEST_ROLLED_BACK || phase == HF_MANIFEST_REFUSED;
        hf_manifest_counts_phase(&counts, phase);
        double n = hf_metric_value(hf_metric_with(counts.outcomes, HF_LABELS(hf_manifest_phase_name(phase))));
        ck_assert_msg((n > 0) == ends, "phase %u", i);
    }
    ck_assert(counts.repairs != NULL && counts.looks != NULL && counts.removals != NULL);
    hf_metrics_free(metrics);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, passes);
    tcase_add_test(tc, goes_back);
    tcase_add_test(tc, refuses_again);
    tcase_add_test(tc, record_first);
    tcase_add_test(tc, begins_a_run);
    tcase_add_test(tc, texts_on_disk);
    tcase_add_test(tc, notes_have_topics);
    tcase_add_test(tc, removals_that_wait);
    tcase_add_test(tc, pauses_grow);
    tcase_add_test(tc, wakes_dependents);
    tcase_add_test(tc, targets);
    tcase_add_test(tc, results);
    tcase_add_test(tc, jobs);
    tcase_add_test(tc, counted);
}

HF_TEST_MAIN("manifests/advance", cases)
