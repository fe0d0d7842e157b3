/* SPDX-License-Identifier: Apache-2.0 */
/* A source delivers a new content for an entry of spec.manifests, on virtual time: what keeps it out, and for how long.
 * The causes are its turn, the pinned digest, rights and room on the node, a hold, and the bounds over all entries. */
#include <fcntl.h>
#include <string.h>

#include "support/check_main.h"
#include "support/makers/tarball.h"
#include "support/manifest_node.h"

/* ---- content that never rests ------------------------------------------------------------------------------------ */

/* A source that changes every 10 s for two hours. The first contents are in place at once; then the node takes up fewer
 * and fewer, and the newest one in the end. Drift is repaired all the time; a change of the entry begins anew. */
START_TEST(hostile_source_is_paced)
{
    struct node *node = node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES NODE_UNIT "}", 7);
    unsigned number = 0;

    node_publish(node, ++number);
    node_boot(node);
    for (; number < 5; node_publish(node, ++number)) {
        node_intervals(node, 1);
        ck_assert(node_has_number(node, number));
    }
    for (unsigned i = 0; i < 720; i++, node_publish(node, ++number))
        node_intervals(node, 1);
    ck_assert_uint_ge(node->restarts, 10);
    ck_assert_uint_le(node->restarts, 5 + 3 + 24); /* gaps of 1, 2 and 4 minutes, then of 5, which is the interval */
    ck_assert(!node_has_number(node, number));
    ck_assert_ptr_nonnull(strstr(node->status, "Applied ContentPaced"));
    ck_assert_uint_le(node->statuses, 6 * node->restarts + 10); /* its way through the phases, and ContentPaced */
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    node_put(node, "/etc/app/a", "drift");
    node_intervals(node, 2);
    ck_assert(!node_has(node, "/etc/app/a", "drift"));
    ck_assert_uint_eq(node_look(node).status.drifts, 1);
    uint64_t calls = hf_simfs_calls(node->fs);
    for (unsigned i = 0; i < 10; i++, node_publish(node, ++number))
        (void)hf_simloop_run_for(node->loop, 2 * HF_NS_PER_S);
    ck_assert_uint_eq(hf_simfs_calls(node->fs), calls); /* what is turned away is not written */
    node_set_policy(node,
                    "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," NODE_FILES NODE_UNIT "}");
    node_intervals(node, 3);
    ck_assert(node_has_number(node, number));
    node_intervals(node, 40);
    ck_assert(node_has_number(node, number));
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "quiet again");
    node_end(node);
}
END_TEST

/* A full disk, or a budget that is used up, keeps new content out before any byte of it is written. */
START_TEST(full_disk_keeps_content_out)
{
    struct node *node = node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES NODE_UNIT "}", 8);

    node_publish(node, 1);
    node_boot(node);
    node_intervals(node, 3);
    node->desired.no_space = _i == 0;
    node->desired.writes_used_up = _i == 1;
    node_tell(node);
    node_publish(node, 2);
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    uint64_t calls = hf_simfs_calls(node->fs);
    node_intervals(node, 5);
    ck_assert_uint_eq(hf_simfs_calls(node->fs), calls);
    node_expect(node, HF_MANIFEST_APPLIED, _i == 0 ? HF_MANIFEST_REASON_NO_SPACE : HF_MANIFEST_REASON_CONTENT_PACED,
                "full");
    node_put(node, "/etc/app/a", "drift");
    node_intervals(node, 2);
    ck_assert(node_has_number(node, 1));
    node->desired.no_space = node->desired.writes_used_up = false;
    node_intervals(node, 3);
    ck_assert(node_has_number(node, 2));
    node_end(node);
}
END_TEST

static bool names_another_revision(struct node *node)
{
    struct hf_manifest_record record;
    bool r = false;

    if (hf_manifest_record_load(hf_simfs_ops(node->fs), NODE_STATE "/manifests/app", &record, NULL) < 0)
        return false;
    r = record.known_revision[0] != '\0' && strcmp(record.known_revision + 7, record.known_digest) != 0;
    hf_manifest_record_done(&record);
    return r;
}

/* A disk that takes seconds to write a content. The revision of a folder is "sha256:" and the digest of its content,
 * so the record must never have the revision of one content and the digest of another. */
START_TEST(newer_content_while_one_is_written)
{
    unsigned wrong = 0;

    for (uint64_t seed = 1; seed <= 30 && wrong == 0; seed++) {
        struct node *node =
            node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES "}", 1000 + seed);
        unsigned number = 1;

        node_publish(node, 1);
        node_boot(node);
        node_intervals(node, 2);
        faults.disk.slow = node->proc;
        for (; number < 4 && wrong == 0;) {
            node_publish(node, ++number);
            hf_manifest_engine_check(node->engine);
            for (unsigned i = 0; i < 200 && wrong == 0; i++) {
                if (i % 20 == 0)
                    hf_manifest_engine_check(node->engine);
                (void)hf_simloop_run_for(node->loop, HF_NS_PER_S / 10);
                wrong += names_another_revision(node);
            }
        }
        faults.disk.slow = NULL;
        if (wrong > 0) { /* the power is cut now; the source rests from now on */
            hf_simproc_kill(node->proc);
            node_shut_down(node);
            node_boot(node);
            node_intervals(node, 60);
            ck_assert_msg(node_has_number(node, number), "seed %u: content %u never came: %s %s", (unsigned)seed,
                          number, hf_manifest_phase_name(node_look(node).status.phase), node_look(node).message);
        }
        node_end(node);
    }
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

