/* SPDX-License-Identifier: Apache-2.0 */
/* The copy of a Secret on disk: what is in it, that it opens in one place only, and a power cut at any call. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "manifests/state/sealed_secret.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"
#include "tpm/envelope.h"

#define PATH_1 "/d/sealed-1111"

static struct hf_simfs *sim;
static const struct hf_fs_ops *fs;
static const unsigned char key[HF_TPM_KEY_BYTES] = "0123456789abcdef0123456789abcde";
static const struct hf_sealed_secret place = {
    .folder = "/d", .node = "node-1", .entry = "login", .source = "abcd", .digest = "1111"};

static void set_up(void)
{
    sim = hf_simfs_new();
    fs = hf_simfs_ops(sim);
    hf_simfs_mkdir(sim, "/d", 0700);
}

static void tear_down(void)
{
    hf_simfs_free(sim);
}

static struct hf_bundle *sample(const char *password)
{
    struct hf_bundle *bundle = hf_bundle_new();

    bundle->secret = true;
    ck_assert_int_eq(hf_bundle_add(bundle, "user", HF_BUNDLE_NO_MODE, HF_VIEW("name"), NULL), 0);
    ck_assert_int_eq(hf_bundle_add(bundle, "password", 0440, hf_view_of(password), NULL), 0);
    ck_assert_int_eq(hf_bundle_add(bundle, "empty", 0, HF_VIEW(""), NULL), 0);
    ck_assert_int_eq(hf_bundle_seal(bundle, NULL), 0);
    return bundle;
}

static int save(const struct hf_sealed_secret *to, const char *password)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = sample(password);

    return hf_sealed_secret_save(fs, to, bundle, key, HF_VIEW("b10b"), NULL);
}

START_TEST(there_and_back)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *back = NULL;
    _cleanup_(hf_buf_done) struct hf_buf blob = HF_BUF_INIT(100);
    struct stat st;
    size_t n = 0;

    ck_assert(!hf_sealed_secret_exists(fs, "/d", "1111"));
    ck_assert_int_eq(hf_sealed_secret_blob(fs, &place, &blob, NULL), -ENOENT);
    ck_assert_int_eq(save(&place, "geheim"), 0);
    ck_assert(hf_sealed_secret_exists(fs, "/d", "1111"));
    ck_assert(hf_simfs_stat(sim, PATH_1, &st) && (st.st_mode & 0777) == 0600);
    const char *bytes = hf_simfs_get(sim, PATH_1, &n);
    ck_assert_ptr_null(memmem(bytes, n, "geheim", 6));
    ck_assert_ptr_null(memmem(bytes, n, "password", 8));
    ck_assert_ptr_null(memmem(bytes, n, key, sizeof(key)));
    ck_assert_int_eq(hf_sealed_secret_blob(fs, &place, &blob, NULL), 0);
    ck_assert_str_eq(hf_buf_str(&blob), "b10b");
    ck_assert_int_eq(hf_sealed_secret_load(fs, &place, key, &back, NULL), 0);
    ck_assert(back->secret && back->sealed && back->n == 3);
    ck_assert_str_eq(back->digest, "1111");
    ck_assert_str_eq(back->id, "1111");
    ck_assert(hf_view_eq(hf_bundle_find(back, "password")->bytes, "geheim"));
    ck_assert_uint_eq(hf_bundle_find(back, "password")->mode, 0440);
    ck_assert_uint_eq(hf_bundle_find(back, "user")->mode, HF_BUNDLE_NO_MODE);
    ck_assert_uint_eq(hf_bundle_find(back, "empty")->bytes.n, 0);
    ck_assert_uint_gt(hf_bundle_find(back, "user")->room, 0); /* on pages of its own */
}
END_TEST

