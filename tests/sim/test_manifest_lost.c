/* SPDX-License-Identifier: Apache-2.0 */
/* A node loses what it keeps of one entry of spec.manifests, on virtual time: a content before it has passed, copies of
 * somebody else's files, the record, the inventory; or its disk does not read for a while. */
#include <string.h>

#include "support/check_main.h"
#include "support/manifest_node.h"

/* ---- a content that is lost before it has passed ----------------------------------------------------------------- */

/* Whatever the cut leaves, and although the copy of the new content is damaged then: the service never counts as good
 * with it, and the last good content, and the file of somebody else, are in place in the end. */
static bool lose_at(uint64_t n, bool first)
{
    struct node *node = node_begin(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"force\":true,\"prune\":true," NODE_FILES NODE_UNIT "}",
        n);
    struct loss loss = {.node = node};
    char when[60];

    (void)snprintf(when, sizeof(when), "cut at %u", (unsigned)n);
    node_put(node, "/etc/app/z", "theirs");
    if (first) {
        node_put(node, "/media/usb/a", "one");
        node_boot(node);
        node_intervals(node, 4);
        node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
        node_shut_down(node);
        hf_simfs_walk(node->fs, NODE_STATE, loss_find_good, &loss);
    }
    node_put(node, "/media/usb/a", "broken");
    node_put(node, "/media/usb/z", "ours");
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    node_boot(node);
    if (node->engine != NULL)
        node_intervals(node, 6);
    bool cut = hf_simfs_stopped(node->fs);
    if (cut) {
        node_power_cut(node, n);
        hf_simfs_walk(node->fs, NODE_STATE, loss_damage, &loss);
        node_boot(node);
        node_intervals(node, 12);
    }
    hf_simfs_stop_at(node->fs, 0);
    node_expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, when);
    ck_assert_msg(node_has(node, "/etc/app/a", first ? "one" : NULL), "%s: a", when);
    ck_assert_msg(node_has(node, "/etc/app/z", "theirs"), "%s: z", when);
    node_end(node);
    return cut;
}

START_TEST(lost_content_is_not_good)
{
    uint64_t n = 1;

    while (lose_at(n, _i == 0))
        n++;
    ck_assert_uint_gt(n, 20);
}
END_TEST

/* The content of static pods is lost while they are on trial, and the source is away: nobody can say which pods must
 * run, so the entry waits. */
START_TEST(lost_pods_are_not_good)
{
    unsigned probations = 0;

    for (uint64_t n = 1;; n++) {
        struct node *node =
            node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"to\":\"StaticPods\"}", 100 + n);
        struct loss loss = {.node = node};
        node_put(node, "/media/usb/web.yaml", NODE_POD("a"));
        hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
        hf_simfs_stop_at(node->fs, n);
        node_boot(node);
        if (node->engine != NULL)
            node_intervals(node, 6);
        if (!hf_simfs_stopped(node->fs)) {
            node_end(node);
            break;
        }
        node_power_cut(node, n);
        if (strcmp(node_phase_on_disk(node), "\"Probation\"") == 0 ||
            strcmp(node_phase_on_disk(node), "\"Applying\"") == 0) {
            probations += strcmp(node_phase_on_disk(node), "\"Probation\"") == 0;
            hf_simfs_walk(node->fs, NODE_STATE, loss_damage, &loss);
            hf_simfs_delete(node->fs, "/media/usb/web.yaml");
            node_boot(node);
            node_intervals(node, 6);
            ck_assert_uint_gt(loss.n, 0);
            ck_assert_msg(node_look(node).status.phase == HF_MANIFEST_WAITING ||
                              node_look(node).status.phase == HF_MANIFEST_FETCHING,
                          "cut at %u: %s", (unsigned)n, hf_manifest_phase_name(node_look(node).status.phase));
            node_put(node, "/media/usb/web.yaml", NODE_POD("a"));
            node_intervals(node, 8);
            node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_HEALTH_UNKNOWN, "the source is back");
            ck_assert_ptr_nonnull(strstr(node_look(node).message, "health unknown"));
            ck_assert(node_has(node, "/etc/pods/app_default_web.yaml", NODE_POD("a")));
        } else {
            node_boot(node);
        }
        node_end(node);
    }
    ck_assert_uint_gt(probations, 0);
}
END_TEST

