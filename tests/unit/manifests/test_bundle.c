/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles: paths, bounds, digest, the file on disk under damage and power cuts. */
#include "manifests/source/bundle.h"

#include <errno.h>
#include <stdio.h>

#include "os/file.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"

static struct hf_bundle *sample(void)
{
    struct hf_bundle *bundle = hf_bundle_new();

    ck_assert_int_eq(hf_bundle_add(bundle, "conf/z.conf", 0100644, HF_VIEW("last"), NULL), 0);
    ck_assert_int_eq(hf_bundle_add(bundle, "a.conf", 04755, HF_VIEW("first\n\0two"), NULL), 0);
    ck_assert_int_eq(hf_bundle_add(bundle, "conf/b", 0, HF_VIEW(""), NULL), 0);
    ck_assert_int_eq(hf_bundle_seal(bundle, NULL), 0);
    return bundle;
}

/* ---- paths and bounds ------------------------------------------------------------------------------------------------ */

static const struct {
    const char *path, *says; /* NULL: a good path */
} paths[] = {
    {"a", NULL},
    {"a/b/c.yaml", NULL},
    {"..data", NULL},
    {"grüße/läuft", NULL},
    {"", "empty component"},
    {"/a", "empty component"},
    {"a/", "empty component"},
    {"a//b", "empty component"},
    {".", "'.' or '..'"},
    {"..", "'.' or '..'"},
    {"a/../b", "'.' or '..'"},
    {"a/./b", "'.' or '..'"},
    {"a\nb", "control"},
    {"a\x7f", "control"},
    {"a\xc2\x85", "control"},
    {"a\xff", "not UTF-8"},
    {"a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a", NULL},
    {"a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a", "more than 32"},
};

START_TEST(path_rules)
{
    struct hf_err err = HF_ERR_INIT;
    int r = hf_bundle_check_path(paths[_i].path, &err);

    ck_assert_msg(r == (paths[_i].says == NULL ? 0 : -EBADMSG), "'%s': %d", paths[_i].path, r);
    ck_assert_msg(r == 0 || strstr(err.cause, paths[_i].says) != NULL, "%s", err.cause);
}
END_TEST

START_TEST(path_lengths)
{
    char path[HF_BUNDLE_MAX_PATH + 8];

    for (size_t i = 0; i < sizeof(path) - 1; i++)
        path[i] = i % 100 == 99 ? '/' : 'x';
    path[HF_BUNDLE_MAX_PATH - 1] = '\0';
    ck_assert_int_eq(hf_bundle_check_path(path, NULL), 0);
    path[HF_BUNDLE_MAX_PATH - 1] = 'x';
    path[HF_BUNDLE_MAX_PATH] = '\0';
    ck_assert_int_eq(hf_bundle_check_path(path, NULL), -EBADMSG);
    memset(path, 'x', 256);
    path[256] = '\0';
    ck_assert_int_eq(hf_bundle_check_path(path, NULL), -EBADMSG);
    path[255] = '\0';
    ck_assert_int_eq(hf_bundle_check_path(path, NULL), 0);
}
END_TEST

static const struct {
    const char *a, *b;
    bool good;
} pairs[] = {
    {"a", "a", false}, {"a", "a/b", false},  {"a/b", "a/b/c/d", false},
    {"a", "ab", true}, {"a/b", "a.b", true}, {"a", "a-b/c", true},
};

START_TEST(twins)
{
    for (int turn = 0; turn < 2; turn++) {
        _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = hf_bundle_new();
        struct hf_err err = HF_ERR_INIT;
        ck_assert_int_eq(hf_bundle_add(bundle, turn == 0 ? pairs[_i].a : pairs[_i].b, 0, HF_VIEW("x"), NULL), 0);
        ck_assert_int_eq(hf_bundle_add(bundle, turn == 0 ? pairs[_i].b : pairs[_i].a, 0, HF_VIEW("y"), NULL), 0);
        int r = hf_bundle_seal(bundle, &err);
        ck_assert_msg(r == (pairs[_i].good ? 0 : -EBADMSG), "%s, %s: %d %s", pairs[_i].a, pairs[_i].b, r, err.cause);
    }
}
END_TEST

