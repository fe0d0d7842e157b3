/* SPDX-License-Identifier: Apache-2.0 */
/* One entry of spec.manifests on a node that gives errors, on virtual time: what passes is tried again at a pace, and
 * what does not pass comes to an end. */
#include <errno.h>
#include <string.h>

#include "support/check_main.h"
#include "support/manifest_node.h"

/* ---- retries without an interval --------------------------------------------------------------------------------- */

static const uint64_t long_interval_ns = 3600 * HF_NS_PER_S;

/* The disk cannot write the new content once. */
START_TEST(content_that_was_not_written_comes_again)
{
    struct node *node = node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES "}", 36);

    node_put(node, "/media/usb/a", "one");
    node_boot(node);
    node_intervals(node, 4);
    node_put(node, "/media/usb/a", "two");
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_fail_at(node->fs, 1, EIO, 1);
    node_intervals(node, 1);
    ck_assert_uint_eq(hf_simfs_failed(node->fs), 1);
    (void)hf_simloop_run_for(node->loop, long_interval_ns);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "the disk writes again");
    ck_assert(node_has(node, "/etc/app/a", "two"));
    node_end(node);
}
END_TEST

/* The disk cannot write a new content for 20 minutes. The status says so all the time, and not that the content changes
 * too often. When the disk writes again, the content is in place soon. */
START_TEST(content_that_cannot_be_written_is_not_paced)
{
    struct node *node = node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES "}", 42);

    node_put(node, "/media/usb/a", "one");
    node_boot(node);
    node_intervals(node, 4);
    node_put(node, "/media/usb/a", "two");
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_fail_at(node->fs, 1, EIO, 0);
    for (unsigned i = 0; i < 120; i++) {
        node_intervals(node, 1);
        node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_WRITE_FAILED, "the disk does not write");
    }
    unsigned statuses = node->statuses;
    node_intervals(node, 60);
    ck_assert_uint_eq(node->statuses, statuses);
    hf_simfs_fail_at(node->fs, 0, 0, 0);
    (void)hf_simloop_run_for(node->loop, 30 * HF_NS_PER_S);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "the disk writes again");
    ck_assert(node_has(node, "/etc/app/a", "two"));
    node_end(node);
}
END_TEST

/* A set waits for the next interval, because the program of `validate` is missing. A watch tells of a change: of drift
 * that the disk cannot repair once, or of a new content that it cannot write. Neither repeats the validation. */
START_TEST(wait_for_the_interval_is_kept)
{
    struct node *node = node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},"
                                   "\"validate\":{\"command\":[\"/usr/bin/check\",\"{}\"]}," NODE_FILES "}",
                                   43);

    watched.path = _i == 0 ? "/etc/app" : "/media/usb";
    node_put(node, "/media/usb/a", "one");
    node_boot(node);
    node_intervals(node, 4);
    node_put(node, "/media/usb/a", "two");
    faults.procs.failures = 100;
    faults.procs.error = -ENOENT;
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_VALIDATE_FAILED, "there is no program");
    unsigned failures = faults.procs.failures;
    node_put(node, _i == 0 ? "/etc/app/a" : "/media/usb/a", "three");
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    if (_i == 0)
        hf_simfs_fail_at(node->fs, 1, EIO, 1);
    else
        faults.disk.unwritable = true;
    watched.fire(watched.arg);
    (void)hf_simloop_run_for(node->loop, long_interval_ns);
    ck_assert_uint_eq(faults.procs.failures, failures);
    ck_assert(node_has(node, "/etc/app/a", "one"));
    if (_i == 0)
        ck_assert_uint_eq(hf_simfs_failed(node->fs), 1);
    else
        ck_assert_uint_gt(faults.disk.refused, 10);
    node_end(node);
}
END_TEST

/* The disk cannot read the target once, at the look that an interval asks for. The trouble goes from the status with
 * the next look, and what that look finds is repaired. */
