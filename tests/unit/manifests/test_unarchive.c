/* SPDX-License-Identifier: Apache-2.0 */
/* Archives of hostile origin: each has its reason, and is refused with bounded time and memory. */
#include "manifests/source/unarchive.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "codec/squeeze.h"
#include "support/check_main.h"
#include "support/makers/tarball.h"
#include "support/walk.h"

#define INVALID HF_MANIFEST_REASON_SOURCE_INVALID
#define LARGE HF_MANIFEST_REASON_SOURCE_TOO_LARGE
#define TRUNCATED HF_MANIFEST_REASON_SOURCE_TRUNCATED
#define EMPTY HF_MANIFEST_REASON_SOURCE_EMPTY

static struct hf_buf tar, gz;

static void set_up(void)
{
    tar = (struct hf_buf)HF_BUF_INIT(64 << 20);
    gz = (struct hf_buf)HF_BUF_INIT(64 << 20);
}

static void tear_down(void)
{
    hf_buf_done(&tar);
    hf_buf_done(&gz);
}

static int unpack(const char *sub_path, bool drop_top, size_t step, struct hf_bundle **ret,
                  struct hf_source_failure *failure)
{
    const struct hf_unarchive_params params = {.sub_path = sub_path, .drop_top = drop_top};
    _cleanup_(hf_unarchive_freep) struct hf_unarchive *unarchive = hf_unarchive_new(&params);
    int r = 0;

    *failure = (struct hf_source_failure){.reason = HF_MANIFEST_REASON_NONE};
    for (size_t at = 0; r == 0 && at < gz.n; at += step)
        r = hf_unarchive_feed(unarchive, gz.p + at, HF_MIN(step, gz.n - at), failure);
    return r == 0 ? hf_unarchive_finish(unarchive, ret, failure) : r;
}

/* ---- good ones ------------------------------------------------------------------------------------------------------- */

static void site(const char *prefix)
{
    static const char *const names[][2] = {
        {"", NULL},
        {"README", "text"},
        {"clusters/", NULL},
        {"clusters/a/", NULL},
        {"clusters/a/pod.yaml", "kind: Pod\n"},
        {"clusters/b/pod.yaml", "kind: B\n"},
    };
    char name[200];

    for (size_t i = 0; i < HF_LEN(names); i++) {
        (void)snprintf(name, sizeof(name), "%s%s", prefix, names[i][0]);
        if (name[0] == '\0')
            continue;
        if (names[i][1] == NULL)
            hf_tarball_head(&tar, name, '5', 0, "");
        else
            hf_tarball_file(&tar, name, names[i][1]);
    }
}

static const struct {
    const char *name, *prefix;
    bool global;
    const char *sub_path;
    bool drop_top;
    size_t n;
    const char *has;
} goods[] = {
    {"flux", "", false, NULL, false, 3, "clusters/a/pod.yaml"},
    {"flux with a dot", "./", false, NULL, false, 3, "clusters/a/pod.yaml"},
    {"flux, a folder", "", false, "clusters", false, 2, "a/pod.yaml"},
    {"flux, deep", "", false, "clusters/a", false, 1, "pod.yaml"},
    {"flux, a file", "", false, "clusters/a/pod.yaml", false, 1, "pod.yaml"},
    {"github", "repo-0123/", true, NULL, true, 3, "clusters/a/pod.yaml"},
    {"github, a folder", "repo-0123/", true, "clusters/a", true, 1, "pod.yaml"},
    {"github, a file", "repo-0123/", true, "README", true, 1, "README"},
    {"a folder that a person packed", "site/", false, NULL, true, 3, "site/README"},
    {"a folder that a person packed, within", "site/", false, "site/clusters/a", true, 1, "pod.yaml"},
    {"git without a prefix", "", true, NULL, true, 3, "README"},
    {"git without a prefix, within", "", true, "clusters/b", true, 1, "pod.yaml"},
    {"an artifact keeps its top", "top/", true, NULL, false, 3, "top/README"},
};

