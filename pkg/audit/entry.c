/* SPDX-License-Identifier: Apache-2.0 */
/* One entry as a line of JSON, and back. A line's bytes are what the chain covers: make_line() fixes the order of the
 * members, and `sum`, over all bytes before it, is put behind the text of the tree. hf_audit_entry_pad() adds blanks
 * before `sum`, and sums again.
 *
 * Parsing checks `sum` first, and only then reads members: a line that somebody edited is refused whatever it says. The
 * scanner builds no tree, because opening a log reads thousands of lines. Members of a later version are skipped;
 * kind_name keeps the name of a kind that this version does not know. */
#include "audit/entry.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding/plain.h"
#include "base/encoding/utf8.h"
#include "base/format.h"
#include "base/parse.h"
#include "codec/json.h"
#include "codec/scan.h"

#define SUM_KEY ",\"sum\":\""

enum {
    SUM_BYTES = sizeof(SUM_KEY) - 1 + HF_AUDIT_SUM + 2, /* with "} */
    MAX_MEMBERS = 63,
};

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

static void copy_text(char *to, size_t size, const char *from)
{
    const char *text = from != NULL ? from : "";
    size_t n = 0, left = strlen(text), width;

    for (; *text >= 0x20 && *text < 0x7f && n + 1 < size; n++, left--) /* most texts are nothing else */
        to[n] = *text++;
    for (; left > 0; left -= width, text += width) {
        bool acts, valid = hf_utf8_length(text, left) > 0;
        width = hf_plain_character(text, left, &acts);
        if (n + (acts ? 1 : width) >= size)
            break;
        if (acts)
            to[n] = valid ? ' ' : '?';
        else
            memcpy(to + n, text, width);
        n += acts ? 1 : width;
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

enum field {
    SEQ,
    BATCH,
    TIME,
    EARLIEST,
    LATEST,
    BOOT,
    MONO,
    KIND,
    SUBJECT,
    REASON,
    MESSAGE,
    COUNT,
    DROPPED,
    PREV,
    FIELDS
};

/* The values of a line; those of unknown members are left out. */
struct fields {
    struct hf_scan_value of[FIELDS];
};

static void take_member(struct fields *fields, const struct hf_scan_member *member)
{
    static const struct hf_view names[FIELDS] = {
        [SEQ] = HF_VIEW("seq"),           [BATCH] = HF_VIEW("batch"),     [TIME] = HF_VIEW("time"),
        [EARLIEST] = HF_VIEW("earliest"), [LATEST] = HF_VIEW("latest"),   [BOOT] = HF_VIEW("boot"),
        [MONO] = HF_VIEW("mono"),         [KIND] = HF_VIEW("kind"),       [SUBJECT] = HF_VIEW("subject"),
        [REASON] = HF_VIEW("reason"),     [MESSAGE] = HF_VIEW("message"), [COUNT] = HF_VIEW("count"),
        [DROPPED] = HF_VIEW("dropped"),   [PREV] = HF_VIEW("prev"),
    };

    for (size_t i = 0; i < FIELDS; i++)
        if (member->escaped ? hf_scan_is(member, names[i].p)
                            : member->name.n == names[i].n && memcmp(member->name.p, names[i].p, names[i].n) == 0)
            fields->of[i] = member->value;
}

static int scan_line(struct hf_view line, struct fields *fields, struct hf_err *err)
{
    struct hf_scan_member members[MAX_MEMBERS];
    struct hf_scan scan;
    size_t n;

    hf_scan_init(&scan, line);
    if (hf_scan_members(&scan, members, HF_LEN(members), &n) < 0 || hf_scan_end(&scan) < 0)
        return hf_err_set(err, EBADMSG, "column %zu: %s", scan.at + 1, scan.what);
    for (size_t i = 0; i < n; i++)
        take_member(fields, &members[i]);
    return scan.zero ? hf_err_set(err, EBADMSG, "the line has U+0000") : 0;
}

static void get_text(const struct fields *fields, enum field field, char *to, size_t size)
{
    const struct hf_scan_value *value = &fields->of[field];
    char text[HF_AUDIT_LINE_MAX + 1];
    size_t n = 0;

    if (value->type == HF_SCAN_STRING && value->escaped) {
        n = hf_scan_unescape(value->text, text);
    } else if (value->type == HF_SCAN_STRING) {
        n = value->text.n;
        memcpy(text, value->text.p, n);
    }
    text[n] = '\0';
    copy_text(to, size, text);
}

static uint64_t get_number(const struct fields *fields, enum field field, uint64_t fallback)
{
    const struct hf_scan_value *value = &fields->of[field];
    int64_t number;

    return value->type == HF_SCAN_NUMBER && hf_scan_i64(value->text, &number) && number >= 0 ? (uint64_t)number
                                                                                             : fallback;
}

static uint64_t get_time(const struct fields *fields, enum field field)
{
    char text[2 * HF_TIME_TEXT]; /* so that a longer text is not a time after the cut */
    uint64_t unix_ns = 0;

    get_text(fields, field, text, sizeof(text));
    return hf_parse_time(text, &unix_ns) == 0 ? unix_ns : 0;
}

int hf_audit_entry_parse(struct hf_view line, struct hf_audit_entry *ret_entry, struct hf_err *err)
{
    struct hf_audit_entry entry = {0};
    struct fields fields = {0};
    int r = check_sum(line, err);

    if (r == 0 && scan_line(line, &fields, err) < 0)
        r = hf_err_wrap(err, -EBADMSG, "parse the line");
    if (r < 0)
        return r;
    get_text(&fields, KIND, entry.kind_name, sizeof(entry.kind_name));
    entry.event.kind = hf_audit_kind_of(entry.kind_name);
    get_text(&fields, SUBJECT, entry.event.subject, sizeof(entry.event.subject));
    get_text(&fields, REASON, entry.event.reason, sizeof(entry.event.reason));
    get_text(&fields, MESSAGE, entry.event.message, sizeof(entry.event.message));
    get_text(&fields, BOOT, entry.boot, sizeof(entry.boot));
    get_text(&fields, PREV, entry.prev, sizeof(entry.prev));
    entry.seq = get_number(&fields, SEQ, 0);
    entry.batch = get_number(&fields, BATCH, 0);
    entry.mono_ms = get_number(&fields, MONO, 0);
    entry.count = get_number(&fields, COUNT, 1);
    entry.dropped = get_number(&fields, DROPPED, 0);
    entry.unix_ns = get_time(&fields, TIME);
    entry.earliest_unix_ns = get_time(&fields, EARLIEST);
    entry.latest_unix_ns = get_time(&fields, LATEST);
    if (entry.seq == 0 || entry.batch == 0 || entry.batch > entry.seq || entry.kind_name[0] == '\0' ||
        strlen(entry.prev) != HF_SHA256_HEX - 1)
        return hf_err_set(err, EBADMSG, "the line lacks seq, batch, kind or prev");
    *ret_entry = entry;
    return 0;
}