/* ---- copies of somebody else's files that are damaged ------------------------------------------------------------ */

static void damage_file(struct node *node, const char *path, unsigned how)
{
    size_t n = 0;
    const char *bytes = hf_simfs_get(node->fs, path, &n);
    char copy[4096];

    ck_assert(bytes != NULL && n < sizeof(copy));
    memcpy(copy, bytes, n);
    copy[n / 2] ^= 1;
    hf_simfs_delete(node->fs, path);
    if (how == 0)
        hf_simfs_put(node->fs, path, copy, n, 0600);
    else if (how == 1)
        node_put(node, path, "");
    else
        hf_simfs_mkdir(node->fs, path, 0700); /* it cannot be read at all */
}

/* A set that fails replaces a file of somebody else, and the power is cut at the n-th write. Returns NULL if no write
 * was the n-th one. */
static struct node *cut_broken_set(uint64_t n)
{
    struct node *node = node_begin(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"force\":true,\"prune\":true," NODE_FILES NODE_UNIT "}",
        n);

    node_put(node, "/etc/app/z", "theirs");
    node_put(node, "/media/usb/a", "broken");
    node_put(node, "/media/usb/z", "ours");
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    node_boot(node);
    if (node->engine != NULL)
        node_intervals(node, 6);
    if (!hf_simfs_stopped(node->fs)) {
        node_end(node);
        return NULL;
    }
    node_power_cut(node, n);
    return node;
}

/* The rollback comes to its end whatever happens to what it goes back to. A file of somebody else comes back as long as
 * its content is there, and is never removed. */
START_TEST(damaged_before)
{
    static const char *const names[] = {NODE_STATE "/manifests/app/before", NODE_STATE "/manifests/app/before.list"};
    const char *name = names[_i / 3];
    unsigned how = (unsigned)_i % 3, damaged = 0;
    struct node *node;
    size_t size;

    for (uint64_t n = 1; (node = cut_broken_set(n)) != NULL; n++) {
        if (hf_simfs_get(node->fs, name, &size) != NULL) {
            damage_file(node, name, how);
            damaged++;
        }
        node_boot(node);
        node_intervals(node, 20);
        if (how == 2 &&
            node_look(node).status.phase == HF_MANIFEST_WAITING) { /* nothing has changed: a person may look */
            node_expect(node, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_WRITE_FAILED, name);
            ck_assert(node_has(node, "/etc/app/z", "theirs"));
            hf_simfs_delete(node->fs, name);
            node_intervals(node, 6);
        }
        node_expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, name);
        ck_assert(node_has(node, "/etc/app/a", NULL));
        ck_assert_msg(node_has(node, "/etc/app/z", "theirs") || (_i < 3 && node_has(node, "/etc/app/z", "ours")),
                      "%s, %u: cut at %u", name, how, (unsigned)n);
        if (how == 2)
            hf_simfs_delete(node->fs, name);
        node_put(node, "/media/usb/a", "good"); /* a newer content is not kept out */
        node_put(node, "/media/usb/z", "ours");
        node_intervals(node, 6);
        node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, name);
        node_end(node);
    }
    ck_assert_uint_gt(damaged, 5);
}
END_TEST

