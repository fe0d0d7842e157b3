/* SPDX-License-Identifier: Apache-2.0 */
/* Folders and files of the node as sources: what is read, what is refused, settling, changes, freeing at any moment. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop/watch.h"
#include "manifests/env.h"
#include "manifests/source/folder_read.h"
#include "manifests/source/source.h"
#include "os/dir.h"
#include "os/fs_posix.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"
#include "support/fakes/simloop.h"

static char top[64];

static const char *at(const char *name)
{
    static char path[4][256];
    static unsigned turn;
    char *p = path[turn++ % 4];

    (void)snprintf(p, sizeof(path[0]), "%s%s%s", top, name[0] != '\0' ? "/" : "", name);
    return p;
}

static void put(const char *name, const char *text)
{
    FILE *file = fopen(at(name), "w");

    ck_assert_ptr_nonnull(file);
    (void)fputs(text, file);
    (void)fclose(file);
    ck_assert_int_eq(chmod(at(name), 0644), 0);
}

static void folder(const char *name)
{
    ck_assert_int_eq(mkdir(at(name), 0755), 0);
}

static void set_up(void)
{
    (void)snprintf(top, sizeof(top), "/tmp/hf-source-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(top));
}

static void tear_down(void)
{
    ck_assert_int_eq(hf_dir_remove_tree(hf_fs_posix(), top, NULL), 0);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static int read_at(const char *path, const char *sub_path, struct hf_bundle **ret, struct hf_source_failure *failure)
{
    const struct hf_folder_read_params params = {.fs = hf_fs_posix(), .path = path, .sub_path = sub_path};
    char fingerprint[HF_SHA256_HEX], resolved[HF_WALK_MAX_PATH];
    int r = hf_folder_read_look(&params, fingerprint, resolved, failure);

    return r == 0 ? hf_folder_read_all(&params, fingerprint, ret, failure) : r;
}

static void scene(void)
{
    folder("sub");
    folder("sub/deep");
    folder(".git");
    folder("..2026_01");
    folder("empty");
    put("a.yaml", "a: 1\n");
    put("sub/b.yaml", "b: 2\n");
    put("sub/deep/c", "");
    put(".git/config", "no");
    put("..2026_01/key", "no");
    ck_assert_int_eq(chmod(at("sub/b.yaml"), 0600), 0);
    ck_assert_int_eq(symlink("a.yaml", at("link.yaml")), 0);
    ck_assert_int_eq(symlink("../a.yaml", at("sub/up.yaml")), 0);
}

START_TEST(reads_a_folder)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = NULL, *sub = NULL, *file = NULL, *whole = NULL;
    struct hf_source_failure failure;

    scene();
    ck_assert_msg(read_at(top, NULL, &bundle, &failure) == 0, "%s", failure.err.cause);
    ck_assert_uint_eq(bundle->n, 5);
    ck_assert(hf_view_eq(hf_bundle_find(bundle, "a.yaml")->bytes, "a: 1\n"));
    ck_assert(hf_view_eq(hf_bundle_find(bundle, "link.yaml")->bytes, "a: 1\n"));
    ck_assert(hf_view_eq(hf_bundle_find(bundle, "sub/up.yaml")->bytes, "a: 1\n"));
    ck_assert_uint_eq(hf_bundle_find(bundle, "sub/b.yaml")->mode, 0600);
    ck_assert_uint_eq(hf_bundle_find(bundle, "sub/deep/c")->bytes.n, 0);
    ck_assert_int_eq(read_at(top, "sub", &sub, &failure), 0);
    ck_assert_uint_eq(sub->n, 3);
    ck_assert(hf_view_eq(hf_bundle_find(sub, "up.yaml")->bytes, "a: 1\n"));
    ck_assert_int_eq(read_at(top, "sub/b.yaml", &file, &failure), 0);
    ck_assert_uint_eq(file->n, 1);
    ck_assert_str_eq(file->files[0].path, "b.yaml");
    ck_assert_msg(read_at(at("a.yaml"), NULL, &whole, &failure) == 0, "%s", failure.err.cause);
    ck_assert_str_eq(whole->files[0].path, "a.yaml");
}
END_TEST

/* A link to the current checkout, as git-sync makes it, is followed where only root or this user can make it. */
/* One call fails, or finds that what was listed has gone: a reason, and never half a folder. */
START_TEST(any_call_fails_once)
{
    static const int codes[] = {EIO, ENOENT};
    struct hf_simfs *fs = hf_simfs_new();
    const struct hf_folder_read_params params = {.fs = hf_simfs_ops(fs), .path = "/src"};
    bool failed = true;

    hf_simfs_put(fs, "/src/a", "a", 1, 0644);
    hf_simfs_put(fs, "/src/sub/b", "b", 1, 0644);
    hf_simfs_symlink(fs, "/src/link", "a");
    for (uint64_t n = 1; failed; n++)
        for (size_t i = 0; i < HF_LEN(codes); i++) {
            _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = NULL;
            struct hf_source_failure failure = {.reason = HF_MANIFEST_REASON_NONE};
            char fingerprint[HF_SHA256_HEX], resolved[HF_WALK_MAX_PATH];
            hf_simfs_fail_at(fs, n, codes[i], 1);
            int r = hf_folder_read_look(&params, fingerprint, resolved, &failure);
            r = r == 0 ? hf_folder_read_all(&params, fingerprint, &bundle, &failure) : r;
            failed = hf_simfs_failed(fs) > 0;
            hf_simfs_fail_at(fs, 0, 0, 0);
            ck_assert_msg(r < 0 ? failed && failure.reason != HF_MANIFEST_REASON_NONE : bundle->n == 3, "call %u",
                          (unsigned)n);
            ck_assert_uint_eq(hf_simfs_open_fds(fs), 0);
        }
    hf_simfs_free(fs);
}
END_TEST

