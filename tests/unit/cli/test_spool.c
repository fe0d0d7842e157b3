/* SPDX-License-Identifier: Apache-2.0 */
/* spool stat, cat, verify, on real folders: one spool, a folder above two, damage, and nothing written. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/parts.h"
#include "os/fs_posix.h"
#include "os/rand_posix.h"
#include "spool/store.h"
#include "support/check_main.h"
#include "support/cli_run.h"

static struct cli_run run;

/* Ten events of severities error (17) and info (9) of source http, the first three delivered. */
static void make_spool(const char *folder)
{
    const char *dir = cli_path(&run, folder);
    struct hf_spool_store_params params = {
        .fs = hf_fs_posix(), .rng = hf_rand_posix(), .dir = dir, .segment_bytes = 64 << 10, .max_bytes = 1 << 20};
    struct hf_spool_store *store;
    size_t done;

    ck_assert_int_eq(hf_spool_store_open(&params, &store, NULL), 0);
    for (unsigned i = 1; i <= 10; i++) {
        char text[64];
        (void)snprintf(text, sizeof(text), "{\"id\":\"%s-%u\"}", folder, i);
        struct hf_spool_record record = {.unix_ns = 1000000000ull * 60 * i,
                                         .tag = 1u << 16 | (i % 2 ? 17 : 9),
                                         .payload = i < 10 ? hf_view_of(text) : hf_view_of("no JSON")};
        ck_assert_int_eq(hf_spool_store_write(store, &record, 1, &done, NULL), 0);
    }
    ck_assert_int_eq(hf_spool_store_deliver(store, 3, NULL), 0);
    hf_spool_store_free(store);
}

static void setup(void)
{
    cli_begin(&run);
    make_spool("bulk");
}

static void teardown(void)
{
    cli_end(&run);
}

static void make_evil_spool(const char *text)
{
    struct hf_spool_store_params params = {.fs = hf_fs_posix(),
                                           .rng = hf_rand_posix(),
                                           .dir = cli_path(&run, "evil"),
                                           .segment_bytes = 64 << 10,
                                           .max_bytes = 1 << 20};
    struct hf_spool_record record = {.unix_ns = 1, .tag = 1u << 16 | 9, .payload = hf_view_of(text)};
    struct hf_spool_store *store;
    size_t done;

    ck_assert_int_eq(hf_spool_store_open(&params, &store, NULL), 0);
    ck_assert_int_eq(hf_spool_store_write(store, &record, 1, &done, NULL), 0);
    hf_spool_store_free(store);
}

/* Events are what users post: a terminal gets the same JSON with escapes, a pipe each byte. */
START_TEST(cat_on_a_terminal)
{
    static const char evil[] = "{\"body\":\"\xc2\x9b[31m\xe2\x80\xae"
                               "caf\xc3\xa9\x7f\"}";

    make_evil_spool(evil);
    run.terminal = true;
    ck_assert_int_eq(cli(&run, "spool", "cat", "%/evil", NULL), 0);
    ck_assert_str_eq(run.out, "{\"body\":\"\\u009b[31m\\u202ecaf\xc3\xa9\\u007f\"}\n");
    ck_assert_int_eq(cli(&run, "spool", "cat", "--json", "%/evil", NULL), 0);
    ck_assert_msg(strstr(run.out, "\"event\":{\"body\":\"\\u009b[31m\\u202e") != NULL, "%s", run.out);
    run.terminal = false;
    ck_assert_int_eq(cli(&run, "spool", "cat", "%/evil", NULL), 0);
    ck_assert_msg(strncmp(run.out, evil, strlen(evil)) == 0, "%s", run.out);
}
END_TEST

START_TEST(stat_says_what_waits)
{
    _cleanup_(hf_json_freep) json_t *told = NULL;

    ck_assert_int_eq(cli(&run, "spool", "stat", "%/bulk", NULL), 0);
    ck_assert_ptr_nonnull(strstr(run.out, "7 waiting of 10, sequence 1 to 10, delivered to 3"));
    ck_assert_ptr_nonnull(strstr(run.out, "error 3, info 4"));
    ck_assert_ptr_nonnull(strstr(run.out, "damage    none"));
    ck_assert_int_eq(cli(&run, "spool", "stat", "--json", "%/bulk", NULL), 0);
    ck_assert_int_eq(hf_json_parse(hf_view_of(run.out), NULL, &told, NULL), 0);
    ck_assert_int_eq(hf_json_int_or(told, "waiting", 0), 7);
    ck_assert_int_eq(hf_json_int_or(told, "bySource.http", 0), 7);
    ck_assert_int_eq(hf_json_int_or(told, "bySeverity.error", 0), 3);
    ck_assert_str_eq(hf_json_str_or(told, "oldest", ""), "1970-01-01T00:04:00Z");
    ck_assert(!hf_json_bool_or(told, "damaged", true));
}
END_TEST

