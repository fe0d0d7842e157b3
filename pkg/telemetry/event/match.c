/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/event/match.h"

static bool same(struct hf_view a, struct hf_view b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Matches one byte against the element at *glob (a set, '?' or a literal byte), and moves *glob behind that element. */
static bool same_byte(const char **glob, char c)
{
    const char element = *(*glob)++, *p = *glob;

    if (element != '[')
        return element == '?' || element == c;
    bool wanted = *p != '!', in_set = false;
    p += !wanted;
    const char *end = *p != '\0' ? strchr(p + 1, ']') : NULL; /* a ']' at the start is in the set */
    if (end == NULL)
        return element == c;
    *glob = end + 1;
    for (; p < end; p++) {
        const char *last = p[1] == '-' && p + 2 < end ? p + 2 : p;
        in_set |= (unsigned char)c >= (unsigned char)*p && (unsigned char)c <= (unsigned char)*last;
        p = last;
    }
    return in_set == wanted;
}

/* Greedy, with one place to return to: the last '*'. An earlier '*' never has to match more. */
bool hf_match_glob(const char *glob, struct hf_view text)
{
    const char *star = NULL;
    size_t i = 0, from = 0;

    while (i < text.n) {
        if (*glob == '*') {
            star = ++glob;
            from = i;
        } else if (*glob != '\0' && same_byte(&glob, text.p[i])) {
            i++;
        } else if (star != NULL) {
            glob = star;
            i = ++from;
        } else {
            return false;
        }
    }
    while (*glob == '*')
        glob++;
    return *glob == '\0';
}

const struct hf_view *hf_event_attribute(const struct hf_event *event, struct hf_view name)
{
    for (size_t i = 0; i < event->n_attributes; i++)
        if (same(event->attributes[i].name, name))
            return &event->attributes[i].value;
    return NULL;
}

static bool has_attributes(json_t *wanted, const struct hf_event *event)
{
    const char *key;
    json_t *value;

    json_object_foreach(wanted, key, value) {
        const struct hf_view *found = hf_event_attribute(event, hf_view_of(key));
        if (found == NULL || !same(*found, (struct hf_view){json_string_value(value), json_string_length(value)}))
            return false;
    }
    return true;
}

static bool contains(struct hf_view body, const char *text)
{
    return body.n > 0 && memmem(body.p, body.n, text, strlen(text)) != NULL;
}

bool hf_match(const struct hf_event_match *match, const struct hf_event *event)
{
    enum hf_severity severity = event->severity != 0 ? event->severity : HF_SEVERITY_INFO;

    return (match->min_severity == 0 || severity >= match->min_severity) &&
           (match->max_severity == 0 || severity <= match->max_severity) &&
           (match->source == NULL || hf_match_glob(match->source, event->source)) &&
           (match->name == NULL || hf_match_glob(match->name, event->name)) &&
           (match->attributes == NULL || has_attributes(match->attributes, event)) &&
           (match->contains == NULL || contains(event->body, match->contains));
}