/* Both are damaged: nobody knows which files are somebody else's, so the rollback removes none. */
START_TEST(all_of_before_is_damaged)
{
    static const char *const names[] = {NODE_STATE "/manifests/app/before", NODE_STATE "/manifests/app/before.list"};
    unsigned damaged = 0;
    struct node *node;
    size_t size;

    for (uint64_t n = 1; (node = cut_broken_set(n)) != NULL; n++) {
        if (hf_simfs_get(node->fs, names[0], &size) != NULL && hf_simfs_get(node->fs, names[1], &size) != NULL) {
            damage_file(node, names[0], (unsigned)_i);
            damage_file(node, names[1], (unsigned)_i);
            damaged++;
        }
        node_boot(node);
        node_intervals(node, 20);
        for (size_t i = 0; i < HF_LEN(names) && node_look(node).status.phase == HF_MANIFEST_WAITING; i++)
            hf_simfs_delete(node->fs, names[i]); /* they cannot be read, and nothing has changed: a person may look */
        node_intervals(node, 6);
        node_expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, "both are damaged");
        ck_assert_msg(node_has(node, "/etc/app/z", "theirs") || node_has(node, "/etc/app/z", "ours"), "%d: cut at %u",
                      _i, (unsigned)n);
        node_end(node);
    }
    ck_assert_uint_gt(damaged, 5);
}
END_TEST

/* ---- files of somebody else that are as wanted already ----------------------------------------------------------- */

/* The set writes nothing: its one file is there, and another one goes. The rollback leaves the file to its owner, also
 * after a power cut at any write. */
START_TEST(adopted_file_stays)
{
    unsigned cuts = 0;

    for (uint64_t n = 0;; n++) {
        struct node *node = node_begin(
            "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," NODE_FILES NODE_UNIT "}", n + 1);
        node_put(node, "/media/usb/b", "one");
        node_boot(node);
        node_intervals(node, 4);
        node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
        node_put(node, "/etc/app/a", "broken");
        hf_simfs_delete(node->fs, "/media/usb/b");
        node_put(node, "/media/usb/a", "broken");
        hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
        hf_simfs_stop_at(node->fs, n); /* 0: never */
        node_intervals(node, 6);
        bool stopped = hf_simfs_stopped(node->fs);
        if (stopped) {
            cuts++;
            node_power_cut(node, n);
            node_boot(node);
            node_intervals(node, 20);
        }
        node_expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, "second");
        ck_assert_msg(node_has(node, "/etc/app/a", "broken"), "cut at %u: the file of somebody else is gone",
                      (unsigned)n);
        ck_assert_msg(node_has(node, "/etc/app/b", "one"), "cut at %u", (unsigned)n);
        node_end(node);
        if (n > 0 && !stopped)
            break;
    }
    ck_assert_uint_gt(cuts, 5);
}
END_TEST

/* The record is lost during the checks of a set, so nobody knows what was good. The rollback gives back the file of
 * somebody else that this set has taken over; its other file stays, and is the entry's own. */
START_TEST(adopted_file_stays_without_the_record)
{
    struct node *node =
        node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," NODE_FILES NODE_UNIT "}", 73);

    node_put(node, "/etc/app/z", "theirs");
    node_put(node, "/media/usb/a", "broken");
    node_put(node, "/media/usb/z", "theirs");
    faults.service.hangs = true;
    node_boot(node);
    node_intervals(node, 1);
    node_expect(node, HF_MANIFEST_PROBATION, HF_MANIFEST_REASON_NONE, "on trial");
    hf_simproc_kill(node->proc);
    node_shut_down(node);
    faults.service.hangs = false;
    node_put(node, NODE_STATE "/manifests/app/record", "damaged");
    node_boot(node);
    node_intervals(node, 6);
    node_expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, "rolled back");
    ck_assert(node_has(node, "/etc/app/a", "broken") && node_has(node, "/etc/app/z", "theirs"));
    ck_assert_ptr_null(hf_simfs_get(node->fs, NODE_STATE "/manifests/app/before.list", &(size_t){0}));
    /* The same content once more, which changes no file: it has to pass its checks. */
    node_set_policy(
        node,
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true,\"healthDeadline\":\"3m\"," NODE_FILES
            NODE_UNIT "}");
    node_intervals(node, 6);
    node_expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, "once more");
    hf_simfs_delete(node->fs, "/media/usb/z");
    node_put(node, "/media/usb/a", "good");
    node_intervals(node, 6);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "next");
    ck_assert(node_has(node, "/etc/app/a", "good"));
    ck_assert_msg(node_has(node, "/etc/app/z", "theirs"), "the file of somebody else is gone");
    node_end(node);
}
END_TEST

