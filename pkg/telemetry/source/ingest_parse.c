/* SPDX-License-Identifier: Apache-2.0 */
/* A body is an array or lines of objects; the first byte and the content type decide. An object with `kind` is a
 * line of another agent and keeps its origin; any other is a payload, whose unknown members are refused. Every
 * accepted content type makes a browser ask first, so that a page of another site cannot post.
 *
 * Security: the source of each event begins with "http" whatever the sender writes; peer_uid and peer_unit come from
 * the caller, never from the body; texts that an answer repeats have only harmless characters. A checksum covers the
 * data as received, byte for byte. The second pass (`trusted`) does not verify it again. */
#include "telemetry/source/ingest_parse.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/encoding/hex.h"
#include "base/parse.h"

enum { MAX_SCRATCH = 1 << 20, MAX_TIME_TEXT = 40 };

static int fail(const struct hf_ingest_parser *parser, struct hf_ingest_fault *fault, int status, const char *what,
                const char *member, size_t offset)
{
    size_t line = 1;

    for (size_t i = 0; i < offset && i < parser->params.body.n; i++)
        line += parser->params.body.p[i] == '\n';
    *fault = (struct hf_ingest_fault){
        .status = status, .what = what, .member = member, .item = parser->item, .line = line, .offset = offset};
    return -EBADMSG;
}

/* Makes a text safe for an answer in JSON, a log and a terminal. */
static void name_it(struct hf_ingest_fault *fault, struct hf_view text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-/+";
    size_t n = HF_MIN(text.n, sizeof(fault->named) - 4);

    for (size_t i = 0; i < n; i++)
        fault->named[i] = text.p[i] != '\0' && strchr(plain, text.p[i]) != NULL ? text.p[i] : '?';
    (void)snprintf(fault->named + n, sizeof(fault->named) - n, "%s", n < text.n ? "..." : "");
}

static int fail_scan(const struct hf_ingest_parser *parser, struct hf_ingest_fault *fault)
{
    if (parser->scan.code == -ENOMEM)
        return -ENOMEM;
    return fail(parser, fault, 400, parser->scan.what, NULL, parser->scan.at);
}

static int fail_at(const struct hf_ingest_parser *parser, struct hf_ingest_fault *fault, const char *what,
                   const char *member, const struct hf_scan_value *value)
{
    return fail(parser, fault, 400, what, member, (size_t)(value->text.p - parser->params.body.p));
}

/* ---- the body as a whole ----------------------------------------------------------------------------------------- */

static bool is_type(struct hf_view type, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++)
        if (type.n == strlen(names[i]) && strncasecmp(type.p, names[i], type.n) == 0)
            return true;
    return false;
}

/* Every accepted type makes a browser ask first whether a page of another site may send it (Fetch, "CORS-safelisted
 * request-header"). text/plain, the types of a form, and no type at all go without that question. */
static bool takes_type(struct hf_view content_type, bool *ret_lines)
{
    static const char *const lines[] = {"application/x-ndjson",
                                        "application/ndjson",
                                        "application/jsonl",
                                        "application/jsonlines",
                                        "application/x-jsonlines",
                                        "application/json-lines",
                                        NULL};
    static const char *const any[] = {"application/json", "text/json", NULL};
    struct hf_view type, rest = content_type;

    *ret_lines = false;
    if (!hf_view_split(&rest, ';', &type))
        return false;
    type = hf_view_trim(type);
    *ret_lines = is_type(type, lines);
    if (*ret_lines || is_type(type, any))
        return true;
    return type.n > 5 && strncasecmp(type.p + type.n - 5, "+json", 5) == 0;
}

int hf_ingest_parse_begin(struct hf_ingest_parser *parser, const struct hf_ingest_params *params,
                          struct hf_ingest_fault *ret_fault)
{
    bool lines;

