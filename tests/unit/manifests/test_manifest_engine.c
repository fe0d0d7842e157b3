/* SPDX-License-Identifier: Apache-2.0 */
/* The public functions of the engine, on a disk in memory: what it loads, which entries it makes, keeps and drops, what
 * its status says, and when it is idle. */
#include <errno.h>
#include <string.h>

#include "support/bare_entry.h"
#include "support/check_main.h"
#include "support/manifest_idle.h"

#define ID_1 "1111111111111111111111111111111111111111111111111111111111111111"
#define FILES(name, more)                                                                                              \
    "{\"name\":\"" name "\",\"to\":\"Files\",\"path\":\"/etc/" name "/\",\"from\":{\"path\":\"/opt/" name "\"}" more "}"
#define PODS "{\"name\":\"pods\",\"to\":\"StaticPods\",\"whenAlone\":\"Start\",\"from\":{\"path\":\"/opt/pods\"}}"
#define ALLOWED "files: [/etc/a/**, /etc/b/**], paths: [/opt/**], staticPods: true"

struct node {
    struct hf_bare bare; /* its file system and its process */
    struct hf_manifest_engine *engine;
    struct hf_syncpolicy *policy;
    struct hf_manifest_desired desired;
    const char *more; /* of the policy's spec; NULL: nothing */
};

static void boot(struct node *node)
{
    ck_assert_int_eq(hf_manifest_engine_new(&node->bare.engine.p, &node->engine, NULL), 0);
}

static void set_up(struct node *node)
{
    *node = (struct node){.engine = NULL};
    hf_bare_init(&node->bare, NULL);
    hf_bare_equip(&node->bare, ALLOWED);
    hf_simfs_delete(node->bare.fs, HF_BARE_FOLDER);
    hf_simfs_mkdir(node->bare.fs, "/etc/pods", 0755);
    node->desired = (struct hf_manifest_desired){.config = node->bare.config, .proven = true};
    boot(node);
}

static void tear_down(struct node *node)
{
    hf_manifest_engine_free(node->engine);
    hf_bare_run(&node->bare); /* a job that runs frees what is left */
    hf_syncpolicy_free(node->policy);
    hf_bare_done(&node->bare);
}

static void settle(struct node *node)
{
    (void)hf_simloop_run_for(node->bare.loop, 60 * HF_NS_PER_S);
}

/* The policy has these entries, and this value of the annotation allow-prune (NULL: none). */
static void want(struct node *node, const char *manifests, const char *allow_prune)
{
    static struct hf_issues issues;
    char text[2000];

    (void)snprintf(
        text, sizeof(text),
        "{\"apiVersion\":\"edge.codcompass.io/v1alpha1\",\"kind\":\"SyncPolicy\",\"metadata\":{\"name\":\"p\","
        "\"annotations\":{%s%s%s}},\"spec\":{%s\"manifests\":[%s]}}",
        allow_prune != NULL ? "\"edge.codcompass.io/allow-prune\":\"" : "", allow_prune != NULL ? allow_prune : "",
        allow_prune != NULL ? "\"" : "", node->more != NULL ? node->more : "", manifests);
    json_t *json = json_loads(text, 0, NULL);
    ck_assert_ptr_nonnull(json);
    hf_syncpolicy_free(node->policy);
    issues = (struct hf_issues){.n_errors = 0};
    ck_assert_int_eq(hf_syncpolicy_decode(json, &node->policy, &issues), 0);
    json_decref(json);
    node->desired.policy = node->policy;
    ck_assert_int_eq(hf_manifest_engine_set(node->engine, &node->desired, NULL), 0);
    settle(node);
}

static struct entry *entry_of(struct node *node, const char *name)
{
    return hf_strmap_get(&node->engine->entries, name);
}

/* ---- status ------------------------------------------------------------------------------------------------------ */

struct shown {
    unsigned n;
    struct hf_manifest_status last;
    char names[200], message[500];
};

static void show(void *arg, const struct hf_manifest_status *status)
{
    struct shown *shown = arg;
    size_t n = strlen(shown->names);

    shown->n++;
    shown->last = *status;
    (void)snprintf(shown->names + n, sizeof(shown->names) - n, "%s ", status->name);
    (void)snprintf(shown->message, sizeof(shown->message), "%s", status->message);
}

static struct shown look(struct node *node)
{
    struct shown shown = {.n = 0};

    hf_manifest_engine_each(node->engine, show, &shown);
    return shown;
}