START_TEST(look_that_failed_is_repeated)
{
    struct node *node = node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES "}", 38);

    node->watch.add = NULL;
    node_put(node, "/media/usb/a", "one");
    node_boot(node);
    node_intervals(node, 4);
    if (_i == 1)
        node_put(node, "/etc/app/a", "drift");
    faults.disk.broken = true;
    node_intervals(node, 1);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_WRITE_FAILED, "the disk does not read");
    faults.disk.broken = false;
    (void)hf_simloop_run_for(node->loop, long_interval_ns);
    node_expect(node, HF_MANIFEST_APPLIED, _i == 1 ? HF_MANIFEST_REASON_DRIFT_REPAIRED : HF_MANIFEST_REASON_APPLIED,
                "the disk reads again");
    ck_assert(node_has(node, "/etc/app/a", "one"));
    node_end(node);
}
END_TEST

/* A cleanup after a rollback fails once. */
START_TEST(backups_that_a_cleanup_left)
{
    struct node *node = node_begin(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"force\":true,\"prune\":true," NODE_FILES NODE_UNIT "}",
        905);

    node_put(node, "/etc/app/z", "theirs 1");
    node_put(node, "/media/usb/a", "one");
    node_boot(node);
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    node_put(node, "/media/usb/a", "broken");
    node_put(node, "/media/usb/z", "ours");
    faults.disk.immutable = NODE_STATE "/manifests/app/before.list"; /* its removal fails */
    (void)hf_manifest_engine_check(node->engine);
    node_tell(node);
    (void)hf_simloop_run_for(node->loop, 60 * HF_NS_PER_S);
    node_expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, "second");
    ck_assert(node_has(node, "/etc/app/z", "theirs 1"));
    node_put(node, "/etc/app/z", "theirs 2"); /* their own change */
    /* the next content lacks z, and is broken, too */
    hf_simfs_delete(node->fs, "/media/usb/z");
    node_put(node, "/media/usb/c", "more");
    (void)hf_simloop_run_for(node->loop, 60 * HF_NS_PER_S);
    node_intervals(node, 6);
    faults.disk.immutable = NULL;
    node_intervals(node, 6);
    ck_assert_msg(node_has(node, "/etc/app/z", "theirs 2"), "somebody's file was put back to an old content: %s",
                  node->status);
    node_end(node);
}
END_TEST

/* The text of a refusal is cut within a character: the entry is refused once, and not again and again. */
START_TEST(refusal_with_half_a_character)
{
    char manifests[1000], program[200] = "/opt/";
    size_t n = strlen(program);

    while (n < 119)
        program[n++] = 'x';
    (void)snprintf(program + n, sizeof(program) - n, "ü/check-the-configuration-of-the-application");
    (void)snprintf(
        manifests, sizeof(manifests),
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"validate\":{\"command\":[\"%s\",\"{}\"]}," NODE_FILES
        "}",
        program);
    struct node *node = node_begin(manifests, 907);
    node_put(node, "/media/usb/a", "one");
    node_boot(node);
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    node_intervals(node, 3);
    uint64_t calls = hf_simfs_calls(node->fs);
    unsigned notices = node->notices[HF_MANIFEST_NOTICE_REFUSED];
    node_intervals(node, 3);
    ck_assert_msg(hf_simfs_calls(node->fs) - calls < 100, "%u writes in 30 s, %u notices",
                  (unsigned)(hf_simfs_calls(node->fs) - calls), node->notices[HF_MANIFEST_NOTICE_REFUSED] - notices);
    node_end(node);
}
END_TEST

/* ---- a validation that cannot start ------------------------------------------------------------------------------ */

/* The command of `validate` cannot be started for a while, because the kernel lacks the room for a process: the set is
 * not refused, and its turn comes without an interval. */
START_TEST(validation_that_did_not_start_is_repeated)
{
    struct node *node = node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},"
                                   "\"validate\":{\"command\":[\"/usr/bin/check\",\"{}\"]}," NODE_FILES "}",
                                   51);

    node_put(node, "/media/usb/a", "one");
    node_boot(node);
    node_intervals(node, 4);
    node_put(node, "/media/usb/a", "two");
    faults.procs.failures = 3;
    node_intervals(node, 1);
    (void)hf_simloop_run_for(node->loop, 60 * HF_NS_PER_S);
    ck_assert_uint_eq(faults.procs.failures, 0);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "the command runs");
    ck_assert(node_has(node, "/etc/app/a", "two"));
    ck_assert_uint_eq(node->notices[HF_MANIFEST_NOTICE_REFUSED], 0);
    node_end(node);
}
END_TEST

