/* SPDX-License-Identifier: Apache-2.0 */
/* The target StaticPods: what the kubelet says decides about a set on trial. A kubelet of support/fakes, no engine. */
#include <string.h>

#include "support/bare_entry.h"
#include "support/check_main.h"
#include "support/fakes/simkubelet.h"
#include "support/fakes/simnet.h"

#define KUBELET "https://127.0.0.1:10250"
#define ENTRY(more)                                                                                                    \
    "{\"name\":\"site\",\"to\":\"StaticPods\",\"from\":{\"path\":\"/opt/site\"},\"healthDeadline\":\"1m\"" more "}"
#define POD(image)                                                                                                     \
    "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: c, image: " image "}]}\n"
#define POD_WITH_UID(image)                                                                                            \
    "apiVersion: v1\nkind: Pod\nmetadata: {name: web, uid: u1}\nspec: {containers: [{name: c, image: " image "}]}\n"

struct node {
    struct hf_bare bare;
    struct hf_simnet *net;
    struct hf_simclient *client;
    struct hf_simkubelet *kubelet;
    const char *says; /* instead of its list; NULL: the list */
    unsigned asked;
};

static void answer(void *arg, struct hf_simcall *call)
{
    struct node *node = arg;
    _cleanup_(hf_buf_done) struct hf_buf body = HF_BUF_INIT(1 << 16);

    node->asked++;
    if (node->says == NULL && !hf_simkubelet_list(node->kubelet, &body)) {
        hf_simcall_reply(call, 503, "text/plain", "down");
        return;
    }
    ck_assert_int_eq(hf_buf_add(&body, "", 1), 0);
    hf_simcall_reply(call, 200, "application/json", node->says != NULL ? node->says : body.p);
}

static struct entry *set_up(struct node *node, const char *json, const char *pod)
{
    *node = (struct node){.asked = 0};
    hf_bare_init(&node->bare, json);
    hf_bare_equip(&node->bare, "staticPods: true");
    hf_simfs_mkdir(node->bare.fs, "/etc/pods", 0755);
    node->net = hf_simnet_new(node->bare.loop);
    hf_simnet_serve(node->net, KUBELET, answer, node);
    node->client = hf_simnet_client(node->net, node->bare.proc);
    node->kubelet = hf_simkubelet_new(node->bare.loop, node->bare.fs, "/etc/pods", "node-1");
    node->bare.engine.p.env.kubelet = hf_simclient_ops(node->client);
    node->bare.engine.p.env.http = hf_simclient_ops(node->client);
    node->bare.engine.p.env.static_pod_health = true;
    hf_bare_store(&node->bare, &node->bare.entry->r.next, json, "web.yaml", pod);
    return node->bare.entry;
}

static void tear_down(struct node *node)
{
    task_drop(node->bare.entry);
    hf_simclient_free(node->client);
    hf_simnet_free(node->net);
    hf_bare_done(&node->bare);
    hf_simkubelet_free(node->kubelet);
}

static void settle(struct node *node)
{
    (void)hf_simloop_run_for(node->bare.loop, 300 * HF_NS_PER_S);
}

static void go(struct node *node)
{
    node->bare.entry->actions->start[HF_MANIFEST_ACT_PLACE](node->bare.entry);
    settle(node);
}

static void expect(const struct entry *entry, enum hf_manifest_phase phase, enum hf_manifest_reason reason,
                   const char *where)
{
    ck_assert_msg(entry->r.phase == phase && entry->r.reason == reason, "%s: %s %s: %s", where,
                  hf_manifest_phase_name(entry->r.phase), hf_manifest_reason_name(entry->r.reason), entry->r.message);
    ck_assert_msg(!entry->busy && entry->attempt == NULL && entry->pods.good == NULL, "%s", where);
}

/* ---- a set on trial ---------------------------------------------------------------------------------------------- */

