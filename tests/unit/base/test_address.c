/* SPDX-License-Identifier: Apache-2.0 */
#include "base/net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/macros.h"
#include "support/check_main.h"

static const struct {
    const char *text;
    enum hf_address_class want;
} addresses[] = {
    {"8.8.8.8", HF_ADDRESS_PUBLIC},
    {"192.0.2.2", HF_ADDRESS_PUBLIC},
    {"172.15.255.255", HF_ADDRESS_PUBLIC},
    {"172.16.0.0", HF_ADDRESS_PRIVATE},
    {"172.31.255.255", HF_ADDRESS_PRIVATE},
    {"172.32.0.0", HF_ADDRESS_PUBLIC},
    {"9.255.255.255", HF_ADDRESS_PUBLIC},
    {"10.0.0.0", HF_ADDRESS_PRIVATE},
    {"11.0.0.0", HF_ADDRESS_PUBLIC},
    {"192.168.255.1", HF_ADDRESS_PRIVATE},
    {"192.169.0.1", HF_ADDRESS_PUBLIC},
    {"100.63.255.255", HF_ADDRESS_PUBLIC},
    {"100.64.0.1", HF_ADDRESS_PRIVATE},
    {"100.127.255.255", HF_ADDRESS_PRIVATE},
    {"100.128.0.0", HF_ADDRESS_PUBLIC},
    {"169.254.169.254", HF_ADDRESS_LINK_LOCAL},
    {"169.255.0.1", HF_ADDRESS_PUBLIC},
    {"126.255.255.255", HF_ADDRESS_PUBLIC},
    {"127.0.0.1", HF_ADDRESS_LOOPBACK},
    {"127.255.255.255", HF_ADDRESS_LOOPBACK},
    {"128.0.0.0", HF_ADDRESS_PUBLIC},
    {"0.0.0.0", HF_ADDRESS_LOOPBACK},
    {"0.1.2.3", HF_ADDRESS_LOOPBACK},
    {"224.0.0.1", HF_ADDRESS_LOOPBACK},
    {"255.255.255.255", HF_ADDRESS_LOOPBACK},
    {"2606:4700::1", HF_ADDRESS_PUBLIC},
    {"::1", HF_ADDRESS_LOOPBACK},
    {"::", HF_ADDRESS_LOOPBACK},
    {"fc00::1", HF_ADDRESS_PRIVATE},
    {"fdff:ffff::1", HF_ADDRESS_PRIVATE},
    {"fe00::1", HF_ADDRESS_PUBLIC},
    {"fe80::1", HF_ADDRESS_LINK_LOCAL},
    {"febf::1", HF_ADDRESS_LINK_LOCAL},
    {"fec0::1", HF_ADDRESS_PRIVATE},
    {"ff02::1", HF_ADDRESS_LOOPBACK},
    {"::ffff:127.0.0.1", HF_ADDRESS_LOOPBACK},
    {"::ffff:10.1.2.3", HF_ADDRESS_PRIVATE},
    {"::ffff:8.8.8.8", HF_ADDRESS_PUBLIC},
    {"::127.0.0.1", HF_ADDRESS_LOOPBACK},
    {"::10.0.0.1", HF_ADDRESS_PRIVATE},
    {"64:ff9b::7f00:1", HF_ADDRESS_LOOPBACK},
    {"64:ff9b::a00:1", HF_ADDRESS_PRIVATE},
    {"2002:7f00:1::1", HF_ADDRESS_LOOPBACK},
    {"2002:808:808::1", HF_ADDRESS_PUBLIC},
};

START_TEST(classes)
{
    const char *text = addresses[_i].text;
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    struct sockaddr_in four = {.sin_family = AF_INET};
    bool is_four = inet_pton(AF_INET, text, &four.sin_addr) == 1;

    ck_assert(is_four || inet_pton(AF_INET6, text, &six.sin6_addr) == 1);
    enum hf_address_class got =
        hf_address_class_of(is_four ? (const struct sockaddr *)&four : (const struct sockaddr *)&six);
    ck_assert_msg(got == addresses[_i].want, "%s: %s", text, hf_address_class_name(got));
    ck_assert_msg(hf_address_class_of_text(text) == addresses[_i].want, "%s as text", text);
}
END_TEST

START_TEST(others)
{
    const struct sockaddr local = {.sa_family = AF_UNIX};

    ck_assert_int_eq(hf_address_class_of(&local), HF_ADDRESS_LOOPBACK);
    ck_assert_int_eq(hf_address_class_of_text("fe80::1%eth0"), HF_ADDRESS_LINK_LOCAL);
    ck_assert_int_eq(hf_address_class_of_text(""), HF_ADDRESS_LOOPBACK);
    ck_assert_int_eq(hf_address_class_of_text("localhost"), HF_ADDRESS_LOOPBACK);
    ck_assert_int_eq(hf_address_class_of_text("8.8.8.8.8"), HF_ADDRESS_LOOPBACK);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, classes, 0, (int)HF_LEN(addresses));
    tcase_add_test(tc, others);
}

HF_TEST_MAIN("base/address", cases)