START_TEST(follows_the_link_to_a_checkout)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = NULL;
    struct hf_folder_read_params params = {.fs = hf_fs_posix(), .path = at("current")};
    char fingerprint[HF_SHA256_HEX], resolved[HF_WALK_MAX_PATH];
    struct hf_source_failure failure;

    folder("rev1");
    put("rev1/a", "one");
    ck_assert_int_eq(symlink("rev1", at("current")), 0);
    ck_assert_int_eq(chmod(top, 0755), 0);
    ck_assert_int_eq(hf_folder_read_look(&params, fingerprint, resolved, &failure), 0);
    ck_assert_str_eq(resolved, at("rev1")); /* what the node's configuration decides on */
    ck_assert_int_eq(hf_folder_read_all(&params, fingerprint, &bundle, &failure), 0);
    ck_assert(hf_view_eq(bundle->files[0].bytes, "one"));
    ck_assert_int_eq(chmod(top, 0777), 0); /* now anybody could have made the link */
    ck_assert_int_eq(hf_folder_read_look(&params, fingerprint, resolved, &failure), -ELOOP);
    ck_assert_int_eq(failure.reason, HF_MANIFEST_REASON_SOURCE_INVALID);
}
END_TEST

START_TEST(in_a_pod_the_host_is_the_top)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = NULL;
    struct hf_folder_read_params params = {.fs = hf_fs_posix(), .host_root = top, .path = "/media/usb"};
    char fingerprint[HF_SHA256_HEX], resolved[HF_WALK_MAX_PATH];
    struct hf_source_failure failure;

    folder("media");
    folder("media/usb");
    put("media/usb/a", "one");
    ck_assert_int_eq(hf_folder_read_look(&params, fingerprint, resolved, &failure), 0);
    ck_assert_str_eq(resolved, "/media/usb");
    ck_assert_int_eq(hf_folder_read_all(&params, fingerprint, &bundle, &failure), 0);
    ck_assert_int_eq(symlink("/etc", at("media/etc")), 0); /* the agent's own /etc, not the host's */
    params.path = "/media/etc";
    ck_assert_int_eq(hf_folder_read_look(&params, fingerprint, resolved, &failure), -EBADMSG);
    ck_assert_msg(strstr(failure.err.cause, "absolute symbolic link") != NULL, "%s", failure.err.cause);
}
END_TEST

static void link_out(void)
{
    ck_assert_int_eq(symlink("/etc/passwd", at("x")), 0);
}
static void link_up(void)
{
    ck_assert_int_eq(symlink("../../etc/passwd", at("x")), 0);
}
static void link_to_folder(void)
{
    folder("d");
    ck_assert_int_eq(symlink("d", at("x")), 0);
}
static void link_to_nothing(void)
{
    ck_assert_int_eq(symlink("none", at("x")), 0);
}
static void link_to_itself(void)
{
    ck_assert_int_eq(symlink("x", at("x")), 0);
}
static void pipe_inside(void)
{
    ck_assert_int_eq(mkfifo(at("x"), 0644), 0);
}
static void control_name(void)
{
    put("a\nb", "x");
}
static void nothing(void)
{
}
static void folders_only(void)
{
    folder("a");
    folder("a/b");
}
static void large_file(void)
{
    put("x", "x");
    ck_assert_int_eq(truncate(at("x"), HF_BUNDLE_MAX_FILE + 1), 0);
}
static void large_together(void)
{
    for (int i = 0; i < 5; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "f%d", i);
        put(name, "x");
        ck_assert_int_eq(truncate(at(name), HF_BUNDLE_MAX_FILE), 0);
    }
}
static void many_files(void)
{
    for (int i = 0; i <= HF_BUNDLE_MAX_FILES; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "f%d", i);
        put(name, "");
    }
}
static void many_folders(void)
{
    for (int i = 0; i <= 4096; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "f%d", i);
        folder(name);
    }
}
static void deep(void)
{
    char path[HF_BUNDLE_MAX_PATH] = "";
    for (int i = 0; i < 40; i++) {
        (void)strncat(path, i == 0 ? "d" : "/d", 3);
        folder(path);
    }
}
static void one_file(void)
{
    put("x", "text");
}
static void sub_is_link(void)
{
    ck_assert_int_eq(symlink("/etc", at("sub")), 0);
}
static void sub_through_link(void)
{
    folder("real");
    ck_assert_int_eq(symlink("/", at("sub")), 0);
}

/* E */
static void sub_below_inner_link(void)
{
    folder("v1");
    folder("v1/conf");
    put("v1/conf/x", "one");
    ck_assert_int_eq(symlink("v1", at("current")), 0);
}

