/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies come back as they were, however they were cut into pieces, and the same pieces give the same bytes. */
#include "codec/squeeze.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "support/check_main.h"

enum { SIZE = 600 << 10 };

static char text[SIZE], back[SIZE + 1];

static void fill(void)
{
    uint64_t random = 1;

    for (size_t i = 0; i < SIZE; i++) {
        random = random * 6364136223846793005 + 1442695040888963407;
        text[i] = (char)("{\"id\":0123456789abcdef}"[(i * 7 + (random >> 60)) % 23]);
    }
}

static size_t unsqueeze(enum hf_squeeze_kind kind, const struct hf_buf *body)
{
    if (kind == HF_SQUEEZE_ZSTD)
        return ZSTD_decompress(back, sizeof(back), body->p, body->n);
    if (kind == HF_SQUEEZE_NONE) {
        memcpy(back, hf_buf_str(body), body->n);
        return body->n;
    }
    z_stream zlib = {
        .next_in = (Bytef *)body->p, .avail_in = (uInt)body->n, .next_out = (Bytef *)back, .avail_out = SIZE + 1};
    ck_assert_int_eq(inflateInit2(&zlib, 15 + 16), Z_OK);
    ck_assert_int_eq(inflate(&zlib, Z_FINISH), Z_STREAM_END);
    ck_assert_uint_eq(zlib.avail_in, 0);
    ck_assert_int_eq(inflateEnd(&zlib), Z_OK);
    return SIZE + 1 - zlib.avail_out;
}

static void make(struct hf_squeeze *squeeze, size_t n, size_t piece, struct hf_buf *body)
{
    ck_assert_int_eq(hf_squeeze_begin(squeeze, body), 0);
    for (size_t at = 0; at < n; at += piece)
        ck_assert_int_eq(hf_squeeze_add(squeeze, text + at, HF_MIN(piece, n - at)), 0);
    ck_assert_int_eq(hf_squeeze_end(squeeze), 0);
}

START_TEST(comes_back_the_same)
{
    static const size_t sizes[] = {0, 1, 4095, 32768, 32769, 131072, SIZE};
    enum hf_squeeze_kind kind = (enum hf_squeeze_kind)_i;
    _cleanup_(hf_squeeze_freep) struct hf_squeeze *squeeze = hf_squeeze_new(kind);

    fill();
    for (size_t i = 0; i < HF_LEN(sizes); i++) {
        _cleanup_(hf_buf_done) struct hf_buf first = HF_BUF_INIT(2 * SIZE), again = HF_BUF_INIT(2 * SIZE);
        make(squeeze, sizes[i], 250, &first);
        ck_assert_uint_eq(unsqueeze(kind, &first), sizes[i]);
        ck_assert(memcmp(back, text, sizes[i]) == 0);
        if (sizes[i] == SIZE && kind != HF_SQUEEZE_NONE)
            ck_assert_uint_lt(first.n, SIZE * 3 / 4);
        ck_assert_int_eq(hf_squeeze_begin(squeeze, &again), 0); /* one that is given up leaves nothing behind */
        ck_assert_int_eq(hf_squeeze_add(squeeze, text, HF_MIN(sizes[i], (size_t)40000)), 0);
        hf_buf_clear(&again);
        make(squeeze, sizes[i], 7777, &again);
        ck_assert_uint_eq(again.n, first.n);
        ck_assert(again.n == 0 || memcmp(again.p, first.p, again.n) == 0);
    }
}
END_TEST

START_TEST(the_buffer_bounds_it)
{
    _cleanup_(hf_squeeze_freep) struct hf_squeeze *squeeze = hf_squeeze_new((enum hf_squeeze_kind)_i);
    _cleanup_(hf_buf_done) struct hf_buf body = HF_BUF_INIT(1000);

    fill();
    ck_assert_int_eq(hf_squeeze_begin(squeeze, &body), 0);
    int r = hf_squeeze_add(squeeze, text, SIZE);
    ck_assert_int_eq(r < 0 ? r : hf_squeeze_end(squeeze), -E2BIG);
}
END_TEST

START_TEST(names)
{
    ck_assert_str_eq(hf_squeeze_name(HF_SQUEEZE_ZSTD), "zstd");
    ck_assert_str_eq(hf_squeeze_name(HF_SQUEEZE_GZIP), "gzip");
    ck_assert_ptr_null(hf_squeeze_name(HF_SQUEEZE_NONE));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, comes_back_the_same, 0, 3);
    tcase_add_loop_test(tc, the_buffer_bounds_it, 0, 3);
    tcase_add_test(tc, names);
}

HF_TEST_MAIN("codec/squeeze", cases)