/* ---- a content that is pinned or signed -------------------------------------------------------------------------- */

/* The entry, with the digest of a folder that has this content in the file "a". */
static void pin(struct node *node, const char *content)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = hf_bundle_new();
    char text[300];

    ck_assert_int_eq(hf_bundle_add(bundle, "a", 0644, hf_view_of(content), NULL), 0);
    ck_assert_int_eq(hf_bundle_seal(bundle, NULL), 0);
    (void)snprintf(text, sizeof(text),
                   "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"contentDigest\":\"%s\"," NODE_FILES "}",
                   bundle->digest);
    node_set_policy(node, text);
}

/* The status says that the source has another content than the pinned one, for as long as that is so. */
START_TEST(mismatch_stays_in_the_status)
{
    struct node *node = node_begin("", 41);

    pin(node, "one");
    node_put(node, "/media/usb/a", "one");
    node_boot(node);
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "the pinned content");
    node_put(node, "/media/usb/a", "two");
    node_intervals(node, 1);
    for (unsigned i = 0; i < 3; i++) {
        node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_DIGEST_MISMATCH, "another content");
        node_intervals(node, 2);
    }
    const struct hf_fs_ops *fs = hf_simfs_ops(node->fs);
    ck_assert_int_eq(fs->unlinkat(fs->ctx, AT_FDCWD, "/media/usb/a", 0), 0);
    node_intervals(node, 2);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_SOURCE_EMPTY, "no content");
    node_put(node, "/media/usb/a", "two");
    node_intervals(node, 3);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_DIGEST_MISMATCH, "another content again");
    if (_i != 1)
        node_put(node, "/media/usb/a", "one");
    if (_i == 1)
        pin(node, "two");
    if (_i == 2)
        node_set_policy(node, "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES "}");
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "the pinned content again");
    ck_assert(node_has(node, "/etc/app/a", _i == 1 ? "two" : "one"));
    node_end(node);
}
END_TEST

/* The entry waits for a hold. Meanwhile the owner takes the key back. What only a signed entry may do must not be
 * done when the hold ends. */
START_TEST(signature_that_is_taken_back)
{
    struct node *node = node_begin("", 71);

    pin(node, "one");
    hf_config_free(node->config);
    ck_assert_int_eq(hf_config_parse(HF_VIEW("apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n"
                                             "manifests:\n  paths: [/media/**]\n  files: [/srv/**]\n"
                                             "signedPolicies:\n  manifests:\n    paths: [/media/**]\n"
                                             "    files: [/etc/app/**]\n"),
                                     "agent.yaml", &node->config, NULL),
                     0);
    ck_assert_uint_eq(hf_config_n_faults(node->config), 0);
    node_put(node, "/media/usb/a", "one");
    faults.trust_signed = 1;
    node->desired.held = true;
    node_boot(node);
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_HELD, "held");
    faults.trust_signed = 0;
    node_tell(node);
    node_intervals(node, 4);
    node->desired.held = false;
    node_intervals(node, 6);
    faults.trust_signed = -1;
    ck_assert_msg(node_has(node, "/etc/app/a", NULL), "an entry without a valid signature has written: %s",
                  node_look(node).message);
    node_end(node);
}
END_TEST

/* ---- refusals ---------------------------------------------------------------------------------------------------- */

static void set_config(struct node *node, const char *files)
{
    struct hf_config *old = node->config;
    char text[300];

    (void)snprintf(text, sizeof(text),
                   "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\nmanifests:\n  files: [%s]\n"
                   "  paths: [/media/**]\n",
                   files);
    ck_assert_int_eq(hf_config_parse(hf_view_of(text), "agent.yaml", &node->config, NULL), 0);
    if (node->engine != NULL)
        node_tell(node);
    hf_config_free(old);
}

static void no_rights(struct node *node)
{
    set_config(node, "/srv/**");
}

static void foreign_file(struct node *node)
{
    node_put(node, "/etc/app/a", "theirs");
}

static void no_room(struct node *node)
{
    hf_simfs_delete(node->fs, "/etc/app");
    hf_simfs_mount(node->fs, "/etc/app");
    hf_simfs_set_limit(node->fs, "/etc/app", 100);
}

static void read_only(struct node *node)
{
    hf_simfs_delete(node->fs, "/etc/app");
    hf_simfs_mount(node->fs, "/etc/app");
    hf_simfs_set_read_only(node->fs, "/etc/app", true);
}

