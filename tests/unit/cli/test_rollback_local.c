/* SPDX-License-Identifier: Apache-2.0 */
/* rollback --local: the order that it writes, and what it says of the journal; without an agent. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "os/file.h"
#include "os/fs_posix.h"
#include "support/check_main.h"
#include "support/cli_run.h"
#include "update/state/journal.h"
#include "update/state/order.h"

#define DIGEST "00000000000000000000000000000000000000000000000000000000000000aa"

static struct cli_run run;

static void setup(void)
{
    cli_begin(&run);
}

static void teardown(void)
{
    cli_end(&run);
}

static void write_journal(bool local, const char *digest)
{
    struct hf_journal j = {.phase = HF_PHASE_COMMITTED, .name = "app", .version = "2", .good_version = "2"};
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_JOURNAL_MAX_BYTES);

    j.local = j.good_local = local;
    (void)snprintf(j.digest, sizeof(j.digest), "%s", digest);
    (void)snprintf(j.good_digest, sizeof(j.good_digest), "%s", digest);
    ck_assert_int_eq(hf_journal_format(&j, NULL, &text), 0);
    ck_assert_int_eq(hf_journal_save(hf_fs_posix(), cli_path(&run, "updates/app"), hf_buf_view(&text), NULL), 0);
}

static struct hf_order read_order(void)
{
    struct hf_order order;

    ck_assert_int_eq(hf_order_load(hf_fs_posix(), cli_path(&run, HF_ORDERS_DIR), "app", &order, NULL), 0);
    return order;
}

static void make_updates(void)
{
    ck_assert_int_eq(mkdir(cli_path(&run, "updates"), 0700), 0);
}

#define ROLLBACK(...) cli(&run, "rollback", "--local", "--state-dir", "%", "--timeout", "0s", __VA_ARGS__, NULL)

START_TEST(bad_input)
{
    static char long_reason[HF_ORDER_MAX_REASON + 1];

    memset(long_reason, 'a', sizeof(long_reason) - 1);
    ck_assert_int_eq(ROLLBACK("../app"), HF_EXIT_USAGE);
    ck_assert_int_eq(ROLLBACK(".app"), HF_EXIT_USAGE);
    ck_assert_int_eq(ROLLBACK("app", "--reason", long_reason), HF_EXIT_USAGE);
    ck_assert_int_eq(ROLLBACK("app", "--undo", "--reason", "x"), HF_EXIT_USAGE);
    ck_assert_int_eq(cli(&run, "rollback", "--local", NULL), HF_EXIT_USAGE);
    ck_assert_int_eq(ROLLBACK("app"), HF_EXIT_FAILED);
    ck_assert_ptr_nonnull(strstr(run.err, "this node has no release 'app'"));
    make_updates();
    write_journal(false, "");
    ck_assert_int_eq(ROLLBACK("app"), HF_EXIT_REFUSED);
    ck_assert_ptr_nonnull(strstr(run.err, "no version of 'app' is committed"));
    write_journal(true, DIGEST);
    ck_assert_int_eq(ROLLBACK("app"), HF_EXIT_REFUSED);
    ck_assert_ptr_nonnull(strstr(run.err, "gone back to 2 already"));
    ck_assert_int_eq(ROLLBACK("app", "--undo"), HF_EXIT_FAILED);
    ck_assert_ptr_nonnull(strstr(run.err, "no order"));
    cli_write_text(&run, "updates/app/journal", "torn");
    ck_assert_int_eq(ROLLBACK("app"), HF_EXIT_REFUSED);
    size_t n;
    char *text = cli_read(&run, "updates/app/journal", &n);
    ck_assert_str_eq(text, "torn"); /* only the agent sets it aside */
    free(text);
}
END_TEST

START_TEST(an_order_without_an_agent)
{
    struct stat st;

    make_updates();
    write_journal(false, DIGEST);
    (void)setenv("SUDO_USER", "an\nna", 1);
    ck_assert_int_eq(ROLLBACK("app", "--reason", "line 3\nstops"), HF_EXIT_TIMED_OUT);
    ck_assert_ptr_nonnull(strstr(run.err, "the order stands"));
    struct hf_order order = read_order();
    ck_assert_str_eq(order.digest, DIGEST);
    ck_assert_str_eq(order.version, "2");
    ck_assert_str_eq(order.reason, "line 3 stops");
    ck_assert_str_eq(order.by, "an na");
    ck_assert_str_eq(order.refused, "");
    ck_assert_int_eq(stat(cli_path(&run, HF_ORDERS_DIR), &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0700);
    ck_assert_int_eq(ROLLBACK("app", "--undo"), HF_EXIT_OK); /* the agent has not gone back */
    ck_assert_int_eq(hf_order_load(hf_fs_posix(), cli_path(&run, HF_ORDERS_DIR), "app", &order, NULL), -ENOENT);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, bad_input);
    tcase_add_test(tc, an_order_without_an_agent);
}

HF_TEST_MAIN("cli/rollback_local", cases)
