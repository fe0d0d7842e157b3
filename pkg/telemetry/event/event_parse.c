/* SPDX-License-Identifier: Apache-2.0 */
/* Decodes the lines of hf_event_format() in one pass: no tree, no allocation beyond the scratch. */
#include <errno.h>
#include <math.h>

#include "codec/scan.h"
#include "telemetry/event/event.h"

static const char *const source_classes[HF_SOURCE_CLASSES] = {
    [HF_SOURCE_NONE] = "",
#define NAME(class, number, create, name, ...) [HF_SOURCE_##class] = (name),
    HF_TELEMETRY_SOURCES(NAME)
#undef NAME
        [HF_SOURCE_AGENT] = "agent",
};
static const char *const event_kinds[HF_EVENT_KINDS] = {[HF_EVENT_LOG] = "log",
                                                        [HF_EVENT_PAYLOAD] = "payload",
                                                        [HF_EVENT_METRIC] = "metric",
                                                        [HF_EVENT_FINDING] = "finding"};
static const char *const value_kinds[HF_VALUE_KINDS] = {[HF_VALUE_NONE] = "",
                                                        [HF_VALUE_GAUGE] = "gauge",
                                                        [HF_VALUE_COUNTER] = "counter",
                                                        [HF_VALUE_HISTOGRAM] = "histogram"};

/* Returns the first word for numbers out of range, so that a number from outside is never an index. */
static const char *word_of(const char *const *words, size_t n, unsigned i)
{
    return words[i < n ? i : 0];
}

const char *hf_event_class_name(enum hf_source_class source_class)
{
    return word_of(source_classes, HF_LEN(source_classes), (unsigned)source_class);
}

const char *hf_event_kind_name(enum hf_event_kind kind)
{
    return word_of(event_kinds, HF_LEN(event_kinds), (unsigned)kind);
}

const char *hf_event_value_kind_name(enum hf_value_kind kind)
{
    return word_of(value_kinds, HF_LEN(value_kinds), (unsigned)kind);
}

enum hf_source_class hf_event_class_of(struct hf_view source)
{
    const char *colon = source.n > 0 ? memchr(source.p, ':', source.n) : NULL;

    if (colon != NULL)
        source.n = (size_t)(colon - source.p);
    for (unsigned i = HF_SOURCE_HTTP; i < HF_SOURCE_CLASSES; i++)
        if (hf_view_eq(source, source_classes[i]))
            return (enum hf_source_class)i;
    return HF_SOURCE_HTTP;
}

uint64_t hf_event_owner_of_uid(struct hf_view peer_uid)
{
    uint64_t uid = 0;

    for (size_t i = 0; i < peer_uid.n; i++)
        uid = uid * 10 + (uint64_t)(peer_uid.p[i] - '0');
    return peer_uid.n > 0 ? HF_OWNER_UID + uid : HF_OWNER_UNKNOWN;
}

uint64_t hf_event_owner(const struct hf_event *event)
{
    return event->source_class == HF_SOURCE_HTTP ? hf_event_owner_of_uid(event->peer_uid) : HF_OWNER_AGENT;
}

struct event_decoder {
    struct hf_scan scan;
    struct hf_view text;
    struct hf_event *event;
    struct hf_view node, value_text, breaks;
    struct hf_buf *scratch;
    bool has_time, has_kind, has_body, has_sensor_data;
    bool foreign; /* the line has an unknown field */
    int r;        /* an error other than -EBADMSG */
};

/* ---- pieces ------------------------------------------------------------------------------------------------------ */

/* Reserves room for all decoded text at the first call, so that earlier views into it stay valid. */
static char *claim(struct event_decoder *decoder, size_t n)
{
    if (decoder->scratch->n == 0 && (decoder->r = hf_buf_reserve(decoder->scratch, decoder->text.n)) < 0)
        return NULL;
    char *at = decoder->scratch->p + decoder->scratch->n;
    decoder->scratch->n += n;
    return at;
}

static bool take_text(struct event_decoder *decoder, struct hf_view *ret)
{
    struct hf_view inside;
    bool escaped;

    if (hf_scan_text(&decoder->scan, &inside, &escaped) < 0)
        return false;
    if (escaped) {
        char *copy = claim(decoder, inside.n);
        if (copy == NULL)
            return false;
        size_t n = hf_scan_unescape(inside, copy);
        decoder->scratch->n -= inside.n - n;
        inside = (struct hf_view){copy, n};
    }
    *ret = inside;
    return true;
}

static bool take_word(struct event_decoder *decoder, const char *const *words, size_t n, unsigned *ret)
{
    struct hf_view text;

    if (!take_text(decoder, &text))
        return false;
    for (unsigned i = 0; i < n; i++)
        if (hf_view_eq(text, words[i])) {
            *ret = i;
            return true;
        }
    return false;
}

