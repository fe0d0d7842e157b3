/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/rules/envelope.h"

#include <errno.h>
#include <string.h>

#include "codec/scan.h"

/* Limit on a list without its items. */
enum { MAX_REST_BYTES = 1 << 20 };

/* ---- brackets and quotes ----------------------------------------------------------------------------------------- */

/* Returns the length of the string at p, with both quotes; 0 if the text ends inside it. */
static size_t string_length(const char *p, size_t n)
{
    for (size_t i = 1; i < n;) {
        i += hf_scan_plain(p + i, n - i);
        if (i < n && p[i] == '"')
            return i + 1;
        i += i < n && p[i] == '\\' ? 2 : 1;
    }
    return 0;
}

/* Returns the length of the object or array at p; 0 if the text ends inside it. */
static size_t container_length(const char *p, size_t n)
{
    size_t depth = 0, step;

    for (size_t i = 0; i < n; i += step) {
        step = 1;
        switch (p[i]) {
        case '"':
            step = string_length(p + i, n - i);
            if (step == 0)
                return 0;
            break;
        case '{':
        case '[':
            depth++;
            break;
        case '}':
        case ']':
            if (--depth == 0)
                return i + 1;
            break;
        default:
            break;
        }
    }
    return 0;
}

static size_t scalar_length(const char *p, size_t n)
{
    size_t i = 0;

    while (i < n && memchr(" \t\r\n,:\"[]{}", p[i], 11) == NULL)
        i++;
    return i;
}

/* Reads a value, whatever is inside it. */
static int take_value(struct hf_scan *scan, struct hf_view *ret_value)
{
    int c = hf_scan_next(scan);
    const char *p = scan->text.p + scan->at;
    size_t left = scan->text.n - scan->at;
    size_t n = c == '{' || c == '[' ? container_length(p, left)
               : c == '"'           ? string_length(p, left)
                                    : scalar_length(p, left);

    if (n == 0)
        return -EBADMSG;
    *ret_value = (struct hf_view){p, n};
    scan->at += n;
    return 0;
}

struct wanted {
    const char *name;
    struct hf_view value; /* as received; p is NULL if the object lacks the member */
};

static int take_member(struct hf_scan *scan, struct wanted *wanted, size_t n)
{
    struct hf_scan_member member = {.escaped = false};
    struct hf_view value;

    if (hf_scan_text(scan, &member.name, &member.escaped) < 0 || !hf_scan_char(scan, ':') ||
        take_value(scan, &value) < 0)
        return -EBADMSG;
    for (size_t i = 0; i < n; i++) {
        if (!hf_scan_is(&member, wanted[i].name))
            continue;
        if (wanted[i].value.p != NULL)
            return -EBADMSG; /* the name comes twice: nobody knows which one counts */
        wanted[i].value = value;
    }
    return 0;
}

/* Finds members of the one object in `text`. */
static int find_members(struct hf_view text, struct wanted *wanted, size_t n)
{
    struct hf_scan scan;
    bool more;

    hf_scan_init(&scan, text);
    if (!hf_scan_char(&scan, '{'))
        return -EBADMSG;
    more = !hf_scan_char(&scan, '}');
    while (more) {
        if (take_member(&scan, wanted, n) < 0)
            return -EBADMSG;
        more = hf_scan_char(&scan, ',');
        if (!more && !hf_scan_char(&scan, '}'))
            return -EBADMSG;
    }
    return hf_scan_next(&scan) < 0 ? 0 : -EBADMSG;
}

/* ---- lists ------------------------------------------------------------------------------------------------------- */

bool hf_envelope_next_item(struct hf_view *items, struct hf_view *ret_item)
{
    struct hf_scan scan;

    hf_scan_init(&scan, *items);
    if (take_value(&scan, ret_item) < 0)
        return false;
    (void)hf_scan_char(&scan, ',');
    *items = (struct hf_view){items->p + scan.at, items->n - scan.at};
    return true;
}