/* ---- the record and the inventory -------------------------------------------------------------------------------- */

/* The record is lost while the files are in place, so nobody knows what was good. The next content fails: what the
 * service runs on stays, because the alternative is no file at all. Then a content that works comes. */
START_TEST(lost_record_removes_nothing)
{
    struct node *node =
        node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," NODE_FILES NODE_UNIT "}", 71);

    node_put(node, "/media/usb/a", "one");
    node_put(node, "/media/usb/b", "one");
    node_boot(node);
    node_intervals(node, 3);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    node_shut_down(node);
    if (_i == 0)
        node_put(node, NODE_STATE "/manifests/app/record", "damaged");
    else
        hf_simfs_delete(node->fs, NODE_STATE "/manifests/app/record");
    node_put(node, "/media/usb/a", "broken");
    node_boot(node);
    node_intervals(node, 3);
    node_shut_down(node);
    node_boot(node);
    node_intervals(node, 3);
    node_expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, "second");
    ck_assert(node_has(node, "/etc/app/a", "broken") && node_has(node, "/etc/app/b", "one"));
    node_put(node, "/media/usb/a", "two");
    node_intervals(node, 3);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "third");
    ck_assert(node_has(node, "/etc/app/a", "two"));
    node_end(node);
}
END_TEST

/* The inventory is lost in the middle of an attempt with a set that fails. Its new file is still the entry's own: the
 * rollback removes it, and so it is no foreign file to the next set. Returns false if no call was the n-th one. */
static bool lose_inventory_at(uint64_t n, unsigned *ret_probations)
{
    struct node *node = node_begin(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," NODE_FILES NODE_UNIT "}", 500 + n);

    node_put(node, "/media/usb/a", "one");
    node_boot(node);
    node_intervals(node, 3);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    node_put(node, "/media/usb/a", "broken");
    node_put(node, "/media/usb/b", "new");
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    node_intervals(node, 4);
    bool cut = hf_simfs_stopped(node->fs);
    if (cut) {
        node_kill(node);
        *ret_probations += strcmp(node_phase_on_disk(node), "\"Probation\"") == 0;
        node_put(node, NODE_STATE "/manifests/app/inventory", "damaged");
        node_boot(node);
        node_intervals(node, 4);
        node_expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, "second");
        ck_assert_msg(node_has(node, "/etc/app/a", "one") && node_has(node, "/etc/app/b", NULL), "kill at %u",
                      (unsigned)n);
        node_put(node, "/media/usb/a", "two");
        node_put(node, "/media/usb/b", "newer");
        node_intervals(node, 4);
        node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "third");
    }
    hf_simfs_stop_at(node->fs, 0);
    node_end(node);
    return cut;
}

START_TEST(lost_inventory_forgets_no_new_file)
{
    unsigned probations = 0;
    uint64_t n = 1;

    while (lose_inventory_at(n, &probations))
        n++;
    ck_assert_uint_gt(probations, 0);
}
END_TEST