static const struct {
    const char *name;
    void (*make)(void);
    const char *path, *sub_path; /* of the source, below the top */
    int want_r;
    enum hf_manifest_reason reason;
    const char *says;
} rows[] = {
    {"absent", nothing, "none", NULL, -ENOENT, HF_MANIFEST_REASON_SOURCE_GONE, "does not exist"},
    {"absent parent", nothing, "none/none", NULL, -ENOENT, HF_MANIFEST_REASON_SOURCE_GONE, "does not exist"},
    {"below a file", one_file, "x/y", NULL, -ENOENT, HF_MANIFEST_REASON_SOURCE_GONE, "does not exist"},
    {"empty", nothing, "", NULL, -ENODATA, HF_MANIFEST_REASON_SOURCE_EMPTY, "has no files"},
    {"folders only", folders_only, "", NULL, -ENODATA, HF_MANIFEST_REASON_SOURCE_EMPTY, "has no files"},
    {"no sub path", one_file, "", "none", -ENODATA, HF_MANIFEST_REASON_SOURCE_EMPTY, "no subPath 'none'"},
    {"sub path of a file", one_file, "x", "y", -EBADMSG, HF_MANIFEST_REASON_SOURCE_INVALID, "has no subPath"},
    {"sub path is a link", sub_is_link, "", "sub", -EBADMSG, HF_MANIFEST_REASON_SOURCE_INVALID, "leads out"},
    {"sub path through a link", sub_through_link, "", "sub/etc", -EBADMSG, HF_MANIFEST_REASON_SOURCE_INVALID,
     "leads out"},
    {"link out", link_out, "", NULL, -EBADMSG, HF_MANIFEST_REASON_SOURCE_INVALID, "leads out"},
    {"link up", link_up, "", NULL, -EBADMSG, HF_MANIFEST_REASON_SOURCE_INVALID, "leads out"},
    {"link to folder", link_to_folder, "", NULL, -EBADMSG, HF_MANIFEST_REASON_SOURCE_INVALID, "not a file"},
    {"link to nothing", link_to_nothing, "", NULL, -EBADMSG, HF_MANIFEST_REASON_SOURCE_INVALID, "to nothing"},
    {"link to itself", link_to_itself, "", NULL, -EBADMSG, HF_MANIFEST_REASON_SOURCE_INVALID, "to nothing"},
    {"pipe", pipe_inside, "", NULL, -EBADMSG, HF_MANIFEST_REASON_SOURCE_INVALID, "pipe"},
    {"the path is a pipe", pipe_inside, "x", NULL, -EBADMSG, HF_MANIFEST_REASON_SOURCE_INVALID, "pipe"},
    {"control characters", control_name, "", NULL, -EBADMSG, HF_MANIFEST_REASON_SOURCE_INVALID, "control"},
    {"a large file", large_file, "", NULL, -E2BIG, HF_MANIFEST_REASON_SOURCE_TOO_LARGE, "4194305 bytes"},
    {"large together", large_together, "", NULL, -E2BIG, HF_MANIFEST_REASON_SOURCE_TOO_LARGE, "together"},
    {"many files", many_files, "", NULL, -E2BIG, HF_MANIFEST_REASON_SOURCE_TOO_LARGE, "more than 4096"},
    {"many folders", many_folders, "", NULL, -E2BIG, HF_MANIFEST_REASON_SOURCE_TOO_LARGE, "more than 4096"},
    {"deep", deep, "", NULL, -EBADMSG, HF_MANIFEST_REASON_SOURCE_INVALID, "more than 32"},
};

START_TEST(sub_path_below_an_inner_link)
{
    struct hf_bundle *bundle = NULL;
    struct hf_source_failure failure;

    sub_below_inner_link();
    int r = read_at(at(""), "current/conf/x", &bundle, &failure); /* a file: works */
    ck_assert_int_eq(r, 0);
    hf_bundle_free(hf_steal(bundle));
    r = read_at(at(""), "current/conf", &bundle, &failure);
    ck_assert_msg(r == 0, "r=%d: %s", r, failure.err.cause);
    ck_assert_uint_eq(bundle->n, 1);
    ck_assert_str_eq(bundle->files[0].path, "x");
    hf_bundle_free(bundle);
}
END_TEST

START_TEST(refuses)
{
    struct hf_bundle *bundle = NULL;
    struct hf_source_failure failure;

    rows[_i].make();
    int r = read_at(at(rows[_i].path), rows[_i].sub_path, &bundle, &failure);
    ck_assert_msg(r == rows[_i].want_r && failure.reason == rows[_i].reason, "%s: r=%d reason=%s: %s", rows[_i].name, r,
                  hf_manifest_reason_name(failure.reason), failure.err.cause);
    ck_assert_msg(strstr(failure.err.cause, rows[_i].says) != NULL, "%s: %s", rows[_i].name, failure.err.cause);
    ck_assert_ptr_null(bundle);
}
END_TEST

/* Files that a local user can have linked below the path, so that the agent gives them away. */
enum { APP = 1000, OTHER = 1001 };

static const struct {
    const char *what;
    uid_t folder_owner;
    mode_t folder_mode;
    uid_t owner;
    mode_t mode;
    bool linked;
    const char *says; /* NULL: it is read */
} owned[] = {
    {"a checkout of root with hard links", 0, 0755, 0, 0600, true, NULL},
    {"a file of a service in root's folder", 0, 0755, APP, 0600, true, NULL},
    {"what a user wrote", APP, 0755, APP, 0600, false, NULL},
    {"what everyone may read", APP, 0777, 0, 0644, true, NULL},
    {"a secret of root in a user's folder", APP, 0755, 0, 0600, true, "hard links"},
    {"the same after root replaced it", APP, 0755, 0, 0600, false, "it is root's"},
    {"a secret of another user", APP, 0755, OTHER, 0600, true, "hard links"},
    {"a user's hard link", APP, 0755, APP, 0600, true, "hard links"},
    {"a secret of root in a folder of all", 0, 01777, 0, 0640, true, "hard links"},
    {"a secret of root in a folder of a group", 0, 0775, 0, 0640, true, "hard links"},
    {"what root put into a folder of a group", 0, 0775, 0, 0640, false, NULL},
};

/* The ways to the same file. */
static const struct {
    const char *path, *sub_path;
} to_owned[] = {{"", NULL}, {"", "d"}, {"", "d/x"}, {"d", NULL}, {"d/x", NULL}, {"", "links/x"}};

