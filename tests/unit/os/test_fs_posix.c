/* SPDX-License-Identifier: Apache-2.0 */
#include "os/fs_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "os/clock_posix.h"
#include "os/dir.h"
#include "os/rand_posix.h"
#include "support/check_main.h"

static const struct hf_fs_ops *fs;
static char folder[64];
static int top;

static void set_up(void)
{
    fs = hf_fs_posix();
    (void)snprintf(folder, sizeof(folder), "/tmp/hf-os-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    top = fs->openat(NULL, AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, 0, HF_FS_ANY);
    ck_assert_int_ge(top, 0);
}

static void tear_down(void)
{
    ck_assert_int_eq(fs->close(NULL, top), 0);
    ck_assert_int_eq(hf_dir_remove_tree(fs, folder, NULL), 0);
}

static void put(const char *name, const char *text)
{
    int fd = fs->openat(NULL, top, name, O_WRONLY | O_CREAT | O_TRUNC, 0644, HF_FS_ANY);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fs->pwrite(NULL, fd, text, strlen(text), 0), (ssize_t)strlen(text));
    ck_assert_int_eq(fs->close(NULL, fd), 0);
}

/* The scene: a/file, a/link -> file, out -> /etc, up -> .., a/up -> ../a/file, abs -> the folder itself, by its whole name. */
static void make_scene(void)
{
    ck_assert_int_eq(fs->mkdirat(NULL, top, "a", 0755), 0);
    put("a/file", "text");
    ck_assert_int_eq(fs->symlinkat(NULL, "file", top, "a/link"), 0);
    ck_assert_int_eq(fs->symlinkat(NULL, "/etc", top, "out"), 0);
    ck_assert_int_eq(fs->symlinkat(NULL, "..", top, "up"), 0);
    ck_assert_int_eq(fs->symlinkat(NULL, "../a/file", top, "a/up"), 0);
    ck_assert_int_eq(fs->symlinkat(NULL, folder, top, "abs"), 0);
}

static const struct {
    const char *path;
    unsigned resolve;
    int want; /* 0: opens */
} opens[] = {
    {"a/file", HF_FS_ANY, 0},
    {"a/link", HF_FS_ANY, 0},
    {"out/passwd", HF_FS_ANY, 0},
    {"a/file", HF_FS_BENEATH, 0},
    {"a/link", HF_FS_BENEATH, 0},
    {"a/up", HF_FS_BENEATH, 0}, /* ".." that stays inside */
    {"a/../a/file", HF_FS_BENEATH, 0},
    {"out/passwd", HF_FS_BENEATH, -EXDEV},
    {"up", HF_FS_BENEATH, -EXDEV},
    {"..", HF_FS_BENEATH, -EXDEV},
    {"/etc/passwd", HF_FS_BENEATH, -EXDEV},
    {"abs/a/file", HF_FS_BENEATH, -EXDEV},
    {"a/file", HF_FS_NO_SYMLINKS, 0},
    {"/etc/passwd", HF_FS_NO_SYMLINKS, 0},
    {"a/link", HF_FS_NO_SYMLINKS, -ELOOP},
    {"out/passwd", HF_FS_NO_SYMLINKS, -ELOOP},
    {"a/file", HF_FS_BENEATH | HF_FS_NO_SYMLINKS, 0},
    {"a/link", HF_FS_BENEATH | HF_FS_NO_SYMLINKS, -ELOOP},
    {"none", HF_FS_BENEATH, -ENOENT},
    {"", HF_FS_BENEATH, -ENOENT},
};

START_TEST(resolving)
{
    make_scene();
    int fd = fs->openat(NULL, top, opens[_i].path, O_RDONLY, 0, opens[_i].resolve);
    ck_assert_msg(opens[_i].want == 0 ? fd >= 0 : fd == opens[_i].want, "%s: %d", opens[_i].path, fd);
    if (fd >= 0) {
        ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        ck_assert_int_eq(fs->close(NULL, fd), 0);
    }
}
END_TEST