/* The disk cannot read the state of one entry. The others go on, and this one does when the disk can. */
START_TEST(unreadable_state_stops_one_entry)
{
    static const char *const names[] = {NODE_STATE "/manifests/app/record", NODE_STATE "/manifests/app/inventory"};
    static const char two[] = "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES "},"
                              "{\"name\":\"b\",\"from\":{\"path\":\"/media/b\"},\"to\":\"Files\","
                              "\"path\":\"/srv/b/\"}";
    struct node *node = node_begin(two, 11);

    node_put(node, "/media/usb/a", "one");
    node_put(node, "/media/b/f", "one");
    node_boot(node);
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    node_shut_down(node);
    faults.disk.unreadable = names[_i];
    node_put(node, "/media/usb/a", "two");
    node_put(node, "/media/b/f", "two");
    node_boot(node);
    ck_assert_msg(node->engine != NULL, "the agent does not start");
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_WRITE_FAILED, "it cannot be read");
    unsigned statuses = node->statuses;
    node_intervals(node, 6);
    ck_assert_uint_eq(node->statuses, statuses);
    ck_assert(node_has(node, "/srv/b/f", "two") && node_has(node, "/etc/app/a", "one"));
    faults.disk.unreadable = NULL;
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "it can be read again");
    ck_assert(node_has(node, "/etc/app/a", "two"));
    node_end(node);
}
END_TEST

/* A revision may be cut within a character. */
START_TEST(record_with_half_a_character)
{
    struct hf_manifest_record record;
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(HF_RECORD_MAX_BYTES);
    char branch[300] = "";

    memset(branch, 'x', 179);
    (void)snprintf(branch + 179, sizeof(branch) - 179, "\xc3\xbc@sha1:1234");
    hf_manifest_record_init(&record);
    (void)snprintf(record.known_revision, sizeof(record.known_revision), "%.180s+%.12s", branch, "abcdef012345");
    ck_assert_int_eq(hf_manifest_record_format(&record, &out), 0);
    hf_manifest_record_done(&record);
}
END_TEST

/* ---- a target that fails for a while ----------------------------------------------------------------------------- */

/* A rollback waits for a target that cannot be read, because the content to go back to is there. */
START_TEST(rollback_waits_for_the_target)
{
    struct node *node =
        node_begin_applied("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES NODE_UNIT "}", 9);

    faults.disk.breaks = true;
    node_put(node, "/media/usb/a", "broken");
    node_intervals(node, 30);
    ck_assert(faults.disk.broken);
    ck_assert_int_eq(node_look(node).status.phase, HF_MANIFEST_ROLLING_BACK);
    faults.disk.breaks = faults.disk.broken = false;
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, "the target is back");
    ck_assert(node_has(node, "/etc/app/a", "one"));
    node_end(node);
}
END_TEST

/* The service failed because its files were missing: systemd would refuse to reload it, so it is started. */
START_TEST(reload_starts_what_is_not_active)
{
    struct node *node = node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES
                                   ",\"reload\":{\"systemdUnit\":\"app.service\"}}",
                                   9);

    faults.service.active_state = "failed";
    node_put(node, "/media/usb/a", "one");
    node_boot(node);
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    ck_assert_uint_eq(node->restarts, 1);
    ck_assert_uint_eq(node->reloads, 0);
    node_put(node, "/media/usb/a", "two");
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "second");
    ck_assert_uint_eq(node->restarts, 1);
    ck_assert_uint_eq(node->reloads, 1);
    faults.service.active_state = "activating"; /* it waits for its next automatic restart */
    node_put(node, "/etc/app/a", "drift");
    node_intervals(node, 4);
    ck_assert(node_has(node, "/etc/app/a", "two"));
    ck_assert_uint_eq(node->restarts, 2);
    ck_assert_uint_eq(node->reloads, 1);
    node_end(node);
    faults.service.active_state = "active";
}
END_TEST

/* However often the target has failed before, one error of the disk does not make the backups count as lost. */
START_TEST(rollback_reads_again)
{
    struct node *node = node_begin(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"force\":true,\"prune\":true," NODE_FILES NODE_UNIT "}",
        9);

    node_put(node, "/etc/app/z", "theirs");
    node_put(node, "/media/usb/a", "one");
    node_boot(node);
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    faults.disk.breaks = true;
    node_put(node, "/media/usb/a", "broken");
    node_put(node, "/media/usb/z", "ours");
    node_intervals(node, 60);
    ck_assert(faults.disk.broken);
    faults.disk.unreadable = NODE_STATE "/manifests/app/before";
    faults.disk.breaks = faults.disk.broken = false;
    for (unsigned i = 0; i < 60 && faults.disk.errors == 0; i++)
        node_intervals(node, 1);
    ck_assert_uint_gt(faults.disk.errors, 0);
    ck_assert_int_eq(node_look(node).status.phase, HF_MANIFEST_ROLLING_BACK);
    faults.disk.unreadable = NULL;
    node_intervals(node, 30);
    node_expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, "the disk reads again");
    ck_assert(node_has(node, "/etc/app/a", "one") && node_has(node, "/etc/app/z", "theirs"));
    node_end(node);
}
END_TEST

