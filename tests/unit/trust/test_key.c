/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors: RFC 8032, 7.1 (tests 1 and 3). */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/encoding/hex.h"
#include "base/parse.h"
#include "support/check_main.h"
#include "trust/key.h"
#include "trust/trust.h"

#define PEM(kind, text) "-----BEGIN " kind "-----\n" text "\n-----END " kind "-----\n"

static const struct {
    const char *private_pem, *public_pem, *message, *signature;
    size_t n;
} vectors[] = {
    {PEM("PRIVATE KEY", "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g"),
     PEM("PUBLIC KEY", "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="), "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe246"
     "5514143"
     "8e7a100b",
     0},
    {PEM("PRIVATE KEY", "MC4CAQAwBQYDK2VwBCIEIMWqjfQ/n4N77bdELzHct7Fm04U1B28JS4XOOi4LRFj3"),
     PEM("PUBLIC KEY", "MCowBQYDK2VwAyEA/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU="), "\xaf\x82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc"
     "027bece"
     "ea1ec40a",
     2},
};

START_TEST(vector)
{
    unsigned char want[HF_ED25519_SIGNATURE], got[HF_ED25519_SIGNATURE];
    struct hf_view message = {vectors[_i].message, vectors[_i].n};
    _cleanup_(hf_buf_done) struct hf_buf public_pem = HF_BUF_INIT(1000);

    ck_assert_int_eq(hf_hex_decode(vectors[_i].signature, want, sizeof(want)), 0);
    ck_assert_int_eq(hf_trust_sign(vectors[_i].private_pem, message, got, NULL), 0);
    ck_assert_mem_eq(got, want, sizeof(want));
    ck_assert_int_eq(hf_trust_verify(vectors[_i].public_pem, message, want, NULL), 0);
    ck_assert_int_eq(hf_trust_public_of(vectors[_i].private_pem, &public_pem, NULL), 0);
    ck_assert_str_eq(hf_buf_str(&public_pem), vectors[_i].public_pem);
    for (size_t bit = 0; bit < 8 * sizeof(want); bit++) {
        want[bit / 8] ^= (unsigned char)(1u << bit % 8);
        ck_assert_msg(hf_trust_verify(vectors[_i].public_pem, message, want, NULL) == -EKEYREJECTED, "bit %zu", bit);
        want[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    ck_assert_int_eq(hf_trust_verify(vectors[1 - _i].public_pem, message, want, NULL), -EKEYREJECTED);
}
END_TEST

static const struct {
    const char *name, *pem;
} bad_public[] = {
    {"empty", ""},
    {"garbage", "not a key"},
    {"garbage inside", PEM("PUBLIC KEY", "AAAA")},
    {"cut", "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKx"},
    {"a private key", PEM("PRIVATE KEY", "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g")},
    {"X25519", PEM("PUBLIC KEY", "MCowBQYDK2VuAyEAw+iF3pXm7WBZSpwONrSPQMb/66uuv+GCt0V9QKQIvVM=")},
    {"P-256", PEM("PUBLIC KEY", "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEbcR9Z63eMaXvMNov2NBsK/7HOrSf\n"
                                "+P0BUNp5kUiqyLIhxkam9YcmPwmq3wmaw3d7bhNaIdGOpga/1j4X56EEuQ==")},
    {"order 4", PEM("PUBLIC KEY", "MCowBQYDK2VwAyEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")},
    {"order 1", PEM("PUBLIC KEY", "MCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")},
    {"order 8", PEM("PUBLIC KEY", "MCowBQYDK2VwAyEAJuiVj8KyJ7BFw/SJ8u+Y8NXfrAXTxjM5sTgCiG1T/AU=")},
    {"order 8, negative x", PEM("PUBLIC KEY", "MCowBQYDK2VwAyEAxxdqcD1N2E+6PAt2DRBnDyogU/osOczGTsf9d5KsA/o=")},
    {"order 2", PEM("PUBLIC KEY", "MCowBQYDK2VwAyEA7P///////////////////////////////////////38=")},
    {"order 4, not reduced", PEM("PUBLIC KEY", "MCowBQYDK2VwAyEA7f////////////////////////////////////////8=")},
    {"order 1, not reduced", PEM("PUBLIC KEY", "MCowBQYDK2VwAyEA7v///////////////////////////////////////38=")},
};

START_TEST(refuses_public)
{
    static const unsigned char signature[HF_ED25519_SIGNATURE] = {1}; /* R = identity, S = 0 */
    struct hf_err err = HF_ERR_INIT;

    ck_assert_msg(hf_trust_verify(bad_public[_i].pem, HF_VIEW("x"), signature, &err) == -EBADMSG, "%s: %s",
                  bad_public[_i].name, err.cause);
}
END_TEST

/* Which half of a pair is which cannot be seen in a file's name: the error says what the file holds. */
START_TEST(says_what_a_file_holds)
{
    static const struct {
        const char *pem, *holds;
        enum hf_trust_half half;
    } files[] = {
        {"", "holds nothing; a public key", HF_TRUST_HALF_NONE},
        {"not a key", "holds text that is not PEM; a public key", HF_TRUST_HALF_NONE},
        {PEM("PRIVATE KEY", "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g"),
         "holds a private key; a public key (ed25519, PEM) is expected", HF_TRUST_HALF_PRIVATE},
        {PEM("ENCRYPTED PRIVATE KEY", "AAAA"), "holds a private key with a password; a public key",
         HF_TRUST_HALF_PRIVATE},
        {PEM("PUBLIC KEY", "MCowBQYDK2VuAyEAw+iF3pXm7WBZSpwONrSPQMb/66uuv+GCt0V9QKQIvVM="),
         "holds a public key that is damaged or not of ed25519; a public key", HF_TRUST_HALF_PUBLIC},
        {PEM("CERTIFICATE", "AAAA"), "holds a certificate; a public key", HF_TRUST_HALF_NONE},
        {"ssh-ed25519 AAAA me@here", "holds a public key in the format of OpenSSH; a public key", HF_TRUST_HALF_NONE},
    };
    static const unsigned char signature[HF_ED25519_SIGNATURE] = {1};
    unsigned char made[HF_ED25519_SIGNATURE];
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(hf_trust_verify(files[_i].pem, HF_VIEW("x"), signature, &err), -EBADMSG);
    ck_assert_msg(strncmp(err.cause, files[_i].holds, strlen(files[_i].holds)) == 0, "%s", err.cause);
    ck_assert_int_eq(hf_trust_half_of(files[_i].pem), files[_i].half);
    if (files[_i].half != HF_TRUST_HALF_PUBLIC)
        return;
    ck_assert_int_eq(hf_trust_sign(files[_i].pem, HF_VIEW("x"), made, &err), -EBADMSG);
    ck_assert_str_eq(err.cause, "holds a public key; a private key (ed25519, PEM, no password) is expected");
}
END_TEST

START_TEST(refuses_private)
{
    static const char *const bad[] = {
        "", "x", PEM("PUBLIC KEY", "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="),
        PEM("ENCRYPTED PRIVATE KEY", "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgnqXXwidwP6AICCAAw\n"
                                     "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEH4jpL3Rx9ul+heiyzQf3uAEQE3m\n"
                                     "gQEAxT52onHoTHi5YCGfUNw/O9ahBS8rE62yQiY4VOE4Mr09TiRsVYiPGv1SbD0O\n"
                                     "tms2UVzzXRLpWNCBeTA=")};
    unsigned char signature[HF_ED25519_SIGNATURE];
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(1000);

    for (size_t i = 0; i < HF_LEN(bad); i++) {
        ck_assert_int_eq(hf_trust_sign(bad[i], HF_VIEW("x"), signature, NULL), -EBADMSG);
        ck_assert_int_eq(hf_trust_public_of(bad[i], &out, NULL), -EBADMSG);
    }
    ck_assert_uint_eq(out.n, 0);
}
END_TEST

START_TEST(generated_keys_work)
{
    _cleanup_(hf_buf_done) struct hf_buf priv = HF_BUF_INIT(1000), pub = HF_BUF_INIT(1000), again = HF_BUF_INIT(1000);
    _cleanup_(hf_buf_done) struct hf_buf other = HF_BUF_INIT(1000), other_pub = HF_BUF_INIT(1000);
    unsigned char signature[HF_ED25519_SIGNATURE];

    ck_assert_int_eq(hf_trust_generate(&priv, &pub, NULL), 0);
    ck_assert_int_eq(hf_trust_generate(&other, &other_pub, NULL), 0);
    ck_assert_str_ne(hf_buf_str(&pub), hf_buf_str(&other_pub));
    ck_assert_int_eq(hf_trust_public_of(hf_buf_str(&priv), &again, NULL), 0);
    ck_assert_str_eq(hf_buf_str(&again), hf_buf_str(&pub));
    ck_assert_int_eq(hf_trust_sign(hf_buf_str(&priv), HF_VIEW("message"), signature, NULL), 0);
    ck_assert_int_eq(hf_trust_verify(hf_buf_str(&pub), HF_VIEW("message"), signature, NULL), 0);
    ck_assert_int_eq(hf_trust_verify(hf_buf_str(&pub), HF_VIEW("massage"), signature, NULL), -EKEYREJECTED);
    ck_assert_int_eq(hf_trust_verify(hf_buf_str(&other_pub), HF_VIEW("message"), signature, NULL), -EKEYREJECTED);
}
END_TEST

/* A key counts in every text that PEM allows, not only in the one that most programs write. */
START_TEST(same_key_in_every_text)
{
    static const char *const texts[] = {
        PEM("PUBLIC KEY", "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="),
        PEM("PUBLIC KEY", "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7T\nyWQHOg7hcvPapiMlrwIaaPcHURo="),
        "site, 2026\n" PEM("PUBLIC KEY", "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="),
        PEM("PUBLIC KEY", "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=") "the end\n",
        "-----BEGIN PUBLIC KEY-----\r\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\r\n"
        "-----END PUBLIC KEY-----\r\n",
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
        "-----END PUBLIC KEY-----",
    };
    unsigned char want[HF_ED25519_PUBLIC], raw[HF_ED25519_PUBLIC];

    ck_assert_int_eq(
        hf_hex_decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", want, sizeof(want)), 0);
    for (size_t i = 0; i < HF_LEN(texts); i++) {
        memset(raw, 0, sizeof(raw));
        ck_assert_msg(hf_trust_public_raw(texts[i], raw, NULL) == 0, "text %zu", i);
        ck_assert_mem_eq(raw, want, sizeof(want));
    }
}
END_TEST

/* What OpenSSL reads from this text: the judge of what a PEM text says. */
static bool openssl_reads(const char *pem, unsigned char raw[HF_ED25519_PUBLIC])
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    size_t n = HF_ED25519_PUBLIC;
    bool is =
        key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 && EVP_PKEY_get_raw_public_key(key, raw, &n) == 1;

    EVP_PKEY_free(key);
    (void)BIO_free(bio);
    ERR_clear_error();
    return is;
}

/* Each character of a key's text is replaced: the answer is OpenSSL's. */
START_TEST(reads_as_openssl_does)
{
    static const char others[] = "A/=-\n \x80";
    char text[200];
    unsigned read = 0, refused = 0;

    for (size_t at = 0; at < strlen(vectors[0].public_pem); at++)
        for (size_t k = 0; k < strlen(others); k++) {
            unsigned char want[HF_ED25519_PUBLIC], got[HF_ED25519_PUBLIC];
            (void)snprintf(text, sizeof(text), "%s", vectors[0].public_pem);
            text[at] = others[k];
            bool is = openssl_reads(text, want);
            ck_assert_msg((hf_trust_public_raw(text, got, NULL) == 0) == is, "'%c' at %zu", others[k], at);
            if (is)
                ck_assert_mem_eq(got, want, sizeof(want));
            *(is ? &read : &refused) += 1;
        }
    ck_assert_uint_gt(read, 50);
    ck_assert_uint_gt(refused, 50);
}
END_TEST

static clock_t time_to_read(const char *pem)
{
    unsigned char raw[HF_ED25519_PUBLIC];
    clock_t begun = clock();

    for (unsigned i = 0; i < 300; i++)
        ck_assert_int_eq(hf_trust_public_raw(pem, raw, NULL), 0);
    return clock() - begun;
}

/* An agent reads its keys again and again; OpenSSL's reader would be half of what an idle turn costs. */
START_TEST(usual_text_is_read_fast)
{
    clock_t usual = time_to_read(vectors[0].public_pem);
    char text[200];

    (void)snprintf(text, sizeof(text), "A comment.\n%s", vectors[0].public_pem);
    ck_assert_int_lt(10 * usual, time_to_read(text));
}
END_TEST

START_TEST(key_ids)
{
    ck_assert(hf_trust_key_id_valid("release-2026") && hf_trust_key_id_valid("a") && hf_trust_key_id_valid("a.b"));
    ck_assert(hf_trust_key_id_valid("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
    ck_assert(!hf_trust_key_id_valid("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
    ck_assert(!hf_trust_key_id_valid("") && !hf_trust_key_id_valid("../a") && !hf_trust_key_id_valid("-a"));
    ck_assert(!hf_trust_key_id_valid("a/b") && !hf_trust_key_id_valid("A") && !hf_trust_key_id_valid("a."));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, vector, 0, (int)HF_LEN(vectors));
    tcase_add_loop_test(tc, refuses_public, 0, (int)HF_LEN(bad_public));
    tcase_add_loop_test(tc, says_what_a_file_holds, 0, 7);
    tcase_add_test(tc, refuses_private);
    tcase_add_test(tc, generated_keys_work);
    tcase_add_test(tc, same_key_in_every_text);
    tcase_add_test(tc, reads_as_openssl_does);
    tcase_add_test(tc, usual_text_is_read_fast);
    tcase_add_test(tc, key_ids);
}
HF_TEST_MAIN("trust/key", cases)
