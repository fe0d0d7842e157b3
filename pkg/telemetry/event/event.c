/* SPDX-License-Identifier: Apache-2.0 */
/* The line is written behind out->n, which moves only when the whole line is there: giving up needs no cleanup. Room
 * is made once from an estimate of all texts, and checked for each piece, so the usual event takes one allocation or
 * none. Text without odd characters is copied in runs; only a quote, a backslash, a control character or invalid
 * UTF-8 is looked at alone.
 *
 * A line:
 *
 *     {"id":..,"time":"2026-11-20T11:16:38.123456789Z","node":..,"source":..,
 *      "kind":"log|payload|metric|finding","severity":"warning","severityNumber":14 (only if the number has no name),
 *      "origin":..,"originSequence":N,"peerUid":N,"peerUnit":..,"key":..,"boundary":..,"anomaly":true,"name":..,
 *      "type":"gauge|counter|histogram","value":1.5,"valueText":"NaN|+Inf|-Inf","windowNs":N,
 *      "histogram":{..} (gauges: "summary"),"attributes":{..},
 *      "body":"text","truncated":true   or   "checksum":"hex","sensorData":<JSON value>,"sensorDataBreaks":[12,-40]}
 *
 * Fields are in this order, without absent ones. A text's body gets U+FFFD in place of invalid UTF-8; it is cut at
 * HF_EVENT_MAX_BODY, and so that quote, "truncated" and brace still fit HF_EVENT_MAX_TEXT, between two characters. The
 * body of a payload, "sensorData" (empty: null), stays byte for byte as it was hashed, but for line breaks between
 * tokens: they become blanks, and "sensorDataBreaks" lists them (LF at 12, CR at 40), for hf_event_parse() to restore
 * the bytes. A value that is not finite becomes null, with "valueText". */
#include "telemetry/event/event.h"

#include <errno.h>
#include <math.h>

#include "base/encoding/hex.h"
#include "base/encoding/utf8.h"
#include "codec/scan.h"
#include "telemetry/event/number.h"

/* ---- an encoder that checks its room once per piece
 * ------------------------------------------------------------------ */

/* Writes behind out->n, which moves only at the end, so giving up needs no cleanup. */
struct event_encoder {
    struct hf_buf *out;
    char *p, *end;
    int r;
};

static size_t written(const struct event_encoder *w)
{
    return (size_t)(w->p - (w->out->p + w->out->n));
}

static __attribute__((noinline, cold)) bool grow(struct event_encoder *w, size_t more)
{
    size_t start = w->out->n, used = w->p != NULL ? written(w) : 0;
    int r = used + more > HF_EVENT_MAX_TEXT ? -E2BIG : 0;

    if (w->r < 0)
        return false;
    if (r == 0) {
        w->out->n += used; /* so that hf_buf_reserve() keeps the written bytes */
        r = hf_buf_reserve(w->out, more);
        w->out->n = start;
    }
    if (r < 0) {
        w->r = r;
        return false;
    }
    w->p = w->out->p + start + used;
    w->end = w->out->p + w->out->cap - 1;
    return true;
}

static inline bool room(struct event_encoder *w, size_t n)
{
    return (size_t)(w->end - w->p) >= n || grow(w, n);
}

static inline void put_bytes(struct event_encoder *w, const char *bytes, size_t n)
{
    if (n == 0 || !room(w, n))
        return;
    memcpy(w->p, bytes, n);
    w->p += n;
}
#define PUT(w, literal) put_bytes((w), (literal), sizeof(literal) - 1)

