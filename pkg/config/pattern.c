/* SPDX-License-Identifier: Apache-2.0 */
#include "config/pattern.h"

#include <ctype.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/net/host.h"
#include "base/parse.h"

/* ---- paths ------------------------------------------------------------------------------------------------------- */

static bool is_dots(struct hf_view name)
{
    return hf_view_eq(name, ".") || hf_view_eq(name, "..");
}

bool hf_config_path_is_normal(const char *path)
{
    struct hf_view rest = hf_view_of(path), name;

    if (path[0] != '/' || path[1] == '\0' || rest.n >= PATH_MAX)
        return false;
    for (size_t i = 0; i < rest.n; i++)
        if ((unsigned char)path[i] < 0x20 || path[i] == 0x7f)
            return false;
    rest = hf_view_of(path + 1);
    while (hf_view_split(&rest, '/', &name))
        if (name.n == 0 || is_dots(name))
            return false;
    return true;
}

bool hf_config_pattern_is_path(const char *pattern)
{
    if (!hf_config_path_is_normal(pattern) || strpbrk(pattern, "?[\\") != NULL)
        return false;
    struct hf_view rest = hf_view_of(pattern + 1), name;
    while (hf_view_split(&rest, '/', &name))
        if (memmem(name.p, name.n, "**", 2) != NULL && name.n != 2)
            return false; /* "a**" would look as if it went down into folders */
    return true;
}

/* True if the component `name`, without wildcards, matches; only `*` is special in `pattern`. */
static bool name_matches(struct hf_view pattern, struct hf_view name)
{
    size_t p = 0, i = 0, star = SIZE_MAX, from = 0;

    while (i < name.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            from = i;
        } else if (p < pattern.n && pattern.p[p] == name.p[i]) {
            p++;
            i++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            i = ++from;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}

static bool is_special(char c)
{
    return c == '*' || c == '?' || c == '[' || c == ']' || c == '\\';
}

/* True if the component `pattern` matches every name that the component `glob` matches. Compares the text before the
 * first and behind the last special character of the glob with the text around the only `*` of the pattern. */
static bool name_covers(struct hf_view pattern, struct hf_view glob)
{
    size_t head = 0, tail = 0;

    while (head < glob.n && !is_special(glob.p[head]))
        head++;
    if (head == glob.n)
        return name_matches(pattern, glob);
    if (pattern.n == glob.n && memcmp(pattern.p, glob.p, glob.n) == 0)
        return true;
    while (!is_special(glob.p[glob.n - 1 - tail]))
        tail++;
    const char *star = memchr(pattern.p, '*', pattern.n);
    if (star == NULL)
        return false;
    size_t before = (size_t)(star - pattern.p), behind = pattern.n - before - 1;
    return memchr(star + 1, '*', behind) == NULL && before <= head && behind <= tail &&
           memcmp(pattern.p, glob.p, before) == 0 && memcmp(star + 1, glob.p + glob.n - behind, behind) == 0;
}

/* Takes the first component off *rest, a path without its leading slash; false at the end. */
static bool take(struct hf_view *rest, struct hf_view *ret_name)
{
    return hf_view_split(rest, '/', ret_name);
}

/* Compares component by component; `last_is_glob` says that the last component of `path` has fnmatch's wildcards. Goes
 * back to the last `**` only: an earlier one cannot help, because every other component takes exactly one. */
static bool covers(const char *pattern, const char *path, bool last_is_glob)
{
    struct hf_view p = hf_view_of(pattern + 1), s = hf_view_of(path + 1), star = {NULL, 0}, from = {NULL, 0}, want,
                   name;

    while (s.p != NULL) {
        bool more = take(&p, &want);
        if (more && hf_view_eq(want, "**")) {
            if (p.p == NULL)
                return true; /* the end of the pattern, and at least one component is left */
            star = p;
            from = s;
            continue;
        }
        (void)take(&s, &name);
        if (more && (last_is_glob && s.p == NULL ? name_covers(want, name) : name_matches(want, name)))
            continue;
        if (star.p == NULL)
            return false;
        (void)take(&from, &name);
        s = from;
        p = star;
    }
    return p.p == NULL;
}

bool hf_config_pattern_covers_path(const char *pattern, const char *path)
{
    return hf_config_path_is_normal(path) && hf_config_pattern_is_path(pattern) && covers(pattern, path, false);
}

bool hf_config_pattern_covers_glob(const char *pattern, const char *glob)
{
    if (!hf_config_path_is_normal(glob) || !hf_config_pattern_is_path(pattern))
        return false;
    const char *last = strrchr(glob, '/');
    for (const char *c = glob; c < last; c++)
        if (is_special(*c))
            return false; /* a wildcard in a folder: no policy may have one */
    return covers(pattern, glob, true);
}

/* ---- origins ----------------------------------------------------------------------------------------------------- */

struct origin {
    struct hf_view scheme, host;
    struct hf_view port; /* empty: none given */
};

static const char *default_port(struct hf_view scheme)
{
    static const struct {
        const char *scheme, *port;
    } ports[] = {{"http", "80"}, {"https", "443"}, {"mqtt", "1883"}, {"mqtts", "8883"}};

    for (size_t i = 0; i < HF_LEN(ports); i++)
        if (hf_view_eq(scheme, ports[i].scheme))
            return ports[i].port;
    return "";
}

/* Splits SCHEME://HOST[:PORT][/...]; the host keeps the brackets of an IPv6 address. */
static bool split(const char *url, const char *const *schemes, struct origin *ret)
{
    const char *colon = strstr(url, "://");
    struct origin o = {.host = hf_host_of_url(url)};

    if (colon == NULL || o.host.n == 0 || o.host.p != colon + 3)
        return false;
    for (const char *c = url; *c != '\0'; c++)
        if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f || *c == '\\')
            return false;
    o.scheme = (struct hf_view){url, (size_t)(colon - url)};
    while (*schemes != NULL && !hf_view_eq(o.scheme, *schemes))
        schemes++;
    const char *end = o.host.p + o.host.n;
    if (*end == ':')
        o.port = (struct hf_view){end + 1, strcspn(end + 1, "/?#")};
    *ret = o;
    return *schemes != NULL;
}

