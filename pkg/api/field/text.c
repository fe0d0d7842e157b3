/* SPDX-License-Identifier: Apache-2.0 */
#include "api/field/text.h"

#include <stddef.h>
#include <string.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"
#define ALNUM LOWER UPPER DIGIT

static bool is_in(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* Returns true if the text has min..max bytes, all from `set`. */
static bool all_in(const char *text, size_t n, const char *set, size_t min, size_t max)
{
    if (n < min || n > max)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!is_in(text[i], set))
            return false;
    return true;
}

/* Returns true if the text has characters from `edge` at both ends, and from `edge` or `inner` between. */
static bool is_name_of(const char *text, size_t n, const char *edge, const char *inner, size_t max)
{
    if (n == 0 || n > max || !is_in(text[0], edge) || !is_in(text[n - 1], edge))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!is_in(text[i], edge) && !is_in(text[i], inner))
            return false;
    return true;
}

static bool is_subdomain(const char *text, size_t n)
{
    if (n == 0 || n > 253)
        return false;
    for (const char *end = text + n;;) {
        size_t part = 0;
        while (text + part < end && text[part] != '.')
            part++;
        if (!is_name_of(text, part, LOWER DIGIT, "-", 253))
            return false;
        if (text + part == end)
            return true;
        text += part + 1;
    }
}

bool hf_text_is_object_name(const char *text)
{
    return is_subdomain(text, strlen(text));
}

bool hf_text_is_name(const char *text)
{
    return is_name_of(text, strlen(text), LOWER DIGIT, "-", 63);
}

bool hf_text_is_label_key(const char *text)
{
    const char *slash = strchr(text, '/');
    const char *name = slash != NULL ? slash + 1 : text;

    return (slash == NULL || is_subdomain(text, (size_t)(slash - text))) &&
           is_name_of(name, strlen(name), ALNUM, "-_.", 63);
}

bool hf_text_is_label_value(const char *text)
{
    return text[0] == '\0' || is_name_of(text, strlen(text), ALNUM, "-_.", 63);
}

bool hf_text_is_version(const char *text)
{
    return is_in(text[0], ALNUM) && all_in(text, strlen(text), ALNUM ".+_~-", 1, 64);
}

bool hf_text_is_sha256(const char *text)
{
    return all_in(text, strlen(text), DIGIT "abcdef", 64, 64);
}

bool hf_text_is_arch(const char *text)
{
    return all_in(text, strlen(text), LOWER DIGIT, 2, 16);
}

bool hf_text_is_path(const char *text)
{
    for (const char *p = text; *p != '\0';) {
        size_t n;

        if (*p != '/')
            return false;
        for (n = 0, p++; p[n] != '\0' && p[n] != '/'; n++)
            if ((unsigned char)p[n] < 0x20 || p[n] == 0x7f)
                return false;
        if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && memcmp(p, "..", 2) == 0))
            return false;
        p += n;
    }
    return text[0] == '/';
}

/* RFC 3986: printable characters, except those that need %xx. */
static bool is_url_text(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text >= 0x7f || is_in(*text, "\"<>\\^`{|}"))
            return false;
    return true;
}

bool hf_text_is_http_url(const char *text)
{
    const char *host = strncmp(text, "https://", 8) == 0  ? text + 8
                       : strncmp(text, "http://", 7) == 0 ? text + 7
                                                          : NULL;

    if (host == NULL || !is_url_text(host))
        return false;
    size_t n = strcspn(host, "/?#");
    return n > 0 && memchr(host, '@', n) == NULL && host[0] != ':';
}

