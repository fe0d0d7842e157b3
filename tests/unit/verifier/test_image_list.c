/* SPDX-License-Identifier: Apache-2.0 */
/* The list of images that may be pulled, as the verifier reads it: whole, and changed in every way that a medium, a
 * clock or another user could. Whatever is wrong refuses. */
#include "verifier/image_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "support/check_main.h"
#include "verifier/verify.h"

enum { SINCE = 1000, EXPIRES = 5000, NOW = 2000 };

static char folder[64], path[128];

static void setup(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/hf-image-list.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/allowed", folder);
}

static void teardown(void)
{
    (void)unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

/* The i-th of n digests, ascending. */
static void digest_of(uint64_t i, char text[80])
{
    (void)snprintf(text, 80, "sha256:%016jx%048jx", (uintmax_t)(2 * i + 1), (uintmax_t)7);
}

static void make(struct hf_buf *out, uint64_t n)
{
    struct hf_image_list list = {.policy = "site", .sequence = 7, .since_s = SINCE, .expires_s = EXPIRES, .n = n};
    char header[HF_IMAGE_LIST_HEADER], digest[80];

    ck_assert_int_eq(hf_buf_add(out, header, hf_image_list_header(&list, header)), 0);
    for (uint64_t i = 0; i < n; i++) {
        digest_of(i, digest);
        ck_assert_int_eq(hf_buf_addf(out, "%s\n", digest + 7), 0);
    }
}

static void put(const void *bytes, size_t n, mode_t mode)
{
    (void)unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, n), (ssize_t)n);
    ck_assert_int_eq(fchmod(fd, mode), 0);
    ck_assert_int_eq(close(fd), 0);
}

static enum hf_image_verdict judge(const char *digest, uint64_t now_s)
{
    struct hf_image_list list;
    int fd;
    enum hf_image_verdict verdict = hf_image_list_open(path, geteuid(), &fd, &list);

    if (verdict != HF_IMAGE_ALLOWED) {
        ck_assert_int_eq(fd, -1);
        return verdict;
    }
    verdict = hf_image_list_judge(fd, &list, digest, now_s);
    ck_assert_int_eq(close(fd), 0);
    return verdict;
}

START_TEST(finds_each_of_ten_thousand)
{
    static const uint64_t sizes[] = {1, 2, 3, 64, HF_IMAGE_LIST_MAX};
    char digest[80];

    for (size_t k = 0; k < HF_LEN(sizes); k++) {
        _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20);
        make(&text, sizes[k]);
        put(text.p, text.n, 0600);
        for (uint64_t i = 0; i<sizes[k]; i += sizes[k]> 100 ? 97 : 1) {
            digest_of(i, digest);
            ck_assert_int_eq(judge(digest, NOW), HF_IMAGE_ALLOWED);
            digest[22]--; /* between two that are there */
            ck_assert_int_eq(judge(digest, NOW), HF_IMAGE_NOT_LISTED);
        }
        digest_of(sizes[k], digest);
        ck_assert_int_eq(judge(digest, NOW), HF_IMAGE_NOT_LISTED);
    }
}
END_TEST

START_TEST(the_clock)
{
    static const struct {
        uint64_t now_s;
        enum hf_image_verdict verdict;
    } cases[] = {{0, HF_IMAGE_ALLOWED}, /* no battery: counts as `since` */
                 {SINCE, HF_IMAGE_ALLOWED},
                 {EXPIRES - 1, HF_IMAGE_ALLOWED},
                 {EXPIRES, HF_IMAGE_LIST_EXPIRED},
                 {UINT64_MAX, HF_IMAGE_LIST_EXPIRED}};
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 16);
    struct hf_image_list late = {.policy = "site", .sequence = 7, .since_s = 60, .expires_s = 60, .n = 1};
    char digest[80], header[HF_IMAGE_LIST_HEADER];

    make(&text, 3);
    put(text.p, text.n, 0600);
    digest_of(1, digest);
    for (size_t i = 0; i < HF_LEN(cases); i++)
        ck_assert_msg(judge(digest, cases[i].now_s) == cases[i].verdict, "%ju", (uintmax_t)cases[i].now_s);

    /* had expired when it was written: no clock brings it back */
    text.n = 0;
    ck_assert_int_eq(hf_buf_add(&text, header, hf_image_list_header(&late, header)), 0);
    ck_assert_int_eq(hf_buf_addf(&text, "%s\n", digest + 7), 0);
    put(text.p, text.n, 0600);
    ck_assert_int_eq(judge(digest, 0), HF_IMAGE_LIST_EXPIRED);
}
END_TEST