static void open_folder(struct node *node)
{
    hf_simfs_chmod(node->fs, "/etc/app", 0777);
}

static const struct {
    const char *name;
    void (*make)(struct node *node);
    enum hf_manifest_phase phase;
    enum hf_manifest_reason reason;
} obstacles[] = {
    {"not allowed", no_rights, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_NOT_ALLOWED},
    {"foreign file", foreign_file, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_FOREIGN_FILE},
    {"no room", no_room, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_NO_SPACE},
    {"read-only", read_only, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_READ_ONLY_FILE_SYSTEM},
    {"open folder", open_folder, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_NOT_ALLOWED},
};

/* Only a person can let the node read the source: the status says Refused, not that the content is on its way. */
START_TEST(source_that_is_not_allowed_is_refused)
{
    struct node *node = node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/home/usb\"}," NODE_FILES "}", 57);

    node_put(node, "/home/usb/a", "one");
    node_boot(node);
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_NOT_ALLOWED, "paths of the node's configuration");
    ck_assert(node_look(node).status.settled);
    node_set_policy(node, "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES "}");
    node_intervals(node, 1);
    ck_assert_int_eq(node_look(node).status.phase, HF_MANIFEST_FETCHING);
    node_end(node);
}
END_TEST

/* The node reports an obstacle once. Then it tries again and again, without another write of its record, status or
 * Event, and it goes on when the obstacle has gone. */
START_TEST(obstacles_are_told_once)
{
    struct node *node = node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES "}", 20);
    unsigned refused = obstacles[_i].phase == HF_MANIFEST_REFUSED;
    struct stat before, after;

    node_publish(node, 1);
    obstacles[_i].make(node);
    node_boot(node);
    node_intervals(node, 4);
    node_expect(node, obstacles[_i].phase, obstacles[_i].reason, obstacles[_i].name);
    unsigned statuses = node->statuses;
    ck_assert(hf_simfs_stat(node->fs, NODE_STATE "/manifests/app/record", &before));
    hf_simfs_count_only(node->fs, HF_SIMFS_GROWS);
    uint64_t calls = hf_simfs_calls(node->fs);
    node_intervals(node, 30);
    ck_assert(hf_simfs_stat(node->fs, NODE_STATE "/manifests/app/record", &after));
    ck_assert_msg(before.st_ino == after.st_ino, "%s: the record was written again", obstacles[_i].name);
    if (refused)
        ck_assert_msg(hf_simfs_calls(node->fs) == calls, "%s: %d writes", obstacles[_i].name,
                      (int)(hf_simfs_calls(node->fs) - calls));
    ck_assert_msg(node->statuses == statuses, "%s: %u statuses: %s", obstacles[_i].name, node->statuses - statuses,
                  node->status);
    ck_assert_uint_eq(node->notices[HF_MANIFEST_NOTICE_REFUSED], refused);
    if (_i == 0)
        set_config(node, "/etc/app/**");
    hf_simfs_set_read_only(node->fs, "/etc/app", false);
    hf_simfs_set_limit(node->fs, "/etc/app", 0);
    hf_simfs_chmod(node->fs, "/etc/app", 0755);
    hf_simfs_delete(node->fs, "/etc/app/a");
    node_intervals(node, 6);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, obstacles[_i].name);
    ck_assert(node_has_number(node, 1));
    node_end(node);
}
END_TEST

/* ---- labels ------------------------------------------------------------------------------------------------------ */

/* Only a label that the content uses makes a new set, with a restart and a trial. */
START_TEST(labels_that_matter)
{
    struct node *node = node_begin(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"substitute\":{\"A\":\"1\"}," NODE_FILES NODE_UNIT "}",
        30);
    json_t *labels = json_pack("{s:s, s:s}", "x/zone", "north", "other", "1");

    node->desired.labels = labels;
    node_put(node, "/media/usb/a", "${A} ${HOLDFAST_LABEL_ZONE} ${HOLDFAST_LABEL_ROLE:=none}");
    node_boot(node);
    node_intervals(node, 3);
    ck_assert(node_has(node, "/etc/app/a", "1 north none"));
    ck_assert_uint_eq(node->restarts, 1);
    unsigned statuses = node->statuses;
    json_object_set_new(labels, "other", json_string("2"));
    json_object_set_new(labels, "another", json_string("3"));
    node_intervals(node, 3);
    ck_assert_uint_eq(node->restarts, 1);
    ck_assert_uint_eq(node->statuses, statuses);
    json_object_set_new(labels, "x/zone", json_string("south"));
    json_object_set_new(labels, "role", json_string("till"));
    node_intervals(node, 3);
    ck_assert(node_has(node, "/etc/app/a", "1 south till"));
    ck_assert_uint_eq(node->restarts, 2);
    node_shut_down(node);
    json_object_del(labels, "other"); /* a later process knows the same */
    node_boot(node);
    node_intervals(node, 3);
    ck_assert_uint_eq(node->restarts, 2);
    json_object_del(labels, "role");
    node_intervals(node, 3);
    ck_assert(node_has(node, "/etc/app/a", "1 south none"));
    unsigned paced = 0;
    for (unsigned i = 0; i < 100; i++) { /* a label that never rests is paced, too */
        char text[20];
        (void)snprintf(text, sizeof(text), "%u", i);
        json_object_set_new(labels, "role", json_string(text));
        node_intervals(node, 1);
        paced += strstr(node->status, "ContentPaced") != NULL;
    }
    ck_assert_uint_le(node->restarts, 3 + 5 + 7);
    ck_assert_uint_ge(paced, 50);
    node_shut_down(node);
    json_decref(labels);
    node_end(node);
}
END_TEST

