/* SPDX-License-Identifier: Apache-2.0 */
/* Names of members are unescaped before they are compared with the rules ("pass\u0077ord" is "password"), upper and
 * lower case differ. Searched are bodies that are one or several JSON objects or lists; all other bytes stay as they
 * are.
 *
 * A text may start as JSON, but be truncated, be no JSON somewhere (NaN, a raw tab, invalid UTF-8), or continue with
 * other text. An unreadable part may hold a secret: if it names a rule's member, or if the text before it has such a
 * member, the text is kept only up to there and the event marked as truncated. */
#include "telemetry/pipeline/redact.h"

#include <ctype.h>
#include <string.h>

#include "codec/scan.h"

void hf_redactor_init(struct hf_redactor *redactor, const struct hf_telemetry_redact *rules, size_t n_rules)
{
    *redactor = (struct hf_redactor){.rules = rules,
                                     .n_rules = n_rules,
                                     .body = HF_BUF_INIT(HF_EVENT_MAX_BODY),
                                     .key = HF_BUF_INIT(HF_EVENT_MAX_BODY)};
}

void hf_redactor_done(struct hf_redactor *redactor)
{
    hf_buf_done(&redactor->body);
    hf_buf_done(&redactor->key);
}

static const struct hf_telemetry_redact *rule_of(const struct hf_redactor *redactor, struct hf_view name)
{
    for (size_t i = 0; i < redactor->n_rules; i++)
        if (hf_view_eq(name, redactor->rules[i].field))
            return &redactor->rules[i];
    return NULL;
}

bool hf_redactor_covers(const struct hf_redactor *redactor, struct hf_view name)
{
    return rule_of(redactor, name) != NULL;
}

static struct hf_view hash_text(struct hf_view value, char text[HF_REDACT_HASH_TEXT])
{
    char hex[HF_SHA256_HEX];

    (void)hf_sha256_hex(value.n > 0 ? value.p : "", value.n, hex);
    memcpy(text, "sha256:", 7);
    memcpy(text + 7, hex, 32);
    return (struct hf_view){text, HF_REDACT_HASH_TEXT};
}

void hf_redact_attributes(struct hf_redactor *redactor, struct hf_event *event)
{
    size_t kept = 0;

    for (size_t i = 0; i < event->n_attributes; i++) {
        struct hf_attribute attribute = event->attributes[i];
        const struct hf_telemetry_redact *rule = rule_of(redactor, attribute.name);
        if (rule != NULL && rule->action == HF_REDACT_REMOVE)
            continue;
        if (rule != NULL && rule->action == HF_REDACT_HASH)
            attribute.value = hash_text(attribute.value, redactor->hashes[kept]);
        else if (rule != NULL)
            attribute.value = HF_VIEW("***");
        event->attributes[kept++] = attribute;
    }
    event->n_attributes = kept;
}

/* ---- bodies ------------------------------------------------------------------------------------------------------ */

/* Progress through one body: the text before `copied` is already in redactor->body, or removed. */
struct rewrite {
    struct hf_redactor *redactor;
    struct hf_scan scan; /* loose: a log line may hold any JSON, and a secret in it must be found */
    const char *copied;
    const char *naming; /* start of the member whose value the scan reads; NULL: none */
    bool changed;
    int r;
};

static const char *cursor(const struct hf_scan *scan)
{
    return scan->text.p + scan->at;
}

static bool keep_until(struct rewrite *rewrite, const char *end)
{
    rewrite->r = hf_buf_add(&rewrite->redactor->body, rewrite->copied, (size_t)(end - rewrite->copied));
    rewrite->copied = end;
    return rewrite->r == 0;
}

/* Unescapes the inside of a string; without escapes *ret borrows it. */
static int unescape(struct hf_redactor *redactor, struct hf_view inside, bool escaped, struct hf_view *ret)
{
    int r = 0;

    *ret = inside;
    if (!escaped)
        return 0;
    hf_buf_clear(&redactor->key);
    r = hf_buf_reserve(&redactor->key, inside.n);
    if (r == 0)
        *ret = (struct hf_view){redactor->key.p, hf_scan_unescape(inside, redactor->key.p)};
    return r;
}

