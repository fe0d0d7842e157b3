/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs and outputs of commands: whole or not at all, and never in the place of a device. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/release/tar.h"
#include "os/clock_posix.h"
#include "os/fs_posix.h"
#include "support/check_main.h"
#include "support/cli_run.h"

static struct cli_run run;
static struct hf_cli process;
static struct hf_err err;

static void setup(void)
{
    cli_begin(&run);
    process =
        (struct hf_cli){.in_fd = STDIN_FILENO, .out_fd = STDOUT_FILENO, .fs = hf_fs_posix(), .clock = hf_clock_posix()};
}

static void teardown(void)
{
    cli_end(&run);
}

static int put(const char *path, const char *text, bool commit)
{
    _cleanup_(hf_cli_out_done) struct hf_cli_out out = HF_CLI_OUT_INIT;
    int r = hf_cli_out_open(&process, path, 0640, &out, &err);

    if (r == 0)
        r = hf_cli_out_write(&out, text, strlen(text), &err);
    return r == 0 && commit ? hf_cli_out_commit(&out, &err) : r;
}

START_TEST(whole_or_not_at_all)
{
    struct stat st;

    ck_assert_int_eq(put(cli_path(&run, "f"), "unfinished", false), 0);
    ck_assert_int_ne(stat(cli_path(&run, "f"), &st), 0);
    ck_assert_int_eq(put(cli_path(&run, "f"), "first", true), 0);
    ck_assert_int_eq(put(cli_path(&run, "f"), "second", false), 0);
    _cleanup_(hf_freep) char *first = cli_read(&run, "f", NULL);
    ck_assert_str_eq(first, "first");
    ck_assert_int_eq(put(cli_path(&run, "f"), "second", true), 0);
    _cleanup_(hf_freep) char *second = cli_read(&run, "f", NULL);
    ck_assert_str_eq(second, "second");
    ck_assert_int_eq(stat(cli_path(&run, "f"), &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777 & ~0640u, 0);
}
END_TEST

START_TEST(links_are_followed)
{
    struct stat st;

    ck_assert_int_eq(symlink("target", cli_path(&run, "link")), 0);
    cli_write_text(&run, "target", "before");
    ck_assert_int_eq(put(cli_path(&run, "link"), "after", true), 0);
    ck_assert_int_eq(lstat(cli_path(&run, "link"), &st), 0);
    ck_assert(S_ISLNK(st.st_mode));
    _cleanup_(hf_freep) char *text = cli_read(&run, "target", NULL);
    ck_assert_str_eq(text, "after");
}
END_TEST

START_TEST(devices_stay_devices)
{
    struct stat st;

    ck_assert_int_eq(put("/dev/null", "text", true), 0);
    ck_assert_int_eq(stat("/dev/null", &st), 0);
    ck_assert(S_ISCHR(st.st_mode));
    ck_assert_int_eq(put("/dev/full", "text", true), -ENOSPC);
    ck_assert_int_eq(put(run.folder, "text", true), -EISDIR);
    ck_assert_int_eq(put(cli_path(&run, "no/folder"), "text", true), -ENOENT);
}
END_TEST

START_TEST(standard_streams)
{
    int ends[2];
    char text[16] = "";
    struct hf_cli_map map;

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    process.out_fd = ends[1];
    process.in_fd = ends[0];
    ck_assert_int_eq(put("-", "through", true), 0);
    ck_assert_int_eq(put("-", " it", true), 0);
    (void)close(ends[1]);
    ck_assert_int_eq(hf_cli_map_open(&process, "-", 100, &map, &err), 0);
    memcpy(text, map.p, HF_MIN(map.n, sizeof(text) - 1));
    ck_assert_str_eq(text, "through it");
    hf_cli_map_done(&map);
    (void)close(ends[0]);
    process.out_fd = process.in_fd = -1;
    ck_assert_int_lt(put("-", "text", true), 0);
    ck_assert_int_lt(hf_cli_map_open(&process, "-", 100, &map, &err), 0);
}
END_TEST

START_TEST(maps)
{
    struct hf_cli_map map;
    int fd;

    cli_write_text(&run, "empty", "");
    cli_write_text(&run, "file", "12345");
    ck_assert_int_eq(hf_cli_map_open(&process, cli_path(&run, "empty"), 10, &map, &err), 0);
    ck_assert(map.n == 0 && map.p != NULL);
    hf_cli_map_done(&map);
    ck_assert_int_eq(hf_cli_map_open(&process, cli_path(&run, "file"), 5, &map, &err), 0);
    ck_assert_mem_eq(map.p, "12345", 5);
    hf_cli_map_done(&map);
    ck_assert_int_eq(hf_cli_map_open(&process, cli_path(&run, "file"), 4, &map, &err), -E2BIG);
    ck_assert_int_eq(hf_cli_map_open(&process, "/dev/zero", 100000, &map, &err), -E2BIG);
    ck_assert_int_eq(hf_cli_map_open(&process, cli_path(&run, "nothing"), 4, &map, &err), -ENOENT);
    ck_assert_int_eq(hf_cli_in_open(&process, run.folder, &fd, &err), -EISDIR);
}
END_TEST

START_TEST(progress)
{
    char *text = NULL;
    size_t n = 0;

    process.err = open_memstream(&text, &n);
    hf_cli_progress(&process, "quiet", 1, 2);
    process.terminal = true;
    hf_cli_progress(&process, "work", 1, 2);
    hf_cli_progress(&process, "work", 2, 2); /* too soon */
    hf_cli_progress_end(&process);
    hf_cli_progress_end(&process);
    hf_cli_progress(&process, "other", 5, 0);
    (void)fclose(process.err);
    ck_assert_str_eq(text, "\r\033[Kwork  50 %\r\033[K\r\033[Kother");
    free(text);
}
END_TEST

static uint64_t now_ns;

static uint64_t the_time(void *ctx)
{
    (void)ctx;
    return now_ns;
}

/* What is left is told once the pace is known, and reckoned anew when something else begins. */
START_TEST(progress_tells_what_is_left)
{
    static const struct {
        uint64_t at_s, done, total;
        const char *want;
    } steps[] = {
        {0, 0, 1000, "work  0 %"},
        {1, 100, 1000, "work  10 %"}, /* too early to tell */
        {4, 200, 1000, "work  20 %, 17 s left"},
        {10, 500, 1000, "work  50 %, 11 s left"},
        {30, 1000, 1000, "work  100 %"},
        {31, 10, 100000, "work  0 %"},
        {41, 20, 100000, "work  0 %, 28 h left"},
        {131, 50010, 100000, "work  50 %, 2 min left"},
        {231, 50010, 100000, "work  50 %, 3 min left"},
        {232, 5, 100000, "work  0 %"}, /* begun again */
        {233, 0, 0, "work"},
    };
    const struct hf_clock_ops clock = {.mono_ns = the_time};

    process.clock = &clock;
    process.terminal = true;
    for (size_t i = 0; i < HF_LEN(steps); i++) {
        _cleanup_(hf_freep) char *want = hf_asprintf("\r\033[K%s", steps[i].want);
        char *text = NULL;
        size_t n = 0;
        process.err = open_memstream(&text, &n);
        now_ns = (steps[i].at_s + 1) * HF_NS_PER_S;
        hf_cli_progress(&process, "work", steps[i].done, steps[i].total);
        (void)fclose(process.err);
        ck_assert_str_eq(text, want);
        free(text);
    }
}
END_TEST

/* ---- tar ---------------------------------------------------------------------------------------------------------- */

static int add(void *ctx, const void *bytes, size_t n)
{
    return hf_buf_add(ctx, bytes, n);
}

static int tar_of(const char *name, struct hf_buf *out)
{
    return hf_cli_tar(cli_path(&run, name), true, add, out, &err);
}

START_TEST(the_same_folder_gives_the_same_archive)
{
    _cleanup_(hf_buf_done) struct hf_buf a = HF_BUF_INIT(1 << 20), b = HF_BUF_INIT(1 << 20);
    static const char *const names[2][3] = {{"a/x", "a/y", "a/z"}, {"b/z", "b/x", "b/y"}};

    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(mkdir(cli_path(&run, i == 0 ? "a" : "b"), 0755), 0);
        for (size_t k = 0; k < 3; k++)
            cli_write_text(&run, names[i][k], names[i][k] + 1);
    }
    ck_assert_int_eq(tar_of("a", &a), 0);
    ck_assert_int_eq(tar_of("b", &b), 0);
    ck_assert_uint_eq(a.n, b.n);
    ck_assert_mem_eq(a.p, b.p, a.n);
    ck_assert_uint_eq(a.n, 3 * 1024 + 1024);
    ck_assert_mem_eq(a.p + 257, "ustar", 6);
}
END_TEST

