/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/source/source_common.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/net/host.h"
#include "base/parse.h"
#include "codec/scan.h"
#include "os/socket/own_address.h"
#include "telemetry/source/ingest_parse.h"

enum { LOOK_BYTES = 96, MAX_MEMBERS = 64 };

int hf_source_offer(const struct hf_intake *intake, const struct hf_event *event, struct hf_receipt *receipt)
{
    int r = intake->offer(intake->ctx, event, receipt);

    return r >= 0 || r == -E2BIG ? 0 : -EAGAIN;
}

/* ---- severity ---------------------------------------------------------------------------------------------------- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool all_upper(struct hf_view word)
{
    for (size_t i = 0; i < word.n; i++)
        if (word.p[i] < 'A' || word.p[i] > 'Z')
            return false;
    return true;
}

/* True if "level=", "lvl=", "severity=" or "\"level\":\"" stands before the word. */
static bool is_named(const char *line, const char *word)
{
    const char *p = word;

    while (p > line && (p[-1] == '"' || p[-1] == '=' || p[-1] == ':' || p[-1] == ' '))
        p--;
    if (p == word || (p[0] != '=' && p[0] != '"' && p[0] != ':'))
        return false;
    static const char *const names[] = {"level", "lvl", "severity"};
    for (size_t i = 0; i < HF_LEN(names); i++) {
        size_t n = strlen(names[i]);
        if ((size_t)(p - line) >= n && strncasecmp(p - n, names[i], n) == 0)
            return true;
    }
    return false;
}

/* klog lines: one letter, month and day, as in "I1120 08:00:00.000000". */
static enum hf_severity of_klog(struct hf_view line)
{
    static const char letters[] = "IWEF";
    static const enum hf_severity means[] = {HF_SEVERITY_INFO, HF_SEVERITY_WARNING, HF_SEVERITY_ERROR,
                                             HF_SEVERITY_CRITICAL};
    const char *letter = line.n > 6 ? memchr(letters, line.p[0], 4) : NULL;

    if (letter == NULL || line.p[5] != ' ')
        return 0;
    for (size_t i = 1; i < 5; i++)
        if (line.p[i] < '0' || line.p[i] > '9')
            return 0;
    return means[letter - letters];
}

enum hf_severity hf_source_line_severity(struct hf_view line)
{
    enum hf_severity severity = of_klog(line);
    size_t n = HF_MIN(line.n, (size_t)LOOK_BYTES);

    for (size_t i = 0; severity == 0 && i < n;) {
        size_t begin = i;
        while (i < n && is_letter(line.p[i]))
            i++;
        const struct hf_view word = {line.p + begin, i - begin};
        if (word.n >= 3 && word.n <= 13 && (i < n || n == line.n) && (all_upper(word) || is_named(line.p, word.p)) &&
            hf_severity_parse(word.p, word.n, &severity))
            return severity;
        i += i == begin;
    }
    return severity;
}

/* ---- lines that are JSON ----------------------------------------------------------------------------------------- */

static bool is_one_of(const struct hf_scan_member *member, const char *const *names)
{
    for (; *names != NULL; names++)
        if (hf_scan_is(member, *names))
            return true;
    return false;
}

/* RFC 3339, or a number since 1970. A time without a zone says nothing certain. */
static bool take_time(const struct hf_scan_value *value, struct hf_event *event)
{
    char text[48];

    if (value->type == HF_SCAN_NUMBER)
        return hf_ingest_parse_number_time(value->text, &event->unix_ns);
    if (value->type != HF_SCAN_STRING || value->escaped || value->text.n >= sizeof(text))
        return false;
    memcpy(text, value->text.p, value->text.n);
    text[value->text.n] = '\0';
    return hf_parse_time(text, &event->unix_ns) == 0;
}

/* False: the event has no room for it. */
static bool take_attribute(const struct hf_scan_member *member, struct hf_event *event, struct hf_buf *scratch)
{
    const struct hf_scan_value name = {.type = HF_SCAN_STRING, .escaped = member->escaped, .text = member->name};
    struct hf_attribute *attribute = &event->attributes[event->n_attributes];
    const struct hf_scan_value *value = &member->value;

    if (event->n_attributes >= HF_EVENT_MAX_ATTRIBUTES || name.text.n == 0 || name.text.n > HF_INGEST_MAX_TEXT ||
        value->text.n > HF_SOURCE_MAX_VALUE || hf_scan_string(&name, scratch, &attribute->name) < 0)
        return false;
    if (value->type != HF_SCAN_STRING)
        attribute->value = value->text;
    else if (hf_scan_string(value, scratch, &attribute->value) < 0)
        return false;
    event->n_attributes++;
    return true;
}