START_TEST(takes)
{
    static const size_t steps[] = {1, 100, 1 << 20};
    char digest[HF_SHA256_HEX] = "";

    if (goods[_i].global)
        hf_tarball_pax(&tar, 'g', "comment", "0123456789012345678901234567890123456789");
    site(goods[_i].prefix);
    hf_tarball_end(&tar);
    hf_tarball_gzip(&tar, &gz);
    for (size_t i = 0; i < HF_LEN(steps); i++) {
        _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = NULL;
        struct hf_source_failure failure;
        int r = unpack(goods[_i].sub_path, goods[_i].drop_top, steps[i], &bundle, &failure);
        ck_assert_msg(r == 0, "%s: %d %s", goods[_i].name, r, failure.err.cause);
        ck_assert_msg(bundle->n == goods[_i].n && hf_bundle_find(bundle, goods[_i].has) != NULL, "%s: %zu files",
                      goods[_i].name, bundle->n);
        ck_assert(digest[0] == '\0' || strcmp(digest, bundle->digest) == 0);
        memcpy(digest, bundle->digest, sizeof(digest));
        ck_assert_uint_eq(bundle->files[0].mode, 0644);
    }
}
END_TEST

START_TEST(takes_long_names_and_large_files)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = NULL;
    struct hf_source_failure failure;
    char path[301], *large = calloc(1, HF_BUNDLE_MAX_FILE);

    memset(path, 'd', 300);
    path[150] = '/';
    path[300] = '\0';
    hf_tarball_pax(&tar, 'x', "path", path);
    hf_tarball_file(&tar, "short", "content");
    memset(large, 'l', HF_BUNDLE_MAX_FILE);
    hf_tarball_add(&tar, "large", '0', large, HF_BUNDLE_MAX_FILE);
    hf_tarball_pax(&tar, 'x', "mtime", "1.5");
    hf_tarball_pax(&tar, 'x', "SCHILY.xattr.user.x", "y");
    hf_tarball_file(&tar, "other", "");
    hf_tarball_end(&tar);
    hf_tarball_zeros(&tar, 20 << 9); /* tar fills up to records of 10 KiB */
    hf_tarball_gzip(&tar, &gz);
    ck_assert_msg(unpack(NULL, false, 5000, &bundle, &failure) == 0, "%s", failure.err.cause);
    ck_assert_uint_eq(bundle->n, 3);
    ck_assert(hf_view_eq(hf_bundle_find(bundle, path)->bytes, "content"));
    ck_assert_int_eq(memcmp(hf_bundle_find(bundle, "large")->bytes.p, large, HF_BUNDLE_MAX_FILE), 0);
    free(large);
}
END_TEST

/* ---- hostile ones ---------------------------------------------------------------------------------------------------- */

