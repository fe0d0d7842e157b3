/* SPDX-License-Identifier: Apache-2.0 */
/* The thin program: what it does itself, and how the whole program takes over. */
#include "cli/front.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/args.h"
#include "delta/delta.h"
#include "os/clock_posix.h"
#include "os/fs_posix.h"
#include "os/pages.h"
#include "pack/deep/deep.h"
#include "support/check_main.h"
#include "support/cli_run.h"

enum { MAX_WORDS = 10 };

static struct cli_run run;

static void setup(void)
{
    cli_begin(&run);
}

static void teardown(void)
{
    cli_end(&run);
}

static const struct {
    const char *words[MAX_WORDS];
    bool want;
} lines[] = {
    {{"holdfast", "delta", "apply", "a", "b", "c"}, true},
    {{"/usr/bin/kubectl-holdfast", "delta", "apply", "--sha256", "00", "a", "b", "c"}, true},
    {{"holdfast", "delta", "apply"}, true}, /* it says what is wrong as well as the whole program would */
    {{"holdfast", "delta", "apply", "--", "--help", "b", "c"}, true},
    {{"holdfast", "delta", "create", "a", "b", "c", "--fast"}, true},
    {{"holdfast", "delta", "create", "a", "b", "c"}, true},
    {{"holdfast", "delta", "create", "--", "--fast", "b", "c"}, true},
    {{"holdfast", "delta", "create", "--fast", "--help"}, false},
    {{"holdfast", "delta", "apply", "--sha256", "-h", "a", "b", "c"}, true},
    {{"holdfast", "delta", "apply", "a", "b", "c", "--help"}, false},
    {{"holdfast", "delta", "apply", "-h"}, false},
    {{"holdfast", "delta", "info", "apply"}, false},
    {{"holdfast", "delta"}, false},
    {{"holdfast", "help", "delta", "apply"}, false},
    {{"holdfast", "--version"}, false},
    {{"holdfast"}, false},
    {{NULL}, false},
};

static int words_of(const char *const *words, char *argv[MAX_WORDS + 1])
{
    int n = 0;

    for (; n < MAX_WORDS && words[n] != NULL; n++)
        argv[n] = strdup(words[n]);
    argv[n] = NULL;
    return n;
}

static void words_done(char **argv)
{
    for (; *argv != NULL; argv++)
        free(*argv);
}

START_TEST(what_is_the_thin_programs_own)
{
    char *argv[MAX_WORDS + 1];
    int argc = words_of(lines[_i].words, argv);

    ck_assert_int_eq(hf_cli_front_takes(argc, argv), lines[_i].want);
    words_done(argv);
}
END_TEST

/* Run it; what it said is in *ret_text. */
static int front(const char *self, const char *const *words, char **ret_text)
{
    char *argv[MAX_WORDS + 1];
    int argc = words_of(words, argv);
    size_t n = 0;
    FILE *said = open_memstream(ret_text, &n);
    struct hf_cli process = {.out = said,
                             .err = said,
                             .in_fd = STDIN_FILENO,
                             .out_fd = STDOUT_FILENO,
                             .clock = hf_clock_posix(),
                             .fs = hf_fs_posix()};
    int code = hf_cli_front_main(&process, self, argc, argv);

    (void)fclose(said);
    words_done(argv);
    return code;
}

/* Slips get the same answer from both: the thin program's row is the table's. */
START_TEST(both_programs_answer_alike)
{
    static const char *const slips[][MAX_WORDS] = {
        {"holdfast", "delta", "apply"},
        {"holdfast", "delta", "apply", "a", "b"},
        {"holdfast", "delta", "apply", "a", "b", "c", "d"},
        {"holdfast", "delta", "apply", "--sha", "00", "a", "b", "c"},
        {"holdfast", "delta", "apply", "/nothing/there", "b", "c"},
        {"holdfast", "delta", "apply", "--sha256", "00", "/dev/null", "/dev/null", "c"},
        {"holdfast", "delta", "create", "--fast", "a", "b"},
        {"holdfast", "delta", "create", "--fast", "--small", "a", "b", "c"},
        {"holdfast", "delta", "create", "--fast", "-j", "many", "a", "b", "c"},
    };
    char *argv[MAX_WORDS + 1], *thin = NULL, *whole = NULL;
    int argc = words_of(slips[_i], argv);
    size_t n = 0;
    FILE *said = open_memstream(&whole, &n);
    struct hf_cli process = {.out = said, .err = said, .clock = hf_clock_posix(), .fs = hf_fs_posix()};
    int want = hf_cli_main(&process, argc, argv);

    (void)fclose(said);
    ck_assert_int_ne(want, HF_EXIT_OK);
    ck_assert_int_eq(front(NULL, slips[_i], &thin), want);
    ck_assert_str_eq(thin, whole);
    words_done(argv);
    free(thin);
    free(whole);
}
END_TEST