/* The program of `validate` is missing. Each attempt writes the files of the set, so there is one per interval. */
START_TEST(missing_validation_is_repeated_each_interval)
{
    struct node *node = node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},"
                                   "\"validate\":{\"command\":[\"/usr/bin/check\",\"{}\"]}," NODE_FILES "}",
                                   52);

    node_put(node, "/media/usb/a", "one");
    faults.procs.failures = 100;
    faults.procs.error = -ENOENT;
    node_boot(node);
    node_intervals(node, 10);
    node_expect(node, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_VALIDATE_FAILED, "there is no program");
    ck_assert_uint_le(100 - faults.procs.failures, 11);
    unsigned failures = faults.procs.failures, statuses = node->statuses;
    (void)hf_simloop_run_for(node->loop, 3600 * HF_NS_PER_S);
    ck_assert_uint_eq(faults.procs.failures, failures);
    ck_assert_uint_eq(node->statuses, statuses);
    faults.procs.failures = 0;
    faults.procs.error = 0;
    node_intervals(node, 2);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "the program is there");
    node_end(node);
}
END_TEST

/* ---- a file that never fits -------------------------------------------------------------------------------------- */

/* One file cannot be put in place, or removed, whatever the agent does. */
static const struct obstinate {
    const char *name, *fields;
    const char *mount;     /* a mount point; NULL for none */
    const char *stuck;     /* see `target` */
    const char *immutable; /* see `target` */
    const char *message;   /* a part of it */
    bool first;            /* nothing was in place before */
} obstinates[] = {
    {"a mount below the target", "", "/etc/app/data", NULL, NULL, "/etc/app/data/x", false},
    {"a file that is a mount point", "", NULL, "b", NULL, "/etc/app/b", false},
    {"an immutable file that would go", "", NULL, NULL, "c", "/etc/app/c", false},
    {"the first set", "\"force\":true,", NULL, "b", NULL, "/etc/app/b", true},
};

static void change_source(struct node *node)
{
    node_put(node, "/media/usb/a", "two");
    node_put(node, "/media/usb/b", "two");
    node_put(node, "/media/usb/data/x", "two");
    hf_simfs_delete(node->fs, "/media/usb/c");
}

static struct node *begin_obstinate(const struct obstinate *o, uint64_t seed)
{
    static const char names[] = "abcdef";
    char text[400];

    (void)snprintf(text, sizeof(text),
                   "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},%s\"prune\":true," NODE_FILES "}", o->fields);
    struct node *node = node_begin(text, seed);
    if (o->mount != NULL)
        hf_simfs_mount(node->fs, o->mount);
    for (const char *name = names; *name != '\0'; name++) {
        char path[40];
        (void)snprintf(path, sizeof(path), "%s/%c", o->first ? "/etc/app" : "/media/usb", *name);
        node_put(node, path, o->first ? "theirs" : "one");
    }
    if (!o->first) {
        node_boot(node);
        node_intervals(node, 4);
        node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, o->name);
    }
    faults.disk.stuck = o->stuck;
    faults.disk.stuck_error = -EBUSY;
    faults.disk.immutable = o->immutable;
    change_source(node);
    if (o->first)
        node_boot(node);
    node_intervals(node, 12);
    return node;
}

/* The set goes back as a whole after some attempts, the status names the file, and the source can bring another
 * content. */
START_TEST(set_that_never_fits_is_rolled_back)
{
    const struct obstinate *o = &obstinates[_i];
    struct node *node = begin_obstinate(o, 50 + (unsigned)_i);
    struct seen seen = node_look(node);
    const char *before = o->first ? "theirs" : "one";

    ck_assert_msg(seen.status.phase == HF_MANIFEST_ROLLED_BACK && strstr(seen.message, o->message) != NULL, "%s: %s",
                  o->name, node->status);
    ck_assert_msg(node_has(node, "/etc/app/a", before) && node_has(node, "/etc/app/b", before) &&
                      node_has(node, "/etc/app/c", before),
                  "%s: %s", o->name, node->status);
    ck_assert(node_has(node, "/etc/app/data/x", NULL));
    unsigned statuses = node->statuses;
    node_intervals(node, 5);
    ck_assert_uint_eq(node->statuses, statuses);
    faults.disk.stuck = faults.disk.immutable = NULL;
    hf_simfs_delete(node->fs, "/media/usb/data/x");
    node_put(node, "/media/usb/a", "three");
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, o->name);
    ck_assert(node_has(node, "/etc/app/a", "three") && node_has(node, "/etc/app/b", "two"));
    node_end(node);
}
END_TEST