static bool replace(struct rewrite *rewrite, const struct hf_telemetry_redact *rule, struct hf_view value)
{
    struct hf_buf *body = &rewrite->redactor->body;
    char text[HF_REDACT_HASH_TEXT];
    struct hf_view meant = value;
    bool escaped;

    if (!keep_until(rewrite, value.p))
        return false;
    if (rule->action == HF_REDACT_MASK) {
        rewrite->r = hf_buf_add_str(body, "\"***\"");
    } else {
        struct hf_scan scan;
        hf_scan_init_loose(&scan, value);
        if (value.p[0] == '"' && hf_scan_text(&scan, &meant, &escaped) == 0)
            rewrite->r = unescape(rewrite->redactor, meant, escaped, &meant);
        if (rewrite->r == 0)
            meant = hash_text(meant, text);
        if (rewrite->r == 0)
            rewrite->r = hf_buf_add_str(body, "\"");
        if (rewrite->r == 0)
            rewrite->r = hf_buf_add(body, meant.p, meant.n);
        if (rewrite->r == 0)
            rewrite->r = hf_buf_add_str(body, "\"");
    }
    rewrite->copied = value.p + value.n;
    return rewrite->r == 0;
}

static bool walk(struct rewrite *rewrite, unsigned depth);

/* Reads the members after '{'. `comma`: the comma before this member, if a member before it stays. */
static bool walk_members(struct rewrite *rewrite, unsigned depth)
{
    struct hf_scan *scan = &rewrite->scan;
    const char *comma = NULL;

    for (;;) {
        struct hf_view name, value;
        bool escaped, removed = false;
        (void)hf_scan_next(scan);
        const char *start = cursor(scan);
        if (hf_scan_text(scan, &name, &escaped) < 0)
            return false;
        rewrite->r = unescape(rewrite->redactor, name, escaped, &name);
        const struct hf_telemetry_redact *rule = rewrite->r == 0 ? rule_of(rewrite->redactor, name) : NULL;
        if (rewrite->r < 0 || !hf_scan_char(scan, ':'))
            return false;
        if (rule == NULL) {
            if (!walk(rewrite, depth))
                return false;
        } else {
            rewrite->changed = true;
            rewrite->naming = start;
            removed = rule->action == HF_REDACT_REMOVE;
            if (hf_scan_raw(scan, &value) < 0)
                return false;
            rewrite->naming = NULL;
            if (removed ? !keep_until(rewrite, comma != NULL ? comma : start) : !replace(rewrite, rule, value))
                return false;
            if (removed)
                rewrite->copied = cursor(scan);
        }
        (void)hf_scan_next(scan);
        const char *next = cursor(scan);
        if (hf_scan_char(scan, '}'))
            return true;
        if (!hf_scan_char(scan, ','))
            return false;
        if (!removed)
            comma = next;
        else if (comma != NULL)
            comma = next; /* the next member cuts or copies the text up to it */
        else
            rewrite->copied = cursor(scan); /* nothing stays before: this comma goes too */
    }
}

static bool walk(struct rewrite *rewrite, unsigned depth)
{
    struct hf_scan *scan = &rewrite->scan;
    int c = hf_scan_next(scan);
    bool object = c == '{';

    if (!object && c != '[')
        return hf_scan_raw(scan, NULL) == 0;
    scan->at++;
    if (depth == HF_SCAN_MAX_DEPTH)
        return false;
    if (hf_scan_char(scan, object ? '}' : ']'))
        return true;
    if (object)
        return walk_members(rewrite, depth + 1);
    do {
        if (!walk(rewrite, depth + 1))
            return false;
    } while (hf_scan_char(scan, ','));
    return hf_scan_char(scan, ']');
}

