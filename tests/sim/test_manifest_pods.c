/* SPDX-License-Identifier: Apache-2.0 */
/* Static pods of an entry of spec.manifests, on virtual time: how they come into the kubelet's folder, and which pods
 * vouch for a new content. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "support/check_main.h"
#include "support/fakes/simkubelet.h"
#include "support/manifest_node.h"

/* ---- the kubelet's folder ---------------------------------------------------------------------------------------- */

static void no_name_beside(void *arg, const char *path, const struct stat *st)
{
    unsigned *inside = arg;

    (void)st;
    ck_assert_msg(strstr(path, "/etc/.holdfast") == NULL, "%s", path);
    *inside += strstr(path, "/etc/pods/.holdfast-app.new") != NULL;
}

static void check_folders(void *arg)
{
    struct node *node = arg;

    hf_simfs_walk(node->fs, "/etc", no_name_beside, &node->watches);
}

/* New pods are staged under a name with a dot in the kubelet's folder itself, so no other folder need be writable. */
START_TEST(pods_are_staged_inside)
{
    struct node *node = node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"to\":\"StaticPods\"}", 60);

    node->watch.add = NULL;
    node_put(node, "/media/usb/web.yaml", NODE_POD("a"));
    hf_simloop_after_each(node->loop, check_folders, node);
    node_boot(node);
    node_intervals(node, 8);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_HEALTH_UNKNOWN, "pods");
    ck_assert_uint_gt(node->watches, 0); /* here: how often the staging folder was seen */
    node->watches = 0;
    check_folders(node);
    ck_assert_uint_eq(node->watches, 0);
    hf_simloop_after_each(node->loop, NULL, NULL);
    node_end(node);
}
END_TEST

/* The agent sees all processes of the node, and the kubelet reads a folder of its own. It is away for a moment while a
 * new content comes: the pods stay in its folder, and do not move to one that no kubelet reads. */
START_TEST(pods_stay_while_the_kubelet_is_away)
{
    static const char config[] = "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n"
                                 "manifests:\n  staticPods: true\n  paths: [/media/**]\n";
    static const char command[] = "/usr/bin/kubelet\0--pod-manifest-path=/opt/pods";
    struct node *node =
        node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true,\"to\":\"StaticPods\"}", 62);

    hf_config_free(node->config);
    ck_assert_int_eq(hf_config_parse(HF_VIEW(config), "agent.yaml", &node->config, NULL), 0);
    hf_simfs_mkdir(node->fs, "/opt/pods", 0755);
    hf_simfs_mkdir(node->fs, "/etc/kubernetes/manifests", 0755);
    hf_simfs_put(node->fs, "/proc/77/cmdline", command, sizeof(command), 0444);
    hf_simfs_chown(node->fs, "/proc/77", geteuid(), 0);
    hf_simfs_symlink(node->fs, "/proc/77/exe", "/usr/bin/kubelet");
    hf_simfs_symlink(node->fs, "/proc/77/ns/mnt", "mnt:[1]");
    hf_simfs_symlink(node->fs, "/proc/1/ns/mnt", "mnt:[1]");
    node_put(node, "/media/usb/web.yaml", NODE_POD("a:1"));
    node_boot(node);
    node_intervals(node, 6);
    ck_assert(!node_has(node, "/opt/pods/app_default_web.yaml", NULL));
    hf_simfs_move(node->fs, "/proc/77", "/proc/away");
    node_put(node, "/media/usb/web.yaml", NODE_POD("a:2"));
    node_intervals(node, 6);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_HEALTH_UNKNOWN, "the kubelet is away");
    ck_assert(!node_has(node, "/opt/pods/app_default_web.yaml", NULL));
    ck_assert(node_has(node, "/etc/kubernetes/manifests/app_default_web.yaml", NULL));
    node_end(node);
}
END_TEST

static void answer_for_kubelet(void *kubelet, struct hf_simcall *call)
{
    _cleanup_(hf_buf_done) struct hf_buf body = HF_BUF_INIT(1 << 20);

    if (hf_simkubelet_list(kubelet, &body))
        hf_simcall_reply(call, 200, "application/json", hf_buf_str(&body));
    else
        hf_simcall_fail(call, -ECONNREFUSED);
}