/* Who asks, and whether the file opens for them. */
static const struct {
    struct hf_sealed_secret as;
    unsigned char key0;
    int want_r;
} askers[] = {
    {{"/d", "node-1", "login", "abcd", "1111"}, '0', 0},
    {{"/d", "node-2", "login", "abcd", "1111"}, '0', -EBADMSG},
    {{"/d", "node-1", "other", "abcd", "1111"}, '0', -EBADMSG},
    {{"/d", "node-1", "login", "abce", "1111"}, '0', -EBADMSG},
    {{"/d", "node-1", "login", "abcd", "2222"}, '0', -EBADMSG}, /* the file of 1111 renamed to 2222 */
    {{"/d", "node-1\nlogin", "abcd", "1111", "1111"}, '0', -EBADMSG},
    {{"/d", "node-1", "login", "abcd", "1111"}, '1', -EBADMSG},
};

START_TEST(opens_in_one_place)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *back = NULL;
    unsigned char other[HF_TPM_KEY_BYTES];
    size_t n = 0;

    ck_assert_int_eq(save(&place, "geheim"), 0);
    const char *bytes = hf_simfs_get(sim, PATH_1, &n);
    hf_simfs_put(sim, "/d/sealed-2222", bytes, n, 0600);
    memcpy(other, key, sizeof(other));
    other[0] = askers[_i].key0;
    ck_assert_int_eq(hf_sealed_secret_load(fs, &askers[_i].as, other, &back, NULL), askers[_i].want_r);
    ck_assert((back != NULL) == (askers[_i].want_r == 0));
}
END_TEST

/* Every byte of the file matters, and every length. */
START_TEST(damage_is_found)
{
    size_t n = 0;

    ck_assert_int_eq(save(&place, "geheim"), 0);
    const char *good = hf_simfs_get(sim, PATH_1, &n);
    char *bytes = malloc(n);
    memcpy(bytes, good, n);
    for (size_t i = 0; i < 2 * n; i++) {
        struct hf_bundle *back = NULL;
        struct hf_err err = HF_ERR_INIT;
        if (i < n) {
            bytes[i] ^= 4;
            hf_simfs_put(sim, PATH_1, bytes, n, 0600);
            bytes[i] ^= 4;
        } else {
            hf_simfs_put(sim, PATH_1, bytes, i - n, 0600);
        }
        ck_assert_msg(hf_sealed_secret_load(fs, &place, key, &back, &err) == -EBADMSG, "byte %zu", i);
        ck_assert_ptr_null(back);
        ck_assert_str_ne(err.cause, "");
    }
    free(bytes);
}
END_TEST

/* What can be decrypted, and yet is no content. */
static const struct {
    const char *bytes;
    size_t n;
    int want_r;
} contents[] = {
    {"", 0, 0},
    {"\0\0\1\0\0\0\0\1\0\0\0\1ab", 14, 0},
    {"\0\0\1\0\0\0\0\1\0\0\0\1a", 13, -EBADMSG},
    {"\0\0\1\0\0\0\0\1\0\0\0", 11, -EBADMSG},
    {"\0\0\1\0\xff\xff\xff\xff\xff\xff\xff\xff_", 13, -EBADMSG},
    {"\0\0\1\0\0\0\0\1\xff\xff\xff\xff_", 13, -EBADMSG},
    {"\0\0\1\0\0\0\0\0\0\0\0\0", 12, -EBADMSG},
    {"\0\0\1\0\0\0\0\2\0\0\0\0..", 14, -EBADMSG},
    {"\0\0\1\0\0\0\0\1\0\0\0\0a\0\0\1\0\0\0\0\1\0\0\0\0a", 26, -EBADMSG},
};

START_TEST(malformed_contents)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *back = NULL;

    ck_assert_int_eq(hf_sealed_secret_parse((struct hf_view){contents[_i].bytes, contents[_i].n}, &back, NULL),
                     contents[_i].want_r);
}
END_TEST

