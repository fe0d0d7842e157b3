/* SPDX-License-Identifier: Apache-2.0 */
#include "base/net/host.h"

#include <string.h>

#include "support/check_main.h"

static const struct {
    const char *url, *want; /* NULL: no host */
} urls[] = {
    {"http://localhost", "localhost"},
    {"http://localhost:80/a?b#c", "localhost"},
    {"https://Example.com?x=1", "Example.com"},
    {"https://example.com#@x", "example.com"},
    {"http://127.0.0.1:", "127.0.0.1"},
    {"http://[::1]", "[::1]"},
    {"http://[::1]:10550/a", "[::1]"},
    {"http://[2001:db8::1]?a", "[2001:db8::1]"},
    {"http://:80/", ""},
    {"http:///path", ""},
    {"http://[::1", NULL},
    {"http://[::1/]", NULL},
    {"http://[::1].evil.example", NULL},
    {"http://[::1]evil.example:80", NULL},
    {"http://user@127.0.0.1/", NULL},
    {"http://127.0.0.1:80@evil.example/", NULL},
    {"http://localhost:secret@evil.example/", NULL},
    {"localhost:80", NULL},
    {"//localhost/", NULL},
    {"://localhost/", NULL},
    {"/path?http://localhost/", NULL},
    {"http:/localhost", NULL},
    {"", NULL},
};

START_TEST(host_of_url)
{
    struct hf_view host = hf_host_of_url(urls[_i].url);

    ck_assert_msg(urls[_i].want == NULL ? host.p == NULL && host.n == 0 : hf_view_eq(host, urls[_i].want), "%s: '%.*s'",
                  urls[_i].url, (int)host.n, host.p != NULL ? host.p : "");
}
END_TEST

static const struct {
    const char *host;
    bool loopback;
} hosts[] = {
    {"localhost", true},
    {"127.0.0.1", true},
    {"127.0.0.0", true},
    {"127.255.255.255", true},
    {"::1", true},
    {"[::1]", true},
    {"[0:0:0:0:0:0:0:1]", true},
    {"0000:0000:0000:0000:0000:0000:0000:0001", true},
    {"", false},
    {"[]", false},
    {"[", false},
    {"]", false},
    {"127.", false},
    {"127.1", false},
    {"127.0.0.1.", false},
    {"127.0.0.256", false},
    {"127.0.0.01", false},
    {"127.evil.example", false},
    {"127.0.0.1.evil.example", false},
    {"127.0.0.1 ", false},
    {" 127.0.0.1", false},
    {"127.0.0.1:80", false},
    {"user@127.0.0.1", false},
    {"127.0.0.1@evil.example", false},
    {"0x7f.0.0.1", false},
    {"2130706433", false},
    {"128.0.0.1", false},
    {"126.255.255.255", false},
    {"0.0.0.0", false},
    {"::", false},
    {"::2", false},
    {"::127.0.0.1", false},
    {"[::ffff:127.0.0.1]", false},
    {"::ffff:127.0.0.1", false},
    {"[::1%lo]", false},
    {"[127.0.0.1]", false},
    {"[localhost]", false},
    {"[[::1]]", false},
    {"LOCALHOST", false},
    {"Localhost", false},
    {"localhost.", false},
    {"localhost.evil.example", false},
    {"localhosts", false},
    {"localhos", false},
    {"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001", false},
};

START_TEST(loopback)
{
    ck_assert_msg(hf_host_is_loopback(hf_view_of(hosts[_i].host)) == hosts[_i].loopback, "'%s'", hosts[_i].host);
}
END_TEST

START_TEST(loopback_views)
{
    static const char zero[] = "127.0.0.1\0.evil.example", longer[] = "localhostess";

    ck_assert(!hf_host_is_loopback((struct hf_view){NULL, 0}));
    ck_assert(!hf_host_is_loopback((struct hf_view){zero, sizeof(zero) - 1}));
    ck_assert(hf_host_is_loopback((struct hf_view){zero, strlen(zero)}));
    ck_assert(hf_host_is_loopback((struct hf_view){longer, strlen("localhost")}));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, host_of_url, 0, HF_LEN(urls));
    tcase_add_loop_test(tc, loopback, 0, HF_LEN(hosts));
    tcase_add_test(tc, loopback_views);
}

HF_TEST_MAIN("base/host", cases)