/* An entry whose content has the value of a label. Returns the labels, which the caller changes. */
static json_t *begin_with_label(struct node **ret_node, uint64_t seed)
{
    struct node *node = node_begin(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"substitute\":{\"A\":\"1\"}," NODE_FILES "}", seed);
    json_t *labels = json_pack("{s:s}", "x/zone", "0");

    node->desired.labels = labels;
    node_put(node, "/media/usb/a", "${HOLDFAST_LABEL_ZONE}");
    node_boot(node);
    node_intervals(node, 3);
    ck_assert(node_has(node, "/etc/app/a", "0"));
    *ret_node = node;
    return labels;
}

static void end_with_label(struct node *node, json_t *labels)
{
    node_shut_down(node);
    json_decref(labels);
    node_end(node);
}

static void set_label(json_t *labels, unsigned value)
{
    char text[20];

    (void)snprintf(text, sizeof(text), "%u", value);
    json_object_set_new(labels, "x/zone", json_string(text));
}

/* A label that changes too often, while a hold keeps the new sets out: the engine sleeps, and the status names the
 * hold. */
START_TEST(paced_labels_behind_a_gate)
{
    struct node *node;
    json_t *labels = begin_with_label(&node, 35);

    node->desired.held = true;
    for (unsigned i = 1; i <= 8; i++) {
        set_label(labels, i);
        node_tell(node);
        uint64_t end_ns = hf_mono_ns(hf_simproc_clock(node->proc)) + HF_NS_PER_S;
        unsigned steps = 0;
        while (hf_mono_ns(hf_simproc_clock(node->proc)) < end_ns && steps < 1000 && hf_simloop_step(node->loop))
            steps++;
        ck_assert_msg(steps < 1000, "label %u: %u steps in 1 s: %s", i, steps, node->status);
        (void)hf_simloop_run_for(node->loop, HF_NS_PER_S);
        node_expect(node, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_HELD, "a label has changed");
    }
    node->desired.held = false;
    node_intervals(node, 30);
    ck_assert_msg(node_has(node, "/etc/app/a", "8"), "%s", node->status);
    end_with_label(node, labels);
}
END_TEST

/* A label is as before, so nothing waits for its turn any more. */
START_TEST(label_that_is_as_before_does_not_wait)
{
    struct node *node;
    json_t *labels = begin_with_label(&node, 39);
    unsigned value = 0;

    while (node_look(node).status.reason != HF_MANIFEST_REASON_CONTENT_PACED) {
        ck_assert_uint_lt(value, 20);
        set_label(labels, ++value);
        node_intervals(node, 1);
    }
    set_label(labels, value - 1);
    node_intervals(node, 1);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "the label is as before");
    end_with_label(node, labels);
}
END_TEST

/* ---- bounds over all entries ------------------------------------------------------------------------------------- */

#define ENTRY(name)                                                                                                    \
    "{\"name\":\"" name "\",\"from\":{\"path\":\"/media/" name "\"},\"to\":\"Files\",\"path\":\"/srv/" name "/\"}"

static void restart_agent(struct node *node)
{
    node_shut_down(node);
    node_boot(node);
    (void)hf_simloop_run_for(node->loop, 10 * HF_NS_PER_S);
    node_intervals(node, 2);
}

/* An entry whose trial takes long has a newer content: it stays where it is, and keeps no other content out of memory. */
START_TEST(content_on_trial_keeps_nobody_out)
{
    struct node *node = node_begin_applied(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES NODE_UNIT "}," ENTRY("other"), 58);

    faults.service.hangs = true;
    node_put(node, "/media/usb/a", "two");
    node_intervals(node, 1);
    ck_assert_int_eq(node_look(node).status.phase, HF_MANIFEST_PROBATION);
    node_put(node, "/media/usb/a", "three");
    node_intervals(node, 2);
    node_put(node, "/media/other/f", "x");
    node_intervals(node, 3);
    ck_assert_int_eq(node_look(node).status.phase, HF_MANIFEST_PROBATION);
    ck_assert_msg(node_has(node, "/srv/other/f", "x"), "%s", node->status);
    faults.service.hangs = false;
    node_intervals(node, 30);
    ck_assert_msg(node_has(node, "/etc/app/a", "three"), "%s", node->status);
    node_end(node);
}
END_TEST

