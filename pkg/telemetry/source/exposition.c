/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/source/exposition.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "codec/scan.h"

enum { MAX_NUMBER = 64 };

static bool is_name(struct hf_view name, bool colon)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c == ':' && colon) ||
              (i > 0 && c >= '0' && c <= '9')))
            return false;
    }
    return name.n > 0;
}

static void skip_blanks(struct hf_view *rest)
{
    while (rest->n > 0 && (*rest->p == ' ' || *rest->p == '\t')) {
        rest->p++;
        rest->n--;
    }
}

static struct hf_view take_word(struct hf_view *rest, const char *ends)
{
    size_t n = 0;

    while (n < rest->n && strchr(ends, rest->p[n]) == NULL)
        n++;
    const struct hf_view word = {rest->p, n};
    *rest = (struct hf_view){rest->p + n, rest->n - n};
    return word;
}

static bool take_char(struct hf_view *rest, char c)
{
    skip_blanks(rest);
    if (rest->n == 0 || *rest->p != c)
        return false;
    rest->p++;
    rest->n--;
    return true;
}

static bool to_number(struct hf_view text, double *ret)
{
    char copy[MAX_NUMBER], *end;

    if (text.n == 0 || text.n >= sizeof(copy))
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    *ret = strtod(copy, &end);
    return *end == '\0';
}

/* The escapes are "\\", "\"" and "\n". */
static bool take_value(struct hf_view *rest, struct hf_buf *scratch, struct hf_view *ret)
{
    size_t begin = scratch->n, n = 0;
    bool escaped = false;

    if (!take_char(rest, '"'))
        return false;
    while (n < rest->n && rest->p[n] != '"') {
        escaped |= rest->p[n] == '\\';
        n += rest->p[n] == '\\' ? 2 : 1;
    }
    if (n >= rest->n)
        return false;
    *ret = (struct hf_view){rest->p, n};
    for (size_t i = 0; escaped && i < n; i++) {
        char c = rest->p[i];
        if (c == '\\')
            c = rest->p[++i] == 'n' ? '\n' : rest->p[i];
        if (hf_buf_add(scratch, &c, 1) < 0)
            return false;
    }
    if (escaped)
        *ret = (struct hf_view){scratch->p + begin, scratch->n - begin};
    *rest = (struct hf_view){rest->p + n + 1, rest->n - n - 1};
    return true;
}

/* *ret_n counts also the labels for which the event has no room. */
static bool take_labels(struct hf_view *rest, struct hf_event *event, struct hf_buf *scratch, size_t *ret_n)
{
    for (*ret_n = 0; !take_char(rest, '}'); ++*ret_n) {
        struct hf_attribute attribute;
        skip_blanks(rest);
        attribute.name = take_word(rest, "= \t}");
        if (!is_name(attribute.name, false) || !take_char(rest, '=') || !take_value(rest, scratch, &attribute.value))
            return false;
        if (event->n_attributes < HF_EVENT_MAX_ATTRIBUTES)
            event->attributes[event->n_attributes++] = attribute;
        skip_blanks(rest);
        if (!take_char(rest, ',') && (rest->n == 0 || *rest->p != '}'))
            return false;
    }
    return true;
}

static void take_type(struct hf_exposition *text, struct hf_view line)
{
    struct hf_view name, type;

    line.p++;
    line.n--;
    skip_blanks(&line);
    if (!hf_view_eq(take_word(&line, " \t"), "TYPE"))
        return;
    skip_blanks(&line);
    name = take_word(&line, " \t");
    skip_blanks(&line);
    type = take_word(&line, " \t");
    text->type.name = name;
    text->type.kind = hf_view_eq(type, "counter") || hf_view_eq(type, "histogram") || hf_view_eq(type, "summary")
                          ? HF_VALUE_COUNTER
                          : HF_VALUE_GAUGE;
}

/* True if the "# TYPE" line of the family `type` is about the sample `name`: its own name, or one of the suffixes that
 * the samples of a family have. */
static bool is_of_family(struct hf_view name, struct hf_view type)
{
    static const char *const suffixes[] = {"", "_bucket", "_sum", "_count", "_total"};

    if (type.n == 0 || name.n < type.n || memcmp(name.p, type.p, type.n) != 0)
        return false;
    name.p += type.n;
    name.n -= type.n;
    for (size_t i = 0; i < HF_LEN(suffixes); i++)
        if (hf_view_eq(name, suffixes[i]))
            return true;
    return false;
}