static bool host_is_plain(struct hf_view host)
{
    bool six = host.p[0] == '[';

    for (size_t i = 0; i < host.n; i++) {
        char c = host.p[i];
        bool bracket = six && ((i == 0 && c == '[') || (i == host.n - 1 && c == ']'));
        if (!bracket && !(six ? isxdigit((unsigned char)c) || c == ':' || c == '.'
                              : isalnum((unsigned char)c) || c == '.' || c == '-' || c == '_'))
            return false;
    }
    return !six || host.n > 2;
}

static bool port_is_number(struct hf_view port)
{
    char text[8];
    uint64_t number;

    if (port.p == NULL || port.n >= sizeof(text))
        return false;
    memcpy(text, port.p, port.n);
    text[port.n] = '\0';
    return hf_parse_u64(text, 1, UINT16_MAX, &number) == 0;
}

bool hf_config_origin_of(const char *url, const char *const *schemes, char origin[HF_CONFIG_ORIGIN])
{
    struct origin o;

    if (!split(url, schemes, &o) || !host_is_plain(o.host) || (o.port.n > 0 && !port_is_number(o.port)))
        return false;
    int n = snprintf(origin, HF_CONFIG_ORIGIN, "%.*s://%.*s:%.*s", (int)o.scheme.n, o.scheme.p, (int)o.host.n, o.host.p,
                     o.port.n > 0 ? (int)o.port.n : 5, o.port.n > 0 ? o.port.p : default_port(o.scheme));
    if (n < 0 || n >= HF_CONFIG_ORIGIN)
        return false;
    for (char *c = origin; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return true;
}

bool hf_config_pattern_is_origin(const char *pattern, const char *const *schemes)
{
    struct origin o;

    if (!split(pattern, schemes, &o) || strlen(pattern) >= HF_CONFIG_ORIGIN)
        return false;
    const char *end = o.port.p != NULL ? o.port.p + o.port.n : o.host.p + o.host.n;
    if (*end != '\0' || end[-1] == ':')
        return false;
    for (const char *c = pattern; *c != '\0'; c++)
        if (isupper((unsigned char)*c))
            return false;
    if (o.port.n > 0 && !hf_view_eq(o.port, "*") && !port_is_number(o.port))
        return false;
    if (hf_view_eq(o.host, "*"))
        return true;
    if (hf_view_starts(o.host, "*."))
        o.host = (struct hf_view){o.host.p + 2, o.host.n - 2};
    return o.host.n > 0 && host_is_plain(o.host);
}

static bool host_covers(struct hf_view pattern, struct hf_view host, bool own)
{
    if (hf_view_eq(pattern, "*"))
        return true;
    if (hf_view_eq(pattern, "localhost"))
        return own || hf_host_is_loopback(host);
    if (hf_view_starts(pattern, "*."))
        return host.n > pattern.n - 1 && host.p[0] != '[' &&
               memcmp(host.p + host.n - (pattern.n - 1), pattern.p + 1, pattern.n - 1) == 0;
    return host.n == pattern.n && memcmp(host.p, pattern.p, host.n) == 0;
}

bool hf_config_pattern_covers_origin(const char *pattern, const char *origin, bool own)
{
    static const char *const any[] = {"http", "https", "mqtt", "mqtts", NULL};
    struct origin want, is;

    if (!hf_config_pattern_is_origin(pattern, any) || !split(pattern, any, &want) || !split(origin, any, &is))
        return false;
    if (want.scheme.n != is.scheme.n || memcmp(want.scheme.p, is.scheme.p, is.scheme.n) != 0)
        return false;
    struct hf_view port = want.port.n > 0 ? want.port : hf_view_of(default_port(want.scheme));
    if (!hf_view_eq(port, "*") && (port.n != is.port.n || (port.n > 0 && memcmp(port.p, is.port.p, port.n) != 0)))
        return false;
    return host_covers(want.host, is.host, own);
}