static const char web_file[] = "/etc/pods/app_default_web.yaml";

/* Begins with a pod that is Applied after so many intervals. */
static struct node *begin_pods(const char *deadline, uint64_t seed, unsigned wait, struct hf_simkubelet **ret_kubelet)
{
    char entry[200];

    (void)snprintf(
        entry, sizeof(entry),
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"healthDeadline\":\"%s\",\"to\":\"StaticPods\"}",
        deadline);
    struct node *node = node_begin(entry, seed);
    *ret_kubelet = hf_simkubelet_new(node->loop, node->fs, "/etc/pods", "n1");
    hf_simnet_serve(node->net, "http://127.0.0.1:10255", answer_for_kubelet, *ret_kubelet);
    node_put(node, "/media/usb/web.yaml", NODE_POD("a"));
    node_boot(node);
    node_intervals(node, wait);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    return node;
}

static void step_until_web_is(struct node *node, const char *text)
{
    for (unsigned i = 0; i < 100000 && !node_has(node, web_file, text); i++)
        ck_assert(hf_simloop_step(node->loop));
    ck_assert(node_has(node, web_file, text));
}

/* The source delivers this file, and it gets in place. */
static void swap_web(struct node *node, const char *text)
{
    node_put(node, "/media/usb/web.yaml", text);
    hf_manifest_engine_check(node->engine);
    step_until_web_is(node, text);
}

static void count_pod_file(void *arg, const char *path, const struct stat *st)
{
    (void)path;
    *(unsigned *)arg += S_ISREG(st->st_mode) ? 1 : 0;
}

/* The source gets a second document, then moves to another file: a pod that has not changed keeps its file and its
 * containers, and the kubelet reads no old one. Row 0: without `prune`. Row 1: with it. */
START_TEST(pods_move_in_the_source)
{
    static const char second[] = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: db}\n"
                                 "spec: {containers: [{name: c, image: d}]}\n";
    struct node *node =
        node_begin(_i == 0 ? "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"to\":\"StaticPods\"}"
                           : "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"to\":\"StaticPods\","
                             "\"prune\":true}",
                   73);
    struct hf_simkubelet *kubelet = hf_simkubelet_new(node->loop, node->fs, "/etc/pods", "n1");
    struct stat before, after;
    char text[600];
    unsigned files = 0;

    hf_simnet_serve(node->net, "http://127.0.0.1:10255", answer_for_kubelet, kubelet);
    node_put(node, "/media/usb/web.yaml", NODE_POD("a"));
    node_boot(node);
    node_intervals(node, 2);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "one document");
    ck_assert(hf_simfs_stat(node->fs, "/etc/pods/app_default_web.yaml", &before));
    (void)snprintf(text, sizeof(text), "%s%s", NODE_POD("a"), second);
    node_put(node, "/media/usb/web.yaml", text);
    node_intervals(node, 3);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "two documents");
    ck_assert(hf_simfs_stat(node->fs, "/etc/pods/app_default_web.yaml", &after) && after.st_ino == before.st_ino);
    hf_simfs_delete(node->fs, "/media/usb/web.yaml");
    (void)snprintf(text, sizeof(text), "%s%s", NODE_POD("b"), second);
    node_put(node, "/media/usb/moved.yaml", text);
    node_intervals(node, 3);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "moved");
    ck_assert_str_eq(hf_simkubelet_running(kubelet, "default", "web"), "b");
    ck_assert_str_eq(hf_simkubelet_running(kubelet, "default", "db"), "d");
    hf_simfs_walk(node->fs, "/etc/pods", count_pod_file, &files);
    ck_assert_uint_eq(files, 2);
    node_end(node);
    hf_simkubelet_free(kubelet);
}
END_TEST

#define EPOD                                                                                                           \
    "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: \"\"}\nspec: {containers: [{name: c, image: a}]}\n"