/* Components of small letters and digits, with one of the specification's separators in between. */
bool hf_text_is_repository(struct hf_view text)
{
    bool separated = true; /* by the start, or what stands before */

    for (size_t i = 0, n; i < text.n; i += n) {
        for (n = 0; i + n < text.n && is_in(text.p[i + n], "abcdefghijklmnopqrstuvwxyz0123456789");)
            n++;
        if (n == 0 && separated)
            return false;
        separated = n == 0;
        if (!separated)
            continue;
        while (i + n < text.n && text.p[i + n] == '-')
            n++;
        if (n == 0)
            n = hf_view_starts((struct hf_view){text.p + i, text.n - i}, "__") ? 2 : 1;
        if (!is_in(text.p[i], "._-/"))
            return false;
    }
    return !separated;
}

static bool is_blob(const char *host)
{
    size_t n = strspn(host, ALNUM "[].:-");
    const char *name = host + n + 1, *at = n > 0 && host[n] == '/' && host[0] != ':' ? strchr(name, '@') : NULL;

    return at != NULL && hf_text_is_repository((struct hf_view){name, (size_t)(at - name)}) &&
           strncmp(at, "@sha256:", 8) == 0 && hf_text_is_sha256(at + 8);
}

bool hf_text_is_url(const char *text)
{
    if (strncmp(text, "oci://", 6) == 0)
        return is_blob(text + 6);
    if (strncmp(text, "file:///", 8) == 0)
        return hf_text_is_path(text + 7) && is_url_text(text + 7);
    return hf_text_is_http_url(text);
}

bool hf_text_is_host(const char *text)
{
    return all_in(text, strlen(text), ALNUM ".:_-", 1, 253);
}

bool hf_text_is_unit(const char *text)
{
    static const char *const types[] = {".service", ".socket", ".target", ".timer", ".path", ".mount"};
    const char *dot = strrchr(text, '.');

    if (dot == NULL || !all_in(text, (size_t)(dot - text), ALNUM ":_.@\\-", 1, 200))
        return false;
    if (dot[-1] == '@') /* a template, which systemd starts only with an instance */
        return false;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(dot, types[i]) == 0)
            return true;
    return false;
}

bool hf_text_is_device(const char *text)
{
    return strncmp(text, "/dev/", 5) == 0 && hf_text_is_path(text) && all_in(text, strlen(text), ALNUM "._/:-", 6, 128);
}

bool hf_text_is_kernel_range(const char *text)
{
    const char *p = text + strspn(text, "<>=");
    size_t sign = (size_t)(p - text);

    if (sign == 0 || sign > 2 || (sign == 2 && text[1] != '=') || (sign == 2 && text[0] == '='))
        return false;
    for (int part = 0; part < 3; part++) {
        size_t n = strspn(p, DIGIT);
        if (n == 0 || n > 5)
            return false;
        p += n;
        if (*p == '\0')
            return true;
        if (*p++ != '.')
            return false;
    }
    return false;
}

bool hf_text_is_cpu_feature(const char *text)
{
    return all_in(text, strlen(text), LOWER DIGIT "_.", 1, 32);
}

bool hf_text_is_key_id(const char *text)
{
    return is_name_of(text, strlen(text), LOWER DIGIT, "-.", 63);
}

bool hf_text_is_signature(const char *text)
{
    return strlen(text) == 88 && all_in(text, 86, ALNUM "+/", 86, 86) && is_in(text[85], "AQgw") &&
           strcmp(text + 86, "==") == 0;
}

bool hf_text_is_mode(const char *text)
{
    return all_in(text, strlen(text), "01234567", 3, 4);
}

bool hf_text_is_clock_time(const char *text)
{
    return strlen(text) == 5 && text[2] == ':' && is_in(text[0], "012") && is_in(text[1], DIGIT) &&
           (text[0] != '2' || is_in(text[1], "0123")) && is_in(text[3], "012345") && is_in(text[4], DIGIT);
}

bool hf_text_is_time_zone(const char *text)
{
    bool starts = true;

    for (const char *p = text; *p != '\0'; p++) {
        if (starts && !is_in(*p, ALNUM))
            return false;
        if (!is_in(*p, ALNUM "_+-/"))
            return false;
        starts = *p == '/';
    }
    return !starts && strlen(text) <= 64;
}