/* The same, and the entry leaves the policy while the file is as before. */
START_TEST(set_that_never_fits_goes_with_the_entry)
{
    const struct obstinate *o = &obstinates[_i];
    struct node *node = begin_obstinate(o, 60 + (unsigned)_i);
    struct stat st;

    faults.disk.immutable = NULL;
    node_set_policy(node, "");
    node_intervals(node, 2);
    if (hf_simfs_stat(node->fs, NODE_STATE "/manifests/app", &st)) {
        node_allow_prune(node, node_look(node).status.digest);
        node_intervals(node, 2);
    }
    ck_assert_msg(!hf_simfs_stat(node->fs, NODE_STATE "/manifests/app", &st), "%s: %s", o->name, node->status);
    ck_assert_msg(o->first ? node_has(node, "/etc/app/a", "theirs") && node_has(node, "/etc/app/b", "theirs")
                           : node_has(node, "/etc/app/a", NULL) && node_has(node, "/etc/app/b", NULL),
                  "%s", o->name);
    node_end(node);
}
END_TEST

/* The entry waits for a fault that passes by itself, however long that takes. */
START_TEST(swap_waits_for_what_passes)
{
    static const int errors[] = {-ENOSPC, -EDQUOT, -EROFS, -EIO, -ENOMEM};
    struct node *node =
        node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES "}", 70 + (unsigned)_i);

    node_put(node, "/media/usb/a", "one");
    node_boot(node);
    node_intervals(node, 4);
    faults.disk.stuck = "a";
    faults.disk.stuck_error = errors[_i];
    node_put(node, "/media/usb/a", "two");
    node_intervals(node, 100);
    ck_assert_int_eq(node_look(node).status.phase, HF_MANIFEST_APPLYING);
    faults.disk.stuck = NULL;
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "the disk is mended");
    ck_assert(node_has(node, "/etc/app/a", "two"));
    node_end(node);
}
END_TEST

/* A set fails, and its file cannot be replaced any more. The rollback ends, and does not claim that the good content is
 * in place: a power cut later the set is still unproven. Another content takes the place of the failed one. */
START_TEST(rollback_that_never_works_ends)
{
    struct node *node = node_begin(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"force\":true,\"prune\":true," NODE_FILES NODE_UNIT "}",
        80 + (unsigned)_i);
    struct stat st;
    size_t n;

    node_put(node, "/etc/app/z", "theirs");
    node_put(node, "/media/usb/a", "one");
    node_boot(node);
    node_intervals(node, 4);
    faults.disk.sticks = true;
    faults.disk.stuck_error = -EPERM;
    node_put(node, "/media/usb/a", "broken");
    node_put(node, "/media/usb/z", "ours");
    node_intervals(node, 14);
    faults.disk.sticks = false;
    struct seen seen = node_look(node);
    ck_assert_msg(seen.status.phase == HF_MANIFEST_ROLLED_BACK &&
                      seen.status.reason == HF_MANIFEST_REASON_RESTART_FAILED,
                  "%s", node->status);
    ck_assert_msg(strstr(seen.message, "'/etc/app/a'") != NULL, "%s", seen.message);
    ck_assert(node_has(node, "/etc/app/a", "broken"));
    ck_assert(hf_simfs_stat(node->fs, NODE_STATE "/manifests/app/before", &st));
    node_power_cut(node, 1);
    node_boot(node);
    node_intervals(node, 2);
    const char *record = hf_simfs_get(node->fs, NODE_STATE "/manifests/app/record", &n);
    ck_assert_ptr_nonnull(memmem(record, n, "\"unproven\":true", 15));
    faults.disk.stuck = NULL;
    if (_i == 0) {
        hf_simfs_delete(node->fs, "/media/usb/z");
        node_put(node, "/media/usb/a", "three");
        node_intervals(node, 4);
        node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "the file can be replaced");
        ck_assert(node_has(node, "/etc/app/a", "three"));
    } else {
        node_set_policy(node, "");
        node_intervals(node, 4);
        ck_assert(!hf_simfs_stat(node->fs, NODE_STATE "/manifests/app", &st) && node_has(node, "/etc/app/a", NULL));
        ck_assert(!node_has(node, "/etc/app/z", NULL));
    }
    node_end(node);
}
END_TEST

