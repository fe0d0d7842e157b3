/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's matcher beside the C library's, on given and random expressions. */
#include "codec/regex.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check_main.h"

static const struct {
    const char *regex, *text;
    bool matches;
} rows[] = {
    {"^[0-9]{4}-[0-9]{2}", "2026-11-20 start", true},
    {"^[0-9]{4}-[0-9]{2}", " 2026-11-20 start", false},
    {"^(INFO|WARN|ERROR)", "WARN x", true},
    {"^(INFO|WARN|ERROR)", "DEBUG x", false},
    {"^[^ \t]", "  at frame", false},
    {"^\\[", "[x]", true},
    {"a.c", "xxabcxx", true},
    {"^a.c$", "xabc", false},
    {"", "", true},
    {"", "any", true},
    {"a|", "b", true},
    {"()", "x", true},
    {"^(a|b)*$", "abbab", true},
    {"^(a|b)*$", "abxab", false},
    {"^(a*)*$", "aaa", true},
    {"(a*)+b", "aaab", true},
    {"^a{2,3}$", "a", false},
    {"^a{2,3}$", "aaa", true},
    {"^a{2,3}$", "aaaa", false},
    {"^a{2,}$", "aaaaaa", true},
    {"^a{,2}$", "aa", true},
    {"^a{,2}$", "aaa", false},
    {"^a{0}$", "", true},
    {"^(ab|c){2}$", "cab", true},
    {"^((a{2}){2}b){2}$", "aaaabaaaab", true},
    {"[]x]", "]", true},
    {"[^]x]", "]", false},
    {"[a-]", "-", true},
    {"[[:digit:]x-z]+$", "12yz", true},
    {"\\.", ".", true},
    {"\\.", "x", false},
    {"\\<end\\>", "the end.", true},
    {"\\<end\\>", "send", false},
    {"x)", "x)", true},
    {"a{3}{2}", "aaaaaa", true},
    {"\xff", "a\xff", true},
    {"[\xf0-\xff]", "\xf8", true},
};

START_TEST(given)
{
    struct hf_err err = HF_ERR_INIT;
    struct hf_regex *regex = NULL;

    ck_assert_msg(hf_regex_new(rows[_i].regex, &regex, &err) == 0, "%s: %s", rows[_i].regex, err.cause);
    ck_assert_msg(hf_regex_matches(regex, hf_view_of(rows[_i].text)) == rows[_i].matches, "%s on %s", rows[_i].regex,
                  rows[_i].text);
    hf_regex_free(regex);
}
END_TEST

static const struct {
    const char *regex;
    int want;
    const char *says;
} refused[] = {
    {"(a", -EINVAL, "a '(' has no ')'"},
    {"[a", -EINVAL, "a '[' has no ']'"},
    {"a{1000}", -EINVAL, "above 999"},
    {"a{2,1}", -EINVAL, "expected a count"},
    {"a{", -EINVAL, "a count needs a number"},
    {"a{2", -EINVAL, "expected a count"},
    {"*a", -EINVAL, "nothing stands before"},
    {"(a)\\1", -EINVAL, "back references"},
    {"a\\", -EINVAL, "backslash"},
    {"[z-a]", -EINVAL, "a range"},
    {"[[:none:]]", -EINVAL, "unknown character class"},
    {"[[.a.]]", -EINVAL, "not supported"},
    {"a{0,999}", -E2BIG, "512 steps"},
    {"a{999}", -E2BIG, "512 steps"},
    {"((a{9}){9}){9}", -E2BIG, "512 steps"},
    {"((((((((((a{2}){2}){2}){2}){2}){2}){2}){2}){2}){2}){2}", -E2BIG, "512 steps"},
};

START_TEST(refusals)
{
    struct hf_err err = HF_ERR_INIT;
    struct hf_regex *regex = NULL;

    ck_assert_int_eq(hf_regex_new(refused[_i].regex, &regex, &err), refused[_i].want);
    ck_assert_msg(strstr(err.cause, refused[_i].says) != NULL, "%s: %s", refused[_i].regex, err.cause);
}
END_TEST

START_TEST(deep)
{
    char text[300];
    struct hf_regex *regex = NULL;

    memset(text, '(', 128);
    memset(text + 128, ')', 128);
    text[256] = '\0';
    ck_assert_int_eq(hf_regex_new(text, &regex, NULL), -EINVAL);
    ck_assert_int_eq(hf_regex_new(text + 64, &regex, NULL), 0); /* 64 groups; the other ')' are characters */
    hf_regex_free(regex);
}
END_TEST

/* An expression that the C library takes hundreds of MiB for. */
START_TEST(many_states)
{
    struct hf_regex *regex = NULL;
    char text[60000];

    srand(1);
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = "ab"[rand() >> 7 & 1];
    ck_assert_int_eq(hf_regex_new("[ab]*a[ab]{100}c", &regex, NULL), 0);
    ck_assert(!hf_regex_matches(regex, (struct hf_view){text, sizeof(text)}));
    hf_regex_free(regex);
}
END_TEST

static void make(char *text, size_t n, const char *const *parts, size_t n_parts, int most)
{
    int count = 1 + rand() % most;

    text[0] = '\0';
    for (int i = 0; i < count && strlen(text) + 8 < n; i++) {
        const char *part = parts[(size_t)rand() % n_parts];
        memcpy(text + strlen(text), part, strlen(part) + 1);
    }
}

/* Where both accept an expression, both find the same. */
START_TEST(agrees_with_the_library)
{
    static const char *const parts[] = {"a",  "b",     "c",     "(",    ")",     "|",   "*",   "+",   "?", "{2}",
                                        ".",  "{1,2}", "[ab]",  "[^a]", "\\w",   "\\s", "\\b", "{0}", "^", "$",
                                        "ab", "{,2}",  "(a|b)", "(ab)", "[b-d]", " ",   "(c)", "{2,}"};
    static const char *const words[] = {"a", "b", "c", " ", "ab", "d"};
    unsigned both = 0;

    srand(7);
    for (int i = 0; i < 60000; i++) {
        char text[128], line[32];
        struct hf_regex *mine = NULL;
        regex_t theirs;
        make(text, sizeof(text), parts, HF_LEN(parts), 7);
        bool good = regcomp(&theirs, text, REG_EXTENDED | REG_NOSUB) == 0;
        bool good_mine = hf_regex_new(text, &mine, NULL) == 0;
        for (int k = 0; k < 4 && good && good_mine; k++) {
            make(line, sizeof(line), words, HF_LEN(words), 8);
            bool want = regexec(&theirs, line, 0, NULL, 0) == 0;
            ck_assert_msg(hf_regex_matches(mine, hf_view_of(line)) == want, "'%s' on '%s': the library says %d", text,
                          line, want);
            both++;
        }
        if (good)
            regfree(&theirs);
        hf_regex_free(mine);
    }
    ck_assert_uint_gt(both, 20000);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, given, 0, (int)HF_LEN(rows));
    tcase_add_loop_test(tc, refusals, 0, (int)HF_LEN(refused));
    tcase_add_test(tc, deep);
    tcase_add_test(tc, many_states);
    tcase_add_test(tc, agrees_with_the_library);
}

HF_TEST_MAIN("codec/regex", cases)