START_TEST(hard_links)
{
    size_t kind = (size_t)_i / HF_LEN(to_owned), way = (size_t)_i % HF_LEN(to_owned);
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = NULL;
    struct hf_source_failure failure;

    if (geteuid() != 0) /* gives files away */
        return;
    folder("elsewhere");
    folder("links");
    folder("d");
    put("elsewhere/secret", "text");
    ck_assert_int_eq(rename(at("elsewhere/secret"), at("d/x")), 0);
    ck_assert_int_eq(owned[kind].linked ? link(at("d/x"), at("elsewhere/secret")) : 0, 0);
    ck_assert_int_eq(symlink("../d/x", at("links/x")), 0);
    ck_assert_int_eq(chown(at("d/x"), owned[kind].owner, (gid_t)-1), 0);
    ck_assert_int_eq(chmod(at("d/x"), owned[kind].mode), 0);
    ck_assert_int_eq(chown(at("d"), owned[kind].folder_owner, (gid_t)-1), 0);
    ck_assert_int_eq(chmod(at("d"), owned[kind].folder_mode), 0);
    int r = read_at(at(to_owned[way].path), to_owned[way].sub_path, &bundle, &failure);
    if (owned[kind].says == NULL) {
        ck_assert_msg(r == 0, "%s: %d %s", owned[kind].what, r, failure.err.cause);
        return;
    }
    ck_assert_msg(r == -EBADMSG && failure.reason == HF_MANIFEST_REASON_SOURCE_INVALID, "%s, way %zu: r=%d",
                  owned[kind].what, way, r);
    ck_assert_msg(strstr(failure.err.cause, owned[kind].says) != NULL && strstr(failure.err.cause, "x' is not read: "),
                  "%s: %s", owned[kind].what, failure.err.cause);
}
END_TEST

START_TEST(a_change_since_the_look_is_found)
{
    struct hf_folder_read_params params = {.fs = hf_fs_posix(), .path = top};
    char fingerprint[HF_SHA256_HEX], resolved[HF_WALK_MAX_PATH];
    struct hf_source_failure failure;
    struct hf_bundle *bundle = NULL;

    put("x", "one");
    ck_assert_int_eq(hf_folder_read_look(&params, fingerprint, resolved, &failure), 0);
    put("x", "three");
    ck_assert_int_eq(hf_folder_read_all(&params, fingerprint, &bundle, &failure), -EAGAIN);
}
END_TEST

/* ---- closed folders ---------------------------------------------------------------------------------------------- */

/* Reads while the folder `closed`, or at("closed"), is closed. */
static int read_beside_closed(const struct hf_fs_ops *fs, const char *path, const char *sub_path, const char *closed,
                              struct hf_bundle **ret, struct hf_source_failure *failure)
{
    const char *const list[] = {"/none", "", closed != NULL ? closed : at("closed"), NULL};
    const struct hf_folder_read_params params = {.fs = fs, .path = path, .sub_path = sub_path, .closed = list};
    char fingerprint[HF_SHA256_HEX], resolved[HF_WALK_MAX_PATH];
    int r = hf_folder_read_look(&params, fingerprint, resolved, failure);

    return r == 0 ? hf_folder_read_all(&params, fingerprint, ret, failure) : r;
}

static void closed_scene(void)
{
    ck_assert_int_eq(chmod(top, 0755), 0);
    folder("closed");
    folder("closed/deep");
    put("closed/deep/key", "secret");
    folder("closedx");
    put("closedx/a", "one");
    folder("app");
    folder("app/d");
    put("app/d/a", "one");
    folder("deep");
    ck_assert_int_eq(symlink("closed", at("alias")), 0);
    ck_assert_int_eq(symlink("../closed", at("app/l")), 0);
    folder("evil");
    ck_assert_int_eq(symlink("../app/l/deep/key", at("evil/over-two-links")), 0);
    folder("good");
    ck_assert_int_eq(symlink("../app/d/../d/./a", at("good/to-a-file")), 0);
}

static const struct {
    const char *path, *sub_path, *says; /* `says`: a part of the refusal; NULL: the content is "one" */
} beside[] = {
    {"", NULL, "closed' is never allowed: no entry may read below"},
    {"", "closed", "closed' is never allowed"},
    {"", "closed/deep", "closed' is never allowed"},
    {"", "closed/deep/key", "closed' is never allowed"},
    {"", "app/l/deep/key", "closed' is never allowed"},
    {"", "app/l/deep", "closed' is never allowed"},
    {"", "evil", "closed' is never allowed"},
    {"", "evil/over-two-links", "closed' is never allowed"},
    {"closed", NULL, "closed' is never allowed"},
    {"closed/deep", NULL, "closed' is never allowed"},
    {"closed/deep/key", NULL, "closed' is never allowed"},
    {"alias", NULL, "closed' is never allowed"},
    {"alias/deep", NULL, "closed' is never allowed"},
    {"", "closedx", NULL},
    {"closedx", NULL, NULL},
    {"closedx/a", NULL, NULL},
    {"", "app/d", NULL},
    {"", "app/d/a", NULL},
    {"", "good", NULL},
};

/* Each row twice: with the path of the closed folder, and with another path of it, where only its identity tells. */
START_TEST(closed_folders)
{
    struct hf_bundle *bundle = NULL;
    struct hf_source_failure failure;

    closed_scene();
    int r = read_beside_closed(hf_fs_posix(), at(beside[_i / 2].path), beside[_i / 2].sub_path,
                               _i % 2 == 0 ? NULL : at("alias"), &bundle, &failure);
    if (beside[_i / 2].says == NULL) {
        ck_assert_msg(r == 0, "%s", failure.err.cause);
        ck_assert(bundle->n == 1 && hf_view_eq(bundle->files[0].bytes, "one"));
        hf_bundle_free(bundle);
        return;
    }
    ck_assert_msg(r == -EACCES && failure.reason == HF_MANIFEST_REASON_NOT_ALLOWED, "%d %s: %s", r,
                  hf_manifest_reason_name(failure.reason), failure.err.cause);
    ck_assert_msg(strstr(failure.err.cause, beside[_i / 2].says) != NULL, "%s", failure.err.cause);
    ck_assert_ptr_null(bundle);
}
END_TEST

