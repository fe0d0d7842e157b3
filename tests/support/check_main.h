/* SPDX-License-Identifier: Apache-2.0 */
/* support/check_main.h - main() of a Check test program.
 *
 *     static void cases(TCase *tc) { tcase_add_test(tc, parses); ... }
 *     HF_TEST_MAIN("base/parse", cases)
 *
 * A test's limit counts processor time, so that a busy machine fails no test: each test runs in a child of its own, which
 * SIGXCPU ends. Behind that stands a limit of wall time, ten times as long and at least ten minutes, for what waits for
 * ever.
 *
 * A test that has freed all that it allocated ends without the search for leaks, which costs more than most tests. */
#pragma once

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "support/mark.h"

enum { HF_TEST_CPU_S = 60, HF_TEST_WALL_S = 600, HF_TEST_WALL_FACTOR = 10 };

static rlim_t hf_test_cpu_s;

/* Runs in the test's child. Without children (CK_FORK=no: under a debugger, and where tests/one-process says so) the
 * caller limits the whole program, which is searched for leaks at its end. */
static void hf_test_prepare(void)
{
    const char *fork_wanted = getenv("CK_FORK");
    struct rlimit limit = {hf_test_cpu_s, hf_test_cpu_s + 10};
    bool has_own_process = fork_wanted == NULL || strcmp(fork_wanted, "no") != 0;

    hf_mark_at_death(has_own_process);
    if (!has_own_process)
        return;
    (void)setrlimit(RLIMIT_CPU, &limit);
    hf_no_search_without_leaks();
}

/* A runner of the one case that `add_cases` fills; free it with srunner_free(). */
static inline SRunner *hf_test_runner(const char *name, void (*add_cases)(TCase *tc), unsigned cpu_s)
{
    Suite *suite = suite_create(name);
    TCase *tc = tcase_create(name);
    unsigned wall_s = cpu_s * HF_TEST_WALL_FACTOR;

    hf_test_cpu_s = cpu_s;
    tzset(); /* what the C library keeps of the zone is then there before a test forks */
    tcase_set_timeout(tc, wall_s > HF_TEST_WALL_S ? wall_s : HF_TEST_WALL_S);
    tcase_add_checked_fixture(tc, hf_test_prepare, NULL);
    add_cases(tc);
    suite_add_tcase(suite, tc);
    return srunner_create(suite);
}

static inline int hf_test_main(const char *name, void (*add_cases)(TCase *tc), unsigned cpu_s)
{
    SRunner *runner = hf_test_runner(name, add_cases, cpu_s);

    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define HF_TEST_MAIN(name, add_cases) HF_TEST_MAIN_CPU(name, add_cases, HF_TEST_CPU_S)

/* `cpu_s`: seconds of processor time that one test may use. */
#define HF_TEST_MAIN_CPU(name, add_cases, cpu_s)                                                                       \
    int main(void)                                                                                                     \
    {                                                                                                                  \
        return hf_test_main(name, add_cases, (unsigned)(cpu_s));                                                       \
    }