/* An empty namespace is "default" to the kubelet. */
START_TEST(pod_with_empty_namespace)
{
    struct node *node = node_begin(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"healthDeadline\":\"60s\",\"to\":\"StaticPods\"}", 71);
    struct hf_simkubelet *kubelet = hf_simkubelet_new(node->loop, node->fs, "/etc/pods", "n1");

    hf_simnet_serve(node->net, "http://127.0.0.1:10255", answer_for_kubelet, kubelet);
    node_put(node, "/media/usb/web.yaml", EPOD);
    node_boot(node);
    node_intervals(node, 9);
    ck_assert_msg(node_has(node, "/etc/pods/app_default_web.yaml", EPOD), "%s", node_look(node).message);
    ck_assert_str_eq(hf_simkubelet_running(kubelet, "default", "web"), "a");
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "the pod runs");
    node_end(node);
    hf_simkubelet_free(kubelet);
}
END_TEST

/* ---- which pods vouch -------------------------------------------------------------------------------------------- */

/* Nobody can be asked whether the pods run, because nobody answers or because memory runs out. A health check that
 * passes does not vouch for them. */
START_TEST(nobody_vouches_for_pods)
{
    bool checks = _i / 2 == 1;
    struct node *node =
        node_begin(checks ? "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"to\":\"StaticPods\","
                            "\"healthChecks\":[{\"tcp\":{\"port\":80}}]}"
                          : "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"to\":\"StaticPods\"}",
                   61);

    node_put(node, "/media/usb/web.yaml", NODE_POD("a"));
    faults.memory.node = node;
    faults.memory.file = _i % 2 == 1 ? "/etc/pods/app_default_web.yaml" : NULL;
    node_boot(node);
    node_intervals(node, 4);
    ck_assert_ptr_null(faults.memory.file);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_HEALTH_UNKNOWN, "pods");
    ck_assert_ptr_nonnull(strstr(node_look(node).message, _i % 2 == 1 ? "out of memory" : "health unknown"));
    node_end(node);
}
END_TEST

/* Nobody needs a right to listen on 127.0.0.1:10255. The kubelet has closed this port (the default since years), and
 * runs the new pod well; a local user answers in its place. */
static void answer_for_a_local_user(void *arg, struct hf_simcall *call)
{
    (void)arg;
    hf_simcall_reply(
        call, 200, "application/json",
        "{\"kind\":\"PodList\",\"items\":[{\"metadata\":{\"name\":\"web-n1\",\"namespace\":\"default\","
        "\"annotations\":{\"kubernetes.io/config.hash\":\"x\"}},\"status\":{\"phase\":\"Running\","
        "\"conditions\":[{\"type\":\"Ready\",\"status\":\"False\"}],\"containerStatuses\":[{\"name\":\"c\","
        "\"state\":{\"waiting\":{\"reason\":\"CrashLoopBackOff\"}}}]}}]}");
}

START_TEST(local_user_judges_pods)
{
    struct node *node = node_begin(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"healthDeadline\":\"60s\",\"to\":\"StaticPods\"}", 71);
    struct hf_simkubelet *kubelet = hf_simkubelet_new(node->loop, node->fs, "/etc/pods", "n1");

    node_put(node, "/media/usb/web.yaml", NODE_POD("a"));
    node_boot(node);
    node_intervals(node, 9);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_HEALTH_UNKNOWN, "nobody answers");
    hf_simnet_serve(node->net, "http://127.0.0.1:10255", answer_for_a_local_user, NULL);
    hf_simkubelet_listen(node->fs, 1000);
    node_put(node, "/media/usb/web.yaml", NODE_POD("b"));
    node_intervals(node, 9);
    ck_assert_msg(node_has(node, "/etc/pods/app_default_web.yaml", NODE_POD("b")), "%s: %s",
                  hf_manifest_phase_name(node_look(node).status.phase), node_look(node).message);
    node_end(node);
    hf_simkubelet_free(kubelet);
}
END_TEST

/* Pods of the old file vouch for no new one, however short a time they have run, and whatever the kubelet's clock
 * shows: the same as the agent's, 1970, ten years from now. */