START_TEST(bind_mount_of_a_closed_folder)
{
    struct hf_bundle *bundle = NULL;
    struct hf_source_failure failure;

    closed_scene();
    folder("box");
    folder("box/in");
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount(at("closed"), at("box/in"), NULL, MS_BIND, NULL) < 0)
        return; /* not root, or in a sandbox; closed_folders compares identities, too */
    int r = read_beside_closed(hf_fs_posix(), at("box"), NULL, NULL, &bundle, &failure);
    int sub = read_beside_closed(hf_fs_posix(), at(""), "box/in/deep", NULL, &bundle, &failure);
    int below = read_beside_closed(hf_fs_posix(), at("box/in/deep"), NULL, NULL, &bundle, &failure);
    ck_assert_int_eq(umount(at("box/in")), 0);
    ck_assert_msg(r == -EACCES && sub == -EACCES && below == -EACCES, "%d %d %d", r, sub, below);
    ck_assert_int_eq(failure.reason, HF_MANIFEST_REASON_NOT_ALLOWED);
}
END_TEST

/* Another user changes a folder to a link between the look and the reading. */
static int open_late(void *ctx, int dirfd, const char *path, int flags, mode_t mode, unsigned resolve)
{
    if ((flags & O_NONBLOCK) != 0 && dirfd != AT_FDCWD) {
        ck_assert_int_eq(rename(at("app/d"), at("app/e")), 0);
        ck_assert_int_eq(symlink("../closed/deep", at("app/d")), 0);
    }
    return hf_fs_posix()->openat(ctx, dirfd, path, flags, mode, resolve);
}

START_TEST(a_link_that_comes_late)
{
    struct hf_fs_ops late = *hf_fs_posix();
    struct hf_bundle *bundle = NULL;
    struct hf_source_failure failure;

    closed_scene();
    put("closed/deep/a", "two");
    late.openat = open_late;
    ck_assert_int_eq(read_beside_closed(&late, at(""), "good", NULL, &bundle, &failure), -EAGAIN);
    ck_assert_int_eq(failure.reason, HF_MANIFEST_REASON_SOURCE_UNREACHABLE);
    ck_assert_ptr_null(bundle);
}
END_TEST

/* ---- following --------------------------------------------------------------------------------------------------- */

static struct {
    struct hf_simloop *loop;
    struct hf_simproc *proc;
    struct hf_manifest_env env;
    struct hf_manifest entry;
    struct hf_config *config;
    struct hf_manifest_source *source;
    struct hf_bundle *bundle;
    char revision[100], gone[300], why[300];
    const char *closed;         /* state folder and trust folder of the agent */
    const struct hf_fs_ops *fs; /* NULL: the real one */
    const char *path;           /* NULL: the folder of the test */
    unsigned delivered, unchanged, failed, gones;
    enum hf_manifest_reason reason;
    bool free_in_callback;
    uint64_t seed; /* 0: jobs take no time */
} w;

#define CONFIG                                                                                                         \
    "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\nmanifests: {paths: [/tmp/hf-source-*, "        \
    "/tmp/hf-source-*/**]}\n"

static void maybe_free(void)
{
    if (w.free_in_callback)
        hf_manifest_source_free(hf_steal(w.source));
}

static void delivered(void *arg, struct hf_bundle *bundle, const char *revision)
{
    (void)arg;
    hf_bundle_free(w.bundle);
    w.bundle = bundle;
    w.delivered++;
    (void)snprintf(w.revision, sizeof(w.revision), "%s", revision);
    maybe_free();
}

static void unchanged(void *arg)
{
    (void)arg;
    w.unchanged++;
    maybe_free();
}

static void failed(void *arg, enum hf_manifest_reason reason, const struct hf_err *err, uint64_t retry_after_ns)
{
    (void)arg, (void)retry_after_ns;
    w.failed++;
    w.reason = reason;
    (void)snprintf(w.why, sizeof(w.why), "%s", err->cause);
    maybe_free();
}

static void gone(void *arg, const char *what)
{
    (void)arg;
    w.gones++;
    (void)snprintf(w.gone, sizeof(w.gone), "%s", what);
    maybe_free();
}

static void follow(const char *known)
{
    struct hf_manifest_source_params params = {
        .env = &w.env,
        .entry = &w.entry,
        .work_dir = "/none",
        .known_revision = known,
        .delivered = delivered,
        .unchanged = unchanged,
        .failed = failed,
        .gone = gone,
    };

    w.loop = hf_simloop_new(w.seed);
    w.proc = hf_simproc_new(w.loop, "node");
    w.env = (struct hf_manifest_env){
        .world = hf_simproc_world(w.proc, w.fs != NULL ? w.fs : hf_fs_posix()),
        .retry_base_ns = HF_NS_PER_S,
        .retry_cap_ns = 60 * HF_NS_PER_S,
        .state_dir = w.closed,
        .trust_dir = w.closed,
    };
    w.entry = (struct hf_manifest){.name = "site",
                                   .from = {.kind = HF_MANIFEST_FROM_PATH, .path = w.path != NULL ? w.path : top}};
    if (w.config == NULL)
        ck_assert_int_eq(hf_config_parse(HF_VIEW(CONFIG), "agent.yaml", &w.config, NULL), 0);
    ck_assert_uint_eq(hf_config_n_faults(w.config), 0);
    w.env.config = w.config;
    ck_assert_int_eq(hf_manifest_source_new(&params, &w.source, NULL), 0);
}

static void run_s(unsigned seconds)
{
    (void)hf_simloop_run_for(w.loop, seconds * HF_NS_PER_S);
}

static void stop(void)
{
    hf_manifest_source_free(w.source);
    memset(&w.env, 0xee, sizeof(w.env)); /* a job that still runs must not use it */
    hf_bundle_free(w.bundle);
    run_s(5);
    ck_assert_uint_eq(hf_simproc_timers(w.proc), 0);
    ck_assert_uint_eq(hf_simproc_jobs(w.proc), 0);
    hf_simproc_free(w.proc);
    hf_simloop_free(w.loop);
    hf_config_free(w.config);
}

