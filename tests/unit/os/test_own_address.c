/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses are this machine's own: those of its interfaces, and not those that kube-proxy puts on kube-ipvs0. */
#include "os/socket/own_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "support/check_main.h"

static char eth0[] = "eth0", ipvs[] = "kube-ipvs0", other[] = "kube-ipvs01";

START_TEST(interfaces)
{
    struct sockaddr_in v4[] = {{.sin_family = AF_INET}, {.sin_family = AF_INET}, {.sin_family = AF_INET}};
    struct sockaddr_in6 v6[] = {{.sin6_family = AF_INET6}, {.sin6_family = AF_INET6}};
    struct ifaddrs list[] = {
        {.ifa_name = ipvs, .ifa_addr = (struct sockaddr *)&v4[0]},
        {.ifa_name = eth0, .ifa_addr = NULL},
        {.ifa_name = eth0, .ifa_addr = (struct sockaddr *)&v4[1]},
        {.ifa_name = ipvs, .ifa_addr = (struct sockaddr *)&v6[0]},
        {.ifa_name = eth0, .ifa_addr = (struct sockaddr *)&v6[1]},
        {.ifa_name = other, .ifa_addr = (struct sockaddr *)&v4[2]},
    };
    static const struct {
        const char *address;
        bool own;
    } rows[] = {
        {"10.43.0.7", false}, {"192.168.1.2", true}, {"192.168.1.3", false}, {"10.43.0.8", true},
        {"fd43::7", false},   {"fd00::2", true},     {"fd00::3", false},
    };

    for (size_t i = 0; i + 1 < HF_LEN(list); i++)
        list[i].ifa_next = &list[i + 1];
    (void)inet_pton(AF_INET, "10.43.0.7", &v4[0].sin_addr);
    (void)inet_pton(AF_INET, "192.168.1.2", &v4[1].sin_addr);
    (void)inet_pton(AF_INET, "10.43.0.8", &v4[2].sin_addr);
    (void)inet_pton(AF_INET6, "fd43::7", &v6[0].sin6_addr);
    (void)inet_pton(AF_INET6, "fd00::2", &v6[1].sin6_addr);
    for (size_t i = 0; i < HF_LEN(rows); i++) {
        unsigned char bytes[16];
        int family = strchr(rows[i].address, ':') != NULL ? AF_INET6 : AF_INET;
        ck_assert_int_eq(inet_pton(family, rows[i].address, bytes), 1);
        ck_assert_msg(hf_own_address_in(list, family, bytes) == rows[i].own, "%s", rows[i].address);
    }
}
END_TEST

START_TEST(kernel)
{
    struct in_addr loopback = {.s_addr = htonl(INADDR_LOOPBACK)}, documentation;
    struct rlimit files, none;

    (void)inet_pton(AF_INET, "192.0.2.77", &documentation);
    ck_assert_int_eq(hf_own_address_is(AF_INET, &loopback), 1);
    ck_assert_int_eq(hf_own_address_is(AF_INET, &documentation), 0);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &files), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = files.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    int r = hf_own_address_is(AF_INET, &loopback);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
    ck_assert_int_eq(r, -EMFILE);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, interfaces);
    tcase_add_test(tc, kernel);
}

HF_TEST_MAIN("os/own_address", cases)