START_TEST(creating_strictly)
{
    struct stat st;

    int fd = fs->openat(NULL, top, "new", O_WRONLY | O_CREAT | O_EXCL, 0640, HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fs->fchmod(NULL, fd, 0600), 0);
    ck_assert_int_eq(fs->fstat(NULL, fd, &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0600);
    ck_assert_int_eq(fs->close(NULL, fd), 0);
    ck_assert_int_eq(fs->openat(NULL, top, "new", O_WRONLY | O_CREAT | O_EXCL, 0640, HF_FS_BENEATH), -EEXIST);
}
END_TEST

START_TEST(bytes)
{
    char text[16] = "";
    struct stat st;
    int fd = fs->openat(NULL, top, "f", O_RDWR | O_CREAT, 0644, HF_FS_ANY);

    ck_assert_int_eq(fs->pwrite(NULL, fd, "world", 5, 6), 5);
    ck_assert_int_eq(fs->pwrite(NULL, fd, "hello ", 6, 0), 6);
    ck_assert_int_eq(fs->pread(NULL, fd, text, sizeof(text), 0), 11);
    ck_assert_str_eq(text, "hello world");
    ck_assert_int_eq(fs->pread(NULL, fd, text, sizeof(text), 11), 0);
    ck_assert_int_eq(fs->ftruncate(NULL, fd, 5), 0);
    ck_assert_int_eq(fs->fdatasync(NULL, fd), 0);
    ck_assert_int_eq(fs->fsync(NULL, fd), 0);
    ck_assert_int_eq(fs->fstat(NULL, fd, &st), 0);
    ck_assert_int_eq(st.st_size, 5);
    int r = fs->fallocate(NULL, fd, 0, 8192);
    ck_assert(r == 0 || r == -EOPNOTSUPP);
    ck_assert_int_eq(fs->close(NULL, fd), 0);
    ck_assert_int_eq(fs->pread(NULL, fd, text, 1, 0), -EBADF);
    ck_assert_int_eq(fs->pwrite(NULL, fd, text, 1, 0), -EBADF);
    ck_assert_int_eq(fs->fsync(NULL, fd), -EBADF);
    ck_assert_int_eq(fs->close(NULL, fd), -EBADF);
}
END_TEST

START_TEST(names)
{
    char text[64] = "";
    struct stat st;

    put("one", "1");
    ck_assert_int_eq(fs->linkat(NULL, top, "one", top, "two"), 0);
    ck_assert_int_eq(fs->linkat(NULL, top, "one", top, "two"), -EEXIST);
    ck_assert_int_eq(fs->renameat(NULL, top, "one", top, "three"), 0);
    ck_assert_int_eq(fs->fstatat(NULL, top, "one", &st, 0), -ENOENT);
    ck_assert_int_eq(fs->fstatat(NULL, top, "two", &st, 0), 0);
    ck_assert_uint_eq(st.st_nlink, 2);
    ck_assert_int_eq(fs->symlinkat(NULL, "three", top, "link"), 0);
    ck_assert_int_eq(fs->readlinkat(NULL, top, "link", text, sizeof(text)), 5);
    ck_assert_str_eq(text, "three");
    ck_assert_int_eq(fs->fstatat(NULL, top, "link", &st, AT_SYMLINK_NOFOLLOW), 0);
    ck_assert(S_ISLNK(st.st_mode));
    ck_assert_int_eq(fs->unlinkat(NULL, top, "three", 0), 0);
    ck_assert_int_eq(fs->mkdirat(NULL, top, "d", 0700), 0);
    ck_assert_int_eq(fs->unlinkat(NULL, top, "d", 0), -EISDIR);
    ck_assert_int_eq(fs->unlinkat(NULL, top, "d", AT_REMOVEDIR), 0);
}
END_TEST

START_TEST(attributes)
{
    char names_text[256] = "", value[16] = "";
    struct statvfs room;

    put("f", "x");
    int fd = fs->openat(NULL, top, "f", O_RDONLY, 0, HF_FS_ANY);
    int r = fs->fsetxattr(NULL, fd, "user.holdfast", "yes", 3);
    ck_assert_msg(r == 0 || r == -EOPNOTSUPP, "%d", r);
    if (r == 0) {
        ck_assert_int_eq(fs->fgetxattr(NULL, fd, "user.holdfast", value, sizeof(value)), 3);
        ck_assert_str_eq(value, "yes");
        ck_assert_int_ge(fs->flistxattr(NULL, fd, names_text, sizeof(names_text)), (ssize_t)sizeof("user.holdfast"));
        ck_assert_int_eq(fs->fgetxattr(NULL, fd, "user.none", value, sizeof(value)), -ENODATA);
    }
    ck_assert_int_eq(fs->fchown(NULL, fd, getuid(), getgid()), 0);
    ck_assert_int_eq(fs->fstatvfs(NULL, fd, &room), 0);
    ck_assert_uint_gt(room.f_blocks, 0);
    ck_assert_int_eq(fs->close(NULL, fd), 0);
}
END_TEST

struct seen {
    int n;
    int stop_at;
    bool dots;
};

static int see(void *arg, const char *name, unsigned char type)
{
    struct seen *seen = arg;

    (void)type;
    seen->dots |= name[0] == '.';
    return ++seen->n == seen->stop_at ? -EDOM : 0;
}

START_TEST(lists)
{
    struct seen all = {0, 0, false}, some = {0, 2, false};

    for (int i = 0; i < 100; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "f%d", i);
        put(name, "");
    }
    ck_assert_int_eq(fs->list(NULL, top, see, &all), 0);
    ck_assert_int_eq(all.n, 100);
    ck_assert(!all.dots);
    ck_assert_int_eq(fs->list(NULL, top, see, &some), -EDOM);
    ck_assert_int_eq(some.n, 2);
    ck_assert_int_eq(fs->list(NULL, top, see, &all), 0); /* the descriptor is as it was */
    ck_assert_int_eq(all.n, 200);
    ck_assert_int_eq(fs->list(NULL, -1, see, &all), -EBADF);
}
END_TEST