/* Writes the JSON form of one byte or character that needs care; returns its length in the text. */
static size_t put_odd(struct event_encoder *w, const char *p, size_t n)
{
    static const char escapes[] = "btn\0fr";
    unsigned char c = (unsigned char)*p;
    size_t step = hf_utf8_length(p, n);

    if (step != 1) { /* a character of several bytes, or invalid UTF-8 */
        put_bytes(w, step > 0 ? p : "\xef\xbf\xbd", step > 0 ? step : 3);
        return step > 0 ? step : 1;
    }
    if (c == '"' || c == '\\') {
        put_bytes(w, (const char[]){'\\', (char)c}, 2);
    } else if (c >= '\b' && c <= '\r' && c != '\v') {
        put_bytes(w, (const char[]){'\\', escapes[c - '\b']}, 2);
    } else if (c >= 0x20) {
        put_bytes(w, p, 1);
    } else {
        put_bytes(w, (const char[]){'\\', 'u', '0', '0', hf_hex_digits[c >> 4], hf_hex_digits[c & 15]}, 6);
    }
    return 1;
}

/* Writes the inside of a string, at most `budget` bytes of it (and one character). Returns the number of bytes of
 * `text` used. */
static size_t put_inside(struct event_encoder *w, struct hf_view text, size_t budget)
{
    size_t i = 0, before = written(w);

    while (i < text.n) {
        size_t used = written(w) - before;
        if (used >= budget)
            break;
        size_t run = hf_scan_plain(text.p + i, HF_MIN(text.n - i, budget - used));
        put_bytes(w, text.p + i, run);
        i += run;
        if (i < text.n && written(w) - before < budget)
            i += put_odd(w, text.p + i, text.n - i);
        if (w->r < 0)
            break;
    }
    return i;
}

static void put_string(struct event_encoder *w, struct hf_view text)
{
    PUT(w, "\"");
    if (hf_scan_plain(text.p, text.n) == text.n)
        put_bytes(w, text.p, text.n);
    else
        (void)put_inside(w, text, SIZE_MAX);
    PUT(w, "\"");
}

/* ---- numbers and times ------------------------------------------------------------------------------------------- */

static void put_u64(struct event_encoder *w, uint64_t value)
{
    char text[HF_NUMBER_TEXT];

    put_bytes(w, text, hf_number_u64(value, text));
}

/* ,"value":1 or ,"value":null,"valueText":"NaN" */
static void put_value(struct event_encoder *w, double value)
{
    char text[HF_NUMBER_TEXT];

    PUT(w, ",\"value\":");
    if (isfinite(value))
        put_bytes(w, text, hf_number_double(value, text));
    else if (isnan(value))
        PUT(w, "null,\"valueText\":\"NaN\"");
    else if (value > 0)
        PUT(w, "null,\"valueText\":\"+Inf\"");
    else
        PUT(w, "null,\"valueText\":\"-Inf\"");
}

/* Year, month and day from days since 1970 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": years begin
 * in March). */
static void civil_of(unsigned days, unsigned *ret_year, unsigned *ret_month, unsigned *ret_day)
{
    unsigned z = days + 719468, era = z / 146097, of_era = z - era * 146097;
    unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year + year / 4 - year / 100), shifted = (5 * of_year + 2) / 153;

    *ret_day = of_year - (153 * shifted + 2) / 5 + 1;
    *ret_month = shifted < 10 ? shifted + 3 : shifted - 9;
    *ret_year = year + era * 400 + (*ret_month <= 2);
}

static void put_two(char *at, unsigned value)
{
    at[0] = (char)('0' + value / 10);
    at[1] = (char)('0' + value % 10);
}

static void put_time(struct event_encoder *w, uint64_t unix_ns)
{
    char text[] = "yyyy-mm-ddThh:mm:ss.fffffffffZ";
    uint64_t seconds = unix_ns / HF_NS_PER_S;
    unsigned fraction = (unsigned)(unix_ns - seconds * HF_NS_PER_S), days = (unsigned)(seconds / 86400);
    unsigned of_day = (unsigned)(seconds - days * 86400ull), year, month, day;

    civil_of(days, &year, &month, &day);
    put_two(text, year / 100);
    put_two(text + 2, year % 100);
    put_two(text + 5, month);
    put_two(text + 8, day);
    put_two(text + 11, of_day / 3600);
    put_two(text + 14, of_day / 60 % 60);
    put_two(text + 17, of_day % 60);
    for (size_t i = 0; i < 4; i++, fraction /= 100)
        put_two(text + 27 - 2 * i, fraction % 100);
    text[20] = (char)('0' + fraction);
    put_bytes(w, text, sizeof(text) - 1);
}