/* ---- an attempt that waits for its record ------------------------------------------------------------------------ */

/* The state folder is full for an hour. */
START_TEST(full_state_is_asked_at_a_pace)
{
    struct node *node = node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES "}", 916);

    hf_simfs_delete(node->fs, NODE_STATE);
    hf_simfs_mount(node->fs, NODE_STATE);
    node_put(node, "/media/usb/a", "one");
    node_boot(node);
    node_intervals(node, 4);
    hf_simfs_set_limit(node->fs, NODE_STATE, 100);
    node_put(node, "/etc/app/a", "drift");
    node_intervals(node, 3);
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    uint64_t calls = hf_simfs_calls(node->fs);
    (void)hf_simloop_run_for(node->loop, 3600 * HF_NS_PER_S);
    ck_assert_uint_gt(hf_simfs_calls(node->fs), calls);
    ck_assert_uint_lt(hf_simfs_calls(node->fs), calls + 600);
    node_end(node);
}
END_TEST

/* The record cannot be written for a long time after the attempt was prepared. */
START_TEST(attempt_that_waited_for_its_record)
{
    struct node *node = node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES "}", 906);

    node_put(node, "/media/usb/a", "one");
    node_boot(node);
    node_intervals(node, 4);
    node_put(node, "/media/usb/b", "ours");
    struct stat st;
    hf_manifest_engine_check(node->engine);
    for (unsigned k = 0; k < 100000 && !hf_simfs_stat(node->fs, "/etc/.holdfast-app.new/b", &st); k++)
        (void)hf_simloop_step(node->loop);
    ck_assert(hf_simfs_stat(node->fs, "/etc/.holdfast-app.new/b", &st));
    faults.disk.uncreatable = "record.new";
    node_intervals(node, 6);
    ck_assert(node_has(node, "/etc/app/b", NULL));
    node_put(node, "/etc/app/b", "theirs"); /* an hour later */
    node_intervals(node, 6);
    faults.disk.uncreatable = NULL;
    node_intervals(node, 6);
    ck_assert_msg(node_has(node, "/etc/app/b", "theirs"), "a file of somebody else was overwritten: %s", node->status);
    node_end(node);
}
END_TEST

static struct node *begin_unsaved(const char *fields, uint64_t seed)
{
    char text[500];
    struct stat st;

    (void)snprintf(text, sizeof(text),
                   "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},%s" NODE_FILES NODE_UNIT "}", fields);
    struct node *node = node_begin(text, seed);
    node_put(node, "/etc/app/z", "theirs 1");
    node_put(node, "/media/usb/a", "one");
    node_boot(node);
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    node_put(node, "/media/usb/c", "more");
    if (fields[0] != '\0') {
        node_put(node, "/media/usb/a", "broken");
        node_put(node, "/media/usb/z", "ours");
    }
    hf_manifest_engine_check(node->engine);
    for (unsigned k = 0; k < 100000 && !hf_simfs_stat(node->fs, "/etc/.holdfast-app.new/c", &st); k++)
        (void)hf_simloop_step(node->loop);
    ck_assert(hf_simfs_stat(node->fs, "/etc/.holdfast-app.new/c", &st));
    faults.disk.uncreatable = "record.new";
    node_intervals(node, 6);
    ck_assert(node_has(node, "/etc/app/c", NULL));
    return node;
}

/* With the staged files on the disk there is no room for the record: the files are not staged every few seconds. */
START_TEST(prepared_attempt_fills_the_disk)
{
    struct node *node =
        node_begin_applied("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES NODE_UNIT "}", 2014);

    node_put(node, "/media/usb/c", "more");
    faults.disk.scant = node;
    faults.disk.staged = 0;
    node_intervals(node, 360);
    faults.disk.scant = NULL;
    ck_assert_msg(faults.disk.staged <= 150, "staged %u times in an hour: %s", faults.disk.staged, node->status);
    node_intervals(node, 12);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "there is room");
    node_end(node);
}
END_TEST

