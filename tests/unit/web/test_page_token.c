/* SPDX-License-Identifier: Apache-2.0 */
/* The token of the page: its file, its end, and what it equals. */
#include "web/page_token.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/fs_posix.h"
#include "support/check_main.h"

static uint64_t now_ns;
static char dir[64], path[96];

static uint64_t mono(void *ctx)
{
    (void)ctx;
    return now_ns;
}

static const struct hf_clock_ops test_clock = {.mono_ns = mono, .unix_ns = mono};

static void set_up(void)
{
    (void)snprintf(dir, sizeof(dir), "/tmp/holdfast-token-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/" HF_PAGE_TOKEN_FILE, dir);
    now_ns = 50 * HF_NS_PER_S;
}

static void tear_down(void)
{
    (void)unlink(path);
    (void)rmdir(dir);
}

static int load(struct hf_page_token *token)
{
    return hf_page_token_load(hf_fs_posix(), &test_clock, dir, token, NULL);
}

START_TEST(it_ends)
{
    struct hf_page_token token, other;
    struct stat st;

    ck_assert_int_eq(load(&token), -ENOENT);
    ck_assert_int_eq(hf_page_token_make(hf_fs_posix(), &test_clock, dir, &token, NULL), 0);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
    ck_assert_int_eq(load(&other), 0);
    ck_assert(hf_page_token_is(other.text, hf_view_of(token.text)));
    now_ns += HF_PAGE_TOKEN_NS - 1;
    ck_assert_int_eq(load(&other), 0);
    now_ns++;
    ck_assert_int_eq(load(&other), -ESTALE);
    now_ns = 1; /* another boot, and a run folder that stayed */
    ck_assert_int_eq(load(&other), -ESTALE);
}
END_TEST

START_TEST(only_the_newest_counts)
{
    struct hf_page_token one, two, found;

    ck_assert_int_eq(hf_page_token_make(hf_fs_posix(), &test_clock, dir, &one, NULL), 0);
    ck_assert_int_eq(hf_page_token_make(hf_fs_posix(), &test_clock, dir, &two, NULL), 0);
    ck_assert_int_eq(load(&found), 0);
    ck_assert(hf_page_token_is(found.text, hf_view_of(two.text)) &&
              !hf_page_token_is(found.text, hf_view_of(one.text)));
}
END_TEST

START_TEST(only_the_whole_counts)
{
    struct hf_page_token token, none = {.text = ""};
    char longer[HF_PAGE_TOKEN_TEXT + 1];

    ck_assert_int_eq(hf_page_token_make(hf_fs_posix(), &test_clock, dir, &token, NULL), 0);
    for (size_t n = 0; n < HF_PAGE_TOKEN_TEXT - 1; n++)
        ck_assert(!hf_page_token_is(token.text, (struct hf_view){token.text, n}));
    (void)snprintf(longer, sizeof(longer), "%s0", token.text);
    ck_assert(!hf_page_token_is(token.text, hf_view_of(longer)));
    for (size_t i = 0; i < HF_PAGE_TOKEN_TEXT - 1; i++) {
        memcpy(longer, token.text, HF_PAGE_TOKEN_TEXT);
        longer[i] ^= 1;
        ck_assert(!hf_page_token_is(token.text, hf_view_of(longer)));
    }
    ck_assert(!hf_page_token_is(none.text, HF_VIEW("")));
    memset(longer, 0, sizeof(longer));
    ck_assert(!hf_page_token_is(none.text, (struct hf_view){longer, HF_PAGE_TOKEN_TEXT - 1}));
}
END_TEST

START_TEST(what_others_could_have_seen_or_made)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0602, 0644};
    struct hf_page_token token;

    ck_assert_int_eq(hf_page_token_make(hf_fs_posix(), &test_clock, dir, &token, NULL), 0);
    for (size_t i = 0; i < HF_LEN(modes); i++) {
        ck_assert_int_eq(chmod(path, modes[i]), 0);
        ck_assert_int_eq(load(&token), -EACCES);
    }
    ck_assert_int_eq(chmod(path, 0600), 0);
    ck_assert_int_eq(truncate(path, 40), 0);
    ck_assert_int_eq(load(&token), -EBADMSG);
    ck_assert_int_eq(truncate(path, 4000), 0);
    ck_assert_int_eq(load(&token), -EBADMSG);
    ck_assert_int_eq(truncate(path, 0), 0);
    ck_assert_int_eq(load(&token), -EBADMSG);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, it_ends);
    tcase_add_test(tc, only_the_newest_counts);
    tcase_add_test(tc, only_the_whole_counts);
    tcase_add_test(tc, what_others_could_have_seen_or_made);
}
HF_TEST_MAIN("web/page_token", cases)