/* From the policy to the file, and what each step shows. */
START_TEST(applies)
{
    struct node node;
    struct shown shown;
    size_t n;

    set_up(&node);
    settle(&node);
    ck_assert(manifest_is_idle(node.engine) && look(&node).n == 0);
    want(&node, FILES("a", ""), NULL);
    shown = look(&node);
    ck_assert_str_eq(shown.names, "a ");
    ck_assert_int_eq(shown.last.phase, HF_MANIFEST_FETCHING);
    ck_assert_int_ne(shown.last.reason, HF_MANIFEST_REASON_NONE); /* why the source does not deliver */
    hf_simfs_put(node.bare.fs, "/opt/a/x", "one", 3, 0644);
    hf_manifest_engine_check(node.engine);
    settle(&node);
    shown = look(&node);
    ck_assert_msg(shown.last.phase == HF_MANIFEST_APPLIED && shown.last.settled, "%s", shown.message);
    ck_assert_uint_eq(shown.last.items, 1);
    ck_assert(hf_simfs_get(node.bare.fs, "/etc/a/x", &n) != NULL && n == 3);
    settle(&node);
    ck_assert(manifest_is_idle(node.engine));
    entry_of(&node, "a")->busy = true;
    ck_assert(!manifest_is_idle(node.engine));
    entry_of(&node, "a")->busy = false;
    tear_down(&node);
}
END_TEST

START_TEST(statuses)
{
    static const struct {
        enum hf_manifest_phase phase;
        enum hf_manifest_reason wait, source, reason;
        enum hf_manifest_phase shown;
        bool left, settled;
    } rows[] = {
        {HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_NONE, HF_MANIFEST_REASON_NONE, HF_MANIFEST_REASON_APPLIED,
         HF_MANIFEST_APPLIED, false, true},
        {HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_WRITE_FAILED, HF_MANIFEST_REASON_SOURCE_EMPTY,
         HF_MANIFEST_REASON_WRITE_FAILED, HF_MANIFEST_APPLIED, false, true},
        {HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_NONE, HF_MANIFEST_REASON_SOURCE_EMPTY, HF_MANIFEST_REASON_SOURCE_EMPTY,
         HF_MANIFEST_APPLIED, false, true},
        {HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_NONE, HF_MANIFEST_REASON_SOURCE_UNREACHABLE,
         HF_MANIFEST_REASON_APPLIED, HF_MANIFEST_APPLIED, false, true},
        {HF_MANIFEST_FETCHING, HF_MANIFEST_REASON_NONE, HF_MANIFEST_REASON_SOURCE_UNREACHABLE,
         HF_MANIFEST_REASON_SOURCE_UNREACHABLE, HF_MANIFEST_FETCHING, false, false},
        {HF_MANIFEST_FETCHING, HF_MANIFEST_REASON_NONE, HF_MANIFEST_REASON_NOT_ALLOWED, HF_MANIFEST_REASON_NOT_ALLOWED,
         HF_MANIFEST_REFUSED, false, true},
        {HF_MANIFEST_FETCHING, HF_MANIFEST_REASON_NONE, HF_MANIFEST_REASON_UNSUPPORTED, HF_MANIFEST_REASON_UNSUPPORTED,
         HF_MANIFEST_REFUSED, false, true},
        {HF_MANIFEST_PROBATION, HF_MANIFEST_REASON_NONE, HF_MANIFEST_REASON_SOURCE_EMPTY, HF_MANIFEST_REASON_APPLIED,
         HF_MANIFEST_PROBATION, false, false},
        {HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_PRUNE_LIMIT, HF_MANIFEST_REASON_NONE, HF_MANIFEST_REASON_PRUNE_LIMIT,
         HF_MANIFEST_WAITING, true, false},
        {HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_NONE, HF_MANIFEST_REASON_NONE, HF_MANIFEST_REASON_APPLIED,
         HF_MANIFEST_ROLLED_BACK, true, true},
    };
    struct node node;

    set_up(&node);
    node.desired.held = true;
    want(&node, FILES("a", ""), NULL);
    struct entry *entry = entry_of(&node, "a");
    hf_bare_set(&entry->r.good, FILES("a", ""), ID_1);
    (void)snprintf(entry->r.good.revision, sizeof(entry->r.good.revision), "r1");
    for (size_t i = 0; i < HF_LEN(rows); i++) {
        entry->r.phase = rows[i].phase;
        entry->r.reason = HF_MANIFEST_REASON_APPLIED;
        advance_note(entry, rows[i].wait, "waits");
        entry->content.note.reason = rows[i].source;
        entry->in_policy = !rows[i].left;
        const struct shown shown = look(&node);
        ck_assert_msg(shown.last.phase == rows[i].shown && shown.last.reason == rows[i].reason, "row %zu: %s %s", i,
                      hf_manifest_phase_name(shown.last.phase), hf_manifest_reason_name(shown.last.reason));
        ck_assert_msg(shown.last.settled == rows[i].settled, "row %zu", i);
        bool good = rows[i].left || rows[i].phase == HF_MANIFEST_APPLIED;
        ck_assert_str_eq(shown.last.digest, good ? ID_1 : "");
        ck_assert_str_eq(shown.last.revision, good ? "r1" : "");
    }
    entry->in_policy = true;
    entry->r.phase = HF_MANIFEST_APPLIED;
    memcpy(entry->r.known_digest, ID_1, sizeof(entry->r.known_digest));
    (void)snprintf(entry->r.known_revision, sizeof(entry->r.known_revision), "r2");
    ck_assert_str_eq(look(&node).last.revision, "r2"); /* the same content under another revision */
    tear_down(&node);
}
END_TEST

