/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/expand.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "support/check_main.h"

static const enum hf_squeeze_kind kinds[] = {HF_SQUEEZE_GZIP, HF_SQUEEZE_ZSTD};

/* Compressible, but not by too much. */
static void make_text(struct hf_buf *text, size_t n)
{
    unsigned x = 12345;

    for (size_t i = 0; text->n + 80 < n; i++) {
        x = x * 1103515245u + 12345u;
        ck_assert_int_eq(hf_buf_addf(text, "{\"id\":\"%zu\",\"sensorData\":{\"t\":%u.%u}}\n", i, x >> 20, x >> 9 & 127),
                         0);
    }
}

static void pack(enum hf_squeeze_kind kind, struct hf_view text, struct hf_buf *packed)
{
    _cleanup_(hf_squeeze_freep) struct hf_squeeze *squeeze = hf_squeeze_new(kind);

    ck_assert_int_eq(hf_squeeze_begin(squeeze, packed), 0);
    ck_assert_int_eq(hf_squeeze_add(squeeze, text.p, text.n), 0);
    ck_assert_int_eq(hf_squeeze_end(squeeze), 0);
}

START_TEST(names)
{
    static const struct {
        const char *name;
        int want_r;
        enum hf_squeeze_kind want;
    } rows[] = {
        {"", 0, HF_SQUEEZE_NONE},
        {"identity", 0, HF_SQUEEZE_NONE},
        {"gzip", 0, HF_SQUEEZE_GZIP},
        {"GZip", 0, HF_SQUEEZE_GZIP},
        {" x-gzip ", 0, HF_SQUEEZE_GZIP},
        {"zstd", 0, HF_SQUEEZE_ZSTD},
        {"deflate", -ENOTSUP, 0},
        {"br", -ENOTSUP, 0},
        {"gzip, zstd", -ENOTSUP, 0},
        {"gzip\tzstd", -ENOTSUP, 0},
        {"zst", -ENOTSUP, 0},
    };
    for (size_t i = 0; i < HF_LEN(rows); i++) {
        enum hf_squeeze_kind kind = HF_SQUEEZE_NONE;
        int r = hf_expand_kind(hf_view_of(rows[i].name), &kind);
        ck_assert_msg(r == rows[i].want_r && kind == rows[i].want, "'%s': %d", rows[i].name, r);
    }
}
END_TEST

START_TEST(there_and_back)
{
    static const size_t sizes[] = {0, 1, 100, 16384, 100000, 3000000};
    enum hf_squeeze_kind kind = kinds[_i];

    for (size_t i = 0; i < HF_LEN(sizes); i++) {
        _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4 << 20), packed = HF_BUF_INIT(4 << 20);
        _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(4 << 20);
        make_text(&text, sizes[i]);
        pack(kind, hf_buf_view(&text), &packed);
        size_t one = packed.n;
        ck_assert_int_eq(hf_expand(kind, hf_buf_view(&packed), &out, NULL), 0);
        ck_assert(out.n == text.n && memcmp(hf_buf_str(&out), hf_buf_str(&text), text.n) == 0);
        /* Two behind each other are one body. */
        pack(kind, HF_VIEW("tail"), &packed);
        hf_buf_clear(&out);
        ck_assert_int_eq(hf_expand(kind, hf_buf_view(&packed), &out, NULL), 0);
        ck_assert(out.n == text.n + 4 && memcmp(out.p + text.n, "tail", 4) == 0);
        /* The maximum is exact. */
        hf_buf_done(&out);
        out.max = text.n;
        ck_assert_int_eq(hf_expand(kind, (struct hf_view){packed.p, one}, &out, NULL), 0);
        hf_buf_done(&out);
        if (text.n > 0) {
            out.max = text.n - 1;
            const char *what = "";
            ck_assert_int_eq(hf_expand(kind, (struct hf_view){packed.p, one}, &out, &what), -E2BIG);
            ck_assert_str_eq(what, "the unpacked body is too long");
        }
    }
}
END_TEST

/* Cut anywhere, any byte changed: refused or the same bytes, never a crash. */
START_TEST(damage)
{
    enum hf_squeeze_kind kind = kinds[_i];
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20), packed = HF_BUF_INIT(1 << 20);
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(1 << 20);

    make_text(&text, 2000);
    pack(kind, hf_buf_view(&text), &packed);
    for (size_t n = 0; n < packed.n; n++) {
        const char *what = NULL;
        hf_buf_clear(&out);
        ck_assert_msg(hf_expand(kind, (struct hf_view){packed.p, n}, &out, &what) == -EBADMSG, "%zu of %zu", n,
                      packed.n);
        ck_assert_ptr_nonnull(what);
    }
    for (size_t i = 0; i < packed.n; i++) {
        packed.p[i] = (char)(packed.p[i] ^ 0x10);
        hf_buf_clear(&out);
        if (hf_expand(kind, hf_buf_view(&packed), &out, NULL) == 0 && kind == HF_SQUEEZE_ZSTD)
            ck_assert_uint_le(out.n, text.n);
        packed.p[i] = (char)(packed.p[i] ^ 0x10);
    }
    ck_assert_int_eq(hf_buf_add(&packed, "garbage", 7), 0);
    hf_buf_clear(&out);
    ck_assert_int_eq(hf_expand(kind, hf_buf_view(&packed), &out, NULL), -EBADMSG);
}
END_TEST

