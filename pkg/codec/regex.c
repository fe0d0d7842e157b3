/* SPDX-License-Identifier: Apache-2.0 */
/* The program of an expression is a row of steps. Jumps are relative, so that a part of the program means the same at
 * another place: a count copies its operand, a star puts a step in front of it.
 *
 *     e1|e2   fork +1 or to e2; e1; jump behind e2; e2
 *     e*      fork +1 or behind; e; jump back to the fork
 *     e+      e; fork back to e or +1
 *     e?      fork +1 or behind; e */
#include "codec/regex.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_COUNT = 999, MAX_DEPTH = 64, NO_LIMIT = -1 };

enum regex_op { OP_SET, OP_FORK, OP_JUMP, OP_ASSERT, OP_MATCH };

enum regex_assertion { AT_BEGIN, AT_END, AT_WORD_EDGE, NOT_WORD_EDGE, AT_WORD_BEGIN, AT_WORD_END };

struct regex_step {
    uint8_t op;
    uint8_t assertion;
    int16_t to; /* OP_FORK, OP_JUMP: relative; OP_SET: index of the set */
};

struct regex_set {
    uint64_t bits[4];
};

struct regex_states {
    uint16_t steps[HF_REGEX_MAX_STEPS];
    size_t n;
};

struct hf_regex {
    struct regex_step steps[HF_REGEX_MAX_STEPS];
    size_t n;
    struct regex_set *sets;
    size_t n_sets;
    struct regex_states now, next;
    uint16_t pending[HF_REGEX_MAX_STEPS];
    uint32_t seen[HF_REGEX_MAX_STEPS], turn; /* a step is in the set of states that is being made if seen == turn */
};

/* ---- compiling --------------------------------------------------------------------------------------------------- */

struct regex_parser {
    struct hf_regex *regex;
    const char *p;
    unsigned depth;
    struct hf_err *err;
};

static int parse_branches(struct regex_parser *parser);

static int invalid(const struct regex_parser *parser, const char *why)
{
    return hf_err_set(parser->err, EINVAL, "%s, before '%.32s'", why, parser->p);
}

static int too_large(const struct regex_parser *parser)
{
    return hf_err_set(parser->err, E2BIG,
                      "counts, multiplied out, make the expression longer than %d steps, before '%.32s'",
                      HF_REGEX_MAX_STEPS, parser->p);
}

static int add_step(struct regex_parser *parser, struct regex_step step)
{
    struct hf_regex *regex = parser->regex;

    if (regex->n >= HF_REGEX_MAX_STEPS)
        return too_large(parser);
    regex->steps[regex->n++] = step;
    return 0;
}

/* Puts a step in front of the program's part that begins at `at`. */
static int insert_step(struct regex_parser *parser, size_t at, struct regex_step step)
{
    struct hf_regex *regex = parser->regex;
    int r = add_step(parser, step);

    if (r < 0)
        return r;
    memmove(&regex->steps[at + 1], &regex->steps[at], (regex->n - 1 - at) * sizeof(step));
    regex->steps[at] = step;
    return 0;
}

static int append_copy(struct regex_parser *parser, const struct regex_step *part, size_t n)
{
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i++)
        r = add_step(parser, part[i]);
    return r;
}

static void set_add(struct regex_set *set, unsigned char c)
{
    set->bits[c / 64] |= UINT64_C(1) << (c % 64);
}

static bool set_has(const struct regex_set *set, unsigned char c)
{
    return (set->bits[c / 64] >> (c % 64) & 1) != 0;
}

static void set_invert(struct regex_set *set)
{
    for (size_t i = 0; i < HF_LEN(set->bits); i++)
        set->bits[i] = ~set->bits[i];
}

static int add_set(struct regex_parser *parser, const struct regex_set *set)
{
    struct hf_regex *regex = parser->regex;
    size_t i = 0;

    while (i < regex->n_sets && memcmp(&regex->sets[i], set, sizeof(*set)) != 0)
        i++;
    if (i == regex->n_sets) {
        struct regex_set *more = realloc(regex->sets, (i + 1) * sizeof(*more));
        if (more == NULL)
            return hf_err_set(parser->err, ENOMEM, "out of memory");
        regex->sets = more;
        regex->sets[regex->n_sets++] = *set;
    }
    return add_step(parser, (struct regex_step){.op = OP_SET, .to = (int16_t)i});
}

static int add_char(struct regex_parser *parser, char c)
{
    struct regex_set set = {{0}};

    set_add(&set, (unsigned char)c);
    return add_set(parser, &set);
}