START_TEST(follows_changes)
{
    put("a", "one");
    follow(NULL);
    run_s(3);
    ck_assert_uint_eq(w.delivered, 1);
    ck_assert(hf_view_eq(w.bundle->files[0].bytes, "one"));
    ck_assert_msg(strncmp(w.revision, "sha256:", 7) == 0 && strcmp(w.revision + 7, w.bundle->digest) == 0, "%s",
                  w.revision);
    run_s(600); /* nobody asks: nothing is read */
    ck_assert_uint_eq(w.delivered + w.unchanged, 1);
    hf_manifest_source_refresh(w.source);
    run_s(3);
    ck_assert_uint_eq(w.unchanged, 1);
    put("a", "other");
    hf_manifest_source_refresh(w.source);
    run_s(3);
    ck_assert_uint_eq(w.delivered, 2);
    ck_assert(hf_view_eq(w.bundle->files[0].bytes, "other"));
    put("a", "other"); /* new times, the same content */
    hf_manifest_source_refresh(w.source);
    run_s(3);
    ck_assert_uint_eq(w.delivered, 2);
    ck_assert_uint_eq(w.unchanged, 2);
    stop();
}
END_TEST

static int errors_left, error; /* how many more folders cannot be opened, and why */

static int open_with_errors(void *ctx, int dirfd, const char *path, int flags, mode_t mode, unsigned resolve)
{
    if ((flags & O_DIRECTORY) == 0 || errors_left == 0)
        return hf_fs_posix()->openat(ctx, dirfd, path, flags, mode, resolve);
    errors_left--;
    return -error;
}

/* The process has no descriptor, or the disk gives an error: the source looks again by itself, later and later. */
START_TEST(looks_again_after_an_error)
{
    static const int codes[] = {EMFILE, ENOMEM, EIO};
    struct hf_fs_ops fs = *hf_fs_posix();

    fs.openat = open_with_errors;
    w.fs = &fs;
    error = codes[_i];
    errors_left = 3;
    put("a", "one");
    follow(NULL);
    run_s(30);
    ck_assert_uint_eq(w.failed, 3);
    ck_assert_int_eq(w.reason, HF_MANIFEST_REASON_SOURCE_UNREACHABLE);
    ck_assert_uint_eq(w.delivered, 1);
    errors_left = 100;
    hf_manifest_source_refresh(w.source);
    run_s(600);
    ck_assert_msg(w.failed >= 10 && w.failed <= 40, "%u looks", w.failed);
    errors_left = 0;
    run_s(100);
    ck_assert_uint_eq(w.unchanged, 1);
    stop();
}
END_TEST

/* A table of watches that remembers them. As in the kernel, a watch stays with a folder that is renamed or removed. */
static struct {
    struct fake_watch {
        char path[256];
        int fd; /* keeps the inode of the folder */
        void (*fire)(void *arg);
        void *arg;
        bool used;
    } all[4];
} watches;

static int watch_add(void *ctx, const char *path, void (*fire)(void *arg), void *arg, struct hf_watch **ret_watch,
                     struct hf_err *err)
{
    int fd = open(path, O_PATH | O_DIRECTORY);

    (void)ctx, (void)err;
    if (fd < 0)
        return -errno;
    for (size_t i = 0; i < HF_LEN(watches.all); i++) {
        if (watches.all[i].used)
            continue;
        watches.all[i] = (struct fake_watch){.fd = fd, .fire = fire, .arg = arg, .used = true};
        (void)snprintf(watches.all[i].path, sizeof(watches.all[i].path), "%s", path);
        *ret_watch = (struct hf_watch *)(void *)&watches.all[i];
        return 0;
    }
    (void)close(fd);
    return -ENOSPC;
}

static void watch_remove(void *ctx, struct hf_watch *watch)
{
    (void)ctx;
    struct fake_watch *fake = (struct fake_watch *)(void *)watch;

    if (fake == NULL)
        return;
    (void)close(fake->fd);
    fake->used = false;
}

/* Something has changed in the folder that is at this path now. */
static void changed_in(const char *path)
{
    struct stat now, st;

    ck_assert_int_eq(stat(path, &now), 0);
    for (size_t i = 0; i < HF_LEN(watches.all); i++) {
        struct fake_watch *fake = &watches.all[i];
        if (fake->used && fstat(fake->fd, &st) == 0 && st.st_dev == now.st_dev && st.st_ino == now.st_ino)
            fake->fire(fake->arg);
    }
}

static const struct hf_watch_ops watch_ops = {.add = watch_add, .remove = watch_remove};

static unsigned count_watches(void)
{
    unsigned n = 0;

    for (size_t i = 0; i < HF_LEN(watches.all); i++)
        n += watches.all[i].used;
    return n;
}

START_TEST(notices_changes)
{
    put("a", "one");
    follow(NULL);
    w.env.watch = &watch_ops;
    run_s(3);
    ck_assert_uint_eq(count_watches(), 2);
    ck_assert_str_eq(watches.all[0].path, top);
    ck_assert_str_eq(watches.all[1].path, "/tmp");
    put("a", "other");
    for (int i = 0; i < 50; i++) /* many events are one look */
        watches.all[0].fire(watches.all[0].arg);
    run_s(2);
    ck_assert_uint_eq(w.delivered, 2);
    run_s(100);
    ck_assert_uint_eq(w.delivered, 2);
    ck_assert_uint_eq(count_watches(), 2);
    stop();
    ck_assert_uint_eq(count_watches(), 0);
}
END_TEST

static void log_beside(void *arg)
{
    changed_in("/tmp");
    if (w.loop != NULL)
        hf_simloop_post(w.loop, HF_NS_PER_S / 5, log_beside, arg);
}

/* A log file beside the folder is written all the time. Changes of the folder are found all the same. */
START_TEST(notices_changes_beside_a_log)
{
    put("a", "one");
    follow(NULL);
    w.env.watch = &watch_ops;
    run_s(3);
    log_beside(NULL);
    run_s(600);
    ck_assert_uint_le(w.unchanged, 50); /* they become rare */
    put("a", "other");
    run_s(20);
    ck_assert_uint_eq(w.delivered, 2);
    stop();
}
END_TEST