START_TEST(pods_of_the_old_file_do_not_count)
{
    static const int64_t offsets[] = {0, -(int64_t)HF_SIM_UNIX_START, 315360000 * (int64_t)HF_NS_PER_S};
    struct node *node = node_begin(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"healthDeadline\":\"20s\",\"to\":\"StaticPods\"}", 70);
    struct hf_simkubelet *kubelet = hf_simkubelet_new(node->loop, node->fs, "/etc/pods", "n1");

    hf_simkubelet_set_clock(kubelet, offsets[_i]);
    hf_simnet_serve(node->net, "http://127.0.0.1:10255", answer_for_kubelet, kubelet);
    node_put(node, "/media/usb/web.yaml", NODE_POD("a"));
    node_boot(node);
    node_intervals(node, 2);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    node_put(node, "/media/usb/web.yaml", NODE_POD("b-crash"));
    node_intervals(node, 2);
    node_expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_HEALTH_FAILED, "second");
    ck_assert(node_has(node, "/etc/pods/app_default_web.yaml", NODE_POD("a")));
    node_put(node, "/media/usb/web.yaml", NODE_POD("c"));
    node_intervals(node, 2);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "third");
    ck_assert_str_eq(hf_simkubelet_running(kubelet, "default", "web"), "c");
    node_end(node);
    hf_simkubelet_free(kubelet);
}
END_TEST

#define POD_WITH_UID(image)                                                                                            \
    "apiVersion: v1\nkind: Pod\nmetadata: {name: web, uid: 4d7b}\n"                                                    \
    "spec: {containers: [{name: c, image: " image "}]}\n"

/* A file with metadata.uid changes, and the kubelet gives the pod the same hash as before: how the pod runs decides. */
START_TEST(pod_that_keeps_its_hash_is_judged)
{
    struct node *node = node_begin(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"healthDeadline\":\"60s\",\"to\":\"StaticPods\"}", 71);
    struct hf_simkubelet *kubelet = hf_simkubelet_new(node->loop, node->fs, "/etc/pods", "n1");

    hf_simnet_serve(node->net, "http://127.0.0.1:10255", answer_for_kubelet, kubelet);
    node_put(node, "/media/usb/web.yaml", POD_WITH_UID("a"));
    node_boot(node);
    node_intervals(node, 7);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    node_put(node, "/media/usb/web.yaml", POD_WITH_UID("b"));
    node_intervals(node, 1);
    node_expect(node, HF_MANIFEST_PROBATION, HF_MANIFEST_REASON_NONE, "second, early");
    node_intervals(node, 8);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "second");
    ck_assert_str_eq(hf_simkubelet_running(kubelet, "default", "web"), "b");
    node_put(node, "/media/usb/web.yaml", POD_WITH_UID("c-crash"));
    node_intervals(node, 9);
    node_expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_HEALTH_FAILED, "third");
    ck_assert(node_has(node, "/etc/pods/app_default_web.yaml", POD_WITH_UID("b")));
    node_end(node);
    hf_simkubelet_free(kubelet);
}
END_TEST

/* The deadline passes before the kubelet must have read the file: it stays, and nobody vouches for the old pod. */
START_TEST(pod_that_keeps_its_hash_is_unknown)
{
    struct node *node = node_begin(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"healthDeadline\":\"15s\",\"to\":\"StaticPods\"}", 72);
    struct hf_simkubelet *kubelet = hf_simkubelet_new(node->loop, node->fs, "/etc/pods", "n1");

    hf_simnet_serve(node->net, "http://127.0.0.1:10255", answer_for_kubelet, kubelet);
    node_put(node, "/media/usb/web.yaml", POD_WITH_UID("a"));
    node_boot(node);
    node_intervals(node, 3);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    node_put(node, "/media/usb/web.yaml", POD_WITH_UID("b"));
    for (int i = 0; i < 30 && node_look(node).status.reason != HF_MANIFEST_REASON_HEALTH_UNKNOWN; i++) {
        if (i % 10 == 0)
            hf_manifest_engine_check(node->engine);
        (void)hf_simloop_run_for(node->loop, HF_NS_PER_S);
    }
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_HEALTH_UNKNOWN, "second");
    ck_assert_msg(strstr(node_look(node).message, "health unknown: Pod default/web: same hash") != NULL, "%s",
                  node_look(node).message);
    ck_assert(node_has(node, "/etc/pods/app_default_web.yaml", POD_WITH_UID("b")));
    node_intervals(node, 2);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "asked again");
    node_end(node);
    hf_simkubelet_free(kubelet);
}
END_TEST