START_TEST(first_set)
{
    static const struct {
        const char *pod, *says;
        bool down, unchecked;
        enum hf_manifest_phase phase;
        enum hf_manifest_reason reason;
    } rows[] = {
        {POD("a"), NULL, false, false, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED},
        {POD("a-crash"), NULL, false, false, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_HEALTH_FAILED},
        {POD("a"), "{\"kind\":\"PodList\",\"items\":[]}", false, false, HF_MANIFEST_ROLLED_BACK,
         HF_MANIFEST_REASON_NOT_READY},
        {POD("a"), NULL, true, false, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_HEALTH_UNKNOWN},
        {POD("a-crash"), NULL, false, true, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED}, /* nobody asks */
        {"kind: Service\n", NULL, false, false, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_NOT_MANIFESTS},
    };

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct node node;
        char where[20];
        struct entry *entry = set_up(&node, ENTRY(""), rows[i].pod);
        (void)snprintf(where, sizeof(where), "row %zu", i);
        node.says = rows[i].says;
        node.bare.engine.p.env.static_pod_health = !rows[i].unchecked;
        hf_simkubelet_set_up(node.kubelet, !rows[i].down);
        go(&node);
        expect(entry, rows[i].phase, rows[i].reason, where);
        ck_assert_msg((node.asked == 0) == (rows[i].unchecked || rows[i].phase == HF_MANIFEST_REFUSED), "%s", where);
        tear_down(&node);
    }
}
END_TEST

/* The old pod runs on until the kubelet has read the new file: its health says nothing about the new one. */
START_TEST(next_set)
{
    static const struct {
        const char *first, *next;
        enum hf_manifest_phase phase;
    } rows[] = {{POD("a"), POD("b"), HF_MANIFEST_APPLIED},
                {POD("a"), POD("b-crash"), HF_MANIFEST_ROLLED_BACK},
                {POD_WITH_UID("a"), POD_WITH_UID("b"), HF_MANIFEST_APPLIED}, /* the hash stays */
                {POD("a"), POD("a") "---\n" POD("a"), HF_MANIFEST_REFUSED},
                {POD("a"), POD("a") "# again\n", HF_MANIFEST_APPLIED}};

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct node node;
        struct entry *entry = set_up(&node, ENTRY(""), rows[i].first);
        go(&node);
        expect(entry, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
        hf_bare_store(&node.bare, &entry->r.next, ENTRY(""), "web.yaml", rows[i].next);
        entry->r.phase = HF_MANIFEST_WAITING;
        go(&node);
        ck_assert_msg(entry->r.phase == rows[i].phase, "row %zu: %s %s", i, hf_manifest_phase_name(entry->r.phase),
                      entry->r.message);
        ck_assert_str_eq(hf_simkubelet_running(node.kubelet, "default", "web"), i == 0 || i == 2 ? "b" : "a");
        tear_down(&node);
    }
}
END_TEST

/* Brings a set on trial with held actions, in the phase Probation. */
static struct entry *on_trial(struct node *node)
{
    struct entry *entry = set_up(node, ENTRY(""), POD("a"));

    hf_bare_hold(&node->bare);
    for (unsigned i = 0; i < 2; i++) {
        target_of(entry, &entry->r.next)->place(entry);
        settle(node);
    }
    ck_assert_int_eq(entry->r.phase, HF_MANIFEST_PROBATION);
    return entry;
}

static void probe(struct node *node)
{
    target_of(node->bare.entry, &node->bare.entry->r.next)->probe(node->bare.entry);
    settle(node);
}

START_TEST(starts_too_often)
{
    struct node node;
    struct entry *entry = on_trial(&node);

    entry->r.starts = HF_RECORD_MAX_STARTS + 1;
    probe(&node);
    expect(entry, HF_MANIFEST_ROLLING_BACK, HF_MANIFEST_REASON_HEALTH_FAILED, "starts");
    tear_down(&node);
}
END_TEST

START_TEST(content_is_gone)
{
    for (unsigned unreadable = 0; unreadable < 2; unreadable++) {
        struct node node;
        struct entry *entry = on_trial(&node);
        char path[200];
        (void)snprintf(path, sizeof(path), HF_BARE_FOLDER "/b-%s", entry->r.next.digest);
        if (unreadable == 1)
            hf_simfs_set_unreadable(node.bare.fs, path, true);
        else
            hf_simfs_delete(node.bare.fs, path);
        probe(&node);
        if (unreadable == 1) { /* the disk may read it later */
            ck_assert_int_eq(entry->r.phase, HF_MANIFEST_PROBATION);
            ck_assert_uint_eq(entry->machine.wait.reason, HF_MANIFEST_REASON_WRITE_FAILED);
        } else {
            expect(entry, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, "lost");
        }
        tear_down(&node);
    }
}
END_TEST