/* ---- entries ----------------------------------------------------------------------------------------------------- */

/* An entry that leaves the policy goes with its files; one that comes back in the middle begins anew. */
START_TEST(leaves)
{
    struct node node;
    size_t n;

    set_up(&node);
    hf_simfs_put(node.bare.fs, "/opt/a/x", "one", 3, 0644);
    want(&node, FILES("a", ",\"prune\":true") "," FILES("b", ""), NULL);
    hf_manifest_engine_check(node.engine);
    settle(&node);
    ck_assert_str_eq(look(&node).names, "a b ");
    entry_of(&node, "a")->life = ENTRY_GONE; /* everything is removed, and the policy has it again */
    hf_manifest_engine_check(node.engine);
    settle(&node);
    ck_assert_int_eq(entry_of(&node, "a")->r.phase, HF_MANIFEST_APPLIED);
    want(&node, FILES("b", ""), NULL);
    settle(&node);
    ck_assert(entry_of(&node, "a") == NULL && hf_simfs_get(node.bare.fs, "/etc/a/x", &n) == NULL);
    ck_assert_uint_eq(node.bare.told[HF_MANIFEST_NOTICE_REMOVED], 1);
    tear_down(&node);
}
END_TEST

/* The annotation ends a wait that only a person can end. */
START_TEST(annotated)
{
    struct node node;

    set_up(&node);
    node.desired.held = true;
    want(&node, FILES("a", ""), "a:1");
    struct entry *entry = entry_of(&node, "a");
    entry->due_ns = HF_NEVER;
    want(&node, FILES("a", ""), "a:1");
    ck_assert_uint_eq(entry->due_ns, HF_NEVER);
    want(&node, FILES("a", ""), "a:2");
    ck_assert(entry->due_ns != HF_NEVER && strcmp(node.engine->allow_prune, "a:2") == 0);
    entry->due_ns = HF_NEVER;
    want(&node, FILES("a", ""), NULL);
    ck_assert(entry->due_ns != HF_NEVER && node.engine->allow_prune == NULL);
    entry->due_ns = 5;
    entry->cleanup = ENTRY_CLEANUP_FAILED;
    entry->drift.unwatched = true;
    hf_manifest_engine_check(node.engine);
    ck_assert(entry->cleanup == ENTRY_CLEANUP_DUE && entry->pods.due && entry->recheck && entry->due_ns == 5);
    hf_manifest_engine_link_opened(node.engine);
    hf_manifest_engine_set_retry(node.engine, 5, 2);
    ck_assert_uint_eq(node.engine->p.env.retry_cap_ns, 5);
    tear_down(&node);
}
END_TEST

/* Entries that wait for their removal keep no room from those of the policy, but new names wait while there are too
 * many. */
