/* SPDX-License-Identifier: Apache-2.0 */
#include "base/endian.h"

#include "support/check_main.h"

START_TEST(read)
{
    static const unsigned char bytes[] = {0xf0, 0x81, 0x92, 0xa3, 0xb4, 0xc5, 0xd6, 0xe7, 0xf8};
    const unsigned char *p = bytes + 1; /* at no even address */

    ck_assert_uint_eq(hf_le16(p), 0x9281);
    ck_assert_uint_eq(hf_le32(p), 0xb4a39281);
    ck_assert_uint_eq(hf_le64(p), 0xf8e7d6c5b4a39281);
    ck_assert_uint_eq(hf_be32(p), 0x8192a3b4);
    for (unsigned n = 1; n <= 8; n++)
        ck_assert_uint_eq(hf_le(p, n), 0xf8e7d6c5b4a39281 & (UINT64_MAX >> (64 - 8 * n)));
}
END_TEST

START_TEST(written)
{
    const uint64_t v = 0xf8e7d6c5b4a39281;

    for (unsigned n = 1; n <= 8; n++) {
        unsigned char bytes[10] = {0}, *p = bytes + 1;
        hf_put_le(p, n, v);
        ck_assert_uint_eq(hf_le(p, n), v & (UINT64_MAX >> (64 - 8 * n)));
        ck_assert_uint_eq(p[0], 0x81);
        ck_assert(bytes[0] == 0 && p[n] == 0);
    }
    unsigned char p[8];
    hf_put_le64(p, v);
    ck_assert_uint_eq(hf_le64(p), v);
    hf_put_le32(p, 0x01020304);
    ck_assert_uint_eq(hf_le64(p), 0xf8e7d6c501020304);
    hf_put_be32(p, 0x01020304);
    ck_assert_uint_eq(hf_le64(p), 0xf8e7d6c504030201);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, read);
    tcase_add_test(tc, written);
}

HF_TEST_MAIN("base/endian", cases)