/* An unfinished download goes with its entry, while a hold of the site keeps what is in place. */
START_TEST(download_of_an_entry_that_left_goes)
{
    static const char part[] = NODE_STATE "/manifests/app/download/.holdfast-app.part";
    struct node *node = node_begin_applied("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES "}", 59);

    for (unsigned restart = 0; restart < 2; restart++) {
        hf_simfs_mkdir(node->fs, NODE_STATE "/manifests/app/download", 0700);
        node_put(node, part, "unfinished");
        node->desired.held = true;
        node_set_policy(node, "");
        if (restart == 1)
            restart_agent(node);
        node_intervals(node, 2);
        ck_assert_msg(node_has(node, part, NULL) && node_has(node, "/etc/app/a", "one"), "%s", node->status);
        node_set_policy(node, "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES "}");
        node_intervals(node, 2);
    }
    node_end(node);
}
END_TEST

START_TEST(watches_of_all)
{
    struct node *node = node_begin(ENTRY("app") "," ENTRY("b"), 40);
    char path[80];

    for (unsigned i = 0; i < 700; i++) {
        (void)snprintf(path, sizeof(path), "/media/app/d%u/f", i);
        node_put(node, path, "x");
        (void)snprintf(path, sizeof(path), "/media/b/d%u/f", i);
        node_put(node, path, "x");
    }
    node_boot(node);
    node_intervals(node, 8);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "app");
    ck_assert_msg(node->watches >= 700 && node->watches <= 710, "%u watches", node->watches);
    node_put(node, "/media/app/d1/f", "y"); /* its watches are made again, and have room */
    node_put(node, "/media/b/d1/f", "y");
    node_intervals(node, 8);
    ck_assert(node_has(node, "/srv/b/d1/f", "y"));
    ck_assert_msg(node->watches >= 700 && node->watches <= 710, "%u watches", node->watches);
    node_end(node);
}
END_TEST

/* The sixth entry of 12 MiB does not fit, until another one has gone. */
START_TEST(bytes_of_all)
{
    struct node *node = node_begin(ENTRY("a") "," ENTRY("b") "," ENTRY("c") "," ENTRY("d") "," ENTRY("e"), 41);
    char *bytes = calloc(1, 4 << 20), path[80];

    for (const char *name = "abcde"; *name != '\0'; name++)
        for (unsigned i = 0; i < 3; i++) {
            (void)snprintf(path, sizeof(path), "/media/%c/f%u", *name, i);
            hf_simfs_put(node->fs, path, bytes, 4 << 20, 0644);
        }
    for (unsigned i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof(path), "/media/app/f%u", i);
        hf_simfs_put(node->fs, path, bytes, 4 << 20, 0644);
    }
    node_boot(node);
    node_intervals(node, 6);
    node_set_policy(node, ENTRY("a") "," ENTRY("b") "," ENTRY("c") "," ENTRY("d") "," ENTRY("e") "," ENTRY("app"));
    node_intervals(node, 6);
    node_expect(node, HF_MANIFEST_FETCHING, HF_MANIFEST_REASON_SOURCE_TOO_LARGE, "six");
    ck_assert_ptr_nonnull(strstr(node_look(node).message, "64 MiB"));
    ck_assert(node_has(node, "/srv/app/f0", NULL));
    node_set_policy(node, ENTRY("a") "," ENTRY("b") "," ENTRY("c") "," ENTRY("d") "," ENTRY("app"));
    node_intervals(node, 40);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "five");
    free(bytes);
    node_end(node);
}
END_TEST

static struct {
    struct hf_buf gz;
    unsigned asked;
} archive;

static void serve_archive(void *arg, struct hf_simcall *call)
{
    const struct hf_http_response response = {.status = 200, .content_length = (int64_t)archive.gz.n};

    (void)arg;
    archive.asked++;
    hf_simcall_respond(call, &response);
    hf_simcall_send(call, archive.gz.p, archive.gz.n);
    hf_simcall_end(call);
}

/* An archive that does not fit beside the others (SourceTooLarge) is not downloaded again once per interval for ever,
 * and comes in when there is room. */