/* Fills a bundle to a bound, and checks that nothing fits beyond. */
START_TEST(bounds)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *many = hf_bundle_new(), *large = hf_bundle_new();
    struct hf_err err = HF_ERR_INIT;
    char name[16], *bytes = NULL;

    for (int i = 0; i < HF_BUNDLE_MAX_FILES; i++) {
        (void)snprintf(name, sizeof(name), "f%d", i);
        ck_assert_int_eq(hf_bundle_add(many, name, 0, HF_VIEW("x"), NULL), 0);
    }
    ck_assert_int_eq(hf_bundle_add(many, "one-more", 0, HF_VIEW("x"), &err), -E2BIG);
    ck_assert_msg(strstr(err.cause, "more than 4096 files") != NULL, "%s", err.cause);
    ck_assert_int_eq(hf_bundle_make_room(large, "a", 0, HF_BUNDLE_MAX_FILE + 1, &bytes, &err), -E2BIG);
    ck_assert_msg(strstr(err.cause, "'a' has 4194305 bytes") != NULL, "%s", err.cause);
    for (int i = 0; i < HF_BUNDLE_MAX_BYTES / HF_BUNDLE_MAX_FILE; i++) {
        (void)snprintf(name, sizeof(name), "f%d", i);
        ck_assert_int_eq(hf_bundle_make_room(large, name, 0, HF_BUNDLE_MAX_FILE, &bytes, NULL), 0);
    }
    ck_assert_uint_eq(large->bytes, HF_BUNDLE_MAX_BYTES);
    ck_assert_int_eq(hf_bundle_add(large, "empty", 0, HF_VIEW(""), &err), 0);
    ck_assert_int_eq(hf_bundle_add(large, "one-more", 0, HF_VIEW("x"), &err), -E2BIG);
    ck_assert_msg(strstr(err.cause, "more than 16777216 bytes together") != NULL, "%s", err.cause);
}
END_TEST

/* A file in each of n folders below n / 31 others, so that no folder counts twice. */
static int seal_with_folders(int n, struct hf_err *err)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = hf_bundle_new();
    char path[HF_BUNDLE_MAX_PATH];

    for (int made = 0; made < n;) {
        size_t at = (size_t)snprintf(path, sizeof(path), "d%d/", made);
        made++;
        for (int deep = 1; deep < HF_BUNDLE_MAX_DEPTH - 1 && made < n; deep++, made++)
            at += (size_t)snprintf(path + at, sizeof(path) - at, "d/");
        for (const char *name = "ab"; *name != '\0'; name++) {
            (void)snprintf(path + at, sizeof(path) - at, "%c", *name);
            ck_assert_int_eq(hf_bundle_add(bundle, path, 0, HF_VIEW("x"), NULL), 0);
        }
    }
    return hf_bundle_seal(bundle, err);
}

/* Folders take inodes and lines of the inventory, as files do. */
START_TEST(bound_on_folders)
{
    struct hf_err err = HF_ERR_INIT;

    ck_assert_msg(seal_with_folders(HF_BUNDLE_MAX_FOLDERS, &err) == 0, "%s", err.cause);
    ck_assert_int_eq(seal_with_folders(HF_BUNDLE_MAX_FOLDERS + 1, &err), -E2BIG);
    ck_assert_str_eq(err.cause, "the files are in more than 4096 folders");
}
END_TEST

START_TEST(new_folders)
{
    static const struct {
        const char *before, *path;
        size_t want;
    } rows[] = {
        {"", "a", 0},           {"", "a/b/c", 2},       {"a/b/c", "a/b/d", 0},
        {"a/b/c", "a/bc/d", 1}, {"a/bc/d", "a/b/d", 1}, {"a-b/x", "a/x", 1},
        {"a", "b/c/d/e", 3},    {"a/b/c/d", "a/b", 0},  {"/etc/a", "/etc/b/c", 1},
    };

    for (size_t i = 0; i < HF_LEN(rows); i++)
        ck_assert_msg(hf_bundle_new_folders(rows[i].before, rows[i].path) == rows[i].want, "%s, %s", rows[i].before,
                      rows[i].path);
}
END_TEST