START_TEST(what_no_archive_may_hold)
{
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(1 << 20), small = HF_BUF_INIT(100);
    char deep[300] = "d";

    ck_assert_int_eq(tar_of("nothing", &out), -ENOENT);
    for (int i = 0; i < 34; i++) {
        ck_assert_int_eq(mkdir(cli_path(&run, deep), 0755), 0);
        (void)snprintf(deep + strlen(deep), sizeof(deep) - strlen(deep), "/d");
    }
    ck_assert_int_eq(tar_of("d", &out), -E2BIG);
    ck_assert_int_eq(mkdir(cli_path(&run, "p"), 0755), 0);
    ck_assert_int_eq(mkfifo(cli_path(&run, "p/pipe"), 0600), 0);
    ck_assert_int_eq(tar_of("p", &out), -EBADMSG);
    ck_assert_int_eq(mkdir(cli_path(&run, "f"), 0755), 0);
    cli_write_text(&run, "f/x", "text");
    ck_assert_int_eq(tar_of("f", &small), -E2BIG);
}
END_TEST

/* What a release would lose is refused by name. */
START_TEST(what_a_release_does_not_carry)
{
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(1 << 20);

    ck_assert_int_eq(mkdir(cli_path(&run, "e"), 0755), 0);
    ck_assert_int_eq(tar_of("e", &out), -EBADMSG);
    ck_assert_msg(strstr(err.cause, "no file in it") != NULL, "%s", err.cause);
    ck_assert_int_eq(mkdir(cli_path(&run, "e/bin"), 0755), 0);
    ck_assert_int_eq(tar_of("e", &out), -EBADMSG);
    ck_assert_uint_eq(out.n, 0);
    cli_write_text(&run, "e/bin/tool", "text");
    ck_assert_int_eq(tar_of("e", &out), 0);
    const char *const paths[] = {"e/bin/tool", "e/bin", "e"}, *const says[] = {"'bin/tool'", "'bin'", "'.'"};
    for (size_t i = 0; i < HF_LEN(paths); i++) {
        if (setxattr(cli_path(&run, paths[i]), "user.note", "x", 1, 0) < 0)
            return; /* a file system without such attributes */
        ck_assert_int_eq(tar_of("e", &out), -EBADMSG);
        ck_assert_msg(strstr(err.cause, says[i]) != NULL && strstr(err.cause, "user.note") != NULL, "%s", err.cause);
        ck_assert_int_eq(hf_cli_tar(cli_path(&run, "e"), false, add, &out, &err), 0);
        ck_assert_int_eq(removexattr(cli_path(&run, paths[i]), "user.note"), 0);
    }
    static const unsigned char capability[20] = {0x01, 0, 0, 0x02, 0, 0x20};
    if (setxattr(cli_path(&run, "e/bin/tool"), "security.capability", capability, sizeof(capability), 0) == 0) {
        ck_assert_int_eq(tar_of("e", &out), -EBADMSG);
        ck_assert_msg(strstr(err.cause, "AmbientCapabilities=") != NULL, "%s", err.cause);
    }
}
END_TEST

