#include "telemetry/event/jscan.h"

#include <math.h>

#include "base/parse.h"
#include "base/utf8.h"
#include "codec/scan.h"

/* ---- characters ------------------------------------------------------------------------------------------------------ */

void hf_jscan_space(struct hf_jscan *scan)
{
    while (scan->p < scan->end && (*scan->p == ' ' || *scan->p == '\n' || *scan->p == '\t' || *scan->p == '\r'))
        scan->p++;
}

bool hf_jscan_char(struct hf_jscan *scan, char c)
{
    hf_jscan_space(scan);
    if (scan->p == scan->end || *scan->p != c)
        return false;
    scan->p++;
    return true;
}

/* ---- strings --------------------------------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* At a backslash. */
static bool skip_escape(struct hf_jscan *scan)
{
    size_t left = (size_t)(scan->end - scan->p);

    if (left < 2 || scan->p[1] == '\0' || strchr("\"\\/bfnrtu", scan->p[1]) == NULL)
        return false;
    if (scan->p[1] != 'u') {
        scan->p += 2;
        return true;
    }
    for (size_t i = 2; i < 6; i++)
        if (i >= left || hex_digit(scan->p[i]) < 0)
            return false;
    scan->p += 6;
    return true;
}

bool hf_jscan_string(struct hf_jscan *scan, struct hf_view *ret_inside, bool *ret_escaped)
{
    bool escaped = false;

    if (!hf_jscan_char(scan, '"'))
        return false;
    const char *start = scan->p;
    for (;;) {
        scan->p += hf_scan_plain(scan->p, (size_t)(scan->end - scan->p));
        if (scan->p == scan->end)
            return false;
        if (*scan->p == '"')
            break;
        if (*scan->p == '\\') {
            if (!skip_escape(scan))
                return false;
            escaped = true;
            continue;
        }
        size_t step = (unsigned char)*scan->p >= 0x80 ? hf_utf8_length(scan->p, (size_t)(scan->end - scan->p)) : 0;
        if (step == 0)
            return false;
        scan->p += step;
    }
    *ret_inside = (struct hf_view){start, (size_t)(scan->p - start)};
    *ret_escaped = escaped;
    scan->p++;
    return true;
}

static unsigned hex4(const char *p)
{
    unsigned value = 0;

    for (size_t i = 0; i < 4; i++)
        value = value << 4 | (unsigned)hex_digit(p[i]);
    return value;
}

/* At "uXXXX"; returns how much of the text it was. */
static size_t take_unicode(const char *p, size_t n, char *out, size_t *out_n)
{
    unsigned point = hex4(p + 1), low;
    size_t used = 5;

    if (point >= 0xd800 && point < 0xdc00 && n >= 11 && p[5] == '\\' && p[6] == 'u') {
        low = hex4(p + 7);
        if (low >= 0xdc00 && low < 0xe000) {
            point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
            used = 11;
        }
    }
    if (point >= 0xd800 && point < 0xe000)
        point = 0xfffd;
    *out_n += hf_utf8_put(point, out + *out_n);
    return used;
}

size_t hf_jscan_unescape(struct hf_view inside, char *out)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const char *p = inside.p, *end = p + inside.n;
    size_t n = 0;

    while (p < end) {
        const char *next = memchr(p, '\\', (size_t)(end - p));
        size_t run = (size_t)((next != NULL ? next : end) - p);
        memcpy(out + n, p, run);
        n += run;
        p += run;
        if (p == end)
            break;
        p++;
        if (*p == 'u') {
            p += take_unicode(p, (size_t)(end - p), out, &n);
            continue;
        }
        const char *at = strchr(from, *p);
        out[n++] = at != NULL ? to[at - from] : *p;
        p++;
    }
    return n;
}

/* ---- numbers --------------------------------------------------------------------------------------------------------- */

static bool is_digit(const struct hf_jscan *scan)
{
    return scan->p < scan->end && *scan->p >= '0' && *scan->p <= '9';
}

static bool skip_digits(struct hf_jscan *scan)
{
    if (!is_digit(scan))
        return false;
    while (is_digit(scan))
        scan->p++;
    return true;
}

static bool skip_char(struct hf_jscan *scan, char a, char b)
{
    if (scan->p == scan->end || (*scan->p != a && *scan->p != b))
        return false;
    scan->p++;
    return true;
}