static void pack(void)
{
    hf_tarball_end(&tar);
    hf_tarball_gzip(&tar, &gz);
}
static void one(const char *name)
{
    hf_tarball_file(&tar, "good", "x");
    hf_tarball_file(&tar, name, "x");
    pack();
}
static void special(char type, const char *target)
{
    hf_tarball_file(&tar, "good", "x");
    hf_tarball_head(&tar, "bad", type, 0, target);
    pack();
}
static void no_bytes(void)
{
}
static void no_members(void)
{
    pack();
}
static void only_folders(void)
{
    hf_tarball_head(&tar, "a/", '5', 0, "");
    pack();
}
static void only_global(void)
{
    hf_tarball_pax(&tar, 'g', "comment", "0123456789012345678901234567890123456789");
    pack();
}
static void parent(void)
{
    one("../x");
}
static void parent_inside(void)
{
    one("a/../../x");
}
static void parent_at_end(void)
{
    one("a/..");
}
static void absolute(void)
{
    one("/etc/passwd");
}
static void control(void)
{
    one("a\nb");
}
static void escape(void)
{
    one("a\x1b[2J");
}
static void latin(void)
{
    one("a\xe9");
}
static void twins(void)
{
    one("good");
}
static void twins_by_dots(void)
{
    one("././/good");
}
static void file_is_folder(void)
{
    one("good/x");
}
static void symlink_out(void)
{
    special('2', "/etc/passwd");
}
static void symlink_in(void)
{
    special('2', "good");
}
static void hard_link(void)
{
    special('1', "good");
}
static void hard_link_out(void)
{
    special('1', "../x");
}
static void character_device(void)
{
    special('3', "");
}
static void block_device(void)
{
    special('4', "");
}
static void pipe_(void)
{
    special('6', "");
}
static void sparse(void)
{
    special('S', "");
}
static void volume(void)
{
    special('V', "");
}
static void pax_sparse(void)
{
    hf_tarball_pax(&tar, 'x', "GNU.sparse.major", "1");
    one("x");
}
static void pax_parent(void)
{
    hf_tarball_pax(&tar, 'x', "path", "../../etc/cron.d/x");
    one("x");
}
static void pax_zero(void)
{
    char record[] = "13 path=a\0bc\n";
    hf_tarball_add(&tar, "pax", 'x', record, 13);
    one("x");
}
static void pax_lie(void)
{
    hf_tarball_add(&tar, "pax", 'x', "99 path=a\n", 10);
    one("x");
}
static void pax_huge(void)
{
    hf_tarball_head(&tar, "pax", 'x', 1ull << 32, "");
    one("x");
}
static void pax_row(void)
{
    for (int i = 0; i < 20; i++)
        hf_tarball_pax(&tar, 'x', "mtime", "1");
    one("x");
}
static void pax_size(void)
{
    hf_tarball_pax(&tar, 'x', "size", "99999999999999");
    one("x");
}
static void deep(void)
{
    char path[80] = "";
    for (int i = 0; i < 33; i++)
        (void)strncat(path, "d/", 3);
    (void)strncat(path, "x", 2);
    one(path);
}
static void long_path(void)
{
    char path[1101];
    memset(path, 'p', 1100);
    for (int i = 99; i < 1100; i += 100)
        path[i] = '/';
    path[1100] = '\0';
    hf_tarball_pax(&tar, 'x', "path", path);
    one("x");
}
static void bad_checksum(void)
{
    hf_tarball_file(&tar, "good", "x");
    tar.p[10] ^= 1;
    pack();
}
static void not_tar(void)
{
    hf_tarball_zeros(&tar, 2048);
    memset(tar.p, 'y', 2048);
    hf_tarball_gzip(&tar, &gz);
}
static void not_gzip(void)
{
    ck_assert_int_eq(hf_buf_add_str(&gz, "<!doctype html><title>Please log in</title>"), 0);
}
static void plain_tar(void)
{
    hf_tarball_file(&tar, "good", "x");
    hf_tarball_end(&tar);
    ck_assert_int_eq(hf_buf_add(&gz, tar.p, tar.n), 0);
}
static void flipped(void)
{
    one("x");
    gz.p[gz.n / 2] ^= 0x40;
}
static void bad_crc(void)
{
    one("x");
    gz.p[gz.n - 6] ^= 1;
}
static void cut_gzip(void)
{
    one("x");
    gz.n -= 9;
}
static void cut_head(void)
{
    one("x");
    gz.n = 5;
}
static void cut_content(void)
{
    hf_tarball_head(&tar, "x", '0', 1000, "");
    hf_tarball_zeros(&tar, 100);
    hf_tarball_gzip(&tar, &gz);
}
static void cut_header(void)
{
    hf_tarball_file(&tar, "x", "x");
    hf_tarball_zeros(&tar, 100);
    hf_tarball_gzip(&tar, &gz);
}
static void no_end(void)
{
    hf_tarball_file(&tar, "x", "x");
    hf_tarball_gzip(&tar, &gz);
}
static void garbage_after_gzip(void)
{
    one("x");
    ck_assert_int_eq(hf_buf_add_str(&gz, "garbage"), 0);
}
static void two_members(void)
{
    one("x");
    hf_tarball_gzip(&tar, &gz);
}
static void garbage_after_tar(void)
{
    hf_tarball_file(&tar, "x", "x");
    hf_tarball_end(&tar);
    hf_tarball_file(&tar, "y", "hidden");
    hf_tarball_gzip(&tar, &gz);
}
static void large_file(void)
{
    hf_tarball_head(&tar, "x", '0', HF_BUNDLE_MAX_FILE + 1, "");
    pack();
}
static void huge_file(void)
{
    hf_tarball_head(&tar, "x", '0', 07777777777, "");
    pack();
}
static void base256_file(void)
{
    hf_tarball_head(&tar, "x", '0', 0, "");
    memset(tar.p + 124, 0xff, 12); /* GNU's base-256, the largest number */
    memset(tar.p + 148, ' ', 8);
    unsigned sum = 0;
    for (int i = 0; i < 512; i++)
        sum += (unsigned char)tar.p[i];
    (void)snprintf(tar.p + 148, 8, "%06o", sum);
    pack();
}
static void many_files(void)
{
    char name[16];
    for (int i = 0; i <= HF_BUNDLE_MAX_FILES; i++) {
        (void)snprintf(name, sizeof(name), "f%d", i);
        hf_tarball_file(&tar, name, "");
    }
    pack();
}
static void many_folders(void)
{
    char name[200];
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof(name), "a%d/b/c/d/e/f", i);
        hf_tarball_file(&tar, name, "");
    }
    pack();
}
static void large_together(void)
{
    char *bytes = calloc(1, HF_BUNDLE_MAX_FILE), name[16];
    for (int i = 0; i < 5; i++) {
        (void)snprintf(name, sizeof(name), "f%d", i);
        hf_tarball_add(&tar, name, '0', bytes, HF_BUNDLE_MAX_FILE);
    }
    free(bytes);
    pack();
}
static void no_sub_path(void)
{
    one("x");
}

