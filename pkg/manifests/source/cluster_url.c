/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/source/cluster_url.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "os/socket/own_address.h"

/* Copies a label of a DNS name (RFC 1123) that a dot or the end of the text ends. Returns its length, 0 if there is
 * none. */
static size_t take_label(const char *from, char label[64])
{
    size_t n = strspn(from, "abcdefghijklmnopqrstuvwxyz0123456789-");

    if (n == 0 || n > 63 || from[0] == '-' || from[n - 1] == '-' || (from[n] != '.' && from[n] != '\0'))
        return 0;
    memcpy(label, from, n);
    label[n] = '\0';
    return n;
}

static bool is_in_cluster(const char *name, struct hf_cluster_url *url)
{
    size_t n = take_label(name, url->service);

    if (n == 0 || name[n] != '.')
        return false;
    name += n + 1;
    n = take_label(name, url->ns);
    if (n == 0 || name[n] != '.')
        return false;
    name += n + 1;
    return strcmp(name, "svc") == 0 || strncmp(name, "svc.", 4) == 0;
}

int hf_cluster_url_parse(const char *url, struct hf_cluster_url *ret_url)
{
    size_t scheme = strncmp(url, "http://", 7) == 0 ? 7 : strncmp(url, "https://", 8) == 0 ? 8 : 0;
    struct hf_cluster_url parsed = {.in_cluster = false};
    const char *host = url + scheme;
    size_t host_n = strcspn(host, ":/?#"), authority_n = strcspn(host, "/?#");

    if (host[0] == '[') /* an IPv6 address */
        host_n = strcspn(host, "]") + 1;
    if (scheme == 0 || host_n == 0 || host_n > authority_n || memchr(host, '@', authority_n) != NULL ||
        host_n >= sizeof(parsed.host) - 8)
        return -EINVAL;
    size_t name_n = host_n - (host[host_n - 1] == '.');
    int n = snprintf(parsed.url, sizeof(parsed.url), "%.*s%.*s%s", (int)scheme, url, (int)name_n, host, host + host_n);
    if (name_n == 0 || host[name_n - 1] == '.' || n >= (int)sizeof(parsed.url))
        return -EINVAL;
    memcpy(parsed.host, host, name_n);
    parsed.in_cluster = is_in_cluster(parsed.host, &parsed);
    (void)snprintf(parsed.before, sizeof(parsed.before), "%.*s", (int)scheme, url);
    if (snprintf(parsed.host, sizeof(parsed.host), "%.*s%.*s", (int)name_n, host, (int)(authority_n - host_n),
                 host + host_n) >= (int)sizeof(parsed.host))
        return -EINVAL;
    *ret_url = parsed;
    ret_url->after = ret_url->url + scheme + name_n;
    return 0;
}

static bool leads_elsewhere_4(const struct in_addr *address)
{
    uint32_t host = ntohl(address->s_addr);
    unsigned first = host >> 24;

    return first != 0 && first != 127 && host >> 16 != 0xA9FE && first < 224;
}

static bool leads_elsewhere_6(const struct in6_addr *address)
{
    return !IN6_IS_ADDR_UNSPECIFIED(address) && !IN6_IS_ADDR_LOOPBACK(address) && !IN6_IS_ADDR_LINKLOCAL(address) &&
           !IN6_IS_ADDR_MULTICAST(address) && !IN6_IS_ADDR_V4MAPPED(address) && !IN6_IS_ADDR_V4COMPAT(address);
}

static int refuse_own(int family, const void *address)
{
    int r = hf_own_address_is(family, address);

    return r < 0 ? -EAGAIN : r > 0 ? -EACCES : 0;
}

int hf_cluster_url_check_address(const char *address)
{
    struct in6_addr six;
    struct in_addr four;

    if (inet_pton(AF_INET, address, &four) == 1)
        return leads_elsewhere_4(&four) ? refuse_own(AF_INET, &four) : -EACCES;
    if (inet_pton(AF_INET6, address, &six) == 1)
        return leads_elsewhere_6(&six) ? refuse_own(AF_INET6, &six) : -EACCES;
    return -EINVAL;
}

int hf_cluster_url_at(const struct hf_cluster_url *url, const char *address, char *out)
{
    struct in6_addr six;
    struct in_addr four;
    bool is_six = inet_pton(AF_INET6, address, &six) == 1;

    if (!is_six && inet_pton(AF_INET, address, &four) != 1)
        return -EINVAL;
    int n = snprintf(out, HF_CLUSTER_URL_MAX, "%s%s%s%s%s", url->before, is_six ? "[" : "", address, is_six ? "]" : "",
                     url->after);
    return n < HF_CLUSTER_URL_MAX ? 0 : -EINVAL;
}
