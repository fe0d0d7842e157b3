/* One byte after the other with a bit for each open bracket, strings eight bytes at a time. */
#include "codec/scan.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/utf8.h"

void hf_scan_init(struct hf_scan *scan, struct hf_view text)
{
    *scan = (struct hf_scan){.text = text};
}

static int fail(struct hf_scan *scan, const char *what, size_t at)
{
    if (scan->what == NULL) {
        scan->what = what;
        scan->at = HF_MIN(at, scan->text.n);
    }
    return -EBADMSG;
}

/* The next byte that is no blank, or -1 at the end. */
static int after_blanks(struct hf_scan *scan)
{
    const char *p = scan->text.p + scan->at, *end = scan->text.p + scan->text.n;

    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    scan->at = (size_t)(p - scan->text.p);
    return p < end ? (unsigned char)*p : -1;
}

/* ---- strings --------------------------------------------------------------------------------------------------------- */

/* Which bytes of the word are a quote, a backslash, a control character or not ASCII: their high bit is set, exact up to and
 * including the first one. */
static uint64_t special(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\';

    return ((quote - ones) | (backslash - ones) | (word - ones * 0x20) | word) & highs;
}

size_t hf_scan_plain(const char *p, size_t n)
{
    size_t i = 0;

    for (; n - i >= 8; i += 8) {
        uint64_t word;
        memcpy(&word, p + i, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        word = __builtin_bswap64(word);
#endif
        uint64_t found = special(word);
        if (found != 0)
            return i + (size_t)(__builtin_ctzll(found) >> 3);
    }
    while (i < n && p[i] != '"' && p[i] != '\\' && (unsigned char)p[i] >= 0x20 && (unsigned char)p[i] < 0x80)
        i++;
    return i;
}

static int hex4(const char *p, const char *end)
{
    int value = 0;

    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int c = (unsigned char)p[i], digit;
        if (c >= '0' && c <= '9')
            digit = c - '0';
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            digit = (c | 0x20) - 'a' + 10;
        else
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* The code point of the escape at p ('\\' there), *ret_n its length; -1: it is none. */
static long escape(const char *p, const char *end, size_t *ret_n)
{
    static const char letters[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";

    if (end - p < 2)
        return -1;
    if (p[1] != 'u') {
        const char *letter = memchr(letters, p[1], sizeof(letters) - 1);
        *ret_n = 2;
        return letter != NULL ? means[letter - letters] : -1;
    }
    long point = hex4(p + 2, end);
    *ret_n = 6;
    if (point < 0 || (point >= 0xdc00 && point <= 0xdfff))
        return -1;
    if (point < 0xd800 || point > 0xdbff)
        return point;
    if (end - p < 12 || p[6] != '\\' || p[7] != 'u')
        return -1;
    long low = hex4(p + 8, end);
    if (low < 0xdc00 || low > 0xdfff)
        return -1;
    *ret_n = 12;
    return 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
}

/* At the opening quote. Leaves the scan behind the closing one. */
static int take_string(struct hf_scan *scan, struct hf_view *ret_text, bool *ret_escaped)
{
    const char *begin = scan->text.p + scan->at + 1, *end = scan->text.p + scan->text.n, *p = begin;
    bool escaped = false;

    for (;;) {
        p += hf_scan_plain(p, (size_t)(end - p));
        if (p >= end)
            return fail(scan, "the text ends inside a string", scan->text.n);
        size_t n = 0;
        if (*p == '"')
            break;
        if (*p == '\\') {
            if (escape(p, end, &n) < 0)
                return fail(scan, "an escape that is none", (size_t)(p - scan->text.p));
            escaped = true;
        } else if ((unsigned char)*p < 0x20) {
            return fail(scan, "a control character inside a string", (size_t)(p - scan->text.p));
        } else {
            n = hf_utf8_length(p, (size_t)(end - p));
            if (n == 0)
                return fail(scan, "text that is not UTF-8", (size_t)(p - scan->text.p));
        }
        p += n;
    }
    *ret_text = (struct hf_view){begin, (size_t)(p - begin)};
    *ret_escaped = escaped;
    scan->at = (size_t)(p + 1 - scan->text.p);
    return 0;
}

/* ---- numbers and words ----------------------------------------------------------------------------------------------- */

static bool is_digit(const char *p, const char *end)
{
    return p < end && *p >= '0' && *p <= '9';
}

static double to_double(struct hf_view text)
{
    char copy[HF_SCAN_MAX_NUMBER + 1];

    if (text.n > HF_SCAN_MAX_NUMBER)
        return NAN;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    return strtod(copy, NULL);
}

static const char *skip_digits(const char *p, const char *end)
{
    while (is_digit(p, end))
        p++;
    return p;
}

static int take_number(struct hf_scan *scan)
{
    const char *begin = scan->text.p + scan->at, *end = scan->text.p + scan->text.n, *p = begin;

    p += *p == '-';
    if (!is_digit(p, end))
        return fail(scan, "no value begins here", scan->at);
    const char *digits = p;
    p = *p == '0' ? p + 1 : skip_digits(p, end);
    bool plain = p - digits < 300;
    if (p < end && *p == '.') {
        if (!is_digit(p + 1, end))
            return fail(scan, "a number without digits behind its point", (size_t)(p - scan->text.p));
        p = skip_digits(p + 1, end);
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        p += p < end && (*p == '+' || *p == '-');
        if (!is_digit(p, end))
            return fail(scan, "a number without digits in its exponent", (size_t)(p - scan->text.p));
        p = skip_digits(p, end);
        plain = false;
    }
    const struct hf_view text = {begin, (size_t)(p - begin)};
    if (text.n > HF_SCAN_MAX_NUMBER || (!plain && !isfinite(to_double(text))))
        return fail(scan, "a number that is too large", scan->at);
    if (p < end && memchr(" \t\r\n,]}", *p, 7) == NULL)
        return fail(scan, "a number that does not end as one", (size_t)(p - scan->text.p));
    scan->at += text.n;
    return 0;
}

static int take_word(struct hf_scan *scan, const char *word, size_t n)
{
    if (scan->text.n - scan->at < n || memcmp(scan->text.p + scan->at, word, n) != 0)
        return fail(scan, "no value begins here", scan->at);
    scan->at += n;
    return 0;
}

/* What is no object and no array, its first byte being c. */
static int take_scalar(struct hf_scan *scan, int c, struct hf_scan_value *value)
{
    size_t begin = scan->at;
    int r;

    value->escaped = false;
    switch (c) {
    case '"':
        value->type = HF_SCAN_STRING;
        return take_string(scan, &value->text, &value->escaped);
    case 't':
        value->type = HF_SCAN_TRUE;
        r = take_word(scan, "true", 4);
        break;
    case 'f':
        value->type = HF_SCAN_FALSE;
        r = take_word(scan, "false", 5);
        break;
    case 'n':
        value->type = HF_SCAN_NULL;
        r = take_word(scan, "null", 4);
        break;
    case -1:
        return fail(scan, "the text ends where a value should be", scan->text.n);
    default:
        value->type = HF_SCAN_NUMBER;
        r = take_number(scan);
    }
    value->text = (struct hf_view){scan->text.p + begin, scan->at - begin};
    return r;
}

/* ---- what is nested -------------------------------------------------------------------------------------------------- */

/* A name and its colon. Leaves the scan at the value. */
static int take_name(struct hf_scan *scan, int c, struct hf_view *ret_name, bool *ret_escaped)
{
    if (c != '"')
        return fail(scan, c < 0 ? "the text ends inside an object" : "no name of a member begins here", scan->at);
    int r = take_string(scan, ret_name, ret_escaped);
    if (r < 0)
        return r;
    if (after_blanks(scan) != ':')
        return fail(scan, "no colon behind the name of a member", scan->at);
    scan->at++;
    return 0;
}

/* Brackets that are open: the lowest bit is the innermost one. */
struct nesting {
    uint64_t objects; /* 1: an object */
    unsigned depth;
};

/* At an opening bracket. 1: it holds something and the scan is where its first value begins, 0: it was closed again. */
static int open_bracket(struct hf_scan *scan, struct nesting *nesting, int c)
{
    struct hf_view name;
    bool escaped;

    scan->at++;
    int next = after_blanks(scan);
    if (next == (c == '{' ? '}' : ']')) {
        scan->at++;
        return 0;
    }
    nesting->objects = nesting->objects << 1 | (c == '{');
    nesting->depth++;
    if (c == '{') {
        int r = take_name(scan, next, &name, &escaped);
        if (r < 0)
            return r;
    }
    return 1;
}

/* Behind a value. 1: the scan is where the next one begins, 0: everything is closed. */
static int after_value(struct hf_scan *scan, struct nesting *nesting)
{
    struct hf_view name;
    bool escaped;

    while (nesting->depth > 0) {
        bool object = (nesting->objects & 1) != 0;
        int c = after_blanks(scan);
        if (c == ',') {
            scan->at++;
            int r = object ? take_name(scan, after_blanks(scan), &name, &escaped) : 0;
            return r < 0 ? r : 1;
        }
        if (c != (object ? '}' : ']'))
            return fail(scan, c < 0 ? "the text ends before a bracket is closed" : "no comma and no end of the bracket",
                        scan->at);
        scan->at++;
        nesting->objects >>= 1;
        nesting->depth--;
    }
    return 0;
}

/* An object or an array at the cursor, its inside included. `outer`: brackets that are open already. */
static int take_nested(struct hf_scan *scan, unsigned outer)
{
    struct nesting nesting = {.depth = 0};
    struct hf_scan_value inner;
    int r;

    do {
        int c = after_blanks(scan);
        if (c == '{' || c == '[') {
            if (outer + nesting.depth >= HF_SCAN_MAX_DEPTH)
                return fail(scan, "nested too deeply", scan->at);
            r = open_bracket(scan, &nesting, c);
            if (r > 0)
                continue;
        } else {
            r = take_scalar(scan, c, &inner);
        }
        if (r == 0)
            r = after_value(scan, &nesting);
    } while (r > 0);
    return r;
}

static int take_value(struct hf_scan *scan, unsigned outer, struct hf_scan_value *value)
{
    int c = after_blanks(scan);
    size_t begin = scan->at;

    if (c != '{' && c != '[')
        return take_scalar(scan, c, value);
    int r = take_nested(scan, outer);
    *value = (struct hf_scan_value){.type = c == '{' ? HF_SCAN_OBJECT : HF_SCAN_ARRAY,
                                    .text = {scan->text.p + begin, scan->at - begin}};
    return r;
}

int hf_scan_value(struct hf_scan *scan, struct hf_scan_value *ret_value)
{
    struct hf_scan_value value;

    if (scan->what != NULL)
        return -EBADMSG;
    int r = take_value(scan, 0, &value);
    if (r == 0)
        *ret_value = value;
    return r;
}

/* ---- taking apart ---------------------------------------------------------------------------------------------------- */

/* The next character of a name, its escapes resolved if it has any; 0 at its end. */
static long next_char(const char **p, const char *end, bool escaped)
{
    size_t n = 1;
    long c;

    if (*p >= end)
        return 0;
    if (escaped && **p == '\\') {
        c = escape(*p, end, &n);
        c = c == 0 ? -2 : c; /* U+0000 is not the end */
    } else if ((unsigned char)**p < 0x80) {
        c = (unsigned char)**p;
    } else {
        const unsigned char *b = (const unsigned char *)*p;
        n = hf_utf8_length(*p, (size_t)(end - *p));
        c = n == 2   ? (b[0] & 0x1f) << 6 | (b[1] & 0x3f)
            : n == 3 ? (b[0] & 0x0f) << 12 | (b[1] & 0x3f) << 6 | (b[2] & 0x3f)
                     : (b[0] & 0x07) << 18 | (b[1] & 0x3f) << 12 | (b[2] & 0x3f) << 6 | (b[3] & 0x3f);
    }
    *p += n;
    return c;
}

static bool same_name(struct hf_view a, bool a_escaped, struct hf_view b, bool b_escaped)
{
    if (!a_escaped && !b_escaped)
        return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
    const char *pa = a.p, *pb = b.p;
    for (;;) {
        long ca = next_char(&pa, a.p + a.n, a_escaped), cb = next_char(&pb, b.p + b.n, b_escaped);
        if (ca != cb)
            return false;
        if (ca == 0)
            return true;
    }
}

bool hf_scan_is(const struct hf_scan_member *member, const char *name)
{
    return same_name(member->name, member->escaped, hf_view_of(name), false);
}

static bool is_repeated(const struct hf_scan_member *members, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (same_name(members[i].name, members[i].escaped, members[n].name, members[n].escaped))
            return true;
    return false;
}

int hf_scan_members(struct hf_scan *scan, struct hf_scan_member *members, size_t max, size_t *ret_n)
{
    size_t n = 0;
    int c;

    if (scan->what != NULL)
        return -EBADMSG;
    if (after_blanks(scan) != '{')
        return fail(scan, "no object begins here", scan->at);
    scan->at++;
    c = after_blanks(scan);
    while (n > 0 || c != '}') {
        size_t begin = scan->at;
        if (n == max)
            return fail(scan, "too many members", scan->at);
        int r = take_name(scan, c, &members[n].name, &members[n].escaped);
        if (r == 0 && is_repeated(members, n))
            r = fail(scan, "a member that was there already", begin);
        if (r == 0)
            r = take_value(scan, 1, &members[n].value);
        if (r < 0)
            return r;
        n++;
        c = after_blanks(scan);
        if (c == '}')
            break;
        if (c != ',')
            return fail(scan, c < 0 ? "the text ends before a bracket is closed" : "no comma and no end of the bracket",
                        scan->at);
        scan->at++;
        c = after_blanks(scan);
    }
    scan->at++;
    *ret_n = n;
    return 0;
}

int hf_scan_array_enter(struct hf_scan *scan)
{
    if (scan->what != NULL)
        return -EBADMSG;
    if (after_blanks(scan) != '[')
        return fail(scan, "no array begins here", scan->at);
    scan->at++;
    return 0;
}

int hf_scan_array_next(struct hf_scan *scan, bool first)
{
    if (scan->what != NULL)
        return -EBADMSG;
    int c = after_blanks(scan);
    if (c == ']') {
        scan->at++;
        return 0;
    }
    if (first && c >= 0)
        return 1;
    if (c != ',')
        return fail(scan, c < 0 ? "the text ends before a bracket is closed" : "no comma and no end of the bracket",
                    scan->at);
    scan->at++;
    if (after_blanks(scan) == ']')
        return fail(scan, "no value begins here", scan->at);
    return 1;
}

int hf_scan_end(struct hf_scan *scan)
{
    if (scan->what != NULL)
        return -EBADMSG;
    return after_blanks(scan) < 0 ? 0 : fail(scan, "something behind the end", scan->at);
}

int hf_scan_peek(struct hf_scan *scan)
{
    if (scan->what != NULL)
        return -EBADMSG;
    int c = after_blanks(scan);
    switch (c) {
    case '{':
        return HF_SCAN_OBJECT;
    case '[':
        return HF_SCAN_ARRAY;
    case '"':
        return HF_SCAN_STRING;
    case 't':
        return HF_SCAN_TRUE;
    case 'f':
        return HF_SCAN_FALSE;
    case 'n':
        return HF_SCAN_NULL;
    case -1:
        return fail(scan, "the text ends where a value should be", scan->text.n);
    default:
        return c == '-' || (c >= '0' && c <= '9') ? HF_SCAN_NUMBER : fail(scan, "no value begins here", scan->at);
    }
}

/* ---- what values say ------------------------------------------------------------------------------------------------- */

int hf_scan_string(const struct hf_scan_value *value, struct hf_buf *scratch, struct hf_view *ret_text)
{
    const char *p = value->text.p, *end = p + value->text.n;
    size_t begin = scratch->n;

    if (!value->escaped) {
        *ret_text = value->text;
        return 0;
    }
    int r = hf_buf_reserve(scratch, value->text.n); /* never longer than it is written */
    if (r < 0)
        return r;
    while (p < end) {
        const char *run = p;
        while (p < end && *p != '\\')
            p++;
        memcpy(scratch->p + scratch->n, run, (size_t)(p - run));
        scratch->n += (size_t)(p - run);
        if (p == end)
            break;
        size_t n = 2;
        long point = escape(p, end, &n);
        if (point <= 0) {
            scratch->n = begin;
            scratch->p[begin] = '\0';
            return -EINVAL;
        }
        scratch->n += hf_utf8_put((uint32_t)point, scratch->p + scratch->n);
        p += n;
    }
    scratch->p[scratch->n] = '\0';
    *ret_text = (struct hf_view){scratch->p + begin, scratch->n - begin};
    return 0;
}

double hf_scan_number(const struct hf_scan_value *value)
{
    return value->type == HF_SCAN_NUMBER ? to_double(value->text) : NAN;
}