/* Compresses `times` times the same block, without holding them all. */
static void repeat(const char *block, size_t n, size_t times, const char *head, size_t head_n)
{
    struct hf_squeeze *squeeze = hf_squeeze_new(HF_SQUEEZE_GZIP);

    ck_assert_int_eq(hf_squeeze_begin(squeeze, &gz), 0);
    ck_assert_int_eq(hf_squeeze_add(squeeze, head, head_n), 0);
    for (size_t i = 0; i < times; i++)
        ck_assert_int_eq(hf_squeeze_add(squeeze, block, n), 0);
    ck_assert_int_eq(hf_squeeze_end(squeeze), 0);
    hf_squeeze_free(squeeze);
}
static void gigabyte_of_zeros(void)
{
    char *zeros = calloc(1, 1 << 20);
    repeat(zeros, 1 << 20, 1024, "", 0);
    free(zeros);
}
static void gigabyte_in_a_file(void)
{
    char *zeros = calloc(1, 1 << 20);
    hf_tarball_head(&tar, "x", '0', 1 << 30, "");
    repeat(zeros, 1 << 20, 8, tar.p, tar.n); /* nobody reads as far */
    free(zeros);
}
static void gigabyte_beside_the_sub_path(void)
{
    gigabyte_in_a_file();
}
static void gigabyte_in_small_files(void)
{
    char *mega = calloc(1, 512 + (1 << 20));
    hf_tarball_head(&tar, "elsewhere/x", '0', 1 << 20, "");
    memcpy(mega, tar.p, 512);
    repeat(mega, 512 + (1 << 20), 260, "", 0);
    free(mega);
}
static void million_folders(void)
{
    hf_tarball_head(&tar, "d/", '5', 0, "");
    repeat(tar.p, 512, 1000000, "", 0);
}
static void many_twins(void)
{
    hf_tarball_head(&tar, "f", '0', 0, "");
    repeat(tar.p, 512, 110000, "", 0);
}
static void many_globals(void)
{
    hf_tarball_pax(&tar, 'g', "comment", "x");
    repeat(tar.p, tar.n, 110000, "", 0);
}

