/* A test's limit: processor time counts, waiting does not. */
#include <time.h>

#include "support/check_main.h"

enum { LIMIT_S = 1 };

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

static void inner(TCase *tc)
{
    tcase_add_test(tc, spins);
    tcase_add_test(tc, waits);
}

START_TEST(only_processor_time_counts)
{
    SRunner *runner = hf_test_runner("inner", inner, LIMIT_S);

    srunner_set_fork_status(runner, CK_FORK);
    srunner_run_all(runner, CK_SILENT);
    ck_assert_int_eq(srunner_ntests_run(runner), 2);
    ck_assert_int_eq(srunner_ntests_failed(runner), 1);
    TestResult **failures = srunner_failures(runner);
    ck_assert_str_eq(tr_tcname(failures[0]), "inner");
    ck_assert_msg(strstr(tr_msg(failures[0]), "CPU time limit") != NULL, "%s", tr_msg(failures[0]));
    free(failures);
    srunner_free(runner);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, only_processor_time_counts);
}

HF_TEST_MAIN("support/check_main", cases)