/* A quick test: without the text of a name and without escapes, the body cannot hold the name. */
static bool may_hold(const struct hf_redactor *redactor, struct hf_view body)
{
    if (body.n == 0 || memchr(body.p, '\\', body.n) != NULL)
        return body.n > 0;
    for (size_t i = 0; i < redactor->n_rules; i++)
        if (memmem(body.p, body.n, redactor->rules[i].field, strlen(redactor->rules[i].field)) != NULL)
            return true;
    return false;
}

/* True if \uXXXX may spell a letter of a name. */
static bool has_spelled_letter(struct hf_view text)
{
    const char *end = text.p + text.n, *at = text.p;

    while ((at = memmem(at, (size_t)(end - at), "\\u", 2)) != NULL) {
        at += 2;
        if (end - at >= 4 && isxdigit((unsigned char)at[0]) && isxdigit((unsigned char)at[1]) &&
            isxdigit((unsigned char)at[2]) && isxdigit((unsigned char)at[3]))
            return true;
    }
    return false;
}

/* True if the text has the field, behind a quote if `quoted`. */
static bool has_field(struct hf_view text, const char *field, bool quoted)
{
    const char *end = text.p + text.n, *at = text.p;

    while ((at = memmem(at, (size_t)(end - at), field, strlen(field))) != NULL) {
        if (!quoted || (at > text.p && (at[-1] == '"' || at[-1] == '\'')))
            return true;
        at++;
    }
    return false;
}

/* True if `rest`, where JSON could not be read any further, may hold a member of a rule. Behind '[', a text is often no
 * JSON ("[info] ..."): there the name must have a quote. */
static bool may_hide(const struct hf_redactor *redactor, struct hf_view rest, bool object)
{
    if (has_spelled_letter(rest))
        return true;
    for (size_t i = 0; i < redactor->n_rules; i++) {
        const char *field = redactor->rules[i].field;
        if (has_field(rest, field, !object) ||
            (strpbrk(field, "\"\\/") != NULL && memchr(rest.p, '\\', rest.n) != NULL))
            return true;
    }
    return false;
}

/* Walks through one JSON value after the other. Returns false if the text is no JSON somewhere. */
static bool walk_all(struct rewrite *rewrite)
{
    int c;

    do {
        if (!walk(rewrite, 0))
            return false;
        c = hf_scan_next(&rewrite->scan);
    } while (c == '{' || c == '[');
    return rewrite->scan.at == rewrite->scan.text.n;
}

int hf_redact_body(struct hf_redactor *redactor, struct hf_event *event)
{
    struct rewrite rewrite = {.redactor = redactor, .copied = event->body.p};

    if (redactor->n_rules == 0 || !may_hold(redactor, event->body))
        return 0;
    hf_scan_init_loose(&rewrite.scan, event->body);
    rewrite.scan.at = hf_scan_mark_bytes(event->body);
    int c = hf_scan_next(&rewrite.scan);
    if (c != '{' && c != '[')
        return 0;
    hf_buf_clear(&redactor->body);
    bool whole = walk_all(&rewrite);
    if (rewrite.r < 0)
        return rewrite.r;
    const char *end = rewrite.naming != NULL ? rewrite.naming : cursor(&rewrite.scan);
    const struct hf_view rest = {end, event->body.n - (size_t)(end - event->body.p)};
    if (!rewrite.changed && (whole || !may_hide(redactor, rest, c == '{')))
        return 0;
    if (!keep_until(&rewrite, HF_MAX(end, rewrite.copied)))
        return rewrite.r;
    /* The text that follows where JSON ends in the middle, as in a line that was cut, may hold anything. */
    event->truncated = event->truncated || !whole;
    event->body = hf_buf_view(&redactor->body);
    if (event->checksum.n > 0)
        event->checksum = hf_view_of(hf_sha256_hex(event->body.p, event->body.n, redactor->checksum));
    return 0;
}