/* ---- the object -------------------------------------------------------------------------------------------------- */

/* The process that posted the event. */
static void put_peer(struct event_encoder *w, const struct hf_event *event)
{
    if (event->peer_uid.n > 0) {
        PUT(w, ",\"peerUid\":");
        put_bytes(w, event->peer_uid.p, event->peer_uid.n);
    }
    if (event->peer_unit.n > 0) {
        PUT(w, ",\"peerUnit\":");
        put_string(w, event->peer_unit);
    }
}

static void put_origin(struct event_encoder *w, const struct hf_event *event)
{
    if (event->origin.n > 0) {
        PUT(w, ",\"origin\":");
        put_string(w, event->origin);
    }
    if (event->origin_sequence > 0) {
        PUT(w, ",\"originSequence\":");
        put_u64(w, event->origin_sequence);
    }
    put_peer(w, event);
    if (event->key.n > 0) {
        PUT(w, ",\"key\":");
        put_string(w, event->key);
    }
    if (event->boundary.n > 0) {
        PUT(w, ",\"boundary\":");
        put_string(w, event->boundary);
    }
    if (event->anomaly)
        PUT(w, ",\"anomaly\":true");
}

static void put_metric(struct event_encoder *w, const struct hf_event *event)
{
    if (event->name.n > 0) {
        PUT(w, ",\"name\":");
        put_string(w, event->name);
    }
    if (event->value_kind != HF_VALUE_NONE) {
        const char *type = hf_event_value_kind_name(event->value_kind);
        PUT(w, ",\"type\":\"");
        put_bytes(w, type, strlen(type));
        PUT(w, "\"");
        put_value(w, event->value);
    }
    if (event->window_ns > 0) {
        PUT(w, ",\"windowNs\":");
        put_u64(w, event->window_ns);
    }
    if (event->histogram.n > 0) {
        if (event->value_kind == HF_VALUE_HISTOGRAM)
            PUT(w, ",\"histogram\":");
        else
            PUT(w, ",\"summary\":");
        put_bytes(w, event->histogram.p, event->histogram.n);
    }
}

static void put_attributes(struct event_encoder *w, const struct hf_event *event)
{
    for (size_t i = 0; i < event->n_attributes; i++) {
        if (hf_event_repeats_attribute(event, i))
            continue;
        if (i == 0)
            PUT(w, ",\"attributes\":{");
        else
            PUT(w, ",");
        put_string(w, event->attributes[i].name);
        PUT(w, ":");
        put_string(w, event->attributes[i].value);
    }
    if (event->n_attributes > 0)
        PUT(w, "}");
}

static size_t whole_characters(struct hf_view text, size_t n)
{
    if (n >= text.n)
        return text.n;
    for (size_t back = 0; back < 4 && n > back; back++)
        if (((unsigned char)text.p[n - back] & 0xc0) != 0x80)
            return n - back;
    return n;
}

static void put_body(struct event_encoder *w, const struct hf_event *event)
{
    enum { BEHIND = 32 }; /* quote, "truncated", brace, and one escape beyond the budget */
    size_t used, budget, kept = whole_characters(event->body, HF_EVENT_MAX_BODY);

    PUT(w, ",\"body\":\"");
    used = written(w);
    budget = used + BEHIND < HF_EVENT_MAX_TEXT ? HF_EVENT_MAX_TEXT - BEHIND - used : 0;
    if (budget < kept) /* do not cut a character */
        kept = whole_characters(event->body, budget);
    kept = put_inside(w, (struct hf_view){event->body.p, kept}, budget);
    PUT(w, "\"");
    if (event->truncated || kept < event->body.n)
        PUT(w, ",\"truncated\":true");
}