    *parser = (struct hf_ingest_parser){.params = *params, .scratch = HF_BUF_INIT(MAX_SCRATCH)};
    hf_scan_init(&parser->scan, params->body);
    if (!takes_type(params->content_type, &lines)) {
        struct hf_view type, rest = params->content_type;
        *ret_fault =
            (struct hf_ingest_fault){.status = 415,
                                     .what = "unsupported content type: send application/json or application/x-ndjson "
                                             "(curl -H 'Content-Type: application/json')"};
        if (hf_view_split(&rest, ';', &type))
            name_it(ret_fault, hf_view_trim(type));
        return -EBADMSG;
    }
    parser->scan.at = hf_scan_mark_bytes(params->body);
    struct hf_view bare =
        hf_view_trim((struct hf_view){params->body.p + parser->scan.at, params->body.n - parser->scan.at});
    if (bare.n == 0)
        return fail(parser, ret_fault, 400, "the body is empty", NULL, params->body.n);
    parser->form = !lines && bare.p[0] == '[' ? HF_INGEST_ARRAY : HF_INGEST_LINES;
    if (parser->form == HF_INGEST_ARRAY && hf_scan_array_enter(&parser->scan) < 0)
        return fail_scan(parser, ret_fault);
    if (params->from_item > 0) {
        parser->item = params->from_item;
        parser->scan.at = params->from_offset;
        parser->after_item = true;
    }
    return 0;
}

void hf_ingest_parse_end(struct hf_ingest_parser *parser)
{
    hf_buf_done(&parser->scratch);
}

/* ---- members of a payload ---------------------------------------------------------------------------------------- */

/* Takes a string of at most `max` bytes without control characters; with `numbers` also a number, as its text. */
static int take_text(struct hf_ingest_parser *parser, const struct hf_scan_value *value, const char *member, size_t max,
                     bool numbers, struct hf_view *ret_text, struct hf_ingest_fault *fault)
{
    if (numbers && value->type == HF_SCAN_NUMBER) {
        *ret_text = value->text;
    } else if (value->type != HF_SCAN_STRING) {
        return fail_at(parser, fault, "not a string", member, value);
    } else {
        int r = hf_scan_string(value, &parser->scratch, ret_text);
        if (r == -ENOMEM)
            return r;
        if (r < 0)
            return fail_at(parser, fault, "not a valid string", member, value);
    }
    if (ret_text->n == 0)
        return fail_at(parser, fault, "empty", member, value);
    if (ret_text->n > max)
        return fail_at(parser, fault, "too long", member, value);
    for (size_t i = 0; i < ret_text->n; i++)
        if ((unsigned char)ret_text->p[i] < 0x20 || ret_text->p[i] == 0x7f)
            return fail_at(parser, fault, "contains a control character", member, value);
    return 0;
}

/* Reads seconds, milliseconds, microseconds or nanoseconds since 1970. The size of the number decides: each range means
 * 1973 to 2261. */
bool hf_ingest_parse_number_time(struct hf_view text, uint64_t *ret_unix_ns)
{
    static const struct {
        uint64_t below, unit_ns;
    } units[] = {{100000000000u, HF_NS_PER_S},
                 {100000000000000u, HF_NS_PER_MS},
                 {100000000000000000u, HF_NS_PER_US},
                 {UINT64_MAX, 1}};
    char copy[MAX_TIME_TEXT];
    uint64_t whole;

    if (text.n >= sizeof(copy))
        return false;
    (void)snprintf(copy, sizeof(copy), "%.*s", (int)text.n, text.p);
    if (hf_parse_u64(copy, 0, 9000000000000000000u, &whole) < 0) {
        const struct hf_scan_value value = {.type = HF_SCAN_NUMBER, .text = text};
        double number = hf_scan_number(&value);
        if (!(number >= 0 && number < 9e18))
            return false;
        for (size_t i = 0;; i++)
            if (number < (double)units[i].below) {
                number *= (double)units[i].unit_ns;
                if (number >= 9.2e18)
                    return false;
                *ret_unix_ns = (uint64_t)number;
                return true;
            }
    }
    size_t i = 0;
    while (whole >= units[i].below)
        i++;
    return !__builtin_mul_overflow(whole, units[i].unit_ns, ret_unix_ns) && *ret_unix_ns <= 9200000000000000000u;
}

static int take_time(struct hf_ingest_parser *parser, const struct hf_scan_value *value, uint64_t *ret_unix_ns,
                     struct hf_ingest_fault *fault)
{
    char copy[MAX_TIME_TEXT];

