/* SPDX-License-Identifier: Apache-2.0 */
/* Frames as encoders make them, taken apart and written again, byte for byte; and frames that nobody makes, refused. */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/buf.h"
#include "pack/zstd/check.h"
#include "pack/zstd/frame.h"
#include "support/check_main.h"
#include "support/makers/packs.h"

enum { TEXT_BYTES = 200000 };
#define BUF HF_BUF_INIT(16 << 20)

/* Text, bytes that do not compress, one byte many times over, text again: so that blocks of all kinds come. */
static void make_content(struct hf_buf *out)
{
    uint32_t x = 1;

    packs_text(out, TEXT_BYTES / 2, 1, 0);
    for (unsigned i = 0; i < 150000; i++) {
        unsigned char byte = (unsigned char)((x = x * 1664525 + 1013904223) >> 24);
        ck_assert_int_eq(hf_buf_add(out, &byte, 1), 0);
    }
    for (unsigned i = 0; i < 140000; i++)
        ck_assert_int_eq(hf_buf_add(out, "=", 1), 0);
    packs_text(out, TEXT_BYTES, 2, 7);
}

static void compress(ZSTD_CCtx *zstd, const struct hf_buf *content, bool stated, struct hf_buf *packed)
{
    size_t room = ZSTD_compressBound(content->n);

    ck_assert_int_eq(hf_buf_reserve(packed, room), 0);
    ck_assert(!ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(zstd, stated ? content->n : ZSTD_CONTENTSIZE_UNKNOWN)));
    ZSTD_inBuffer in = {content->p, content->n, 0};
    ZSTD_outBuffer out = {packed->p, room, 0};
    size_t left;
    /* In pieces, or libzstd knows the size from the only call. */
    for (ZSTD_inBuffer part = {content->p, content->n / 2, 0}; !stated && part.pos < part.size; in.pos = part.pos)
        ck_assert(!ZSTD_isError(ZSTD_compressStream2(zstd, &out, &part, ZSTD_e_continue)));
    do {
        left = ZSTD_compressStream2(zstd, &out, &in, ZSTD_e_end);
        ck_assert(!ZSTD_isError(left));
    } while (left > 0);
    packed->n = out.pos;
}

static int check(const struct hf_buf *packed, const struct hf_buf *content)
{
    return pack_zframe_check((const unsigned char *)packed->p, packed->n, (const unsigned char *)content->p,
                             content->n);
}

static void set(ZSTD_CCtx *zstd, ZSTD_cParameter name, int value)
{
    ck_assert(!ZSTD_isError(ZSTD_CCtx_setParameter(zstd, name, value)));
}

START_TEST(any_level)
{
    _cleanup_(hf_buf_done) struct hf_buf content = BUF;
    ZSTD_CCtx *zstd = ZSTD_createCCtx();

    make_content(&content);
    set(zstd, ZSTD_c_compressionLevel, _i);
    for (unsigned flags = _i & 1; flags < 4; flags += 2) {
        _cleanup_(hf_buf_done) struct hf_buf packed = BUF;
        set(zstd, ZSTD_c_checksumFlag, flags & 1);
        compress(zstd, &content, (flags & 2) != 0, &packed);
        ck_assert_msg(check(&packed, &content) == 1, "level %d, flags %u", _i, flags);
    }
    (void)ZSTD_freeCCtx(zstd);
}
END_TEST

START_TEST(other_settings)
{
    static const struct {
        ZSTD_cParameter name[3];
        int value[3];
    } cases[] = {
        {{ZSTD_c_enableLongDistanceMatching, ZSTD_c_windowLog, ZSTD_c_compressionLevel}, {1, 25, 16}},
        {{ZSTD_c_nbWorkers, ZSTD_c_jobSize, ZSTD_c_compressionLevel}, {2, 1 << 19, 3}},
        {{ZSTD_c_targetLength, ZSTD_c_minMatch, ZSTD_c_windowLog}, {7, 7, 10}},
        {{ZSTD_c_strategy, ZSTD_c_searchLog, ZSTD_c_minMatch}, {ZSTD_btultra2, 6, 3}},
    };
    _cleanup_(hf_buf_done) struct hf_buf content = BUF;

    make_content(&content);
    for (size_t i = 0; i < HF_LEN(cases); i++) {
        _cleanup_(hf_buf_done) struct hf_buf packed = BUF;
        ZSTD_CCtx *zstd = ZSTD_createCCtx();
        for (unsigned k = 0; k < 3; k++)
            set(zstd, cases[i].name[k], cases[i].value[k]);
        compress(zstd, &content, false, &packed);
        ck_assert_msg(check(&packed, &content) == 1, "case %zu", i);
        (void)ZSTD_freeCCtx(zstd);
    }
}
END_TEST

