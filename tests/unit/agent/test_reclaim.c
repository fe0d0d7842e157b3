/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/resources/reclaim.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macros.h"
#include "codec/state/sealed_file.h"
#include "os/fs_posix.h"
#include "support/board.h"
#include "support/check_main.h"

#define NOW_S UINT64_C(1900000000)
#define OLD_S (NOW_S - 2 * 86400)

/* A file system whose use falls with each removed file. */
static struct {
    char root[128];
    unsigned used, step, removals, flags;
    bool stuck; /* no file can be removed */
} disk;

static int used(void *ctx, int fd, struct statvfs *ret)
{
    (void)ctx;
    (void)fd;
    unsigned free_blocks = 100 - disk.used;
    *ret = (struct statvfs){.f_blocks = 100, .f_bfree = free_blocks, .f_bavail = free_blocks, .f_flag = disk.flags};
    return 0;
}

static int removes(void *ctx, int dirfd, const char *path, int flags)
{
    if (disk.stuck)
        return -EACCES;
    disk.removals++;
    disk.used -= disk.step;
    return hf_fs_posix()->unlinkat(ctx, dirfd, path, flags);
}

static void age(const char *path, uint64_t unix_s)
{
    const struct timespec times[2] = {{.tv_sec = (time_t)unix_s}, {.tv_sec = (time_t)unix_s}};
    char full[512];

    (void)snprintf(full, sizeof(full), "%s%s", disk.root, path);
    ck_assert_int_eq(utimensat(AT_FDCWD, full, times, AT_SYMLINK_NOFOLLOW), 0);
}

/* All files that a pass may remove, in its order; then those that it must not. */
static const char *const ours[] = {"/opt/a/.holdfast-ghost.new",
                                   "/opt/a/.holdfast-ghost.part",
                                   "/state/clock.damaged",
                                   "/state/updates/app/journal.damaged",
                                   "/state/manifests/pods/record.damaged",
                                   "/storage/main/bulk/0000000000000001.seg.damaged",
                                   "/state/cache/damaged/edgeupdate-x",
                                   "/storage/main/dead/0000000000000001.seg",
                                   "/storage/main/dead/0000000000000002.seg"};
static const char *const kept[] = {
    "/opt/a/.holdfast-ghost.old",
    "/opt/a/.holdfast-app.part",
    "/opt/a/.holdfast-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.part",
    "/opt/a/ghost.part",
    "/opt/a/x.damaged",
    "/state/clock",
    "/state/updates/app/journal",
    "/state/manifests/pods/record",
    "/state/policy.damaged", /* this one and the next three: nothing has replaced the file */
    "/state/updates/other/journal.damaged",
    "/state/manifests/web/record.damaged",
    "/state/manifests/web/before.list.damaged",
    "/state/young.damaged",
    "/state/young",
    "/storage/main/dead/0000000000000003.seg",
    "/storage/main/dead/stream",
    "/storage/main/bulk/0000000000000002.seg"};

static void set_up(unsigned percent, unsigned step)
{
    memset(&disk, 0, sizeof(disk));
    board_unpack("tests/unit/agent/reclaim.tree", disk.root);
    disk.used = percent;
    disk.step = step;
    for (size_t i = 0; i < HF_LEN(ours); i++)
        age(ours[i], OLD_S);
    for (size_t i = 0; i < HF_LEN(kept); i++)
        age(kept[i], strstr(kept[i], "young") != NULL ? NOW_S - 3600 : OLD_S);
}

static void run(struct hf_reclaim *reclaim)
{
    struct hf_fs_ops fs = *hf_fs_posix();
    char state[256], storage[256];
    const char *const roots[] = {"/opt", "/absent", NULL};
    struct hf_reclaim_params params = {.fs = &fs,
                                       .state_dir = state,
                                       .storage_dir = storage,
                                       .roots = roots,
                                       .host_root = disk.root,
                                       .warn_percent = 70,
                                       .critical_percent = 85,
                                       .now_unix_ns = NOW_S * HF_NS_PER_S};

    fs.fstatvfs = used;
    fs.unlinkat = removes;
    (void)snprintf(state, sizeof(state), "%s/state", disk.root);
    (void)snprintf(storage, sizeof(storage), "%s/storage", disk.root);
    hf_reclaim_run(&params, reclaim);
}