/* A kubelet that reads its folder only when the test says so. */
static void read_now(struct hf_simkubelet *kubelet)
{
    hf_simkubelet_set_up(kubelet, false);
    hf_simkubelet_set_up(kubelet, true);
}

static struct node *late_reader; /* its kubelet reads its folder after it was asked before a swap; NULL: no */

static void answer_and_read(void *kubelet, struct hf_simcall *call)
{
    answer_for_kubelet(kubelet, call);
    if (late_reader == NULL || node_look(late_reader).status.phase != HF_MANIFEST_WAITING)
        return;
    late_reader = NULL;
    read_now(kubelet);
}

/* The kubelet has not read the older file when it lists the hashes before the next swap: so another hash after the swap
 * may be that of the older file, whose pod does not vouch for the new one. The older file was applied with unknown
 * health (rows 0 and 1), or a rollback has just put it back (rows 2 and 3). The new pod crashes in rows 0 and 2. */
START_TEST(pod_of_a_file_that_was_unread_does_not_count)
{
    bool rolls_back = _i / 2 == 1, crashes = _i % 2 == 0;
    struct hf_simkubelet *kubelet;
    struct node *node = begin_pods("20s", 2050, 2, &kubelet);

    hf_simnet_serve(node->net, "http://127.0.0.1:10255", answer_and_read, kubelet);
    hf_simkubelet_set_pause(kubelet, 3600 * HF_NS_PER_S);
    (void)hf_simloop_run_for(node->loop, 2 * HF_NS_PER_S);
    swap_web(node, rolls_back ? NODE_POD("b-crash") : NODE_POD("b"));
    if (rolls_back)
        read_now(kubelet);
    (void)hf_simloop_run_for(node->loop, 27 * HF_NS_PER_S);
    if (rolls_back)
        node_expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_HEALTH_FAILED, "older");
    else
        node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_HEALTH_UNKNOWN, "older");

    late_reader = node;
    swap_web(node, crashes ? NODE_POD("c-crash") : NODE_POD("c"));
    ck_assert_ptr_null(late_reader);
    (void)hf_simloop_run_for(node->loop, 5 * HF_NS_PER_S);
    read_now(kubelet);
    (void)hf_simloop_run_for(node->loop, 30 * HF_NS_PER_S);
    if (crashes)
        node_expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_HEALTH_FAILED, "newer");
    else
        node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "newer");
    node_end(node);
    hf_simkubelet_free(kubelet);
}
END_TEST

/* Somebody changes the file of a sick pod on trial into one that runs. It is put back; his pod, which the kubelet
 * still runs, vouches for nothing. _i == 1: the agent is killed right after it has put the file back. */
START_TEST(their_pod_vouches)
{
    struct hf_simkubelet *kubelet;
    struct node *node = begin_pods("60s", 2009, 4, &kubelet);

    swap_web(node, NODE_POD("b-crash"));
    node_put(node, web_file, NODE_POD("theirs"));
    step_until_web_is(node, NODE_POD("b-crash"));
    if (_i == 1) {
        for (unsigned i = 0; i < 3; i++)
            (void)hf_simloop_step(node->loop);
        node_kill(node);
        node_boot(node);
    }
    node_intervals(node, 12);
    ck_assert_msg(node_look(node).status.phase == HF_MANIFEST_ROLLED_BACK, "%s: %s runs", node->status,
                  hf_simkubelet_running(kubelet, "default", "web"));
    node_end(node);
    hf_simkubelet_free(kubelet);
}
END_TEST

/* Somebody changes the file of a pod on trial into one that crashes. It is put back, and the set is not to blame. */
START_TEST(their_pod_fails)
{
    struct hf_simkubelet *kubelet;
    struct node *node = begin_pods("5m", 2019, 4, &kubelet);

    swap_web(node, NODE_POD("b"));
    node_put(node, web_file, NODE_POD("theirs-crash"));
    node_intervals(node, 60);
    ck_assert_msg(node_look(node).status.phase == HF_MANIFEST_APPLIED, "%s", node->status);
    ck_assert_str_eq(hf_simkubelet_running(kubelet, "default", "web"), "b");
    node_end(node);
    hf_simkubelet_free(kubelet);
}
END_TEST

