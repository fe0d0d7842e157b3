/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <errno.h>

#include "support/check_main.h"

START_TEST(views)
{
    ck_assert(hf_view_eq(hf_view_of("ab"), "ab"));
    ck_assert(!hf_view_eq(hf_view_of("ab"), "abc"));
    ck_assert(!hf_view_eq(hf_view_of("ab"), "aa"));
    ck_assert(hf_view_eq(hf_view_of(NULL), ""));
    ck_assert(hf_view_starts(HF_VIEW("abc"), "ab"));
    ck_assert(hf_view_starts(hf_view_of(NULL), ""));
    ck_assert(!hf_view_starts(HF_VIEW("a"), "ab"));
    ck_assert(hf_view_eq(hf_view_trim(HF_VIEW(" \t\r\n a b \n")), "a b"));
    ck_assert(hf_view_eq(hf_view_trim(HF_VIEW(" \n")), ""));
}
END_TEST

static const struct {
    const char *in;
    const char *want; /* pieces, each with '|' behind it */
} splits[] = {
    {"a,b,c", "a|b|c|"}, {"a", "a|"}, {"", "|"}, {",", "||"}, {"a,", "a||"}, {",a", "|a|"},
};

START_TEST(split)
{
    _cleanup_(hf_buf_done) struct hf_buf got = HF_BUF_INIT(100);
    struct hf_view rest = hf_view_of(splits[_i].in), head;

    while (hf_view_split(&rest, ',', &head))
        ck_assert_int_eq(hf_buf_addf(&got, "%.*s|", (int)head.n, head.p), 0);
    ck_assert_msg(strcmp(hf_buf_str(&got), splits[_i].want) == 0, "'%s' gave '%s'", splits[_i].in, hf_buf_str(&got));
    ck_assert(!hf_view_split(&rest, ',', &head));
}
END_TEST

START_TEST(grows_and_stays_terminated)
{
    _cleanup_(hf_buf_done) struct hf_buf buf = HF_BUF_INIT(10000);

    ck_assert_str_eq(hf_buf_str(&buf), "");
    ck_assert_uint_eq(hf_buf_view(&buf).n, 0);
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(hf_buf_add(&buf, "0123456789", (size_t)(i % 10)), 0);
    ck_assert_uint_eq(buf.n, 4500);
    ck_assert_uint_eq(strlen(buf.p), 4500);
    hf_buf_clear(&buf);
    ck_assert_str_eq(hf_buf_str(&buf), "");
    ck_assert_int_eq(hf_buf_addf(&buf, "%d-%s", 7, "x"), 0);
    ck_assert_int_eq(hf_buf_add_str(&buf, "!"), 0);
    ck_assert_str_eq(buf.p, "7-x!");
}
END_TEST

START_TEST(keeps_its_maximum)
{
    _cleanup_(hf_buf_done) struct hf_buf buf = HF_BUF_INIT(5);

    ck_assert_int_eq(hf_buf_add(&buf, "abc", 3), 0);
    ck_assert_int_eq(hf_buf_add(&buf, "def", 3), -E2BIG);
    ck_assert_int_eq(hf_buf_addf(&buf, "%d", 123), -E2BIG);
    ck_assert_int_eq(hf_buf_reserve(&buf, SIZE_MAX), -E2BIG);
    ck_assert_str_eq(buf.p, "abc");
    ck_assert_int_eq(hf_buf_add(&buf, "de", 2), 0);
    ck_assert_str_eq(buf.p, "abcde");
    ck_assert_int_eq(hf_buf_add(&buf, "", 0), 0);
}
END_TEST

START_TEST(nothing_fits_into_nothing)
{
    _cleanup_(hf_buf_done) struct hf_buf buf = HF_BUF_INIT(0);

    ck_assert_int_eq(hf_buf_add(&buf, NULL, 0), 0);
    ck_assert_int_eq(hf_buf_add(&buf, "a", 1), -E2BIG);
    hf_buf_clear(&buf);
}
END_TEST

START_TEST(consume_drops_from_the_front)
{
    _cleanup_(hf_buf_done) struct hf_buf buf = HF_BUF_INIT(100);

    hf_buf_consume(&buf, 3);
    ck_assert_int_eq(hf_buf_add_str(&buf, "abcdef"), 0);
    hf_buf_consume(&buf, 0);
    hf_buf_consume(&buf, 2);
    ck_assert_str_eq(buf.p, "cdef");
    hf_buf_consume(&buf, 99);
    ck_assert_uint_eq(buf.n, 0);
    ck_assert_str_eq(buf.p, "");
}
END_TEST

START_TEST(take_moves_out)
{
    _cleanup_(hf_buf_done) struct hf_buf buf = HF_BUF_INIT(100);
    _cleanup_(hf_freep) char *empty = hf_buf_take(&buf);

    ck_assert_str_eq(empty, "");
    ck_assert_int_eq(hf_buf_add_str(&buf, "abc"), 0);
    _cleanup_(hf_freep) char *text = hf_buf_take(&buf);
    ck_assert_str_eq(text, "abc");
    ck_assert_ptr_null(buf.p);
    ck_assert_int_eq(hf_buf_add_str(&buf, "again"), 0);
    ck_assert_str_eq(buf.p, "again");
}
END_TEST

START_TEST(copies)
{
    _cleanup_(hf_freep) char *view = hf_view_dup((struct hf_view){"abcdef", 3});
    _cleanup_(hf_freep) char *nothing = hf_view_dup((struct hf_view){NULL, 0});
    _cleanup_(hf_freep) char *formatted = hf_asprintf("%s/%d", "a", 7);
    char *first = formatted;

    ck_assert_str_eq(view, "abc");
    ck_assert_str_eq(nothing, "");
    ck_assert_str_eq(formatted, "a/7");
    char *second = hf_steal(first);
    ck_assert_ptr_null(first);
    ck_assert_ptr_eq(second, formatted);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, views);
    tcase_add_loop_test(tc, split, 0, (int)HF_LEN(splits));
    tcase_add_test(tc, grows_and_stays_terminated);
    tcase_add_test(tc, keeps_its_maximum);
    tcase_add_test(tc, nothing_fits_into_nothing);
    tcase_add_test(tc, consume_drops_from_the_front);
    tcase_add_test(tc, take_moves_out);
    tcase_add_test(tc, copies);
}
HF_TEST_MAIN("base/buf", cases)