static void put(const char *path)
{
    char full[512];

    (void)snprintf(full, sizeof(full), "%s%s", disk.root, path);
    int fd = open(full, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(close(fd), 0);
    age(path, OLD_S);
}

static bool exists(const char *path)
{
    char full[512];

    (void)snprintf(full, sizeof(full), "%s%s", disk.root, path);
    return access(full, F_OK) == 0;
}

static void expect_kept(void)
{
    for (size_t i = 0; i < HF_LEN(kept); i++)
        ck_assert_msg(exists(kept[i]), "%s is gone", kept[i]);
}

START_TEST(all_in_order)
{
    static const enum hf_reclaim_kind kinds[] = {HF_RECLAIM_DOWNLOAD,  HF_RECLAIM_DOWNLOAD,    HF_RECLAIM_SET_ASIDE,
                                                 HF_RECLAIM_SET_ASIDE, HF_RECLAIM_SET_ASIDE,   HF_RECLAIM_SET_ASIDE,
                                                 HF_RECLAIM_SET_ASIDE, HF_RECLAIM_DEAD_LETTER, HF_RECLAIM_DEAD_LETTER};
    struct hf_reclaim reclaim;

    set_up(99, 0);
    run(&reclaim);
    ck_assert_uint_eq(reclaim.n, HF_LEN(ours));
    for (size_t i = 0; i < HF_LEN(ours); i++) {
        ck_assert_str_eq(reclaim.removed[i].path + strlen(disk.root), ours[i]);
        ck_assert_int_eq(reclaim.removed[i].kind, kinds[i]);
        ck_assert(!exists(ours[i]));
    }
    expect_kept();
    hf_reclaim_done(&reclaim);
    run(&reclaim); /* nothing is left to do */
    ck_assert_uint_eq(reclaim.n, 0);
    expect_kept();
    hf_reclaim_done(&reclaim);
    board_clean(disk.root);
}
END_TEST

static const struct {
    const char *name;
    unsigned percent, step, want;
} passes[] = {
    {"not critical", 84, 5, 0},
    {"critical", 85, 5, 4}, /* 85, 80, 75, 70, 65 */
    {"one is enough", 90, 30, 1},
    {"within the hysteresis", 88, 20, 2}, /* 68 + 2 is not below 70 */
};

START_TEST(until_the_level_falls)
{
    struct hf_reclaim reclaim;
    unsigned want = passes[_i].want;

    set_up(passes[_i].percent, passes[_i].step);
    run(&reclaim);
    ck_assert_msg(reclaim.n == want && disk.removals == want, "%s: %zu", passes[_i].name, reclaim.n);
    expect_kept();
    hf_reclaim_done(&reclaim);
    board_clean(disk.root);
}
END_TEST

START_TEST(read_only_and_stuck)
{
    struct hf_reclaim reclaim;

    set_up(99, 5);
    disk.flags = ST_RDONLY;
    run(&reclaim);
    ck_assert_uint_eq(reclaim.n, 0);
    disk.flags = 0;
    disk.stuck = true;
    run(&reclaim);
    ck_assert_uint_eq(reclaim.n, 0);
    ck_assert(exists(ours[0]));
    hf_reclaim_done(&reclaim);
    board_clean(disk.root);
}
END_TEST

START_TEST(links_lead_nowhere)
{
    struct hf_reclaim reclaim;
    char from[512], to[512];

    set_up(99, 0);
    (void)snprintf(to, sizeof(to), "%s/elsewhere", disk.root);
    ck_assert_int_eq(mkdir(to, 0700), 0);
    (void)snprintf(from, sizeof(from), "%s/state/updates/link", disk.root);
    ck_assert_int_eq(symlink(to, from), 0);
    (void)snprintf(to, sizeof(to), "%s/elsewhere/x.damaged", disk.root);
    put("/elsewhere/x");
    put("/elsewhere/x.damaged");
    put("/state/link");
    (void)snprintf(from, sizeof(from), "%s/state/link.damaged", disk.root);
    ck_assert_int_eq(symlink(to, from), 0);
    age("/state/link.damaged", OLD_S);
    run(&reclaim);
    ck_assert_uint_eq(reclaim.n, HF_LEN(ours));
    ck_assert(exists("/elsewhere/x.damaged") && exists("/state/link.damaged"));
    hf_reclaim_done(&reclaim);
    board_clean(disk.root);
}
END_TEST

START_TEST(bounded)
{
    struct hf_reclaim reclaim;
    char path[64];

    set_up(99, 0);
    for (unsigned i = 0; i < HF_RECLAIM_MAX_REMOVED + 9; i++) {
        (void)snprintf(path, sizeof(path), "/state/%03u.damaged", i);
        put(path);
        *strrchr(path, '.') = '\0';
        put(path);
    }
    run(&reclaim);
    ck_assert_uint_eq(reclaim.n, HF_RECLAIM_MAX_REMOVED);
    hf_reclaim_done(&reclaim);
    board_clean(disk.root);
}
END_TEST

/* The name of a file that was set aside proves that there was one, until a newer file has taken its place. */
START_TEST(evidence_of_a_loss_stays)
{
    static const char list[] = "/state/manifests/pods/before.list",
                      aside[] = "/state/manifests/pods/before.list.damaged";
    struct hf_reclaim reclaim;
    char folder[256];

    set_up(99, 0);
    (void)snprintf(folder, sizeof(folder), "%s/state/manifests/pods", disk.root);
    put(list);
    ck_assert_int_eq(hf_sealed_file_set_aside(hf_fs_posix(), folder, "before.list", NULL), -EBADMSG);
    run(&reclaim);
    hf_reclaim_done(&reclaim);
    ck_assert_int_eq(hf_sealed_file_explain_absence(hf_fs_posix(), folder, "before.list", NULL), -EBADMSG);
    put(list);
    run(&reclaim);
    ck_assert_uint_eq(reclaim.n, 1);
    ck_assert(exists(list) && !exists(aside));
    hf_reclaim_done(&reclaim);
    board_clean(disk.root);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, all_in_order);
    tcase_add_loop_test(tc, until_the_level_falls, 0, HF_LEN(passes));
    tcase_add_test(tc, read_only_and_stuck);
    tcase_add_test(tc, links_lead_nowhere);
    tcase_add_test(tc, bounded);
    tcase_add_test(tc, evidence_of_a_loss_stays);
}

HF_TEST_MAIN("agent/reclaim", cases)