START_TEST(too_large)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = hf_bundle_new();
    char *room = NULL;

    bundle->secret = true;
    ck_assert_int_eq(hf_bundle_make_room(bundle, "a", 0, HF_SEALED_SECRET_MAX_BYTES, &room, NULL), 0);
    ck_assert_int_eq(hf_bundle_seal(bundle, NULL), 0);
    ck_assert_int_eq(hf_sealed_secret_save(fs, &place, bundle, key, HF_VIEW("b10b"), NULL), -E2BIG);
    ck_assert(!hf_sealed_secret_exists(fs, "/d", "1111"));
}
END_TEST

/* A power cut at each call while a copy is written over another one: afterwards it is one of the two, whole. */
START_TEST(power_cut_at_each_call)
{
    bool stopped = true;
    unsigned calls = 0;

    for (uint64_t n = 1; stopped; n++)
        for (uint64_t seed = 0; seed < 8; seed++) {
            _cleanup_(hf_bundle_freep) struct hf_bundle *back = NULL;
            tear_down();
            set_up();
            ck_assert_int_eq(save(&place, "first"), 0);
            hf_simfs_stop_at(sim, n);
            int r = save(&place, "second");
            stopped = hf_simfs_stopped(sim);
            ck_assert(stopped == (r < 0));
            hf_simfs_stop_at(sim, 0);
            hf_simfs_power_cut(sim, seed);
            ck_assert_int_eq(hf_sealed_secret_load(fs, &place, key, &back, NULL), 0);
            struct hf_view password = hf_bundle_find(back, "password")->bytes;
            ck_assert(hf_view_eq(password, "second") || (stopped && hf_view_eq(password, "first")));
            calls++;
        }
    ck_assert_uint_gt(calls, 40);
}
END_TEST

START_TEST(pcrs_of_a_sealed_key)
{
    static const struct {
        const char *blob;
        int r;
        uint32_t pcrs;
    } rows[] = {
        {"0100000080004e", 0, 1u << 7},
        {"0100000000004e", 0, 0},
        {"0100400001004e", 0, 1u << 22 | 1},
        {"0200000080004e", -EBADMSG, 0},
        {"01000000x0004e", -EBADMSG, 0},
        {"0100000080", -EBADMSG, 0},
        {"--help", -EBADMSG, 0},
        {"", -EBADMSG, 0},
    };

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        uint32_t pcrs = 0;
        ck_assert_msg(hf_sealed_secret_pcrs(hf_view_of(rows[i].blob), &pcrs) == rows[i].r, "%s", rows[i].blob);
        ck_assert_msg(pcrs == rows[i].pcrs, "%s", rows[i].blob);
    }
}
END_TEST

START_TEST(removed)
{
    ck_assert_int_eq(save(&place, "geheim"), 0);
    ck_assert_int_eq(hf_sealed_secret_remove(fs, "/d", "1111", NULL), 0);
    ck_assert(!hf_sealed_secret_exists(fs, "/d", "1111"));
    ck_assert_int_eq(hf_sealed_secret_remove(fs, "/d", "1111", NULL), 0);
}
END_TEST

START_TEST(keys_differ)
{
    unsigned char a[HF_TPM_ENVELOPE_KEY] = {0}, b[HF_TPM_ENVELOPE_KEY] = {0};

    ck_assert_int_eq(hf_tpm_envelope_key(a, NULL), 0);
    ck_assert_int_eq(hf_tpm_envelope_key(b, NULL), 0);
    ck_assert_int_ne(memcmp(a, b, sizeof(a)), 0);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, there_and_back);
    tcase_add_loop_test(tc, opens_in_one_place, 0, (int)HF_LEN(askers));
    tcase_add_test(tc, damage_is_found);
    tcase_add_loop_test(tc, malformed_contents, 0, (int)HF_LEN(contents));
    tcase_add_test(tc, too_large);
    tcase_add_test(tc, power_cut_at_each_call);
    tcase_add_test(tc, pcrs_of_a_sealed_key);
    tcase_add_test(tc, removed);
    tcase_add_test(tc, keys_differ);
}

HF_TEST_MAIN("manifests/sealed_secret", cases)