static const struct {
    const char *option, *value;
    const char *first, *last; /* lines */
    unsigned n;
} cats[] = {
    {"--json", NULL, "\"sequence\":4,", "\"text\":\"no JSON\"", 7},
    {"--all", NULL, "bulk-1", "no JSON", 10},
    {"--from", "6", "bulk-6", "no JSON", 5},
    {"--to", "1970-01-01T00:05:00Z", "bulk-4", "bulk-5", 2},
    {"--severity", "Error", "bulk-5", "bulk-9", 3},
};

START_TEST(cat_prints_what_is_asked_for)
{
    unsigned lines = 0;

    ck_assert_int_eq(cli(&run, "spool", "cat", "%/bulk", cats[_i].option, cats[_i].value, NULL), 0);
    for (const char *p = run.out; *p != '\0'; p++)
        lines += *p == '\n';
    ck_assert_msg(lines == cats[_i].n, "%s: %s", cats[_i].option, run.out);
    const char *second = strchr(run.out, '\n'), *first = strstr(run.out, cats[_i].first);
    ck_assert(first != NULL && first < second);
    ck_assert_ptr_nonnull(strstr(run.out, cats[_i].last));
}
END_TEST

/* Whatever lies deeper than the spools of a storage folder is not looked at, such as the rest of a disk. */
START_TEST(no_folder_far_below_is_looked_at)
{
    static const char *const folders[] = {"top", "top/a", "top/a/b", "top/a/b/c"};

    for (size_t i = 0; i < HF_LEN(folders); i++)
        ck_assert_int_eq(mkdir(cli_path(&run, folders[i]), 0755), 0);
    make_spool("top/a/b/c/bulk");
    ck_assert_int_eq(cli(&run, "spool", "stat", "%/top", NULL), HF_EXIT_FAILED);
    ck_assert_ptr_nonnull(strstr(run.err, "or two folders below"));
    ck_assert_int_eq(cli(&run, "spool", "stat", "%/top/a/b", NULL), 0);
}
END_TEST

START_TEST(a_folder_above_is_looked_through)
{
    make_spool("urgent");
    ck_assert_int_eq(cli(&run, "spool", "verify", "%", NULL), 0);
    ck_assert_ptr_nonnull(strstr(run.out, "/bulk: 10 records, all intact"));
    ck_assert_ptr_nonnull(strstr(run.out, "/urgent: 10 records, all intact"));
    ck_assert_int_eq(cli(&run, "spool", "cat", "%", NULL), 0);
    ck_assert_ptr_nonnull(strstr(run.out, "urgent-5"));
}
END_TEST

START_TEST(damage_is_named_and_the_rest_printed)
{
    const char *path = cli_path(&run, "bulk/0000000000000001.seg");
    int fd = open(path, O_RDWR | O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, "?", 1, 512 * 5 + 40), 1); /* in the fifth record */
    (void)close(fd);
    ck_assert_int_eq(cli(&run, "spool", "verify", "%/bulk", NULL), HF_EXIT_FAILED);
    ck_assert_ptr_nonnull(strstr(run.out, "1 record is missing"));
    ck_assert_int_eq(cli(&run, "spool", "stat", "--json", "%/bulk", NULL), HF_EXIT_FAILED);
    ck_assert_ptr_nonnull(strstr(run.out, "\"damaged\":true"));
    ck_assert_int_eq(cli(&run, "spool", "cat", "%/bulk", NULL), HF_EXIT_FAILED);
    ck_assert_ptr_nonnull(strstr(run.out, "bulk-4"));
    ck_assert_ptr_null(strstr(run.out, "bulk-5"));
    ck_assert_ptr_nonnull(strstr(run.out, "bulk-6"));
}
END_TEST

START_TEST(wrong_words)
{
    ck_assert_int_eq(cli(&run, "spool", "cat", "%/bulk", "--from", "yesterday", NULL), HF_EXIT_USAGE);
    ck_assert_int_eq(cli(&run, "spool", "cat", "%/bulk", "--severity", "loud", NULL), HF_EXIT_USAGE);
    ck_assert_int_eq(cli(&run, "spool", "stat", NULL), HF_EXIT_USAGE);
    ck_assert_int_eq(cli(&run, "spool", "verify", "%/nothing", NULL), HF_EXIT_FAILED);
    cli_write_text(&run, "a.yaml", "");
    ck_assert_int_eq(cli(&run, "spool", "verify", "%/a.yaml", NULL), HF_EXIT_FAILED);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, stat_says_what_waits);
    tcase_add_test(tc, cat_on_a_terminal);
    tcase_add_loop_test(tc, cat_prints_what_is_asked_for, 0, (int)HF_LEN(cats));
    tcase_add_test(tc, a_folder_above_is_looked_through);
    tcase_add_test(tc, no_folder_far_below_is_looked_at);
    tcase_add_test(tc, damage_is_named_and_the_rest_printed);
    tcase_add_test(tc, wrong_words);
}
HF_TEST_MAIN("cli/spool", cases)
