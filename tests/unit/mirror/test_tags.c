/* SPDX-License-Identifier: Apache-2.0 */
#include "mirror/tags.h"

#include <errno.h>
#include <string.h>

#include "mirror/request.h"
#include "support/check_main.h"

#define ONE "1111111111111111111111111111111111111111111111111111111111111111"
#define TWO "2222222222222222222222222222222222222222222222222222222222222222"

static struct hf_mirror_request of(const char *name, const char *tag)
{
    struct hf_mirror_request request = {.registry = "r.example"};

    (void)snprintf(request.name, sizeof(request.name), "%s", name);
    (void)snprintf(request.reference, sizeof(request.reference), "%s", tag);
    return request;
}

START_TEST(ages)
{
    struct hf_mirror_request a = of("team/a", "1"), b = of("team/a", "2");
    struct hf_mirror_tags tags = {.n = 0};

    ck_assert_ptr_null(hf_mirror_tags_find(&tags, &a, 1000, UINT64_MAX));
    ck_assert_int_eq(hf_mirror_tags_put(&tags, &a, ONE, 1000), 1);
    ck_assert_int_eq(hf_mirror_tags_put(&tags, &a, ONE, 1000 + HF_MIRROR_TAG_AGE_S - 1), 0);
    ck_assert_int_eq(hf_mirror_tags_put(&tags, &a, ONE, 1000 + HF_MIRROR_TAG_AGE_S), 1);
    ck_assert_int_eq(hf_mirror_tags_put(&tags, &a, TWO, 5000), 1);
    ck_assert_str_eq(hf_mirror_tags_find(&tags, &a, 5100, 100)->sha256, TWO);
    ck_assert_ptr_null(hf_mirror_tags_find(&tags, &a, 5101, 100));
    ck_assert_ptr_nonnull(hf_mirror_tags_find(&tags, &a, 0, 100)); /* a clock without a battery */
    ck_assert_ptr_null(hf_mirror_tags_find(&tags, &b, 5000, 100));
    hf_mirror_tags_done(&tags);
}
END_TEST

START_TEST(full)
{
    struct hf_mirror_tags tags = {.n = 0};

    for (unsigned i = 0; i <= HF_MIRROR_TAGS; i++) {
        char tag[16];
        (void)snprintf(tag, sizeof(tag), "%u", i);
        struct hf_mirror_request request = of("a", tag);
        ck_assert_int_eq(hf_mirror_tags_put(&tags, &request, ONE, 100 + i), 1);
    }
    struct hf_mirror_request oldest = of("a", "0"), second = of("a", "1");
    ck_assert_uint_eq(tags.n, HF_MIRROR_TAGS);
    ck_assert_ptr_null(hf_mirror_tags_find(&tags, &oldest, 100, UINT64_MAX));
    ck_assert_ptr_nonnull(hf_mirror_tags_find(&tags, &second, 100, UINT64_MAX));
    hf_mirror_tags_done(&tags);
}
END_TEST

START_TEST(text)
{
    struct hf_mirror_request a = of("team/a", "1");
    struct hf_mirror_tags tags = {.n = 0}, again = {.n = 0};
    struct hf_buf out = HF_BUF_INIT(HF_MIRROR_TAGS_TEXT);

    ck_assert_int_eq(hf_mirror_tags_put(&tags, &a, ONE, 1000), 1);
    ck_assert_int_eq(hf_mirror_tags_format(&tags, &out), 0);
    ck_assert_int_eq(hf_mirror_tags_parse(&again, hf_buf_view(&out), NULL), 0);
    ck_assert_str_eq(hf_mirror_tags_find(&again, &a, 1000, 0)->sha256, ONE);
    ck_assert_int_eq(hf_mirror_tags_parse(&again, hf_buf_view(&out), NULL), 0); /* none twice */
    ck_assert_uint_eq(again.n, 1);
    ck_assert_int_eq(hf_mirror_tags_parse(&again, HF_VIEW("{}"), NULL), -EBADMSG);
    ck_assert_int_eq(hf_mirror_tags_parse(&again, HF_VIEW("[{"), NULL), -EBADMSG);
    ck_assert_int_eq(hf_mirror_tags_parse(&again,
                                          HF_VIEW("[1, {\"image\":\"x\"}, {\"image\":\"x\",\"sha256\":\"" ONE
                                                  "\"}, {\"image\":\"x\",\"sha256\":\"" ONE "1\",\"seen\":1}]"),
                                          NULL),
                     0);
    ck_assert_uint_eq(again.n, 1);
    hf_buf_done(&out);
    hf_mirror_tags_done(&tags);
    hf_mirror_tags_done(&again);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, ages);
    tcase_add_test(tc, full);
    tcase_add_test(tc, text);
}

HF_TEST_MAIN("mirror/tags", cases)
