/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>

#include "support/check_main.h"

static char text[600];

START_TEST(set_names_the_cause)
{
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(hf_err_set(&err, ENOENT, "no key '%s'", "a"), -ENOENT);
    ck_assert_int_eq(err.code, ENOENT);
    ck_assert_str_eq(hf_err_text(&err, text, sizeof(text)), "no key 'a'");
}
END_TEST

START_TEST(set_forgets_earlier_context)
{
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(hf_err_set(&err, EIO, "first"), -EIO);
    ck_assert_int_eq(hf_err_wrap(&err, -EIO, "outer"), -EIO);
    ck_assert_int_eq(hf_err_set(&err, EPERM, "second"), -EPERM);
    ck_assert_str_eq(hf_err_text(&err, text, sizeof(text)), "second");
}
END_TEST

START_TEST(set_may_quote_what_it_replaces)
{
    struct hf_err err = HF_ERR_INIT;

    (void)hf_err_set(&err, EIO, "no answer");
    ck_assert_int_eq(hf_err_set(&err, EPERM, "2 of 3: %s, twice", err.cause), -EPERM);
    ck_assert_str_eq(hf_err_text(&err, text, sizeof(text)), "2 of 3: no answer, twice");
}
END_TEST

START_TEST(sys_adds_the_system_text)
{
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(hf_err_sys(&err, -ENOENT, "open '%s'", "/x"), -ENOENT);
    ck_assert_int_eq(err.code, ENOENT);
    ck_assert_str_eq(hf_err_text(&err, text, sizeof(text)), "open '/x': No such file or directory");
}
END_TEST

START_TEST(wrap_puts_context_in_front)
{
    struct hf_err err = HF_ERR_INIT;

    (void)hf_err_set(&err, EBADMSG, "field 'holder' missing");
    ck_assert_int_eq(hf_err_wrap(&err, -EBADMSG, "load lease '%s'", "/v"), -EBADMSG);
    ck_assert_int_eq(hf_err_wrap(&err, -EBADMSG, "apply bundle '%s'", "edge-7"), -EBADMSG);
    ck_assert_str_eq(hf_err_text(&err, text, sizeof(text)),
                     "apply bundle 'edge-7': load lease '/v': field 'holder' missing");
}
END_TEST

START_TEST(wrap_of_nothing_fills_in_the_code)
{
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(hf_err_wrap(&err, -ENOSPC, "write '/x'"), -ENOSPC);
    ck_assert_int_eq(err.code, ENOSPC);
    ck_assert_str_eq(hf_err_text(&err, text, sizeof(text)), "write '/x': No space left on device");
}
END_TEST

START_TEST(nobody_listening_is_fine)
{
    ck_assert_int_eq(hf_err_set(NULL, EIO, "x"), -EIO);
    ck_assert_int_eq(hf_err_sys(NULL, -EIO, "x"), -EIO);
    ck_assert_int_eq(hf_err_wrap(NULL, -EIO, "x"), -EIO);
}
END_TEST

START_TEST(long_context_never_pushes_out_the_cause)
{
    struct hf_err err = HF_ERR_INIT;
    char small[8];

    (void)hf_err_set(&err, EIO, "the cause");
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(hf_err_wrap(&err, -EIO, "a long piece of context, number %d", i), -EIO);
    (void)hf_err_text(&err, text, sizeof(text));
    ck_assert_uint_lt(strlen(text), sizeof(err.where) + sizeof(err.cause) + 2);
    ck_assert_ptr_nonnull(strstr(text, ": the cause"));
    ck_assert_ptr_eq(strstr(text, "a long piece of context, number 99"), text);
    ck_assert_str_eq(hf_err_text(&err, small, sizeof(small)), "a long ");
}
END_TEST

START_TEST(long_causes_end_behind_a_word)
{
    struct hf_err err = HF_ERR_INIT;
    char words[400] = "", umlauts[401] = "";

    for (size_t i = 0; i + 8 < sizeof(words); i += 7)
        memcpy(words + i, "system ", 8);
    (void)hf_err_set(&err, EIO, "%s", words);
    size_t n = strlen(err.cause);
    ck_assert_uint_ge(n, sizeof(err.cause) - 11);
    ck_assert_str_eq(err.cause + n - 10, " system...");
    for (size_t i = 0; i + 2 < sizeof(umlauts); i += 2)
        memcpy(umlauts + i, "\xc3\xa4", 3);
    for (int shift = 0; shift < 2; shift++) {
        (void)hf_err_set(&err, EIO, "%s%s", shift == 0 ? "" : "a", umlauts);
        n = strlen(err.cause);
        ck_assert_str_eq(err.cause + n - 5, "\xc3\xa4...");
    }
}
END_TEST

START_TEST(long_causes_are_cut)
{
    struct hf_err err = HF_ERR_INIT;
    char name[1000];

    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    (void)hf_err_set(&err, EIO, "%s", name);
    ck_assert_uint_eq(strlen(err.cause), sizeof(err.cause) - 1);
    (void)hf_err_sys(&err, -EIO, "%s", name);
    ck_assert_uint_eq(strlen(err.cause), sizeof(err.cause) - 1);
    (void)hf_err_wrap(&err, -EIO, "%s", name);
    ck_assert_uint_eq(strlen(err.where), sizeof(err.where) - 1);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, set_names_the_cause);
    tcase_add_test(tc, set_forgets_earlier_context);
    tcase_add_test(tc, set_may_quote_what_it_replaces);
    tcase_add_test(tc, sys_adds_the_system_text);
    tcase_add_test(tc, wrap_puts_context_in_front);
    tcase_add_test(tc, wrap_of_nothing_fills_in_the_code);
    tcase_add_test(tc, nobody_listening_is_fine);
    tcase_add_test(tc, long_causes_end_behind_a_word);
    tcase_add_test(tc, long_context_never_pushes_out_the_cause);
    tcase_add_test(tc, long_causes_are_cut);
}
HF_TEST_MAIN("base/err", cases)