    if (value->type == HF_SCAN_NULL)
        return 0;
    if (value->type == HF_SCAN_NUMBER)
        return hf_ingest_parse_number_time(value->text, ret_unix_ns)
                   ? 0
                   : fail_at(parser, fault, "not a time between 1970 and 2261", "timestamp", value);
    if (value->type == HF_SCAN_STRING && !value->escaped && value->text.n < sizeof(copy)) {
        memcpy(copy, value->text.p, value->text.n);
        copy[value->text.n] = '\0';
        int r = hf_parse_time(copy, ret_unix_ns);
        if (r == -ERANGE)
            return fail_at(parser, fault, "not a time between 1970 and 2261", "timestamp", value);
        if (r == 0)
            return 0;
    }
    return fail_at(parser, fault, "not a time: expected RFC 3339, or a number since 1970", "timestamp", value);
}

static int take_severity(struct hf_ingest_parser *parser, const struct hf_scan_value *value, enum hf_severity *ret,
                         struct hf_ingest_fault *fault)
{
    double number = hf_scan_number(value);

    if (value->type == HF_SCAN_STRING && !value->escaped && hf_severity_parse(value->text.p, value->text.n, ret))
        return 0;
    if (number >= 1 && number <= 24 && number == floor(number)) {
        *ret = (enum hf_severity)number;
        return 0;
    }
    return fail_at(parser, fault, "not a severity: expected a name such as error, or 1 to 24", "severity", value);
}

static int take_attributes(struct hf_ingest_parser *parser, const struct hf_scan_value *value, struct hf_event *event,
                           struct hf_ingest_fault *fault)
{
    struct hf_scan_member members[HF_EVENT_MAX_ATTRIBUTES];
    struct hf_scan scan;
    size_t n, begin = (size_t)(value->text.p - parser->params.body.p);

    if (value->type != HF_SCAN_OBJECT)
        return fail_at(parser, fault, "not an object", "attributes", value);
    hf_scan_init(&scan, value->text);
    if (hf_scan_members(&scan, members, HF_LEN(members), &n) < 0)
        return fail(parser, fault, 400, scan.what, "attributes", begin + scan.at);
    for (size_t i = 0; i < n; i++) {
        const struct hf_scan_value name = {
            .type = HF_SCAN_STRING, .escaped = members[i].escaped, .text = members[i].name};
        struct hf_attribute *attribute = &event->attributes[event->n_attributes++];
        int r = take_text(parser, &name, "attributes", HF_INGEST_MAX_TEXT, false, &attribute->name, fault);
        if (r < 0)
            return r;
        const struct hf_scan_value *inner = &members[i].value;
        if (inner->type == HF_SCAN_STRING && inner->text.n == 0)
            attribute->value = inner->text;
        else if (inner->type == HF_SCAN_TRUE || inner->type == HF_SCAN_FALSE)
            attribute->value = inner->text;
        else
            r = take_text(parser, inner, "attributes", HF_INGEST_MAX_VALUE, true, &attribute->value, fault);
        if (r < 0)
            return r;
    }
    return 0;
}

static bool to_lower_hex(struct hf_view text, char hex[static HF_SHA256_HEX])
{
    if (text.n != HF_SHA256_HEX - 1)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        int digit = hf_hex_value_any(text.p[i]);
        if (digit < 0)
            return false;
        hex[i] = hf_hex_digits[digit];
    }
    hex[text.n] = '\0';
    return true;
}

static bool same_checksum(struct hf_view given, const char *computed)
{
    char hex[HF_SHA256_HEX];

    return to_lower_hex(given, hex) && strcmp(hex, computed) == 0;
}

/* ---- one item ---------------------------------------------------------------------------------------------------- */

enum payload_member {
    M_ID,
    M_TIMESTAMP,
    M_DATA,
    M_CHECKSUM,
    M_BOUNDARY,
    M_SEVERITY,
    M_KEY,
    M_SOURCE,
    M_ATTRIBUTES,
    M_COUNT
};