struct json_line {
    bool has_body, has_level, has_time;
    bool whole; /* a member has no room in the event, so the body is the whole line */
};

/* Each meaning is used once; an unused one stays an attribute. */
static void take_member(const struct hf_scan_member *member, struct json_line *line, struct hf_event *event,
                        struct hf_buf *scratch)
{
    static const char *const bodies[] = {"message", "msg", "log", "body", "MESSAGE", NULL};
    static const char *const levels[] = {"level", "severity", "lvl", "levelname", "log.level", NULL};
    static const char *const times[] = {"time", "timestamp", "ts", "@timestamp", NULL};
    const struct hf_scan_value *value = &member->value;
    bool is_string = value->type == HF_SCAN_STRING;

    if (!line->has_body && is_string && is_one_of(member, bodies) && hf_scan_string(value, scratch, &event->body) == 0)
        line->has_body = true;
    else if (!line->has_level && is_string && is_one_of(member, levels) &&
             hf_severity_parse(value->text.p, value->text.n, &event->severity))
        line->has_level = true;
    else if (!line->has_time && is_one_of(member, times) && take_time(value, event))
        line->has_time = true;
    else
        line->whole |= !take_attribute(member, event, scratch);
}

bool hf_source_parse_json_line(struct hf_view line, struct hf_event *event, struct hf_buf *scratch)
{
    struct hf_scan_member members[MAX_MEMBERS];
    struct json_line found = {.has_body = false};
    struct hf_scan scan;
    size_t n;

    hf_scan_init(&scan, line);
    if (hf_scan_members(&scan, members, HF_LEN(members), &n) < 0 || hf_scan_end(&scan) < 0)
        return false;
    hf_buf_clear(scratch);
    if (memchr(line.p, '\\', line.n) != NULL && hf_buf_reserve(scratch, line.n) < 0)
        return false;
    for (size_t i = 0; i < n; i++)
        take_member(&members[i], &found, event, scratch);
    if (!found.has_body || found.whole)
        event->body = line; /* the attributes repeat parts of it */
    return true;
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static bool any_matches(const char *const *globs, const char *text)
{
    for (; *globs != NULL; globs++)
        if (fnmatch(*globs, text, 0) == 0)
            return true;
    return false;
}

bool hf_source_name_wanted(const char *const *include, const char *const *exclude, const char *text)
{
    return (include == NULL || include[0] == NULL || any_matches(include, text)) &&
           (exclude == NULL || !any_matches(exclude, text));
}

int hf_source_names_copy(struct hf_source_names *names, const char *const *from)
{
    size_t n = 0;

    while (from[n] != NULL)
        n++;
    *names = (struct hf_source_names){.names = calloc(n + 1, sizeof(*names->names))};
    for (; names->names != NULL && names->n < n; names->n++)
        if ((names->names[names->n] = strdup(from[names->n])) == NULL)
            break;
    if (names->names != NULL && names->n == n)
        return 0;
    hf_source_names_done(names);
    return -ENOMEM;
}

void hf_source_names_done(struct hf_source_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->names[i]);
    free(names->names);
    *names = (struct hf_source_names){.names = NULL};
}

/* ---- addresses --------------------------------------------------------------------------------------------------- */

bool hf_source_is_own_url(const char *url)
{
    struct hf_view host = hf_host_of_url(url);
    bool brackets = host.n >= 2 && host.p[0] == '[';
    char text[INET6_ADDRSTRLEN];
    struct in_addr v4;
    struct in6_addr v6;

    if (brackets)
        host = (struct hf_view){host.p + 1, host.n - 2};
    if (host.n == 0 || host.n >= sizeof(text))
        return false;
    for (size_t i = 0; i < host.n; i++)
        text[i] = (char)tolower((unsigned char)host.p[i]);
    text[host.n] = '\0';
    if (brackets != (strchr(text, ':') != NULL))
        return false;
    return hf_host_is_loopback(hf_view_of(text)) ||
           (inet_pton(AF_INET, text, &v4) == 1 && hf_own_address_is(AF_INET, &v4) > 0) ||
           (inet_pton(AF_INET6, text, &v6) == 1 && hf_own_address_is(AF_INET6, &v6) > 0);
}