bool hf_jscan_number(struct hf_jscan *scan, struct hf_view *ret_text)
{
    hf_jscan_space(scan);
    const char *start = scan->p;

    (void)skip_char(scan, '-', '-');
    if (skip_char(scan, '0', '0')) {
        if (is_digit(scan))
            return false;
    } else if (!skip_digits(scan)) {
        return false;
    }
    if (skip_char(scan, '.', '.') && !skip_digits(scan))
        return false;
    if (skip_char(scan, 'e', 'E')) {
        (void)skip_char(scan, '+', '-');
        if (!skip_digits(scan))
            return false;
    }
    *ret_text = (struct hf_view){start, (size_t)(scan->p - start)};
    return true;
}

bool hf_jscan_u64(struct hf_view text, uint64_t *ret_value)
{
    uint64_t value = 0;

    if (text.n == 0)
        return false;
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < '0' || text.p[i] > '9' || __builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text.p[i] - '0'), &value))
            return false;
    *ret_value = value;
    return true;
}

/* Exact where digits and power of ten are both exact doubles (Clinger 1990); strtod for the rest. */
double hf_jscan_double(struct hf_view text)
{
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    size_t i = text.n > 0 && text.p[0] == '-', digits = 0, after = 0;
    bool negative = i > 0, point = false;
    uint64_t value = 0;
    char copy[400];

    for (; i < text.n && digits <= 18; i++) {
        if (text.p[i] == '.') {
            point = true;
            continue;
        }
        if (text.p[i] < '0' || text.p[i] > '9')
            break;
        value = value * 10 + (uint64_t)(text.p[i] - '0');
        digits += value > 0;
        after += point;
    }
    if (i == text.n && value <= 1ull << 53 && after < HF_LEN(tens)) {
        double exact = (double)value / tens[after];
        return negative ? -exact : exact;
    }
    if (text.n >= sizeof(copy))
        return NAN;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    return strtod(copy, NULL);
}

/* ---- values ---------------------------------------------------------------------------------------------------------- */

static bool skip_word(struct hf_jscan *scan, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(scan->end - scan->p) < n || memcmp(scan->p, word, n) != 0)
        return false;
    scan->p += n;
    return true;
}

static bool skip_scalar(struct hf_jscan *scan)
{
    struct hf_view ignored;
    bool escaped;

    switch (*scan->p) {
    case '"':
        return hf_jscan_string(scan, &ignored, &escaped);
    case 't':
        return skip_word(scan, "true");
    case 'f':
        return skip_word(scan, "false");
    case 'n':
        return skip_word(scan, "null");
    default:
        return hf_jscan_number(scan, &ignored);
    }
}

static bool skip_key(struct hf_jscan *scan)
{
    struct hf_view ignored;
    bool escaped;

    return hf_jscan_string(scan, &ignored, &escaped) && hf_jscan_char(scan, ':');
}

/* One bit per level: whether it is an object. */
bool hf_jscan_value(struct hf_jscan *scan, struct hf_view *ret_value)
{
    uint64_t objects = 0;
    unsigned depth = 0;

    hf_jscan_space(scan);
    const char *start = scan->p;
    for (;;) {
        hf_jscan_space(scan);
        if (scan->p == scan->end)
            return false;
        if (*scan->p == '{' || *scan->p == '[') {
            bool object = *scan->p == '{';
            scan->p++;
            if (depth == HF_JSCAN_MAX_DEPTH)
                return false;
            if (!hf_jscan_char(scan, object ? '}' : ']')) {
                depth++;
                objects = objects << 1 | object;
                if (object && !skip_key(scan))
                    return false;
                continue;
            }
        } else if (!skip_scalar(scan)) {
            return false;
        }
        /* A value has ended: what follows belongs to what it is in. */
        while (depth > 0 && hf_jscan_char(scan, (objects & 1) != 0 ? '}' : ']')) {
            depth--;
            objects >>= 1;
        }
        if (depth == 0)
            break;
        if (!hf_jscan_char(scan, ',') || ((objects & 1) != 0 && !skip_key(scan)))
            return false;
    }
    if (ret_value != NULL)
        *ret_value = (struct hf_view){start, (size_t)(scan->p - start)};
    return true;
}