static const char *const member_names[M_COUNT] = {
    [M_ID] = "id",
    [M_TIMESTAMP] = "timestamp",
    [M_DATA] = "sensorData",
    [M_CHECKSUM] = "checksum",
    [M_BOUNDARY] = "boundary",
    [M_SEVERITY] = "severity",
    [M_KEY] = "key",
    [M_SOURCE] = "source",
    [M_ATTRIBUTES] = "attributes",
};

static int sort_members(const struct hf_ingest_parser *parser, const struct hf_scan_member *members, size_t n,
                        const struct hf_scan_value *values[M_COUNT], struct hf_ingest_fault *fault)
{
    for (size_t i = 0; i < n; i++) {
        size_t m = 0;
        while (m < M_COUNT && !hf_scan_is(&members[i], member_names[m]))
            m++;
        if (m == M_COUNT) {
            (void)fail(parser, fault, 400,
                       "unknown member: a payload has sensorData, which holds the readings, and id, "
                       "timestamp, checksum, severity, boundary, key, source, attributes",
                       NULL, (size_t)(members[i].name.p - parser->params.body.p));
            name_it(fault, members[i].name);
            return -EBADMSG;
        }
        if (members[i].value.type != HF_SCAN_NULL)
            values[m] = &members[i].value;
    }
    return 0;
}

/* Compares the checksum of the received data with the payload's and, for a single payload, the header's. */
static int check_data(struct hf_ingest_parser *parser, const struct hf_scan_value *data,
                      const struct hf_scan_value *checksum, bool single, struct hf_event *event,
                      struct hf_ingest_fault *fault)
{
    struct hf_view header = single ? parser->params.checksum : (struct hf_view){NULL, 0};
    size_t at = (size_t)(data->text.p - parser->params.body.p);

    if (checksum != NULL && (checksum->type != HF_SCAN_STRING || !to_lower_hex(checksum->text, parser->hex)))
        return fail(parser, fault, 422, "not the hexadecimal SHA-256 of sensorData", "checksum",
                    (size_t)(checksum->text.p - parser->params.body.p));
    if (checksum == NULL && header.n == 0)
        return 0;
    if (!parser->params.trusted) {
        (void)hf_sha256_hex(event->body.p, event->body.n, parser->hex);
        if (checksum != NULL && !same_checksum(checksum->text, parser->hex))
            return fail(parser, fault, 422, "the checksum is not that of sensorData as received", "checksum", at);
        if (header.n > 0 && !same_checksum(header, parser->hex))
            return fail(parser, fault, 422, "the header X-Payload-Checksum is not that of sensorData as received", NULL,
                        at);
    } else if (checksum == NULL && !to_lower_hex(header, parser->hex)) {
        return 0;
    }
    event->checksum = (struct hf_view){parser->hex, HF_SHA256_HEX - 1};
    return 0;
}

static void make_id(struct hf_ingest_parser *parser, struct hf_event *event)
{
    struct hf_view key = parser->params.idempotency_key;
    char hex[HF_SHA256_HEX];

    if (event->id.n > 0 || key.n == 0)
        return;
    int n = key.n <= 96
                ? snprintf(parser->made_id, sizeof(parser->made_id), "%.*s#%zu", (int)key.n, key.p, parser->item)
                : snprintf(parser->made_id, sizeof(parser->made_id), "%s#%zu", hf_sha256_hex(key.p, key.n, hex),
                           parser->item);
    event->id = (struct hf_view){parser->made_id, (size_t)n};
}

/* Returns the name under which the agent passes on what a sender calls `given`: always one that begins with "http".
 * `given` has at most HF_INGEST_MAX_TEXT bytes. */
static struct hf_view own_source(struct hf_ingest_parser *parser, struct hf_view given)
{
    if (given.n == 0 || hf_view_eq(given, "http"))
        return HF_VIEW("http");
    if (hf_view_starts(given, "http:"))
        return given;
    memcpy(parser->source, "http:", strlen("http:"));
    memcpy(parser->source + strlen("http:"), given.p, given.n);
    return (struct hf_view){parser->source, strlen("http:") + given.n};
}

static void set_peer(const struct hf_ingest_parser *parser, struct hf_event *event)
{
    event->peer_uid = hf_view_of(parser->params.peer_uid);
    event->peer_unit = hf_view_of(parser->params.peer_unit);
}

