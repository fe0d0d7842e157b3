/* SPDX-License-Identifier: Apache-2.0 */
/* Archives as folders: refused and accepted members; paths with links. */
#include <errno.h>
#include <fcntl.h>

#include "pack/tar/tar_read.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"
#include "update/install/tree.h"

static struct hf_simfs *sim;
static const struct hf_fs_ops *fs;
static struct hf_buf tar;
static const char sha[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

static void setup(void)
{
    sim = hf_simfs_new();
    fs = hf_simfs_ops(sim);
    tar = (struct hf_buf){.max = 1 << 20};
    hf_simfs_mkdir(sim, "/opt/app", 0755);
}

static void teardown(void)
{
    ck_assert_uint_eq(hf_simfs_open_fds(sim), 0);
    hf_buf_done(&tar);
    hf_simfs_free(sim);
}

struct member {
    const char *name;
    char type;
    unsigned mode;
    const char *target, *content;
    const char *prefix;
};

static void seal_block(unsigned char block[512])
{
    unsigned sum = 0;

    memset(block + 148, ' ', 8);
    for (size_t i = 0; i < 512; i++)
        sum += block[i];
    (void)snprintf((char *)block + 148, 8, "%06o", sum);
}

static void add_block(const struct member *m, size_t n)
{
    unsigned char block[512] = {0};

    memcpy(block, m->name, HF_MIN(strlen(m->name), 100u));
    (void)snprintf((char *)block + 100, 8, "%07o", m->mode);
    (void)snprintf((char *)block + 108, 8, "%07o", 1000u);
    (void)snprintf((char *)block + 116, 8, "%07o", 1000u);
    (void)snprintf((char *)block + 124, 12, "%011zo", n);
    block[156] = (unsigned char)m->type;
    if (m->target != NULL)
        memcpy(block + 157, m->target, HF_MIN(strlen(m->target), 100u));
    memcpy(block + 257, "ustar\00000", 8);
    if (m->prefix != NULL)
        memcpy(block + 345, m->prefix, HF_MIN(strlen(m->prefix), 155u));
    seal_block(block);
    ck_assert_int_eq(hf_buf_add(&tar, block, sizeof(block)), 0);
}

static void add_content(const char *content, size_t n)
{
    static const char zeros[512];

    ck_assert_int_eq(hf_buf_add(&tar, content, n), 0);
    ck_assert_int_eq(hf_buf_add(&tar, zeros, (512 - n % 512) % 512), 0);
}

static void add(const struct member *m)
{
    size_t n = m->content != NULL ? strlen(m->content) : 0;

    add_block(m, n);
    add_content(m->content, n);
}

static int extract(struct hf_failure *failure)
{
    static const char *const roots[] = {"/opt", NULL};
    struct hf_target target = {.fs = fs, .roots = roots, .path = "/opt/app/current", .release = "app"};
    struct hf_target_dir dir;

    hf_simfs_put(sim, "/opt/app/x.tar", tar.p, tar.n, 0600);
    ck_assert_int_eq(hf_target_open(&target, &dir, NULL, failure), 0);
    int fd = hf_target_open_file(&dir, "x.tar", O_RDONLY, failure);
    int r = hf_tree_make(&dir, fd, sha, "/state", NULL, failure);
    (void)fs->close(fs->ctx, fd);
    hf_target_dir_done(&dir);
    return r;
}

#define TOP "/opt/app/.holdfast-app.tree/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static bool holds(const char *path, const char *text)
{
    size_t n;
    const void *bytes = hf_simfs_get(sim, path, &n);

    return bytes != NULL && n == strlen(text) && memcmp(bytes, text, n) == 0;
}

static bool has_mode(const char *path, unsigned mode)
{
    struct stat st;

    return hf_simfs_stat(sim, path, &st) && (st.st_mode & 07777) == mode;
}

START_TEST(all_kinds)
{
    struct hf_failure failure;
    struct stat st;

    add(&(struct member){"./", '5', 0750, NULL, NULL, NULL});
    add(&(struct member){"bin/", '5', 0555, NULL, NULL, NULL});
    add(&(struct member){"bin/a", '0', 04755, NULL, "hello", NULL});
    add(&(struct member){"bin//./b", '1', 0, "./bin/a", NULL, NULL});
    add(&(struct member){"lib", '2', 0777, "../outside", NULL, NULL});
    add(&(struct member){"deep/er/and/deeper/file", '\0', 0600, NULL, "x", NULL});
    add(&(struct member){"name", '0', 0644, NULL, "prefixed", "a/prefix"});
    add(&(struct member){"old/", '0', 0700, NULL, NULL, NULL});
    add(&(struct member){"bin/a2", '0', 0644, NULL, "first", NULL});
    add(&(struct member){"bin/a2", '0', 0600, NULL, "second", NULL});
    ck_assert_msg(extract(&failure) == 0, "%s", failure.err.cause);
    hf_simfs_power_cut(sim, 3); /* durable as a whole */
    ck_assert(holds(TOP "/bin/a", "hello") && has_mode(TOP "/bin/a", 04755));
    ck_assert(holds(TOP "/bin/b", "hello") && has_mode(TOP "/bin", 0555) && has_mode(TOP, 0750));
    ck_assert_str_eq(hf_simfs_link_text(sim, TOP "/lib"), "../outside");
    ck_assert(holds(TOP "/deep/er/and/deeper/file", "x") && holds(TOP "/a/prefix/name", "prefixed"));
    ck_assert(holds(TOP "/bin/a2", "second") && has_mode(TOP "/bin/a2", 0600) && has_mode(TOP "/old", 0700));
    ck_assert(hf_simfs_stat(sim, TOP "/bin/a", &st) && st.st_uid == 0); /* not the builder's 1000 */
    ck_assert_int_eq(extract(&failure), 0);                             /* exists already */
}
END_TEST

START_TEST(owner_of_the_tree_before)
{
    struct hf_failure failure;
    struct stat st;

    hf_simfs_mkdir(sim, "/opt/app/was", 0755);
    hf_simfs_chown(sim, "/opt/app/was", 7, 8);
    hf_simfs_symlink(sim, "/opt/app/current", "was");
    add(&(struct member){"f", '0', 0644, NULL, "x", NULL});
    ck_assert_int_eq(extract(&failure), 0);
    ck_assert(hf_simfs_stat(sim, TOP "/f", &st) && st.st_uid == 7 && st.st_gid == 8);
}
END_TEST

static void add_pax(const char *records)
{
    add(&(struct member){"pax", 'x', 0644, NULL, records, NULL});
}

START_TEST(long_names)
{
    struct hf_failure failure;
    char name[400], record[600], path[800];

    for (size_t i = 0; i < sizeof(name) - 1; i++)
        name[i] = i % 40 == 39 ? '/' : 'n';
    name[sizeof(name) - 1] = '\0';
    (void)snprintf(record, sizeof(record), "%d path=%s\n", (int)strlen(name) + 10, name);
    add_pax(record);
    add(&(struct member){"short", '0', 0644, NULL, "pax", NULL});
    add_pax("19 mtime=123456.78\n19 linkpath=target\n10 size=3\n");
    add_block(&(struct member){"link", '0', 0644, NULL, NULL, NULL}, 0);
    add_content("abc", 3);
    name[0] = 'g';
    add(&(struct member){"././@LongLink", 'L', 0644, NULL, name, NULL});
    add(&(struct member){"short", '0', 0644, NULL, "gnu", NULL});
    add(&(struct member){"global", 'g', 0644, NULL, "15 comment=hi\n", NULL});
    ck_assert_msg(extract(&failure) == 0, "%s", failure.err.cause);
    (void)snprintf(path, sizeof(path), TOP "/%s", name);
    ck_assert(holds(path, "gnu"));
    path[strlen(TOP) + 1] = 'n';
    ck_assert(holds(path, "pax") && holds(TOP "/link", "abc"));
}
END_TEST

static const struct {
    const char *name;
    struct member members[3];
} refused[] = {
    {"absolute", {{"/etc/passwd", '0', 0644, NULL, "x", NULL}}},
    {"above", {{"../x", '0', 0644, NULL, "x", NULL}}},
    {"above in the middle", {{"a/../../x", '0', 0644, NULL, "x", NULL}}},
    {"above at the end", {{"a/..", '5', 0755, NULL, NULL, NULL}}},
    {"hard link outside", {{"x", '1', 0644, "../../secret", NULL, NULL}}},
    {"hard link to nothing", {{"x", '1', 0644, "nothing", NULL, NULL}}},
    {"hard link to a link", {{"l", '2', 0777, "/etc/passwd", NULL, NULL}, {"x", '1', 0644, "l", NULL, NULL}}},
    {"through a link", {{"l", '2', 0777, "/etc", NULL, NULL}, {"l/passwd", '0', 0644, NULL, "x", NULL}}},
    {"through a link by hard link",
     {{"l", '2', 0777, "/opt/app", NULL, NULL}, {"x", '1', 0644, "l/x.tar", NULL, NULL}}},
    {"below a file", {{"f", '0', 0644, NULL, "x", NULL}, {"f/x", '0', 0644, NULL, "x", NULL}}},
    {"a folder replaced", {{"d", '5', 0755, NULL, NULL, NULL}, {"d", '0', 0644, NULL, "x", NULL}}},
    {"a folder that is a link",
     {{"d", '5', 0755, NULL, NULL, NULL}, {"e", '2', 0777, "d", NULL, NULL}, {"e", '5', 0755, NULL, NULL, NULL}}},
    {"device", {{"null", '3', 0666, NULL, NULL, NULL}}},
    {"pipe", {{"p", '6', 0666, NULL, NULL, NULL}}},
    {"sparse", {{"s", 'S', 0666, NULL, NULL, NULL}}},
    {"no name", {{"", '0', 0666, NULL, "x", NULL}}},
    {"link to nowhere", {{"l", '2', 0777, "", NULL, NULL}}},
    {"too deep",
     {{"a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/f", '0', 0644, NULL, "x", NULL}}},
    {"pax: length", {{"pax", 'x', 0644, NULL, "99 path=x\n", NULL}}},
    {"pax: no number", {{"pax", 'x', 0644, NULL, "path=x\n", NULL}}},
    {"pax: no value", {{"pax", 'x', 0644, NULL, "7 path\n", NULL}}},
    {"pax: size", {{"pax", 'x', 0644, NULL, "12 size=-12\n", NULL}}},
    {"pax: sparse", {{"pax", 'x', 0644, NULL, "22 GNU.sparse.major=1\n", NULL}}},
    {"pax: above", {{"pax", 'x', 0644, NULL, "13 path=../x\n", NULL}, {"x", '0', 0644, NULL, "x", NULL}}},
    {"pax: past the end", {{"pax", 'x', 0644, NULL, "15 size=999999\n", NULL}, {"x", '0', 0644, NULL, "x", NULL}}},
};

/* A refused archive leaves no file, and changes nothing outside. */
START_TEST(refusals)
{
    struct hf_failure failure = {.reason = HF_R_None};
    struct stat st;
    size_t n;

    hf_simfs_put(sim, "/etc/passwd", "precious", 8, 0644);
    for (size_t i = 0; i < HF_LEN(refused[_i].members) && refused[_i].members[i].name != NULL; i++)
        add(&refused[_i].members[i]);
    int r = extract(&failure);
    ck_assert_msg(r == -EBADMSG && failure.reason == HF_R_ArchiveInvalid, "%s: %d %s (%s)", refused[_i].name, r,
                  hf_reason_name(failure.reason), failure.err.cause);
    ck_assert(!hf_simfs_stat(sim, TOP, &st) && !hf_simfs_stat(sim, TOP ".new", &st));
    ck_assert(hf_simfs_get(sim, "/etc/passwd", &n) != NULL && n == 8);
    ck_assert(!hf_simfs_stat(sim, "/opt/app/x", &st) && !hf_simfs_stat(sim, "/x", &st));
}
END_TEST

START_TEST(damaged_headers)
{
    struct hf_failure failure;

    add(&(struct member){"f", '0', 0644, NULL, "content", NULL});
    struct hf_buf whole = tar;
    for (size_t i = 0; i < 512; i++) { /* each byte of the header, except the one after the checksum */
        char kept = whole.p[i];
        tar.p[i] = (char)(kept ^ 0x55);
        ck_assert_msg(i == 155 || extract(&failure) == -EBADMSG, "byte %zu", i);
        tar.p[i] = kept;
    }
    for (size_t n = 1; n < 512 + 7; n += 13) {
        tar.n = n;
        ck_assert_msg(extract(&failure) == -EBADMSG, "cut at %zu", n);
    }
    tar.n = whole.n;
    ck_assert_int_eq(extract(&failure), 0);
}
END_TEST

/* ---- paths ------------------------------------------------------------------------------------------------------- */

START_TEST(allowed_paths)
{
    static const char *const roots[] = {"/opt", "/usr/local/", "/opt/deep/root", NULL};
    static const struct {
        const char *path;
        bool allowed;
    } rows[] = {
        {"/opt/a", true},
        {"/opt/a/b/c", true},
        {"/usr/local/bin/x", true},
        {"/opt", false},
        {"/opt/", false},
        {"/optional/x", false},
        {"/usr/localx/y", false},
        {"/etc/x", false},
        {"/opt/../etc/x", false},
        {"/opt/./x", false},
        {"/opt//x", false},
        {"opt/x", false},
        {"", false},
        {"/", false},
        {"/opt/x/", false},
        {"/opt/..x/y", true},
        {"/opt/x/..", false},
        {"/opt/deep/root", true},
    };
    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct hf_target target = {.fs = fs, .roots = roots, .path = rows[i].path, .release = "r"};
        struct hf_failure failure;
        int r = hf_target_check(&target, &failure);
        ck_assert_msg((r == 0) == rows[i].allowed, "%s: %d", rows[i].path, r);
        ck_assert(r == 0 || (r == -EACCES && failure.reason == HF_R_PathNotAllowed));
    }
}
END_TEST

