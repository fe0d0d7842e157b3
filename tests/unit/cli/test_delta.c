/* SPDX-License-Identifier: Apache-2.0 */
/* Deltas from the command line. */
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "codec/json.h"
#include "codec/sha256.h"
#include "support/check_main.h"
#include "support/cli_run.h"
#include "support/makers/packs.h"

static struct cli_run run;

static void setup(void)
{
    static char bytes[100000];
    uint32_t seed = 7;

    cli_begin(&run);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        seed = seed * 1664525 + 1013904223;
        bytes[i] = (char)(seed >> 24);
    }
    cli_write(&run, "old", bytes, sizeof(bytes));
    memmove(bytes + 50000, bytes + 49000, 40000);
    cli_write(&run, "new", bytes, sizeof(bytes));
    ck_assert_int_eq(chmod(cli_path(&run, "old"), 0750), 0);
}

static void teardown(void)
{
    cli_end(&run);
}

static void assert_same(const char *a, const char *b)
{
    size_t a_n = 0, b_n = 0;
    _cleanup_(hf_freep) char *a_bytes = cli_read(&run, a, &a_n), *b_bytes = cli_read(&run, b, &b_n);

    ck_assert(a_bytes != NULL && b_bytes != NULL);
    ck_assert_uint_eq(a_n, b_n);
    ck_assert_mem_eq(a_bytes, b_bytes, a_n);
}

START_TEST(there_and_back)
{
    static const char *const profiles[] = {"--small", "--fast"};
    struct stat st;

    ck_assert_int_eq(cli(&run, "delta", "create", profiles[_i], "%/old", "%/new", "%/patch", NULL), 0);
    ck_assert_int_eq(stat(cli_path(&run, "patch"), &st), 0);
    ck_assert_int_lt(st.st_size, 10000);
    ck_assert_int_eq(cli(&run, "delta", "create", profiles[_i], "-j3", "%/old", "%/new", "%/again", NULL), 0);
    assert_same("patch", "again");
    ck_assert_int_eq(cli(&run, "delta", "apply", "%/old", "%/patch", "%/out", NULL), 0);
    assert_same("new", "out");
    ck_assert_int_eq(stat(cli_path(&run, "out"), &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777 & ~022u, 0750);
    ck_assert_int_eq(cli_with_input(&run, "patch", "delta", "apply", "%/old", "-", "%/piped", NULL), 0);
    assert_same("new", "piped");
}
END_TEST

START_TEST(info)
{
    _cleanup_(hf_json_freep) json_t *answer = NULL;
    struct stat st;

    ck_assert_int_eq(cli(&run, "delta", "create", "%/old", "%/new", "%/patch", NULL), 0);
    ck_assert_ptr_nonnull(strstr(run.out, "/patch: "));
    ck_assert_ptr_nonnull(strstr(run.out, " % of the new 100 kB\n"));
    ck_assert_int_eq(cli(&run, "delta", "info", "%/patch", NULL), 0);
    ck_assert_ptr_nonnull(strstr(run.out, "profile small"));
    ck_assert_ptr_nonnull(strstr(run.out, "100000 bytes"));
    ck_assert_int_eq(cli(&run, "delta", "info", "--json", "%/patch", NULL), 0);
    ck_assert_int_eq(hf_json_parse(hf_view_of(run.out), NULL, &answer, NULL), 0);
    cli_page_knows_json(&run, "delta info");
    ck_assert_int_eq(stat(cli_path(&run, "patch"), &st), 0);
    ck_assert_int_eq(hf_json_int_or(answer, "patchSize", 0), st.st_size);
    ck_assert_int_eq(hf_json_int_or(answer, "newSize", 0), 100000);
    ck_assert_int_eq(cli(&run, "delta", "info", "%/old", NULL), HF_EXIT_REFUSED);
    ck_assert_int_eq(cli(&run, "delta", "info", "%/nothing", NULL), HF_EXIT_FAILED);
}
END_TEST

/* Of a patch that looks inside: its parts add up, and it says what it needs. */
START_TEST(info_of_what_is_inside)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 22), old = HF_BUF_INIT(1 << 22),
                                         fresh = HF_BUF_INIT(1 << 22);
    _cleanup_(hf_json_freep) json_t *answer = NULL;

    packs_text(&text, 400000, 5, 0);
    packs_run("gzip -nc6", text.p, text.n, &old);
    text.p[200000] ^= 1;
    packs_run("gzip -nc6", text.p, text.n, &fresh);
    cli_write(&run, "old.gz", old.p, old.n);
    cli_write(&run, "new.gz", fresh.p, fresh.n);
    ck_assert_int_eq(cli(&run, "delta", "create", "%/old.gz", "%/new.gz", "%/patch", NULL), 0);
    ck_assert_int_eq(cli(&run, "delta", "info", "%/patch", NULL), 0);
    ck_assert_ptr_nonnull(strstr(run.out, "1 streams compressed again"));
    ck_assert_int_eq(cli(&run, "delta", "info", "--json", "%/patch", NULL), 0);
    ck_assert_int_eq(hf_json_parse(hf_view_of(run.out), NULL, &answer, NULL), 0);
    cli_page_knows_json(&run, "delta info");
    ck_assert_int_eq(hf_json_int_or(answer, "parts.header", 0) + hf_json_int_or(answer, "parts.recipe", 0) +
                         hf_json_int_or(answer, "parts.delta", 0),
                     hf_json_int_or(answer, "patchSize", 0));
    ck_assert_int_eq(hf_json_int_or(answer, "inside.scratchBytes", 0), 400000);
    ck_assert_str_eq(hf_json_str_or(answer, "inside.methodName", ""), "runs");
    /* What goes around the delta is short. */
    ck_assert_int_lt(hf_json_int_or(answer, "parts.recipe", 1000), 60);
    ck_assert_int_eq(cli(&run, "delta", "apply", "%/old.gz", "%/patch", "%/made.gz", NULL), 0);
    assert_same("new.gz", "made.gz");
}
END_TEST