static bool ends_with(struct hf_view text, const char *end)
{
    size_t n = strlen(end);

    return text.n > n && memcmp(text.p + text.n - n, end, n) == 0;
}

/* Sum, count and buckets of a histogram only grow; a summary's quantiles are gauges. */
static enum hf_value_kind kind_of(const struct hf_exposition *text, const struct hf_event *event)
{
    struct hf_view type = text->type.name, name = event->name;

    if (!is_of_family(name, type))
        return ends_with(name, "_total") ? HF_VALUE_COUNTER : HF_VALUE_GAUGE;
    for (size_t i = 0; i < event->n_attributes && name.n == type.n; i++)
        if (hf_view_eq(event->attributes[i].name, "quantile"))
            return HF_VALUE_GAUGE;
    return text->type.kind;
}

/* Milliseconds, or seconds in OpenMetrics. */
static bool take_stamp(const struct hf_exposition *text, struct hf_view word, uint64_t *ret_unix_ns)
{
    double stamp;

    if (!to_number(word, &stamp))
        return false;
    stamp *= text->openmetrics ? 1000.0 : 1.0;
    if (!(stamp >= 0 && stamp < 9e12))
        return false;
    *ret_unix_ns = (uint64_t)stamp * HF_NS_PER_MS;
    return true;
}

/* Returns HF_SKIPS if the line is a sample, or why it is none. */
static enum hf_exposition_skip take_sample(const struct hf_exposition *text, struct hf_view line,
                                           struct hf_event *event, struct hf_buf *scratch)
{
    size_t n_labels = 0;

    hf_buf_clear(scratch);
    if (memchr(line.p, '\\', line.n) != NULL && hf_buf_reserve(scratch, line.n) < 0)
        return HF_SKIP_LINE; /* it must not move while views point into it */
    event->n_attributes = 0;
    event->name = take_word(&line, "{ \t");
    if (!is_name(event->name, true) || (take_char(&line, '{') && !take_labels(&line, event, scratch, &n_labels)))
        return HF_SKIP_LINE;
    skip_blanks(&line);
    if (!to_number(take_word(&line, " \t"), &event->value))
        return HF_SKIP_LINE;
    skip_blanks(&line);
    event->unix_ns = text->unix_ns;
    if (line.n > 0 && *line.p != '#' && !take_stamp(text, take_word(&line, " \t"), &event->unix_ns))
        return HF_SKIP_LINE;
    skip_blanks(&line);
    if (line.n > 0 && *line.p != '#')
        return HF_SKIP_LINE;
    if (n_labels > HF_EVENT_MAX_ATTRIBUTES)
        return HF_SKIP_LABELS;
    if (isnan(event->value))
        return HF_SKIP_NAN;
    event->kind = HF_EVENT_METRIC;
    event->value_kind = kind_of(text, event);
    return HF_SKIPS;
}

bool hf_exposition_is_openmetrics(struct hf_view text, const char *content_type)
{
    static const char type[] = "application/openmetrics-text", end[] = "# EOF";
    struct hf_view trimmed = hf_view_trim(text);

    return strncasecmp(content_type, type, sizeof(type) - 1) == 0 ||
           (trimmed.n >= sizeof(end) - 1 &&
            memcmp(trimmed.p + trimmed.n - (sizeof(end) - 1), end, sizeof(end) - 1) == 0);
}

int hf_exposition_next(struct hf_exposition *text, struct hf_event *event, struct hf_buf *scratch)
{
    struct hf_view line;

    while (hf_view_split(&text->rest, '\n', &line)) {
        size_t mark = hf_scan_mark_bytes(line); /* of the text, or of one that an exporter has appended to another */
        line = hf_view_trim((struct hf_view){line.p + mark, line.n - mark});
        if (line.n == 0)
            continue;
        if (line.p[0] == '#') {
            take_type(text, line);
            continue;
        }
        enum hf_exposition_skip skip = take_sample(text, line, event, scratch);
        if (skip == HF_SKIPS)
            return 1;
        text->skipped[skip]++;
    }
    return 0;
}
