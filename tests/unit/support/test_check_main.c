/* SPDX-License-Identifier: Apache-2.0 */
/* A test's limit: processor time counts, waiting does not. What checks cost, the place that a test that dies leaves,
 * and which tests are searched for leaks. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/check_main.h"

enum { LIMIT_S = 1, CHECKS = 1000000 };

START_TEST(spins)
{
    for (volatile unsigned n = 0;; n = n + 1)
        ;
}
END_TEST

/* As long as the limit and a bit, as on a machine that is busy with other things. */
START_TEST(waits)
{
    const struct timespec while_s = {LIMIT_S, 500000000};

    ck_assert_int_eq(nanosleep(&while_s, NULL), 0);
}
END_TEST

START_TEST(checks)
{
    for (int i = 0; i < CHECKS; i++)
        ck_assert_int_lt(i, CHECKS);
}
END_TEST

enum { DIES_AT = __LINE__ + 5 }; /* its last check */

START_TEST(dies)
{
    ck_assert_int_eq(1, 1);
    ck_assert_int_eq(2, 2);
    (void)raise(_i);
}
END_TEST

enum { OVERFLOWS_AT = __LINE__ + 6 };

START_TEST(overflows)
{
    char *volatile heap = malloc(1);

    ck_assert_ptr_nonnull(heap);
    (void)close(STDERR_FILENO); /* the sanitizer's report */
    heap[1] = 0;
    free(heap);
}
END_TEST

static void inner(TCase *tc)
{
    tcase_add_test(tc, spins);
    tcase_add_test(tc, waits);
    tcase_add_test(tc, checks);
}

START_TEST(only_processor_time_counts)
{
    SRunner *runner = hf_test_runner("inner", inner, LIMIT_S);

    srunner_set_fork_status(runner, CK_FORK);
    srunner_run_all(runner, CK_SILENT);
    ck_assert_int_eq(srunner_ntests_run(runner), 3);
    ck_assert_int_eq(srunner_ntests_failed(runner), 1);
    TestResult **failures = srunner_failures(runner);
    ck_assert_str_eq(tr_tcname(failures[0]), "inner");
    ck_assert_msg(strstr(tr_msg(failures[0]), "CPU time limit") != NULL, "%s", tr_msg(failures[0]));
    free(failures);
    srunner_free(runner);
}
END_TEST

static void mortals(TCase *tc)
{
    tcase_add_loop_test(tc, dies, SIGABRT, SIGABRT + 1);
    tcase_add_loop_test(tc, dies, SIGXCPU, SIGXCPU + 1);
    tcase_add_loop_test(tc, dies, SIGTERM, SIGTERM + 1);
#ifdef __SANITIZE_ADDRESS__
    tcase_add_test(tc, overflows);
#endif
}

START_TEST(death_names_the_last_check)
{
    SRunner *runner = hf_test_runner("inner", mortals, LIMIT_S);

    srunner_set_fork_status(runner, CK_FORK);
    srunner_run_all(runner, CK_SILENT);
    int n = srunner_ntests_failed(runner);
    ck_assert_int_eq(n, srunner_ntests_run(runner));
    TestResult **failures = srunner_failures(runner);
    for (int i = 0; i < n; i++)
        ck_assert_msg(tr_lno(failures[i]) == (i < 3 ? DIES_AT : OVERFLOWS_AT), "%d: %d, %s", i, tr_lno(failures[i]),
                      tr_msg(failures[i]));
    free(failures);
    srunner_free(runner);
}
END_TEST

#ifdef __SANITIZE_ADDRESS__
int __lsan_is_turned_off(void);

static int *searches; /* shared with the children */
static void *volatile held;

/* The sanitizer asks this at the start of each search. */
__attribute__((visibility("default"))) int __lsan_is_turned_off(void)
{
    if (searches != NULL)
        ++*searches;
    return 0;
}

START_TEST(leaks)
{
    (void)close(STDERR_FILENO); /* the sanitizer's report */
    held = malloc(40);
    held = NULL;
}
END_TEST

START_TEST(holds)
{
    held = malloc(40);
}
END_TEST

START_TEST(frees)
{
    held = malloc(40);
    free(held);
}
END_TEST

static void allocators(TCase *tc)
{
    tcase_add_test(tc, leaks);
    tcase_add_test(tc, holds);
    tcase_add_test(tc, frees);
}

