/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/http/proxy.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"

enum { MAX_ADDRESS_BYTES = 16, MAX_RANGE = 64 };

/* Returns the length of the address in bytes, or 0 if the text is not an address. */
static size_t parse_address(const char *text, unsigned char bytes[MAX_ADDRESS_BYTES])
{
    if (inet_pton(AF_INET, text, bytes) == 1)
        return sizeof(struct in_addr);
    return inet_pton(AF_INET6, text, bytes) == 1 ? sizeof(struct in6_addr) : 0;
}

static bool begin_alike(const unsigned char *a, const unsigned char *b, size_t bits)
{
    size_t whole = bits / 8, rest = bits % 8;

    return memcmp(a, b, whole) == 0 && (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

/* `item`: an address, or a range such as 10.0.0.0/8. */
static bool range_has(const char *item, size_t n, const unsigned char *address, size_t address_n)
{
    unsigned char bytes[MAX_ADDRESS_BYTES];
    uint64_t bits = 8 * address_n;
    char text[MAX_RANGE];

    if (n >= sizeof(text))
        return false;
    (void)snprintf(text, sizeof(text), "%.*s", (int)n, item);
    char *slash = strchr(text, '/');
    if (slash != NULL && hf_parse_u64(slash + 1, 1, 8 * address_n, &bits) < 0)
        return false;
    if (slash != NULL)
        *slash = '\0';
    return parse_address(text, bytes) == address_n && begin_alike(bytes, address, (size_t)bits);
}

static bool domain_has(const char *item, size_t n, const char *host)
{
    size_t host_n = strlen(host);

    n -= n > 0 && item[n - 1] == '.';
    host_n -= host_n > 0 && host[host_n - 1] == '.';
    if (n > 0 && item[0] == '.') {
        item++;
        n--;
    }
    if (n == 0 || n > host_n || strncasecmp(item, host + host_n - n, n) != 0)
        return false;
    return n == host_n || host[host_n - n - 1] == '.';
}

bool hf_proxy_list_has(const char *list, const char *host)
{
    static const char between[] = ", \t";
    unsigned char address[MAX_ADDRESS_BYTES];
    size_t address_n = parse_address(host, address);

    if (strcmp(list, "*") == 0)
        return true;
    for (const char *item = list + strspn(list, between); *item != '\0';) {
        size_t n = strcspn(item, between);
        if (address_n > 0 ? range_has(item, n, address, address_n) : domain_has(item, n, host))
            return true;
        item += n;
        item += strspn(item, between);
    }
    return false;
}

/* The first variable that is set and not empty. */
static const char *first_of(const char *const *names)
{
    for (; *names != NULL; names++) {
        const char *value = getenv(*names);
        if (value != NULL && value[0] != '\0')
            return value;
    }
    return NULL;
}

const char *hf_proxy_for(bool https, const char *host)
{
    static const char *const lists[] = {"no_proxy", "NO_PROXY", NULL};
    static const char *const of_https[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", NULL};
    static const char *const of_http[] = {"http_proxy", "all_proxy", "ALL_PROXY", NULL};
    const char *list = first_of(lists);

    return list != NULL && hf_proxy_list_has(list, host) ? NULL : first_of(https ? of_https : of_http);
}
