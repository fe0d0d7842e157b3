#include "audit/entry.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/format.h"
#include "base/parse.h"
#include "codec/json.h"

#define SUM_KEY ",\"sum\":\""

enum { SUM_BYTES = sizeof(SUM_KEY) - 1 + HF_AUDIT_SUM + 2 /* "} */ };

/* ---- kinds ------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    bool repeats;
} kinds[] = {
#define KIND_ROW(symbol, name_, repeats_) [HF_AUDIT_##symbol] = {name_, repeats_},
    HF_AUDIT_KINDS(KIND_ROW)
#undef KIND_ROW
};

const char *hf_audit_kind_name(enum hf_audit_kind kind)
{
    return (size_t)kind < HF_LEN(kinds) ? kinds[kind].name : "";
}

enum hf_audit_kind hf_audit_kind_of(const char *name)
{
    for (size_t i = 0; i < HF_LEN(kinds); i++)
        if (strcmp(name, kinds[i].name) == 0)
            return (enum hf_audit_kind)i;
    return HF_AUDIT_KIND_COUNT;
}

bool hf_audit_kind_repeats(enum hf_audit_kind kind)
{
    return (size_t)kind < HF_LEN(kinds) && kinds[kind].repeats;
}

/* ---- texts ------------------------------------------------------------------------------------------------------- */

/* Returns the number of bytes of the UTF-8 character at `text`, or 0 if there is none. Refuses overlong forms,
 * surrogates and numbers above U+10FFFF. */
static size_t character(const unsigned char *text)
{
    unsigned char a = text[0], b = a != 0 ? text[1] : 0;

    if (a < 0x80)
        return 1;
    if (a >= 0xc2 && a <= 0xdf)
        return (b & 0xc0) == 0x80 ? 2 : 0;
    if ((b & 0xc0) != 0x80 || (text[2] & 0xc0) != 0x80)
        return 0;
    if (a >= 0xe0 && a <= 0xef)
        return (a == 0xe0 && b < 0xa0) || (a == 0xed && b > 0x9f) ? 0 : 3;
    if (a < 0xf0 || a > 0xf4 || (a == 0xf0 && b < 0x90) || (a == 0xf4 && b > 0x8f))
        return 0;
    return (text[3] & 0xc0) == 0x80 ? 4 : 0;
}

/* C1 controls (U+0080 to U+009F) steer some terminals, as those below U+0020 do. */
static bool is_control(const unsigned char *text)
{
    return text[0] < 0x20 || text[0] == 0x7f || (text[0] == 0xc2 && text[1] < 0xa0);
}

static void copy_text(char *to, size_t size, const char *from)
{
    const unsigned char *text = (const unsigned char *)(from != NULL ? from : "");
    size_t n = 0;

    while (*text != '\0') {
        size_t width = character(text), kept = width == 0 || is_control(text) ? 1 : width;
        if (n + kept >= size)
            break;
        if (width == 0)
            to[n] = '?';
        else if (is_control(text))
            to[n] = ' ';
        else
            memcpy(to + n, text, width);
        n += kept;
        text += HF_MAX(width, (size_t)1);
    }
    to[n] = '\0';
}

void hf_audit_event_set(struct hf_audit_event *event, enum hf_audit_kind kind, const char *subject, const char *reason,
                        const char *message)
{
    event->kind = kind;
    copy_text(event->subject, sizeof(event->subject), subject);
    copy_text(event->reason, sizeof(event->reason), reason);
    copy_text(event->message, sizeof(event->message), message);
}

void hf_audit_no_prev(char zeros[HF_SHA256_HEX])
{
    memset(zeros, '0', HF_SHA256_HEX - 1);
    zeros[HF_SHA256_HEX - 1] = '\0';
}

/* ---- line -------------------------------------------------------------------------------------------------------- */

static int put(json_t *line, const char *key, json_t *value)
{
    return json_object_set_new(line, key, value) == 0 ? 0 : -ENOMEM;
}

static int put_time(json_t *line, const char *key, uint64_t unix_ns)
{
    char text[HF_TIME_TEXT];

    return unix_ns == 0 ? 0 : put(line, key, json_string(hf_format_time(unix_ns, text)));
}

static int put_text(json_t *line, const char *key, const char *text)
{
    return text[0] == '\0' ? 0 : put(line, key, json_string(text));
}

static int put_number(json_t *line, const char *key, uint64_t number, bool needed)
{
    return needed ? put(line, key, json_integer((json_int_t)number)) : 0;
}

static json_t *make_line(const struct hf_audit_entry *entry)
{
    const struct hf_audit_event *event = &entry->event;
    json_t *line = json_object();

    if (line != NULL && put_number(line, "seq", entry->seq, true) == 0 &&
        put_number(line, "batch", entry->batch, true) == 0 && put_time(line, "time", entry->unix_ns) == 0 &&
        put_time(line, "earliest", entry->earliest_unix_ns) == 0 &&
        put_time(line, "latest", entry->latest_unix_ns) == 0 && put_text(line, "boot", entry->boot) == 0 &&
        put_number(line, "mono", entry->mono_ms, true) == 0 &&
        put_text(line, "kind", hf_audit_kind_name(event->kind)) == 0 &&
        put_text(line, "subject", event->subject) == 0 && put_text(line, "reason", event->reason) == 0 &&
        put_text(line, "message", event->message) == 0 &&
        put_number(line, "count", entry->count, entry->count > 1) == 0 &&
        put_number(line, "dropped", entry->dropped, event->kind == HF_AUDIT_SEGMENT_STARTED) == 0 &&
        put_text(line, "prev", entry->prev) == 0)
        return line;
    json_decref(line);
    return NULL;
}

