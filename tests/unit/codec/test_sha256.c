/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256: published vectors, any cut of the input, saved and loaded anywhere, both code paths. */
#include <errno.h>
#include <string.h>

#include "codec/sha256.h"
#include "support/check_main.h"

static const struct {
    const char *text, *hex;
    unsigned times;
} cases_of[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", 1},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", 1},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1", 1},
    {"a", "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", 1000000},
};

START_TEST(vectors)
{
    size_t length = strlen(cases_of[_i].text), n = length * cases_of[_i].times;
    char *text = malloc(n + 1), hex[HF_SHA256_HEX];

    for (unsigned i = 0; i < cases_of[_i].times; i++)
        memcpy(text + i * length, cases_of[_i].text, length);
    ck_assert_str_eq(hf_sha256_hex(text, n, hex), cases_of[_i].hex);
    free(text);
}
END_TEST

START_TEST(any_cut)
{
    unsigned char bytes[300], whole[HF_SHA256_BYTES], parts[HF_SHA256_BYTES], state[HF_SHA256_STATE];
    struct hf_sha256 hash;

    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * 7);
    for (size_t n = 0; n <= sizeof(bytes); n++) {
        hf_sha256_init(&hash);
        hf_sha256_update(&hash, NULL, 0);
        hf_sha256_update(&hash, bytes, n);
        hf_sha256_update(&hash, NULL, 0);
        hf_sha256_final(&hash, whole);
        for (size_t cut = 0; cut <= n; cut++) {
            hf_sha256_init(&hash);
            hf_sha256_update(&hash, bytes, cut);
            hf_sha256_save(&hash, state);
            memset(&hash, 0xa5, sizeof(hash));
            ck_assert_int_eq(hf_sha256_load(&hash, state), 0);
            hf_sha256_update(&hash, bytes + cut, n - cut);
            hf_sha256_final(&hash, parts);
            ck_assert_msg(memcmp(whole, parts, sizeof(whole)) == 0, "%zu of %zu", cut, n);
        }
    }
    state[43] = 64;
    ck_assert_int_eq(hf_sha256_load(&hash, state), -EBADMSG);
}
END_TEST

START_TEST(both_ways)
{
    unsigned char blocks[64 * 9];
    uint32_t plain[8] = {1, 2, 3, 4, 5, 6, 7, 8}, fast[8] = {1, 2, 3, 4, 5, 6, 7, 8};

    for (unsigned i = 0; i < sizeof(blocks); i++)
        blocks[i] = (unsigned char)(i * i + i / 3);
    hf_sha256_plain_for_test(blocks, 9, plain);
    hf_sha256_fast_for_test(blocks, 9, fast);
    ck_assert_mem_eq(plain, fast, sizeof(plain));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, vectors, 0, HF_LEN(cases_of));
    tcase_add_test(tc, any_cut);
    tcase_add_test(tc, both_ways);
}

HF_TEST_MAIN("codec/sha256", cases)