/* Cut at every length: never an answer but a refusal. */
START_TEST(truncated)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 16);
    char digest[80];

    make(&text, 3);
    digest_of(0, digest);
    for (size_t n = 0; n < text.n; n++) {
        put(text.p, n, 0600);
        ck_assert_msg(judge(digest, NOW) == HF_IMAGE_LIST_DAMAGED, "cut to %zu", n);
    }
    ck_assert_int_eq(hf_buf_add(&text, "\n", 1), 0);
    put(text.p, text.n, 0600);
    ck_assert_int_eq(judge(digest, NOW), HF_IMAGE_LIST_DAMAGED);
}
END_TEST

/* Every bit of the file flipped: a digest that is not listed stays refused, and the header is never believed. */
START_TEST(every_flipped_bit)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 16);
    char listed[80], foreign[80];

    make(&text, 2);
    digest_of(0, listed);
    digest_of(0x5a5a5a5a, foreign); /* many bits away from what is listed */
    for (size_t bit = 0; bit < 8 * text.n; bit++) {
        text.p[bit / 8] = (char)(text.p[bit / 8] ^ (1 << bit % 8));
        put(text.p, text.n, 0600);
        enum hf_image_verdict verdict = judge(foreign, EXPIRES), of_listed = judge(listed, EXPIRES);
        ck_assert_msg(verdict == HF_IMAGE_LIST_DAMAGED || verdict == HF_IMAGE_LIST_EXPIRED, "bit %zu: %d", bit,
                      verdict);
        ck_assert_msg(of_listed == HF_IMAGE_LIST_DAMAGED || of_listed == HF_IMAGE_LIST_EXPIRED, "bit %zu", bit);
        verdict = judge(foreign, NOW);
        ck_assert_msg(verdict == HF_IMAGE_LIST_DAMAGED || verdict == HF_IMAGE_NOT_LISTED, "bit %zu: %d", bit, verdict);
        text.p[bit / 8] = (char)(text.p[bit / 8] ^ (1 << bit % 8));
    }
}
END_TEST

/* Headers that somebody wrote by hand. */
START_TEST(hostile_headers)
{
    static const struct {
        const char *name, *from, *to;
    } cases[] = {
        {"another version", "images 1", "images 2"},
        {"no policy", "policy site\n", ""},
        {"later", "expires 5000", "expires 9000"},
        {"negative", "expires 5000", "expires -1"},
        {"huge", "digests 2", "digests 18446744073709551615"},
        {"zero", "digests 2", "digests 0"},
        {"wraps", "digests 2", "digests 18446744073709551616"},
        {"plus", "sequence 7", "sequence +7"},
        {"zeros", "sequence 7", "sequence 07"},
        {"blank", "sequence 7", "sequence  7"},
        {"carriage return", "sequence 7\n", "sequence 7\r\n"},
        {"two policies", "policy site\n", "policy site\npolicy site\n"},
    };
    char digest[80];

    digest_of(0, digest);
    for (size_t i = 0; i < HF_LEN(cases); i++) {
        _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 16), changed = HF_BUF_INIT(1 << 16);
        make(&text, 2);
        const char *at = strstr(hf_buf_str(&text), cases[i].from);
        ck_assert_ptr_nonnull(at);
        size_t before = (size_t)(at - hf_buf_str(&text)), cut = before + strlen(cases[i].from);
        ck_assert_int_eq(hf_buf_add(&changed, text.p, before), 0);
        ck_assert_int_eq(hf_buf_addf(&changed, "%s", cases[i].to), 0);
        ck_assert_int_eq(hf_buf_add(&changed, text.p + cut, text.n - cut), 0);
        put(changed.p, changed.n, 0600);
        ck_assert_msg(judge(digest, NOW) == HF_IMAGE_LIST_DAMAGED, "%s", cases[i].name);
    }
}
END_TEST

