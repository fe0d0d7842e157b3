/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/pack.h"

#include <errno.h>
#include <zstd.h>

#include "base/buf.h"
#include "support/check_main.h"

static int add(void *ctx, const void *bytes, size_t n)
{
    return hf_buf_add(ctx, bytes, n);
}

static int pack_all(struct hf_buf *out, const char *bytes, size_t n, size_t piece)
{
    _cleanup_(hf_pack_freep) struct hf_pack *pack = hf_pack_new(add, out, n);
    int r = 0;

    ck_assert_ptr_nonnull(pack);
    for (size_t at = 0; r == 0 && at < n; at += piece)
        r = hf_pack_feed(pack, bytes + at, HF_MIN(piece, n - at), NULL);
    return r < 0 ? r : hf_pack_finish(pack, NULL);
}

static char plain[300000];

static void fill(void)
{
    for (size_t i = 0; i < sizeof(plain); i++)
        plain[i] = (char)(i * i >> 7);
}

START_TEST(zstd_reads_it_back)
{
    static const size_t sizes[] = {0, 1, 1000, sizeof(plain)};
    static char back[sizeof(plain)];

    fill();
    for (size_t i = 0; i < HF_LEN(sizes); i++) {
        _cleanup_(hf_buf_done) struct hf_buf packed = HF_BUF_INIT(1 << 20), again = HF_BUF_INIT(1 << 20);
        ck_assert_int_eq(pack_all(&packed, plain, sizes[i], 4096), 0);
        ck_assert_int_eq(pack_all(&again, plain, sizes[i], 70000), 0);
        ck_assert_uint_eq(packed.n, again.n); /* however it was fed */
        ck_assert_mem_eq(packed.p, again.p, packed.n);
        ck_assert_uint_eq(ZSTD_getFrameContentSize(packed.p, packed.n), sizes[i]);
        ck_assert_uint_eq(ZSTD_decompress(back, sizeof(back), packed.p, packed.n), sizes[i]);
        ck_assert_mem_eq(back, plain, sizes[i]);
    }
}
END_TEST

START_TEST(a_full_disk_is_told)
{
    _cleanup_(hf_buf_done) struct hf_buf small = HF_BUF_INIT(100);

    fill();
    ck_assert_int_eq(pack_all(&small, plain, sizeof(plain), sizeof(plain)), -E2BIG);
}
END_TEST

START_TEST(more_than_was_announced)
{
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(1 << 20);
    _cleanup_(hf_pack_freep) struct hf_pack *pack = hf_pack_new(add, &out, 10);
    int r = hf_pack_feed(pack, plain, 11, NULL);

    ck_assert_int_lt(r == 0 ? hf_pack_finish(pack, NULL) : r, 0);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, zstd_reads_it_back);
    tcase_add_test(tc, a_full_disk_is_told);
    tcase_add_test(tc, more_than_was_announced);
}
HF_TEST_MAIN("codec/pack", cases)