START_TEST(archive_that_finds_no_room)
{
    struct node *node = node_begin(ENTRY("a") "," ENTRY("b") "," ENTRY("c") "," ENTRY("d") "," ENTRY("e"), 41);
    char *bytes = calloc(1, 4 << 20), path[80], digest[HF_SHA256_HEX], entry[2000];
    struct hf_buf tar = HF_BUF_INIT(32 << 20);

    for (const char *name = "abcde"; *name != '\0'; name++)
        for (unsigned i = 0; i < 3; i++) {
            (void)snprintf(path, sizeof(path), "/media/%c/f%u", *name, i);
            hf_simfs_put(node->fs, path, bytes, 4 << 20, 0644);
        }
    archive.asked = 0;
    archive.gz = (struct hf_buf)HF_BUF_INIT(32 << 20);
    for (unsigned i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof(path), "f%u", i);
        hf_tarball_add(&tar, path, '0', bytes, 4 << 20);
    }
    hf_tarball_end(&tar);
    hf_tarball_gzip(&tar, &archive.gz);
    (void)hf_sha256_hex(archive.gz.p, archive.gz.n, digest);
    hf_simnet_serve(node->net, "https://files", serve_archive, NULL);
    node_boot(node);
    node_intervals(node, 6);
    (void)snprintf(entry, sizeof(entry),
                   "%s,{\"name\":\"app\",\"from\":{\"url\":\"https://files/x.tar.gz\",\"digest\":"
                   "\"sha256:%s\"}," NODE_FILES "}",
                   ENTRY("a") "," ENTRY("b") "," ENTRY("c") "," ENTRY("d") "," ENTRY("e"), digest);
    node_set_policy(node, entry);
    node_intervals(node, 6);
    node_expect(node, HF_MANIFEST_FETCHING, HF_MANIFEST_REASON_SOURCE_TOO_LARGE, "six");
    for (unsigned i = 0; i < 24 * 12; i++) { /* a day, in intervals of 5 min */
        hf_manifest_engine_check(node->engine);
        node_tell(node);
        (void)hf_simloop_run_for(node->loop, 300 * HF_NS_PER_S);
    }
    unsigned asked = archive.asked;
    (void)snprintf(entry, sizeof(entry),
                   "%s,{\"name\":\"app\",\"from\":{\"url\":\"https://files/x.tar.gz\",\"digest\":"
                   "\"sha256:%s\"}," NODE_FILES "}",
                   ENTRY("a") "," ENTRY("b") "," ENTRY("c") "," ENTRY("d"), digest);
    node_set_policy(node, entry);
    node_intervals(node, 40);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "five");
    node_end(node);
    free(bytes);
    hf_buf_done(&tar);
    hf_buf_done(&archive.gz);
    ck_assert_msg(asked <= 24, "%u downloads in a day", asked);
}
END_TEST

/* A file of the good set drifts, and the disk never reads the copy of its content, which comes from a metered link. */
START_TEST(worn_copy_downloads)
{
    char *bytes = calloc(1, 1 << 20), digest[HF_SHA256_HEX], entry[500];
    static char path[200];
    struct hf_buf tar = HF_BUF_INIT(32 << 20);

    archive.asked = 0;
    archive.gz = (struct hf_buf)HF_BUF_INIT(32 << 20);
    hf_tarball_add(&tar, "a", '0', bytes, 1 << 20);
    hf_tarball_end(&tar);
    hf_tarball_gzip(&tar, &archive.gz);
    (void)hf_sha256_hex(archive.gz.p, archive.gz.n, digest);
    (void)snprintf(
        entry, sizeof(entry),
        "{\"name\":\"app\",\"from\":{\"url\":\"https://files/x.tar.gz\",\"digest\":\"sha256:%s\"}," NODE_FILES "}",
        digest);
    struct node *node = node_begin(entry, 3100);
    hf_simnet_serve(node->net, "https://files", serve_archive, NULL);
    node_boot(node);
    node_intervals(node, 12);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    (void)snprintf(path, sizeof(path), NODE_STATE "/manifests/app/b-%s", node_look(node).status.digest);
    faults.disk.worn = path;
    hf_simfs_delete(node->fs, "/etc/app/a");
    unsigned before = archive.asked;
    for (unsigned i = 0; i < 24 * 12; i++) { /* a day, in intervals of 5 min */
        hf_manifest_engine_check(node->engine);
        node_tell(node);
        (void)hf_simloop_run_for(node->loop, 300 * HF_NS_PER_S);
    }
    faults.disk.worn = NULL;
    unsigned asked = archive.asked - before;
    char status[800];
    memcpy(status, node->status, sizeof(status));
    node_end(node);
    free(bytes);
    hf_buf_done(&tar);
    hf_buf_done(&archive.gz);
    ck_assert_msg(asked <= 24, "%u downloads in a day, %s", asked, status);
}
END_TEST

/* ---- entries that wait to be removed ----------------------------------------------------------------------------- */

/* The policy has the entries `first` to `end` - 1, and the text `more`. Their removal, of two files each, waits. */
static void set_many(struct node *node, unsigned first, unsigned past, const char *more)
{
    static char text[24 << 10];
    size_t n = (size_t)snprintf(text, sizeof(text), "%s", more);

    for (unsigned i = first; i < past; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n,
                              "%s{\"name\":\"old%u\",\"from\":{\"path\":\"/media/old\"},\"prune\":true,"
                              "\"to\":\"Files\",\"path\":\"/srv/old%u/\"}",
                              n > 0 ? "," : "", i, i);
    ck_assert_uint_lt(n, sizeof(text));
    node_set_policy(node, text);
    node_tell(node);
    (void)hf_simloop_run_for(node->loop, 10 * HF_NS_PER_S);
}