static int take_source(struct hf_ingest_parser *parser, const struct hf_scan_value *value, struct hf_event *event,
                       struct hf_ingest_fault *fault)
{
    struct hf_view text = {NULL, 0};
    int r = value == NULL ? 0 : take_text(parser, value, "source", HF_INGEST_MAX_TEXT, false, &text, fault);

    if (r == 0)
        event->source = own_source(parser, text);
    return r;
}

static int take_optional(struct hf_ingest_parser *parser, const struct hf_scan_value *const values[M_COUNT],
                         struct hf_event *event, struct hf_ingest_fault *fault)
{
    const struct {
        enum payload_member member;
        size_t max;
        bool numbers;
        struct hf_view *to;
    } texts[] = {
        {M_ID, HF_EVENT_MAX_ID, true, &event->id},
        {M_BOUNDARY, HF_INGEST_MAX_TEXT, false, &event->boundary},
        {M_KEY, HF_INGEST_MAX_TEXT, false, &event->key},
    };
    int r = 0;

    for (size_t i = 0; i < HF_LEN(texts) && r == 0; i++)
        if (values[texts[i].member] != NULL)
            r = take_text(parser, values[texts[i].member], member_names[texts[i].member], texts[i].max,
                          texts[i].numbers, texts[i].to, fault);
    if (r == 0 && values[M_TIMESTAMP] != NULL)
        r = take_time(parser, values[M_TIMESTAMP], &event->unix_ns, fault);
    if (r == 0 && values[M_SEVERITY] != NULL)
        r = take_severity(parser, values[M_SEVERITY], &event->severity, fault);
    if (r == 0)
        r = take_source(parser, values[M_SOURCE], event, fault);
    if (r == 0 && values[M_ATTRIBUTES] != NULL)
        r = take_attributes(parser, values[M_ATTRIBUTES], event, fault);
    return r;
}

/* The text that the sender hashed: for a string, with its quotes. */
static struct hf_view whole_text(const struct hf_scan_value *value)
{
    return value->type == HF_SCAN_STRING ? (struct hf_view){value->text.p - 1, value->text.n + 2} : value->text;
}

static int take_payload(struct hf_ingest_parser *parser, const struct hf_scan_member *members, size_t n, size_t begin,
                        bool single, struct hf_event *event, struct hf_ingest_fault *fault)
{
    const struct hf_scan_value *values[M_COUNT] = {NULL};
    int r = sort_members(parser, members, n, values, fault);

    if (r < 0)
        return r;
    if (values[M_DATA] == NULL)
        return fail(parser, fault, 400, "missing", "sensorData", begin);
    event->kind = HF_EVENT_PAYLOAD;
    event->source_class = HF_SOURCE_HTTP;
    event->unix_ns = parser->params.now_unix_ns;
    event->body = whole_text(values[M_DATA]);
    if (event->body.n > HF_EVENT_MAX_BODY)
        return fail(parser, fault, 413, "longer than 262144 bytes", "sensorData", begin);
    r = take_optional(parser, values, event, fault);
    return r < 0 ? r : check_data(parser, values[M_DATA], values[M_CHECKSUM], single, event, fault);
}

/* Takes a line of another agent; keeps its origin, but not its source: anybody can write such a line. */
static int take_line(struct hf_ingest_parser *parser, struct hf_view text, struct hf_event *event,
                     struct hf_ingest_fault *fault)
{
    size_t begin = (size_t)(text.p - parser->params.body.p);
    struct hf_view node = {NULL, 0};

    if (text.n > HF_EVENT_MAX_TEXT)
        return fail(parser, fault, 413, "event longer than 393216 bytes", NULL, begin);
    int r = hf_event_parse(text, event, &node, &parser->scratch);
    if (r == -ENOMEM)
        return r;
    if (r < 0)
        return fail(parser, fault, 400, "not an event in the format of the agent", NULL, begin);
    if (event->id.n > HF_EVENT_MAX_ID)
        return fail(parser, fault, 400, "too long", "id", begin);
    if (event->source.n > HF_INGEST_MAX_TEXT)
        return fail(parser, fault, 400, "too long", "source", begin);
    event->source = own_source(parser, event->source);
    if (event->origin.n == 0)
        event->origin = node;
    event->source_class = HF_SOURCE_HTTP;
    if (event->checksum.n == 0 || parser->params.trusted)
        return 0;
    (void)hf_sha256_hex(event->body.p, event->body.n, parser->hex);
    return same_checksum(event->checksum, parser->hex)
               ? 0
               : fail(parser, fault, 422, "the checksum is not that of sensorData as received", "checksum", begin);
}