static bool is_word(unsigned char c)
{
    return isalnum(c) || c == '_';
}

static int is_word_char(int c)
{
    return is_word((unsigned char)c);
}

/* ---- atoms ------------------------------------------------------------------------------------------------------- */

static void add_class(struct regex_set *set, int (*is_in)(int c), bool in)
{
    for (int c = 0; c < 256; c++)
        if ((is_in(c) != 0) == in)
            set_add(set, (unsigned char)c);
}

static int add_class_set(struct regex_parser *parser, int (*is_in)(int c), bool in)
{
    struct regex_set set = {{0}};

    add_class(&set, is_in, in);
    return add_set(parser, &set);
}

/* The name of a class in brackets, "[:alpha:]"; parser->p is behind "[:". */
static int parse_class(struct regex_parser *parser, struct regex_set *set)
{
    static const struct {
        const char *name;
        int (*is_in)(int c);
    } classes[] = {{"alpha:]", isalpha}, {"digit:]", isdigit}, {"alnum:]", isalnum}, {"upper:]", isupper},
                   {"lower:]", islower}, {"space:]", isspace}, {"blank:]", isblank}, {"punct:]", ispunct},
                   {"print:]", isprint}, {"graph:]", isgraph}, {"cntrl:]", iscntrl}, {"xdigit:]", isxdigit}};

    for (size_t i = 0; i < HF_LEN(classes); i++) {
        size_t n = strlen(classes[i].name);
        if (strncmp(parser->p, classes[i].name, n) == 0) {
            add_class(set, classes[i].is_in, true);
            parser->p += n;
            return 0;
        }
    }
    return invalid(parser, "unknown character class");
}

/* One item of a bracket expression: a class, a character or a range. */
static int parse_item(struct regex_parser *parser, struct regex_set *set)
{
    const char *p = parser->p;

    if (p[0] == '[' && p[1] == ':') {
        parser->p += 2;
        return parse_class(parser, set);
    }
    if (p[0] == '[' && (p[1] == '.' || p[1] == '='))
        return invalid(parser, "[. .] and [= =] are not supported");
    unsigned char from = (unsigned char)p[0], to = from;
    parser->p++;
    if (p[1] == '-' && p[2] != ']' && p[2] != '\0') {
        if (p[2] == '[' && (p[3] == ':' || p[3] == '.' || p[3] == '='))
            return invalid(parser, "a range must end in a character");
        to = (unsigned char)p[2];
        parser->p += 2;
    }
    if (from > to)
        return invalid(parser, "a range must not end before it begins");
    for (unsigned c = from; c <= to; c++)
        set_add(set, (unsigned char)c);
    return 0;
}

/* parser->p is behind the '['. */
static int parse_brackets(struct regex_parser *parser)
{
    struct regex_set set = {{0}};
    bool others = *parser->p == '^';
    int r = 0;

    parser->p += others;
    for (bool first = true; r == 0 && (first || *parser->p != ']'); first = false) {
        if (*parser->p == '\0')
            return invalid(parser, "a '[' has no ']'");
        r = parse_item(parser, &set);
    }
    if (r < 0)
        return r;
    parser->p++;
    if (others)
        set_invert(&set);
    return add_set(parser, &set);
}

static int add_assertion(struct regex_parser *parser, enum regex_assertion assertion)
{
    return add_step(parser, (struct regex_step){.op = OP_ASSERT, .assertion = (uint8_t)assertion});
}

/* parser->p is behind the backslash. */
static int parse_escape(struct regex_parser *parser)
{
    char c = *parser->p;

    if (c == '\0')
        return invalid(parser, "a backslash must not be the last character");
    if (c >= '1' && c <= '9')
        return invalid(parser, "back references are not supported");
    parser->p++;
    switch (c) {
    case 'w':
    case 'W':
        return add_class_set(parser, is_word_char, c == 'w');
    case 's':
    case 'S':
        return add_class_set(parser, isspace, c == 's');
    case 'b':
        return add_assertion(parser, AT_WORD_EDGE);
    case 'B':
        return add_assertion(parser, NOT_WORD_EDGE);
    case '<':
        return add_assertion(parser, AT_WORD_BEGIN);
    case '>':
        return add_assertion(parser, AT_WORD_END);
    case '`':
        return add_assertion(parser, AT_BEGIN);
    case '\'':
        return add_assertion(parser, AT_END);
    default:
        return add_char(parser, c);
    }
}

