/* SPDX-License-Identifier: Apache-2.0 */
/* The file of Events that wait: what is written comes back, any 32 notices fit, and no text makes trouble. */
#include "agent/report/notice_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "support/check_main.h"

static struct hf_notices from, to;

static void begin(void)
{
    hf_notices_done(&from);
    hf_notices_done(&to);
}

static void assert_equal(void)
{
    ck_assert_uint_eq(from.n, to.n);
    for (size_t i = 0; i < from.n; i++) {
        const struct hf_notice *a = &from.queue[i], *b = &to.queue[i];
        ck_assert(a->reason == b->reason && a->unix_ns == b->unix_ns && a->number == b->number);
        ck_assert_str_eq(a->text, b->text);
    }
    ck_assert_uint_eq(from.added, to.added); /* a later notice gets another number */
}

START_TEST(comes_back)
{
    struct hf_buf text = HF_BUF_INIT(HF_NOTICE_FILE_MAX);
    uint64_t salt = 0;

    begin();
    for (unsigned i = HF_NOTICE_NONE + 1; i < HF_NOTICE_REASONS; i++)
        hf_notices_add(&from, (enum hf_notice_reason)i, 1795000000ull * HF_NS_PER_S + i, "line 3 \"runs\" \n \xc3\xa4");
    ck_assert_int_eq(hf_notice_file_format(&from, 0xfedcba9876543210ull, &text), 0);
    ck_assert_int_eq(hf_notice_file_parse(hf_buf_view(&text), &to, &salt, NULL), 0);
    ck_assert_uint_eq(salt, 0xfedcba9876543210ull);
    assert_equal();
    hf_buf_done(&text);
}
END_TEST

START_TEST(any_full_queue_fits)
{
    struct hf_buf text = HF_BUF_INIT(HF_NOTICE_FILE_MAX);
    char longest[HF_NOTICES_TEXT];
    uint64_t salt = 0;

    begin();
    memset(longest, '\x01', sizeof(longest) - 1); /* six bytes each in JSON */
    longest[sizeof(longest) - 1] = '\0';
    for (unsigned i = 0; i < HF_NOTICES_MAX + 3; i++)
        hf_notices_add(&from, HF_NOTICE_MANIFEST_ROLLED_BACK, INT64_MAX, longest);
    ck_assert_int_eq(hf_notice_file_format(&from, UINT64_MAX, &text), 0);
    ck_assert_int_eq(hf_notice_file_parse(hf_buf_view(&text), &to, &salt, NULL), 0);
    assert_equal();
    hf_buf_done(&text);
}
END_TEST

/* Each prefix, and each changed byte: refused as a whole, or read as a bounded queue of whole notices. */
START_TEST(damage)
{
    struct hf_buf text = HF_BUF_INIT(HF_NOTICE_FILE_MAX);
    uint64_t salt = 7;

    begin();
    hf_notices_add(&from, HF_NOTICE_WENT_STALE, 1, "a");
    hf_notices_add(&from, HF_NOTICE_CAME_BACK, 2, "b");
    ck_assert_int_eq(hf_notice_file_format(&from, 9, &text), 0);
    for (size_t n = 0; n < text.n; n++) {
        ck_assert_int_eq(hf_notice_file_parse((struct hf_view){text.p, n}, &to, &salt, NULL), -EBADMSG);
        ck_assert(to.n == 0 && salt == 7);
    }
    for (size_t at = 0; at < text.n; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            text.p[at] ^= (char)(1u << bit);
            int r = hf_notice_file_parse(hf_buf_view(&text), &to, &salt, NULL);
            ck_assert(r == 0 || (r == -EBADMSG && to.n == 0));
            ck_assert_uint_le(to.n, 2);
            for (size_t i = 0; i < to.n; i++)
                ck_assert(to.queue[i].number > 0 && to.queue[i].text[0] != '\0' &&
                          hf_notice_reason_name(to.queue[i].reason)[0] != '\0');
            hf_notices_done(&to);
            text.p[at] ^= (char)(1u << bit);
        }
    hf_buf_done(&text);
    begin();
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, comes_back);
    tcase_add_test(tc, any_full_queue_fits);
    tcase_add_test(tc, damage);
}

HF_TEST_MAIN("agent/notice_file", cases)