static bool is_line(const struct hf_scan_member *members, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (hf_scan_is(&members[i], "kind"))
            return true;
    return false;
}

/* ---- one after the other ----------------------------------------------------------------------------------------- */

/* 1: another item begins; 0: the end. */
static int to_item(struct hf_ingest_parser *parser, struct hf_ingest_fault *fault)
{
    struct hf_scan *scan = &parser->scan;
    int r;

    if (parser->form == HF_INGEST_ARRAY) {
        r = hf_scan_array_next(scan, parser->item == 0);
        if (r == 0 && hf_scan_end(scan) == 0)
            return 0;
        return r > 0 ? 1 : fail_scan(parser, fault);
    }
    size_t before = scan->at;
    struct hf_scan peek = *scan;
    if (hf_scan_end(&peek) == 0)
        return 0;
    if (parser->after_item && memchr(scan->text.p + before, '\n', peek.at - before) == NULL)
        return fail(parser, fault, 400, "expected a line end after an object", NULL, peek.at);
    return 1;
}

static int check_whole(struct hf_ingest_parser *parser, struct hf_ingest_fault *fault)
{
    char hex[HF_SHA256_HEX];

    if (parser->params.checksum.n == 0 || parser->params.trusted)
        return 0;
    (void)hf_sha256_hex(parser->params.body.p, parser->params.body.n, hex);
    return same_checksum(parser->params.checksum, hex)
               ? 0
               : fail(parser, fault, 422, "the header X-Payload-Checksum is not that of the body", NULL, 0);
}

int hf_ingest_parse_next(struct hf_ingest_parser *parser, struct hf_event *ret_event, struct hf_ingest_fault *ret_fault)
{
    struct hf_scan_member members[HF_INGEST_MAX_MEMBERS];
    struct hf_scan *scan = &parser->scan;
    size_t n;
    int r = to_item(parser, ret_fault);

    if (r == 0 && parser->item == 0)
        return fail(parser, ret_fault, 400, "the body has no items", NULL, parser->params.body.n);
    if (r <= 0)
        return r;
    if (parser->item == HF_INGEST_MAX_ITEMS)
        return fail(parser, ret_fault, 413, "more than 65536 items", NULL, scan->at);
    hf_buf_clear(&parser->scratch);
    *ret_event = (struct hf_event){.kind = HF_EVENT_PAYLOAD};
    if (hf_scan_peek(scan) < 0)
        return fail_scan(parser, ret_fault);
    size_t begin = scan->at;
    if (hf_scan_members(scan, members, HF_LEN(members), &n) < 0)
        return fail_scan(parser, ret_fault);
    struct hf_scan peek = *scan;
    bool single = parser->form == HF_INGEST_LINES && parser->item == 0 && hf_scan_end(&peek) == 0;
    bool line = is_line(members, n);
    struct hf_view text = {scan->text.p + begin, scan->at - begin};
    /* Unescaped texts go to the scratch, which must not move while views point into it. */
    if (!line && memchr(text.p, '\\', text.n) != NULL &&
        hf_buf_reserve(&parser->scratch, HF_MIN(text.n, (size_t)MAX_SCRATCH)) < 0)
        return -ENOMEM;
    if (parser->item == 0 && (!single || line) && (r = check_whole(parser, ret_fault)) < 0)
        return r;
    r = line ? take_line(parser, text, ret_event, ret_fault)
             : take_payload(parser, members, n, begin, single, ret_event, ret_fault);
    if (r < 0)
        return r;
    set_peer(parser, ret_event);
    make_id(parser, ret_event);
    parser->item++;
    parser->after_item = true;
    return 1;
}
