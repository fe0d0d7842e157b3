/* SPDX-License-Identifier: Apache-2.0 */
/* Skips strings eight bytes at a time, everything else byte by byte with a bit for each open bracket.
 *
 * Duplicate names of a nested object: each name leaves a 32-bit hash (of its first and last eight bytes and its length,
 * escapes resolved). It compares the first names of an object as they come, the others when the object ends, in buckets
 * by hash; where too many fall into the same ones it sorts them by hash and then by name, so that no choice of names
 * costs more than n log n comparisons.
 *
 * Integers outside int64 are doubles, as for Kubernetes: its servers write doubles below 1e21 without exponent, and our
 * encoder metrics up to 2^64. */
#include "codec/scan.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding/hex.h"
#include "base/encoding/utf8.h"
#include "base/endian.h"

enum {
    FEW_NAMES = 16, /* an object's first names: compared at once */
    BUCKETS = 512,
    MAX_STEPS = 8, /* through a bucket, for each name */
};
#define ESCAPED_NAME (1u << 31) /* flag in hf_scan_name.n */

void hf_scan_init(struct hf_scan *scan, struct hf_view text)
{
    *scan = (struct hf_scan){.text = text};
}

void hf_scan_init_loose(struct hf_scan *scan, struct hf_view text)
{
    *scan = (struct hf_scan){.text = text, .loose = true};
}

size_t hf_scan_mark_bytes(struct hf_view text)
{
    return hf_view_starts(text, "\xef\xbb\xbf") ? 3 : 0;
}

static int fail_with(struct hf_scan *scan, int code, const char *what, size_t at)
{
    if (scan->what == NULL) {
        scan->what = what;
        scan->at = HF_MIN(at, scan->text.n);
        scan->code = code;
    }
    return scan->code;
}

static int fail(struct hf_scan *scan, const char *what, size_t at)
{
    return fail_with(scan, -EBADMSG, what, at);
}

static size_t offset_of(const struct hf_scan *scan, const char *p)
{
    return (size_t)(p - scan->text.p);
}

/* ---- strings ----------------------------------------------------------------------------------------------------- */

/* Sets the high bit of each byte that is a quote, a backslash, a control character or not ASCII; exact up to and
 * including the first such byte. */
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
        int digit = hf_hex_value_any(p[i]);
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* At "\\uXXXX" with the code unit `high`, a surrogate: the code point of the pair, or -1 when it is not one. */
static long surrogate_pair(const char *p, const char *end, long high)
{
    if (high > 0xdbff || end - p < 12 || p[6] != '\\' || p[7] != 'u')
        return -1;
    long low = hex4(p + 8, end);
    return low >= 0xdc00 && low <= 0xdfff ? 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00) : -1;
}

/* Returns the code point of the escape at p (a backslash) and its length; -1 when it is invalid. `loose`: an unpaired
 * surrogate means U+FFFD. */
static long escape(const char *p, const char *end, bool loose, size_t *ret_n)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";

    if (end - p < 2)
        return -1;
    if (p[1] != 'u') {
        const char *letter = memchr(letters, p[1], sizeof(letters) - 1);
        *ret_n = 2;
        return letter != NULL ? meanings[letter - letters] : -1;
    }
    long unit = hex4(p + 2, end);
    *ret_n = 6;
    if (unit < 0xd800 || unit > 0xdfff)
        return unit;
    long point = surrogate_pair(p, end, unit);
    if (point >= 0)
        *ret_n = 12;
    return point < 0 && loose ? 0xfffd : point;
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
            long point = escape(p, end, scan->loose, &n);
            if (point < 0)
                return fail(scan, "invalid escape sequence", offset_of(scan, p));
            scan->zero |= point == 0;
            escaped = true;
        } else if ((unsigned char)*p < 0x20) {
            return fail(scan, "a control character inside a string", offset_of(scan, p));
        } else {
            n = hf_utf8_length(p, (size_t)(end - p));
            if (n == 0)
                return fail(scan, "invalid UTF-8", offset_of(scan, p));
        }
        p += n;
    }
    *ret_text = (struct hf_view){begin, (size_t)(p - begin)};
    *ret_escaped = escaped;
    scan->at = offset_of(scan, p + 1);
    return 0;
}