int hf_audit_entry_format(const struct hf_audit_entry *entry, struct hf_buf *out)
{
    _cleanup_(hf_json_freep) json_t *line = make_line(entry);
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_AUDIT_LINE_MAX);
    char hex[HF_SHA256_HEX];
    int r = line != NULL ? hf_json_format(line, &text) : -ENOMEM;

    if (r < 0)
        return r;
    text.p[--text.n] = '\0'; /* the closing brace, which follows the sum */
    r = hf_buf_addf(&text, SUM_KEY "%.*s\"}", HF_AUDIT_SUM, hf_sha256_hex(text.p, text.n, hex));
    return r < 0 ? r : hf_buf_add(out, text.p, text.n);
}

int hf_audit_entry_pad(struct hf_buf *lines, size_t begin, size_t blanks)
{
    size_t n = lines->n - begin - 1; /* length of the line */
    char hex[HF_SHA256_HEX], end[SUM_BYTES + 2];

    if (n + blanks > HF_AUDIT_LINE_MAX)
        return -E2BIG;
    int r = hf_buf_reserve(lines, blanks);
    if (r < 0)
        return r;
    char *line = lines->p + begin;
    memset(line + n - SUM_BYTES, ' ', blanks);
    n += blanks;
    (void)hf_sha256_hex(line, n - SUM_BYTES, hex);
    (void)snprintf(end, sizeof(end), SUM_KEY "%.*s\"}\n", HF_AUDIT_SUM, hex);
    memcpy(line + n - SUM_BYTES, end, SUM_BYTES + 1);
    lines->n += blanks;
    return 0;
}

static int check_sum(struct hf_view line, struct hf_err *err)
{
    char hex[HF_SHA256_HEX];

    if (line.n > HF_AUDIT_LINE_MAX)
        return hf_err_set(err, EBADMSG, "the line has more than %d bytes", HF_AUDIT_LINE_MAX);
    if (line.n <= SUM_BYTES || memcmp(line.p + line.n - SUM_BYTES, SUM_KEY, sizeof(SUM_KEY) - 1) != 0 ||
        memcmp(line.p + line.n - 2, "\"}", 2) != 0)
        return hf_err_set(err, EBADMSG, "the line does not end in the field 'sum'");
    (void)hf_sha256_hex(line.p, line.n - SUM_BYTES, hex);
    if (memcmp(hex, line.p + line.n - 2 - HF_AUDIT_SUM, HF_AUDIT_SUM) != 0)
        return hf_err_set(err, EBADMSG, "the line does not match its sum: it was changed");
    return 0;
}

static void get_text(const json_t *line, const char *key, char *to, size_t size)
{
    copy_text(to, size, hf_json_str_or(line, key, ""));
}

static uint64_t get_number(const json_t *line, const char *key, uint64_t fallback)
{
    int64_t number = hf_json_int_or(line, key, -1);

    return number < 0 ? fallback : (uint64_t)number;
}

static uint64_t get_time(const json_t *line, const char *key)
{
    uint64_t unix_ns = 0;

    return hf_parse_time(hf_json_str_or(line, key, ""), &unix_ns) == 0 ? unix_ns : 0;
}

int hf_audit_entry_parse(struct hf_view line, struct hf_audit_entry *ret_entry, struct hf_err *err)
{
    static const struct hf_json_limits limits = {.max_bytes = HF_AUDIT_LINE_MAX, .max_depth = 2, .max_nodes = 64};
    _cleanup_(hf_json_freep) json_t *json = NULL;
    struct hf_audit_entry entry = {0};
    int r = check_sum(line, err);

    if (r == 0 && hf_json_parse(line, &limits, &json, err) < 0)
        r = hf_err_wrap(err, -EBADMSG, "parse the line");
    if (r < 0)
        return r;
    get_text(json, "kind", entry.kind_name, sizeof(entry.kind_name));
    entry.event.kind = hf_audit_kind_of(entry.kind_name);
    get_text(json, "subject", entry.event.subject, sizeof(entry.event.subject));
    get_text(json, "reason", entry.event.reason, sizeof(entry.event.reason));
    get_text(json, "message", entry.event.message, sizeof(entry.event.message));
    get_text(json, "boot", entry.boot, sizeof(entry.boot));
    get_text(json, "prev", entry.prev, sizeof(entry.prev));
    entry.seq = get_number(json, "seq", 0);
    entry.batch = get_number(json, "batch", 0);
    entry.mono_ms = get_number(json, "mono", 0);
    entry.count = get_number(json, "count", 1);
    entry.dropped = get_number(json, "dropped", 0);
    entry.unix_ns = get_time(json, "time");
    entry.earliest_unix_ns = get_time(json, "earliest");
    entry.latest_unix_ns = get_time(json, "latest");
    if (entry.seq == 0 || entry.batch == 0 || entry.batch > entry.seq || entry.kind_name[0] == '\0' ||
        strlen(entry.prev) != HF_SHA256_HEX - 1)
        return hf_err_set(err, EBADMSG, "the line lacks seq, batch, kind or prev");
    *ret_entry = entry;
    return 0;
}