/* The disk does not read the list of somebody else's files, and when the rollback gives it up, the target fails as
 * well. Then the disk works again: the files of the failed set are still the entry's own, and go. */
START_TEST(cut_short_rollback_disowns_nothing)
{
    struct node *node = node_begin_applied(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," NODE_FILES NODE_UNIT "}", 2060);

    faults.disk.breaks = true;
    faults.disk.unreadable = NODE_STATE "/manifests/app/before.list";
    node_put(node, "/media/usb/a", "broken");
    node_put(node, "/media/usb/b", "two");
    node_intervals(node, 60);
    ck_assert(faults.disk.broken);
    ck_assert_uint_gt(faults.disk.errors, 5);
    ck_assert_int_eq(node_look(node).status.phase, HF_MANIFEST_ROLLING_BACK);
    faults.disk.breaks = faults.disk.broken = false;
    faults.disk.unreadable = NULL;
    node_intervals(node, 12);
    node_expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, "the disk works");
    ck_assert(node_has(node, "/etc/app/a", "one") && node_has(node, "/etc/app/b", NULL));
    node_end(node);
}
END_TEST

/* The content to which a set was rolled back is lost, and the source has only the content that failed. To fetch that
 * one again would repair nothing: drift is reported, and nothing is written. */
START_TEST(lost_older_content_is_not_fetched)
{
    struct node *node =
        node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES NODE_UNIT "}", 10);
    struct loss loss = {.node = node};

    node_put(node, "/media/usb/a", "one");
    node_boot(node);
    node_intervals(node, 4);
    hf_simfs_walk(node->fs, NODE_STATE, loss_find_good, &loss);
    node_put(node, "/media/usb/a", "broken");
    node_intervals(node, 6);
    node_expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, "the second one");
    node_put(node, loss.good, "damaged");
    node_put(node, "/etc/app/a", "drift");
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, "nothing to repair it from");
    hf_simfs_count_only(node->fs, HF_SIMFS_GROWS);
    uint64_t calls = hf_simfs_calls(node->fs);
    node_intervals(node, 60);
    ck_assert_msg(hf_simfs_calls(node->fs) == calls, "%u calls that write",
                  (unsigned)(hf_simfs_calls(node->fs) - calls));
    node_put(node, "/media/usb/a", "three");
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "a newer content");
    node_end(node);
}
END_TEST

/* A file in place cannot be read (bad sector). */
START_TEST(bad_block_in_the_target)
{
    struct node *node = node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES "}", 903);

    node_put(node, "/media/usb/a", "one");
    node_put(node, "/media/usb/b", "one");
    node_boot(node);
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    node_shut_down(node);
    hf_simfs_set_unreadable(node->fs, "/etc/app/a", true);
    node_boot(node);
    if (_i == 0) {
        node_put(node, "/etc/app/b", "drift");
        node_intervals(node, 30);
        ck_assert_msg(node_has(node, "/etc/app/b", "one"), "another file is not repaired: %s", node->status);
    } else {
        node_put(node, "/media/usb/a", "two");
        node_put(node, "/media/usb/b", "two");
        node_intervals(node, 60);
        ck_assert_msg(node_has(node, "/etc/app/b", "two"), "a new content never comes: %s", node->status);
    }
    node_end(node);
}
END_TEST