struct tally {
    unsigned applied, waiting; /* entries in the phase Applied, and those whose removal waits */
    char first[64];
};

static void count(void *arg, const struct hf_manifest_status *status)
{
    struct tally *tally = arg;
    bool waits = status->reason == HF_MANIFEST_REASON_PRUNE_LIMIT && status->phase == HF_MANIFEST_WAITING &&
                 status->digest[0] != '\0'; /* an entry that has no room has no content */

    if (tally->first[0] == '\0')
        (void)snprintf(tally->first, sizeof(tally->first), "%s", status->name);
    tally->waiting += waits;
    tally->applied += status->phase == HF_MANIFEST_APPLIED;
}

static struct tally tally_of(struct node *node)
{
    struct tally tally = {.applied = 0};

    hf_manifest_engine_each(node->engine, count, &tally);
    return tally;
}

static struct node *begin_many(unsigned n, uint64_t seed)
{
    struct node *node = node_begin("", seed);

    node_put(node, "/media/old/a", "1");
    node_put(node, "/media/old/b", "2");
    node_put(node, "/media/app/f", "new");
    node_boot(node);
    for (unsigned i = 0; i < n; i += 64) {
        set_many(node, i, i + 64, "");
        ck_assert_uint_eq(tally_of(node).applied, 64);
    }
    return node;
}

/* Four policies with 64 names each were there and have gone: the next one is applied, also over a restart, and nothing
 * of the others is removed or forgotten. */
START_TEST(waiting_removals_take_no_room)
{
    struct node *node = begin_many(256, 42);

    set_many(node, 0, 0, ENTRY("app"));
    for (unsigned i = 0; i < 2; i++) {
        node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "app");
        ck_assert(node_has(node, "/srv/app/f", "new") && node_has(node, "/srv/old0/a", "1") &&
                  node_has(node, "/srv/old255/b", "2"));
        ck_assert_uint_eq(tally_of(node).applied, 1);
        ck_assert_uint_eq(tally_of(node).waiting, 256);
        ck_assert_str_eq(tally_of(node).first, "app"); /* the status of the node has only 64 entries */
        restart_agent(node);
    }
    set_many(node, 7, 8, ENTRY("app")); /* one that waits comes back */
    ck_assert_uint_eq(tally_of(node).applied, 2);
    node_end(node);
}
END_TEST

/* When too many entries wait to be removed, the engine takes up no new name of the policy, and says so for each. It
 * keeps, repairs and updates the entries that the policy has. */
START_TEST(too_many_waiting_removals)
{
    struct node *node = begin_many(1024, 43);

    set_many(node, 1023, 1087, "");
    set_many(node, 1086, 1087, ENTRY("app"));
    for (unsigned i = 0; i < 2; i++) {
        node_expect(node, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_PRUNE_LIMIT, "app");
        ck_assert_ptr_nonnull(strstr(node_look(node).message, "takes no new one"));
        ck_assert(node_has(node, "/srv/app/f", NULL) && node_has(node, "/srv/old1086/a", "1") &&
                  node_has(node, "/srv/old0/a", "1"));
        ck_assert_uint_eq(tally_of(node).applied, 1);
        ck_assert_uint_eq(tally_of(node).waiting, 1086);
        restart_agent(node);
    }
    node_put(node, "/srv/old1086/a", "drifted");
    node_intervals(node, 1);
    ck_assert(node_has(node, "/srv/old1086/a", "1"));
    node_put(node, "/media/old/a", "3");
    node_intervals(node, 3);
    ck_assert(node_has(node, "/srv/old1086/a", "3") && node_has(node, "/srv/old1085/a", "1"));
    set_many(node, 1000, 1063, ENTRY("app")); /* 1,024 wait: no room */
    node_expect(node, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_PRUNE_LIMIT, "app");
    node_end(node);
}
END_TEST

/* Contents of 60 MiB only wait to be removed: they take no room from a new one of 12 MiB. */
START_TEST(bytes_of_waiting_removals)
{
    struct node *node = node_begin("", 44);
    char *bytes = calloc(1, 4 << 20);

    for (unsigned i = 0; i < 3; i++) {
        const char *const files[] = {"/media/old/a", "/media/old/b", "/media/old/c"};
        hf_simfs_put(node->fs, files[i], bytes, 4 << 20, 0644);
    }
    for (unsigned i = 0; i < 3; i++) {
        const char *const files[] = {"/media/app/a", "/media/app/b", "/media/app/c"};
        hf_simfs_put(node->fs, files[i], bytes, 4 << 20, 0644);
    }
    node_boot(node);
    set_many(node, 0, 5, "");
    ck_assert_uint_eq(tally_of(node).applied, 5);
    set_many(node, 4, 5, ENTRY("app"));
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "app");
    ck_assert_uint_eq(tally_of(node).waiting, 4);
    free(bytes);
    node_end(node);
}
END_TEST

