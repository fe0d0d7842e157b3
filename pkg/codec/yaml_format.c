/* SPDX-License-Identifier: Apache-2.0 */
/* Block-style YAML for people: the shape `kubectl get -o yaml` has (list items at the indentation of their key), long
 * texts as literal blocks, and quotes wherever a YAML 1.1 or 1.2 reader could take a string for something else. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "codec/json.h"
#include "codec/yaml_scalar.h"

enum {
    MAX_DEPTH = 128,
    MAX_SIMPLE_KEY = 900, /* readers give up on longer keys in front of ':' (1024 with indentation) */
};

static int add_node(struct hf_buf *out, const json_t *json, unsigned indent, unsigned depth, bool after_key);

static int add_spaces(struct hf_buf *out, unsigned n)
{
    return hf_buf_addf(out, "%*s", (int)n, "");
}

/* ---- strings ----------------------------------------------------------------------------------------------------- */

static bool is_word_of_yaml_1_1(const char *text)
{
    static const char *const words[] = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "<<", "="};

    for (size_t i = 0; i < HF_LEN(words); i++)
        if (strcasecmp(text, words[i]) == 0)
            return true;
    return false;
}

/* Numbers with '_' or ':' (sexagesimal), and dates, are not strings for YAML 1.1. */
static bool is_number_of_yaml_1_1(const char *text, size_t n)
{
    bool starts = (text[0] >= '0' && text[0] <= '9') || (strchr("+-.", text[0]) != NULL && n > 1);
    bool date = n >= 8 && strspn(text, "0123456789") == 4 && text[4] == '-';

    return starts && (date || text[strspn(text, "0123456789_:.+-eExXoOabcdefABCDEF")] == '\0') &&
           (date || strpbrk(text, "_:") != NULL || strncmp(text, "0b", 2) == 0);
}

static bool is_plain_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-_./+@=", c) != NULL;
}

/* May stand there bare, in any reader. Strict: quotes never hurt. */
static bool is_plain(const char *text, size_t n)
{
    int64_t integer;
    double real;

    if (n == 0 || strlen(text) != n || strchr("-=@", text[0]) != NULL || !is_plain_byte(text[0]) ||
        strncmp(text, "...", 3) == 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        bool inner = i > 0 && i + 1 < n;
        if (text[i] == ' ' ? !(inner && text[i + 1] != ' ')
                           : !(is_plain_byte(text[i]) || (inner && strchr(":(),%?&~;$", text[i]) != NULL)))
            return false;
        if (text[i] == ':' && text[i + 1] == ' ')
            return false;
    }
    return hf_yaml_scalar_meaning(text, &integer, &real) == HF_YAML_STRING && !is_word_of_yaml_1_1(text) &&
           !is_number_of_yaml_1_1(text, n);
}

/* Decode one code point of valid UTF-8. */
static size_t take_code_point(const unsigned char *p, uint32_t *ret)
{
    if (p[0] < 0x80)
        return *ret = p[0], 1;
    if (p[0] < 0xe0)
        return *ret = (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3fu), 2;
    if (p[0] < 0xf0)
        return *ret = (uint32_t)(p[0] & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3fu), 3;
    *ret =
        (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3f) << 12 | (uint32_t)(p[2] & 0x3f) << 6 | (p[3] & 0x3fu);
    return 4;
}

/* Not printable in YAML (5.1), or a line break to some readers. */
static bool needs_escape(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point <= 0xa0) || point == 0x2028 || point == 0x2029 || point == 0xfeff ||
           point == 0xfffe || point == 0xffff;
}

static int add_escape(struct hf_buf *out, uint32_t point)
{
    switch (point) {
    case '\n':
        return hf_buf_add_str(out, "\\n");
    case '\t':
        return hf_buf_add_str(out, "\\t");
    case '\r':
        return hf_buf_add_str(out, "\\r");
    case '"':
        return hf_buf_add_str(out, "\\\"");
    case '\\':
        return hf_buf_add_str(out, "\\\\");
    default:
        return hf_buf_addf(out, "\\u%04" PRIX32, point);
    }
}

static int add_quoted(struct hf_buf *out, const char *text, size_t n)
{
    int r = hf_buf_add_str(out, "\"");

    for (size_t i = 0, used; r == 0 && i < n; i += used) {
        uint32_t point;

        used = take_code_point((const unsigned char *)text + i, &point);
        if (point == '"' || point == '\\' || needs_escape(point))
            r = add_escape(out, point);
        else
            r = hf_buf_add(out, text + i, used);
    }
    return r < 0 ? r : hf_buf_add_str(out, "\"");
}

/* Several lines of printable text, none blank at its end or indented at the start of the whole: a literal block. */
static bool is_block(const char *text, size_t n)
{
    if (n < 2 || text[0] == ' ' || text[0] == '\n' || text[0] == '\t' || memchr(text, '\n', n - 1) == NULL)
        return false;
    if (text[n - 1] == '\n' && text[n - 2] == '\n')
        return false;
    for (size_t i = 0, used; i < n; i += used) {
        uint32_t point;

        used = take_code_point((const unsigned char *)text + i, &point);
        if (needs_escape(point) && point != '\n' && point != '\t')
            return false;
        if ((point == ' ' || point == '\t') && (i + 1 == n || text[i + 1] == '\n'))
            return false;
    }
    return true;
}