START_TEST(the_hash_is_looked_at_first)
{
    char hex[HF_SHA256_HEX];
    size_t n = 0;

    ck_assert_int_eq(cli(&run, "delta", "create", "%/old", "%/new", "%/patch", NULL), 0);
    _cleanup_(hf_freep) char *patch = cli_read(&run, "patch", &n);
    (void)hf_sha256_hex(patch, n, hex);
    ck_assert_int_eq(cli(&run, "delta", "apply", "--sha256", hex, "%/old", "%/patch", "%/out", NULL), 0);
    assert_same("new", "out");
    hex[0] = hex[0] == 'a' ? 'b' : 'a';
    ck_assert_int_eq(cli(&run, "delta", "apply", "--sha256", hex, "%/old", "%/patch", "%/out2", NULL), HF_EXIT_REFUSED);
    ck_assert_ptr_nonnull(strstr(run.err, "not that of --sha256"));
    ck_assert_int_ne(access(cli_path(&run, "out2"), F_OK), 0);
    ck_assert_int_eq(cli(&run, "delta", "apply", "--sha256", "abc", "%/old", "%/patch", "%/out2", NULL), HF_EXIT_USAGE);
}
END_TEST

START_TEST(what_does_not_fit)
{
    size_t n = 0;

    ck_assert_int_eq(cli(&run, "delta", "create", "%/old", "%/new", "%/patch", NULL), 0);
    ck_assert_int_eq(cli(&run, "delta", "apply", "%/new", "%/patch", "%/out", NULL), HF_EXIT_REFUSED);
    _cleanup_(hf_freep) char *patch = cli_read(&run, "patch", &n);
    cli_write(&run, "short", patch, n / 2);
    ck_assert_int_eq(cli(&run, "delta", "apply", "%/old", "%/short", "%/out", NULL), HF_EXIT_REFUSED);
    patch[n - 5] = (char)(patch[n - 5] ^ 0x40);
    cli_write(&run, "bad", patch, n);
    ck_assert_int_eq(cli(&run, "delta", "apply", "%/old", "%/bad", "%/out", NULL), HF_EXIT_REFUSED);
    ck_assert_int_ne(access(cli_path(&run, "out"), F_OK), 0);
    ck_assert_int_eq(cli(&run, "delta", "apply", "/dev/null", "%/patch", "%/out", NULL), HF_EXIT_USAGE);
    ck_assert_int_eq(cli(&run, "delta", "apply", "%/old", "%/patch", "/dev/full", NULL), HF_EXIT_FAILED);
    ck_assert_int_eq(cli(&run, "delta", "create", "--small", "--fast", "%/old", "%/new", "%/p", NULL), HF_EXIT_USAGE);
    ck_assert_int_eq(cli(&run, "delta", "create", "-jx", "%/old", "%/new", "%/p", NULL), HF_EXIT_USAGE);
    ck_assert_int_eq(cli(&run, "delta", "create", "-", "-", "%/p", NULL), HF_EXIT_USAGE);
    ck_assert_int_eq(cli(&run, "delta", "create", "%/old", "%/new", "/dev/full", NULL), HF_EXIT_FAILED);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, there_and_back, 0, 2);
    tcase_add_test(tc, info);
    tcase_add_test(tc, info_of_what_is_inside);
    tcase_add_test(tc, the_hash_is_looked_at_first);
    tcase_add_test(tc, what_does_not_fit);
}
HF_TEST_MAIN("cli/delta", cases)
