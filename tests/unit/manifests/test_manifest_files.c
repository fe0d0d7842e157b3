/* SPDX-License-Identifier: Apache-2.0 */
/* Opening folders of the node as root: links, folders that others may write, the resolved path; static pods; drift. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/asprintf.h"
#include "base/clock.h"
#include "manifests/files/before.h"
#include "manifests/files/content.h"
#include "manifests/files/look.h"
#include "manifests/files/place.h"
#include "manifests/files/pod_folder.h"
#include "manifests/files/pods.h"
#include "manifests/files/resolve.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/fs_posix.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"

static struct hf_simfs *fs;

static void set_up(void)
{
    fs = hf_simfs_new();
}

static void tear_down(void)
{
    ck_assert_uint_eq(hf_simfs_open_fds(fs), 0);
    hf_simfs_free(fs);
}

static int walk_to(const char *path, bool make)
{
    struct hf_files_walk walk = {.base = -1};
    int r = hf_files_walk_init(&walk, hf_simfs_ops(fs), NULL, true, NULL);

    ck_assert_int_eq(r, 0);
    r = hf_files_walk_to(&walk, path, make, NULL);
    hf_files_walk_done(&walk);
    return r < 0 ? r : 0;
}

START_TEST(walks)
{
    struct stat st;

    hf_simfs_mkdir(fs, "/etc/app/sub", 0755);
    hf_simfs_symlink(fs, "/etc/link", "/etc/app");
    hf_simfs_put(fs, "/etc/file", "x", 1, 0644);
    hf_simfs_mkdir(fs, "/srv/open", 0777);
    hf_simfs_mkdir(fs, "/srv/open/in", 0755);
    hf_simfs_mkdir(fs, "/tmp/ours", 0755);
    hf_simfs_chmod(fs, "/tmp", 01777);
    hf_simfs_mkdir(fs, "/home/user/dir", 0755);
    hf_simfs_chown(fs, "/home/user", 1000, 1000);
    ck_assert_int_eq(walk_to("/etc/app/sub", false), 0);
    ck_assert_int_eq(walk_to("", false), 0);
    ck_assert_int_eq(walk_to("/etc/app/none", false), -ENOENT);
    ck_assert(walk_to("/etc/link", false) == -ELOOP || walk_to("/etc/link", false) == -ENOTDIR);
    ck_assert(walk_to("/etc/link/sub", false) == -ELOOP || walk_to("/etc/link/sub", false) == -ENOTDIR);
    ck_assert_int_eq(walk_to("/etc/file/x", false), -ENOTDIR);
    ck_assert_int_eq(walk_to("/srv/open", false), -EACCES);
    ck_assert_int_eq(walk_to("/srv/open/in", false), -EACCES);
    ck_assert_int_eq(walk_to("/tmp/ours", false), 0);
    ck_assert_int_eq(walk_to("/tmp", false), -EACCES);
    ck_assert_int_eq(walk_to("/home/user/dir", false), -EACCES);
    ck_assert_int_eq(walk_to("/etc/new/deep", true), 0);
    ck_assert(hf_simfs_stat(fs, "/etc/new/deep", &st) && S_ISDIR(st.st_mode) && (st.st_mode & 07777) == 0755);
}
END_TEST

START_TEST(resolves)
{
    char path[HF_FILES_MAX_PATH];

    hf_simfs_mkdir(fs, "/data/rancher/k3s", 0755);
    hf_simfs_mkdir(fs, "/var/lib", 0755);
    hf_simfs_symlink(fs, "/var/lib/rancher", "/data/rancher");
    hf_simfs_symlink(fs, "/data/rancher/rel", "../rancher/k3s");
    hf_simfs_symlink(fs, "/data/loop", "loop");
    hf_simfs_mkdir(fs, "/srv/open", 0777);
    hf_simfs_symlink(fs, "/srv/open/evil", "/etc");
    ck_assert_int_eq(hf_files_resolve(hf_simfs_ops(fs), NULL, "/var/lib/rancher/k3s/agent", path, NULL), 0);
    ck_assert_str_eq(path, "/data/rancher/k3s/agent");
    ck_assert_int_eq(hf_files_resolve(hf_simfs_ops(fs), NULL, "/var/lib/rancher/rel", path, NULL), 0);
    ck_assert_str_eq(path, "/data/rancher/k3s");
    ck_assert_int_eq(hf_files_resolve(hf_simfs_ops(fs), NULL, "/none/at/all/", path, NULL), 0);
    ck_assert_str_eq(path, "/none/at/all");
    ck_assert_int_eq(hf_files_resolve(hf_simfs_ops(fs), NULL, "/data/loop/x", path, NULL), -ELOOP);
    ck_assert_int_eq(hf_files_resolve(hf_simfs_ops(fs), NULL, "/srv/open/evil/x", path, NULL), -ELOOP);
    /* In a pod, links start from the host's root. */
    hf_simfs_mkdir(fs, "/host/data", 0755);
    hf_simfs_symlink(fs, "/host/link", "/data");
    ck_assert_int_eq(hf_files_resolve(hf_simfs_ops(fs), "/host", "/link/x", path, NULL), 0);
    ck_assert_str_eq(path, "/data/x");
}
END_TEST

static void put_text(const char *path, const char *text, size_t n)
{
    hf_simfs_put(fs, path, text, n, 0644);
}

static struct hf_inventory_item item_of(const char *path, const char *text)
{
    struct hf_inventory_item item = {.path = hf_asprintf("%s", path), .mode = 0644, .size = strlen(text)};

    hf_sha256_of(text, strlen(text), item.sha256, sizeof(item.sha256));
    return item;
}

static int split(const char *name, const char *text, struct hf_pods *pods, struct hf_err *err)
{
    struct hf_bundle *bundle = hf_bundle_new();

    ck_assert_int_eq(hf_bundle_add(bundle, name, 0644, hf_view_of(text), NULL), 0);
    ck_assert_int_eq(hf_bundle_seal(bundle, NULL), 0);
    int r = hf_pods_split("site", bundle, pods, err);
    if (r < 0) {
        hf_pods_done(pods);
        *pods = (struct hf_pods){.n = 0};
    }
    hf_bundle_free(bundle); /* only names and numbers count from here on */
    return r;
}

#define POD(name) "apiVersion: v1\nkind: Pod\nmetadata: {name: " name "}\nspec: {containers: []}\n"