static const struct {
    const char *name;
    void (*make)(void);
    enum hf_manifest_reason reason;
    const char *says, *sub_path;
} rows[] = {
    {"no bytes", no_bytes, EMPTY, "no bytes", NULL},
    {"no members", no_members, EMPTY, "no files", NULL},
    {"only folders", only_folders, EMPTY, "no files", NULL},
    {"only a global header", only_global, EMPTY, "no files", NULL},
    {"no sub path", no_sub_path, EMPTY, "no files in subPath 'sub'", "sub"},
    {"sub path is a part of a name", no_sub_path, EMPTY, "no files in subPath 'goo'", "goo"},
    {"..", parent, INVALID, "leads out", NULL},
    {".. inside", parent_inside, INVALID, "leads out", NULL},
    {".. at the end", parent_at_end, INVALID, "leads out", NULL},
    {".. beside the sub path", parent, INVALID, "leads out", "good"},
    {"absolute", absolute, INVALID, "leads out", NULL},
    {"line feed", control, INVALID, "control", NULL},
    {"escape sequence", escape, INVALID, "control", NULL},
    {"not UTF-8", latin, INVALID, "UTF-8", NULL},
    {"twins", twins, INVALID, "two files", NULL},
    {"twins by dots", twins_by_dots, INVALID, "two files", NULL},
    {"file and folder", file_is_folder, INVALID, "also the folder", NULL},
    {"symbolic link out", symlink_out, INVALID, "symbolic link 'bad'", NULL},
    {"symbolic link in", symlink_in, INVALID, "symbolic link 'bad'", NULL},
    {"hard link", hard_link, INVALID, "hard link 'bad'", NULL},
    {"hard link out", hard_link_out, INVALID, "leads out", NULL},
    {"character device", character_device, INVALID, "not a file", NULL},
    {"block device", block_device, INVALID, "not a file", NULL},
    {"pipe", pipe_, INVALID, "not a file", NULL},
    {"sparse file", sparse, INVALID, "not a file", NULL},
    {"volume", volume, INVALID, "not a file", NULL},
    {"pax: sparse", pax_sparse, INVALID, "extended header", NULL},
    {"pax: ..", pax_parent, INVALID, "leads out", NULL},
    {"pax: zero byte", pax_zero, INVALID, "extended header", NULL},
    {"pax: a wrong length", pax_lie, INVALID, "extended header", NULL},
    {"pax: 4 GiB of header", pax_huge, INVALID, "too long", NULL},
    {"pax: twenty headers in a row", pax_row, INVALID, "too long", NULL},
    {"pax: a size of 100 TB", pax_size, LARGE, "decompressed", NULL},
    {"33 folders deep", deep, INVALID, "too deep", NULL},
    {"a path of 1,100 bytes", long_path, INVALID, "extended header", NULL},
    {"wrong checksum", bad_checksum, INVALID, "checksum", NULL},
    {"not tar", not_tar, INVALID, "checksum", NULL},
    {"a login page", not_gzip, INVALID, "not gzip", NULL},
    {"tar without gzip", plain_tar, INVALID, "not gzip", NULL},
    {"a flipped bit", flipped, INVALID, "damaged", NULL},
    {"wrong CRC", bad_crc, INVALID, "damaged", NULL},
    {"gzip cut off", cut_gzip, TRUNCATED, "too early", NULL},
    {"gzip cut off in its header", cut_head, TRUNCATED, "too early", NULL},
    {"content cut off", cut_content, TRUNCATED, "too early", NULL},
    {"header cut off", cut_header, TRUNCATED, "too early", NULL},
    {"no end mark", no_end, TRUNCATED, "end mark", NULL},
    {"garbage after gzip", garbage_after_gzip, INVALID, "other bytes follow", NULL},
    {"two gzip members", two_members, INVALID, "other bytes follow", NULL},
    {"members after the end", garbage_after_tar, INVALID, "other bytes follow", NULL},
    {"a file of 4 MiB and a byte", large_file, LARGE, "4194305 bytes", NULL},
    {"a file of 1 GiB by its header", huge_file, LARGE, "decompressed", NULL},
    {"a size in base 256", base256_file, INVALID, "size", NULL},
    {"4,097 files", many_files, LARGE, "more than 4096 files", NULL},
    {"1,000 files in 5,000 folders", many_folders, LARGE, "more than 4096 folders", NULL},
    {"20 MiB together", large_together, LARGE, "together", NULL},
    {"1 GB of zeros", gigabyte_of_zeros, INVALID, "zero bytes follow", NULL},
    {"1 GB in a file", gigabyte_in_a_file, LARGE, "decompressed", NULL},
    {"1 GB beside the sub path", gigabyte_beside_the_sub_path, LARGE, "decompressed", "sub"},
    {"1 GB in files beside the sub path", gigabyte_in_small_files, LARGE, "decompressed", "sub"},
    {"10^6 folders", million_folders, LARGE, "more than 100000 members", NULL},
    {"110,000 files", many_twins, LARGE, "more than 4096 files", NULL},
    {"110,000 files beside the sub path", many_twins, LARGE, "more than 100000 members", "sub"},
    {"110,000 global headers", many_globals, LARGE, "more than 100000 members", NULL},
};