static bool take_u64(struct event_decoder *decoder, uint64_t *ret)
{
    struct hf_view text;

    return hf_scan_raw(&decoder->scan, &text) == 0 && hf_scan_u64(text, ret);
}

static bool take_true(struct event_decoder *decoder, bool *ret)
{
    struct hf_view text;

    if (hf_scan_raw(&decoder->scan, &text) < 0 || (!hf_view_eq(text, "true") && !hf_view_eq(text, "false")))
        return false;
    *ret = text.n == 4;
    return true;
}

/* Takes an object (first '{') or a list (first '[') as text. */
static bool take_raw(struct event_decoder *decoder, char first, struct hf_view *ret)
{
    return hf_scan_raw(&decoder->scan, ret) == 0 && ret->p[0] == first;
}

static bool digits(const char *p, size_t n, unsigned *ret)
{
    unsigned value = 0;

    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        value = value * 10 + (unsigned)(p[i] - '0');
    }
    *ret = value;
    return true;
}

/* Days since 1970 (Hinnant, as in event.c). */
static unsigned days_of(unsigned year, unsigned month, unsigned day)
{
    unsigned y = year - (month <= 2), era = y / 400, of_era = y - era * 400;
    unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* Parses yyyy-mm-ddThh:mm:ss[.f]Z with one to nine digits of fraction, years 1970 to 2553. */
static bool parse_time(struct hf_view text, uint64_t *ret)
{
    static const unsigned char lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned year, month, day, hour, minute, second, fraction = 0;
    const char *p = text.p;

    if (text.n < 20 || text.n > 30 || p[4] != '-' || p[7] != '-' || p[10] != 'T' || p[13] != ':' || p[16] != ':' ||
        p[text.n - 1] != 'Z' || !digits(p, 4, &year) || !digits(p + 5, 2, &month) || !digits(p + 8, 2, &day) ||
        !digits(p + 11, 2, &hour) || !digits(p + 14, 2, &minute) || !digits(p + 17, 2, &second))
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (year < 1970 || year > 2553 || month < 1 || month > 12 || day < 1 ||
        day > lengths[month - 1] + (month == 2 && leap ? 1u : 0u) || hour > 23 || minute > 59 || second > 59)
        return false;
    if (text.n > 20) {
        size_t n = text.n - 21;
        if (p[19] != '.' || n < 1 || !digits(p + 20, n, &fraction))
            return false;
        for (; n < 9; n++)
            fraction *= 10;
    }
    uint64_t seconds = (uint64_t)days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    *ret = seconds * HF_NS_PER_S + fraction;
    return true;
}

/* ---- fields ------------------------------------------------------------------------------------------------------ */

static bool take_time(struct event_decoder *decoder)
{
    struct hf_view text;

    decoder->has_time = take_text(decoder, &text) && parse_time(text, &decoder->event->unix_ns);
    return decoder->has_time;
}

static bool take_node(struct event_decoder *decoder)
{
    return take_text(decoder, &decoder->node);
}

static bool take_kind(struct event_decoder *decoder)
{
    unsigned kind;

    if (!take_word(decoder, event_kinds, HF_EVENT_KINDS, &kind))
        return false;
    decoder->event->kind = (enum hf_event_kind)kind;
    decoder->has_kind = true;
    return true;
}

static bool take_severity(struct event_decoder *decoder)
{
    struct hf_view text;

    return take_text(decoder, &text) && hf_severity_parse(text.p, text.n, &decoder->event->severity);
}

static bool take_severity_number(struct event_decoder *decoder)
{
    uint64_t number;

    if (!take_u64(decoder, &number) || number < 1 || number > 24)
        return false;
    decoder->event->severity = (enum hf_severity)number;
    return true;
}

static bool take_origin_sequence(struct event_decoder *decoder)
{
    return take_u64(decoder, &decoder->event->origin_sequence);
}

/* The digits of a user id. */
static bool take_peer_uid(struct event_decoder *decoder)
{
    struct hf_view text;
    uint64_t uid;

    if (hf_scan_raw(&decoder->scan, &text) < 0 || !hf_scan_u64(text, &uid) || uid > UINT32_MAX)
        return false;
    decoder->event->peer_uid = text;
    return true;
}

static bool take_window(struct event_decoder *decoder)
{
    return take_u64(decoder, &decoder->event->window_ns);
}

static bool take_anomaly(struct event_decoder *decoder)
{
    return take_true(decoder, &decoder->event->anomaly);
}

static bool take_truncated(struct event_decoder *decoder)
{
    return take_true(decoder, &decoder->event->truncated);
}

static bool take_type(struct event_decoder *decoder)
{
    unsigned kind;

    if (!take_word(decoder, value_kinds, HF_VALUE_KINDS, &kind))
        return false;
    decoder->event->value_kind = (enum hf_value_kind)kind;
    return true;
}

static bool take_value(struct event_decoder *decoder)
{
    struct hf_view text;

    if (hf_scan_raw(&decoder->scan, &text) < 0)
        return false;
    if (hf_view_eq(text, "null")) {
        decoder->event->value = NAN;
        return true;
    }
    if (text.p[0] != '-' && (text.p[0] < '0' || text.p[0] > '9'))
        return false;
    decoder->event->value = hf_scan_double(text);
    return isfinite(decoder->event->value);
}

static bool take_value_text(struct event_decoder *decoder)
{
    return take_text(decoder, &decoder->value_text) &&
           (hf_view_eq(decoder->value_text, "NaN") || hf_view_eq(decoder->value_text, "+Inf") ||
            hf_view_eq(decoder->value_text, "-Inf"));
}

/* hf_event_format() copies the text unchanged, so it must not hold line breaks. */
static bool take_histogram(struct event_decoder *decoder)
{
    struct hf_view *text = &decoder->event->histogram;

    return take_raw(decoder, '{', text) && memchr(text->p, '\n', text->n) == NULL &&
           memchr(text->p, '\r', text->n) == NULL;
}

static bool take_attributes(struct event_decoder *decoder)
{
    struct hf_event *event = decoder->event;

    if (!hf_scan_char(&decoder->scan, '{'))
        return false;
    if (hf_scan_char(&decoder->scan, '}'))
        return true;
    do {
        if (event->n_attributes == HF_EVENT_MAX_ATTRIBUTES)
            return false;
        struct hf_attribute *attribute = &event->attributes[event->n_attributes++];
        if (!take_text(decoder, &attribute->name) || !hf_scan_char(&decoder->scan, ':') ||
            !take_text(decoder, &attribute->value) || hf_event_repeats_attribute(event, event->n_attributes - 1))
            return false;
    } while (hf_scan_char(&decoder->scan, ','));
    return hf_scan_char(&decoder->scan, '}');
}

static bool take_body(struct event_decoder *decoder)
{
    decoder->has_body = true;
    return take_text(decoder, &decoder->event->body);
}

static bool take_sensor_data(struct event_decoder *decoder)
{
    decoder->has_sensor_data = true;
    return hf_scan_raw(&decoder->scan, &decoder->event->body) == 0;
}

static bool take_breaks(struct event_decoder *decoder)
{
    return take_raw(decoder, '[', &decoder->breaks);
}

/* In the order of hf_event_format(), so that the next field is usually the right one. `take` NULL: text, into the view
 * at `offset`. */
static const struct field {
    const char *name;
    size_t n;
    size_t offset;
    bool (*take)(struct event_decoder *decoder);
} fields[] = {
#define FIELD(name) name, sizeof(name) - 1
    {FIELD("id"), offsetof(struct hf_event, id), NULL},
    {FIELD("time"), 0, take_time},
    {FIELD("node"), 0, take_node},
    {FIELD("source"), offsetof(struct hf_event, source), NULL},
    {FIELD("kind"), 0, take_kind},
    {FIELD("severity"), 0, take_severity},
    {FIELD("severityNumber"), 0, take_severity_number},
    {FIELD("origin"), offsetof(struct hf_event, origin), NULL},
    {FIELD("originSequence"), 0, take_origin_sequence},
    {FIELD("peerUid"), 0, take_peer_uid},
    {FIELD("peerUnit"), offsetof(struct hf_event, peer_unit), NULL},
    {FIELD("key"), offsetof(struct hf_event, key), NULL},
    {FIELD("boundary"), offsetof(struct hf_event, boundary), NULL},
    {FIELD("anomaly"), 0, take_anomaly},
    {FIELD("name"), offsetof(struct hf_event, name), NULL},
    {FIELD("type"), 0, take_type},
    {FIELD("value"), 0, take_value},
    {FIELD("valueText"), 0, take_value_text},
    {FIELD("windowNs"), 0, take_window},
    {FIELD("histogram"), 0, take_histogram},
    {FIELD("summary"), 0, take_histogram},
    {FIELD("attributes"), 0, take_attributes},
    {FIELD("body"), 0, take_body},
    {FIELD("truncated"), 0, take_truncated},
    {FIELD("checksum"), offsetof(struct hf_event, checksum), NULL},
    {FIELD("sensorData"), 0, take_sensor_data},
    {FIELD("sensorDataBreaks"), 0, take_breaks},
#undef FIELD
};

static size_t find(struct hf_view name, size_t from)
{
    for (size_t k = 0; k < HF_LEN(fields); k++) {
        size_t i = from + k < HF_LEN(fields) ? from + k : from + k - HF_LEN(fields);
        if (fields[i].n == name.n && memcmp(fields[i].name, name.p, name.n) == 0)
            return i;
    }
    return HF_LEN(fields);
}

/* A name with escapes is an unknown name. */
static bool take_field(struct event_decoder *decoder, size_t *next, uint32_t *seen)
{
    struct hf_view name;
    bool escaped;

    if (hf_scan_text(&decoder->scan, &name, &escaped) < 0 || !hf_scan_char(&decoder->scan, ':'))
        return false;
    size_t i = find(name, *next);
    if (i == HF_LEN(fields)) {
        decoder->foreign = true;
        return hf_scan_raw(&decoder->scan, NULL) == 0;
    }
    if ((*seen >> i & 1) != 0)
        return false;
    *seen |= 1u << i;
    *next = i + 1;
    if (fields[i].take != NULL)
        return fields[i].take(decoder);
    return take_text(decoder, (struct hf_view *)(void *)((char *)decoder->event + fields[i].offset));
}

/* The scan that compares all names runs only if the line has unknown ones; our own lines have none. */
static bool check_names(struct event_decoder *decoder)
{
    hf_scan_init(&decoder->scan, decoder->text);
    return hf_scan_raw(&decoder->scan, NULL) == 0;
}

static bool take_object(struct event_decoder *decoder, uint32_t *seen)
{
    size_t next = 0;

    if (!hf_scan_char(&decoder->scan, '{'))
        return false;
    do {
        if (!take_field(decoder, &next, seen))
            return false;
    } while (hf_scan_char(&decoder->scan, ','));
    return hf_scan_char(&decoder->scan, '}') && hf_scan_end(&decoder->scan) == 0 &&
           (!decoder->foreign || check_names(decoder));
}

/* ---- what hangs together ----------------------------------------------------------------------------------------- */

/* Restores the line breaks between the tokens of a payload. */
static bool restore_breaks(struct event_decoder *decoder)
{
    struct hf_view *body = &decoder->event->body, number;
    struct hf_scan scan, again;

    hf_scan_init(&scan, decoder->breaks);
    if (body->n == 0 || !hf_scan_char(&scan, '['))
        return false;
    char *copy = claim(decoder, body->n);
    if (copy == NULL)
        return false;
    memcpy(copy, body->p, body->n);
    do {
        uint64_t at;
        if (hf_scan_raw(&scan, &number) < 0)
            return false;
        bool carriage = number.p[0] == '-';
        if (!hf_scan_u64((struct hf_view){number.p + carriage, number.n - carriage}, &at) || at >= body->n ||
            copy[at] != ' ')
            return false;
        copy[at] = carriage ? '\r' : '\n';
    } while (hf_scan_char(&scan, ','));
    body->p = copy;
    hf_scan_init(&again, *body); /* fails if a restored break lies inside a string */
    return hf_scan_char(&scan, ']') && hf_scan_raw(&again, NULL) == 0;
}

/* hf_event_format() copies a payload's body unchanged, so it must come from "sensorData", which was scanned as JSON,
 * never from the text of "body". It writes "sensorData" into every payload. */
static bool body_fits_kind(const struct event_decoder *decoder)
{
    if (decoder->event->kind == HF_EVENT_PAYLOAD)
        return decoder->has_sensor_data && !decoder->has_body;
    return !decoder->has_sensor_data && decoder->breaks.n == 0;
}

static bool finish(struct event_decoder *decoder)
{
    struct hf_event *event = decoder->event;

    if (!decoder->has_time || !decoder->has_kind || !body_fits_kind(decoder))
        return false;
    if (decoder->value_text.n > 0) {
        if (!isnan(event->value))
            return false;
        if (decoder->value_text.p[0] != 'N')
            event->value = decoder->value_text.p[0] == '+' ? (double)INFINITY : -(double)INFINITY;
    }
    event->source_class = hf_event_class_of(event->source);
    return decoder->breaks.n == 0 || restore_breaks(decoder);
}

int hf_event_parse(struct hf_view text, struct hf_event *ret_event, struct hf_view *ret_node, struct hf_buf *scratch)
{
    struct event_decoder decoder = {.text = text, .event = ret_event, .scratch = scratch};
    uint32_t seen = 0;

    if (text.n > HF_EVENT_MAX_TEXT)
        return -E2BIG;
    hf_scan_init(&decoder.scan, text);
    hf_buf_clear(scratch);
    memset(ret_event, 0, offsetof(struct hf_event, attributes));
    ret_event->n_attributes = 0;
    ret_event->severity = HF_SEVERITY_INFO;
    bool good = take_object(&decoder, &seen) && finish(&decoder);
    if (decoder.r == 0 && decoder.scan.code == -ENOMEM)
        decoder.r = -ENOMEM;
    if (decoder.r < 0)
        return decoder.r;
    if (!good)
        return -EBADMSG;
    *ret_node = decoder.node;
    return 0;
}