/* All of them are looked at; one more is refused by name. */
START_TEST(as_many_pods_as_are_looked_at)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(100000);
    struct hf_err err = HF_ERR_INIT;
    struct hf_pods pods;

    for (int i = 0; i < HF_PODS_MAX; i++)
        ck_assert_int_eq(hf_buf_addf(&text, POD("web%d") "---\n", i), 0);
    ck_assert_int_eq(split("pods.yaml", hf_buf_str(&text), &pods, &err), 0);
    ck_assert_uint_eq(pods.n, HF_PODS_MAX);
    hf_pods_done(&pods);
    ck_assert_int_eq(hf_buf_add_str(&text, POD("web")), 0);
    ck_assert_int_eq(split("pods.yaml", hf_buf_str(&text), &pods, &err), -E2BIG);
    ck_assert_msg(strstr(err.where, "document 257") != NULL &&
                      strstr(err.cause, "more than 256 pods in one entry") != NULL,
                  "%s: %s", err.where, err.cause);
}
END_TEST

/* The name of a pod's file is the same in whatever file of the source, at whatever place, the pod is. */
START_TEST(pods)
{
    struct hf_err err = HF_ERR_INIT;
    struct hf_pods found;
    char text[600];

    ck_assert_int_eq(split("web/pod.yaml", POD("a"), &found, &err), 0);
    ck_assert_uint_eq(found.n, 1);
    ck_assert_str_eq(found.items[0].name, "site_default_a.yaml");
    hf_pods_done(&found);
    ck_assert_int_eq(
        split("two.yml", "# first\n---\n" POD("b.x") "---\n" POD("a, namespace: shop") "---\n" POD("a"), &found, &err),
        0);
    ck_assert_uint_eq(found.n, 3);
    ck_assert_str_eq(found.items[0].name, "site_default_b.x.yaml");
    ck_assert_str_eq(found.items[1].name, "site_shop_a.yaml");
    ck_assert_str_eq(found.items[2].name, "site_default_a.yaml");
    hf_pods_done(&found);
    ck_assert_int_eq(split("x.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n", &found, &err),
                     -EBADMSG);
    ck_assert_ptr_nonnull(strstr(hf_err_text(&err, text, sizeof(text)), "Deployment"));
    ck_assert_int_eq(split("x.yaml", "{", &found, &err), -EBADMSG);
    ck_assert_int_eq(split("x.yaml", "# nothing\n", &found, &err), -EBADMSG);
}
END_TEST

START_TEST(one_pod_twice)
{
    static const char *const again[] = {POD("a"), POD("a, namespace: default"), POD("a, namespace: null"),
                                        POD("a, namespace: ''")};
    struct hf_err err = HF_ERR_INIT;
    struct hf_pods found;
    char text[600];

    for (size_t i = 0; i < HF_LEN(again); i++) {
        (void)snprintf(text, sizeof(text), "%s---\n%s", POD("a"), again[i]);
        ck_assert_int_eq(split("x.yaml", text, &found, &err), -EEXIST);
        ck_assert_str_eq(hf_err_text(&err, text, sizeof(text)),
                         "file 'x.yaml', document 2: an earlier document has the Pod default/a, too");
    }
}
END_TEST

/* Names that the kubelet refuses never become the name of a file. */
START_TEST(pods_with_bad_names)
{
    static const char *const bad[] = {POD("../a"),
                                      POD("a_b"),
                                      POD("A"),
                                      POD("''"),
                                      POD("1.5"),
                                      POD("a, namespace: x.y"),
                                      POD("a, namespace: ../x"),
                                      POD("a, namespace: 5")};
    struct hf_err err = HF_ERR_INIT;
    struct hf_pods found;

    for (size_t i = 0; i < HF_LEN(bad); i++)
        ck_assert_msg(split("x.yaml", bad[i], &found, &err) == -EBADMSG, "%s", bad[i]);
}
END_TEST

#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X200 X50 X50 X50 X50

/* The longest name that fits stays; longer ones get a hash, and stay different. */
START_TEST(pods_with_long_names)
{
    static const char longest[] = X200 X50 "xxx";
    struct hf_err err = HF_ERR_INIT;
    struct hf_pods found;
    char text[1200];

    for (size_t n = sizeof(longest) - 1; n > 200; n--) {
        (void)snprintf(text, sizeof(text), POD("%.*sa") "---\n" POD("%.*sb"), (int)n - 1, longest, (int)n - 1, longest);
        ck_assert_int_eq(split("x.yaml", text, &found, &err), 0);
        ck_assert_uint_eq(found.n, 2);
        ck_assert_str_ne(found.items[0].name, found.items[1].name);
        size_t plain = strlen("site_default_.yaml") + n;
        ck_assert_uint_eq(strlen(found.items[0].name), plain <= 255 ? plain : strlen("site_default__.yaml") + 80 + 32);
        ck_assert_str_eq(found.items[0].name + strlen(found.items[0].name) - 5, ".yaml");
        hf_pods_done(&found);
    }
    ck_assert_int_eq(split("x.yaml", POD(X200 X50 "xxxx"), &found, &err), -EBADMSG);
}
END_TEST

/* ---- files that hold a pod of the set under another name --------------------------------------------------------- */

struct pod_world {
    struct hf_inventory inventory;
    struct hf_files_want want;
    struct hf_files_place place;
};

/* A set with the pods `text`, over files that an earlier version of the agent has placed. */
static void begin_pods(struct pod_world *w, const char *text)
{
    static const struct hf_manifest entry = {.name = "site", .to = HF_MANIFEST_TO_STATIC_PODS};
    struct hf_bundle *bundle = hf_bundle_new();
    struct hf_manifest_outcome outcome = {.r = 0};

    hf_simfs_mkdir(fs, "/pods", 0755);
    hf_simfs_mkdir(fs, "/state", 0700);
    ck_assert_int_eq(hf_bundle_add(bundle, "x.yaml", 0644, hf_view_of(text), NULL), 0);
    ck_assert_int_eq(hf_bundle_seal(bundle, NULL), 0);
    ck_assert_int_eq(hf_files_want_make(hf_simfs_ops(fs), NULL, &entry, "/pods", "", bundle, &w->want, &outcome), 0);
    hf_files_place_init(&w->place);
    w->place.fs = hf_simfs_ops(fs);
    w->place.entry = "site";
    w->place.folder = "/state";
    w->place.want = &w->want;
    w->place.inventory = &w->inventory;
    w->place.pods = true;
}

