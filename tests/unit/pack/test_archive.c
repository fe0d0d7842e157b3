/* SPDX-License-Identifier: Apache-2.0 */
/* Folders as canonical archives and back: nothing is lost, nothing gets out. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "os/dir.h"
#include "os/fs_posix.h"
#include "pack/tar/archive.h"
#include "pack/tar/extract.h"
#include "pack/tar/tar_head.h"
#include "support/check_main.h"
#include "support/makers/packs.h"

#define BUF HF_BUF_INIT(1 << 26)

static char top[64];

static void start(void)
{
    (void)snprintf(top, sizeof(top), "/tmp/holdfast-archive-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(top));
}

static void stop(void)
{
    ck_assert_int_eq(hf_dir_remove_tree(hf_fs_posix(), top, NULL), 0);
}

static void script(const char *text)
{
    char line[2048];
    struct hf_buf out = BUF;

    (void)snprintf(line, sizeof(line), "set -e; umask 022; cd %s; %s", top, text);
    packs_run(line, "", 0, &out);
    hf_buf_done(&out);
}

static int folder(const char *name)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", top, name);
    (void)mkdir(path, 0755);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    return fd;
}

/* All bytes of the archive, read in pieces of `step`. */
static int archive_of(const char *name, unsigned flags, size_t step, struct hf_buf *out, struct hf_err *err)
{
    struct hf_archive *archive = NULL;
    int fd = folder(name), r = hf_archive_new(hf_fs_posix(), fd, flags, NULL, &archive, err);

    if (r == 0) {
        struct hf_delta_old bytes = hf_archive_bytes(archive);
        unsigned char piece[40000];
        ssize_t n;
        while ((n = bytes.pread(bytes.ctx, piece, step, out->n)) > 0)
            ck_assert_int_eq(hf_buf_add(out, piece, (size_t)n), 0);
        ck_assert_int_eq(n, 0);
        ck_assert_uint_eq(out->n, bytes.size);
        hf_archive_free(archive);
    }
    (void)close(fd);
    return r;
}

static int extract_by(enum hf_extract_rules rules, const char *name, const struct hf_buf *bytes, size_t step,
                      struct hf_err *err)
{
    struct hf_extract *extract = NULL;
    const struct hf_extract_params params = {
        .fs = hf_fs_posix(), .dirfd = folder(name), .rules = rules, .uid = getuid(), .gid = getgid()};
    int fd = params.dirfd, r = hf_extract_new(&params, &extract, err);

    for (size_t at = 0; r == 0 && at < bytes->n; at += step)
        r = hf_extract_feed(extract, bytes->p + at, HF_MIN(step, bytes->n - at), err);
    if (r == 0)
        r = hf_extract_finish(extract, err);
    hf_extract_free(extract);
    (void)close(fd);
    return r;
}

static int extract_to(const char *name, const struct hf_buf *bytes, size_t step, struct hf_err *err)
{
    return extract_by(HF_EXTRACT_CANONICAL, name, bytes, step, err);
}

static const char a_tree[] =
    "mkdir -p t/bin t/empty t/z/deep/er; printf 'hello world' >t/bin/run; chmod 4755 t/bin/run; ln t/bin/run "
    "t/bin/same;"
    "ln -s run t/bin/link; ln -s /etc/passwd t/z/out; : >t/nothing; chmod 600 t/nothing; head -c 70000 /dev/urandom "
    ">t/z/deep/er/data;"
    "long=$(printf 'n%.0s' $(seq 1 120)); mkdir t/$long; echo x >t/$long/$long; ln -s $long/$long/$long t/way;"
    "chmod 500 t/z/deep; chmod 1777 t/empty; touch t/a.txt; mkdir t/a";

