/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/unpack.h"

#include <errno.h>
#include <lzma.h>
#include <zstd.h>

#include "base/buf.h"
#include "support/check_main.h"

enum { PLAIN_BYTES = 300000, PACKED_MAX = 1 << 20 };

static unsigned char plain[PLAIN_BYTES], packed[PACKED_MAX];
static size_t packed_n;

static void setup(void)
{
    uint32_t seed = 1;

    for (size_t i = 0; i < sizeof(plain); i++) {
        seed = seed * 1664525 + 1013904223;
        plain[i] = (unsigned char)(i % 3 != 0 ? i >> 8 : seed >> 28);
    }
}

static void pack_zstd(size_t n)
{
    packed_n = ZSTD_compress(packed, sizeof(packed), plain, n, 3);
    ck_assert(!ZSTD_isError(packed_n));
}

static void pack_xz(size_t n)
{
    packed_n = 0;
    ck_assert_int_eq(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, plain, n, packed, &packed_n, sizeof(packed)),
                     LZMA_OK);
}

static int add(void *ctx, const void *bytes, size_t n)
{
    return hf_buf_add(ctx, bytes, n);
}

static void free_unpack(struct hf_unpack **unpack)
{
    hf_unpack_free(*unpack);
}

/* Everything in pieces of `piece` bytes, then the end. */
static int unpack_all(const void *bytes, size_t n, size_t piece, size_t window, struct hf_buf *out, struct hf_err *err)
{
    _cleanup_(free_unpack) struct hf_unpack *unpack = hf_unpack_new(add, out, window);
    int r = 0;

    ck_assert_ptr_nonnull(unpack);
    for (size_t at = 0; r == 0 && at < n; at += piece)
        r = hf_unpack_feed(unpack, (const char *)bytes + at, HF_MIN(piece, n - at), err);
    if (r < 0)
        ck_assert_int_eq(hf_unpack_feed(unpack, bytes, 1, NULL), r); /* and stays so */
    int end = hf_unpack_finish(unpack, r < 0 ? NULL : err);
    ck_assert(r == 0 || end == r);
    return end;
}

static void (*const packers[])(size_t n) = {pack_zstd, pack_xz};

START_TEST(gives_back_what_was_packed)
{
    static const size_t sizes[] = {0, 1, 7, 65536, 70000, 131072, 262144, PLAIN_BYTES},
                        pieces[] = {1, 5, 4096, PACKED_MAX};

    for (size_t s = 0; s < HF_LEN(sizes); s++) {
        packers[_i](sizes[s]);
        for (size_t p = 0; p < HF_LEN(pieces); p++) {
            _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(PACKED_MAX);
            struct hf_err err = HF_ERR_INIT;
            ck_assert_msg(unpack_all(packed, packed_n, pieces[p], 0, &out, &err) == 0, "%zu by %zu: %s", sizes[s],
                          pieces[p], err.cause);
            ck_assert_uint_eq(out.n, sizes[s]);
            ck_assert_mem_eq(hf_buf_str(&out), plain, sizes[s]);
        }
    }
}
END_TEST

START_TEST(streams_one_after_the_other)
{
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(PACKED_MAX), twice = HF_BUF_INIT(PACKED_MAX);

    packers[_i](50000);
    ck_assert_int_eq(hf_buf_add(&twice, packed, packed_n), 0);
    ck_assert_int_eq(hf_buf_add(&twice, packed, packed_n), 0);
    ck_assert_int_eq(unpack_all(twice.p, twice.n, 1000, 0, &out, NULL), 0);
    ck_assert_uint_eq(out.n, 100000);
    ck_assert_mem_eq(out.p + 50000, plain, 50000);
}
END_TEST

START_TEST(cut_anywhere)
{
    packers[_i](3000);
    for (size_t n = 6; n < packed_n; n++) {
        _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(PACKED_MAX);
        ck_assert_msg(unpack_all(packed, n, 512, 0, &out, NULL) == -EBADMSG, "%zu of %zu bytes", n, packed_n);
    }
}
END_TEST