int hf_scan_text(struct hf_scan *scan, struct hf_view *ret_inside, bool *ret_escaped)
{
    if (scan->what != NULL)
        return scan->code;
    if (hf_scan_next(scan) != '"')
        return fail(scan, "expected a string", scan->at);
    return take_string(scan, ret_inside, ret_escaped);
}

/* ---- numbers and words ------------------------------------------------------------------------------------------- */

static bool is_digit(const char *p, const char *end)
{
    return p < end && *p >= '0' && *p <= '9';
}

/* Exact where the digits and the power of ten are both exact doubles (Clinger 1990); strtod otherwise. */
double hf_scan_double(struct hf_view text)
{
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    size_t i = text.n > 0 && text.p[0] == '-', digits = 0, after = 0;
    bool negative = i > 0, point = false;
    uint64_t value = 0;
    char copy[HF_SCAN_MAX_NUMBER + 1];

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
    if (text.n > HF_SCAN_MAX_NUMBER)
        return NAN;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    return strtod(copy, NULL);
}

bool hf_scan_u64(struct hf_view text, uint64_t *ret_value)
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

bool hf_scan_i64(struct hf_view text, int64_t *ret_value)
{
    bool negative = text.n > 0 && text.p[0] == '-';
    uint64_t magnitude;

    if (!hf_scan_u64((struct hf_view){text.p + negative, text.n - negative}, &magnitude) ||
        magnitude > (uint64_t)INT64_MAX + negative)
        return false;
    *ret_value = negative ? (int64_t)(0u - magnitude) : (int64_t)magnitude;
    return true;
}

static const char *skip_digits(const char *p, const char *end)
{
    while (is_digit(p, end))
        p++;
    return p;
}

/* Any number of at most this many characters without an exponent is finite. */
enum { FINITE_DIGITS = 300 };

static int take_number(struct hf_scan *scan)
{
    const char *begin = scan->text.p + scan->at, *end = scan->text.p + scan->text.n, *p = begin;
    bool exponent = false;

    p += *p == '-';
    if (!is_digit(p, end))
        return fail(scan, "expected a value", scan->at);
    p = *p == '0' ? p + 1 : skip_digits(p, end);
    if (p < end && *p == '.') {
        if (!is_digit(p + 1, end))
            return fail(scan, "a number without digits after its point", offset_of(scan, p));
        p = skip_digits(p + 1, end);
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        p += p < end && (*p == '+' || *p == '-');
        if (!is_digit(p, end))
            return fail(scan, "a number without digits in its exponent", offset_of(scan, p));
        p = skip_digits(p, end);
        exponent = true;
    }
    const struct hf_view text = {begin, (size_t)(p - begin)};
    if (!scan->loose &&
        (text.n > HF_SCAN_MAX_NUMBER || ((exponent || text.n > FINITE_DIGITS) && !isfinite(hf_scan_double(text)))))
        return fail(scan, "number out of range", scan->at);
    if (p < end && memchr(" \t\r\n,]}", *p, 7) == NULL)
        return fail(scan, "invalid number", offset_of(scan, p));
    scan->at += text.n;
    return 0;
}

static int take_word(struct hf_scan *scan, const char *word, size_t n)
{
    if (scan->text.n - scan->at < n || memcmp(scan->text.p + scan->at, word, n) != 0)
        return fail(scan, "expected a value", scan->at);
    scan->at += n;
    return 0;
}

/* Reads a value that is neither an object nor an array; c is its first byte. */
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
        return fail(scan, "the text ends before a value", scan->text.n);
    default:
        value->type = HF_SCAN_NUMBER;
        r = take_number(scan);
    }
    value->text = (struct hf_view){scan->text.p + begin, scan->at - begin};
    return r;
}