static int parse_group(struct regex_parser *parser)
{
    if (++parser->depth > MAX_DEPTH)
        return invalid(parser, "more than 64 nested groups");
    int r = parse_branches(parser);
    if (r < 0)
        return r;
    if (*parser->p != ')')
        return invalid(parser, "a '(' has no ')'");
    parser->p++;
    parser->depth--;
    return 0;
}

static int add_any(struct regex_parser *parser)
{
    struct regex_set set = {{0}};

    set_add(&set, 0);
    set_invert(&set);
    return add_set(parser, &set);
}

static int parse_atom(struct regex_parser *parser)
{
    char c = *parser->p++;

    switch (c) {
    case '(':
        return parse_group(parser);
    case '[':
        return parse_brackets(parser);
    case '\\':
        return parse_escape(parser);
    case '.':
        return add_any(parser);
    case '^':
        return add_assertion(parser, AT_BEGIN);
    case '$':
        return add_assertion(parser, AT_END);
    case '*':
    case '+':
    case '?':
    case '{':
        parser->p--;
        return invalid(parser, "nothing stands before a repetition");
    default:
        return add_char(parser, c);
    }
}

/* ---- repetitions ------------------------------------------------------------------------------------------------- */

static int parse_number(struct regex_parser *parser, int otherwise)
{
    int value = 0;

    if (!isdigit((unsigned char)*parser->p))
        return otherwise;
    for (; isdigit((unsigned char)*parser->p) && value <= MAX_COUNT; parser->p++)
        value = value * 10 + (*parser->p - '0');
    return value;
}

/* parser->p is behind the '{'. */
static int parse_count(struct regex_parser *parser, int *ret_least, int *ret_most)
{
    bool given = isdigit((unsigned char)*parser->p) != 0;
    int least = parse_number(parser, 0), most = least;

    if (*parser->p == ',') {
        parser->p++;
        most = parse_number(parser, NO_LIMIT);
    } else if (!given) {
        return invalid(parser, "a count needs a number");
    }
    if (least > MAX_COUNT || most > MAX_COUNT)
        return invalid(parser, "a count is above 999");
    if (*parser->p != '}' || (most != NO_LIMIT && most < least))
        return invalid(parser, "expected a count such as {2}, {2,} or {2,4}");
    parser->p++;
    *ret_least = least;
    *ret_most = most;
    return 0;
}

/* Writes the part that begins at `at` once more as e*. */
static int append_star(struct regex_parser *parser, const struct regex_step *part, size_t n)
{
    const struct regex_step fork = {.op = OP_FORK, .to = (int16_t)(n + 2)},
                            back = {.op = OP_JUMP, .to = (int16_t) - (int)(n + 1)};
    int r = add_step(parser, fork);

    if (r == 0)
        r = append_copy(parser, part, n);
    return r == 0 ? add_step(parser, back) : r;
}

/* Replaces the part that begins at `at` by its repetition. */
static int repeat(struct regex_parser *parser, size_t at, int least, int most)
{
    struct hf_regex *regex = parser->regex;
    size_t n = regex->n - at;
    struct regex_step part[HF_REGEX_MAX_STEPS];
    int r = 0;

    memcpy(part, &regex->steps[at], n * sizeof(*part));
    regex->n = at;
    for (int i = 0; i < least && r == 0; i++)
        r = append_copy(parser, part, n);
    if (most == NO_LIMIT && r == 0)
        return append_star(parser, part, n);
    for (int i = least; i < most && r == 0; i++) {
        r = add_step(parser, (struct regex_step){.op = OP_FORK, .to = (int16_t)(n + 1)});
        if (r == 0)
            r = append_copy(parser, part, n);
    }
    return r;
}

static int parse_repetitions(struct regex_parser *parser, size_t at)
{
    for (;;) {
        int least = 0, most = NO_LIMIT, r = 0;
        char c = *parser->p;
        if (c == '\0' || strchr("*+?{", c) == NULL)
            return 0;
        parser->p++;
        if (c == '+')
            least = 1;
        else if (c == '?')
            most = 1;
        else if (c == '{')
            r = parse_count(parser, &least, &most);
        if (r == 0)
            r = repeat(parser, at, least, most);
        if (r < 0)
            return r;
    }
}

/* One branch: atoms up to '|', to the ')' of the group, or to the end. A ')' outside of groups is a character. */
static int parse_branch(struct regex_parser *parser)
{
    int r = 0;

    while (r == 0 && *parser->p != '\0' && *parser->p != '|' && (*parser->p != ')' || parser->depth == 0)) {
        size_t at = parser->regex->n;
        r = parse_atom(parser);
        if (r == 0)
            r = parse_repetitions(parser, at);
    }
    return r;
}