START_TEST(damaged_anywhere)
{
    packers[_i](3000);
    for (size_t i = 6; i < packed_n; i++) {
        _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(PACKED_MAX);
        packed[i] ^= 0x10;
        int r = unpack_all(packed, packed_n, 512, 0, &out, NULL);
        /* zstd without a checksum may give wrong bytes: the release's hash is the judge of content. */
        ck_assert_msg(r == 0 || r == -EBADMSG || r == -E2BIG, "byte %zu: %d", i, r);
        packed[i] ^= 0x10;
    }
}
END_TEST

START_TEST(rubbish_behind_it)
{
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(PACKED_MAX);

    packers[_i](3000);
    memcpy(packed + packed_n, "rubbish!", 8);
    ck_assert_int_eq(unpack_all(packed, packed_n + 8, 100, 0, &out, NULL), -EBADMSG);
}
END_TEST

START_TEST(memory_is_bounded)
{
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(PACKED_MAX);
    struct hf_err err = HF_ERR_INIT;
    ZSTD_CCtx *zstd = ZSTD_createCCtx();

    ck_assert_ptr_nonnull(zstd);
    (void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_windowLog, 27);
    (void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_contentSizeFlag, 0);
    ZSTD_inBuffer in = {plain, PLAIN_BYTES, 0};
    ZSTD_outBuffer to = {packed, sizeof(packed), 0};
    (void)ZSTD_compressStream2(zstd, &to, &in, ZSTD_e_flush); /* the size is not known when the header is written */
    ck_assert_uint_eq(ZSTD_compressStream2(zstd, &to, &in, ZSTD_e_end), 0);
    (void)ZSTD_freeCCtx(zstd);
    ck_assert_int_eq(unpack_all(packed, to.pos, 4096, 0, &out, &err), -E2BIG);
    ck_assert_ptr_nonnull(strstr(err.cause, "32 MiB"));
    ck_assert_int_eq(unpack_all(packed, to.pos, 4096, (size_t)128 << 20, &out, &err), 0);

    lzma_options_lzma options;
    ck_assert(!lzma_lzma_preset(&options, 1));
    options.dict_size = 64 << 20;
    lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};
    packed_n = 0;
    ck_assert_int_eq(
        lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC32, NULL, plain, 1000, packed, &packed_n, sizeof(packed)),
        LZMA_OK);
    ck_assert_int_eq(unpack_all(packed, packed_n, 4096, 0, &out, &err), -E2BIG);
    ck_assert_ptr_nonnull(strstr(err.cause, "32 MiB"));
}
END_TEST

static const char *const plains[] = {"",
                                     "a",
                                     "\x28",
                                     "\x28\xb5\x2f",
                                     "\x28\xb5\x2f\xfe",
                                     "\xfd"
                                     "7zXY",
                                     "\xfd"
                                     "7z",
                                     "\x7f"
                                     "ELF..."};

START_TEST(anything_else_passes_through)
{
    size_t n = strlen(plains[_i]);

    for (size_t piece = 1; piece < 10; piece++) {
        _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(100);
        ck_assert_int_eq(unpack_all(plains[_i], n, piece, 0, &out, NULL), 0);
        ck_assert_uint_eq(out.n, n);
        ck_assert_mem_eq(hf_buf_str(&out), plains[_i], n);
    }
}
END_TEST

START_TEST(errors_of_the_writer_end_it)
{
    _cleanup_(hf_buf_done) struct hf_buf small = HF_BUF_INIT(100);

    packers[_i](3000);
    ck_assert_int_eq(unpack_all(packed, packed_n, 100, 0, &small, NULL), -E2BIG);
    ck_assert_int_eq(unpack_all(plain, 3000, 1000, 0, &small, NULL), -E2BIG);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_loop_test(tc, gives_back_what_was_packed, 0, 2);
    tcase_add_loop_test(tc, streams_one_after_the_other, 0, 2);
    tcase_add_loop_test(tc, cut_anywhere, 0, 2);
    tcase_add_loop_test(tc, damaged_anywhere, 0, 2);
    tcase_add_loop_test(tc, rubbish_behind_it, 0, 2);
    tcase_add_test(tc, memory_is_bounded);
    tcase_add_loop_test(tc, anything_else_passes_through, 0, (int)HF_LEN(plains));
    tcase_add_loop_test(tc, errors_of_the_writer_end_it, 0, 2);
}
HF_TEST_MAIN("codec/unpack", cases)