#define POD_DB "apiVersion: v1\nkind: Pod\nmetadata: {name: db}\nspec: {containers: [{name: c, image: d}]}\n"

/* The new version of `web` takes the port of `db`, so that `db` crashes again and again. */
static struct node *port_taken; /* NULL: it does not */

static void answer_with_db(void *kubelet, struct hf_simcall *call)
{
    _cleanup_(hf_buf_done) struct hf_buf body = HF_BUF_INIT(1 << 20);
    json_t *list = NULL;

    ck_assert(hf_simkubelet_list(kubelet, &body));
    ck_assert_int_eq(hf_json_parse(hf_buf_view(&body), NULL, &list, NULL), 0);
    json_t *items = json_object_get(list, "items");
    for (size_t i = 0; i < json_array_size(items); i++) {
        json_t *pod = json_array_get(items, i);
        if (port_taken == NULL || !node_has(port_taken, web_file, NODE_POD("b")) ||
            strcmp(hf_json_str_or(pod, "metadata.name", ""), "db-n1") != 0)
            continue;
        json_t *status = json_object_get(pod, "status");
        (void)json_object_set_new(status, "conditions", json_pack("[{s:s, s:s}]", "type", "Ready", "status", "False"));
        (void)json_object_set_new(
            status, "containerStatuses",
            json_pack("[{s:s, s:{s:{s:s}}}]", "name", "c", "state", "waiting", "reason", "CrashLoopBackOff"));
    }
    char *text = json_dumps(list, 0);
    hf_simcall_reply(call, 200, "application/json", text);
    free(text);
    json_decref(list);
}

/* A set changes `web` and leaves `db` as it is. Somebody changes the file of `web` on trial once, and it is put back.
 * Row 0: the set is good. Row 1: `db` crashes because of the new `web`. */
START_TEST(unchanged_pod_after_a_put_back)
{
    struct node *node = node_begin(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"healthDeadline\":\"20s\",\"to\":\"StaticPods\"}", 5009);
    struct hf_simkubelet *kubelet = hf_simkubelet_new(node->loop, node->fs, "/etc/pods", "n1");

    hf_simnet_serve(node->net, "http://127.0.0.1:10255", answer_with_db, kubelet);
    node_put(node, "/media/usb/web.yaml", NODE_POD("a"));
    node_put(node, "/media/usb/db.yaml", POD_DB);
    node_boot(node);
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    port_taken = _i == 1 ? node : NULL;
    swap_web(node, NODE_POD("b"));
    node_put(node, web_file, NODE_POD("theirs"));
    for (unsigned i = 0; i < 300 && !node_has(node, web_file, NODE_POD("b")); i++)
        (void)hf_simloop_run_for(node->loop, HF_NS_PER_S / 10);
    ck_assert(node_has(node, web_file, NODE_POD("b")));
    for (unsigned i = 0; i < 600 && (node_look(node).status.phase == HF_MANIFEST_PROBATION ||
                                     node_look(node).status.phase == HF_MANIFEST_ROLLING_BACK ||
                                     node_look(node).status.phase == HF_MANIFEST_APPLYING);
         i++)
        (void)hf_simloop_run_for(node->loop, HF_NS_PER_S / 10);
    struct seen seen = node_look(node);
    hf_manifest_engine_check(node->engine);
    (void)hf_simloop_run_for(node->loop, HF_NS_PER_S / 10);
    ck_assert_msg(seen.status.phase == (_i == 1 ? HF_MANIFEST_ROLLED_BACK : HF_MANIFEST_APPLIED) &&
                      seen.status.reason != HF_MANIFEST_REASON_HEALTH_UNKNOWN,
                  "%s %s %s", hf_manifest_phase_name(seen.status.phase), hf_manifest_reason_name(seen.status.reason),
                  seen.message);
    port_taken = NULL;
    node_end(node);
    hf_simkubelet_free(kubelet);
}
END_TEST