/* All lengths of heads, counts and sizes. */
START_TEST(any_length)
{
    _cleanup_(hf_buf_done) struct hf_buf content = BUF;

    packs_text(&content, 70000, 3, 0);
    for (size_t n = 0, all = content.n; n < all; n += n < 1100 ? 1 : 1977) {
        _cleanup_(hf_buf_done) struct hf_buf packed = BUF;
        content.n = n;
        ck_assert_int_eq(hf_buf_reserve(&packed, ZSTD_compressBound(n)), 0);
        packed.n = ZSTD_compress(packed.p, ZSTD_compressBound(n), content.p, n, (int)(n % 20));
        ck_assert_msg(check(&packed, &content) == 1, "%zu bytes", n);
    }
}
END_TEST

START_TEST(cut_or_longer)
{
    _cleanup_(hf_buf_done) struct hf_buf content = BUF, packed = BUF;
    ZSTD_CCtx *zstd = ZSTD_createCCtx();

    packs_text(&content, 20000, 4, 0);
    set(zstd, ZSTD_c_checksumFlag, 1);
    compress(zstd, &content, true, &packed);
    (void)ZSTD_freeCCtx(zstd);
    ck_assert_int_eq(check(&packed, &content), 1);
    for (size_t n = packed.n; packed.n-- > 0; n--) {
        unsigned char *exact = malloc(packed.n + 1); /* ASan sees one byte too many */
        memcpy(exact, packed.p, packed.n);
        exact = realloc(exact, packed.n > 0 ? packed.n : 1);
        ck_assert_int_eq(pack_zframe_check(exact, packed.n, (const unsigned char *)content.p, content.n), 0);
        free(exact);
    }
}
END_TEST

/* A changed frame that libzstd decodes comes out as it is, or is refused. */
START_TEST(changed_bytes)
{
    _cleanup_(hf_buf_done) struct hf_buf content = BUF, packed = BUF, other = BUF;
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    uint32_t x = 7;
    unsigned decoded = 0, taken = 0;

    packs_text(&content, 9000, 5, 0);
    compress(zstd, &content, true, &packed);
    (void)ZSTD_freeCCtx(zstd);
    ck_assert_int_eq(hf_buf_reserve(&other, content.n), 0);
    for (unsigned i = 0; i < 5000; i++) {
        size_t at = (x = x * 1664525 + 1013904223) % packed.n;
        char was = packed.p[at];
        packed.p[at] = (char)(was ^ (1 << (i % 8)));
        size_t n = ZSTD_decompress(other.p, content.n, packed.p, packed.n);
        if (!ZSTD_isError(n)) {
            other.n = n;
            int r = check(&packed, &other);
            ck_assert_int_ge(r, 0);
            decoded++;
            taken += r > 0;
        } else {
            ck_assert_int_ge(check(&packed, &content), 0); /* and reads nothing beyond the end */
        }
        packed.p[at] = was;
    }
    ck_assert_uint_gt(taken, 0);
    ck_assert_uint_gt(decoded, taken);
}
END_TEST

START_TEST(dictionary_is_refused)
{
    _cleanup_(hf_buf_done) struct hf_buf content = BUF, packed = BUF;

    packs_text(&content, 5000, 6, 0);
    ck_assert_int_eq(hf_buf_reserve(&packed, ZSTD_compressBound(content.n)), 0);
    packed.n = ZSTD_compress(packed.p, ZSTD_compressBound(content.n), content.p, content.n, 3);
    ck_assert_int_eq(check(&packed, &content), 1);
    for (char id = 1; id <= 3; id++) {
        packed.p[4] = (char)((packed.p[4] & ~3) | id);
        ck_assert_int_eq(check(&packed, &content), 0);
    }
}
END_TEST

START_TEST(hash_is_that_of_the_specification)
{
    struct pack_zframe_hash hash;

    pack_zframe_hash_init(&hash);
    ck_assert_uint_eq(pack_zframe_hash_final(&hash), UINT64_C(0xef46db3751d8e999));
    pack_zframe_hash_update(&hash, (const unsigned char *)"abc", 3);
    ck_assert_uint_eq(pack_zframe_hash_final(&hash), UINT64_C(0x44bc2cf5ad770999));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, any_level, -7, 23);
    tcase_add_test(tc, other_settings);
    tcase_add_test(tc, any_length);
    tcase_add_test(tc, cut_or_longer);
    tcase_add_test(tc, changed_bytes);
    tcase_add_test(tc, dictionary_is_refused);
    tcase_add_test(tc, hash_is_that_of_the_specification);
}

HF_TEST_MAIN("pack/zstd", cases)