/* Checks that values and commas alternate between the brackets of an array. */
static int check_items(struct hf_view items)
{
    struct hf_scan scan;
    struct hf_view item;

    hf_scan_init(&scan, items);
    if (hf_scan_next(&scan) < 0)
        return 0;
    do {
        if (take_value(&scan, &item) < 0)
            return -EBADMSG;
    } while (hf_scan_char(&scan, ','));
    return hf_scan_next(&scan) < 0 ? 0 : -EBADMSG;
}

static int parse_rest(struct hf_view body, struct hf_view items, json_t **ret_rest, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf rest = HF_BUF_INIT(MAX_REST_BYTES);
    size_t before = (size_t)(items.p - body.p), after = before + items.n;

    int r = hf_buf_add(&rest, body.p, before);
    if (r == 0)
        r = hf_buf_add(&rest, body.p + after, body.n - after);
    if (r < 0)
        return hf_err_sys(err, r, "list without its items");
    return hf_json_parse(hf_buf_view(&rest), NULL, ret_rest, err);
}

int hf_envelope_list(struct hf_view body, json_t **ret_rest, struct hf_view *ret_items, struct hf_err *err)
{
    struct wanted wanted = {.name = "items"};
    struct hf_view items = {body.p + body.n, 0};

    if (find_members(body, &wanted, 1) < 0)
        return hf_err_set(err, EBADMSG, "not one JSON object, or truncated");
    bool is_array = wanted.value.p != NULL && *wanted.value.p == '[';
    if (is_array)
        items = (struct hf_view){wanted.value.p + 1, wanted.value.n - 2};
    if (check_items(items) < 0 || (is_array && items.p[items.n] != ']'))
        return hf_err_set(err, EBADMSG, "'items' is not a JSON array");
    int r = parse_rest(body, items, ret_rest, err);
    if (r == 0)
        *ret_items = items;
    return r;
}

/* ---- objects ----------------------------------------------------------------------------------------------------- */

/* Copies the string `value` without its quotes and escapes. */
static int copy_string(struct hf_view value, char *out, size_t size)
{
    struct hf_scan scan;
    struct hf_scan_value string;

    hf_scan_init(&scan, value);
    if (hf_scan_value(&scan, &string) < 0 || string.type != HF_SCAN_STRING || scan.zero || string.text.n >= size)
        return -EBADMSG;
    out[hf_scan_unescape(string.text, out)] = '\0';
    return 0;
}

int hf_envelope_identify(struct hf_view object, struct hf_envelope_identity *ret_identity)
{
    struct wanted metadata = {.name = "metadata"}, fields[] = {{.name = "name"}, {.name = "resourceVersion"}};
    struct hf_envelope_identity identity = {.name = ""};

    if (find_members(object, &metadata, 1) < 0 || metadata.value.p == NULL ||
        find_members(metadata.value, fields, HF_LEN(fields)) < 0 || fields[0].value.p == NULL ||
        copy_string(fields[0].value, identity.name, sizeof(identity.name)) < 0 || *identity.name == '\0')
        return -EBADMSG;
    if (fields[1].value.p != NULL && copy_string(fields[1].value, identity.version, sizeof(identity.version)) < 0)
        return -EBADMSG;
    *ret_identity = identity;
    return 0;
}

int hf_envelope_event(struct hf_view line, enum hf_watch_type *ret_type, struct hf_view *ret_object)
{
    static const struct {
        const char *name;
        enum hf_watch_type type;
    } types[] = {{"ADDED", HF_WATCH_ADDED}, {"MODIFIED", HF_WATCH_MODIFIED}, {"DELETED", HF_WATCH_DELETED}};
    struct wanted wanted[] = {{.name = "type"}, {.name = "object"}};
    char name[sizeof("MODIFIED")];

    if (find_members(line, wanted, HF_LEN(wanted)) < 0 || wanted[0].value.p == NULL || wanted[1].value.p == NULL ||
        copy_string(wanted[0].value, name, sizeof(name)) < 0)
        return -EBADMSG;
    for (size_t i = 0; i < HF_LEN(types); i++)
        if (strcmp(name, types[i].name) == 0) {
            *ret_type = types[i].type;
            *ret_object = wanted[1].value;
            return 0;
        }
    return -EBADMSG;
}