/* ---- what a new content waits for -------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    bool held, stale, depends;
    enum hf_link link;
    enum hf_manifest_phase phase;
    enum hf_manifest_reason reason;
} waits[] = {
    {"held", true, false, false, HF_LINK_OPEN, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_HELD},
    {"stale", false, true, false, HF_LINK_OPEN, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_STALE},
    {"held and stale", true, true, true, HF_LINK_OPEN, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_HELD},
    {"dependency", false, false, true, HF_LINK_OPEN, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_DEPENDENCY_NOT_APPLIED},
    {"stale and dependency", false, true, true, HF_LINK_OPEN, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_STALE},
    {"window", false, false, false, HF_LINK_WINDOW_CLOSED, HF_MANIFEST_FETCHING, HF_MANIFEST_REASON_WINDOW_CLOSED},
    {"clock", false, false, false, HF_LINK_CLOCK_UNSURE, HF_MANIFEST_FETCHING, HF_MANIFEST_REASON_CLOCK_UNSURE},
    {"quota", false, false, false, HF_LINK_QUOTA_USED, HF_MANIFEST_FETCHING, HF_MANIFEST_REASON_LINK_QUOTA_USED},
};

/* Each thing that keeps a new content out has its reason, told once; what is in place is kept; and the content comes in
 * when it ends. A window, the clock and the quota keep out only what has to be downloaded. */
START_TEST(waits_have_reasons)
{
    bool from_url = waits[_i].link != HF_LINK_OPEN;
    char entry[500];

    (void)snprintf(entry, sizeof(entry),
                   "{\"name\":\"app\",\"from\":{%s},%s" NODE_FILES
                   "},{\"name\":\"other\",\"from\":{\"path\":\"/media/other\"},"
                   "\"to\":\"Files\",\"path\":\"/srv/other/\"}",
                   from_url ? "\"url\":\"https://files/x.tar.gz\",\"digest\":\"sha256:"
                              "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\""
                            : "\"path\":\"/media/usb\"",
                   waits[_i].depends ? "\"dependsOn\":[\"other\"]," : "");
    struct node *node = node_begin(entry, 50);
    if (!waits[_i].depends)
        node_put(node, "/media/other/f", "1");
    node_publish(node, 1);
    node->desired.held = waits[_i].held;
    node->desired.stale = waits[_i].stale;
    node->link = waits[_i].link;
    node_boot(node);
    node_intervals(node, 4);
    node_expect(node, waits[_i].phase, waits[_i].reason, waits[_i].name);
    ck_assert(node_has(node, "/etc/app/a", NULL));
    unsigned statuses = node->statuses;
    node_intervals(node, 10);
    ck_assert_msg(node->statuses == statuses, "%s: %u statuses", waits[_i].name, node->statuses - statuses);
    node->desired.held = node->desired.stale = false;
    node->link = HF_LINK_OPEN;
    node_put(node, "/media/other/f", "1");
    node_intervals(node, 8);
    if (from_url) {
        node_expect(node, HF_MANIFEST_FETCHING, HF_MANIFEST_REASON_SOURCE_UNREACHABLE,
                    "it may ask, and nobody answers");
    } else {
        node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, waits[_i].name);
        node->desired.held = waits[_i].held;
        node->desired.stale = waits[_i].stale;
        node_put(node, "/etc/app/a", "drift"); /* nothing that keeps new content out keeps a repair out */
        node_intervals(node, 3);
        ck_assert(node_has_number(node, 1));
    }
    node_end(node);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, source_that_is_not_allowed_is_refused);
    tcase_add_test(tc, hostile_source_is_paced);
    tcase_add_loop_test(tc, full_disk_keeps_content_out, 0, 2);
    tcase_add_test(tc, newer_content_while_one_is_written);
    tcase_add_loop_test(tc, mismatch_stays_in_the_status, 0, 3);
    tcase_add_test(tc, signature_that_is_taken_back);
    tcase_add_loop_test(tc, obstacles_are_told_once, 0, HF_LEN(obstacles));
    tcase_add_test(tc, labels_that_matter);
    tcase_add_test(tc, paced_labels_behind_a_gate);
    tcase_add_test(tc, label_that_is_as_before_does_not_wait);
    tcase_add_test(tc, content_on_trial_keeps_nobody_out);
    tcase_add_test(tc, download_of_an_entry_that_left_goes);
    tcase_add_test(tc, watches_of_all);
    tcase_add_test(tc, bytes_of_all);
    tcase_add_test(tc, archive_that_finds_no_room);
    tcase_add_test(tc, worn_copy_downloads);
    tcase_add_test(tc, waiting_removals_take_no_room);
    tcase_add_test(tc, too_many_waiting_removals);
    tcase_add_test(tc, bytes_of_waiting_removals);
    tcase_add_loop_test(tc, waits_have_reasons, 0, HF_LEN(waits));
}

HF_TEST_MAIN_CPU("manifests/wait", cases, 300)