START_TEST(only_what_is_left_is_searched)
{
    searches = mmap(NULL, sizeof(*searches), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(searches, MAP_FAILED);
    SRunner *runner = hf_test_runner("inner", allocators, LIMIT_S);

    srunner_set_fork_status(runner, CK_FORK);
    srunner_run_all(runner, CK_SILENT);
    ck_assert_int_eq(srunner_ntests_failed(runner), 1);
    TestResult **failures = srunner_failures(runner);
    ck_assert_str_eq(tr_tcname(failures[0]), "inner");
    ck_assert_str_eq(tr_msg(failures[0]), "Early exit with return value 1");
    ck_assert_int_eq(*searches, 2);
    free(failures);
    srunner_free(runner);
    (void)munmap(searches, sizeof(*searches));
    searches = NULL;
}
END_TEST
#endif

/* ---- tests that share a process ---------------------------------------------------------------------------------- */

/* Runs a program of these tests in one process. Returns its wait status; `text` is what it printed. */
static int run_together(void (*add)(TCase *tc), char *text, size_t size)
{
    int ends[2], status = 0;
    size_t n = 0;
    ssize_t got = 0;

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)dup2(ends[1], STDERR_FILENO);
        (void)setenv("CK_FORK", "no", 1);
        exit(hf_test_main("inner", add, LIMIT_S));
    }
    (void)close(ends[1]);
    while (n + 1 < size && (got = read(ends[0], text + n, size - 1 - n)) > 0)
        n += (size_t)got;
    text[n] = '\0';
    (void)close(ends[0]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

START_TEST(fails)
{
    ck_assert_int_eq(_i, 2);
}
END_TEST

static void one_fails(TCase *tc)
{
    tcase_add_loop_test(tc, fails, 0, 3);
    tcase_add_test(tc, waits);
}

static void one_dies(TCase *tc)
{
    tcase_add_test(tc, waits);
    tcase_add_loop_test(tc, dies, SIGABRT, SIGABRT + 1);
    tcase_add_test(tc, waits);
}

START_TEST(one_process_goes_on_after_a_failure)
{
    char text[4096];
    int status = run_together(one_fails, text, sizeof(text));

    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE, "%d: %s", status, text);
    ck_assert_msg(strstr(text, "Checks: 4, Failures: 2, Errors: 0") != NULL, "%s", text);
    ck_assert_msg(strstr(text, "fails:1:") != NULL, "%s", text);
}
END_TEST

START_TEST(death_of_one_process_prints_the_last_check)
{
    char text[4096], place[64];
    int status = run_together(one_dies, text, sizeof(text));

    (void)snprintf(place, sizeof(place), "test_check_main.c:%d: the last check", DIES_AT);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "%d: %s", status, text);
    ck_assert_msg(strstr(text, place) != NULL, "%s", text);
    ck_assert_msg(strstr(text, "Checks:") == NULL, "%s", text);
}
END_TEST

#ifdef __SANITIZE_ADDRESS__
START_TEST(loses)
{
    held = malloc(40);
    held = NULL;
}
END_TEST

/* The last test frees as much as it takes, and so ends with the bytes that it began with. */
static void one_leaks(TCase *tc)
{
    tcase_add_test(tc, frees);
    tcase_add_test(tc, loses);
    tcase_add_test(tc, frees);
}

START_TEST(one_process_is_searched_for_leaks)
{
    char text[8192];
    int status = run_together(one_leaks, text, sizeof(text));

    ck_assert_msg(strstr(text, "Checks: 3, Failures: 0, Errors: 0") != NULL, "%s", text);
    ck_assert_msg(strstr(text, "40 byte(s) in 1 object") != NULL, "%s", text);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) != EXIT_SUCCESS, "%d: %s", status, text);
}
END_TEST
#endif

static void cases(TCase *tc)
{
#ifdef __SANITIZE_ADDRESS__
    tcase_add_test(tc, only_what_is_left_is_searched);
    tcase_add_test(tc, one_process_is_searched_for_leaks);
#endif
    tcase_add_test(tc, one_process_goes_on_after_a_failure);
    tcase_add_test(tc, death_of_one_process_prints_the_last_check);
    tcase_add_test(tc, death_names_the_last_check);
    tcase_add_test(tc, only_processor_time_counts);
}

HF_TEST_MAIN("support/check_main", cases)
