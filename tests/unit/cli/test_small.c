/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast-delta: what it says to its words, and which patches it applies. */
#include "cli/small.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/fs_posix.h"
#include "support/check_main.h"
#include "support/cli_run.h"
#include "support/makers/packs.h"

enum { MAX_WORDS = 6, TEXT_BYTES = 300000 };

static struct cli_run run;

static void setup(void)
{
    cli_begin(&run);
}

static void teardown(void)
{
    cli_end(&run);
}

/* Its exit code; what it said is in *ret_out and *ret_err. */
static int small(const char *const *words, char **ret_out, char **ret_err)
{
    char *argv[MAX_WORDS + 2] = {strdup("holdfast-delta")};
    int argc = 1;
    size_t n = 0;

    for (; argc <= MAX_WORDS && words[argc - 1] != NULL; argc++)
        argv[argc] = strdup(words[argc - 1]);
    FILE *out = open_memstream(ret_out, &n), *err = open_memstream(ret_err, &n);
    struct hf_cli cli = {.out = out, .err = err, .in_fd = STDIN_FILENO, .out_fd = STDOUT_FILENO, .fs = hf_fs_posix()};
    int code = hf_cli_small_main(&cli, argc, argv);
    (void)fclose(out);
    (void)fclose(err);
    while (argc > 0)
        free(argv[--argc]);
    return code;
}

static const struct {
    const char *words[MAX_WORDS];
    int code;
    const char *out, *err; /* parts of it; NULL: nothing */
} lines[] = {
    {{"--help"}, HF_EXIT_OK, "usage: holdfast-delta", NULL},
    {{"-h"}, HF_EXIT_OK, "--sync", NULL},
    {{"--sync", "--help"}, HF_EXIT_OK, "--version", NULL},
    {{"--version"}, HF_EXIT_OK, "holdfast-delta " HF_VERSION "\n", NULL},
    {{NULL}, HF_EXIT_USAGE, NULL, "holdfast-delta: expected OLD, PATCH and NEW\nusage: "},
    {{"a", "b"}, HF_EXIT_USAGE, NULL, "usage: holdfast-delta [--sync] OLD PATCH NEW\n"},
    {{"a", "b", "c", "d"}, HF_EXIT_USAGE, NULL, "too many arguments"},
    {{"--sink", "a", "b", "c"}, HF_EXIT_USAGE, NULL, "unknown option --sink"},
    {{"--", "--help", "b", "c"}, HF_EXIT_FAILED, NULL, "'--help'"},
    {{"/nothing/there", "b", "c"}, HF_EXIT_FAILED, NULL, "'/nothing/there'"},
    {{"/dev/null", "/dev/null", "c"}, HF_EXIT_USAGE, NULL, "must be a file"},
};

START_TEST(what_it_says)
{
    char *out = NULL, *err = NULL;

    ck_assert_int_eq(small(lines[_i].words, &out, &err), lines[_i].code);
    ck_assert_msg(lines[_i].out != NULL ? strstr(out, lines[_i].out) != NULL : out[0] == '\0', "out: %s", out);
    ck_assert_msg(lines[_i].err != NULL ? strstr(err, lines[_i].err) != NULL : err[0] == '\0', "err: %s", err);
    free(out);
    free(err);
}
END_TEST

static const struct {
    const char *old, *new; /* commands that pack the two texts */
    int code;
    const char *err, *err_of_program; /* NULL: it comes out; of the program, which has no compressor of zstd and xz */
} kinds[] = {
    {"gzip -nc", "gzip -nc", HF_EXIT_OK, NULL, NULL},
    {"gzip -nc1", "gzip -nc9", HF_EXIT_OK, NULL, NULL},
    {"cat", "cat", HF_EXIT_OK, NULL, NULL},
    {"xz -T1 -c", "xz -T1 -c", HF_EXIT_REFUSED, "needs liblzma",
     "'holdfast delta apply', or make it with 'holdfast delta create --plain'"},
    {"zstd -qc", "zstd -qc", HF_EXIT_REFUSED, "needs libzstd",
     "'holdfast delta apply', or make it with 'holdfast delta create --plain'"},
    {"xz -T1 -c", "gzip -nc", HF_EXIT_OK, NULL, "this program lacks xz: use 'holdfast delta apply'"},
};

static void make_patch(const char *old_command, const char *new_command)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20), packed = HF_BUF_INIT(1 << 20);

    packs_text(&text, TEXT_BYTES, 7, 0);
    packs_run(old_command, text.p, text.n, &packed);
    cli_write(&run, "old", packed.p, packed.n);
    hf_buf_clear(&text);
    hf_buf_clear(&packed);
    packs_text(&text, TEXT_BYTES, 7, 100);
    packs_run(new_command, text.p, text.n, &packed);
    cli_write(&run, "new", packed.p, packed.n);
    ck_assert_int_eq(cli(&run, "delta", "create", "%/old", "%/new", "%/patch", NULL), HF_EXIT_OK);
}

static bool came_out(void)
{
    size_t want_n = 0, n = 0;
    char *want = cli_read(&run, "new", &want_n), *got = cli_read(&run, "made", &n);
    bool same = got != NULL && n == want_n && memcmp(got, want, n) == 0;

    ck_assert_msg(same || got == NULL, "another file was made");
    free(want);
    free(got);
    return same;
}

START_TEST(which_patches)
{
    char *out = NULL, *err = NULL;

    make_patch(kinds[_i].old, kinds[_i].new);
    const char *words[] = {cli_path(&run, "old"), cli_path(&run, "patch"), cli_path(&run, "made"), NULL};
    ck_assert_int_eq(small(words, &out, &err), kinds[_i].code);
    ck_assert_msg(kinds[_i].err != NULL ? strstr(err, kinds[_i].err) != NULL : err[0] == '\0', "%s", err);
    ck_assert(came_out() == (kinds[_i].code == HF_EXIT_OK));
    free(out);
    free(err);
}
END_TEST

/* The built program, which is linked with less. */
START_TEST(which_patches_of_the_program)
{
    const char *build = getenv("HF_BUILD_DIR"), *wants = kinds[_i].err_of_program;
    char command[1024];
    size_t n = 0;

    make_patch(kinds[_i].old, kinds[_i].new);
    (void)snprintf(command, sizeof(command), "%s/holdfast-delta --sync %s %s %s >%s/said 2>&1",
                   build != NULL ? build : "build/asan", cli_path(&run, "old"), cli_path(&run, "patch"),
                   cli_path(&run, "made"), run.folder);
    const char *const argv[] = {"sh", "-c", command, NULL};
    pid_t pid = fork();
    if (pid == 0) {
        (void)execv("/bin/sh", (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    int status = 0;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    char *said = cli_read(&run, "said", &n);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == (wants != NULL ? HF_EXIT_REFUSED : HF_EXIT_OK), "%s",
                  said);
    ck_assert_msg(wants != NULL ? strstr(said, wants) != NULL : n == 0, "%s", said);
    ck_assert(came_out() == (wants == NULL));
    free(said);
}
END_TEST

static void all(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, what_it_says, 0, HF_LEN(lines));
    tcase_add_loop_test(tc, which_patches, 0, HF_LEN(kinds));
    tcase_add_loop_test(tc, which_patches_of_the_program, 0, HF_LEN(kinds));
}

HF_TEST_MAIN("cli/small", all)
