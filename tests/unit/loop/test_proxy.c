/* SPDX-License-Identifier: Apache-2.0 */
/* Which hosts a list like that of NO_PROXY names, and which variable of the environment counts. */
#include "loop/http/proxy.h"

#include <stdlib.h>

#include "base/macros.h"
#include "support/check_main.h"

static const struct {
    const char *list, *host;
    bool has;
} rows[] = {
    {"", "a.example", false},
    {"*", "a.example", true},
    {"*", "10.1.2.3", true},
    {"x,*", "a.example", false},
    {"a.example", "a.example", true},
    {"A.Example", "a.eXample", true},
    {"a.example", "b.a.example", true},
    {".a.example", "b.a.example", true},
    {".a.example", "a.example", true},
    {"a.example", "ba.example", false},
    {"b.a.example", "a.example", false},
    {"a.example.", "a.example", true},
    {"a.example", "b.a.example.", true},
    {".", "a.example", false},
    {"x, y\ta.example", "a.example", true},
    {" ,, a.example ,", "a.example", true},
    {"10.0.0.0/8", "10.1.2.3", true},
    {"10.0.0.0/8", "11.1.2.3", false},
    {"10.0.0.0/8", "10.example", false},
    {"10.1.2.3", "10.1.2.3", true},
    {"10.1.2.3", "10.1.2.4", false},
    {"2.3", "10.1.2.3", false}, /* no domain */
    {"192.168.4.0/22", "192.168.7.255", true},
    {"192.168.4.0/22", "192.168.8.0", false},
    {"10.1.2.3/32", "10.1.2.3", true},
    {"10.1.2.3/32", "10.1.2.2", false},
    {"10.0.0.0/33", "10.0.0.0", false},
    {"10.0.0.0/", "10.0.0.0", false},
    {"10.0.0.0/x", "10.0.0.0", false},
    {"fd00::/8", "fd12::1", true},
    {"fd00::/8", "fe80::1", false},
    {"fd12::1", "fd12:0::1", true},
    {"10.0.0.0/8", "fd12::1", false},
    {"::/8", "10.1.2.3", false},
    {"1111111111111111111111111111111111111111111111111111111111111111111111111111", "10.1.2.3", false},
};

START_TEST(lists)
{
    ck_assert_msg(hf_proxy_list_has(rows[_i].list, rows[_i].host) == rows[_i].has, "'%s' '%s'", rows[_i].list,
                  rows[_i].host);
}
END_TEST

static void set(const char *name, const char *value)
{
    ck_assert_int_eq(setenv(name, value, 1), 0);
}

START_TEST(variables)
{
    static const char *const all[] = {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY",
                                      "all_proxy",  "ALL_PROXY",  "no_proxy",    "NO_PROXY"};

    for (size_t i = 0; i < HF_LEN(all); i++)
        ck_assert_int_eq(unsetenv(all[i]), 0);
    ck_assert_ptr_null(hf_proxy_for(true, "a.example"));
    set("ALL_PROXY", "http://one");
    ck_assert_str_eq(hf_proxy_for(true, "a.example"), "http://one");
    ck_assert_str_eq(hf_proxy_for(false, "a.example"), "http://one");
    set("all_proxy", "http://two");
    ck_assert_str_eq(hf_proxy_for(true, "a.example"), "http://two");
    set("HTTPS_PROXY", "http://three");
    ck_assert_str_eq(hf_proxy_for(true, "a.example"), "http://three");
    ck_assert_str_eq(hf_proxy_for(false, "a.example"), "http://two");
    set("https_proxy", "");
    ck_assert_str_eq(hf_proxy_for(true, "a.example"), "http://three");
    set("http_proxy", "http://four");
    ck_assert_str_eq(hf_proxy_for(false, "a.example"), "http://four");
    set("NO_PROXY", "a.example");
    ck_assert_ptr_null(hf_proxy_for(false, "a.example"));
    ck_assert_ptr_nonnull(hf_proxy_for(false, "b.example"));
    set("no_proxy", "b.example");
    ck_assert_ptr_nonnull(hf_proxy_for(false, "a.example"));
    ck_assert_ptr_null(hf_proxy_for(true, "b.example"));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, lists, 0, (int)HF_LEN(rows));
    tcase_add_test(tc, variables);
}
HF_TEST_MAIN("loop/proxy", cases)