START_TEST(long_names_and_links)
{
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(1 << 20);
    char name[160] = "t/", link[200];

    ck_assert_int_eq(mkdir(cli_path(&run, "t"), 0755), 0);
    memset(name + 2, 'n', 150);
    cli_write_text(&run, name, "text");
    memset(link, 'l', 150);
    link[150] = '\0';
    ck_assert_int_eq(symlink(link, cli_path(&run, "t/l")), 0);
    ck_assert_int_eq(tar_of("t", &out), 0);
    ck_assert_ptr_nonnull(memmem(out.p, out.n, "160 path=nnn", 12));
    ck_assert_ptr_nonnull(memmem(out.p, out.n, "164 linkpath=lll", 16));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, whole_or_not_at_all);
    tcase_add_test(tc, links_are_followed);
    tcase_add_test(tc, devices_stay_devices);
    tcase_add_test(tc, standard_streams);
    tcase_add_test(tc, maps);
    tcase_add_test(tc, progress);
    tcase_add_test(tc, progress_tells_what_is_left);
    tcase_add_test(tc, the_same_folder_gives_the_same_archive);
    tcase_add_test(tc, what_no_archive_may_hold);
    tcase_add_test(tc, what_a_release_does_not_carry);
    tcase_add_test(tc, long_names_and_links);
}
HF_TEST_MAIN("cli/io", cases)