#define POD_DB_OF_SOMEBODY                                                                                             \
    "apiVersion: v1\nkind: Pod\nmetadata: {name: db}\nspec: {containers: [{name: c, image: theirs-crash}]}\n"

/* The same with `db`: its file is put back, and the agent is killed before the kubelet reads it. The next process must
 * not blame the set for the pod of somebody else's file. */
START_TEST(unchanged_pod_after_a_put_back_and_a_kill)
{
    static const char db_file[] = "/etc/pods/app_default_db.yaml";
    struct hf_simkubelet *kubelet;
    struct node *node = begin_pods("20s", 5010, 2, &kubelet);

    node_put(node, "/media/usb/db.yaml", POD_DB);
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "two pods");
    hf_simkubelet_set_pause(kubelet, 3600 * HF_NS_PER_S);
    (void)hf_simloop_run_for(node->loop, 2 * HF_NS_PER_S);
    swap_web(node, NODE_POD("b"));
    node_put(node, db_file, POD_DB_OF_SOMEBODY);
    read_now(kubelet);
    for (unsigned i = 0; i < 300 && !node_has(node, db_file, POD_DB); i++)
        (void)hf_simloop_run_for(node->loop, HF_NS_PER_S / 10);
    ck_assert(node_has(node, db_file, POD_DB));

    node_kill(node);
    node_boot(node);
    (void)hf_simloop_run_for(node->loop, 5 * HF_NS_PER_S);
    read_now(kubelet);
    node_intervals(node, 3);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "after the kill");
    node_end(node);
    hf_simkubelet_free(kubelet);
}
END_TEST

static bool disk_fails; /* no inventory can be written, once a set is in place */

static int fail_when_placed(void *arg)
{
    struct node *node = arg;

    return disk_fails && !node_has(node, web_file, NODE_POD("a")) ? -EIO : 0;
}

/* The files of a set are in place, but its swap did not come to its end: the disk gave errors for a moment (row 0), or
 * the agent was killed (rows 1 and 2). Before the swap is repeated, somebody changes the file of a pod. The hash of
 * this pod is new, too, and says nothing about the set: what crashes is not applied (rows 0 and 1), and what works is
 * not rolled back (row 2). */
START_TEST(their_pod_before_a_repeated_swap)
{
    struct hf_simkubelet *kubelet;
    struct node *node = begin_pods("3m", 2030, 4, &kubelet);
    const char *ours = _i == 2 ? NODE_POD("b") : NODE_POD("b-crash"),
               *theirs = _i == 2 ? NODE_POD("theirs-crash") : NODE_POD("theirs");

    node_put(node, "/media/usb/web.yaml", ours);
    disk_fails = true;
    hf_simfs_before_each(node->fs, fail_when_placed, node);
    hf_manifest_engine_check(node->engine);
    while (!node_has(node, web_file, ours))
        ck_assert(hf_simloop_step(node->loop));
    node_put(node, web_file, theirs);
    if (_i > 0) {
        node_kill(node);
    }
    (void)hf_simloop_run_for(node->loop, 5 * HF_NS_PER_S);
    disk_fails = false;
    hf_simfs_before_each(node->fs, NULL, NULL);
    if (_i > 0)
        node_boot(node);
    node_intervals(node, 30);
    ck_assert_msg(node_look(node).status.phase == (_i == 2 ? HF_MANIFEST_APPLIED : HF_MANIFEST_ROLLED_BACK),
                  "%s: '%s' runs", node->status, hf_simkubelet_running(kubelet, "default", "web"));
    ck_assert_str_eq(hf_simkubelet_running(kubelet, "default", "web"), _i == 2 ? "b" : "a");
    node_end(node);
    hf_simkubelet_free(kubelet);
}
END_TEST

/* The disk gives one error before the first file changes (_i even), or the agent is killed between Go and the first
 * change (_i odd). Nobody changes anything. The kubelet looks at its folder every 20 s: the pod of the old file vouches
 * for no sick set in between. */