START_TEST(no_room)
{
    struct node node;

    set_up(&node);
    node.desired.held = true;
    want(&node, FILES("a", ""), NULL);
    want(&node, "", NULL); /* it is left, and held */
    entry_of(&node, "a")->r.known_bytes = MANIFEST_MAX_LEFT_BYTES;
    want(&node, FILES("b", ""), NULL);
    struct shown shown = look(&node);
    ck_assert_str_eq(shown.names, "b ");
    ck_assert_int_eq(shown.last.reason, HF_MANIFEST_REASON_PRUNE_LIMIT);
    want(&node, FILES("b", ""), NULL); /* no news */
    ck_assert(entry_of(&node, "b") == NULL);
    entry_of(&node, "a")->r.known_bytes = 0;
    want(&node, FILES("b", ""), NULL);
    ck_assert_int_eq(look(&node).last.phase, HF_MANIFEST_FETCHING);
    tear_down(&node);
}
END_TEST

/* ---- sources ----------------------------------------------------------------------------------------------------- */

/* What the node does with what a source delivers. */
START_TEST(follows)
{
    static const struct {
        const char *more, *content; /* of the file x; NULL: there is none */
        bool folder, no_space, writes_used_up, allowed;
        enum hf_content_intake intake;
        enum hf_manifest_reason note;
        enum hf_manifest_phase phase;
    } rows[] = {
        {"", "one", true, false, false, true, HF_CONTENT_FOLLOWING, HF_MANIFEST_REASON_NONE, HF_MANIFEST_APPLIED},
        {"", NULL, true, false, false, true, HF_CONTENT_FOLLOWING, HF_MANIFEST_REASON_SOURCE_EMPTY,
         HF_MANIFEST_FETCHING},
        {"", NULL, false, false, false, true, HF_CONTENT_FOLLOWING, HF_MANIFEST_REASON_SOURCE_GONE,
         HF_MANIFEST_FETCHING},
        {"", "one", true, true, false, true, HF_CONTENT_HELD, HF_MANIFEST_REASON_NO_SPACE, HF_MANIFEST_FETCHING},
        {"", "one", true, false, true, true, HF_CONTENT_HELD, HF_MANIFEST_REASON_CONTENT_PACED, HF_MANIFEST_FETCHING},
        {"", "one", true, false, false, false, HF_CONTENT_FOLLOWING, HF_MANIFEST_REASON_NOT_ALLOWED,
         HF_MANIFEST_FETCHING},
        {",\"contentDigest\":\"sha256:" ID_1 "\"", "one", true, false, false, true, HF_CONTENT_FOLLOWING,
         HF_MANIFEST_REASON_DIGEST_MISMATCH, HF_MANIFEST_FETCHING},
    };

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct node node;
        char text[300];
        set_up(&node);
        if (rows[i].folder)
            hf_simfs_mkdir(node.bare.fs, "/opt/a", 0755);
        if (rows[i].content != NULL)
            hf_simfs_put(node.bare.fs, "/opt/a/x", rows[i].content, strlen(rows[i].content), 0644);
        if (!rows[i].allowed)
            hf_bare_allow(&node.bare, "files: [/etc/a/**]");
        node.desired.config = node.bare.config;
        node.desired.no_space = rows[i].no_space;
        node.desired.writes_used_up = rows[i].writes_used_up;
        (void)snprintf(text, sizeof(text), FILES("a", "%s"), rows[i].more);
        want(&node, text, NULL);
        hf_manifest_engine_check(node.engine);
        settle(&node);
        const struct entry *entry = entry_of(&node, "a");
        ck_assert_msg(entry->content.intake == rows[i].intake && entry->content.note.reason == rows[i].note,
                      "row %zu: %d %s: %s", i, (int)entry->content.intake,
                      hf_manifest_reason_name(entry->content.note.reason), entry->content.note.message);
        ck_assert_msg(entry->r.phase == rows[i].phase, "row %zu: %s", i, hf_manifest_phase_name(entry->r.phase));
        node.desired.no_space = node.desired.writes_used_up = false; /* a hold ends */
        want(&node, text, NULL);
        settle(&node);
        ck_assert_int_eq(entry->r.phase == HF_MANIFEST_APPLIED,
                         rows[i].content != NULL && rows[i].more[0] == '\0' && rows[i].allowed);
        tear_down(&node);
    }
}
END_TEST