static void place_old(struct pod_world *w, const char *path, const char *recorded, const char *text)
{
    struct hf_inventory_item item = item_of(path, recorded);

    item.uid = geteuid();
    item.gid = getegid();
    ck_assert_int_eq(hf_inventory_put(&w->inventory, &item), 0);
    put_text(path, text, strlen(text));
    free(item.path);
}

static int place_all(struct pod_world *w)
{
    struct hf_manifest_outcome outcome = {.r = 0};
    int r = hf_files_place_compare(&w->place, &outcome);

    if (r == 0)
        r = hf_files_place_stage(&w->place, &outcome);
    if (r == 0)
        r = hf_files_place_swap(&w->place, &outcome);
    return r;
}

static void end_pods(struct pod_world *w)
{
    hf_files_place_done(&w->place);
    hf_files_want_done(&w->want);
    hf_inventory_done(&w->inventory);
    *w = (struct pod_world){.inventory = {.n = 0}};
}

static bool exists(const char *path)
{
    struct stat st;

    return hf_simfs_stat(fs, path, &st);
}

static const struct hf_fs_ops *under;
static struct hf_fs_ops ordered;

/* Whenever a pod appears, no other file holds it. */
static int renames_last(void *ctx, int from_fd, const char *from, int to_fd, const char *to)
{
    if (strcmp(to, "site_default_a.yaml") == 0)
        ck_assert(!exists("/pods/site-x.yaml"));
    return under->renameat(ctx, from_fd, from, to_fd, to);
}

/* The source got a second document: the old file, site-x.yaml, goes first, also without `prune`. Row 0: without
 * `prune`. Row 1: with it. Row 2: without, as in a rollback whose good set is unknown. */
START_TEST(superseded_pods)
{
    struct pod_world w = {.inventory = {.n = 0}};

    begin_pods(&w, POD("a") "---\n" POD("b"));
    place_old(&w, "/pods/site-x.yaml", POD("a"), POD("a"));
    place_old(&w, "/pods/site-y.yaml", POD("a"), "# changed by hand\n---\n" POD("a") "---\n{");
    place_old(&w, "/pods/site-gone.yaml", POD("c"), POD("c"));
    place_old(&w, "/pods/site-broken.yaml", POD("a"), "{");
    place_old(&w, "/other/site-x.yaml", POD("a"), POD("a")); /* no folder of this kubelet */
    put_text("/pods/foreign.yaml", POD("a"), strlen(POD("a")));
    under = hf_simfs_ops(fs);
    ordered = *under;
    ordered.renameat = renames_last;
    w.place.fs = &ordered;
    w.place.order.prune = w.place.order.prune_all = _i == 1;
    w.place.order.keep_own = _i == 2;
    ck_assert_int_eq(place_all(&w), 0);
    ck_assert(exists("/pods/site_default_a.yaml") && exists("/pods/site_default_b.yaml"));
    ck_assert(!exists("/pods/site-x.yaml") && !exists("/pods/site-y.yaml"));
    ck_assert(exists("/pods/foreign.yaml"));
    ck_assert_int_eq(exists("/pods/site-gone.yaml"), _i != 1);
    ck_assert_int_eq(exists("/pods/site-broken.yaml"), _i != 1);
    ck_assert_int_eq(exists("/other/site-x.yaml"), _i != 1);
    ck_assert_uint_eq(w.place.found.n_prune, _i == 1 ? 3 : 0);
    ck_assert_uint_eq(w.inventory.n, _i == 2 ? 5 : 2);
    ck_assert_ptr_null(hf_inventory_find(&w.inventory, "/pods/site-x.yaml"));
    end_pods(&w);
}
END_TEST

/* New names are no removal of files, so the limit on removals does not hold them up. */
START_TEST(superseded_pods_are_not_pruned)
{
    struct pod_world w = {.inventory = {.n = 0}};

    begin_pods(&w, POD("a") "---\n" POD("b") "---\n" POD("c"));
    place_old(&w, "/pods/site-x-1.yaml", POD("a"), POD("a"));
    place_old(&w, "/pods/site-x-2.yaml", POD("b"), POD("b"));
    place_old(&w, "/pods/site-x-3.yaml", POD("c"), POD("c"));
    w.place.order.prune = true;
    ck_assert_int_eq(place_all(&w), 0);
    ck_assert(!exists("/pods/site-x-1.yaml") && !exists("/pods/site-x-2.yaml") && !exists("/pods/site-x-3.yaml"));
    ck_assert(exists("/pods/site_default_c.yaml"));
    end_pods(&w);
}
END_TEST

/* A file is put back under its new name. Row 0: it is missing. Row 1: it has changed. */
START_TEST(superseded_pods_that_drift)
{
    struct pod_world w = {.inventory = {.n = 0}};

    begin_pods(&w, POD("a") "---\n" POD("b"));
    place_old(&w, "/pods/site-x-1.yaml", POD("a"), POD("a") "#\n");
    place_old(&w, "/pods/site-x-2.yaml", POD("b"), POD("b"));
    if (_i == 0)
        hf_simfs_delete(fs, "/pods/site-x-1.yaml");
    w.place.order.repair = w.place.order.force = true;
    ck_assert_int_eq(place_all(&w), 0);
    ck_assert(exists("/pods/site_default_a.yaml") && exists("/pods/site_default_b.yaml"));
    ck_assert(!exists("/pods/site-x-1.yaml") && !exists("/pods/site-x-2.yaml"));
    ck_assert_uint_eq(w.inventory.n, 2);
    ck_assert_uint_eq(w.place.found.diff.n, 2);
    end_pods(&w);
}
END_TEST

/* Power goes at each write; a second attempt ends with one file for the pod. */
START_TEST(superseded_pods_after_a_crash)
{
    bool stopped = true;

    for (uint64_t n = 1; stopped; n++) {
        struct pod_world w = {.inventory = {.n = 0}};
        fs = n > 1 ? (hf_simfs_free(fs), hf_simfs_new()) : fs;
        begin_pods(&w, POD("a"));
        place_old(&w, "/pods/site-x.yaml", POD("a"), POD("a") "#\n");
        hf_simfs_count_only(fs, HF_SIMFS_WRITES);
        hf_simfs_fail_at(fs, n, EIO, 1);
        (void)!place_all(&w);
        stopped = hf_simfs_failed(fs) > 0;
        hf_simfs_fail_at(fs, 0, 0, 0);
        ck_assert(w.inventory.n == 1 || w.inventory.pending);
        ck_assert_int_eq(place_all(&w), 0);
        ck_assert(exists("/pods/site_default_a.yaml") && !exists("/pods/site-x.yaml"));
        ck_assert(w.inventory.n == 1 && !w.inventory.pending);
        end_pods(&w);
    }
}
END_TEST

