/* SPDX-License-Identifier: Apache-2.0 */
/* A server may redirect us only to an address reachable from as many places, so that it cannot use us to reach our
 * network or this machine. */
#include "base/net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/macros.h"

struct address_range {
    unsigned char prefix[16];
    unsigned bits;
    enum hf_address_class class;
};

/* The first that fits decides. */
static const struct address_range ranges_v4[] = {
    {{0}, 8, HF_ADDRESS_LOOPBACK},           {{127}, 8, HF_ADDRESS_LOOPBACK},      {{10}, 8, HF_ADDRESS_PRIVATE},
    {{172, 16}, 12, HF_ADDRESS_PRIVATE},     {{192, 168}, 16, HF_ADDRESS_PRIVATE}, {{100, 64}, 10, HF_ADDRESS_PRIVATE},
    {{169, 254}, 16, HF_ADDRESS_LINK_LOCAL}, {{224}, 4, HF_ADDRESS_LOOPBACK},      {{240}, 4, HF_ADDRESS_LOOPBACK},
};
static const struct address_range ranges_v6[] = {
    {{0xfc}, 7, HF_ADDRESS_PRIVATE},
    {{0xfe, 0xc0}, 10, HF_ADDRESS_PRIVATE},
    {{0xfe, 0x80}, 10, HF_ADDRESS_LINK_LOCAL},
    {{0xff}, 8, HF_ADDRESS_LOOPBACK},
};

/* Where an IPv6 address holds an IPv4 address. */
static const struct {
    unsigned char prefix[12];
    unsigned bits, at;
} embeddings[] = {
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, 12},
    {{0}, 96, 12},
    {{0, 0x64, 0xff, 0x9b}, 96, 12},
    {{0x20, 0x02}, 16, 2},
};

static bool starts(const unsigned char *bytes, const unsigned char *prefix, unsigned bits)
{
    unsigned whole = bits / 8, left = bits % 8;

    return memcmp(bytes, prefix, whole) == 0 && (left == 0 || (bytes[whole] ^ prefix[whole]) >> (8 - left) == 0);
}

static enum hf_address_class find(const struct address_range *ranges, size_t n, const unsigned char *bytes)
{
    for (size_t i = 0; i < n; i++)
        if (starts(bytes, ranges[i].prefix, ranges[i].bits))
            return ranges[i].class;
    return HF_ADDRESS_PUBLIC;
}

static enum hf_address_class class_v6(const unsigned char bytes[static 16])
{
    static const unsigned char loopback[16] = {[15] = 1};

    if (memcmp(bytes, loopback, sizeof(loopback)) == 0)
        return HF_ADDRESS_LOOPBACK;
    for (size_t i = 0; i < HF_LEN(embeddings); i++)
        if (starts(bytes, embeddings[i].prefix, embeddings[i].bits))
            return find(ranges_v4, HF_LEN(ranges_v4), bytes + embeddings[i].at);
    return find(ranges_v6, HF_LEN(ranges_v6), bytes);
}

enum hf_address_class hf_address_class_of(const struct sockaddr *address)
{
    unsigned char bytes[16];

    if (address->sa_family == AF_INET) {
        memcpy(bytes, &((const struct sockaddr_in *)address)->sin_addr, 4);
        return find(ranges_v4, HF_LEN(ranges_v4), bytes);
    }
    if (address->sa_family != AF_INET6)
        return HF_ADDRESS_LOOPBACK;
    memcpy(bytes, &((const struct sockaddr_in6 *)address)->sin6_addr, sizeof(bytes));
    return class_v6(bytes);
}

enum hf_address_class hf_address_class_of_text(const char *text)
{
    unsigned char bytes[16];
    char copy[INET6_ADDRSTRLEN];

    (void)snprintf(copy, sizeof(copy), "%.*s", (int)HF_MIN(strcspn(text, "%"), sizeof(copy) - 1), text);
    if (inet_pton(AF_INET, copy, bytes) == 1)
        return find(ranges_v4, HF_LEN(ranges_v4), bytes);
    return inet_pton(AF_INET6, copy, bytes) == 1 ? class_v6(bytes) : HF_ADDRESS_LOOPBACK;
}

const char *hf_address_class_name(enum hf_address_class class)
{
    static const char *const names[] = {[HF_ADDRESS_PUBLIC] = "public",
                                        [HF_ADDRESS_PRIVATE] = "private",
                                        [HF_ADDRESS_LINK_LOCAL] = "link-local",
                                        [HF_ADDRESS_LOOPBACK] = "loopback"};

    return names[class];
}