START_TEST(made_and_unmade)
{
    static const char *const roots[] = {"/srv/root", NULL};
    struct hf_target target = {.fs = fs, .roots = roots, .path = "/srv/root/a/b/c/x", .release = "r"};
    struct hf_failure failure;
    char missing[HF_TARGET_MAX_PATH] = "";
    struct hf_target_dir dir;
    struct stat st;

    ck_assert_int_eq(hf_target_open(&target, &dir, missing, &failure), -ENOENT);
    ck_assert_str_eq(missing, "/srv/root/a");
    ck_assert_int_eq(hf_target_make_folders(&target, &failure), 0);
    hf_simfs_power_cut(sim, 5);
    ck_assert(hf_simfs_stat(sim, "/srv/root/a/b/c", &st) && (st.st_mode & 07777) == 0755);
    hf_simfs_put(sim, "/srv/root/a/keep", "x", 1, 0600);
    ck_assert_int_eq(hf_target_remove_folders(&target, missing, &failure), 0);
    ck_assert(hf_simfs_stat(sim, "/srv/root/a/keep", &st) && !hf_simfs_stat(sim, "/srv/root/a/b", &st));
    hf_simfs_delete(sim, "/srv/root/a/keep");
    ck_assert_int_eq(hf_target_remove_folders(&target, missing, &failure), 0);
    ck_assert(!hf_simfs_stat(sim, "/srv/root/a", &st) && hf_simfs_stat(sim, "/srv/root", &st));
    ck_assert_int_eq(hf_target_remove_folders(&target, "", &failure), 0);
}
END_TEST