START_TEST(finds_the_pod_folder)
{
    char path[HF_FILES_MAX_PATH];
    static const char command[] = "/usr/bin/kubelet\0--v=2\0--config\0/var/lib/kubelet/config.yaml";
    static const char config[] = "kind: KubeletConfiguration\nstaticPodPath: /etc/pods\n";

    ck_assert_int_eq(hf_pod_folder_find(hf_simfs_ops(fs), NULL, NULL, "", path, NULL), -ENOENT);
    ck_assert_str_eq(path, "");
    hf_simfs_mkdir(fs, "/etc/kubernetes/manifests", 0755);
    ck_assert_int_eq(hf_pod_folder_find(hf_simfs_ops(fs), NULL, NULL, "", path, NULL), 0);
    ck_assert_str_eq(path, "/etc/kubernetes/manifests");
    put_text("/proc/77/cmdline", command, sizeof(command));
    put_text("/var/lib/kubelet/config.yaml", config, sizeof(config) - 1);
    ck_assert_int_eq(hf_pod_folder_find(hf_simfs_ops(fs), NULL, NULL, "", path, NULL), 0);
    ck_assert_str_eq(path, "/etc/kubernetes/manifests"); /* a command line alone proves nothing */
    hf_simfs_symlink(fs, "/proc/1/ns/mnt", "mnt:[4026531841]");
    hf_simfs_symlink(fs, "/proc/77/exe", "/usr/bin/kubelet");
    hf_simfs_symlink(fs, "/proc/77/ns/mnt", "mnt:[4026532200]");
    ck_assert_int_eq(hf_pod_folder_find(hf_simfs_ops(fs), NULL, NULL, "", path, NULL), 0);
    ck_assert_str_eq(path, "/etc/kubernetes/manifests"); /* a container */
    put_text("/proc/78/cmdline", command, sizeof(command));
    hf_simfs_symlink(fs, "/proc/78/ns/mnt", "mnt:[4026531841]");
    hf_simfs_symlink(fs, "/proc/78/exe", "/usr/bin/su");
    ck_assert_int_eq(hf_pod_folder_find(hf_simfs_ops(fs), NULL, NULL, "", path, NULL), 0);
    ck_assert_str_eq(path, "/etc/kubernetes/manifests");
    hf_simfs_mkdir(fs, "/opt/pods", 0755);
    ck_assert_int_eq(hf_pod_folder_find(hf_simfs_ops(fs), NULL, NULL, "/opt/pods", path, NULL), 0);
    ck_assert_str_eq(path, "/opt/pods"); /* the kubelet is away */
    ck_assert_int_eq(hf_pod_folder_find(hf_simfs_ops(fs), NULL, NULL, "/opt/gone", path, NULL), 0);
    ck_assert_str_eq(path, "/etc/kubernetes/manifests");
    hf_simfs_mkdir(fs, "/etc/kubeedge/manifests", 0755);
    ck_assert_int_eq(hf_pod_folder_find(hf_simfs_ops(fs), NULL, NULL, "/etc/kubeedge/manifests", path, NULL), 0);
    ck_assert_str_eq(path, "/etc/kubernetes/manifests"); /* the node has another distribution now */
    put_text("/proc/79/cmdline", command, sizeof(command));
    hf_simfs_symlink(fs, "/proc/79/ns/mnt", "mnt:[4026531841]");
    hf_simfs_symlink(fs, "/proc/79/exe", "/usr/bin/kubelet");
    ck_assert_int_eq(hf_pod_folder_find(hf_simfs_ops(fs), NULL, NULL, "", path, NULL), 0);
    ck_assert_str_eq(path, "/etc/pods");
    ck_assert_int_eq(hf_pod_folder_find(hf_simfs_ops(fs), NULL, NULL, "/opt/pods", path, NULL), 0);
    ck_assert_str_eq(path, "/etc/pods");
    ck_assert_int_eq(hf_pod_folder_find(hf_simfs_ops(fs), NULL, "/srv/pods", "/opt/pods", path, NULL), 0);
    ck_assert_str_eq(path, "/srv/pods");
}
END_TEST

START_TEST(looks)
{
    _cleanup_(hf_inventory_done) struct hf_inventory inventory = {.items = NULL};
    struct hf_files_look look = {.fs = hf_simfs_ops(fs), .inventory = &inventory, .now_unix_ns = UINT64_MAX};
    static const char *const names[] = {"/etc/a", "/etc/b", "/etc/c", "/etc/d", "/etc/e"};

    for (size_t i = 0; i < HF_LEN(names); i++) {
        struct hf_inventory_item item = item_of(names[i], "text");
        ck_assert_int_eq(hf_inventory_put(&inventory, &item), 0);
        free(item.path);
        put_text(names[i], "text", 4);
    }
    ck_assert_int_eq(hf_files_look_for_drift(&look, NULL), 0);
    ck_assert_uint_eq(look.diff.n, 0);
    ck_assert_uint_eq(look.n_read, 5);
    ck_assert_int_eq(hf_files_look_for_drift(&look, NULL), 0);
    ck_assert_uint_eq(look.n_read, 0); /* the attributes suffice */
    put_text("/etc/a", "TEXT", 4);
    hf_simfs_delete(fs, "/etc/b");
    hf_simfs_delete(fs, "/etc/c");
    hf_simfs_symlink(fs, "/etc/c", "a");
    hf_simfs_chmod(fs, "/etc/d", 0600);
    hf_simfs_chown(fs, "/etc/e", 5, 5);
    ck_assert_int_eq(hf_files_look_for_drift(&look, NULL), 0);
    ck_assert_str_eq(hf_diff_text(&look.diff),
                     "/etc/a (content), /etc/b (missing), /etc/c (type), /etc/d (mode), /etc/e (owner)");
}
END_TEST

/* Somebody who has mapped the file into memory writes to it: no attribute changes. */
static void write_mapped(const char *path, const char *text)
{
    size_t n;
    char *bytes = (char *)(uintptr_t)hf_simfs_get(fs, path, &n);

    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq(n, strlen(text));
    memcpy(bytes, text, n);
}

/* Attributes prove nothing of a file that another user may write, so a full look reads it; other looks, which a user can
 * cause as often as they like, do not. Neither reads a file of root again. */