START_TEST(it_applies)
{
    char old[40000], text[40000];

    for (size_t i = 0; i < sizeof(old); i++)
        old[i] = text[i] = (char)((i * 7919) >> 5);
    memcpy(text + 20000, "something else", 14);
    cli_write(&run, "old", old, sizeof(old));
    cli_write(&run, "new", text, sizeof(text));
    ck_assert_int_eq(cli(&run, "delta", "create", "%/old", "%/new", "%/patch", NULL), HF_EXIT_OK);
    const char *words[MAX_WORDS] = {
        "holdfast", "delta", "apply", cli_path(&run, "old"), cli_path(&run, "patch"), cli_path(&run, "made")};
    char *said = NULL;
    ck_assert_int_eq(front(NULL, words, &said), HF_EXIT_OK);
    ck_assert_str_eq(said, "");
    free(said);
    size_t n = 0;
    char *made = cli_read(&run, "made", &n);
    ck_assert_uint_eq(n, sizeof(text));
    ck_assert_mem_eq(made, text, n);
    free(made);
}
END_TEST

/* The same bytes as the whole program's; what it would look inside of is left to that. */
START_TEST(it_creates)
{
    static const unsigned char zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
    char old[40000], text[40000], *said = NULL;
    size_t n = 0, want_n = 0;

    for (size_t i = 0; i < sizeof(old); i++)
        old[i] = text[i] = (char)((i * 7919) >> 5);
    memcpy(text + 20000, "something else", 14);
    cli_write(&run, "old", old, sizeof(old));
    cli_write(&run, "new", text, sizeof(text));
    const char *words[MAX_WORDS] = {
        "holdfast", "delta", "create", cli_path(&run, "old"), cli_path(&run, "new"), cli_path(&run, "patch"),
        "--fast",   "-j2"};
    ck_assert_int_eq(front(NULL, words, &said), HF_EXIT_OK);
    ck_assert_ptr_nonnull(strstr(said, " % of the new 40.0 kB\n"));
    free(said);
    ck_assert_int_eq(cli(&run, "delta", "create", "--fast", "%/old", "%/new", "%/want", NULL), HF_EXIT_OK);
    char *made = cli_read(&run, "patch", &n), *want = cli_read(&run, "want", &want_n);
    ck_assert_uint_eq(n, want_n);
    ck_assert_mem_eq(made, want, n);
    free(made);
    free(want);
    for (size_t at = 0; at <= sizeof(text) - sizeof(zstd); at += at < 300 || at > sizeof(text) - 300 ? 1 : 997) {
        char kept[sizeof(zstd)];
        memcpy(kept, text + at, sizeof(zstd));
        memcpy(text + at, zstd, sizeof(zstd));
        ck_assert_msg(hf_deep_may_hold_zstd(text, sizeof(text)), "at %zu", at);
        ck_assert(!hf_deep_may_hold_zstd(text, at + 3));
        memcpy(text + at, kept, sizeof(zstd));
    }
    memcpy(text + 777, zstd, sizeof(zstd));
    cli_write(&run, "new", text, sizeof(text));
    ck_assert_int_eq(front(NULL, words, &said), HF_EXIT_FAILED);
    ck_assert_ptr_nonnull(strstr(said, "/proc is not mounted"));
    free(said);
}
END_TEST

/* Every beginning at every place of a pass, and nothing less. */
START_TEST(the_small_profile_looks_for_more)
{
    static const struct {
        unsigned char bytes[4];
        bool want;
    } starts[] = {{{0x1f, 0x8b, 8, 0}, true},       {{0x1f, 0x8b, 8, 0xff}, false},   {{0x1f, 0x8b, 7, 0}, false},
                  {{'P', 'K', 3, 4}, true},         {{'P', 'K', 1, 2}, false},        {{0xfd, '7', 'z', 'X'}, true},
                  {{0x28, 0xb5, 0x2f, 0xfd}, true}, {{0x28, 0xb5, 0x2f, 0xfc}, false}};
    unsigned char text[200];

    for (size_t n = 0; n <= sizeof(text); n += n < 140 ? 1 : 20) {
        memset(text, 'x', sizeof(text));
        ck_assert(!hf_deep_may_hold_packed(text, n));
        for (size_t at = 0; at + 4 <= n; at++) {
            memcpy(text + at, starts[_i].bytes, 4);
            ck_assert_msg(hf_deep_may_hold_packed(text, n) == starts[_i].want, "%zu of %zu", at, n);
            ck_assert(!hf_deep_may_hold_packed(text, at + 3));
            memset(text + at, 'x', 4);
        }
    }
}
END_TEST