/* ---- digest ---------------------------------------------------------------------------------------------------------- */

START_TEST(digest_is_the_promised_one)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = sample(), *empty = hf_bundle_new();
    char lines[512], hex[3][HF_SHA256_HEX], all[HF_SHA256_HEX];
    int n = snprintf(lines, sizeof(lines), "755 %s a.conf\n0 %s conf/b\n644 %s conf/z.conf\n",
                     hf_sha256_hex("first\n\0two", 10, hex[0]), hf_sha256_hex("", 0, hex[1]),
                     hf_sha256_hex("last", 4, hex[2]));

    ck_assert_str_eq(bundle->digest, hf_sha256_hex(lines, (size_t)n, all));
    ck_assert_uint_eq(bundle->bytes, 14);
    ck_assert_str_eq(bundle->files[0].path, "a.conf");
    ck_assert_ptr_eq(hf_bundle_find(bundle, "conf/z.conf"), &bundle->files[2]);
    ck_assert_ptr_null(hf_bundle_find(bundle, "conf"));
    ck_assert_int_eq(hf_bundle_seal(empty, NULL), 0);
    ck_assert_str_eq(empty->digest, hf_sha256_hex("", 0, all));
    ck_assert_ptr_null(hf_bundle_find(empty, "a"));
}
END_TEST

/* ---- the file -------------------------------------------------------------------------------------------------------- */

static struct hf_simfs *sim;
static const struct hf_fs_ops *fs;

static void set_up(void)
{
    sim = hf_simfs_new();
    fs = hf_simfs_ops(sim);
    hf_simfs_mkdir(sim, "/d", 0755);
}

static void tear_down(void)
{
    ck_assert_uint_eq(hf_simfs_open_fds(sim), 0);
    hf_simfs_free(sim);
}

static void check_equal(const struct hf_bundle *a, const struct hf_bundle *b)
{
    ck_assert_str_eq(a->digest, b->digest);
    ck_assert_uint_eq(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        ck_assert_str_eq(a->files[i].path, b->files[i].path);
        ck_assert_uint_eq(a->files[i].mode, b->files[i].mode);
        ck_assert_uint_eq(a->files[i].bytes.n, b->files[i].bytes.n);
        ck_assert_int_eq(memcmp(a->files[i].bytes.p, b->files[i].bytes.p, a->files[i].bytes.n), 0);
    }
}

START_TEST(comes_back)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = sample(), *back = NULL, *empty = hf_bundle_new();
    struct hf_err err = HF_ERR_INIT;
    struct stat st;

    ck_assert_int_eq(hf_bundle_load(fs, "/d/bundle", &back, &err), -ENOENT);
    ck_assert_int_eq(hf_bundle_save(fs, "/d/bundle", bundle, &err), 0);
    ck_assert(hf_simfs_stat(sim, "/d/bundle", &st));
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
    ck_assert_int_eq(hf_bundle_load(fs, "/d/bundle", &back, &err), 0);
    check_equal(bundle, back);
    hf_bundle_free(hf_steal(back));
    ck_assert_int_eq(hf_bundle_save(fs, "/d/bundle", empty, &err), -EINVAL); /* not sealed */
    ck_assert_int_eq(hf_bundle_seal(empty, NULL), 0);
    ck_assert_int_eq(hf_bundle_save(fs, "/d/bundle", empty, &err), 0);
    ck_assert_int_eq(hf_bundle_load(fs, "/d/bundle", &back, &err), 0);
    check_equal(empty, back);
}
END_TEST