START_TEST(looks_at_files_of_others)
{
    static const struct {
        uid_t uid;
        uint32_t mode;
        bool found;
    } rows[] = {{5, 0644, true}, {0, 0664, true}, {0, 0646, true}, {0, 0644, false}, {0, 04755, false}};
    _cleanup_(hf_inventory_done) struct hf_inventory inventory = {.items = NULL};
    struct hf_files_look look = {.fs = hf_simfs_ops(fs), .inventory = &inventory, .now_unix_ns = UINT64_MAX};
    struct hf_inventory_item item = item_of("/etc/a", "text");

    item.uid = rows[_i].uid;
    item.mode = rows[_i].mode;
    ck_assert_int_eq(hf_inventory_put(&inventory, &item), 0);
    free(item.path);
    put_text("/etc/a", "text", 4);
    hf_simfs_chown(fs, "/etc/a", rows[_i].uid, 0);
    hf_simfs_chmod(fs, "/etc/a", rows[_i].mode);
    ck_assert_int_eq(hf_files_look_for_drift(&look, NULL), 0);
    ck_assert(look.n_read == 1 && look.diff.n == 0);
    write_mapped("/etc/a", "evil");
    ck_assert_int_eq(hf_files_look_for_drift(&look, NULL), 0);
    ck_assert(look.n_read == 0 && look.diff.n == 0);
    look.full = true;
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(hf_files_look_for_drift(&look, NULL), 0);
        ck_assert_uint_eq(look.n_read, rows[_i].found);
        ck_assert_str_eq(hf_diff_text(&look.diff), rows[_i].found ? "/etc/a (content)" : "");
        look.full = false; /* what has drifted is read until it is right */
    }
}
END_TEST

/* The same for a set that wants the file as the inventory has it: it is written anew. */
START_TEST(replaces_a_changed_file_of_others)
{
    struct pod_world w = {.inventory = {.n = 0}};
    struct hf_inventory_item *item;
    struct stat st;

    begin_pods(&w, POD("a"));
    ck_assert_int_eq(place_all(&w), 0);
    hf_files_place_done(&w.place);
    w.want.items[0].uid = 5;
    hf_simfs_chown(fs, "/pods/site_default_a.yaml", 5, w.want.items[0].gid);
    ck_assert(hf_simfs_stat(fs, "/pods/site_default_a.yaml", &st));
    item = hf_inventory_find(&w.inventory, "/pods/site_default_a.yaml");
    item->uid = 5;
    item->seen.inode = st.st_ino;
    item->seen.mtime_ns = (uint64_t)st.st_mtim.tv_sec * HF_NS_PER_S + (uint64_t)st.st_mtim.tv_nsec;
    item->seen.ctime_ns = (uint64_t)st.st_ctim.tv_sec * HF_NS_PER_S + (uint64_t)st.st_ctim.tv_nsec;
    ck_assert_int_eq(place_all(&w), 0);
    ck_assert_uint_eq(w.place.found.n_write, 0);
    hf_files_place_done(&w.place);
    write_mapped("/pods/site_default_a.yaml", POD("b"));
    ck_assert_int_eq(place_all(&w), 0);
    ck_assert_uint_eq(w.place.found.n_write, 1);
    end_pods(&w);
}
END_TEST

START_TEST(inventories)
{
    _cleanup_(hf_inventory_done) struct hf_inventory inventory = {.pending = true}, again = {.items = NULL};
    struct hf_inventory_item item = item_of("/etc/app/x y.conf", "text"), folder = {.path = item.path, .folder = true};
    struct hf_err err = HF_ERR_INIT;

    hf_simfs_mkdir(fs, "/state", 0700);
    ck_assert_int_eq(hf_inventory_put(&inventory, &item), 0);
    folder.path = hf_asprintf("/etc/app");
    ck_assert_int_eq(hf_inventory_put(&inventory, &folder), 0);
    ck_assert_int_eq(hf_inventory_put(&inventory, &folder), 0);
    ck_assert_int_eq(hf_inventory_load(hf_simfs_ops(fs), "/state", "inventory", &again, &err), -ENOENT);
    ck_assert_int_eq(hf_inventory_save(hf_simfs_ops(fs), "/state", "inventory", &inventory, &err), 0);
    ck_assert_int_eq(hf_inventory_load(hf_simfs_ops(fs), "/state", "inventory", &again, &err), 0);
    ck_assert(again.pending && again.n == 2 && hf_inventory_files(&again) == 1);
    ck_assert_mem_eq(hf_inventory_find(&again, "/etc/app/x y.conf")->sha256, item.sha256, sizeof(item.sha256));
    hf_inventory_done(&again);
    put_text("/state/inventory", "rubbish", 7);
    ck_assert_int_eq(hf_inventory_load(hf_simfs_ops(fs), "/state", "inventory", &again, &err), -EBADMSG);
    free(item.path);
    free(folder.path);
}
END_TEST

static bool disk_has(const char *path, const void *bytes, size_t n)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20);

    ck_assert_int_eq(hf_file_read(hf_simfs_ops(fs), path, &text, NULL), 0);
    return memmem(text.p, text.n, bytes, n) != NULL;
}

/* The inventory on disk has nothing by which somebody could guess a secret; after a restart the files count as they are
 * until the content comes. */
START_TEST(inventories_of_secrets)
{
    _cleanup_(hf_inventory_done) struct hf_inventory inventory = {.items = NULL}, again = {.items = NULL};
    struct hf_inventory_item item = item_of("/run/app/password", "a password of 27 characters");
    struct hf_files_look look = {.fs = hf_simfs_ops(fs), .inventory = &again, .now_unix_ns = UINT64_MAX};
    char hex[HF_SHA256_HEX];

    hf_simfs_mkdir(fs, "/state", 0700);
    put_text(item.path, "other", 5);
    ck_assert_int_eq(hf_inventory_put(&inventory, &item), 0);
    ck_assert_int_eq(hf_inventory_save(hf_simfs_ops(fs), "/state", "inventory", &inventory, NULL), 0);
    (void)hf_sha256_hex("a password of 27 characters", 27, hex);
    ck_assert(disk_has("/state/inventory", hex, 64) && disk_has("/state/inventory", " 27 ", 4)); /* the control */
    item.secret = true;
    ck_assert_int_eq(hf_inventory_put(&inventory, &item), 0);
    ck_assert_int_eq(hf_inventory_save(hf_simfs_ops(fs), "/state", "inventory", &inventory, NULL), 0);
    ck_assert(!disk_has("/state/inventory", hex, 64) && !disk_has("/state/inventory", " 27 ", 4));
    ck_assert_int_eq(hf_inventory_load(hf_simfs_ops(fs), "/state", "inventory", &again, NULL), 0);
    const struct hf_inventory_item *loaded = hf_inventory_find(&again, "/run/app/password");
    ck_assert(loaded->secret && loaded->unread && loaded->mode == 0644);
    ck_assert_int_eq(hf_files_look_for_drift(&look, NULL), 0);
    ck_assert_uint_eq(look.diff.n, 0);
    hf_simfs_chmod(fs, "/run/app/password", 0666);
    ck_assert_int_eq(hf_files_look_for_drift(&look, NULL), 0);
    ck_assert_str_eq(hf_diff_text(&look.diff), "/run/app/password (mode)");
    free(item.path);
}
END_TEST

