/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/server/guard.h"

#include "base/macros.h"
#include "support/check_main.h"

static const char *const allowed[] = {"edge-7.lan", "fd00::5", NULL};

static const struct {
    const char *host;
    bool want;
} hosts[] = {
    {"127.0.0.1", true},
    {"127.0.0.1:9091", true},
    {"127.9.9.9:1", true},
    {"localhost", true},
    {"LocalHost:9090", true},
    {"[::1]", true},
    {"[::1]:9091", true},
    {"192.0.2.2:9090", true}, /* where the server listens */
    {"Edge-7.lan:80", true},
    {"[fd00::5]:80", true},
    {"192.0.2.3", false},
    {"evil.example", false},
    {"localhost.evil.example", false},
    {"127.0.0.1.evil.example:9091", false},
    {"evil.example:127", false},
    {"[::1].evil.example", false},
    {"[::1]x", false},
    {"[::1", false},
    {"127.1", false},
    {"2130706433", false},
    {"0x7f000001", false},
    {"0.0.0.0", false},
    {"user@127.0.0.1", false},
    {"127.0.0.1:80:80", false},
    {"127.0.0.1:x", false},
    {"127.0.0.1, evil.example", false},
    {":9090", false},
    {"", false},
};

START_TEST(host)
{
    ck_assert_msg(hf_server_guard_host(hf_view_of(hosts[_i].host), "192.0.2.2", allowed) == hosts[_i].want, "'%s'",
                  hosts[_i].host);
    if (!hosts[_i].want)
        ck_assert(!hf_server_guard_host(hf_view_of(hosts[_i].host), NULL, NULL));
}
END_TEST

static const struct {
    const char *origin;
    bool want;
} origins[] = {
    {"https://edge-7.lan", true},
    {"http://EDGE-7.lan:8080", true},
    {"http://[fd00::5]:1", true},
    {"http://127.0.0.1:9091", false},
    {"null", false},
    {"https://evil.example", false},
    {"https://edge-7.lan.evil", false},
    {"ftp://edge-7.lan", false},
    {"edge-7.lan", false},
    {"https://evil@edge-7.lan", false},
    {"https://edge-7.lan/x", false},
    {"https://", false},
};

START_TEST(origin)
{
    ck_assert_msg(hf_server_guard_origin(hf_view_of(origins[_i].origin), allowed) == origins[_i].want, "'%s'",
                  origins[_i].origin);
    ck_assert(!hf_server_guard_origin(hf_view_of(origins[_i].origin), NULL));
}
END_TEST

static const struct {
    const char *origin, *host;
    bool want;
} own_pages[] = {
    {"http://127.0.0.1:9090", "127.0.0.1:9090", true},
    {"http://LocalHost:9090", "localhost:9090", true},
    {"http://edge-7.lan", "edge-7.lan", true},
    {"http://192.0.2.2:9090", "192.0.2.2:9090", true},
    {"https://127.0.0.1:9090", "127.0.0.1:9090", false},
    {"http://127.0.0.1:9091", "127.0.0.1:9090", false},
    {"http://127.0.0.1:90900", "127.0.0.1:9090", false},
    {"http://127.0.0.1", "127.0.0.1:9090", false},
    {"http://localhost:9090", "127.0.0.1:9090", false},
    {"http://evil.example", "evil.example", false},
    {"http://", "", false},
    {"null", "127.0.0.1", false},
    {"127.0.0.1", "127.0.0.1", false},
};

START_TEST(own_page)
{
    ck_assert_msg(hf_server_guard_same_origin(hf_view_of(own_pages[_i].origin), hf_view_of(own_pages[_i].host),
                                              "192.0.2.2", allowed) == own_pages[_i].want,
                  "'%s' to '%s'", own_pages[_i].origin, own_pages[_i].host);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, own_page, 0, (int)HF_LEN(own_pages));

    tcase_add_loop_test(tc, host, 0, (int)HF_LEN(hosts));
    tcase_add_loop_test(tc, origin, 0, (int)HF_LEN(origins));
}

HF_TEST_MAIN("loop/guard", cases)