/* The record that says Applying cannot be written: drift of what is in place is repaired all the same. */
START_TEST(prepared_attempt_stops_drift)
{
    struct node *node = begin_unsaved("", 2002);

    node_put(node, "/etc/app/a", "drift");
    node_intervals(node, 360);
    char status[800];
    memcpy(status, node->status, sizeof(status));
    bool repaired = node_has(node, "/etc/app/a", "one");
    faults.disk.uncreatable = NULL;
    node_end(node);
    ck_assert_msg(repaired, "an hour later: %s", status);
}
END_TEST

/* The record finds no room on the disk, perhaps because of the staged files: the agent removes them. */
START_TEST(prepared_attempt_leaves_staging)
{
    struct node *node = begin_unsaved("", 2003);
    struct stat st;

    node_intervals(node, 60);
    ck_assert_msg(!hf_simfs_stat(node->fs, "/etc/.holdfast-app.new/c", &st), "staged files stay: %s", node->status);
    node_end(node);
}
END_TEST

/* The site's hold comes meanwhile. */
START_TEST(prepared_attempt_and_hold)
{
    struct node *node = begin_unsaved("", 2004);

    node->desired.held = true;
    node_intervals(node, 6);
    faults.disk.uncreatable = NULL;
    node_intervals(node, 6);
    ck_assert_msg(node_has(node, "/etc/app/c", NULL), "new content under a hold: %s", node->status);
    node_end(node);
}
END_TEST

/* The content is mended meanwhile / the entry leaves the policy */
START_TEST(prepared_attempt_and_removal)
{
    struct node *node = begin_unsaved("\"force\":true,\"prune\":true,", 2005);

    node_set_policy(node, "");
    node_intervals(node, 6);
    unsigned restarts = node->restarts;
    faults.disk.uncreatable = NULL;
    node_intervals(node, 6);
    ck_assert_msg(node->restarts == restarts, "%u restarts, %s", node->restarts - restarts, node->status);
    node_end(node);
}
END_TEST

/* Somebody else's file changes (_i == 0) or goes (_i == 1) while the record of a prepared attempt cannot be
 * written; the set fails then. */
START_TEST(stale_backup)
{
    struct node *node = begin_unsaved("\"force\":true,\"prune\":true,", 2006);

    if (_i == 0)
        node_put(node, "/etc/app/z", "theirs 2");
    else
        hf_simfs_delete(node->fs, "/etc/app/z");
    node_intervals(node, 6);
    faults.disk.uncreatable = NULL;
    node_intervals(node, 20);
    node_expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, "second");
    ck_assert_msg(node_has(node, "/etc/app/z", _i == 0 ? "theirs 2" : NULL),
                  "an old content of somebody's file is back: %s", node->status);
    node_end(node);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, content_that_was_not_written_comes_again);
    tcase_add_test(tc, content_that_cannot_be_written_is_not_paced);
    tcase_add_loop_test(tc, wait_for_the_interval_is_kept, 0, 2);
    tcase_add_loop_test(tc, look_that_failed_is_repeated, 0, 2);
    tcase_add_test(tc, backups_that_a_cleanup_left);
    tcase_add_test(tc, refusal_with_half_a_character);
    tcase_add_test(tc, validation_that_did_not_start_is_repeated);
    tcase_add_test(tc, missing_validation_is_repeated_each_interval);
    tcase_add_loop_test(tc, set_that_never_fits_is_rolled_back, 0, HF_LEN(obstinates));
    tcase_add_loop_test(tc, set_that_never_fits_goes_with_the_entry, 0, HF_LEN(obstinates));
    tcase_add_loop_test(tc, swap_waits_for_what_passes, 0, 5);
    tcase_add_loop_test(tc, rollback_that_never_works_ends, 0, 2);
    tcase_add_test(tc, full_state_is_asked_at_a_pace);
    tcase_add_test(tc, attempt_that_waited_for_its_record);
    tcase_add_test(tc, prepared_attempt_fills_the_disk);
    tcase_add_test(tc, prepared_attempt_stops_drift);
    tcase_add_test(tc, prepared_attempt_leaves_staging);
    tcase_add_test(tc, prepared_attempt_and_hold);
    tcase_add_test(tc, prepared_attempt_and_removal);
    tcase_add_loop_test(tc, stale_backup, 0, 2);
}

HF_TEST_MAIN_CPU("manifests/retry", cases, 60)