/* In a pod the roots lie below the mounted file system of the host. */
START_TEST(host_root)
{
    static const char *const roots[] = {"/opt", NULL};
    struct hf_target target = {.fs = fs, .roots = roots, .host_root = "/host", .path = "/opt/x/y", .release = "r"};
    struct hf_failure failure;
    struct stat st;

    ck_assert_int_eq(hf_target_make_folders(&target, &failure), 0);
    ck_assert(hf_simfs_stat(sim, "/host/opt/x", &st) && !hf_simfs_stat(sim, "/opt/x", &st));
}
END_TEST

START_TEST(stage_names)
{
    char name[NAME_MAX + 1], again[NAME_MAX + 1], release[300], sha256[HF_SHA256_HEX], text[HF_TARGET_MAX_PATH];

    ck_assert_str_eq(hf_target_file_name("app", HF_TARGET_NEW, name), ".holdfast-app.new");
    memset(release, 'r', sizeof(release) - 1);
    release[sizeof(release) - 1] = '\0';
    ck_assert_uint_lt(strlen(hf_target_file_name(release, HF_TARGET_TREE, name)), 100);
    release[0] = 's';
    ck_assert_str_ne(name, hf_target_file_name(release, HF_TARGET_TREE, again));
    ck_assert(hf_tree_link_parse("app", hf_tree_link("app", sha, text), sha256) && strcmp(sha256, sha) == 0);
    ck_assert(!hf_tree_link_parse("app", "elsewhere", sha256) &&
              !hf_tree_link_parse("app", ".holdfast-app.tree/ab", sha256));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, all_kinds);
    tcase_add_test(tc, owner_of_the_tree_before);
    tcase_add_test(tc, long_names);
    tcase_add_loop_test(tc, refusals, 0, (int)HF_LEN(refused));
    tcase_add_test(tc, damaged_headers);
    tcase_add_test(tc, allowed_paths);
    tcase_add_test(tc, made_and_unmade);
    tcase_add_test(tc, host_root);
    tcase_add_test(tc, stage_names);
}

HF_TEST_MAIN("update/tree", cases)