START_TEST(folder_and_back)
{
    static const unsigned flags[] = {0, HF_ARCHIVE_OWNERS, HF_ARCHIVE_XATTRS, HF_ARCHIVE_OWNERS | HF_ARCHIVE_XATTRS};
    _cleanup_(hf_buf_done) struct hf_buf first = BUF, pieces = BUF, second = BUF;
    struct hf_err err = HF_ERR_INIT;
    char path[128];
    struct stat a, b;

    script(a_tree);
    if (getuid() == 0)
        script("chown 3000000:12 t/nothing");
    (void)snprintf(path, sizeof(path), "%s/t/nothing", top);
    bool has_xattrs = setxattr(path, "user.b", "two\0three", 9, 0) == 0 && setxattr(path, "user.a", "", 0, 0) == 0;
    ck_assert_msg(archive_of("t", flags[_i], 40000, &first, &err) == 0, "%s", err.cause);
    ck_assert_int_eq(archive_of("t", flags[_i], 333, &pieces, &err), 0);
    ck_assert(pieces.n == first.n && memcmp(pieces.p, first.p, first.n) == 0);
    int r = extract_to("back", &first, 4097, &err);
    ck_assert_msg(r == 0, "%s", err.cause);
    ck_assert_int_eq(archive_of("back", flags[_i], 40000, &second, &err), 0);
    ck_assert(second.n == first.n && memcmp(second.p, first.p, first.n) == 0);
    (void)snprintf(path, sizeof(path), "%s/back/bin/run", top);
    ck_assert_int_eq(stat(path, &a), 0);
    (void)snprintf(path, sizeof(path), "%s/back/bin/same", top);
    ck_assert_int_eq(stat(path, &b), 0);
    ck_assert(a.st_ino == b.st_ino && (a.st_mode & 07777) == 04755);
    if ((flags[_i] & HF_ARCHIVE_OWNERS) != 0 && getuid() == 0) {
        (void)snprintf(path, sizeof(path), "%s/back/nothing", top);
        ck_assert_int_eq(stat(path, &a), 0);
        ck_assert(a.st_uid == 3000000 && a.st_gid == 12);
    }
    char value[16];
    (void)snprintf(path, sizeof(path), "%s/back/nothing", top);
    ssize_t n = getxattr(path, "user.b", value, sizeof(value));
    ck_assert(!has_xattrs || n == ((flags[_i] & HF_ARCHIVE_XATTRS) != 0 ? 9 : -1));
    script("chmod -R u+rwx t back");
}
END_TEST

/* GNU tar, and every other, can read it. */
START_TEST(is_a_tar)
{
    _cleanup_(hf_buf_done) struct hf_buf bytes = BUF, list = BUF;
    struct hf_err err = HF_ERR_INIT;

    script(a_tree);
    ck_assert_int_eq(archive_of("t", 0, 40000, &bytes, &err), 0);
    packs_run("tar -tf - | wc -l", bytes.p, bytes.n, &list);
    ck_assert_int_eq(strtol(list.p, NULL, 10), 16);
    script("chmod -R u+rwx t");
}
END_TEST

/* Archives of GNU tar in each of its formats become the same folder, in whatever pieces they arrive. */
START_TEST(any_tar)
{
    static const char *const formats[] = {"gnu", "pax", "ustar", "v7"};
    static const size_t steps[] = {1, 511, 700, 1 << 20};
    char command[200];

    script(a_tree);
    if (_i >= 2)
        script("rm -r t/nnn* t/way"); /* names that these formats cannot hold */
    for (size_t i = 0; i < HF_LEN(steps); i++) {
        _cleanup_(hf_buf_done) struct hf_buf bytes = BUF;
        struct hf_err err = HF_ERR_INIT;
        (void)snprintf(command, sizeof(command), "tar --format=%s -C %s/t -cf - .", formats[_i], top);
        packs_run(command, "", 0, &bytes);
        script("mkdir new");
        int r = extract_by(HF_EXTRACT_ANY, "new", &bytes, steps[i], &err);
        ck_assert_msg(r == 0, "%s, %zu: %s", formats[_i], steps[i], err.cause);
        script("diff -r --no-dereference t new; test new/bin/run -ef new/bin/same; test $(stat -c %a new/empty) = 1777;"
               "test $(stat -c %a new/z/deep) = 500; chmod -R u+rwx new; rm -r new");
    }
    script("chmod -R u+rwx t");
}
END_TEST

START_TEST(refuses_what_is_no_file)
{
    _cleanup_(hf_buf_done) struct hf_buf bytes = BUF;
    struct hf_err err = HF_ERR_INIT;

    script("mkdir -p t/a; mkfifo t/a/pipe");
    ck_assert_int_eq(archive_of("t", 0, 40000, &bytes, &err), -EBADMSG);
    ck_assert_ptr_nonnull(strstr(err.cause, "a/pipe"));
}
END_TEST

START_TEST(notices_change)
{
    struct hf_archive *archive = NULL;
    unsigned char before[HF_SHA256_BYTES], after[HF_SHA256_BYTES];
    struct hf_err err = HF_ERR_INIT;

    script("mkdir t; echo 123456 >t/file");
    int fd = folder("t");
    ck_assert_int_eq(hf_archive_new(hf_fs_posix(), fd, 0, NULL, &archive, &err), 0);
    ck_assert_int_eq(hf_archive_digest(archive, before, &err), 0);
    script("echo 123457 >t/file");
    ck_assert_int_eq(hf_archive_digest(archive, after, &err), 0);
    ck_assert_int_ne(memcmp(before, after, sizeof(before)), 0);
    script(": >t/file");
    ck_assert_int_eq(hf_archive_digest(archive, after, &err), -ESTALE);
    ck_assert_ptr_nonnull(strstr(err.where, "file") != NULL ? err.where : strstr(err.cause, "file"));
    hf_archive_free(archive);
    (void)close(fd);
}
END_TEST

