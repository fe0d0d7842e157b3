/* SPDX-License-Identifier: Apache-2.0 */
#include "base/net/host.h"

#include <arpa/inet.h>
#include <string.h>

struct hf_view hf_host_of_url(const char *url)
{
    const struct hf_view none = {NULL, 0};
    size_t scheme = strcspn(url, ":/?#");

    if (scheme == 0 || strncmp(url + scheme, "://", 3) != 0)
        return none;
    struct hf_view authority = {url + scheme + 3, strcspn(url + scheme + 3, "/?#")}, host = authority;
    if (memchr(authority.p, '@', authority.n) != NULL)
        return none;
    const char *end = memchr(authority.p, authority.p[0] == '[' ? ']' : ':', authority.n);
    if (end != NULL)
        host.n = (size_t)(end - authority.p) + (*end == ']');
    else if (authority.p[0] == '[')
        return none;
    /* Only a port may follow: "[::1].example.com" is not ::1. */
    return host.n == authority.n || authority.p[host.n] == ':' ? host : none;
}

bool hf_host_is_loopback(struct hf_view host)
{
    char text[INET6_ADDRSTRLEN];
    struct in_addr four;
    struct in6_addr six;
    bool brackets = host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';

    if (brackets)
        host = (struct hf_view){host.p + 1, host.n - 2};
    if (host.n == 0 || host.n >= sizeof(text) || memchr(host.p, '\0', host.n) != NULL)
        return false;
    memcpy(text, host.p, host.n);
    text[host.n] = '\0';
    if (inet_pton(AF_INET6, text, &six) == 1)
        return IN6_IS_ADDR_LOOPBACK(&six);
    if (brackets)
        return false;
    if (inet_pton(AF_INET, text, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    return strcmp(text, "localhost") == 0;
}