/* Reads a name and its colon. */
static int take_name(struct hf_scan *scan, int c, struct hf_view *ret_name, bool *ret_escaped)
{
    if (c != '"')
        return fail(scan, c < 0 ? "the text ends inside an object" : "expected a member's name", scan->at);
    int r = take_string(scan, ret_name, ret_escaped);
    if (r < 0)
        return r;
    if (hf_scan_next(scan) != ':')
        return fail(scan, "expected a colon after a member's name", scan->at);
    scan->at++;
    return 0;
}

static int fail_behind_value(struct hf_scan *scan, int c)
{
    return fail(scan, c < 0 ? "the text ends inside an object or array" : "expected a comma or a closing bracket",
                scan->at);
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

/* The next character of a name, its escapes resolved if it has any; -1 at its end. */
static long next_char(const char **p, const char *end, bool escaped)
{
    size_t n = 1;
    long c;

    if (*p >= end)
        return -1;
    if (escaped && **p == '\\') {
        c = escape(*p, end, true, &n);
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

/* Orders names by code points; 0: the same name. */
static int compare_names(struct hf_view a, bool a_escaped, struct hf_view b, bool b_escaped)
{
    const char *pa = a.p, *pb = b.p;

    for (;;) {
        long ca = next_char(&pa, a.p + a.n, a_escaped), cb = next_char(&pb, b.p + b.n, b_escaped);
        if (ca != cb)
            return ca < cb ? -1 : 1;
        if (ca < 0)
            return 0;
    }
}

static bool same_name(struct hf_view a, bool a_escaped, struct hf_view b, bool b_escaped)
{
    if (!a_escaped && !b_escaped)
        return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
    return compare_names(a, a_escaped, b, b_escaped) == 0;
}

bool hf_scan_is(const struct hf_scan_member *member, const char *name)
{
    return same_name(member->name, member->escaped, hf_view_of(name), false);
}

static uint32_t mix(uint64_t first, uint64_t last, size_t n)
{
    uint64_t hash = (first ^ (last << 29 | last >> 35) ^ n * 0x9e3779b97f4a7c15u) * 0xff51afd7ed558ccdu;

    return (uint32_t)(hash >> 32);
}

/* The hash_name() of a name whose escapes it resolves. */
static uint32_t hash_escaped(struct hf_view name)
{
    uint64_t first = 0, last = 0;
    size_t length = 0;
    char bytes[4];

    for (const char *p = name.p, *end = p + name.n; p < end;) {
        size_t n = hf_utf8_put((uint32_t)next_char(&p, end, true), bytes);
        for (size_t i = 0; i < n; i++, length++) {
            uint64_t byte = (unsigned char)bytes[i];
            first |= length < 8 ? byte << 8 * length : 0;
            last = last >> 8 | byte << 56;
        }
    }
    return mix(first, length < 8 ? 0 : last, length);
}

static uint32_t hash_name(struct hf_view name, bool escaped)
{
    const unsigned char *p = (const unsigned char *)name.p;
    uint64_t first = 0;

    if (escaped)
        return hash_escaped(name);
    if (name.n >= 8)
        return mix(hf_le64(p), hf_le64(p + name.n - 8), name.n);
    for (size_t i = 0; i < name.n; i++)
        first |= (uint64_t)p[i] << 8 * i;
    return mix(first, 0, name.n);
}

static struct hf_view view_of(const struct hf_scan *scan, const struct hf_scan_name *name)
{
    return (struct hf_view){scan->text.p + name->at, name->n & ~ESCAPED_NAME};
}

static bool are_same(const struct hf_scan *scan, const struct hf_scan_name *a, const struct hf_scan_name *b)
{
    return a->hash == b->hash &&
           same_name(view_of(scan, a), (a->n & ESCAPED_NAME) != 0, view_of(scan, b), (b->n & ESCAPED_NAME) != 0);
}

static int more_names(struct hf_scan_walk *walk)
{
    size_t cap = 4 * walk->cap_names;
    bool few = walk->names == walk->few;
    struct hf_scan_name *names = realloc(few ? NULL : walk->names, cap * sizeof(*names));

    if (names == NULL)
        return fail_with(walk->scan, -ENOMEM, "not enough memory for the names of an object", walk->scan->at);
    if (few)
        memcpy(names, walk->few, walk->n_names * sizeof(*names));
    walk->names = names;
    walk->cap_names = cap;
    return 0;
}

/* A member of the innermost object: refuse it, or keep its name for those that follow. */
static int check_name(struct hf_scan_walk *walk, struct hf_view name, bool escaped)
{
    struct hf_scan *scan = walk->scan;
    size_t first = walk->first_name[walk->depth - 1], at = offset_of(scan, name.p);
    struct hf_scan_name fresh = {hash_name(name, escaped), (uint32_t)at,
                                 (uint32_t)name.n | (escaped ? ESCAPED_NAME : 0), 0};

    if (walk->n_names - first < FEW_NAMES)
        for (size_t i = first; i < walk->n_names; i++)
            if (walk->names[i].hash == fresh.hash && are_same(scan, &walk->names[i], &fresh))
                return fail(scan, "duplicate member", at - 1);
    if (walk->n_names == walk->cap_names && more_names(walk) < 0)
        return scan->code;
    walk->names[walk->n_names++] = fresh;
    return 0;
}

static int order_names(const void *left, const void *right, void *arg)
{
    const struct hf_scan_name *a = left, *b = right;
    const struct hf_scan *scan = arg;

    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return compare_names(view_of(scan, a), (a->n & ESCAPED_NAME) != 0, view_of(scan, b), (b->n & ESCAPED_NAME) != 0);
}

/* Looks each name up among those before it, by hash. Returns the index of a name that repeats an earlier one, -1
 * without one, -2 when too many names share a bucket. */
static long find_repeated(const struct hf_scan *scan, struct hf_scan_name *names, size_t n)
{
    uint32_t heads[BUCKETS] = {0}; /* index + 1 of the last name in the bucket; 0: none */
    size_t steps = 0;

    for (size_t i = 0; i < n; i++) {
        uint32_t *head = &heads[names[i].hash % BUCKETS];
        for (uint32_t k = *head; k != 0; k = names[k - 1].next) {
            if (++steps > MAX_STEPS * n)
                return -2;
            if (are_same(scan, &names[k - 1], &names[i]))
                return (long)i;
        }
        names[i].next = *head;
        *head = (uint32_t)i + 1;
    }
    return -1;
}

static int check_sorted(struct hf_scan *scan, struct hf_scan_name *names, size_t n)
{
    qsort_r(names, n, sizeof(*names), order_names, scan);
    for (size_t i = 1; i < n; i++)
        if (are_same(scan, &names[i - 1], &names[i]))
            return fail(scan, "duplicate member", HF_MAX(names[i - 1].at, names[i].at) - 1);
    return 0;
}

/* The innermost object ends. */
static int check_names(struct hf_scan_walk *walk)
{
    size_t first = walk->first_name[walk->depth - 1], n = walk->n_names - first;
    struct hf_scan_name *names = walk->names + first;

    walk->n_names = first;
    if (n <= FEW_NAMES)
        return 0;
    long found = find_repeated(walk->scan, names, n);
    if (found >= 0)
        return fail(walk->scan, "duplicate member", names[found].at - 1);
    return found == -1 ? 0 : check_sorted(walk->scan, names, n);
}

/* ---- nested values ----------------------------------------------------------------------------------------------- */

void hf_scan_walk_init(struct hf_scan_walk *walk, struct hf_scan *scan, unsigned max_depth)
{
    walk->scan = scan;
    walk->objects = 0;
    walk->depth = 0;
    walk->max_depth = max_depth;
    walk->first = walk->ended = false;
    walk->names = walk->few;
    walk->n_names = 0;
    walk->cap_names = HF_LEN(walk->few);
}

void hf_scan_walk_done(struct hf_scan_walk *walk)
{
    if (walk->names != walk->few)
        free(walk->names);
}

static int open_bracket(struct hf_scan_walk *walk, int c, struct hf_scan_item *item)
{
    struct hf_scan *scan = walk->scan;

    if (walk->depth >= walk->max_depth)
        return fail_with(scan, -E2BIG, "nested too deeply", scan->at);
    scan->at++;
    walk->objects = walk->objects << 1 | (c == '{');
    walk->first_name[walk->depth++] = (uint32_t)walk->n_names;
    walk->first = true;
    item->piece = HF_SCAN_OPEN;
    item->type = c == '{' ? HF_SCAN_OBJECT : HF_SCAN_ARRAY;
    return 1;
}

static int close_bracket(struct hf_scan_walk *walk, bool object, struct hf_scan_item *item)
{
    if (object && check_names(walk) < 0)
        return walk->scan->code;
    walk->scan->at++;
    walk->objects >>= 1;
    walk->depth--;
    walk->first = false;
    walk->ended = walk->depth == 0;
    item->piece = HF_SCAN_CLOSE;
    item->type = object ? HF_SCAN_OBJECT : HF_SCAN_ARRAY;
    return 1;
}

static inline int walk_next(struct hf_scan_walk *walk, struct hf_scan_item *item)
{
    struct hf_scan *scan = walk->scan;
    int c = hf_scan_next(scan), r;

    item->name = HF_VIEW("");
    item->named = item->name_escaped = false;
    if (walk->depth > 0) {
        bool object = (walk->objects & 1) != 0;
        if (c == (object ? '}' : ']'))
            return close_bracket(walk, object, item);
        if (!walk->first) {
            if (c != ',')
                return fail_behind_value(scan, c);
            scan->at++;
            c = hf_scan_next(scan);
        }
        if (object) {
            r = take_name(scan, c, &item->name, &item->name_escaped);
            if (r == 0 && !scan->loose)
                r = check_name(walk, item->name, item->name_escaped);
            if (r < 0)
                return r;
            item->named = true;
            c = hf_scan_next(scan);
        }
    }
    if (c == '{' || c == '[')
        return open_bracket(walk, c, item);
    walk->first = false;
    walk->ended = walk->depth == 0;
    item->piece = HF_SCAN_SCALAR;
    r = take_scalar(scan, c, &item->value);
    item->type = item->value.type;
    return r < 0 ? r : 1;
}

int hf_scan_walk_next(struct hf_scan_walk *walk, struct hf_scan_item *ret_item)
{
    if (walk->scan->what != NULL)
        return walk->scan->code;
    if (walk->ended)
        return 0;
    if (walk->scan->text.n >= ESCAPED_NAME)
        return fail_with(walk->scan, -E2BIG, "a text of 2 GiB or more", 0);
    return walk_next(walk, ret_item);
}

/* An object or an array at the cursor, with all that is in it. `outer`: brackets that are open already. */
static int take_nested(struct hf_scan *scan, unsigned outer)
{
    struct hf_scan_walk walk;
    struct hf_scan_item item;
    int r;

    if (scan->text.n >= ESCAPED_NAME)
        return fail_with(scan, -E2BIG, "a text of 2 GiB or more", 0);
    hf_scan_walk_init(&walk, scan, HF_SCAN_MAX_DEPTH - outer);
    do
        r = walk_next(&walk, &item);
    while (r > 0 && !walk.ended);
    hf_scan_walk_done(&walk);
    return HF_MIN(r, 0);
}

static int take_value(struct hf_scan *scan, unsigned outer, struct hf_scan_value *value)
{
    int c = hf_scan_next(scan);
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
        return scan->code;
    int r = take_value(scan, 0, &value);
    if (r == 0)
        *ret_value = value;
    return r;
}

int hf_scan_raw(struct hf_scan *scan, struct hf_view *ret_text)
{
    struct hf_scan_value value;

    if (scan->what != NULL)
        return scan->code;
    (void)hf_scan_next(scan);
    size_t begin = scan->at;
    int r = take_value(scan, 0, &value);
    if (r == 0 && ret_text != NULL)
        *ret_text = (struct hf_view){scan->text.p + begin, scan->at - begin};
    return r;
}

/* ---- taking apart ------------------------------------------------------------------------------------------------ */

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
        return scan->code;
    if (hf_scan_next(scan) != '{')
        return fail(scan, "expected an object", scan->at);
    scan->at++;
    c = hf_scan_next(scan);
    while (n > 0 || c != '}') {
        size_t begin = scan->at;
        if (n == max)
            return fail(scan, "too many members", scan->at);
        int r = take_name(scan, c, &members[n].name, &members[n].escaped);
        if (r == 0 && !scan->loose && is_repeated(members, n))
            r = fail(scan, "duplicate member", begin);
        if (r == 0)
            r = take_value(scan, 1, &members[n].value);
        if (r < 0)
            return r;
        n++;
        c = hf_scan_next(scan);
        if (c == '}')
            break;
        if (c != ',')
            return fail_behind_value(scan, c);
        scan->at++;
        c = hf_scan_next(scan);
    }
    scan->at++;
    *ret_n = n;
    return 0;
}

int hf_scan_array_enter(struct hf_scan *scan)
{
    if (scan->what != NULL)
        return scan->code;
    if (hf_scan_next(scan) != '[')
        return fail(scan, "expected an array", scan->at);
    scan->at++;
    return 0;
}

int hf_scan_array_next(struct hf_scan *scan, bool first)
{
    if (scan->what != NULL)
        return scan->code;
    int c = hf_scan_next(scan);
    if (c == ']') {
        scan->at++;
        return 0;
    }
    if (first && c >= 0)
        return 1;
    if (c != ',')
        return fail_behind_value(scan, c);
    scan->at++;
    if (hf_scan_next(scan) == ']')
        return fail(scan, "expected a value", scan->at);
    return 1;
}

int hf_scan_end(struct hf_scan *scan)
{
    if (scan->what != NULL)
        return scan->code;
    return hf_scan_next(scan) < 0 ? 0 : fail(scan, "text after the end", scan->at);
}

int hf_scan_peek(struct hf_scan *scan)
{
    if (scan->what != NULL)
        return scan->code;
    int c = hf_scan_next(scan);
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
        return fail(scan, "the text ends before a value", scan->text.n);
    default:
        return c == '-' || (c >= '0' && c <= '9') ? HF_SCAN_NUMBER : fail(scan, "expected a value", scan->at);
    }
}

/* ---- meaning ----------------------------------------------------------------------------------------------------- */

size_t hf_scan_unescape(struct hf_view inside, char *out)
{
    const char *p = inside.p, *end = p + inside.n;
    size_t n = 0, used;

    while (p < end) {
        const char *next = memchr(p, '\\', (size_t)(end - p));
        size_t run = (size_t)((next != NULL ? next : end) - p);
        memcpy(out + n, p, run);
        n += run;
        p += run;
        if (p == end)
            break;
        n += hf_utf8_put((uint32_t)escape(p, end, true, &used), out + n);
        p += used;
    }
    return n;
}

int hf_scan_string(const struct hf_scan_value *value, struct hf_buf *scratch, struct hf_view *ret_text)
{
    size_t begin = scratch->n;

    if (!value->escaped) {
        *ret_text = value->text;
        return 0;
    }
    int r = hf_buf_reserve(scratch, value->text.n); /* resolving escapes never makes a text longer */
    if (r < 0)
        return r;
    size_t n = hf_scan_unescape(value->text, scratch->p + begin);
    bool zero = memchr(scratch->p + begin, '\0', n) != NULL;
    scratch->n = zero ? begin : begin + n;
    scratch->p[scratch->n] = '\0';
    if (zero)
        return -EINVAL;
    *ret_text = (struct hf_view){scratch->p + begin, n};
    return 0;
}

double hf_scan_number(const struct hf_scan_value *value)
{
    return value->type == HF_SCAN_NUMBER ? hf_scan_double(value->text) : NAN;
}
