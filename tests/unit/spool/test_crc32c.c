/* SPDX-License-Identifier: Apache-2.0 */
#include "spool/crc32c.h"

#include "base/macros.h"
#include "support/check_main.h"

START_TEST(known_values)
{
    unsigned char zeros[32] = {0}, ones[32];

    memset(ones, 0xff, sizeof(ones));
    ck_assert_uint_eq(hf_crc32c(0, "123456789", 9), 0xe3069283u); /* the catalogue's check value */
    ck_assert_uint_eq(hf_crc32c(0, zeros, 32), 0x8a9136aau);      /* RFC 3720 B.4 */
    ck_assert_uint_eq(hf_crc32c(0, ones, 32), 0x62a8ab43u);
    ck_assert_uint_eq(hf_crc32c(0, "", 0), 0);
}
END_TEST

START_TEST(instruction_and_table_agree_in_pieces)
{
    unsigned char bytes[4099];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * 131 + i / 7);
    for (size_t n = 0; n < sizeof(bytes); n += 37)
        for (size_t cut = 0; cut <= n; cut += 61) {
            uint32_t whole = hf_crc32c_table(0, bytes, n);
            ck_assert_uint_eq(hf_crc32c(hf_crc32c(0, bytes, cut), bytes + cut, n - cut), whole);
        }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, known_values);
    tcase_add_test(tc, instruction_and_table_agree_in_pieces);
}
HF_TEST_MAIN("spool/crc32c", cases)