/* A source that changes all the time is taken up at a pace. */
START_TEST(changes_are_paced)
{
    struct node node;
    char text[20];

    set_up(&node);
    hf_simfs_put(node.bare.fs, "/opt/a/x", "one", 3, 0644);
    want(&node, FILES("a", ""), NULL);
    const struct entry *entry = entry_of(&node, "a");
    for (int i = 0; i < 3 * HF_CONTENT_PACE_BURST && entry->content.intake != HF_CONTENT_HELD; i++) {
        (void)snprintf(text, sizeof(text), "%d", i);
        hf_simfs_put(node.bare.fs, "/opt/a/x", text, strlen(text), 0644);
        hf_manifest_engine_check(node.engine);
        (void)hf_simloop_run_for(node.bare.loop, 10 * HF_NS_PER_S);
    }
    ck_assert_int_eq(entry->content.intake, HF_CONTENT_HELD);
    ck_assert_int_eq(entry->content.note.reason, HF_MANIFEST_REASON_CONTENT_PACED);
    (void)hf_simloop_run_for(node.bare.loop, 700 * HF_NS_PER_S);
    ck_assert_int_ne(entry->content.intake, HF_CONTENT_HELD);
    ck_assert(entry->r.phase == HF_MANIFEST_APPLIED && strcmp(entry->r.good.digest, entry->r.known_digest) == 0);
    tear_down(&node);
}
END_TEST

/* ---- a later process --------------------------------------------------------------------------------------------- */

START_TEST(boots)
{
    struct node node;
    size_t n;

    set_up(&node);
    hf_simfs_put(node.bare.fs, "/opt/a/x", "one", 3, 0644);
    want(&node, FILES("a", ""), NULL);
    hf_manifest_engine_check(node.engine);
    settle(&node);
    hf_manifest_engine_free(node.engine);
    hf_bare_run(&node.bare);
    hf_simfs_put(node.bare.fs, "/etc/a/x", "theirs", 6, 0644);
    hf_simfs_mkdir(node.bare.fs, HF_BARE_STATE "/manifests/Not_a_name", 0700);
    boot(&node);
    ck_assert_uint_eq(node.engine->entries.n, 1);
    hf_manifest_engine_repair_now(node.engine);
    ck_assert(hf_simfs_get(node.bare.fs, "/etc/a/x", &n) != NULL && n == 3);
    hf_manifest_engine_free(node.engine);
    hf_bare_run(&node.bare);
    hf_simfs_set_unreadable(node.bare.fs, HF_BARE_STATE "/manifests/a/record", true);
    boot(&node); /* without this entry: it tries again */
    ck_assert_int_eq(entry_of(&node, "a")->life, ENTRY_UNREADABLE);
    tear_down(&node);
}
END_TEST

START_TEST(folder_is_unreadable)
{
    struct hf_bare bare;
    struct hf_manifest_engine *engine = NULL;

    hf_bare_init(&bare, NULL);
    hf_simfs_fail_at(bare.fs, 1, 5, 0);
    ck_assert_int_eq(hf_manifest_engine_new(&bare.engine.p, &engine, NULL), -5);
    hf_simfs_fail_at(bare.fs, 0, 0, 0);
    ck_assert(engine == NULL);
    hf_manifest_engine_free(NULL);
    hf_bare_run(&bare);
    hf_bare_done(&bare);
}
END_TEST

/* ---- without a kubelet ------------------------------------------------------------------------------------------- */

static void count_file(void *arg, const char *entry, const char *path, const unsigned char sha256[HF_SHA256_BYTES])
{
    unsigned *n = arg;

    ck_assert_str_eq(entry, "pods");
    ck_assert_ptr_nonnull(strstr(path, "/etc/pods/"));
    ck_assert_int_ne(sha256[0] | sha256[1] | sha256[2] | sha256[3], 0);
    (*n)++;
}

START_TEST(alone)
{
    static const char pod[] =
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: c, image: i}]}\n";
    struct node node;
    unsigned n = 0;

    set_up(&node);
    hf_simfs_put(node.bare.fs, "/opt/pods/web.yaml", pod, sizeof(pod) - 1, 0644);
    want(&node, PODS "," FILES("a", ""), NULL);
    hf_manifest_engine_check(node.engine);
    settle(&node);
    struct entry *entry = entry_of(&node, "pods");
    ck_assert_msg(entry->r.phase == HF_MANIFEST_APPLIED, "%s %s", hf_manifest_phase_name(entry->r.phase),
                  entry->r.message);
    ck_assert(hf_manifest_engine_each_alone(node.engine, count_file, &n));
    ck_assert_uint_eq(n, 1);
    entry->inventory.pending = true; /* its files change */
    ck_assert(!hf_manifest_engine_each_alone(node.engine, count_file, &n));
    entry->inventory.pending = false;
    entry_of(&node, "a")->life = ENTRY_UNREADABLE; /* nobody knows what it is */
    ck_assert(!hf_manifest_engine_each_alone(node.engine, count_file, &n));
    entry_of(&node, "a")->life = ENTRY_STARTED;
    ck_assert_uint_eq(n, 1);
    tear_down(&node);
}
END_TEST

