/* SPDX-License-Identifier: Apache-2.0 */
/* recover as a command: words, exit codes, text and JSON, on folders that no agent leaves, and the agent's locks. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "os/file.h"
#include "os/fs_posix.h"
#include "support/check_main.h"
#include "support/cli_run.h"

#define CONFIG "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n"

static struct cli_run run;

static void begin_command(void)
{
    cli_begin(&run);
    cli_write_text(&run, "agent.yaml", CONFIG "updateRoots: [/opt]\n");
}

static void end_command(void)
{
    cli_end(&run);
}

#define RECOVER(...)                                                                                                   \
    cli(&run, "recover", "--state-dir", "%", "--trust-dir", "%/trust.d", "--config", "%/agent.yaml", "--timeout",      \
        "0s", __VA_ARGS__)

static void make_folder(const char *name, mode_t mode)
{
    ck_assert(mkdir(cli_path(&run, name), 0700) == 0 && chmod(cli_path(&run, name), mode) == 0);
}

START_TEST(bad_words)
{
    static const char *const names[] = {"", "../app", ".app", "a/b", "App", "lock"};

    for (size_t i = 0; i < HF_LEN(names); i++)
        ck_assert_int_eq(RECOVER("--put", names[i], NULL), HF_EXIT_USAGE);
    ck_assert_int_eq(RECOVER("--put", "app", NULL), HF_EXIT_FAILED);
    ck_assert_ptr_nonnull(strstr(run.err, "this node has no release 'app'"));
    ck_assert_int_eq(RECOVER(NULL), HF_EXIT_FAILED); /* no folder at all: not taken for a node without releases */
    ck_assert_int_eq(cli(&run, "recover", "app", NULL), HF_EXIT_USAGE);
    ck_assert_ptr_null(strstr(run.err, "agent.yaml"));
    ck_assert_int_eq(RECOVER("--update-root", "opt", NULL), HF_EXIT_USAGE);
    cli_write_text(&run, "agent.yaml", CONFIG "updateRoots: 7\n");
    make_folder("updates", 0700);
    ck_assert_int_eq(RECOVER(NULL), HF_EXIT_UNWELL);
    ck_assert_ptr_nonnull(strstr(run.err, "agent.yaml:3: updateRoots"));
}
END_TEST

/* Each file of the folder is damaged: it says so, leaves all as it is, and puts nothing back. */
START_TEST(a_folder_of_damage)
{
    size_t n;

    make_folder("updates", 0700);
    make_folder("updates/app", 0700);
    make_folder("updates/open", 0777);
    cli_write_text(&run, "updates/app/journal", "torn");
    cli_write_text(&run, "updates/app/committed", "torn");
    cli_write_text(&run, "updates/app/previous", "");
    ck_assert_int_eq(RECOVER(NULL), HF_EXIT_UNWELL);
    ck_assert_ptr_nonnull(strstr(run.out, "app: journal: "));
    ck_assert_ptr_nonnull(strstr(run.out, "app: committed: "));
    ck_assert_ptr_nonnull(strstr(run.out, "app: previous: "));
    ck_assert_ptr_nonnull(strstr(run.out, "open: folder: it is no folder of the agent's own"));
    ck_assert_ptr_nonnull(strstr(run.out, "agent: Stopped"));
    ck_assert_int_eq(RECOVER("-o", "json", NULL), HF_EXIT_UNWELL);
    ck_assert_ptr_nonnull(strstr(run.out, "\"state\":\"Unknown\""));
    cli_page_knows_json(&run, "recover");
    ck_assert_int_eq(RECOVER("--put", "app", NULL), HF_EXIT_REFUSED);
    ck_assert_ptr_nonnull(strstr(run.err, "no signed release says what belongs here"));
    ck_assert_int_eq(RECOVER("--put", "open", NULL), HF_EXIT_REFUSED);
    char *text = cli_read(&run, "updates/app/journal", &n);
    ck_assert_str_eq(text, "torn"); /* only the agent sets it aside */
    free(text);
    ck_assert_int_ne(access(cli_path(&run, "journal"), F_OK), 0);
}
END_TEST

/* Who holds one of the agent's locks counts as an agent: the command waits for it and does nothing itself. */
START_TEST(an_agent_holds_the_locks)
{
    make_folder("updates", 0700);
    make_folder("updates/app", 0700);
    int fd = hf_file_lock(hf_fs_posix(), cli_path(&run, _i == 0 ? "agent.lock" : "updates/lock"), NULL);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(RECOVER("--put", "app", NULL), HF_EXIT_TIMED_OUT);
    ck_assert_ptr_nonnull(strstr(run.err, "the agent has not put 'app' back yet"));
    ck_assert_ptr_nonnull(strstr(run.err, "this node does not keep the content"));
    ck_assert_int_eq(RECOVER(NULL), HF_EXIT_UNWELL);
    ck_assert((strstr(run.out, "agent: Running") != NULL) == (_i == 0));
    (void)close(fd);
    ck_assert_int_eq(RECOVER("--put", "app", NULL), HF_EXIT_REFUSED);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, begin_command, end_command);
    tcase_add_test(tc, bad_words);
    tcase_add_test(tc, a_folder_of_damage);
    tcase_add_loop_test(tc, an_agent_holds_the_locks, 0, 2);
}

HF_TEST_MAIN("cli/recover_command", cases)