START_TEST(large_comes_back)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = hf_bundle_new(), *back = NULL;
    char name[16], *bytes = NULL;
    uint32_t random = 1;

    for (int i = 0; i < 40; i++) {
        (void)snprintf(name, sizeof(name), "f%02d", i);
        size_t n = (size_t)(i * 9973) % 70000;
        ck_assert_int_eq(hf_bundle_make_room(bundle, name, 0644, n, &bytes, NULL), 0);
        for (size_t j = 0; j < n; j++) {
            random = random * 1664525 + 1013904223;
            bytes[j] = (char)(i % 2 == 0 ? random >> 24 : 'x');
        }
    }
    ck_assert_int_eq(hf_bundle_seal(bundle, NULL), 0);
    ck_assert_int_eq(hf_bundle_save(fs, "/d/bundle", bundle, NULL), 0);
    ck_assert_int_eq(hf_bundle_load(fs, "/d/bundle", &back, NULL), 0);
    check_equal(bundle, back);
}
END_TEST

START_TEST(a_secret_is_never_saved)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = sample();
    struct hf_err err = HF_ERR_INIT;

    bundle->secret = true;
    ck_assert_int_eq(hf_bundle_save(fs, "/d/bundle", bundle, &err), -EPERM);
    ck_assert_ptr_null(hf_simfs_get(sim, "/d/bundle", &(size_t){0}));
}
END_TEST

/* Every byte of the file matters, and every length. */
START_TEST(damage_is_found)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = sample();
    size_t n = 0;

    ck_assert_int_eq(hf_bundle_save(fs, "/d/bundle", bundle, NULL), 0);
    const char *good = hf_simfs_get(sim, "/d/bundle", &n);
    char *bytes = malloc(n);
    memcpy(bytes, good, n);
    for (size_t i = 0; i < 2 * n; i++) {
        struct hf_bundle *back = NULL;
        struct hf_err err = HF_ERR_INIT;
        size_t cut = i < n ? n : i - n;
        if (i < n)
            bytes[i] ^= 0x10;
        hf_simfs_put(sim, "/d/bad", bytes, cut, 0600);
        ck_assert_msg(hf_bundle_load(fs, "/d/bad", &back, &err) == -EBADMSG, "byte %zu of %zu, length %zu", i, n, cut);
        ck_assert_msg(strstr(err.cause, "'/d/bad': ") == err.cause, "%s", err.cause);
        ck_assert_ptr_null(back);
        if (i < n)
            bytes[i] ^= 0x10;
    }
    free(bytes);
}
END_TEST

/* After a power cut at any call, the file holds one of the two bundles, whole. */
START_TEST(cut_anywhere)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *old = sample(), *new = hf_bundle_new();
    bool saved = false;

    ck_assert_int_eq(hf_bundle_add(new, "other", 0, HF_VIEW("content"), NULL), 0);
    ck_assert_int_eq(hf_bundle_seal(new, NULL), 0);
    for (uint64_t n = 1; !saved; n++) {
        struct hf_bundle *back = NULL;
        ck_assert_int_eq(hf_bundle_save(fs, "/d/bundle", old, NULL), 0);
        hf_simfs_stop_at(sim, n);
        saved = hf_bundle_save(fs, "/d/bundle", new, NULL) == 0;
        hf_simfs_power_cut(sim, n * 7 + (uint64_t)_i);
        hf_simfs_stop_at(sim, 0);
        ck_assert_int_eq(hf_bundle_load(fs, "/d/bundle", &back, NULL), 0);
        bool is_new = strcmp(back->digest, new->digest) == 0;
        ck_assert(is_new || (!saved && strcmp(back->digest, old->digest) == 0));
        hf_bundle_free(back);
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, path_rules, 0, HF_LEN(paths));
    tcase_add_test(tc, path_lengths);
    tcase_add_loop_test(tc, twins, 0, HF_LEN(pairs));
    tcase_add_test(tc, bounds);
    tcase_add_test(tc, bound_on_folders);
    tcase_add_test(tc, new_folders);
    tcase_add_test(tc, digest_is_the_promised_one);
    tcase_add_test(tc, comes_back);
    tcase_add_test(tc, large_comes_back);
    tcase_add_test(tc, a_secret_is_never_saved);
    tcase_add_test(tc, damage_is_found);
    tcase_add_loop_test(tc, cut_anywhere, 0, 8);
}
HF_TEST_MAIN("manifests/bundle", cases)