/* A bomb is stopped where the ratio shows, long before the maximum, and did not cost more than that. */
START_TEST(bombs)
{
    enum { BOMB = 512 << 20 };
    enum hf_squeeze_kind kind = kinds[_i];
    _cleanup_(hf_squeeze_freep) struct hf_squeeze *squeeze = hf_squeeze_new(kind);
    _cleanup_(hf_buf_done) struct hf_buf packed = HF_BUF_INIT(4 << 20), out = HF_BUF_INIT(8 << 20);
    static const char zeros[1 << 20];
    const char *what = NULL;

    ck_assert_int_eq(hf_squeeze_begin(squeeze, &packed), 0);
    for (int i = 0; i < BOMB / (int)sizeof(zeros); i++)
        ck_assert_int_eq(hf_squeeze_add(squeeze, zeros, sizeof(zeros)), 0);
    ck_assert_int_eq(hf_squeeze_end(squeeze), 0);
    ck_assert_int_eq(hf_expand(kind, hf_buf_view(&packed), &out, &what), -E2BIG);
    ck_assert_uint_le(out.n, 8 << 20);
    hf_buf_done(&out);
    if (kind == HF_SQUEEZE_GZIP)
        return; /* at our level deflate cannot reach the ratio */
    /* A small one: by the ratio. */
    packed.n = 0;
    ck_assert_int_eq(hf_squeeze_begin(squeeze, &packed), 0);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(hf_squeeze_add(squeeze, zeros, sizeof(zeros)), 0);
    ck_assert_int_eq(hf_squeeze_end(squeeze), 0);
    ck_assert_int_eq(hf_expand(kind, hf_buf_view(&packed), &out, &what), -E2BIG);
    ck_assert_str_eq(what, "the body unpacks to far more than was sent");
    ck_assert_uint_le(out.n, 2 << 20);
}
END_TEST

/* A frame that wants a window of 128 MiB does not get it. */
START_TEST(wide_window)
{
    static const unsigned char frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88 /* 2^27 */, 0x01, 0x00, 0x00};
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(1 << 20);

    ck_assert_int_eq(hf_expand(HF_SQUEEZE_ZSTD, (struct hf_view){(const char *)frame, sizeof(frame)}, &out, NULL),
                     -EBADMSG);
}
END_TEST

/* The linker puts these in place of zstd's own function (see Makefile). */
static bool zstd_has_no_memory;
size_t __real_ZSTD_decompressStream(ZSTD_DCtx *context, ZSTD_outBuffer *out, ZSTD_inBuffer *in);
size_t __wrap_ZSTD_decompressStream(ZSTD_DCtx *context, ZSTD_outBuffer *out, ZSTD_inBuffer *in);
size_t __wrap_ZSTD_decompressStream(ZSTD_DCtx *context, ZSTD_outBuffer *out, ZSTD_inBuffer *in)
{
    return zstd_has_no_memory ? (size_t)0 - ZSTD_error_memory_allocation
                              : __real_ZSTD_decompressStream(context, out, in);
}

/* A sound body is not damaged because zstd lacks memory for its window: the sender may try it again. */
START_TEST(zstd_without_memory)
{
    static const unsigned char frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x01, 0x09, 0x00, 0x00, 'x'};
    const struct hf_view packed = {(const char *)frame, sizeof(frame)};
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(1 << 20);
    const char *what = "";

    ck_assert_int_eq(hf_expand(HF_SQUEEZE_ZSTD, packed, &out, NULL), 0);
    ck_assert_str_eq(hf_buf_str(&out), "x");
    zstd_has_no_memory = true;
    ck_assert_int_eq(hf_expand(HF_SQUEEZE_ZSTD, packed, &out, &what), -ENOMEM);
    ck_assert_str_eq(what, "out of memory");
    zstd_has_no_memory = false;
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, names);
    tcase_add_loop_test(tc, there_and_back, 0, (int)HF_LEN(kinds));
    tcase_add_loop_test(tc, damage, 0, (int)HF_LEN(kinds));
    tcase_add_loop_test(tc, bombs, 0, (int)HF_LEN(kinds));
    tcase_add_test(tc, wide_window);
    tcase_add_test(tc, zstd_without_memory);
}

HF_TEST_MAIN("codec/expand", cases)