/* The disk cannot read a file in place of the set that has failed; the good one is as long. */
START_TEST(rollback_over_a_bad_block)
{
    struct node *node =
        node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES NODE_UNIT "}", 913);

    node_put(node, "/media/usb/a", "one");
    node_put(node, "/media/usb/b", "one");
    node_boot(node);
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    node_put(node, "/media/usb/a", "two");
    node_put(node, "/media/usb/b", "two");
    faults.service.hangs = true;
    node_intervals(node, 3);
    ck_assert_int_eq(node_look(node).status.phase, HF_MANIFEST_PROBATION);
    hf_simfs_set_unreadable(node->fs, "/etc/app/b", true);
    faults.service.hangs = false;
    faults.service.fails = 1;
    node_kill(node);
    node_boot(node); /* the restart fails */
    node_put(node, "/media/usb/a", "three");
    node_put(node, "/media/usb/b", "three");
    node_intervals(node, 200);
    ck_assert_msg(node_has(node, "/etc/app/b", "three"), "the rollback never ends: %s", node->status);
    node_end(node);
}
END_TEST

/* The disk never reads one file in place, however often it is written. */
START_TEST(file_that_never_reads)
{
    struct node *node =
        node_begin_applied("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES NODE_UNIT "}", 2011);

    faults.disk.never_reads = true;
    node_shut_down(node);
    node_boot(node);
    unsigned restarts = node->restarts, drifts = node_look(node).status.drifts;
    (void)node_intervals(node, 6 * 60);
    faults.disk.never_reads = false;
    ck_assert_msg(node->restarts - restarts <= 12, "%u restarts and %u repairs in an hour: %s",
                  node->restarts - restarts, (unsigned)node_look(node).status.drifts - drifts, node->status);
    node_end(node);
}
END_TEST

/* Somebody removes a file of the good set, and the disk does not read our copy of the content: the source delivers it
 * again. */
START_TEST(drift_with_worn_copy)
{
    struct node *node =
        node_begin_applied("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES NODE_UNIT "}", 2017);
    static char path[200];

    (void)snprintf(path, sizeof(path), NODE_STATE "/manifests/app/b-%s", node_look(node).status.digest);
    faults.disk.unreadable = path;
    faults.disk.errors = 0;
    hf_simfs_delete(node->fs, "/etc/app/a");
    node_intervals(node, 360);
    ck_assert_uint_gt(faults.disk.errors, 5);
    ck_assert_msg(node_has(node, "/etc/app/a", "one"), "not repaired in 1 h, %u reads: %s", faults.disk.errors,
                  node->status);
    faults.disk.unreadable = NULL;
    node_end(node);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, lost_content_is_not_good, 0, 2);
    tcase_add_test(tc, lost_pods_are_not_good);
    tcase_add_loop_test(tc, damaged_before, 0, 6);
    tcase_add_loop_test(tc, all_of_before_is_damaged, 0, 3);
    tcase_add_test(tc, adopted_file_stays);
    tcase_add_test(tc, adopted_file_stays_without_the_record);
    tcase_add_loop_test(tc, lost_record_removes_nothing, 0, 2);
    tcase_add_test(tc, lost_inventory_forgets_no_new_file);
    tcase_add_loop_test(tc, unreadable_state_stops_one_entry, 0, 2);
    tcase_add_test(tc, record_with_half_a_character);
    tcase_add_test(tc, rollback_waits_for_the_target);
    tcase_add_test(tc, reload_starts_what_is_not_active);
    tcase_add_test(tc, rollback_reads_again);
    tcase_add_test(tc, cut_short_rollback_disowns_nothing);
    tcase_add_test(tc, lost_older_content_is_not_fetched);
    tcase_add_loop_test(tc, bad_block_in_the_target, 0, 2);
    tcase_add_test(tc, rollback_over_a_bad_block);
    tcase_add_test(tc, file_that_never_reads);
    tcase_add_test(tc, drift_with_worn_copy);
}

HF_TEST_MAIN_CPU("manifests/lost", cases, 300)