static void save_backups(bool contents)
{
    _cleanup_(hf_inventory_done) struct hf_inventory list = {.items = NULL};
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = hf_bundle_new();
    struct hf_inventory_item item = item_of("/run/app/password", "old");

    hf_simfs_mkdir(fs, "/state", 0700);
    item.secret = !contents;
    ck_assert_int_eq(hf_inventory_put(&list, &item), 0);
    ck_assert_int_eq(hf_inventory_save(hf_simfs_ops(fs), "/state", "before.list", &list, NULL), 0);
    ck_assert_int_eq(hf_bundle_add(bundle, "run/app/password", 0644, HF_VIEW("old"), NULL), 0);
    ck_assert_int_eq(hf_bundle_seal(bundle, NULL), 0);
    if (contents)
        ck_assert_int_eq(hf_bundle_save(hf_simfs_ops(fs), "/state/before", bundle, NULL), 0);
    free(item.path);
}

/* A disk that cannot be read never looks like one without backups: else a rollback would remove files of somebody else.
 * Row 0: a list alone, as for a Secret. Row 1: with contents. Row 2: a damaged list alone, which is set aside. */
START_TEST(backups_that_cannot_be_read)
{
    uint64_t failed = 1;

    save_backups(_i == 1);
    if (_i == 2) {
        put_text("/state/before.list.damaged", "rubbish", 7);
        hf_simfs_delete(fs, "/state/before.list");
    }
    ck_assert(hf_files_before_exist(hf_simfs_ops(fs), "/state"));
    hf_simfs_count_only(fs, HF_SIMFS_READS);
    for (uint64_t n = 1; failed > 0; n++) {
        _cleanup_(hf_inventory_done) struct hf_inventory list = {.items = NULL};
        _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = NULL;
        bool unknown = false;
        hf_simfs_fail_at(fs, n, EIO, 1);
        int r = hf_files_before_load(hf_simfs_ops(fs), "/state", false, &bundle, &list, &unknown, NULL);
        failed = hf_simfs_failed(fs);
        hf_simfs_fail_at(fs, 0, 0, 0);
        ck_assert_msg(failed > 0 || r == 0, "without a failure: %d", r);
        ck_assert_msg(r < 0 || unknown || list.n == 1, "after failed call %ju: %zu paths", (uintmax_t)n, list.n);
    }
}
END_TEST

/* ---- a file that does not end ------------------------------------------------------------------------------------ */

static struct hf_fs_ops endless;
static const struct hf_fs_ops *real;

/* The owner of the file makes it grow whenever somebody reads it. */
static ssize_t read_for_ever(void *ctx, int fd, void *buf, size_t n, uint64_t offset)
{
    (void)ctx;
    (void)fd;
    ck_assert_uint_lt(offset, 1 << 20);
    memset(buf, 'x', n);
    return (ssize_t)n;
}

static int opens_under_lease(void *ctx, int dirfd, const char *path, int flags, mode_t mode, unsigned how)
{
    return strcmp(path, "a") == 0 ? -EAGAIN : real->openat(ctx, dirfd, path, flags, mode, how);
}

START_TEST(a_file_that_does_not_end)
{
    unsigned char sha256[HF_SHA256_BYTES];
    struct hf_inventory inventory = {.n = 0};
    struct hf_inventory_item item = {.path = (char *)(uintptr_t) "/etc/app/a", .mode = 0644, .size = 4};

    real = hf_simfs_ops(fs);
    hf_simfs_put(fs, "/etc/app/a", "good", 4, 0644);
    hf_sha256_of("good", 4, item.sha256, sizeof(item.sha256));
    ck_assert_int_eq(hf_inventory_put(&inventory, &item), 0);
    endless = *real;
    endless.pread = read_for_ever;
    int dirfd = real->openat(real->ctx, AT_FDCWD, "/etc/app", O_RDONLY | O_DIRECTORY, 0, HF_FS_ANY);
    ck_assert_int_eq(hf_files_hash(real, dirfd, "a", 4, sha256), 0);
    ck_assert_int_eq(hf_files_hash(real, dirfd, "a", 3, sha256), -EFBIG);
    ck_assert_int_eq(hf_files_hash(&endless, dirfd, "a", 100000, sha256), -EFBIG);
    ck_assert_int_eq(real->close(real->ctx, dirfd), 0);
    for (int i = 0; i < 2; i++) {
        struct hf_files_look look = {.fs = &endless, .inventory = &inventory};
        ck_assert_int_eq(hf_files_look_for_drift(&look, NULL), 0);
        ck_assert_uint_eq(look.diff.n, 1);
        endless = *real;
        endless.openat = opens_under_lease;
    }
    hf_inventory_done(&inventory);
}
END_TEST

/* ---- room -------------------------------------------------------------------------------------------------------- */

static struct {
    struct hf_fs_ops ops;
    struct statvfs disk;
    struct hf_files_want want;
    struct hf_inventory inventory;
    struct hf_files_place place;
    struct hf_manifest_outcome outcome;
} w;

static int tell_disk(void *ctx, int fd, struct statvfs *ret)
{
    (void)ctx, (void)fd;
    *ret = w.disk;
    return 0;
}

static uint64_t no_bytes(void *arg, uint64_t disk_bytes)
{
    (void)arg, (void)disk_bytes;
    return 0;
}

static bool allow(void *arg, const char *path, struct hf_err *err)
{
    (void)arg, (void)path, (void)err;
    return true;
}