/* ---- images of pods ---------------------------------------------------------------------------------------------- */

#define WORKLOADS "\"images\":{\"prefetchFrom\":{\"workloads\":true}},"

static void put_pod(struct node *node, const char *image)
{
    char text[300];
    int n = snprintf(
        text, sizeof(text),
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: c, image: \"%s\"}]}\n", image);

    hf_simfs_put(node->bare.fs, "/opt/pods/web.yaml", text, (size_t)n, 0644);
    hf_manifest_engine_check(node->engine);
    settle(node);
}

static void expect_image(struct node *node, const char *name, const char *other, const char *waits)
{
    struct hf_manifest_images images;
    const char *entry;

    ck_assert_int_eq(hf_manifest_engine_images(node->engine, &images, &entry), 0);
    ck_assert_uint_eq(images.n, name != NULL);
    if (name != NULL)
        ck_assert_str_eq(images.names[0], name);
    ck_assert_str_eq(images.other, other);
    ck_assert_pstr_eq(entry, waits);
    hf_manifest_images_done(&images);
}

/* What pods name is known while the site's hold keeps their manifests out, and is no matter of what is refused. */
START_TEST(images_of_pods)
{
    static const char one[] = "r.example/a@sha256:" ID_1, two[] = "r.example/b@sha256:" ID_1;
    static const char substituted[] = "{\"name\":\"pods\",\"to\":\"StaticPods\",\"from\":{\"path\":\"/opt/"
                                      "pods\"},\"substitute\":{\"R\":\"r.example\"}}";
    struct node node;

    set_up(&node);
    ck_assert_int_eq(
        hf_manifest_engine_images(node.engine, &(struct hf_manifest_images){.n = 0}, &(const char *){NULL}), -EAGAIN);
    node.desired.held = true;
    node.more = WORKLOADS;
    want(&node, PODS "," FILES("a", ""), NULL);
    expect_image(&node, NULL, "", "pods");
    hf_simfs_put(node.bare.fs, "/opt/a/web.yaml", "kind: Pod\n", 10, 0644);
    put_pod(&node, one);
    expect_image(&node, one, "", NULL);
    ck_assert_int_eq(entry_of(&node, "pods")->r.phase, HF_MANIFEST_WAITING);
    put_pod(&node, "r.example/b:1");
    expect_image(&node, NULL, "r.example/b:1", NULL);
    put_pod(&node, two);
    expect_image(&node, two, "", NULL);
    node.desired.held = false;
    want(&node, PODS "," FILES("a", ""), NULL);
    ck_assert_int_eq(entry_of(&node, "pods")->r.phase, HF_MANIFEST_APPLIED);
    expect_image(&node, two, "", NULL);
    hf_manifest_engine_free(hf_steal(node.engine)); /* the next process reads them again */
    hf_bare_run(&node.bare);
    boot(&node);
    want(&node, PODS "," FILES("a", ""), NULL);
    expect_image(&node, two, "", NULL);
    put_pod(&node, "${R}/a@sha256:" ID_1);
    want(&node, substituted, NULL);
    expect_image(&node, one, "", NULL);
    hf_simfs_put(node.bare.fs, "/opt/pods/web.yaml", "kind: [", 7, 0644);
    hf_manifest_engine_check(node.engine);
    settle(&node);
    ck_assert_int_eq(entry_of(&node, "pods")->r.phase, HF_MANIFEST_REFUSED);
    expect_image(&node, NULL, "", NULL);
    put_pod(&node, one);
    node.more = NULL;
    want(&node, substituted, NULL);
    ck_assert_uint_eq(entry_of(&node, "pods")->images.found.n, 0);
    tear_down(&node);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, applies);
    tcase_add_test(tc, statuses);
    tcase_add_test(tc, leaves);
    tcase_add_test(tc, annotated);
    tcase_add_test(tc, no_room);
    tcase_add_test(tc, follows);
    tcase_add_test(tc, changes_are_paced);
    tcase_add_test(tc, boots);
    tcase_add_test(tc, folder_is_unreadable);
    tcase_add_test(tc, alone);
    tcase_add_test(tc, images_of_pods);
}

HF_TEST_MAIN("manifests/engine", cases)