static int parse_branches(struct regex_parser *parser)
{
    size_t at = parser->regex->n;
    int r = parse_branch(parser);

    while (r == 0 && *parser->p == '|') {
        size_t before = parser->regex->n - at;
        parser->p++;
        r = insert_step(parser, at, (struct regex_step){.op = OP_FORK, .to = (int16_t)(before + 2)});
        size_t jump = parser->regex->n;
        if (r == 0)
            r = add_step(parser, (struct regex_step){.op = OP_JUMP});
        if (r == 0)
            r = parse_branch(parser);
        if (r == 0)
            parser->regex->steps[jump].to = (int16_t)(parser->regex->n - jump);
    }
    return r;
}

int hf_regex_new(const char *text, struct hf_regex **ret_regex, struct hf_err *err)
{
    _cleanup_(hf_regex_freep) struct hf_regex *regex = calloc(1, sizeof(*regex));
    struct regex_parser parser = {.regex = regex, .p = text, .err = err};

    if (regex == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    int r = parse_branches(&parser);
    if (r == 0)
        r = add_step(&parser, (struct regex_step){.op = OP_MATCH});
    if (r < 0)
        return r;
    *ret_regex = hf_steal(regex);
    return 0;
}

void hf_regex_free(struct hf_regex *regex)
{
    if (regex == NULL)
        return;
    free(regex->sets);
    free(regex);
}

/* ---- matching ---------------------------------------------------------------------------------------------------- */

static bool holds(enum regex_assertion assertion, struct hf_view text, size_t at)
{
    bool before = at > 0 && is_word((unsigned char)text.p[at - 1]);
    bool behind = at < text.n && is_word((unsigned char)text.p[at]);

    switch (assertion) {
    case AT_BEGIN:
        return at == 0;
    case AT_END:
        return at == text.n;
    case AT_WORD_EDGE:
        return before != behind;
    case NOT_WORD_EDGE:
        return before == behind;
    case AT_WORD_BEGIN:
        return !before && behind;
    case AT_WORD_END:
        return before && !behind;
    }
    return false;
}

static void see(struct hf_regex *regex, size_t step, size_t *n)
{
    if (regex->seen[step] == regex->turn)
        return;
    regex->seen[step] = regex->turn;
    regex->pending[(*n)++] = (uint16_t)step;
}

/* Adds a step, and all steps that it leads to without a character, to the states at this place of the text. Returns
 * true if the match is among them. */
static bool enter(struct hf_regex *regex, struct regex_states *states, size_t step, struct hf_view text, size_t at)
{
    size_t n = 0;

    see(regex, step, &n);
    while (n > 0) {
        size_t i = regex->pending[--n];
        const struct regex_step *of = &regex->steps[i];
        if (of->op == OP_MATCH)
            return true;
        if (of->op == OP_SET)
            states->steps[states->n++] = (uint16_t)i;
        else if (of->op == OP_JUMP)
            see(regex, (size_t)((int)i + of->to), &n);
        else if (of->op == OP_FORK || holds(of->assertion, text, at))
            see(regex, i + 1, &n);
        if (of->op == OP_FORK)
            see(regex, (size_t)((int)i + of->to), &n);
    }
    return false;
}

static void next_turn(struct hf_regex *regex, struct regex_states *states)
{
    states->n = 0;
    if (++regex->turn == 0) { /* the marks of old turns would count again */
        memset(regex->seen, 0, sizeof(regex->seen));
        regex->turn = 1;
    }
}

bool hf_regex_matches(struct hf_regex *regex, struct hf_view text)
{
    struct regex_states *now = &regex->now, *next = &regex->next;
    bool anchored = regex->steps[0].op == OP_ASSERT && regex->steps[0].assertion == AT_BEGIN;

    next_turn(regex, now);
    for (size_t at = 0; at <= text.n; at++) {
        /* a match may begin here; the states are those of this turn */
        if ((at == 0 || !anchored) && enter(regex, now, 0, text, at))
            return true;
        if (at == text.n || (anchored && now->n == 0))
            return false;
        next_turn(regex, next);
        for (size_t i = 0; i < now->n; i++) {
            size_t step = now->steps[i];
            if (set_has(&regex->sets[regex->steps[step].to], (unsigned char)text.p[at]) &&
                enter(regex, next, step + 1, text, at + 1))
                return true;
        }
        struct regex_states *last = now;
        now = next;
        next = last;
    }
    return false;
}