START_TEST(refuses)
{
    struct hf_source_failure failure;
    struct hf_bundle *bundle = NULL;

    rows[_i].make();
    clock_t begin = clock();
    int r = unpack(rows[_i].sub_path, true, 4096, &bundle, &failure);
    double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    ck_assert_msg(r < 0 && failure.reason == rows[_i].reason, "%s: r=%d reason=%s: %s", rows[_i].name, r,
                  hf_manifest_reason_name(failure.reason), failure.err.cause);
    ck_assert_msg(strstr(failure.err.cause, rows[_i].says) != NULL, "%s: %s", rows[_i].name, failure.err.cause);
    ck_assert_ptr_null(bundle);
    ck_assert_msg(seconds < 10, "%s took %.1f s", rows[_i].name, seconds); /* with sanitizers */
}
END_TEST

/* Every cut and every flipped byte of a small archive ends in one of the reasons, or in the same bundle. */
START_TEST(damage_anywhere)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *good = NULL;
    struct hf_source_failure failure;

    site("");
    pack();
    ck_assert_int_eq(unpack(NULL, true, 64, &good, &failure), 0);
    size_t whole = gz.n;
    for (gz.n = 0; gz.n < whole; gz.n = hf_walk_next("cuts", gz.n)) {
        struct hf_bundle *bundle = NULL;
        ck_assert_msg(unpack(NULL, true, 64, &bundle, &failure) < 0, "cut at %zu", gz.n);
        ck_assert_int_eq(failure.reason, gz.n == 0 ? EMPTY : TRUNCATED);
    }
    gz.n = whole;
    for (uint64_t n = hf_walk_next("flips", 0); n <= whole; n = hf_walk_next("flips", n)) {
        _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = NULL;
        size_t i = n - 1;
        gz.p[i] ^= 0x21;
        int r = unpack(NULL, true, 64, &bundle, &failure);
        ck_assert_msg(r < 0 ? failure.reason != HF_MANIFEST_REASON_NONE && failure.err.code != 0
                            : strcmp(bundle->digest, good->digest) == 0,
                      "byte %zu", i);
        gz.p[i] ^= 0x21;
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, takes, 0, HF_LEN(goods));
    tcase_add_test(tc, takes_long_names_and_large_files);
    tcase_add_loop_test(tc, refuses, 0, HF_LEN(rows));
    tcase_add_test(tc, damage_anywhere);
}
HF_TEST_MAIN("manifests/unarchive", cases)