static void empty_folder(void)
{
    folder("in");
    folder("in/m");
}

static void bad_file(void)
{
    empty_folder();
    ck_assert_int_eq(symlink("nothing", at("in/m/a")), 0);
}

static void no_folder(void)
{
    folder("in");
}

static void no_folder_above(void)
{
}

static void dangling_link(void)
{
    folder("in");
    ck_assert_int_eq(symlink("../real", at("in/m")), 0);
}

static const struct {
    void (*make)(void);
    bool gone;
} mended[] = {
    {empty_folder, false}, {bad_file, false}, {no_folder, true}, {no_folder_above, true}, {dangling_link, true}};

/* Makes what is missing, step by step, as the kernel reports it. */
static void mend(void)
{
    struct stat st;

    if (lstat(at("in"), &st) < 0) {
        folder("in");
        changed_in(top);
        run_s(2);
    }
    bool link = lstat(at("in/m"), &st) == 0 && S_ISLNK(st.st_mode);
    if (stat(at("in/m"), &st) < 0) {
        folder(link ? "real" : "in/m");
        changed_in(link ? top : at("in"));
        run_s(2);
    }
    (void)unlink(at("in/m/a"));
    put("in/m/a", "one");
    changed_in(at("in/m"));
}

/* At the start there is nothing to read. What an operator mends is read at once, and not in the next interval. */
START_TEST(notices_that_it_is_mended)
{
    static char path[100];

    mended[_i].make();
    (void)snprintf(path, sizeof(path), "%s/in/m", top);
    w.path = path;
    follow(NULL);
    w.env.watch = &watch_ops;
    run_s(60);
    ck_assert_uint_eq(w.delivered, 0);
    ck_assert_uint_ge(mended[_i].gone ? w.gones : w.failed, 1);
    ck_assert_uint_le(w.gones + w.failed, 2); /* the second time after the watches */
    mend();
    run_s(3);
    ck_assert_uint_eq(w.delivered, 1);
    put("in/m/a", "other");
    changed_in(at("in/m"));
    run_s(3);
    ck_assert_uint_eq(w.delivered, 2);
    stop();
    ck_assert_uint_eq(count_watches(), 0);
}
END_TEST

/* A new folder with the name of the old one has its watch, too; its files come later. */
START_TEST(notices_changes_of_a_new_folder)
{
    static char path[100];

    empty_folder();
    put("in/m/a", "one");
    (void)snprintf(path, sizeof(path), "%s/in/m", top);
    w.path = path;
    follow(NULL);
    w.env.watch = &watch_ops;
    run_s(5);
    ck_assert_uint_eq(w.delivered, 1);
    ck_assert_int_eq(rename(at("in/m"), at("old")), 0);
    folder("in/m");
    if (_i == 1)
        put("in/m/a", "two");
    changed_in(at("in"));
    run_s(5);
    ck_assert_uint_eq(w.delivered, _i == 1 ? 2 : 1);
    put("in/m/a", "three");
    changed_in(at("in/m"));
    run_s(5);
    ck_assert_uint_eq(w.delivered, _i == 1 ? 3 : 2);
    stop();
}
END_TEST

START_TEST(knows_what_the_engine_has)
{
    char revision[100];

    put("a", "one");
    follow(NULL);
    run_s(3);
    (void)snprintf(revision, sizeof(revision), "%s", w.revision);
    stop();
    memset(&w, 0, sizeof(w));
    follow(revision);
    run_s(3);
    ck_assert_uint_eq(w.delivered, 0);
    ck_assert_uint_eq(w.unchanged, 1);
    stop();
}
END_TEST

/* What the node does not allow is not read, also if an allowed path leads there. */
START_TEST(not_allowed)
{
    static const char *const texts[] = {
        "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n",
        "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\nmanifests: {paths: [/srv]}\n",
    };
    static char path[100];

    put("a", "one");
    ck_assert_int_eq(chmod(top, 0755), 0);
    if (_i < 2) {
        ck_assert_int_eq(hf_config_parse(hf_view_of(texts[_i]), "agent.yaml", &w.config, NULL), 0);
        follow(NULL);
    } else { /* the path is allowed, and what its link leads to is not */
        folder("real");
        put("real/x", "x");
        ck_assert_int_eq(symlink("real", at("allowed")), 0);
        (void)snprintf(path, sizeof(path), "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n");
        char text[300];
        (void)snprintf(text, sizeof(text), "%smanifests: {paths: [%s]}\n", path, at("allowed"));
        ck_assert_int_eq(hf_config_parse(hf_view_of(text), "agent.yaml", &w.config, NULL), 0);
        follow(NULL);
        (void)snprintf(path, sizeof(path), "%s", at("allowed"));
        hf_manifest_source_free(w.source);
        w.entry.from.path = path;
        struct hf_manifest_source_params params = {.env = &w.env,
                                                   .entry = &w.entry,
                                                   .work_dir = "/none",
                                                   .delivered = delivered,
                                                   .unchanged = unchanged,
                                                   .failed = failed,
                                                   .gone = gone};
        ck_assert_int_eq(hf_manifest_source_new(&params, &w.source, NULL), 0);
    }
    run_s(5);
    ck_assert_uint_eq(w.delivered, 0);
    ck_assert_uint_eq(w.failed, 1);
    ck_assert_int_eq(w.reason, HF_MANIFEST_REASON_NOT_ALLOWED);
    hf_manifest_source_refresh(w.source); /* it asks the configuration again */
    run_s(5);
    ck_assert_uint_eq(w.failed, 2);
    stop();
}
END_TEST