START_TEST(the_whole_program_is_missed)
{
    static const char *const words[MAX_WORDS] = {"holdfast", "status"};
    char *said = NULL;

    ck_assert_int_eq(front(cli_path(&run, "holdfast"), words, &said), HF_EXIT_FAILED);
    ck_assert_ptr_nonnull(strstr(said, "cannot find 'holdfast-cli' in"));
    free(said);
    ck_assert_int_eq(front(NULL, words, &said), HF_EXIT_FAILED);
    ck_assert_ptr_nonnull(strstr(said, "/proc is not mounted"));
    free(said);
    cli_write_text(&run, "holdfast-cli", "no program");
    ck_assert_int_eq(front(cli_path(&run, "holdfast"), words, &said), HF_EXIT_FAILED);
    ck_assert_ptr_nonnull(strstr(said, "start '"));
    free(said);
}
END_TEST

/* A program that replaces the whole one; its exit code shows whether its argument arrived. */
static int code_of_whole(const char *self, const char *word)
{
    pid_t pid = fork();
    int status = 0;

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        const char *words[MAX_WORDS] = {"holdfast", word};
        char *said = NULL;
        (void)front(self, words, &said);
        _exit(99);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

START_TEST(the_whole_program_takes_over)
{
    static const char *const places[] = {"bin/holdfast-cli", "libexec/holdfast/holdfast-cli"};

    ck_assert_int_eq(mkdir(cli_path(&run, "bin"), 0755), 0);
    ck_assert_int_eq(mkdir(cli_path(&run, "libexec"), 0755), 0);
    ck_assert_int_eq(mkdir(cli_path(&run, "libexec/holdfast"), 0755), 0);
    const char *place = cli_path(&run, places[_i]);
    ck_assert_int_eq(symlink("/usr/bin/test", place), 0);
    const char *self = cli_path(&run, "bin/holdfast");
    ck_assert_int_eq(code_of_whole(self, "word"), 0); /* test WORD: true, as it is not empty */
    ck_assert_int_eq(code_of_whole(self, ""), 1);
}
END_TEST

static int apply_of(const char *patch)
{
    const char *words[MAX_WORDS] = {
        "holdfast", "delta", "apply", cli_path(&run, "want"), patch, cli_path(&run, "made")};
    char *said = NULL;

    (void)front(cli_path(&run, "holdfast"), words, &said);
    return 99;
}

/* The whole program gets the patch from its first byte, from a file and from a pipe. */
START_TEST(a_patch_is_handed_over)
{
    static const char patch[] = "HFD\1\20 and more than the thin program looks at";
    bool piped = _i == 1;
    int fds[2], status = 0;
    char path[32];

    cli_write(&run, "want", patch, sizeof(patch));
    cli_write_text(&run, "holdfast-cli", "#!/bin/sh\nexec cmp \"$4\" \"${0%/*}/want\"\n");
    ck_assert_int_eq(chmod(cli_path(&run, "holdfast-cli"), 0755), 0);
    ck_assert_int_eq(pipe(fds), 0);
    ck_assert_int_eq(write(fds[1], patch, sizeof(patch)), sizeof(patch));
    (void)close(fds[1]);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        _exit(apply_of(piped ? path : cli_path(&run, "want")));
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    /* A file of which not even the recipe can be read is refused by the thin program itself. */
    ck_assert_int_eq(WEXITSTATUS(status), piped ? 0 : 99);
    (void)close(fds[0]);
}
END_TEST

START_TEST(code_that_was_handed_back_still_runs)
{
    hf_pages_forget_code();
    hf_pages_forget_code();
    ck_assert_int_eq(cli(&run, "version", NULL), HF_EXIT_OK);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, what_is_the_thin_programs_own, 0, (int)HF_LEN(lines));
    tcase_add_loop_test(tc, both_programs_answer_alike, 0, 9);
    tcase_add_test(tc, it_applies);
    tcase_add_test(tc, it_creates);
    tcase_add_loop_test(tc, the_small_profile_looks_for_more, 0, 8);
    tcase_add_test(tc, the_whole_program_is_missed);
    tcase_add_loop_test(tc, the_whole_program_takes_over, 0, 2);
    tcase_add_loop_test(tc, a_patch_is_handed_over, 0, 2);
    tcase_add_test(tc, code_that_was_handed_back_still_runs);
}
HF_TEST_MAIN("cli/front", cases)