static int add_block(struct hf_buf *out, struct hf_view text, unsigned indent)
{
    bool ends = text.p[text.n - 1] == '\n';
    struct hf_view line;
    int r = hf_buf_add_str(out, ends ? "|\n" : "|-\n");

    text.n -= ends;
    for (bool first = true; r == 0 && hf_view_split(&text, '\n', &line); first = false) {
        r = first ? 0 : hf_buf_add_str(out, "\n");
        if (r == 0 && line.n > 0)
            r = add_spaces(out, indent);
        if (r == 0)
            r = hf_buf_add(out, line.p, line.n);
    }
    return r;
}

static int add_string(struct hf_buf *out, const json_t *json, unsigned indent)
{
    const char *text = json_string_value(json);
    size_t n = json_string_length(json);

    if (is_plain(text, n))
        return hf_buf_add(out, text, n);
    if (is_block(text, n))
        return add_block(out, (struct hf_view){text, n}, indent);
    return add_quoted(out, text, n);
}

/* ---- everything else --------------------------------------------------------------------------------------------- */

/* The shortest of the forms that read back as the same number. */
static int add_real(struct hf_buf *out, const json_t *json)
{
    for (size_t precision = 15; precision < 17; precision++) {
        char text[64];
        size_t n = json_dumpb(json, text, sizeof(text) - 1, JSON_ENCODE_ANY | JSON_REAL_PRECISION(precision));

        text[HF_MIN(n, sizeof(text) - 1)] = '\0';
        if (n > 0 && n < sizeof(text) && strtod(text, NULL) - json_real_value(json) == 0)
            return hf_buf_add(out, text, n);
    }
    return hf_json_format(json, out);
}

static int add_scalar(struct hf_buf *out, const json_t *json, unsigned indent)
{
    if (json_is_string(json))
        return add_string(out, json, indent);
    if (json_is_object(json))
        return hf_buf_add_str(out, "{}");
    if (json_is_array(json))
        return hf_buf_add_str(out, "[]");
    if (json_is_real(json))
        return add_real(out, json);
    return hf_json_format(json, out);
}

static bool is_filled(const json_t *json)
{
    return (json_is_object(json) && json_object_size(json) > 0) || (json_is_array(json) && json_array_size(json) > 0);
}

static int add_key(struct hf_buf *out, const char *key, size_t n)
{
    bool simple = n <= MAX_SIMPLE_KEY;
    size_t before = out->n;
    int r = simple ? 0 : hf_buf_add_str(out, "? ");

    if (r == 0)
        r = is_plain(key, n) ? hf_buf_add(out, key, n) : add_quoted(out, key, n);
    if (r < 0 || !simple)
        return r;
    /* Escapes may have made it too long after all. */
    if (out->n - before > MAX_SIMPLE_KEY) {
        r = hf_buf_reserve(out, 2);
        if (r < 0)
            return r;
        memmove(out->p + before + 2, out->p + before, out->n - before + 1);
        memcpy(out->p + before, "? ", 2);
        out->n += 2;
    }
    return 0;
}

static int add_member(struct hf_buf *out, void *member, unsigned indent, unsigned depth)
{
    const json_t *value = json_object_iter_value(member);
    size_t before = out->n;
    int r = add_key(out, json_object_iter_key(member), json_object_iter_key_len(member));

    if (r == 0 && out->p[before] == '?' && out->p[before + 1] == ' ') {
        r = hf_buf_add_str(out, "\n");
        if (r == 0)
            r = add_spaces(out, indent);
    }
    if (r == 0)
        r = hf_buf_add_str(out, ":");
    return r < 0 ? r : add_node(out, value, indent, depth, true);
}

static int add_object(struct hf_buf *out, const json_t *json, unsigned indent, unsigned depth)
{
    json_t *object = hf_json_mutable(json);
    int r = 0;

    for (void *it = json_object_iter(object); r == 0 && it != NULL;) {
        r = add_member(out, it, indent, depth);
        it = json_object_iter_next(object, it);
        if (r == 0 && it != NULL)
            r = hf_buf_add_str(out, "\n");
        if (r == 0 && it != NULL)
            r = add_spaces(out, indent);
    }
    return r;
}

static int add_array(struct hf_buf *out, const json_t *json, unsigned indent, unsigned depth)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < json_array_size(json); i++) {
        if (i > 0)
            r = hf_buf_add_str(out, "\n");
        if (r == 0 && i > 0)
            r = add_spaces(out, indent);
        if (r == 0)
            r = hf_buf_add_str(out, "- ");
        if (r == 0)
            r = add_node(out, json_array_get(json, i), indent + 2, depth, false);
    }
    return r;
}

/* The caller stands behind "key:", behind "- ", or at the start; the first line goes there. */
static int add_node(struct hf_buf *out, const json_t *json, unsigned indent, unsigned depth, bool after_key)
{
    unsigned inner = indent;
    int r = 0;

    if (depth >= MAX_DEPTH)
        return -E2BIG;
    if (!is_filled(json)) {
        r = after_key ? hf_buf_add_str(out, " ") : 0;
        return r < 0 ? r : add_scalar(out, json, after_key ? indent + 2 : HF_MAX(indent, 2u));
    }
    if (after_key) {
        inner = json_is_array(json) ? indent : indent + 2;
        r = hf_buf_add_str(out, "\n");
        if (r == 0)
            r = add_spaces(out, inner);
    }
    if (r < 0)
        return r;
    return json_is_object(json) ? add_object(out, json, inner, depth + 1) : add_array(out, json, inner, depth + 1);
}

int hf_yaml_format(const json_t *json, struct hf_buf *out)
{
    size_t before = out->n;
    int r = add_node(out, json, 0, 0, false);

    if (r == 0)
        r = hf_buf_add_str(out, "\n");
    if (r < 0)
        hf_buf_cut(out, before);
    return r;
}