/* A set of n files in folders of their own, or of the file f.conf if n is 0, to be placed below `root`. */
static void want_below(const char *root, int n)
{
    char rel[40] = "f.conf";

    memset(&w, 0, sizeof(w));
    w.ops = *hf_simfs_ops(fs);
    w.ops.fstatvfs = tell_disk;
    w.disk = (struct statvfs){.f_bsize = 4096, .f_frsize = 4096, .f_blocks = 1 << 20, .f_bavail = 1 << 20};
    (void)snprintf(w.want.root, sizeof(w.want.root), "%s", root);
    for (int i = 0; i < HF_MAX(n, 1); i++) {
        if (n > 0)
            (void)snprintf(rel, sizeof(rel), "d%04d/file", i);
        ck_assert_int_eq(hf_files_want_add(&w.want, rel, 0644, 0, 0, HF_VIEW("x"), NULL), 0);
    }
    ck_assert_int_eq(hf_files_want_sort(&w.want, NULL), 0);
    hf_simfs_mkdir(fs, "/srv", 0755);
    hf_simfs_mkdir(fs, "/state", 0700);
    hf_files_place_init(&w.place);
    w.place.fs = &w.ops;
    w.place.entry = "site";
    w.place.folder = "/state";
    w.place.want = &w.want;
    w.place.inventory = &w.inventory;
    w.place.order.prune = true;
    w.place.bounds.reserve = no_bytes;
    w.place.bounds.allows = allow;
    hf_simfs_keep_trace(fs, false);
}

static void want_folders(int n)
{
    want_below("/srv/app", n);
}

static int place(void)
{
    int r = hf_files_place_compare(&w.place, &w.outcome);

    if (r == 0)
        r = hf_files_place_stage(&w.place, &w.outcome);
    return r == 0 ? hf_files_place_swap(&w.place, &w.outcome) : r;
}

static void end_place(void)
{
    hf_files_place_done(&w.place);
    hf_files_want_done(&w.want);
    hf_inventory_done(&w.inventory);
}

static void count_regular(void *arg, const char *path, const struct stat *st)
{
    unsigned *n = arg;

    (void)path;
    *n += S_ISREG(st->st_mode);
}

/* Staging 100 files in 100 folders takes 300 inodes and 300 blocks, because the swap makes the folders again. */
START_TEST(folders_count_as_space)
{
    static const struct {
        const char *name, *says; /* NULL: there is room */
        struct statvfs disk;
    } rows[] = {
        {"inodes as needed", NULL, {.f_bavail = 1000, .f_files = 0, .f_favail = 0}},
        {"enough inodes", NULL, {.f_bavail = 1000, .f_files = 10000, .f_favail = 800}},
        {"one inode of the reserve",
         "fewer inodes free than the 300 for",
         {.f_bavail = 1000, .f_files = 10000, .f_favail = 799}},
        {"no inode", "and the reserve of 5 %", {.f_bavail = 1000, .f_files = 10000, .f_favail = 0}},
        {"blocks for all folders", NULL, {.f_bavail = 301}},
        {"blocks for the files alone", "the disk of '/srv/app' has less free than the 2 MiB", {.f_bavail = 299}},
        {"no reserve", NULL, {.f_bavail = 1000, .f_files = 10000, .f_favail = 300}},
        {"no reserve, one inode less",
         "300 for files and folders",
         {.f_bavail = 1000, .f_files = 10000, .f_favail = 299}},
    };
    unsigned n = 0;

    want_folders(100);
    w.disk.f_bavail = rows[_i].disk.f_bavail;
    w.disk.f_files = rows[_i].disk.f_files;
    w.disk.f_favail = rows[_i].disk.f_favail;
    if (_i >= 6) /* the way back */
        w.place.bounds.reserve = NULL;
    int r = place();
    ck_assert_msg(r == (rows[_i].says == NULL ? 0 : -ENOSPC), "%s: %d %s", rows[_i].name, r, w.outcome.message);
    hf_simfs_walk(fs, "/srv", count_regular, &n);
    ck_assert_uint_eq(n, rows[_i].says == NULL ? 100 : 0);
    if (rows[_i].says != NULL) {
        ck_assert_int_eq(w.outcome.reason, HF_MANIFEST_REASON_NO_SPACE);
        ck_assert_msg(strstr(w.outcome.message, rows[_i].says) != NULL, "%s: %s", rows[_i].name, w.outcome.message);
    }
    end_place();
}
END_TEST

/* A repair writes only what was there before: no reserve stops it. */
START_TEST(a_repair_needs_no_reserve)
{
    struct stat st;

    want_folders(1);
    ck_assert_msg(place() == 0, "%s", w.outcome.message);
    hf_files_place_done(&w.place);
    hf_files_place_init(&w.place);
    w.place = (struct hf_files_place){.fs = &w.ops,
                                      .entry = "site",
                                      .folder = "/state",
                                      .want = &w.want,
                                      .inventory = &w.inventory,
                                      .order = {.repair = true},
                                      .staged = {.stage_fd = -1, .above_fd = -1}};
    w.disk.f_files = 1000;
    hf_simfs_delete(fs, "/srv/app/d0000/file");
    ck_assert_msg(place() == 0, "%s", w.outcome.message);
    ck_assert(hf_simfs_stat(fs, "/srv/app/d0000/file", &st));
    end_place();
}
END_TEST

static int no_sync(void *ctx, int fd)
{
    (void)ctx, (void)fd;
    return 0;
}

/* All folders of the largest set get into the inventory, and leave with the set. On a real file system, because the one
 * in memory takes minutes for so many names. */
START_TEST(as_many_folders_as_a_set_may_have)
{
    char top[] = "/tmp/hf-files-XXXXXX", path[64];
    struct stat st;

    want_folders(HF_BUNDLE_MAX_FOLDERS);
    for (size_t i = 0; i < w.want.n; i++) {
        w.want.items[i].uid = geteuid();
        w.want.items[i].gid = getegid();
    }
    ck_assert_ptr_nonnull(mkdtemp(top));
    w.ops = *hf_fs_posix();
    w.ops.fsync = no_sync;
    w.place.host_root = w.place.folder = top;
    (void)snprintf(path, sizeof(path), "%s/srv", top);
    ck_assert_int_eq(hf_dir_make(&w.ops, path, 0755, NULL), 0);
    ck_assert_msg(place() == 0, "%s", w.outcome.message);
    ck_assert_uint_eq(w.inventory.n, HF_BUNDLE_MAX_FOLDERS * 2 + 1);
    hf_files_place_done(&w.place);
    hf_files_want_done(&w.want);
    (void)snprintf(w.want.root, sizeof(w.want.root), "/srv/app");
    w.place.staged.stage_fd = w.place.staged.above_fd = -1;
    w.place.order.prune_all = true;
    ck_assert_msg(place() == 0, "%s", w.outcome.message);
    ck_assert_uint_eq(w.inventory.n, 0);
    (void)snprintf(path, sizeof(path), "%s/srv/app", top);
    ck_assert_int_eq(lstat(path, &st), -1);
    end_place();
    ck_assert_int_eq(hf_dir_remove_tree(hf_fs_posix(), top, NULL), 0);
}
END_TEST