START_TEST(locks)
{
    put("lock", "");
    int one = fs->openat(NULL, top, "lock", O_RDWR, 0, HF_FS_ANY),
        two = fs->openat(NULL, top, "lock", O_RDWR, 0, HF_FS_ANY);
    ck_assert_int_eq(fs->flock(NULL, one, LOCK_EX | LOCK_NB), 0);
    ck_assert_int_eq(fs->flock(NULL, two, LOCK_EX | LOCK_NB), -EWOULDBLOCK);
    ck_assert_int_eq(fs->close(NULL, one), 0);
    ck_assert_int_eq(fs->flock(NULL, two, LOCK_EX | LOCK_NB), 0);
    ck_assert_int_eq(fs->close(NULL, two), 0);
}
END_TEST

START_TEST(clocks_and_random)
{
    const struct hf_clock_ops *clock = hf_clock_posix();
    const struct hf_rand_ops *rng = hf_rand_posix();
    uint64_t before = hf_mono_ns(clock), ones = 0, zeros = 0;

    ck_assert_uint_gt(hf_unix_ns(clock) / HF_NS_PER_S, 1700000000ull);
    for (int i = 0; i < 1000; i++) {
        uint64_t now = hf_mono_ns(clock);
        ck_assert_uint_ge(now, before);
        before = now;
        uint64_t value = rng->u64(rng->ctx);
        ones |= value;
        zeros |= ~value;
        ck_assert_uint_lt(hf_rand_below(rng, 10), 10);
    }
    ck_assert_uint_eq(ones, UINT64_MAX); /* every bit was both */
    ck_assert_uint_eq(zeros, UINT64_MAX);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, resolving, 0, (int)HF_LEN(opens));
    tcase_add_test(tc, creating_strictly);
    tcase_add_test(tc, bytes);
    tcase_add_test(tc, names);
    tcase_add_test(tc, attributes);
    tcase_add_test(tc, lists);
    tcase_add_test(tc, locks);
    tcase_add_test(tc, clocks_and_random);
}

HF_TEST_MAIN("os/fs_posix", cases)