/* ---- hostile archives ----------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    struct tar_head members[3];
} hostile[] = {
    {"up", {{.type = '0', .name = "../out", .target = ""}}},
    {"up in the middle",
     {{.type = '5', .name = "a", .target = ""}, {.type = '0', .name = "a/../../out", .target = ""}}},
    {"absolute", {{.type = '0', .name = "/tmp/out", .target = ""}}},
    {"dot", {{.type = '5', .name = ".", .target = ""}}},
    {"empty part", {{.type = '0', .name = "a//b", .target = ""}}},
    {"no name", {{.type = '0', .name = "", .target = ""}}},
    {"through a link", {{.type = '2', .name = "l", .target = ".."}, {.type = '0', .name = "l/out", .target = ""}}},
    {"through an absolute link",
     {{.type = '2', .name = "l", .target = "/tmp"}, {.type = '5', .name = "l/out", .target = ""}}},
    {"onto a link", {{.type = '2', .name = "l", .target = "../out"}, {.type = '0', .name = "l", .target = ""}}},
    {"twice", {{.type = '0', .name = "a", .target = ""}, {.type = '0', .name = "a", .target = ""}}},
    {"hard link out", {{.type = '1', .name = "a", .target = "../keep"}}},
    {"hard link to a link",
     {{.type = '2', .name = "l", .target = "../keep"}, {.type = '1', .name = "a", .target = "l"}}},
    {"hard link through a link",
     {{.type = '2', .name = "l", .target = ".."}, {.type = '1', .name = "a", .target = "l/keep"}}},
    {"device", {{.type = '3', .name = "a", .target = ""}}},
    {"pipe", {{.type = '6', .name = "a", .target = ""}}},
    {"link without target", {{.type = '2', .name = "a", .target = ""}}},
    {"file with target", {{.type = '0', .name = "a", .target = "b"}}},
    {"folder with content", {{.type = '5', .name = "a", .target = "", .size = 5}}},
};

START_TEST(nothing_gets_out)
{
    static const char end[2 * HF_TAR_BLOCK];
    _cleanup_(hf_buf_done) struct hf_buf bytes = BUF;
    struct hf_err err = HF_ERR_INIT;
    char path[128];
    struct stat st;

    script("echo keep >keep");
    for (size_t i = 0; i < 3 && hostile[_i].members[i].name != NULL; i++)
        ck_assert_int_eq(tar_head_format(&hostile[_i].members[i], &bytes), 0);
    ck_assert_int_eq(hf_buf_add(&bytes, end, sizeof(end)), 0);
    int r = extract_to("new", &bytes, 512, &err);
    ck_assert_msg(r < 0 && err.cause[0] != '\0', "%s: %d", hostile[_i].name, r);
    /* Without the canonical form some of them are harmless; but none gets out. */
    (void)!extract_by(HF_EXTRACT_ANY, "any", &bytes, 512, &err);
    (void)snprintf(path, sizeof(path), "%s/out", top);
    ck_assert_msg(lstat(path, &st) < 0 && errno == ENOENT, "%s", hostile[_i].name);
    (void)snprintf(path, sizeof(path), "%s/keep", top);
    ck_assert_msg(lstat(path, &st) == 0 && st.st_nlink == 1, "%s", hostile[_i].name);
}
END_TEST

START_TEST(damage)
{
    _cleanup_(hf_buf_done) struct hf_buf bytes = BUF;
    struct hf_err err = HF_ERR_INIT;

    script("mkdir -p t/a; echo one >t/a/one; ln -s one t/a/two; ln t/a/one t/b");
    ck_assert_int_eq(archive_of("t", HF_ARCHIVE_OWNERS, 40000, &bytes, &err), 0);
    for (size_t i = 0; i<bytes.n; i += i % 512> 340 ? 38u : 1u) {
        char name[32];
        bytes.p[i] ^= 2;
        (void)snprintf(name, sizeof(name), "d%zu", i);
        int r = extract_to(name, &bytes, 512, &err);
        /* What a file holds is the business of the hash over all. */
        ck_assert_msg(r < 0 || i % 512 < 4, "byte %zu", i);
        bytes.p[i] ^= 2;
        struct hf_buf less = {.p = bytes.p, .n = i};
        (void)snprintf(name, sizeof(name), "l%zu", i);
        ck_assert_int_lt(extract_to(name, &less, 512, &err), 0);
    }
}
END_TEST

static void all(TCase *tc)
{
    tcase_add_checked_fixture(tc, start, stop);
    tcase_add_loop_test(tc, folder_and_back, 0, 4);
    tcase_add_test(tc, is_a_tar);
    tcase_add_loop_test(tc, any_tar, 0, 4);
    tcase_add_test(tc, refuses_what_is_no_file);
    tcase_add_test(tc, notices_change);
    tcase_add_loop_test(tc, nothing_gets_out, 0, (int)HF_LEN(hostile));
    tcase_add_test(tc, damage);
}

HF_TEST_MAIN_CPU("pack/archive", all, 120)