static const struct {
    const char *root, *says; /* NULL: it is written */
} others[] = {
    {"/data/keys", "'/data/keys/f.conf' is never allowed: no entry may write below /etc/trust"},
    {"/data/etc/trust", "no entry may write below /etc/trust"},
    {"/data/etc/trust/new", "no entry may write below /etc/trust"},
    {"/data/etc/other", NULL},
    {"/data/inside", "no entry may write below /state"},
    {"/etc/trust", "no entry may write below /etc/trust"},
    {"/opt/.holdfast-floors", "no entry may write below .holdfast-*"},
    {"/data/floors", "no entry may write below .holdfast-*"},
    {"/data", NULL},
};

/* No entry writes into a closed folder, under whatever name a mount gives it. */
START_TEST(other_names_of_folders)
{
    static const char mountinfo[] = "21 1 8:2 / / rw - ext4 a rw\n"
                                    "30 21 8:2 /etc/trust /data/keys rw - ext4 a rw\n"
                                    "31 21 8:2 /etc /data/etc rw - ext4 a rw\n"
                                    "32 21 8:2 /state/deep /data/inside rw - ext4 a rw\n"
                                    "33 21 8:2 /opt/.holdfast-floors /data/floors rw - ext4 a rw\n";
    static const char *const closed[] = {"/etc/trust", "/state", "", NULL};

    hf_simfs_put(fs, "/proc/self/mountinfo", mountinfo, sizeof(mountinfo) - 1, 0444);
    want_below(others[_i].root, 0);
    w.place.closed_folders = closed;
    int r = place();
    if (others[_i].says == NULL)
        ck_assert_int_eq(r, 0);
    else
        ck_assert_msg(r == -EACCES && w.outcome.reason == HF_MANIFEST_REASON_NOT_ALLOWED &&
                          strstr(w.outcome.message, others[_i].says) != NULL,
                      "%d %s", r, w.outcome.message);
    end_place();
}
END_TEST

/* Nor into the folder itself, where /proc does not say what is mounted. */
START_TEST(closed_folders_by_inode)
{
    static const char *const closed[] = {"/data/keys", NULL};

    hf_simfs_mkdir(fs, "/data/keys", 0755);
    struct hf_closed *found = NULL;
    ck_assert_int_eq(hf_closed_find(hf_simfs_ops(fs), NULL, closed, true, &found, NULL), 0);
    struct hf_files_walk walk = {.base = -1};
    ck_assert_int_eq(hf_files_walk_init(&walk, hf_simfs_ops(fs), NULL, false, NULL), 0);
    walk.closed = hf_closed_ids(found, &walk.n_closed);
    ck_assert_int_eq(hf_files_walk_to(&walk, "/data/keys/new", true, NULL), -EACCES);
    ck_assert(hf_files_walk_to(&walk, "/data/other", true, NULL) >= 0);
    hf_files_walk_done(&walk);
    hf_closed_free(found);
}
END_TEST

/* The swap refuses a set that the inventory cannot hold, before it changes a file. Row 0: the paths of the inventory
 * are too long; row 1: it has too many items. */
START_TEST(an_inventory_without_room)
{
    char path[HF_FILES_MAX_PATH];
    unsigned n = 0;
    struct stat st;

    want_folders(100);
    size_t more = _i == 0 ? 9000 : HF_INVENTORY_MAX_ITEMS - 150;
    for (size_t i = 0; i < more; i++) {
        (void)snprintf(path, sizeof(path), "/old/%05zu/%0*d", i, _i == 0 ? 800 : 1, 0);
        struct hf_inventory_item item = {.path = path};
        ck_assert_int_eq(hf_inventory_put(&w.inventory, &item), 0);
    }
    w.place.order.prune_all = true;
    ck_assert_int_eq(place(), -E2BIG);
    ck_assert_msg(strstr(w.outcome.message, "has no room for 202 more files and folders") != NULL, "%s",
                  w.outcome.message);
    ck_assert_uint_eq(w.inventory.n, more);
    ck_assert(!w.inventory.pending && !hf_simfs_stat(fs, "/state/inventory", &st));
    hf_simfs_walk(fs, "/srv/app", count_regular, &n);
    ck_assert_uint_eq(n, 0);
    end_place();
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, walks);
    tcase_add_test(tc, a_file_that_does_not_end);
    tcase_add_test(tc, resolves);
    tcase_add_test(tc, pods);
    tcase_add_test(tc, as_many_pods_as_are_looked_at);
    tcase_add_test(tc, one_pod_twice);
    tcase_add_test(tc, pods_with_bad_names);
    tcase_add_test(tc, pods_with_long_names);
    tcase_add_loop_test(tc, superseded_pods, 0, 3);
    tcase_add_test(tc, superseded_pods_are_not_pruned);
    tcase_add_loop_test(tc, superseded_pods_that_drift, 0, 2);
    tcase_add_test(tc, superseded_pods_after_a_crash);
    tcase_add_test(tc, finds_the_pod_folder);
    tcase_add_test(tc, looks);
    tcase_add_loop_test(tc, looks_at_files_of_others, 0, 5);
    tcase_add_test(tc, replaces_a_changed_file_of_others);
    tcase_add_test(tc, inventories);
    tcase_add_test(tc, inventories_of_secrets);
    tcase_add_loop_test(tc, backups_that_cannot_be_read, 0, 3);
    tcase_add_loop_test(tc, folders_count_as_space, 0, 8);
    tcase_add_test(tc, a_repair_needs_no_reserve);
    tcase_add_test(tc, as_many_folders_as_a_set_may_have);
    tcase_add_loop_test(tc, other_names_of_folders, 0, (int)HF_LEN(others));
    tcase_add_test(tc, closed_folders_by_inode);
    tcase_add_loop_test(tc, an_inventory_without_room, 0, 2);
}

HF_TEST_MAIN("manifests/files", cases)