static void put_breaks(struct event_encoder *w, struct hf_view body, char *copy)
{
    const char *separator = ",\"sensorDataBreaks\":[";

    for (size_t i = 0; i < body.n; i++) {
        if (body.p[i] != '\n' && body.p[i] != '\r')
            continue;
        if (copy != NULL) {
            copy[i] = ' ';
            continue;
        }
        put_bytes(w, separator, strlen(separator));
        if (body.p[i] == '\r')
            PUT(w, "-");
        put_u64(w, i);
        separator = ",";
    }
    if (copy == NULL)
        PUT(w, "]");
}

static void put_payload(struct event_encoder *w, const struct hf_event *event)
{
    struct hf_view body = event->body;
    bool breaks = body.n > 0 && (memchr(body.p, '\n', body.n) != NULL || memchr(body.p, '\r', body.n) != NULL);

    if (event->checksum.n > 0) {
        PUT(w, ",\"checksum\":");
        put_string(w, event->checksum);
    }
    PUT(w, ",\"sensorData\":");
    if (body.n == 0)
        PUT(w, "null");
    put_bytes(w, body.p, body.n);
    if (breaks && w->r == 0) {
        put_breaks(w, body, w->p - body.n);
        put_breaks(w, body, NULL);
    }
}

static size_t estimate(const struct hf_event *event)
{
    size_t n = 480 + event->id.n + event->source.n + event->origin.n + event->key.n + event->body.n +
               event->checksum.n + event->boundary.n + event->name.n + event->histogram.n + event->peer_unit.n;

    for (size_t i = 0; i < event->n_attributes; i++)
        n += 6 + event->attributes[i].name.n + event->attributes[i].value.n;
    return HF_MIN(n, (size_t)HF_EVENT_MAX_TEXT);
}

static void put_event(struct event_encoder *w, const struct hf_event *event, const char *node)
{
    enum hf_severity severity = event->severity != 0 ? event->severity : HF_SEVERITY_INFO, named;
    const char *kind = hf_event_kind_name(event->kind), *name = hf_severity_name(severity);

    PUT(w, "{");
    if (event->id.n > 0) {
        PUT(w, "\"id\":");
        put_string(w, event->id);
        PUT(w, ",");
    }
    PUT(w, "\"time\":\"");
    put_time(w, event->unix_ns);
    PUT(w, "\"");
    if (node != NULL && node[0] != '\0') {
        PUT(w, ",\"node\":");
        put_string(w, hf_view_of(node));
    }
    if (event->source.n > 0) {
        PUT(w, ",\"source\":");
        put_string(w, event->source);
    }
    PUT(w, ",\"kind\":\"");
    put_bytes(w, kind, strlen(kind));
    PUT(w, "\",\"severity\":\"");
    put_bytes(w, name, strlen(name));
    PUT(w, "\"");
    named = hf_severity_floor(severity);
    if (named != severity) {
        PUT(w, ",\"severityNumber\":");
        put_u64(w, (uint64_t)severity);
    }
    put_origin(w, event);
    put_metric(w, event);
    put_attributes(w, event);
    if (event->kind == HF_EVENT_PAYLOAD)
        put_payload(w, event);
    else if (event->kind != HF_EVENT_METRIC || event->body.n > 0)
        put_body(w, event);
    PUT(w, "}");
}

int hf_event_format(const struct hf_event *event, const char *node, struct hf_buf *out)
{
    struct event_encoder w = {.out = out};

    if (event->kind == HF_EVENT_PAYLOAD && event->body.n > HF_EVENT_MAX_BODY)
        return -E2BIG;
    if (grow(&w, estimate(event)))
        put_event(&w, event, node);
    if (w.r == 0 && written(&w) > HF_EVENT_MAX_TEXT)
        w.r = -E2BIG;
    if (w.r == 0)
        out->n += written(&w);
    if (out->p != NULL)
        out->p[out->n] = '\0';
    return w.r;
}
