/* SPDX-License-Identifier: Apache-2.0 */
/* A web page can make a browser send requests to 127.0.0.1, also by a name of its own that resolves there ("DNS
 * rebinding"). The Host or Origin header then has the page's host. */
#include "loop/server/guard.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/net/host.h"

enum { MAX_HOST = 256 };

/* Copies the host of "HOST[:PORT]" in lower case, without the brackets of an IPv6 address. False: another form. */
static bool take_host(struct hf_view text, char host[MAX_HOST])
{
    const char *close = text.n > 0 && text.p[0] == '[' ? memchr(text.p, ']', text.n) : NULL;
    const char *end = close != NULL ? close + 1 : text.n > 0 ? memchr(text.p, ':', text.n) : NULL;
    size_t n = end != NULL ? (size_t)(end - text.p) : text.n;
    struct hf_view port = {text.p + n, text.n - n};

    if (port.n > 0 && port.p[0] != ':')
        return false;
    for (size_t i = 1; i < port.n; i++)
        if (!isdigit((unsigned char)port.p[i]))
            return false;
    struct hf_view name = close != NULL ? (struct hf_view){text.p + 1, n - 2} : (struct hf_view){text.p, n};
    if (name.n == 0 || name.n >= MAX_HOST)
        return false;
    for (size_t i = 0; i < name.n; i++)
        host[i] = (char)tolower((unsigned char)name.p[i]);
    host[name.n] = '\0';
    return true;
}

static bool is_allowed(const char *host, const char *const *allowed)
{
    for (; allowed != NULL && *allowed != NULL; allowed++)
        if (strcasecmp(host, *allowed) == 0)
            return true;
    return false;
}

bool hf_server_guard_host(struct hf_view text, const char *address, const char *const *allowed)
{
    char host[MAX_HOST];

    return take_host(hf_view_trim(text), host) &&
           (hf_host_is_loopback(hf_view_of(host)) || (address != NULL && strcasecmp(host, address) == 0) ||
            is_allowed(host, allowed));
}

bool hf_server_guard_origin(struct hf_view origin, const char *const *allowed)
{
    char host[MAX_HOST];

    if (hf_view_starts(origin, "https://"))
        origin = (struct hf_view){origin.p + 8, origin.n - 8};
    else if (hf_view_starts(origin, "http://"))
        origin = (struct hf_view){origin.p + 7, origin.n - 7};
    else
        return false;
    return take_host(origin, host) && is_allowed(host, allowed);
}

bool hf_server_guard_same_origin(struct hf_view origin, struct hf_view host, const char *address,
                                 const char *const *allowed)
{
    host = hf_view_trim(host);
    if (!hf_view_starts(origin, "http://") || origin.n - 7 != host.n || !hf_server_guard_host(host, address, allowed))
        return false;
    return strncasecmp(origin.p + 7, host.p, host.n) == 0;
}
