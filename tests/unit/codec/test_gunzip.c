/* SPDX-License-Identifier: Apache-2.0 */
/* Gzip members as a stream: pieces of any size, its end, damage, what follows it, errors of the reader. */
#include "codec/gunzip.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "codec/squeeze.h"
#include "support/check_main.h"

static struct hf_buf out, gz;

static void set_up(void)
{
    static const char text[] = "a line of text that repeats\n";
    struct hf_squeeze *squeeze = hf_squeeze_new(HF_SQUEEZE_GZIP);

    out = (struct hf_buf)HF_BUF_INIT(1 << 20);
    gz = (struct hf_buf)HF_BUF_INIT(1 << 20);
    ck_assert_int_eq(hf_squeeze_begin(squeeze, &gz), 0);
    for (int i = 0; i < 5000; i++)
        ck_assert_int_eq(hf_squeeze_add(squeeze, text, sizeof(text) - 1), 0);
    ck_assert_int_eq(hf_squeeze_end(squeeze), 0);
    hf_squeeze_free(squeeze);
}

static void tear_down(void)
{
    hf_buf_done(&out);
    hf_buf_done(&gz);
}

static int keep(void *ctx, const void *bytes, size_t n)
{
    (void)ctx;
    return hf_buf_add(&out, bytes, n);
}

static int refuse(void *ctx, const void *bytes, size_t n)
{
    (void)bytes, (void)n;
    return ++*(int *)ctx == 2 ? -E2BIG : 0;
}

static int run(size_t step, struct hf_err *err)
{
    _cleanup_(hf_gunzip_freep) struct hf_gunzip *gunzip = hf_gunzip_new(keep, NULL);
    int r = 0;

    hf_buf_clear(&out);
    for (size_t at = 0; r == 0 && at < gz.n; at += step)
        r = hf_gunzip_feed(gunzip, gz.p + at, HF_MIN(step, gz.n - at), err);
    return r == 0 ? hf_gunzip_finish(gunzip, err) : r;
}

START_TEST(pieces)
{
    static const size_t steps[] = {1, 7, 100, 1 << 20};

    ck_assert_int_eq(run(steps[_i], NULL), 0);
    ck_assert_uint_eq(out.n, 5000 * strlen("a line of text that repeats\n"));
}
END_TEST

START_TEST(every_cut)
{
    size_t whole = gz.n;

    for (gz.n = 0; gz.n < whole; gz.n++)
        ck_assert_int_eq(run(64, NULL), -ENODATA);
}
END_TEST

START_TEST(what_follows)
{
    struct hf_err err = HF_ERR_INIT;
    size_t n = gz.n;

    for (int i = 0; i < 2; i++) { /* zeros; a text */
        gz.n = n;
        ck_assert_int_eq(i == 0 ? hf_buf_add(&gz, "\0\0", 2) : hf_buf_add(&gz, "text", 4), 0);
        ck_assert_int_eq(run(1 << 20, &err), -EBADMSG);
        ck_assert_msg(strstr(err.cause, "other bytes follow") != NULL, "%s", err.cause);
        ck_assert_int_eq(run(1, &err), -EBADMSG);
    }
}
END_TEST

START_TEST(several_members)
{
    struct hf_err err = HF_ERR_INIT;
    size_t n = gz.n, text = 5000 * strlen("a line of text that repeats\n");
    _cleanup_(hf_freep) char *member = malloc(n);

    memcpy(member, gz.p, n);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(hf_buf_add(&gz, member, n), 0);
    ck_assert_int_eq(run(1 << 20, NULL), 0);
    ck_assert_uint_eq(out.n, 3 * text);
    ck_assert_int_eq(run(1, NULL), 0);
    ck_assert_uint_eq(out.n, 3 * text);
    for (gz.n = 2 * n + 1; gz.n < 3 * n; gz.n++) /* cut in the last one */
        ck_assert_int_eq(run(64, NULL), -ENODATA);
    gz.p[2 * n + 1] = 'x'; /* not the magic number */
    ck_assert_int_eq(run(64, &err), -EBADMSG);
}
END_TEST

/* The smallest member has 20 bytes and no content. */
START_TEST(too_many_members)
{
    static const char empty[20] = {0x1f, (char)0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0};
    struct hf_err err = HF_ERR_INIT;

    hf_buf_clear(&gz);
    for (int i = 0; i < HF_GUNZIP_MAX_MEMBERS; i++)
        ck_assert_int_eq(hf_buf_add(&gz, empty, sizeof(empty)), 0);
    ck_assert_int_eq(run(64, NULL), 0);
    ck_assert_uint_eq(out.n, 0);
    ck_assert_int_eq(hf_buf_add(&gz, empty, sizeof(empty)), 0);
    ck_assert_int_eq(run(64, &err), -E2BIG);
    ck_assert_msg(strstr(err.cause, "more than 4096 members") != NULL, "%s", err.cause);
}
END_TEST

START_TEST(errors_stay)
{
    int calls = 0;
    struct hf_gunzip *gunzip = hf_gunzip_new(refuse, &calls);

    ck_assert_int_eq(hf_gunzip_feed(gunzip, gz.p, gz.n, NULL), -E2BIG);
    ck_assert_int_eq(hf_gunzip_feed(gunzip, gz.p, gz.n, NULL), -E2BIG);
    ck_assert_int_eq(hf_gunzip_finish(gunzip, NULL), -E2BIG);
    ck_assert_int_eq(calls, 2);
    hf_gunzip_free(gunzip);
    gunzip = hf_gunzip_new(keep, NULL);
    ck_assert_int_eq(hf_gunzip_feed(gunzip, "no gzip", 7, NULL), -EBADMSG);
    hf_gunzip_free(gunzip);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, pieces, 0, 4);
    tcase_add_test(tc, every_cut);
    tcase_add_test(tc, what_follows);
    tcase_add_test(tc, several_members);
    tcase_add_test(tc, too_many_members);
    tcase_add_test(tc, errors_stay);
}
HF_TEST_MAIN("codec/gunzip", cases)