/* Files that were put back, or a record in doubt: a hash that is not the old one proves nothing any more. */
START_TEST(in_doubt)
{
    struct node node;
    struct entry *entry = on_trial(&node);

    hf_manifest_set_copy(&entry->r.good, &entry->r.next);
    entry->r.pods_unread = true;
    entry->trial.repairs = 1;
    probe(&node);
    expect(entry, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "after the kubelet has certainly read it");
    tear_down(&node);
}
END_TEST

/* Files of the set may be in place already, so what the kubelet lists is not what was there before. */
START_TEST(asks_nobody_before)
{
    struct node node;
    struct entry *entry = set_up(&node, ENTRY(""), POD("a"));

    entry->r.unproven = true;
    entry->r.pods_before = json_object();
    ck_assert(!target_of(entry, &entry->r.next)->prepares(entry));
    ck_assert(json_is_true(json_object_get(entry->r.pods_before, "late")));
    ck_assert_uint_eq(node.asked, 0);
    tear_down(&node);
}
END_TEST

/* ---- once more --------------------------------------------------------------------------------------------------- */

START_TEST(asks_again)
{
    static const struct {
        const char *says;
        bool down;
        enum hf_manifest_reason reason;
    } rows[] = {{NULL, false, HF_MANIFEST_REASON_APPLIED},
                {NULL, true, HF_MANIFEST_REASON_HEALTH_UNKNOWN},
                {"{\"kind\":\"PodList\",\"items\":[]}", false, HF_MANIFEST_REASON_NOT_READY}};

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct node node;
        struct entry *entry = set_up(&node, ENTRY(""), POD("a"));
        const struct target_ops *target = target_of(entry, &entry->r.next);
        ck_assert(!target->is_unchecked(entry));
        hf_simkubelet_set_up(node.kubelet, false);
        go(&node);
        expect(entry, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_HEALTH_UNKNOWN, "down");
        ck_assert(target->is_unchecked(entry) && entry->r.pods_unread);
        ck_assert(!target->check_again(entry)); /* the interval has not passed */
        node.says = rows[i].says;
        hf_simkubelet_set_up(node.kubelet, !rows[i].down);
        settle(&node);
        entry->pods.due = true;
        ck_assert(target->check_again(entry));
        settle(&node);
        expect(entry, HF_MANIFEST_APPLIED, rows[i].reason, "again");
        ck_assert_int_eq(entry->save_wanted, rows[i].reason != HF_MANIFEST_REASON_HEALTH_UNKNOWN);
        tear_down(&node);
    }
}
END_TEST

/* The content is lost, or the set is no longer in place, by the time of the answer. */
START_TEST(question_has_no_use)
{
    struct node node;
    struct entry *entry = set_up(&node, ENTRY(""), POD("a"));
    char path[200];

    hf_simkubelet_set_up(node.kubelet, false);
    go(&node);
    entry->pods.due = true;
    ck_assert(target_of(entry, &entry->r.good)->check_again(entry));
    entry->r.phase = HF_MANIFEST_WAITING;
    settle(&node);
    ck_assert(entry->pods.again == NULL && entry->r.reason == HF_MANIFEST_REASON_HEALTH_UNKNOWN);
    entry->r.phase = HF_MANIFEST_APPLIED;
    (void)snprintf(path, sizeof(path), HF_BARE_FOLDER "/b-%s", entry->r.good.digest);
    hf_simfs_delete(node.bare.fs, path);
    entry->pods.due = true;
    ck_assert(target_of(entry, &entry->r.good)->check_again(entry));
    settle(&node);
    expect(entry, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_HEALTH_UNKNOWN, "lost");
    tear_down(&node);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, first_set);
    tcase_add_test(tc, next_set);
    tcase_add_test(tc, starts_too_often);
    tcase_add_test(tc, content_is_gone);
    tcase_add_test(tc, in_doubt);
    tcase_add_test(tc, asks_nobody_before);
    tcase_add_test(tc, asks_again);
    tcase_add_test(tc, question_has_no_use);
}

HF_TEST_MAIN("manifests/target_pods", cases)