START_TEST(old_pod_vouches_for_no_repeated_swap)
{
    struct hf_simkubelet *kubelet;
    struct node *node = begin_pods("30s", 3000 + (uint64_t)_i, 6, &kubelet);

    hf_simkubelet_set_pause(kubelet, 19 * HF_NS_PER_S);
    (void)hf_simloop_run_for(node->loop, (uint64_t)(_i + 2) * 2 * HF_NS_PER_S);
    node_put(node, "/media/usb/web.yaml", NODE_POD("b-crash"));
    faults.disk.uncreatable = "inventory.new";
    hf_manifest_engine_check(node->engine);
    for (unsigned i = 0; i < 100000 && node_look(node).status.phase != HF_MANIFEST_APPLYING; i++)
        ck_assert(hf_simloop_step(node->loop));
    (void)hf_simloop_run_for(node->loop, HF_NS_PER_S / 10);
    ck_assert(node_has(node, web_file, NODE_POD("a")));
    if (_i % 2 == 1) {
        node_kill(node);
    }
    faults.disk.uncreatable = NULL;
    if (_i % 2 == 1)
        node_boot(node);
    node_intervals(node, 30);
    struct seen seen = node_look(node);
    ck_assert_msg(!(seen.status.phase == HF_MANIFEST_APPLIED && seen.status.reason == HF_MANIFEST_REASON_APPLIED),
                  "%s: '%s' is ready", node->status, hf_simkubelet_running(kubelet, "default", "web"));
    ck_assert_msg(seen.status.phase == HF_MANIFEST_ROLLED_BACK, "%s", node->status);
    node_end(node);
    hf_simkubelet_free(kubelet);
}
END_TEST

/* The same for static pods, whose content says which pods have to run. */
START_TEST(trial_of_pods_with_worn_content)
{
    struct hf_simkubelet *kubelet;
    struct node *node = begin_pods("5m", 2016, 9, &kubelet);
    static char path[200];

    node_put(node, "/media/usb/web.yaml", NODE_POD("b"));
    hf_manifest_engine_check(node->engine);
    for (unsigned i = 0; i < 100000 && strcmp(node_phase_on_disk(node), "\"Probation\"") != 0; i++)
        ck_assert(hf_simloop_step(node->loop));
    (void)snprintf(path, sizeof(path), NODE_STATE "/manifests/app/b-%s", node_look(node).status.digest);
    node_kill(node);
    faults.disk.unreadable = path;
    faults.disk.errors = 0;
    node_boot(node);
    node_intervals(node, 60);
    ck_assert_uint_gt(faults.disk.errors, 5);
    ck_assert_ptr_null(faults.disk.unreadable); /* the source has delivered it again */
    node_expect(node, HF_MANIFEST_APPLIED, node_look(node).status.reason, "second");
    ck_assert_str_eq(hf_simkubelet_running(kubelet, "default", "web"), "b");
    node_end(node);
    hf_simkubelet_free(kubelet);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, pods_are_staged_inside);
    tcase_add_test(tc, pods_stay_while_the_kubelet_is_away);
    tcase_add_loop_test(tc, pods_move_in_the_source, 0, 2);
    tcase_add_test(tc, pod_with_empty_namespace);
    tcase_add_loop_test(tc, nobody_vouches_for_pods, 0, 4);
    tcase_add_test(tc, local_user_judges_pods);
    tcase_add_loop_test(tc, pods_of_the_old_file_do_not_count, 0, 3);
    tcase_add_test(tc, pod_that_keeps_its_hash_is_judged);
    tcase_add_test(tc, pod_that_keeps_its_hash_is_unknown);
    tcase_add_loop_test(tc, pod_of_a_file_that_was_unread_does_not_count, 0, 4);
    tcase_add_loop_test(tc, their_pod_vouches, 0, 2);
    tcase_add_test(tc, their_pod_fails);
    tcase_add_loop_test(tc, unchanged_pod_after_a_put_back, 0, 2);
    tcase_add_test(tc, unchanged_pod_after_a_put_back_and_a_kill);
    tcase_add_loop_test(tc, their_pod_before_a_repeated_swap, 0, 3);
    tcase_add_loop_test(tc, old_pod_vouches_for_no_repeated_swap, 0, 12);
    tcase_add_test(tc, trial_of_pods_with_worn_content);
}

HF_TEST_MAIN_CPU("manifests/pods", cases, 300)