START_TEST(rows_that_are_no_digests)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 16);
    char digest[80];

    make(&text, 1);
    memset(text.p + text.n - HF_IMAGE_LIST_ROW, 'F', HF_IMAGE_LIST_HEX);
    put(text.p, text.n, 0600);
    digest_of(0, digest);
    ck_assert_int_eq(judge(digest, NOW), HF_IMAGE_LIST_DAMAGED);
}
END_TEST

START_TEST(requests)
{
    static const char *const bad[] = {"",
                                      "sha256:",
                                      "sha256:0",
                                      "sha512:0000000000000001000000000000000000000000000000000000000000000007",
                                      "sha256:0000000000000001000000000000000000000000000000000000000000000007 ",
                                      "sha256:000000000000000100000000000000000000000000000000000000000000000G",
                                      "0000000000000001000000000000000000000000000000000000000000000007"};
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 16);

    make(&text, 1);
    put(text.p, text.n, 0600);
    for (size_t i = 0; i < HF_LEN(bad); i++)
        ck_assert_msg(judge(bad[i], NOW) == HF_IMAGE_BAD_REQUEST, "%s", bad[i]);
}
END_TEST

/* Whoever else may write the file or its folder could have written the list. */
START_TEST(who_may_write)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 16);
    struct hf_image_list list;
    char digest[80], other[160];
    int fd;

    make(&text, 1);
    digest_of(0, digest);
    put(text.p, text.n, 0620);
    ck_assert_int_eq(judge(digest, NOW), HF_IMAGE_LIST_UNSAFE);
    put(text.p, text.n, 0602);
    ck_assert_int_eq(judge(digest, NOW), HF_IMAGE_LIST_UNSAFE);
    put(text.p, text.n, 0600);
    ck_assert_int_eq(chmod(folder, 0777), 0);
    ck_assert_int_eq(judge(digest, NOW), HF_IMAGE_LIST_UNSAFE);
    ck_assert_int_eq(chmod(folder, 0700), 0);
    ck_assert_int_eq(judge(digest, NOW), HF_IMAGE_ALLOWED);
    if (geteuid() == 0) {
        ck_assert_int_eq(chown(path, 12345, 0), 0);
        ck_assert_int_eq(hf_image_list_open(path, 0, &fd, &list), HF_IMAGE_LIST_UNSAFE);
        ck_assert_int_eq(chown(path, 0, 0), 0);
    }
    (void)snprintf(other, sizeof(other), "%s.real", path);
    ck_assert_int_eq(rename(path, other), 0);
    ck_assert_int_eq(judge(digest, NOW), HF_IMAGE_LIST_MISSING);
    ck_assert_int_eq(symlink(other, path), 0);
    ck_assert_int_eq(judge(digest, NOW), HF_IMAGE_LIST_UNSAFE);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkfifo(path, 0600), 0); /* must not wait for a writer */
    ck_assert_int_eq(judge(digest, NOW), HF_IMAGE_LIST_UNSAFE);
    ck_assert_int_eq(unlink(other), 0);
}
END_TEST

START_TEST(lines_of_refusals)
{
    char line[HF_VERIFY_NAME + 160], name[2 * HF_VERIFY_NAME];

    size_t n = hf_verify_line(line, sizeof(line), 42, "sha256:aa", HF_IMAGE_NOT_LISTED, "evil\nimage \x1b[31m\xff");
    ck_assert_str_eq(line, "42 sha256:aa NotListed evil?image??[31m?\n");
    ck_assert_uint_eq(n, strlen(line));
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    n = hf_verify_line(line, sizeof(line), UINT64_MAX, name, HF_IMAGE_LIST_UNREADABLE, name);
    ck_assert_uint_gt(n, 0);
    ck_assert_uint_eq(strcspn(line, "\n"), n - 1);
    ck_assert_uint_gt(hf_verify_line(line, sizeof(line), 1, "", HF_IMAGE_BAD_REQUEST, ""), 0);
    ck_assert_str_eq(line, "1 - BadRequest -\n");
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, finds_each_of_ten_thousand);
    tcase_add_test(tc, the_clock);
    tcase_add_test(tc, truncated);
    tcase_add_test(tc, every_flipped_bit);
    tcase_add_test(tc, hostile_headers);
    tcase_add_test(tc, rows_that_are_no_digests);
    tcase_add_test(tc, requests);
    tcase_add_test(tc, who_may_write);
    tcase_add_test(tc, lines_of_refusals);
}
HF_TEST_MAIN("verifier/image_list", cases)
