/* support/check_main.h - main() of a Check test program.
 *
 *     static void cases(TCase *tc) { tcase_add_test(tc, parses); ... }
 *     HF_TEST_MAIN("base/parse", cases)
 */
#pragma once

#include <check.h>
#include <stdlib.h>

#define HF_TEST_MAIN(name, add_cases) HF_TEST_MAIN_TIMEOUT(name, add_cases, 60)

#define HF_TEST_MAIN_TIMEOUT(name, add_cases, timeout_s)                                                               \
    int main(void)                                                                                                     \
    {                                                                                                                  \
        Suite *suite = suite_create(name);                                                                             \
        TCase *tc = tcase_create(name);                                                                                \
        tcase_set_timeout(tc, timeout_s);                                                                              \
        add_cases(tc);                                                                                                 \
        suite_add_tcase(suite, tc);                                                                                    \
        SRunner *runner = srunner_create(suite);                                                                       \
        srunner_run_all(runner, CK_NORMAL);                                                                            \
        int failed = srunner_ntests_failed(runner);                                                                    \
        srunner_free(runner);                                                                                          \
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;                                                              \
    }