/* The state folder and the trust folder are closed wherever they are, and so is what is above them. */
START_TEST(own_folders_are_closed)
{
    static char state[64];

    folder("state");
    put("state/cache", "one");
    put("a", "one");
    (void)snprintf(state, sizeof(state), "%s", at("state"));
    w.closed = state;
    follow(NULL);
    run_s(5);
    ck_assert_uint_eq(w.delivered, 0);
    ck_assert_uint_eq(w.failed, 1);
    ck_assert_int_eq(w.reason, HF_MANIFEST_REASON_NOT_ALLOWED);
    ck_assert_msg(strstr(w.why, state) != NULL, "%s", w.why);
    stop();
}
END_TEST

START_TEST(gone_and_back)
{
    put("a", "one");
    follow(NULL);
    run_s(3);
    ck_assert_int_eq(rename(top, "/tmp/hf-source-away"), 0);
    hf_manifest_source_refresh(w.source);
    run_s(3);
    ck_assert_uint_eq(w.gones, 1);
    ck_assert_msg(strstr(w.gone, top) != NULL, "%s", w.gone);
    folder(""); /* the mount point of a stick that is away */
    hf_manifest_source_refresh(w.source);
    run_s(3);
    ck_assert_uint_eq(w.failed, 1);
    ck_assert_int_eq(w.reason, HF_MANIFEST_REASON_SOURCE_EMPTY);
    ck_assert_int_eq(rmdir(top), 0);
    ck_assert_int_eq(rename("/tmp/hf-source-away", top), 0);
    hf_manifest_source_refresh(w.source);
    run_s(3);
    ck_assert_uint_eq(w.delivered, 1);
    ck_assert_uint_eq(w.unchanged, 1);
    stop();
}
END_TEST

static void touch(void *arg)
{
    static unsigned n;
    char text[32];

    (void)snprintf(text, sizeof(text), "%u", n++);
    put("a", text);
    if (n < 200)
        hf_simloop_post(w.loop, HF_NS_PER_S / 2, touch, arg);
}

/* Somebody keeps writing: the source waits, says so after half a minute, and reads when it is quiet. */
START_TEST(waits_for_the_end_of_a_copy)
{
    put("a", "one");
    follow(NULL);
    touch(NULL);
    run_s(20);
    ck_assert_uint_eq(w.delivered + w.failed, 0);
    run_s(30);
    ck_assert_uint_ge(w.failed, 1);
    ck_assert_int_eq(w.reason, HF_MANIFEST_REASON_SOURCE_UNREACHABLE);
    ck_assert_uint_eq(w.delivered, 0);
    run_s(150);
    ck_assert_uint_eq(w.delivered, 1);
    ck_assert(hf_view_eq(w.bundle->files[0].bytes, "199"));
    stop();
}
END_TEST

/* The owner may free the source in any callback, and at any event. */
START_TEST(freed_in_a_callback)
{
    if (_i == 0)
        put("a", "one");
    follow(NULL);
    w.free_in_callback = true;
    run_s(3);
    ck_assert_ptr_null(w.source);
    ck_assert_uint_eq(w.delivered, _i == 0 ? 1 : 0);
    ck_assert_uint_eq(w.failed, _i == 0 ? 0 : 1);
    stop();
}
END_TEST

/* The file system does not answer for an hour: the source says so, and goes on when it does. */
START_TEST(a_look_that_hangs)
{
    w.seed = 3;
    put("a", "one");
    follow(NULL);
    hf_simproc_set_job_delay(w.proc, 3600 * HF_NS_PER_S);
    run_s(8 * 3600);
    ck_assert_uint_ge(w.failed, 1);
    ck_assert_int_eq(w.reason, HF_MANIFEST_REASON_SOURCE_UNREACHABLE);
    ck_assert_ptr_nonnull(strstr(w.why, "answer"));
    hf_simproc_set_job_delay(w.proc, 0);
    run_s(8 * 3600);
    ck_assert_uint_eq(w.delivered, 1);
    stop();
}
END_TEST

START_TEST(freed_at_any_event)
{
    put("a", "one");
    for (int n = 0; n < 12; n++) {
        follow(NULL);
        for (int i = 0; i < n; i++)
            (void)hf_simloop_step(w.loop);
        stop();
        memset(&w, 0, sizeof(w));
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, sub_path_below_an_inner_link);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, reads_a_folder);
    tcase_add_test(tc, any_call_fails_once);
    tcase_add_test(tc, follows_the_link_to_a_checkout);
    tcase_add_test(tc, in_a_pod_the_host_is_the_top);
    tcase_add_loop_test(tc, refuses, 0, HF_LEN(rows));
    tcase_add_loop_test(tc, hard_links, 0, (int)(HF_LEN(owned) * HF_LEN(to_owned)));
    tcase_add_test(tc, a_change_since_the_look_is_found);
    tcase_add_loop_test(tc, closed_folders, 0, 2 * (int)HF_LEN(beside));
    tcase_add_test(tc, bind_mount_of_a_closed_folder);
    tcase_add_test(tc, a_link_that_comes_late);
    tcase_add_test(tc, follows_changes);
    tcase_add_loop_test(tc, looks_again_after_an_error, 0, 3);
    tcase_add_test(tc, notices_changes);
    tcase_add_loop_test(tc, notices_that_it_is_mended, 0, HF_LEN(mended));
    tcase_add_loop_test(tc, notices_changes_of_a_new_folder, 0, 2);
    tcase_add_test(tc, notices_changes_beside_a_log);
    tcase_add_test(tc, knows_what_the_engine_has);
    tcase_add_loop_test(tc, not_allowed, 0, 3);
    tcase_add_test(tc, own_folders_are_closed);
    tcase_add_test(tc, gone_and_back);
    tcase_add_test(tc, waits_for_the_end_of_a_copy);
    tcase_add_loop_test(tc, freed_in_a_callback, 0, 2);
    tcase_add_test(tc, freed_at_any_event);
    tcase_add_test(tc, a_look_that_hangs);
}
HF_TEST_MAIN("manifests/source_folder", cases)
